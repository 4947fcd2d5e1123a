"""What `run_study` returns: a list of rows that is drawn, and read by other programs."""

import io

import pandas
import pytest
from matplotlib.figure import Figure

from glassnet.locales.catalogue import Words
from glassnet.study.result_table import MOST_SHOWN, result_chart, result_table
from glassnet.study.results import Row
from glassnet.study.statistics import summarise
from glassnet.study.study_rows import StudyRows

MEASURE = "validation_accuracy"


def row(variant, seed, value, **options):
    level = variant.partition("=")[2] or "adam"
    measures = {} if value is None else {MEASURE: value}
    return Row(variant, {"optimizer": level}, seed, "finished", measures, seconds=1.5, flops=2e9, **options)


@pytest.fixture
def rows():
    values = {"base": [0.5, 0.6], "optimizer=sgd": [0.8, 0.7], "optimizer=muon": [0.3, 0.4]}
    return StudyRows([row(name, seed, value) for name, some in values.items() for seed, value in enumerate(some)])


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


def test_the_chart_has_means_intervals_and_seeds(rows):
    chart = result_chart(summarise(rows, MEASURE), MEASURE, Words("en"))
    best, *_ = chart.intervals
    found = next(one for one in summarise(rows, MEASURE) if one.variant == "optimizer=sgd")
    assert best == ("optimizer=sgd", found.mean, found.low, found.high, (0.8, 0.7))
    lowest = result_chart(summarise(rows, "seconds"), "seconds", Words("en"))
    assert [one.mean for one in lowest.intervals] == [1.5] * 3


def test_of_a_loss_the_lowest_stands_first_and_of_many_variants_the_base_is_shown():
    some = [row("base", 0, None)] + [row(f"optimizer=o{n:02d}", 0, None) for n in range(MOST_SHOWN + 5)]
    losses = [Row(**vars(one) | {"measures": {"validation_loss": 9.0 - n}}) for n, one in enumerate(some)]
    chart = result_chart(summarise(losses, "validation_loss"), "validation_loss", Words("en"))
    names = [one.label for one in chart.intervals]
    assert names[0] == f"optimizer=o{MOST_SHOWN + 4:02d}"
    assert (len(names), names[-1]) == (MOST_SHOWN + 1, "base")
    assert chart.note.endswith(f"{MOST_SHOWN + 1} in all.")


def test_other_programs_read_all_runs(rows):
    rows.append(row("optimizer=muon", 2, None, problem="it diverged"))
    for found in (rows.to_pandas(), pandas.read_csv(io.StringIO(rows.to_csv()))):
        assert found["optimizer"].tolist() == ["adam", "adam", "sgd", "sgd", "muon", "muon", "muon"]
        assert found["seed"].tolist() == [0, 1, 0, 1, 0, 1, 2]
        assert found[MEASURE].tolist()[:6] == [0.5, 0.6, 0.8, 0.7, 0.3, 0.4]
        assert found[MEASURE].isna().tolist() == [False] * 6 + [True]
        assert found["problem"].tolist()[-1] == "it diverged"
    assert StudyRows([]).to_csv() == ""


def test_a_notebook_shows_a_table_and_no_script(rows):
    text = rows._repr_html_()
    assert text.startswith("<table><caption>Every variant over its seeds</caption>")
    assert text.count("<tr>") == 4
    assert "<td>optimizer=sgd</td><td>2 of 2</td><td>0.7500</td>" in text
    assert "<script" not in text


def test_the_table_for_programs_has_all_digits(rows):
    found = summarise(rows, MEASURE)
    table = result_table(found, MEASURE, "optimizer=sgd", Words("zh"))
    read = pandas.read_csv(io.StringIO(table.to_csv()))
    assert read["variant"].tolist() == [one.variant for one in found]
    for name, column in (("mean", MEASURE), ("low", "low"), ("std", "std"), ("flops", "flops")):
        assert read[column].tolist() == [getattr(one, name) for one in found]
    assert "2 GFLOP" in table.to_latex()
    assert r"\textbf{optimizer=sgd}" in table.to_latex()
