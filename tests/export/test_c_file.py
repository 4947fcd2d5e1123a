"""Headers of C, compiled without a warning and run."""

import re
import subprocess

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from tests.export.drawn import models

from glassnet.data.array_schema import ArraySchema
from glassnet.data.columns import TableSchema
from glassnet.data.read_options import ReadOptions
from glassnet.data.registry import load_dataset
from glassnet.data.schema import Schema
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import GlassnetError
from glassnet.export import c_file
from glassnet.export.c_file import call_header, run_c, write_c
from glassnet.export.c_header import write_header
from glassnet.export.portable import describe_model
from glassnet.export.trial import find_difference, make_trial
from glassnet.nn.activations import Activation
from glassnet.nn.network import Network
from glassnet.training.fit import fit

pytestmark = [pytest.mark.compiler, pytest.mark.usefixtures("compiler")]

few = settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
many = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def strict(monkeypatch):
    """A warning of the compiler is an error."""
    monkeypatch.setattr(c_file, "OPTIONS", ("-std=c99", "-O1", "-Wall", "-Wextra", "-pedantic", "-Werror"))


def write(folder, network, schema=None, calibration=None, name="net"):
    file = folder / f"{name}.h"
    file.write_bytes(write_c(describe_model(network, schema), name, calibration, "some rows").content)
    return file


def compare(model, folder):
    trial = make_trial(model.network, model.schema)
    if not trial.rows:
        return
    found = run_c(write(folder, model.network, model.schema), trial)
    expected = trial.decode(trial.outputs)
    allowed = 1e-5 + 10 * trial.rounding
    if found.outputs is None:
        assert find_difference(found.answers, expected) < allowed
    else:
        assert find_difference(found.outputs, trial.outputs) < allowed
        assert found.answers == trial.decode(found.outputs).tolist()
    whole = run_c(write(folder, model.network, model.schema, trial.X), trial)
    assert np.shape(whole.answers) == np.shape(found.answers)
    assert None not in whole.answers


@few
@given(models)
def test_c_gives_the_networks_outputs(tmp_path, model):
    compare(model, tmp_path)


@pytest.mark.slow
@many
@given(models)
def test_c_gives_the_outputs_of_many_networks(tmp_path, model):
    compare(model, tmp_path)


FRAME = pl.DataFrame(
    {
        "age": [20.0, 30.0, 40.0, None, 80.0] * 8,
        "colour": ["red", "blue", "red", None, "green"] * 8,
        "member": [True, None, False, True, True] * 8,
        "price": [1e7 + 1.5, 1e7 + 2.5, 1e7 + 7.0, 1e7 + 4.0, -9.0] * 8,
        "same": [5.0] * 40,
    }
)
COLOURS = ["blue", "green", "red"]


def identity_network(width):
    """A network that answers with its input."""
    theta = np.concatenate([np.eye(width).ravel(), np.zeros(width)])
    return Network([width, width], loss="half_squared_error", initializer=theta)


def make_schema(rows):
    """A schema whose answers are as many numbers as the rows have features."""
    return Schema(rows, TargetSchema("regression", width=rows.width))


@pytest.mark.parametrize("scaling", ["none", "standard", "robust"])
def test_raw_columns_become_the_numbers_of_the_schema(tmp_path, scaling):
    rows = TableSchema.learn(FRAME, ReadOptions(missing=("-9",)))[0].scale(None, scaling)
    frame = FRAME.head(6).with_columns(
        age=pl.Series([20.0, 30.0, -9.0, None, 1e30, 41.5]),
        colour=pl.Series(["red", "violet", None, "green", "blue", "red"]),
        price=pl.Series([1e7, 1e7 + 1, 1e7 + 2, None, 1e7 - 3, -9.0]),
        same=pl.Series([5.0, 7.0, 5.0, 5.0, 5.0, 5.0]),
    )
    raw = np.column_stack(
        [
            frame["age"].fill_null(np.nan),
            [2, 7, np.nan, 1, 0, 2],
            frame["member"].cast(float).fill_null(np.nan),
            frame["price"].fill_null(np.nan),
            frame["same"],
        ]
    ).astype(np.float32)
    found = call_header(write(tmp_path, identity_network(rows.width), make_schema(rows)), raw)[:, 1:]
    np.testing.assert_allclose(found, rows.encode(frame)[0], rtol=2e-6, atol=2e-7)


