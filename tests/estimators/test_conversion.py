"""Weights go from scikit-learn to glassnet and back, and come in from other packages."""

from itertools import pairwise

import numpy as np
import pytest
from safetensors.numpy import save_file
from sklearn import neural_network
from sklearn.datasets import load_iris, make_multilabel_classification

import glassnet as gn
from glassnet.errors import FileError, UsageError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
LABELS = make_multilabel_classification(60, 4, n_classes=3, random_state=0)
CASES = {
    "multi-class": (neural_network.MLPClassifier, {"activation": "tanh"}, X, y),
    "binary": (neural_network.MLPClassifier, {"activation": "logistic"}, X[:100], np.array(["a", "b"])[y[:100]]),
    "multi-label": (neural_network.MLPClassifier, {}, *LABELS),
    "float32": (neural_network.MLPClassifier, {}, X.astype(np.float32), y),
    "regression": (neural_network.MLPRegressor, {"activation": "identity"}, X[:, :3], X[:, 3]),
    "several": (neural_network.MLPRegressor, {"hidden_layer_sizes": (6, 5)}, X[:, :2], X[:, 2:]),
    "counts": (neural_network.MLPRegressor, {"loss": "poisson"}, X, y),
}


@pytest.mark.parametrize("case", CASES)
def test_there_and_back_nothing_changes(case):
    kind, parameters, rows, target = CASES[case]
    theirs = kind(**{"hidden_layer_sizes": (7,), "max_iter": 15, "random_state": 0} | parameters).fit(rows, target)
    ours = gn.from_sklearn(theirs)
    back = ours.to_sklearn()
    for other in (ours, back):
        for name in ("coefs_", "intercepts_"):
            for mine, given in zip(getattr(other, name), getattr(theirs, name), strict=True):
                np.testing.assert_array_equal(mine, given)
                assert mine.dtype == given.dtype
        answers = "predict_proba" if hasattr(theirs, "predict_proba") else "predict"
        found = getattr(other, answers)(rows)
        np.testing.assert_allclose(found, getattr(theirs, answers)(rows), rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(other.predict(rows).shape, theirs.predict(rows).shape)
        assert other.score(rows, target) == pytest.approx(theirs.score(rows, target))
        assert other.get_params()["hidden_layer_sizes"] == theirs.hidden_layer_sizes
        other.partial_fit(rows, target)
    np.testing.assert_allclose(ours.coefs_[0], back.coefs_[0], rtol=1e-4, atol=1e-6)  # both went on alike
    assert ours.model_.network.layers[0] == theirs.n_features_in_


@pytest.mark.parametrize(
    ("name", "value"),
    [("activation", "gelu"), ("batch_norm", True), ("loss", "huber"), ("output_activation", "tanh")],
)
def test_what_scikit_learn_has_not_is_refused(name, value):
    fitted = gn.MLPRegressor(**{name: value, "max_iter": 2}).fit(X, y)
    with pytest.raises(UsageError, match=f"^{name}: scikit-learn's MLP has no"):
        fitted.to_sklearn()


def test_other_models_are_refused():
    with pytest.raises(UsageError, match="model: expected an MLP of scikit-learn, got int"):
        gn.from_sklearn(3)


def random_layers(*units):
    rng = np.random.default_rng(0)
    coefs = [rng.normal(size=shape) for shape in pairwise(units)]
    return coefs, [rng.normal(size=d) for d in units[1:]]


@pytest.mark.parametrize("units", [(4, 8, 3), (4, 4, 3)])
def test_weights_of_other_packages_come_in(units, tmp_path):
    coefs, intercepts = random_layers(*units)
    torch = {
        f"net.{2 * place}.{name}": array
        for place, (W, b) in enumerate(zip(coefs, intercepts, strict=True))
        for name, array in (("bias", b), ("weight", np.ascontiguousarray(W.T)))
    }
    save_file(torch, tmp_path / "torch.safetensors")
    plain = [one for pair in zip(coefs, intercepts, strict=True) for one in pair]
    turned = [one.T for one in plain]
    kernels = {f"dense_{place}/{('kernel', 'bias')[place % 2]}:0": one for place, one in enumerate(plain)}
    for source, layout in (
        (torch, None),
        (tmp_path / "torch.safetensors", None),
        (plain, "keras"),
        (plain, None),
        (turned, None),
        (turned, "torch"),
        (kernels, None),
    ):
        found = gn.read_weights(source, layout)
        for mine, given in zip((*found[0], *found[1]), (*coefs, *intercepts), strict=True):
            np.testing.assert_array_equal(mine, given)
    model = gn.MLPClassifier(
        units[1:-1], initial_weights=(coefs, intercepts), learning_rate_init=1e-12, max_iter=1
    )
    np.testing.assert_allclose(model.fit(X, y).coefs_[0], coefs[0], atol=1e-9)


@pytest.mark.parametrize(
    ("source", "layout", "problem"),
    [
        ([np.zeros((3, 3)), np.zeros(3)], None, "layout: the shapes do not tell"),
        ([np.zeros((4, 3)), np.zeros(4)], "keras", "array 0: 3 units, and 4 biases, in the layout of keras"),
        (
            [np.zeros((4, 3)), np.zeros(3), np.zeros((2, 1)), np.zeros(1)],
            None,
            "array 2: 2 inputs, after a layer of 3",
        ),
        ([np.zeros((4, 3))], None, "expected a matrix and a vector for each layer"),
        ({}, None, "got nothing"),
        ([], "jax", "layout: must be torch or keras"),
        (3, None, "source: expected a file"),
    ],
)
def test_what_is_no_mlp_is_refused(source, layout, problem):
    with pytest.raises(UsageError, match=problem):
        gn.read_weights(source, layout)


def test_a_file_that_is_none_is_named(tmp_path):
    with pytest.raises(FileError, match=r"none\.safetensors: is no safetensors file"):
        gn.read_weights(tmp_path / "none.safetensors")
