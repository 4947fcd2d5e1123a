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
    DEPENDS,
    INDEPENDENT,
    NOT_ADDITIVE,
    NOT_SHOWN,
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


def table(y, names, overlap=0.0):
    """Return the sources of numbers of which nothing is known by group of rows."""
    return analysis_of_variance(np.asarray(y)[:, None], names, overlap)


def test_two_by_two_with_three_seeds_by_pencil():
    # rows: A, columns: B      seed 0: 1 2 / 3 8   seed 1: 2 5 / 6 13   seed 2: 3 5 / 6 12
    # contrasts of a seed, each half of a sum:  A: (3+8-1-2)/2 = 4, 6, 5;  B: 3, 5, 4;  AB: (1+8-2-3)/2 = 2, 2, 2
    # A   mean 5, deviation 1: SS = 3 x 25 = 75, F = 25 / (1/3) = 75, the paired t of 4 6 5 squared
    # B   mean 4, deviation 1: SS = 48, F = 48
    # AB  mean 2: SS = 12, and no seed changes it
    # seeds: means 3.5 6.5 6.5, mean 5.5: SS = 4 x (4 + 1 + 1) = 24
    # total  of all 12 around 5.5: 163; residual 163 - 24 - 75 - 48 - 12 = 4
    y = np.array([[[1.0, 2], [3, 8]], [[2, 5], [6, 13]], [[3, 5], [6, 12]]])
    sources = table(y, ["A", "B"])
    assert [source.name for source in sources] == ["seed", "A", "B", "A x B", "residual"]
    assert [source.kind for source in sources] == ["seed", "main", "main", "interaction", "residual"]
    assert [source.sum_of_squares for source in sources] == pytest.approx([24, 75, 48, 12, 4])
    assert [source.degrees for source in sources] == [2, 1, 1, 1, 6]
    assert [source.F for source in sources[1:3]] == pytest.approx([75, 48])
    assert [source.share for source in sources] == pytest.approx([x / 163 for x in (24, 75, 48, 12, 4)])
    p = [stats.f.sf(F, 1, 2) for F in (75, 48)]
    assert [source.p for source in sources[1:3]] == pytest.approx(p)
    assert [source.corrected for source in sources[1:3]] == pytest.approx(holm(p))
    assert sources[0].F is sources[0].p is sources[3].F is sources[3].p is sources[-1].corrected is None


def test_with_one_factor_and_two_levels_it_is_the_paired_t_test():
    y = np.random.default_rng(3).normal(size=(6, 2))
    expected = stats.ttest_rel(y[:, 0], y[:, 1])
    factor = table(y, ["A"])[1]
    assert (factor.F, factor.p) == pytest.approx((expected.statistic**2, expected.pvalue))
    assert factor.epsilon == 1
    # other rows at each of 6 seeds, of which a fifth as many as are learned from: the variance is 1/6 + 1/5
    assert pytest.approx(expected.statistic**2 / (1 + 6 / 5)) == table(y, ["A"], 0.2)[1].F


def test_more_levels_have_the_degrees_of_greenhouse_and_geisser():
    """Against the effect's own seeds, by the covariance of the levels over the seeds."""
    y = np.random.default_rng(5).normal(size=(7, 4)) * [1, 2, 3, 9]
    covariance = np.cov(y.T)
    centred = covariance - covariance.mean(0) - covariance.mean(1)[:, None] + covariance.mean()
    epsilon = np.trace(centred) ** 2 / (3 * (centred**2).sum())
    seeds, within = y.mean(axis=1, keepdims=True), y.mean(axis=0)
    left = ((y - seeds - within + y.mean()) ** 2).sum() / 18
    F = 7 * ((within - y.mean()) ** 2).sum() / 3 / left
    factor = table(y, ["A"])[1]
    assert (factor.F, factor.epsilon) == pytest.approx((F, epsilon))
    assert factor.p == pytest.approx(stats.f.sf(F, 3 * epsilon, 18 * epsilon))


