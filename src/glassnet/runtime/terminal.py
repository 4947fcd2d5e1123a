r"""All that is printed goes through here, and nothing in it can steer a terminal.

Names and values come from files that anybody may have written. A character that has no width, or that would move
the cursor, ring, colour, break the line, or turn the order of what follows, is shown as Python writes it, such as
``\x1b``.
"""

from __future__ import annotations

import sys
import unicodedata
from typing import TYPE_CHECKING, Any

from glassnet.runtime.streams import progress_stream

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def escape(text: str) -> str:
    r"""Return text on one line: letters, signs and spaces as they are, all else as Python writes it.

    >>> print(escape("red\x1b[31m\u202edone\n"), escape("łódź 数 🙂"))
    red\x1b[31m\u202edone\n łódź 数 🙂
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or unicodedata.category(one) == "Zs" else repr(one)[1:-1] for one in text
    )


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes, Chinese signs two each.

    >>> width_of("AUC"), width_of("准确率")
    (3, 6)
    """
    return sum(
        0 if unicodedata.combining(one) else 1 + (unicodedata.east_asian_width(one) in "WF") for one in text
    )


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return a text with the spaces that fill so many columns, set left or right."""
    spaces = " " * (width - width_of(text))
    return spaces + text if right else text + spaces


def print_lines(*lines: str) -> None:
    """Print lines on stdout; none: an empty one."""
    print(*map(escape, lines), sep="\n", flush=True)  # noqa: T201


def tell(message: str) -> None:
    """Print a message as one line on stderr."""
    print(f"glassnet: {escape(message)}", file=progress_stream(), flush=True)


def print_exactly(text: str) -> None:
    """Print on stdout what programs read, JSON or CSV: into a file or pipe as it is, on a terminal escaped."""
    if sys.stdout.isatty():
        text = "".join(f"{escape(line)}\n" for line in text.removesuffix("\n").split("\n"))
    print(text, end="", flush=True)  # noqa: T201


def stderr_console(*, quiet: bool = False) -> Console:
    """Return a console for progress on stderr, which takes no text for markup, and escapes it."""
    from rich.console import Console

    class EscapingConsole(Console):
        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(escape(text), **options)

    return EscapingConsole(file=progress_stream(), quiet=quiet, highlight=False, markup=False, emoji=False)


def choose_encodings() -> None:
    """Let no character end a command: files and pipes get UTF-8, a console escapes what it has no sign for."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            encoding = stream.encoding if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")
