"""A published table repeated: the verdict on each row, orders, and studies that watch the test rows."""

import json
import tomllib

import numpy as np
import pytest
from tests.loops import for_each
from tests.reproductions.publications import TANH, by_seed, come_along, diagnosed, outcome, printed, publish
from tests.study.studies import listed, points

from glassnet.data.registry import load_dataset
from glassnet.errors import DataError, UsageError
from glassnet.reproductions.publication import Figure, PrintedRow
from glassnet.reproductions.reproduce import compare_orders, compare_rows, reproduce
from glassnet.reproductions.verdicts import NOT, REPRODUCED, SAME
from glassnet.study.results import DIVERGED, FAILED
from glassnet.study.specification import study_of
from glassnet.training.config import configure
from glassnet.training.metrics import evaluate
from glassnet.training.model_file import load_model
from glassnet.training.run import load_data, resume, run
from glassnet.training.run_folder import RunFolder

#: What is printed is 5, and 4 to 6 counts as the same.
LOSS = {"quantity": "train_loss", "printed": 5.0, "low": 4.0, "high": 6.0}
ACCURACY = {"quantity": "validation_accuracy", "printed": 0.5, "low": 0.4, "high": 0.6}


def compare(behaviour, figures, *outcomes):
    row = {"variant": "base", "table": "one", "label": "a", "behaviour": behaviour, "figures": figures}
    [found] = compare_rows(printed(row), by_seed(*outcomes))
    return found


def losses(*last):
    """Runs that learn, and end with these losses."""
    return [outcome(seed=seed, train_loss=[9.0, 8.0, loss]) for seed, loss in enumerate(last)]


@for_each(
    "behaviour, runs, verdict, ours",
    [
        ("", losses(5.0), REPRODUCED, "learns"),
        ("learns", losses(4.5, 5.5, 5.0), REPRODUCED, "learns"),
        ("learns", losses(4.0), REPRODUCED, "learns"),  # at either limit
        ("learns", losses(6.0), REPRODUCED, "learns"),
        ("learns", losses(3.9), SAME, "learns"),
        ("learns", losses(6.1), SAME, "learns"),
        ("learns", losses(1.0, 9.0, 5.0), REPRODUCED, "learns"),  # the mean decides
        ("", losses(3.0), NOT, "learns"),  # nothing is printed that could be the same
        ("fails", losses(5.0), NOT, "learns"),
        ("oscillates", losses(5.0), NOT, "learns"),
        ("fails", [outcome(train_loss=[11.0, 12.0])], SAME, "fails"),
        ("learns", [outcome(status=DIVERGED, train_loss=[5.0])], NOT, "fails"),
        ("fails", [outcome(status=DIVERGED, train_loss=[5.0])], SAME, "fails"),  # it has no figure
        ("", [outcome(status=DIVERGED)], NOT, "fails"),
        # the mean of the runs that are left is not what is printed
        ("learns", [*losses(5.0, 5.0), outcome(seed=2, status=DIVERGED)], SAME, "learns"),
        ("", [*losses(5.0, 5.0), outcome(seed=2, status=FAILED)], NOT, "learns"),
        # most of the runs say how ours behave; one that was lost has no say
        ("learns", [*losses(5.0), *(outcome(seed=s, status=DIVERGED) for s in (1, 2))], NOT, "fails"),
        ("fails", [outcome(status=FAILED)], NOT, ""),
        ("", [outcome(status=FAILED)], NOT, ""),
        ("learns", [*losses(5.0), *(outcome(seed=s, status=FAILED) for s in (1, 2))], SAME, "learns"),
        ("learns", [], NOT, ""),
    ],
)
def test_verdicts(behaviour, runs, verdict, ours):
    found = compare(behaviour, [LOSS], *runs)
    assert (found.verdict, found.behaviour) == (verdict, ours)
    assert found.same_behaviour == (behaviour in ("", ours))


def test_every_figure_of_a_row_counts():
    runs = [outcome(train_loss=[5.0], validation_accuracy=[value]) for value in (0.5, 0.7)]
    assert compare("", [LOSS, ACCURACY], runs[0]).verdict == REPRODUCED
    found = compare("", [LOSS, ACCURACY], runs[1])
    assert found.verdict == NOT
    assert [one.inside for one in found.comparisons] == [True, False]
    assert compare("learns", [LOSS, ACCURACY], runs[1]).verdict == SAME


