"""MNIST and the sets in its format: 28 x 28 grey pixels, labels apart, in IDX files.

MNIST (LeCun, Bottou, Bengio and Haffner 1998), Fashion-MNIST (Xiao, Rasul and Vollgraf 2017), Kuzushiji-MNIST
(Clanuwat et al. 2018), EMNIST (Cohen, Afshar, Tapson and van Schaik 2017), QMNIST (Yadav and Bottou 2019).
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glassnet.data.dataset import Dataset
from glassnet.data.idx import read_idx
from glassnet.data.sources import Source, md5
from glassnet.errors import FileError
from glassnet.nn.activations import Array

DIGITS = tuple(string.digits)

#: EMNIST's letters whose two forms are one class where the case is merged.
MERGED = frozenset("cijklmopsuvwxyz")


@dataclass(frozen=True)
class Family:
    """A set of the family.

    Parameters
    ----------
    name : str
        What glassnet calls it.
    title, licence : str
        Its full name, and the terms of its use.
    source : Source
        Where the files come from.
    files : tuple of str
        Training images, training labels, test images, test labels; within an archive where the source is one.
    class_names : tuple of str
        In label order.
    first_label : int
        The label of the first class.
    transposed : bool
        Whether rows and columns of the images are swapped in the files.
    """

    name: str
    title: str
    licence: str
    source: Source
    files: tuple[str, str, str, str]
    class_names: tuple[str, ...]
    first_label: int = 0
    transposed: bool = False

    def load(self, data_dir: str | Path | None, validation: float | None, split_seed: int) -> Dataset:
        """Read the four files, wherever `Source.locate` finds them."""
        paths = self.source.locate(data_dir)
        train, test = (self._read_pair(paths, *self.files[k : k + 2]) for k in (0, 2))
        return Dataset.from_arrays(
            *train,
            *test,
            name=self.name,
            class_names=self.class_names,
            image_shape=(28, 28),
            checksums={path.name: md5(path) for path in paths.values()},
            validation=validation,
            split_seed=split_seed,
            overwrite_X=True,
        )

    def _read_pair(self, paths: dict[str, Path], image_file: str, label_file: str) -> tuple[Array, Array]:
        """Read images as (n, 784) and their labels, checked against each other and the classes."""
        (image_path, images), (label_path, labels) = (self._read(paths, file) for file in (image_file, label_file))
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
                label_path, f"row {row}: label {labels[row]} is outside the classes {self.first_label}..{last}"
            )
        if self.transposed:
            images = images.transpose(0, 2, 1)
        return images.reshape(len(images), -1), (labels - self.first_label).astype("uint8")

    def _read(self, paths: dict[str, Path], file: str) -> tuple[Path, Array]:
        """Read a file of its own, or one in the archive that is the source's only file."""
        if file in paths:
            return paths[file], read_idx(paths[file])
        archive = next(iter(paths.values()))
        return archive, read_idx(archive, member=file)


def _source(name: str, url: str, checksums: Sequence[str], train: str = "train", test: str = "t10k") -> Source:
    names = (f"{split}-{kind}-ubyte.gz" for split in (train, test) for kind in ("images-idx3", "labels-idx1"))
    return Source(name, url, dict(zip(names, checksums, strict=True)))


def _family(
    name: str, title: str, licence: str, url: str, checksums: Sequence[str], class_names: Sequence[str]
) -> Family:
    source = _source(name, url, checksums)
    first, second, third, fourth = source.files
    return Family(name, title, licence, source, (first, second, third, fourth), tuple(class_names))


def _emnist(split: str, class_names: Sequence[str], first_label: int = 0) -> Family:
    stem = f"gzip/emnist-{split}"
    files = (
        f"{stem}-train-images-idx3-ubyte.gz",
        f"{stem}-train-labels-idx1-ubyte.gz",
        f"{stem}-test-images-idx3-ubyte.gz",
        f"{stem}-test-labels-idx1-ubyte.gz",
    )
    title = f"EMNIST, split {split}: handwritten characters"
    return Family(f"emnist-{split}", title, "public domain", EMNIST, files, tuple(class_names), first_label, True)


#: Address and checksum as torchvision has them.
EMNIST = Source(
    "emnist", "https://biometrics.nist.gov/cs_links/EMNIST/", {"gzip.zip": "58c8d27c78d21e728a6bc7b3cc06412e"}
)
QMNIST = Source(
    "qmnist",
    "https://raw.githubusercontent.com/facebookresearch/qmnist/master/",
    {
        "qmnist-train-images-idx3-ubyte.gz": "ed72d4157d28c017586c42bc6afe6370",
        "qmnist-train-labels-idx2-int.gz": "0058f8dd561b90ffdd0f734c6a30e5e4",
        "qmnist-test-images-idx3-ubyte.gz": "1394631089c404de565df7b7aeaf9412",
        "qmnist-test-labels-idx2-int.gz": "5b5b05890a5e13444e108efe57b788aa",
    },
)

_MERGED_CLASSES = sorted(set(string.digits + string.ascii_letters) - MERGED)

FAMILIES: tuple[Family, ...] = (
    _family(
        "fashion-mnist",
        "Fashion-MNIST: clothing",
        "MIT",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        (
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
        (
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
    ),
    _family(
        "mnist",
        "MNIST: handwritten digits",
        "CC BY-SA 3.0",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        (
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "d53e105ee54ea40749a09fcbcd1e9432",
            "9fb629c4189551a2d022fa330f9573f3",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
        DIGITS,
    ),
    _family(
        "kmnist",
        "Kuzushiji-MNIST: cursive Japanese characters",
        "CC BY-SA 4.0",
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        (
            "bdb82020997e1d708af4cf47b453dcf7",
            "e144d726b3acfaa3e44228e80efcd344",
            "5c965bf0a639b31b8f53240b1b52f4d7",
            "7320c461ea6c1c855c0b718fb2a4b134",
        ),
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    ),
    _emnist("balanced", _MERGED_CLASSES),
    _emnist("byclass", string.digits + string.ascii_uppercase + string.ascii_lowercase),
    _emnist("bymerge", _MERGED_CLASSES),
    _emnist("digits", DIGITS),
    _emnist("letters", string.ascii_lowercase, first_label=1),
    _emnist("mnist", DIGITS),
    Family(
        "qmnist",
        "QMNIST: MNIST with all 60,000 test digits",
        "BSD 3-Clause",
        QMNIST,
        (
            "qmnist-train-images-idx3-ubyte.gz",
            "qmnist-train-labels-idx2-int.gz",
            "qmnist-test-images-idx3-ubyte.gz",
            "qmnist-test-labels-idx2-int.gz",
        ),
        DIGITS,
    ),
)
