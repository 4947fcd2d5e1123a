"""What the rows of a study show: means, differences, interactions and a recommendation, computed once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, FileError, GlassnetError
from glassnet.study.best_plan import BestPlan, compare_best_plan
from glassnet.study.design import BASE, Study, change_config
from glassnet.study.fairness import check
from glassnet.study.interactions import InteractionTest, interaction_test_of
from glassnet.study.likeness import Likeness, compare_levels
from glassnet.study.recommendation import Recommendation, recommend
from glassnet.study.results import Row
from glassnet.study.samples import choose_margin
from glassnet.study.statistics import Comparison, Summary, compare, summarise
from glassnet.training.config import RunConfig
from glassnet.training.run import load_data

#: Which rows the runs of a study were judged on.
SPLIT_BY_SEED, SAME_ROWS, UNKNOWN_ROWS = "split-by-seed", "same-rows", "unknown-rows"

#: Significance level of all tests; the intervals hold the mean in 1 - LEVEL of the cases.
LEVEL = 0.05


@dataclass(frozen=True)
class StudyFindings:
    """A study with its rows, by variant in the order of the study and by seed, and what follows from them.

    `missing` counts the runs without a row. `comparisons` are with the base, and empty where that has no row.
    `problem` says why nothing is recommended. `fairness` says what the levels of each factor change beside what
    they set. `margin` is the smallest difference that matters, in units of the measure. `split` says which rows
    the runs were judged on: `SPLIT_BY_SEED`, `SAME_ROWS`, or `UNKNOWN_ROWS`. `best_plan` has the best levels of
    all factors together; None where they were not run, or the design has them.
    """

    study: Study
    folder: Path
    rows: list[Row]
    missing: int
    summaries: list[Summary]
    comparisons: list[Comparison]
    recommendation: Recommendation | None
    problem: str
    interaction_test: InteractionTest | None
    fairness: list[Likeness]
    margin: float
    split: str
    best_plan: BestPlan | None


def gather_findings(
    study: Study, folder: str | Path, rows: Sequence[Row], load: Callable[[RunConfig], Dataset] = load_data
) -> StudyFindings:
    """Compute what follows from the rows of a study; `FileError` if there is none. No test row is read.

    The rows may stand in any order. Some may be missing; rows of other variants, levels or seeds are left out.
    `load` returns the data set of a configuration: the initial parameters depend on its columns and classes.
    """
    places = [(variant.name, seed) for variant in study.variants() for seed in study.seeds]
    levels = {variant.name: variant.levels for variant in study.variants()}
    by_place = {(row.variant, row.seed): row for row in rows if row.levels == levels.get(row.variant)}
    ordered = [by_place[place] for place in places if place in by_place]
    if not ordered:
        raise FileError(folder, "holds no row of the study yet; run it first")
    recommendation, problem = None, ""
    summaries = summarise(ordered, study.measure, LEVEL)
    margin = choose_margin(study.measure, (one.mean for one in summaries if one.mean is not None), study.margin)
    try:
        recommendation = recommend(
            ordered, study.measure, study.levels(), LEVEL, margin, partial(fits, study, load)
        )
    except DataError as error:
        problem = str(error)
    return StudyFindings(
        study=study,
        folder=Path(folder),
        rows=ordered,
        missing=len(places) - len(ordered),
        summaries=summaries,
        comparisons=compare(ordered, BASE, study.measure, LEVEL, margin) if ordered[0].variant == BASE else [],
        recommendation=recommendation,
        problem=problem,
        interaction_test=interaction_test_of(study, ordered, LEVEL, margin),
        fairness=compare_levels(study, load),
        margin=margin,
        split=_describe_split(ordered),
        best_plan=compare_best_plan(study, ordered, LEVEL, margin),
    )


def _describe_split(rows: Sequence[Row]) -> str:
    """Return which rows the runs were judged on."""
    by_seed: dict[int, set[str]] = {}
    for row in rows:
        by_seed.setdefault(row.seed, set()).add(row.split)
    splits = set().union(*by_seed.values())
    if "" in splits:
        return UNKNOWN_ROWS
    return SAME_ROWS if len(splits) == 1 else SPLIT_BY_SEED


def fits(study: Study, load: Callable[[RunConfig], Dataset], factor: str, level: str) -> bool:
    """Whether a factor of a study can have another level, a number: a run could be made of it.

    The factor must set a single option, and the option itself decides.
    """
    changes = next(one.levels for one in study.factors if one.name == factor).values()
    keys = {key for some in changes for key in some}
    if len(keys) != 1:
        return True
    try:
        config = change_config(study.base, {keys.pop(): json.loads(level)})
        check(level, config, load(config), study.measure)
    except GlassnetError:
        return False
    return True
