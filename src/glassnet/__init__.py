"""Multilayer perceptrons with every gradient derived by hand.

The names below are loaded when they are first used, so that ``import glassnet`` costs next to nothing and
`glassnet.nn` needs NumPy alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glassnet.data.augmentation import Augmentation as Augmentation
    from glassnet.data.dataset import Dataset as Dataset
    from glassnet.data.registry import load_dataset as load_dataset
    from glassnet.data.schema import DataWarning as DataWarning
    from glassnet.data.schema import Schema as Schema
    from glassnet.errors import HealthWarning as HealthWarning
    from glassnet.estimators.classifier import MLPClassifier as MLPClassifier
    from glassnet.estimators.conversion import from_sklearn as from_sklearn
    from glassnet.estimators.conversion import read_weights as read_weights
    from glassnet.estimators.regressor import MLPRegressor as MLPRegressor
    from glassnet.graph.computation_graph import ComputationGraph as ComputationGraph
    from glassnet.graph.gradient_agreement import check_gradients as check_gradients
    from glassnet.graph.page import explain as explain
    from glassnet.nn.activations import Activation as Activation
    from glassnet.nn.activations import register_activation as register_activation
    from glassnet.nn.gradient_check import gradient_check as gradient_check
    from glassnet.nn.losses import Loss as Loss
    from glassnet.nn.losses import register_loss as register_loss
    from glassnet.nn.network import Network as Network
    from glassnet.nn.network import NetworkWarning as NetworkWarning
    from glassnet.nn.optimizers import GD as GD
    from glassnet.nn.optimizers import KFAC as KFAC
    from glassnet.nn.optimizers import LBFGS as LBFGS
    from glassnet.nn.optimizers import SGD as SGD
    from glassnet.nn.optimizers import AdaGrad as AdaGrad
    from glassnet.nn.optimizers import Adam as Adam
    from glassnet.nn.optimizers import AdamW as AdamW
    from glassnet.nn.optimizers import Momentum as Momentum
    from glassnet.nn.optimizers import Muon as Muon
    from glassnet.nn.optimizers import Nesterov as Nesterov
    from glassnet.nn.optimizers import Optimizer as Optimizer
    from glassnet.nn.optimizers import RMSprop as RMSprop
    from glassnet.nn.schedules import Schedule as Schedule
    from glassnet.reproductions.reproduce import reproduce as reproduce
    from glassnet.searches.search import search as search
    from glassnet.study.interactions import interaction_test as interaction_test
    from glassnet.study.recommendation import recommend as recommend
    from glassnet.study.runner import run_study as run_study
    from glassnet.study.specification import load_study as load_study
    from glassnet.study.statistics import compare as compare
    from glassnet.study.statistics import summarise as summarise
    from glassnet.training.callbacks import Callback as Callback
    from glassnet.training.config import RunConfig as RunConfig
    from glassnet.training.config import load_config as load_config
    from glassnet.training.config import load_plan as load_plan
    from glassnet.training.cross_validation import CrossValidation as CrossValidation
    from glassnet.training.cross_validation import cross_validate as cross_validate
    from glassnet.training.early_stopping import EarlyStopping as EarlyStopping
    from glassnet.training.fit import fit as fit
    from glassnet.training.health.preflight import preflight as preflight
    from glassnet.training.inspection.baselines import compare_baselines as compare_baselines
    from glassnet.training.inspection.calibration import calibration_curve as calibration_curve
    from glassnet.training.inspection.importance import permutation_importance as permutation_importance
    from glassnet.training.inspection.ranking import roc_curve as roc_curve
    from glassnet.training.inspection.thresholds import choose_threshold as choose_threshold
    from glassnet.training.many import ManyInterrupted as ManyInterrupted
    from glassnet.training.many import Runs as Runs
    from glassnet.training.many import fit_many as fit_many
    from glassnet.training.metrics import evaluate as evaluate
    from glassnet.training.model import Model as Model
    from glassnet.training.model_file import load_model as load_model
    from glassnet.training.model_file import save_model as save_model
    from glassnet.training.range_test import find_learning_rate as find_learning_rate
    from glassnet.training.results import DivergenceError as DivergenceError
    from glassnet.training.results import Interrupted as Interrupted
    from glassnet.training.results import Run as Run
    from glassnet.training.run import resume as resume
    from glassnet.training.run import run as run
    from glassnet.training.table_plan import TablePlan as TablePlan
    from glassnet.training.table_plan import load_table_plan as load_table_plan
    from glassnet.training.trackers import MLflow as MLflow
    from glassnet.training.trackers import TensorBoard as TensorBoard

_MODULES = {
    "data.augmentation": ("Augmentation",),
    "data.dataset": ("Dataset",),
    "data.registry": ("load_dataset",),
    "data.schema": ("DataWarning", "Schema"),
    "errors": ("HealthWarning",),
    "estimators.classifier": ("MLPClassifier",),
    "estimators.conversion": ("from_sklearn", "read_weights"),
    "estimators.regressor": ("MLPRegressor",),
    "graph.computation_graph": ("ComputationGraph",),
    "graph.page": ("explain",),
    "graph.gradient_agreement": ("check_gradients",),
    "nn.activations": ("Activation", "register_activation"),
    "nn.gradient_check": ("gradient_check",),
    "nn.losses": ("Loss", "register_loss"),
    "nn.network": ("Network", "NetworkWarning"),
    "nn.optimizers": (
        *("GD", "SGD", "AdaGrad", "Adam", "AdamW", "Momentum", "Nesterov", "RMSprop"),
        *("KFAC", "LBFGS", "Muon", "Optimizer"),
    ),
    "nn.schedules": ("Schedule",),
    "reproductions.reproduce": ("reproduce",),
    "searches.search": ("search",),
    "study.interactions": ("interaction_test",),
    "study.recommendation": ("recommend",),
    "study.runner": ("run_study",),
    "study.specification": ("load_study",),
    "study.statistics": ("compare", "summarise"),
    "training.callbacks": ("Callback",),
    "training.config": ("RunConfig", "load_config", "load_plan"),
    "training.early_stopping": ("EarlyStopping",),
    "training.fit": ("fit",),
    "training.cross_validation": ("CrossValidation", "cross_validate"),
    "training.many": ("Runs", "ManyInterrupted", "fit_many"),
    "training.health.preflight": ("preflight",),
    "training.inspection.baselines": ("compare_baselines",),
    "training.inspection.calibration": ("calibration_curve",),
    "training.inspection.importance": ("permutation_importance",),
    "training.inspection.ranking": ("roc_curve",),
    "training.inspection.thresholds": ("choose_threshold",),
    "training.metrics": ("evaluate",),
    "training.model": ("Model",),
    "training.model_file": ("load_model", "save_model"),
    "training.range_test": ("find_learning_rate",),
    "training.results": ("DivergenceError", "Interrupted", "Run"),
    "training.run": ("resume", "run"),
    "training.table_plan": ("TablePlan", "load_table_plan"),
    "training.trackers": ("MLflow", "TensorBoard"),
}
_HOMES = {name: f"glassnet.{module}" for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("glassnet")
    if name not in _HOMES:
        raise AttributeError(f"module 'glassnet' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOMES))
