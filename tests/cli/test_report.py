"""``glassnet report``, and the report that ``glassnet train`` leaves in every run folder."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from glassnet.errors import FileError
from glassnet.report import baseline_section, run_page
from glassnet.training.checkpointer import Checkpointer
from glassnet.training.inspection import baselines

pytestmark = pytest.mark.filterwarnings("always::glassnet.errors.HealthWarning")

SMALL = ["digits", "--layers", "64,12,10", "--epochs", 2, "-q"]
LOST = [
    "digits",
    "--layers",
    "64,24,10",
    "--epochs",
    12,
    "-q",
    "--activation",
    "identity",
    "--optimizer",
    "sgd(5)",
]


def page_of(folder):
    return Path(folder, "report.html").read_text(encoding="utf-8")


def fails(*_, **__):
    raise FileError(Path("run/report.html"), "cannot be written: No space left on device")


def test_a_run_folder_holds_its_report(glassnet):
    answer = glassnet("train", *SMALL, "--run-dir", "run")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[-1].split() == ["report", "run/report.html"]
    assert 'lang="en"' in page_of("run")
    assert "after 2 epochs in" in Path("run/report.md").read_text(encoding="utf-8")
    shown = next(line for line in answer.out.splitlines() if line.startswith("test accuracy")).split()[2]
    assert f"{100 * float(shown):.2f} %"[:4] in page_of("run")


def test_the_record_for_programs_names_it(glassnet):
    record = glassnet("train", *SMALL, "--run-dir", "run", "--json").json
    assert record["report"] == "run/report.html"
    assert Path(record["report"]).is_file()


def test_it_speaks_the_language_that_is_asked_for(glassnet):
    assert glassnet("train", *SMALL, "--run-dir", "run", "--lang", "zh").code == 0
    assert 'lang="zh-CN"' in page_of("run")
    assert "训练报告" in page_of("run")


def test_it_can_be_left_out(glassnet):
    answer = glassnet("train", *SMALL, "--run-dir", "run", "--no-report")
    assert "report" not in answer.out
    assert not list(Path("run").glob("report*"))
    assert glassnet("train", *SMALL, "--no-report", "--json").json["report"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--lang", "de"], "--lang"),
        (["--no-report", "--find-lr"], "--no-report: is for training, and --find-lr trains nothing"),
    ],
)
def test_what_does_not_go_together_is_refused_before_training(glassnet, here, options, said):
    answer = glassnet("train", *SMALL, *options)
    assert answer.code == 2
    assert said in answer.error
    assert not list(here.iterdir())


def test_every_seed_has_its_own(glassnet):
    answer = glassnet("train", *SMALL, "--seeds", 2, "--seed", 4, "--run-dir", "runs")
    files = ["runs/seed-4/report.html", "runs/seed-5/report.html"]
    assert f"reports      {', '.join(files)}" in answer.out.splitlines()
    assert page_of("runs/seed-4") != page_of("runs/seed-5")
    record = glassnet("train", *SMALL, "--seeds", 2, "--run-dir", "others", "--json").json
    assert [one["report"] for one in record["runs"]] == ["others/seed-0/report.html", "others/seed-1/report.html"]


def test_a_run_that_goes_on_writes_it_again(glassnet):
    glassnet("train", *SMALL, "--run-dir", "run")
    answer = glassnet("train", "--resume", "run", "--epochs", 4, "-q", "--lang", "zh")
    assert answer.out.splitlines()[-1].split() == ["报告", "run/report.html"]
    assert "训练 4 轮" in page_of("run")


def test_a_run_that_diverges_leaves_one_too(glassnet):
    answer = glassnet("train", *LOST, "--run-dir", "run")
    assert answer.code == 1
    assert answer.error.endswith("; report: run/report.html")
    assert "it is sick: divergence" in page_of("run")
    assert glassnet("train", *LOST, "--run-dir", "none", "--no-report").error.endswith("its state after epoch 1")


def test_a_remedy_has_one_before_and_one_after(glassnet):
    answer = glassnet("train", *LOST, "--remedy", "--run-dir", "run")
    assert answer.code == 0
    assert "reports    run/report.html, run_remedied/report.html" in answer.out.splitlines()
    assert "it is sick: divergence" in page_of("run")
    assert "sick" not in Path("run_remedied/report.md").read_text(encoding="utf-8")
    record = glassnet("train", *LOST, "--remedy", "--run-dir", "other", "--json").json
    assert (record["before"]["report"], record["report"]) == ("other/report.html", "other_remedied/report.html")


def test_a_report_that_cannot_be_written_costs_a_line_and_no_run(glassnet, monkeypatch):
    monkeypatch.setattr(run_page, "write_run_report", fails)
    answer = glassnet("train", *SMALL, "--run-dir", "run", "--json")
    assert (answer.code, answer.json["report"]) == (0, None)
    assert answer.err.splitlines() == [
        "glassnet: no report was written: run/report.html: cannot be written: No space left on device; the run is "
        "saved; try again: glassnet report run"
    ]
    assert Path("run/model.safetensors").is_file()
    assert "report  " not in glassnet("train", *SMALL, "--run-dir", "other").out
    lost = glassnet("train", *LOST, "--run-dir", "lost")
    assert lost.code == 1
    assert len(lost.err.splitlines()) == 2
    assert lost.err.splitlines()[1].endswith("its state after epoch 1")


@pytest.mark.parametrize("error", [MemoryError(), OSError(28, "No space left on device")])
def test_nor_does_a_machine_that_is_full(glassnet, monkeypatch, error):
    def full(*_, **__):
        raise error

    monkeypatch.setattr(run_page, "write_run_report", full)
    answer = glassnet("train", *SMALL, "--run-dir", "run dir")
    assert answer.code == 0
    assert answer.err.startswith("glassnet: no report was written: ")
    assert answer.err.endswith("glassnet report 'run dir'\n")


def test_something_else_in_its_place_is_said(glassnet, run_folder):
    (run_folder / "report.html").unlink()
    (run_folder / "report.html").mkdir()
    answer = glassnet("train", "--resume", "run", "-q")
    assert answer.code == 0
    assert "glassnet: no report was written: run/report.html: cannot be written: Is a directory" in answer.err
    again = glassnet("report", "run")
    assert (again.code, again.error) == (1, "run/report.html: cannot be written: Is a directory")


def test_ctrl_c_while_it_is_written_is_said(glassnet, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(run_page, "write_run_report", stopped)
    answer = glassnet("train", *SMALL, "--run-dir", "run")
    assert answer.code == 130
    said = "stopped by Ctrl-C before the report was written; the run is saved; now: glassnet report run"
    assert answer.error == said


@pytest.mark.filterwarnings("always::UserWarning")
def test_a_folder_that_holds_no_end_of_its_run_gets_none(glassnet, monkeypatch):
    def full(checkpointer):
        checkpointer.failures.append(FileError(Path("run/model.safetensors"), "is full"))

    monkeypatch.setattr(Checkpointer, "save_model", full)
    answer = glassnet("train", *SMALL, "--run-dir", "run")
    assert answer.code == 1
    assert "go on with: glassnet train --resume run" in answer.err
    assert not list(Path("run").glob("report*"))


def test_simple_models_are_trained_by_report_and_once(glassnet, run_folder, monkeypatch):
    monkeypatch.setattr(baselines, "MOST_BOOSTING", 0)
    kept = run_folder / "baselines.json"
    kept.unlink()
    text = (run_folder / "report.md").read_text(encoding="utf-8")
    assert re.search(r"They are trained for the page by:\s+    glassnet report run\n", text)
    assert glassnet("report", "run").err == "glassnet: simple models learn from the same rows, once\n"
    page, record = page_of("run"), kept.read_bytes()
    assert "LogisticRegression" in page
    monkeypatch.setattr(baseline_section, "fit_baselines", None)
    assert glassnet("report", "run").err == ""
    assert (page_of("run"), kept.read_bytes()) == (page, record)


def test_the_report_of_a_run_is_written_again(glassnet, run_folder):
    twin = run_folder / "report.md"
    first = twin.read_text(encoding="utf-8")
    (run_folder / "report.html").unlink()
    twin.unlink()
    answer = glassnet("report", run_folder)
    assert answer.code == 0
    lines = [line.split("  ")[0] for line in answer.out.splitlines()]
    assert lines == ["report", "in Markdown"]
    assert f"{run_folder}/report.html, " in answer.out
    assert answer.err == ""

    def middle(text):
        """What does not depend on the simple models, nor on their terms."""
        return text[text.index("## Class by class") : text.index("## What the words mean")]

    assert middle(twin.read_text(encoding="utf-8")) == middle(first).replace(
        "run/config.toml", f"{run_folder}/config.toml"
    )
    record = glassnet("report", "run/model.safetensors", "--lang", "zh", "--json").json
    assert record == {
        "run": "run/model.safetensors",
        "report": "run/report.html",
        "markdown": "run/report.md",
        "language": "zh",
    }
    assert 'lang="zh-CN"' in page_of(run_folder)


@pytest.mark.parametrize(
    ("prepare", "code", "said"),
    [
        (lambda: None, 1, "nothing: does not exist"),
        (lambda: Path("nothing").mkdir(), 1, "nothing/model.safetensors: does not exist"),
    ],
)
def test_what_is_no_run_is_one_line(glassnet, here, prepare, code, said):
    prepare()
    answer = glassnet("report", "nothing")
    assert (answer.code, answer.error[: len(said)]) == (code, said)


@pytest.mark.parametrize("name", ["config.toml", "history.csv", "model.safetensors"])
def test_a_damaged_run_is_one_line(glassnet, run_folder, name):
    (run_folder / name).write_bytes(b"\xff\x00nonsense")
    answer = glassnet("report", "run")
    assert answer.code == 1
    assert answer.error.startswith(f"run/{name}: ")


def test_it_says_where_the_page_is_and_how_large(glassnet, run_folder):
    answer = glassnet("report", "run")
    size = Path("run/report.html").stat().st_size
    assert size > 10_000
    assert [line.split(maxsplit=1) for line in answer.out.splitlines()] == [
        ["report", f"run/report.html, {size / 1000:,.0f} kB"],
        ["in", "Markdown  run/report.md"],
    ]


def test_ctrl_c_ends_the_command_without_a_traceback(glassnet, run_folder, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(run_page, "write_run_report", stopped)
    answer = glassnet("report", "run")
    assert answer.code == 130
    assert "Traceback" not in answer.err


def test_help_needs_none_of_it(here):
    code = (
        "import sys; from glassnet.cli.main import main; main(['train', '--help']); "
        "print([name for name in sys.modules if 'glassnet.report' in name or name in ('jinja2', 'numpy')])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


def test_charts_and_tables_become_files(glassnet, run_folder):
    answer = glassnet("report", "run", "--figures", "figures", "--format", "svg", "--lang", "zh")
    files = sorted(path.name for path in Path("figures").iterdir())
    assert {"loss.svg", "confusion-matrix.svg", "confusion-matrix.csv", "confusion-matrix.tex"} <= set(files)
    assert not [name for name in files if name.endswith((".pdf", ".png"))]
    assert answer.out.splitlines()[-1] == f"图与表       figures，{len(files)} 个文件"
    assert "![loss](../figures/loss.svg)" in Path("run/report.md").read_text(encoding="utf-8")
    record = glassnet("report", "run", "--figures", "figures", "--format", "svg", "--json").json
    assert sorted(record["figures"]) == [f"figures/{name}" for name in files]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "png"], "--format: is of the charts, and goes with --figures DIR; add it, or leave it out"),
        (
            ["--figures", "figures", "--format", "png,eps"],
            "--format: must be some of pdf, svg, png, with commas, got 'eps'",
        ),
    ],
)
def test_formats_that_cannot_be_are_refused(glassnet, run_folder, options, said):
    answer = glassnet("report", "run", *options)
    assert (answer.code, answer.error) == (2, said)
    assert not Path("figures").exists()
