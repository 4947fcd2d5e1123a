"""A user's own arrays: NPZ files, NPY files, and pairs of IDX files as MNIST comes in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glassnet.data.array_pictures import as_pictures, remark_on_rows
from glassnet.data.label_text import read_label_text
from glassnet.data.npz_keys import choose_keys
from glassnet.data.numpy_files import list_npz, read_npz, read_rows
from glassnet.data.read_options import ReadOptions
from glassnet.data.sources import md5
from glassnet.data.target_values import list_values
from glassnet.data.untrusted_files import ContentError
from glassnet.errors import FileError, UsageError
from glassnet.nn.activations import Array

#: A file of pictures in MNIST's format: train-images-idx3-ubyte, t10k-images.idx3-ubyte.gz, my-images-idx4-ubyte.
_IDX = re.compile(r"(?P<start>.*)images(?P<middle>[-_.]?)idx\d(?P<end>.*)", re.IGNORECASE)

#: How the names of files of arrays end.
_ARRAYS = re.compile(r"(\.npz|\.npy(\.gz)?|[-_.]idx\d?([-_.]ubyte)?(\.gz)?)$", re.IGNORECASE)

#: What the names of such files say of the split, the end of their start.
_SPLITS = {"train": "train", "training": "train", "valid": "validation", "val": "validation"}
_SPLITS |= {"validation": "validation", "t10k": "test", "test": "test", "testing": "test"}

#: Suffixes of files with one label a line.
_LABEL_TEXT = (".txt", ".csv", ".tsv")


class ArraysRead(NamedTuple):
    """What files of arrays hold: (rows, labels) by split, and what else there is to know.

    `splits` has the key "" for the whole, or those of "train", "validation" and "test" that there are; labels are
    None where a file holds rows alone. `class_names` are None where the file does not name its classes;
    `checksums` are md5 by file name, and `label_files`, by split, the files that hold labels alone.
    """

    splits: dict[str, tuple[Array, Array | None]]
    class_names: tuple[str, ...] | None
    remarks: tuple[str, ...]
    checksums: dict[str, str]
    label_files: dict[str, Path] = {}  # noqa: RUF012 (nobody changes it)


def is_array_name(name: str) -> bool:
    """Whether a file's name is that of an NPZ, NPY or IDX file."""
    return _ARRAYS.search(name) is not None


def holds_idx_pairs(folder: Path) -> bool:
    """Whether a folder holds files of pictures in MNIST's format, each with one of their labels."""
    try:
        return folder.is_dir() and bool(_find_pairs(folder))
    except FileError:  # several data sets: reading them says so
        return True


def read_array_file(path: str | Path, options: ReadOptions = ReadOptions(), *, alone: bool = False) -> ArraysRead:  # noqa: B008
    """Read an NPZ file, an NPY or IDX file with the labels that `options.target` names, or a folder of IDX files.

    The labels of an IDX file are found beside it by name, if no target is named; beside training rows, the test
    rows too, unless they are to be read `alone`. Rows of an NPY file are mapped, not copied. Pictures come with
    their axes in one order (see `glassnet.data.array_pictures`).

    `FileError` is raised if a file cannot be read, or rows and labels are not as many; `UsageError` if an option
    does not fit the file.
    """
    path = Path(path)
    if path.is_dir():
        return _read_pairs(path, _find_pairs(path))
    if path.suffix.lower() == ".npz":
        if options.target is not None:
            raise UsageError("target", "goes with a table or an NPY file; of an NPZ file, y_key names the labels")
        return _read_npz(path, options)
    for option, key in (("x_key", options.x_key), ("y_key", options.y_key)):
        if key is not None:
            raise UsageError(option, "goes with an NPZ file")
    if options.target is not None:
        X, labels = read_rows(path), Path(options.target)
        _check_rows(X, path, "the file")
        y, said = _read_labels(labels, len(X) if X.ndim else 0)
        _check_pair(X, y, path.name, labels)
        return _gather({"": (X, y)}, None, said, [path, labels])._replace(label_files={"": labels})
    pairs = _find_pairs(path.parent, path) if _IDX.fullmatch(path.name) and path.is_file() else {}
    split = next((split for split, (images, _) in pairs.items() if images == path), None)
    if split is not None:
        return _read_pairs(path, pairs if split == "train" and not alone else {"": pairs[split]})
    X = read_rows(path)
    _check_rows(X, path, "the file")
    return _gather({"": (X, None)}, None, (), [path])


