import hashlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from glassnet.data.read_options import read_options
from glassnet.data.registry import load_dataset
from glassnet.data.user_data import looks_like_a_path, read_user_data
from glassnet.errors import DataError, FileError, UsageError

X = np.arange(60.0).reshape(30, 2)
Y = np.arange(30) % 3


#: Names of rows and labels in an NPZ file, of the whole and of its splits.
WHOLE = (("X", "y"), ("x", "y"), ("images", "labels"), ("features", "targets"), ("data", "target"))
SPLIT = (
    ("X_train", "y_train", "X_val", "y_val", "X_test", "y_test"),
    ("x_train", "y_train", "x_valid", "y_valid", "x_test", "y_test"),
    ("train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels"),
)


def splits(data):
    return data.train, data.validation, data.test


def read_own(path, target=None, impute=None, *, validation=None, split_seed=0, **reading):
    options = read_options({"target": target, "impute": impute, **reading})
    return read_user_data(path, options, validation=validation, split_seed=split_seed)


def refusal(error, path, validation=None, **options):
    """Return the message that refuses the data, after checking that it is one line that names file or option."""
    with pytest.raises(error) as caught:
        read_own(str(path), validation=validation, **options)
    message = str(caught.value)
    assert "\n" not in message
    if isinstance(caught.value, FileError):
        assert message.startswith(f"{path}: ")
    elif isinstance(caught.value, DataError):
        assert message.startswith(f"{Path(path).name.partition('.')[0]}: ")
    return message


def saved(folder, **arrays):
    np.savez(folder / "mine.npz", **arrays)
    return folder / "mine.npz"


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


# NPZ files


@pytest.mark.parametrize("names", WHOLE, ids="-".join)
@pytest.mark.parametrize("column", [False, True])
def test_an_npz_file_with_rows_and_labels_is_split(tmp_path, names, column):
    rows, labels = names
    path = saved(tmp_path, **{rows: X, labels: Y[:, None] if column else Y})
    data = read_own(str(path), validation=6, split_seed=0)
    assert [len(split.y) for split in splits(data)] == [18, 6, 6]
    for split in splits(data):
        np.testing.assert_array_equal(split.y, split.X[:, 0] / 2 % 3)
    assert (data.name, data.task, data.class_names, data.image_shape) == (
        "mine",
        "multi-class",
        ("0", "1", "2"),
        None,
    )
    assert data.checksums == {"mine.npz": md5(path)}
    assert data.origin == {"dataset": str(path)}


@pytest.mark.parametrize("names", SPLIT, ids="-".join)
@pytest.mark.parametrize("column", [False, True])
def test_an_npz_file_with_splits_keeps_them(tmp_path, names, column):
    parts = (X[:20], Y[:20], X[20:24], Y[20:24], X[24:], Y[24:])
    arrays = {
        name: part[:, None] if column and part.ndim == 1 else part for name, part in zip(names, parts, strict=True)
    }
    path = saved(tmp_path, **arrays)
    data = read_own(str(path), validation=None, split_seed=0)
    for split, rows, labels in zip(splits(data), parts[::2], parts[1::2], strict=True):
        np.testing.assert_array_equal(split.X, rows)
        np.testing.assert_array_equal(split.y, labels)
    assert data.validation_size is None
    # Asked for, validation rows are drawn; without official ones, a twelfth is.
    drawn = read_own(str(path), validation=5, split_seed=0)
    assert (len(drawn.validation.y), drawn.validation_size) == (5, 5)
    np.testing.assert_array_equal(drawn.test.X, X[24:])
    del arrays[names[2]], arrays[names[3]]
    data = read_own(str(saved(tmp_path, **arrays)), validation=None, split_seed=0)
    assert [len(split.y) for split in splits(data)] == [18, 2, 6]
    np.testing.assert_array_equal(data.test.X, X[24:])


def test_training_rows_in_an_npz_file_may_be_all_there_is(tmp_path):
    data = read_own(str(saved(tmp_path, X_train=X, y_train=Y)), validation=6)
    assert [len(split.y) for split in splits(data)] == [18, 6, 6]


