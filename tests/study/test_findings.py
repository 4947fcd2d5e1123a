"""What the rows of a study show is gathered once: each part is what its own function says."""

from dataclasses import replace

import pytest
from tests.study.studies import done, points, small

from glassnet.errors import FileError
from glassnet.study.findings import gather_findings
from glassnet.study.likeness import compare_levels
from glassnet.study.recommendation import recommend
from glassnet.study.statistics import compare, summarise


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return small(points(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def rows(study, tmp_path_factory):
    return done(study, tmp_path_factory.mktemp("study"))


def test_all_parts_are_of_the_rows_in_the_order_of_the_study(study, rows, tmp_path):
    found = gather_findings(study, tmp_path, [replace(rows[0], seed=99), *reversed(rows)])
    assert (found.study, found.folder, found.missing, found.problem) == (study, tmp_path, 0, "")
    assert found.rows == rows
    assert found.summaries == summarise(rows, study.measure)
    assert found.comparisons == compare(rows, "base", study.measure)
    assert found.recommendation == recommend(rows, study.measure, study.levels())
    assert found.interaction_test is None
    assert found.fairness == compare_levels(study)


def test_where_nothing_can_be_recommended_it_is_said_why(study, rows, tmp_path):
    lost = [replace(row, status="diverged") for row in rows]
    found = gather_findings(study, tmp_path, lost[2:])
    assert (found.missing, found.comparisons, found.recommendation) == (2, [], None)
    with pytest.raises(Exception, match="rows: ") as why:
        recommend(lost[2:], study.measure, study.levels())
    assert found.problem == str(why.value)


def test_without_a_row_there_is_nothing_to_gather(study, tmp_path):
    with pytest.raises(FileError, match="study: holds no row of the study yet; run it first"):
        gather_findings(study, tmp_path / "study", [])
