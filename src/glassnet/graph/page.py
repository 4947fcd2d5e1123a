"""The explain page: a network's computation graph, to be stepped through in any browser, without a network."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import numpy as np
from markupsafe import Markup

from glassnet.charts.pictures import picture_of
from glassnet.data.schema import Schema
from glassnet.errors import DataError
from glassnet.graph.computation_graph import ComputationGraph
from glassnet.graph.equations import gradient_name
from glassnet.graph.explanations import (
    MOST_LINES,
    describe_amount,
    explain_step,
    list_local_derivatives,
    list_neuron_derivatives,
)
from glassnet.graph.figure import PALETTES, write_css
from glassnet.graph.gradient_agreement import GradientAgreement, check_gradients
from glassnet.graph.live import LEARNING_RATE, MOST_PARAMETERS, Live, gather_epochs
from glassnet.graph.nodes import Node, list_consumers
from glassnet.graph.notation import length, number
from glassnet.graph.traced import NotFollowedError, find_source, plain
from glassnet.graph.views import LEVELS, ViewOptions, list_readable_levels
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array
from glassnet.nn.network import Network, spread_probabilities
from glassnet.nn.targets import decode
from glassnet.runtime.files import write_bytes
from glassnet.runtime.pages import Glossary, Sheet, page_environment
from glassnet.training.snapshots import Snapshots

if TYPE_CHECKING:
    from jinja2 import Template

#: More derivatives are not listed one by one.
MOST_DERIVATIVES = 80

#: Inputs, parameters and targets that are listed before the first step at most.
MOST_GIVEN = 40

#: A matrix is shown as a picture of at most this many cells each way; cells of larger ones are averaged.
MOST_CELLS = 64


class Fact(NamedTuple):
    """What the head of the page says; `kind` is that of what changes, and `before` stands before it."""

    name: str
    text: str
    kind: str = ""
    before: str = ""


class ExplainPage:
    """A page that is one file; in a notebook it shows itself.

    Attributes
    ----------
    html : str
        All of it; it asks for nothing over the network.
    agreement : GradientAgreement
        The gradient three ways.
    """

    def __init__(self, html: str, agreement: GradientAgreement) -> None:
        self.html, self.agreement = html, agreement

    def save(self, file: str | Path) -> None:
        """Write the page, whole or not at all.

        Raises
        ------
        FileError
            If it cannot be written.
        """
        write_bytes(Path(file), self.html.encode())

    def _repr_html_(self) -> str:
        """Show the page in a notebook, in a frame of its own."""
        return (
            f'<iframe srcdoc="{escape(self.html, quote=True)}" style="width:100%;height:800px;border:0"></iframe>'
        )


def explain(
    network: Network,
    X: Any,
    y: Any,
    *,
    sample_name: str = "",
    picture: Any = None,
    schema: Schema | None = None,
    record: Mapping[str, str] | None = None,
    snapshots: Snapshots | None = None,
    **view: Unpack[ViewOptions],
) -> ExplainPage:
    """Make the page that goes through a network's computation graph, forwards and then backwards.

    It holds the three levels of the graph, operations, neurons and matrices. Of a network that is too large to be
    shown operation by operation, it holds the operations along the path through which most comes to the output
    that is farthest from its target; in the picture of its neurons those that matter most are shown.

    With up to 75,000 parameters the page is live: weights, inputs and targets can be changed, steps of gradient
    descent can be taken, and every number follows. With `snapshots` it also plays over the epochs of a run. An own
    activation or loss is live where it can be compiled.

    Parameters
    ----------
    network : Network
        It is copied, not changed.
    X, y : array_like
        One sample: a row, or an array of one row; and its label or target, or an array of one. Or several rows and
        as many labels or targets: then the formulas have the numbers of the first.
    sample_name : str
        What the sample is called, if anything.
    picture : array_like of shape (height, width) or (height, width, 3), optional
        The sample as it looks, where it is a picture: bytes, or numbers from 0 up.
    schema : Schema, optional
        That of the model, as in ``run.model.schema``: then columns have their names, and numbers their unit.
    record : dict of str, optional
        The sample as the user has it: names of columns, and what stands in them.
    snapshots : Snapshots, optional
        Parameters of the network after the epochs of its run, as in ``run.snapshots``.
    level : {"operations", "neurons", "matrices"}, optional
        What the page shows first; by default the most detailed level that can be read.
    neuron : (layer, unit), optional
        Show the operations of this neuron; layers count from 1, units from 0.
    path : sequence of int, optional
        Show the operations along this path, an input and a unit of every layer; ``()``: along the strongest one.
    training : bool, optional
        Whether it is a step of training, with dropout and the batch's own statistics; by default so where there
        are several rows, and the network has either. `ComputationGraph` says more of these four.
    language : {"en", "zh"}
        Of the page.

    Returns
    -------
    ExplainPage
        The page as ``html``, with ``save(file)``; ``agreement`` is what `check_gradients` finds.

    Raises
    ------
    UsageError
        If a level, neuron or path does not exist, or could not be read.
    DataError
        If the rows, or what they should say, do not fit the network.

    Examples
    --------
    >>> network = Network([3, 2, 1], "sigmoid", loss="half_squared_error")
    >>> page = explain(network, [0.5, -1.0, 2.0], 1.0)
    >>> page.html.count("<svg xmlns"), page.agreement.graph_difference < 1e-12
    (3, True)
    """
    X, y = np.asarray(X), np.asarray(y)
    if X.size == network.layers[0]:
        X, y = X.reshape(1, -1), y.reshape(1, -1) if y.size > 1 else y.reshape(1)
    elif X.ndim < 2 or len(X) == 0:
        raise DataError(f"X: rows of {network.layers[0]} numbers can be explained, got the shape {X.shape}")
    words = Words(view.get("language", "en"))
    if schema is not None and schema.input.feature_names:
        view.setdefault("input_names", schema.input.feature_names)
    graphs = _build_graphs(network, X, y, view)
    first, agreement = graphs[0], check_gradients(graphs[0])
    facts = _list_facts(network, first, y, sample_name, schema, words)
    live, fixed = None, "explain.fixed_size"
    if len(network.theta) <= MOST_PARAMETERS:
        try:
            live = Live(graphs, _find_scale(schema), gather_epochs(network, snapshots, words))
        except NotFollowedError:
            graphs, fixed = _build_graphs(network, X, y, view), "explain.fixed_formula"
    levels = [
        _describe_level(graph, words) for graph in sorted(graphs, key=lambda one: LEVELS.index(one.view.level))
    ]
    program, functions = live.write() if live else ("", "")
    html = _load_template().render(
        say=lambda key, **values: Markup(words.say(key, **values)),
        formula=lambda formula: Markup(_say_formula(formula, words)),
        language=words.language,
        title=words.say("explain.title", layers="-".join(map(str, network.layers))),
        facts=facts,
        chosen=first.view.level,
        record=list((record or {}).items()),
        most=MOST_GIVEN,
        program=Markup(program),
        classes=_name_classes(network),
        functions=Markup(functions),
        fixed=words.say(fixed, most=MOST_PARAMETERS),
        epochs=live.about["epochs"] if live else None,
        unplayed=snapshots is not None and not live,
        reds=_sample_reds() if live else [],
        font=_load_font(),
        learning_rate=LEARNING_RATE,
        render=lambda message: Markup(words.render(message)),
        choices=_name_classes(network) if live and network.loss.output == "softmax" else [],
        rows=len(first.X),
        by_batch=first.training is not None,
        batch_norm=any(network.batch_norm),
        rates=", ".join(f"{rate:g}" for rate in dict.fromkeys(network.dropout) if rate),
        picture="" if picture is None else picture_of(np.asarray(picture), np.shape(picture)),
        levels=levels,
        agreement=agreement,
        listed=agreement.derivatives if len(agreement.derivatives) <= MOST_DERIVATIVES else [],
        colours=write_css({name: f"var(--{name})" for name in PALETTES["light"]}),
        palettes=PALETTES,
        sheet=Sheet(),
        terms=Glossary(words.language),
    )
    return ExplainPage(html, agreement)


def _build_graphs(network: Network, X: Array, y: Array, view: ViewOptions) -> list[ComputationGraph]:
    """Return a graph a level; the one to be shown first stands first."""
    chosen = ComputationGraph(network, X, y, **view)
    rest: ViewOptions = {
        "training": view.get("training"),
        "language": view.get("language", "en"),
        "input_names": view.get("input_names", ()),
    }
    options: dict[str, ViewOptions] = {name: {"level": name, **rest} for name in LEVELS}
    if "operations" not in list_readable_levels(network.layers):
        options["operations"] = {"path": (), **rest}
    others = [one for name, one in options.items() if name != chosen.view.level]
    return [chosen, *(ComputationGraph(network, X, y, **one) for one in others)]


def _list_facts(
    network: Network, graph: ComputationGraph, y: Array, sample_name: str, schema: Schema | None, words: Words
) -> list[Fact]:
    """Return what the head of the page says."""
    outputs = network.astype(np.float64).outputs(graph.X[:1])
    said, target = (_say_answer(values[:1], network, schema) for values in (decode(outputs, network.n_classes), y))
    if network.n_classes is not None and network.loss.output is not None:
        said += f" ({spread_probabilities(outputs).max():.1%})"
    names = words.join(schema.target.names if schema and network.n_classes is None else ())
    hidden = list(dict.fromkeys(activation.name for activation in network.activations))
    size = {"layers": "-".join(map(str, network.layers)), "parameters": len(network.theta)}
    facts = [
        Fact(words.say("network"), words.say("explain.network", **size)),
        Fact(words.say("explain.activations"), words.join(hidden)),
        Fact(words.measure("loss"), f"{graph.loss:.4g}", "loss", f"{network.loss.name} = "),
        Fact(words.say("explain.sample"), sample_name),
        Fact(
            words.say("explain.rows"), words.say("explain.rows_shown", n=len(graph.X)) if len(graph.X) > 1 else ""
        ),
        Fact(words.say("explain.says_of" if names else "explain.says", names=names), said, "says"),
        Fact(words.say("explain.should_say_of" if names else "explain.should_say", names=names), target, "target"),
    ]
    return [fact for fact in facts if fact.text]


def _say_answer(values: Array, network: Network, schema: Schema | None) -> str:
    """Return a class by its name, or numbers in the user's own unit."""
    if network.n_classes is None:
        scaled = schema is not None and schema.target.scaled
        numbers = schema.target.decode(values.reshape(1, -1)) if schema and scaled else values
        return ", ".join(number(float(v)) for v in np.ravel(numbers))
    place = int(values.argmax() if values.size > 1 else np.ravel(values)[0])  # several are shares
    return _name_classes(network)[place]


