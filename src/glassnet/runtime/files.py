"""Files that are whole or not there: written beside their place and renamed into it."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from glassnet.errors import FileError
from glassnet.runtime.interrupts import GracefulInterrupts

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` only when it is complete and on the disk.

    Temporary file in the same folder, fsync, rename, fsync of the folder: a killed process leaves the old
    file, never half of the new one. Signals wait until it is done. `FileError` is raised if the folder cannot be
    written, or the disk is full; the old file stands.
    """
    with GracefulInterrupts(), _open_temporary(path) as file:
        yield file


@contextlib.contextmanager
def _open_temporary(path: Path) -> Iterator[BinaryIO]:
    """Open the temporary file of `replacing`."""
    try:
        # Created 0600 by mkstemp; the finished file gets the permissions that any new file would.
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise FileError(path, f"cannot be written: {error.strerror}; choose another folder") from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_read_umask())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(path, f"cannot be written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):  # it has been renamed; or the disk does not let it go
            os.unlink(temporary)


def short_path(path: str | Path) -> str:
    """Return a path as people write it: within their home folder it begins with a tilde.

    >>> short_path(Path.home() / "a b.csv"), short_path("runs/first")
    ('~/a b.csv', 'runs/first')
    """
    whole, home = Path(path), Path.home()
    return f"~/{whole.relative_to(home)}" if whole.is_relative_to(home) else str(path)


def quote_path(path: str | Path) -> str:
    """Return a path, in short, as a shell takes it.

    >>> print(quote_path("a b/config.toml"), quote_path(Path.home() / "a b.csv"))
    'a b/config.toml' ~/'a b.csv'
    """
    shown = short_path(path)
    return f"~/{shlex.quote(shown[2:])}" if shown.startswith("~/") else shlex.quote(shown)


def _read_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make a rename durable, where the system can open a folder (Windows cannot, and need not)."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file by way of `replacing`."""
    with replacing(path) as file:
        file.write(content)


def open_to_append(path: Path) -> BinaryIO:
    """Open a regular file, new or not, to write at its end; pipes and links are refused."""
    try:
        if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
            raise FileError(path, "is not a regular file; remove it, or choose another folder")
        return path.open("ab")
    except FileError:
        raise
    except OSError as error:
        raise FileError(path, f"cannot be written: {error.strerror}; choose another folder") from None


@contextlib.contextmanager
def lock_file(path: Path, wait: float = 0) -> Iterator[None]:
    """Hold a file as long as the context lasts, alone among all processes; a process that dies lets it go.

    Where the system knows no such lock (Windows), nothing is held. `FileError` is raised if another process holds
    the file, and still does after so many seconds; or it cannot be written.
    """
    end = time.monotonic() + wait
    with open_to_append(path) as file:
        while fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    problem = "is in use: another process trains in it; wait until it ends"
                    raise FileError(path.parent, problem) from None
                time.sleep(0.02)
            except OSError:  # a file system without locks
                break
        yield


def make_safe_name(name: str) -> str:
    """Return a text as the name of a file, without characters that a file system or shell minds; perhaps empty.

    >>> make_safe_name("optimizer=sgd(0.1)"), make_safe_name("../优化")
    ('optimizer=sgd-0.1', '')
    """
    return re.sub(r"[^A-Za-z0-9_.=+-]+", "-", name).strip("-.")[:100]


def make_folder(path: Path) -> None:
    """Make a folder and its parents, or take an empty one that is there; raise `FileError` if it holds files."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        taken = any(path.iterdir())
    except OSError as error:
        raise FileError(path, f"cannot be made: {error.strerror}; choose another folder") from None
    if taken:
        raise FileError(path, "already holds files, which are not overwritten; choose another folder")
