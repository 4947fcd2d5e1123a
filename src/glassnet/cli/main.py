"""The command ``glassnet``: its commands, and how errors end it."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from glassnet.cli.assignment import assignment
from glassnet.cli.check import check
from glassnet.cli.cluster import cluster_app
from glassnet.cli.data import data_app
from glassnet.cli.demo import demo
from glassnet.cli.doctor import doctor
from glassnet.cli.evaluate import evaluate
from glassnet.cli.explain import explain
from glassnet.cli.export import export
from glassnet.cli.options import ARGUMENTS, ConfiguredCommand
from glassnet.cli.output import help_without_command, say, say_stopped
from glassnet.cli.predict import predict
from glassnet.cli.report import report
from glassnet.cli.reproduce import reproduce
from glassnet.cli.search import search
from glassnet.cli.study import study
from glassnet.cli.train import train
from glassnet.errors import GlassnetError, UsageError
from glassnet.runtime.interrupts import SignalReceived, received_signal
from glassnet.runtime.limits import explain_limit
from glassnet.runtime.terminal import choose_encodings, print_lines


class StoppableGroup(TyperGroup):
    """All commands: one that a signal ends says so, where it has not done so itself."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Read the options that stand before a command's name."""
        with _ending_by_signals():
            return super().make_context(*arguments, **options)

    def invoke(self, context: Any) -> Any:
        """Run a command."""
        with _ending_by_signals():
            return super().invoke(context)


@contextlib.contextmanager
def _ending_by_signals() -> Iterator[None]:
    """Say that a signal ended what is done here, and end with its code."""
    try:
        yield
    except typer.Exit:
        raise
    except BaseException as error:  # a library that a signal interrupts may raise an error of its own
        number = received_signal()
        stop = SignalReceived(number) if number else error
        if not isinstance(stop, KeyboardInterrupt):
            raise
        raise say_stopped(stop) from None


app = typer.Typer(
    name="glassnet",
    cls=StoppableGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # keeps the line breaks of the examples
)
for command in (
    demo,
    assignment,
    train,
    study,
    search,
    reproduce,
    check,
    evaluate,
    report,
    predict,
    export,
    explain,
    doctor,
):
    app.command(cls=ConfiguredCommand)(command)
app.add_typer(data_app, name="data")
app.add_typer(cluster_app, name="cluster")


def _print_version(wanted: bool) -> None:
    if wanted:
        print_lines(f"glassnet {metadata.version('glassnet')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def glassnet(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Train multilayer perceptrons whose every gradient is derived by hand.

    Begin with: glassnet demo
    """
    help_without_command(context)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0; 1 for a failure, 2 for wrong usage; 130, 143 and 129 for Ctrl-C, SIGTERM and SIGHUP.

    An error that is the user's to mend is one line on stderr; anything else is a fault of ours and keeps its
    traceback.
    """
    warnings.showwarning = _show_warning
    choose_encodings()
    try:
        return int(app(args=arguments, prog_name="glassnet", standalone_mode=False) or 0)
    except UsageError as error:
        name = error.name.rpartition(".")[2]
        shown = name.upper() if name in ARGUMENTS else f"--{name.replace('_', '-')}"
        return _fail(f"{shown}: {error.problem}", error.exit_code)
    except GlassnetError as error:
        return _fail(str(error), error.exit_code)
    except typer.TyperException as error:
        unknown = hasattr(error, "possibilities")
        return _fail(_say_unknown(error) if unknown else " ".join(error.format_message().split()), error.exit_code)
    except (OSError, MemoryError, ImportError, SystemError, RuntimeError) as error:
        if (problem := explain_limit(error)) is not None:
            return _fail(problem, 1)
        if not isinstance(error, OSError):
            raise
        # a path that may not be looked at, a name too long
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), 1)


def _say_unknown(error: Any) -> str:
    """Return what is said of an option that the command does not have, with the one that may be meant."""
    from glassnet.training.config import nearest_option

    command = error.ctx.command_path
    flags = [flag for one in error.ctx.command.get_params(error.ctx) for flag in one.opts if flag.startswith("--")]
    meant = nearest_option(error.option_name.lstrip("-"), [flag[2:].replace("-", "_") for flag in flags])
    hint = f"did you mean --{meant.replace('_', '-')}?" if meant else f"see {command} --help"
    return f"{error.option_name}: is no option of {command}; {hint}"


def _show_warning(message: Warning | str, *place: Any, **options: Any) -> None:
    """Show a warning as one line, without the place in the code that gave it."""
    say(str(message))


def _fail(message: str, code: int) -> int:
    say(message)
    return code