def _name_classes(network: Network) -> list[str]:
    """Return what the classes are called; none of numbers."""
    return list(network.class_names or map(str, range(network.n_classes or 0)))


def _find_scale(schema: Schema | None) -> tuple[Array, Array] | None:
    """Return std and mean of the numbers that a network says."""
    target = schema and schema.target
    return (np.array([target.std]), np.array([target.mean])) if target and target.scaled else None


def _say_formula(formula: str, words: Words) -> str:
    """Return MathML with its few words, such as "if", in the reader's language."""
    return re.sub("(?<=<mtext>)[a-z]+(?=</mtext>)", lambda word: words.say(f"formula_words.{word[0]}"), formula)


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


def _describe_about(graph: ComputationGraph, folded: bool) -> str:
    """Return the key of what is said of a level's picture."""
    if graph.view.level == "neurons":
        return "explain.about_folded_neurons" if folded else "explain.about_neurons"
    if graph.view.level == "matrices":
        return "explain.about_matrices"
    return "explain.about_folded" if folded else "explain.about_operations"


def _describe_level(graph: ComputationGraph, words: Words) -> dict[str, Any]:
    """Return what the template says of one picture and its steps."""
    nodes, view = graph.nodes, graph.view
    number = {node: index for index, node in enumerate(nodes)}
    given = [node for node in nodes if node.operation is None]
    consumers = list_consumers(nodes)
    folded = any(len(alone) < size for alone, size in zip(view.alone, graph.network.layers, strict=True))
    texts = [explain_step(step, consumers) for step in graph.traversal.steps]
    return {
        "key": view.level,
        "name": _capitalise(words.name("views", view.level)),
        "about": _describe_about(graph, folded),
        "svg": graph.figure.svg(interactive=True),
        "least": f"{0.82 * graph.figure.width:.0f}px",  # where it is wider than its frame, it can be moved
        "given": [_describe_given(node, graph) for node in given[:MOST_GIVEN]],
        "more": len(given) > MOST_GIVEN,
        "steps": [
            {
                "number": time,
                "phase": step.phase,
                "nodes": " ".join(str(number[node]) for node in step.nodes),
                "title": _capitalise(words.render(text.title)),
                "text": text,
            }
            for time, (step, text) in enumerate(zip(graph.traversal.steps, texts, strict=True), start=1)
        ],
        "cards": [_describe_node(graph, index) for index in graph.figure.descriptions],
    }


