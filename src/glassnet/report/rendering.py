"""Templates of the pages, and what they need beside their facts."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from glassnet.charts.curves import Drawing, Stroke
from glassnet.charts.painting import SERIES
from glassnet.charts.tables import opacity
from glassnet.graph.figure import PALETTES
from glassnet.locales.catalogue import Words
from glassnet.report.figure_files import FigureFiles
from glassnet.report.page_tables import probability
from glassnet.runtime.files import replacing
from glassnet.runtime.pages import Glossary, Sheet, page_environment
from glassnet.runtime.terminal import escape

if TYPE_CHECKING:
    from jinja2 import Template

REPORT_FILE = "report.html"
MARKDOWN_FILE = "report.md"


def markdown_text(text: str) -> str:
    r"""Return a text that Markdown shows as it stands, on one line, also inside a table."""
    line = " ".join(escape(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", line)


def markdown_code(text: str) -> str:
    """Return a text as code in Markdown; its own backticks become apostrophes, which a table can hold."""
    return "`" + " ".join(escape(text).split()).replace("`", "'").replace("|", "\\|") + "`" if text else ""


def palettes() -> dict[str, dict[str, str]]:
    """Return the colours of a page by name, for light and for dark: those of a graph and those of curves."""
    return {
        theme: {**colours, **{f"series-{number}": colour for number, colour in enumerate(SERIES[theme])}}
        for theme, colours in PALETTES.items()
    }


@cache
def template(name: str) -> Template:
    """Return a template, ``run.html.jinja`` or ``run.md.jinja`` for example, in which all is escaped.

    Markdown can have a text as ``code``, too, or ``shown`` as a line of a block of code.
    """
    from markupsafe import Markup

    environment = page_environment("glassnet.report", None if name.endswith(".html.jinja") else markdown_text)
    environment.filters["code"] = lambda text: Markup(markdown_code(text))
    return environment.get_template(name)


def one_legend(drawings: Sequence[tuple[Drawing, str]]) -> list[Stroke]:
    """Return the curves that a group of charts has in common, as one legend names them; none where they differ.

    A chart may lack the last ones: the output layer is seldom drawn of what only hidden units have.
    """
    drawn = [drawing.strokes for drawing, _ in drawings if drawing.kind == "curves"]
    names = [[(one.label, one.colour, one.dashed) for one in strokes] for strokes in drawn]
    longest = max(names, key=len, default=[])
    alike = all(own == longest[: len(own)] for own in names) and len(drawn) == len(drawings)
    return max(drawn, key=len) if alike and len(longest) > 1 < len(drawn) else []


def write_pages(
    folder: Path, name: str, report: SimpleNamespace, words: Words, figures: FigureFiles | None = None
) -> Path:
    """Write ``report.html`` and ``report.md`` into a folder, both whole or neither; return the page's path.

    `report` holds what the two templates called `name` show. Its charts and tables become files, too, where
    `figures` says so; then the Markdown shows the charts. Raises FileError if a folder cannot be written; older
    pages then stand.
    """
    if figures is not None:
        figures.write(report, folder)
    terms = Glossary(words.language)
    options = {"report": report, "say": words.say, "language": words.language, "figures": figures}
    shown = {
        "palettes": palettes(),
        "probability": partial(probability, words=words),
        "sheet": Sheet(),
        "opacity": opacity,
        "terms": terms,
        "one_legend": one_legend,
    }
    page = template(f"{name}.html.jinja").render(**options, **shown)
    twin = template(f"{name}.md.jinja").render(**options, terms=terms)
    path = folder / REPORT_FILE
    with replacing(path.with_name(MARKDOWN_FILE)) as file:
        file.write(twin.encode())
        file.flush()
        os.fsync(file.fileno())  # a full disk shows itself before the page takes its place
        with replacing(path) as other:
            other.write(page.encode())
    return path
