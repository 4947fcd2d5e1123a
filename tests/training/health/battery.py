"""Sick networks and healthy ones, on real data: what a diagnosis must say of them.

Run as a program, it trains all of them and prints the table of docs/health.md:

    GLASSNET_DATA=... python tests/training/health/battery.py
"""

import functools
import sys
import warnings
from collections import Counter
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

import glassnet as gn
from glassnet.data.array_schema import ArraySchema
from glassnet.data.splits import Split

SEEDS = (0, 1, 2)

#: What every network of the battery has, where a case does not say otherwise.
USUAL = {"epochs": 5, "samples_per_epoch": 6000, "batch_size": 64, "kernels": "numpy", "threads": 1}

#: Within so many points of accuracy of the best network of its layers and data, one is healthy.
NEAR = 0.03

#: Of networks that over-fit: the same few rows again and again.
FEW_ROWS = {"epochs": 60, "samples_per_epoch": 300, "sampling": "first", "batch_size": 32}

ONE, TWO, FOUR, EIGHT = [784, 128, 10], [784, 256, 128, 10], [784, *[64] * 4, 10], [784, *[50] * 8, 10]
DIGITS, NUMBER = [64, 32, 10], [784, 128, 1]


@dataclass(frozen=True)
class Case:
    """A network, and what is to be said of it; healthy without a kind."""

    layers: list
    network: dict
    options: dict
    kind: str = ""
    layer: int | None = None
    family: str = ""
    data: str = "fashion-mnist"

    def __str__(self):
        options = {"layers": self.layers[1:-1], **self.network, **self.options, "data": self.data}
        return f"{self.kind or 'healthy'}: " + ", ".join(f"{name} {value}" for name, value in options.items())


def sick(kind, layer, family, layers, data="fashion-mnist", **settings):
    """Build a case of a sick network."""
    return case(layers, kind, layer, family, data, **settings)


def case(layers, kind="", layer=None, family="", data="fashion-mnist", **settings):
    """Build a case; settings that `gn.Network` knows are the network's."""
    names = ("activation", "initializer", "bias_initializer", "batch_norm", "dropout", "loss", "output_activation")
    network = {name: settings.pop(name) for name in (*names, "output_scale") if name in settings}
    return Case(layers, network, settings, kind, layer, family, data)


