"""The folder of a search: what it is, what was drawn, a folder for each run, and a row for each that has ended."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from glassnet.errors import FileError
from glassnet.runtime.files import write_bytes
from glassnet.runtime.records import Place, Seconds, Seed, read_json
from glassnet.searches.design import Search
from glassnet.study.runs_folder import RunsFolder
from glassnet.study.study_folder import RecordedLayout

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
class SearchFolder(RunsFolder):
    """A search's folder."""

    what, own_file, record_file = "search", SPACE_FILE, RECORD_FILE

    @contextlib.contextmanager
    def hold(self, search: Search, text: str, checksums: dict[str, dict[str, str]]) -> Iterator[SearchRecord]:
        """Make the folder, or take up that of the same search; hold it, and give what is recorded of it.

        More trials, more to finish or another limit of time leave it the same search. It is a `FileError` if it is
        another's, was begun with data of other checksums, holds something else, cannot be written, or another
        process searches in it.
        """
        with self.hold_path():
            record = self.record()
            own = search.space.fingerprint()
            same: SearchRecord = {"fingerprint": own, "strategy": search.strategy, "sampler": search.sampler}
            if search.strategy == "one-epoch":
                same["first_epochs"] = search.first_epochs
            for name, value in same.items():
                if record.get(name, value) != value:
                    what = DIFFERENCES.get(name, f"has another {name}")
                    raise FileError(self.path, f"holds a search that {what}; choose another folder")
            self.check_data(record.setdefault("checksums", checksums), checksums)
            self.remove_halves()
            record |= same
            record |= {"trials": search.trials, "finish": search.finish, "first_epochs": search.first_epochs}
            record |= {"timeout": search.timeout, "seed": search.space.base.seed}
            write_bytes(self.path / SPACE_FILE, text.encode())
            self.write(record)
            yield record

    def record(self) -> SearchRecord:
        """Return what is recorded; nothing where the folder is new. A damaged record is a `FileError`."""
        path = self.path / RECORD_FILE
        return (
            read_json(path, SearchRecord, "record of a search", "choose another folder") if path.exists() else {}
        )
