import gzip
import hashlib
import string
import zipfile
from pathlib import Path

import numpy as np
import pytest

from glassnet.data.mnist_family import FAMILIES
from glassnet.data.registry import DATASETS, load_dataset
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
        (TRAIN_LABELS, np.uint8([0, 0, 10, 0, 0, 255, 0, 0]), 8, "row 3: label 10 is outside the classes 0..9"),
        (TEST_LABELS, np.uint8([10, 1, 2]), 8, "row 1: label 10 is outside the classes 0..9"),
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


def test_kuzushiji_mnist_is_read_as_fashion_mnist_is_with_names_of_its_own(small_files):
    folder = small_files.rename(small_files.parent / "kmnist")
    data = load_dataset("kmnist", folder.parent, validation=2)
    fashion = load_dataset("fashion-mnist", folder, validation=2)
    assert data.name == "kmnist"
    assert data.class_names == ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
    for one, other in zip((data.train, data.validation), (fashion.train, fashion.validation), strict=True):
        np.testing.assert_array_equal(one.X, other.X)
        np.testing.assert_array_equal(one.y, other.y)
    assert set(data.checksums) == set(SOURCE.files)


EMNIST_CLASSES = {"byclass": 62, "balanced": 47, "bymerge": 47, "letters": 26, "digits": 10, "mnist": 10}
SPLITS_OF_EMNIST = pytest.mark.parametrize("split", EMNIST_CLASSES)


