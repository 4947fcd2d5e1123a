"""The explain page, in a real browser."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from matplotlib.image import imread
from tests.chinese import latin_words, misplaced_marks, text_of
from tests.screens import SIZES

import glassnet as gn
from glassnet.data.columns import TableSchema
from glassnet.data.schema import Schema
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import DataError, FileError, UsageError
from glassnet.graph.computation_graph import ComputationGraph
from glassnet.graph.example_network import example_network, example_sample
from glassnet.graph.notation import number
from glassnet.graph.page import _draw_matrix, explain
from glassnet.training.snapshots import Snapshots

LEVELS = ("operations", "neurons", "matrices")

#: Texts that lie over one another by more than a hair, of those that are shown.
OVERLAPS = """() => {
    const corners = (text) => {
        const { x, y, width, height } = text.getBBox();
        const at = text.getScreenCTM();
        const [top, bottom, right] = [y + 0.1 * height, y + 0.9 * height, x + width];
        return [[x, top], [right, top], [right, bottom], [x, bottom]]
            .map(([left, top]) => [at.a * left + at.c * top + at.e, at.b * left + at.d * top + at.f]);
    };
    const apart = (one, other) => [one, other].some((form) => form.some(([x1, y1], k) => {
        const [x2, y2] = form[(k + 1) % 4];
        const length = Math.hypot(x2 - x1, y2 - y1);
        const along = ([x, y]) => ((y1 - y2) * x + (x2 - x1) * y) / length;
        const [first, second] = [one, other].map((points) => points.map(along));
        return Math.max(...first) < Math.min(...second) + 1 || Math.max(...second) < Math.min(...first) + 1;
    }));
    const shown = [...document.querySelectorAll("section.level:not([hidden]) svg text")]
        .filter((text) => getComputedStyle(text).visibility !== "hidden")
        .map((text) => [text.textContent, corners(text)]);
    const pairs = [];
    shown.forEach(([one, a], i) => shown.slice(0, i).forEach(([other, b]) => {
        if (!apart(a, b)) pairs.push(`${one} | ${other}`);
    }));
    return pairs;
}"""


#: The values and the gradients that are shown, and the class of the current step.
SHOWN = """() => {
    const section = document.querySelector("section.level:not([hidden])");
    const texts = (kind) => [...section.querySelectorAll(`svg text.${kind}:not(.later):not(.legend)`)];
    const shown = (kind) => texts(kind).map((text) => text.outerHTML);
    return [shown("value"), shown("gradient"), section.querySelector(".step:not([hidden])").className];
}"""

#: Of every step of a level but the first: equations with letters, those with numbers, what comes in and goes on.
COUNTS = """level => {
    const steps = `section.level[data-level=${level}] .step[data-step]:not([data-step='0'])`;
    const parts = [".letters math", ".numbers math", ".amounts"];
    return [...document.querySelectorAll(steps)].map(
        (step) => parts.map((part) => step.querySelectorAll(part).length));
}"""


def small():
    network = example_network([3, 2, 1])
    return network, *example_sample(network)


def large():
    rng = np.random.default_rng(0)
    network = gn.Network([784, 256, 128, 10], bias_initializer="normal(0, 0.1)", class_names=list("abcdefghij"))
    return network, rng.integers(256, size=(1, 784)).astype(np.uint8), np.array([3])


def normalised():
    network = example_network([3, 2, 1], batch_norm=True, dropout=0.5)
    return network, *example_sample(network, n=3)


CASES = {"3-2-1": small, "784-256-128-10": large, "batch norm": normalised}


@pytest.fixture(scope="module")
def pages():
    return {
        name: explain(*case(), picture=large()[1].reshape(28, 28) if case is large else None)
        for name, case in CASES.items()
    }


@pytest.fixture
def open_page(open_file, tmp_path):
    """Open a page's text, as a file."""

    def open_it(html, *size, **options):
        file = tmp_path / "page.html"
        file.write_text(html, encoding="utf-8")
        return open_file(file, *size, **options)

    return open_it


def current(page):
    return page.locator("section.level:not([hidden]) .step:not([hidden])")


