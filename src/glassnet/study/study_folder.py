"""The folder of a study: what it is, how it is run, a folder for each run, and a row for each that is done."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, FailFast, with_config
from typing_extensions import TypedDict

from glassnet.errors import FileError
from glassnet.runtime.files import write_bytes
from glassnet.runtime.records import Number, Place, Seed, read_json
from glassnet.study.design import Study
from glassnet.study.runs_folder import RunsFolder

STUDY_FILE = "study.toml"
RECORD_FILE = "study.json"
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
class StudyFolder(RunsFolder):
    """A study's folder."""

    what, own_file, record_file = "study", STUDY_FILE, RECORD_FILE

    @contextlib.contextmanager
    def hold(self, study: Study, checksums: dict[str, dict[str, str]] | None = None) -> Iterator[StudyRecord]:
        """Make the folder, or take up that of the same study; hold it, and give what is recorded of it.

        It is a `FileError` if it is another study's, was begun with data of other checksums, holds something else,
        cannot be written, or another process runs the study.
        """
        with self.hold_path():
            record = self.record()
            if record.get("fingerprint", study.fingerprint()) != study.fingerprint():
                name = record.get("name", "")
                raise FileError(
                    self.path, f"holds another study or other settings ({name}); choose another folder"
                )
            if checksums is not None:
                self.check_data(record.setdefault("checksums", checksums), checksums)
            self.remove_halves()
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

    def record(self) -> StudyRecord:
        """Return what is recorded; nothing where the folder is new. A damaged record is a `FileError`."""
        path = self.path / RECORD_FILE
        return read_json(path, StudyRecord, "record of a study", "choose another folder") if path.exists() else {}
