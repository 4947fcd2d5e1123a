"""The hash against its definition in whole numbers modulo 2^32, and what makes it a good one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.nn.hashing import hash_bits, row_key

WORDS = st.integers(0, 2**32 - 1)


def lowbias32(x):
    """Wellons 2018: xor with itself shifted by 16, 15, 16, a product after each of the first two."""
    x = (x ^ x >> 16) * 0x7FEB352D % 2**32
    x = (x ^ x >> 15) * 0x846CA68B % 2**32
    return x ^ x >> 16


def inverse(y):
    """Undo `lowbias32`: odd numbers have inverses modulo 2^32, and a shifted xor is undone by more of them."""
    y ^= y >> 16
    y = y * pow(0x846CA68B, -1, 2**32) % 2**32
    y ^= y >> 15 ^ y >> 30
    y = y * pow(0x7FEB352D, -1, 2**32) % 2**32
    return y ^ y >> 16


def hashed(numbers):
    return hash_bits(np.array(numbers, np.uint32)).tolist()


def test_the_hash_of_one_by_hand():
    """1 stays 1 in the first shift. 0x7FEB352D xor itself shifted by 15 is 0x7FEBCAFB, and so on."""
    first = 0x7FEB352D ^ 0xFFD6
    assert first == 0x7FEBCAFB
    second = first * 0x846CA68B % 2**32
    assert hashed([0, 1]) == [0, second ^ second >> 16] == [0, 1753845952]


@given(st.lists(WORDS, min_size=1))
def test_the_hash_is_the_published_one(numbers):
    assert hashed(numbers) == [lowbias32(x) for x in numbers]


@given(WORDS)
def test_no_two_numbers_have_the_same_hash(x):
    assert inverse(hashed([x])[0]) == x


def test_neighbours_are_all_different():
    assert len(set(hashed(np.arange(10**6)))) == 10**6


def test_a_flipped_bit_flips_each_bit_of_the_hash_half_the_time():
    """Of 4,000 flips, a share outside 0.5 +- 0.05 is 6 standard deviations off."""
    x = np.random.default_rng(0).integers(2**32, size=4000, dtype=np.uint32)
    for bit in range(32):
        changed = hash_bits(x) ^ hash_bits(x ^ np.uint32(1 << bit))
        shares = np.array([(changed >> np.uint32(place) & 1).mean() for place in range(32)])
        assert np.abs(shares - 0.5).max() < 0.05, bit


@given(WORDS, WORDS)
def test_the_key_of_a_row_is_the_hash_of_a_sum_modulo_two_to_the_32(key, row):
    expected = lowbias32((key + row * 0x9E3779B9) % 2**32)
    assert row_key(np.uint32(key), np.array([row], np.uint32)).tolist() == [expected]


def test_keys_of_rows_are_all_different():
    keys = row_key(np.uint32(12345), np.arange(10**5, dtype=np.uint32))
    assert len(np.unique(keys)) == 10**5
    assert keys[0] == lowbias32(12345)


@pytest.mark.parametrize("function", [hash_bits, lambda x: row_key(x, x)])
def test_words_stay_words(function):
    words = function(np.ones((2, 3), np.uint32))
    assert (words.dtype, words.shape) == (np.uint32, (2, 3))
