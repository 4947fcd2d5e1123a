"""How all pages look on a laptop and on a phone, light and dark, in English and in Chinese."""

import numpy as np
import pytest
from tests.graph.test_page import small as small_network
from tests.reproductions.publications import repeated
from tests.screens import FAULTS, SIZES
from tests.study.studies import small

from glassnet.data.registry import load_dataset
from glassnet.graph.page import explain
from glassnet.locales.catalogue import LANGUAGES, Words
from glassnet.report.run_page import write_run_report
from glassnet.report.study_page import write_study_report
from glassnet.reproductions.page import write_reproduction_report
from glassnet.searches.design import Search
from glassnet.searches.page import write_search_report
from glassnet.searches.results import gather_results
from glassnet.searches.runner import Trial
from glassnet.searches.sampling import draw
from glassnet.searches.space import shipped_values, space_of
from glassnet.study.fairness import DataCache
from glassnet.study.findings import gather_findings
from glassnet.study.results import Row
from glassnet.training.history import EpochRecord, History

from .conftest import SICK, trained

#: More variants than a chart has colours, one of them with a long name.
FACTORS = {
    "optimizer": {"key": "training.optimizer", "levels": ["adam", "sgd(0.1)", "nesterov(0.05, momentum=0.95)"]},
    "activation": {"key": "network.activation", "levels": ["relu", "tanh", "sigmoid", "silu"]},
    "network": {
        "key": "network.layers",
        "levels": {
            "narrow": [64, 12, 10],
            "wide": [64, 48, 10],
            "deep": [64, 24, 24, 10],
            "deeper": [64, 9, 9, 9, 10],
        },
    },
}


def run_of(folder, data, layers, **training):
    finished = trained(folder, data, layers=layers, epochs=12, health=SICK, **training)
    return lambda language: write_run_report(folder, finished.network, data, language=language)


def study_of_many(folder):
    """The report of a study whose histories are made up: each factor has its own charts."""
    study, rows = small(seeds=2, factors=FACTORS), []
    for number, variant in enumerate(study.variants()):
        for seed in study.seeds:
            place = f"runs/{number}-{seed}"
            history = History()
            for epoch in range(1, 9):
                loss = 2.0 / epoch + number / 10 + seed / 20
                history.append(EpochRecord(epoch, loss, 0.5, 1.1 * loss, 0.9 - loss / 4, 0.001, 1.0, 1))
            (folder / place).mkdir(parents=True)
            (folder / place / "history.csv").write_text(history.to_csv())
            values = {study.measure: 0.9 - number / 40 + seed / 90}
            rows.append(Row(variant.name, variant.levels, seed, "finished", values, seconds=1.5, folder=place))
    load = DataCache().load
    found = gather_findings(study, folder, rows, load)
    return lambda language: write_study_report(found, load, language=language)


def explanation(folder):
    def write(language):
        file = folder / "explain.html"
        file.write_text(explain(*small_network(), language=language).html, encoding="utf-8")
        return file

    return write


def search_of_many(folder):
    """The report of a search whose rows are made up: more trials than a chart shows, one that failed."""
    values = shipped_values("tables")
    space = space_of(values, {"data": {"dataset": "digits"}}).for_data(load_dataset("digits"))
    search, trials = Search(space, trials=60), {}
    for number, drawn in draw("random", 0, range(60), space.dimensions, [], True, {}).items():
        measures = {space.measure: 0.95 - number / 90}
        cost = {"seconds": 0.1 * (number % 7 + 1), "parameters": 900 + 70 * number}
        row = Row(f"#{number}", space.labels(drawn), 0, "finished", measures, **cost)
        if number == 59:
            row = Row(f"#{number}", space.labels(drawn), 0, "failed", {}, problem="its process was killed")
        trials[number] = Trial(number, drawn, {50 if number < 5 else 1: row})
    record = {"seconds": 75.0, "layout": {"workers": 2, "threads": 1}}
    found = gather_results(search, folder, trials, record)
    return lambda language: write_search_report(found, language=language)


