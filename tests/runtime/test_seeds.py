import numpy as np
import pytest

from glassnet.errors import UsageError
from glassnet.runtime.seeds import PURPOSES, seed_words, stream


def test_a_stream_repeats():
    for purpose in PURPOSES:
        first, second = (stream(3, purpose).random(5) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(stream(np.int64(3), purpose).random(5), first)


def test_streams_of_other_seeds_and_purposes_differ():
    draws = {(seed, purpose): stream(seed, purpose).random() for seed in range(20) for purpose in PURPOSES}
    assert len(set(draws.values())) == len(draws)


def test_streams_of_different_purposes_are_uncorrelated():
    # With 20,000 independent numbers a correlation over 0.03 is a one in 20,000 event; the seed is fixed.
    table = np.corrcoef([stream(0, purpose).normal(size=20_000) for purpose in PURPOSES])
    assert np.abs(table - np.eye(len(PURPOSES))).max() < 0.03


def test_streams_are_numpys_of_the_seed_and_the_place_in_the_list():
    # The order of the purposes is part of every stored result: these numbers must never change.
    assert PURPOSES == (
        "initialisation", "shuffling", "split", "directions", "example", "dropout", "augmentation", "biases",
        "export", "search",
    )  # fmt: skip
    for place, purpose in enumerate(PURPOSES):
        expected = np.random.default_rng(np.random.SeedSequence(7, spawn_key=(place,))).random()
        assert stream(7, purpose).random() == expected
        words = np.random.SeedSequence(7, spawn_key=(place,)).generate_state(3)
        assert seed_words(7, purpose, 3) == words.tolist()


@pytest.mark.parametrize("seed", [-1, 1.0, "1", None, True, np.float64(2), [1]])
def test_bad_seeds_are_refused(seed):
    for draw in (lambda: stream(seed, "shuffling"), lambda: seed_words(seed, "dropout", 1)):
        with pytest.raises(UsageError, match=r"^seed: must be a whole number >= 0, got"):
            draw()


def test_an_unknown_purpose_is_refused():
    with pytest.raises(ValueError, match="not in tuple"):
        stream(0, "lottery")


def test_words_repeat_are_of_32_bits_and_more_of_them_begin_alike():
    words = seed_words(3, "dropout", 100)
    assert words == seed_words(np.int64(3), "dropout", 100)
    assert [seed_words(3, "dropout", count) for count in (0, 1, 7)] == [[], words[:1], words[:7]]
    assert {type(word) for word in words} == {int}
    assert 0 <= min(words) < 2**28
    assert 15 * 2**28 < max(words) < 2**32


def test_words_of_other_seeds_and_purposes_differ():
    words = [word for seed in range(20) for purpose in PURPOSES for word in seed_words(seed, purpose, 4)]
    assert len(set(words)) == len(words)
