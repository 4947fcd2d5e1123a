"""The weights of a network's first layer: of one that looks at pictures a picture a unit, else a row a unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from glassnet.charts.painting import FAINT, INK, name_axes, plain
from glassnet.charts.pictures import flat_image, png_address
from glassnet.nn.activations import Array
from glassnet.nn.network import Network

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

#: More units are too small to see anything.
MOST_UNITS = 64

#: More inputs are not named one by one.
MOST_INPUTS = 40

#: Pixels between two units.
GAP = 2

#: From the most negative number to the most positive one, evenly spaced; the page's scale has the same.
DIVERGING = ((103, 0, 31), (214, 96, 77), (247, 247, 247), (67, 147, 195), (5, 48, 97))


@dataclass(frozen=True, eq=False)
class WeightSheet:
    """Weights of the first layer as one picture, a square a unit, in `columns` and `rows`.

    `image` has the colours of its pixels. Of the layer's `units` the first are `shown`. The weight `limit` has the
    full colour, its negative the other.
    """

    title: str
    image: Array
    shown: int
    units: int
    columns: int
    rows: int
    limit: float
    key: ClassVar[str] = "first-layer-weights"

    @property
    def address(self) -> str:
        """The picture as the address of a PNG that a page holds in itself."""
        return png_address(self.image)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of its figure in inches."""
        height, width = self.image.shape[:2]
        wide = 0.7 * self.columns
        return wide + 1.0, wide * height / width + 0.5

    def paint(self, axes: Axes) -> None:
        """Paint the sheet on axes of Matplotlib."""
        axes.imshow(self.image, interpolation="nearest")
        lay_scale(axes, self.title, self.limit)


@dataclass(frozen=True, eq=False)
class WeightMatrix:
    """Weights of the first layer, a row a unit and a column an input; of a wide layer the first units."""

    title: str
    weights: Array
    names: Sequence[str]
    limit: float
    key: ClassVar[str] = "first-layer-weights"

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of its figure in inches."""
        inputs, units = self.weights.shape
        return min(3 + 0.22 * inputs, 9.0), min(1.8 + 0.22 * units, 8.0)

    def paint(self, axes: Axes) -> None:
        """Paint the matrix on axes of Matplotlib."""
        axes.imshow(diverging(self.weights.T / self.limit), interpolation="nearest", aspect="auto")
        lay_scale(axes, self.title, self.limit)
        if len(self.names) <= MOST_INPUTS:
            axes.set_xticks(range(len(self.names)), [plain(name) for name in self.names], rotation=90)
        axes.tick_params(labelsize="small", colors=INK)


def first_layer(
    network: Network, title: str, image_shape: tuple[int, ...] | None, names: Sequence[str] = ()
) -> WeightSheet | WeightMatrix:
    """Return the weights of the first layer, for inputs that are pictures of this shape or have these names."""
    if image_shape is not None and math.prod(image_shape) == network.layers[0]:
        return weight_sheet(network, image_shape, title)
    weights = network.W[0][:, :MOST_UNITS].astype(float)
    names = names if len(names) == len(weights) else [str(place) for place in range(len(weights))]
    return WeightMatrix(title, weights, names, _scale(weights))


def weight_sheet(network: Network, image_shape: tuple[int, ...], title: str = "") -> WeightSheet:
    """Draw the weights that go into the first units of the first layer: blue above zero, red below, white at zero.

    The inputs of the network are images. All units have one scale, whose end is the weight that only 1 of 200
    exceeds in size: few large weights would make all others look like none. Of weights on three colours the mean
    is shown, of a solid the middle slice.
    """
    W = network.W[0][:, :MOST_UNITS].astype(float)
    shown = W.shape[1]
    tiles = [flat_image(column, image_shape) for column in W.T]
    tiles = [tile.mean(axis=2) if tile.ndim == 3 else tile for tile in tiles]
    limit = _scale(np.array(tiles))
    columns = min(shown, 5 if shown <= 10 else 8)
    rows = math.ceil(shown / columns)
    height, width = tiles[0].shape
    sheet = np.zeros((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 4), np.uint8)  # clear
    for number, tile in enumerate(tiles):
        top, left = number // columns * (height + GAP), number % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = diverging(tile / limit)
    return WeightSheet(title, sheet, shown, network.layers[1], columns, rows, limit)


def _scale(weights: Array) -> float:
    """Return the weight that only 1 of 200 exceeds in size."""
    return float(np.quantile(np.abs(weights), 0.995)) or 1.0


def diverging(values: Array) -> Array:
    """Return colours (red, green, blue, opacity as bytes) for numbers: -1 red, 0 white, 1 blue."""
    places = np.linspace(-1, 1, len(DIVERGING))
    shares = [np.interp(values, places, [colour[part] for colour in DIVERGING]) for part in range(3)]
    return np.rint(np.stack([*shares, np.full(values.shape, 255.0)], axis=-1)).astype(np.uint8)


def diverging_colours() -> Colormap:
    """Return the same colours for Matplotlib."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("glassnet", [tuple(part / 255 for part in one) for one in DIVERGING])


def lay_scale(axes: Axes, title: str, limit: float) -> None:
    """Name a picture of weights, and lay the scale of its colours beside it."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    name_axes(axes, title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    colours = ScalarMappable(Normalize(-limit, limit), diverging_colours())
    bar = axes.figure.colorbar(colours, ax=axes, ticks=[-limit, 0, limit], format="%.2g", shrink=0.6)
    bar.outline.set(edgecolor=FAINT, linewidth=0.5)
    bar.ax.tick_params(labelsize="small", colors=INK)
