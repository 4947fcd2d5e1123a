"""An option is defined once, and everything that shows or reads it says the same."""

import inspect
import re
from typing import get_type_hints

import pytest

from glassnet.data.registry import load_dataset
from glassnet.errors import UsageError
from glassnet.nn.network import Network
from glassnet.nn.optimizers import SGD, Adam
from glassnet.training import fit_options
from glassnet.training.config import configure, nearest_option
from glassnet.training.early_stopping import EarlyStopping
from glassnet.training.fit import fit, resolve_options
from glassnet.training.options import SECTIONS, TrainingConfig, fields_of, option_of, type_text

FIELDS = {f"{section}.{name}": field for section in SECTIONS for name, field in fields_of(section).items()}


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


def test_every_option_says_what_it_is_in_plain_sentences():
    for name, field in FIELDS.items():
        option = option_of(field)
        assert re.fullmatch(r"[A-Z].*\.", option.says), name
        assert not option.says.startswith(("Of ", "Its ")), name
        assert option.more == "" or option.more.endswith("."), name


def test_the_signature_and_the_help_of_fit_list_the_options():
    parameters = inspect.signature(fit).parameters
    assert list(parameters)[:2] == ["network", "data"]
    assert all(one.kind is not inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    text = inspect.getdoc(fit)
    for name, field in fields_of("training").items():
        assert parameters[name].default == field.default
        assert parameters[name].annotation == type_text(field)
        assert f"\n{name} : {type_text(field)}, default {field.default!r}\n" in text
        assert option_of(field).says.split()[-1] in text
    assert parameters["optimizer"].annotation == "str | Optimizer"
    assert parameters["early_stopping"].annotation == "str | int | EarlyStopping | None"
    assert text.index("\nthreads : ") < text.index("\nReturns\n") < text.index("\nRaises\n")


def test_a_type_checker_knows_the_options_of_fit_and_what_they_take():
    types = {}
    for name, field in fields_of("training").items():
        types[name] = field.annotation
        if objects := option_of(field).takes:
            types[name] |= eval(objects, vars(fit_options))
    assert get_type_hints(fit_options.FitOptions) == types
    assert fit_options.FitOptions.__required_keys__ == frozenset()
    assert fit.__annotations__["options"] == "Unpack[FitOptions]"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lr": 0.1}, "lr: is no option; did you mean learning_rate?"),
        ({"learning_rates": 0.1}, "learning_rates: is no option; did you mean learning_rate?"),
        ({"n_epochs": 3}, "n_epochs: is no option; did you mean epochs?"),
        ({"BatchSize": 3}, "BatchSize: is no option; did you mean batch_size?"),
        ({"patience": 3}, "patience: is no option; did you mean early_stopping?"),
        ({"callback": []}, "callback: is no option; did you mean callbacks?"),
        ({"dropout": 0.1}, "dropout: is no option here; it goes to glassnet.Network, or to [network] in a file"),
        (
            {"validation": 0.1},
            "validation: is no option here; it goes to glassnet.load_dataset, or to [data] in a file",
        ),
        ({"zzz": 1}, "zzz: is no option; known here: optimizer, learning_rate, update_scale, schedule, epochs, "),
        ({"epochs": "ten"}, "epochs: input should be a valid integer, got 'ten'"),
        ({"learning_rate": "fast"}, "learning_rate: must be a finite number, got 'fast'"),
        ({"learning_rate": 0}, "learning_rate: must be > 0, got 0"),
        ({"early_stopping": 0}, "early_stopping: patience must be a whole number >= 1, got 0"),
        ({"early_stopping": True}, "early_stopping: patience must be a whole number >= 1, got True"),
    ],
)
def test_what_is_no_option_or_does_not_fit_one_is_one_line(digits, options, said):
    network = Network([64, 10])
    with pytest.raises(UsageError) as caught:
        fit(network, digits, progress=False, **options)
    assert str(caught.value).startswith(said)
    assert network.fingerprint() == Network([64, 10]).fingerprint()


def test_what_is_meant_is_one_of_the_known_options():
    assert nearest_option("LEARNING-RATE", ["epochs", "learning_rate"]) == "learning_rate"
    assert nearest_option("LR", ["epochs", "learning_rate"]) == "learning_rate"
    assert nearest_option("patience", ["epochs", "update_scale"]) is None


def test_an_optimizer_that_is_none_is_one_line(digits):
    for optimizer in (3, SGD):
        with pytest.raises(UsageError, match=r"^optimizer: expected a name or an? Optimizer, got "):
            fit(Network([64, 10]), digits, optimizer=optimizer, progress=False)


@pytest.mark.parametrize(
    ("options", "optimizer"),
    [
        ({}, Adam()),
        ({"learning_rate": 0.5}, Adam(0.5)),
        ({"optimizer": "sgd", "learning_rate": 0.5}, SGD(0.5)),
        ({"optimizer": SGD(0.1), "update_scale": 2.0}, SGD(0.1, update_scale=2.0)),
        ({"optimizer": "sgd(0.1)", "learning_rate": None}, SGD(0.1)),
    ],
)
def test_a_learning_rate_is_the_optimizers(options, optimizer):
    training, found = resolve_options(options)
    assert found.optimizer == optimizer
    assert training == TrainingConfig(optimizer=optimizer.spec)


def test_an_optimizer_of_ones_own_is_taken_as_it_is():
    class Mine(SGD):
        def __init__(self):
            super().__init__(0.5)

    optimizer = Mine()
    assert resolve_options({"optimizer": optimizer})[1].optimizer is optimizer


@pytest.mark.parametrize("value", [5, "5", "patience(5)"])
def test_a_number_of_epochs_is_a_patience(value):
    assert resolve_options({"early_stopping": value})[0].early_stopping == "patience(5)"
    assert TrainingConfig(early_stopping=value).early_stopping == "patience(5)"


def test_objects_are_written_as_their_specification():
    training = TrainingConfig(optimizer=SGD(0.5), early_stopping=EarlyStopping(3), class_weight={1: 2.0})
    assert training.optimizer == SGD(0.5).spec
    assert training.early_stopping == EarlyStopping(3).spec
    assert training.class_weight == {"1": 2.0}


def test_a_shorthand_works_in_a_configuration_too():
    config = configure({"data": {"dataset": "digits"}, "training": {"optimizer": "sgd", "learning_rate": 0.5}})
    assert config.training.optimizer == SGD(0.5).spec
    assert "learning_rate =" not in config.to_toml().replace("(learning_rate=", "")
    again = configure({"training": {"learning_rate": 0.25, "early_stopping": 4}}, config)
    assert again.training == TrainingConfig(optimizer=SGD(0.25).spec, early_stopping="patience(4)")
    with pytest.raises(UsageError, match=r"^training\.learning_rate: must be > 0, got -1"):
        configure({"training": {"learning_rate": -1}}, config)
