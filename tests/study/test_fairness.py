"""Runs of one seed are alike in all that their variants do not change: shown on the arrays themselves."""

from itertools import pairwise

import numpy as np
import pytest
from tests.study.studies import points, small

from glassnet.data import numpy_files
from glassnet.data.registry import load_dataset
from glassnet.errors import DataError, UsageError
from glassnet.nn.network import Network
from glassnet.study.design import change_config
from glassnet.study.fairness import DataCache, check, flops_per_row, prepare, split_fingerprint
from glassnet.study.likeness import Beginning
from glassnet.training.engine import PlainEngine
from glassnet.training.run import run

DIGITS = load_dataset("digits")
FACTORS = {
    "optimizer": {"levels": ["adam", "sgd(0.1)", "momentum(0.05)"]},
    "activation": {"levels": ["relu", "tanh"]},
    "initializer": {"levels": ["glorot_uniform", "he_normal"]},
    "layers": {"levels": [[64, 12, 10], [64, 20, 10]]},
}
ALIKE = ["base", "optimizer=sgd(0.1)", "optimizer=momentum(0.05)", "activation=tanh"]


class Seen:
    """What the engine of a run was given, and what it drew."""

    def __init__(self):
        self.theta, self.rows, self.X, self.masks = None, [], [], []


@pytest.fixture
def watch(monkeypatch):
    """Train by a configuration with the formulas as they stand, and return what was seen."""

    def train(config):
        seen = Seen()
        take, forward = PlainEngine.take, Network.forward

        def seen_take(engine, rows, moves=None):
            if seen.theta is None:
                seen.theta = engine.context.network.theta.copy()
            size = engine.context.batch_size
            seen.rows += [rows[first : first + size].copy() for first in range(0, len(rows), size)]
            return take(engine, rows, moves)

        def seen_forward(network, X, training=None, **options):
            trace = forward(network, X, training, **options)
            if training is not None:
                seen.X.append(X.copy())
                seen.masks.append([mask.copy() for mask in trace.masks if mask is not None])
            return trace

        with monkeypatch.context() as patch:
            patch.setattr(PlainEngine, "take", seen_take)
            patch.setattr(Network, "forward", seen_forward)
            run(config, DIGITS, progress=False)
        return seen

    return train


def by_variant(watch, seed):
    variants = small(factors=FACTORS).variants()
    return {variant.name: watch(variant.with_seed(seed)) for variant in variants}


