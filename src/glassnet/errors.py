"""The errors glassnet raises on purpose.

Each message is one line that names the option or the file, says what is wrong and what to do. The
console prints it as it stands and ends with the error's exit code; in Python they are ordinary exceptions.
"""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

#: Characters of an error at most, and those of them that are its end: there stands what to do.
MOST_CHARACTERS, ENDING = 2000, 400


class GlassnetError(Exception):
    """Root of all errors that glassnet raises on purpose."""

    exit_code = 1

    def __str__(self) -> str:
        """Return the message as one line of bounded length, whatever was given to it."""
        line = re.sub(r"\s*[\n\r]\s*", " ", super().__str__()).strip()
        if len(line) <= MOST_CHARACTERS:
            return line
        return f"{line[: MOST_CHARACTERS - ENDING]} ... {line[-ENDING:]}"


class UsageError(GlassnetError, ValueError):
    """An argument, option or configuration key has a value that cannot be used.

    Parameters
    ----------
    name : str
        The parameter as it is called in Python, for example ``"learning_rate"``.
    problem : str
        What is wrong, what was received and what would be right.
    """

    exit_code = 2

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.name = name
        self.problem = problem

    def __reduce__(self) -> tuple[type[UsageError], tuple[str, str]]:
        """Pickle by the two arguments, so that a worker process can raise it."""
        return type(self), (self.name, self.problem)


class FileError(GlassnetError, OSError):
    """A file or folder cannot be read, understood or written.

    Parameters
    ----------
    path : str or Path
        The file at fault.
    problem : str
        What is wrong with it, where, and what was expected.
    """

    def __init__(self, path: str | Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem

    def __reduce__(self) -> tuple[type[FileError], tuple[str | Path, str]]:
        """Pickle by the two arguments, so that a worker process can raise it."""
        return type(self), (self.path, self.problem)


@contextlib.contextmanager
def naming_file(path: str | Path) -> Iterator[None]:
    """Let what is wrong with an option be said of the file that it stands in: the user gave no option."""
    try:
        yield
    except UsageError as error:
        raise FileError(path, str(error)) from None


class DataError(GlassnetError, ValueError):
    """The data contradict themselves, or the network that is to learn them."""


class NonFiniteError(GlassnetError, ArithmeticError):
    """A number became NaN or infinite; the message says where it was first seen.

    Attributes
    ----------
    layer : int or None
        The layer, counted from 1, where that is known.
    """

    layer: int | None = None


class HealthWarning(UserWarning):
    """A network that is being trained is sick; the message says what, where, since when, why and what to try."""


def unknown_name(parameter: str, name: str, known: Iterable[str]) -> UsageError:
    """Build the error for a name that is not known, with the nearest known one.

    Parameters
    ----------
    parameter : str
        What the name was given for, as it is called in Python.
    name : str
        The unknown name.
    known : iterable of str
        The names that would be right.

    Returns
    -------
    UsageError
        To be raised. Capitals, hyphens and underscores make no difference to which name is nearest; where none is
        near, none is proposed.

    Examples
    --------
    >>> print(unknown_name("activation", "Leaky-ReLU", ["relu", "leaky_relu", "tanh"]))
    activation: unknown name 'Leaky-ReLU'; did you mean 'leaky_relu'? Known: leaky_relu, relu, tanh
    """
    known = sorted(known)
    nearest = nearest_name(name, known)
    hint = f"did you mean {nearest!r}? " if nearest is not None else ""
    return UsageError(parameter, f"unknown name {name!r}; {hint}Known: {', '.join(known)}")


def nearest_name(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name that is most similar to a name, None where none is; see `unknown_name`.

    `cutoff` is the least similarity, from 0 to 1, of `difflib.get_close_matches`.
    """
    plain = {_plain(one): one for one in known}
    close = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=cutoff)
    return plain[close[0]] if close else None


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
