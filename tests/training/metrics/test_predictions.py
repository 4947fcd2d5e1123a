import subprocess
import sys

import numpy as np
import pytest

from glassnet.data.splits import Split
from glassnet.errors import DataError
from glassnet.nn.network import BLOCK_ROWS, Network
from glassnet.training.metrics import RunningMetrics, evaluate, predict_rows


def echo(d, **options):
    """Return a network whose output is its input."""
    network = Network([d, d], initializer="zeros", dtype="float64", **options)
    network.W[0][:] = np.eye(d)
    return network


def test_a_mean_loss_is_weighted_by_rows_and_a_summed_one_is_not():
    y = np.array([0, 1])
    for reduction, expected in (("mean", (2.0 * 3 + 5.0 * 1) / 4), ("sum", 7.0)):
        metrics = RunningMetrics(Network([2, 2], loss=f"cross_entropy({reduction})"))
        metrics.add([2.0], np.array([[1, 0], [1, 0], [0, 1.0]]), y[[0, 1, 1]])
        metrics.add([5.0], np.array([[1.0, 0]]), y[[1]])
        assert metrics.loss == expected
        assert metrics.rows == 4
        assert metrics.accuracy == 2 / 4


def test_several_batches_at_once_are_counted_as_one_by_one():
    rng = np.random.default_rng(0)
    outputs, y, losses = rng.normal(size=(7, 2)), rng.integers(2, size=7), [2.0, 5.0, 11.0]
    for reduction in ("mean", "sum"):
        together, apart = (RunningMetrics(Network([2, 2], loss=f"cross_entropy({reduction})")) for _ in range(2))
        together.add(losses, outputs, y, batch_size=3)  # the last batch has one row
        for first, loss in zip((0, 3, 6), losses, strict=True):
            apart.add([loss], outputs[first : first + 3], y[first : first + 3])
        assert together.state_dict() == apart.state_dict()
        assert together.loss == ((2 * 3 + 5 * 3 + 11) / 7 if reduction == "mean" else 18)
        later = RunningMetrics(together.network)
        later.load_state_dict(together.state_dict())
        assert (later.loss, later.accuracy, later.rows) == (together.loss, together.accuracy, 7)


def test_a_single_sigmoid_output_is_a_class_from_one_half_up():
    network = Network([1, 1], loss="binary_cross_entropy", class_names=["no", "yes"])
    metrics = RunningMetrics(network)
    metrics.add([1.0], np.array([[-3.0], [-0.1], [0.1], [3.0]]), np.array([0, 1, 1, 0]))  # logits
    assert metrics.accuracy == 0.5


def test_a_single_output_that_regresses_the_class_number_is_rounded():
    network = Network([1, 1], loss="half_squared_error", class_names=list("abcdefghij"))
    metrics = RunningMetrics(network)
    metrics.add([1.0], np.array([[1.4], [2.6], [12.0], [-1.0]]), np.array([1, 2, 9, 0]))
    assert metrics.accuracy == 0.75


def test_the_labels_of_a_row_count_each_for_itself():
    metrics = RunningMetrics(Network([2, 2], loss="binary_cross_entropy"))
    logits = np.array([[3.0, -3.0], [0.0, 2.0]])
    metrics.add([1.0], logits, np.array([[1, 0], [1, 0]]))  # 0: a probability of one half, which counts as 1
    assert (metrics.accuracy, metrics.rows) == (3 / 4, 2)
    metrics.add([4.0], logits[:1], np.array([[0.0, 1.0]]))
    assert (metrics.accuracy, metrics.rows, metrics.loss) == (3 / 6, 3, (1.0 * 2 + 4.0) / 3)
    metrics.add([4.0], logits[:1], np.array([[0.5, 0.49]]))  # a label of one half counts as 1, too
    assert metrics.accuracy == 5 / 8
    network = echo(2, loss="binary_cross_entropy")
    assert evaluate(network, Split(logits, np.array([[1, 0], [1, 0]]))).accuracy == 3 / 4


def test_without_labels_there_is_no_accuracy():
    split = Split(np.array([[1.0], [2.0]]), np.array([2.0, 4.0]))
    numbers = predict_rows(echo(1, loss="half_squared_error"), split).running
    assert numbers.accuracy is None
    assert numbers.loss == (0.5 + 2) / 2
    # Rows of probabilities: a loss, but no labels to be right about.
    shares = predict_rows(echo(2), Split(np.zeros((3, 2)), np.full((3, 2), 0.5))).running
    assert shares.accuracy is None
    assert shares.loss == pytest.approx(np.log(2))
    # What has labels is counted apart from what has none.
    shares.add([0.0], np.eye(2), np.array([0, 0]))
    assert (shares.accuracy, shares.rows) == (0.5, 5)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_evaluate_counts_every_row_once_in_blocks_of_any_size(reduction):
    # The second block is short and has another loss: blocks averaged without weights would give 2.5 and 0.5.
    n = BLOCK_ROWS + 100
    X = np.where(np.arange(n) < BLOCK_ROWS, 1.0, 3.0)[:, None]
    network = echo(1, loss=f"half_squared_error({reduction})", class_names=["zero", "one"])
    y = np.zeros(n, int)
    y[:BLOCK_ROWS:2] = 1
    before = network.fingerprint()
    metrics = evaluate(network, Split(X, y))
    rows = 0.5 * (X[:, 0] - y) ** 2
    assert metrics.loss == pytest.approx(rows.mean() if reduction == "mean" else rows.sum(), rel=1e-12)
    assert metrics.accuracy == (BLOCK_ROWS // 2) / n
    assert metrics.rows == n
    assert network.fingerprint() == before


def test_evaluate_refuses_rows_that_do_not_fit():
    with pytest.raises(DataError, match="the data have 3 columns"):
        evaluate(echo(2), Split(np.zeros((4, 3)), np.zeros(4, int)))
    with pytest.raises(DataError, match="outside the classes"):
        evaluate(echo(2), Split(np.zeros((4, 2)), np.full(4, 2)))


def test_evaluate_takes_any_pair_and_wants_a_label_for_each_row():
    network = Network([3, 2])
    pair = ([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [0, 1])
    assert evaluate(network, pair).rows == 2
    with pytest.raises(DataError, match=r"^y: 1 targets for 3 rows of X"):
        evaluate(network, Split(np.eye(3), np.array([0])))


def test_what_training_measures_by_default_and_most_metrics_need_no_scikit_learn():
    code = """
import sys
import numpy as np
from glassnet.nn.network import Network
from glassnet.training.metrics import measure, predict_rows
classes = predict_rows(Network([2, 2]), (np.eye(2), np.array([0, 1])))
measure(classes, ["loss", "accuracy", "balanced_accuracy", "f1", "log_loss"])
measure(predict_rows(Network([2, 1], loss="half_squared_error"), (np.eye(2), np.array([0.5, 1]))), ["r2", "mae"])
print([name for name in ("sklearn", "scipy") if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
