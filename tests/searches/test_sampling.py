import subprocess
import sys

import numpy as np
import pytest
from tests.searches.plain import SMALL

from glassnet.errors import FileError, UsageError
from glassnet.searches.sampling import TrialRecord, draw, measure_importance, mend_journal
from glassnet.searches.space import Choice, Numbers, space_of

DIMENSIONS = space_of(SMALL, {"data": {"dataset": "digits"}}).dimensions


def known(n):
    drawn = draw("random", 5, range(n), DIMENSIONS, [], True, {})
    return [(one, -((np.log10(one["learning_rate"]) - 0.5) ** 2)) for one in drawn.values()]


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_draw_depends_on_nothing_but_seed_number_and_what_is_known(sampler):
    before = known(16)
    every = draw(sampler, 3, range(16, 24), DIMENSIONS, before, True, {})
    assert every == draw(sampler, 3, range(16, 24), DIMENSIONS, before, True, {})
    half = {number: every[number] for number in range(16, 20)}
    assert draw(sampler, 3, range(16, 24), DIMENSIONS, before, True, half) == every
    assert draw(sampler, 4, range(16, 24), DIMENSIONS, before, True, {}) != every
    assert len({tuple(one.values()) for one in every.values()}) == 8


def test_tpe_goes_where_it_was_better():
    """Of many trials, of which those with a learning rate near 3 were best, it learns to draw there."""
    found = draw("tpe", 0, range(60, 84), DIMENSIONS, known(60), True, {})
    random = draw("random", 0, range(60, 84), DIMENSIONS, [], True, {})
    off = [
        np.mean([abs(np.log10(one["learning_rate"]) - 0.5) for one in some.values()]) for some in (found, random)
    ]
    assert off[0] < 0.6 * off[1]
    worse = draw("tpe", 0, range(60, 84), DIMENSIONS, known(60), False, {})
    assert np.mean([abs(np.log10(one["learning_rate"]) - 0.5) for one in worse.values()]) > off[0]


def test_the_parameter_that_decides_is_the_most_important():
    found = measure_importance(known(60), DIMENSIONS, True)
    assert next(iter(found)) == "learning_rate"
    assert found["learning_rate"] > 0.5
    assert sum(found.values()) == pytest.approx(1)
    assert measure_importance(known(9), DIMENSIONS, True) == {}


def test_the_record_keeps_what_was_drawn_and_what_came_of_it(tmp_path):
    path = tmp_path / "journal.log"
    dimensions = {"width": Numbers(4, 16, whole=True), "optimizer": Choice({"adam": "adam", "sgd": "sgd"})}
    record = TrialRecord(path, None, "one", True)
    for number, params in enumerate([{"width": 5, "optimizer": "adam"}, {"width": 16, "optimizer": "sgd"}] * 2):
        record.add(number, params, dimensions)
    record.report(0, 1, 0.5)
    record.end(0, 0.9, cut=False)
    record.report(1, 1, 0.25)
    record.end(1, 0.25, cut=True)
    record.end(2, None, cut=True)
    record.end(2, 0.5, cut=False)  # it has ended: nothing changes
    again = TrialRecord(path, None, "one", True)
    assert again.trials()[1] == {"width": 16, "optimizer": "sgd"}
    import optuna

    backend = optuna.storages.journal.JournalFileBackend(str(path))
    study = optuna.load_study(study_name="one", storage=optuna.storages.JournalStorage(backend))
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED", "FAIL", "RUNNING"]
    assert study.best_value == 0.9
    assert study.trials[1].intermediate_values == {1: 0.25}


def test_a_line_that_was_cut_off_is_taken_away(tmp_path):
    path = tmp_path / "journal.log"
    mend_journal(path)
    dimensions = {"width": Numbers(4, 16, whole=True)}
    record = TrialRecord(path, None, "one", True)
    record.add(0, {"width": 5}, dimensions)
    whole = path.read_bytes()
    record.add(1, {"width": 6}, dimensions)
    path.write_bytes(path.read_bytes()[:-9])
    again = TrialRecord(path, None, "one", True)
    assert path.read_bytes() == whole
    assert again.trials() == {0: {"width": 5}}
    again.add(1, {"width": 6}, dimensions)
    assert TrialRecord(path, None, "one", True).trials() == {0: {"width": 5}, 1: {"width": 6}}


def test_what_is_no_journal_or_no_database_is_named(tmp_path):
    path = tmp_path / "journal.log"
    path.write_text("something else\n" * 3)
    with pytest.raises(FileError, match=r"journal.log: is no journal of Optuna"):
        TrialRecord(path, None, "one", True)
    with pytest.raises(UsageError, match="storage: nonsense: cannot be opened"):
        TrialRecord(path, "nonsense://here", "one", True)


def test_without_optuna_it_is_said_how_to_install_it():
    code = (
        "import sys; sys.modules['optuna'] = None\n"
        "from glassnet.cli.main import main; sys.exit(main(['search', 'digits', '--trials', '2']))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr == 'glassnet: a search needs Optuna; install it with: pip install "glassnet[search]"\n'
