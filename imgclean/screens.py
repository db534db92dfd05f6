"""Screenshots and slides: panels and shades as even as only a computer draws them.

Whitening takes their pale panels for dirty paper. On a scan even paper has grain, and no two pixels
side by side need be equal but where all is white or black. Here all but letters, icons and
pictures lies in rows or columns of equal pixels, in several colours, pale ones among them.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import eight_bits

__all__ = ["is_screenshot"]

_SOME, _RUN = 4000, 8  # pixels that tell of most scans that they have grain, with those beside them
_LENGTH = 24  # equal pixels in a row or column that are even; blocks of JPEG have 8
_TONES = 0.15  # share of the image that is even and pale
_PALEST, _DARKEST = 249, 190  # of 255, of pale tones: darker ones may be a table, or a lid
_LARGE, _SIDE = 0.1, 15  # share that may be uneven over so many pixels, as pictures are
_SOFT, _RANGE = 0.03, 48  # share that may be uneven and soft, as stains are: so little within 7 x 7
_SIMILAR, _COLOUR, _COLOURS = 8, 0.05, 2  # levels of one light colour, its share, and how many
_BLOCK, _STEP, _ON_GRID = 8, 6, 0.25  # JPEG's, of 255, share of such steps between its blocks
_LEVELS = 32  # fewer are a scan's that was reduced to some greys, which has even paper

Pixels = NDArray[Any]
Counts = NDArray[np.float64]
Mask = NDArray[np.bool_]


def is_screenshot(pixels: Pixels) -> bool:
    """Whether an image was drawn by a computer, with pale panels that no paper is as even as.

    Args:
        pixels: H x W or H x W x C with C in {1, 3}, RGB; uint8, uint16, or float in [0, 1].
    """
    whole = pixels if pixels.ndim == 3 else pixels[..., None]
    if not _may_be(whole):
        return False
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
    """Whether small steps lie between blocks of 8 pixels, of which JPEG made even ones."""
    for turned in (darkest, darkest.T):
        steps = cv2.absdiff(turned[:, 1:], turned[:, :-1])
        small = np.count_nonzero((steps > 0) & (steps <= _STEP), axis=0)
        phases = np.array([small[phase::_BLOCK].sum() for phase in range(_BLOCK)])
        if phases.max() > _ON_GRID * phases.sum():
            return True
    return False


def _may_be(whole: Pixels) -> bool:
    """Whether enough pixels of an H x W x C image have a pale tone, and those beside them too."""
    height, width = whole.shape[:2]
    if min(height, width) < 2 * _LENGTH:
        return False
    row, column = np.random.default_rng(0).integers(0, (height, width - _RUN), (_SOME, 2)).T
    beside = whole[row[:, None], column[:, None] + np.arange(_RUN)]
    equal = (beside == beside[:, :1]).all(axis=(1, 2))
    pale = _is_pale(eight_bits(beside[:, 0].min(axis=1)))
    return bool(np.mean(equal & pale) >= _TONES / 2)


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
