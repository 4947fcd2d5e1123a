"""The report of a study: its numbers are the study's, in English and Chinese, on a page and in Markdown."""

import json
import os
import re
import shutil
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas
import pytest
from tests.chinese import latin_words, misplaced_marks
from tests.reproductions.publications import diagnosed
from tests.screens import SIZES
from tests.study.studies import done, listed, small

from glassnet.charts.axes import format_flops
from glassnet.errors import FileError, UsageError
from glassnet.locales.catalogue import LANGUAGES, Message, Words
from glassnet.report import study_page
from glassnet.report.figure_files import FigureFiles
from glassnet.report.study_page import write_study_report
from glassnet.report.study_sentences import name_verdict
from glassnet.study.fairness import DataCache
from glassnet.study.final_evaluation import evaluate_recommended, mark_test_rows_open, read_final_evaluation
from glassnet.study.findings import gather_findings
from glassnet.study.interactions import interaction_test
from glassnet.study.recommendation import recommend
from glassnet.study.result_table import describe_covers
from glassnet.study.results import Row
from glassnet.study.specification import study_of
from glassnet.study.statistics import compare, summarise
from glassnet.training.health.remedies import Remedy
from glassnet.training.metrics import evaluate_predictions, predict_rows, predict_test_rows
from glassnet.training.model_file import load_model

from .conftest import Page, markdown_rows, rows_of

#: The data of a configuration, read once for all tests.
load = DataCache().load

HASHED = ("First weights", "Order of the rows", "Dropout masks")
EVIL = "<script>document.title = 'taken'</script>"

#: A factorial whose second factor changes the start.
FACTORS = {
    "optimizer": {"levels": ["adam", "sgd(0.1)"]},
    "width": {"key": "network.layers", "levels": {"narrow": [64, 12, 10], "wide": [64, 24, 10]}},
}


VARIANTS = ["base", "width=wide", "optimizer=sgd(0.1)", "optimizer=sgd(0.1), width=wide"]


