"""What an epoch takes while other programs hold every core, beside what it takes on quiet cores."""

import subprocess
import sys
from contextlib import contextmanager
from functools import partial

import machine
from contestants import CONTESTANTS
from results import number, table, write
from turns import TooLong, medians, prepare, seconds, time_limit
from workloads import USUAL

#: Seconds after which an epoch on busy cores is given up.
CAP = 120

#: Counts for ever, and ends with the process that started it.
SPIN = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(100_000): pass"


def measure_busy(data, rounds):
    """Measure quiet and busy epochs in turn, and write them."""
    load = machine.load()
    names = ("glassnet", "JAX", "PyTorch")
    ready, failed = prepare({name: partial(CONTESTANTS[name], data, USUAL) for name in names})
    quiet, busy = {name: [] for name in ready}, {name: [] for name in ready}
    for _ in range(rounds):
        for name, run in ready.items():
            quiet[name].append(seconds(run))
        for name, run in ready.items():
            if CAP not in busy[name]:
                busy[name].append(capped(run))
        print("busy:", busy, flush=True)
    values = {**USUAL._asdict(), "load": load, "processes": machine.CORES, "cap": CAP, "failed": failed}
    middle = {"quiet": medians(quiet), "busy": medians(busy)}
    middle["busy"] |= {name: CAP for name, times in busy.items() if CAP in times}
    values |= {"quiet": quiet, "busy": busy, "medians": middle}
    heading = (
        f"Seconds of an epoch of {USUAL.title}, while {machine.CORES} processes that only count hold the "
        f"{machine.CORES} cores; medians of {rounds} rounds, quiet and busy in turn."
    )
    notes = [f"{name}: {reason}." for name, reason in failed.items()]
    write("busy", heading, [busy_table(**middle)], values, notes)


def capped(run):
    """Return the seconds of a run on busy cores, CAP where it takes longer."""
    with spinning():
        try:
            with time_limit(CAP):
                return seconds(run)
        except TooLong:
            return CAP


@contextmanager
def spinning():
    """Keep every core busy."""
    processes = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(machine.CORES)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def busy_table(quiet, busy):
    """Return a row for each system."""
    body = []
    for name, value in busy.items():
        over = "> " if value >= CAP else ""
        row = [number(quiet[name]), over + number(value), over + number(value / quiet[name], 1)]
        row.append("< " * bool(over) + number(busy["glassnet"] / value, 2) if "glassnet" in busy else "-")
        body.append([name, *row])
    return table(["system", "quiet, s", "busy, s", "busy over quiet", "glassnet over it, busy"], body)
