"""What `run_study` returns: a list of rows that is drawn, and read by other programs."""

import io

import numpy as np
import pandas
import pytest
from matplotlib.figure import Figure

from glassnet.study.study_rows import StudyRows

FIGURES = {"base": [0.5, 0.6], "optimizer=sgd": [0.8, 0.7], "optimizer=muon": [0.3, None]}
MEASURE = "validation_accuracy"


@pytest.fixture
def rows(make_rows):
    return StudyRows(make_rows(FIGURES))


def test_they_are_a_list(rows):
    assert rows == list(rows)
    assert rows[0].variant == "base"


def test_the_plot_has_the_best_variant_at_the_top_and_the_base_marked(rows):
    axes = rows.plot(Figure().add_subplot())
    assert [label.get_text() for label in axes.get_yticklabels()] == ["optimizer=sgd", "base", "optimizer=muon"]
    assert list(axes.get_lines()[-1].get_xdata()) == [0.55, 0.55]
    assert axes.get_title(loc="left") == "Validation accuracy"
    chinese = rows.plot(Figure().add_subplot(), language="zh")
    assert chinese.get_title(loc="left") == "验证准确率"


def test_other_programs_read_all_runs(rows):
    for found in (rows.to_pandas(), pandas.read_csv(io.StringIO(rows.to_csv()))):
        assert found["variant"].tolist() == [name for name in FIGURES for _ in range(2)]
        assert found["seed"].tolist() == [0, 1] * 3
        assert found["status"].tolist() == ["finished"] * 5 + ["diverged"]
        assert found[MEASURE].tolist()[:5] == [0.5, 0.6, 0.8, 0.7, 0.3]
        assert found[MEASURE].isna().tolist() == [False] * 5 + [True]
    assert StudyRows([]).to_csv() == ""


def test_the_levels_of_factors_are_columns(make_factorial):
    found = StudyRows(make_factorial(np.zeros((1, 2, 2)), {"optimizer": ["adam", "sgd"], "width": ["8", "16"]}))
    assert found.to_pandas()[["optimizer", "width"]].values.tolist() == [
        ["adam", "8"],
        ["adam", "16"],
        ["sgd", "8"],
        ["sgd", "16"],
    ]


def test_a_notebook_shows_a_table_and_no_script(rows):
    text = rows._repr_html_()
    assert text.startswith("<table><caption>Every variant over its seeds</caption>")
    assert text.count("<tr>") == 4
    assert "<td>optimizer=sgd</td><td>2 of 2</td><td>0.7500</td>" in text
    assert "<script" not in text
