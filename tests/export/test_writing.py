"""A model is written whole, after it was checked, or not at all; the difference is said."""

import datetime
import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.export.drawn import make_model

from glassnet.data.array_schema import ArraySchema
from glassnet.data.columns import TableSchema
from glassnet.data.read_options import ReadOptions
from glassnet.data.schema import Schema, describe_targets
from glassnet.data.splits import Split
from glassnet.errors import FileError, GlassnetError, UsageError
from glassnet.export import running
from glassnet.export.javascript import write_javascript
from glassnet.export.portable import describe_model
from glassnet.export.python import write_python
from glassnet.export.writing import TARGETS, choose_target, export_model, find_difference
from glassnet.nn.activations import Activation
from glassnet.nn.network import Network
from glassnet.training.model import Model


def test_a_file_that_was_checked_says_its_size_and_difference(tmp_path):
    network = Network([4, 8, 3], batch_norm=True)
    found = Model(network).export(tmp_path / "iris.py")
    assert (found.to, found.rows, found.unchecked) == ("python", 200, "")
    assert found.difference < 1e-12
    assert found.size == len((tmp_path / "iris.py").read_bytes())
    assert (found.parameters, found.multiply_adds) == (67, 56)
    assert list(tmp_path.iterdir()) == [tmp_path / "iris.py"]


def test_a_file_that_is_there_is_replaced(tmp_path):
    (tmp_path / "model.txt").write_text("old")
    found = Model(Network([1, 2])).export(str(tmp_path / "model.txt"), to="python")
    assert (tmp_path / "model.txt").read_text().startswith('"""A neural network of 1-2 units')
    assert found.path == tmp_path / "model.txt"


@pytest.mark.parametrize("name", ["model.js", "model.MJS"])
def test_javascript_is_checked_by_node_or_says_that_it_was_not(tmp_path, name):
    model = make_model(3)
    found = model.export(tmp_path / name)
    assert found.to == "js"
    if shutil.which("node"):
        assert found.difference < 1e-12
    else:
        assert (found.rows, found.difference) == (0, None)
        assert found.unchecked == "node is not installed, so the module was not run"


def test_onnx_is_checked_by_its_runtime(tmp_path):
    found = make_model(3).export(tmp_path / "model.onnx")
    assert (found.to, found.rows, found.unchecked) == ("onnx", 200, "")
    assert found.difference < 1e-6


@pytest.mark.compiler
def test_a_header_says_what_it_takes(tmp_path, compiler):
    network = Network([4, 8, 3], batch_norm=True)
    found = Model(network).export(tmp_path / "iris.h")
    assert (found.to, found.rows, found.ranges, found.same) == ("c", 200, "", None)
    assert (found.weight_bytes, found.scratch_bytes) == (4 * 67, 4 * 12)
    assert found.difference < 1e-6
    assert "int answer = iris_predict(row, outputs);" in (tmp_path / "iris.h").read_text()


@pytest.mark.compiler
def test_numbers_far_from_0_are_compared_as_float32_has_them(tmp_path, compiler):
    X = 1e6 + np.random.default_rng(0).normal(size=(60, 3))
    for rows in (ArraySchema.learn(X)[0], TableSchema.learn(pl.DataFrame(X, ["a", "b", "c"]))[0]):
        model = Model(Network([3, 4, 2]), Schema(rows.scale(X, "standard"), describe_targets("binary", "ab")))
        for name in ("net.h", "net.onnx"):
            assert model.export(tmp_path / name).difference < 1e-6


@pytest.mark.compiler
def test_bytes_have_the_ranges_of_the_rows_that_are_given(tmp_path, compiler):
    model = Model(Network([2, 9, 3], seed=2))
    random = model.export(tmp_path / "net.h", int8=True)
    assert random.ranges == "200 random rows"
    X = 1e-3 * np.random.default_rng(0).normal(size=(2400, 2))
    given = model.export(tmp_path / "net.h", int8=True, calibration=Split(X, None))
    assert (given.ranges, given.rows) == ("800 given rows", 800)
    assert "ranges measured on 800 given rows" in (tmp_path / "net.h").read_text()
    assert 0 < given.difference < 1e-4 < random.difference < 0.05
    assert 0.9 < random.same <= 1


