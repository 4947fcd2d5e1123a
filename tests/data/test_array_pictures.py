import numpy as np
import pytest

from glassnet.data.array_pictures import as_pictures, remark_on_rows

# The shape of rows as they come, the shape of the pictures that they are, and what is said.
SHAPES = {
    (28, 20): ((28, 20), None),
    (28, 20, 1): ((28, 20), "rows of 28 x 20 x 1: taken as pictures of one channel, 28 x 20"),
    (1, 28, 20): ((28, 20), "rows of 1 x 28 x 20: taken as pictures of one channel, 28 x 20"),
    (28, 20, 3): ((28, 20, 3), None),
    (3, 28, 20): ((28, 20, 3), "rows of 3 x 28 x 20: taken as pictures in three colours, which come first"),
    (3, 5, 5): ((5, 5, 3), "rows of 3 x 5 x 5: taken as pictures in three colours, which come first"),
    (3, 4, 4): ((3, 4, 4), None),
    (3, 28, 3): ((3, 28, 3), None),
    (14, 13, 12): ((14, 13, 12), None),
    (14, 13, 12, 1): ((14, 13, 12), "rows of 14 x 13 x 12 x 1: taken as volumes of one channel, 14 x 13 x 12"),
    (1, 14, 13, 12): ((14, 13, 12), "rows of 1 x 14 x 13 x 12: taken as volumes of one channel, 14 x 13 x 12"),
    (7,): (None, None),
}


@pytest.mark.parametrize(("given", "expected"), SHAPES.items(), ids=map(str, SHAPES))
def test_axes_come_in_one_order(given, expected):
    shape, said = expected
    X = np.random.default_rng(0).random((2, *given))
    pictures = as_pictures(X)
    assert pictures.shape == (2, *(shape or given))
    assert np.shares_memory(pictures, X)
    assert remark_on_rows(X) == (() if said is None else (said,))
    assert remark_on_rows(pictures) == ()
    np.testing.assert_array_equal(np.sort(pictures.ravel()), np.sort(X.ravel()))


def test_each_number_keeps_its_place():
    X = np.random.default_rng(0).random((2, 3, 6, 5))
    assert as_pictures(X)[1, 4, 2, 0] == X[1, 0, 4, 2]
    assert as_pictures(X)[1, 4, 2, 2] == X[1, 2, 4, 2]
    assert as_pictures(X[:, :1])[1, 4, 2] == X[1, 0, 4, 2]
    assert as_pictures(X[..., :1])[1, 2, 4] == X[1, 2, 4, 0]
