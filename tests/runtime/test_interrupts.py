import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from glassnet.runtime.interrupts import BURST, GracefulInterrupts

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
        os.kill(os.getpid(), number)  # at once, as `timeout` does, which tells a process and then its group
        assert interrupts.signal is number
        assert handlers == []
        time.sleep(BURST)
        os.kill(os.getpid(), number)
        assert handlers == [number]
        assert interrupts.signal is number


def test_a_terminal_that_closes_after_a_signal_hastens_nothing(handlers):
    with contextlib.suppress(KeyboardInterrupt), GracefulInterrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(BURST)
        os.kill(os.getpid(), signal.SIGHUP)
        assert interrupts.signal is signal.SIGTERM
        raise KeyboardInterrupt
    assert handlers == []


def test_handlers_are_restored_whatever_happens(handlers):
    before = [signal.getsignal(number) for number in SIGNALS]

    def fail():
        with GracefulInterrupts():
            assert [signal.getsignal(number) for number in SIGNALS] != before
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert [signal.getsignal(number) for number in SIGNALS] == before
    os.kill(os.getpid(), signal.SIGTERM)
    assert handlers == [signal.SIGTERM]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_nobody_acted_on_acts_when_the_outermost_context_ends(handlers, number):
    for _ in range(2):  # each time anew
        with GracefulInterrupts() as outer:
            assert outer.signal is None
            with GracefulInterrupts() as inner:
                os.kill(os.getpid(), number)
            assert (outer.signal, inner.signal, handlers) == (number, number, [])
            with GracefulInterrupts() as later:
                assert later.signal is number
        assert handlers == [number]
        handlers.clear()
    with contextlib.suppress(KeyboardInterrupt), GracefulInterrupts():
        os.kill(os.getpid(), number)
        raise KeyboardInterrupt  # as `Interrupted` is one
    assert handlers == []


def test_long_work_is_left_at_once_and_the_signal_waits_on(handlers):
    with contextlib.suppress(KeyboardInterrupt), GracefulInterrupts() as interrupts:
        assert interrupts.attempt(lambda: "done", lambda: "left") == "done"
        assert interrupts.attempt(lambda: os.kill(os.getpid(), signal.SIGTERM), lambda: "left") == "left"
        assert interrupts.signal is signal.SIGTERM
        assert interrupts.attempt(lambda: "done", lambda: "left") == "left"
        raise KeyboardInterrupt
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


def run_script(script, *signals):
    """Run a script; after each line that it prints send it the next signal. Return its code, and stderr."""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for number in signals:
            assert process.stdout.readline()
            time.sleep(BURST)
            process.send_signal(number)
        _, said = process.communicate(timeout=20)
    return process.returncode, said


WAIT = """
import time
from glassnet.runtime.interrupts import GracefulInterrupts, raising_signals
def wait():
    with GracefulInterrupts() as interrupts:
        print('ready', flush=True)
        while interrupts.signal is None: time.sleep(0.01)
        print('noted', flush=True)
        time.sleep(60)
"""


def test_the_second_ctrl_c_ends_a_real_process_at_once():
    code, said = run_script(WAIT + "wait()", signal.SIGINT, signal.SIGINT)
    assert said.strip().endswith("KeyboardInterrupt")
    assert code == -signal.SIGINT


@pytest.mark.parametrize("number", [*SIGNALS, signal.SIGHUP])
def test_in_a_command_the_second_signal_ends_it_without_a_word(number):
    second = signal.SIGINT if number == signal.SIGHUP else number
    assert run_script(WAIT + "with raising_signals(): wait()", number, second) == (-second, "")


#: What a command does, and ends with: the code of its signal, where `SignalReceived` reaches its end.
COMMAND = """
import sys, time, weakref
from glassnet.runtime.interrupts import GracefulInterrupts, exit_code, raising_signals
class Thing:
    pass
def command():
    {}
with raising_signals():
    try:
        command()
    except KeyboardInterrupt as stop:
        sys.stderr.write(str(stop))
        sys.exit(exit_code(stop))
"""


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    "work",
    [
        "print(1, flush=True); time.sleep(60)",
        # the callback of a reference: Python ignores exceptions in it
        "thing = Thing(); kept = weakref.ref(thing, lambda _: (print(1, flush=True), time.sleep(9))); del thing"
        "\n    time.sleep(60)",
        # a library that drops all errors
        "\n    try: print(1, flush=True); time.sleep(60)\n    except BaseException: time.sleep(60)",
        "\n    with GracefulInterrupts(): print(1, flush=True); time.sleep(1)\n    time.sleep(60)",
    ],
    ids=["outside", "callback", "dropped", "late"],
)
def test_a_signal_ends_a_command_also_where_its_exception_is_lost(work, number):
    name = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
    assert run_script(COMMAND.format(work), number) == (128 + number, f"stopped by {name}")


def test_a_signal_that_is_ignored_stays_ignored(handlers):
    """A shell has its background jobs ignore SIGINT: Ctrl-C in front must not end them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with GracefulInterrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.signal is None
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
