"""Reading back what glassnet wrote, which anybody may have changed since: in one way, with bounds.

A record is a regular file of bounded size, in JSON or TOML of bounded depth, and every value in it has the type
and the range that its annotation says. What is not so is a `FileError` that names the file, the place in it and
the value.
"""

from __future__ import annotations

import math
import os
import reprlib
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, FailFast, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from glassnet.errors import FileError

Kind = TypeVar("Kind")

#: Bytes that a record has at most, names in a table of one in JSON, and how deep lists stand in lists.
MOST_BYTES, MOST_NAMES, MOST_LEVELS = 1 << 24, 10_000, 64
MOST_DOTS = 1000  # in a line of TOML
TOO_DEEP = f"it is nested more than {MOST_LEVELS} levels deep"

#: Characters that are shown of a value.
MOST_SHOWN = 60

#: A whole number that counts something, many of them, one from 1 on, and a seed; a number, and one that may be NaN
#: or infinite; seconds of work; and what was measured: JSON has null for what was not finite. A list ends with the
#: first value that is none: each complaint takes memory.
Count = Annotated[int, Field(strict=True, ge=0, le=2**53)]
Counts = Annotated[tuple[Count, ...], FailFast()]
Place = Annotated[int, Field(strict=True, ge=1, le=2**53)]
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Real = Annotated[float, Field(strict=True)]
Seconds = Annotated[float, Field(strict=True, ge=0, le=1e12)]
Measured = Annotated[Real, BeforeValidator(lambda value: math.nan if value is None else value)]

_adapters: dict[Any, TypeAdapter[Any]] = {}
_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = MOST_SHOWN


def check_regular(path: Path) -> int:
    """Return the size of a regular file, before it is opened: to open a pipe or a device may wait for ever.

    `FileError` is raised where it is none, and OSError where it is not there.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise FileError(path, "is not a regular file")
    return status.st_size


def read_record(path: Path, most: int = MOST_BYTES) -> str:
    """Return the text of a record of so many bytes at most."""
    try:
        if check_regular(path) > most:
            raise FileError(path, f"is larger than any that glassnet writes, which have at most {most:,} bytes")
        with path.open("rb") as file:
            return file.read(most).decode()
    except FileError:
        raise
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise FileError(path, f"is no text in UTF-8: {error.reason} at byte {error.start}") from None


def read_json(path: Path, kind: type[Kind], what: str, remedy: str = "") -> Kind:
    """Return what a record in JSON holds, as a value of a dataclass or TypedDict; `what` says what it is to be."""
    text = read_record(path)
    try:
        check_plain(from_json(text, allow_inf_nan=False), names=MOST_NAMES)
        found: Kind = adapter_of(kind).validate_json(text, strict=True)
    except ValueError as error:
        raise FileError(path, f"is no {what}: {explain(error)}{remedy and f'; {remedy}'}") from None
    return found


def parse_toml(path: Path, text: str) -> dict[str, Any]:
    """Return what a record in TOML holds; its whole numbers have 64 bits, as TOML wants it."""
    try:
        if any(line.count(".") > MOST_DOTS for line in text.splitlines()):
            raise ValueError(TOO_DEEP)  # the time that a dotted key takes grows with the square of its length
        values = tomllib.loads(text)
        check_plain(values)
    except (ValueError, RecursionError) as error:
        raise FileError(path, f"is no TOML file: {explain(error)}") from None
    return values


def check_plain(values: Any, *, bits: int = 64, names: int | None = None) -> None:
    """Raise ValueError where plain values are not what anything can work with that goes through them.

    Lists stand too deep in lists, a table has too many names, a whole number has too many bits, or a text is none
    in Unicode.
    """
    level = [values]
    for _ in range(MOST_LEVELS):
        for value in level:
            if isinstance(value, str):
                value.encode()
            elif isinstance(value, int) and value.bit_length() >= bits:
                raise ValueError(f"a whole number has more than {bits} bits")
            elif names is not None and isinstance(value, dict) and len(value) > names:
                raise ValueError(f"a table has more than {names:,} names")
        inner = [
            one.items() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list | tuple)
        ]
        level = [part for parts in inner for part in parts]
        if not level:
            return
    raise ValueError(TOO_DEEP)


def adapter_of(kind: Any) -> TypeAdapter[Any]:
    """Return what checks values of a kind; to make it takes longer than to use it."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def explain(error: Exception) -> str:
    """Say in one line where values are at fault, and what is wrong; of several complaints the first."""
    if isinstance(error, RecursionError):
        return TOO_DEEP
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {complaint(first)}" if place else complaint(first)


def complaint(first: ErrorDetails) -> str:
    """Say what is wrong with a value by one of pydantic's complaints."""
    if first["type"] == "missing":
        return "is missing"
    problem = " ".join(first["msg"].removeprefix("Value error, ").partition(", unable")[0].split())
    got = _short.repr(first["input"])
    return f"{problem[0].lower()}{problem[1:]}, got {got if len(got) <= MOST_SHOWN else f'{got[:MOST_SHOWN]}...'}"
