import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.data.augmentation import AUGMENTATIONS, Augmentation, move_images
from glassnet.errors import UsageError

IMAGE = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]], np.uint8)

#: dy, dx, flip, top, left, bottom, right, and what becomes of `IMAGE`, worked by hand.
BY_HAND = {
    "nothing": ((0, 0, 0, 0, 0, 0, 0), [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]),
    "down": ((1, 0, 0, 0, 0, 0, 0), [[0, 0, 0, 0], [1, 2, 3, 4], [5, 6, 7, 8]]),
    "up": ((-2, 0, 0, 0, 0, 0, 0), [[9, 10, 11, 12], [0, 0, 0, 0], [0, 0, 0, 0]]),
    "right": ((0, 1, 0, 0, 0, 0, 0), [[0, 1, 2, 3], [0, 5, 6, 7], [0, 9, 10, 11]]),
    "left": ((0, -3, 0, 0, 0, 0, 0), [[4, 0, 0, 0], [8, 0, 0, 0], [12, 0, 0, 0]]),
    "up and right": ((-1, 2, 0, 0, 0, 0, 0), [[0, 0, 5, 6], [0, 0, 9, 10], [0, 0, 0, 0]]),
    "flip": ((0, 0, 1, 0, 0, 0, 0), [[4, 3, 2, 1], [8, 7, 6, 5], [12, 11, 10, 9]]),
    "flip, then right": ((0, 1, 1, 0, 0, 0, 0), [[0, 4, 3, 2], [0, 8, 7, 6], [0, 12, 11, 10]]),
    "flip, then down and left": ((1, -1, 1, 0, 0, 0, 0), [[0, 0, 0, 0], [3, 2, 1, 0], [7, 6, 5, 0]]),
    "erase": ((0, 0, 0, 1, 0, 3, 2), [[1, 2, 3, 4], [0, 0, 7, 8], [0, 0, 11, 12]]),
    "shift, then erase": ((1, 0, 0, 1, 3, 2, 4), [[0, 0, 0, 0], [1, 2, 3, 0], [5, 6, 7, 8]]),
    "flip, then erase": ((0, 0, 1, 0, 0, 1, 1), [[0, 3, 2, 1], [8, 7, 6, 5], [12, 11, 10, 9]]),
    "all": ((-1, 1, 1, 0, 0, 1, 2), [[0, 0, 7, 6], [0, 12, 11, 10], [0, 0, 0, 0]]),
    "out of sight": ((0, 4, 0, 0, 0, 0, 0), [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]),
}
MOVES = np.array([moves for moves, _ in BY_HAND.values()], np.int32)
MOVED = np.array([after for _, after in BY_HAND.values()], np.uint8)

EVERYTHING = Augmentation(shift=2, flip=True, erase=0.5)


@pytest.mark.parametrize("name", BY_HAND)
def test_each_move_and_their_order_by_hand(name):
    moves, after = BY_HAND[name]
    np.testing.assert_array_equal(move_images(IMAGE[None], np.array([moves], np.int32)), [after])


def test_each_image_of_a_batch_moves_by_its_own_numbers():
    before = np.repeat(IMAGE[None], len(MOVES), axis=0)
    after = move_images(before, MOVES)
    np.testing.assert_array_equal(after, MOVED)
    assert after.dtype == np.uint8
    np.testing.assert_array_equal(before, np.repeat(IMAGE[None], len(MOVES), axis=0))


def test_the_channels_of_a_pixel_stay_together():
    before = np.repeat(np.stack([IMAGE, IMAGE + 100, 2 * IMAGE], axis=-1)[None], len(MOVES), axis=0)
    after = move_images(before, MOVES)
    there = MOVED > 0
    np.testing.assert_array_equal(after[..., 0], MOVED)
    np.testing.assert_array_equal(after[..., 1], np.where(there, MOVED + 100, 0))
    np.testing.assert_array_equal(after[..., 2], 2 * MOVED)


def test_no_images_are_moved_to_none():
    moves = EVERYTHING.draw(np.random.default_rng(0), 0, 3, 4)
    assert moves.shape == (0, 7)
    assert move_images(np.zeros((0, 3, 4), np.uint8), moves).shape == (0, 3, 4)


def draw(augmentation, n=20000, height=20, width=30, seed=0):
    return augmentation.draw(np.random.default_rng(seed), n, height, width)


def test_nothing_moves_where_nothing_is_asked_for():
    moves = draw(Augmentation())
    assert moves.dtype == np.int32
    np.testing.assert_array_equal(moves, np.zeros((20000, 7)))


