"""The recommended variant on the test rows: a study opens them once, and records what it found."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from glassnet.data.dataset import Dataset
from glassnet.errors import DataError
from glassnet.runtime.files import write_bytes
from glassnet.runtime.records import Count, Number, Seed, read_json
from glassnet.study.design import Study
from glassnet.study.findings import StudyFindings
from glassnet.study.results import Row
from glassnet.study.samples import larger_is_better, value_of
from glassnet.study.study_folder import StudyFolder
from glassnet.training.config import RunConfig, check_data
from glassnet.training.metrics import Evaluation, evaluate_predictions, predict_test_rows
from glassnet.training.model_file import load_model
from glassnet.training.run import load_data
from glassnet.training.run_folder import CONFIG_FILE, RunFolder

RECOMMENDED_FILE = "recommended.json"


@dataclass(frozen=True)
class EvaluatedNetwork:
    """A network that was evaluated on the test rows: its variant and seed, and the SHA-256 of its parameters."""

    variant: str
    seed: Seed
    theta_sha256: str


@dataclass(frozen=True)
class FinalEvaluation:
    """The recommended variant evaluated on the test rows: what ``recommended.json`` holds.

    The run is that of `median_run`; its folder and configuration file are relative to the study's folder. `value`
    is the run's value of the measure that the study decides by. The test loss is None where the network's outputs
    are not finite; the other test figures are those of `glassnet.training.metrics.Evaluation`.

    `earlier` are the networks that were evaluated on the same test rows before: with more seeds, a study may
    recommend another variant. If there are any, the test rows have influenced a choice, and the measures may be
    too good.
    """

    variant: str
    levels: dict[str, str]
    seed: Seed
    folder: str
    config: str
    measure: str
    value: Number
    theta_sha256: str
    test_rows: Count
    test_loss: Number | None
    test_measures: dict[str, Number]
    test_intervals: dict[str, tuple[Number, Number]]
    earlier: tuple[EvaluatedNetwork, ...] = ()

    @property
    def network(self) -> EvaluatedNetwork:
        """The network that was evaluated."""
        return EvaluatedNetwork(self.variant, self.seed, self.theta_sha256)


def median_run(rows: Iterable[Row], variant: str, measure: str) -> Row:
    """Return the run of a variant whose measure is the median over its seeds; of two in the middle, the worse.

    Not the best: that one was lucky, and a plan promises what it mostly gives. Of equal runs the first is taken.
    If the variant has no run that counts, that is a `DataError`.
    """
    sign = -1 if larger_is_better(measure) else 1
    values = [(value_of(row, measure), row) for row in rows if row.variant == variant]
    runs = sorted(((sign * value, row) for value, row in values if value is not None), key=lambda run: run[0])
    if not runs:
        raise DataError(f"rows: {variant!r} has no run with a {measure}")
    return runs[len(runs) // 2][1]  # the best stands first


def mark_test_rows_open(folder: str | Path) -> None:
    """Record in a study's folder that all its networks are evaluated on the test rows, as for a repeated table."""
    place = StudyFolder(Path(folder))
    place.write({**place.record(), "test_rows_opened": True})


def are_test_rows_open(study: Study, folder: str | Path) -> bool:
    """Whether all runs of a study were evaluated on the test rows, or watched them; then these test no choice."""
    watched = any(one.config.data.validation == "test" for one in study.variants())
    return watched or StudyFolder(Path(folder)).record().get("test_rows_opened", False)


def evaluate_recommended(
    found: StudyFindings, load: Callable[[RunConfig], Dataset] = load_data
) -> FinalEvaluation | None:
    """Open the test rows for the recommended variant, and write ``recommended.json`` into the study's folder.

    The findings decide what is recommended; the test rows decide nothing. `load` returns the data set of a
    configuration; if it is not what the run learned from, that is a `DataError`.

    Return None, and keep the test rows closed, if runs are missing or no variant can be recommended; return None
    also if the test rows are open for all runs (`are_test_rows_open`). If the same network was evaluated before,
    return that evaluation: the test rows are not opened again.
    """
    study, folder, recommended = found.study, found.folder, found.recommendation
    if found.missing or recommended is None or are_test_rows_open(study, folder):
        return None
    row = median_run(found.rows, recommended.variant, study.measure)
    return evaluate_row(folder, row, study.measure, load)


def evaluate_row(
    folder: Path, row: Row, measure: str, load: Callable[[RunConfig], Dataset] = load_data
) -> FinalEvaluation:
    """Open the test rows for one run, and write ``recommended.json`` into the folder that its own is in.

    If the same network was evaluated before, return that evaluation: the test rows are not opened again.
    """
    run = RunFolder(folder / row.folder)
    config, network, before = run.config(), load_model(run.path).network, read_final_evaluation(folder)
    this = EvaluatedNetwork(row.variant, row.seed, network.fingerprint())
    if before is not None and before.network == this:
        return before
    data = load(config)
    check_data(config, data)
    predictions = predict_test_rows(network, data)
    test = evaluate_predictions(predictions) if predictions else Evaluation(len(data.test.y), math.nan)
    evaluation = FinalEvaluation(
        variant=row.variant,
        levels=row.levels,
        seed=row.seed,
        folder=row.folder,
        config=f"{row.folder}/{CONFIG_FILE}",
        measure=measure,
        value=value_of(row, measure) or 0.0,
        theta_sha256=this.theta_sha256,
        test_rows=test.rows,
        test_loss=test.loss if math.isfinite(test.loss) else None,
        test_measures=test.measures,
        test_intervals=test.intervals,
        earlier=() if before is None else (*before.earlier, before.network),
    )
    write_bytes(folder / RECOMMENDED_FILE, (json.dumps(asdict(evaluation), indent=1) + "\n").encode())
    return evaluation


def read_final_evaluation(folder: str | Path) -> FinalEvaluation | None:
    """Read what is recorded of the recommended plan; None where the test rows were never opened."""
    path = Path(folder) / RECOMMENDED_FILE
    if not path.exists():
        return None
    return read_json(path, FinalEvaluation, "record of a recommended plan", "remove it, and it is made again")
