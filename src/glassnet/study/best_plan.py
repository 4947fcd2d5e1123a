"""The best levels of all factors together: a variant that a study of one factor at a time does not run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glassnet.errors import DataError, UsageError
from glassnet.study.design import Study
from glassnet.study.recommendation import Recommendation, recommend
from glassnet.study.results import Row
from glassnet.study.specification import load_study
from glassnet.study.statistics import Comparison, Summary, compare, summarise
from glassnet.study.study_folder import STUDY_FILE
from glassnet.study.suggestions import find_best_levels


@dataclass(frozen=True)
class BestPlan:
    """The best level of each factor by itself, put together, beside the winner of the study.

    Attributes
    ----------
    variant : str
        Of the levels together.
    levels : dict of str to str
        The best level of every factor, found with the other factors as in the base.
    winner : str
        What the study recommends without this variant.
    mean, winner_mean : float or None
        Of the measure, over the seeds; None without a run that counts.
    expected : float or None
        What the levels together would reach if their gains over the base added up; None where the base or a level
        has no run that counts.
    comparison : Comparison
        Of the levels together with the winner, seed by seed.
    """

    variant: str
    levels: dict[str, str]
    winner: str
    mean: float | None
    winner_mean: float | None
    expected: float | None
    comparison: Comparison


def check_factors(study: Study) -> None:
    """Refuse a study whose levels cannot be put together."""
    if study.design == "list":
        raise UsageError("best", "puts the best levels of factors together, and a list has none; leave it out")


def keep_together(study: Study, folder: str | Path) -> Study:
    """Return a study with the levels that were run together in its folder before, so that it goes on with them.

    A folder of another study says nothing.
    """
    path = Path(folder) / STUDY_FILE
    if not path.is_file():
        return study
    before = load_study(path)
    if before.fingerprint() == study.fingerprint():
        for levels in before.together:
            study = _add(study, levels)
    return study


def add_best_plan(study: Study, rows: Sequence[Row]) -> Study:
    """Return a study with the best levels of its factors together as one more variant, if they were not run yet.

    A level with a sick, collapsed or far-off run is none of the best. Where no variant finished with every seed,
    none is known.
    """
    try:
        levels, _ = choose_levels(study, rows)
    except DataError:
        return study
    return _add(study, levels)


def _add(study: Study, levels: dict[str, str]) -> Study:
    """Return a study with these levels together, unless they are one of its variants."""
    there = {variant.name for variant in study.variants()}
    return study if study.variant(levels).name in there else study.with_together(levels)


def compare_best_plan(study: Study, rows: Sequence[Row], level: float, margin: float) -> BestPlan | None:
    """Return the best levels together beside the winner; None if they were not run, or the design has them."""
    try:
        levels, found = choose_levels(study, rows)
    except DataError:
        return None
    plan, designed = study.variant(levels).name, [variant.name for variant in study.designed()]
    runs = [row for row in rows if row.variant in (plan, found.variant)]
    if plan in designed or all(row.variant != plan for row in runs):
        return None
    summaries = {one.variant: one for one in summarise(rows, study.measure, level)}
    [comparison] = compare(runs, found.variant, study.measure, level, margin)
    return BestPlan(
        variant=plan,
        levels=levels,
        winner=found.variant,
        mean=summaries[plan].mean,
        winner_mean=summaries[found.variant].mean,
        expected=_add_gains(study, levels, summaries),
        comparison=comparison,
    )


def choose_levels(study: Study, rows: Sequence[Row]) -> tuple[dict[str, str], Recommendation]:
    """Return the best level of each factor by itself, and what the design without them together recommends.

    If no variant finished with every seed, that is a `DataError`.
    """
    designed = {variant.name for variant in study.designed()}
    own = [row for row in rows if row.variant in designed]
    found = recommend(own, study.measure, study.levels(), margin=study.margin)
    sound = [one for one in found.summaries if one.variant not in found.unsound]
    return find_best_levels(sound or found.summaries, own, study.levels()), found


def _add_gains(study: Study, levels: dict[str, str], summaries: dict[str, Summary]) -> float | None:
    """Return the base's mean plus what each level gains by itself."""
    means = [
        summaries[name].mean if name in summaries else None
        for name in (study.variant({}).name, *(study.variant({name: at}).name for name, at in levels.items()))
    ]
    base, known = means[0], [mean for mean in means[1:] if mean is not None]
    if base is None or len(known) < len(levels):
        return None
    return base + sum(mean - base for mean in known)
