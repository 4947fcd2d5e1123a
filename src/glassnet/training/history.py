"""What a run recorded: one row an epoch."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from glassnet.charts.painting import plot
from glassnet.locales.catalogue import Language, Words
from glassnet.runtime.records import Count, Number, Place, Real, Seconds, adapter_of, explain
from glassnet.training.learning_curves import learning_chart

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class EpochRecord:
    """The figures of one epoch.

    Attributes
    ----------
    epoch : int
        Number of the epoch, counted from 1.
    train_loss, train_accuracy : float
        Loss and accuracy over the training rows of the epoch. Each batch is counted as it was before its own step,
        so these are running figures of a network that changes. A loss with reduction "sum" is summed over rows,
        any other is their mean. The accuracy is None for regression.
    validation_loss, validation_accuracy : float
        Loss and accuracy over the validation rows after the epoch; None where there are no validation rows.
    learning_rate : float
        Learning rate of the optimizer in the epoch's last step.
    seconds : float
        Wall time of the epoch, its validation included.
    threads : int
        Threads in use at the epoch's end; with compiled kernels the result does not depend on them.
    measures : dict of str to float
        The metrics that were asked for, ``validation_auc`` for example, over the validation rows after the epoch.
    dead_units, saturated_units : int or None
        Units of all hidden layers that are dead or saturated, where the network was examined after the epoch; see
        `glassnet.training.health`.
    gradient_norm, update_ratio : float or None
        Norm of all weights' gradient on the examined rows, and the largest |step of W| / |W| of a layer in the
        epoch's last step, likewise.
    """

    epoch: Place
    train_loss: Real
    train_accuracy: Real | None
    validation_loss: Real | None
    validation_accuracy: Real | None
    learning_rate: Number
    seconds: Seconds
    threads: Place
    measures: dict[str, Real] = field(default_factory=dict)
    dead_units: Count | None = None
    saturated_units: Count | None = None
    gradient_norm: Real | None = None
    update_ratio: Real | None = None

    @property
    def summary(self) -> str:
        """The epoch with its losses and accuracies on training and validation rows, in a few words."""
        parts = [f"epoch {self.epoch}"]
        pairs = ((self.train_loss, self.train_accuracy), (self.validation_loss, self.validation_accuracy))
        for name, (loss, accuracy) in zip(("loss", "validation loss"), pairs, strict=True):
            if loss is not None:
                parts.append(f"{name} {loss:.4f}" if abs(loss) < 1e4 else f"{name} {loss:.4g}")
                parts += [] if accuracy is None else [f"accuracy {accuracy:.4f}"]
        return "  ".join(parts)

    def row(self) -> dict[str, float | None]:
        """Return the figures by the names of their columns."""
        return {column: getattr(self, column) for column in COLUMNS} | self.measures


#: The columns of every history; those of the metrics that were asked for follow.
COLUMNS = tuple(column.name for column in fields(EpochRecord) if column.name != "measures")

#: Those that hold whole numbers.
COUNTS = ("epoch", "threads", "dead_units", "saturated_units")


#: Epochs at the beginning and at the end that are printed of a long history.
SHOWN = 5


def _read_number(column: str, cell: str) -> float | str | None:
    """Read a cell: a whole number where the column counts something, nothing where it is empty.

    A cell that holds no number is returned as it is.
    """
    try:
        return (int(cell) if column in COUNTS else float(cell)) if cell else None
    except ValueError:
        return cell


class History:
    """The epochs of a run, in order: ``history[column]`` is a column, ``history.last`` the latest record.

    Attributes
    ----------
    kept : int or None
        The epoch whose parameters the network ended with, where early stopping chose it; its charts mark it.

    Examples
    --------
    >>> history = History()
    >>> history.append(EpochRecord(1, 0.7, 0.75, 0.6, 0.8, 0.001, 2.0, 2))
    >>> history["validation_accuracy"], len(history)
    ([0.8], 1)
    >>> history
    History(epoch 1  loss 0.7000  accuracy 0.7500  validation loss 0.6000  accuracy 0.8000)
    """

    def __init__(self) -> None:
        self._records: list[EpochRecord] = []
        self.kept: int | None = None

    def append(self, record: EpochRecord) -> None:
        """Add the next epoch."""
        self._records.append(record)
        self.kept = None

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[EpochRecord]:
        return iter(self._records)

    def __getitem__(self, column: str) -> list[float | None]:
        if self._records and column not in self.columns:
            raise KeyError(f"{column}: is no column of the history; its columns are {', '.join(self.columns)}")
        return [record.row()[column] for record in self._records]

    def __repr__(self) -> str:
        return f"History({self.last.summary if self.last else 'no epochs yet'})"

    def __str__(self) -> str:
        """A line for each epoch; of a long history, the first and the last ones."""
        lines = [record.summary for record in self]
        return "\n".join(lines if len(lines) <= 2 * SHOWN else [*lines[:SHOWN], "...", *lines[-SHOWN:]])

    @property
    def columns(self) -> list[str]:
        """The names of the columns; those of the metrics that were asked for stand last."""
        return [*COLUMNS, *(self.last.measures if self.last else {})]

    @property
    def last(self) -> EpochRecord | None:
        """The latest epoch, None before the first has ended."""
        return self._records[-1] if self._records else None

    @property
    def seconds(self) -> float:
        """Wall time of all epochs."""
        return sum(record.seconds for record in self._records)

    def to_csv(self) -> str:
        """Return a table with a header; numbers in full precision, what is absent empty."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(record.row().values() for record in self._records)
        return text.getvalue()

    def to_pandas(self) -> pandas.DataFrame:
        """Return the epochs as a table of pandas, a row an epoch; pandas has to be installed.

        Examples
        --------
        >>> history = History()
        >>> history.append(EpochRecord(1, 0.7, 0.75, 0.6, 0.8, 0.001, 2.0, 1))
        >>> history.to_pandas()[["train_loss", "validation_loss"]].values.tolist()
        [[0.7, 0.6]]
        """
        import pandas

        return pandas.DataFrame([record.row() for record in self], columns=self.columns)

    def plot(self, measure: str = "loss", ax: Axes | None = None, *, language: Language = "en") -> Axes:
        """Draw a measure over the epochs: that of the training rows and that of the validation rows.

        Parameters
        ----------
        measure : str, default "loss"
            ``"loss"``, ``"accuracy"``, a metric that was asked for, ``"auc"`` for example, or any column.
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default on a new figure.
        language : {"en", "zh"}
            In which the chart is written.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        UsageError
            If there is no such measure.

        Examples
        --------
        >>> history = History()
        >>> history.append(EpochRecord(1, 0.7, 0.75, 0.6, 0.8, 0.001, 2.0, 1))
        >>> history.append(EpochRecord(2, 0.5, 0.85, 0.4, 0.9, 0.001, 2.0, 1))
        >>> axes = history.plot("accuracy")
        >>> axes.get_xlabel(), [line.get_ydata().tolist() for line in axes.get_lines()]
        ('epoch', [[0.75, 0.85], [0.8, 0.9]])
        """
        return plot(learning_chart(self, measure, Words(language)), ax)

    @classmethod
    def from_csv(cls, text: str) -> History:
        """Read what `to_csv` wrote.

        Raises
        ------
        ValueError
            If it is something else.

        Examples
        --------
        >>> history = History()
        >>> history.append(EpochRecord(1, 0.7, None, 0.6, None, 0.001, 2.0, 1))
        >>> History.from_csv(history.to_csv()).last == history.last
        True
        """
        history = cls()
        try:
            rows = list(csv.reader(io.StringIO(text)))
        except csv.Error as error:
            raise ValueError(str(error)) from None
        if not rows or tuple(rows[0][: len(COLUMNS)]) != COLUMNS:
            raise ValueError(f"expected the columns {', '.join(COLUMNS)}")
        if len(set(rows[0])) < len(rows[0]):
            raise ValueError("two columns have the same name")
        for number, cells in enumerate(rows[1:], start=2):
            if len(cells) != len(rows[0]):
                raise ValueError(f"line {number} holds {len(cells)} cells, expected {len(rows[0])}")
            values = {name: _read_number(name, cell) for name, cell in zip(rows[0], cells, strict=True)}
            measures = {name: values.pop(name) for name in rows[0][len(COLUMNS) :]}
            try:
                record = adapter_of(EpochRecord).validate_python(values | {"measures": measures})
            except ValueError as error:
                raise ValueError(f"line {number}: {explain(error)}") from None
            if record.epoch != number - 1:
                raise ValueError(f"line {number}: epoch: expected {number - 1}, got {record.epoch}")
            history.append(record)
        return history
