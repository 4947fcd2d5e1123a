"""Masked and sparse arrays, and too few rows."""

import numpy as np
import pytest
import scipy.sparse

from glassnet.data import dense
from glassnet.data.dataset import Dataset
from glassnet.data.dense import (
    as_dense,
    find_unusable,
    is_sparse,
    refuse_few,
    remark_on_dense,
    remark_on_few,
    take_labels,
)
from glassnet.errors import DataError
from glassnet.nn.network import Network
from glassnet.training.fit import fit

X = np.arange(12.0).reshape(4, 3)


def masked(*places):
    rows = np.ma.masked_array(X.astype(int), mask=np.zeros(X.shape, bool))
    for place in places:
        rows[place] = np.ma.masked
    return rows


def test_masked_values_are_missing_and_the_others_stay():
    rows = as_dense(masked((0, 1), (3, 2)))
    assert np.argwhere(np.isnan(rows)).tolist() == [[0, 1], [3, 2]]
    assert rows[1].tolist() == [3, 4, 5]
    assert remark_on_dense(masked((0, 1), (3, 2))) == ("X: 2 masked values count as missing (NaN)",)
    assert remark_on_dense(masked((0, 1))) == ("X: 1 masked value counts as missing (NaN)",)
    assert as_dense(masked()).dtype == int
    assert remark_on_dense(masked()) == remark_on_dense(X) == remark_on_dense([[1]]) == ()


def test_masked_values_are_not_learned_from_by_what_lies_under_the_mask():
    rows = np.ma.masked_array(np.arange(120.0).reshape(40, 3), mask=False)
    rows[7, 2] = np.ma.masked
    data = Dataset.from_arrays(rows, np.arange(40) % 2, validation=0)
    assert sum(np.isnan(split.X).sum() for split in data.splits.values()) == 1
    assert "X: 1 masked value counts as missing (NaN)" in data.remarks
    with pytest.raises(DataError, match=r"X: row 8 \(X\[7\]\), column 3 holds nan"):
        fit(Network([3, 2]), rows, np.arange(40) % 2, validation_data=(rows[:5], [0, 1, 0, 1, 0]), progress=False)
    y = np.ma.masked_array(np.arange(40) % 2, mask=np.arange(40) == 3)
    for call in (
        lambda: Dataset.from_arrays(rows.data, y),
        lambda: fit(Network([3, 2]), rows.data, y, progress=False),
        lambda: take_labels(y),
    ):
        with pytest.raises(DataError, match=r"y: row 4 \(y\[3\]\) is masked"):
            call()


def test_the_first_row_that_is_not_finite_is_named_as_it_is_counted():
    X = np.zeros((3000, 2, 2), np.float32)
    assert find_unusable(X) == find_unusable([[np.nan]]) == find_unusable(np.array([["a"]])) == ""
    X[2500, 1, 0], X[2501] = -np.inf, np.nan
    holds = "column 3 holds -inf, which is no finite number; replace or remove it"
    assert find_unusable(X) == f"X: row 2501 (X[2500]), {holds}"
    assert find_unusable(X[2400:], "X", 50) == f"X: row 151 (X[150]), {holds}"
    assert find_unusable(X, "validation rows") == f"validation rows: row 2501, {holds}"


@pytest.mark.parametrize("kind", ["csr", "csc", "coo"])
def test_sparse_rows_become_dense_and_that_is_said(kind):
    rows = scipy.sparse.csr_matrix(X).asformat(kind)
    assert is_sparse(rows)
    assert not is_sparse(X)
    np.testing.assert_array_equal(as_dense(rows), X)
    assert remark_on_dense(rows) == ("X: 4 x 3 sparse numbers are made dense, 96 bytes",)
    many = scipy.sparse.vstack([rows] * 10)
    data = Dataset.from_arrays(many, np.arange(40) % 2)
    assert data.train.X.shape == (29, 3)
    assert data.remarks[0] == "X: 40 x 3 sparse numbers are made dense, 960 bytes"


def test_sparse_rows_beyond_the_memory_are_refused_with_their_size(monkeypatch):
    rows = scipy.sparse.csr_matrix((1_000_000, 2000))  # 16 GB
    monkeypatch.setattr(dense, "available_memory", lambda: 31_000_000_000)
    with pytest.raises(DataError) as caught:
        as_dense(rows)
    assert str(caught.value) == (
        "X: 1,000,000 x 2,000 sparse numbers are 16.0 GB when dense, as training needs them, and 31.0 GB are "
        "free; take fewer columns or rows"
    )


def test_too_few_rows_say_so():
    assert remark_on_few(5, 1) == ()
    assert remark_on_few(4, 1) == ("4 rows to learn from and 1 for validation: too few to tell what is learned",)
    refuse_few("arrays", 30, 2)
    with pytest.raises(DataError, match="arrays: 3 rows are too few: of them, 1 is left to learn from"):
        Dataset.from_arrays(X[:3], [0, 1, 0])
    with pytest.raises(DataError, match="2 rows are too few"):
        fit(Network([3, 2]), X[:2], [0, 1], progress=False)
    run = fit(Network([3, 2]), X, [0, 1, 0, 1], epochs=1, progress=False)
    assert "3 rows to learn from and 1 for validation: too few to tell what is learned" in run.memory.data.remarks