def steps_of(page):
    return int(page.get_attribute("#scrub", "max"))


def test_the_pages_are_small_enough_to_send(pages):
    assert len(pages["3-2-1"].html.encode()) < 350_000
    assert len(pages["784-256-128-10"].html.encode()) < 1_500_000


@pytest.mark.browser
@pytest.mark.parametrize("level", LEVELS)
def test_stepping_to_the_end_shows_the_gradient_of_the_delta_recursion(open_page, pages, level):
    network, X, y = small()
    network.backward(network.forward(X), network.encode(y))
    graph = ComputationGraph(network, X, y, level=level)
    page = open_page(pages["3-2-1"].html)
    page.click(f"button[data-level={level}]")
    for _ in range(steps_of(page)):
        page.keyboard.press("ArrowRight")
    assert page.inner_text("#count") == f"step {len(graph.traversal.steps)} of {len(graph.traversal.steps)}"
    section = page.locator("section.level:not([hidden])")
    found = np.full_like(network.gradient, np.nan)
    for index, node in enumerate(graph.nodes):
        if node.positions is None or section.locator(f".shape[data-node='{index}']").count() == 0:
            continue
        section.locator(f".shape[data-node='{index}']").click(position={"x": 4, "y": 8})
        card = section.locator(".card:not([hidden]) data.gradient")
        if node.value.size == 1:
            found[node.positions] = float(card.get_attribute("value"))
            assert card.inner_text() == number(float(node.gradient[0, 0]))
            label = section.locator(f"text.gradient[data-of='{index}']").text_content()
            assert label == number(float(node.gradient[0, 0]), 3)
        else:
            assert card.inner_text().endswith(number(float(np.linalg.norm(network.gradient[node.positions]))))
    if level == "operations":
        np.testing.assert_allclose(found, network.gradient, rtol=1e-12)
    if level == "neurons":  # a weight is a line, and its numbers stand on it
        shown = section.locator("svg text.gradient").all_text_contents()
        assert {number(slope, 3) for slope in [*network.dW[0].flat, *network.dW[1].flat]} <= set(shown)
    deltas = section.locator("svg text.delta:not(.legend)").all_text_contents()
    assert len(deltas) == (2 if level == "matrices" else 3)


@pytest.mark.browser
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_no_label_lies_over_another(open_page, pages, case, size):
    page = open_page(pages[case].html, size)
    for level in LEVELS:
        page.click(f"button[data-level={level}]")
        assert page.evaluate(OVERLAPS) == [], level
        page.keyboard.press("End")
        assert page.locator("section.level:not([hidden]) svg text.later").count() == 0, level
        assert page.evaluate(OVERLAPS) == [], level
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), level


