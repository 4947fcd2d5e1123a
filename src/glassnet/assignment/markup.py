r"""The document's text, written once: as Markdown, and from that as LaTeX.

The templates hold a small part of Markdown: headings, paragraphs, lists, formulas between dollars, code and bold
words. A paragraph ``@figure KEY`` or ``@table KEY`` stands for a figure or a table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from glassnet.charts.tables import LATEX, Table, latex_text
from glassnet.report.rendering import markdown_text, template

FIGURES, TABLES = "figures", "tables"

#: What stands within a paragraph, and is not plain text.
INLINE = re.compile(
    r"\\(?P<letter>.)|`(?P<code>[^`]*)`|(?P<formula>\$[^$]+\$)|\*\*(?P<bold>(?:\\.|[^*\\])+)\*\*|(?P<entity>&(?:amp|lt|gt);)"
)
ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}

#: A figure that is so many times as wide as high takes the whole line, others a share of it.
WIDE, SHARE = 1.9, 0.72


@dataclass(frozen=True)
class Captioned:
    """A figure as the document shows it: its caption, and how many times as wide as high it is."""

    caption: str
    ratio: float


def escape_text(text: str) -> str:
    r"""Return a text that stands in the document as it is: a dollar in it begins no formula.

    >>> print(escape_text("a_b costs 5$"))
    a\_b costs 5\$
    """
    return markdown_text(text).replace("$", r"\$")


def split_blocks(text: str) -> list[str]:
    """Return the paragraphs, headings, lists and formulas of a text."""
    return [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]


def write_markdown(
    blocks: list[str],
    figures: Mapping[str, Captioned],
    tables: Mapping[str, Table],
    kind: str = "svg",
    captions: bool = True,
) -> str:
    """Return the document in Markdown; with captions below the figures where the viewer shows none itself."""
    table_of = template("parts.md.jinja").module.table_of  # type: ignore[attr-defined]

    def write(block: str) -> str:
        what, key = _reference(block)
        if what == "figure":
            caption = escape_text(figures[key].caption)
            picture = f"![{caption}]({FIGURES}/{key}.{kind})"
            return f"{picture}\n\n*{caption}*" if captions else picture
        if what == "table":
            caption = escape_text(tables[key].caption)
            rows = re.sub(r"\n+(?=\|)", "\n", str(table_of(tables[key]))).strip()
            return f"**{caption}**\n\n{rows}"
        return block

    return "\n\n".join(map(write, blocks)) + "\n"


def write_latex_body(blocks: list[str], figures: Mapping[str, Captioned]) -> tuple[str, str]:
    """Return the title and the body of the document in LaTeX; tables are read from their own files."""

    def write(block: str) -> str:
        what, key = _reference(block)
        if what == "figure":
            share = 1 if figures[key].ratio >= WIDE else SHARE
            picture = rf"\includegraphics[width={share:g}\linewidth,height=0.8\textheight,keepaspectratio]"
            caption = latex_text(figures[key].caption)
            return (
                "\\begin{figure}[H]\n\\centering\n"
                f"{picture}{{{FIGURES}/{key}.pdf}}\n\\caption{{{caption}}}\n\\end{{figure}}"
            )
        if what == "table":
            return rf"\input{{{TABLES}/{key}.tex}}"
        for start, write_part in BLOCKS.items():
            if block.startswith(start):
                return write_part(block)
        return _inline(block)

    title, *rest = blocks
    # a formula belongs to the paragraph before it, and stands on the same page
    parts = [("\n" if block.startswith("$$") else "\n\n") + write(block) for block in rest]
    return _inline(title.removeprefix("# ")), "".join(parts).strip() + "\n"


def _reference(block: str) -> tuple[str, str]:
    found = re.fullmatch(r"@(figure|table) (\S+)", block)
    return (found[1], found[2]) if found else ("", "")


def _list(block: str) -> str:
    items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
    return "\n".join([r"\begin{itemize}", *(rf"\item {_inline(one.strip())}" for one in items), r"\end{itemize}"])


def _code(block: str) -> str:
    lines = (latex_text(line) for line in block.splitlines()[1:-1])
    return "\\begin{quote}\\ttfamily\\raggedright\n" + "\\\\\n".join(lines) + "\n\\end{quote}"


#: How a block is written, by what it begins with.
BLOCKS: dict[str, Callable[[str], str]] = {
    "### ": lambda block: rf"\subsection{{{_inline(block[4:])}}}",
    "## ": lambda block: rf"\section{{{_inline(block[3:])}}}",
    "$$": lambda block: "\\[\n" + block.strip("$").strip() + "\n\\]",
    "- ": _list,
    "```": _code,
}


def _breakable(code: str) -> str:
    """Return code in LaTeX, which may go on in the next line after a sign: paths are long."""
    return "".join(part.translate(LATEX) + r"\allowbreak{}" for part in re.split(r"(?<=[/=,_-])", code))


def _inline(text: str) -> str:
    """Return a paragraph in LaTeX."""
    parts, end = [], 0
    for found in INLINE.finditer(text):
        parts.append(text[end : found.start()].translate(LATEX))
        end = found.end()
        if found["letter"] is not None:
            parts.append(found["letter"].translate(LATEX))
        elif found["code"] is not None:
            parts.append(rf"\texttt{{{_breakable(found['code'])}}}")
        elif found["bold"] is not None:
            parts.append(rf"\textbf{{{_inline(found['bold'])}}}")
        else:
            parts.append(found["formula"] or ENTITIES[found["entity"]].translate(LATEX))
    return "".join([*parts, text[end:].translate(LATEX)])
