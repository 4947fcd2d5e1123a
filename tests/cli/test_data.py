"""``glassnet data show``."""

import pytest


def test_show_draws_and_counts(glassnet, here):
    record = glassnet("data", "show", "digits", "--per-class", 3, "--json").json
    assert record["picture"] == "digits.png"
    assert (here / "digits.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert [sum(counts) for counts in record["rows"].values()] == [1318, 120, 359]
    assert record["classes"] == [str(digit) for digit in range(10)]


def test_the_table_holds_the_same(glassnet):
    lines = glassnet("data", "show", "digits", "--out", "grid.png").out.splitlines()
    assert lines[0] == "data     digits"
    assert lines[-1].split() == ["all", "1318", "120", "359"]
    assert len(lines) == 3 + 1 + 1 + 10 + 1


def test_a_picture_is_not_overwritten_unasked(glassnet, here):
    (here / "digits.png").write_text("mine")
    answer = glassnet("data", "show", "digits")
    assert answer.code == 1
    assert answer.error == "digits.png: is already there; choose another with --out, or add --overwrite"
    assert (here / "digits.png").read_text() == "mine"
    assert glassnet("data", "show", "digits", "--overwrite").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["mnistt"], 2, "DATASET: unknown name 'mnistt'"),
        (["digits", "--per-class", "0"], 2, "--per-class: must be a whole number from 1 to 100"),
        (["digits", "--out", "no/where.png"], 1, "no/where.png: cannot be written"),
        (["digits", "--out", "/proc"], 1, "/proc: is no regular file"),
        (["fashion-mnist", "--data-dir", "nowhere"], 1, "nowhere: is no folder"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_line(glassnet, here, arguments, code, message):
    answer = glassnet("data", "show", *arguments)
    assert answer.code == code
    assert answer.error.startswith(message)
    assert not list(here.iterdir())
