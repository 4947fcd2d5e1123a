"""The report of a published table: what it says follows from the runs, in HTML and Markdown, in both languages."""

import re
import runpy
from itertools import pairwise
from pathlib import Path

import pytest
from tests.chinese import latin_words, misplaced_marks
from tests.report.conftest import Page, markdown_rows, rows_of
from tests.reproductions.publications import by_seed, outcome, printed, repeated
from tests.screens import SIZES

from glassnet.locales.catalogue import LANGUAGES, Words
from glassnet.reproductions.page import (
    answers_of,
    order_text,
    printed_table,
    reasons_of,
    verdict_of,
    write_reproduction_report,
)
from glassnet.reproductions.publication import load_publication
from glassnet.reproductions.reproduce import Reproduction, compare_orders, compare_rows
from glassnet.study.results import DIVERGED, FAILED

EVIL = "<script>document.title = 'taken'</script>"
EN, ZH = Words("en"), Words("zh")
ROOT = Path(__file__).parents[2]


def tiny(folder, outcomes, **texts):
    """Another publication, without facts and factorial."""
    publication = printed(
        {
            "variant": "base",
            "table": "networks",
            "label": "a",
            "behaviour": "learns",
            "figures": [{"quantity": "train_loss", "printed": 5.0, "low": 4.0, "high": 6.25}],
        },
        {
            "variant": "wide",
            "table": "networks",
            "label": "b",
            "figures": [
                {"quantity": "test_accuracy", "printed": 0.5, "low": 0.4, "high": 0.6, "seeds": "best"},
                {"quantity": "validation_accuracy", "printed": 0.5, "low": 0.4, "high": 0.6, "epoch": "best"},
            ],
        },
        orders=[
            {"text": {"en": "it rises", "zh": "依次升高"}, "quantity": "train_loss", "variants": ["base", "wide"]}
        ],
        **texts,
    )
    rows, orders = compare_rows(publication, outcomes), compare_orders(publication, outcomes)
    lost = [one.row for runs in outcomes.values() for one in runs.values() if one.row.status == FAILED]
    return Reproduction(publication, folder, outcomes, rows, orders, None, None, lost)


def two(**changes):
    found = {
        "base": [outcome("base", seed, train_loss=[9.0, loss]) for seed, loss in enumerate((4.5, 5.25))],
        "wide": [
            outcome(
                "wide", seed, train_loss=[5.0], test={"test_accuracy": value}, validation_accuracy=[value, 0.1]
            )
            for seed, value in enumerate((0.3, 0.45))
        ],
    }
    return by_seed(*(one for runs in (found | changes).values() for one in runs))


def written(found, language="en"):
    file = write_reproduction_report(found, Words(language))
    assert file == found.folder / "report.html"
    return Page(file.read_text(encoding="utf-8")), (found.folder / "report.md").read_text(encoding="utf-8")


def plain(text):
    """Markdown as it is read."""
    return text.replace("\\", "").replace("**", "").replace("&lt;", "<").replace("&gt;", ">")


def test_its_chart_can_be_drawn_in_python(tmp_path):
    found = repeated(tmp_path)
    first, *others = found.charts(Words("en"))
    assert found.plot().get_title(loc="left") == first.title
    assert {one.key for one in others} >= {"printed-2"}
    assert found.plot(language="zh").get_title(loc="left") == found.chart(Words("zh")).title


def test_the_table_holds_what_is_printed_and_ours(tmp_path):
    found = tiny(tmp_path, two())
    page, text = written(found)
    table = rows_of(page, "Table: networks")
    assert table == [
        ["a", "reproduced", "training loss", "5.0", "4.9", "4.5", "4 to 6.25", "learns"],
        ["b", "not reproduced", "test accuracy", "0.5", "0.3750", "0.4500", "0.4 to 0.6", "learns"],
        ["", "", "validation accuracy, best epoch", "0.5", "0.3750", "0.4500", "0.4 to 0.6", ""],
    ]
    assert page.tables["Table: networks"][0][4] == "mean of 2 seeds"
    assert [[plain(cell) for cell in row] for row in markdown_rows(text, "row")] == table
    bold = re.findall(r"<b>([^<]*)</b>", (tmp_path / "report.html").read_text(encoding="utf-8"))
    assert bold == ["4.9", "0.4500", "0.3750"]  # what is compared
    assert bold == re.findall(r"\*\*([^*]*)\*\*", text)
    for whole in (page.text, plain(text)):
        assert (
            "2 printed rows: 1 reproduced, 0 of the same behaviour with another value, 1 not reproduced." in whole
        )
        reason = "b: not reproduced, because the validation accuracy, best epoch is 0.3750, outside 0.4 to 0.6."
        assert reason in whole
        assert "it rises: holds for our means (4.9 < 5.0), and for 1 of 2 seeds." in whole
        assert "Printed in: nobody (2026)." in whole
        assert "Two networks on points." in whole
    assert "What it left open" not in page.text


