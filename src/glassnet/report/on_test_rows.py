"""What a network gets right and wrong on the test rows, as the parts of a page."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.graph.pictures import picture_of
from glassnet.locales.catalogue import Words
from glassnet.nn.network import Network
from glassnet.report.axes import format_number
from glassnet.report.curves import Drawing, scatter
from glassnet.report.error_analysis import ErrorAnalysis, Fit, Mistake
from glassnet.report.images import full_of, weight_sheet
from glassnet.report.page_tables import class_table, confusion_table, fit_table, label_table, mistake_table
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
    if found.confusion is not None:
        classes = class_table(found.classes, words)
        confusion = confusion_table(found.confusion, [score.name for score in found.classes], words)
        shown, rows = len(found.mistakes), int(found.confusion.sum())
        about = words.say("mistakes_about", wrong=f"{found.wrong:,}", rows=f"{rows:,}", shown=shown)
        note = about if shown else words.say("no_mistakes")
    images = data.image_shape
    return SimpleNamespace(
        classes=classes,
        confusion=confusion,
        mistakes_note=note,
        mistakes=mistake_table(found.mistakes, words) if found.mistakes else None,
        pictures=_pictures(found.mistakes, data),
        weights=None if images is None or np.prod(images) != network.layers[0] else weight_sheet(network, images),
        fits=[_fit(fit, number, words) for number, fit in enumerate(found.fits[:MOST_FITS])],
        errors=fit_table(found.fits, words) if found.fits else None,
    )


def evaluation_tiles(found: Evaluation, words: Words, *, plain: bool = False) -> list[Tile]:
    """Return each measure with its interval, and the loss; shares as percentages, or plain as all numbers."""
    tiles = []
    for name, value in found.measures.items():
        form = "percent" if name in ("accuracy", "sensitivity", "specificity") and not plain else "number"
        more = ""
        if name in found.intervals:
            low, high = (format_number(end, form) for end in found.intervals[name])
            more = words.say("interval", low=low, high=high)
        tiles.append((words.say("test_of", measure=words.measure(name)), format_number(value, form), more))
    return [*tiles, (words.say("test_of", measure=words.measure("loss")), format_number(found.loss), "")]


def _pictures(mistakes: list[Mistake], data: Dataset) -> list[tuple[Mistake, str]]:
    """Return the mistakes with their images, where the rows are images."""
    if data.image_shape is None:
        return []
    images = data.test.X[[mistake.row for mistake in mistakes]]
    full = full_of(images, data.schema)
    return [(one, picture_of(image, data.image_shape, full)) for one, image in zip(mistakes, images, strict=True)]


def _fit(fit: Fit, number: int, words: Words) -> tuple[Drawing, str]:
    true, predicted = words.say("true"), words.say("predicted")
    title = fit.name or words.say("fit")

    def name(place: int) -> str:
        return f"{words.say('row')} {place + 1}"

    drawing = scatter(f"fit{number}", title, true, predicted, fit.true, fit.predicted, name)
    shown = len(drawing.points["curves"][0]["points"])
    if shown < len(fit.true):
        note = words.say("fit_thinned", shown=f"{shown:,}", rows=f"{len(fit.true):,}")
        drawing = replace(drawing, note=note)
    return drawing, title if title == words.say("fit") else f"{title}: {words.say('fit')}"
