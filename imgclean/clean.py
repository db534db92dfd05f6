"""Whether a page is clean already: flat white around its strokes, or drawn by a computer."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from .streaks import find_streaks
from .strokes import (
    CELL,
    DARKEST,
    FAINTEST,
    HALO,
    SIDE,
    SMALLEST,
    STRIP,
    byte_pixels,
    darkest_plane,
    despeckled,
    measure_depth,
)

__all__ = ["is_clean"]

Pixels = NDArray[np.generic]
Plane = NDArray[np.uint8]

# Calibrated by benchmarks/safety.py on the noisy pages of NoisyOffice and on rendered ones, where
# the clean page says what is ink; that script prints how often what follows is right.
WHITE = 250  # of 255; the median of a clean page's paper
UNEVEN = 0.005  # share of the paper that may differ by more than 4 levels from that median
CRUMBS = 1e-5  # dark pieces of under 30 pixels far from others, for each pixel of a page
SPECKS = 0.0002  # share of the paper that may be more than 40 levels darker
_ONE_LEVEL = 0.93  # share of the white pixels that have one level where a page was drawn
# For each pixel of such a page: nearly white ones, soft ones, small pale pieces, any small ones.
_UNDRAWN, _PEPPER = np.array([0.00002, 0.0005, 0.003]), 0.006
_LEVELS_DRAWN, _TINY = 24, 5  # levels of its strokes at least; pixels of a small piece
_DOTS, _SPACED = 2000, 1.5  # evenly spaced ones that are looked for, and to how many pixels

_CRUMB, _CRUMB_DEPTH, _CRUMB_REACH, _CRUMBS = 30, 40, 14, 12  # pixels, of 255, pixels; on any page
_SPECK_REACH = 6  # pixels; where there is no grain, dots of letters are nearer to them
_SOME = 2000  # pixels that tell of most pages that they are not white


def is_clean(page: Pixels) -> bool:
    """Whether a page is flat white around its strokes, so that there is nothing to clean.

    Noise and background are judged together: of what is more than 3 pixels away from the
    strokes, the median has to be white and next to nothing may differ from it. Where white is
    one level and nothing else is near it, as in what a computer drew, pale lines and areas are
    drawn too if they are crisp or of one level, and dots if they are evenly spaced. Streaks that
    a scanner drew (`streaks`) are dirt too.

    Args:
        page: H x W or H x W x C with C in {1, 3}; uint8, uint16 or float32 on [0, 1].

    Returns:
        False for images under 8 pixels in height or width, too, and for those that have less
        than a tenth of paper.
    """
    page = np.atleast_3d(page)
    height, width = page.shape[:2]
    if min(height, width) < SIDE:
        return False
    row, column = np.random.default_rng(0).integers(0, (height, width), (_SOME, 2)).T
    some = byte_pixels(page[row, column]).min(axis=1)
    some = some[some >= WHITE - 4]
    if len(some) < 0.05 * _SOME:
        return False  # too little that could be white paper, whatever is ink
    white = int(np.bincount(some).argmax())
    one_level = white >= WHITE and bool(np.mean(some == white) >= _ONE_LEVEL)
    clean = _is_even(page) or (one_level and _is_drawn(page, white))
    return bool(clean and not find_streaks(page))


def _is_even(page: Pixels) -> bool:
    """Whether all paper of a page, H x W x C, is white and without dots."""
    height, width = page.shape[:2]
    counts, crumbs = np.zeros(256), 0
    rows = max(CELL, STRIP // width)
    first = min(2 * HALO, rows)  # nearly always enough to see that a page is not clean
    for top, bottom in pairwise([0, *range(first, height, rows), height]):
        begin = max(0, top - HALO)
        plane = darkest_plane(page[begin : bottom + HALO])  # so that no colour counts as white
        ink = (measure_depth(despeckled(plane))[2] > FAINTEST).view(np.uint8)
        paper = (cv2.dilate(ink, np.ones((7, 7), np.uint8)) == 0).view(np.uint8)
        core = slice(top - begin, bottom - begin)
        counts += cv2.calcHist([plane[core]], [0], paper[core], [256], [0, 256]).ravel()
        if counts[: WHITE - 4].sum() > UNEVEN * height * width:
            return False  # whatever follows
        crumbs += len(_find_crumbs(plane, core, (_CRUMB_REACH,))[0])
        if crumbs > max(_CRUMBS, CRUMBS * height * width):
            return False
    total = counts.sum()
    if total < height * width / 10:
        return False
    median = int(np.searchsorted(np.cumsum(counts), total / 2))
    even = counts[max(0, median - 4) : median + 5].sum()
    specks = counts[: max(0, median - 40)].sum()
    return bool(median >= WHITE and even >= (1 - UNEVEN) * total and specks <= SPECKS * total)


def _is_drawn(page: Pixels, white: int) -> bool:
    """Whether paper of one level, H x W x C, has nothing on it but what was drawn.

    That is crisp, or an area of one level: no stain, no shadow, no picture is. Grain and pepper are
    many small pieces. Where there are few levels a scanner's threshold made anything crisp.
    """
    height, width = page.shape[:2]
    paper, near, soft, pale = 0, 0, 0, 0
    # For each so many rows, since a cloud of pepper is small.
    tiny = np.zeros(-(-height // HALO), np.intp)
    levels = np.zeros(256, np.bool_)
    most = {_CRUMB_REACH: CRUMBS, _SPECK_REACH: SPECKS / 2}
    dots: list[list[NDArray[np.float64]]] = []
    rows = max(CELL, STRIP // width)
    three, five = np.ones((3, 3), np.uint8), np.ones((5, 5), np.uint8)
    for top in range(0, height, rows):
        begin = max(0, top - HALO)
        plane = darkest_plane(page[begin : top + rows + HALO])
        core = slice(top - begin, top - begin + rows)
        other = plane < white - 4
        beside = cv2.dilate(other.view(np.uint8), five) > 0
        near += int(np.count_nonzero(((plane != white) & ~beside)[core]))
        crisp = cv2.dilate((plane == white).view(np.uint8), five) > 0
        level = cv2.morphologyEx(plane, cv2.MORPH_GRADIENT, three) == 0
        level = cv2.dilate(level.view(np.uint8), three) > 0
        soft += int(np.count_nonzero((other & ~crisp & ~level)[core]))
        dark = (plane < DARKEST).view(np.uint8)
        pale += len(_small(other & (cv2.dilate(dark, five) == 0), core, SMALLEST))
        pieces = _small(plane < white - _CRUMB_DEPTH, core, _TINY) + begin
        tiny += np.bincount(pieces // HALO, minlength=len(tiny))
        paper += int(np.count_nonzero((plane == white)[core]))
        levels[np.unique(plane[other])] = True
        shares = np.array([near, soft, pale]) / (height * width)
        if (shares > _UNDRAWN).any() or tiny.max() > _PEPPER * HALO * width:
            return False
        dots.append([found + [0, begin] for found in _find_crumbs(plane, core, [*most])])
    if np.count_nonzero(levels) < _LEVELS_DRAWN or paper < height * width / 10:
        return False
    return all(
        _count_uneven(np.concatenate(found)) <= max(_CRUMBS, share * height * width)
        for share, found in zip(most.values(), zip(*dots, strict=True), strict=True)
    )


def _small(mask: NDArray[np.bool_], rows: slice, area: int) -> NDArray[np.intp]:
    """The rows in which connected pieces of fewer pixels begin, of those in `rows`."""
    stats = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)[2][1:]
    few = _begin_in(stats, rows) & (stats[:, cv2.CC_STAT_AREA] < area)
    return np.asarray(stats[few, cv2.CC_STAT_TOP], np.intp)


def _begin_in(stats: NDArray[np.int32], rows: slice) -> NDArray[np.bool_]:
    """Which pieces begin in some rows."""
    top = stats[:, cv2.CC_STAT_TOP]
    return np.asarray((top >= rows.start) & (rows.stop is None or top < rows.stop))


def _count_uneven(places: NDArray[np.float64]) -> int:
    """How many of N x 2 places are in no row of three that are evenly spaced."""
    if len(places) > _DOTS:
        return len(places)
    alone = 0
    for place in places:
        away = places - place
        nearest = away[np.argsort(np.hypot(*away.T))[1:9]]
        # One as far on the other side, or as far again on the same one.
        middle = np.hypot(*(nearest[:, None] + nearest[None]).T)
        end = np.hypot(*(nearest[:, None] - 2 * nearest[None]).T)
        alone += not min(middle.min(initial=9), end.min(initial=9)) <= _SPACED
    return alone


def _find_crumbs(grey: Plane, rows: slice, reaches: Sequence[int]) -> list[NDArray[np.float64]]:
    """Where dark pieces too small for a letter, but for its dots, have nothing near them.

    N x 2, x and y, for each reach; near is what is up to so many pixels away. Only those that
    begin in `rows` are told, whole ones.
    """
    dark = (measure_depth(grey)[2] > _CRUMB_DEPTH).view(np.uint8)
    _, labels, stats, middles = cv2.connectedComponentsWithStats(dark, connectivity=8)
    small = (stats[:, cv2.CC_STAT_AREA] < _CRUMB) & _begin_in(stats, rows)
    place = np.flatnonzero(dark)
    group = np.zeros(len(stats), np.intp)
    found = []
    for reach in reaches:
        grown = cv2.dilate(dark, np.ones((reach + 1, reach + 1), np.uint8))
        groups = cv2.connectedComponents(grown, connectivity=8)[1]
        group[labels.ravel()[place]] = groups.ravel()[place]
        alone = np.bincount(group[1:], minlength=1)[group] == 1
        found.append(np.asarray(middles[1:][(small & alone)[1:]], np.float64))
    return found
