"""Symbols and numbers, written for a picture, a page and plain text."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.graph.figure import PALETTES
from glassnet.graph.notation import (
    OTHERS,
    PRODUCT,
    Name,
    Shown,
    brackets,
    factor,
    fraction,
    hold,
    identifier,
    length,
    number,
    numeral,
    partial,
    row,
    sign,
    transpose,
)

FLOATS = st.floats(-1e300, 1e300, allow_subnormal=False)


def text_of(mathml):
    return "".join(ElementTree.fromstring(f"<math>{mathml}</math>").itertext())


def tags(element):
    """An element as its tag and what is in it, its style left out."""
    return (element.tag, *map(tags, element)) if len(element) else f"{element.tag} {element.text}"


@given(value=FLOATS, digits=st.integers(1, 6))
def test_a_number_keeps_its_first_digits(value, digits):
    written = number(value, digits)
    assert "-" not in written
    assert float(written.replace("−", "-")) == pytest.approx(value, rel=0.51 * 10.0 ** (1 - digits))
    mantissa = written.partition("e")[0].replace("−", "").replace(".", "").lstrip("0")
    assert len(mantissa) <= digits


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1, "1"),
        (0.1 + 0.2, "0.3"),
        (-1234.56, "−1235"),
        (12345.6, "1.235e4"),
        (-2e-10, "−2e−10"),
        (9999.6, "1e4"),
        (np.float64(0.5), "0.5"),
        (1e300, "1e300"),
        (0.000123456, "0.0001235"),
        (np.nan, "nan"),
        (np.inf, "inf"),
        (-np.inf, "−inf"),
    ],
)
def test_numbers(value, written):
    assert number(value) == written


def test_a_length_overflows_no_sooner_than_its_largest_number():
    assert length(np.array([[3e300, 4e300]])) == 5e300
    assert length(np.zeros((2, 2))) == 0
    assert length(np.array([[-3.0, -4.0]])) == 5


@given(value=FLOATS)
def test_a_numeral_says_its_number(read, value):
    expected = float(number(value).replace("−", "-"))
    assert read(numeral(value)) == pytest.approx(expected, rel=1e-12)


@given(values=st.lists(FLOATS.filter(lambda x: abs(x) < 1e50), min_size=2, max_size=3))
def test_numbers_multiplied_have_brackets_where_one_is_negative(read, values):
    written = sign("·").join(factor(value) for value in values)
    expected = np.prod([float(number(value).replace("−", "-")) for value in values])
    assert read(written) == pytest.approx(expected, rel=1e-12)
    assert ("(" in text_of(written)) == any(number(value).startswith("−") for value in values)


def test_a_number_that_the_page_computes_again_has_its_brackets_inside():
    shown = Shown(numeral(-2.0), "7")
    (place,) = ElementTree.fromstring(f"<math>{hold(shown, PRODUCT)}</math>")
    assert (place.get("data-n"), "".join(place.itertext())) == ("7", "(−2)")


LAYER = "mn (2)"


@pytest.mark.parametrize(
    ("name", "plain", "mathtext", "mathml"),
    [
        (Name("L"), "L", "$L$", "mi L"),
        (Name("x", None, (2,)), "x[2]", "$x_{2}$", ("msub", "mi x", "mn 2")),
        (Name("w", 2, (3, 1)), "w2[3, 1]", "$w^{(2)}_{3,1}$", ("msubsup", "mi w", "mn 3,1", LAYER)),
        (Name("w", 2, (OTHERS, 1)), "w2[…, 1]", "$w^{(2)}_{…,1}$", ("msubsup", "mi w", "mi …,1", LAYER)),
        (Name("delta", 2, ("j",)), "delta2[j]", "$\\delta^{(2)}_{j}$", ("msubsup", "mi δ", "mi j", LAYER)),
        (Name("Z", 2), "Z2", "$Z^{(2)}$", ("msup", "mi Z", LAYER)),
    ],
)
def test_names(name, plain, mathtext, mathml):
    assert (str(name), name.mathtext) == (plain, mathtext)
    assert tags(ElementTree.fromstring(name.mathml)) == mathml


def test_a_transposed_matrix_has_its_t_beside_its_layer():
    assert transpose(Name("W", 2).mathml) == "<msup><mi>W</mi><mrow><mn>(2)</mn><mi>T</mi></mrow></msup>"
    assert text_of(transpose(Name("H", 2, (OTHERS,)).mathml)) == f"H{OTHERS}(2)T"
    assert transpose(Name("X", None).mathml) == "<msup><mrow><mi>X</mi></mrow><mi>T</mi></msup>"


def test_what_mathml_would_take_for_markup_is_escaped():
    for written in (identifier("a<b&c"), sign("<"), Name("a<b&c", 1, (0,)).mathml):
        assert text_of(written)[:1] in "a<"
    assert text_of(identifier("a<b&c")) == "a<b&c"


def test_pieces_of_formulas(read):
    x, y = identifier("x"), identifier("y")
    names = {x: 3.0, y: 4.0}
    assert read(fraction(x + sign("+") + y, y), names) == 7 / 4
    assert read(brackets(x + sign("−") + y) + sign("·") + y, names) == -4
    assert read(row(x, sign("+"), y), names) == 7
    assert text_of(partial(x, y)) == "∂x∂y"


def test_brackets_are_as_high_as_the_cases_in_them_and_a_line_otherwise():
    assert 'stretchy="false"' in brackets(fraction(numeral(1), numeral(2)))
    assert "stretchy" not in brackets("<mtable><mtr><mtd><mn>1</mn></mtd></mtr></mtable>")


@pytest.mark.parametrize(
    "wrong",
    ["1·−2", "1+−2", "(1", "1 2", "1^2^3", "(1+2)+3^2"],
)
def test_the_reader_of_these_tests_takes_signs_as_they_stand(read, wrong):
    """A reader that guessed would let missing brackets pass."""
    one, two = "<mn>1</mn>", "<mn>2</mn>"
    formulas = {
        "1·−2": one + sign("·") + numeral(-2),
        "1+−2": one + sign("+") + numeral(-2),
        "(1": row(sign("("), one),
        "1 2": row(one, two),
        "1^2^3": f"<msup><mrow><msup>{one}{two}</msup></mrow>{two}</msup>",
        "(1+2)+3^2": f"<msup>{row(brackets(one + sign('+') + two), sign('+'), two)}{two}</msup>",
    }
    with pytest.raises(SyntaxError):
        read(formulas[wrong])


def test_every_colour_is_in_both_palettes():
    assert PALETTES["light"].keys() == PALETTES["dark"].keys()


@pytest.mark.parametrize(
    ("name", "plain", "sign", "mathtext", "mathml"),
    [
        (Name("x^", 1, (2,)), "x^1[2]", "x\u0302", r"$\hat{x}^{(1)}_{2}$", "<mi>x</mi><mo>^</mo></mover>"),
        (Name("H~", 1), "H~1", "H\u0303", r"$\tilde{H}^{(1)}$", "<mi>H</mi><mo>~</mo></mover>"),
        (Name("g", 1, (0,)), "g1[0]", "γ", r"$\gamma^{(1)}_{0}$", "<mi>γ</mi>"),
        (Name("mu", 2), "mu2", "μ", r"$\mu^{(2)}$", "<mi>μ</mi>"),
    ],
    ids=str,
)
def test_letters_of_batch_normalisation_and_dropout(name, plain, sign, mathtext, mathml):
    assert (str(name), name.sign, name.mathtext) == (plain, sign, mathtext)
    assert name.mathml.startswith(("<msub", "<msup"))
    assert name.mathml.count(mathml) == 1
