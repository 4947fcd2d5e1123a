"""The document's text, as Markdown and as LaTeX."""

from glassnet.assignment.markup import Captioned, escape_text, split_blocks, write_latex_body, write_markdown
from glassnet.charts.tables import Table

TEXT = r"""# A title with 5 %

## The data

A **bold word**, `code_with/a_path` and $x_0 < 1$ & more:

$$
x = 1
$$

- first_one
- **second**: $y$

```
glassnet assignment a_b
```

@figure data

@table plans
"""

FIGURES = {"data": Captioned("100 % of the data", 2.5)}
TABLES = {"plans": Table("The plans", ["plan", "n"], [["a_b", "1"]], key="plans")}


def test_latex_has_every_part():
    title, body = write_latex_body(split_blocks(TEXT.replace("&", "&amp;")), FIGURES)
    assert title == r"A title with 5 \%"
    assert body.startswith("\\section{The data}\n\n")
    assert r"A \textbf{bold word}, " in body
    assert r"\texttt{code\_\allowbreak{}with/\allowbreak{}a\_\allowbreak{}path\allowbreak{}}" in body
    assert r"and $x_0 < 1$ \& more:" in body
    assert "more:\n\\[\nx = 1\n\\]" in body  # no paragraph ends before a formula
    assert "\\begin{itemize}\n\\item first\\_one\n\\item \\textbf{second}: $y$\n\\end{itemize}" in body
    assert "glassnet assignment a\\_b\n\\end{quote}" in body
    assert "width=1\\linewidth" in body
    assert "{figures/data.pdf}\n\\caption{100 \\% of the data}" in body
    assert body.endswith("\\input{tables/plans.tex}\n")


def test_a_picture_that_is_not_wide_takes_a_part_of_the_line():
    _, body = write_latex_body(["# t", "@figure data"], {"data": Captioned("c", 1.0)})
    assert r"width=0.72\linewidth" in body


def test_markdown_shows_figures_and_tables():
    text = write_markdown(split_blocks(TEXT), FIGURES, TABLES)
    assert "![100 % of the data](figures/data.svg)\n\n*100 % of the data*" in text
    assert "**The plans**\n\n| plan | n |\n| :-- | --: |\n| a\\_b | 1 |\n" in text
    assert "*100 % of the data*" not in write_markdown(split_blocks(TEXT), FIGURES, TABLES, "png", captions=False)
    assert "(figures/data.png)" in write_markdown(split_blocks(TEXT), FIGURES, TABLES, "png")


def test_a_name_of_the_data_stays_a_name():
    """Nothing that a name may hold becomes a command of LaTeX, or a formula."""
    name = r"\input{secret} $x$ **b** `c` <i> & a_b #1 50% ~ {}"
    _, body = write_latex_body(["# t", f"On {escape_text(name)} it was"], {})
    shown = r"\textbackslash{}input\{secret\} \$x\$ **b** `c` \textless{}i\textgreater{} \& a\_b \#1 50\% "
    assert body == rf"On {shown}\textasciitilde{{}} \{{\}} it was" + "\n"
