import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.errors import FileError, UsageError
from glassnet.training.config import RunConfig, configure, load_config, validate
from glassnet.training.options import DataConfig, NetworkConfig, TrainingConfig

FULL = """
seed = 3
start = "abc"

[data]
dataset = "digits"
validation = 100
split_seed = 2

[network]
layers = [64, 10]
activation = ["tanh"]
output_activation = "softmax"
dtype = "float64"

[training]
optimizer = "sgd(0.5)"
epochs = 7
batch_size = 16
samples_per_epoch = 0.5
sampling = "first"

[checksums]
"X, y" = "123"

[environment]
python = "3.11"
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(FULL)
    return path


def test_a_file_is_read_as_it_says(file):
    assert load_config(str(file)) == RunConfig(
        seed=3,
        data=DataConfig(dataset="digits", validation=100, split_seed=2),
        network=NetworkConfig(layers=[64, 10], activation=["tanh"], output_activation="softmax", dtype="float64"),
        training=TrainingConfig(
            optimizer="sgd(0.5)", epochs=7, batch_size=16, samples_per_epoch=0.5, sampling="first"
        ),
        checksums={"X, y": "123"},
        start="abc",
        environment={"python": "3.11"},
    )


def test_defaults_are_those_of_the_functions():
    import inspect

    from glassnet.data.registry import load_dataset
    from glassnet.nn.network import Network
    from glassnet.training.fit import fit

    config = configure({"data": {"dataset": "digits"}})
    for section, function in ((config.data, load_dataset), (config.network, Network), (config.training, fit)):
        parameters = inspect.signature(function).parameters
        for name, value in section.model_dump().items():
            if name in parameters and name not in ("layers", "loss", "seed", "split_seed", "dataset"):
                assert value == parameters[name].default, name
    assert (config.seed, config.data.split_seed) == (0, 0)
    # Fitted to the data.
    assert (config.network.layers, config.network.loss, config.data.validation) == (None, None, None)


@given(
    validation=st.integers(0, 100) | st.floats(0, 0.99),
    samples=st.none() | st.integers(1, 100) | st.floats(0.01, 1.0),
    scale=st.floats(1e-3, 1e3),
    activation=st.sampled_from(["relu", ["relu", "tanh"], "softplus"]),
    seed=st.integers(0, 2**63 - 1),
)
def test_toml_comes_back_as_the_same_configuration(tmp_path_factory, validation, samples, scale, activation, seed):
    config = RunConfig(
        seed=seed,
        data=DataConfig(dataset="digits", validation=validation),
        network=NetworkConfig(layers=[4, 3, 2], activation=activation, output_scale=scale),
        training=TrainingConfig(samples_per_epoch=samples),
        checksums={"a file.gz": "0" * 32},
    )
    path = tmp_path_factory.mktemp("toml") / "config.toml"
    path.write_text(config.to_toml(), encoding="utf-8")
    back = load_config(path)
    assert back == config
    # 1 sample and a share of 1.0 are equal numbers with different meanings.
    assert type(back.training.samples_per_epoch) is type(samples)
    assert type(back.data.validation) is type(validation)


def test_changes_replace_single_values_and_none_replaces_nothing(file):
    config = configure(
        {"seed": None, "data": {"dataset": None}, "training": {"epochs": 2, "batch_size": None}}, file
    )
    before = load_config(file)
    assert config.training == before.training.model_copy(update={"epochs": 2})
    assert (config.data, config.network, config.seed) == (before.data, before.network, before.seed)
    assert (config.start, config.checksums) == ("abc", {"X, y": "123"})


@pytest.mark.parametrize(
    ("changes", "start", "checksums"),
    [
        ({}, "abc", {"X, y": "123"}),
        ({"training": {"optimizer": "adam"}}, "abc", {"X, y": "123"}),
        ({"seed": 4}, None, {"X, y": "123"}),
        ({"seed": 0}, None, {"X, y": "123"}),
        ({"network": {"dtype": "float32"}}, None, {"X, y": "123"}),
        ({"data": {"dataset": "fashion-mnist"}}, None, {}),
        ({"data": {"split_seed": 0}}, None, {}),
    ],
)
def test_start_and_checksums_are_dropped_where_they_no_longer_apply(file, changes, start, checksums):
    config = configure(changes, file)
    assert (config.start, config.checksums) == (start, checksums)


def test_what_reads_a_table_comes_back(tmp_path):
    data = {"dataset": "/home/ä/houses.csv", "target": "price, in €", "impute": "median"}
    config = configure({"data": data})
    (tmp_path / "c.toml").write_text(config.to_toml(), encoding="utf-8")
    assert load_config(tmp_path / "c.toml") == config


def test_the_callers_changes_are_left_as_they_were(file):
    changes = {"data": {"split_seed": 1}}
    configure(changes, file)
    assert changes == {"data": {"split_seed": 1}}


GOOD = {"data": {"dataset": "digits"}}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "data: is missing"),
        ({"data": {}}, "data.dataset: is missing"),
        (GOOD | {"sed": 1}, "sed: is no option; did you mean seed?"),
        (GOOD | {"x": 1}, "x: is no option; known here: seed, data, network, training, checksums, start, "),
        (GOOD | {"epochs": 1}, "epochs: is no option here; it goes to glassnet.fit, or to [training] in a file"),
        (
            GOOD | {"training": {"batch-size": 5}},
            "training.batch-size: is no option; did you mean batch_size?",
        ),
        (
            GOOD | {"training": {"int": 5}},
            "training.int: is no option; known here: optimizer, learning_rate, update_scale, ",
        ),
        (GOOD | {"network": {"layer": [1]}}, "network.layer: is no option; did you mean layers?"),
        (
            {"data": {"dataset": "digits", "x": 1}},
            "data.x: is no option; known here: dataset, validation, split_seed",
        ),
        (GOOD | {"training": {"epochs": 0}}, "training.epochs: input should be greater than or equal to 1, got 0"),
        (GOOD | {"training": {"epochs": "many"}}, "training.epochs: input should be a valid integer"),
        (
            GOOD | {"training": {"batch_size": 0}},
            "training.batch_size: input should be greater than or equal to 1",
        ),
        (GOOD | {"training": {"batch_size": 2.5}}, "training.batch_size: input should be a valid integer"),
        (
            GOOD | {"training": {"samples_per_epoch": 0}},
            "training.samples_per_epoch: input should be greater than 0",
        ),
        (GOOD | {"training": {"samples_per_epoch": float("nan")}}, "training.samples_per_epoch: input should be"),
        (
            GOOD | {"training": {"sampling": "last"}},
            "training.sampling: input should be 'fresh' or 'first', got 'last'",
        ),
        (GOOD | {"network": {"layers": [1, "two"]}}, "network.layers: input should be a valid integer"),
        (GOOD | {"network": {"layers": "1, 2"}}, "network.layers: input should be a valid list, got '1, 2'"),
        (GOOD | {"network": {"activation": 3}}, "network.activation: input should be a valid string, got 3"),
        (GOOD | {"seed": -1}, "seed: input should be greater than or equal to 0, got -1"),
        (GOOD | {"checksums": {"a.gz": 5}}, "checksums: input should be a valid string, got 5"),
        ({"data": {"dataset": "a.csv", "target": 3}}, "data.target: input should be a valid string, got 3"),
        (
            {"data": {"dataset": "a.csv", "impute": "mean"}},
            "data.impute: input should be 'error' or 'median', got 'mean'",
        ),
        (
            {"data": {"dataset": "digits", "validation": -1}},
            "data.validation: input should be greater than or equal",
        ),
        ({"data": "digits"}, "data: input should be a valid dictionary"),
    ],
)
def test_a_value_that_does_not_fit_is_one_line_that_names_its_key(file, values, said):
    with pytest.raises(UsageError) as caught:
        validate(RunConfig, values)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
    assert caught.value.name == said.split(":")[0]


def test_a_configuration_cannot_be_changed_afterwards():
    config = configure(GOOD)
    with pytest.raises(ValueError, match="frozen"):
        config.seed = 5


def refused(path):
    with pytest.raises(FileError) as caught:
        load_config(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)[len(f"{path}: ") :]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"seed = ", "is no TOML file: Invalid value (at end of document)"),
        (b"[data\n", "is no TOML file: "),
        (b"\xff\xfe", "is no text in UTF-8: invalid start byte at byte 0"),
        (b"a = " + b"[" * 100_000, "is no TOML file: "),
        (b"", "data: is missing"),
        (b"[data]\ndataset = 5", "data.dataset: input should be a valid string, got 5"),
        (
            b"[data]\ndataset = 'digits'\n[training]\nepoch = 5",
            "training.epoch: is no option; did you mean epochs?",
        ),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path, content, said):
    (tmp_path / "config.toml").write_bytes(content)
    assert refused(tmp_path / "config.toml").startswith(said)


def test_missing_files_folders_and_pipes_are_refused(tmp_path):
    assert refused(tmp_path / "missing.toml") == "cannot be read: No such file or directory"
    assert refused(tmp_path) == "is not a regular file"
    os.mkfifo(tmp_path / "pipe")
    reader = threading.Thread(target=refused, args=[tmp_path / "pipe"], daemon=True)
    reader.start()
    reader.join(timeout=5)
    assert not reader.is_alive()


def test_a_changed_seed_is_the_networks_too(tmp_path):
    """`--seed` on a configuration whose network had a seed of its own must not leave that one standing."""
    own = RunConfig(seed=1, data=DataConfig(dataset="digits"), network=NetworkConfig(seed=2))
    (tmp_path / "c.toml").write_text(own.to_toml())
    assert configure({}, tmp_path / "c.toml").network.seed == 2
    changed = configure({"seed": 3}, tmp_path / "c.toml")
    assert (changed.seed, changed.network.seed) == (3, None)
