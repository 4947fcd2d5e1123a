"""What the rows of a study show: means, differences, interactions and a recommendation, computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, FileError
from glassnet.study.design import BASE, Study
from glassnet.study.interactions import InteractionTest, interaction_test_of
from glassnet.study.likeness import Likeness, compare_levels
from glassnet.study.recommendation import Recommendation, recommend
from glassnet.study.results import Row
from glassnet.study.statistics import Comparison, Summary, compare, summarise
from glassnet.training.config import RunConfig
from glassnet.training.run import load_data

#: Significance level of all tests; the intervals hold the mean in 1 - LEVEL of the cases.
LEVEL = 0.05


@dataclass(frozen=True)
class StudyFindings:
    """A study with its rows, by variant in the order of the study and by seed, and what follows from them.

    `missing` counts the runs without a row. `comparisons` are with the base, and empty where that has no row.
    `problem` says why nothing is recommended. `fairness` says what the levels of each factor change beside what
    they set.
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


def gather_findings(
    study: Study, folder: str | Path, rows: Sequence[Row], load: Callable[[RunConfig], Dataset] = load_data
) -> StudyFindings:
    """Compute what follows from the rows of a study; `FileError` if there is none. No test row is read.

    The rows may stand in any order. Some may be missing; rows of other variants or seeds are left out. `load`
    returns the data set of a configuration: the initial parameters depend on its columns and classes.
    """
    places = [(variant.name, seed) for variant in study.variants() for seed in study.seeds]
    by_place = {(row.variant, row.seed): row for row in rows}
    ordered = [by_place[place] for place in places if place in by_place]
    if not ordered:
        raise FileError(folder, "holds no row of the study yet; run it first")
    recommendation, problem = None, ""
    try:
        recommendation = recommend(ordered, study.measure, study.levels(), LEVEL)
    except DataError as error:
        problem = str(error)
    return StudyFindings(
        study=study,
        folder=Path(folder),
        rows=ordered,
        missing=len(places) - len(ordered),
        summaries=summarise(ordered, study.measure, LEVEL),
        comparisons=compare(ordered, BASE, study.measure, LEVEL) if ordered[0].variant == BASE else [],
        recommendation=recommendation,
        problem=problem,
        interaction_test=interaction_test_of(study, ordered, LEVEL),
        fairness=compare_levels(study, load),
    )
