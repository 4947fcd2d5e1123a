from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import glassnet as gn
from glassnet.data.registry import load_dataset
from glassnet.locales.catalogue import LANGUAGES, Words
from glassnet.report.column_table import MOST_COLUMNS, NONE, column_table


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table with every kind of column: ages 30 and 40, of which 6 of 60 are missing; days 1 to 3 of 2020."""
    rows = np.arange(60)
    frame = pl.DataFrame(
        {
            "age": [None if row % 10 == 0 else 30 + 10 * (row % 2) for row in rows.tolist()],
            "town": [f"town {row % 8}" for row in rows],
            "joined": [f"2020-01-0{1 + row % 3}" for row in rows],
            "paid": (rows % 3 == 0).tolist(),
            "id": [f"c{row:03}" for row in rows],
            "left": ["yes" if row % 2 else "no" for row in rows],
        }
    )
    file = tmp_path_factory.mktemp("table") / "customers.parquet"
    frame.write_parquet(file)
    return load_dataset(file, target="left", dates=["joined"])


def test_each_column_is_listed_with_what_becomes_of_it(table):
    found = column_table(table, Words("en"))
    assert found.header == ["column", "kind", "range", "missing", "filled with", "what the network gets", "inputs"]
    age, town, joined, paid, left_out = found.rows
    learned = {column.name: column for column in table.schema.input.columns}
    scale = f"(x − {learned['age'].mean:.4g}) / {learned['age'].std:.4g}"
    assert age == [
        "age",
        "number",
        "30 to 40",
        "6 (10.00 %)",
        "40",
        f"{scale}; and 1 where it is missing, else 0",
        "2",
    ]
    towns = ", ".join(f"town {number}" for number in range(6))
    assert town[:4] == ["town", "category", "8 categories", "0"]
    assert town[5:] == [f"1 for its category, 0 for the others: {towns}, …", "8"]
    assert joined[:5] == ["joined", "date", "2020-01-01 to 2020-01-03", "0", "2020-01-02"]
    assert joined[5] == f"(date − 2020-01-02) / {learned['joined'].std:.4g} days"
    assert paid == ["paid", "true or false", NONE, "0", "false", "1 where true, 0 where false", "1"]
    assert left_out == ["id", "left out", NONE, NONE, NONE, NONE, "0"]
    assert sum(int(row[6]) for row in found.rows) == table.n_inputs


def test_each_scaling_is_shown_as_its_formula(table):
    age, _, joined = table.schema.input.columns[:3]
    assert (age.median, age.spread, joined.spread) == (40, 10, 2)
    robust, none = (column_table(table.scale(name), Words("en")).rows for name in ("robust", "none"))
    assert robust[0][5] == "t / √(1 + (t/3)²), t = (x − 40) / 10; and 1 where it is missing, else 0"
    assert robust[2][5] == "t / √(1 + (t/3)²), t = (date − 2020-01-02) / 2 days"
    assert (none[0][5], none[2][5]) == ("x; and 1 where it is missing, else 0", "(date − 1970-01-01) / 1 days")
    columns = table.schema.input
    constant = replace(columns, columns=(replace(age, spread=0.0), *columns.columns[1:]), scaling="robust")
    shown = column_table(replace(table, schema=replace(table.schema, input=constant)), Words("en"))
    assert shown.rows[0][5].startswith("0; and 1 where")


def test_pieces_are_counted_with_the_range_that_they_cut(table):
    cut = table.cut(9)
    days = column_table(cut, Words("en")).rows[2]
    assert days[5].endswith("days; and its places in 2 pieces of 2020-01-01 to 2020-01-03")
    assert days[6] == "3"
    one, chinese = (column_table(table.cut(1), Words(language)).rows[2][5] for language in LANGUAGES)
    assert one.endswith("days; and its place between 2020-01-01 and 2020-01-03")
    assert chinese.endswith("；另有 1 个输入，表示它在 2020-01-01 至 2020-01-03 的各分段中的位置")
    assert sum(int(row[6]) for row in column_table(cut, Words("en")).rows) == cut.n_inputs


def test_it_is_in_the_report_of_a_table_in_both_languages_and_in_no_other(table, tmp_path, digits):
    from glassnet.report.run_page import write_run_report

    for name, data in (("table", table), ("digits", digits)):
        network = gn.Network([data.n_inputs, 4, data.n_classes])
        run = gn.fit(network, data, epochs=1, progress=False, run_dir=tmp_path / name, kernels="numpy")
        for language in LANGUAGES:
            page = write_run_report(tmp_path / name, run.network, data, language=language)
            for file in (page, page.with_suffix(".md")):
                text = file.read_text(encoding="utf-8")
                assert (Words(language).say("column_becomes") in text) == (name == "table")


def test_a_long_table_is_cut():
    columns = {f"c{number}": np.arange(30.0) - 50 for number in range(MOST_COLUMNS + 5)}
    y = np.arange(30) % 2
    data = gn.fit(gn.Network([len(columns), 2]), pl.DataFrame(columns), y, epochs=1, progress=False).memory.data
    found = column_table(data, Words("en"))
    assert len(found.rows) == MOST_COLUMNS
    assert found.note == f"The first {MOST_COLUMNS} of {MOST_COLUMNS + 5} columns are listed."
    assert found.rows[0][5].startswith(f"(x + {-data.schema.input.columns[0].mean:.4g}) / ")
