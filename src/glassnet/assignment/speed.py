"""How long an epoch takes here and with scikit-learn's MLPClassifier, on the same rows, measured in turn."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.study.findings import StudyFindings
from glassnet.training.fit import fit

#: Turns that each takes, training rows of an epoch, and rows of a step.
TURNS, MOST_ROWS, BATCH = 3, 20_000, 128


@dataclass(frozen=True)
class SpeedRow:
    """Seconds of an epoch with a network of these layers: medians of `TURNS`."""

    layers: tuple[int, ...]
    rows: int
    ours: float
    theirs: float


def compare_speed(found: StudyFindings, data: Dataset, say: Callable[[str], None]) -> list[SpeedRow]:
    """Time ReLU networks of all sizes of the study with Adam, here and there one epoch after the other."""
    network = next(factor for factor in found.study.factors if factor.name == "network")
    X, y = data.encoded.train.X[:MOST_ROWS], data.encoded.train.y[:MOST_ROWS]
    X = X.astype(np.float32) / np.float32(255) if X.dtype == np.uint8 else X.astype(np.float32)
    rows = []
    for changes in network.levels.values():
        hidden = changes["network.layers"][1:-1]
        layers = (X.shape[1], *hidden, int(y.max()) + 1)
        ours, theirs = _time_ours(layers, X, y), _time_theirs(hidden, X, y)
        turns = [(ours(), theirs()) for _ in range(TURNS)]
        rows.append(SpeedRow(layers, len(y), *(statistics.median(one) for one in zip(*turns, strict=True))))
        name = "-".join(map(str, layers))
        say(f"an epoch of {name}: {rows[-1].ours:.2f} s, scikit-learn {rows[-1].theirs:.2f} s")
    return rows


def _time_ours(layers: tuple[int, ...], X: Array, y: Array) -> Callable[[], float]:
    """Return what trains one epoch more and returns its seconds; the first epoch, with the compiler, is over."""
    done = fit(Network(layers, "relu"), X, y, optimizer="adam", batch_size=BATCH, epochs=1, progress=False)

    def epoch() -> float:
        last = done.resume(epochs=len(done.history) + 1, progress=False).history.last
        assert last is not None
        return last.seconds

    return epoch


def _time_theirs(hidden: tuple[int, ...], X: Array, y: Array) -> Callable[[], float]:
    """Return the same for scikit-learn: an epoch a call, from where the last one ended, without a penalty."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    classifier = MLPClassifier(hidden, batch_size=BATCH, alpha=0, max_iter=1, warm_start=True, random_state=0)

    def epoch() -> float:
        began = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(X, y)
        return time.perf_counter() - began

    epoch()
    return epoch
