"""How deep, how wide and how sharp the ink of a page is, in windows that lie evenly over it.

How deep the ink of a place is tells its black top-hat (Meyer, 1979); grain, mottle and noise are
told from it since they are as far above the median as below. How wide its strokes are tell openings
(granulometry: Matheron, "Random Sets and Integral Geometry", 1975). How sharp it is tells the slope
of its edges against its depth (Elder and Zucker, 1998).
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import luma, unit

__all__ = ["FAINTEST", "Ink", "edge_blur", "measure_ink"]

_WINDOW, _WINDOWS = 96, 12  # pixels of the windows that are looked at, and how many each way
_REACH, _AROUND = 15, 25  # pixels; wider strokes are background; of the median that tells grain
_EXTREME = 0.995  # quantile of a window's pixels
FAINTEST = 0.08  # of the paper: what is paler is the other side's
_DARKER = 1.8  # times as far below the median as above it
_WIDE = 3  # pixels
_LEAST = 40  # pixels of ink that tell how wide it is
_DOT = 6  # pixels; smaller pieces tell nothing, dirt is as small
_BROAD = 49  # pixels; wider strokes are background where their edges are asked
_DENOISED = 0.8  # pixels of blur against noise, before slopes are measured
_EDGES, _VISIBLE = 24, 0.1  # pixels of edges that tell, depth from which on they do

Pixels = NDArray[Any]
Plane = NDArray[np.float32]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Ink:
    """What the windows of a page show; one value each.

    Attributes:
        depths: of their ink, as shares of the paper's brightness.
        grain: how far above the median pixels are, as such shares.
        inked: whether there is ink.
        wide: the share of their ink, but for dots, whose strokes are three pixels wide or wider;
            NaN where there is too little.
        edges: 2 x n, of `edge_blur`.
    """

    depths: Values
    grain: Values
    inked: NDArray[np.bool_]
    wide: Values
    edges: Values


def measure_ink(page: Pixels) -> Ink:
    """Measure a page's ink.

    Args:
        page: H x W x C with C in {1, 3}, uint8, uint16 or float32 on [0, 1].
    """
    found: list[tuple[float, float, bool, float]] = []
    edges: list[Plane] = []
    for top in _spread(page.shape[0]):
        for left in _spread(page.shape[1]):
            part = page[top : top + _WINDOW, left : left + _WINDOW]
            plane = np.clip(unit(luma(part)), 0, 1)
            found.append(_measured(plane))
            edges.append(edge_blur(plane, _WINDOW).ravel())
    depths, grain, inked, wide = np.array(found or [(0, 1, False, np.nan)]).T
    return Ink(depths, grain, inked > 0, wide, np.array(edges or np.zeros((1, 2)), np.float64).T)


def edge_blur(plane: Plane, side: int) -> Plane:
    """How deep ink is in each cell, and by how many pixels its edges are blurred there.

    Args:
        plane: H x W on [0, 1].
        side: of a cell, in pixels.

    Returns:
        2 x h x w: shares of the paper's brightness, and standard deviations; 0 where the ink is
        paler than a tenth of the paper.
    """
    soft = cv2.GaussianBlur(plane, (0, 0), _DENOISED)
    ground = cv2.morphologyEx(soft, cv2.MORPH_CLOSE, np.ones((_BROAD, _BROAD), np.uint8))
    ways = [cv2.Sobel(soft, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1))]
    fall = _highest(_cells(ground - soft, side))
    slope = _highest(_cells(cv2.magnitude(*ways), side))
    depth = fall / np.maximum(_cells(ground, side).mean(axis=2), np.float32(0.1))
    blur = fall / np.maximum(slope * np.sqrt(2 * np.pi), 1e-6)  # that of a step of such a depth
    return np.asarray(np.where(depth >= _VISIBLE, (depth, blur), 0), np.float32)


def _cells(plane: Plane, side: int) -> Plane:
    """The pixels of each cell, h x w x n; the last ones reach back to be as large as the others."""
    for axis in (0, 1):
        length = plane.shape[axis]
        first = np.arange(0, length, side).clip(max=max(length - side, 0))
        place = (first[:, None] + np.arange(side)).ravel().clip(max=length - 1)
        if len(place) != length:
            plane = plane.take(place, axis)
    down, across = (length // side for length in plane.shape)
    cells = plane.reshape(down, side, across, side).transpose(0, 2, 1, 3)
    return cells.reshape(down, across, -1)


def _highest(cells: Plane) -> Plane:
    """The value in each cell that only some pixels exceed."""
    return np.asarray(np.partition(cells, -_EDGES, axis=2)[..., -_EDGES], np.float32)


def _measured(plane: Plane) -> tuple[float, float, bool, float]:
    soft = np.asarray(cv2.GaussianBlur(plane, (3, 3), 0), np.float32)
    ground = cv2.morphologyEx(soft, cv2.MORPH_CLOSE, np.ones((_REACH, _REACH), np.uint8))
    ground = np.maximum(ground, np.float32(0.1))
    depth = float(np.quantile(1 - soft / ground, _EXTREME))
    usual = cv2.medianBlur(np.rint(255 * soft).astype(np.uint8), _AROUND) / np.float32(255)
    low, high = np.quantile(soft / np.maximum(usual, 0.1) - 1, (1 - _EXTREME, _EXTREME))
    grain = max(float(high), 0.004)
    inked = depth >= FAINTEST and -float(low) >= _DARKER * grain
    return depth, grain, inked, _wide_share(1 - plane / ground) if inked else np.nan


def _wide_share(fall: Plane) -> float:
    """Share of the ink that is wide, of how far pixels fall below the paper; NaN if too little."""
    dark = (fall > 0.5 * np.quantile(fall, _EXTREME)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    strokes = stats[:, cv2.CC_STAT_AREA] >= _DOT
    strokes[0] = False  # what is not dark
    dark = strokes[labels].view(np.uint8)
    count = int(dark.sum())
    if count < _LEAST:
        return np.nan
    opened = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((_WIDE, _WIDE), np.uint8))
    return int(opened.sum()) / count


def _spread(length: int) -> list[int]:
    """Where windows begin that lie evenly over a length."""
    count = min(_WINDOWS, -(-length // _WINDOW))
    return [int(x) for x in np.linspace(0, max(length - _WINDOW, 0), count).round()]
