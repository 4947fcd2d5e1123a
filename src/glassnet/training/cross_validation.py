"""Cross-validation: every row is predicted by a network that has not learned from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.data.arrays import as_dataset, as_split, is_table
from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, UsageError, unknown_name
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.runtime.seeds import stream
from glassnet.training.fit import asked_of, refuse_classes, refuse_numbers
from glassnet.training.many import Runs, fit_many
from glassnet.training.metrics import METRICS, check_metrics

#: What belongs to all folds at once, and not to `glassnet.fit_many`.
GIVEN = ("validation_data", "sample_weight")


@dataclass(frozen=True, repr=False)
class CrossValidation:
    """What `cross_validate` returns.

    Attributes
    ----------
    measure : str
        What was measured: ``"accuracy"``, ``"r2"``, or the metric that was asked for.
    scores : ndarray of shape (repeats, folds)
        It, on the rows of each fold; NaN where the network's loss became NaN or infinite.
    runs : Runs
        The runs, fold by fold of the first repeat, then of the next.

    Examples
    --------
    >>> from glassnet.training.many import Runs
    >>> CrossValidation("accuracy", np.array([[0.5, 1.0]]), Runs())
    CrossValidation(accuracy 0.7500 +- 0.2500, 1 x 2 folds)
    """

    measure: str
    scores: Array
    runs: Runs

    @property
    def mean(self) -> float:
        """The mean over all folds and repeats."""
        return float(self.scores.mean())

    @property
    def std(self) -> float:
        """The standard deviation over all folds and repeats.

        It is no standard error of the mean: the folds' networks have learned from mostly the same rows.
        """
        return float(self.scores.std())

    def __repr__(self) -> str:
        repeats, folds = self.scores.shape
        return f"CrossValidation({self.measure} {self.mean:.4f} +- {self.std:.4f}, {repeats} x {folds} folds)"


def cross_validate(
    network: Network,
    X: Any,
    y: Any = None,
    *,
    folds: int = 5,
    repeats: int = 1,
    metric: str | None = None,
    seed: int = 0,
    progress: bool = True,
    **options: Any,
) -> CrossValidation:
    """Train copies of a network, each without the rows of one fold, and measure each on those rows.

    The rows are cut into folds that have every class in proportion (Stone 1974; Kohavi 1995 for folds by class).
    Each copy begins with the network's parameters, learns what its rows mean from its training rows alone, and is
    trained by `glassnet.fit_many`. No rows are drawn for validation. The network itself stays as it is.

    Parameters
    ----------
    network : Network
        What is trained.
    X, y : array_like or table, and labels or numbers
        All rows, as `glassnet.fit` takes them.
    folds : int, default 5
        Number of folds, 2 or more.
    repeats : int, default 1
        How many times all rows are cut into folds anew.
    metric : str, optional
        What to measure, one of ``glassnet.evaluate``'s. Default: the accuracy, or r2 of numbers.
    seed : int, default 0
        Decides the folds. The order of rows in training, and dropout, are decided by it and the fold's number.
    progress : bool, default True
        Show on stderr how many networks have been trained.
    **options
        Those of `glassnet.fit_many`.

    Returns
    -------
    CrossValidation
        The scores of all folds, and the runs.

    Raises
    ------
    UsageError, DataError
        As `glassnet.fit_many` raises them, or if there are fewer rows than folds, or a fold whose rows cannot be
        measured: r2 takes two rows or more. Nothing has been trained then.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> found = cross_validate(
    ...     Network([4, 16, 3]), *load_iris(return_X_y=True), learning_rate=0.01, epochs=60, progress=False
    ... )
    >>> found.scores.shape, found.mean > 0.9
    ((1, 5), True)
    """
    if not isinstance(network, Network):
        raise UsageError("network", f"expected a Network, got {type(network).__name__}; scikit-learn's "
                         "cross_val_score takes glassnet's estimators")  # fmt: skip
    if metric is not None and metric not in METRICS:
        raise unknown_name("metric", str(metric), METRICS)
    for name in GIVEN:
        if name in options:
            raise UsageError(name, "cross_validate takes all rows alike; leave it out")
    for name, value, least in (("folds", folds, 2), ("repeats", repeats, 1)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise UsageError(name, f"takes a whole number, {least} or more, got {value!r}")
    rows = as_split(X, y)
    if len(rows.y) < folds:
        raise UsageError("folds", f"{folds} are more than the {len(rows.y)} rows; take fewer")
    held_out = draw_folds(np.asarray(rows.y), folds, repeats, seed)
    datasets = []
    for out in held_out:
        learned = np.setdiff1d(np.arange(len(rows.y)), out)
        datasets.append(
            as_dataset(take_rows(rows.X, learned), rows.y[learned], asked=asked_of(network), validation=0)
        )
    measure = metric or ("r2" if datasets[0].task == "regression" else "accuracy")
    for number, (data, out) in enumerate(zip(datasets, held_out, strict=True)):
        _check_fold(network, data, rows.y[out], measure, number % folds + 1)
    seeds = [seed + number for number in range(len(datasets))]
    runs = fit_many([network.copy() for _ in datasets], datasets, seed=seeds, progress=progress, **options)
    scores = [
        np.nan if number in runs.errors else float(
            run.model.evaluate(take_rows(rows.X, out), rows.y[out], metrics=[measure])[measure]
        )
        for number, (run, out) in enumerate(zip(runs, held_out, strict=True))
    ]  # fmt: skip
    return CrossValidation(measure, np.reshape(scores, (repeats, folds)), runs)


def _check_fold(network: Network, data: Dataset, y: Array, measure: str, fold: int) -> None:
    """Refuse a fold that cannot be measured, before hours are spent on training."""
    refuse_numbers(network, data)
    refuse_classes(network, data)
    target = data.schema.target
    try:
        check_metrics(network, (None, target.encode(y)), [measure], target)
    except UsageError as error:
        raise UsageError("metric", error.problem) from None
    except DataError as error:
        raise DataError(f"fold {fold}: {error}, or take fewer folds") from None


def draw_folds(y: Array, folds: int, repeats: int, seed: int) -> list[Array]:
    """Return the rows of each fold, repeat by repeat: every row is in one fold of each repeat.

    The rows are shuffled and sorted by label, and dealt to the folds in turn; so a fold has of each class its
    share, to within one row, and of numbers as many large as small ones.

    >>> [fold.tolist() for fold in draw_folds(np.array([0, 0, 1, 1]), 2, 1, seed=0)]
    [[0, 3], [1, 2]]
    """
    rng, found = stream(seed, "split"), []
    for _ in range(repeats):
        order = rng.permutation(len(y))
        if y.ndim == 1:  # several numbers a row have no order
            order = order[np.argsort(y[order], kind="stable")]
        found += [np.sort(order[fold::folds]) for fold in range(folds)]
    return found


def take_rows(X: Any, rows: Array | Sequence[int]) -> Any:
    """Return some rows of an array, or of a table of pandas, Polars or pyarrow."""
    if not is_table(X):
        return X[rows]
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    return X.take(rows) if hasattr(X, "column_names") else X[rows]
