"""The curves of a run over its epochs, as charts in a reader's words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from glassnet.charts.axes import percent_form
from glassnet.charts.curves import Chart, Curve
from glassnet.errors import UsageError
from glassnet.locales.catalogue import Words


class Epochs(Protocol):
    """A `History`: its columns by name."""

    def __len__(self) -> int:
        """Return the number of epochs."""

    def __getitem__(self, column: str) -> list[float | None]:
        """Return a column, or raise KeyError."""

    @property
    def columns(self) -> list[str]:
        """The names of all columns."""

    @property
    def kept(self) -> int | None:
        """The epoch whose parameters the network ended with, where early stopping chose it."""


def curve_of(label: str, histories: Sequence[Epochs], column: str) -> Curve | None:
    """Return a column of the histories, ``"validation_loss"`` for example, as a curve; None where no run has it.

    Several histories are of runs that differ in their seed. The line is their mean, the band goes from the lowest
    to the highest of them, over the epochs that all of them have.
    """
    epochs = min((len(history) for history in histories), default=0)
    if not epochs or any(column not in history.columns for history in histories):
        return None
    table = [history[column][:epochs] for history in histories]
    rows = np.array([[math.nan if value is None else value for value in row] for row in table], dtype=float)
    if not np.isfinite(rows).any():
        return None
    mean = rows.mean(axis=0)
    x = [float(epoch or 0) for epoch in histories[0]["epoch"][:epochs]]
    band = (rows.min(axis=0).tolist(), rows.max(axis=0).tolist()) if len(histories) > 1 else (None, None)
    return Curve(label, x, mean.tolist(), *band)


def learning_charts(history: Epochs, words: Words) -> list[Chart]:
    """Return a run's charts: loss, accuracy, measures that were asked for, and a learning rate that changes."""
    columns = history.columns
    names = ["loss", "accuracy", *columns[columns.index("update_ratio") + 1 :]]
    names += ["learning_rate"] if len(set(history["learning_rate"])) > 1 else []
    charts = [learning_chart(history, name, words) for name in names]
    return [chart for chart in charts if chart.curves]


def learning_chart(history: Epochs, name: str, words: Words) -> Chart:
    """Return the chart of a measure: the loss or accuracy of both parts of the rows, or another column.

    A metric that was asked for goes by its own name, or by that of its column. Raises UsageError if there is none.
    """
    epoch = words.measure("epoch")
    place = None if history.kept is None else (float(history.kept), words.say("kept_epoch", epoch=history.kept))
    if name in ("loss", "accuracy"):
        pairs = (("training", f"train_{name}"), ("validation", f"validation_{name}"))
        both = [curve_of(words.say(label), [history], column) for label, column in pairs]
        form = percent_form(words) if name == "accuracy" else "number"
        curves = [one for one in both if one is not None]
        return Chart(name, words.say(f"{name}_title"), epoch, curves, form, place=place)
    column = name if name in history.columns else f"validation_{name}"
    if column not in history.columns:
        known = ", ".join(["loss", "accuracy", *history.columns])
        raise UsageError("measure", f"there is no {name!r} in the history; choose one of {known}")
    title, label = words.measure(column), words.measure(column)
    if column.startswith("validation_"):
        title = words.say("measure_title", measure=words.measure(column.removeprefix("validation_")))
        label = words.say("validation")
    curve = curve_of(label, [history], column)
    key, title = column.replace("_", "-"), title[:1].upper() + title[1:]
    scale = "linear" if column == "learning_rate" else "auto"
    return Chart(key, title, epoch, [] if curve is None else [curve], scale=scale, place=place)
