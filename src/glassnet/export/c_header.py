"""A model as one header of C99 that needs math.h alone, in float32 or in bytes."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.errors import UsageError
from glassnet.export.c_language import (
    Names,
    write_activation,
    write_helpers,
    write_number,
    write_table,
    write_texts,
)
from glassnet.export.c_rows import RowCode, write_rows
from glassnet.export.portable import Formula, PortableModel, trace_activation
from glassnet.export.quantising import MOST_INPUTS, QuantisedLayer, measure_columns, quantise
from glassnet.nn.activations import ACTIVATIONS, Array

#: What makes a probability of an output.
SIGMOID = Formula("sigmoid", trace_activation(ACTIVATIONS.resolve("sigmoid"), "float32"))

#: Identifiers behind the prefix that every header may have.
TAKEN = (
    *("max", "min", "sign", "step", "square", "clip", "dot", "quantise", "refuse", "predict", "h"),
    *("inputs", "outputs", "classes", "names", "columns", "center", "center_rest", "spread", "factors"),
    *("softmax", "choose", "std", "mean", "piece", "pieces", "last"),
)

#: The same for each layer, with its number.
TAKEN_OF_LAYERS = ("weights", "scale", "bias")


@dataclass(frozen=True)
class Header:
    """A header, the identifier that all its names begin with, and what it takes, in bytes."""

    text: str
    prefix: str
    weight_bytes: int
    scratch_bytes: int


def write_header(
    model: PortableModel, name: str, calibration: Array | None = None, said_of_it: str = ""
) -> Header:
    """Write a header of C.

    Parameters
    ----------
    model : PortableModel
        What is written.
    name : str
        What the functions begin with, as far as it can stand in an identifier.
    calibration : ndarray of shape (n, d), optional
        Rows as the network takes them, on which the ranges of activations are measured: the header then computes
        in bytes, else in float32.
    said_of_it : str
        Where these rows come from, for the comment.

    Raises
    ------
    UsageError
        If a layer has too many inputs for sums in int32.
    """
    return _HeaderWriter(model, name, calibration, said_of_it).write()


class _HeaderWriter:
    """Writes the parts of a header; those of a header in bytes differ in how values are kept."""

    def __init__(self, model: PortableModel, name: str, calibration: Array | None, said_of_it: str) -> None:
        self.model, self.said_of_it = model, said_of_it
        numbered = [f"{kind}_{number + 1}" for kind in TAKEN_OF_LAYERS for number in range(len(model.layers))]
        self.names = Names(name, [*TAKEN, *numbered])
        self.p = self.names.prefix
        self.tables: list[str] = []
        self.weight_bytes = 0
        self.functions: dict[str, str] = {}  # the name of each, by its text without one
        self.quantised: list[QuantisedLayer] = []
        self.factors: Array | None = None
        self.d_in = [len(layer.W) for layer in model.layers]
        if calibration is not None:
            self._quantise(calibration)

    def _quantise(self, calibration: Array) -> None:
        """Bring layers to bytes; pixels are bytes already, but for their zero."""
        most = max(self.d_in)
        if most > MOST_INPUTS:
            raise UsageError("int8", f"a layer has {most:,} inputs, of at most {MOST_INPUTS:,}; export float32")
        rows = self.model.input
        if isinstance(rows, ArraySchema) and rows.values == "bytes" and not rows.makes_float32:
            self.quantised = quantise(self.model.layers, calibration, np.full(self.d_in[0], 255.0), -128)
            return
        self.factors = measure_columns(calibration)
        self.quantised = quantise(self.model.layers, calibration, self.factors)

    def write(self) -> Header:
        """Return the header."""
        rows = write_rows(self.model.input, self.names, self._put)
        if self.factors is not None:
            self._add_table("float", "factors", self.factors)
        layers = [line for number in range(len(self.d_in)) for line in self._write_layer(number)]
        answer = self._write_answer()
        buffers = [max(self.d_in[first::2], default=0) for first in (0, 1)]
        declared = ", ".join(f"{name}[{size}]" for name, size in zip("ab", buffers, strict=True) if size)
        body = [f"{self._value} {declared};", *rows.body, *layers, *answer]
        scratch = sum(buffers) * (1 if self.quantised else 4)
        self.weight_bytes += rows.bytes
        functions = [text.replace("ACTIVATION", name) for text, name in self.functions.items()]
        text = "\n".join([*functions, *body])
        context = {
            "p": self.p,
            "P": self.p.upper(),
            "int8": bool(self.quantised),
            "rows": rows,
            "value": self._value,
            "n_outputs": self._n_outputs,
            "weight_bytes": self.weight_bytes,
            "scratch_bytes": scratch,
            "model": self.model,
            "comment": "\n".join(f"   {line}".rstrip() for line in self._comment(rows)).strip(),
            "tables": [*rows.tables, *self.tables, *self._write_names()],
            "functions": [*write_helpers(text, self.p), *functions],
            "body": body,
        }
        return Header(_render(context), self.p, self.weight_bytes, scratch)

    @property
    def _value(self) -> str:
        return "int8_t" if self.quantised else "float"

    @property
    def _is_spread(self) -> bool:
        """Whether the only output, a probability, is answered together with that of the other class."""
        return self.model.output == "sigmoid" and self._width == 1 and self.model.answer.kind == "class"

    @property
    def _width(self) -> int:
        return len(self.model.layers[-1].b)

    @property
    def _n_outputs(self) -> int:
        return 2 if self._is_spread else self._width

    def _put(self, place: str, value: str) -> str:
        """Return the statement that keeps a value as an input of the first layer."""
        if not self.quantised:
            return f"a[{place}] = {value};"
        scaled = f"{value} * 255.0f - 128.0f" if self.factors is None else f"{value} * {self.p}_factors[{place}]"
        return f"a[{place}] = {self.p}_quantise({scaled});"

    def _add_table(self, kind: str, name: str, values: Array) -> str:
        """Add constants, and return their identifier."""
        self.tables.append(write_table(kind, f"{self.p}_{name}", values))
        self.weight_bytes += values.size * (1 if kind == "int8_t" else 4)
        return f"{self.p}_{name}"

    def _write_layer(self, number: int) -> list[str]:
        """Write the loop over the units of a layer."""
        layer, last = self.model.layers[number], number == len(self.d_in) - 1
        one = self.quantised[number] if self.quantised else None
        weights = self._add_table(self._value, f"weights_{number + 1}", (one.weights if one else layer.W).T)
        z = f"{self.p}_dot({weights}[j], {'ab'[number % 2]}, {self.d_in[number]})"
        if one:
            z = f"{self._add_table('float', f'scale_{number + 1}', one.scale)}[j] * (float){z}"
        z += f" + {self._add_table('float', f'bias_{number + 1}', one.b if one else layer.b)}[j]"
        h = self._apply(layer.activation, z)
        if last:
            h = self._finish(h)
        elif one:
            h = f"{self.p}_quantise({h} * {write_number(one.factor)} + {write_number(one.zero)})"
        to = "outputs" if last else "ba"[number % 2]
        return [f"for (int j = 0; j < {len(layer.b)}; j++)", f"    {to}[j] = {h};"]

    def _apply(self, formula: Formula, z: str) -> str:
        """Return a formula of z, whose function is written once."""
        if formula.symbol.operation == "input":
            return z
        text = write_activation(formula, "ACTIVATION", self.p)
        if text not in self.functions:
            self.functions[text] = self.names.take(formula.name, "activation")
        return f"{self.functions[text]}({z})"

    def _finish(self, h: str) -> str:
        """Return an output: scaled, a probability by a sigmoid, or in the user's units."""
        model = self.model
        if model.output_scale != 1:
            h = f"{write_number(model.output_scale)} * ({h})"
        if model.output == "sigmoid":
            h = self._apply(SIGMOID, h)
        mean, std = model.answer.mean, model.answer.std
        if set(std) <= {1.0} and set(mean) <= {0.0}:
            return h
        names = [
            self._add_table("float", name, np.array(values)) for name, values in (("std", std), ("mean", mean))
        ]
        return f"({h}) * {names[0]}[j] + {names[1]}[j]"

    def _write_answer(self) -> list[str]:
        """Write what becomes probabilities, and which class is answered."""
        lines = []
        if self.model.output == "softmax":
            lines.append(f"{self.p}_softmax(outputs);")
        if self._is_spread:
            lines += ["outputs[1] = outputs[0];", "outputs[0] = 1.0f - outputs[1];"]
        if self.model.answer.kind != "class":
            return [*lines, "return 0;"]
        if self._n_outputs > 1:
            return [*lines, f"return {self.p}_choose(outputs);"]
        most = write_number(len(self.model.answer.classes) - 1)
        nearest = f"outputs[0] < 0.0f ? 0.0f : outputs[0] > {most} ? {most} : outputs[0]"
        return [*lines, f"return outputs[0] != outputs[0] ? -1 : (int)rintf({nearest});"]

    def _write_names(self) -> list[str]:
        """Write what the answers are called."""
        answer = self.model.answer
        named = (("classes", answer.class_names), ("names", answer.names if answer.kind != "class" else ()))
        return [write_texts(f"{self.p}_{name}", texts) for name, texts in named if texts]

    def _comment(self, rows: RowCode) -> list[str]:
        """Return the lines of the comment that begins the header."""
        P = self.p.upper()
        units = "-".join(map(str, [*self.d_in, self._width]))
        kind = f"int8, ranges measured on {self.said_of_it}" if self.quantised else "float32"
        return [
            f"A neural network of {units} units in {kind}, written by glassnet {metadata.version('glassnet')}.",
            f"It needs {'math.h and stdint.h' if self.quantised else 'math.h'} of C99, and nothing else.",
            "The weights are in it, so include it in one file.",
            "",
            f"    {rows.kind} row[{P}_INPUTS] = {{...}};",
            f"    float outputs[{P}_OUTPUTS];",
            f"    int answer = {self.p}_predict(row, outputs);",
            "",
            rows.said,
            self._describe_answer() + (" -1: the row lacks a number." if rows.refuses else ""),
        ]

    def _describe_answer(self) -> str:
        """Say what outputs and answer are."""
        kind, p = self.model.answer.kind, self.p
        what = "probabilities" if self.model.has_probabilities else "numbers"
        if kind == "class":
            return f"The answer is the place of a class in {p}_classes; the outputs are {what} of the classes."
        if kind == "labels":
            return f"The outputs are {what}: a label is there from 0.5 on. The answer is 0."
        return "The outputs are numbers in the units of training. The answer is 0."


def _render(context: dict[str, Any]) -> str:
    """Fill in the template."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("glassnet.export")
    environment = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("model.h").render(context) + "\n"
