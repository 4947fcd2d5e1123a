import subprocess
import sys

import pytest

from glassnet.runtime import machine
from glassnet.runtime.machine import free_gemm_rate, gemm_rate, machine_report, processor


def report(**changes):
    """A machine where nothing costs speed, but for the changes."""
    quiet = {
        "cores": 4,
        "load": 0.3,
        "blas_libraries": [{"threads": 4}],
        "gemm_gflops": {"1": 100.0, "4": 380.0},
        "numba": "0.61",
        "compiled_steps": True,
        "variables": {},
    }
    return quiet | changes


def test_a_rate_is_that_of_two_n_cubed_operations(monkeypatch):
    clock = iter([0.0, 0.0, 0.5, 0.5, 0.75, 9.0])  # the end is at 0.2 + 0.6; products of 0.5 and 0.25 seconds
    monkeypatch.setattr(machine.time, "perf_counter", lambda: next(clock))
    assert gemm_rate(1, size=1000, seconds=0.8) == pytest.approx(2e9 / 0.25 / 1e9)


def test_the_report_is_of_this_machine(monkeypatch):
    monkeypatch.setattr(machine, "gemm_rate", lambda threads: 50.0 * threads)
    found = machine_report()
    cores = machine.available_cores()
    assert found["cores"] == cores
    assert found["gemm_gflops"] == {str(threads): 50.0 * threads for threads in {1, cores}}
    assert found["processor"] == processor() != ""
    assert isinstance(found["advice"], list)
    assert found["compiled_code"].endswith("compiled")


def test_where_nothing_costs_speed_there_is_no_advice():
    assert machine._write_advice(report()) == []


def test_a_slower_kernel_that_the_environment_prescribes_is_named(monkeypatch):
    haswell = report(variables={"OPENBLAS_CORETYPE": "Haswell"})
    monkeypatch.setattr(machine, "free_gemm_rate", lambda: 180.0)
    (advice,) = machine._write_advice(haswell)
    assert advice.startswith(
        "OPENBLAS_CORETYPE has BLAS use a slower kernel where NumPy multiplies: 100 GFLOP/s a core"
    )
    for as_fast in (105.0, None):
        monkeypatch.setattr(machine, "free_gemm_rate", lambda rate=as_fast: rate)
        assert machine._write_advice(haswell) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"blas_libraries": [{"threads": 1}]}, "BLAS uses 1 of 4 cores"),
        (
            {"blas_libraries": [{"threads": 2}], "variables": {"OMP_NUM_THREADS": "2"}},
            "OMP_NUM_THREADS is set: BLAS uses 2 of 4 cores",
        ),
        ({"numba": None, "compiled_steps": False}, "pip install 'glassnet[fast]'"),
        ({"compiled_steps": False}, "no fused multiply-adds"),
        ({"load": 2.5}, "load 2.5"),
    ],
)
def test_what_costs_speed_is_said(changes, said):
    (advice,) = machine._write_advice(report(**changes))
    assert said in advice


def test_the_free_rate_is_measured_without_the_variables(monkeypatch):
    seen = {}

    def run(command, *, env, **options):
        seen.update(env)
        assert command[0] == sys.executable
        return subprocess.CompletedProcess(command, 0, stdout="123.5\n")

    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setattr(machine.subprocess, "run", run)
    assert free_gemm_rate() == 123.5
    assert "OPENBLAS_CORETYPE" not in seen
    assert "PATH" in seen
    monkeypatch.setattr(machine.subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, 1, stdout=""))
    assert free_gemm_rate() is None


def test_the_free_rate_is_a_number():
    assert free_gemm_rate() > 0.01
