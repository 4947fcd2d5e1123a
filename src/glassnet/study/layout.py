"""How a study uses the cores: a worker with one thread on each, or one worker with all, whichever is faster."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from glassnet.runtime.threads import available_cores
from glassnet.study.cluster_pool import ClusterPool
from glassnet.study.fairness import DataCache, prepare
from glassnet.study.pools import Pool
from glassnet.study.process_pool import ProcessPool, Reporter
from glassnet.training.config import RunConfig
from glassnet.training.engine import MOST_THREADS
from glassnet.training.trainer import Trainer

#: Times that both are measured, and how much faster one after the other has to be.
ROUNDS, CLEARLY = 2, 1.1

#: Seconds over which steps are counted, after so many seconds that do not count.
MEASURED, WARM_UP = 0.4, 0.15


@dataclass(frozen=True)
class Layout:
    """Workers, and threads of each run. The bits of a run depend on its threads, and not on the workers.

    `side_by_side` and `together` are the steps a second of all workers with one thread each, and of one worker
    with all cores; 0 if they were not measured.
    """

    workers: int
    threads: int
    reason: str
    side_by_side: float = 0.0
    together: float = 0.0


def with_threads(config: RunConfig, threads: int) -> RunConfig:
    """Return a configuration with so many threads."""
    return config.model_copy(update={"training": config.training.model_copy(update={"threads": threads})})


def choose_layout(
    pool: Pool,
    workers: int | None,
    threads: int | None,
    config: RunConfig,
    runs: int,
    say: Callable[[str], None],
) -> Layout:
    """Return how the cores are used: as the caller or the study decides, or else as is found best now.

    The workers of a cluster train with one thread each, unless the study says otherwise: all of them, or as many
    as were asked for. What is measured is said.
    """
    if isinstance(pool, ClusterPool):
        return Layout(workers or runs, threads or 1, "the workers of the cluster")
    layout = given_layout(workers, threads)
    if layout is None:
        say("measuring whether runs side by side are faster than one with all cores")
        layout = measure_layout(pool, config, runs)
        say(layout.reason)
    return layout


def given_layout(workers: int | None, threads: int | None) -> Layout | None:
    """Return the layout where the caller or the study decides it; None where it is to be measured."""
    cores = available_cores()
    if threads is not None:
        return Layout(workers or max(1, cores // threads), threads, "the study's threads")
    if workers is not None:
        return Layout(workers, 1, "the workers that were asked for")
    return Layout(1, 1, "there is one core") if cores == 1 else None


def measure_layout(pool: ProcessPool, config: RunConfig, runs: int) -> Layout:
    """Measure which way the runs of a study are done sooner, by steps of one of them.

    With R the steps a second of w workers that share the machine, and r those of one that has it for itself, n
    runs take as long as w ceil(n / w) / R, and as n / r. One after the other has to be clearly faster: what runs
    do beside their steps, such as saving, is done side by side as well. The pool's context is a `DataCache`.
    """
    cores = available_cores()
    many, most = min(cores, runs), min(cores, MOST_THREADS)
    pool.resize(many)
    one_thread, all_threads = with_threads(config, 1), with_threads(config, most)
    best = {"side_by_side": 0.0, "together": 0.0}
    for _ in range(ROUNDS):  # in turn, and the best of each: one disturbed moment does not decide
        for name, threaded, workers in (("side_by_side", one_thread, many), ("together", all_threads, 1)):
            rates = _measure_rates(pool, threaded, workers)
            if not rates:
                return Layout(many, 1, "steps of the base could not be measured")
            best[name] = max(best[name], round(sum(rates), 3))
    found = Layout(many, 1, f"{many} runs side by side are done sooner", **best)
    if math.ceil(runs / many) * many / found.side_by_side <= CLEARLY * runs / found.together:
        return found
    return Layout(1, most, f"one run after the other, with {most} threads, is done sooner", **best)


def _measure_rates(pool: ProcessPool, config: RunConfig, workers: int) -> list[float]:
    """Return the steps a second of each worker, measured at the same time; nothing if one of them fails.

    The workers begin to measure when all of them are warm, that is, have loaded the data and taken their first
    steps. Those that fail before are not waited for.
    """
    for _ in range(min(workers, len(pool.idle))):
        pool.submit(measure_rate, config)
    rates, warm = [], set()
    while len(pool.idle) < len(pool.workers):
        for message in pool.receive():
            if message.kind == "waiting":
                warm.add(message.worker)
            elif message.kind == "result":
                rates.append(message.value)
        busy = {worker for worker in pool.workers if worker.busy}
        if busy <= warm:
            for worker in busy:
                worker.go_on()
            warm.clear()
    return rates if len(rates) == workers else []


def measure_rate(config: RunConfig, data: DataCache, report: Reporter) -> float:
    """Return how many steps a second a run takes in this process; nothing is saved.

    Before steps are counted, it waits until the pool has it go on.
    """
    with prepare(config, data.load(config)) as trainer:
        steps = _take_steps(trainer)
        _measure_steps(steps, WARM_UP)
        report.wait()
        return _measure_steps(steps, MEASURED)


def _take_steps(trainer: Trainer) -> Iterator[int]:
    """Take the steps of a run, epoch after epoch, and yield how many were taken."""
    while True:
        yield from trainer.train_epoch()
        trainer.end_epoch()


def _measure_steps(steps: Iterator[int], seconds: float) -> float:
    """Return how many steps a second there are, over so many seconds."""
    began, taken = time.perf_counter(), 0
    for some in steps:
        taken += some
        if time.perf_counter() - began >= seconds:
            break
    return taken / (time.perf_counter() - began)
