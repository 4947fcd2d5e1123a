"""What the documents say of the code is true."""

import ast
import contextlib
import functools
import importlib
import inspect
import io
import re
import runpy
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.chinese import terms
from tests.test_architecture import FLOORS, imports_of
from typer import TyperException
from typer.main import get_command

import glassnet
from glassnet.cli.main import app
from glassnet.searches.space import space_of

ROOT = Path(__file__).parent.parent
SOURCE = Path(glassnet.__file__).parent
PAGES = {path.name: path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))}
PAGES |= {f"zh/{path.name}": path for path in (ROOT / "docs" / "zh").glob("*.md")}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}

#: Blocks of Python on these pages that import nothing are quoted from the code.
QUOTING = ("derivation.md", "zh/derivation.md")

#: The script of the READMEs that needs a run made on the command line; tests/test_practitioner_walk.py runs it.
WALK = 'gn.load_model("customers")'


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes
    ----------
    language, text : str
        What stands after the opening fence, and between the fences.
    printed : str or None
        The block of text right after it: what it prints.
    """

    language: str
    text: str
    printed: str | None


def blocks_of(page, *languages):
    """Return the blocks of a page in some languages, in order."""
    fenced = r"^```(\w+)\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?"
    found = re.findall(fenced, TEXTS[page], re.DOTALL | re.MULTILINE)
    blocks = [Block(language, text, printed or None) for language, text, printed in found]
    return [block for block in blocks if block.language in languages]


def is_quoted(page, block):
    return page in QUOTING and "import" not in block.text


def programs():
    """Return, for each page that has any, its blocks of Python that are run."""
    pages = {
        page: [
            block for block in blocks_of(page, "python") if not is_quoted(page, block) and WALK not in block.text
        ]
        for page in TEXTS
    }
    return {page: blocks for page, blocks in pages.items() if blocks}


@pytest.fixture
def own_registries(monkeypatch):
    """What a page registers is gone after the test."""
    for place in ("activations.ACTIVATIONS", "losses.LOSSES", "optimizers.OPTIMIZERS", "schedules.SCHEDULES"):
        module, name = place.split(".")
        registry = getattr(importlib.import_module(f"glassnet.nn.{module}"), name)
        monkeypatch.setattr(registry, "_factories", dict(registry._factories))


@pytest.mark.parametrize("page", programs())
def test_the_python_blocks_of_a_page_are_a_program_that_prints_what_they_say(
    page, tmp_path, monkeypatch, own_registries
):
    monkeypatch.chdir(tmp_path)  # it saves runs
    names: dict = {"__name__": page}  # dataclasses ask for it
    for block in programs()[page]:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.text, page, "exec", dont_inherit=True), names)
        assert block.printed is None or printed.getvalue() == block.printed


def test_the_pages_with_programs_are_found():
    assert {
        "README.md",
        "getting-started.md",
        "training.md",
        "extending.md",
        "README.zh-CN.md",
        "zh/training.md",
        *QUOTING,
    } <= set(programs())
    assert sum(len(blocks) for blocks in programs().values()) > 25
    walks = {page for page in TEXTS for block in blocks_of(page, "python") if WALK in block.text}
    assert walks == {"README.md", "README.zh-CN.md"}


@pytest.mark.parametrize("page", QUOTING)
def test_the_lines_that_the_derivation_quotes_stand_in_the_code(page):
    modules = [SOURCE / "nn" / name for name in ("backpropagation.py", "batch_norm.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in modules)
    quoted = [block.text for block in blocks_of(page, "python") if is_quoted(page, block)]
    lines = [line for text in quoted for line in text.splitlines()]
    assert len(lines) == 8
    assert [line for line in lines if f" {line}\n" not in code] == []


def formulas_of(page):
    """Return the formulas of a page that stand alone, without their words."""
    shown = re.findall(r"^\$\$\n(.*?)^\$\$$", TEXTS[page], re.DOTALL | re.MULTILINE)
    return [re.sub(r"\\text\{[^}]*\}", "", formula) for formula in shown]


def test_the_chinese_derivation_has_the_formulas_of_the_english_one():
    assert len(formulas_of("derivation.md")) > 40
    assert formulas_of("zh/derivation.md") == formulas_of("derivation.md")


def test_the_chinese_pages_keep_to_the_list_of_terms_and_use_all_of_it():
    right, wrong = terms()
    pages = {page: text for page, text in TEXTS.items() if page.startswith("zh/") or page == "README.zh-CN.md"}
    assert len(pages) == 4
    assert {(page, term) for page, text in pages.items() for term in wrong if term in text} == set()
    catalogue = (SOURCE / "locales" / "zh.toml").read_text(encoding="utf-8")
    assert [term for term in right if not any(term in text for text in (catalogue, *pages.values()))] == []


@pytest.mark.parametrize("page", ["training.md", "derivation.md"])
def test_what_a_chinese_page_prints_is_what_the_english_one_prints(page):
    english, chinese = ([block.printed for block in blocks_of(one, "python")] for one in (page, f"zh/{page}"))
    assert set(chinese) <= set(english)
    assert len(chinese) > 4


@pytest.mark.parametrize("text", [block.text for page in TEXTS for block in blocks_of(page, "toml")])
def test_a_study_in_the_documents_can_be_loaded(text, tmp_path):
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    values = tomllib.loads(text)
    if "parameters" in values:  # what a search draws
        assert space_of(values, {"data": {"dataset": "digits"}}).dimensions
    else:
        assert glassnet.load_study(tmp_path / "study.toml").name == values["name"]


@functools.cache
def command_line():
    return get_command(app)


def command_lines(block):
    """Return the commands of a block for a shell, each as its words, up to a pipe or redirection."""
    text = block.text.replace("\\\n", " ")
    prompted = [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]
    lines = prompted if block.language == "console" else text.splitlines()
    split = [re.split(r"\s(?:\||>|&&)\s", line)[0] for line in lines]
    return [words for line in split if (words := shlex.split(line, comments=True))]


COMMANDS = [
    pytest.param(words, id=f"{page}: {' '.join(words)}")
    for page in TEXTS
    for block in blocks_of(page, "sh", "bash", "console")
    for words in command_lines(block)
]


#: Options of Dask's commands.
DASK = {"--port", "--nthreads", "--nworkers", "--preload"}


def parse(arguments):
    """Parse the arguments of glassnet as the command line does, without doing anything."""
    command, path = command_line(), "glassnet"
    arguments = [argument for argument in arguments if argument != "--help"]
    while arguments and (commands := getattr(command, "commands", None)):
        name, *arguments = arguments
        assert name in commands, f"{path} has no command {name}"
        command, path = commands[name], f"{path} {name}"
    if not hasattr(command, "commands"):
        command.make_context(path, arguments)


@pytest.mark.parametrize("words", COMMANDS)
def test_the_command_line_takes_each_command_of_the_documents(words):
    while "=" in words[0]:  # a variable for the command's environment
        words = words[1:]
    match words:
        case ["glassnet", *arguments]:
            parse(arguments)
        case ["make", target]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        case ["pip", "install", package]:
            project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            wanted = re.fullmatch(r"(?:\.|glassnet)(?:\[([\w,]+)\])?", package)
            assert wanted
            assert set((wanted[1] or "").split(",")) - {""} <= set(project["optional-dependencies"])
        case ["mpirun", "-n", count, *rest]:
            assert int(count) > 1
            test_the_command_line_takes_each_command_of_the_documents(rest)
        case ["dask", "scheduler" | "worker", *arguments]:
            assert {word for word in arguments if word.startswith("--")} <= DASK
        case _:
            pytest.fail(f"not known here: {' '.join(words)}")


@pytest.mark.parametrize("page", sorted(TEXTS))
def test_a_command_within_a_sentence_exists_with_its_options(page):
    wrong = []
    for command in re.findall(r"`glassnet( [a-z-][^`]*)`", re.sub(r"```.*?```", "", TEXTS[page], flags=re.DOTALL)):
        try:
            parse(shlex.split(command))
        except TyperException as error:
            if type(error).__name__ != "MissingParameter":  # which a sentence may leave out
                wrong.append((command, str(error)))
    assert wrong == []


def test_the_commands_of_the_documents_are_found():
    assert len(COMMANDS) > 60


@pytest.mark.parametrize("arguments", ["train digits --lerning-rate 0.1", "evaluate --json", "fly", "data look x"])
def test_a_command_that_does_not_exist_is_noticed(arguments):
    with pytest.raises((AssertionError, TyperException)):
        parse(arguments.split())


def options_of(command):
    for inner in getattr(command, "commands", {}).values():
        yield from options_of(inner)
    with command.make_context("glassnet", [], resilient_parsing=True) as context:
        params = command.get_params(context)
    yield from (name for option in params for name in (*option.opts, *option.secondary_opts))


def test_the_page_and_the_types_of_options_are_made_from_them():
    files = runpy.run_path(str(ROOT / "docs" / "make_options.py"))["FILES"]
    assert {path.name for path in files} == {"options.md", "fit_options.py"}
    for path, text in files.items():
        assert path.read_text(encoding="utf-8") == text(), "run python docs/make_options.py"


@pytest.mark.parametrize("page", sorted(TEXTS))
def test_the_options_that_a_page_names_are_those_of_a_command(page):
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", TEXTS[page]))
    assert named - {"--help", *(DASK if page == "scaling.md" else ()), *options_of(command_line())} == set()


def test_the_options_that_a_sentence_of_the_package_names_are_those_of_a_command():
    package = ROOT / "src" / "glassnet"
    texts = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.toml")}
    for path in package.rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        texts[path] = "\n".join(
            node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
    named = {
        (path.name, flag)
        for path, text in texts.items()
        for flag in re.findall(r"(?<![\w(-])--[a-z][a-z0-9-]*[a-z0-9](?![\w-])", text)
    }
    known = {"--help", "--logdir", "--nthreads", *options_of(command_line())}  # of TensorBoard, and of Dask
    assert len(named) > 60
    assert {(name, flag) for name, flag in named if flag not in known} == set()


def test_every_option_of_a_command_is_in_a_guide():
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", "\n".join(TEXTS.values())))
    named |= {
        f"--{name.replace('_', '-')}" for name in re.findall(r"^\| `(\w+)`", TEXTS["options.md"], re.MULTILINE)
    }
    of_the_shell = {"--install-completion", "--show-completion"}
    flags = {flag for flag in options_of(command_line()) if flag.startswith("--")} - of_the_shell
    assert {flag for flag in flags if not {flag, flag.replace("--no-", "--")} & named} == set()


def anchors_of(text):
    """Return what GitHub and MyST call the headings of a page in links."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", sorted(TEXTS))
