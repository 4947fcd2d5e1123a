"""What Optuna does for a search: it draws trials, keeps a record of them, and says which parameters mattered.

A draw is a function of the sampler's name, the search's seed, the trial's number and the trials that were done
before its generation. So it does not depend on which of them ended first, and a search that goes on draws the
same again.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from glassnet.errors import FileError, GlassnetError, UsageError, unknown_name
from glassnet.runtime.files import lock_file
from glassnet.runtime.seeds import seed_words
from glassnet.searches.space import Choice, Dimension

#: The samplers, by the name that a search gives them.
SAMPLERS = ("random", "tpe")

#: Trials of a sampler that learns which are drawn together, before any of them is done.
GENERATION = 8

#: Trials that TPE draws at random first.
STARTUP = 10

#: The share of the best trials that PED-ANOVA holds against all, and how many they are at least.
BEST_SHARE, FEWEST_BEST = 0.1, 5

JOURNAL_FILE = "journal.log"


def load_optuna() -> Any:
    """Return Optuna, or say how it is installed."""
    try:
        import optuna
    except ImportError:
        raise GlassnetError('a search needs Optuna; install it with: pip install "glassnet[search]"') from None
    return optuna


def check_sampler(name: str) -> str:
    """Return a sampler's name; an unknown one is a `UsageError`."""
    if name not in SAMPLERS:
        raise unknown_name("sampler", name, SAMPLERS)
    return name


def make_distributions(dimensions: Mapping[str, Dimension]) -> dict[str, Any]:
    """Return the parameters as Optuna has them."""
    optuna = load_optuna()
    found: dict[str, Any] = {}
    for name, one in dimensions.items():
        if isinstance(one, Choice):
            found[name] = optuna.distributions.CategoricalDistribution(tuple(one.values))
        elif one.whole:
            step = 1 if one.step is None else int(one.step)
            found[name] = optuna.distributions.IntDistribution(int(one.low), int(one.high), one.log, step)
        else:
            found[name] = optuna.distributions.FloatDistribution(one.low, one.high, one.log, one.step)
    return found


@contextlib.contextmanager
def quiet_optuna() -> Iterator[Any]:
    """Give Optuna, which reports nothing of its own as long as the context lasts: what is to be said, we say."""
    optuna = load_optuna()
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
            yield optuna
    finally:
        optuna.logging.set_verbosity(before)


def draw(
    sampler: str,
    seed: int,
    numbers: Sequence[int],
    dimensions: Mapping[str, Dimension],
    known: Sequence[tuple[Mapping[str, Any], float]],
    larger_is_better: bool,
    drawn: Mapping[int, Mapping[str, Any]],
) -> dict[int, dict[str, Any]]:
    """Draw the trials of a generation.

    Parameters
    ----------
    sampler : str
        One of `SAMPLERS`.
    seed : int
        The search's.
    numbers : sequence of int
        The trials of the generation.
    dimensions : dict of str to Dimension
    known : sequence of (parameters, value)
        The trials of the generations before, by number, with what they came to. At random they decide nothing.
    larger_is_better : bool
    drawn : dict of int to parameters
        The trials of this generation that were drawn before; they stay as they are.

    Returns
    -------
    dict of int to parameters
    """
    with quiet_optuna() as optuna:
        distributions = make_distributions(dimensions)
        study = optuna.create_study(direction="maximize" if larger_is_better else "minimize")
        if sampler != "random":
            study.add_trials([_trial(optuna, params, distributions, value) for params, value in known])
        found = {}
        for number in numbers:
            if number in drawn:
                found[number] = dict(drawn[number])
                study.add_trial(_trial(optuna, found[number], distributions, None))
                continue
            own = seed_words(seed, "search", number + 1)[number]
            study.sampler = {
                "random": lambda own=own: optuna.samplers.RandomSampler(seed=own),
                "tpe": lambda own=own: optuna.samplers.TPESampler(n_startup_trials=STARTUP, seed=own),
            }[sampler]()
            found[number] = dict(study.ask(distributions).params)
    return found


def _trial(optuna: Any, params: Mapping[str, Any], distributions: Mapping[str, Any], value: float | None) -> Any:
    """Return a trial as Optuna has it; one without a value is under way."""
    state = optuna.trial.TrialState.RUNNING if value is None else optuna.trial.TrialState.COMPLETE
    return optuna.trial.create_trial(
        state=state, params=dict(params), distributions=dict(distributions), value=value
    )


