"""MNIST and the sets in its format: 28 x 28 grey pixels, labels apart, in IDX files.

MNIST (LeCun, Bottou, Bengio and Haffner 1998), Fashion-MNIST (Xiao, Rasul and Vollgraf 2017), Kuzushiji-MNIST
(Clanuwat et al. 2018), EMNIST (Cohen, Afshar, Tapson and van Schaik 2017), QMNIST (Yadav and Bottou 2019). Their
names, classes, addresses and checksums stand in ``mnist_family.toml`` beside this module.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import ClassVar

from glassnet.data.array_schema import ArraySchema
from glassnet.data.dataset import Dataset
from glassnet.data.idx import read_idx
from glassnet.data.kept_reading import kept
from glassnet.data.schema import Schema, describe_targets
from glassnet.data.sources import Source, md5
from glassnet.errors import FileError
from glassnet.nn.activations import Array


@dataclass(frozen=True)
class Family:
    """A set of the family.

    `files` are training images, training labels, test images and test labels, within an archive where the source
    is one. `first_label` is the label of the first class. `transposed` tells whether rows and columns of the
    images are swapped in the files.
    """

    name: str
    title: str
    licence: str
    source: Source
    files: tuple[str, ...]
    class_names: tuple[str, ...]
    first_label: int = 0
    transposed: bool = False
    task: ClassVar = "multi-class"
    published: ClassVar[dict[str, dict[str, float]]] = {}

    @property
    def targets(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    def load(self, data_dir: str | Path | None, validation: float | None, split_seed: int) -> Dataset:
        """Read the four files, wherever `Source.locate` finds them."""
        paths = self.source.locate(data_dir)
        checksums = {path: kept(md5)(path) for path in paths.values()}
        train, test = (self._read_pair(paths, checksums, *self.files[k : k + 2]) for k in (0, 2))
        return Dataset.from_arrays(
            *train,
            *test,
            name=self.name,
            schema=Schema(
                replace(ArraySchema.learn(train[0], (28, 28))[0], swapped=self.transposed),
                describe_targets(self.task, self.class_names, self.first_label),
            ),
            checksums={path.name: checksum for path, checksum in checksums.items()},
            validation=validation,
            split_seed=split_seed,
            overwrite_X=True,
        )

    def _read_pair(
        self, paths: dict[str, Path], checksums: dict[Path, str], image_file: str, label_file: str
    ) -> tuple[Array, Array]:
        """Read images as (n, 784) and their labels, checked against each other and the classes."""
        (image_path, images), (label_path, labels) = (
            self._read(paths, checksums, file) for file in (image_file, label_file)
        )
        if images.ndim != 3 or images.shape[1:] != (28, 28) or images.dtype != "uint8":
            raise FileError(
                image_path, f"holds {images.dtype} of shape {images.shape}, expected bytes, n x 28 x 28"
            )
        if labels.ndim == 2 and labels.shape[1] == 8 and labels.dtype == "int32":  # QMNIST: the class, then whence
            labels = labels[:, 0]
        elif labels.ndim != 1 or labels.dtype != "uint8":
            raise FileError(label_path, f"holds {labels.dtype} of shape {labels.shape}, expected one byte a label")
        if len(images) != len(labels):
            raise FileError(
                label_path, f"holds {len(labels)} labels, but {image_path.name} has {len(images)} images"
            )
        if len(labels) == 0:
            raise FileError(label_path, "holds no labels")
        last = self.first_label + len(self.class_names) - 1
        outside = (labels < self.first_label) | (labels > last)
        if outside.any():
            row = int(outside.argmax())
            raise FileError(
                label_path, f"row {row + 1}: label {labels[row]} is outside the classes {self.first_label}..{last}"
            )
        if self.transposed:
            images = images.transpose(0, 2, 1)
        return images.reshape(len(images), -1), labels.astype("uint8")

    def _read(self, paths: dict[str, Path], checksums: dict[Path, str], file: str) -> tuple[Path, Array]:
        """Read a file of its own, or one in the archive that is the source's only file."""
        path = paths.get(file) or next(iter(paths.values()))
        return path, read_idx(path, None if file in paths else file, checksums[path])


def _read_sets() -> Iterator[Family]:
    text = (resources.files("glassnet.data") / "mnist_family.toml").read_text(encoding="utf-8")
    for entry in tomllib.loads(text)["sets"]:
        source = Source(**entry.pop("source"))
        files, classes = tuple(entry.pop("files", source.files)), tuple(entry.pop("class_names"))
        yield Family(source=source, files=files, class_names=classes, **entry)


FAMILIES = tuple(_read_sets())
