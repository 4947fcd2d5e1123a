"""Data larger than memory: the same as small data would be, read in blocks."""

import gc
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import glassnet as gn
from glassnet.data import large, table_dataset, user_data
from glassnet.data.columns import TableSchema
from glassnet.data.splits import is_mapped
from glassnet.errors import FileError, UsageError


@pytest.fixture
def everything_is_large(decode_here, monkeypatch, tmp_path_factory):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))  # no other process's files
    monkeypatch.setattr(user_data, "LARGE", 100)
    monkeypatch.setattr(table_dataset, "LARGE", 100)
    monkeypatch.setattr(large, "BLOCK", 700)


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    n = 5000
    columns = {"a": rng.normal(3, 2, n), "city": np.array(["Bonn", "Kiel", "Ulm"])[rng.integers(3, size=n)]}
    columns["price"] = columns["a"] * 2 + (columns["city"] == "Kiel") + 0.01 * rng.normal(size=n)
    columns["row"] = np.arange(n)
    path = tmp_path / "houses.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return path, columns


def leftovers():
    return {path.name for path in Path(tempfile.gettempdir()).glob("glassnet-rows-*")}


def test_every_row_is_in_one_split_with_its_own_target(everything_is_large, table):
    path, columns = table
    data = gn.load_dataset(str(path), target="price")
    assert [len(split.y) for split in (data.train, data.validation, data.test)] == [3667, 333, 1000]
    assert all(is_mapped(split.X) for split in (data.train, data.validation, data.test))
    place = data.schema.input.feature_names.index("row")
    learned = data.schema.input.columns[-1]
    seen = []
    for split in (data.train, data.validation, data.test):
        rows = np.rint(split.X[:, place].astype(float) * learned.std + learned.mean).astype(int)
        np.testing.assert_allclose(
            data.schema.target.decode(split.y), columns["price"][rows], rtol=1e-3, atol=1e-3
        )
        seen.extend(rows)
    assert sorted(seen) == list(range(5000))


def test_scaling_is_learned_on_training_rows(everything_is_large, table):
    data = gn.load_dataset(str(table[0]), target="price")
    place = data.schema.input.feature_names.index("a")
    training = data.train.X[:, place].astype(float)
    assert abs(training.mean()) < 1e-5
    assert abs(training.std() - 1) < 1e-5


def test_test_rows_do_not_depend_on_the_seed_and_validation_rows_do(everything_is_large, table):
    one, other = (gn.load_dataset(str(table[0]), target="city", split_seed=seed) for seed in (0, 1))
    assert (one.test.y == other.test.y).all()
    assert (one.validation.y != other.validation.y).any()
    assert one.class_names == ("Bonn", "Kiel", "Ulm")
    assert one.task == "multi-class"


def test_it_trains_as_well_as_the_same_rows_in_memory(everything_is_large, table, monkeypatch):
    def loss(data):
        network = gn.Network([data.n_inputs, 16, 1], loss="half_squared_error")
        return gn.fit(network, data, epochs=5, progress=False).history.last.validation_loss

    mapped = loss(gn.load_dataset(str(table[0]), target="price"))
    monkeypatch.setattr(table_dataset, "LARGE", 10**9)
    assert mapped < 1.5 * loss(gn.load_dataset(str(table[0]), target="price"))


def test_the_files_are_gone_with_the_data(everything_is_large, table):
    before = leftovers()
    data = gn.load_dataset(str(table[0]), target="price")
    assert len(leftovers() - before) == 1
    del data
    gc.collect()
    assert leftovers() == before


