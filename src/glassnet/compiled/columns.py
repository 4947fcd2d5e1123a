"""What batch normalisation, max-norm and clipping do to columns, as functions of C; compiled where needed.

Matrices are handed by the address of their first number, with n rows of `width` numbers.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float64, sqrt

    from glassnet.compiled.names import EPSILON, MOMENTUM, ONE, ZERO, carray, real


def normalise(n, width, A, X_hat, gamma, statistics, apart, scratch):
    """X^ = (A - mean of A) / std and A = gamma X^, column by column; the running statistics follow.

    These are rows of numbers `apart`: means, variances, and 1 / std of the batch.
    """
    rows, hats, factors = carray(A, (n, width)), carray(X_hat, (n, width)), carray(gamma, width)
    means, variances, inverses = carray(statistics, (3, apart))
    average, spread = carray(scratch, (2, width))
    for j in range(width):
        average[j] = ZERO
        spread[j] = ZERO
    for i in range(n):
        for j in range(width):
            average[j] += rows[i, j]
    for j in range(width):
        average[j] /= real(n)
    for i in range(n):
        for j in range(width):
            centred = rows[i, j] - average[j]
            spread[j] += centred * centred
    for j in range(width):
        inverses[j] = ONE / sqrt(spread[j] / real(n) + EPSILON)
        if n > 1:
            means[j] += (ONE - MOMENTUM) * (average[j] - means[j])
            variances[j] += (ONE - MOMENTUM) * (spread[j] / real(n - 1) - variances[j])
    for i in range(n):
        for j in range(width):
            hats[i, j] = (rows[i, j] - average[j]) * inverses[j]
            rows[i, j] = factors[j] * hats[i, j]


def normalise_back(n, width, delta, X_hat, gamma, inverse, db, dgamma):
    """From dL/dZ to dL/dA = gamma / std (delta - mean of delta - X^ mean of (delta X^)), in place."""
    rows, hats, factors = carray(delta, (n, width)), carray(X_hat, (n, width)), carray(gamma, width)
    inverses, sums, products = carray(inverse, width), carray(db, width), carray(dgamma, width)
    for j in range(width):
        products[j] = ZERO
    for i in range(n):
        for j in range(width):
            products[j] += rows[i, j] * hats[i, j]
    share = ONE / real(n)
    for i in range(n):
        for j in range(width):
            centred = rows[i, j] - share * sums[j] - hats[i, j] * (share * products[j])
            rows[i, j] = factors[j] * inverses[j] * centred


def shorten_columns(n, width, W, limit, scratch):
    """Shorten the columns of W that are longer than `limit`."""
    rows, lengths = carray(W, (n, width)), carray(scratch, width)
    for j in range(width):
        lengths[j] = ZERO
    for i in range(n):
        for j in range(width):
            lengths[j] += rows[i, j] * rows[i, j]
    for j in range(width):
        length = sqrt(lengths[j])
        lengths[j] = limit / length if length > limit else ONE
    for i in range(n):
        for j in range(width):
            rows[i, j] *= lengths[j]


def square_columns(n, width, A, apart, sums):
    """Add up the squares of the numbers of columns, whose rows are so many numbers apart."""
    rows, totals = carray(A, (n, apart)), carray(sums, width)
    for j in range(width):
        totals[j] = 0.0
    for i in range(n):
        for j in range(width):
            totals[j] += float64(rows[i, j]) * float64(rows[i, j])
