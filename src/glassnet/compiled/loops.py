"""Loops written from formulas: the source text of a function that computes traced symbols in one pass over a row.

    def NAME(ARRAYS.., scalars, scratch):
        what is the same for the whole row
        for j in range(len(FIRST ARRAY)):
            what is computed for each element

A sum or a largest element over the row ends a loop: what uses it stands in the next one. What a later loop needs
again is computed again where that is cheap, else kept in ``scratch``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from glassnet.compiled.tracing import ELEMENT, OPERATIONS, REDUCTIONS, ROW, SCALAR, Symbol, in_order

#: Operations that cost more than reading their result again.
EXPENSIVE = {
    *("divide", "reciprocal", "power", "sqrt", "exp", "expm1", "log", "log1p", "tanh"),
    *("sin", "cos", "arctan", "sinh", "cosh"),
}


@dataclass
class Loop:
    """A function over one row of ``arrays``, the first of which gives the row's length.

    It writes ``stores`` and adds ``adds`` to arrays, by their names, and returns ``result``, a value of the row.
    ``options`` are arguments after the arrays that are numbers of the row, for example ``scale``. `source` finds
    what stands in the argument ``scalars``, in order, and how many rows of ``scratch`` are in use.
    """

    name: str
    arrays: list[str]
    stores: dict[str, Symbol]
    adds: dict[str, Symbol] = field(default_factory=dict)
    result: Symbol | None = None
    options: list[str] = field(default_factory=list)
    scalars: list[Symbol] = field(default_factory=list)
    scratch_rows: int = 0

    def source(self) -> str:
        """Return the text of the function."""
        return _Writer(self).text()


class _Writer:
    """Places every symbol in the earliest loop in which it can be computed, then writes the loops."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.targets = [*loop.stores.values(), *loop.adds.values()]
        roots = self.targets + ([loop.result] if loop.result is not None else [])
        self.symbols = list(in_order(roots))
        self.names = {id(symbol): f"v{number}" for number, symbol in enumerate(self.symbols)}
        self.place: dict[int, int] = {}  # elements: the loop; row values: the loop that they stand before
        for symbol in self.symbols:
            self.place[id(symbol)] = max((self._ready(part) for part in symbol.inputs), default=0)
        elements = [self.place[id(symbol)] for symbol in self.symbols if symbol.level == ELEMENT]
        self.last = max([0, *elements, *(self._ready(symbol) for symbol in self.targets)])
        self.kept: dict[int, int] = {}
        # what Python works out beforehand: scalars that something of the row is computed from
        used = {id(part) for symbol in self.symbols if symbol.level > SCALAR for part in symbol.inputs}
        used |= {id(symbol) for symbol in self.targets}
        known = [symbol for symbol in self.symbols if symbol.level == SCALAR and symbol.operation != "constant"]
        loop.scalars = [symbol for symbol in known if id(symbol) in used]

    def _ready(self, symbol: Symbol) -> int:
        """Return the first loop in which a symbol's value can be used; a reduction is known after its own."""
        return self.place[id(symbol)] + (symbol.operation in REDUCTIONS)

    def text(self) -> str:
        """Write the function."""
        body: list[str] = []
        for number, symbol in enumerate(self.loop.scalars):
            truth = " != real(0)" if symbol.kind == "truth" else ""
            body.append(f"    {self.names[id(symbol)]} = scalars[{number}]{truth}")
        body += [f"    r{name} = real(1) / {name}" for name in self._divisors()]
        loops = [self._loop(number) for number in range(self.last, -1, -1)][::-1]  # later ones say what to keep
        for number, lines in enumerate(loops):
            body += self._row_values(number)
            body += lines
        body += self._row_values(self.last + 1)
        if self.loop.result is not None:
            body.append(f"    return {self._name(self.loop.result)}")
        self.loop.scratch_rows = len(self.kept)
        arguments = ", ".join([*self.loop.arrays, *self.loop.options, "scalars", "scratch"])
        return "\n".join([f"def {self.loop.name}({arguments}):", *body]) + "\n"

    def _divisors(self) -> list[str]:
        """Return the scalars that elements are divided by; multiplied by 1 over these, which is faster."""
        divisions = [symbol for symbol in self.symbols if _divides_by_scalar(symbol)]
        return list(dict.fromkeys(self._number(symbol.inputs[1]) for symbol in divisions))

    def _row_values(self, number: int) -> list[str]:
        """Write what is computed once, before a loop."""
        return [
            f"    {self.names[id(symbol)]} = {self._expression(symbol)}"
            for symbol in self.symbols
            if symbol.level == ROW and symbol.operation not in ("input", *REDUCTIONS)
            if self.place[id(symbol)] == number
        ]

    def _loop(self, number: int) -> list[str]:
        """Write one loop, with the reductions that it accumulates."""
        here = [symbol for symbol in self.symbols if self.place[id(symbol)] == number]
        reductions = [symbol for symbol in here if symbol.operation in REDUCTIONS]
        needed = [symbol.inputs[0] for symbol in reductions]
        if number == self.last:
            needed += self.targets
        needed += [symbol for symbol in here if id(symbol) in self.kept]
        lines = self._elements(needed, number)
        for symbol in reductions:
            name, (step, _) = self.names[id(symbol)], REDUCTIONS[symbol.operation]
            lines.append(f"{name} = {step.format(name, self._number(symbol.inputs[0]))}")
        if number == self.last:
            lines += [f"{target}[j] = {self._number(symbol)}" for target, symbol in self.loop.stores.items()]
            lines += [f"{target}[j] += {self._number(symbol)}" for target, symbol in self.loop.adds.items()]
        starts = [f"    {self.names[id(symbol)]} = {REDUCTIONS[symbol.operation][1]}" for symbol in reductions]
        head = f"    for j in range(len({self.loop.arrays[0]})):"
        return [*starts, head, *(f"        {line}" for line in lines)]

    def _elements(self, needed: list[Symbol], number: int) -> list[str]:
        """Write how elements are computed in a loop, with all that they need for it."""
        wanted: set[int] = set()
        stack = list(needed)
        while stack:
            symbol = stack.pop()
            if symbol.level == ELEMENT and id(symbol) not in wanted:
                wanted.add(id(symbol))
                if not self._is_kept(symbol, number):
                    stack.extend(symbol.inputs)
        lines = []
        for symbol in self.symbols:
            if id(symbol) not in wanted:
                continue
            name = self.names[id(symbol)]
            if symbol.operation == "input":
                lines.append(f"{name} = {symbol.label}[j]")
            elif self._is_kept(symbol, number):
                row = self.kept.setdefault(id(symbol), len(self.kept))
                lines.append(f"{name} = scratch[{row}, j]")
            else:
                lines.append(f"{name} = {self._expression(symbol)}")
                if id(symbol) in self.kept and self.place[id(symbol)] == number:
                    lines.append(f"scratch[{self.kept[id(symbol)]}, j] = {name}")
        return lines

    def _is_kept(self, symbol: Symbol, number: int) -> bool:
        """Whether a loop reads an element that an earlier one has computed."""
        return symbol.operation in EXPENSIVE and self.place[id(symbol)] < number

    def _expression(self, symbol: Symbol) -> str:
        """Write an operation on named values."""
        if _divides_by_scalar(symbol):
            return f"{self._number(symbol.inputs[0])} * r{self._number(symbol.inputs[1])}"
        if symbol.operation == "power":
            return self._power(*symbol.inputs)
        truths = symbol.operation.startswith("logical") or (symbol.operation == "where" and symbol.kind == "truth")
        parts = [self._name(part) if truths else self._number(part) for part in symbol.inputs]
        if symbol.operation == "where":
            parts[0] = self._name(symbol.inputs[0])
        return OPERATIONS[symbol.operation].format(*parts)

    def _power(self, base: Symbol, exponent: Symbol) -> str:
        """Write a small whole power as products, a square root as NumPy has it, the others as real powers."""
        if exponent.operation == "constant" and exponent.label in (1, 2, 3, 4):
            return " * ".join([self._number(base)] * int(exponent.label))
        if exponent.operation == "constant" and exponent.label == 0.5:
            return f"sqrt({self._number(base)})"
        return f"real({self._number(base)} ** {self._number(exponent)})"

    def _number(self, symbol: Symbol) -> str:
        """Name a value where a number is meant: true counts as 1."""
        name = self._name(symbol)
        return f"real({name})" if symbol.kind == "truth" else name

    def _name(self, symbol: Symbol) -> str:
        if symbol.operation == "constant":
            return str(symbol.label) if symbol.kind == "truth" else _literal(symbol.label)
        if symbol.operation == "input" and symbol.level == ROW:
            return str(symbol.label)
        return self.names[id(symbol)]


def _divides_by_scalar(symbol: Symbol) -> bool:
    """Whether elements are divided by a scalar that Python works out beforehand."""
    if symbol.operation != "divide" or symbol.level != ELEMENT:
        return False
    return symbol.inputs[1].level == SCALAR and symbol.inputs[1].operation != "constant"


def _literal(value: Any) -> str:
    if value != value:
        return "nan"
    if abs(value) == float("inf"):
        return "infinity" if value > 0 else "-infinity"
    return f"real({value!r})"
