"""Sick networks are named with kind, layer and remedy, healthy ones are left in peace, remedies work."""

import json
import re
from statistics import median

import pytest
from tests.training.health.battery import (
    HEALTHY,
    SEEDS,
    SICK,
    fault,
    healthy_of,
    outcome,
    reaches,
    train,
)

from glassnet.locales.catalogue import Words
from glassnet.training.health.diagnosis import Diagnosis

#: One of each kind, and a few healthy ones, for every day.
FIRST = [next(case for case in SICK if case.kind == kind) for kind in dict.fromkeys(case.kind for case in SICK)]


def test_the_battery_is_large_enough():
    assert len(SICK) >= 40
    assert len(HEALTHY) >= 40


@pytest.mark.real_data
@pytest.mark.parametrize("case", FIRST, ids=str)
def test_one_of_each_kind_is_named(fashion_mnist_home, case):
    run = train(case, 0)[0]
    assert fault(case, run) is None
    for found in run.health.diagnoses:
        chinese = Words("zh").render(found.message)
        assert numbers(str(found)) == numbers(chinese)
        assert Diagnosis.from_dict(json.loads(json.dumps(found.to_dict()))).message == found.message


def numbers(text):
    """The numbers of a sentence, in order of size."""
    return sorted(re.findall(r"\d[\d.,]*(?:e[-+]?\d+)?", text.replace(", ", " ")), key=str)


@pytest.mark.real_data
@pytest.mark.parametrize("case", HEALTHY[1::12], ids=str)
def test_healthy_networks_are_left_in_peace(fashion_mnist_home, case):
    assert fault(case, train(case, 0)[0]) is None


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.real_data
def test_all_of_the_battery(fashion_mnist_home):
    healthy = [outcome(case, seed) for case in HEALTHY for seed in SEEDS]
    best = healthy_of(healthy, max)
    near = [one for one in healthy if reaches(one.case, one.accuracy, best)]
    assert len({str(one.case) for one in near}) >= 40
    assert [one.wrong for one in near if one.wrong] == []
    sick = [outcome(case, seed) for case in SICK for seed in SEEDS]
    assert [(str(one.case), one.seed, one.wrong) for one in sick if one.wrong] == []
    kinds = dict.fromkeys(case.kind for case in SICK)
    usual = healthy_of(healthy, median)
    mended = [kind for kind in kinds if works(kind, sick, usual)]
    assert len(mended) >= 0.8 * len(kinds), mended


def works(kind, outcomes, healthy):
    """Whether the remedy of a kind brings most of its networks near a healthy one."""
    mended = [reaches(one.case, one.remedied, healthy) for one in outcomes if one.case.kind == kind]
    return sum(mended) > len(mended) / 2
