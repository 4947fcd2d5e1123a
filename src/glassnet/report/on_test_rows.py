"""What a network gets right and wrong on the test rows, as the parts of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from glassnet.charts.axes import format_number, percent_form
from glassnet.charts.bars import histogram
from glassnet.charts.curves import Scatter
from glassnet.charts.pictures import picture_of
from glassnet.charts.tables import Table
from glassnet.charts.weights import WeightSheet, first_layer
from glassnet.data.dataset import Dataset
from glassnet.locales.catalogue import Words
from glassnet.nn.network import Network
from glassnet.report.error_analysis import Answer, ErrorAnalysis, Fit
from glassnet.report.images import full_of
from glassnet.report.mistake_sheet import MistakeSheet
from glassnet.report.page_tables import (
    class_table,
    confusion_table,
    fit_table,
    furthest_table,
    label_table,
    mistake_table,
)
from glassnet.report.row_values import read_values
from glassnet.report.run_curves import Shown, show
from glassnet.training.metrics import Evaluation

#: Outputs whose predictions are drawn against the truth.
MOST_FITS = 4

#: A name, a value, and what more there is to the value.
Tile = tuple[str, str, str]


def show_test_rows(
    found: ErrorAnalysis, network: Network, data: Dataset, words: Words, important: Sequence[str] = ()
) -> SimpleNamespace:
    """Put what a network gets right and wrong into tables, pictures and charts, as the templates name them.

    The first layer is drawn where the network's inputs are images. Of rows of a table the `important` columns are
    shown first.
    """
    classes = label_table(found.labels, words) if found.labels else None
    confusion, note = None, ""
    matrix = None if found.confusion is None else replace(found.confusion, language=words.language)
    if matrix is not None:
        classes, confusion = class_table(found.classes, words), confusion_table(matrix, words)
        shown, rows = len(found.mistakes), int(matrix.counts.sum())
        about = words.say("mistakes_about", n=found.wrong, rows=f"{rows:,}", shown=shown)
        note = about if shown else words.say("no_mistakes")
    sheets = {key: _sheet(key, getattr(found, key), data, words) for key in ("mistakes", "right")}
    tables = {key: _table(key, getattr(found, key), data, words, important) for key in ("mistakes", "right")}
    weights = first_layer(network, words.say("weights"), data.image_shape)
    n_right = 0 if matrix is None else int(np.trace(matrix.counts))
    return SimpleNamespace(
        classes=classes,
        confusion=confusion,
        matrix=matrix,
        mistakes_note=note,
        mistakes=tables["mistakes"],
        pictures=_pictures(sheets["mistakes"]),
        sheet=sheets["mistakes"],
        right_note=words.say("right_about", shown=len(found.right), n=n_right) if found.right else "",
        right=tables["right"],
        right_pictures=_pictures(sheets["right"]),
        right_sheet=sheets["right"],
        weights=weights if isinstance(weights, WeightSheet) else None,
        fits=[one for fit in found.fits[:MOST_FITS] for one in (_fit(fit, words), _errors(fit, words))],
        fit_notes=[_describe_fit(fit, words) for fit in found.fits[:MOST_FITS]],
        errors=fit_table(found.fits, words) if found.fits else None,
        furthest=[furthest_table(fit, data, words, important) for fit in found.fits[:1]],
    )


def evaluation_tiles(found: Evaluation, words: Words, *, plain: bool = False) -> list[Tile]:
    """Return each measure with its interval, and the loss; shares as percentages, or plain as all numbers."""
    tiles = []
    for name, value in found.measures.items():
        form = (
            percent_form(words) if name in ("accuracy", "sensitivity", "specificity") and not plain else "number"
        )
        more = ""
        if name in found.intervals:
            low, high = (format_number(end, form) for end in found.intervals[name])
            more = words.say("interval", low=low, high=high)
        tiles.append((words.say("test_of", measure=words.measure(name)), format_number(value, form), more))
    return [*tiles, (words.say("test_of", measure=words.measure("loss")), format_number(found.loss), "")]


def _sheet(key: str, answers: list[Answer], data: Dataset, words: Words) -> MistakeSheet | None:
    """Return answers with their images, where the rows are images."""
    if data.image_shape is None or not answers:
        return None
    images = data.test.X[[answer.row for answer in answers]]
    title, name = ("worst-mistakes", "mistakes") if key == "mistakes" else ("right-answers", "right_answers")
    full = full_of(images, data.schema)
    return MistakeSheet(answers, images, data.image_shape, full, words, title, words.say(name))


def _table(key: str, answers: list[Answer], data: Dataset, words: Words, important: Sequence[str]) -> Table | None:
    """Return answers with the values of their rows."""
    if not answers:
        return None
    values = read_values(data, [answer.row for answer in answers], important)
    if key == "mistakes":
        return mistake_table(answers, words, *values)
    table = mistake_table(answers, words, *values)
    return replace(table, caption=words.say("right_answers"), key="right-answers")


def _pictures(sheet: MistakeSheet | None) -> list[tuple[Answer, str]]:
    """Return answers with the addresses of their images."""
    if sheet is None:
        return []
    pairs = zip(sheet.mistakes, sheet.images, strict=True)
    return [(one, picture_of(image, sheet.image_shape, sheet.full)) for one, image in pairs]


def _errors(fit: Fit, words: Words) -> Shown:
    """Return how many rows are off by how much, and in which direction."""
    errors = fit.predicted - fit.true
    low, high = np.quantile(errors, [0.005, 0.995])
    title = words.say("errors_of", name=fit.name or words.say("the_target"))
    return show(histogram("errors", title, errors, words, (low, high)), words)


def _describe_fit(fit: Fit, words: Words) -> str:
    half, most = (format_number(one) for one in np.quantile(fit.sizes, [0.5, 0.9]))
    low, high = (format_number(float(end)) for end in (fit.true.min(), fit.true.max()))
    name = fit.name or words.say("the_target")
    return words.say("fit_errors", name=name, half=half, most=most, low=low, high=high)


def _fit(fit: Fit, words: Words) -> Shown:
    true, predicted = words.say("true"), words.say("predicted")
    title = fit.name or words.say("fit")

    def name(place: int) -> str:
        return f"{words.say('row')} {place + 1}"

    chart = Scatter("predicted-against-true", title, true, predicted, fit.true, fit.predicted, name)
    if len(chart.shown) < len(fit.true):
        note = words.say("fit_thinned", shown=f"{len(chart.shown):,}", rows=f"{len(fit.true):,}")
        chart = replace(chart, note=note)
    return chart.draw(), title if title == words.say("fit") else f"{title}: {words.say('fit')}"
