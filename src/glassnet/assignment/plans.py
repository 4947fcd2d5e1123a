"""What the assignment trains: its study, fitted to the data, and the plans that are trained at the end."""

from __future__ import annotations

import math
import tomllib
from typing import Any

from glassnet.data.dataset import Dataset
from glassnet.errors import DataError
from glassnet.reproductions.publication import load_published_study
from glassnet.study.design import Study, change_config
from glassnet.study.specification import study_of
from glassnet.training.config import RunConfig, load_plan, plan_names
from glassnet.training.options import DataConfig
from glassnet.training.run import choose_layers

#: Rows that a run of the study sees in all, about, and bounds on its epochs; an epoch has at most so many rows.
ROWS_SEEN, FEWEST_EPOCHS, MOST_EPOCHS, MOST_ROWS = 60_000, 2, 30, 20_000

#: Rows of a step where the training rows are few.
FEW_ROWS, SMALL_BATCH = 10_000, 32

#: The registered plan that is trained where there are several: the first of these.
PREFERRED = ("fast", "best")


def check_assignable(data: Dataset) -> None:
    """Refuse data that the assignment cannot be done on: rows that are no pictures, or have no class each."""
    if data.image_shape is None or data.n_classes is None:
        raise DataError(
            f"{data.name}: the assignment takes pictures with a class each, such as fashion-mnist, digits or "
            "bloodmnist; of other data, glassnet study and glassnet train make the parts"
        )


def fit_study(data: Dataset, source: str, seeds: int | None = None) -> Study:
    """Return the study that comes along, of these data: its networks get their inputs and outputs.

    `source` is the data's name or path. Few rows are seen more often, in smaller batches.
    """
    values: dict[str, Any] = tomllib.loads(load_published_study("assignment").text)
    first, last = data.n_inputs, choose_layers(RunConfig(data=DataConfig(dataset=source)), data)[-1]
    rows = len(data.train.y)
    seen = min(rows, MOST_ROWS)
    training = values["base"]["training"]
    training["samples_per_epoch"] = seen
    if rows < FEW_ROWS:
        training["batch_size"] = SMALL_BATCH
    values["base"]["data"]["dataset"] = source
    values["budget"]["epochs"] = min(max(math.ceil(ROWS_SEEN / seen), FEWEST_EPOCHS), MOST_EPOCHS)
    network = values["factors"]["network"]
    network["levels"] = [[first, *layers[1:-1], last] for layers in network["levels"]]
    values["base"]["network"]["layers"] = network["levels"][0]
    if seeds is not None:
        values["seeds"] = seeds
    return study_of(values)


def lengthen(config: RunConfig, epochs: int) -> RunConfig:
    """Return a variant's configuration for more epochs with all rows in each, and a rate that rises and falls."""
    longer = {"training.epochs": epochs, "training.schedule": "one_cycle"}
    rest = {"training.samples_per_epoch": None, "training.kernels": "auto"}
    return change_config(config, {**longer, **rest})


def registered_plan(dataset: str, name: str | None) -> tuple[str, RunConfig] | None:
    """Return a registered plan of a data set, with its name; None where there is none and none was asked for."""
    there = plan_names(dataset)
    name = name or next((one for one in PREFERRED if one in there), None)
    return None if name is None else (name, load_plan(dataset, name))
