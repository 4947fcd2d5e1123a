"""Layers that compiled code takes rows through in one call, with the bits of NumPy's passes.

Each number of a tile of `glassnet.nn.row_products` is made of chains of fused multiply-adds, in an order that is
known for OpenBLAS. The products of `glassnet.runtime.products` are such chains, too; and bias and relu round as in
NumPy. So the compiled pass takes over, with the same bits, as soon as a process has multiplied for so long that
loading it pays. Whether BLAS has a known order is tried, for each shape of a layer.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from glassnet.nn.activations import Activation, Array, identity, relu
from glassnet.nn.parameters import Parameters
from glassnet.nn.row_products import ORDERS, ROWS, Order, adds_as_known, make_numbers, multiply_rows

#: Seconds in products after which a process loads the compiled pass, which takes about as long.
LOADED_AFTER = 0.5

#: Seconds that the product of a few rows is counted as. They never wait for the compiler, which takes some
#: seconds, once on a machine.
FEW_SECONDS = 1e-5

#: For each dtype: how long products took, and the compiled pass, None where there is none.
_spent: defaultdict[str, float] = defaultdict(float)
_passes: dict[str, Callable[..., float] | None] = {}
_loading = threading.Lock()


class Run(NamedTuple):
    """Layers that rows go through together, compiled by a plan; without one, it is the one layer `first`."""

    first: int
    plan: Array | None
    activated: int | None  # the layer, if any, whose activation NumPy computes at the end


class NotCompiledError(Exception):
    """The compiled pass is not on the disk."""


def note_seconds(dtype: np.dtype[Any], seconds: float | None) -> None:
    """Note how long NumPy's products took, None for those of a few rows; load the compiled pass where it pays."""
    kind = dtype.char
    _spent[kind] += FEW_SECONDS if seconds is None else seconds
    if _spent[kind] >= LOADED_AFTER and kind not in _passes and _loading.acquire(blocking=False):
        try:
            _spent[kind] = 0.0
            _passes[kind] = _load(dtype, compiles=seconds is not None)
        except NotCompiledError:
            pass
        finally:
            _loading.release()


def _load(dtype: np.dtype[Any], *, compiles: bool) -> Callable[..., float] | None:
    """Return the compiled pass; None where it would give other bits, or cannot be compiled."""
    from glassnet.runtime.compilation import announcing, numba_version
    from glassnet.runtime.forward_pass import compile_layers

    try:
        with contextlib.nullcontext() if compiles else announcing(_refuse):
            return compile_layers(dtype) if adds_as_known() and numba_version() else None
    except NotCompiledError:
        raise
    except Exception:  # Numba has many; without it, prediction is slower and the same
        return None


def _refuse() -> None:
    raise NotCompiledError


def split_into_runs(parameters: Parameters, activations: Sequence[Activation]) -> Sequence[Run]:
    """Return the layers of a network as runs."""
    kind = parameters.theta.dtype.char
    known = tuple(one.f is relu if one.f is relu or one.f is identity else None for one in activations)
    return _plan_runs(parameters.layers, parameters.batch_norm, known, kind if _passes.get(kind) else "")


@functools.lru_cache(maxsize=256)
def _plan_runs(
    layers: tuple[int, ...], batch_norm: tuple[bool, ...], known: tuple[bool | None, ...], kind: str
) -> list[Run]:
    """Return the runs; `known` says of each activation whether it is relu; None: it is never compiled."""
    runs: list[Run] = []
    together: list[list[int]] = []
    first = 0

    def close(layer: int, activated: int | None) -> None:
        if together:
            runs.append(Run(layer - len(together), np.array(together, np.int64), activated))
            together.clear()

    for layer, (d_in, d_out) in enumerate(itertools.pairwise(layers)):
        order = None if not kind or batch_norm[layer] else _find_order(d_in, d_out, kind)
        if order is None:
            close(layer, None)
            runs.append(Run(layer, None, layer))
        else:
            together.append([d_in, d_out, first, first + d_in * d_out, known[layer] is True, *order])
            if known[layer] is None:
                close(layer + 1, layer)
        first += (d_in + 1 + batch_norm[layer]) * d_out
    close(len(layers) - 1, None)
    return runs


def pass_compiled(H: Array, theta: Array, plan: Array) -> tuple[Array, float]:
    """Return what comes of rows by a plan, and a sum that is finite where all of it and the first unit are."""
    outputs = np.empty((len(H), plan[-1, 1]), H.dtype)
    run = _passes[H.dtype.char]
    assert run is not None
    return outputs, run(np.ascontiguousarray(H), theta, plan, outputs, 0, len(H))


@functools.lru_cache
def _find_order(d_in: int, d_out: int, kind: str) -> Order | None:
    """Return the order that gives a compiled product the bits of tiles, for these numbers and so for all."""
    H, W = make_numbers(d_in, d_out, kind)
    theta, expected = np.concatenate([W.ravel(), np.zeros(d_out, kind)]), multiply_rows(H, W)
    for order in ORDERS[kind]:
        plan = np.array([[d_in, d_out, 0, W.size, False, *order]])
        if all(np.array_equal(pass_compiled(H[:n], theta, plan)[0], expected[:n]) for n in (1, ROWS)):
            return order
    return None
