"""Training many small networks of one kind in one call: `fit_many`."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from signal import Signals
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from glassnet.data.arrays import as_dataset, weights_of_training
from glassnet.data.dataset import Dataset
from glassnet.errors import GlassnetError, HealthWarning, UsageError
from glassnet.nn.network import Network
from glassnet.runtime.callers import warn_caller
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.runtime.terminal import tell
from glassnet.runtime.threads import available_cores, run_in_threads
from glassnet.training.components import Components
from glassnet.training.config import validate
from glassnet.training.continuing import note_training, warn_of_replay
from glassnet.training.fit import asked_of, describe_run, refuse_classes, refuse_numbers, resolve_options
from glassnet.training.options import TrainingConfig, takes_training_options
from glassnet.training.progress import NetworksProgress, telling_of_compiler
from glassnet.training.results import Interrupted, Run
from glassnet.training.trainer import Trainer

#: What `glassnet.fit` takes and this does not.
OF_ONE_RUN = ("callbacks", "run_dir", "continue_from")

#: Parameters times rows of an epoch from which on a second thread is worth its while: below, most of an epoch's
#: time is Python's, which threads take in turn.
WORTH_THREADS = 1e6

#: What networks of one kind have in common.
KIND = ("the layers", "the activation", "the loss", "output_scale", "the dtype", "batch_norm")

#: What ``run.stopped`` says of a network that has not been trained to its end; after an error it has nothing, too.
UNFINISHED = ("", "interrupted")


class Runs(list[Run]):
    """The runs of `fit_many`, in the order of the networks.

    Parameters
    ----------
    runs : sequence of Run, default ()
        What the list begins with.

    Attributes
    ----------
    errors : dict of int to GlassnetError
        What ended runs before their time, by their place in the list: a `DivergenceError` where the loss became
        NaN or infinite.

    Examples
    --------
    >>> runs = Runs()
    >>> len(runs), runs.errors
    (0, {})
    """

    def __init__(self, runs: Sequence[Run] = ()) -> None:
        super().__init__(runs)
        self.errors: dict[int, GlassnetError] = {}


class ManyInterrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM arrived; networks that were being trained finished their batch.

    Attributes
    ----------
    runs : Runs
        A run for each network. One that had ended is whole. One that was going on has ``stopped`` set to
        ``"interrupted"``. One that had not begun has no epochs.
    signal : signal.Signals
        The signal that arrived.
    """

    def __init__(self, runs: Runs, signal: Signals) -> None:
        done = sum(run.stopped not in UNFINISHED for run in runs)
        super().__init__(f"stopped with {done} of {len(runs)} networks trained")
        self.runs, self.signal = runs, signal

    def __reduce__(self) -> tuple[type[ManyInterrupted], tuple[Runs, Signals]]:
        """Pickle by the arguments."""
        return type(self), (self.runs, self.signal)


