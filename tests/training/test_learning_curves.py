import numpy as np
import pandas
import pytest
from matplotlib.figure import Figure
from tests.report.conftest import HEALTHY, SICK

import glassnet as gn
from glassnet.errors import UsageError
from glassnet.locales.catalogue import Words
from glassnet.runtime.records import adapter_of
from glassnet.training.health.monitor import Health
from glassnet.training.history import EpochRecord, History
from glassnet.training.learning_curves import curve_of, learning_charts


def history(losses, accuracies=None):
    found = History()
    for epoch, loss in enumerate(losses, start=1):
        accuracy = accuracies[epoch - 1] if accuracies else None
        found.append(EpochRecord(epoch, loss, accuracy, None, None, 0.1, 1.0, 1))
    return found


def validated(epochs=3):
    """A history whose columns all differ."""
    found = History()
    for n in range(1, epochs + 1):
        found.append(
            EpochRecord(n, 4.0 / n, 0.1 * n, 5.0 / n, 0.2 * n, 0.1 / n, 1.0, 1, {"validation_auc": 0.3 * n})
        )
    return found


def axes():
    return Figure().add_subplot()


def test_several_runs_are_their_mean_with_a_band_from_the_lowest_to_the_highest():
    curve = curve_of("seeds", [history([1.0, 0.5]), history([3.0, 0.7]), history([2.0, 0.6, 0.1])], "train_loss")
    assert curve.x == (1.0, 2.0)  # all of them have two epochs
    np.testing.assert_allclose(curve.mean, (2.0, 0.6))
    assert (curve.low, curve.high) == ((1.0, 0.5), (3.0, 0.7))


def test_one_run_has_no_band_and_a_column_without_values_no_curve():
    one = history([1.0, 0.5])
    assert curve_of("training", [one], "train_loss").low is None
    assert curve_of("validation", [one], "validation_loss") is None
    assert curve_of("auc", [one], "validation_auc") is None
    assert curve_of("nothing", [], "train_loss") is None


def test_there_is_a_chart_of_all_that_was_measured():
    charts = learning_charts(validated(), Words("en"))
    assert [chart.key for chart in charts] == ["loss", "accuracy", "validation-auc", "learning-rate"]
    assert [len(chart.curves) for chart in charts] == [2, 2, 1, 1]
    assert charts[2].title == "AUC on the validation rows"
    assert [chart.key for chart in learning_charts(history([1.0]), Words("en"))] == ["loss"]


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("loss", {"training": "train_loss", "validation": "validation_loss"}),
        ("accuracy", {"training": "train_accuracy", "validation": "validation_accuracy"}),
        ("auc", {"validation": "validation_auc"}),
        ("validation_auc", {"validation": "validation_auc"}),
        ("learning_rate", {"learning rate": "learning_rate"}),
    ],
)
def test_a_history_plots_a_measure(measure, expected):
    found, given = validated(), axes()
    drawn = found.plot(measure, ax=given)
    assert drawn is given
    names = [text.get_text() for text in drawn.get_legend().get_texts()]
    assert dict(zip(names, (list(line.get_ydata()) for line in drawn.get_lines()), strict=True)) == {
        name: found[column] for name, column in expected.items()
    }


def test_a_measure_that_there_is_not_is_refused():
    with pytest.raises(UsageError, match="there is no 'f1' in the history; choose one of loss, accuracy, epoch"):
        validated().plot("f1", axes())
    health = adapter_of(Health).validate_python({key: HEALTHY[key] for key in ("diagnoses", "vitals")})
    with pytest.raises(UsageError, match=r"must be one of dead_units, .*, got 'loss'"):
        health.plot("loss", axes())


def test_a_history_becomes_a_table_of_pandas():
    found = validated().to_pandas()
    assert isinstance(found, pandas.DataFrame)
    assert found["validation_auc"].tolist() == validated()["validation_auc"]
    assert found["dead_units"].isna().all()
    assert list(History().to_pandas().columns) == History().columns


def test_health_plots_a_measure_of_each_layer():
    health = adapter_of(Health).validate_python({key: SICK[key] for key in ("diagnoses", "vitals")})
    drawn = health.plot("dead_units", axes(), language="zh")
    [line] = drawn.get_lines()  # the output has no dead unit at any time
    assert line.get_xydata().tolist() == [[0, 0], [12, 0.25]]
    assert drawn.get_xlabel() == "步"
    assert len(health.plot(ax=axes()).get_lines()) == 2


@pytest.fixture(scope="module")
def run():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3))
    return gn.fit(
        gn.Network([3, 4, 2]), X, (X[:, 0] > 0).astype(int), epochs=2, progress=False, kernels="numpy", seed=0
    )


def test_a_notebook_shows_a_run_with_its_curves_and_no_script(run):
    text = run._repr_html_()
    assert text.startswith("<pre>Run([3, 4, 2] on ")
    assert text.count('<img src="data:image/png;base64,') == 2
    assert "<script" not in text
    assert [one.split('"')[0] for one in text.split('alt="')[1:]] == ["Loss", "Accuracy"]


def test_a_run_plots_its_weights_and_an_evaluation_its_confusions(run):
    drawn = run.plot_weights(axes())
    assert drawn.images[0].get_array().shape == (4, 3, 4)
    X, y = np.random.default_rng(1).normal(size=(50, 3)), np.arange(50) % 2
    found = run.model.evaluate(X, y)
    predicted = run.model.predict(X)
    expected = [[int(((y == true) & (predicted == said)).sum()) for said in (0, 1)] for true in (0, 1)]
    assert found.confusion.counts.tolist() == expected
    drawn = found.confusion.plot(axes())
    assert {text.get_position(): text.get_text() for text in drawn.texts}[1, 0] == str(expected[0][1])
    assert gn.evaluate(gn.Network([3, 1], loss="half_squared_error"), X, X[:, 0]).confusion is None


def test_a_range_test_plots_its_curve():
    X = np.random.default_rng(0).normal(size=(200, 3))
    found = gn.find_learning_rate(gn.Network([3, 8, 2]), (X, (X[:, 0] > 0).astype(int)), steps=60, seed=0)
    raw, smoothed, *_ = found.plot(axes()).get_lines()
    np.testing.assert_array_equal(raw.get_ydata(), found.losses)
    np.testing.assert_array_equal(smoothed.get_ydata(), found.smoothed)
    assert found.plot(axes(), language="zh").get_xlabel() == "学习率"
