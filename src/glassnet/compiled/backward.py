"""The backward pass of a step: delta from layer to layer, the gradient of W, and the update where it is due."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import uint32

    from glassnet.compiled.calls import normalise_back, slope
    from glassnet.compiled.gather import drop
    from glassnet.compiled.names import NO_TRANS, ONE, TRANS, ZERO
    from glassnet.compiled.records import Matrix
    from glassnet.compiled.shares import add_to, multiply, set_zero, share_range, unit_size
    from glassnet.compiled.update import update_hidden, update_output
    from glassnet.nn.hashing import row_key


def backward_layer(step, block, place, above):
    """delta = (delta above W above^T) (.) f'(Z) for this worker's units of a hidden layer."""
    layer, n = place.layer, len(block.rows)
    d_in, d_out = step.layers[layer], step.layers[layer + 1]
    threshold, key = step.thresholds[layer + 1], block.keys[layer + 1]
    for share in range(block.worker, step.shares, step.workers):
        first, last = share_range(d_out, share, step.shares)
        width = last - first
        if width > 0:
            z = place.z + first * step.rows
            pass_back(step, n, above, first, Matrix(step.delta, z, width, NO_TRANS))
            w = place.w + first * unit_size(step, layer) + d_in * width
            db = step.gradient[w : w + width]
            if block.first:
                set_zero(db)
            for i in range(n):
                row = place.z + i * d_out
                left, right = z + i * width, z + (i + 1) * width
                delta = step.delta[left:right]
                if threshold > 0:
                    drop(delta, row_key(key, uint32(block.first_row + i)), first, threshold)
                H = step.H[row + first : row + last]
                slope(step, layer, delta, step.Z[left:right], H, db, block.worker)
            if step.normalises[layer] > 0:
                normalise_back(step, n, width, z, w, place.unit + first)


def pass_back(step, n, above, first, delta):
    """delta = delta above W above^T for the units below from `first` on, as many as delta is wide."""
    layer, d_above, factor = above.layer, step.layers[above.layer + 1], step.factors[above.layer]
    if layer == len(step.layers) - 2:  # the output layer is in one piece
        W = Matrix(step.theta, above.w + first * d_above, d_above, TRANS)
        multiply(
            step, factor, ZERO, Matrix(step.delta, above.z, d_above, NO_TRANS), W, delta, (n, d_above, delta.width)
        )
    else:
        for other in range(step.shares):
            left, right = share_range(d_above, other, step.shares)
            piece = right - left
            if piece > 0:
                w = above.w + left * unit_size(step, layer) + first * piece
                W = Matrix(step.theta, w, piece, TRANS)
                part = Matrix(step.delta, above.z + left * step.rows, piece, NO_TRANS)
                multiply(step, factor, ONE if left > 0 else ZERO, part, W, delta, (n, piece, delta.width))


def gradient_of_hidden(step, block, place, inputs, due):
    """dL/dW of this worker's units of a hidden layer; the optimizer's step once it is due."""
    layer, n = place.layer, len(block.rows)
    d_in, d_out = step.layers[layer], step.layers[layer + 1]
    for share in range(block.worker, step.shares, step.workers):
        first, last = share_range(d_out, share, step.shares)
        width = last - first
        if width > 0:
            w, z = place.w + first * unit_size(step, layer), place.z + first * step.rows
            H = Matrix(inputs.numbers, inputs.first, d_in, TRANS)
            delta, dW = Matrix(step.delta, z, width, NO_TRANS), Matrix(step.gradient, w, width, NO_TRANS)
            multiply(step, step.factors[layer], ZERO if block.first else ONE, H, delta, dW, (d_in, n, width))
            if due:
                update_hidden(step, w, layer, width, block.scalars, block.worker)


def gradient_of_output(step, block, place, inputs, due):
    """dL/dW of this worker's rows of the output layer's W, and dL/db; the optimizer's step once it is due."""
    d_in, d_out, n = step.layers[-2], step.layers[-1], len(block.rows)
    for share in range(block.worker, step.shares, step.workers):
        first, last = share_range(d_in, share, step.shares)
        w = place.w + first * d_out
        end = place.w + last * d_out
        if last > first:
            H = Matrix(inputs.numbers, inputs.first + first, d_in, TRANS)
            delta, dW = Matrix(step.delta, place.z, d_out, NO_TRANS), Matrix(step.gradient, w, d_out, NO_TRANS)
            kept = ZERO if block.first else ONE
            multiply(step, step.factors[place.layer], kept, H, delta, dW, (last - first, n, d_out))
        if share == step.shares - 1:
            db = step.gradient[end : end + d_out]
            if block.first:
                set_zero(db)
            for other in range(step.shares):
                add_to(db, step.share_bias[other])
            end += d_out
        if due:
            update_output(step, w, end, place.w + d_in * d_out, block.scalars)
