"""``glassnet study``."""

import json
import re
import signal
import time

import pytest
from tests.chinese import latin_words
from tests.study.studies import done, listed, points, small

from glassnet.errors import FileError
from glassnet.report import study_page
from glassnet.runtime.terminal import width_of
from glassnet.study.specification import load_study

SHORT = {"epochs": 2, "kernels": "numpy", "checkpoint_every": 1}
LINES = ["variant", "base", "optimizer=sgd(0.1)", "activation=tanh"]


@pytest.fixture
def given(here):
    """``given(**changes)``: write a small study's file."""
    data = points(here)

    def write(make=small, **changes):
        study = make(dataset=data, **changes)
        (here / "given.toml").write_text(study.text)
        return "given.toml"

    return write


@pytest.fixture
def ready(given, here):
    """``ready(**changes)``: write a small study's file, too, and do its runs in this process: no worker has to."""

    def run(make=small, **changes):
        file = given(make, **changes)
        done(load_study(here / file), here / "studies" / "small")
        return file

    return run


def test_a_study_is_run_and_told(glassnet, given, here):
    answer = glassnet("study", given(), "--workers", 1)
    assert answer.code == 0
    assert re.fullmatch(r"(\d/6  .*, seed \d: validation accuracy 0\.\d{4}, \d+\.\d s\n){6}", answer.err)
    verdict, facts, table, differences, fairness, *rest = answer.out.split("\n\n")
    assert re.match(r"Take “[^”]+”\.\nOf 3 variants it has the highest validation accuracy: 0\.\d+", verdict)
    assert "\nEvidence that it is better than " in verdict
    assert facts.splitlines()[0].split() == ["study", "small"]
    assert re.search(r"^runs +6: 3 variants, 2 seeds$", facts, re.MULTILINE)
    assert re.search(r"^validation rows +20, drawn anew for each seed$", facts, re.MULTILINE)
    assert [line.split()[0] for line in table.splitlines()[1:-1]] == LINES
    assert "2 of 2" in table
    assert "by seed" in table.splitlines()[1]
    assert table.splitlines()[-1] == "The intervals cover other seeds and other validation rows."
    assert [line.split()[0] for line in differences.splitlines()[1:-1]] == ["variant", *LINES[2:]]
    assert fairness.splitlines()[0] == "What a factor changes beside itself, at the same seed"
    assert rest[-1].startswith("What to try next:\n- ")
    assert len(list((here / "studies" / "small" / "rows").iterdir())) == 6
    assert facts.splitlines()[-1].split() == ["report", "studies/small/report.html"]
    page = (here / "studies" / "small" / "report.html").read_text(encoding="utf-8")
    assert 'lang="en"' in page
    record = json.loads((here / "studies" / "small" / "recommended.json").read_text())
    accuracy = f"accuracy {record['test_measures']['accuracy']:.4f} ("
    assert f"On the test rows, by its median run, seed {record['seed']}: AUC " in verdict
    assert accuracy in verdict
    assert len(re.findall("test rows", answer.out)) == 1
    began = time.time_ns()
    again = glassnet("study", "given.toml", "--workers", 1)
    assert (again.code, again.out, again.err) == (0, answer.out, "")
    assert all(path.stat().st_mtime_ns < began for path in (here / "studies" / "small" / "rows").iterdir())


def test_json_has_everything(glassnet, ready, here):
    file = ready()
    (here / "studies" / "small").rename(here / "mine")
    arguments = ["study", file, "--workers", 1, "--quiet", "--folder", "mine", "--json"]
    first, again = glassnet(*arguments), glassnet(*arguments)
    assert first.err == ""
    assert again.json == first.json
    found = first.json
    assert set(found) == {
        *("study", "folder", "measure", "margin", "judged_on", "fairness", "verdict"),
        *("rows", "variants", "comparisons", "interaction_test", "best_plan", "recommendation"),
        *("report", "recommended"),
    }
    assert len(found["rows"]) == 6
    assert [one["variant"] for one in found["variants"]] == LINES[1:]
    assert [one["variant"] for one in found["comparisons"]] == LINES[2:]
    same = {"weights": "same", "batches": "same", "masks": "same"}
    assert found["fairness"] == [
        {"factor": "optimizer", "levels": ["sgd(0.1)"], **same},
        {"factor": "activation", "levels": ["tanh"], **same},
    ]
    assert found["interaction_test"] is None
    assert found["best_plan"] is None
    assert (found["margin"], found["judged_on"]) == (0.005, "split-by-seed")
    assert found["verdict"][0] == f"Take “{found['recommendation']['variant']}”."
    assert found["recommendation"]["variant"] in LINES
    assert found["report"] == "mine/report.html"
    assert found["recommended"]["variant"] == found["recommendation"]["variant"]
    assert found["recommended"] == json.loads((here / "mine" / "recommended.json").read_text())


