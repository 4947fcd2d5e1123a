"""Area under the ROC curve and accuracy as MedMNIST's evaluator defines them, with their intervals.

Throughout, `scores` has shape (n, columns): a row per sample, and a column per class or label, or a single one
where a binary network has one output. `y` has shape (n,) or (n, 1), and (n, L) where a sample has L labels.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array

#: The tasks that have an AUC and an accuracy.
SCORED_TASKS = ("multi-class", "binary", "multi-label", "ordinal")

#: Where a score turns from 0 into 1.
THRESHOLD = 0.5


def auc(y: Array, scores: Array, task: str) -> float:
    """Return the area under the ROC curve: the chance that a row with the label outscores one without it.

    For one label, over all pairs of a row i with it and a row j without it::

        AUC = mean of psi(s_i, s_j),   psi = 1 if s_i > s_j, 1/2 if s_i = s_j, 0 otherwise

    binary: that of label 1 by the last column. multi-label: the unweighted mean over the labels, each by its
    column. multi-class, ordinal: the unweighted mean over the columns, the column's class against the rest.

    Parameters
    ----------
    y : ndarray of shape (n,) or (n, 1); multi-label: (n, L)
        The labels: 0 and 1 in the binary and multi-label tasks, otherwise the number of a column.
    scores : ndarray of shape (n, columns)
        Only their order within a column counts. Binary: one column or two; multi-label: L.
    task : str
        One of `SCORED_TASKS`.

    Returns
    -------
    float
        From 0 to 1; 1/2 for scores that say nothing.

    Raises
    ------
    UsageError
        If the task has no AUC.
    DataError
        If a label occurs on no row or on every row, which leaves its AUC undefined; if y and scores do not fit
        each other or the task; or if a score is NaN or infinite.

    References
    ----------
    Yang et al. (2023), MedMNIST v2, Scientific Data 10:41, and the evaluator published with it.

    Examples
    --------
    >>> auc(np.array([0, 0, 1, 1]), np.array([[0.1], [0.4], [0.35], [0.8]]), "binary")  # 3 of 4 pairs
    0.75
    """
    from sklearn.metrics import roc_auc_score

    y, scores = _check(y, scores, task)
    present, columns = _one_against_rest(y, scores, task)
    return float(np.mean([roc_auc_score(*pair) for pair in zip(present.T, columns.T, strict=True)]))


def accuracy(y: Array, scores: Array, task: str) -> float:
    """Return the share of right answers.

    binary: 1 where the last column is above 1/2, else 0. multi-label: 0 where a score is below 1/2, else 1, and
    the mean over the labels of each label's accuracy. multi-class, ordinal: the column with the highest score,
    the first of them where several tie.

    So a score of exactly 1/2 counts as 0 in the binary task and as 1 in the multi-label one. MedMNIST's first
    evaluator has it so; a later one has 0 in both.

    Parameters
    ----------
    y, scores, task
        As for `auc`. Binary and multi-label scores are compared with 1/2: probabilities, not logits.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    UsageError, DataError
        As for `auc`, except that a label may occur on no row or on every row.

    References
    ----------
    As for `auc`.

    Examples
    --------
    >>> half = np.array([[0.5], [0.5], [0.9]])
    >>> y = np.array([[0], [0], [1]])
    >>> accuracy(y, half, "binary"), round(accuracy(y, half, "multi-label"), 3)
    (1.0, 0.333)
    """
    y, scores = _check(y, scores, task)
    if task == "binary":
        return float(np.mean(_positive(scores) == (y == 1)))
    if task == "multi-label":
        return float(np.mean((scores >= THRESHOLD) == (y == 1)))  # as many rows for each label: one mean does
    return float(np.mean(scores.argmax(axis=1) == y))


def interval(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of a share of k successes in n independent trials.

    The shares p that lie within z standard errors of k / n, the error being that of p itself::

        |k/n - p| <= z sqrt(p (1 - p) / n)

        p = (k + z²/2  -+  z sqrt(k (n - k) / n + z²/4)) / (n + z²),   z = Phi^-1((1 + confidence) / 2)

    Unlike k/n -+ z sqrt(k (n - k) / n³) it stays within [0, 1] and has a width at k = 0 and k = n.

    Parameters
    ----------
    successes, n : int
        0 <= k <= n, n >= 1.
    confidence : float
        In (0, 1).

    Returns
    -------
    low, high : float

    Raises
    ------
    UsageError
        If an argument is outside its range.

    References
    ----------
    E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference, Journal of the
    American Statistical Association 22, 209-212.

    Examples
    --------
    >>> [round(end, 4) for end in interval(5, 10)]
    [0.2366, 0.7634]
    """
    z = _quantile(confidence)
    if n < 1:
        raise UsageError("n", f"{n} trials; a share needs at least one")
    if not 0 <= successes <= n:
        raise UsageError("successes", f"{successes} of {n} trials; give a number from 0 to {n}")
    middle = (successes + z**2 / 2) / (n + z**2)
    reach = z * math.sqrt(successes * (n - successes) / n + z**2 / 4) / (n + z**2)
    # The ends 0 and 1 are exact; rounding would put them beside it.
    return middle - reach if successes else 0.0, middle + reach if successes < n else 1.0


