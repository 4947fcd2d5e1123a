"""Sections of a run's report that have numbers of their own: they are those of the functions, in both files."""

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import glassnet as gn
from glassnet.data.registry import load_dataset
from glassnet.data.remarks import say
from glassnet.locales.catalogue import LANGUAGES, Words
from glassnet.report import baseline_section, importance_section
from glassnet.report.data_section import show_data
from glassnet.report.error_analysis import analyse_errors
from glassnet.report.importance_section import show_importance
from glassnet.report.on_test_rows import show_test_rows
from glassnet.report.probability_section import show_probabilities, show_thresholds
from glassnet.report.row_values import MOST_COLUMNS, read_values
from glassnet.report.run_page import write_run_report
from glassnet.training.inspection import baselines
from glassnet.training.metrics import predict_rows

from .conftest import Page, labelled, markdown_rows, rows_of, trained

EN = Words("en")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of two classes, in which age decides."""
    rng = np.random.default_rng(0)
    age, town = rng.integers(20, 60, 300), rng.choice(["north", "south"], 300)
    frame = pl.DataFrame(
        {"town": town, "age": age, "paid": np.where(age + rng.normal(0, 4, 300) > 40, "yes", "no")}
    )
    file = tmp_path_factory.mktemp("table") / "customers.parquet"
    frame.write_parquet(file)
    return load_dataset(file, target="paid", validation=60)


@pytest.fixture(scope="module")
def reports(tmp_path_factory, table):
    """The network of a run on the table, its report as a page and as Markdown, by language, and what was told."""
    folder = tmp_path_factory.mktemp("reports") / "run"
    run = trained(folder, table, layers=[table.n_inputs, 8, 1], epochs=60, optimizer="adam(0.03)")
    found, told = {}, []
    for language in LANGUAGES:
        page = write_run_report(folder, run.network, table, language=language, tell=told.append)
        found[language] = Page(page.read_text("utf-8")), page.with_suffix(".md").read_text("utf-8")
    return run, found, told


def test_simple_models_stand_beside_the_network_with_their_own_figures(table, reports):
    run, found, told = reports
    assert len(told) == 1  # the second report has them from the folder
    expected = gn.compare_baselines(run.model, table)
    page, text = found["en"]
    rows = rows_of(page, "Beside simple models")
    assert [row[0] for row in rows] == ["network", "most frequent class", "linear model", "gradient boosting"]
    for row, model in zip(rows, expected.models, strict=True):
        for place, split in ((1, "validation"), (3, "test")):
            measures = model.scores[split].measures
            assert row[place : place + 2] == [f"{100 * measures['accuracy']:.2f} %", f"{measures['auc']:.4g}"]
        assert row[5] == str(len(table.train.y))
    accuracy = {model.kind: model.scores["test"].measures["accuracy"] for model in expected.models}
    best = max(value for kind, value in accuracy.items() if kind != "network")
    assert f"On 60 test rows the network has accuracy {100 * accuracy['network']:.2f} %" in page.text
    assert f"has {100 * best:.2f} %." in page.text
    plain = [[cell.strip("*`") for cell in row] for row in markdown_rows(text, "model")]
    assert plain == [[cell.strip() for cell in row] for row in rows]
    assert "与简单模型比较" in found["zh"][0].text


def test_the_most_important_column_stands_first_also_beside_mistakes(table, reports):
    run, found, _ = reports
    expected = gn.permutation_importance(run.network, table.encoded.validation)
    page, text = found["en"]
    rows = rows_of(page, "Which inputs matter")
    assert [row[0] for row in rows] == ["age", "town"]
    assert rows[0][1] == f"{expected.mean[1]:.4f}"
    assert markdown_rows(text, "input") == rows
    assert "shuffled among 60 validation rows" in page.text
    mistakes, right = page.tables["Worst mistakes"], page.tables["Right answers"]
    assert mistakes[0][-2:] == right[0][-2:] == ["age", "town"]
    for row in [*mistakes[1:], *right[1:]]:
        place = int(row[0]) - 1
        assert row[-2:] == [str(table.test.X["age"][place]), table.test.X["town"][place]]
        assert (row[1] == row[2]) == (row in right)
        assert row[1] == table.test.y[place]


def test_a_threshold_is_chosen_on_validation_rows_and_judged_on_test_rows(table, reports):
    run, found, _ = reports
    page, text = found["en"]
    chosen = gn.choose_threshold(run.network, table.encoded.validation)
    judged = gn.choose_threshold(run.network, table.encoded.test)
    best = chosen.best("f1").threshold
    rows = rows_of(page, "From which probability on?")
    assert [row[2] for row in rows] == ["validation rows", "test rows"] * 3
    assert rows[2][1] == rows[3][1] == f"{best:.3f}"
    assert rows[2][6] == f"{chosen.at(best).f1:.3f}"
    assert rows[3][3:6] == [f"{value:.3f}" for value in judged.at(best)[1:4]]
    assert "chosen on the 60 validation rows, not on the test rows" in page.text
    assert "The positive class is “yes”." in page.text
    assert markdown_rows(text, "chosen by") == rows


def test_curves_and_calibration_are_of_the_test_rows(table, reports):
    run, found, _ = reports
    page, text = found["en"]
    [area] = rows_of(page, "Areas under the curves")
    evaluation = gn.evaluate(run.network, table)
    assert area[:2] == ["yes", f"{evaluation.auc:.4f}"]
    calibration = gn.calibration_curve(run.network, table)
    assert f"the probabilities are {calibration.error:.3f} off" in page.text
    assert [row[1] for row in rows_of(page, "Calibration in numbers")] == [str(n) for n in calibration.counts]
    assert markdown_rows(text, "probability") == rows_of(page, "Calibration in numbers")


def test_the_data_are_described_with_what_was_noticed(table, reports):
    _, found, _ = reports
    for language, said in (
        ("en", "180 training rows, 60 validation rows, 60 test rows."),
        ("zh", "训练样本 180 个"),
    ):
        page, text = found[language]
        assert said in page.text
        assert said in text
        for remark in [say(one, Words(language)) for one in table.remarks]:
            assert remark in " ".join([*page.texts, *page.codes])
            assert remark in text


def test_numbers_have_their_errors_in_their_own_units(tmp_path):
    data = load_dataset("diabetes", scaling="standard")
    run = trained(tmp_path / "run", data, layers=[10, 4, 1], epochs=10)
    page = write_run_report(tmp_path / "run", run.network, data)
    text = page.with_suffix(".md").read_text("utf-8")
    errors = run.model.predict(data.test.X) - data.test.y
    half, most = np.quantile(np.abs(errors), [0.5, 0.9])
    assert f"half of the predictions are at most {half:.4g} off, nine of ten at most {most:.4g}" in text
    rows = markdown_rows(text, "test row")
    worst = np.argsort(-np.abs(errors))[:10]
    assert [int(row[0]) - 1 for row in rows] == worst.tolist()
    assert [float(row[3]) for row in rows] == pytest.approx(errors[worst].tolist(), rel=1e-3)


def test_of_pictures_it_is_a_map_and_pictures_of_each_class(digits, saved_run):
    run, _ = saved_run
    section = show_importance(run.network, digits, EN)
    assert section.map.chart.values.shape == (4, 4)
    found = gn.permutation_importance(run.network, digits.encoded.validation, repeats=3)
    np.testing.assert_allclose(section.map.chart.values.ravel(), found.mean)
    row, column = divmod(found.ranking()[0], 4)
    assert f"the most important, row {row + 1}, column {column + 1}," in section.map.alt


def test_what_there_is_no_answer_to_is_said(digits, saved_run, tmp_path):
    run, _ = saved_run
    bare = replace(digits, validation=digits.validation.take(slice(0, 0)), test=digits.test.take(slice(0, 0)))
    assert "there are no rows" in show_importance(run.network, bare, EN).notes[0]
    assert show_probabilities(None, EN) is None
    test = predict_rows(run.network, digits.encoded.test)
    assert show_thresholds(test, test, EN) is None  # ten classes
    data = labelled()
    own = trained(tmp_path / "labels", data, layers=[4, 3], epochs=1)
    page = write_run_report(tmp_path / "labels", own.network, data, tell=lambda said: None)
    text = page.with_suffix(".md").read_text("utf-8")
    assert "Each row has several labels: the simple models learned each label by itself" in text
    assert not re.search("ROC|Threshold", text.partition("## What the words mean")[0])


def test_a_test_set_of_both_classes_without_validation_rows_has_no_threshold(table, reports):
    run = reports[0]
    test = predict_rows(run.network, table.encoded.test)
    section = show_thresholds(None, test, EN)
    assert "no threshold can be chosen" in section.about
    assert section.table is None


def test_test_rows_of_one_class_judge_no_threshold(table, reports):
    network, test = reports[0].network, table.encoded.test
    one_class = predict_rows(network, test.take(np.flatnonzero(test.y == 1)))
    section = show_thresholds(predict_rows(network, table.encoded.validation), one_class, EN)
    assert [row[2].text for row in section.table.cells] == ["validation rows"] * 3
    assert show_thresholds(None, one_class, EN) is None
    assert show_thresholds(one_class, one_class, EN) is None


def test_a_single_mistake_is_said_as_one(table, reports):
    network, test = reports[0].network, table.encoded.test
    right = predict_rows(network, test).labels()[1] == test.y
    rows = np.concatenate([np.flatnonzero(~right)[:1], np.flatnonzero(right)])
    found = analyse_errors(predict_rows(network, test.take(rows)), table)
    section = show_test_rows(found, network, replace(table, test=table.test.take(rows)), EN)
    assert section.mistakes_note == f"1 of {len(rows)} test rows is classified wrongly."


def test_what_takes_long_is_measured_on_fewer_rows(table, reports, monkeypatch):
    network, many = reports[0].network, replace(table, validation=table.train)
    assert "among 180 validation rows" in show_importance(network, many, EN).notes[0]
    passes = 2 * 5 * (len(network.theta) + importance_section.WORK_OF_INPUT * table.n_inputs)
    monkeypatch.setattr(importance_section, "MOST_WORK", 120 * passes)
    assert "among 120 validation rows" in show_importance(network, many, EN).notes[0]
    monkeypatch.setattr(importance_section, "MOST_WORK", 1.0)
    assert "among 100 validation rows" in show_importance(network, many, EN).notes[0]


def test_what_was_capped_and_left_out_is_said(tmp_path, table, monkeypatch):
    monkeypatch.setattr(baselines, "MOST_CELLS", 90 * table.n_inputs)
    monkeypatch.setattr(baselines, "MOST_BOOSTING", 0)
    monkeypatch.setattr(baselines, "STEPS", 1)
    run = trained(tmp_path / "run", table, layers=[table.n_inputs, 1], epochs=1)
    page = write_run_report(tmp_path / "run", run.network, table, tell=lambda _: None)
    text = page.with_suffix(".md").read_text("utf-8")
    assert "learned from 90 of the 180 training rows, drawn at random" in text
    assert "Gradient boosting was left out" in text
    assert f"stopped after {baseline_section.STEPS} steps" in text


def test_of_many_columns_the_most_important_are_shown(table):
    assert read_values(table, [0], ["age", "nonsense"])[0] == ["age", "town"]
    data = gn.fit(
        gn.Network([12, 2]),
        pl.DataFrame({f"c{place}": np.arange(60.0) for place in range(12)}),
        np.arange(60) % 2,
        epochs=1,
        progress=False,
        kernels="numpy",
    ).memory.data
    names, values = read_values(replace(data, test=data.train), [3], ["c11"])
    assert names == ["c11", *(f"c{place}" for place in range(MOST_COLUMNS - 1))]
    assert values[0][0].text == f"{data.train.X['c11'][3]:.4g}"


def test_of_many_classes_it_is_said_how_many_are_shown(tmp_path):
    y = np.concatenate([np.arange(600) % 50, np.full(9, 7)])
    np.savez(tmp_path / "many.npz", X=np.random.default_rng(0).normal(size=(609, 2)), y=y)
    data = load_dataset(tmp_path / "many.npz", task="multi-class")
    network = gn.Network([2, 50], seed=0)
    areas = show_probabilities(predict_rows(network, data.encoded.train), EN).areas
    assert (len(areas.rows), areas.note) == (40, "The first 40 of 50 classes are listed.")
    chart = show_data(data, EN).drawing[0].chart
    assert (len(chart.bars), chart.bars[0].label) == (20, "7")
    assert chart.note == "The 20 largest of 50 are drawn."
    np.savez(tmp_path / "pictures.npz", X=np.zeros((100, 4, 4), np.uint8), y=np.arange(100) % 25)
    shown = show_data(load_dataset(tmp_path / "pictures.npz"), EN)
    assert (len(shown.samples), shown.samples_note) == (20, "The first 20 of 25 classes are listed.")
