"""Stars: what was removed from a dark sky comes back where it was bright, and noise was not.

A network for photos takes small sharp stars, close beside one another, for noise. But noise goes
both ways: of what was removed, as much is darker than what stays as is brighter, and of stars
more is brighter. Four more things tell them from noise that does so as well. Noise that black has
cut, and speckle, hardly go the other way; salt and hot pixels hardly do anything else; a picture
made so small that its stars look like noise is sharper than noise, so that beside what is bright
it is dark; and much noise has colours. Where squares beside one another lost such things, all that
is clearly brighter than the dark side, which tells of noise and of fainter stars, comes back.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .faint import mix
from .pixels import full_range, means, stretched, unit

__all__ = ["keep_stars"]

_CELL, _STEP = 64, 8  # pixels: side of what is decided on, and between those that tell its tone
_DARK = 0.5  # mean brightness of a sky, at most
_LOST, _ONE_SIDED = 0.7 / 255, 0.6  # deviation and skewness of what a cell of a field lost
_SHAPE = (2 / 255, 0.75)  # the same of the middle one of a field's cells
_SALT = 1.4  # its skewness, at most: of stars it was up to 1.0, of salt and hot pixels 1.5 and more
_MARKS = (2.25, 0.08, 0.7)  # and its `_marks`: of what was no star, one was always less
_FEWEST = 4  # such cells beside one another: a lamp or the rim of something fills fewer
_FAINTEST = 1 / 255  # deviation of the dark side, at least
_FROM, _TO = 1.5, 3.0  # deviations over what is usual, of what begins to come back, and of all
_AROUND = np.ones((3, 3), np.uint8)  # a pixel and its neighbours

Pixels = NDArray[Any]
Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]


def keep_stars(before: Pixels, after: Pixels) -> int:
    """Give back, in place, the stars that were removed from a sky as noise.

    Args:
        before: H x W x C, uint8, uint16 or float32 on [0, 1].
        after: the same, cleaned at full strength; changed in place.

    Returns:
        The number of cells of 64 x 64 pixels that are a field of stars.
    """
    tone = _tones(before)
    if np.count_nonzero(tone < _DARK) < _FEWEST:
        return 0
    shapes = _shapes(before, after, tone < _DARK)
    may = (shapes[0] > _LOST) & (shapes[1] > _ONE_SIDED)
    labels = cv2.connectedComponents(may.astype(np.uint8), connectivity=4)[1]
    sky = np.zeros(may.shape, np.bool_)
    for label in 1 + np.flatnonzero(np.bincount(labels.ravel())[1:] >= _FEWEST):
        field = labels == label
        if _exceeds(shapes[:, field], _SHAPE) and np.median(shapes[1, field]) < _SALT:
            marks = [_marks(_cell(before, after, *place)) for place in np.argwhere(field)]
            sky |= field & _exceeds(np.array(marks).T, _MARKS)
    if sky.any():
        _give_back(before, after, sky)
    return int(np.count_nonzero(sky))


def _exceeds(measured: NDArray[np.float64], limits: tuple[float, ...]) -> bool:
    """Whether the medians of some measures, of a field's cells, all exceed their limits."""
    return bool((np.median(measured, axis=1) > limits).all())


