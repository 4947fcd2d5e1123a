"""``glassnet assignment``."""

import re
import shutil
import subprocess
import tomllib
from signal import Signals

import pandas
import pytest
from tests.study.studies import done

from glassnet.assignment import handin, work
from glassnet.assignment.walk import explain_backpropagation
from glassnet.charts.painting import FORMATS
from glassnet.locales.catalogue import Words
from glassnet.reproductions.publication import load_published_study
from glassnet.study.runner import StudyInterrupted
from glassnet.study.specification import load_study, study_of

#: What every document shows, besides the charts of the plan's history.
FIGURES = {
    *("data", "graph-operations", "graph-matrices", "results", "plan-loss", "plan-accuracy"),
    *("confusion-matrix", "first-layer-weights", "worst-mistakes"),
}
TABLES = {
    *("gradients", "factors", "level-means", "results", "differences", "plans", "plan-settings"),
    *("confusion-matrix", "class-scores"),
}


@pytest.fixture
def short_work(monkeypatch):
    """A study of a few small networks, and final plans of an epoch."""
    whole = tomllib.loads(load_published_study("assignment").text)
    factors = {
        "network": {"key": "network.layers", "levels": [[784, 28, 10], [784, 16, 8, 10]]},
        "activation": {"levels": ["sigmoid", "relu"]},
        "optimizer": {"levels": ["sgd(0.1)", "adam"]},
    }
    short = study_of(whole | {"seeds": 2, "factors": factors})
    monkeypatch.setattr("glassnet.assignment.plans.load_published_study", lambda name: short)
    monkeypatch.setattr("glassnet.assignment.plans.MOST_EPOCHS", 2)
    monkeypatch.setattr(work, "PLAN_EPOCHS", 3)


@pytest.fixture
def nothing_installed(monkeypatch):
    """Neither pandoc nor TeX."""
    monkeypatch.setattr(shutil, "which", lambda program: None)


def check_folder(folder, language, formats=FORMATS):
    """Every figure and table is there in all its forms, and the documents show all of them."""
    figures, tables = ({path.stem for path in (folder / part).iterdir()} for part in ("figures", "tables"))
    assert figures >= FIGURES
    assert tables >= TABLES
    begins = {"pdf": b"%PDF-", "png": b"\x89PNG", "svg": b"<"}
    for name in figures:
        for kind in formats:
            content = (folder / "figures" / f"{name}.{kind}").read_bytes()
            assert content.startswith(begins[kind])
            assert len(content) > 1500
            assert kind != "pdf" or content.rstrip().endswith(b"%%EOF")
    for name in tables:
        table = pandas.read_csv(folder / "tables" / f"{name}.csv")
        assert min(table.shape) > 0
        assert r"\toprule" in (folder / "tables" / f"{name}.tex").read_text(encoding="utf-8")
    markdown, latex = ((folder / f"document.{kind}").read_text(encoding="utf-8") for kind in ("md", "tex"))
    assert set(re.findall(r"\]\(figures/(\S+)\.svg\)", markdown)) == figures
    assert set(re.findall(r"\{figures/(\S+)\.pdf\}", latex)) == figures
    assert tables - {"confusion-matrix"} == set(re.findall(r"\\input\{tables/(\S+)\.tex\}", latex))
    assert "None" not in markdown
    for step in explain_backpropagation(Words(language)).elements.backward:
        assert step.equations[0] in markdown
        assert step.equations[0] in latex
    return markdown


@pytest.mark.usefixtures("short_work", "nothing_installed")
def test_the_whole_assignment_on_digits(glassnet, here, monkeypatch):
    # in this process and one format: the slow tests start workers, and draw the others
    monkeypatch.setattr(work, "run_study", lambda study, folder, **options: done(study, folder))
    monkeypatch.setattr(handin, "FORMATS", ("svg",))
    answer = glassnet("assignment", "digits", "--lang", "zh")
    assert answer.code == 0, answer.err
    assert "glassnet: the study: 8 variants with 2 seeds, 16 runs\n" in answer.err
    assert "glassnet: the found plan " in answer.err
    markdown = check_folder(here / "handin", "zh", ("svg",))
    study = load_study(here / "handin-runs" / "study" / "study.toml")
    assert {one.config.network.layers[0] for one in study.variants()} == {64}
    assert "每种用 2 个随机种子（0、1），共 16 次运行" in markdown
    assert "每轮 1,318 个训练样本，批量大小为 32" in markdown
    assert "“更好”和“更差”要求 p ≤" in markdown  # the words of the table of differences
    assert "未生成    document.docx: pandoc is not installed" in answer.out
    assert re.search(r"^对比实验选出的方案 .+ 3 ", answer.out, re.MULTILINE)  # three epochs
    again = glassnet("assignment", "digits")
    assert again.error == (
        "handin: already holds a document.md; choose another with --out, or add --overwrite to write it anew"
    )
    models = {path: path.read_bytes() for path in (here / "handin-runs").rglob("model.safetensors")}
    monkeypatch.setattr(handin, "FORMATS", ())
    record = glassnet("assignment", "digits", "--overwrite", "--json").json
    assert {path: path.read_bytes() for path in models} == models
    assert record["dataset"] == "digits"
    assert record["left_out"].keys() == {"document.docx", "document.pdf"}
    assert all((here / path).is_file() for path in record["files"])
    [plan] = record["plans"]
    assert (plan["origin"], plan["epochs"], record["best"]) == ("found", 3, plan["name"])
    share = re.search(r"accuracy of \*\*([\d.]+) %\*\*", (here / "handin" / "document.md").read_text())[1]
    assert float(share) == pytest.approx(100 * plan["test_measures"]["accuracy"], abs=0.006)


