"""Where a data set's files are: the user's folder, the cache, or the official address."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.errors import DataError, FileError
from glassnet.runtime.terminal import stderr_console

if TYPE_CHECKING:
    import requests

#: The environment variable that names the folder with the user's data sets.
DATA_VARIABLE = "GLASSNET_DATA"

#: Seconds to wait for a server to answer, and for its next bytes.
TIMEOUT = 20

#: Seconds that a download may take in all: these, and as many as the bytes take at this many a second.
PATIENCE, SLOWEST = 600, 50_000

#: Bytes of a file at most, where its data set does not say.
MOST_BYTES = 1 << 30


class DownloadError(ValueError):
    """A file did not arrive, or is not the one that was published; the message says why, in a few words."""


@dataclass(frozen=True)
class Source:
    """The files of a data set: md5 by file name, as published.

    `name` is the data set's, and its folder's; `url` the folder's official address, with a slash at the end;
    `query` what follows a file's name in its address. `sizes` are those of the files in bytes, where they are
    known; another file has `most` bytes at most.
    """

    name: str
    url: str
    files: dict[str, str]
    query: str = ""
    sizes: dict[str, int] = field(default_factory=dict)
    most: int = MOST_BYTES

    def locate(self, data_dir: str | Path | None = None) -> dict[str, Path]:
        """Find every file, download what is nowhere, and return the path by file name.

        Looked for in this order: ``data_dir`` or else the folder that GLASSNET_DATA names, with or without a
        folder of the data set's name in it, the files gzipped or not; the user cache; the official address, from
        which the files go to the cache with their checksum verified. `FileError` is raised if the user's folder
        does not exist, or holds some of the files but not all; `DataError` if they are in none of these places.
        """
        found = self._find_at_home(data_dir)
        if found:
            return found
        home, cache = data_dir or os.environ.get(DATA_VARIABLE), cache_folder() / self.name
        try:
            return {file: self._fetch(file, cache) for file in self.files}
        except (OSError, ValueError) as error:
            looked = f"{home} (no {self.name} there)" if home else "unset"
            raise DataError(
                f"{self.name}: not found. {DATA_VARIABLE} or --data-dir: {looked}; cache {cache}: nothing; "
                f"download from {self.url}: {_explain_failure(error)}. Go online, or put {', '.join(self.files)} "
                f"into a folder {self.name} and set {DATA_VARIABLE} to the folder around it"
            ) from None

    def find_folder(self, data_dir: str | Path | None = None) -> Path | None:
        """Return the folder that `locate` takes the files from without a download, None where there is none."""
        found = self._find_at_home(data_dir) or self._find_in_folder(cache_folder() / self.name)
        return next(iter(found.values())).parent if found else None

    def _find_at_home(self, data_dir: str | Path | None) -> dict[str, Path] | None:
        """Return the files in the user's folder, None where none is named or it has none of them."""
        home = data_dir or os.environ.get(DATA_VARIABLE)
        if not home:
            return None
        if not Path(home).is_dir():
            raise FileError(home, f"is no folder, but {'data_dir' if data_dir else DATA_VARIABLE} names it")
        return self._find_in_folder(Path(home) / self.name) or self._find_in_folder(Path(home))

    def _find_in_folder(self, folder: Path) -> dict[str, Path] | None:
        """Return the files where `folder` has them all, None where it has none."""
        found = {}
        for file in self.files:
            for candidate in (folder / file, folder / file.removesuffix(".gz")):
                if candidate.exists():
                    found[file] = candidate
                    break
        missing = sorted(set(self.files) - set(found))
        if found and missing:
            raise FileError(folder / missing[0], f"is missing beside the other files of {self.name}")
        return found or None

    def _fetch(self, file: str, cache: Path) -> Path:
        """Return the file in the cache, downloaded first where it is not there or damaged."""
        path = cache / file
        if not path.is_file() or md5(path) != self.files[file]:
            cache.mkdir(parents=True, exist_ok=True)
            url, size = self.url + file + self.query, self.sizes.get(file)
            download(url, path, self.files[file], size=size, most=self.most)
        return path


def download(url: str, path: Path, checksum: str, *, size: int | None = None, most: int = MOST_BYTES) -> None:
    """Download a file and put it in its place once it is complete and its md5 is right.

    What has arrived of it is kept beside its place, and a later call goes on from there where the server can.
    `size` is that of the file, if known; else it may have `most` bytes. `DownloadError` is raised if another file
    arrives, or not all of it in time; `requests.RequestException` if the server does not answer with a file;
    `OSError` if it cannot be written.
    """
    import requests

    part = path.with_name(f".{path.name}.part")
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if have and answer.status_code == requests.codes.requested_range_not_satisfiable:
            answer.close()  # it was complete, or is no part of this file
        else:
            answer.raise_for_status()
            go_on = answer.status_code == requests.codes.partial_content
            _receive(answer, part, path.name, have if go_on else 0, size, most)
    if md5(part) != checksum:
        part.unlink()
        if have:  # what was kept may have been of another file
            return download(url, path, checksum, size=size, most=most)
        raise DownloadError("the checksum of what arrived is wrong")
    os.replace(part, path)
    return None


def _receive(answer: requests.Response, part: Path, name: str, have: int, size: int | None, most: int) -> None:
    """Write what arrives behind the bytes that are there, with a bar on a terminal's stderr."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn
    from urllib3.exceptions import HTTPError, ReadTimeoutError

    console = stderr_console()
    columns = "{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    length = answer.headers.get("Content-Length", "")
    total = int(length) + have if length.isdecimal() else size
    wanted = f"{most:,} at most" if size is None else f"{size:,}"
    if total is not None and (total > most if size is None else total != size):
        raise DownloadError(f"the server offers {total:,} bytes, and the file has {wanted}")
    seconds = PATIENCE + (total or most) / SLOWEST
    end = time.monotonic() + seconds
    with (
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
        part.open("r+b" if have else "wb") as file,
    ):
        task = progress.add_task(f"Downloading {name}", total=total, completed=have)
        file.seek(have)
        file.truncate()
        try:
            while chunk := answer.raw.read1(1 << 16):  # what is there, however little: the clock is looked at
                file.write(chunk)
                progress.update(task, advance=len(chunk))
                if file.tell() > (size or most):
                    file.truncate(0)
                    raise DownloadError(f"more bytes arrived than the file has: {wanted}")
                if time.monotonic() > end:
                    raise DownloadError(f"not complete after {seconds:.0f} s; {_say_kept(file.tell())}")
        except ReadTimeoutError:
            raise DownloadError(f"no answer within {TIMEOUT} s; {_say_kept(file.tell())}") from None
        except HTTPError:
            raise DownloadError(f"the connection broke; {_say_kept(file.tell())}") from None
        if size is not None and file.tell() < size:
            raise DownloadError(f"the connection ended; {_say_kept(file.tell())}")


def _say_kept(have: int) -> str:
    return f"the {have:,} bytes that arrived are kept, and the next try goes on from there"


def cache_folder() -> Path:
    """Return the folder for downloaded data, as the platform has it (``~/.cache/glassnet`` on Linux)."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("glassnet"))


def md5(path: Path) -> str:
    """Return the md5 checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _explain_failure(error: Exception) -> str:
    """Say why a download failed, in a few words."""
    import requests

    if isinstance(error, requests.exceptions.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code}"
    if isinstance(error, requests.exceptions.Timeout):
        return f"no answer within {TIMEOUT} s"
    if isinstance(error, requests.exceptions.RequestException):
        return "no connection"
    return str(error)