@pytest.mark.browser
@pytest.mark.parametrize("case", CASES)
def test_values_come_first_and_gradients_after_the_loss(open_page, pages, case):
    page = open_page(pages[case].html)
    page.click("button[data-level=matrices]")
    seen, steps = [set(), set()], steps_of(page)
    for time in range(steps + 1):
        *texts, phase = page.evaluate(SHOWN)
        now = [set(texts[0]), set(texts[1])]
        assert seen[0] <= now[0]
        assert seen[1] <= now[1]
        assert ("backward" in phase) == (time > steps // 2)
        assert bool(now[1]) == ("backward" in phase)
        seen = now
        page.keyboard.press("ArrowRight")


@pytest.mark.browser
@pytest.mark.parametrize("level", LEVELS)
def test_the_graph_is_saved_as_it_is_seen(open_page, pages, level):
    page = open_page(pages["3-2-1"].html)
    page.click(f"button[data-level={level}]")
    for move in ("Home", "End"):
        page.keyboard.press(move)
        shown = page.locator("section.level:not([hidden]) svg text:not(.later)")
        with page.expect_download() as download:
            page.click(".save button[data-kind=svg]")
        assert download.value.suggested_filename == f"graph-{level}.svg"
        root = ElementTree.fromstring(download.value.path().read_text(encoding="utf-8"))
        texts = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
        assert texts == [text.strip() for text in shown.all_text_contents()]
        assert not [one for one in root.iter() if {"class", "data-node", "tabindex"} & set(one.attrib)]
    with page.expect_download() as download:
        page.click(".save button[data-kind=png]")
    image = imread(io.BytesIO(download.value.path().read_bytes()))
    assert image.shape[1] == 2 * float(root.attrib["width"])


@pytest.mark.browser
def test_every_way_to_move(open_page, pages):
    page = open_page(pages["3-2-1"].html)
    last = steps_of(page)

    def at():
        return int(current(page).get_attribute("data-step"))

    moves = {"#next": 1, "#last": last, "#back": last - 1, "#first": 0}
    for button, step in moves.items():
        page.click(button)
        assert at() == step
    page.keyboard.press("ArrowLeft")
    assert at() == 0
    for key, step in {"End": last, "ArrowRight": last, "ArrowLeft": last - 1, "Home": 0}.items():
        page.keyboard.press(key)
        assert at() == step
    page.fill("#scrub", "7")
    assert at() == 7
    page.locator("#scrub").press("ArrowRight")
    assert at() == 8
    page.click("button[data-level=neurons]")
    assert (at(), steps_of(page)) == (0, 8)
    assert page.get_attribute("button[data-level=neurons]", "aria-pressed") == "true"
    page.click("button[data-level=operations]")
    assert at() == 8


@pytest.mark.browser
def test_it_plays_to_the_end_and_can_be_held(open_page, pages):
    page = open_page(pages["3-2-1"].html)
    page.clock.install()
    page.click("button[data-level=neurons]")
    page.evaluate("document.activeElement.blur()")  # space would press the button once more
    page.keyboard.press(" ")
    page.clock.run_for(3400)
    assert int(current(page).get_attribute("data-step")) == 3
    page.keyboard.press(" ")
    page.clock.run_for(5000)
    assert int(current(page).get_attribute("data-step")) == 3
    page.click("#play")
    page.clock.run_for(30_000)
    assert int(current(page).get_attribute("data-step")) == 8
    assert page.get_attribute("#play", "aria-label") == "Play"


@pytest.mark.browser
def test_a_node_is_chosen_by_keyboard_and_tells_its_local_derivative(open_page, pages):
    page = open_page(pages["3-2-1"].html)
    graph = ComputationGraph(*small())
    index, node = next((k, n) for k, n in enumerate(graph.nodes) if n.kind == "function")
    shape = page.locator(f"section.level:not([hidden]) .shape[data-node='{index}']")
    shape.focus()
    page.keyboard.press("Enter")
    card = page.locator("section.level:not([hidden]) .card:not([hidden])")
    assert card.locator("h3").inner_text().startswith("function")
    assert card.locator("dd.later").count() == 2
    page.keyboard.press("End")
    assert card.locator("dd.later").count() == 0
    h = float(node.value[0, 0])
    assert card.locator(".local").last.inner_text().split("=")[-1].strip() == number(h * (1 - h))
    assert float(card.locator("data.value").get_attribute("value")) == h


@pytest.mark.browser
def test_every_step_says_what_came_in_and_the_formula_with_letters_and_numbers(open_page, pages):
    for case in CASES:
        page = open_page(pages[case].html)
        assert page.locator("merror").count() == 0
        for level in LEVELS:
            counts = page.evaluate(COUNTS, level)
            assert len(counts) >= 6
            for letters, numbers, amounts in counts:
                assert letters >= 1
                assert numbers >= 1
                assert amounts == 2


@pytest.mark.browser
def test_light_and_dark(open_page, pages):
    def paper(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page = open_page(pages["3-2-1"].html, color_scheme="light")
    assert paper(page) == "rgb(255, 255, 255)"
    page.click("#theme")
    assert paper(page) == "rgb(18, 22, 29)"
    page.click("#theme")
    assert paper(page) == "rgb(255, 255, 255)"
    assert paper(open_page(pages["3-2-1"].html, color_scheme="dark")) == "rgb(18, 22, 29)"


@pytest.mark.browser
def test_on_paper_all_numbers_and_steps_are_there_and_no_button(open_page, pages):
    page = open_page(pages["3-2-1"].html, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    section = page.locator("section.level:not([hidden])")
    hidden = "texts => texts.filter((text) => getComputedStyle(text).visibility === 'hidden').length"
    assert section.locator("svg text").evaluate_all(hidden) == 0
    visible = "step.offsetHeight > 0 && step.checkVisibility({visibilityProperty: true})"
    seen = section.locator(".step").evaluate_all(f"steps => steps.map((step) => {visible})")
    assert len(seen) == steps_of(page) + 1
    assert all(seen)
    assert not page.locator(".bar").is_visible()
    assert page.pdf()[:4] == b"%PDF"


@pytest.mark.browser
def test_without_scripts_everything_can_still_be_read(open_page, pages):
    page = open_page(pages["3-2-1"].html, java_script_enabled=False)
    assert all(level.is_visible() for level in page.locator("section.level").all())
    assert page.locator(".step").first.is_visible()
    assert page.locator(".step").last.is_visible()


@pytest.mark.browser
def test_names_are_text_whatever_they_hold(open_page):
    evil = "<script>document.title = 'taken'</script>"
    network = gn.Network([2, 2, 2], class_names=[evil, "\"'>"])
    page = open_page(explain(network, [1.0, 2.0], 0, sample_name=evil).html)
    assert page.title() == "2-2-2: backpropagation step by step"
    assert evil in page.inner_text(".facts")


@pytest.mark.parametrize(("z", "said"), [(2.0, "yes (88.1%)"), (-2.0, "no (88.1%)")])
def test_a_single_output_says_its_class_with_the_probability(z, said):
    theta = np.array([z, 0.0])
    network = gn.Network([1, 1], loss="binary_cross_entropy", initializer=theta, class_names=["no", "yes"])
    assert f'data-fact="says">{said}<' in explain(network, [1.0], 1).html


def test_the_page_says_what_the_network_says():
    network = gn.Network([12, 5, 10], bias_initializer="normal(0, 0.1)", class_names=list("abcdefghij"))
    X, y = np.random.default_rng(0).normal(size=(1, 12)), np.array([3])
    html = explain(network, X, y, sample_name="row 17").html
    said = network.class_names[network.predict(X)[0]]
    facts = [
        (name, re.sub("<[^>]*>", "", value)) for name, value in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html)
    ]
    assert '<option value="3" selected>d</option>' in html
    assert ("sample", "row 17") in facts
    assert any(name == "says" and value.startswith(f"{said} (") for name, value in facts)


def test_what_is_shown_first_can_be_chosen(pages):
    network, X, y = small()
    order = re.compile(r'<section class="level" data-level="(\w+)"')
    first = re.compile(r'data-level="(\w+)" data-chosen')
    made = [pages["3-2-1"].html, pages["784-256-128-10"].html, explain(network, X, y, level="matrices").html]
    network, X, y = large()
    made.append(explain(network, X, y, neuron=(2, 5)).html)
    assert all(order.findall(html) == ["operations", "neurons", "matrices"] for html in made)
    assert [first.findall(html) for html in made] == [["operations"], ["matrices"], ["matrices"], ["operations"]]
    with pytest.raises(UsageError, match="level: operations would draw"):
        explain(network, X, y, level="operations")


@pytest.mark.parametrize("case", CASES)
def test_in_chinese_no_english_word_is_left(case):
    network, X, y = CASES[case]()
    html = explain(network, X, y, sample_name="样本 17", picture=np.zeros((28, 28)), language="zh").html
    assert '<html lang="zh-CN">' in html
    said = text_of(html)
    assert "δ 递推" in said
    names = {network.loss.name, *(activation.name for activation in network.activations), "identity"}
    parameters = {re.sub("[^a-z]", "", name.lower()) for name in network.parameters.blocks}
    assert latin_words(said) - names - parameters == set()
    assert misplaced_marks(said) == []
    told = "".join(re.findall("<mtext>(.*?)</mtext>", html))
    assert not re.search("[A-Za-z]", told)


def test_in_chinese_no_space_stands_between_two_sentences():
    network, X, y = small()
    record, snapshots = {"年龄": "20.0", "颜色": "红"}, Snapshots(network)
    html = explain(network, X, y, record=record, snapshots=snapshots, language="zh").html
    said = text_of(html).replace("\n", "")
    assert "换算而来）：年龄 = 20.0、颜色 = 红" in said
    assert "更新。本页" in said


def test_a_formula_says_its_words_in_the_readers_language():
    network = gn.Network([2, 2, 1], "leaky_relu", loss="half_squared_error", seed=3)
    english, chinese = (explain(network, [1.0, -2.0], 1.0, language=language).html for language in ("en", "zh"))
    assert set(re.findall("<mtext>(.*?)</mtext>", english)) == {"if", "else", "rows"}
    assert set(re.findall("<mtext>(.*?)</mtext>", chinese)) == {"若", "否则", "样本"}


@pytest.mark.browser
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_chinese_page_plays_and_nothing_lies_over_another(open_page, size):
    page = open_page(explain(*small(), language="zh").html, size)
    assert page.inner_text("#count") == "第 0 步，共 30 步"
    style = "getComputedStyle(document.querySelector('.glossary dt'), '::first-letter').textTransform"
    assert page.evaluate(style) == "none"  # δ, and not Δ
    for level in LEVELS:
        page.click(f"button[data-level={level}]")
        page.keyboard.press("End")
        assert page.evaluate(OVERLAPS) == [], level
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), level
    page.click("#play")
    assert (page.inner_text("#play"), page.get_attribute("#play", "aria-label")) == ("⏸ 暂停", "暂停")
    page.click("#play")
    assert (page.inner_text("#play"), page.get_attribute("#play", "aria-label")) == ("▶ 播放", "播放")


def test_the_same_sample_gives_the_same_page(pages):
    assert explain(*small()).html == pages["3-2-1"].html


def test_the_network_is_left_as_it_was():
    network, X, y = small()
    theta, gradient = network.theta.copy(), network.gradient.copy()
    explain(network, X, y)
    assert (network.theta == theta).all()
    assert (network.gradient == gradient).all()


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(2), "X: rows of 3 numbers"),
        (np.zeros((0, 3)), "X: rows of 3 numbers"),
        (np.zeros((2, 2)), "2 columns, the first layer has 3"),
        (np.zeros((2, 3)), "y: 1 targets for 2 rows"),
    ],
)
def test_rows_that_do_not_fit_are_refused(X, message):
    with pytest.raises(DataError, match=message):
        explain(small()[0], X, [1.0])


