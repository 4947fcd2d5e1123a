import numpy as np
import pytest

from glassnet.charts.confusion import MOST_NAMES, MOST_NUMBERS, Confusion
from glassnet.charts.painting import figure_of

FOUND = Confusion(np.array([[8, 2, 0], [1, 9, 0], [0, 0, 0]]), ["cat", "dog", "$5"])


def test_a_cell_is_shaded_by_its_share_of_the_true_class():
    np.testing.assert_allclose(FOUND.shades[0], [0.8, -np.sqrt(0.2), 0])
    np.testing.assert_allclose(FOUND.shades[1], [-np.sqrt(0.1), 0.9, 0])
    np.testing.assert_allclose(FOUND.shades[2], 0)  # a class without rows
    assert repr(FOUND) == "Confusion(3 classes, 20 rows)"


def test_true_classes_go_downwards_and_predicted_ones_to_the_right():
    axes = FOUND.plot(figure_of(FOUND).add_subplot())
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog", r"\$5"]
    said = {text.get_position(): text.get_text() for text in axes.texts}
    assert (said[1, 0], said[0, 1], said[1, 1]) == ("2", "1", "9")  # across, down
    [image] = axes.images
    colours = image.get_array()
    assert colours[0, 0][2] > colours[0, 0][0]  # right is blue
    assert colours[0, 1][0] > colours[0, 1][2]  # wrong is orange
    assert colours[0, 1][3] == pytest.approx(0.8 * np.sqrt(0.2))
    assert colours[2, 2][3] == 0


def test_it_is_written_in_the_language_that_is_asked_for():
    chinese = Confusion(FOUND.counts, FOUND.names, "zh")
    assert figure_of(chinese).axes[0].get_title(loc="left") == "混淆矩阵"


@pytest.mark.parametrize("k", [MOST_NUMBERS + 1, MOST_NAMES + 1])
def test_many_classes_have_no_numbers_and_at_last_no_names(k):
    axes = figure_of(Confusion(np.eye(k, dtype=int), list(map(str, range(k))))).axes[0]
    assert not axes.texts
    assert (len(axes.get_yticklabels()) == k) == (k <= MOST_NAMES)
