"""The end of a step: the gradient clipped, the optimizer's rule on each share's piece, columns shortened."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float64, int64, sqrt

    from glassnet.compiled.names import ONE, ZERO, real, update
    from glassnet.compiled.shares import barrier, layer_piece, output_piece, unit_size


def update_hidden(step, w, layer, width, scalars, worker):
    """The optimizer's step for a share's piece of a hidden layer: weights, then what is not penalised."""
    d_in = step.layers[layer]
    middle = w + d_in * width
    update(step.theta, step.gradient, step.memory, w, middle, scalars[0])
    update(step.theta, step.gradient, step.memory, middle, w + unit_size(step, layer) * width, scalars[1])
    if step.max_norm > ZERO:
        shorten_columns(step.theta[w:middle], d_in, width, step.max_norm, step.scratch[worker, 0, :width])


def update_output(step, w, end, end_of_weights, scalars):
    """The optimizer's step for a share's rows of the output layer's W, and its bias where that is among them."""
    update(step.theta, step.gradient, step.memory, w, min(end, end_of_weights), scalars[0])
    if end > end_of_weights:
        update(step.theta, step.gradient, step.memory, end_of_weights, end, scalars[1])


def shorten_columns(W, d_in, width, limit, lengths):
    """Shorten the columns of W that are longer than `limit`."""
    lengths[:] = ZERO
    for i in range(d_in):
        row = W[i * width : (i + 1) * width]
        for j in range(width):
            lengths[j] += row[j] * row[j]
    for j in range(width):
        length = sqrt(lengths[j])
        lengths[j] = limit / length if length > limit else ONE
    for i in range(d_in):
        row = W[i * width : (i + 1) * width]
        for j in range(width):
            row[j] *= lengths[j]


def square_norm(numbers, first, last):
    """Return the sum of squares of a piece."""
    total = 0.0
    for i in range(first, last):
        total += float64(numbers[i]) * float64(numbers[i])
    return total


def update_clipped(step, scalars, worker, phase):
    """Shorten the whole gradient to the norm that is allowed, then take the optimizer's step: the last phase."""
    for share in range(worker, step.shares, step.workers):
        total = 0.0
        w_first = int64(0)
        for layer in range(len(step.layers) - 2):
            first, last = layer_piece(step, w_first, layer, share)
            total += square_norm(step.gradient, first, last)
            w_first += unit_size(step, layer) * step.layers[layer + 1]
        first, last = output_piece(step, w_first, share)
        step.share_norm[share] = total + square_norm(step.gradient, first, last)
    phase = barrier(step, worker, phase)
    norm = sqrt(step.share_norm.sum())
    factor = real(step.clip_norm / norm) if norm > step.clip_norm else ONE
    for share in range(worker, step.shares, step.workers):
        w_first = int64(0)
        for layer in range(len(step.layers) - 2):
            first, last = layer_piece(step, w_first, layer, share)
            if last > first:
                step.gradient[first:last] *= factor
                update_hidden(step, first, layer, (last - first) // unit_size(step, layer), scalars, worker)
            w_first += unit_size(step, layer) * step.layers[layer + 1]
        first, last = output_piece(step, w_first, share)
        step.gradient[first:last] *= factor
        update_output(step, first, last, w_first + step.layers[-2] * step.layers[-1], scalars)
    return barrier(step, worker, phase)
