"""Rows of files to predict: the same numbers as in training, whatever file they come in."""

import gzip
import warnings

import numpy as np
import polars as pl
import pytest
from tests.data import pictures
from tests.data.test_mnist_family import put_emnist

from glassnet.data.registry import load_dataset
from glassnet.data.schema import Schema
from glassnet.data.user_rows import read_user_rows
from glassnet.errors import DataError, FileError, UsageError

pytestmark = pytest.mark.usefixtures("decode_here")

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (60, 5, 4)).astype(np.uint8)
NUMBERS = RNG.normal(5, 2, (60, 3)).round(4)
LABELS = np.arange(60) % 3


def frame(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "size": rng.normal(50, 9, rows).round(6),
            "colour": rng.choice(["red", "green", "blue"], rows),
            "wild": rng.random(rows) < 0.5,
            "rooms": rng.integers(1, 9, rows),
            "kind": [("a", "a", "a", "b", "c")[k % 5] for k in range(rows)],
            "price": rng.normal(7, 3, rows).round(2),
        }
    )


def refusal(path, schema):
    with pytest.raises(FileError) as caught:
        read_user_rows(path, schema)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


# Every source: data set, and the file to predict that holds all of its rows


def of_npz(folder, _):
    np.savez(folder / "a.npz", X=NUMBERS, y=LABELS * 10 + 10)
    return load_dataset(folder / "a.npz"), folder / "a.npz"


def of_npz_pictures(folder, _):
    np.savez(folder / "a.npz", images=PIXELS[:, None], labels=LABELS)
    return load_dataset(folder / "a.npz"), folder / "a.npz"


def of_npz_colours_first(folder, _):
    X = RNG.integers(0, 256, (60, 3, 6, 5)).astype(np.uint8)
    np.savez(folder / "a.npz", images=X, labels=np.array(list("abc"))[LABELS])
    return load_dataset(folder / "a.npz"), folder / "a.npz"


def of_npz_16_bits(folder, _):
    X = (PIXELS.astype(np.uint16) * 13)[..., None]
    np.savez(folder / "a.npz", images=X, labels=LABELS)
    return load_dataset(folder / "a.npz"), folder / "a.npz"


def of_npz_with_other_names(folder, _):
    np.savez(folder / "a.npz", rows=NUMBERS, kinds=LABELS, other=LABELS)
    return load_dataset(folder / "a.npz", x_key="rows", y_key="kinds"), folder / "a.npz"


def of_npz_standardised(folder, _):
    np.savez(folder / "a.npz", images=PIXELS, labels=LABELS)
    return load_dataset(folder / "a.npz", scaling="standard"), folder / "a.npz"


def of_npy(folder, _):
    np.save(folder / "rows.npy", NUMBERS)
    np.save(folder / "labels.npy", NUMBERS[:, 0] * 2)
    return load_dataset(folder / "rows.npy", target=str(folder / "labels.npy")), folder / "rows.npy"