def auc_interval(y: Array, scores: Array, confidence: float = 0.95) -> tuple[float, float]:
    """Return an interval of the binary AUC A, from DeLong's variance on the logit scale.

    With m rows i of label 1 and n rows j of label 0, and psi as for `auc`::

        V10_i = mean over j of psi(s_i, s_j)    V01_j = mean over i of psi(s_i, s_j)    A = mean of V10 = of V01
        var A = var V10 / m + var V01 / n       each with its divisor m - 1 or n - 1

    V10 and V01 come from mid-ranks: psi summed over j is the rank of s_i among all scores less its rank among
    those of label 1. The ends are where::

        logit p = logit A -+ z sqrt(var A) / (A (1 - A)),   logit p = log(p / (1 - p))

    The logit scale keeps the ends within (0, 1), and lets the interval lean towards 1/2 as the AUC's distribution
    does. A -+ z sqrt(var A), clipped, covers too seldom where A is near 1 and the rows are few: of 4,000 simulated
    95 % intervals at A = 0.9, m = n = 15 (normal scores) it held A in 87 %, this one in 95 %; at A = 0.97, m = 114
    and n = 42 in 87 % and 93 %.

    Parameters
    ----------
    y, scores
        As for `auc` in the binary task.
    confidence : float
        In (0, 1).

    Returns
    -------
    low, high : float

    Raises
    ------
    UsageError
        If the confidence is outside its range.
    DataError
        As for `auc`; and if there are fewer than two rows of either label, which have no variance.

    Notes
    -----
    Where the scores separate the labels, or are all the same, var A is 0 and both ends are A. That is no sign of
    certainty: such rows hold no measure of the error.

    References
    ----------
    E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson (1988), Comparing the areas under two or more correlated
    receiver operating characteristic curves: a nonparametric approach, Biometrics 44, 837-845.

    Examples
    --------
    >>> ends = auc_interval(np.array([1, 1, 1, 0, 0]), np.array([[0.9], [0.6], [0.4], [0.6], [0.2]]))
    >>> [round(end, 4) for end in ends]  # A = 0.75, var A = 1/12
    [0.128, 0.984]
    """
    z = _quantile(confidence)
    y, scores = _check(y, scores, "binary")
    _one_against_rest(y, scores, "binary")
    positive, negative = scores[y == 1, -1], scores[y == 0, -1]
    if min(len(positive), len(negative)) < 2:
        raise DataError("y: the variance of an AUC needs at least two rows with label 1 and two with label 0")
    above, below = _placements(positive, negative)
    area = float(above.mean())
    variance = float(above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below))
    if not 0 < area < 1:
        return area, area
    middle, reach = math.log(area / (1 - area)), z * math.sqrt(variance) / (area * (1 - area))
    return _logistic(middle - reach), _logistic(middle + reach)


class Share(NamedTuple):
    """A share of rows and its Wilson interval.

    Attributes
    ----------
    value : float or None
        None where there is no row to take a share of; the interval is then (0, 1).
    low, high : float
        See `interval`.
    """

    value: float | None
    low: float
    high: float


