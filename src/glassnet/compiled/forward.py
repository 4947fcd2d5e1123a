"""The forward pass of a step: hidden layers by units, then outputs, loss and the first delta by rows.

Batch normalisation looks at a unit's whole column, so it is done within a share. Dropout leaves what is kept
unscaled; the factor 1 / (1 - p) goes into the products. Whether a unit is left out is a hash
(`glassnet.nn.hashing`), worked out again on the way back.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import uint32

    from glassnet.compiled.calls import activate, normalise, output_row
    from glassnet.compiled.gather import drop, fetch_ahead
    from glassnet.compiled.names import NO_TRANS, ZERO
    from glassnet.compiled.records import Matrix
    from glassnet.compiled.shares import multiply, set_zero, share_range, unit_size
    from glassnet.nn.hashing import row_key


def forward_layer(step, block, place, inputs):
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
            multiply(step, step.factors[layer], ZERO, inputs, W, Z, (n, d_in, width))
            bias = step.theta[w + d_in * width : w + (d_in + 1) * width]
            if step.normalises[layer] > 0:
                normalise(step, n, width, z, w + (d_in + 1) * width, place.unit + first, block.worker)
            for i in range(n):
                row = place.z + i * d_out
                H = step.H[row + first : row + last]
                Z_row = step.Z[z + i * width : z + (i + 1) * width]
                activate(step, layer, Z_row, bias, H, block.worker)
                if threshold > 0:
                    drop(H, row_key(key, uint32(block.first_row + i)), first, threshold)


def output_layer(step, block, place, inputs):
    """Outputs, loss and delta for this worker's rows of the batch."""
    d_in, d_out = step.layers[-2], step.layers[-1]
    n, target_size = len(block.rows), d_out * step.theta.itemsize
    W = Matrix(step.theta, place.w, d_out, NO_TRANS)
    bias = step.theta[place.w + d_in * d_out : place.w + (d_in + 1) * d_out]
    for share in range(block.worker, step.shares, step.workers):
        first, last = n * share // step.shares, n * (share + 1) // step.shares
        z = place.z + first * d_out
        H = Matrix(inputs.numbers, inputs.first + first * d_in, d_in, NO_TRANS)
        Z = Matrix(step.Z, z, d_out, NO_TRANS)
        multiply(step, step.factors[place.layer], ZERO, H, W, Z, (last - first, d_in, d_out))
        db = step.share_bias[share, :d_out]
        set_zero(db)
        loss = 0.0
        for i in range(first, last):
            fetch_ahead(step.targets, target_size, block.rows, i, last)
            row = place.z + i * d_out
            weight = step.weights[block.rows[i]]
            targets = step.targets + block.rows[i] * target_size
            scale = block.scale * weight
            loss += weight * output_row(step, row, bias, targets, block.outputs[i], db, scale, block.worker)
        step.share_loss[share] = loss
