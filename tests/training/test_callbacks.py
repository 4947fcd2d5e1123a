import inspect
from dataclasses import fields
from types import SimpleNamespace

import pytest

from glassnet.training import callbacks
from glassnet.training.callbacks import Callback, Running
from glassnet.training.loop import Run


def test_a_run_is_what_callbacks_are_promised():
    assert {field.name: field.type for field in fields(Run)} == Running.__annotations__


def test_the_protocol_does_not_know_the_loop():
    assert "training.loop import" not in inspect.getsource(callbacks)


@pytest.mark.parametrize("method", ["begin", "epoch", "end"])
def test_a_callback_that_overrides_nothing_ends_nothing(method):
    run = SimpleNamespace()  # with nothing to look at
    assert getattr(Callback(), method)(run) is None
    assert vars(run) == {}


def test_overriding_one_method_leaves_the_others():
    class Stop(Callback):
        def epoch(self, run):
            return "enough"

    stop = Stop()
    assert stop.begin(None) is None
    assert stop.epoch(None) == "enough"
    assert stop.end(None) is None
