"""Calls of functions that are compiled apart, by address: formulas, products, and what not every network needs.

A function is handed addresses and lengths. What it does is written by `glassnet.compiled.sources`, and for
products by `glassnet.runtime.products`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glassnet.compiled.names import address, at, call_address


def multiply(step, size, a, b, c, go_on, factor):
    """C = factor A B, or factor (C + A B) where the chains go on, for the size (rows, columns, steps of k).

    A matrix is its address and how many numbers apart its rows are; for A, its steps of k also.
    """
    item = step.theta.itemsize
    arguments = (
        size[0], size[1], size[2], a[0], item * a[1], item * a[2], b[0], item * b[1], c[0], item * c[1],
        go_on, 0, factor,
    )  # fmt: skip
    call_address(step.multiply, arguments)


def multiply_turned(step, size, a, b, c, go_on, factor, worker):
    """C = factor A B^T, or factor (C + A B^T)."""
    item = step.theta.itemsize
    arguments = (
        size[0], size[1], size[2], a[0], item * a[1], item * a[2], b[0], item * b[1], c[0], item * c[1],
        go_on, address(step.turned[worker]), factor,
    )  # fmt: skip
    call_address(step.multiply, arguments)


def activate(step, layer, size, z, bias, h, worker):
    """Z = Z + bias, H = f(Z), for rows of a panel, of the size (rows, numbers in each)."""
    scratch = step.scratch[worker]
    arguments = (
        size[0], size[1], at(step.Z, z), size[1], at(step.theta, bias), at(step.H, h), step.h_row[layer + 1],
        address(step.no_scalars), address(scratch), scratch.shape[1],
    )  # fmt: skip
    call_address(step.activate[layer], arguments)


def slope(step, layer, size, z, h, bias, worker):
    """Delta = delta f'(Z), added to db, for rows of a panel, of the size (rows, numbers in each)."""
    scratch = step.scratch[worker]
    arguments = (
        size[0], size[1], at(step.delta, z), size[1], at(step.Z, z), size[1], at(step.H, h), step.h_row[layer + 1],
        at(step.gradient, bias), address(step.no_scalars), address(scratch), scratch.shape[1],
    )  # fmt: skip
    call_address(step.slope[layer], arguments)


def output_row(step, z, bias, targets, outputs, scale, loss, worker):
    """Outputs, delta and loss of a row of Z and the batch, whose targets stand at an address."""
    scratch = step.scratch[worker]
    arguments = (
        len(bias), at(step.Z, z), address(bias), targets, address(outputs), at(step.delta, z), scale,
        at(step.losses, loss), address(step.no_scalars), address(scratch), scratch.shape[1],
    )  # fmt: skip
    call_address(step.output_row, arguments)


def update(step, first, size, gradient, scalars):
    """The optimizer's rule for a piece of theta, whose gradient stands at an address."""
    memory = address(step.memory) + first * step.memory.itemsize
    arguments = size, at(step.theta, first), gradient, memory, step.memory.shape[1], address(scalars)
    call_address(step.update, arguments)


def drop(step, block, layer, size, numbers, apart, first):
    """Leave out units of rows that stand at an address, of the size (rows, units), so many numbers apart.

    The rows are numbered from the first of the two in `first`, the units from the second. Layer 0 is the inputs.
    """
    arguments = (
        size[0], size[1], numbers, apart, block.keys[layer], block.first_row + first[0], first[1],
        step.thresholds[layer],
    )  # fmt: skip
    call_address(step.drop_rows, arguments)


def normalise(step, size, z, gamma, unit, worker):
    """Normalise the columns of a panel, of the size (rows, columns), which begins at z, gamma and a unit."""
    statistics = step.statistics
    arguments = (
        size[0], size[1], at(step.Z, z), at(step.X_hat, z), at(step.theta, gamma), at(statistics[0], unit),
        statistics.shape[1], address(step.scratch[worker]),
    )  # fmt: skip
    call_address(step.normalise, arguments)


def normalise_back(step, size, z, bias, unit):
    """Take the same columns' delta back through it; gamma follows the bias."""
    gamma, inverses = bias + size[1], step.statistics[2]
    arguments = (
        size[0], size[1], at(step.delta, z), at(step.X_hat, z), at(step.theta, gamma), at(inverses, unit),
        at(step.gradient, bias), at(step.gradient, gamma),
    )  # fmt: skip
    call_address(step.normalise_back, arguments)


def shorten_columns(step, size, w, worker):
    """Shorten the columns of a panel's W, of the size (rows, columns), to max-norm."""
    arguments = size[0], size[1], at(step.theta, w), step.max_norm, address(step.scratch[worker])
    call_address(step.shorten_columns, arguments)


def square_columns(step, size, w, apart, sums):
    """Add up the squares of columns of the gradient, of the size (rows, columns), into sums from a number on."""
    call_address(step.square_columns, (size[0], size[1], at(step.gradient, w), apart, at(step.norms, sums)))


def copy(step, source, target):
    """Copy as many numbers of X as the target takes, scaled, from an address on."""
    call_address(step.copy_row, (len(target), source, address(target), step.input_scale))


def move(step, source, target, moves):
    """Copy an image of X, scaled and moved, from an address on."""
    height, width, channels = step.image[0], step.image[1], step.image[2]
    arguments = source, address(target), step.input_scale, height, width, channels, address(moves)
    call_address(step.move_row, arguments)
