"""Answers as one picture: each row's image, what it is, and how likely the network holds which classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glassnet.charts.painting import FAINT, INK, SERIES, name_axes, plain
from glassnet.charts.pictures import flat_image
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array
from glassnet.report.error_analysis import Answer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Pictures side by side, and letters of a name that have room below one.
COLUMNS, LETTERS = 6, 16

#: From one picture to the one below it, a picture being at most 1 high; and the colour of the bars.
HEIGHT, BAR = 2.0, SERIES["light"][0]


@dataclass(frozen=True, eq=False)
class MistakeSheet:
    """Answers with their images, a row each of that shape; the number `full` is black, in colour full."""

    mistakes: Sequence[Answer]
    images: Array
    image_shape: tuple[int, ...]
    full: float
    words: Words
    key: str
    title: str

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of its figure in inches."""
        return 7.5, 0.5 + 2.1 * math.ceil(len(self.mistakes) / COLUMNS)

    def paint(self, axes: Axes) -> None:
        """Paint the images on axes of Matplotlib, at most a unit wide and high, each with two lines below."""
        for place, (mistake, row) in enumerate(zip(self.mistakes, self.images, strict=True)):
            down, across = divmod(place, COLUMNS)
            left, bottom = 1.25 * across, -HEIGHT * down
            image = np.clip(flat_image(row, self.image_shape) / self.full, 0, 1)
            height, width = (side / max(image.shape[:2]) for side in image.shape[:2])
            extent = (left, left + width, bottom, bottom + height)
            axes.imshow(image, cmap="gray_r", vmin=0, vmax=1, extent=extent, interpolation="nearest")
            _write(axes, left, bottom - 0.05, mistake.true, INK)
            likeliest = mistake.likeliest or ((f"→ {mistake.predicted}", 0.0),)
            for line, (name, share) in enumerate(likeliest):
                below = bottom - 0.25 - 0.2 * line
                axes.fill_between([left, left + share], below - 0.17, below, color=BAR, alpha=0.3, linewidth=0)
                _write(axes, left, below, name, FAINT)
        name_axes(axes, self.title)
        axes.set_xlim(-0.1, 1.25 * COLUMNS)
        axes.set_ylim(HEIGHT - HEIGHT * math.ceil(len(self.mistakes) / COLUMNS) - HEIGHT + 1, 1.05)
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.title.set_visible(True)


def _write(axes: Axes, left: float, top: float, name: str, colour: str) -> None:
    """Write a name, short enough for its column."""
    shown = name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
    axes.text(left, top, plain(shown), va="top", fontsize="small", color=colour)
