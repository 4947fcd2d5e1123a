"""A published table repeated: its figures beside ours, and a verdict for each row."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from glassnet.nn.targets import encode
from glassnet.study.fairness import DataAtHand, sampler_of
from glassnet.study.publication import Figure, Order, PrintedRow, Publication
from glassnet.study.results import DIVERGED, FAILED, Row
from glassnet.study.statistics import larger_is_better
from glassnet.training.assessment import assess
from glassnet.training.health.evidence import Baseline
from glassnet.training.model_file import load_model
from glassnet.training.run import network_for
from glassnet.training.run_folder import RunFolder

REPRODUCED, SAME, NOT = "reproduced", "same behaviour, other value", "not reproduced"

#: Epochs at the end whose losses say how training behaves; losses that go up and down in turn by more than this
#: share of themselves oscillate.
LAST, SWING = 40, 1e-3

#: Share of the turns at which the loss changes its direction, from which on it oscillates.
TURNS = 0.6


@dataclass(frozen=True)
class Outcome:
    """What came of one run.

    Attributes
    ----------
    row : Row
        Of the study.
    columns : dict of str to list of float
        The history, column by column; what is unknown is left out.
    test : dict of str to float
        ``"test_loss"``, the mean of a row, and ``"test_accuracy"`` of the network as it ended; empty where it
        diverged.
    constant_loss : float
        What the best constant answer costs, in the units of ``train_loss``.
    """

    row: Row
    columns: dict[str, list[float]]
    test: dict[str, float] = field(default_factory=dict)
    constant_loss: float = math.inf

    @property
    def behaviour(self) -> str:
        """``"learns"``, ``"oscillates"`` or ``"fails"``; see `behaviour_of`."""
        if self.row.status in (DIVERGED, FAILED):
            return "fails"
        return behaviour_of(self.columns.get("train_loss", []), self.constant_loss)

    def value(self, figure: Figure) -> float | None:
        """Return our number for a figure, None where there is none."""
        if figure.quantity in self.test:
            return self.test[figure.quantity]
        values = self.columns.get(figure.quantity, [])
        if not values or self.row.status != "finished":
            return None
        return _best(values, figure.quantity) if figure.epoch == "best" else values[-1]


@dataclass(frozen=True)
class Compared:
    """A printed figure beside ours.

    Attributes
    ----------
    figure : Figure
    seeds : dict of int to float
        Ours by seed; a seed without is left out.
    mean, best : float or None
        Of all seeds; of the best one.
    ours : float or None
        The one of the two that the printed figure is.
    inside : bool
        Whether that counts as the same.
    """

    figure: Figure
    seeds: dict[int, float]
    mean: float | None
    best: float | None
    ours: float | None
    inside: bool


@dataclass(frozen=True)
class Judged:
    """A row of the published table, judged.

    Attributes
    ----------
    row : PrintedRow
    comparisons : list of Compared
        One for each of its figures.
    behaviour : str
        How most of our runs behave.
    verdict : str
        `REPRODUCED`, `SAME` or `NOT`.
    health : list of str
        Kinds of what our runs suffer from, the most frequent first.
    """

    row: PrintedRow
    comparisons: list[Compared]
    behaviour: str
    verdict: str
    health: list[str]

    @property
    def same_behaviour(self) -> bool:
        """Whether ours behave as the source says, or it says nothing."""
        return self.row.behaviour in ("", self.behaviour)


@dataclass(frozen=True)
class JudgedOrder:
    """An order of figures, judged.

    Attributes
    ----------
    order : Order
    means : list of float or None
        Ours, as the order names them.
    holds : bool
        Whether our means are in that order.
    seeds : int
        Seeds whose own figures are; of `of`.
    of : int
    """

    order: Order
    means: list[float | None]
    holds: bool
    seeds: int
    of: int


def outcomes_of(
    folder: Path, rows: Sequence[Row], data_dir: str | Path | None = None
) -> dict[str, dict[int, Outcome]]:
    """Return what came of the runs of a study by variant and seed; the test rows are opened for all of them.

    Parameters
    ----------
    folder : Path
        The study's.
    rows : sequence of Row
        From `run_study`.
    data_dir : path, optional
        Where the data are, in place of GLASSNET_DATA.
    """
    at_hand = DataAtHand(data_dir)
    found: dict[str, dict[int, Outcome]] = {}
    for row in rows:
        found.setdefault(row.variant, {})[row.seed] = _outcome(folder, row, at_hand)
    return found


def _outcome(folder: Path, row: Row, at_hand: DataAtHand) -> Outcome:
    if row.status == FAILED:
        return Outcome(row, {})
    run = RunFolder(folder / row.folder)
    config, history = run.config(), run.history()
    data = at_hand.load(config)
    values = [record.row() for record in history]
    columns = {
        name: [float(value) for one in values if (value := one.get(name)) is not None]
        for name in (values[-1] if values else {})
    }
    network = network_for(config, data)
    sampler = sampler_of(config, data)
    targets = encode(data.train.y[: sampler.n], network.layers[-1], data.n_classes, network.theta.dtype)
    rows_of_a_loss = sampler.batch_size if network.loss.reduction == "sum" else 1
    constant = Baseline.of(network.loss, targets).loss * rows_of_a_loss
    test = {}
    if row.status != DIVERGED:
        judged = assess(load_model(run.path), data.test, data.task, data.encoder)
        test = {"test_loss": judged.loss, **{f"test_{name}": value for name, value in judged.measures.items()}}
    return Outcome(row, columns, test, constant)


def behaviour_of(losses: Sequence[float], constant_loss: float) -> str:
    """Say how training behaves, by the losses of its epochs.

    ``"fails"``: at the end the loss is no smaller than that of the best constant answer, or there is none;
    ``"oscillates"``: it goes up and down in turn; ``"learns"``: neither.

    Examples
    --------
    >>> behaviour_of([9.0, 9.0, 9.0], 5.0), behaviour_of([4.0, 3.0, 2.0], 5.0)
    ('fails', 'learns')
    >>> behaviour_of([829.0, 751.0, 828.3, 750.3, 827.6], 2465.8)
    'oscillates'
    """
    last = np.array(losses[-LAST:], float)
    if not len(last) or not np.isfinite(last).all() or last.mean() >= constant_loss:
        return "fails"
    steps = np.diff(last)
    turns = np.diff(np.sign(steps)) != 0
    swings = np.abs(steps).mean() > SWING * last.mean() if len(steps) else False
    return "oscillates" if len(turns) and turns.mean() >= TURNS and swings else "learns"


def judge_rows(publication: Publication, outcomes: Mapping[str, Mapping[int, Outcome]]) -> list[Judged]:
    """Judge every row of a published table."""
    return [_judged(row, outcomes.get(row.variant, {})) for row in publication.rows]


def _judged(row: PrintedRow, outcomes: Mapping[int, Outcome]) -> Judged:
    comparisons = [_compared(figure, outcomes) for figure in row.figures]
    behaviours = Counter(outcome.behaviour for outcome in outcomes.values())
    behaviour = behaviours.most_common(1)[0][0] if behaviours else ""
    kinds = Counter(record["kind"] for one in outcomes.values() for record in one.row.health if record.get("sick"))
    health = [kind for kind, _ in kinds.most_common()]
    same = row.behaviour in ("", behaviour)
    if same and all(one.inside for one in comparisons):
        verdict = REPRODUCED
    else:
        verdict = SAME if same and row.behaviour else NOT
    return Judged(row, comparisons, behaviour, verdict, health)


def _compared(figure: Figure, outcomes: Mapping[int, Outcome]) -> Compared:
    seeds = {seed: value for seed, one in outcomes.items() if (value := one.value(figure)) is not None}
    mean = statistics.fmean(seeds.values()) if seeds else None
    best = _best(list(seeds.values()), figure.quantity) if seeds else None
    ours = best if figure.seeds == "best" else mean
    inside = ours is not None and figure.low <= ours <= figure.high
    return Compared(figure, seeds, mean, best, ours, inside)


def _best(values: Sequence[float], quantity: str) -> float:
    return max(values) if larger_is_better(quantity) else min(values)


def judge_orders(publication: Publication, outcomes: Mapping[str, Mapping[int, Outcome]]) -> list[JudgedOrder]:
    """Judge every order of figures that a publication states."""
    return [_judged_order(order, outcomes) for order in publication.orders]


def _judged_order(order: Order, outcomes: Mapping[str, Mapping[int, Outcome]]) -> JudgedOrder:
    figure = Figure(quantity=order.quantity, printed=0, low=0, high=0)
    by_variant = [_compared(figure, outcomes.get(name, {})) for name in order.variants]
    means = [one.mean for one in by_variant]
    shared = set.intersection(*(set(one.seeds) for one in by_variant))
    rising = [_rises([one.seeds[seed] for one in by_variant]) for seed in shared]
    return JudgedOrder(order, means, _rises(means), sum(rising), len(rising))


def _rises(values: Sequence[float | None]) -> bool:
    known = [value for value in values if value is not None]
    return len(known) == len(values) and all(a < b for a, b in itertools.pairwise(known))
