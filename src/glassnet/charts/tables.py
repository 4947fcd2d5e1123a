"""Tables: made once, shown as HTML and as Markdown, and written as CSV and as LaTeX."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from decimal import Decimal

from glassnet.charts.axes import LATIN
from glassnet.runtime.csv_text import csv_text
from glassnet.runtime.terminal import escape

#: What stands in place of a number that there is none of.
NONE = "–"

#: A number as a page shows it: 12,346 or 88.43 %.
SHOWN_NUMBER = re.compile(r"([+−-]?)(\d{1,3}(?:,\d{3})+|\d+)((?:\.\d+)?(?:e[+-]?\d+)?)( ?%)?")

#: What LaTeX writes otherwise than it stands; letters that are not here are left to its fonts.
LATEX = str.maketrans(
    {
        **{sign: rf"\{sign}" for sign in "{}$&#%_"},
        **{"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"},
        **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}"},
        **{"−": "$-$", "×": r"$\times$", "±": r"$\pm$", "≤": r"$\le$", "≥": r"$\ge$", "√": r"$\surd$"},
        **{"→": r"$\to$", "↓": r"$\downarrow$", "…": r"\dots{}", "²": r"$^2$", "³": r"$^3$", "Δ": r"$\Delta$"},
        **{"Σ": r"$\Sigma$", "δ": r"$\delta$", "λ": r"$\lambda$", "γ": r"$\gamma$", "‖": r"$\|$"},
    }
)

#: What LaTeX needs beside for letters above `LATIN`.
CHINESE_LATEX = r" \usepackage{ctex}, and XeLaTeX or LuaLaTeX"

#: A column of text with longer cells is set in lines, and a table with more rows over several pages.
LONG_CELL, LONG_TABLE = 40, 40


#: Colours of what is right and of what is wrong: red, green, blue.
RIGHT, WRONG = (29, 78, 216), (217, 119, 6)


def opacity(shade: float) -> float:
    """Return how strongly a cell of this shade is coloured, from 0 to 1; numbers on it can still be read."""
    return min(0.55, (0.5 if shade > 0 else 0.8) * abs(shade))


@dataclass(frozen=True)
class Cell:
    """A cell with more to it than its text.

    `shade`, from -1 to 1, says how strongly it is coloured: below zero as wrong, above as right. `full` is what
    the text is short for: it is seen when the cell is pointed at, and in Markdown and in files in its place.
    `address` is where it leads to. A `foreign` text is in English, whatever the page's language. Behind a number
    stands a `bar`, a share of the cell from 0 to 1.
    """

    text: str
    shade: float = 0.0
    bold: bool = False
    code: bool = False
    full: str = ""
    address: str = ""
    foreign: bool = False
    bar: float = 0.0


#: A cell for programs.
Number = str | float | None

#: Cells row by row; one that is only a text may be given as that.
Rows = list[list[str | Cell]]


@dataclass(frozen=True)
class Table:
    """A table whose first column says what each row is.

    The columns in `text` are set left, the others hold numbers. `note` stands below. A `turned` header stands
    upright over narrow columns. The cells of a `dense` table are a matrix, close together. `key` is what its
    files are called, in letters, digits and hyphens; `numbers` are the cells of its CSV where these say more than
    what is shown, a header first.
    """

    caption: str
    header: list[str]
    rows: Rows
    text: tuple[int, ...] = (0,)
    note: str = ""
    turned: bool = False
    dense: bool = False
    key: str = ""
    numbers: list[list[Number]] = field(default_factory=list)

    @property
    def cells(self) -> list[list[Cell]]:
        """The rows, every cell with all there is to it."""
        return [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in self.rows]

    def to_csv(self) -> str:
        """Return the table as CSV: numbers without commas, shares in place of percents, nothing for a dash.

        Examples
        --------
        >>> rows = [["shoe, black", "1,200", "88.43 %"], ["hat", "7", "–"]]
        >>> table = Table("Rows", ["class", "rows", "right"], rows)
        >>> print(table.to_csv(), end="")
        class,rows,right
        "shoe, black",1200,0.8843
        hat,7,
        """
        if self.numbers:
            return csv_text(self.numbers)
        rows = [
            [
                cell.full or cell.text if place in self.text else _plain_number(cell.text)
                for place, cell in enumerate(row)
            ]
            for row in self.cells
        ]
        return csv_text([self.header, *rows])

    def to_html(self) -> str:
        """Return the table for a notebook, without style or script.

        Examples
        --------
        >>> print(Table("Rows", ["class", "rows"], [["<b>", Cell("7", bold=True)]]).to_html())
        <table><caption>Rows</caption>
        <tr><th>class</th><th>rows</th></tr>
        <tr><td>&lt;b&gt;</td><td><b>7</b></td></tr>
        </table>
        """
        head = "".join(f"<th>{_html(one)}</th>" for one in self.header)
        rows = [
            "".join(f"<td>{f'<b>{_html(one.text)}</b>' if one.bold else _html(one.text)}</td>" for one in row)
            for row in self.cells
        ]
        lines = [f"<tr>{row}</tr>" for row in (head, *rows)]
        return "\n".join([f"<table><caption>{_html(self.caption)}</caption>", *lines, "</table>"])

    def to_latex(self) -> str:
        r"""Return the table for LaTeX, with the rules of booktabs; a comment says which packages it needs.

        Examples
        --------
        >>> print(Table("Rows & more", ["class", "rows"], [["a_b", Cell("7", bold=True)]]).to_latex())
        % needs \usepackage{booktabs}
        \begin{table}[htbp]
        \centering
        \caption{Rows \& more}
        \begin{tabular}{lr}
        \toprule
        class & rows \\
        \midrule
        a\_b & \textbf{7} \\
        \bottomrule
        \end{tabular}
        \end{table}
        <BLANKLINE>
        """
        header = [latex_text(head) for head in self.header]
        if self.turned:
            header = [header[0], *(rf"\rotatebox{{90}}{{{head}}}" for head in header[1:])]
        lines = [" & ".join(map(_latex_cell, row)) + r" \\" for row in self.cells]
        long = len(lines) > LONG_TABLE
        needed = ["booktabs", *(["graphicx"] if self.turned else []), *(["longtable"] if long else [])]
        head = [r"\toprule", " & ".join(header) + r" \\", r"\midrule"]
        columns, caption = self._latex_columns(), rf"\caption{{{latex_text(self.caption)}}}"
        note = [rf"\par\smallskip\footnotesize {latex_text(self.note)}"] if self.note else []
        if long:
            body = [rf"\begin{{longtable}}{{{columns}}}", rf"{caption} \\", *head, r"\endhead"]
            body += [*lines, r"\bottomrule", r"\end{longtable}", *([f"{{{note[0]}\\par}}"] if note else [])]
        else:
            body = [r"\begin{table}[htbp]", r"\centering", caption, rf"\begin{{tabular}}{{{columns}}}"]
            body += [*head, *lines, r"\bottomrule", r"\end{tabular}", *note, r"\end{table}"]
        shaded = any(cell.shade for row in self.cells for cell in row)
        needs = rf"% needs \usepackage{{{','.join(needed)}}}" + r" \usepackage[table]{xcolor}" * shaded
        text = "\n".join([*body, ""])
        chinese = any(ord(letter) > LATIN for letter in text)
        return f"{needs}{CHINESE_LATEX * chinese}\n{text}"

    def _latex_columns(self) -> str:
        """Return how the columns are set: text left, in lines where it is long; numbers right."""
        widths = [
            max((len(row[place].text) for row in self.cells), default=0) for place in range(len(self.header))
        ]
        long = [place for place in self.text if widths[place] > LONG_CELL]
        share = f"p{{{0.75 / len(long):.2g}\\linewidth}}" if long else ""
        return "".join(
            share if place in long else "l" if place in self.text else "r" for place in range(len(self.header))
        )


def _html(text: str) -> str:
    return html.escape(escape(text))


def _plain_number(text: str) -> str:
    """Return a number as programs read it; nothing for a dash, and any other text as it is."""
    if text == NONE:
        return ""
    found = SHOWN_NUMBER.fullmatch(text)
    if found is None:
        return text
    sign, whole, rest, percent = found.groups()
    plain = f"{sign.replace('−', '-')}{whole.replace(',', '')}{rest}"
    return f"{Decimal(plain) / 100:f}" if percent else plain


def latex_text(text: str) -> str:
    r"""Return a text that LaTeX writes as it stands.

    >>> print(latex_text(r"50 % of C:\a_b ~ x² → {y}"))
    50 \% of C:\textbackslash{}a\_b \textasciitilde{} x$^2$ $\to$ \{y\}
    """
    return " ".join(escape(text).split()).translate(LATEX)


def _latex_cell(cell: Cell) -> str:
    text = latex_text(cell.full or cell.text)
    for wanted, command in ((cell.code, "texttt"), (cell.bold, "textbf")):
        text = rf"\{command}{{{text}}}" if wanted and text else text
    return rf"\cellcolor[RGB]{{{_blend(cell.shade)}}}{text}" if cell.shade else text


def _blend(shade: float) -> str:
    """Return the colour of a shade on white paper: red, green, blue."""
    share, colour = opacity(shade), RIGHT if shade > 0 else WRONG
    return ",".join(str(round(255 + share * (part - 255))) for part in colour)
