"""The walk of the README, from a table as it comes to answers in a script, does what the README says."""

import contextlib
import csv
import io
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import glassnet as gn

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
FILES = ("customers.csv", "new-customers.csv")


ENGLISH, CHINESE = ("README.md", "From a table to answers"), ("README.zh-CN.md", "从表格到答案")


def walk(page=ENGLISH):
    """Return the part of the README that is the walk."""
    text = (ROOT / page[0]).read_text(encoding="utf-8")
    return re.search(rf"^## {page[1]}\n(.*?)^## ", text, re.DOTALL | re.MULTILINE)[1]


def steps(page=ENGLISH):
    """Return the commands of the walk, each with what it prints."""
    blocks = re.findall(r"^```console\n(.*?)^```$", walk(page), re.DOTALL | re.MULTILINE)
    return [
        (shlex.split(command), said)
        for block in blocks
        for command, said in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


def script(page=ENGLISH):
    """Return the script of the walk, and what it prints."""
    return re.search(
        r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", walk(page), re.DOTALL | re.MULTILINE
    ).groups()


def run_command(words, folder):
    """Run a command of the walk in a folder; return stderr and stdout, one after the other, and stdout."""
    environment = os.environ | {"COLUMNS": "200", "NO_COLOR": "1", "PYTHONPATH": str(Path(gn.__file__).parents[1])}
    called = [sys.executable, "-m", "glassnet", *words[1:]]
    done = subprocess.run(
        called, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    return done.stderr + done.stdout, done.stdout


def take_walk(page, folder):
    """Run each command of a walk in an empty folder, and return what each printed."""
    (folder / "examples").mkdir()
    for name in FILES:
        shutil.copy(EXAMPLES / name, folder / "examples" / name)
    return [run_command(words, folder) for words, _ in steps(page)]


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """A folder in which each command of the walk was run, and what each printed."""
    folder = tmp_path_factory.mktemp("walk")
    return folder, take_walk(ENGLISH, folder)


def split_numbers(text):
    """Return a text without its numbers, and these."""
    number = r"(?<![\w.])\d+\.\d+"
    return re.sub(r" +", " ", re.sub(number, "#", text)), [float(one) for one in re.findall(number, text)]


def assert_alike(printed, shown):
    """Hold what was printed against what is shown, where ``...`` stands for lines left out.

    Words are the same; numbers may differ a little, for another processor rounds in another way.
    """
    (words, numbers), (shown_words, shown_numbers) = split_numbers(printed), split_numbers(shown)
    parts = [re.escape(part) for part in shown_words.split("...\n")]
    assert re.fullmatch(r"(?:.*\n)+?".join(parts), words), words
    left = iter(numbers)  # those that are shown come in this order, with others between them
    assert all(any(one == pytest.approx(other, abs=0.05) for other in left) for one in shown_numbers), numbers


def test_the_commands_print_what_the_readme_says(walked):
    assert [words[1] for words, _ in steps()] == ["train", "predict"]
    for (printed, _), (_, shown) in zip(walked[1], steps(), strict=True):
        assert_alike(printed, shown)


def test_the_commands_print_what_the_chinese_readme_says(tmp_path):
    for (printed, _), (_, shown) in zip(take_walk(CHINESE, tmp_path), steps(CHINESE), strict=True):
        assert_alike(printed, shown)
    assert script(CHINESE) == script()


@pytest.mark.parametrize(
    "printed", ["a 0.5\nb 0.7\n", "a 0.9\nb\nc 0.7\n", "a 0.5\nb\nc 0.7\nd\n", "a 0.5\nc 0.7\n"]
)
def test_what_is_not_as_shown_is_noticed(printed):
    assert_alike("a 0.51\nx 0.3\nc 0.7\n", "a 0.5\n...\nc 0.7\n")
    with pytest.raises(AssertionError):
        assert_alike(printed, "a 0.5\n...\nc 0.7\n")


def read_answers(walked):
    return list(csv.DictReader(io.StringIO(walked[1][1][1])))


@pytest.mark.filterwarnings("ignore::glassnet.DataWarning")
def test_the_network_learned_something_and_its_report_says_how_good_it_is(walked):
    folder, _ = walked
    report = (folder / "customers" / "report.md").read_text(encoding="utf-8")
    accuracy = float(re.search(r"test accuracy: ([\d.]+) %", report)[1])
    assert accuracy > 85  # of the customers 51 % stayed
    assert (folder / "customers" / "report.html").stat().st_size > 10_000
    model = gn.load_model(folder / "customers")
    assert model.classes == ("no", "yes")
    data = gn.load_dataset(folder / "examples" / "customers.csv", target="churned", drop="id", dates="joined")
    assert model.score(data.test) == pytest.approx(accuracy / 100, abs=1e-4)


def test_the_script_gives_the_same_answers_as_the_command(walked, monkeypatch):
    folder, _ = walked
    text, shown = script()
    assert len([line for line in text.splitlines() if line]) <= 10
    monkeypatch.chdir(folder)
    printed, names = io.StringIO(), {"__name__": "__main__"}
    with contextlib.redirect_stdout(printed), pytest.warns(gn.DataWarning, match="filled"):
        exec(compile(text, "README.md", "exec", dont_inherit=True), names)
    assert_alike(printed.getvalue(), shown)
    answers = read_answers(walked)
    lines = [line.split(maxsplit=2) for line in printed.getvalue().splitlines()]
    assert [line[:2] for line in lines] == [[one["id"], one["class"]] for one in answers]
    shares = [[float(one[f"probability {name}"]) for name in ("no", "yes")] for one in answers]
    assert np.allclose([np.fromstring(line[2].strip("[]"), sep=" ") for line in lines], shares, atol=6e-5)


@pytest.mark.filterwarnings("ignore::glassnet.DataWarning")
def test_every_way_to_hand_over_the_rows_gives_the_same_answers_to_the_bit(walked):
    import pandas as pd
    import polars as pl

    folder, _ = walked
    model, path = gn.load_model(folder / "customers"), folder / "examples" / "new-customers.csv"
    records = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(), delimiter=";"))
    probabilities = model.predict_proba(path)
    ways = {
        "text": records,
        "pandas": pd.read_csv(path, sep=";", decimal=","),
        "dates": pd.read_csv(path, sep=";", decimal=",", parse_dates=["joined"], dayfirst=True),
        "polars": pl.read_csv(path, separator=";", decimal_comma=True),
        "sorted columns": pl.read_csv(path, separator=";", infer_schema=False).select(sorted(records[0])),
        "without the id": [{name: value for name, value in row.items() if name != "id"} for row in records],
    }
    for way, rows in ways.items():
        assert (model.predict_proba(rows) == probabilities).all(), way
    alone = np.vstack([model.predict_proba([row]) for row in records])
    assert (alone == probabilities).all()
    answers = read_answers(walked)
    assert np.allclose(probabilities[:, 1], [float(one["probability yes"]) for one in answers], atol=1e-6)
    assert [one["id"] for one in answers] == [row["id"] for row in records]


