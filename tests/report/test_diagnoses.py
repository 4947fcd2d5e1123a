import json
import math

import pytest
from tests.loops import for_each

from glassnet.errors import FileError
from glassnet.locales.catalogue import Words
from glassnet.report.diagnoses import finding_of, read_health, unit_list
from glassnet.training.health.vitals import Vitals

from .conftest import DEAD_UNITS, OVER_FITTING, examined, layer_vitals

RECORD = DEAD_UNITS.to_dict()


def test_a_diagnosis_says_all_that_is_known():
    found = finding_of(DEAD_UNITS, Words("en"))
    assert (found.title, found.sick) == ("dead units", True)
    assert found.facts == [("layer", "1"), ("units", "4: 0–2, 7"), ("since step", "12")]
    assert (found.cause, found.remedy) == (str(DEAD_UNITS.cause), "initializer he_normal")
    assert found.evidence == [("share", "0.5"), ("probe_rows", "256")]
    assert found.changes == ["network.initializer = he_normal"]


def test_in_chinese_it_is_said_with_the_same_numbers():
    found = finding_of(DEAD_UNITS, Words("zh"))
    assert (found.title, found.remedy) == ("死亡单元", "改用 initializer he_normal")
    assert found.cause.startswith("16 个单元中有 4 个对每个样本的输出都是 0")
    assert found.evidence == [("share", "0.5"), ("probe_rows", "256")]


def test_a_diagnosis_without_a_layer_is_of_the_whole_network():
    found = finding_of(OVER_FITTING, Words("en"))
    assert found.facts == [("layer", "the whole network"), ("since step", "30")]
    assert (found.remedy, found.changes) == ("", [])


def test_units_are_ranges_and_long_lists_are_cut():
    words = Words("en")
    assert unit_list([1], words) == "1: 1"
    assert unit_list(list(range(0, 60, 2)), words) == "30: 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, …"
    assert unit_list([5, 3, 4], Words("zh")) == "3 个：3–5"


def spoilt(**changes):
    return {"sick": True, "diagnoses": [RECORD | changes], "vitals": []}


@for_each(
    "content, state",
    [
        ({"sick": False, "diagnoses": [], "vitals": []}, "healthy"),
        ({"sick": False, "diagnoses": [RECORD | {"sick": False}], "vitals": []}, "remarked"),
        ({"sick": True, "diagnoses": [RECORD | {"sick": False}, RECORD], "vitals": []}, "sick"),
        (None, "unwatched"),
    ],
)
def test_a_record_or_its_absence_is_a_state(tmp_path, content, state):
    (tmp_path / "health.json").unlink(missing_ok=True)
    if content is not None:
        (tmp_path / "health.json").write_text(json.dumps(content), encoding="utf-8")
    found = read_health(tmp_path, Words("en"))
    assert found.state == state
    assert [finding.sick for finding in found.findings] == {"sick": [True, False], "remarked": [False]}.get(
        state, []
    )


def measured(*vitals):
    return {"sick": False, "diagnoses": [], "vitals": [*vitals]}


@for_each(
    "content, said",
    [
        ({"sick": True}, "diagnoses: is missing"),
        (
            {"sick": True, "diagnoses": ["dead"], "vitals": []},
            "diagnoses.0: input should be an object, got 'dead'",
        ),
        (spoilt(cause="the step"), "diagnoses.0.cause: no message: 'the step'"),
        (
            spoilt(cause={"key": "causes.unheard-of", "values": {}}),
            "diagnoses.0.cause: no sentence can be made of",
        ),
        (spoilt(cause={"key": "causes.loss", "values": {"loss": 1.0}}), "diagnoses.0.cause: no sentence"),
        (spoilt(cause={"key": "causes.large-rate", "values": {"rate": "large"}}), "diagnoses.0.cause: "),
        (spoilt(units="all"), "diagnoses.0.units: input should be a valid array, got 'all'"),
        (spoilt(units=[-1]), "diagnoses.0.units.0: input should be greater than or equal to 0, got -1"),
        (spoilt(sick="perhaps"), "diagnoses.0.sick: input should be a valid boolean"),
        (spoilt(evidence={"share": "much"}), "diagnoses.0.evidence.share: input should be a valid number"),
        (spoilt(remedy={"family": "rows"}), "diagnoses.0.remedy.message: is missing"),
        (spoilt(layer="first"), "diagnoses.0.layer: input should be a valid integer, got 'first'"),
        (spoilt(layer=0), "diagnoses.0.layer: input should be greater than or equal to 1, got 0"),
        (spoilt(remedy=RECORD["remedy"] | {"changes": ["adam"]}), "diagnoses.0.remedy.changes: input should be"),
        ([], "input should be an object, got []"),
        (measured({"step": 1}), "vitals.0.loss: is missing"),
        (measured(examined(None, layer_vitals(1, 8))), "vitals.0.step: input should be a valid integer, got None"),
        (measured(examined(0)), "vitals.0.layers: expected layers numbered from 1 on, got []"),
        (measured(examined(0, layer_vitals(2, 8))), "vitals.0.layers: expected layers numbered from 1 on"),
        (measured(examined(0, layer_vitals(1, 8, dead=[8]))), "vitals.0.layers: expected some of the 8 units of"),
        (
            measured(examined(0, layer_vitals(1, 2, saturated=[1, 1, 1]))),
            "vitals.0.layers: expected some of the 2",
        ),
        (measured(*[examined(4, layer_vitals(1, 8))] * 2), "vitals: expected steps that rise"),
        (measured(*(examined(n, layer_vitals(1, n)) for n in (1, 2))), "vitals: expected the same layers"),
    ],
)
def test_a_damaged_record_is_refused_in_one_line(tmp_path, content, said):
    path = tmp_path / "health.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(FileError) as caught:
        read_health(tmp_path, Words("en"))
    assert str(caught.value).startswith(f"{path}: is no record of a run's health: {said}")
    assert str(caught.value).endswith("; remove it, and the report does without")


def test_what_was_measured_is_read_with_the_diagnoses(tmp_path):
    first = examined(16, layer_vitals(1, 8, dead=[3]), layer_vitals(2, 2, gradient_norm=None))
    record = {"sick": False, "diagnoses": [], "vitals": [first]}
    (tmp_path / "health.json").write_text(json.dumps(record), encoding="utf-8")
    (found,) = read_health(tmp_path, Words("en")).vitals
    assert isinstance(found, Vitals)
    assert (found.step, found.layers[0].dead) == (16, (3,))
    assert math.isnan(found.layers[1].gradient_norm)  # JSON has null for what was not finite
