"""``glassnet predict``."""

import csv
import io
import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import glassnet as gn
from glassnet.training.archive import FORMAT


@pytest.fixture
def rows(here):
    X = gn.load_dataset("digits").test.X
    np.save(here / "rows.npy", X)
    return X


def test_every_row_gets_the_networks_answer(glassnet, run_folder, rows):
    table = list(csv.DictReader(io.StringIO(glassnet("predict", "run", "rows.npy").out)))
    model = gn.load_model(run_folder)
    assert list(table[0]) == ["row", "class", "probability"]
    assert [int(line["row"]) for line in table] == list(range(1, len(rows) + 1))
    assert [int(line["class"]) for line in table] == model.predict(rows).tolist()
    probabilities = [float(line["probability"]) for line in table]
    assert probabilities == pytest.approx(model.predict_proba(rows).max(axis=1).tolist(), abs=1e-6)


def test_json_and_a_file_hold_the_same(glassnet, run_folder, rows, here):
    record = glassnet("predict", "run", "rows.npy", "--json").json
    assert glassnet("predict", "run", "rows.npy", "--out", "answers.csv").out == ""
    in_file = list(csv.DictReader(io.StringIO((here / "answers.csv").read_text())))
    by_json = record["predictions"]
    assert [line["class"] for line in in_file] == [str(one["class"]) for one in by_json]
    assert record["classes"] == list(range(10))
    assert {one["class"] for one in by_json} <= set(record["classes"])


def test_images_in_an_idx_file_are_rows_of_bytes(glassnet, here):
    """Digits from 0 to 255 as bytes, in an IDX file."""
    data = gn.load_dataset("digits")
    X, y = (data.train.X * 15).reshape(-1, 8, 8).astype(np.uint8), data.train.y
    np.savez("bytes.npz", X=X, y=y)
    glassnet("train", "bytes.npz", "--layers", "64,16,10", "--epochs", "3", "-q", "--run-dir", "run")
    (here / "images").write_bytes(struct.pack(">HBB3I", 0, 8, 3, 7, 8, 8) + X[:7].tobytes())
    found = [record["class"] for record in glassnet("predict", "run", "images", "--json").json["predictions"]]
    assert found == gn.load_model("run").predict(X[:7]).tolist()
    assert len(set(found)) > 3


def test_an_answer_file_is_not_overwritten_unasked(glassnet, run_folder, rows, here):
    (here / "mine.csv").write_text("mine")
    answer = glassnet("predict", "run", "rows.npy", "--out", "mine.csv")
    assert (answer.code, (here / "mine.csv").read_text()) == (1, "mine")
    assert "already there" in answer.error
    assert glassnet("predict", "run", "rows.npy", "--out", "mine.csv", "--overwrite").code == 0
    assert (here / "mine.csv").read_text().startswith("row,class,probability")


def with_nan():
    X = np.zeros((5, 64), np.float32)
    X[3, 7] = np.nan
    return X


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 63)), "X: rows of shape (63,), where training had 8x8 pictures"),
        (with_nan(), "X: row 4 (X[3]), column 8 holds nan"),
        (np.full((1, 64), 1e300), "X: numbers up to 1e+300, where training had 0 to 16; bring them to that range"),
        (np.zeros(64), "the file has the shape (64,); expected rows of numbers"),
        (np.zeros((0, 64)), "X: holds no rows"),
        (np.full((2, 64), "a"), "holds values of type <U1, expected whole numbers, floats or bools"),
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
    np.savez("numbers.npz", X=np.random.default_rng(0).normal(0, 1, (60, 4)).astype("f4"), y=np.arange(60) % 2)
    glassnet("train", "numbers.npz", "--layers", "4,8,1", "--loss", "half_squared_error", "-q", "--run-dir", "run")
    np.save(here / "big.npy", np.full((2, 4), 3e38, np.float32))
    assert glassnet("predict", "run", "big.npy").error.startswith(
        "big.npy: X: row 1 (X[0]) is too much for the network"
    )


def test_what_is_no_file_is_not_replaced(glassnet, run_folder, rows, here):
    (here / "elsewhere.csv").write_text("old")
    (here / "link.csv").symlink_to("elsewhere.csv")
    os.mkfifo(here / "pipe")
    refused = glassnet("predict", "run", "rows.npy", "--out", "pipe", "--overwrite")
    assert refused.error == "pipe: is no regular file; name another with --out"
    assert glassnet("predict", "run", "rows.npy", "--out", "link.csv", "--overwrite").code == 0
    assert (here / "link.csv").is_symlink()
    assert (here / "elsewhere.csv").read_text().startswith("row,class,probability")


