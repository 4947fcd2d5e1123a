"""The explain page: a network's computation graph, to be stepped through in any browser, without a network."""

from __future__ import annotations

import base64
import io
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from markupsafe import Markup

from glassnet.charts.pictures import picture_of
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
from glassnet.graph.nodes import list_consumers
from glassnet.graph.views import LEVELS, ViewOptions, list_readable_levels
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array
from glassnet.nn.network import Network, spread_probabilities
from glassnet.nn.targets import decode
from glassnet.runtime.files import write_bytes
from glassnet.runtime.pages import Glossary, Sheet, page_environment

if TYPE_CHECKING:
    from jinja2 import Template

#: More derivatives are not listed one by one.
MOST_DERIVATIVES = 80

#: Inputs, parameters and targets that are listed before the first step at most.
MOST_GIVEN = 40

#: A matrix is shown as a picture of at most this many cells each way; cells of larger ones are averaged.
MOST_CELLS = 64


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
    **view: Unpack[ViewOptions],
) -> ExplainPage:
    """Make the page that goes through a network's computation graph, forwards and then backwards.

    It holds the three levels of the graph, operations, neurons and matrices. Of a network that is too large to be
    shown operation by operation, it holds the operations along the path through which most comes to the output
    that is farthest from its target; in the picture of its neurons those that matter most are shown.

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
    >>> page.html.count("<svg"), page.agreement.graph_difference < 1e-12
    (3, True)
    """
    X, y = np.asarray(X), np.asarray(y)
    if X.size == network.layers[0]:
        X, y = X.reshape(1, -1), y.reshape(1, -1) if y.size > 1 else y.reshape(1)
    elif X.ndim < 2 or len(X) == 0:
        raise DataError(f"X: rows of {network.layers[0]} numbers can be explained, got the shape {X.shape}")
    words = Words(view.get("language", "en"))
    graphs = _build_graphs(network, X, y, view)
    first, agreement = graphs[0], check_gradients(graphs[0])
    html = _load_template().render(
        say=lambda key, **values: Markup(words.say(key, **values)),
        formula=lambda formula: Markup(_say_formula(formula, words)),
        language=words.language,
        title=words.say("explain.title", layers="-".join(map(str, network.layers))),
        facts=_list_facts(network, first, y, sample_name, words),
        rows=len(first.X),
        by_batch=first.training is not None,
        batch_norm=any(network.batch_norm),
        rates=", ".join(f"{rate:g}" for rate in dict.fromkeys(network.dropout) if rate),
        picture="" if picture is None else picture_of(np.asarray(picture), np.shape(picture)),
        levels=[_describe_level(graph, words) for graph in graphs],
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
    rest: ViewOptions = {"training": view.get("training"), "language": view.get("language", "en")}
    options: dict[str, ViewOptions] = {name: {"level": name, **rest} for name in LEVELS}
    if "operations" not in list_readable_levels(network.layers):
        options["operations"] = {"path": (), **rest}
    others = [one for name, one in options.items() if name != chosen.view.level]
    return [chosen, *(ComputationGraph(network, X, y, **one) for one in others)]


def _list_facts(
    network: Network, graph: ComputationGraph, y: Array, sample_name: str, words: Words
) -> list[tuple[str, str]]:
    """Return what the head of the page says."""
    outputs = network.astype(np.float64).outputs(graph.X[:1])
    prediction = decode(outputs, network.n_classes)[0]
    names = network.class_names
    if network.n_classes is None:
        said, target = (", ".join(f"{float(v):.4g}" for v in np.ravel(values)) for values in (prediction, y[0]))
    else:
        said, target = (names[int(k)] if names else str(int(k)) for k in (prediction, np.ravel(y)[0]))
        if network.loss.output is not None:
            said += f" ({spread_probabilities(outputs).max():.1%})"
    hidden = list(dict.fromkeys(activation.name for activation in network.activations))
    size = {"layers": "-".join(map(str, network.layers)), "parameters": len(network.theta)}
    return [
        (words.say("network"), words.say("explain.network", **size)),
        (words.say("explain.activations"), words.join(hidden)),
        (words.measure("loss"), f"{network.loss.name} = {graph.loss:.4g}"),
        *([(words.say("explain.sample"), sample_name)] if sample_name else []),
        *(
            [(words.say("explain.rows"), words.say("explain.rows_shown", n=len(graph.X)))]
            if len(graph.X) > 1
            else []
        ),
        (words.say("explain.says"), said),
        (words.say("explain.should_say"), target),
    ]


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
        "given": [(node.name.mathml, describe_amount(node.value)) for node in given[:MOST_GIVEN]],
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
    if node.is_given and node.kind != "constant":
        return {"number": index, "kind": kind, "value": value, "gradient": None, "local": []}
    gradient = _describe_values(gradient_name(node), node.gradient, known)
    return {"number": index, "kind": kind, "value": value, "gradient": gradient, "local": local}


def _describe_values(name: str, values: Array, time: int) -> dict[str, Any]:
    """Return a value or a gradient as people and as programs read it, a matrix as a picture, and its step."""
    one = values.size == 1
    return {
        "name": name,
        "text": describe_amount(values),
        "exact": repr(float(values[0, 0])) if one else "",
        "picture": "" if one else _draw_matrix(values),
        "time": time,
    }


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
def _load_template() -> Template:
    return page_environment("glassnet.graph").get_template("explain.html.jinja")
