"""All remarks read alike: part of a line that begins with the name of the data, and no sentence of its own."""

import pickle
import re

import numpy as np
import polars as pl
import pytest
import xlsxwriter
from PIL import ExifTags, Image
from tests.chinese import latin_words, misplaced_marks
from tests.data.pictures import COLOURS, GREY, encoded, put

from glassnet.data.array_schema import ArraySchema
from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset
from glassnet.data.remarks import say
from glassnet.data.schema import Schema
from glassnet.data.user_rows import read_user_rows
from glassnet.locales.catalogue import Words

TABLE = (
    "# made by hand\n;id;joined;colour;fee;size;all;a\n"
    + "".join(
        f"{row};r{row};2024-0{1 + row % 9}-11;{'red' if row % 2 else 'blue'};{'' if row % 7 == 0 else f'{row},5'}"
        f";{row % 5};;{'yes' if row % 2 else 'no'}\n"
        for row in range(60)
    )
)  # fmt: skip
X, Y = np.arange(240, dtype=np.uint8).reshape(40, 2, 3), np.arange(40) % 2


def read_table(folder):
    (folder / "cases.csv").write_text(TABLE)
    data = load_dataset(folder / "cases.csv", target="a", dates=["joined"])
    (folder / "more.csv").write_text(TABLE.replace("red", "green").replace(";a\n", ";b\n", 1))
    return *data.remarks, *read_user_rows(folder / "more.csv", data.schema).remarks


def read_table_in_another_encoding(folder):
    (folder / "cases.tsv").write_bytes(TABLE.replace(";", "\t").replace("red", "rötlich").encode("utf-16"))
    return load_dataset(folder / "cases.tsv", target="a").remarks


def read_table_of_prices(folder):
    rows = "".join(f'"${row},{row + 100}.5",{row % 80}%,{row % 3}\n' for row in range(1, 60))
    (folder / "cases.csv").write_text("price,share,a\n" + rows)
    return load_dataset(folder / "cases.csv", target="a").remarks


def read_workbook(folder):
    frame = pl.DataFrame({"size": np.arange(40), "a": Y})
    with xlsxwriter.Workbook(folder / "cases.xlsx") as book:
        frame.write_excel(book, "first")
        frame.write_excel(book, "second")
    return load_dataset(folder / "cases.xlsx", target="a").remarks


def read_parquet(folder):
    names = {"__index_level_0__": np.arange(40), "size": np.arange(40) % 7, "a": Y}
    pl.DataFrame(names).write_parquet(folder / "cases.parquet")
    return load_dataset(folder / "cases.parquet", target="a").remarks


def read_npz(folder):
    np.savez(folder / "cases.npz", X=X[:, None], y=Y, more=Y)
    np.savez(folder / "test.npz", X=X, y=Y, X_test=X[:4], y_test=Y[:4])
    np.savez(folder / "nameless.npz", X / 1.0, Y)
    return [one for name in ("cases", "test", "nameless") for one in load_dataset(folder / f"{name}.npz").remarks]


def read_npy(folder):
    np.save(folder / "cases.npy", X)
    (folder / "labels.csv").write_text("kind\n" + "\n".join(map(str, Y)))
    return load_dataset(folder / "cases.npy", target=str(folder / "labels.csv")).remarks


def read_idx(folder, idx_bytes):
    for split in ("train", "t10k"):
        (folder / f"{split}-images-idx3-ubyte").write_bytes(idx_bytes(X))
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(idx_bytes(Y.astype(np.uint8)))
    return load_dataset(folder / "train-images-idx3-ubyte").remarks


def read_pictures(folder):
    upright = Image.Exif()
    upright[ExifTags.Base.Orientation] = 3
    turned = encoded(COLOURS, "JPEG", exif=upright)
    files = {f"Train/{name}/{row}.png": encoded(COLOURS + row) for name in "ab" for row in range(6)}
    files |= {"Train/a/g.png": encoded(GREY), "Train/b/t.jpg": turned, "Train/b/notes.md": b"", "Thumbs.db": b""}
    put(folder / "pets", files)
    put(folder / "grey", {f"{name}/1.png": encoded(np.stack([GREY] * 3, axis=2)) for name in "ab"})
    put(folder / "grey", {f"{name}/2.png": encoded(np.stack([GREY] * 3, axis=2)) for name in "ab"})
    data = load_dataset(folder / "pets", size=(3, 5))
    one = read_user_rows(folder / "pets" / "Train", data.schema)
    return *data.remarks, *load_dataset(folder / "grey").remarks, *one.remarks


