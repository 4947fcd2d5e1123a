"""The report of a run: its numbers are the run's, in a real browser and in Markdown."""

import errno
import io
import json
import os
import re
import shutil
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.image import imread
from tests.chinese import latin_words, misplaced_marks
from tests.screens import SIZES

import glassnet as gn
from glassnet.charts.pictures import picture_of
from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset
from glassnet.errors import FileError, UsageError
from glassnet.locales.catalogue import LANGUAGES, Words
from glassnet.report import rendering
from glassnet.report.run_page import write_run_report
from glassnet.training.metrics import class_scores, evaluate_predictions, predict_rows

from .conftest import (
    DEAD_UNITS,
    OVER_FITTING,
    SICK,
    Page,
    labelled,
    markdown_rows,
    record_health,
    rows_of,
    trained,
)

SVG = "{http://www.w3.org/2000/svg}"

#: The charts that every run has of its layers.
SIZES_DRAWN = ["pre-activation-spread", "update-ratio", "gradient-norm"]

EVIL = "<script>document.title = 'taken'</script>"


@pytest.fixture(scope="module")
def english(tmp_path_factory, digits, saved_run):
    """The English report of the run on digits: its folder, the page and its twin in Markdown."""
    finished, saved = saved_run
    folder = shutil.copytree(saved, tmp_path_factory.mktemp("english") / "run")
    return folder, *report(folder, finished, digits)


def report(folder, finished, data, language="en"):
    file = write_run_report(folder, finished.network, data, language=language)
    assert file == folder / "report.html"
    return Page(file.read_text(encoding="utf-8")), (folder / "report.md").read_text(encoding="utf-8")


def test_the_numbers_are_those_of_the_run(digits, saved_run, english):
    _, page, text = english
    finished, _ = saved_run
    found = evaluate_predictions(predict_rows(finished.network, digits.test))
    facts = page.facts()
    low, high = found.intervals["accuracy"]
    accuracy = f"{100 * found.measures['accuracy']:.2f} %"
    interval = f"{100 * low:.2f} % to {100 * high:.2f} %"
    assert facts["test accuracy"].startswith(accuracy)
    assert facts["test loss"] == f"{found.loss:.4g}"
    assert facts["parameters"].startswith("1,210 ")
    verdict = (
        f"{accuracy} of 359 test rows are classified correctly (95 % interval {interval}), after 3 epochs in "
    )
    for said in (page.text, text):
        assert verdict in said
        assert "it is healthy." in said
    seen = [[cell.strip() for cell in row] for row in rows_of(page, "All numbers")]
    records = list(finished.history)
    assert len(seen) == len(records) == 3
    for row, record in zip(seen, records, strict=True):
        assert row[:5] == [
            str(record.epoch),
            *(f"{value:.4f}" for value in (record.train_loss, record.train_accuracy)),
            *(f"{value:.4f}" for value in (record.validation_loss, record.validation_accuracy)),
        ]
    assert markdown_rows(text, "epoch") == seen


def test_scores_and_matrix_are_those_of_the_test_rows(digits, saved_run, english):
    _, page, text = english
    finished, _ = saved_run
    scores = class_scores(predict_rows(finished.network, digits.test))
    expected = [
        [
            s.name,
            f"{s.precision:.3f}",
            f"{s.recall:.3f}",
            f"{s.f1:.3f}",
            str(s.rows),
            f"{s.taken_for} ({s.taken_for_rows})",
        ]
        for s in scores
    ]
    assert rows_of(page, "Scores") == expected
    assert markdown_rows(text, "class") == expected
    predicted = finished.model.predict(digits.test.X)
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (digits.test.y, predicted), 1)
    matrix = [[str(label), *map(str, counts[label])] for label in range(10)]
    assert rows_of(page, "Confusion matrix") == matrix
    assert markdown_rows(text, "true ↓ predicted →") == matrix
    wrong = int((predicted != digits.test.y).sum())
    assert f"{wrong} of 359 test rows are classified wrongly" in page.text


