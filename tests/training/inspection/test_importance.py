"""Which inputs matter: the planted columns are found, and the figures are those reckoned by hand."""

import numpy as np
import polars as pl
import pytest

import glassnet as gn
from glassnet.charts.heat_map import HeatMap
from glassnet.data.dataset import Dataset
from glassnet.data.registry import load_dataset
from glassnet.errors import UsageError
from glassnet.locales.catalogue import Words
from glassnet.training.inspection.importance import group_inputs, permutation_importance

EN = Words("en")


def weigh(weights):
    """A network of two logits, the second of which is a weighted sum."""
    W = np.stack([np.zeros(len(weights)), weights], axis=1)
    return gn.Network([len(weights), 2], initializer=np.concatenate([W.ravel(), [0.0, 0.0]]), dtype="float64")


def test_the_figures_are_those_of_a_hand_computation():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(50, 3))
    y = (X @ [2.0, -1.0, 0.0] > 0).astype(int)
    found = permutation_importance(weigh([2.0, -1.0, 0.0]), X, y, repeats=4, seed=7)
    assert found.score == 1.0
    draws = np.random.default_rng(7)
    for column in range(3):
        for repeat in range(4):
            moved = X.copy()
            moved[:, column] = X[draws.permutation(50), column]
            right = ((moved @ [2.0, -1.0, 0.0] > 0) == y).mean()
            assert found.losses[column, repeat] == pytest.approx(1 - right, abs=1e-12)
    assert found.ranking() == [0, 1, 2]
    assert (found.losses[2] == 0).all()
    low, high = found.interval(0)
    error = found.losses[0].std(ddof=1) / 2
    assert high - low == pytest.approx(2 * 3.182446 * error, rel=1e-6)  # t of 3 degrees of freedom
    assert low < found.mean[0] < high


