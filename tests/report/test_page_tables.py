import numpy as np
from tests.loops import for_each

from glassnet.charts.confusion import Confusion
from glassnet.locales.catalogue import Words
from glassnet.report.error_analysis import Answer, Fit, LabelScore
from glassnet.report.page_tables import (
    MOST_EPOCHS,
    class_table,
    confusion_table,
    fit_table,
    history_table,
    label_table,
    mistake_table,
    probability,
)
from glassnet.training.history import EpochRecord, History
from glassnet.training.metrics import ClassScore

EN = Words("en")


def texts(table):
    return [[cell.text for cell in row] for row in table.cells]


def test_epochs_are_listed_with_the_columns_that_have_values():
    history = History()
    history.append(EpochRecord(1, 0.123456, None, None, None, 0.001, 0.25, 2, {"validation_mae": 2.0}))
    table = history_table(history, EN)
    assert table.header == ["epoch", "training loss", "learning rate", "seconds", "validation mean absolute error"]
    assert texts(table) == [["1", "0.1235", "0.001", "0.25", "2"]]


def test_of_many_epochs_every_so_many_and_the_last_are_listed():
    history = History()
    for epoch in range(1, 1002):
        history.append(EpochRecord(epoch, 1.0, 0.5, None, None, 0.1, 0.1, 1))
    table = history_table(history, EN)
    epochs = [int(row[0]) for row in texts(table)]
    assert len(epochs) <= MOST_EPOCHS + 1
    assert (epochs[0], epochs[1], epochs[-1]) == (1, 7, 1001)
    assert table.note == "One of 6 epochs, and the last one."
    few = History()
    for record in [*history][: MOST_EPOCHS + 1]:
        few.append(record)
    assert history_table(few, EN).note == "One of 2 epochs, and the last one."
    assert [int(row[0]) for row in texts(history_table(few, EN))] == list(range(1, MOST_EPOCHS + 2, 2))


def test_scores_of_classes_and_labels():
    table = class_table(
        [ClassScore("cat", 0.5, 0.25, 1 / 3, 1234, "dog", 900), ClassScore("dog", 1, 1, 1, 2, None, 0)], EN
    )
    assert texts(table) == [
        ["cat", "0.500", "0.250", "0.333", "1,234", "dog (900)"],
        ["dog", "1.000", "1.000", "1.000", "2", "–"],
    ]
    assert texts(label_table([LabelScore("red", None, 0.5, 0.75, None, 3)], EN)) == [
        ["red", "–", "0.500", "0.750", "–", "3"]
    ]


def test_right_is_shaded_as_right_and_wrong_as_wrong():
    table = confusion_table(Confusion(np.array([[75, 25], [0, 0]]), ["cat", "dog"]), EN)
    assert texts(table) == [["cat", "75", "25"], ["dog", "0", "0"]]
    assert [[cell.shade for cell in row[1:]] for row in table.cells] == [[0.75, -0.5], [0.0, 0.0]]
    assert not table.turned
    assert confusion_table(Confusion(np.eye(2, dtype=int), ["cat", "kangaroo"]), EN).turned


def test_many_classes_are_a_list_of_the_most_frequent_mistakes():
    n = 50
    confusion = 9 * np.eye(n, dtype=int)
    confusion[3, 7], confusion[8, 2] = 5, 6
    table = confusion_table(Confusion(confusion, [f"c{k}" for k in range(n)]), EN)
    assert texts(table) == [["c8", "c2", "6"], ["c3", "c7", "5"]]
    assert "50 classes" in table.note
    assert table.note.endswith(" 0 others, on 0 rows in all, are not listed.")
    confusion[20:45, 1] = 3
    table = confusion_table(Confusion(confusion, [f"c{k}" for k in range(n)]), EN)
    assert len(table.rows) == 20
    assert table.note.endswith(" 7 others, on 21 rows in all, are not listed.")


def test_mistakes_and_fits_are_numbers_of_their_own():
    assert texts(mistake_table([Answer(7, "cat", "dog", None, 2.5)], EN)) == [["8", "cat", "dog", "–", "2.5"]]
    exact = Fit("price", np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]))
    flat = Fit("size", np.array([1.0, 2.0]), np.array([5.0, 5.0]))
    assert texts(fit_table([exact, flat], EN)) == [
        ["price", "2", "2.8", "2", "3", "1.000"],
        ["size", "3.5", "3.9", "3.5", "4", "–"],
    ]


@for_each(
    "value, text", [(0.5, "50.0 %"), (0.99949, "99.9 %"), (0.9996, "> 99.9 %"), (1.0, "100.0 %"), (None, "–")]
)
def test_a_probability_is_no_certainty(value, text):
    assert probability(value, Words("en")) == text
    assert probability(value, Words("zh")) == text.replace(" %", "%")
