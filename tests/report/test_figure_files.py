"""Every chart and table of a report as a file, and what report.md shows of them."""

import re
import shutil
from types import SimpleNamespace

import pandas
import pytest
from tests.loops import for_each

from glassnet.charts import painting
from glassnet.charts.curves import Chart, Curve
from glassnet.charts.tables import Table
from glassnet.data.registry import load_dataset
from glassnet.errors import FileError, UsageError
from glassnet.report.figure_files import FigureFiles, choose_formats
from glassnet.report.run_page import write_run_report

from .conftest import trained

CHART = Chart("loss", "Loss", "epoch", [Curve("training", (1, 2), (2.0, 1.0))])


@for_each(
    "text, formats",
    [("pdf,svg,png", ["pdf", "svg", "png"]), ("PNG", ["png"]), ("svg, pdf,svg", ["svg", "pdf"])],
)
def test_formats_are_given_with_commas(text, formats):
    assert choose_formats(text) == formats


@for_each("text", ["jpg", "", "svg,,png", "svg png"])
def test_another_format_is_refused(text):
    with pytest.raises(UsageError, match=r"^format: must be some of pdf, svg, png, with commas, got "):
        choose_formats(text)


def test_what_has_the_same_name_is_numbered_and_a_table_may_be_called_as_a_chart(tmp_path):
    table = Table("Loss", ["a"], [["1"]], key="loss")
    files = FigureFiles(tmp_path / "new" / "figures", ["svg"])
    report = SimpleNamespace(one=[(CHART.draw(), "said")], two=(CHART.draw(), "said"), three=[table], more="text")
    files.write(report, tmp_path)
    names = ["loss.svg", "loss-2.svg", "loss.csv", "loss.tex"]
    assert [path.name for path in files.written] == names
    assert sorted(path.name for path in files.folder.iterdir()) == sorted(names)


@for_each(
    "formats, link",
    [
        (["pdf", "png", "svg"], "![loss](my%20figures/loss.svg)"),
        (["png"], "![loss](my%20figures/loss.png)"),
        (["pdf"], "[loss](my%20figures/loss.pdf)"),
    ],
)
def test_markdown_shows_what_can_be_shown(tmp_path, formats, link):
    files, drawing = FigureFiles(tmp_path / "my figures", formats), CHART.draw()
    files.write(SimpleNamespace(charts=[(drawing, "")]), tmp_path)
    assert files.link(drawing.chart) == link
    assert files.link(Chart("other", "Other", "x", [])) == ""


def test_letters_that_no_font_has_are_said_once(tmp_path, monkeypatch):
    monkeypatch.setattr(painting, "_find_chinese_font", lambda: [])
    charts = [Chart(name, "损失", name, CHART.curves).draw() for name in ("轮次", "步")]
    with pytest.warns(UserWarning, match="no font here has the letters 失损次步轮, and boxes") as said:
        FigureFiles(tmp_path, ["svg", "png"]).write(SimpleNamespace(charts=charts), tmp_path)
    assert len(said) == 1


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(FileError, match="taken: cannot be made: File exists; choose another folder"):
        FigureFiles(tmp_path / "taken").write(SimpleNamespace(), tmp_path)


def test_the_report_of_a_run_shows_all_its_charts(tmp_path, digits, digits_run):
    files = FigureFiles(tmp_path / "figures", ["svg"])
    write_run_report(tmp_path / "run", digits_run.network, digits, figures=files)
    text = (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[([\w-]+)\]\(\.\./figures/([\w-]+)\.svg\)", text)
    charts = [
        "confusion-matrix",
        "worst-mistakes",
        "right-answers",
        "first-layer-weights",
        "roc",
        "precision-recall",
    ]
    charts += ["calibration", "probabilities", "importance", "target", "loss", "accuracy"]
    assert [name for _, name in shown] == [*charts, "pre-activation-spread", "update-ratio", "gradient-norm"]
    assert {path.stem for path in files.written if path.suffix == ".svg"} == {name for _, name in shown}
    matrix = pandas.read_csv(tmp_path / "figures" / "confusion-matrix.csv")
    assert matrix.iloc[:, 1:].to_numpy().sum() == len(digits.test.y)
    history = pandas.read_csv(tmp_path / "figures" / "history.csv")
    assert history["training loss"].tolist() == [
        float(f"{record.train_loss:.4f}") for record in digits_run.history
    ]
    write_run_report(tmp_path / "run", digits_run.network, digits)
    assert "![" not in (tmp_path / "run" / "report.md").read_text(encoding="utf-8")


def test_in_chinese_its_charts_are_chinese(tmp_path, monkeypatch):
    shutil.rmtree(tmp_path / "run", ignore_errors=True)
    data = load_dataset("diabetes")
    finished = trained(tmp_path / "run", data, layers=[10, 4, 1], epochs=2)
    titles = []
    monkeypatch.setattr(FigureFiles, "_draw", lambda files, chart, key, page: titles.append((key, chart.title)))
    write_run_report(
        tmp_path / "run", finished.network, data, language="zh", figures=FigureFiles(tmp_path / "figures")
    )
    assert ("loss", "损失") in titles
    assert ("predicted-against-true", "progression") in titles
    assert ("importance", "哪些输入重要") in titles
