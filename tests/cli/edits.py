"""Edits of the files that a run or a study leaves: by type, by bound, by depth, by length, and by kind of file."""

import copy
import csv
import io
import json
import os
import random
import tomllib

import numpy as np
import tomli_w

from glassnet.training.archive import read_archive, write_archive

#: What stands in the place of every value in turn; the last is one that a later reader may not survive.
VALUES = [None, True, -1, 0, 1e308, float("nan"), "", "x", [], {}, [[[0]]], {"a": {"b": 1}}, 10**30, "9" * 5000]
DEEP = 10_000


def values_of(tree, place=()):
    """Yield the place of every value in a tree of dicts and lists; of a list the first and the last."""
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, part in list(parts):
        if isinstance(tree, dict) or key in (0, len(tree) - 1):
            yield (*place, key)
            yield from values_of(part, (*place, key))


def replaced(tree, place, value):
    """Return a tree with another value at a place."""
    tree = copy.deepcopy(tree)
    inner = tree
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return tree


def variants_of(tree):
    """Yield what a tree may be changed into, with a name for each: every value in turn, and what is missing."""
    for value in VALUES:
        yield f"all of it is {value!r:.20}", value
    for place in values_of(tree):
        name = ".".join(map(str, place))
        for value in VALUES:
            yield f"{name} is {value!r:.20}", replaced(tree, place, value)
        inner = copy.deepcopy(tree)
        part = inner
        for key in place[:-1]:
            part = part[key]
        found = part[place[-1]]
        if isinstance(found, np.ndarray):
            for other in arrays_like(found):
                yield f"{name} is {other.dtype}{other.shape}", replaced(tree, place, other)
        if isinstance(found, list) and found:
            yield f"{name} is doubled", replaced(tree, place, found * 2)
            yield f"{name} is cut", replaced(tree, place, found[:-1])
        del part[place[-1]]
        yield f"{name} is missing", inner


def arrays_like(array):
    """Yield arrays of other shapes, dtypes and values."""
    yield array[:-1]
    yield np.concatenate([array, array])
    yield array[:0]
    yield array[None]
    yield array.astype("float64" if array.dtype == np.float32 else "float32")
    yield array.astype("int64")
    yield np.full_like(array, np.nan)
    yield np.zeros((), array.dtype)


def edits_of(path):
    """Yield the edits of a file: a name, and a function that makes the edit in a copy of the folder's file."""
    name = path.name
    content = path.read_bytes()
    if name.endswith(".safetensors"):
        kind = "checkpoint" if name.startswith("checkpoint") else "model file"
        for what, tree in variants_of(read_archive(path, kind, "")):
            if isinstance(tree, dict):
                yield what, lambda file, tree=tree, kind=kind: write_archive(file, kind, tree)
    elif name.endswith(".json"):
        for what, tree in variants_of(json.loads(content)):
            yield what, lambda file, tree=tree: file.write_text(json.dumps(tree))
        for what, text in deep_json(json.loads(content)):
            yield what, lambda file, text=text: file.write_text(text)
    elif name.endswith(".toml"):
        for what, tree in variants_of(tomllib.loads(content.decode())):
            if isinstance(tree, dict) and (text := as_toml(tree)) is not None:
                yield what, lambda file, text=text: file.write_text(text)
        deep = f"\nx = {'[' * DEEP}{']' * DEEP}\n", f"\n{'.'.join('a' * DEEP)} = 1\n", "\n[a]" * 2
        for text in deep:
            yield f"with {text[:12]!r}", lambda file, text=text: file.write_bytes(content + text.encode())
            yield f"begun by {text[:12]!r}", lambda file, text=text: file.write_bytes(text.encode() + content)
    elif name.endswith(".csv"):
        for what, text in csv_variants(content.decode()):
            yield what, lambda file, text=text: file.write_text(text)
    yield from length_edits(content)
    yield from kind_edits()


def as_toml(tree):
    try:
        return tomli_w.dumps(tree)
    except TypeError:  # TOML has no null
        return None


def deep_json(tree):
    """Yield a tree with lists in lists at each of its places, thousands deep."""
    for opening, closing in ("[", "]"), ('{"a":', "}"):
        nest = opening * DEEP + "1" + closing * DEEP
        yield f"all of it is {opening}...", nest
        for place in list(values_of(tree))[:40]:
            text = json.dumps(replaced(tree, place, "@@"))
            yield f"{'.'.join(map(str, place))} is {opening}...", text.replace('"@@"', nest)
            yield (
                f"{'.'.join(map(str, place))} is of levels",
                text.replace('"@@"', opening * 60 + "1" + closing * 60),
            )


def csv_variants(text):
    """Yield a table with every cell replaced in turn, and with cells, columns and lines more or less."""
    rows = list(csv.reader(io.StringIO(text)))

    def joined(rows):
        file = io.StringIO()
        csv.writer(file, lineterminator="\n").writerows(rows)
        return file.getvalue()

    for line, row in enumerate(rows):
        for column in range(len(row)):
            for cell in ("", "x", "-1", "0", "1e308", "nan", "inf", "1.5", "9" * 5000, '"', "\n", "\x00", "٣"):
                yield f"{line},{column} is {cell!r:.12}", joined(replaced(rows, (line, column), cell))
        yield f"{line} is longer", joined([*rows[:line], [*row, "1"], *rows[line + 1 :]])
        yield f"{line} is shorter", joined([*rows[:line], row[:-1], *rows[line + 1 :]])
        yield f"{line} is missing", joined([*rows[:line], *rows[line + 1 :]])
        yield f"{line} is twice there", joined([*rows[:line], row, *rows[line:]])


def length_edits(content):
    """Yield edits of a file's length and bytes."""
    rng = random.Random(len(content))
    half, third = len(content) // 2, len(content) // 3
    for what, changed in (
        ("empty", b""),
        ("one byte", content[:1]),
        ("cut", content[:half]),
        ("without its end", content[:-1]),
        ("doubled", content * 2),
        ("ten times", content * 10),
        ("without its middle", content[:third] + content[-third:]),
        ("zeros", bytes(len(content))),
        ("noise", rng.randbytes(len(content))),
        ("UTF-16", content[:half].decode("latin-1").encode("utf-16")),
        ("with a BOM", b"\xef\xbb\xbf" + content),
    ):
        yield f"it is {what}", lambda file, changed=changed: file.write_bytes(changed)


def kind_edits():
    """Yield edits after which the name is of something else than a file."""

    def after_removal(make):
        def edit(file):
            file.unlink()
            make(file)

        return edit

    yield "it is a pipe", after_removal(os.mkfifo)
    yield "it is a folder", after_removal(lambda file: file.mkdir())
    yield "it is endless", after_removal(lambda file: file.symlink_to("/dev/zero"))
    yield "it is a terminal", after_removal(lambda file: file.symlink_to("/dev/tty"))
    yield "it is a link to nothing", after_removal(lambda file: file.symlink_to("nothing"))
    yield "it is a link to itself", after_removal(lambda file: file.symlink_to(file.name))
    yield "it is missing", lambda file: file.unlink()
