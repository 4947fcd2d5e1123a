"""``glassnet evaluate``."""

import numpy as np
import pytest

import glassnet as gn


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_it_measures_the_rows_asked_for(glassnet, run_folder, split):
    record = glassnet("evaluate", "run", "--split", split, "--json").json
    rows = getattr(gn.load_dataset("digits"), split)
    network = gn.load_model(run_folder)
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
        (lambda run: (run / "config.toml").unlink(), "run/config.toml: cannot be read"),
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
