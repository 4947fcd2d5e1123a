"""What to try first: of the remedies that come to mind, the first that a short trial shows to help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from glassnet.locales.catalogue import Message
from glassnet.nn.optimizers import LBFGS
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.health.evidence import Evidence
from glassnet.training.health.remedies import (
    Remedy,
    fitting_initializer,
    higher_rate,
    lower_rate,
    normalisation,
    scale,
)
from glassnet.training.health.trials import Trials
from glassnet.training.health.verdict import is_single

#: Remedies that are tried at most.
TRIED = 7

#: The kind whose remedy needs no trial: the history shows the epoch that was better.
SHOWN = "over-fitting"


def prescribe(evidence: Evidence, found: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Give a sick network one remedy, that a trial shows to help, and put the diagnosis that it belongs to first.

    The remedies of the diagnoses are tried, in their order, then others. Where none helps, that is said.
    """
    bare = [one if one.kind == SHOWN else replace(one, remedy=None) for one in found]
    if not found or not found[0].sick or found[0].kind == SHOWN or evidence.trials is None:
        return bare
    if is_single(evidence):  # targets too small for the network's numbers, so that no trial can tell them apart
        return [found[0], *bare[1:]]
    tried: list[Remedy] = []
    for place, remedy in _candidates(evidence, found):
        if remedy.changes in [one.changes for one in tried] or _is_set(evidence, remedy):
            continue
        if len(tried) == TRIED:
            break
        tried.append(remedy)
        if helps(evidence.trials, remedy):
            return [replace(bare[place], remedy=remedy), *bare[:place], *bare[place + 1 :]]
    if not tried:
        return bare
    first = bare[0]
    return [replace(first, cause=Message("diagnoses.none-helps", cause=first.cause, tried=len(tried))), *bare[1:]]


def helps(trials: Trials, remedy: Remedy) -> bool:
    """Whether a trial shows that a remedy helps."""
    return bool(remedy.changes) and trials.helps(remedy.changes)


def _candidates(evidence: Evidence, found: Sequence[Diagnosis]) -> Iterator[tuple[int, Remedy]]:
    """Give remedies, and the place of the diagnosis that each belongs to."""
    for place, one in enumerate(found):
        if one.sick and one.remedy is not None and one.kind != SHOWN:
            yield place, one.remedy
    first = found[0].remedy
    if first is not None and "training" not in first.changes and not isinstance(evidence.optimizer, LBFGS):
        yield 0, first & higher_rate(evidence)
    for name in evidence.facts.scalings:
        if name == "standard" or evidence.facts.outlying or evidence.unscaled_columns:
            yield 0, scale("inputs", name)
    if isinstance(evidence.optimizer, LBFGS):
        return
    yield from ((0, choose(evidence)) for choose in (lower_rate, higher_rate, fitting_initializer))
    if evidence.step_rows > 1:
        yield 0, normalisation(Message("remedies.batch-normalisation"))


def _is_set(evidence: Evidence, remedy: Remedy) -> bool:
    """Whether a remedy says what is set already."""
    present = {
        "network": evidence.network.get_config(),
        "training": evidence.training.model_dump() | {"optimizer": evidence.optimizer.spec},
        "data": {},  # a scaling that is set is none of those that could be asked for
    }
    return all(
        present[part].get(name) == value for part, some in remedy.changes.items() for name, value in some.items()
    )
