"""``glassnet check``, ``train --strict`` and ``train --remedy``."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import glassnet as gn

pytestmark = pytest.mark.filterwarnings("always::glassnet.errors.HealthWarning")

SMALL = ["digits", "--layers", "64,24,10", "--epochs", 12, "--batch-size", 32, "-q"]
WIDE = ["--activation", "tanh", "--initializer", "normal(0, 2)"]


def test_a_network_that_is_fit_passes(glassnet):
    answer = glassnet("check", "digits", "--layers", "64,24,10")
    assert answer.code == 0
    lines = dict(line.split("  ", 1) for line in answer.out.splitlines())
    assert [lines[name].strip()[:2] for name in ("first loss", "over-fit 32 rows", "learning rate")] == ["ok"] * 3
    assert lines["conclusion"].strip() == "fit to be trained as it is"
    assert not list(Path().iterdir())  # nothing is saved


def test_one_that_is_not_ends_with_1_and_says_why(glassnet):
    answer = glassnet("check", "digits", "--layers", "64,24,10", *WIDE)
    assert answer.code == 1
    assert "NOT OK" in answer.out
    *_, layer, said = answer.out.splitlines()
    assert layer.startswith("layer 1")
    assert "normal(0, 2) on 64 inputs gives pre-activations of spread" in layer
    assert said == "conclusion        saturated-units in layer 1; try initializer glorot_uniform"
    record = glassnet("check", "digits", "--layers", "64,24,10", *WIDE, "--json").json
    assert record["sound"] is False
    assert record["diagnoses"][0]["kind"] == "saturated-units"
    assert record["diagnoses"][0]["remedy"]["changes"] == {"network": {"initializer": "glorot_uniform"}}


def test_a_run_can_be_checked_by_its_configuration(glassnet):
    assert glassnet("train", *SMALL, "--run-dir", "run").code == 0
    assert glassnet("check", "--config", "run/config.toml", "--json").json["layers"] == [64, 24, 10]


def test_standardised_data_are_checked_as_they_are_learned_from(glassnet):
    """The inputs' size decides the first pre-activations: plain digits have a root mean square of 0.38."""
    wide = ["digits", "--layers", "64,24,10", "--initializer", "normal(0, 1)", "--activation", "tanh", "--json"]
    plain, scaled = (glassnet("check", *wide, *option).json for option in ([], ["--scaling", "standard"]))
    assert plain["checks"] != scaled["checks"]
    table = ["iris", "--layers", "4,8,3", "--json"]
    assert glassnet("check", *table).json == glassnet("check", *table, "--scaling", "standard").json


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["digits", "--optimizer", "adamm"], "--optimizer: unknown name 'adamm'; did you mean 'adam'?"),
        (["digits", "--layers", "64,x,10"], "--layers: "),
        ([], "DATASET: is missing"),
    ],
)
def test_wrong_usage_is_one_line(glassnet, arguments, said):
    answer = glassnet("check", *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1


def test_health_is_told_and_kept(glassnet):
    answer = glassnet("train", *SMALL, "--run-dir", "run")
    assert "health               healthy" in answer.out
    assert json.loads(Path("run/health.json").read_text())["sick"] is False
    sick = glassnet("train", *SMALL, *WIDE, "--run-dir", "sick")
    assert sick.code == 0
    assert "sick: saturated-units in layer 1" in sick.out
    assert "glassnet: saturated-units (layer 1, from the start): normal(0, 2) on 64 inputs" in sick.err


def test_strict_ends_with_1_where_the_network_is_sick(glassnet):
    assert glassnet("train", *SMALL, "--strict").code == 0
    record = glassnet("train", *SMALL, *WIDE, "--strict", "--json")
    assert record.code == 1
    assert record.json["sick"] is True
    assert record.json["health"][0]["layer"] == 1
    assert glassnet("train", *SMALL, *WIDE, "--strict", "--seeds", 2).code == 1


def test_the_remedy_is_applied_and_both_runs_are_shown(glassnet):
    answer = glassnet("train", *SMALL, *WIDE, "--remedy", "--strict", "--run-dir", "run")
    assert answer.code == 0
    assert "glassnet: once more with initializer glorot_uniform" in answer.err
    table = [line.split() for line in answer.out.splitlines()[-3:]]
    assert table[0][:4] == ["accuracy", "training", "validation", "test"]
    before, after = table[1:]
    assert (before[0], after[0]) == ("before", "after")
    model, data = gn.load_model("run_remedied"), gn.load_dataset("digits")
    figures = [model.score(split) for split in (data.train, data.validation, data.test)]
    assert after[1:4] == [f"{figure:.4f}" for figure in figures]
    assert all(float(one) > float(other) + 0.1 for one, other in zip(after[1:4], before[1:4], strict=True))
    assert (before[4:6], after[4]) == (["sick:", "saturated-units"], "healthy")
    assert gn.load_config("run_remedied/config.toml").network.initializer == "glorot_uniform"
    record = glassnet("train", *SMALL, *WIDE, "--remedy", "--json").json
    assert record["remedy"] == {"network": {"initializer": "glorot_uniform"}}
    assert record["before"]["sick"] is True
    assert record["sick"] is False


def test_a_table_with_a_few_far_numbers_is_mended_by_robust_scaling(glassnet):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 2))
    y = X @ [1, -2] + 0.1 * rng.normal(size=600)
    X[[8, 90, 200]] = 1e6
    pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": y}).write_csv("far.csv")
    options = ["--layers", "2,32,1", "--epochs", 30, "--kernels", "numpy"]
    answer = glassnet("train", "far.csv", "--target", "y", *options, "--remedy", "--run-dir", "run")
    assert "once more with scaling robust" in answer.err
    before, after = (line.split() for line in answer.out.splitlines()[-2:])
    assert (before[5].strip(","), after[4]) == ("outlying-inputs", "healthy")
    assert float(after[3]) > 0.8 > 0.2 > float(before[3])
    assert gn.load_config("run_remedied/config.toml").data.scaling == "robust"
    rows = pl.DataFrame({"b": [0.5, 0.5, 1.0], "a": [1e7, -1.0, 0.0]})
    model = gn.load_model("run_remedied")
    with pytest.warns(gn.DataWarning, match="more than 100 standard deviations"):
        answers = model.predict(rows)
    assert np.isfinite(answers).all()
    assert [model.predict(rows[place])[0] for place in (1, 2)] == answers[1:].tolist()  # bit for bit


