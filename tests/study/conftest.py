"""Rows of studies that were never run: their numbers are given."""

from itertools import product

import numpy as np
import pytest

from glassnet.study.results import Row


@pytest.fixture
def make_rows():
    """Return a maker of rows from numbers by variant, one a seed; None is a run that diverged."""

    def make(figures, measure="validation_accuracy", **costs):
        return [
            Row(
                variant,
                {"variant": variant},
                seed,
                "diverged" if value is None else "finished",
                {} if value is None else {measure: value},
                **{name: values[variant] for name, values in costs.items()},
            )
            for variant, line in figures.items()
            for seed, value in enumerate(line)
        ]

    return make


@pytest.fixture
def make_factorial():
    """Return a maker of a full factorial's rows from an array of shape (seeds, levels, ...)."""

    def make(values, factors, measure="validation_accuracy"):
        rows = []
        for cell in product(*(range(len(levels)) for levels in factors.values())):
            levels = {name: factors[name][i] for name, i in zip(factors, cell, strict=True)}
            name = ", ".join(f"{factor}={level}" for factor, level in levels.items())
            for seed, value in enumerate(np.asarray(values)[(slice(None), *cell)]):
                rows.append(Row(name, levels, seed, "finished", {measure: float(value)}))
        return rows

    return make
