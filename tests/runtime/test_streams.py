import io
import subprocess
import sys

import pytest

from glassnet.runtime.streams import UnfailingStream, progress_stream


class Broken(io.StringIO):
    """A stream whose device is full after five characters."""

    def write(self, text):
        if self.tell() + len(text) > 5:
            raise OSError(28, "No space left on device")
        return super().write(text)

    def flush(self):
        raise OSError(5, "Input/output error")


def test_what_cannot_be_written_is_dropped_and_the_first_failure_kept():
    kept = Broken()
    stream = UnfailingStream(kept)
    assert (stream.write("12345"), stream.failure) == (5, None)
    assert stream.write("678") == 3
    assert stream.failure.strerror == "No space left on device"
    stream.flush()
    assert stream.failure.strerror == "No space left on device"
    assert kept.getvalue() == "12345"
    other = UnfailingStream(Broken())
    other.flush()
    assert other.failure.strerror == "Input/output error"


def test_a_stream_is_otherwise_what_it_was():
    stream = UnfailingStream(sys.__stdout__)
    assert (stream.fileno(), stream.encoding) == (sys.__stdout__.fileno(), sys.__stdout__.encoding)


def test_a_process_without_stderr_shows_its_progress_nowhere(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr", None)
    with progress_stream() as stream:
        assert stream.write("progress") == 8
    monkeypatch.undo()
    progress_stream().write("shown")
    assert capsys.readouterr().err == "shown"


SCRIPT = """
import os, sys
from glassnet.runtime.streams import secure_streams
out = secure_streams()
handle = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
print("lost", flush=True)
print("lost as well", file=sys.stderr)
os.write(handle, f"{handle > 2} {out.failure and out.failure.errno}".encode())
"""


@pytest.mark.parametrize(("closed", "errno"), [("<&-", None), (">&-", 9), ("2>&-", None), ("<&- >&- 2>&-", 9)])
def test_closed_streams_give_their_numbers_to_no_file(tmp_path, closed, errno):
    command = f"exec {sys.executable} -c '{SCRIPT}' {tmp_path / 'file'} {closed}"
    subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    assert (tmp_path / "file").read_text() == f"True {errno}"
