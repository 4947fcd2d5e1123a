"""Sick networks and healthy ones, on real and on made rows: what a diagnosis must say of them.

Run as a program, it trains all of them and prints the tables of docs/health.md, and each miss on stderr:

    GLASSNET_DATA=... python -m tests.training.health.battery
    GLASSNET_DATA=... python -m tests.training.health.battery scaled        # only cases with this in their name
"""

import functools
import sys
import time
import warnings
from collections import Counter
from dataclasses import dataclass

import numpy as np
from tests.training.health.battery_cases import ANY, OTHERS, PICTURES
from tests.training.health.battery_healthy import HEALTHY, TOLD
from tests.training.health.battery_rows import measure, rows_of
from tests.training.health.battery_sick import SICK

import glassnet as gn
from glassnet.data.array_schema import ArraySchema
from glassnet.errors import NonFiniteError

#: How far below the best figure a network is within reach of it: a share of what can be learned, at most so much;
#: and not less than the test rows can tell, which is this divided by the root of their number.
SHARE, MOST, ROUGH = 0.25, 0.05, 0.8

#: What is said of the data, and is wrong where a case does not have it.
OF_DATA = ("nothing-to-learn", "single-class", "leak", "rows-out-of-range", "lagging-statistics")


@dataclass(frozen=True)
class Training:
    """How a network came out: its run, its figure on the test rows, and those that it is measured by."""

    run: object
    figure: float


def train(one, seed=0, changes=None):
    """Train a case's network, with changes of a remedy."""
    held, network = rows_of(one.data), dict(one.network)
    options = {**(PICTURES if len(one.layers) and one.layers[0] == 784 else OTHERS), **one.options}
    for section, values in (changes or {}).items():
        {"network": network, "training": options, "data": {}}[section].update(values)
    data = changed_data(held.data, (changes or {}).get("data", {}))
    return fit(data, [data.n_inputs, *one.layers[1:]], network, options, measured_by(one), seed)


def measured_by(one):
    """Return the measure of a case; a network may regress the numbers of classes."""
    regresses = one.network.get("loss", "") in ("half_squared_error", "huber", "absolute_error")
    return "r2" if regresses else rows_of(one.data).measure


def fit(data, layers, network, options, measured_by, seed):
    """Train a network; one that diverges has learned nothing."""
    built = gn.Network(layers, **network, seed=seed)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", gn.HealthWarning)
            run = gn.fit(built, data, progress=False, kernels="numpy", threads=1, **options)
            figure = measure(measured_by, run.network.outputs(data.encoded.test.X), data.encoded.test.y)
    except gn.DivergenceError as error:
        return Training(error.run, -np.inf)
    except NonFiniteError:
        return Training(run, -np.inf)
    return Training(run, figure if np.isfinite(figure) else -np.inf)


def changed_data(data, changes):
    """Return data with changes of a remedy."""
    return data.scale(changes["scaling"]) if changes else data


@functools.cache
def constant(name, measured):
    """Return what the best constant answer reaches by a measure."""
    y = rows_of(name).data.encoded.test.y
    if measured != "accuracy":
        return {"r2": 0.0, "auc": 0.5}[measured]
    if y.ndim == 2:
        return float(np.mean(np.maximum(y.mean(axis=0), 1 - y.mean(axis=0))))
    return float(np.bincount(y.astype(int)).max() / len(y))


@functools.cache
def sound(name, layers, loss, measured):
    """Return what a network of these layers reaches whose settings are known to be good."""
    held = rows_of(name)
    data = scale(held.clean or held.data)
    options = PICTURES if layers[0] == 784 else {"epochs": 80, "batch_size": 32, "early_stopping": "patience(15)"}
    options = options | {"optimizer": "adam(0.003)" if layers[0] != 784 else "adam"}
    made = {"initializer": "he_normal"} | ({"loss": loss} if loss else {})
    return fit(data, [data.n_inputs, *layers[1:]], made, options, measured, 0).figure


