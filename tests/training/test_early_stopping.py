import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.errors import UsageError
from glassnet.training.early_stopping import EARLY_STOPPING, MONITORS, EarlyStopping, Watch, kept_epoch
from glassnet.training.metrics import METRICS


def watched(rule, values):
    """Return the watch after these values, and which were improvements."""
    watch = Watch(rule)
    return watch, [watch.observe(epoch, value) for epoch, value in enumerate(values, start=1)]


#: Few different numbers, so that equal ones occur, and such as are none.
VALUES = st.lists(
    st.sampled_from([0.0, 0.1, 0.2, 0.30000000000000004, 1.0, -2.5, math.nan, math.inf]), max_size=20
)


def test_a_loss_that_rises_after_its_lowest_value_stops_after_patience():
    watch = Watch(EarlyStopping(patience=2))
    seen = []
    for epoch, loss in enumerate([0.9, 0.5, 0.6, 0.4, 0.4, 0.7], start=1):
        seen.append((watch.observe(epoch, loss), watch.best, watch.best_epoch, watch.waited, watch.stop))
    assert seen == [
        (True, 0.9, 1, 0, False),
        (True, 0.5, 2, 0, False),
        (False, 0.5, 2, 1, False),
        (True, 0.4, 4, 0, False),
        (False, 0.4, 4, 1, False),  # as good is not better
        (False, 0.4, 4, 2, True),
    ]


def test_an_accuracy_improves_by_rising():
    watch, improved = watched(EarlyStopping(patience=2, monitor="accuracy"), [0.5, 0.4, 0.6, 0.6, 0.1])
    assert improved == [True, False, True, False, False]
    assert (watch.best, watch.best_epoch, watch.stop) == (0.6, 3, True)


@pytest.mark.parametrize("monitor", MONITORS)
def test_a_monitor_goes_the_way_its_metric_does(monitor):
    rule = EarlyStopping(monitor=monitor)
    larger = monitor in METRICS and METRICS[monitor].larger_is_better
    assert watched(rule, [1.0, 2.0])[1] == [True, larger]
    assert watched(rule, [1.0, 0.5])[1] == [True, not larger]
    assert rule.metric == (None if monitor.endswith("_loss") and monitor != "log_loss" else monitor)


@pytest.mark.parametrize(("monitor", "sign"), [("validation_loss", -1), ("auc", 1)])
def test_an_improvement_must_exceed_min_delta_and_small_steps_add_up(monitor, sign):
    rule = EarlyStopping(monitor=monitor, min_delta=0.25)
    watch, improved = watched(rule, [sign * value for value in (1.0, 1.25, 1.125, 1.375)])
    assert improved == [True, False, False, True]
    assert watch.best == sign * 1.375


def test_what_is_no_number_is_no_improvement():
    watch, improved = watched(EarlyStopping(patience=3), [math.nan, math.inf, 0.5, math.nan, -math.inf])
    assert improved == [False, False, True, False, False]
    assert (watch.best, watch.waited, watch.stop) == (0.5, 2, False)
    watch, _ = watched(EarlyStopping(patience=2), [math.nan, math.nan])
    assert (watch.best, watch.best_epoch, watch.stop) == (None, 0, True)


@pytest.mark.parametrize(
    ("rule", "values", "planned", "kept"),
    [
        (EarlyStopping(2), [3.0, 1.0, 2.0, 2.0], 9, 2),
        (EarlyStopping(2), [3.0, 1.0, 2.0], 9, None),  # cut short
        (EarlyStopping(2), [3.0, 1.0, 2.0], 3, 2),  # to its end
        (EarlyStopping(2, "accuracy"), [0.1, 0.3, 0.2], 3, 2),
        (EarlyStopping(2, restore_best=False), [3.0, 1.0, 2.0], 3, None),
        (EarlyStopping(2), [None, math.nan], 2, None),
    ],
)
def test_the_epoch_that_was_kept_is_told_by_the_history(rule, values, planned, kept):
    assert kept_epoch(rule, values, planned) == kept


@given(values=VALUES, monitor=st.sampled_from(["validation_loss", "auc"]), patience=st.integers(1, 5))
def test_the_best_epoch_is_the_first_with_the_best_value(values, monitor, patience):
    watch, improved = watched(EarlyStopping(patience, monitor), values)
    finite = [value for value in values if math.isfinite(value)]
    best = (max if monitor == "auc" else min)(finite, default=None)
    assert watch.best == best
    assert watch.best_epoch == (values.index(best) + 1 if finite else 0)
    assert watch.waited == len(values) - watch.best_epoch
    assert watch.stop == (len(values) - watch.best_epoch >= patience)
    assert sum(improved) <= len(set(finite))


