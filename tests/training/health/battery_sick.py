"""The sick networks of the battery, by their causes.

Each is clearly behind what a sound network of its layers reaches on the same rows, or on the rows as they are
scaled: that is measured. So a change of settings is known to help.
"""

from tests.training.health.battery_cases import (
    ANY,
    DIGITS,
    EIGHT,
    FOUR,
    NUMBER,
    ONE,
    TWO,
    classes,
    number,
    sick,
)
from tests.training.health.battery_rows import (
    as_it_is,
    built_in,
    clouds,
    coin,
    fashion,
    rows,
    scaled,
    signal,
    table,
)

BYTES, THOUSANDTHS = rows(fashion, factor=1), rows(fashion, factor=1 / 255_000)

#: The same few rows again and again.
FEW_ROWS = {"epochs": 100, "samples_per_epoch": 120, "sampling": "first", "batch_size": 16}

#: A rate that suits the small networks on made rows.
RATE = {"optimizer": "adam(0.005)", "epochs": 60}

BY_START = [
    *(
        sick(kind, layer, "initializer", layers, **settings)
        for kind, layer, layers, settings in (
            ("duplicated-units", 1, ONE, {"initializer": "zeros"}),
            ("duplicated-units", 1, TWO, {"initializer": "zeros", "activation": "tanh"}),
            ("duplicated-units", 1, ONE, {"initializer": "zeros", "activation": "sigmoid"}),
            ("exploding-signal", 1, TWO, {"initializer": "uniform(-1, 1)"}),
            ("exploding-signal", 1, FOUR, {"initializer": "normal(0, 1)"}),
            ("exploding-signal", 1, FOUR, {"initializer": "uniform(-1, 1)", "activation": "elu"}),
            ("exploding-signal", 1, TWO, {"initializer": "normal(0, 1)", "activation": "gelu"}),
            ("exploding-signal", 1, TWO, {"initializer": "normal(0, 0.3)", "activation": "relu3"}),
            ("saturated-units", 1, TWO, {"initializer": "normal(0, 1)", "activation": "tanh"}),
            ("saturated-units", 1, FOUR, {"initializer": "uniform(-1, 1)", "activation": "tanh", "epochs": 2}),
            ("saturated-units", 1, FOUR, {"initializer": "normal(0, 3)", "activation": "sigmoid", "epochs": 3}),
            ("saturated-units", 1, FOUR, {"bias_initializer": "uniform(9, 10)", "activation": "sigmoid"}),
            ("dead-units", 1, TWO, {"bias_initializer": "uniform(-10, -9)"}),
            ("dead-units", 1, FOUR, {"bias_initializer": "uniform(-6, -5)", "optimizer": "sgd(0.1)"}),
            ("vanishing-signal", 2, TWO, {"initializer": "normal(0, 0.001)", "optimizer": "sgd(0.1)"}),
            ("vanishing-signal", 2, FOUR, {"initializer": "normal(0, 0.001)", "activation": "tanh", "epochs": 2}),
            ("vanishing-signal", 2, FOUR, {"initializer": "normal(0, 0.001)", "optimizer": "sgd(0.1)"}),
            ("vanishing-signal", 2, FOUR, {"initializer": "normal(0, 0.001)", "activation": "gelu", "epochs": 1}),
            ("divergence", ANY, FOUR, {"initializer": "normal(0, 1)", "optimizer": "sgd(0.1)"}),
        )
    ),
    sick(
        *("duplicated-units", 1, "initializer", DIGITS, rows(built_in, name="digits")),
        **{"initializer": "zeros", "activation": "softplus", "epochs": 30},
    ),
    *(
        sick("vanishing-gradients", 1, "batch normalisation", layers, activation="sigmoid", optimizer=optimizer)
        for layers, optimizer in (
            (FOUR, "sgd(0.1)"),
            (EIGHT, "sgd(0.1)"),
            (EIGHT, "adam"),
            (EIGHT, "momentum(0.02)"),
        )
    ),
]

BY_RATE = [
    sick(kind, layer, "learning rate", layers, **settings)
    for kind, layer, layers, settings in (
        ("saturated-units", 1, TWO, {"activation": "tanh", "optimizer": "adam(0.1)"}),
        ("saturated-units", 1, TWO, {"activation": "tanh", "optimizer": "rmsprop(0.1)"}),
        ("saturated-units", 1, TWO, {"activation": "sigmoid", "optimizer": "adam(1)"}),
        ("dead-units", 1, TWO, {"optimizer": "adam(0.3)"}),
        ("dead-units", 1, TWO, {"optimizer": "rmsprop(0.1)"}),
        ("dead-units", 1, TWO, {"optimizer": "adam(0.1)", "batch_size": 128}),
        ("oscillating-loss", None, TWO, {"activation": "identity", "optimizer": "rmsprop(0.3)"}),
        ("oscillating-loss", None, FOUR, {"activation": "identity", "optimizer": "rmsprop(0.1)"}),
        ("oscillating-loss", None, EIGHT, {"activation": "identity", "optimizer": "rmsprop(0.1)"}),
        ("oscillating-loss", None, EIGHT, {"activation": "identity", "optimizer": "adam(0.2)"}),
        ("slow-learning", None, TWO, {"optimizer": "adam(1e-6)"}),
        ("slow-learning", None, TWO, {"optimizer": "sgd(1e-4)"}),
        ("slow-learning", None, ONE, {"activation": "tanh", "optimizer": "adam(1e-6)"}),
        ("slow-learning", None, FOUR, {"activation": "gelu", "optimizer": "adamw(1e-6)"}),
        ("divergence", ANY, TWO, {"activation": "identity", "optimizer": "sgd(5)"}),
        ("divergence", ANY, TWO, {"activation": "leaky_relu", "optimizer": "momentum(1)"}),
        ("divergence", ANY, TWO, {"activation": "gelu", "optimizer": "sgd(100)"}),
    )
]

