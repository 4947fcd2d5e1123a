"""``glassnet evaluate``."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet.training.metrics import evaluate_predictions, predict_rows


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_it_measures_the_rows_asked_for(glassnet, run_folder, split):
    record = glassnet("evaluate", "run", "--split", split, "--json").json
    rows = getattr(gn.load_dataset("digits"), split)
    network = gn.load_model(run_folder).network
    metrics = gn.evaluate(network, rows)
    assert (record["rows"], record["loss"], record["accuracy"]) == (len(rows.y), metrics.loss, metrics.accuracy)
    assert [score["name"] for score in record["classes"]] == [str(digit) for digit in range(10)]
    assert sum(score["rows"] for score in record["classes"]) == len(rows.y)


def test_the_table_has_a_line_for_every_class(glassnet, run_folder):
    lines = glassnet("evaluate", "run").out.splitlines()
    assert lines[0] == "data      digits: 359 test rows"
    assert lines[2] == "epochs    3"
    assert lines[-11].split()[:4] == ["class", "precision", "recall", "F1"]
    assert [line.split()[0] for line in lines[-10:]] == [str(digit) for digit in range(10)]


def test_a_model_file_is_found_in_its_run(glassnet, run_folder):
    by_file = glassnet("evaluate", "run/model.safetensors", "--json").json
    assert by_file["accuracy"] == glassnet("evaluate", "run", "--json").json["accuracy"]


def test_a_run_that_was_cut_short_does_not_look_finished(glassnet, run_folder):
    history = run_folder / "history.csv"
    history.write_text("".join(history.read_text().splitlines(keepends=True)[:-1]))
    answer = glassnet("evaluate", "run", "--json").json
    assert (answer["epochs"], answer["epochs_planned"]) == (2, 3)
    assert "2 of 3: the run was cut short" in glassnet("evaluate", "run").out


def test_other_data_than_the_run_was_made_with_are_refused(glassnet, run_folder):
    config = run_folder / "config.toml"
    text = config.read_text()
    checksum = gn.load_config(config).checksums["X, y"]
    config.write_text(text.replace(checksum, "0" * 32))
    answer = glassnet("evaluate", "run")
    assert answer.code == 1
    assert "is not the file that this configuration was made with" in answer.error


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda run: (run / "model.safetensors").unlink(), "run/model.safetensors: does not exist"),
        (lambda run: (run / "model.safetensors").write_bytes(b"no model"), "run/model.safetensors: is damaged"),
        (lambda run: (run / "config.toml").unlink(), "run: is no run folder: it holds no config.toml"),
        (lambda run: (run / "history.csv").write_text("a,b\n"), "run/history.csv: is no history"),
    ],
)
def test_a_damaged_run_is_named_by_its_file(glassnet, run_folder, damage, message):
    damage(run_folder)
    answer = glassnet("evaluate", "run")
    assert answer.code == 1
    assert answer.error.startswith(message)


def test_a_run_that_is_not_there(glassnet):
    assert glassnet("evaluate", "nowhere").error.startswith("nowhere: does not exist")


def test_rows_that_the_run_does_not_have(glassnet):
    glassnet("train", "digits", "--validation", 0, "--epochs", 1, "-q", "--run-dir", "run")
    answer = glassnet("evaluate", "run", "--split", "validation")
    assert (answer.code, answer.error) == (2, "--split: the run has no validation rows; take another")


def test_a_run_on_arrays_is_evaluated_where_they_are(glassnet):
    data = gn.Dataset.from_arrays(np.eye(30), np.arange(30) % 3)
    gn.fit(gn.Network([30, 3]), data, epochs=1, run_dir="run", progress=False)
    answer = glassnet("evaluate", "run")
    assert answer.code == 1
    assert answer.error.startswith("run/config.toml: the run learned from 'arrays', which only the Python program")


@pytest.fixture
def cancer_run(trained_once, here):
    """A small trained run on two classes."""
    return shutil.copytree(trained_once("breast-cancer", "--layers", "30,8,1", "--epochs", "3"), here / "run")


@pytest.fixture
def houses_run(glassnet, here):
    """A small trained run on a table's prices."""
    rng = np.random.default_rng(0)
    rows = [f"{area:.1f},{colour},{1000 * area:.1f}" for area in rng.uniform(50, 90, 40) for colour in ("a", "b")]
    (here / "houses.csv").write_text("\n".join(["area,colour,price", *rows]) + "\n")
    options = ["--layers", "3,4,1", "--epochs", 3, "--batch-size", 8, "--quiet", "--run-dir", "run"]
    assert glassnet("train", "houses.csv", "--target", "price", *options).code == 0
    return here / "run"


