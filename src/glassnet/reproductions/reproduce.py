"""A published table repeated: its figures beside ours, and a verdict for each row."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from glassnet.reproductions.experiments import run_experiments
from glassnet.reproductions.facts import Facts, gather_facts
from glassnet.reproductions.outcomes import Outcome, Outcomes, best, outcomes_of
from glassnet.reproductions.publication import (
    Figure,
    Order,
    PrintedRow,
    Publication,
    load_publication,
    load_published_study,
)
from glassnet.study.fairness import DataCache
from glassnet.study.final_evaluation import mark_test_rows_open
from glassnet.study.interactions import InteractionTest, interaction_test_of
from glassnet.study.results import FAILED, Row
from glassnet.study.runner import run_study

REPRODUCED, SAME, NOT = "reproduced", "same-behaviour", "not-reproduced"

#: Folders of a reproduction: its study, the factorial that tests whether the factors are independent, and the rows
#: of the experiments that its open questions need.
STUDY_FOLDER, FACTORIAL_FOLDER, EXPERIMENTS_FOLDER = "study", "factorial", "experiments"


@dataclass(frozen=True)
class FigureComparison:
    """A printed figure beside ours.

    Attributes
    ----------
    figure : Figure
    seeds : dict of int to float
        Ours by seed; a seed without is left out.
    of : int
        Runs that there are, with such a figure and without.
    """

    figure: Figure
    seeds: dict[int, float]
    of: int

    @property
    def mean(self) -> float | None:
        """Mean of the seeds that have the figure."""
        return statistics.fmean(self.seeds.values()) if self.seeds else None

    @property
    def best(self) -> float | None:
        """The figure of the best seed."""
        return best(list(self.seeds.values()), self.figure.quantity) if self.seeds else None

    @property
    def ours(self) -> float | None:
        """The one of the two that the printed figure is."""
        return self.best if self.figure.seeds == "best" else self.mean

    @property
    def complete(self) -> bool:
        """Whether no run is missing that the printed figure is of: a mean over what is left would flatter."""
        return self.figure.seeds == "best" or len(self.seeds) == self.of

    @property
    def within(self) -> bool:
        """Whether ours lies where it counts as the same."""
        return self.ours is not None and self.figure.low <= self.ours <= self.figure.high

    @property
    def inside(self) -> bool:
        """Whether it counts as the same, and no run is missing."""
        return self.complete and self.within


@dataclass(frozen=True)
class RowVerdict:
    """A row of the published table, and the verdict on it.

    Attributes
    ----------
    row : PrintedRow
    comparisons : list of FigureComparison
        One for each of its figures.
    behaviour : str
        How most of our runs behave, of a tie that of the first; empty where no run says.
    health : list of str
        Kinds of what our runs suffer from, the most frequent first.
    unanswering, of : int
        Runs that leave a class without any test row, of all.
    """

    row: PrintedRow
    comparisons: list[FigureComparison]
    behaviour: str
    health: list[str]
    unanswering: int = 0
    of: int = 0

    @property
    def same_behaviour(self) -> bool:
        """Whether ours behave as the source says, or it says nothing."""
        return self.row.behaviour in ("", self.behaviour)

    @property
    def verdict(self) -> str:
        """`REPRODUCED`, `SAME` (only where the source says how training behaves) or `NOT`."""
        if self.same_behaviour and all(one.inside for one in self.comparisons):
            return REPRODUCED
        return SAME if self.same_behaviour and self.row.behaviour else NOT


@dataclass(frozen=True)
class OrderVerdict:
    """An order of figures that a publication states, and whether it holds.

    Attributes
    ----------
    order : Order
    means : list of float or None
        Ours, as the order names them.
    holds : bool
        Whether our means are in that order.
    seeds : int
        Seeds whose own figures are.
    of : int
        Seeds at which each of the variants has one.
    """

    order: Order
    means: list[float | None]
    holds: bool
    seeds: int
    of: int


@dataclass(frozen=True)
class Reproduction:
    """A published table repeated.

    Attributes
    ----------
    publication : Publication
    folder : Path
        Holds the folder of the study.
    outcomes : Outcomes
        What came of each run.
    rows : list of RowVerdict
    orders : list of OrderVerdict
    together : InteractionTest or None
        Whether its factors interact; None if it comes without a factorial.
    facts : Facts or None
        What the questions that ``seed-report`` left open are answered with.
    failed : list of Row
        Runs without a result, of both studies.
    """

    publication: Publication
    folder: Path
    outcomes: Outcomes
    rows: list[RowVerdict]
    orders: list[OrderVerdict]
    together: InteractionTest | None
    facts: Facts | None
    failed: list[Row]

    @property
    def studies(self) -> list[str]:
        """The folders of its studies, within its own."""
        return [STUDY_FOLDER] if self.publication.factorial is None else [STUDY_FOLDER, FACTORIAL_FOLDER]


def reproduce(
    name: str,
    folder: str | Path,
    *,
    data_dir: str | Path | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> Reproduction:
    """Repeat a published table with its own settings and three seeds, and compare its figures with ours.

    A row of the table counts as reproduced if its training behaves as the source says, and if each of its figures
    lies within the bounds that were set for it. As in the source, every run is evaluated on the test rows. On two
    cores a table takes from five minutes to half an hour.

    Parameters
    ----------
    name : str
        ``"nielsen"``, ``"seed-report"`` or ``"zalando-mlp"``; see
        `glassnet.reproductions.publication.publication_names`.
    folder : str or Path
        A new folder, or the folder of the same reproduction; finished runs are not repeated.
    data_dir : str or Path, optional
        Folder of the data sets, in place of the one that GLASSNET_DATA names.
    workers : int, optional
        Number of processes, see `glassnet.run_study`.
    progress : bool, default True
        Whether to show the progress on stderr.

    Returns
    -------
    Reproduction
        Its ``rows`` have a ``verdict`` each, and a comparison for each printed figure.

    Raises
    ------
    UsageError
        If there is no published table of that name.
    DataError, FileError, StudyInterrupted
        As `glassnet.run_study`.

    Examples
    --------
    A program, which needs Fashion-MNIST::

        if __name__ == "__main__":
            found = glassnet.reproduce("zalando-mlp", "reproductions/zalando-mlp")
            for row in found.rows:
                print(row.row.label, row.verdict)

    The figure that is printed in the first row:

    >>> row = load_publication("zalando-mlp").rows[0]
    >>> row.label, row.figures[0].quantity, row.figures[0].printed
    ('relu [100]', 'test_accuracy', 0.871)
    """
    publication, study, place = load_publication(name), load_published_study(name), Path(folder)
    run = partial(run_study, data_dir=data_dir, workers=workers, progress=progress)
    rows = run(study, place / STUDY_FOLDER)
    together: InteractionTest | None = None
    more: list[Row] = []
    if publication.factorial is not None:
        factorial = load_published_study(publication.factorial)
        more = run(factorial, place / FACTORIAL_FOLDER)
        together = interaction_test_of(factorial, more)
    mark_test_rows_open(place / STUDY_FOLDER)
    outcomes = outcomes_of(place / STUDY_FOLDER, rows, data_dir)
    facts = None
    if name == "seed-report":
        data = DataCache(data_dir).load(study.base)
        plain = run_experiments(study, data, place / EXPERIMENTS_FOLDER, workers=workers, progress=progress)
        facts = gather_facts(outcomes, plain, data.train.y[: study.base.training.samples_per_epoch])
    return Reproduction(
        publication,
        place,
        outcomes,
        compare_rows(publication, outcomes),
        compare_orders(publication, outcomes),
        together,
        facts,
        [row for row in [*rows, *more] if row.status == FAILED],
    )


def compare_rows(publication: Publication, outcomes: Mapping[str, Mapping[int, Outcome]]) -> list[RowVerdict]:
    """Compare every row of a published table with our runs."""
    return [_compare_row(row, outcomes.get(row.variant, {})) for row in publication.rows]


def _compare_row(row: PrintedRow, outcomes: Mapping[int, Outcome]) -> RowVerdict:
    comparisons = [_compare(figure, outcomes) for figure in row.figures]
    behaviours = Counter(behaviour for one in outcomes.values() if (behaviour := one.behaviour))
    behaviour = behaviours.most_common(1)[0][0] if behaviours else ""
    kinds = Counter(record["kind"] for one in outcomes.values() for record in one.row.health if record.get("sick"))
    unanswering = sum(one.unanswered > 0 for one in outcomes.values())
    health = [kind for kind, _ in kinds.most_common()]
    return RowVerdict(row, comparisons, behaviour, health, unanswering, len(outcomes))


def _compare(figure: Figure, outcomes: Mapping[int, Outcome]) -> FigureComparison:
    seeds = {seed: value for seed, one in outcomes.items() if (value := one.value(figure)) is not None}
    return FigureComparison(figure, seeds, len(outcomes))


def compare_orders(publication: Publication, outcomes: Mapping[str, Mapping[int, Outcome]]) -> list[OrderVerdict]:
    """Compare every order of figures that a publication states with that of our runs."""
    return [_compare_order(order, outcomes) for order in publication.orders]


def _compare_order(order: Order, outcomes: Mapping[str, Mapping[int, Outcome]]) -> OrderVerdict:
    figure = Figure(quantity=order.quantity, printed=0, low=0, high=0)
    by_variant = [_compare(figure, outcomes.get(name, {})) for name in order.variants]
    means = [one.mean for one in by_variant]
    shared = set.intersection(*(set(one.seeds) for one in by_variant))
    rising = [_rises([one.seeds[seed] for one in by_variant]) for seed in shared]
    return OrderVerdict(order, means, _rises(means), sum(rising), len(rising))


def _rises(values: Sequence[float | None]) -> bool:
    known = [value for value in values if value is not None]
    return len(known) == len(values) and all(a < b for a, b in itertools.pairwise(known))
