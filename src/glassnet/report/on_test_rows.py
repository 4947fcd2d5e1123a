"""What a network gets right and wrong on the test rows, as the parts of a page."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from glassnet.charts.axes import format_number, percent_form
from glassnet.charts.curves import Scatter
from glassnet.charts.pictures import picture_of
from glassnet.charts.weights import WeightSheet, first_layer
from glassnet.data.dataset import Dataset
from glassnet.locales.catalogue import Words
from glassnet.nn.network import Network
from glassnet.report.error_analysis import ErrorAnalysis, Fit, Mistake
from glassnet.report.images import full_of
from glassnet.report.mistake_sheet import MistakeSheet
from glassnet.report.page_tables import class_table, confusion_table, fit_table, label_table, mistake_table
from glassnet.report.run_curves import Shown
from glassnet.training.metrics import Evaluation

#: Outputs whose predictions are drawn against the truth.
MOST_FITS = 4

#: A name, a value, and what more there is to the value.
Tile = tuple[str, str, str]


def show_test_rows(found: ErrorAnalysis, network: Network, data: Dataset, words: Words) -> SimpleNamespace:
    """Put what a network gets right and wrong into tables, pictures and charts, as the templates name them.

    The first layer is drawn where the network's inputs are images.
    """
    classes = label_table(found.labels, words) if found.labels else None
    confusion, note = None, ""
    matrix = None if found.confusion is None else replace(found.confusion, language=words.language)
    if matrix is not None:
        classes, confusion = class_table(found.classes, words), confusion_table(matrix, words)
        shown, rows = len(found.mistakes), int(matrix.counts.sum())
        about = words.say("mistakes_about", wrong=f"{found.wrong:,}", rows=f"{rows:,}", shown=shown)
        note = about if shown else words.say("no_mistakes")
    sheet = _sheet(found.mistakes, data, words)
    weights = first_layer(network, words.say("weights"), data.image_shape)
    return SimpleNamespace(
        classes=classes,
        confusion=confusion,
        matrix=matrix,
        mistakes_note=note,
        mistakes=mistake_table(found.mistakes, words) if found.mistakes else None,
        pictures=[] if sheet is None else _pictures(sheet),
        sheet=sheet,
        weights=weights if isinstance(weights, WeightSheet) else None,
        fits=[_fit(fit, words) for fit in found.fits[:MOST_FITS]],
        errors=fit_table(found.fits, words) if found.fits else None,
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


def _sheet(mistakes: list[Mistake], data: Dataset, words: Words) -> MistakeSheet | None:
    """Return the mistakes with their images, where the rows are images."""
    if data.image_shape is None or not mistakes:
        return None
    images = data.test.X[[mistake.row for mistake in mistakes]]
    return MistakeSheet(mistakes, images, data.image_shape, full_of(images, data.schema), words)


def _pictures(sheet: MistakeSheet) -> list[tuple[Mistake, str]]:
    """Return the mistakes with the addresses of their images."""
    pairs = zip(sheet.mistakes, sheet.images, strict=True)
    return [(one, picture_of(image, sheet.image_shape, sheet.full)) for one, image in pairs]


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
