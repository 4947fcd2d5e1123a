"""What is measured on the validation rows after each epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, NonFiniteError, UsageError
from glassnet.nn.network import Network
from glassnet.training.early_stopping import EarlyStopping
from glassnet.training.metrics import check_metrics, measure, predict_rows

#: Metrics that the history has columns for anyway.
GIVEN = ("loss", "accuracy")

#: How many times the largest training number a validation row must go beyond, to be the cause of an infinite loss.
FAR = 1000.0


class Validation:
    """Evaluates a network on the validation rows, if there are any, as the options of a run ask for.

    What early stopping watches is measured as well. Raises `UsageError` or `DataError` if the rows do not fit the
    network, or a metric cannot be measured on them.
    """

    def __init__(
        self, network: Network, data: Dataset, metrics: Sequence[str], early_stopping: EarlyStopping | None
    ) -> None:
        self.data, rows = data, len(data.validation.y)
        self.possible = rows > 0
        if self.possible:
            network.check_data(*data.encoded.validation)
        if early_stopping is not None:
            early_stopping.check(rows)
        watched = [early_stopping.metric] if early_stopping is not None and early_stopping.metric else []
        self.measured = list(dict.fromkeys([*metrics, *watched]))
        if self.measured and not self.possible:
            raise UsageError(
                "metrics", "are measured on validation rows, and there are none; set some aside with validation"
            )
        for option, names in (("metrics", metrics), ("early_stopping", watched)):
            try:
                check_metrics(network, data.encoded.validation, names, data.schema.target)
            except UsageError as error:
                raise UsageError(option, error.problem) from None

    def evaluate(self, network: Network) -> tuple[float | None, float | None, dict[str, float]]:
        """Return loss, accuracy and the chosen metrics; None and nothing where there are no validation rows.

        `DataError` names a row that is too much for the network because it is far beyond the training rows;
        `NonFiniteError` says that the loss is not finite for another reason.
        """
        if not self.possible:
            return None, None, {}
        try:
            predictions = predict_rows(network, self.data.encoded.validation)
        except NonFiniteError as error:
            if (far := self._find_far_row()) is not None:
                raise DataError(far) from None
            raise error
        found = measure(predictions, self.measured)
        measures = {f"validation_{name}": value for name, value in found.items() if name not in GIVEN}
        return predictions.running.loss, predictions.running.accuracy, measures

    def _find_far_row(self) -> str | None:
        """Say which validation row is far beyond the training rows, and so too much for the network; else None."""
        X, usual = self.data.encoded.validation.X, float(np.abs(self.data.encoded.train.X).max())
        largest = np.abs(X).reshape(len(X), -1).max(axis=1)
        row = int(largest.argmax())
        if not largest[row] > FAR * usual:
            return None
        return (
            f"validation rows: row {row + 1} is too much for the network: its largest number is {largest[row]:g}, "
            f"that of the training rows {usual:g}; look at that row. The network is back at the epoch before"
        )