def same(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_start_batches_and_masks_are_the_same_within_a_seed(watch):
    seen = by_variant(watch, 0)
    base = seen["base"]
    steps = 2 * -(-len(DIGITS.train.y) // 128)
    assert len(base.rows) == len(base.X) == len(base.masks) == steps
    assert all(len(masks) == 1 and 0 in masks[0] for masks in base.masks)
    for name, other in seen.items():
        assert same(base.rows, other.rows), name
        assert same(base.X, other.X), name
        assert np.array_equal(base.theta, other.theta) == (name in ALIKE), name
        if "layers" not in name:
            assert all(same(a, b) for a, b in zip(base.masks, other.masks, strict=True)), name
    wide = seen["layers=64-20-10"]
    assert all(np.array_equal(a[0], b[0][:, :12]) for a, b in zip(base.masks, wide.masks, strict=True))


def test_seeds_differ_in_all_three(watch):
    config = small().variants()[0]
    zero, one = watch(config.with_seed(0)), watch(config.with_seed(1))
    assert not np.array_equal(zero.theta, one.theta)
    assert not np.array_equal(zero.rows[0], one.rows[0])
    assert not np.array_equal(zero.masks[0][0], one.masks[0][0])
    assert all(not np.array_equal(a[0], b[0]) for a, b in pairwise(zero.masks[:-1]) if a[0].shape == b[0].shape)


def test_weights_order_and_masks_are_those_of_the_run(watch):
    """What a run is said to begin with is what its engine takes."""
    config = change_config(small().base, {"network.bias_initializer": "normal(0, 1)"}).model_copy(
        update={"seed": 3}
    )
    seen, begin = watch(config), Beginning.of_run(config, DIGITS)
    theta = [part.ravel() for pair in zip(begin.weights, begin.biases, strict=True) for part in pair]
    np.testing.assert_array_equal(np.concatenate(theta), seen.theta)
    np.testing.assert_array_equal(np.concatenate(seen.rows[: len(seen.rows) // 2]), begin.order)
    assert list(begin.masks) == [1]
    np.testing.assert_array_equal(seen.masks[0][0] != 0, begin.masks[1])


@pytest.mark.parametrize(
    ("layers", "flops"),
    [
        ([4, 2], 4 * 8),
        ([4, 3, 2], 4 * 12 + 6 * 6),
        ([784, 256, 128, 10], 4 * 784 * 256 + 6 * (256 * 128 + 1280)),
    ],
)
def test_operations_by_hand(layers, flops):
    assert flops_per_row(Network(layers)) == flops


def test_data_are_loaded_once():
    data_cache, config = DataCache(), small().base
    data = data_cache.load(config)
    assert data_cache.load(change_config(config, {"network.dropout": 0.5})) is data
    other = data_cache.load(change_config(config, {"data.split_seed": 1}))
    assert other is not data
    assert not np.array_equal(other.validation.X, data.validation.X)


def test_a_prepared_trainer_takes_the_steps_of_the_run():
    config = small().base
    trained = run(config, DIGITS, progress=False)
    with prepare(config, DIGITS) as trainer:
        for _ in range(2):
            for _ in trainer.train_epoch():
                pass
            trainer.end_epoch()
        assert np.array_equal(trainer.state.network.theta, trained.network.theta)


@pytest.mark.parametrize(
    ("changes", "measure", "error", "said"),
    [
        ({"network.layers": [65, 12, 10]}, "train_loss", DataError, r"65.*\(in 'it'\)"),
        ({"network.layers": [64, 12, 9]}, "train_loss", DataError, r"the data have 10 classes.*\(in 'it'\)"),
        ({"training.batch_size": 10**6}, "train_loss", UsageError, r"batch_size: .*\(in 'it'\)"),
        ({"training.metrics": ["r2"]}, "train_loss", UsageError, r"metrics: .*\(in 'it'\)"),
    ],
)
def test_a_variant_that_cannot_be_run_is_named(changes, measure, error, said):
    with pytest.raises(error, match=said):
        check("it", change_config(small().base, changes), DIGITS, measure)


def test_a_measure_that_there_is_not_is_refused():
    from dataclasses import replace

    config = change_config(small().base, {"network.layers": None, "data.dataset": "diabetes"})
    numbers = load_dataset("diabetes")
    check("it", config, numbers, "validation_loss")
    with pytest.raises(UsageError, match="measure: validation_accuracy is for classes"):
        check("it", config, numbers, "validation_accuracy")
    bare = replace(DIGITS, validation=type(DIGITS.validation)(DIGITS.validation.X[:0], DIGITS.validation.y[:0]))
    check("it", small().base, bare, "train_loss")
    with pytest.raises(UsageError, match=r"measure: validation_loss: there are no validation rows \(in 'it'\)"):
        check("it", small().base, bare, "validation_loss")


def test_another_draw_is_made_of_files_that_were_read(tmp_path, monkeypatch):
    study = small(points(tmp_path))
    cache = DataCache()
    first = cache.load(study.variants()[0].with_seed(0))
    monkeypatch.setattr(numpy_files, "_read_member", lambda *_: pytest.fail("the file was read again"))
    other = cache.load(study.variants()[0].with_seed(1))
    assert cache.load(study.variants()[1].with_seed(1)) is other
    again = cache.load(study.variants()[0].with_seed(0))
    monkeypatch.undo()
    assert np.array_equal(first.validation.X, again.validation.X)
    assert not np.array_equal(first.validation.X, other.validation.X)
    assert np.array_equal(first.test.X, other.test.X)  # the test rows are the same for all seeds
    fresh = load_dataset(study.base.data.dataset, split_seed=1)
    for one, same in zip(other.encoded, fresh.encoded, strict=True):
        assert np.array_equal(one.X, same.X)
    test = {row.tobytes() for row in first.test.X}
    for data in (first, other):
        assert not test & {row.tobytes() for row in np.concatenate([data.train.X, data.validation.X])}


def test_the_draw_of_the_validation_rows_has_a_hash():
    digits = [load_dataset("digits", split_seed=seed) for seed in (0, 0, 1)]
    first, same, other = map(split_fingerprint, digits)
    assert first == same != other
    last = [load_dataset("digits", split_seed=seed, validation="last(50)") for seed in (0, 1)]
    assert split_fingerprint(last[0]) == split_fingerprint(last[1]) != first
