"""Where results are written, and the tables they are written as."""

import json
from pathlib import Path

import machine

FOLDER = Path(__file__).with_name("results")


def write(name, heading, tables, values, notes=()):
    """Write NAME.json with all values and NAME.md with the tables for people; print the latter."""
    facts = machine.about()
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps({"about": facts, **values}, indent=1) + "\n")
    parts = [heading, *tables, *notes, machine.in_words(facts)]
    text = "\n\n".join(parts) + "\n"
    (FOLDER / f"{name}.md").write_text(text)
    print(text)


def table(head, rows):
    """Return a Markdown table; the first column is text, the others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def number(value, digits=3):
    """Return a number for a table, "-" where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"