def test_days_are_no_stand_ins_for_missing_ones(tmp_path):
    frame = pl.DataFrame(
        {
            "n": [-9.0, 1.0, 2.0, 5.0] * 5,
            "day": ["1970-01-03", "1969-12-20", "1969-12-23"] * 3 + ["1970-02-01"] * 11,
        }
    )
    rows = TableSchema.learn(frame, ReadOptions(missing=("-9",), dates=("day",)))[0]
    days = [2.0, -12.0, -9.0]
    raw = np.column_stack([frame["n"][:3], days]).astype(np.float32)
    found = call_header(write(tmp_path, identity_network(rows.width), make_schema(rows)), raw)[:, 1:]
    np.testing.assert_allclose(found, rows.encode(frame.head(3))[0], rtol=1e-6, atol=2e-7)


def test_softmax_cannot_overflow_and_of_equals_the_first_is_answered(tmp_path):
    network = Network([2, 2], initializer=np.array([1e3, 0, 0, 1e3, 0, 0]))
    found = call_header(write(tmp_path, network), np.array([[1, -1], [0, 2], [3, 3]], np.float32))
    assert found.tolist() == [[0, 1, 0], [1, 0, 1], [0, 0.5, 0.5]]


@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_bytes_of_a_header_say_nearly_what_the_network_says(tmp_path, scaling):
    X = np.random.default_rng(0).integers(0, 256, (60, 6), np.uint8)
    rows = ArraySchema.learn(X)[0].scale(X, scaling)
    network = Network([6, 12, 3], seed=2)
    encoded = network.input_batch(rows.encode(X)[0])
    schema = Schema(rows, TargetSchema.learn(np.arange(60) % 3)[0])
    found = call_header(write(tmp_path, network, schema, encoded), X)[:, 1:]
    expected = network.outputs(encoded)
    assert 0 < np.abs(found - expected).max() < 0.02 < np.ptp(expected)


@pytest.mark.parametrize("calibrated", [False, True])
def test_a_row_that_lacks_a_number_has_no_answer(tmp_path, calibrated):
    network = Network([2, 3, 2])
    X = np.array([[1.0, 2.0], [np.nan, 2], [1, np.nan]], np.float32)
    found = call_header(write(tmp_path, network, None, np.eye(2) if calibrated else None), X)
    assert found[:, 0].tolist() in ([0, -1, -1], [1, -1, -1])
    assert np.isnan(found[:, 1:]).all(axis=1).tolist() == [False, True, True]


def test_a_missing_value_that_training_refused_has_no_answer(tmp_path):
    rows = TableSchema.learn(FRAME.drop_nulls(), ReadOptions(impute="error"))[0]
    schema = Schema(rows, TargetSchema.learn(np.resize(["no", "yes"], 40))[0])
    raw = np.tile(np.array([[20, 1, 1, 1e7, 5]], np.float32), (5, 1))
    raw[np.arange(1, 5), np.arange(4)] = np.nan
    found = call_header(write(tmp_path, Network([rows.width, 2]), schema), raw)
    assert (found[:, 0] < 0).tolist() == [False, True, True, True, True]


def test_bytes_are_scaled_as_the_schema_scales_them(tmp_path):
    learned, X = np.random.default_rng(0).integers(0, 256, (2, 40, 6), np.uint8)
    learned[:, 3] = 7
    for scaling in ("none", "standard", "robust"):
        rows = ArraySchema.learn(learned)[0].scale(learned, scaling)
        network = identity_network(6)
        found = call_header(write(tmp_path, network, make_schema(rows)), X)[:, 1:]
        np.testing.assert_allclose(found, network.input_batch(rows.encode(X)[0]), rtol=2e-6, atol=1e-6)


def test_numbers_far_from_0_keep_their_digits(tmp_path):
    X = 1e6 + np.random.default_rng(0).integers(0, 16, (40, 2)) / 16
    rows = ArraySchema.learn(X)[0].scale(X, "standard")
    found = call_header(write(tmp_path, identity_network(2), make_schema(rows)), X.astype(np.float32))[:, 1:]
    np.testing.assert_allclose(found, rows.encode(X)[0], rtol=0, atol=1e-6)


def test_regressed_numbers_are_in_the_units_of_training(tmp_path):
    y = np.column_stack([np.arange(40.0), 100 - np.arange(40.0) * 2])
    schema = Schema(ArraySchema((1,)), TargetSchema.learn(y, task="regression", scale_by=y)[0])
    network = Network([1, 2], loss="half_squared_error", output_scale=2.0, initializer=np.array([1.0, -0.5, 0, 1]))
    found = call_header(write(tmp_path, network, schema), np.array([[3], [-1]], np.float32))[:, 1:]
    outputs = 2 * np.array([[3, -0.5], [-1, 1.5]])
    np.testing.assert_allclose(found, outputs * y.std(axis=0) + y.mean(axis=0), rtol=1e-6)