@pytest.mark.browser
@pytest.mark.parametrize("level", LEVELS)
def test_a_step_of_training_is_told_to_the_end_and_proved(open_page, pages, level):
    network, X, y = normalised()
    graph = ComputationGraph(network, X, y, level=level)
    page = open_page(pages["batch norm"].html)
    page.click(f"button[data-level={level}]")
    page.keyboard.press("End")
    assert page.inner_text("#count") == f"step {len(graph.traversal.steps)} of {len(graph.traversal.steps)}"
    section = page.locator("section.level:not([hidden])")
    told = section.inner_text() if level == "matrices" else section.locator("svg").first.text_content()
    assert "nan" not in told.lower()
    if level == "operations":
        for node in graph.nodes:
            if node.kind == "scale":
                shown = section.locator(f"text.gradient[data-of='{graph.nodes.index(node)}']").text_content()
                assert shown == number(float(node.gradient[0, 0]), 3)
    assert pages["batch norm"].agreement.graph_difference < 1e-12
    assert pages["batch norm"].agreement.numeric_difference < 1e-7
    assert [block.block for block in pages["batch norm"].agreement.blocks] == ["W1", "b1", "g1", "W2", "b2"]


def test_what_is_said_of_batch_normalisation_and_dropout_depends_on_the_mode(pages):
    network, X, y = normalised()
    by_mode = {True: pages["batch norm"].html, False: explain(network, X[:1], y[:1]).html}
    assert ("as in training" in by_mode[True], "as in prediction" in by_mode[True]) == (True, False)
    assert ("as in training" in by_mode[False], "as in prediction" in by_mode[False]) == (False, True)
    assert "There are 3 rows" in by_mode[True]
    assert "as in prediction" in explain(network, X, y, training=False).html
    plain = pages["3-2-1"].html
    assert not any(words in plain for words in ("ormalisation", "ropout", "There are"))


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path, pages):
    with pytest.raises(FileError, match="cannot be written"):
        pages["3-2-1"].save(tmp_path / "nothing" / "page.html")
    pages["3-2-1"].save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == pages["3-2-1"].html


