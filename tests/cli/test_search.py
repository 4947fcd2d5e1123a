"""``glassnet search``."""

import re

import pytest
import tomli_w
from tests.searches import plain
from tests.study.studies import points

from glassnet.searches import runner

plain_pool = plain.plain_pool


@pytest.fixture
def given(here, plain_pool):
    """Data and the file of a small space in the working folder; searches are done in this process."""
    (here / "space.toml").write_text(tomli_w.dumps(plain.SMALL))
    return points(here)


def test_a_search_is_run_and_told(glassnet, given, here):
    command = ["search", "points.npz", "--space", "space.toml", "--trials", 10, "--finish", 2, "--workers", 1]
    answer = glassnet(*command)
    assert answer.code == 0
    lines = answer.err.splitlines()
    assert [line for line in lines if "#" in line] == lines[-12:]
    assert re.fullmatch(r" 1/12  #\d, 1 epoch: validation accuracy 0\.\d{4}, \d+\.\d s", lines[-12])
    assert re.fullmatch(r"12/12  #\d, 4 epochs: validation accuracy 0\.\d{4}, \d+\.\d s", lines[-1])
    verdict, facts, ranking, importance, train = answer.out.split("\n\n")
    assert re.match(
        r"Take trial #\d: validation accuracy 0\.\d+ after 4 epochs\.\nIt is the best of 10 trials", verdict
    )
    assert "The test rows were opened once, for it alone: " in verdict
    assert re.search(r"^work +10 trials, 16 epochs together; 2 trained to their end; ", facts)
    assert next(line.split()[0] for line in ranking.splitlines()[2:-1]) == re.search(r"#\d", verdict)[0]
    assert importance.splitlines()[0] == "Which parameters mattered"
    assert train == "To train by the winner's plan:\n  glassnet train --plan searches/points/plan.toml\n"
    assert {path.name for path in (here / "searches" / "points").iterdir()} >= {
        *("plan.toml", "results.csv", "report.html", "report.md", "space.toml", "search.json", "journal.log"),
        "recommended.json",
    }
    again = glassnet(*command, "--json")
    assert again.code == 0
    assert again.json["plan"] == "searches/points/plan.toml"
    assert again.json["winner"] == int(re.search(r"#(\d)", verdict)[1])
    assert len(again.json["trials"]) == 10
    assert "/12" not in again.err
    assert glassnet("report", "searches/points").error == (
        "searches/points: is the folder of a search: its own command writes the report again, and repeats nothing"
    )
    chinese = glassnet(*command, "--lang", "zh", "--quiet")
    assert chinese.out.startswith(f"建议采用试验 #{again.json['winner']}：训练 4 轮后，验证准确率为 0.")


def test_ctrl_c_names_the_command_that_goes_on(glassnet, given, plain_pool, monkeypatch):
    from signal import SIGINT

    def stop(self):
        raise runner.StudyInterrupted(1, 7, "searches/points", SIGINT)

    monkeypatch.setattr(plain_pool, "receive", stop)
    answer = glassnet(
        "search", "points.npz", "--space", "space.toml", "--trials", 5, "--workers", 1, "--validation", 0.2
    )
    assert answer.code == 130
    assert answer.err.splitlines()[-1] == (
        "glassnet: "
        "stopped with 1 of 7 runs done; all is saved in searches/points; go on with: glassnet search points.npz "
        "--trials 5 --space space.toml --workers 1 --validation 0.2"
    )


def test_errors_are_one_line(glassnet, given):
    assert glassnet("search", "--trials", 2).error == "DATASET: is missing: name the data to search a plan for"
    assert glassnet("search", "digits", "--strategy", "tpo").error.startswith("--strategy: unknown name 'tpo'")
    assert glassnet("search", "digits", "--space", "none.toml").error.startswith("none.toml: ")
    assert glassnet("search", "points.npz", "--validation", "test", "--out", "x").error.startswith(
        "--validation: test"
    )
    assert "did you mean --trials" in glassnet("search", "digits", "--trails", 3).error
