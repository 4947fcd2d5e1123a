"""The recommended plan on the test rows: one look, at the right network, and a record of it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from glassnet.errors import DataError, FileError
from glassnet.study import final_evaluation
from glassnet.study.design import change_config
from glassnet.study.final_evaluation import (
    EvaluatedNetwork,
    are_test_rows_open,
    evaluate_recommended,
    mark_test_rows_open,
    median_run,
    read_final_evaluation,
)
from glassnet.study.findings import gather_findings
from glassnet.study.recommendation import recommend
from glassnet.study.results import Row
from glassnet.training.metrics import evaluate_predictions, predict_rows, predict_test_rows
from glassnet.training.model_file import load_model
from glassnet.training.run import load_data

from .studies import done, points, small


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three variants, three seeds, on a small data set."""
    return small(points(tmp_path_factory.mktemp("data")), seeds=3)


@pytest.fixture(scope="module")
def finished(study, tmp_path_factory):
    """The folder of the study, and its rows; not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "study"
    return folder, done(study, folder)


@pytest.fixture
def rows(finished, tmp_path):
    """The rows of the study, whose folder is ``study``."""
    shutil.copytree(finished[0], tmp_path / "study")
    return finished[1]


@pytest.fixture
def looks(monkeypatch):
    """The networks that were evaluated on test rows."""
    seen = []

    def spy(network, data):
        seen.append((network.fingerprint(), len(data.test.y)))
        return predict_test_rows(network, data)

    monkeypatch.setattr(final_evaluation, "predict_test_rows", spy)
    return seen


def rows_of(values, measure="validation_accuracy"):
    return [
        Row(
            "base",
            {},
            seed,
            "diverged" if value is None else "finished",
            {} if value is None else {measure: value},
        )
        for seed, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("values", "measure", "seed"),
    [
        ([0.7], "validation_accuracy", 0),
        ([0.9, 0.7, 0.8], "validation_accuracy", 2),
        ([0.9, 0.7], "validation_accuracy", 1),  # of two in the middle the worse: the lower accuracy
        ([0.9, 0.7], "validation_loss", 0),  # the higher loss
        ([0.9, 0.6, 0.8, 0.7], "validation_accuracy", 3),
        ([0.9, 0.6, 0.8, 0.7], "train_loss", 2),
        ([0.5, 0.5, 0.5], "validation_accuracy", 1),
        ([None, 0.9, 0.7, 0.8], "validation_accuracy", 3),
        ([0.0, 0.0, 0.5], "validation_accuracy", 0),
    ],
)
def test_the_median_run(values, measure, seed):
    assert median_run(rows_of(values, measure), "base", measure).seed == seed


def test_a_variant_without_a_run_that_counts_has_none():
    with pytest.raises(DataError, match="'base' has no run with a validation_accuracy"):
        median_run(rows_of([None]), "base", "validation_accuracy")
    with pytest.raises(DataError):
        median_run(rows_of([0.5]), "other", "validation_accuracy")


def test_only_the_median_run_of_the_recommended_plan_is_evaluated(study, rows, tmp_path, looks):
    folder = tmp_path / "study"
    found = evaluate_recommended(gather_findings(study, folder, rows))
    chosen = recommend(rows, study.measure, study.levels())
    values = {row.seed: row.measures["validation_accuracy"] for row in rows if row.variant == chosen.variant}
    assert found.variant == chosen.variant
    assert found.value == values[found.seed] == sorted(values.values())[1]
    model, data = load_model(folder / found.folder), load_data(study.base)
    assert looks == [(model.network.fingerprint(), 60)]
    truth = evaluate_predictions(predict_rows(model.network, data.test))
    assert found.test_measures == truth.measures
    assert found.test_measures["accuracy"] == np.mean(model.predict(data.test.X) == data.test.y)
    assert found.test_intervals == truth.intervals
    assert (found.test_rows, found.test_loss, found.earlier) == (60, truth.loss, ())
    assert (folder / found.config).is_file()
    assert read_final_evaluation(folder) == found
    record = json.loads((folder / "recommended.json").read_text())
    assert record["test_measures"] == truth.measures
    assert record["config"] == f"{found.folder}/config.toml"
    # nobody else's test figures are anywhere
    held = "".join(path.read_text() for path in folder.rglob("*.json"))
    assert held.count('"test_measures"') == 1
    assert "test_" not in "".join(path.read_text() for path in (folder / "rows").iterdir())


def test_it_is_not_evaluated_twice(study, rows, tmp_path, looks):
    first = evaluate_recommended(gather_findings(study, tmp_path / "study", rows))
    stamp = (tmp_path / "study" / "recommended.json").stat().st_mtime_ns
    assert (
        evaluate_recommended(gather_findings(study, tmp_path / "study", rows), None) == first
    )  # no data are loaded
    assert len(looks) == 1
    assert (tmp_path / "study" / "recommended.json").stat().st_mtime_ns == stamp


def test_a_look_at_another_network_is_not_forgotten(study, rows, tmp_path, looks):
    folder = tmp_path / "study"
    first = evaluate_recommended(gather_findings(study, folder, rows))
    other = next(row.variant for row in rows if row.variant != first.variant)
    better = [
        replace(row, measures={"validation_accuracy": 0.99 + row.seed / 1000}) if row.variant == other else row
        for row in rows
    ]
    second = evaluate_recommended(gather_findings(study, folder, better))
    assert (second.variant, second.seed) == (other, 1)
    assert second.earlier == (EvaluatedNetwork(first.variant, first.seed, first.theta_sha256),)
    third = evaluate_recommended(gather_findings(study, folder, rows))
    assert [look.variant for look in third.earlier] == [first.variant, other]
    assert len(looks) == 3
    assert read_final_evaluation(folder) == third


def test_the_test_rows_stay_closed_while_runs_are_missing(study, rows, tmp_path, looks):
    assert gather_findings(study, tmp_path, rows).missing == 0
    assert gather_findings(study, tmp_path, rows[2:]).missing == 2
    assert evaluate_recommended(gather_findings(study, tmp_path / "study", rows[:-1])) is None
    assert looks == []
    assert read_final_evaluation(tmp_path / "study") is None


def test_and_where_nothing_can_be_recommended(study, rows, tmp_path, looks):
    lost = [replace(row, status="diverged") if row.seed == 1 else row for row in rows]
    assert evaluate_recommended(gather_findings(study, tmp_path / "study", lost)) is None
    assert looks == []
    assert not (tmp_path / "study" / "recommended.json").exists()


def test_test_rows_that_are_open_for_all_runs_judge_no_choice(study, rows, tmp_path, looks):
    folder = tmp_path / "study"
    assert not are_test_rows_open(study, folder)
    mark_test_rows_open(folder)
    assert are_test_rows_open(study, folder)
    assert evaluate_recommended(gather_findings(study, folder, rows)) is None
    assert looks == []
    assert read_final_evaluation(folder) is None


def test_nor_do_those_that_were_watched(study, tmp_path):
    watching = change_config(study.base, {"data.validation": "test"})
    assert are_test_rows_open(replace(study, base=watching), tmp_path)


def test_other_data_are_refused(study, rows, tmp_path, looks):
    data = load_data(study.base)
    other = replace(data, checksums={"points.npz": "0" * 32})
    with pytest.raises(DataError, match="is not the file that this configuration was made with"):
        evaluate_recommended(gather_findings(study, tmp_path / "study", rows), lambda config: other)
    assert looks == []


@pytest.mark.parametrize(
    ("text", "said"),
    [("{}", "variant: is missing"), ("nonsense", "expected ident"), ("[]", "input should be an object")],
)
def test_a_damaged_record_is_one_line(tmp_path, text, said):
    (tmp_path / "recommended.json").write_text(text)
    with pytest.raises(
        FileError, match=rf"recommended\.json: is no record of a recommended plan: {said}.*; remove it"
    ):
        read_final_evaluation(tmp_path)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_outputs_that_are_not_finite_are_recorded_as_such(study, rows, tmp_path, monkeypatch):
    def broken(path):
        model = load_model(path)
        model.network.W[0][:], model.network.b[0][:] = 3e38, -3e38
        return model

    monkeypatch.setattr(final_evaluation, "load_model", broken)
    with np.errstate(all="ignore"):
        found = evaluate_recommended(gather_findings(study, tmp_path / "study", rows))
    assert (found.test_rows, found.test_loss, found.test_measures) == (60, None, {})
    assert read_final_evaluation(tmp_path / "study") == found
