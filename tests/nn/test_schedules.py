import json
import math
from dataclasses import FrozenInstanceError, dataclass, fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.loops import for_each

from glassnet.errors import DataError, UsageError
from glassnet.nn.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    CosLog,
    Exponential,
    FlatCosine,
    OneCycle,
    Plateau,
    Schedule,
    ScheduleState,
    Step,
)

NAMES = sorted(SCHEDULES)


def walk(schedule, total, per_epoch=1, state=None):
    """Return the factors of a whole run."""
    return schedule.factors(np.arange(1, total + 1), total, per_epoch, state or schedule.start())


def watched(schedule, values):
    """Return the factor in force during each epoch of one step, the values being observed at their ends."""
    state, factors = schedule.start(), []
    for epoch, value in enumerate(values, 1):
        factors.append(schedule.factors(np.array([epoch]), len(values), 1, state).item())
        schedule.observe(state, value)
    return factors


def test_the_registered_names():
    assert NAMES == [
        "constant",
        "cosine",
        "coslog",
        "exponential",
        "flat_cosine",
        "one_cycle",
        "plateau",
        "step",
    ]


# Values from PyTorch 2.13's schedulers, learning rate 1, the rate before each scheduler.step()

TORCH = {
    "StepLR(step_size=3, gamma=0.5)": (
        Step(every=3, factor=0.5),
        [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125],
    ),
    "ExponentialLR(gamma=0.9)": (
        Exponential(0.9),
        [1.0, 0.9, 0.81, 0.7290000000000001, 0.6561000000000001, 0.5904900000000002],
    ),
    "CosineAnnealingLR(T_max=10, eta_min=0.1)": (
        Cosine(final=0.1),
        [
            1.0, 0.9779754323328191, 0.9140576474687263, 0.8145033635316129, 0.6890576474687263, 0.55,
            0.41094235253127376, 0.2854966364683872, 0.18594235253127372, 0.12202456766718092,
        ],
    ),
    "CosineAnnealingLR(T_max=6)": (
        Cosine(),
        [1.0, 0.9330127018922194, 0.75, 0.5, 0.2500000000000001, 0.06698729810778065],
    ),
    "LinearLR(start_factor=0.25, total_iters=3), then CosineAnnealingLR(T_max=6)": (
        Cosine(warmup=4),
        [0.25, 0.5, 0.75, 1.0, 1.0, 0.9330127018922194, 0.75, 0.5, 0.2500000000000001, 0.06698729810778065],
    ),
    "OneCycleLR(total_steps=10)": (
        OneCycle(),
        [
            0.040000000000000036, 0.52, 1.0, 0.9504846320134737, 0.8117456539497631, 0.6112620219362893,
            0.38874197806371075, 0.18825834605023697, 0.049519367986526286, 4e-06,
        ],
    ),
    "OneCycleLR(total_steps=8, pct_start=0.5, div_factor=10, final_div_factor=100)": (
        OneCycle(warmup=0.5, initial=0.1, final=0.001),
        [
            0.09999999999999998, 0.32499999999999996, 0.7749999999999999, 1.0, 0.8536998372026805, 0.5005,
            0.14730016279731956, 0.001,
        ],
    ),
}  # fmt: skip


@for_each("case", TORCH)
def test_the_factors_are_those_of_an_independent_implementation(case):
    schedule, expected = TORCH[case]
    np.testing.assert_allclose(walk(schedule, len(expected)), expected, rtol=1e-13)


def test_plateau_falls_when_pytorchs_does():
    """ReduceLROnPlateau(factor=0.5, patience=2, threshold=1e-4) on the same values."""
    values = [1.0, 0.9, 0.95, 0.91, 0.9, 0.89999, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.4]
    expected = [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]
    assert watched(Plateau(factor=0.5, patience=2), values) == expected


# By hand


def test_constant_is_one_everywhere():
    assert walk(Constant(), 5).tolist() == [1, 1, 1, 1, 1]


def test_step_falls_at_the_first_step_of_an_epoch():
    np.testing.assert_allclose(
        walk(Step(every=2, factor=0.1), 15, per_epoch=3), [1] * 6 + [0.1] * 6 + [0.01] * 3, rtol=1e-14
    )


