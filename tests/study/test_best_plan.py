"""The best levels of the factors, put together: which they are, and what is said of them."""

import tomllib
from dataclasses import replace

import pytest
from tests.study.studies import listed, small

from glassnet.errors import UsageError
from glassnet.study.best_plan import (
    add_best_plan,
    check_factors,
    compare_best_plan,
    keep_together,
)
from glassnet.study.results import Row
from glassnet.study.specification import load_study, study_of
from glassnet.study.study_folder import StudyFolder

STUDY = small(
    seeds=3,
    factors={
        "optimizer": {"levels": ["adam", "sgd(0.1)", "momentum(0.1)"]},
        "activation": {"levels": ["relu", "tanh"]},
        "dropout": {"levels": [0.2, 0.5]},
    },
)
FIGURES = {
    "base": 0.80,
    "optimizer=sgd(0.1)": 0.83,
    "optimizer=momentum(0.1)": 0.85,
    "activation=tanh": 0.82,
    "dropout=0.5": 0.70,
}
PLAN = "optimizer=momentum(0.1), activation=tanh"
LEVELS = {"optimizer": "momentum(0.1)", "activation": "tanh", "dropout": "0.2"}


def rows_of(study=STUDY, **figures):
    """Rows with a mean for each variant; that of the second seed is a little higher."""
    known = FIGURES | figures
    return [
        Row(one.name, one.levels, seed, "finished", {study.measure: known[one.name] + (seed == 1) / 100})
        for one in study.variants()
        for seed in study.seeds
    ]


def test_the_best_level_of_every_factor_is_put_together():
    more = add_best_plan(STUDY, rows_of())
    assert more.together == (LEVELS,)
    assert [one.name for one in more.variants()][-1] == PLAN
    assert more.variants()[:-1] == STUDY.variants()
    assert more.fingerprint() == STUDY.fingerprint()
    assert more.seeds == STUDY.seeds
    assert add_best_plan(more, rows_of(more, **{PLAN: 0.1})) is more  # judged by the design alone


def test_less_is_better_for_a_loss():
    study = replace(STUDY, measure="validation_loss")
    other = small(measure="validation_loss", seeds=2)
    figures = {"base": 0.8, "optimizer=sgd(0.1)": 0.7, "activation=tanh": 0.75}
    assert add_best_plan(other, rows_of(other, **figures)).together == (
        {"optimizer": "sgd(0.1)", "activation": "tanh"},
    )
    assert add_best_plan(study, rows_of(study)) is study  # dropout alone is better than the base


def test_a_level_that_collapsed_is_none_of_the_best():
    rows = [
        replace(row, health=[{"kind": "x", "sick": True}]) if "momentum" in row.variant and row.seed == 2 else row
        for row in rows_of()
    ]
    levels = LEVELS | {"optimizer": "sgd(0.1)"}
    assert add_best_plan(STUDY, rows).together == (levels,)
    lost = [replace(row, status="diverged") if row.variant == "activation=tanh" else row for row in rows]
    # one factor is left that has a better level than the base's: that variant is there
    assert add_best_plan(STUDY, lost) is STUDY


def test_where_the_base_failed_the_others_are_put_together_all_the_same():
    rows = [replace(row, status="failed") if row.variant == "base" else row for row in rows_of()]
    assert add_best_plan(STUDY, rows).together == (LEVELS | {"dropout": "0.5"},)


def test_nothing_is_known_where_no_variant_finished():
    rows = [replace(row, status="failed", measures={}) for row in rows_of()]
    assert add_best_plan(STUDY, rows) is STUDY
    assert compare_best_plan(STUDY, rows, 0.05, 0.005) is None


def test_it_is_compared_with_the_winner_seed_by_seed():
    study = add_best_plan(STUDY, rows_of())
    rows = rows_of(study, **{PLAN: 0.88})
    rows[-1] = replace(rows[-1], measures={study.measure: 0.89})
    found = compare_best_plan(study, rows, 0.05, 0.005)
    assert (found.variant, found.levels, found.winner) == (PLAN, LEVELS, "optimizer=momentum(0.1)")
    assert found.comparison.values == pytest.approx([0.03, 0.03, 0.04])
    assert found.comparison.base == found.winner
    assert found.mean == pytest.approx(0.88 + 0.02 / 3)
    assert found.winner_mean == pytest.approx(0.85 + 0.01 / 3)
    # 0.80 and the gains of 0.05 and 0.02, with the same seeds
    assert found.expected == pytest.approx(0.87 + 0.01 / 3)
    assert compare_best_plan(study, rows_of(), 0.05, 0.005) is None  # not run yet
    assert compare_best_plan(STUDY, rows, 0.05, 0.005).variant == PLAN  # the rows say enough


def test_it_is_no_plan_where_the_design_has_it():
    whole = small(seeds=2, design="factorial")
    rows = [
        Row(one.name, one.levels, seed, "finished", {whole.measure: 0.5 + seed / 10})
        for one in whole.variants()
        for seed in whole.seeds
    ]
    assert add_best_plan(whole, rows) is whole
    assert compare_best_plan(whole, rows, 0.05, 0.005) is None


def test_a_folder_keeps_what_was_run_together(tmp_path):
    study = add_best_plan(STUDY, rows_of())
    assert keep_together(STUDY, tmp_path / "new") is STUDY
    with StudyFolder(tmp_path / "s").hold(study):
        pass
    assert load_study(tmp_path / "s" / "study.toml") == study
    grown = replace(STUDY, seeds=(0, 1, 2, 3))
    kept = keep_together(grown, tmp_path / "s")
    assert (kept.together, kept.seeds) == (study.together, grown.seeds)
    assert keep_together(kept, tmp_path / "s") is kept
    short = STUDY.with_together({name: label for name, label in LEVELS.items() if name != "dropout"})
    assert keep_together(short, tmp_path / "s") is short  # the same variant, told in fewer words
    other = small(factors={"optimizer": {"levels": ["adam", "sgd(0.2)"]}})
    assert keep_together(other, tmp_path / "s") is other


def test_a_list_has_no_levels_to_put_together():
    check_factors(STUDY)
    with pytest.raises(UsageError, match="best: puts the best levels of factors together, and a list has none"):
        check_factors(listed({"slow": {"training.optimizer": "sgd(0.01)"}}))


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ({"optimiser": "adam"}, "together: unknown name 'optimiser'; did you mean 'optimizer'?"),
        ({"optimizer": "nag"}, r"together\.optimizer: unknown name 'nag'"),
        ({"optimizer": "sgd(0.1)"}, r"together: optimizer=sgd\(0\.1\) is run anyway; leave it out"),
        ({}, "together: base is run anyway; leave it out"),
    ],
)
def test_a_file_that_puts_the_wrong_levels_together_is_refused(levels, said):
    with pytest.raises(UsageError, match=said):
        study_of(tomllib.loads(STUDY.text) | {"together": [levels]})


def test_a_list_cannot_have_any_together():
    text = listed({"slow": {"training.optimizer": "sgd(0.01)"}}).text
    with pytest.raises(UsageError, match="together: combines levels of factors, and a list has none"):
        study_of(tomllib.loads(text) | {"together": [{"variant": "slow"}]})
