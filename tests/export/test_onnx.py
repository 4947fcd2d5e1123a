"""Models as ONNX, run by ONNX Runtime."""

import json
import sys

import numpy as np
import onnx
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from tests.export.drawn import models
from tests.export.test_languages import EDGES

from glassnet.compiled.tracing import OPERATIONS, array, trace
from glassnet.data.array_schema import ArraySchema
from glassnet.data.columns import TableSchema
from glassnet.data.read_options import ReadOptions
from glassnet.data.schema import Schema
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import UsageError
from glassnet.export.onnx_file import run_onnx, write_onnx_file
from glassnet.export.onnx_graph import GraphWriter
from glassnet.export.onnx_model import IR_VERSION, OPSET, write_onnx
from glassnet.export.portable import Formula, describe_model
from glassnet.export.running import NotRunError
from glassnet.export.trial import find_difference, make_trial
from glassnet.nn.activations import ACTIVATIONS, Activation
from glassnet.nn.network import Network

#: Few every day, many before a release.
few = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
many = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])

FRAME = pl.DataFrame(
    {
        "age": [20.0, 30.0, 40.0, None, 80.0] * 8,
        "colour": ["red", "blue", "red", None, "green"] * 8,
        "member": [True, None, False, True, True] * 8,
        "label": [1.5, 2.5, 7.0, 4.0, -9.0] * 8,
    }
)


def open_session(proto):
    import onnxruntime

    return onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])


def run(proto, **inputs):
    session = open_session(proto)
    return dict(zip([one.name for one in session.get_outputs()], session.run(None, inputs), strict=True))


def compare(folder, model):
    trial = make_trial(model.network, model.schema)
    if not trial.rows:
        return
    file = folder / "model.onnx"
    file.write_bytes(write_onnx_file(trial.model, "model").content)
    found, answers = run_onnx(file, trial), trial.decode(trial.outputs)
    allowed = 1e-6 + 10 * trial.rounding
    if found.outputs is None:
        assert find_difference(found.answers, answers) < allowed
    else:
        assert find_difference(found.outputs, trial.outputs) < allowed
        assert found.answers == trial.decode(np.asarray(found.outputs, np.float64)).tolist()


@few
@given(models)
def test_onnx_gives_the_networks_outputs(tmp_path, model):
    compare(tmp_path, model)


@pytest.mark.slow
@many
@given(models)
def test_onnx_gives_the_outputs_of_many_networks(tmp_path, model):
    compare(tmp_path, model)


def learn_table(scaling="standard", **options):
    return TableSchema.learn(FRAME, ReadOptions(missing=("-9",), **options))[0].scale(None, scaling)


def make_schema(rows, y=("no", "yes"), **options):
    return Schema(rows, TargetSchema.learn(np.resize(y, 40), **options)[0])


def write(network, schema=None):
    return write_onnx(describe_model(network, schema), "model")


@pytest.mark.parametrize("scaling", ["none", "standard", "robust"])
def test_a_table_goes_in_column_by_column(scaling):
    schema = make_schema(learn_table(scaling))
    network = Network([schema.input.width, 5, 1], loss="binary_cross_entropy", seed=3)
    rows = FRAME.head(5).with_columns(colour=pl.Series(["red", "violet", None, "green", "blue"]))
    found = run(
        write(network, schema),
        **{
            "age": np.array([[20.0], [30.0], [40.0], [np.nan], [80.0]]),
            "colour": np.array([["red"], ["violet"], [""], ["green"], ["blue"]], object),
            "member": np.array([[1.0], [np.nan], [0.0], [1.0], [1.0]]),
            "label (column)": np.array([[1.5], [2.5], [7.0], [4.0], [-9.0]]),
        },
    )
    outputs = network.outputs(schema.input.encode(rows)[0])
    np.testing.assert_allclose(found["probabilities"], np.hstack([1 - outputs, outputs]), rtol=0, atol=2e-7)
    assert found["label"].tolist() == schema.target.answer(outputs).tolist()
    assert len(set(found["label"])) == 2