def test_the_worst_mistakes_come_first_with_their_pictures(digits, saved_run, english):
    _, page, text = english
    finished, _ = saved_run
    outputs = finished.network.outputs(digits.encoded.test.X)
    losses = -np.log(outputs[np.arange(359), digits.test.y])
    wrong = np.flatnonzero(outputs.argmax(axis=1) != digits.test.y)
    worst = wrong[np.argsort(-losses[wrong])][:18]
    pictures = [image for image in page.images if image["alt"].startswith("Test row")]
    said = [re.findall(r"\d+", image["alt"]) for image in pictures]
    assert said == [[str(r + 1), str(digits.test.y[r]), str(outputs[r].argmax())] for r in worst]
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.images)
    weights = [image for image in page.images if image["alt"].startswith("Weights of 16 units")]
    assert len(weights) == 1
    assert [row[0] for row in markdown_rows(text, "test row")] == [str(row + 1) for row in worst]
    assert "data:image" not in text


@pytest.mark.parametrize("of_bytes", [True, False])
def test_mistakes_of_a_standardised_run_are_shown_as_the_images_were(tmp_path, digits, of_bytes):
    def pixels(X):
        return np.rint(255 * X / 16).astype(np.uint8) if of_bytes else X / 16

    (X, y), _, (X_test, y_test) = digits.splits.values()
    raw = Dataset.from_arrays(pixels(X), y, pixels(X_test), y_test, name="digits", image_shape=(8, 8))
    data = raw.scale("standard")
    page, _ = report(tmp_path / "run", trained(tmp_path / "run", data, layers=[64, 10], epochs=1), data)
    shown = [image for image in page.images if image["alt"].startswith("Test row")]
    assert len(shown) == 18
    rows = [int(re.search(r"\d+", image["alt"])[0]) - 1 for image in shown]
    assert [image["src"] for image in shown] == [picture_of(raw.test.X[row], (8, 8), 1.0) for row in rows]


def test_what_is_needed_to_have_the_run_again_is_there(digits, saved_run, english):
    folder, page, text = english
    finished, _ = saved_run
    facts = {name: value.strip() for name, value in rows_of(page, "Hashes, checksums, versions, machine")}
    assert facts["trained parameters, SHA-256"] == finished.network.fingerprint()
    assert facts["initial parameters, SHA-256"] == finished.config.start
    for file, checksum in digits.checksums.items():
        assert facts[f"data {file}, MD5"] == checksum
    for name, value in finished.config.environment.items():
        assert facts[name] == value
    command = f"glassnet train --config {folder / 'config.toml'}"
    assert command in "".join(page.codes)
    assert f"    {command}\n" in text
    changed = {row[0].strip(): row[1].strip() for row in rows_of(page, "What differs from the defaults")}
    assert (changed["epochs"], changed["kernels"]) == ("3", "numpy")
    assert ["l1", "0.0"] in rows_of(page, "Training")


def test_a_folder_with_a_space_is_quoted_and_data_of_a_program_need_the_program(tmp_path, digits, digits_run):
    finished = digits_run
    (tmp_path / "run").rename(tmp_path / "my run")
    page, _ = report(tmp_path / "my run", finished, digits)
    assert f"--config '{tmp_path}/my run/config.toml'" in "".join(page.codes)
    data = labelled()
    finished = trained(tmp_path / "own", data, layers=[4, 3], epochs=1)
    page, text = report(tmp_path / "own", finished, data)
    assert "The data came from a Python program" in page.text
    assert "glassnet.run(glassnet.load_config(" in text
    assert "glassnet train" not in text


def test_a_run_that_regresses(tmp_path):
    data = load_dataset("diabetes")
    finished = trained(tmp_path / "run", data, layers=[10, 8, 1], epochs=30)
    page, text = report(tmp_path / "run", finished, data)
    found = evaluate_predictions(predict_rows(finished.network, data.test))
    sentence = f"The network explains the numbers of {found.rows} test rows with R² = {found.measures['r2']:.4g}"
    assert sentence in page.text
    assert sentence in text
    (row,) = rows_of(page, "Errors by output")
    assert row[3] == f"{found.measures['mae']:.4g}"
    assert not {"Confusion matrix", "Scores", "Worst mistakes"} & set(page.tables)
    [points] = re.findall(r'"predicted-against-true".*?json">(.*?)</script>', html_of(tmp_path), re.DOTALL)
    names = [point[2] for point in json.loads(points)["curves"][0]["points"]]
    assert names == [f"test row {row}" for row in range(1, found.rows + 1)]
    assert page.images == []


