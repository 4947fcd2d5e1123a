"""Going on with a run in memory: with the optimizer's memory, the schedule and the batches that were to come."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from glassnet.data.dataset import Dataset
from glassnet.data.schema import Schema
from glassnet.errors import DataError, UsageError
from glassnet.nn.network import Network
from glassnet.runtime.callers import warn_caller
from glassnet.training.callbacks import Callback, check_callbacks
from glassnet.training.components import Components
from glassnet.training.config import RunConfig, check_data, validate
from glassnet.training.history import History
from glassnet.training.options import TrainingConfig
from glassnet.training.results import Run
from glassnet.training.run_folder import RunFolder
from glassnet.training.train_state import SavedState, TrainState, check_state, copy_parameters
from glassnet.training.trainer import Trainer

#: What was trained last, and how: the seed, the checksums of the data, and the fingerprint of theta at the end.
_TRAINED: WeakKeyDictionary[Network, tuple[int, dict[str, str], str]] = WeakKeyDictionary()


@dataclass
class Memory:
    """What a run needs to go on from its end; `state` is what a checkpoint would hold, None before the end."""

    data: Dataset
    components: Components
    state: dict[str, Any] | None = None

    def keep(self, state: TrainState) -> None:
        """Keep the state of training, before the networks are given other parameters."""
        self.state = state.state_dict()
        for name in ("network", "average"):
            if (network := getattr(state, name)) is not None:
                theta, statistics = copy_parameters(network)
                self.state[name] = {**self.state[name], "theta": theta, "statistics": statistics}

    def go_on(self, run: Run, epochs: int | None, callbacks: Sequence[Callback], progress: bool) -> Run:
        """Go on with a run; see `continue_run`."""
        return continue_run(run, epochs=epochs, callbacks=callbacks, progress=progress)


@contextlib.contextmanager
def remembering(trainer: Trainer) -> Iterator[None]:
    """Have a run remember what it can go on from, and note how its network was trained."""
    run = trainer.run
    run.memory = Memory(trainer.data, trainer.components)
    try:
        yield
    finally:
        note_training(run)


def note_training(run: Run) -> None:
    """Note how a network was trained, for `warn_of_replay`."""
    _TRAINED[run.network] = (run.config.seed, run.config.checksums, run.network.fingerprint())


def warn_of_replay(network: Network, config: RunConfig, components: Components) -> None:
    """Warn where a network goes on from an end of training, and would be given the same batches again."""
    if components.optimizer.full_batch and not any(network.dropout):
        return
    if _TRAINED.get(network) == (config.seed, config.checksums, config.start):
        warn_caller(
            f"fit: the network was trained on these rows with the seed {config.seed} before, and gets the same "
            "batches again; go on by run.resume(epochs=...) or fit(..., continue_from=run), or give another seed"
        )


def continue_run(
    run: Run,
    *,
    network: Network | None = None,
    data: Dataset | None = None,
    epochs: int | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
) -> Run:
    """Go on with a run in memory, as `glassnet.resume` does from its folder, to the same result, bit for bit.

    `network` is the run's own, or one with the same parameters; `data` are those of the run; `epochs` counts all
    of them. A run that was saved is saved in its folder again. `UsageError` or `DataError` is raised if something
    does not fit; nothing has been changed then.
    """
    check_callbacks(callbacks)
    state = None if run.memory is None else run.memory.state
    if not isinstance(run.memory, Memory) or state is None:
        raise UsageError("run", f"there is nothing in memory to go on from{_explain(run)}")
    network = run.network if network is None else network
    if network is not run.network and (
        network.fingerprint() != run.network.fingerprint() or network.get_config() != run.network.get_config()
    ):
        raise UsageError("network", "is not that of the run; give run.network, or a copy of it")
    if data is not None:
        if run.config.checksums != data.checksums:
            raise DataError(
                "data: these are not the rows and labels that the run learned from; give those, or train by a "
                "fit of its own, without continue_from"
            )
        check_same_data(run.config, run.schema, data)
    data = run.memory.data if data is None else data
    saved, before = check_state(copy.deepcopy(state)), copy_parameters(network)
    config = lengthen(run.config, epochs, *count_epochs(saved))
    network.theta[:], network.parameters.statistics[:] = saved["network"]["theta"], saved["network"]["statistics"]
    held = contextlib.nullcontext() if run.folder is None else RunFolder(run.folder).hold()
    try:
        with (
            held,
            Trainer.open(
                network,
                data,
                config,
                run.memory.components,
                sample_weight=saved["sample_weight"],
                folder=run.folder,
                saved=saved,
            ) as trainer,
            remembering(trainer),
        ):
            return trainer.fit(callbacks, progress=progress)
    except (UsageError, DataError):
        network.theta[:], network.parameters.statistics[:] = before
        raise


def _explain(run: Run) -> str:
    """Say why a run remembers nothing."""
    if run.stopped == "non-finite":
        return ": its loss became NaN or infinite; train anew, for example with a smaller learning rate"
    where = "glassnet.resume(FOLDER, ...) goes on from a folder" if run.folder is None else ""
    where = where or f"glassnet.resume({str(run.folder)!r}) goes on from its folder"
    return f": it comes from another process, or has not ended; {where}"


def check_same_data(config: RunConfig, schema: Schema | None, data: Dataset) -> None:
    """Raise `DataError` if data are not those that a run learned from, split in the same way."""
    check_data(config, data)
    if (data.validation_size, data.split_seed) != (config.data.validation, config.data.split_seed):
        own = "the data's own" if config.data.validation is None else config.data.validation
        split = f"(validation: {own}, split_seed: {config.data.split_seed})"
        raise DataError(f"the data are split otherwise than the run's {split}")
    if schema != data.schema:
        raise DataError(
            "the data mean something else than the run's: other columns, classes or scaling; give those of the "
            "run, or train anew"
        )


def count_epochs(saved: SavedState) -> tuple[int, int]:
    """Return how many epochs of a saved state were finished, and how many begun."""
    done = len(History.from_csv(saved["history"]))
    return done, done + (saved["rows_done"] > 0)


def lengthen(config: RunConfig, epochs: int | None, done: int, begun: int) -> RunConfig:
    """Return the configuration of a run of so many epochs in all; `UsageError` if it has had more."""
    if epochs is not None:
        training = validate(TrainingConfig, config.training.model_dump() | {"epochs": epochs})
        config = config.model_copy(update={"training": training})
    if config.training.epochs < begun:
        raise UsageError("epochs", f"the run has had {done} epochs; ask for {begun} or more")
    return config
