"""The analysis of variance of a full factorial over seeds: what the spread of all runs comes from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from glassnet.nn.activations import Array
from glassnet.study.hypothesis_tests import ROUNDINGS, compute_p, holm, mean_errors


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
        Main effects and interactions: against what the seeds do to this effect, and where they are known, the
        validation rows; None where they do nothing.
    corrected : float or None
        p by Holm, among the main effects or among the interactions.
    share : float
        Eta squared: its part of the total sum of squares.
    epsilon : float or None
        What the degrees of freedom of F were multiplied by, see `analysis_of_variance`.
    """

    kind: str
    factors: tuple[str, ...]
    sum_of_squares: float
    degrees: int
    F: float | None
    p: float | None
    corrected: float | None
    share: float
    epsilon: float | None = None

    @property
    def name(self) -> str:
        """``"seed"``, ``"optimizer"``, ``"optimizer x activation"`` or ``"residual"``."""
        return " x ".join(self.factors) or self.kind


def analysis_of_variance(values: Array, names: Sequence[str], overlap: float = 0.0) -> list[Source]:
    """Split the spread of a full factorial over seeds into its sources.

    The values y have the shape (r, G, l_1, ..., l_k): r >= 2 seeds, G groups of validation rows, then an axis for
    each of the named factors, l_i >= 2. An effect of the factors in S is made of q = product of (l_i - 1) in S
    contrasts: orthonormal weights of the cells whose sum is 0 along each axis in S, and which are equal along the
    others. With the means m_j of the contrasts over seeds and groups::

        SS_S = r * sum_j m_j²        df_S = q

    Each effect is held against its own interaction with the seeds, and never against those of other effects: a
    seed may suit one width and not another, and still treat all optimizers alike. The errors are those of
    `glassnet.study.hypothesis_tests.mean_errors`, with the validation rows where they are known.

    F = (mean of m_j²) / V has q and q (r - 1) degrees of freedom if the seeds move all contrasts alike and apart
    from each other. As they do not, both are multiplied by the epsilon of Greenhouse and Geisser. With the sums of
    products C of the contrasts over the seeds::

        epsilon = (trace C)² / (q * sum of C_ij²),   1/q <= epsilon <= 1

    In 8,000 simulated studies of each of 40 kinds where nothing differs, with 3, 5 and 10 seeds, main effects were
    found in at most 5.1 %, interactions in at most 5.2 %.

    Sources: D. C. Montgomery, Design and Analysis of Experiments, sections 5.3 to 5.6. S. W. Greenhouse and S.
    Geisser (1959), On methods in the analysis of profile data, Psychometrika 24, 95-112. Returned are the seeds,
    main effects, interactions and the residual, in this order.
    """
    y = np.asarray(values, np.float64)
    seeds, groups, *levels = y.shape
    cells = int(np.prod(levels))
    table = y.mean(axis=1)
    total = float(((table - table.mean()) ** 2).sum())

    def share(part: float) -> float:
        return part / total if total > 0 else 0.0

    def source(chosen: tuple[int, ...]) -> Source:
        contrasts = y.reshape(seeds, groups, cells) @ make_contrasts(levels, chosen)
        mean, q = contrasts.mean(axis=(0, 1)), contrasts.shape[2]
        part, errors = seeds * float((mean**2).sum()), mean_errors(contrasts, overlap)
        names_of = tuple(names[axis] for axis in chosen)
        kind = "main" if len(chosen) == 1 else "interaction"
        largest = max(float(error.variance) for error in errors)
        if np.sqrt(largest) <= ROUNDINGS * np.finfo(float).eps * np.abs(y).max():
            return Source(kind, names_of, part, q, None, None, None, share(part))
        epsilon = correct_degrees(contrasts.mean(axis=1))
        p = float(compute_p(float((mean**2).mean()), errors, epsilon * q))
        F = float((mean**2).mean()) / largest
        return Source(kind, names_of, part, q, F, p, None, share(part), epsilon)

    subsets = [chosen for size in range(1, len(names) + 1) for chosen in combinations(range(len(names)), size)]
    found = [source(chosen) for chosen in subsets]
    between = float(((table.reshape(seeds, -1).mean(axis=1) - table.mean()) ** 2).sum()) * cells
    residual = max(0.0, total - between - sum(line.sum_of_squares for line in found))
    return [
        Source("seed", (), between, seeds - 1, None, None, None, share(between)),
        *_correct_p_values([line for line in found if line.kind == "main"]),
        *_correct_p_values([line for line in found if line.kind == "interaction"]),
        Source("residual", (), residual, (seeds - 1) * (cells - 1), None, None, None, share(residual)),
    ]


def make_contrasts(levels: Sequence[int], chosen: Sequence[int]) -> Array:
    """Return the contrasts of an effect as columns of weights of the cells, the last factor changing fastest."""
    from scipy.linalg import helmert

    weights = np.ones((1, 1))
    for axis, n in enumerate(levels):
        weights = np.kron(weights, helmert(n) if axis in chosen else np.full((1, n), n**-0.5))
    return weights.T


def correct_degrees(contrasts: Array) -> float:
    """Return the epsilon of Greenhouse and Geisser of contrasts by seed, see `analysis_of_variance`."""
    apart = contrasts - contrasts.mean(axis=0)
    products = apart.T @ apart
    q = len(products)
    squares = float((products**2).sum())
    return max(1 / q, float(np.trace(products)) ** 2 / (q * squares)) if squares > 0 else 1.0


def _correct_p_values(sources: list[Source]) -> list[Source]:
    p = [source.p for source in sources if source.p is not None]
    if len(p) < len(sources):
        return sources
    return [source._replace(corrected=value) for source, value in zip(sources, holm(p), strict=True)]
