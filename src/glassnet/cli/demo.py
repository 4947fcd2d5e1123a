"""``glassnet demo``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from glassnet.cli.output import DataDirOption, JsonOption

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset

#: Of digits: less than a second on two cores.
EPOCHS = 60


def demo(data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Train a network on Fashion-MNIST by the fast plan, or on digits where it cannot be had.

    \b
    Examples:
      glassnet demo
      GLASSNET_DATA=~/data glassnet demo
    """
    from glassnet.cli.training import Manner, train_and_tell
    from glassnet.training.config import configure
    from glassnet.training.plans import load_plan

    data = _data_at_hand(data_dir)
    if data.name == "fashion-mnist":
        config = load_plan(data.name, "fast")
    else:
        config = configure({"data": {"dataset": data.name}, "training": {"epochs": EPOCHS}})
    run = train_and_tell(config, Manner(as_json=as_json), data=data)
    if not as_json:
        typer.echo(f"\nNext:  glassnet evaluate {run.folder}")
        typer.echo(f"       glassnet data show {data.name}")
        typer.echo("       glassnet train --help")


def _data_at_hand(data_dir: DataDirOption) -> Dataset:
    """Load Fashion-MNIST, or digits where it is neither here nor to be downloaded, and say so."""
    from glassnet.data.registry import load_dataset
    from glassnet.errors import DataError

    try:
        return load_dataset("fashion-mnist", data_dir)
    except DataError as error:
        typer.echo(f"{error}.\nGoing on with digits, which come with scikit-learn.", err=True)
        return load_dataset("digits")