def html_of(folder):
    return (folder / "run" / "report.html").read_text(encoding="utf-8")


def test_a_run_of_two_classes_with_one_output(tmp_path):
    data = load_dataset("breast-cancer")
    finished = trained(tmp_path / "run", data, layers=[30, 4, 1], epochs=5)
    page, _ = report(tmp_path / "run", finished, data)
    found = evaluate_predictions(predict_rows(finished.network, data.test))
    assert page.facts()["test sensitivity"].startswith(f"{100 * found.measures['sensitivity']:.2f} %")
    assert [row[0] for row in rows_of(page, "Confusion matrix")] == ["malignant", "benign"]
    assert len(rows_of(page, "Worst mistakes")) >= 1  # rows are no images: a table
    assert page.images == []


def test_a_run_of_several_labels(tmp_path):
    data = labelled()
    finished = trained(tmp_path / "run", data, layers=[4, 8, 3], epochs=5)
    page, text = report(tmp_path / "run", finished, data)
    share = evaluate_predictions(predict_rows(finished.network, data.test)).measures["accuracy"]
    assert f"{100 * share:.2f} % of the labels of 18 test rows are predicted correctly" in page.text
    assert [row[0] for row in rows_of(page, "Scores")] == ["red", "round", "ripe"]
    assert markdown_rows(text, "label") == rows_of(page, "Scores")
    assert "Confusion matrix" not in page.tables


def test_a_run_without_validation_rows(tmp_path):
    data = load_dataset("digits", validation=0)
    finished = trained(tmp_path / "run", data, layers=[64, 10], epochs=2)
    page, text = report(tmp_path / "run", finished, data)
    for said in (page.text, text):
        assert "No rows were set aside for validation" in said
    assert page.tables["All numbers"][0] == [
        "epoch",
        "training loss",
        "training accuracy",
        "learning rate",
        "seconds",
    ]
    assert '"label": "validation"' not in html_of(tmp_path)


def test_a_sick_run_says_so_with_cause_and_remedy(tmp_path, digits, digits_run):
    record_health(tmp_path / "run", SICK)
    page, text = report(tmp_path / "run", digits_run, digits)
    for said in (page.text, text):
        assert "it is sick: dead units." in said
        assert said.index("dead units", said.index("Health")) < said.index("over-fitting", said.index("Health"))
    facts = page.facts()
    assert facts["units"] == "4: 0–2, 7"
    for said in (page.text, text.replace("\\", "")):
        assert "4 of 16 units give 0 on every row, and no gradient reaches them: steps are too large" in said
    assert "network.initializer = he_normal" in "".join(page.codes)
    assert "`network.initializer = he_normal`" in text
    assert re.findall(r'data-chart="([\w-]+)"', html_of(tmp_path))[-4:] == ["dead-units", *SIZES_DRAWN]
    assert re.search(r'<section class="verdict sick"', html_of(tmp_path))
    page, text = report(tmp_path / "run", digits_run, digits, "zh")
    for said in (page.text, text):
        assert "16 个神经元中有 4 个对所有样本的输出都是 0，梯度传不到它们：步长过大：学习率 0.5" in said
        assert "验证损失从第 2 轮后的最低值 0.25 回升到 0.375，而训练损失降到了 0.125" in said
    assert "改用 initializer he_normal" in page.text


def test_of_a_run_that_is_not_sick_it_says_what_to_note(tmp_path, digits, digits_run):
    record_health(tmp_path / "run", SICK | {"sick": False, "diagnoses": [OVER_FITTING.to_dict()]})
    page, text = report(tmp_path / "run", digits_run, digits)
    for said in (page.text, text):
        assert "it is not sick, but note: over-fitting." in said


