"""The rows of a study: what is recorded of each run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import FailFast, Field

from glassnet.errors import FileError
from glassnet.runtime.files import write_bytes
from glassnet.runtime.records import Count, Number, Seconds, Seed, explain, read_json
from glassnet.training.health.diagnosis import Diagnosis

#: What to do where the file of a row is damaged.
REMEDY = "remove it, and its run is done again"

#: How a run can have ended.
FINISHED, DIVERGED, FAILED = "finished", "diverged", "failed"


@dataclass(frozen=True)
class Row:
    """One run of a study.

    Attributes
    ----------
    variant : str
        Its name: ``"base"``, ``"optimizer=adam"``, ``"optimizer=adam, activation=tanh"``.
    levels : dict of str to str
        The level of every factor, the base's included.
    seed : int
    status : str
        ``"finished"``, ``"diverged"`` or ``"failed"``.
    measures : dict of str to float
        ``train_loss``, ``train_accuracy``, ``validation_loss``, ``validation_accuracy``, ... of the end of the
        run; what is not known is left out.
    seconds : float
        Seconds of training.
    parameters : int
    flops : float
        Floating point operations of training.
    weights, order, masks : str
        SHA-256 of the first weights, of the order of the rows, and of the masks of dropout (empty without), as
        `glassnet.study.likeness.Beginning` has them.
    split : str
        SHA-256 of the draw of the validation rows: two runs with the same were judged on the same rows. Empty: it
        is not known.
    training_rows, validation_rows : int
        Number of rows that were learned from, and judged on.
    groups : dict of str to list of float
        What groups of the validation rows say of a measure by itself: its pseudo-values, see
        `glassnet.training.metrics.jackknife`. Their mean is the measure. The study's measure is there.
    constant : dict of str to float
        What the best constant answer has as a measure on the validation rows.
    folder : str
        Its run folder, relative to the study's.
    health : list of dict
        `Diagnosis.to_dict` of each diagnosis.
    problem : str
        Why it failed, where it did.
    """

    variant: str
    levels: dict[str, str]
    seed: Seed
    status: Annotated[str, Field(pattern=f"^({FINISHED}|{DIVERGED}|{FAILED})$")]
    measures: dict[str, Number]
    seconds: Seconds = 0.0
    parameters: Count = 0
    flops: Number = 0.0
    weights: str = ""
    order: str = ""
    masks: str = ""
    split: str = ""
    training_rows: Count = 0
    validation_rows: Count = 0
    groups: dict[str, Annotated[list[Number], FailFast()]] = field(default_factory=dict)
    constant: dict[str, Number] = field(default_factory=dict)
    folder: str = ""
    health: Annotated[list[dict[str, Any]], FailFast()] = field(default_factory=list)
    problem: str = ""

    @property
    def diagnoses(self) -> list[Diagnosis]:
        """What `health` records, as values."""
        return [Diagnosis.from_dict(record) for record in self.health]

    @property
    def sick(self) -> bool:
        """Whether the run diverged, failed, or left a network that is sick."""
        return self.status != FINISHED or any(record.get("sick") for record in self.health)

    def to_json(self) -> str:
        """Return the row as JSON; `read_row` reads it.

        Examples
        --------
        >>> Row("base", {}, 0, "finished", {"train_loss": 0.5}).to_json().splitlines()[1].strip()
        '"variant": "base",'
        """
        return json.dumps(asdict(self), indent=1, allow_nan=False) + "\n"


def finite(measures: Mapping[str, float | None]) -> dict[str, float]:
    """Return the measures that are numbers; what is None, NaN or infinite is not known."""
    return {name: float(value) for name, value in measures.items() if value is not None and math.isfinite(value)}


def write_row(path: Path, row: Row) -> None:
    """Write a row into a file of its own, whole or not at all."""
    write_bytes(path, row.to_json().encode())


def read_row(path: Path) -> Row:
    """Read what `write_row` wrote; `FileError` if the file cannot be read, or is something else."""
    row = read_json(path, Row, "row of a study", REMEDY)
    try:
        _ = row.diagnoses  # which refuses records of anything else
    except ValueError as error:
        raise FileError(path, f"is no row of a study: health: {explain(error)}; {REMEDY}") from None
    return row


def read_rows(folder: Path) -> list[Row]:
    """Read the rows of a study's folder, in the order of its file names."""
    return [read_row(path) for path in sorted((folder / "rows").glob("*.json"))]
