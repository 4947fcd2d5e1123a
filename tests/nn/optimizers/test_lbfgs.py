import numpy as np
import pytest

from glassnet.errors import UsageError
from glassnet.nn.optimizers import LBFGS, Optimizer
from glassnet.nn.registry import Registry


def test_a_specification_leads_back_to_the_same_optimizer():
    registry = Registry("optimizer", Optimizer)
    registry.add(LBFGS.name, LBFGS)
    assert registry.resolve(LBFGS(memory=3, iterations=7).spec) == LBFGS(memory=3, iterations=7)
    assert registry.resolve("lbfgs") == LBFGS(memory=10, iterations=20)
    assert LBFGS.full_batch


@pytest.mark.parametrize("option", ["memory", "iterations", "evaluations"])
@pytest.mark.parametrize("value", [0, -1, 2.0, 1.5])
def test_counts_are_whole_numbers_from_one(option, value):
    assert getattr(LBFGS(**{option: 1}), option) == 1
    with pytest.raises(UsageError, match=f"^{option}: must be a whole number >= 1, got {value}"):
        LBFGS(**{option: value})


@pytest.mark.parametrize("option", ["learning_rate", "update_scale"])
def test_there_is_no_learning_rate(option):
    with pytest.raises(UsageError, match=f"^{option}: leave it out"):
        LBFGS(**{option: 0.1})


def test_a_tolerance_is_not_negative():
    with pytest.raises(UsageError, match=r"^tolerance: must be >= 0, got -1"):
        LBFGS(tolerance=-1)


def test_it_takes_no_single_step():
    theta = np.ones(2)
    with pytest.raises(UsageError, match=r"^optimizer: lbfgs takes no single steps"):
        LBFGS().step(theta, np.ones(2), LBFGS().start(theta))
    assert LBFGS().start(theta).memory == []