def test_exponential_falls_step_by_step_and_by_its_factor_an_epoch():
    factors = walk(Exponential(0.81), 5, per_epoch=2)
    np.testing.assert_allclose(factors, [1, 0.9, 0.81, 0.729, 0.6561], rtol=1e-14)


def test_cosine_is_half_way_in_the_middle_and_near_its_end_at_the_last_step():
    factors = walk(Cosine(final=0.2), 1000)
    assert factors[0] == 1
    assert factors[500] == pytest.approx(0.6, rel=1e-12)
    assert factors[-1] == pytest.approx(0.2 + 0.8 * (math.pi / 1000) ** 2 / 4, rel=1e-8)


def test_coslog_is_0_and_1_where_its_waves_begin_and_are_highest():
    """log2(1 + 15 t) is whole at t = 0, 1/15, 3/15 and 7/15, and k + 1/2 at t = (2^(k + 1/2) - 1) / 15."""
    waves = CosLog()
    for begin in (0, 1, 3, 7):
        assert waves.decay(0, begin / 15) == pytest.approx(0, abs=1e-15)
    for k in range(4):
        assert waves.decay(0, (2 ** (k + 0.5) - 1) / 15) == pytest.approx(1, abs=1e-12)
    assert waves.decay(0, 0.5) == pytest.approx((1 - np.cos(2 * np.pi * np.log2(8.5))) / 2, abs=1e-12)
    assert CosLog(cycles=1).decay(0, np.sqrt(2) - 1) == pytest.approx(1, abs=1e-12)


def test_flat_cosine_is_flat_and_then_a_cosine():
    flat = FlatCosine(flat=0.6, final=0.1)
    assert walk(flat, 10)[:7].tolist() == [1.0] * 7
    np.testing.assert_allclose(walk(flat, 10)[6:], walk(Cosine(final=0.1), 4), rtol=1e-12)
    np.testing.assert_array_equal(walk(FlatCosine(flat=0.0), 9), walk(Cosine(), 9))
    warmed = walk(FlatCosine(warmup=4), 12)
    assert warmed[:8].tolist() == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]


def test_one_cycle_has_its_ends_and_its_peak_exactly():
    factors = walk(OneCycle(warmup=0.25, initial=0.1, final=0.01), 101)
    assert (factors[0], factors[24], factors[-1]) == (0.1, 1.0, 0.01)
    assert factors.argmax() == 24
    assert factors[12] == pytest.approx(0.55)  # half-way up: (0.1 + 1) / 2
    assert factors[62] == pytest.approx(0.505)  # half-way down: (1 + 0.01) / 2
    assert (np.diff(factors[:25]) > 0).all()
    assert (np.diff(factors[24:]) < 0).all()


@pytest.mark.parametrize(
    ("warmup", "expected"),
    [(0, [1.0, 0.01]), (1, [1.0, 0.01]), (2, [0.1, 1.0]), (1.0, [0.1, 1.0])],
)
def test_one_cycle_in_two_steps(warmup, expected):
    assert walk(OneCycle(warmup=warmup, initial=0.1, final=0.01), 2).tolist() == expected


@for_each("name", NAMES)
def test_a_run_of_one_step_takes_it_at_the_whole_learning_rate(name):
    found = walk(SCHEDULES.resolve(name), 1).tolist()
    assert found == [1.0 if name != "coslog" else (1 - math.cos(2 * math.pi * math.log2(8.5))) / 2]


def test_a_warm_up_rises_by_the_same_amount_a_step_and_multiplies_the_decay():
    np.testing.assert_allclose(walk(Constant(warmup=5), 7), [0.2, 0.4, 0.6, 0.8, 1, 1, 1], rtol=1e-15)
    np.testing.assert_allclose(walk(Constant(warmup=0.5), 8), [0.25, 0.5, 0.75, 1, 1, 1, 1, 1], rtol=1e-15)
    # Epochs are counted from the beginning of the run: 1/3, 2/3, then 1 in the second epoch's half.
    np.testing.assert_allclose(
        walk(Step(1, 0.5, warmup=3), 6, per_epoch=2), [1 / 3, 2 / 3, 0.5, 0.5, 0.25, 0.25], rtol=1e-15
    )


