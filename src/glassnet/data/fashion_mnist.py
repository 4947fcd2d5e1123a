"""Fashion-MNIST: 70,000 pictures of clothing, 28 x 28 grey pixels, ten classes (Xiao, Rasul and Vollgraf 2017)."""

from __future__ import annotations

from pathlib import Path

from glassnet.data.dataset import Dataset
from glassnet.data.idx import read_idx
from glassnet.data.sources import Source, md5
from glassnet.errors import FileError
from glassnet.nn.activations import Array

#: Address and checksums from the README of github.com/zalandoresearch/fashion-mnist.
SOURCE = Source(
    "fashion-mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    {
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    },
)

CLASS_NAMES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)


def load(data_dir: str | Path | None, validation: float, split_seed: int) -> Dataset:
    """Read the four files, wherever `Source.locate` finds them."""
    paths = SOURCE.locate(data_dir)
    train = _read_pair(paths["train-images-idx3-ubyte.gz"], paths["train-labels-idx1-ubyte.gz"])
    test = _read_pair(paths["t10k-images-idx3-ubyte.gz"], paths["t10k-labels-idx1-ubyte.gz"])
    return Dataset.from_arrays(
        *train,
        *test,
        name=SOURCE.name,
        class_names=CLASS_NAMES,
        image_shape=(28, 28),
        checksums={path.name: md5(path) for path in paths.values()},
        validation=validation,
        split_seed=split_seed,
    )


def _read_pair(image_path: Path, label_path: Path) -> tuple[Array, Array]:
    """Read images as (n, 784) and their labels, checked against each other and the classes."""
    images, labels = read_idx(image_path), read_idx(label_path)
    if images.ndim != 3 or images.shape[1:] != (28, 28) or images.dtype != "uint8":
        raise FileError(image_path, f"holds {images.dtype} of shape {images.shape}, expected bytes, n x 28 x 28")
    if labels.ndim != 1 or labels.dtype != "uint8":
        raise FileError(label_path, f"holds {labels.dtype} of shape {labels.shape}, expected one byte a label")
    if len(images) != len(labels):
        raise FileError(label_path, f"holds {len(labels)} labels, but {image_path.name} has {len(images)} images")
    if len(labels) == 0:
        raise FileError(label_path, "holds no labels")
    if labels.max() >= len(CLASS_NAMES):
        row = int((labels >= len(CLASS_NAMES)).argmax())
        raise FileError(label_path, f"row {row}: label {labels[row]} is outside the classes 0..9")
    return images.reshape(len(images), -1), labels
