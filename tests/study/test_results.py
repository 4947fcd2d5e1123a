from dataclasses import replace

import pytest

from glassnet.errors import FileError
from glassnet.locales.catalogue import Message
from glassnet.study.results import Row, finite, read_row, read_rows, write_row
from glassnet.training.health.diagnosis import Diagnosis

ROW = Row(
    "optimizer=sgd(0.1)",
    {"optimizer": "sgd(0.1)"},
    3,
    "finished",
    {"train_loss": 0.1 + 0.2},
    seconds=1.5,
    parameters=10,
    flops=1e9,
    weights="ab",
    order="cd",
    folder="runs/x",
    health=[Diagnosis("dead-units", True, Message("causes.dead-by-weights", initializer="zeros"), 1).to_dict()],
)


def test_a_row_is_read_as_it_was_written(tmp_path):
    write_row(tmp_path / "row.json", ROW)
    assert read_row(tmp_path / "row.json") == ROW


def test_rows_of_a_folder(tmp_path):
    (tmp_path / "rows").mkdir()
    rows = [replace(ROW, seed=seed) for seed in range(3)]
    for row in rows:
        write_row(tmp_path / "rows" / f"{row.seed}.json", row)
    assert read_rows(tmp_path) == rows


NO_NUMBER = ROW.to_json().replace('"seed": 3', '"seed": "3"')
UNHEARD_OF = ROW.to_json().replace("dead-by-weights", "unheard-of")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("[]", "input should be an object, got []"),
        ("{}", "variant: is missing"),
        (NO_NUMBER, "seed: input should be a valid integer, got '3'"),
        (
            ROW.to_json().replace('"seed": 3', '"seed": -3'),
            "seed: input should be greater than or equal to 0",
        ),
        (ROW.to_json().replace('"status": "finished"', '"status": "done"'), "status: string should match pattern"),
        (
            ROW.to_json().replace('"seconds": ', '"seconds": -'),
            "seconds: input should be greater than or",
        ),
        (UNHEARD_OF, "health: cause: no sentence can be made of "),
    ],
)
def test_what_is_no_row_is_refused_with_one_line(tmp_path, content, said):
    path = tmp_path / "row.json"
    path.write_text(content)
    with pytest.raises(FileError) as caught:
        read_row(path)
    assert str(caught.value).startswith(f"{path}: is no row of a study: {said}")
    assert str(caught.value).endswith("; remove it, and its run is done again")
    assert "\n" not in str(caught.value)


def test_a_row_that_is_not_there(tmp_path):
    with pytest.raises(FileError, match="cannot be read"):
        read_row(tmp_path / "row.json")


def test_what_is_no_number_is_not_known():
    measures = {"a": 1, "b": None, "c": float("nan"), "d": float("-inf"), "e": -2.5}
    assert finite(measures) == {"a": 1.0, "e": -2.5}
