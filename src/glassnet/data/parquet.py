"""Parquet files, read with distrust.

Polars' reader ends the process on some damaged files, so that it runs in a process of its own, with bounded memory
and time, and hands the table over as an Arrow file.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import polars as pl

from glassnet.data.table_schema import find_name_problem, find_type_problem
from glassnet.data.untrusted_files import DEFLATE_LIMIT, ContentError, check_format, open_regular_file, shorten

#: The cells that a file may promise for each of its bytes, and those that any file may promise: runs of equal
#: values take hardly any bytes.
CELLS_PER_BYTE, FREE_CELLS = DEFLATE_LIMIT, 1 << 26

#: Bytes of memory for decoding, above what cells and bytes need, and seconds above one a megabyte.
DECODER_MEMORY, DECODER_SECONDS = 300 << 20, 60


@contextlib.contextmanager
def scan_parquet(path: Path) -> Iterator[tuple[pl.LazyFrame, int, list[str]]]:
    """Decode a Parquet file and give the table to be read in parts, with its rows and column names.

    `FileError` is raised if the file is missing or damaged, or the reader raises `ContentError`.
    """
    with open_regular_file(path) as (raw, size), _decode(path, raw, size) as decoded:
        lazy = pl.scan_ipc(decoded)
        yield lazy, int(lazy.select(pl.len()).collect().item()), lazy.collect_schema().names()


@contextlib.contextmanager
def _decode(path: Path, raw: IO[bytes], size: int) -> Iterator[Path]:
    """Decode Parquet in a process of its own, into an Arrow file that is gone afterwards."""
    check_format(raw, "Parquet")
    raw.seek(max(size - 8, 0))
    tail = raw.read()
    footer = int.from_bytes(tail[:4], "little")
    if size < 12 or tail[4:] != b"PAR1":
        raise ContentError("is cut short: it does not end in PAR1 as Parquet does; copy or download it again")
    if footer > size - 12:
        raise ContentError(
            f"is damaged: its last bytes promise a footer of {footer:,} bytes in a file of {size:,}"
        )
    seconds = DECODER_SECONDS + size / 1e6
    with tempfile.TemporaryDirectory(prefix="glassnet-", ignore_cleanup_errors=True) as folder:
        decoded = Path(folder) / "decoded.arrow"
        command = [sys.executable, "-P", "-m", "glassnet.data.parquet", str(path.resolve()), str(decoded)]
        try:
            answer = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, cwd=folder, check=False
            )
        except subprocess.TimeoutExpired:
            raise ContentError(f"is damaged: not decoded after {seconds:.0f} s; copy it again") from None
        if answer.returncode == 2:
            raise ContentError(shorten(answer.stdout.decode(errors="replace"), 500))
        if answer.returncode != 0 or not decoded.exists():
            raise ContentError("is damaged, or needs too much memory: it cannot be decoded; copy it again")
        yield decoded


def _write_arrow(source: str, target: str) -> str | None:
    """Write the table in a Parquet file as Arrow; return what is wrong with it, None where nothing is.

    For a process of its own: it may abort, and its memory is bounded for good.
    """
    try:
        lazy = pl.scan_parquet(source, glob=False)
        schema = lazy.collect_schema()
        if problem := find_name_problem(list(schema)) or find_type_problem(schema):
            return problem
        cells = lazy.select(pl.len()).collect().item() * len(schema)
        size = os.stat(source).st_size
        if cells > max(CELLS_PER_BYTE * size, FREE_CELLS):
            return f"its footer promises {cells:,} values in {size:,} bytes, more than is believed"
        _limit_memory(DECODER_MEMORY + 48 * cells + 20 * size)
        lazy.sink_ipc(target)
    except BaseException as error:  # a panic of Polars is no Exception
        said = shorten(error) or type(error).__name__
        return f"is damaged, or holds what Polars cannot read ({said}); copy it again"
    return None


def _limit_memory(more: int) -> None:
    """Let this process take `more` bytes and no further ones, where the system tells and bounds them."""
    if sys.platform != "linux":
        return
    import resource

    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = now + more if hard == resource.RLIM_INFINITY else min(now + more, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


if __name__ == "__main__":
    problem = _write_arrow(*sys.argv[1:3])
    if problem:
        sys.stdout.buffer.write(problem.encode(errors="replace"))
        sys.exit(2)
