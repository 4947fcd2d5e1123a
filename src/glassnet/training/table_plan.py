"""Plans for tables: one recipe, fitted to the columns and the rows of any table.

A plan for a data set that is known by name is a configuration (`glassnet.training.config.load_plan`). A table is
not known beforehand. So its plan names the hidden layers only, and how many steps are worth taking: batch size
and epochs follow from the number of training rows.
"""

from __future__ import annotations

import importlib.resources
import math
import tomllib
from collections.abc import Mapping
from typing import Any, Literal, get_args

from glassnet.data.dataset import Dataset
from glassnet.errors import unknown_name
from glassnet.training.config import RunConfig, configure, validate
from glassnet.training.options import Section
from glassnet.training.run import choose_layers

TablePlanName = Literal["table", "table-small"]
TABLE_PLANS: tuple[TablePlanName, ...] = get_args(TablePlanName)

#: A batch is about this share of the training rows, within the bounds.
BATCH_SHARE = 1 / 50
SMALLEST_BATCH, LARGEST_BATCH = 32, 256


class TablePlan(Section):
    """How the network of a table is built and trained, whatever its columns and rows.

    Attributes
    ----------
    hidden : list of int
        Units of the hidden layers.
    steps : int
        Steps of training that are worth taking. They are fewer where they would be more than `most_epochs`, and
        more where they would be fewer than `fewest_epochs`.
    fewest_epochs, most_epochs : int
        Bounds of the passes over the training rows.
    data, network, training : dict
        Options, as a configuration has them.

    Examples
    --------
    >>> plan = load_table_plan("table")
    >>> plan.fit_length(rows=150), plan.fit_length(rows=1_000_000)[0]
    ((100, 32), 8)
    """

    hidden: list[int]
    steps: int
    fewest_epochs: int
    most_epochs: int
    data: dict[str, Any]
    network: dict[str, Any]
    training: dict[str, Any]

    def fit_length(self, rows: int) -> tuple[int, int]:
        """Return epochs and batch size for so many training rows.

        The batch size is the power of two nearest to a fiftieth of the rows, from 32 to 256; all rows where they
        are fewer.
        """
        nearest = 2 ** round(math.log2(max(1.0, rows * BATCH_SHARE)))
        batch_size = min(max(nearest, SMALLEST_BATCH), LARGEST_BATCH, rows)
        epochs = round(self.steps / math.ceil(rows / batch_size))
        return min(max(epochs, self.fewest_epochs), self.most_epochs), batch_size

    def read_by(self, dataset: str, changes: Mapping[str, Any]) -> RunConfig:
        """Return a configuration that says how the plan and the user's changes have the data read."""
        return configure({"data": {**self.data, "dataset": dataset, **changes.get("data", {})}})

    def fit_to(self, data: Dataset, changes: Mapping[str, Any] | None = None) -> RunConfig:
        """Return the configuration for a table, which `glassnet.run` trains by.

        Parameters
        ----------
        data : Dataset
            As the plan has it read: with its scaling and its pieces.
        changes : dict, optional
            What is to be otherwise: options by section, as in ``{"seed": 1, "training": {"epochs": 5}}``.

        Raises
        ------
        UsageError
            If a change is none of an option.
        """
        epochs, batch_size = self.fit_length(len(data.train.y))
        changes = dict(changes or {})
        start = self.read_by(data.name, changes)
        network = {"layers": choose_layers(start, data, self.hidden), **self.network}
        training = {"epochs": epochs, "batch_size": batch_size, **self.training}
        if data.task == "regression":  # a plan for all tables may say it
            training.pop("label_smoothing", None)
        return configure(changes, configure({"network": network, "training": training}, start))


def load_table_plan(name: str = "table") -> TablePlan:
    """Return a plan for tables.

    Parameters
    ----------
    name : str, default "table"
        ``"table"`` for accuracy, ``"table-small"`` for time.

    Returns
    -------
    TablePlan
        The plan; `TablePlan.fit_to` fits it to a table.

    Raises
    ------
    UsageError
        If there is no such plan.

    Examples
    --------
    >>> load_table_plan().hidden
    [256, 256, 256]
    """
    if name not in TABLE_PLANS:
        raise unknown_name("plan", name, TABLE_PLANS)
    file = importlib.resources.files("glassnet.training").joinpath("table_plans", f"{name}.toml")
    return validate(TablePlan, tomllib.loads(file.read_text(encoding="utf-8")))
