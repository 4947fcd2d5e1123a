"""What is compiled ahead of need is all that later trainings compile."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet.errors import FileError, UsageError
from glassnet.nn.activations import ACTIVATIONS
from glassnet.nn.losses import LOSSES
from glassnet.runtime.compilation import compile_pointer, measure_cache
from glassnet.training import preparation
from glassnet.training.components import Components
from glassnet.training.config import configure
from glassnet.training.preparation import prepare
from glassnet.training.run import build_network, run
from glassnet.training.trainer import Trainer

PLANS = list((Path(gn.__file__).parent / "training" / "plans").glob("*.toml"))
TRAININGS = list(preparation._list_trainings())


def test_every_formula_and_plan_is_prepared_once():
    names = [name for name, _, _ in TRAININGS]
    assert len(set(names)) == len(names)
    assert {f"the activation {name}" for name in ACTIVATIONS} <= set(names)
    assert {f"the loss {name}" for name in LOSSES} <= set(names)
    optimizers = {name.removeprefix("the optimizer ") for name in names if "optimizer" in name}
    assert {"adam", "sgd", "rmsprop"} < optimizers
    assert not optimizers & {"muon", "kfac", "lbfgs"}  # no loop can be written for them
    assert len(PLANS) == sum("the plan" in name for name in names)
    assert {"the plan best for fashion-mnist", "the plan fast for fashion-mnist"} < set(names)


def test_each_is_a_training_that_can_be_begun():
    opened = 0
    for _, config, data in TRAININGS:
        plain = configure({"training": {"kernels": "numpy"}}, config)
        with Trainer.open(build_network(plain, data), data, plain, Components.build(plain.training)) as trainer:
            opened += trainer.total_steps > 0
    assert opened == len(TRAININGS) > 20


SOURCE = "def half(n, x):\n    numbers = carray(x, n)\n    numbers[0] = 0.5 * numbers[0]\n"


@pytest.fixture
def small_trainings(monkeypatch):
    """Trainings, two of which need the same function, and nothing else."""

    @contextmanager
    def opened(network, *_):
        text = SOURCE.replace("half", f"half_{network.activations[0].name}")
        compile_pointer.__wrapped__(text, text[4:].partition("(")[0], ("intp", "float32*"))
        yield

    names = ("every training", "the activation relu", "the activation tanh")
    chosen = [training for training in TRAININGS if training[0] in names]
    monkeypatch.setattr(preparation, "_list_trainings", lambda: chosen)
    monkeypatch.setattr(preparation.Trainer, "open", opened)
    text = SOURCE.replace("half", "predict")
    compile_predict = compile_pointer.__wrapped__
    monkeypatch.setattr(
        preparation, "compile_layers", lambda dtype: compile_predict(text, "predict", ("intp", f"{dtype}*"))
    )


def test_what_was_compiled_is_told_and_counted_and_not_compiled_again(small_trainings):
    told = []
    first = prepare(told.append)
    assert told == [
        "compiling for every training",
        "compiling for the activation tanh",
        "compiling for predictions",
    ]
    assert (first.compiled, first.there, first.bytes) == (3, 0, measure_cache()[1])
    assert first.seconds > 0
    again = prepare(told.append)
    assert (again.compiled, again.there, again.bytes) == (0, 3, first.bytes)
    assert len(told) == 3


def test_a_cache_that_keeps_nothing_is_refused(monkeypatch):
    @contextmanager
    def opened(*_):
        yield

    monkeypatch.setattr(preparation.Trainer, "open", opened)
    with pytest.raises(FileError, match="compiled: cannot be written, so compiled code is not kept"):
        prepare()
    monkeypatch.setattr(preparation, "vector_bytes", lambda: 0)
    with pytest.raises(UsageError, match=r"prepare: compiles nothing here: .* fused multiply-adds"):
        prepare()
    monkeypatch.setattr(preparation, "numba_version", lambda: None)
    with pytest.raises(UsageError, match=r"prepare: .*pip install 'glassnet\[fast\]'"):
        prepare()


@pytest.mark.slow
def test_trainings_with_registered_formulas_and_plans_compile_nothing_more():
    prepare()
    count = measure_cache()[0]
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (200, 784), np.uint8), np.arange(200) % 10
    for activation, optimizer in (("gelu", "nesterov"), ("relu", gn.Adam(0.01)), ("softplus", "adagrad")):
        net = gn.Network([784, 30, 20, 10], activation=activation)
        gn.fit(net, X, y, optimizer=optimizer, epochs=1, kernels="numba", progress=False)
    plan = configure(
        {"training": {"epochs": 1, "batch_size": 50, "kernels": "numba"}}, gn.load_plan("fashion-mnist", "fast")
    )
    run(plan, gn.Dataset.from_arrays(X, y, X[:20], y[:20]), progress=False)
    assert measure_cache()[0] == count
    assert prepare().compiled == 0