SICK = [
    *(
        sick(
            *("duplicated-units", 1, "initializer", layers),
            activation=activation, initializer="zeros", data=data, epochs=30 if data == "digits" else 5,
        )
        for layers, activation, data in (
            (ONE, "relu", "fashion-mnist"),
            (TWO, "tanh", "fashion-mnist"),
            (ONE, "sigmoid", "fashion-mnist"),
            (DIGITS, "softplus", "digits"),
        )
    ),
    *(
        sick("unreachable-targets", 2, "output", NUMBER, loss="half_squared_error", **settings)
        for settings in (
            {"output_activation": "sigmoid"},
            {"output_activation": "tanh"},
            {"output_activation": "sigmoid", "optimizer": "sgd(0.01)", "activation": "tanh"},
            {"output_activation": "tanh", "output_scale": 2.0},
        )
    ),
    *(
        sick("unscaled-inputs", 1, "batch normalisation", layers, **settings)
        for layers, settings in (
            (TWO, {"data": "255", "optimizer": "sgd(0.1)"}),
            (TWO, {"data": "255", "activation": "tanh", "optimizer": "sgd(0.1)"}),
            (ONE, {"data": "1/1000", "activation": "tanh", "optimizer": "sgd(0.1)"}),
            (TWO, {"data": "1/1000", "optimizer": "sgd(0.1)"}),
        )
    ),
    sick("exploding-signal", 1, "initializer", TWO, initializer="uniform(-1, 1)"),
    sick("exploding-signal", 1, "initializer", FOUR, initializer="normal(0, 1)"),
    sick("exploding-signal", 1, "initializer", FOUR, activation="elu", initializer="uniform(-1, 1)"),
    sick("exploding-signal", 1, "initializer", TWO, activation="gelu", initializer="normal(0, 1)"),
    sick("exploding-signal", 1, "activation", TWO, activation="relu3", initializer="normal(0, 0.3)"),
    sick("saturated-units", 1, "initializer", TWO, activation="tanh", initializer="normal(0, 1)"),
    sick("saturated-units", 1, "initializer", FOUR, activation="tanh", initializer="uniform(-1, 1)", epochs=2),
    sick("saturated-units", 1, "initializer", FOUR, activation="sigmoid", initializer="normal(0, 1)", epochs=1),
    sick("saturated-units", 1, "initializer", FOUR, activation="sigmoid", bias_initializer="uniform(9, 10)"),
    sick("saturated-units", 1, "learning rate", TWO, activation="tanh", optimizer="adam(0.1)"),
    sick("saturated-units", 1, "learning rate", TWO, activation="tanh", optimizer="rmsprop(0.1)"),
    sick("saturated-units", 1, "learning rate", TWO, activation="sigmoid", optimizer="adam(1)"),
    sick("dead-units", 1, "learning rate", TWO, optimizer="adam(0.3)"),
    sick("dead-units", 1, "learning rate", TWO, optimizer="rmsprop(0.1)"),
    sick("dead-units", 1, "learning rate", TWO, optimizer="adam(0.1)", batch_size=128),
    sick("dead-units", 1, "initializer", TWO, bias_initializer="uniform(-10, -9)"),
    sick("dead-units", 1, "initializer", FOUR, bias_initializer="uniform(-6, -5)", optimizer="sgd(0.1)"),
    sick("vanishing-signal", 2, "initializer", TWO, initializer="normal(0, 0.001)", optimizer="sgd(0.1)"),
    sick("vanishing-signal", 2, "initializer", FOUR, activation="tanh", initializer="normal(0, 0.001)", epochs=2),
    sick("vanishing-signal", 2, "initializer", FOUR, initializer="normal(0, 0.001)", optimizer="sgd(0.1)"),
    sick("vanishing-signal", 2, "initializer", FOUR, activation="gelu", initializer="normal(0, 0.001)", epochs=1),
    sick("vanishing-gradients", 1, "batch normalisation", FOUR, activation="sigmoid", optimizer="sgd(0.1)"),
    sick("vanishing-gradients", 1, "batch normalisation", EIGHT, activation="sigmoid", optimizer="sgd(0.1)"),
    sick("vanishing-gradients", 1, "batch normalisation", EIGHT, activation="sigmoid", optimizer="adam"),
    sick("vanishing-gradients", 1, "batch normalisation", EIGHT, activation="sigmoid", optimizer="momentum(0.02)"),
    *(
        sick("oscillating-loss", None, "learning rate", layers, activation="identity", optimizer=optimizer)
        for layers, optimizer in (
            (TWO, "rmsprop(0.3)"),
            (FOUR, "rmsprop(0.1)"),
            (EIGHT, "rmsprop(0.1)"),
            (EIGHT, "adam(0.2)"),
        )
    ),
    sick("slow-learning", None, "learning rate", TWO, optimizer="adam(1e-6)"),
    sick("slow-learning", None, "learning rate", TWO, optimizer="sgd(1e-4)"),
    sick("slow-learning", None, "learning rate", ONE, activation="tanh", optimizer="adam(1e-6)"),
    sick("slow-learning", None, "learning rate", FOUR, activation="gelu", optimizer="adamw(1e-6)"),
    sick("divergence", 0, "learning rate", TWO, activation="identity", optimizer="sgd(5)"),
    sick("divergence", 0, "learning rate", TWO, activation="leaky_relu", optimizer="momentum(1)"),
    sick("divergence", 0, "learning rate", TWO, activation="gelu", optimizer="sgd(100)"),
    sick("divergence", 0, "initializer", FOUR, initializer="normal(0, 1)", optimizer="sgd(0.1)"),
    *(
        sick("over-fitting", None, "rows", layers, activation=activation, **FEW_ROWS)
        for layers, activation in ((TWO, "relu"), (ONE, "tanh"), (FOUR, "relu"), (ONE, "gelu"))
    ),
]  # fmt: skip

HEALTHY = [
    *(
        case(layers, activation=activation)
        for layers in (ONE, TWO)
        for activation in ("relu", "tanh", "leaky_relu", "elu", "gelu", "silu", "softplus")
    ),
    *(case(layers, initializer=name) for layers in (TWO, FOUR) for name in ("he_normal", "orthogonal")),
    *(case(layers, initializer="lecun_normal") for layers in (TWO, FOUR)),
    *(case(layers, batch_norm=True) for layers in (ONE, TWO, FOUR, EIGHT)),
    *(
        case(layers, batch_norm=True, activation=activation)
        for layers in (ONE, TWO)
        for activation in ("tanh", "elu", "gelu")
    ),
    *(
        case(layers, optimizer=optimizer)
        for layers in (ONE, TWO)
        for optimizer in (
            *("momentum(0.05)", "nesterov(0.03)", "rmsprop", "adamw", "adam(0.003)", "muon", "adagrad(0.03)"),
        )
    ),
    *(case(layers, optimizer="sgd(0.2)", batch_size=32) for layers in (ONE, TWO)),
    case(ONE, activation="sigmoid", optimizer="adam(0.01)"),
    case(TWO, activation="sigmoid", optimizer="adam(0.01)"),
    case(EIGHT, initializer="he_normal"),
    case(FOUR, activation="tanh"),
    case(TWO, dropout=0.1),
    case(TWO, label_smoothing=0.1),
    case(TWO, schedule="one_cycle", optimizer="adam(0.005)"),
    case(TWO, weight_decay=0.01, optimizer="adamw"),
    case(NUMBER, loss="half_squared_error"),
    case(NUMBER, loss="half_squared_error", activation="tanh"),
    case([784, 10]),
    case([784, 10], optimizer="sgd(0.1)", batch_size=32),
    case([784, 10], initializer="zeros"),
    *(
        case(DIGITS, data="digits", activation=activation, epochs=30, samples_per_epoch=None, batch_size=32)
        for activation in ("relu", "tanh", "elu")
    ),
]  # fmt: skip


