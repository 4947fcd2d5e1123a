"""``glassnet demo``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from glassnet.cli.output import DataDirOption, JsonOption

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset

#: Epochs for each data set: at most about ten seconds on two cores.
EPOCHS = {"fashion-mnist": 10, "digits": 60}


def demo(data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Train a network on Fashion-MNIST, or on the digits that come along where that cannot be had.

    \b
    Examples:
      glassnet demo
      GLASSNET_DATA=~/data glassnet demo
    """
    from glassnet.cli.training import Manner, train_and_tell
    from glassnet.training.config import configure

    data = _data_at_hand(data_dir)
    config = configure({"data": {"dataset": data.name}, "training": {"epochs": EPOCHS[data.name]}})
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
