"""Whatever fails, and whenever the process dies: the run goes on from its folder as if nothing had been."""

import contextlib
import dataclasses
import errno
import functools
import inspect
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings

import pytest

from glassnet.errors import FileError
from glassnet.runtime import files
from glassnet.training.callbacks import Callback
from glassnet.training.model_file import load_model
from glassnet.training.run import resume
from glassnet.training.run_folder import RunFolder

pytestmark = pytest.mark.usefixtures("no_waiting_for_the_disk")

#: A run, as a text that child processes execute as well: `fit` in a new folder, `resume` in one that holds a run.
PROGRAM = """
import numpy as np
from glassnet.data.dataset import Dataset
from glassnet.nn.network import Network
from glassnet.training.fit import fit
from glassnet.training.run import resume

def data():
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    X = rng.normal(size=(120, 4)) + rng.normal(size=(3, 4))[y]
    return Dataset.from_arrays(X.astype(np.float32), y, validation=20)

def train(folder, epochs=3, **options):
    network = Network([4, 8, 3], "tanh", batch_norm=True, dropout=0.3)
    options = {"optimizer": "adamw(0.01)", "schedule": "one_cycle", "batch_size": 30, **options}
    options = {"kernels": "numpy", "threads": 1, **options, "checkpoint_every": 1, "progress": False}
    return fit(network, data(), run_dir=folder, epochs=epochs, **options)
"""
program = {}
exec(PROGRAM, program)
data, train = program["data"], program["train"]

EPOCHS = 3


@dataclasses.dataclass
class Disk:
    """What `glassnet.runtime.files` asks of the system: counted, and at the call number `at` it fails.

    `fail` is told the name of the call. With `broken`, all calls after it fail as well, those that would
    clean up included.
    """

    fail: object = None
    at: int = -1
    broken: bool = False
    calls: list = dataclasses.field(default_factory=list)

    def ask(self, name, function, *arguments, **options):
        self.calls.append(name)
        if len(self.calls) == self.at or (self.broken and len(self.calls) > self.at > 0):
            self.fail(name)
        return function(*arguments, **options)

    def mkstemp(self, **options):
        return self.ask("mkstemp", tempfile.mkstemp, **options)

    def fdopen(self, handle, mode):
        try:
            return Written(self, self.ask("fdopen", os.fdopen, handle, mode))
        except OSError:
            os.close(handle)
            raise

    def fsync(self, handle):
        self.ask("fsync", lambda: None)  # no power fails here

    def __getattr__(self, name):
        value = getattr(os, name)
        if name in ("open", "chmod", "replace", "close", "unlink"):
            return functools.partial(self.ask, name, value)
        return value


class Written:
    """A file that fails when its disk does, in the middle of what is written."""

    def __init__(self, disk, file):
        self.disk, self.file = disk, file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.disk.ask("close file", lambda: None)
        finally:
            self.file.close()

    def write(self, content):
        half = len(content) // 2
        self.file.write(content[:half])
        self.file.flush()
        self.disk.ask("write", self.file.write, content[half:])

    def flush(self):
        self.disk.ask("flush", self.file.flush)

    def fileno(self):
        return self.file.fileno()


#: What a save of one file asks, in order, and what one epoch's save and a whole run's.
SAVE = ["mkstemp", "fdopen", "write", "flush", "fsync", "close file"]
SAVE += ["chmod", "replace", "open", "fsync", "close", "unlink"]
BEGINNING, AN_EPOCH = 4 * len(SAVE), 3 * len(SAVE)  # model, history, checkpoint, configuration; the first three
A_RUN = BEGINNING + (EPOCHS + 1) * AN_EPOCH + len(SAVE)  # at its end its health as well


