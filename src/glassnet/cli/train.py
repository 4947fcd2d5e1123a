"""``glassnet train``: the command, and the trainings that it and ``demo`` start."""

from __future__ import annotations

import atexit
import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.language import LanguageOption, choose_language
from glassnet.cli.options import ConfigOption, collect_changes, takes
from glassnet.cli.output import DataDirOption, JsonOption, QuietOption, print_remarks, say, say_stopped
from glassnet.cli.plans import choose_plan, take_plan_file
from glassnet.cli.report import report_run_end
from glassnet.cli.run_output import (
    SessionOptions,
    TrainedRun,
    print_comparison,
    print_range_test,
    print_run,
    print_seeds,
)
from glassnet.errors import FileError, UsageError

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset
    from glassnet.training.callbacks import Callback
    from glassnet.training.config import RunConfig
    from glassnet.training.data_parallel import Group
    from glassnet.training.results import Run


@takes("seed", "data", "network", "training")
def train(
    config: ConfigOption = None,
    plan: Annotated[
        str | None,
        typer.Option(
            help="Plan to start from: best for accuracy and fast for time, found by search beforehand, where the "
            "data set has them; table and table-small for tables; none; or the plan.toml of a search. Other "
            "options change it.",
            metavar="NAME",
            show_default="best, where there is one and no option describes a network, training, scaling or pieces",
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(help="Train this many networks, with this seed and the next ones.", metavar="N", min=1)
    ] = 1,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="Show the published figures of the data set (MedMNIST) beside the result."),
    ] = False,
    data_dir: DataDirOption = None,
    run_dir: Annotated[
        Path | None,
        typer.Option(help="New folder to save the run in.", show_default="runs/DATE_TIME_DATASET_LAYERS"),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Go on with a run that was stopped, exactly as if it had not been.", metavar="RUN"),
    ] = None,
    find_lr: Annotated[
        bool, typer.Option("--find-lr", help="Train nothing; try learning rates and say which to take.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 1 where the network turns out to be sick.")
    ] = False,
    remedy: Annotated[
        bool,
        typer.Option(
            "--remedy",
            help="Where the network is sick, change what its diagnosis says, train again, and compare the two.",
        ),
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Log for TensorBoard, in the run's folder.")
    ] = False,
    mlflow: Annotated[bool, typer.Option("--mlflow", help="Log for MLflow.")] = False,
    lang: LanguageOption = None,
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Write no report.html and report.md into the run's folder.")
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    **options: Any,
) -> None:
    """Train a network, and write a report of it.

    The run and its report are saved in a folder. The table says how well the network does on the test rows.

    \b
    Examples:
      glassnet train fashion-mnist
      glassnet train fashion-mnist --plan fast
      glassnet train --plan searches/digits/plan.toml
      glassnet train fashion-mnist --layers 784,28,10 --activation tanh --optimizer "sgd(0.5)"
      glassnet train digits --epochs 30 --seed 7 --json
      glassnet train houses.csv --target price --impute median
      glassnet train breastmnist --epochs 30 --seeds 5 --compare
      glassnet train digits --batch-norm --dropout 0.2 --schedule one_cycle --early-stopping 10
      glassnet train fashion-mnist --layers 784,256,10 --optimizer momentum --find-lr
      glassnet train digits --initializer "uniform(-1, 1)" --activation tanh --remedy --lang zh
      glassnet train --resume runs/2026-11-23_101500_digits_64-32-10
      glassnet train --config runs/2026-11-23_101500_digits_64-32-10/config.toml --seed 1
    """
    session = SessionOptions(
        progress=not quiet,
        as_json=as_json,
        run_dir=run_dir,
        tensorboard=tensorboard,
        mlflow=mlflow,
        strict=strict,
        remedy=remedy,
        language=choose_language(lang),
        writes_report=not no_report,
    )
    changes = collect_changes(options)
    several = {"seeds": seeds > 1, "compare": compare, "remedy": remedy}
    together = _was_launched()
    if together:
        others: dict[str, Any] = {"seeds": seeds > 1, "remedy": remedy, "find_lr": find_lr}
        _refuse(others | {"resume": resume is not None}, "is for one process; leave it out, or leave mpirun out")
    if resume is not None:
        named = {name for part in changes.values() if isinstance(part, dict) for name in part} - {"epochs"}
        others = {"seed": "seed" in changes, **dict.fromkeys(named, True), **several, "find_lr": find_lr}
        others |= {"config": config, "plan": plan is not None, "run_dir": run_dir}
        _refuse(others, "cannot be changed when a run goes on; leave it out, or begin a new run")
        return resume_run(resume, session, epochs=changes["training"].get("epochs"), data_dir=data_dir)
    if find_lr:
        others = {**several, "tensorboard": tensorboard, "mlflow": mlflow, "strict": strict}
        others |= {"no_report": no_report}
        _refuse(others, "is for training, and --find-lr trains nothing; leave one of the two out")
    if remedy and seeds > 1:
        raise UsageError("remedy", "trains a single network again; leave --seeds out")
    config, plan = take_plan_file(config, plan)
    chosen, remark, data = choose_plan(changes, config, plan, data_dir)
    session = replace(session, remark=remark)
    if compare:
        from glassnet.data.registry import published

        session = replace(session, figures=published(chosen.data.dataset))
    given: dict[str, Any] = {"data": data, "data_dir": data_dir}
    with nullcontext() if config is None else _naming_file(config, chosen, changes):
        if find_lr:
            find_rate(chosen, session, **given)
        elif together:
            train_together(chosen, session, data_dir)
        elif seeds == 1:
            train_one(chosen, session, **given)
        else:
            train_seeds(chosen, seeds, session, **given)


