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

Batch normalisation looks at a unit's whole column, so it is done within a share. Dropout leaves what is kept
unscaled; the factor 1 / (1 - p) goes into the products. Whether a unit is left out is a hash
(`glassnet.nn.hashing`), worked out again on the way back.

Arrays are flat, with offsets: theta, gradient and memory hold for every hidden layer one piece a share, its
columns of W, then of b and gamma (see `glassnet.nn.program.arrangement`); Z and delta likewise hold each share's
columns together; H holds whole rows.
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


def multiply(blas, factor, kept, a, a_first, a_width, a_order, b, b_first, b_width, b_order, c, c_first, m, k, n):
    """C = factor A B + kept C for A of m x k (stored k x m where TURNED), B of k x n (or n x k), C of m x n."""
    blas(
        ROW_MAJOR,
        a_order,
        b_order,
        integer(m),
        integer(n),
        integer(k),
        factor,
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


def height(step, layer):
    """Return how many parameters a unit of a layer has: its column of W, its bias, its gamma."""
    return step.layers[layer] + 1 + step.normalises[layer]


def drop(numbers, key, first, threshold):
    """Leave out the units, numbered from `first`, whose hash is below the threshold."""
    for j in range(len(numbers)):
        numbers[j] = numbers[j] if mixed(uint32(key + uint32(first + j))) >= threshold else ZERO


def gather(X, rows, input_scale, batch):
    """Copy rows of X, scaled, into the batch."""
    width = X.shape[1]
    for i in range(len(rows)):
        fetch(X, rows, i, len(rows))
        x = X[rows[i]]
        row = batch[i * width : (i + 1) * width]
        for j in range(len(row)):
            row[j] = real(x[j]) * input_scale


def copy_shifted(x, offset, input_scale, image):
    """Copy a row, scaled, so many numbers further on; what stood where it does not reach stays."""
    size = len(image)
    first, last = max(offset, 0), max(size + min(offset, 0), 0)
    source, target = x[first - offset : last - offset], image[first:last]
    for j in range(len(target)):
        target[j] = real(source[j]) * input_scale


def left_free(shift, size):
    """Return where what is shifted leaves room, of its size: the first place and that after the last."""
    return (0, min(shift, size)) if shift > 0 else (max(size + shift, 0), size)


def clear(image, line, top, bottom, left, right):
    """Set a rectangle of an image to 0: of the lines from top to bottom the numbers from left to right.

    Places are unsigned here and in `mirror`: Numba then need not ask whether they count from the end.
    """
    for start in range(top * line, bottom * line, line):
        for j in range(uint64(start + left), uint64(start + right)):
            image[j] = ZERO


def mirror(image, line, channels):
    """Turn each line of an image around, pixel by pixel."""
    step = uint64(channels)
    for channel in range(channels):
        for start in range(channel, len(image), line):
            left, right = uint64(start), uint64(start + line - channels)
            while left < right:
                image[left], image[right] = image[right], image[left]
                left += step
                right -= step


def gather_moved(X, rows, moves, height, width, channels, input_scale, batch):
    """Copy rows of X, scaled, into the batch, each moved by its moves (see `move_images`)."""
    size, line = X.shape[1], width * channels
    for i in range(len(rows)):
        fetch(X, rows, i, len(rows))
        image = batch[i * size : (i + 1) * size]
        dy, dx, flip = moves[i, 0], moves[i, 1] * channels, moves[i, 2] == 1
        if flip:  # it is shifted first, the other way, and then turned around
            dx = -dx
        copy_shifted(X[rows[i]], dy * line + dx, input_scale, image)
        first, last = left_free(dy, height)
        clear(image, line, first, last, 0, line)
        first, last = left_free(dx, line)
        clear(image, line, 0, height, first, last)
        if flip:
            mirror(image, line, channels)
        clear(image, line, moves[i, 3], moves[i, 5], moves[i, 4] * channels, moves[i, 6] * channels)


def drop_inputs(batch, width, n, first_row, key, threshold):
    """Dropout on the rows of a batch."""
    for i in range(n):
        drop(batch[i * width : (i + 1) * width], row_key(key, uint32(first_row + i)), 0, threshold)


def normalise(A, X_hat, n, width, gamma, mean, variance, inverse, average, spread):
    """X^ = (A - mean of A) / deviation and A = gamma X^, column by column; the running statistics follow."""
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


def normalise_back(delta, X_hat, n, width, gamma, inverse, db, dgamma):
    """From dL/dZ to dL/dA = gamma / deviation (delta - mean of delta - X^ mean of (delta X^)), in place."""
    dgamma[:] = ZERO
    for i in range(n):
        row, hat = delta[i * width : (i + 1) * width], X_hat[i * width : (i + 1) * width]
        for j in range(width):
            dgamma[j] += row[j] * hat[j]
    share = ONE / real(n)
    for i in range(n):
        row, hat = delta[i * width : (i + 1) * width], X_hat[i * width : (i + 1) * width]
        for j in range(width):
            row[j] = gamma[j] * inverse[j] * (row[j] - share * db[j] - hat[j] * (share * dgamma[j]))


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


def forward_layer(blas, step, layer, w_first, z_first, units, h, h_first, n, first_row, key, worker):
    """Z = H W + b, normalised where the layer does so, and f(Z), for this worker's units of a hidden layer."""
    d_in, d_out = step.layers[layer], step.layers[layer + 1]
    threshold = step.thresholds[layer + 1]
    for share in range(worker, step.shares, step.workers):
        first, last = cut(d_out, share, step.shares), cut(d_out, share + 1, step.shares)
        width = last - first
        if width > 0:
            w, z = w_first + first * height(step, layer), z_first + first * step.rows
            multiply(
                blas, step.factors[layer], ZERO, h, h_first, d_in, AS_IT_IS, step.theta, w, width, AS_IT_IS,
                step.Z, z, n, d_in, width,
            )  # fmt: skip
            bias = step.theta[w + d_in * width : w + (d_in + 1) * width]
            if step.normalises[layer] > 0:
                left, right = units + first, units + last
                normalise(
                    step.Z[z : z + n * width],
                    step.X_hat[z : z + n * width],
                    n,
                    width,
                    step.theta[w + (d_in + 1) * width : w + (d_in + 2) * width],
                    step.mean[left:right],
                    step.variance[left:right],
                    step.inverse[left:right],
                    step.scratch[worker, 0, :width],
                    step.scratch[worker, 1, :width],
                )
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
                if threshold > 0:
                    drop(step.H[row + first : row + last], row_key(key, uint32(first_row + i)), first, threshold)


def output_layer(blas, step, w_first, z_first, h, h_first, n, rows, scale, weights, targets, outputs, worker):
    """Outputs, loss and delta for this worker's rows of the batch."""
    last_layer = len(step.layers) - 2
    d_in, d_out = step.layers[-2], step.layers[-1]
    bias = step.theta[w_first + d_in * d_out : w_first + (d_in + 1) * d_out]
    for share in range(worker, step.shares, step.workers):
        first, last = n * share // step.shares, n * (share + 1) // step.shares
        z = z_first + first * d_out
        h_rows = h_first + first * d_in
        multiply(
            blas, step.factors[last_layer], ZERO, h, h_rows, d_in, AS_IT_IS, step.theta, w_first, d_out, AS_IT_IS,
            step.Z, z, last - first, d_in, d_out,
        )  # fmt: skip
        db = step.share_bias[share, :d_out]
        db[:] = ZERO
        loss = 0.0
        for i in range(first, last):
            fetch(targets, rows, i, last)
            row = z_first + i * d_out
            weight = weights[rows[i]]
            loss += weight * output_row(
                step.Z[row : row + d_out],
                bias,
                targets[rows[i]],
                outputs[i],
                step.delta[row : row + d_out],
                db,
                scale * weight,
                step.no_scalars,
                step.scratch[worker],
            )
        step.share_loss[share] = loss


def backward_layer(blas, step, layer, w_first, z_first, units, above, n, fresh, first_row, key, worker):
    """Delta = (delta above W above^T) (.) f'(Z) for this worker's units of a hidden layer."""
    d_in, d_out, d_above = step.layers[layer], step.layers[layer + 1], step.layers[layer + 2]
    w_above = w_first + height(step, layer) * d_out
    threshold, factor = step.thresholds[layer + 1], step.factors[layer + 1]
    for share in range(worker, step.shares, step.workers):
        first, last = cut(d_out, share, step.shares), cut(d_out, share + 1, step.shares)
        width = last - first
        if width > 0:
            z = z_first + first * step.rows
            if layer == len(step.layers) - 3:  # the output layer is in one piece
                w = w_above + first * d_above
                multiply(
                    blas, factor, ZERO, step.delta, above, d_above, AS_IT_IS, step.theta, w, d_above, TURNED,
                    step.delta, z, n, d_above, width,
                )  # fmt: skip
            else:
                for other in range(step.shares):
                    left, right = cut(d_above, other, step.shares), cut(d_above, other + 1, step.shares)
                    piece = right - left
                    if piece > 0:
                        w = w_above + left * height(step, layer + 1) + first * piece
                        multiply(
                            blas, factor, ONE if left > 0 else ZERO, step.delta, above + left * step.rows, piece,
                            AS_IT_IS, step.theta, w, piece, TURNED, step.delta, z, n, piece, width,
                        )  # fmt: skip
            w = w_first + first * height(step, layer) + d_in * width
            db = step.gradient[w : w + width]
            if fresh:
                db[:] = ZERO
            for i in range(n):
                row = z_first + i * d_out
                delta = step.delta[z + i * width : z + (i + 1) * width]
                if threshold > 0:
                    drop(delta, row_key(key, uint32(first_row + i)), first, threshold)
                slope(
                    step.kinds[layer],
                    delta,
                    step.Z[z + i * width : z + (i + 1) * width],
                    step.H[row + first : row + last],
                    db,
                    step.no_scalars,
                    step.scratch[worker],
                )
            if step.normalises[layer] > 0:
                normalise_back(
                    step.delta[z : z + n * width],
                    step.X_hat[z : z + n * width],
                    n,
                    width,
                    step.theta[w + width : w + 2 * width],
                    step.inverse[units + first : units + last],
                    db,
                    step.gradient[w + width : w + 2 * width],
                )


def update_hidden(step, w, layer, width, scalars, worker):
    """The optimizer's step for a share's piece of a hidden layer: weights, then what is not penalised."""
    d_in = step.layers[layer]
    middle = w + d_in * width
    update(step.theta, step.gradient, step.memory, w, middle, scalars[0])
    update(step.theta, step.gradient, step.memory, middle, w + height(step, layer) * width, scalars[1])
    if step.max_norm > ZERO:
        shorten_columns(step.theta[w:middle], d_in, width, step.max_norm, step.scratch[worker, 0, :width])


def update_output(step, w, end, end_of_weights, scalars):
    """The optimizer's step for a share's rows of the output layer's W, and its bias where that is among them."""
    update(step.theta, step.gradient, step.memory, w, min(end, end_of_weights), scalars[0])
    if end > end_of_weights:
        update(step.theta, step.gradient, step.memory, end_of_weights, end, scalars[1])


def descend_hidden(blas, step, layer, w_first, z_first, h, h_first, n, fresh, complete, scalars, worker):
    """dL/dW of this worker's units of a hidden layer; the optimizer's step once the batch is complete."""
    d_in, d_out = step.layers[layer], step.layers[layer + 1]
    for share in range(worker, step.shares, step.workers):
        first, last = cut(d_out, share, step.shares), cut(d_out, share + 1, step.shares)
        width = last - first
        if width > 0:
            w, z = w_first + first * height(step, layer), z_first + first * step.rows
            multiply(
                blas, step.factors[layer], ZERO if fresh else ONE, h, h_first, d_in, TURNED, step.delta, z, width,
                AS_IT_IS, step.gradient, w, d_in, n, width,
            )  # fmt: skip
            if complete:
                update_hidden(step, w, layer, width, scalars, worker)


def descend_output(blas, step, w_first, z_first, h, h_first, n, fresh, complete, scalars, worker):
    """dL/dW of this worker's rows of the output layer's W, and dL/db; the optimizer's step as above."""
    d_in, d_out = step.layers[-2], step.layers[-1]
    for share in range(worker, step.shares, step.workers):
        first, last = cut(d_in, share, step.shares), cut(d_in, share + 1, step.shares)
        w = w_first + first * d_out
        end = w_first + last * d_out
        if last > first:
            multiply(
                blas, step.factors[len(step.layers) - 2], ZERO if fresh else ONE, h, h_first + first, d_in, TURNED,
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
            update_output(step, w, end, w_first + d_in * d_out, scalars)


def update_clipped(step, scalars, worker, meeting):
    """Shorten the whole gradient to the norm that is allowed, then take the optimizer's step: the last meeting."""
    for share in range(worker, step.shares, step.workers):
        total = 0.0
        w_first = int64(0)
        for layer in range(len(step.layers) - 2):
            first, last = piece_of_layer(step, w_first, layer, share)
            total += square_norm(step.gradient, first, last)
            w_first += height(step, layer) * step.layers[layer + 1]
        first, last = piece_of_output(step, w_first, share)
        step.share_norm[share] = total + square_norm(step.gradient, first, last)
    meeting += 1
    meet(step.flags, worker, step.workers, meeting)
    norm = sqrt(step.share_norm.sum())
    factor = real(step.clip_norm / norm) if norm > step.clip_norm else ONE
    for share in range(worker, step.shares, step.workers):
        w_first = int64(0)
        for layer in range(len(step.layers) - 2):
            first, last = piece_of_layer(step, w_first, layer, share)
            if last > first:
                step.gradient[first:last] *= factor
                update_hidden(step, first, layer, (last - first) // height(step, layer), scalars, worker)
            w_first += height(step, layer) * step.layers[layer + 1]
        first, last = piece_of_output(step, w_first, share)
        step.gradient[first:last] *= factor
        update_output(step, first, last, w_first + step.layers[-2] * step.layers[-1], scalars)
    meeting += 1
    meet(step.flags, worker, step.workers, meeting)
    return meeting


def piece_of_layer(step, w_first, layer, share):
    """Return where a share's piece of a hidden layer stands."""
    d_out = step.layers[layer + 1]
    first, last = cut(d_out, share, step.shares), cut(d_out, share + 1, step.shares)
    return w_first + first * height(step, layer), w_first + last * height(step, layer)


def piece_of_output(step, w_first, share):
    """Return where a share's piece of the output layer stands; the last one has the bias."""
    d_in, d_out = step.layers[-2], step.layers[-1]
    last = w_first + cut(d_in, share + 1, step.shares) * d_out
    return w_first + cut(d_in, share, step.shares) * d_out, last + (d_out if share == step.shares - 1 else 0)


def take_block(
    blas,
    step,
    X,
    targets,
    rows,
    moves,
    first_row,
    scale,
    outputs,
    fresh,
    complete,
    scalars,
    keys,
    losses,
    worker,
    meeting,
):
    """Forward, backward and, at a batch's last block, update: the last meeting, or 0 if the loss is not finite."""
    n = len(rows)
    hidden = len(step.layers) - 2
    batch = step.batch[worker]
    if len(moves) > 0:
        gather_moved(X, rows, moves, step.image[0], step.image[1], step.image[2], step.input_scale, batch)
    else:
        gather(X, rows, step.input_scale, batch)
    if step.thresholds[0] > 0:
        drop_inputs(batch, X.shape[1], n, first_row, keys[0], step.thresholds[0])
    clipping = step.clip_norm > 0.0
    h = batch
    w = z = units = h_first = int64(0)  # not the constant 0, for which Numba would compile a version
    for layer in range(hidden):
        forward_layer(blas, step, layer, w, z, units, h, h_first, n, first_row, keys[layer + 1], worker)
        meeting += 1
        meet(step.flags, worker, step.workers, meeting)
        h, h_first = step.H, z
        w += height(step, layer) * step.layers[layer + 1]
        z += step.rows * step.layers[layer + 1]
        units += step.layers[layer + 1]
    output_layer(blas, step, w, z, h, h_first, n, rows, scale, step.weights, targets, outputs, worker)
    meeting += 1
    meet(step.flags, worker, step.workers, meeting)
    loss = step.share_loss.sum()
    if not isfinite(loss):
        return int64(0)
    if worker == 0:
        losses[0] += loss
    updates = complete and not clipping
    w_output, z_output = w, z
    for layer in range(hidden - 1, -1, -1):
        above = z
        w -= height(step, layer) * step.layers[layer + 1]
        z -= step.rows * step.layers[layer + 1]
        units -= step.layers[layer + 1]
        backward_layer(blas, step, layer, w, z, units, above, n, fresh, first_row, keys[layer + 1], worker)
        if layer == 0:  # nobody else reads the first W
            descend_hidden(blas, step, 0, w, z, batch, w, n, fresh, updates, scalars, worker)
        meeting += 1
        meet(step.flags, worker, step.workers, meeting)
    descend_output(blas, step, w_output, z_output, h, h_first, n, fresh, updates, scalars, worker)
    for layer in range(1, hidden):
        h_first = z
        w += height(step, layer - 1) * step.layers[layer]
        z += step.rows * step.layers[layer]
        descend_hidden(blas, step, layer, w, z, step.H, h_first, n, fresh, updates, scalars, worker)
    meeting += 1
    meet(step.flags, worker, step.workers, meeting)
    if complete and clipping:
        meeting = update_clipped(step, scalars, worker, meeting)
    return meeting


def take_steps(
    blas, step, X, targets, order, moves, batch_size, mean, output_scale, scalars, keys, losses, outputs, worker
):
    """Train on the rows of `order`, a batch a step, and return how many steps were taken.

    Each row is moved by its row of `moves`; where there are none, it is taken as it is.
    It ends early where a loss is not finite, before that step's update. The numbers of the rule for each step are
    the rows of `scalars`, the keys of its masks those of `keys`; the losses of each step are added to `losses`,
    the outputs written to `outputs`.
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
                moves[start:stop],
                start - first,
                scale,
                outputs[start:stop],
                start == first,
                stop == last,
                scalars[taken],
                keys[taken],
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