@pytest.mark.usefixtures("short_work")
def test_ctrl_c_says_by_which_command_it_goes_on(glassnet, here, monkeypatch):
    def stop(study, folder, **options):
        raise StudyInterrupted(3, 16, folder, Signals.SIGINT)

    monkeypatch.setattr(work, "run_study", stop)
    answer = glassnet("assignment", "digits", "--out", "my work", "--lang", "zh", "--seeds", "3", "-q")
    assert answer.code == 130
    command = "glassnet assignment digits --out 'my work' --seeds 3 --lang zh"
    assert answer.error == (
        f"stopped with 3 of 16 runs done; all is saved in my work-runs/study; go on with: {command}"
    )
    assert not (here / "my work").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["iris"], 1, "iris: the assignment takes pictures with a class each, such as fashion-mnist, "),
        (["no-such-set"], 2, "DATASET: "),
        (["digits", "--plan", "fast"], 2, "--plan: "),
        (["digits", "--out", "."], 2, "--out: must name a folder of its own"),
    ],
)
def test_what_it_cannot_be_done_on_is_refused_before_any_work(glassnet, here, arguments, code, error):
    answer = glassnet("assignment", *arguments)
    assert answer.code == code
    assert answer.error.startswith(error)
    assert list(here.iterdir()) == []


def test_a_folder_with_other_files_stays_as_it_is(glassnet, here):
    (here / "handin").mkdir()
    (here / "handin" / "thesis.docx").write_text("years of work")
    answer = glassnet("assignment", "digits", "--overwrite")
    assert answer.error == "handin: already holds other files; choose another folder with --out"
    (here / "file").write_text("x")
    assert glassnet("assignment", "digits", "--out", "file").error.startswith("file: is no folder")


def test_a_converter_that_fails_is_said_and_ends_nothing(tmp_path, monkeypatch):
    def fail(command, **options):
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(shutil, "which", lambda program: "/bin/false")
    monkeypatch.setattr(subprocess, "run", fail)
    written = handin.Written()
    (tmp_path / "document.docx").write_text("of other runs")
    handin.convert(tmp_path, "text", written, lambda message: None)
    assert written.files == list(tmp_path.iterdir()) == []
    assert written.left_out["document.docx"].startswith("pandoc failed: Command ")


@pytest.mark.slow
@pytest.mark.usefixtures("short_work")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_its_latex_compiles_where_tex_is(glassnet, here, language):
    if not any(map(shutil.which, handin.TEX)):
        pytest.skip("needs TeX: xelatex or lualatex")
    record = glassnet("assignment", "digits", "--lang", language, "--json").json
    assert "document.pdf" not in record["left_out"], record["left_out"]
    assert (here / "handin" / "document.pdf").read_bytes().startswith(b"%PDF-")
    check_folder(here / "handin", language)


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.timeout(1800)
def test_on_fashion_mnist_it_ends_where_a_network_of_that_size_should(glassnet, here, fashion_mnist_home):
    options = ["--data-dir", fashion_mnist_home, "--seeds", "2", "--json"]
    record = glassnet("assignment", *options).json
    check_folder(here / "handin", "en")
    figures = {path.stem for path in (here / "handin" / "figures").iterdir()}
    assert figures > {f"by-{factor}-validation-accuracy" for factor in ("network", "activation", "optimizer")}
    assert [plan["origin"] for plan in record["plans"]] == ["found", "registered"]
    assert min(plan["test_measures"]["accuracy"] for plan in record["plans"]) >= 0.875
    assert len(record["study"]["variants"]) == 36
