"""A process of its own for decoders that may abort, or take more memory and time than a file is worth.

It hands the table over as an Arrow file, with remarks on what it left out.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from glassnet.data.untrusted_files import ContentError, shorten

#: Bytes of memory for decoding, above what cells and bytes need, and seconds above one a megabyte.
DECODER_MEMORY, DECODER_SECONDS = 300 << 20, 60


@contextlib.contextmanager
def decode_apart(module: str, path: Path, *options: str) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Let a module write the table in a file as Arrow; give that file, gone afterwards, and the remarks.

    The module is run with the path, that of the Arrow file and the options, and calls `answer`.
    """
    seconds = DECODER_SECONDS + path.stat().st_size / 1e6
    with tempfile.TemporaryDirectory(prefix="glassnet-", ignore_cleanup_errors=True) as folder:
        decoded = Path(folder) / "decoded.arrow"
        command = [sys.executable, "-P", "-m", module, str(path.resolve()), str(decoded), *options]
        try:
            said = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, cwd=folder, check=False
            )
        except subprocess.TimeoutExpired:
            raise ContentError(f"is damaged: not decoded after {seconds:.0f} s; copy it again") from None
        if said.returncode == 2:
            raise ContentError(shorten(said.stdout.decode(errors="replace"), 500))
        if said.returncode != 0 or not decoded.exists():
            raise ContentError("is damaged, or needs too much memory: it cannot be decoded; copy it again")
        yield decoded, tuple(json.loads(said.stdout))


def answer(write: Callable[..., Sequence[str]], arguments: Sequence[str]) -> tuple[int, bytes]:
    """Return exit code and output of the process: remarks as JSON, or 2 and what is wrong with the file."""
    try:
        return 0, json.dumps(list(write(*arguments))).encode()
    except ContentError as error:
        return 2, str(error).encode(errors="replace")
    except BaseException as error:  # a panic of Polars is no Exception
        said = shorten(error) or type(error).__name__
        return 2, f"is damaged, or holds what cannot be read ({said}); copy it again".encode(errors="replace")


def limit_memory(more: int) -> None:
    """Let this process take `more` bytes and no further ones, where the system tells and bounds them."""
    if sys.platform != "linux":
        return
    import resource

    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = now + more if hard == resource.RLIM_INFINITY else min(now + more, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def run_as_process(write: Callable[..., Sequence[str]]) -> None:
    """Answer as the process that `decode_apart` starts, and end it."""
    code, said = answer(write, sys.argv[1:])
    sys.stdout.buffer.write(said)
    sys.stdout.buffer.flush()
    os._exit(code)  # at once: what a decoder left behind may not end
