"""A published table repeated: its figures beside ours, and a verdict for each row."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from glassnet.charts.intervals import IntervalChart
from glassnet.charts.painting import Plots
from glassnet.locales.catalogue import Words
from glassnet.reproductions.experiments import run_experiments
from glassnet.reproductions.facts import Facts, gather_facts
from glassnet.reproductions.outcomes import Outcome, Outcomes, outcomes_of
from glassnet.reproductions.printed_charts import printed_charts
from glassnet.reproductions.publication import (
    Figure,
    Order,
    PrintedRow,
    Publication,
    load_publication,
    load_published_study,
)
from glassnet.reproductions.verdicts import FigureComparison, OrderVerdict, RowVerdict
from glassnet.study.fairness import DataCache
from glassnet.study.final_evaluation import mark_test_rows_open
from glassnet.study.interactions import InteractionTest, interaction_test_of
from glassnet.study.results import FAILED, Row
from glassnet.study.runner import run_study

#: Folders of a reproduction: its study, the factorial that tests whether the factors are independent, and the rows
#: of the experiments that its open questions need.
STUDY_FOLDER, FACTORIAL_FOLDER, EXPERIMENTS_FOLDER = "study", "factorial", "experiments"


@dataclass(frozen=True)
class Reproduction(Plots):
    """A published table repeated.

    `plot` draws the quantity that the table prints first, ours beside theirs; `charts` has one chart for each.

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

    def charts(self, words: Words) -> list[IntervalChart]:
        """Return a chart for each quantity that is printed."""
        return printed_charts(self.rows, words)

    def chart(self, words: Words) -> IntervalChart:
        """Return the chart of the quantity that is printed first."""
        return self.charts(words)[0]


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