@pytest.fixture(scope="module")
def written_table(tmp_path_factory):
    """A table of houses."""
    rng = np.random.default_rng(0)
    area, colour = rng.uniform(50, 90, 80).round(1), np.tile(["blue", "red"], 40)
    kind = np.where(area > 70, "house", "flat")
    lines = [f"{a},{c},{k},{1000 * a + 1:.1f}" for a, c, k in zip(area, colour, kind, strict=True)]
    path = tmp_path_factory.mktemp("houses") / "houses.csv"
    path.write_text("\n".join(["area,colour,kind,price", *lines]) + "\n")
    return path


@pytest.fixture
def table(written_table, here):
    return Path(shutil.copy(written_table, here))


@pytest.fixture
def learn(trained_once, written_table, here):
    """``learn(target)``: a run on the table."""

    def train(target):
        options = ["--target", target, "--epochs", "3", "--batch-size", "8"]
        shutil.copytree(trained_once(str(written_table), *options), here / "run")

    return train


def answers(out):
    return list(csv.DictReader(io.StringIO(out)))


def test_rows_of_a_table_get_their_classes(glassnet, learn, here):
    learn("kind")
    (here / "new.csv").write_text("price,colour,area\n60001,red,60\n80001,blue,80\n")  # in any order
    answer = glassnet("predict", "run", "new.csv")
    assert (answer.code, answer.err) == (0, "")
    frame = pl.DataFrame({"area": [60, 80], "colour": ["red", "blue"], "price": [60001, 80001]})
    assert [row["class"] for row in answers(answer.out)] == gn.load_model("run").predict(frame).tolist()
    (here / "wide.csv").write_text("price,colour,area,kind\n60001,red,60,flat\n", "utf-16-le")
    encoding = ["wide.csv", "--encoding", "utf-16-le", "--json"]
    assert glassnet("predict", "run", *encoding).json["predictions"][0]["class"] in ("flat", "house")
    assert glassnet("evaluate", "run", *encoding).json["rows"] == 1
    assert glassnet("evaluate", "run", "--encoding", "utf-16-le").code == 2
    assert [row["class"] for row in answers(answer.out)] == ["flat", "house"]
    assert list(answers(answer.out)[0]) == ["row", "class", "probability"]


def test_numbers_of_a_table_are_predicted_in_their_own_units(glassnet, learn, table):
    learn("price")
    answer = glassnet("predict", "run", table.name)
    rows = answers(answer.out)
    assert list(rows[0]) == ["row", "price"]
    expected = gn.load_model("run").predict(pl.read_csv(table).drop("price"))
    assert [row["price"] for row in rows] == [f"{number:.0f}" for number in expected]  # as many decimals as it has
    by_json = glassnet("predict", "run", table.name, "--json").json
    assert [record["price"] for record in by_json["predictions"]] == [float(row["price"]) for row in rows]
    assert by_json["measures"].keys() == {"r2", "mae"}
    assert answer.err.startswith("glassnet: houses.csv: scored by the answers that the file holds, 80 rows: R² ")


def test_what_training_did_not_see_is_said_on_stderr(glassnet, learn, here):
    learn("price")
    (here / "new.csv").write_text("area,colour,kind,garden\n60,green,flat,1\n")
    answer = glassnet("predict", "run", "new.csv")
    assert answer.code == 0
    assert len(answers(answer.out)) == 1
    assert answer.err.splitlines() == [
        "glassnet: new.csv: left out, as training did not have them: garden",
        "glassnet: new.csv: column 'colour': 1 value unseen in training (first 'green' in row 1), all zeros",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("area,kind\n60,flat\n", "new.csv: table: no column 'colour', which training had"),
        ("area,colour,kind\nlarge,red,flat\n", "new.csv: column 'area': row 1 is 'large'; expected a number"),
        ("area,colour,kind\n", "new.csv: "),
        ("", "new.csv: "),
    ],
)
def test_a_table_that_does_not_fit_is_one_line(glassnet, learn, here, content, message):
    learn("price")
    (here / "new.csv").write_text(content)
    answer = glassnet("predict", "run", "new.csv", "--out", "answers.csv")
    assert answer.code == 1
    assert answer.error.startswith(message)
    assert not (here / "answers.csv").exists()


