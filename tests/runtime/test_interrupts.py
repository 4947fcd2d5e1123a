import os
import signal
import subprocess
import sys
import threading

import pytest

from glassnet.runtime.interrupts import GracefulInterrupts

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture
def handlers():
    """Handlers of our own for both signals, so that no test can end the whole run; a list of what reached them."""
    reached = []
    before = {number: signal.signal(number, lambda number, _: reached.append(number)) for number in SIGNALS}
    yield reached
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_noted_and_the_second_acts(handlers, number):
    with GracefulInterrupts() as interrupts:
        assert interrupts.signal is None
        os.kill(os.getpid(), number)
        assert interrupts.signal is number
        assert handlers == []
        os.kill(os.getpid(), signal.SIGINT)
        assert handlers == [signal.SIGINT]
        assert interrupts.signal is number


def test_handlers_are_restored_whatever_happens(handlers):
    before = [signal.getsignal(number) for number in SIGNALS]

    def fail():
        with GracefulInterrupts():
            assert [signal.getsignal(number) for number in SIGNALS] != before
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert [signal.getsignal(number) for number in SIGNALS] == before
    with GracefulInterrupts():
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(number) for number in SIGNALS] == before
    os.kill(os.getpid(), signal.SIGTERM)
    assert handlers == [signal.SIGTERM]


def test_a_context_can_be_used_after_a_signal_again(handlers):
    for _ in range(2):
        with GracefulInterrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.signal is signal.SIGINT
    assert handlers == []


def test_another_thread_changes_nothing(handlers):
    before = [signal.getsignal(number) for number in SIGNALS]
    seen = []

    def work():
        with GracefulInterrupts() as interrupts:
            seen.append(([signal.getsignal(number) for number in SIGNALS], interrupts.signal))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(before, None)]


def test_the_second_ctrl_c_ends_a_real_process_at_once():
    script = (
        "import time\n"
        "from glassnet.runtime.interrupts import GracefulInterrupts\n"
        "with GracefulInterrupts() as interrupts:\n"
        "    print('ready', flush=True)\n"
        "    while interrupts.signal is None: time.sleep(0.01)\n"
        "    print('noted', flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "noted\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert said.strip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT


def test_a_signal_that_is_ignored_stays_ignored(handlers):
    """A shell has its background jobs ignore SIGINT: Ctrl-C in front must not end them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with GracefulInterrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.signal is None
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