def _was_launched() -> bool:
    from glassnet.training.data_parallel import was_launched

    return was_launched()


@contextlib.contextmanager
def _naming_file(file: Path, chosen: RunConfig, changes: Mapping[str, Any]) -> Iterator[None]:
    """Name the configuration file where what is wrong is an option that stands there, and no flag changes it."""
    try:
        yield
    except UsageError as error:
        name = error.name.rpartition(".")[2]
        for section in ("data", "network", "training"):
            if name in getattr(chosen, section).model_fields_set and name not in changes[section]:
                raise FileError(file, f"{section}.{name}: {error.problem}") from None
        raise


def _refuse(options: Mapping[str, Any], problem: str) -> None:
    """Refuse the first option that was given."""
    for name, given in options.items():
        if given:
            raise UsageError(name, problem)


def train_one(
    config: RunConfig, session: SessionOptions, *, data: Dataset | None = None, data_dir: Path | None = None
) -> Run:
    """Train as a configuration says, and print what came of it, with published figures beside it.

    Ends with 130, 143 or 129 after a signal; what was learned is saved and said. Ends with 1 where the network
    is sick and that is to be an error.
    """
    from glassnet.training.run import load_data

    if data is None:
        data = load_data(config, data_dir)
    _announce(data, session)
    with _open_folder(config, data, session) as folder:
        trained = _train(config, data, folder, session, survives=session.remedy)
        if session.remedy:
            return _train_again(config, trained, data, folder, session, data_dir)
    print_run(trained, data, session)
    return trained.run


def train_together(config: RunConfig, session: SessionOptions, data_dir: Path | None) -> None:
    """Train one network with the other processes of ``mpirun``; the first of them saves, prints and reports.

    An error of any process ends all of them; what the first has saved stays.
    """
    from glassnet.training.results import DivergenceError
    from glassnet.training.run import load_data, run
    from glassnet.training.shared_rows import keep_share

    with _joined() as group:
        data = load_data(config, data_dir)
        if group.rank == 0:
            _announce(data, session)
            here = f"{group.on_this_machine} of them on this machine"
            say(f"{group.size} processes train together, {here}; the steps are NumPy's")
        data = keep_share(data, group, config)  # the rows of the others are let go
        if group.rank > 0:
            with contextlib.suppress(DivergenceError, KeyboardInterrupt):  # the first tells of it
                run(config, data, progress=False, group=group)
            return
        with _open_folder(config, data, session) as folder:
            options: dict[str, Any] = {"callbacks": _make_trackers(session, folder), "progress": session.progress}
            train = functools.partial(run, config, data, run_dir=folder, group=group, **options)
            load = functools.partial(load_data, config, data_dir)
            print_run(_train_and_report(train, data, folder, session, load=load), data, session)


@contextlib.contextmanager
def _joined() -> Iterator[Group]:
    """Join the processes of ``mpirun``; an error here ends all of them, once it is said."""
    from glassnet.training.data_parallel import join_group

    group = join_group()
    try:
        yield group
    except (KeyboardInterrupt, typer.Exit):  # which all have received
        raise
    except BaseException as error:
        if group.rank > 0:
            time.sleep(1)  # an error of all of them is said by the first, who then ends the others
        atexit.register(group.abort, getattr(error, "exit_code", 1))
        raise


def _train_again(
    config: RunConfig,
    before: TrainedRun,
    data: Dataset,
    folder: Path,
    session: SessionOptions,
    data_dir: Path | None,
) -> Run:
    """Apply the first remedy of a sick run, train again in a folder beside it, and print both.

    A run that is healthy, or has no remedy, is printed alone.
    """
    from glassnet.training.config import configure
    from glassnet.training.run import load_data

    health = before.run.health
    first = None if health is None else next((found for found in health.diagnoses if found.sick), None)
    if first is None or first.remedy is None:
        print_run(before, data, session)
        return before.run
    say(f"once more with {first.remedy}")
    changed = configure(first.remedy.changes, config)
    again = load_data(changed, data_dir) if "data" in first.remedy.changes else data
    after = _train(changed, again, folder.with_name(f"{folder.name}_remedied"), session)
    print_comparison(before, after, first, data, session)
    return after.run