def of_idx(folder, idx_bytes):
    (folder / "own-images-idx3-ubyte").write_bytes(idx_bytes(PIXELS))
    (folder / "own-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS.astype(np.uint8)))
    return load_dataset(folder / "own-images-idx3-ubyte"), folder / "own-images-idx3-ubyte"


def put_pictures(folder, pixels):
    files = {f"{'abc'[label]}/{k:02}.png": pixels[k] for k, label in enumerate(LABELS)}
    return pictures.put(folder, {name: pictures.encoded(array) for name, array in files.items()})


def of_grey_pictures(folder, _):
    put_pictures(folder / "pets", PIXELS)
    return load_dataset(folder / "pets"), folder / "pets"


def of_coloured_pictures(folder, _):
    put_pictures(folder / "pets", RNG.integers(0, 256, (60, 5, 4, 3)).astype(np.uint8))
    return load_dataset(folder / "pets"), folder / "pets"


def of_coloured_pictures_in_grey(folder, _):
    put_pictures(folder / "pets", RNG.integers(0, 256, (60, 5, 4, 3)).astype(np.uint8))
    return load_dataset(folder / "pets", grey=True, size=(3, 3)), folder / "pets"


def of_deep_pictures(folder, _):
    put_pictures(folder / "pets", PIXELS.astype(np.uint16) * 15)
    return load_dataset(folder / "pets"), folder / "pets"


def of_csv(folder, _):
    frame().write_csv(folder / "a.csv")
    return load_dataset(folder / "a.csv", target="kind", drop="price"), folder / "a.csv"


def of_german_csv(folder, _):
    table = frame().with_columns(pl.col("size", "price").cast(pl.String).str.replace(".", ",", literal=True))
    table.write_csv(folder / "a.csv", separator=";")
    return load_dataset(folder / "a.csv", target="price", sep=";"), folder / "a.csv"


def of_csv_with_holes(folder, _):
    table = frame()
    table[3, "size"], table[[5, 9], "colour"] = None, None
    table.write_csv(folder / "a.csv")
    return load_dataset(folder / "a.csv", target="price"), folder / "a.csv"


def of_parquet(folder, _):
    frame().write_parquet(folder / "a.parquet")
    return load_dataset(folder / "a.parquet", target="wild"), folder / "a.parquet"


def of_whole_numbers_as_classes(folder, _):
    frame().write_csv(folder / "a.csv")
    return load_dataset(folder / "a.csv", target="rooms", task="ordinal"), folder / "a.csv"


SOURCES = [value for name, value in list(globals().items()) if name.startswith("of_")]
in_every_source = pytest.mark.parametrize(
    "source", SOURCES, ids=lambda source: source.__name__.removeprefix("of_")
)


def in_any_order(X, y):
    return sorted(zip([np.ascontiguousarray(row).tobytes() for row in X], np.asarray(y).tolist(), strict=True))


@in_every_source
def test_rows_of_the_file_are_to_the_last_bit_those_of_training(tmp_path, idx_bytes, source):
    data, path = source(tmp_path, idx_bytes)
    found = read_user_rows(path, data.schema)
    encoded, _ = data.schema.input.encode(found.X)
    parts = [split for split in data.encoded if len(split.y)]
    labels = np.zeros(60) if found.y is None else data.schema.target.encode(found.y)
    trained = np.concatenate([split.y * (found.y is not None) for split in parts])
    assert encoded.dtype == data.encoded.train.X.dtype
    assert in_any_order(encoded, labels) == in_any_order(np.concatenate([split.X for split in parts]), trained)
    assert (found.y is None) == (path.suffix == ".npy")


@in_every_source
def test_the_schema_makes_of_the_raw_rows_what_the_data_set_holds(tmp_path, idx_bytes, source):
    data, _ = source(tmp_path, idx_bytes)
    again = Schema.from_dict(data.schema.to_dict())
    assert again == data.schema
    for raw, taken in zip(data.splits.values(), data.encoded, strict=True):
        with warnings.catch_warnings(action="ignore"):
            X = again.encode_rows(raw.X)
        assert X.dtype == taken.X.dtype
        np.testing.assert_array_equal(X, taken.X)
        np.testing.assert_array_equal(again.target.encode(raw.y), taken.y)
        np.testing.assert_array_equal(raw.encode().X, taken.X)


@in_every_source
def test_a_row_of_the_file_is_the_same_alone(tmp_path, idx_bytes, source):
    data, path = source(tmp_path, idx_bytes)
    X = read_user_rows(path, data.schema).X
    together, _ = data.schema.input.encode(X)
    for row in (0, 17, 59):
        np.testing.assert_array_equal(data.schema.input.encode(X[row : row + 1])[0][0], together[row])


@pytest.mark.parametrize("name", ["digits", "iris", "wine", "breast-cancer", "diabetes", "linnerud"])
def test_raw_rows_of_a_named_set_are_those_of_training(tmp_path, name):
    data = load_dataset(name)
    for raw, taken in zip(data.splits.values(), data.encoded, strict=True):
        np.save(tmp_path / "rows.npy", raw.X)
        found = read_user_rows(tmp_path / "rows.npy", data.schema)
        X, remarks = data.schema.input.encode(found.X)
        np.testing.assert_array_equal(X, taken.X)
        assert X.dtype == taken.X.dtype == np.float32
        assert remarks == found.remarks == ()
        np.testing.assert_array_equal(data.schema.target.encode(raw.y), taken.y)
        np.testing.assert_allclose(data.schema.target.decode(taken.y), raw.y, rtol=1e-12)


# Pictures that lie the wrong way round in their files


@pytest.mark.parametrize("packed", [False, True])
def test_pictures_of_emnist_are_turned_as_in_training_and_only_those_of_idx_files(tmp_path, idx_bytes, packed):
    images = put_emnist(tmp_path / "emnist", idx_bytes, labels=(1, 26, 3, 5, 7), test_labels=(2, 1))[1]
    data = load_dataset("emnist-letters", tmp_path, validation=0)
    pack = gzip.compress if packed else bytes
    path = tmp_path / f"emnist-letters-test-images-idx3-ubyte{'.gz' * packed}"
    path.write_bytes(pack(idx_bytes(images)))
    (tmp_path / "emnist-letters-test-labels-idx1-ubyte").write_bytes(idx_bytes(np.uint8([2, 1])))
    found = read_user_rows(path, data.schema)
    X, _ = data.schema.input.encode(found.X)
    np.testing.assert_array_equal(X.reshape(2, 784), data.encoded.test.X)
    assert found.y.tolist() == data.test.y.tolist() == [2, 1]
    np.save(tmp_path / "rows.npy", data.test.X.reshape(2, 28, 28))
    X, _ = data.schema.input.encode(read_user_rows(tmp_path / "rows.npy", data.schema).X)
    np.testing.assert_array_equal(X.reshape(2, 784), data.encoded.test.X)


def test_pictures_of_other_sets_are_not_turned(tmp_path, idx_bytes):
    data, path = of_idx(tmp_path, idx_bytes)
    np.testing.assert_array_equal(read_user_rows(path, data.schema).X, PIXELS)


# A file of another kind


@pytest.mark.parametrize("name", ["rows.npy", "rows.npz", "rows-images-idx3-ubyte", "picture.png", "folder"])
def test_a_model_of_tables_names_its_columns_to_what_has_none(tmp_path, name):
    data, _ = of_csv(tmp_path, None)
    np.save(tmp_path / "rows.npy", NUMBERS)
    (tmp_path / "folder").mkdir()
    message = refusal(tmp_path / name, data.schema)
    assert message.startswith("is no table; the model was trained on one with the columns size, colour, wild, r")


def test_many_columns_are_not_all_named(tmp_path):
    table = pl.DataFrame({f"c{k}": RNG.normal(size=60) for k in range(40)})
    data = load_dataset(table, target="c0")
    assert "c1, c2, c3, c4, c5, c6, c7, c8 and 31 more: give" in refusal(tmp_path / "a.npy", data.schema)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "A.CSV", "a.xlsx"])