def test_a_table_that_is_not_there_is_one_line(glassnet, learn):
    learn("price")
    answer = glassnet("predict", "run", "new.csv")
    assert (answer.code, answer.error.split(":")[0]) == (1, "new.csv")


def test_a_model_file_is_found_in_its_run_with_its_columns(glassnet, learn, table):
    learn("price")
    by_file = glassnet("predict", "run/model.safetensors", table.name)
    assert by_file.out == glassnet("predict", "run", table.name).out


def test_a_model_file_alone_is_enough(glassnet, learn, table, here):
    learn("price")
    found = glassnet("predict", "run", table.name)
    scored = glassnet("evaluate", "run", table.name, "--json").json
    (here / "run" / "model.safetensors").rename(here / "alone.safetensors")
    shutil.rmtree(here / "run")
    alone = glassnet("predict", "alone.safetensors", table.name)
    assert (alone.out, alone.err) == (found.out, found.err)
    record = glassnet("evaluate", "alone.safetensors", table.name, "--json").json
    assert record["measures"] == scored["measures"]
    assert (record["epochs"], scored["epochs"]) == (None, 3)
    assert "epochs" not in glassnet("evaluate", "alone.safetensors", table.name).out


def test_a_model_that_learned_from_pictures_takes_no_table(glassnet, run_folder, table):
    answer = glassnet("predict", "run", table.name)
    assert answer.code == 1
    assert answer.error.startswith("houses.csv: is a table, and the model was trained on pictures")


def test_a_model_that_learned_from_a_table_takes_no_array(glassnet, learn, here):
    learn("price")
    np.save(here / "rows.npy", np.zeros((3, 3)))
    answer = glassnet("predict", "run", "rows.npy")
    assert answer.code == 1
    assert answer.error.startswith("rows.npy: is no table; the model was trained on one with the columns area, ")


# Standardised data


@pytest.fixture(scope="module")
def written_images(tmp_path_factory):
    """Images of bytes with an uneven light, in an NPZ file."""
    rng = np.random.default_rng(0)
    y = np.arange(240) % 3
    light = np.linspace(0, 150, 36).reshape(6, 6)
    X = np.rint(light + 40 * rng.random((240, 6, 6)) + 30 * np.eye(3)[y][:, :, None].repeat(2, 1)).astype(np.uint8)
    path = tmp_path_factory.mktemp("images") / "images.npz"
    np.savez(path, X=X, y=y)
    return path


@pytest.fixture
def images(written_images, here):
    """The test rows of the images, which are in IDX and NPY files, too."""
    shutil.copy(written_images, here)
    test = gn.load_dataset("images.npz").test
    np.save(here / "test.npy", test.X)
    (here / "test.idx").write_bytes(struct.pack(">HBB3I", 0, 8, 3, *test.X.shape) + test.X.tobytes())
    return test


@pytest.fixture
def scaled_run(trained_once, written_images, images, here):
    options = ["--scaling", "standard", "--layers", "36,8,3", "--epochs", "9", "--batch-size", "16"]
    shutil.copytree(trained_once(str(written_images), *options), here / "run")


def test_raw_images_get_the_answers_that_the_standardised_run_is_judged_by(glassnet, scaled_run, images, here):
    model, data = gn.load_model("run"), gn.load_dataset("images.npz", scaling="standard")
    expected = model.network.predict(data.encoded.test.X)
    assert (model.network.predict(images.X / 255) != expected).any()  # unscaled, they are others
    for file in ("test.npy", "test.idx"):
        found = glassnet("predict", "run", file, "--json").json["predictions"]
        assert [record["class"] for record in found] == expected.tolist()
    by_file = glassnet("predict", "run/model.safetensors", "test.npy", "--json").json["predictions"]
    assert by_file == found
    accuracy = float((expected == images.y).mean())
    assert glassnet("evaluate", "run", "--json").json["accuracy"] == accuracy > 0.8


def test_rows_that_do_not_fit_a_standardised_run_are_one_line(glassnet, scaled_run, here):
    np.save(here / "bad.npy", np.zeros((3, 35)))
    answer = glassnet("predict", "run", "bad.npy")
    assert answer.error.startswith("bad.npy: X: rows of shape (35,), where training had 6x6 pictures")
    X = np.zeros((3, 36))
    X[2, 5] = np.nan
    np.save(here / "bad.npy", X)
    assert glassnet("predict", "run", "bad.npy").error.startswith(
        "bad.npy: X: row 3 (X[2]) holds a missing value or NaN"
    )


# What is printed