def test_links_lead_to_files_and_headings(page):
    wrong = []
    for link in re.findall(r"\]\(([^)]+)\)", TEXTS[page]):
        if link.startswith("http"):
            continue
        name, _, anchor = link.partition("#")
        target = PAGES[page].parent / name if name else PAGES[page]
        if not target.exists() or (anchor and anchor not in anchors_of(target.read_text(encoding="utf-8"))):
            wrong.append(link)
    assert wrong == []


def test_every_guide_is_in_the_contents_and_named_in_the_readme():
    guides = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}
    assert guides <= set(re.findall(r"^([\w-]+)$", TEXTS["index.md"], re.MULTILINE))
    assert guides <= set(re.findall(r"\(docs/([\w-]+)\.md\)", TEXTS["README.md"]))
    chinese = {path.stem for path in (ROOT / "docs" / "zh").glob("*.md")}
    assert chinese == {"derivation", "training", "health"}
    assert chinese == set(re.findall(r"^zh/(\w+)$", TEXTS["index.md"], re.MULTILINE))
    assert chinese <= set(re.findall(r"\(docs/zh/(\w+)\.md\)", TEXTS["README.zh-CN.md"]))


def test_the_readme_is_read_in_five_minutes():
    for page in ("README.md", "README.zh-CN.md"):
        assert len(TEXTS[page].splitlines()) <= 200
        assert blocks_of(page, "sh")[0].text.startswith("make demo")


