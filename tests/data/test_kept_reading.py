"""What is read once gives the same data set for every draw, and nothing is kept without being asked."""

import numpy as np
import polars as pl
import pytest

from glassnet.data import delimited_text, idx, kept_reading, numpy_files
from glassnet.data.kept_reading import keep_in, kept
from glassnet.data.registry import load_dataset


def test_a_file_is_read_once_within_the_block(tmp_path):
    count = []

    @kept
    def read(name, *, large=False):
        count.append(name)
        return {"X": np.zeros(3)}

    read("a")
    read("a")
    store = {}
    with keep_in(store):
        first, again, other = read("a"), read("a"), read("a", large=True)
    assert count == ["a", "a", "a", "a"]
    assert first is again is not other
    assert not first["X"].flags.writeable
    read("a")
    assert len(count) == 5
    with keep_in(store):
        assert read("a") is first


def test_what_is_too_large_is_read_again(monkeypatch):
    count = []

    @kept
    def read(name, n):
        count.append(name)
        return (np.zeros(n), pl.DataFrame({"a": np.zeros(n)}))

    monkeypatch.setattr(kept_reading, "MOST_BYTES", 16 * 100)
    store = {}
    with keep_in(store):
        for _ in range(2):
            small, large, second = read("small", 60), read("large", 101), read("second", 60)
    assert count == ["small", "large", "second", "large", "second"]
    assert not small[0].flags.writeable
    assert large[0].flags.writeable
    assert second[0].flags.writeable


@pytest.mark.parametrize("kind", ["csv", "npz", "idx"])
def test_other_draws_are_those_of_files_read_anew(tmp_path, kind, monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 255, (60, 4), np.uint8), np.arange(60, dtype=np.uint8) % 3
    options = {}
    if kind == "csv":
        path, options = tmp_path / "rows.csv", {"target": "y"}
        lines = [",".join([*map(str, row), f"c{label}"]) for row, label in zip(X, y, strict=True)]
        path.write_text("\n".join(["a,b,c,d,y", *lines]) + "\n")
    elif kind == "npz":
        path = tmp_path / "rows.npz"
        np.savez(path, X=X.astype(np.float32), y=y)
    else:
        path = tmp_path / "train-images-idx3-ubyte"
        path.write_bytes(b"\0\0\x08\x03" + np.array([60, 2, 2], ">i4").tobytes() + X.tobytes())
        (tmp_path / "train-labels-idx1-ubyte").write_bytes(
            b"\0\0\x08\x01" + np.array([60], ">i4").tobytes() + y.tobytes()
        )
    store = {}
    for seed in (0, 1, 0):
        with keep_in(store):
            found = load_dataset(path, split_seed=seed, **options)
        fresh = load_dataset(path, split_seed=seed, **options)
        for one, other in zip(found.encoded, fresh.encoded, strict=True):
            assert np.array_equal(one.X, other.X)
            assert np.array_equal(one.y, other.y)
    assert store
    for module, name in (
        (idx, "_read_array"),
        (numpy_files, "_read_member"),
        (delimited_text, "read_delimited_text"),
    ):
        monkeypatch.setattr(module, name, lambda *_, **options: pytest.fail("the file was read again"))
    with keep_in(store):
        load_dataset(path, split_seed=2, **options)
