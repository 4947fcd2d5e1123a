"""The analysis of variance of a full factorial over seeds: what the spread of all runs comes from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from glassnet.nn.activations import Array
from glassnet.study.hypothesis_tests import ROUNDINGS, holm, scale_of


class Source(NamedTuple):
    """A source of variation: a line of the table of an analysis of variance.

    Attributes
    ----------
    kind : str
        ``"seed"``, ``"main"``, ``"interaction"`` or ``"residual"``.
    factors : tuple of str
        One for a main effect, two or more for an interaction, none for the seeds and the residual.
    sum_of_squares : float
    degrees : int
        Of freedom.
    F, p : float or None
        Main effects and interactions: against the residual; None where the residual is nothing.
    corrected : float or None
        p by Holm, among the main effects or among the interactions.
    share : float
        Eta squared: its part of the total sum of squares.
    """

    kind: str
    factors: tuple[str, ...]
    sum_of_squares: float
    degrees: int
    F: float | None
    p: float | None
    corrected: float | None
    share: float

    @property
    def name(self) -> str:
        """``"seed"``, ``"optimizer"``, ``"optimizer x activation"`` or ``"residual"``."""
        return " x ".join(self.factors) or self.kind


def analysis_of_variance(values: Array, names: Sequence[str]) -> list[Source]:
    """Split the spread of a full factorial over seeds into its sources.

    The values y have the shape (r, l_1, ..., l_k): seeds first, then an axis for each of the named factors, r >= 2
    and l_i >= 2. With N numbers in all, and y_S the mean of y over all axes but those of the factors in S, these
    have the effects, sum of squares and degrees of freedom::

        e_S = y_S, less its mean along each of its axes in turn
        SS_S = N / (product of l_i in S) * sum of e_S²        df_S = product of (l_i - 1) in S

    With y_. the mean of all, e_A = y_A - y_. and e_AB = y_AB - y_A - y_B + y_. . The seeds have theirs alike, with
    df = r - 1, and the residual is what neither seed nor cell explains::

        SS_e = sum of (y - y_seed - y_cell + y_.)²            df_e = (r - 1)(l_1 .. l_k - 1)
        F_S = (SS_S / df_S) / (SS_e / df_e),   p = P(F >= F_S),   share = SS_S / sum of (y - y_.)²

    All sums of squares add up to the total. Source: D. C. Montgomery, Design and Analysis of Experiments, sections
    4.1, 5.3, 5.4 and 5.6. Returned are the seeds, main effects, interactions and the residual, in this order.
    """
    from scipy import special

    scale = scale_of(values.ravel().tolist())
    y = np.asarray(values, np.float64) / scale
    seeds, cells = len(y), y[0].size
    cell_means, seed_means = y.mean(axis=0), y.reshape(seeds, -1).mean(axis=1)
    left = y - cell_means - seed_means.reshape(-1, *[1] * len(names)) + y.mean()
    residual, degrees = _sum_squares(left), (seeds - 1) * (cells - 1)
    total = _sum_squares(y - y.mean())
    tested = bool(np.sqrt(residual / y.size) > ROUNDINGS * np.finfo(float).eps)

    def share(part: float) -> float:
        return part / total if total > 0 else 0.0

    def source(chosen: tuple[int, ...]) -> Source:
        effects = _compute_effects(cell_means, chosen)
        part = _sum_squares(effects) * y.size / effects.size
        freedom = int(np.prod([y.shape[axis + 1] - 1 for axis in chosen]))
        F = (part / freedom) / (residual / degrees) if tested else None
        p = float(special.fdtrc(freedom, degrees, F)) if F is not None else None
        kind = "main" if len(chosen) == 1 else "interaction"
        factors = tuple(names[axis] for axis in chosen)
        return Source(kind, factors, part * scale * scale, freedom, F, p, None, share(part))

    subsets = [chosen for size in range(1, len(names) + 1) for chosen in combinations(range(len(names)), size)]
    found = [source(chosen) for chosen in subsets]
    between = _sum_squares(seed_means - y.mean()) * cells
    return [
        Source("seed", (), between * scale * scale, seeds - 1, None, None, None, share(between)),
        *_correct_p_values([line for line in found if line.kind == "main"]),
        *_correct_p_values([line for line in found if line.kind == "interaction"]),
        Source("residual", (), residual * scale * scale, degrees, None, None, None, share(residual)),
    ]


def _sum_squares(values: Array) -> float:
    return float(np.sum(values**2))


def _compute_effects(cell_means: Array, chosen: tuple[int, ...]) -> Array:
    """Return the mean over the other axes, less its mean along each of its own axes in turn."""
    others = tuple(axis for axis in range(cell_means.ndim) if axis not in chosen)
    effects = cell_means.mean(axis=others)
    for axis in range(effects.ndim):
        effects = effects - effects.mean(axis=axis, keepdims=True)
    return effects


def _correct_p_values(sources: list[Source]) -> list[Source]:
    p = [source.p for source in sources if source.p is not None]
    if len(p) < len(sources):
        return sources
    return [source._replace(corrected=value) for source, value in zip(sources, holm(p), strict=True)]