def test_a_warm_up_of_one_is_a_step_and_of_1_0_the_whole_run():
    assert Cosine(warmup=1).warmup_steps(40) == 1
    assert Cosine(warmup=1.0).warmup_steps(40) == 40
    assert Cosine(warmup=0).warmup_steps(40) == 0
    assert walk(Cosine(warmup=1.0), 4).tolist() == [0.25, 0.5, 0.75, 1.0]


def test_a_warm_up_longer_than_the_run_is_refused():
    with pytest.raises(UsageError, match=r"^warmup: of 11 steps is longer than the run, which has 10$"):
        walk(Cosine(warmup=11), 10)


# Plateau


def test_plateau_bears_as_many_bad_epochs_as_its_patience():
    assert watched(Plateau(0.5, patience=0), [1, 1, 1, 1]) == [1, 1, 0.5, 0.25]
    assert watched(Plateau(0.5, patience=1), [1, 1, 1, 1, 1, 1]) == [1, 1, 1, 0.5, 0.5, 0.25]
    assert watched(Plateau(0.5, patience=1), [1, 1, 0.5, 0.5, 0.4, 0.4]) == [1] * 6


@pytest.mark.parametrize(("best", "just_not", "just"), [(2.0, 1.81, 1.79), (-2.0, -2.19, -2.21)])
def test_an_improvement_is_more_than_the_threshold_whatever_the_sign(best, just_not, just):
    plateau = Plateau(threshold=0.1)
    for value, waited in ((just_not, 1), (just, 0)):
        state = ScheduleState(best=best)
        plateau.observe(state, value)
        assert state == ScheduleState(best=best if waited else value, waited=waited)


def test_a_value_that_is_no_number_is_no_improvement():
    plateau, state = Plateau(patience=5), ScheduleState()
    for value in (math.nan, math.inf, 0.5, math.nan, -math.inf):
        plateau.observe(state, value)
    assert state == ScheduleState(1.0, 0.5, 2)


def test_plateau_warms_up_and_is_scaled_in_its_warm_up_as_well():
    schedule = Plateau(warmup=4)
    assert walk(schedule, 6, state=ScheduleState(0.5)).tolist() == [0.125, 0.25, 0.375, 0.5, 0.5, 0.5]


# Laws of all schedules


@pytest.mark.parametrize("name", [name for name in NAMES if name != "plateau"])
def test_only_plateau_is_moved_by_what_it_observes(name):
    schedule = SCHEDULES.resolve(name)
    state = schedule.start()
    for value in (1.0, 2.0, 2.0, 2.0) * 5:
        schedule.observe(state, value)
    assert state == schedule.start() == ScheduleState(1.0, None, 0)


@for_each("name", NAMES)
def test_the_scale_of_the_state_multiplies_every_factor(name):
    schedule = SCHEDULES.resolve(name)
    np.testing.assert_array_equal(walk(schedule, 20, 4, ScheduleState(0.25)), 0.25 * walk(schedule, 20, 4))


@for_each("name", NAMES)
def test_factors_are_positive_and_at_most_one(name):
    for warmup, total, per_epoch in [
        (0, 1, 1),
        (1, 1, 1),
        (0, 60, 13),
        (7, 60, 1),
        (0.3, 60, 13),
        (1.0, 999, 100),
    ]:
        factors = walk(SCHEDULES.factory(name)(warmup=warmup), total, per_epoch)
        assert factors.dtype == np.float64
        assert factors.shape == (total,)
        assert (factors > 0).all()
        assert factors.max() <= 1


@pytest.mark.parametrize("name", [name for name in NAMES if name != "step"])
@pytest.mark.parametrize("warmup", [0.2, 0.5])
def test_factors_do_not_jump(name, warmup):
    """The usual steepest is the one cycle's rise: pi / 2 over the steps of the warm-up."""
    steeper = {"flat_cosine": 2, "coslog": 30 / math.log(2) * warmup / (1 - warmup)}.get(name, 1)
    jumps = np.abs(np.diff(walk(SCHEDULES.factory(name)(warmup=warmup), 10_000, 1000)))
    assert jumps.max() <= steeper * math.pi / 2 / (warmup * 10_000)


