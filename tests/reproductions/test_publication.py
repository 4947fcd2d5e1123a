"""The published tables: what is printed, and the settings, as their sources have them."""

from fractions import Fraction

import pytest
from tests.loops import for_each
from tests.reproductions.publications import ROWS, come_along, publish
from tests.study.studies import points

from glassnet.errors import UsageError
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.reproductions.publication import (
    Figure,
    load_publication,
    load_published_study,
    publication_names,
)

#: Test accuracy by activation and hidden layers, arXiv:1708.07747, table 3.
ZALANDO = {
    "relu [100]": 0.871,
    "relu [100, 10]": 0.870,
    "tanh [100]": 0.868,
    "tanh [100, 10]": 0.863,
    "relu [10, 10]": 0.850,
    "relu [10]": 0.848,
    "tanh [10, 10]": 0.841,
    "tanh [10]": 0.840,
}

#: Per cent by variant, and of which seeds and epoch: network.py and network3 print the best of three runs.
NIELSEN = {
    "base": [(95.42, "best", "best")],
    "quadratic 100": [(96.59, "best", "best")],
    "quadratic 100, eta 0.001": [(21.42, "mean", "last")],
    "quadratic 30, eta 100": [(9.82, "mean", "last")],
    "cross-entropy 30": [(95.33, "mean", "best"), (95.31, "mean", "last")],
    "cross-entropy 30, L2": [(96.49, "mean", "best"), (95.61, "mean", "last")],
    "validated 30": [(96.53, "mean", "best")],
    "validated 30, large weights": [(96.48, "mean", "best")],
    "validated 100": [(97.81, "mean", "best")],
    "validated 100, large weights": [(97.55, "mean", "best")],
    "validated 100, eta 0.1": [(98.04, "mean", "best")],
    "softmax 100": [(97.80, "best", "last")],
}

#: The last training loss that is printed, and test accuracy.
SEED_REPORT = {
    "base": (209.02, 0.2447),
    "SGD": (910.0, 0.2485),
    "Adam": (8086.5, 0.2515),
    "tanh": (10704.5,),
    "tanh, lr 0.01": (2968.6,),
    "ReLU": (6009.0,),
    "ReLU3": (6009.0,),
    "784-256-1": (827.6, 0.1489),
    "784-392-196-49-1": (271.9, 0.3215),
}

#: Where ours must lie for the rows whose bounds were set beforehand.
BOUNDS = {
    "base": (120, 350),
    "SGD": (450, 1000),
    "784-256-1": (600, 1100),
    "784-392-196-49-1": (120, 400),
}


def configs(name):
    return {variant.name: variant.config for variant in load_published_study(name).variants()}


def rate(config):
    """What a gradient is multiplied by, scale and all."""
    optimizer = OPTIMIZERS.resolve(config.training.optimizer)
    return optimizer.learning_rate * getattr(optimizer, "update_scale", 1.0)


def test_all_come_along_and_fit_their_studies():
    assert publication_names() == ["nielsen", "seed-report", "zalando-mlp"]
    for name in publication_names():
        found, study = load_publication(name), load_published_study(name)
        assert (found.name, study.name) == (name, name)
        assert len(study.seeds) == 3
        assert {row.variant for row in found.rows} <= {variant.name for variant in study.variants()}
        assert len({row.variant for row in found.rows}) == len(found.rows)
        for figure in (figure for row in found.rows for figure in row.figures):
            assert figure.low <= figure.printed <= figure.high


def test_zalando_is_as_printed():
    found = load_publication("zalando-mlp")
    assert {row.label: row.figures[0].printed for row in found.rows} == ZALANDO
    settings = configs("zalando-mlp")
    assert len(settings) == 8
    for row in found.rows:
        [figure] = row.figures
        assert (figure.quantity, figure.seeds, figure.epoch) == ("test_accuracy", "mean", "last")
        assert (figure.low, figure.high) == pytest.approx(
            (figure.printed - 0.010, figure.printed + 0.010), abs=1e-12
        )
        network = settings[row.variant].network
        activation, _, hidden = row.label.partition(" ")
        assert network.activation == activation
        assert network.layers == [784, *map(int, hidden.strip("[]").split(",")), 10]


def test_zalando_has_scikit_learns_settings():
    study = load_published_study("zalando-mlp")
    assert (study.design, len(study.factors)) == ("factorial", 2)
    for config in configs("zalando-mlp").values():
        data, training = config.data, config.training
        assert (data.dataset, data.scaling, data.validation) == ("fashion-mnist", "standard", 0)
        assert (training.batch_size, training.epochs, rate(config)) == (200, 200, 0.001)
        assert training.l2 == pytest.approx(1e-4 / 200)  # alpha, over the rows of a step
        assert training.early_stopping.startswith("patience(3, monitor=train_loss, min_delta=1e-4")
        assert config.network.output_activation is None