def test_a_run_whose_health_nobody_knows_is_not_called_healthy(tmp_path, digits, digits_run):
    record_health(tmp_path / "run", "unwatched")
    page, _ = report(tmp_path / "run", digits_run, digits)
    assert "no record of its health" in page.text
    assert "its health was not watched" in page.text
    assert "healthy" not in page.text
    assert "What was measured" not in page.text


def test_what_was_measured_of_the_layers_is_shown(digits, english):
    folder, page, text = english
    html = (folder / "report.html").read_text(encoding="utf-8")
    health = html[html.index('id="health"') : html.index('id="again"')]
    assert re.findall(r'data-chart="([\w-]+)"', health) == SIZES_DRAWN
    assert health.count("about 0.001 is usual") == 1
    for said in (page.text, text):
        assert "At no time was a unit dead" in said
        assert "Examinations of this run: 3." in said
    rows = rows_of(page, "The numbers, layer by layer")
    assert rows[:2] == [
        ["0", "1", "0 / 16", "0 / 16", "1", "0.002", "0.25"],
        ["0", "2", "0 / 10", "0 / 10", "1", "0.002", "0.25"],
    ]
    assert markdown_rows(text, "step") == rows
    assert len(rows) == 6


def test_a_run_as_it_comes_from_training_has_all_of_it(tmp_path, digits):
    finished = trained(tmp_path / "run", digits, layers=[64, 16, 10], epochs=6)
    page, _ = report(tmp_path / "run", finished, digits)
    steps = [one.step for one in finished.health.vitals]
    assert [row[0] for row in rows_of(page, "The numbers, layer by layer")] == [
        str(s) for s in steps for _ in "12"
    ]
    last, seen = finished.health.vitals[-1].layers[0], rows_of(page, "The numbers, layer by layer")[-2]
    assert seen[2] == f"{len(last.dead)} / 16"
    assert float(seen[4]) == pytest.approx(last.pre_activation_spread, rel=1e-3)


def test_a_run_that_diverged_has_a_report(tmp_path, digits):
    with pytest.raises(gn.DivergenceError) as lost:
        trained(
            tmp_path / "run", digits, layers=[64, 16, 10], network={"activation": "identity"}, optimizer="sgd(9)"
        )
    page, text = report(tmp_path / "run", lost.value.run, digits)
    for said in (page.text, text):
        assert "it is sick: divergence" in said
        assert "steps are too large: learning rate 9" in said
    page, _ = report(tmp_path / "run", lost.value.run, digits, "zh")
    assert "训练异常：发散" in page.text


def test_a_run_that_ended_early_says_of_how_many(tmp_path, digits):
    data = digits
    finished = trained(
        tmp_path / "run", data, layers=[64, 10], epochs=9, early_stopping="patience(1, min_delta=5)"
    )
    page, _ = report(tmp_path / "run", finished, data)
    n = len(finished.history)
    assert n < 9
    assert finished.history.kept == finished.best_epoch == 1
    html = html_of(tmp_path)
    assert html.count(">kept: epoch 1</span>") == 2  # on the loss and on the accuracy
    unfinished = (tmp_path / "run" / "history.csv").read_text().splitlines()[:2]
    (tmp_path / "run" / "history.csv").write_text("\n".join([*unfinished, ""]))  # as it was after the first epoch
    report(tmp_path / "run", finished, data)
    assert "kept: epoch" not in html_of(tmp_path)
    assert f"after {Words('en').say('n_epochs', n=n)} of 9 planned in" in page.text


def test_a_run_without_an_epoch_or_with_outputs_beyond_all_bounds_has_a_report(tmp_path, digits):
    finished = trained(tmp_path / "run", digits, layers=[64, 10], epochs=1)
    head = (tmp_path / "run" / "history.csv").read_text().splitlines()[0]
    (tmp_path / "run" / "history.csv").write_text(head + "\n")
    finished.network.W[0][:] = 3e38
    finished.network.b[0][:] = -3e38
    page, text = report(tmp_path / "run", finished, digits)
    for said in (page.text, text):
        assert "No epoch was finished" in said
        assert "its outputs are not finite" in said