@st.composite
def runs(draw):
    name = draw(st.sampled_from(NAMES))
    total, per_epoch = draw(st.integers(1, 200)), draw(st.integers(1, 50))
    warmup = draw(st.one_of(st.integers(0, total), st.floats(0, 1)))
    state = ScheduleState(draw(st.floats(1e-6, 1)))
    return SCHEDULES.factory(name)(warmup=warmup), total, per_epoch, state


@given(runs(), st.data())
def test_the_bits_do_not_depend_on_how_the_steps_are_cut(run, data):
    schedule, total, per_epoch, state = run
    whole = walk(schedule, total, per_epoch, state)
    cuts = sorted(data.draw(st.sets(st.integers(1, total))) | {0, total})
    again = SCHEDULES.resolve(schedule.spec)
    restored = ScheduleState.from_dict(json.loads(json.dumps(state.to_dict(), allow_nan=False)))
    parts = [again.factors(np.arange(a + 1, b + 1), total, per_epoch, restored) for a, b in pairwise(cuts)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


@given(st.lists(st.floats(0, 10), max_size=40), st.integers(0, 40), st.integers(0, 3))
def test_plateau_goes_on_from_a_stored_state_as_if_nothing_had_happened(values, cut, patience):
    plateau = Plateau(0.3, patience)
    straight, resumed = plateau.start(), plateau.start()
    for epoch, value in enumerate(values):
        if epoch == cut:
            resumed = ScheduleState.from_dict(json.loads(json.dumps(resumed.to_dict(), allow_nan=False)))
        plateau.observe(straight, value)
        plateau.observe(resumed, value)
    assert straight == resumed


def test_no_steps_have_no_factors():
    assert Cosine().factors(np.arange(0), 10, 2, ScheduleState()).shape == (0,)


# Specifications, ranges, states


@for_each("name", NAMES)
def test_a_specification_leads_back_to_the_same_schedule(name):
    schedule = SCHEDULES.factory(name)()
    assert SCHEDULES.resolve(schedule.spec) == SCHEDULES.resolve(name) == schedule
    for warmup in (3, 1, 1.0, 1 / 3):
        warmed = replace(schedule, warmup=warmup)
        again = SCHEDULES.resolve(warmed.spec)
        assert again == warmed != schedule
        assert type(again.warmup) is type(warmup)


def test_a_specification_says_every_option():
    assert OneCycle().spec == "one_cycle(warmup=0.3, initial=0.04, final=4e-06)"
    assert Step(5).spec == "step(warmup=0, every=5, factor=0.1)"
    assert SCHEDULES.resolve("step(5, 0.5, warmup=100)") == Step(5, 0.5, warmup=100)


@pytest.mark.parametrize(
    ("spec", "defaults"),
    [
        ("constant", {"warmup": 0}),
        ("step", {"warmup": 0, "every": 10, "factor": 0.1}),
        ("exponential", {"warmup": 0, "factor": 0.95}),
        ("cosine", {"warmup": 0, "final": 0.0}),
        ("flat_cosine", {"warmup": 0, "flat": 0.5, "final": 0.0}),
        ("coslog", {"warmup": 0, "cycles": 4}),
        ("one_cycle", {"warmup": 0.3, "initial": 1 / 25, "final": 4e-6}),
        ("plateau", {"warmup": 0, "factor": 0.1, "patience": 10, "threshold": 1e-4}),
    ],
)
def test_the_defaults(spec, defaults):
    schedule = SCHEDULES.resolve(spec)
    assert {option.name: getattr(schedule, option.name) for option in fields(schedule)} == defaults


BOUNDS = {
    "warmup": ([0, 100, 0.0, 0.5, 1.0], [-1, -0.1, 1.5, 100.0], "a whole number of steps, or a share of the run"),
    "factor": ([1e-9, 1], [0, -0.1, 1.1], r"in \(0, 1\]"),
    "initial": ([1e-9, 1], [0, -0.1, 1.1], r"in \(0, 1\]"),
    "final": ([0, 1], [-0.1, 1.1], r"in \[0, 1\]"),
    "threshold": ([0, 0.5], [-0.1, 1], r"in \[0, 1\)"),
    "flat": ([0, 0.99], [-0.1, 1], r"in \[0, 1\)"),
    "cycles": ([1, 50], [0, 1.5, 51, 5000], "a whole number from 1 to 50"),
    "every": ([1, 90], [0, -1, 1.0, 2.5], "a whole number of epochs, 1 or more"),
    "patience": ([0, 90], [-1, 1.0, 2.5], "a whole number of epochs, 0 or more"),
}


@pytest.mark.parametrize(
    ("name", "option"), [(name, option.name) for name in NAMES for option in fields(SCHEDULES.factory(name))]
)
def test_options_keep_to_their_ranges(name, option):
    build = SCHEDULES.factory(name)
    good, bad, said = BOUNDS[option]
    for value in good:
        assert getattr(build(**{option: value}), option) == value
    for value in bad:
        with pytest.raises(UsageError, match=f"^{option}: must be {said}.*, got {value}$"):
            build(**{option: value})
    for value in (math.nan, math.inf, "0.1", True, None, 1j):
        with pytest.raises(UsageError, match=f"^{option}: must be a finite number, got"):
            build(**{option: value})


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("cosin", r"^schedule: unknown name 'cosin'; did you mean 'cosine'\?"),
        ("cosine(2)", r"^schedule: cosine: final: must be in \[0, 1\], got 2$"),
        ("step(10, 0.1, 5)", "^schedule: .* does not fit step"),  # the warm-up goes by its name
        ("constant(warmup=2.5)", "^schedule: constant: warmup: must be a whole number of steps"),
    ],
)
def test_what_cannot_be_a_schedule_is_refused(spec, problem):
    with pytest.raises(UsageError, match=problem):
        SCHEDULES.resolve(spec)