def test_classes_in_an_npz_file_are_those_of_all_its_splits(tmp_path):
    arrays = {"x_train": X, "y_train": Y, "x_val": X[:4], "y_val": [0, 3, 1, 4], "x_test": X, "y_test": Y}
    data = read_own(str(saved(tmp_path, **arrays)))
    assert data.schema.target.classes == (0, 1, 2, 3, 4)
    assert data.encoded.validation.y.tolist() == [0, 3, 1, 4]


def test_arrays_named_otherwise_are_named_by_options(tmp_path):
    path = saved(tmp_path, rows=X, kinds=Y, extra=X)
    data = read_own(str(path), x_key="rows", y_key="kinds", validation=6)
    assert data.origin == {"dataset": str(path), "x_key": "rows", "y_key": "kinds"}
    assert data.schema.reading == {"x_key": "rows", "y_key": "kinds"}
    assert any("extra" in remark for remark in data.remarks)
    for split in splits(data):
        np.testing.assert_array_equal(split.y, split.X[:, 0] / 2 % 3)


def test_validation_arrays_of_a_common_name_are_not_passed_over(tmp_path):
    path = saved(tmp_path, X_train=X[:20], y_train=Y[:20], X_val=X[20:24], y_val=Y[20:24], X_test=X, y_test=Y)
    np.testing.assert_array_equal(read_own(str(path), validation=None, split_seed=0).validation.X, X[20:24])


@pytest.mark.parametrize("shape", [(30, 4, 5), (30, 4, 5, 3)])
def test_rows_of_several_axes_are_images(tmp_path, shape):
    images = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)
    data = read_own(str(saved(tmp_path, images=images, labels=Y)), validation=None, split_seed=0)
    assert data.image_shape == shape[1:]
    assert data.train.X.dtype == np.uint8


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        (Y % 2, "binary"),
        (Y, "multi-class"),
        (np.stack([Y % 2, Y // 2], axis=1), "multi-label"),
        (Y / 7, "regression"),
        ((Y / 7)[:, None], "regression"),
    ],
)
def test_the_task_of_an_npz_file_is_told_by_its_labels(tmp_path, labels, task):
    assert read_own(str(saved(tmp_path, X=X, y=labels)), validation=None, split_seed=0).task == task


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"rows": X, "y": Y}, "holds rows, y; expected X and y, or X_train"),
        ({"X_train": X, "y_train": Y, "X_test": X}, "holds X_test, but no labels for it: expected y_test"),
        ({"X_train": X, "X_test": X, "y_test": Y}, "holds X_train, but no labels for it: expected y_train"),
        ({"X": X}, "holds rows, but no labels for them: expected X and y; name others by --y-key"),
        ({"X": X, "y": Y[:-1]}, "y holds 29 labels for the rows of X, (30, 2); they must be as many"),
        ({"X": X, "y": np.array(3)}, "labels"),
        ({"X": np.array(3), "y": Y}, "X has the shape (); expected rows of numbers"),
        ({"X": X[:0], "y": Y[:0]}, "X holds no rows"),
        ({"X": X, "y": Y * 0}, "target: one class only, 0"),
        ({"X_train": X, "y_train": Y, "X_test": X[:, :1], "y_test": Y}, "test rows of shape (1,)"),
    ],
)
def test_an_npz_file_that_does_not_hold_a_data_set_is_refused(tmp_path, arrays, said):
    assert said in refusal((DataError, FileError), saved(tmp_path, **arrays))


@pytest.mark.parametrize(
    "official",
    [
        (X[:4], Y[:3]),
        (X[:4, :1], Y[:4]),
        (X[:4], Y[:4] / 3),
        (X[:4], np.stack([Y[:4]] * 2, axis=1)),
        (X[:4, 0], Y[:4]),
    ],
    ids=["length", "columns", "floats", "two", "axes"],
)
def test_official_validation_rows_are_checked_as_the_others_are(tmp_path, official):
    path = saved(tmp_path, x_train=X, y_train=Y, x_val=official[0], y_val=official[1], x_test=X, y_test=Y)
    message = refusal((DataError, FileError), path)
    assert "validation" in message or "val holds" in message or "x_val" in message


