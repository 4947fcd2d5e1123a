"""The healthy networks of the battery, and those that are not to blame; by their rows."""

from tests.training.health.battery_cases import (
    DIGITS,
    EIGHT,
    FOUR,
    NUMBER,
    ONE,
    STOPPING,
    TWO,
    case,
    classes,
    number,
)
from tests.training.health.battery_rows import (
    built_in,
    clouds,
    coin,
    drift,
    fashion,
    labels,
    leak,
    one_class,
    rare,
    rows,
    scaled,
    signal,
    table,
)

ON_PICTURES = [
    *(
        case(TWO, activation=activation)
        for activation in ("relu", "tanh", "leaky_relu", "elu", "gelu", "silu", "softplus")
    ),
    *(case(ONE, activation=activation) for activation in ("relu", "tanh", "gelu")),
    *(case(layers, initializer=name) for layers in (TWO, FOUR) for name in ("he_normal", "orthogonal")),
    *(case(layers, batch_norm=True) for layers in (ONE, TWO, FOUR, EIGHT)),
    *(case(TWO, batch_norm=True, activation=activation) for activation in ("tanh", "elu", "gelu")),
    *(
        case(ONE, optimizer=optimizer)
        for optimizer in (
            *("momentum(0.05)", "nesterov(0.03)", "rmsprop", "adamw", "adam(0.003)", "muon", "adagrad(0.03)"),
        )
    ),
    *(case(layers, optimizer="sgd(0.2)", batch_size=32) for layers in (ONE, TWO)),
    case(TWO, activation="sigmoid", optimizer="adam(0.01)"),
    case(EIGHT, initializer="he_normal"),
    case(FOUR, activation="tanh"),
    case(TWO, dropout=0.3),
    case(TWO, label_smoothing=0.1),
    case(TWO, schedule="one_cycle", optimizer="adam(0.005)"),
    case(TWO, weight_decay=0.01, optimizer="adamw"),
    case(ONE, max_norm=2.0),
    case(ONE, clip_norm=1.0),
    case(NUMBER, loss="half_squared_error"),
    case(NUMBER, loss="half_squared_error", activation="tanh"),
    case([784, 10]),
    case([784, 10], initializer="zeros"),
    *(
        case(DIGITS, rows(built_in, name="digits"), activation=activation, epochs=30, batch_size=32)
        for activation in ("relu", "tanh", "elu")
    ),
]

