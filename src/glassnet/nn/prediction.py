"""Prediction: rows through the layers in blocks, checked where something is not finite, in several threads."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

from glassnet.errors import NonFiniteError
from glassnet.nn.activations import SHORT, Activation, Array
from glassnet.nn.backpropagation import pre_activate
from glassnet.nn.fused_layers import note_seconds, pass_compiled, split_into_runs
from glassnet.nn.input_rows import as_batch, refuse_non_finite
from glassnet.nn.losses import Loss
from glassnet.nn.parameters import Parameters
from glassnet.nn.row_products import FEW_ROWS, ROWS, fill_up, multiply_rows
from glassnet.runtime.threads import available_cores, run_in_threads

#: The most rows that go through the layers at a time: few enough to stay in the processor's cache.
BLOCK_ROWS = 512

#: Multiplications in all products together from which several threads are faster.
WORTH_THREADS = 2**22


def predict_outputs(
    X: Array, parameters: Parameters, activations: Sequence[Activation], output_scale: float, loss: Loss
) -> Array:
    """Return the outputs of shape (n, d_L) for rows from `take_rows`; see `Network.outputs`."""
    n, dtype = len(X), parameters.theta.dtype

    def predict_block(first: int, end: int) -> tuple[Array, bool]:
        """Return outputs, as they are before softmax or sigmoid unless all of them, and all rows, are finite."""
        with np.errstate(all="ignore"):  # what comes of it is checked
            H = as_batch(X[first:end], dtype)
            total = 0.0
            for run in split_into_runs(parameters, activations):
                if run.plan is None:
                    H, more = _multiply(H, parameters, run.first)
                else:
                    H, more = pass_compiled(H, parameters.theta, run.plan)
                total += more
                if run.activated is not None:
                    H = activations[run.activated].f(H)
            outputs = H[: end - first] if output_scale == 1 else output_scale * H[: end - first]
            total += _add_up(outputs)
            finite = math.isfinite(total)
            return loss.predict(outputs, finite=True) if finite else outputs, finite

    threads = _count_threads(n * len(parameters.theta))
    share = -(-n // threads)
    size = min(BLOCK_ROWS, share + -share % ROWS)
    if n <= size:
        outputs, finite = predict_block(0, n)
        return outputs if finite else _look_through(X, outputs, [slice(0, n)], loss)
    outputs = np.empty((n, parameters.layers[-1]), dtype)
    doubtful: list[slice] = []

    def predict_part(number: int) -> None:
        rows = slice(number * size, min((number + 1) * size, n))
        outputs[rows], finite = predict_block(rows.start, rows.stop)
        if not finite:
            doubtful.append(rows)

    run_in_threads(predict_part, -(-n // size), threads)
    return _look_through(X, outputs, doubtful, loss) if doubtful else outputs


def _multiply(H: Array, parameters: Parameters, layer: int) -> tuple[Array, float]:
    """Return Z of one layer, and a sum: a NaN or infinity in a row leaves no unit of the first layer finite."""
    H, few = fill_up(H, FEW_ROWS), len(H) <= ROWS
    began = 0.0 if few else time.thread_time()
    A = multiply_rows(H, parameters.W[layer])
    note_seconds(H.dtype, None if few else time.thread_time() - began)
    Z, _ = pre_activate(A, parameters, layer)
    return Z, _add_up(Z[:, 0]) if layer == 0 else 0.0


def _add_up(numbers: Array) -> float:
    """Return the sum of numbers: not finite where one of them is not, seldom otherwise."""
    if numbers.size <= SHORT:
        return sum(numbers.ravel().tolist())
    return float(np.add.reduce(numbers, axis=None))


def _look_through(X: Array, outputs: Array, doubtful: Sequence[slice], loss: Loss) -> Array:
    """Name the first number that is not finite in an error; where there is none, finish the rows in doubt."""
    refuse_non_finite(X, outputs.dtype)
    bad = np.flatnonzero(~np.isfinite(outputs).all(axis=1))
    if len(bad):
        row = bad[0]
        raise NonFiniteError(
            f"X: row {row + 1} (X[{row}]) is too much for the network: its output is {outputs[row]}"
        )
    for rows in doubtful:
        outputs[rows] = loss.predict(outputs[rows])
    return outputs


def _count_threads(multiplications: int) -> int:
    """Return how many threads to predict in: as many as BLAS would take."""
    if multiplications < WORTH_THREADS:
        return 1
    from glassnet.runtime.blas import usual_threads

    return max(1, min(available_cores(), usual_threads()))