def _tones(image: Pixels) -> Plane:
    """Mean brightness of cells, by some pixels."""
    some = unit(image[::_STEP, ::_STEP])
    if not some.size:
        return np.ones((0, 0), np.float32)
    grey = some.reshape(*some.shape[:2], -1).mean(axis=2)
    return means(np.asarray(grey, np.float32), _CELL // _STEP)


def _removed(before: Pixels, after: Pixels) -> Plane:
    """What was removed, H x W x C on [-1, 1]."""
    change = np.subtract(before, after, dtype=np.float32)
    return np.asarray(change / np.float32(full_range(after)), np.float32)


def _grey(change: Plane) -> Plane:
    weights = np.full((1, change.shape[2]), 1 / change.shape[2], np.float32)
    return np.asarray(cv2.transform(change, weights), np.float32).reshape(change.shape[:2])


def _shapes(before: Pixels, after: Pixels, cells: Mask) -> NDArray[np.float64]:
    """Deviation and skewness of what cells lost; the latter is 0 in those not asked for."""
    shapes = np.zeros((2, *cells.shape))
    for row in np.flatnonzero(cells.any(axis=1)):
        rows = slice(row * _CELL, (row + 1) * _CELL)
        one = _grey(_removed(before[rows], after[rows]))
        two = cv2.multiply(one, one)
        powers = (one, two, cv2.multiply(two, one))
        mean, square, cube = (means(power, _CELL)[0].astype(np.float64) for power in powers)
        spread = np.sqrt(np.maximum(square - mean**2, 1e-10))
        skew = (cube - 3 * mean * square + 2 * mean**3) / spread**3
        shapes[:, row] = spread, np.where(cells[row], skew, 0)
    return shapes


def _cell(before: Pixels, after: Pixels, row: int, column: int) -> Plane:
    place = tuple(slice(at * _CELL, (at + 1) * _CELL) for at in (row, column))
    return _removed(before[place], after[place])


def _marks(change: Plane) -> tuple[float, float, float]:
    """What tells stars from noise with a long bright tail.

    How far the darkest of a hundred is under what is usual, in deviations of the dark side; how
    unlike neighbours are; how alike the channels are. The latter two as correlations.
    """
    lost = _grey(change)
    usual, deviation, darkest = _dark_side(lost)
    return (usual - darkest) / deviation, -_beside(lost), _alike(change)


def _dark_side(lost: Plane) -> tuple[float, float, float]:
    """What is usual, the deviation of what is darker, and the darkest of a hundred."""
    darkest, darker, usual = (float(x) for x in np.quantile(lost, (0.01, 0.16, 0.5)))
    return usual, max(usual - darker, _FAINTEST), darkest


def _beside(lost: Plane) -> float:
    """Correlation of pixels with those at the right and below."""
    plane = lost - lost.mean()
    products = (plane[:, 1:] * plane[:, :-1]).sum() + (plane[1:] * plane[:-1]).sum()
    return float(products / max(2 * (plane**2).sum(), 1e-12))


def _alike(change: Plane) -> float:
    """Correlation of the channels; 1 where there is one channel."""
    others = change.shape[2] - 1
    planes = change - change.mean(axis=(0, 1))
    each = max(float((planes**2).sum()), 1e-12)
    return (float((planes.sum(axis=2) ** 2).sum()) / each - 1) / others if others else 1.0


def _give_back(before: Pixels, after: Pixels, sky: Mask) -> None:
    """Give back what is brighter than noise, in cells and less and less as far as the next."""
    weights, usual, deviations = _across(before, after, sky)
    above = np.zeros((1, after.shape[1]), np.float32)
    for top in range(0, len(after), _CELL):
        rows = slice(top, min(top + _CELL, len(after)))
        weight = stretched(weights, _CELL, rows.start, rows.stop)
        if not weight.any():
            continue
        more = slice(top, min(rows.stop + 1, len(after)))  # what the stars of the next row reach
        over = _grey(_removed(before[more], after[more]))
        over -= stretched(usual, _CELL, more.start, more.stop)
        over /= stretched(deviations, _CELL, more.start, more.stop)
        bright = np.clip((over - _FROM) / (_TO - _FROM), 0, 1)
        wide = cv2.dilate(np.concatenate([above, bright]), _AROUND)[1 : 1 + len(weight)]
        above = bright[len(weight) - 1 : len(weight)]
        mix(before[rows], after[rows], (1 - weight * wide)[..., None])


def _across(before: Pixels, after: Pixels, sky: Mask) -> list[Plane]:
    """Of rows of cells, as wide as the image: whether they are sky, what is usual, the deviation.

    The latter two are of sky and the cells around it; no other matters.
    """
    cells = np.stack([sky, np.zeros(sky.shape), np.ones(sky.shape)]).astype(np.float32)
    for row, column in np.argwhere(cv2.dilate(sky.astype(np.uint8), _AROUND)):
        cells[1:, row, column] = _dark_side(_grey(_cell(before, after, row, column)))[:2]
    return [stretched(plane.T, _CELL, 0, after.shape[1]).T for plane in cells]