def test_groups_of_rows_are_an_error_of_their_own():
    """What seeds do not change may still be chance of the rows."""
    rng = np.random.default_rng(6)
    rows = rng.normal(size=(1, 20, 2))
    y = rows + 1e-3 * rng.normal(size=(4, 20, 2))
    expected = stats.ttest_rel(rows[0, :, 0], rows[0, :, 1])
    assert analysis_of_variance(y, ["A"])[1].p == pytest.approx(expected.pvalue, rel=0.01)
    assert table(y.mean(axis=1), ["A"])[1].p < expected.pvalue / 10


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
    sources = table(y, "ABCD"[: len(shape) - 1])
    assert [source.sum_of_squares for source in sources] == pytest.approx(literal_sums(y), abs=1e-9)
    for source in sources[1:-1]:
        assert source.degrees == math.prod(shape["ABCD".index(factor) + 1] - 1 for factor in source.factors)


@given(y=grids())
def test_the_parts_add_up_to_the_whole(y):
    sources = table(y, "ABC"[: y.ndim - 1])
    total = ((y - y.mean()) ** 2).sum()
    assert sum(source.sum_of_squares for source in sources) == pytest.approx(total)
    assert sum(source.share for source in sources) == pytest.approx(1)
    assert sum(source.degrees for source in sources) == y.size - 1
    assert len(sources) == 2 ** (y.ndim - 1) + 1


@given(y=grids(), shift=EIGHTHS, factor=st.sampled_from([-2.0, 0.5, 3.0]), data=st.data())
def test_what_must_not_matter_does_not(y, shift, factor, data):
    names = "ABC"[: y.ndim - 1]
    plain = table(y, names)
    steps = np.array(data.draw(st.lists(EIGHTHS, min_size=len(y), max_size=len(y))))
    seeds_moved = table(y + steps.reshape(-1, *[1] * (y.ndim - 1)), names)
    others = {
        "all moved": table(y + shift, names),
        "other units": table(y * factor, names),
        "seeds in another order": table(y[data.draw(st.permutations(range(len(y))))], names),
        "levels in another order": table(y[:, data.draw(st.permutations(range(y.shape[1])))], names),
        "seeds moved": seeds_moved,
    }
    for what, sources in others.items():
        for one, other in zip(plain[1:-1], sources[1:-1], strict=True):
            assert (other.F is None) == (one.F is None), what
            if one.F is not None:
                assert pytest.approx(one.F, rel=1e-6, abs=1e-9) == other.F, what
                assert other.p == pytest.approx(one.p, rel=1e-6, abs=1e-9), what
    swapped = by_name(table(np.moveaxis(y, 1, -1), names[1:] + names[0]))
    for source in plain:
        name = (
            source.name
            if len(source.factors) < 2
            else " x ".join(f for f in names[1:] + names[0] if f in source.factors)
        )
        assert swapped[name].sum_of_squares == pytest.approx(source.sum_of_squares, abs=1e-9)


def test_what_the_seeds_do_not_change_has_no_F():
    y = np.array([[[1.0, 2], [3, 8]], [[1.1, 2.1], [3.1, 8.1]]])  # the seeds move all cells alike
    assert all(source.F is source.p is source.corrected is None for source in table(y, ["A", "B"]))
    same = table(np.full((2, 2, 2), 0.1), ["A", "B"])
    assert [source.share for source in same] == [0.0] * 5


def test_enormous_numbers_do_not_overflow(make_factorial):
    y = np.random.default_rng(0).normal(size=(3, 2, 2)) + np.array([[1.0, 2], [3, 8]])
    plain, large = (
        interaction_test(make_factorial(y * scale, FACTORS, "train_loss"), FACTORS, "train_loss").sources
        for scale in (1.0, 1e300)
    )
    assert [one.F for one in large[1:4]] == pytest.approx([one.F for one in plain[1:4]])
    assert large[1].sum_of_squares == math.inf


# The verdict