def test_a_row_that_lacks_what_no_training_row_lacked_has_no_answer():
    schema = make_schema(TableSchema.learn(FRAME.drop_nulls(), ReadOptions(impute="error"))[0])
    proto = write(Network([schema.input.width, 5, 2]), schema)
    whole = {
        "age": np.full((3, 1), 20.0),
        "colour": np.full((3, 1), "red", object),
        "member": np.ones((3, 1)),
        "label (column)": np.ones((3, 1)),
    }
    assert np.isfinite(run(proto, **whole)["probabilities"]).all()
    for name, values in whole.items():
        lacking = values.copy()
        lacking[1] = "" if name == "colour" else np.nan
        found = run(proto, **whole | {name: lacking})["probabilities"]
        assert np.isnan(found).any(axis=1).tolist() == [False, True, False], name


@pytest.mark.parametrize("activation", ["relu", "own"])
def test_nan_is_never_answered_like_a_number(activation):
    own = Activation("own", lambda z: np.where(z > 0, 1.0, 0.0 * 2), None)
    network = Network([2, 3, 2], own if activation == "own" else activation)
    X = np.array([[1, 2], [np.nan, 1]], np.float32)
    proto = write(network)
    assert np.isnan(run(proto, X=X)["probabilities"]).any(axis=1).tolist() == [False, True]
    np.testing.assert_allclose(run(proto, X=X[:1])["probabilities"], network.outputs(X[:1]), rtol=0, atol=2e-7)
    assert ("ReduceSum" in [node.op_type for node in proto.graph.node]) == (activation == "own")


def test_bytes_go_in_as_pictures():
    learned, X = np.random.default_rng(0).integers(0, 256, (2, 40, 3, 2), np.uint8)
    learned[:, 1, 1] = 7
    network = Network([6, 4, 2], "tanh")
    for scaling in ("none", "standard", "robust"):
        rows = ArraySchema.learn(learned)[0].scale(learned, scaling)
        proto = write(network, make_schema(rows))
        assert proto.graph.input[0].doc_string.startswith("rows: pictures of 3 x 2; values: bytes, ")
        found = run(proto, X=X)
        expected = network.outputs(rows.encode(X)[0])
        np.testing.assert_allclose(found["probabilities"], expected, rtol=0, atol=2e-7)
        assert run(proto, X=X[:1])["label"] == found["label"][:1]


@pytest.mark.parametrize(
    ("y", "kind"),
    [(["no", "yes"], "tensor(string)"), ([-1, 2**40], "tensor(int64)"), ([0.5, 2.5], "tensor(double)")],
)
def test_labels_are_the_classes_as_they_were_written(y, kind):
    rows = ArraySchema.learn(np.eye(2))[0]
    schema = make_schema(rows, y, task="binary")
    network = Network([2, 2], initializer=np.array([9.0, 0, 0, 9, 0, 0]))
    proto = write(network, schema)
    assert run(proto, X=np.eye(2, dtype=np.float32)[::-1])["label"].tolist() == y[::-1]
    label, probabilities = open_session(proto).get_outputs()
    assert (label.name, label.type, label.shape) == ("label", kind, ["rows"])
    assert (probabilities.name, probabilities.type, probabilities.shape) == (
        "probabilities",
        "tensor(float)",
        ["rows", 2],
    )


def test_regressed_numbers_are_in_the_units_of_training():
    y = 1e6 + np.arange(40.0)
    rows = ArraySchema.learn(np.ones((40, 2)))[0]
    schema = Schema(rows, TargetSchema.learn(y, task="regression", scale_by=y)[0])
    network = Network([2, 1], loss="half_squared_error", initializer=np.array([0.5, 0.25, 0.125]))
    found = run(write(network, schema), X=np.array([[1, 2], [0, 0]], np.float32))
    assert list(found) == ["label"]
    np.testing.assert_allclose(found["label"], y.mean() + y.std() * np.array([1.125, 0.125]), rtol=0, atol=1e-9)


