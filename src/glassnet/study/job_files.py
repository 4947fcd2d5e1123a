"""What a run leaves in its study's folder, as values: so it travels between machines that share no disk."""

from __future__ import annotations

from pathlib import Path

from glassnet.errors import FileError
from glassnet.runtime.files import write_bytes
from glassnet.study.job import Job
from glassnet.training.run_folder import CONFIG_FILE, LOCK_FILE


def pack_run(job: Job) -> dict[str, bytes]:
    """Return the files of a run's folder by name; nothing where there is no run yet.

    The configuration comes last, as it does where a run is begun: where it is, all is.
    """
    folder = job.run_dir
    if not (folder / CONFIG_FILE).is_file():
        return {}
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and _belongs(path.name))
    return {name: (folder / name).read_bytes() for name in sorted(names, key=lambda name: name == CONFIG_FILE)}


def unpack_run(job: Job, files: dict[str, bytes]) -> None:
    """Write the files of a run, in their order, in place of those that its folder holds.

    Raises `FileError` where the disk does not take them, or a name is none of a file in this folder: nothing has
    been changed then. A folder that is not whole counts as no run.
    """
    folder = job.run_dir
    for name in files:
        if not name or not _belongs(name) or Path(name).name != name or "\\" in name or "\0" in name:
            raise FileError(folder, f"a worker sent {name!r}, which is no name of a file in it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG_FILE).unlink(missing_ok=True)
        for path in folder.iterdir():
            if path.name not in files and path.name != LOCK_FILE:
                path.unlink()
    except OSError as error:
        raise FileError(folder, f"cannot be written: {error.strerror}") from None
    for name, content in files.items():
        write_bytes(folder / name, content)


def _belongs(name: str) -> bool:
    """Whether a file is one of a run, and not its lock or a half of one that was being written."""
    return not name.startswith(".")