def test_a_model_of_arrays_takes_no_table(tmp_path, name):
    data, _ = of_npz(tmp_path, None)
    message = refusal(tmp_path / name, data.schema)
    assert message == "is a table, and the model was trained on arrays, whose columns have no names: give NPY"
    np.save(tmp_path / "remedy.npy", NUMBERS)
    assert read_user_rows(tmp_path / "remedy.npy", data.schema).X.shape == (60, 3)


def test_a_model_of_pictures_takes_no_table(tmp_path):
    schema = Schema.learn(np.zeros((6, 4, 4), np.uint8), np.array(list("ababab")))
    message = refusal(tmp_path / "a.csv", schema)
    assert message.endswith("trained on pictures: give a picture, a folder of pictures, or an array of them")


def test_a_model_of_plain_numbers_takes_no_pictures(tmp_path):
    data, _ = of_npz(tmp_path, None)
    for path in (put_pictures(tmp_path / "pets", PIXELS), tmp_path / "pets" / "a" / "00.png"):
        assert refusal(path, data.schema) == "holds pictures, and the model takes rows of 3 numbers"


def test_a_file_that_is_not_there_is_named(tmp_path):
    for source in (of_npz, of_csv):
        data, path = source(tmp_path, None)
        assert refusal(path.with_name(f"nowhere{path.suffix}"), data.schema)


def test_a_network_without_a_schema_takes_arrays(tmp_path):
    np.save(tmp_path / "rows.npy", NUMBERS)
    np.testing.assert_array_equal(read_user_rows(tmp_path / "rows.npy", None).X, NUMBERS)


# Arrays


def test_the_only_array_of_an_npz_file_is_the_rows(tmp_path):
    data, _ = of_npz(tmp_path, None)
    np.savez(tmp_path / "b.npz", whatever=NUMBERS[:7])
    found = read_user_rows(tmp_path / "b.npz", data.schema)
    np.testing.assert_array_equal(found.X, NUMBERS[:7])
    assert found.y is None
    assert found.table is found.names is None


