"""What the documents say of the code is true."""

import contextlib
import io
import re
from pathlib import Path

import pytest

import glassnet

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


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md", "docs/derivation.md"])
def test_links_lead_to_files(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if not link.startswith("http")]
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_every_module_stands_in_the_architecture():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    source = Path(glassnet.__file__).parent
    modules = [
        path.name for path in source.glob("*/*.py") if path.name != "__init__.py" and path.parent.name != "cli"
    ]
    assert [name for name in modules if name not in text] == []