@pytest.fixture
def disk(monkeypatch):
    """``disk(fail, at, broken)``: what the run writes on."""

    def put(*arguments):
        made = Disk(*arguments)
        monkeypatch.setattr(files, "os", made)
        monkeypatch.setattr(files, "tempfile", made)
        return made

    return put


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run that nothing befell, and everything that it is."""
    return all_of(train(tmp_path_factory.mktemp("whole") / "run"))


def all_of(run):
    saved = load_model(run.folder).network
    return {
        "theta": run.network.fingerprint(),
        "statistics": run.network.parameters.statistics.tobytes(),
        "model": (saved.fingerprint(), saved.parameters.statistics.tobytes()),
        "history": [losses(record) for record in run.history],
        "saved history": [losses(record) for record in RunFolder(run.folder).history()],
    }


def losses(record):
    return record.epoch, record.train_loss, record.validation_loss, record.learning_rate


def names(folder):
    return sorted(path.name for path in folder.iterdir())


FILES = [".lock", "checkpoint.safetensors", "config.toml", "health.json", "history.csv", "model.safetensors"]


def failing(number):
    def fail(name):
        raise OSError(number, os.strerror(number))

    return fail


def test_a_run_asks_the_disk_in_this_order(tmp_path, disk, whole):
    asked = disk()
    assert all_of(train(tmp_path / "run")) == whole
    assert asked.calls == SAVE * (A_RUN // len(SAVE))


# Errors


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES], ids=errno.errorcode.get)
def test_an_error_at_any_point_of_training_is_a_warning_and_the_run_is_right(tmp_path, disk, whole, number):
    """The three errors take turns over the epochs, so that each is met at every point of a save."""
    turn = (errno.ENOSPC, errno.EIO, errno.EACCES).index(number)
    for point in range(AN_EPOCH):
        at = BEGINNING + 1 + (turn + point % 2) * AN_EPOCH + point
        folder = tmp_path / str(at)
        asked = disk(failing(number), at)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run = train(folder)
        failed = asked.calls[at - 1]
        assert len(caught) == (failed != "unlink")  # what cannot be cleaned up stays
        for warning in caught:
            said = str(warning.message)
            assert os.strerror(number) in said
            assert said.endswith("what was saved before stays")
        disk()
        assert [run.network.fingerprint(), *map(losses, run.history)] == [whole["theta"], *whole["history"]]
        assert (run.unsaved is None) == (at <= BEGINNING + 3 * AN_EPOCH or failed == "unlink")
        assert all_of(resume(folder, data(), progress=False)) == whole
        assert names(folder) == FILES


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS], ids=errno.errorcode.get)
def test_a_disk_that_fails_for_good_ends_no_training(tmp_path, disk, whole, number):
    for at in range(BEGINNING + 1, BEGINNING + AN_EPOCH + 1, 3 if number == errno.EIO else 5):
        folder = tmp_path / str(at)
        disk(failing(number), at, True)
        with pytest.warns(UserWarning, match="training goes on") as caught:
            run = train(folder)
        assert len(caught) == 1  # and it is said once
        assert isinstance(run.unsaved, FileError)
        assert os.strerror(number) in str(run.unsaved)
        disk()
        assert [run.network.fingerprint(), *map(losses, run.history)] == [whole["theta"], *whole["history"]]
        assert all_of(resume(folder, data(), progress=False)) == whole
        assert names(folder) == FILES


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES], ids=errno.errorcode.get)
def test_an_error_at_the_beginning_ends_it_with_nothing_left(tmp_path, disk, number):
    for at in range(1, BEGINNING + 1):
        asked = disk(failing(number), at)
        folder = tmp_path / str(at)
        try:
            train(folder, epochs=1)
        except FileError as error:
            said = str(error)
        assert (asked.calls[at - 1] == "unlink") == folder.exists()
        if not folder.exists():
            assert said.startswith(str(folder))
            assert os.strerror(number) in said
            assert "\n" not in said


def test_a_resume_that_cannot_write_says_so_and_can_be_tried_again(tmp_path, disk, whole):
    class Stop(Callback):
        def on_epoch_end(self, run):
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        train(tmp_path / "run", callbacks=[Stop()])
    for at in range(1, len(SAVE)):
        disk(failing(errno.ENOSPC), at)
        with pytest.raises(FileError, match=r"config\.toml: cannot be written: No space left on device"):
            resume(tmp_path / "run", data(), progress=False)
    disk()
    assert all_of(resume(tmp_path / "run", data(), progress=False)) == whole


class Between(Callback):
    """Calls something after an epoch, before it is saved."""

    def __init__(self, **then):
        self.then = then

    def on_epoch_end(self, run):
        self.then.get(f"epoch_{len(run.history)}", lambda: None)()


def test_a_folder_that_becomes_read_only_ends_no_training(tmp_path, whole):
    folder, user = tmp_path / "run", os.geteuid()

    def forbid():
        folder.chmod(0o500)
        if user == 0:  # root may write everywhere, so it goes on as nobody
            os.seteuid(65534)

    try:
        with pytest.warns(UserWarning, match="Permission denied.*training goes on") as caught:
            run = train(folder, callbacks=[Between(epoch_1=forbid)])
    finally:
        os.seteuid(user)
        folder.chmod(0o700)
    assert len(caught) == 1
    assert run.network.fingerprint() == whole["theta"]
    assert all_of(resume(folder, data(), progress=False)) == whole


def test_a_limit_on_files_ends_no_training(tmp_path, whole):
    """As with a full disk, half of a file is written; the system itself says that there is no more."""
    folder, before = tmp_path / "run", resource.getrlimit(resource.RLIMIT_FSIZE)
    signal_before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    try:
        between = Between(epoch_1=lambda: limit(600), epoch_3=lambda: limit(before[0]))
        with pytest.warns(UserWarning, match=r"checkpoint.safetensors: cannot be written: File too large; "):
            run = train(folder, callbacks=[between])
    finally:
        limit(before[0])
        signal.signal(signal.SIGXFSZ, signal_before)
    assert run.unsaved is None
    assert all_of(run) == whole
    assert names(folder) == FILES


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 KiB, where we may mount one."""
    path = tmp_path / "disk"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=65536", "tmpfs", str(path)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def test_a_disk_that_is_full_for_a_while_ends_no_training(small_disk, whole):
    filler = small_disk / "filler"

    def fill():
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(512))

    between = Between(epoch_1=fill, epoch_3=filler.unlink)
    with pytest.warns(UserWarning, match="No space left on device; training goes on") as caught:
        run = train(small_disk / "run", callbacks=[between])
    assert len(caught) == 1
    assert run.unsaved is None
    assert all_of(run) == whole
    fill()
    with pytest.raises(FileError, match="No space left on device"):
        train(small_disk / "other")
    assert names(small_disk) == ["filler", "run"]


