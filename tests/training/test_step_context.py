"""What a step is given: which images are moved."""

import numpy as np
import pytest

from glassnet.data.augmentation import Augmentation
from glassnet.data.dataset import Dataset
from glassnet.errors import UsageError
from glassnet.training.step_context import find_image_size

SHIFT = Augmentation(shift=1)


def images(*shape, dtype=np.uint8):
    X = np.random.default_rng(0).integers(0, 256, (20, *shape)).astype(dtype)
    return Dataset.from_arrays(X, np.arange(20) % 2, X, np.arange(20) % 2, validation=4)


@pytest.mark.parametrize(("shape", "size"), [((8, 6), (8, 6, 1)), ((8, 6, 3), (8, 6, 3))])
def test_grey_and_coloured_pictures_of_bytes_are_moved(shape, size):
    assert find_image_size(images(*shape), SHIFT) == size
    assert find_image_size(images(*shape), Augmentation()) == (0, 0, 0)


@pytest.mark.parametrize(("shape", "dtype"), [((8, 6, 4), np.uint8), ((48,), np.uint8), ((8, 6), np.float32)])
def test_nothing_else_is(shape, dtype):
    assert find_image_size(images(*shape, dtype=dtype), Augmentation()) == (0, 0, 0)
    with pytest.raises(UsageError, match="augmentation: moves pictures of bytes, and these data are none"):
        find_image_size(images(*shape, dtype=dtype), SHIFT)
