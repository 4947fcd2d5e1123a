"""Exporting: a model is written for a target, checked against its network, and only then put in its place."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glassnet.data.schema import Schema
from glassnet.errors import FileError, UsageError, unknown_name
from glassnet.export.c_file import run_c, write_c
from glassnet.export.javascript import run_javascript, write_javascript
from glassnet.export.onnx_file import run_onnx, write_onnx_file
from glassnet.export.portable import PortableModel
from glassnet.export.python import run_python, write_python
from glassnet.export.running import NotRunError, Results, Written
from glassnet.export.trial import Trial, find_difference, make_trial
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.runtime.files import write_bytes

#: Of a target that computes in float32, how many times the rounding of the network itself may be its own.
NARROW = 10.0


class Target(NamedTuple):
    """What a model is written for.

    ``write`` takes a model and the name of its file. ``run`` has the file answer the rows of a trial, or raises
    `NotRunError`. ``tolerance`` is the largest difference that is put down to rounding, as a share of outputs
    larger than 1; a target that computes in float32 is ``narrow``, and may round as the network itself.
    """

    suffixes: tuple[str, ...]
    write: Callable[[PortableModel, str], Written]
    run: Callable[[Path, Trial], Results]
    tolerance: float
    narrow: bool = False


#: What a model can be written for, by its name.
TARGETS: dict[str, Target] = {
    "python": Target((".py",), lambda model, _: Written(write_python(model).encode()), run_python, 1e-6),
    "js": Target(
        (".js", ".mjs"), lambda model, _: Written(write_javascript(model).encode()), run_javascript, 1e-6
    ),
    "onnx": Target((".onnx",), write_onnx_file, run_onnx, 1e-6, narrow=True),
    "c": Target((".h",), write_c, run_c, 1e-5, narrow=True),
}


@dataclass(frozen=True)
class Export:
    """What was exported, and how far it is from its network.

    Attributes
    ----------
    path : Path
        The file.
    to : str
        What it is written for: "python", "js", "onnx", "c".
    size : int
        Its bytes.
    parameters, multiply_adds : int
        Weights and biases after folding, and multiplications with an addition for a row.
    rows : int
        Rows that it was compared on, random ones or those of the calibration; 0 where it could not be run.
    difference : float or None
        The largest difference from the network's outputs on these rows, as a share of outputs larger than 1.
    unchecked : str
        Why it was not compared; empty where it was.
    ranges : str
        Of C in int8: the rows on which the ranges of activations were measured.
    same : float or None
        Of C in int8: the share of rows to which it gave the answer of the network.
    weight_bytes, scratch_bytes : int or None
        Of C: what the weights take, and the numbers of a row on the stack.
    """

    path: Path
    to: str
    size: int
    parameters: int
    multiply_adds: int
    rows: int
    difference: float | None
    unchecked: str = ""
    ranges: str = ""
    same: float | None = None
    weight_bytes: int | None = None
    scratch_bytes: int | None = None


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


def export_model(
    network: Network,
    schema: Schema | None,
    path: str | Path,
    to: str | None = None,
    *,
    int8: bool = False,
    calibration: Any = None,
) -> Export:
    """Write a network and its schema for a target; see `glassnet.training.model.Model.export`."""
    path = Path(path)
    name = choose_target(path, to)
    if int8 and name != "c":
        raise UsageError("int8", "is for c only")
    if calibration is not None and not int8:
        raise UsageError("calibration", "is for int8 only")
    target, trial = TARGETS[name], make_trial(network, schema, given=calibration)
    if int8 and not trial.rows:
        raise UsageError("int8", "the network's outputs are finite for none of the rows that ranges come from")
    ranges = f"{len(trial.rows):,} {'random' if calibration is None else 'given'} rows" if int8 else ""
    if int8:  # no difference is too large
        write = partial(write_c, calibration=trial.X, said_of_it=ranges)
        target = target._replace(write=write, tolerance=np.inf)
    written = target.write(trial.model, path.stem)
    rows, difference, same, unchecked = len(trial.rows), None, None, ""
    try:
        difference, same = _check(target, written.content, path, trial)
    except NotRunError as error:
        rows, unchecked = 0, str(error)
    write_bytes(path, written.content)
    return Export(
        path,
        name,
        len(written.content),
        trial.model.parameters,
        trial.model.multiply_adds,
        rows,
        difference,
        unchecked,
        ranges,
        same if int8 and trial.model.answer.kind != "numbers" else None,
        written.weight_bytes,
        written.scratch_bytes,
    )


def _check(target: Target, content: bytes, path: Path, trial: Trial) -> tuple[float, float]:
    """Return how far a file is from the network, and its share of equal answers.

    `FileError` is raised if it is further than rounding explains.
    """
    if not trial.rows:
        raise NotRunError("the network's outputs are not finite for any random row")
    with tempfile.TemporaryDirectory(prefix="glassnet-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / f"model{target.suffixes[-1]}"
        file.write_bytes(content)
        found = target.run(file, trial)
    answers = trial.decode(trial.outputs)
    outputs, expected = (found.answers, answers) if found.outputs is None else (found.outputs, trial.outputs)
    difference = find_difference(outputs, expected)
    if not difference <= target.tolerance + NARROW * target.narrow * trial.rounding:
        problem = f"its outputs differ from the network's by {difference:.2g}"
        raise FileError(path, f"not written: {problem}; please report it")
    if found.outputs is not None and not _are_same(
        found.answers, trial.decode(np.asarray(found.outputs, np.float64)), target.tolerance
    ):
        raise FileError(path, "not written: its answers differ from the network's; please report it")
    return difference, float(
        np.mean([one == other for one, other in zip(found.answers, answers.tolist(), strict=True)])
    )


def _are_same(answers: list[Any], expected: Array, tolerance: float) -> bool:
    """Whether answers are the same classes, or numbers up to rounding."""
    if expected.dtype.kind != "f":
        found = np.array(answers, object)
        return found.shape == expected.shape and list(map(str, found.flat)) == list(map(str, expected.flat))
    numbers = np.asarray(answers, np.float64)
    close = tolerance * max(1.0, float(np.abs(expected).max()))
    return numbers.shape == expected.shape and np.allclose(numbers, expected, rtol=0, atol=close)
