"""Which validation row is blamed for a loss that is not finite."""

import numpy as np
import pytest

from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, NonFiniteError
from glassnet.nn.network import Network
from glassnet.training.validation import Validation


@pytest.mark.parametrize(("number", "error"), [(-1900.0, NonFiniteError), (-2100.0, DataError)])
def test_a_row_is_far_beyond_from_a_thousand_times_the_largest_training_number(number, error):
    X, y = np.array([[1.0], [-2.0]], np.float32), np.array([0.0, 1.0])
    far = np.array([[0.0], [1.0], [number]], np.float32)
    data = Dataset.from_arrays(X, y, X, y, validation=0, task="regression").with_validation(
        (far, np.array([0.0, 1.0, 0.0]))
    )
    network = Network([1, 1], loss="mse")
    network.W[0][:] = 1e37  # 34 times as much is infinite in float32
    with pytest.raises(error) as caught:
        Validation(network, data, (), None).evaluate(network)
    assert str(caught.value).startswith("validation rows: row 3 is too much") == (error is DataError)