def train_seeds(
    config: RunConfig, seeds: int, session: SessionOptions, *, data: Dataset | None, data_dir: Path | None
) -> None:
    """Train networks that differ in their seed, a run folder each, and print mean and spread of their measures."""
    from glassnet.training.run import load_data

    if data is None:
        data = load_data(config, data_dir)
    _announce(data, session)
    trained = []
    with _open_folder(config, data, session, new=True) as folder:
        for seed in range(config.seed, config.seed + seeds):
            network = config.network.model_copy(update={"seed": None})
            one = config.model_copy(update={"seed": seed, "network": network, "start": None})
            trained.append(_train(one, data, folder / f"seed-{seed}", session))
    print_seeds(trained, folder, data, session)


def resume_run(folder: Path, session: SessionOptions, *, epochs: int | None, data_dir: Path | None) -> None:
    """Go on with a run, and print what came of it."""
    from glassnet.training.run import load_run_data, resume
    from glassnet.training.run_folder import RunFolder

    data = load_run_data(RunFolder(folder), data_dir)
    options: dict[str, Any] = {"callbacks": _make_trackers(session, folder), "progress": session.progress}
    train = functools.partial(resume, folder, data, epochs=epochs, **options)
    print_run(_train_and_report(train, data, folder, session), data, session)


def find_rate(config: RunConfig, session: SessionOptions, *, data: Dataset | None, data_dir: Path | None) -> None:
    """Try learning rates on a network, and print which to take; the curve is saved as a picture."""
    from glassnet.charts.painting import figure_of, save_figure
    from glassnet.training.config import resolve_names
    from glassnet.training.range_test import find_learning_rate
    from glassnet.training.run import build_network, load_data

    resolve_names(config)
    if data is None:
        data = load_data(config, data_dir)
    _announce(data, session)
    network, training = build_network(config, data), config.training
    found = find_learning_rate(
        network, data, optimizer=training.optimizer, batch_size=training.batch_size, seed=config.seed
    )
    with _open_folder(config, data, session, new=True) as folder:
        picture = folder / "learning_rates.png"
        save_figure(figure_of(found.chart(session.words)), picture)
    print_range_test(found, network, data, picture, session)


def _announce(data: Dataset, session: SessionOptions) -> None:
    """Say on stderr what is to be known before training."""
    print_remarks(data)
    if session.remark:
        say(session.remark)


def _make_trackers(session: SessionOptions, folder: Path) -> list[Callback]:
    """Return the trackers that were asked for."""
    from glassnet.training.trackers import MLflow, TensorBoard

    trackers: list[Callback] = [TensorBoard(folder / "tensorboard")] if session.tensorboard else []
    return [*trackers, MLflow()] if session.mlflow else trackers


def _open_folder(
    config: RunConfig, data: Dataset, session: SessionOptions, *, new: bool = False
) -> AbstractContextManager[Path]:
    """Return the folder to save in, as a context; `new` makes the one that was named."""
    from glassnet.training.run import choose_layers
    from glassnet.training.run_folder import default_folder, new_folder

    if session.run_dir is None:
        return default_folder(data.name, choose_layers(config, data))
    return new_folder(session.run_dir) if new else nullcontext(session.run_dir)


def _train(
    config: RunConfig, data: Dataset, folder: Path, session: SessionOptions, *, survives: bool = False
) -> TrainedRun:
    """Train into a folder."""
    from glassnet.training.run import run

    options: dict[str, Any] = {"callbacks": _make_trackers(session, folder), "progress": session.progress}
    train = functools.partial(run, config, data, run_dir=folder, **options)
    return _train_and_report(train, data, folder, session, survives=survives)


def _train_and_report(
    train: Callable[[], Run],
    data: Dataset,
    folder: Path,
    session: SessionOptions,
    *,
    survives: bool = False,
    load: Callable[[], Dataset] | None = None,
) -> TrainedRun:
    """Train, and write the report, also of a run that diverges; its error is then raised, or only said.

    The test rows go through the network once, for the report and for all that is printed of it. `load` loads the
    data for the report, where those at hand are but a share.
    """
    from glassnet.training.metrics import evaluate_predictions, predict_test_rows
    from glassnet.training.results import DivergenceError
    from glassnet.training.run_folder import CONFIG_FILE

    divergence = None
    try:
        ended = train()
    except KeyboardInterrupt as stop:
        begun = (folder / CONFIG_FILE).is_file()
        raise say_stopped(stop, f"; go on with: glassnet train --resume {quote(str(folder))}" * begun) from None
    except DivergenceError as error:
        ended, divergence = error.run, error
    predict = functools.cache(functools.partial(predict_test_rows, ended.network, data))
    whole = data if load is None or not session.writes_report else load()
    file = report_run_end(ended, whole, session.language, predict) if session.writes_report else None
    if divergence is not None:
        problem = f"{divergence}" if file is None else f"{divergence}; report: {file}"
        if not survives:
            raise DivergenceError(problem, ended)
        say(problem)
    predictions = predict()
    return TrainedRun(ended, file, None if predictions is None else evaluate_predictions(predictions))