def test_nielsen_is_as_printed():
    found = load_publication("nielsen")
    ours = {
        row.variant: [(round(100 * one.printed, 2), one.seeds, one.epoch) for one in row.figures]
        for row in found.rows
    }
    assert ours == NIELSEN
    for figure in (figure for row in found.rows for figure in row.figures):
        assert (figure.low, figure.high) == pytest.approx(
            (figure.printed - 0.005, figure.printed + 0.005), abs=1e-12
        )
    quantities = {row.variant: {one.quantity for one in row.figures} for row in found.rows}
    assert quantities.pop("softmax 100") == {"test_accuracy"}
    assert all(names == {"validation_accuracy"} for names in quantities.values())


def test_nielsen_has_the_books_settings():
    settings = configs("nielsen")
    assert set(settings) == set(NIELSEN)
    etas = {
        "base": 3.0,
        "quadratic 100": 3.0,
        "quadratic 100, eta 0.001": 0.001,
        "quadratic 30, eta 100": 100.0,
        "validated 100, eta 0.1": 0.1,
        "softmax 100": 0.1,
    }
    for name, config in settings.items():
        network, training, wide = config.network, config.training, "100" in name.split(",")[0]
        assert network.layers == [784, 100 if wide else 30, 10]
        assert network.activation == "sigmoid"
        assert (training.batch_size, training.samples_per_epoch) == (10, 50_000)
        assert training.epochs == (60 if name in ("validated 100, eta 0.1", "softmax 100") else 30)
        assert rate(config) == etas.get(name, 0.5)
        regularised = name.endswith("L2") or name.startswith("validated")
        assert training.l2 == (5 / 50_000 if regularised else 0)
        on_validation = name.startswith(("validated", "softmax"))
        assert config.data.validation == ("last(10000)" if on_validation else "test")
        assert training.sampling == "first"
        quadratic = name == "base" or name.startswith("quadratic")
        loss = "cross_entropy" if name.startswith("softmax") else "binary_cross_entropy"
        assert network.loss == ("half_squared_error" if quadratic else loss)
        starts = {"validated 30", "validated 100", "validated 100, eta 0.1"}
        if name != "softmax 100":
            assert network.initializer == ("lecun_normal" if name in starts else "normal(0, 1)")
            assert network.output_activation == "sigmoid"
        assert network.bias_initializer == "normal(0, 1)"
    assert settings["softmax 100"].network.output_activation == "softmax"
    assert "monitor=accuracy" in settings["softmax 100"].training.early_stopping


def test_the_report_is_as_printed():
    found = load_publication("seed-report")
    assert {row.variant: tuple(one.printed for one in row.figures) for row in found.rows} == SEED_REPORT
    for row in found.rows:
        assert [one.quantity for one in row.figures] == ["train_loss", "test_accuracy"][: len(row.figures)]
        assert all((one.seeds, one.epoch) == ("mean", "last") for one in row.figures)
        if row.variant in BOUNDS:
            assert (row.figures[0].low, row.figures[0].high) == BOUNDS[row.variant]
    said = {row.variant: row.behaviour for row in found.rows}
    assert {name for name, behaviour in said.items() if behaviour == "oscillates"} == {"784-256-1", "SGD"}
    assert (said["ReLU"], said["ReLU3"]) == ("fails", "fails")
    [order] = found.orders
    accuracies = [SEED_REPORT[name][1] for name in order.variants]
    assert accuracies == sorted(accuracies) == [0.1489, 0.2447, 0.3215]
    assert order.quantity == "test_accuracy"


def test_the_report_has_its_own_settings():
    settings = configs("seed-report")
    activations = {"ReLU": ("relu", 1), "ReLU3": ("relu3", 1)}
    layers = {"784-256-1": [784, 256, 1], "784-392-196-49-1": [784, 392, 196, 49, 1]}
    for name in SEED_REPORT:
        config = settings[name]
        network, training = config.network, config.training
        assert network.layers == layers.get(name, [784, 256, 128, 1])
        activation, k = activations.get(name, ("tanh" if name.startswith("tanh") else "sigmoid", 10))
        assert (network.activation, network.output_activation) == (activation, activation)
        assert (network.output_scale, network.loss) == (k, "half_squared_error(reduction=sum)")
        assert (network.initializer, network.bias_initializer) == ("uniform(-1, 1)", "uniform(-1, 1)")
        assert (training.epochs, training.samples_per_epoch) == (1000, 6000 if name == "Adam" else 600)
        assert training.sampling == ("fresh" if name in ("SGD", "Adam") else "first")
        assert training.l2 == training.l1 == training.weight_decay == 0
        scale = {"SGD": Fraction(1, 600 * k), "Adam": 1}.get(name, Fraction(1, 784 * k))
        learning_rate = 0.01 if name.endswith("0.01") else 0.1
        assert rate(config) == pytest.approx(learning_rate * float(scale), rel=1e-12)
        assert (config.data.dataset, config.data.validation) == ("fashion-mnist", 0)


