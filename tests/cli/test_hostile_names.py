"""Names and cells that would steer a terminal do nothing there, nor on a page, and come back as they were."""

import csv
import io
import json

import pytest

from glassnet.runtime.terminal import escape

#: Two classes, a column and a variant: a title and a bell, a colour, a turned order, a line of their own, markup.
CLASSES = ["\x1b]0;taken\x07red", "\u202ehsilgnE \x85[red]\x9b2J"]
COLUMN = "[red]width<b>"
VARIANT = "[bold]:bug:\x1b]0;taken\x07\u202e\x0b"
FILE = "a\nb\x1b[2J.csv"
STUDY = f"""
name = "small"
seeds = 2
design = "list"
budget.epochs = 1
base.data.dataset = "digits"
base.network.layers = [64, 8, 10]
base.training.kernels = "numpy"
[[variants]]
name = {json.dumps(VARIANT)}
changes = {{ training.optimizer = "sgd(0.1)" }}
"""


def assert_plain(text):
    """Demand that nothing in it needs to be escaped, but for the ends of its lines."""
    assert text
    assert [line for line in text.split("\n") if line != escape(line)] == []


def pages(folder):
    """The text of a report, and of its twin in Markdown."""
    return [(folder / f"report.{kind}").read_text(encoding="utf-8") for kind in ("html", "md")]


@pytest.fixture
def hostile(here):
    """A table of hostile names, and its name."""
    with (here / FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([COLUMN, "height", "kind"])
        writer.writerows([row % 7, row % 3, CLASSES[row % 7 > 3]] for row in range(90))
    return FILE


@pytest.fixture
def learned(glassnet, hostile):
    options = ["--target", "kind", "--epochs", 3, "--batch-size", 8, "--kernels", "numpy"]
    answer = glassnet("train", hostile, *options, "--run-dir", "run")
    assert answer.code == 0, answer.err
    return answer


def test_a_training_and_its_pages_show_names_escaped(learned, here):
    for text in (
        learned.out,
        learned.err,
        *((here / "run" / f"report.{kind}").read_text() for kind in ("html", "md")),
    ):
        assert_plain(text)
    assert all(escape(name) in pages(here / "run")[0] for name in CLASSES)


def test_what_looks_at_a_run_or_a_file_shows_names_escaped(glassnet, learned, hostile):
    for command in (
        ["evaluate", "run"],
        ["evaluate", "run", hostile],
        ["report", "run"],
        ["data", "audit", hostile, "--target", "kind"],
        ["check", hostile, "--target", "kind"],
        ["explain", "run"],
    ):
        answer = glassnet(*command)
        assert answer.code == 0, answer.err
        assert_plain(answer.out + answer.err)
    assert all(escape(name) in glassnet("evaluate", "run").out for name in CLASSES)


def test_answers_are_exact_in_a_pipe_and_in_json(glassnet, learned, hostile):
    answer = glassnet("predict", "run", hostile, "--keep", COLUMN)
    assert_plain(answer.err)
    rows = list(csv.DictReader(io.StringIO(answer.out, newline="")))
    assert {row["class"] for row in rows} <= set(CLASSES)
    assert list(rows[0]) == ["row", COLUMN, "class", "probability"]
    answer = glassnet("predict", "run", hostile, "--json")
    assert json.loads(answer.out)["classes"] == sorted(CLASSES)
    assert_plain(answer.out)


def test_an_error_is_one_line_whatever_it_names(glassnet, learned, hostile):
    for command in (
        ["train", "no\nsuch\x1b.csv"],
        ["train", hostile, "--target", "\x1b[2J\u2028"],
        ["train", "digits", "--activation", "re\x1blu\n"],
        ["train", "digits", "--epochs", "\x07\n"],
        ["predict", "run", hostile, "--keep", "\x1b\n"],
        ["evaluate", "r\x1b\nun"],
        ["study", "s\u202e\n.toml"],
        ["train", "digits", "--la\x1byers", "1"],
    ):
        assert_plain(glassnet(*command).error)


def test_a_study_shows_its_variants_escaped(glassnet, here):
    (here / "s.toml").write_text(STUDY, encoding="utf-8")
    answer = glassnet("study", "s.toml", "--folder", "s", "--workers", 1)
    assert answer.code == 0, answer.err
    for text in (
        answer.out,
        answer.err,
        *((here / "s" / f"report.{kind}").read_text() for kind in ("html", "md")),
    ):
        assert_plain(text)
    assert escape(VARIANT) in answer.out
    assert f"{escape(VARIANT)}, seed 0" in answer.err