def test_a_run_that_diverges_is_mended_too(glassnet):
    answer = glassnet("train", *SMALL, "--activation", "identity", "--optimizer", "sgd(5)", "--remedy")
    assert answer.code == 0
    assert "the loss became" in answer.err
    assert answer.out.splitlines()[-1].split()[4] == "healthy"


def test_a_healthy_network_needs_no_remedy(glassnet):
    answer = glassnet("train", *SMALL, "--remedy", "--run-dir", "run")
    assert answer.code == 0
    assert "once more" not in answer.err
    assert not Path("run_remedied").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seeds", "2", "--remedy"], "--remedy: trains a single network again; leave --seeds out"),
        (["--find-lr", "--strict"], "--strict: is for training, and --find-lr trains nothing"),
    ],
)
def test_what_does_not_go_together_is_refused(glassnet, options, said):
    answer = glassnet("train", *SMALL, *options)
    assert answer.code == 2
    assert said in answer.err


def test_a_test_figure_that_got_worse_is_said(glassnet, capsys):
    """A sound run stands for what a remedy made worse."""
    from glassnet.cli.run_output import SessionOptions, TrainedRun, print_comparison

    data, runs = gn.load_dataset("digits"), []
    for settings in ({"initializer": "zeros"}, {}):
        run = gn.fit(gn.Network([64, 16, 10], **settings), data, epochs=12, progress=False)
        runs.append(TrainedRun(run, None, gn.evaluate(run.model, data)))
    sick, sound = runs
    first = sick.run.health.diagnoses[0]
    print_comparison(sound, sick, first, data, SessionOptions())
    figures = [one.run.model.score(data.test) for one in (sound, sick)]
    said = "worse      on test rows: accuracy {:.4f} before, {:.4f} after".format(*figures)
    assert said in capsys.readouterr().out
    print_comparison(sick, sound, first, data, SessionOptions())
    assert "worse" not in capsys.readouterr().out
