"""The optimizers, a file a family, and `OPTIMIZERS`, which knows them by name."""

from __future__ import annotations

from glassnet.nn.optimizers.adaptive import AdaGrad, Adam, AdamW, RMSprop
from glassnet.nn.optimizers.base import Optimizer, OptimizerState
from glassnet.nn.optimizers.gradient_descent import GD, SGD, Momentum, Nesterov
from glassnet.nn.optimizers.kfac import KFAC
from glassnet.nn.optimizers.lbfgs import LBFGS
from glassnet.nn.optimizers.muon import Muon
from glassnet.nn.registry import Registry

__all__ = [
    "GD", "KFAC", "LBFGS", "OPTIMIZERS", "SGD", "AdaGrad", "Adam", "AdamW", "Momentum", "Muon", "Nesterov",
    "Optimizer", "OptimizerState", "RMSprop",
]  # fmt: skip

OPTIMIZERS: Registry[Optimizer] = Registry("optimizer", Optimizer)
for _optimizer in (GD, SGD, Momentum, Nesterov, AdaGrad, RMSprop, Adam, AdamW, Muon, KFAC, LBFGS):
    OPTIMIZERS.add(_optimizer.name, _optimizer)
