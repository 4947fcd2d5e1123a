"""Plans for tables: fitted to the columns and rows at hand."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet.errors import UsageError
from glassnet.training.table_plan import TABLE_PLANS, load_table_plan


def read(frame, target, plan):
    """Return a table as a plan has it read."""
    return gn.load_dataset(frame, target=target, **plan.data)


def make_table(rows=300):
    """Return a table whose targets of each kind follow from a number and a category."""
    rng = np.random.default_rng(0)
    size, colour = rng.normal(size=rows), rng.choice(["red", "blue"], rows)
    price = np.where(colour == "red", np.abs(size), size)
    kind = np.digitize(price, [-0.5, 0.5]).astype(str)
    return pl.DataFrame({"size": size, "colour": colour, "price": price, "kind": kind, "dear": price > 0})


@given(rows=st.integers(2, 3_000_000), name=st.sampled_from(TABLE_PLANS))
def test_the_length_follows_the_rows(rows, name):
    plan = load_table_plan(name)
    epochs, batch_size = plan.fit_length(rows)
    assert plan.fewest_epochs <= epochs <= plan.most_epochs
    assert batch_size in (32, 64, 128, 256) or batch_size == rows < 32
    steps = epochs * math.ceil(rows / batch_size)
    if plan.fewest_epochs < epochs < plan.most_epochs:
        assert steps == pytest.approx(plan.steps, rel=0.5 / epochs + 1e-9)


@pytest.mark.parametrize(
    ("target", "outputs", "loss"),
    [("price", 1, "half_squared_error"), ("kind", 3, "cross_entropy"), ("dear", 1, "binary_cross_entropy")],
)
def test_the_layers_follow_the_columns_and_the_target(target, outputs, loss):
    plan = load_table_plan()
    data = read(make_table().select("size", "colour", target), target, plan)
    config = plan.fit_to(data, {"training": {"epochs": 1}, "seed": 3})
    assert config.network.layers == [data.n_inputs, *plan.hidden, outputs]
    run = gn.run(config, data, progress=False)
    assert (run.network.loss.name, len(run.history), run.config.seed) == (loss, 1, 3)
    assert run.config.data.pieces == plan.data["pieces"]


def test_a_fold_of_the_target_is_learned_from_few_rows():
    frame = make_table().select("size", "colour", "price")
    errors = {}
    for name in (*TABLE_PLANS, None):
        if name is None:
            data = gn.load_dataset(frame, target="price")
            config = gn.RunConfig(data={"dataset": "table"})
        else:
            plan = load_table_plan(name)
            data = read(frame, "price", plan)
            config = plan.fit_to(data)
        run = gn.run(config, data, progress=False)
        answers = run.model.predict(data.test.X)
        errors[name] = float(np.sqrt(np.mean((answers - data.test.y) ** 2)))
    assert errors["table"] < errors["table-small"] < errors[None]
    assert errors["table"] < 0.1


def test_a_tiny_table_is_one_batch():
    plan = load_table_plan()
    data = read(make_table(rows=20).select("size", "price"), "price", plan)
    config = plan.fit_to(data, {"training": {"epochs": 1}})
    assert config.training.batch_size == len(data.train.y) < 32
    assert len(gn.run(config, data, progress=False).history) == 1


def test_labels_are_smoothed_where_there_are_classes():
    plan = load_table_plan().model_copy(update={"training": {"label_smoothing": 0.1}})
    smoothed = {}
    for target in ("price", "kind"):
        data = read(make_table().select("size", target), target, plan)
        smoothed[target] = plan.fit_to(data).training.label_smoothing
    assert smoothed == {"price": 0.0, "kind": 0.1}


def test_another_name_is_no_plan():
    with pytest.raises(UsageError, match=r"plan.*table"):
        load_table_plan("tables")