@functools.cache
def data_of(name):
    """Load data once: Fashion-MNIST, also with inputs from 0 to 255 or a thousandth of the usual ones; digits."""
    if name == "digits":
        return gn.load_dataset("digits")
    if name == "fashion-mnist":
        return gn.load_dataset(name)
    data = data_of("fashion-mnist")
    factor = {"255": 1.0, "1/1000": 1 / 255_000}[name]
    rows = np.random.default_rng(0).permutation(len(data.train.y))[:6000]
    train = Split(data.train.X[rows] * np.float32(factor), data.train.y[rows])
    schema = replace(data.schema, input=ArraySchema.learn(train.X)[0])
    validation = Split(data.validation.X * np.float32(factor), data.validation.y)
    return replace(data, train=train, validation=validation, schema=schema)


def train(one, seed, changes=None):
    """Train a case's network, with changes of a remedy; return the run and its accuracy on validation rows.

    Of a network that regresses the class number, that of its rounded output.
    """
    data, network, options = data_of(one.data), dict(one.network), {**USUAL, **one.options}
    if data.name == "digits":
        options["samples_per_epoch"] = None
    for section, values in (changes or {}).items():
        (network if section == "network" else options).update(values)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", gn.HealthWarning)
            run = gn.fit(gn.Network(one.layers, **network, seed=seed), data, progress=False, **options)
    except gn.DivergenceError as error:
        return error.run, 0.0
    return run, accuracy(run.network, data)


def accuracy(network, data):
    """Return the share of validation rows that are right."""
    X, y = data.encoded.validation
    predicted = network.predict(X)
    return float(np.mean((predicted if network.layers[-1] > 1 else np.round(predicted)) == y))


def fault(one, run):
    """Say what is wrong with the diagnosis of a case, if anything."""
    found = [diagnosis for diagnosis in run.health.diagnoses if diagnosis.sick]
    if not one.kind:
        return f"sick: {found[0]}" if found else None
    if not found:
        return "not sick"
    first = found[0]
    family = first.remedy.family if first.remedy else ""
    layer = one.layer if one.layer != 0 else first.layer
    wanted = (one.kind, layer, one.family)
    return None if (first.kind, first.layer, family) == wanted else f"{first}  [{family}]"


@dataclass
class Outcome:
    """What came of a case with a seed."""

    case: Case
    seed: int
    named: str
    wrong: str | None
    accuracy: float
    remedied: float | None = None


def outcome(one, seed):
    """Train a case, and a sick one once more with its first remedy."""
    run, reached = train(one, seed)
    first = next((found for found in run.health.diagnoses if found.sick), None)
    remedied = None
    if one.kind and first is not None and first.remedy is not None:
        enough = replace(
            one, options={**one.options, "epochs": max(one.options.get("epochs", 0), USUAL["epochs"])}
        )
        remedied = train(enough, seed, first.remedy.changes)[1]
    return Outcome(one, seed, first.kind if first else "healthy", fault(one, run), reached, remedied)


def healthy_of(outcomes, choose):
    """Return the accuracy of the healthy networks of each data set and layers: `choose` max, or their median."""
    found = {}
    for one in outcomes:
        if not one.case.kind:
            found.setdefault((one.case.data, tuple(one.case.layers)), []).append(one.accuracy)
    chosen = {key: choose(values) for key, values in found.items()}
    for data, layers in [key for key in chosen if key[0] == "fashion-mnist"]:
        chosen |= {(other, layers): chosen[data, layers] for other in ("255", "1/1000")}
    return chosen


def reaches(one, accuracy, healthy):
    """Whether an accuracy is near that of the healthy networks of a case's data and layers."""
    return accuracy is not None and accuracy >= healthy[one.data, tuple(one.layers)] - NEAR


def main():
    """Train all of them and print two tables."""
    outcomes = []
    for one in [*HEALTHY, *SICK]:
        for seed in SEEDS:
            outcomes.append(outcome(one, seed))
            now = outcomes[-1]
            print(f"{now.case} [{seed}] {now.accuracy:.3f} {now.remedied} {now.wrong or ''}", file=sys.stderr)
    usual = healthy_of(outcomes, median)
    kinds = ["healthy", *dict.fromkeys(one.kind for one in SICK)]
    named = Counter((one.case.kind or "healthy", one.named) for one in outcomes)
    print("| is | networks | named so | named otherwise | remedy works |\n|---|---|---|---|---|")
    for kind in kinds:
        of_kind = [one for one in outcomes if (one.case.kind or "healthy") == kind]
        others = ", ".join(f"{n} {name}" for (is_, name), n in named.items() if is_ == kind and name != kind)
        mended = [one for one in of_kind if reaches(one.case, one.remedied, usual)]
        works = "" if kind == "healthy" else f"{len(mended)} of {len(of_kind)}"
        print(f"| {kind} | {len(of_kind)} | {named[kind, kind]} | {others or '-'} | {works} |")


if __name__ == "__main__":
    main()
