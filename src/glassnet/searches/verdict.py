"""What a search found, in sentences: the same for the console, the page and its twin in Markdown."""

from __future__ import annotations

from glassnet.locales.catalogue import Words
from glassnet.runtime.files import quote_path
from glassnet.searches.results import RankedTrial, SearchResult
from glassnet.searches.search_folder import PLAN_FILE
from glassnet.study.findings import LEVEL
from glassnet.study.samples import larger_is_better

#: A tied trial is named as cheaper if it takes at most this share of the winner's seconds.
CHEAPER = 0.9


def describe_search(found: SearchResult, words: Words) -> list[str]:
    """Return what to take and how sure that is, a line each; first of all what the search lacks."""
    said = [words.say("search.out_of_time")] if found.record.get("out_of_time") else []
    lost = sum(one.value is None for one in found.trials)
    winner = found.winner
    if winner is None:
        return [*said, words.say("search.nothing")]
    epochs = words.say("n_epochs", n=winner.epochs)
    said.append(
        words.say("search.take", name=winner.name, measure=found.measure, value=winner.value, epochs=epochs)
    )
    counted = sum(one.value is not None for one in found.trials)
    if found.low is not None:
        interval = {"confidence": 100 * (1 - LEVEL), "low": found.low, "high": found.high}
        said.append(words.say("search.chosen", n=counted, **interval))
    else:
        said.append(words.say("search.chosen_only", n=counted))
    said.append(_describe_test(found, words))
    if ties := [one for one in found.trials if one.tied]:
        said.append(words.say("search.ties", names=[one.name for one in ties]))
        said.append(_describe_cheaper(winner, ties, words))
    if better := _find_passed_over(found, winner):
        said.append(words.say("search.passed_over", names=[one.name for one in better]))
    if lost:
        said.append(words.say("search.lost", n=lost))
    return list(filter(None, said))


def _describe_test(found: SearchResult, words: Words) -> str:
    """Say how good the winner is on the test rows, or why nothing is known of that."""
    evaluation = found.evaluation
    if evaluation is None:
        return words.say("search.no_test_rows" if found.winner in found.finished else "search.not_whole")
    if evaluation.test_loss is None:
        return words.say("search.not_finite")
    parts = []
    for name, value in evaluation.test_measures.items():
        low, high = evaluation.test_intervals.get(name, (None, None))
        within = "" if low is None else words.say("within_limits", low=low, high=high)
        parts.append(words.say("measured", measure=name, value=value, within=within))
    if not parts:
        parts = [words.say("measured", measure="loss", value=evaluation.test_loss, within="")]
    looks = list(dict.fromkeys(one.variant for one in evaluation.earlier))
    key = "search.tested_again" if looks else "search.tested"
    return words.say(key, measures=words.join(parts), looks=looks)


def _describe_cheaper(winner: RankedTrial, ties: list[RankedTrial], words: Words) -> str:
    """Name the quickest of those that cannot be told from the winner, where it is clearly quicker."""
    one = min(ties, key=lambda one: one.seconds)
    if winner.seconds <= 0 or one.seconds > CHEAPER * winner.seconds:
        return ""
    return words.say("search.cheaper", name=one.name, share=one.seconds / winner.seconds)


def _find_passed_over(found: SearchResult, winner: RankedTrial) -> list[RankedTrial]:
    """Return the trials that have a better value than the winner after as many epochs, and are sick."""
    sign = 1.0 if larger_is_better(found.measure) else -1.0
    alike = [one for one in found.trials if one.epochs == winner.epochs and one.value is not None]
    return [one for one in alike if sign * ((one.value or 0.0) - (winner.value or 0.0)) > 0]


def describe_work(found: SearchResult, words: Words) -> str:
    """Return how much was trained, and how long it took."""
    return words.say(
        "search.work_of",
        trials=words.say("search.n_trials", n=len(found.trials)),
        epochs=words.say("n_epochs", n=found.epochs_trained),
        whole=len(found.finished),
        time=words.duration(found.record.get("seconds", 0.0)),
    )


def train_command(found: SearchResult) -> str:
    """Return the command that trains by the winner's plan."""
    return f"glassnet train --plan {quote_path(found.folder / PLAN_FILE)}"