def test_one_file_is_all_that_a_model_needs(walked, tmp_path):
    folder, _ = walked
    alone = shutil.copy(folder / "customers" / "model.safetensors", tmp_path / "left.safetensors")
    _, answers = run_command(
        ["glassnet", "predict", str(alone), "examples/new-customers.csv", "--keep", "id", "--proba"], folder
    )
    assert answers == walked[1][1][1]


def test_the_same_comes_as_json(walked):
    folder, _ = walked
    words = ["glassnet", "predict", "customers", "examples/new-customers.csv", "--keep", "id", "--proba", "--json"]
    found = json.loads(run_command(words, folder)[1])
    assert found["classes"] == ["no", "yes"]
    rows = [{name: str(value) for name, value in record.items()} for record in found["predictions"]]
    assert rows == read_answers(walked)


def test_the_files_are_those_that_the_script_beside_them_writes(tmp_path):
    runpy.run_path(str(EXAMPLES / "customers.py"))["write_files"](tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (EXAMPLES / name).read_bytes()


def test_who_leaves_depends_on_the_columns():
    with (EXAMPLES / "customers.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert len(rows) == 400
    assert sum(not row["visits"] for row in rows) >= 20
    assert sum(not row["fee"] for row in rows) >= 5

    def share(kind):
        chosen = [row["churned"] == "yes" for row in rows if kind(row)]
        return sum(chosen) / len(chosen)

    assert share(lambda row: row["contract"] == "monthly") > share(lambda row: row["contract"] == "yearly") + 0.2
    assert (
        share(lambda row: row["joined"].endswith("2024")) > share(lambda row: row["joined"].endswith("2021")) + 0.2
    )
