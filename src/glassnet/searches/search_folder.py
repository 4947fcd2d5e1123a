"""The folder of a search: what it is, what was drawn, a folder for each run, and a row for each that has ended."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from glassnet.errors import FileError
from glassnet.runtime.files import lock_file, write_bytes
from glassnet.runtime.records import Place, Seconds, Seed, read_json
from glassnet.searches.design import Search
from glassnet.study.study_folder import LOCK_FILE, RecordedLayout

SPACE_FILE = "space.toml"
RECORD_FILE = "search.json"
PLAN_FILE = "plan.toml"

#: How a search differs from that of a folder, in words.
DIFFERENCES = {"fingerprint": "searches something else", "first_epochs": "has other first epochs"}


@with_config(ConfigDict(extra="forbid"))
class SearchRecord(TypedDict, total=False):
    """What is recorded of a search: what it is, its data and machine, and the seconds that it has taken so far."""

    fingerprint: str
    strategy: str
    sampler: str
    trials: Place
    finish: Place
    first_epochs: Place
    timeout: Seconds | None
    seed: Seed
    checksums: dict[str, dict[str, str]]
    environment: dict[str, str]
    layout: RecordedLayout
    seconds: Seconds
    out_of_time: bool


@dataclass(frozen=True)
class SearchFolder:
    """A search's folder."""

    path: Path

    @contextlib.contextmanager
    def hold(self, search: Search, text: str, checksums: dict[str, dict[str, str]]) -> Iterator[SearchRecord]:
        """Make the folder, or take up that of the same search; hold it, and give what is recorded of it.

        More trials, more to finish or another limit of time leave it the same search. It is a `FileError` if it is
        another's, was begun with data of other checksums, holds something else, cannot be written, or another
        process searches in it.
        """
        self._check_free()
        try:
            for folder in (self.path, self.path / "runs", self.path / "rows"):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(self.path, f"cannot be made: {error.strerror}; choose another folder") from None
        with lock_file(self.path / LOCK_FILE):
            record = self.record()
            own = search.space.fingerprint()
            same: SearchRecord = {"fingerprint": own, "strategy": search.strategy, "sampler": search.sampler}
            if search.strategy == "one-epoch":
                same["first_epochs"] = search.first_epochs
            for name, value in same.items():
                if record.get(name, value) != value:
                    what = DIFFERENCES.get(name, f"has another {name}")
                    raise FileError(self.path, f"holds a search that {what}; choose another folder")
            if record.setdefault("checksums", checksums) != checksums:
                raise FileError(self.path, "was begun with other data files; choose another folder, or take those")
            for left in self.path.glob("**/.*.part"):  # of a write that was cut off
                left.unlink(missing_ok=True)
            record |= same
            record |= {"trials": search.trials, "finish": search.finish, "first_epochs": search.first_epochs}
            record |= {"timeout": search.timeout, "seed": search.space.base.seed}
            write_bytes(self.path / SPACE_FILE, text.encode())
            self.write(record)
            yield record

    def _check_free(self) -> None:
        """Refuse a folder that holds something else."""
        try:
            there = {path.name for path in self.path.iterdir()} if self.path.exists() else set()
        except OSError as error:
            raise FileError(
                self.path, f"is no folder that can be used: {error.strerror}; choose another"
            ) from None
        if there - {LOCK_FILE, "runs", "rows"} and SPACE_FILE not in there:
            raise FileError(self.path, "already holds files, and no search; choose another folder")

    def record(self) -> SearchRecord:
        """Return what is recorded; nothing where the folder is new. A damaged record is a `FileError`."""
        path = self.path / RECORD_FILE
        return (
            read_json(path, SearchRecord, "record of a search", "choose another folder") if path.exists() else {}
        )

    def write(self, record: SearchRecord) -> None:
        """Replace what is recorded."""
        write_bytes(self.path / RECORD_FILE, (json.dumps(record, indent=1) + "\n").encode())
