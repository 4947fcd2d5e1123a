import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from glassnet.errors import FileError
from glassnet.runtime.files import make_folder, replacing, write_bytes

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
