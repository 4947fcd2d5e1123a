import numpy as np

from glassnet.training.history import EpochRecord, History
from glassnet.training.learning_curves import curve_of


def history(losses, accuracies=None):
    found = History()
    for epoch, loss in enumerate(losses, start=1):
        accuracy = accuracies[epoch - 1] if accuracies else None
        found.append(EpochRecord(epoch, loss, accuracy, None, None, 0.1, 1.0, 1))
    return found


def test_several_runs_are_their_mean_with_a_band_from_the_lowest_to_the_highest():
    curve = curve_of("seeds", [history([1.0, 0.5]), history([3.0, 0.7]), history([2.0, 0.6, 0.1])], "train_loss")
    assert curve.x == (1.0, 2.0)  # all of them have two epochs
    np.testing.assert_allclose(curve.mean, (2.0, 0.6))
    assert (curve.low, curve.high) == ((1.0, 0.5), (3.0, 0.7))


def test_one_run_has_no_band_and_a_column_without_values_no_curve():
    one = history([1.0, 0.5])
    assert curve_of("training", [one], "train_loss").low is None
    assert curve_of("validation", [one], "validation_loss") is None
    assert curve_of("auc", [one], "validation_auc") is None
    assert curve_of("nothing", [], "train_loss") is None
