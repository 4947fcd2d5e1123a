"""A network and an optimizer as one compiled program: the formulas' loops inside the step of training.

`glassnet.nn.backpropagation` and the optimizers are what a program computes; it is faster because each formula is
one loop without temporaries, because many steps run without Python, and because threads share the whole step, not
one product at a time (see `glassnet.compiled.steps`). A test holds both together.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from glassnet.compiled.arrangement import arrange, round_up
from glassnet.compiled.formulas import find_formulas
from glassnet.compiled.linking import link
from glassnet.compiled.records import Batches, Panel, Step
from glassnet.compiled.sources import STRIP, column_source, drop_source, row_source
from glassnet.compiled.tracing import UntraceableError, compute
from glassnet.nn.activations import Array
from glassnet.nn.dropout import mask_keys, threshold
from glassnet.nn.network import Network
from glassnet.nn.optimizers import OptimizerState
from glassnet.nn.update import Update
from glassnet.runtime.memory import aligned_zeros
from glassnet.runtime.products import DEPTH, LINE, PANEL

#: Rows that go through the layers at a time; the gradient of a larger batch is added up over such blocks.
BLOCK_ROWS = 1024

#: Bytes that all workers' copies of a batch may take.
MOST_BATCH = 2**30

#: Steps whose scalars are computed at a time, where their factor stays the same.
AHEAD = 512

#: Where images are taken as they are.
NO_MOVES = np.zeros((0, 7), np.int32)


def _start_pool(size: int) -> ThreadPoolExecutor:
    """Return a pool whose threads have all been started: workers wait for each other, so none may be missing."""
    pool = ThreadPoolExecutor(max(1, size), thread_name_prefix="glassnet")
    all_there = threading.Barrier(size + 1)
    try:
        for _ in range(size):
            pool.submit(all_there.wait)
    except RuntimeError as error:
        all_there.abort()
        raise UntraceableError(f"{size} more threads cannot be started: {error}") from None
    all_there.wait()
    return pool


class Program:
    """A network in training: `glassnet.compiled.steps` with its memory and its threads.

    X and targets, of shape (n, d_0) and (n, d_L), are all rows, from `Network.check_data`; ``weights`` of shape
    (n,) is what the loss of each row is multiplied by. The work of a step of ``batch_size`` rows is cut into
    ``shares``: the most threads that can be of use. ``image`` is the (height, width, channels) of the images that
    the rows are, where `take` is to move them. Not ``compiled``, the same text is run by Python, slowly, without
    Numba.

    Raises `UntraceableError` if a formula does what loops cannot be written for, or Numba cannot compile it.
    """

    def __init__(
        self,
        network: Network,
        update: Update,
        state: OptimizerState,
        X: Array,
        targets: Array,
        *,
        batch_size: int,
        shares: int,
        weights: Array | None = None,
        image: tuple[int, int, int] = (0, 0, 0),
        compiled: bool = True,
    ) -> None:
        self.network, self.update, self.state = network, update, state
        self.X = np.ascontiguousarray(X).reshape(len(X), -1)
        self.targets = np.ascontiguousarray(targets, network.theta.dtype)
        self.image = image
        self.batch_size, self.shares = batch_size, shares
        self.formulas = find_formulas(network, update)
        dtype = network.theta.dtype
        self.arrangement = arrange(network.parameters, shares, LINE // dtype.itemsize, PANEL // dtype.itemsize)
        self.step = self._make_step(np.ones(len(X), dtype) if weights is None else weights.astype(dtype))
        self._ahead: tuple[int, float, Array] = (0, np.nan, np.empty(0))
        self.load()
        self._pool = _start_pool(shares - 1)
        try:
            functions = link(self._sources(), dtype, compiled=compiled)
            self._take_steps = functions.pop("take_steps")
            self.step = self.step._replace(**functions)
            self.take(np.empty(0, np.intp), 1)
        except Exception as error:  # Numba has many
            reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
            raise UntraceableError(f"Numba cannot compile it: {reason}") from error

    def _sources(self) -> dict[str, Any]:
        """Return the functions that this network needs, by the names of a step's fields."""
        formulas, real, normalises = self.formulas, self.network.theta.dtype, any(self.network.batch_norm)
        kind = np.dtype(np.uint8 if self.X.dtype == bool else self.X.dtype)
        sources: dict[str, Any] = {"output_row": formulas.output_row, "update": formulas.update}
        for name, each in (("activate", formulas.activate), ("slope", formulas.slope)):
            sources[name] = [each[place] for place in formulas.kinds]
        columns = ["normalise", "normalise_back"] * normalises + ["shorten_columns"] * bool(self.update.max_norm)
        columns += ["square_columns"] * bool(self.update.clip_norm)
        if any(self.network.dropout):
            sources["drop_rows"] = drop_source(real)
        rows = ["copy_row"] + ["move_row"] * any(self.image)
        sources |= {name: column_source(name, real) for name in columns}
        return sources | {name: row_source(name, kind, real) for name in rows}

    def _make_step(self, weights: Array) -> Step:
        layers, dtype, shares = np.array(self.network.layers), self.network.theta.dtype, self.shares
        normalises, rates = np.array(self.network.parameters.batch_norm, np.int64), self.network.dropout
        # the statistics of a batch are those of all its rows
        rows = self.batch_size if normalises.any() else min(self.batch_size, BLOCK_ROWS)
        if normalises.any() and shares * rows * layers[0] * dtype.itemsize > MOST_BATCH:
            raise UntraceableError(f"batch normalisation over {rows} rows at once takes too much memory")
        here, line = self.arrangement, LINE // dtype.itemsize
        size, units = here.size, here.units
        # an odd number of lines from row to row: else many rows share a place in the cache
        h_row = np.array([(round_up(width, line) // line | 1) * line for width in layers[:-1]])
        h_first = np.cumsum([0, 0, *(rows * h_row[1:])])
        widest = round_up(int(layers.max()), line)
        return Step(
            layers=layers,
            panels=here.panels,
            first_panel=here.first_panel,
            output=here.output,
            room=here.room,
            z_output=rows * units,
            h_first=h_first[:-1],
            h_row=h_row,
            normalises=normalises,
            thresholds=np.array([threshold(rate) for rate in rates], np.uint32),
            factors=np.array([1 / (1 - rate) for rate in rates], dtype),
            shares=shares,
            workers=1,
            rows=rows,
            batch_size=self.batch_size,
            averaged=self.network.loss.reduction == "mean",
            output_scale=self.network.output_scale,
            X=self.X.ctypes.data,
            X_itemsize=self.X.itemsize,
            targets=self.targets.ctypes.data,
            weights=weights,
            input_scale=dtype.type(1 / 255 if self.X.dtype == np.uint8 else 1),
            image=np.array(self.image, np.int64),
            theta=aligned_zeros((size,), dtype),
            gradient=aligned_zeros((size,), dtype),
            memory=aligned_zeros((max(1, len(self.state.memory)), size), dtype),
            batch=aligned_zeros((shares, rows * h_row[0]), dtype),
            turned=aligned_zeros((shares, DEPTH * PANEL // dtype.itemsize), dtype),
            H=aligned_zeros((h_first[-1],), dtype),
            Z=aligned_zeros((rows * (units + here.room),), dtype),
            delta=aligned_zeros((rows * (units + here.room),), dtype),
            X_hat=aligned_zeros((rows * units if normalises.any() else 0,), dtype),
            statistics=aligned_zeros((3, units), dtype),
            clip_norm=float(self.update.clip_norm or 0),
            max_norm=dtype.type(self.update.max_norm or 0),
            strips=aligned_zeros((shares, STRIP * PANEL // dtype.itemsize), dtype),
            losses=aligned_zeros((rows,), dtype),
            norms=np.zeros(units + layers[-1]),
            scratch=aligned_zeros((shares, max(2, self.formulas.scratch_rows), widest), dtype),
            no_scalars=np.zeros(1, dtype),
            flags=np.zeros(8 * shares, np.int64),
            activate=np.zeros(0, np.intp),  # until they are linked
            slope=np.zeros(0, np.intp),
        )

    def take(
        self,
        rows: Array,
        workers: int,
        seed: int = 0,
        factors: Array | None = None,
        moves: Array | None = None,
    ) -> tuple[Array, Array]:
        """Train on rows of X, given by their numbers, a batch a step; the last one may be short.

        ``workers`` threads do it, from 1 to `shares`. ``seed`` is that of the masks of dropout. A schedule's
        ``factors`` multiply each step's size; ``moves``, int32 of shape (len(rows), 7), say how the image of each
        row is moved, see `glassnet.data.augmentation`.

        Return the loss of each step before it, fewer where one was not finite, and the outputs of shape
        (len(rows), d_L) that the network had for each row before its own step.
        """
        steps = -(-len(rows) // self.batch_size)
        losses = np.zeros(steps)
        outputs = np.empty((len(rows), self.targets.shape[1]), self.targets.dtype)
        if workers != self.step.workers:
            self.step = self.step._replace(workers=workers)
        step = self.step
        step.flags[:] = 0
        numbers = np.arange(self.state.t + 1, self.state.t + steps + 1)
        scalars = self._scalars(self.state.t + 1, np.ones(steps) if factors is None else factors)
        drops, layers = any(self.network.dropout), len(self.network.W)
        keys = mask_keys(seed, numbers, layers) if drops else np.zeros((steps, layers), np.uint32)
        batches = Batches(rows, NO_MOVES if moves is None else moves, scalars, keys, losses, outputs)
        others = [self._pool.submit(self._take_steps, step, batches, worker) for worker in range(1, workers)]
        taken = int(self._take_steps(step, batches, 0))
        for other in others:
            other.result()
        self.state.t += taken
        if self.network.loss.reduction == "mean":
            losses /= np.diff([*range(0, len(rows), self.batch_size), len(rows)])
        return losses[:taken], outputs

    def _scalars(self, first: int, factors: Array) -> Array:
        """Return what the rule's loop needs to know of the steps from the first on, each with its factor.

        Where the factor stays what it is, that of further steps is kept for the next call.
        """
        steps, factor = len(factors), factors[0] if len(factors) else 1.0
        if not (factors == factor).all():
            return self._compute_scalars(first + np.arange(steps), factors)
        start, known, scalars = self._ahead
        if known != factor or first < start or first + steps > start + len(scalars):
            numbers = first + np.arange(max(steps, AHEAD))
            start, scalars = first, self._compute_scalars(numbers, np.full(len(numbers), factor))
            self._ahead = start, factor, scalars
        return scalars[first - start : first - start + steps]

    def _compute_scalars(self, numbers: Array, factors: Array) -> Array:
        """Return the scalars of steps: for weights, and for the rest."""
        wanted, update = self.formulas.scalars, self.update
        scalars = np.empty((len(numbers), 2, max(1, len(wanted))), self.network.theta.dtype)
        places = (True, False) if update.l1 or update.l2 or update.weight_decay else (True,)
        for place, weights in enumerate(places):
            values = update.numbers(numbers.astype(np.float64), factors, weights=weights)
            known = compute(self.formulas.scalar_parts, values)
            for column, symbol in enumerate(wanted):
                scalars[:, place, column] = known[id(symbol)]
        if len(places) == 1:  # nothing is done to weights alone
            scalars[:, 1] = scalars[:, 0]
        return scalars

    def _share_statistics(self, *, read: bool) -> None:
        """Copy the running statistics of batch normalisation from the network, or back into it."""
        parameters, here = self.network.parameters, self.arrangement
        if not any(parameters.batch_norm):
            return
        for layer, first in enumerate(here.panels[here.first_panel[:-1], Panel._fields.index("unit")]):
            natural = parameters.mean[layer], parameters.variance[layer]
            for mine, theirs in zip(self.step.statistics, natural, strict=False):
                if theirs is not None:
                    part = mine[first : first + len(theirs)]
                    part[:], theirs[:] = (theirs, theirs) if read else (part, part)

    def load(self) -> None:
        """Read theta, the statistics and the optimizer's memory from where they belong."""
        self._share_statistics(read=True)
        self.step.theta[self.arrangement.places] = self.network.theta
        for mine, natural in zip(self.step.memory, self.state.memory, strict=False):
            mine[self.arrangement.places] = natural

    def store_theta(self) -> None:
        """Write theta and the statistics back to where they belong, and nothing else."""
        self._share_statistics(read=False)
        np.take(self.step.theta, self.arrangement.places, out=self.network.theta)

    def store(self) -> None:
        """Write theta, the statistics, the gradient and the optimizer's memory back to where they belong."""
        self.store_theta()
        np.take(self.step.gradient, self.arrangement.places, out=self.network.gradient)
        for natural, mine in zip(self.state.memory, self.step.memory, strict=False):
            np.take(mine, self.arrangement.places, out=natural)

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown()
