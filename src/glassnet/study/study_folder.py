"""The folder of a study: what it is, how it is run, a folder for each run, and a row for each that is done."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassnet.errors import FileError
from glassnet.runtime.files import lock_file, write_bytes
from glassnet.study.design import Study

STUDY_FILE = "study.toml"
RECORD_FILE = "study.json"
LOCK_FILE = ".lock"
LOG_FILE = "workers.log"


@dataclass(frozen=True)
class StudyFolder:
    """A study's folder."""

    path: Path

    @contextlib.contextmanager
    def hold(self, study: Study) -> Iterator[dict[str, Any]]:
        """Make the folder, or take up that of the same study; hold it, and give what is recorded of it.

        It is a `FileError` if it is another study's, holds something else, cannot be written, or another process
        runs the study.
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

    def record(self) -> dict[str, Any]:
        """Return what is recorded; nothing where the folder is new. A damaged record is a `FileError`."""
        path = self.path / RECORD_FILE
        try:
            found = json.loads(path.read_bytes()) if path.exists() else {}
        except OSError as error:
            raise FileError(path, f"cannot be read: {error.strerror}") from None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise FileError(path, "is no record of a study; choose another folder")
        return found

    def write(self, record: dict[str, Any]) -> None:
        """Replace what is recorded."""
        write_bytes(self.path / RECORD_FILE, (json.dumps(record, indent=1) + "\n").encode())