class BinaryScores(NamedTuple):
    """How well label 1 is told from label 0.

    Attributes
    ----------
    true_positives, false_negatives : int
        Rows with label 1 that were called 1, and 0.
    false_positives, true_negatives : int
        Rows with label 0 that were called 1, and 0.
    sensitivity : Share
        TP / (TP + FN): of the rows with label 1, those called 1.
    specificity : Share
        TN / (TN + FP): of the rows with label 0, those called 0.
    precision : Share
        TP / (TP + FP): of the rows called 1, those with label 1. It moves with the share of label 1 in the rows.
    """

    true_positives: int
    false_negatives: int
    false_positives: int
    true_negatives: int
    sensitivity: Share
    specificity: Share
    precision: Share


def binary_scores(y: Array, scores: Array, confidence: float = 0.95) -> BinaryScores:
    """Return the counts of a binary task, and the shares they give: called 1 where the last column is above 1/2.

    Parameters
    ----------
    y, scores
        As for `accuracy` in the binary task.
    confidence : float
        That of the intervals, in (0, 1).

    Returns
    -------
    BinaryScores

    Raises
    ------
    UsageError
        If the confidence is outside its range.
    DataError
        As for `accuracy`.

    Examples
    --------
    >>> result = binary_scores(np.array([1, 1, 0, 0]), np.array([[0.9], [0.3], [0.5], [0.1]]))
    >>> result[:4], result.sensitivity.value, result.specificity.value, result.precision.value
    ((1, 1, 0, 2), 0.5, 1.0, 1.0)
    """
    y, scores = _check(y, scores, "binary")
    tn, fp, fn, tp = np.bincount(2 * y + _positive(scores), minlength=4).tolist()
    return BinaryScores(
        true_positives=tp,
        false_negatives=fn,
        false_positives=fp,
        true_negatives=tn,
        sensitivity=_share(tp, tp + fn, confidence),
        specificity=_share(tn, tn + fp, confidence),
        precision=_share(tp, tp + fp, confidence),
    )


def result_file_name(name: str, split: str, auc: float, acc: float, size: int = 28, run: str = "glassnet") -> str:
    """Return the name that MedMNIST's evaluator gives, and expects of, a file of scores.

    Parameters
    ----------
    name : str
        The data set, for example ``"breastmnist"``.
    split : str
        ``"train"``, ``"val"`` or ``"test"``.
    auc, acc : float
        From 0 to 1, written with three digits.
    size : int
        Height and width of the images; left out of the name where it is 28.
    run : str
        Tells runs apart.

    Returns
    -------
    str
        ``{name}{_size}_{split}_[AUC]{auc:.3f}_[ACC]{acc:.3f}@{run}.csv``

    Raises
    ------
    UsageError
        If an argument cannot be part of such a name.

    Examples
    --------
    >>> result_file_name("breastmnist", "test", 0.9008, 0.8629, run="seed1")
    'breastmnist_test_[AUC]0.901_[ACC]0.863@seed1.csv'
    >>> result_file_name("breastmnist", "test", 0.9008, 0.8629, size=64)
    'breastmnist_64_test_[AUC]0.901_[ACC]0.863@glassnet.csv'
    """
    for parameter, text in (("name", name), ("run", run)):
        if not text or any(sign in text for sign in "/\\@"):
            raise UsageError(parameter, f"{text!r} cannot be part of a file name here; leave out / \\ and @")
    if split not in ("train", "val", "test"):
        raise UsageError("split", f"unknown split {split!r}; MedMNIST has train, val and test")
    for parameter, value in (("auc", auc), ("acc", acc)):
        if not 0 <= value <= 1:
            raise UsageError(parameter, f"{value} is no share; give a number from 0 to 1")
    if size < 1:
        raise UsageError("size", f"{size} is no size of an image; MedMNIST has 28, 64, 128 and 224")
    pixels = "" if size == 28 else f"_{size}"
    return f"{name}{pixels}_{split}_[AUC]{auc:.3f}_[ACC]{acc:.3f}@{run}.csv"


