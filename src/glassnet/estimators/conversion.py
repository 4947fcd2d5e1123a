"""Weights that come in: from scikit-learn, and from arrays of other packages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import neural_network
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from glassnet.data.array_schema import ArraySchema
from glassnet.data.schema import Schema
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import FileError, UsageError
from glassnet.estimators.classifier import MLPClassifier
from glassnet.estimators.fitting import Rows
from glassnet.estimators.leaving import LEARNED
from glassnet.estimators.regressor import MLPRegressor
from glassnet.estimators.rows import describe_classes, describe_labels
from glassnet.estimators.solvers import set_weights
from glassnet.nn.activations import Array
from glassnet.training.model import Model


def from_sklearn(model: Any) -> Any:
    """Return a fitted MLP of scikit-learn as one of glassnet's, with the same parameters and weights.

    Parameters
    ----------
    model : sklearn.neural_network.MLPClassifier or MLPRegressor
        Fitted.

    Returns
    -------
    MLPClassifier or MLPRegressor
        It predicts the same, up to rounding, and goes on training by ``partial_fit`` or ``warm_start``.

    Raises
    ------
    UsageError
        If the model is no MLP of scikit-learn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> theirs = neural_network.MLPClassifier((5,), solver="lbfgs", tol=0.1, random_state=0).fit(X, y)
    >>> ours = from_sklearn(theirs)
    >>> bool((ours.predict(X) == theirs.predict(X)).all()), ours.model_
    (True, Model([4, 5, 3], multi-class, classes: 0, 1, 2))
    """
    if not isinstance(model, neural_network.MLPClassifier | neural_network.MLPRegressor):
        raise UsageError("model", f"expected an MLP of scikit-learn, got {type(model).__name__}")
    check_is_fitted(model)
    ours = (MLPClassifier if is_classifier(model) else MLPRegressor)(**model.get_params())
    for name in LEARNED:
        if hasattr(model, name):
            setattr(ours, name, getattr(model, name))
    several = model.n_outputs_ > 1
    if is_classifier(model):
        ours._multilabel, ours._sparse_targets = several and model.out_activation_ == "logistic", False
        target = describe_labels(model.n_outputs_) if ours._multilabel else describe_classes(model.classes_)
        several = ours._multilabel
    else:
        target = TargetSchema("regression", width=model.n_outputs_)
    schema = Schema(ArraySchema((model.n_features_in_,)), target)
    dtype = model.coefs_[0].dtype
    y = np.zeros((1, model.n_outputs_) if several else 1)
    rows = Rows(np.empty((0, model.n_features_in_), dtype), y, None, schema)
    network = ours._make_network(rows, np.random.RandomState(0))
    set_weights(network, (model.coefs_, model.intercepts_))
    network.class_names = target.class_names or None
    ours.model_ = Model(network, schema)
    ours._set_layers(network)
    return ours


def read_weights(source: Any, layout: str | None = None) -> tuple[list[Array], list[Array]]:
    """Return the weights of an MLP of another package, for ``initial_weights``.

    Parameters
    ----------
    source : str or Path of a safetensors file, mapping of names to arrays, or sequence of arrays
        Weights and biases of each layer in turn: the ``state_dict`` of PyTorch, ``get_weights()`` of Keras.
    layout : {"torch", "keras"}, optional
        Whether weights are (out, in), as PyTorch has them, or (in, out). By default told by names, ``weight`` or
        ``kernel``, else by the length of the biases.

    Returns
    -------
    tuple
        The lists (coefs, intercepts): arrays of shape (in, out), and (out,).

    Raises
    ------
    UsageError
        If the arrays are not those of an MLP, one layer after the other, or the layout cannot be told.

    Examples
    --------
    >>> coefs, intercepts = read_weights({"0.weight": np.zeros((8, 4)), "0.bias": np.zeros(8)})
    >>> coefs[0].shape, intercepts[0].shape
    ((4, 8), (8,))
    """
    names, arrays = _take_arrays(source)
    if layout not in (None, "torch", "keras"):
        raise UsageError("layout", f"must be torch or keras, got {layout!r}")
    if not arrays or len(arrays) % 2 or any(one.ndim != 2 - place % 2 for place, one in enumerate(arrays)):
        found = ", ".join(f"{name} {one.shape}" for name, one in zip(names, arrays, strict=True))
        raise UsageError("source", f"expected a matrix and a vector for each layer, got {found or 'nothing'}")
    layout = layout or _tell_layout(names, arrays)
    coefs = [one.T.copy() if layout == "torch" else one for one in arrays[::2]]
    for name, W, b in zip(names[::2], coefs, arrays[1::2], strict=True):
        if W.shape[1] != len(b):
            raise UsageError(
                "source", f"{name}: {W.shape[1]} units, and {len(b)} biases, in the layout of {layout}"
            )
    for name, (above, below) in zip(names[2::2], pairwise(coefs), strict=True):
        if above.shape[1] != below.shape[0]:
            raise UsageError("source", f"{name}: {below.shape[0]} inputs, after a layer of {above.shape[1]} units")
    return coefs, arrays[1::2]


def _take_arrays(source: Any) -> tuple[list[str], list[Array]]:
    """Return the arrays of a source with their names, in the order of the layers."""
    if isinstance(source, str | Path):
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            source = load_file(source)
        except (OSError, SafetensorError) as error:
            raise FileError(source, f"is no safetensors file that can be read: {error}") from None
    if isinstance(source, Mapping):
        named = sorted(source.items(), key=lambda item: _place(item[0]))
        return [name for name, _ in named], [np.asarray(one) for _, one in named]
    if not isinstance(source, Sequence):
        raise UsageError("source", f"expected a file, a mapping or a list of arrays, got {type(source).__name__}")
    return [f"array {place}" for place in range(len(source))], [np.asarray(one) for one in source]


def _place(name: str) -> tuple[list[int], bool]:
    """Return what names are sorted by: the numbers in them, then weights before biases."""
    return [int(digits) for digits in re.findall(r"\d+", name)], "bias" in name.rpartition(".")[2]


def _tell_layout(names: Sequence[str], arrays: Sequence[Array]) -> str:
    """Return the layout that names say, or the lengths of the biases."""
    last = {name.replace("/", ".").rpartition(".")[2].partition(":")[0] for name in names[::2]}
    if last <= {"weight"}:
        return "torch"
    if last <= {"kernel"}:
        return "keras"
    told = {
        "keras" if W.shape[1] == len(b) else "torch"
        for W, b in zip(arrays[::2], arrays[1::2], strict=True)
        if W.shape[0] != W.shape[1]
    }
    if len(told) != 1:
        raise UsageError("layout", "the shapes do not tell whether weights are (out, in) or (in, out); give it")
    return told.pop()
