"""From the named columns of a table to numbers, by a schema that is learned on the training rows alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.data.column_kinds import (
    CategoryColumn,
    Column,
    DateColumn,
    ScaledColumn,
    read_columns,
    read_names,
)
from glassnet.data.column_learning import (
    ColumnLearner,
    Findings,
    choose_columns,
    describe_filled,
    describe_indicators,
    describe_refused,
    suggest,
)
from glassnet.data.column_values import blank_values, list_more, list_names
from glassnet.data.number_format import NumberFormat
from glassnet.data.pieces import count_pieces, find_edges, make_room
from glassnet.data.read_options import ReadOptions
from glassnet.data.remarks import join_remarks
from glassnet.data.scaling import SCALINGS, ScalingName
from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array
from glassnet.runtime.records import explain

if TYPE_CHECKING:
    import polars as pl

#: What is said of a table of which no column can be used.
NONE_LEFT = "table: no column is left to learn from"


@dataclass(frozen=True)
class TableSchema:
    """How the columns of a table become the numbers that a network takes.

    Attributes
    ----------
    columns : tuple of Column
        The columns that are used, in the order of the training table, without the target. A numeric or date
        column becomes a number, which is scaled; a category a one among zeros; a boolean 0 or 1. Of a column that
        lacked at least 5 % of its values in training, a further 0 or 1 says where they are missing.
    left_out : tuple of str
        The columns of the training table that are not used.
    missing : tuple of str
        Values, as text, that stand for missing ones.
    scaling : str
        What scales numbers and dates: "standard" to mean 0 and standard deviation 1, "robust" by median and
        quartiles with a smooth clip (see `glassnet.data.scaling.Scaling`), or "none".
    pieces : int
        The most pieces that a column of numbers or dates is cut into; 0: none (see `glassnet.data.pieces`).

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"age": [30, 40, 30, 40], "colour": ["red", "blue", "red", "blue"]})
    >>> schema, _ = TableSchema.learn(frame)
    >>> schema.feature_names
    ('age', 'colour=blue', 'colour=red')
    >>> X, remarks = schema.encode(pl.DataFrame({"age": [35, 45], "colour": ["red", "green"]}))
    >>> X.tolist()
    [[0.0, 0.0, 1.0], [2.0, 0.0, 0.0]]
    >>> remarks
    ("column 'colour': 1 value unseen in training (first 'green' in row 2), all zeros",)
    """

    columns: tuple[Column, ...]
    left_out: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    scaling: ScalingName = "standard"
    pieces: int = 0

    def __post_init__(self) -> None:
        if self.scaling not in SCALINGS:
            raise ValueError(f"no scaling {self.scaling!r}")
        names = [*(column.name for column in self.columns), *self.left_out]
        if not self.columns or len(set(names)) < len(names):
            raise ValueError("columns: none, or two of one name")
        cut = [column.edges for column in self.columns if isinstance(column, ScaledColumn)]
        if type(self.pieces) is not int or self.pieces < max(map(count_pieces, cut), default=0):
            raise ValueError("columns: cut into more pieces than there are")

    @classmethod
    def learn(
        cls,
        frame: pl.DataFrame,
        options: ReadOptions | None = None,
        formats: Mapping[str, NumberFormat] | None = None,
        all_rows: pl.DataFrame | None = None,
    ) -> tuple[TableSchema, tuple[str, ...]]:
        """Learn the columns of a table on its training rows.

        Parameters
        ----------
        frame : polars.DataFrame
            The training rows, without the target.
        options : ReadOptions, optional
            `drop`, `columns`, `categorical`, `dates`, `missing` and `impute` are obeyed. Without `impute="error"`,
            a missing value becomes the median or the most frequent value of the training rows.
        formats : mapping, optional
            How the numbers of a column are written in its file, where they are not written plainly.
        all_rows : polars.DataFrame, optional
            The whole table, of which `frame` holds the training rows. Rows in messages and remarks are counted in
            it, and it tells how dates are written. Without it, that is `frame`.

        Returns
        -------
        tuple
            The schema, and remarks on what was left out, filled or looked odd. With `all_rows` they tell all that
            `encode` says of these rows.

        Raises
        ------
        UsageError
            If an option names a column that is not there, or that cannot be what the option says.
        DataError
            If no column is left, a value is infinite or no date, or is missing with `impute="error"`.
        """
        import polars as pl

        options = options or ReadOptions()
        if options.impute not in (None, "error", "median"):
            raise UsageError("impute", f"takes error or median, got {options.impute!r}")
        if frame.width == 0:
            raise DataError("table: no columns beside the target")
        if frame.height == 0:
            raise DataError("table: no rows to learn the columns from")
        frame, whole = (
            pl.DataFrame([blank_values(series, options.missing) for series in table])
            for table in (frame, frame if all_rows is None else all_rows)
        )
        findings = Findings()
        learner = ColumnLearner(options, formats or {}, findings)
        columns, problems = [], []
        for name in choose_columns(frame.columns, options):
            try:
                if column := learner.learn(frame[name], whole[name]):
                    columns.append(column)
            except DataError as error:
                problems.append(str(error))
        if not columns:
            _refuse(problems)
            why = findings.describe_left_out() or "the options leave all of them out"
            raise DataError(f"{NONE_LEFT}: {why}")
        used = {column.name for column in columns}
        left_out = tuple(name for name in frame.columns if name not in used)
        schema = cls(tuple(columns), left_out, options.missing)
        remarks, more = schema._look_over(whole)
        _refuse([*problems, *more])
        return schema, (*findings.say(), *remarks)

    @property
    def width(self) -> int:
        """How many numbers a row is to the network."""
        return sum(self.sizes)

    @property
    def sizes(self) -> list[int]:
        """How many numbers each column becomes."""
        return [column.width for column in self.columns]

    @property
    def is_scaled(self) -> bool:
        """Whether each column of numbers is scaled by figures of the training rows."""
        return self.scaling != "none"

    def scale(self, _: Any, name: ScalingName) -> TableSchema:
        """Return the schema with another scaling; its figures were learned with the columns."""
        return replace(self, scaling=name)

    def cut(self, frame: pl.DataFrame, pieces: int) -> TableSchema:
        """Return the schema with columns of numbers and dates cut into at most so many pieces by training rows."""
        columns = tuple(
            replace(column, edges=tuple(find_edges(self._take_numbers(column, frame), pieces).tolist()))
            if isinstance(column, ScaledColumn)
            else column
            for column in self.columns
        )
        return replace(self, columns=columns, pieces=pieces)

    def _take_numbers(self, column: Column, frame: pl.DataFrame) -> Array:
        """Return the numbers of a column's rows, but for missing ones."""
        return self.read_column(column, frame).drop_nulls().to_numpy()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each number of an encoded row: ``age``, ``age from 20 to 31``, ``colour=red``."""
        return tuple(name for column in self.columns for name in column.features)

    @property
    def fixed_features(self) -> tuple[int, ...]:
        """The places of features that no scaling touches: of pieces, categories, booleans and missing values."""
        kinds = [(column, place) for column in self.columns for place in range(column.width)]
        return tuple(
            feature
            for feature, (column, place) in enumerate(kinds)
            if place or not isinstance(column, ScaledColumn)
        )

    def encode(self, frame: pl.DataFrame) -> tuple[Array, tuple[str, ...]]:
        """Return rows of a table as numbers, each row by itself.

        Parameters
        ----------
        frame : polars.DataFrame
            The columns by name, in any order. Their types do not matter, but their values do: text is read as
            numbers, dates, or true and false where training had these. Other columns may hold anything.

        Returns
        -------
        tuple
            float32 rows of shape (n, d), with a number for each of `feature_names`, and remarks: columns left out
            because training did not have them, missing values filled, categories unseen in training.

        Raises
        ------
        DataError
            If a column is missing, a value is not of the kind that training had, or memory does not hold the rows.
        """
        X = make_room(frame.height, self.width)
        starts = np.cumsum(self.sizes)[:-1]
        remarks: list[str] = []
        problems: list[str] = []
        filled: list[tuple[Column, pl.Series]] = []
        refused: list[tuple[Column, pl.Series]] = []
        self._refuse_missing_columns(frame.columns)
        for column, part in zip(self.columns, np.split(X, starts, axis=1), strict=True):
            try:
                values = self.read_column(column, frame)
                if values.null_count():
                    missing = values.is_null()
                    (refused if column.fill is None else filled).append((column, missing))
                    if column.fill is None:
                        continue
                    if column.indicator:
                        part[:, -1] = missing.to_numpy()
                    values = values.fill_null(column.fill)
                if remark := column.write(values, part, self.scaling):
                    remarks.append(remark)
            except DataError as error:
                problems.append(str(error))
        if refused:
            names = [(column.name, missing) for column, missing in refused]
            problems.append(describe_refused(names, "training had --impute error; fill them"))
        _refuse(problems)
        if filled:
            counts = [(column, int(missing.sum())) for column, missing in filled]
            remarks.insert(0, join_remarks(describe_filled(counts)))
        known = {*(column.name for column in self.columns), *self.left_out}
        if extra := [name for name in frame.columns if name not in known]:
            remarks.insert(0, f"left out, as training did not have them: {list_names(extra, 5)}")
        return X, tuple(remarks)

    def describe(self) -> dict[str, Any]:
        """Return in a few words what becomes of each column."""
        said = {column.name: column.describe(self.scaling) for column in self.columns}
        return said | dict.fromkeys(self.left_out, "left out")

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as plain values, for `TableSchema.from_dict`."""
        lists = {"left_out": list(self.left_out), "missing": list(self.missing)}
        columns = [asdict(column) for column in self.columns]
        return {"columns": columns, **lists, "scaling": self.scaling, "pieces": self.pieces}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TableSchema:
        """Return the schema that `to_dict` wrote; `DataError` is raised if these are the values of none."""
        try:
            if set(values) != {"columns", "left_out", "missing", "scaling", "pieces"}:
                raise ValueError("expected columns, left_out, missing, scaling and pieces")
            left_out, missing = (read_names(values[name]) for name in ("left_out", "missing"))
            columns = read_columns(values["columns"])
            return cls(columns, left_out, missing, values["scaling"], values["pieces"])
        except (ValueError, TypeError, RecursionError) as error:
            raise DataError(f"no schema of a table: {explain(error)}") from None

    def read_column(self, column: Column, frame: pl.DataFrame) -> pl.Series:
        """Return the values of a column, null for those that stand for missing ones, however they are written."""
        values = column.read(blank_values(frame[column.name], self.missing))
        return values if isinstance(column, DateColumn) else blank_values(values, self.missing)

    def _refuse_missing_columns(self, given: list[str]) -> None:
        """Refuse a table that lacks columns which training had."""
        has = set(given)
        missing = [column.name for column in self.columns if column.name not in has]
        if len(missing) == 1:
            raise DataError(f"table: no column {missing[0]!r}, which training had{suggest(missing[0], given)}")
        if missing:
            raise DataError(
                f"table: no columns {list_names(missing)}, which training had; there are: {list_names(given)}"
            )

    def _look_over(self, frame: pl.DataFrame) -> tuple[list[str], list[str]]:
        """Return what there is to say of all rows of the training table, and what is wrong with them."""
        remarks, filled, refused, problems = [], [], [], []
        for column in self.columns:
            try:
                values = self.read_column(column, frame)
            except DataError as error:
                problems.append(str(error))
                continue
            if count := values.null_count():
                filled.append((column, count))
                if column.fill is None:
                    refused.append((column.name, values.is_null()))
            if isinstance(column, CategoryColumn) and (remark := column.describe_unseen(values)):
                remarks.append(remark)
        if refused:
            problems.append(describe_refused(refused, "fill them, or leave out --impute error"))
        if filled:
            remarks.insert(0, join_remarks(describe_filled(filled) + describe_indicators(self.columns)))
        return remarks, problems


def _refuse(problems: list[str]) -> None:
    """Refuse a table for all its problems at once."""
    if problems:
        raise DataError("; ".join(problems[:5]) + list_more(len(problems) - 5))
