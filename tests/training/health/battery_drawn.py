"""Networks drawn at random: no rule was made on them, and what is to be said of them is measured.

GLASSNET_DATA=... python -m tests.training.health.battery_drawn 1 150    # with this seed, so many
"""

import sys
from collections import Counter
from dataclasses import replace

import numpy as np
from tests.training.health.battery import best, constant, measured_by, outcome, reach
from tests.training.health.battery_cases import STOPPING, case, classes, number
from tests.training.health.battery_healthy import ADULT, DIAMONDS, HOUSES
from tests.training.health.battery_rows import (
    COLUMNS,
    built_in,
    clouds,
    coin,
    rare,
    rows,
    scaled,
    signal,
    table,
)

TABLES = (
    (ADULT, "income", 2),
    (ADULT, "age", 0),
    (ADULT, "hours-per-week", 0),
    (ADULT, "marital-status", 7),
    (DIAMONDS, "price", 0),
    (DIAMONDS, "clarity", 8),
    (HOUSES, "MedHouseVal", 0),
)

#: Below this share of what can be gained over the best constant answer, a network is sick.
SICK_BELOW = 0.5


def settings_of(pick, rng):
    """Draw hidden layers, and the settings of network and training."""
    hidden = pick([(), (16,), (32,), (64, 32), (32, 32, 32), (16,) * 5])
    chosen = {"activation": pick(["relu", "relu", "tanh", "sigmoid", "gelu", "elu"])} if hidden else {}
    wide = ["normal(0, 1)", "uniform(-1, 1)", "zeros", "normal(0, 0.01)"]
    now_and_then = (
        (0.3, "initializer", pick(["he_normal", "orthogonal", "normal(0, 0.1)", *wide])),
        (0.15, "batch_norm", True),
        (0.2, "dropout", pick([0.1, 0.3, 0.5, 0.8])),
    )
    chosen |= {name: value for share, name, value in now_and_then if hidden and rng.random() < share}
    penalties = (
        (0.15, "l2", float(f"{10 ** rng.uniform(-4, 0):.1g}")),
        (0.1, "clip_norm", float(f"{10 ** rng.uniform(-3, 1):.1g}")),
    )
    chosen |= {name: value for share, name, value in penalties if rng.random() < share}
    optimizer = pick(["adam", "adam", "sgd", "momentum", "rmsprop", "adamw", "nesterov"])
    low, high = (-5, -0.3) if optimizer in ("adam", "adamw", "rmsprop") else (-4, 0.5)
    chosen["optimizer"] = f"{optimizer}({10 ** rng.uniform(low, high):.1g})"
    chosen |= {"batch_size": pick([16, 32, 64, 128, 256]), "epochs": pick([5, 10, 20, 40, 80])}
    return hidden, chosen | (STOPPING if rng.random() < 0.3 else {})


def draw(rng):
    """Draw a network and its rows."""

    def pick(values):
        return values[rng.integers(len(values))]

    hidden, chosen = settings_of(pick, rng)
    kind = pick(["coin", "coin", "signal", "signal", "clouds", "rare", "digits", "scaled", "table", "table"])
    if kind == "coin":
        count = pick([2, 2, 3, 5])
        rule = pick(["line", "line", "ring", "corners"]) if count == 2 else "line"
        data = rows(coin, c=pick([0.6, 0.7, 0.8, 0.9]), rule=rule, classes=count, n=pick([800, 3000, 6600]))
        return case(**classes(data, count, hidden, **chosen))
    if kind == "signal":
        how = {"rule": pick(["line", "wave"]), "noise": pick(["normal", "heavy", "uneven"])}
        data = rows(signal, r2=pick([0.15, 0.3, 0.5, 0.8]), **how, n=pick([600, 2200, 4400]))
        return case(**number(data, hidden, 8, **chosen))
    if kind == "clouds":
        count = pick([10, 30])
        data = rows(clouds, classes=count, spread=pick([0.5, 1.0, 1.5]))
        return case(**classes(data, count, hidden, 10, **chosen))
    if kind == "rare":
        return case(**classes(rows(rare, share=pick([0.3, 0.1, 0.03])), 2, hidden, **chosen))
    if kind == "digits":
        return case([64, *hidden, 10], rows(built_in, name="digits"), **chosen)
    if kind == "scaled":
        place = {"shift": pick([0.0, 10.0, 500.0]), "factor": pick([1e-3, 0.1, 1.0, 1.0, 10.0, 1e4])}
        data = rows(scaled, columns=pick(["plain", *COLUMNS]), **place, standardised=pick([True, False, False]))
        return case(**number(data, hidden, **chosen))
    file, target, count = pick(TABLES)
    data = rows(table, file=file, target=target, n=pick([1000, 3000]))
    made = classes(data, count, hidden, 0, **chosen) if count else number(data, hidden, 0, **chosen)
    return case(**made)


def state_of(found):
    """Return what a network is beside a sound one of its layers: healthy, sick, or in between.

    Where a sound network finds nothing to learn, that is its own state.
    """
    one = found.case
    top, least = best(one), constant(one.data, measured_by(one))
    if top - least <= reach(one):
        return "nothing to learn"
    if top - found.figure <= reach(one):
        return "healthy"
    clear = max(found.figure, least) - least < SICK_BELOW * (top - least) and top - found.figure > 2 * reach(one)
    return "sick" if clear else "in between"


def main(seed, count):
    """Draw so many networks, and print what they are by what they are called."""
    rng, states, helped = np.random.default_rng(seed), Counter(), Counter()
    for _ in range(count):
        found = outcome(replace(draw(rng), state="drawn"))
        state, called = state_of(found), "sick" if found.health.sick else "not sick"
        states[state, called] += 1
        helped[found.helps] += 1
        known = f"{found.figure:.3f} of {best(found.case):.3f}, remedied {found.remedied}"
        print(
            f"{state}, called {called} | {found.case} | {known} | {found.health!s:.400}",
            file=sys.stderr,
            flush=True,
        )
    print("| is | called sick | not called sick |\n|---|---|---|")
    for state in ("healthy", "in between", "sick", "nothing to learn"):
        print(f"| {state} | {states[state, 'sick']} | {states[state, 'not sick']} |")
    print(f"\nOf {helped[True] + helped[False]} remedies that are printed, {helped[True]} help.")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
