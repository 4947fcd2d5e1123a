import gzip
import hashlib

import numpy as np
import pytest

from glassnet.data.mnist_family import FAMILIES
from glassnet.data.registry import load_dataset
from glassnet.errors import FileError

FASHION = FAMILIES[0]
CLASS_NAMES, SOURCE = FASHION.class_names, FASHION.source
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FASHION.files


def test_small_files_become_the_splits(small_files):
    data = load_dataset("fashion-mnist", small_files.parent, validation=0)
    assert data.name == "fashion-mnist"
    assert data.train.X.dtype == np.uint8
    np.testing.assert_array_equal(data.train.X, np.arange(8 * 784).astype(np.uint8).reshape(8, 784))
    assert data.train.y.tolist() == [3, 1, 2, 3, 0, 9, 9, 1]
    assert data.test.X.shape == (3, 784)
    assert (data.test.X == 7).all()
    assert data.test.y.tolist() == [5, 0, 9]
    assert data.class_names == CLASS_NAMES
    assert data.image_shape == (28, 28)
    for name in SOURCE.files:
        assert data.checksums[name] == hashlib.md5((small_files / name).read_bytes()).hexdigest()


def test_raw_files_hold_the_same_and_are_named_in_the_checksums(small_files):
    packed = load_dataset("fashion-mnist", small_files)
    for path in list(small_files.iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    raw = load_dataset("fashion-mnist", small_files)
    np.testing.assert_array_equal(raw.train.X, packed.train.X)
    np.testing.assert_array_equal(raw.test.y, packed.test.y)
    assert set(raw.checksums) == {name.removesuffix(".gz") for name in SOURCE.files}


def test_validation_and_split_seed_are_handed_on(small_files):
    data = load_dataset("fashion-mnist", small_files, validation=3, split_seed=5)
    assert (len(data.validation.y), data.validation_size, data.split_seed) == (3, 3, 5)


IMAGES = np.zeros((8, 28, 28), np.uint8)
LABELS = np.zeros(8, np.uint8)


@pytest.mark.parametrize(
    ("name", "array", "code", "said"),
    [
        (TRAIN_LABELS, np.uint8([0, 0, 10, 0, 0, 255, 0, 0]), 8, "row 2: label 10 is outside the classes 0..9"),
        (TEST_LABELS, np.uint8([10, 1, 2]), 8, "row 0: label 10 is outside the classes 0..9"),
        (TRAIN_IMAGES, IMAGES[:, :27], 8, "holds uint8 of shape (8, 27, 28), expected bytes, n x 28 x 28"),
        (TRAIN_IMAGES, IMAGES[:, :, :27], 8, "holds uint8 of shape (8, 28, 27)"),
        (TEST_IMAGES, IMAGES.reshape(8, 784), 8, "holds uint8 of shape (8, 784)"),
        (TRAIN_IMAGES, IMAGES.view(np.int8), 9, "holds int8 of shape (8, 28, 28)"),
        (TRAIN_LABELS, LABELS[:, None], 8, "holds uint8 of shape (8, 1), expected one byte a label"),
        (TRAIN_LABELS, LABELS.astype(">i4"), 12, "holds int32 of shape (8,), expected one byte a label"),
        (TRAIN_LABELS, LABELS[:7], 8, f"holds 7 labels, but {TRAIN_IMAGES} has 8 images"),
        (TEST_LABELS, LABELS[:4], 8, f"holds 4 labels, but {TEST_IMAGES} has 3 images"),
    ],
)
def test_files_that_contradict_each_other_are_refused_by_name(small_files, idx_bytes, name, array, code, said):
    (small_files / name).write_bytes(idx_bytes(array, code))
    with pytest.raises(FileError) as caught:
        load_dataset("fashion-mnist", small_files)
    assert str(caught.value).startswith(f"{small_files / name}: {said}")
    assert "\n" not in str(caught.value)


def test_files_without_rows_are_refused(small_files, idx_bytes):
    (small_files / TRAIN_IMAGES).write_bytes(idx_bytes(IMAGES[:0]))
    (small_files / TRAIN_LABELS).write_bytes(idx_bytes(LABELS[:0]))
    with pytest.raises(FileError, match="holds no labels"):
        load_dataset("fashion-mnist", small_files)


@pytest.mark.parametrize("name", SOURCE.files)
def test_each_damaged_file_is_refused_by_name(small_files, name):
    whole = (small_files / name).read_bytes()
    (small_files / name).write_bytes(whole[:-3])
    with pytest.raises(FileError, match="ends in the middle of the gzip data") as caught:
        load_dataset("fashion-mnist", small_files)
    assert str(caught.value).startswith(f"{small_files / name}: ")


@pytest.mark.real_data
def test_the_real_files_are_the_published_ones(fashion_mnist):
    assert fashion_mnist.checksums == {
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    }
    assert fashion_mnist.checksums == SOURCE.files


@pytest.mark.real_data
def test_the_real_splits_have_the_right_shapes_and_names(fashion_mnist):
    assert [split.X.shape for split in (fashion_mnist.train, fashion_mnist.validation, fashion_mnist.test)] == [
        (55_000, 784),
        (5_000, 784),
        (10_000, 784),
    ]
    for split in (fashion_mnist.train, fashion_mnist.validation, fashion_mnist.test):
        assert split.X.dtype == split.y.dtype == np.uint8
    assert fashion_mnist.class_names == (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )
    assert fashion_mnist.test.y[:5].tolist() == [9, 2, 1, 1, 6]
    # 6,000 of each class: the splits hold them in proportion, to within one row.
    assert np.abs(np.bincount(fashion_mnist.validation.y) - 500).max() <= 1
    assert np.bincount(fashion_mnist.test.y).tolist() == [1000] * 10


@pytest.mark.real_data
def test_without_validation_the_real_rows_keep_the_files_order(fashion_mnist_home, fashion_mnist):
    data = load_dataset("fashion-mnist", fashion_mnist_home, validation=0)
    assert data.train.X.shape == (60_000, 784)
    assert data.train.y[:5].tolist() == [9, 0, 0, 3, 0]
    # Image 1 is a T-shirt: symmetric, dark in the middle. Turned or shifted pixels would not be.
    shirt = data.train.X[1].reshape(28, 28).astype(float)
    assert np.corrcoef(shirt.ravel(), shirt[:, ::-1].ravel())[0, 1] > 0.7
    assert shirt[10:20, 10:18].mean() > 150 > 20 > shirt[10:20, :3].mean()
    assert len(data.validation.y) == 0
    # Training and validation rows together are the file's, each once.
    together = np.concatenate([fashion_mnist.train.X, fashion_mnist.validation.X])
    digests = [sorted(hashlib.md5(row).digest() for row in rows) for rows in (together, data.train.X)]
    assert digests[0] == digests[1]


@pytest.mark.real_data
def test_split_seed_changes_the_real_validation_rows_only(fashion_mnist_home, fashion_mnist):
    other = load_dataset("fashion-mnist", fashion_mnist_home, split_seed=1)
    np.testing.assert_array_equal(other.test.X, fashion_mnist.test.X)
    assert other.validation.X.shape == fashion_mnist.validation.X.shape
    assert (other.validation.X != fashion_mnist.validation.X).any()
