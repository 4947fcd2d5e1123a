"""The formulas of the explain page as LaTeX."""

import pytest

from glassnet.assignment.latex_formulas import write_latex
from glassnet.graph.equations import mean_over_rows, square
from glassnet.graph.notation import Name, brackets, factor, fraction, numeral, transpose


@pytest.mark.parametrize(
    ("mathml", "latex"),
    [
        (Name("w", 2, (3, 1)).mathml, "w_{3,1}^{(2)}"),
        (Name("delta", 1).mathml, r"\delta^{(1)}"),
        (Name("x", None, (0,)).mathml, "x_{0}"),
        (transpose(Name("W", 2).mathml), "W^{(2)T}"),
        (square(brackets(Name("h").mathml)), "{(h)}^{2}"),
        (fraction(numeral(1), factor(-2.5)), r"\frac{1}{(-2.5)}"),
        (numeral(-1.5e-7), r"-1.5\cdot {10}^{-7}"),
        (mean_over_rows(4, Name("L").mathml), r"\frac{1}{4}\cdot \sum_{\text{rows}}L"),
    ],
)
def test_every_kind_of_formula(mathml, latex):
    assert write_latex(mathml) == latex


def test_an_element_that_is_not_known_is_an_error_and_not_left_out():
    with pytest.raises(KeyError):
        write_latex("<mtable><mtr><mtd><mn>1</mn></mtd></mtr></mtable>")
