"""Colour of thin strokes, which a network for pages gives back paler than it was.

Coloured noise and the coarse colour of JPEG teach a network to trust a thin stroke's darkness more
than its hue. On average along a stroke the hue is known well: so where the page's strokes are more
colourful than the cleaned ones, these get their hue, at the darkness that they have.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import LUMA, full_range, halved

__all__ = ["REACH", "keep_hues"]

Pixels = NDArray[Any]
Floats = NDArray[np.float32]

REACH = 64  # pixels around each that are looked at, an even number
_PAPER = 13  # pixels of the half size; wider than strokes, so that such a closing is paper
_WIDE = 7  # the same; wider shapes keep what the network says of them
_DEPTH = (20, 60)  # of 255; what is paler has no hue, from there on it counts in full
_COLOURFUL = (0.15, 0.35)  # the same of saturation: fringes of black strokes have less
_BLUR = 1.25  # pixels of the half size; along and across a stroke


def keep_hues(before: Pixels, after: Pixels) -> None:
    """Give thin strokes of a cleaned page their hue back, in place.

    A stroke's hue is the ratio of its depths in the three channels, each a share of the paper
    beside it (the closing by 26 pixels; after Serra, 1982), as a mean over some pixels.

    Args:
        before: H x W x 3, the page; uint8, uint16 or float32.
        after: the same, cleaned: strokes on white.
    """
    page, cleaned = _small(before), _small(after)
    dark = cv2.bitwise_not(cv2.cvtColor(cleaned, cv2.COLOR_RGB2GRAY))
    stroke = (dark > _DEPTH[0]).view(np.uint8)
    wide = cv2.morphologyEx(stroke, cv2.MORPH_OPEN, np.ones((_WIDE, _WIDE), np.uint8))
    stroke &= 1 - cv2.dilate(wide, np.ones((3, 3), np.uint8))
    if not stroke.any():
        return
    weight = stroke * np.clip((dark - np.float32(_DEPTH[0])) / (_DEPTH[1] - _DEPTH[0]), 0, 1)
    soft = cv2.GaussianBlur(page, (3, 3), 0)
    paper = cv2.morphologyEx(soft, cv2.MORPH_CLOSE, np.ones((_PAPER, _PAPER), np.uint8))
    paper = cv2.max(cv2.blur(paper, (5, 5)), (12, 12, 12, 0))
    of_paper = cv2.divide(page, paper, dtype=cv2.CV_32F)
    total = cv2.max(cv2.GaussianBlur(weight, (0, 0), _BLUR), 1e-4)
    hue, given = (
        [cv2.GaussianBlur(weight * (1 - part), (0, 0), _BLUR) / total for part in cv2.split(image)]
        for image in (of_paper, cleaned * np.float32(1 / 255))
    )
    colourful = _saturation(hue)
    more = np.clip((colourful - _COLOURFUL[0]) / (_COLOURFUL[1] - _COLOURFUL[0]), 0, 1)
    more *= weight * (colourful > _saturation(given))
    if not more.any():
        return
    height, width = after.shape[:2]
    luma = cv2.max(sum(w * part for w, part in zip(LUMA, hue, strict=True)), 0.02)
    planes = cv2.merge([*(cv2.max(part, 0) / luma for part in hue), more.astype(np.float32)])
    size = (2 * planes.shape[1], 2 * planes.shape[0])
    planes = cv2.resize(planes, size, interpolation=cv2.INTER_LINEAR)[:height, :width]
    place = np.nonzero(planes[..., 3])
    white = np.float32(full_range(after))
    found, depth = planes[place], 1 - after[place] / white
    depth += found[:, 3:] * ((depth @ LUMA)[:, None] * found[:, :3] - depth)
    changed = np.clip(1 - depth, 0, 1) * white
    after[place] = np.rint(changed) if np.issubdtype(after.dtype, np.integer) else changed


def _small(image: Pixels) -> NDArray[np.uint8]:
    """Half the size, in 8 bits."""
    small = halved(image)
    if small.dtype == np.uint8:
        return small
    return np.asarray(np.clip(small * np.float32(255 / full_range(image)), 0, 255), np.uint8)


def _saturation(depths: Sequence[Floats]) -> Floats:
    """Of depths in three channels, in [0, 1]."""
    most, least = (reduce(way, depths) for way in (cv2.max, cv2.min))
    return np.asarray((most - cv2.max(least, 0)) / cv2.max(most, 0.03), np.float32)
