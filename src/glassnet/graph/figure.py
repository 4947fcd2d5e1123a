"""A picture as a list of marks, written as SVG, PDF or PNG; it knows nothing of graphs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

from glassnet.charts.painting import render
from glassnet.graph.notation import Name, Shown

#: What a mark shows, with its colour on light and on dark paper.
COLOURS = {
    "paper": ("#ffffff", "#12161d"),
    "ink": ("#1c2430", "#e8ebf0"),
    "faint": ("#66707e", "#9aa4b2"),
    "line": ("#a7b0bd", "#5b6675"),
    "leaf": ("#eef1f6", "#232b37"),
    "operation": ("#ffffff", "#12161d"),
    "value": ("#0a6640", "#5fd39a"),
    "gradient": ("#b3261e", "#ff8f85"),
    "delta": ("#b3261e", "#ff8f85"),
    "negative": ("#b45309", "#f0a860"),
    "positive": ("#1d4ed8", "#8ab4ff"),
}
PALETTES = {
    palette: {shown: colours[number] for shown, colours in COLOURS.items()}
    for number, palette in enumerate(("light", "dark"))
}

SIZE = 11.5
#: Widths of text are not measured but reckoned, on the safe side for common sans-serif fonts.
LETTER_WIDTH = 0.62
#: Letters of a number that may change.
ROOM = 7
#: Radius of the corners.
ROUNDING = {"box": 9, "square": 3}

Content = str | Name

#: Left, top, right and bottom.
Box = tuple[float, float, float, float]
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Shape:
    """A closed form around (x, y): ``"circle"``, ``"box"``, ``"square"`` or ``"hexagon"``."""

    form: str
    x: float
    y: float
    width: float
    height: float
    fill: str
    node: int | None = None

    @property
    def extent(self) -> Box:
        """Left, top, right and bottom."""
        a, b = self.width / 2, self.height / 2
        return self.x - a, self.y - b, self.x + a, self.y + b


@dataclass(frozen=True)
class Curve:
    """A line through points: straight from the first to the second, bent to the third, straight to the last.

    Two points are a straight line. The number that colour and width show, if any, has a source on the page.
    """

    points: Points
    colour: str = "line"
    width: float = 1.2
    nodes: tuple[int, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Text:
    """Words, numbers and names in one line, known from step `time` on; turned clockwise by an angle in degrees."""

    x: float
    y: float
    content: tuple[Content, ...]
    colour: str = "ink"
    anchor: str = "start"
    size: float = SIZE
    node: int | None = None
    time: int = 0
    angle: float = 0.0

    @property
    def corners(self) -> Points:
        """Of the box around it."""
        width = text_width(self.content, self.size)
        left = -{"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        top, bottom = -0.85 * self.size, 0.3 * self.size
        c, s = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        box = (left, top), (left + width, top), (left + width, bottom), (left, bottom)
        return tuple((self.x + c * x - s * y, self.y + s * x + c * y) for x, y in box)

    @property
    def extent(self) -> Box:
        """Left, top, right and bottom."""
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


def text_width(content: Sequence[Content], size: float = SIZE) -> float:
    """Return about how wide a text becomes."""
    letters = 0.0
    for part in content:
        if isinstance(part, str):
            wide = sum(letter > "\u2e80" for letter in part)  # Chinese ones
            letters += 0.7 * wide + (max(len(part), ROOM) if isinstance(part, Shown) else len(part))
        else:
            small = ("" if part.layer is None else f"({part.layer})") + part.below
            letters += 1.1 + 0.72 * len(small)
    return letters * LETTER_WIDTH * size


@dataclass
class Figure:
    """Marks on a sheet of a width and height in pixels; later ones lie over earlier ones.

    The title says what is shown to those who cannot see it; so do the descriptions of the nodes, by their number.
    """

    title: str
    width: float = 0.0
    height: float = 0.0
    marks: list[Shape | Curve | Text] = field(default_factory=list)
    descriptions: dict[int, str] = field(default_factory=dict)

    def fit(self, margin: float) -> None:
        """Move all marks so that shapes and texts begin at the margin, and fit the sheet to them."""
        boxes = [mark.extent for mark in self.marks if not isinstance(mark, Curve)]
        dx, dy = margin - min(box[0] for box in boxes), margin - min(box[1] for box in boxes)
        self.marks = [
            replace(mark, points=tuple((x + dx, y + dy) for x, y in mark.points))
            if isinstance(mark, Curve)
            else replace(mark, x=mark.x + dx, y=mark.y + dy)
            for mark in self.marks
        ]
        self.width = round(max(box[2] for box in boxes) + dx + margin)
        self.height = round(max(box[3] for box in boxes) + dy + margin)

    def add_legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """Write what the colours mean below the marks: a colour and its meaning, with what has it, each."""
        margin = min(mark.extent[0] for mark in self.marks if not isinstance(mark, Curve))
        x, self.height = margin, self.height + 1.4 * SIZE
        for colour, meaning in entries:
            text = Text(x, self.height - margin, (meaning,), colour)
            if x > margin and text.extent[2] + margin > self.width:
                x, self.height = margin, self.height + 1.4 * SIZE
                text = replace(text, x=x, y=self.height - margin)
            self.marks.append(text)
            x = text.extent[2] + 1.5 * SIZE
            self.width = max(self.width, math.ceil(text.extent[2] + margin))
        self.height = round(self.height)

    def svg(self, *, interactive: bool = False) -> str:
        """Return the figure as SVG; interactive: its colours are left to the page, its nodes can be focused."""
        size = f'width="{self.width:g}" height="{self.height:g}"'
        style = f'<style>{write_css(PALETTES["light"])}</style><rect {size} class="paper"/>'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'{size} role="group" aria-label="{escape(self.title)}">{"" if interactive else style}'
            f"{''.join(self._write_mark(mark, interactive) for mark in self.marks)}</svg>"
        )

    def _write_mark(self, mark: Shape | Curve | Text, interactive: bool) -> str:
        if isinstance(mark, Curve):
            path = " ".join(f"{command}{x:g},{y:g}" for command, x, y in make_path(mark))
            touched = f' data-nodes="{" ".join(map(str, mark.nodes))}"' if interactive and mark.nodes else ""
            live = f' data-w="{mark.source}"' if interactive and mark.source else ""
            return f'<path d="{path}" class="stroke {mark.colour}" stroke-width="{mark.width:g}"{touched}{live}/>'
        if isinstance(mark, Text):
            time = f' data-time="{mark.time}"' if interactive else ""
            legend = " legend" if mark.node is None else ""
            node = f' data-of="{mark.node}"' if interactive and not legend else ""
            node += f' transform="rotate({mark.angle:.2f} {mark.x:g} {mark.y:g})"' if mark.angle else ""
            return (
                f'<text x="{mark.x:g}" y="{mark.y:g}" class="{mark.colour}{legend}" text-anchor="{mark.anchor}" '
                f'font-size="{mark.size:g}"{node}{time}>{_write_spans(mark, interactive)}</text>'
            )
        button = ""
        if interactive and mark.node is not None:
            described = escape(self.descriptions.get(mark.node, ""), quote=True)
            button = f' data-node="{mark.node}" tabindex="0" role="button" aria-label="{described}"'
        return f'<g class="shape {mark.fill}"{button}>{_write_outline(mark)}</g>'

    def write(self, kind: str, scale: float = 2.0) -> bytes:
        """Return the figure as a file: ``"svg"``, or drawn by matplotlib, ``"pdf"`` or ``"png"`` in a scale."""
        if kind == "svg":
            return self.svg().encode()
        import matplotlib
        from matplotlib.figure import Figure as Canvas

        with matplotlib.rc_context(matplotlib.rcParamsDefault):  # the user's own may crop or scale
            canvas = Canvas(figsize=(self.width / 72, self.height / 72), facecolor=PALETTES["light"]["paper"])
            axes = canvas.add_axes((0, 0, 1, 1))
            axes.set(xlim=(0, self.width), ylim=(self.height, 0))
            axes.axis("off")
            for mark in self.marks:
                _paint(axes, mark)
            return render(canvas, kind, 72 * scale)


STYLE = (
    "text{font-family:system-ui,'DejaVu Sans',sans-serif;paint-order:stroke;stroke-width:3px;"
    "stroke-linejoin:round}.i{font-style:italic}.delta{font-weight:600}.stroke{fill:none}.shape{stroke-width:1.3}"
)


def write_css(colours: Mapping[str, str]) -> str:
    """Return the rules that give each mark its colour; the colours may be variables of a page."""
    rules = [f"text.{name}{{fill:{colour};stroke:{colours['paper']}}}" for name, colour in colours.items()]
    rules += [f".stroke.{name}{{stroke:{colour}}}" for name, colour in colours.items()]
    rules += [f".shape.{name}{{fill:{colour};stroke:{colours['ink']}}}" for name, colour in colours.items()]
    return "".join([STYLE, *rules, f".paper{{fill:{colours['paper']}}}"])


def make_path(curve: Curve) -> list[tuple[str, float, float]]:
    """Return the commands of a path: M(ove), L(ine), C(urve), which takes three points."""
    first, *others = curve.points
    if len(others) == 1:
        return [("M", *first), ("L", *others[0])]
    (x1, y1), (x2, y2), last = others
    middle = (x1 + x2) / 2
    return [("M", *first), ("L", x1, y1), ("C", middle, y1), ("", middle, y2), ("", x2, y2), ("L", *last)]


def _write_spans(text: Text, interactive: bool) -> str:
    spans, shift = [], 0.0

    def span(words: str, level: float, options: str = "") -> None:
        nonlocal shift
        move = f' dy="{level - shift:g}"' if level != shift else ""
        spans.append(f"<tspan{move}{options}>{escape(words)}</tspan>" if move or options else escape(words))
        shift = level

    small = f' font-size="{0.72 * text.size:g}"'
    for part in text.content:
        if isinstance(part, str):
            live = f' data-n="{part.source}"' if isinstance(part, Shown) and interactive else ""
            span(part, 0.0, live)
            continue
        span(part.sign, 0.0, ' class="i"')
        if part.layer is not None:
            span(f"({part.layer})", -0.35 * text.size, small)
        if part.places:
            span(part.below, 0.25 * text.size, small)
    return "".join(spans)


def _write_outline(shape: Shape) -> str:
    x, y, width, height = shape.x, shape.y, shape.width, shape.height
    if shape.form == "circle":
        return f'<circle cx="{x:g}" cy="{y:g}" r="{width / 2:g}"/>'
    if shape.form == "hexagon":
        return f'<polygon points="{" ".join(f"{px:g},{py:g}" for px, py in _find_corners(shape))}"/>'
    corner = f'x="{x - width / 2:g}" y="{y - height / 2:g}"'
    return f'<rect {corner} width="{width:g}" height="{height:g}" rx="{ROUNDING[shape.form]}"/>'


def _find_corners(shape: Shape) -> list[tuple[float, float]]:
    x, y, a, b = shape.x, shape.y, shape.width / 2, shape.height / 2
    return [(x - a, y), (x - a / 2, y - b), (x + a / 2, y - b), (x + a, y), (x + a / 2, y + b), (x - a / 2, y + b)]


def _paint(axes: Any, mark: Shape | Curve | Text) -> None:
    """Put a mark on matplotlib's axes."""
    from matplotlib import patches, patheffects
    from matplotlib.path import Path

    colours = PALETTES["light"]
    if isinstance(mark, Curve):
        codes = {"M": Path.MOVETO, "L": Path.LINETO, "C": Path.CURVE4, "": Path.CURVE4}
        commands = make_path(mark)
        path = Path([(x, y) for _, x, y in commands], [codes[command] for command, _, _ in commands])
        axes.add_patch(patches.PathPatch(path, fill=False, edgecolor=colours[mark.colour], linewidth=mark.width))
    elif isinstance(mark, Text):
        axes.text(
            mark.x,
            mark.y,
            "".join(part.replace("$", r"\$") if isinstance(part, str) else part.mathtext for part in mark.content),
            color=colours[mark.colour],
            ha={"start": "left", "middle": "center", "end": "right"}[mark.anchor],
            fontsize=0.93 * mark.size,
            rotation=-mark.angle,
            rotation_mode="anchor",
            path_effects=[patheffects.withStroke(linewidth=2.5, foreground=colours["paper"])],
        )
    else:
        x, y, width, height = mark.x, mark.y, mark.width, mark.height
        corner = (x - width / 2, y - height / 2)
        form: patches.Patch
        if mark.form == "circle":
            form = patches.Circle((x, y), width / 2)
        elif mark.form == "hexagon":
            form = patches.Polygon(_find_corners(mark))
        else:
            form = patches.FancyBboxPatch(
                corner, width, height, f"round,pad=0,rounding_size={ROUNDING[mark.form]}"
            )
        form.set(facecolor=colours[mark.fill], edgecolor=colours["ink"], linewidth=1.2)
        axes.add_patch(form)
