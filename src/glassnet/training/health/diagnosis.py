"""A diagnosis: what is wrong with a network, where, since when, why, and what to try first."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from glassnet.training.health.remedies import Remedy

#: What a diagnosis may be of, in the order of causes: what comes first explains what comes after it.
KINDS = (
    "duplicated-units",
    "unreachable-targets",
    "unscaled-inputs",
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
    "over-fitting",
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
    cause : str
        Why, in words.
    layer : int or None
        Where, the first hidden layer being 1; None: in all of the network.
    units : tuple of int
        Which of the layer's units.
    since : int
        The step after which it was first seen; 0: before training.
    evidence : dict of str to float
        The numbers that it is drawn from.
    remedy : Remedy or None
        What to try first.

    Examples
    --------
    >>> print(Diagnosis("dead-units", True, "all 4 units give 0", layer=1, since=16))
    dead-units (layer 1, since step 16): all 4 units give 0
    """

    kind: str
    sick: bool
    cause: str
    layer: int | None = None
    units: tuple[int, ...] = ()
    since: int = 0
    evidence: dict[str, float] = field(default_factory=dict)
    remedy: Remedy | None = None

    def __str__(self) -> str:
        """One line: what, where, since when, why, what to do."""
        where = [] if self.layer is None else [f"layer {self.layer}"]
        when = "from the start" if self.since == 0 else f"since step {self.since}"
        return f"{self.kind} ({', '.join([*where, when])}): {self.cause}{self.advice}"

    @property
    def advice(self) -> str:
        """What to try, as the end of a sentence."""
        return "" if self.remedy is None else f"; try {self.remedy.text}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        plain: dict[str, Any] = in_json(asdict(self))
        return plain


def in_json(value: Any) -> Any:
    """Return plain values with None for the numbers that JSON has no word for.

    Examples
    --------
    >>> in_json({"loss": float("nan"), "units": (1, 2)})
    {'loss': None, 'units': [1, 2]}
    """
    if isinstance(value, dict):
        return {name: in_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [in_json(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
