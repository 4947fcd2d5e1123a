"""A diagnosis: what is wrong with a network, where, since when, why, and what to try first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from glassnet.locales.catalogue import Message
from glassnet.runtime.records import Count, Counts, Place, Real, adapter_of
from glassnet.training.health.remedies import Remedy

#: What a diagnosis may be of, in the order of causes: what comes first explains what comes after it.
KINDS = (
    "duplicated-units",
    "unreachable-targets",
    "unscaled-targets",
    "unscaled-inputs",
    "outlying-inputs",
    "over-regularised",
    "divergence",
    "exploding-signal",
    "saturated-units",
    "vanishing-signal",
    "dead-units",
    "vanishing-gradients",
    "oscillating-loss",
    "slow-learning",
    "stuck-loss",
    "unfinished",
    "constant-output",
    "rows-out-of-range",
    "over-fitting",
    "lagging-statistics",
    "single-class",
    "nothing-to-learn",
    "leak",
    "too-early",
)


@dataclass(frozen=True)
class Diagnosis:
    """One thing that is wrong.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    sick : bool
        The network does not learn, or what it learns does not hold, because of it; else it is a remark.
    cause : Message
        Why.
    layer : int or None
        Where, the first hidden layer being 1; None: in all of the network.
    units : tuple of int
        Which of the layer's units.
    since : int
        The step after which it was first seen; 0: before training.
    evidence : dict of str to float
        The numbers that it is drawn from; None in a record stands for one that is not finite.
    remedy : Remedy or None
        What to try first.

    Examples
    --------
    >>> found = Diagnosis("unscaled-inputs", True, Message("causes.unscaled-inputs", rms=147.0), layer=1, since=16)
    >>> print(found)
    unscaled-inputs (layer 1, since step 16): the inputs have a root mean square of 147; networks expect about 1
    >>> Diagnosis.from_dict(found.to_dict()) == found
    True
    """

    kind: str
    sick: bool
    cause: Message
    layer: Place | None = None
    units: Counts = ()
    since: Count = 0
    evidence: Mapping[str, Real | None] = field(default_factory=dict)
    remedy: Remedy | None = None

    def __str__(self) -> str:
        """One line in English: what, where, since when, why, what to do."""
        return str(self.message)

    @property
    def message(self) -> Message:
        """What, where, since when, why and what to do."""
        where = Message("diagnoses.since", step=self.since) if self.since else Message("diagnoses.from_start")
        if self.layer is not None:
            where = Message("diagnoses.layer", layer=self.layer, since=where)
        return Message("diagnoses.line", kind=self.kind, where=where, explanation=self.explanation)

    @property
    def explanation(self) -> Message:
        """Why, and what to do where that is known."""
        if self.remedy is None:
            return self.cause
        return Message("diagnoses.advice", cause=self.cause, remedy=self.remedy.message)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a record in JSON: the messages as keys and values."""
        plain: dict[str, Any] = in_json(self) | {"cause": self.cause.to_dict()}
        if self.remedy is not None:
            plain["remedy"]["message"] = self.remedy.message.to_dict()
        return plain

    @classmethod
    def from_dict(cls, record: Any) -> Diagnosis:
        """Read what `to_dict` wrote.

        Raises
        ------
        ValueError
            If the record is something else.
        """
        found: Diagnosis = adapter_of(Diagnosis).validate_python(record)
        return found


def in_json(value: Any) -> Any:
    """Return plain values: None for the numbers that JSON has no word for, English for messages."""
    if isinstance(value, Message):
        return str(value)
    if is_dataclass(value):
        return {one.name: in_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {name: in_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [in_json(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
