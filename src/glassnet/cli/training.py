"""What ``glassnet train`` and ``demo`` do with a configuration: train by it, and tell what came of it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from glassnet.cli.output import (
    MEASURES,
    measures_facts,
    network_fact,
    print_facts,
    print_json,
    print_table,
    published_table,
    tell_remarks,
)
from glassnet.cli.report import Language, report_after
from glassnet.errors import FileError

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset
    from glassnet.training.callbacks import Callback
    from glassnet.training.config import RunConfig
    from glassnet.training.metrics import Evaluation, Predictions
    from glassnet.training.results import Run


@dataclass(frozen=True)
class Manner:
    """How a run is watched and told.

    Attributes
    ----------
    progress, as_json : bool
        Show the progress; print JSON.
    run_dir : Path or None
        Where to save; None: a folder named after the run.
    figures : dict
        Published figures to print beside.
    tensorboard, mlflow : bool
        Log for these trackers.
    remark : str
        What is said before training.
    strict : bool
        End with 1 where the network is sick.
    remedy : bool
        Train a sick network again, with what its diagnosis says changed.
    language : Language or None
        Of the report; None: no report.
    also : dict
        What the JSON holds beside what came of the run.
    """

    progress: bool = True
    as_json: bool = False
    run_dir: Path | None = None
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    tensorboard: bool = False
    mlflow: bool = False
    remark: str = ""
    strict: bool = False
    remedy: bool = False
    language: Language | None = Language.EN
    also: dict[str, str] = field(default_factory=dict)

    def tell_first(self, data: Dataset) -> None:
        """Say on stderr what is to be known before training."""
        tell_remarks(data)
        if self.remark:
            typer.echo(f"glassnet: {self.remark}", err=True)

    def callbacks(self, folder: Path) -> list[Callback]:
        """Return the trackers that were asked for."""
        from glassnet.training.trackers import MLflow, TensorBoard

        trackers: list[Callback] = [TensorBoard(folder / "tensorboard")] if self.tensorboard else []
        return [*trackers, MLflow()] if self.mlflow else trackers

    def report(self, run: Run, data: Dataset, predict: Callable[[], Predictions | None]) -> Path | None:
        """Write the report of a run that has ended; None where there is none."""
        return None if self.language is None else report_after(run, data, self.language, predict)


class Trained(NamedTuple):
    """A run that has ended, its report where one was written, and its test figures; None where not finite."""

    run: Run
    report: Path | None
    test: Evaluation | None


def train_and_tell(
    config: RunConfig, manner: Manner, *, data: Dataset | None = None, data_dir: Path | None = None
) -> Run:
    """Train as a configuration says, and print what came of it, with published figures beside it.

    Raises
    ------
    typer.Exit
        With 130 or 143 after Ctrl-C or SIGTERM; what was learned is saved and said. With 1 where the network is
        sick and that is to be an error.
    """
    from glassnet.training.run import load_data

    if data is None:
        data = load_data(config, data_dir)
    manner.tell_first(data)
    with _folder(config, data, manner) as folder:
        finished = _trained(config, data, folder, manner, survives=manner.remedy)
        if manner.remedy and finished.run.health is not None and finished.run.health.sick:
            return _train_again(config, finished, data, folder, manner)
    _tell(finished, data, manner)
    return finished.run


def _train_again(config: RunConfig, before: Trained, data: Dataset, folder: Path, manner: Manner) -> Run:
    """Apply the first remedy of a sick run, train again in a folder beside it, and print both."""
    from glassnet.training.config import configure

    health = before.run.health
    first = next(found for found in health.diagnoses if found.sick) if health else None
    if first is None or first.remedy is None:
        _tell(before, data, manner)
        return before.run
    typer.echo(f"glassnet: once more with {first.remedy}", err=True)
    changed = configure(first.remedy.changes, config)
    after = _trained(changed, data, folder.with_name(f"{folder.name}_remedied"), manner)
    if manner.as_json:
        records = [_record(one, data, manner) for one in (before, after)]
        print_json(records[1] | {"before": records[0], "remedy": first.remedy.changes})
    else:
        rows = [_row("before", before), _row("after", after)]
        facts = [_rows_fact(data), ("diagnosis", str(first)), ("changed", str(first.remedy))]
        print_facts([*facts, *_report_facts([before, after])])
        typer.echo()
        print_table(["", "training loss", "validation", "test", "health", "run folder"], rows, text=(0, 4, 5))
    _end([after.run], manner)
    return after.run


def _row(name: str, trained: Trained) -> list[str]:
    """Return a run's line in a table of two."""
    run, last, found = trained.run, trained.run.chosen, trained.test
    test = "not finite" if found is None else f"{next(iter(found.measures.values())):.4f}"
    loss = f"{last.train_loss:.4g}" if last else "none"
    accuracy = f"{last.validation_accuracy:.4f}" if last and last.validation_accuracy is not None else ""
    kinds = [found.kind for found in run.health.diagnoses if found.sick] if run.health else []
    return [name, loss, accuracy, test, ", ".join(kinds) or "healthy", str(run.folder)]


