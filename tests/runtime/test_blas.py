import subprocess
import sys

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from glassnet.runtime import blas
from glassnet.runtime.blas import blas_threads, libraries, usual_threads


def threads():
    return [library["threads"] for library in libraries()]


def test_the_libraries_are_those_in_this_process():
    known = [info for info in threadpool_info() if info["user_api"] == "blas"]
    assert {library["path"]: library["threads"] for library in libraries()} == {
        info["filepath"]: info["num_threads"] for info in known
    }
    for library in libraries():
        assert list(library) == ["name", "version", "kernel", "threads", "path"]


def test_numpys_own_library_comes_first_and_one_that_is_imported_later_is_found():
    code = (
        "import numpy; from glassnet.runtime.blas import libraries; before = libraries();"
        "import scipy.linalg; from threadpoolctl import threadpool_info;"
        "now = {one['filepath'] for one in threadpool_info() if one['user_api'] == 'blas'};"
        "print(libraries()[0] == before[0], {one['path'] for one in libraries()} == now)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "True True\n"


def test_libraries_are_looked_for_once_and_asked_for_their_threads_each_time(monkeypatch):
    libraries()
    monkeypatch.setattr(blas, "ThreadpoolController", None)
    with threadpool_limits(1):
        assert set(threads()) == {usual_threads()} == {1}
    with blas_threads() as use:
        use(1)
        assert set(threads()) == {1}


def test_threads_are_set_and_come_back():
    before = threads()
    with blas_threads() as use:
        use(1)
        assert set(threads()) == {1}
        with blas_threads() as inner:
            inner(2)
            assert set(threads()) == {2}
    assert threads() == before


def test_threads_come_back_after_an_error():
    before = threads()
    with pytest.raises(RuntimeError), blas_threads() as use:  # noqa: PT012
        use(max(before) % 2 + 1)
        assert threads() != before
        raise RuntimeError
    assert threads() == before


def test_threads_come_back_whichever_of_two_ends_first():
    """Two runs may go on side by side, in threads of their own."""
    before = threads()
    first, second = blas_threads(), blas_threads()
    first.__enter__()(1)
    second.__enter__()(1)
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    try:
        assert threads() == before
    finally:
        with blas_threads() as use:
            use(max(before))