def test_a_mean_of_fewer_runs_says_so(tmp_path):
    wide = two()["wide"][1]
    lost = two(wide=[outcome("wide", 0, FAILED), wide])
    page, _ = written(tiny(tmp_path, lost))
    assert rows_of(page, "Table: networks")[1][4] == "0.4500 (of 1)"
    assert rows_of(page, "Table: networks")[2][1:5] == [
        "",
        "validation accuracy, best epoch",
        "0.5",
        "0.4500 (of 1)",
    ]
    assert "because only 1 of 2 runs have a validation accuracy, best epoch." in page.text
    nothing = two(wide=[outcome("wide", 0, DIVERGED, kinds=["divergence"]), outcome("wide", 1, FAILED)])
    page, text = written(tiny(tmp_path, nothing))
    assert rows_of(page, "Table: networks")[1][4:6] == ["–", "–"]
    said = "because no run of ours has a test accuracy; no run of ours has a validation accuracy, best epoch; our "
    assert said in page.text
    assert said in plain(text)
    assert "it rises: does not hold for our means (4.9, –); it does for 0 of 0 seeds." in page.text
    assert [row[:2] for row in rows_of(page, "Runs with something wrong")] == [
        ["wide (seed 0)", "diverged"],
        ["wide (seed 1)", "failed"],
    ]


def test_another_behaviour_is_a_reason():
    fails = two(base=[outcome("base", seed, train_loss=[99.0]) for seed in (0, 1)])
    found = tiny(None, fails)
    [reason, _] = reasons_of(found.rows, EN)
    assert reason == (
        "a: not reproduced, because ours fails, where the printed one learns; the training loss is 99.0, "
        "outside 4 to 6.25."
    )
    silent = tiny(
        None, two(base=[outcome("base", seed, train_loss=[99.0], unanswered=seed) for seed in (0, 1, 2)])
    )
    assert "; 2 of 3 runs of ours never give one class or more." in reasons_of(silent.rows, EN)[0]
    lost = tiny(None, two(base=[outcome("base", 0, FAILED)]))
    assert reasons_of(lost.rows, EN)[0] == "a: not reproduced, because no run of ours has a training loss."
    [order] = found.orders
    assert order_text(order, EN) == "it rises: does not hold for our means (99.0, 5.0); it does for 0 of 2 seeds."


def test_the_report_has_a_table_for_each_that_is_printed(tmp_path):
    found = repeated(tmp_path)
    page, text = written(found)
    assert [name for name in page.tables if name.startswith("Table: ")] == [
        "Table: optimizers",
        "Table: activations",
        "Table: networks",
    ]
    rows = [row for name in page.tables if name.startswith("Table: ") for row in rows_of(page, name)]
    whole = printed_table(found.rows, EN)
    assert rows == [[cell.text for cell in row] for row in whole.cells]
    assert sum(line.startswith("| row | verdict |") for line in text.splitlines()) == 3
    ours = {row[0]: row[1] for row in rows if row[0]}
    assert ours["[784, 392, 196, 49, 1]"] == "reproduced"
    assert ours["Adam, 6,000 images"] == "not reproduced"
    assert ours["ReLU"] == "same behaviour, other value"
    # every printed number stands there with all of its digits
    assert {"209.02", "0.2447", "10,704.5", "6,009.0", "6,008.95 to 6,009.05"} <= {
        cell for row in rows for cell in row
    }
    # a run of each setting that is sick, and no more
    assert [row[0] for row in rows_of(page, "Runs with something wrong")] == [
        f"{name} (seed 0)" for name, runs in found.outcomes.items() if runs[0].row.health
    ]
    sections = re.findall(r'<section[^>]* id="(\w+)"', (tmp_path / "report.html").read_text(encoding="utf-8"))
    assert sections == ["verdict", "printed", "questions", "health", "again", "glossary"]


def test_page_and_twin_say_the_same_numbers(tmp_path):
    for language in ("en", "zh"):
        page, text = written(repeated(tmp_path), language)
        numbers = r"\d[\d,]*\.?\d*(?:e[-+]\d+)?"
        shown = sorted(re.findall(numbers, f"{' '.join(page.texts)} {' '.join(page.codes)}"))
        told = re.sub(r"\]\([^)]*\)", "]", plain(text))
        assert sorted(re.findall(numbers, told)) == shown
        for one in answers_of(repeated(tmp_path), Words(language)):
            assert one.text in page.text
            assert one.text in plain(text)


