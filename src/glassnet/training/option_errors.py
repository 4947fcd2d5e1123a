"""What does not fit an option, or is no option, as one line that names it and what may be meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from glassnet.errors import UsageError
from glassnet.training.options import SECTIONS, fields_of, option_of

Model = TypeVar("Model", bound=BaseModel)

#: What takes the options of a section in Python.
TAKERS = {"data": "glassnet.load_dataset", "network": "glassnet.Network", "training": "glassnet.fit"}


def nearest_option(name: str, known: Iterable[str]) -> str | None:
    """Return the option that is meant by a name that is none: what others call so, or the most similar name.

    Examples
    --------
    >>> nearest_option("lr", ["l1", "learning_rate"]), nearest_option("Batch-Sise", ["batch_size"])
    ('learning_rate', 'batch_size')
    """
    known, plain = list(known), name.replace("-", "_").lower()
    options = {option: field for section in SECTIONS for option, field in fields_of(section).items()}
    for option, field in options.items():
        if option in known and plain in option_of(field).elsewhere:
            return option
    return next(iter(difflib.get_close_matches(plain, known, n=1, cutoff=0.7)), None)


def unknown_option(place: str, known: Iterable[str], others: Iterable[str] = ()) -> UsageError:
    """Build the error for a name that is no option.

    Parameters
    ----------
    place : str
        The name, after its section where that is part of the message.
    known : iterable of str
        The options at that place.
    others : iterable of str, optional
        What else may be meant.

    Examples
    --------
    >>> print(unknown_option("lr", ["epochs", "learning_rate"]))
    lr: is no option; did you mean learning_rate?
    >>> print(unknown_option("training.dropout", ["epochs"]))
    training.dropout: is no option here; it goes to glassnet.Network, or to [network] in a file
    """
    known, name = list(known), place.rpartition(".")[2]
    for section, taker in TAKERS.items():
        if name in fields_of(section):
            return UsageError(place, f"is no option here; it goes to {taker}, or to [{section}] in a file")
    meant = nearest_option(name, [*known, *others])
    problem = f"did you mean {meant}?" if meant else f"known here: {', '.join(known)}"
    return UsageError(place, f"is no option; {problem}")


def validated(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Build a configuration, with pydantic's complaints as one line that names the option.

    Raises
    ------
    UsageError
        For the first value that does not fit.

    Examples
    --------
    >>> from glassnet.training.options import TrainingConfig
    >>> validated(TrainingConfig, {"epochs": 0})
    Traceback (most recent call last):
        ...
    glassnet.errors.UsageError: epochs: input should be greater than or equal to 1, got 0
    """
    try:
        return model(**values)
    except ValidationError as error:
        raise _complaint(model, error.errors()[0]) from None


def _complaint(model: type[BaseModel], first: ErrorDetails) -> UsageError:
    """Return pydantic's complaint as an error that names the option."""
    full = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        section = full[-2] if len(full) > 1 else ""
        inner = model.model_fields[section].annotation if section in model.model_fields else model
        known = fields_of(section) if section in SECTIONS else getattr(inner, "model_fields", model.model_fields)
        return unknown_option(".".join(full), known)
    if first["type"] == "value_error" and isinstance(problem := first["ctx"]["error"], UsageError):
        return UsageError(".".join([*full, problem.name]), problem.problem)
    place = [part for part in first["loc"] if isinstance(part, str) and part.isidentifier()]
    name = ".".join(part for part in place if part not in ("int", "float", "str")) or "configuration"
    if first["type"] == "missing":
        return UsageError(name, "is missing")
    problem = first["msg"].partition(", unable")[0]
    return UsageError(name, f"{problem[0].lower()}{problem[1:]}, got {first['input']!r}")
