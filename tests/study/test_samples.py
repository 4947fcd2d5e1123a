import math
from dataclasses import replace

import numpy as np
import pytest

from glassnet.errors import UsageError
from glassnet.study.results import Row
from glassnet.study.samples import (
    NOTHING,
    ROWS,
    SEEDS,
    SEEDS_AND_ROWS,
    bounds_of,
    choose_margin,
    larger_is_better,
    take_sample,
    value_of,
)

ACCURACY = "validation_accuracy"


# What is better


@pytest.mark.parametrize(
    ("measure", "larger"),
    [
        ("train_loss", False),
        ("validation_log_loss", False),
        ("loss", False),
        ("seconds", False),
        ("validation_mae", False),
        ("validation_accuracy", True),
        ("test_auc", True),
        ("accuracy", True),
        ("validation_r2", True),
        ("train_balanced_accuracy", True),
    ],
)
def test_what_is_better_follows_from_the_name(measure, larger):
    assert larger_is_better(measure) is larger


def test_an_unknown_measure_is_not_guessed_at():
    with pytest.raises(
        UsageError, match=r"^measure: unknown name 'validation_acuracy'; did you mean 'validation_acc"
    ):
        larger_is_better("validation_acuracy")


def test_what_counts():
    row = Row("base", {}, 0, "finished", {ACCURACY: 0.5, "train_loss": math.inf}, seconds=3.0)
    assert value_of(row, ACCURACY) == 0.5
    assert value_of(row, "seconds") == 3.0
    assert value_of(row, "train_loss") is None
    assert value_of(row, "validation_auc") is None
    assert value_of(replace(row, status="failed"), ACCURACY) is None
    assert value_of(replace(row, status="failed"), "seconds") is None


@pytest.mark.parametrize(
    ("measure", "values", "bounds"),
    [
        (ACCURACY, [0.5], (0.0, 1.0)),
        ("validation_r2", [0.5], (-math.inf, 1.0)),
        ("train_loss", [0.5], (0.0, math.inf)),
        ("train_loss", [-2.0, 1.0], (-2.0, math.inf)),
        ("seconds", [], (0.0, math.inf)),
        ("validation_mae", [3.0], (0.0, math.inf)),
    ],
)
def test_what_a_measure_can_be(measure, values, bounds):
    assert bounds_of(measure, values) == bounds


def test_the_margin_is_in_units_of_the_measure():
    assert choose_margin(ACCURACY, [0.5, 0.9]) == choose_margin("validation_r2", [-3.0]) == 0.005
    assert choose_margin("validation_loss", [0.5, 2.0]) == pytest.approx(0.005)  # 1 % of the best
    assert choose_margin("seconds", []) == 0.0
    assert choose_margin(ACCURACY, [0.5], 0.02) == 0.02
    for wrong in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(UsageError, match=r"^margin: .* a number above 0"):
            choose_margin(ACCURACY, [0.5], wrong)


# What is known of the rows


def runs(seeds=3, variants=2, **known):
    rng = np.random.default_rng(0)
    return [
        [
            Row(f"v{v}", {}, seed, "finished", {ACCURACY: float(rng.random()), "train_loss": 1.0}, **known)
            for v in range(variants)
        ]
        for seed in range(seeds)
    ]


KNOWN = {"split": "a", "validation_rows": 100, "training_rows": 400}


def test_unknown_rows_leave_the_seeds():
    made = runs()
    sample = take_sample(made, ACCURACY)
    assert (sample.covers, sample.overlap, sample.rows, sample.values.shape) == (SEEDS, 0.0, 0.0, (3, 1, 2))
    numbers = [[row.measures[ACCURACY] for row in line] for line in made]
    assert sample.by_seed == pytest.approx(np.array(numbers))
    assert take_sample(runs(seeds=1), ACCURACY).covers == NOTHING


def test_other_rows_at_every_seed_overlap_in_training():
    made = [[replace(row, **KNOWN | {"split": f"{row.seed}"}) for row in line] for line in runs()]
    sample = take_sample(made, ACCURACY)
    assert (sample.covers, sample.overlap) == (SEEDS_AND_ROWS, 0.25)
    assert sample.rows == pytest.approx(100 / (1 / 3 + 1 / 4))
    assert take_sample(made, "train_loss").covers == SEEDS  # no validation row is in it
    made[1] = [replace(row, split="0") for row in made[1]]  # two of three seeds have the same rows
    assert take_sample(made, ACCURACY).covers == SEEDS


def test_the_same_rows_speak_through_their_groups():
    groups = np.random.default_rng(1).random((3, 2, 4))
    made = [
        [
            replace(
                row, **KNOWN, groups={ACCURACY: groups[s, v].tolist()}, measures={ACCURACY: groups[s, v].mean()}
            )
            for v, row in enumerate(line)
        ]
        for s, line in enumerate(runs())
    ]
    sample = take_sample(made, ACCURACY)
    assert (sample.covers, sample.overlap, sample.rows) == (SEEDS_AND_ROWS, 0.0, 100)
    assert sample.values * sample.scale == pytest.approx(groups.swapaxes(1, 2))
    difference = sample.contrast(np.array([[1.0], [-1.0]]))
    assert difference.values[..., 0] * sample.scale == pytest.approx(groups[:, 0] - groups[:, 1])
    assert take_sample(made[:1], ACCURACY).covers == ROWS
    made[0][0] = replace(made[0][0], groups={})
    assert take_sample(made, ACCURACY).covers == SEEDS  # and no pretence that more was known
    made[0][0] = replace(made[0][0], groups={ACCURACY: [0.5] * 3})
    assert take_sample(made, ACCURACY).covers == SEEDS
