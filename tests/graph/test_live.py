"""The page computes all its numbers again, in a real browser, as the network does."""

import numpy as np
import pytest

import glassnet as gn
from glassnet.graph.computation_graph import ComputationGraph
from glassnet.graph.example_network import example_network, example_sample
from glassnet.graph.live import LEARNING_RATE, MOST_PARAMETERS
from glassnet.graph.notation import number
from glassnet.graph.page import explain
from glassnet.nn.activations import Activation
from glassnet.training.snapshots import Snapshots

#: Changes one entry of the leaf of a card.
CHANGE = """([level, card, row, column, value]) => {
    const box = document.querySelector(`section[data-level=${level}] [data-card='${card}'] .edit`);
    const set = (selector, to) => {
        const input = box.querySelector(selector);
        if (!input) return;
        input.value = to;
        input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    set("[data-row]", row);
    set("[data-column]", column);
    set("[data-leaf]", value);
}"""

#: Value and gradient of each card of a level, as they are and as they are written; and the loss.
NUMBERS = """(level) => [
    Number(document.getElementById("loss").dataset.exact),
    [...document.querySelectorAll(`section[data-level=${level}] .card`)].map((card) => [
        Number(card.dataset.card),
        ...["value", "gradient"].map((kind) => {
            const data = card.querySelector(`data.${kind}`);
            return data && [data.value, data.textContent];
        }),
    ]),
]"""

WRITTEN = """(level) => {
    const section = document.querySelector(`section[data-level=${level}]`);
    const texts = section.querySelectorAll("svg text, .lines math, .flow math + span");
    return [...texts].map((text) => text.textContent);
}"""

OWN = Activation(
    "own",
    lambda z: np.where(z > 0.5, z * z, 0.5 * np.sin(z)),
    lambda z, h: np.where(z > 0.5, 2 * z, 0.5 * np.cos(z)),
)
NETWORKS = {
    "one output": ([3, 2, 1], "sigmoid", 1, {}),
    "softmax": ([4, 3, 3], "tanh", 1, {}),
    "regression": ([2, 3, 2], [OWN], 1, {"loss": "huber", "output_activation": "gelu", "output_scale": 2.0}),
    "two classes": ([3, 4, 1], "softplus", 1, {"loss": "binary_cross_entropy"}),
    "rows": ([3, 2, 2], "elu", 3, {"batch_norm": True, "dropout": 0.4}),
    "deep": ([2, 2, 2, 1], ["relu", "leaky_relu"], 1, {"output_activation": "identity"}),
    "folded": ([12, 11, 3], "silu", 1, {}),
}
EVERY_DAY = ("one output", "softmax", "regression")
#: A path through a network that is too large to be shown whole; what is folded depends on the numbers otherwise.
PATH = [3, 4, 1]
LEVELS = ("operations", "neurons", "matrices")


def make(name):
    layers, activation, n, options = NETWORKS[name]
    network = example_network(layers, activation, **options)
    return network, *example_sample(network, n=n)


def views_of(name):
    return {"operations": {"path": PATH}} if name == "folded" else {level: {"level": level} for level in LEVELS}


@pytest.fixture(scope="module")
def window(browser):
    """One page of the browser for all tests; whatever goes wrong in it fails the test."""
    wrong = []
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text))
    yield page
    page.context.close()
    assert wrong == []


@pytest.fixture
def open_live(window, tmp_path):
    def open_it(page):
        file = tmp_path / "page.html"
        page.save(file)
        window.goto(file.as_uri())
        return window

    return open_it