def test_without_a_report_the_test_rows_stay_closed(glassnet, ready, here):
    answer = glassnet("study", ready(seeds=1), "--workers", 1, "-q", "--no-report")
    assert answer.code == 0
    assert "report" not in answer.out
    assert "test rows" not in answer.out
    assert not list(here.glob("studies/small/re*"))
    record = glassnet("study", "given.toml", "--workers", 1, "-q", "--no-report", "--json").json
    assert (record["report"], record["recommended"]) == (None, None)
    assert not (here / "studies" / "small" / "recommended.json").exists()
    # the report can be had later, in the language that is asked for
    answer = glassnet("report", "studies/small", "--lang", "zh")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("报告         studies/small/report.html，")
    assert 'lang="zh-CN"' in (here / "studies" / "small" / "report.html").read_text(encoding="utf-8")
    assert (here / "studies" / "small" / "recommended.json").exists()
    record = glassnet("report", "studies/small", "--json").json
    assert record == {
        "study": "studies/small",
        "report": "studies/small/report.html",
        "markdown": "studies/small/report.md",
        "language": "en",
    }


def test_in_chinese_the_whole_table_is_chinese_and_aligned_and_the_record_is_not(glassnet, ready, here):
    options = ["study", ready(seeds=2), "--workers", 1, "-q", "--no-report"]
    said = glassnet(*options, "--lang", "zh").out
    assert said.startswith("推荐“")
    assert all(word in said for word in ("随机种子", "验证准确率", "尚无定论"))
    names = {word for line in LINES for word in re.findall("[A-Za-z_]+", line)}
    assert latin_words(said) - names <= {"base", "small", "studies", "optimizer", "adam", "sgd", "momentum"}
    table = said.split("各方案在所有随机种子上的结果\n")[1].split("\n区间")[0].splitlines()
    assert len({width_of(line) for line in table}) == 1
    assert not list(here.glob("studies/small/report*"))
    record = glassnet(*options, "--json").json
    assert glassnet(*options, "--lang", "zh", "--json").json == record


def test_a_report_that_cannot_be_written_costs_a_line_and_no_study(glassnet, ready, here, monkeypatch):
    def full(*_, **__):
        raise FileError(here / "report.html", "cannot be written: No space left on device")

    monkeypatch.setattr(study_page, "write_study_report", full)
    answer = glassnet("study", ready(seeds=1), "--workers", 1, "-q", "--json")
    assert (answer.code, answer.json["report"]) == (0, None)
    assert answer.err.endswith("the study is saved; try again: glassnet report studies/small\n")
    answer = glassnet("report", "studies/small")
    assert answer.code == 1
    assert answer.error.endswith("report.html: cannot be written: No space left on device")


def test_a_factorial_says_whether_factors_interact(glassnet, ready):
    factors = {"optimizer": {"levels": ["adam", "sgd(0.1)"]}, "layers": {"levels": [[64, 12, 10], [64, 9, 10]]}}
    answer = glassnet("study", ready(design="factorial", factors=factors), "--workers", 1, "-q")
    assert answer.code == 0
    said = "Do the factors act independently? Cannot be told. There are 2 seeds, and it takes 3"
    assert said in answer.out
    table = answer.out.split("What a factor changes beside itself, at the same seed\n")[1].splitlines()
    assert [re.split("  +", line) for line in table[:3]] == [
        ["factor", "first weights", "batches", "dropout masks"],
        ["optimizer", "the same", "the same", "the same"],
        ["layers", "other", "the same", "the same for rows and units that both have"],
    ]


def test_divergence_is_a_result_and_failure_an_error(glassnet, ready, here):
    mad = {
        "training.optimizer": "sgd(1e38)",
        "network.activation": "identity",
        "network.loss": "half_squared_error",
    }
    file = ready(listed, variants={"mad": mad}, seeds=[0])
    answer = glassnet("study", file, "-q", "--workers", 1)
    assert answer.code == 0
    assert "\nmad, seed 0: diverged: epoch 1, step " in answer.out
    (here / "other" / "runs").mkdir(parents=True)
    (here / "other" / "runs" / "base_seed-0").write_text("in the way")
    answer = glassnet("study", file, "-q", "--workers", 1, "--folder", "other")
    assert answer.code == 1
    assert "\nbase, seed 0: failed: " in answer.out
    assert re.search("^report +other/report.html$", answer.out, re.MULTILINE)
    assert "On the test rows" not in answer.out
    assert answer.out.startswith("No variant finished with every seed, so none can be recommended.\n")


