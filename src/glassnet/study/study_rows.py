"""What a study's runs came to, all of them: as a table for other programs, and as a chart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from glassnet.charts.intervals import IntervalChart
from glassnet.charts.painting import Plots
from glassnet.locales.catalogue import Words
from glassnet.runtime.csv_text import csv_text
from glassnet.study.findings import LEVEL
from glassnet.study.result_table import result_chart, result_table
from glassnet.study.results import Row
from glassnet.study.statistics import summarise

if TYPE_CHECKING:
    import pandas


class StudyRows(list[Row], Plots):
    """The rows of a study, by variant and by seed; a notebook shows what the variants reached.

    `plot` draws the mean of every variant with its interval, the best at the top.

    Attributes
    ----------
    measure : str
        What decides.

    Examples
    --------
    >>> rows = StudyRows([Row("base", {}, 0, "finished", {"validation_accuracy": 0.75}, seconds=2.0)])
    >>> print(rows.to_csv().splitlines()[0])
    variant,seed,status,validation_accuracy,seconds,parameters,flops,folder,problem
    """

    def __init__(self, rows: Iterable[Row], measure: str = "validation_accuracy") -> None:
        super().__init__(rows)
        self.measure = measure

    def records(self) -> list[dict[str, Any]]:
        """Return a record for each run: variant, levels, seed, how it ended, all measures, and what it cost."""
        measures = dict.fromkeys(name for row in self for name in row.measures)
        factors = dict.fromkeys(name for row in self for name in row.levels)
        return [
            {
                "variant": row.variant,
                **{name: row.levels.get(name) for name in factors},
                "seed": row.seed,
                "status": row.status,
                **{name: row.measures.get(name) for name in measures},
                **{name: getattr(row, name) for name in ("seconds", "parameters", "flops", "folder", "problem")},
            }
            for row in self
        ]

    def to_csv(self) -> str:
        """Return a table with a header, a line a run; numbers in full precision, what is not known empty."""
        records = self.records()
        return csv_text([list(records[0]), *(list(one.values()) for one in records)]) if records else ""

    def to_pandas(self) -> pandas.DataFrame:
        """Return the same as a table of pandas, which has to be installed."""
        import pandas

        return pandas.DataFrame(self.records())

    def chart(self, words: Words) -> IntervalChart:
        """Return the mean of every variant with its interval as a chart, the best at the top."""
        return result_chart(summarise(self, self.measure, LEVEL), self.measure, words)

    def _repr_html_(self) -> str:
        """Show the variants as a table in a notebook."""
        return result_table(summarise(self, self.measure, LEVEL), self.measure, None, Words("en")).to_html()
