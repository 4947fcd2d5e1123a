"""The data of a study's runs, what they cost, and whether they can be run at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from glassnet.data.dataset import Dataset
from glassnet.data.kept_reading import keep_in
from glassnet.errors import DataError, GlassnetError, UsageError
from glassnet.nn.network import Network
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.training.components import Components
from glassnet.training.config import RunConfig
from glassnet.training.options import DataConfig
from glassnet.training.run import build_network, load_data
from glassnet.training.sampling import Sampler
from glassnet.training.trainer import Trainer


class DataCache:
    """Loads the data of configurations, and keeps the data set that was used last.

    For another draw of its validation rows, its files are not read again. `data_dir` is the folder of the data
    sets, in place of the one that GLASSNET_DATA names.
    """

    def __init__(self, data_dir: str | Path | None = None) -> None:
        self.data_dir = data_dir
        self._last: tuple[DataConfig, Dataset] | None = None
        self._read: dict[str, Any] = {}

    def load(self, config: RunConfig) -> Dataset:
        """Return the data of a configuration; errors as `glassnet.training.run.load_data` raises them."""
        if self._last is None or self._last[0] != config.data:
            before = None if self._last is None else self._last[0].model_dump(exclude={"split_seed"})
            self._last = None  # two large sets at once may be too much
            if before != config.data.model_dump(exclude={"split_seed"}):
                self._read = {}
            with keep_in(self._read):
                self._last = config.data, load_data(config, self.data_dir)
        return self._last[1]


def build_sampler(config: RunConfig, data: Dataset) -> Sampler:
    """Return what draws the rows of a run; `UsageError` if the options do not fit the data."""
    return Sampler.of_run(config.training, OPTIMIZERS.resolve(config.training.optimizer), data)


def split_fingerprint(data: Dataset) -> str:
    """Return the SHA-256 of what decides which rows are for validation: the data, their number, and the draw."""
    drawn = data.split_seed if isinstance(data.validation_size, int) else None
    parts = [data.name, data.checksums, data.validation_size, drawn]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def flops_per_row(network: Network) -> int:
    """Return the floating point operations that learning one row takes in the matrix products.

    A layer of w weights takes 2 w forward (a product and a sum for each), 2 w for dW, and 2 w for what it passes
    back; the first layer passes nothing back. Activations, biases and the optimizer's own work are left out.
    """
    weights = [W.size for W in network.W]
    return 6 * sum(weights) - 2 * weights[0]


@contextlib.contextmanager
def prepare(config: RunConfig, data: Dataset) -> Iterator[Trainer]:
    """Give a trainer that is about to begin a configuration's run; nothing is saved."""
    with Trainer.open(build_network(config, data), data, config, Components.build(config.training)) as trainer:
        yield trainer


def check(name: str, config: RunConfig, data: Dataset, measure: str) -> None:
    """Refuse a variant that no run can be made of, or that does not measure what decides.

    The error names the variant, before hours are spent on the others.
    """
    try:
        plain = config.model_copy(
            update={"training": config.training.model_copy(update={"kernels": "numpy", "threads": 1})}
        )
        with warnings.catch_warnings(action="ignore"), prepare(plain, data):  # its run will say it again
            pass
    except UsageError as error:
        raise UsageError(error.name, f"{error.problem} (in {name!r})") from None
    except GlassnetError as error:
        raise DataError(f"{error} (in {name!r})") from None
    if measure.startswith("validation_") and len(data.validation.y) == 0:
        raise UsageError("measure", f"{measure}: there are no validation rows (in {name!r}); set some aside")
    if measure.endswith("_accuracy") and data.task == "regression":
        raise UsageError("measure", f"{measure} is for classes, and these are numbers; take validation_loss")
