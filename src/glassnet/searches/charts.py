"""Charts of a search's report."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from glassnet.charts.bars import Bar, BarChart
from glassnet.charts.curves import Chart, Curve
from glassnet.locales.catalogue import Words
from glassnet.searches.results import RankedTrial, SearchResult
from glassnet.study.samples import larger_is_better


def sorted_chart(found: SearchResult, words: Words) -> Chart:
    """Return the values of all trials, the best first: a curve for those of as many epochs."""
    known = [one for one in found.trials if one.value is not None]
    curves = []
    for epochs in sorted({one.epochs for one in known}, reverse=True):
        alike = [one for one in known if one.epochs == epochs]
        label = words.say("search.after_epochs", epochs=words.say("n_epochs", n=epochs))
        places = [float(place) for place in range(1, len(alike) + 1)]
        curves.append(Curve(label, places, [one.value for one in alike], names=[one.name for one in alike]))
    y_label = words.measure(found.measure)
    return Chart(
        "sorted", words.say("search.sorted"), words.say("search.sorted_x"), curves, scale="linear", y_label=y_label
    )


def importance_chart(found: SearchResult, words: Words) -> BarChart | None:
    """Return how much each parameter mattered, as bars; None with few trials."""
    if not found.importance:
        return None
    bars = [Bar(name, share) for name, share in found.importance.items()]
    return BarChart("importance", words.say("search.importance"), words.say("search.importance_share"), bars)


def cost_charts(found: SearchResult, words: Words) -> list[Chart]:
    """Return the values of all trials against their seconds, and against the size of their networks."""
    seconds = _cost_chart(
        found,
        words,
        "seconds",
        (words.say("search.cost_seconds"), words.say("search.training_seconds")),
        lambda one: one.seconds,
    )
    size = _cost_chart(
        found,
        words,
        "size",
        (words.say("search.cost_size"), words.say("search.size")),
        lambda one: float(one.size),
    )
    return [seconds, size]


def _cost_chart(
    found: SearchResult, words: Words, key: str, titles: tuple[str, str], cost: Callable[[RankedTrial], float]
) -> Chart:
    known = sorted(
        (one for one in found.trials if one.value is not None and cost(one) > 0),
        key=lambda one: (cost(one), one.number),
    )
    best = find_front(known, cost, larger_is_better(found.measure))
    dots, line = _dots(words.say("search.a_trial"), known, cost), _line(best, cost, words)
    return Chart(
        f"cost-{key}",
        *titles,
        [dots, line],
        scale="linear",
        note=words.say("search.costs_note"),
        spread="logarithmic",
        y_label=words.measure(found.measure),
    )


def find_front(
    known: Sequence[RankedTrial], cost: Callable[[RankedTrial], float], larger_is_better: bool
) -> list[RankedTrial]:
    """Return the trials that no other beats in value and cost at once; the given ones stand in order of cost."""
    best: list[RankedTrial] = []
    sign = 1.0 if larger_is_better else -1.0
    for one in known:
        value = sign * (one.value or 0.0)
        if not best or value > sign * (best[-1].value or 0.0):
            if best and cost(best[-1]) == cost(one):
                best.pop()
            best.append(one)
    return best


def _dots(label: str, known: Sequence[RankedTrial], cost: Callable[[RankedTrial], float]) -> Curve:
    names = [one.name for one in known]
    return Curve(label, [cost(one) for one in known], [one.value for one in known], names=names, dots=True)


def _line(best: Sequence[RankedTrial], cost: Callable[[RankedTrial], float], words: Words) -> Curve:
    names = [one.name for one in best]
    return Curve(
        words.say("search.best_for_cost"), [cost(one) for one in best], [one.value for one in best], names=names
    )
