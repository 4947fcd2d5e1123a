"""The work of the assignment: the study, the plans, and the speed; all of it goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glassnet.assignment.plans import fit_study, lengthen, registered_plan
from glassnet.assignment.speed import SpeedRow, compare_speed
from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, FileError, NonFiniteError
from glassnet.report.error_analysis import ErrorAnalysis, analyse_errors
from glassnet.runtime.terminal import tell
from glassnet.study.findings import StudyFindings, gather_findings
from glassnet.study.runner import run_study
from glassnet.training.config import RunConfig
from glassnet.training.metrics import predict_test_rows
from glassnet.training.results import Run
from glassnet.training.run import load_data, resume, run
from glassnet.training.run_folder import CONFIG_FILE

#: Rows that the recommended variant sees at most when it is trained for longer, and its epochs at most.
PLAN_ROWS, PLAN_EPOCHS = 600_000, 60

#: Where a plan comes from.
FOUND, REGISTERED = "found", "registered"


@dataclass(frozen=True)
class TrainedPlan:
    """A plan that was trained, and what it says to the test rows.

    `name` is that of the variant or of the registered plan, `optimizer` as the plan writes it.
    """

    origin: str
    name: str
    optimizer: str
    run: Run
    data: Dataset
    errors: ErrorAnalysis

    @property
    def validation(self) -> float | None:
        """Its accuracy on the validation rows; None where it has none."""
        record = self.run.chosen
        return None if record is None else record.validation_accuracy


@dataclass(frozen=True)
class Assignment:
    """All that was done: data, study, plans, the best of them, and the speeds where they were asked for."""

    data: Dataset
    found: StudyFindings
    plans: Sequence[TrainedPlan]
    best: TrainedPlan
    speeds: Sequence[SpeedRow]


@dataclass(frozen=True)
class Task:
    """What is asked for: the data by name or path, the folder of all runs, and what else may be chosen."""

    source: str
    folder: Path
    seeds: int | None = None
    plan: str | None = None
    speed: bool = False
    workers: int | None = None
    data_dir: Path | None = None
    progress: bool = True


def do_assignment(task: Task, data: Dataset) -> Assignment:
    """Run the study, train the plans, and measure the speed where that is asked for.

    What a folder holds already is not done again. Raises the errors of `run_study` and of `glassnet.run`, and
    DataError where no variant of the study can be recommended and no plan is registered.
    """
    say = tell if task.progress else lambda message: None
    study = fit_study(data, task.source, task.seeds)
    variants, seeds = len(study.variants()), len(study.seeds)
    say(f"the study: {variants} variants with {seeds} seeds, {variants * seeds} runs")
    rows = run_study(
        study, task.folder / "study", data_dir=task.data_dir, workers=task.workers, progress=task.progress
    )
    found = gather_findings(study, task.folder / "study", rows, lambda config: data)
    plans = []
    for origin, name, config in _choose_plans(task, found, data):
        say(f"the {origin} plan {name}")
        folder = task.folder / f"{origin}-{study.file_names().get(name, name)}"
        try:
            plans.append(_train(origin, name, config, folder, task))
        except NonFiniteError as error:
            tell(f"{folder}: {error}; going on without this plan")
    if not plans:
        raise DataError(f"{task.folder}: no plan could be trained to its end")
    speeds = compare_speed(found, data, say) if task.speed else ()
    return Assignment(data, found, plans, choose_best(plans), speeds)


def _choose_plans(task: Task, found: StudyFindings, data: Dataset) -> list[tuple[str, str, RunConfig]]:
    """Return what is trained at the end: what the study recommends, for longer, and a registered plan."""
    plans = []
    if found.recommendation is not None:
        variant = found.study.variant(found.recommendation.levels)
        epochs = min(max(PLAN_ROWS // len(data.train.y), 1), PLAN_EPOCHS)
        plans.append((FOUND, variant.name, lengthen(variant.config, epochs)))
    registered = registered_plan(task.source, task.plan)
    return [*plans, *([] if registered is None else [(REGISTERED, *registered)])]


def choose_best(plans: Sequence[TrainedPlan]) -> TrainedPlan:
    """Return the best on the validation rows; a registered plan that keeps none apart was found on such rows."""
    return max(plans, key=lambda one: 1.0 if one.validation is None else one.validation)


def _train(origin: str, name: str, config: RunConfig, folder: Path, task: Task) -> TrainedPlan:
    """Train a plan, or go on with it."""
    data = load_data(config, task.data_dir)
    if (folder / CONFIG_FILE).exists():
        ended = resume(folder, data_dir=task.data_dir, progress=task.progress)
    else:
        ended = run(config, data, run_dir=folder, progress=task.progress)
    if ended.unsaved is not None:
        raise FileError(ended.unsaved.path, f"{ended.unsaved.problem}; make room and give the same command again")
    errors = analyse_errors(predict_test_rows(ended.network, data), data)
    if errors.evaluation is None:
        raise NonFiniteError("the network's outputs on the test rows are not finite")
    return TrainedPlan(origin, name, config.training.optimizer, ended, data, errors)
