import math
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from glassnet.errors import DataError, UsageError
from glassnet.locales.catalogue import Message
from glassnet.study.analysis_of_variance import analysis_of_variance
from glassnet.study.hypothesis_tests import holm
from glassnet.study.interactions import (
    CANNOT_BE_TOLD,
    INTERACT,
    NO_INTERACTION,
    Missing,
    interaction_test,
)
from glassnet.study.results import Row

ACCURACY = "validation_accuracy"
FACTORS = {"optimizer": ["sgd", "adam"], "activation": ["relu", "tanh"]}
EIGHTHS = st.integers(-80, 80).map(lambda k: k / 8)


@st.composite
def grids(draw):
    shape = (draw(st.integers(2, 4)), *draw(st.lists(st.integers(2, 3), min_size=1, max_size=3)))
    size = math.prod(shape)
    values = draw(st.lists(EIGHTHS, min_size=size, max_size=size, unique=True))
    return np.array(values).reshape(shape)


def by_name(sources):
    return {source.name: source for source in sources}


# The table


def test_two_by_two_with_two_seeds_by_pencil():
    # seed 0: 1 2 / 3 8   seed 1: 2 5 / 6 13   (rows: A, columns: B)
    # means: all 5; seeds 3.5 6.5; A 2.5 7.5; B 3 7; cells 1.5 3.5 4.5 10.5
    # seed   8 x 1.5²                                   = 18
    # A      8 x 2.5²                                   = 50
    # B      8 x 2²                                     = 32
    # AB     1.5 - 2.5 - 3 + 5 = 1, 8 x 1²              =  8
    # total  16+9+4+9 + 9+0+1+64                        = 112
    # residual 112 - 18 - 50 - 32 - 8 = 4, of (2-1)(4-1) = 3 degrees: 4/3
    sources = analysis_of_variance(np.array([[[1.0, 2], [3, 8]], [[2, 5], [6, 13]]]), ["A", "B"])
    assert [source.name for source in sources] == ["seed", "A", "B", "A x B", "residual"]
    assert [source.kind for source in sources] == ["seed", "main", "main", "interaction", "residual"]
    assert [source.sum_of_squares for source in sources] == pytest.approx([18, 50, 32, 8, 4])
    assert [source.degrees for source in sources] == [1, 1, 1, 1, 3]
    assert [source.F for source in sources[1:4]] == pytest.approx([37.5, 24, 6])
    assert [source.share for source in sources] == pytest.approx([18 / 112, 50 / 112, 32 / 112, 8 / 112, 4 / 112])
    p = [stats.f.sf(F, 1, 3) for F in (37.5, 24, 6)]
    assert [source.p for source in sources[1:4]] == pytest.approx(p)
    assert [source.corrected for source in sources[1:4]] == pytest.approx([*holm(p[:2]), p[2]])
    assert sources[0].F is sources[0].p is sources[-1].F is sources[-1].corrected is None


def test_with_one_factor_and_two_levels_it_is_the_paired_t_test():
    rng = np.random.default_rng(3)
    y = rng.normal(size=(6, 2))
    expected = stats.ttest_rel(y[:, 0], y[:, 1])
    factor = analysis_of_variance(y, ["A"])[1]
    assert (factor.F, factor.p) == pytest.approx((expected.statistic**2, expected.pvalue))


def test_without_blocks_one_factor_is_scipys():
    """Seeds and residual put together are what varies within the levels."""
    y = np.random.default_rng(4).normal(size=(5, 4)) + np.array([0, 0.5, 1, 0])
    seed, factor, residual = analysis_of_variance(y, ["A"])
    expected = stats.f_oneway(*y.T)
    within = (seed.sum_of_squares + residual.sum_of_squares) / (seed.degrees + residual.degrees)
    assert factor.sum_of_squares / factor.degrees / within == pytest.approx(expected.statistic)
    assert seed.degrees + residual.degrees == y.size - 4


