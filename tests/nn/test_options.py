"""The check that all numbers chosen for optimizers, schedules and updates go through."""

from dataclasses import dataclass

import numpy as np
import pytest

from glassnet.errors import UsageError
from glassnet.nn.registry import check_options, specification

RANGES = {"speed": (lambda value: value > 0, "> 0")}


@dataclass(frozen=True)
class Car:
    speed: float = 1.0
    doors: int = 4
    name = "car"


@pytest.mark.parametrize("value", [1e-9, 5, np.float32(0.5), np.int64(3)])
def test_numbers_in_their_range_pass_and_become_pythons(value):
    car = Car(value, np.int64(-2))
    check_options(car, ["speed", "doors"], RANGES)
    assert (car.speed, car.doors) == (value, -2)  # doors have no range
    assert {type(car.speed), type(car.doors)} <= {int, float}


@pytest.mark.parametrize("value", [0, -1, np.float64(-0.5)])
def test_a_number_out_of_its_range_is_named_with_the_range(value):
    with pytest.raises(UsageError, match=rf"^speed: must be > 0, got {value}$"):
        check_options(Car(value), ["speed"], RANGES)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, "3", True, None, 1j, [1]])
def test_what_is_no_finite_number_is_named(value):
    for options in ({"speed": value}, {"doors": value}):
        (name,) = options
        with pytest.raises(UsageError, match=f"^{name}: must be a finite number, got"):
            check_options(Car(**options), ["speed", "doors"], RANGES)


def test_only_the_options_that_are_named_are_checked():
    car = Car(-1, "many")
    check_options(car, [], RANGES)
    assert (car.speed, car.doors) == (-1, "many")


def test_a_specification_holds_every_field_in_full():
    assert specification(Car(0.1 + 0.2, 5)) == "car(speed=0.30000000000000004, doors=5)"