class Twin:
    """The network, rows and targets that a page has after its changes."""

    def __init__(self, network, X, y, level, view=None):
        self.level, self.view = level, view or {"level": level}
        self.graph = graph = ComputationGraph(network, X, y, **self.view)
        self.leaves = [
            k
            for k, node in enumerate(graph.nodes)
            if node.positions is not None or node.kind == "input" or (node.kind == "target" and not self.by_class)
            if k in graph.figure.descriptions
        ]

    @property
    def by_class(self):
        return self.graph.network.loss.output == "softmax"

    def change(self, window, rng):
        index = self.leaves[rng.integers(len(self.leaves))]
        node = self.graph.nodes[index]
        row, column = (int(rng.integers(size)) for size in node.value.shape)
        value = round(float(rng.uniform(-1.5, 1.5)), 3)
        if node.kind == "target" and self.graph.network.loss.output == "sigmoid":
            value = abs(value) / 2
        window.evaluate(CHANGE, [self.level, index, row, column, value])
        X, y, network = self.graph.X.copy(), self.graph.targets.copy(), self.graph.network.copy()
        if node.positions is not None:
            network.theta[node.positions[row, column]] = value
        else:
            (X if node.kind == "input" else y)[row, node.units[column]] = value
        self.graph = ComputationGraph(network, X, y, **self.view)

    def assert_same(self, window):
        loss, cards = window.evaluate(NUMBERS, self.level)
        network = self.graph.network
        expected = network.backward(network.forward(self.graph.X, self.graph.training), self.graph.targets)
        assert loss == pytest.approx(float(expected), rel=1e-6, abs=1e-9)
        gradient, found = network.gradient, 0
        for index, *told in cards:
            node = self.graph.nodes[index]
            for numbers, values in zip(told, (node.value, node.gradient), strict=True):
                if numbers is None or (self.level == "neurons" and node.kind == "adder"):
                    continue
                meant = values.item() if values.size == 1 else np.linalg.norm(values)
                assert float(numbers[0]) == pytest.approx(meant, rel=1e-6, abs=1e-9), node.name
                assert numbers[1] == number(float(numbers[0]))
            if node.positions is not None and node.value.size == 1 and told[1] is not None:
                assert float(told[1][0]) == pytest.approx(
                    float(gradient[node.positions].item()), rel=1e-6, abs=1e-9
                )
                found += 1
        assert found or self.level != "operations"


@pytest.mark.browser
@pytest.mark.parametrize(
    "name", [one if one in EVERY_DAY else pytest.param(one, marks=pytest.mark.slow) for one in NETWORKS]
)
def test_after_any_change_the_numbers_are_those_of_the_network(open_live, name):
    rng = np.random.default_rng(sum(map(ord, name)))
    network, X, y = make(name)
    views = views_of(name)
    window = open_live(explain(network, X, y, **next(iter(views.values()))))
    for level, view in views.items():
        window.click("#again")
        window.click(f"button[data-level={level}]")
        twin = Twin(network, X, y, level, view)
        for _ in range(9):
            twin.change(window, rng)
            twin.assert_same(window)


@pytest.mark.browser
@pytest.mark.parametrize("layers", [[2, 2, 1], [2, 2, 2]], ids=str)
def test_every_word_follows(open_live, layers):
    """What is written is what a page that began with these numbers writes, brackets and signs included."""
    rng = np.random.default_rng(0)
    network = example_network(layers)
    X, y = example_sample(network)
    window = open_live(explain(network, X, y))
    twin = Twin(network, X, y, "operations")
    for _ in range(12):
        twin.change(window, rng)
    live = {}
    for level in LEVELS[:2]:  # of matrices the numbers that are told are chosen once
        window.click(f"button[data-level={level}]")
        live[level] = window.evaluate(WRITTEN, level)
    fresh = open_live(explain(twin.graph.network, twin.graph.X, y if twin.by_class else twin.graph.targets))
    for level, written in live.items():
        assert written == fresh.evaluate(WRITTEN, level)
        assert any("(−" in one for one in written)


@pytest.mark.browser
def test_a_step_is_one_of_gradient_descent_and_can_be_gone_back_to(open_live):
    network, X, y = make("softmax")
    window = open_live(explain(network, X, y))
    losses, targets = [], network.encode(y)
    for step in range(4):
        losses.append(float(network.backward(network.forward(X), targets)))
        assert float(window.get_attribute("#loss", "data-exact")) == pytest.approx(losses[-1], rel=1e-9)
        network.theta = network.theta - LEARNING_RATE * network.gradient
        if step < 3:
            window.click("#take")
    assert losses == sorted(losses, reverse=True)
    assert window.inner_text("#loss") == number(losses[-1], 6)
    assert window.inner_text("#taken") == "step 3 of 3"
    window.fill("#past", "1")
    assert float(window.get_attribute("#loss", "data-exact")) == pytest.approx(losses[1], rel=1e-9)
    window.fill("#eta", "0")
    window.click("#take")
    assert float(window.get_attribute("#loss", "data-exact")) == pytest.approx(losses[1], rel=1e-9)
    assert window.inner_text("#taken") == "step 2 of 2"
    window.click("#again")
    assert float(window.get_attribute("#loss", "data-exact")) == pytest.approx(losses[0], rel=1e-9)
    assert window.input_value("#eta") == str(LEARNING_RATE)