def test_an_interaction_is_found_and_named(make_factorial):
    noise = np.random.default_rng(0).normal(scale=0.01, size=(4, 2, 2))
    rows = make_factorial(np.array([[0.5, 0.9], [0.9, 0.5]]) + noise, FACTORS)
    found = interaction_test(rows, FACTORS, ACCURACY)
    assert (found.verdict, found.missing, found.reason.key) == (DEPENDS, [], "levels_cross")
    assert by_name(found.sources)["optimizer x activation"].share > 0.9


def test_factors_that_add_up_have_no_interaction(make_factorial):
    noise = np.random.default_rng(0).normal(scale=0.01, size=(4, 2, 2))
    rows = make_factorial(np.array([[0.5, 0.6], [0.7, 0.8]]) + noise, FACTORS)
    found = interaction_test(rows, FACTORS, ACCURACY)
    assert found.verdict == INDEPENDENT
    assert found.additive.enough
    assert by_name(found.sources)["optimizer"].corrected < 0.001
    assert not found.additive.differs
    assert found.additive.levels == {"optimizer": "adam", "activation": "tanh"}


def test_the_numbers_are_put_in_their_places(make_factorial):
    factors = {"A": ["1", "2", "3"], "B": ["x", "y"]}
    y = np.random.default_rng(7).normal(size=(3, 3, 2))
    rows = make_factorial(y, factors)
    found = interaction_test(rows, factors, ACCURACY)
    for one, other in zip(found.sources, table(y, ["A", "B"]), strict=True):
        assert one[:2] == other[:2]
        assert one[2:4] + one[7:8] == pytest.approx(other[2:4] + other[7:8])
        assert one.p is None or one[4:7] + one[8:] == pytest.approx(other[4:7] + other[8:])
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
    assert interaction_test(rows, factors, ACCURACY, level=least * 1.01).verdict == NOT_ADDITIVE
    assert interaction_test(rows, factors, ACCURACY, level=least * 0.99).verdict == NOT_SHOWN


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


