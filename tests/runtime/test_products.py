import numpy as np
import pytest

from glassnet.runtime.products import COPIED_ROWS, ROWS, SHORT, compile_product


def draw(n, d_in, d_out, dtype):
    rng = np.random.default_rng([n, d_in, d_out])
    return rng.normal(size=(n, d_in)).astype(dtype), rng.normal(size=(d_in, d_out)).astype(dtype)


def multiply(H, W):
    """Run the compiled product into an array that lies between others."""
    room = np.full((len(H) + 2, W.shape[1]), np.nan, H.dtype)
    compile_product(H.dtype)(H, W, room[1:-1])
    assert np.isnan(room[[0, -1]]).all()
    return room[1:-1]


def chains(H, W):
    """H W, whose numbers are chains of fused multiply-adds: in float64, a product of two float32 is exact."""
    Z = np.zeros((len(H), W.shape[1]))
    for k in range(len(W)):
        Z = (Z + H[:, k : k + 1].astype(np.float64) * W[k]).astype(np.float32)
    return Z


ROW_COUNTS = [1, 2, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS + 5, COPIED_ROWS + 1]


@pytest.mark.parametrize("n", ROW_COUNTS)
def test_every_number_is_a_chain_of_fused_multiply_adds(n):
    for d_in in (1, 2, 63, 300):
        for d_out in (8, 9, 15, 16, 17, 31, 63, 64, 65, 100, 128, 200):
            H, W = draw(n, d_in, d_out, "float32")
            np.testing.assert_array_equal(multiply(H, W), chains(H, W))


def test_rows_far_apart_are_copied_and_nothing_changes():
    H, W = draw(COPIED_ROWS, 70, 613, "float32")
    Z = multiply(H, W)
    np.testing.assert_array_equal(Z, chains(H, W))
    np.testing.assert_array_equal(multiply(H[: COPIED_ROWS - 1], W), Z[:-1])


def test_float64_is_as_exact_and_a_row_is_the_same_alone():
    for d_out in (SHORT // 8, 5, 7, 8, 9, 33, 40):
        H, W = draw(ROWS + 3, 90, d_out, "float64")
        Z = multiply(H, W)
        np.testing.assert_allclose(Z, H @ W, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(np.concatenate([multiply(H[i : i + 1], W) for i in range(len(H))]), Z)


def test_arrays_that_cannot_be_written_are_read():
    H, W = draw(3, 5, 8, "float32")
    expected = multiply(H, W)
    H.flags.writeable = W.flags.writeable = False
    np.testing.assert_array_equal(multiply(H, W), expected)
