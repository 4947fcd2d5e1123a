"""The folder of a study: what it is, how it is run, a folder for each run, and a row for each that is done."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, FailFast, with_config
from typing_extensions import TypedDict

from glassnet.errors import FileError
from glassnet.runtime.files import lock_file, write_bytes
from glassnet.runtime.records import Number, Place, Seed, read_json
from glassnet.study.design import Study

STUDY_FILE = "study.toml"
RECORD_FILE = "study.json"
LOCK_FILE = ".lock"
LOG_FILE = "workers.log"


@with_config(ConfigDict(extra="forbid"))
class RecordedLayout(TypedDict, total=False):
    """A `glassnet.study.layout.Layout`."""

    workers: Place
    threads: Place
    reason: str
    side_by_side: Number
    together: Number


@with_config(ConfigDict(extra="forbid"))
class StudyRecord(TypedDict, total=False):
    """What is recorded of a study: what it is, its data and machine, and whether all test rows were opened."""

    name: str
    fingerprint: str
    design: str
    measure: str
    seeds: Annotated[list[Seed], FailFast()]
    checksums: dict[str, dict[str, str]]
    environment: dict[str, str]
    layout: RecordedLayout
    test_rows_opened: bool


@dataclass(frozen=True)
class StudyFolder:
    """A study's folder."""

    path: Path

    @contextlib.contextmanager
    def hold(self, study: Study, checksums: dict[str, dict[str, str]] | None = None) -> Iterator[StudyRecord]:
        """Make the folder, or take up that of the same study; hold it, and give what is recorded of it.

        It is a `FileError` if it is another study's, was begun with data of other checksums, holds something else,
        cannot be written, or another process runs the study.
        """
        self._check_free()
        try:
            for folder in (self.path, self.path / "runs", self.path / "rows"):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(self.path, f"cannot be made: {error.strerror}; choose another folder") from None
        with lock_file(self.path / LOCK_FILE):
            record = self.record()
            if record.get("fingerprint", study.fingerprint()) != study.fingerprint():
                name = record.get("name", "")
                raise FileError(
                    self.path, f"holds another study or other settings ({name}); choose another folder"
                )
            if checksums is not None and record.setdefault("checksums", checksums) != checksums:
                raise FileError(self.path, "was begun with other data files; choose another folder, or take those")
            for left in self.path.glob("**/.*.part"):  # of a write that was cut off
                left.unlink(missing_ok=True)
            record |= {
                "name": study.name,
                "fingerprint": study.fingerprint(),
                "design": study.design,
                "measure": study.measure,
                "seeds": list(study.seeds),
            }
            write_bytes(self.path / STUDY_FILE, study.text.encode())
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
        if there - {LOCK_FILE, "runs", "rows"} and STUDY_FILE not in there:
            raise FileError(self.path, "already holds files, and no study; choose another folder")

    def record(self) -> StudyRecord:
        """Return what is recorded; nothing where the folder is new. A damaged record is a `FileError`."""
        path = self.path / RECORD_FILE
        return read_json(path, StudyRecord, "record of a study", "choose another folder") if path.exists() else {}

    def write(self, record: StudyRecord) -> None:
        """Replace what is recorded."""
        write_bytes(self.path / RECORD_FILE, (json.dumps(record, indent=1) + "\n").encode())
