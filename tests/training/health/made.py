"""Vitals, histories, trials and evidence made by hand: those of a sound network, but for what a test says."""

import json

import numpy as np

from glassnet.nn.network import Network
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.training.health.evidence import Baseline, Evidence
from glassnet.training.health.learnable import Rows, Sample
from glassnet.training.health.trials import Trials
from glassnet.training.health.vitals import LayerVitals, Probe, Vitals
from glassnet.training.history import EpochRecord
from glassnet.training.options import TrainingConfig

#: A loss of 1 for the best constant answer, and of 0 for right ones: what is left unlearned is the loss.
CONSTANT = Baseline(answer=(0.25,), loss=1.0, floor=0.0, low=-1.0, high=1.0)

#: The same of two classes, of which the best constant answer gives four in ten a wrong one.
CLASSES = Baseline(answer=(0.6, 0.4), loss=1.0, floor=0.0, low=0.0, high=1.0, wrong=0.4)

INPUTS = np.array([[0.0, 1.0], [1.0, 0.0], [-1.0, 0.0], [0.0, -1.0]])


def layer(number=1, units=4, **others):
    """Return a sound layer."""
    sound = {
        "dead": (), "saturated": (), "duplicated": (), "flat_share": 0.125,
        "pre_activation_mean": 0.0, "pre_activation_spread": 1.0, "activation_mean": 0.25,
        "activation_spread": 0.5, "weight_norm": 2.0, "gradient_norm": 0.5, "update_ratio": 0.005,
    }  # fmt: skip
    return LayerVitals(number, units, **sound | others)


def vitals(step=100, loss=0.6, *, first=(), second=(), outputs=(0.5,), output_spread=0.5, wrong=None, layers=None):
    """Return what is measured of a network of two hidden layers; `first` and `second` are of these."""
    update = {"update_ratio": None} if step == 0 else {}
    if layers is None:
        layers = layer(1, **update | dict(first)), layer(2, **update | dict(second)), layer(3, 1, **update)
    return Vitals(step, loss, outputs, output_spread, wrong, tuple(layers))


def network(activation="tanh", *, layers=(2, 4, 4, 1), **options):
    """Return the network that the vitals are of."""
    options = {"loss": "half_squared_error", "dtype": "float64", "seed": 0} | options
    return Network(list(layers), activation, **options)


def history(train_losses, validation_losses=None, **columns):
    """Return a record for each loss; columns are lists."""
    n = len(train_losses)
    columns = {"validation_loss": validation_losses or [None] * n} | columns
    plain = {
        "train_accuracy": None,
        "validation_accuracy": None,
        "learning_rate": 0.1,
        "seconds": 1.0,
        "threads": 1,
    }
    return [
        EpochRecord(
            **plain | {"epoch": k + 1, "train_loss": train_losses[k]} | {name: c[k] for name, c in columns.items()}
        )
        for k in range(n)
    ]


def costs(cost, n=100):
    """Return what answers cost: as much for each row, or half of the rows as much more as the others less."""
    cost, apart = cost if isinstance(cost, tuple) else (cost, 0.0)
    return cost + apart * np.tile([1.0, -1.0], n // 2)


def trials(ended, reference=0.2, *, after=(), constant=1.0, steps=300, taken=100, new=40, learned=200, loss=None):
    """Return trials whose outcomes are known: `after` are pairs of changes and what answers then cost.

    The best constant answer costs 1, so that answers gain 1 less what they cost.
    """
    net = network() if loss is None else network(loss=loss)
    rows, more = (Rows(np.zeros((n, 2)), np.zeros((n, 1)), np.ones(n)) for n in (learned, 100))
    sample = Sample(net.loss, rows, more, new)
    vars(sample).update(constant=costs(constant), reference=costs(reference))
    optimizer = OPTIMIZERS.resolve("sgd(0.1)")
    found = Trials(net, None, TrainingConfig(), optimizer, sample, step_rows=32, taken=taken, ended=costs(ended))
    found.steps = steps
    found.known = {json.dumps(changes, sort_keys=True): costs(cost) for changes, cost in after}
    found._try = _refuse
    return found


def _refuse(changes):
    raise AssertionError(f"a trial of {changes} was not expected")


def evidence(*seen, optimizer="sgd(0.1)", net=None, X=INPUTS, trials=None, stable_rate=None, **others):
    """Return evidence with these vitals; before a single one there is a sound start."""
    net = network() if net is None else net
    seen = seen if len(seen) > 1 else (vitals(0, 1.0), *seen)
    rule = OPTIMIZERS.resolve(optimizer)
    training = others.pop("training", {})
    options = {"history": (), "baseline": CONSTANT, "step_rows": 32, "drawn": 400, "rows": 400} | others
    found = Evidence(
        network=net,
        training=TrainingConfig(optimizer=rule.spec, **training),
        optimizer=rule,
        vitals=seen,
        probe=Probe(net, X, np.zeros((len(X), net.layers[-1]))),
        open_trials=None if trials is None else lambda: trials,
        **options,
    )
    if stable_rate is not None:
        vars(found)["stable_rate"] = stable_rate
    return found