BY_TARGETS = [
    sick("unscaled-targets", ANY, "targets", **number(rows(scaled, **place), **{**RATE, **settings}))
    for place, settings in (
        ({"shift": 1000.0}, {}),
        ({"shift": 1000.0}, {"hidden": (32, 16), "optimizer": "adam"}),
        ({"shift": 1e6, "factor": 1e3}, {}),
        ({"shift": 2005.0, "factor": 9.0}, {}),
        ({"shift": -300.0}, {"activation": "tanh"}),
        ({"shift": 2e5, "factor": 1e5}, {"hidden": (64, 32), "optimizer": "adam"}),
        ({"shift": 1000.0, "factor": 20.0}, {"hidden": (64, 32), "optimizer": "sgd(0.05)"}),
        ({"factor": 1e-3}, {"optimizer": "adam(0.03)", "epochs": 10}),
        ({"factor": 1e-5}, {"optimizer": "momentum(0.01)"}),
        ({"factor": 1e-6}, {}),
        ({"factor": 1e-30}, {}),
        ({"factor": 1e3}, {"optimizer": "adam"}),
        ({"factor": 1e6}, {}),
    )
]

BY_INPUTS = [
    *(
        sick("unscaled-inputs", 1, "inputs", TWO if layers == 2 else ONE, data, optimizer="sgd(0.1)", **settings)
        for data, layers, settings in (
            (BYTES, 2, {}),
            (BYTES, 2, {"activation": "tanh"}),
            (THOUSANDTHS, 2, {}),
            (THOUSANDTHS, 1, {"activation": "tanh"}),
        )
    ),
    *(
        sick("unscaled-inputs", 1, "inputs", **number(rows(scaled, columns=columns), **{**RATE, **settings}))
        for columns, settings in (
            ("year", {}),
            ("timestamp", {}),
            ("timestamp", {"batch_norm": True}),
            ("pressure", {}),
            ("pressure", {"activation": "tanh", "hidden": (32, 16)}),
            ("huge", {}),
            ("off-centre", {"optimizer": "sgd(0.01)"}),
            ("off-centre", {"activation": "tanh"}),
            ("tiny", {"optimizer": "sgd(0.01)"}),
            ("mixed", {}),
        )
    ),
    *(
        sick(
            "unscaled-inputs", 1, "inputs", **classes(rows(scaled, columns=name, classes=3), 3, columns=4, **RATE)
        )
        for name in ("year", "timestamp", "pressure", "mixed")
    ),
    *(
        sick("unscaled-inputs", 1, "inputs", layers, rows(as_it_is, name=name), epochs=60, **settings)
        for name, layers, settings in (
            ("wine", [13, 32, 3], {"optimizer": "sgd(0.01)"}),
            ("breast_cancer", [30, 32, 2], {"activation": "tanh", "optimizer": "sgd(0.1)"}),
        )
    ),
    *(
        sick(
            "outlying-inputs", 1, "inputs", **number(rows(scaled, columns=columns, **how), **{**RATE, **settings})
        )
        for columns, how, settings in (
            ("outliers", {}, {}),
            ("outliers", {}, {"hidden": (64, 32), "optimizer": "sgd(0.01)"}),
            ("lone", {"standardised": True}, {}),
            ("lone", {"standardised": True}, {"activation": "tanh"}),
        )
    ),
]

BY_PENALTY = [
    *(
        sick(kind, ANY, "regularisation", layers, **settings)
        for kind, layers, settings in (
            ("over-regularised", TWO, {"dropout": 0.95}),
            ("over-regularised", FOUR, {"dropout": 0.8}),
            ("over-regularised", ONE, {"l2": 1.0}),
            ("over-regularised", TWO, {"l1": 0.03}),
            ("over-regularised", TWO, {"weight_decay": 100.0, "optimizer": "adamw"}),
            ("over-regularised", TWO, {"max_norm": 0.02}),
            ("clipped", TWO, {"clip_norm": 1e-3, "optimizer": "sgd(0.1)"}),
            ("clipped", ONE, {"clip_value": 1e-6, "optimizer": "momentum(0.05)"}),
        )
    ),
    *(
        sick("over-regularised", ANY, "regularisation", **number(rows(scaled), **{**RATE, **settings}))
        for settings in ({"dropout": 0.97}, {"l2": 1.0}, {"l1": 0.3}, {"max_norm": 0.003}, {"weight_decay": 20.0})
    ),
    *(
        sick("over-regularised", ANY, "regularisation", **classes(rows(coin, c=0.85), **settings))
        for settings in ({"l2": 1.0}, {"l1": 0.3}, {"dropout": 0.95, "hidden": (16, 16)})
    ),
    sick("clipped", ANY, "regularisation", **number(rows(scaled), clip_norm=1e-3, optimizer="sgd(0.05)")),
]