def literal_sums(y):
    """Return each source's sum of squares as the rise in what a fit by least squares with it explains."""
    indices = list(product(*map(range, y.shape)))

    def columns(chosen):
        """One for each combination of levels of the chosen axes."""
        cells = product(*(range(y.shape[axis]) for axis in chosen))
        return [
            [float(all(i[a] == c for a, c in zip(chosen, cell, strict=True))) for i in indices] for cell in cells
        ]

    def explained(sets):
        X = np.array([column for chosen in sets for column in columns(chosen)]).T
        fit = X @ np.linalg.lstsq(X, y.ravel(), rcond=None)[0]
        return float(((fit - y.mean()) ** 2).sum())

    axes = range(1, y.ndim)
    sets, found, before = [()], [], 0.0
    for chosen in [(0,), *(c for size in axes for c in combinations(axes, size))]:
        sets.append(chosen)
        now = explained(sets)
        found.append(now - before)
        before = now
    return [*found, float(((y - y.mean()) ** 2).sum()) - before]


@pytest.mark.parametrize("shape", [(2, 2, 3), (3, 3, 2), (2, 2, 2, 3), (3, 2), (2, 2, 2, 2, 2)])
def test_sums_of_squares_are_those_of_least_squares(shape):
    y = np.random.default_rng(sum(shape)).normal(size=shape)
    sources = analysis_of_variance(y, "ABCD"[: len(shape) - 1])
    assert [source.sum_of_squares for source in sources] == pytest.approx(literal_sums(y), abs=1e-9)
    residual = sources[-1]
    for source in sources[1:-1]:
        degrees = math.prod(shape["ABCD".index(factor) + 1] - 1 for factor in source.factors)
        F = source.sum_of_squares / degrees / (residual.sum_of_squares / residual.degrees)
        assert source.degrees == degrees
        assert (source.F, source.p) == pytest.approx((F, stats.f.sf(F, degrees, residual.degrees)))


@given(y=grids())
def test_the_parts_add_up_to_the_whole(y):
    sources = analysis_of_variance(y, "ABC"[: y.ndim - 1])
    total = ((y - y.mean()) ** 2).sum()
    assert sum(source.sum_of_squares for source in sources) == pytest.approx(total)
    assert sum(source.share for source in sources) == pytest.approx(1)
    assert sum(source.degrees for source in sources) == y.size - 1
    assert len(sources) == 2 ** (y.ndim - 1) + 1


@given(y=grids(), shift=EIGHTHS, factor=st.sampled_from([-2.0, 0.5, 3.0]), data=st.data())
def test_what_must_not_matter_does_not(y, shift, factor, data):
    names = "ABC"[: y.ndim - 1]
    plain = analysis_of_variance(y, names)
    steps = np.array(data.draw(st.lists(EIGHTHS, min_size=len(y), max_size=len(y))))
    seeds_moved = analysis_of_variance(y + steps.reshape(-1, *[1] * (y.ndim - 1)), names)
    others = {
        "all moved": analysis_of_variance(y + shift, names),
        "other units": analysis_of_variance(y * factor, names),
        "seeds in another order": analysis_of_variance(y[data.draw(st.permutations(range(len(y))))], names),
        "levels in another order": analysis_of_variance(
            y[:, data.draw(st.permutations(range(y.shape[1])))], names
        ),
        "seeds moved": seeds_moved,
    }
    for what, sources in others.items():
        for one, other in zip(plain[1:-1], sources[1:-1], strict=True):
            assert (other.F is None) == (one.F is None), what
            assert pytest.approx(one.F, rel=1e-6, abs=1e-9) == other.F, what
            assert other.p == pytest.approx(one.p, rel=1e-6, abs=1e-9), what
    swapped = by_name(analysis_of_variance(np.moveaxis(y, 1, -1), names[1:] + names[0]))
    for source in plain:
        name = (
            source.name
            if len(source.factors) < 2
            else " x ".join(f for f in names[1:] + names[0] if f in source.factors)
        )
        assert swapped[name].sum_of_squares == pytest.approx(source.sum_of_squares, abs=1e-9)


