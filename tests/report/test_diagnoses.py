import json

import pytest

from glassnet.locales.catalogue import Words
from glassnet.report.diagnoses import finding_of, read_health, unit_list
from glassnet.training.health.vitals import Vitals

from .conftest import examined, layer_vitals

RECORD = {
    "kind": "dead-units",
    "sick": True,
    "cause": "a step of 60 for the mean",
    "layer": 2,
    "units": [5, 3, 4, 9],
    "since": 40,
    "evidence": {"share": 0.25, "where": {"rows": 256}},
    "remedy": {
        "family": "learning rate",
        "text": "Take a tenth of it.",
        "changes": {"training": {"optimizer": "sgd(0.01)"}},
    },
}


def test_a_diagnosis_says_all_that_is_recorded():
    found = finding_of(RECORD, Words("en"))
    assert (found.title, found.sick, found.foreign) == ("dead units", True, False)
    assert found.facts == [("layer", "2"), ("units", "4: 3–5, 9"), ("since step", "40")]
    assert (found.cause, found.remedy) == ("a step of 60 for the mean", "Take a tenth of it.")
    assert found.evidence == [("share", "0.25"), ("where.rows", "256")]
    assert found.changes == ["training.optimizer = sgd(0.01)"]


def test_in_chinese_it_is_said_by_kind_and_family_with_the_same_numbers():
    found = finding_of(RECORD, Words("zh"))
    assert (found.title, found.remedy, found.foreign) == ("死亡单元", "调整学习率", False)
    assert "step" not in found.cause
    assert found.evidence == [("share", "0.25"), ("where.rows", "256")]


def test_what_has_no_translation_stays_and_is_marked():
    unknown = RECORD | {"kind": "something-new", "remedy": None}
    found = finding_of(unknown, Words("zh"))
    assert (found.title, found.cause, found.foreign) == ("something new", "a step of 60 for the mean", True)
    assert (found.remedy, found.changes) == ("", [])
    found = finding_of(RECORD | {"remedy": {"family": "magic", "text": "Wave."}}, Words("zh"))
    assert (found.remedy, found.foreign) == ("Wave.", True)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_record_of_next_to_nothing_can_be_said(language):
    found = finding_of({"kind": "divergence"}, Words(language))
    assert not found.sick
    assert (found.cause == "") == (language == "en")
    assert found.facts == [(Words(language).say("layer"), Words(language).say("whole_network"))]


def test_units_are_ranges_and_long_lists_are_cut():
    words = Words("en")
    assert unit_list([1], words) == "1: 1"
    assert unit_list(list(range(0, 60, 2)), words) == "30: 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, …"
    assert unit_list([], words) == ""
    assert unit_list(3, Words("zh")) == "3 个"


def test_evidence_in_sentences_is_for_readers_of_english_only():
    record = RECORD | {"evidence": ["loss 2.3 is ln 10", 3]}
    assert finding_of(record, Words("en")).evidence == [("", "loss 2.3 is ln 10"), ("", "3")]
    assert finding_of(record, Words("zh")).evidence == []


@pytest.mark.parametrize(
    ("content", "state"),
    [
        ({"sick": False, "diagnoses": [], "vitals": []}, "healthy"),
        ({"sick": False, "diagnoses": [RECORD | {"sick": False}], "vitals": []}, "remarked"),
        ({"sick": True, "diagnoses": [RECORD | {"sick": False}, RECORD], "vitals": []}, "sick"),
        ({"sick": True}, "unreadable"),
        ({"sick": True, "diagnoses": ["dead"]}, "unreadable"),
        ([], "unreadable"),
        (None, "unwatched"),
    ],
)
def test_a_missing_or_damaged_record_is_a_state_and_no_error(tmp_path, content, state):
    if content is not None:
        (tmp_path / "health.json").write_text(json.dumps(content), encoding="utf-8")
    found = read_health(tmp_path, Words("en"))
    assert found.state == state
    assert [finding.sick for finding in found.findings] == {"sick": [True, False], "remarked": [False]}.get(
        state, []
    )


def test_what_was_measured_is_read_with_the_diagnoses(tmp_path):
    first = examined(16, layer_vitals(1, 8, dead=[3]), layer_vitals(2, 2, gradient_norm=None))
    record = {"sick": False, "diagnoses": [], "vitals": [first]}
    (tmp_path / "health.json").write_text(json.dumps(record), encoding="utf-8")
    (found,) = read_health(tmp_path, Words("en")).vitals
    assert isinstance(found, Vitals)
    assert (found.step, found.layers[0].dead, found.layers[1].gradient_norm) == (16, (3,), None)
    (tmp_path / "health.json").write_text(json.dumps(record | {"vitals": [{"step": 1}]}), encoding="utf-8")
    assert read_health(tmp_path, Words("en")).state == "unreadable"


def test_a_record_that_is_no_json_is_unreadable(tmp_path):
    (tmp_path / "health.json").write_bytes(b"\xff{")
    assert read_health(tmp_path, Words("en")).state == "unreadable"
