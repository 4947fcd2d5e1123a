from pathlib import Path

import numpy as np
import pytest

from glassnet.cli.main import main
from glassnet.locales.catalogue import Words
from glassnet.searches.charts import cost_charts, find_front, sorted_chart
from glassnet.searches.results import plan_text
from glassnet.searches.verdict import describe_search
from glassnet.study.hypothesis_tests import half_interval
from glassnet.study.samples import take_sample
from glassnet.training.config import load_config


def test_the_winner_is_the_best_of_those_that_were_trained_whole(found):
    assert found.winner is max(found.finished, key=lambda one: (one.value, -one.number))
    assert [one.place for one in found.trials] == list(range(1, 13))
    longest = [one.epochs for one in found.trials]
    assert longest == sorted(longest, reverse=True)


def test_intervals_are_those_of_the_validation_rows_and_the_winners_allows_for_the_choice(found):
    one = found.winner
    sample = take_sample([[one.row]], found.measure)
    half = half_interval(sample.errors, 0.05) * sample.scale
    assert one.high - one.low == pytest.approx(min(1, one.value + half) - max(0, one.value - half))
    assert found.low < one.low
    assert found.low <= one.value <= found.high


def test_the_front_is_not_beaten(found):
    costs = [(-one.value, one.seconds, one.size) for one in found.trials]
    for one, cost in zip(found.trials, costs, strict=True):
        beaten = any(np.all(np.array(other) <= cost) and other != cost for other in costs)
        assert one.on_front == (not beaten)
    known = sorted(found.trials, key=lambda one: one.size)
    best = find_front(known, lambda one: one.size, True)
    assert [one.value for one in best] == sorted({one.value for one in best})


def test_the_plan_trains_the_winner_again(found, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    plan = found.folder / "plan.toml"
    assert load_config(plan) == found.plan
    assert plan.read_text() == plan_text(found)
    answer = ["train", "--plan", str(plan), "--run-dir", "again", "--threads", "1", "--no-report", "--json"]
    assert main(answer) == 0
    assert (
        Path("again/model.safetensors").read_bytes()
        == (found.folder / found.winner.row.folder / "model.safetensors").read_bytes()
    )
    capsys.readouterr()
    assert main(["train", "digits", "--plan", str(plan), "--config", str(plan)]) == 2
    assert "leave one of the two out" in capsys.readouterr().err
    assert main(["train", "--plan", "missing.toml"]) == 1
    assert "missing.toml" in capsys.readouterr().err


def test_the_test_rows_are_opened_once_for_the_winner(found):
    assert found.evaluation.variant == found.winner.name
    assert found.evaluation.earlier == ()
    assert found.evaluation.test_rows > 0
    said = describe_search(found, Words("en"))
    assert said[0].startswith(f"Take trial {found.winner.name}: validation accuracy ")
    assert "best of 12 trials on these rows, so this figure is likely too good" in said[1]
    assert said[2].startswith("The test rows were opened once, for it alone: ")


def test_tables_and_charts_have_every_trial(found):
    lines = found.to_csv().splitlines()
    assert len(lines) == 13
    assert lines[0].startswith("place,trial,epochs,status,low,high,")
    assert len(found.to_pandas()) == 12
    assert repr(found).startswith("SearchResult(12 trials, take #")
    assert [len(curve.x) for curve in sorted_chart(found, Words("en")).curves] == [2, 10]
    for chart in cost_charts(found, Words("zh")):
        dots, line = chart.curves
        assert (len(dots.x), dots.dots, line.dots) == (12, True, False)
        assert chart.draw().strokes[0].dots
    axes = found.plot(language="zh")
    assert len(axes.get_yticks()) == 2
