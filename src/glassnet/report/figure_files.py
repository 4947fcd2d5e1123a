"""All charts and tables of a page as files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from glassnet.charts.curves import Drawing
from glassnet.charts.painting import FORMATS, Painted, figure_of, render, saying_missing_letters
from glassnet.charts.tables import Table
from glassnet.errors import FileError, UsageError
from glassnet.runtime.files import write_bytes

#: What a viewer of Markdown can show, the best first.
SHOWN = ("svg", "png")


def choose_formats(text: str) -> list[str]:
    """Return formats that are given with commas between them, or refuse them."""
    formats = list(dict.fromkeys(part.strip().lower() for part in text.split(",")))
    if unknown := [one for one in formats if one not in FORMATS]:
        raise UsageError("format", f"must be some of {', '.join(FORMATS)}, with commas, got {unknown[0]!r}")
    return formats


@dataclass
class FigureFiles:
    """Where the charts and tables of a page are written, in which formats; then the files that were."""

    folder: Path
    formats: Sequence[str] = FORMATS
    written: list[Path] = field(default_factory=list)
    _links: dict[int, str] = field(default_factory=dict)

    def write(self, report: SimpleNamespace, page: Path) -> None:
        """Write all charts and tables of a report, whose page will stand in this folder.

        A file that is there is replaced. Raises FileError if the folder or a file cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(self.folder, f"cannot be made: {error.strerror}; choose another folder") from None
        seen: Counter[tuple[bool, str]] = Counter()
        with saying_missing_letters():
            for one in _find(report):
                is_table = isinstance(one, Table)
                seen[is_table, one.key] += 1
                key = one.key if seen[is_table, one.key] == 1 else f"{one.key}-{seen[is_table, one.key]}"
                if is_table:
                    self._save(f"{key}.csv", one.to_csv().encode())
                    self._save(f"{key}.tex", one.to_latex().encode())
                else:
                    self._draw(one, key, page)

    def _save(self, name: str, content: bytes) -> None:
        self.written.append(self.folder / name)
        write_bytes(self.written[-1], content)

    def _draw(self, chart: Painted, key: str, page: Path) -> None:
        figure = figure_of(chart)
        for kind in self.formats:
            self._save(f"{key}.{kind}", render(figure, kind))
        kind = next((one for one in SHOWN if one in self.formats), self.formats[0])
        path = os.path.relpath(self.folder / f"{key}.{kind}", page)
        self._links[id(chart)] = quote(Path(path).as_posix())

    def link(self, chart: Painted) -> str:
        """Return the Markdown that shows a chart, or leads to it; nothing where it was not written."""
        address = self._links.get(id(chart), "")
        if not address:
            return ""
        return f"{'' if address.endswith('.pdf') else '!'}[{chart.key}]({address})"


def _find(value: Any) -> Iterator[Any]:
    """Yield the charts and tables in the parts of a report, in their order."""
    if isinstance(value, Drawing):
        yield value.chart
    elif isinstance(value, Table) or hasattr(value, "paint"):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _find(one)
    elif isinstance(value, SimpleNamespace) or (is_dataclass(value) and not isinstance(value, type)):
        yield from _find(list(vars(value).values()))
