"""What commands print: a short table for people, one JSON object for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.errors import FileError, UsageError
from glassnet.runtime.interrupts import exit_code
from glassnet.runtime.limits import explain_limit
from glassnet.runtime.terminal import escape, pad, print_exactly, print_lines, tell, width_of

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset
    from glassnet.data.splits import Split
    from glassnet.locales.catalogue import Words
    from glassnet.nn.network import Network
    from glassnet.training.metrics import Evaluation

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the table.")]
DataDirOption = Annotated[
    Path | None,
    typer.Option(help="Folder with data sets, in place of GLASSNET_DATA.", show_default=False),
]
EncodingOption = Annotated[
    str | None,
    typer.Option(
        help="Encoding of the file's text, such as latin-1.",
        metavar="NAME",
        show_default="that named for training, else UTF-8",
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")]


class SplitName(StrEnum):
    """Rows of a run's data."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"

    def rows_of(self, data: Dataset) -> Split:
        """Return the rows, or raise `UsageError` where there are none."""
        rows: Split = getattr(data, self.value)
        if len(rows.y) == 0:
            raise UsageError("split", f"the run has no {self.value} rows; take another")
        return rows


def help_without_command(context: typer.Context) -> None:
    """Print the help of a group that was called without a command, which is wrong usage."""
    if context.invoked_subcommand is None:
        print_exactly(f"{context.get_help()}\n")
        raise typer.Exit(2)


def print_json(record: dict[str, Any]) -> None:
    """Print a record as JSON; numbers that JSON has no word for (NaN) do not occur in a finished command.

    All but ASCII is escaped, and so is the one character of ASCII that JSON leaves as it is and no terminal shows.
    """
    print_exactly(json.dumps(record, allow_nan=False).replace("\x7f", "\\u007f") + "\n")


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    width = max(width_of(escape(name)) for name, _ in facts)
    for name, value in facts:
        print_lines(f"{pad(escape(name), width)}  {value}")


def describe_network(network: Network, words: Words) -> tuple[str, str]:
    """Return a network's layers and size, for `print_facts`."""
    size = {"layers": "-".join(map(str, network.layers)), "parameters": len(network.theta)}
    return words.say("network"), words.say("explain.network", **size)


def say(message: str) -> None:
    """Print a message on stderr, with the options that it names as flags."""
    tell(name_flags(message))


def say_stopped(stop: KeyboardInterrupt, then: str = "") -> typer.Exit:
    """Say that a signal ended the command, and what to do; return the exception to end it with.

    The signal may come from a library that can start no thread.
    """
    code = exit_code(stop)
    if (problem := explain_limit(stop)) is not None:
        say(problem)
        return typer.Exit(1)
    say(f"{str(stop) or 'stopped by Ctrl-C'}{then}")
    return typer.Exit(code)


def name_flags(text: str) -> str:
    """Return text in which an option that it names as Python has it, as in ``task=regression``, is a flag."""
    return re.sub(r"\btask=(?=[a-z])", "--task ", text)


def print_remarks(data: Dataset) -> None:
    """Say on stderr what was decided while the user's own data were read."""
    say_remarks(data.name, data.remarks)


def say_remarks(name: str | Path, remarks: Iterable[str]) -> None:
    """Say on stderr what was decided while a file was read, each thing once."""
    for remark in dict.fromkeys(remarks):
        say(f"{name}: {remark}")


def describe_measures(found: Evaluation, words: Words) -> list[tuple[str, str]]:
    """Return a network's measures with their intervals, for `print_facts`."""
    facts = []
    for name, value in found.measures.items():
        low, high = found.intervals.get(name, (None, None))
        within = "" if low is None else "  " + words.say("within_limits", low=low, high=high).strip()
        facts.append((words.measure(name), f"{value:.4f}{within}"))
    return facts


def print_published(figures: dict[str, dict[str, float]], own: dict[str, float], words: Words) -> None:
    """Print published AUC and accuracy by method, and one's own below."""
    rows = [[method, f"{row['auc']:.3f}", f"{row['acc']:.3f}"] for method, row in figures.items()]
    mine = [f"{own[name]:.3f}" if name in own else "" for name in ("auc", "accuracy")]
    header = [words.say("terminal.published"), words.measure("auc"), words.measure("accuracy")]
    print_table(header, [*rows, [words.say("terminal.this"), *mine]])


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], text: Sequence[int] = (0,)) -> None:
    """Print rows under a header; the columns that hold text, as the first does, are set left, the others right."""
    lines = [[escape(cell) for cell in line] for line in (header, *rows)]
    widths = [max(width_of(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = [
            pad(cell, width, right=column not in text)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print_lines("  ".join(cells).rstrip() if len(line) - 1 in text else "  ".join(cells))


def output_file(path: Path, overwrite: bool) -> Path:
    """Return the file to write, links followed; one that is there is replaced only if that is asked for.

    Raises `FileError` if the file is there, or is a folder, a device or the like.
    """
    if path.exists() and not path.is_file():
        raise FileError(path, "is no regular file; name another with --out")
    if path.exists() and not overwrite:
        raise FileError(path, "is already there; choose another with --out, or add --overwrite")
    return path.resolve() if path.is_symlink() else path
