"""What follows from the rows of a study, gathered for its report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, FileError
from glassnet.study.design import BASE, Study
from glassnet.study.finalist import Finalist, are_open, median_run, missing_runs, read_finalist
from glassnet.study.independence import Independence, independence_of
from glassnet.study.recommendation import Recommendation, recommend
from glassnet.study.results import Row
from glassnet.study.statistics import Comparison, Summary, compare, summarise
from glassnet.training.config import RunConfig

#: Of all tests and intervals.
LEVEL = 0.05


@dataclass(frozen=True)
class Findings:
    """A study with its rows in the order of variants and seeds, and what follows from them.

    Attributes
    ----------
    study : Study
    folder : Path
    rows : list of Row
    missing : int
        Runs without a row.
    summaries : list of Summary
    comparisons : list of Comparison
        With the base.
    recommendation : Recommendation or None
        None where nothing can be recommended.
    independence : Independence or None
        None where the design is no factorial of two factors or more.
    finalist : Finalist or None
        The recommended plan on the test rows; None where these are closed, or were opened for another or for all.
    opened : bool
        Whether the test rows were opened for all runs.
    starts : dict of str to bool
        Whether each factor changes the initial parameters.
    """

    study: Study
    folder: Path
    rows: list[Row]
    missing: int
    summaries: list[Summary]
    comparisons: list[Comparison]
    recommendation: Recommendation | None
    independence: Independence | None
    finalist: Finalist | None
    opened: bool
    starts: dict[str, bool]


def findings(study: Study, folder: Path, rows: Sequence[Row], load: Callable[[RunConfig], Dataset]) -> Findings:
    """Return what follows from the rows of a study.

    Raises
    ------
    FileError
        If there is no row, or the record of the recommended plan is damaged.
    """
    place = {(one.name, seed): None for one in study.variants() for seed in study.seeds}
    by_place = {(row.variant, row.seed): row for row in rows}
    ordered = [by_place[key] for key in place if key in by_place]
    if not ordered:
        raise FileError(folder, "holds no row of the study yet; run it first")
    levels = study.levels()
    try:
        chosen = recommend(ordered, study.measure, levels, LEVEL)
    except DataError:
        chosen = None
    finalist, missing = read_finalist(folder), missing_runs(study, ordered)
    opened = are_open(study, folder)
    if finalist is not None and (
        opened or missing or chosen is None or not _is_current(finalist, chosen, ordered)
    ):
        finalist = None
    return Findings(
        study=study,
        folder=folder,
        rows=ordered,
        missing=missing,
        summaries=summarise(ordered, study.measure, LEVEL),
        comparisons=compare(ordered, BASE, study.measure, LEVEL) if ordered[0].variant == BASE else [],
        recommendation=chosen,
        independence=independence_of(study, ordered, LEVEL),
        finalist=finalist,
        opened=opened,
        starts={name: study.changes_start(name, load) for name in levels},
    )


def _is_current(finalist: Finalist, chosen: Recommendation, rows: Sequence[Row]) -> bool:
    """Whether the network that was judged is the one that would be judged now."""
    row = median_run(rows, chosen.variant, chosen.measure)
    return (finalist.variant, finalist.seed) == (row.variant, row.seed)
