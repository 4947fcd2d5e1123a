"""The labels of the rows that an audit looks at: counted, compared, and called by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from glassnet.data.audit_findings import Place
from glassnet.data.target_schema import TargetSchema
from glassnet.nn.activations import Array

#: What returns the label of a place, or its numbers.
LabelAt = Callable[[Place], Any]


def place_groups(
    groups: list[tuple[Place, ...]], locate: Callable[[str, int], Place], label_at: LabelAt
) -> tuple[list[tuple[Place, ...]], Mapping[Place, Any]]:
    """Return groups of rows of splits as places that a user knows, and the label of each."""
    placed = {place: locate(place.split, place.row) for group in groups for place in group}
    labels = {known: label_at(place) for place, known in placed.items()}
    return [tuple(placed[place] for place in group) for group in groups], labels


def count_class_rows(target: TargetSchema | None, labels: dict[str, Array]) -> dict[str, dict[str, int]]:
    """Return each class, or label of a multi-label set, with its rows in every split."""
    if target is None or target.task == "regression":
        return {}
    if target.task == "multi-label":
        names = target.names or tuple(map(str, range(labels["train"].shape[1])))
        return {
            name: {split: int(np.count_nonzero(y[:, column])) for split, y in labels.items()}
            for column, name in enumerate(names)
        }
    hard = {split: _harden(y) for split, y in labels.items()}
    return {
        name: {split: int(np.count_nonzero(y == label)) for split, y in hard.items()}
        for label, name in enumerate(target.class_names)
    }


def find_contradictions(
    groups: list[tuple[Place, ...]], target: TargetSchema | None, labels: Mapping[Place, Any]
) -> list[tuple[Place, ...]]:
    """Return the groups of equal rows whose labels differ; the numbers of a regression may."""
    if target is None or target.task == "regression":
        return []
    return [group for group in groups if any(np.any(labels[place] != labels[group[0]]) for place in group[1:])]


def name_label(target: TargetSchema | None, label: Any) -> str:
    """Return the class of a row in brackets; nothing where it has several labels, or numbers."""
    if target is None or not target.class_names or np.ndim(label):
        return ""
    return f" ({target.class_names[int(label)]})"


def name_targets(target: TargetSchema, labels: dict[str, Array]) -> tuple[dict[str, Array], list[str]]:
    """Return labels or numbers by split in the shape (n, q), and the names of q targets that need one."""
    hard = {
        split: y if target.task in ("regression", "multi-label") else _harden(y) for split, y in labels.items()
    }
    wide = {split: y.reshape(len(y), -1) for split, y in hard.items()}
    q = wide["train"].shape[1]
    names: Sequence[str] = target.names if len(target.names) == q > 1 else [f"y[:, {i}]" for i in range(q)]
    return wide, list(names) if q > 1 else [""]


def _harden(y: Array) -> Array:
    """Return labels; of rows of shares, the largest."""
    return y.argmax(axis=1) if y.ndim == 2 else y