def put_emnist(folder, idx_bytes, split="letters", labels=(1, 26, 3), test_labels=(2, 1), leave_out="", **options):
    """Write a gzip.zip as NIST does, of random images; return these as they stand in the files."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    images = [rng.integers(0, 256, (len(y), 28, 28), np.uint8) for y in (labels, test_labels)]
    with zipfile.ZipFile(folder / "gzip.zip", "w", **options) as archive:
        archive.writestr("gzip/", b"")
        for part, X, y in zip(("train", "test"), images, (labels, test_labels), strict=True):
            for kind, array in (("images-idx3", X), ("labels-idx1", np.array(y, np.uint8))):
                name = f"gzip/emnist-{split}-{part}-{kind}-ubyte.gz"
                if name != leave_out:
                    archive.writestr(name, gzip.compress(idx_bytes(array)))
    return images


@SPLITS_OF_EMNIST
def test_every_split_of_emnist_has_its_classes(split):
    (family,) = (family for family in FAMILIES if family.name == f"emnist-{split}")
    names = family.class_names
    assert len(names) == len(set(names)) == EMNIST_CLASSES[split] == DATASETS[family.name].targets
    assert names[:10] == tuple(string.digits if split != "letters" else "abcdefghij")
    if split == "byclass":
        assert names == tuple(string.digits + string.ascii_uppercase + string.ascii_lowercase)
    if split in ("balanced", "bymerge"):  # the mapping files of NIST: 11 small letters differ from the large ones
        assert names == tuple(string.digits + string.ascii_uppercase + "abdefghnqrt")


@SPLITS_OF_EMNIST
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_emnist_is_read_from_its_archive_with_rows_and_columns_swapped_back(tmp_path, idx_bytes, split, method):
    first = int(split == "letters")
    labels = [first, first + EMNIST_CLASSES[split] - 1, first + 2]
    train, test = put_emnist(tmp_path / "emnist", idx_bytes, split, labels, compression=method)
    data = load_dataset(f"emnist-{split}", tmp_path, validation=0)
    np.testing.assert_array_equal(data.train.X.reshape(-1, 28, 28), train.transpose(0, 2, 1))
    np.testing.assert_array_equal(data.test.X.reshape(-1, 28, 28), test.transpose(0, 2, 1))
    assert data.train.X[0, 28] == train[0, 0, 1]
    assert data.encoded.train.y.tolist() == [0, EMNIST_CLASSES[split] - 1, 2]
    assert data.train.y.tolist() == labels
    assert data.train.y.dtype == data.train.X.dtype == np.uint8
    assert (data.name, data.n_classes) == (f"emnist-{split}", EMNIST_CLASSES[split])
    content = (tmp_path / "emnist" / "gzip.zip").read_bytes()
    assert data.checksums == {"gzip.zip": hashlib.md5(content).hexdigest()}


def test_letters_from_1_to_26_are_0_to_25_to_the_network(tmp_path, idx_bytes):
    put_emnist(tmp_path / "emnist", idx_bytes, labels=range(1, 27))
    data = load_dataset("emnist-letters", tmp_path, validation=0)
    assert data.train.y.tolist() == list(data.schema.target.classes) == list(range(1, 27))
    assert data.encoded.train.y.tolist() == list(range(26))
    assert "".join(data.class_names) == string.ascii_lowercase


@pytest.mark.parametrize("label", [0, 27, 255])
@pytest.mark.parametrize("part", ["labels", "test_labels"])
def test_a_letter_outside_the_alphabet_is_refused(tmp_path, idx_bytes, label, part):
    put_emnist(tmp_path / "emnist", idx_bytes, **{part: [1, label]})
    message = refusal("emnist-letters", tmp_path)
    assert message == f"{tmp_path}/emnist/gzip.zip: row 2: label {label} is outside the classes 1..26"


def refusal(name, home):
    with pytest.raises(FileError) as caught:
        load_dataset(name, home)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["images-idx3", "labels-idx1"])
@pytest.mark.parametrize("part", ["train", "test"])
def test_a_member_that_the_archive_lacks_is_named(tmp_path, idx_bytes, part, kind):
    missing = f"gzip/emnist-letters-{part}-{kind}-ubyte.gz"
    put_emnist(tmp_path / "emnist", idx_bytes, leave_out=missing)
    assert refusal("emnist-letters", tmp_path) == f"{tmp_path}/emnist/gzip.zip: holds no {missing}"
    assert "holds no gzip/emnist-mnist-train" in refusal("emnist-mnist", tmp_path)


@pytest.mark.parametrize("size", [0, 3, 1000, -30])
def test_a_damaged_archive_is_refused_by_name(tmp_path, idx_bytes, size):
    put_emnist(tmp_path / "emnist", idx_bytes)
    path = tmp_path / "emnist" / "gzip.zip"
    path.write_bytes(path.read_bytes()[:size])
    assert refusal("emnist-letters", tmp_path).startswith(f"{path}: is damaged or no zip archive")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_no_damaged_byte_of_an_archive_is_more_than_an_error_of_one_line(tmp_path, idx_bytes, method):
    put_emnist(tmp_path / "emnist", idx_bytes, compression=method)
    path = tmp_path / "emnist" / "gzip.zip"
    whole = path.read_bytes()
    good = load_dataset("emnist-letters", tmp_path)
    for place in np.random.default_rng(0).integers(0, len(whole), 150):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            data, said = load_dataset("emnist-letters", tmp_path), None
        except FileError as error:
            data, said = good, str(error)
        assert said is None or (said.startswith(f"{path}: ") and "\n" not in said)
        # Where it is read after all, the byte says nothing of the numbers, such as a time.
        np.testing.assert_array_equal(data.train.X, good.train.X)
        np.testing.assert_array_equal(data.test.y, good.test.y)


def put_qmnist(folder, idx_bytes, labels, test_labels):
    folder.mkdir(parents=True)
    for part, y in (("train", labels), ("test", test_labels)):
        images = np.full((len(y), 28, 28), len(y), np.uint8)
        images[:, 0, 1] = np.arange(len(y))
        (folder / f"qmnist-{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(images)))
        content = gzip.compress(idx_bytes(np.asarray(y).astype(">i4"), 0x0C))
        (folder / f"qmnist-{part}-labels-idx2-int.gz").write_bytes(content)


#: Class, series, writer, number, class in NIST, writer, two zeros.
QMNIST = np.array([[5, 0, 204, 5, 35, 51, 0, 0], [0, 0, 3331, 0, 30, 61, 0, 0], [9, 1, 300_000, 4, 39, 7, 0, 0]])


def test_qmnists_labels_are_the_first_of_eight_numbers(tmp_path, idx_bytes):
    put_qmnist(tmp_path / "qmnist", idx_bytes, QMNIST, QMNIST[1:])
    data = load_dataset("qmnist", tmp_path, validation=0)
    assert (data.train.y.tolist(), data.test.y.tolist()) == ([5, 0, 9], [0, 9])
    assert data.train.y.dtype == np.uint8
    assert data.train.X[:, 1].tolist() == [0, 1, 2]
    assert data.train.X[0, 0] == 3
    assert set(data.checksums) == set(DATASETS["qmnist"].source.files)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (QMNIST[:, :7], "holds int32 of shape (3, 7), expected one byte a label"),
        (QMNIST[:, 0], "holds int32 of shape (3,)"),
        (QMNIST + 1, "row 3: label 10 is outside the classes 0..9"),
        (QMNIST - 1, "row 2: label -1 is outside the classes 0..9"),
        (QMNIST + 256, "row 1: label 261 is outside the classes 0..9"),
    ],
)
def test_qmnists_labels_of_another_form_are_refused(tmp_path, idx_bytes, labels, said):
    put_qmnist(tmp_path / "qmnist", idx_bytes, labels, QMNIST)
    message = refusal("qmnist", tmp_path)
    assert message.startswith(f"{tmp_path}/qmnist/qmnist-train-labels-idx2-int.gz: {said}")


@pytest.mark.real_data
def test_the_real_mnist_is_the_published_one(fashion_mnist_home):
    if not (Path(fashion_mnist_home) / "mnist").is_dir():
        pytest.skip("needs MNIST in GLASSNET_DATA")
    data = load_dataset("mnist", fashion_mnist_home, validation=0)
    assert data.checksums == DATASETS["mnist"].source.files
    assert data.checksums["train-images-idx3-ubyte.gz"] == "f68b3c2dcbeaaa9fbdd348bbdeb94873"
    assert (data.train.X.shape, data.test.X.shape) == ((60_000, 784), (10_000, 784))
    assert data.train.y[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.test.y[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(data.test.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data.class_names == tuple("0123456789")
    # The mean and deviation of the training pixels that everybody uses.
    assert (data.train.X.mean() / 255).round(4) == 0.1307
    assert (data.train.X.std() / 255).round(4) == 0.3081


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