def test_names_given_in_training_are_used_where_the_file_has_them(tmp_path):
    data, _ = of_npz_with_other_names(tmp_path, None)
    np.savez(tmp_path / "b.npz", rows=NUMBERS[:7], X=NUMBERS[:7] + 1, kinds=LABELS[:7])
    found = read_user_rows(tmp_path / "b.npz", data.schema)
    np.testing.assert_array_equal(found.X, NUMBERS[:7])
    np.testing.assert_array_equal(found.y, LABELS[:7])
    np.savez(tmp_path / "b.npz", X=NUMBERS[:7] + 1, y=LABELS[:7])
    np.testing.assert_array_equal(read_user_rows(tmp_path / "b.npz", data.schema).X, NUMBERS[:7] + 1)


def test_of_splits_the_test_rows_are_taken(tmp_path):
    data, _ = of_npz(tmp_path, None)
    np.savez(
        tmp_path / "b.npz",
        X_train=NUMBERS[:40],
        y_train=LABELS[:40] * 10 + 10,
        X_test=NUMBERS[40:],
        y_test=LABELS[40:] * 10 + 10,
    )
    found = read_user_rows(tmp_path / "b.npz", data.schema)
    np.testing.assert_array_equal(found.X, NUMBERS[40:])
    np.testing.assert_array_equal(found.y, LABELS[40:] * 10 + 10)
    np.savez(tmp_path / "b.npz", X_train=NUMBERS[:40], y_train=LABELS[:40])
    assert refusal(tmp_path / "b.npz", data.schema) == "holds no rows X, and no test rows"


def test_labels_that_training_did_not_have_do_not_hinder_answers(tmp_path):
    data, _ = of_npz(tmp_path, None)
    np.savez(tmp_path / "b.npz", X=NUMBERS, y=LABELS)  # training had 10, 20, 30
    found = read_user_rows(tmp_path / "b.npz", data.schema)
    assert found.y is None
    np.testing.assert_array_equal(found.X, NUMBERS)
    (remark,) = found.remarks
    assert remark.startswith("answers are not scored: target: row 1 (y[0]) is 0, which training did not have")
    with pytest.raises(FileError, match=r"b\.npz: target: row 1 \(y\[0\]\) is 0, which training did not have"):
        found.labelled()


# Pictures


def test_pictures_keep_their_names_and_folders_that_are_classes_are_the_answers(tmp_path):
    data, path = of_grey_pictures(tmp_path, None)
    found = read_user_rows(path, data.schema)
    assert found.names[:2] == ("a/00.png", "a/03.png")
    assert found.y[:2].tolist() == ["a", "a"]
    assert len(found.labelled().y) == 60
    one = read_user_rows(path / "b" / "01.png", data.schema)
    np.testing.assert_array_equal(one.X, PIXELS[1:2])
    assert (one.names, one.y) == (("01.png",), None)
    with pytest.raises(FileError, match=r"01\.png: holds no targets to score answers by"):
        one.labelled()
    path.rename(tmp_path / "new")
    (tmp_path / "new" / "c").rename(tmp_path / "new" / "unsorted")
    other = read_user_rows(tmp_path / "new", data.schema)
    assert other.y is None
    assert len(other.X) == 60
    assert any("not scored" in remark and "unsorted" in remark for remark in other.remarks)


# Tables


def test_the_target_of_a_table_is_found_or_absent(tmp_path):
    data, path = of_csv(tmp_path, None)
    found = read_user_rows(path, data.schema)
    assert found.y.tolist() == frame()["kind"].to_list()
    assert found.table.columns == frame().columns
    assert found.table["rooms"].to_list() == frame()["rooms"].cast(pl.String).to_list()
    frame().drop("kind", "price").write_csv(tmp_path / "b.csv")
    without = read_user_rows(tmp_path / "b.csv", data.schema)
    assert without.y is None
    assert without.remarks == ()
    with pytest.raises(FileError, match=r"b\.csv: holds no targets to score answers by"):
        without.labelled()
    frame().with_columns(kind=pl.lit("")).write_csv(tmp_path / "b.csv")
    assert read_user_rows(tmp_path / "b.csv", data.schema).unscored == ""


