import json
import os
import pickle
import tracemalloc

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save_file

from glassnet.data.array_schema import ArraySchema
from glassnet.data.columns import TableSchema
from glassnet.data.schema import Schema
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import FileError, UsageError
from glassnet.nn.activations import ACTIVATIONS
from glassnet.nn.initializers import INITIALIZERS, Initializer
from glassnet.nn.network import Network
from glassnet.training.archive import write_archive
from glassnet.training.history import History
from glassnet.training.model import Model
from glassnet.training.model_file import load_model, save_model
from glassnet.training.results import Run

LOSSES = ["cross_entropy", "binary_cross_entropy(sum)", "half_squared_error", "huber(0.5)"]

#: What is said of a file that another version wrote.
OTHER = "; another version made it: train again"


@st.composite
def networks(draw):
    layers = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    layers.append(draw(st.integers(2, 5)))
    loss = draw(st.sampled_from(LOSSES))
    fused = "cross_entropy" in loss
    return Network(
        layers,
        [draw(st.sampled_from(sorted(ACTIVATIONS))) for _ in layers[1:-1]],
        output_activation=None if fused else draw(st.sampled_from(["sigmoid", "tanh", None])),
        loss=loss,
        output_scale=1.0 if fused else draw(st.floats(0.5, 20)),
        initializer=draw(st.sampled_from(["glorot_uniform", "uniform(-1, 1)", "normal(0, 0.1)"])),
        bias_initializer=draw(st.sampled_from(["zeros", "uniform(-1, 1)"])),
        seed=draw(st.integers(0, 2**40)),
        dtype=draw(st.sampled_from(["float32", "float64"])),
        class_names=draw(st.none() | st.lists(st.text(max_size=8), min_size=layers[-1], max_size=layers[-1])),
    )


def test_a_network_comes_back_exactly(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")

    @settings(max_examples=60)
    @given(networks())
    def check(network):
        save_model(network, folder / "model.safetensors")
        assert load_model(folder).schema is None
        back = load_model(folder).network
        assert back.fingerprint() == network.fingerprint()
        assert back.theta.dtype == network.theta.dtype
        assert back.get_config() == network.get_config()
        assert repr(back) == repr(network)
        X = np.linspace(-1, 1, 3 * network.layers[0]).reshape(3, -1)
        np.testing.assert_array_equal(back.outputs(X), network.outputs(X))

    check()


def test_a_loaded_network_can_be_saved_again_and_goes_on_learning(tmp_path):
    network = Network([4, 3, 2], seed=5, class_names=["no", "yes"])
    save_model(network, tmp_path / "a")
    back = load_model(tmp_path / "a").network
    save_model(back, tmp_path / "b")
    assert load_model(tmp_path / "b").network.get_config() == network.get_config()
    assert load_model(tmp_path / "b").network.fingerprint() == network.fingerprint()
    again = load_model(tmp_path / "b").network
    assert again.get_config() == network.get_config()
    assert again.fingerprint() == network.fingerprint()
    back.theta += 1  # writable, and the layers are still views into it
    np.testing.assert_array_equal(back.W[0], network.W[0] + 1)


def test_the_file_is_plain_safetensors(tmp_path):
    network = Network([3, 2], dtype="float64", seed=1)
    save_model(network, str(tmp_path / "model"))
    tensors = load((tmp_path / "model").read_bytes())
    assert list(tensors) == ["theta"]
    np.testing.assert_array_equal(tensors["theta"], network.theta)


def refused(path):
    with pytest.raises(FileError) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_flipped_byte_is_refused_or_loads_the_original(tmp_path):
    path = tmp_path / "model"
    network = Network([2, 2], class_names=["a", "b"])
    save_model(network, path)
    whole = path.read_bytes()
    outcomes = {"refused": 0, "the same": 0}
    for place in range(len(whole)):
        for mask in (0x01, 0x20, 0xFF):
            damaged = bytearray(whole)
            damaged[place] ^= mask
            path.write_bytes(damaged)
            try:
                back = load_model(path).network
            except FileError:
                outcomes["refused"] += 1
                continue
            assert back.fingerprint() == network.fingerprint()
            assert back.get_config() == network.get_config()
            outcomes["the same"] += 1
    # Hardly a byte is without meaning: the padding of the header may be.
    assert outcomes["refused"] > 2.9 * len(whole) - 30
    assert outcomes["refused"] + outcomes["the same"] == 3 * len(whole)


def test_every_truncation_and_any_tail_is_refused(tmp_path):
    path = tmp_path / "model"
    save_model(Network([2, 2]), path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert refused(path).startswith(str(path))
    path.write_bytes(whole + b"\0")
    assert refused(path).startswith(str(path))


def test_a_changed_number_or_description_fails_the_checksum(tmp_path):
    path = tmp_path / "model"
    network = Network([2, 2])
    save_model(network, path)
    whole = path.read_bytes()
    for damaged in (whole[:-1] + bytes([whole[-1] ^ 1]), whole.replace(b'\\"seed\\": 0', b'\\"seed\\": 1')):
        assert damaged != whole
        path.write_bytes(damaged)
        assert refused(path) == f"{path}: is damaged: its checksum is wrong; copy it again"


def test_a_header_that_promises_much_takes_no_memory(tmp_path):
    path = tmp_path / "model"
    path.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    tracemalloc.start()
    refused(path)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def forged(path, description, theta):
    """Write a file with a right checksum, as someone could who knows the format."""
    write_archive(path, "model file", {"config": description, "theta": theta})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"layers": [2, 3]}, "describes no network: initializer: an array must hold 9 finite numbers"),
        ({"layers": "two"}, "describes no network: layers: "),
        ({"layers": [10**9, 10**9]}, "describes no network: layers: "),
        ({"activation": ["magic"]}, "describes no network: activation: "),
        ({"loss": 5}, "describes no network: loss: "),
        ({"dtype": "float64"}, "describes no network: theta: expected float64 of the shape (6,), got float32 of"),
        ({"surprise": 1}, "describes no network: "),
        ({"class_names": 7}, "describes no network: "),
    ],
)
def test_a_description_that_is_none_is_refused(tmp_path, changes, said):
    path = tmp_path / "model"
    network = Network([2, 2])
    forged(path, network.get_config() | changes, network.theta)
    assert refused(path).startswith(f"{path}: {said}")


