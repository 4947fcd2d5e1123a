"""Calls of functions that are compiled apart, by their addresses: formulas, and what not every network needs.

A function is handed addresses and lengths. What it does is written by `glassnet.compiled.sources`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glassnet.compiled.names import address, call_address


def at(numbers, first):
    """Return the address of one of many numbers."""
    return address(numbers) + first * numbers.itemsize


def activate(step, layer, Z, bias, H, worker):
    """Z = Z + bias, H = f(Z), for a row of a hidden layer's share."""
    scratch = step.scratch[worker]
    arguments = (
        len(Z), address(Z), address(bias), address(H),
        address(step.no_scalars), address(scratch), scratch.shape[1],
    )  # fmt: skip
    call_address(step.activate[layer], arguments)


def slope(step, layer, delta, Z, H, db, worker):
    """Delta = delta f'(Z), added to db, for a row of a hidden layer's share."""
    scratch = step.scratch[worker]
    arguments = (
        len(delta), address(delta), address(Z), address(H), address(db),
        address(step.no_scalars), address(scratch), scratch.shape[1],
    )  # fmt: skip
    call_address(step.slope[layer], arguments)


def output_row(step, row, bias, targets, outputs, db, scale, worker):
    """Outputs, delta and db of a row of Z and the batch, whose targets stand at an address; return its loss."""
    scratch, loss = step.scratch[worker], step.row_loss[worker]
    arguments = (
        len(bias), at(step.Z, row), address(bias), targets, address(outputs), at(step.delta, row), address(db),
        scale, address(loss), address(step.no_scalars), address(scratch), scratch.shape[1],
    )  # fmt: skip
    call_address(step.output_row, arguments)
    return loss[0]


def update(step, first, last, scalars):
    """The optimizer's rule for a piece of theta, from first to last."""
    memory = address(step.memory) + first * step.memory.itemsize
    arguments = (
        last - first, at(step.theta, first), at(step.gradient, first),
        memory, step.memory.shape[1], address(scalars),
    )  # fmt: skip
    call_address(step.update, arguments)


def normalise(step, n, width, z, gamma, unit, worker):
    """Normalise n rows of a share's columns, which begin at z, gamma and a unit."""
    statistics = step.statistics
    arguments = (
        n, width, at(step.Z, z), at(step.X_hat, z), at(step.theta, gamma), at(statistics[0], unit),
        statistics.shape[1], address(step.scratch[worker]),
    )  # fmt: skip
    call_address(step.normalise, arguments)


def normalise_back(step, n, width, z, bias, unit):
    """Take the same columns' delta back through it; gamma follows the bias."""
    arguments = (
        n, width, at(step.delta, z), at(step.X_hat, z), at(step.theta, bias + width), at(step.statistics[2], unit),
        at(step.gradient, bias), at(step.gradient, bias + width),
    )  # fmt: skip
    call_address(step.normalise_back, arguments)


def shorten_columns(step, n, width, w, worker):
    """Shorten a share's columns of W, which begin at w, to max-norm."""
    call_address(step.shorten_columns, (n, width, at(step.theta, w), step.max_norm, address(step.scratch[worker])))


def copy(step, source, target):
    """Copy as many numbers of X as the target takes, scaled, from an address on."""
    call_address(step.copy_row, (len(target), source, address(target), step.input_scale))


def move(step, source, target, moves):
    """Copy an image of X, scaled and moved, from an address on."""
    height, width, channels = step.image[0], step.image[1], step.image[2]
    arguments = source, address(target), step.input_scale, height, width, channels, address(moves)
    call_address(step.move_row, arguments)