def require_labels(path: str | Path, read: ArraysRead) -> dict[str, tuple[Array, Array]]:
    """Return the splits where each has labels to learn from; say what to do where they have none."""
    splits = {split: (X, y) for split, (X, y) in read.splits.items() if y is not None}
    if len(splits) < len(read.splits):
        if Path(path).suffix.lower() == ".npz":
            raise FileError(path, "holds rows, but no labels for them: expected X and y; name others by --y-key")
        name = Path(path).name
        raise UsageError("target", f"name the NPY file with the labels or numbers of the rows of {name}")
    return splits


def _read_npz(path: Path, options: ReadOptions) -> ArraysRead:
    try:
        keys = choose_keys(list_npz(path), options.x_key, options.y_key)
    except ContentError as error:
        raise FileError(path, str(error)) from None
    labels = [labels for _, labels in keys.pairs.values() if labels is not None]
    names = [keys.class_names] if keys.class_names is not None else []
    wanted = dict.fromkeys([*(rows for rows, _ in keys.pairs.values()), *labels, *names])
    arrays = read_npz(path, list(wanted), text=(*labels, *names))
    splits = {
        split: (arrays[rows], None if key is None else arrays[key]) for split, (rows, key) in keys.pairs.items()
    }
    for split, (rows, key) in keys.pairs.items():
        _check_rows(splits[split][0], path, rows)
        if key is not None:
            _check_pair(*splits[split], rows, path, key)
    class_names, unused = None, list(keys.unused)
    if keys.class_names is not None:
        class_names = _take_class_names(arrays[keys.class_names], [arrays[key] for key in labels])
        unused += [keys.class_names] if class_names is None else []
    remarks = keys.remarks
    if unused:
        remarks += (f"left out, neither rows nor labels: {list_values(tuple(unused))}",)
    return _gather(splits, class_names, remarks, [path])


def _take_class_names(names: Array, labels: list[Array]) -> tuple[str, ...] | None:
    """Return text as names of classes, where it has one for each; None otherwise."""
    if names.ndim != 1 or names.dtype.kind not in "US" or not labels:
        return None
    words = tuple(word.decode("utf-8", "replace") if isinstance(word, bytes) else word for word in names.tolist())
    if len(set(words)) < len(words):
        return None
    if labels[0].ndim == 2 and labels[0].shape[1] > 1:
        return words if all(y.shape[1:] == (len(words),) for y in labels) else None
    distinct = set().union(*(np.unique(y).tolist() for y in labels))
    if any(isinstance(one, str | bytes) for one in distinct):
        return words if distinct <= {*words} else None
    places = all(one in range(len(words)) for one in distinct)
    return words if places or len(distinct) == len(words) else None


def _read_labels(path: Path, rows: int) -> tuple[Array, tuple[str, ...]]:
    """Read labels from an NPY or IDX file, or one a line, with remarks; they are copied, for they are small."""
    if path.suffix.lower() in _LABEL_TEXT:
        return read_label_text(path, rows)
    return np.array(read_rows(path, text=True)), ()


