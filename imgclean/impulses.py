"""Impulse noise, "salt and pepper": samples that are black or white whatever lies around them.

A network for photos keeps them, as it keeps glints, stars and dots. What tells them is that both
kinds come, each alone, far from what lies around, and everywhere as often as chance has it. They
are left out, and what is left around each is averaged, the nearest most (as in Zhang and Li, "A new
adaptive weighted mean filter for removing salt-and-pepper noise", 2014).
"""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import full_range, write

__all__ = ["Impulses", "put_impulses", "remove_impulses"]

_CELL, _ROWS = 64, 4  # pixels of a cell, whose impulses are counted, and rows of them at a time
_LOOKS = 4  # such strips that tell, at most
_LEAST = 5e-4  # share of the samples that either kind is
_MOST = 0.6  # share of the samples that may be black or white
_UNLIKE = 5  # times as frequent as the other one kind is at most
_FAR, _DEVIATIONS = 0.2, 4.0  # of the full range, and of what else stands out: distance from around
_FEWEST = 3.0  # to be expected in a cell that tells, and cells that tell
_SPREAD = (0.5, 1.8)  # deviation of the cells' counts, in that of a binomial distribution
_BESIDE = 3.0  # times as frequent, or as rare, beside one another as chance has it, at most
_WINDOW, _HALO = 7, 8  # pixels: what is averaged, and what is looked at beside rows
_SIGMA = 0.7  # pixels; weights of the average
_AROUND, _EVERY = 5, 4  # pixels of the median that tells what is around, and between some of them

Pixels = NDArray[Any]
Mask = NDArray[np.bool_]
Impulses = list[tuple[slice, NDArray[np.uint8]]]  # rows, and packed bits: black and white samples


def remove_impulses(image: Pixels) -> Impulses | None:
    """Put the mean of what lies around in the place of impulses, in place.

    Each channel is taken for itself. Nothing is done where impulses of either kind are under one in
    2000, or of one kind alone, as hot pixels and stars are; where black and white is most of the
    image, as in print; or where they lie closer together, more evenly or in other places than by
    chance, as texture does.

    Args:
        image: H x W x C, uint8, uint16 or float32 on [0, 1].

    Returns:
        Where they were, for `put_impulses`; None if there were none.
    """
    channels = range(image.shape[2])
    if not any(_has_impulses(image[..., n]) for n in channels):
        return None
    found = []
    for rows, core, there in _strips(image):
        kinds = np.zeros((2, core.stop - core.start, *there.shape[1:]), np.bool_)
        for n in channels:
            plane = np.ascontiguousarray(there[..., n])
            ends, _, around = _find(plane)
            kinds[..., n] = ends[:, core]
            gone = ends[0] | ends[1]
            part = image[rows, :, n]
            write(np.where(gone[core], _filled(plane, gone, around)[core], part), part)
        found.append((rows, np.packbits(kinds)))
    return found


def put_impulses(image: Pixels, impulses: Impulses) -> None:
    """Undo `remove_impulses`, in place."""
    typed = image.dtype.type
    for rows, packed in impulses:
        part = image[rows]
        kinds = np.unpackbits(packed, count=2 * part.size).view(np.bool_).reshape(2, *part.shape)
        part[kinds[0]], part[kinds[1]] = typed(0), typed(full_range(image))


def _strips(image: Pixels) -> Iterator[tuple[slice, slice, Pixels]]:
    """Rows of cells, where they lie among those copied with them, and the latter as they were."""
    step, height = _ROWS * _CELL, len(image)
    above = image[:0]
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        there = np.concatenate([above, image[top : rows.stop + _HALO]])
        core = slice(len(above), len(above) + rows.stop - top)
        above = there[core][-_HALO:]
        yield rows, core, there


