"""Rows of X as they come into a batch, as functions of C: scaled, and as images moved where they are augmented."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import uint64

    from glassnet.compiled.names import ZERO, carray, real


def copy_row(n, source, target, scale):
    """Copy n numbers, scaled, from one address to another."""
    numbers, row = carray(source, n), carray(target, n)
    for j in range(n):
        row[j] = real(numbers[j]) * scale


def copy_shifted(x, offset, scale, image):
    """Copy a row, scaled, so many numbers further on; what stood where it does not reach stays."""
    size = len(image)
    first, last = max(offset, 0), max(size + min(offset, 0), 0)
    source, target = x[first - offset : last - offset], image[first:last]
    for j in range(len(target)):
        target[j] = real(source[j]) * scale


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


def move_row(source, target, scale, height, width, channels, given):
    """Copy an image, scaled, from one address to another, moved by the moves at a third (see `move_images`)."""
    line = width * channels
    size = height * line
    x, image, moves = carray(source, size), carray(target, size), carray(given, 7)
    dy, dx, flip = moves[0], moves[1] * channels, moves[2] == 1
    if flip:  # it is shifted first, the other way, and then turned around
        dx = -dx
    copy_shifted(x, dy * line + dx, scale, image)
    first, last = left_free(dy, height)
    clear(image, line, first, last, 0, line)
    first, last = left_free(dx, line)
    clear(image, line, 0, height, first, last)
    if flip:
        mirror(image, line, channels)
    clear(image, line, moves[3], moves[5], moves[4] * channels, moves[6] * channels)