def test_the_nearest_class_is_answered_for_a_single_output():
    schema = make_schema(ArraySchema.learn(np.ones((40, 1)))[0], [3, 4, 5, 6], task="ordinal")
    network = Network([1, 1], loss="half_squared_error", initializer=np.array([1.0, 0.0]))
    found = run(write(network, schema), X=np.array([[-7], [0.4], [0.5], [1.5], [2.6], [9]], np.float32))
    assert found["label"].tolist() == [3, 3, 3, 5, 6, 6]
    assert found["outputs"][:, 0].tolist() == pytest.approx([-7, 0.4, 0.5, 1.5, 2.6, 9])


def test_each_label_of_a_row_is_there_from_one_half_on():
    schema = Schema(
        ArraySchema.learn(np.ones((40, 2)))[0],
        TargetSchema.learn(np.resize([[0, 1], [1, 0]], (40, 2)), task="multi-label")[0],
    )
    network = Network([2, 2], loss="binary_cross_entropy", initializer=np.array([1.0, 0, 0, 1, 0, 0]))
    found = run(write(network, schema), X=np.array([[-1, 0], [2, -0.1]], np.float32))
    assert found["label"].tolist() == [[0, 1], [1, 0]]
    assert found["probabilities"][0, 1] == 0.5


def test_known_activations_are_operators_and_others_are_written_out():
    kinds = {"relu": "Relu", "sigmoid": "Sigmoid", "elu": "Elu", "softplus": "Softplus", "leaky_relu": "LeakyRelu"}
    for name, kind in kinds.items():
        assert [node.op_type for node in write(Network([2, 3, 2], name)).graph.node][:2] == ["Gemm", kind]
    false_relu = Activation("relu", lambda z: np.maximum(z, 0) * 2, lambda z, h: 2 * (z > 0))
    network = Network([2, 3, 2], false_relu)
    assert [node.op_type for node in write(network).graph.node][:3] == ["Gemm", "Max", "Mul"]
    X = np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32)
    np.testing.assert_allclose(run(write(network), X=X)["probabilities"], network.outputs(X), rtol=0, atol=2e-7)


@pytest.mark.parametrize("name", ["expm1", "log1p"])
def test_what_onnx_lacks_keeps_its_digits_near_0(name):
    function = getattr(np, name)
    own = Activation("mine", lambda z: 1e6 * function(1e-6 * z), lambda z, h: z)
    network = Network([1, 1], loss="half_squared_error", output_activation=own, initializer=np.array([1.0, 0.0]))
    X = np.array([[0.0], [1.0], [-3.0], [1e5]], np.float32)
    np.testing.assert_allclose(
        run(write(network), X=X)["label"], 1e6 * function(1e-6 * X.astype(float)), rtol=5e-7
    )


@pytest.mark.parametrize("name", ["sign", "heaviside"])
def test_nan_goes_through_what_is_made_of_conditions(name):
    own = Activation("mine", (lambda z: np.sign(z)) if name == "sign" else (lambda z: np.heaviside(z, 0.25)), None)
    network = Network([1, 1], loss="half_squared_error", output_activation=own, initializer=np.array([1.0, 0.0]))
    found = run(write(network), X=np.array([[-2], [0], [3], [np.nan]], np.float32))["label"][:, 0]
    middle = 0 if name == "sign" else 0.25
    np.testing.assert_array_equal(found, [-1 if name == "sign" else 0, middle, 1, np.nan])


def test_a_float64_network_stays_one():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    for name in ACTIVATIONS:
        network = Network([3, 4, 2], name, dtype="float64")
        found = run(write(network), X=X)["probabilities"]
        np.testing.assert_allclose(found, network.outputs(X), rtol=0, atol=1e-12, err_msg=name)


