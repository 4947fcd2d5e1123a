"""How much memory may still be taken, by what the system tells of it."""

import numpy as np
import pytest

from glassnet.runtime import memory
from glassnet.runtime.memory import CACHE_LINE, aligned_zeros, available_memory, describe_bytes


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A system whose files a test writes: 8 GB are available to the machine, and no bound is set."""
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path / "cgroup")

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    write("proc/meminfo", "MemTotal:  16000000 kB\nMemFree:  1000000 kB\nMemAvailable:  8000000 kB\n")
    return write


def test_what_the_machine_has_is_available(system):
    assert available_memory() == 8_192_000_000


@pytest.mark.parametrize("group", ["", "a", "a/b"])
def test_a_container_bounds_it_and_gives_back_what_it_keeps_of_files(system, group):
    system("proc/self/cgroup", "0::/a/b\n")
    system(f"cgroup/{group}/memory.max", "3000000000\n")
    system(f"cgroup/{group}/memory.current", "2000000000\n")
    system(f"cgroup/{group}/memory.stat", "anon 5\nfile 9\ninactive_file 400000000\n")
    assert available_memory() == 1_400_000_000


def test_a_container_of_the_first_version(system):
    system("proc/self/cgroup", "9:cpu:/other\n4:memory:/a\n0::/\n")
    system("cgroup/memory/a/memory.limit_in_bytes", "3000000000\n")
    system("cgroup/memory/a/memory.usage_in_bytes", "2000000000\n")
    system("cgroup/memory/a/memory.stat", "cache 9\ntotal_inactive_file 7\n")
    assert available_memory() == 1_000_000_007


def test_a_container_without_a_bound_bounds_nothing(system):
    system("proc/self/cgroup", "0::/\n")
    system("cgroup/memory.max", "max\n")
    system("cgroup/memory.current", "2000000000\n")
    system("cgroup/memory.stat", "inactive_file 7\n")
    assert available_memory() == 8_192_000_000


def test_a_bound_of_the_shell_counts_what_is_taken(system, monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda which: (10**9, resource.RLIM_INFINITY))
    system("proc/self/statm", "1000 500 100\n")
    assert available_memory() == 10**9 - 1000 * resource.getpagesize()


def test_bytes_in_words():
    assert [describe_bytes(count) for count in (12, 2_050, 150_000_000, 2.05e9, 3.2e12)] == [
        "12 bytes",
        "2.0 kB",
        "150 MB",
        "2.0 GB",
        "3,200 GB",
    ]


@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 1, 40)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int8"])
def test_zeros_begin_at_a_line_of_the_cache(shape, dtype):
    for _ in range(5):
        numbers = aligned_zeros(shape, dtype)
        assert (numbers.shape, numbers.dtype, numbers.ctypes.data % CACHE_LINE) == (shape, dtype, 0)
        np.testing.assert_array_equal(numbers, np.zeros(shape, dtype))