def scale(data):
    """Return data whose columns and numbers have mean 0 and standard deviation 1; pictures as they are."""
    rows = data.schema.input
    plain = isinstance(rows, ArraySchema) and rows.scaling is None and len(rows.shape) == 1
    return data.scale("standard") if plain else data


@functools.cache
def best_of_models(name):
    """Return what the better of a linear model and boosted trees reaches."""
    from sklearn import ensemble, linear_model

    held = rows_of(name)
    X, y = held.data.encoded.train
    trees, line = (
        (ensemble.HistGradientBoostingRegressor, linear_model.RidgeCV)
        if held.measure == "r2"
        else (
            ensemble.HistGradientBoostingClassifier,
            functools.partial(linear_model.LogisticRegression, max_iter=500),
        )
    )
    figures = []
    for model in (trees(random_state=0, max_iter=40, early_stopping=False), line()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, y.ravel())
        test, labels = held.data.encoded.test
        answers = model.predict(test)[:, None] if held.measure == "r2" else model.predict_proba(test)
        figures.append(measure(held.measure, answers, labels))
    return max(figures)


def best(one):
    """Return what can be reached of a case's rows: by the rule behind them, or by models that are fitted well.

    Of pictures, and of rows that need to be scaled first, by a sound network of the same layers.
    """
    held = rows_of(one.data)
    if held.best is not None and one.state == "healthy":
        return held.best
    found = [sound(one.data, tuple(one.layers), one.network.get("loss"), measured_by(one))]
    if one.state == "healthy" and held.group == "tables":
        found.append(best_of_models(one.data))
    return max(found)


def reach(one):
    """Return how far below the best figure a network is still within reach of it."""
    learnable = max(best(one) - constant(one.data, measured_by(one)), 0.0)
    return max(min(MOST, SHARE * learnable), ROUGH / np.sqrt(len(rows_of(one.data).data.test.y)))


@dataclass
class Outcome:
    """What came of a case: what was named first, and what is wrong with that; and the figure with its remedy."""

    case: object
    seed: int
    figure: float
    health: object
    wrong: str
    remedied: float | None = None

    @property
    def named(self):
        """The kind of the first sickness."""
        return self.health.diagnoses[0].kind if self.health.sick else "healthy"

    @property
    def borne_out(self):
        """Whether the figure is as the case says: within reach of the best one, or clearly not."""
        below = best(self.case) - self.figure
        if self.case.state == "told":
            return True
        return below <= reach(self.case) if self.case.state == "healthy" else below > 1.5 * reach(self.case)

    @property
    def helps(self):
        """Whether the remedy goes half of the way that was lacking, or within reach; None: there is none."""
        if self.remedied is None:
            return None
        top = best(self.case)
        before = max(self.figure, constant(self.case.data, measured_by(self.case)))
        return top - self.remedied <= max(reach(self.case), (top - before) / 2)


def fault(one, health):
    """Say what is wrong with what is said of a case; nothing: empty."""
    found = [diagnosis for diagnosis in health.diagnoses if diagnosis.sick]
    kinds = [diagnosis.kind for diagnosis in health.diagnoses]
    if one.state == "healthy" and found:
        return f"sick: {found[0]}"
    if one.remark and one.remark not in kinds:
        return f"no {one.remark}: {health}"
    if one.state != "sick":
        undue = [str(other) for other in health.diagnoses if other.kind in OF_DATA and other.kind != one.remark]
        return f"undue: {undue[0]}" if undue and one.state == "healthy" else ""
    if not found:
        return f"not sick: {health}"
    first = found[0]
    right = first.kind in one.kinds and one.layer in (ANY, first.layer)
    return "" if right else f"{first}  [{family(first)}]"


def family(diagnosis):
    """Return the family of a diagnosis's remedy, if it has one."""
    return diagnosis.remedy.family if diagnosis.remedy else ""