def factorial():
    base = {
        "data": {"dataset": "digits"},
        "network": {"layers": [64, 12, 10], "dropout": 0.2},
        "training": {"epochs": 2, "kernels": "numpy"},
    }
    return small(design="factorial", factors=FACTORS, seeds=[0, 1, 2], base=base)


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A study whose runs are done and whose plan was evaluated: the folder, the study and its rows."""
    folder = tmp_path_factory.mktemp("whole") / "study"
    study = factorial()
    rows = done(study, folder, load)
    evaluate_recommended(gather_findings(study, folder, rows, load), load)
    return folder, study, rows


@pytest.fixture
def finished(whole, tmp_path):
    """A copy of it, to write into."""
    folder = shutil.copytree(whole[0], tmp_path / "study")
    return folder, *whole[1:]


def report(folder, study, rows, language="en"):
    file = write_study_report(gather_findings(study, folder, rows, load), load, language=language)
    assert file == folder / "report.html"
    return Page(file.read_text(encoding="utf-8")), (folder / "report.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def english(whole, tmp_path_factory):
    """The English report of the study: its folder, the study, its rows, the page and its twin in Markdown."""
    folder = shutil.copytree(whole[0], tmp_path_factory.mktemp("english") / "study")
    return folder, *whole[1:], *report(folder, *whole[1:])


def html_of(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


def test_the_verdict_is_the_recommendation_and_stands_first(english):
    folder, study, rows, page, text = english
    found = recommend(rows, study.measure, study.levels())
    first = page.text.split("Results")[0]
    plain = text.replace("\\", "")
    said = [str(sentence) for sentence in found.reason.values["sentences"]]
    assert said[0] == f"Take “{found.variant}”."
    assert all(sentence in first and f"\n{sentence}\n" in plain for sentence in said)
    facts = page.facts()
    mean = next(one.mean for one in found.summaries if one.variant == found.variant)
    assert facts["recommended"] == found.variant
    assert facts["validation accuracy"].startswith(
        f"{mean:.4g} mean of 3 seeds, 95\N{NO-BREAK SPACE}%: {found.low:.4g} to {found.high:.4g}"
    )
    assert facts["evidence"].split()[0] == found.evidence
    test = read_final_evaluation(folder).test_measures["accuracy"]
    assert facts["test accuracy"].startswith(f"{test:.4g} 95\N{NO-BREAK SPACE}%: ")
    assert facts["runs"].startswith("12 of 12 0 diverged, 0 failed")
    seconds = sum(row.seconds for row in rows)
    assert facts["training time"].startswith(f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2g} s")


def test_what_was_compared_and_what_held(english):
    *_, page, text = english
    facts = page.facts()
    assert facts["design"] == "full factorial: all combinations"
    assert (facts["variants"], facts["seeds"], facts["budget of a run"]) == ("4", "0, 1, 2", "2 epochs")
    rows = [
        ["optimizer", "adam", "training.optimizer = adam"],
        ["", "sgd(0.1)", "training.optimizer = sgd(0.1)"],
        ["width", "narrow", "network.layers = [64, 12, 10]"],
        ["", "wide", "network.layers = [64, 24, 10]"],
    ]
    assert rows_of(page, "Factors") == rows
    assert [re.sub(r"[*`]|\\", "", cell) for cell in markdown_rows(text, "factor")[3]] == rows[3]
    changed = {row[0]: row[1:] for row in rows_of(page, "What differs from the defaults")}
    assert (changed["dropout"], changed["kernels"]) == (["0.2", "0.0"], ["numpy", "auto"])
    others = {row[0] for caption in ("Network", "Training") for row in rows_of(page, caption)}
    assert "l1" in others
    assert not {"optimizer", "layers"} & (set(changed) | others)  # these were not held fixed


def plain(rows):
    """Cells of a Markdown table without what makes them bold."""
    return [[cell.replace("**", "").replace("\\", "") for cell in row] for row in rows]


def test_every_variant_has_its_numbers(english):
    _, study, rows, page, text = english
    table = rows_of(page, "Every variant over its seeds")
    for line, one in zip(table, summarise(rows, study.measure), strict=True):
        assert line == [
            one.variant,
            "3 of 3",
            f"{one.mean:.4f}",
            "; ".join(f"{value:.4f}" for value in one.values.values()),
            f"{one.low:.4f} to {one.high:.4f}",
            f"{one.seconds:.3g}",
            f"{one.parameters:,.0f}",
            format_flops(one.flops),
        ]
    differences = rows_of(page, "Differences to the base, paired by seed")
    for line, one in zip(differences, compare(rows, "base", study.measure), strict=True):
        assert line == [
            one.variant,
            f"{one.difference:+.4f}",
            "; ".join(f"{value:+.4f}" for value in one.values),
            f"{one.low:+.4f} to {one.high:+.4f}",
            f"{one.corrected:.3g}",
            name_verdict(one, study.measure, Words("en")),
        ]
    assert {line[5].split(",")[0] for line in differences} & {"unproven"}
    assert page.text.count("The intervals cover other seeds and other validation rows.") == 2
    assert "Above 0 is better than the base." in page.text
    assert page.facts()["validation rows"] == "120, drawn anew for each seed"
    assert page.facts()["smallest difference that matters"].startswith("0.005, the default")
    assert plain(markdown_rows(text, "variant")) == table
    best = recommend(rows, study.measure, study.levels()).variant
    assert [row[0] for row in markdown_rows(text, "variant") if "**" in row[0]] == [f"**{best}**"]
    second = text[text.index("Differences to the base") :]
    assert plain(markdown_rows(second, "variant")) == differences


def test_with_more_than_three_seeds_their_spread_is_shown(tmp_path):
    study = small(seeds=4)
    rows = hand_made(study)
    page, _ = report_of_rows(tmp_path / "s", study, rows)
    for line, one in zip(
        rows_of(page, "Every variant over its seeds"), summarise(rows, study.measure), strict=True
    ):
        assert line[3] == f"{one.std:.4f}"
    assert page.facts()["validation rows"] == "not known"
    assert "The intervals cover other seeds, on the same validation rows." in page.text


def test_what_intervals_cover_is_said_of_each_where_it_differs():
    rows = [("a", "seeds-and-rows"), ("b", "nothing"), ("c", "rows"), ("d", "seeds-and-rows")]
    said = describe_covers(rows, Words("en"))
    assert said == (
        "Of “a” and “d”, the interval covers other seeds and other validation rows. "
        "Of “c”, the interval covers other validation rows, with the same seed."
    )
    assert describe_covers([("b", "nothing")], Words("en")) == ""


@pytest.mark.parametrize(
    ("measure", "difference", "said"),
    [
        ("validation_accuracy", 0.1, "unproven, probably better"),
        ("validation_accuracy", -0.1, "unproven, probably worse"),
        ("validation_loss", 0.1, "unproven, probably worse"),
        ("validation_loss", -0.1, "unproven, probably better"),
    ],
)
def test_weak_evidence_is_said_with_its_direction(measure, difference, said):
    figures = {"base": [0.5, 0.5, 0.5, 0.5, 0.5], "other": [0.5 + difference * x for x in (0.6, 1, 1.7, 1, 0.4)]}
    rows = [
        Row(name, {}, seed, "finished", {measure: value})
        for name, line in figures.items()
        for seed, value in enumerate(line)
    ]
    [found] = compare(rows, "base", measure)
    assert (found.verdict, found.evidence) == ("unproven", "weak")
    assert name_verdict(found, measure, Words("en")) == said
    assert name_verdict(replace(found, evidence="none"), measure, Words("en")) == "unproven"


def test_the_best_levels_together_are_told(tmp_path):
    study = small().with_together({"optimizer": "sgd(0.1)", "activation": "tanh"})
    figures = {"base": 0.8, "optimizer=sgd(0.1)": 0.82, "activation=tanh": 0.85}
    plan = "optimizer=sgd(0.1), activation=tanh"
    rows = [
        replace(row, measures={study.measure: {**figures, plan: 0.88}[row.variant] + row.seed / 1000})
        for row in hand_made(study)
    ]
    rows[-1] = replace(rows[-1], measures={study.measure: 0.883})
    page, text = report_of_rows(tmp_path / "s", study, rows)
    said = (
        "One factor at a time, the best levels are optimizer=sgd(0.1), activation=tanh. "
        "Together they reach 0.8815; "
        "without them the study would recommend “activation=tanh”, with 0.8505."
    )
    assert said in page.text
    assert said in text.replace("\\", "")
    assert "Difference: +0.031 (" in page.text
    assert "If their gains over the base added up, it would be 0.8705." in page.text
    high = [
        row if row.variant == "base" else replace(row, measures={study.measure: 0.95 + row.seed / 1000})
        for row in rows
    ]
    page, _ = report_of_rows(tmp_path / "s", study, high)
    assert "it would be 1.1. There is no such value, so they cannot add up." in page.text
    lost = [replace(row, status="failed", measures={}) if row.variant == plan else row for row in rows]
    page, _ = report_of_rows(tmp_path / "s", study, lost)
    assert "Together they have no run that counts" in page.text
    page, _ = report_of_rows(tmp_path / "s", study, [row for row in rows if row.variant != plan])
    assert "The best levels together" not in page.text


def test_the_verdict_is_green_where_there_is_evidence_alone(tmp_path):
    study = small(seeds=4, factors={"optimizer": {"levels": ["adam", "sgd(0.1)"]}})
    rows = hand_made(study)  # the second is better with every seed
    report_of_rows(tmp_path / "s", study, rows)
    assert '<section class="verdict healthy"' in html_of(tmp_path / "s")
    even = [
        replace(row, measures={study.measure: 0.8 + ((row.variant == "base") + row.seed) % 2 / 9}) for row in rows
    ]
    report_of_rows(tmp_path / "s", study, even)
    assert '<section class="verdict unproven"' in html_of(tmp_path / "s")


def test_the_analysis_of_variance_is_there(english, tmp_path):
    _, study, rows, page, text = english
    found = interaction_test(rows, study.levels(), study.measure, base=rows[0].levels)
    assert f"{Words('en').name('verdicts', found.verdict)}. {found.reason}" in page.text
    lines = rows_of(page, "Analysis of variance")
    assert [line[0] for line in lines] == ["seed", "optimizer", "width", "optimizer × width", "residual"]
    for line, source in zip(lines, found.sources, strict=True):
        assert line[1] == f"{source.sum_of_squares:.4g}"
        factor = "" if source.epsilon in (None, 1.0) else f" × {source.epsilon:.2f}"
        assert line[2] == f"{source.degrees}{factor}"
        assert line[3] == ("–" if source.F is None else f"{source.F:.4g}")
        assert line[6] == f"{source.share:.1%}"
    assert markdown_rows(text, "source") == lines
    other = small()
    report_of_rows(tmp_path / "other", other, hand_made(other))
    assert 'id="interactions"' not in html_of(tmp_path / "other")


def hand_made(study, **changes):
    """Rows of a study that was never run."""
    rows = []
    for number, variant in enumerate(study.variants()):
        for seed in study.seeds:
            value = 0.8 + number / 50 + seed / 500 + (number * seed) / 3000
            rows.append(
                Row(
                    variant.name,
                    variant.levels,
                    seed,
                    "finished",
                    {study.measure: value},
                    seconds=1.0,
                    parameters=9,
                    weights="a" * 64,
                    order="b" * 64,
                    masks="c" * 64,
                    folder=f"runs/{number}-{seed}",
                )
            )
    return [replace(row, **changes.get(f"{row.variant}-{row.seed}", {})) for row in rows]


def report_of_rows(folder, study, rows, language="en"):
    folder.mkdir(exist_ok=True)
    return report(folder, study, rows, language)


def test_the_recommended_plan_is_evaluated_and_nobody_else(finished, monkeypatch):
    folder, study, rows = finished
    evaluated = []

    def spy(network, data):
        evaluated.append(network.fingerprint())
        return predict_test_rows(network, data)

    monkeypatch.setattr(study_page, "predict_test_rows", spy)
    page, text = report(*finished)
    plan = read_final_evaluation(folder)
    assert evaluated == [plan.theta_sha256]
    model, data = load_model(folder / plan.folder), load(study.base)
    truth = evaluate_predictions(predict_rows(model.network, data.test))
    assert page.facts()["test loss"] == f"{truth.loss:.4g}"
    said = f"They were opened for “{plan.variant}”: of its 3 runs, the one with the median validation accuracy, "
    for whole in (page.text, text.replace("\\", "")):
        assert f"{said}{plan.value:.4g}, was evaluated: seed {plan.seed}." in whole
        assert "No other network of this study was evaluated on them." in whole
        assert "Of the two in the middle" not in whole
    predicted = model.predict(data.test.X)
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (data.test.y, predicted), 1)
    assert [row[1:] for row in rows_of(page, "Confusion matrix")] == [[str(n) for n in row] for row in counts]
    assert len([image for image in page.images if image["alt"].startswith("Test row")]) == 18
    assert [image["alt"][:10] for image in page.images].count("Weights of") == 1
    for row in rows:  # no figure of another network on the test rows is in either file
        if (row.variant, row.seed) != (plan.variant, plan.seed):
            other = evaluate_predictions(predict_rows(load_model(folder / row.folder).network, data.test))
            assert f"{other.loss:.6g}" not in text
            assert f"{other.loss:.4g}" not in (page.facts()["test loss"], page.facts()["test AUC"])


def test_a_closed_test_set_stays_closed(finished, monkeypatch):
    folder, study, rows = finished
    monkeypatch.setattr(study_page, "predict_test_rows", None)
    record = (folder / "recommended.json").read_text()
    (folder / "recommended.json").unlink()
    best = recommend(rows, study.measure, study.levels()).variant
    page, text = report(*finished)
    assert f"The test rows have not been opened for “{best}”." in page.text
    assert page.images == []
    assert "Confusion matrix" not in text
    (folder / "recommended.json").write_text(record)
    place = next(place for place, row in enumerate(rows) if row.variant not in ("base", best))
    page, _ = report(folder, study, [*rows[:place], *rows[place + 1 :]])  # a run is missing
    assert '<section class="verdict remarked"' in html_of(folder)
    assert "The study is not at its end: 1 of 12 runs still missing." in page.text
    assert page.facts()["runs"].startswith("11 of 12 0 diverged, 0 failed")
    assert "The test rows stay closed until all runs are done." in page.text
    lost = [replace(row, status="diverged") if row.seed == 1 else row for row in rows]
    page, _ = report(folder, study, lost)
    assert (
        "No variant finished with every seed, so none can be recommended. Left out: “base” (diverged" in page.text
    )
    assert "The test rows stay closed, as there is nothing to evaluate on them." in page.text
    other = [replace(row, measures={study.measure: 0.99}) if row.variant == "base" else row for row in rows]
    page, _ = report(folder, study, other)  # another plan than was evaluated
    assert "The test rows have not been opened for “base”." in page.text
    plan = read_final_evaluation(folder)
    mine = [row for row in rows if row.variant == plan.variant and row.seed != plan.seed]
    moved = {mine[0].seed: 0.990, mine[1].seed: 0.991, plan.seed: 0.992}  # another seed is the median
    other = [
        replace(row, measures={study.measure: moved[row.seed]}) if row.variant == plan.variant else row
        for row in rows
    ]
    page, _ = report(folder, study, other)
    assert f"The test rows have not been opened for “{best}”." in page.text


def test_a_study_whose_test_rows_were_opened_for_all_says_so_and_evaluates_no_plan(finished):
    folder, *_ = finished
    assert (folder / "recommended.json").exists()  # from before
    mark_test_rows_open(folder)
    page, text = report(*finished)
    assert "The test rows were opened for every run of this study" in page.text
    assert "No other network of this study" not in page.text
    assert "Confusion matrix" not in text


def test_earlier_looks_are_admitted(finished):
    folder = finished[0]
    record = json.loads((folder / "recommended.json").read_text())
    record["earlier"] = [{"variant": "base", "seed": 2, "theta_sha256": "c" * 64}]
    (folder / "recommended.json").write_text(json.dumps(record))
    page, _ = report(*finished)
    assert "These rows had been opened before, for base (seed 2)" in page.text
    assert "No other network" not in page.text


def test_hashes_are_short_on_the_page_and_whole_in_markdown(english):
    folder, _, rows, page, text = english
    html = html_of(folder)
    by = {(row.variant, row.seed): row for row in rows}
    starts = rows_of(page, "First weights, SHA-256")
    assert [line[0] for line in starts] == list(dict.fromkeys(row.variant for row in rows))
    for line in starts:
        assert line[1:] == [by[line[0], seed].weights[:8] for seed in (0, 1, 2)]
    assert rows_of(page, "Order of the rows, SHA-256") == [
        ["All variants", *(by["base", seed].order[:8] for seed in (0, 1, 2))]
    ]
    for row in rows:
        assert f'title="{row.weights}"' in html
        assert f"`{row.weights}`" in text
        assert f"`{row.order}`" in text
    assert rows_of(page, "What a factor changes beside itself, at the same seed") == [
        ["optimizer", "the same", "the same", "the same"],
        ["width", "other", "the same", "the same for rows and units that both have"],
    ]
    assert "within each seed: all variants were judged on the same validation rows." in page.text
    assert "With other first weights than the base: “width=wide” and" in page.text
    assert "All variants see the same rows in the same order." in page.text
    wrong = "|".join(re.findall(r"\.(r\d+) { background: rgb\(var\(--wrong\)", html))
    weights, batches, masks = (html.index(f"<summary>{what}, SHA-256") for what in HASHED)
    parts = html[weights:batches], html[batches:masks], html[masks:]
    assert [len(re.findall(f'<td class="({wrong})"', part)) for part in parts] == [
        6,
        0,
        6,
    ]  # the wide networks, three seeds


def test_what_is_needed_to_have_the_study_again_is_there(english):
    folder, study, rows, page, text = english
    command = f"glassnet study {folder}/study.toml --folder {folder}-again --workers 2"
    assert command in "".join(page.codes)
    assert f"    {command}\n" in text
    facts = dict(rows_of(page, "Checksums, versions, machine"))
    for file, checksum in load(study.base).checksums.items():
        assert facts[f"digits: {file}, MD5"] == checksum
    assert facts["threads"] == "1"
    assert facts["numpy"] == np.__version__
    assert facts["what is compared, SHA-256"] == study.fingerprint()
    links = re.findall(r'<a href="([^"]+)"><code>([^<]+)</code></a>', html_of(folder))
    assert [shown for _, shown in links] == [row.folder for row in rows]
    for address, shown in links:
        assert address == shown.replace("=", "%3D") + "/"
        assert (folder / shown).is_dir()
        assert f"[`{shown}`]({address})" in text


def test_the_sections_stand_in_their_order(english):
    found = re.findall(r'<section[^>]* id="(\w+)"', html_of(english[0]))
    wanted = "verdict results interactions recommendation curves compared health plan classes mistakes weights"
    assert found == [*wanted.split(), "fairness", "again", "glossary"]


TENTH = Remedy("learning rate", Message("remedies.rate", rate=0.01), {})
CAUSE = Message("causes.unscaled-inputs", rms=147.0)
LARGE = Message("causes.large-rate", rate=0.1)
SICK = diagnosed("dead-units", CAUSE, layer=1, since=4, remedy=TENTH)
CHANGES = {
    "base-0": {"health": [SICK, diagnosed("over-fitting", "since epoch 2", sick=False)]},
    "base-1": {"health": [diagnosed("over-fitting", "since epoch 3", sick=False)]},
    "optimizer=sgd(0.1)-1": {
        "status": "diverged",
        "measures": {},
        "problem": "epoch 1, step 3: the loss is nan",
        "health": [diagnosed("divergence", LARGE)],
    },
    "activation=tanh-0": {
        "status": "failed",
        "measures": {},
        "problem": "its process died",
        "weights": "",
        "order": "",
        "masks": "",
    },
    "activation=tanh-1": {"health": [diagnosed("warning", "the disk is nearly full", sick=False)]},
}


def test_what_went_wrong_is_said_run_by_run(tmp_path):
    study = small()
    page, text = report_of_rows(tmp_path / "s", study, hand_made(study, **CHANGES))
    assert "Runs that diverged, failed, or left a sick network: 3 of 6." in page.text
    table = rows_of(page, "Runs with something wrong")
    assert table == [
        ["base (seed 0)", "finished", "dead units", str(CAUSE), "learning_rate 0.01"],
        ["optimizer=sgd(0.1) (seed 1)", "diverged", "divergence", str(LARGE), "–"],
        ["activation=tanh (seed 0)", "failed", "–", "its process died", "–"],
    ]
    done = {row[0]: row[1] for row in rows_of(page, "Every variant over its seeds")}
    assert done == {"base": "2 of 2", "optimizer=sgd(0.1)": "1 of 2", "activation=tanh": "1 of 2"}
    remarks = rows_of(page, "Remarks")
    assert remarks == [
        ["over-fitting", "base (seeds 0, 1)"],
        ["the disk is nearly full", "activation=tanh (seed 1)"],
    ]
    assert plain(markdown_rows(text, "note")) == remarks
    assert "But note its health: 1 of its 2 runs sick, with dead units." in page.text
    assert '<section class="verdict remarked"' in html_of(tmp_path / "s")
    assert page.facts()["runs"].startswith("4 of 6 1 diverged, 1 failed")


def test_in_chinese_it_says_the_same(tmp_path):
    study = small()
    page, _ = report_of_rows(tmp_path / "s", study, hand_made(study, **CHANGES), "zh")
    assert "但请注意：它的 2 次运行中有 1 次出现异常：死亡神经元。" in page.text
    table = rows_of(page, "有问题的运行")
    assert [line[1:3] for line in table] == [["完成", "死亡神经元"], ["发散", "发散"], ["失败", "–"]]
    assert table[0][3:] == ["输入的均方根为 147，而网络适合的大小约为 1", "改用 learning_rate 0.01"]
    assert table[1][3] == "步长过大：学习率 0.1 超出了该网络所能承受的范围"
    foreign = re.findall(r'<span lang="en">([^<]*)</span>', html_of(tmp_path / "s"))
    assert foreign == ["its process died", "the disk is nearly full"]


KNOWN = {"study", "digits", "csv", "gz", "margin", "best"}


def english_in(page, text, study):
    """The English words of a page and its twin that are not names."""
    names = {word for one in study.variants() for word in re.findall("[A-Za-z_]+", f"{one.name} {one.levels}")}
    bare = re.sub(r"`[^`]*`", "", re.sub(r"^    .*$", "", text, flags=re.MULTILINE))
    bare = re.sub(r"\]\([^)]*\)", "", bare)
    return latin_words(f"{page.text} {bare}") - names - KNOWN - set(study.name.split())


def test_in_chinese_no_english_sentence_is_left(finished):
    folder, study, _ = finished
    page, text = report(*finished, "zh")
    assert '<html lang="zh-CN">' in html_of(folder)
    assert english_in(page, text, study) == set()
    assert misplaced_marks(page.text) == []
    labels = re.findall(r'(?:aria-label|alt|title)="([^"]*)"', html_of(folder))
    assert all(not re.search("[A-Za-z]{3,} [a-z]{2,}", label) for label in labels)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("case", ["one seed", "seconds", "list", "lost", "loss"])
def test_every_kind_of_study_has_a_report(tmp_path, case, language):
    study = {
        "one seed": lambda: small(seeds=1),
        "seconds": lambda: small(budget={"seconds": 90}, base=BASE),
        "list": lambda: listed(
            {"deep": {"network.layers": [64, 8, 8, 10]}, "tanh": {"network.activation": "tanh"}}
        ),
        "lost": factorial,
        "loss": lambda: small(measure="validation_loss"),
    }[case]()
    rows = hand_made(study)
    if case == "lost":
        rows = [replace(row, status="failed", measures={}, problem="died") for row in rows]
    page, text = report_of_rows(tmp_path / "s", study, rows, language)
    said = {
        "one seed": (
            "Evidence that it is better than “base”: none so far (1 seed).",
            "的证据：尚无（1 个随机种子）",
        ),
        "seconds": ("1 min 30 s of training, up to the end of the epoch", "训练 1 分 30 秒，直至该轮结束"),
        "list": ("network.layers = [64, 8, 8, 10]", "network.layers = [64, 8, 8, 10]"),
        "lost": (
            "Cannot be told. 12 of the 12 runs of the full factorial are missing",
            "无法判断：全因子设计的 12 次",
        ),
        "loss": ("validation loss, the lower the better", "验证损失，越低越好"),
    }[case][language == "zh"]
    assert said in f"{page.text} {''.join(page.codes)}"
    assert said in text.replace("\\", "")
    if language == "zh":
        assert english_in(page, text, study) <= {"sgd", "relu", "tanh", "adam", "died"}


BASE = {"data": {"dataset": "digits"}, "network": {"layers": [64, 12, 10]}, "training": {"kernels": "numpy"}}


def test_names_are_text_whatever_they_hold(tmp_path):
    study = study_of(
        {
            "name": f"{EVIL}</title>",
            "seeds": 2,
            "design": "list",
            "base": BASE,
            "variants": [
                {"name": EVIL, "changes": {"training.optimizer": "sgd(0.1)"}},
                {"name": "a | b\n\u202e# c", "changes": {"network.activation": "tanh"}},
            ],
        }
    )
    rows = hand_made(
        study, **{f"{EVIL}-0": {"folder": 'runs/"><script>', "health": [diagnosed("warning", EVIL, sick=False)]}}
    )
    page, text = report_of_rows(tmp_path / "s", study, rows)
    html = html_of(tmp_path / "s")
    assert EVIL not in html
    assert 'runs/">' not in html
    assert EVIL not in re.sub("`[^`]*`", "", text)
    assert [row[0] for row in rows_of(page, "Every variant over its seeds")] == [
        *("base", EVIL, r"a | b\n\u202e# c")
    ]
    assert markdown_rows(text, "variant")[-1][0].replace("**", "") == r"a \| b\\n\\u202e\# c"


def test_rows_may_come_in_any_order_and_of_other_seeds(finished):
    folder, study, rows = finished
    first = write_study_report(gather_findings(study, folder, rows, load), load).read_bytes()
    more = [replace(rows[0], seed=99), *reversed(rows)]
    assert write_study_report(gather_findings(study, folder, more, load), load).read_bytes() == first
    assert len(first) < 300_000


def test_what_cannot_be_reported_is_refused_by_name(finished, monkeypatch):
    folder, study, rows = finished
    with pytest.raises(UsageError, match="language"):
        write_study_report(gather_findings(study, folder, rows, load), load, language="de")
    with pytest.raises(FileError, match="holds no row of the study yet; run it first"):
        write_study_report(gather_findings(study, folder, [], load), load)
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(FileError, match="No space left"):
        write_study_report(gather_findings(study, folder, rows, load), load)
    assert {path.name for path in folder.iterdir()} == before


@pytest.mark.browser
def test_a_page_opens_offline_fits_the_screen_and_hides_curves(finished, open_file, assert_nothing_planted_works):
    folder, study, rows = finished
    found = gather_findings(study, folder, rows, load)
    inside = "boxes => boxes.every((box) => box.getBoundingClientRect().right <= innerWidth + 1)"
    for language in LANGUAGES:
        page = open_file(write_study_report(found, load, language=language), offline=True)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (language, width)
            boxes = page.locator("section, .scroll, figure, .facts, .tiles > div")
            assert boxes.evaluate_all(inside), (language, width)
        figures = page.locator("#curves figure")
        assert figures.count() == 3
        figure, group = figures.nth(2), page.locator("#curves .one > .legend")
        assert group.count() == 1  # for all three
        assert figure.locator("path.band").count() == 4  # a band over the seeds for every variant
        button = group.locator("button").nth(1)
        assert button.inner_text() == "width=wide"
        button.click()
        assert not figure.locator("g[data-curve='1']").is_visible()
        figure.locator(".plot").focus()
        page.keyboard.press("End")
        lines = figure.locator(".tip").inner_text().split("\n")[1:]
        assert [line.partition(":")[0] for line in lines] == [name for name in VARIANTS if name != "width=wide"]
        button.click()
        assert figure.locator("g[data-curve='1']").is_visible()
    page.emulate_media(media="print")
    assert page.pdf()[:4] == b"%PDF"
    assert_nothing_planted_works(html_of(folder))


@pytest.mark.browser
def test_a_study_page_can_be_used_without_eyes(english, open_file):
    page = open_file(english[0] / "report.html")
    assert page.locator("img").evaluate_all("all => all.every((one) => one.alt)")
    assert page.locator("table:not(:has(caption))").count() == 0
    levels = page.locator("h1, h2, h3").evaluate_all("heads => heads.map((head) => Number(head.tagName[1]))")
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_results_and_runs_become_tables_for_other_programs(finished):
    folder, study, rows = finished
    report(*finished, "zh")
    results, runs = (pandas.read_csv(folder / name) for name in ("results.csv", "runs.csv"))
    means = {one.variant: one.mean for one in summarise(rows, study.measure)}
    assert dict(zip(results["variant"], results[study.measure], strict=True)) == means
    assert runs[study.measure].tolist() == [row.measures[study.measure] for row in rows]
    assert runs["width"].tolist() == [row.levels["width"] for row in rows]
    latex = (folder / "results.tex").read_text(encoding="utf-8")
    assert latex.count(r"\\") == 1 + len(means)
    assert "\\toprule\n方案 & " in latex


def test_a_study_has_its_charts_as_files(finished, tmp_path):
    files = FigureFiles(tmp_path / "figures", ["svg"])
    write_study_report(gather_findings(*finished[1::-1], finished[2], load), load, figures=files)
    charts = [path.stem for path in files.written if path.suffix == ".svg"]
    assert charts[:5] == ["results", "differences", "train-loss", "validation-loss", "validation-accuracy"]
    text = (finished[0] / "report.md").read_text(encoding="utf-8")
    assert text.index("/results.svg)") < text.index("/differences.svg)") < text.index("/train-loss.svg)")
    assert len(files.written) == len(set(files.written))


def test_the_results_are_a_chart_with_the_best_at_the_top(english):
    folder, study, rows, *_ = english
    html = html_of(folder)
    figure = html[html.index('data-chart="results"') : html.index('data-chart="differences"')]
    ranked = sorted(summarise(rows, study.measure), key=lambda one: -one.mean)
    labels = re.findall(r'<span title="([^"]*)">', figure)
    assert labels == [one.variant for one in ranked]
    assert f"{study.measure.replace('_', ' ').capitalize()}: {labels[0]} " in figure
    figure = html[html.index('data-chart="differences"') :]
    best = max(compare(rows, "base", study.measure), key=lambda one: one.difference)
    said = f"{best.variant} {best.difference:.4g} ({best.low:.4g} … {best.high:.4g})"
    assert f"Differences to the base, paired by seed: {said}; " in figure
