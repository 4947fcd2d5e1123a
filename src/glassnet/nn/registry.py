"""Names for things: how ``"relu"`` or ``"uniform(-1, 1)"`` becomes an object.

Activations, losses, initializers and optimizers each have one `Registry`. It maps a name to a factory and
understands a specification with arguments, written as a Python call with literal arguments.
"""

from __future__ import annotations

import ast
import inspect
import keyword
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Generic, TypeVar

import numpy as np

from glassnet.errors import UsageError, unknown_name

T = TypeVar("T")


class Registry(Generic[T]):
    """A family of named factories.

    Parameters
    ----------
    kind : str
        What the family holds, as the parameter is called: ``"activation"``, ``"loss"``, ...
    base : type
        The class every member is an instance of.

    Attributes
    ----------
    aliases : dict of str to str
        Other names by which members may be called, with the names that they are registered under.

    Examples
    --------
    >>> numbers = Registry("number", float)
    >>> numbers.add("half", lambda scale=1.0: 0.5 * scale)
    >>> numbers.resolve("half"), numbers.resolve("half(3)"), numbers.resolve("half(scale=4)")
    (0.5, 1.5, 2.0)
    """

    def __init__(self, kind: str, base: type[T]) -> None:
        self.kind = kind
        self.base = base
        self._factories: dict[str, Callable[..., T]] = {}
        self._unlisted: set[str] = set()
        self.aliases: dict[str, str] = {}

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._factories if name not in self._unlisted)

    def add(self, name: str, factory: Callable[..., T], *, listed: bool = True) -> None:
        """Register `factory` under `name`; raise `UsageError` if that is taken or is not a Python identifier.

        What is not `listed` is found by its name, and left out where the family is gone through.
        """
        if not name.isidentifier() or keyword.iskeyword(name):
            raise UsageError(self.kind, f"{name!r} is no usable name: take letters, digits and underscores")
        if name in self._factories:
            raise UsageError(self.kind, f"the name {name!r} is taken; choose another")
        self._factories[name] = factory
        if not listed:
            self._unlisted.add(name)

    def factory(self, name: str) -> Callable[..., T]:
        """Return the factory registered as `name`, or raise `UsageError` with the nearest known name."""
        name = self.aliases.get(name, name)
        if name not in self._factories:
            raise unknown_name(self.kind, name, [*self, *self.aliases])
        return self._factories[name]

    def resolve(self, spec: str | T, parameter: str | None = None) -> T:
        """Turn a specification into an object; an object of the family is returned as it is.

        A specification is ``"name"`` or ``"name(1, key=2)"``; a hyphen in the name counts as an underscore. Raise
        `UsageError` if the name is unknown, or the arguments do not fit; it calls them `parameter`, where that is
        not the kind.
        """
        if isinstance(spec, self.base):
            return spec
        name = ""
        try:
            if not isinstance(spec, str):
                kind = self.base.__name__
                article = "an" if kind[0] in "AEIOU" else "a"
                raise UsageError(self.kind, f"expected a name or {article} {kind}, got {spec!r}")
            name, arguments, options = _parse_call(self.kind, spec)
            factory = self.factory(name)
            if options:
                _check_known(factory, options)
            return factory(*arguments, **options)
        except UsageError as error:
            problem = error.problem if error.name == self.kind else f"{name}: {error}"
            raise UsageError(parameter or self.kind, problem) from None
        except (TypeError, ValueError) as error:
            raise UsageError(parameter or self.kind, f"{spec!r} does not fit {name}: {error}") from None


def _check_known(factory: Callable[..., Any], options: Iterable[str]) -> None:
    """Raise TypeError for an option that a factory does not take, with those that it does."""
    known = inspect.signature(factory).parameters
    open_ended = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known.values())
    unknown = [] if open_ended else [option for option in options if option not in known]
    if unknown:
        raise TypeError(f"it has no option {unknown[0]}; it has {', '.join(known) or 'none'}")


def _parse_call(kind: str, spec: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Split ``"name(1, key=2)"`` into its name, positional and keyword arguments."""
    if spec.isidentifier() and not keyword.iskeyword(spec):
        return spec, [], {}
    try:
        name = re.match(r"\s*([a-zA-Z][\w-]*)", spec)  # cross-entropy is as good as cross_entropy
        text = spec if name is None else name[1].replace("-", "_") + spec[name.end() :]
        node = ast.parse(text.strip(), mode="eval").body
        if isinstance(node, ast.Name):
            return node.id, [], {}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            arguments = [_literal(argument) for argument in node.args]
            options = {str(option.arg): _literal(option.value) for option in node.keywords}
            if len(options) == len(node.keywords):
                return node.func.id, arguments, options
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        pass
    raise UsageError(kind, f"cannot read {spec!r}; write a name, or a name with values: name(1, key=2)")


def _literal(node: ast.expr) -> Any:
    """Evaluate a literal; a bare word such as ``sum`` counts as a string, so shells need fewer quotes."""
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


def is_number(value: Any) -> bool:
    """Say whether a value is a finite number, Python's or NumPy's."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return number and bool(np.isfinite(value))


#: What holds of each option by name, and how it is said.
Ranges = Mapping[str, tuple[Callable[[Any], bool], str]]


def check_options(owner: Any, names: Iterable[str], ranges: Ranges) -> None:
    """Raise `UsageError` for the first attribute of a frozen dataclass that is no finite number in its range.

    NumPy's numbers become Python's: these leave float32 arithmetic float32.
    """
    for name in names:
        value = getattr(owner, name)
        if not is_number(value):
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
