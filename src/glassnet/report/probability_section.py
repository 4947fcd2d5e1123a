"""Whether a network's probabilities can be trusted, and where to draw the line, as parts of a page."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

from glassnet.charts.axes import format_known, format_number
from glassnet.charts.tables import Cell, Rows, Table
from glassnet.errors import DataError, UsageError
from glassnet.locales.catalogue import Words
from glassnet.report.run_curves import show
from glassnet.training.inspection.calibration import Calibration, calibrate
from glassnet.training.inspection.ranking import RankingCurves, ranking_curves
from glassnet.training.inspection.thresholds import Thresholds, weigh_thresholds
from glassnet.training.metrics import Predictions

#: Classes whose areas are listed.
MOST_CLASSES = 40


def show_probabilities(test: Predictions | None, words: Words) -> SimpleNamespace | None:
    """Draw ROC, precision-recall and calibration of answers on test rows; None where they are no probabilities."""
    if test is None:
        return None
    try:
        curves, calibration = ranking_curves(test), calibrate(test)
    except (UsageError, DataError):
        return None
    about = words.say("ranking_about", name=curves.curves[0].name)
    if not calibration.positive:
        about = words.say("ranking_about_several", n=len(curves.curves), shown=len(curves.shown))
    error, brier = f"{calibration.error:.3f}", f"{calibration.brier:.3f}"
    return SimpleNamespace(
        about=about,
        drawings=[show(curves.chart(words), words), show(curves.chart(words, "precision-recall"), words)],
        areas=_tabulate_areas(curves, words),
        calibration_about=words.say("calibration_about", error=error, brier=brier),
        calibration=[show(calibration.chart(words), words), show(calibration.counts_chart(words), words)],
        table=_tabulate_calibration(calibration, words),
    )


def _tabulate_areas(curves: RankingCurves, words: Words) -> Table:
    heads = [words.say(key) for key in ("class", "measures.auc", "average_precision", "rows")]
    rows: Rows = [
        [one.name, f"{one.auc:.4f}", f"{one.average_precision:.4f}", f"{one.positives:,}"]
        for one in curves.curves[:MOST_CLASSES]
    ]
    n, shown = len(curves.curves), len(rows)
    note = words.say("classes_listed", shown=shown, n=n) if shown < n else ""
    return Table(words.say("areas"), heads, rows, note=note, key="areas")


def _tabulate_calibration(found: Calibration, words: Words) -> Table:
    heads = [words.say(key) for key in ("probability", "rows", "mean_probability")]
    heads.append(words.say("share_that_is", name=found.positive) if found.positive else words.say("share_right"))
    rows: Rows = []
    for place, count in enumerate(found.counts):
        low, high = found.edges[place], found.edges[place + 1]
        values = [format_number(float(one[place])) for one in (found.predicted, found.observed)]
        rows.append([f"{low:.1f} – {high:.1f}", f"{count:,}", *values])
    return Table(words.say("calibration_table"), heads, rows, key="calibration")


def show_thresholds(
    validation: Predictions | None, test: Predictions | None, words: Words
) -> SimpleNamespace | None:
    """Choose thresholds on validation rows, and judge them there and on test rows; None without two classes."""
    try:
        chosen, judged = _weigh(validation), _weigh(test)
    except UsageError:
        return None
    if chosen is None and judged is None:
        return None
    if chosen is None:
        return SimpleNamespace(about=words.say("thresholds_test_only"), drawing=None, table=None)
    return SimpleNamespace(
        about=words.say("thresholds_about", name=chosen.positive, rows=len(chosen.truth)),
        drawing=show(chosen.chart(words), words),
        table=_tabulate_thresholds(chosen, judged, words),
    )


def _weigh(predictions: Predictions | None) -> Thresholds | None:
    """Measure the thresholds on some rows; None where there are no rows, or rows of one class only."""
    if predictions is None:
        return None
    with contextlib.suppress(DataError):
        return weigh_thresholds(predictions)
    return None


def _tabulate_thresholds(chosen: Thresholds, judged: Thresholds | None, words: Words) -> Table:
    keys = ("threshold_choice", "threshold", "judged_rows", "precision", "recall")
    heads = [words.say(key) for key in (*keys, "measures.specificity", "measures.f1", "called_positive")]
    choices = {
        "threshold_half": 0.5,
        "threshold_f1": chosen.best("f1").threshold,
        "threshold_youden": chosen.best("youden").threshold,
    }
    rows: Rows = []
    for key, threshold in choices.items():
        for name, thresholds in (("validation_rows", chosen), ("test_rows", judged)):
            if thresholds is None:
                continue
            one = thresholds.at(threshold)
            shares = [format_known(value, ".3f") for value in (one.precision, one.recall, one.specificity, one.f1)]
            rows.append([Cell(words.say(key)), f"{threshold:.3f}", words.say(name), *shares, f"{one.called:,}"])
    return Table(words.say("thresholds"), heads, rows, text=(0, 2), key="thresholds")
