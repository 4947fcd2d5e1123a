"""A network in training: what an epoch does, how the network is judged after it, and all that has to be kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.data.augmentation import Augmentation
from glassnet.data.dataset import Dataset
from glassnet.data.large import release
from glassnet.errors import DataError, NonFiniteError, UsageError
from glassnet.nn.activations import Array
from glassnet.nn.matrix_optimizers import KFAC
from glassnet.nn.network import Network
from glassnet.nn.optimizer import Optimizer
from glassnet.nn.schedules import Schedule, ScheduleState
from glassnet.nn.targets import smooth
from glassnet.nn.update import Update
from glassnet.runtime.seeds import stream
from glassnet.training.checkpoint import Checkpoint
from glassnet.training.config import RunConfig
from glassnet.training.early_stopping import EarlyStopping, Watch
from glassnet.training.engine import make_engine
from glassnet.training.health.monitor import Health, Monitor
from glassnet.training.history import EpochRecord, History
from glassnet.training.metrics import RunningMetrics, check_metrics, measure, predict_rows
from glassnet.training.row_weights import row_weights
from glassnet.training.sampling import Sampler, evenly_spread
from glassnet.training.work import Work

#: Seconds of work between two looks at the clock, the progress and Ctrl-C; and to try a number of threads with.
PIECE, TRIAL = 0.03, 0.008

#: Training rows that batch normalisation's statistics are measured on, for parameters that are an average.
MEASURED_ROWS = 4096


@dataclass(frozen=True)
class Rules:
    """The objects that the specifications of a `TrainingConfig` stand for."""

    optimizer: Optimizer
    schedule: Schedule
    augmentation: Augmentation
    early_stopping: EarlyStopping | None


class Learner:
    """Network, data and rules, checked against each other before anything is changed.

    Parameters
    ----------
    network : Network
        Trained in place.
    data : Dataset
        What it learns from.
    rules, config : Rules, RunConfig
        How.
    sample_weight : array_like or None
        A weight for each training row.
    use_threads : callable
        From `glassnet.runtime.blas.blas_threads`.

    Attributes
    ----------
    judged : Network
        What is evaluated and saved: the network, or a copy with the average of its parameters.
    config : RunConfig
        With what the engine turned out to be.
    place : str
        Where training is, for messages.

    Raises
    ------
    UsageError, DataError
        If options, network and data do not fit.
    """

    def __init__(
        self,
        network: Network,
        data: Dataset,
        rules: Rules,
        config: RunConfig,
        sample_weight: Any,
        use_threads: Callable[[int], None],
    ) -> None:
        self.network, self.data, self.rules, training = network, data, rules, config.training
        self.sampler = Sampler.of_run(training, rules.optimizer, data)
        self.total_steps = training.epochs * self.sampler.steps
        self.schedule_state: ScheduleState = rules.schedule.start()
        self._factors(np.array([1]))  # refuses a warm-up that is longer than the run
        self.watched = len(data.validation.y) > 0
        X, targets = network.check_data(*data.train)
        if self.watched:
            network.check_data(*data.validation)
        self._check_metrics(training.metrics)
        image = self._image(X)
        if training.ema is not None and training.average_epochs is not None:
            raise UsageError("average_epochs", "ema averages already; take one of the two")
        if rules.early_stopping is not None and training.average_epochs is not None:
            raise UsageError("average_epochs", "early stopping knows no last epochs beforehand; take ema")
        if any(network.batch_norm) and self.sampler.batch_size == 1:
            raise UsageError("batch_size", "batch normalisation needs 2 rows or more in a batch")
        if isinstance(rules.optimizer, KFAC) and network.loss.reduction != "mean":
            raise UsageError("optimizer", "kfac needs a loss that is the mean over the rows; take adam")
        options = ("l1", "l2", "weight_decay", "clip_norm", "clip_value", "max_norm", "ema")
        update = Update(rules.optimizer, **{name: getattr(training, name) for name in options})
        self.sample_weight = sample_weight
        self.work = Work(
            network,
            update,
            update.start(network.parameters),
            X,
            smooth(targets, training.label_smoothing, network.loss.output),
            self._row_weights(training.class_weight, sample_weight),
            image,
            self.sampler.batch_size,
            config.seed,
            self._factors,
        )
        self.engine = make_engine(
            self.work,
            samples=self.sampler.samples,
            kernels=config.environment.get("kernels", training.kernels),  # recorded where a run goes on
            threads=training.threads,
            most=_whole(config.environment.get("threads")),
            use_threads=use_threads,
        )
        used = {"kernels": self.engine.kernels, "threads": str(self.engine.threads.most)}
        self.config = config.model_copy(update={"environment": config.environment | used})
        self._begin(config.seed)

    def _begin(self, seed: int) -> None:
        """Set up all that changes from epoch to epoch."""
        training = self.config.training
        averages = training.ema is not None or training.average_epochs is not None
        self.judged = self.network.copy() if averages else self.network
        self.average_after = max(0, training.epochs - (training.average_epochs or 0))
        self.averaged_epochs = 0
        self.watch = Watch(self.rules.early_stopping) if self.rules.early_stopping else None
        self.best: tuple[Array, Array] | None = None
        self.last_finite = _parameters(self.network)
        self.generators = {purpose: stream(seed, purpose) for purpose in ("shuffling", "augmentation")}
        self.before = self._generator_states()  # at the beginning of the present epoch
        self.metrics = RunningMetrics(self.network)
        self.first, self.seconds, self.began = 0, 0.0, 0.0  # of the present epoch: rows done, its time, its start
        self.monitor = Monitor(self.work, training, self.sampler.n, self.sampler.steps)
        self.place, self.latest = "before epoch 1", 0
        self.warm = False
        self.steps = 1

    def _check_metrics(self, metrics: list[str]) -> None:
        """Find out which metrics are measured after each epoch, and refuse those that cannot be."""
        rule = self.rules.early_stopping
        if rule is not None:
            rule.check(len(self.data.validation.y))
        watched = [rule.metric] if rule is not None and rule.metric is not None else []
        self.measured = list(dict.fromkeys([*metrics, *watched]))
        if self.measured and not self.watched:
            raise UsageError(
                "metrics", "are measured on validation rows, and there are none; set some aside with validation"
            )
        for option, names in (("metrics", metrics), ("early_stopping", watched)):
            try:
                check_metrics(self.network, self.data.validation, names, self.data.task, self.data.encoder)
            except UsageError as error:
                raise UsageError(option, error.problem) from None

    def _image(self, X: Array) -> tuple[int, int, int]:
        """Return height, width and channels of the images that are moved, or refuse to move what is none."""
        self.augments = self.rules.augmentation != Augmentation()
        if not self.augments:
            return 0, 0, 0
        shape = self.data.image_shape or ()
        if X.dtype != np.uint8 or len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] != 3):
            raise UsageError("augmentation", "moves pictures of bytes, and these data are none; leave it out")
        self.rules.augmentation.draw(np.random.default_rng(0), 1, *shape[:2])
        return shape[0], shape[1], 1 if len(shape) == 2 else shape[2]

    def _row_weights(self, class_weight: Any, sample_weight: Any) -> Array | None:
        """Return a weight for each training row, with the mean 1 over those that are drawn from."""
        y, drawn = self.data.train.y, self.sampler.n
        if sample_weight is not None and np.shape(sample_weight) == (len(y),):
            sample_weight = np.asarray(sample_weight)[:drawn]
        weights = row_weights(
            y[:drawn], self.data.class_names, class_weight, sample_weight, self.network.theta.dtype
        )
        if weights is None or drawn == len(y):
            return weights
        return np.concatenate([weights, np.ones(len(y) - drawn, weights.dtype)])

    def _factors(self, numbers: Array) -> Array:
        """Return what the schedule multiplies the step sizes of these steps by."""
        return self.rules.schedule.factors(numbers, self.total_steps, self.sampler.steps, self.schedule_state)

    def epoch(self, number: int) -> Iterator[int]:
        """Take an epoch's steps, from where it was left; yield how many were taken, some at a time."""
        self.before = self._generator_states()
        order = self.sampler.order(self.generators["shuffling"])
        moves = self._moves(len(order))
        size, threads = self.sampler.batch_size, self.engine.threads
        self.began = time.perf_counter()
        while self.first < len(order):
            done = (number - 1) * self.sampler.steps + self.first // size
            part = slice(self.first, self.first + self.monitor.room(done, self.steps) * size)
            start = time.perf_counter()
            losses, outputs, problem = self.engine.take(order[part], None if moves is None else moves[part])
            release(self.data.train.X)
            done += len(losses)
            self.latest = done + (problem is not None)
            self.place = f"epoch {number}, step {self.latest - (number - 1) * self.sampler.steps}"
            if problem is not None:
                raise problem
            elapsed = time.perf_counter() - start
            if self.warm and (threads.trying or not self.engine.steady):
                threads.observe(elapsed / len(losses))
            self.warm = True
            self.metrics.add(losses, outputs, self.data.train.y[order[part]], size)
            self.first += len(outputs)
            if self.monitor.wants(done):
                self.engine.store_theta()
                self.monitor.look(done)
            self.steps = max(1, int((TRIAL if threads.trying else PIECE) * len(losses) / elapsed))
            yield len(losses)
        if self.engine.steady and not threads.trying:
            threads.observe((time.perf_counter() - self.began) / self.sampler.steps)

    @property
    def elapsed(self) -> float:
        """Seconds that the present epoch has taken, also before the run was resumed."""
        return self.seconds + time.perf_counter() - self.began

    def _moves(self, n: int) -> Array | None:
        if not self.augments:
            return None
        return self.rules.augmentation.draw(self.generators["augmentation"], n, *self.work.image[:2])

    def end_epoch(self, number: int) -> EpochRecord:
        """Judge the network after an epoch, and make ready for the next."""
        self.engine.store()
        self._check_finite()
        if self.config.training.average_epochs is not None:
            self.averaged_epochs = max(0, number - self.average_after)
        self.judge()
        loss, accuracy, measures = self._evaluate()
        self.last_finite = _parameters(self.judged)
        factor = float(self._factors(np.array([self.work.state.t]))[0])
        learned = self.metrics
        self.rules.schedule.observe(self.schedule_state, learned.loss if loss is None else loss)
        record = EpochRecord(
            number,
            learned.loss,
            learned.accuracy,
            loss,
            accuracy,
            self.rules.optimizer.learning_rate * factor,
            self.elapsed,
            self.engine.threads.count,
            measures,
            **self.monitor.columns(number * self.sampler.steps),
        )
        self._observe(record)
        self.metrics = RunningMetrics(self.network)
        self.first, self.seconds = 0, 0.0
        return record

    def _check_finite(self) -> None:
        theta = self.network.theta
        bad = np.flatnonzero(~np.isfinite(theta))
        if len(bad):
            raise NonFiniteError(f"the parameter {self.network.parameters.name(bad[0])} became {theta[bad[0]]}")

    def judge(self) -> None:
        """Bring the network that is judged up to date: where parameters are averaged, it has their average."""
        if self.judged is self.network:
            return
        average = self.work.update.average(self.work.state)
        theta = self.network.theta if average is None else average
        if average is None and self.averaged_epochs > 1:
            self.judged.theta += (theta - self.judged.theta) / theta.dtype.type(self.averaged_epochs)
        else:
            self.judged.theta[:] = theta
        self.judged.parameters.statistics[:] = self.network.parameters.statistics
        if any(self.judged.batch_norm) and (average is not None or self.averaged_epochs > 1):
            rows = evenly_spread(self.sampler.n, MEASURED_ROWS)
            self.judged.measure_statistics(self.work.X[rows])

    def _evaluate(self) -> tuple[float | None, float | None, dict[str, float]]:
        """Return loss, accuracy and the chosen metrics on the validation rows."""
        if not self.watched:
            return None, None, {}
        predictions = predict_rows(self.judged, self.data.validation, self.data.task, self.data.encoder)
        found = measure(predictions, self.measured)
        measures = {f"validation_{name}": value for name, value in found.items() if name not in GIVEN}
        return predictions.running.loss, predictions.running.accuracy, measures

    def _observe(self, record: EpochRecord) -> None:
        """Keep the parameters where they are the best so far."""
        if self.watch is None:
            return
        rule = self.watch.rule
        value = record.row()[rule.monitor if rule.metric is None else f"validation_{rule.metric}"]
        if self.watch.observe(record.epoch, np.nan if value is None else value):
            self.best = _parameters(self.judged)

    @property
    def patience_ended(self) -> bool:
        """Whether early stopping says that it is enough."""
        return self.watch is not None and self.watch.stop

    def stop(self) -> bool:
        """End in the middle of an epoch, at a finite theta, and say whether it is where training is."""
        self.engine.store()
        if not np.isfinite(self.network.theta).all():
            self.restore()
            return False
        if self.averaged_epochs == 0:  # a mean over epochs stays that of whole ones
            self.judge()
        return True

    def restore(self) -> None:
        """Go back to what was judged last."""
        for network in (self.network, self.judged):
            _set_parameters(network, self.last_finite)

    def health(self, history: History, *, warn: bool = False, lost: NonFiniteError | None = None) -> Health:
        """Judge how well the network is; theta is that of the latest step.

        Parameters
        ----------
        history : History
            The epochs so far.
        warn : bool
            Warn where it is sick.
        lost : NonFiniteError, optional
            What ended training, where numbers were lost.
        """
        if lost is not None:
            self.monitor.diverged(self.latest, lost.layer)
        done = len(history) * self.sampler.steps + self.first // self.work.batch_size
        return self.monitor.health(list(history), done, warn=warn)

    def leave(self) -> None:
        """Give the network what is judged and saved."""
        _set_parameters(self.network, _parameters(self.judged))

    def finish(self) -> None:
        """Give the network what it is to end with: the best parameters, the average, or what it has."""
        best = self.watch is not None and self.watch.rule.restore_best and self.best
        last = best or _parameters(self.judged)
        for network in (self.network, self.judged):
            _set_parameters(network, last)

    def checkpoint(self, history: History, ended: str = "") -> Checkpoint:
        """Return all that is needed to go on from here; the engine has stored what it holds.

        Parameters
        ----------
        history : History
            The epochs so far.
        ended : str
            Why training is at its end, where it is.
        """
        arrays = {"theta": self.network.theta, "statistics": self.network.parameters.statistics}
        arrays |= {f"memory_{place}": vector for place, vector in enumerate(self.work.state.memory)}
        kept = {"finite": self.last_finite if self.first else None, "best": self.best}
        if self.judged is not self.network:
            kept["judged"] = _parameters(self.judged)
        if self.monitor.theta is not None:
            arrays["examined_theta"] = self.monitor.theta
        for name, parameters in kept.items():
            if parameters is not None:
                arrays[f"{name}_theta"], arrays[f"{name}_statistics"] = parameters
        if self.sample_weight is not None:
            arrays["sample_weight"] = np.asarray(self.sample_weight, np.float64)
        return Checkpoint(arrays, {**self._values(history), "ended": ended})

    def _generator_states(self) -> dict[str, Any]:
        return {name: generator.bit_generator.state for name, generator in self.generators.items()}

    def _values(self, history: History) -> dict[str, Any]:
        return {
            "network": self.network.description(),
            "t": self.work.state.t,
            "first": self.first,
            "seconds": self.elapsed if self.first else 0.0,
            "generators": self.before if self.first else self._generator_states(),
            "running": self.metrics.state_dict(),
            "schedule": self.schedule_state.to_dict(),
            "watch": self.watch.state() if self.watch else None,
            "averaged_epochs": self.averaged_epochs,
            "health": self.monitor.state(),
            "epochs": len(history),
            "history": history.to_csv(),
        }

    def go_on_from(self, checkpoint: Checkpoint) -> None:
        """Take up a run where a checkpoint left it; the network has the checkpoint's parameters already.

        Raises
        ------
        DataError
            If the checkpoint does not fit the configuration.
        """
        arrays, values = checkpoint.arrays, checkpoint.values
        try:
            for place, vector in enumerate(self.work.state.memory):
                vector[:] = arrays[f"memory_{place}"]
            self.engine.load()
            self.work.state.t = values["t"]
            self.first, self.seconds = values["first"], values["seconds"]
            for name, state in values["generators"].items():
                self.generators[name].bit_generator.state = state
            self.metrics.load_state_dict(values["running"])
            self.schedule_state = ScheduleState.from_dict(values["schedule"])
            if self.watch is not None and values["watch"] is not None:
                self.watch = Watch.from_state(self.watch.rule, values["watch"])
            self.averaged_epochs, done = values["averaged_epochs"], values["epochs"]
            if self.averaged_epochs != max(0, done - self.average_after):  # it is to be a longer run than planned
                self.average_after = max(done, self.average_after)
            self.monitor.go_on_from(values["health"], arrays.get("examined_theta"))
            self.best = _kept(arrays, "best")
            _set_parameters(self.judged, _kept(arrays, "judged") or _parameters(self.network))
            self.last_finite = _kept(arrays, "finite") or _parameters(self.judged)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"the checkpoint does not fit the run's configuration: {error}") from None


#: Metrics that the history has columns for anyway.
GIVEN = ("loss", "accuracy")


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _parameters(network: Network) -> tuple[Array, Array]:
    """Return copies of theta and the statistics."""
    return network.theta.copy(), network.parameters.statistics.copy()


def _set_parameters(network: Network, parameters: tuple[Array, Array]) -> None:
    network.theta[:], network.parameters.statistics[:] = parameters


def _kept(arrays: dict[str, Array], name: str) -> tuple[Array, Array] | None:
    if f"{name}_theta" not in arrays:
        return None
    return arrays[f"{name}_theta"], arrays[f"{name}_statistics"]
