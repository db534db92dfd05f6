"""Texture: no more is removed from it than noise explains that an image's plain parts show.

A network for photos takes for noise what is as fine and as irregular: leaves, gravel and bricks of
a photo shrunken for a web page. But noise is everywhere. That of one exposure is about as strong
in textures as in plain parts, and an engine that smooths plain parts alone leaves a few levels in
the others. So where far more goes than from the plain parts, texture goes with it, and only so
much of the change is left as noise accounts for. An image may be put together, though, or be a
print with its border: where what far more was taken from is perfectly smooth in many places, or
what was taken is coloured, it was noise. And lifted shadows have more of it, so at least half of
what plain parts of a like brightness lose is taken for noise.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .faint import mix
from .pixels import means, stretched, unit

__all__ = ["keep_texture"]

_CELL, _SMALL = 64, 8  # pixels of what is decided on, and of what is looked at
_PLAIN, _ALIKE = 0.25, 0.15  # shares of cells that tell, of all and by brightness: the plainest
_FEWEST, _FEW = 8, 4  # cells that tell of an image at all, or of a brightness
_TONES = (25 / 255, 230 / 255)  # in darker and brighter cells the tone curve has cut noise
_LEVELS, _AROUND = np.linspace(0.06, 0.9, 15), 0.12  # of brightness, and so far beside them
_EVEN = 0.2 / 255  # deviation, under which a cell has one colour
_TIMES, _MORE = 1.5, 2 / 255  # the noise of the plain parts, and on top, that a cell may lose
_HALF = 0.5  # of what plain parts of a like brightness lose that is taken for noise
_COLOURED = (
    0.4  # correlation of the channels of what was removed: that of textures is 0.77 and more
)
_SMOOTH, _CLEAN = 0.12, 0.05  # fine detail over noise, of smooth places, and how many are enough
_BORDER, _ALL_ROUND, _BESIDE = 0.06, 0.8, 0.05  # its tones; share it has of the edge; of a cell
_FINE = 5  # pixels: fine is what a mean over so many takes away
_NORMAL = np.float32(np.sqrt(np.pi / 2))  # deviation of normal noise over its mean size

Pixels = NDArray[Any]
Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]


def keep_texture(before: Pixels, after: Pixels) -> float:
    """Give back, in place, part of what was removed from texture.

    Args:
        before: H x W x C, uint8, uint16 or float32 on [0, 1].
        after: the same, cleaned at full strength; changed in place.

    Returns:
        The share of the change that stays in the cell where least does; 1 where nothing was given
        back, also where no plain parts tell what noise there is.
    """
    if not after.size:
        return 1.0
    tops = range(0, len(after), _CELL)
    looks = [_look(before[top : top + _CELL], after[top : top + _CELL]) for top in tops]
    small = np.concatenate(looks, axis=1)
    border = _border(np.sqrt(small[1]), small[2]).astype(np.float32)
    removed, fine, tone, beside = (means(p, _CELL // _SMALL) for p in (*small, border))
    tells = (beside < _BESIDE) & (fine > _EVEN**2)
    tells &= (tone > _TONES[0]) & (tone < _TONES[1])
    if np.count_nonzero(tells) < _FEWEST:
        return 1.0
    noise = np.full(tone.shape, _noise(removed[tells], fine[tells], _PLAIN))
    if (removed > _TIMES * noise + _MORE).any():
        levels = [_of_level(removed, fine, tells & (abs(tone - at) < _AROUND)) for at in _LEVELS]
        noise = np.maximum(noise, _HALF * np.interp(tone, _LEVELS, levels))
    shares = np.minimum((_TIMES * noise + _MORE) / np.maximum(removed, 1e-6), 1).astype(np.float32)
    if shares.min() == 1 or _was_noise(before, after, small[0], shares < 1):
        return 1.0
    across = stretched(shares.T, _CELL, 0, after.shape[1]).T
    for top in tops:
        rows = slice(top, min(top + _CELL, len(after)))
        share = stretched(across, _CELL, rows.start, rows.stop)[..., None]
        if share.min() < 1:
            mix(before[rows], after[rows], share)
    return float(shares.min())


def _noise(removed: Plane, fine: Plane, share: float) -> float:
    """Root mean square of what the plainest share of some cells lost."""
    plain = np.argsort(fine)[: max(2, round(share * len(fine)))]
    return float(np.sqrt(np.mean(removed[plain] ** 2)))


def _of_level(removed: Plane, fine: Plane, cells: Mask) -> float:
    """That of cells of one brightness; 0, which asks for nothing, where too few tell."""
    enough = np.count_nonzero(cells) >= _FEW
    return _noise(removed[cells], fine[cells], _ALIKE) if enough else 0.0


def _was_noise(before: Pixels, after: Pixels, removed: Plane, cells: Mask) -> bool:
    """Whether what some cells lost has colours, or what is left of them is often smooth.

    Args:
        before: as for `keep_texture`.
        after: the same.
        removed: what small cells lost.
        cells: which large ones lost more than noise.
    """
    side = _CELL // _SMALL
    smooth, alike = [], []
    for row in np.flatnonzero(cells.any(axis=1)):
        noisy, shown = (unit(x[row * _CELL : (row + 1) * _CELL]) for x in (before, after))
        alike.append(_correlation(shown - noisy)[0, cells[row]])
        lost = removed[row * side : (row + 1) * side]
        where = np.repeat(cells[row], side)[: lost.shape[1]] & (lost > _MORE)
        smooth.append((np.sqrt(_fine(shown)) < _SMOOTH * lost)[where])
    if np.count_nonzero(cells) >= _FEW and np.median(np.concatenate(alike)) < _COLOURED:
        return True
    places = np.concatenate(smooth)
    return bool(places.size and places.mean() > _CLEAN)


def _correlation(change: Plane) -> Plane:
    """That of the channels of a change, in cells; 1 where there is one channel."""
    others = change.shape[2] - 1
    total = means(change.sum(axis=2) ** 2, _CELL)
    each = means((change**2).sum(axis=2), _CELL)
    return (total / np.maximum(each, 1e-12) - 1) / others if others else np.ones_like(total)


def _border(fine: Plane, tone: Plane) -> Mask:
    """Small cells of an even border, as a print's, whose grain is not that of the picture."""
    rim = np.ones(fine.shape, np.bool_)
    rim[1:-1, 1:-1] = False
    usual, paper = np.median(fine[rim]), np.median(tone[rim])
    alike = (fine < 2 * usual + _EVEN) & (np.abs(tone - paper) < _BORDER)
    inside = fine[~alike]
    if alike[rim].mean() < _ALL_ROUND or not inside.size or np.median(inside) < 2 * usual:
        return np.zeros(fine.shape, np.bool_)
    labels = cv2.connectedComponents(alike.astype(np.uint8), connectivity=4)[1]
    return np.asarray(alike & np.isin(labels, labels[rim & alike]), np.bool_)


def _look(before: Pixels, after: Pixels) -> Plane:
    """Of small cells: the deviation of what was removed, the variance of what is fine, the tone."""
    shown = unit(before)
    gone = cv2.absdiff(shown, unit(after)).reshape(shown.shape)
    removed, tone = (_grey(means(planes, _SMALL)) for planes in (gone, shown))
    return np.stack([_NORMAL * removed, _fine(shown), tone])


def _fine(shown: Plane) -> Plane:
    """Variance of fine detail in small cells."""
    detail = cv2.absdiff(shown, cv2.blur(shown, (_FINE, _FINE)).reshape(shown.shape))
    return _grey(means(cv2.multiply(detail, detail).reshape(shown.shape), _SMALL))


def _grey(planes: Plane) -> Plane:
    return np.asarray(planes.reshape(*planes.shape[:2], -1).mean(axis=2), np.float32)