ON_NOISE = [
    *(
        case(**classes(rows(coin, c=c), optimizer=optimizer, **STOPPING))
        for c, optimizer in (
            (0.65, "adam"),
            (0.65, "adam(0.01)"),
            (0.65, "momentum(0.1)"),
            (0.7, "sgd(0.1)"),
            (0.7, "rmsprop(0.003)"),
            (0.75, "muon(0.005)"),
            (0.8, "adam(0.0003)"),
            (0.85, "nesterov(0.05)"),
        )
    ),
    *(
        case(**classes(rows(coin, c=0.6, n=26400), 2, hidden, optimizer=optimizer, batch_size=256, epochs=10))
        for hidden, optimizer in (((8,), "adam(0.003)"), ((8,), "momentum(0.02)"), ((), "adam(0.003)"))
    ),
    case(**classes(rows(coin, c=0.7), 2, (32, 16), dropout=0.2, epochs=15)),
    case(**classes(rows(coin, c=0.7), 2, (32,), batch_norm=True, **STOPPING)),
    case(**classes(rows(coin, c=0.65), 2, (), optimizer="sgd(0.1)")),
    case(**classes(rows(coin, c=0.8, n=1100), 2, (), optimizer="adam(0.01)", batch_size=32)),
    case(**classes(rows(coin, c=0.8, rule="ring", n=13200), 2, (32,), optimizer="adam(0.005)", epochs=15)),
    case(**classes(rows(coin, c=0.75, rule="corners", columns=4), 2, (32,), optimizer="adam(0.01)", epochs=30)),
    case(**classes(rows(coin, c=0.6, classes=4), 4, **STOPPING)),
    case(**classes(rows(coin, c=0.75, classes=6), 6, optimizer="momentum(0.05)")),
    *(
        case(**classes(rows(clouds, classes=count, spread=spread, n=n), count, (64,), 10, **settings))
        for count, spread, n, settings in (
            (20, 0.8, 4000, {"optimizer": "adam(0.003)"}),
            (20, 1.0, 4000, {"activation": "tanh"}),
            (50, 0.8, 5000, {"epochs": 40}),
            (100, 0.9, 10000, {"epochs": 30, "optimizer": "adam(0.003)"}),
        )
    ),
    *(
        case(**classes(rows(rare, share=share), **settings))
        for share, settings in (
            (0.2, {}),
            (0.1, {"optimizer": "adam(0.003)"}),
            (0.05, {"optimizer": "momentum(0.05)"}),
            (0.05, {"class_weight": "balanced"}),
            (0.03, {"epochs": 40}),
        )
    ),
    case([8, 32, 3], rows(labels), loss="binary_cross_entropy", optimizer="adam(0.003)"),
    *(
        case(**number(rows(signal, r2=r2), columns=8, optimizer=optimizer, **STOPPING))
        for r2, optimizer in (
            (0.2, "adam"),
            (0.2, "sgd(0.05)"),
            (0.35, "adam(0.003)"),
            (0.35, "momentum(0.02)"),
            (0.5, "rmsprop"),
            (0.5, "muon(0.005)"),
        )
    ),
    case(**number(rows(signal, r2=0.3), columns=8, weight_decay=0.1, optimizer="adamw")),
    case(**number(rows(signal, r2=0.4, rule="wave", n=8800), (64,), 8, optimizer="adam(0.005)", **STOPPING)),
    case([8, 32, 1], rows(signal, r2=0.4, noise="heavy"), loss="huber", **STOPPING),
    case([8, 32, 1], rows(signal, r2=0.4, noise="heavy"), loss="absolute_error", **STOPPING),
    case(**number(rows(signal, r2=0.3, noise="uneven"), columns=8, **STOPPING)),
    case(**number(rows(signal, r2=0.35, outputs=3), (32,), 8, 3, **STOPPING)),
    case(ONE, rows(fashion, noise=0.3)),
    case(TWO, rows(fashion, noise=0.5)),
    case(ONE, rows(fashion, noise=0.6), activation="tanh"),
]


def on_table(file, target, outputs, hidden=(32,), options=None, **settings):
    """Build a case on a table, or on a set of scikit-learn.

    No outputs stand for a number, two for two classes by a single output; the columns are counted later.
    """
    data = rows(table, file=file, target=target, **(options or {})) if target else rows(built_in, name=file)
    loss = {0: "half_squared_error", 2: "binary_cross_entropy"}.get(outputs, "cross_entropy")
    return case([0, *hidden, 1 if outputs in (0, 2) else outputs], data, loss=loss, **settings)


ADULT, DIAMONDS, HOUSES = "adult", "diamonds", "california-housing"

