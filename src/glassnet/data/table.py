"""Tables of named columns, read with distrust: CSV and its kin, Parquet, and tables already in memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.data.untrusted_files import ContentError, check_format, decompress, open_regular_file, shorten
from glassnet.errors import DataError, FileError

if TYPE_CHECKING:
    import polars as pl

#: Names that text may have, gzipped (`.gz` behind it) or not.
TEXT = (".csv", ".tsv", ".txt")


def read_table(source: object) -> pl.DataFrame:
    """Read a table with a header line from a regular file, or take over one of pandas, Polars or pyarrow.

    The file is ``.csv``, ``.tsv`` or ``.txt`` (UTF-8; the header tells the delimiter), the same gzipped
    (``.csv.gz``), or ``.parquet``. In text, a column of whole numbers becomes Int64, of other numbers Float64, of
    true and false Boolean, of nothing Null, and all else String. Missing values and NaN become null. Names lose
    the blanks around them, and a pandas table its index.

    `FileError` is raised if the file is missing, damaged, ambiguous, or no table of at least one row and two
    columns; `DataError` if a table in memory is at fault, or Polars is not installed.
    """
    require_polars()
    from glassnet.data.table_schema import check_table

    if isinstance(source, str | os.PathLike):
        return _read_file(Path(source))
    try:
        return check_table(_convert(source))
    except ContentError as error:
        raise DataError(f"table: {error}") from None


def require_polars() -> None:
    """Refuse to read tables where Polars is not installed; the modules that read files import it."""
    try:
        import polars  # noqa: F401
    except ImportError:
        raise DataError("tables need Polars, which is not installed: pip install 'glassnet[tables]'") from None


def _read_file(path: Path) -> pl.DataFrame:
    """Read a file by the format that its name and its first bytes agree on."""
    from glassnet.data.delimited_text import read_delimited_text
    from glassnet.data.parquet import scan_parquet
    from glassnet.data.table_schema import check_table

    name = path.name.lower()
    if name.endswith(".parquet"):
        with scan_parquet(path) as (lazy, _, _):
            return check_table(lazy.collect())
    gzipped, name = name.endswith(".gz"), name.removesuffix(".gz")
    if not name.endswith(TEXT):
        raise FileError(path, f"has a name of no known format: {', '.join(TEXT)}, .csv.gz and .parquet are read")
    with open_regular_file(path) as (raw, _):
        check_format(raw, "gzip" if gzipped else "text")
        return read_delimited_text(decompress(raw) if gzipped else raw, tabs_part=name.endswith(".tsv"))


def _convert(source: Any) -> pl.DataFrame:
    """Take over a table of another library, which is known by what it can do."""
    import polars as pl

    from glassnet.data.table_schema import find_name_problem

    if isinstance(source, pl.DataFrame):
        return source
    kind = type(source)
    known = [name for name in ("column_names", "columns") if hasattr(kind, name)]
    if isinstance(source, pl.LazyFrame) or not hasattr(source, "__arrow_c_stream__") or not known:
        name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
        raise ContentError(f"expected a file, or a table of pandas, Polars or pyarrow, got {name}")
    if problem := find_name_problem([str(name) for name in getattr(source, known[0])]):
        raise ContentError(problem)
    library = kind.__module__.split(".")[0]
    try:
        return pl.from_pandas(source) if library == "pandas" else pl.DataFrame(source)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of Polars is no Exception
        raise ContentError(f"Polars cannot take over this table of {library}: {shorten(error)}") from None
