"""Tables of a report: made once, shown as HTML and as Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from glassnet.charts.axes import PERCENT, format_number, percent_form
from glassnet.charts.confusion import Confusion
from glassnet.charts.tables import Cell, Rows, Table
from glassnet.data.dataset import Dataset
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array
from glassnet.report.error_analysis import Answer, Fit, LabelScore
from glassnet.report.row_values import read_values
from glassnet.training.history import COLUMNS, History
from glassnet.training.metrics import ClassScore

#: Larger confusion matrices are not shown whole.
MOST_CLASSES = 40

#: Longer names of classes stand upright over a confusion matrix.
SHORT_NAME = 4

#: Mistakes that are counted out of a larger one.
MOST_CONFUSIONS = 20

#: Rows of a history; of a longer one every second, third, ... epoch is listed.
MOST_EPOCHS = 200


def share(value: float | None) -> str:
    """Return a share with three digits, a dash for none."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.3f}"


def history_table(history: History, words: Words) -> Table:
    """Return the epochs of a run; columns that it has no values for are left out."""
    records = list(history)
    every = math.ceil(len(records) / MOST_EPOCHS) or 1
    chosen = [record for place, record in enumerate(records) if place % every == 0 or place == len(records) - 1]
    measures = list(records[-1].measures) if records else []
    columns = [name for name in (*COLUMNS, *measures) if name != "threads"]
    columns = [name for name in columns if any(record.row().get(name) is not None for record in records)]
    heads = {"seconds": words.say("epoch_seconds")}
    rows: Rows = []
    for record in chosen:
        values = record.row()
        rows.append([_number(name, values.get(name)) for name in columns])
    note = words.say("every_epoch", n=every) if every > 1 else ""
    header = [heads.get(name) or words.measure(name) for name in columns]
    return Table(words.say("all_numbers"), header, rows, text=(), note=note, key="history")


def _number(column: str, value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    if column == "epoch":
        return str(int(value))
    if "accuracy" in column:
        return f"{value:.4f}"
    if column == "seconds":
        return f"{value:.2f}"
    return f"{value:.4f}" if "loss" in column and 0.001 <= value < 1000 else format_number(value)


def class_table(scores: Sequence[ClassScore], words: Words) -> Table:
    """Return precision, recall, F1 and number of rows of every class."""
    heads = [words.say(key) for key in ("class", "precision", "recall", "measures.f1", "support", "taken_for")]
    rows: Rows = [
        [
            score.name,
            share(score.precision),
            share(score.recall),
            share(score.f1),
            f"{score.rows:,}",
            f"{score.taken_for} ({score.taken_for_rows:,})" if score.taken_for else "–",
        ]
        for score in scores
    ]
    return Table(words.say("class_scores"), heads, rows, text=(0, 5), key="class-scores")


def label_table(scores: Sequence[LabelScore], words: Words) -> Table:
    """Return how well every label is recognised, where a row has several."""
    keys = ("label", "precision", "measures.sensitivity", "measures.specificity", "measures.auc", "positives")
    heads = [words.say(key) for key in keys]
    rows: Rows = [
        [s.name, share(s.precision), share(s.sensitivity), share(s.specificity), share(s.auc), f"{s.rows:,}"]
        for s in scores
    ]
    return Table(words.say("label_scores"), heads, rows, key="label-scores")


def confusion_table(found: Confusion, words: Words) -> Table:
    """Return how often each class was taken for each other, shaded by the share of the true class.

    With more than `MOST_CLASSES` classes it is a list of the most frequent mistakes.
    """
    names = found.names
    if len(names) > MOST_CLASSES:
        return _most_frequent(found.counts, names, words)
    rows: Rows = [
        [name, *(Cell(f"{int(count):,}", float(shade)) for count, shade in zip(counts, shades, strict=True))]
        for name, counts, shades in zip(names, found.counts, found.shades, strict=True)
    ]
    heads, note = [words.say("true_predicted"), *names], words.say("confusion_about")
    turned = max(map(len, names)) > SHORT_NAME
    return Table(words.say("confusion"), heads, rows, note=note, turned=turned, dense=True, key=found.key)


def _most_frequent(confusion: Array, names: Sequence[str], words: Words) -> Table:
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    worst = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSIONS]
    pairs = [np.unravel_index(place, wrong.shape) for place in worst if wrong.flat[place]]
    rows: Rows = [[names[true], names[said], f"{int(wrong[true, said]):,}"] for true, said in pairs]
    left, unlisted = np.count_nonzero(wrong) - len(pairs), wrong.sum() - sum(wrong[pair] for pair in pairs)
    note = words.say("confusion_large", n=len(names), most=len(rows), left=left, rows=unlisted)
    heads = [words.say(key) for key in ("true", "predicted", "rows")]
    return Table(words.say("confusion"), heads, rows, text=(0, 1), note=note, key="confusions")


def mistake_table(
    answers: Sequence[Answer], words: Words, columns: Sequence[str] = (), values: Sequence[Sequence[Cell]] = ()
) -> Table:
    """Return answers, with the values of some columns of their rows; a bar shows each probability."""
    heads = [words.say(key) for key in ("row", "true", "predicted", "probability", "measures.loss")]
    rows: Rows = [
        [
            str(m.row + 1),
            m.true,
            m.predicted,
            Cell(probability(m.probability, words), bar=m.probability or 0.0),
            format_number(m.loss),
        ]
        for m in answers
    ]
    rows = [[*row, *more] for row, more in zip(rows, values or [()] * len(rows), strict=True)]
    text = (0, 1, 2, *range(5, 5 + len(columns)))
    return Table(words.say("mistakes"), [*heads, *columns], rows, text=text, key="worst-mistakes")


def furthest_table(fit: Fit, data: Dataset, words: Words, important: Sequence[str] = ()) -> Table:
    """Return the test rows whose numbers are furthest off, with the values of some of their columns."""
    places = fit.furthest()
    columns, values = read_values(data, places, important)
    rows: Rows = [
        [
            str(row + 1),
            *map(format_number, (fit.true[row], fit.predicted[row], fit.predicted[row] - fit.true[row])),
            *more,
        ]
        for row, more in zip(places, values, strict=True)
    ]
    heads = [words.say(key) for key in ("row", "true", "predicted", "error")]
    text = (0, *range(4, 4 + len(columns)))
    return Table(words.say("worst_rows"), [*heads, *columns], rows, text=text, key="worst-rows")


def probability(value: float | None, words: Words) -> str:
    """Return a probability as a percentage, a dash for none; never 100 % where it is less."""
    if value is None:
        return "–"
    sign = PERCENT[percent_form(words)]
    return f"> 99.9{sign}" if 0.9995 <= value < 1 else f"{100 * value:.1f}{sign}"


def fit_table(fits: Sequence[Fit], words: Words) -> Table:
    """Return the errors of every output, where the targets are numbers."""
    heads = [
        words.say(key)
        for key in ("output", "typical_error", "nine_of_ten", "mean_error", "largest_error", "correlation")
    ]
    rows: Rows = []
    for fit in fits:
        errors = fit.sizes
        varies = np.ptp(fit.true) > 0 and np.ptp(fit.predicted) > 0
        correlation = float(np.corrcoef(fit.true, fit.predicted)[0, 1]) if varies else None
        rows.append(
            [
                Cell(fit.name, code=True) if fit.name else words.say("fit"),
                *(format_number(float(one)) for one in np.quantile(errors, [0.5, 0.9])),
                format_number(errors.mean()),
                format_number(errors.max()),
                share(correlation),
            ]
        )
    return Table(words.say("fit_table"), heads, rows, key="errors")
