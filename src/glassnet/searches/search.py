"""`glassnet.search`: the best plan for a data set, found on its validation rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, GlassnetError, UsageError
from glassnet.runtime.files import write_bytes
from glassnet.searches.design import FINISH, TRIALS, Search, default_name, space_text
from glassnet.searches.results import SearchResult, gather_results, plan_text
from glassnet.searches.runner import SearchRunner
from glassnet.searches.sampling import load_optuna
from glassnet.searches.search_folder import PLAN_FILE, SearchFolder
from glassnet.searches.space import Space, read_space, shipped_values, space_of
from glassnet.study.fairness import DataCache, check
from glassnet.study.final_evaluation import evaluate_row
from glassnet.training.config import configure

RESULTS_FILE = "results.csv"

#: Steps of a usual batch after which trials can be told apart; they take 1 / `MOST_SHARE` of all epochs at most.
FEWEST_STEPS, USUAL_BATCH, MOST_SHARE = 10, 128, 25


def search(
    dataset: str | Path,
    *,
    trials: int = TRIALS,
    timeout: float | None = None,
    strategy: str = "one-epoch",
    sampler: str | None = None,
    space: str | Path | Mapping[str, Any] | None = None,
    measure: str | None = None,
    epochs: int | None = None,
    finish: int = FINISH,
    first_epochs: int | None = None,
    seed: int = 0,
    folder: str | Path | None = None,
    storage: str | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    data_dir: str | Path | None = None,
    progress: bool = True,
    announce: Callable[[Dataset], None] = lambda data: None,
    **data_options: Any,
) -> SearchResult:
    """Search for the best plan for a data set: configurations are drawn, and judged on the validation rows.

    All trials have the same validation rows, the same seed and the same number of threads. No test row is read
    before the end; then they are opened once, for the winner. A search that was stopped or killed goes on: call
    this again with the same folder. No trial that has ended is repeated.

    Parameters
    ----------
    dataset : str or Path
        A name from ``glassnet data list``, or a file or folder of data.
    trials : int, default 60
        Number of configurations. A search may get more of them later, in the same folder.
    timeout : float, optional
        Seconds for all of it. What runs then is saved, and goes on if the search gets more time.
    strategy : {"one-epoch", "hyperband", "tpe", "random"}
        ``"one-epoch"``: train all trials for one epoch, and finish the best from there, bit for bit as if they had
        been trained at once. ``"hyperband"``: brackets of rungs. ``"tpe"`` and ``"random"``: train all to their
        end. See `glassnet.searches.strategies`.
    sampler : {"random", "tpe"}, optional
        What draws the trials, by default ``"tpe"`` for the strategy of that name, else ``"random"``. TPE draws 8
        at a time, and learns from all that were drawn before these.
    space : path or dict, optional
        What is drawn, and from what it starts, as `glassnet.searches.space.space_of` takes it; by default a space
        for images or one for tables.
    measure : str, optional
        What decides, on the validation rows; by default ``"validation_accuracy"``, and ``"validation_loss"`` where
        numbers are predicted.
    epochs : int, optional
        Epochs of a whole run, in place of the space's.
    finish : int, default 3
        Trials that the strategy ``"one-epoch"`` trains to their end.
    first_epochs : int, optional
        Epochs after which it chooses these; by default 1, and more where an epoch has fewer than 10 steps.
    seed : int, default 0
        Decides what is drawn, and is the seed of every run.
    folder : path, optional
        Where all is saved; by default ``searches/NAME``.
    storage : str, optional
        URL of a database for Optuna's record of the trials, ``"postgresql://..."`` for example; by default the
        file ``journal.log`` in the folder.
    workers : int, optional
        Number of processes, each with one thread; by default as many as are measured to be fastest.
    cluster : str, optional
        Address of the scheduler of a Dask cluster, whose workers do the runs, as those of a study.
    data_dir : path, optional
        Folder of the data sets, in place of the one that GLASSNET_DATA names.
    progress : bool, default True
        Whether to show the progress on stderr.
    announce : callable, optional
        Called with the data before anything is run; its ``remarks`` say what was decided while they were read.
    **data_options
        Options of the data, see `glassnet.load_dataset`: ``target="price"`` for example.

    Returns
    -------
    SearchResult
        The trials in their order, the winner, its ``plan`` and its figures on the test rows, the importance of
        each parameter; with ``plot()`` and ``to_pandas()``. The folder holds ``plan.toml``, which
        ``glassnet train --plan`` takes, and ``results.csv``.

    Raises
    ------
    UsageError, DataError
        If a value does not fit, or a configuration cannot be made of these data; nothing is run then.
    FileError
        If the folder belongs to another search or to other data files, is in use, or cannot be written.
    GlassnetError
        If Optuna is not installed.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM: the running runs finish their batch and are saved.

    Notes
    -----
    The same trials are drawn, and the same one wins, whatever the number of workers, and however often the search
    was stopped: each generation is drawn as a whole, before any of its trials has ended, and a rung waits for all
    of its trials. Only a limit of time makes the result depend on the machine.

    Worker processes import the calling program (spawn): it has to call this under ``if __name__ == "__main__":``.

    Examples
    --------
    >>> import tempfile
    >>> small = {"parameters": {"learning_rate": {"low": 0.0003, "high": 0.03, "log": True}}}
    >>> with tempfile.TemporaryDirectory() as place:
    ...     few = {"trials": 2, "finish": 1, "epochs": 3, "workers": 1}
    ...     found = search("iris", space=small, folder=place, progress=False, **few)
    >>> len(found.trials), len(found.finished), found.winner.epochs
    (2, 1, 3)
    """
    load_optuna()
    changes: dict[str, Any] = {"data": {"dataset": str(dataset), **data_options}, "seed": seed}
    if epochs is not None:
        changes["training"] = {"epochs": epochs}
    cache = DataCache(data_dir)
    values, chosen, data = _choose_space(space, changes, measure, cache)
    planned = Search(
        chosen,
        strategy,
        sampler or "",
        trials,
        finish,
        choose_first_epochs(data, chosen.base.training.epochs) if first_epochs is None else first_epochs,
        timeout,
    )
    check_space(chosen, data)
    announce(data)
    place = SearchFolder(Path("searches") / default_name(chosen) if folder is None else Path(folder))
    if workers is not None and (isinstance(workers, bool) or workers < 1):
        raise UsageError("workers", f"takes a number of processes, 1 or more, got {workers}")
    with place.hold(planned, space_text(values, chosen), {data.name: data.checksums}) as record:
        found = gather_results(
            planned,
            place.path,
            SearchRunner(planned, place, record, data_dir, progress, cluster).run(workers, storage),
            record,
        )
        return _conclude(found, cache)


def _choose_space(
    space: str | Path | Mapping[str, Any] | None, changes: dict[str, Any], measure: str | None, cache: DataCache
) -> tuple[dict[str, Any], Space, Dataset]:
    """Return the values of a space, the space for the data, and the data."""
    if isinstance(space, Mapping):
        values, chosen = dict(space), space_of(space, changes, measure)
    elif space is not None:
        values, chosen = read_space(space, changes, measure)
    else:
        first = cache.load(configure({"data": changes["data"], "seed": changes["seed"]}))
        values = shipped_for(first)
        chosen = space_of(values, changes, measure)
    data = cache.load(chosen.base)
    if measure is None and "measure" not in values and data.task == "regression":
        chosen = replace(chosen, measure="validation_loss")
    return values, chosen.for_data(data), data


def shipped_for(data: Dataset) -> dict[str, Any]:
    """Return the values of the space that comes along: one for images, and one for tables and all else.

    What cannot be had of these data is left out: moves of pictures that are not of bytes, and batches of more rows
    than there are.
    """
    values = shipped_values("tables" if data.image_shape is None else "images")
    parameters = values["parameters"]
    if data.train.X.dtype.itemsize > 1:  # only pictures of bytes can be moved
        parameters.pop("augmentation", None)
    sizes = [size for size in parameters["batch_size"]["choices"] if size <= len(data.train.y)]
    if len(sizes) > 1:
        parameters["batch_size"]["choices"] = sizes
    else:
        del parameters["batch_size"]
    return values


def choose_first_epochs(data: Dataset, epochs: int) -> int:
    """Return the epochs after which trials are compared: 1, or as many as take `FEWEST_STEPS` steps.

    They are at most 1 / `MOST_SHARE` of all epochs.
    """
    steps = math.ceil(len(data.train.y) / USUAL_BATCH)
    return max(1, min(math.ceil(FEWEST_STEPS / steps), epochs // MOST_SHARE))


def check_space(space: Space, data: Dataset) -> None:
    """Refuse a value that no run can be made of with these data, before anything is run."""
    if space.base.data.validation == "test":
        raise UsageError("validation", "test rows decide nothing in a search; set training rows aside")
    first = {name: one.drawn_ends[0] for name, one in space.dimensions.items()}
    tried = [
        first,
        *({**first, name: end} for name, one in space.dimensions.items() for end in one.drawn_ends[1:]),
    ]
    options = {key.partition(".")[2]: name for name, key in space.keys.items()}
    for drawn in tried:
        changed = [name for name in drawn if drawn[name] != first[name]]
        what = (
            ", ".join(f"{name}={space.labels(drawn)[name]}" for name in changed) or "the first of every parameter"
        )
        config = space.config(drawn).model_copy(update={"data": space.base.data})  # its rows are these
        try:
            check(what, config, data, space.measure)
        except UsageError as error:
            name = f"parameters.{options[error.name]}" if error.name in options else error.name
            raise UsageError(name, error.problem) from None


def _conclude(found: SearchResult, cache: DataCache) -> SearchResult:
    """Write the plan and the table of a search, and open the test rows for its winner, if it was trained whole."""
    write_bytes(found.folder / RESULTS_FILE, found.to_csv().encode())
    winner = found.winner
    if winner is None:
        return found
    write_bytes(found.folder / PLAN_FILE, plan_text(found).encode())
    if winner not in found.finished:
        return found
    data = cache.load(found.search.space.config(winner.drawn))
    if not len(data.test.y):
        return found
    try:
        return replace(found, evaluation=evaluate_row(found.folder, winner.row, found.measure, cache.load))
    except DataError as error:
        raise GlassnetError(f"{found.folder}: the winner cannot be evaluated: {error}") from None