def result_rows(scores: Array) -> str:
    """Return scores as the text of a MedMNIST result file: a line per sample, its index and its scores, no header.

    Parameters
    ----------
    scores : ndarray of shape (n, columns)

    Returns
    -------
    str
        Each number in the fewest digits that read back as the same float64.

    Raises
    ------
    DataError
        If the scores are no such table, or one is NaN or infinite.

    Examples
    --------
    >>> print(result_rows(np.array([[0.25, 0.75], [0.9, 0.1]])), end="")
    0,0.25,0.75
    1,0.9,0.1
    """
    rows = _check_scores(scores).tolist()
    return "".join(f"{index},{','.join(map(repr, row))}\n" for index, row in enumerate(rows))


def _check_scores(scores: Array) -> Array:
    """Return scores as float64 of shape (n, columns), both at least 1."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 2 or not scores.size:
        raise DataError(f"scores: shape {scores.shape}; give (n, columns), a row per sample and at least one")
    if not np.isfinite(scores).all():
        row, column = np.argwhere(~np.isfinite(scores))[0]
        raise DataError(f"scores: {scores[row, column]} in row {row}, column {column}; give finite numbers")
    return scores


def _check(y: Array, scores: Array, task: str) -> tuple[Array, Array]:
    """Return labels of shape (n,), multi-label (n, L), and scores that fit each other and the task."""
    if task not in SCORED_TASKS:
        raise UsageError("task", f"{task!r} has no AUC and accuracy; those that have: {', '.join(SCORED_TASKS)}")
    y, scores = np.asarray(y), _check_scores(scores)
    n, columns = scores.shape
    if task == "binary" and columns > 2:
        raise DataError(f"scores: {columns} columns; a binary task has one, or two: label 0 and label 1")
    if task in ("multi-class", "ordinal") and columns < 2:
        raise DataError(f"scores: one column; the {task} task has one for each class")
    if task != "multi-label" and y.shape == (n, 1):
        y = y[:, 0]
    expected = (n, columns) if task == "multi-label" else (n,)
    if y.shape != expected:
        raise DataError(f"y: shape {y.shape}, scores: shape {scores.shape}; the {task} task needs y of {expected}")
    labels = 2 if task in ("binary", "multi-label") else columns
    known = np.isin(y, np.arange(labels))
    if not known.all():
        raise DataError(f"y: the label {y[~known][0]} is none of 0 to {labels - 1}")
    return y.astype(np.int64), scores


def _one_against_rest(y: Array, scores: Array, task: str) -> tuple[Array, Array]:
    """Return for each AUC of the task which rows have its label, and their scores: a column each."""
    if task == "binary":
        present, columns, names = (y == 1)[:, None], scores[:, -1:], ["label 1"]
    elif task == "multi-label":
        present, columns, names = y == 1, scores, [f"label {label}" for label in range(y.shape[1])]
    else:
        classes = np.arange(scores.shape[1])
        present, columns, names = y[:, None] == classes, scores, [f"class {label}" for label in classes]
    for name, rows in zip(names, present.sum(axis=0), strict=True):
        if rows in (0, len(y)):
            where = "on every row" if rows else "on no row"
            raise DataError(f"y: {name} occurs {where}; its AUC needs rows with and without it")
    return present, columns


def _positive(scores: Array) -> Array:
    """Return which rows a binary task calls 1."""
    return scores[:, -1] > THRESHOLD


def _quantile(confidence: float) -> float:
    """Return z: a standard normal number lies within -z and z with this probability."""
    if not 0 < confidence < 1:
        raise UsageError(
            "confidence", f"{confidence} is no confidence; give a number between 0 and 1, such as 0.95"
        )
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _share(part: int, whole: int, confidence: float) -> Share:
    """Return part / whole with its interval."""
    return Share(part / whole, *interval(part, whole, confidence)) if whole else Share(None, 0.0, 1.0)


def _mid_ranks(values: Array) -> Array:
    """Return the rank of each value from 1, ties at the mean of the ranks that they fill."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[which]


def _placements(positive: Array, negative: Array) -> tuple[Array, Array]:
    """Return V10 and V01: what share of the other label's scores each lies above, and below, a tie being half."""
    ranks = _mid_ranks(np.concatenate([positive, negative]))
    m, n = len(positive), len(negative)
    return (ranks[:m] - _mid_ranks(positive)) / n, 1 - (ranks[m:] - _mid_ranks(negative)) / m


def _logistic(x: float) -> float:
    """Return 1 / (1 + exp(-x)), without overflow."""
    return (1 + math.tanh(x / 2)) / 2