@pytest.mark.browser
def test_nothing_runs_but_its_own_script(pages, assert_nothing_planted_works):
    assert_nothing_planted_works(pages["3-2-1"].html)


@pytest.mark.browser
def test_in_a_notebook_it_shows_itself_in_a_frame(open_page, pages):
    page = open_page(f"<!DOCTYPE html><title>notebook</title>{pages['3-2-1']._repr_html_()}")
    frame = page.frame_locator("iframe")
    frame.locator("#last").click()
    assert frame.locator("#count").inner_text() == "step 30 of 30"


def test_a_matrix_is_red_below_zero_and_blue_above_and_darkest_where_it_is_largest():
    address = _draw_matrix(np.array([[-2.0, 1.0], [0.0, -1.0]]))
    pixels = imread(io.BytesIO(base64.b64decode(address.partition(",")[2])))[:, :, :3]
    (largest, above), (zero, below) = (255 * pixels).round().astype(int).tolist()
    assert largest == [103, 0, 31]
    assert min(zero) > 240
    assert above[2] > above[0] + 50  # blue, but half as strong as the strongest
    assert sum(above) > 400
    assert below[0] > below[2] + 50
    assert sum(below) > 400


def count_given(layers):
    """Return how many values each level of a page lists before its first step, and whether more are hinted at."""
    html = explain(gn.Network(layers, "tanh", loss="half_squared_error", seed=0), np.ones(layers[0]), 1.0).html
    firsts = re.findall(r'data-step="0".*?</article>', html, re.S)
    return [(len(re.findall("<li>(?!…)", first)), "<li>…</li>" in first) for first in firsts]


