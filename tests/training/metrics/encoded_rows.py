"""Rows of a network's own numbers that say what is asked of them, as those of a data set do."""

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.schema import Schema, describe_targets
from glassnet.data.splits import describe_split
from glassnet.data.target_schema import TargetSchema


def target_of(task, width):
    """Return the target of a task without names or units, for a network of so many outputs."""
    count = 2 if task == "binary" else width
    if task == "regression":
        return TargetSchema(task, width=width)
    return describe_targets(task, [str(label) for label in range(count)])


def of_task(split, task, target=None):
    """Return rows (X, y), a network's numbers already, that say their task, or have this target."""
    X, y = split
    if target is None:
        y = np.asarray(y)
        target = target_of(task, y.shape[1] if y.ndim == 2 else max(2, int(y.max(initial=0)) + 1))
        if task == "regression" and y.ndim == 1:
            target = target_of(task, 1)
    return describe_split(X, y, Schema(ArraySchema(np.shape(X)[1:]), target), is_encoded=True)
