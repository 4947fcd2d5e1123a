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


# Batch normalisation

#: 2-3-4-1 where the first and second hidden layer normalise, or the second only.
BOTH, SECOND = [True, True, False], [False, True, False]


def test_a_scale_stands_behind_the_bias_of_its_layer():
    p = Parameters(LAYERS, np.float64, SECOND)
    p.theta[:] = np.arange(len(p.theta))
    assert {name: (block.start, block.stop) for name, block in p.blocks.items()} == {
        "W1": (0, 6), "b1": (6, 9), "W2": (9, 21), "b2": (21, 25), "g2": (25, 29), "W3": (29, 33), "b3": (33, 34),
    }  # fmt: skip
    np.testing.assert_array_equal(p.gamma[1], [25, 26, 27, 28])
    np.testing.assert_array_equal(p.W[2], [[29], [30], [31], [32]])
    assert (p.gamma[0], p.gamma[2], p.dgamma[0], p.dgamma[2]) == (None,) * 4
    p.dgamma[1][:] = 5
    assert np.flatnonzero(p.gradient).tolist() == [25, 26, 27, 28]
    assert [p.name(index) for index in (24, 25, 28, 29)] == ["b2[3]", "g2[0]", "g2[3]", "W3[0, 0]"]


def test_statistics_are_vectors_of_their_own_and_begin_at_mean_0_and_variance_1():
    p = Parameters(LAYERS, np.float32, BOTH)
    assert p.statistics.tolist() == [0] * 3 + [1] * 3 + [0] * 4 + [1] * 4
    assert p.statistics.dtype == np.float32
    for number, view in enumerate([p.mean[0], p.variance[0], p.mean[1], p.variance[1]]):
        view[:] = number
    assert p.statistics.tolist() == [0] * 3 + [1] * 3 + [2] * 4 + [3] * 4
    assert (p.mean[2], p.variance[2]) == (None, None)
    assert not p.theta.any()
    alone = Parameters(LAYERS, np.float64, SECOND)
    assert [None if v is None else len(v) for v in alone.mean + alone.variance] == [None, 4, None] * 2
    assert len(alone.statistics) == 8
    assert len(Parameters(LAYERS, np.float64).statistics) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_the_like_of_parameters_has_copies_of_theta_and_the_statistics(dtype):
    p = Parameters(LAYERS, np.float64, BOTH)
    p.theta[:], p.gradient[:], p.statistics[:] = 3, 4, 5
    other = p.like(dtype)
    assert {v.dtype for v in (other.theta, other.gradient, other.statistics)} == {np.dtype(dtype)}
    assert (other.layers, other.batch_norm, list(other.blocks)) == (p.layers, p.batch_norm, list(p.blocks))
    assert ((other.theta == 3).all(), (other.gradient == 0).all(), (other.statistics == 5).all()) == (True,) * 3
    other.gamma[0][:] = other.mean[1][:] = 7
    assert ((p.theta == 3).all(), (p.statistics == 5).all()) == (True, True)
    assert (other.theta == 7).sum() == 3
    assert (other.statistics == 7).sum() == 4


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_a_duplicate_has_its_own_scales_and_statistics(duplicate):
    p = Parameters(LAYERS, np.float64, SECOND)
    p.theta[:], p.gradient[:], p.statistics[:] = 1, 2, 3
    again = duplicate(p)
    assert (again.batch_norm, again.layers) == (tuple(SECOND), tuple(LAYERS))
    assert [(v == k).all() for k, v in enumerate((again.theta, again.gradient, again.statistics), 1)] == [True] * 3
    again.gamma[1][:] = again.dgamma[1][:] = again.variance[1][:] = 9
    assert [(v == 9).sum() for v in (again.theta, again.gradient, again.statistics)] == [4, 4, 4]
    assert [(v == k).all() for k, v in enumerate((p.theta, p.gradient, p.statistics), 1)] == [True] * 3