def resume_and_tell(folder: Path, manner: Manner, *, epochs: int | None, data_dir: Path | None) -> None:
    """Go on with a run, and print what came of it."""
    from glassnet.training.run import data_of, resume
    from glassnet.training.run_folder import RunFolder

    data = data_of(RunFolder(folder), data_dir)
    callbacks = manner.callbacks(folder)

    def go_on() -> Run:
        return resume(folder, data, epochs=epochs, callbacks=callbacks, progress=manner.progress)

    _tell(_reported(go_on, data, folder, manner), data, manner)


@contextlib.contextmanager
def _folder(config: RunConfig, data: Dataset, manner: Manner) -> Iterator[Path]:
    from glassnet.training.run import layers_for
    from glassnet.training.run_folder import default_folder

    if manner.run_dir is not None:
        yield manner.run_dir
    else:
        with default_folder(data.name, layers_for(config, data)) as folder:
            yield folder


@contextlib.contextmanager
def _stopping(folder: Path) -> Iterator[None]:
    """Say what Ctrl-C or SIGTERM left, and how to go on."""
    from glassnet.training.results import Interrupted

    try:
        yield
    except Interrupted as stop:
        typer.echo(f"glassnet: {stop}; go on with: glassnet train --resume {quote(str(folder))}", err=True)
        raise typer.Exit(128 + stop.signal) from None


def _trained(config: RunConfig, data: Dataset, folder: Path, manner: Manner, *, survives: bool = False) -> Trained:
    """Train into a folder."""
    from glassnet.training.run import run

    def train() -> Run:
        return run(config, data, run_dir=folder, callbacks=manner.callbacks(folder), progress=manner.progress)

    return _reported(train, data, folder, manner, survives=survives)


def _reported(
    train: Callable[[], Run], data: Dataset, folder: Path, manner: Manner, *, survives: bool = False
) -> Trained:
    """Train, and write the report, also of a run that diverges; its error is then raised, or only said."""
    from glassnet.training.results import DivergenceError

    try:
        with _stopping(folder):
            finished = train()
    except DivergenceError as error:
        diverged = _finish(error.run, data, manner)
        file = diverged.report
        problem = f"{error}" if file is None else f"{error}; report: {file}"
        if not survives:
            raise DivergenceError(problem, error.run) from None
        typer.echo(f"glassnet: {problem}", err=True)
        return diverged
    return _finish(finished, data, manner)


def _finish(run: Run, data: Dataset, manner: Manner) -> Trained:
    """Send the test rows through a network once, for its report and for all that is printed of it."""
    from glassnet.training.metrics import evaluate_predictions, predict_test_rows

    predict = functools.cache(functools.partial(predict_test_rows, run.network, data))
    report, predictions = manner.report(run, data, predict), predict()
    return Trained(run, report, None if predictions is None else evaluate_predictions(predictions))


def find_rate_and_tell(config: RunConfig, manner: Manner, *, data_dir: Path | None) -> None:
    """Try learning rates on a network, and print which to take; the curve is saved as a picture."""
    from glassnet.nn.optimizers import OPTIMIZERS
    from glassnet.report.range_test_figure import draw
    from glassnet.training.range_test import find_learning_rate
    from glassnet.training.run import load_data, network_for
    from glassnet.training.run_folder import new_folder

    data = load_data(config, data_dir)
    manner.tell_first(data)
    network = network_for(config, data)
    found = find_learning_rate(
        network,
        data,
        optimizer=OPTIMIZERS.resolve(config.training.optimizer),
        batch_size=config.training.batch_size,
        seed=config.seed,
    )
    with _folder(config, data, manner) as folder, new_folder(folder):
        picture = folder / "learning_rates.png"
        draw(found, picture)
    record = {
        "dataset": data.name,
        "optimizer": found.optimizer,
        "learning_rate": found.pick,
        "highest_stable": found.highest_stable,
        "reason": found.reason,
        "picture": str(picture),
    }
    if manner.as_json:
        curve = {"learning_rates": found.learning_rates, "losses": found.losses, "smoothed": found.smoothed}
        print_json(record | {name: [float(value) for value in values] for name, values in curve.items()})
        return
    print_facts(
        [
            network_fact(network),
            ("optimizer", config.training.optimizer),
            ("learning rate", f"{found.pick:.3g}"),
            ("highest stable", f"{found.highest_stable:.3g}"),
            ("because", found.reason),
            ("curve", str(picture)),
        ]
    )


