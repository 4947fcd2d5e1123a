from tests.loops import for_each

from glassnet.locales.catalogue import Words
from glassnet.report.vital_curves import MOST_EXAMINATIONS, vital_curves, vital_table
from glassnet.runtime.records import adapter_of
from glassnet.training.health.vital_charts import MOST_LAYERS
from glassnet.training.health.vitals import Vitals

from .conftest import examined, layer_vitals

WORDS = Words("en")


def vitals(*records):
    return [adapter_of(Vitals).validate_python(record) for record in records]


def charts(found):
    drawings, _ = vital_curves(found, WORDS)
    return {drawing.chart.key: drawing for drawing, _ in drawings}


def values(drawing):
    """Every curve's texts of step and value, by its name."""
    return {curve["label"]: [point[2:] for point in curve["points"]] for curve in drawing.points["curves"]}


RUN = vitals(
    examined(
        0,
        layer_vitals(1, 4, dead=[0], pre_activation_spread=7.5, update_ratio=None, gradient_norm=3.0),
        layer_vitals(2, 2, update_ratio=None, gradient_norm=0.0),
    ),
    examined(
        16,
        layer_vitals(1, 4, dead=[0, 1, 3], pre_activation_spread=2.5, update_ratio=0.004, gradient_norm=0.5),
        layer_vitals(2, 2, pre_activation_spread=None, update_ratio=0.0, gradient_norm=None),
    ),
)


def test_a_chart_shows_what_was_measured_a_curve_a_layer():
    found = charts(RUN)
    assert list(found) == ["dead-units", "pre-activation-spread", "update-ratio", "gradient-norm"]
    assert values(found["dead-units"]) == {"layer 1": [["0", "25.00 %"], ["16", "75.00 %"]]}
    assert values(found["pre-activation-spread"])["layer 1"] == [["0", "7.5"], ["16", "2.5"]]
    assert values(found["pre-activation-spread"])["output (2)"] == [["0", "1"]]  # what was not finite is a gap
    assert values(found["update-ratio"])["layer 1"] == [["16", "0.004"]]
    assert values(found["update-ratio"])["output (2)"] == []  # no step at all has no place on a logarithmic axis
    assert values(found["gradient-norm"])["layer 1"] == [["0", "3"], ["16", "0.5"]]
    assert found["update-ratio"].mark.text == "about 0.001 is usual"
    assert found["update-ratio"].logarithmic
    assert [drawing.mark for key, drawing in found.items() if key != "update-ratio"] == [None] * 3


def test_steps_are_spread_out_and_every_chart_is_said():
    drawings, _ = vital_curves(RUN, WORDS)
    said = {drawing.chart.key: about for drawing, about in drawings}
    assert said["dead-units"] == "Dead units over step: layer 1 from 25.00 % to 75.00 %"
    for drawing, _ in drawings:
        assert [tick.text for tick in drawing.x_ticks] == ["0", "1", "10"]
        assert drawing.chart.title


@for_each(
    "dead, saturated, note",
    [
        ((), (), "At no time was a unit dead (output and slope 0 on every row) or saturated"),
        ((), (1,), "At no time was a unit dead (output and slope 0 on every row)."),
        ((1,), (), "At no time was a unit saturated"),
        ((0,), (1,), None),
    ],
)
def test_where_no_unit_was_ill_a_sentence_takes_the_place_of_a_chart(dead, saturated, note):
    calm = examined(0, layer_vitals(1, 4), layer_vitals(2, 2))
    found = vitals(calm, examined(4, layer_vitals(1, 4, dead=[*dead], saturated=[*saturated]), layer_vitals(2, 2)))
    drawings, notes = vital_curves(found, WORDS)
    keys = [drawing.chart.key for drawing, _ in drawings]
    assert ("dead-units" in keys, "saturated-units" in keys) == (bool(dead), bool(saturated))
    assert [line[: len(note)] for line in notes[1:]] == [note] if note else len(notes) == 1


def test_an_output_that_is_ill_has_its_curve():
    first, last = (
        examined(0, layer_vitals(1, 4), layer_vitals(2, 2)),
        [layer_vitals(1, 4), layer_vitals(2, 2, dead=[1])],
    )
    assert values(charts(vitals(first, examined(9, *last)))["dead-units"]) == {
        "layer 1": [["0", "0.00 %"], ["9", "0.00 %"]],
        "output (2)": [["0", "0.00 %"], ["9", "50.00 %"]],
    }


def test_one_examination_makes_no_curve_and_none_says_nothing():
    drawings, notes = vital_curves(RUN[:1], WORDS)
    assert (drawings, len(notes)) == ([], 2)
    assert len(vital_table(RUN[:1], WORDS).rows) == 2
    assert vital_curves([], WORDS) == ([], [])


def test_of_many_layers_some_are_drawn_and_that_is_said():
    deep = [examined(step, *(layer_vitals(layer, 3) for layer in range(1, 21))) for step in (0, 1)]
    drawings, notes = vital_curves(vitals(*deep), WORDS)
    names = [stroke.label for stroke in drawings[0][0].strokes]
    assert len(names) == MOST_LAYERS
    assert (names[0], names[-1]) == ("layer 1", "output (20)")
    assert notes[-1] == "Of 20 layers 8 are drawn."


def test_the_table_holds_every_layer_at_examinations_from_the_first_to_the_last():
    found = vitals(*(examined(step, layer_vitals(1, 4), layer_vitals(2, 2)) for step in range(0, 40, 2)))
    table = vital_table(found, WORDS)
    steps = [int(row[0].text) for row in table.cells]
    assert len(steps) == 2 * MOST_EXAMINATIONS
    assert (steps[0], steps[-1]) == (0, 38)
    assert steps == sorted(steps)
    assert table.note == "10 of 20 examinations."
    few = vital_table(RUN, WORDS)
    assert few.note == ""
    assert [cell.text for cell in few.cells[-1]] == ["16", "2", "0 / 2", "0 / 2", "–", "0", "–"]
    assert [cell.text for cell in few.cells[2]] == ["16", "1", "3 / 4", "0 / 4", "2.5", "0.004", "0.5"]
