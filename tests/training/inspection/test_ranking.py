"""ROC, calibration and thresholds: areas are those of the metrics, figures those worked by hand."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, f1_score, precision_recall_curve, precision_score

import glassnet as gn
from glassnet.errors import DataError, UsageError
from glassnet.locales.catalogue import Words
from glassnet.training.inspection.calibration import calibration_curve
from glassnet.training.inspection.ranking import MOST_CURVES, MOST_POINTS, roc_curve
from glassnet.training.inspection.thresholds import choose_threshold
from glassnet.training.metrics import auc

EN = Words("en")


def one_output(**options):
    """A network whose single logit is its input."""
    options = {"class_names": ["no", "yes"], **options}
    return gn.Network(
        [1, 1], loss="binary_cross_entropy", initializer=np.array([1.0, 0.0]), dtype="float64", **options
    )


def drawn(n=300, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return (rng.normal(size=n) + y).round(1)[:, None], y


def several(k=8, n=400):
    """A network whose logits are its inputs, and rows of which each class is known worse than the one before."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, k, n)
    X = rng.normal(size=(n, k))
    X[np.arange(n), y] += np.linspace(3, 0.5, k)[y]
    theta = np.concatenate([np.eye(k).ravel(), np.zeros(k)])
    return gn.Network([k, k], initializer=theta, dtype="float64", class_names=list("abcdefghijkl"[:k])), X, y


def area_under(x, y):
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))


def test_the_area_is_the_auc_of_the_metrics_and_the_positive_class_is_named():
    X, y = drawn()
    [curve] = roc_curve(one_output(), X, y)
    assert curve.name == "yes"
    assert curve.positives == y.sum()
    expected = auc(y, 1 / (1 + np.exp(-X)), "binary")
    assert curve.auc == pytest.approx(expected, abs=1e-12)
    assert area_under(curve.false_positive_rate, curve.recall) == pytest.approx(expected, abs=1e-12)
    assert gn.evaluate(one_output(), X, y).auc == curve.auc
    precision, recall, _ = precision_recall_curve(y, X[:, 0])
    for one in np.unique(curve.recall):
        assert curve.precision[curve.recall == one].max() == pytest.approx(
            precision[recall == one].max(), abs=1e-12
        )


def test_of_several_classes_each_has_a_curve_and_the_worst_are_drawn():
    network, X, y = several()
    found = roc_curve(network, X, y)
    assert [curve.name for curve in found] == list("abcdefgh")
    assert np.mean([curve.auc for curve in found]) == pytest.approx(gn.evaluate(network, X, y).auc, abs=1e-12)
    chart = found.chart(EN)
    areas = [curve.auc for curve in found.shown]
    assert len(areas) == MOST_CURVES
    assert areas == sorted(curve.auc for curve in found)[:MOST_CURVES]
    assert chart.curves[0].label == f"{found.shown[0].name}: AUC {areas[0]:.3f}"
    assert chart.curves[-1].label == "chance"
    assert roc_curve(network, X[y < 7], y[y < 7]).curves[-1].name == "g"  # "h" is on no row


def test_a_chart_has_few_points_and_the_area_stays():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 5000)
    found = roc_curve(one_output(), (rng.normal(size=5000) + y)[:, None], y)
    for kind in ("roc", "precision-recall"):
        assert max(len(curve.x) for curve in found.chart(EN, kind).curves) <= MOST_POINTS + 2
    drawn = found.chart(EN).curves[0]
    assert (drawn.x[0], drawn.mean[0], drawn.x[-1], drawn.mean[-1]) == (0, 0, 1, 1)
    assert area_under(np.array(drawn.x), np.array(drawn.mean)) == pytest.approx(found.curves[0].auc, abs=0.005)
    axes = found.plot("precision-recall", language="zh")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("召回率", "精确率")


def test_what_gives_no_probabilities_of_classes_is_refused():
    X, y = drawn(20)
    with pytest.raises(UsageError, match="gives no probabilities"):
        roc_curve(gn.Network([1, 2], loss="half_squared_error", class_names=["a", "b"]), X, y)
    with pytest.raises(UsageError, match="the task is regression"):
        roc_curve(gn.Network([1, 1], loss="half_squared_error"), X, X[:, 0])
    with pytest.raises(DataError, match="one class only"):
        roc_curve(one_output(), X, np.ones(20, int))
    with pytest.raises(UsageError, match="must be roc or precision-recall"):
        roc_curve(one_output(), X, y).plot("curve")


