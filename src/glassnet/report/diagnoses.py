"""Diagnoses of a network's health, in a reader's words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glassnet.locales.catalogue import Words
from glassnet.report.axes import written
from glassnet.report.tables import setting_text
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.health.monitor import Health
from glassnet.training.health.vitals import Vitals
from glassnet.training.run_folder import HEALTH_FILE


@dataclass(frozen=True)
class Finding:
    """A diagnosis in a reader's words.

    Attributes
    ----------
    title : str
    sick : bool
    facts : list of (str, str)
        Layer, units, since when; what it has.
    cause, remedy : str
        Sentences; the remedy is empty where none is known.
    evidence : list of (str, str)
        Numbers by name.
    changes : list of str
        Options that the remedy sets.
    """

    title: str
    sick: bool
    facts: list[tuple[str, str]]
    cause: str
    remedy: str
    evidence: list[tuple[str, str]]
    changes: list[str]


def finding_of(found: Diagnosis, words: Words) -> Finding:
    """Put a diagnosis into words.

    Examples
    --------
    >>> from glassnet.locales.catalogue import Message
    >>> from glassnet.training.health.remedies import Remedy
    >>> changes = {"training": {"optimizer": "sgd(0.01)"}}
    >>> remedy = Remedy("learning rate", Message("remedies.rate", rate=0.01), changes)
    >>> cause = Message("causes.dead-by-weights", initializer="zeros")
    >>> found = finding_of(Diagnosis("dead-units", True, cause, 1, (0, 1, 2, 7), 40, {}, remedy), Words("en"))
    >>> found.title, found.facts
    ('dead units', [('layer', '1'), ('units', '4: 0–2, 7'), ('since step', '40')])
    >>> found.remedy, found.changes
    ('learning_rate 0.01', ['training.optimizer = sgd(0.01)'])
    """
    facts = [(words.say("layer"), words.say("whole_network") if found.layer is None else str(found.layer))]
    facts += [(words.say("units"), unit_list(found.units, words))] if found.units else []
    changes = found.remedy.changes if found.remedy else {}
    return Finding(
        title=words.name("kinds", found.kind),
        sick=found.sick,
        facts=[*facts, (words.say("since"), str(found.since))],
        cause=words.render(found.cause),
        remedy=words.render(found.remedy.message) if found.remedy else "",
        evidence=[(name, "–" if value is None else written(value)) for name, value in found.evidence.items()],
        changes=[
            words.say("change_to", name=f"{section}.{name}", value=setting_text(value))
            for section, options in changes.items()
            for name, value in options.items()
        ],
    )


def unit_list(units: Sequence[int], words: Words) -> str:
    """Return how many units there are and which, neighbours as a range.

    Examples
    --------
    >>> unit_list([3, 4, 5, 9], Words("en"))
    '4: 3–5, 9'
    """
    numbers = sorted(units)
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    texts = [str(a) if a == b else f"{a}–{b}" for a, b in ranges]
    shown = ", ".join(texts[:10]) + (", …" if len(texts) > 10 else "")
    return words.say("unit_list", n=len(numbers), list=shown)


@dataclass(frozen=True)
class HealthSection:
    """What a run's folder says about its health.

    Attributes
    ----------
    state : str
        ``"healthy"``, ``"remarked"`` (something was found that is no illness), ``"sick"``, ``"unwatched"`` (there
        is no record) or ``"unreadable"``.
    findings : list of Finding
        The sick ones first.
    vitals : sequence of Vitals
        What was measured, in the order of steps; None stands there for numbers that were not finite.
    """

    state: str
    findings: list[Finding] = field(default_factory=list)
    vitals: Sequence[Vitals] = ()


def read_health(folder: Path, words: Words) -> HealthSection:
    """Read the record of a run's health; one that is missing or damaged is said, and no error.

    Parameters
    ----------
    folder : Path
        Of the run.
    words : Words
        In the reader's language.
    """
    try:
        found = Health.from_dict(json.loads((folder / HEALTH_FILE).read_text(encoding="utf-8")))
        findings = [finding_of(diagnosis, words) for diagnosis in found.diagnoses]
    except FileNotFoundError:
        return HealthSection("unwatched")
    except (OSError, ValueError, TypeError, AttributeError):
        return HealthSection("unreadable")
    findings.sort(key=lambda finding: not finding.sick)
    return HealthSection("sick" if found.sick else "remarked" if findings else "healthy", findings, found.vitals)