@pytest.mark.parametrize("value", [None, "", "nonsense"])
@pytest.mark.parametrize("target", ["kind", "price", "wild"])
def test_a_target_that_some_rows_lack_does_not_hinder_answers(tmp_path, target, value):
    frame().write_csv(tmp_path / "a.csv")
    data = load_dataset(tmp_path / "a.csv", target=target)
    table = frame().with_columns(pl.col(target).cast(pl.String))
    table[7, target] = value
    table.write_csv(tmp_path / "b.csv")
    found = read_user_rows(tmp_path / "b.csv", data.schema)
    assert found.y is None
    X, _ = data.schema.input.encode(found.X)
    whole, _ = data.schema.input.encode(read_user_rows(tmp_path / "a.csv", data.schema).X)
    np.testing.assert_array_equal(X, whole)
    (remark,) = (remark for remark in found.remarks if "not scored" in remark)
    assert "row 8" in remark
    assert target in remark
    with pytest.raises(FileError, match="row 8"):
        found.labelled()


def test_a_target_with_a_decimal_comma_is_read_as_in_training(tmp_path):
    data, _ = of_german_csv(tmp_path, None)
    assert data.schema.reading == {"sep": ";", "target": {"decimal": ",", "thousands": "", "unit": ""}}
    (tmp_path / "b.csv").write_text(
        "size;colour;wild;rooms;kind;price\n50,5;red;true;3;a;7,25\n40;red;false;4;b;8\n"
    )
    found = read_user_rows(tmp_path / "b.csv", data.schema)
    assert found.y.tolist() == [7.25, 8.0]
    # A table of numbers in Parquet holds the same.
    table = pl.DataFrame(
        {
            "price": [7.25, 8.0],
            "size": [50.5, 40.0],
            "colour": ["red"] * 2,
            "wild": [True, False],
            "rooms": [3, 4],
            "kind": ["a", "b"],
        }
    )
    table.write_parquet(tmp_path / "b.parquet")
    other = read_user_rows(tmp_path / "b.parquet", data.schema)
    assert other.y.tolist() == [7.25, 8.0]
    np.testing.assert_array_equal(data.schema.input.encode(other.X)[0], data.schema.input.encode(found.X)[0])


def test_columns_in_another_order_and_further_ones_change_nothing(tmp_path):
    data, path = of_csv(tmp_path, None)
    X, _ = data.schema.input.encode(read_user_rows(path, data.schema).X)
    other = frame().select("kind", "wild", "size", "rooms", "colour").with_columns(note=pl.lit("=1+1"), empty=None)
    for name in ("b.csv", "b.tsv", "b.parquet"):
        if name.endswith("parquet"):
            other.write_parquet(tmp_path / name)
        else:
            other.write_csv(tmp_path / name, separator="\t" if name.endswith("tsv") else ",")
        found = read_user_rows(tmp_path / name, data.schema)
        np.testing.assert_array_equal(data.schema.input.encode(found.X)[0], X)
        assert found.y.tolist() == frame()["kind"].to_list()


def test_a_file_without_a_column_of_training_is_refused_when_it_is_encoded(tmp_path):
    data, _ = of_csv(tmp_path, None)
    frame().drop("size").write_csv(tmp_path / "b.csv")
    with pytest.raises(DataError, match="no column 'size', which training had"):
        data.schema.input.encode(read_user_rows(tmp_path / "b.csv", data.schema).X)


def test_a_named_encoding_is_that_of_the_file_and_not_of_training(tmp_path):
    learned = tmp_path / "learned.csv"
    learned.write_text(
        "размер,y\n" + "".join(f"{k % 7},{'да' if k % 2 else 'нет'}\n" for k in range(40)), "cp1251"
    )
    schema = load_dataset(str(learned), target="y", encoding="cp1251").schema
    path = tmp_path / "new.csv"
    path.write_text("размер,y\n3,нет\n4,да\n", "koi8-r")
    assert "размер" not in read_user_rows(path, schema).X.columns
    found = read_user_rows(path, schema, "koi8-r")
    assert (found.X.columns, found.y.tolist(), found.remarks) == (["размер"], ["нет", "да"], ())
    path.write_text("размер,y\n3,нет\n", "utf-8")  # named, it is obeyed, though it be UTF-8
    assert read_user_rows(path, schema).X.columns == ["размер"]
    assert read_user_rows(path, schema, "cp1251").X.columns != ["размер"]
    np.save(tmp_path / "rows.npy", PIXELS)
    for name in ("rows.npy", "rows.parquet"):
        with pytest.raises(UsageError, match="encoding: goes with text, such as CSV"):
            read_user_rows(tmp_path / name, schema, "cp1251")