def test_all_that_is_given_is_listed_or_the_rest_is_hinted_at():
    assert count_given([3, 2, 1])[0] == (3 + 11 + 1, False)
    assert count_given([7, 5, 1])[0] == (40, True)


def table():
    """A network for a table of which the price is told, the schema, and the rows."""
    frame = pl.DataFrame({"age": [20.0, 30.0, 40.0, 60.0], "colour": ["red", "blue", "red", "blue"]})
    price = np.array([100.0, 250.0, 310.0, 420.0])
    target, _ = TargetSchema.learn(price, names=["price"], scale_by=price, task="regression")
    schema = Schema(TableSchema.learn(frame)[0], target)
    network = gn.Network([3, 2, 1], "tanh", loss="half_squared_error", dtype="float64", seed=0)
    return network, schema, frame, price


@pytest.mark.browser
def test_columns_have_their_names_and_numbers_their_unit(open_page):
    network, schema, frame, price = table()
    X, y = schema.encode_rows(frame), schema.target.encode(price)
    record = {"age": "20.0", "colour": "red"}
    page = open_page(explain(network, X[:1], y[:1], schema=schema, record=record).html)
    assert "age = 20.0, colour = red" in page.inner_text(".record")
    names = page.locator("section.level:not([hidden]) svg text.faint").all_text_contents()
    assert set(schema.input.feature_names) <= set(names)
    assert "colour=red" in names
    said, meant = (page.locator(f"[data-fact={kind}]") for kind in ("says", "target"))
    assert meant.inner_text() == "100"
    assert said.inner_text() == number(float(schema.target.decode(network.outputs(X[:1])).item()))
    page.fill("input[aria-label^='x[0]']", "1.5")
    X[0, 0] = 1.5
    assert said.inner_text() == number(float(schema.target.decode(network.outputs(X[:1])).item()))
    page.fill("input[aria-label^='y[0]']", "0")
    assert meant.inner_text() == number(float(price.mean()))


