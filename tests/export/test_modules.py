"""Exported modules give the network's outputs and the model's answers, and need nothing else."""

import ast
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given
from tests.export.drawn import draws, make_model, models

from glassnet.data.array_schema import ArraySchema
from glassnet.data.schema import Schema, describe_targets
from glassnet.data.target_schema import TargetSchema
from glassnet.export.portable import describe_model
from glassnet.export.python import run_python, write_python
from glassnet.export.trial import make_trial
from glassnet.nn.activations import Activation
from glassnet.nn.network import Network
from glassnet.training.model import Model

#: Few every day, many before a release.
few, many = draws(25), draws(300)


def assert_same(found, model, trial):
    """The outputs are the network's in float64 but for rounding; the answers are what the model says of them."""
    outputs, answers, probabilities = found
    np.testing.assert_allclose(outputs, trial.outputs, rtol=1e-9, atol=1e-9)
    expected = trial.decode(np.asarray(outputs, np.float64))
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(answers, expected, rtol=1e-12)
    else:
        assert answers == expected.tolist()
    if model.network.loss.output is not None:
        rows = np.asarray(outputs)
        spread = rows if rows.shape[1] > 1 else np.hstack([1 - rows, rows])
        np.testing.assert_allclose(probabilities, spread, rtol=1e-12)


def answer_in_python(load_python, model):
    names, trial = load_python(model), make_trial(model.network, model.schema)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calls = [names[name](trial.rows) for name in ("outputs", "predict", "predict_proba") if name in names]
    assert_same([*calls, None][:3], model, trial)


@few
@given(models)
def test_python_gives_the_networks_outputs(load_python, model):
    answer_in_python(load_python, model)


@pytest.mark.slow
@many
@given(models)
def test_python_gives_the_outputs_of_many_networks(load_python, model):
    answer_in_python(load_python, model)


def answer_in_javascript(call_javascript, model):
    trial = make_trial(model.network, model.schema)
    names = ["outputs", "predict", *(["predictProba"] if model.network.loss.output else [])]
    found, _ = call_javascript(model, [[name, trial.rows] for name in names])
    found[1] = read_whole_numbers(found[1])
    assert_same([*found, None][:3], model, trial)


def read_whole_numbers(answers):
    """JavaScript's large whole numbers are written as 123n."""
    if isinstance(answers, list):
        return [read_whole_numbers(one) for one in answers]
    is_whole = isinstance(answers, str) and re.fullmatch(r"\d+n", answers)
    return int(answers[:-1]) if is_whole else answers


@pytest.mark.browser
@few
@given(models)
def test_javascript_gives_the_networks_outputs(call_javascript, model):
    answer_in_javascript(call_javascript, model)


@pytest.mark.browser
@pytest.mark.slow
@many
@given(models)
def test_javascript_gives_the_outputs_of_many_networks(call_javascript, model):
    answer_in_javascript(call_javascript, model)


@pytest.mark.parametrize("seed", range(3))
def test_a_bare_interpreter_runs_the_python_module(tmp_path, seed):
    model = make_model(seed)
    trial = make_trial(model.network, model.schema)
    file = tmp_path / "model.py"
    file.write_text(write_python(describe_model(model.network, model.schema)), encoding="utf-8")
    found = run_python(file, trial)
    np.testing.assert_allclose(found.outputs, trial.outputs, rtol=1e-9, atol=1e-9)
    assert list(tmp_path.iterdir()) == [file]  # no __pycache__ beside it


def test_the_interpreter_of_the_check_has_no_numpy():
    command = [sys.executable, "-I", "-S", "-c", "import numpy"]
    assert b"No module named 'numpy'" in subprocess.run(command, capture_output=True, check=False).stderr


@pytest.mark.parametrize("seed", range(30))
def test_the_python_module_imports_python_alone_and_keeps_to_its_version(seed):
    model = make_model(seed)
    tree = ast.parse(write_python(describe_model(model.network, model.schema)), feature_version=(3, 10))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert len(set(defined)) == len(defined)
    assert {"predict", "outputs"} < set(defined)


HOSTILE = ['"""', "back\\slash", "new\nline", "quote'", "*/ alert(1) /*", "${1}", "`", "\u2028", "</script>"]


