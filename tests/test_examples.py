"""The examples run, and show what they say."""

import ast
import json
import runpy
import shutil
import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from glassnet.nn.activations import ACTIVATIONS
from glassnet.nn.losses import LOSSES
from glassnet.nn.optimizers import OPTIMIZERS

EXAMPLES = Path(__file__).parent.parent / "examples"
NOTEBOOKS = sorted(path.name for path in EXAMPLES.glob("*.ipynb"))


@pytest.fixture
def run_example(tmp_path, monkeypatch, capsys):
    """Run a script in an empty folder, and return what it printed."""

    def run(name, *arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    with warnings.catch_warnings():
        yield run
    plt.close("all")


@pytest.fixture
def run_notebook(tmp_path, monkeypatch, capsys):
    """Run the cells of a notebook beside copies of the examples, and return its names and what it printed."""

    def run(name):
        shutil.copytree(EXAMPLES, tmp_path / "examples")
        monkeypatch.chdir(tmp_path / "examples")
        names = {}
        for number, cell in enumerate(read_cells(name)):
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), f"{name}, cell {number}", "exec"), names)
        return names, capsys.readouterr().out

    with warnings.catch_warnings():
        yield run
    plt.close("all")


def read_cells(name):
    return json.loads((EXAMPLES / name).read_text(encoding="utf-8"))["cells"]


def test_every_example_is_listed_and_tested():
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    names = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".ipynb", ".toml")}
    assert {name for name in names if f"[{name}]({name})" not in listed} == set()
    own = Path(__file__).read_text(encoding="utf-8")
    assert {name for name in names if name.endswith((".py", ".ipynb")) and f'"{name}"' not in own} == set()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_are_kept_without_what_they_showed(name):
    book = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert (EXAMPLES / name).stat().st_size < 20_000
    identities = [cell["id"] for cell in book["cells"]]
    assert len(set(identities)) == len(identities)
    for cell in book["cells"]:
        assert cell["cell_type"] in ("code", "markdown")
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
            ast.parse("".join(cell["source"]))


def test_the_lesson_shows_what_its_text_says(run_notebook):
    lesson, said = run_notebook("dying_relus_and_vanishing_gradients.ipynb")
    kinds = {
        name: [found.kind for found in lesson[name].health.diagnoses]
        for name in ("good", "dead", "leaky", "unreachable", "vanishing")
    }
    assert kinds["good"] == []
    assert kinds["dead"][0] == kinds["unreachable"][0] == "dead-units"
    assert "dead-units" not in kinds["leaky"]
    assert kinds["vanishing"][0] == "vanishing-gradients"
    assert lesson["dead"].history.last.validation_accuracy < 0.15
    assert lesson["leaky"].health.sick
    assert lesson["remedy"].changes["training"]["optimizer"].startswith("sgd(learning_rate=0.1")
    assert lesson["unreachable"].health.diagnoses[0].remedy.changes == {"network": {"bias_initializer": "zeros"}}
    assert lesson["always_zero"].sum() > 16  # most units
    assert (lesson["network"].dW[0][:, lesson["always_zero"]] == 0).all()
    first, *_, last = lesson["gradient_norms"](lesson["vanishing"])
    assert 0.1 < first / last / 0.25**8 < 10
    for name in ("tanh", "relu", "sigmoid, batch norm"):
        norms = lesson["gradient_norms"](lesson["tries"][name])
        assert 0.1 < norms[0] / norms[-1] < 10
        assert lesson["tries"][name].history.last.validation_accuracy > 0.5
    assert "validation accuracy 0.100, sick\n- dead-units in layer 1 since step 16" in said


def test_the_table_becomes_answers(run_notebook):
    with pytest.warns(match="missing values filled with the median of the training rows"):
        found, said = run_notebook("customers.ipynb")
    assert len(found["data"].remarks) == 4
    assert all(f"- {remark}" in said for remark in found["data"].remarks)
    assert found["tested"].accuracy > 0.85
    assert found["answers"].tolist() == ["yes", "no"]


def test_the_assignment_ends_with_a_plan_and_its_figures(run_example, tmp_path):
    said = run_example("assignment.py", "handed-in", "--epochs", 3, "--seeds", 2, "--workers", 1)
    files = {path.name for path in (tmp_path / "handed-in").iterdir()}
    figures = {"comparison.png", "confusion.png", "learning.png", "weights.png"}
    assert files == {"explain-3-2-1.html", "graph-3-2-1.svg", "study", *figures}
    assert all((tmp_path / "handed-in" / name).read_bytes().startswith(b"\x89PNG") for name in figures)
    lines = said.splitlines()
    (advice,) = (line for line in lines if line.startswith("take "))
    means = {line.split()[0]: float(line.split()[1]) for line in lines if line.endswith("2 seeds)")}
    assert len(means) == 7
    assert max(means, key=means.get) in advice
    assert 0.5 < float(said.partition("accuracy ")[2].partition(";")[0]) < 1


def test_own_formulas_are_checked_and_learn(run_example, monkeypatch):
    for registry in (ACTIVATIONS, LOSSES, OPTIMIZERS):  # what is registered here is forgotten afterwards
        for name, one in vars(registry).items():
            if isinstance(one, dict):
                monkeypatch.setattr(registry, name, dict(one))
    said = run_example("own_formulas.py")
    assert said.startswith("refused:  activation: wrong: f'(")
    assert "610 derivatives" in said
    accuracies = [float(line.split()[-1]) for line in said.splitlines() if "adam(" in line or "lion(" in line]
    assert len(accuracies) == 4
    assert min(accuracies) > 0.8
    errors = [float(line.split()[-1]) for line in said.splitlines() if line.startswith(("  half", "  log_cosh"))]
    assert len(errors) == 2
    assert max(errors) < 50
    assert "lion" in OPTIMIZERS


def test_the_bridge_from_scikit_learn_holds(run_example):
    said = run_example("from_scikit_learn.py")
    ours, theirs = said.splitlines()[0].split()[1], said.splitlines()[0].split()[3].rstrip(";")
    assert ours == theirs
    assert "health: " in said
    assert said.endswith("a MLPClassifier with the same answers\n")


def test_medmnist_is_trained_from_a_file_of_its_format(run_example, tmp_path, monkeypatch):
    rng, home = np.random.default_rng(0), tmp_path / "data"
    arrays = {}
    for split, rows in (("train", 60), ("val", 20), ("test", 20)):
        labels = np.arange(rows, dtype=np.uint8)[:, None] % 2
        images = rng.integers(0, 150, (rows, 28, 28)) + 100 * labels[:, :, None]
        arrays |= {f"{split}_images": images.astype(np.uint8), f"{split}_labels": labels}
    (home / "medmnist").mkdir(parents=True)
    np.savez(home / "medmnist" / "breastmnist.npz", **arrays)
    monkeypatch.setenv("GLASSNET_DATA", str(home))
    said = run_example("medmnist_seeds.py", "--seeds", 2, "--epochs", 5)
    assert "rows: 60 train + 20 validation + 20 test" in said
    assert "ResNet-18 (28)              0.901  0.863" in said
    assert float(said.partition("this network, mean")[2].split()[0]) > 0.9


def test_the_invented_customers_are_those_of_the_files(run_example, tmp_path):
    run_example("customers.py", tmp_path)
    for name in ("customers.csv", "new-customers.csv"):
        assert (tmp_path / name).read_bytes() == (EXAMPLES / name).read_bytes()
