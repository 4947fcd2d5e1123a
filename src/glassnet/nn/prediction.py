"""Prediction: rows through the layers in blocks, checked where something is not finite, in several threads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glassnet.errors import NonFiniteError
from glassnet.nn import backpropagation
from glassnet.nn.activations import Activation, Array
from glassnet.nn.input_rows import as_batch, refuse_non_finite
from glassnet.nn.losses import Loss
from glassnet.nn.parameters import Parameters
from glassnet.nn.row_products import FEW_ROWS, ROWS, fill_up
from glassnet.runtime.threads import available_cores, run_in_threads

#: The most rows that go through the layers at a time: few enough to stay in the processor's cache.
BLOCK_ROWS = 512

#: Multiplications in all products together from which several threads are faster.
WORTH_THREADS = 2**22


def predict_outputs(
    X: Array, parameters: Parameters, activations: Sequence[Activation], output_scale: float, loss: Loss
) -> Array:
    """Return the outputs of shape (n, d_L) for rows from `take_rows`; see `Network.outputs`.

    Rows are looked through only where they may hold a NaN or infinity: it leaves no unit of the first layer finite.
    """
    n, dtype, no_dropout = len(X), parameters.theta.dtype, [0.0] * len(parameters.W)
    threads = _count_threads(n * len(parameters.theta))
    share = -(-n // threads)
    size = min(BLOCK_ROWS, share + -share % ROWS)
    outputs = np.empty((n, parameters.layers[-1]), dtype)
    doubtful: list[slice] = []

    def predict_block(number: int) -> None:
        rows = slice(number * size, min((number + 1) * size, n))
        with np.errstate(all="ignore"):  # what comes of it is checked
            batch = fill_up(as_batch(X[rows], dtype), FEW_ROWS)
            cache = backpropagation.forward(batch, parameters, activations, output_scale, no_dropout, by_row=True)
            found = cache.outputs[: rows.stop - rows.start]
            if np.isfinite(cache.Z[0][:, 0]).all() and np.isfinite(found).all():
                outputs[rows] = loss.predict(found)
            else:
                outputs[rows] = found
                doubtful.append(rows)

    run_in_threads(predict_block, -(-n // size), threads)
    if doubtful:
        refuse_non_finite(X, dtype)
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