def test_a_full_disk_is_one_line_and_leaves_nothing(everything_is_large, table, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    before = leftovers()
    monkeypatch.setattr(np.lib.format, "open_memmap", full)
    with pytest.raises(FileError, match="no room for the table's numbers: No space left on device"):
        gn.load_dataset(str(table[0]), target="price")
    assert leftovers() == before


def test_a_disk_too_small_for_the_pieces_is_refused_before_anything_is_written(
    everything_is_large, table, monkeypatch
):
    data = gn.load_dataset(str(table[0]), target="price", pieces=32)
    needed = sum(split.X.nbytes for split in data.splits.values())
    before, usage = leftovers(), namedtuple("Usage", "free")
    monkeypatch.setattr(large.shutil, "disk_usage", lambda _: usage(needed - 1))
    with pytest.raises(FileError, match=r"table's numbers: .* are needed, and .* are free; set TMPDIR"):
        gn.load_dataset(str(table[0]), target="price", pieces=32)
    assert leftovers() - before == set()
    gn.load_dataset(str(table[0]), target="price", pieces=31)


def test_wide_rows_are_encoded_few_at_a_time(everything_is_large, table, monkeypatch):
    whole = gn.load_dataset(str(table[0]), target="price", pieces=8)
    sizes = []
    monkeypatch.setattr(large, "NUMBERS", 50 * whole.n_inputs)
    encode = TableSchema.encode
    monkeypatch.setattr(TableSchema, "encode", lambda own, frame: sizes.append(frame.height) or encode(own, frame))
    parts = gn.load_dataset(str(table[0]), target="price", pieces=8)
    assert max(sizes) == 50
    for one, other in zip(whole.splits.values(), parts.splits.values(), strict=True):
        assert (one.X == other.X).all()


def test_rows_and_labels_in_two_npy_files(everything_is_large, tmp_path):
    X = np.arange(3000 * 4).reshape(3000, 2, 2).astype(np.uint8)
    y = (np.arange(3000) % 3).astype(np.uint8)
    np.save(tmp_path / "rows.npy", X)
    np.save(tmp_path / "labels.npy", y)
    data = gn.load_dataset(str(tmp_path / "rows.npy"), target=str(tmp_path / "labels.npy"))
    assert all(is_mapped(split.X) for split in data.splits.values())
    assert all(is_mapped(split.X) for split in data.encoded)
    assert data.train.X.dtype == np.uint8
    assert data.image_shape == (2, 2)
    assert data.class_names == ("0", "1", "2")
    pairs = {(rows.tobytes(), int(label)) for split in (data.train, data.validation, data.test)
             for rows, label in zip(split.X, split.y, strict=True)}  # fmt: skip
    assert pairs == {(rows.tobytes(), int(label)) for rows, label in zip(X, y, strict=True)}
    assert sum(len(split.y) for split in (data.train, data.validation, data.test)) == 3000


def test_pictures_of_16_bits_are_kept_as_the_network_takes_them(everything_is_large, tmp_path):
    X = (np.arange(300 * 4).reshape(300, 2, 2) * 13 % 4096).astype(np.uint16)
    np.save(tmp_path / "rows.npy", X)
    np.save(tmp_path / "labels.npy", np.arange(300) % 3 * 10 + 10)
    large_data = gn.load_dataset(str(tmp_path / "rows.npy"), target=str(tmp_path / "labels.npy"))
    rows, labels = [], []
    for split in large_data.encoded:
        assert is_mapped(split.X)
        rows += [row.tobytes() for row in split.X]
        labels += split.y.tolist()
    assert sorted(rows) == sorted(row.tobytes() for row in X.astype(np.float32) / np.float32(4095))
    assert sorted(labels) == sorted([0, 1, 2] * 100)
    assert large_data.schema.target.classes == (10, 20, 30)


def test_npy_files_that_do_not_belong_together(tmp_path):
    np.save(tmp_path / "rows.npy", np.zeros((5, 2)))
    np.save(tmp_path / "labels.npy", np.zeros(4, int))
    with pytest.raises(FileError, match=r"labels\.npy: holds 4 labels for the rows of rows\.npy, \(5, 2\)"):
        gn.load_dataset(str(tmp_path / "rows.npy"), target=str(tmp_path / "labels.npy"))
    with pytest.raises(UsageError, match="target: name the NPY file"):
        gn.load_dataset(str(tmp_path / "rows.npy"))


@pytest.mark.slow
def test_ten_million_rows_train_in_less_than_a_gigabyte(tmp_path):
    make = (
        "import numpy as np, polars as pl; n = 10_000_000; rng = np.random.default_rng(0);"
        "d = {f'x{k}': rng.normal(size=n).astype(np.float32) for k in range(8)};"
        "d['city'] = np.array(['Bonn', 'Kiel', 'Ulm'])[rng.integers(3, size=n)];"
        "d['y'] = 2 * d['x0'] - d['x1'] + (d['city'] == 'Ulm') + np.float32(0.1) * rng.normal(size=n);"
        "pl.DataFrame(d).write_parquet('big.parquet')"
    )
    subprocess.run([sys.executable, "-c", make], cwd=tmp_path, check=True)
    train = [sys.executable, "-m", "glassnet", "train", "big.parquet", "--target", "y"]
    options = ["--layers", "11,16,1", "--epochs", "1", "--batch-size", "4096", "--run-dir", "run", "--json", "-q"]
    watch = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", watch, *train, *options], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert int(answer.stdout) < 1_000_000  # kilobytes, of the largest process