@pytest.mark.parametrize("theta", ["glorot_uniform", 1.0, None, [1.0] * 6])
def test_a_theta_that_is_no_array_is_refused(tmp_path, theta):
    forged(tmp_path / "model", Network([2, 2]).get_config(), theta)
    assert refused(tmp_path / "model") == f"{tmp_path / 'model'}: describes no network: theta is no array"


def test_a_theta_that_is_not_finite_is_refused(tmp_path):
    network = Network([2, 2])
    network.theta[3] = np.nan
    forged(tmp_path / "model", network.get_config(), network.theta)
    assert "finite numbers" in refused(tmp_path / "model")


@pytest.mark.parametrize("description", [[1, 2], None, "text", 5])
def test_a_description_that_is_no_object_is_refused(tmp_path, description):
    forged(tmp_path / "model", description, Network([2, 2]).theta)
    assert refused(tmp_path / "model").startswith(str(tmp_path / "model"))


@pytest.mark.parametrize("entry", ["[1, 2]", "null", "no json", "5", "[" * 100_000])
def test_an_entry_that_is_no_object_is_refused(tmp_path, entry):
    save_file({"theta": np.zeros(6, np.float32)}, tmp_path / "model", {"glassnet": entry})
    assert "is damaged or no model file" in refused(tmp_path / "model")


