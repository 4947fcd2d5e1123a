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
    assert (found.title, found.remedy) == ("死亡神经元", "改用 initializer he_normal")
    assert found.cause.startswith("16 个神经元中有 4 个对所有样本的输出都是 0")
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


def test_a_damaged_record_is_refused(tmp_path):
    (tmp_path / "health.json").write_text(json.dumps(spoilt(units="all")), encoding="utf-8")
    with pytest.raises(
        FileError, match=r"diagnoses\.0\.units: input should be a valid array, got 'all'; remove it"
    ):
        read_health(tmp_path, Words("en"))


def test_what_was_measured_is_read_with_the_diagnoses(tmp_path):
    first = examined(16, layer_vitals(1, 8, dead=[3]), layer_vitals(2, 2, gradient_norm=None))
    record = {"sick": False, "diagnoses": [], "vitals": [first]}
    (tmp_path / "health.json").write_text(json.dumps(record), encoding="utf-8")
    (found,) = read_health(tmp_path, Words("en")).vitals
    assert isinstance(found, Vitals)
    assert (found.step, found.layers[0].dead) == (16, (3,))
    assert math.isnan(found.layers[1].gradient_norm)  # JSON has null for what was not finite
