"""The rows of a batch, copied out of the data: scaled, and as images moved where they are to be augmented."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import uint32, uint64

    from glassnet.compiled.names import AHEAD, LINE, ZERO, address, prefetch, real
    from glassnet.nn.hashing import hash_bits, row_key


def fetch_ahead(table, rows, i, last):
    """Have the row that comes a few after row i on its way from memory: rows are drawn from all over the table."""
    if i + AHEAD < last:
        size = table.shape[1] * table.itemsize
        start = address(table) + rows[i + AHEAD] * size
        for place in range(start, start + size, LINE):
            prefetch(place)


def gather(step, rows, batch):
    """Copy rows of X, scaled, into the batch."""
    X = step.X
    width = X.shape[1]
    for i in range(len(rows)):
        fetch_ahead(X, rows, i, len(rows))
        x = X[rows[i]]
        row = batch[i * width : (i + 1) * width]
        for j in range(len(row)):
            row[j] = real(x[j]) * step.input_scale


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


def gather_moved(step, rows, moves, batch):
    """Copy rows of X, scaled, into the batch, each moved by its moves (see `move_images`)."""
    X = step.X
    height, width, channels = step.image[0], step.image[1], step.image[2]
    size, line = X.shape[1], width * channels
    for i in range(len(rows)):
        fetch_ahead(X, rows, i, len(rows))
        image = batch[i * size : (i + 1) * size]
        dy, dx, flip = moves[i, 0], moves[i, 1] * channels, moves[i, 2] == 1
        if flip:  # it is shifted first, the other way, and then turned around
            dx = -dx
        copy_shifted(X[rows[i]], dy * line + dx, step.input_scale, image)
        first, last = left_free(dy, height)
        clear(image, line, first, last, 0, line)
        first, last = left_free(dx, line)
        clear(image, line, 0, height, first, last)
        if flip:
            mirror(image, line, channels)
        clear(image, line, moves[i, 3], moves[i, 5], moves[i, 4] * channels, moves[i, 6] * channels)


def drop(numbers, key, first, threshold):
    """Leave out the units, numbered from `first`, whose hash is below the threshold."""
    for j in range(len(numbers)):
        numbers[j] = numbers[j] if hash_bits(uint32(key + uint32(first + j))) >= threshold else ZERO


def drop_inputs(batch, width, n, first_row, key, threshold):
    """Dropout on the rows of a batch."""
    for i in range(n):
        drop(batch[i * width : (i + 1) * width], row_key(key, uint32(first_row + i)), 0, threshold)