def test_of_a_cost_it_is_how_much_it_rises():
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = (X[:, 0] > 0).astype(int)
    found = permutation_importance(weigh([3.0, 0.0]), X, y, metric="loss", repeats=3)
    assert (found.losses[0] > 0.5).all()
    assert (found.losses[1] == 0).all()
    assert found.chart(EN).x_label == "how much worse loss gets"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table in which age and town decide, and age is missing in a sixth of the rows."""
    rng = np.random.default_rng(0)
    n = 600
    age, town = rng.integers(20, 60, n), rng.choice(["north", "south", "west"], n)
    noise, colour = rng.normal(size=n), rng.choice(["red", "blue"], n)
    paid = np.where(town == "north", age > 30, age > 50)
    frame = pl.DataFrame(
        {
            "noise": noise,
            "town": town,
            "colour": colour,
            "age": [None if row % 6 == 0 else int(one) for row, one in enumerate(age)],
            "paid": ["yes" if one else "no" for one in paid],
        }
    )
    file = tmp_path_factory.mktemp("table") / "planted.parquet"
    frame.write_parquet(file)
    return load_dataset(file, target="paid")


def test_it_finds_the_planted_columns_of_a_table(table):
    network = gn.Network([table.n_inputs, 16, 2], seed=0, class_names=table.class_names)
    run = gn.fit(network, table, epochs=60, learning_rate=0.01, kernels="numpy", progress=False)
    found = permutation_importance(run.model, table)
    assert found.names == ("noise", "town", "colour", "age")
    assert {found.names[place] for place in found.ranking()[:2]} == {"age", "town"}
    assert min(found.interval(place)[0] for place in found.ranking()[:2]) > 0.05
    assert max(found.mean[found.ranking()[2:]]) < 0.05
    # the user's table, its column shuffled by hand
    X, y = table.test
    order = np.random.default_rng(0)
    [order.permutation(len(y)) for _ in range(5)]  # those of "noise"
    moved = X.with_columns(pl.Series("town", X["town"].to_list())[order.permutation(len(y)).tolist()])
    with pytest.warns(gn.DataWarning, match="filled"):
        assert found.losses[1, 0] == pytest.approx(found.score - run.model.score(moved, y), abs=1e-12)


def test_a_category_and_what_says_that_a_value_is_missing_are_one_input(table):
    names, groups, grid = group_inputs(gn.Network([table.n_inputs, 2]), table.schema)
    assert names == ("noise", "town", "colour", "age")
    features = table.schema.input.feature_names
    said = [[features[place] for place in group] for group in groups]
    assert said[1] == ["town=north", "town=south", "town=west"]
    assert said[3] == ["age", "age missing"]
    assert grid is None
    assert np.concatenate(groups).tolist() == list(range(table.n_inputs))


@pytest.mark.parametrize(
    ("shape", "grid", "first"),
    [
        ((28, 28), (7, 7), [0, 1, 2, 3, 28, 29, 30, 31, 56, 57, 58, 59, 84, 85, 86, 87]),
        ((4, 6, 3), (4, 6), [0, 1, 2]),
        ((3, 2, 5), (2, 5), [0, 10, 20]),
        ((8, 8), (4, 4), [0, 1, 8, 9]),
    ],
)
def test_a_patch_holds_its_pixels_of_all_colours_and_slices(shape, grid, first):
    data = Dataset.from_arrays(np.zeros((20, *shape), np.uint8), np.arange(20) % 2)
    width = int(np.prod(shape))
    _, groups, found = group_inputs(gn.Network([width, 2]), data.schema)
    assert found == grid
    assert sorted(groups[0].tolist()) == first
    assert sorted(np.concatenate(groups).tolist()) == list(range(width))


def test_a_map_of_pictures_shows_where_the_network_looks():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (200, 6, 6)).astype(np.uint8)
    y = (X[:, 1, 4] > 127).astype(int)
    data = Dataset.from_arrays(X, y)
    weights = np.zeros(36)
    weights[1 * 6 + 4] = 8.0
    network = weigh(weights)
    network.b[0][:] = [0.0, -8 * 127.5 / 255]
    found = permutation_importance(network, data.encoded.test, max_rows=30)
    assert found.rows == 30
    chart = found.chart(EN)
    assert isinstance(chart, HeatMap)
    assert np.unravel_index(chart.values.argmax(), chart.values.shape) == (1, 4)
    assert np.count_nonzero(chart.values) == 1
    assert chart.image[1, 4].tolist()[:3] == [5, 48, 97]  # full blue
    assert chart.image[0, 0].tolist()[:3] == [247, 247, 247]
    assert found.plot().images[0].get_array().shape == (6, 6, 4)


def test_the_rows_and_the_network_are_left_as_they_were():
    X = np.random.default_rng(0).normal(size=(40, 2))
    before, network = X.copy(), weigh([1.0, 1.0])
    theta = network.theta.copy()
    permutation_importance(network, X, (X[:, 0] > 0).astype(int))
    assert (before == X).all()
    assert (theta == network.theta).all()


@pytest.mark.parametrize("option", ["repeats", "max_rows"])
def test_no_rows_and_no_repeats_are_refused(option):
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(UsageError, match=option):
        permutation_importance(weigh([1.0, 1.0]), X, (X[:, 0] > 0).astype(int), **{option: 0})


def test_one_repeat_has_no_interval():
    X = np.random.default_rng(0).normal(size=(40, 2))
    found = permutation_importance(weigh([1.0, 0.0]), X, (X[:, 0] > 0).astype(int), repeats=1)
    assert np.isnan(found.interval(0)).all()
    assert "95 %" not in repr(found)


def test_the_chart_has_the_most_important_first():
    X = np.random.default_rng(0).normal(size=(80, 25))
    weights = np.zeros(25)
    weights[[3, 20]] = 1.0, 5.0
    found = permutation_importance(weigh(weights), X, (X @ weights > 0).astype(int))
    chart = found.chart(EN)
    assert [row.label for row in chart.intervals][:2] == ["x21", "x4"]
    assert len(chart.intervals) == 20
    assert chart.intervals[0].values == tuple(found.losses[20])
    axes = found.plot(language="zh")
    assert axes.get_title(loc="left") == "哪些输入重要"