def test_a_single_output_is_answered_by_the_nearest_class(tmp_path):
    schema = Schema(ArraySchema((1,)), TargetSchema.learn(np.resize([3, 4, 5, 6], 40), task="ordinal")[0])
    network = Network([1, 1], loss="half_squared_error", initializer=np.array([1.0, 0.0]))
    rows = np.array([[-7], [0.4], [0.5], [1.5], [2.6], [9]], np.float32)
    assert call_header(write(tmp_path, network, schema), rows)[:, 0].tolist() == [0, 0, 0, 2, 3, 3]


HOSTILE = ['quote"', "back\\slash", "*/ int x; /*", "??/", "new\nline", "é", "", "// no", "\\"]


def test_hostile_names_stay_names(tmp_path, compiler):
    frame = pl.DataFrame({f"{name} column": np.arange(40.0) + place for place, name in enumerate(HOSTILE)})
    rows = TableSchema.learn(frame.with_columns(c=pl.Series((HOSTILE * 5)[:40])), ReadOptions(categorical=("c",)))[
        0
    ]
    target = TargetSchema("multi-class", (), tuple(HOSTILE), tuple(HOSTILE))
    network = Network([rows.width, len(HOSTILE)], class_names=HOSTILE)
    file = tmp_path / "net.h"
    file.write_bytes(write_c(describe_model(network, Schema(rows, target)), '1"x*/').content)
    call_header(file, np.zeros((1, 10), np.float32))
    source = tmp_path / "names.c"
    source.write_text(
        '#include "net.h"\n#include <stdio.h>\n#include <string.h>\n'
        "int main(void) { for (int j = 0; j < 9; j++) "
        "fwrite(model_1_x_classes[j], 1, strlen(model_1_x_classes[j]) + 1, stdout); return 0; }"
    )
    subprocess.run([compiler, "-std=c99", source, "-o", tmp_path / "names", "-lm"], check=True)
    said = subprocess.run([tmp_path / "names"], check=True, capture_output=True).stdout
    assert said.decode().split("\0")[:-1] == HOSTILE


def test_identifiers_are_given_once(tmp_path):
    columns = ["a b", "a_b", "A-B", "columns", "inputs", "年", "a b red"]
    frame = pl.DataFrame({name: np.arange(40.0) + place for place, name in enumerate(columns)})
    frame = frame.with_columns(pl.Series("a b", np.resize(["red", "Red", "赤"], 40)))
    rows = TableSchema.learn(frame)[0]
    own = [Activation(name, lambda z, k=k: z * k, None) for k, name in enumerate(["max", "bias_1", "square"], 2)]
    network = Network([rows.width, 2, 2, 2, 1], activation=own, loss="half_squared_error")
    schema = Schema(rows, TargetSchema("regression"))
    file = write(tmp_path, network, schema)
    call_header(file, np.zeros((1, 7), np.float32))
    names = re.findall(r"^    (NET_\w+), /\*", file.read_text(), re.M)
    assert names == [
        "NET_A_B",
        "NET_A_B_2",
        "NET_A_B_3",
        "NET_COLUMNS_2",
        "NET_INPUTS_2",
        "NET_COLUMN_6",
        "NET_A_B_RED",
    ]


def test_no_name_is_one_of_mathematics(tmp_path):
    rows = TableSchema.learn(
        pl.DataFrame({"pi": np.arange(40.0), "e": np.arange(40.0) % 7, "val": np.arange(40.0) % 3})
    )[0]
    for name in ("m", "huge", "3d"):
        file = write(tmp_path, identity_network(3), make_schema(rows), name=name)
        text = file.read_text().replace("#include <math.h>", "#include <math.h>\n#define M_PI 1\n#define M_E 1")
        file.write_text(text)
        assert call_header(file, np.zeros((1, 3), np.float32)).shape == (1, 4)
        assert f"int model_{name}_predict(" in text.replace("inline ", "")


def test_two_models_stand_in_one_program(tmp_path, compiler):
    for name in ("one", "other"):
        write(tmp_path, Network([2, 3, 2]), name=name)
    source = tmp_path / "both.c"
    source.write_text('#include "one.h"\n#include "other.h"\nint main(void) { return 0; }')
    said = subprocess.run([compiler, *c_file.OPTIONS, source, "-o", tmp_path / "both", "-lm"], capture_output=True)
    assert (said.returncode, said.stderr) == (0, b"")


