"""Diagnoses of a network's health, in a reader's words."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glassnet.report.axes import written
from glassnet.report.tables import setting_text
from glassnet.report.words import Words
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
        Sentences; empty where there are none.
    foreign : bool
        Whether they are in the record's own language, as no translation is known.
    evidence : list of (str, str)
        Numbers by name.
    changes : list of str
        Options that the remedy sets.
    """

    title: str
    sick: bool
    facts: list[tuple[str, str]] = field(default_factory=list)
    cause: str = ""
    remedy: str = ""
    foreign: bool = False
    evidence: list[tuple[str, str]] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


def finding_of(record: dict[str, Any], words: Words) -> Finding:
    """Put the record of a diagnosis, as it stands in ``health.json``, into words.

    Examples
    --------
    >>> record = {"kind": "dead-units", "sick": True, "cause": "the step was too large", "layer": 1,
    ...           "units": [0, 1, 2, 7], "since": 40, "evidence": {"share": 0.5},
    ...           "remedy": {"family": "learning rate", "text": "take a tenth",
    ...                      "changes": {"training": {"optimizer": "sgd(0.01)"}}}}
    >>> found = finding_of(record, Words("en"))
    >>> found.title, found.facts
    ('dead units', [('layer', '1'), ('units', '4: 0–2, 7'), ('since step', '40')])
    >>> found.remedy, found.changes
    ('take a tenth', ['training.optimizer = sgd(0.01)'])
    """
    kind, layer, since = str(record.get("kind", "")), record.get("layer"), record.get("since")
    facts = [(words.say("layer"), words.say("whole_network") if layer is None else str(layer))]
    units = unit_list(record.get("units"), words)
    facts += [(words.say("units"), units)] if units else []
    facts += [] if since is None else [(words.say("since"), str(since))]
    remedy = record.get("remedy") or {}
    said, text = words.cause(kind, str(record.get("cause") or "")), str(remedy.get("text") or "")
    first = text if words.language == "en" else words.family(str(remedy.get("family", ""))) if remedy else ""
    return Finding(
        title=words.kind(kind),
        sick=bool(record.get("sick")),
        facts=facts,
        cause=str(record.get("cause") or "") if said is None else said,
        remedy=text if first is None else first,
        foreign=said is None or first is None,
        evidence=_evidence(record.get("evidence"), words),
        changes=[words.say("change_to", name=k, value=setting_text(v)) for k, v in _flat(remedy.get("changes"))],
    )


def _flat(changes: Any, before: str = "") -> list[tuple[str, Any]]:
    """Return settings by name, those of a section with its name before them."""
    if not isinstance(changes, dict):
        return []
    found: list[tuple[str, Any]] = []
    for name, value in changes.items():
        found += _flat(value, f"{before}{name}.") if isinstance(value, dict) else [(f"{before}{name}", value)]
    return found


def _evidence(evidence: Any, words: Words) -> list[tuple[str, str]]:
    """Return numbers by name; a sentence only in the language it is in."""
    if isinstance(evidence, dict):
        return [(str(name), _evidence_text(value)) for name, value in _flat(evidence)]
    if not evidence or words.language != "en":
        return []
    parts = evidence if isinstance(evidence, list) else [evidence]
    return [("", _evidence_text(part)) for part in parts]


def _evidence_text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | float):
        return written(float(value))
    if isinstance(value, list):
        return ", ".join(_evidence_text(part) for part in value[:8]) + (", …" if len(value) > 8 else "")
    return str(value)


def unit_list(units: Any, words: Words) -> str:
    """Return how many units there are and which, neighbours as a range; empty for none.

    Examples
    --------
    >>> unit_list([3, 4, 5, 9], Words("en")), unit_list(12, Words("en")), unit_list(None, Words("en"))
    ('4: 3–5, 9', '12', '')
    """
    if isinstance(units, int):
        return words.say("n_units", n=units)
    if not isinstance(units, list) or not units:
        return ""
    numbers = sorted(int(unit) for unit in units)
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
class Health:
    """What a run's folder says about its health.

    Attributes
    ----------
    state : str
        ``"healthy"``, ``"remarked"`` (something was found that is no illness), ``"sick"``, ``"unwatched"`` (there
        is no record) or ``"unreadable"``.
    findings : list of Finding
        The sick ones first.
    vitals : list of Vitals
        What was measured, in the order of steps; None stands there for numbers that were not finite.
    """

    state: str
    findings: list[Finding] = field(default_factory=list)
    vitals: list[Vitals] = field(default_factory=list)


def read_health(folder: Path, words: Words) -> Health:
    """Read the record of a run's health; one that is missing or damaged is said, and no error.

    Parameters
    ----------
    folder : Path
        Of the run.
    words : Words
        In the reader's language.
    """
    try:
        record = json.loads((folder / HEALTH_FILE).read_text(encoding="utf-8"))
        findings = [finding_of(diagnosis, words) for diagnosis in record["diagnoses"]]
        findings.sort(key=lambda finding: not finding.sick)
        state = "sick" if record["sick"] else "remarked" if findings else "healthy"
        vitals = [Vitals.from_dict(values) for values in record["vitals"]]
    except FileNotFoundError:
        return Health("unwatched")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Health("unreadable")
    return Health(state, findings, vitals)
