import json

import pytest
from tests.study.studies import small

from glassnet.errors import FileError
from glassnet.study.study_folder import StudyFolder


def test_a_new_folder_says_what_it_is(tmp_path):
    folder = StudyFolder(tmp_path / "new" / "study")
    with folder.hold(small()) as record:
        assert record["fingerprint"] == small().fingerprint()
        record["test_rows_opened"] = True
        folder.write(record)
    assert (folder.path / "study.toml").read_text() == small().text
    assert {path.name for path in folder.path.iterdir()} == {".lock", "runs", "rows", "study.toml", "study.json"}
    with folder.hold(small(seeds=[5])) as record:
        assert (record["test_rows_opened"], record["seeds"]) == (True, [5])


def test_what_is_left_of_a_cut_write_is_taken_away(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    with folder.hold(small()):
        (folder.path / "rows" / ".a.json.x.part").write_text("half")
    with folder.hold(small()):
        assert list((folder.path / "rows").iterdir()) == []


def test_a_folder_that_is_something_else_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with (
        pytest.raises(FileError, match="already holds files, and no study; choose another folder"),
        StudyFolder(tmp_path).hold(small()),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(FileError, match="is no folder"), StudyFolder(tmp_path / "notes.txt").hold(small()):
        pass
    with pytest.raises(FileError, match="cannot be made"), StudyFolder(tmp_path / "notes.txt" / "x").hold(small()):
        pass


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"seeds": [-1]}', '{"more": 1}', '{"layout": {"threads": 0}}']
)
def test_a_damaged_record_is_one_line(tmp_path, content):
    folder = StudyFolder(tmp_path / "study")
    with folder.hold(small()):
        pass
    (folder.path / "study.json").write_text(content)
    with pytest.raises(FileError, match=r"study\.json: is no record of a study"), folder.hold(small()):
        pass


def test_another_study_is_refused_before_anything_is_changed(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    with folder.hold(small()):
        pass
    before = (folder.path / "study.json").read_text()
    other = small(name="other", budget={"seconds": 3})
    with pytest.raises(FileError, match=r"holds another study or other settings \(small\)"), folder.hold(other):
        pass
    assert (folder.path / "study.json").read_text() == before
    assert json.loads(before)["name"] == "small"


def test_two_at_a_time_are_one_too_many(tmp_path):
    folder = StudyFolder(tmp_path / "study")
    with (
        folder.hold(small()),
        pytest.raises(FileError, match="is in use: another process trains in it; wait until it ends"),
        folder.hold(small()),
    ):
        pass
