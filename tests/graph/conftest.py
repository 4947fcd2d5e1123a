"""What the tests of the graph share: networks with data, every view of them, and a reader of MathML."""

from functools import cache
from itertools import count
from xml.etree import ElementTree

import numpy as np
import pytest

from glassnet.graph.computation_graph import ComputationGraph
from glassnet.graph.views import list_readable_levels
from glassnet.nn.activations import ACTIVATIONS
from glassnet.nn.losses import LOSSES
from glassnet.nn.network import Network


@pytest.fixture(autouse=True)
def own_names(monkeypatch):
    """What a test registers is gone after it: the registries are global."""
    for registry in (ACTIVATIONS, LOSSES):
        monkeypatch.setattr(registry, "_factories", dict(registry._factories))


def _problem(layers, activation="sigmoid", loss=None, n=1, seed=0, **options):
    rng = np.random.default_rng(seed)
    loss = loss or ("half_squared_error" if layers[-1] == 1 else "cross_entropy")
    options = {"bias_initializer": "normal(0, 0.5)", "dtype": "float64", **options}
    network = Network(layers, activation, loss=loss, seed=seed, **options)
    X, y = rng.normal(size=(n, layers[0])), rng.normal(size=(n, layers[-1]))
    if network.loss.output == "softmax":
        y = rng.integers(layers[-1], size=n)
    if network.loss.output == "sigmoid":
        y = rng.uniform(size=(n, layers[-1]))
    return network, X, y


@pytest.fixture(scope="session")
def problem():
    """``problem(layers, activation, loss, n, seed, ...)``: a network, and rows and targets that suit its loss."""
    return _problem


@pytest.fixture(scope="session")
def graph_of():
    """``graph_of(layers, ..., level=, neuron=, path=)``: the graph of a `problem`."""

    def graph(layers, *arguments, level=None, neuron=None, path=None, **options):
        return ComputationGraph(*_problem(layers, *arguments, **options), level=level, neuron=neuron, path=path)

    return graph


@pytest.fixture(scope="session")
def views_of():
    """``views_of(layers, rng)``: options for every kind of view, a neuron and a path being drawn."""

    def views(layers, rng):
        layer = int(rng.integers(1, len(layers)))
        drawn = (
            {"neuron": (layer, int(rng.integers(layers[layer])))},
            {"path": [int(rng.integers(d)) for d in layers]},
        )
        levels = dict.fromkeys([*list_readable_levels(layers), "neurons", "matrices"])
        return [*({"level": level} for level in levels), *drawn, {"path": ()}]

    return views


RELATIONS = {
    ">": np.greater,
    "≥": np.greater_equal,
    "<": np.less,
    "≤": np.less_equal,
    "=": np.equal,
    "≠": np.not_equal,
}
CALLED = {
    **{name: getattr(np, name) for name in ("tanh", "sin", "cos", "arctan", "sinh", "cosh", "logical_not")},
    "ln": np.log,
    "sgn": np.sign,
    "H": np.heaviside,
    "max": max,
    "min": min,
}


class Reader:
    """Reads a formula as it is seen: what is not in brackets binds as signs do, rows hold nothing together.

    Names are given by their MathML: each has a number, or a function of the indices that are counted through. The
    `shaken`-th number of the formula is read a little too large.
    """

    def __init__(self, names, at=None, d=0, shaken=None):
        self.names = {plain_name(name): value for name, value in names.items()}
        self.at, self.d, self.numerals, self.shaken = dict(at or {}), d, count(), shaken

    def read(self, *elements):
        return Line(self, self.flat(elements)).whole()

    def flat(self, elements):
        """Elements one after the other, without the rows around them; an operator is its sign."""
        for element in elements:
            if element.tag in ("mrow", "math") and plain(element) not in self.names:
                yield from self.flat(element)
            elif element.tag != "mspace":
                yield element.text if element.tag == "mo" else element

    def number(self, element):
        value = float(element.text)
        return value * (1 + 5e-4) if next(self.numerals) == self.shaken else value

    def counted(self, index):
        """Set an index to each place in turn."""
        before = self.at.get(index)
        for place in range(self.d):
            self.at[index] = place
            yield
        self.at[index] = before


