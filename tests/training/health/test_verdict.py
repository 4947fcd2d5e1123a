"""A network is sick by what it leaves unlearned and by how far it is behind, at each threshold and just beyond."""

import pytest
from tests.training.health.made import CLASSES, evidence, history, network, trials, vitals

from glassnet.training.health.evidence import Baseline, Divergence
from glassnet.training.health.verdict import has_learned, is_behind, is_doubtful, is_early, is_sick, is_single

LOST = Divergence(7, 1)


@pytest.mark.parametrize(
    ("loss", "wrong", "doubtful"),
    [
        (0.1, None, True),
        (0.099, None, False),
        (0.25, 0.1, True),  # a quarter of 0.4, as often as the best constant answer is wrong
        (0.249, 0.1, False),
        (0.25, 0.099, False),
        (0.1, 0.4, False),
    ],
)
def test_what_needs_an_explanation(loss, wrong, doubtful):
    base = {} if wrong is None else {"baseline": CLASSES}
    assert is_doubtful(evidence(vitals(100, loss, wrong=wrong), **base)) == doubtful


@pytest.mark.parametrize(
    ("step", "others", "early"),
    [(0, {}, False), (1, {}, True), (49, {}, True), (50, {}, False), (49, {"divergence": LOST}, False)],
)
def test_what_is_too_early(step, others, early):
    assert is_early(evidence(vitals(0, 1.0), vitals(step, 0.9), **others)) == early


@pytest.mark.parametrize(
    ("step", "loss", "others", "sick"),
    [
        (100, 0.5, {}, True),  # while it trains, by what is left alone
        (100, 0.499, {}, False),
        (49, 0.9, {}, False),
        (0, 0.5, {}, True),
        (0, 0.499, {}, False),
        (49, 0.01, {"divergence": LOST}, True),
        (100, 1.101, {"trials": (0.2, 0.2)}, True),
        (100, 1.099, {"trials": (0.2, 0.2)}, False),
        (100, 0.3, {"trials": (0.9, 0.2)}, True),
        (100, 0.09, {"trials": (0.9, 0.2)}, False),  # no doubt, and nothing is compared
        (0, 0.5, {"trials": (0.2, 0.2)}, True),
    ],
)
def test_a_network_is_sick(step, loss, others, sick):
    if "trials" in others:
        others = {"trials": trials(*others["trials"], steps=50)}
    assert is_sick(evidence(vitals(0, 1.0), vitals(step, loss), **others)) == sick


def behind(ended, reference, *, falls=False, steps=50, after=(), step=100, **options):
    losses = (1.0, 1.0, 0.8) if falls else (1.0, 0.8, 0.8)
    seen = [vitals(n, loss) for n, loss in zip((0, 0.6 * step, step), losses, strict=True)]
    return is_behind(evidence(*seen, trials=trials(ended, reference, steps=steps, after=after)), **options)


@pytest.mark.parametrize(
    ("ended", "reference", "found"),
    [
        (0.301, 0.2, True),  # a tenth behind 0.8
        (0.299, 0.2, False),
        (0.881, 0.8, True),  # two fifths behind 0.2, which is less
        (0.879, 0.8, False),
        (0.9, (0.8, 2.0), False),  # a reference that may be better by chance only
        ((0.9, 9.0), (0.8, 9.0), False),  # or that may be no better than a constant answer
        ((0.35, 1.0), 0.2, False),  # it may be worse by chance only
    ],
)
def test_a_network_is_behind_by_a_tenth_or_two_fifths(ended, reference, found):
    assert behind(ended, reference) == found


def test_chance_is_left_out_where_that_is_asked():
    assert behind((0.35, 1.0), 0.2, beyond_chance=False)
    assert not is_behind(evidence(vitals()))


@pytest.mark.parametrize(
    ("ended", "falls", "found"),
    [
        (0.6, True, False),
        (0.6, False, True),
        (0.61, True, True),
        (0.61, False, True),
    ],
)
def test_half_way_is_enough_while_the_loss_still_falls(ended, falls, found):
    assert behind(ended, 0.2, falls=falls) == found


@pytest.mark.parametrize(
    ("step", "after", "found"),
    [
        (100, 0.49, False),  # a longer trial gains half of what lacks: it gains 0.51, between 0.2 and 0.8
        (100, 0.51, True),
        (299, 0.49, False),
        (300, 0.49, True),  # the run was no shorter than a trial
    ],
)
def test_a_longer_trial_shows_that_time_is_all_that_lacks(step, after, found):
    assert behind(0.8, 0.2, steps=300, after=[({}, after)], step=step) == found


@pytest.mark.parametrize(
    ("step", "falls", "found"), [(50, True, False), (74, True, False), (75, True, True), (50, False, True)]
)
def test_a_run_whose_loss_falls_is_given_time_where_a_trial_would_cost_much_more(step, falls, found):
    assert behind(0.8, 0.2, steps=300, after=[({}, 0.79)], step=step, falls=falls) == found


def test_little_behind_a_trial_has_to_reach_what_is_enough():
    """It gains 0.65 where 0.7 of 0.8 is enough; the half of the way, 0.725, is more than that."""
    for after, found in ((0.299, False), (0.301, True)):
        assert behind(0.35, 0.2, steps=300, after=[({}, after)]) == found


@pytest.mark.parametrize(
    ("base", "single"),
    [
        (Baseline((0.5,), 1e-3, 1e-3, 0, 1), True),
        (Baseline((0.5,), 1.0000001, 1.0, 0, 1), False),
        (Baseline((0.5,), 1.0, 0.0, 1, 1), True),
        (Baseline((1.0, 1.0), 1.0, 0.0, 1, 1), False),
        (Baseline((0.0, 1.0), 0.0, 0.0, 0, 1), True),
    ],
)
def test_targets_that_are_all_one(base, single):
    assert is_single(evidence(vitals(), baseline=base)) == single


@pytest.mark.parametrize(("losses", "learned"), [([1.0], False), ([1.0, 0.2, 0.91], False), ([1.0, 0.89], True)])
def test_what_an_epoch_learned_is_seen_beside_the_first(losses, learned):
    assert has_learned(list(history(losses))) == learned


def test_classes_that_are_seldom_wrong_on_validation_rows_are_no_doubt():
    net = network("relu", layers=(2, 4, 4, 2), loss="cross_entropy")
    for accuracy, doubtful in ((0.899, True), (0.901, False)):
        seen = history([0.5], [0.5], train_accuracy=[0.5], validation_accuracy=[accuracy])
        found = evidence(vitals(100, 0.5, wrong=0.4), net=net, baseline=CLASSES, history=seen)
        assert is_doubtful(found) == doubtful
