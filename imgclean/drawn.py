"""Patterns of single pixels in a few separate colours, which a network takes for noise.

Checks, hatching, regular dither and tiled textures of drawings are as fine as noise. What tells
them is that they repeat: some pixels further on nearly each pixel has the very same colour. What
was photographed or holds noise of any kind never does, unless it is even as well.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import eight_bits, unit

__all__ = ["keep_drawn"]

_CELL = 64  # pixels; side of what is decided on
_LEAST = 32  # pixels; lower or narrower parts at the edges go with what lies beside them
_STEP = 8  # pixels between those that are looked at first
_APART = 24  # of 255: levels closer than this are not separate
_COLOURS = 8  # separate levels of a channel, at most
_SHARE = 0.95  # of a cell's pixels that have one of these levels
_SECOND = 0.05  # of them that have another level than most
_PERIODS = 8  # pixels, after which a pattern repeats at most
_REPEATED = 0.9  # of what chance leaves, that is equal so far on
_WAYS = tuple(  # down and along, in pixels
    way
    for n in range(1, _PERIODS + 1)
    for way in ((0, n), (n, 0), (n, n), (n, -n))
    if sum(way) != 1
)

Pixels = NDArray[Any]


def keep_drawn(before: Pixels, after: Pixels) -> int:
    """Give back, in place, the places of an image that repeat in a few separate colours.

    Args:
        before: H x W x C, uint8, uint16 or float32 on [0, 1].
        after: the same, cleaned; changed in place.

    Returns:
        The number of cells of 64 x 64 pixels that were given back.
    """
    if min(before.shape[:2]) < _LEAST:
        return 0
    few, two = _candidates(before)
    drawn = np.zeros(few.shape, np.uint8)
    for row, column in np.argwhere(few & two):
        cell = eight_bits(before[_cell(row, column)])
        held, second = _levels(cell)
        large = min(cell.shape[:2]) >= _LEAST
        drawn[row, column] = large and held >= _SHARE and second >= _SECOND and _repeats(cell)
    if not drawn.any():
        return 0
    near = cv2.dilate(drawn, np.ones((3, 3), np.uint8)) > 0  # a pattern may end beside a cell
    for row, column in np.argwhere(few & near & (drawn == 0)):
        drawn[row, column] = _levels(eight_bits(before[_cell(row, column)]))[0] >= _SHARE
    for row, column in np.argwhere(drawn):
        after[_cell(row, column)] = before[_cell(row, column)]
    return int(drawn.sum())


def _cell(row: int, column: int) -> tuple[slice, slice]:
    top, left = int(row) * _CELL, int(column) * _CELL
    return slice(top, top + _CELL), slice(left, left + _CELL)


def _candidates(image: Pixels) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Cells that may have a few levels far apart, and those that have two, by some pixels."""
    height, width = image.shape[:2]
    rows, columns = (-(-length // _CELL) for length in (height, width))
    side = _CELL // _STEP
    # Anywhere within its square, so that no pattern's period is the step's.
    y, x = np.random.default_rng(0).integers(0, _STEP, (2, rows * side, columns * side))
    y += np.minimum(_STEP * np.arange(rows * side), height - 1)[:, None]
    x += np.minimum(_STEP * np.arange(columns * side), width - 1)
    some = unit(image[np.minimum(y, height - 1), np.minimum(x, width - 1)])
    cells = some.reshape(rows, side, columns, side, -1).transpose(0, 2, 4, 1, 3)
    levels = np.sort(cells.reshape(rows, columns, -1, side * side), axis=-1)
    steps = np.diff(levels)
    close = np.count_nonzero((steps > 0.5 / 255) & (steps < (_APART - 0.5) / 255), axis=-1)
    wide = levels[..., -1] - levels[..., 0] > (_APART - 0.5) / 255
    few, two = (close <= side).all(axis=-1), np.asarray(wide.any(axis=-1))
    return np.asarray(few), two


def _levels(cell: NDArray[np.uint8]) -> tuple[float, float]:
    """The share of pixels that a few levels far apart hold, and that of the second of them.

    Of the channel where the former is least, and of that where the latter is most.
    """
    all_held, most = 1.0, 0.0
    for channel in cv2.split(cell):
        counts = np.bincount(channel.ravel(), minlength=256) / channel.size
        held = []
        for _ in range(_COLOURS):
            level = int(counts.argmax())
            held.append(float(counts[level]))
            counts[max(0, level - _APART + 1) : level + _APART] = 0
        all_held, most = min(all_held, sum(held)), max(most, held[1])
    return all_held, most


def _repeats(cell: NDArray[np.uint8]) -> bool:
    """Whether nearly all pixels have the colour of those a few pixels on, beyond chance.

    An even cell does. Of one in which chance makes nearly all equal, hardly any may differ.
    """
    colours = cell.astype(np.int32) @ np.array([1, 256, 65536], np.int32)[: cell.shape[2]]
    shares = np.unique(colours, return_counts=True)[1] / colours.size
    needed = 1 - (1 - _REPEATED) * (1 - float(np.sum(shares**2)))
    some = colours[: 3 * _PERIODS]  # tells of most cells that they do not
    return any(_equal(some, *way) >= needed and _equal(colours, *way) >= needed for way in _WAYS)


def _equal(colours: NDArray[np.int32], down: int, along: int) -> float:
    """The share of pixels that are as those so far below and at the right."""
    height, width = colours.shape
    below = colours[down:, max(along, 0) : width + min(along, 0)]
    above = colours[: height - down, max(-along, 0) : width - max(along, 0)]
    return float(np.mean(below == above))
