"""What a search found: its trials in order, the winner, what can be told apart, and what mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from glassnet.charts.intervals import Interval, IntervalChart
from glassnet.charts.painting import Plots
from glassnet.locales.catalogue import Words
from glassnet.runtime.csv_text import csv_text
from glassnet.searches.design import Search
from glassnet.searches.runner import Trial
from glassnet.searches.sampling import measure_importance
from glassnet.searches.search_folder import SearchRecord
from glassnet.study.choice import Gain, interval_of_best, measure_gain
from glassnet.study.final_evaluation import FinalEvaluation
from glassnet.study.findings import LEVEL
from glassnet.study.results import Row
from glassnet.study.samples import NOTHING, larger_is_better, value_of
from glassnet.study.statistics import Summary, summarise
from glassnet.training.config import RunConfig

if TYPE_CHECKING:
    import pandas

#: Trials that a chart or a table of a page shows.
MOST_SHOWN = 40


@dataclass(frozen=True)
class RankedTrial:
    """A trial of a search.

    Attributes
    ----------
    place : int or None
        Its place in the ranking, from 1; None where it has no value.
    number : int
        It was drawn as this one, counted from 0.
    drawn : dict
        What was drawn, by parameter.
    epochs : int
        Epochs that it was trained for. Those with more stand before those with fewer.
    value : float or None
        The measure that decides, on the validation rows.
    low, high : float or None
        Its interval, of this trial by itself: how much other validation rows would change it.
    gain : Gain or None
        How far the winner is ahead, on the same rows; None of the winner itself, and of trials with fewer epochs.
    on_front : bool
        Whether no other trial is as good with fewer seconds and fewer parameters.
    seconds : float
        Seconds of training.
    size : int
        Number of parameters of its network.
    row : Row
        The whole record of its run.
    """

    place: int | None
    number: int
    drawn: dict[str, Any]
    epochs: int
    value: float | None
    low: float | None
    high: float | None
    gain: Gain | None
    on_front: bool
    seconds: float
    size: int
    row: Row

    @property
    def name(self) -> str:
        """How it is called: ``#17``."""
        return f"#{self.number}"

    @property
    def parameters(self) -> dict[str, str]:
        """What was drawn, as tables show it."""
        return self.row.levels

    @property
    def tied(self) -> bool:
        """Whether these validation rows do not tell it from the winner."""
        return self.gain is not None and (self.gain.low is None or self.gain.low <= 0)


