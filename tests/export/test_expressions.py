"""Formulas written in another language say what their NumPy code says."""

import math

import numpy as np
import pytest

from glassnet.export.expressions import Language, write_formula
from glassnet.export.portable import Formula, trace_activation
from glassnet.nn.activations import Activation

LANGUAGE = Language(
    {
        "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "negative": "-{0}",
        "where": "{1} if {0} else {2}", "greater": "{0} > {1}", "less": "{0} < {1}",
        "logical_and": "{0} and {1}",
        "logical_not": "not {0}", "tanh": "math.tanh({0})", "maximum": "max({0}, {1})",
    },
    "float({0})",
    ("False", "True"),
    lambda value: f"{'-' * (value < 0)}math.inf" if math.isinf(value) else repr(value),
)  # fmt: skip


def write(f):
    activation = Activation("mine", f, lambda z, h: h)
    return write_formula(Formula("mine", trace_activation(activation, "float64")), LANGUAGE)


@pytest.mark.parametrize(
    "f",
    [
        lambda z: 1 - (2 - z) - (z - 3) * (z + 1),
        lambda z: -(z - 1) * -z,
        lambda z: np.tanh(z * 2 + 1) * (np.tanh(z) - 1),
        lambda z: np.where(z > 0, z, 2 * z) - 1,
        lambda z: z * np.logical_and(z > 0, np.logical_not(z > 2)) + 0.5,
        lambda z: np.where(np.logical_and(z > -1, z < 1), z < 0, True) * z,
        lambda z: np.maximum(z - 1, np.maximum(1 - z, -np.inf)),
        lambda z: 3.0 + 0 * z,
    ],
)
def test_expressions_have_the_values_of_the_formula(f):
    steps, result = write(f)
    for z in (-1.5, -0.25, 0.5, 3.0):
        names = {"z": z, "math": math}
        for name, expression in steps:
            names[name] = eval(expression, names)
        assert eval(result, names) == pytest.approx(f(np.array([[z]])).item(), rel=1e-15)


def test_what_is_used_twice_is_worked_out_once():
    assert write(lambda z: np.tanh(z) * np.tanh(z) + z) == ((), "(math.tanh(z) * math.tanh(z)) + z")
    assert write(lambda z: (lambda t: t * t + z)(np.tanh(z))) == ((("v1", "math.tanh(z)"),), "(v1 * v1) + z")


def test_a_truth_counts_as_a_number_where_one_is_meant():
    assert write(lambda z: z * (z > 0)) == ((), "z * float(z > 0.0)")
    assert write(lambda z: np.where(np.logical_not(z > 0), z, 1.0)) == ((), "z if (not (z > 0.0)) else 1.0")