def test_the_learning_rate_is_drawn_only_where_it_changes(tmp_path, digits, english):
    folder, page, _ = english
    assert "The learning rate was 0.001 throughout." in page.text
    assert 'data-chart="learning-rate"' not in (folder / "report.html").read_text(encoding="utf-8")
    moved = trained(tmp_path / "run", digits, layers=[64, 10], schedule="cosine", metrics=["auc"])
    page, _ = report(tmp_path / "run", moved, digits)
    assert "throughout" not in page.text
    charts = re.findall(r'data-chart="([\w-]+)"', html_of(tmp_path))
    first = charts.index("loss")
    assert charts[first : first + 4] == ["loss", "accuracy", "validation-auc", "learning-rate"]


@pytest.mark.parametrize("case", ["digits", "diabetes", "labels"])
def test_in_chinese_no_english_sentence_is_left(tmp_path, case):
    data = labelled() if case == "labels" else load_dataset(case)
    layers = {"digits": [64, 8, 10], "diabetes": [10, 4, 1], "labels": [4, 3]}[case]
    finished = trained(tmp_path / "run", data, layers=layers, epochs=2)
    for health in (None, SICK, "unwatched"):  # its own first
        if health is not None:
            record_health(tmp_path / "run", health)
        page, text = report(tmp_path / "run", finished, data, "zh")
        assert_chinese(page, text, html_of(tmp_path), data)


def assert_chinese(page, text, html, data):
    """Nothing but names is English in the report of a run on these data."""
    assert '<html lang="zh-CN">' in html
    assert len(re.findall("[一-鿿]", page.text)) > 300
    bare = re.sub(r"`[^`]*`", "", re.sub(r"^    .*$", "", text, flags=re.MULTILINE))
    known = {data.name, *(data.class_names or ()), *(data.target_names or ())}
    for said in (page.text, bare.replace("\\", "")):
        said = re.sub(r"task=\w+|glassnet\.\w+\([^)]*\)", "", said)  # what is typed
        words = latin_words(said) - known - {"initializer", "he_normal", "script", "GLASSNET"}
        assert words <= set(data.name.split("-"))
    assert misplaced_marks(page.text) == []
    labels = re.findall(r'(?:aria-label|alt|title)="([^"]*)"', html)
    assert all(not re.search("[A-Za-z]{3,} [a-z]{2,}", label) for label in labels)


def test_names_are_text_whatever_they_hold(tmp_path):
    X = np.tile(np.eye(4), (10, 1))
    y = np.tile([0, 1, 2, 1], 10)
    names = [EVIL, "\"'>&", "a | b\n\u202e# c"]
    data = Dataset.from_arrays(X, y, name=f"{EVIL}</title>", class_names=names)
    health = SICK | {"diagnoses": [DEAD_UNITS.to_dict() | {"kind": EVIL}]}
    finished = trained(tmp_path / "run", data, layers=[4, 3], epochs=1, health=health)
    page, text = report(tmp_path / "run", finished, data)
    html = html_of(tmp_path)
    assert EVIL not in html
    assert EVIL not in re.sub("`[^`]*`", "", text)  # as code it is harmless
    assert [row[0] for row in rows_of(page, "Confusion matrix")] == [*names[:2], r"a | b\n\u202e# c"]
    rows = markdown_rows(text, "class")
    assert len(rows) == 3
    assert rows[2][0] == r"a \| b\\n\\u202e\# c"


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


class FullAfter:
    """A disk that takes so many files, and then no more."""

    def __init__(self, files):
        self.left, self.fsync = files, os.fsync

    def __call__(self, handle):
        if os.path.isfile(f"/proc/self/fd/{handle}"):
            self.left -= 1
            if self.left < 0:
                full()
        self.fsync(handle)


@pytest.mark.parametrize("old", [False, True], ids=["new", "older report"])
@pytest.mark.parametrize("files", [0, 1])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, digits, digits_run, monkeypatch, old, files):
    folder = tmp_path / "run"
    if old:
        for name in ("report.html", "report.md"):
            (folder / name).write_text("an older report")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", FullAfter(files))
        with pytest.raises(FileError, match="No space left"):
            write_run_report(folder, digits_run.network, digits)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert after == before