def test_equal_networks_make_equal_files(tmp_path):
    for name in "ab":
        save_model(Network([2, 2], seed=3), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_files_of_others_are_refused(tmp_path):
    path, theta = tmp_path / "model.safetensors", {"theta": np.zeros(6, np.float32)}
    save_file(theta, path)
    assert refused(path) == f"{path}: is no model file of format 5, but a file of format none"
    save_file(theta, path, {"glassnet": '{"format": 2}'})
    assert refused(path) == f"{path}: is no model file of format 5, but a file of format 2" + OTHER
    write_archive(path, "model file", {"config": Network([2, 2]).get_config(), "weights": np.zeros(6)})
    assert refused(path) == f"{path}: describes no network: 'theta'"
    save_file(theta, path, {"glassnet": '{"kind": "model file", "format": 5, "values": {}}'})
    assert refused(path) == f"{path}: is damaged or no model file: 'sha256'"


def test_a_pickle_is_refused_and_never_run(tmp_path):
    trap = tmp_path / "sprung"

    class Exploding:
        def __reduce__(self):
            return os.mkdir, (str(trap),)

    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Exploding()))
    assert "is damaged or no model file" in refused(path)
    assert not trap.exists()


def test_missing_files_empty_folders_and_pipes_are_refused(tmp_path):
    assert refused(tmp_path / "no") == f"{tmp_path / 'no'}: does not exist; give a run folder or a model file"
    assert refused(tmp_path).startswith(f"{tmp_path / 'model.safetensors'}: does not exist")
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe") == f"{tmp_path / 'pipe'}: is not a regular file"


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(FileError, match="cannot be written"):
        save_model(Network([2, 2]), tmp_path / "missing" / "model")


def test_registered_initializers_are_not_needed_to_load(tmp_path):
    # The file keeps the names for people; theta itself is stored.
    mine = Initializer("mine", lambda shape, rng: np.full(shape, 0.5))
    INITIALIZERS.add("mine", lambda: mine)
    network = Network([2, 2], initializer="mine", bias_initializer="mine")
    INITIALIZERS._factories.pop("mine")
    save_model(network, tmp_path / "model")
    loaded = load_model(tmp_path / "model").network
    assert (loaded.initializer, loaded.bias_initializer) == ("mine", "mine")
    assert loaded.theta.tobytes() == network.theta.tobytes()


# What rows and answers mean is in the same file

TABLE = pl.DataFrame(
    {
        "area": [0.1, 1 / 3, 3e-7, 2],
        "färbung": ["rot", "blau"] * 2,
        "sold": ["2024-01-02", "2024-02-29", "2023-12-31", "2024-01-02"],
        "gap": [1, None, 3, 4],
    }
)

BYTES = np.array([[[0, 255], [3, 4]], [[9, 8], [7, 6]]], np.uint8)


def table_schema():
    target, _ = TargetSchema.learn(np.array([1.5, 2.7, 9.1, 2]), names=["price"], scale_by=np.array([1.5, 2.7]))
    return Schema(TableSchema.learn(TABLE)[0], target, {"sep": ";", "target": {"decimal": ","}})


SCHEMAS = {
    "bytes": (lambda: Schema.learn(BYTES, ["no", "yes"] * 2), BYTES),
    "scaled bytes": (lambda: Schema(ArraySchema.learn(BYTES)[0].scale(BYTES, "standard"), TARGET), BYTES),
    "robustly scaled bytes": (lambda: Schema(ArraySchema.learn(BYTES)[0].scale(BYTES, "robust"), TARGET), BYTES),
    "16 bits": (lambda: Schema(ArraySchema.learn(BYTES * 257.0, white=65535)[0], TARGET), BYTES * 257.0),
    "large classes": (lambda: Schema.learn(np.eye(3), [2**60, 2**60 + 1, -(2**63)]), np.eye(3)),
    "numbers": (lambda: Schema.learn(np.eye(3), [0.1, 1 / 3, 3e-7]), np.eye(3)),
    "labels": (lambda: Schema.learn(np.eye(3), np.eye(3, dtype=int)[:, :2] | [[1, 0]] * 3), np.eye(3)),
    "table": (table_schema, TABLE),
}

TARGET = TargetSchema.learn([True, False] * 2)[0]


