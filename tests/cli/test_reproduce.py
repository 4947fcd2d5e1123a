"""``glassnet reproduce``."""

import re
import signal
import subprocess
import sys
import time

import pytest
from tests.reproductions.publications import ANY, ROWS, TANH, come_along, publish, repeated
from tests.study.studies import done, listed, points

from glassnet.reproductions.publication import load_published_study

#: The command, with the publications of a folder in place of those that come along.
SCRIPT = """
import sys
from pathlib import Path
from glassnet.cli.main import main
from glassnet.reproductions import publication

publication._folder = lambda: Path("published")
if __name__ == "__main__":
    sys.exit(main())
"""


MAD = {"training.optimizer": "sgd(1e38)", "network.activation": "identity", "network.loss": "half_squared_error"}


@pytest.fixture
def tiny(here, monkeypatch):
    """A publication of seconds that comes along."""
    come_along(monkeypatch, publish(here / "published", points(here), seeds=1))
    return here


def do_runs(folder):
    """Do the runs of the tiny publication in this process, so that no worker has to."""
    done(load_published_study("tiny"), folder / "study")


def test_a_table_is_repeated_and_told(glassnet, tiny):
    answer = glassnet("reproduce", "tiny", "--workers", 1, "--figures", "figures")
    assert answer.code == 0
    written = {path.name for path in (tiny / "figures").iterdir()}
    charts = {f"printed-{number}.{kind}" for number in (1, 2, 3) for kind in ("pdf", "svg", "png")}
    assert charts | {"printed.csv", "printed.tex"} == written
    assert re.fullmatch(r"(\d/2  .*, seed 0: validation accuracy 0\.\d{4}, \d+\.\d s\n){2}", answer.err)
    facts, table, rest = answer.out.split("\n\n")
    assert [line.split(maxsplit=1) for line in facts.splitlines()] == [
        ["printed", "in  nobody (2026)"],
        ["folder", "reproductions/tiny"],
        ["report", "reproductions/tiny/report.html"],
    ]
    assert re.split(r"\s{2,}", table.splitlines()[0]) == [
        *(
            "row",
            "verdict",
            "quantity",
            "printed",
            "mean of 1 seed",
            "best seed",
            "counts as the same",
            "training",
        )
    ]
    assert [line.split("  ")[0] for line in table.splitlines()[1:]] == ["[64, 12, 10]", "tanh", ""]
    assert "test accuracy" in table
    lines = rest.splitlines()
    assert lines[0].startswith("2 printed rows: ")
    assert any(
        line.startswith("tanh: not reproduced, because the validation accuracy, best epoch is ") for line in lines
    )
    assert lines[-1].startswith("tanh is better: ")
    page = (tiny / "reproductions" / "tiny" / "report.html").read_text(encoding="utf-8")
    assert 'lang="en"' in page
    assert lines[0] in page
    # the report of its study, with everything about the runs, is where the page says
    [link] = re.findall(r'href="(study/[^"]*)"', page)
    study = (tiny / "reproductions" / "tiny" / link).read_text(encoding="utf-8")
    assert "<h1>small</h1>" in study


def test_json_in_chinese_and_a_second_call_that_repeats_nothing(glassnet, tiny):
    figure = {"quantity": "train_loss", "printed": 1.0, **ANY}
    fails = {"variant": "mad", "table": "networks", "label": "mad", "behaviour": "fails", "figures": [figure]}
    study = listed({"tanh": TANH, "mad": MAD}, "points.npz", seeds=1)
    publish(tiny / "published", "points.npz", study=study, rows=[*ROWS, fails])
    do_runs(tiny / "mine")
    arguments = ["reproduce", "tiny", "--workers", 1, "--quiet", "--folder", "mine", "--json"]
    first = glassnet(*arguments)
    assert (first.code, first.err) == (0, "")
    began = time.time_ns()
    again = glassnet(*arguments, "--lang", "zh")
    assert again.json == first.json  # the console speaks English
    assert all(path.stat().st_mtime_ns < began for path in (tiny / "mine" / "study" / "rows").iterdir())
    found = first.json
    assert set(found) == {"publication", "folder", "report", "rows", "orders", "answers", "failed"}
    assert (found["folder"], found["report"], found["answers"], found["failed"]) == (
        "mine",
        "mine/report.html",
        [],
        [],
    )
    assert found["publication"]["title"]["en"] == "A tiny table"
    base, tanh, mad = found["rows"]
    assert (base["label"], tanh["verdict"]) == ("[64, 12, 10]", "not-reproduced")
    [one] = base["figures"]
    assert (one["figure"]["printed"], one["mean"], one["of"]) == (1.25, one["seeds"]["0"], 1)
    assert one["ours"] == one["best"] == one["mean"]
    assert [figure["inside"] for figure in tanh["figures"]] == [True, False]
    # what diverged is a result
    assert (mad["verdict"], mad["behaviour"]) == ("same-behaviour", "fails")
    assert mad["figures"][0]["mean"] is None
    assert "divergence" in mad["health"]
    [order] = found["orders"]
    assert order["holds"] == (order["means"][0] < order["means"][1])
    assert (order["order"]["text"]["en"], order["of"]) == ("tanh is better", 1)
    for folder in (tiny / "mine", tiny / "mine" / "study"):
        assert '<html lang="zh-CN">' in (folder / "report.html").read_text(encoding="utf-8")
        assert (folder / "report.md").exists()


