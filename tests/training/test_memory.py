"""Networks and batches that memory does not hold are refused before training begins, with what would fit."""

import numpy as np
import pytest

from glassnet import Dataset, Network, fit
from glassnet.errors import UsageError
from glassnet.graph import computation_graph
from glassnet.nn import parameters
from glassnet.nn.parameters import count_parameters
from glassnet.training import memory

DATA = Dataset.from_arrays(np.random.default_rng(0).normal(size=(3000, 4)), np.arange(3000) % 2)


def give(monkeypatch, count):
    monkeypatch.setattr(memory, "available_memory", lambda: count)


def test_a_network_that_does_not_fit_is_refused_with_the_widest_that_does(monkeypatch):
    give(monkeypatch, 40_000_000)
    with pytest.raises(
        UsageError, match=r"layers: training needs [\d.]+ MB more of memory, and 40.0 MB are free"
    ) as no:
        fit(Network([4, 9000, 2]), DATA, epochs=1, kernels="numpy", progress=False)
    units = int(str(no.value).split("at most ")[1].split()[0].replace(",", ""))
    # four float32 vectors beside theta and the gradient, and four matrices of 1,024 rows
    assert units == (40_000_000 // 4 - 4 * 2 - 4 * 1024 * 6) // (4 * 7 + 4 * 1024)
    fit(Network([4, units, 2]), DATA, epochs=1, kernels="numpy", progress=False, samples_per_epoch=128)
    with pytest.raises(UsageError, match="training needs"):
        fit(Network([4, units + 1, 2]), DATA, epochs=1, kernels="numpy", progress=False)


def test_a_batch_that_does_not_fit_is_refused_with_the_largest_that_does(monkeypatch):
    give(monkeypatch, 64_000_000)
    with pytest.raises(UsageError, match=r"batch_size: training needs .* take at most 1,") as no:
        fit(Network([4, 3000, 2]), DATA, epochs=1, batch_size=2000, kernels="numpy", progress=False)
    rows = int(str(no.value).split("at most ")[1].split()[0].replace(",", ""))
    fit(Network([4, 3000, 2]), DATA, epochs=1, batch_size=rows, kernels="numpy", progress=False)


def test_without_hidden_layers_the_data_are_what_does_not_fit(monkeypatch):
    give(monkeypatch, 10_000)
    monkeypatch.setattr(memory, "FEW", 0)
    with pytest.raises(UsageError, match=r"layers: training needs .* the data have too many columns or classes"):
        fit(Network([4, 2]), DATA, epochs=1, kernels="numpy", progress=False)


def test_parameters_that_do_not_fit_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr(parameters, "available_memory", lambda: 32_000_000)
    Network([1000, 1000, 2])  # small networks are not asked
    with pytest.raises(
        UsageError, match=r"layers: 4,006,005 parameters do not fit into memory; layers of at most"
    ):
        Network([2000, 2000, 2, 1], loss="mse")


def test_a_network_too_large_to_explain_is_refused_with_the_widest_that_is_not(monkeypatch):
    with pytest.raises(
        UsageError, match=r"network: has 10,000,021 parameters, and 4,000,000 at most .* 399,997 units"
    ):
        computation_graph.refuse_too_large([1_000_000, 10, 1])
    assert count_parameters([399_997, 10, 1]) <= 4_000_000 < count_parameters([399_998, 10, 1])
    monkeypatch.setattr(computation_graph, "available_memory", lambda: 300_000)
    with pytest.raises(UsageError, match="and 1,000 at most can be explained here"):
        computation_graph.ComputationGraph(Network([100, 10, 1], loss="mse"), np.ones((1, 100)), [1.0])
