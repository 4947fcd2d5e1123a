"""Parquet files, read with distrust.

Polars' reader ends the process on some damaged files, so that it runs in a process of its own, with bounded memory
and time, and hands the table over as an Arrow file.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

import polars as pl

from glassnet.data import decoding
from glassnet.data.read_options import clean_name
from glassnet.data.table_schema import (
    Faults,
    find_index,
    find_name_problem,
    find_type_faults,
    note_faults,
    say_index,
)
from glassnet.data.untrusted_files import ContentError, check_expansion, check_format, open_regular_file

#: How the problem with a column's type begins.
UNUSABLE = "column "


@contextlib.contextmanager
def scan_parquet(
    path: Path,
    remarks: list[str] | None = None,
    spared: Collection[str] | None = (),
    faults: Faults | None = None,
) -> Iterator[tuple[pl.LazyFrame, int, list[str]]]:
    """Decode a Parquet file and give the table to be read in parts, with its rows and column names.

    The index that pandas wrote is left out, which is added to `remarks`. A column that holds no plain values is
    empty if it is one of those `spared`, and refused otherwise, or empty and one of the `faults`, where these are
    given; with None, it is left out. `FileError` is raised if the file is missing or damaged, or the reader raises
    `ContentError`.
    """
    with open_regular_file(path) as (raw, size):
        _check_ends(raw, size)
        with decoding.decode_apart("glassnet.data.parquet", path) as (decoded, said):
            lazy = pl.scan_ipc(decoded)
            problems = {
                name: one
                for one in said
                for name in lazy.collect_schema().names()
                if one.startswith(f"{UNUSABLE}{name!r} ")
            }
            refused: Faults = {}
            for name, problem in problems.items():
                if spared is not None and name not in spared:
                    refused[name] = problem, ""
            note_faults(refused, faults)
            if remarks is not None:
                remarks.extend(one for one in said if one not in problems.values())
            if spared is None:
                lazy = lazy.drop(problems)
            yield lazy, int(lazy.select(pl.len()).collect().item()), lazy.collect_schema().names()


def _check_ends(raw: IO[bytes], size: int) -> None:
    """Refuse what does not begin and end as Parquet does."""
    check_format(raw, "Parquet", "50 41 52 31")
    raw.seek(max(size - 8, 0))
    tail = raw.read()
    footer = int.from_bytes(tail[:4], "little")
    if size < 12 or tail[4:] != b"PAR1":
        raise ContentError("is cut short: it does not end in PAR1 as Parquet does; copy or download it again")
    if footer > size - 12:
        raise ContentError(
            f"is damaged: its last bytes promise a footer of {footer:,} bytes in a file of {size:,}"
        )


def write_arrow(source: str, target: str) -> list[str]:
    """Write the table in a Parquet file as Arrow, and return remarks; `ContentError` if it cannot be believed.

    Columns that hold no plain values are written without any, and the problem with each is one of the remarks.

    For a process of its own: it may abort, and its memory is bounded for good.
    """
    lazy = pl.scan_parquet(source, glob=False)
    names = lazy.collect_schema().names()
    if problem := find_name_problem([clean_name(name) for name in names]):
        raise ContentError(problem)
    lazy = lazy.rename({name: clean_name(name) for name in names})
    schema = lazy.collect_schema()
    problems = {name: "; ".join(fault) for name, fault in find_type_faults(schema).items()}
    rows, size = lazy.select(pl.len()).collect().item(), os.stat(source).st_size
    cells = rows * len(schema)
    check_expansion(rows * sum(1 if dtype == pl.Boolean else 8 for dtype in schema.dtypes()), size)
    read_metadata = getattr(pl, "read_parquet_metadata", None)  # not in the first versions of Polars 1
    pandas = read_metadata(source).get("pandas") if read_metadata else None
    decoding.limit_memory(decoding.DECODER_MEMORY + 48 * cells + 20 * size)
    index = find_index(lazy, pandas)
    orders = _read_orders(source) if pandas and '"ordered": true' in pandas else {}
    lazy = lazy.with_columns(pl.col(name).cast(pl.Enum(order)) for name, order in orders.items())
    lazy.with_columns(pl.lit(None).alias(name) for name in problems).drop(index).sink_ipc(target)
    return [*say_index(index), *problems.values()]


def _read_orders(source: str) -> dict[str, list[str]]:
    """Return the ordered categories of text, with their order, which pyarrow alone reads; none without it."""
    if importlib.util.find_spec("pyarrow") is None:
        return {}
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(source)
    names = [field.name for field in file.schema_arrow if getattr(field.type, "ordered", False)]
    table = file.read(columns=names, use_threads=False).unify_dictionaries()
    orders = {clean_name(name): table.column(name).chunk(0).dictionary.to_pylist() for name in names}
    return {name: order for name, order in orders.items() if all(isinstance(one, str) for one in order)}


if __name__ == "__main__":
    decoding.run_as_process(write_arrow)
