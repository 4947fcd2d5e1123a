"""``glassnet predict``."""

import csv
import io
import os
import struct

import numpy as np
import pytest

import glassnet as gn


@pytest.fixture
def rows(here):
    X = gn.load_dataset("digits").test.X
    np.save(here / "rows.npy", X)
    return X


def test_every_row_gets_the_networks_answer(glassnet, run_folder, rows):
    table = list(csv.DictReader(io.StringIO(glassnet("predict", "run", "rows.npy").out)))
    network = gn.load_model(run_folder)
    assert [int(line["row"]) for line in table] == list(range(len(rows)))
    assert [int(line["label"]) for line in table] == network.predict(rows).tolist()
    assert [line["class"] for line in table] == [line["label"] for line in table]
    probabilities = [float(line["probability"]) for line in table]
    assert probabilities == pytest.approx(network.outputs(rows).max(axis=1).tolist(), abs=1e-6)


def test_json_and_a_file_hold_the_same(glassnet, run_folder, rows, here):
    by_json = glassnet("predict", "run", "rows.npy", "--json").json["predictions"]
    assert glassnet("predict", "run", "rows.npy", "--out", "answers.csv").out == ""
    in_file = list(csv.DictReader(io.StringIO((here / "answers.csv").read_text())))
    assert [line["label"] for line in in_file] == [str(record["label"]) for record in by_json]


def test_images_in_an_idx_file_are_rows_of_bytes(glassnet, run_folder, here):
    images = (gn.load_dataset("digits").test.X[:7] * 255).round().astype(np.uint8)
    (here / "images").write_bytes(struct.pack(">HBB3I", 0, 8, 3, 7, 8, 8) + images.tobytes())
    labels = [record["label"] for record in glassnet("predict", "run", "images", "--json").json["predictions"]]
    assert labels == gn.load_model(run_folder).predict(images).tolist()


def test_an_answer_file_is_not_overwritten_unasked(glassnet, run_folder, rows, here):
    (here / "mine.csv").write_text("mine")
    answer = glassnet("predict", "run", "rows.npy", "--out", "mine.csv")
    assert (answer.code, (here / "mine.csv").read_text()) == (1, "mine")
    assert "already there" in answer.error
    assert glassnet("predict", "run", "rows.npy", "--out", "mine.csv", "--overwrite").code == 0
    assert (here / "mine.csv").read_text().startswith("row,label")


def with_nan():
    X = np.zeros((5, 64), np.float32)
    X[3, 7] = np.nan
    return X


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 63)), "layers: the data have 63 columns, the first layer has 64 units"),
        (with_nan(), "X: row 3, column 7 holds nan"),
        (np.full((1, 64), 1e300), "X: row 0, column 0 holds 1e+300"),
        (np.zeros(64), "X: expected rows of numbers, got the shape (64,)"),
        (np.zeros((0, 64)), "X: expected rows of numbers, got the shape (0, 64)"),
        (np.full((2, 64), "a"), "X: expected rows of numbers"),
    ],
)
def test_rows_that_do_not_fit_are_said_in_one_line(glassnet, run_folder, here, X, message):
    np.save(here / "bad.npy", X)
    answer = glassnet("predict", "run", "bad.npy", "--out", "answers.csv")
    assert answer.code == 1
    assert answer.error.startswith(f"bad.npy: {message}")
    assert not (here / "answers.csv").exists()


@pytest.mark.parametrize("content", [b"", b"PNG", b"\x93NUMPY", b"\x93NUMPY\x01\x00v\x00garbage", b"\x1f\x8b\x08"])
def test_a_file_that_is_no_data_is_named(glassnet, run_folder, here, content):
    (here / "bad.bin").write_bytes(content)
    answer = glassnet("predict", "run", "bad.bin")
    assert answer.code == 1
    assert answer.error.startswith("bad.bin: ")


def test_rows_that_overflow_are_said_in_one_line(glassnet, here):
    glassnet("train", "digits", "--layers", "64,8,1", "--loss", "half_squared_error", "-q", "--run-dir", "run")
    np.save(here / "big.npy", np.full((2, 64), 3e38, np.float32))
    assert glassnet("predict", "run", "big.npy").error.startswith("big.npy: X: row 0 is too much for the network")


def test_what_is_no_file_is_not_replaced(glassnet, run_folder, rows, here):
    (here / "elsewhere.csv").write_text("old")
    (here / "link.csv").symlink_to("elsewhere.csv")
    os.mkfifo(here / "pipe")
    refused = glassnet("predict", "run", "rows.npy", "--out", "pipe", "--overwrite")
    assert refused.error == "pipe: is no regular file; name another with --out"
    assert glassnet("predict", "run", "rows.npy", "--out", "link.csv", "--overwrite").code == 0
    assert (here / "link.csv").is_symlink()
    assert (here / "elsewhere.csv").read_text().startswith("row,label")