def test_two_classes_have_their_measures_and_intervals(glassnet, cancer_run):
    record = glassnet("evaluate", "run", "--json").json
    data = gn.load_dataset("breast-cancer")
    found = evaluate_predictions(predict_rows(gn.load_model("run").network, data.test))
    assert record["measures"] == found.measures
    assert record["intervals"] == {name: list(ends) for name, ends in found.intervals.items()}
    assert (record["task"], record["accuracy"]) == ("binary", found.measures["accuracy"])
    lines = glassnet("evaluate", "run").out.splitlines()
    for name, value in found.measures.items():
        low, high = found.intervals[name]
        shown = f"{value:.4f}  ({low:.3f} to {high:.3f})"
        assert any(line.split(maxsplit=1) == [name.replace("auc", "AUC"), shown] for line in lines), name


@pytest.mark.parametrize(("split", "short"), [("test", "test"), ("validation", "val")])
def test_scores_go_into_a_file_named_by_its_measures(glassnet, cancer_run, here, split, short):
    record = glassnet("evaluate", "run", "--split", split, "--scores", "scores", "--json").json
    found = record["measures"]
    file = f"breast-cancer_{short}_[AUC]{found['auc']:.3f}_[ACC]{found['accuracy']:.3f}@run.csv"
    assert record["scores"] == f"scores/{file}"
    outputs = gn.load_model("run").network.outputs(getattr(gn.load_dataset("breast-cancer").encoded, split).X)
    table = np.loadtxt(here / "scores" / file, delimiter=",")
    np.testing.assert_allclose(table[:, 1:], outputs, rtol=1e-4)  # rows of a block, and rows one by one
    assert f"scores/{file}" in glassnet("evaluate", "run", "--split", split, "--scores", "scores").out


def test_a_folder_whose_name_cannot_be_part_of_it_is_no_reason_for_no_scores(glassnet, cancer_run, here):
    cancer_run.rename(here / "a@b")
    (here / "scores").mkdir()
    answer = glassnet("evaluate", "a@b", "--scores", "scores")
    assert answer.code == 0, answer.err
    assert len(list((here / "scores").iterdir())) == 1


def test_scores_of_rows_without_an_auc_are_refused(glassnet, houses_run, here):
    answer = glassnet("evaluate", "run", "--scores", "scores")
    assert answer.code == 1
    assert answer.error.startswith("scores: these rows have no AUC")
    assert not (here / "scores").exists()


def test_without_published_figures_there_is_nothing_to_compare_with(glassnet, cancer_run):
    answer = glassnet("evaluate", "run", "--compare")
    assert answer.code == 2
    assert answer.error.startswith("--compare: no published figures are known for breast-cancer")


def test_a_file_of_the_users_own_has_no_published_figures_whatever_its_name(glassnet, here):
    np.savez(here / "breastmnist.npz", X=np.random.default_rng(0).normal(size=(40, 3)), y=np.arange(40) % 2)
    glassnet("train", "breastmnist.npz", "--layers", "3,1", "--batch-size", 8, "-q", "--run-dir", "run")
    answer = glassnet("evaluate", "run", "--compare")
    assert answer.code == 2
    assert answer.error.startswith("--compare: no published figures are known for ")


@pytest.mark.real_data
def test_breastmnist_is_shown_beside_its_published_figures(glassnet, fashion_mnist_home):
    if not Path(fashion_mnist_home, "medmnist", "breastmnist.npz").is_file():
        pytest.skip("needs BreastMNIST: medmnist/breastmnist.npz in the folder that GLASSNET_DATA names")
    place = ["--data-dir", fashion_mnist_home]
    glassnet("train", "breastmnist", "--layers", "784,8,1", "--epochs", 2, "-q", "--run-dir", "run", *place)
    record = glassnet("evaluate", "run", "--compare", "--json", *place).json
    assert record["published"]["ResNet-18 (28)"] == {"auc": 0.901, "acc": 0.863}
    lines = glassnet("evaluate", "run", "--compare", *place).out.splitlines()
    assert "ResNet-18 (28)                      0.901     0.863" in lines
    assert lines[-1].split() == ["this", *(f"{record['measures'][name]:.3f}" for name in ("auc", "accuracy"))]


def test_a_run_on_a_table_is_measured_in_the_targets_own_units(glassnet, houses_run):
    record = glassnet("evaluate", "run", "--json").json
    data = gn.load_dataset("houses.csv", target="price")
    error = np.abs(gn.load_model("run").predict(data.test.X) - data.test.y).mean()
    assert record["measures"]["mae"] == pytest.approx(error)
    assert (record["task"], record["accuracy"], record["classes"]) == ("regression", None, [])
    assert set(record["measures"]) == {"r2", "mae"}
    assert f"mean absolute error  {record['measures']['mae']:.4f}\n" in glassnet("evaluate", "run").out


def test_a_run_whose_table_has_gone_or_changed_is_one_line(glassnet, houses_run, here):
    table = here / "houses.csv"
    table.write_text(table.read_text() + "77.7,a,77700\n")
    answer = glassnet("evaluate", "run")
    assert answer.code == 1
    assert answer.error.startswith("houses.csv: is not the file that this configuration was made with")
    table.unlink()
    answer = glassnet("evaluate", "run")
    assert answer.code == 1
    assert answer.error.startswith(f"{table}: ")
