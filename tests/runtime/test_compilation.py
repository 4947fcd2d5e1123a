"""Compiled code is kept and found again; whatever happens to the cache, a run is right."""

import ctypes
import importlib.util
import itertools
import shutil
import subprocess
import sys

import numpy as np
import pytest
from tests.loops import for_each

from glassnet.runtime import compilation, files
from glassnet.runtime.compilation import (
    announcing,
    cache_folder,
    compile_function,
    compile_pointer,
    compiling_alone,
    measure_cache,
    numba_version,
)
from glassnet.runtime.intrinsics import MACHINE_FUNCTIONS, X86, machine_functions

SOURCE = """
def half(x):
    return 0.5 * x


def change(x):
    for i in range(len(x)):
        x[i] = half(x[i]) + 1
"""

#: Compile in a process of its own; print the result, how often it came from the cache, and the process's warnings.
SCRIPT = f"""
import sys, warnings
warnings.simplefilter("error")
import numpy as np
from glassnet.runtime.compilation import compile_function
x = np.array([4.0, 8])
change = compile_function({SOURCE!r}, "change")
change(x)
print(x.tolist(), sum(change.stats.cache_hits.values()), sum(change.stats.cache_misses.values()))
"""


def start(script=SCRIPT):
    return subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def said(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.strip()


def again():
    """Compile as another process would, which knows what is on the disk: return result, cache hits and misses."""
    change, x = compile_function.__wrapped__(SOURCE, "change"), np.array([4.0, 8])
    change(x)
    return x.tolist(), sum(change.stats.cache_hits.values()), sum(change.stats.cache_misses.values())


RIGHT = [3.0, 5.0]


def test_functions_call_each_other_and_are_compiled():
    change, x = compile_function(SOURCE, "change"), np.array([4.0, 8])
    change(x)
    assert x.tolist() == [3, 5]
    assert compile_function(SOURCE, "change") is change
    assert change.nopython_signatures
    assert change.__module__ in sys.modules


def test_a_second_process_loads_what_the_first_compiled():
    assert measure_cache() == (0, 0)
    assert again() == (RIGHT, 0, 1)
    assert measure_cache() == (1, next(cache_folder().rglob("*.nbc")).stat().st_size)
    assert sorted(path.suffix for path in cache_folder().rglob("*") if path.is_file()) == [".nbc", ".nbi", ".py"]
    what_only_compiling_needs = "\nprint('numba.np.arraymath' in sys.modules)"
    assert said(start(SCRIPT + what_only_compiling_needs)) == "[3.0, 5.0] 1 0\nFalse"


def test_the_cache_is_the_users(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert cache_folder() == tmp_path / "glassnet" / "compiled"


def test_another_text_is_compiled_anew(compiled_code):
    other, x = compile_function(SOURCE.replace("0.5", "0.25"), "change"), np.array([4.0, 8])
    other(x)
    assert x.tolist() == [2, 3]


def test_a_cache_that_cannot_be_made_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    for _ in range(2):
        assert again()[:2] == (RIGHT, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_cache_that_may_only_be_read_is_used_or_done_without():
    """Files where Numba wants folders stand for missing rights: the user of the tests may have all rights."""
    again()
    shutil.rmtree(cache_folder() / "__pycache__")
    (cache_folder() / "__pycache__").write_bytes(b"")
    (cache_folder().parents[1] / "numba").write_bytes(b"")
    assert again()[0] == RIGHT


DAMAGES = {
    "truncated": lambda whole: whole[: len(whole) // 2],
    "empty": lambda whole: b"",
    "overwritten": lambda whole: b"garbage" * 99,
}


@for_each("damage, suffix", itertools.product(DAMAGES.values(), (".py", ".nbi", ".nbc")))
def test_a_damaged_cache_does_no_harm_and_is_mended(damage, suffix):
    shutil.rmtree(cache_folder(), ignore_errors=True)
    again()
    (path,) = cache_folder().rglob(f"*{suffix}")
    path.write_bytes(damage(path.read_bytes()))
    assert again()[0] == RIGHT
    assert again() == (RIGHT, 1, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="a limit on the size of files stands for a full disk")
def test_a_full_disk_does_no_harm():
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"
    assert said(start(limit + SCRIPT)).startswith("[3.0, 5.0] 0")
    assert again() == (RIGHT, 0, 1)


def test_processes_that_compile_at_the_same_time_do_not_disturb_each_other():
    processes = [start() for _ in range(2)]
    assert {said(process).rpartition("]")[0] for process in processes} == {"[3.0, 5.0"}
    assert again()[0] == RIGHT
    assert again() == (RIGHT, 1, 0)


@pytest.mark.skipif(files.fcntl is None, reason="the system knows no such lock")
def test_of_processes_that_begin_together_one_compiles_and_the_others_wait():
    alone = SCRIPT.replace("\nchange(x)\n", "\nwith compilation.compiling_alone():\n    change(x)\n")
    script = "from glassnet.runtime import compilation\n" + alone
    said_by_all = sorted(said(process) for process in [start(script) for _ in range(3)])
    assert said_by_all == ["[3.0, 5.0] 0 1", "[3.0, 5.0] 1 0", "[3.0, 5.0] 1 0"]


@pytest.mark.skipif(files.fcntl is None, reason="the system knows no such lock")
def test_who_waits_too_long_compiles(monkeypatch):
    monkeypatch.setattr(compilation, "MOST_WAIT", 0.05)
    again()
    (text,) = cache_folder().glob("*.py")
    shutil.rmtree(cache_folder() / "__pycache__")
    with files.lock_file(text), compiling_alone():
        assert again() == (RIGHT, 0, 1)
        assert again() == (RIGHT, 1, 0)  # what is on the disk is not waited for


@pytest.mark.skipif(files.fcntl is None, reason="the system knows no such lock")
def test_a_text_is_held_until_it_is_compiled_or_refused():
    with compiling_alone():
        assert again() == (RIGHT, 0, 1)
        (text,) = cache_folder().glob("*.py")
        with files.lock_file(text):
            assert again() == (RIGHT, 1, 0)
    wrong = compile_function(SOURCE.replace("0.5 * x", "x.nothing"), "change")

    def be_refused():
        with compiling_alone():
            wrong(np.zeros(2))

    with pytest.raises(Exception, match="nothing"):
        be_refused()
    for text in cache_folder().glob("*.py"):
        with files.lock_file(text):
            assert text.stat().st_size


def test_a_lost_cache_is_made_again():
    again()
    shutil.rmtree(cache_folder())
    assert again() == (RIGHT, 0, 1)


# Without Numba


def test_the_version_is_numbas_or_none(monkeypatch):
    import numba

    assert numba_version() == numba.__version__
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert numba_version() is None


def test_a_numba_that_refuses_this_numpy_is_none(tmp_path):
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text("raise ImportError('Numba needs NumPy 1.2 or less')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from glassnet.runtime.compilation import numba_version; print(numba_version())"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "None\n"


def test_numba_is_not_imported_before_it_is_needed():
    code = "import sys; import glassnet.training.fit; print('numba' in sys.modules, 'llvmlite' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False False\n"


# What Python has no words for


def test_a_function_at_an_address_is_called_with_its_arguments(compiled_code):
    seen = []
    callback = ctypes.CFUNCTYPE(None, ctypes.c_int32, ctypes.c_float, ctypes.c_ssize_t)(lambda *a: seen.append(a))
    caller = compile_function(
        "from numpy import float32, int32, intp\n\n"
        "def caller(place, x):\n"
        "    call_address(place, (int32(-3), float32(x), intp(1 << 40)))\n"
        "    call_address(place, (int32(7), float32(2 * x), intp(0)))\n",
        "caller",
    )
    caller(ctypes.cast(callback, ctypes.c_void_p).value, 0.25)
    assert seen == [(-3, 0.25, 1 << 40), (7, 0.5, 0)]


POINTED = """
def twice(x):
    return x + x


def double(n, x, factor):
    numbers = carray(x, n)
    for i in range(n):
        numbers[i] = factor * twice(numbers[i])
"""


def call_pointer():
    """Compile as another process would; return what becomes of three numbers, of which two are the function's."""
    place = compile_pointer.__wrapped__(POINTED, "double", ("intp", "float32*", "float32"))
    function = ctypes.CFUNCTYPE(None, ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_float)(place)
    x = np.array([1, 2, 3], np.float32)
    function(2, x.ctypes.data, 0.75)
    return x.tolist()


def test_a_function_of_c_has_an_address_and_is_kept_on_disk():
    assert call_pointer() == [1.5, 3, 3]
    names = [path.name for path in cache_folder().rglob("*.nb*")]
    assert len(names) == 2
    before = {path: path.read_bytes() for path in cache_folder().rglob("*.nb*")}
    assert call_pointer() == [1.5, 3, 3]
    assert {path: path.read_bytes() for path in cache_folder().rglob("*.nb*")} == before
    next(cache_folder().rglob("*.nbc")).write_bytes(b"garbage")
    assert call_pointer() == [1.5, 3, 3]


def test_what_is_compiled_and_not_loaded_is_told_once():
    told = []
    with announcing(lambda: told.append("compiling")):
        again()
        compile_pointer.__wrapped__(POINTED, "double", ("intp", "float32*", "float32"))
    assert told == ["compiling"]
    with announcing(lambda: told.append("again")):
        assert again() == (RIGHT, 1, 0)
        call_pointer()
    assert told == ["compiling"]
    again()


def test_without_a_cache_each_process_tells_that_it_compiles(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    for _ in range(2):
        told = []
        with announcing(lambda told=told: told.append("compiling")):
            again()
        assert told == ["compiling"]


RECORDS = """
from collections import namedtuple

Pair = namedtuple("Pair", ["name", "numbers"])


def second(pair):
    return pair.numbers[1]


def read(x, y):
    total = 0.0
    for i in range(3):
        total += second(refer(Pair(i, x))) + refer(Pair(i, y)).name
    return total
"""


def test_a_record_is_handed_on_by_its_address(compiled_code):
    read = compile_function(RECORDS, "read")
    assert read(np.array([1.0, 2, 3]), np.zeros(1)) == 3 * 2 + 0 + 1 + 2


SMALL = """
def product(x, out):
    state = flush_denormals()
    out[0] = x[0] * x[1]
    fence()
    restore_denormals(state)
    prefetch(0)
    sleep_microseconds(uint32(1))
"""


def test_small_numbers_are_flushed_and_come_back(compiled_code):
    assert tuple(machine_functions()) == MACHINE_FUNCTIONS
    x, out = np.array([1e-30, 1e-12], np.float32), np.ones(1, np.float32)
    assert x[0] * x[1] > 0  # 1e-42: there are such numbers, if imprecise ones
    compile_function("from numpy import uint32\n" + SMALL, "product")(x, out)
    assert out[0] == 0 if X86 else out[0] > 0
    assert x[0] * x[1] > 0


def test_compiled_code_lets_other_threads_run_and_keeps_to_its_text(compiled_code):
    """It says so in its options: without, a step's threads would wait for each other for ever, and bits differ."""
    change = compile_function(SOURCE, "change")
    assert change.targetoptions["nogil"]
    assert not change.targetoptions["fastmath"]
