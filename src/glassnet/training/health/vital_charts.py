"""What was measured of a network's layers while it learned, as charts: a curve a layer, over the steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from glassnet.charts.axes import percent_form
from glassnet.charts.curves import Chart, Curve
from glassnet.errors import UsageError
from glassnet.locales.catalogue import Words
from glassnet.training.health.vitals import LayerVitals, Vitals

#: Layers that a chart has curves for; of more, so many are drawn, evenly chosen, with the first and the last.
MOST_LAYERS = 8

#: |step of W| / |W| as it usually is (Karpathy 2019, "A recipe for training neural networks").
USUAL_UPDATE = 1e-3


class Measure(NamedTuple):
    """A number of a layer: what it is called, its title in `Words`, what it is, and how a chart shows it."""

    name: str
    title: str
    of: Callable[[LayerVitals], float | None]
    scale: str = "auto"


#: What has a chart where it is anywhere above zero.
SHARES = (
    Measure("dead_units", "dead_title", lambda layer: len(layer.dead) / layer.units),
    Measure("saturated_units", "saturated_title", lambda layer: len(layer.saturated) / layer.units),
)

#: What has one in any case.
SIZES = (
    Measure("pre_activation_spread", "spread_title", lambda layer: layer.pre_activation_spread),
    Measure("update_ratio", "update_title", lambda layer: layer.update_ratio, scale="logarithmic"),
    Measure("gradient_norm", "gradient_title", lambda layer: layer.gradient_norm, scale="logarithmic"),
)

MEASURES = {measure.name: measure for measure in (*SHARES, *SIZES)}


def vital_chart(vitals: Sequence[Vitals], name: str, words: Words) -> Chart:
    """Return the chart of one of `MEASURES`; another name is a UsageError."""
    if name not in MEASURES:
        raise UsageError("measure", f"must be one of {', '.join(MEASURES)}, got {name!r}")
    measure, depth = MEASURES[name], len(vitals[0].layers) if vitals else 0
    steps = [float(one.step) for one in vitals]
    curves = []
    for place in choose_evenly(depth, MOST_LAYERS):
        label = words.say("layer_out" if place == depth - 1 else "layer_n", n=place + 1)
        curves.append(Curve(label, steps, [measure.of(one.layers[place]) for one in vitals]))
    if measure in SHARES and curves and not any(curves[-1].mean):  # an output seldom can be ill
        curves = curves[:-1]
    return Chart(
        name.replace("_", "-"),
        words.say(measure.title),
        words.say("step"),
        [curve for curve in curves if len(curve.values)],
        percent_form(words) if measure in SHARES else "number",
        measure.scale,
        spread="steps",
        mark=(USUAL_UPDATE, words.say("usual_update", value=f"{USUAL_UPDATE:g}"))
        if name == "update_ratio"
        else None,
    )


def choose_evenly(n: int, most: int) -> list[int]:
    """Return at most so many of n places, evenly spread, the first and the last among them."""
    return sorted({round(place) for place in np.linspace(0, n - 1, min(n, most))})
