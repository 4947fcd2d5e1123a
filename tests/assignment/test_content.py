"""The figures and tables of the document."""

from types import SimpleNamespace

import numpy as np
import pytest
from tests.study.studies import done, small

from glassnet.assignment import content
from glassnet.assignment.speed import SpeedRow, compare_speed
from glassnet.assignment.work import FOUND, REGISTERED, TrainedPlan, choose_best
from glassnet.charts.painting import FORMATS
from glassnet.data.registry import load_dataset
from glassnet.locales.catalogue import Words
from glassnet.report.error_analysis import ErrorAnalysis
from glassnet.study.findings import gather_findings
from glassnet.training.history import EpochRecord, History
from glassnet.training.metrics import Evaluation

EN = Words("en")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A factorial of two factors, each with two levels, and two seeds."""
    folder, study = tmp_path_factory.mktemp("study"), small(design="factorial")
    return gather_findings(study, folder, done(study, folder))


def test_the_mean_at_a_level_is_over_all_runs_with_it(found):
    table = content.level_table(found, EN)
    shown = {row[1].text: row[2].text for row in table.cells}
    for factor, levels in found.study.levels().items():
        for level in levels:
            values = [row.measures["validation_accuracy"] for row in found.rows if row.levels[factor] == level]
            assert len(values) == 4
            assert shown[level] == f"{np.mean(values):.4f}"
    best = max(("relu", "tanh"), key=lambda level: float(shown[level]))
    assert [row[1].text for row in table.cells if row[2].bold and row[1].text in ("relu", "tanh")] == [best]


def test_a_variant_is_named_by_all_of_its_levels(found):
    assert content.name_levels(found, "base") == "adam, relu"
    assert content.name_levels(found, "activation=tanh") == "adam, tanh"


def plan(origin, validation, test, name="fast"):
    """Return a plan of one epoch that was right on so many rows."""
    record = EpochRecord(1, 0.5, 0.8, None, validation, 0.001, 1.0, 1, {})
    history = History()
    history.append(record)
    network = SimpleNamespace(layers=(64, 8, 10))
    run = SimpleNamespace(network=network, history=history, chosen=record)
    errors = ErrorAnalysis(Evaluation(100, 0.3, {"accuracy": test}, {"accuracy": (test - 0.05, test + 0.05)}))
    return TrainedPlan(origin, name, "adam", run, None, errors)


def test_the_best_plan_is_that_on_validation_rows_whatever_the_test_rows_say():
    plans = [plan(FOUND, 0.85, 0.7), plan(REGISTERED, 0.8, 0.9)]
    assert choose_best(plans) is plans[0]
    assert choose_best(plans[::-1]) is plans[0]


def test_a_registered_plan_without_validation_rows_is_the_best():
    plans = [plan(FOUND, 0.85, 0.7), plan(REGISTERED, None, 0.6, "best")]
    assert choose_best(plans) is plans[1]


def test_the_table_of_plans_marks_the_best():
    plans = [plan(FOUND, 0.85, 0.7), plan(REGISTERED, None, 0.9)]
    table = content.plan_table(plans, plans[1], EN)
    first, second = ([cell.text for cell in row] for row in table.cells)
    assert first == ["what the study found", "64-8-10", "adam", "1", "1.0", "0.8500", "0.7000", "0.6500 to 0.7500"]
    assert second[0] == "the registered plan “fast”"
    assert second[5] == "–"
    assert [row[0].bold for row in table.cells] == [False, True]


def test_speeds_are_compared_by_their_ratio():
    [row] = content.speed_table([SpeedRow((64, 28, 10), 1318, 0.5, 1.25)], EN).cells
    assert [cell.text for cell in row] == ["64-28-10", "0.500", "1.250", "2.5"]


def test_both_are_timed_on_the_networks_of_the_study(found):
    factor = SimpleNamespace(name="network", levels={"a": {"network.layers": [64, 5, 10]}})
    said = []
    timed = SimpleNamespace(study=SimpleNamespace(factors=[factor]))
    [row] = compare_speed(timed, load_dataset("digits"), said.append)
    assert (row.layers, row.rows) == ((64, 5, 10), 1318)
    assert 0 < row.ours < 60
    assert 0 < row.theirs < 60
    assert said[0].startswith("an epoch of 64-5-10: ")


def test_a_figure_is_drawn_in_every_format(found):
    chart = content.result_chart(found.summaries, "validation_accuracy", EN)
    figure = content.figure_from(chart, "The results")
    begins = {"pdf": b"%PDF-", "png": b"\x89PNG", "svg": b"<?xml"}
    for kind in FORMATS:
        assert figure.draw(kind).startswith(begins[kind])
    assert figure.ratio == pytest.approx(chart.size[0] / chart.size[1])
    assert figure.caption == "The results"
