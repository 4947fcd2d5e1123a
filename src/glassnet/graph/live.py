"""What a page needs to compute all its numbers again: a program of array operations, and their functions.

The program is what the graphs' own nodes left on a tape, see `glassnet.graph.traced`; the functions of single
numbers are those of exported models, see `glassnet.export.javascript`. A step of training is the rule of gradient
descent, on the same tape.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from glassnet.export.javascript import JAVASCRIPT, write_operations
from glassnet.graph.computation_graph import ComputationGraph
from glassnet.graph.traced import NotFollowedError, Tape, Traced, pack
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.optimizers.gradient_descent import GD
from glassnet.training.snapshots import Snapshots

#: A page of a network with more parameters shows fixed numbers: so its file stays below 1.5 MB, epochs apart.
MOST_PARAMETERS = 75_000

#: Of the steps that the page takes, to begin with.
LEARNING_RATE = 0.1


class Live:
    """Graphs of one network and batch, followed; the one of matrices has all parameters as its leaves.

    `epochs` is what the page plays over: what `gather_epochs` returns, or nothing.

    `scale` is std and mean of the numbers that the network says, where it is scaled. `NotFollowedError` is raised
    where a formula cannot be followed.
    """

    def __init__(
        self,
        graphs: Sequence[ComputationGraph],
        scale: tuple[Array, Array] | None,
        epochs: dict[str, Any] | None = None,
    ) -> None:
        first = graphs[0]
        sources = {"theta": first.network.theta, "X": first.X, "y": first.targets, "eta": np.array(LEARNING_RATE)}
        self.tape = Tape(sources | {"statistics": first.network.parameters.statistics})
        for graph in graphs:
            graph.follow(self.tape)
        whole = next(graph for graph in graphs if graph.view.level == "matrices")
        eta = self.tape.leaf("eta", np.array([[0]]))[0, 0]
        leaves = [node for node in whole.nodes if node.positions is not None]
        moved = [GD.rule(node.value, node.gradient, 1, eta)[0] for node in leaves]
        self.about = {
            "loss": _show(whole.nodes[-1].value),
            "answer": _show(_scale(_find_answer(whole), scale)),
            "target": _show(_scale(whole.nodes[-1].inputs[-1].value[:1], scale)),
            "percent": first.network.loss.output is not None,
            "epochs": epochs,
            "steps": [[_show(node.value), _show(one)] for node, one in zip(leaves, moved, strict=True)],
        }

    def write(self) -> tuple[str, str]:
        """Return the program of all that is shown until now, as JSON, and its functions, as JavaScript."""
        sources, operations = self.tape.write()
        program = {**self.about, "sources": sources, "operations": operations}
        used = {operation[0] for operation in operations if operation}
        functions = write_operations(name for name in JAVASCRIPT.operations if name in used)
        return json.dumps(program, separators=(",", ":")), functions


def gather_epochs(network: Network, snapshots: Snapshots | None, words: Words) -> dict[str, Any] | None:
    """Return the parameters of a run's epochs as the page takes them, what each is called, and where it begins.

    It begins with the network as it is. Where that is none of the snapshots, it comes after them.
    """
    if snapshots is None or not snapshots.epochs:
        return None
    rows, own = snapshots.rows, np.concatenate([network.theta, network.parameters.statistics])
    names = [
        words.say("explain.after_epoch", n=epoch) if epoch else words.say("explain.untrained")
        for epoch in snapshots.epochs
    ]
    same = np.flatnonzero((rows == own).all(axis=1))
    if not len(same):
        rows, names = np.concatenate([rows, own[None]]), [*names, words.say("explain.as_kept")]
    return {"names": names, "start": int(same[-1]) if len(same) else len(names) - 1, "rows": pack(rows)}


def _show(value: Any) -> int:
    """Return where the page finds a value."""
    if not isinstance(value, Traced):
        raise NotFollowedError("a number that does not depend on the parameters")
    value.tape.shown.add(value.place)
    return value.place


def _find_answer(graph: ComputationGraph) -> Any:
    """Return what the network says of the first row: probabilities, or numbers."""
    output = graph.nodes[-1].inputs[0]
    return (output.value if output.kind == "softmax" else graph.network.loss.predict(output.value))[:1]


def _scale(answer: Any, scale: tuple[Array, Array] | None) -> Any:
    """Return numbers in the user's own unit."""
    return answer if scale is None else answer * scale[0] + scale[1]
