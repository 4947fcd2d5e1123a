"""``glassnet export``."""

import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from glassnet.data.array_schema import ArraySchema
from glassnet.data.schema import Schema, describe_targets
from glassnet.data.splits import Split
from glassnet.nn.network import Network
from glassnet.training import run as training_run
from glassnet.training.model import Model
from glassnet.training.model_file import save_model


@pytest.fixture
def saved(here):
    """A model file."""
    schema = Schema(ArraySchema((2,), high=1.0), describe_targets("multi-class", ["no", "yes"]))
    save_model(Model(Network([2, 3, 2], seed=1), schema), here / "small.safetensors")
    return here / "small.safetensors"


def test_a_model_becomes_a_file_and_the_largest_difference_is_printed(glassnet, saved, here):
    answer = glassnet("export", saved, "--to", "python")
    assert answer.code == 0
    lines = dict(line.split("  ", 1) for line in answer.out.splitlines())
    size = len((here / "model.py").read_bytes())
    assert lines["file"].strip() == "model.py"
    assert lines["size"].strip() == f"{size:,} bytes, 17 parameters"
    assert lines["one row"].strip() == "12 multiply-adds"
    assert lines["checked"].startswith("on 200 random rows: largest difference ")
    assert float(lines["checked"].split()[-1]) < 1e-12


def test_a_header_in_bytes_says_its_memory_and_where_its_ranges_are_from(glassnet, saved, here):
    answer = glassnet("export", saved, "--to", "c", "--int8")
    lines = dict(line.split("  ", 1) for line in answer.out.splitlines())
    assert lines["memory"].strip() == "60 bytes of weights, 5 bytes on the stack"
    assert lines["int8"].strip() == "ranges measured on 200 random rows"
    if shutil.which("cc"):
        assert re.fullmatch(
            r"on 200 random rows: largest difference \d\.\de-0\d, \d+\.\d% of the answers equal", lines["checked"]
        )
    else:
        assert lines["checked"].strip() == "not: no compiler of C was found (cc, gcc, clang)"


def test_a_run_has_its_training_rows_for_the_ranges(glassnet, saved, here, monkeypatch):
    (here / "run").mkdir()
    saved.rename(here / "run" / "model.safetensors")
    data = SimpleNamespace(train=Split(np.random.default_rng(0).random((700, 2)), None))
    monkeypatch.setattr(training_run, "open_run", lambda run, data_dir: (run, data_dir, data))
    found = glassnet("export", "run", "--out", "small.h", "--int8", "--json").json
    assert found["ranges"] == "700 given rows"
    assert (found["weight_bytes"], found["scratch_bytes"]) == (60, 5)


def test_json_has_all_of_it_and_the_name_decides(glassnet, saved):
    found = glassnet("export", saved, "--out", "small.mjs", "--json").json
    checked = shutil.which("node") is not None
    assert (found["path"], found["to"], found["parameters"]) == ("small.mjs", "js", 17)
    assert found["rows"] == (200 if checked else 0)
    assert found["unchecked"] == ("" if checked else "node is not installed, so the module was not run")


def test_a_file_is_not_replaced_unasked(glassnet, saved, here):
    (here / "model.py").write_text("mine")
    answer = glassnet("export", saved, "--to", "python")
    assert answer.code == 1
    assert answer.error == "model.py: is already there; choose another with --out, or add --overwrite"
    assert (here / "model.py").read_text() == "mine"
    assert glassnet("export", saved, "--to", "python", "--overwrite").code == 0
    assert "def predict(rows):" in (here / "model.py").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--to: say what to write, one of python, js"),
        (["--out", "model.exe"], "--to: say what to write, one of python, js"),
        (["--to", "pyhton"], "--to: unknown name 'pyhton'; did you mean 'python'?"),
    ],
)
def test_what_to_write_must_be_said(glassnet, saved, options, said):
    answer = glassnet("export", saved, *options)
    assert answer.code == 2
    assert answer.error.startswith(said)


def test_a_missing_model_is_named(glassnet, here):
    answer = glassnet("export", "gone", "--to", "js")
    assert answer.code == 1
    assert answer.error == "gone: does not exist; give a run folder or a model file"
    assert list(here.iterdir()) == []
