"""Sick networks are named with kind, layer and a remedy that helps, healthy ones are left in peace."""

import json
import re
from collections import Counter

import pytest
from tests.training.health.battery import fault, outcome, summary, train
from tests.training.health.battery_cases import OTHERS, PICTURES
from tests.training.health.battery_healthy import HEALTHY, TOLD
from tests.training.health.battery_rows import rows_of
from tests.training.health.battery_sick import SICK

from glassnet.locales.catalogue import Words
from glassnet.training.health.diagnosis import Diagnosis


def work(case):
    """Return about how much it takes to train a case."""
    picture = case.layers[0] == 784
    options = {"samples_per_epoch": 2000, **(PICTURES if picture else OTHERS), **case.options}
    return (500 if picture else 20) * len(case.layers) * options["epochs"] * options["samples_per_epoch"]


def made(cases):
    """Return the cases that need no file and no scikit-learn, the least work first."""
    return sorted(
        (case for case in cases if not case.data.startswith(("as_it_is", "built_in", "table"))), key=work
    )


#: One of each kind, and a few healthy ones of each sort, for every day.
KINDS = dict.fromkeys(case.kinds[0] for case in SICK)
EASY = [next(case for case in made(SICK) if case.kinds[0] == kind) for kind in KINDS]
EASY_HEALTHY = made(HEALTHY)[:48:6]
REMARKS = dict.fromkeys(case.remark for case in [*HEALTHY, *TOLD] if case.remark)
EASY_REMARKS = [next(case for case in made([*HEALTHY, *TOLD]) if case.remark == kind) for kind in REMARKS]


def test_the_battery_is_large_enough():
    assert min(len(SICK), len(HEALTHY)) >= 90
    groups = Counter(case.data.split("(")[0] for case in HEALTHY)
    assert sum(groups[name] for name in ("coin", "rare", "clouds", "labels", "signal")) >= 30
    assert groups["table"] >= 15


@pytest.mark.real_data
@pytest.mark.parametrize("case", EASY, ids=str)
def test_one_of_each_kind_is_named(fashion_mnist_home, case):
    run = train(case).run
    assert fault(case, run.health) == ""
    for found in run.health.diagnoses:
        chinese = Words("zh").render(found.message)
        assert numbers(str(found)) == numbers(chinese)
        assert Diagnosis.from_dict(json.loads(json.dumps(found.to_dict()))).message == found.message


def numbers(text):
    """The numbers of a sentence, in order of size."""
    return sorted(re.findall(r"\d[\d.,]*(?:e[-+]?\d+)?", text.replace(", ", " ")), key=str)


@pytest.mark.real_data
@pytest.mark.parametrize("case", [*EASY_HEALTHY, *EASY_REMARKS], ids=str)
def test_healthy_networks_are_left_in_peace(fashion_mnist_home, case):
    assert fault(case, train(case).run.health) == ""


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.real_data
def test_all_of_the_battery(fashion_mnist_home):
    outcomes = [outcome(case) for case in [*HEALTHY, *SICK, *TOLD]]
    sure = [one for one in outcomes if one.borne_out]
    states = Counter(one.case.state for one in sure)
    groups = Counter(rows_of(one.case.data).group for one in sure if one.case.state == "healthy")
    assert min(states["healthy"], states["sick"]) >= 90
    assert groups["noisy"] >= 30
    assert groups["tables"] >= 15
    wrong = [f"{one.case}: {one.wrong}" for one in sure if one.wrong]
    shares = summary(sure)
    assert shares["called sick"] <= 0.02, wrong
    assert shares["undue"] <= 0.05, wrong
    assert shares["right"] >= 0.95, wrong
    assert shares["helps"] >= 0.9, [
        f"{one.case}: {one.figure} to {one.remedied}" for one in sure if one.helps is False
    ]
    assert not [one.case for one in sure if one.case.remark and one.wrong], wrong
