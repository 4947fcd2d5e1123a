import pytest
from tests.study.studies import small

from glassnet.study.job import Job
from glassnet.study.progress import StudyProgress, row_line
from glassnet.study.results import Row

JOB = Job("optimizer=[sgd]", {}, 3, small(budget={"epochs": 7}, base={"data": {"dataset": "digits"}}).base,
          None, "one", "validation_accuracy")  # fmt: skip
ROW = Row("optimizer=[sgd]", {}, 3, "finished", {"validation_accuracy": 0.91234}, seconds=2.0)


def shown(progress):
    with progress.console.capture() as shown_text:
        progress.console.print(progress.table(), width=100)
    return [line.strip() for line in shown_text.get().splitlines()]


def test_lines_where_there_is_no_terminal(capsys):
    with StudyProgress(12, 3, "validation_accuracy", enabled=True) as progress:
        progress.epoch(JOB)
        progress.epoch(JOB, 2, 0.5)
        progress.finish(JOB, ROW)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", " 4/12  optimizer=[sgd], seed 3: validation accuracy 0.9123, 2.0 s\n")


def test_nothing_where_nothing_is_asked_for(capsys):
    with StudyProgress(12, 3, "validation_accuracy", enabled=False) as progress:
        progress.epoch(JOB)
        progress.finish(JOB, ROW)
        progress.say("something")
    assert capsys.readouterr() == ("", "")


def test_the_table_shows_what_is_at_work():
    progress = StudyProgress(12, 3, "validation_accuracy", enabled=False)
    progress.epoch(JOB)
    table = shown(progress)
    assert table[0].split() == ["variant", "seed", "epoch", "validation", "accuracy"]
    assert table[1].split() == ["optimizer=[sgd]", "3", "0/7"]
    assert table[-1] == "3 of 12 runs done"
    progress.epoch(JOB, 2, 0.98765)
    assert shown(progress)[1].split() == ["optimizer=[sgd]", "3", "2/7", "0.9877"]
    progress.finish(JOB, ROW)
    assert shown(progress)[1:] == ["4 of 12 runs done"]
    progress.drop(JOB)  # twice does no harm


@pytest.mark.parametrize(("variable", "colours"), [("NO_COLOR", False), ("FORCE_COLOR", True)])
def test_colours_are_the_users_choice(monkeypatch, variable, colours):
    monkeypatch.setenv(variable, "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    progress = StudyProgress(1, 0, "train_loss", enabled=False)
    assert progress.console.no_color is not colours


def test_a_run_is_a_line_with_its_outcome():
    assert (
        row_line(Row("base", {}, 0, "failed", {}, problem="killed"), "train_loss")
        == "base, seed 0: failed: killed"
    )
    row = Row("base", {}, 3, "finished", {"train_loss": 0.41234}, seconds=2.04)
    assert row_line(row, "train_loss") == "base, seed 3: train loss 0.4123, 2.0 s"
    assert row_line(Row("base", {}, 0, "finished", {}, seconds=1.0), "train_loss") == "base, seed 0: 1.0 s"
