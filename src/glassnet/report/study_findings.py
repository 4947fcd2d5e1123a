"""What a report of a study tells: what follows from its rows, and what is recorded of the test rows."""

from __future__ import annotations

from dataclasses import dataclass

from glassnet.study.final_evaluation import (
    FinalEvaluation,
    are_test_rows_open,
    median_run,
    read_final_evaluation,
)
from glassnet.study.findings import StudyFindings


@dataclass(frozen=True)
class Findings(StudyFindings):
    """What follows from the rows of a study, and the test rows as far as they were opened.

    Attributes
    ----------
    finalist : FinalEvaluation or None
        The recommended plan on the test rows; None where these are closed, or were opened for another or for all.
    opened : bool
        Whether the test rows were opened for all runs.
    """

    finalist: FinalEvaluation | None
    opened: bool


def findings(found: StudyFindings) -> Findings:
    """Add to what follows from the rows of a study what is recorded of its test rows.

    Raises
    ------
    FileError
        If the record of the recommended plan is damaged.
    """
    finalist, opened = read_final_evaluation(found.folder), are_test_rows_open(found.study, found.folder)
    if finalist is not None and (opened or found.missing or not _is_current(finalist, found)):
        finalist = None
    return Findings(**vars(found), finalist=finalist, opened=opened)


def _is_current(finalist: FinalEvaluation, found: StudyFindings) -> bool:
    """Whether the network that was evaluated is the one that would be evaluated now."""
    if found.recommendation is None:
        return False
    row = median_run(found.rows, found.recommendation.variant, found.study.measure)
    return (finalist.variant, finalist.seed) == (row.variant, row.seed)
