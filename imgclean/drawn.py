"""Drawings in a few separate colours: patterns of single pixels that a network takes for noise.

Dithered tones, hatching, one-pixel checks and pixel art are as fine as noise. What tells them is
that noise fills the levels between two colours, however little there is of it, while such places
have a few levels, far apart, and nothing in between. There is nothing to clean there.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import unit

__all__ = ["keep_drawn"]

_CELL = 64  # pixels; side of what is decided on
_STEP = 8  # pixels between those that are looked at first
_APART = 24  # of 255: levels closer than this are not separate
_COLOURS = 8  # separate levels of a channel, at most
_SHARE = 0.95  # of a cell's pixels that have one of these levels
_SECOND = 0.05  # of them that have another level than most

Pixels = NDArray[Any]


def keep_drawn(before: Pixels, after: Pixels) -> int:
    """Give back, in place, the places of an image that are drawn in a few separate colours.

    Args:
        before: H x W x C, uint8, uint16 or float32 on [0, 1].
        after: the same, cleaned; changed in place.

    Returns:
        The number of cells of 64 x 64 pixels that were given back.
    """
    if not before.size:
        return 0
    few, two = _candidates(before)
    drawn = np.zeros(few.shape, np.uint8)
    for row, column in np.argwhere(few & two):
        held, second = _levels(before[_cell(row, column)])
        drawn[row, column] = held >= _SHARE and second >= _SECOND
    if not drawn.any():
        return 0
    near = cv2.dilate(drawn, np.ones((3, 3), np.uint8)) > 0  # a pattern may end beside a cell
    for row, column in np.argwhere(few & near & (drawn == 0)):
        drawn[row, column] = _levels(before[_cell(row, column)])[0] >= _SHARE
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


def _levels(cell: Pixels) -> tuple[float, float]:
    """The share of pixels that a few levels far apart hold, and that of the second of them.

    Of the channel where the former is least, and of that where the latter is most.
    """
    all_held, most = 1.0, 0.0
    for channel in cv2.split(np.rint(255 * np.clip(unit(cell), 0, 1)).astype(np.uint8)):
        counts = np.bincount(channel.ravel(), minlength=256) / channel.size
        held = []
        for _ in range(_COLOURS):
            level = int(counts.argmax())
            held.append(float(counts[level]))
            counts[max(0, level - _APART + 1) : level + _APART] = 0
        all_held, most = min(all_held, sum(held)), max(most, held[1])
    return all_held, most
