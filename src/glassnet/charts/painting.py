"""What charts have in common on axes of Matplotlib: colours, fonts, marks, legends; and their files."""

from __future__ import annotations

import base64
import contextlib
import html
import io
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from glassnet.charts.axes import LATIN, Axis
from glassnet.errors import FileError
from glassnet.locales.catalogue import Language, Words
from glassnet.runtime.callers import warn_caller
from glassnet.runtime.files import write_bytes
from glassnet.runtime.terminal import escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Legible on white, and apart for the colour-blind.
INK, FAINT = "#1c2430", "#66707e"

#: Distinct for the colour-blind, on white and on black; a curve takes the next one.
SERIES = {
    "light": ("#1d4ed8", "#b45309", "#0a6640", "#9d174d", "#5b21b6", "#0e7490", "#66707e", "#854d0e"),
    "dark": ("#8ab4ff", "#f0a860", "#5fd39a", "#f472b6", "#c4b5fd", "#67e8f9", "#9aa4b2", "#fde047"),
}

#: Kinds of files that a chart is written as.
FORMATS = ("pdf", "svg", "png")

#: Fonts with Chinese letters, as systems call them; the first that is there is taken.
CHINESE_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Noto Sans CJK JP"),
    *("PingFang SC", "Hiragino Sans GB", "Heiti SC", "Microsoft YaHei", "SimHei", "WenQuanYi Zen Hei"),
    *("WenQuanYi Micro Hei", "Droid Sans Fallback", "Arial Unicode MS", "SimSun", "Noto Serif CJK SC"),
)

#: Letters of a name after which it goes on in the next line.
LONG_NAME = 34

#: Names that have room beside the curves; more stand to the right of the plot.
FEW_NAMES = 4


class Painted(Protocol):
    """What can be painted on axes; its file is called as its key says."""

    @property
    def key(self) -> str:
        """Its name, in letters, digits and hyphens."""

    @property
    def title(self) -> str:
        """Its heading."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of a figure of its own, in inches."""

    def paint(self, axes: Axes) -> None:
        """Paint it."""


@cache
def _find_chinese_font() -> list[str]:
    """Return the first font with Chinese letters that is there, if any."""
    from matplotlib import font_manager

    there = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in CHINESE_FONTS if name in there][:1]


@contextlib.contextmanager
def chart_fonts() -> Iterator[None]:
    """Have Matplotlib take a letter that its font does not have from one with Chinese letters."""
    from matplotlib import rc_context, rcParams

    with rc_context({"font.family": [*rcParams["font.family"], *_find_chinese_font()]}):
        yield


def plot(painted: Painted, ax: Axes | None) -> Axes:
    """Paint something on these axes, or on those of a new figure, and return them."""
    with chart_fonts():
        if ax is None:
            from matplotlib import pyplot

            _, ax = pyplot.subplots(figsize=painted.size, layout="constrained")
        painted.paint(ax)
    return ax


class Plots:
    """What has a chart of its results, and draws it."""

    def chart(self, words: Words) -> Painted:
        """Return the chart."""
        raise NotImplementedError

    def plot(self, ax: Axes | None = None, *, language: Language = "en") -> Axes:
        """Draw the chart.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; by default on a new figure.
        language : {"en", "zh"}
            In which the chart is written.

        Returns
        -------
        matplotlib.axes.Axes
        """
        return plot(self.chart(Words(language)), ax)