def test_the_file_tells_what_it_is():
    proto = write(Network([4, 3, 2], class_names=["no", "y\u00e9s"]))
    told = {one.key: one.value for one in proto.metadata_props}
    assert json.loads(told["class_names"]) == ["no", "y\u00e9s"]
    assert (proto.producer_name, told["multiply_adds"]) == ("glassnet", "18")
    assert "[4, 3, 2]" in proto.doc_string
    known = {one.name: one.type.tensor_type.shape for one in proto.graph.value_info}
    assert [one.dim_value for one in known["layer1.z"].dim][1:] == [3]
    onnx.checker.check_model(proto, full_check=True)


def test_names_of_columns_meet_no_others():
    names = ["features", "numbers", "layer1.W", "label", "label (column)", "1.0", "numbers.center"]
    frame = pl.DataFrame({name: np.arange(40.0) + place for place, name in enumerate(names)})
    schema = make_schema(TableSchema.learn(frame)[0])
    network = Network([7, 3, 2])
    proto = write(network, schema)
    inputs = [one.name for one in open_session(proto).get_inputs()]
    assert inputs == [*names[:3], "label (column) (column)", *names[4:]]
    feeds = dict(zip(inputs, (frame[name].to_numpy()[:, None] for name in names), strict=True))
    expected = network.outputs(schema.input.encode(frame)[0])
    np.testing.assert_allclose(run(proto, **feeds)["probabilities"], expected, rtol=0, atol=2e-7)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_is_named_with_what_gets_it(tmp_path, monkeypatch, package):
    trial = make_trial(Network([2, 2]), None)
    for name in [name for name in sys.modules if name.startswith(("glassnet.export.onnx_", "onnx"))]:
        if name != "glassnet.export.onnx_file":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    if package == "onnx":
        with pytest.raises(
            UsageError, match=r"^to: onnx needs onnx, which is not .*pip install 'glassnet\[onnx\]'$"
        ):
            write_onnx_file(trial.model, "model")
    else:
        with pytest.raises(NotRunError, match=r"^ONNX Runtime is not .*pip install 'glassnet\[onnx\]'$"):
            run_onnx(tmp_path / "model.onnx", trial)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_operations_are_computed_as_numpy_does(dtype):
    edges = np.array(EDGES, dtype if dtype == "float64" else None)
    edges = np.unique(np.clip(edges, -np.finfo(dtype).max, np.finfo(dtype).max)).astype(dtype)
    graph, formulas = GraphWriter(["z"], dtype), {}
    for name in OPERATIONS:
        if name.startswith("logical"):
            continue
        function = getattr(np, name)
        for value in edges if name == "where" or function.nin == 2 else [0.0]:
            formula = choose_formula(name, function, float(value))
            formulas[f"{name} {value}"] = formula
            symbol = trace(formula, array("z", dtype))
            h = graph.formula(Formula("own", symbol), "z", "own")
            graph.result("Identity", [h], f"{name} {value}")
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    outputs = [onnx.helper.make_tensor_value_info(name, kind, ["rows", 1]) for name in formulas]
    inputs = [onnx.helper.make_tensor_value_info("z", kind, ["rows", 1])]
    model = onnx.helper.make_graph(graph.nodes, "edges", inputs, outputs, graph.constants)
    versions = [onnx.helper.make_opsetid("", OPSET)]
    proto = onnx.helper.make_model(model, opset_imports=versions, ir_version=IR_VERSION)
    found = run(proto, z=edges[:, None])
    for name, formula in formulas.items():
        with np.errstate(all="ignore"):
            expected = np.broadcast_to(formula(edges[:, None]), (len(edges), 1)).astype(dtype)
        rounding = 1e-6 if dtype == "float32" or name.split()[0] in ("arctan", "sinh", "cosh") else 1e-14
        np.testing.assert_allclose(found[name], expected, rtol=rounding, atol=0, err_msg=name)


def choose_formula(name, function, value):
    """An operation as a formula of z; where it takes two numbers, the other one is a value."""
    if name == "where":
        return lambda z: np.where(z > 0, z, value)
    return (lambda z: function(z, value)) if function.nin == 2 else (lambda z: function(z))
