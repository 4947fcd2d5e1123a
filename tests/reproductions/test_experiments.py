"""The experiments beside the report's study: its own settings, and what the real labels say to them."""

from fractions import Fraction

import pytest

from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.reproductions.experiments import ADAM_FORMS, CROSSED, OUTPUTS
from glassnet.reproductions.plain_runs import Setting, run_plain
from glassnet.reproductions.publication import load_published_study
from glassnet.study.design import change_config
from glassnet.training.run import load_data

BASE = load_published_study("seed-report").base


def configured(settings):
    return {key: change_config(BASE, setting.changes) for key, setting in settings.items()}


def step(config):
    """The learning rate and the factor on it, as fractions."""
    optimizer = OPTIMIZERS.resolve(config.training.optimizer)
    rates = optimizer.learning_rate, optimizer.update_scale
    return optimizer.name, *(Fraction(rate).limit_denominator(10000) for rate in rates)


def test_they_differ_from_the_report_in_what_they_ask():
    for (_, hidden, output), config in configured(OUTPUTS).items():
        network = config.network
        assert (network.activation, network.output_activation, network.output_scale) == (hidden, output, 1.0)
        assert step(config) == ("gd", Fraction(1, 10), Fraction(1, 784))
        assert (config.training.epochs, config.training.samples_per_epoch) == (1000, 600)
    assert len(CROSSED) == 12
    for (_, hidden, output, rate), config in configured(CROSSED).items():
        assert (config.network.activation, config.network.output_activation) == ("tanh", "tanh")
        assert step(config) == ("gd", Fraction(rate).limit_denominator(1000), Fraction(1, 7840))
        assert CROSSED["tanh", hidden, output, rate] == Setting(
            CROSSED["tanh", hidden, output, rate].changes, hidden, output
        )
    assert {config.network.output_scale for config in configured(CROSSED | ADAM_FORMS).values()} == {10.0}


def test_forms_of_adam_differ_in_one_thing_from_the_written_one_or_the_divided():
    configs = configured(ADAM_FORMS)
    found = {
        name: (
            step(configs["adam", name])[1] == Fraction(1, 10),
            configs["adam", name].training.samples_per_epoch,
            setting.frozen_t,
            setting.ascends,
        )
        for (_, name), setting in ADAM_FORMS.items()
    }
    assert found == {
        "divided-frozen": (False, 6000, 1, False),
        "divided-uncorrected": (False, 6000, 1000, False),
        "by-images": (False, 6000, None, False),
        "divided-600": (False, 600, None, False),
        "frozen": (True, 6000, 1, False),
        "ascending": (True, 6000, None, True),
    }
    for config in configs.values():
        rate = Fraction(OPTIMIZERS.resolve(config.training.optimizer).learning_rate).limit_denominator(100_000)
        assert rate in (Fraction(1, 10), Fraction(1, 7840), Fraction(1, 60000))
        assert config.training.batch_size == config.training.samples_per_epoch  # one step an epoch
        assert config.training.sampling == "fresh"


@pytest.mark.real_data
def test_on_the_reports_images_by_known_values(fashion_mnist_home, tmp_path):
    """6009.0 at an output that is saturated at 1, 8371.0 at a dead ReLU, and tanh learns by its output's start."""
    data = load_data(BASE, fashion_mnist_home)

    def end(name, changes, hidden=1.0, output=1.0, epochs=45):
        setting = Setting(changes | {"training.epochs": epochs}, hidden, output)
        [row] = run_plain({(name,): setting}, [1], BASE, data, tmp_path, progress=False)[(name,)]
        return row.measures

    assert end("stays", OUTPUTS["output", "relu", "tanh"].changes)["train_loss"] == 6009.0
    dead = OUTPUTS["output", "relu", "tanh"].changes | {"network.output_activation": "relu"}
    assert end("dead", dead)["train_loss"] == 8371.0
    tanh = CROSSED["tanh", 1.0, 1.0, 0.01].changes
    report, small = end("report", tanh), end("small", tanh, output=0.05)
    assert report["train_loss"] > 10 * small["train_loss"] > 0
    assert small["train_loss"] < 2465.8 < report["train_loss"]
    assert small["flat_hidden"] == pytest.approx(report["flat_hidden"], abs=0.05)
    assert small["flat_hidden"] > 0.7
    assert small["flat_output"] < 0.1 < 0.5 < report["flat_output"]