def train_seeds(config: RunConfig, seeds: int, data: Dataset, manner: Manner) -> None:
    """Train networks that differ in their seed, a run folder each, and print mean and spread of their measures."""
    from dataclasses import asdict

    from glassnet.training.metrics import evaluate, spread_over_runs
    from glassnet.training.run import layers_for
    from glassnet.training.run_folder import default_folder, new_folder

    manner.tell_first(data)
    layers = layers_for(config, data)
    trained = []
    run_dir = manner.run_dir
    with new_folder(run_dir) if run_dir else default_folder(data.name, layers) as folder:
        for seed in range(config.seed, config.seed + seeds):
            network = config.network.model_copy(update={"seed": None})
            one = config.model_copy(update={"seed": seed, "network": network, "start": None})
            trained.append(_trained(one, data, folder / f"seed-{seed}", manner))
    runs = [one.run for one in trained]
    found = [one.test or evaluate(one.run.network, data) for one in trained]
    spread = spread_over_runs(found)
    if manner.as_json:
        record = {"run_dir": str(folder), "dataset": data.name, "layers": layers, "published": manner.figures}
        record["runs"] = [
            {
                "seed": run.config.seed,
                "run_dir": str(run.folder),
                "report": file and str(file),
                "test_loss": one.loss,
                "measures": one.measures,
            }
            for (run, file, _), one in zip(trained, found, strict=True)
        ]
        print_json(record | {"spread": {name: asdict(over) for name, over in spread.items()}})
        return _end(runs, manner)
    facts = [_rows_fact(data), network_fact(runs[0].network), ("run folders", str(folder))]
    print_facts([*facts, *_report_facts(trained)])
    typer.echo()
    names = [MEASURES.get(name, name) for name in spread]
    rows = [
        [f"seed {run.config.seed}", *(f"{one.measures[name]:.4f}" for name in spread)]
        for run, one in zip(runs, found, strict=True)
    ]
    rows.append(["mean", *(f"{over.mean:.4f}" for over in spread.values())])
    rows.append(["std", *(f"{over.std:.4f}" for over in spread.values())])
    rows.append(["95 % of the mean", *(f"{over.low:.3f} to {over.high:.3f}" for over in spread.values())])
    print_table(["test rows", *names], rows)
    if manner.figures:
        typer.echo()
        published_table(manner.figures, {name: over.mean for name, over in spread.items()})
    _end(runs, manner)


def _report_facts(trained: Sequence[Trained]) -> list[tuple[str, str]]:
    """Return where the reports are, for `print_facts`; nothing where there are none."""
    files = [str(one.report) for one in trained if one.report is not None]
    return [("report" if len(trained) == 1 else "reports", ", ".join(files))] if files else []


def _record(trained: Trained, data: Dataset, manner: Manner) -> dict[str, Any]:
    """Return what a run reached as one record; without test figures where the network gives no finite numbers."""
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
        "published": manner.figures,
        "health": in_json(run.health.diagnoses) if run.health else [],
        "sick": run.health is not None and run.health.sick,
        "theta_sha256": run.network.fingerprint(),
        **manner.also,
    }


def _tell(trained: Trained, data: Dataset, manner: Manner) -> None:
    """Print what a finished run reached."""
    from glassnet.training.metrics import evaluate

    run, last = trained.run, trained.run.chosen
    test = trained.test or evaluate(run.network, data)  # which says why the figures are not finite
    if manner.as_json:
        print_json(_record(trained, data, manner))
        return _end([run], manner)
    epochs = "1 epoch" if len(run.history) == 1 else f"{len(run.history)} epochs"
    facts = [
        _rows_fact(data),
        network_fact(run.network),
        ("optimizer", run.config.training.optimizer),
        ("trained", f"{epochs}, {run.history.seconds:.1f} s, {run.config.environment['kernels']} kernels"),
    ]
    if run.stopped != "epochs":
        facts.append(("stopped by", run.stopped))
    if run.best_epoch is not None:
        facts.append(("best epoch", str(run.best_epoch)))
    if last:
        facts.append(("training loss", f"{last.train_loss:.4f}"))
    if last and last.validation_accuracy is not None:
        facts.append(("validation accuracy", f"{last.validation_accuracy:.4f}"))
    facts += [(name.replace("_", " "), f"{value:.4f}") for name, value in (last.measures if last else {}).items()]
    facts += [(f"test {name}", value) for name, value in measures_facts(test)]
    facts += [("test loss", f"{test.loss:.4f}"), ("health", _health_fact(run)), ("run folder", str(run.folder))]
    print_facts([*facts, *_report_facts([trained])])
    if manner.figures:
        typer.echo()
        published_table(manner.figures, test.measures)
    _end([run], manner)


def _health_fact(run: Run) -> str:
    """Return what is wrong in short; warnings have said it at length."""
    found = run.health.diagnoses if run.health else ()
    words = [
        f"{'sick: ' if one.sick else ''}{one.kind}{f' in layer {one.layer}' if one.layer else ''}" for one in found
    ]
    return "; ".join(words) or "healthy"


def _end(runs: Sequence[Run], manner: Manner) -> None:
    """End with an error where a folder does not hold the end of its run, or a network is sick and may not be."""
    for run in runs:
        if run.unsaved is not None:
            raise FileError(
                run.unsaved.path,
                f"{run.unsaved.problem}; the run is at its end, but its folder holds an earlier state: "
                f"make room and go on with: glassnet train --resume {quote(str(run.folder))}",
            )
    if manner.strict and any(run.health is not None and run.health.sick for run in runs):
        raise typer.Exit(1)


def _rows_fact(data: Dataset) -> tuple[str, str]:
    rows = ", ".join(
        f"{len(split.y):,} {name}"
        for name, split in (("training", data.train), ("validation", data.validation), ("test", data.test))
    )
    return "data", f"{data.name}: {rows} rows"
