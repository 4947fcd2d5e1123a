"""Bad files of every kind that is read: what each is called, what it holds, and what has to be said of it."""

import gzip
import io
import struct
import zipfile
import zlib

import numpy as np
import polars as pl
import xlsxwriter
from PIL import Image

#: In place of a file's content.
FOLDER, PIPE, LOCKED = object(), object(), object()

HTML = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>Expired.</body></html>\n"
JSON = b'{"message": "Not Found"}'

X = np.round(np.random.default_rng(0).normal(size=(40, 4)), 3)
Y = np.arange(40) % 3
PICTURES = np.random.default_rng(1).integers(0, 256, (40, 4, 4))
LABELS = np.arange(40) % 10


def idx(array, code=8, dtype=">u1"):
    """Return an IDX file."""
    array = np.asarray(array)
    return (
        bytes([0, 0, code, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.astype(dtype).tobytes()
    )


def npy(array):
    """Return an NPY file; objects are pickled."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def npz(**arrays):
    """Return an NPZ file."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def zipped(**members):
    """Return a zip of members with the bytes that they hold."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return file.getvalue()


def changed(array, value, place=7):
    """Return a copy as floats, or as whole numbers where the value is one, with another value in a place."""
    copy = np.array(array, type(value)) if isinstance(value, int | float) else np.array(array, object)
    copy[place] = value
    return copy


def flipped(content, place):
    """Return bytes with one of them damaged."""
    copy = bytearray(content)
    copy[place] ^= 0xFF
    return bytes(copy)


def lines(header="a,b,kind", **others):
    """Return a table of text with 40 rows, of which `row7` and the like are others."""
    rows = [f"{i}.5,{i * 7 % 5}.25,{'xyz'[i % 3]}" for i in range(40)]
    for name, line in others.items():
        rows[int(name.removeprefix("row"))] = line
    return ("\n".join([header, *rows]) + "\n").encode()


def numbers(**others):
    """Return a table of text whose target is a number from 0 to 2."""
    return lines(**{f"row{i}": f"{i}.5,1,{i % 3}" for i in range(40)} | others)


FRAME = pl.read_csv(lines())


def parquet(frame=FRAME, **column):
    """Return a Parquet file; `kind` and the like replace the eighth value of that column."""
    for name, value in column.items():
        frame = frame.with_columns(pl.when(pl.col("a") == 7.5).then(pl.lit(value)).otherwise(name).alias(name))
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def workbook(**others):
    """Return a workbook of a sheet with that table; `row1` is the header, None an empty cell."""
    rows = [list(FRAME.columns), *map(list, FRAME.rows())]
    for name, row in others.items():
        rows[int(name.removeprefix("row")) - 1] = row
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for place, row in enumerate(rows):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(place, column, value)
    return file.getvalue()


def png(pixels):
    """Return a picture."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(file, "PNG")
    return file.getvalue()


def huge_png():
    """Return a picture of a few bytes that declares 3,600 million pixels."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(999)))
        + chunk(b"IEND", b"")
    )


X_IDX, Y_IDX = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
GOOD_IDX, GOOD_NPY, GOOD_NPZ, GOOD_PNG = idx(PICTURES), npy(X), npz(X=X, y=Y), png(PICTURES[0])
PROMISE = b"\0\0\x08\3" + struct.pack(">3I", 60_000, 28, 28) + b"1" * 99
FLOATS = {"code": 0x0D, "dtype": ">f4"}
NOT_FINITE = "row 8 (X[7]), column 3 holds {}, which is no finite number"
NO_VALUE = "row 8 (y[7]) has no value (1 missing in all)"
PAGE = "is an HTML page by its first bytes, and no data: the download failed"

#: Pictures, labels, whether both are gzipped, and what is said.
IDX_FILES = {
    "empty": (b"", idx(LABELS), f"{X_IDX}: is empty"),
    "page": (HTML, idx(LABELS), f"{X_IDX}: {PAGE}"),
    "message": (JSON, idx(LABELS), f"{X_IDX}: is JSON by its first bytes"),
    "magic": (
        b"\0\1" + GOOD_IDX[2:],
        idx(LABELS),
        f"{X_IDX}: is no IDX file: it begins with 00 01 08 03, expected the magic",
    ),
    "type": (b"\0\0\7" + GOOD_IDX[3:], idx(LABELS), "begins with 00 00 07 03, expected the magic number"),
    "axes": (b"\0\0\x08\0" + GOOD_IDX[4:], idx(LABELS), "begins with 00 00 08 00, expected the magic number"),
    "cut header": (GOOD_IDX[:9], idx(LABELS), f"{X_IDX}: is cut short: it ends within its header of 16 bytes"),
    "promise": (
        PROMISE,
        idx(LABELS),
        f"{X_IDX}: its header promises 60000 x 28 x 28 values of type uint8, which is larger",
    ),
    "cut": (GOOD_IDX[:-1], idx(LABELS), f"{X_IDX}: is cut short: it holds 639 of the 640 bytes"),
    "trailing": (GOOD_IDX + b"xx", idx(LABELS), f"{X_IDX}: holds more than the 640 bytes"),
    "one axis": (idx(LABELS), idx(LABELS), f"{X_IDX}: the file has the shape (40,); expected rows of numbers"),
    "no rows": (idx(PICTURES[:0]), idx(LABELS[:0]), f"{X_IDX} holds no rows"),
    "no pixels": (
        idx(PICTURES[:, :0]),
        idx(LABELS),
        f"{X_IDX}: the file has the shape (40, 0, 4): its rows hold no numbers",
    ),
    "NaN": (
        idx(changed(PICTURES, np.nan, (7, 0, 2)), **FLOATS),
        idx(LABELS),
        f"{X_IDX}: X: {NOT_FINITE.format('nan')}",
    ),
    "infinity": (idx(changed(PICTURES, np.inf, (7, 0, 2)), **FLOATS), idx(LABELS), NOT_FINITE.format("inf")),
    "fewer labels": (GOOD_IDX, idx(LABELS[:39]), f"{Y_IDX}: holds 39 labels for the rows of {X_IDX}, (40, 4, 4)"),
    "empty labels": (GOOD_IDX, b"", f"{Y_IDX}: is empty"),
    "page of labels": (GOOD_IDX, HTML, f"{Y_IDX}: {PAGE}"),
    "labels of three axes": (GOOD_IDX, GOOD_IDX, f"{Y_IDX}: target: expected one value"),
    "negative label": (
        GOOD_IDX,
        idx(changed(LABELS, -1), 9, ">i1"),
        f"{Y_IDX}: target: row 8 (y[7]) is -1, a negative label",
    ),
    "fractional label": (
        GOOD_IDX,
        idx(changed(LABELS, 0.5), **FLOATS),
        f"{Y_IDX}: target: row 8 (y[7]) is 0.5 among 39 whole",
    ),
    "NaN label": (GOOD_IDX, idx(changed(LABELS, np.nan), **FLOATS), f"{Y_IDX}: target: {NO_VALUE}"),
    "infinite label": (GOOD_IDX, idx(changed(LABELS, np.inf), **FLOATS), "row 8 (y[7]) is infinite"),
    "one class": (GOOD_IDX, idx(0 * LABELS), f"{Y_IDX}: target: one class only, 0"),
    "pipe": (PIPE, idx(LABELS), f"{X_IDX}: is not a regular file"),
    "folder": (FOLDER, idx(LABELS), f"{X_IDX}: is a folder, and its name is that of a file"),
    "unreadable": (LOCKED, idx(LABELS), f"{X_IDX}: cannot be read: Permission denied"),
}

PACKED = gzip.compress(GOOD_IDX)

#: Content of a gzipped file of pictures, and what is said.
GZIP_FILES = {
    "empty": (b"", f"{X_IDX}.gz: is empty"),
    "of nothing": (gzip.compress(b""), f"{X_IDX}.gz: is empty"),
    "page": (HTML, f"{X_IDX}.gz: {PAGE}"),
    "of a page": (gzip.compress(HTML), f"{X_IDX}.gz: {PAGE}"),
    "cut": (PACKED[:-20], f"{X_IDX}.gz: ends in the middle of the gzip data: copy or download it again"),
    "checksum": (flipped(PACKED, -6), f"{X_IDX}.gz: is damaged (CRC check failed"),
    "damaged": (flipped(PACKED, 30), f"{X_IDX}.gz: is damaged"),
    "twice": (gzip.compress(PACKED), "is no IDX file: it begins with 1f 8b 08 00"),
    "promise": (
        gzip.compress(PROMISE),
        "its header promises 60000 x 28 x 28 values of type uint8, which is larger",
    ),
    "cut inside": (gzip.compress(GOOD_IDX[:-1]), "is cut short: it holds 639 of the 640 bytes"),
    "trailing inside": (gzip.compress(GOOD_IDX + b"x"), "holds more than the 640 bytes"),
    "trailing": (PACKED + b"junkjunk", f"{X_IDX}.gz: is damaged (Not a gzipped file"),
}

LIE = GOOD_NPY.replace(b"(40, 4), }     ", b"(400000, 4), } ")
OBJECTS = np.array([[1, "a"]] * 40, object)

#: Rows, labels, the name of the labels' file, and what is said.
NPY_FILES = {
    "empty": (b"", npy(Y), "y.npy", "X.npy: is empty"),
    "page": (HTML, npy(Y), "y.npy", f"X.npy: {PAGE}"),
    "magic": (b"\x93NUMPX" + GOOD_NPY[6:], npy(Y), "y.npy", "X.npy: is no NPY file: it begins with 93 4e 55"),
    "version": (GOOD_NPY[:6] + b"\x09\0" + GOOD_NPY[8:], npy(Y), "y.npy", "X.npy: is an NPY file of version 9.0"),
    "cut": (GOOD_NPY[:-5], npy(Y), "y.npy", "X.npy: is cut short: its header promises 40 x 4 values"),
    "cut header": (GOOD_NPY[:20], npy(Y), "y.npy", "X.npy: is cut short: it ends within its header of 118 bytes"),
    "trailing": (
        GOOD_NPY + b"zz",
        npy(Y),
        "y.npy",
        "X.npy: holds more than it should: its header promises 40 x 4",
    ),
    "promise": (
        LIE,
        npy(Y),
        "y.npy",
        "X.npy: is cut short: its header promises 400000 x 4 values of type float64",
    ),
    "pickle": (npy(OBJECTS), npy(Y), "y.npy", "X.npy: holds pickled Python objects, which are never read"),
    "fields": (npy(np.zeros(40, [("a", "f8")])), npy(Y), "y.npy", "X.npy: holds values of type [('a', '<f8')]"),
    "complex": (npy(X.astype(complex)), npy(Y), "y.npy", "X.npy: holds values of type complex128, expected whole"),
    "text": (npy(X.astype(str)), npy(Y), "y.npy", "X.npy: holds values of type <U"),
    "no axis": (npy(np.float64(3)), npy(Y), "y.npy", "X.npy: the file has the shape (); expected rows of numbers"),
    "one axis": (npy(X[:, 0]), npy(Y), "y.npy", "X.npy: the file has the shape (40,); expected rows of numbers"),
    "no rows": (npy(X[:0]), npy(Y[:0]), "y.npy", "X.npy holds no rows"),
    "NaN": (npy(changed(X, np.nan, (7, 2))), npy(Y), "y.npy", f"X.npy: X: {NOT_FINITE.format('nan')}"),
    "infinity": (npy(changed(X, -np.inf, (7, 2))), npy(Y), "y.npy", f"X.npy: X: {NOT_FINITE.format('-inf')}"),
    "pipe": (PIPE, npy(Y), "y.npy", "X.npy: is not a regular file"),
    "folder": (FOLDER, npy(Y), "y.npy", "X.npy: is a folder, and its name is that of a file"),
    "fewer labels": (GOOD_NPY, npy(Y[:39]), "y.npy", "y.npy: holds 39 labels for the rows of X.npy, (40, 4)"),
    "page of labels": (GOOD_NPY, HTML, "y.npy", f"y.npy: {PAGE}"),
    "pickled labels": (GOOD_NPY, npy(np.array([{}] * 40)), "y.npy", "y.npy: holds pickled Python objects"),
    "labels of three axes": (GOOD_NPY, npy(np.zeros((40, 2, 2))), "y.npy", "y.npy: target: expected one value"),
    "negative label": (
        GOOD_NPY,
        npy(changed(Y, -1)),
        "y.npy",
        "y.npy: target: row 8 (y[7]) is -1, a negative label",
    ),
    "fractional label": (
        GOOD_NPY,
        npy(changed(Y, 0.5)),
        "y.npy",
        "y.npy: target: row 8 (y[7]) is 0.5 among 39 whole",
    ),
    "NaN label": (GOOD_NPY, npy(changed(Y, np.nan)), "y.npy", f"y.npy: target: {NO_VALUE}"),
    "infinite label": (GOOD_NPY, npy(changed(Y, np.inf)), "y.npy", "y.npy: target: row 8 (y[7]) is infinite"),
    "one class": (GOOD_NPY, npy(0 * Y), "y.npy", "y.npy: target: one class only, 0; there is nothing to learn"),
    "blank label": (
        GOOD_NPY,
        npy(np.array(["x", "y", "\u200b", "z"] * 10)),
        "y.npy",
        "y.npy: target: row 3 (y[2]) has no",
    ),
    "dates": (GOOD_NPY, npy(np.zeros(40, "M8[D]")), "y.npy", "y.npy: holds values of type datetime64[D]"),
    "empty text": (GOOD_NPY, b"", "y.txt", "y.txt: is empty"),
    "page of text": (GOOD_NPY, HTML, "y.txt", f"y.txt: {PAGE}"),
    "empty line": (GOOD_NPY, b"x\ny\n\nz\n" * 10, "y.txt", "y.txt: line 3 is empty; expected labels, one a line"),
    "invisible line": (GOOD_NPY, "x\ny\n\u2060\nz\n".encode() * 10, "y.txt", "y.txt: line 3 is empty"),
    "no UTF-8": (GOOD_NPY, "x\ny\né\nz\n".encode("latin-1") * 10, "y.txt", "y.txt: is no UTF-8 text at byte 4"),
    "NUL": (GOOD_NPY, b"x\ny\n\0\nz\n" * 10, "y.txt", "y.txt: line 3 holds NUL"),
    "two values": (
        GOOD_NPY,
        b"x,1\ny,2\n" * 20,
        "y.csv",
        "y.csv: line 1 holds several values; expected one label",
    ),
    "nan as text": (
        GOOD_NPY,
        b"1.5\n2\nnan\n3\n" * 10,
        "y.txt",
        "y.txt: line 3: 'nan' is no finite number, but 30 of 40",
    ),
    "half a label": (
        GOOD_NPY,
        b"0\n1\n" * 19 + b"0.5\n1\n",
        "y.txt",
        "y.txt: target: row 39 (y[38]) is 0.5 among 39",
    ),
    "pipe of labels": (GOOD_NPY, PIPE, "y.txt", "y.txt: is not a regular file"),
}

#: Content of d.npz, and what is said.
NPZ_FILES = {
    "empty": (b"", "d.npz: is empty"),
    "page": (HTML, f"d.npz: {PAGE}"),
    "NPY": (GOOD_NPY, "d.npz: is no NPZ file: it begins with 93 4e 55 4d, expected the magic number 50 4b 03 04"),
    "cut": (GOOD_NPZ[:-30], "d.npz: is a damaged or truncated NPZ file"),
    "damaged": (flipped(GOOD_NPZ, 200), "d.npz: the member 'X.npy' is damaged"),
    "no arrays": (zipped(), "d.npz: holds no arrays: the zip is empty"),
    "text": (zipped(a_txt=b"hi"), "d.npz: the member 'a.txt' is no array"),
    "pickle": (npz(X=OBJECTS, y=Y), "d.npz: the member 'X.npy' holds pickled Python objects"),
    "pickled labels": (npz(X=X, y=np.array([1, "a"] * 20, object)), "d.npz: the member 'y.npy' holds pickled"),
    "no labels": (npz(X=X), "d.npz: holds rows, but no labels for them: expected X and y"),
    "other names": (npz(one=X, two=Y, three=X), "d.npz: holds one, two, three; expected X and y"),
    "fewer labels": (npz(X=X, y=Y[:30]), "d.npz: y holds 30 labels for the rows of X, (40, 4)"),
    "words": (npz(X=X.astype(str), y=Y), "d.npz: the member 'X.npy' holds values of type <U"),
    "one axis": (npz(X=X[:, 0], y=Y), "d.npz: X has the shape (40,); expected rows of numbers"),
    "no rows": (npz(X=X[:0], y=Y[:0]), "d.npz: X holds no rows"),
    "no columns": (npz(X=X[:, :0], y=Y), "d.npz: X has the shape (40, 0): its rows hold no numbers"),
    "NaN": (npz(X=changed(X, np.nan, (7, 2)), y=Y), f"d.npz: X: {NOT_FINITE.format('nan')}"),
    "NaN in test rows": (
        npz(X_train=X, y_train=Y, X_test=changed(X, np.nan, (7, 2)), y_test=Y),
        "X_test: row 8 (X_test[7])",
    ),
    "NaN label": (npz(X=X, y=changed(Y, np.nan)), f"d.npz: target: {NO_VALUE}"),
    "negative label": (
        npz(X=X, y=changed(Y, -1)),
        "d.npz: target: row 8 (y[7]) is -1, a negative label among 0 to 2",
    ),
    "fractional label": (
        npz(X=X, y=changed(Y, 0.5)),
        "d.npz: target: row 8 (y[7]) is 0.5 among 39 whole numbers (0, 1, 2)",
    ),
    "one class": (npz(X=X, y=0 * Y), "d.npz: target: one class only, 0"),
    "promise": (
        zipped(X_npy=LIE, y_npy=npy(Y)),
        "d.npz: the member 'X.npy' is cut short: its header promises 400000 x 4",
    ),
    "page inside": (zipped(X_npy=HTML, y_npy=npy(Y)), f"d.npz: the member 'X.npy' {PAGE}"),
    "trailing inside": (
        zipped(X_npy=GOOD_NPY + b"zz", y_npy=npy(Y)),
        "the member 'X.npy' holds more than it should",
    ),
    "empty inside": (zipped(X_npy=b"", y_npy=npy(Y)), "d.npz: the member 'X.npy' is empty"),
    "narrower test rows": (
        npz(X_train=X, y_train=Y, X_test=X[:, :3], y_test=Y),
        "d.npz: rows of shape (4,), but test rows",
    ),
    "pipe": (PIPE, "d.npz: is not a regular file"),
}

BLANKS = {"U+00A0": "\u00a0", "U+2003": "\u2003", "U+2028": "\u2028", "U+3000": "\u3000", "U+200B": "\u200b"}
BLANKS |= {"U+FEFF": "\ufeff", "U+2060": "\u2060", "U+3164": "\u3164", "U+001C": "\x1c"}
BLANK_ROW = "target 'kind': row 8 has no value (1 missing in all); rows to learn from need one"

#: Name and content of a table of text, and what is said.
TEXT_FILES = {
    "empty": ("t.csv", b"", "t.csv: is empty"),
    "page": ("t.csv", HTML, f"t.csv: {PAGE}"),
    "message": ("t.csv", JSON, "t.csv: is JSON by its first bytes"),
    "only lines": ("t.csv", b"\n\n\n", "t.csv: line 1: blank, where the names of the columns should be"),
    "header only": ("t.csv", b"a,b,kind\n", "t.csv: has a header but no rows"),
    "one row": ("t.csv", b"a,b,kind\n1,2,x\n", "t.csv: target 'kind': one class only, 'x'"),
    "one column": ("t.csv", b"kind\nx\ny\n", "t.csv: line 1: a single column"),
    "PDF": (
        "t.csv",
        b"%PDF-1.4\n%\xe2\xe3\n",
        "t.csv: is no text as its name says; by its first bytes (25 50 44 46) it is PDF",
    ),
    "picture": (
        "t.csv",
        GOOD_PNG,
        "t.csv: is no text as its name says; by its first bytes (89 50 4e 47) it is a PNG",
    ),
    "workbook": ("t.csv", workbook(), "t.csv: is an Excel workbook by its content"),
    "Parquet": (
        "t.csv",
        parquet(),
        "t.csv: is no text as its name says; by its first bytes (50 41 52 31) it is Parquet",
    ),
    "NUL": ("t.csv", lines(row7="7.5,\0,x"), "t.csv: line 9: byte 5 is NUL, which no text holds"),
    "Latin 1": (
        "t.csv",
        lines(row7="7.5,1,é").decode().encode("latin-1"),
        "t.csv: line 9: byte 7 is 0xe9, which is not UTF-8",
    ),
    "UTF-16": ("t.csv", lines().decode().encode("utf-16-le"), "t.csv: line 1: byte 2 is NUL"),
    "open quote": ("t.csv", lines(row7='7.5,"1,x'), "t.csv: line 9: a quote opens here and never closes"),
    "stray quote": (
        "t.csv",
        lines(row7='7.5,1"2"3,x'),
        "t.csv: line 9: a quote within a value that is not quoted",
    ),
    "long row": ("t.csv", lines(row7="7.5,1,x,9"), "t.csv: line 9: 4 values, but the header has 3 columns"),
    "short row": ("t.csv", lines(row7="7.5,1"), "t.csv: line 9: 2 values, but the header has 3 columns"),
    "blank row": ("t.csv", lines(row7=""), "t.csv: line 9: blank, but rows follow; remove it"),
    "cut": ("t.csv", lines()[:-4], "t.csv: line 41: 2 values, but the header has 3 columns"),
    "same name": ("t.csv", lines("a,a,kind"), "t.csv: line 1: columns 1 and 2 are both called 'a'"),
    "no name": ("t.csv", lines("a,,kind"), "t.csv: line 1: column 2 has no name"),
    "no header": (
        "t.csv",
        lines("0.5,2.25,kind"),
        "t.csv: line 1: the name '0.5' is a number: a row in place of the header?",
    ),
    "word": (
        "t.csv",
        lines(row7="oops,1,x"),
        "t.csv: line 9, column 'a': 'oops' is no finite number, but 39 of 40 values are",
    ),
    "infinity": ("t.csv", lines(row7="-inf,1,x"), "t.csv: line 9, column 'a': '-inf' is no finite number"),
    "too large": ("t.csv", lines(row7="1e999,1,x"), "t.csv: line 9, column 'a': '1e999' is no finite number"),
    "constant target": (
        "t.csv",
        lines().replace(b",y", b",x").replace(b",z", b",x"),
        "t.csv: target 'kind': one class only",
    ),
    "constant number": (
        "t.csv",
        numbers().replace(b",0\n", b",2.5\n").replace(b",1\n", b",2.5\n").replace(b",2\n", b",2.5\n"),
        "t.csv: target 'kind': one value only, 2.5; there is nothing to learn",
    ),
    "missing target": ("t.csv", lines(row7="7.5,1,"), f"t.csv: {BLANK_ROW}"),
    "nan target": ("t.csv", numbers(row7="7.5,1,nan"), f"t.csv: {BLANK_ROW}"),
    "negative label": (
        "t.csv",
        numbers(row7="7.5,1,-1"),
        "t.csv: target 'kind': row 8 is -1, a negative label among 0 to 2",
    ),
    "fractional label": (
        "t.csv",
        numbers(row7="7.5,1,0.5"),
        "t.csv: target 'kind': row 8 is 0.5 among 39 whole numbers",
    ),
    "word as target": (
        "t.csv",
        numbers(row7="7.5,1,oops"),
        "t.csv: line 9, column 'kind': 'oops' is no finite number",
    ),
    "distinct words": (
        "t.csv",
        lines(**{f"row{i}": f"{i},1,w{i}" for i in range(40)}),
        "t.csv: target 'kind': 40 distinct texts",
    ),
    **{
        f"blank {name}": ("t.csv", lines(row7=f"7.5,1,{blank}"), f"t.csv: {BLANK_ROW}")
        for name, blank in BLANKS.items()
    },
    "folder": ("t.csv", FOLDER, "t.csv: is a folder, and its name is that of a file"),
    "pipe": ("t.csv", PIPE, "t.csv: is not a regular file"),
    "unreadable": ("t.csv", LOCKED, "t.csv: cannot be read: Permission denied"),
    "unknown name": ("t.dat", lines(), "t.dat: is no table (CSV, TSV, Parquet, xlsx), NPZ, NPY or IDX by name"),
    "old workbook": (
        "t.xls",
        b"\xd0\xcf\x11\xe0" + bytes(600),
        "by its first bytes it is an old Excel sheet: save it as CSV",
    ),
    "short row with tabs": ("t.tsv", b"a\tkind\n1\tx\n2\n3\ty\n", "t.tsv: line 3: 1 value"),
    "empty gzip": ("t.csv.gz", b"", "t.csv.gz: is empty"),
    "gzip of nothing": ("t.csv.gz", gzip.compress(b""), "t.csv.gz: is empty once unpacked"),
    "cut gzip": ("t.csv.gz", gzip.compress(lines())[:-9], "t.csv.gz: ends in the middle of the gzip data"),
    "checksum": ("t.csv.gz", flipped(gzip.compress(lines()), -6), "t.csv.gz: is damaged (CRC check failed"),
    "packed page": ("t.csv.gz", gzip.compress(HTML), f"t.csv.gz: {PAGE}"),
    "page for gzip": ("t.csv.gz", HTML, f"t.csv.gz: {PAGE}"),
    "packed long row": (
        "t.csv.gz",
        gzip.compress(lines(row7="7.5,1,x,9")),
        "t.csv.gz: line 9: 4 values, but the header",
    ),
    "two tables": (
        "t.csv.zip",
        zipped(a_csv=lines(), b_csv=lines()),
        "t.csv.zip: is a zip of 2 files; expected one",
    ),
    "cut zip": ("t.csv.zip", zipped(a_csv=lines())[:-30], "t.csv.zip: is damaged"),
    "Parquet: empty": ("t.parquet", b"", "t.parquet: is empty"),
    "Parquet: page": ("t.parquet", HTML, f"t.parquet: {PAGE}"),
    "Parquet: text": (
        "t.parquet",
        lines(),
        "t.parquet: is no Parquet file: it begins with 61 2c 62 2c, expected the magic",
    ),
    "Parquet: cut": ("t.parquet", parquet()[:-10], "t.parquet: is cut short: it does not end in PAR1"),
    "Parquet: footer": (
        "t.parquet",
        parquet()[:-8] + struct.pack("<I", 10**9) + b"PAR1",
        "promise a footer of 1,000,000,000",
    ),
    "Parquet: no rows": ("t.parquet", parquet(FRAME.head(0)), "t.parquet: has columns but no rows"),
    "Parquet: one column": (
        "t.parquet",
        parquet(FRAME.select("kind")),
        "t.parquet: 1 column; a table needs two or more",
    ),
    "Parquet: nested": (
        "t.parquet",
        parquet(FRAME.with_columns(l=pl.lit([1]))),
        "t.parquet: column 'l' is nested",
    ),
    "Parquet: no target": ("t.parquet", parquet(kind=None), f"t.parquet: {BLANK_ROW}"),
    "Parquet: blank": ("t.parquet", parquet(kind="\u200b"), f"t.parquet: {BLANK_ROW}"),
    "Parquet: infinity": ("t.parquet", parquet(a=float("inf")), "t.parquet: row 8, column 'a': infinite"),
    "Parquet: pipe": ("t.parquet", PIPE, "t.parquet: is not a regular file"),
    "workbook: empty": ("t.xlsx", b"", "t.xlsx: is empty"),
    "workbook: page": ("t.xlsx", HTML, f"t.xlsx: {PAGE}"),
    "workbook: old": (
        "t.xlsx",
        b"\xd0\xcf\x11\xe0" + bytes(600),
        "t.xlsx: is no workbook (.xlsx): it begins with d0 cf 11 e0",
    ),
    "workbook: cut": ("t.xlsx", workbook()[:-50], "t.xlsx: is damaged"),
    "workbook: zip": ("t.xlsx", zipped(a_txt=b"hi"), "t.xlsx: is a zip, but no workbook"),
    "workbook: same name": (
        "t.xlsx",
        workbook(row1=["a", "a", "kind"]),
        "t.xlsx: row 1 of the sheet: columns 1 and 2",
    ),
    "workbook: no row": ("t.xlsx", workbook(row8=[]), "t.xlsx: row 8 of the sheet is empty, but rows follow"),
    "workbook: word": (
        "t.xlsx",
        workbook(row8=["oops", 1, "x"]),
        "t.xlsx: row 8 of the sheet, column 'a': 'oops' is no finite",
    ),
    "workbook: blank": ("t.xlsx", workbook(row9=[7, 1, "\u3000"]), f"t.xlsx: {BLANK_ROW}"),
}

#: The name of a picture among good ones, its content, and what is said.
PICTURE_FILES = {
    "cut": ("a/3.png", GOOD_PNG[:-30], "is a damaged or unreadable image"),
    "page": ("a/3.png", HTML, PAGE),
    "empty": ("a/3.png", b"", "is empty (0 bytes), expected an image"),
    "checksum": ("a/3.png", flipped(GOOD_PNG, 45), "is a damaged or unreadable image"),
    "huge": ("a/3.png", huge_png(), "declares more than 33,554,432 pixels"),
    "text": ("a/3.jpg", b"hello, world", "is no PNG, JPEG, BMP, GIF or TIFF image, or damaged"),
    "cut JPEG": ("a/3.jpg", b"\xff\xd8\xff\xe0abc", "is a damaged or unreadable image"),
    "other kind": ("a/3.webp", b"RIFF", "is a picture of a kind that is not read"),
    "pipe": ("a/3.png", PIPE, "is neither a regular file nor a folder"),
    "folder": ("a/3.png", FOLDER, "is a folder within a class"),
    "outside": ("3.png", GOOD_PNG, "is an image outside of the class folders"),
    "no pictures": ("c/x.txt", b"hi", "is a class without images"),
}

#: Content of a model file, and what is said.
MODEL_FILES = {
    "empty": (b"", "is damaged or no model file"),
    "page": (HTML, "is damaged or no model file"),
    "array": (GOOD_NPZ, "is damaged or no model file"),
    "folder": (FOLDER, "model.safetensors: does not exist; give a run folder or a model file"),
    "pipe": (PIPE, "is not a regular file"),
}

#: The model, name and content of a file of new rows, and what is said by `predict` and by `evaluate`.
NEW_ROWS = {
    "empty": ("table", "q.csv", b"", "q.csv: is empty"),
    "page": ("table", "q.csv", HTML, f"q.csv: {PAGE}"),
    "header only": ("table", "q.csv", b"a,b,kind\n", "q.csv: has a header but no rows"),
    "no column": ("table", "q.csv", lines("z,b,kind"), "q.csv: table: no column 'a', which training had"),
    "word": (
        "table",
        "q.csv",
        lines(row7="oops,1,x"),
        "q.csv: column 'a': row 8 is 'oops'; expected a number, as in training",
    ),
    "infinity": (
        "table",
        "q.csv",
        lines(row7="inf,1,x"),
        "q.csv: column 'a': row 8 is infinite; expected a finite number",
    ),
    "long row": (
        "table",
        "q.csv",
        lines(row7="7.5,1,x,9"),
        "q.csv: line 9: 4 values, but the header has 3 columns",
    ),
    "open quote": ("table", "q.csv", lines(row7='1,"2,x'), "q.csv: line 9: a quote opens here and never closes"),
    "NUL": ("table", "q.csv", lines(row7="1,\0,x"), "q.csv: line 9: byte 3 is NUL"),
    "pipe": ("table", "q.csv", PIPE, "q.csv: is not a regular file"),
    "folder": ("table", "q.csv", FOLDER, "q.csv: is not a regular file"),
    "array for a table": (
        "table",
        "q.npy",
        GOOD_NPY,
        "q.npy: is no table; the model was trained on one with the columns a, b",
    ),
    "empty NPY": ("array", "q.npy", b"", "q.npy: is empty"),
    "cut NPY": ("array", "q.npy", GOOD_NPY[:-3], "q.npy: is cut short: its header promises 40 x 4"),
    "pickle": ("array", "q.npy", npy(OBJECTS), "q.npy: holds pickled Python objects"),
    "one axis": ("array", "q.npy", npy(X[:, 0]), "q.npy: the file has the shape (40,); expected rows of numbers"),
    "page for NPZ": ("array", "q.npz", HTML, f"q.npz: {PAGE}"),
    "fewer labels": ("array", "q.npz", npz(X=X, y=Y[:9]), "q.npz: y holds 9 labels for the rows of X, (40, 4)"),
    "wider rows": (
        "array",
        "q.npz",
        npz(X=np.ones((40, 5)), y=Y),
        "q.npz: X: rows of shape (5,), where training had 4",
    ),
    "NaN": ("array", "q.npz", npz(X=changed(X, np.nan, (7, 2)), y=Y), "row 8 (X[7]), column 3 holds nan"),
    "table for an array": ("array", "q.csv", lines(), "q.csv: is a table, and the model was trained on arrays"),
}

#: The model, name and content of a file whose answers are wrong, and what `evaluate` says.
ANSWERS = {
    "unknown class": (
        "table",
        "q.csv",
        lines(row7="7.5,1,w"),
        "q.csv: target 'kind': row 8 is 'w', which training did not have",
    ),
    "no answers": ("table", "q.csv", lines("a,b,c"), "q.csv: holds no targets to score answers by"),
    "no answer": (
        "table",
        "q.csv",
        lines(row7="7.5,1,"),
        "q.csv: column 'kind': row 8 has no value, and others have",
    ),
    "blank answer": ("table", "q.csv", lines(row7="7.5,1,\u200b"), "q.csv: column 'kind': row 8 has no value"),
    "negative label": (
        "array",
        "q.npz",
        npz(X=X, y=changed(Y, -1)),
        "q.npz: target: row 8 (y[7]) is -1, which training did not",
    ),
    "fractional label": (
        "array",
        "q.npz",
        npz(X=X, y=changed(Y, 0.5)),
        "q.npz: target: row 8 (y[7]) is 0.5, which training",
    ),
    "NaN label": ("array", "q.npz", npz(X=X, y=changed(Y, np.nan)), f"q.npz: target: {NO_VALUE}"),
}

#: Command, its file and content, and what is said of wrong usage.
USAGE = {
    "unknown target": (
        "train t.csv --target king",
        "t.csv",
        lines(),
        "--target: t.csv: no column 'king'; the table has a, b, kind",
    ),
    "no target": (
        "train t.csv",
        "t.csv",
        lines(),
        "--target: t.csv: name the column to predict, for example --target kind",
    ),
    "no labels": (
        "train X.npy",
        "X.npy",
        GOOD_NPY,
        "--target: name the NPY file with the labels or numbers of the rows of X.npy",
    ),
}
