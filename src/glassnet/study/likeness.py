"""What runs of one seed have in common, and what the levels of a factor change beside what they set.

A width changes the weights that a run begins with; a batch size changes the batches, and with them the masks of
dropout. Whoever compares levels has to know it. So it is computed, from the first weights, rows and masks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.nn.activations import Array
from glassnet.nn.dropout import keep_mask, mask_keys
from glassnet.nn.network import Network
from glassnet.runtime.seeds import stream
from glassnet.study.design import Study
from glassnet.study.fairness import build_sampler, split_fingerprint
from glassnet.training.config import RunConfig
from glassnet.training.run import build_network, load_data

#: What weights, batches and masks of two runs can be to each other; `Likeness` says what each means.
SAME, BIASES, PARTLY, SIZES, NONE, DIFFERENT = "same", "biases", "partly", "sizes", "none", "different"

#: Rows of a batch whose masks are looked at: those of all rows follow from the same keys.
MASK_ROWS = 256


@dataclass(frozen=True)
class Beginning:
    """What a run begins with, as its seed and its configuration decide.

    Attributes
    ----------
    weights, biases : list of ndarray
        W and b of every layer in single precision, as a network of double precision begins with the same numbers
        but for their rounding.
    order : ndarray
        Row numbers of the first epoch. All epochs come from one stream, so runs that agree in it, and in how many
        rows an epoch takes, agree in all.
    batch_size : int
    masks : dict of int to ndarray
        Which units the first step keeps, by the number of the layer that they are the input of; only layers with
        dropout. The masks of a later step are made of the same seed, and of its number.
    """

    weights: list[Array]
    biases: list[Array]
    order: Array
    batch_size: int
    masks: dict[int, Array]

    @classmethod
    def of_run(cls, config: RunConfig, data: Dataset, network: Network | None = None) -> Beginning:
        """Return what a run of a configuration begins with; `network` is its network, where that is at hand."""
        network = network or build_network(config, data)
        sampler = build_sampler(config, data)
        keys = mask_keys(config.seed, np.array([1]), len(network.W))[0]
        rows = min(sampler.batch_size, MASK_ROWS)
        return cls(
            weights=[W.astype(np.float32) for W in network.W],
            biases=[b.astype(np.float32) for b in network.b],
            order=sampler.order(stream(config.seed, "shuffling")),
            batch_size=sampler.batch_size,
            masks={
                layer: keep_mask(keys[layer], rows, network.layers[layer], rate, np.float32) != 0
                for layer, rate in enumerate(network.dropout)
                if rate
            },
        )

    @property
    def weight_hash(self) -> str:
        """SHA-256 of all W, row by row, as 32-bit floats."""
        return _hash(W.astype("<f4") for W in self.weights)

    @property
    def order_hash(self) -> str:
        """SHA-256 of the first epoch's row numbers, as 64-bit integers in their order."""
        return _hash([self.order.astype("<i8")])

    @property
    def mask_hash(self) -> str:
        """SHA-256 of the batch size and the masks, each behind its layer's number; empty without dropout."""
        parts = [part for layer, mask in self.masks.items() for part in (np.array([layer], "<i8"), mask)]
        return _hash([np.array([self.batch_size], "<i8"), *parts]) if parts else ""


def _hash(arrays: Iterable[Array]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Likeness:
    """What levels of a factor have in common with the base, at the same seed.

    Attributes
    ----------
    factor : str
        Its name; ``"variant"`` for the variants of a list.
    levels : tuple of str
        Those that the rest is said of; not the base's.
    weights : str
        The weights that a run begins with: ``"same"``; ``"biases"``: the same weights, and other biases;
        ``"partly"``: the same in some layers; or ``"different"``.
    batches : str
        ``"same"``; ``"sizes"``: the same rows in the same order, in batches of another size; or ``"different"``.
    masks : str
        Of dropout: ``"same"``; ``"partly"``: the same for those rows and units that both have; ``"different"``; or
        ``"none"``, where neither drops units.
    """

    factor: str
    levels: tuple[str, ...]
    weights: str
    batches: str
    masks: str


def compare_levels(study: Study, load: Callable[[RunConfig], Dataset] = load_data) -> list[Likeness]:
    """Return what the levels of every factor have in common with the base, at the study's first seed.

    Levels of a factor of which the same is to be said stand together. `load` gives the data of a configuration.

    Examples
    --------
    >>> from glassnet.study.specification import study_of
    >>> study = study_of({
    ...     "name": "small", "seeds": 1,
    ...     "base": {"data": {"dataset": "digits"}, "network": {"dropout": 0.2}},
    ...     "factors": {"optimizer": {"levels": ["adam", "sgd(0.1)"]}, "batch_size": {"levels": [64, 32]}},
    ... })
    >>> for found in compare_levels(study):
    ...     print(found.factor, found.levels, found.weights, found.batches, found.masks)
    optimizer ('sgd(0.1)',) same same same
    batch_size ('32',) same sizes partly
    """

    def begin(levels: Mapping[str, str]) -> tuple[Beginning, str]:
        config = study.variant(levels).with_seed(study.seeds[0])
        data = load(config)
        return Beginning.of_run(config, data), split_fingerprint(data)

    base, base_split = begin({})
    found = []
    for factor in study.factors:
        alike: dict[tuple[str, str, str], list[str]] = {}
        for label in list(factor.levels)[1:]:
            other, split = begin({factor.name: label})
            batches = _compare_batches(base, other) if split == base_split else DIFFERENT
            said = _compare_weights(base, other), batches, _compare_masks(base, other)
            alike.setdefault(said, []).append(label)
        found += [Likeness(factor.name, tuple(labels), *said) for said, labels in alike.items()]
    return found


def _compare_weights(base: Beginning, other: Beginning) -> str:
    same = [np.array_equal(a, b) for a, b in zip(base.weights, other.weights, strict=False)]
    if not (all(same) and len(base.weights) == len(other.weights)):
        return PARTLY if any(same) else DIFFERENT
    return SAME if all(map(np.array_equal, base.biases, other.biases)) else BIASES


def _compare_batches(base: Beginning, other: Beginning) -> str:
    if not np.array_equal(base.order, other.order):
        return DIFFERENT
    return SAME if base.batch_size == other.batch_size else SIZES


def _compare_masks(base: Beginning, other: Beginning) -> str:
    if not base.masks and not other.masks:
        return NONE
    shared = [(base.masks[layer], other.masks[layer]) for layer in base.masks if layer in other.masks]
    if not shared or not all(_agree_in_common(*pair) for pair in shared):
        return DIFFERENT
    return SAME if base.mask_hash == other.mask_hash else PARTLY


def _agree_in_common(one: Array, other: Array) -> bool:
    """Whether two masks keep the same of the rows and units that both have."""
    rows, units = (min(sizes) for sizes in zip(one.shape, other.shape, strict=True))
    return np.array_equal(one[:rows, :units], other[:rows, :units])