def test_without_a_residual_there_is_no_F():
    y = np.array([[[1.0, 2], [3, 8]], [[1.1, 2.1], [3.1, 8.1]]])  # the seeds move all cells alike
    sources = analysis_of_variance(y, ["A", "B"])
    assert all(source.F is source.p is source.corrected is None for source in sources)
    same = analysis_of_variance(np.full((2, 2, 2), 0.1), ["A", "B"])
    assert [source.share for source in same] == [0.0] * 5


def test_enormous_numbers_do_not_overflow():
    y = np.array([[[1.0, 2], [3, 8]], [[2, 5], [6, 13]]])
    sources = analysis_of_variance(y * 1e300, ["A", "B"])
    assert [source.F for source in sources[1:4]] == pytest.approx([37.5, 24, 6])
    assert sources[1].sum_of_squares == math.inf


# The verdict


def test_an_interaction_is_found_and_named(make_factorial):
    noise = np.random.default_rng(0).normal(scale=0.01, size=(4, 2, 2))
    rows = make_factorial(np.array([[0.5, 0.9], [0.9, 0.5]]) + noise, FACTORS)
    found = interaction_test(rows, FACTORS, ACCURACY)
    assert (found.verdict, found.missing) == (INTERACT, [])
    assert "optimizer x activation" in str(found.reason)
    assert "Choose their levels together" in str(found.reason)
    assert by_name(found.sources)["optimizer x activation"].share > 0.9


def test_factors_that_add_up_have_no_interaction(make_factorial):
    noise = np.random.default_rng(0).normal(scale=0.01, size=(4, 2, 2))
    rows = make_factorial(np.array([[0.5, 0.6], [0.7, 0.8]]) + noise, FACTORS)
    found = interaction_test(rows, FACTORS, ACCURACY)
    assert found.verdict == NO_INTERACTION
    assert by_name(found.sources)["optimizer"].corrected < 0.001
    assert not found.additive.differs
    assert found.additive.levels == {"optimizer": "adam", "activation": "tanh"}


def test_the_numbers_are_put_in_their_places(make_factorial):
    factors = {"A": ["1", "2", "3"], "B": ["x", "y"]}
    y = np.random.default_rng(7).normal(size=(3, 3, 2))
    rows = make_factorial(y, factors)
    found = interaction_test(rows, factors, ACCURACY)
    assert found.sources == analysis_of_variance(y, ["A", "B"])
    mixed = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    assert interaction_test(mixed, factors, ACCURACY) == found


def test_interactions_are_corrected_for_their_number(make_factorial):
    factors = {name: ["0", "1"] for name in "ABC"}
    crossed = np.array([[1.0, -1.0], [-1.0, 1.0]])[:, None, :]  # of A and C
    rows = make_factorial(np.random.default_rng(11).normal(size=(3, 2, 2, 2)) + crossed, factors)
    found = interaction_test(rows, factors, ACCURACY)
    interactions = [source for source in found.sources if source.kind == "interaction"]
    assert [source.name for source in interactions] == ["A x B", "A x C", "B x C", "A x B x C"]
    assert [source.corrected for source in interactions] == holm([source.p for source in interactions])
    least = min(source.corrected for source in interactions)
    assert by_name(found.sources)["A x C"].corrected == least == 4 * by_name(found.sources)["A x C"].p
    assert interaction_test(rows, factors, ACCURACY, level=least * 1.01).verdict == INTERACT
    assert interaction_test(rows, factors, ACCURACY, level=least * 0.99).verdict == NO_INTERACTION


