import csv
import math
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.errors import DataError, UsageError
from glassnet.training.metrics import accuracy, auc, auc_interval, binary_scores, wilson_interval, write_scores
from glassnet.training.metrics.intervals import BinaryScores, Share
from glassnet.training.metrics.medmnist import SCORED_TASKS

# The evaluator's definition and DeLong's, pair by pair and row by row: nothing of NumPy's but the tables.


def psi(a, b):
    return 1.0 if a > b else 0.5 if a == b else 0.0


def literal_roc_auc(present, scores):
    wins = pairs = 0.0
    for i in range(len(scores)):
        for j in range(len(scores)):
            if present[i] and not present[j]:
                wins += psi(scores[i], scores[j])
                pairs += 1
    return wins / pairs


def literal_auc(y, scores, task):
    n, columns = scores.shape
    if task == "multi-label":
        return sum(literal_roc_auc(y[:, label] == 1, scores[:, label]) for label in range(columns)) / columns
    y = y.reshape(n)
    if task == "binary":
        return literal_roc_auc(y == 1, scores[:, -1])
    return sum(literal_roc_auc(y == label, scores[:, label]) for label in range(columns)) / columns


def literal_accuracy(y, scores, task):
    n, columns = scores.shape
    if task == "multi-label":
        total = 0.0
        for label in range(columns):
            right = 0
            for i in range(n):
                called = 0 if scores[i, label] < 0.5 else 1
                right += called == y[i, label]
            total += right / n
        return total / columns
    right = 0
    for i, label in enumerate(y.reshape(n)):
        if task == "binary":
            called = 1 if scores[i][-1] > 0.5 else 0
        else:
            called = 0
            for column in range(columns):
                if scores[i][column] > scores[i][called]:
                    called = column
        right += called == label
    return right / n


def literal_auc_interval(y, scores):
    positive = [score for label, score in zip(y, scores, strict=True) if label == 1]
    negative = [score for label, score in zip(y, scores, strict=True) if label == 0]
    m, n = len(positive), len(negative)
    v10 = [sum(psi(x, other) for other in negative) / n for x in positive]
    v01 = [sum(psi(other, x) for other in positive) / m for x in negative]
    area = sum(v10) / m
    if area in (0, 1):
        return area, area
    s10 = sum((v - area) ** 2 for v in v10) / (m - 1)
    s01 = sum((v - area) ** 2 for v in v01) / (n - 1)
    reach = NormalDist().inv_cdf(0.975) * math.sqrt(s10 / m + s01 / n) / (area * (1 - area))
    odds = area / (1 - area)
    return tuple(1 / (1 + math.exp(sign * reach) / odds) for sign in (1, -1))


#: Many ties, and the threshold itself among them.
GRID = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
ANY = st.floats(0, 1)


@st.composite
def cases(draw, tasks=SCORED_TASKS, most_rows=12):
    """Labels of which every one occurs and none always, scores, and the task."""
    task = draw(st.sampled_from(tasks))
    columns = draw(st.integers(1, 2) if task == "binary" else st.integers(1 if task == "multi-label" else 2, 6))
    n = draw(st.integers(max(columns, 4), most_rows))
    if task == "multi-label":
        rest = st.lists(st.integers(0, 1), min_size=n - 2, max_size=n - 2)
        y = np.array([draw(st.permutations([0, 1, *draw(rest)])) for _ in range(columns)]).T
    else:
        classes = max(columns, 2)
        extra = draw(st.lists(st.integers(0, classes - 1), min_size=n - classes, max_size=n - classes))
        y = np.array(draw(st.permutations([*range(classes), *extra])))
        y = y[:, None] if draw(st.booleans()) else y
    score = draw(st.sampled_from([GRID, ANY]))
    rows = draw(st.lists(st.lists(score, min_size=columns, max_size=columns), min_size=n, max_size=n))
    return y.astype(draw(st.sampled_from(["u1", "i8", "f8"]))), np.array(rows), task


