"""Strokes of a page that cleaning lost, cell by cell.

What stands out in the input as ink does (`strokes`), and no longer does in the output, is missing.
Dirt stands out too, so what is missing has to look like ink: crisp, however dark. Stains, folds,
rings, bleed-through and shadows are soft, grain and specks are small.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import halved, local_median
from .specks import WithoutSpecks
from .stains import WithoutStains
from .streaks import WithoutStreaks
from .strokes import (
    CELL,
    FAINTEST,
    HALO,
    SIDE,
    SMALLEST,
    STRIP,
    brighten,
    byte_pixels,
    despeckled,
    grey_plane,
    measure_depth,
)

__all__ = ["Page", "around", "missing_strokes"]

Pixels = NDArray[np.generic]
Page = Pixels | WithoutStreaks | WithoutSpecks | WithoutStains
Plane = NDArray[np.uint8]
Grid = NDArray[np.float32]

# Calibrated by benchmarks/safety.py on the noisy pages of NoisyOffice and on rendered ones, where
# the clean page says what is ink; that script prints how often what follows is right.
LEFT = 0.4  # share of its depth that a stroke must keep
CRISP = (0.37, 0.47)  # of the crispness: dirt below, ink above; in between it counts in part
COARSE = 0.12  # more of it asked at each coarser level, where soft edges become steep
SHARP = (0.4, 0.48)  # of the steepness at a thick stroke's edges over its depth, the same
# Large thick strokes of such depths, of 255, are ink from such a steepness on, in part up to 0.08
# more, watermarks for instance; at the coarsest level from more.
PALE, PALE_SHARP, COARSER = (41, 90), (0.42, 0.58), 0.12
LENGTH = 20.0  # pixels of missing strokes, in 3 x 3 cells, that are no accident

_QUARTER, _CLOSED, _AROUND = 4, 11, 61  # times smaller; pixels there of a background, a median
_TINT = 0.045  # of white: as far apart are the depths of ink that has a colour, at least
_LEVELS = 3  # each half the size of the one before
_SHORTEST = 5  # pixels of length below which it is a speck
_BROAD = (20, 160)  # pixels of length and of area of a thick pale stroke, at the size it is seen
_LEAST_LEFT = np.ceil(LEFT * np.arange(256)).astype(np.uint8)  # of each depth: less is missing


def missing_strokes(
    noisy: Page, denoised: Pixels, gentler: Sequence[tuple[float, bool]], colours: bool
) -> NDArray[np.float32]:
    """Pixels of missing strokes, for each strength before the last and each cell.

    Pale ink counts if `colours`; coloured not where half of it is back: then it never was ink.
    """
    height, width = noisy.shape[:2]
    found = np.zeros((len(gentler), -(-height // CELL), -(-width // CELL)), np.float32)
    rows = max(CELL, STRIP // width // CELL * CELL)
    where = np.ones(found.shape[1:], np.bool_)  # worth a look
    for number, (share, brighter) in enumerate(((1.0, False), *gentler[:-1])):
        lost, ink = found[number], number + 1 < len(found) or not number
        for top in range(0, height, rows):
            target = slice(top // CELL, (top + rows) // CELL)
            if not where[target].any():
                continue
            begin = max(0, top - 2 * HALO)  # so far the median of `_tinted` sees
            part = slice(begin, top + rows + 2 * HALO)
            before, after = grey_plane(noisy[part]), grey_plane(denoised[part])
            cells = _lost(before, _weakened(before, after, share, brighter), pale=colours)
            if colours and ink and noisy.ndim == 3 and noisy.shape[2] >= 3:
                np.maximum(cells, _tinted(noisy[part], denoised[part], share, brighter), out=cells)
            cells = cells[(top - begin) // CELL :]
            lost[target] = cells[: len(lost[target])]
        where = around(lost)
        if not where.any():
            break
    return found


def around(lost: Grid) -> NDArray[np.bool_]:
    """Cells where enough is missing, those joined to them where any is, and the cells around."""
    near = cv2.boxFilter(lost, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    found = (near >= LENGTH) & (lost > 0)
    if found.any():  # with what little is missing in cells joined to these: the rest of the word
        areas = cv2.connectedComponents((lost > 0).view(np.uint8), connectivity=8)[1]
        found = np.isin(areas, areas[found])
    return np.asarray(cv2.dilate(found.view(np.uint8), np.ones((3, 3), np.uint8)), np.bool_)


def _lost(before: Plane, after: Plane, *, pale: bool) -> Grid:
    """Pixels of missing strokes in each cell, the largest of what the levels find."""
    shape = (-(-before.shape[0] // CELL), -(-before.shape[1] // CELL))
    cells = np.zeros(shape, np.float32)
    for level in range(_LEVELS):
        if level:
            before, after = halved(before), halved(after)
        if min(before.shape) < SIDE:
            break
        np.maximum(cells, _lengths(before, after, 2**level, shape, pale=pale), out=cells)
    return cells


def _weakened(before: Plane, after: Plane, share: float, brighter: bool) -> Plane:
    """A share of the result and the rest of the input, on paper as bright as it became or was."""
    if share == 1:
        return after
    other = np.rint(brighten(before, after)).astype(np.uint8) if brighter else before
    return np.asarray(cv2.addWeighted(after, share, other, 1 - share, 0), np.uint8)


def _tinted(before: Pixels, after: Pixels, share: float, brighter: bool) -> Grid:
    """Missing pixels of pale coloured ink in each cell, at a quarter of the size.

    Pale marks are as soft as dirt. What tells them is that they are deeper in one channel than in
    another; in blue most of all are yellowing and stains.
    """
    size = tuple(max(1, round(n / _QUARTER)) for n in before.shape[1::-1])
    old, new = (
        cv2.resize(byte_pixels(p[..., :3]), size, interpolation=cv2.INTER_AREA)
        for p in (before, after)
    )
    there, left = _depths(old), _depths(_weakened(old, new, share, brighter))
    deepest = there.max(axis=2)
    apart = deepest - there.min(axis=2)
    usual = cv2.medianBlur(np.rint(255 * apart).astype(np.uint8), _AROUND) / np.float32(255)
    ink = (apart > _TINT + 1.5 * usual) & (there[..., 2] <= 1.15 * there[..., :2].max(axis=2))
    lost = ink & (cv2.dilate(left.max(axis=2), np.ones((3, 3), np.uint8)) < LEFT * deepest)
    labels, boxes = cv2.connectedComponentsWithStats(lost.view(np.uint8), connectivity=8)[1:3]
    mark = (boxes[:, 4] >= SMALLEST) & (boxes[:, 2:4].max(axis=1) >= _SHORTEST)
    mark[0] = False
    rows, columns = np.nonzero(mark[labels])
    side = CELL // _QUARTER
    shape = (-(-before.shape[0] // CELL), -(-before.shape[1] // CELL))
    cells = np.zeros(shape, np.float32)
    place = np.minimum(rows // side, shape[0] - 1), np.minimum(columns // side, shape[1] - 1)
    np.add.at(cells, place, 1)
    return cells


def _depths(pixels: Plane) -> Grid:
    """The fall of each of H x W x C channels below its background, as a share of that."""
    soft = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 0.8)
    ground = cv2.morphologyEx(soft, cv2.MORPH_CLOSE, np.ones((_CLOSED, _CLOSED), np.uint8))
    ground = np.maximum(cv2.blur(ground, (5, 5)), FAINTEST * 2)
    return np.asarray(np.clip(1 - soft / ground, 0, 1), np.float32)


def _lengths(
    before: Plane, after: Plane, scale: int, shape: tuple[int, int], *, pale: bool
) -> Grid:
    """Full-size pixels of missing strokes in each cell, from planes reduced by `scale`."""
    soft, fall, depth = measure_depth(despeckled(before))
    left = cv2.dilate(
        measure_depth(after)[2], np.ones((3, 3), np.uint8)
    )  # edges may move by a pixel
    limit = cv2.addWeighted(local_median(depth), 1.5, depth, 0, FAINTEST)
    mask = (depth > limit) & (left < cv2.LUT(depth, _LEAST_LEFT))
    place = np.flatnonzero(mask)
    pieces = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)[1]
    label = np.asarray(pieces.ravel()[place], np.intp) - 1
    area, length = _sizes(place, label, mask.shape[1])
    stroke = ((length >= _SHORTEST) & (area >= SMALLEST))[label]
    place, label = place[stroke], label[stroke]
    if not place.size:
        return np.zeros(shape, np.float32)
    count = area.size
    steep = cv2.morphologyEx(soft, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    slope, drop = (np.bincount(label, p.ravel()[place], count) for p in (steep, fall))
    peak = _highest(depth, place, label, count)
    crisp = slope / np.maximum(drop, 1) * np.sqrt(peak / 255)
    low, high = np.array(CRISP) + COARSE * (scale.bit_length() - 1)
    weight = np.clip((crisp - low) / (high - low), 0, 1)
    if scale > 1:  # thick strokes, whose insides are even
        edges = _edges(pieces, steep, count) / np.maximum(_highest(fall, place, label, count), 1)
        sharp = (edges * (peak / 255) ** 0.4 - SHARP[0]) / (SHARP[1] - SHARP[0])
        weight = np.maximum(weight, np.clip(sharp, 0, 1))
        broad = pale & (peak <= PALE[1]) & (length >= _BROAD[0]) & (area >= _BROAD[1])
        clear = (edges - np.interp(peak, PALE, PALE_SHARP) - COARSER * (scale > 2)) / 0.08
        weight = np.maximum(weight, np.where(broad, np.clip(clear, 0, 1), 0))
    rows, columns = np.divmod(place, mask.shape[1])
    side = CELL // scale
    cell = rows // side * shape[1] + columns // side
    each = (weight * length / area)[label] * scale  # so that a long line counts in every cell
    total = np.bincount(cell, each, shape[0] * shape[1])
    return total.reshape(shape).astype(np.float32)


def _highest(
    plane: Plane, place: NDArray[np.intp], label: NDArray[np.intp], count: int
) -> NDArray[np.uint8]:
    """The largest value of each piece."""
    highest = np.zeros(count, np.uint8)
    np.maximum.at(highest, label, plane.ravel()[place])
    return highest


def _edges(pieces: NDArray[np.int32], steep: Plane, count: int) -> NDArray[np.float64]:
    """Mean steepness of each piece along its outline, a pixel to both sides."""
    around = np.ones((3, 3), np.uint8)
    grown = cv2.dilate(pieces.astype(np.float32), around)
    inside = cv2.erode((pieces > 0).view(np.uint8), around)
    ring = np.flatnonzero((grown > 0) & (inside == 0))
    label = grown.ravel()[ring].astype(np.intp) - 1
    total, number = (np.bincount(label, w, count) for w in (steep.ravel()[ring], None))
    return np.asarray(total / np.maximum(number, 1), np.float64)


def _sizes(
    place: NDArray[np.intp], label: NDArray[np.intp], width: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pixels of each piece, and the longer side of the box around it."""
    area = np.bincount(label)
    length = np.zeros_like(area)
    for way in np.divmod(place, width):
        low, high = np.full_like(area, place.size and way.max()), np.zeros_like(area)
        np.minimum.at(low, label, way)
        np.maximum.at(high, label, way)
        np.maximum(length, high - low + 1, out=length)
    return area, length