# Deaths

#: Forks a process for each point, which dies there.
DEATHS = """
import os, sys
from glassnet.runtime import files
points, root = eval(sys.argv[1]), sys.argv[2]
for at in points:
    child = os.fork()
    if child == 0:
        files.os = files.tempfile = Disk(lambda name: os._exit(9), at)
        train(f"{root}/{at}")
        os._exit(0)
    print(at, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def check_deaths(points, root, whole):
    source = "import dataclasses, functools, os, tempfile\n" + PROGRAM
    source += inspect.getsource(Disk) + inspect.getsource(Written) + DEATHS
    command = [sys.executable, "-c", source, repr(points), str(root)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout == "".join(f"{at} 9\n" for at in points)
    for at in points:
        folder = root / str(at)
        begun = "config.toml" in names(folder)
        assert begun == (at > BEGINNING - len(SAVE) + SAVE.index("replace") + 1)
        if not begun:  # it died before there was a run
            with pytest.raises(FileError):
                resume(folder, data(), progress=False)
            continue
        load_model(folder)  # what can be read at any time
        RunFolder(folder).history()
        assert all_of(resume(folder, data(), progress=False)) == whole
        assert names(folder) == FILES


def test_a_process_that_dies_in_a_save_loses_nothing(tmp_path, whole):
    """At each kind of call a few times: 7 and the 12 calls of a save have no divisor in common."""
    check_deaths(range(1, A_RUN + 1, 7), tmp_path, whole)


@pytest.mark.slow
def test_a_process_that_dies_at_any_point_of_a_save_loses_nothing(tmp_path, whole):
    check_deaths(range(1, A_RUN + 1), tmp_path, whole)


#: Epochs: longer than a process needs to begin, so that most signals meet it at work.
LONG = {"numpy": 80, "numba": 500}

CHILD = f"""
import os
import sys
from pathlib import Path
os.fsync = lambda handle: None
folder = Path(sys.argv[1])
if (folder / "config.toml").exists():
    resume(folder, data(), progress=False)
