from types import SimpleNamespace

import numpy as np
import pytest

from glassnet.errors import UsageError
from glassnet.nn.network import Network
from glassnet.training.callbacks import Callback
from glassnet.training.early_stopping import EarlyStopping
from glassnet.training.fit import fit
from glassnet.training.history import EpochRecord, History


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


@pytest.mark.parametrize(
    ("callbacks", "said"),
    [
        ([EarlyStopping(3)], "give it as early_stopping"),
        ([Callback], "got the class Callback; give an object"),
        ([print], "expected objects of glassnet.Callback, got <built-in function print>"),
        (Callback(), "expected a list of callbacks, got <"),
        (None, "expected a list of callbacks, got None"),
    ],
    ids=["early stopping", "class", "function", "no list", "none"],
)
def test_what_is_no_callback_is_refused_before_training(callbacks, said, tmp_path):
    network = Network([4, 3])
    before = network.theta.copy()
    with pytest.raises(UsageError, match=r"^callbacks: ") as caught:
        fit(network, np.eye(4).repeat(5, axis=0), np.arange(20) % 3, callbacks=callbacks, run_dir=tmp_path / "run")
    assert said in str(caught.value)
    assert (network.theta == before).all()
    assert not (tmp_path / "run").exists()


def test_what_is_no_network_is_refused():
    with pytest.raises(UsageError, match=r"^network: expected a Network, got list; make one"):
        fit([4, 8, 3], np.eye(4), np.arange(4) % 3)


def test_an_unknown_column_of_a_history_is_answered_with_those_that_there_are():
    history = History()
    assert history["val_loss"] == []
    history.append(EpochRecord(1, 0.4, 0.88, 0.3, 0.92, 0.001, 2.0, 1))
    with pytest.raises(KeyError, match="val_loss: is no column of the history; its columns are epoch, "):
        history["val_loss"]


@pytest.mark.parametrize("answer", [True, False, 0.5, np.float64(0.5), np.True_, ["stop"], np.array([1, 2])])
def test_an_answer_that_is_no_reason_is_refused_after_the_first_epoch(answer, tmp_path):
    class Answer(Callback):
        def on_epoch_end(self, run):
            return answer

    rows, labels = np.arange(80.0).reshape(40, 2), np.arange(40) % 2
    with pytest.raises(UsageError, match=r"on_epoch_end of Answer returned .*None to go on, or text"):
        fit(Network([2, 2]), rows, labels, callbacks=[Answer()], progress=False, run_dir=tmp_path / "run")
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 2  # its epoch is saved


def test_what_was_learned_is_saved_where_a_callback_ends_the_program(tmp_path):
    class Leave(Callback):
        def on_epoch_end(self, run):
            if len(run.history) == 3:
                raise SystemExit(1)

    rows, labels = np.arange(80.0).reshape(40, 2), np.arange(40) % 2
    with pytest.raises(SystemExit):
        fit(Network([2, 2]), rows, labels, callbacks=[Leave()], progress=False, run_dir=tmp_path / "run")
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 4
