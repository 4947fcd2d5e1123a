"""The data that a run learned from, as a part of a page."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from glassnet.charts.bars import Bar, BarChart, histogram
from glassnet.charts.pictures import picture_of
from glassnet.data.dataset import Dataset
from glassnet.data.remarks import Remark, say
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array
from glassnet.report.column_table import column_table
from glassnet.report.images import full_of
from glassnet.report.run_curves import show

#: Classes that have bars and pictures, and pictures of each.
MOST_CLASSES, PER_CLASS = 20, 5


def show_data(data: Dataset, words: Words) -> SimpleNamespace:
    """Describe rows, columns, target, and what was noticed of them; of pictures show some of each class."""
    sizes = {name: len(split.y) for name, split in data.splits.items()}
    target, samples, n = _draw_target(data, words), _sample(data), data.n_classes or 0
    return SimpleNamespace(
        notes=[words.say("data_rows", **sizes)],
        drawing=None if target is None else show(target, words),
        columns=column_table(data, words),
        samples=samples,
        samples_note=words.say("classes_listed", shown=len(samples), n=n) if len(samples) < n else "",
        remarks=[(say(one, words), not isinstance(one, Remark)) for one in data.remarks],
    )


def _draw_target(data: Dataset, words: Words) -> BarChart | None:
    """Return how the training rows are spread over the classes, the labels, or the numbers of the target."""
    y, names = data.train.y, data.class_names
    if names is not None:
        labels = data.encoded.train.y
        counts = labels.sum(axis=0) if labels.ndim == 2 else np.bincount(labels, minlength=len(names))
        return _count("target_classes", names, counts, words)
    target_names = data.target_names or ("",) * (y.shape[1] if y.ndim == 2 else 1)
    if data.task == "multi-label":
        names = tuple(name or str(place) for place, name in enumerate(target_names))
        return _count("target_labels", names, data.encoded.train.y.sum(axis=0), words)
    values = np.asarray(y, np.float64).reshape(len(y), -1)[:, 0]
    title = words.say("target_numbers", name=target_names[0] or words.say("the_target"))
    return histogram("target", title, values, words, tuple(np.quantile(values, [0.005, 0.995]).tolist()))


def _count(title: str, names: tuple[str, ...], counts: Array, words: Words) -> BarChart:
    bars = [Bar(name, float(count)) for name, count in zip(names, counts, strict=True)]
    note = ""
    if len(bars) > MOST_CLASSES:
        note = words.say("classes_drawn", shown=MOST_CLASSES, n=len(bars))
        bars = sorted(bars, key=lambda bar: -bar.value)[:MOST_CLASSES]
    return BarChart("target", words.say(title), words.say("rows"), bars, note)


def _sample(data: Dataset) -> list[tuple[str, int, list[str]]]:
    """Return of each class its name, its training rows, and its first pictures."""
    labels = data.encoded.train.y
    if data.image_shape is None or data.class_names is None or labels.ndim > 1:
        return []
    found = []
    for label, name in enumerate(data.class_names[:MOST_CLASSES]):
        rows = np.flatnonzero(labels == label)
        images = data.train.X[rows[:PER_CLASS]]
        full = full_of(images, data.schema)
        found.append((name, len(rows), [picture_of(image, data.image_shape, full) for image in images]))
    return found