def numbers_and_text(here, first="一月", second="二月"):
    """A table whose classes and keys hold what not every console has signs for."""
    lines = [f"k{row},{row % 7},{(first, second)[row % 7 > 3]}" for row in range(60)]
    (here / "names.csv").write_text("\n".join(["key,x,月", *lines]) + "\n", encoding="utf-8")
    options = ["--target", "月", "--layers", "1,4,1", "--epochs", 2, "--batch-size", 8, "-q", "--no-report"]
    return ["train", "names.csv", *options, "--drop", "key", "--run-dir", "run"]


def test_answers_survive_a_console_that_has_no_sign_for_them(glassnet, here):
    assert glassnet(*numbers_and_text(here)).code == 0

    def predict(variables, *options):
        command = [sys.executable, "-m", "glassnet", "predict", "run", "names.csv", "--keep", "key", *options]
        found = subprocess.run(command, capture_output=True, env=os.environ | variables, check=True)
        assert b"Traceback" not in found.stderr
        return found.stdout

    consoles = [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "cp1252"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}]
    (found,) = {predict(variables) for variables in consoles}
    rows = answers(found.decode("utf-8"))
    assert {row["class"] for row in rows} <= {"一月", "二月"}
    assert [row["key"] for row in rows] == [f"k{row}" for row in range(60)]
    predict(consoles[2], "--out", "answers.csv")  # only this one decides how files are written
    assert (here / "answers.csv").read_bytes() == found
    assert json.loads(predict(consoles[0], "--json"))["classes"] == ["一月", "二月"]


def test_columns_are_kept_beside_the_answers_under_their_own_names(glassnet, here):
    """Also those that are called as an answer is, and those whose names hold a comma."""
    lines = [f'{row % 9},"{row}, a",c{row % 2},{row % 2},{100 + row}' for row in range(60)]
    (here / "t.csv").write_text("\n".join(['x,"a, b",class,row,key', *lines]) + "\n")
    options = ["--target", "class", "--columns", "x,row", "--epochs", 1, "--batch-size", 8, "-q", "--no-report"]
    assert glassnet("train", "t.csv", *options, "--run-dir", "run").code == 0
    answer = glassnet(
        "predict", "run", "t.csv", "--keep", "a, b", "--keep", "key,class", "--keep", "row", "--proba"
    )
    rows = answers(answer.out)
    assert list(rows[0]) == [
        *("row number", "a, b", "key", "class", "row"),
        *("predicted class", "probability", "probability c0", "probability c1"),
    ]
    assert (rows[59]["a, b"], rows[59]["key"], rows[59]["class"], rows[59]["row"]) == ("59, a", "159", "c1", "1")
    for row in rows:
        assert float(row["probability c0"]) + float(row["probability c1"]) == pytest.approx(1, abs=2e-6)
        assert float(row["probability"]) == float(row[f"probability {row['predicted class']}"])
    answer = glassnet("predict", "run", "t.csv", "--keep", "nokey")
    assert (answer.code, answer.error.split(";")[0]) == (2, "--keep: t.csv has no column 'nokey'")


def test_text_that_a_spreadsheet_takes_for_a_formula_is_disarmed(glassnet, here):
    keys = ["=1+1", "+x", "-cmd", "@sum", "-5", "+1.5e-3", "\uff1dA1", "plain", "a=b"]
    lines = [f"{keys[row % 9]},{row % 7},{'=yes' if row % 7 > 3 else 'no'}" for row in range(63)]
    (here / "t.csv").write_text("\n".join(["=key,x,kind", *lines]) + "\n", encoding="utf-8")
    options = ["--target", "kind", "--drop", "=key", "--epochs", 20, "--batch-size", 8, "-q", "--no-report"]
    assert glassnet("train", "t.csv", *options, "--run-dir", "run").code == 0
    rows = answers(glassnet("predict", "run", "t.csv", "--keep", "=key").out)
    assert list(rows[0]) == ["row", "'=key", "class", "probability"]
    assert [row["'=key"] for row in rows[:9]] == [
        *("'=1+1", "'+x", "'-cmd", "'@sum", "-5", "+1.5e-3", "'\uff1dA1", "plain", "a=b")
    ]
    assert {row["class"] for row in rows} == {"'=yes", "no"}
    rows = answers(glassnet("predict", "run", "t.csv", "--keep", "=key", "--formulas").out)
    assert [row["=key"] for row in rows[:9]] == keys


