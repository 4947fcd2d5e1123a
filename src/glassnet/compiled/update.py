"""The end of a step: the gradient clipped, the optimizer's rule on each share's piece, columns shortened."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float64, int64, sqrt

    from glassnet.compiled.calls import shorten_columns, update
    from glassnet.compiled.names import ONE, ZERO, real
    from glassnet.compiled.shares import add_up, barrier, layer_piece, multiply_by, output_piece, unit_size


def update_hidden(step, w, layer, width, scalars, worker):
    """The optimizer's step for a share's piece of a hidden layer: weights, then what is not penalised."""
    d_in = step.layers[layer]
    middle = w + d_in * width
    update(step, w, middle, scalars[0])
    update(step, middle, w + unit_size(step, layer) * width, scalars[1])
    if step.max_norm > ZERO:
        shorten_columns(step, d_in, width, w, worker)


def update_output(step, w, end, end_of_weights, scalars):
    """The optimizer's step for a share's rows of the output layer's W, and its bias where that is among them."""
    update(step, w, min(end, end_of_weights), scalars[0])
    if end > end_of_weights:
        update(step, end_of_weights, end, scalars[1])


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
    norm = sqrt(add_up(step.share_norm))
    factor = real(step.clip_norm / norm) if norm > step.clip_norm else ONE
    for share in range(worker, step.shares, step.workers):
        w_first = int64(0)
        for layer in range(len(step.layers) - 2):
            first, last = layer_piece(step, w_first, layer, share)
            if last > first:
                multiply_by(step.gradient[first:last], factor)
                update_hidden(step, first, layer, (last - first) // unit_size(step, layer), scalars, worker)
            w_first += unit_size(step, layer) * step.layers[layer + 1]
        first, last = output_piece(step, w_first, share)
        multiply_by(step.gradient[first:last], factor)
        update_output(step, first, last, w_first + step.layers[-2] * step.layers[-1], scalars)
    return barrier(step, worker, phase)