@takes_training_options
def fit_many(
    networks: Sequence[Network],
    data: Dataset | Sequence[Dataset] | tuple[ArrayLike, ArrayLike] | ArrayLike,
    y: Any = None,
    *,
    validation_data: Any = None,
    seed: int | Sequence[int] | None = None,
    sample_weight: Any = None,
    progress: bool = True,
    **options: Any,
) -> Runs:
    """Train networks of one kind, in place, each as `glassnet.fit` would train it alone.

    All of them run through one compiled program. Each has its own theta, gradient and optimizer memory there, and
    no Python runs between its steps. Threads take whole networks, so they never wait for each other. This pays for
    small networks, whose steps take less time than the Python around them.

    The parameters and the history of each network equal those of ``glassnet.fit(..., kernels="numba")``, bit for
    bit. Only the seconds differ, and the columns of the history that examine the network stay empty: the health
    of a run is examined when it is first asked for.

    Parameters
    ----------
    networks : sequence of Network
        They have the same layers, activations, loss and dtype. Initial parameters, seeds and dropout may differ.
    data : Dataset, sequence of Dataset, array_like, table, or pair (X, y)
        What they learn from, as `glassnet.fit` takes it; or a list with a data set for each network.
    y, validation_data, sample_weight
        See `glassnet.fit`. They belong to arrays, or to one data set that all networks learn from.
    seed : int or sequence of int, optional
        Decides the order of rows and the masks of dropout: one for all, or one for each network. Default: that of
        each network.
    progress : bool, default True
        Show on stderr how many networks have been trained.
    **options
        Those of `glassnet.fit`, without callbacks, run_dir and continue_from. Any option but `metrics` and
        `threads` may be a list with a value for each network: ``learning_rate=[0.1, 0.01]``. Optimizers have one
        rule. ``kernels="auto"`` compiles. `threads` is how many networks are trained at a time.

    Returns
    -------
    Runs
        A list with a `Run` for each network. Where the loss of a network became NaN or infinite, its run says so,
        ``errors`` holds the `DivergenceError` by the network's place, a warning names it, and the others go on.

    Raises
    ------
    UsageError, DataError
        If options, networks and data do not fit, or networks or optimizers are not of one kind; nothing has been
        changed then.
    ManyInterrupted
        After Ctrl-C or SIGTERM; it is a `KeyboardInterrupt` and carries the runs.

    Examples
    --------
    >>> from glassnet.data.registry import load_dataset
    >>> networks, rates = [Network([64, 16, 10], seed=seed) for seed in range(3)], [1e-3, 3e-3, 1e-2]
    >>> runs = fit_many(networks, load_dataset("digits"), learning_rate=rates, epochs=5, progress=False)
    >>> [run.history.last.validation_accuracy > 0.4 for run in runs]
    [True, True, True]
    """
    members = _check_networks(networks)
    datasets, weight = _take_data(members, data, y, validation_data, sample_weight, progress=progress)
    told = _spread({"seed": seed, **options}, len(members))
    asked = validate(TrainingConfig, {"threads": told[0].get("threads")}).threads
    plans = _plan(told)
    with telling_of_compiler(progress), contextlib.ExitStack() as held:
        trainers = []
        with _all_or_none(members):
            for network, own, one, (training, components) in zip(members, datasets, told, plans, strict=True):
                chosen = network.seed if one["seed"] is None else one["seed"]
                config = describe_run(network, own, training, chosen, weight)
                warn_of_replay(network, config, components)
                opened = Trainer.open(network, own, config, replace(components, quiet=True), sample_weight=weight)
                trainers.append(held.enter_context(opened))
        return _train(trainers, _count_threads(trainers, asked), progress=progress)


@contextlib.contextmanager
def _all_or_none(networks: Sequence[Network]) -> Iterator[None]:
    """Give networks their class names back where one of them is refused: others are ready to be trained then."""
    before = [(network.class_names, network.scaled_inputs) for network in networks]
    try:
        yield
    except GlassnetError:
        for network, (names, scaled) in zip(networks, before, strict=True):
            network.class_names, network.scaled_inputs = names, scaled
        raise


def _train(trainers: Sequence[Trainer], threads: int, *, progress: bool) -> Runs:
    """Train so many at a time, each to its end, and return their runs."""
    runs = Runs([trainer.run for trainer in trainers])

    def train(number: int) -> None:
        if interrupts.signal is not None:
            return
        try:
            with np.errstate(all="ignore"), contextlib.suppress(Interrupted):
                trainers[number].fit(progress=False, interrupts=interrupts)
        except GlassnetError as error:
            runs.errors[number] = error
        note_training(runs[number])
        shown.done(runs[number])

    with GracefulInterrupts() as interrupts, NetworksProgress(len(runs), enabled=progress) as shown:
        run_in_threads(train, len(runs), threads)
        if interrupts.signal is not None and any(run.stopped in UNFINISHED for run in runs):
            raise ManyInterrupted(runs, interrupts.signal)
    if runs.errors:
        number, error = min(runs.errors.items())
        count = f"; {len(runs.errors)} of {len(runs)} networks ended early, see errors" * (len(runs.errors) > 1)
        warn_caller(f"network {number + 1}: {error}{count}", HealthWarning)
    return runs


def _check_networks(networks: Any) -> list[Network]:
    """Return the networks, or refuse what are none, or not of one kind."""
    if isinstance(networks, Network) or not isinstance(networks, Iterable):
        raise UsageError("networks", f"expected a list of Networks, got {type(networks).__name__}; fit trains one")
    members = list(networks)
    if not members:
        raise UsageError("networks", "expected one Network or more, got none")
    for number, network in enumerate(members, start=1):
        if not isinstance(network, Network):
            raise UsageError("networks", f"expected Networks, and number {number} is a {type(network).__name__}")
        if (same := next(n for n, one in enumerate(members, start=1) if one is network)) < number:
            raise UsageError("networks", f"number {number} is number {same} again; give network.copy()")
        for what, first, this in zip(KIND, _kind_of(members[0]), _kind_of(network), strict=True):
            if first != this:
                raise UsageError(
                    "networks",
                    f"{what} of number {number} is {this}, and of the first {first}; train networks of another "
                    "kind in a call of their own",
                )
    return members


