"""Training steps as they are compiled: `glassnet.nn.backpropagation` for a batch cut into shares.

The functions of this module and of those it names are not called in Python. `glassnet.compiled.sources` puts
their text into one program, with the values of `glassnet.compiled.names`. It is the same for all networks and
optimizers: their loops are compiled apart, and called by address (`glassnet.compiled.calls`).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import int64, isfinite

    from glassnet.compiled.backward import backward_layer, gradient_of_hidden, gradient_of_output
    from glassnet.compiled.calls import drop
    from glassnet.compiled.forward import forward_layer, output_layer
    from glassnet.compiled.gather import gather, gather_moved
    from glassnet.compiled.names import address, at, flush_denormals, real, refer, restore_denormals
    from glassnet.compiled.records import Block
    from glassnet.compiled.shares import add_up, barrier
    from glassnet.compiled.update import update_clipped


def read_batch(step, block):
    """Copy the block's rows into this worker's own batch, moved and with inputs left out as asked."""
    batch = step.batch[block.worker]
    if len(block.moves) > 0:
        gather_moved(step, block.rows, block.moves, batch)
    else:
        gather(step, block.rows, batch)
    if step.thresholds[0] > 0:
        size = len(block.rows), step.layers[0]
        drop(step, block, 0, size, address(batch), step.h_row[0], (0, 0))
    return address(batch)


def inputs_of(step, layer, batch):
    """Return the address of a layer's inputs."""
    return at(step.H, step.h_first[layer]) if layer > 0 else batch


def take_block(step, block, phase):
    """Forward, backward and, at a batch's last block, update: the last phase, or 0 if the loss is not finite."""
    hidden, worker = len(step.layers) - 2, block.worker
    batch = read_batch(step, block)
    for layer in range(hidden):
        forward_layer(step, block, layer, inputs_of(step, layer, batch))
        phase = barrier(step, worker, phase)
    output_layer(step, block, inputs_of(step, hidden, batch))
    phase = barrier(step, worker, phase)
    loss = add_up(step.losses[: len(block.rows)])
    if not isfinite(loss):
        return int64(0)
    if worker == 0:
        block.losses[0] += loss
    due = block.last and not step.clip_norm > 0.0
    for layer in range(hidden - 1, -1, -1):
        backward_layer(step, block, layer)
        if layer == 0:  # nobody else reads the first W
            gradient_of_hidden(step, block, layer, batch, due)
        phase = barrier(step, worker, phase)
    gradient_of_output(step, block, inputs_of(step, hidden, batch), due)
    for layer in range(1, hidden):
        gradient_of_hidden(step, block, layer, inputs_of(step, layer, batch), due)
    phase = barrier(step, worker, phase)
    if block.last and step.clip_norm > 0.0:
        phase = update_clipped(step, block, phase)
    return phase


def take_steps(step, batches, worker):
    """Train on the rows of `batches.order`, a batch a step, and return how many steps were taken.

    Each row is moved by its row of `batches.moves`; where there are none, it is taken as it is. It ends early
    where a loss is not finite, before that step's update. The losses of each step are added to `batches.losses`,
    the outputs written to `batches.outputs`.
    """
    state, step = flush_denormals(), refer(step)
    phase = taken = int64(0)
    samples, size = len(batches.order), step.batch_size
    steps = (samples + size - 1) // size
    while taken < steps:
        first = taken * size
        last = min(first + size, samples)
        scale = real(step.output_scale / (last - first)) if step.averaged else real(step.output_scale)
        for start in range(first, last, step.rows):  # a large batch in blocks, whose gradients add up
            stop = min(start + step.rows, last)
            block = Block(
                batches.order[start:stop], batches.moves[start:stop], start - first, scale, start == first,
                stop == last, taken == steps - 1, batches.scalars[taken], batches.keys[taken],
                batches.losses[taken : taken + 1], batches.outputs[start:stop], worker,
            )  # fmt: skip
            phase = take_block(step, refer(block), phase)
            if phase == 0:
                break
        if phase == 0:
            break
        taken += 1
    restore_denormals(state)
    return taken
