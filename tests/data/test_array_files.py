import gzip
import hashlib
import os

import numpy as np
import pytest

from glassnet.data.array_files import holds_idx_pairs, is_array_name, read_array_file, require_labels
from glassnet.data.read_options import ReadOptions
from glassnet.errors import FileError, UsageError

X = np.arange(12.0).reshape(6, 2)
Y = np.array([1, 2, 3, 1, 2, 3])
PIXELS = np.arange(6 * 12, dtype=np.uint8).reshape(6, 4, 3)


def saved(folder, **arrays):
    np.savez(folder / "mine.npz", **arrays)
    return folder / "mine.npz"


def refused(error, path, options=None):
    with pytest.raises(error) as caught:
        require_labels(path, read_array_file(path, options or ReadOptions()))
    message = str(caught.value)
    assert "\n" not in message
    return message


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("y", [Y, Y[:, None], Y / 2, Y > 1, np.array(list("abcabc")), np.array([b"a"] * 6)])
def test_an_npz_file_is_read_as_it_is_written(tmp_path, y):
    path = saved(tmp_path, features=X, targets=y)
    read = read_array_file(str(path))
    assert list(read.splits) == [""]
    rows, labels = read.splits[""]
    assert (rows.tolist(), labels.tolist(), labels.dtype) == (X.tolist(), y.tolist(), y.dtype)
    assert (read.class_names, read.remarks, read.checksums) == (None, (), {"mine.npz": md5(path)})
    assert require_labels(path, read)[""][1] is labels


def test_splits_come_by_name_and_the_caller_draws_the_rest(tmp_path):
    path = saved(tmp_path, X_test=X[4:], y_test=Y[4:], X_train=X[:4], y_train=Y[:4])
    read = read_array_file(path)
    assert list(read.splits) == ["train", "test"]
    assert read.splits["test"][0].tolist() == X[4:].tolist()
    assert read.splits["train"][1].tolist() == Y[:4].tolist()


def test_what_is_not_used_is_said_and_may_be_anything(tmp_path):
    objects = np.array([{}, {}], object)
    read = read_array_file(saved(tmp_path, X=X, y=Y, weights=Y, notes=objects))
    assert read.remarks == ("left out, neither rows nor labels: weights, notes",)


NAMES = {
    "places": (Y - 1, ["a", "b", "c"], True),
    "places that do not all occur": (Y - 1, ["a", "b", "c", "d"], True),
    "as many as classes": (10 * Y, ["a", "b", "c"], True),
    "bytes": (Y, [b"a", b"b", b"c"], True),
    "words": (np.array(list("abcabc")), ["c", "b", "a"], True),
    "one-hot": (np.eye(3)[Y - 1], ["a", "b", "c"], True),
    "too few": (Y, ["a", "b"], False),
    "too many": (10 * Y, ["a", "b", "c", "d"], False),
    "other words": (np.array(list("abcabc")), ["x", "y", "z"], False),
    "too few columns": (np.eye(3)[Y - 1], ["a", "b"], False),
    "twice the same": (Y, ["a", "a", "b"], False),
    "numbers": (Y, [1, 2, 3], False),
    "a table": (Y, [["a", "b", "c"]], False),
}