@given(values=VALUES, more=VALUES)
def test_a_watch_goes_on_from_its_state_as_json(values, more):
    rule = EarlyStopping(patience=3, min_delta=0.1)
    watch, _ = watched(rule, values)
    text = json.dumps(watch.state_dict(), allow_nan=False)
    other = Watch(rule)
    other.load_state_dict(json.loads(text))
    assert other == watch
    for epoch, value in enumerate(more, start=len(values) + 1):
        assert other.observe(epoch, value) == watch.observe(epoch, value)
        assert (other.state_dict(), other.stop) == (watch.state_dict(), watch.stop)


def test_a_float_of_numpy_is_kept_as_a_plain_one():
    watch, _ = watched(EarlyStopping(), [np.float32(0.1)])
    assert type(watch.best) is float
    assert json.loads(json.dumps(watch.state_dict()))["best"] == float(np.float32(0.1))


@pytest.mark.parametrize(
    "state",
    [
        [],
        {},
        {"best": 0.5, "best_epoch": 1},
        {"best": 0.5, "best_epoch": 1, "waited": 0, "more": 1},
        {"best": "0.5", "best_epoch": 1, "waited": 0},
        {"best": math.nan, "best_epoch": 1, "waited": 0},
        {"best": 0.5, "best_epoch": -1, "waited": 0},
        {"best": 0.5, "best_epoch": 1, "waited": 1.5},
        {"best": None, "best_epoch": 1, "waited": 0},
        {"best": 0.5, "best_epoch": 0, "waited": 3},
    ],
)
def test_another_state_is_refused(state):
    with pytest.raises(ValueError, match="expected"):
        Watch(EarlyStopping()).load_state_dict(state)


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ("patience", EarlyStopping()),
        ("patience(3)", EarlyStopping(3)),
        ("patience(3, auc)", EarlyStopping(3, "auc")),
        (
            "patience(7, monitor=train_loss, min_delta=1e-3, restore_best=False)",
            EarlyStopping(7, "train_loss", 1e-3, False),
        ),
        ("patience(2, min_delta=1)", EarlyStopping(2, min_delta=1)),
    ],
)
def test_a_specification_is_a_rule_and_a_rule_its_specification(spec, rule):
    assert EARLY_STOPPING.resolve(spec) == rule
    assert EARLY_STOPPING.resolve(rule.spec) == rule
    assert EARLY_STOPPING.resolve(rule) is rule


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": 0}, "patience must be a whole number >= 1, got 0"),
        ({"patience": 2.0}, "patience must be a whole number"),
        ({"patience": True}, "patience must be a whole number"),
        ({"monitor": "validation_los"}, "did you mean 'validation_loss'"),
        ({"monitor": "loss"}, "monitor: unknown name 'loss'"),
        ({"monitor": None}, "monitor: unknown name 'None'"),
        ({"min_delta": -0.1}, "min_delta must be a number >= 0, got -0.1"),
        ({"min_delta": math.nan}, "min_delta must be a number >= 0"),
        ({"min_delta": math.inf}, "min_delta must be a number >= 0"),
        ({"min_delta": 10**400}, "min_delta must be a number >= 0"),
        ({"min_delta": "0"}, "min_delta must be a number >= 0"),
        ({"restore_best": 1}, "restore_best must be True or False, got 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(UsageError, match=f"^early_stopping: .*{message}"):
        EarlyStopping(**options)


def test_a_specification_that_cannot_be_read_names_the_option():
    for spec in ("patience(0)", "paitence(3)", "patience(3, 4, 5, 6, 7)", "patience(", 5):
        with pytest.raises(UsageError, match=r"^early_stopping: "):
            EARLY_STOPPING.resolve(spec)


@pytest.mark.parametrize("monitor", MONITORS)
def test_without_validation_rows_only_the_training_loss_can_be_watched(monitor):
    rule = EarlyStopping(monitor=monitor)
    rule.check(1)
    if monitor == "train_loss":
        assert rule.check(0) is None
    else:
        with pytest.raises(UsageError, match=f"^early_stopping: {monitor} is watched on validation rows"):
            rule.check(0)