def test_the_map_shows_every_room_and_the_way_of_the_arrows():
    text = TEXTS["architecture.md"]
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and not path.name.startswith("_")}
    assert set(re.findall(r"^\*\*`(\w+)`\*\*", text, re.MULTILINE)) == rooms
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == rooms
    arrows = next(line for line in text.splitlines() if line.startswith("cli ──>"))
    floors = [floor for floor in FLOORS if floor in rooms]
    assert arrows.split(" ──> ") == floors[::-1]


def test_the_map_of_the_data_shows_every_module_once_and_arrows_go_down():
    part = re.search(r"^## Inside the room data\n(.*?)^## ", TEXTS["architecture.md"], re.DOTALL | re.MULTILINE)[1]
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \|$", part, re.MULTILINE)[1:]
    modules = {path.stem: path for path in (SOURCE / "data").glob("[a-z]*.py")}
    places: dict = {}
    for number, row in enumerate(rows):
        for name in re.findall(r"`(\w+)`", row):
            places.setdefault(name, []).append(number)
    meaning = next(number for number, row in enumerate(rows) if row.startswith("`schema`"))
    halves = ("array_schema", "columns", "target_schema")
    assert all(places[name].pop(0) == meaning for name in halves)  # named there, and shown in rows of their own
    assert sorted(places) == sorted(modules)
    assert all(len(found) == 1 for found in places.values())
    used = {
        (name, module.split(".")[2])
        for name, path in modules.items()
        for module in imports_of(path)
        if module.startswith("glassnet.data.")
    }
    assert len(used) > 100
    assert {(name, other) for name, other in used if places[name][0] > places[other][0]} == set()