class Line:
    """Signs and elements from left to right."""

    def __init__(self, reader, tokens):
        self.reader, self.tokens, self.place = reader, list(tokens), 0

    @property
    def next(self):
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def take(self, *wanted):
        token = self.next
        if wanted and not (isinstance(token, str) and token in wanted):
            raise SyntaxError(f"{token!r} where one of {wanted} should stand")
        self.place += 1
        return token

    def sees(self, *signs):
        return isinstance(self.next, str) and self.next in signs

    def whole(self):
        value = self.join()
        if self.next is not None:
            raise SyntaxError(f"{shown(self.next)} follows a whole formula")
        return value

    def join(self):
        value = self.sum()
        while self.sees("∧", "∨"):
            other = (np.logical_and if self.take() == "∧" else np.logical_or), self.sum()
            value = other[0](value, other[1])
        return value

    def sum(self):
        minus = self.sees("−") and self.take()
        value = -self.product() if minus else self.product()
        while self.sees("+", "−"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self):
        value = self.factor()
        while self.sees("·"):
            self.take()
            value = value * self.factor()
        return value

    def relation(self):
        value = self.sum()
        if self.sees(*RELATIONS):
            value = RELATIONS[self.take()](value, self.sum())
        return value

    def factor(self):
        token = self.take()
        if token == "(":
            return self.closed(self.join(), ")")
        if token == "[":
            return 1.0 * self.closed(self.relation(), "]")
        if token == "|":
            return abs(self.closed(self.join(), "|"))
        if token == "{":
            return self.cases(self.take())
        if token is None or isinstance(token, str):
            raise SyntaxError(f"{token!r} where a number should stand")
        name = plain(token)
        if name in self.reader.names:
            value = self.reader.names[name]
            return value(self.reader.at) if callable(value) else value
        return getattr(self, token.tag)(token)

    def closed(self, value, sign):
        self.take(sign)
        return value

    def cases(self, table):
        for line in table:
            value, when = line
            first, *condition = when
            if first.text == "else" or Line(self.reader, self.reader.flat(condition)).condition():
                return self.reader.read(*value)
        raise SyntaxError("no case for everything else")

    def condition(self):
        value = self.relation()
        while self.sees("∧", "∨"):
            other = (np.logical_and if self.take() == "∧" else np.logical_or), self.relation()
            value = other[0](value, other[1])
        assert self.next is None
        return value

    def mn(self, element):
        return self.reader.number(element)

    def mi(self, element):
        """A function; what is a name by itself was looked up before."""
        self.take("(")
        arguments = [self.join()]
        while self.sees(","):
            self.take()
            arguments.append(self.join())
        return self.closed(CALLED[element.text](*arguments), ")")

    def mfrac(self, element):
        above, below = (self.reader.read(*part) for part in element)
        return above / below

    def msqrt(self, element):
        return np.sqrt(self.reader.read(*element))

    def msup(self, element):
        base, exponent = element
        if base.tag == "mi" and base.text == "e":
            return np.exp(self.reader.read(exponent))
        shaken, self.reader.shaken = self.reader.shaken, None  # an exponent is no rounded number
        power, self.reader.shaken = self.reader.read(exponent), shaken
        tokens = list(self.reader.flat([base]))
        if not holds_together(tokens):
            raise SyntaxError(f"a power of {' '.join(map(shown, tokens))} without brackets")
        return Line(self.reader, tokens).whole() ** power

    def munder(self, element):
        """A sum, or an extreme, of the product that follows."""
        what, index = element
        start, values = self.place, []
        for _ in self.reader.counted(index.text):
            self.place = start
            values.append(self.product())
        return {"∑": sum, "max": max, "min": min}[what.text](values)


def plain(element):
    """What an element says, however it is set."""
    return element.tag, element.text, *map(plain, element)


@cache
def plain_name(name):
    return plain(ElementTree.fromstring(name))


@cache
def parse(text):
    return ElementTree.fromstring(f"<math>{text}</math>")


def shown(token):
    return token if isinstance(token, str) else "".join(token.itertext())


def holds_together(tokens):
    """Whether an exponent behind these tokens belongs to all of them."""
    if len(tokens) == 1:
        return tokens[0].tag not in ("mfrac", "msup")
    if not isinstance(tokens[0], str) and tokens[0].tag == "mi":  # a function and its argument
        tokens = tokens[1:]
    pair, depth = {"(": ")", "[": "]", "|": "|"}.get(tokens[0]), 0
    if pair == "|":
        bars = next(count for count, token in enumerate(tokens) if token != "|")  # as many as lie in each other
        return tokens[-bars:] == ["|"] * bars and tokens.count("|") == 2 * bars
    for place, token in enumerate(tokens):
        depth += (token == tokens[0]) - (token == pair)
        if depth == 0:
            return pair is not None and place == len(tokens) - 1
    return False


@cache
def _sides(text, *signs):
    """Cut MathML at relations that stand in no row of their own."""
    sides = [[]]
    for element in parse(text):
        if element.tag == "mo" and element.text in signs:
            sides.append([])
        else:
            sides[-1].append(element)
    return tuple("".join(ElementTree.tostring(element, "unicode") for element in side) for side in sides)


def _read(text, names=None, at=None, d=0, shaken=None):
    return Reader(names or {}, at, d, shaken).read(parse(text))


def _uncertainty(text):
    """How far a formula may be off if each of its numbers is rounded to four digits."""
    right = _read(text)
    numerals = len([e for e in parse(text).iter() if e.tag == "mn"])
    return sum(abs(_read(text, shaken=k) - right) for k in range(numerals))


@pytest.fixture(scope="session")
def read():
    """``read(mathml, names)``: the number that a formula says, its brackets and signs taken as they stand."""
    return _read


@pytest.fixture(scope="session")
def uncertainty():
    """``uncertainty(mathml)``: how far its numbers may be off, each being rounded to four digits."""
    return _uncertainty


@pytest.fixture(scope="session")
def sides():
    """``sides(mathml, "=", "⟵")``: what stands left and right of relations."""
    return _sides
