"""How good a network is at its task: the measures that go with the task, over one run and over several."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glassnet.data.dataset import Split
from glassnet.errors import DataError, FileError
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.runtime.files import write_bytes
from glassnet.training.metrics import evaluate
from glassnet.training.scores import (
    accuracy,
    auc,
    auc_interval,
    binary_scores,
    interval,
    result_file_name,
    result_rows,
)

if TYPE_CHECKING:
    from glassnet.data.columns import TableEncoder

#: The confidence of all intervals.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Assessment:
    """What `assess` measured.

    Attributes
    ----------
    rows : int
        Rows that were judged.
    loss : float
        The network's own loss on them.
    measures : dict of str to float
        binary: auc, accuracy, sensitivity, specificity; multi-class, ordinal and multi-label: auc, accuracy;
        regression: r2, mae (the mean absolute error). One that is not defined on these rows is left out.
    intervals : dict of str to (float, float)
        95 % intervals that say how far chance in the choice of these rows could have moved a measure.
    """

    rows: int
    loss: float
    measures: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)


def assess(network: Network, split: Split, task: str, encoder: TableEncoder | None = None) -> Assessment:
    """Measure a network on rows X and their labels or numbers y, as its task asks for.

    Parameters
    ----------
    network : Network
        Left as it is.
    split : Split, or any pair (X, y)
        For example ``data.test``.
    task : str
        One of `glassnet.data.dataset.TASKS`.
    encoder : TableEncoder, optional
        Of a table: the mean absolute error is then in the target's own units.

    Raises
    ------
    DataError, NonFiniteError
        See `evaluate`.

    Examples
    --------
    >>> network = Network([2, 1], loss="binary_cross_entropy", initializer=np.array([1.0, -1.0, 0.0]))
    >>> found = assess(network, Split(np.eye(2), np.array([1, 0])), "binary")
    >>> found.measures["auc"], found.measures["sensitivity"]
    (1.0, 1.0)
    """
    X, y = split[0], np.asarray(split[1])
    plain = evaluate(network, Split(X, y))
    if task == "regression":
        predictions = network.outputs(X).astype(np.float64)
        truth = y.reshape(predictions.shape)
        if encoder is not None:
            predictions, truth = (encoder.decode_target(values[:, 0]) for values in (predictions, truth))
        errors = np.abs(predictions - truth)
        measures = {"r2": network.score(X, y), "mae": float(errors.mean())}
        return Assessment(plain.rows, plain.loss, measures)
    if network.loss.output is None:  # it regresses the class number, and gives no scores
        return Assessment(plain.rows, plain.loss, {} if plain.accuracy is None else {"accuracy": plain.accuracy})
    return _with_scores(network, X, y, task, plain.rows, plain.loss)


def _with_scores(network: Network, X: Array, y: Array, task: str, rows: int, loss: float) -> Assessment:
    scores = network.outputs(X)
    found = Assessment(rows, loss)
    binary = task == "binary"
    try:
        found.measures["auc"] = auc(y, scores, task)
        low, high = auc_interval(y, scores) if binary else (0.0, 0.0)
        if low < high:  # perfect scores hold no measure of their own error
            found.intervals["auc"] = low, high
    except DataError:  # a class without rows, or with all of them
        pass
    share = accuracy(y, scores, task)
    found.measures["accuracy"] = share
    if task != "multi-label":
        found.intervals["accuracy"] = interval(round(share * rows), rows)
    if binary:
        both = binary_scores(y, scores)
        for name, one in (("sensitivity", both.sensitivity), ("specificity", both.specificity)):
            if one.value is not None:
                found.measures[name], found.intervals[name] = one.value, (one.low, one.high)
    return found


def write_scores(folder: Path, name: str, split: str, run: str, scores: Array, measures: dict[str, float]) -> Path:
    """Write the scores of every row into a file, named as MedMNIST's evaluator does; return its path.

    Raises
    ------
    DataError
        If the rows have no AUC and accuracy to be named by.
    FileError
        If it cannot be written.
    """
    if not {"auc", "accuracy"} <= set(measures):
        raise DataError("scores: these rows have no AUC, and the file's name holds it")
    file = folder / result_file_name(  # the name of a set ends in its size already
        name,
        "val" if split == "validation" else split,
        measures["auc"],
        measures["accuracy"],
        run=re.sub(r"[/\\@]", "-", run),
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(folder, f"cannot be made: {error.strerror}; choose another folder") from None
    write_bytes(file, result_rows(scores).encode())
    return file


@dataclass(frozen=True)
class Spread:
    """A measure over several runs that differ in their seed.

    Attributes
    ----------
    mean, deviation : float
        Over the runs; the deviation is that of a sample, NaN for a single run.
    low, high : float
        95 % interval of the mean by Student's t: how far chance in the seeds could have moved it.
    """

    mean: float
    deviation: float
    low: float
    high: float


def spreads(assessments: Sequence[Assessment]) -> dict[str, Spread]:
    """Return mean and spread of every measure that all runs have.

    Examples
    --------
    >>> runs = [Assessment(10, 0.1, {"accuracy": share}) for share in (0.7, 0.8, 0.9)]
    >>> found = spreads(runs)["accuracy"]
    >>> round(found.mean, 3), round(found.deviation, 3), round(found.low, 3)
    (0.8, 0.1, 0.552)
    """
    from scipy.stats import t

    found = {}
    n = len(assessments)
    for name in assessments[0].measures:
        if not all(name in assessment.measures for assessment in assessments):
            continue
        values = [assessment.measures[name] for assessment in assessments]
        mean = statistics.fmean(values)
        deviation = statistics.stdev(values) if n > 1 else math.nan
        reach = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * deviation / math.sqrt(n) if n > 1 else math.nan
        found[name] = Spread(mean, deviation, mean - reach, mean + reach)
    return found