@pytest.mark.parametrize(("y", "names", "taken"), NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("key", ["class_names", "target_names"])
def test_names_of_classes_are_taken_when_there_is_one_for_each(tmp_path, y, names, taken, key):
    read = read_array_file(saved(tmp_path, X=X, y=y, **{key: np.array(names)}))
    expected = tuple(name.decode() if isinstance(name, bytes) else name for name in names)
    assert read.class_names == (expected if taken else None)
    assert read.remarks == (() if taken else (f"left out, neither rows nor labels: {key}",))


def test_objects_are_refused_with_the_remedy(tmp_path):
    path = saved(tmp_path, X=X, y=np.array(list("abcabc"), object))
    message = refused(FileError, path)
    assert "the member 'y.npy' holds pickled Python objects, which are never read" in message
    assert "y.astype(str)" in message


def test_rows_are_no_text(tmp_path):
    path = saved(tmp_path, X=X.astype(str), y=Y)
    assert "'X.npy' holds values of type <U32, expected whole numbers" in refused(FileError, path)


def test_text_that_holds_no_characters_is_refused(tmp_path):
    broken = np.array([0x110000] * 6, np.uint32).view("<U1")
    for array in (broken, broken.byteswap().view(">U1"), np.array([0xD800] * 6, np.uint32).view("<U1")):
        path = saved(tmp_path, X=X, y=array)
        assert "'y.npy' holds text with codes that stand for no character" in refused(FileError, path)
        np.save(tmp_path / "X.npy", X)
        np.save(tmp_path / "y.npy", array)
        options = ReadOptions(target=str(tmp_path / "y.npy"))
        assert "holds text with codes that stand for no" in refused(FileError, tmp_path / "X.npy", options)
    swapped = np.array(list("abcabc")).astype(">U1")
    assert read_array_file(saved(tmp_path, X=X, y=swapped)).splits[""][1].tolist() == list("abcabc")


def test_arrays_can_be_named(tmp_path):
    path = saved(tmp_path, a=X, b=Y, c=Y + 1)
    assert "name others by --x-key and --y-key" in refused(FileError, path)
    read = read_array_file(path, ReadOptions(x_key="a", y_key="c"))
    assert read.splits[""][1].tolist() == [2, 3, 4, 2, 3, 4]
    assert read.remarks == ("left out, neither rows nor labels: b",)
    assert "no array 'd'" in refused(UsageError, path, ReadOptions(x_key="d"))


def test_positional_arrays_are_said(tmp_path):
    np.savez(tmp_path / "mine.NPZ", X, Y)
    os.rename(tmp_path / "mine.NPZ.npz", tmp_path / "mine.NPZ")
    read = read_array_file(tmp_path / "mine.NPZ")
    assert read.splits[""][0].tolist() == X.tolist()
    assert read.remarks == ("arrays without names: arr_0 is taken as the rows, arr_1 as the labels",)


CONTRADICTIONS = [
    ({"X": X, "y": Y[:-1]}, "y holds 5 labels for the rows of X, (6, 2); they must be as many"),
    ({"X_train": X, "y_train": Y, "X_test": X, "y_test": Y[:2]}, "y_test holds 2 labels for the rows of X_test"),
    ({"X": X, "y": np.array(3)}, "y holds 1 labels"),
    ({"X": np.array(3.0), "y": Y}, "X has the shape (); expected rows"),
    ({"X": X[:, 0], "y": Y}, "X has the shape (6,); expected rows of numbers (one number a row is X[:, None])"),
    ({"X": X[:0], "y": Y[:0]}, "X holds no rows"),
    ({"X": X}, "holds rows, but no labels for them"),
    ({"X_train": X, "y_train": Y, "X_test": X}, "holds X_test, but no labels for it: expected y_test"),
    ({"q": X}, "holds q; expected X and y, or X_train, y_train, X_test and y_test"),
]


@pytest.mark.parametrize(("arrays", "said"), CONTRADICTIONS, ids=[said for _, said in CONTRADICTIONS])
def test_an_npz_file_that_contradicts_itself_is_refused(tmp_path, arrays, said):
    path = saved(tmp_path, **arrays)
    message = refused(FileError, path)
    assert message.startswith(f"{path}: ")
    assert said in message


def test_options_that_do_not_fit_are_refused(tmp_path):
    path = saved(tmp_path, X=X, y=Y)
    assert refused(UsageError, path, ReadOptions(target="y")).startswith("target: ")
    np.save(tmp_path / "X.npy", X)
    assert refused(UsageError, tmp_path / "X.npy", ReadOptions(x_key="X")).startswith("x_key: ")
    assert refused(UsageError, tmp_path / "X.npy", ReadOptions(y_key="y")).startswith("y_key: ")
    assert refused(UsageError, tmp_path / "X.npy").startswith("target: name the NPY file")
    assert "No such file" in refused(FileError, tmp_path / "nowhere.npz")
    assert "No such file" in refused(FileError, tmp_path / "nowhere-images-idx3-ubyte")


@pytest.mark.parametrize("name", ["labels.npy", "labels.txt", "labels-idx1-ubyte"])
def test_the_labels_of_an_npy_file_are_in_the_target(tmp_path, idx_bytes, name):
    np.save(tmp_path / "X.npy", X)
    if name.endswith("npy"):
        np.save(tmp_path / name, Y)
    elif name.endswith("txt"):
        (tmp_path / name).write_text("label\n" + "\n".join(map(str, Y)))
    else:
        (tmp_path / name).write_bytes(idx_bytes(Y.astype(np.uint8)))
    read = read_array_file(tmp_path / "X.npy", ReadOptions(target=str(tmp_path / name)))
    assert read.splits[""][0].tolist() == X.tolist()
    assert read.splits[""][1].tolist() == Y.tolist()
    assert isinstance(read.splits[""][0].base, np.memmap)
    assert len(read.remarks) == name.endswith("txt")
    assert read.checksums == {"X.npy": md5(tmp_path / "X.npy"), name: md5(tmp_path / name)}


def test_words_are_labels_in_an_npy_file_too(tmp_path):
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", np.array(list("abcabc")))
    options = ReadOptions(target=str(tmp_path / "y.npy"))
    assert read_array_file(tmp_path / "X.npy", options).splits[""][1].tolist() == list("abcabc")
    assert "type <U1, expected whole numbers" in refused(FileError, tmp_path / "y.npy", options)
    np.save(tmp_path / "y.npy", Y[:-1])
    assert "holds 5 labels for the rows of X.npy, (6, 2)" in refused(FileError, tmp_path / "X.npy", options)
    np.save(tmp_path / "y.npy", Y.astype(complex))
    assert "type complex128, expected" in refused(FileError, tmp_path / "X.npy", options)


def test_rows_alone_can_be_read(tmp_path):
    np.save(tmp_path / "X.npy", PIXELS[:, None])
    read = read_array_file(tmp_path / "X.npy")
    assert read.splits[""][1] is None
    assert read.splits[""][0].tolist() == PIXELS.tolist()
    assert read.remarks == ("rows of 1 x 4 x 3: taken as pictures of one channel, 4 x 3",)
    assert read_array_file(saved(tmp_path, X=X)).splits[""][1] is None


def test_what_is_odd_about_rows_is_said_once(tmp_path):
    path = saved(tmp_path, X_train=PIXELS[..., None] % 9, y_train=Y, X_test=PIXELS[..., None] % 9, y_test=Y)
    read = read_array_file(path)
    assert [rows.shape for rows, _ in read.splits.values()] == [(6, 4, 3), (6, 4, 3)]
    assert read.remarks == ("rows of 4 x 3 x 1: taken as pictures of one channel, 4 x 3",)


def put_idx(folder, idx_bytes, *names):
    """Write files of MNIST's format: pictures whose first pixel is the file's number, and labels."""
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        array = Y.astype(np.uint8) + number if "idx1" in name else PIXELS + np.uint8(number)
        content = idx_bytes(array)
        (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return folder


MNIST = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
]


@pytest.mark.parametrize(
    "change", [str, lambda name: name.replace("-idx", ".idx"), lambda name: f"{name}.gz", str.upper]
)
def test_the_labels_and_the_test_set_are_found_beside_idx_files(tmp_path, idx_bytes, change):
    names = [change(name) for name in MNIST]
    put_idx(tmp_path, idx_bytes, *(name.lower() for name in names))
    for lower, name in zip([name.lower() for name in names], names, strict=True):
        os.rename(tmp_path / lower, tmp_path / name)
    read = read_array_file(tmp_path / names[0])
    assert [*read.splits] == ["train", "test"]
    assert [rows[0, 0, 0] for rows, _ in read.splits.values()] == [0, 2]
    assert [labels.tolist() for _, labels in read.splits.values()] == [(Y + 1).tolist(), (Y + 3).tolist()]
    assert read.remarks == (
        f"the labels of {names[0]} are taken from {names[1]} beside it",
        f"{names[2]}, with {names[3]}, is taken as the test set",
    )
    assert read.checksums == {name: md5(tmp_path / name) for name in names}
    assert holds_idx_pairs(tmp_path)
    folder = read_array_file(tmp_path)
    assert [*folder.splits] == ["train", "test"]
    assert folder.remarks == ()
    assert all(map(is_array_name, names))
    for path, alone, first in ((names[2], False, 2), (names[0], True, 0)):
        one = read_array_file(tmp_path / path, alone=alone)
        assert [*one.splits] == [""]
        assert one.splits[""][0][0, 0, 0] == first
        assert len(one.remarks) == 1
    options = ReadOptions(target=str(tmp_path / names[3]))
    named = read_array_file(tmp_path / names[0], options)
    assert [*named.splits] == [""]
    assert named.splits[""][1].tolist() == (Y + 3).tolist()


def test_idx_files_of_other_names(tmp_path, idx_bytes):
    put_idx(tmp_path / "a", idx_bytes, "my-images-idx3-ubyte", "my-labels-idx1-ubyte")
    read = read_array_file(tmp_path / "a" / "my-images-idx3-ubyte")
    assert [*read.splits] == [""]
    assert [*read_array_file(tmp_path / "a").splits] == [""]
    put_idx(tmp_path / "a", idx_bytes, "val-images-idx3-ubyte", "val-labels-idx1-ubyte")
    put_idx(tmp_path / "b", idx_bytes, "images.idx3", "labels.idx1", "test-images.idx3", "test-labels.idx1")
    assert [*read_array_file(tmp_path / "b").splits] == ["train", "test"]
    put_idx(tmp_path / "c", idx_bytes, "train-images-idx3-ubyte")
    assert not holds_idx_pairs(tmp_path / "c")
    assert read_array_file(tmp_path / "c" / "train-images-idx3-ubyte").splits[""][1] is None
    assert refused(UsageError, tmp_path / "c" / "train-images-idx3-ubyte").startswith("target: ")
    assert "holds no pictures in MNIST's format" in refused(FileError, tmp_path / "c")
    assert not holds_idx_pairs(tmp_path / "c" / "train-images-idx3-ubyte")


def test_several_sets_in_a_folder_are_not_mixed(tmp_path, idx_bytes):
    names = [f"emnist-{kind}-{name}" for kind in ("digits", "letters") for name in MNIST]
    put_idx(tmp_path, idx_bytes, *names)
    assert holds_idx_pairs(tmp_path)
    assert "several data sets, 'emnist digits', 'emnist letters'" in refused(FileError, tmp_path)
    read = read_array_file(tmp_path / names[4])
    assert [*read.splits] == ["train", "test"]
    assert [rows[0, 0, 0] for rows, _ in read.splits.values()] == [4, 6]


def test_of_a_file_gzipped_and_not_the_one_that_is_named_is_read(tmp_path, idx_bytes):
    put_idx(tmp_path, idx_bytes, *MNIST, "train-images-idx3-ubyte.gz")
    assert read_array_file(tmp_path / MNIST[0]).splits["train"][0][0, 0, 0] == 0
    assert read_array_file(tmp_path / f"{MNIST[0]}.gz").splits["train"][0][0, 0, 0] == 4
    assert read_array_file(tmp_path).splits["train"][0][0, 0, 0] == 0


def test_idx_files_that_contradict_each_other_are_refused(tmp_path, idx_bytes):
    put_idx(tmp_path, idx_bytes, *MNIST)
    (tmp_path / MNIST[3]).write_bytes(idx_bytes(Y.astype(np.uint8)[:3]))
    message = refused(FileError, tmp_path / MNIST[0])
    assert message.startswith(f"{tmp_path / MNIST[3]}: holds 3 labels for the rows of {MNIST[2]}, (6, 4, 3)")
    (tmp_path / MNIST[0]).write_bytes(b"hello")
    assert f"{MNIST[0]}: is no IDX file" in refused(FileError, tmp_path)


@pytest.mark.parametrize(
    ("name", "is_array"),
    [
        ("a.npz", True), ("A.NPY", True), ("train-images.idx3-ubyte", True), ("x-idx1-ubyte.gz", True),
        ("a.idx", True), ("a.csv", False), ("idx3", False), ("a.idx3", True),
        ("matrix.idx.csv", False), ("index.txt", False),
    ],
)  # fmt: skip
def test_files_of_arrays_are_known_by_name(name, is_array):
    assert is_array_name(name) == is_array
