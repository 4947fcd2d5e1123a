"""Backpropagation in 3, 2 and 1 units, as the document goes through it."""

import re

import numpy as np
import pytest

from glassnet.assignment.walk import explain_backpropagation, gradient_table
from glassnet.graph.example_network import example_network, example_sample
from glassnet.graph.notation import number
from glassnet.locales.catalogue import Words


@pytest.fixture(scope="module")
def explained():
    return explain_backpropagation(Words("en"))


@pytest.fixture(scope="module")
def network():
    """The network of the explain page, with its gradient by the recursion."""
    network = example_network([3, 2, 1])
    network.backward(network.forward(example_sample(network)[0]), example_sample(network)[1])
    return network


def equations_of(steps):
    return [one for step in steps for one in step.equations]


def test_all_derivatives_by_weights_and_biases_are_there_with_their_numbers(explained, network):
    shown = equations_of(explained.elements.backward)
    for layer, (dW, db) in enumerate(zip(network.dW, network.db, strict=True), start=1):
        for (i, j), value in np.ndenumerate(dW):
            name = rf"\frac{{\partial L}}{{\partial w_{{{i},{j}}}^{{({layer})}}}}&="
            [found] = [one for one in shown if one.startswith(name)]
            assert found.endswith(f"={number(value).replace('−', '-')}")
        for (j,), value in np.ndenumerate(db):
            name = rf"\frac{{\partial L}}{{\partial b_{{{j}}}^{{({layer})}}}}&="
            [found] = [one for one in shown if one.startswith(name)]
            assert found.endswith(f"={number(value).replace('−', '-')}")


def test_the_pass_forwards_ends_at_the_loss(explained):
    for walk in (explained.elements, explained.matrices):
        assert equations_of(walk.forward)[-1].endswith(f"={number(explained.operations.loss)}")
    assert [step.title for step in explained.elements.forward] == ["Neuron", "Neuron", "Neuron", "The loss"]


def test_long_equations_have_a_row_with_letters_and_one_with_numbers(explained):
    first = explained.elements.forward[0].equations
    assert first[0].startswith(r"z_{0}^{(1)}&=x_{0}\cdot w_{0,0}^{(1)}+")
    assert first[1].startswith(r"z_{0}^{(1)}&=0.31\cdot 0.97+")
    assert all(one.count("&") == 1 for walk in ("elements", "matrices") for one in everything(explained, walk))


def everything(explained, walk):
    found = getattr(explained, walk)
    return equations_of(found.forward + found.backward)


def test_latex_has_no_sign_left_that_it_cannot_write(explained):
    for language in ("en", "zh"):
        said = explain_backpropagation(Words(language))
        formulas = [*everything(said, "elements"), *everything(said, "matrices"), *said.given]
        assert not re.search(r"[^\x20-\x7e]", "".join(formulas))


def test_what_is_given_are_sample_target_and_parameters(explained, network):
    assert explained.given[0] == r"X=\begin{pmatrix}0.31 & -0.35 & -0.67\end{pmatrix}"
    assert explained.given[1] == "y=1"
    assert explained.given[-1] == f"b^{{(2)}}={network.b[1][0]:g}"
    assert len(explained.given) == 6


def test_the_table_has_each_derivative_three_ways(explained, network):
    table = gradient_table(explained.agreement, Words("en"))
    assert len(table.rows) == len(network.theta) == 11
    by_recursion = [float(row[1].replace("−", "-")) for row in table.rows]
    assert by_recursion == pytest.approx([one.recursion for one in explained.agreement.derivatives], rel=1e-5)
    assert [row[1] for row in table.rows] == [row[2] for row in table.rows]
