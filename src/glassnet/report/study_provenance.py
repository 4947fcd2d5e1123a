"""What makes a study comparable, and what it takes to have the same one again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import join
from typing import Any

from glassnet.locales.catalogue import Words
from glassnet.report.study_findings import Findings
from glassnet.report.tables import Cell, Table
from glassnet.study.design import BASE
from glassnet.study.results import Row
from glassnet.study.study_folder import STUDY_FILE


def fairness(found: Findings, words: Words) -> list[str]:
    """Say whether all variants begin alike and see the same rows, within each seed."""
    starts, orders = (_others(found.rows, kind) for kind in ("start", "order"))
    factors = [name for name, changes in found.starts.items() if changes]
    alike = {(row.seed, *(row.levels[name] for name in factors), row.start) for row in found.rows if row.start}
    said = words.say("same_start")
    if starts and len({one[:-1] for one in alike}) == len(alike) and found.study.design != "list":
        said = words.say("same_start_but", factors=factors)
    elif starts:
        said = words.say("other_start", variants=words.listed(starts, len(starts)))
    if not orders:
        return [said, words.say("same_order")]
    return [said, words.say("other_order", variants=words.listed(orders, len(orders)))]


def _others(rows: Sequence[Row], kind: str) -> list[str]:
    """Return the variants whose hash is not the base's at the same seed; a run that failed has none."""
    base = {row.seed: getattr(row, kind) for row in rows if row.variant == BASE}
    hashes = [(row.variant, getattr(row, kind), base.get(row.seed)) for row in rows]
    return list(dict.fromkeys(variant for variant, own, its in hashes if own and its and own != its))


def study_command(found: Findings, record: Mapping[str, Any]) -> str:
    """Return the command that does the study again, in another folder.

    Parameters
    ----------
    found : Findings
    record : mapping
        What ``study.json`` holds.
    """
    layout = record.get("layout") or {}
    options = ["--folder", f"{found.folder}-again"]
    if layout.get("threads") == 1 and found.study.base.training.threads is None:
        options += ["--workers", str(layout["workers"])]  # which decides that a run has one thread
    return join(["glassnet", "study", str(found.folder / STUDY_FILE), *options])


def about_command(found: Findings, record: Mapping[str, Any], words: Words) -> list[str]:
    """Say what the command does, and what comes out alike."""
    said = [words.say("study_command_about")]
    threads = (record.get("layout") or {}).get("threads")
    if found.study.budget.seconds is not None:
        said.append(words.say("study_bits_seconds"))
    elif threads:
        said.append(words.say("study_bits", threads=words.say("n_threads", n=threads)))
    return said


def fact_table(found: Findings, record: Mapping[str, Any], words: Words) -> Table:
    """Return the checksums of the data, versions and machine."""
    rows: list[list[str | Cell]] = [[words.say("study_hash"), Cell(found.study.fingerprint(), code=True)]]
    for data, files in (record.get("checksums") or {}).items():
        rows += [
            [words.say("study_checksum", data=data, file=file), Cell(md5, code=True)]
            for file, md5 in files.items()
        ]
    layout = record.get("layout") or {}
    known = {name: layout[name] for name in ("workers", "threads") if name in layout}
    for name, value in {**(record.get("environment") or {}), **known}.items():
        rows.append([Cell(name, code=True), Cell(str(value), code=True)])
    return Table(words.say("study_facts"), [words.say("fact"), words.say("value")], rows, text=(0, 1))
