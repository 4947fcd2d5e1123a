"""Numbers of the places of a picture, as colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from glassnet.charts.pictures import png_address
from glassnet.charts.weights import diverging, lay_scale
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class HeatMap:
    """Numbers of shape (height, width): blue above zero, red below, white at zero."""

    key: str
    title: str
    values: Array
    note: str = ""

    @property
    def limit(self) -> float:
        """The number that has the full colour."""
        return float(np.abs(self.values).max()) or 1.0

    @property
    def image(self) -> Array:
        """The colours of the places."""
        return diverging(self.values / self.limit)

    @property
    def address(self) -> str:
        """The map as the address of a PNG that a page holds in itself."""
        return png_address(self.image)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of its figure in inches."""
        height, width = self.values.shape
        return 4.6, 0.6 + 3.4 * height / width

    def paint(self, axes: Axes) -> None:
        """Paint the map on axes of Matplotlib."""
        axes.imshow(self.image, interpolation="nearest")
        lay_scale(axes, self.title, self.limit)