def test_a_damaged_npz_file_is_refused_by_name(tmp_path):
    path = saved(tmp_path, X=X, y=Y)
    path.write_bytes(path.read_bytes()[:-40])
    refusal(FileError, path)
    refusal(FileError, tmp_path / "nowhere.npz")


# NPY files


def put_rows(folder, rows=X, labels=Y):
    np.save(folder / "rows.npy", rows)
    np.save(folder / "labels.npy", labels)
    return folder / "rows.npy", str(folder / "labels.npy")


@pytest.mark.parametrize("column", [False, True])
def test_an_npy_file_of_rows_has_its_labels_in_the_target(tmp_path, monkeypatch, column):
    path, labels = put_rows(tmp_path, labels=Y[:, None] if column else Y)
    monkeypatch.chdir(tmp_path)
    data = read_own("rows.npy", "labels.npy", validation=6, split_seed=0)
    assert [len(split.y) for split in splits(data)] == [18, 6, 6]
    for split in splits(data):
        np.testing.assert_array_equal(split.y, split.X[:, 0] / 2 % 3)
    assert data.origin == {"dataset": str(path), "target": labels}
    assert data.checksums == {"rows.npy": md5(path), "labels.npy": md5(Path(labels))}
    assert (data.name, data.image_shape) == ("rows", None)
    images, labels = put_rows(tmp_path, np.zeros((30, 2, 5), np.uint8))
    assert read_own(str(images), labels, validation=6, split_seed=0).image_shape == (2, 5)


@pytest.mark.parametrize(
    ("rows", "labels"),
    [
        (X, Y[:-1]),
        (X, np.array(3)),
        (np.array(3.0), Y),
        (X[:, 0], Y),
        (X[:0], Y[:0]),
        (X, np.array(["a"] * 30)),
    ],
    ids=["lengths", "one label", "one number", "numbers", "none", "text"],
)
def test_npy_files_that_contradict_each_other_are_refused(tmp_path, rows, labels):
    path, labels = put_rows(tmp_path, rows, labels)
    with pytest.raises((DataError, FileError)) as caught:
        read_own(str(path), labels, validation=None, split_seed=0)
    assert "\n" not in str(caught.value)
    assert "rows" in str(caught.value) or "one class only" in str(caught.value)


def test_an_npy_file_needs_a_target_and_takes_no_impute(tmp_path):
    path, labels = put_rows(tmp_path)
    assert refusal(UsageError, path).startswith("target: ")
    assert refusal(UsageError, path, target=labels, impute="median").startswith("impute: ")
    with pytest.raises(FileError, match=r"nowhere\.npy: "):
        read_own(str(path), str(tmp_path / "nowhere.npy"), validation=None, split_seed=0)


# Folders of images


def put_images(folder, classes=("cat", "dog"), count=5, first=0, size=(4, 3)):
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.new("L", size, first + 10 * label + number).save(folder / name / f"{number}.png")