def test_a_long_name_is_shortened_and_names_that_do_not_fit_are_left_out():
    network, X, y = small()
    names = ["a" * 30, "b", "c"]
    labels = [
        node.label for node in ComputationGraph(network, X, y, input_names=names).nodes if node.kind == "input"
    ]
    assert labels == ["a" * 17 + "…", "b", "c"]
    graph = ComputationGraph(network, X, y, input_names=names[:2])
    assert not any(node.label for node in graph.nodes)


@pytest.mark.browser
def test_the_picture_of_a_graph_can_be_fitted_enlarged_and_moved(open_page, pages):
    page = open_page(pages["784-256-128-10"].html)
    page.click("button[data-level=neurons]")
    graph = page.locator("section.level:not([hidden]) .graph")
    inside = """(box) => {
        const frame = box.getBoundingClientRect();
        const shapes = [...box.querySelectorAll(".shape")].map((shape) => shape.getBoundingClientRect());
        return shapes.every((one) => one.left >= frame.left - 1 && one.right <= frame.right + 1
            && one.top >= frame.top - 1 && one.bottom <= frame.bottom + 1);
    }"""
    assert graph.evaluate(inside)
    page.keyboard.press("ArrowRight")
    assert not graph.evaluate(inside)
    page.click("button[data-zoom=fit]")
    page.keyboard.press("ArrowRight")
    assert graph.evaluate(inside)
    width = graph.locator("svg").bounding_box()["width"]
    page.keyboard.press("+")
    assert graph.locator("svg").bounding_box()["width"] == pytest.approx(1.25 * width, rel=0.01)
    page.click("button[data-zoom=farther]")
    assert graph.locator("svg").bounding_box()["width"] == pytest.approx(width, rel=0.01)
    for _ in range(6):
        page.keyboard.press("+")
    box = graph.bounding_box()
    x, y = box["x"] + 8, box["y"] + 8
    before = graph.evaluate("(box) => [box.scrollLeft, box.scrollTop]")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 50, y - 30)
    page.mouse.up()
    assert graph.evaluate("(box) => [box.scrollLeft, box.scrollTop]") == [before[0] + 50, before[1] + 30]
    page.keyboard.press("Shift+ArrowDown")
    assert graph.evaluate("(box) => box.scrollTop") == before[1] + 110
    page.keyboard.press("0")
    assert graph.evaluate(inside)


@pytest.mark.browser
def test_on_a_phone_the_graph_stays_beside_the_formula(open_page, pages):
    page = open_page(pages["3-2-1"].html, SIZES[-1])
    page.keyboard.press("End")
    page.evaluate("window.scrollTo(0, 300)")
    graph = page.locator("section.level:not([hidden]) .graph").bounding_box()
    bar = page.locator(".bar").bounding_box()
    assert graph["y"] == pytest.approx(bar["y"] + bar["height"], abs=2)
    assert bar["y"] == pytest.approx(0, abs=1)
    assert graph["y"] + graph["height"] < 0.6 * SIZES[-1][1]


@pytest.mark.browser
def test_on_a_phone_the_whole_graph_is_seen_first_and_then_its_numbers(open_page, pages):
    page = open_page(pages["3-2-1"].html, SIZES[-1])
    svg = page.locator("section.level:not([hidden]) .graph svg")
    graph = svg.locator("..").bounding_box()
    assert svg.bounding_box()["width"] <= graph["width"]
    page.keyboard.press("ArrowRight")
    assert svg.bounding_box()["width"] > 1.5 * graph["width"]
    page.click("button[data-zoom=fit]")
    page.keyboard.press("ArrowRight")
    assert svg.bounding_box()["width"] <= graph["width"]


@pytest.mark.browser
def test_formulas_bring_their_font(open_page, pages):
    page = open_page(pages["3-2-1"].html)
    page.evaluate("document.fonts.ready")
    assert page.evaluate("[...document.fonts].map((font) => [font.family, font.status])") == [
        ["Explain Math", "loaded"]
    ]
