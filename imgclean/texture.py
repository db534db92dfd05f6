"""Texture: no more is removed from it than noise explains that an image's plain parts show.

A network for photos takes for noise what is as fine and as irregular: leaves, gravel and bricks of
a photo shrunken for a web page, a sky full of stars. But noise is everywhere. That of one exposure
is about as strong in textures as in plain parts, and an engine that smooths plain parts alone
leaves a few levels in the others. So where far more goes than from the plain parts, texture goes
with it, and only so much of the change is left as noise accounts for.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import stretched, unit, write

__all__ = ["keep_texture"]

_CELL, _SMALL = 64, 8  # pixels
_PLAIN = 0.25  # share of the cells that tell: those with the least detail and noise
_FEWEST = 8  # cells that tell of an image at all
_TONES = (25 / 255, 230 / 255)  # in darker and brighter cells the tone curve has cut noise
_CUT = (2 / 255, 253 / 255)  # and from pixels beyond these all of it
_EVEN = 0.2 / 255  # deviation, under which a cell has one colour
_TIMES, _MORE = 1.5, 2 / 255  # the noise of the plain parts, and on top, that a cell may lose
_CUT_OFF, _BESIDE = 0.5, 0.05  # shares of a cell that may be cut off, or a border
_NORMAL = np.float32(np.sqrt(np.pi / 2))  # deviation of normal noise to its mean size
_PAPER, _ALL_ROUND = 0.06, 0.8  # a border's tones; share of the cells at the edge it fills
_FINE = 5  # pixels: fine is what a mean over so many takes away

Pixels = NDArray[Any]
Plane = NDArray[np.float32]


def keep_texture(before: Pixels, after: Pixels, strength: float = 1.0) -> float:
    """Give back, in place, part of what was removed from texture.

    Args:
        before: H x W x C, uint8, uint16 or float32 on [0, 1].
        after: the same, cleaned; changed in place.
        strength: at which it was cleaned, over 0 to 1.

    Returns:
        The share of the change that stays in the cell where least does; 1 where nothing was given
        back, also where no plain parts tell what noise there is.
    """
    if not after.size:
        return 1.0
    tops = range(0, len(after), _CELL)
    rows = [_look(before[top : top + _CELL], after[top : top + _CELL]) for top in tops]
    small = np.concatenate(rows, axis=1)
    border = _border(np.sqrt(small[1]), small[2])
    planes = (*small, border.astype(np.float32))
    removed, fine, tone, cut, beside = (_means(plane, _CELL // _SMALL) for plane in planes)
    removed, fine = removed / np.float32(strength), np.sqrt(fine)
    tells = (cut < _CUT_OFF) & (beside < _BESIDE) & (fine > _EVEN)
    tells &= (tone > _TONES[0]) & (tone < _TONES[1])
    plain = np.flatnonzero(tells)[np.argsort(fine[tells])]
    if len(plain) < _FEWEST:
        return 1.0
    plain = plain[: max(_FEWEST // 4, round(_PLAIN * len(plain)))]
    noise = float(np.sqrt(np.mean(removed.ravel()[plain] ** 2)))
    shares = np.minimum((_TIMES * noise + _MORE) / np.maximum(removed, 1e-6), 1).astype(np.float32)
    if shares.min() == 1:
        return 1.0
    across = stretched(shares.T, _CELL, 0, after.shape[1]).T
    for top in tops:
        share = stretched(across, _CELL, top, min(top + _CELL, len(after)))[..., None]
        if share.min() < 1:
            one, other = before[top : top + _CELL], after[top : top + _CELL]
            change = np.subtract(other, one, dtype=np.float32)
            write(change * share + one, other)
    return float(shares.min())


def _border(fine: Plane, tone: Plane) -> NDArray[np.bool_]:
    """Cells of an even border, as a print's, whose grain is not that of the picture."""
    rim = np.ones(fine.shape, np.bool_)
    rim[1:-1, 1:-1] = False
    usual, paper = np.median(fine[rim]), np.median(tone[rim])
    alike = (fine < 2 * usual + _EVEN) & (np.abs(tone - paper) < _PAPER)
    inside = fine[~alike]
    if alike[rim].mean() < _ALL_ROUND or not inside.size or np.median(inside) < 2 * usual:
        return np.zeros(fine.shape, np.bool_)
    labels = cv2.connectedComponents(alike.astype(np.uint8), connectivity=4)[1]
    return np.asarray(alike & np.isin(labels, labels[rim & alike]), np.bool_)


def _look(before: Pixels, after: Pixels) -> Plane:
    """Of small cells: deviation of what was removed, variance of what is fine, tone, share cut."""
    shown = unit(before)
    gone = cv2.absdiff(shown, unit(after)).reshape(shown.shape)
    fine = cv2.absdiff(shown, cv2.blur(shown, (_FINE, _FINE))).reshape(shown.shape)
    least, most = shown[..., 0], shown[..., 0]
    for channel in range(1, shown.shape[2]):
        least, most = cv2.min(least, shown[..., channel]), cv2.max(most, shown[..., channel])
    ends = ((least <= _CUT[0]) | (most >= _CUT[1])).astype(np.float32)
    means = [_means(plane, _SMALL) for plane in (gone, cv2.multiply(fine, fine), shown)]
    removed, detail, tone = (np.reshape(plane, (*plane.shape[:2], -1)).mean(2) for plane in means)
    return np.stack([_NORMAL * removed, detail, tone, _means(ends, _SMALL)])


def _means(planes: Plane, side: int) -> Plane:
    """Means of squares of so many pixels, by channels; those at the far edges may be cut."""
    height, width = planes.shape[:2]
    size = (-(-width // side), -(-height // side))
    edges = (0, size[1] * side - height, 0, size[0] * side - width)
    whole = cv2.copyMakeBorder(planes, *edges, cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.float32)
