"""The picture of a learning-rate range test."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import FileError
from glassnet.runtime.files import write_bytes
from glassnet.training.range_test import RangeTest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Legible on white, and apart for the colour-blind.
INK, FAINT, CURVE, PICK = "#1c2430", "#66707e", "#1d4ed8", "#b3261e"

FORMATS = ("png", "svg")


def range_test_figure(result: RangeTest) -> Figure:
    """Draw the loss against the learning rate: raw faint, smoothed strong, the pick marked and labelled.

    The learning rate is on a logarithmic axis. The loss is shown as far up as the start needs, the blow-up is cut
    off.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(result.learning_rates, result.losses, color=FAINT, alpha=0.45, linewidth=0.9, label="each batch")
    axes.plot(result.learning_rates, result.smoothed, color=CURVE, linewidth=2.2, label="smoothed")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(10, numticks=20))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(result.learning_rates[0], result.learning_rates[-1])
    axes.set_ylim(*_loss_range(result))
    _mark(axes, result)
    axes.set_xlabel("learning rate", color=INK)
    axes.set_ylabel("training loss", color=INK)
    name = result.optimizer.partition("(")[0]
    axes.set_title(f"Learning-rate range test: {name}", loc="left", fontsize=11, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=FAINT, alpha=0.15)
    axes.tick_params(colors=INK, which="both")
    axes.legend(frameon=False, loc="lower left", labelcolor=INK)
    return figure


def _loss_range(result: RangeTest) -> tuple[float, float]:
    """Return the losses to show: all up to the lowest smoothed one, and a little of the rise that follows."""
    bottom = int(result.smoothed.argmin())
    seen = result.losses[: bottom + 1]
    low, high = min(seen.min(), result.smoothed[bottom]), max(seen.max(), result.smoothed[: bottom + 1].max())
    margin = 0.08 * (high - low)
    return float(low - margin), float(high + 2 * margin)


def _mark(axes: Axes, result: RangeTest) -> None:
    """Mark the pick and the highest stable learning rate on the smoothed curve."""
    places = np.searchsorted(result.learning_rates, (result.pick, result.highest_stable))
    pick, bottom = (float(result.smoothed[place]) for place in places)
    axes.axvline(result.pick, color=PICK, linewidth=1, linestyle=(0, (4, 3)))
    axes.plot([result.pick], [pick], "o", **_dot(PICK, "white"), label="pick")
    stable = f"lowest, at {result.highest_stable:.2g}"
    axes.plot([result.highest_stable], [bottom], "o", **_dot("white", CURVE), label=stable)
    left = result.pick**2 < result.learning_rates[0] * result.learning_rates[-1]  # of the middle of the axis
    axes.annotate(
        f"pick {result.pick:.2g}",
        (result.pick, 1),
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


def draw(result: RangeTest, path: str | Path) -> None:
    """Write the picture of a range test as PNG or SVG, as the file's name ends, whole or not at all.

    Raises FileError if the name ends otherwise, or the file cannot be written.
    """
    from matplotlib import rc_context

    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise FileError(path, "ends in neither .png nor .svg; choose one of them")
    content = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {}  # the same result gives the same bytes
    with rc_context({"svg.hashsalt": "glassnet"}):
        range_test_figure(result).savefig(content, format=kind, dpi=150, metadata=metadata)
    write_bytes(path, content.getvalue())