def test_a_missing_run_is_named_by_its_seed_and_not_by_its_place(make_factorial):
    rows = make_factorial(np.random.default_rng(1).normal(size=(2, 2, 2)), FACTORS)
    rows = [replace(row, seed={0: 3, 1: 7}[row.seed]) for row in rows]
    found = interaction_test([row for row in rows if row is not rows[5]], FACTORS, ACCURACY)
    assert found.missing == [Missing({"optimizer": "adam", "activation": "relu"}, 7, "no run")]
    assert "1 of the 8 runs of the full factorial are missing: optimizer=adam, activation=relu, seed 7 (" in str(
        found.reason
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
    assert one_seed.reason == Message("few_seeds", n=1, least=3)
    assert one_seed.additive.best == 8
    factor = {"optimizer": FACTORS["optimizer"]}
    one_factor = interaction_test(make_factorial([[1.0, 2], [1, 3], [1, 3]], factor), factor, ACCURACY)
    assert (one_factor.verdict, one_factor.reason) == (CANNOT_BE_TOLD, Message("one_factor"))
    F = one_factor.sources[1].F
    assert pytest.approx(25) == F
    two = np.random.default_rng(0).normal(scale=1e-6, size=(2, 2, 2)) + np.array([[0.5, 0.9], [0.9, 0.5]])
    two_seeds = interaction_test(make_factorial(two, FACTORS), FACTORS, ACCURACY)
    assert (two_seeds.verdict, two_seeds.reason) == (CANNOT_BE_TOLD, Message("few_seeds", n=2, least=3))
    assert len(two_seeds.sources) == 5
    stiff = interaction_test(make_factorial(np.tile([[1.0, 2], [3, 8]], (3, 1, 1)), FACTORS), FACTORS, ACCURACY)
    assert stiff.verdict == CANNOT_BE_TOLD
    assert stiff.reason == Message("no_chance")


def test_not_additive_is_not_yet_that_the_best_level_depends(make_factorial):
    """Tanh costs sgd much and adam little: relu and adam are best everywhere."""
    noise = np.random.default_rng(0).normal(scale=0.003, size=(5, 2, 2))
    rows = make_factorial(np.array([[0.90, 0.80], [0.95, 0.94]]) + noise, FACTORS)
    found = interaction_test(rows, FACTORS, ACCURACY)
    assert (found.verdict, found.reason.key, found.additive.enough) == (NOT_ADDITIVE, "interact_enough", True)
    assert found.additive.levels == {"optimizer": "adam", "activation": "relu"}
    crossed = make_factorial(np.array([[0.90, 0.80], [0.85, 0.94]]) + noise, FACTORS)
    assert interaction_test(crossed, FACTORS, ACCURACY).verdict == DEPENDS


def test_a_crossing_needs_both_orders_to_be_sure(make_factorial):
    """With relu sgd is ahead by 0.05, with tanh behind by as much as nothing."""
    noise = np.random.default_rng(1).normal(scale=0.003, size=(5, 2, 2))
    rows = make_factorial(np.array([[0.90, 0.80], [0.85, 0.801]]) + noise, FACTORS)
    assert interaction_test(rows, FACTORS, ACCURACY).verdict == NOT_ADDITIVE


def test_a_crossing_is_corrected_for_all_pairs_and_places(make_factorial):
    # 2 optimizers in 3 places, and 3 pairs of activations in 2 places each: 4 pairs in all
    factors = FACTORS | {"activation": ["relu", "tanh", "sigmoid"]}
    means = np.array([[0.5, 0.6, 0.2], [0.6, 0.5, 0.1]])
    y = means + 0.003 * np.random.default_rng(3).normal(size=(4, 2, 3))
    found = interaction_test(make_factorial(y, factors), factors, ACCURACY)
    by_optimizer = stats.ttest_rel(y[:, 0], y[:, 1]).pvalue / 2  # ahead with tanh, behind with relu
    by_activation = stats.ttest_rel(y[:, :, 0], y[:, :, 1]).pvalue / 2
    expected = 4 * min(3 * max(by_optimizer[0], min(by_optimizer[1:])), 2 * max(by_activation))
    assert (found.verdict, found.reason.key) == (DEPENDS, "levels_cross")
    assert found.reason.values["p"] == pytest.approx(expected)
    cross = {"optimizer": ["sgd", "adam"], "activation": ["relu", "tanh"]}
    factor = "optimizer" if 3 * max(by_optimizer[0], min(by_optimizer[1:])) * 4 == expected else "activation"
    assert (found.reason.values["factor"], found.reason.values["levels"]) == (factor, cross[factor])


def test_the_factor_whose_levels_cross_is_named(make_factorial):
    """Tanh is the best with sgd, sigmoid with adam; adam is better than sgd everywhere. So no optimizers cross."""
    factors = {"optimizer": ["sgd", "adam"], "activation": ["relu", "tanh", "sigmoid"]}
    means = np.array([[0.2, 0.5, 0.4], [0.6, 0.7, 0.9]])
    y = means + 0.003 * np.random.default_rng(3).normal(size=(4, 2, 3))
    found = interaction_test(make_factorial(y, factors), factors, ACCURACY)
    assert str(found.reason).startswith(
        "Which of “tanh” and “sigmoid” is the better activation depends on the other factors (p = "
    )


def test_one_factor_at_a_time_is_enough_within_the_margin(make_factorial):
    noise = np.random.default_rng(2).normal(scale=0.004, size=(4, 2, 2))
    rows = make_factorial(np.array([[0.7, 0.7], [0.7, 0.7]]) + noise, FACTORS)
    assert interaction_test(rows, FACTORS, ACCURACY, margin=0.001).verdict == NOT_SHOWN
    assert interaction_test(rows, FACTORS, ACCURACY, margin=0.03).verdict == INDEPENDENT


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
    name = "sgd, activation=tanh" if y[:, 0, 1].mean() > y[:, 1, 0].mean() else "adam, activation=relu"
    assert f"optimizer={name} reaches {best.mean():.4g}, " in str(guess.reason)
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
