"""Area under the ROC curve and accuracy as MedMNIST's evaluator defines them, and its files of scores.

Throughout, `scores` has shape (n, columns): a row per sample, and a column per class or label, or a single one
where a binary network has one output. `y` has shape (n,) or (n, 1), and (n, L) where a sample has L labels.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from glassnet.errors import DataError, FileError, UsageError
from glassnet.nn.activations import Array
from glassnet.runtime.files import write_bytes
from glassnet.training.metrics.formulas import share_correct

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

    A task that is none of `SCORED_TASKS` raises `UsageError`. `DataError` is raised where a label occurs on no row
    or on every row, which leaves its AUC undefined; where y and scores do not fit each other or the task; and
    where a score is NaN or infinite.

    Yang et al. (2023), MedMNIST v2, Scientific Data 10:41, and the evaluator published with it.
    """
    y, scores = check_labels(y, scores, task)
    present, columns = one_against_rest(y, scores, task)
    return float(np.mean([area_under_curve(*pair) for pair in zip(present.T, columns.T, strict=True)]))


def area_under_curve(present: Array, scores: Array) -> float:
    """Return the AUC of one label: of m rows with it, their ranks among all less those among themselves."""
    m = int(present.sum())
    return float(mid_ranks(scores)[present].sum() - m * (m + 1) / 2) / (m * (len(scores) - m))


def mid_ranks(scores: Array) -> Array:
    """Return each score's rank from 1 to n; of tied scores each has the mean of their ranks."""
    order = np.argsort(scores)
    new = np.append(True, scores[order[1:]] != scores[order[:-1]])
    bounds = np.append(np.flatnonzero(new), len(scores))
    ranks = np.empty(len(scores))
    ranks[order] = ((bounds[:-1] + bounds[1:] + 1) / 2)[np.cumsum(new) - 1]
    return ranks


def accuracy(y: Array, scores: Array, task: str) -> float:
    """Return the share of right answers, by probabilities and not by logits.

    binary: 1 where the last column is above 1/2, else 0. multi-label: 0 where a score is below 1/2, else 1, and
    the mean over the labels of each label's accuracy. multi-class, ordinal: the column with the highest score,
    the first of them where several tie.

    So a score of exactly 1/2 counts as 0 in the binary task and as 1 in the multi-label one. MedMNIST's first
    evaluator has it so; a later one has 0 in both. Errors are those of `auc`, except that a label may occur on no
    row or on every row.
    """
    y, scores = check_labels(y, scores, task)
    if task == "binary":
        return share_correct(y == 1, scores[:, -1] > THRESHOLD)
    if task == "multi-label":
        return share_correct(y == 1, scores >= THRESHOLD)  # as many rows for each label: one share does
    return share_correct(y, scores.argmax(axis=1))


def write_scores(folder: Path, name: str, split: str, run: str, scores: Array, measures: dict[str, float]) -> Path:
    """Write the scores of every row into a file as MedMNIST's evaluator does, and return its path.

    The file is ``{name}_{split}_[AUC]{auc:.3f}_[ACC]{accuracy:.3f}@{run}.csv``. A line has the index of a row and
    its scores, each in the fewest digits that read back as the same float64; there is no header. `name` is the
    data set's, such as ``"breastmnist_64"`` of images of 64 x 64. `run` tells runs apart; a sign of it that the
    file's name cannot hold becomes -. `measures` must hold ``"auc"`` and ``"accuracy"``. A missing folder is made.

    A name that cannot be part of the file's raises `UsageError`; rows without AUC, or scores that are no table of
    finite numbers, `DataError`; a file that cannot be written `FileError`.
    """
    if not {"auc", "accuracy"} <= set(measures):
        raise DataError("scores: these rows have no AUC, and the file's name holds it")
    if not name or re.search(r"[/\\@]", name):
        raise UsageError("name", f"{name!r} cannot be part of a file name here; leave out / \\ and @")
    short, run = "val" if split == "validation" else split, re.sub(r"[/\\@]", "-", run)
    file = folder / f"{name}_{short}_[AUC]{measures['auc']:.3f}_[ACC]{measures['accuracy']:.3f}@{run}.csv"
    rows = enumerate(_check_table(scores).tolist())
    text = "".join(f"{index},{','.join(map(repr, row))}\n" for index, row in rows)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(folder, f"cannot be made: {error.strerror}; choose another folder") from None
    write_bytes(file, text.encode())
    return file


def check_labels(y: Array, scores: Array, task: str) -> tuple[Array, Array]:
    """Return labels of shape (n,), multi-label (n, L), and scores that fit each other and the task."""
    if task not in SCORED_TASKS:
        raise UsageError("task", f"{task!r} has no AUC and accuracy; those that have: {', '.join(SCORED_TASKS)}")
    y, scores = np.asarray(y), _check_table(scores)
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


def _check_table(scores: Array) -> Array:
    """Return scores as float64 of shape (n, columns), both at least 1."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 2 or not scores.size:
        raise DataError(f"scores: shape {scores.shape}; give (n, columns), a row per sample and at least one")
    if not np.isfinite(scores).all():
        row, column = np.argwhere(~np.isfinite(scores))[0]
        raise DataError(
            f"scores: {scores[row, column]} in row {row + 1}, column {column + 1}; give finite numbers"
        )
    return scores


def one_against_rest(y: Array, scores: Array, task: str) -> tuple[Array, Array]:
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
