"""The options of a configuration as flags of a command: made from its fields, and read back as changes of it."""

from __future__ import annotations

import csv
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand

from glassnet.errors import UsageError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

Command = TypeVar("Command", bound=Callable[..., Any])

#: What a command takes without an option's name.
ARGUMENTS = ("dataset", "network", "publication")

ConfigOption = Annotated[
    Path | None,
    typer.Option(help="TOML file to start from, for example a run's config.toml; other options change it."),
]


def takes(*names: str, **defaults: str | None) -> Callable[[Command], Command]:
    """Give a command options of the configuration, or sections of them, in place of its ``**options``.

    A keyword says what the help tells of a default that is the command's own; with None, it does not take this
    option.
    """

    def mark(command: Command) -> Command:
        signature = inspect.signature(command, eval_str=True)
        own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
        vars(command).update(takes=(names, defaults), __signature__=signature.replace(parameters=own))
        return command

    return mark


class ConfiguredCommand(TyperCommand):
    """A command with options of the configuration, which it reads when it is called: pydantic takes its time."""

    def get_params(self, context: Any) -> list[Any]:
        """Return the parameters, those of the configuration with them."""
        command = inspect.unwrap(self.callback) if self.callback else None
        if hasattr(command, "takes"):
            app = typer.Typer(add_completion=False)
            app.command()(_complete(command))
            full = typer.main.get_command(app)
            self.params, self.callback = full.params, full.callback
        return super().get_params(context)

    def collect_usage_pieces(self, context: Any) -> list[str]:
        """Return what stands behind the command in its usage, an argument that need not be given in brackets."""
        pieces = super().collect_usage_pieces(context)
        return [piece.strip("{}").replace("[[", "[").replace("]]", "]") for piece in pieces]

    def format_options(self, context: Any, formatter: Any) -> None:
        """Write the options a section at a time."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for one in self.get_params(context):
            title = "Arguments" if one.param_type_name == "argument" else getattr(one, "rich_help_panel", None)
            if record := one.get_help_record(context):
                text = re.sub(r"; x>=\d+\]$", "]", record[1])
                text = re.sub(r"\[default: \((.*)\)\]$", r"[default: \1]", text)
                name = re.sub(r" <(path|str)>$", "" if title == "Arguments" else " PATH", record[0])
                sections.setdefault(title or "Options", []).append((name, text))
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def _complete(command: Any) -> Callable[..., Any]:
    """Return a command with a parameter for each option of the configuration that it takes."""
    names, defaults = command.takes
    parameters = [*inspect.signature(command).parameters.values()]
    for name, (section, field) in _flags().items():
        if (name in names or section in names) and (default := defaults.get(name, "")) is not None:
            shown = _annotate(name, field, section.capitalize() or "Options", default)
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            parameters.append(inspect.Parameter(name, kind, default=None, annotation=shown))

    def complete(**given: Any) -> Any:
        return command(**given)

    ordered = sorted(
        parameters, key=lambda one: (one.default is not inspect.Parameter.empty, one.name not in ARGUMENTS)
    )
    vars(complete).update(__signature__=inspect.Signature(ordered))
    return complete


def _flags() -> dict[str, tuple[str, FieldInfo]]:
    """Return the options that the command line has by name, each with its section, which the seed has none of."""
    from glassnet.training.config import RunConfig
    from glassnet.training.options import SECTIONS, fields_of, option_of

    flags = {
        name: (section, field)
        for section in SECTIONS
        for name, field in fields_of(section).items()
        if option_of(field).flag
    }
    return {"seed": ("", RunConfig.model_fields["seed"]), **flags}


def _annotate(name: str, field: FieldInfo, title: str, default: str) -> Any:
    """Return an option as Typer's annotation of a parameter; its text is read by `collect_changes`."""
    from glassnet.training.options import option_of, type_text

    option, flag = option_of(field), f"--{name.replace('_', '-')}"
    if name in ARGUMENTS:
        return Annotated[str | None, typer.Argument(help=option.says, metavar=option.metavar)]
    if type_text(field).startswith("bool"):
        switch = typer.Option(f"{flag}/--no-{flag[2:]}", help=option.says, rich_help_panel=title)
        return Annotated[bool | None, switch]
    metavar = option.metavar or next(form[1] for form in FORMS if type_text(field).startswith(form[0]))
    said = default or option.unset or (str(field.default) if field.default is not None else "none")
    shown = typer.Option(flag, help=option.says, metavar=metavar, show_default=said, rich_help_panel=title)
    return Annotated[list[str] | None if type_text(field).startswith("list[str]") else str | None, shown]