def test_what_the_answers_compare_with_is_what_they_say():
    settings = configs("seed-report")
    for mended, sick in (("ReLU, remedied", "ReLU"), ("tanh, remedied", "tanh")):
        ours, theirs = settings[mended], settings[sick]
        assert ours.data == theirs.data
        keys = ("layers", "activation", "output_activation", "output_scale", "loss")
        assert [getattr(ours.network, key) for key in keys] == [getattr(theirs.network, key) for key in keys]
        assert ours.training.model_copy(update={"optimizer": theirs.training.optimizer}) == theirs.training
        assert rate(ours) < rate(theirs)
        assert ours.network.initializer != theirs.network.initializer
    for name, learning_rate in (("tanh, lr 0.001", 0.001), ("tanh, lr 0.0001", 0.0001)):
        assert settings[name].network == settings["tanh"].network
        assert rate(settings[name]) == pytest.approx(learning_rate / 784 / 10)
    network, training = settings["sound"].network, settings["sound"].training
    assert (network.activation, network.output_activation, network.loss) == ("relu", "softmax", "cross_entropy")
    assert (network.initializer, training.optimizer) == ("he_normal", "adam")
    assert (training.samples_per_epoch, training.batch_size) == (1.0, 128)
    assert rate(settings["sound"]) == 0.001


def test_the_factorial_has_all_combinations_of_what_the_report_varies():
    name = load_publication("seed-report").factorial
    study = load_published_study(name)
    assert (study.name, study.design, study.measure) == (name, "factorial", "validation_accuracy")
    assert {key: len(levels) for key, levels in study.levels().items()} == {
        "optimizer": 3,
        "activation": 2,
        "network": 3,
    }
    theirs = configs("seed-report")
    for variant in study.variants():
        network, training = variant.config.network, variant.config.training
        assert (network.initializer, network.output_scale) == ("uniform(-1, 1)", 10)
        assert (training.samples_per_epoch, training.batch_size) == (600, 600)  # each step takes as many rows
        like = theirs[{"GD": "base"}.get(variant.levels["optimizer"], variant.levels["optimizer"])]
        assert rate(variant.config) == pytest.approx(rate(like))
        assert training.sampling == like.training.sampling
        assert network.output_activation == network.activation == variant.levels["activation"]
        assert variant.config.data.validation == 2000  # it is judged by validation images


@for_each("name, nearest", [("seed_report", "seed-report"), ("nielson", "nielsen"), ("zalando", "zalando-mlp")])
def test_an_unknown_name_is_refused_with_the_nearest(name, nearest):
    with pytest.raises(UsageError) as refused:
        load_publication(name)
    assert str(refused.value).startswith(f"publication: unknown name {name!r}; did you mean {nearest!r}? Known: ")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"rows": [{**ROWS[0], "variant": "basis"}]}, "tiny: the study has no variant 'basis'"),
        (
            {
                "orders": [
                    {"text": {"en": "so", "zh": "如此"}, "quantity": "train_loss", "variants": ["base", "relu"]}
                ]
            },
            "tiny: the study has no variant 'relu'",
        ),
        ({"rows": []}, "rows"),
        ({"rows": [{**ROWS[0], "behaviour": "sleeps"}]}, "behaviour"),
        ({"rows": [{**ROWS[0], "figures": []}]}, "figures"),
    ],
)
def test_a_table_that_does_not_fit_its_study_is_refused(tmp_path, monkeypatch, parts, said):
    come_along(monkeypatch, publish(tmp_path / "published", points(tmp_path), **parts))
    with pytest.raises(UsageError, match=said):
        load_publication("tiny")


@for_each("low, high", [(1.0, 2.0), (4.0, 5.0), (4.0, 2.0)])
def test_what_is_printed_counts_as_the_same(low, high):
    with pytest.raises(ValueError, match=f"3.0 is printed, which is not within {low} to {high}"):
        Figure(quantity="train_loss", printed=3.0, low=low, high=high)
    assert Figure(quantity="train_loss", printed=3.0, low=3.0, high=3.0).seeds == "mean"