def test_a_folder_of_images_is_split(tmp_path):
    put_images(tmp_path / "pets", count=10)
    data = read_own(str(tmp_path / "pets"), validation=4, split_seed=0)
    assert (data.name, data.class_names, data.image_shape, data.task) == ("pets", ("cat", "dog"), (3, 4), "binary")
    assert [split.X.shape for split in splits(data)] == [(12, 3, 4), (4, 3, 4), (4, 3, 4)]
    for split in splits(data):
        assert split.X.dtype == np.uint8
        assert split.y.tolist() == [data.class_names[pixel // 10] for pixel in split.X[:, 0, 0]]
        assert split.y.tolist().count("cat") == len(split.y) / 2
    for raw, encoded in zip(splits(data), data.encoded, strict=True):
        assert encoded.y.tolist() == [data.class_names.index(name) for name in raw.y]
    assert len(data.checksums) == 1
    assert data.origin == {"dataset": str(tmp_path / "pets")}
    Image.new("L", (4, 3), 200).save(tmp_path / "pets" / "cat" / "0.png")
    assert read_own(str(tmp_path / "pets"), validation=4, split_seed=0).checksums != data.checksums


@pytest.mark.parametrize("name", [None, "val", "validation"])
def test_a_folder_of_splits_keeps_them(tmp_path, name):
    put_images(tmp_path / "train", count=6)
    put_images(tmp_path / "test", count=2, first=100)
    if name:
        put_images(tmp_path / name, count=1, first=200)
    data = read_own(str(tmp_path), validation=None, split_seed=0)
    assert data.test.X[:, 0, 0].tolist() == [100, 101, 110, 111]
    if name:
        assert data.validation.X[:, 0, 0].tolist() == [200, 210]
        assert (len(data.train.y), data.validation_size) == (12, None)
    else:
        assert (len(data.train.y), len(data.validation.y), data.validation_size) == (11, 1, 1)
    asked = read_own(str(tmp_path), validation=4, split_seed=0)  # drawn from all rows but those of the test
    assert (len(asked.train.y), len(asked.validation.y)) == (10 if name else 8, 4)
    own = {int(value) for split in (asked.train, asked.validation) for value in split.X[:, 0, 0]}
    assert own == {int(value) for split in (data.train, data.validation) for value in split.X[:, 0, 0]}


def test_a_folder_without_images_is_refused(tmp_path):
    assert "holds no folders" in refusal(FileError, tmp_path)
    put_images(tmp_path, count=3)
    (tmp_path / "cat" / "0.png").write_bytes(b"no image")
    with pytest.raises(FileError, match=r"cat/0\.png"):
        read_own(str(tmp_path), validation=None, split_seed=0)


# Tables


def table(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "size": rng.normal(50, 9, n).round(6),
            "colour": rng.choice(["red", "green", "blue"], n),
            "wild": rng.random(n) < 0.5,
            "kind": [("a", "a", "a", "b", "c")[k % 5] for k in range(n)],
            "price": rng.normal(7, 3, n).round(6),
        }
    )


WRITERS = {
    "csv": lambda frame, path: frame.write_csv(path),
    "tsv": lambda frame, path: frame.write_csv(path, separator="\t"),
    "parquet": lambda frame, path: frame.write_parquet(path),
}


def written(folder, frame=None, suffix="csv"):
    path = folder / f"mine.{suffix}"
    WRITERS[suffix](table() if frame is None else frame, path)
    return path


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_table_becomes_classes_or_numbers(decode_here, tmp_path, suffix):
    path = written(tmp_path, suffix=suffix)
    data = read_own(str(path), "kind", validation=8, split_seed=0)
    assert (data.name, data.task, data.class_names) == ("mine", "multi-class", ("a", "b", "c"))
    assert [split.X.shape for split in splits(data)] == [(40, 4), (8, 4), (12, 4)]
    assert [split.X.shape for split in data.encoded] == [(40, 6), (8, 6), (12, 6)]
    assert data.checksums == {path.name: md5(path)}
    assert data.origin == {"dataset": str(path), "target": "kind"}
    assert data.schema.input.feature_names == (
        "size",
        "colour=blue",
        "colour=green",
        "colour=red",
        "wild",
        "price",
    )
    assert read_own(str(path), "wild", validation=8, split_seed=0).task == "binary"
    numbers = read_own(str(path), "price", validation=8, split_seed=0)
    assert (numbers.task, numbers.class_names) == ("regression", None)
    rows = pl.concat([split.X.with_columns(kind=split.y.astype(str)) for split in splits(data)])
    assert rows.select(table().columns).sort("size").equals(table().sort("size"))
    assert any("regression" in remark for remark in numbers.remarks)


def test_every_class_is_in_every_split_in_proportion(tmp_path):
    data = read_own(str(written(tmp_path)), "kind", validation=12, split_seed=0)
    for split in data.encoded:
        share = np.array([0.6, 0.2, 0.2]) * len(split.y)
        assert np.abs(np.bincount(split.y, minlength=3) - share).max() <= 1


@pytest.mark.parametrize("target", ["kind", "price"])
def test_a_table_is_scaled_by_its_training_rows_alone(tmp_path, target):
    raw = read_own(str(written(tmp_path)), target, validation=8, split_seed=0)
    data = raw.encoded
    np.testing.assert_allclose(data.train.X[:, 0].mean(dtype=float), 0, atol=1e-6)
    np.testing.assert_allclose(data.train.X[:, 0].std(dtype=float), 1, atol=1e-6)
    assert abs(np.concatenate([split.X[:, 0] for split in data]).mean()) > 1e-3
    if target == "price":
        np.testing.assert_allclose(data.train.y.mean(), 0, atol=1e-6)
        np.testing.assert_allclose(data.train.y.std(), 1, atol=1e-6)
        back = np.concatenate([raw.schema.target.decode(split.y) for split in data])
        np.testing.assert_allclose(np.sort(back), np.sort(table()["price"].to_numpy()))
        given = np.concatenate([split.y for split in splits(raw)])
        assert sorted(given.tolist()) == sorted(table()["price"].to_list())


@pytest.mark.parametrize("target", ["kind", "price"])
def test_another_test_or_validation_row_changes_no_training_row(tmp_path, target):
    numbers = pl.Series("size", np.arange(60.0))  # a row can be told by its size
    before = read_own(written(tmp_path, table().with_columns(numbers)), target, validation=8, split_seed=0)
    for split in (before.test, before.validation):
        row = round(split.X["size"][2])
        changed = numbers.to_list()
        changed[row] = 1e6
        frame = table().with_columns(pl.Series("size", changed))
        frame[row, "colour"] = "unseen"
        frame[row, "wild"] = not frame[row, "wild"]
        after = read_own(str(written(tmp_path, frame)), target, validation=8, split_seed=0)
        np.testing.assert_array_equal(after.encoded.train.X, before.encoded.train.X)
        np.testing.assert_array_equal(after.encoded.train.y, before.encoded.train.y)
        assert after.schema == before.schema
        assert any("unseen" in remark for remark in after.remarks)


@pytest.mark.parametrize("target", ["kind", "price", "wild"])
def test_the_test_rows_of_a_table_are_the_same_whatever_the_seed(tmp_path, target):
    path = str(written(tmp_path, table().with_columns(pl.Series("size", np.arange(60.0)))))
    rows = []
    for seed in (0, 0, 1):
        data = read_own(path, target, validation=8, split_seed=seed)
        rows.append([split.X["size"].to_list() for split in splits(data)])
        assert sorted(row for split in rows[-1] for row in split) == list(range(60))
        assert data.split_seed == seed
    assert rows[0] == rows[1]
    assert rows[0][2] == rows[2][2]
    assert rows[0][1] != rows[2][1]


def test_a_table_without_validation_has_none(tmp_path):
    data = read_own(str(written(tmp_path)), "kind", validation=0, split_seed=0)
    assert (data.validation.X.shape, data.validation.y.shape, data.validation_size) == ((0, 4), (0,), 0)
    assert data.encoded.validation.X.shape == (0, 6)
    assert len(data.train.y) == 48
    assert len(read_own(str(written(tmp_path)), "kind", validation=None, split_seed=0).validation.y) == 4


def test_without_a_target_the_last_column_is_named_as_an_example(decode_here, tmp_path):
    for suffix in WRITERS:
        message = refusal(UsageError, written(tmp_path, suffix=suffix))
        assert message.startswith("target: ")
        assert "--target price" in message


def test_an_unknown_target_lists_the_columns(decode_here, tmp_path):
    for suffix in WRITERS:
        message = refusal(UsageError, written(tmp_path, suffix=suffix), target="prize")
        assert message.startswith("target: mine.")
        assert ": no column 'prize'; the table has" in message
        assert "size, colour, wild, kind, price" in message


def with_hole(column, row):
    frame = table()
    frame[row, column] = None
    return frame


@pytest.mark.parametrize("suffix", WRITERS)
def test_missing_values_are_imputed_and_it_is_said_once_or_an_error_if_asked(decode_here, tmp_path, suffix):
    path = written(tmp_path, with_hole("size", 7), suffix)
    assert "'size'" in refusal(FileError, path, target="kind", impute="error")
    data = read_own(str(path), "kind", "median", validation=8, split_seed=0)
    assert data.origin == {"dataset": str(path), "target": "kind", "impute": "median"}
    assert all(np.isfinite(split.X).all() for split in data.encoded)
    assert [remark for remark in data.remarks if "missing" in remark] == [
        "missing values filled with the median of the training rows: size (1)"
    ]
    without = read_own(str(path), "kind", validation=8)
    assert without.remarks == data.remarks
    np.testing.assert_array_equal(without.encoded.train.X, data.encoded.train.X)
    with pytest.raises(UsageError, match=r"^impute: takes error or median, got 'mean'"):
        load_dataset(path, target="kind", impute="mean")


@pytest.mark.parametrize("target", ["kind", "wild", "price"])
@pytest.mark.parametrize("impute", [None, "median"])
def test_a_missing_target_is_an_error_even_where_values_are_imputed(tmp_path, target, impute):
    message = refusal(FileError, written(tmp_path, with_hole(target, 7)), target=target, impute=impute)
    assert f"target '{target}'" in message
    assert "has no value" in message


@pytest.mark.parametrize("row", [0, 7, 31, 59])
def test_a_missing_value_is_named_by_its_row_in_the_table(tmp_path, row):
    message = refusal(FileError, written(tmp_path, with_hole("kind", row)), target="kind")
    assert f"row {row + 1} has no value" in message
    message = refusal(FileError, written(tmp_path, with_hole("size", row)), target="kind", impute="error")
    assert f"missing values in column 'size' (1, first in row {row + 1})" in message


@pytest.mark.parametrize("target", ["kind", "price"])
@pytest.mark.parametrize("rows", [1, 2])
def test_a_table_of_too_few_rows_is_refused(tmp_path, target, rows):
    refusal((FileError, UsageError), written(tmp_path, table()[:rows]), 0, target=target)


def test_a_table_of_a_few_rows_has_one_to_test_by(tmp_path):
    data = read_own(written(tmp_path, table()[:3, ["size", "price"]]), "price", validation=0, split_seed=0)
    assert [len(split.y) for split in splits(data)] == [2, 0, 1]


def test_a_table_that_no_network_can_take_is_refused_by_name(tmp_path):
    dates = table().with_columns(pl.Series("wild", [f"2024-05-{day % 28 + 1:02}" for day in range(60)]))
    assert (
        "columns left out: wild (dates, which --dates makes numbers of)"
        in read_own(written(tmp_path, dates), "kind").remarks
    )
    assert "no column is left" in refusal(
        FileError, written(tmp_path, dates.select("wild", "kind")), target="kind"
    )
    one = table().with_columns(pl.Series("kind", ["a"] * 60))
    assert "target 'kind': one class only" in refusal(FileError, written(tmp_path, one), target="kind")
    (tmp_path / "mine.csv").write_text("a,b\n1,2\n3\n")
    refusal(FileError, tmp_path / "mine.csv", target="b")
    refusal(FileError, tmp_path / "nowhere.csv", target="b")


@pytest.mark.parametrize("validation", [48, 60, -1, 1.5])
def test_a_validation_that_leaves_no_rows_of_a_table_is_refused(tmp_path, validation):
    assert refusal(UsageError, written(tmp_path), validation, target="kind").startswith("validation: ")


def test_a_table_in_memory_is_read_as_a_file_is(tmp_path):
    path = written(tmp_path)
    read = load_dataset(path, target="kind", validation=8)
    data = load_dataset(table(), target="kind", validation=8)
    for one, two in zip((*splits(read), *read.encoded), (*splits(data), *data.encoded), strict=True):
        np.testing.assert_array_equal(one.X, two.X)
        np.testing.assert_array_equal(one.y, two.y)
    assert data.origin == {}
    assert data.checksums == load_dataset(table(), target="kind", validation=8).checksums
    assert data.checksums != load_dataset(table(seed=1), target="kind", validation=8).checksums
    with pytest.raises(UsageError, match=r"^target: .*--target price"):
        load_dataset(table())
    empty = table().with_columns(pl.lit(None).alias("size"))
    assert "columns left out: size (no values)" in load_dataset(empty, target="kind").remarks
    with pytest.raises(DataError, match=r"no column is left to learn from: size \(no values\)"):
        load_dataset(empty.select("size", "kind"), target="kind")


# What is what


@pytest.mark.parametrize("options", [{"target": "y"}, {"impute": "median"}])
def test_options_of_a_table_do_not_go_with_other_data(tmp_path, options):
    put_images(tmp_path / "pets")
    (name,) = options
    for path in (saved(tmp_path, X=X, y=Y), tmp_path / "pets"):
        message = refusal(UsageError, path, **options)
        assert message.startswith(f"{name}: ")
        assert "table" in message


@pytest.mark.parametrize("name", ["mine.ods", "mine", "mine.json"])
def test_a_file_of_another_kind_is_refused_with_those_that_are_read(tmp_path, name):
    (tmp_path / name).write_bytes(b"anything")
    message = refusal(FileError, tmp_path / name)
    for suffix in ("CSV", "TSV", "Parquet", "xlsx", "NPZ", "NPY", "IDX", "folder"):
        assert suffix in message


def test_a_path_that_leads_nowhere_is_said_not_to_exist(tmp_path):
    assert "No such file" in refusal(FileError, tmp_path / "nowhere" / "pets")


@pytest.mark.parametrize(
    ("name", "is_path"),
    [
        ("digits", False),
        ("breastmnist_64", False),
        ("fashion_mnist", False),
        ("mine.csv", True),
        ("mine.tsv", True),
        ("mine.txt", True),
        ("mine.csv.gz", True),
        ("mine.parquet", True),
        ("mine.npz", True),
        ("mine.npy", True),
        ("folder/mine", True),
        ("./mine", True),
        ("here", True),
        ("there", False),
    ],
)
def test_a_name_with_a_slash_or_an_ending_or_a_file_of_that_name_is_a_path(tmp_path, monkeypatch, name, is_path):
    monkeypatch.chdir(tmp_path)
    Path("here").mkdir()
    assert looks_like_a_path(name) == is_path


def test_own_data_are_loaded_again_by_their_origin_from_any_folder(tmp_path, monkeypatch):
    path = written(tmp_path, with_hole("size", 3))
    monkeypatch.chdir(tmp_path)
    first = load_dataset("mine.csv", target="kind", impute="median", validation=8, split_seed=2)
    monkeypatch.chdir("/")
    options = dict(first.origin)
    again = load_dataset(options.pop("dataset"), validation=8, split_seed=2, **options)
    assert again.origin == first.origin == {"dataset": str(path), "target": "kind", "impute": "median"}
    assert again.schema == first.schema
    for one, two in zip(first.encoded, again.encoded, strict=True):
        np.testing.assert_array_equal(one.X, two.X)
        np.testing.assert_array_equal(one.y, two.y)


def test_an_npz_file_whose_training_labels_are_missing_is_refused(tmp_path):
    X, y = np.eye(4), np.array([0, 1, 0, 1])
    np.savez(tmp_path / "a.npz", X_train=X, X_val=X, y_val=y, X_test=X, y_test=y)
    with pytest.raises(FileError, match="holds X_train, but no labels for it: expected y_train"):
        load_dataset(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["fruit.zip", "fruit.TGZ", "mine.csv.rar"])
def test_an_archive_is_to_be_unpacked(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK\3\4")
    with pytest.raises(FileError, match="is an archive by name: unpack it"):
        load_dataset(str(tmp_path / name))