else:
    train(folder, epochs={LONG}[sys.argv[2]], kernels=sys.argv[2], threads=2 if sys.argv[2] == "numba" else 1)
"""


def start(folder, kernels):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM + CHILD, folder, kernels], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def train_whole(folder, kernels):
    """Train the long run that nothing befalls; return its folder, its kernels, and how long a process takes."""
    begun = time.monotonic()
    with start(folder, kernels) as process:
        said = process.stderr.read()
    assert process.returncode == 0, said
    return RunFolder(folder), kernels, time.monotonic() - begun


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    return train_whole(tmp_path_factory.mktemp("long") / "run", "numpy")


def check_rounds(rounds, long, tmp_path, *, seed, kills=3):
    (expected, kernels, seconds), rng, deaths = long, random.Random(seed), []
    model, history = load_model(expected.path).network, [losses(record) for record in expected.history()]
    assert len(history) == LONG[kernels]
    for number in range(rounds):
        folder = tmp_path / str(number)
        for attempt in range(1, 50):
            with start(folder, kernels) as process:
                wait = rng.uniform(0.1, 1.1) * seconds if attempt <= kills else 60
                try:
                    process.wait(timeout=wait)
                except subprocess.TimeoutExpired:
                    process.send_signal(rng.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
                said = process.stderr.read().decode()
            if process.returncode == 0:
                break
            # The process was stopped, and no error of its own did it.
            assert process.returncode < 0 or "KeyboardInterrupt" in said or "Interrupted" in said, said
            if folder.exists() and not (folder / "config.toml").exists():
                shutil.rmtree(folder)  # it died before there was a run
            elif folder.exists():
                checkpoint = RunFolder(folder).checkpoint()
                deaths.append(len(checkpoint["history"].splitlines()) - 1)
                load_model(folder)
        assert process.returncode == 0
        found = load_model(folder).network
        assert found.fingerprint() == model.fingerprint()
        assert found.parameters.statistics.tobytes() == model.parameters.statistics.tobytes()
        assert [losses(record) for record in RunFolder(folder).history()] == history
        assert names(folder) == FILES
    return deaths


def test_a_run_that_is_stopped_at_random_times_is_the_run_that_was_not(tmp_path, long):
    check_rounds(2, long, tmp_path, seed=0, kills=1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_run_that_is_stopped_at_random_times_is_the_run_that_was_not_fifty_times(tmp_path, long):
    deaths = check_rounds(50, long, tmp_path, seed=1)
    assert sum(0 < epochs < LONG["numpy"] for epochs in deaths) > 20  # most met it at work


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("compiled_code")
def test_a_compiled_run_that_is_stopped_at_random_times_is_the_run_that_was_not_fifty_times(tmp_path):
    train_whole(tmp_path / "compiles", "numba")  # a process that only loads what is compiled takes less time
    deaths = check_rounds(50, train_whole(tmp_path / "whole", "numba"), tmp_path, seed=2)
    assert sum(0 < epochs < LONG["numba"] for epochs in deaths) > 20
