"""The forward pass of a step: hidden layers by units, then outputs, loss and the first delta by rows.

Batch normalisation looks at a unit's whole column, so it is done within a panel. Without it, a strip of rows gets
its bias and f while it is in the first cache. Dropout leaves what is kept unscaled; the factor 1 / (1 - p) goes
into the products. Whether a unit is left out is a hash (`glassnet.nn.hashing`), worked out again on the way back.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glassnet.compiled.calls import activate, drop, multiply, normalise, output_row
    from glassnet.compiled.gather import fetch_ahead
    from glassnet.compiled.names import STRIP, at
    from glassnet.compiled.shares import is_mine, read_panel, share_range


def forward_layer(step, block, layer, inputs):
    """Z = H W + b, normalised where the layer does so, and f(Z), for this worker's units of a hidden layer.

    The inputs stand at an address.
    """
    n = len(block.rows)
    strip = n if step.normalises[layer] > 0 else STRIP
    for number in range(step.first_panel[layer], step.first_panel[layer + 1]):
        panel = read_panel(step, number)
        if is_mine(step, block, panel):
            for first in range(0, n, strip):
                forward_strip(step, block, layer, inputs, panel, first, min(first + strip, n))


def forward_strip(step, block, layer, inputs, panel, first, last):
    """Do so for some rows of a panel."""
    d_in, h_row, size = step.layers[layer], step.h_row[layer + 1], (last - first, panel.room)
    z, bias = panel.unit * step.rows + first * panel.room, panel.w + d_in * panel.room
    A = inputs + first * step.h_row[layer] * step.theta.itemsize, step.h_row[layer], 1
    W, Z = (at(step.theta, panel.w), panel.room), (at(step.Z, z), panel.room)
    multiply(step, (size[0], panel.width, d_in), A, W, Z, 0, step.factors[layer])
    if step.normalises[layer] > 0:
        normalise(step, size, z, bias + panel.room, panel.unit, block.worker)
    h = step.h_first[layer + 1] + first * h_row + panel.first
    activate(step, layer, size, z, bias, h, block.worker)
    if step.thresholds[layer + 1] > 0:
        drop(step, block, layer + 1, (size[0], panel.width), at(step.H, h), h_row, (first, panel.first))


def output_layer(step, block, inputs):
    """Outputs, loss and delta for this worker's rows of the batch."""
    layer = len(step.layers) - 2
    d_in, d_out, h_row, item = step.layers[layer], step.layers[layer + 1], step.h_row[layer], step.theta.itemsize
    end = step.output + d_in * step.room
    bias = step.theta[end : end + d_out]
    for share in range(block.worker, step.shares, step.workers):
        first, last = share_range(len(block.rows), share, step.shares)
        z = step.z_output + first * step.room
        if last > first:
            A = inputs + first * h_row * item, h_row, 1
            W, Z = (at(step.theta, step.output), step.room), (at(step.Z, z), step.room)
            multiply(step, (last - first, d_out, d_in), A, W, Z, 0, step.factors[layer])
        for i in range(first, last):
            fetch_ahead(step.targets, d_out * item, block.rows, i, last)
            weight = step.weights[block.rows[i]]
            targets = step.targets + block.rows[i] * d_out * item
            output_row(step, z, bias, targets, block.outputs[i], block.scale * weight, i, block.worker)
            step.losses[i] *= weight
            z += step.room
