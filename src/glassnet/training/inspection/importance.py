"""Which inputs a network goes by: how much worse its answers are when the values of one are shuffled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.charts.heat_map import HeatMap
from glassnet.charts.intervals import Interval, IntervalChart
from glassnet.charts.painting import Plots
from glassnet.data.array_schema import ArraySchema
from glassnet.data.schema import Schema
from glassnet.data.splits import Split, describe_split
from glassnet.errors import UsageError
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.training.metrics.catalogue import METRICS, measure
from glassnet.training.metrics.evaluation import take_rows
from glassnet.training.metrics.intervals import CONFIDENCE
from glassnet.training.metrics.predictions import predict_rows

#: A picture is divided into at most so many patches across, and as many down.
PATCHES = 7

#: Columns that a chart has room for.
MOST_SHOWN = 20


@dataclass(frozen=True, repr=False)
class Importance(Plots):
    """How much worse a network is without each input.

    `plot` draws the inputs, the most important first; of pictures a map.

    Attributes
    ----------
    names : tuple of str
        The columns, or the patches of a picture.
    losses : ndarray of shape (inputs, repeats)
        How much worse the metric is where the input's values are shuffled among the rows: each time anew. Above
        zero, the network goes by this input.
    metric : str
        What was measured.
    score : float
        The metric with all inputs as they are.
    rows : int
        Rows that it was measured on.
    grid : (int, int) or None
        Of pictures: patches down and across.

    Examples
    --------
    >>> found = Importance(("age", "name"), np.array([[0.25, 0.75], [0.0, 0.0]]), "accuracy", 0.9, 100)
    >>> found.mean.tolist(), found.ranking()
    ([0.5, 0.0], [0, 1])
    >>> found
    accuracy 0.9000 on 100 rows; worse by, where a column is shuffled:
    age   0.5000  (95 %: -2.677 to 3.677)
    name  0.0000  (95 %: 0.000 to 0.000)
    """

    names: tuple[str, ...]
    losses: Array
    metric: str
    score: float
    rows: int
    grid: tuple[int, int] | None = None

    @property
    def mean(self) -> Array:
        """The mean over the repeats, of shape (inputs,)."""
        return self.losses.mean(axis=1)

    def interval(self, place: int) -> tuple[float, float]:
        """Return the 95 % interval of an input's mean by Student's t: of the shuffling alone, NaN of one."""
        from scipy.stats import t

        n = self.losses.shape[1]
        if n < 2:
            return math.nan, math.nan
        error = float(self.losses[place].std(ddof=1)) / math.sqrt(n)
        reach = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * error
        return float(self.mean[place]) - reach, float(self.mean[place]) + reach

    def ranking(self) -> list[int]:
        """Return the places of the inputs, the most important first."""
        return [int(place) for place in np.argsort(-self.mean, kind="stable")]

    def chart(self, words: Words) -> IntervalChart | HeatMap:
        """Return a chart of the most important columns, or of all patches of a picture."""
        title = words.say("importance")
        if self.grid is not None:
            note = words.say("importance_map", score=words.measure(self.metric))
            return HeatMap("importance", title, self.mean.reshape(self.grid), note)
        intervals = [
            Interval(
                self.names[place],
                float(self.mean[place]),
                *self.interval(place),
                tuple(self.losses[place].tolist()),
            )
            for place in self.ranking()[:MOST_SHOWN]
        ]
        x_label = words.say("importance_axis", score=words.measure(self.metric))
        return IntervalChart("importance", title, x_label, intervals, mark=(0.0, ""))

    def __repr__(self) -> str:
        what = "column" if self.grid is None else "patch"
        lines = [f"{self.metric} {self.score:.4f} on {self.rows} rows; worse by, where a {what} is shuffled:"]
        width = max(map(len, self.names))
        for place in self.ranking()[:MOST_SHOWN]:
            low, high = self.interval(place)
            said = "" if math.isnan(low) else f"  (95 %: {low:.3f} to {high:.3f})"
            lines.append(f"{self.names[place]:{width}}  {self.mean[place]:.4f}{said}")
        return "\n".join(lines)


def permutation_importance(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    metric: str | None = None,
    repeats: int = 5,
    max_rows: int | None = None,
    seed: int = 0,
) -> Importance:
    """Measure which inputs a model goes by: how much worse it is where the values of one are shuffled.

    A column of a user's table is one input: its categories, its pieces, and what says that it is missing, are
    shuffled together. Of pictures, patches are shuffled: each row gets that part of another picture. What two
    columns both tell, the model may take from either, and neither looks important then. Take rows that it did not
    learn from.

    Parameters
    ----------
    model : Model or Network
        Left as it is.
    X, y
        The rows: as ``X, y``, a pair, or a `Dataset`, whose test rows are taken; see `glassnet.evaluate`.
    metric : str, optional
        A name that `glassnet.evaluate` knows. By default the accuracy, or R2 of regressed numbers.
    repeats : int, default 5
        How often each input is shuffled.
    max_rows : int, optional
        Rows that are taken at most, evenly spread. Default: all.
    seed : int, default 0
        Of the shuffling.

    Returns
    -------
    Importance
        Of each input, how much worse the metric was each time. It prints as a table, and ``.plot()`` draws it.

    Raises
    ------
    UsageError
        If the metric does not go with the task, or there is nothing to repeat.
    DataError
        If the metric is not defined on these rows.

    References
    ----------
    L. Breiman (2001), Random forests, Machine Learning 45, 5-32, section 10.

    Examples
    --------
    >>> import glassnet as gn
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 3))
    >>> model = gn.fit(gn.Network([3, 8, 2]), X, (X[:, 1] > 0).astype(int), epochs=40, progress=False).model
    >>> found = permutation_importance(model, X, (X[:, 1] > 0).astype(int))
    >>> found.names[found.ranking()[0]]
    'x2'
    """
    for option, number in (("repeats", repeats), ("max_rows", max_rows)):
        if number is not None and number < 1:
            raise UsageError(option, f"must be at least 1, got {number}")
    network, split = take_rows(model, X, y)
    split = split.encode() if isinstance(split, Split) else Split(*split)
    schema = split.schema
    X, y = np.asarray(split.X), np.asarray(split.y)
    if max_rows is not None and len(X) > max_rows:
        chosen = np.linspace(0, len(X) - 1, max_rows).astype(np.intp)
        X, y = X[chosen], y[chosen]
    names, groups, grid = group_inputs(network, schema)
    flat, shape = X.reshape(len(X), -1), X.shape

    def score(rows: Array) -> float:
        return measure(predict_rows(network, _describe(rows.reshape(shape), y, schema)), [name])[name]

    first = predict_rows(network, _describe(X, y, schema))
    name = metric or ("r2" if first.task == "regression" else "accuracy")
    base, rng = measure(first, [name])[name], np.random.default_rng(seed)
    sign = 1.0 if METRICS[name].larger_is_better else -1.0
    losses, shuffled = np.zeros((len(groups), repeats)), flat.copy()
    for place, group in enumerate(groups):
        for repeat in range(repeats):
            shuffled[:, group] = flat[np.ix_(rng.permutation(len(flat)), group)]
            losses[place, repeat] = sign * (base - score(shuffled))
        shuffled[:, group] = flat[:, group]
    return Importance(names, losses, name, base, len(flat), grid)


def _describe(X: Array, y: Array, schema: Schema | None) -> Split:
    return describe_split(X, y, schema, is_encoded=True) if schema is not None else Split(X, y)


def group_inputs(
    network: Network, schema: Schema | None
) -> tuple[tuple[str, ...], list[Array], tuple[int, int] | None]:
    """Return what is shuffled together: names, the places of their numbers in a row, and of pictures the grid."""
    rows = None if schema is None else schema.input
    if isinstance(rows, ArraySchema) and rows.image_shape is not None:
        return _group_pixels(rows.shape)
    if rows is None or isinstance(rows, ArraySchema):
        sizes = [1] * network.layers[0] if rows is None else rows.sizes
        names = tuple(f"x{place + 1}" for place in range(len(sizes)))
    else:
        names, sizes = tuple(column.name for column in rows.columns), rows.sizes
    return names, np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1]), None


def _group_pixels(shape: tuple[int, ...]) -> tuple[tuple[str, ...], list[Array], tuple[int, int]]:
    """Return the patches of a picture, row by row, each with all its colours or slices."""
    pixels = np.arange(math.prod(shape)).reshape(shape)
    if len(shape) == 3 and shape[2] != 3:  # a solid: slices first
        pixels = np.moveaxis(pixels, 0, -1)
    height, width = pixels.shape[:2]
    side = math.ceil(max(height, width) / PATCHES)
    down, across = range(0, height, side), range(0, width, side)
    groups = [pixels[top : top + side, left : left + side].ravel() for top in down for left in across]
    names = tuple(f"{row + 1}, {column + 1}" for row in range(len(down)) for column in range(len(across)))
    return names, groups, (len(down), len(across))
