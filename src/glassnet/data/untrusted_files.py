"""Opening a file that a user named: a regular one, or an error of one line."""

from __future__ import annotations

import contextlib
import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from glassnet.errors import FileError


@contextlib.contextmanager
def open_regular_file(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """Open a regular file, and give it with its size; what goes wrong while it is read, gzip included, names it.

    Raises
    ------
    FileError
        If the file is missing, not regular, or cannot be read, or its gzip data are damaged.
    """
    try:
        status = os.stat(path)  # before opening: to open a pipe would wait for a writer
        if not stat.S_ISREG(status.st_mode):
            raise FileError(path, "is not a regular file")
        with path.open("rb") as raw:
            yield raw, status.st_size
    except FileError:
        raise
    except EOFError:
        raise FileError(path, "ends in the middle of the gzip data: copy or download it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise FileError(path, f"is damaged ({error}): copy or download it again") from None
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror}") from None
