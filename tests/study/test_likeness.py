"""What the levels of a factor change beside themselves: said of the first weights, rows and masks as they are."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from tests.study.studies import listed, small

from glassnet.data.registry import load_dataset
from glassnet.study.design import change_config
from glassnet.study.fairness import DataCache
from glassnet.study.likeness import Beginning, compare_levels
from glassnet.training.run import build_network

DIGITS = load_dataset("digits")

#: Changes of one setting, and what follows for weights, batches and masks. The base has two layers with dropout.
SAID = {
    "training.optimizer = sgd(0.1)": ("same", "same", "same"),
    "training.optimizer = kfac": ("same", "same", "same"),
    "training.ema = 0.9": ("same", "same", "same"),
    "training.epochs = 5": ("same", "same", "same"),
    "network.activation = tanh": ("same", "same", "same"),
    "network.loss = half_squared_error": ("same", "same", "same"),
    "network.batch_norm = true": ("same", "same", "same"),
    "network.dtype = float64": ("same", "same", "same"),
    "network.bias_initializer = normal(0, 1)": ("biases", "same", "same"),
    "network.initializer = he_normal": ("different", "same", "same"),
    "network.layers = 64-20-9-10": ("different", "same", "partly"),
    "network.layers = 64-12-9-10-10": ("partly", "same", "partly"),
    "network.dropout = 0.5": ("same", "same", "different"),
    "network.dropout = 0": ("same", "same", "different"),
    "training.batch_size = 32": ("same", "sizes", "partly"),
    "training.optimizer = gd(0.5)": ("same", "sizes", "partly"),
    "training.samples_per_epoch = 0.5": ("same", "different", "same"),
    "data.split_seed = 3": ("same", "different", "same"),
}


def value_of(text):
    if text.startswith("64-"):
        return [int(units) for units in text.split("-")]
    return {"true": True, "0.5": 0.5, "0": 0.0, "0.9": 0.9, "5": 5, "32": 32, "3": 3}.get(text, text)


def changes_of(line):
    key, _, value = line.partition(" = ")
    changes = {key: value_of(value)}
    if value == "64-12-9-10-10":
        changes["network.dropout"] = [0.0, 0.2, 0.2, 0.2]
    return changes


@pytest.fixture
def deep():
    """A study of variants by name, whose base has layers of four widths."""

    def make(variants, dropout=(0.0, 0.2, 0.2)):
        base = {
            "data": {"dataset": "digits"},
            "network": {"layers": [64, 12, 9, 10], "dropout": list(dropout)},
            "training": {"epochs": 1, "kernels": "numpy"},
        }
        return listed(variants, base=base)

    return make


def test_every_setting_changes_what_it_says(deep):
    study = deep({line: changes_of(line) for line in SAID})
    found = {level: (one.weights, one.batches, one.masks) for one in compare_levels(study) for level in one.levels}
    assert found == SAID


def test_levels_of_which_the_same_is_said_stand_together():
    sizes = {"c": {"training.batch_size": 16}, "d": {"training.batch_size": 8}}
    base = {"data": {"dataset": "digits"}, "network": {"layers": [64, 10]}}
    study = small(
        base=base | {"training": {"optimizer": "sgd(0.1)", "epochs": 1}},
        factors={
            "one": {"levels": {"a": {}, "b": {"training.ema": 0.5}, **sizes}},
            "loss": {"levels": ["cross_entropy", "half_squared_error"]},
        },
    )
    found = [(one.factor, one.levels, one.weights, one.batches, one.masks) for one in compare_levels(study)]
    assert found == [
        ("one", ("b",), "same", "same", "none"),
        ("one", ("c", "d"), "same", "sizes", "none"),
        ("loss", ("half_squared_error",), "same", "same", "none"),
    ]


def test_dropout_in_one_of_two_networks_is_no_common_mask(deep):
    [found] = compare_levels(deep({"dropped": {"network.dropout": [0.0, 0.0, 0.4]}}, dropout=(0.0, 0.4, 0.0)))
    assert found.masks == "different"


def test_the_same_rows_split_otherwise_are_other_batches(deep):
    """Numbers of rows say nothing where they number other rows."""
    study = deep({"split": {"data.split_seed": 1}})
    load = DataCache().load
    begin = [Beginning.of_run(one.with_seed(0), load(one.config)) for one in study.variants()]
    assert begin[0].order_hash == begin[1].order_hash
    assert [one.batches for one in compare_levels(study, load)] == ["different"]


def test_hashes_are_of_the_arrays_themselves():
    config = change_config(small().base, {"training.batch_size": 7}).model_copy(update={"seed": 3})
    begin, network = Beginning.of_run(config, DIGITS), build_network(config, DIGITS)
    weights = b"".join(W.astype("<f4").tobytes() for W in network.W)
    assert begin.weight_hash == hashlib.sha256(weights).hexdigest()
    assert begin.order_hash == hashlib.sha256(begin.order.astype("<i8").tobytes()).hexdigest()
    assert sorted(begin.order) == list(range(len(DIGITS.train.y)))
    [(layer, mask)] = begin.masks.items()
    assert (layer, mask.shape, mask.dtype) == (1, (7, 12), np.bool_)
    parts = np.array([7], "<i8").tobytes() + np.array([1], "<i8").tobytes() + mask.tobytes()
    assert begin.mask_hash == hashlib.sha256(parts).hexdigest()


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({"training.batch_size": 7}, {"masks"}),
        ({"training.optimizer": "gd(0.5)"}, {"masks"}),
        ({"training.samples_per_epoch": 0.5}, {"order"}),
        ({"network.batch_norm": True}, set()),
        ({"network.bias_initializer": "normal(0, 1)"}, set()),
        ({"network.initializer": "he_normal"}, {"weights"}),
        ({"network.dropout": 0.5}, {"masks"}),
        ({"seed": 1}, {"weights", "order", "masks"}),
    ],
)
def test_what_moves_which_hash(changes, moved):
    base = small().base
    other = base.model_copy(update=changes) if "seed" in changes else change_config(base, changes)
    one, two = (Beginning.of_run(config, DIGITS) for config in (base, other))
    hashes = {"weights": "weight_hash", "order": "order_hash", "masks": "mask_hash"}
    assert {name for name, hash_of in hashes.items() if getattr(one, hash_of) != getattr(two, hash_of)} == moved


def test_without_dropout_there_is_no_hash_of_masks():
    begin = Beginning.of_run(change_config(small().base, {"network.dropout": 0.0}), DIGITS)
    assert (begin.masks, begin.mask_hash) == ({}, "")
    assert replace(begin, masks={0: np.ones((2, 2), bool)}).mask_hash
