import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.schema import Schema, describe_targets
from glassnet.report.images import full_of


def test_what_is_full_ink_is_known_of_bytes_and_of_16_bits_and_else_the_largest():
    def full(X, white=1.0):
        return full_of(X, Schema(ArraySchema.learn(X, white=white)[0], describe_targets("regression", None)))

    X = np.array([[0, 7], [3, 5]])
    assert full(X.astype(np.uint8)) == 255
    assert full(X.astype(np.uint16), 65535) == 65535
    assert full(X / 16) == 7 / 16
    assert full(X * 0.0) == full(X[:0] * 1.0) == 1