def test_calibration_is_that_worked_by_hand():
    p = np.array([0.05, 0.05, 0.32, 0.38, 0.91, 0.99])
    y = np.array([0, 1, 0, 1, 1, 1])
    X = np.log(p / (1 - p))[:, None]
    found = calibration_curve(one_output(), X, y)
    assert found.positive == "yes"
    assert found.counts.tolist() == [2, 0, 0, 2, 0, 0, 0, 0, 0, 2]
    np.testing.assert_allclose(found.predicted[[0, 3, 9]], [0.05, 0.35, 0.95])
    np.testing.assert_allclose(found.observed[[0, 3, 9]], [0.5, 0.5, 1.0])
    assert found.error == pytest.approx((0.45 + 0.15 + 0.05) / 3)
    assert found.brier == pytest.approx(brier_score_loss(y, p))
    chart = found.chart(EN)
    np.testing.assert_allclose(chart.curves[0].mean, [0.5, 0.5, 1.0])
    assert chart.curves[0].low[0] < 0.5 < chart.curves[0].high[0]
    assert [bar.value for bar in found.counts_chart(EN).bars] == found.counts.tolist()
    assert found.plot().get_xlabel() == "probability of yes"


def test_of_several_classes_it_is_the_predicted_class_that_is_right_or_not():
    network, X, y = several(3, 900)
    found = calibration_curve(network, X, y)
    p = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
    right = p.argmax(axis=1) == y
    assert found.positive == ""
    assert found.counts.sum() == 900
    sure = p.max(axis=1) >= 0.9
    assert found.observed[9] == pytest.approx(right[sure].mean())
    assert found.predicted[9] == pytest.approx(p.max(axis=1)[sure].mean())
    assert found.brier == pytest.approx(((p - np.eye(3)[y]) ** 2).sum(axis=1).mean())


def test_a_probability_of_one_is_in_the_last_part():
    found = calibration_curve(one_output(), np.array([[800.0], [-800.0]]), np.array([1, 0]))
    assert found.counts.tolist() == [1, *[0] * 8, 1]
    assert found.error == 0


def test_thresholds_are_the_best_of_all():
    X, y = drawn(120, seed=5)
    found = choose_threshold(one_output(), X, y)
    p = 1 / (1 + np.exp(-X[:, 0]))
    called = p[None] > np.linspace(0, 1, 2001)[:, None]
    found_by, others = (called & (y == 1)).sum(axis=1), (called & (y == 0)).sum(axis=1)
    f1 = 2 * found_by / (y.sum() + found_by + others)
    youden = found_by / y.sum() - others / (y == 0).sum()
    assert found.best("f1").f1 == pytest.approx(max(f1), abs=1e-12)
    assert found.best("f1").f1 == pytest.approx(f1_score(y, p > found.best("f1").threshold), abs=1e-12)
    best = found.best("youden")
    assert best.recall + best.specificity - 1 == pytest.approx(max(youden), abs=1e-12)
    at = found.at(best.threshold)
    assert at.precision == pytest.approx(precision_score(y, p > best.threshold))
    assert at.called == (p > best.threshold).sum()
    assert found.best("f1").threshold not in p


def test_a_threshold_that_calls_nothing_has_no_precision():
    X, y = drawn(40)
    found = choose_threshold(one_output(), X, y)
    none, every = found.at(1.0), found.at(0.0)
    assert (none.precision, none.recall, none.specificity, none.f1) == (None, 0.0, 1.0, 0.0)
    assert (every.recall, every.specificity, every.called) == (1.0, 0.0, 40)
    half = choose_threshold(one_output(), np.array([[0.0], [0.0], [1.0]]), np.array([0, 1, 1])).at(0.5)
    assert half.called == 1  # a probability of one half is not above it, as everywhere
    chart = found.chart(EN)
    assert [curve.label for curve in chart.curves] == ["precision", "recall", "specificity", "F1"]
    assert chart.title == "What a threshold of yes costs"
    assert chart.curves[1].mean[0] == 1.0
    assert found.plot(language="zh").get_xlabel() == "阈值"


def test_thresholds_are_of_two_classes_that_both_have_rows():
    network, X, y = several(3, 30)
    with pytest.raises(UsageError, match="two classes, and there are 3"):
        choose_threshold(network, X, y)
    with pytest.raises(DataError, match="all of one class"):
        choose_threshold(one_output(), *[one[:5] for one in (X[:, :1], np.zeros(30, int))])
    with pytest.raises(UsageError, match="f1 or youden"):
        choose_threshold(one_output(), *drawn(20)).best("accuracy")


def test_precision_is_drawn_evenly_also_where_a_class_is_rare():
    y = (np.arange(1000) % 100 == 0).astype(int)
    found = roc_curve(one_output(), np.random.default_rng(0).normal(size=(1000, 1)), y)
    assert found.curves[0].precision.min() < 1 / 30
    assert not found.chart(EN, "precision-recall").draw().logarithmic