@pytest.mark.filterwarnings("ignore:missing values filled:glassnet.data.schema.DataWarning")
@pytest.mark.parametrize("kind", SCHEMAS)
def test_what_rows_and_answers_mean_comes_back_exactly(tmp_path, kind):
    make, rows = SCHEMAS[kind]
    schema = make()
    network = Network(
        [schema.input.width, schema.target.n_classes or schema.target.width], loss="half_squared_error"
    )
    save_model(Model(network, schema), tmp_path / "model.safetensors")
    back = load_model(tmp_path)
    assert back.schema.target == schema.target
    assert [type(one) for one in back.schema.target.classes] == [type(one) for one in schema.target.classes]
    assert back.schema.reading == schema.reading
    assert back.schema == schema
    np.testing.assert_array_equal(back.schema.encode_rows(rows), schema.encode_rows(rows))
    np.testing.assert_array_equal(back.predict(rows), Model(network, schema).predict(rows))
    save_model(back, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "model.safetensors").read_bytes()


def test_every_flipped_byte_of_a_model_with_a_table_is_refused(tmp_path, no_waiting_for_the_disk):
    path = tmp_path / "model"
    save_model(Model(Network([1, 1], loss="half_squared_error"), table_schema()), path)
    whole, read, refusals = path.read_bytes(), [], 0
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :])
        try:
            read.append(load_model(path).schema)
        except FileError:
            refusals += 1
    assert all(schema == table_schema() for schema in read)
    assert len(read) < 5 < 100 < refusals


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_that_is_none_is_refused_in_one_line(tmp_path, no_waiting_for_the_disk, kind):
    network, whole = Network([2, 2]), SCHEMAS[kind][0]().to_dict()
    path = tmp_path / "model"
    wrong = (None, 5, "x", [], {}, -1, [[]], {"a": None}, np.zeros(2), True)
    forgeries = [5, "x", [1], {}, {**whole, "kind": "picture"}, {**whole, "reading": 7}]
    for part in ("input", "target"):
        forgeries += [{**whole, part: value} for value in wrong]
        for key in whole[part]:
            forgeries += [{**whole, part: {name: v for name, v in whole[part].items() if name != key}}]
            forgeries += [{**whole, part: {**whole[part], key: value}} for value in wrong]
        forgeries += [{**whole, part: {**whole[part], "surprise": 1}}]
    said = []
    for schema in forgeries:
        write_archive(
            path, "model file", {"config": network.get_config(), "theta": network.theta, "schema": schema}
        )
        try:
            load_model(path)
        except FileError as error:
            said.append(str(error))
    assert all(one.startswith(f"{path}: describes no rows or answers: ") and "\n" not in one for one in said)
    assert len(said) > 0.75 * len(forgeries)
    write_archive(path, "model file", {"config": network.get_config(), "theta": network.theta, "schema": whole})
    assert load_model(path).schema == SCHEMAS[kind][0]()


def test_a_model_file_of_0_1_which_knows_no_schema_is_refused(tmp_path):
    path, network = tmp_path / "model", Network([2, 2])
    entry = {"config": network.get_config(), "theta": {"ndarray": "theta"}}
    save_file(
        {"theta": network.theta},
        path,
        {"glassnet": json.dumps({"kind": "model file", "format": 2, "values": entry, "sha256": "0" * 64})},
    )
    assert refused(path) == f"{path}: is no model file of format 5, but a model file of format 2" + OTHER


def test_what_is_no_model_is_not_saved(tmp_path):
    with pytest.raises(UsageError, match=r"^model: expected a Model or a Network, got dict$"):
        save_model({}, tmp_path / "model")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: save_model("path", Network([2, 2])),
            "model: expected a Model or a Network, got str; the model comes",
        ),
        (lambda: save_model(None, "path"), "model: expected a Model or a Network, got NoneType"),
        (lambda: save_model(Network([2, 2]), 7), "path: expected the path of a file, got int"),
        (
            lambda: load_model(Network([2, 2])),
            "path: expected the path of a run folder or model file, got Network",
        ),
        (
            lambda: load_model(Run(Network([2, 2]), History(), None, None)),
            "path: expected the path of a run folder or model file, got Run; a run has its model as run.model",
        ),
    ],
)
def test_arguments_in_the_wrong_place_say_so(call, said):
    with pytest.raises(UsageError) as caught:
        call()
    assert str(caught.value).startswith(said)