@pytest.mark.browser
def test_a_row_or_column_that_does_not_exist_is_the_nearest_one(open_live):
    network, X, y = make("one output")
    window = open_live(explain(network, X, y, level="matrices"))
    index = next(
        k
        for k, node in enumerate(ComputationGraph(network, X, y, level="matrices").nodes)
        if node.kind == "weight"
    )
    window.evaluate(CHANGE, ["matrices", index, 1, 9, 0.5])
    network.W[0][1, 1] = 0.5
    loss = network.backward(network.forward(X), network.encode(y))
    assert float(window.get_attribute("#loss", "data-exact")) == pytest.approx(float(loss), rel=1e-9)


@pytest.mark.browser
def test_the_class_that_the_network_should_say_can_be_chosen(open_live):
    network = example_network([4, 3, 3], "tanh", class_names=["cat", "dog", "owl"])
    X, y = example_sample(network)
    window = open_live(explain(network, X, y))
    for k, name in enumerate(network.class_names):
        window.select_option("#target", label=name)
        loss, _ = network.loss.value_and_delta(network.forward(X).outputs, network.encode(np.array([k])))
        assert float(window.get_attribute("#loss", "data-exact")) == pytest.approx(float(loss), rel=1e-9)
    assert window.inner_text("[data-fact=says]").startswith(network.class_names[int(network.predict(X)[0])])


@pytest.mark.browser
def test_beyond_all_numbers_the_page_says_so_and_goes_back(open_live):
    network = example_network([2, 2, 1], "relu", output_activation="identity")
    window = open_live(explain(network, *example_sample(network)))
    first = window.get_attribute("#loss", "data-exact")
    window.fill("#eta", "1e60")
    for _ in range(9):
        window.click("#take")
    assert window.inner_text("#loss") in ("∞", "nan")
    assert "Go back to an earlier step" in window.inner_text("#beyond")
    last = int(window.get_attribute("#past", "max"))
    assert 0 < last < 9  # no step is taken from there
    points = [tuple(map(float, point.split(","))) for point in window.get_attribute("#curve", "points").split()]
    assert [x for x, _ in points] == pytest.approx(np.linspace(0, 100, last + 1))
    assert (points[0][1], points[-1][1]) == (28, 2)
    window.fill("#past", "0")
    assert window.get_attribute("#loss", "data-exact") == first
    assert not window.is_visible("#beyond")


@pytest.mark.browser
@pytest.mark.parametrize("typed", ["", "-", "e"])
def test_what_is_no_number_gives_way_to_the_one_that_counts(open_live, typed):
    network, X, y = make("one output")
    window = open_live(explain(network, X, y))
    for field, value in (("section:not([hidden]) input[data-leaf]", f"{X[0, 0]:g}"), ("#eta", str(LEARNING_RATE))):
        window.locator(field).first.press("Control+a")
        window.keyboard.press("Delete")
        window.keyboard.type(typed)
        assert window.locator(field).first.input_value() == ""
        window.keyboard.press("Tab")
        assert window.locator(field).first.input_value() == value
    window.fill("#eta", "-1")
    window.locator("#eta").blur()
    assert window.input_value("#eta") == str(LEARNING_RATE)


@pytest.mark.browser
def test_of_very_many_steps_every_second_one_is_forgotten(open_live):
    network = example_network([1, 1])
    window = open_live(explain(network, *example_sample(network)))
    window.evaluate("() => { for (let step = 0; step < 501; step += 1) document.getElementById('take').click(); }")
    assert window.inner_text("#taken") == "step 501 of 501"
    loss = window.get_attribute("#loss", "data-exact")
    last = int(window.get_attribute("#past", "max"))
    assert last < 300
    window.fill("#past", str(last - 3))
    assert window.inner_text("#taken") == "step 497 of 501"
    for _ in range(4):
        window.click("#take")
    assert window.inner_text("#taken") == "step 501 of 501"
    assert window.get_attribute("#loss", "data-exact") == loss
    window.fill("#past", "0")
    assert window.inner_text("#taken") == "step 0 of 501"


