import ctypes
import subprocess
import sys

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from glassnet.runtime import blas
from glassnet.runtime.blas import blas_threads, find_gemm, libraries, usual_threads

ROW_MAJOR, AS_IT_IS, TURNED = 101, 111, 112


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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("turned", [(), ("a",), ("b",), ("a", "b")], ids=str)
@pytest.mark.parametrize("kept", [0.0, 1.0])
def test_a_gemm_multiplies(dtype, turned, kept):
    """C = A B + kept C, with A of 3 x 4 and B of 4 x 2 or stored the other way round; sizes are exact numbers."""
    gemm, rng = find_gemm(dtype), np.random.default_rng(0)
    a, b, c = (rng.integers(-9, 9, size).astype(dtype) for size in ((3, 4), (4, 2), (3, 2)))
    expected = a @ b + kept * c
    a, b = (np.ascontiguousarray(matrix.T if name in turned else matrix) for name, matrix in (("a", a), ("b", b)))
    orders = (TURNED if name in turned else AS_IT_IS for name in ("a", "b"))
    gemm.function(
        ROW_MAJOR, *orders, 3, 2, 4, 1.0, a.ctypes.data, a.shape[1], b.ctypes.data, b.shape[1], kept,
        c.ctypes.data, 2,
    )  # fmt: skip
    assert c.tolist() == expected.tolist()


def test_a_gemm_says_where_it_is():
    single, double = find_gemm(np.float32), find_gemm(np.float64)
    assert single.path == double.path == libraries()[0]["path"]
    assert single.integer == double.integer in (np.int32, np.int64)
    assert single.address != double.address != 0
    assert single.address == ctypes.cast(find_gemm("float32").function, ctypes.c_void_p).value


def test_where_no_gemm_is_to_be_had_there_is_none(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(blas, "NAMES", [("nonsense_{}gemm", "")])
        assert find_gemm("float32") is None
    monkeypatch.setattr(blas, "libraries", list)
    assert find_gemm("float64") is None


def test_a_library_that_keeps_its_gemm_to_itself_is_passed_over(monkeypatch):
    mute = [{**library, "path": None} for library in libraries()]  # None: the program itself
    monkeypatch.setattr(blas, "libraries", lambda known=libraries(): [*mute, *known])  # noqa: B008
    if not any(hasattr(ctypes.CDLL(None), name.format("s")) for name, _ in blas.NAMES):
        assert find_gemm("float32").path is not None


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