def test_shifts_are_uniform_and_independent():
    moves = draw(Augmentation(shift=2), 25000)
    pairs, counts = np.unique(moves[:, :2], axis=0, return_counts=True)
    np.testing.assert_array_equal(pairs, [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)])
    assert abs(counts - 1000).max() < 5 * np.sqrt(1000)  # standard deviations of a count
    np.testing.assert_array_equal(moves[:, 2:], 0)


def test_every_other_image_is_flipped():
    moves = draw(Augmentation(flip=True))
    assert set(moves[:, 2]) == {0, 1}
    assert abs(moves[:, 2].mean() - 0.5) < 5 * 0.5 / np.sqrt(len(moves))
    np.testing.assert_array_equal(np.delete(moves, 2, axis=1), 0)


def rectangles(augmentation, **options):
    """Return top, left, height and width of those that are not empty."""
    moves = draw(augmentation, **options)
    np.testing.assert_array_equal(moves[:, :3], 0)
    start, end = moves[:, 3:5], moves[:, 5:7]
    some = (end > 0).any(axis=1)
    np.testing.assert_array_equal(moves[~some, 3:], 0)
    return np.concatenate([start, end - start], axis=1)[some].T


@pytest.mark.parametrize("probability", [0.3, 1.0])
def test_an_image_is_erased_with_the_probability(probability):
    share = rectangles(Augmentation(erase=probability)).shape[1] / 20000
    assert abs(share - probability) <= 5 * np.sqrt(probability * (1 - probability) / 20000)


def test_the_erased_area_is_uniform_and_so_is_the_aspect():
    _, _, height, width = rectangles(Augmentation(erase=1), height=2000, width=1000)
    share = height / 2000 * width / 1000
    for quantile in (0, 0.25, 0.5, 0.75, 1):
        assert abs(np.quantile(share, quantile) - (0.02 + 0.38 * quantile)) < 0.006
    aspect = (height / 2000) / (width / 1000)
    small = share < 0.2
    for quantile in (0, 0.25, 0.5, 0.75, 1):
        assert abs(np.quantile(aspect[small], quantile) - (0.3 + (1 / 0.3 - 0.3) * quantile)) < 0.09


def test_the_area_of_large_rectangles_is_uniform_too():
    augmentation = Augmentation(erase=1, smallest=0.3, largest=0.9)
    _, _, height, width = rectangles(augmentation, height=1000, width=2000)
    share = height / 1000 * width / 2000
    for quantile in (0, 0.25, 0.5, 0.75, 1):
        assert abs(np.quantile(share, quantile) - (0.3 + 0.6 * quantile)) < 0.01


def test_an_erased_rectangle_may_be_anywhere_inside():
    top, left, height, width = rectangles(Augmentation(erase=1, smallest=0.2, largest=0.3), height=8, width=12)
    for start, size, length in ((top, height, 8), (left, width, 12)):
        free = length - size
        assert (start >= 0).all()
        assert (free >= start).all()
        for room in np.unique(free):
            share = np.bincount(start[free == room], minlength=room + 1) / (free == room).sum()
            assert abs(share * (room + 1) - 1).max() < 6 * np.sqrt((room + 1) / (free == room).sum())


def test_cutout_is_a_square_of_one_size():
    top, left, height, width = rectangles(
        Augmentation(erase=1, smallest=0.25, largest=0.25, aspect=1), height=27, width=27
    )
    assert set(height) == set(width) == {14}  # 13.5, rounded
    assert set(top) == set(left) == set(range(14))


SHARES = st.floats(1e-6, 1)


@given(st.integers(1, 40), st.integers(1, 40), SHARES, SHARES, SHARES, st.integers(0, 9))
def test_rectangles_of_any_size_lie_inside(height, width, one, other, aspect, seed):
    smallest, largest = sorted((one, other))
    augmentation = Augmentation(erase=1, smallest=smallest, largest=largest, aspect=aspect)
    top, left, rows, columns = rectangles(augmentation, n=50, height=height, width=width, seed=seed)
    assert len(top) == 50
    assert (rows >= 1).all()
    assert (columns >= 1).all()
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + rows <= height).all()
    assert (left + columns <= width).all()


def test_a_seed_repeats_the_moves_and_another_does_not():
    np.testing.assert_array_equal(draw(EVERYTHING, seed=3), draw(EVERYTHING, seed=3))
    assert (draw(EVERYTHING, seed=3) != draw(EVERYTHING, seed=4)).any(axis=1).mean() > 0.9


def test_two_calls_draw_what_one_does():
    rng = np.random.default_rng(0)
    parts = [EVERYTHING.draw(rng, n, 20, 30) for n in (7, 93)]
    np.testing.assert_array_equal(np.concatenate(parts), draw(EVERYTHING, n=100))


