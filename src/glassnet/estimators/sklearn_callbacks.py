"""scikit-learn's own callbacks, where the installed version has them: an epoch is a task of ``fit``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glassnet.training.callbacks import Callback
from glassnet.training.results import Run

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing: this scikit-learn has no callbacks."""

    def with_callbacks(method: Any) -> Any:
        """Return the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "EpochTasks", "with_callbacks"]

#: Why training ended where a callback of scikit-learn said so.
STOPPED = "callback"


class EpochTasks(Callback):
    """Tells the callbacks that were given to `set_callbacks` of fit's beginning, of each epoch, and of its end.

    `attributes` returns what a copy of the estimator needs to predict as if training had ended at an epoch.
    """

    def __init__(
        self, epochs: int, estimator: Any, given: dict[str, Any], attributes: Callable[[Run], dict[str, Any]]
    ) -> None:
        self.epochs, self.attributes = epochs, attributes
        self.given = {"estimator": estimator, **given}
        self.context = estimator._init_callback_context(max_subtasks=epochs)
        self.context.call_on_fit_task_begin(**self.given)
        self.epoch: Any = None
        self._begin()

    def _begin(self) -> None:
        self.epoch = self.context.subcontext(task_name=f"epoch {len(list(self.context)) - 1}")
        self.epoch.call_on_fit_task_begin(**self.given)

    def on_epoch_end(self, run: Run) -> str | None:
        """End the epoch's task; a callback that returns True ends training."""
        stop = self.epoch.call_on_fit_task_end(
            **self.given, reconstruction_attributes=lambda: self.attributes(run)
        )
        if not stop and len(run.history) < self.epochs:
            self._begin()
        return STOPPED if stop else None

    def finish(self, run: Run) -> None:
        """End the task that fit is."""
        self.context.call_on_fit_task_end(**self.given, reconstruction_attributes=lambda: self.attributes(run))