def test_the_best_levels_together_are_one_more_variant(glassnet, ready, here):
    file = ready(
        base={
            "data": {"dataset": str(here / "points.npz")},
            "network": {"layers": [64, 12, 10]},
            "training": SHORT,
        }
    )
    arguments = ["study", file, "--workers", 1, "-q", "--no-report"]
    before = glassnet(*arguments, "--json").json
    assert before["best_plan"] is None
    answer = glassnet(*arguments, "--best", "--json").json
    [plan] = {row["variant"] for row in answer["rows"]} - {row["variant"] for row in before["rows"]}
    assert answer["rows"][: len(before["rows"])] == before["rows"]
    assert answer["best_plan"]["variant"] == plan
    assert answer["best_plan"]["winner"] == before["recommendation"]["variant"]
    seeds = [row["seed"] for row in answer["rows"] if row["variant"] == plan]
    assert seeds == [0, 1]
    # the folder's file runs it as well, and the first file goes on with it
    text = (here / "studies" / "small" / "study.toml").read_text()
    assert text.startswith((here / file).read_text().rstrip())
    assert "[[together]]" in text
    began = time.time_ns()
    again = glassnet(*arguments)
    assert "\nThe best levels together: One factor at a time, the best levels are " in again.out
    assert glassnet(*arguments, "--json").json["rows"] == answer["rows"]
    assert all(path.stat().st_mtime_ns < began for path in (here / "studies" / "small" / "rows").iterdir())


def test_best_levels_that_a_study_runs_anyway_are_said_to_be_so(glassnet, ready):
    factors = {"optimizer": {"levels": ["adam", "sgd(0.1)"]}}
    answer = glassnet("study", ready(factors=factors), "--workers", 1, "-q", "--no-report", "--best")
    assert answer.code == 0
    assert re.fullmatch(
        r"glassnet: The best levels together are “(base|optimizer=sgd\(0\.1\))”, which the study runs anyway\.\n",
        answer.err,
    )


def test_a_list_has_no_best_levels(glassnet, given, here):
    answer = glassnet("study", given(listed, variants={"slow": {"training.optimizer": "sgd(0.01)"}}), "--best")
    assert answer.code == 2
    assert answer.error == "--best: puts the best levels of factors together, and a list has none; leave it out"
    assert not (here / "studies").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "nowhere.toml: cannot be read: No such file or directory"),
        ("name = 3", "given.toml: name: input should be a valid string, got 3"),
        ("name", "given.toml: is no TOML file: "),
    ],
)
def test_a_bad_file_is_one_line(glassnet, here, text, said):
    if text is not None:
        (here / "given.toml").write_text(text)
    answer = glassnet("study", "nowhere.toml" if text is None else "given.toml")
    assert answer.code == 1
    assert answer.error.startswith(said)
    assert list(here.glob("studies")) == []


def test_another_studys_folder_is_one_line(glassnet, given, ready):
    assert glassnet("study", ready(seeds=1), "-q", "--workers", 1).code == 0
    answer = glassnet("study", given(seeds=1, budget={"seconds": 5}), "-q")
    assert answer.code == 1
    assert answer.error == "studies/small: holds another study or other settings (small); choose another folder"


@pytest.mark.parametrize("arguments", [["--workers", "0"], ["--workers", "x"], []])
def test_wrong_usage(glassnet, given, arguments):
    given()
    answer = glassnet("study", *(["given.toml", *arguments] if arguments else []))
    assert answer.code == 2
    assert answer.error


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_says_how_to_go_on(process, glassnet, given, here, number, code):
    base = {
        "data": {"dataset": "points.npz"},
        "network": {"layers": [64, 12, 10]},
        "training": {"epochs": 60, "kernels": "numpy", "checkpoint_every": 1},
    }
    file = given(base=base)
    with process("study", file, "--best", "--workers", 2, "--folder", "my study", "-q") as stopped:
        end = time.monotonic() + 60
        while not list(here.glob("my study/runs/*/config.toml")):
            assert time.monotonic() < end
            time.sleep(0.01)
        stopped.send_signal(number)
        out, err = stopped.communicate(timeout=60)
    assert (stopped.returncode, out) == (code, "")
    command = "glassnet study given.toml --best --folder 'my study' --workers 2"
    assert re.fullmatch(
        rf"glassnet: stopped with \d of 6 runs done; all is saved in my study; go on with: {command}\n", err
    )
    if number == signal.SIGINT:  # both leave the same
        answer = glassnet("study", file, "--workers", 2, "--folder", "my study", "-q", "--json")
        assert {row["status"] for row in answer.json["rows"]} == {"finished"}
    assert json.loads((here / "my study" / "study.json").read_text())["layout"]["workers"] == 2
