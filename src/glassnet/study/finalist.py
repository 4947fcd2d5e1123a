"""The recommended plan on the test rows: the one look that a study takes at them, and the record of it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, FileError
from glassnet.runtime.files import write_bytes
from glassnet.study.design import Study
from glassnet.study.recommendation import recommend
from glassnet.study.results import Row
from glassnet.study.statistics import larger_is_better, value_of
from glassnet.study.study_folder import StudyFolder
from glassnet.training.config import RunConfig, check_data
from glassnet.training.metrics import Evaluation, evaluate_predictions, predict_test_rows
from glassnet.training.model_file import load_model
from glassnet.training.run import load_data
from glassnet.training.run_folder import CONFIG_FILE, RunFolder

RECOMMENDED_FILE = "recommended.json"

#: Of ``study.json``: the test rows were opened for every run.
OPENED = "test_rows_opened"


@dataclass(frozen=True)
class Look:
    """A network that was judged on the test rows: its variant and seed, and the SHA-256 of its parameters."""

    variant: str
    seed: int
    theta_sha256: str


@dataclass(frozen=True)
class Finalist:
    """The recommended plan, judged on the test rows: what ``recommended.json`` holds.

    Attributes
    ----------
    variant : str
    levels : dict of str to str
        Its level of every factor.
    seed : int
        Of the run that was judged, see `median_run`.
    folder, config : str
        The run's, and the file with its configuration, relative to the study's folder.
    measure : str
        What decided.
    value : float
        The run's.
    theta_sha256 : str
        Of the network that was judged.
    test_rows : int
    test_loss : float or None
        None where the network's outputs are not finite.
    test_measures : dict of str to float
        As in `glassnet.training.metrics.Evaluation`.
    test_intervals : dict of str to (float, float)
    earlier : tuple of Look
        Looks at the same test rows before this one: with more seeds, a study may recommend another plan. Where
        there are any, nobody may take these figures for those of rows that decided nothing.
    """

    variant: str
    levels: dict[str, str]
    seed: int
    folder: str
    config: str
    measure: str
    value: float
    theta_sha256: str
    test_rows: int
    test_loss: float | None
    test_measures: dict[str, float]
    test_intervals: dict[str, tuple[float, float]]
    earlier: tuple[Look, ...] = ()


def median_run(rows: Iterable[Row], variant: str, measure: str) -> Row:
    """Return the run of a variant whose measure is the median over its seeds; of two in the middle, the worse.

    Not the best: that one was lucky, and a plan promises what it mostly gives. Of equal runs the first is taken.

    Raises
    ------
    DataError
        If the variant has no run that counts.

    Examples
    --------
    >>> figures = [0.75, 0.5, 0.875, 0.625]
    >>> rows = [Row("base", {}, seed, "finished", {"validation_accuracy": x}) for seed, x in enumerate(figures)]
    >>> [median_run(some, "base", "validation_accuracy").seed for some in (rows[:3], rows)]
    [0, 3]
    """
    sign = -1 if larger_is_better(measure) else 1
    values = [(value_of(row, measure), row) for row in rows if row.variant == variant]
    runs = sorted(((sign * value, row) for value, row in values if value is not None), key=lambda run: run[0])
    if not runs:
        raise DataError(f"rows: {variant!r} has no run with a {measure}")
    return runs[len(runs) // 2][1]  # the best stands first


def missing_runs(study: Study, rows: Iterable[Row]) -> int:
    """Return how many runs of a study have no row yet."""
    there = {(row.variant, row.seed) for row in rows}
    return sum((one.name, seed) not in there for one in study.variants() for seed in study.seeds)


def open_for_all(folder: str | Path) -> None:
    """Note in a study's folder that every network of it is judged on the test rows, as a repeated table is."""
    place = StudyFolder(Path(folder))
    place.write(place.record() | {OPENED: True})


def are_open(study: Study, folder: str | Path) -> bool:
    """Whether the test rows of a study can judge no choice any more: all runs were judged on, or watched, them."""
    watched = any(one.config.data.validation == "test" for one in study.variants())
    return watched or bool(StudyFolder(Path(folder)).record().get(OPENED))


def judge_finalist(
    study: Study, folder: str | Path, rows: Sequence[Row], load: Callable[[RunConfig], Dataset] = load_data
) -> Finalist | None:
    """Open the test rows for the recommended plan, and write ``recommended.json`` into the study's folder.

    Parameters
    ----------
    study : Study
    folder : str or Path
        The study's.
    rows : sequence of Row
        Its rows, which decide what is recommended; the test rows decide nothing.
    load : callable, optional
        Gives the data of a configuration.

    Returns
    -------
    Finalist or None
        None, and the test rows stay closed, where runs are missing or no variant can be recommended; None also
        where they are open for all runs (`are_open`). Where the same network was judged before, what is recorded
        of it: no second look is taken.

    Raises
    ------
    FileError
        If the run's model cannot be read, or the outcome not be written.
    DataError
        If the data are not those that the run learned from.
    """
    folder = Path(folder)
    if missing_runs(study, rows) or are_open(study, folder):
        return None
    try:
        found = recommend(rows, study.measure, study.levels())
    except DataError:
        return None
    row = median_run(rows, found.variant, study.measure)
    run = RunFolder(folder / row.folder)
    config, network, before = run.config(), load_model(run.path), read_finalist(folder)
    theta = network.fingerprint()
    if before is not None and (before.variant, before.seed, before.theta_sha256) == (row.variant, row.seed, theta):
        return before
    data = load(config)
    check_data(config, data)
    earlier = () if before is None else (*before.earlier, Look(before.variant, before.seed, before.theta_sha256))
    predictions = predict_test_rows(network, data)
    test = evaluate_predictions(predictions) if predictions else Evaluation(len(data.test.y), math.nan)
    finalist = Finalist(
        variant=row.variant,
        levels=row.levels,
        seed=row.seed,
        folder=row.folder,
        config=f"{row.folder}/{CONFIG_FILE}",
        measure=study.measure,
        value=value_of(row, study.measure) or 0.0,
        theta_sha256=theta,
        test_rows=test.rows,
        test_loss=test.loss if math.isfinite(test.loss) else None,
        test_measures=test.measures,
        test_intervals=test.intervals,
        earlier=earlier,
    )
    write_bytes(folder / RECOMMENDED_FILE, (json.dumps(asdict(finalist), indent=1) + "\n").encode())
    return finalist


def read_finalist(folder: str | Path) -> Finalist | None:
    """Read what is recorded of the recommended plan; None where the test rows were never opened.

    Raises
    ------
    FileError
        If the record is damaged.
    """
    from pydantic import TypeAdapter

    path = Path(folder) / RECOMMENDED_FILE
    try:
        return TypeAdapter(Finalist).validate_json(path.read_bytes(), strict=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise FileError(path, "is no record of a recommended plan; remove it, and it is made again") from None
