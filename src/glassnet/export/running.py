"""Running what was exported, in a process of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from glassnet.errors import GlassnetError
from glassnet.export.trial import Trial

#: Seconds that a program may take for the rows of a trial.
SECONDS = 300


class NotRunError(Exception):
    """An export cannot be run on this machine; the message says why."""


class Written(NamedTuple):
    """A file, and where it says so, the bytes of its weights and of what it needs beside them for a row."""

    content: bytes
    weight_bytes: int | None = None
    scratch_bytes: int | None = None


class Results(NamedTuple):
    """What an export says of the rows of a trial; it may have no outputs beside the answers."""

    outputs: Any
    answers: list[Any]


def run_program(command: Sequence[str | Path], trial: Trial) -> Results:
    """Run a program that takes rows as JSON and prints outputs and answers as JSON; see `call_program`."""
    return Results(*json.loads(call_program(command, json.dumps(trial.rows).encode())))


def call_program(command: Sequence[str | Path], given: bytes = b"", folder: Path | None = None) -> bytes:
    """Return what a program prints for what it is given, started in a folder.

    Raises `NotRunError` if it cannot be started or takes too long, and `GlassnetError` if it fails.
    """
    try:
        said = subprocess.run(command, input=given, capture_output=True, timeout=SECONDS, check=False, cwd=folder)
    except OSError as error:
        raise NotRunError(f"{command[0]} cannot be started: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise NotRunError(f"{command[0]} took more than {SECONDS} s") from None
    if said.returncode:
        lines = said.stderr.decode(errors="replace").strip().splitlines() or ["without a message"]
        wrong = next((line for line in lines if "error" in line.lower()), lines[-1])
        raise GlassnetError(f"not written, as it fails under {command[0]}: {wrong:.300}; please report it")
    return said.stdout
