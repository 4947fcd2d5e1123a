"""From a configuration to a trained network."""

from __future__ import annotations

from pathlib import Path

from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset
from glassnet.errors import DataError
from glassnet.nn.network import Network
from glassnet.training.config import RunConfig
from glassnet.training.loop import Run, fit


def run(
    config: RunConfig,
    *,
    data_dir: str | Path | None = None,
    run_dir: str | Path | None = None,
    progress: bool = True,
) -> tuple[Run, Dataset]:
    """Load the data, build the network and train it, all as a configuration says.

    Parameters
    ----------
    config : RunConfig
        The same configuration gives the same theta, bit for bit, on the same machine.
    data_dir : str or Path, optional
        Where the data are; see `glassnet.load_dataset`.
    run_dir, progress
        See `glassnet.fit`.

    Returns
    -------
    Run, Dataset
        What came of it, and the data, for a last look at the test rows.

    Raises
    ------
    DataError
        If the configuration holds checksums and a file has another one.
    """
    data = load_dataset(
        config.data.dataset, data_dir, validation=config.data.validation, split_seed=config.data.split_seed
    )
    for file, checksum in config.checksums.items():
        if data.checksums.get(file, checksum) != checksum:
            raise DataError(
                f"{file}: is not the file that this configuration was made with (md5 {checksum}); "
                "remove it from [checksums] to train on it all the same"
            )
    network = Network(**config.network.model_dump(), seed=config.seed)
    finished = fit(
        network, data, **config.training.model_dump(), seed=config.seed, run_dir=run_dir, progress=progress
    )
    return finished, data
