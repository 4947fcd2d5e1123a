"""A diagnosis is a line of what, where, since when, why and what to do; health is what all of them say."""

import pytest
from tests.training.health.made import vitals

from glassnet.locales.catalogue import Message
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.health.monitor import Health
from glassnet.training.health.remedies import set_options

WHY = Message("verbatim", text="so it is")


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({}, "leak (from the start): so it is"),
        ({"since": 1}, "leak (since step 1): so it is"),
        ({"layer": 2}, "leak (layer 2, from the start): so it is"),
        ({"layer": 1, "since": 16}, "leak (layer 1, since step 16): so it is"),
        (
            {"remedy": set_options("x", "training", {"l2": 0.5, "l1": 0.0})},
            "leak (from the start): so it is; try l2 0.5, l1 0.0",
        ),
    ],
)
def test_a_line_says_what_where_since_when_why_and_what_to_do(where, said):
    assert str(Diagnosis("leak", False, WHY, **where)) == said


def test_the_state_is_that_of_the_worst_diagnosis():
    sick, remark = Diagnosis("divergence", True, WHY), Diagnosis("leak", False, WHY)
    seen = (vitals(0), vitals(1))
    assert [Health(found, seen).state for found in ((), (remark,), (remark, sick))] == [
        "healthy",
        "remarks",
        "sick",
    ]
    assert repr(Health((remark, sick), seen)) == "<Health: sick (leak, divergence), 2 examinations>"
    assert str(Health((remark, sick), seen)).splitlines() == [str(remark), str(sick)]
