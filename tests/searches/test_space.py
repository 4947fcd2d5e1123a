from dataclasses import replace

import pytest
from tests.searches.plain import SMALL

from glassnet.data.registry import load_dataset
from glassnet.errors import FileError, UsageError
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.searches.search import check_space, choose_first_epochs, shipped_for
from glassnet.searches.space import read_space, shipped_values, space_of

DIGITS = {"data": {"dataset": "digits"}}


def test_what_is_drawn_becomes_a_configuration():
    space = space_of(SMALL, DIGITS).for_data(load_dataset("digits"))
    drawn = {"depth": 2, "width": 16, "taper": "0.5", "learning_rate": 3.00001, "dropout": 0.30000000000000004}
    config = space.config({**drawn, "optimizer": "nesterov", "schedule": "cosine"})
    assert config.network.layers == [64, 16, 8, 10]
    assert OPTIMIZERS.resolve(config.training.optimizer).learning_rate == 0.03  # three times its own 0.01
    assert (config.network.dropout, config.training.ema, config.training.epochs) == (0.3, 0.9, 4)
    assert (config.data.dataset, config.training.schedule) == ("digits", "cosine")


def test_options_of_the_search_stand_before_those_of_the_file():
    space = space_of(SMALL, {**DIGITS, "training": {"epochs": 9}, "seed": 7}, "validation_auc")
    assert (space.base.training.epochs, space.base.seed, space.measure) == (9, 7, "validation_auc")
    drawn = {name: one.drawn_ends[0] for name, one in space.dimensions.items()}
    assert space.config(drawn).training.metrics == ["auc"]


@pytest.mark.parametrize(("name", "dataset"), [("images", "digits"), ("tables", "iris"), ("tables", "diabetes")])
def test_the_spaces_that_come_along_suit_their_data(name, dataset):
    data = load_dataset(dataset)
    values = shipped_for(data)
    assert set(values["parameters"]) <= set(shipped_values(name)["parameters"])
    measure = "validation_loss" if dataset == "diabetes" else None
    check_space(space_of(values, {"data": {"dataset": dataset}}, measure).for_data(data), data)
    assert ("augmentation" in values["parameters"]) is False  # digits are no bytes
    sizes = values["parameters"]["batch_size"]["choices"]
    assert (sizes == [32, 64]) is (max(sizes) < 128) is (dataset == "iris")  # which has 110 rows to learn from


def test_small_data_are_compared_after_more_epochs():
    assert choose_first_epochs(load_dataset("digits"), 50) == 1
    assert choose_first_epochs(load_dataset("iris"), 50) == 2
    assert choose_first_epochs(load_dataset("iris"), 3) == 1


WRONG = {
    "parameters.learning_rate.high: is to be above low, got 1 to 0.1": {"learning_rate": {"low": 1, "high": 0.1}},
    "parameters.batch_size: 0: training.batch_size": {"batch_size": {"low": 0, "high": 9}},
    "parameters.activation: rilu: network.activation: unknown name 'rilu'": {
        "activation": {"choices": ["relu", "rilu"]}
    },
    "parameters.activation.choices: a value is there twice": {"activation": {"choices": ["relu", "relu"]}},
    "parameters.widths.key: is missing: nothing that a search changes is called 'widths'": {
        "widths": {"choices": [1, 2]}
    },
    "parameters.epochs: epochs is the same for all trials": {"epochs": {"low": 1, "high": 9}},
    "parameters.rate.key: unknown name 'training.learning_rat'; did you mean 'training.learning_rate'": {
        "rate": {"key": "training.learning_rat", "low": 0.1, "high": 1.0}
    },
    "parameters.layers.width: goes from 1 or more upwards, got 9 to 2": {"layers": {"width": [9, 2]}},
    "parameters.layers.taper: takes shares above 0, up to 1": {"layers": {"taper": [2.0]}},
    "parameters.dropout.step: 0.3 does not lead from 0 to 0.4": {
        "dropout": {"low": 0.0, "high": 0.4, "step": 0.3}
    },
    "parameters.l2.log: takes numbers above 0": {"l2": {"low": 0.0, "high": 0.4, "log": True}},
    "parameters.dropout.times_default: is for values of the optimizer": {
        "dropout": {"low": 0.1, "high": 0.4, "times_default": True}
    },
    "parameters.rate: sets training.learning_rate, and so does learning_rate": {
        "learning_rate": {"low": 0.1, "high": 1.0},
        "rate": {"key": "training.learning_rate", "low": 0.1, "high": 1.0},
    },
    "parameters.activation.choises: is no option": {"activation": {"choises": ["relu"], "low": 0, "high": 1}},
}


@pytest.mark.parametrize("message", WRONG)
def test_what_does_not_fit_is_named(message):
    with pytest.raises(UsageError) as caught:
        space_of({"parameters": WRONG[message]}, DIGITS)
    assert str(caught.value).startswith(message)


def test_a_file_is_named(tmp_path):
    file = tmp_path / "space.toml"
    file.write_text('[base.training]\noptimizer = "adan"\n[parameters.batch_size]\nchoices = [32, 64]\n')
    with pytest.raises(FileError, match=r"space.toml: base.training.optimizer: unknown name 'adan'"):
        read_space(file, DIGITS)
    file.write_text("[base.trainig]\nepochs = 3\n[parameters.batch_size]\nchoices = [32, 64]\n")
    with pytest.raises(FileError, match=r"space.toml: base: unknown name 'trainig'; did you mean 'training'"):
        read_space(file, DIGITS)


def test_data_that_a_value_does_not_fit_are_told_before_anything_runs():
    data = load_dataset("digits")
    values = {"parameters": {"augmentation": {"choices": ["none", "flip"]}}}
    with pytest.raises(UsageError, match=r"augmentation: .* \(in 'augmentation=flip'\)"):
        check_space(space_of(values, DIGITS).for_data(data), data)
    large = {"parameters": {"scaling": {"key": "data.scaling", "choices": ["standard", "robust"]}}}
    large["parameters"]["batch_size"] = {"choices": [32, 5000]}
    with pytest.raises(UsageError, match=r"^parameters.batch_size: 5000 is more than the 1318 samples"):
        check_space(space_of(large, DIGITS).for_data(data), data)
    watched = space_of({"parameters": {"batch_size": {"choices": [8, 9]}}}, {"data": {"dataset": "digits"}})
    test = watched.base.model_copy(update={"data": watched.base.data.model_copy(update={"validation": "test"})})
    with pytest.raises(UsageError, match="test rows decide nothing in a search"):
        check_space(replace(watched, base=test), data)