def hostile_model():
    target = TargetSchema("multi-class", (), tuple(HOSTILE), tuple(HOSTILE))
    own = Activation("a b\n'''*/", np.tanh, lambda z, h: 1 - h * h)
    network = Network([2, 3, len(HOSTILE)], activation=own, class_names=HOSTILE, seed=4)
    return Model(network, Schema(ArraySchema((2,)), target))


def test_hostile_names_stay_names_in_python(load_python):
    answer_in_python(load_python, hostile_model())


@pytest.mark.browser
def test_hostile_names_stay_names_in_javascript(call_javascript):
    answer_in_javascript(call_javascript, hostile_model())


def bounded_model():
    """A model that learned shares from 0 to 1 of two numbers, and answers with numbers."""
    return Model(
        Network([2, 1], loss="half_squared_error"),
        Schema(ArraySchema((2,), high=1.0), describe_targets("regression", ["y"])),
    )


def bytes_model():
    return Model(
        Network([4, 2]), Schema(ArraySchema((2, 2), "bytes", high=255.0), describe_targets("binary", "ab"))
    )


WRONG = [
    (bounded_model, [[1]], "row 1: expected 2 numbers, got 1"),
    (bounded_model, [[1, 0], 3], "row 2: expected"),
    (bounded_model, [[1, None]], "row 1: expected finite numbers"),
    (bounded_model, [[1, "2"]], "row 1: expected finite numbers"),
    (bounded_model, [[0, 11]], "row 1: numbers up to 11, where training had at most about 10"),
    (bounded_model, "text", "expected a"),
    (lambda: Model(Network([2, 2])), [[0, 1], [0, 1e39]], "row 2: holds a number that is too large"),
    (bytes_model, [[1, 2, 3, 256]], "row 1: expected bytes"),
    (bytes_model, [[1, 2, 3, -1]], "row 1: expected bytes"),
    (bytes_model, [[1, 2, 3, 0.5]], "row 1: expected bytes"),
]


@pytest.mark.parametrize(("make", "rows", "said"), WRONG)
def test_python_refuses_rows_by_their_number(load_python, make, rows, said):
    with pytest.raises(ValueError, match=said):
        load_python(make())["predict"](rows)


@pytest.mark.browser
@pytest.mark.parametrize(("make", "rows", "said"), WRONG)
def test_javascript_refuses_rows_by_their_number(call_javascript, make, rows, said):
    [found], _ = call_javascript(make(), [["predict", rows]])
    assert said in found


def test_rows_may_be_nested_or_arrays_of_numpy(load_python):
    predict = load_python(bytes_model())["predict_proba"]
    rows = np.array([[[0, 255], [7, 9]]], np.uint8)
    expected = bytes_model().network.astype("float64").outputs(rows / 255)
    np.testing.assert_allclose(predict(rows), expected, rtol=1e-6)
    assert predict(rows) == predict(rows.tolist()) == predict(rows.reshape(1, 4).tolist())


def deciding_model(task, outputs, loss):
    """A model whose logits or numbers are its only input."""
    theta = np.array([1.0] * outputs + [0.0] * outputs)
    target = describe_targets(task, list("abcde")[: 5 if outputs == 1 else outputs])
    return Model(Network([1, outputs], loss=loss, initializer=theta), Schema(ArraySchema((1,)), target))


DECISIONS = [
    ("ordinal", 1, "mse", [0.5, 1.5, 2.5, 3.49, -3.5, 9.0, -0.5], [0, 2, 2, 3, 0, 4, 0]),
    ("multi-label", 2, "bce", [0.0, -0.01, 0.01], [[1, 1], [0, 0], [1, 1]]),
    ("multi-class", 3, "cross_entropy", [2.0], [0]),
]


@pytest.mark.parametrize(("task", "outputs", "loss", "rows", "answers"), DECISIONS)
def test_python_decides_as_the_model_at_the_borders(load_python, task, outputs, loss, rows, answers):
    model, rows = deciding_model(task, outputs, loss), [[row] for row in rows]
    assert model.predict(rows).tolist() == load_python(model)["predict"](rows) == answers


@pytest.mark.browser
@pytest.mark.parametrize(("task", "outputs", "loss", "rows", "answers"), DECISIONS)
def test_javascript_decides_as_the_model_at_the_borders(call_javascript, task, outputs, loss, rows, answers):
    found, _ = call_javascript(deciding_model(task, outputs, loss), [["predict", [[row] for row in rows]]])
    assert found == [answers]