def binary_case(m, n, shift, seed, ties=False):
    """m rows of label 1 and n of label 0 in random order, normal scores apart by a shift."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([1, 0], [m, n]))
    scores = rng.normal(size=m + n) + shift * y
    return y, (np.round(scores) if ties else scores)[:, None]


# AUC and accuracy


@given(case=cases(), seed=st.integers(0, 999))
def test_auc_and_accuracy_are_the_evaluators_in_any_order_of_rows(case, seed):
    y, scores, task = case
    area, share = auc(y, scores, task), accuracy(y, scores, task)
    assert area == pytest.approx(literal_auc(y, scores, task), abs=1e-12)
    assert share == pytest.approx(literal_accuracy(y, scores, task), abs=1e-12)
    assert type(area) is type(share) is float
    order = np.random.default_rng(seed).permutation(len(y))
    assert auc(y[order], scores[order], task) == pytest.approx(area, abs=1e-12)
    assert accuracy(y[order], scores[order], task) == pytest.approx(share, abs=1e-12)


@pytest.mark.parametrize("task", SCORED_TASKS)
def test_many_rows_in_single_precision_are_the_evaluators(task):
    rng = np.random.default_rng(5)
    columns = {"binary": 2}.get(task, 14)
    scores = rng.uniform(size=(300, columns)).astype(np.float32).round(2)
    y = rng.integers(2, size=(300, columns)) if task == "multi-label" else rng.integers(columns, size=(300, 1))
    assert auc(y, scores, task) == pytest.approx(literal_auc(y, scores, task), abs=1e-12)
    assert accuracy(y, scores, task) == pytest.approx(literal_accuracy(y, scores, task), abs=1e-12)


def test_binary_by_hand():
    # label 1: 0.9, 0.6, 0.4    label 0: 0.6, 0.2
    # pairs: 0.9 beats both (2), 0.6 ties and beats (1.5), 0.4 loses and beats (1): 4.5 of 6.
    # above 0.5: 1 1 0 | 1 0, so right are 2 of 3 and 1 of 2: 3 of 5.
    y = np.array([1, 1, 1, 0, 0])
    scores = np.array([[0.9], [0.6], [0.4], [0.6], [0.2]])
    assert auc(y, scores, "binary") == 0.75
    assert accuracy(y, scores, "binary") == 0.6
    # Two columns: the last is the score, whatever the first holds.
    two = np.hstack([np.full((5, 1), 7.0), scores])
    assert auc(y[:, None], two, "binary") == 0.75
    assert accuracy(y[:, None], two, "binary") == 0.6


def test_multi_label_by_hand():
    # label 0: y 1 0 1 0, scores .8 .5 .5 .1: pairs 1, 1, 1/2, 1 of 4 = 0.875; called 1 1 1 0, 3 of 4 right
    # label 1: y 0 0 0 1, scores .2 .6 .7 .3: pairs 1, 0, 0 of 3 = 1/3;        called 0 1 1 0, 1 of 4 right
    y = np.array([[1, 0], [0, 0], [1, 0], [0, 1]])
    scores = np.array([[0.8, 0.2], [0.5, 0.6], [0.5, 0.7], [0.1, 0.3]])
    assert auc(y, scores, "multi-label") == pytest.approx((0.875 + 1 / 3) / 2, abs=1e-15)
    assert accuracy(y, scores, "multi-label") == (3 / 4 + 1 / 4) / 2


@pytest.mark.parametrize("task", ["multi-class", "ordinal"])
def test_multi_class_by_hand_is_a_mean_over_classes_without_weights(task):
    #   y   scores          class 0 by column 0: .6 .5 against .5 .1 .3 -> 3 + 2.5 of 6       = 11/12
    #   0   .6 .3 .1        class 1 by column 1: .2 .8 against .3 .4 .3 -> 0 + 3   of 6       = 1/2
    #   0   .5 .4 .1        class 2 by column 2: .4 against .1 .1 .3 .1 -> 4       of 4       = 1
    #   1   .5 .2 .3        mean 29/36; weighted by rows it would be (2*11/12 + 2*1/2 + 1)/5  = 23/30
    #   1   .1 .8 .1        highest: 0 0 0 1 2, 4 of 5 right
    #   2   .3 .3 .4
    y = np.array([0, 0, 1, 1, 2])
    scores = np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.5, 0.2, 0.3], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    assert auc(y, scores, task) == pytest.approx(29 / 36, abs=1e-15)
    assert accuracy(y, scores, task) == 0.8


def test_one_half_is_0_in_the_binary_task_and_1_in_the_multi_label_one():
    y, half = np.array([[0], [1], [1]]), np.full((3, 1), 0.5)
    assert accuracy(y, half, "binary") == pytest.approx(1 / 3)
    assert accuracy(y, half, "multi-label") == pytest.approx(2 / 3)
    for task in ("binary", "multi-label"):
        assert accuracy(y, np.nextafter(half, 0), task) == pytest.approx(1 / 3)
        assert accuracy(y, np.nextafter(half, 1), task) == pytest.approx(2 / 3)


def test_the_first_of_tied_classes_is_the_answer():
    scores = np.array([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]])
    assert accuracy(np.array([0, 1]), scores, "multi-class") == 1
    assert accuracy(np.array([1, 2]), scores, "ordinal") == 0


@pytest.mark.parametrize("task", SCORED_TASKS)
def test_perfect_reversed_and_constant_scores(task):
    y = np.array([0, 1, 2, 1, 0, 2]) if task in ("multi-class", "ordinal") else np.array([0, 1, 1, 0])
    perfect = np.eye(3)[y] if y.max() == 2 else np.stack([1 - y, y], axis=1) * 1.0
    y = np.stack([1 - y, y], axis=1) if task == "multi-label" else y
    assert auc(y, perfect, task) == accuracy(y, perfect, task) == 1
    assert auc(y, 1 - perfect, task) == accuracy(y, 1 - perfect, task) == 0
    assert auc(y, np.full_like(perfect, 0.3), task) == 0.5


@settings(max_examples=50)
@given(case=cases(tasks=("multi-class", "ordinal", "multi-label")), seed=st.integers(0, 999))
def test_the_order_of_labels_does_not_matter(case, seed):
    y, scores, task = case
    rng = np.random.default_rng(seed)
    # Without ties within a row: of tied classes the first is the answer, and which is first depends on the order.
    scores = scores + 1e-6 * rng.permuted(np.tile(np.arange(scores.shape[1]), (len(y), 1)), axis=1)
    order = rng.permutation(scores.shape[1])
    renamed = y[:, order] if task == "multi-label" else np.argsort(order)[y.astype(int)]
    assert auc(renamed, scores[:, order], task) == pytest.approx(auc(y, scores, task), abs=1e-12)
    if task == "multi-label" or all(len(set(row)) == len(row) for row in scores.tolist()):
        expected = accuracy(y, scores, task)
        assert accuracy(renamed, scores[:, order], task) == pytest.approx(expected, abs=1e-12)


@given(case=cases(tasks=("binary",)))
def test_exchanging_the_two_labels_turns_the_curve_over(case):
    y, scores, _ = case
    assert auc(1 - y, scores, "binary") == pytest.approx(1 - auc(y, scores, "binary"), abs=1e-12)
    low, high = auc_interval(*thicken(y, scores))
    flipped = auc_interval(*thicken(1 - y, scores))
    assert flipped == pytest.approx((1 - high, 1 - low), abs=1e-9)


def thicken(y, scores):
    """Return the rows twice, so that there are two of each label."""
    return np.concatenate([y, y]), np.concatenate([scores, scores])


@pytest.mark.parametrize("task", SCORED_TASKS)
def test_auc_sees_only_the_order_of_scores(task):
    rng = np.random.default_rng(2)
    columns = 2 if task == "binary" else 4
    y = rng.integers(2, size=(80, 4)) if task == "multi-label" else rng.integers(columns, size=80)
    logits = rng.normal(size=(80, columns)) * 3
    assert auc(y, logits, task) == pytest.approx(auc(y, 1 / (1 + np.exp(-logits)), task), abs=1e-15)


# Wilson's interval


def test_wilson_by_hand():
    # z² = 3.841459. k = 0: (z²/2 -+ z²/2) / (n + z²), so 0 and z² / (10 + z²) = 3.841459 / 13.841459
    assert wilson_interval(0, 10) == (0.0, pytest.approx(0.2775328, abs=1e-7))
    assert wilson_interval(10, 10) == (pytest.approx(0.7224672, abs=1e-7), 1.0)
    # k = n/2: 1/2 -+ z sqrt(10/4 + z²/4) / (n + z²) = 1/2 -+ z / (2 sqrt(n + z²)) = 1/2 -+ 1.959964 / 7.440822
    assert wilson_interval(5, 10) == pytest.approx((0.2365931, 0.7634069), abs=1e-7)
    # n = 1: 1 of 1 is from 1 / (1 + z²)
    assert wilson_interval(1, 1) == (pytest.approx(0.2065493, abs=1e-7), 1.0)
    # middle (131 + 1.920729) / 159.841459 = 0.8315784
    # reach 1.959964 sqrt(131 * 25 / 156 + 0.960365) / 159.841459 = 1.959964 * 4.685469 / 159.841459 = 0.0574531
    assert wilson_interval(131, 156) == pytest.approx((0.7741253, 0.8890315), abs=1e-6)


def test_wilson_at_the_size_of_breastmnist():
    # MedMNIST's Breast has 156 test rows; an accuracy of .863 (134.6 of them) is known to .054 either way.
    # 134 right: reach 1.959964 sqrt(134 * 22 / 156 + 0.960365) / 159.841459 = 0.0546417
    # 135 right: reach 1.959964 sqrt(135 * 21 / 156 + 0.960365) / 159.841459 = 0.0536359
    for right, reach in ((134, 0.0546417), (135, 0.0536359)):
        low, high = wilson_interval(right, 156)
        assert (high - low) / 2 == pytest.approx(reach, abs=1e-7)


@pytest.mark.parametrize(
    ("successes", "n", "ends"),
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_wilson_as_published(successes, n, ends):
    # R. G. Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3
    assert wilson_interval(successes, n) == pytest.approx(ends, abs=5e-5)


@given(n=st.integers(1, 10**6), share=st.floats(0, 1))
def test_wilsons_ends_are_where_the_score_test_turns(n, share):
    k = round(share * n)
    low, high = wilson_interval(k, n)
    z = NormalDist().inv_cdf(0.975)
    assert 0 <= low <= k / n <= high <= 1
    for end in {low, high} - {0.0, 1.0}:
        assert abs(k / n - end) == pytest.approx(z * math.sqrt(end * (1 - end) / n), rel=1e-6)
    assert wilson_interval(n - k, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_wilson_narrows_with_rows():
    widths = [np.subtract(*wilson_interval(9 * n, 10 * n)[::-1]) for n in (1, 10, 100, 10000)]
    assert sorted(widths, reverse=True) == widths


def test_wilson_covers_as_often_as_it_says():
    # Exactly, not by simulation: the chance of every k, and whether its interval holds the share.
    for n in (20, 156, 624):
        intervals = [wilson_interval(k, n) for k in range(n + 1)]
        covered = []
        for share in np.linspace(0.05, 0.95, 19):
            chances = [
                math.comb(n, k) * share**k * (1 - share) ** (n - k)
                for k, (low, high) in enumerate(intervals)
                if low <= share <= high
            ]
            covered.append(sum(chances))
        assert np.mean(covered) == pytest.approx(0.95, abs=0.01)
        assert min(covered) > 0.90


# DeLong's interval


def test_delong_by_hand():
    # label 1: 0.9, 0.6, 0.4    label 0: 0.6, 0.2
    # V10: 0.9 above both 1; 0.6 half and one 0.75; 0.4 one 0.5.    mean A = 0.75, variance 0.0625
    # V01: 0.6 below 1, half, 0 = 0.5; 0.2 below all 1.             mean A = 0.75, variance 0.125
    # var A = 0.0625 / 3 + 0.125 / 2 = 1/12; on the logit scale: sqrt(1/12) / (0.75 * 0.25) = 1.539601
    # logit A = ln 3 = 1.098612; ends 1.098612 -+ 1.959964 * 1.539601 = -1.918950, 4.116174
    # 1 / (1 + e^1.918950) = 0.127979, 1 / (1 + e^-4.116174) = 0.983955
    y = np.array([1, 1, 1, 0, 0])
    scores = np.array([[0.9], [0.6], [0.4], [0.6], [0.2]])
    assert auc_interval(y, scores) == pytest.approx((0.127979, 0.983955), abs=1e-6)
    assert auc_interval(y[:, None], np.hstack([1 - scores, scores])) == auc_interval(y, scores)


@given(case=cases(tasks=("binary",)))
def test_delong_is_that_of_all_pairs(case):
    y, scores = thicken(*case[:2])
    expected = literal_auc_interval(y.ravel(), scores[:, -1])
    assert auc_interval(y, scores) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("m", "n"), [(2, 2), (2, 90), (114, 42), (200, 150)])
def test_delong_is_that_of_all_pairs_on_more_rows(m, n, ties):
    y, scores = binary_case(m, n, 1.0, seed=m + n, ties=ties)
    expected = literal_auc_interval(y, scores[:, 0])
    assert auc_interval(y, scores) == pytest.approx(expected, abs=1e-12)
    low, high = auc_interval(y, scores)
    assert low <= auc(y, scores, "binary") <= high


def test_delong_has_no_width_where_the_rows_hold_no_measure_of_the_error():
    y = np.array([0, 0, 1, 1])
    assert auc_interval(y, np.array([[0.1], [0.2], [0.8], [0.9]])) == (1, 1)
    assert auc_interval(y, np.array([[0.8], [0.9], [0.1], [0.2]])) == (0, 0)
    assert auc_interval(y, np.full((4, 1), 0.3)) == pytest.approx((0.5, 0.5), abs=1e-15)


def test_delong_near_1_stays_below_it():
    # One of 40 * 60 pairs is the wrong way round: A = 2399/2400.
    scores = np.concatenate([np.arange(61.0, 100), [59.5], np.arange(1.0, 61)])[:, None]
    low, high = auc_interval(np.repeat([1, 0], [40, 60]), scores)
    assert 0.9 < low < 2399 / 2400 < high < 1


@pytest.mark.parametrize(("area", "m", "n"), [(0.7, 40, 60), (0.9, 40, 60), (0.9, 114, 42)])
def test_delong_covers_about_as_often_as_it_says(area, m, n):
    # Normal scores a shift d apart have A = Phi(d / sqrt 2). The error of a share of 500 is 0.01.
    shift = NormalDist().inv_cdf(area) * math.sqrt(2)
    held = 0
    for seed in range(500):
        low, high = auc_interval(*binary_case(m, n, shift, seed))
        held += low <= area <= high
    assert 0.925 <= held / 500 <= 0.975


# Counts and shares of a binary task


def test_binary_scores_by_hand():
    #          called 1   called 0
    # label 1     3          1       sensitivity 3/4
    # label 0     2          4       specificity 4/6 (one of them at 0.5 exactly), precision 3/5
    y = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    scores = np.array([0.9, 0.8, 0.51, 0.2, 0.7, 0.6, 0.5, 0.4, 0.1, 0.0])[:, None]
    result = binary_scores(y, scores)
    assert result == BinaryScores(
        sensitivity=Share(3 / 4, *wilson_interval(3, 4)),
        specificity=Share(4 / 6, *wilson_interval(4, 6)),
        precision=Share(3 / 5, *wilson_interval(3, 5)),
    )
    assert {type(number) for share in result for number in share} == {float}
    assert binary_scores(y[:, None], np.hstack([scores, scores])) == result


@given(case=cases(tasks=("binary",)))
def test_binary_scores_agree_with_accuracy(case):
    y, scores, task = case
    result = binary_scores(y, scores)
    right = result.sensitivity.value * np.sum(y == 1) + result.specificity.value * np.sum(y == 0)
    assert right / len(y) == pytest.approx(accuracy(y, scores, task), abs=1e-12)
    # Exchange the labels and turn the scores over: sensitivity and specificity change places, 1/2 aside.
    clear = np.where(scores == 0.5, 0.6, scores)
    there, back = binary_scores(y, clear), binary_scores(1 - y, 1 - clear)
    assert (there.sensitivity, there.specificity) == (back.specificity, back.sensitivity)


def test_a_share_of_no_rows_is_none():
    nothing = Share(None, 0.0, 1.0)
    assert binary_scores(np.array([0, 1]), np.zeros((2, 1))).precision == nothing  # nobody is called 1
    assert binary_scores(np.array([0, 0]), np.ones((2, 1))).sensitivity == nothing  # nobody has label 1
    assert binary_scores(np.array([1, 1]), np.ones((2, 1))).specificity == nothing  # nobody has label 0


# Result files


def written(folder, scores, name="breastmnist", split="test", run="seed1", auc=0.9008, accuracy=0.8629):
    return write_scores(folder / "new", name, split, run, np.array(scores), {"auc": auc, "accuracy": accuracy})


def test_a_result_file_is_named_as_the_evaluator_names_it(tmp_path):
    for options, name in (
        ({}, "breastmnist_test_[AUC]0.901_[ACC]0.863@seed1.csv"),
        (
            {"name": "pathmnist", "split": "validation", "run": "a", "auc": 1, "accuracy": 0.12345},
            "pathmnist_val_[AUC]1.000_[ACC]0.123@a.csv",
        ),
        (
            {"name": "nodulemnist3d_64", "split": "train", "run": "b-2", "auc": 0, "accuracy": 0.9999},
            "nodulemnist3d_64_train_[AUC]0.000_[ACC]1.000@b-2.csv",
        ),
        ({"name": "my_own_cells"}, "my_own_cells_test_[AUC]0.901_[ACC]0.863@seed1.csv"),
        ({"run": "a@b\\c/d"}, "breastmnist_test_[AUC]0.901_[ACC]0.863@a-b-c-d.csv"),
    ):
        assert written(tmp_path, [[0.5]], **options) == tmp_path / "new" / name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "^name: ''"),
        ("../breast", r"^name: '\.\./breast' cannot be part of a file name"),
        ("a@b", "^name: 'a@b'"),
    ],
)
def test_a_result_file_has_no_name_that_cannot_be_read(tmp_path, name, message):
    with pytest.raises(UsageError, match=message):
        written(tmp_path, [[0.5]], name=name)
    assert not list(tmp_path.iterdir())


@settings(max_examples=25)
@given(
    rows=st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3), min_size=1)
)
def test_result_rows_read_back_exactly(tmp_path_factory, rows):
    text = written(tmp_path_factory.mktemp("scores"), rows).read_text()
    table = list(csv.reader(text.splitlines()))
    assert [int(row[0]) for row in table] == list(range(len(rows)))
    assert [[float(cell) for cell in row[1:]] for row in table] == rows
    assert text.endswith("\n")


def test_result_rows_of_single_precision_read_back_exactly(tmp_path):
    scores = np.random.default_rng(1).uniform(size=(50, 2)).astype(np.float32)
    np.testing.assert_array_equal(np.loadtxt(written(tmp_path, scores), delimiter=",")[:, 1:], scores)
    assert written(tmp_path, [[1], [0]]).read_text() == "0,1.0\n1,0.0\n"


# Errors


@pytest.mark.parametrize("task", ["regression", "binary-class", ""])
@pytest.mark.parametrize("score", [auc, accuracy])
def test_a_task_without_auc_and_accuracy_is_refused(score, task):
    with pytest.raises(
        UsageError, match=f"^task: '{task}' has no AUC and accuracy; those that have: multi-class, "
    ):
        score(np.array([0, 1]), np.array([[0.1], [0.9]]), task)


@pytest.mark.parametrize(
    ("y", "columns", "task", "message"),
    [
        ([0, 0, 0], 1, "binary", "label 1 occurs on no row"),
        ([1, 1, 1], 2, "binary", "label 1 occurs on every row"),
        ([0, 2, 2], 3, "multi-class", "class 1 occurs on no row"),
        ([0, 1, 1], 3, "ordinal", "class 2 occurs on no row"),
        ([1, 1, 1], 2, "multi-class", "class 0 occurs on no row"),
        ([[0, 1], [1, 1], [1, 1]], 2, "multi-label", "label 1 occurs on every row"),
        ([[0], [0], [0]], 1, "multi-label", "label 0 occurs on no row"),
    ],
)
def test_an_undefined_auc_names_the_label(y, columns, task, message):
    scores = np.random.default_rng(0).uniform(size=(3, columns))
    with pytest.raises(DataError, match=f"^y: {message}; its AUC needs rows with and without it$"):
        auc(np.array(y), scores, task)
    assert 0 <= accuracy(np.array(y), scores, task) <= 1
    if task == "binary":
        with pytest.raises(DataError, match=f"^y: {message}"):
            auc_interval(np.array(y), scores)


@pytest.mark.parametrize(
    ("y", "scores", "task", "message"),
    [
        ([0, 1], [0.1, 0.9], "binary", r"^scores: shape \(2,\); give \(n, columns\)"),
        ([], np.zeros((0, 2)), "binary", r"^scores: shape \(0, 2\)"),
        ([0, 1], [[0.1], [math.nan]], "binary", "^scores: nan in row 2, column 1; give finite numbers"),
        ([0, 1], [[0, 1], [0, -math.inf]], "multi-class", "^scores: -inf in row 2, column 2"),
        ([0, 1], np.ones((2, 3)), "binary", "^scores: 3 columns; a binary task has one, or two"),
        ([0, 0], np.ones((2, 1)), "ordinal", "^scores: one column; the ordinal task has one for each class"),
        ([0, 1, 1], np.ones((2, 1)), "binary", r"^y: shape \(3,\), scores: shape \(2, 1\); .* needs y of \(2,\)"),
        ([[0, 1], [1, 0]], np.ones((2, 2)), "multi-class", r"^y: shape \(2, 2\)"),
        ([0, 1], np.ones((2, 2)), "multi-label", r"^y: shape \(2,\), .* needs y of \(2, 2\)"),
        ([[0, 1, 0], [1, 0, 1]], np.ones((2, 2)), "multi-label", r"^y: shape \(2, 3\)"),
        ([0, 2], np.ones((2, 2)), "binary", "^y: the label 2 is none of 0 to 1$"),
        ([-1, 1], np.ones((2, 1)), "binary", "^y: the label -1 is none of 0 to 1$"),
        ([0, 3], np.ones((2, 3)), "multi-class", "^y: the label 3 is none of 0 to 2$"),
        ([0, 0.5], np.ones((2, 3)), "ordinal", "^y: the label 0.5 is none of 0 to 2$"),
        ([0, math.nan], np.ones((2, 3)), "ordinal", "^y: the label nan is none of 0 to 2$"),
        ([[0, 1], [1, 2]], np.ones((2, 2)), "multi-label", "^y: the label 2 is none of 0 to 1$"),
    ],
)
def test_labels_and_scores_that_do_not_fit_are_refused(y, scores, task, message):
    for score in (auc, accuracy):
        with pytest.raises(DataError, match=message):
            score(np.array(y), np.array(scores), task)
    if task == "binary":
        for binary in (auc_interval, binary_scores):
            with pytest.raises(DataError, match=message):
                binary(np.array(y), np.array(scores))


def test_result_rows_refuse_what_is_no_table_of_numbers(tmp_path):
    with pytest.raises(DataError, match=r"^scores: shape \(3,\)"):
        written(tmp_path, np.zeros(3))
    with pytest.raises(DataError, match=r"^scores: inf in row 1, column 2"):
        written(tmp_path, [[1.0, math.inf]])


@pytest.mark.parametrize("y", [[0, 1, 1], [0, 0, 1]])
def test_a_variance_needs_two_rows_of_each_label(y):
    with pytest.raises(
        DataError, match=r"^y: the variance of an AUC needs at least two rows with label 1 and two"
    ):
        auc_interval(np.array(y), np.array([[0.1], [0.5], [0.9]]))


def test_a_share_is_of_at_least_one_trial_and_at_most_all():
    with pytest.raises(UsageError, match=r"^n: 0 trials"):
        wilson_interval(0, 0)
    for successes in (-1, 11):
        with pytest.raises(UsageError, match=f"^successes: {successes} of 10 trials; give a number from 0 to 10"):
            wilson_interval(successes, 10)


def test_nothing_that_is_passed_in_is_changed():
    y, scores = np.array([[0], [1], [1], [0]], dtype=np.uint8), np.array([[0.2], [0.7], [0.4], [0.5]])
    before = y.copy(), scores.copy()
    for array in (y, scores):
        array.flags.writeable = False
    auc(y, scores, "binary"), accuracy(y, scores, "binary"), auc_interval(y, scores), binary_scores(y, scores)
    np.testing.assert_array_equal(y, before[0])
    np.testing.assert_array_equal(scores, before[1])


# Real scores


@pytest.fixture(scope="module")
def pneumonia(fashion_mnist_home):
    """Labels of PneumoniaMNIST's training and test rows, and the test rows' scores by a logistic regression."""
    from sklearn.linear_model import LogisticRegression

    path = Path(fashion_mnist_home) / "medmnist" / "pneumoniamnist.npz"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    with np.load(path, allow_pickle=False) as data:
        X, X_test = (data[f"{split}_images"].reshape(-1, 784) / 255 for split in ("train", "test"))
        y, y_test = data["train_labels"], data["test_labels"]
    model = LogisticRegression(C=0.01, max_iter=1000).fit(X[::4], y[::4].ravel())
    return y, y_test, model.predict_proba(X_test)


@pytest.mark.real_data
def test_scores_of_a_logistic_regression_on_pneumoniamnist(pneumonia, tmp_path):
    from sklearn.metrics import confusion_matrix

    y_train, y, scores = pneumonia
    assert (y_train.mean(), y.mean()) == pytest.approx((0.742, 0.625), abs=5e-4)
    area, share = auc(y, scores, "binary"), accuracy(y, scores, "binary")
    assert area == pytest.approx(literal_auc(y, scores, "binary"), abs=1e-12)
    assert share == literal_accuracy(y, scores, "binary")
    assert auc(y, scores[:, 1:], "binary") == area
    # Of two classes each against the rest, with scores that add up to 1, both have the AUC of the binary task.
    assert auc(y, scores, "multi-class") == pytest.approx(area, abs=1e-12)
    assert 0.88 < area < 0.95
    assert 0.78 < share < 0.86  # trained on more positives, it calls too many rows positive
    result = binary_scores(y, scores)
    tn, fp, fn, tp = confusion_matrix(y, scores[:, 1] > 0.5).ravel().tolist()
    shares = ((tp, tp + fn), (tn, tn + fp), (tp, tp + fp))
    assert result == tuple(Share(part / whole, *wilson_interval(part, whole)) for part, whole in shares)
    assert result.sensitivity.low > 0.95 > 0.65 > result.specificity.high
    file = written(tmp_path, scores, "pneumoniamnist", run="glassnet", auc=area, accuracy=share)
    assert file.name == f"pneumoniamnist_test_[AUC]{area:.3f}_[ACC]{share:.3f}@glassnet.csv"
    np.testing.assert_array_equal(np.loadtxt(file, delimiter=",")[:, 1:], scores)


@pytest.mark.real_data
def test_delong_on_pneumoniamnist_is_about_the_bootstraps(pneumonia):
    _, y, scores = pneumonia
    low, high = auc_interval(y, scores)
    assert (low, high) == pytest.approx(literal_auc_interval(y.ravel(), scores[:, 1]), abs=1e-12)
    rng = np.random.default_rng(0)
    groups = [np.flatnonzero(y.ravel() == label) for label in (0, 1)]
    drawn = [np.concatenate([rng.choice(group, len(group)) for group in groups]) for _ in range(250)]
    resampled = [auc(y[rows], scores[rows], "binary") for rows in drawn]
    assert (low, high) == pytest.approx(np.quantile(resampled, [0.025, 0.975]), abs=0.006)
