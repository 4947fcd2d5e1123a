"""MedMNIST v2: eighteen biomedical sets of images, in two and in three dimensions (Yang et al. 2023).

Names, tasks, labels, addresses, checksums and published figures stand in ``medmnist.json`` beside this module.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.dataset import Dataset, Split, join_splits
from glassnet.data.sources import Source, md5
from glassnet.errors import FileError
from glassnet.nn.activations import Array

SPLITS = ("train", "val", "test")

#: What the sets' own descriptions call a task, and what glassnet does.
TASK_NAMES = {
    "multi-class": "multi-class",
    "binary-class": "binary",
    "multi-label, binary-class": "multi-label",
    "ordinal-regression": "ordinal",
}


@dataclass(frozen=True)
class MedMNIST:
    """One of the sets, in one size: its edges have 28, 64, 128 or 224 pixels.

    Its name is ``"breastmnist"``, and with other sizes than 28 ``"breastmnist_64"``, as its authors name the
    files; the flag is the name without the size.
    """

    name: str
    flag: str
    size: int

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of the set."""
        facts: dict[str, Any] = read_descriptions()["sets"][self.flag]
        return facts

    @property
    def title(self) -> str:
        """Name and size."""
        cube = " x ".join([str(self.size)] * (3 if self.flag.endswith("3d") else 2))
        return f"{self.facts['class_name']}: {cube} pixels"

    @property
    def licence(self) -> str:
        """The terms of its use."""
        return str(self.facts["license"])

    @property
    def task(self) -> str:
        """One of `glassnet.data.dataset.TASKS`."""
        return TASK_NAMES[self.facts["task"]]

    @property
    def labels(self) -> tuple[str, ...]:
        """What the classes, or the columns of a multi-label set, are called."""
        return tuple(self.facts["labels"][str(k)] for k in range(len(self.facts["labels"])))

    @property
    def targets(self) -> int:
        """Number of classes, or of labels."""
        return len(self.labels)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Of an image."""
        edges = (self.size,) * (3 if self.flag.endswith("3d") else 2)
        return edges if self.facts["n_channels"] == 1 else (*edges, 3)

    @property
    def source(self) -> Source:
        """Where the file comes from."""
        file = self.facts["files"][str(self.size)]
        folder, _, rest = file["url"].rpartition("/")
        name, _, query = rest.partition("?")
        return Source("medmnist", f"{folder}/", {name: file["md5"]}, query=f"?{query}" if query else "")

    def load(self, data_dir: str | Path | None, validation: float | None, split_seed: int) -> Dataset:
        """Read the set's one file; its own validation rows are kept unless others are asked for."""
        from glassnet.data.numpy_files import read_npz

        (path,) = self.source.locate(data_dir).values()
        arrays = read_npz(path, [f"{split}_{kind}" for split in SPLITS for kind in ("images", "labels")])
        train, official, test = (self._read_split(path, arrays, split) for split in SPLITS)
        several = self.task == "multi-label"
        return join_splits(
            train,
            official,
            test,
            validation=validation,
            split_seed=split_seed,
            name=self.name,
            class_names=None if several else self.labels,
            image_shape=self.image_shape,
            checksums={path.name: md5(path)},
            task=self.task,
            target_names=self.labels if several else None,
        )

    def _read_split(self, path: Path, arrays: dict[str, Array], split: str) -> Split:
        images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
        if images.dtype != np.uint8 or images.shape[1:] != self.image_shape:
            shape = " x ".join(map(str, self.image_shape))
            raise FileError(
                path, f"{split}_images holds {images.dtype} of shape {images.shape}, expected bytes, n x {shape}"
            )
        columns = len(self.labels) if self.task == "multi-label" else 1
        if labels.dtype.kind not in "iu" or labels.shape != (len(images), columns):
            raise FileError(
                path,
                f"{split}_labels holds {labels.dtype} of shape {labels.shape}, expected whole numbers, "
                f"{len(images)} x {columns}",
            )
        highest = 1 if columns > 1 else len(self.labels) - 1
        if labels.size and not 0 <= labels.min() <= labels.max() <= highest:
            wrong = labels.min() if labels.min() < 0 else labels.max()
            raise FileError(path, f"{split}_labels holds {wrong}, outside 0..{highest}")
        return Split(images.reshape(len(images), -1), labels if columns > 1 else labels[:, 0])

    @property
    def published(self) -> dict[str, dict[str, float]]:
        """The published test figures, AUC and ACC by method; none for the sets in three dimensions."""
        rows = read_descriptions()["published"]["rows"]
        return {method: figures[self.flag] for method, figures in rows.items() if self.flag in figures}


@cache
def read_descriptions() -> dict[str, Any]:
    """Return what ``medmnist.json`` says."""
    text = (resources.files("glassnet.data") / "medmnist.json").read_text(encoding="utf-8")
    facts: dict[str, Any] = json.loads(text)
    return facts


def list_sets() -> list[MedMNIST]:
    """Return every set in every size."""
    return [
        MedMNIST(flag if size == "28" else f"{flag}_{size}", flag, int(size))
        for flag, facts in read_descriptions()["sets"].items()
        for size in facts["files"]
    ]