@for_each(
    "figure, columns, mean, best, ours",
    [
        (LOSS, {"train_loss": [[9.0, 3.0], [9.0, 6.0]]}, 4.5, 3.0, 4.5),  # of a loss the best is the smallest
        ({**LOSS, "seeds": "best"}, {"train_loss": [[9.0, 3.0], [9.0, 6.0]]}, 4.5, 3.0, 3.0),
        ({**LOSS, "epoch": "best"}, {"train_loss": [[2.0, 3.0], [4.0, 6.0]]}, 3.0, 2.0, 3.0),
        (ACCURACY, {"validation_accuracy": [[0.9, 0.3], [0.8, 0.5]]}, 0.4, 0.5, 0.4),
        ({**ACCURACY, "seeds": "best"}, {"validation_accuracy": [[0.9, 0.3], [0.8, 0.5]]}, 0.4, 0.5, 0.5),
        (
            {**ACCURACY, "seeds": "best", "epoch": "best"},
            {"validation_accuracy": [[0.9, 0.3], [0.8, 0.5]]},
            0.85,
            0.9,
            0.9,
        ),
    ],
)
def test_seeds_and_epochs_are_taken_as_the_source_takes_them(figure, columns, mean, best, ours):
    [(name, lists)] = columns.items()
    runs = [outcome(seed=seed, **{name: values}) for seed, values in enumerate(lists)]
    [one] = compare("", [figure], *runs).comparisons
    assert (one.mean, one.best, one.ours) == pytest.approx((mean, best, ours))
    assert one.inside == (figure["low"] <= ours <= figure["high"])
    assert (list(one.seeds), one.of) == ([0, 1], 2)


def test_the_best_of_several_runs_needs_no_others():
    runs = [*losses(9.0, 5.0), outcome(seed=2, status=DIVERGED)]
    [one] = compare("", [{**LOSS, "seeds": "best"}], *runs).comparisons
    assert (one.inside, one.complete, len(one.seeds), one.of) == (True, True, 2, 3)
    [one] = compare("", [{**LOSS, "low": 0.0, "high": 10.0}], *runs).comparisons
    assert (one.inside, one.within, one.complete) == (False, True, False)
    [one] = compare("", [LOSS]).comparisons
    assert (one.mean, one.best, one.ours, one.inside) == (None, None, None, False)


def test_health_is_told_by_frequency():
    runs = [
        outcome(seed=0, kinds=["dead-units"], train_loss=[5.0]),
        outcome(seed=1, kinds=["exploding-signal", "dead-units"], train_loss=[5.0]),
    ]
    runs[1].row.health.append(diagnosed("over-fitting", "", sick=False))
    assert compare("", [LOSS], *runs).health == ["dead-units", "exploding-signal"]


def order_of(**seeds):
    """Compare an order of variants a, b, c by their last losses, one a seed."""
    runs = [
        outcome(name, seed, *(["diverged"] if value is None else []), train_loss=[] if value is None else [value])
        for name, values in seeds.items()
        for seed, value in enumerate(values)
    ]
    order = {"text": {"en": "it rises", "zh": "依次升高"}, "quantity": "train_loss", "variants": list(seeds)}
    row = {"variant": "a", "table": "t", "label": "l", "figures": [LOSS]}
    [found] = compare_orders(printed(row, orders=[order]), by_seed(*runs))
    return found


