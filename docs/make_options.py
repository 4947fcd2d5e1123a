"""Make docs/options.md, the tables of all options, from their definitions.

python docs/make_options.py        (writes the page; tests/test_docs.py holds it true)
"""

from pathlib import Path

from glassnet.training.options import SECTIONS, fields_of, option_of, type_text

PAGE = Path(__file__).with_name("options.md")

INTRODUCTION = """# Options

In a configuration file an option stands in the section `[data]`, `[network]` or `[training]`. On the command line
`batch_size` is written `--batch-size`. In Python the options of the data are arguments of `glassnet.load_dataset`,
those of the network arguments of `glassnet.Network`, and those of training arguments of `glassnet.fit`.

This page is made by `docs/make_options.py` from the definitions in `glassnet/training/options.py`.
"""


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


if __name__ == "__main__":
    PAGE.write_text(option_tables(), encoding="utf-8")
