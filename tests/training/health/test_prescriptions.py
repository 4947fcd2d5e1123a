"""One remedy is printed: the first that a trial shows to help, with the diagnosis that it belongs to put first."""

from dataclasses import replace

import numpy as np
from tests.training.health.made import CONSTANT, INPUTS, evidence, network, trials, vitals

from glassnet.locales.catalogue import Message
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.training.health.columns import DataFacts
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.health.prescriptions import TRIED, prescribe
from glassnet.training.health.remedies import Remedy


def remedy(name, section="training"):
    return Remedy(name, Message("verbatim", text=name), {section: {name: 1.0}})


def diagnosis(kind, name=None, *, sick=True, section="training"):
    return Diagnosis(kind, sick, Message("verbatim", text=kind), remedy=name and remedy(name, section))


class Known:
    """Trials of which it is known what helps."""

    def __init__(self, *helpful):
        self.helpful, self.tried = helpful, []

    def helps(self, changes):
        self.tried.append(changes)
        return changes in self.helpful


def prescribed(found, *helpful, optimizer="sgd(0.1)", **others):
    known = Known(*helpful)
    answers = prescribe(evidence(vitals(), optimizer=optimizer, trials=known, stable_rate=1.0, **others), found)
    return answers, known.tried


STANDARD, ROBUST = {"data": {"scaling": "standard"}}, {"data": {"scaling": "robust"}}
A, B, C = {"training": {"a": 1.0}}, {"training": {"b": 1.0}}, {"training": {"c": 1.0}}


def rates(tried):
    """The changes that were tried, those of the learning rate as the optimizer's."""
    return [
        OPTIMIZERS.resolve(c["training"]["optimizer"]).learning_rate if "optimizer" in c.get("training", {}) else c
        for c in tried
    ]


def test_the_diagnosis_whose_remedy_helps_comes_first_and_alone_has_one():
    found = [diagnosis("first", "a"), diagnosis("second", "b"), diagnosis("third", "c")]
    answers, tried = prescribed(found, B)
    assert [one.kind for one in answers] == ["second", "first", "third"]
    assert [one.remedy for one in answers] == [remedy("b"), None, None]
    assert tried == [A, B]


def test_remedies_of_remarks_are_not_tried_and_those_of_all_others_are_then_some_usual_ones():
    found = [diagnosis("first", "a"), diagnosis("second", "b"), diagnosis("remark", "c", sick=False)]
    zeros = network(initializer="zeros")
    fitting, normal = {"network": {"initializer": "glorot_uniform"}}, {"network": {"batch_norm": True}}
    answers, tried = prescribed(found, net=zeros)
    assert rates(tried) == [A, B, 0.01, 1.0, fitting, normal]
    assert str(answers[0].cause) == "first; 6 remedies were tried for some steps, and none clearly helped"
    assert [one.remedy for one in answers] == [None] * 3
    facts = DataFacts(scalings=("standard", "robust"))
    answers, tried = prescribed(found, net=zeros, facts=facts)
    assert rates(tried) == [A, B, STANDARD, 0.01, 1.0, fitting, normal]
    assert str(answers[0].cause) == "first; 7 remedies were tried for some steps, and none clearly helped"
    facts = replace(facts, outlying=((0, 200.0),))  # one more than are tried
    answers, tried = prescribed(found, net=zeros, facts=facts)
    assert rates(tried) == [A, B, STANDARD, ROBUST, 0.01, 1.0, fitting]
    assert len(tried) == TRIED == 7
    assert str(answers[0].cause) == "first; 7 remedies were tried for some steps, and none clearly helped"
    answers, tried = prescribed(found[:1])
    assert str(answers[0].cause) == "first; 4 remedies were tried for some steps, and none clearly helped"


def test_a_change_of_the_network_is_tried_with_a_larger_rate_too():
    answers, tried = prescribed([diagnosis("first", "a", section="network")])
    assert rates(tried)[1] == 1.0
    assert tried[1]["network"] == {"a": 1.0}
    assert str(answers[0].cause).startswith(f"first; {len(tried)} remedies were tried")
    assert len(prescribed([diagnosis("first", "a")])[1]) == len(tried) - 1


def test_steps_of_one_row_are_not_normalised_and_a_line_search_has_no_rate():
    normal = {"network": {"batch_norm": True}}
    assert normal not in prescribed([diagnosis("first", "a")], step_rows=1)[1]
    assert normal in prescribed([diagnosis("first", "a")], step_rows=2)[1]
    assert prescribed([diagnosis("first", "a", section="network")], optimizer="lbfgs")[1] == [
        {"network": {"a": 1.0}}
    ]


def test_columns_are_standardised_where_they_can_be_and_nothing_is_tried_twice_or_as_it_is():
    found, facts = [diagnosis("first", "a"), diagnosis("second", "a")], DataFacts(scalings=("standard", "robust"))
    assert prescribed(found, facts=facts)[1][:2] == [A, STANDARD]
    tried = prescribed([diagnosis("first", "l2"), diagnosis("second", "b")], training={"l2": 1.0})[1]
    assert tried[0] == B
    normal = network(initializer="glorot_uniform", batch_norm=True)
    assert not [c for c in prescribed([diagnosis("first", "a")], net=normal)[1] if "network" in c]


def test_columns_are_scaled_robustly_where_some_numbers_are_far_away_or_columns_unscaled():
    found, outlying = [diagnosis("first", "a")], ((0, 200.0),)
    for scalings, others, scaled in (
        (("standard", "robust"), {}, [STANDARD]),
        (("standard", "robust"), {"outlying": outlying}, [STANDARD, ROBUST]),
        (("robust",), {}, []),
        (("robust",), {"outlying": outlying}, [ROBUST]),
        ((), {"outlying": outlying}, []),
    ):
        tried = prescribed(found, facts=DataFacts(scalings=scalings, **others))[1]
        assert [c for c in tried if "data" in c] == scaled
    for X, scaled in ((INPUTS, []), (np.add(INPUTS, [0, 50]), [ROBUST])):
        tried = prescribed(found, facts=DataFacts(scalings=("robust",)), X=X)[1]
        assert [c for c in tried if "data" in c] == scaled


def test_what_needs_no_trial():
    shown, remark = diagnosis("over-fitting", "a"), diagnosis("leak", "b", sick=False)
    assert prescribed([shown, diagnosis("second", "b")]) == ([shown, diagnosis("second")], [])
    assert prescribed([remark]) == ([replace(remark, remedy=None)], [])
    assert prescribed([]) == ([], [])
    single = replace(CONSTANT, loss=0.0)
    first = diagnosis("unscaled-targets", "a")
    assert prescribed([first, diagnosis("second", "b")], baseline=single) == ([first, diagnosis("second")], [])
    assert prescribe(evidence(vitals()), [first]) == [replace(first, remedy=None)]


def test_over_fitting_is_no_remedy_of_another_illness():
    answers, tried = prescribed([diagnosis("first"), diagnosis("over-fitting", "c")], C)
    assert C not in tried
    assert answers[1].remedy == remedy("c")


def test_a_trial_that_helps_is_a_real_one():
    """The answers after it cost less than the run's and a trial's as it is."""
    known = trials(0.9, after=[({}, 0.9), (A, 0.3)])
    answers = prescribe(evidence(vitals(), trials=known), [diagnosis("first", "a")])
    assert answers[0].remedy == remedy("a")
