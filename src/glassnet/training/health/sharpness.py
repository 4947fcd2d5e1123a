r"""How large a step of gradient descent may be: the sharpness of the loss.

Near a point the loss is a parabola along each eigenvector of its Hessian, and a step of size eta multiplies the
distance from its bottom by 1 - eta lambda: that is more than 1 in size where eta > 2 / lambda, and the distance
grows from step to step (LeCun, Bottou, Orr and Mueller 1998, section 4.5). With momentum m the bound is
2 (1 + m) / lambda (Goh 2017). The largest eigenvalue, the sharpness, is found by power iteration; the Hessian
times a vector v is the change of the gradient along it, (g(theta + h v) - g(theta - h v)) / 2h (Pearlmutter 1994).
"""

from __future__ import annotations

import numpy as np

from glassnet.errors import NonFiniteError
from glassnet.nn.network import Network
from glassnet.training.health.vitals import Probe

#: Products with the Hessian, and the length of a step beside that of theta.
ITERATIONS, REACH = 30, 1e-3


def sharpness(network: Network, probe: Probe) -> float:
    """Return the largest eigenvalue, in size, of the Hessian of the probe's mean loss; NaN if unknown."""
    center = network.theta.copy()
    v = np.random.default_rng(0).normal(size=len(center))
    value = np.nan
    with np.errstate(all="ignore"):
        length = REACH * max(float(np.linalg.norm(center)), 1e-3)
        for _ in range(ITERATIONS):
            v /= np.linalg.norm(v)
            shift = (length * v).astype(center.dtype)
            try:
                ahead, behind = (probe.gradient(network, center + sign * shift) for sign in (1, -1))
            except NonFiniteError:
                return np.nan
            v = (ahead - behind) / (2 * length)
            value = float(np.linalg.norm(v))
            if not 0 < value < np.inf:
                return np.nan
    return value


def largest_rate(network: Network, probe: Probe, momentum: float) -> float:
    """Return the learning rate beyond which gradient descent on the mean loss grows away from where it is."""
    return 2 * (1 + momentum) / sharpness(network, probe)
