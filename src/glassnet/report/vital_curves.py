"""What was measured of a network's layers while it learned, as small charts and as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from glassnet.charts.axes import format_number
from glassnet.charts.tables import Rows, Table
from glassnet.locales.catalogue import Words
from glassnet.report.run_curves import Shown, show
from glassnet.training.health.vital_charts import MOST_LAYERS, SHARES, SIZES, choose_evenly, vital_chart
from glassnet.training.health.vitals import Vitals

#: Examinations that the table lists, chosen likewise.
MOST_EXAMINATIONS = 10


def vital_curves(vitals: Sequence[Vitals], words: Words) -> tuple[list[Shown], list[str]]:
    """Lay out what was measured, a small chart a measure, over the steps of training: a curve a layer.

    Returns the drawings, each with a sentence for those who cannot see it, and what is to be known about them.
    Dead and saturated units have charts only where there were any. A single examination makes no curves.
    """
    if not vitals:
        return [], []
    depth = len(vitals[0].layers)
    ill = [share for share in SHARES if any(share.of(layer) for one in vitals for layer in one.layers)]
    calm = {"": "all_alive", "saturated_units": "none_dead", "dead_units": "none_saturated"}.get(
        "".join(s.name for s in ill)
    )
    notes = [words.say("vitals_about", n=len(vitals)), *([words.say(calm)] if calm else [])]
    if len(vitals) == 1:
        return [], notes
    if depth > MOST_LAYERS:
        notes.append(words.say("some_layers", n=depth, shown=MOST_LAYERS))
    charts = [vital_chart(vitals, measure.name, words) for measure in (*ill, *SIZES)]
    return [show(chart, words) for chart in charts if chart.curves], notes


def vital_table(vitals: Sequence[Vitals], words: Words) -> Table:
    """Return the same numbers, a row for each layer at each examination."""
    chosen = choose_evenly(len(vitals), MOST_EXAMINATIONS)
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
    return Table(words.say("vitals_table"), heads, rows, text=(), note=note, key="vitals")