class TrialRecord:
    """The record of a search's trials in a storage of Optuna, which other programs can read as well.

    It holds what was drawn, before it is run, and what the trials came to. `path` is that of the journal file,
    the default; `url` that of a database in its place.
    """

    def __init__(self, path: Path, url: str | None, name: str, larger_is_better: bool) -> None:
        self.where = path if url is None else "storage"
        with quiet_optuna() as optuna:
            self.optuna = optuna
            self.storage = self._open(path, url)
            direction = optuna.study.StudyDirection
            directions = [direction.MAXIMIZE if larger_is_better else direction.MINIMIZE]
            try:
                self.study = self.storage.get_study_id_from_name(name)
            except KeyError:
                self.study = self.storage.create_new_study(directions, name)

    def _open(self, path: Path, url: str | None) -> Any:
        optuna = self.optuna
        if url is None:
            mend_journal(path)
            backend = optuna.storages.journal.JournalFileBackend(str(path), lock_obj=_make_lock(optuna, path))
            try:
                return optuna.storages.JournalStorage(backend)
            except (ValueError, KeyError, AssertionError) as error:
                raise FileError(path, f"is no journal of Optuna: {error}; choose another folder") from None
        try:
            return optuna.storages.RDBStorage(url)
        except Exception as error:  # of SQLAlchemy, or of the driver that it asks for
            problem = " ".join(str(error).split())[:200]
            raise UsageError("storage", f"{url.partition('://')[0]}: cannot be opened: {problem}") from None

    def trials(self) -> dict[int, dict[str, Any]]:
        """Return what was drawn, by number."""
        return {one.number: dict(one.params) for one in self.storage.get_all_trials(self.study, deepcopy=False)}

    def add(self, number: int, params: Mapping[str, Any], dimensions: Mapping[str, Dimension]) -> None:
        """Note what was drawn, in one write: a trial is there with all of its parameters, or not at all."""
        with quiet_optuna() as optuna:
            distributions = make_distributions(dimensions)
            made = self.storage.create_new_trial(self.study, _trial(optuna, params, distributions, None))
            there = self.storage.get_trial_number_from_id(made)
        if there != number:
            raise GlassnetError(
                f"{self.where}: trial {number} was written as {there}: another search writes there, too; "
                "give each its own"
            )

    def report(self, number: int, epochs: int, value: float) -> None:
        """Note what a trial came to after so many epochs."""
        with self._updating(number) as trial:
            if trial is not None:
                self.storage.set_trial_intermediate_value(trial, epochs, value)

    def end(self, number: int, value: float | None, *, cut: bool) -> None:
        """Note that a trial has ended: with a value, cut off before its last epoch, or without one."""
        state = self.optuna.trial.TrialState
        ended = state.FAIL if value is None else state.PRUNED if cut else state.COMPLETE
        with self._updating(number) as trial:
            if trial is not None:
                self.storage.set_trial_state_values(trial, ended, None if value is None else [value])

    @contextlib.contextmanager
    def _updating(self, number: int) -> Iterator[int | None]:
        """Give the number that the storage has for a trial; None where it has ended there."""
        with quiet_optuna():
            trial = self.storage.get_trial_id_from_study_id_trial_number(self.study, number)
            yield None if self.storage.get_trial(trial).state.is_finished() else trial


def mend_journal(path: Path) -> None:
    """Take a last line away that a killed process left unfinished; the trial in it is drawn again, the same."""
    if not path.exists():
        return
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if len(whole) < len(text):
        with path.open("r+b") as file:
            file.truncate(len(whole))


def _make_lock(optuna: Any, path: Path) -> Any:
    """Return a lock of the journal that the system lets go of when its process dies."""
    Base: Any = optuna.storages.journal.JournalFileOpenLock.__base__

    class SystemLock(Base):  # type: ignore[misc]
        def __init__(self) -> None:
            self.held = contextlib.ExitStack()

        def acquire(self) -> bool:
            self.held.enter_context(lock_file(path.with_name(f"{path.name}.lock"), wait=30.0))
            return True

        def release(self) -> None:
            self.held.close()

    return SystemLock()


def measure_importance(
    trials: Sequence[tuple[Mapping[str, Any], float]], dimensions: Mapping[str, Dimension], larger_is_better: bool
) -> dict[str, float]:
    """Return how much each parameter had to do with being among the best trials, as shares of 1; none for few.

    It is PED-ANOVA: the parameter's distribution among the best trials is held against that among all of them, by
    their Pearson divergence. The best are the first tenth, or `FEWEST_BEST`.

    Source: S. Watanabe, A. Bansal and F. Hutter (2023), PED-ANOVA: efficiently quantifying hyperparameter
    importance in arbitrary subspaces, IJCAI.
    """
    if len(trials) < 2 * FEWEST_BEST:
        return {}
    share = max(BEST_SHARE, FEWEST_BEST / len(trials))
    with quiet_optuna() as optuna:
        distributions = make_distributions(dimensions)
        study = optuna.create_study(direction="maximize" if larger_is_better else "minimize")
        study.add_trials([_trial(optuna, params, distributions, value) for params, value in trials])
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=share)
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    known = {name: value for name, value in found.items() if math.isfinite(value)}
    return {name: float(value) for name, value in sorted(known.items(), key=lambda pair: -pair[1])}