def test_answers_are_told_with_their_tables(glassnet, here, monkeypatch):
    monkeypatch.setattr("glassnet.reproductions.reproduce.reproduce", lambda name, folder, **_: repeated(folder))
    told = glassnet("reproduce", "seed-report", "-q")
    assert told.code == 0
    *_, crossed, _, _, _, adam, _ = re.split(r"\n\n(?=[A-Z].*\?\n)", told.out)
    assert crossed.startswith("Does tanh converge at a smaller learning rate?\n  Not in 1,000 epochs")
    header, *lines = crossed.split("\n\n")[1].splitlines()
    heads = ["hidden layers", "output layer", "learning rate", "training loss of the seeds", "runs that learn"]
    assert re.split(r"\s{2,}", header) == [*heads, "hidden slopes flat", "output slopes flat"]
    assert lines[4].split() == ["±1", "±0.05", "0.01", "800.0", "to", "900.0", "2", "of", "2", "75%", "0%"]
    assert adam.split("\n\n")[1].splitlines()[1].split() == ["printed", "1,000", "8,086.5", "0.2515"]
    answers = glassnet("reproduce", "seed-report", "-q", "--json").json["answers"]
    assert [set(one) for one in answers] == [{"question", "text", "table"}] * 8
    tables = [one["table"] for one in answers]
    assert [table is not None for table in tables] == [False, True, True, False, False, False, True, False]
    assert tables[2][5] == ["±1", "±0.05", "0.01", "800.0 to 900.0", "2 of 2", "75%", "0%"]


def test_a_run_that_failed_is_named_and_ends_with_1(glassnet, tiny):
    runs = tiny / "reproductions" / "tiny" / "study" / "runs"
    runs.mkdir(parents=True)
    (runs / "tanh_seed-0").write_text("in the way")
    answer = glassnet("reproduce", "tiny", "--workers", 1, "-q")
    assert answer.code == 1
    assert "\ntanh, seed 0: failed: " in answer.out
    assert "tanh: not reproduced, because no run of ours has a test accuracy; " in answer.out
    page = (tiny / "reproductions" / "tiny" / "report.html").read_text(encoding="utf-8")
    assert "tanh: not reproduced, because no run of ours" in page


def test_a_report_that_cannot_be_written_costs_a_line_and_no_table(glassnet, tiny):
    (tiny / "reproductions" / "tiny" / "report.html").mkdir(parents=True)
    do_runs(tiny / "reproductions" / "tiny")
    answer = glassnet("reproduce", "tiny", "--workers", 1, "-q")
    assert answer.code == 0
    assert answer.err.startswith("glassnet: no report was written: ")
    again = "glassnet reproduce tiny --folder reproductions/tiny --workers 1"
    assert answer.err.endswith(f"the table is saved; try again: {again}\n")
    assert "2 printed rows: " in answer.out
    assert "\nreport " not in answer.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["seed_report"], "unknown name 'seed_report'; did you mean 'seed-report'?"),
        (["nothing"], "unknown name 'nothing'; Known: nielsen, seed-report, zalando-mlp"),
        (["tiny", "--workers", "0"], "--workers"),
        (["tiny", "--lang", "de"], "--lang"),
        ([], "NAME"),
    ],
)
def test_wrong_usage(glassnet, here, arguments, said):
    answer = glassnet("reproduce", *arguments)
    assert answer.code == 2
    assert said in answer.error
    assert list(here.iterdir()) == []


def test_train_takes_a_number_of_validation_rows(glassnet):
    answer = glassnet("train", "digits", "--validation", "tests")
    assert answer.code == 2
    assert answer.error.startswith("--validation: ")


def test_ctrl_c_says_how_to_go_on(tiny):
    base = {
        "data": {"dataset": "points.npz"},
        "network": {"layers": [64, 12, 10]},
        "training": {"epochs": 60, "kernels": "numpy", "checkpoint_every": 1},
    }
    publish(tiny / "published", "points.npz", base=base, seeds=2)
    (tiny / "patched.py").write_text(SCRIPT)
    command = [sys.executable, "patched.py", "reproduce", "tiny", "--workers", "2", "--folder", "my table", "-q"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, "--lang", "zh"], **pipes) as stopped:
        end = time.monotonic() + 60
        while not list(tiny.glob("my table/study/runs/*/config.toml")):
            assert time.monotonic() < end
            assert stopped.poll() is None
            time.sleep(0.01)
        stopped.send_signal(signal.SIGINT)
        out, err = stopped.communicate(timeout=60)
    assert (stopped.returncode, out) == (130, "")
    again = "glassnet reproduce tiny --lang zh --folder 'my table' --workers 2"
    said = rf"glassnet: stopped with \d of 4 runs done; all is saved in my table/study; go on with: {again}\n"
    assert re.fullmatch(said, err)
    assert not (tiny / "my table" / "report.html").exists()
