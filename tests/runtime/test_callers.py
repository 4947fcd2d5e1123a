"""Whoever is warned sees his own line, whatever door he came through."""

import inspect
import linecache
import re
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import glassnet as gn
from glassnet.errors import FileError, HealthWarning
from glassnet.nn.network import NetworkWarning
from glassnet.training.callbacks import Callback
from glassnet.training.run_folder import RunFolder

PICTURES = np.random.default_rng(0).integers(0, 256, (60, 4, 4)).astype(np.uint8)
LABELS = np.arange(60) % 2
SHARES = PICTURES / 255
QUIET = {"epochs": 1, "progress": False, "kernels": "numpy"}


@pytest.fixture(scope="module")
def model():
    return gn.fit(gn.Network([16, 4, 2]), PICTURES, LABELS, **QUIET).model


@pytest.fixture(scope="module")
def table_model(tmp_path_factory):
    file = tmp_path_factory.mktemp("table") / "table.csv"
    pl.DataFrame({"a": np.arange(60.0), "b": np.arange(60) % 7, "answer": LABELS}).write_csv(file)
    return gn.fit(gn.Network([2, 4, 2]), gn.load_dataset(file, target="answer"), **QUIET).model


class Failing(Callback):
    """A callback whose file cannot be written."""

    def on_epoch_end(self, run):
        raise FileError(Path("log.csv"), "is full")

    on_train_end = on_epoch_end


def warned(call, category):
    """Call, and return the places that warnings of a category point at; at least one is given."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    places = [(one.filename, one.lineno) for one in caught if one.category is category]
    assert places
    return places


def check(call, category=gn.DataWarning):
    """Every warning points at the line of a lambda here: the only line of it."""
    first = inspect.getsourcelines(call)[1]
    assert set(warned(call, category)) == {(__file__, first)}


def test_rows_that_are_converted_are_warned_of_where_the_user_gives_them(model):
    check(lambda: model.predict(SHARES))
    check(lambda: model.predict_proba(SHARES))
    check(lambda: model.outputs(SHARES))
    check(lambda: model.encode_rows(SHARES))
    check(lambda: model.score(SHARES, LABELS))
    check(lambda: model.evaluate(SHARES, LABELS))
    check(lambda: gn.evaluate(model, SHARES, LABELS))
    check(lambda: gn.evaluate(model, (SHARES, LABELS)))


def test_a_file_is_warned_of_where_the_user_names_it(table_model, tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("a,b,more,answer\n1,2,x,0\n50,,y,1\n")
    check(lambda: table_model.predict(file))
    check(lambda: table_model.predict_proba(file))
    check(lambda: table_model.score(file))
    check(lambda: table_model.evaluate(file))


def test_a_network_warns_where_it_is_asked():
    network = gn.Network([2, 2])
    network.scaled_inputs = True
    raw = np.full((40, 2), 500.0)
    check(lambda: network.predict(raw), NetworkWarning)
    check(lambda: network.predict_proba(raw), NetworkWarning)


def test_training_warns_where_it_was_begun(monkeypatch, tmp_path):
    network, X = gn.Network([16, 4, 2]), PICTURES / np.float32(255)
    run = gn.fit(network, X, LABELS, **QUIET)
    check(lambda: gn.fit(network, X, LABELS, **QUIET), UserWarning)  # the same batches again
    check(lambda: gn.fit(gn.Network([16, 4, 2]), X, LABELS, callbacks=[Failing()], **QUIET), UserWarning)
    check(lambda: run.resume(epochs=2, callbacks=[Failing()], progress=False), UserWarning)

    alike = gn.Network([16, 4, 2], initializer="zeros")
    check(lambda: gn.fit(alike, X, LABELS, batch_size=10, **QUIET), HealthWarning)

    def fail(*_):
        raise FileError(tmp_path, "is full")

    monkeypatch.setattr(RunFolder, "save_health", fail)
    folder = tmp_path / "run"
    check(lambda: gn.fit(gn.Network([16, 4, 2]), X, LABELS, run_dir=folder, **QUIET), UserWarning)


def test_a_callback_of_the_user_is_where_its_own_calls_are_warned_of(model):
    class Asks(Callback):
        def on_epoch_end(self, run):
            model.predict(SHARES)

    places = warned(
        lambda: gn.fit(gn.Network([16, 4, 2]), SHARES, LABELS, callbacks=[Asks()], **QUIET), gn.DataWarning
    )
    assert places == [(__file__, inspect.getsourcelines(Asks.on_epoch_end)[1] + 1)]


def test_nothing_in_the_package_counts_its_own_frames():
    package = Path(gn.__file__).parent
    counting = [
        path for path in package.rglob("*.py") if re.search(r"warnings\.warn\(|stacklevel", path.read_text())
    ]
    # the text of exported modules, which do without the package
    exported = package / "export" / "python_columns.py"
    assert set(counting) == {package / "runtime" / "callers.py", exported}


def test_in_a_notebook_a_warning_is_its_sentence_without_the_line_of_the_cell():
    text = "from glassnet.runtime.callers import warn_caller\nwarn_caller('the sentence', FutureWarning)\n"
    for name in ("/tmp/ipykernel_12/345.py", "<ipython-input-3-ab12>"):
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            exec(compile(text, name, "exec"), {"__name__": "__main__"})
        [one] = caught
        said = warnings.formatwarning(one.message, one.category, one.filename, one.lineno)
        assert said == "cell:2: FutureWarning: the sentence\n"
