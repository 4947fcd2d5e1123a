"""What was measured of a network's layers while it learned, as small charts and as a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from glassnet.locales.catalogue import Words
from glassnet.report.axes import format_number
from glassnet.report.curves import Chart, Curve, Drawing, draw
from glassnet.report.page_tables import Rows, Table
from glassnet.report.run_curves import describe_chart
from glassnet.training.health.vitals import LayerVitals, Vitals

#: Layers that a chart has curves for; of more, so many are drawn, evenly chosen, with the first and the last.
MOST_LAYERS = 8

#: Examinations that the table lists, chosen likewise.
MOST_EXAMINATIONS = 10

#: |step of W| / |W| as it usually is (Karpathy 2019, "A recipe for training neural networks").
USUAL_UPDATE = 1e-3


class Measure(NamedTuple):
    """A number of a layer: its name in `Words` (``KEY_title``), what it is, and how a chart shows it."""

    key: str
    of: Callable[[LayerVitals], float | None]
    form: str = "number"
    scale: str = "auto"


#: What has a chart where it is anywhere above zero.
SHARES = (
    Measure("dead", lambda layer: len(layer.dead) / layer.units, "percent"),
    Measure("saturated", lambda layer: len(layer.saturated) / layer.units, "percent"),
)

#: What has one in any case.
SIZES = (
    Measure("spread", lambda layer: layer.pre_activation_spread),
    Measure("update", lambda layer: layer.update_ratio, scale="logarithmic"),
    Measure("gradient", lambda layer: layer.gradient_norm, scale="logarithmic"),
)


def vital_curves(vitals: Sequence[Vitals], words: Words) -> tuple[list[tuple[Drawing, str]], list[str]]:
    """Lay out what was measured, a small chart a measure, over the steps of training: a curve a layer.

    Returns the drawings, each with a sentence for those who cannot see it, and what is to be known about them.
    Dead and saturated units have charts only where there were any. A single examination makes no curves.
    """
    if not vitals:
        return [], []
    depth = len(vitals[0].layers)
    layers = _choose_evenly(depth, MOST_LAYERS)
    ill = [share for share in SHARES if any(share.of(layer) for one in vitals for layer in one.layers)]
    calm = {"": "all_alive", "saturated": "none_dead", "dead": "none_saturated"}.get("".join(s.key for s in ill))
    notes = [words.say("vitals_about", n=len(vitals)), *([words.say(calm)] if calm else [])]
    if len(vitals) == 1:
        return [], notes
    if len(layers) < depth:
        notes.append(words.say("some_layers", n=depth, shown=len(layers)))
    charts = [_chart(measure, vitals, layers, words) for measure in (*ill, *SIZES)]
    return [(draw(chart), describe_chart(chart, words)) for chart in charts if chart.curves], notes


def _chart(measure: Measure, vitals: Sequence[Vitals], layers: list[int], words: Words) -> Chart:
    depth, steps = len(vitals[0].layers), [float(one.step) for one in vitals]
    curves = []
    for place in layers:
        name = words.say("layer_out" if place == depth - 1 else "layer_n", n=place + 1)
        curves.append(Curve(name, steps, [measure.of(one.layers[place]) for one in vitals]))
    if measure in SHARES and not any(curves[-1].mean):  # an output seldom can be ill
        curves = curves[:-1]
    return Chart(
        measure.key,
        words.say(f"{measure.key}_title"),
        words.say("step"),
        [curve for curve in curves if len(curve.values)],
        measure.form,
        measure.scale,
        spread="steps",
        mark=(USUAL_UPDATE, words.say("usual_update", value="1e-3")) if measure.key == "update" else None,
    )


def _choose_evenly(n: int, most: int) -> list[int]:
    """Return at most so many of n places, evenly spread, the first and the last among them."""
    return sorted({round(place) for place in np.linspace(0, n - 1, min(n, most))})


def vital_table(vitals: Sequence[Vitals], words: Words) -> Table:
    """Return the same numbers, a row for each layer at each examination."""
    chosen = _choose_evenly(len(vitals), MOST_EXAMINATIONS)
    heads = [words.say("step"), words.say("layer"), words.measure("dead_units"), words.measure("saturated_units")]
    heads += [words.say("spread"), words.measure("update_ratio"), words.measure("gradient_norm")]
    rows: Rows = [
        [
            f"{vitals[place].step:,}",
            str(layer.layer),
            *(f"{len(units)} / {layer.units}" for units in (layer.dead, layer.saturated)),
            *(
                "–" if value is None or not math.isfinite(value) else format_number(value)
                for value in (layer.pre_activation_spread, layer.update_ratio, layer.gradient_norm)
            ),
        ]
        for place in chosen
        for layer in vitals[place].layers
    ]
    fewer = len(chosen) < len(vitals)
    note = words.say("some_examinations", shown=len(chosen), n=len(vitals)) if fewer else ""
    return Table(words.say("vitals_table"), heads, rows, text=(), note=note)
