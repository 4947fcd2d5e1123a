"""stdout and stderr that may be closed or full: neither ends the work, and what was lost of stdout is known."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO


class UnfailingStream:
    """A stream of text that drops what cannot be written; `failure` is the first error, None without one."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.failure: OSError | None = None

    def write(self, text: str) -> int:
        """Write text where that is possible."""
        try:
            return self.stream.write(text)
        except OSError as error:
            self.failure = self.failure or error
            return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        try:
            self.stream.flush()
        except OSError as error:
            self.failure = self.failure or error

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def progress_stream() -> Any:
    """Return what progress is shown on: stderr, whose failure ends no work; nothing where there is none."""
    return open(os.devnull, "w") if sys.stderr is None else UnfailingStream(sys.stderr)


def secure_streams() -> UnfailingStream:
    """Have this process, which is ours as a whole, do without its streams where they fail; return stdout.

    What is closed is opened, stdout so that writing fails: else the next file would get its number, and what C
    libraries print would go into that file.
    """
    for handle, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(handle)
        except OSError:
            os.set_inheritable(os.open(os.devnull, flags), True)
    out: Any = UnfailingStream(sys.stdout or open(1, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    err: Any = UnfailingStream(sys.stderr or open(2, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    sys.stdout, sys.stderr = out, err
    return out
