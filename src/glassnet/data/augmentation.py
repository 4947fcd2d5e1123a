"""Augmentation: images are moved a little each time that they are drawn for training, so no two epochs are alike.

Every image is flipped, shifted and erased in part, in this order, with random numbers of its own; labels stay as
they are. Images that a network is judged by are never moved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from glassnet.errors import UsageError
from glassnet.nn.activations import Array
from glassnet.nn.registry import Registry


@dataclass(frozen=True)
class Augmentation:
    """How images are moved at random while a network learns from them.

    Parameters
    ----------
    shift : int, default 0
        The most pixels by which an image goes down or up, and right or left: both are uniform whole numbers from
        -shift to shift. What comes in at the edges is 0.
    flip : bool, default False
        Whether an image is turned around, left to right, with probability 1/2.
    erase : float, default 0
        Probability with which a rectangle of an image is set to 0: random erasing (Zhong et al. 2020, algorithm 1,
        with 0 in place of random values). The default sizes are theirs.
    smallest, largest : float, default 0.02 and 0.4
        Bounds of the rectangle's share of the image's area, in (0, 1]; the share is uniform between them.
    aspect : float, default 0.3
        Bound of the rectangle's height over its width, each as a share of the image's, in (0, 1]: the ratio is
        uniform from `aspect` to 1 / `aspect`, as far as the rectangle fits in. (Where it does not, the paper draws
        both again, which favours small areas.) With 1, and `smallest` equal to `largest`, it is a square of one
        size: cutout (DeVries and Taylor 2017), here always whole inside the image.

    Raises
    ------
    UsageError
        If a value is not in its range.

    Examples
    --------
    >>> augmentation = Augmentation.parse("shift(2) + flip")
    >>> augmentation.shift, augmentation.flip, augmentation.erase
    (2, True, 0.0)
    >>> moves = augmentation.draw(np.random.default_rng(0), 1000, height=28, width=28)
    >>> images = np.zeros((1000, 28, 28), np.uint8)
    >>> move_images(images, moves).shape
    (1000, 28, 28)
    """

    shift: int = 0
    flip: bool = False
    erase: float = 0.0
    smallest: float = 0.02
    largest: float = 0.4
    aspect: float = 0.3

    def __post_init__(self) -> None:
        if isinstance(self.shift, bool) or not isinstance(self.shift, int) or self.shift < 0:
            raise _make_error(f"shift takes a whole number of pixels >= 0, got {self.shift!r}")
        if not isinstance(self.flip, bool):
            raise _make_error(f"flip takes True or False, got {self.flip!r}")
        for name in ("erase", "smallest", "largest", "aspect"):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 <= value <= 1:
                raise _make_error(f"{name} takes a number from 0 to 1, got {value!r}")
        if not (0 < self.smallest <= self.largest and self.aspect > 0):
            sizes = f"smallest={self.smallest}, largest={self.largest}, aspect={self.aspect}"
            raise _make_error(f"erase takes 0 < smallest <= largest and aspect > 0, got {sizes}")

    @classmethod
    def parse(cls, spec: str | Augmentation) -> Augmentation:
        """Turn a specification into an augmentation; a finished one is returned as it is.

        Parameters
        ----------
        spec : str or Augmentation
            ``shift(pixels=2)``, ``flip``, ``erase(probability=0.5, smallest=0.02, largest=0.4, aspect=0.3)``, each
            at most once, joined by ``+``; or ``none``. The order is of no account.

        Raises
        ------
        UsageError
            If it cannot be read, or a value is not in its range.

        Examples
        --------
        >>> Augmentation.parse("erase + shift(3)").spec
        'shift(3) + erase(0.5, smallest=0.02, largest=0.4, aspect=0.3)'
        """
        if not isinstance(spec, str):
            return AUGMENTATIONS.resolve(spec)
        names: list[str] = []
        changes: dict[str, Any] = {}
        for part in re.split(r"\+(?![^(]*\))", spec):  # at each + that is not within brackets
            augmentation = AUGMENTATIONS.resolve(part)
            values = {option.name: getattr(augmentation, option.name) for option in fields(cls)}
            changes |= {name: value for name, value in values.items() if value != getattr(cls, name)}
            names.append(part.partition("(")[0].strip())
            if names.count(names[-1]) > 1:
                raise _make_error(f"{spec!r} has {names[-1]} twice; name it once")
        return cls(**changes)

    @property
    def spec(self) -> str:
        """The specification that `parse` turns into this augmentation again."""
        parts = ["flip"] if self.flip else []
        if self.shift:
            parts.append(f"shift({self.shift})")
        if replace(self, shift=0, flip=False) != Augmentation():
            sizes = ", ".join(f"{name}={getattr(self, name)}" for name in ("smallest", "largest", "aspect"))
            parts.append(f"erase({self.erase}, {sizes})")
        return " + ".join(parts) or "none"

    def draw(self, rng: np.random.Generator, n: int, height: int, width: int) -> Array:
        """Draw how each of n images is moved.

        Every image takes eight numbers of the generator, whatever is switched on: with and without erasing, images
        are shifted and flipped alike, and two calls for half of them draw what one call does.

        Parameters
        ----------
        rng : numpy.random.Generator
            Where the numbers come from.
        n, height, width : int
            How many images, of how many lines and columns.

        Returns
        -------
        ndarray of int32 of shape (n, 7)
            For each image dy, dx, flip (0 or 1), and the first line and column of the rectangle to erase and those
            after its last: top, left, bottom, right. All four are 0 where nothing is erased.

        Raises
        ------
        UsageError
            If an image could be shifted out of sight.
        """
        if self.shift >= min(height, width):
            raise _make_error(f"shift({self.shift}) moves images of {height} x {width} out of sight; take less")
        numbers = rng.random((n, 8))
        moves = np.zeros((n, 7), np.int32)
        moves[:, :2] = np.floor(numbers[:, :2] * (2 * self.shift + 1)) - self.shift
        moves[:, 2] = self.flip & (numbers[:, 2] < 0.5)
        erased = numbers[:, 3] < self.erase
        moves[erased, 3:] = self._draw_rectangles(numbers[erased, 4:], np.array([height, width]))
        return moves

    def _draw_rectangles(self, numbers: Array, shape: Array) -> Array:
        """Make rectangles within an image of a shape: top, left, bottom, right, of four numbers in [0, 1) each."""
        share = self.smallest + (self.largest - self.smallest) * numbers[:, 0]
        bound = np.maximum(self.aspect, share)  # neither side is longer than the image's
        aspect = bound + (1 / bound - bound) * numbers[:, 1]
        sides = np.sqrt(np.stack([share * aspect, share / aspect], axis=1))
        sides = np.rint(sides * shape).clip(1, shape)
        start = np.floor(numbers[:, 2:] * (shape - sides + 1))
        return np.concatenate([start, start + sides], axis=1)


def _make_error(problem: str) -> UsageError:
    return UsageError("augmentation", problem)


def move_images(images: Array, moves: Array) -> Array:
    """Move each image: first it is flipped, then shifted, then erased in part.

    With the moves dy, dx, flip, top, left, bottom, right of an image ``before``, ``width`` columns wide, ::

        after[y, x] = 0                                     where top <= y < bottom and left <= x < right
                      before[y - dy, x - dx]                where flip is 0
                      before[y - dy, width - 1 - (x - dx)]  where flip is 1

    and 0 where that lies outside of the image: a shift is dy pixels down and dx to the right. The images are uint8
    of shape (n, height, width) or (n, height, width, channels), the moves int of shape (n, 7) from
    `Augmentation.draw`. The result is a new array of the images' shape.
    """
    n, height, width, *channels = images.shape
    dy, dx, flip, top, left, bottom, right = moves.T[:, :, None]
    y, x = np.arange(height), np.arange(width)
    line, column = y - dy, x - dx
    kept = _cross((line >= 0) & (line < height), (column >= 0) & (column < width))
    kept &= ~_cross((top <= y) & (y < bottom), (left <= x) & (x < right))
    column = np.where(flip == 1, width - 1 - column, column)
    line = line.clip(0, height - 1) + height * np.arange(n)[:, None]
    pixels = width * line[:, :, None] + column.clip(0, width - 1)[:, None, :]
    after = images.reshape(-1, *channels).take(pixels, axis=0)
    after *= kept.reshape(kept.shape + (1,) * len(channels))
    return after


def _cross(lines: Array, columns: Array) -> Array:
    """Return for each pixel whether both its line and its column are meant."""
    return lines[:, :, None] & columns[:, None, :]


def none() -> Augmentation:
    """Build what leaves images as they are."""
    return Augmentation()


def shift(pixels: int = 2) -> Augmentation:
    """Build shifts of up to so many pixels each way."""
    return Augmentation(shift=pixels)


def flip() -> Augmentation:
    """Build flips of every other image, on average."""
    return Augmentation(flip=True)


def erase(
    probability: float = 0.5,
    smallest: float = Augmentation.smallest,
    largest: float = Augmentation.largest,
    aspect: float = Augmentation.aspect,
) -> Augmentation:
    """Build random erasing, by default with the probability and sizes of Zhong et al. 2020."""
    return Augmentation(erase=probability, smallest=smallest, largest=largest, aspect=aspect)


AUGMENTATIONS: Registry[Augmentation] = Registry("augmentation", Augmentation)
for _factory in (none, shift, flip, erase):
    AUGMENTATIONS.add(_factory.__name__, _factory)