@pytest.mark.parametrize("calibrated", [False, True])
def test_a_header_needs_mathematics_alone_and_its_sizes_are_true(tmp_path, compiler, calibrated):
    network = Network([5, 7, 4, 3])
    X = np.random.default_rng(0).normal(size=(20, 5))
    header = write_header(describe_model(network), "net", X if calibrated else None)
    assert re.findall("#include (.*)", header.text) == ["<math.h>", "<stdint.h>"][: 1 + calibrated]
    tables = re.findall(r"^static const (?:float|int8_t|struct .*) (\w+)\[.* = ", header.text, re.M)
    (tmp_path / "net.h").write_text(header.text)
    source = tmp_path / "sizes.c"
    total = " + ".join(f"sizeof {name}" for name in tables)
    source.write_text(
        f'#include "net.h"\n#include <stdio.h>\nint main(void) {{ printf("%d", (int)({total})); return 0; }}'
    )
    subprocess.run([compiler, "-std=c99", source, "-o", tmp_path / "sizes", "-lm"], check=True)
    said = int(subprocess.run([tmp_path / "sizes"], check=True, capture_output=True).stdout)
    weights = 5 * 7 + 7 * 4 + 4 * 3
    assert said == header.weight_bytes == (weights + 8 * 14 + 4 * 5 if calibrated else 4 * (weights + 14))
    assert header.scratch_bytes == (5 + 7 if calibrated else 4 * (5 + 7))
    assert f"Weights: {said} bytes. Scratch on the stack: {header.scratch_bytes} bytes." in header.text
    assert f"{weights} multiply-adds" in header.text


@pytest.mark.parametrize("calibrated", [False, True])
@pytest.mark.parametrize("layers", [[784, 10], [784, 32, 10], [784, 64, 32, 10]])
def test_the_code_beside_the_weights_is_small(tmp_path, compiler, layers, calibrated):
    X = np.random.default_rng(0).integers(0, 256, (40, 784), np.uint8)
    schema = Schema(ArraySchema.learn(X)[0], TargetSchema.learn(np.arange(40) % 10)[0])
    header = write_header(describe_model(Network(layers), schema), "net", X / 255 if calibrated else None)
    (tmp_path / "net.h").write_text(header.text)
    source = tmp_path / "code.c"
    call = "int answer(const unsigned char *row, float *outputs) { return net_predict(row, outputs); }"
    source.write_text(f'#include "net.h"\n{call}')
    subprocess.run([compiler, "-std=c99", "-Os", "-c", source, "-o", tmp_path / "code.o"], check=True)
    said = subprocess.run(["size", tmp_path / "code.o"], check=True, capture_output=True, text=True).stdout
    text, data, bss = map(int, said.splitlines()[1].split()[:3])
    assert data == bss == 0
    assert 0 < text - header.weight_bytes <= 1024


def test_without_a_compiler_the_header_is_not_checked(tmp_path, monkeypatch):
    monkeypatch.setattr(c_file.shutil, "which", lambda name: None)
    trial = make_trial(Network([2, 2]), None)
    with pytest.raises(c_file.NotRunError, match="no compiler of C was found"):
        run_c(write(tmp_path, Network([2, 2])), trial)


def test_a_header_that_the_compiler_refuses_is_an_error(tmp_path):
    file = write(tmp_path, Network([2, 2]))
    file.write_text(file.read_text() + "int;;")
    with pytest.raises(GlassnetError, match=r"^not written, as it fails under [^:]*: net\.h:\d+:\d+: error: "):
        call_header(file, np.zeros((1, 2), np.float32))


@pytest.mark.slow
@pytest.mark.real_data
def test_bytes_lose_less_than_a_point_of_accuracy_on_fashion_mnist(tmp_path, fashion_mnist_home, monkeypatch):
    monkeypatch.setenv("GLASSNET_DATA", fashion_mnist_home)
    data = load_dataset("fashion-mnist")
    model = fit(Network([784, 256, 128, 10], seed=0), data, epochs=3, kernels="numpy", progress=False).model
    raw, y = np.asarray(data.test.X).reshape(-1, 784), np.asarray(data.test.y)
    accuracies = [np.mean(model.predict(data.test.X) == y)]
    for int8 in (False, True):
        rows = data.train if int8 else None
        said = model.export(tmp_path / "fashion.h", int8=int8, calibration=rows)
        assert said.difference < (0.2 if int8 else 1e-5)
        accuracies.append(np.mean(call_header(tmp_path / "fashion.h", raw)[:, 0] == y))
    assert accuracies[0] > 0.85
    assert accuracies[1] == pytest.approx(accuracies[0], abs=1e-4)
    assert accuracies[2] > accuracies[0] - 0.01
