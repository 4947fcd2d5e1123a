"""The lines in docs/scikit-learn.md do what was asked for."""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import is_regressor

PAGE = (Path(__file__).parents[1] / "docs" / "scikit-learn.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| ([^|]+) \| \[#(\d+)\]\(https://github\.com/scikit-learn/\S+/(\d+)\) \| `(.+)` \|$", PAGE, re.M
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def names():
    """Return what the programs of the page define."""
    pytest.importorskip("sklearn.callback")
    found = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for block in re.findall(r"^```python\n(.*?)^```$", PAGE, re.S | re.M):
            exec(block, found)
    return found


def test_thirty_requests_are_answered():
    assert len(ROWS) >= 30
    assert len({number for _, number, _, _ in ROWS}) == len(ROWS)
    assert all(number == linked for _, number, linked, _ in ROWS)


@pytest.mark.parametrize("line", [line for *_, line in ROWS], ids=[number for _, number, *_ in ROWS])
def test_a_line_does_what_it_says(line, names, capsys):
    result = eval(line, names)
    if not hasattr(result, "get_params"):
        assert all(np.isfinite(one).all() for one in map(np.asarray, result))
        return
    if not hasattr(result, "classes_"):
        if hasattr(result, "max_iter"):
            result.set_params(max_iter=3)
        result.fit(names["X"], names["y"])
    answers = result.predict(names["X"])
    assert len(answers) == 150
    assert np.isfinite(answers).all()
    assert is_regressor(result) or set(np.unique(answers)) <= {0, 1, 2}
