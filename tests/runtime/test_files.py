import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from glassnet.errors import FileError
from glassnet.runtime import files
from glassnet.runtime.files import lock_file, make_folder, replacing, write_bytes

FULL = OSError(errno.ENOSPC, "No space left on device")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_holds_what_was_written_and_is_seen_only_when_whole(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new, ")
        file.flush()
        assert path.read_bytes() == b"old"
        file.write(b"whole")
    assert path.read_bytes() == b"new, whole"
    assert names(tmp_path) == ["file"]


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.mark.parametrize("old", [b"old", None], ids=["replacing", "new"])
@pytest.mark.parametrize("function", ["fsync", "replace", "chmod", "fdopen"])
def test_a_failing_system_call_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, function, old):
    path = tmp_path / "file"
    if old:
        path.write_bytes(old)
    with monkeypatch.context() as patch:
        patch.setattr(os, function, failing(FULL))
        with pytest.raises(FileError) as caught:
            write_bytes(path, b"new")
    assert str(caught.value) == f"{path}: cannot be written: No space left on device"
    assert names(tmp_path) == (["file"] if old else [])
    assert not old or path.read_bytes() == old


@pytest.mark.parametrize(
    ("error", "seen"),
    [(FULL, FileError), (FileError("other", "is bad"), FileError), (ValueError("no"), ValueError)],
    ids=["full disk", "other file", "bug"],
)
def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(tmp_path, error, seen):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write():
        with replacing(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(seen) as caught:
        write()
    assert names(tmp_path) == ["file"]
    assert path.read_bytes() == b"old"
    # An error of glassnet's own passes as it is; it knows better what is at fault.
    assert (caught.value is error) == (error is not FULL)


def test_a_temporary_file_that_cannot_be_removed_changes_neither_outcome(tmp_path, monkeypatch):
    path = tmp_path / "file"
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", failing(OSError(errno.EIO, "Input/output error")))
        write_bytes(path, b"whole")
        patch.setattr(os, "fsync", failing(FULL))
        with pytest.raises(FileError, match="No space left on device"):
            write_bytes(path, b"other")
    assert path.read_bytes() == b"whole"


def test_the_content_is_on_the_disk_before_it_takes_the_name_and_the_name_after(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(handle):
        calls.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        fsync(handle)

    def noted_replace(*paths):
        calls.append("replace")
        replace(*paths)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    write_bytes(tmp_path / "file", b"content")
    assert calls == ["file", "replace", "folder"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_are_those_of_any_new_file(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_bytes(tmp_path / "file", b"content")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~mask


def test_places_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for path, said in [
        (tmp_path / "missing" / "file", "No such file or directory; choose another folder"),
        (tmp_path / "file" / "file", "Not a directory; choose another folder"),
        (tmp_path / "folder", "Is a directory"),
    ]:
        with pytest.raises(FileError) as caught:
            write_bytes(path, b"content")
        assert str(caught.value) == f"{path}: cannot be written: {said}"
    assert names(tmp_path) == ["file", "folder"]


def test_a_killed_process_leaves_a_whole_file(tmp_path):
    path = tmp_path / "file"
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from glassnet.runtime.files import write_bytes\n"
        "print('ready', flush=True)\n"
        "number = 0\n"
        "while True:\n"
        "    number += 1\n"
        "    write_bytes(Path(sys.argv[1]), b'%d,' % (number % 10) * 300_000)\n"
    )
    for kill in range(20):
        with subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(0.01 + 0.003 * kill)
            process.send_signal(signal.SIGKILL)
        if path.exists():
            content = path.read_bytes()
            assert len(content) == 600_000
            assert content == content[:2] * 300_000
    assert path.exists()


def test_a_folder_is_made_with_its_parents_and_an_empty_one_taken(tmp_path):
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_is_taken_or_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path, said in [
        (tmp_path, "already holds files, which are not overwritten; choose another folder"),
        (tmp_path / "file", "cannot be made: File exists; choose another folder"),
        (tmp_path / "file" / "a", "cannot be made: Not a directory; choose another folder"),
    ]:
        with pytest.raises(FileError) as caught:
            make_folder(path)
        assert str(caught.value) == f"{path}: {said}"


# A file held alone

HOLD = """
import sys
from pathlib import Path
from glassnet.runtime.files import lock_file
with lock_file(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds a file; it lets go when its input ends."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.skipif(files.fcntl is None, reason="the system knows no such lock")
@pytest.mark.parametrize("end", ["its end", "its death"])
def test_a_file_that_another_process_holds_is_refused_until_that_ends(holder, tmp_path, end):
    path = tmp_path / "lock"
    said = "is in use: another process trains in it; wait until it ends"
    with pytest.raises(FileError, match=said) as caught, lock_file(path):
        pytest.fail("two hold it")
    assert str(caught.value).startswith(str(tmp_path))
    assert str(path) not in str(caught.value)
    if end == "its death":
        holder.kill()
    else:
        holder.stdin.close()
    holder.wait(timeout=60)
    with lock_file(path):
        pass


@pytest.mark.skipif(files.fcntl is None, reason="the system knows no such lock")
def test_a_file_is_let_go_at_the_end_and_by_an_error(tmp_path):
    path = tmp_path / "lock"
    path.write_text("what stands there")
    for _ in range(2):
        with lock_file(path), pytest.raises(FileError, match="is in use"), lock_file(path):
            pytest.fail("two hold it")
        with pytest.raises(ZeroDivisionError), lock_file(path):
            1 / 0  # noqa: B018
    assert path.read_text() == "what stands there"
    assert names(tmp_path) == ["lock"]


def test_a_file_that_cannot_be_written_cannot_be_held(tmp_path):
    with pytest.raises(FileError, match="cannot be written"), lock_file(tmp_path / "missing" / "lock"):
        pytest.fail("it cannot be held")


@pytest.mark.parametrize("what", ["a pipe", "a folder", "a link"])
def test_a_lock_that_is_no_file_is_refused_and_nothing_is_made(tmp_path, what):
    path = tmp_path / "lock"
    {"a pipe": os.mkfifo, "a folder": os.mkdir, "a link": lambda path: path.symlink_to("other")}[what](path)
    with pytest.raises(FileError) as caught, lock_file(path):
        pytest.fail("it was taken")
    assert str(caught.value) == f"{path}: is not a regular file; remove it, or choose another folder"
    assert names(tmp_path) == ["lock"]


@pytest.mark.skipif(files.fcntl is None, reason="the system knows no such lock")
def test_a_lock_is_waited_for_as_long_as_was_said(tmp_path):
    path, held = tmp_path / "lock", contextlib.ExitStack()
    held.enter_context(lock_file(path))
    with pytest.raises(FileError, match="is in use"), lock_file(path, wait=0.05):
        pytest.fail("two hold it")
    release = threading.Timer(0.1, held.close)
    release.start()
    with lock_file(path, wait=60):
        release.join()
        assert names(tmp_path) == ["lock"]


@pytest.mark.parametrize("without", ["locks on this file system", "locks at all"])
def test_where_there_are_no_locks_nothing_is_held(tmp_path, monkeypatch, without):
    if without == "locks at all":
        monkeypatch.setattr(files, "fcntl", None)
    elif files.fcntl is not None:
        monkeypatch.setattr(files.fcntl, "flock", failing(OSError(errno.ENOLCK, "No locks available")))
    with lock_file(tmp_path / "lock"), lock_file(tmp_path / "lock"):
        assert names(tmp_path) == ["lock"]
