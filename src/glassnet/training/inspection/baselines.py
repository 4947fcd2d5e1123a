"""Simple models of scikit-learn that learn from the same rows as a network, and are judged on the same rows."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from glassnet.charts.intervals import Interval, IntervalChart
from glassnet.charts.painting import Plots
from glassnet.data.dataset import Dataset
from glassnet.data.splits import Split, draw_stratified, order_of
from glassnet.errors import DataError, UsageError
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array
from glassnet.runtime.records import Count, Seconds
from glassnet.training.metrics.evaluation import Answering, evaluate_predictions
from glassnet.training.metrics.formulas import r_squared
from glassnet.training.metrics.intervals import wilson_interval
from glassnet.training.metrics.medmnist import accuracy, auc
from glassnet.training.metrics.predictions import Predictions, predict_rows, take_labels

Kind = Literal["network", "constant", "linear", "boosting"]
SplitName = Literal["validation", "test"]

#: Numbers that a model learns from: of more rows some are drawn.
MOST_CELLS = 8_000_000

#: Trees times columns beyond which boosting would take much longer than all else of a report.
MOST_BOOSTING = 80_000

#: Steps that scikit-learn takes by default: of logistic regression, and of boosting.
STEPS = 100

#: What is measured, as far as it goes with the task: what decides stands before the other.
MEASURES = ("accuracy", "auc", "r2", "mae")


@dataclass(frozen=True)
class Score:
    """How good a model is on rows of a data set: so many rows, and measures by name."""

    rows: Count
    measures: Mapping[str, float]


@dataclass(frozen=True)
class Baseline:
    """A model beside others.

    Attributes
    ----------
    kind : {"network", "constant", "linear", "boosting"}
        "constant" says the same of every row: the most frequent class, or the mean.
    name : str
        The class of scikit-learn; empty for the network.
    scores : dict of str to Score
        By the rows that it was judged on: ``"validation"`` and ``"test"``, as far as there are such rows.
    rows : int
        Training rows that it learned from.
    seconds : float
        Wall time of its training.
    converged : bool
        Whether its training came to its end within the steps that it may take.
    """

    kind: Kind
    name: str
    scores: Mapping[SplitName, Score]
    rows: Count
    seconds: Seconds
    converged: bool = True


@dataclass(frozen=True, repr=False)
class Baselines(Plots):
    """Simple models, and where it was asked for the network, judged on the same rows.

    `plot` draws the models: accuracy with its 95 % interval, or R2. Of several labels a row, accuracy is the mean
    over the labels, and has no interval: the labels of a row are not independent.

    Attributes
    ----------
    models : tuple of Baseline
        The network first.
    train_rows, columns : int
        Of the training rows.
    left_out : tuple of str
        Kinds of models that would have taken too long.
    labels : int
        Labels of a row.
    """

    models: tuple[Baseline, ...]
    train_rows: Count
    columns: Count
    left_out: tuple[Kind, ...] = ()
    labels: Count = 1

    @property
    def measure(self) -> str:
        """The measure that decides: ``"accuracy"`` or ``"r2"``."""
        return next(iter(next(iter(self.models[-1].scores.values())).measures))

    @property
    def splits(self) -> list[SplitName]:
        """The rows that the models were judged on, those to choose by first."""
        names: tuple[SplitName, ...] = ("validation", "test")
        return [one for one in names if all(one in model.scores for model in self.models)]

    def __post_init__(self) -> None:
        if not self.models or not self.splits:
            raise ValueError("no models, or no rows that all were judged on")
        names = {tuple(model.scores[split].measures) for model in self.models for split in self.splits}
        if not all(one and set(one) <= set(MEASURES) and one[0] in ("accuracy", "r2") for one in names):
            raise ValueError("no measures of a model")

    def fits(self, data: Dataset) -> bool:
        """Whether these are of the rows of a data set, by their number."""
        sizes = {split: len(getattr(data, split).y) for split in self.splits}
        same = all(model.scores[split].rows == n for model in self.models for split, n in sizes.items())
        return same and (self.train_rows, self.columns) == (len(data.train.y), data.n_inputs)

    def chart(self, words: Words) -> IntervalChart:
        """Return the models with the measure that decides, on the rows to choose by, as a chart."""
        split = self.splits[0]
        rows = []
        for model in self.models:
            score = model.scores[split]
            value = score.measures[self.measure]
            right = round(value * score.rows)
            sure = self.measure == "accuracy" and self.labels == 1
            ends = wilson_interval(right, score.rows) if sure else (None, None)
            rows.append(Interval(name_model(model.kind, self.measure, words), value, *ends))
        key = "validation_of" if split == "validation" else "test_of"
        x_label = words.say(key, measure=words.measure(self.measure))
        return IntervalChart("baselines", words.say("baselines_chart", measure=x_label), x_label, rows)

    def __repr__(self) -> str:
        lines = []
        for model in self.models:
            scores = ", ".join(
                f"{split} {name} {value:.4f}"
                for split in self.splits
                for name, value in model.scores[split].measures.items()
            )
            lines.append(f"{model.name or model.kind:30}  {scores}")
        return "\n".join(lines)


def name_model(kind: str, measure: str, words: Words) -> str:
    """Return what a kind of model is called: a constant is a mean or a class, by the measure."""
    constant = "baseline_mean" if measure == "r2" else "baseline_class"
    names = {"network": "network", "linear": "baseline_linear", "boosting": "baseline_boosting"}
    return words.say(names.get(kind, constant))


def compare_baselines(model: Any, data: Dataset) -> Baselines:
    """Hold a model against simple ones that learn from the same rows: a constant, a linear model, and boosting.

    They are scikit-learn's, with its own settings: ``DummyClassifier`` or ``DummyRegressor``;
    ``LogisticRegression`` or ``Ridge`` on standardised columns; ``HistGradientBoostingClassifier`` or
    ``HistGradientBoostingRegressor``, without early stopping. They get the numbers that the network gets, and run
    on one thread. Of tables with more than 8 million cells, so many rows are drawn as fit; boosting is left out
    where trees times columns are more than 80,000, as with pictures of ten classes. Of several labels a row each
    label has its own models, ``OneVsRestClassifier``.

    Parameters
    ----------
    model : Model or Network
        The trained model.
    data : Dataset
        The data that it learned from.

    Returns
    -------
    Baselines
        Scores on validation and test rows. It prints as a table, and ``.plot()`` draws it.

    Raises
    ------
    UsageError
        If the model has no answers that could be measured.
    DataError
        If there are neither validation nor test rows.
    NonFiniteError
        If the model's outputs are not finite.

    Examples
    --------
    >>> import glassnet as gn
    >>> data = gn.load_dataset("iris")
    >>> run = gn.fit(gn.Network([4, 16, 3]), data, epochs=60, learning_rate=0.01, progress=False)
    >>> found = compare_baselines(run.model, data)
    >>> [model.kind for model in found.models]
    ['network', 'constant', 'linear', 'boosting']
    """
    network, found = model.network if isinstance(model, Answering) else model, fit_baselines(data)
    answers = {split: predict_rows(network, getattr(data.encoded, split)) for split in found.splits}
    return add_network(found, answers)


def add_network(found: Baselines, answers: Mapping[SplitName, Predictions]) -> Baselines:
    """Return baselines with a network before them, by its answers on the same rows."""
    scores: dict[SplitName, Score] = {}
    for split in found.splits:
        evaluation = evaluate_predictions(answers[split])
        if not (names := [name for name in MEASURES if name in evaluation]):
            raise UsageError(
                "model", "it has neither classes nor numbers to measure; give the network class_names"
            )
        scores[split] = Score(evaluation.rows, {name: evaluation[name] for name in names})
    model = Baseline("network", "", scores, found.train_rows, 0.0)
    return replace(found, models=(model, *found.models))


def fit_baselines(data: Dataset) -> Baselines:
    """Train the simple models on the training rows of a data set, and judge them on the others."""
    if not len(data.validation.y) and not len(data.test.y):
        raise DataError(f"{data.name}: there are neither validation nor test rows to judge models on")
    X, y = data.encoded.train
    columns, n = data.n_inputs, len(y)
    rows = np.arange(n)
    if n * columns > MOST_CELLS:
        order = order_of(data.schema, data.train.y)
        rows = draw_stratified(order, MOST_CELLS // columns, np.random.default_rng(0))[1]
    X, y = _flatten(X[rows]), take_labels(y[rows], data.schema.target)
    regresses, outputs = data.task == "regression", y.shape[1] if y.ndim == 2 else 1
    trees = STEPS * (outputs if y.ndim == 2 else 1 if regresses or data.n_classes == 2 else len(np.unique(y)))
    found, left_out = [], []
    for kind, estimator in _make_estimators(regresses, outputs > 1).items():
        if kind == "boosting" and trees * columns > MOST_BOOSTING:
            left_out.append(kind)
        elif kind == "constant" or len(np.unique(y)) > 1:  # one class alone leaves nothing to learn
            found.append(_fit(kind, estimator, X, y, data))
    return Baselines(tuple(found), n, columns, tuple(left_out), 1 if regresses else outputs)


def _flatten(X: Array) -> Array:
    return X.reshape(len(X), -1).astype(np.float32)


def _make_estimators(regresses: bool, several: bool) -> dict[Kind, Any]:
    """Return the models of scikit-learn, with its own settings; of several labels each has one."""
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.multioutput import MultiOutputRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if not regresses:
        linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=STEPS))
        boosting = HistGradientBoostingClassifier(max_iter=STEPS, early_stopping=False, random_state=0)
        models: dict[Kind, Any] = {"constant": DummyClassifier(), "linear": linear, "boosting": boosting}
        return {kind: OneVsRestClassifier(one) for kind, one in models.items()} if several else models
    boosting = HistGradientBoostingRegressor(max_iter=STEPS, early_stopping=False, random_state=0)
    boosting = MultiOutputRegressor(boosting) if several else boosting
    return {
        "constant": DummyRegressor(),
        "linear": make_pipeline(StandardScaler(), Ridge()),
        "boosting": boosting,
    }


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Let scikit-learn use one thread: of trees as small as these, many threads wait for each other."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


def _fit(kind: Kind, estimator: Any, X: Array, y: Array, data: Dataset) -> Baseline:
    """Train a model and judge it."""
    from sklearn.exceptions import ConvergenceWarning

    with _one_thread(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.filterwarnings("ignore", "Label .* is present", UserWarning)  # in all rows, or none
        begin = time.perf_counter()
        estimator.fit(X, y)
        seconds = time.perf_counter() - begin
        scores: dict[SplitName, Score] = {}
        if len(data.validation.y):
            scores["validation"] = _judge(estimator, data.encoded.validation, data)
        if len(data.test.y):
            scores["test"] = _judge(estimator, data.encoded.test, data)
    converged = not any(issubclass(one.category, ConvergenceWarning) for one in caught)
    last = estimator.estimator if data.task == "multi-label" else estimator
    last = last[-1] if hasattr(last, "steps") else last
    return Baseline(kind, type(last).__name__, scores, len(y), seconds, converged)


def _judge(estimator: Any, split: Split, data: Dataset) -> Score:
    """Measure a model of scikit-learn by the formulas that a network is measured by."""
    target = data.schema.target
    X, y = _flatten(split.X), take_labels(split.y, target)
    if data.task == "regression":
        truth, predicted = (one.reshape(len(y), -1).astype(np.float64) for one in (y, estimator.predict(X)))
        error = np.abs(target.decode(predicted) - target.decode(truth)).mean()
        return Score(len(y), {"r2": r_squared(truth, predicted), "mae": float(error)})
    given = estimator.predict_proba(X)
    scores = np.zeros((len(y), y.shape[1] if y.ndim == 2 else target.n_classes or 0))
    scores[:, estimator.classes_.astype(np.intp)] = given
    measures = {"accuracy": accuracy(y, scores, data.task)}
    with contextlib.suppress(DataError):  # a class without rows
        measures["auc"] = auc(y, scores, data.task)
    return Score(len(y), measures)
