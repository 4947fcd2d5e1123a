"""A folder of many runs, of a study or a search: made or taken up, held by one process, and its record."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from glassnet.errors import FileError
from glassnet.runtime.files import lock_file, write_bytes

LOCK_FILE = ".lock"


@dataclass(frozen=True)
class RunsFolder:
    """A folder with a folder for each run, and a row for each that has ended.

    `what` it is the folder of, in a word. Its `own_file` tells it from any other folder; `record_file` holds what
    is recorded.
    """

    path: Path

    what: ClassVar[str]
    own_file: ClassVar[str]
    record_file: ClassVar[str]

    @contextlib.contextmanager
    def hold_path(self) -> Iterator[None]:
        """Make the folder, or take up one of its kind, and hold it.

        It is a `FileError` if it holds something else, cannot be made, or another process holds it.
        """
        self._check_free()
        try:
            for folder in (self.path, self.path / "runs", self.path / "rows"):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(self.path, f"cannot be made: {error.strerror}; choose another folder") from None
        with lock_file(self.path / LOCK_FILE):
            yield

    def _check_free(self) -> None:
        """Refuse a folder that holds something else."""
        try:
            there = {path.name for path in self.path.iterdir()} if self.path.exists() else set()
        except OSError as error:
            raise FileError(
                self.path, f"is no folder that can be used: {error.strerror}; choose another"
            ) from None
        if there - {LOCK_FILE, "runs", "rows"} and self.own_file not in there:
            raise FileError(self.path, f"already holds files, and no {self.what}; choose another folder")

    def check_data(
        self, begun_with: Mapping[str, dict[str, str]], checksums: Mapping[str, dict[str, str]]
    ) -> None:
        """Raise `FileError` if it was begun with data of other checksums."""
        if begun_with != checksums:
            raise FileError(self.path, "was begun with other data files; choose another folder, or take those")

    def remove_halves(self) -> None:
        """Remove what is left of writes that were cut off."""
        for left in self.path.glob("**/.*.part"):
            left.unlink(missing_ok=True)

    def write(self, record: Mapping[str, Any]) -> None:
        """Replace what is recorded."""
        write_bytes(self.path / self.record_file, (json.dumps(record, indent=1) + "\n").encode())