def figure_of(painted: Painted) -> Figure:
    """Paint something on a figure of its own, whatever the user's settings of Matplotlib are."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(matplotlib.rcParamsDefault), chart_fonts():
        figure = Figure(figsize=painted.size, layout="constrained")
        painted.paint(figure.add_subplot())
    return figure


def file_format(path: Path) -> str:
    """Return the kind of picture that a file's name asks for; another ending is an error."""
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise FileError(path, "ends in neither .pdf, .svg nor .png; choose one of them")
    return kind


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PDF, SVG or PNG, as the file's name ends, whole or not at all.

    The same figure gives the same bytes. In a PDF text stays text, and its fonts are in the file; in an SVG
    letters are outlines, so that it looks the same everywhere. What no font here can draw is said. Raises
    FileError if the name ends otherwise, or the file cannot be written.
    """
    kind = file_format(path)
    with saying_missing_letters():
        write_bytes(path, render(figure, kind))


def render(figure: Figure, kind: str, dpi: float = 150.0) -> bytes:
    """Return a figure as a file of one of `FORMATS`; a PNG has so many dots an inch."""
    from matplotlib import rc_context, rcParamsDefault

    content = io.BytesIO()
    metadata: dict[str, Any] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(kind, {})
    # Chinese fonts hold outlines that Matplotlib embeds as they are only in fonts of type 3.
    fonts = 3 if any(max(map(ord, text), default=0) > LATIN for text in _texts_of(figure)) else 42
    options: Any = {"svg.hashsalt": "glassnet", "svg.fonttype": "path", "pdf.fonttype": fonts}
    with rc_context(rcParamsDefault), rc_context(options):
        figure.savefig(content, format=kind, dpi=dpi, metadata=metadata)
    return content.getvalue()


def _texts_of(figure: Figure) -> list[str]:
    """Return all that is written in a figure."""
    from matplotlib.text import Text

    return [one.get_text() for one in figure.findobj(Text) if isinstance(one, Text)]


def html_picture(painted: Painted) -> str:
    """Return something as a picture for a notebook: an element that holds a PNG, and no script."""
    with saying_missing_letters():
        content = base64.b64encode(render(figure_of(painted), "png")).decode()
    width = 96 * painted.size[0]
    return f'<img src="data:image/png;base64,{content}" alt="{html.escape(painted.title)}" width="{width:.0f}">'


@contextlib.contextmanager
def saying_missing_letters() -> Iterator[None]:
    """Say once of all that is drawn which letters no font has; other warnings go on."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    codes = set()
    for one in caught:
        found = re.match(r"Glyph (\d+) .*missing from", str(one.message))
        if found:
            codes.add(int(found[1]))
        else:
            warn_caller(str(one.message), one.category)
    if codes:
        letters = "".join(map(chr, sorted(codes)[:8])) + ("…" if len(codes) > 8 else "")
        warn_caller(
            f"no font here has the letters {letters}, and boxes stand in their place; "
            f"install a font that has them, {CHINESE_FONTS[0]} for example"
        )


def plain(text: str, width: int | None = None) -> str:
    """Return a text that Matplotlib writes as it stands, without mathematics; a long one in several lines."""
    shown = escape(text)
    if width is not None:
        shown = "\n".join(textwrap.wrap(shown, width)) or shown
    return shown.replace("$", r"\$")


def dress(axes: Axes, x: Axis, y: Axis, title: str, x_label: str, y_label: str = "") -> None:
    """Give axes their scales, marks and names."""
    scales: dict[str, dict[str, Any]] = {
        "even": {"value": "linear"},
        "logarithmic": {"value": "log"},
        "steps": {"value": "function", "functions": (np.log1p, np.expm1)},
    }
    axes.set_xscale(**scales[x.spread])
    axes.set_yscale(**scales[y.spread])
    axes.set_xticks(x.marks, x.texts)
    axes.set_yticks(y.marks, y.texts)
    axes.minorticks_off()
    axes.set_xlim(x.low, x.high)
    axes.set_ylim(y.low, y.high)
    name_axes(axes, title, x_label, y_label)
    axes.grid(axis="y", color=FAINT, alpha=0.18)
    axes.set_axisbelow(True)


def name_axes(axes: Axes, title: str, x_label: str = "", y_label: str = "") -> None:
    """Write title and names of axes, and leave out lines that say nothing."""
    axes.set_title(plain(title, 60), loc="left", fontsize="medium", fontweight="bold", color=INK)
    axes.set_xlabel(plain(x_label), color=INK)
    axes.set_ylabel(plain(y_label), color=INK)
    axes.tick_params(colors=INK, which="both", labelsize="small")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)


def series_style(number: int) -> tuple[str, Any]:
    """Return the colour and the style of a line, by the number of its curve."""
    colours = SERIES["light"]
    return colours[number % len(colours)], (0, (4, 3)) if number // len(colours) % 2 else "solid"


def paint_mark(axes: Axes, value: float, text: str) -> None:
    """Draw a line at a value that others are to be held against, and write what it is."""
    axes.axhline(value, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate(
        plain(text),
        (0, value),
        (4, 2),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        color=FAINT,
        fontsize="small",
    )


def paint_place(axes: Axes, place: float, text: str, *, low: bool, left: bool) -> None:
    """Draw a line at a place on the axis below, and write what it is: above the curves or below, left or right."""
    axes.axvline(place, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate(
        plain(text),
        (place, 0.02 if low else 0.98),
        (-4 if left else 4, 0),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        color=FAINT,
        fontsize="small",
        ha="right" if left else "left",
        va="bottom" if low else "top",
    )


def write_legend(axes: Axes, lines: Sequence[Any], labels: Sequence[str]) -> None:
    """Name the curves, with those that have names already: a few beside them, more to the right of the plot."""
    names = [plain(label, LONG_NAME) for label in labels]
    # a name that begins with "_" is one that Matplotlib does not show
    names = [f" {name}" if name.startswith("_") else name for name in names]
    if (before := axes.get_legend()) is not None:
        lines = [*before.legend_handles, *lines]
        names = [*(text.get_text() for text in before.get_texts()), *names]
    beside: Any = {} if len(names) <= FEW_NAMES else {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)}
    if names:
        axes.legend(lines, names, frameon=False, fontsize="small", labelcolor=INK, **beside)
