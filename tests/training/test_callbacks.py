from types import SimpleNamespace

import pytest

from glassnet.training.callbacks import Callback


@pytest.mark.parametrize("method", ["on_train_begin", "on_epoch_end", "on_train_end"])
def test_a_callback_that_overrides_nothing_ends_nothing(method):
    run = SimpleNamespace()  # with nothing to look at
    assert getattr(Callback(), method)(run) is None
    assert vars(run) == {}


def test_overriding_one_method_leaves_the_others():
    class Stop(Callback):
        def on_epoch_end(self, run):
            return "enough"

    stop = Stop()
    assert stop.on_train_begin(None) is None
    assert stop.on_epoch_end(None) == "enough"
    assert stop.on_train_end(None) is None
