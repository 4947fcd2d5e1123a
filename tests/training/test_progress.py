import pytest

from glassnet.training.history import EpochRecord
from glassnet.training.progress import LINES, TrainingProgress, epoch_line


@pytest.mark.parametrize(
    ("record", "epochs", "line"),
    [
        (
            EpochRecord(3, 0.41, 0.8512, 0.43, 0.8466, 0.001, 2.04, 1),
            100,
            "epoch   3/100  loss 0.4100  accuracy 0.8512  validation loss 0.4300  accuracy 0.8466  2.0 s",
        ),
        (EpochRecord(1, 9999.5, None, None, None, 0.1, 0.06, 1), 1, "epoch 1/1  loss 9999.5000  0.1 s"),
        (
            EpochRecord(1, 12345.6, None, 1e30, None, 0.1, 0.0, 1),
            1,
            "epoch 1/1  loss 1.235e+04  validation loss 1e+30  0.0 s",
        ),
        (EpochRecord(2, 0.0, 1.0, None, None, 0.1, 0.0, 1), 2, "epoch 2/2  loss 0.0000  accuracy 1.0000  0.0 s"),
    ],
)
def test_an_epoch_is_one_line(record, epochs, line):
    assert epoch_line(record, epochs) == line


def run(epochs, *, enabled):
    with TrainingProgress(epochs, 3, enabled=enabled) as bar:
        for epoch in range(1, epochs + 1):
            for steps in (2, 1):
                bar.step(epoch, steps)
            bar.epoch(EpochRecord(epoch, 0.5, 0.25, None, None, 0.1, 1.0, 1))
    return bar


def test_nothing_is_printed_when_disabled(capfd):
    run(3, enabled=False)
    assert capfd.readouterr() == ("", "")


def test_every_epoch_of_a_short_run_is_printed_on_stderr_only(capfd):
    bar = run(3, enabled=True)
    out, err = capfd.readouterr()
    assert out == ""
    lines = [epoch_line(EpochRecord(epoch, 0.5, 0.25, None, None, 0.1, 1.0, 1), 3) for epoch in (1, 2, 3)]
    assert [line for line in err.splitlines() if line.strip()] == lines
    assert bar.steps_done == 9


def test_a_long_run_prints_about_twenty_lines_the_first_and_the_last_among_them(capfd):
    run(1001, enabled=True)
    lines = [line for line in capfd.readouterr().err.splitlines() if line.strip()]
    assert lines[0].startswith("epoch    1/1001")
    assert lines[1].startswith("epoch   51/1001")
    assert lines[-1].startswith("epoch 1001/1001")
    assert LINES <= len(lines) <= LINES + 2