def test_a_schedule_is_a_value():
    with pytest.raises(FrozenInstanceError):
        Cosine().final = 1


@pytest.mark.parametrize("number", [np.float64(0.25), np.float32(0.25)])
def test_a_numpy_number_is_as_good_as_pythons(number):
    assert Cosine(number, warmup=np.int64(3)).spec == "cosine(warmup=3, final=0.25)"


def test_a_schedule_of_ones_own_is_a_decay_or_a_shape():
    @dataclass(frozen=True)
    class Linear(Schedule):
        name = "linear"

        def decay(self, epochs, progress):
            return 1 - progress

    @dataclass(frozen=True)
    class Harmonic(Schedule):
        name = "harmonic"

        def shape(self, t, total, per_epoch):
            return 1 / t

    assert walk(Linear(warmup=2), 6).tolist() == [0.5, 1, 1, 0.75, 0.5, 0.25]
    assert walk(Harmonic(), 3).tolist() == [1, 1 / 2, 1 / 3]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"scale": 1.0, "best": None},
        {"scale": 1.0, "best": None, "waited": 0, "more": 1},
        {"scale": -1.0, "best": None, "waited": 0},
        {"scale": None, "best": None, "waited": 0},
        {"scale": 1.0, "best": math.nan, "waited": 0},
        {"scale": 1.0, "best": "1", "waited": 0},
        {"scale": 1.0, "best": None, "waited": 0.5},
        {"scale": 1.0, "best": None, "waited": -1},
    ],
)
def test_what_is_no_state_is_refused(values):
    with pytest.raises(DataError, match=r"^schedule state: expected scale, best and waited, got"):
        ScheduleState.from_dict(values)


@pytest.mark.parametrize("warmup", [0, 1, 4, 0.5])
def test_the_constant_schedule_is_the_general_one_without_a_decay(warmup):
    constant, state = Constant(warmup=warmup), ScheduleState(scale=0.5)
    expected = Schedule.factors(constant, np.arange(1, 11), 10, 5, state)
    np.testing.assert_array_equal(walk(constant, 10, 5, state), expected)
    assert walk(constant, 10, 5, state).dtype == np.float64
