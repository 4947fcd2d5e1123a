"""The errors themselves."""

import pickle
from signal import SIGINT

import pytest

from glassnet.errors import DataError, FileError, UsageError, nearest_name
from glassnet.nn.network import Network
from glassnet.training.config import RunConfig
from glassnet.training.history import History
from glassnet.training.options import DataConfig
from glassnet.training.results import DivergenceError, Interrupted, Run

RUN = Run(Network([2, 2]), History(), RunConfig(data=DataConfig(dataset="digits")), None)


@pytest.mark.parametrize(
    "error",
    [
        UsageError("epochs", "must be more"),
        FileError("a.gz", "is damaged"),
        DataError("too few"),
        DivergenceError("epoch 1: too far", RUN),
        Interrupted(RUN, SIGINT),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_cross_from_one_process_to_another(error):
    """An exception that cannot be unpickled breaks a whole pool of workers."""
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert set(vars(again)) == set(vars(error))


@pytest.mark.parametrize(
    ("name", "cutoff", "nearest"),
    [
        ("Leaky-ReLU", 0.6, "leaky_relu"),
        ("LEAKYRELU", 1.0, "leaky_relu"),
        ("tahn", 0.7, "tanh"),
        ("tahn", 0.8, None),
        ("softmax", 0.6, None),
    ],
)
def test_the_nearest_name_is_found_whatever_its_capitals_and_hyphens(name, cutoff, nearest):
    assert nearest_name(name, iter(["leaky_relu", "relu", "tanh"]), cutoff) == nearest


@pytest.mark.parametrize(
    "error", [FileError("f", "a\n  b\r\nc"), UsageError("f", "a\nb \n\n c"), DataError("f: a\nb\nc")]
)
def test_an_error_is_one_line(error):
    assert str(error) == "f: a b c"


def test_of_a_long_error_the_beginning_and_the_end_are_shown():
    said = str(FileError("f", "begun " + "x" * 10_000 + " take another"))
    assert len(said) < 2010
    assert said.startswith("f: begun xxx")
    assert said.endswith("xxx take another")
    assert str(FileError("f", "x" * 1900)) == "f: " + "x" * 1900