def test_one_move_is_drawn_alike_whatever_else_is_on():
    everything = draw(EVERYTHING)
    np.testing.assert_array_equal(draw(Augmentation(shift=2))[:, :2], everything[:, :2])
    np.testing.assert_array_equal(draw(Augmentation(flip=True))[:, 2], everything[:, 2])
    np.testing.assert_array_equal(draw(Augmentation(erase=0.5))[:, 3:], everything[:, 3:])


@pytest.mark.parametrize(("height", "width"), [(3, 8), (8, 3)])
def test_no_image_is_shifted_out_of_sight(height, width):
    assert draw(Augmentation(shift=2), height=height, width=width)[:, :2].max() == 2
    with pytest.raises(UsageError, match=rf"augmentation: shift\(3\) moves images of {height} x {width} out of"):
        draw(Augmentation(shift=3), height=height, width=width)


@pytest.mark.parametrize(
    ("text", "augmentation"),
    [
        ("none", Augmentation()),
        ("shift(3)", Augmentation(shift=3)),
        ("shift", Augmentation(shift=2)),
        (" flip+shift ( pixels = 1 ) ", Augmentation(shift=1, flip=True)),
        ("erase", Augmentation(erase=0.5)),
        ("shift(2) + flip + erase(0.5)", EVERYTHING),
        ("erase(0.5) + flip + shift(2)", EVERYTHING),
        ("erase(+1e-1, 0.1, largest=5e-1) + flip", Augmentation(0, True, 0.1, 0.1, 0.5)),
        ("erase(1, smallest=1e+0, largest=1)", Augmentation(erase=1, smallest=1, largest=1)),
    ],
)
def test_a_specification_is_read(text, augmentation):
    assert Augmentation.parse(text) == augmentation


def test_a_specification_names_the_moves_in_their_order():
    assert Augmentation().spec == "none"
    assert Augmentation(shift=3, flip=True).spec == "flip + shift(3)"
    assert EVERYTHING.spec == "flip + shift(2) + erase(0.5, smallest=0.02, largest=0.4, aspect=0.3)"


@given(st.integers(0, 99), st.booleans(), st.floats(0, 1), SHARES, SHARES, SHARES)
def test_a_specification_gives_the_same_augmentation_again(shift, flip, erase, one, other, aspect):
    augmentation = Augmentation(shift, flip, erase, min(one, other), max(one, other), aspect)
    assert Augmentation.parse(augmentation.spec) == augmentation


@pytest.mark.parametrize("name", list(AUGMENTATIONS))
def test_every_registered_move_comes_back_from_its_specification(name):
    augmentation = AUGMENTATIONS.resolve(name)
    assert Augmentation.parse(augmentation.spec) == augmentation
    assert Augmentation.parse(augmentation) is augmentation
    assert pickle.loads(pickle.dumps(augmentation)) == augmentation


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "cannot read ''"),
        ("flip +", "cannot read"),
        ("shift(2", "cannot read"),
        ("shift(2), flip", "cannot read"),
        ("flop", "unknown name 'flop'; did you mean 'flip'?"),
        ("flip(1)", "does not fit flip"),
        ("shift(2, 3)", "does not fit shift"),
        ("none(1)", "does not fit none"),
        ("flip + shift + flip", "has flip twice; name it once"),
        ("shift(-1)", "shift takes a whole number of pixels >= 0, got -1"),
        ("shift(1.5)", "shift takes a whole number"),
        ("shift(True)", "shift takes a whole number"),
        ("erase(1.5)", "erase takes a number from 0 to 1, got 1.5"),
        ("erase(-0.5)", "erase takes a number from 0 to 1"),
        ("erase(nan)", "erase takes a number from 0 to 1, got 'nan'"),
        ("erase(True)", "erase takes a number from 0 to 1, got True"),
        ("erase(0.5, largest=2)", "largest takes a number from 0 to 1, got 2"),
        ("erase(0.5, smallest=0)", "erase takes 0 < smallest <= largest"),
        ("erase(0.5, smallest=0.5)", "erase takes 0 < smallest <= largest and aspect > 0, got smallest=0.5"),
        ("erase(0.5, aspect=0)", "aspect > 0"),
        (3, "expected a name or an Augmentation, got 3"),
    ],
)
def test_a_specification_that_cannot_be_meant_is_refused(text, problem):
    with pytest.raises(UsageError) as caught:
        Augmentation.parse(text)
    assert str(caught.value).startswith("augmentation: ")
    assert problem in str(caught.value)


@pytest.mark.parametrize("values", [{"flip": 1}, {"erase": float("nan")}, {"shift": None}, {"aspect": "wide"}])
def test_a_field_of_another_kind_is_refused(values):
    with pytest.raises(UsageError, match=f"^augmentation: {next(iter(values))} takes "):
        Augmentation(**values)
    with pytest.raises(dataclasses.FrozenInstanceError):
        EVERYTHING.shift = 3