def _describe_node(graph: ComputationGraph, index: int) -> dict[str, Any]:
    """Return what the template says of a node when it is chosen."""
    node, traversal = graph.nodes[index], graph.traversal
    if graph.view.level == "neurons" and node.kind == "adder":
        own = [n for n in graph.nodes if n.operation and (n.layer, n.units) == (node.layer, node.units)]
        summed = {term for n in own if n.kind in ("adder", "sum") for term in n.inputs}
        lines = [line for n in reversed(own) if n not in summed for line in list_neuron_derivatives(n)]
        kind, output, known, local = "neuron", own[-1], traversal.passed[node], lines[:MOST_LINES]
    else:
        kind, output, known, local = node.kind, node, traversal.gradient[node], list_local_derivatives(node)
    value = _describe_values(output.name.mathml, output.value, traversal.value[output])
    card = {
        "number": index,
        "kind": kind,
        "value": value,
        "gradient": None,
        "local": [],
        "edit": _find_edit(node, graph),
    }
    if node.is_given and node.kind != "constant":
        return card
    gradient = _describe_values(gradient_name(node), node.gradient, known)
    return card | {"gradient": gradient, "local": local}


def _describe_given(node: Node, graph: ComputationGraph) -> dict[str, Any]:
    """Return what the template says of a leaf before the first step."""
    amount = describe_amount(node.name.mathml, node.value)
    return {"amount": amount, "edit": _find_edit(node, graph), "label": node.label}


