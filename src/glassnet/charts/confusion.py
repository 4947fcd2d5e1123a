"""Which class was taken for which, as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from glassnet.charts.painting import FAINT, INK, name_axes, plain, plot
from glassnet.charts.tables import RIGHT, WRONG, opacity
from glassnet.locales.catalogue import Language, Words
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: With more classes the cells have no room for a number, and the axes none for every name.
MOST_NUMBERS, MOST_NAMES = 25, 60


@dataclass(frozen=True, eq=False, repr=False)
class Confusion:
    """How often each class was taken for each other.

    Attributes
    ----------
    counts : ndarray of int, shape (k, k)
        Rows of each true class (row) that were predicted as each class (column).
    names : sequence of str
        What the classes are called.
    language : {"en", "zh"}
        In which the chart is written.
    """

    counts: Array
    names: Sequence[str]
    language: Language = "en"
    key: ClassVar[str] = "confusion-matrix"

    def __repr__(self) -> str:
        return f"Confusion({len(self.names)} classes, {int(self.counts.sum()):,} rows)"

    @property
    def title(self) -> str:
        """The chart's heading."""
        return Words(self.language).say("confusion")

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of its figure in inches."""
        side = min(1.6 + 0.42 * len(self.names), 9.0)
        return side + 0.4, side

    @property
    def shades(self) -> Array:
        """How strongly each cell is coloured, see `Cell`: by its share of the true class.

        Of wrong cells it is the root of the share, so that rare mistakes can still be seen.
        """
        shares = self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)
        return np.where(np.eye(len(shares), dtype=bool), shares, -np.sqrt(shares) + 0.0)

    def paint(self, axes: Axes) -> None:
        """Paint the matrix on axes of Matplotlib."""
        words, k = Words(self.language), len(self.names)
        image = [[(*(RIGHT if one > 0 else WRONG), 255 * opacity(one)) for one in row] for row in self.shades]
        axes.imshow(np.array(image) / 255, interpolation="nearest")
        name_axes(axes, self.title, words.say("predicted"), words.say("true"))
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        if k <= MOST_NAMES:
            names = [plain(name) for name in self.names]
            axes.set_xticks(range(k), names, rotation=90 if max(map(len, names)) > 2 else 0)
            axes.set_yticks(range(k), names)
        if k <= MOST_NUMBERS:
            for (true, predicted), count in np.ndenumerate(self.counts):
                colour = INK if count else FAINT
                axes.text(predicted, true, f"{count:,}", ha="center", va="center", fontsize="small", color=colour)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the matrix: the true classes downwards, the predicted ones to the right.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default on a new figure.

        Returns
        -------
        matplotlib.axes.Axes

        Examples
        --------
        >>> confusion = Confusion(np.array([[8, 2], [1, 9]]), ["cat", "dog"])
        >>> axes = confusion.plot()
        >>> [label.get_text() for label in axes.get_yticklabels()]
        ['cat', 'dog']
        """
        return plot(self, ax)