def take_arrays(folder):
    made = [
        Dataset.from_arrays(X % 9, Y),
        Dataset.from_arrays(X / 1.0, Y),
        Dataset.from_arrays(np.ma.masked_equal(X.reshape(40, 6) / 1.0, 3), Y[:, None]),
        Dataset.from_arrays(X, np.eye(2)[Y]),
        Dataset.from_arrays(X, np.random.default_rng(0).integers(0, 2, (40, 3))),
        Dataset.from_arrays(X, np.arange(80.0).reshape(40, 2) / 7),
        Dataset.from_arrays(X, Y / 3),
        Dataset.from_arrays(X, np.arange(40)),
        Dataset.from_arrays(X, Y + 1, task="ordinal"),
        Dataset.from_arrays(X[:6], Y[:6]).with_validation((X[:2] / 255, Y[:2])),
    ]
    return [remark for data in made for remark in data.remarks]


def take_other_rows(folder):
    numbers = ArraySchema.learn(np.array([[0.5, -1.0], [1.0, 2.0]]))[0]
    pictures = ArraySchema.learn(X)[0]
    table = Schema(pictures, Dataset.from_arrays(X, Y).schema.target)
    np.savez(folder / "cases.npz", X=X, y=Y + 5)
    return (
        *numbers.encode(np.array([[90.0, 1.0]]))[1],
        *numbers.encode(pl.DataFrame({"a": [1.0], "b": [1.0]}))[1],
        *pictures.encode(X / 255)[1],
        *pictures.encode(X % 3)[1],
        *read_user_rows(folder / "cases.npz", table).remarks,
    )


READERS = (
    read_table, read_table_in_another_encoding, read_table_of_prices, read_workbook, read_parquet, read_npz,
    read_npy, read_pictures, take_arrays, take_other_rows,
)  # fmt: skip


def check_style(remarks):
    assert remarks
    for remark in remarks:
        assert remark.isprintable(), remark
        assert not re.match(r"[A-Z][a-z]+\b(?!:)", remark), remark  # a name such as X may begin it
        assert not remark.endswith((".", "!", ";")), remark
        assert not re.match(r"(cases|nameless|pets|grey)\b", remark), (
            remark
        )  # the command names the data before it


@pytest.mark.usefixtures("decode_here")
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_a_remark_goes_on_after_the_name_of_the_data(reader, tmp_path):
    check_style(reader(tmp_path))


def test_remarks_of_idx_files_do_too(tmp_path, idx_bytes):
    check_style(read_idx(tmp_path, idx_bytes))


def test_what_is_noticed_is_said_in_chinese_as_well(tmp_path):
    table = pl.DataFrame(
        {
            "id": range(60),
            "age": [None] * 4 + [20, 30, 41, 22] * 14,
            "colour": ["red", "Green", None] * 20,
            "day": [f"2024-01-0{i % 9 + 1}" for i in range(60)],
            "words": [f"text {i}" for i in range(60)],
            "y": ["no", "yes", "No"] * 20,
        }
    )
    table.write_csv(tmp_path / "table.csv")
    X, y = np.random.default_rng(0).integers(0, 9, (40, 3, 6, 6)), np.arange(40) % 3
    found = [
        *load_dataset(str(tmp_path / "table.csv"), target="y").remarks,
        *Dataset.from_arrays(X.astype(np.uint8), y, X[:9].astype(np.uint8), y[:9] * 0).remarks,
    ]
    options = {"missing", "drop", "dates", "astype", "np", "float", "task", "regression", "multi", "class"}
    names = {*table.columns, "red", "Green", "no", "No", "yes"} | options
    assert len(found) > 6
    for remark in found:
        chinese = say(pickle.loads(pickle.dumps(remark)), Words("zh"))
        assert latin_words(chinese) <= names, chinese
        assert misplaced_marks(chinese) == []
        assert str(remark) == Words("en").render(remark.message)
    assert say("as it was written", Words("zh")) == "as it was written"
