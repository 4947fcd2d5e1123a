"""A cluster on this machine: a scheduler of Dask and workers, each a process with one thread."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from glassnet.runtime.threads import available_cores
from glassnet.study.cluster_pool import import_dask

#: What each worker runs first: a terminal sends its signals to all processes, but one ends the others.
IGNORE_TERMINAL = """
import signal
for name in ("SIGINT", "SIGHUP"):
    if hasattr(signal, name):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
"""


@contextlib.contextmanager
def local_cluster(workers: int | None = None) -> Iterator[str]:
    """Start a scheduler and workers, by default one a core, and give the scheduler's address.

    Only this machine can reach them, and they end with the context. `GlassnetError` is raised if there is no Dask.
    """
    with import_dask().LocalCluster(
        n_workers=workers or available_cores(),
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
        preload=[IGNORE_TERMINAL],
    ) as cluster:
        yield cluster.scheduler_address
