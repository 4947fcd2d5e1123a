"""The backward pass of a step: delta from layer to layer, the gradient of W, and the update where it is due."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import intp

    from glassnet.compiled.calls import drop, multiply, multiply_turned, normalise_back, slope, update
    from glassnet.compiled.names import ONE, STRIP, address, at
    from glassnet.compiled.shares import add_to, is_mine, read_panel, set_zero, share_range
    from glassnet.compiled.update import update_output, update_rest


def backward_layer(step, block, layer):
    """delta = (delta above W above^T) (.) f'(Z) for this worker's units of a hidden layer."""
    n = len(block.rows)
    for number in range(step.first_panel[layer], step.first_panel[layer + 1]):
        panel = read_panel(step, number)
        if is_mine(step, block, panel):
            size = n, panel.room
            z, bias = panel.unit * step.rows, panel.w + step.layers[layer] * panel.room
            pass_back(step, block, layer + 1, panel)
            if block.first:
                set_zero(step.gradient[bias : bias + panel.room])
            if step.thresholds[layer + 1] > 0:
                drop(step, block, layer + 1, (n, panel.width), at(step.delta, z), panel.room, (0, panel.first))
            slope(step, layer, size, z, step.h_first[layer + 1] + panel.first, bias, block.worker)
            if step.normalises[layer] > 0:
                normalise_back(step, size, z, bias, panel.unit)


def pass_back(step, block, above, panel):
    """delta = delta above W above^T for the units of a panel."""
    n, d_above, factor = len(block.rows), step.layers[above + 1], step.factors[above]
    delta = at(step.delta, panel.unit * step.rows), panel.room
    if above == len(step.layers) - 2:  # the output layer is in one piece
        A = at(step.delta, step.z_output), step.room, 1
        W = at(step.theta, step.output + panel.first * step.room), step.room
        multiply_turned(step, (n, panel.width, d_above), A, W, delta, 0, factor, block.worker)
    else:
        for number in range(step.first_panel[above], step.first_panel[above + 1]):
            other = read_panel(step, number)
            A = at(step.delta, other.unit * step.rows), other.room, 1
            W = at(step.theta, other.w + panel.first * other.room), other.room
            scale = factor if other.first + other.width == d_above else ONE
            multiply_turned(step, (n, panel.width, other.width), A, W, delta, other.first, scale, block.worker)


def gradient_of_hidden(step, block, layer, inputs, due):
    """dL/dW of this worker's units of a hidden layer; the optimizer's step once it is due.

    Where nobody else asks for it, a strip of the gradient never leaves the first cache.
    """
    d_in, factor = step.layers[layer], step.factors[layer] if block.last else ONE
    passing = due and block.first and not block.kept
    for number in range(step.first_panel[layer], step.first_panel[layer + 1]):
        panel = read_panel(step, number)
        if is_mine(step, block, panel):
            delta = at(step.delta, panel.unit * step.rows), panel.room
            for first in range(0, d_in, STRIP):
                rows, w = min(STRIP, d_in - first), panel.w + first * panel.room
                H = inputs + first * step.theta.itemsize, 1, step.h_row[layer]
                dW = address(step.strips[block.worker]) if passing else at(step.gradient, w)
                size = rows, panel.width, len(block.rows)
                multiply(step, size, H, delta, (dW, panel.room), intp(not block.first), factor)
                if due:
                    update(step, w, rows * panel.room, dW, block.scalars[0])
            if due:
                update_rest(step, layer, panel, block)


def gradient_of_output(step, block, inputs, due):
    """dL/dW of this worker's rows of the output layer's W, and dL/db; the optimizer's step once it is due."""
    layer, n, d_out = len(step.layers) - 2, len(block.rows), step.layers[-1]
    d_in, factor = step.layers[layer], step.factors[layer] if block.last else ONE
    for share in range(block.worker, step.shares, step.workers):
        first, last = share_range(d_in, share, step.shares)
        w, delta = step.output + first * step.room, (at(step.delta, step.z_output), step.room)
        if last > first:
            H = inputs + first * step.theta.itemsize, 1, step.h_row[layer]
            dW = at(step.gradient, w), step.room
            multiply(step, (last - first, d_out, n), H, delta, dW, intp(not block.first), factor)
        if share == step.shares - 1:
            end = step.output + d_in * step.room
            db = step.gradient[end : end + d_out]
            if block.first:
                set_zero(db)
            for i in range(n):
                add_to(db, step.delta[step.z_output + i * step.room :])
        if due:
            update_output(step, block, share)
