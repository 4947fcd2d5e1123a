"""What the documents say of the code is true."""

import contextlib
import io
import re
import runpy
from pathlib import Path

import pytest
from typer.main import get_command

import glassnet
from glassnet.cli.main import app

ROOT = Path(__file__).parent.parent
DERIVATION = (ROOT / "docs" / "derivation.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", DERIVATION, re.DOTALL)


EXAMPLES = [text for kind, text in BLOCKS if kind == "python" and "import glassnet" in text]
PRINTED = [text for kind, text in BLOCKS if kind == "text"]


@pytest.mark.parametrize(
    ("example", "said"), [*zip(EXAMPLES, PRINTED, strict=True)], ids=["batch-norm", "network"]
)
def test_the_examples_of_the_derivation_print_what_they_say(example, said):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(example, {})
    assert printed.getvalue() == said


def test_the_lines_that_the_derivation_quotes_stand_in_the_code():
    modules = [Path(glassnet.__file__).parent / "nn" / name for name in ("backpropagation.py", "batch_norm.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in modules)
    quoted = [text for kind, text in BLOCKS if kind == "python" and "import" not in text]
    lines = [line for text in quoted for line in text.splitlines()]
    assert len(lines) == 8
    assert [line for line in lines if f" {line}\n" not in code] == []


@pytest.mark.parametrize(("name", "examples"), [("training", 8), ("health", 1), ("studies", 0)])
def test_a_guide_is_a_program_that_prints_what_it_says(tmp_path, monkeypatch, name, examples):
    monkeypatch.chdir(tmp_path)  # it saves runs
    guide = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", guide, re.DOTALL)
    assert len(blocks) == guide.count("```python") == guide.count("```text") > examples
    page: dict = {}
    for example, said in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(example, page)
        assert printed.getvalue() == said


def test_the_options_that_the_guide_to_training_names_are_those_of_the_command():
    guide = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    with get_command(app).commands["train"].make_context("train", [], resilient_parsing=True) as context:
        options = context.command.get_params(context)
    known = {name for option in options for name in (*option.opts, *option.secondary_opts)}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", guide))
    assert len(named) > 20
    assert named - known == set()


def test_the_page_of_options_is_made_from_them():
    made = runpy.run_path(str(ROOT / "docs" / "make_options.py"))
    assert made["PAGE"].read_text(encoding="utf-8") == made["option_tables"](), "run python docs/make_options.py"


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_links_lead_to_files(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if not link.startswith("http")]
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_every_module_stands_in_the_architecture():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    source = Path(glassnet.__file__).parent
    modules = [
        path.name for path in source.glob("*/**/*.py") if path.name != "__init__.py" and path.parent.name != "cli"
    ]
    assert [name for name in modules if name not in text] == []
