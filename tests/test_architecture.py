"""The house stands as drawn: lower floors never import upper ones, and nothing imports in a circle."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import glassnet

SOURCE = Path(glassnet.__file__).parent

#: From the ground up, as in docs/architecture.md. A floor uses those before it, and itself.
FLOORS = [
    "errors",
    "locales",
    "runtime",
    "nn",
    "charts",
    "data",
    "compiled",
    "export",
    "training",
    "estimators",
    "graph",
    "study",
    "report",
    "searches",
    "reproductions",
    "assignment",
    "cli",
]

MODULES = sorted(SOURCE.rglob("*.py"))


def imports_of(path):
    """Yield the glassnet modules that a file imports, at load time or later."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("glassnet"):
            for alias in node.names:
                inner = SOURCE.parent / node.module.replace(".", "/") / f"{alias.name}.py"
                yield f"{node.module}.{alias.name}" if inner.exists() else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("glassnet"))


def floor_of(module):
    return FLOORS.index(module.split(".")[1])


def name_of(path):
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")


def test_no_module_imports_an_upper_floor():
    modules = [path for path in MODULES if path.parent != SOURCE or path.stem == "errors"]
    assert len(modules) > 100
    upper = {
        (name_of(path), module)
        for path in modules
        for module in imports_of(path)
        if floor_of(module) > floor_of(name_of(path))
    }
    assert upper == set()


#: Functions with more than 8 parameters: constructors, `fit`, and commands, whose parameters are options.
WIDE = (
    "__init__",
    "from_arrays",
    "fit",
    "train",
    "evaluate",
    "predict",
    "explain",
    "study",
    "search",
    "assignment",
)


def test_functions_and_files_keep_to_their_size():
    large = [name_of(path) for path in MODULES if len(path.read_text().splitlines()) > 450]
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                names = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
                wide = len([name for name in names if name not in ("self", "cls")]) > 8 and node.name not in WIDE
                if wide or (body and body[-1].end_lineno - body[0].lineno >= 60):
                    large.append(f"{name_of(path)}.{node.name}")
    assert large == []


def test_every_folder_is_a_floor():
    folders = {path.parent.relative_to(SOURCE).parts[0] for path in MODULES if path.parent != SOURCE}
    assert folders | {"errors"} == set(FLOORS)


def test_modules_import_each_other_in_no_circle():
    graph = {name_of(path): set(imports_of(path)) for path in MODULES if path.parent != SOURCE}
    free: set[str] = {"glassnet.errors"}
    while ready := {name for name, needs in graph.items() if name not in free and needs <= free}:
        free |= ready
    assert set(graph) <= free


def test_no_module_uses_anothers_private_names():
    private = [
        f"{name_of(path)}: {alias.name}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("glassnet")
        for alias in node.names
        if alias.name.startswith("_")
    ]
    assert not private


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import glassnet", ["numpy", "sklearn", "rich", "pydantic"]),
        ("import glassnet.nn.network", ["sklearn", "rich", "pydantic", "typer", "scipy"]),
        ("import glassnet.training.fit", ["sklearn", "matplotlib", "typer", "scipy"]),
        ("import glassnet.graph.computation_graph", ["sklearn", "matplotlib", "typer", "jinja2", "scipy"]),
        ("import glassnet.cli.main", ["numpy", "sklearn", "matplotlib", "pydantic", "scipy"]),
    ],
)
def test_imports_stay_light(statement, unwanted):
    code = f"import sys; {statement}; print([name for name in {unwanted} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_mathematics_needs_numpy_alone():
    imported = {
        name.split(".")[0]
        for path in (SOURCE / "nn").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert imported - sys.stdlib_module_names == {"numpy", "glassnet"}


#: What writes for people, by the name before the dot. Two processes write for others: a table into a pipe,
#: and faults into the log of a study.
WRITERS = {"": {"print", "Console", "echo"}, "sys": {"stdout", "stderr", "__stdout__", "__stderr__"}}
WRITERS |= {"typer": {"echo", "secho"}, "warnings": {"warn", "warn_explicit"}, "traceback": {"print_exc"}}
ALLOWED = {("runtime/terminal.py", name) for name in ("print", "stdout", "stderr", "Console")}
ALLOWED |= {("runtime/streams.py", "stdout"), ("runtime/streams.py", "stderr"), ("runtime/callers.py", "warn")}
ALLOWED |= {("runtime/callers.py", "warn_explicit")}
ALLOWED |= {("data/decoding.py", "stdout"), ("study/process_pool.py", "print_exc")}
ALLOWED |= {("export/python_columns.py", "warn")}  # of the module that is exported


def test_one_module_writes_to_the_terminal():
    found = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            owner, names = "", set()
            if isinstance(node, ast.Name):
                names = {node.id}
            elif isinstance(node, ast.ImportFrom):
                names = {alias.name for alias in node.names}
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                owner, names = node.value.id, {node.attr}
            found |= {(path.relative_to(SOURCE).as_posix(), name) for name in names & WRITERS.get(owner, set())}
    assert found == ALLOWED


def test_public_names_are_what_they_say():
    for name in glassnet.__all__:
        thing = getattr(glassnet, name)
        assert thing.__name__ == name
        assert inspect.getdoc(thing)
    assert set(glassnet.__all__) <= set(dir(glassnet))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = glassnet.nonsense


def test_names_for_type_checkers_are_the_public_names():
    tree = ast.parse((SOURCE / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    assert {alias.asname for node in block.body for alias in node.names} == set(glassnet.__all__)


def test_functions_fit_a_screen():
    for path in MODULES:
        if path.parent.name == "cli":  # a command's signature is its list of options
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                assert node.end_lineno - first.lineno < 60, f"{path.name}: {node.name}"