@pytest.fixture
def reference(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    return importlib.import_module("public_names")


def test_the_api_reference_shows_every_public_name_once(reference):
    shown = re.findall(r"```\{public-names\}\n(.*?)\n```", TEXTS["api.md"])
    assert sorted(shown) == sorted(reference.PURPOSES)
    assert all(f"\n## {purpose}\n" in TEXTS["api.md"] for purpose in shown)
    names = [name for purpose in shown for name in reference.names_for(purpose)]
    assert sorted(names) == sorted(glassnet.__all__)
    assert all(reference.names_for(purpose) for purpose in shown)


def sections_of(docstring):
    """Return the sections of a NumPy-style docstring by their headings."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}$", inspect.cleandoc(docstring), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def missing_from_docstring(thing):
    """Return what the docstring of a public class or function lacks; an error or warning needs a summary alone."""
    docstring = thing.__doc__ or ""
    lacks = [] if docstring.strip() else ["a summary"]
    if inspect.isclass(thing) and issubclass(thing, BaseException):
        return lacks
    sections, signature = sections_of(docstring), inspect.signature(thing)
    described = "".join(sections.get(name, "") for name in ("Parameters", "Attributes", "Other Parameters"))
    names = set(re.findall(r"\w+", " ".join(re.findall(r"^([^\s:].*?)(?: :.*)?$", described, re.MULTILINE))))
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    taken = [name for name, parameter in signature.parameters.items() if parameter.kind not in variadic]
    lacks += [f"the parameter {name}" for name in taken if name not in names]
    returns = not inspect.isclass(thing) and signature.return_annotation not in ("None", None)
    if returns and "Returns" not in sections:
        lacks.append("Returns")
    if ">>>" not in sections.get("Examples", ""):
        lacks.append("Examples")
    return lacks


@pytest.mark.parametrize("name", glassnet.__all__)
def test_help_for_a_public_name_is_complete(name):
    assert missing_from_docstring(getattr(glassnet, name)) == []


def test_an_incomplete_docstring_is_noticed():
    def incomplete(rows, columns):
        """Return nothing in particular.

        Parameters
        ----------
        rows : int
            How many.
        """

    assert missing_from_docstring(incomplete) == ["the parameter columns", "Returns", "Examples"]
