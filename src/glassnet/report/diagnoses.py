"""Diagnoses of a network's health, in a reader's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glassnet.charts.axes import format_number
from glassnet.locales.catalogue import Words
from glassnet.report.setting_tables import setting_text
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.health.vitals import Vitals
from glassnet.training.run_folder import RunFolder


@dataclass(frozen=True)
class Finding:
    """A diagnosis in a reader's words.

    `facts` are layer, units and since when; `evidence` is numbers by name; `changes` are options that the remedy
    sets. Remedy and changes are empty where none is known.
    """

    title: str
    sick: bool
    facts: list[tuple[str, str]]
    cause: str
    remedy: str
    evidence: list[tuple[str, str]]
    changes: list[str]


def finding_of(found: Diagnosis, words: Words) -> Finding:
    """Put a diagnosis into words."""
    facts = [(words.say("layer"), words.say("whole_network") if found.layer is None else str(found.layer))]
    facts += [(words.say("units"), unit_list(found.units, words))] if found.units else []
    changes = found.remedy.changes if found.remedy else {}
    return Finding(
        title=words.name("kinds", found.kind),
        sick=found.sick,
        facts=[*facts, (words.say("since"), str(found.since))],
        cause=words.render(found.cause),
        remedy=words.render(found.remedy.message) if found.remedy else "",
        evidence=[
            (name, "–" if value is None else format_number(value)) for name, value in found.evidence.items()
        ],
        changes=[
            words.say("change_to", name=f"{section}.{name}", value=setting_text(value))
            for section, options in changes.items()
            for name, value in options.items()
        ],
    )


def unit_list(units: Sequence[int], words: Words) -> str:
    """Return how many units there are and which, neighbours as a range: ``4: 3–5, 9``."""
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
    """What a run's folder says about its health: findings with the sick ones first, vitals in the order of steps.

    `state` is ``"healthy"``, ``"remarked"`` (something was found that is no illness), ``"sick"``, or
    ``"unwatched"``: there is no record.
    """

    state: str
    findings: list[Finding] = field(default_factory=list)
    vitals: Sequence[Vitals] = ()


def read_health(folder: Path, words: Words) -> HealthSection:
    """Read the record of a run's health; that it is missing is said. `FileError` is raised if it is damaged."""
    found = RunFolder(folder).health()
    if found is None:
        return HealthSection("unwatched")
    findings = [finding_of(diagnosis, words) for diagnosis in found.diagnoses]
    findings.sort(key=lambda finding: not finding.sick)
    return HealthSection("sick" if found.sick else "remarked" if findings else "healthy", findings, found.vitals)