@dataclass(frozen=True, repr=False)
class SearchResult(Plots):
    """What `glassnet.search` found.

    Attributes
    ----------
    search : Search
    folder : Path
        Holds all runs, ``plan.toml``, ``results.csv`` and the report.
    trials : list of RankedTrial
        The best first.
    winner : RankedTrial or None
        The trial to take: the best of those that were trained to their end, and are not sick; None where none has
        a value.
    low, high : float or None
        Interval of the winner's value. It allows for its having been chosen as the best of all trials.
    importance : dict of str to float
        How much each parameter had to do with being among the best after the epochs of the first rung, as shares
        of 1; see `glassnet.searches.sampling.measure_importance`. Empty with few trials.
    compared : int
        Trials that the importance is told by: those with a value after the epochs of the first rung.
    evaluation : FinalEvaluation or None
        The winner on the test rows, which were opened once; None where they stayed closed.
    record : dict
        What ``search.json`` holds.
    """

    search: Search
    folder: Path
    trials: list[RankedTrial]
    winner: RankedTrial | None
    low: float | None
    high: float | None
    importance: dict[str, float]
    compared: int
    evaluation: FinalEvaluation | None
    record: SearchRecord

    @property
    def measure(self) -> str:
        """The measure that decides."""
        return self.search.space.measure

    @property
    def plan(self) -> RunConfig | None:
        """The winner's configuration; ``plan.toml`` holds it, too."""
        return None if self.winner is None else self.search.space.config(self.winner.drawn)

    @property
    def finished(self) -> list[RankedTrial]:
        """The trials that were trained to their end, the best first."""
        return [one for one in self.trials if one.value is not None and one.epochs == self.search.epochs]

    @property
    def front(self) -> list[RankedTrial]:
        """The trials that no other beats in value, seconds and number of parameters together."""
        return [one for one in self.trials if one.on_front]

    @property
    def epochs_trained(self) -> int:
        """The epochs of all trials."""
        return sum(one.epochs for one in self.trials)

    def records(self) -> list[dict[str, Any]]:
        """Return a record for each trial: what was drawn, what it came to, and what it cost."""
        measures = dict.fromkeys(name for one in self.trials for name in one.row.measures)
        return [
            {
                "place": one.place,
                "trial": one.number,
                "epochs": one.epochs,
                "status": one.row.status,
                "low": one.low,
                "high": one.high,
                **{name: one.row.measures.get(name) for name in measures},
                "seconds": one.seconds,
                "size": one.size,
                "on_front": one.on_front,
                **one.parameters,
                "folder": one.row.folder,
                "problem": one.row.problem,
            }
            for one in self.trials
        ]

    def to_csv(self) -> str:
        """Return a table with a header, a line a trial; numbers in full precision, what is not known empty."""
        records = self.records()
        return csv_text([list(records[0]), *(list(one.values()) for one in records)]) if records else ""

    def to_pandas(self) -> pandas.DataFrame:
        """Return the same as a table of pandas, which has to be installed."""
        import pandas

        return pandas.DataFrame(self.records())

    def chart(self, words: Words) -> IntervalChart:
        """Return the best trials with their intervals as a chart."""
        return ranking_chart(self, words)

    def __repr__(self) -> str:
        best = "no trial has a value"
        if self.winner is not None:
            best = f"take {self.winner.name}: {self.measure} {self.winner.value:.4f}"
        return f"SearchResult({len(self.trials)} trials, {best}, saved in {self.folder})"


def ranking_chart(found: SearchResult, words: Words) -> IntervalChart:
    """Return the best trials, or those that were trained to their end, with their intervals."""
    known = found.finished or [one for one in found.trials if one.value is not None]
    shown = [Interval(one.name, one.value, one.low, one.high) for one in known[:MOST_SHOWN]]
    title = words.measure(found.measure)
    note = words.say("search.ranking_note", confidence=100 * (1 - LEVEL), shown=len(shown), n=len(known))
    return IntervalChart("ranking", title[:1].upper() + title[1:], title, shown, note)


def gather_results(
    search: Search, folder: Path, trials: Mapping[int, Trial], record: SearchRecord
) -> SearchResult:
    """Rank the trials of a search, choose the winner, and find what the rest of a result says."""
    measure = search.space.measure
    tried = [trial for trial in trials.values() if trial.rows]
    sign = -1.0 if larger_is_better(measure) else 1.0
    values = {trial.number: value_of(trial.row, measure) for trial in tried}
    known = [(trial, value) for trial in tried if (value := values[trial.number]) is not None]
    known.sort(key=lambda pair: (-pair[0].epochs, sign * pair[1], pair[0].number))
    ordered = [trial for trial, _ in known] + [trial for trial in tried if values[trial.number] is None]
    summaries = {one.variant: one for one in summarise([trial.row for trial in ordered], measure, LEVEL)}
    whole = [trial for trial, _ in known if trial.epochs == search.epochs] or [trial for trial, _ in known]
    chosen = next((trial for trial in whole if not trial.row.sick), whole[0] if whole else None)
    front = _find_front([trial.row for trial, _ in known], measure)
    gains = {} if chosen is None else _measure_gains(chosen, whole, measure)
    places = {trial.number: place for place, (trial, _) in enumerate(known, start=1)}
    ranked = [_rank(trial, summaries, gains, front, places, measure) for trial in ordered]
    compared = _compare_first(search, tried)
    low, high = _allow_for_choice(chosen, [trial for trial, _ in known], measure)
    return SearchResult(
        search=search,
        folder=folder,
        trials=ranked,
        winner=next((one for one in ranked if chosen is not None and one.number == chosen.number), None),
        low=low,
        high=high,
        importance=measure_importance(compared, search.space.dimensions, larger_is_better(measure)),
        compared=len(compared),
        evaluation=None,
        record=record,
    )


