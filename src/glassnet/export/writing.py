"""Exporting: a model is written for a target, checked against its network, and only then put in its place."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glassnet.data.schema import Schema
from glassnet.errors import FileError, UsageError, unknown_name
from glassnet.export.javascript import run_javascript, write_javascript
from glassnet.export.portable import PortableModel, describe_model
from glassnet.export.python import run_python, write_python
from glassnet.export.running import NotRunError, Results
from glassnet.export.trial import Trial, make_trial
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.runtime.files import write_bytes


class Target(NamedTuple):
    """What a model is written for.

    ``write`` returns the file's text or bytes. ``run`` has the file answer the rows of a trial, or raises
    `NotRunError`. ``tolerance`` is the largest difference that is put down to rounding, as a share of outputs
    larger than 1.
    """

    suffixes: tuple[str, ...]
    write: Callable[[PortableModel], str | bytes]
    run: Callable[[Path, Trial], Results]
    tolerance: float


#: What a model can be written for, by its name.
TARGETS: dict[str, Target] = {
    "python": Target((".py",), write_python, run_python, 1e-6),
    "js": Target((".js", ".mjs"), write_javascript, run_javascript, 1e-6),
}


@dataclass(frozen=True)
class Export:
    """What was exported, and how far it is from its network.

    Attributes
    ----------
    path : Path
        The file.
    to : str
        What it is written for: "python", "js".
    size : int
        Its bytes.
    parameters, multiply_adds : int
        Weights and biases after folding, and multiplications with an addition for a row.
    rows : int
        Random rows that it was compared on; 0 where it could not be run.
    difference : float or None
        The largest difference from the network's outputs on these rows, as a share of outputs larger than 1.
    unchecked : str
        Why it was not compared; empty where it was.
    """

    path: Path
    to: str
    size: int
    parameters: int
    multiply_adds: int
    rows: int
    difference: float | None
    unchecked: str = ""


def choose_target(path: Path, to: str | None) -> str:
    """Return the name of the target, by what was asked for or by the file's name."""
    if to is not None:
        if to not in TARGETS:
            raise unknown_name("to", to, TARGETS)
        return to
    fitting = [name for name, target in TARGETS.items() if path.suffix.lower() in target.suffixes]
    if not fitting:
        endings = ", ".join(target.suffixes[0] for target in TARGETS.values())
        known = ", ".join(TARGETS)
        raise UsageError("to", f"say what to write, one of {known}; or end the file's name in one of {endings}")
    return fitting[0]


def export_model(network: Network, schema: Schema | None, path: str | Path, to: str | None = None) -> Export:
    """Write a network and its schema for a target; see `glassnet.training.model.Model.export`."""
    path = Path(path)
    name = choose_target(path, to)
    target, model = TARGETS[name], describe_model(network, schema)
    written = target.write(model)
    content = written.encode() if isinstance(written, str) else written
    trial = make_trial(network, schema)
    rows, difference, unchecked = len(trial.rows), None, ""
    try:
        difference = _check(target, content, path, trial)
    except NotRunError as error:
        rows, unchecked = 0, str(error)
    write_bytes(path, content)
    return Export(path, name, len(content), model.parameters, model.multiply_adds, rows, difference, unchecked)


def _check(target: Target, content: bytes, path: Path, trial: Trial) -> float:
    """Return how far a file is from the network; `FileError` if that is more than rounding."""
    if not trial.rows:
        raise NotRunError("the network's outputs are not finite for any random row")
    with tempfile.TemporaryDirectory(prefix="glassnet-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / f"model{target.suffixes[-1]}"
        file.write_bytes(content)
        found = target.run(file, trial)
    difference = find_difference(found.outputs, trial.outputs)
    if not difference <= target.tolerance:
        problem = f"its outputs differ from the network's by {difference:.2g}"
        raise FileError(path, f"not written: {problem}; please report it")
    expected = trial.decode(np.asarray(found.outputs, np.float64))
    if not _are_same(found.answers, expected, target.tolerance):
        raise FileError(path, "not written: its answers differ from the network's; please report it")
    return difference


def _are_same(answers: list[Any], expected: Array, tolerance: float) -> bool:
    """Whether answers are the same classes, or numbers up to rounding."""
    if expected.dtype.kind != "f":
        found = np.array(answers, object)
        return found.shape == expected.shape and list(map(str, found.flat)) == list(map(str, expected.flat))
    numbers = np.asarray(answers, np.float64)
    close = tolerance * max(1.0, float(np.abs(expected).max()))
    return numbers.shape == expected.shape and np.allclose(numbers, expected, rtol=0, atol=close)


def find_difference(found: Any, expected: Any) -> float:
    """Return the largest difference of outputs, as a share of expected ones that are larger than 1.

    Examples
    --------
    >>> find_difference([[1.0, 202.0]], [[0.5, 200.0]])
    0.5
    """
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if found.shape != expected.shape:
        return np.inf
    return float((np.abs(found - expected) / np.maximum(1, np.abs(expected))).max())
