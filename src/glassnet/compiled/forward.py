"""The forward pass of a step: hidden layers by units, then outputs, loss and the first delta by rows.

Batch normalisation looks at a unit's whole column, so it is done within a share. Dropout leaves what is kept
unscaled; the factor 1 / (1 - p) goes into the products. Whether a unit is left out is a hash
(`glassnet.nn.hashing`), worked out again on the way back.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import sqrt, uint32

    from glassnet.compiled.gather import drop, fetch_ahead
    from glassnet.compiled.names import EPSILON, MOMENTUM, NO_TRANS, ONE, ZERO, activate, output_row, real
    from glassnet.compiled.records import Matrix
    from glassnet.compiled.shares import multiply, share_range, unit_size
    from glassnet.nn.hashing import row_key


def forward_layer(blas, step, block, place, inputs):
    """Z = H W + b, normalised where the layer does so, and f(Z), for this worker's units of a hidden layer."""
    layer, n = place.layer, len(block.rows)
    d_in, d_out = step.layers[layer], step.layers[layer + 1]
    threshold, key = step.thresholds[layer + 1], block.keys[layer + 1]
    for share in range(block.worker, step.shares, step.workers):
        first, last = share_range(d_out, share, step.shares)
        width = last - first
        if width > 0:
            w, z = place.w + first * unit_size(step, layer), place.z + first * step.rows
            W, Z = Matrix(step.theta, w, width, NO_TRANS), Matrix(step.Z, z, width, NO_TRANS)
            multiply(blas, step.factors[layer], ZERO, inputs, W, Z, (n, d_in, width))
            bias = step.theta[w + d_in * width : w + (d_in + 1) * width]
            if step.normalises[layer] > 0:
                left, right = place.unit + first, place.unit + last
                A, X_hat = step.Z[z : z + n * width], step.X_hat[z : z + n * width]
                gamma = step.theta[w + (d_in + 1) * width : w + (d_in + 2) * width]
                mean, variance = step.mean[left:right], step.variance[left:right]
                normalise(A, X_hat, n, gamma, mean, variance, step.inverse[left:right], step.scratch[block.worker])
            for i in range(n):
                row = place.z + i * d_out
                H = step.H[row + first : row + last]
                Z_row = step.Z[z + i * width : z + (i + 1) * width]
                activate(step.kinds[layer], Z_row, bias, H, step.no_scalars, step.scratch[block.worker])
                if threshold > 0:
                    drop(H, row_key(key, uint32(block.first_row + i)), first, threshold)


def normalise(A, X_hat, n, gamma, mean, variance, inverse, scratch):
    """X^ = (A - mean of A) / std and A = gamma X^, column by column; the running statistics follow."""
    width = len(gamma)
    average, spread = scratch[0, :width], scratch[1, :width]
    average[:] = ZERO
    for i in range(n):
        row = A[i * width : (i + 1) * width]
        for j in range(width):
            average[j] += row[j]
    for j in range(width):
        average[j] /= real(n)
    spread[:] = ZERO
    for i in range(n):
        row = A[i * width : (i + 1) * width]
        for j in range(width):
            centred = row[j] - average[j]
            spread[j] += centred * centred
    for j in range(width):
        inverse[j] = ONE / sqrt(spread[j] / real(n) + EPSILON)
        if n > 1:
            mean[j] += (ONE - MOMENTUM) * (average[j] - mean[j])
            variance[j] += (ONE - MOMENTUM) * (spread[j] / real(n - 1) - variance[j])
    for i in range(n):
        row, hat = A[i * width : (i + 1) * width], X_hat[i * width : (i + 1) * width]
        for j in range(width):
            hat[j] = (row[j] - average[j]) * inverse[j]
            row[j] = gamma[j] * hat[j]


def output_layer(blas, step, block, place, inputs):
    """Outputs, loss and delta for this worker's rows of the batch."""
    d_in, d_out = step.layers[-2], step.layers[-1]
    n = len(block.rows)
    W = Matrix(step.theta, place.w, d_out, NO_TRANS)
    bias = step.theta[place.w + d_in * d_out : place.w + (d_in + 1) * d_out]
    for share in range(block.worker, step.shares, step.workers):
        first, last = n * share // step.shares, n * (share + 1) // step.shares
        z = place.z + first * d_out
        H = Matrix(inputs.numbers, inputs.first + first * d_in, d_in, NO_TRANS)
        Z = Matrix(step.Z, z, d_out, NO_TRANS)
        multiply(blas, step.factors[place.layer], ZERO, H, W, Z, (last - first, d_in, d_out))
        db = step.share_bias[share, :d_out]
        db[:] = ZERO
        loss = 0.0
        for i in range(first, last):
            fetch_ahead(step.targets, block.rows, i, last)
            row = place.z + i * d_out
            weight = step.weights[block.rows[i]]
            loss += weight * output_row(
                step.Z[row : row + d_out], bias, step.targets[block.rows[i]], block.outputs[i],
                step.delta[row : row + d_out], db, block.scale * weight, step.no_scalars,
                step.scratch[block.worker],
            )  # fmt: skip
        step.share_loss[share] = loss