def _describe_values(name: str, values: Array, time: int) -> dict[str, Any]:
    """Return a value or a gradient as people and as programs read it, a matrix as a picture, and its step."""
    one = values.size == 1
    return {
        "amount": describe_amount(name, values),
        "name": name,
        "exact": repr(float(plain(values[0, 0] if one else length(values)))),
        "picture": "" if one else _draw_matrix(plain(values)),
        "source": "" if one else find_source(values),
        "time": time,
    }


def _find_edit(node: Node, graph: ComputationGraph) -> dict[str, Any] | None:
    """Return how the page finds a leaf that can be changed; a class is chosen as a whole."""
    by_class = node.kind == "target" and graph.network.loss.output == "softmax"
    source = find_source(node.value)
    if not source or node.operation is not None or by_class:
        return None
    rows, columns = node.value.shape
    return {
        "leaf": source,
        "rows": rows,
        "columns": columns,
        "name": f"{node.name} {node.label}".strip(),
    }


def _sample_reds() -> list[str]:
    """Return the colours of a matrix, from the lowest number to the highest."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(colour) for colour in colormaps["RdBu"](np.linspace(0, 1, 65))]


def _draw_matrix(values: Array) -> str:
    """Return a matrix as a PNG in a data address: a row is folded to a rectangle, large cells are averaged.

    Red is below zero and blue above.
    """
    from matplotlib.image import imsave

    if values.shape[0] == 1:  # the rectangle closest to a square that the row fills
        size = values.shape[1]
        values = values.reshape(next(h for h in range(int(np.sqrt(size)), 0, -1) if size % h == 0), -1)
    values = _average(_average(values).T).T
    values = values / (float(np.abs(values).max()) or 1.0)
    content = io.BytesIO()
    imsave(content, values, vmin=-1.0, vmax=1.0, cmap="RdBu", format="png")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def _average(values: Array) -> Array:
    """Return at most `MOST_CELLS` rows, each the mean of its neighbours."""
    groups = np.array_split(values, min(len(values), MOST_CELLS))
    return np.array([group.mean(axis=0) for group in groups])


@cache
def _load_font() -> str:
    """Return the font of formulas, which has the signs that they need and no others."""
    font = resources.files("glassnet.graph").joinpath("fonts", "explain-math.woff2")
    return base64.b64encode(font.read_bytes()).decode()


@cache
def _load_template() -> Template:
    return page_environment("glassnet.graph").get_template("explain.html.jinja")