def test_what_is_missing_is_said(make_factorial):
    rows = make_factorial(np.random.default_rng(1).normal(size=(2, 2, 2)), FACTORS)
    rows[0] = replace(rows[0], status="diverged")
    rows[3] = replace(rows[3], measures={ACCURACY: math.nan})
    found = interaction_test(rows[:-1], FACTORS, ACCURACY)
    assert (found.verdict, found.sources, found.additive) == (CANNOT_BE_TOLD, [], None)
    assert found.missing == [
        Missing({"optimizer": "sgd", "activation": "relu"}, 0, "diverged"),
        Missing({"optimizer": "sgd", "activation": "tanh"}, 1, Message("without_measure", measure=ACCURACY)),
        Missing({"optimizer": "adam", "activation": "tanh"}, 1, "no run"),
    ]
    assert str(found.reason).startswith(
        "3 of the 8 runs of the full factorial are missing: optimizer=sgd, activation=relu, seed 0 (diverged); "
    )


def test_many_missing_runs_are_counted(make_factorial):
    rows = make_factorial(np.zeros((2, 2, 2)), FACTORS)
    found = interaction_test(rows[:1], FACTORS | {"activation": ["relu", "tanh", "sigmoid"]}, ACCURACY)
    assert len(found.missing) == 5
    found = interaction_test(rows[:2], FACTORS | {"activation": ["relu", "tanh", "sigmoid"]}, ACCURACY)
    assert len(found.missing) == 10
    assert "; and 5 more. Run them" in str(found.reason)


def test_what_cannot_be_told_and_why(make_factorial):
    one_seed = interaction_test(make_factorial([[[1.0, 2], [3, 8]]], FACTORS), FACTORS, ACCURACY)
    assert one_seed.verdict == CANNOT_BE_TOLD
    assert "one seed only" in str(one_seed.reason)
    assert one_seed.additive.best == 8
    factor = {"optimizer": FACTORS["optimizer"]}
    one_factor = interaction_test(make_factorial([[1.0, 2], [1, 3]], factor), factor, ACCURACY)
    assert one_factor.verdict == CANNOT_BE_TOLD
    assert "one factor only" in str(one_factor.reason)
    assert pytest.approx(9) == one_factor.sources[1].F
    stiff = interaction_test(make_factorial(np.tile([[1.0, 2], [3, 8]], (3, 1, 1)), FACTORS), FACTORS, ACCURACY)
    assert stiff.verdict == CANNOT_BE_TOLD
    assert "no chance variation" in str(stiff.reason)


@pytest.mark.parametrize(
    ("factors", "error", "message"),
    [
        ({}, UsageError, "^factors: name one or more"),
        ({"optimizer": ["sgd"]}, UsageError, "^factors: optimizer needs two different levels or more, got sgd"),
        ({"optimizer": ["sgd", "sgd"]}, UsageError, "^factors: optimizer needs two different levels"),
        ({"optimzer": ["sgd", "adam"]}, UsageError, "^factors: unknown name 'optimzer'; did you mean 'optimizer'"),
        (
            {"optimizer": ["sgd", "lbfgs"]},
            DataError,
            "optimizer=adam, which is not among the levels in factors: sgd",
        ),
        ({"optimizer": ["sgd", "adam"]}, DataError, "two runs have optimizer=sgd and seed 0"),
    ],
)
def test_factors_that_do_not_fit_are_refused(make_factorial, factors, error, message):
    with pytest.raises(error, match=message):
        interaction_test(make_factorial(np.zeros((2, 2, 2)), FACTORS), factors, ACCURACY)


def test_other_options_are_checked(make_factorial):
    rows = make_factorial(np.zeros((2, 2, 2)), FACTORS)
    with pytest.raises(UsageError, match=r"^level: "):
        interaction_test(rows, FACTORS, ACCURACY, level=2)
    with pytest.raises(UsageError, match=r"^measure: no run has validation_auc"):
        interaction_test(rows, FACTORS, "validation_auc")
    with pytest.raises(UsageError, match=r"^base: activation must be one of relu, tanh, got 'selu'"):
        interaction_test(rows, FACTORS, ACCURACY, base={"optimizer": "sgd", "activation": "selu"})
    with pytest.raises(UsageError, match=r"^base: activation must be one of relu, tanh, got None"):
        interaction_test(rows, FACTORS, ACCURACY, base={"optimizer": "sgd"})
    with pytest.raises(DataError, match="no run"):
        interaction_test([], FACTORS, ACCURACY)


