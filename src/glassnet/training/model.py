"""A model: a network, and what its numbers mean to the user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.data.dataset import Dataset, take_test_rows
from glassnet.data.dense import is_sparse
from glassnet.data.schema import DataWarning, Schema
from glassnet.data.splits import Split, describe_split
from glassnet.data.user_rows import UserRows, read_user_rows
from glassnet.errors import DataError
from glassnet.nn.activations import Array
from glassnet.nn.input_rows import BLOCK_ROWS
from glassnet.nn.network import Network, refuse_without_probabilities, spread_probabilities
from glassnet.nn.targets import decode
from glassnet.runtime.callers import warn_caller
from glassnet.training.metrics.evaluation import Evaluation, evaluate

if TYPE_CHECKING:
    from glassnet.export.writing import Export


@dataclass(frozen=True, repr=False)
class Model:
    """A trained network that takes rows as the user has them, and answers in the user's words.

    `glassnet.load_model` reads one, and a run has it as ``run.model``. A bare `Network` is mathematics on floats;
    a model knows, from the training rows, how a picture, a table or an array becomes these floats, and which class
    an output stands for.

    Attributes
    ----------
    network : Network
        The network.
    schema : Schema or None
        What rows and outputs mean. None, where a bare network was saved: then rows are the network's own numbers,
        and answers are labels 0, 1, ... or outputs.

    Examples
    --------
    >>> import glassnet as gn
    >>> X, y = np.array([[1.0], [2.0], [3.0], [4.0]] * 30), ["low", "low", "high", "high"] * 30
    >>> model = gn.fit(gn.Network([1, 8, 2]), X, y, epochs=60, learning_rate=0.05, progress=False).model
    >>> model.predict([[1.5], [3.5]]), model.classes
    (array(['low', 'high'], dtype='<U4'), ('high', 'low'))
    """

    network: Network
    schema: Schema | None = None

    def __repr__(self) -> str:
        layers = list(self.network.layers)
        if self.schema is None:
            return f"Model({layers})"
        target = self.schema.target
        classes = f", classes: {', '.join(map(str, self.classes[:5]))}" if self.classes else ""
        return f"Model({layers}, {target.task}{classes}{', ...' if len(self.classes) > 5 else ''})"

    @property
    def classes(self) -> tuple[Any, ...]:
        """The classes as the user wrote them, in the order of `predict_proba`'s columns; empty without classes."""
        labelled = self.schema is not None and self.schema.target.n_classes
        return self.schema.target.classes if self.schema is not None and labelled else ()

    def encode_rows(self, X: Any) -> Array:
        """Return rows as the network takes them.

        Parameters
        ----------
        X : array_like, table of pandas, Polars or pyarrow, path of a file, Split or Dataset
            Rows as they were given to training, sparse rows of SciPy too; of a data set, its test rows. What is
            converted or filled in is a `DataWarning`.

        Returns
        -------
        ndarray of shape (n, ...)
            Bytes, or floats.

        Raises
        ------
        DataError
            If they cannot be what the network was trained on.
        """
        if isinstance(X, Dataset):
            X = take_test_rows(X)
        if isinstance(X, Split):
            if X.is_encoded or self.schema is None:
                return self.encode(X).X
            X = X.X
        if isinstance(X, str | Path):
            X = self._read(X).X
        return self.network.check_input(X) if self.schema is None else self.schema.encode_rows(X)

    def encode(self, rows: tuple[Any, Any]) -> Split:
        """Return rows and labels as the network takes them.

        Parameters
        ----------
        rows : pair (X, y), or Split
            A user's rows and labels, or a split of a data set.

        Returns
        -------
        Split
            Rows of bytes or floats, and labels 0, 1, ... or numbers, which need not be encoded again.

        Raises
        ------
        DataError
            If they cannot be what the network was trained on.
        """
        if self.schema is None:
            return rows.encode() if isinstance(rows, Split) else Split(*rows)
        if isinstance(rows, Split) and rows.is_encoded:
            if rows.schema != self.schema:
                raise DataError("rows: they were encoded for another model; give them as they were read")
            return rows
        X, y = self.encode_rows(rows[0]), self.schema.target.encode(rows[1])
        if len(X) != len(y):
            raise DataError(f"y: {len(y)} labels for {len(X)} rows of X; they must be as many")
        return describe_split(X, y, self.schema, is_encoded=True)

    def _read(self, path: str | Path) -> UserRows:
        """Read the rows of a file; what its reader noticed is a `DataWarning`."""
        rows = read_user_rows(Path(path), self.schema)
        for remark in rows.remarks:
            warn_caller(remark, DataWarning)
        return rows

    def outputs(self, X: Any) -> Array:
        """Return what the network says of rows: probabilities where its loss makes them, else numbers.

        Sparse rows go through it in blocks, so that never all of them are dense at once.

        Parameters
        ----------
        X : array_like, table, path, Split or Dataset
            The rows, see `encode_rows`.

        Returns
        -------
        ndarray of shape (n, d_L)
            As `Network.outputs` returns them; of a row, the same bits alone as among others.

        Raises
        ------
        DataError
            If they cannot be what the network was trained on.
        """
        if not is_sparse(X) or not X.shape[0]:
            return self.network.outputs(self.encode_rows(X))
        rows = X.tocsr()
        blocks = (rows[first : first + BLOCK_ROWS] for first in range(0, rows.shape[0], BLOCK_ROWS))
        return np.concatenate([self.network.outputs(self.encode_rows(block)) for block in blocks])

    def predict(self, X: Any) -> Array:
        """Return the answer for each row: its class as the user wrote it, or numbers in the user's units.

        Parameters
        ----------
        X : array_like, table, path, Split or Dataset
            The rows, see `encode_rows`.

        Returns
        -------
        ndarray of shape (n,) or (n, k)
            A class a row; where a row has several labels or numbers, a column for each.

        Raises
        ------
        DataError
            If they cannot be what the network was trained on.
        """
        return self.decode(self.outputs(X))

    def decode(self, outputs: Array) -> Array:
        """Return the answers that outputs of the network stand for.

        Parameters
        ----------
        outputs : ndarray of shape (n, d_L)
            From `outputs`.

        Returns
        -------
        ndarray of shape (n,) or (n, k)
            As from `predict`.
        """
        if self.schema is None:
            return decode(outputs, self.network.n_classes)
        return self.schema.target.answer(outputs)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each of `classes`, or of each label where a row has several.

        Parameters
        ----------
        X : array_like, table, path, Split or Dataset
            The rows, see `encode_rows`.

        Returns
        -------
        ndarray of shape (n, classes)
            After softmax, or of two classes, rows sum to 1.

        Raises
        ------
        UsageError
            If the network gives no probabilities.
        """
        refuse_without_probabilities(self.network)
        return spread_probabilities(self.outputs(X))

    def export(
        self, path: str | Path, to: str | None = None, *, int8: bool = False, calibration: Any = None
    ) -> Export:
        """Write the model as a program that needs no glassnet: rows, network and answers in one file.

        The file is checked before it is written: it answers random rows, drawn by the schema, on this machine. A
        header of C is not checked where there is no compiler; the result says so.

        Parameters
        ----------
        path : str or Path
            The file. A file that is there is replaced.
        to : {"python", "js", "onnx", "c"}, optional
            What to write it for: a file for a bare Python interpreter, a JavaScript module, a file of ONNX, or a
            header of C. By default as the path ends: ``.py``, ``.js`` or ``.mjs``, ``.onnx``, ``.h``.
        int8 : bool, default False
            Whether a header of C computes in bytes, a quarter of the size.
        calibration : array_like, table or Split, optional
            Of int8: rows, as the model takes them, on which the ranges of activations are measured, and on which
            it is checked; at most 1,000 of them. Without these, random rows, which are rarely like your own.

        Returns
        -------
        Export
            The file's size, and the largest difference from the network on the random rows.

        Raises
        ------
        UsageError
            If the path does not tell what to write, an own activation cannot be written out, or a package is
            missing.
        FileError
            If the file cannot be written, or differs from the network by more than rounding; then there is none.

        Examples
        --------
        >>> import tempfile
        >>> model = Model(Network([4, 8, 3], class_names=["setosa", "versicolor", "virginica"]))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = model.export(f"{folder}/iris.py")
        >>> found.to, found.rows, found.difference < 1e-6
        ('python', 200, True)
        """
        from glassnet.export.writing import export_model

        rows = calibration.X if isinstance(calibration, Split) else calibration
        return export_model(self.network, self.schema, path, to, int8=int8, calibration=rows)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the accuracy, or R2 where numbers are regressed, as scikit-learn's estimators do.

        Parameters
        ----------
        X : array_like, table, path, Split or Dataset
            The rows, see `encode_rows`; a file, split or data set has its labels with it.
        y : array_like, optional
            The right answers, in the words of training.

        Returns
        -------
        float
            The share of right answers, or the share of the spread of y that is explained.

        Raises
        ------
        DataError
            If rows or answers cannot be such as those of training.
        """
        found = self.evaluate(X, y)
        return found["r2"] if "r2" in found.measures else found["accuracy"]

    def evaluate(self, X: Any, y: Any = None, *, metrics: Any = None) -> Evaluation:
        """Measure how good the answers are.

        Parameters
        ----------
        X, y
            See `score`.
        metrics : sequence of str, optional
            Names of what to measure, see `glassnet.evaluate`.

        Returns
        -------
        Evaluation
            Named numbers: ``found.accuracy``, ``found["accuracy"]``. It prints as a table.

        Raises
        ------
        UsageError, DataError
            As `glassnet.evaluate` raises them.

        Examples
        --------
        >>> import glassnet as gn
        >>> data = gn.load_dataset("iris")
        >>> model = gn.fit(gn.Network([4, 16, 3]), data, epochs=60, learning_rate=0.01, progress=False).model
        >>> model.evaluate(data)["accuracy"] > 0.8
        True
        """
        if isinstance(X, str | Path):
            rows = self._read(X)
            X = rows.labelled() if y is None else rows.X
        return evaluate(self, X, y, metrics=metrics)
