"""One network, trained by several processes: each has a share of the rows, and their gradients are added up.

With B the rows of a batch and B_r those of process r, the loss of the batch and its gradient are

    L = sum over r of |B_r| / |B| L_r,    dL/dtheta = sum over r of |B_r| / |B| dL_r/dtheta

for a loss that is a mean over the rows, and sums without factors for one that is a sum. All processes draw the
same batches from the same seed, and each learns the rows of a batch that are its own. One sum over the processes
(MPI's all-reduce) a step then gives each the gradient of the whole batch, and all take the same step: what is done
to a gradient, clipping and penalties, is done after the sum. So the result is that of one process, up to the
rounding of sums (Goyal et al. 2017, section 2.1; Ben-Nun and Hoefler 2019, section 6).
"""

from __future__ import annotations

import os
import signal
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glassnet.errors import GlassnetError, NonFiniteError, UsageError
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.optimizers import LBFGS, Optimizer
from glassnet.runtime.interrupts import received_signal
from glassnet.runtime.threads import ThreadChoice
from glassnet.training.plain_engine import PlainEngine
from glassnet.training.step_context import StepContext

#: Variables by which launchers of MPI say how many processes they have started.
SIZE_VARIABLES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")


@dataclass(frozen=True)
class Group:
    """The processes that train a network together.

    `rank` is the number of this one of `size`, and `on_this_machine` how many of them are here. ``add_up(vector)``
    replaces a vector by its sum over all processes; all have to call it, with vectors of one length. ``abort()``
    ends all of them.
    """

    rank: int
    size: int
    on_this_machine: int
    add_up: Callable[[Array], None]
    abort: Callable[[int], None]

    def share(self, n: int) -> slice:
        """Return which of n rows are this process's own: neighbours, as many as the others have."""
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)


def was_launched() -> bool:
    """Whether this process is one of several that a launcher of MPI (``mpirun``) has started."""
    return any(os.environ.get(name, "1") not in ("", "1") for name in SIZE_VARIABLES)


def join_group() -> Group:
    """Return the group that ``mpirun`` has started this process in; `GlassnetError` if mpi4py is not installed."""
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise GlassnetError(f"mpirun: needs mpi4py and MPI: pip install 'glassnet[mpi]' ({error})") from None
    world = MPI.COMM_WORLD
    here = world.Split_type(MPI.COMM_TYPE_SHARED)

    def add_up(vector: Array) -> None:
        world.Allreduce(MPI.IN_PLACE, vector)

    return Group(world.Get_rank(), world.Get_size(), here.Get_size(), add_up, world.Abort)


def refuse_whole_batches(network: Network, optimizer: Optimizer, kernels: str) -> None:
    """Refuse, by `UsageError`, what needs more of a batch than its gradient: a process sees only its own rows."""
    together = "of a whole batch, and a process of mpirun sees a part"
    if any(network.batch_norm):
        raise UsageError(
            "batch_norm", f"takes the mean and variance {together}; leave it out, or leave mpirun out"
        )
    if isinstance(optimizer, LBFGS) or type(optimizer).observe is not Optimizer.observe:
        raise UsageError("optimizer", f"{optimizer.spec} goes by the layers {together}; take adam")
    if kernels == "numba":
        raise UsageError("kernels", "numba takes whole steps, and mpirun adds up gradients within; take numpy")


class DataParallelEngine(PlainEngine):
    """The plain engine, with a sum over all processes between gradient and update.

    One vector is added up a step: the gradient, the outputs of the batch's rows, the loss, and whether a signal
    asks to stop; so all processes know of every row, and stop after the same step.
    """

    def __init__(
        self, context: StepContext, threads: ThreadChoice, use_threads: Callable[[int], None], group: Group
    ) -> None:
        super().__init__(context, threads, use_threads)
        self.group, self.own = group, group.share(len(context.X))

    def learn(self, rows: Array, moves: Array | None, keys: Array) -> tuple[float, Array]:
        """See `PlainEngine`; the loss and the gradient are those of the whole batch."""
        network = self.context.network
        p, units = len(network.theta), network.layers[-1]
        vector = np.zeros(p + len(rows) * units + 2, network.theta.dtype)
        problem = self._learn_own(rows, moves, keys, vector[:p], vector[p:-2].reshape(-1, units), vector[-2:])
        vector[-1] = received_signal() is not None
        self.group.add_up(vector)
        self._stop_together(bool(vector[-1]))
        loss = float(vector[-2])
        if not np.isfinite(loss):
            raise problem or NonFiniteError(f"the loss became {loss} by the rows of another process")
        network.parameters.gradient[:] = vector[:p]
        return loss, vector[p:-2].reshape(-1, units)

    def _learn_own(
        self, rows: Array, moves: Array | None, keys: Array, gradient: Array, outputs: Array, loss: Array
    ) -> NonFiniteError | None:
        """Fill in what this process's own rows of a batch give; an error goes to all, as a loss that is NaN."""
        context, network = self.context, self.context.network
        places = np.flatnonzero((rows >= self.own.start) & (rows < self.own.stop))
        if len(places) == 0:
            return None
        own = rows[places]
        cache = network.forward(context.batch(own, None if moves is None else moves[places]), keys, places)
        part = len(own) / len(rows) if network.loss.reduction == "mean" else 1.0
        try:
            loss[0] = part * float(network.backward(cache, *context.labels(own)))
        except NonFiniteError as error:
            loss[0] = np.nan
            return error
        np.multiply(network.parameters.gradient, gradient.dtype.type(part), out=gradient)
        outputs[places] = cache.outputs
        return None

    def _stop_together(self, asked: bool) -> None:
        """Stop where a signal has reached any of the processes; here it then counts as received, too."""
        if asked and not self.stopping:
            self.stopping = True
            if received_signal() is None:
                signal.raise_signal(signal.SIGINT)

    def stops(self, asked: bool) -> bool:
        """See `Engine`: a signal counts from the step on after which all processes know of it."""
        return self.stopping

    def store(self) -> None:
        """Make sure that all processes have the same theta; `GlassnetError` where they have not."""
        sums = np.zeros(self.group.size)
        sums[self.group.rank] = zlib.crc32(self.context.network.theta.data)
        self.group.add_up(sums)
        if len(set(sums.tolist())) > 1:
            raise GlassnetError("the processes of mpirun no longer have the same theta: use machines of one kind")
