"""How a study uses the cores: a worker with one thread on each, or one worker with all, whichever is faster."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from glassnet.runtime.threads import available_cores
from glassnet.study.crew import Crew, Worker
from glassnet.study.job import Job
from glassnet.training.config import RunConfig
from glassnet.training.engine import MOST_THREADS

#: Times that both are measured, and how much faster one after the other has to be.
ROUNDS, CLEARLY = 2, 1.1


@dataclass(frozen=True)
class Layout:
    """Workers, and threads of each run. The bits of a run depend on its threads, and not on the workers.

    Attributes
    ----------
    workers, threads : int
    reason : str
        Why these.
    side_by_side, together : float
        Where it was measured: steps a second of all workers with one thread each, and of one with all cores; else
        0.
    """

    workers: int
    threads: int
    reason: str
    side_by_side: float = 0.0
    together: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)


def with_threads(config: RunConfig, threads: int) -> RunConfig:
    """Return a configuration with so many threads."""
    return config.model_copy(update={"training": config.training.model_copy(update={"threads": threads})})


def given_layout(workers: int | None, threads: int | None) -> Layout | None:
    """Return the layout where it is decided beforehand, by the caller or by the study; None: it is to be measured.

    Examples
    --------
    >>> given_layout(3, None).threads, given_layout(1, 2).workers, given_layout(None, 10**6).workers
    (1, 1, 1)
    """
    cores = available_cores()
    if threads is not None:
        return Layout(workers or max(1, cores // threads), threads, "the study's threads")
    if workers is not None:
        return Layout(workers, 1, "the workers that were asked for")
    return Layout(1, 1, "there is one core") if cores == 1 else None


def measured_layout(crew: Crew, job: Job, runs: int) -> Layout:
    """Measure how a study's runs are done sooner, by steps of one of them; the crew has the workers afterwards.

    With R the steps a second of w workers that share the machine, and r those of one that has it for itself, n
    runs take as long as w ceil(n / w) / R, and as n / r. One after the other has to be clearly faster: what runs
    do beside their steps, such as saving, is done side by side as well.

    Parameters
    ----------
    crew : Crew
        Without workers yet.
    job : Job
        A run of the base.
    runs : int
        How many there are.

    Raises
    ------
    StopRequested, GlassnetError
        As `Crew.listen`.
    """
    cores = available_cores()
    many, most = min(cores, runs), min(cores, MOST_THREADS)
    crew.hire(many)
    best = {"side_by_side": 0.0, "together": 0.0}
    for _ in range(ROUNDS):  # in turn, and the best of each: one disturbed moment does not decide
        for name, threads, workers in (("side_by_side", 1, crew.workers), ("together", most, crew.workers[:1])):
            rates = _rates(crew, replace(job, config=with_threads(job.config, threads)), list(workers))
            if not rates:
                return Layout(many, 1, "steps of the base could not be measured")
            best[name] = max(best[name], round(sum(rates), 3))
    found = Layout(many, 1, f"{many} runs side by side are done sooner", **best)
    if math.ceil(runs / many) * many / found.side_by_side <= CLEARLY * runs / found.together:
        return found
    return Layout(1, most, f"one run after the other, with {most} threads, is done sooner", **best)


def _rates(crew: Crew, job: Job, workers: list[Worker]) -> list[float]:
    """Return the steps a second of each worker, all at the same time; nothing where one of them cannot."""
    for worker in workers:
        worker.send(("measure", job, False))
    warm, lost = 0, 0
    rates: list[float] = []
    while len(rates) + lost < len(workers):
        for _, kind, value in crew.listen():
            warm += kind == "warm"
            lost += kind in ("error", "dead")
            if kind == "rate":
                rates.append(float(str(value)))
            if kind in ("warm", "error", "dead") and warm + lost == len(workers):
                for worker in workers:
                    worker.send("go")
    return [] if lost else rates
