"""Hours of work in one process: memory, open files and threads stay what they were."""

import gc
import os
import threading
import time
from pathlib import Path

import pytest

import glassnet as gn
from glassnet.report.run_page import write_run_report
from glassnet.study.runner import run_study
from glassnet.study.specification import study_of
from glassnet.training.run import open_run

#: Rounds of work that fill caches, and seconds to work after them.
WARM_UP, SECONDS = 11, float(os.environ.get("GLASSNET_SOAK_SECONDS", 60))

#: Bytes that memory may grow by after warming up, whatever the seconds: pages of the allocator come and go.
MOST_GROWTH = 30e6

STUDY = {
    "name": "small",
    "seeds": 1,
    "base": {"data": {"dataset": "digits"}, "training": {"epochs": 1, "kernels": "numpy"}},
    "factors": {"optimizer": {"levels": ["adam", "sgd(0.1)"]}},
}


def usage():
    """Return memory in bytes, open files, and threads of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir("/proc/self/fd")), threading.active_count()


def work(folder, number):
    """Train by either kernels, resume, predict, and report; now and then run a study."""
    data = gn.load_dataset("digits")
    for kernels in ("numpy", "numba"):
        network = gn.Network([64, 16, 10], dropout=0.1, seed=number)
        options = {"kernels": kernels, "threads": 2, "progress": False}
        run = gn.fit(network, data, epochs=2, run_dir=folder / kernels, **options)
        gn.resume(run.folder, data, epochs=3, progress=False)
        gn.evaluate(run.model, data)
    network, opened, data = open_run(folder / "numpy")
    write_run_report(opened.path, network, data, language="en")
    if number % 10 == 0:
        run_study(study_of(STUDY), folder / "study", workers=1, progress=False)


@pytest.mark.slow
@pytest.mark.timeout(2 * SECONDS + 1200)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
@pytest.mark.usefixtures("compiled_code")
def test_long_work_in_one_process_takes_no_more_and_more(tmp_path):
    for number in range(WARM_UP):
        work(tmp_path / str(number), number)
    before, begun = usage(), time.monotonic()
    while time.monotonic() - begun < SECONDS:
        number += 1
        work(tmp_path / str(number), number)
    memory, files, threads = usage()
    assert (files, threads) == before[1:]
    assert memory - before[0] < MOST_GROWTH, f"{memory - before[0]:,} bytes more in {number - WARM_UP + 1} rounds"