ON_TABLES = [
    on_table(ADULT, "income", 2, **STOPPING),
    on_table(ADULT, "income", 2, (64, 32), dropout=0.2, epochs=15),
    on_table(ADULT, "income", 2, options={"missing": 0.15}, epochs=10),
    on_table(ADULT, "income", 2, options={"n": 1200}, epochs=10, optimizer="adam(0.003)"),
    on_table(ADULT, "income", 2, (), {"judged_by": "auc"}, optimizer="sgd(0.1)"),
    on_table(ADULT, "gender", 2, epochs=10),
    on_table(ADULT, "age", 0, options={"drop": ("fnlwgt",)}, epochs=15, **STOPPING),
    on_table(ADULT, "hours-per-week", 0, epochs=15, **STOPPING),
    on_table(ADULT, "marital-status", 7, options={"drop": ("relationship",)}, epochs=10),
    on_table(ADULT, "occupation", 15, options={"missing": 0.02}, epochs=8),
    on_table(DIAMONDS, "price", 0, (64,), optimizer="adam(0.005)"),
    on_table(DIAMONDS, "price", 0, (64,), {"missing": 0.1}, optimizer="adam(0.003)", epochs=40),
    on_table(DIAMONDS, "depth", 0, options={"drop": ("x", "y", "z")}, epochs=15, **STOPPING),
    on_table(DIAMONDS, "clarity", 8, (64,), {"n": 6000}, optimizer="adam(0.005)", epochs=40),
    on_table(HOUSES, "MedHouseVal", 0, (64, 32), optimizer="adam(0.003)", epochs=40),
    on_table(HOUSES, "MedHouseVal", 0, (64, 32), {"missing": 0.03, "n": 6000}, optimizer="adam(0.005)", epochs=40),
    on_table(HOUSES, "HouseAge", 0, (64, 64), {"n": 6000}, optimizer="adam(0.005)", epochs=40),
    on_table("iris", "", 3, epochs=60, optimizer="adam(0.01)"),
    on_table("wine", "", 3, epochs=40, optimizer="adam(0.01)"),
    on_table("breast-cancer", "", 2, epochs=30),
    on_table("diabetes", "", 0, (16,), epochs=60, optimizer="adam(0.003)", **STOPPING),
    on_table("diabetes", "", 0, (), epochs=60, optimizer="sgd(0.01)"),
]

#: Where there is nothing to learn, where it is too easy, and where statistics that lagged are measured again, the
#: network is not to blame; but it is said.
REMARKED = [
    *(
        case(remark="nothing-to-learn", **settings)
        for settings in (
            classes(rows(coin, c=0.5), epochs=8),
            classes(rows(coin, c=0.25, classes=4), 4, epochs=8),
            classes(rows(coin, c=0.5), 2, (64, 32), optimizer="sgd(0.1)", **STOPPING),
            number(rows(signal, r2=0.0, n=13200), columns=8, **STOPPING),
            number(rows(signal, r2=0.0, n=13200), columns=8, optimizer="sgd(0.01)", epochs=8),
            {"layers": ONE, "data": rows(fashion, noise=1.0), "epochs": 2},
        )
    ),
    *(
        case(remark="leak", **settings)
        for settings in (
            classes(rows(leak, count=2), epochs=40, optimizer="adam(0.01)"),
            classes(rows(leak, count=3), 3, epochs=40, optimizer="adam(0.01)"),
            number(rows(leak, count=0), columns=8, epochs=60, optimizer="adam(0.005)"),
        )
    ),
    *(
        case(
            remark="lagging-statistics",
            **number(rows(scaled, columns=columns), hidden, batch_norm=True, epochs=60, **settings),
        )
        for columns, hidden, settings in (
            ("pressure", (64, 32), {}),
            ("year", (32,), {"optimizer": "adam(0.005)"}),
            ("off-centre", (32,), {"optimizer": "adam(0.005)"}),
            ("off-centre", (64, 32), {"optimizer": "adam(0.01)", "batch_size": 128}),
        )
    ),
]

HEALTHY = [*ON_PICTURES, *ON_NOISE, *ON_TABLES, *REMARKED]

#: What no setting repairs is told: as a remark, or as sickness where the network is worse than a constant answer.
TOLD = [
    *(
        case(remark="single-class", state="told", **classes(rows(one_class, count=count), count))
        for count in (2, 3)
    ),
    *(
        case(remark="rows-out-of-range", state="told", **number(rows(drift, columns=columns), columns=columns))
        for columns in (2, 4)
    ),
    case(TWO, remark="too-early", state="told", epochs=1, samples_per_epoch=640, optimizer="adam(1e-4)"),
    case(remark="too-early", state="told", **classes(rows(coin, c=0.9), epochs=1, batch_size=256)),
]
