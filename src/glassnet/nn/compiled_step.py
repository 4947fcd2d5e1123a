"""Training steps as they are compiled: `glassnet.nn.backpropagation` for a batch cut into shares.

This text is not for Python to run. `glassnet.nn.program` compiles it together with the loops that
`glassnet.nn.loops` writes from the formulas of one network and optimizer: ``activate``, ``slope``, ``output_row``
and ``update``.

The work is cut into a fixed number of shares, and each worker thread takes every so many of them. Of a hidden
layer a share has some of the units, that is columns of W: a worker multiplies the whole batch with its columns,
later computes their gradient, and updates them, so the largest arrays (W, its gradient and the optimizer's memory
of it) never move from one core to another. Of the output layer, whose loss needs whole rows, a share has some of
the rows of the batch, and some of the rows of W. Workers meet after each layer. Nothing of this depends on how
many workers there are, so neither do the bits of the result.

Arrays are flat, with offsets: theta, gradient and memory hold for every hidden layer one piece a share, its
columns of W and then of b (see `glassnet.nn.program.arrangement`); Z and delta likewise hold each share's columns
together; H holds whole rows.
"""

# ruff: noqa: F821
# mypy: ignore-errors


def cut(size, share, shares):
    """Return where a share of `size` units begins: nearly equal shares, in multiples of 4."""
    return min(size, (size * share // shares + 3) // 4 * 4) if share < shares else size


def meet(flags, worker, workers, meeting):
    """Wait until every worker has come to this meeting; on a core that others want, let them have it."""
    fence()
    flags[8 * worker] = meeting
    for other in range(workers):
        turns = 0
        while flags[8 * other] < meeting:
            fence()
            turns += 1
            if turns > TURNS:
                give_way(uint32(20))
    fence()


def multiply(blas, kept, a, a_first, a_width, a_order, b, b_first, b_width, b_order, c, c_first, m, k, n):
    """C = A B + kept C for A of m x k (stored k x m where TURNED), B of k x n (or n x k), C of m x n."""
    blas(
        ROW_MAJOR,
        a_order,
        b_order,
        integer(m),
        integer(n),
        integer(k),
        ONE,
        address(a) + a_first * a.itemsize,
        integer(a_width),
        address(b) + b_first * b.itemsize,
        integer(b_width),
        kept,
        address(c) + c_first * c.itemsize,
        integer(n),
    )


def fetch(table, rows, i, last):
    """Have the row that comes a few after row i on its way from memory: rows are drawn from all over the table."""
    if i + AHEAD < last:
        size = table.shape[1] * table.itemsize
        start = address(table) + rows[i + AHEAD] * size
        for place in range(start, start + size, LINE):
            prefetch(place)


def gather(X, rows, input_scale, batch):
    """Copy rows of X, scaled, into the batch."""
    width = X.shape[1]
    for i in range(len(rows)):
        fetch(X, rows, i, len(rows))
        x = X[rows[i]]
        row = batch[i * width : (i + 1) * width]
        for j in range(len(row)):
            row[j] = real(x[j]) * input_scale


def forward_layer(blas, step, layer, w_first, z_first, h, h_first, n, worker):
    """Z = H W + b and f(Z) for this worker's units of a hidden layer."""
    d_in, d_out = step.layers[layer], step.layers[layer + 1]
    for share in range(worker, step.shares, step.workers):
        first, last = cut(d_out, share, step.shares), cut(d_out, share + 1, step.shares)
        width = last - first
        if width > 0:
            w, z = w_first + first * (d_in + 1), z_first + first * step.rows
            multiply(
                blas, ZERO, h, h_first, d_in, AS_IT_IS, step.theta, w, width, AS_IT_IS, step.Z, z, n, d_in, width
            )  # fmt: skip
            bias = step.theta[w + d_in * width : w + (d_in + 1) * width]
            for i in range(n):
                row = z_first + i * d_out
                activate(
                    step.kinds[layer],
                    step.Z[z + i * width : z + (i + 1) * width],
                    bias,
                    step.H[row + first : row + last],
                    step.no_scalars,
                    step.scratch[worker],
                )


def output_layer(blas, step, w_first, z_first, h, h_first, n, rows, scale, targets, outputs, worker):
    """Outputs, loss and delta for this worker's rows of the batch."""
    d_in, d_out = step.layers[-2], step.layers[-1]
    bias = step.theta[w_first + d_in * d_out : w_first + (d_in + 1) * d_out]
    for share in range(worker, step.shares, step.workers):
        first, last = n * share // step.shares, n * (share + 1) // step.shares
        z = z_first + first * d_out
        h_rows = h_first + first * d_in
        multiply(
            blas, ZERO, h, h_rows, d_in, AS_IT_IS, step.theta, w_first, d_out, AS_IT_IS,
            step.Z, z, last - first, d_in, d_out,
        )  # fmt: skip
        db = step.share_bias[share, :d_out]
        db[:] = ZERO
        loss = 0.0
        for i in range(first, last):
            fetch(targets, rows, i, last)
            row = z_first + i * d_out
            loss += output_row(
                step.Z[row : row + d_out],
                bias,
                targets[rows[i]],
                outputs[i],
                step.delta[row : row + d_out],
                db,
                scale,
                step.no_scalars,
                step.scratch[worker],
            )
        step.share_loss[share] = loss


def backward_layer(blas, step, layer, w_first, z_first, above, n, fresh, worker):
    """Delta = (delta above W above^T) (.) f'(Z) for this worker's units of a hidden layer."""
    d_in, d_out, d_above = step.layers[layer], step.layers[layer + 1], step.layers[layer + 2]
    w_above = w_first + (d_in + 1) * d_out
    for share in range(worker, step.shares, step.workers):
        first, last = cut(d_out, share, step.shares), cut(d_out, share + 1, step.shares)
        width = last - first
        if width > 0:
            z = z_first + first * step.rows
            if layer == len(step.layers) - 3:  # the output layer is in one piece
                w = w_above + first * d_above
                multiply(
                    blas, ZERO, step.delta, above, d_above, AS_IT_IS, step.theta, w, d_above, TURNED,
                    step.delta, z, n, d_above, width,
                )  # fmt: skip
            else:
                for other in range(step.shares):
                    left, right = cut(d_above, other, step.shares), cut(d_above, other + 1, step.shares)
                    piece = right - left
                    if piece > 0:
                        w = w_above + left * (d_out + 1) + first * piece
                        multiply(
                            blas, ONE if left > 0 else ZERO, step.delta, above + left * step.rows, piece, AS_IT_IS,
                            step.theta, w, piece, TURNED, step.delta, z, n, piece, width,
                        )  # fmt: skip
            w = w_first + first * (d_in + 1) + d_in * width
            db = step.gradient[w : w + width]
            if fresh:
                db[:] = ZERO
            for i in range(n):
                row = z_first + i * d_out
                slope(
                    step.kinds[layer],
                    step.delta[z + i * width : z + (i + 1) * width],
                    step.Z[z + i * width : z + (i + 1) * width],
                    step.H[row + first : row + last],
                    db,
                    step.no_scalars,
                    step.scratch[worker],
                )


def descend_hidden(blas, step, layer, w_first, z_first, h, h_first, n, fresh, complete, scalars, worker):
    """dL/dW of this worker's units of a hidden layer; the optimizer's step once the batch is complete."""
    d_in, d_out = step.layers[layer], step.layers[layer + 1]
    for share in range(worker, step.shares, step.workers):
        first, last = cut(d_out, share, step.shares), cut(d_out, share + 1, step.shares)
        width = last - first
        if width > 0:
            w, z = w_first + first * (d_in + 1), z_first + first * step.rows
            multiply(
                blas, ZERO if fresh else ONE, h, h_first, d_in, TURNED, step.delta, z, width, AS_IT_IS,
                step.gradient, w, d_in, n, width,
            )  # fmt: skip
            if complete:
                update(step.theta, step.gradient, step.memory, w, w + (d_in + 1) * width, scalars)


def descend_output(blas, step, w_first, z_first, h, h_first, n, fresh, complete, scalars, worker):
    """dL/dW of this worker's rows of the output layer's W, and dL/db; the optimizer's step as above."""
    d_in, d_out = step.layers[-2], step.layers[-1]
    for share in range(worker, step.shares, step.workers):
        first, last = cut(d_in, share, step.shares), cut(d_in, share + 1, step.shares)
        w = w_first + first * d_out
        end = w_first + last * d_out
        if last > first:
            multiply(
                blas, ZERO if fresh else ONE, h, h_first + first, d_in, TURNED,
                step.delta, z_first, d_out, AS_IT_IS, step.gradient, w, last - first, n, d_out,
            )  # fmt: skip
        if share == step.shares - 1:
            db = step.gradient[end : end + d_out]
            if fresh:
                db[:] = ZERO
            for other in range(step.shares):
                db += step.share_bias[other, :d_out]
            end += d_out
        if complete:
            update(step.theta, step.gradient, step.memory, w, end, scalars)


def take_block(blas, step, X, targets, rows, scale, outputs, fresh, complete, scalars, losses, worker, meeting):
    """Forward, backward and, at a batch's last block, update: the last meeting, or 0 if the loss is not finite."""
    n = len(rows)
    hidden = len(step.layers) - 2
    batch = step.batch[worker]
    gather(X, rows, step.input_scale, batch)
    h = batch
    w = z = h_first = int64(0)  # a number that varies, not the constant 0, for which Numba would compile a version
    for layer in range(hidden):
        forward_layer(blas, step, layer, w, z, h, h_first, n, worker)
        meeting += 1
        meet(step.flags, worker, step.workers, meeting)
        h, h_first = step.H, z
        w += (step.layers[layer] + 1) * step.layers[layer + 1]
        z += step.rows * step.layers[layer + 1]
    output_layer(blas, step, w, z, h, h_first, n, rows, scale, targets, outputs, worker)
    meeting += 1
    meet(step.flags, worker, step.workers, meeting)
    loss = step.share_loss.sum()
    if not isfinite(loss):
        return int64(0)
    if worker == 0:
        losses[0] += loss
    w_output, z_output = w, z
    for layer in range(hidden - 1, -1, -1):
        above = z
        w -= (step.layers[layer] + 1) * step.layers[layer + 1]
        z -= step.rows * step.layers[layer + 1]
        backward_layer(blas, step, layer, w, z, above, n, fresh, worker)
        if layer == 0:  # nobody else reads the first W
            descend_hidden(blas, step, 0, w, z, batch, w, n, fresh, complete, scalars, worker)
        meeting += 1
        meet(step.flags, worker, step.workers, meeting)
    descend_output(blas, step, w_output, z_output, h, h_first, n, fresh, complete, scalars, worker)
    for layer in range(1, hidden):
        h_first = z
        w += (step.layers[layer - 1] + 1) * step.layers[layer]
        z += step.rows * step.layers[layer]
        descend_hidden(blas, step, layer, w, z, step.H, h_first, n, fresh, complete, scalars, worker)
    meeting += 1
    meet(step.flags, worker, step.workers, meeting)
    return meeting


def take_steps(blas, step, X, targets, order, batch_size, mean, output_scale, scalars, losses, outputs, worker):
    """Train on the rows of `order`, a batch a step, and return how many steps were taken.

    It ends early where a loss is not finite, before that step's update. The optimizer's numbers for each step are
    the rows of `scalars`; the losses of each step are added to `losses`, the outputs written to `outputs`.
    """
    state = flush_small_numbers()
    meeting = taken = int64(0)
    steps = (len(order) + batch_size - 1) // batch_size
    while taken < steps:
        first = taken * batch_size
        last = min(first + batch_size, len(order))
        scale = real(output_scale / (last - first)) if mean else real(output_scale)
        for start in range(first, last, step.rows):  # a large batch in blocks, whose gradients add up
            stop = min(start + step.rows, last)
            meeting = take_block(
                blas,
                step,
                X,
                targets,
                order[start:stop],
                scale,
                outputs[start:stop],
                start == first,
                stop == last,
                scalars[taken],
                losses[taken : taken + 1],
                worker,
                meeting,
            )
            if meeting == 0:
                break
        if meeting == 0:
            break
        taken += 1
    restore_small_numbers(state)
    return taken
