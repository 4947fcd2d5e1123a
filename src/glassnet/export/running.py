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


class Results(NamedTuple):
    """What an export says of the rows of a trial."""

    outputs: Any
    answers: list[Any]


def run_program(command: Sequence[str | Path], trial: Trial) -> Results:
    """Run a program that takes rows as JSON and prints outputs and answers as JSON.

    Raises `NotRunError` if it cannot be started or takes too long, and `GlassnetError` if it fails.
    """
    try:
        said = subprocess.run(
            command, input=json.dumps(trial.rows).encode(), capture_output=True, timeout=SECONDS, check=False
        )
    except OSError as error:
        raise NotRunError(f"{command[0]} cannot be started: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise NotRunError(f"{command[0]} took more than {SECONDS} s for {len(trial.rows)} rows") from None
    if said.returncode:
        lines = said.stderr.decode(errors="replace").strip().splitlines() or ["without a message"]
        wrong = next((line for line in lines if "Error" in line), lines[-1])
        raise GlassnetError(f"not written, as it fails under {command[0]}: {wrong:.300}; please report it")
    return Results(*json.loads(said.stdout))
