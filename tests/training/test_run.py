import gzip

import numpy as np
import pandas as pd
import pytest

from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset
from glassnet.errors import DataError, FileError, UsageError
from glassnet.nn.losses import LOSSES
from glassnet.nn.network import Network
from glassnet.training.callbacks import Callback
from glassnet.training.config import RunConfig, configure, load_config
from glassnet.training.fit import fit
from glassnet.training.metrics import evaluate_predictions, predict_rows
from glassnet.training.model_file import load_model
from glassnet.training.run import (
    HIDDEN_LAYERS,
    build_network,
    choose_layers,
    choose_loss,
    load_data,
    open_run,
    run,
)

OPTIONS = {"epochs": 2, "batch_size": 50, "samples_per_epoch": 300, "progress": False}


@pytest.fixture
def finished(tmp_path, digits):
    """A run folder of digits, and the run."""
    network = Network([64, 12, 10], "tanh", initializer="uniform(-0.5, 0.5)", seed=3, dtype="float64")
    return fit(network, digits, optimizer="momentum(0.05, momentum=0.5)", run_dir=tmp_path / "run", **OPTIONS)


def test_the_folders_configuration_gives_the_same_bits_again(finished):
    config = load_config(finished.folder / "config.toml")
    assert config == finished.config
    again = run(config, progress=False)
    assert again.network.fingerprint() == finished.network.fingerprint()
    assert again.network.get_config() == finished.network.get_config()
    assert again.history["train_loss"] == finished.history["train_loss"]
    assert again.history["validation_loss"] == finished.history["validation_loss"]
    assert again.config == config


def test_a_run_from_a_configuration_is_saved_where_it_is_told(tmp_path):
    config = configure({"data": {"dataset": "digits"}, "training": {"epochs": 1}, "network": {"layers": [64, 10]}})
    made = run(config, run_dir=tmp_path / "again", progress=False)
    assert made.folder == tmp_path / "again"
    assert run(load_config(made.folder / "config.toml"), progress=False).network.fingerprint() == (
        made.network.fingerprint()
    )


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 4},
        {"network": {"initializer": "uniform(-0.5, 0.6)"}},
        {"training": {"batch_size": 49}},
        {"training": {"optimizer": "momentum(0.05, momentum=0.6)"}},
        {"training": {"samples_per_epoch": 301}},
        {"training": {"sampling": "first"}},
        {"data": {"split_seed": 1}},
        {"data": {"scaling": "standard"}},
    ],
)
def test_everything_in_a_configuration_counts(finished, change):
    config = configure(change, finished.folder / "config.toml")
    assert run(config, progress=False).network.fingerprint() != finished.network.fingerprint()


@pytest.mark.parametrize("file", ["X, y", "a file that these data have not"])
def test_other_data_are_refused_by_name(finished, file):
    config = finished.config.model_copy(update={"checksums": {file: "0" * 32}})
    with pytest.raises(DataError) as caught:
        run(config, progress=False)
    assert str(caught.value) == (
        f"{file}: is not the file that this configuration was made with (md5 {'0' * 32}); "
        "remove it from [checksums] to use the data at hand all the same"
    )


def test_a_changed_file_is_refused_before_any_training(fashion_like, tmp_path):
    config = configure({"data": {"dataset": "fashion-mnist", "validation": 0}, "training": {"epochs": 1}})
    data = load_data(config, fashion_like)
    made = fit(Network([784, 10]), data, run_dir=tmp_path / "run", epochs=1, progress=False)
    config = load_config(made.folder / "config.toml")
    assert load_data(config, fashion_like).checksums == data.checksums
    labels = fashion_like / "train-labels-idx1-ubyte"
    labels_before = labels.read_bytes()
    labels.write_bytes(labels_before[:-1] + b"\3")
    with pytest.raises(DataError, match=r"^train-labels-idx1-ubyte: is not the file"):
        load_data(config, fashion_like)
    labels.unlink()  # the same labels under another name are not vouched for either
    (fashion_like / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels_before))
    with pytest.raises(DataError, match=r"^train-labels-idx1-ubyte: is not the file"):
        load_data(config, fashion_like)


