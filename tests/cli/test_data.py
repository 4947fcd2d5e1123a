"""``glassnet data``: list, fetch, audit and show."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glassnet.data.registry import DATASETS
from glassnet.data.sources import Source
from glassnet.data.target_schema import TASKS


@pytest.fixture
def home(here):
    """A folder with the file names of Fashion-MNIST."""
    folder = here / "home" / "fashion-mnist"
    folder.mkdir(parents=True)
    for name in DATASETS["fashion-mnist"].source.files:
        (folder / name).write_bytes(b"")
    return here / "home"


@pytest.fixture
def houses(here):
    """A table with a price to predict, and two equal rows."""
    rng = np.random.default_rng(0)
    rows = [
        f"{a:.1f},{c},{1000 * a:.1f}" for a, c in zip(rng.uniform(50, 90, 40), ["red", "blue"] * 20, strict=True)
    ]
    (here / "houses.csv").write_text("\n".join(["area,colour,price", *rows, rows[0]]) + "\n")
    return here / "houses.csv"


def test_the_list_has_every_name_and_what_is_asked(glassnet, home):
    record = glassnet("data", "list", "--data-dir", home, "--json").json
    assert list(record) == list(DATASETS)
    for name, entry in DATASETS.items():
        found = record[name]
        assert (found["task"], found["targets"], found["title"]) == (entry.task, entry.targets, entry.title)
        assert found["task"] in TASKS
        assert found["licence"]
        assert found["files"] == (None if entry.source is None else entry.source.files)
    places = {name: found["where"] for name, found in record.items()}
    assert places["fashion-mnist"] == str(home / "fashion-mnist")
    assert (places["iris"], places["mnist"], places["breastmnist"]) == ("in scikit-learn", None, None)


def test_the_lists_table_has_a_line_for_every_name(glassnet, home):
    answer = glassnet("data", "list", "--data-dir", home)
    lines = answer.out.splitlines()
    assert lines[0].split() == ["name", "targets", "task", "licence", "here", "what"]
    assert [line.split()[0] for line in lines[1:]] == list(DATASETS)
    assert answer.err == ""
    found = {line.split()[0]: line for line in lines[1:]}
    assert found["fashion-mnist"].split()[1:3] == ["10", "multi-class"]
    assert "  yes  " in found["fashion-mnist"]
    assert "  no  " not in found["iris"]
    assert "  no  " in found.get("mnist", found["breastmnist"])
    assert found["breast-cancer"].split()[1:3] == ["2", "binary"]


def test_a_folder_that_is_none_has_no_list(glassnet):
    answer = glassnet("data", "list", "--data-dir", "nowhere")
    assert (answer.code, answer.error.split(":")[0]) == (1, "nowhere")


@pytest.mark.parametrize("name", ["digits", "iris", "linnerud"])
def test_what_comes_with_scikit_learn_needs_no_fetching(glassnet, name):
    assert glassnet("data", "fetch", name).out.endswith("comes with scikit-learn; there is nothing to fetch\n")
    assert glassnet("data", "fetch", name, "--json").json == {"dataset": name, "files": []}


def test_what_is_at_hand_is_not_fetched_but_named(glassnet, home):
    files = [str(home / "fashion-mnist" / name) for name in DATASETS["fashion-mnist"].source.files]
    assert glassnet("data", "fetch", "fashion-mnist", "--data-dir", home, "--json").json["files"] == files
    assert glassnet("data", "fetch", "fashion-mnist", "--data-dir", home).out == "".join(
        f"file  {file}\n" for file in files
    )


def test_a_set_of_that_name_is_not_known(glassnet):
    answer = glassnet("data", "fetch", "mnistt")
    assert answer.code == 2
    assert answer.error.startswith("DATASET: unknown name 'mnistt'; did you mean 'mnist'?")


def test_without_data_and_connection_fetching_is_one_line_that_says_what_to_do(glassnet, here, monkeypatch):
    entry = DATASETS["fashion-mnist"]
    nowhere = Source("fashion-mnist", "http://127.0.0.1:9/", entry.source.files)
    monkeypatch.setitem(DATASETS, "fashion-mnist", replace(entry, source=nowhere))
    answer = glassnet("data", "fetch", "fashion-mnist")
    assert answer.code == 1
    assert answer.error.startswith("fashion-mnist: not found. GLASSNET_DATA or --data-dir: unset; cache ")
    assert "download from http://127.0.0.1:9/: no connection. Go online, or put " in answer.error


def test_audit_looks_digits_over(glassnet):
    record = glassnet("data", "audit", "digits", "--json").json
    assert (record["name"], record["columns"]) == ("digits", 64)
    assert record["rows"] == {"train": 1318, "validation": 120, "test": 359}
    assert record["class_rows"]["3"]["train"] > 100
    assert sum(counts["test"] for counts in record["class_rows"].values()) == 359
    assert 0 in record["constant_columns"]  # the corner is never written on
    assert record["missing"] == {"train": 0, "validation": 0, "test": 0}
    answer = glassnet("data", "audit", "digits")
    lines = answer.out.splitlines()
    assert lines[0].split() == ["data", "digits"]
    assert any(line.startswith("remark") and "columns are the same in all training rows" in line for line in lines)
    assert lines[-11].split() == ["class", "train", "validation", "test"]
    assert [line.split()[0] for line in lines[-10:]] == [str(digit) for digit in range(10)]
    assert (answer.code, answer.err) == (0, "")


def test_audit_looks_a_table_over(glassnet, houses):
    record = glassnet("data", "audit", houses.name, "--target", "price", "--json").json
    assert sum(record["rows"].values()) == 41
    assert record["columns"] == 2
    assert len(record["duplicates"]) == record["counts"]["duplicates"] == 1
    assert (record["class_rows"], record["contradictions"]) == ({}, [])
    assert record["checksums"] == {"houses.csv": hashlib.md5(houses.read_bytes()).hexdigest()}
    table = glassnet("data", "audit", houses.name, "--target", "price").out
    assert "class" not in table
    assert f"md5 {record['checksums']['houses.csv']}" in table


def test_audit_of_a_table_wants_a_target(glassnet, houses):
    answer = glassnet("data", "audit", houses.name)
    assert (answer.code, answer.error) == (2, "--target: name the column to predict, for example --target price")


def test_audit_reports_missing_values_by_column_and_split_and_does_not_stop_at_them(glassnet, houses):
    houses.write_text(houses.read_text() + ",red,70000\n" * 9)
    for impute in ((), ("--impute", "error"), ("--impute", "median")):
        answer = glassnet("data", "audit", houses.name, "--target", "price", *impute)
        assert (answer.code, answer.err) == (0, "")
        lines = answer.out.splitlines()
        assert any(
            line.startswith("remark") and "missing values in 1 of 2 columns: area (9, 18.0%)" in line
            for line in lines
        )
        assert lines[-2].split() == ["missing", "in", "train", "validation", "test"]
        name, *counts = lines[-1].split()
        assert name == "area"
        assert sum(map(int, counts[::2])) == 9
    record = glassnet("data", "audit", houses.name, "--target", "price", "--json").json
    assert sum(record["missing_columns"]["area"].values()) == 9


def test_audit_takes_the_options_of_reading(glassnet, here):
    text = "name;size;kind\n" + "".join(f"n{row};{row * row % 89},5;{'ab'[row % 2]}\n" for row in range(60))
    (here / "own.csv").write_text(text)
    options = ("--target", "kind", "--sep", ";", "--decimal", ",", "--drop", "name")
    record = glassnet("data", "audit", "own.csv", *options, "--json").json
    assert (record["columns"], record["left_out"]) == (1, ["name"])
    assert record["class_rows"].keys() == {"a", "b"}
    answer = glassnet("data", "audit", "own.csv", "--target", "kind", "--grey")
    assert (answer.code, answer.error.split(":")[0]) == (2, "--grey")


def test_audit_names_options_as_the_command_line_has_them(glassnet, here):
    (here / "own.csv").write_text("size,kind\n" + "".join(f"{row % 7},{row % 2}\n" for row in range(60)))
    assert ": --task regression says otherwise" in glassnet("data", "audit", "own.csv", "--target", "kind").out


def test_audit_prints_at_most_ten_columns_that_lack_values(glassnet, here):
    names = [f"c{number}" for number in range(25)]
    rows = [[str(row * number % 7) for number in range(25)] for row in range(40)]
    for number in range(25):
        rows[number][number] = ""
    lines = [
        ",".join([*names, "y"]),
        *(",".join([*row, str(row_number % 2)]) for row_number, row in enumerate(rows)),
    ]
    (here / "gaps.csv").write_text("\n".join(lines) + "\n")
    answer = glassnet("data", "audit", "gaps.csv", "--target", "y")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[-1] == "and 15 more"
    assert lines[-12].startswith("missing in")
    record = glassnet("data", "audit", "gaps.csv", "--target", "y", "--json").json
    assert len(record["missing_columns"]) == record["counts"]["missing_columns"] == 25


def test_audit_of_a_name_takes_no_target(glassnet):
    answer = glassnet("data", "audit", "digits", "--target", "price")
    assert answer.code == 2
    assert answer.error.startswith("--target: goes with data of your own")


def test_audit_counts_numbers_that_are_none(glassnet, here):
    X = np.random.default_rng(0).normal(size=(40, 3))
    X[:, 0] = np.nan
    X[5, 1] = np.inf
    for name, rows in (("some", X), ("all", np.full((40, 3), np.nan))):
        np.savez(here / f"{name}.npz", X=rows, y=np.arange(40) % 2)
        record = glassnet("data", "audit", f"{name}.npz", "--json").json
        assert sum(record["missing"].values()) == np.count_nonzero(~np.isfinite(rows))
        assert any("NaN or infinite" in remark for remark in record["remarks"])
        assert glassnet("data", "audit", f"{name}.npz").code == 0


def test_a_table_holds_no_images_to_show(glassnet, houses):
    """`data show` has no --target, so it must not ask for one."""
    answer = glassnet("data", "show", houses.name)
    assert answer.code == 1
    assert "holds no images" in answer.error


@pytest.mark.real_data
def test_audit_finds_the_image_that_breastmnist_holds_twice(glassnet, fashion_mnist_home):
    if not Path(fashion_mnist_home, "medmnist", "breastmnist.npz").is_file():
        pytest.skip("needs BreastMNIST: medmnist/breastmnist.npz in the folder that GLASSNET_DATA names")
    record = glassnet("data", "audit", "breastmnist", "--data-dir", fashion_mnist_home, "--json").json
    assert record["rows"] == {"train": 546, "validation": 78, "test": 156}
    assert [remark for remark in record["remarks"] if "number for number" in remark] == [
        "1 row stands in train and in test, number for number: "
        f"for example row {record['duplicates'][0][0][1]} of train and row {record['duplicates'][0][1][1]} of test"
    ]
    assert list(record["checksums"]) == ["breastmnist.npz"]
    table = glassnet("data", "audit", "breastmnist", "--data-dir", fashion_mnist_home).out
    assert "1 row stands in train and in test, number for number" in table


def test_show_draws_and_counts(glassnet, here):
    record = glassnet("data", "show", "digits", "--per-class", 3, "--json").json
    assert record["picture"] == "digits.png"
    assert (here / "digits.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert [sum(counts) for counts in record["rows"].values()] == [1318, 120, 359]
    assert record["classes"] == [str(digit) for digit in range(10)]


def test_the_table_holds_the_same(glassnet):
    lines = glassnet("data", "show", "digits", "--out", "grid.png").out.splitlines()
    assert lines[0] == "data     digits"
    assert lines[-1].split() == ["all", "1318", "120", "359"]
    assert len(lines) == 3 + 1 + 1 + 10 + 1


def test_a_picture_is_not_overwritten_unasked(glassnet, here):
    (here / "digits.png").write_text("mine")
    answer = glassnet("data", "show", "digits")
    assert answer.code == 1
    assert answer.error == "digits.png: is already there; choose another with --out, or add --overwrite"
    assert (here / "digits.png").read_text() == "mine"
    assert glassnet("data", "show", "digits", "--overwrite").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["mnistt"], 2, "DATASET: unknown name 'mnistt'"),
        (["iris"], 1, "iris: holds no images with classes that could be shown"),
        (["linnerud"], 1, "linnerud: holds no images with classes that could be shown"),
        (["digits", "--per-class", "0"], 2, "--per-class: must be a whole number from 1 to 100"),
        (["digits", "--out", "no/where.png"], 1, "no/where.png: cannot be written"),
        (["digits", "--out", "/proc"], 1, "/proc: is no regular file"),
        (["digits", "--out", "grid.gif"], 1, "grid.gif: ends in neither .pdf, .svg nor .png; choose one of them"),
        (["fashion-mnist", "--data-dir", "nowhere"], 1, "nowhere: is no folder"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_line(glassnet, here, arguments, code, message):
    answer = glassnet("data", "show", *arguments)
    assert answer.code == code
    assert answer.error.startswith(message)
    assert not list(here.iterdir())
