"""What the rows of a study show is gathered once: each part is what its own function says."""

from dataclasses import replace

import pytest
from tests.study.studies import done, points, small

from glassnet.errors import FileError
from glassnet.study.findings import SAME_ROWS, SPLIT_BY_SEED, UNKNOWN_ROWS, fits, gather_findings
from glassnet.study.likeness import compare_levels
from glassnet.study.recommendation import recommend
from glassnet.study.results import Row
from glassnet.study.statistics import compare, summarise
from glassnet.training.run import load_data


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return small(points(tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def rows(study, tmp_path_factory):
    return done(study, tmp_path_factory.mktemp("study"))


def plain(folder, factors):
    """Return a study whose base leaves all options to the factors."""
    return small(base={"data": {"dataset": points(folder)}}, factors=factors)


def test_all_parts_are_of_the_rows_in_the_order_of_the_study(study, rows, tmp_path):
    found = gather_findings(
        study, tmp_path, [replace(rows[0], seed=99), *reversed(rows), replace(rows[1], levels={})]
    )
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


def test_the_margin_of_the_study_decides_and_the_rows_say_what_they_were_judged_on(study, rows, tmp_path):
    wide = replace(study, margin=0.9)
    found = gather_findings(wide, tmp_path, rows)
    assert (found.margin, found.recommendation.margin, found.split) == (0.9, 0.9, SPLIT_BY_SEED)
    assert {one.margin for one in found.comparisons} == {0.9}
    same = [replace(row, split="a") for row in rows]
    assert gather_findings(study, tmp_path, same).split == SAME_ROWS
    assert gather_findings(study, tmp_path, [replace(same[0], split=""), *same[1:]]).split == UNKNOWN_ROWS
    assert gather_findings(study, tmp_path, same).margin == 0.005


@pytest.mark.parametrize(
    ("factors", "level", "possible"),
    [
        ({"dropout": {"levels": [0.2, 0.4]}}, "0.8", True),
        ({"dropout": {"levels": [0.2, 0.4]}}, "1.2", False),
        ({"samples_per_epoch": {"levels": [0.5, 1.0]}}, "1.5", False),
        ({"batch_size": {"levels": [16, 32]}}, "64", True),
        ({"learning_rate": {"levels": [0.01, 0.1]}}, "1", True),
        ({"size": {"key": "network.layers", "levels": {"1": [64, 5, 10], "2": [64, 9, 10]}}}, "3", False),
    ],
)
def test_a_level_fits_if_its_option_takes_it(tmp_path, factors, level, possible):
    study = plain(tmp_path, factors)
    assert fits(study, load_data, next(iter(factors)), level) is possible


def test_no_level_beyond_its_option_is_advised(tmp_path):
    study = plain(tmp_path, {"dropout": {"levels": [0.4, 0.8]}})
    better = {"0.4": [0.5, 0.511, 0.52], "0.8": [0.9, 0.91, 0.92]}
    rows = [
        Row(name, {"dropout": level}, seed, "finished", {"validation_accuracy": value})
        for name, (level, line) in zip(("base", "dropout=0.8"), better.items(), strict=True)
        for seed, value in enumerate(line)
    ]
    three = replace(study, seeds=(0, 1, 2))
    assert [one.kind for one in recommend(rows, study.measure, study.levels()).next] == ["beyond"]
    assert gather_findings(three, tmp_path, rows).recommendation.next == []
