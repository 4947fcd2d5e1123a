"""What came of the runs of a study: their histories, how they behave, and what they say to the test rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from glassnet.nn.targets import encode
from glassnet.reproductions.publication import Figure
from glassnet.study.fairness import DataCache, build_sampler
from glassnet.study.results import DIVERGED, FAILED, FINISHED, Row
from glassnet.study.samples import larger_is_better
from glassnet.training.health.evidence import Baseline
from glassnet.training.metrics import evaluate_predictions, predict_rows
from glassnet.training.model_file import load_model
from glassnet.training.run import build_network
from glassnet.training.run_folder import RunFolder

#: Epochs at the end whose losses say how training behaves, at most the later half of all; losses that go up and
#: down in turn by more than this share of themselves oscillate.
LAST, SWING = 40, 1e-3

#: Share of the turns at which the loss changes its direction, from which on it oscillates.
TURNS = 0.6


@dataclass(frozen=True)
class Outcome:
    """What came of one run.

    Attributes
    ----------
    row : Row
        The run's row of the study.
    columns : dict of str to list of float
        The history, column by column; what is unknown is left out.
    test : dict of str to float
        ``"test_loss"``, the mean of a row, and ``"test_accuracy"`` of the network as it ended; empty where it
        diverged.
    constant_loss : float
        What the best constant answer costs, in the units of ``train_loss``.
    unanswered : int
        Classes that are on test rows, and that the network gives to none of them.
    """

    row: Row
    columns: dict[str, list[float]]
    test: dict[str, float] = field(default_factory=dict)
    constant_loss: float = math.inf
    unanswered: int = 0

    @property
    def behaviour(self) -> str:
        """``"learns"``, ``"oscillates"`` or ``"fails"``, see `behaviour_of`; empty where the run itself was lost.

        What diverged fails; a run whose process died says nothing of its training.
        """
        if self.row.status == FAILED:
            return ""
        if self.row.status == DIVERGED:
            return "fails"
        return behaviour_of(self.columns.get("train_loss", []), self.constant_loss)

    def value(self, figure: Figure) -> float | None:
        """Return our number for a figure, None where there is none."""
        if figure.quantity in self.test:
            return self.test[figure.quantity]
        values = self.columns.get(figure.quantity, [])
        if not values or self.row.status != FINISHED:
            return None
        return best(values, figure.quantity) if figure.epoch == "best" else values[-1]


#: By variant and seed.
Outcomes = dict[str, dict[int, Outcome]]


def outcomes_of(folder: Path, rows: Sequence[Row], data_dir: str | Path | None = None) -> Outcomes:
    """Return what came of the runs of a study by variant and seed; the test rows are opened for all of them.

    `folder` is the study's; `data_dir` is the folder of the data sets, in place of the one that GLASSNET_DATA
    names.
    """
    data_cache = DataCache(data_dir)
    found: Outcomes = {}
    for row in rows:
        found.setdefault(row.variant, {})[row.seed] = _read_outcome(folder, row, data_cache)
    return found


def _read_outcome(folder: Path, row: Row, data_cache: DataCache) -> Outcome:
    if row.status == FAILED:
        return Outcome(row, {})
    run = RunFolder(folder / row.folder)
    config, history = run.config(), run.history()
    data = data_cache.load(config)
    values = [record.row() for record in history]
    columns = {
        name: [float(value) for one in values if (value := one.get(name)) is not None]
        for name in (values[-1] if values else {})
    }
    network = build_network(config, data)
    sampler = build_sampler(config, data)
    targets = encode(data.encoded.train.y[: sampler.n], network.layers[-1], data.n_classes, network.theta.dtype)
    rows_of_a_loss = sampler.batch_size if network.loss.reduction == "sum" else 1
    constant = Baseline.of(network.loss, targets).loss * rows_of_a_loss
    test, unanswered = {}, 0
    if row.status != DIVERGED:
        predictions = predict_rows(load_model(run.path).network, data.test)
        unanswered = len(np.setdiff1d(*predictions.labels())) if data.n_classes else 0
        found = evaluate_predictions(predictions)
        rows = found.rows if network.loss.reduction == "sum" else 1
        test = {"test_loss": found.loss / rows, **{f"test_{name}": found[name] for name in found.measures}}
    return Outcome(row, columns, test, constant, unanswered)


def behaviour_of(losses: Sequence[float], constant_loss: float) -> str:
    """Say how training behaves, by the losses of its epochs.

    The last `LAST` epochs speak, or the later half where there are fewer than twice as many. ``"fails"``: their
    mean loss is no smaller than that of the best constant answer, or is no number; ``"oscillates"``: the loss
    changes its direction at a share of `TURNS` of them or more, by more than `SWING` of itself on average;
    ``"learns"``: neither.
    """
    last = np.array(losses[-min(LAST, -(-len(losses) // 2)) :], float)
    if not len(last) or not np.isfinite(last).all() or last.mean() >= constant_loss:
        return "fails"
    steps = np.diff(last)
    turns = np.diff(np.sign(steps)) != 0
    swings = np.abs(steps).mean() > SWING * last.mean() if len(steps) else False
    return "oscillates" if len(turns) and turns.mean() >= TURNS and swings else "learns"


def best(values: Sequence[float], quantity: str) -> float:
    """Return the largest or smallest, whichever is better."""
    return max(values) if larger_is_better(quantity) else min(values)