def _has_impulses(plane: Pixels) -> bool:
    """Whether samples of one channel, H x W, are impulses."""
    ends = _ends(plane)
    if min(ends) < max(1, _LEAST * plane.size) or sum(ends) > _MOST * plane.size:
        return False
    counts, beside = [], np.zeros((2, 2))
    strips = -(-len(plane) // (_ROWS * _CELL))
    for number in np.unique(np.linspace(0, strips - 1, _LOOKS).astype(int)):
        top = int(number) * _ROWS * _CELL
        kinds, could, _ = _find(np.ascontiguousarray(plane[top : top + _ROWS * _CELL]))
        for n in (0, 1):
            both = kinds[n, :, 1:] & kinds[n, :, :-1]
            beside[n] += both.sum(), kinds[n].sum()
        counts.append(_cells(np.concatenate([kinds, could])))
    cells = np.concatenate(counts, axis=1)
    shares = [_share(cells[n], cells[n + 2]) for n in (0, 1)]
    if min(shares) < max(_LEAST, max(shares) / _UNLIKE):
        return False
    pairs, chance = beside[:, 0], np.array(shares) * beside[:, 1]
    usual = (chance / _BESIDE - _FEWEST <= pairs) & (pairs <= chance * _BESIDE + _FEWEST)
    return bool(usual.all())


def _ends(plane: Pixels) -> list[int]:
    """How many samples are black, and how many white."""
    white, step = plane.dtype.type(full_range(plane)), _ROWS * _CELL
    parts = [plane[top : top + step] for top in range(0, len(plane), step)]
    return [sum(int(np.count_nonzero(part == value)) for part in parts) for value in (0, white)]


def _find(plane: Pixels) -> tuple[Mask, Mask, Pixels]:
    """Which of H x W samples may be black and white impulses, which could be, and what is around.

    The former two are 2 x H x W.
    """
    around = np.asarray(cv2.medianBlur(plane, _AROUND))
    white = plane.dtype.type(full_range(plane))
    one, other = plane[::_EVERY, ::_EVERY].ravel(), around[::_EVERY, ::_EVERY].ravel()
    between = (one != 0) & (one != white)
    apart = np.abs(one[between].astype(np.float32) - other[between])
    usual = 1.4826 * float(np.median(apart)) if apart.size else float(white)
    far = plane.dtype.type(min(max(_FAR * float(white), _DEVIATIONS * usual), float(white)))
    could = np.stack([around > far, around < white - far])
    return np.stack([plane == 0, plane == white]) & could, could, around


def _cells(masks: Mask) -> NDArray[np.float32]:
    """How many samples whole cells of N x H x W masks have, or all if none is whole: N x cells."""
    count, *size = masks.shape
    down, along = (side // _CELL for side in size)
    if not (down and along):
        return np.asarray(masks.sum(axis=(1, 2), dtype=np.float32)[:, None], np.float32)
    whole = masks[:, : down * _CELL, : along * _CELL]
    cells = whole.reshape(count, down, _CELL, along, _CELL)
    sums = cells.sum(axis=4, dtype=np.uint8).sum(axis=2, dtype=np.float32)
    return np.asarray(sums.reshape(count, -1), np.float32)


def _share(found: NDArray[np.float32], among: NDArray[np.float32]) -> float:
    """The share that is impulses, in the middle one of the cells; 0 where that is not by chance."""
    told = among > 0
    share = float(np.median(found[told] / among[told])) if told.any() else 0.0
    told &= share * among >= _FEWEST
    if np.count_nonzero(told) < _FEWEST or share >= 1:
        return 0.0
    expected = share * among[told]
    away = (found[told] - expected) / np.sqrt(expected * (1 - share))
    spread = 1.4826 * float(np.median(np.abs(away)))
    return share if _SPREAD[0] <= spread <= _SPREAD[1] else 0.0


def _filled(plane: Pixels, gone: Mask, around: Pixels) -> NDArray[np.float32]:
    """Weighted means of the samples that are not gone; where all are, what is around."""
    kept = (~gone).astype(np.float32)
    size = (_WINDOW, _WINDOW)
    weights = cv2.GaussianBlur(kept, size, _SIGMA)
    sums = cv2.GaussianBlur(plane.astype(np.float32) * kept, size, _SIGMA)
    return np.asarray(
        np.where(weights > 1e-6, sums / np.maximum(weights, 1e-6), around), np.float32
    )
