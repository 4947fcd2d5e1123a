"""A hash of 32 bits, from which masks are drawn: NumPy evaluates this text, and a program compiles it.

A hash needs no memory: what it gives for a number is the same whoever asks, in whatever order.
"""

from numpy import uint32


def hash_bits(x):
    """Return a number's hash: multiplications, and shifts that bring high bits down (Wellons 2018, lowbias32).

    Examples
    --------
    >>> import numpy as np
    >>> hash_bits(np.arange(3, dtype=np.uint32))
    array([         0, 1753845952, 3507691905], dtype=uint32)
    """
    x = uint32(x ^ (x >> uint32(16)))
    x = uint32(x * uint32(0x7FEB352D))
    x = uint32(x ^ (x >> uint32(15)))
    x = uint32(x * uint32(0x846CA68B))
    return uint32(x ^ (x >> uint32(16)))


def row_key(key, row):
    """Return the key of a row of a batch; a unit's number is added to it, and that is mixed."""
    return hash_bits(uint32(key + uint32(row * uint32(0x9E3779B9))))
