"""The rules by which evidence becomes diagnoses, in the order of causes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from glassnet.training.health.data_rules import (
    find_lagging_statistics,
    find_leak,
    find_nothing_to_learn,
    find_outlying_inputs,
    find_rows_out_of_range,
    find_single_class,
    find_too_early,
    find_unscaled_inputs,
    find_unscaled_targets,
)
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.health.evidence import Evidence
from glassnet.training.health.learning_rules import (
    find_constant_output,
    find_divergence,
    find_oscillating_loss,
    find_over_fitting,
    find_over_regularised,
    find_slow_learning,
    find_stuck_loss,
    find_unfinished,
)
from glassnet.training.health.signal_rules import (
    find_dead_layer,
    find_dead_units,
    find_duplicated_units,
    find_saturated_units,
    find_unreachable_targets,
    find_vanishing_gradients,
    find_vanishing_signal,
    find_wide_starts,
)
from glassnet.training.health.verdict import ENOUGH

Rule = Callable[[Evidence], Diagnosis | None]

#: In the order of causes: what comes first explains what comes after it.
RULES: tuple[Rule, ...] = (
    find_duplicated_units,
    find_unreachable_targets,
    find_unscaled_targets,
    find_unscaled_inputs,
    find_outlying_inputs,
    find_over_regularised,
    find_divergence,
    find_wide_starts,
    find_vanishing_signal,
    find_dead_units,
    find_vanishing_gradients,
    find_saturated_units,
    find_oscillating_loss,
    find_slow_learning,
    find_stuck_loss,
    find_unfinished,
    find_constant_output,
    find_rows_out_of_range,
    find_over_fitting,
    find_lagging_statistics,
    find_single_class,
    find_nothing_to_learn,
    find_leak,
    find_too_early,
)

#: Those that are not asked where another rule explains what they would find, nor before so many steps.
UNEXPLAINED = (find_oscillating_loss, find_slow_learning, find_stuck_loss, find_unfinished)


def diagnose(evidence: Evidence) -> list[Diagnosis]:
    """Say what is wrong with a network: what makes it sick, the likeliest root cause first, and then remarks."""
    found: list[Diagnosis] = []
    for rule in RULES:
        asked = rule not in UNEXPLAINED or (
            evidence.end.step >= ENOUGH and not any(diagnosis.sick for diagnosis in found)
        )
        diagnosis = rule(evidence) if asked else None
        if diagnosis is not None and diagnosis.kind not in [other.kind for other in found]:
            found.append(diagnosis)
    return sorted(found, key=lambda diagnosis: not diagnosis.sick)


def certain(evidence: Evidence) -> list[Diagnosis]:
    """Say what will not heal by itself, as soon as it is seen; what to do is tried at the end."""
    rules = (find_unreachable_targets, find_duplicated_units, find_dead_layer) if evidence.end.step >= 4 else ()
    found = [rule(evidence) for rule in rules]
    return [replace(diagnosis, sick=True, remedy=None) for diagnosis in found if diagnosis is not None]