def test_rows_with_other_answers_than_those_learned_are_predicted_and_not_scored(glassnet, learn, here):
    learn("kind")
    (here / "new.csv").write_text("area,colour,kind,price\n60,red,hut,60001\n80,blue,house,80001\n")
    answer = glassnet("predict", "run", "new.csv")
    assert (answer.code, len(answers(answer.out))) == (0, 2)
    assert answer.err.startswith("glassnet: new.csv: answers are not scored: ")
    assert answer.err.count("\n") == 1
    answer = glassnet("evaluate", "run", "new.csv")
    assert answer.code == 1
    assert "hut" in answer.error


# Files that are none


def test_what_is_no_file_of_rows_is_one_line(glassnet, learn, here):
    learn("price")
    (here / "folder.csv").mkdir()
    (here / "empty.csv").write_bytes(b"")
    os.mkfifo(here / "pipe.csv")
    (here / "header.csv").write_text("area,colour,kind\n")
    for name in ("folder.csv", "empty.csv", "pipe.csv", "header.csv", "none.csv"):
        for command in ("predict", "evaluate"):
            answer = glassnet(command, "run", name)
            assert answer.code == 1
            assert answer.error.startswith(f"{name}: "), name


def test_a_run_of_another_version_is_refused_in_one_line(glassnet, run_folder, rows):
    """Model files of 0.1.0 have format 1; they do not say what rows and classes mean."""
    from safetensors.numpy import save_file

    entry = {"kind": "model file", "format": 1, "values": {}, "sha256": ""}
    theta = np.zeros(10, np.float32)
    save_file({"theta": theta}, run_folder / "model.safetensors", {"glassnet": json.dumps(entry)})
    for command in (["predict", "run", "rows.npy"], ["evaluate", "run"], ["explain", "run"]):
        answer = glassnet(*command)
        assert answer.code == 1
        assert answer.error.startswith(
            f"run/model.safetensors: is no model file of format {FORMAT}, but a model file of "
        )
        assert answer.error.endswith("another version made it: train again")


@pytest.mark.parametrize("values", [("TRUE", "FALSE"), ("+1", "-1"), ("01", "02")])
def test_classes_are_answered_as_the_file_writes_them(glassnet, here, values):
    lines = [f"{k % 7},{k % 2},{values[k % 2]}\n" for k in range(60)]
    (here / "t.csv").write_text("a,b,y\n" + "".join(lines))
    options = ["--target", "y", "--epochs", 20, "--batch-size", 8, "-q", "--no-report", "--run-dir", "run"]
    assert glassnet("train", "t.csv", *options, "--kernels", "numpy").code == 0
    answer = glassnet("predict", "run", "t.csv", "--proba", "--json").json
    assert [one["class"] for one in answer["predictions"]] == [values[k % 2] for k in range(60)]
    assert answer["classes"] == {"TRUE": ["FALSE", "TRUE"], "+1": ["-1", "+1"]}.get(values[0], ["01", "02"])
    assert answer["measures"]["accuracy"] == 1
    assert f"probability {values[0]}" in answer["predictions"][0]
    rows = answers(glassnet("predict", "run", "t.csv").out)
    assert [row["class"] for row in rows] == [values[k % 2] for k in range(60)]
    frame = pl.DataFrame({"a": [0, 1], "b": [0, 1]})
    assert gn.load_model("run").predict(frame).tolist() == list(values)
    (here / "typed.csv").write_text("a,b,y\n" + "".join(lines).replace("+1", "1").replace("TRUE", "True"))
    assert glassnet("predict", "run", "typed.csv", "--json").json["measures"]["accuracy"] == 1


def test_the_order_of_classes_is_that_of_the_option(glassnet, here):
    words = ["low", "medium", "high"]
    (here / "t.csv").write_text("a,b,y\n" + "".join(f"{k % 7},{k % 3},{words[k % 3]}\n" for k in range(60)))
    options = ["--target", "y", "--epochs", 2, "-q", "--no-report", "--run-dir", "run", "--task", "ordinal"]
    assert glassnet("train", "t.csv", *options, "--classes", "low,high").error.startswith(
        "--classes: lacks 'medium', which the target 'y' holds"
    )
    assert glassnet("train", "t.csv", *options, "--classes", ",".join(words)).code == 0
    assert glassnet("predict", "run", "t.csv", "--json").json["classes"] == words
    assert gn.load_model("run").classes == tuple(words)
    again = ["train", "--config", "run/config.toml", "--run-dir", "again", "-q", "--no-report"]
    assert glassnet(*again).code == 0
    assert gn.load_model("again").classes == tuple(words)