def _kind_of(network: Network) -> tuple[Any, ...]:
    """Return what networks of one kind have in common, in the order of `KIND`."""
    activations = ", ".join(activation.name for activation in network.activations)
    known = list(network.layers), activations, network.loss.spec, network.output_scale
    return *known, str(network.theta.dtype), list(network.batch_norm)


def _take_data(
    networks: list[Network], data: Any, y: Any, validation_data: Any, sample_weight: Any, *, progress: bool
) -> tuple[list[Dataset], Any]:
    """Return the data set of each network, and the weights of the rows of the one that all learn from."""
    several = isinstance(data, list | tuple) and len(data) > 0 and all(isinstance(one, Dataset) for one in data)
    if several:
        given = {"y": y, "validation_data": validation_data, "sample_weight": sample_weight}
        for name, value in given.items():
            if value is not None:
                raise UsageError(name, "belongs to one data set for all networks, and there is a list of them")
        if len(data) != len(networks):
            raise UsageError("data", f"{len(data)} data sets for {len(networks)} networks; give one for each")
        datasets = list(data)
    else:
        arrays, labels = not isinstance(data, Dataset), y
        if arrays and y is None and isinstance(data, tuple) and len(data) == 2:
            labels = data[1]
        known = 0 if arrays else len(data.remarks)
        one = as_dataset(data, y, validation_data, asked_of(networks[0]))
        if arrays:
            sample_weight = weights_of_training(one, labels, sample_weight)
        if progress:
            for remark in one.remarks[known:]:
                tell(remark)
        datasets = [one] * len(networks)
    for network, one in zip(networks, datasets, strict=True):
        refuse_numbers(network, one)
        refuse_classes(network, one)
    return datasets, sample_weight


def _spread(options: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Return the options of each network: a list has a value for each, anything else is for all."""
    each: list[dict[str, Any]] = [{} for _ in range(count)]
    for name, value in options.items():
        if name in OF_ONE_RUN:
            raise UsageError(name, "belongs to one run; train that network by glassnet.fit")
        if isinstance(value, np.ndarray) and value.ndim == 1:
            value = value.tolist()
        listed = isinstance(value, list | tuple) and name != "metrics"
        if listed and name == "threads":
            raise UsageError(name, "how many networks are trained at a time; give one number")
        if listed and len(value) != count:
            raise UsageError(name, f"{len(value)} values for {count} networks; give one for each, or one for all")
        for number, own in enumerate(each):
            own[name] = value[number] if listed else value
    return each


def _plan(told: Sequence[dict[str, Any]]) -> list[tuple[TrainingConfig, Components]]:
    """Return the options of each network's run, each with the threads that it has for itself."""
    plans: list[tuple[TrainingConfig, Components]] = []
    for own in told:
        options = {name: value for name, value in own.items() if name not in ("seed", "threads")}
        training, components = resolve_options(options, inspect.signature(fit_many).parameters)
        first = plans[0][1].optimizer if plans else components.optimizer
        if type(components.optimizer) is not type(first):
            raise UsageError(
                "optimizer",
                f"the rule of network {len(plans) + 1} is {components.optimizer.name}, and of the first "
                f"{first.name}; train networks with another rule in a call of their own",
            )
        kernels = "numpy" if training.kernels == "numpy" else "numba"
        plans.append((training.model_copy(update={"kernels": kernels, "threads": 1}), components))
    return plans


def _count_threads(trainers: Sequence[Trainer], asked: int | None) -> int:
    """Return how many networks are trained at a time. NumPy trains one: its threads are those of the process."""
    if any(trainer.training.kernels == "numpy" for trainer in trainers):
        return 1
    work = min(trainer.sampler.samples * len(trainer.run.network.theta) for trainer in trainers)
    return asked or (available_cores() if work >= WORTH_THREADS else 1)