class Snapping:
    """A network that changes as if it were trained, and snapshots of it."""

    def __init__(self, network, epochs, rng):
        self.network, self.snapshots = network, Snapshots(network)
        for epoch in range(1, epochs + 1):
            network.theta = rng.normal(size=len(network.theta)).astype(network.theta.dtype)
            statistics = network.parameters.statistics
            statistics[:] = rng.uniform(0.5, 2, len(statistics))
            self.snapshots.take(epoch, network)


@pytest.mark.browser
@pytest.mark.parametrize("options", [{}, {"batch_norm": True, "dtype": "float32"}], ids=str)
def test_after_an_epoch_is_chosen_the_numbers_are_those_of_the_network_then(open_live, options):
    rng = np.random.default_rng(3)
    trained = Snapping(example_network([3, 4, 2], "tanh", **options), 4, rng)
    network, snapshots = trained.network, trained.snapshots
    X, y = example_sample(network)
    window = open_live(explain(network, X, y, snapshots=snapshots))
    assert window.inner_text("#moment-name") == "after epoch 4"
    for level in LEVELS:
        window.click(f"button[data-level={level}]")
        for epoch in (2, 0, 4):
            window.fill("#epoch", str(epoch))
            assert window.inner_text("#moment-name") == (f"after epoch {epoch}" if epoch else "before training")
            then = network.copy()
            then.theta, then.parameters.statistics[:] = np.split(snapshots.rows[epoch], [len(network.theta)])
            Twin(then, X, y, level).assert_same(window)
    window.click("#take")
    assert window.inner_text("#moment-name") == "after epoch 4, then changed"
    window.fill("#past", "0")
    assert window.inner_text("#moment-name") == "after epoch 4"


@pytest.mark.browser
def test_the_epochs_are_played_from_the_first_to_the_last(open_live):
    trained = Snapping(example_network([2, 2, 1]), 2, np.random.default_rng(0))
    trained.network.theta = trained.network.theta / 2  # the run ends with the mean of its epochs, say
    window = open_live(
        explain(trained.network, *example_sample(trained.network), snapshots=trained.snapshots, language="zh")
    )
    assert window.inner_text("#moment-name") == "训练结束时"
    first = window.get_attribute("#loss", "data-exact")
    window.click("#play-epochs")
    seen = [window.inner_text("#moment-name")]
    for _ in range(3):
        window.wait_for_function(
            "(before) => document.getElementById('moment-name').textContent !== before", arg=seen[-1]
        )
        seen.append(window.inner_text("#moment-name"))
    assert seen == ["训练前", "第 1 轮后", "第 2 轮后", "训练结束时"]
    assert window.get_attribute("#loss", "data-exact") == first
    assert window.inner_text("#play-epochs") == "▶"
    window.fill("#epoch", "1")
    window.click("#again")
    assert window.inner_text("#moment-name") == "训练结束时"
    assert window.get_attribute("#loss", "data-exact") == first


def test_epochs_that_cannot_be_played_are_not_passed_over_in_silence():
    network = gn.Network([400, 190, 2], seed=0)
    html = explain(network, np.zeros(400), 0, snapshots=Snapshots(network)).html
    assert "So the epochs of the run cannot be played, either." in html
    assert 'id="epoch"' not in html


def test_a_network_that_is_too_large_or_cannot_be_followed_has_fixed_numbers():
    def in_place(z):
        h = z.copy()
        h[h < 0] *= 2
        return h

    def by_type(z):
        return 2 * z if isinstance(z, np.ndarray) else z

    rng = np.random.default_rng(0)
    networks = [(gn.Network([400, 190, 2], seed=0), f"at most {MOST_PARAMETERS:,} parameters")]
    for f in (lambda z: np.interp(z, [-9, 9], [-18, 18]), lambda z: 2 * z.clip(-9, 9), in_place, by_type):
        own = Activation("own", f, lambda z, h: 2 * np.ones_like(z))
        networks.append((gn.Network([2, 2, 2], own, seed=0), "a formula of the network"))
    for network, said in networks:
        html = explain(network, rng.normal(size=network.layers[0]), 0).html
        assert "The numbers of this page are fixed" in html
        assert said in html
        assert 'id="take"' not in html
        assert "data-n=" not in html