def _rank(
    trial: Trial,
    summaries: Mapping[str, Summary],
    gains: Mapping[int, Gain],
    front: Sequence[str],
    places: Mapping[int, int],
    measure: str,
) -> RankedTrial:
    row, summary = trial.row, summaries[trial.row.variant]
    return RankedTrial(
        place=places.get(trial.number),
        number=trial.number,
        drawn=trial.drawn,
        epochs=trial.epochs,
        value=value_of(row, measure),
        low=None if summary.covers == NOTHING else summary.low,
        high=None if summary.covers == NOTHING else summary.high,
        gain=gains.get(trial.number),
        on_front=row.variant in front,
        seconds=row.seconds,
        size=row.parameters,
        row=row,
    )


def _measure_gains(chosen: Trial, whole: Sequence[Trial], measure: str) -> dict[int, Gain]:
    """Return how far the winner is ahead of each of the others that were trained as long."""
    runs = {trial.row.variant: {trial.row.seed: trial.row} for trial in whole}
    return {
        trial.number: measure_gain(runs, chosen.row.variant, trial.row.variant, measure, LEVEL)
        for trial in whole
        if trial is not chosen
    }


def _allow_for_choice(
    chosen: Trial | None, known: Sequence[Trial], measure: str
) -> tuple[float, float] | tuple[None, None]:
    """Return the winner's interval, wider by what the choice among all trials may have added to its value."""
    if chosen is None:
        return None, None
    runs = {trial.row.variant: {trial.row.seed: trial.row} for trial in known}
    return interval_of_best(runs, chosen.row.variant, measure, LEVEL)[0]


def _find_front(rows: Sequence[Row], measure: str) -> list[str]:
    """Return the trials that no other is at least as good as in value, seconds and size, and better in one.

    >>> def row(name, value, seconds, size):
    ...     return Row(name, {}, 0, "finished", {"train_loss": value}, seconds=seconds, parameters=size)
    >>> _find_front([row("a", 0.1, 9.0, 10), row("b", 0.2, 2.0, 10), row("c", 0.2, 3.0, 10)], "train_loss")
    ['a', 'b']
    """
    sign = -1.0 if larger_is_better(measure) else 1.0
    costs = [(sign * (value_of(row, measure) or 0.0), row.seconds, row.parameters) for row in rows]
    return [
        row.variant
        for row, own in zip(rows, costs, strict=True)
        if not any(other != own and all(a <= b for a, b in zip(other, own, strict=True)) for other in costs)
    ]


def first_epochs(search: Search) -> int:
    """Return the epochs after which the trials are compared for the first time."""
    return min(rung.epochs for bracket in search.brackets for rung in bracket)


def _compare_first(search: Search, trials: Sequence[Trial]) -> list[tuple[dict[str, Any], float]]:
    """Return what was drawn for each trial that has a value after the first rung, and that value."""
    measure, first = search.space.measure, first_epochs(search)
    values = [(trial.drawn, value_of(trial.rows[first], measure)) for trial in trials if first in trial.rows]
    return [(drawn, value) for drawn, value in values if value is not None]


def plan_text(found: SearchResult) -> str:
    """Return the file of the winner's plan."""
    plan, winner = found.plan, found.winner
    assert plan is not None
    assert winner is not None
    within = "" if found.low is None else f" ({found.low:.4f} to {found.high:.4f})"
    said = f"{found.measure} {winner.value:.4f}{within}, trial {winner.name}"
    return f"# The best of {len(found.trials)} trials of a search: {said}.\n\n" + tomli_w.dumps(
        plan.model_dump(exclude_none=True, exclude_defaults=True)
    )
