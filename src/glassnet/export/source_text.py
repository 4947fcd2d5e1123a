"""The text of Python functions with all that they call: without hints, and with short docstrings."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Sequence
from types import ModuleType

#: What stands for types alone.
_TYPING = ("__future__", "typing", "collections.abc")


class _Plain(ast.NodeTransformer):
    """Takes type hints out of functions, and all but the first paragraph out of docstrings."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            argument.annotation = None
        return self._shorten(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._shorten(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def _shorten(self, node: ast.FunctionDef | ast.ClassDef) -> ast.AST:
        if said := ast.get_docstring(node):
            node.body[0] = ast.Expr(ast.Constant(said.partition("\n\n")[0].replace("\n", " ")))
        self.generic_visit(node)
        return node


def copy_functions(text: str, modules: Sequence[ModuleType]) -> str:
    """Return the definitions that a text uses, and those that these use, from the first module that has them.

    They stand in the order of their modules, the last one first, and within it as they stand there.
    """
    found: dict[str, ast.stmt] = {}
    for module in reversed(modules):
        for node in _parse(module).body:
            for name in _names_of(node):
                found.pop(name, None)  # so that it stands where the module has it
                found[name] = node
    needed: set[str] = set()
    tree = ast.parse(text)
    waiting = _used_names(tree) - {name for node in tree.body for name in _names_of(node)}
    while waiting:
        name = waiting.pop()
        if name in found and name not in needed:
            needed.add(name)
            waiting |= _used_names(found[name])
    chosen = dict.fromkeys(node for name, node in found.items() if name in needed)
    return "\n\n\n".join(map(ast.unparse, chosen))


def write_imports(text: str, modules: Sequence[ModuleType]) -> str:
    """Return the imports of the standard library that a text needs, as the modules have them."""
    used, lines = _used_names(ast.parse(text)), set()
    for module in modules:
        for node in _parse(module).body:
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            home = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                if (home or alias.name).split(".")[0] in sys.stdlib_module_names and home not in _TYPING:
                    line = f"from {home} import {alias.name}" if home else f"import {alias.name}"
                    lines |= {line} if alias.name in used else set()
    return "\n".join(sorted(lines, key=lambda line: (line.startswith("from"), line)))


@functools.cache
def _parse(module: ModuleType) -> ast.Module:
    tree = _Plain().visit(ast.parse(inspect.getsource(module)))
    parsed: ast.Module = ast.fix_missing_locations(tree)
    return parsed


def _names_of(node: ast.stmt) -> list[str]:
    """Return what a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if not isinstance(node, ast.Assign):
        return []
    return [one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)]


def _used_names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