@pytest.fixture
def fashion_like(tmp_path):
    """A folder with four small raw files in the place of Fashion-MNIST's."""
    rng = np.random.default_rng(0)
    for part, n in (("train", 20), ("t10k", 5)):
        header = b"\0\0\x08\x03" + b"".join(length.to_bytes(4, "big") for length in (n, 28, 28))
        images = rng.integers(0, 256, n * 784, np.uint8).tobytes()
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(header + images)
        labels = (np.arange(n) % 10).astype(np.uint8).tobytes()
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01" + n.to_bytes(4, "big") + labels)
    return tmp_path


def test_a_start_that_is_not_reproduced_is_refused(finished, digits):
    later = fit(finished.network.copy(), digits, **OPTIONS)
    with pytest.raises(DataError, match=r"^start: the run began with other parameters"):
        run(later.config, progress=False)
    # Without the record, the configuration is one like any other.
    assert len(run(later.config.model_copy(update={"start": None}), progress=False).history) == 2


def test_a_network_with_a_seed_of_its_own_is_repeated_with_it(digits):
    first = fit(Network([64, 8, 10], seed=3), digits, seed=4, epochs=1, progress=False)
    assert (first.config.seed, first.config.network.seed) == (4, 3)
    again = run(first.config, progress=False)
    assert again.network.fingerprint() == first.network.fingerprint()
    assert fit(Network([64, 8, 10], seed=3), digits, epochs=1, progress=False).config.network.seed is None


def test_an_array_of_parameters_is_not_in_the_configuration(digits):
    first = fit(Network([64, 10], initializer=np.full(650, 0.1)), digits, epochs=1, progress=False)
    with pytest.raises(DataError, match=r"^initializer: .* only its model file holds$"):
        run(first.config, progress=False)


@pytest.mark.parametrize("layers", [[], [64], [64, 0, 10]])
def test_layers_that_make_no_network_are_refused(digits, layers):
    config = configure({"data": {"dataset": "digits"}, "network": {"layers": layers}})
    with pytest.raises(UsageError, match=r"^layers: needs two or more whole numbers > 0, inputs first, got \["):
        build_network(config, digits)


def test_without_layers_two_hidden_ones_stand_between_columns_and_classes(digits):
    config = configure({"data": {"dataset": "digits"}})
    assert choose_layers(config, digits) == [64, *HIDDEN_LAYERS, 10]
    X = np.zeros((20, 2, 3))
    y = np.linspace(0.5, 1, 20)
    assert choose_layers(config, Dataset.from_arrays(X, y)) == [6, *HIDDEN_LAYERS, 1]
    assert choose_layers(config, Dataset.from_arrays(X, y.repeat(4).reshape(20, 4))) == [6, *HIDDEN_LAYERS, 4]
    named = configure({"data": {"dataset": "digits"}, "network": {"layers": [64, 10]}})
    assert choose_layers(named, digits) == [64, 10]


def data_of(task, targets):
    """Return rows of 6 columns with so many classes, labels or numbers to regress."""
    rng, n = np.random.default_rng(0), 60
    y = {
        "binary": np.arange(n) % 2,
        "multi-class": np.arange(n) % targets,
        "ordinal": np.arange(n) % targets,
        "multi-label": rng.integers(0, 2, (n, targets)),
        "regression": rng.normal(size=(n, targets) if targets > 1 else n),
    }[task]
    return Dataset.from_arrays(rng.normal(size=(n, 2, 3)), y, task=task)


@pytest.mark.parametrize(
    ("task", "targets", "units", "loss"),
    [
        ("binary", 2, 1, "binary_cross_entropy"),
        ("multi-class", 4, 4, "cross_entropy"),
        ("ordinal", 5, 5, "cross_entropy"),
        ("multi-label", 3, 3, "binary_cross_entropy"),
        ("regression", 1, 1, "half_squared_error"),
        ("regression", 3, 3, "half_squared_error"),
    ],
)
def test_outputs_and_loss_are_fitted_to_the_task(task, targets, units, loss):
    config = configure({"data": {"dataset": "digits"}, "training": {"epochs": 1}})
    data = data_of(task, targets)
    assert choose_layers(config, data) == [6, *HIDDEN_LAYERS, units]
    assert choose_loss(config, data, units) == loss
    made = run(config, data, progress=False)
    assert (made.network.layers, made.network.loss.name) == ((6, *HIDDEN_LAYERS, units), loss)
    measures = evaluate_predictions(predict_rows(made.network, data.test)).measures
    assert set(measures) >= ({"r2", "mae"} if task == "regression" else {"auc", "accuracy"})


