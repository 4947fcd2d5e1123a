"""The learning-rate range test: which learning rate to train with, found in one short sweep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from glassnet.charts.painting import Plots
from glassnet.charts.range_test_chart import RangeTestChart
from glassnet.data.arrays import as_dataset
from glassnet.data.dataset import Dataset
from glassnet.data.large import release
from glassnet.errors import DataError, NonFiniteError, UsageError
from glassnet.locales.catalogue import Message, Words
from glassnet.nn.activations import Array
from glassnet.nn.dropout import mask_keys
from glassnet.nn.network import Network
from glassnet.nn.optimizers import LBFGS, OPTIMIZERS, Optimizer
from glassnet.runtime.blas import blas_threads
from glassnet.runtime.seeds import stream
from glassnet.training.config import validate
from glassnet.training.options import TrainingConfig
from glassnet.training.sampling import Sampler

#: Weight of what was before in the smoothed loss.
MEMORY = 0.9

#: The sweep ends where the smoothed loss is this many times its best.
BLOWN_UP = 4.0

#: Share of the way from the loss at the start down to its lowest at which the pick is made.
FALLEN = 0.8

#: Share of the loss at the start that a fall must have, to be one.
LEAST_FALL = 0.05

#: Steps without which there is nothing to see.
FEWEST_STEPS = 20


@dataclass(frozen=True, repr=False)
class RangeTest(Plots):
    """What a sweep of learning rates found.

    `plot` draws the loss against the learning rate, with the pick marked.

    Attributes
    ----------
    optimizer : str
        Specification of the optimizer that was swept.
    learning_rates : ndarray of float64, shape (n,)
        The learning rate of each step; they rise by the same factor.
    losses : ndarray of float64, shape (n,)
        The mean loss of the rows of each step's batch before the step.
    smoothed : ndarray of float64, shape (n,)
        The losses, smoothed by `smooth`.
    pick : float
        The learning rate to train with.
    highest_stable : float
        The learning rate where the smoothed loss is lowest: beyond it, the loss rises. It bounds the peak of a
        cycle.
    reason : Message
        Why this learning rate was picked.
    """

    optimizer: str
    learning_rates: Array
    losses: Array
    smoothed: Array
    pick: float
    highest_stable: float
    reason: Message

    def chart(self, words: Words) -> RangeTestChart:
        """Return the loss against the learning rate as a chart."""
        found = (self.optimizer, self.learning_rates, self.losses, self.smoothed, self.pick, self.highest_stable)
        return RangeTestChart(*found, words)

    def __repr__(self) -> str:
        found = f"pick={self.pick:.3g}, highest_stable={self.highest_stable:.3g}"
        return f"RangeTest({found}, optimizer={self.optimizer!r})"

    def __str__(self) -> str:
        """Return the pick, and why."""
        return f"learning rate {self.pick:.3g}: {self.reason}"


def find_learning_rate(
    network: Network,
    data: Any,
    *,
    optimizer: str | Optimizer = "adam",
    batch_size: int | None = None,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 200,
    seed: int | None = None,
) -> RangeTest:
    """Sweep the learning rate upwards, a step of training each, and pick the one at which the loss falls well.

    After Smith 2017, section 3.3; that the learning rates rise by a factor, the smoothed loss and the end at four
    times its best are Gugger's (fastai). The pick: where the smoothed loss has come 80 % of its way down, from the
    median of the sweep's first tenth to its lowest. The steepest point, more usual, jumps with the noise of the
    batches. With as many steps as the default the pick suits a training of a few epochs.

    Parameters
    ----------
    network : Network
        Where the sweep starts; a copy is trained, the network is left as it is.
    data : Dataset, or pair (X, y)
        Only the training rows are used; see `glassnet.fit`.
    optimizer : str or Optimizer, default "adam"
        Its own learning rate does not matter.
    batch_size : int, optional
        Rows of a step; see `glassnet.fit`.
    lowest, highest : float, default 1e-6 and 10
        The first learning rate, and the last one if the sweep comes so far.
    steps : int, default 200
        Learning rates to try, 20 or more. Fewer give a higher pick, as there is less time to learn at each.
    seed : int, optional
        Decides the batches, those that `glassnet.fit` would take; by default the network's own seed.

    Returns
    -------
    RangeTest

    Raises
    ------
    UsageError
        If an option cannot be used.
    DataError
        If the network does not fit the data, or the loss does not fall at any learning rate.

    Examples
    --------
    >>> from glassnet.data.registry import load_dataset
    >>> found = find_learning_rate(Network([64, 32, 10]), load_dataset("digits"), optimizer="adam")
    >>> 0.003 < found.pick < 0.1
    True
    """
    data, rule = as_dataset(data), OPTIMIZERS.resolve(optimizer)
    if isinstance(rule, LBFGS):
        raise UsageError("optimizer", "lbfgs has no learning rate to find: its line search decides")
    _check_range(lowest, highest, steps)
    copy = network.copy()
    copy.class_names = data.class_names
    learning_rates = np.geomspace(lowest, highest, steps)
    with blas_threads() as use_threads, np.errstate(all="ignore"):  # every loss is checked instead
        use_threads(1)  # the bits of the result would depend on their number
        losses = _sweep(copy, data, rule, learning_rates, batch_size, network.seed if seed is None else seed)
    return _pick_rate(rule, learning_rates, losses)


def _check_range(lowest: float, highest: float, steps: int) -> None:
    for name, value in (("lowest", lowest), ("highest", highest)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < np.inf:
            raise UsageError(name, f"must be a learning rate > 0, got {value!r}")
    if lowest >= highest:
        raise UsageError("highest", f"must be more than lowest, which is {lowest:g}, got {highest:g}")
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < FEWEST_STEPS:
        raise UsageError("steps", f"must be a whole number, {FEWEST_STEPS} or more, got {steps!r}")


def _sweep(
    network: Network, data: Dataset, optimizer: Optimizer, learning_rates: Array, batch_size: int | None, seed: int
) -> list[float]:
    """Train with each learning rate for a step; return the losses until they blow up."""
    X, targets = network.check_data(*data.encoded.train)
    sampler = Sampler.of_run(validate(TrainingConfig, {"batch_size": batch_size}), optimizer, data)
    state = optimizer.start(network.theta, network.parameters)
    keys = mask_keys(seed, np.arange(1, len(learning_rates) + 1), len(network.W))
    batches = _draw_batches(sampler, stream(seed, "shuffling"))
    average = _Average()
    losses: list[float] = []
    best = np.inf
    for learning_rate, key, rows in zip(learning_rates, keys, batches, strict=False):
        try:
            cache = network.forward(network.input_batch(X[rows]), key)
            loss = float(network.backward(cache, targets[rows]))
            loss /= len(rows) if network.loss.reduction == "sum" else 1  # the last batch may have fewer
        except NonFiniteError:
            break
        release(X)
        losses.append(loss)
        smoothed = average.add(loss)
        best = min(best, smoothed)
        if smoothed > best + (BLOWN_UP - 1) * abs(best):
            break
        rule = replace(optimizer, learning_rate=float(learning_rate))
        rule.observe(cache, state)
        rule.step(network.theta, network.gradient, state)
    return losses


def _draw_batches(sampler: Sampler, rng: np.random.Generator) -> Iterator[Array]:
    """Yield the rows of one batch after the other, epoch after epoch."""
    while True:
        order = sampler.order(rng)
        for first in range(0, len(order), sampler.batch_size):
            yield order[first : first + sampler.batch_size]


class _Average:
    """The exponential average of what was added, without a bias towards the 0 it starts from."""

    def __init__(self) -> None:
        self.value, self.count = 0.0, 0

    def add(self, value: float) -> float:
        self.count += 1
        self.value = MEMORY * self.value + (1 - MEMORY) * value
        return self.value / (1 - MEMORY**self.count)


def smooth(losses: list[float]) -> Array:
    """Return s_t / (1 - m^t) for s_t = m s_(t-1) + (1 - m) loss_t with m = 0.9 and s_0 = 0.

    The correction is Adam's (Kingma and Ba 2015, section 3): without it the first values would be too small.

    Examples
    --------
    >>> smooth([2.0, 2.0, 0.1]).round(3)
    array([2.   , 2.   , 1.299])
    """
    average = _Average()
    return np.array([average.add(loss) for loss in losses])


def _pick_rate(optimizer: Optimizer, learning_rates: Array, losses: list[float]) -> RangeTest:
    """Pick a learning rate, or raise `DataError` where the loss did not fall."""
    lowest, highest = learning_rates[0], learning_rates[-1]
    smoothed = smooth(losses)
    tenth = len(learning_rates) // 10
    if len(losses) <= tenth:
        latest = learning_rates[max(len(losses) - 1, 0)]
        raise DataError(
            f"learning rates: the loss blew up at {latest:.2g} already, near the lowest; "
            f"begin lower than {lowest:g}"
        )
    before = float(np.median(smoothed[:tenth]))
    bottom = int(smoothed.argmin())
    fall = before - smoothed[bottom]
    if fall <= LEAST_FALL * abs(before) or bottom < tenth:
        raise DataError(
            f"learning rates: the loss, {before:.3g} at first, fell at none from {lowest:.2g} to {highest:.2g}; "
            "widen the range, scale the inputs, or take a network that is not trained yet"
        )
    pick = int(np.flatnonzero(smoothed <= before - FALLEN * fall)[0])
    reason = Message(
        "rate_because",
        rate=float(learning_rates[pick]),
        share=FALLEN,
        before=before,
        lowest=float(smoothed[bottom]),
        at=float(learning_rates[bottom]),
    )
    return RangeTest(
        optimizer.spec,
        learning_rates[: len(losses)],
        np.array(losses),
        smoothed,
        float(learning_rates[pick]),
        float(learning_rates[bottom]),
        reason,
    )
