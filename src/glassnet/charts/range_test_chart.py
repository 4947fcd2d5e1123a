"""The chart of a learning-rate range test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from glassnet.charts.painting import FAINT, INK, SERIES, name_axes, plain
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVE, PICK = SERIES["light"][0], "#b3261e"


@dataclass(frozen=True, eq=False)
class RangeTestChart:
    """The loss against the learning rate: raw faint, smoothed strong, the pick marked and labelled.

    The learning rate is on a logarithmic axis. The loss is shown as far up as the start needs, the blow-up is cut
    off.
    """

    optimizer: str
    learning_rates: Array
    losses: Array
    smoothed: Array
    pick: float
    highest_stable: float
    words: Words
    key: ClassVar[str] = "learning-rates"
    size: ClassVar[tuple[float, float]] = (7.2, 4.2)

    @property
    def title(self) -> str:
        """The chart's heading."""
        return self.words.say("range_test", optimizer=self.optimizer.partition("(")[0])

    def paint(self, axes: Axes) -> None:
        """Paint the chart on axes of Matplotlib."""
        from matplotlib.ticker import LogLocator, NullFormatter

        words = self.words
        axes.plot(
            self.learning_rates, self.losses, color=FAINT, alpha=0.45, linewidth=0.9, label=words.say("each_batch")
        )
        axes.plot(self.learning_rates, self.smoothed, color=CURVE, linewidth=2.2, label=words.say("smoothed"))
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(10, numticks=20))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(self.learning_rates[0], self.learning_rates[-1])
        axes.set_ylim(*self._loss_range())
        self._mark(axes)
        name_axes(axes, self.title, words.measure("learning_rate"), words.measure("train_loss"))
        axes.grid(axis="y", color=FAINT, alpha=0.15)
        axes.legend(frameon=False, loc="lower left", labelcolor=INK)

    def _loss_range(self) -> tuple[float, float]:
        """Return the losses to show: all up to the lowest smoothed one, and a little of the rise that follows."""
        bottom = int(self.smoothed.argmin())
        seen = self.losses[: bottom + 1]
        low, high = min(seen.min(), self.smoothed[bottom]), max(seen.max(), self.smoothed[: bottom + 1].max())
        margin = 0.08 * (high - low)
        return float(low - margin), float(high + 2 * margin)

    def _mark(self, axes: Axes) -> None:
        """Mark the pick and the highest stable learning rate on the smoothed curve."""
        places = np.searchsorted(self.learning_rates, (self.pick, self.highest_stable))
        pick, bottom = (float(self.smoothed[place]) for place in places)
        said = self.words.say("pick")
        axes.axvline(self.pick, color=PICK, linewidth=1, linestyle=(0, (4, 3)))
        axes.plot([self.pick], [pick], "o", **_dot(PICK, "white"), label=said)
        stable = self.words.say("lowest_at", rate=f"{self.highest_stable:.2g}")
        axes.plot([self.highest_stable], [bottom], "o", **_dot("white", CURVE), label=stable)
        left = self.pick**2 < self.learning_rates[0] * self.learning_rates[-1]  # of the middle of the axis
        axes.annotate(
            plain(f"{said} {self.pick:.2g}"),
            (self.pick, 1),
            (6 if left else -6, -4),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="left" if left else "right",
            va="top",
            color=PICK,
            fontweight="bold",
        )


def _dot(face: str, edge: str) -> dict[str, Any]:
    return {"color": face, "markeredgecolor": edge, "markersize": 8, "markeredgewidth": 1.3, "zorder": 4}
