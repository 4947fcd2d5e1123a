"""A fit: from an estimator's parameters, a network and rows to a run of the Trainer, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from signal import SIGINT
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from glassnet.data.schema import Schema
from glassnet.errors import UsageError
from glassnet.estimators.convergence import Convergence, Pace
from glassnet.estimators.rows import join_rows
from glassnet.estimators.sklearn_callbacks import EpochTasks
from glassnet.estimators.solvers import ShuffledRows, choose_optimizer, seed_of
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.optimizers import Optimizer, OptimizerState
from glassnet.runtime.callers import warn_caller
from glassnet.training.callbacks import Callback, check_callbacks
from glassnet.training.fit import describe_run, resolve_options
from glassnet.training.health.verdict import has_learned
from glassnet.training.results import DivergenceError, Interrupted, Run
from glassnet.training.train_state import copy_parameters
from glassnet.training.trainer import Trainer

#: What is said where the numbers overflow; scikit-learn's users know it by that.
NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
    "preprocessed."
)


@dataclass
class SolverState:
    """What a solver remembers from one call of ``partial_fit`` to the next."""

    learning_rate: float
    memory: OptimizerState


@dataclass
class Rows:
    """Rows to learn from as a network takes them, with targets, weights and meaning; and those for validation."""

    X: Array
    y: Array
    weight: Array | None
    schema: Schema
    validation: tuple[Array, Array] | None = None
    validation_weight: Array | None = None


@dataclass
class Fit:
    """One fit of an estimator: `run` trains the network, and sets what was learned as the estimator's attributes.

    Incremental is what ``partial_fit`` does: one epoch, with the memory of the optimizer; `earlier` is the
    `Convergence` of the fit before, where this one goes on with it.
    """

    estimator: Any
    network: Network
    rows: Rows
    random_state: Any
    incremental: bool
    earlier: Convergence | None
    memory: SolverState | None

    def run(self, tasks: list[EpochTasks]) -> Run:
        """Train, and return the run; `tasks` tell scikit-learn's callbacks of it."""
        estimator, optimizer = self.estimator, choose_optimizer(self.estimator)
        n = len(self.rows.y)
        batch_size = n if optimizer.full_batch else self._choose_batch_size(n)
        weight = self.rows.weight
        alpha = float(estimator.alpha) / (batch_size * (1.0 if weight is None else float(weight.mean()) or 1.0))
        convergence = self._watch(optimizer, alpha, n)
        options = self._options(optimizer, convergence, alpha, batch_size)
        training, components = resolve_options(options)
        sampler = ShuffledRows.of(
            n, batch_size, self.random_state if estimator.shuffle and not self.minimises else None
        )
        components = replace(components, sampler=sampler, quiet=True)
        data = join_rows(self.rows.schema, (self.rows.X, self.rows.y), self.rows.validation)
        seed = seed_of(estimator.random_state)
        config = describe_run(self.network, data, training, seed, weight)
        callbacks = list(estimator.callbacks or ())
        check_callbacks(callbacks)
        opened = Trainer.open(self.network, data, config, components, sample_weight=weight)
        with opened as trainer:
            if self.memory is not None:
                recall(trainer, self.memory)
            run = self._train(trainer, convergence, [convergence, *callbacks, *tasks])
            state = trainer.state.optimizer
            result = getattr(trainer.engine, "result", None) if self.minimises else None
        self._keep(run, convergence, SolverState(optimizer.learning_rate * convergence.factor, state), result)
        return run

    @property
    def minimises(self) -> bool:
        """Whether one call of SciPy's L-BFGS is the whole fit."""
        return self.estimator.optimizer is None and self.estimator.solver == "lbfgs"

    @property
    def epochs(self) -> int:
        """Epochs at most."""
        return 1 if self.incremental or self.minimises else int(self.estimator.max_iter)

    @property
    def _paces(self) -> bool:
        """Whether scikit-learn's learning rates are in use: those of "sgd"."""
        estimator = self.estimator
        return estimator.optimizer is None and estimator.solver == "sgd" and estimator.schedule is None

    def _choose_batch_size(self, n: int) -> int:
        asked = self.estimator.batch_size
        if asked == "auto":
            return min(200, n)
        if asked > n:
            warn_caller("Got `batch_size` less than 1 or larger than sample size. It is going to be clipped")
        return min(int(asked), n)

    def _options(
        self, optimizer: Optimizer, convergence: Convergence, alpha: float, batch_size: int
    ) -> dict[str, Any]:
        """Return the options of `glassnet.fit` that the parameters stand for."""
        estimator = self.estimator
        options: dict[str, Any] = {
            "optimizer": optimizer,
            "epochs": self.epochs,
            "l2": alpha,
            "class_weight": getattr(estimator, "class_weight", None),
            "augmentation": estimator.augmentation or "none",
            "kernels": estimator.kernels,
            "threads": estimator.n_threads,
        }
        if not optimizer.full_batch:
            options["batch_size"] = batch_size
        if estimator.schedule is not None:
            if self.incremental:
                raise UsageError("schedule", "partial_fit knows no last epoch; take fit, or leave it out")
            options["schedule"] = estimator.schedule
        elif self._paces:
            options["schedule"] = Pace(convergence=convergence)
        extra = dict(estimator.options or {})
        if twice := sorted(options.keys() & extra.keys()):
            raise UsageError("options", f"{twice[0]} is said by the other parameters; leave it out here")
        return options | extra

    def _watch(self, optimizer: Optimizer, alpha: float, n: int) -> Convergence:
        """Return what decides when training ends; it goes on counting where the fit goes on."""
        estimator = self.estimator
        score = None
        if estimator.early_stopping and self.rows.validation is not None:
            score = self._score
        convergence = Convergence(
            tol=float(estimator.tol),
            patience=estimator.n_iter_no_change,
            penalty=alpha,
            rate=optimizer.learning_rate,
            rates=estimator.learning_rate if self._paces else "constant",
            power=float(estimator.power_t),
            score=score,
            verbose=bool(estimator.verbose),
            rows=n,
        )
        earlier = self.earlier
        if earlier is not None:
            for name in ("seen", "losses", "best_loss", "scores", "best_score", "waited"):
                setattr(convergence, name, getattr(earlier, name))
        if self.memory is not None:
            convergence.factor = self.memory.learning_rate / optimizer.learning_rate
        if score is not None:
            convergence.best = copy_parameters(self.network)
        return convergence

    def _score(self, run: Run) -> float:
        """Return the score of the validation rows after an epoch."""
        rows = self.rows
        assert rows.validation is not None
        return float(self.estimator._score_outputs(run.network, *rows.validation, rows.validation_weight))

    def _train(self, trainer: Trainer, convergence: Convergence, callbacks: list[Callback]) -> Run:
        """Train; numbers that overflow are an error, unless validation knows better parameters."""
        try:
            return trainer.fit(callbacks, progress=False)
        except DivergenceError as error:
            if convergence.score is None:
                raise ValueError(f"{NON_FINITE} {error}") from error
            warn_caller(f"{NON_FINITE} The best parameters so far are kept. {error}", ConvergenceWarning)
            convergence.losses.append(np.nan)
            convergence.scores.append(np.nan)
            convergence.epochs += 1
            return error.run
        except Interrupted as error:
            if error.signal != SIGINT:
                raise
            warn_caller("Training interrupted by user.")
            return error.run

    def _keep(self, run: Run, convergence: Convergence, solver: SolverState, result: Any) -> None:
        """Set what was learned; warn where training ended before it converged."""
        estimator, network = self.estimator, self.network
        estimator.n_iter_, estimator.t_ = convergence.epochs, convergence.seen
        if convergence.best is not None:
            network.theta[:], network.parameters.statistics[:] = convergence.best
        if result is None:
            self._keep_curves(convergence)
            if run.stopped == "epochs" and not self.incremental:
                warn_caller(
                    f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the "
                    f"optimization hasn't converged yet.{_say_health(run)}",
                    ConvergenceWarning,
                )
        else:
            estimator.n_iter_, estimator.loss_ = min(int(result.nit), int(estimator.max_iter)), float(result.fun)
            estimator.t_ = 0
            if result.status != 0:
                warn_caller(
                    f"lbfgs failed to converge after {result.nit} iteration(s) (status={result.status}): "
                    f"{result.message}; increase max_iter or max_fun, or scale the data.{_say_health(run)}",
                    ConvergenceWarning,
                )
        convergence.score = convergence.best = None
        estimator._convergence, estimator._optimizer = convergence, solver
        estimator._no_improvement_count = convergence.waited
        estimator.run_, estimator.model_ = run, run.model
        estimator.history_ = run.history

    def _keep_curves(self, convergence: Convergence) -> None:
        estimator, scored = self.estimator, convergence.score is not None
        estimator.loss_curve_ = convergence.losses
        if convergence.losses:
            estimator.loss_ = convergence.losses[-1]
        estimator.best_loss_ = None if scored else convergence.best_loss
        estimator.validation_scores_ = convergence.scores if scored else None
        estimator.best_validation_score_ = convergence.best_score if scored else None


def recall(trainer: Trainer, memory: SolverState) -> None:
    """Give a trainer the memory of an optimizer."""
    state = trainer.state.optimizer
    if len(state.memory) != len(memory.memory.memory):
        raise UsageError(
            "solver", "partial_fit goes on with the optimizer that it began with; take that, or fit anew"
        )
    state.t = memory.memory.t
    for mine, earlier in zip(state.memory, memory.memory.memory, strict=True):
        mine[:] = earlier
    trainer.engine.load()


def _say_health(run: Run) -> str:
    """Return what a sick network lacks, as a sentence; where it has learned something, only where to look."""
    history = list(run.history)
    if len(history) < 2 or has_learned(history):
        return " The attribute health_ says how well the network is."
    sick = [] if run.health is None else [one for one in run.health.diagnoses if one.sick]
    return f" {sick[0]}" if sick else ""
