"""The options of a run in words: in the help of `glassnet.fit`, and as the tables of ``docs/options.md``."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from glassnet.training.options import SECTIONS, fields_of, option_of

Function = TypeVar("Function", bound=Callable[..., Any])

INTRODUCTION = """# Options

In a configuration file an option stands in the section `[data]`, `[network]` or `[training]`. On the command line
`batch_size` is written `--batch-size`. In Python the options of the data are arguments of `glassnet.load_dataset`,
those of the network arguments of `glassnet.Network`, and those of training arguments of `glassnet.fit`.

This page is made by `python -m glassnet.training.option_docs`, from the definitions in
`glassnet/training/options.py`.
"""


def type_text(field: FieldInfo) -> str:
    """Return what Python takes for an option.

    Examples
    --------
    >>> type_text(fields_of("training")["optimizer"]), type_text(fields_of("training")["batch_size"])
    ('str | Optimizer', 'int | None')
    """
    names = _type_names(field.annotation)
    names[1:1] = filter(None, [option_of(field).takes])
    return " | ".join(names)


def _type_names(kind: Any) -> list[str]:
    """Return the alternatives of a type, as they are written in Python."""
    if get_origin(kind) is Annotated:
        return _type_names(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [name for part in get_args(kind) for name in _type_names(part)]
    if kind is NoneType:
        return ["None"]
    return [kind.__name__ if get_origin(kind) is None else str(kind).removeprefix("typing.")]


def default_text(field: FieldInfo) -> str:
    """Return the default of an option in words."""
    plain = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
    return "must be given" if field.is_required() else option_of(field).default or plain


def takes_training_options(function: Function) -> Function:
    """Put the options of training in place of ``**options`` in a function's signature and docstring."""
    signature = inspect.signature(function)
    parameters = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    text, returns, rest = inspect.cleandoc(function.__doc__ or "").partition("\n\nReturns\n")
    for name, field in fields_of("training").items():
        kind, option = type_text(field), option_of(field)
        parameters.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=kind)
        )
        by_default = f" Default: {option.default}." if option.default not in ("", "none") else ""
        text += f"\n{name} : {kind}, default {field.default!r}\n"
        text += textwrap.indent(textwrap.fill(f"{option.says}{by_default} {option.more}".strip(), 106), "    ")
    function.__doc__ = text + returns + rest
    function.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return function


def option_tables() -> str:
    """Return the page ``docs/options.md``: a table of options for each section."""
    lines = [INTRODUCTION]
    for section in SECTIONS:
        lines += [
            f"## {section.capitalize()}",
            "",
            "| Option | Type | Default | What it is |",
            "|---|---|---|---|",
        ]
        for name, field in fields_of(section).items():
            option = option_of(field)
            cells = [
                f"`{name}`",
                f"`{type_text(field)}`",
                default_text(field),
                f"{option.says} {option.more}".strip(),
            ]
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(option_tables(), end="")  # noqa: T201