def outcome(one, seed=0):
    """Train a case, and one that is called sick once more with its first remedy."""
    trained = train(one, seed)
    health = trained.run.health
    found = Outcome(one, seed, trained.figure, health, fault(one, health))
    first = health.diagnoses[0] if health.sick else None
    if first is not None and first.remedy is not None:
        found.remedied = train(one, seed, first.remedy.changes).figure
    return found


def summary(outcomes):
    """Return shares: false alarms and undue remarks, right kinds and layers, remedies that help."""
    healthy, sick = ([one for one in outcomes if one.case.state == state] for state in ("healthy", "sick"))
    printed = [one.helps for one in outcomes if one.helps is not None]
    return {
        "called sick": np.mean([one.health.sick for one in healthy]) if healthy else 0.0,
        "undue": np.mean([one.wrong.startswith("undue") for one in healthy]) if healthy else 0.0,
        "right": np.mean([not one.wrong for one in sick]) if sick else 1.0,
        "helps": np.mean(printed) if printed else 1.0,
    }


def by_kind(outcomes):
    """Return the rows of a table: what the networks are, and what they are called."""
    kinds = dict.fromkeys(one.case.kind for one in outcomes)
    lines = [
        "| is | networks | kind and layer right | called otherwise | remedy printed | helps |",
        "|---" * 6 + "|",
    ]
    for kind in kinds:
        here = [one for one in outcomes if one.case.kind == kind]
        right = [one for one in here if not one.wrong]
        others = Counter(one.named for one in here if one not in right)
        printed = [one.helps for one in here if one.helps is not None]
        named = ", ".join(f"{n} {name}" for name, n in others.items()) or "-"
        lines.append(f"| {kind} | {len(here)} | {len(right)} | {named} | {len(printed)} | {sum(printed)} |")
    return lines


def by_group(outcomes):
    """Return the rows of a table: how the groups of rows fare."""
    lines = [
        "| rows | healthy | called sick | sick | kind and layer right | remedy printed | helps |",
        "|---" * 7 + "|",
    ]
    for group in ("images", "tables", "noisy", "numbers"):
        here = [one for one in outcomes if rows_of(one.case.data).group == group]
        healthy, sick = ([one for one in here if one.case.state == state] for state in ("healthy", "sick"))
        printed = [one.helps for one in here if one.helps is not None]
        counts = (
            *(
                len(healthy),
                sum(one.health.sick for one in healthy),
                len(sick),
                sum(not one.wrong for one in sick),
            ),
            *(len(printed), sum(printed)),
        )
        lines.append(f"| {group} | {' | '.join(map(str, counts))} |")
    return lines


def main(parts):
    """Train all of them, or those with some text in their names; print the tables, and what was missed."""
    began, outcomes = time.perf_counter(), []
    for one in [*HEALTHY, *SICK, *TOLD]:
        if all((part[1:] not in str(one)) if part[0] == "!" else part in str(one) for part in parts):
            start = time.perf_counter()
            now = outcome(one)
            outcomes.append(now)
            marks = ("" if now.borne_out else " NOT BORNE OUT") + (" NO HELP" if now.helps is False else "")
            figures = (
                now.figure,
                constant(one.data, measured_by(one)),
                best(one),
                reach(one),
                now.remedied or np.nan,
            )
            known = "{:.3f} of {:.3f} .. {:.3f} - {:.3f}, remedied {:.3f}".format(*figures)
            spent = f"{time.perf_counter() - start:.1f} s"
            print(f"{one} | {known} | {spent}{marks} | {now.wrong}", file=sys.stderr, flush=True)
    print(*by_kind(outcomes), "", *by_group(outcomes), sep="\n")
    print({name: round(float(share), 3) for name, share in summary(outcomes).items()}, file=sys.stderr)
    print(f"{len(outcomes)} networks, {time.perf_counter() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