def test_orders():
    found = order_of(a=[1.0, 2.0], b=[2.0, 1.0], c=[5.0, 6.0])
    assert (found.means, found.holds, found.seeds, found.of) == (
        [1.5, 1.5, 5.5],
        False,
        1,
        2,
    )  # a tie does not rise
    found = order_of(a=[1.0, 2.0], b=[3.0, 1.5], c=[5.0, 6.0])
    assert (found.means, found.holds, found.seeds, found.of) == ([1.5, 2.25, 5.5], True, 1, 2)
    found = order_of(a=[5.0, 5.0], b=[4.0, 4.0])
    assert (found.holds, found.seeds, found.of) == (False, 0, 2)
    found = order_of(a=[1.0, 1.0], b=[2.0, None])
    assert (found.means, found.holds, found.seeds, found.of) == ([1.0, 2.0], True, 1, 1)
    found = order_of(a=[1.0, 1.0], b=[None, None], c=[3.0, 3.0])
    assert (found.means, found.holds, found.seeds, found.of) == ([1.0, None, 3.0], False, 0, 0)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A publication of seconds that comes along, with a factorial."""
    data = points(tmp_path)
    factors = {"optimizer": {"levels": ["adam", "sgd(0.1)"]}, "activation": {"levels": ["relu", "tanh"]}}
    values = tomllib.loads(listed({"tanh": TANH}, data, seeds=1).text)
    values = {key: values[key] for key in ("base", "seeds")}
    values["base"]["training"]["epochs"] = 1
    factorial = study_of({**values, "name": "tiny-factors", "design": "factorial", "factors": factors})
    come_along(monkeypatch, publish(tmp_path / "published", data, seeds=1, factorial=factorial))
    return tmp_path


def test_a_table_is_repeated_and_a_second_call_repeats_no_run(tiny):
    found = reproduce("tiny", tiny / "again", workers=1, progress=False)
    assert found.publication.title["zh"] == "一张小表"
    assert found.studies == ["study", "factorial"]
    assert {name: list(runs) for name, runs in found.outcomes.items()} == {"base": [0], "tanh": [0]}
    assert found.facts is None  # of the report only
    assert found.failed == []
    base, tanh = found.rows
    folder = RunFolder(tiny / "again" / "study" / found.outcomes["base"][0].row.folder)
    assert base.comparisons[0].mean == folder.history().last.train_loss
    assert base.verdict == (REPRODUCED if base.behaviour == "learns" else NOT)
    model = load_model(tiny / "again" / "study" / found.outcomes["tanh"][0].row.folder)
    data = load_data(folder.config())
    assert tanh.comparisons[0].mean == np.mean(model.predict(data.test.X) == data.test.y)
    assert tanh.verdict == NOT  # an accuracy of 1.5 is out of reach
    [order] = found.orders
    assert order.holds == (order.means[0] < order.means[1])
    assert {source.kind for source in found.together.sources} <= {"seed", "main", "interaction", "residual"}
    assert len(list((tiny / "again" / "factorial" / "rows").iterdir())) == 4
    files = [*(tiny / "again").rglob("*.json"), *(tiny / "again").rglob("*.safetensors")]
    before = {path: path.stat().st_mtime_ns for path in files if path.name != "study.json"}
    again = reproduce("tiny", tiny / "again", workers=1, progress=False)
    assert [one.verdict for one in again.rows] == [one.verdict for one in found.rows]
    assert again.outcomes == found.outcomes
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_an_unknown_table_leaves_no_folder(tiny):
    with pytest.raises(UsageError, match=r"publication: unknown name 'tinyy'; did you mean 'tiny'\?"):
        reproduce("tinyy", tiny / "again")
    assert not (tiny / "again").exists()


def test_a_figure_and_a_row_are_values():
    figure = Figure(**LOSS)
    assert PrintedRow(variant="a", table="t", label="l", figures=(figure,)).figures[0] == figure


# validation = "test"


def watching(epochs):
    return configure(
        {
            "data": {"dataset": "digits", "validation": "test"},
            "network": {"layers": [64, 12, 10]},
            "training": {"epochs": epochs, "kernels": "numpy", "threads": 1},
        }
    )


def test_a_run_that_watches_the_test_rows_is_kept_and_gone_on_with(tmp_path):
    config = watching(2)
    data = load_data(config)
    done = run(config, data, run_dir=tmp_path / "run", progress=False)
    folder = RunFolder(tmp_path / "run")
    assert folder.config().data.validation == "test"
    text = (tmp_path / "run" / "config.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["data"]["validation"] == "test"
    assert done.history.last.validation_accuracy == evaluate(done.network, data).accuracy
    further = resume(tmp_path / "run", epochs=4, progress=False)
    assert further.config.data.validation == "test"
    assert further.history.last.validation_accuracy == evaluate(further.network, data).accuracy
    whole = run(watching(4), data, run_dir=tmp_path / "whole", progress=False)
    np.testing.assert_array_equal(further.network.theta, whole.network.theta)
    with pytest.raises(DataError, match=r"split otherwise than the run's \(validation: test, split_seed: 0\)"):
        resume(tmp_path / "run", load_dataset("digits", validation=0), epochs=5, progress=False)


@for_each("word", ["train", "tests", "validation", "last", "last(1.5)", "first(3)", ""])
def test_no_other_word_is_taken(word):
    with pytest.raises(UsageError, match=r"^data\.validation: "):
        configure({"data": {"dataset": "digits", "validation": word}})
    values = json.loads(json.dumps({"name": "s", "seeds": 1, "design": "list"}))
    values |= {
        "base": {"data": {"dataset": "digits", "validation": word}},
        "variants": [{"name": "tanh", "changes": TANH}],
    }
    with pytest.raises(UsageError, match=r"validation: "):
        study_of(values)
