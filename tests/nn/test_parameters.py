import copy
import pickle

import numpy as np
import pytest

from glassnet.errors import UsageError
from glassnet.nn.parameters import Parameters

LAYERS = [2, 3, 4, 1]


def test_views_lie_in_theta_in_the_order_w1_b1_w2_b2():
    p = Parameters(LAYERS, np.float64)
    p.theta[:] = np.arange(len(p.theta))
    assert len(p.theta) == 2 * 3 + 3 + 3 * 4 + 4 + 4 * 1 + 1
    np.testing.assert_array_equal(p.W[0], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(p.b[0], [6, 7, 8])
    np.testing.assert_array_equal(p.W[1], np.arange(9, 21).reshape(3, 4))
    np.testing.assert_array_equal(p.b[1], [21, 22, 23, 24])
    np.testing.assert_array_equal(p.W[2], [[25], [26], [27], [28]])
    np.testing.assert_array_equal(p.b[2], [29])
    assert {name: (block.start, block.stop) for name, block in p.blocks.items()} == {
        "W1": (0, 6), "b1": (6, 9), "W2": (9, 21), "b2": (21, 25), "W3": (25, 29), "b3": (29, 30),
    }  # fmt: skip


def test_gradient_views_write_into_the_gradient_and_not_into_theta():
    p = Parameters(LAYERS, np.float32)
    for number, view in enumerate([p.dW[0], p.db[0], p.dW[1], p.db[1], p.dW[2], p.db[2]], start=1):
        view[...] = number
    np.testing.assert_array_equal(p.gradient, np.repeat([1, 2, 3, 4, 5, 6], [6, 3, 12, 4, 4, 1]))
    assert not p.theta.any()
    assert [dW.shape for dW in p.dW] == [W.shape for W in p.W] == [(2, 3), (3, 4), (4, 1)]


def test_name_says_layer_row_and_column_of_every_index():
    p = Parameters(LAYERS, np.float64)
    expected = [f"W1[{i}, {j}]" for i in range(2) for j in range(3)] + [f"b1[{j}]" for j in range(3)]
    expected += [f"W2[{i}, {j}]" for i in range(3) for j in range(4)] + [f"b2[{j}]" for j in range(4)]
    expected += [f"W3[{i}, 0]" for i in range(4)] + ["b3[0]"]
    assert [p.name(index) for index in range(len(p.theta))] == expected


@pytest.mark.parametrize("index", [-1, 30])
def test_an_index_outside_theta_has_no_name(index):
    with pytest.raises(IndexError):
        Parameters(LAYERS, np.float64).name(index)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_both_vectors_have_the_dtype_and_start_at_zero(dtype):
    p = Parameters([3, 2], dtype)
    assert p.theta.dtype == p.gradient.dtype == dtype
    assert not p.theta.any()
    assert not p.gradient.any()


@pytest.mark.parametrize("layers", [[10**10, 10**10], [10**20, 3]])
def test_what_no_memory_holds_is_refused_with_its_size(layers):
    with pytest.raises(UsageError, match=r"layers: [\d,]+ parameters do not fit into memory"):
        Parameters(layers, np.float32)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_a_duplicate_has_views_into_its_own_vectors(duplicate):
    p = Parameters([2, 1], np.float64)
    p.theta[:] = [1, 2, 3]
    p.gradient[:] = [4, 5, 6]
    again = duplicate(p)
    again.theta[0] = 7
    assert (again.W[0][0, 0], again.db[0][0], p.W[0][0, 0]) == (7, 6, 1)
