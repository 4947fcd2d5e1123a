import errno
import resource
import threading

import pytest

from glassnet.runtime.limits import ADDRESSES, NO_THREAD, explain_limit, find_low_limit


@pytest.fixture
def limit(monkeypatch):
    """``limit(n)``: the addresses that this process may take, as it is told."""

    def put(number):
        monkeypatch.setattr("resource.getrlimit", lambda which: {resource.RLIMIT_AS: (number, number)}[which])

    return put


def test_a_limit_on_memory_that_libraries_would_hang_at_is_refused(limit, monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setattr("glassnet.runtime.limits.available_cores", lambda: 3)
    limit(700_000_000)
    said = "not enough memory: ulimit -v allows 700 MB, and 797 MB are needed to begin; raise it"
    assert find_low_limit() == f"{said}, or set OPENBLAS_NUM_THREADS=1"
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    assert find_low_limit() is None
    limit(ADDRESSES - 1)
    assert (
        find_low_limit() == "not enough memory: ulimit -v allows 629 MB, and 629 MB are needed to begin; raise it"
    )
    limit(ADDRESSES)
    assert find_low_limit() is None
    limit(resource.RLIM_INFINITY)
    assert find_low_limit() is None


def caused(error, cause):
    error.__cause__ = cause
    return error


SPACE = "not enough memory: ulimit -v allows 2,000 MB; raise it"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ImportError("lib.so: failed to map segment from shared object"), SPACE),
        (caused(ImportError("Importing failed"), ImportError("lib.so: Cannot allocate memory")), SPACE),
        (SystemError("error return without exception set"), SPACE),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), SPACE),
        (MemoryError("8 GB"), SPACE),
        (RuntimeError("can't start new thread"), NO_THREAD),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), NO_THREAD),
        (OSError(errno.EMFILE, "Too many open files"), "too many open files: raise the limit, ulimit -n"),
        (ImportError("No module named 'numpy'"), None),
        (OSError(errno.ENOENT, "No such file"), None),
        (RuntimeError("a fault of ours"), None),
        (KeyboardInterrupt(), None),
    ],
)
def test_errors_that_come_from_a_limit_are_explained(limit, error, said):
    limit(2_000_000_000)
    assert explain_limit(error) == said


def test_without_a_limit_the_error_says_what_was_too_much(limit):
    limit(resource.RLIM_INFINITY)
    assert explain_limit(MemoryError("Unable to allocate 8 GB")) == "not enough memory: Unable to allocate 8 GB"


def test_an_interrupt_by_a_library_that_can_start_no_thread_is_no_ctrl_c(monkeypatch):
    def fail(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    assert explain_limit(KeyboardInterrupt()) == NO_THREAD
