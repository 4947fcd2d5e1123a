"""The first images of every class, as one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassnet.charts.painting import chart_fonts, plain
from glassnet.charts.pictures import flat_image, flat_shape
from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, UsageError
from glassnet.locales.catalogue import Words
from glassnet.report.images import full_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


#: More pictures in a row are too small to see anything.
MOST_PER_CLASS = 100

#: Rows whose largest number is looked for, of pictures that are no bytes.
MOST_SCALED = 1000


def sample_grid(data: Dataset, per_class: int = 10, words: Words | None = None) -> Figure:
    """Draw the first training images of every class, a row of pictures a class, beside the class's name.

    The data's 0 is white. A class with fewer than `per_class` images leaves the rest of its row empty. Raises
    DataError if the rows are not images or have no classes, UsageError for `per_class` outside 1 to
    `MOST_PER_CLASS`.
    """
    from matplotlib.figure import Figure

    if data.image_shape is None or data.class_names is None:
        raise DataError(f"{data.name}: holds no images with classes that could be shown")
    if not 1 <= per_class <= MOST_PER_CLASS:
        raise UsageError("per_class", f"must be a whole number from 1 to {MOST_PER_CLASS}, got {per_class}")
    colours = data.image_shape[2:] if data.image_shape[2:] == (3,) else ()
    height, width = flat_shape(data.image_shape)
    gap, n_classes = 2, len(data.class_names)
    shape = n_classes * (height + gap) - gap, per_class * (width + gap) - gap, *colours
    labels = data.encoded.train.y
    # Bare paper is 0 in grey. In colour it is 1: matplotlib takes shares of 1, or bytes.
    full = full_of(data.train.X[:MOST_SCALED], data.schema) if colours else 1
    sheet = np.full(shape, 1.0) if colours else np.zeros(shape, data.train.X.dtype)
    for label in range(n_classes):
        for column, row in enumerate(data.train.X[np.flatnonzero(labels == label)[:per_class]]):
            top, left = label * (height + gap), column * (width + gap)
            image = flat_image(row, data.image_shape)
            sheet[top : top + height, left : left + width] = np.clip(image / full, 0, 1) if colours else image

    inches = 0.55
    figure = Figure(figsize=(per_class * inches + 1.6, n_classes * inches + 0.5), layout="constrained")
    with chart_fonts():
        axes = figure.add_subplot()
        axes.imshow(sheet, cmap="gray_r", interpolation="nearest")
        axes.set_yticks(np.arange(n_classes) * (height + gap) + height / 2, list(map(plain, data.class_names)))
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        shown = {"name": data.name, "n": len(data.train.y), "height": height, "width": width}
        axes.set_title(plain((words or Words("en")).say("sample_grid", **shown)), fontsize=10)
    return figure