PAGES = {
    "pictures": lambda folder: run_of(
        folder / "run", load_dataset("digits"), [64, 16, 10], early_stopping="patience(3)", schedule="cosine"
    ),
    "table": lambda folder: run_of(folder / "run", load_dataset("breast-cancer"), [30, 4, 1]),
    "numbers": lambda folder: run_of(folder / "run", load_dataset("diabetes"), [10, 4, 1]),
    "study": study_of_many,
    "reproduction": lambda folder: lambda language: write_reproduction_report(repeated(folder), Words(language)),
    "explanation": explanation,
    "search": search_of_many,
}


@pytest.mark.browser
@pytest.mark.parametrize("kind", PAGES)
def test_nothing_lies_over_another_is_cut_off_or_too_pale(tmp_path, open_file, kind):
    write = PAGES[kind](tmp_path)
    for language in LANGUAGES:
        page = open_file(write(language))
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                assert page.evaluate(FAULTS) == [], (language, width, scheme)


@pytest.mark.browser
def test_what_must_not_be_seen_is_found(tmp_path, open_file):
    file = tmp_path / "page.html"
    texts = "<p style='position: absolute'>first</p><p style='position: absolute'>second</p>"
    file.write_text(
        f"<body style='width: 2000px; margin: 0'><figure class='chart'>{texts}</figure>"
        "<p style='color: #999'>pale</p>"
        "<div style='overflow: hidden; width: 5px; white-space: nowrap'>cut off</div>",
        encoding="utf-8",
    )
    faults = open_file(file).evaluate(FAULTS)
    assert [fault.split(" ", 2)[2] if fault.startswith("the page") else fault for fault in faults] == [
        "is 2000 wide",
        '"first" lies over "second" in FIGURE.chart',
        '"cut off" is cut off in DIV.',
        '"pale" has a contrast of 2.8',
    ]


@pytest.mark.browser
def test_a_laptop_shows_charts_side_by_side_over_the_width_of_the_page(tmp_path, open_file):
    page = open_file(study_of_many(tmp_path)("en"))
    for section, at_least in (("#results", 2), ("#curves", 3)):
        boxes = [one.bounding_box() for one in page.locator(f"{section} .chart").all()[:at_least]]
        assert np.ptp([box["y"] for box in boxes]) < 2
        assert boxes[-1]["x"] + boxes[-1]["width"] - boxes[0]["x"] > 0.9 * SIZES[0][0]
    legends = page.locator("#curves .legend:visible")
    assert legends.count() == len(FACTORS)
    page.set_viewport_size({"width": SIZES[1][0], "height": SIZES[1][1]})
    assert all(one.bounding_box()["height"] < 120 for one in legends.all())


@pytest.mark.browser
def test_a_term_is_explained_where_it_stands(tmp_path, open_file):
    file = PAGES["table"](tmp_path)("en")
    page = open_file(file)
    terms = page.locator("a.term")
    marked = terms.evaluate_all("all => [...new Set(all.map((one) => one.getAttribute('href').slice(1)))].sort()")
    assert marked == sorted(page.locator(".glossary > div").evaluate_all("all => all.map((one) => one.id)"))
    assert {"term-auc", "term-specificity", "term-update-ratio", "term-pre-activation"} <= set(marked)
    box, auc = page.locator(".meaning"), page.locator("a.term[href='#term-auc']").first
    assert not box.is_visible()
    auc.focus()
    page.keyboard.press("Enter")
    assert box.inner_text().split("\n") == page.locator("#term-auc").inner_text().split("\n")
    frame, place = box.bounding_box(), auc.bounding_box()
    assert 0 <= frame["y"] - place["y"] - place["height"] < 12
    page.keyboard.press("Escape")
    assert not box.is_visible()
    assert page.url == file.as_uri()
    page.set_viewport_size({"width": SIZES[1][0], "height": SIZES[1][1]})
    page.locator("a.term:visible").last.click()
    frame = box.bounding_box()
    assert frame["x"] >= 0
    assert frame["x"] + frame["width"] <= SIZES[1][0]
    plain = open_file(file, java_script_enabled=False)
    plain.locator("a.term[href='#term-auc']").first.click()
    assert plain.url.endswith("#term-auc")
    assert plain.locator("#term-auc").is_visible()
