"""Simple models beside a network: they are scikit-learn's, on the same rows, by the same measures."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import mean_absolute_error, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import glassnet as gn
from glassnet.data.dataset import Dataset
from glassnet.data.splits import draw_stratified
from glassnet.errors import DataError, FileError, UsageError
from glassnet.locales.catalogue import Words
from glassnet.training.inspection import baselines
from glassnet.training.inspection.baselines import Baselines, compare_baselines, fit_baselines
from glassnet.training.run_folder import RunFolder

EN = Words("en")


def classes(n=240, k=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)) * [1, 20, 300, 1]
    y = np.digitize(X[:, 1] / 20 + 0.5 * rng.normal(size=n), np.linspace(-0.5, 0.5, k - 1))
    return Dataset.from_arrays(X, y, validation=40)


def numbers(n=240):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, 3))
    return Dataset.from_arrays(X, 100 * X[:, 0] + 10 * np.abs(X[:, 1]), validation=40, task="regression").scale(
        "standard"
    )


@pytest.mark.parametrize("k", [2, 3])
def test_classifiers_are_those_of_scikit_learn(k):
    data = classes(k=k)
    found = {model.kind: model for model in fit_baselines(data).models}
    X, y = data.encoded.train
    theirs = {
        "constant": DummyClassifier(),
        "linear": make_pipeline(StandardScaler(), LogisticRegression()),
        "boosting": HistGradientBoostingClassifier(random_state=0),
    }
    for kind, estimator in theirs.items():
        with threadpool_limits(1):
            estimator.fit(X.astype(np.float32), y)
        for split in ("validation", "test"):
            rows, labels = getattr(data.encoded, split)
            p = estimator.predict_proba(rows.astype(np.float32))
            area = roc_auc_score(labels, p[:, 1] if k == 2 else p, multi_class="ovr")
            measures = found[kind].scores[split].measures
            assert measures["accuracy"] == pytest.approx(
                estimator.score(rows.astype(np.float32), labels), abs=1e-12
            )
            assert measures["auc"] == pytest.approx(area, abs=1e-12)
        assert found[kind].rows == len(y)
    assert (
        found["linear"].scores["test"].measures["accuracy"] > found["constant"].scores["test"].measures["accuracy"]
    )


def test_regressors_are_those_of_scikit_learn_in_the_targets_units():
    data = numbers()
    found = {model.kind: model for model in fit_baselines(data).models}
    X, y = data.encoded.train
    theirs = {
        "constant": DummyRegressor(),
        "linear": make_pipeline(StandardScaler(), Ridge()),
        "boosting": HistGradientBoostingRegressor(random_state=0),
    }
    for kind, estimator in theirs.items():
        with threadpool_limits(1):
            estimator.fit(X, y)
        rows, truth = data.encoded.test
        measures = found[kind].scores["test"].measures
        assert measures["r2"] == pytest.approx(estimator.score(rows, truth), abs=1e-9)
        own = data.schema.target.decode(estimator.predict(rows))
        assert measures["mae"] == pytest.approx(mean_absolute_error(data.test.y, own), rel=1e-6)
    assert found["constant"].scores["test"].measures["mae"] > 50  # hundreds, not standard deviations


def test_the_network_stands_first_with_its_own_figures():
    data = classes()
    network = gn.Network([4, 2], seed=0, class_names=data.class_names)
    found = compare_baselines(network, data)
    assert [model.kind for model in found.models] == ["network", "constant", "linear", "boosting"]
    for split in ("validation", "test"):
        own = gn.evaluate(network, getattr(data, split))
        assert dict(found.models[0].scores[split].measures) == {"accuracy": own.accuracy, "auc": own.auc}
    assert "LogisticRegression" in repr(found)
    axes = found.plot()
    assert [label.get_text() for label in axes.get_yticklabels()][:2] == ["network", "most frequent class"]
    chart = found.chart(EN)
    assert [row.mean for row in chart.intervals] == [
        model.scores["validation"].measures["accuracy"] for model in found.models
    ]
    assert all(row.low < row.mean < row.high for row in chart.intervals if 0 < row.mean < 1)


def test_of_too_many_rows_some_are_drawn_by_class_and_boosting_may_be_left_out(monkeypatch):
    data = classes(k=3)
    monkeypatch.setattr(baselines, "MOST_CELLS", 4 * 60)
    monkeypatch.setattr(baselines, "MOST_BOOSTING", 1199)  # three classes, four columns, a hundred steps: 1,200
    found = fit_baselines(data)
    assert [model.kind for model in found.models] == ["constant", "linear"]
    assert found.left_out == ("boosting",)
    assert {model.rows for model in found.models} == {60}
    assert found.train_rows == len(data.train.y)
    X, y = data.encoded.train
    drawn = draw_stratified(y, 60, np.random.default_rng(0))[1]
    theirs = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[drawn].astype(np.float32), y[drawn])
    p = theirs.predict_proba(data.encoded.test.X.astype(np.float32))
    area = roc_auc_score(data.encoded.test.y, p, multi_class="ovr")
    assert found.models[1].scores["test"].measures["auc"] == pytest.approx(area, abs=1e-12)
    shares = np.bincount(data.encoded.train.y) / len(data.train.y)
    majority = found.models[0].scores["test"].measures["accuracy"]
    assert majority == pytest.approx(np.mean(data.encoded.test.y == shares.argmax()))


def test_a_class_that_was_not_drawn_gets_no_probability_and_several_numbers_are_predicted():
    X = np.arange(60.0)[:, None]
    data = Dataset.from_arrays(
        X,
        2 * (X[:, 0] >= 30).astype(int),
        X[::5],
        np.array([0, 2, 2, 1] * 3),
        validation=0,
        class_names=list("abc"),
    )
    found = fit_baselines(data)
    assert found.splits == ["test"]
    right = np.mean(data.test.y == 2 * (X[::5, 0] >= 30))
    assert found.models[1].scores["test"].measures["accuracy"] == pytest.approx(right)
    X = np.linspace(0, 1, 300)[:, None]
    both = Dataset.from_arrays(X, np.hstack([X, -X]), validation=10, task="regression")
    r2 = {model.kind: model.scores["test"].measures["r2"] for model in fit_baselines(both).models}
    assert r2["constant"] < 0.01 < 0.98 < min(r2["linear"], r2["boosting"])


def test_rare_classes_and_a_single_class_do_no_harm():
    X = np.random.default_rng(0).normal(size=(10_400, 2))
    y = (X[:, 0] > 0).astype(int)
    y[0] = 2  # boosting with early stopping would want two rows of it
    data = Dataset.from_arrays(X, y, X[:50], y[:50], validation=0)
    assert fit_baselines(data).models[2].scores["test"].measures["accuracy"] > 0.9
    single = Dataset.from_arrays(X[:60], np.ones(60, int), X[:50], y[:50], validation=0, class_names=list("abc"))
    assert [model.kind for model in fit_baselines(single).models] == ["constant"]


def test_what_cannot_be_compared_is_refused():
    X, y = np.eye(20), np.arange(20) % 2
    bare = Dataset.from_arrays(X, y, X[:0], y[:0], validation=0)
    with pytest.raises(DataError, match="neither validation nor test rows"):
        fit_baselines(bare)
    with pytest.raises(UsageError, match="class_names"):
        compare_baselines(gn.Network([4, 2], loss="half_squared_error"), classes())


def test_of_several_labels_each_has_its_own_models():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    y = np.stack([X[:, 0] > 0, X[:, 1] > -1, np.ones(120, bool)], axis=1).astype(int)  # the last is of every row
    data = Dataset.from_arrays(X, y, task="multi-label", validation=40)
    found = fit_baselines(data)
    assert [model.name for model in found.models] == [
        "DummyClassifier",
        "LogisticRegression",
        "HistGradientBoostingClassifier",
    ]
    labels, truth = data.encoded.train.y, data.encoded.validation.y
    often = (labels.mean(axis=0) >= 0.5).astype(int)
    constant, linear, _ = (model.scores["validation"] for model in found.models)
    assert constant.measures["accuracy"] == pytest.approx((truth == often).mean())
    alone = [
        make_pipeline(StandardScaler(), LogisticRegression()).fit(data.encoded.train.X, labels[:, place])
        for place in (0, 1)
    ]
    right = [(one.predict(data.encoded.validation.X) == truth[:, k]).mean() for k, one in enumerate(alone)]
    assert linear.measures["accuracy"] == pytest.approx((sum(right) + 1) / 3)
    network = gn.Network([3, 3], loss="binary_cross_entropy", seed=0)
    both = compare_baselines(network, data)
    assert both.models[0].kind == "network"
    assert all(row.low is None for row in both.chart(Words("en")).intervals)


def test_what_was_kept_is_read_again_and_checked(tmp_path):
    folder, data = RunFolder(tmp_path), classes()
    assert folder.baselines() is None
    found = fit_baselines(data)
    folder.save_baselines(found)
    assert folder.baselines() == found
    assert found.fits(data)
    assert not found.fits(classes(n=241))
    record = asdict(found)
    for wrong in ({**record, "models": []}, {**record, "train_rows": -1}):
        (tmp_path / "baselines.json").write_text(json.dumps(wrong))
        with pytest.raises(FileError, match="remove it, and they are trained again"):
            folder.baselines()
    record["models"][0]["scores"]["test"]["measures"] = {"beauty": 1.0}
    (tmp_path / "baselines.json").write_text(json.dumps(record))
    with pytest.raises(FileError, match="no measures"):
        folder.baselines()
    assert isinstance(found, Baselines)