@pytest.mark.parametrize(("units", "loss"), [(1, "binary_cross_entropy"), (2, "cross_entropy")])
def test_two_classes_take_the_loss_that_suits_the_layers_given(units, loss):
    config = configure({"data": {"dataset": "digits"}, "network": {"layers": [6, 3, units]}})
    made = run(config, data_of("binary", 2), progress=False)
    assert (made.network.layers, made.network.loss.name) == ((6, 3, units), loss)


@pytest.mark.parametrize(
    ("task", "targets", "units", "loss"),
    [
        ("binary", 2, 2, "half_squared_error"),
        ("regression", 1, 1, "huber"),
        ("multi-class", 4, 4, "absolute_error"),
    ],
)
def test_a_loss_that_is_named_is_taken(task, targets, units, loss):
    config = configure({"data": {"dataset": "digits"}, "network": {"loss": loss}, "training": {"epochs": 1}})
    data = data_of(task, targets)
    assert choose_layers(config, data) == [6, *HIDDEN_LAYERS, units]
    assert choose_loss(config, data, units) == loss
    assert run(config, data, progress=False).network.loss.name == LOSSES.resolve(loss).name


@pytest.mark.parametrize(
    ("name", "layers", "loss", "measure", "least"),
    [
        ("iris", [4, 256, 128, 3], "cross_entropy", "accuracy", 0.85),
        ("breast-cancer", [30, 256, 128, 1], "binary_cross_entropy", "auc", 0.97),
        ("diabetes", [10, 256, 128, 1], "half_squared_error", "r2", 0.2),
        ("linnerud", [3, 256, 128, 3], "half_squared_error", "mae", 0.0),
    ],
)
def test_scikit_learns_tables_are_learned_by_name(tmp_path, name, layers, loss, measure, least):
    training = {"epochs": 10, "batch_size": 8}
    made = run(
        configure({"data": {"dataset": name}, "training": training}), run_dir=tmp_path / "run", progress=False
    )
    assert (list(made.network.layers), made.network.loss.name) == (layers, loss)
    network, _, data = open_run(tmp_path / "run")
    assert load_model(tmp_path / "run").schema == data.schema == made.schema
    assert evaluate_predictions(predict_rows(network, data.test)).measures[measure] > least


@pytest.fixture
def houses(tmp_path):
    """A table, and the folder of a run that learned prices from it."""
    rng = np.random.default_rng(0)
    area, colour = rng.uniform(50, 200, 60), rng.choice(["red", "blue"], 60)
    lines = [f"{a:.1f},{c},{1000 * a + 5000 * (c == 'red'):.2f}" for a, c in zip(area, colour, strict=True)]
    (tmp_path / "houses.csv").write_text("\n".join(["area,colour,price", *lines]) + "\n")
    data = {"dataset": str(tmp_path / "houses.csv"), "target": "price"}
    network = {"layers": [3, 4, 1]}
    config = configure({"data": data, "network": network, "training": {"epochs": 2, "batch_size": 10}})
    return tmp_path / "houses.csv", run(config, run_dir=tmp_path / "run", progress=False)


def test_a_run_on_a_table_is_opened_with_its_columns(houses):
    path, made = houses
    for place in (made.folder, made.folder / "model.safetensors"):
        network, folder, data = open_run(place)
        assert network.fingerprint() == made.network.fingerprint()
        assert load_model(place).schema == data.schema
        assert data.schema.input.feature_names == ("area", "colour=blue", "colour=red")
        assert data.schema.target.names == ("price",)
        assert data.checksums == folder.config().checksums
        assert list(data.checksums) == [path.name]


def test_a_run_on_a_table_is_repeated_bit_for_bit(houses):
    again = run(load_config(houses[1].folder / "config.toml"), progress=False)
    assert again.network.fingerprint() == houses[1].network.fingerprint()


def test_a_table_that_has_changed_is_refused(houses):
    path, made = houses
    path.write_text(path.read_text() + "99.0,red,104000.00\n")
    with pytest.raises(DataError, match=r"^houses\.csv: is not the file that this configuration was made with"):
        open_run(made.folder)
    path.unlink()
    with pytest.raises(FileError, match=r"^\S+houses\.csv: "):
        open_run(made.folder)


def test_split_options_reach_the_data():
    config = configure({"data": {"dataset": "digits", "validation": 77, "split_seed": 9}})
    data = load_data(config)
    assert (len(data.validation.y), data.split_seed) == (77, 9)