BY_OUTPUT = [
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
        sick("unreachable-targets", 2, "output", **number(data, columns=columns, output_activation=name, **RATE))
        for data, columns, name in (
            (rows(scaled), 4, "relu"),
            (rows(scaled), 4, "softplus"),
            (rows(scaled), 4, "sigmoid"),
            (rows(scaled, shift=5.0), 4, "tanh"),
            (rows(signal, r2=0.9), 8, "sigmoid"),
        )
    ),
]

#: Rows by heart: the training loss falls, and what is learned does not hold.
BY_HEART = [
    *(
        sick("over-fitting", None, "rows", layers, activation=activation, **FEW_ROWS)
        for layers, activation in ((TWO, "relu"), (ONE, "tanh"), (FOUR, "relu"), (ONE, "gelu"))
    ),
    *(
        sick("over-fitting", None, "early stopping", **settings, optimizer="adam(0.003)")
        for settings in (
            number(rows(built_in, name="diabetes"), (128, 64), 10, epochs=300),
            number(rows(signal, r2=0.35, n=440), (128, 64), 8, epochs=200),
            number(rows(signal, r2=0.5, n=330), (256,), 8, epochs=300, batch_size=16),
            number(rows(signal, r2=0.6, outputs=2, n=330), (128, 64), 8, 2, epochs=200),
            number(rows(table, file="adult", target="age", n=800), (128, 64), 0, epochs=100),
            number(
                rows(table, file="diamonds", target="depth", n=800, drop=("x", "y", "z")), (128,), 0, epochs=100
            ),
            number(rows(table, file="adult", target="hours-per-week", n=1500), (128,), 0, epochs=100),
        )
    ),
]

#: Noise does not hide what is wrong.
IN_NOISE = [
    *(
        sick("slow-learning", None, "learning rate", **settings)
        for settings in (
            classes(rows(coin, c=0.75), optimizer="adam(1e-6)"),
            classes(rows(coin, c=0.7, classes=4), 4, optimizer="sgd(1e-5)"),
            classes(rows(clouds), 20, columns=10, optimizer="adam(1e-6)"),
            number(rows(signal, r2=0.5), columns=8, optimizer="sgd(1e-6)"),
        )
    ),
    *(
        sick(kind, layer, "initializer", **settings)
        for kind, layer, settings in (
            (
                *("duplicated-units", 1),
                classes(rows(clouds), 20, (32,), 10, initializer="zeros", activation="tanh"),
            ),
            (
                *("duplicated-units", 1),
                classes(rows(coin, c=0.8, rule="ring"), 2, (32,), initializer="zeros", activation="tanh", **RATE),
            ),
            ("dead-units", 1, classes(rows(coin, c=0.8), bias_initializer="uniform(-20, -19)")),
            (
                *("saturated-units", 1),
                classes(rows(clouds), 20, (32, 32), 10, initializer="normal(0, 10)", activation="tanh"),
            ),
            (
                *("exploding-signal", 1),
                classes(rows(clouds), 20, (32, 32, 32), 10, initializer="normal(0, 3)", epochs=10),
            ),
            (
                *("vanishing-signal", 1),
                classes(rows(clouds), 20, (32, 32), 10, initializer="normal(0, 1e-4)", optimizer="sgd(0.05)"),
            ),
        )
    ),
    *(
        sick(kind, ANY, "learning rate", **settings)
        for kind, settings in (
            ("dead-units", classes(rows(coin, c=0.8), 2, (16, 16), optimizer="adam(3)")),
            ("saturated-units", classes(rows(coin, c=0.8), 2, (32, 32), activation="tanh", optimizer="adam(3)")),
            ("divergence", number(rows(signal, r2=0.5), columns=8, optimizer="sgd(10)")),
            (
                "oscillating-loss",
                classes(rows(clouds), 20, (32,) * 4, 10, activation="identity", optimizer="rmsprop(0.3)"),
            ),
        )
    ),
    sick(
        *("vanishing-gradients", 1, "batch normalisation"),
        **classes(rows(clouds), 20, (32,) * 6, 10, activation="sigmoid", optimizer="sgd(0.1)", epochs=10),
    ),
]

SICK = [
    *BY_START,
    *BY_RATE,
    *BY_TARGETS,
    *BY_INPUTS,
    *BY_PENALTY,
    *BY_OUTPUT,
    *BY_HEART,
    *IN_NOISE,
]
