"""Screenshots and slides: panels and grounds as even as only a computer draws them.

Whitening takes their pale panels for dirty paper. On a scan even paper has grain, and no two pixels
side by side need be equal but where all is white or black. Here all but letters, icons and
pictures lies in rows or columns of equal pixels, in several colours, pale ones among them. Or
letters stand on a tinted ground of one colour: JPEG keeps that as it was far from them. Paper of
which low quality made even blocks has many colours side by side, but for paper drawn and lit
evenly: so the quality is found from the coefficients, which are multiples of its steps (Fan and de
Queiroz, 2003).
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import LUMA, eight_bits

__all__ = ["is_screenshot"]

_SOME, _RUN = 4000, 8  # pixels that tell of most scans that they have grain, with those beside them
_LENGTH = 24  # equal pixels in a row or column that are even; blocks of JPEG have 8
_TONES = 0.15  # share of the image that is even and pale
_PALEST, _DARKEST = 249, 190  # of 255, of pale tones: darker ones may be a table, or a lid
_LARGE, _SIDE = 0.1, 15  # share that may be uneven over so many pixels, as pictures are
_SOFT, _RANGE = 0.03, 48  # share that may be uneven and soft, as stains are: so little within 7 x 7
_SIMILAR, _COLOUR, _COLOURS = 8, 0.05, 2  # levels of one light colour, its share, and how many
_BLOCK, _STEP, _ON_GRID = 8, 6, 0.25  # JPEG's, of 255, share of such steps between its blocks
_FEWER = 0.8  # of such lines, all but those that have most: edges of panels
_CELL = 8  # pixels; side of the cells in which a ground is looked for
_TINT = 24, 239  # of 255: lighter in some channel, at most so light in the darkest
_GROUND, _WIDE = 0.1, 0.04  # share of cells that have its colour, and in squares of three
_ONE, _NEXT = 0.9, 8  # share of one colour among even cells that differ by no more
# A rim around a page has fewer of the other cells so near it, and less of itself between these.
_BESIDE, _REACH, _BETWEEN = 0.25, 7, 0.05
_STRONG, _MELLOW = 5, 0.03  # cells around strong edges; share of soft ones far from these: stains
_SPECK, _SPECKS = 4, 0.5  # cells; share of pieces no larger from which they are dirt, no words
_ENOUGH = 50_000  # cells, half as many or more, that tell of the quality
_STEPS, _FEW, _MULTIPLES = (8, 128), 50, 0.5  # of JPEG, coefficients, mean cosine of multiples
_LEVELS = 32  # fewer are a scan's that was reduced to some greys, which has even paper

Pixels = NDArray[Any]
Counts = NDArray[np.float64]
Mask = NDArray[np.bool_]


def is_screenshot(pixels: Pixels) -> bool:
    """Whether an image was drawn by a computer, on a ground that no paper is as even as.

    Args:
        pixels: H x W or H x W x C with C in {1, 3}, RGB; uint8, uint16, or float in [0, 1].
    """
    whole = pixels if pixels.ndim == 3 else pixels[..., None]
    if min(whole.shape[:2]) < 2 * _LENGTH:
        return False
    some = _equal(whole)
    pale = np.count_nonzero(_is_pale(some.min(axis=1)))
    if pale >= _SOME * _TONES / 2 and _has_panels(whole):
        return True
    return bool(_is_tinted(some).sum() >= _SOME * _GROUND / 2 and _has_ground(whole))


def _has_ground(whole: Pixels) -> bool:
    """Whether letters and the like stand on a tinted ground of exactly one colour."""
    pixels = eight_bits(whole)
    rows, columns = (side // _CELL for side in pixels.shape[:2])
    cells = pixels[: rows * _CELL, : columns * _CELL].reshape(rows, _CELL, columns, _CELL, -1)
    least, most = (f.reduce(f.reduce(cells, axis=1), axis=2) for f in (np.minimum, np.maximum))
    even = (least == most).all(axis=2)
    colours, counts = np.unique(least[even], axis=0, return_counts=True)
    tinted = np.where(_is_tinted(colours), counts, 0)
    if tinted.max(initial=0) < _GROUND * even.size:
        return False
    usual = colours[tinted.argmax()]
    alike = np.abs(colours.astype(np.int16) - usual).max(axis=1) <= _NEXT
    ground = (even & (least == usual).all(axis=2)).view(np.uint8)
    wide = cv2.morphologyEx(ground, cv2.MORPH_OPEN, _square(3))
    if tinted.max() < _ONE * counts[alike].sum() or wide.mean() < _WIDE:
        return False
    beside = cv2.dilate(ground, _square(_REACH)) > 0
    step = (most - least).max(axis=2)
    near = cv2.dilate((step >= _RANGE).view(np.uint8), _square(_STRONG)) > 0
    soft = (step > 0) & (step < _RANGE) & ~near
    rim = beside[~even].sum() < _BESIDE * (~even).sum()
    if (rim and (_between(~even) & (ground > 0)).mean() < _BETWEEN) or soft.mean() > _MELLOW:
        return False
    pieces = cv2.connectedComponentsWithStats((~even).view(np.uint8))[2][1:, cv2.CC_STAT_AREA]
    if not len(pieces) or np.mean(pieces <= _SPECK) > _SPECKS:
        return False
    few = np.count_nonzero(_levels(pixels.min(axis=2))) <= _LEVELS
    where = np.argwhere(~even)
    down, across = where[:: max(1, len(where) // _ENOUGH)].T
    return not few and not _is_coarse(cells[down, :, across])


def _between(there: Mask) -> Mask:
    """What lies between what is there in its row or column: nothing outside a convex shape."""
    found = np.zeros_like(there)
    for axis in (0, 1):
        ahead = np.logical_or.accumulate(there, axis=axis)
        behind = np.flip(np.logical_or.accumulate(np.flip(there, axis), axis=axis), axis)
        found |= ahead & behind
    return found


def _is_coarse(cells: NDArray[np.uint8]) -> bool:
    """Whether N x 8 x 8 x C cells went through JPEG at a quality that makes grain even."""
    planes = cells @ LUMA if cells.shape[-1] == len(LUMA) else cells[..., 0].astype(np.float32)
    wave = np.cos((2 * np.arange(_CELL) + 1) * np.pi / (2 * _CELL)).astype(np.float32)
    for axis in (1, 2):  # the lowest frequency across and down, each of a step of its own
        lowest = np.abs(planes.sum(axis=axis) @ wave) / np.float32(4 * 2**0.5)
        for step in range(*_STEPS):
            some = lowest[lowest > step / 2]
            if len(some) < _FEW:
                break
            if np.cos(some * (2 * np.pi / step)).mean() > _MULTIPLES:
                return True
    return False


def _has_panels(whole: Pixels) -> bool:
    """Whether pale panels of several colours, or shades, are all that is not small."""
    even = _even(whole)
    large = cv2.morphologyEx((~even).view(np.uint8), cv2.MORPH_OPEN, _square(_SIDE))
    if large.mean() > _LARGE:
        return False
    darkest = eight_bits(whole.min(axis=2))
    area = cv2.morphologyEx(even.view(np.uint8), cv2.MORPH_OPEN, _square(5)) > 0
    soft = ~even & (cv2.morphologyEx(darkest, cv2.MORPH_GRADIENT, _square(7)) < _RANGE)
    if (area & _is_pale(darkest)).mean() < _TONES or soft.mean() > _SOFT:
        return False
    if np.count_nonzero(_levels(darkest)) <= _LEVELS or _has_blocks(darkest):
        return False
    light = _levels(darkest, area.view(np.uint8))
    light[:_DARKEST] = 0
    shares = light.reshape(-1, _SIMILAR).sum(axis=1) / area.size
    return bool(np.count_nonzero(shares >= _COLOUR) >= _COLOURS)


def _levels(darkest: NDArray[np.uint8], where: NDArray[np.uint8] | None = None) -> Counts:
    return np.asarray(cv2.calcHist([darkest], [0], where, [256], [0, 256]).ravel(), np.float64)


def _has_blocks(darkest: NDArray[np.uint8]) -> bool:
    """Whether small steps lie all over between blocks of 8 pixels, of which JPEG made even ones."""
    for turned in (darkest, darkest.T):
        steps = cv2.absdiff(turned[:, 1:], turned[:, :-1])
        small = np.count_nonzero((steps > 0) & (steps <= _STEP), axis=0)
        lines = [np.sort(small[phase::_BLOCK]) for phase in range(_BLOCK)]
        every = np.array([some.sum() for some in lines])
        most = np.array([some[: int(np.ceil(_FEWER * len(some)))].sum() for some in lines])
        if np.any((every > _ON_GRID * every.sum()) & (most > _ON_GRID * most.sum())):
            return True
    return False


def _equal(whole: Pixels) -> NDArray[np.uint8]:
    """The colours of those of `_SOME` pixels of an H x W x C image that equal the next ones."""
    height, width = whole.shape[:2]
    row, column = np.random.default_rng(0).integers(0, (height, width - _RUN), (_SOME, 2)).T
    beside = whole[row[:, None], column[:, None] + np.arange(_RUN)]
    equal = (beside == beside[:, :1]).all(axis=(1, 2))
    return eight_bits(beside[equal, 0])


def _is_tinted(colours: NDArray[np.uint8]) -> Mask:
    """Which of N x C colours are neither near white nor black."""
    darkest, lightest = colours.min(axis=1), colours.max(axis=1)
    return np.asarray((lightest > _TINT[0]) & (darkest <= _TINT[1]))


def _is_pale(darkest: NDArray[np.uint8]) -> Mask:
    """Which levels of the darkest channel are those of a pale tone."""
    return np.asarray((darkest >= _DARKEST) & (darkest <= _PALEST))


def _even(whole: Pixels) -> Mask:
    """Which pixels lie among `_LENGTH` equal ones in a row or a column, H x W."""
    even = np.zeros(whole.shape[:2], bool)
    for turned, found in ((whole, even), (whole.swapaxes(0, 1), even.T)):
        equal = (turned[:, 1:] == turned[:, :-1]).all(axis=2).view(np.uint8)
        line = np.ones((1, _LENGTH - 1), np.uint8)
        border = {"borderType": cv2.BORDER_CONSTANT, "borderValue": 0}
        runs = cv2.morphologyEx(equal, cv2.MORPH_OPEN, line, **border) > 0
        found[:, 1:] |= runs
        found[:, :-1] |= runs
    return even


def _square(side: int) -> NDArray[np.uint8]:
    return np.ones((side, side), np.uint8)
