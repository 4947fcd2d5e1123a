"""What the variants of a study reached, as a table and as a chart."""

import io

import pandas
import pytest

from glassnet.locales.catalogue import Words
from glassnet.study.result_table import MOST_SHOWN, difference_chart, result_chart, result_table
from glassnet.study.statistics import compare, summarise

FIGURES = {"base": [0.5, 0.6], "optimizer=sgd": [0.8, 0.7], "optimizer=muon": [0.3, 0.4]}
MEASURE = "validation_accuracy"


def test_the_chart_has_means_intervals_and_seeds(make_rows):
    rows = make_rows(FIGURES)
    chart = result_chart(summarise(rows, MEASURE), MEASURE, Words("en"))
    best, *_ = chart.intervals
    found = next(one for one in summarise(rows, MEASURE) if one.variant == "optimizer=sgd")
    assert best == ("optimizer=sgd", found.mean, found.low, found.high, (0.8, 0.7), None)


def test_the_differences_to_the_base_are_a_chart_too_the_best_at_the_top(make_rows):
    for measure, better in ((MEASURE, "Above"), ("validation_loss", "Below")):
        rows = make_rows({"base": [0.5, 0.6], "more": [0.7, 0.9], "less": [0.3, 0.3]}, measure)
        compared = {one.variant: one for one in compare(rows, "base", measure)}
        chart = difference_chart(list(compared.values()), measure, Words("en"))
        assert [one.label for one in chart.intervals] == (
            ["more", "less"] if measure == MEASURE else ["less", "more"]
        )
        one = next(one for one in chart.intervals if one.label == "more")
        assert (one.mean, one.values) == (pytest.approx(0.25), pytest.approx((0.2, 0.3)))
        assert (one.low, one.high) == (compared["more"].low, compared["more"].high)
        assert (chart.mark, chart.note) == ((0.0, "base"), f"{better} 0 is better than the base.")


def test_of_a_loss_the_lowest_stands_first_and_of_many_variants_the_base_is_shown(make_rows):
    losses = {"base": [99.0]} | {f"v{n:02d}": [50.0 - n] for n in range(MOST_SHOWN + 5)}
    rows = make_rows(losses, "validation_loss")
    chart = result_chart(summarise(rows, "validation_loss"), "validation_loss", Words("en"))
    names = [one.label for one in chart.intervals]
    assert names[0] == f"v{MOST_SHOWN + 4:02d}"
    assert (len(names), names[-1]) == (MOST_SHOWN + 1, "base")
    assert chart.note.endswith(f"{MOST_SHOWN + 1} in all.")
    assert chart.mark == (99.0, "base")


def test_the_table_for_programs_has_all_digits(make_rows):
    rows = make_rows(FIGURES, flops=dict.fromkeys(FIGURES, 2e9))
    found = summarise(rows, MEASURE)
    table = result_table(found, MEASURE, "optimizer=sgd", Words("zh"))
    read = pandas.read_csv(io.StringIO(table.to_csv()))
    assert read["variant"].tolist() == [one.variant for one in found]
    for name, column in (("mean", MEASURE), ("low", "low"), ("std", "std"), ("flops", "flops")):
        assert read[column].tolist() == [getattr(one, name) for one in found]
    assert "2 GFLOP" in table.to_latex()
    assert r"\textbf{optimizer=sgd}" in table.to_latex()
