"""Where runs are done: in processes of this machine, or by the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.study.cluster_pool import ClusterPool
from glassnet.study.cluster_task import ClusterData
from glassnet.study.fairness import DataCache
from glassnet.study.process_pool import ProcessPool

#: What takes runs with ``submit`` and tells of them with ``receive``.
Pool = ProcessPool | ClusterPool


def open_pool(
    log: Path,
    interrupts: GracefulInterrupts,
    data_dir: str | Path | None,
    cluster: str | None,
    checksums: Mapping[str, dict[str, str]],
    say: Callable[[str], None],
) -> Pool:
    """Return workers, which end or are let go with the context that the pool is.

    Without a `cluster`, the address of a scheduler, they are processes of this machine, which print into `log`.
    The workers of a cluster refuse data whose checksums are not those by the name of the data set. `say` takes
    lines for people.
    """
    if cluster is None:
        return ProcessPool(log, interrupts, DataCache(data_dir))
    return ClusterPool(cluster, ClusterData(data_dir, dict(checksums)), interrupts, say)
