"""The end of a step: the gradient clipped, the optimizer's rule on each panel's piece, columns shortened."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import sqrt

    from glassnet.compiled.calls import shorten_columns, square_columns, update
    from glassnet.compiled.names import ONE, ZERO, at, real
    from glassnet.compiled.shares import add_up, barrier, is_mine, multiply_by, read_panel, share_range


def update_rest(step, layer, panel, block):
    """The optimizer's step for what is not penalised of a panel, after its weights; max-norm."""
    d_in, room = step.layers[layer], panel.room
    bias = panel.w + d_in * room
    update(step, bias, (1 + step.normalises[layer]) * room, at(step.gradient, bias), block.scalars[1])
    if step.max_norm > ZERO:
        shorten_columns(step, (d_in, room), panel.w, block.worker)


def update_output(step, block, share):
    """The optimizer's step for a share's rows of the output layer's W; the last one has the bias."""
    first, last = share_range(step.layers[-2], share, step.shares)
    w, end = step.output + first * step.room, step.output + last * step.room
    update(step, w, end - w, at(step.gradient, w), block.scalars[0])
    if share == step.shares - 1:
        update(step, end, step.room, at(step.gradient, end), block.scalars[1])


def update_clipped(step, block, phase):
    """Shorten the whole gradient to the norm that is allowed, then take the optimizer's step: the last phase."""
    hidden = len(step.layers) - 2
    for layer in range(hidden):
        for number in range(step.first_panel[layer], step.first_panel[layer + 1]):
            panel = read_panel(step, number)
            if is_mine(step, block, panel):
                rows = step.layers[layer] + 1 + step.normalises[layer]
                square_columns(step, (rows, panel.width), panel.w, panel.room, panel.unit)
    if block.worker == 0:
        size = step.layers[-2] + 1, step.layers[-1]
        square_columns(step, size, step.output, step.room, len(step.norms) - size[1])
    phase = barrier(step, block.worker, phase)
    norm = sqrt(add_up(step.norms))
    factor = real(step.clip_norm / norm) if norm > step.clip_norm else ONE
    for layer in range(hidden):
        for number in range(step.first_panel[layer], step.first_panel[layer + 1]):
            panel = read_panel(step, number)
            if is_mine(step, block, panel):
                size = step.layers[layer] * panel.room
                end = panel.w + size + (1 + step.normalises[layer]) * panel.room
                multiply_by(step.gradient[panel.w : end], factor)
                update(step, panel.w, size, at(step.gradient, panel.w), block.scalars[0])
                update_rest(step, layer, panel, block)
    for share in range(block.worker, step.shares, step.workers):
        first, last = share_range(step.layers[-2], share, step.shares)
        multiply_by(step.gradient[step.output + first * step.room : step.output + last * step.room], factor)
        if share == step.shares - 1:
            multiply_by(step.gradient[step.output + last * step.room :], factor)
        update_output(step, block, share)
    return barrier(step, block.worker, phase)
