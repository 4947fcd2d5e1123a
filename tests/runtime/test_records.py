import errno
import json
import math
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from glassnet.errors import FileError
from glassnet.runtime import records
from glassnet.runtime.records import (
    Count,
    Counts,
    Measured,
    Number,
    Place,
    Real,
    Seconds,
    check_plain,
    parse_toml,
    read_json,
    read_record,
)


@dataclass(frozen=True)
class Walk:
    """A record."""

    steps: tuple[Count, ...]
    length: Number = 0.0
    tracks: Place = 1


def refused(function, *arguments):
    with pytest.raises(FileError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return caught.value.problem


def read(path):
    return read_json(path, Walk, "record of a walk", "walk again")


def test_a_record_is_what_was_written(tmp_path):
    path = tmp_path / "walk.json"
    path.write_text('{"steps": [1, 2], "length": 3}')
    assert read(path) == Walk((1, 2), 3.0)
    assert read_record(path) == path.read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("[]", "input should be an object, got []"),
        ("{}", "steps: is missing"),
        ('{"steps": [1, -2]}', "steps.1: input should be greater than or equal to 0, got -2"),
        ('{"steps": [true]}', "steps.0: input should be a valid integer, got True"),
        ('{"steps": ["1"]}', "steps.0: input should be a valid integer, got '1'"),
        (
            '{"steps": [1.5]}',
            "steps.0: input should be a valid integer, got 1.5",
        ),
        ('{"steps": [9007199254740993]}', "steps.0: input should be less than or equal to 9007199254740992"),
        ('{"steps": [], "length": NaN}', "expected value at line 1 column 25"),
        ('{"steps": [], "length": 1e999}', "length: input should be a finite number, got inf"),
        ('{"steps": [], "tracks": 0}', "tracks: input should be greater than or equal to 1, got 0"),
        ('{"steps": ["one\\ntwo"]}', r"steps.0: input should be a valid integer, got 'one\ntwo'"),
        ('{"steps": ' + "[" * 100 + "]" * 100 + "}", "it is nested more than 64 levels deep"),
        ("[" * 10_000 + "]" * 10_000, "recursion limit exceeded at line 1 column 20"),
        (
            '{"steps": [], "more": {' + ",".join(f'"{n}": 0' for n in range(10_001)) + "}}",
            "a table has more than 10,000",
        ),
        ('{"steps": [], "more": 1' + "0" * 30 + "}", "a whole number has more than 64 bits"),
    ],
)
def test_what_is_no_record_is_refused_with_the_place_and_the_value(tmp_path, text, said):
    path = tmp_path / "walk.json"
    path.write_text(text)
    problem = refused(read, path)
    assert problem.startswith(f"is no record of a walk: {said}")
    assert problem.endswith("; walk again")


def test_of_a_long_value_only_the_ends_are_shown(tmp_path):
    (tmp_path / "walk.json").write_text(json.dumps({"steps": ["x" * 10_000]}))
    assert len(refused(read, tmp_path / "walk.json")) < 200


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = ", "Invalid value (at end of document)"),
        ("a = " + "[" * 10_000, "it is nested more than 64 levels deep"),
        (".".join("a" * 100) + " = 1", "it is nested more than 64 levels deep"),
        (".".join("a" * 1_000_000) + " = 1", "it is nested more than 64 levels deep"),  # at once, not in hours
        ("a = 1" + "0" * 30, "a whole number has more than 64 bits"),
        ("a = 1" + "0" * 5000, "Exceeds the limit"),
    ],
)
def test_what_is_no_toml_is_refused(tmp_path, text, said):
    assert refused(parse_toml, tmp_path / "a.toml", text).startswith(f"is no TOML file: {said}")


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Count, [True, "1", 1.0, -1, 2**53 + 1, None]),
        (Counts, [[1, "2"], [-1], "12", None]),
        (Place, [0, "1"]),
        (Number, ["1", True, math.nan, math.inf, None]),
        (Real, ["1", True, None]),
        (Measured, ["1", True]),
        (Seconds, [-1.0, 1e13, math.nan, "1"]),
    ],
)
def test_a_value_of_another_kind_is_never_taken_for_one(kind, values):
    for value in values:
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(value)


def test_what_json_has_no_number_for_is_measured_all_the_same():
    assert math.isnan(TypeAdapter(Measured).validate_python(None))
    assert TypeAdapter(Measured).validate_python(math.inf) == math.inf
    assert TypeAdapter(Counts).validate_python([0, 2]) == (0, 2)


def test_text_that_no_file_can_hold_is_refused():
    check_plain({"a": ["b", 2**62, -(2**62), None, 0.5, {"c": True}]})
    check_plain(2**128 - 1, bits=129)
    for bad in ("\ud800", ["\ud800"], {"\ud800": 1}, 2**64, -(2**64)):
        with pytest.raises(ValueError):  # noqa: PT011 (Unicode's errors are of that kind)
            check_plain(bad)


def test_what_is_no_regular_file_is_neither_read_nor_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "endless"):
        assert refused(read, path) == "is not a regular file"


def test_what_cannot_be_read_says_why(tmp_path, monkeypatch):
    assert refused(read, tmp_path / "missing") == "cannot be read: No such file or directory"
    (tmp_path / "loop").symlink_to("loop")
    assert refused(read, tmp_path / "loop") == "cannot be read: Too many levels of symbolic links"
    (tmp_path / "text").write_bytes(b"a\xff")
    assert refused(read, tmp_path / "text") == "is no text in UTF-8: invalid start byte at byte 1"

    def denied(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert refused(read, tmp_path / "text") == "cannot be read: Permission denied"


def test_a_record_without_end_is_refused_unread(tmp_path, monkeypatch):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(records.MOST_BYTES + 1)
    monkeypatch.setattr(Path, "open", None)
    assert refused(read, tmp_path / "large").startswith("is larger than any that glassnet writes")
    assert stat.S_ISREG((tmp_path / "large").stat().st_mode)
