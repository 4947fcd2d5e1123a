"""exp, log and tanh as a compiler can put them into a loop over many numbers at once.

The functions of the C library are called number by number, 5 to 14 nanoseconds each; these, made of sums and
products only, are computed for 8 or 16 numbers together, in less than one. They are compiled into the loops that
`glassnet.compiled.loops` writes and are not meant to be called from Python. Their relative error is below 3e-7 in
float32 and 1e-15 in float64; NaN goes through, and what is about to become too small for a normal number is 0.

``real`` is the dtype computed in and ``whole`` the integer of its size; ``SHIFT``, ``BIAS``, ``TERMS``,
``SMALLEST``, ``LARGEST`` and ``infinity`` belong to it (see `glassnet.compiled.sources`).
"""

from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glassnet.compiled.names import BIAS, HALF, LARGEST, LOG2_E, LOG_2_HIGH, LOG_2_LOW, LOG_TERMS  # noqa: I001
    from glassnet.compiled.names import MANTISSA, ONE, ROOT_2, SHIFT, SMALLEST, TERMS, TINY, TWO, ZERO
    from glassnet.compiled.names import fma, infinity, nan, real, whole


def power_of_two(n):
    """2^n for a whole number n within the exponents of normal numbers."""
    return whole((whole(n) + BIAS) << SHIFT).view(real)


def exp_parts(x):
    """Return h and q with e^x = 2 h (1 + q), |q| < 0.42, by x = n log 2 + r and the series of e^r."""
    x = x if x > SMALLEST else SMALLEST
    x = x if x < LARGEST else LARGEST
    n = floor(fma(x, LOG2_E, HALF))
    r = fma(-real(n), LOG_2_LOW, fma(-real(n), LOG_2_HIGH, x))
    series = ONE
    for k in range(TERMS, 1, -1):
        series = fma(r * series, ONE / real(k), ONE)
    return power_of_two(n - 1), r * series


def exp(x):
    """e^x."""
    h, q = exp_parts(x)
    y = TWO * fma(h, q, h)
    y = y if x >= SMALLEST else ZERO
    y = y if x <= LARGEST else infinity
    return x if x != x else y


def expm1(x):
    """e^x - 1, exact to rounding near 0 as well."""
    h, q = exp_parts(x)
    y = TWO * fma(h, q, h - HALF)
    y = y if x <= LARGEST else infinity
    return x if x != x else y


def tanh(x):
    """With e = exp(-2 |x|) - 1: tanh |x| = -e / (2 + e)."""
    h, q = exp_parts(-TWO * abs(x))
    e = TWO * fma(h, q, h - HALF)
    y = -e / (TWO + e)
    y = y if x >= ZERO else -y
    return x if x != x else y


def log_series(s):
    """2 artanh(s) = 2 (s + s^3/3 + s^5/5 + ...), for |s| < 0.34."""
    square = s * s
    series = ONE / real(2 * LOG_TERMS + 1)
    for k in range(LOG_TERMS - 1, -1, -1):
        series = fma(series, square, ONE / real(2 * k + 1))
    return TWO * s * series


def log(x):
    """log x by x = 2^n m with m around 1, and log m = 2 artanh((m - 1) / (m + 1))."""
    bits = real(x).view(whole)
    mantissa = whole((bits & MANTISSA) | (BIAS << SHIFT)).view(real)
    n = (bits >> SHIFT) - BIAS
    above = mantissa > ROOT_2
    mantissa = HALF * mantissa if above else mantissa
    n = n + 1 if above else n
    y = log_series((mantissa - ONE) / (mantissa + ONE))
    y = fma(real(n), LOG_2_HIGH, fma(real(n), LOG_2_LOW, y))
    y = y if x < infinity else infinity
    y = y if x >= TINY else -infinity
    y = y if x >= ZERO else nan
    return x if x != x else y


def log1p(x):
    """log(1 + x); below 1 it is 2 artanh(x / (2 + x)), which loses nothing near 0."""
    near = log_series(x / (TWO + x) if abs(x) <= HALF else ZERO)
    return near if abs(x) <= HALF else log(ONE + x)
