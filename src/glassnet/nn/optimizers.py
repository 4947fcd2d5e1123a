"""The optimizers by name."""

from __future__ import annotations

from glassnet.nn.matrix_optimizers import KFAC, Muon
from glassnet.nn.optimizer import Optimizer
from glassnet.nn.quasi_newton import LBFGS
from glassnet.nn.registry import Registry
from glassnet.nn.update_rules import GD, SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSprop

__all__ = [
    "GD",
    "KFAC",
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Momentum",
    "Muon",
    "Nesterov",
    "Optimizer",
    "RMSprop",
]

OPTIMIZERS: Registry[Optimizer] = Registry("optimizer", Optimizer)
for _optimizer in (GD, SGD, Momentum, Nesterov, AdaGrad, RMSprop, Adam, AdamW, Muon, KFAC, LBFGS):
    OPTIMIZERS.add(_optimizer.name, _optimizer)