def test_what_cannot_be_reported_is_refused_by_name(tmp_path, digits, digits_run):
    with pytest.raises(UsageError, match="language"):
        write_run_report(tmp_path / "run", digits_run.network, digits, language="de")
    with pytest.raises(FileError, match=r"holds no config\.toml"):
        write_run_report(tmp_path, digits_run.network, digits)
    assert not list(tmp_path.glob("*.html"))
    assert not (tmp_path / "run" / "report.html").exists()


def test_the_same_run_gives_the_same_bytes(tmp_path, digits, digits_run):
    theta = digits_run.network.theta.copy()
    file = write_run_report(tmp_path / "run", digits_run.network, digits)
    first = file.read_bytes()
    write_run_report(tmp_path / "run", digits_run.network, digits)
    assert file.read_bytes() == first
    assert len(first) < 200_000
    assert (digits_run.network.theta == theta).all()


def test_a_network_that_is_as_large_as_the_best_ones_has_a_small_report(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.integers(256, size=(120, 784)).astype(np.uint8)
    data = Dataset.from_arrays(X, np.arange(120) % 10, name="noise", image_shape=(28, 28))
    finished = trained(tmp_path / "run", data, layers=[784, 256, 128, 10], epochs=1)
    report(tmp_path / "run", finished, data)
    assert len(html_of(tmp_path).encode()) < 1_000_000


@pytest.fixture
def open_report(open_file, tmp_path):
    """Open the report of the run."""
    return lambda size=SIZES[0], **options: open_file(tmp_path / "run" / "report.html", size, **options)


@pytest.fixture
def digits_page(open_file, english):
    """Open the English report of the run on digits."""
    return lambda size=SIZES[0], **options: open_file(english[0] / "report.html", size, **options)


@pytest.mark.browser
def test_pointing_at_a_chart_shows_the_values_of_that_epoch(digits_page, saved_run):
    page = digits_page()
    plot = page.locator("[data-chart=accuracy] .plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    for epoch, record in enumerate(saved_run[0].history, start=1):
        page.mouse.move(box["x"] + box["width"] * (epoch - 1) / 2 + (3 if epoch < 3 else -3), box["y"] + 90)
        assert plot.locator(".tip").inner_text().split("\n") == [
            f"epoch {epoch}",
            f"training: {100 * record.train_accuracy:.2f} %",
            f"validation: {100 * record.validation_accuracy:.2f} %",
        ]
        assert plot.locator(".dot").count() == 2
    tip, frame = plot.locator(".tip").bounding_box(), plot.bounding_box()
    assert tip["x"] >= frame["x"]
    assert tip["x"] + tip["width"] <= frame["x"] + frame["width"] + 1
    page.mouse.move(2, 2)
    assert plot.locator(".tip").count() == 0


@pytest.mark.browser
def test_a_chart_is_read_by_keyboard(digits_page, saved_run):
    page = digits_page()
    plot = page.locator("[data-chart=loss] .plot")
    plot.focus()
    assert plot.get_attribute("role") == "slider"
    records = list(saved_run[0].history)
    for key, record in (
        ("ArrowRight", records[0]),
        ("End", records[2]),
        ("ArrowLeft", records[1]),
        ("Home", records[0]),
    ):
        page.keyboard.press(key)
        said = f"epoch {record.epoch}, training: {record.train_loss:.4g}, validation: {record.validation_loss:.4g}"
        assert plot.get_attribute("aria-valuetext") == said
    page.keyboard.press("Escape")
    assert plot.locator(".tip").count() == 0


@pytest.mark.browser
def test_what_was_measured_is_pointed_at_step_by_step(digits_page):
    page = digits_page()
    plot = page.locator("[data-chart=update-ratio] .plot")
    plot.focus()
    page.keyboard.press("End")
    assert plot.locator(".tip").inner_text().split("\n") == ["step 16", "layer 1: 0.002", "output (2): 0.002"]
    line, mark = plot.locator(".equal").bounding_box(), plot.locator(".mark").bounding_box()
    frame = plot.bounding_box()
    assert frame["y"] <= line["y"] <= frame["y"] + frame["height"]
    assert abs(mark["y"] + mark["height"] - line["y"]) < 4
    heights = page.locator(".small .plot").evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)")
    assert max(heights) - min(heights) < 1


@pytest.mark.browser
def test_a_curve_can_be_hidden_in_all_charts_of_a_group_and_is_then_not_said(digits_page):
    page = digits_page()
    figures = page.locator("#curves .chart")
    assert figures.count() == 2
    assert figures.locator(".legend").first.is_hidden()  # one for all
    button = page.locator("#curves .one > .legend button").nth(1)
    assert button.inner_text() == "validation"
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    for number in range(2):
        assert not figures.nth(number).locator("g[data-curve='1']").is_visible()
        figures.nth(number).locator(".plot").focus()
        page.keyboard.press("Home")
        assert "validation" not in figures.nth(number).locator(".tip").inner_text()
    button.click()
    assert figures.first.locator("g[data-curve='1']").is_visible()


@pytest.mark.browser
def test_no_page_is_wider_than_the_screen(tmp_path, open_report):
    rng = np.random.default_rng(0)
    names = [f"a very long name of the class {k}" for k in range(12)]
    X, y = rng.integers(256, size=(240, 64)).astype(np.uint8), np.arange(240) % 12
    data = Dataset.from_arrays(
        X, y, name="a-very-long-name-of-a-data-set" * 2, class_names=names, image_shape=(8, 8)
    )
    finished = trained(tmp_path / "run", data, layers=[64, 8, 12], epochs=2, health=SICK)
    inside = "boxes => boxes.every((box) => box.getBoundingClientRect().right <= innerWidth + 1)"
    for language in LANGUAGES:
        write_run_report(tmp_path / "run", finished.network, data, language=language)
        page = open_report()
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (language, width)
            boxes = page.locator("section, .scroll, figure, .finding, .tiles > div")
            assert boxes.evaluate_all(inside), (language, width)


@pytest.mark.browser
def test_a_scattered_point_says_its_numbers(tmp_path, open_report):
    data = load_dataset("diabetes")
    finished = trained(tmp_path / "run", data, layers=[10, 4, 1], epochs=3)
    write_run_report(tmp_path / "run", finished.network, data)
    page = open_report()
    plot = page.locator(".scatter .plot")
    plot.scroll_into_view_if_needed()
    plot.hover()
    head, values = plot.locator(".tip").inner_text().split("\n")
    row = int(head.removeprefix("test row ")) - 1
    true, predicted = (float(value) for value in values.split(" → "))
    assert true == pytest.approx(float(np.ravel(data.test.y)[row]), rel=1e-3)
    assert predicted == pytest.approx(finished.model.predict(data.test.X)[row], rel=1e-3)


def save(page, chart, kind):
    """What the button of a chart hands over: the name and the content of a file."""
    with page.expect_download() as download:
        page.click(f"[data-chart={chart}] .save button[data-kind={kind}]")
    return download.value.suggested_filename, download.value.path().read_bytes()


def texts_of(svg):
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.browser
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_chart_is_saved_as_it_is_seen_on_light_paper(digits_page, size):
    page = digits_page(size, color_scheme="dark")
    figure = page.locator("[data-chart=loss]")
    name, svg = save(page, "loss", "svg")
    assert name == "loss.svg"
    seen = figure.locator("figcaption, .y-ticks span, .x-ticks span, .x-label, .legend button").all_text_contents()
    assert texts_of(svg) == [text.strip() for text in seen]
    root = ElementTree.fromstring(svg)
    assert root[0].attrib["fill"] == "rgb(255,255,255)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 29)"
    # the first curve goes from the left edge of its plot to the right, in the light colour of the series
    plot = figure.locator("svg").bounding_box()
    curve = next(path for path in root.iter(f"{SVG}path") if path.attrib["stroke"] == "rgb(29,78,216)")
    places = [float(x) for x in re.findall(r"[ML](\S+) ", curve.attrib["d"])]
    assert (places[0], places[-1]) == (0, pytest.approx(plot["width"], abs=0.1))
    page.locator("#curves .one > .legend button").first.click()
    _, less = save(page, "loss", "svg")
    assert b"rgb(29,78,216)" not in less
    assert "training" not in texts_of(less)
    name, png = save(page, "loss", "png")
    image = imread(io.BytesIO(png))
    assert name == "loss.png"
    assert image.shape[:2] == (2 * float(root.attrib["height"]), 2 * float(root.attrib["width"]))
    assert image[0, 0].tolist() == [1, 1, 1, 1]
    assert (image[..., :3].min(axis=2) < 0.5).any()


@pytest.mark.browser
def test_the_matrix_and_the_weights_are_saved_whole(digits_page, saved_run):
    page = digits_page(SIZES[1])  # where the matrix does not fit
    _, svg = save(page, "confusion-matrix", "svg")
    counts = evaluate_predictions(predict_rows(saved_run[0].network, load_dataset("digits").test)).confusion.counts
    texts = texts_of(svg)
    assert [text for text in texts if text == str(counts.max())]
    assert len(texts) >= 100 + 20
    right = max(float(rect.attrib["x"]) + float(rect.attrib["width"]) for rect in drawn(svg, "rect")[1:])
    assert right <= float(ElementTree.fromstring(svg).attrib["width"])
    _, svg = save(page, "first-layer-weights", "svg")
    [image] = drawn(svg, "image")
    assert image.attrib["href"].startswith("data:image/png;base64,")


def drawn(svg, tag):
    return list(ElementTree.fromstring(svg).iter(f"{SVG}{tag}"))


@pytest.mark.browser
def test_light_dark_and_paper(digits_page):
    def paper(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page = digits_page(color_scheme="dark")
    assert paper(page) == "rgb(18, 22, 29)"
    page.click("#theme")
    assert paper(page) == "rgb(255, 255, 255)"
    page.click("#theme")
    page.emulate_media(media="print")
    assert paper(page) == "rgb(255, 255, 255)"
    assert not page.locator("#theme").is_visible()
    assert page.pdf()[:4] == b"%PDF"


@pytest.mark.browser
def test_without_scripts_everything_can_still_be_read(digits_page):
    page = digits_page(java_script_enabled=False)
    assert page.locator(".plot").first.is_visible()
    assert page.locator("[data-chart=loss] path.line").count() == 2
    assert not page.locator("#theme").is_visible()
    assert not page.locator(".hint").is_visible()


@pytest.mark.browser
def test_it_can_be_used_without_eyes(digits_page):
    page = digits_page()
    assert page.locator("img").evaluate_all("all => all.every((one) => one.alt)")
    assert page.locator("table:not(:has(caption))").count() == 0
    assert page.locator("th:not([scope])").count() == 0
    assert page.locator(".plot").evaluate_all("all => all.every((one) => one.ariaLabel)")
    levels = page.locator("h1, h2, h3").evaluate_all("heads => heads.map((head) => Number(head.tagName[1]))")
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    names = page.locator("button").evaluate_all("all => all.map((one) => one.textContent.trim().length)")
    assert all(names)


@pytest.mark.browser
def test_hostile_names_do_nothing_in_a_browser(tmp_path, open_report, assert_nothing_planted_works):
    X, y = np.tile(np.eye(4), (10, 1)), np.tile([0, 1, 2, 1], 10)
    data = Dataset.from_arrays(
        X, y, name="d</title><script>alert(1)</script>", class_names=[EVIL, "\"'>", "</script>"]
    )
    finished = trained(tmp_path / "run", data, layers=[4, 3], epochs=2)
    write_run_report(tmp_path / "run", finished.network, data)
    page = open_report()
    assert page.title() == "d</title><script>alert(1)</script>: 4-3"
    assert EVIL in page.inner_text("#classes")
    assert_nothing_planted_works(html_of(tmp_path))


def test_the_module_says_what_its_files_are_called():
    assert (rendering.REPORT_FILE, rendering.MARKDOWN_FILE) == ("report.html", "report.md")
    assert gn.Network  # the report needs no more than the package's own