def _find_pairs(folder: Path, path: Path | None = None) -> dict[str, tuple[Path, Path]]:
    """Return the files of pictures and of their labels by split, "" for the whole: those of one data set.

    It is the one that `path` belongs to, or else the only one in the folder. Of a file that is there gzipped and
    not, `path` or else the plain one is taken.
    """
    try:
        files = {file.name.lower(): file for file in sorted(folder.iterdir(), reverse=True)}
    except OSError as error:
        raise FileError(folder, f"cannot be read: {error.strerror}") from None
    found: dict[str, dict[str, tuple[Path, Path]]] = {}
    own = ""
    for name, file in files.items():
        match = _IDX.fullmatch(name)
        labels = None if match is None else _find_label_file(match, files)
        if match is None or labels is None:
            continue
        words = re.split(r"[-_. ]+", match["start"].rstrip("-_. "))
        split = _SPLITS.get(words[-1], "")
        start = " ".join(words[:-1] if split else words)
        pairs = found.setdefault(start, {})
        if split not in pairs or pairs[split][0] != path:
            pairs[split] = (file, labels)
        own = start if file == path else own
    if path is None and len(found) > 1:
        names = ", ".join(repr(start) for start in sorted(found)[:5])
        raise FileError(
            folder, f"holds pictures of several data sets, {names}; give each a folder, or name a file"
        )
    pairs = found.get(own if path is not None else next(iter(found), ""), {})
    return {split: pairs[split] for split in ("", "train", "validation", "test") if split in pairs}


def _find_label_file(match: re.Match[str], files: dict[str, Path]) -> Path | None:
    """Return the file of the labels that go with a file of pictures, gzipped or not."""
    label = f"{match['start']}labels{match['middle']}idx1{match['end'].removesuffix('.gz')}"
    return files.get(label) or files.get(f"{label}.gz")


def _read_pairs(path: Path, pairs: dict[str, tuple[Path, Path]]) -> ArraysRead:
    """Read files of pictures and of their labels."""
    if not pairs:
        raise FileError(path, "holds no pictures in MNIST's format, such as train-images-idx3-ubyte, with labels")
    if "" in pairs and "train" not in pairs and len(pairs) > 1:
        pairs = {"train": pairs[""], **{split: pair for split, pair in pairs.items() if split}}
    splits: dict[str, tuple[Array, Array | None]] = {}
    for split, (images, labels) in pairs.items():
        X = read_rows(images)
        _check_rows(X, images, "the file")
        y = np.array(read_rows(labels))
        _check_pair(X, y, images.name, labels)
        splits[split] = (X, y)
    remarks = [
        f"{images.name}, with {labels.name}, is taken as the {split} set"
        for split, (images, labels) in pairs.items()
        if split and not path.is_dir() and images.name != path.name
    ]
    if not path.is_dir():
        images, labels = next(iter(pairs.values()))
        remarks.insert(0, f"the labels of {images.name} are taken from {labels.name} beside it")
    read = _gather(splits, None, tuple(remarks), [file for pair in pairs.values() for file in pair])
    return read._replace(label_files={split: labels for split, (_, labels) in pairs.items()})


def _check_rows(X: Array, path: Path, name: str) -> None:
    if X.ndim < 2:
        raise FileError(
            path, f"{name} has the shape {X.shape}; expected rows of numbers (one number a row is X[:, None])"
        )
    if 0 in X.shape[1:]:
        raise FileError(path, f"{name} has the shape {X.shape}: its rows hold no numbers")


def _check_pair(X: Array, y: Array | None, name: str, path: Path, key: str | None = None) -> None:
    """Refuse rows and labels that are not as many, and no rows; `path` is the file with the labels."""
    assert y is not None
    if X.ndim > 1 and len(X) == 0:
        raise FileError(path, f"{name} holds no rows; there is nothing to learn")
    count, what = (len(y) if y.ndim else 1), "holds" if key is None else f"{key} holds"
    if X.ndim < 2 or y.ndim == 0 or len(X) != count:
        raise FileError(path, f"{what} {count} labels for the rows of {name}, {X.shape}; they must be as many")


def _gather(
    splits: dict[str, tuple[Array, Array | None]],
    class_names: tuple[str, ...] | None,
    remarks: tuple[str, ...],
    files: list[Path],
) -> ArraysRead:
    """Bring the axes of pictures into one order, and say once what there is to say."""
    said = dict.fromkeys(remarks)
    first = next(iter(splits.values()))[0]  # what is odd is said of the first rows, not of each split
    said.update(dict.fromkeys(remark_on_rows(first)))
    ordered = {split: (as_pictures(X), y) for split, (X, y) in splits.items()}
    return ArraysRead(ordered, class_names, tuple(said), {file.name: md5(file) for file in files})