def test_a_page_of_the_docs_leads_to_no_file_of_the_folder(tmp_path):
    _, text = written(repeated(tmp_path))
    without_links = runpy.run_path(str(ROOT / "docs" / "make_reproductions.py"))["without_links"]
    [left_out] = set(text.splitlines()) - set(without_links(text).splitlines())
    assert left_out.startswith("All runs, their curves, settings and hashes: [study/report.html](study/")
    assert "](" not in without_links(text)


def names_in(found):
    """English that is a name."""
    publication = found.publication
    texts = [
        publication.title["zh"],
        publication.source["zh"],
        publication.about["zh"],
        *(order.text["zh"] for order in publication.orders),
    ]
    texts += [f"{row.table} {row.label} {row.variant}" for row in publication.rows]
    texts += [
        *found.outcomes,
        "optimizer activation network Adam SGD GD ReLU relu tanh sigmoid softmax he_normal ANOVA",
    ]
    return set(re.findall("[A-Za-z_]+", " ".join(texts)))


def test_in_chinese_no_english_sentence_is_left(tmp_path):
    found = repeated(tmp_path)
    page, text = written(found, "zh")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in html
    assert f"<h1>{found.publication.title['zh']}</h1>" in html
    bare = re.sub(r"^    .*$|\]\([^)]*\)", "", text, flags=re.MULTILINE)
    english = latin_words(f"{page.text} {plain(bare)}") - names_in(found)
    assert english <= {"study", "factorial", "report", "html", "uniform"}
    assert misplaced_marks(page.text) == []
    assert "表：优化器" in page.tables
    assert "Adam，6,000 张图：未复现" in page.text
    assert not re.search("[a-z]{2,} [a-z]{2,} [a-z]{2,}", " ".join(one.text for one in answers_of(found, ZH)))
    assert "glassnet reproduce seed-report --folder" in " ".join(page.codes)
    assert "--lang zh" in " ".join(page.codes)
    labels = re.findall(r'(?:aria-label|alt|title)="([^"]*)"', html)
    assert all(not re.search("[A-Za-z]{3,} [a-z]{2,}", label) for label in labels)


def test_texts_are_text_whatever_they_hold(tmp_path):
    outcomes = two(base=[outcome("base", 0, FAILED, kinds=["dead-units"], cause=EVIL)])
    texts = {"title": f"{EVIL}</title>", "source": EVIL, "about": f"a | b {EVIL}"}
    found = tiny(tmp_path, outcomes, **{name: {"en": text, "zh": ""} for name, text in texts.items()})
    page, text = written(found)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert EVIL not in html
    assert EVIL not in text
    assert f"a | b {EVIL}" in page.text
    assert f"Printed in: {EVIL}." in page.text
    assert "a \\| b &lt;script&gt;" in text
    evil = {
        **load_publication("zalando-mlp").rows[0].model_dump(),
        "label": EVIL,
        "table": EVIL,
        "variant": "base",
    }
    [compared] = compare_rows(printed(evil), two())
    assert printed_table([compared], EN, EVIL).cells[0][0].text == EVIL


def test_what_is_counted_is_said(tmp_path):
    found = repeated(tmp_path)
    counts = [sum(row.verdict == verdict for row in found.rows) for verdict in ("reproduced", "not-reproduced")]
    said = verdict_of(found.rows, ZH)
    assert said.startswith(f"原文的 9 行结果：{counts[0]} 行复现")
    assert said.endswith(f"{counts[1]} 行未复现。")


@pytest.mark.browser
def test_a_page_opens_offline_and_fits_the_screen(tmp_path, open_file, assert_nothing_planted_works):
    found = repeated(tmp_path)
    inside = "boxes => boxes.every((box) => box.getBoundingClientRect().right <= innerWidth + 1)"
    for language in LANGUAGES:
        page = open_file(write_reproduction_report(found, Words(language)), offline=True)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (language, width)
            boxes = page.locator("section, .scroll, p, h1, h2, h3, li, pre")
            assert boxes.evaluate_all(inside), (language, width)
            if width > 1000:  # a verdict is seen without scrolling
                right = "cells => cells.every((cell) => cell.getBoundingClientRect().right <= innerWidth)"
                assert page.locator("#printed tbody td:nth-child(2)").evaluate_all(right)
        assert page.locator("#questions h3").count() == 8
        assert page.locator("table:not(:has(caption))").count() == 0
        levels = page.locator("h1, h2, h3").evaluate_all("heads => heads.map((head) => Number(head.tagName[1]))")
        assert levels[0] == 1
        assert all(b - a <= 1 for a, b in pairwise(levels))
        links = page.locator("#again a").evaluate_all("all => all.map((one) => one.getAttribute('href'))")
        assert links == ["study/report.html", "factorial/report.html"]
    page.emulate_media(media="print")
    assert page.pdf()[:4] == b"%PDF"
    assert_nothing_planted_works((tmp_path / "report.html").read_text(encoding="utf-8"))
