"""Sick networks are named with kind, layer and remedy, healthy ones are left in peace, remedies work."""

import itertools
import json
import re
from statistics import median

import pytest
from tests.training.health.battery import (
    HEALTHY,
    SEEDS,
    SICK,
    USUAL,
    fault,
    healthy_of,
    outcome,
    reaches,
    train,
)

from glassnet.locales.catalogue import Words
from glassnet.training.health.diagnosis import Diagnosis


def work(case):
    """Return about how much it takes to train a case."""
    options = {**USUAL, **case.options}
    weights = sum(before * after for before, after in itertools.pairwise(case.layers))
    return weights * options["epochs"] * (options["samples_per_epoch"] or 0)


#: The least work of each kind, and a few healthy ones of the easier half, for every day.
KINDS = dict.fromkeys(case.kind for case in SICK)
EASY = [min((case for case in SICK if case.kind == kind), key=work) for kind in KINDS]
EASY_HEALTHY = sorted(HEALTHY, key=work)[:36:6]


def test_the_battery_is_large_enough():
    assert len(SICK) >= 40
    assert len(HEALTHY) >= 40


@pytest.mark.real_data
@pytest.mark.parametrize("case", EASY, ids=str)
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
@pytest.mark.parametrize("case", EASY_HEALTHY, ids=str)
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
    usual = healthy_of(healthy, median)
    mended = [kind for kind in KINDS if works(kind, sick, usual)]
    assert len(mended) >= 0.8 * len(KINDS), mended


def works(kind, outcomes, healthy):
    """Whether the remedy of a kind brings most of its networks near a healthy one."""
    mended = [reaches(one.case, one.remedied, healthy) for one in outcomes if one.case.kind == kind]
    return sum(mended) > len(mended) / 2
