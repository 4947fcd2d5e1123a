"""Numbers that are chosen: the checked fields of optimizers, schedules and updates, and their specification."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from glassnet.errors import UsageError

#: What holds of each option by name, and how it is said.
Ranges = Mapping[str, tuple[Callable[[Any], bool], str]]


def check_options(owner: Any, names: Iterable[str], ranges: Ranges) -> None:
    """Refuse attributes of a frozen dataclass that are no finite numbers in their ranges.

    NumPy's numbers become Python's: these leave float32 arithmetic float32.

    Raises
    ------
    UsageError
        Naming the option.
    """
    for name in names:
        value = getattr(owner, name)
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not number or not np.isfinite(value):
            raise UsageError(name, f"must be a finite number, got {value!r}")
        if isinstance(value, np.number):
            object.__setattr__(owner, name, value := value.item())
        holds, said = ranges.get(name, (lambda value: True, ""))
        if not holds(value):
            raise UsageError(name, f"must be {said}, got {value}")


def specification(owner: Any) -> str:
    """Return the text that the owner's registry resolves to it again: ``name(field=value, ..)``."""
    options = ", ".join(f"{option.name}={getattr(owner, option.name)!r}" for option in fields(owner))
    return f"{owner.name}({options})"
