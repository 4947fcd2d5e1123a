"""A model: a network, and what its numbers mean to the user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassnet.data.schema import Schema
from glassnet.data.splits import Split, describe_split
from glassnet.data.user_rows import read_user_rows
from glassnet.errors import DataError
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.targets import decode
from glassnet.training.metrics.evaluation import Evaluation, evaluate


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
    >>> model = gn.fit(gn.Network([1, 8, 2]), X, y, epochs=60, progress=False).model
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
        X : array_like, table of pandas, Polars or pyarrow, path of a file, or rows of a Dataset
            Rows as they were given to training. What is converted or filled in is a `DataWarning`.

        Returns
        -------
        ndarray of shape (n, ...)
            Bytes, or floats.

        Raises
        ------
        DataError
            If they cannot be what the network was trained on.
        """
        if isinstance(X, Split):
            return self.encode(X).X
        if self.schema is None:
            return self.network.check_input(X)
        if isinstance(X, str | Path):
            X = read_user_rows(Path(X), self.schema).X
        return self.schema.encode_rows(X)

    def encode(self, rows: tuple[Any, Any]) -> Split:
        """Return a user's rows and labels (X, y), or a `Split` of a data set, as the network takes them."""
        if self.schema is None:
            return rows.encode() if isinstance(rows, Split) else Split(*rows)
        if isinstance(rows, Split) and rows.is_encoded:
            if rows.schema != self.schema:
                raise DataError("rows: they were encoded for another model; give them as they were read")
            return rows
        X, y = rows
        return describe_split(
            self.schema.encode_rows(X), self.schema.target.encode(y), self.schema, is_encoded=True
        )

    def predict(self, X: Any) -> Array:
        """Return the answer for each row: its class as the user wrote it, or numbers in the user's units.

        Parameters
        ----------
        X : array_like, table, path or Split
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
        return self.decode(self.network.outputs(self.encode_rows(X)))

    def decode(self, outputs: Array) -> Array:
        """Return the answers that outputs of the network, of shape (n, d_L), stand for."""
        if self.schema is None:
            return decode(outputs, self.network.n_classes)
        return self.schema.target.answer(outputs)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each of `classes`, or of each label where a row has several.

        Parameters
        ----------
        X : array_like, table, path or Split
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
        return self.network.predict_proba(self.encode_rows(X))

    def score(self, X: Any, y: Any = None) -> float:
        """Return the accuracy, or R2 where numbers are regressed, as scikit-learn's estimators do.

        Parameters
        ----------
        X, y
            See `glassnet.evaluate`: rows and labels, a pair of both, or a Dataset.

        Returns
        -------
        float
            The share of right answers, or the share of the spread of y that is explained.
        """
        found = self.evaluate(X, y)
        return found["r2"] if "r2" in found.measures else found["accuracy"]

    def evaluate(self, X: Any, y: Any = None, *, metrics: Any = None) -> Evaluation:
        """Measure how good the answers are; see `glassnet.evaluate`."""
        if isinstance(X, str | Path) and y is None and self.schema is not None:
            rows = read_user_rows(Path(X), self.schema)
            X = rows.labelled()
        return evaluate(self, X, y, metrics=metrics)
