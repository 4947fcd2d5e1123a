"""MedMNIST v2: eighteen biomedical sets of images, in two and in three dimensions (Yang et al. 2023).

Names, tasks, labels, addresses, checksums and published figures stand in ``medmnist.json`` beside this module.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.arrays import join_splits
from glassnet.data.dataset import Dataset
from glassnet.data.schema import Schema, describe_targets
from glassnet.data.sources import Source, md5
from glassnet.data.splits import Split
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
    """One of the sets, in one size.

    Its name is ``"breastmnist"``, and with other sizes than 28 ``"breastmnist_64"``, as its authors name the
    files. The `labels` are what the classes, or the columns of a multi-label set, are called. `published` are the
    test figures, AUC and ACC by method; there are none for the sets in three dimensions.
    """

    name: str
    title: str
    licence: str
    task: str
    labels: tuple[str, ...]
    image_shape: tuple[int, ...]
    source: Source
    published: dict[str, dict[str, float]]

    @property
    def targets(self) -> int:
        """Number of classes, or of labels."""
        return len(self.labels)

    def load(self, data_dir: str | Path | None, validation: float | None, split_seed: int) -> Dataset:
        """Read the set's one file; its own validation rows are kept unless others are asked for."""
        from glassnet.data.numpy_files import read_npz

        (path,) = self.source.locate(data_dir).values()
        arrays = read_npz(path, [f"{split}_{kind}" for split in SPLITS for kind in ("images", "labels")])
        train, official, test = (self._read_split(path, arrays, split) for split in SPLITS)
        rows, _ = ArraySchema.learn(train.X, self.image_shape)
        return join_splits(
            train,
            official,
            test,
            validation=validation,
            split_seed=split_seed,
            name=self.name,
            schema=Schema(rows, describe_targets(self.task, self.labels)),
            checksums={path.name: md5(path)},
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


@cache
def read_descriptions() -> dict[str, Any]:
    """Return what ``medmnist.json`` says."""
    text = (resources.files("glassnet.data") / "medmnist.json").read_text(encoding="utf-8")
    facts: dict[str, Any] = json.loads(text)
    return facts


def list_sets() -> Iterator[MedMNIST]:
    """Yield every set in every size: its edges have 28, 64, 128 or 224 pixels."""
    rows = read_descriptions()["published"]["rows"]
    for flag, facts in read_descriptions()["sets"].items():
        published = {method: figures[flag] for method, figures in rows.items() if flag in figures}
        labels = tuple(facts["labels"][str(k)] for k in range(len(facts["labels"])))
        for size, file in facts["files"].items():
            edges = [size] * (3 if flag.endswith("3d") else 2)
            shape = (*map(int, edges), *([3] if facts["n_channels"] == 3 else []))
            folder, _, rest = file["url"].rpartition("/")
            name, _, query = rest.partition("?")
            yield MedMNIST(
                flag if size == "28" else f"{flag}_{size}",
                f"{facts['class_name']}: {' x '.join(edges)} pixels",
                facts["license"],
                TASK_NAMES[facts["task"]],
                labels,
                shape,
                Source(
                    "medmnist",
                    f"{folder}/",
                    {name: file["md5"]},
                    query=f"?{query}" if query else "",
                    most=_most_bytes(sum(facts["n_samples"].values()), shape, labels),
                ),
                published,
            )


def _most_bytes(rows: int, shape: tuple[int, ...], labels: tuple[str, ...]) -> int:
    """Return what a file may have at most: bytes of the pixels, int64 labels, and what an archive adds."""
    return (1 << 20) + int(1.01 * rows * (math.prod(shape) + 8 * len(labels)))
