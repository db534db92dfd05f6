"""Dotted cloth, pegboard, perforated metal: ink on paper but for its shapes, which are all alike.

Whitening such a photo takes its colour. So where the ground is no white paper, nearly all marks on
it are round, and they are as large as those beside them, an image is no page. On white paper it may
be one, in Braille, or of a notebook with a grid of dots.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .page_measures import flatten
from .pixels import full_range, luma, unit

__all__ = ["all_dots"]

_PIXELS = 1_000_000  # of the image that is looked at, at most
_SOFT, _GROUND = 0.8, 51  # pixels: of the blur, and around, where the ground is
_DARKER = 0.8  # of the ground: a mark
_FEWEST, _LEAST = 100, 8  # marks, and pixels of one
_ROUND, _FILLED = 1.45, (0.6, 0.95)  # sides of a round mark's box apart, and share of it filled
_SAMPLE, _NEAREST = 400, 4  # marks that are compared, with so many beside them
_ALIKE = 1.42  # times as large at most
_SHARE = 0.6  # of round marks, times that of alike neighbours; pages of text have 0.33 at most
_WHITE = 0.8, 0.06  # white paper: as bright at least in its darkest channel, channels as near
_CHUNK = 50  # marks whose neighbours are sought at once


def all_dots(pixels: NDArray[Any]) -> bool:
    """Whether nearly all that is darker than a ground is dots of one size, and that is not white.

    Args:
        pixels: H x W or H x W x C with C in {1, 3}, RGB; uint8, uint16, or float in [0, 1].
    """
    whole = pixels if pixels.ndim == 3 else pixels[..., None]
    ground = np.median(whole[::4, ::4], axis=(0, 1)) / full_range(whole)
    if ground.min() >= _WHITE[0] and np.ptp(ground) <= _WHITE[1]:
        return False
    plane = luma(whole)
    scale = min(1.0, (_PIXELS / plane.size) ** 0.5)
    small = cv2.resize(plane, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    quotient = flatten(unit(np.asarray(small)), _SOFT, _GROUND)[0]
    marks = (quotient < _DARKER).astype(np.uint8)
    _, _, boxes, centres = cv2.connectedComponentsWithStats(marks)
    large = boxes[1:, cv2.CC_STAT_AREA] >= _LEAST
    boxes, centres = boxes[1:][large], centres[1:][large]
    if len(boxes) < _FEWEST:
        return False
    wide, high, area = (boxes[:, column].astype(np.float64) for column in (2, 3, 4))
    filled = area / (wide * high)
    shaped = np.maximum(wide / high, high / wide) < _ROUND
    round_ones = shaped & (filled > _FILLED[0]) & (filled < _FILLED[1])
    dots = min(np.mean(round_ones), area[round_ones].sum() / area.sum())
    if dots <= _SHARE:
        return False
    some = np.random.default_rng(0).permutation(len(area))[:_SAMPLE]
    near = []
    for start in range(0, len(some), _CHUNK):
        these = centres[some[start : start + _CHUNK]]
        away = ((these[:, None] - centres[None]) ** 2).sum(axis=2)
        near.append(np.argpartition(away, _NEAREST, axis=1)[:, : _NEAREST + 1])  # and itself
    apart = np.abs(np.log(area[np.concatenate(near)] / area[some, None]))
    alike = ((apart < np.log(_ALIKE)).sum(axis=1) - 1) / _NEAREST
    return bool(dots * np.mean(alike) > _SHARE)
