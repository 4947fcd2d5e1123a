"""Which plan a training starts from: one that was named, one for the data at hand, or none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.errors import UsageError, unknown_name

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset
    from glassnet.training.config import RunConfig

#: Options of training that say how much of a plan is done, and not what it is.
NOT_OF_A_PLAN = ("epochs", "kernels", "threads", "metrics", "checkpoint_every")


def take_plan_file(config: Path | None, plan: str | None) -> tuple[Path | None, str | None]:
    """Return configuration and plan, where the file of a plan is a configuration."""
    if plan is None or not plan.endswith(".toml"):
        return config, plan
    if config is not None:
        raise UsageError("config", "is a configuration, and so is the file of --plan; leave one of the two out")
    return Path(plan), None


def choose_plan(
    changes: dict[str, Any], config: Path | None, plan: str | None, data_dir: Path | None
) -> tuple[RunConfig, str, Dataset | None]:
    """Return the configuration that the options amount to, what is to be said of it before training, and the data.

    The data are None until they are needed: only a plan for tables has to know them.
    """
    from glassnet.training.config import configure, load_plan, plan_names
    from glassnet.training.table_plan import TABLE_PLANS

    if config is not None and plan not in (None, "none"):
        raise UsageError("plan", "is a configuration, and so is --config; leave one of the two out")
    dataset = changes["data"].get("dataset")
    if config is not None or dataset is None or plan == "none":
        return configure(changes, config), "", None
    if plan in TABLE_PLANS:
        return _fit_table_plan(changes, plan, data_dir)
    if plan is not None:
        if _is_table(dataset):
            raise unknown_name("plan", plan, (*TABLE_PLANS, "none"))
        return configure(changes, load_plan(dataset, plan)), "", None
    described = changes["network"].keys() | changes["training"].keys() - {*NOT_OF_A_PLAN}
    if described or changes["data"].keys() & {"scaling", "pieces"}:
        return configure(changes), "", None
    if "best" in plan_names(dataset):
        remark = f"training by the plan 'best' for {dataset}; --plan none takes the defaults"
        return configure(changes, load_plan(dataset, "best")), remark, None
    return configure(changes), "", None


def _is_table(dataset: str) -> bool:
    """Whether a name is that of a table's file."""
    from glassnet.data.table import is_table

    return is_table(dataset) and Path(dataset).is_file()


def _fit_table_plan(changes: dict[str, Any], name: Any, data_dir: Path | None) -> tuple[RunConfig, str, Dataset]:
    """Read the data as a plan for tables has them read, and fit the plan to them."""
    from glassnet.training.run import load_data
    from glassnet.training.table_plan import load_table_plan

    plan = load_table_plan(name)
    try:
        data = load_data(plan.read_by(changes["data"]["dataset"], changes), data_dir)
    except UsageError as error:
        if error.name == "pieces" and "pieces" not in changes["data"]:
            raise UsageError("plan", f"{name!r} is for tables of numbers and texts; leave it out") from None
        raise
    config = plan.fit_to(data, changes)
    epochs = config.training.epochs
    return config, f"the plan {name!r} for these rows: {epochs} epoch{'s' if epochs > 1 else ''}", data
