"""What the assignment trains."""

from dataclasses import replace

import pytest

from glassnet.assignment.plans import check_assignable, fit_study, lengthen, registered_plan
from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset
from glassnet.errors import DataError, UsageError
from glassnet.reproductions.publication import load_published_study

NETWORKS = [(28,), (256,), (256, 128), (392, 196, 49)]


def hidden_layers(study):
    return [tuple(one.config.network.layers[1:-1]) for one in study.variants()]


def test_the_study_that_comes_along_crosses_the_networks_of_the_report():
    study = load_published_study("assignment")
    assert study.design == "factorial"
    assert len(study.variants()) == 4 * 3 * 3
    assert list(study.base.network.layers) == [784, 28, 10]
    assert list(dict.fromkeys(hidden_layers(study))) == NETWORKS


def test_networks_take_inputs_and_outputs_from_the_data():
    study = fit_study(load_dataset("digits"), "digits", seeds=2)
    assert {(one.config.network.layers[0], one.config.network.layers[-1]) for one in study.variants()} == {
        (64, 10)
    }
    assert list(dict.fromkeys(hidden_layers(study))) == NETWORKS
    assert study.seeds == (0, 1)
    assert (study.base.data.dataset, study.base.training.batch_size) == ("digits", 32)
    assert study.base.training.epochs == 30  # 60,000 rows would be 46
    assert study.base.training.samples_per_epoch == 1318


def test_a_pair_of_classes_has_one_output():
    digits = load_dataset("digits")
    keep = digits.train.y.astype(int) < 2
    pair = Dataset.from_arrays(digits.train.X[keep], digits.train.y[keep], name="pair", image_shape=(8, 8))
    assert {one.config.network.layers[-1] for one in fit_study(pair, "digits").variants()} == {1}


def test_many_rows_are_seen_in_part():
    data = load_dataset("digits")
    many = replace(data, train=data.train._replace(y=list(range(55_000))))
    study = fit_study(many, "digits")
    training = study.base.training
    assert (training.samples_per_epoch, training.epochs, training.batch_size) == (20_000, 3, 128)
    assert len(study.seeds) == 5


@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_data_without_pictures_and_classes_are_refused(name):
    with pytest.raises(DataError, match=f"{name}: the assignment takes pictures with a class each, such as"):
        check_assignable(load_dataset(name))


def test_a_longer_plan_sees_all_rows_and_is_scheduled():
    config = fit_study(load_dataset("digits"), "digits").base
    longer = lengthen(config, 7).training
    assert (longer.epochs, longer.schedule, longer.samples_per_epoch) == (7, "one_cycle", None)
    assert longer.batch_size == config.training.batch_size


def test_the_fast_plan_comes_before_the_best():
    assert registered_plan("fashion-mnist", None)[0] == "fast"
    assert registered_plan("breastmnist", None)[0] == "best"
    assert registered_plan("digits", None) is None
    name, config = registered_plan("fashion-mnist", "best")
    assert (name, list(config.network.layers)) == ("best", [784, 1024, 1024, 10])
    with pytest.raises(UsageError, match="plan"):
        registered_plan("digits", "fast")
