"""The compiled pass takes over where it pays, and changes no bit."""

import contextlib
from collections import defaultdict

import numpy as np
import pytest

from glassnet.nn import fused_layers
from glassnet.nn.activations import Activation
from glassnet.nn.fused_layers import Run, split_into_runs
from glassnet.nn.network import Network
from glassnet.nn.row_products import CHAIN, ROWS, adds_as_known
from glassnet.runtime import forward_pass
from glassnet.runtime.compilation import announcing

RNG = np.random.default_rng(0)


@pytest.fixture
def fresh(monkeypatch):
    """A process that has not multiplied yet, on a machine whose BLAS adds up in a known order."""
    monkeypatch.setattr(fused_layers, "_passes", {})
    monkeypatch.setattr(fused_layers, "adds_as_known", lambda: True)
    monkeypatch.setattr(fused_layers, "_spent", defaultdict(float))
    caches = fused_layers._plan_runs, fused_layers._find_order
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("layers", "options"),
    [
        ([30, 100, 17, 10], {}),
        ([784, 28, 3], {"activation": "tanh"}),
        ([1003, 40, 2], {}),
        ([30, 40, 20, 1], {"loss": "mse", "output_scale": 3.0}),
        ([30, 40, 20, 12], {"batch_norm": [False, True]}),
        ([30, 64, 20, 12], {"activation": ["relu", "gelu"], "output_activation": "relu", "loss": "mse"}),
    ],
)
def test_it_takes_over_with_the_same_bits(dtype, layers, options, fresh, monkeypatch):
    pytest.importorskip("numba")
    network = Network(layers, dtype=dtype, seed=1, **options)
    network.theta[:] = RNG.normal(size=len(network.theta)) / 4
    X = RNG.normal(size=(300, layers[0]))
    before = network.outputs(X)
    assert not fused_layers._passes
    monkeypatch.setattr(fused_layers, "LOADED_AFTER", 0)
    np.testing.assert_array_equal(network.outputs(X), before)
    if adds_as_known():  # where BLAS adds up otherwise, NumPy's passes go on
        assert any(run.plan is not None for run in split_into_runs(network.parameters, network.activations))
    for n in (1, 2, ROWS + 1, 129):
        np.testing.assert_array_equal(network.outputs(X[:n]), before[:n])
        np.testing.assert_array_equal(network.outputs(np.asfortranarray(X[-n:])), before[-n:])


def test_layers_go_together_up_to_an_activation_that_is_not_compiled(fresh, monkeypatch):
    monkeypatch.setattr(fused_layers, "_find_order", lambda d_in, d_out, kind: None if d_out == 3 else CHAIN)
    activations = ["relu", "identity", "gelu", "relu", "relu", "relu"]
    network = Network([5, 6, 7, 8, 9, 4, 3, 2], activations, batch_norm=[layer == 4 for layer in range(6)])
    alone = split_into_runs(network.parameters, network.activations)
    assert alone == [Run(layer, None, layer) for layer in range(7)]
    monkeypatch.setitem(fused_layers._passes, "f", lambda *arguments: 0.0)
    runs = split_into_runs(network.parameters, network.activations)
    assert [(run.first, run.plan is not None and len(run.plan), run.activated) for run in runs] == [
        (0, 3, 2), (3, 1, None), (4, False, 4), (5, False, 5), (6, 1, None),
    ]  # fmt: skip
    assert [row[4] for run in runs if run.plan is not None for row in run.plan.tolist()] == [1, 0, 0, 1, 0]
    blocks = network.parameters.blocks
    for run in (run for run in runs if run.plan is not None):
        for layer, (d_in, d_out, w, b, *_) in enumerate(run.plan.tolist(), start=run.first + 1):
            assert network.W[layer - 1].shape == (d_in, d_out)
            assert (w, b) == (blocks[f"W{layer}"].start, blocks[f"b{layer}"].start)


def test_an_activation_of_ones_own_is_not_taken_for_another(fresh, monkeypatch):
    monkeypatch.setattr(fused_layers, "_find_order", lambda d_in, d_out, kind: CHAIN)
    monkeypatch.setitem(fused_layers._passes, "f", lambda *arguments: 0.0)
    relu = Network([5, 6, 2]).activations[0]
    network = Network([5, 6, 2], Activation("relu", lambda z: np.maximum(z, -1), relu.f_prime))
    assert [run.activated for run in split_into_runs(network.parameters, network.activations)] == [0, None]


def test_products_of_other_bits_are_not_taken(fresh, monkeypatch):
    network, X = Network([20, 40, 32]), RNG.normal(size=(50, 20))
    expected = network.outputs(X)

    def run(X, theta, plan, outputs, first, last):
        d_in, d_out, w, b = plan[0, :4]
        outputs[:] = X @ theta[w:b].reshape(d_in, d_out) * np.float32(1.0001)
        return 0.0

    monkeypatch.setitem(fused_layers._passes, "f", run)
    np.testing.assert_array_equal(network.outputs(X), expected)


def test_a_few_rows_do_not_wait_for_the_compiler(fresh, monkeypatch):
    """They take what is on the disk; many rows have it compiled."""
    network, asked, told = Network([20, 40, 32]), [], []

    def compile_layers(dtype):
        from glassnet.runtime.compilation import _announce

        asked.append(dtype)
        _announce()
        raise RuntimeError("no compiler")

    monkeypatch.setattr(forward_pass, "compile_layers", compile_layers)
    monkeypatch.setattr(fused_layers, "LOADED_AFTER", 4 * fused_layers.FEW_SECONDS)
    with announcing(lambda: told.append(True)), contextlib.suppress(RuntimeError):
        for _ in range(3):
            network.outputs(RNG.normal(size=(ROWS, 20)))
    assert (len(asked), told, fused_layers._passes) == (1, [], {})
    monkeypatch.setattr(fused_layers, "LOADED_AFTER", 0)
    for _ in range(3):
        network.outputs(RNG.normal(size=(50, 20)))
    assert (len(asked), fused_layers._passes) == (2, {"f": None})
