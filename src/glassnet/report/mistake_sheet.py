"""The worst mistakes as one picture: each row's image, what it is, and what it was taken for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from glassnet.charts.painting import FAINT, INK, name_axes, plain
from glassnet.charts.pictures import flat_image
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array
from glassnet.report.error_analysis import Mistake

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Pictures side by side, and letters of a name that have room below one.
COLUMNS, LETTERS = 6, 16


@dataclass(frozen=True, eq=False)
class MistakeSheet:
    """Mistakes with their images, a row each of that shape; the number `full` is black, in colour full."""

    mistakes: Sequence[Mistake]
    images: Array
    image_shape: tuple[int, ...]
    full: float
    words: Words
    key: ClassVar[str] = "worst-mistakes"

    @property
    def title(self) -> str:
        """The picture's heading."""
        return self.words.say("mistakes")

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of its figure in inches."""
        return 7.5, 0.5 + 1.75 * math.ceil(len(self.mistakes) / COLUMNS)

    def paint(self, axes: Axes) -> None:
        """Paint the images on axes of Matplotlib, at most a unit wide and high, each with two lines below."""
        for place, (mistake, row) in enumerate(zip(self.mistakes, self.images, strict=True)):
            down, across = divmod(place, COLUMNS)
            left, bottom = 1.25 * across, -1.6 * down
            image = np.clip(flat_image(row, self.image_shape) / self.full, 0, 1)
            height, width = (side / max(image.shape[:2]) for side in image.shape[:2])
            extent = (left, left + width, bottom, bottom + height)
            axes.imshow(image, cmap="gray_r", vmin=0, vmax=1, extent=extent, interpolation="nearest")
            lines = ((0.05, mistake.true, INK), (0.25, f"→ {mistake.predicted}", FAINT))
            for below, name, colour in lines:
                shown = name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
                axes.text(left, bottom - below, plain(shown), va="top", fontsize="small", color=colour)
        name_axes(axes, self.title)
        axes.set_xlim(-0.1, 1.25 * COLUMNS)
        axes.set_ylim(1.6 - 1.6 * math.ceil(len(self.mistakes) / COLUMNS) - 0.6, 1.05)
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.title.set_visible(True)