def collect_changes(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given as `glassnet.training.config.configure` takes them: values by section.

    Raises `UsageError` if a text is not what the option takes.
    """
    changes: dict[str, Any] = {"data": {}, "network": {}, "training": {}}
    for name, (section, field) in _flags().items():
        if options.get(name) is not None:
            changes.get(section, changes)[name] = _read(name, field, options[name])
    return changes


def _read(name: str, field: FieldInfo, value: Any) -> Any:
    """Read the text of an option by its type; what does not fit the type's bounds is left to the configuration."""
    from glassnet.training.options import type_text

    _, _, read, form = next(form for form in FORMS if type_text(field).startswith(form[0]))
    try:
        return read(value)
    except UsageError:
        raise
    except ValueError:
        raise UsageError(name, f"must be {form}; got {value!r}") from None


def split_names(given: str | Sequence[str]) -> list[str]:
    """Read names with commas between, quoted where a name holds one; an option that comes again has one each.

    So ``a,b`` and ``'"a,b",c'`` are two names, and so are ``a,b`` and ``c`` of an option that is given twice.
    """
    texts = [given] if isinstance(given, str) else list(given)
    if len(texts) > 1:
        return [text.strip() for text in texts]
    return [name.strip() for name in next(csv.reader(texts, skipinitialspace=True), [])]


def _split_numbers(text: str) -> list[int]:
    """Read whole numbers with commas between, or as sizes are written: 28x32."""
    return [int(number) for number in re.split("[,xX×]", text)]


def _read_names(text: str) -> str | list[str]:
    """Read one name, or several with commas between."""
    return split_names(text) if "," in text else text


def _read_shares(text: str) -> float | list[float]:
    """Read one share, or several with commas between."""
    shares = [float(part) for part in text.split(",")]
    return shares if len(shares) > 1 else shares[0]


def _read_number(text: str) -> int | float:
    """Tell a number of rows, ``5``, from a share of them, ``0.5`` or ``1.0``."""
    return int(text) if text.isdecimal() else float(text)


def _read_rows(text: str) -> int | float | str:
    """Read a number or a share of rows; anything else is a name for them, ``last(500)``."""
    try:
        return _read_number(text)
    except ValueError:
        return text


def _read_class_weights(text: str) -> str | dict[str, float]:
    """Read ``balanced``, or weights by class: ``cat=2,dog=1``."""
    if "=" not in text:
        return text
    pairs = [part.rpartition("=") for part in text.split(",")]
    names = [name.strip() for name, _, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise UsageError("class_weight", f"the class {name} is given twice")
    return dict(zip(names, (float(weight) for _, _, weight in pairs), strict=True))


#: By the beginning of an option's type: what stands for its value, what reads it, and what that takes.
FORMS: tuple[tuple[str, str, Callable[[Any], Any], str], ...] = (
    ("bool", "", bool, ""),
    ("str | Mapping[", "NAME=W,..", _read_class_weights, "balanced, or like cat=2,dog=1"),
    ("str | list[", "NAME,..", _read_names, ""),
    ("list[int", "N,..", _split_numbers, "whole numbers with commas between"),
    ("list[", "NAME,..", split_names, ""),
    ("float | list[", "X,..", _read_shares, "a share such as 0.4, or several: 0.1,0.4,0.4"),
    ("int | float | str", "N", _read_rows, ""),
    ("int | float", "N", _read_number, "a number of rows, or a share such as 0.1"),
    ("int", "N", int, "a whole number"),
    ("float", "X", float, "a number"),
    ("", "NAME", str, ""),
)
