"""Make docs/options.md, the tables of all options, and the types of `fit`'s options, from their definitions.

python docs/make_options.py        (writes both files; tests/test_docs.py holds them true)
"""

import re
from pathlib import Path

import glassnet
from glassnet.training.options import SECTIONS, fields_of, option_of, type_text

PAGE = Path(__file__).with_name("options.md")
MODULE = Path(__file__).parents[1] / "src" / "glassnet" / "training" / "fit_options.py"

INTRODUCTION = """# Options

In a configuration file an option stands in the section `[data]`, `[network]` or `[training]`. On the command line
`batch_size` is written `--batch-size`. In Python the options of the data are arguments of `glassnet.load_dataset`,
those of the network arguments of `glassnet.Network`, and those of training arguments of `glassnet.fit`.

This page is made by `docs/make_options.py` from the definitions in `glassnet/training/options.py`.
"""

HEADER = '''"""The types of `fit`'s options, for type checkers and editors.

Do not edit: `docs/make_options.py` makes this module from the definitions in `glassnet/training/options.py`.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict
'''

CLASS = '''

class FitOptions(TypedDict, total=False):
    """The options of training that `glassnet.fit` takes by name; its help says what each one does."""
'''


def option_tables() -> str:
    """Return the page: a table of options for each section."""
    lines = [INTRODUCTION]
    for section in SECTIONS:
        lines += [f"## {section.capitalize()}", ""]
        lines += ["| Option | Type | Default | What it is |", "|---|---|---|---|"]
        for name, field in fields_of(section).items():
            about = option_of(field)
            default = "must be given" if field.is_required() else about.unset or str(field.default)
            cells = [f"`{name}`", f"`{type_text(field)}`", default, f"{about.says} {about.more}".strip()]
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
        lines.append("")
    return "\n".join(lines)


def fit_options() -> str:
    """Return the module: a `TypedDict` with an entry for each option of `fit`, which type checkers read."""
    types = {name: type_text(field).replace("'", '"') for name, field in fields_of("training").items()}
    classes = {name for name in glassnet.__all__ if re.search(rf"\b{name}\b", " ".join(types.values()))}
    return "\n".join(
        [
            HEADER,
            *sorted(f"from {getattr(glassnet, name).__module__} import {name}" for name in classes),
            CLASS,
            *(f"    {name}: {kind}" for name, kind in types.items()),
            "",
        ]
    )


#: What is made, and by which function.
FILES = {PAGE: option_tables, MODULE: fit_options}

if __name__ == "__main__":
    for path, text in FILES.items():
        path.write_text(text(), encoding="utf-8")
