"""Faint noise: how much of what a network for photos removed is worth removing.

Such a network takes fine texture for noise where there is hardly any noise, since both look alike
at that strength. What it removed from an image is noise and some detail, and the less it is beside
the detail that stayed, the more of it was detail. So it is shrunk as Wiener's filter shrinks what
is part noise (Wiener, 1949): by e / (e + d), with e the energy of what was removed and d that of
the detail that it may hold, a fixed share of the detail in the result. An image without noise is
hardly touched then, and one with more than a few levels of it is cleaned as before.
"""

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import full_range, write

__all__ = ["keep_detail", "mix"]

_SHARE = 0.12  # of the amplitude of detail that may be among what was removed
_LEVEL = 1.1 / 255  # of the full range: nobody sees noise of this standard deviation
_FINE = 5  # pixels: detail is what a mean over so many takes away
_CELL = 64  # pixels; noise of more than `_LEVEL` goes in every cell
_CLEAR = 1.6 / 255  # of what a cell lost, from which on more of that stays away
_ALL = 0.98  # shares beyond are as good as one

Pixels = NDArray[Any]


def keep_detail(before: Pixels, after: Pixels) -> float:
    """Give back, in place, what was removed from an image where that is hardly noise.

    Args:
        before: H x W x C, uint8, uint16 or float32 on [0, 1].
        after: the same, cleaned at full strength; changed in place.

    Returns:
        The share of the change that stays at least; in cells of 64 pixels where more than
        faint noise was removed, more of it does.
    """
    if not after.size:
        return 1.0
    rows = _edges(len(after))
    unit = full_range(after) ** 2
    total = sum(_apart(before[a:b], after[a:b]) for a, b in pairwise(rows))
    energy = total / (unit * after.size)
    if energy >= _ALL * (energy + _LEVEL**2) or energy == 0:  # whatever detail there is
        return 1.0
    fine = sum(_fine(after[a:b]) for a, b in pairwise(rows)) / (unit * after.size)
    detail = min(_SHARE**2 * fine, _LEVEL**2)
    if energy >= _ALL * (energy + detail):
        return 1.0
    share = energy / (energy + detail)
    removed = np.stack([_removed(before[a:b], after[a:b]) for a, b in pairwise(rows)])
    removed /= unit
    cells = np.maximum(removed / (removed + _CLEAR**2), share)
    middles = np.add(rows[1:], rows[:-1]) / 2 - 0.5
    for top, bottom in pairwise(rows):
        lines = np.arange(top, bottom)
        columns = np.stack([np.interp(lines, middles, column) for column in cells.T], 1)
        shares = cv2.resize(columns.astype(np.float32), (after.shape[1], len(lines)))
        mix(before[top:bottom], after[top:bottom], shares[..., None])
    return share


def _edges(length: int) -> list[int]:
    """Where cells of about 64 pixels begin and end."""
    return [int(edge) for edge in np.linspace(0, length, -(-length // _CELL) + 1).round()]


def _removed(before: Pixels, after: Pixels) -> NDArray[np.float64]:
    """Mean square of the change in each cell of a row of cells."""
    change = np.subtract(before, after, dtype=np.float32)
    squares = np.einsum("ijk,ijk->ij", change, change) / after.shape[2]
    size = (len(_edges(after.shape[1])) - 1, 1)
    return np.asarray(cv2.resize(squares, size, interpolation=cv2.INTER_AREA)[0], np.float64)


def _fine(image: Pixels) -> float:
    """Sum of the squares of what a mean over 5 x 5 pixels takes away."""
    mean = cv2.blur(np.ascontiguousarray(image), (_FINE, _FINE))
    return _apart(image, mean.reshape(image.shape))


def _apart(one: Pixels, other: Pixels) -> float:
    """Sum of the squares of the difference of two images of one type."""
    one, other = np.ascontiguousarray(one), np.ascontiguousarray(other)
    return float(cv2.norm(one, other, cv2.NORM_L2SQR))


def mix(before: Pixels, after: Pixels, shares: NDArray[np.float32] | float) -> None:
    """Leave so much of the change from `before` to `after`, in place."""
    for top in range(0, len(after), _CELL):
        rows = slice(top, top + _CELL)
        share = shares if isinstance(shares, float) else shares[rows]
        change = np.subtract(after[rows], before[rows], dtype=np.float32)
        write(change * share + before[rows], after[rows])
