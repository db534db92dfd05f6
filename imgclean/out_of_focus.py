"""Print that is out of focus: a network for pages sees it at half the size, where it is sharper.

Letters whose edges are blurred by more than two pixels look like stains to it, and whole lines went
white. A camera's focus is lost by and by towards one side of a sheet, so each place has the view
that it needs; what is softer still is seen at a quarter of the size, and so on.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .ink import Ink, edge_blur
from .pixels import luma, stretched, unit, write

__all__ = ["is_out_of_focus", "share_of_half", "take_half"]

# Pixels of blur up to which print is seen as it is, and from which on at half the size.
_SHARP, _SOFT = 1.6, 2.0
_UNREADABLE = 7.0  # pixels of blur, from which on it is a stain, or a gutter
_DEEP = 0.35  # of a page's ink: what is paler may be the other side's, or a stain
_DEEPEST = 0.9, 0.55  # quantile of the depths of soft print, and what it is at least, of that ink
_CRISP, _BESIDE = 1.4, 0.3  # pixels of blur, and share of soft cells that are beside so sharp ones
_INKED = 0.85  # quantile over the windows or cells with ink
_FEWEST = 0.02  # share of the ink's windows that are soft
_SMALLEST = 200  # pixels of the shorter side
_CELL = 64  # pixels
_KNOWN = 0.02  # weight of the cells around, from which on a cell's blur is known
_PIXELS = 2_000_000  # that are looked at at a time
_MARGIN = 4  # pixels around a part of half the size

Pixels = NDArray[Any]
Plane = NDArray[np.float32]


def is_out_of_focus(ink: Ink) -> bool:
    """Whether a page's ink is soft in some windows, where it is no paler than elsewhere."""
    depths, blur = ink.edges
    deep = _print(depths, blur, _usual(depths))
    return bool(deep.any() and np.mean(blur[deep] > _SOFT) >= _FEWEST)


def share_of_half(page: Pixels) -> Plane | None:
    """Which share of each cell of 64 pixels is to be taken from half the size.

    Args:
        page: H x W x C with C in {1, 3}, uint8, uint16 or float32 on [0, 1].

    Returns:
        h x w on [0, 1]; None where nothing is, or the page is small. The other side's print is as
        soft, but nowhere as deep as this side's, and lies among it.
    """
    height, width = page.shape[:2]
    if min(height, width) < _SMALLEST:
        return None
    found: list[Plane] = []
    rows = max(1, _PIXELS // (width * _CELL))  # of cells
    for top in range(0, height, rows * _CELL):
        before = _CELL if top else 0  # a row of cells around, for what the first and last adjoin
        part = page[top - before : top + (rows + 1) * _CELL]
        cells = edge_blur(np.clip(unit(luma(part)), 0, 1), _CELL)
        found.append(cells[:, before // _CELL :][:, :rows])
    depths, blur = np.concatenate(found, axis=1)
    usual = _usual(depths)
    deep = _print(depths, blur, usual)
    if _is_other_side(depths / usual, deep & (blur > _SOFT), deep & (blur < _CRISP)):
        return None
    weight = cv2.GaussianBlur(deep.astype(np.float32), (0, 0), 1)
    mean = cv2.GaussianBlur(np.log(np.where(deep, blur, np.float32(1))), (0, 0), 1)
    around = np.exp(mean / np.maximum(weight, _KNOWN))
    share = np.clip((around - _SHARP) / (_SOFT - _SHARP), 0, 1) * (weight > _KNOWN)
    return np.asarray(share, np.float32) if share.any() else None


def take_half(
    image: Pixels, half: Pixels, share: Plane, before: Pixels | None = None, strength: float = 1.0
) -> None:
    """Take a share of each cell of a cleaned page from what it became at half the size, in place.

    Args:
        image: H x W x C, cleaned at that strength.
        half: the same at half the size, cleaned in full.
        share: of `share_of_half`.
        before: the page as it was, H x W x C, where `strength` is less than 1.
        strength: over 0 to 1.
    """
    height, width = image.shape[:2]
    across = stretched(share.T, _CELL, 0, width).T
    for number in np.flatnonzero(cv2.dilate(share, np.ones((3, 3), np.uint8)).any(axis=1)):
        top, end = int(number) * _CELL, min(int(number + 1) * _CELL, height)
        weight = stretched(across, _CELL, top, end)[..., None]
        first = max(top // 2 - _MARGIN, 0)
        part = half[first : -(-end // 2) + _MARGIN]
        size = (2 * part.shape[1], 2 * part.shape[0])
        grown = cv2.resize(part, size, interpolation=cv2.INTER_CUBIC).reshape(*size[::-1], -1)
        grown = grown[top - 2 * first :][: end - top, :width].astype(np.float32)
        if before is not None:
            grown = strength * grown + np.float32(1 - strength) * before[top:end]
        strip = image[top:end]
        write(strip + weight * (grown - strip), strip)


def _usual(depths: NDArray[np.floating]) -> float:
    """How deep the ink of a page is, but for faint parts; 1 where there is none."""
    inked = depths[depths > 0]
    return float(np.quantile(inked, _INKED)) if inked.size else 1.0


def _print(
    depths: NDArray[np.floating], blur: NDArray[np.floating], usual: float
) -> NDArray[np.bool_]:
    """Where ink may be print of the page's own, of such usual depth."""
    return np.asarray((depths > _DEEP * usual) & (blur < _UNREADABLE), np.bool_)


def _is_other_side(depths: Plane, soft: NDArray[np.bool_], sharp: NDArray[np.bool_]) -> bool:
    """Whether soft cells are none of print that is out of focus, or there are none."""
    if not soft.any() or np.quantile(depths[soft], _DEEPEST[0]) < _DEEPEST[1]:
        return True
    beside = cv2.dilate(sharp.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return bool(np.mean(beside[soft]) > _BESIDE)
