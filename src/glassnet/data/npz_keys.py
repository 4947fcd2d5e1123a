"""Which arrays of an NPZ file are rows, labels and names of classes, told by the usual names of such arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from glassnet.data.untrusted_files import ContentError, shorten
from glassnet.errors import UsageError

#: Words for rows, each with the words for labels that go with it.
PAIRS = {
    "x": ("y",),
    "data": ("target", "targets", "label", "labels"),
    "images": ("labels", "label"),
    "image": ("label", "labels"),
    "features": ("targets", "target", "labels", "label"),
    "inputs": ("outputs", "targets", "labels"),
    "input": ("output", "target", "label"),
}
LABELS = tuple(dict.fromkeys(word for words in PAIRS.values() for word in words))

#: Words for the splits; the empty one stands for the whole.
SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
CLASS_NAMES = ("class_names", "classnames", "classes", "target_names", "label_names", "labels_names")

#: What `numpy.savez` calls arrays that are given to it without a name.
POSITIONAL = ("arr_0", "arr_1")

_SPLIT = "|".join(word for words in SPLITS.values() for word in sorted(words, key=len, reverse=True))
_KEY = re.compile(
    rf"(?:(?P<before>{_SPLIT})[_. -]?)?(?P<word>{'|'.join((*PAIRS, *LABELS))})(?:[_. -]?(?P<after>{_SPLIT}))?"
)


class Keys(NamedTuple):
    """Names of arrays: rows and labels (None without) by split, "" for the whole; names of classes; all others."""

    pairs: dict[str, tuple[str, str | None]]
    class_names: str | None
    unused: tuple[str, ...]
    remarks: tuple[str, ...]


def choose_keys(keys: tuple[str, ...], x_key: str | None = None, y_key: str | None = None) -> Keys:
    """Choose the arrays that a data set is made of.

    `x_key` and `y_key` name rows and labels of the whole. `ContentError` is raised if rows are missing or may be
    one array or another, `UsageError` if a named array is not there.
    """
    remarks: list[str] = []
    for option, key in (("x_key", x_key), ("y_key", y_key)):
        if key is not None and key not in keys:
            raise UsageError(option, f"no array {key!r}; the file holds {_list(keys)}")
    found = _sort_keys(keys)
    if x_key or y_key:
        rows, labels = found.get("", ({}, {}))
        only_rows = [key for key in rows if key != y_key]
        x_key = x_key or (only_rows[0] if len(only_rows) == 1 else None)
        if x_key is None:
            raise ContentError(f"holds {_list(keys)}; say which array holds the rows by --x-key")
        only_labels = [key for key in labels if key != x_key]
        pairs = {"": (x_key, y_key or (only_labels[0] if len(only_labels) == 1 else None))}
    elif not any(rows for rows, _ in found.values()) and POSITIONAL[0] in keys:
        pairs = {"": _take_positional(keys, remarks)}
    else:
        pairs = _choose_pairs(found, keys, remarks)
    names = [key for key in keys if key.lower().replace("-", "_") in CLASS_NAMES]
    taken = {key for pair in pairs.values() for key in pair}
    class_names = names[0] if len(names) == 1 and names[0] not in taken else None
    unused = tuple(key for key in keys if key not in taken and key != class_names)
    return Keys(pairs, class_names, unused, tuple(remarks))


def _sort_keys(keys: Iterable[str]) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """Return for each split the rows and the labels, with the words that their names are."""
    splits = {word: split for split, words in SPLITS.items() for word in words}
    found: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
    for key in keys:
        match = _KEY.fullmatch(key.lower())
        if match is None or (match["before"] and match["after"]):
            continue
        split = splits.get(match["before"] or match["after"] or "", "")
        rows, labels = found.setdefault(split, ({}, {}))
        (rows if match["word"] in PAIRS else labels)[key] = match["word"]
    return found


def _choose_pairs(
    found: dict[str, tuple[dict[str, str], dict[str, str]]], keys: tuple[str, ...], remarks: list[str]
) -> dict[str, tuple[str, str | None]]:
    """Return the rows and labels of each split."""
    pairs = {split: _choose_pair(*words) for split, words in found.items() if words[0]}
    if not pairs:
        raise ContentError(
            f"holds {_list(keys)}; expected X and y, or X_train, y_train, X_test and y_test; "
            "name others by --x-key and --y-key"
        )
    if "" in pairs and "train" in pairs:
        del pairs[""]  # the whole beside its own parts
    elif "" in pairs and len(pairs) > 1:
        rows, labels = pairs[""]
        pairs = {"train": pairs.pop(""), **pairs}
        remarks.append(
            f"{rows} and {labels} are the training rows, as there is a test or validation set beside them"
        )
    for split, (rows, labels) in pairs.items():
        if labels is None and split:
            raise ContentError(f"holds {rows}, but no labels for it: expected {_name_labels(rows)}")
    return {split: pairs[split] for split in ("", *SPLITS) if split in pairs}


def _choose_pair(rows: dict[str, str], labels: dict[str, str]) -> tuple[str, str | None]:
    """Return the one name of rows, and the one of labels that goes with it."""
    if len(rows) == 1 and len(labels) <= 1:
        return next(iter(rows)), next(iter(labels), None)
    fitting = [(row, label) for row, word in rows.items() for label in labels if labels[label] in PAIRS[word]]
    if len(fitting) != 1:
        raise ContentError(
            f"holds {_list((*rows, *labels))}; say which array holds the rows and which the labels, "
            "by --x-key and --y-key"
        )
    return fitting[0]


def _take_positional(keys: tuple[str, ...], remarks: list[str]) -> tuple[str, str | None]:
    """Take arrays without names: rows first, then labels."""
    if "arr_2" in keys:
        raise ContentError(
            f"holds {_list(keys)}, arrays without names; say which are rows and labels by --x-key and --y-key"
        )
    if POSITIONAL[1] not in keys:
        return POSITIONAL[0], None
    remarks.append("arrays without names: arr_0 is taken as the rows, arr_1 as the labels")
    return POSITIONAL


def _name_labels(rows: str) -> str:
    """Return what the labels of rows would be called: those of X_test y_test."""
    match = _KEY.fullmatch(rows.lower())
    assert match is not None
    first, end = match.span("word")
    return f"{rows[:first]}{PAIRS[match['word']][0]}{rows[end:]}"


def _list(keys: Iterable[str]) -> str:
    return shorten(ascii(", ".join(keys))[1:-1])