def test_a_table_may_be_given_for_the_ranges(tmp_path):
    frame = pl.DataFrame({"age": [20.0, 30.0, None, 50.0] * 9, "day": [datetime.date(2024, 1, 1)] * 36})
    rows = TableSchema.learn(frame, ReadOptions(dates=("day",)))[0]
    model = Model(Network([rows.width, 2]), Schema(rows, describe_targets("binary", "ab")))
    assert model.export(tmp_path / "net.h", int8=True, calibration=frame).ranges == "36 given rows"


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("net.py", {"int8": True}, "int8: is for c only"),
        ("net.h", {"calibration": [[1, 2]]}, "calibration: is for int8 only"),
        ("net.js", {"calibration": [[1, 2]]}, "calibration: is for int8 only"),
    ],
)
def test_bytes_are_for_c(tmp_path, name, options, said):
    with pytest.raises(UsageError, match=f"^{said}$"):
        Model(Network([2, 2])).export(tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_run_is_written_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    found = Model(Network([1, 2])).export(tmp_path / "model.js")
    assert found.unchecked == "node is not installed, so the module was not run"
    assert "export function predict(rows)" in (tmp_path / "model.js").read_text()


def replace_python(monkeypatch, change):
    """Have the text of Python modules changed."""

    def write(model, name):
        return running.Written(change(write_python(model)).encode())

    monkeypatch.setitem(TARGETS, "python", TARGETS["python"]._replace(write=write))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("powers = [", "powers = [1e-4 + "), "its outputs differ"),
        (lambda text: text.replace("row.index(max(row))", "row.index(min(row))"), "its answers differ"),
    ],
)  # fmt: skip
def test_a_file_that_differs_from_the_network_is_not_written(tmp_path, monkeypatch, change, said):
    replace_python(monkeypatch, change)
    with pytest.raises(
        FileError, match=rf"^{re.escape(str(tmp_path))}/model.py: not written: {said}.*please report"
    ):
        export_model(Network([2, 3], seed=1), None, tmp_path / "model.py")
    assert list(tmp_path.iterdir()) == []


def test_a_module_that_fails_is_not_written(tmp_path, monkeypatch):
    replace_python(monkeypatch, lambda text: text.replace("def softmax", "def soft_max"))
    with pytest.raises(
        GlassnetError, match=r"^not written, as it fails under .*NameError: name 'softmax' is not defined"
    ):
        export_model(Network([2, 3]), None, tmp_path / "model.py")
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_takes_too_long_counts_as_not_run(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "SECONDS", 0.001)
    found = export_model(Network([2, 3]), None, tmp_path / "model.py")
    assert re.fullmatch(r".* took more than 0.001 s", found.unchecked)
    assert found.difference is None


def test_a_network_without_finite_outputs_cannot_be_checked(tmp_path):
    network = Network(
        [2, 3, 1], activation=Activation("log", lambda z: np.log(-z * z), lambda z, h: z), loss="mse"
    )
    found = export_model(network, None, tmp_path / "model.py")
    assert found.unchecked == "the network's outputs are not finite for any random row"


def test_the_file_is_named_or_the_target_is():
    assert choose_target(Path("a.b/model.PY"), None) == "python"
    assert choose_target(Path("model.py"), "js") == "js"
    with pytest.raises(
        UsageError,
        match=r"^to: say what to write, one of python, js, onnx, c; or end .* in one of .py, .js, .onnx, .h",
    ):
        choose_target(Path("model"), None)
    with pytest.raises(UsageError, match=r"^to: unknown name 'javascript'; .*Known: c, js, onnx, python"):
        choose_target(Path("model.py"), "javascript")


def test_the_difference_is_a_share_of_large_outputs():
    assert find_difference([[0.25, 2.0]], [[0.0, 2.0]]) == 0.25
    assert find_difference([[0.0, -1100.0]], [[0.0, -1000.0]]) == 0.1
    assert find_difference([[1.0]], [[1.0, 2.0]]) == np.inf


def test_numbers_that_float32_holds_take_half_the_room():
    networks = (Network([100, 100], dtype=dtype) for dtype in ("float32", "float64"))
    short, long = (len(write_javascript(describe_model(network))) for network in networks)
    assert 1.8 < (long - 5000) / (short - 5000) < 2.2
