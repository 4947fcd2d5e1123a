"""Rows through layers in one compiled call."""

import itertools

import numpy as np
import pytest

from glassnet.runtime.forward_pass import ROWS, compile_layers

pytest.importorskip("numba")


CHAIN = (2**40, 1, 1)


def chain(A, B, terms):
    """A B in float32 over these terms, a chain of fused multiply-adds: in float64, a product of two is exact."""
    Z = np.zeros((len(A), B.shape[1]), np.float32)
    for k in terms:
        Z = (Z + A[:, k : k + 1].astype(np.float64) * B[k]).astype(np.float32)
    return Z


def multiply(A, B, order):
    """A B in float32, whose terms are added up in an order."""
    most, unit, group = order
    first, Z = 0, 0
    while first < len(B):
        left = len(B) - first
        block = min(left, most) if left <= most or left >= 2 * most else -(-(left // 2) // unit) * unit
        whole = block // group * group if group > 1 else 0
        one = [*range(first, first + whole, 2), *range(first + whole, first + block)]
        Z = Z + (chain(A, B, one) + chain(A, B, range(first + 1, first + whole, 2)))
        first += block
    return Z


@pytest.mark.parametrize("order", [CHAIN, (16, 4, 1), (10, 8, 8), (12, 4, 4)])
@pytest.mark.parametrize("layers", [(7, 1), (20, 33, 3), (5, 64, 17, 40)])
def test_rows_from_one_to_another_are_passed_and_no_others(layers, order):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2 * ROWS, layers[0])).astype(np.float32)
    X.flags.writeable = False
    plan, theta, expected, first_units = [], [], X, None
    for d_in, d_out in itertools.pairwise(layers):
        W, b = rng.normal(size=(d_in, d_out)).astype(np.float32), rng.normal(size=d_out).astype(np.float32)
        first, rectified = sum(map(np.size, theta)), d_out != layers[-1]
        plan.append([d_in, d_out, first, first + W.size, rectified, *order])
        theta += [W.ravel(), b]
        expected = multiply(expected, W, order) + b
        first_units = expected[:, 0].copy() if first_units is None else first_units
        expected = np.maximum(expected, 0) if rectified else expected
    outputs = np.full((2 * ROWS, layers[-1]), np.nan, np.float32)
    theta = np.concatenate(theta)
    theta.flags.writeable = layers[0] == 7  # as a user may have left it
    found = compile_layers(np.dtype("float32"))(X, theta, np.array(plan), outputs, 3, ROWS + 9)
    np.testing.assert_array_equal(outputs[3 : ROWS + 9], expected[3 : ROWS + 9])
    assert np.isnan(outputs[:3]).all()
    assert np.isnan(outputs[ROWS + 9 :]).all()
    total = sum(numbers[3 : ROWS + 9].sum(dtype=np.float64) for numbers in (expected, first_units))
    assert found == pytest.approx(total, rel=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_sum_shows_a_number_that_relu_hides_and_nan_stays_nan(bad):
    run = compile_layers(np.dtype("float64"))
    X, outputs = np.zeros((9, 1)), np.zeros((9, 1))
    theta, plan = np.array([-1.0, 0.5]), np.array([[1, 1, 0, 1, 1, *CHAIN]])
    assert run(X, theta, plan, outputs, 0, 9) == 2 * 9 * 0.5
    X[4] = bad
    assert not np.isfinite(run(X, theta, plan, outputs, 0, 9))
    assert (outputs[np.arange(9) != 4] == 0.5).all()
    np.testing.assert_array_equal(outputs[4], np.nan if np.isnan(bad) else 0)