def test_standardised_data_are_described_loaded_again_and_held_to(digits, tmp_path):
    scaled = digits.scale("standard")
    made = fit(Network([64, 9, 10]), scaled, epochs=2, run_dir=tmp_path / "run", progress=False)
    assert made.config.data.scaling == "standard"
    assert made.config.checksums == digits.checksums
    network, folder, data = open_run(tmp_path / "run")
    np.testing.assert_array_equal(data.test.X, digits.test.X)
    np.testing.assert_array_equal(data.encoded.test.X, scaled.encoded.test.X)
    assert load_model(tmp_path / "run").schema == data.schema == scaled.schema != digits.schema
    assert run(folder.config(), progress=False).network.fingerprint() == network.fingerprint()
    with pytest.raises(DataError) as caught:
        run(folder.config(), digits, progress=False)
    assert str(caught.value) == (
        'digits: the configuration has scaling = "standard" and the data have "none"; '
        'load them with load_dataset(..., scaling="standard"), or change it'
    )
    with pytest.raises(DataError, match='scaling = "robust"'):
        run(configure({"data": {"dataset": "digits", "scaling": "robust"}}), scaled, progress=False)
    left_open = run(configure({"data": {"dataset": "digits"}}), scaled, progress=False)
    assert left_open.config.data.scaling == "standard"


def test_a_run_on_data_as_they_are_has_no_scaling(finished):
    assert finished.config.data.scaling is None
    assert load_model(finished.folder).schema.input.scaling is None


def test_unknown_names_in_a_configuration_are_refused():
    for change, name in (({"data": {"dataset": "digit"}}, "dataset"), ({"network": {"loss": "hinge"}}, "loss")):
        config = configure({"data": {"dataset": "digits"}} | change)
        with pytest.raises(UsageError, match=f"^{name}: unknown name"):
            run(config, progress=False)


def test_a_run_of_arrays_is_repeated_with_the_same_arrays_and_weights_only(blobs, tmp_path):
    weights = np.arange(84) % 3 + 1
    options = {"class_weight": {"1": 2.0}, "schedule": "cosine", "ema": 0.9, "metrics": ["auc"], "epochs": 2}
    made = fit(Network([5, 4, 3], dropout=0.2), blobs(), sample_weight=weights, progress=False, **options)
    config = made.config
    again = run(config, blobs(), sample_weight=weights.tolist(), progress=False)
    assert again.network.fingerprint() == made.network.fingerprint()
    (tmp_path / "config.toml").write_text(config.to_toml())
    assert again.config == config == load_config(tmp_path / "config.toml")
    for other in (None, weights + 1):
        with pytest.raises(DataError, match=r"^sample_weight: the run had weights, and these are others"):
            run(config, blobs(), sample_weight=other, progress=False)
    with pytest.raises(DataError, match=r"^X, y: "):
        run(config, blobs(seed=1), sample_weight=weights, progress=False)


def test_a_run_is_repeated_with_what_it_tells_and_saves(blobs, tmp_path):
    class Stop(Callback):
        def on_epoch_end(self, run):
            return "enough"

    made = fit(Network([5, 3]), blobs(), epochs=3, progress=False)
    again = run(made.config, blobs(), callbacks=[Stop()], run_dir=tmp_path / "run", progress=False)
    assert (again.stopped, len(again.history), again.folder) == ("enough", 1, tmp_path / "run")
    assert again.history["train_loss"] == made.history["train_loss"][:1]


@pytest.mark.parametrize("loss", ["cross_entropy", None])
def test_numbers_for_a_network_with_classes_name_the_task_to_ask_for(loss):
    rng = np.random.default_rng(0)
    letters = np.arange(520) % 26
    table = pd.DataFrame({"a": rng.random(520), "b": letters / 26, "letter": letters})
    network = {"layers": [2, 8, 26], "loss": loss}
    numbers, classes = (load_dataset(table, target="letter", task=task) for task in (None, "multi-class"))
    config = RunConfig(data={"dataset": "letters"}, network=network, training={"epochs": 1})
    with pytest.raises(DataError) as caught:
        build_network(config, numbers)
    assert str(caught.value).startswith("target 'letter': ")
    assert str(caught.value).endswith("or take them as classes with task=multi-class")
    assert build_network(config, classes).layers == (2, 8, 26)