# One factor at a time


def test_the_additive_pick_by_hand(make_factorial):
    #           relu  tanh   main effects: sgd 0.5, adam 0.45; relu 0.45, tanh 0.5; all 0.475
    #     sgd   0.3   0.7    pick: sgd, tanh; predicted 0.5 + 0.5 - 0.475 = 0.525; found 0.7
    #     adam  0.6   0.3
    rows = make_factorial([[[0.3, 0.7], [0.6, 0.3]]], FACTORS)
    guess = interaction_test(rows, FACTORS, ACCURACY).additive
    assert guess.levels == guess.best_levels == {"optimizer": "sgd", "activation": "tanh"}
    assert (guess.predicted, guess.found, guess.best) == pytest.approx((0.525, 0.7, 0.7))
    assert (guess.lost, guess.p, guess.differs) == (0.0, None, False)
    # From the base adam, tanh: sgd gains 0.4, relu gains 0.3; predicted 0.3 + 0.7 = 1, found 0.3
    guess = interaction_test(rows, FACTORS, ACCURACY, base={"optimizer": "adam", "activation": "tanh"}).additive
    assert guess.levels == {"optimizer": "sgd", "activation": "relu"}
    assert (guess.predicted, guess.found, guess.best, guess.lost) == pytest.approx((1.0, 0.3, 0.7, 0.4))
    assert guess.differs
    said = "optimizer=sgd, activation=tanh reaches 0.7, 0.4 better; with one seed nobody can tell"
    assert said in str(guess.reason)


def test_less_is_better_for_a_loss(make_factorial):
    rows = make_factorial([[[0.3, 0.7], [0.6, 0.8]]], FACTORS, "validation_loss")
    guess = interaction_test(rows, FACTORS, "validation_loss").additive
    assert guess.levels == guess.best_levels == {"optimizer": "sgd", "activation": "relu"}
    rows = make_factorial([[[0.5, 0.4], [0.4, 0.7]]], FACTORS, "validation_loss")
    guess = interaction_test(
        rows, FACTORS, "validation_loss", base={"optimizer": "sgd", "activation": "relu"}
    ).additive
    assert guess.levels == {"optimizer": "adam", "activation": "tanh"}
    assert (guess.predicted, guess.found, guess.best, guess.lost) == pytest.approx((0.3, 0.7, 0.4, 0.3))


def test_the_best_is_held_against_the_pick_with_all_cells_in_the_correction(make_factorial):
    noise = np.random.default_rng(2).normal(scale=0.01, size=(4, 2, 2))
    y = np.array([[0.5, 0.6], [0.6, 0.3]]) + noise
    base = {"optimizer": "sgd", "activation": "relu"}
    guess = interaction_test(make_factorial(y, FACTORS), FACTORS, ACCURACY, base=base).additive
    pick, best = y[:, 1, 1], y[:, 0, 1] if y[:, 0, 1].mean() > y[:, 1, 0].mean() else y[:, 1, 0]
    cells = [y[:, 0, 0], y[:, 0, 1], y[:, 1, 0]]
    p = [stats.ttest_rel(cell, pick).pvalue for cell in cells]
    which = next(i for i, cell in enumerate(cells) if cell is best or (cell == best).all())
    assert guess.p == pytest.approx(holm(p)[which])
    assert "better and more than chance explains" in str(guess.reason)
    assert guess.lost == pytest.approx(best.mean() - pick.mean())


def test_seconds_are_a_measure_too():
    rows = [
        Row("", {"A": a, "B": b}, seed, "finished", {}, seconds=float(1 + i + 2 * j + seed * i))
        for i, a in enumerate("12")
        for j, b in enumerate("12")
        for seed in (0, 1)
    ]
    found = interaction_test(rows, {"A": ["1", "2"], "B": ["1", "2"]}, "seconds")
    assert found.additive.levels == {"A": "1", "B": "1"}
    assert found.additive.best == 1.0
