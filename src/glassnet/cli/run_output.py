"""What is printed of trained runs, of a comparison of two, of several seeds, and of a range test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from glassnet.cli.output import (
    describe_measures,
    describe_network,
    print_facts,
    print_json,
    print_published,
    print_table,
)
from glassnet.errors import FileError, NonFiniteError
from glassnet.locales.catalogue import Language, Message, Words
from glassnet.runtime.terminal import print_lines

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset
    from glassnet.nn.network import Network
    from glassnet.training.health.diagnosis import Diagnosis
    from glassnet.training.metrics import Evaluation
    from glassnet.training.range_test import RangeTest
    from glassnet.training.results import Run


@dataclass(frozen=True)
class SessionOptions:
    """What is asked of a training beside its configuration."""

    progress: bool = True
    as_json: bool = False
    run_dir: Path | None = None  # None: a folder named after the run
    figures: dict[str, dict[str, float]] = field(default_factory=dict)  # published ones, to print beside
    tensorboard: bool = False
    mlflow: bool = False
    remark: str = ""  # what is said before training
    strict: bool = False  # end with 1 where the network is sick
    remedy: bool = False  # train a sick network again, with what its diagnosis says changed
    language: Language = "en"  # of the report and of what is printed
    writes_report: bool = True
    also: dict[str, str] = field(default_factory=dict)  # what the JSON holds beside what came of the run

    @property
    def words(self) -> Words:
        """The sentences that are printed."""
        return Words(self.language)


class TrainedRun(NamedTuple):
    """A run that has ended, its report where one was written, and its test figures; None where not finite."""

    run: Run
    report: Path | None
    test: Evaluation | None


def print_run(trained: TrainedRun, data: Dataset, session: SessionOptions) -> None:
    """Print what a finished run reached; end with an error as `check_end` says."""
    from glassnet.training.metrics import evaluate

    run, last = trained.run, trained.run.chosen
    test = trained.test or evaluate(run.network, data)  # which says why the figures are not finite
    if session.as_json:
        print_json(_run_record(trained, data, session))
        return check_end([run], session)
    words = session.words
    say, epochs = words.say, words.say("n_epochs", n=len(run.history))
    took = {"seconds": run.history.seconds, "kernels": run.config.environment["kernels"]}
    facts = [
        _rows_fact(data, words),
        describe_network(run.network, words),
        (say("terminal.optimizer"), run.config.training.optimizer),
        (say("terminal.trained"), say("terminal.trained_in", epochs=epochs, **took)),
    ]
    if run.stopped != "epochs":
        facts.append((say("terminal.stopped_by"), words.name("stops", run.stopped)))
    if run.best_epoch is not None:
        facts.append((say("terminal.best_epoch"), str(run.best_epoch)))
    measures = {"train_loss": last.train_loss, "validation_accuracy": last.validation_accuracy} if last else {}
    measures |= last.measures if last else {}
    facts += [(words.measure(name), f"{value:.4f}") for name, value in measures.items() if value is not None]
    tested = [*describe_measures(test, words), (words.measure("loss"), f"{test.loss:.4f}")]
    facts += [(say("test_of", measure=name), value) for name, value in tested]
    facts += [(say("terminal.health"), _health_text(run, words)), (say("run_folder"), str(run.folder))]
    print_facts([*facts, *_report_facts([trained], words)])
    _print_published(session, test.measures)
    check_end([run], session)


def print_comparison(
    before: TrainedRun, after: TrainedRun, cause: Diagnosis, data: Dataset, session: SessionOptions
) -> None:
    """Print a sick run and the one after its remedy."""
    remedy = cause.remedy
    assert remedy is not None
    if session.as_json:
        records = [_run_record(one, data, session) for one in (before, after)]
        print_json(records[1] | {"before": records[0], "remedy": remedy.changes})
    else:
        measure = "r2" if data.task == "regression" else "accuracy"
        words = session.words
        say, name = words.say, words.measure(measure)
        figures = [_measure_splits(one, data, measure) for one in (before, after)]
        facts = [_rows_fact(data, words), (say("diagnosis"), words.render(cause.message))]
        facts.append((say("terminal.changed"), words.render(remedy.message)))
        tests = [math.nan if found[-1] is None else found[-1] for found in figures]
        if tests[1] < tests[0]:
            worse = say("terminal.worse_by", name=name, before=tests[0], after=tests[1])
            facts.append((say("terminal.worse"), worse))
        print_facts([*facts, *_report_facts([before, after], words)])
        print_lines()
        labels = say("terminal.before"), say("terminal.after")
        rows = [
            [
                label,
                *(_figure(value, words) for value in found),
                _health_kinds(one.run, words),
                str(one.run.folder),
            ]
            for label, found, one in zip(labels, figures, (before, after), strict=True)
        ]
        keys = ("training", "validation", "terminal.test", "terminal.health", "run_folder")
        print_table([name, *map(say, keys)], rows, text=(0, 4, 5))
    check_end([after.run], session)


def print_seeds(trained: Sequence[TrainedRun], folder: Path, data: Dataset, session: SessionOptions) -> None:
    """Print the measures of runs that differ in their seed, and their mean and spread."""
    from glassnet.training.metrics import evaluate, spread_over_runs

    runs = [one.run for one in trained]
    found = [one.test or evaluate(one.run.network, data) for one in trained]
    spread = spread_over_runs(found)
    if session.as_json:
        records = [
            {
                "seed": run.config.seed,
                "run_dir": str(run.folder),
                "report": file and str(file),
                "test_loss": one.loss,
                "measures": one.measures,
            }
            for (run, file, _), one in zip(trained, found, strict=True)
        ]
        record = {"run_dir": str(folder), "dataset": data.name, "layers": list(runs[0].network.layers)}
        spreads = {name: asdict(over) for name, over in spread.items()}
        print_json(record | {"published": session.figures, "runs": records, "spread": spreads})
        return check_end(runs, session)
    words = session.words
    facts = [_rows_fact(data, words), describe_network(runs[0].network, words)]
    facts += [(words.say("terminal.run_folders"), str(folder)), *_report_facts(trained, words)]
    print_facts(facts)
    print_lines()
    rows = [
        [words.say("of_seed", seed=run.config.seed), *(f"{one.measures[name]:.4f}" for name in spread)]
        for run, one in zip(runs, found, strict=True)
    ]
    rows.append([words.say("terminal.mean"), *(f"{over.mean:.4f}" for over in spread.values())])
    rows.append([words.say("terminal.std"), *(f"{over.std:.4f}" for over in spread.values())])
    limits = [words.say("low_to_high", low=f"{over.low:.3f}", high=f"{over.high:.3f}") for over in spread.values()]
    rows.append([words.say("terminal.interval"), *limits])
    print_table([words.say("terminal.test_rows"), *map(words.measure, spread)], rows)
    _print_published(session, {name: over.mean for name, over in spread.items()})
    check_end(runs, session)


def print_range_test(
    found: RangeTest, network: Network, data: Dataset, picture: Path, session: SessionOptions
) -> None:
    """Print which learning rate to take, and why."""
    if session.as_json:
        record = {
            "dataset": data.name,
            "optimizer": found.optimizer,
            "learning_rate": found.pick,
            "highest_stable": found.highest_stable,
            "reason": str(found.reason),
            "picture": str(picture),
        }
        curve = {"learning_rates": found.learning_rates, "losses": found.losses, "smoothed": found.smoothed}
        print_json(record | {name: [float(value) for value in values] for name, values in curve.items()})
        return
    words = session.words
    print_facts(
        [
            describe_network(network, words),
            (words.say("terminal.optimizer"), found.optimizer),
            (words.measure("learning_rate"), f"{found.pick:.3g}"),
            (words.say("terminal.highest_stable"), f"{found.highest_stable:.3g}"),
            (words.say("terminal.because"), words.render(found.reason)),
            (words.say("terminal.curve"), str(picture)),
        ]
    )


def check_end(runs: Sequence[Run], session: SessionOptions) -> None:
    """End with an error where a folder does not hold the end of its run, or a network is sick and may not be."""
    for run in runs:
        if run.unsaved is not None:
            raise FileError(
                run.unsaved.path,
                f"{run.unsaved.problem}; the run is at its end, but its folder holds an earlier state: "
                f"make room and go on with: glassnet train --resume {quote(str(run.folder))}",
            )
    if session.strict and any(run.health is not None and run.health.sick for run in runs):
        raise typer.Exit(1)


def _run_record(trained: TrainedRun, data: Dataset, session: SessionOptions) -> dict[str, Any]:
    """Return what a run reached as one record; without test figures where the network gives no finite numbers."""
    from glassnet.training.answers import words_for
    from glassnet.training.health.diagnosis import in_json

    run, last, test = trained.run, trained.run.chosen, trained.test
    return {
        "run_dir": str(run.folder),
        "report": trained.report and str(trained.report),
        "dataset": data.name,
        "layers": list(run.network.layers),
        "parameters": len(run.network.theta),
        "optimizer": run.config.training.optimizer,
        "epochs": len(run.history),
        "stopped": run.stopped,
        "best_epoch": run.best_epoch,
        "seconds": round(run.history.seconds, 3),
        "kernels": run.config.environment["kernels"],
        "threads": last and last.threads,
        "train_loss": last and last.train_loss,
        "train_accuracy": last and last.train_accuracy,
        "validation_loss": last and last.validation_loss,
        "validation_accuracy": last and last.validation_accuracy,
        "validation_measures": last.measures if last else {},
        "test_loss": test and test.loss,
        "test_accuracy": test and test.measures.get("accuracy"),
        "test_measures": test.measures if test else {},
        "test_intervals": test.intervals if test else {},
        "published": session.figures,
        "task": data.task,
        "classes": words_for(run.model),
        "remarks": list(data.remarks),
        "health": in_json(run.health.diagnoses) if run.health else [],
        "sick": run.health is not None and run.health.sick,
        "theta_sha256": run.network.fingerprint(),
        **session.also,
    }


def _measure_splits(trained: TrainedRun, data: Dataset, measure: str) -> list[float | None]:
    """Return a measure of a run on training, validation and test rows; None where there is none, NaN if lost."""
    from glassnet.training.metrics import evaluate

    found: list[float | None] = []
    for split in (data.train, data.validation):
        try:
            found.append(evaluate(trained.run.model, split, metrics=[measure])[measure] if len(split.y) else None)
        except NonFiniteError:
            found.append(math.nan)
    return [*found, math.nan if trained.test is None else trained.test.measures[measure]]


def _figure(value: float | None, words: Words) -> str:
    """Return a measure as it is printed."""
    return "" if value is None else words.say("terminal.not_finite") if math.isnan(value) else f"{value:.4f}"


def _report_facts(trained: Sequence[TrainedRun], words: Words) -> list[tuple[str, str]]:
    """Return where the reports are, for `print_facts`; nothing where there are none."""
    files = [str(one.report) for one in trained if one.report is not None]
    key = "terminal.report" if len(trained) == 1 else "terminal.reports"
    return [(words.say(key), words.join(files))] if files else []


def _health_text(run: Run, words: Words) -> str:
    """Return what is wrong in short; warnings have said it at length."""
    said = []
    for one in run.health.diagnoses if run.health else ():
        place = "checks.found-in-layer" if one.layer else "checks.found"
        kind = words.say(place, kind=one.kind, **({"layer": one.layer} if one.layer else {}))
        said.append(words.say("terminal.sick", kinds=kind) if one.sick else kind)
    return words.join(said, "between_items") or words.say("terminal.healthy")


def _health_kinds(run: Run, words: Words) -> str:
    """Return the state of a run's health, and the kinds that make it so."""
    if run.health is None or run.health.state == "healthy":
        return words.say("terminal.healthy")
    sick = run.health.sick
    kinds = [Message("checks.found", kind=one.kind) for one in run.health.diagnoses if one.sick or not sick]
    return words.say("terminal.sick" if sick else "terminal.remarks", kinds=kinds)


def _print_published(session: SessionOptions, measures: dict[str, float]) -> None:
    """Print published figures with one's own, where they were asked for."""
    if session.figures:
        print_lines()
        print_published(session.figures, measures, session.words)


def _rows_fact(data: Dataset, words: Words) -> tuple[str, str]:
    """Return how many rows there are, for `print_facts`."""
    rows = {"training": len(data.train.y), "validation": len(data.validation.y), "test": len(data.test.y)}
    return words.say("terminal.data"), words.say("terminal.rows_of", name=data.name, **rows)
