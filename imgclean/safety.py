"""The safety gate: clean pages are left alone, and no stroke is lost in cleaning the others.

Classical, and nothing of the network's: what stands out of its surroundings in the input as ink
does, and no longer does in the output, is missing. Dirt stands out too, so what is missing has
to look like ink: crisp, however dark. Stains, folds, rings, bleed-through and shadows are soft,
grain and specks are small.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from .halftone import lost_screens
from .pixels import full_range, halved, local_median, luma, stretched
from .shading import find_gutter
from .streaks import WithoutStreaks, find_streaks

__all__ = ["Kept", "is_clean", "protect"]

Pixels = NDArray[np.generic]
Page = Pixels | WithoutStreaks
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
# Shares of the strength that are tried where strokes are missing, and whether they are mixed with
# the input on brighter paper: that may bring no thick strokes back.
GENTLER = ((0.5, True), (0.5, False), (0.0, False))

WHITE = 250  # of 255; the median of a clean page's paper
UNEVEN = 0.005  # share of the paper that may differ by more than 4 levels from that median
CRUMBS = 1e-5  # dark pieces of under 30 pixels far from others, for each pixel of a page
SPECKS = 0.0002  # share of the paper that may be more than 40 levels darker
_ONE_LEVEL = 0.93  # share of the white pixels that have one level where a page was drawn
# For each pixel of such a page: nearly white ones, soft ones, small pale pieces, any small ones.
_UNDRAWN, _PEPPER = np.array([0.00002, 0.0005, 0.003]), 0.006
_LEVELS_DRAWN, _TINY = 24, 5  # levels of its strokes at least; pixels of a small piece
_DOTS, _SPACED = 2000, 1.5  # evenly spaced ones that are looked for, and to how many pixels

_QUARTER, _CLOSED, _AROUND = 4, 11, 61  # times smaller; pixels there of a background, a median
_TINT = 0.045  # of white: as far apart are the depths of ink that has a colour, at least
_CELL = 32  # pixels; side of the cells that are decided on
_REACH = 25  # pixels; thicker strokes are background, four times thicker at the coarsest level
_LEVELS = 3  # each half the size of the one before
_DARKEST = 96  # of 255; grain on ground darker than this would look like ink
_FAINTEST = 20  # of 255; depth from which anything counts
_SHORTEST, _SMALLEST = 5, 10  # pixels of length and of area below which it is a speck
_CRUMB, _CRUMB_DEPTH, _CRUMB_REACH, _CRUMBS = 30, 40, 14, 12  # pixels, of 255, pixels; on any page
_SPECK_REACH = 6  # pixels; where there is no grain, dots of letters are nearer to them
_BROAD = (20, 160)  # pixels of length and of area of a thick pale stroke, at the size it is seen
_MARK, _MARK_REACH = (3, 30), 17  # black pixels of dots and accents; twice how far they may be
_HALO = 64  # pixels around a strip that are looked at with it
_STRIP = 2_000_000  # pixels looked at in one go
_LEAST_LEFT = np.ceil(LEFT * np.arange(256)).astype(np.uint8)  # of each depth: less is missing
_SOME = 2000  # pixels that tell of most pages that they are not white
_SIDE = 8  # pixels of height or width below which there is nothing to tell


@dataclass(frozen=True)
class Kept:
    """Part of a page that was cleaned less, or not at all.

    Attributes:
        page: its index, from 0.
        box: left, top, right, bottom in pixels, right and bottom exclusive. Around it the
            strength rises to the full one within 48 pixels.
        strength: what was used instead of the strength asked for; 0 is the input itself.
        reason: in words.
    """

    page: int
    box: tuple[int, int, int, int]
    strength: float
    reason: str


def protect(
    noisy: Pixels,
    denoised: Pixels,
    *,
    strength: float = 1.0,
    page: int = 0,
    in_place: bool = False,
    bilevel: bool = False,
) -> tuple[Pixels, list[Kept]]:
    """Fall back to a gentler strength, or to the input, where strokes are missing.

    Ink is what is darker than its background, the closing of the softened page with a square of
    25 pixels (the black top-hat of Meyer, 1979), at three resolutions; faint ink and grain are
    told apart by the local median of that depth. A stroke is missing where less than `LEFT` of
    its depth is left. Connected missing pixels count by their length if they are crisp:
    steepness over depth, times the root of the depth; at the coarser two resolutions that of
    their edges alone is enough, since thick strokes are even inside, and for large pale ones less
    of it, since no stain that pale has the edges of print. Where `LENGTH` pixels of them lie
    together the surroundings are mixed with the input, fading over a cell of 32 pixels: half and
    half with the input on paper as bright as cleaning made it, if that does not bring them back
    with the input as it is, and at last they are the input. Pale coloured ink is as soft as dirt;
    it counts by the pixels where its channels differ in depth, but makes no place the input. Cells
    joined to such ones that miss any stroke are treated like them (thresholding with hysteresis;
    Canny, 1986).

    Streaks that a scanner drew (`streaks`) are no strokes. Where the dots of a printed tint or
    picture are gone (`halftone`), they are the input's on brighter paper.

    Limits: strokes of under 5 pixels in length alone (full stops), those that are as soft as
    dirt, light ones on dark ground, lines over about 20 pixels thick, and pictures without dots.

    Args:
        noisy: H x W or H x W x C with C in {1, 3, 4}; uint8, uint16 or float32 on [0, 1]. Rows
            are read in order, so that it may be a file mapped into memory.
        denoised: of the same shape and type.
        strength: that made `denoised`, for the record.
        page: index of the page, for the record.
        in_place: change `denoised` itself.
        bilevel: what is grey will be cut to black or white, so that is judged, and only the input
            itself is a fallback; small marks beside strokes are kept one by one.

    Returns:
        The result, which is `denoised` itself where nothing is missing, and what was kept.

    Raises:
        ValueError: the shapes or types differ.
    """
    if noisy.shape != denoised.shape:
        raise ValueError(f"images of different shapes: {noisy.shape} and {denoised.shape}")
    if noisy.dtype != denoised.dtype:
        raise ValueError(f"images of different types: {noisy.dtype} and {denoised.dtype}")
    if min(noisy.shape[:2]) < _SIDE:
        return denoised, []
    before: Page = noisy
    gentler = GENTLER[-1:] if bilevel else GENTLER
    judged = _cut(denoised) if bilevel else denoised
    colours = not bilevel  # cut to black or white no pale ink is left, whatever is tried
    missing, dots = _missing(before, judged, gentler, colours), _screens(before, judged)
    asked = bilevel or _around(missing[0]).any() or dots.any()
    if asked and (streaks := find_streaks(noisy)):  # which are meant to go
        before = WithoutStreaks(noisy, streaks)
        missing, dots = _missing(before, judged, gentler, colours), _screens(before, judged)
    if _around(missing[0]).any():
        missing[:, _in_gutter(noisy, missing.shape[1:])] = 0
    share, brighter = np.ones((2, *missing.shape[1:]), np.float32)
    for lost, (less, brightened) in zip(missing, gentler, strict=True):
        where = _around(lost)
        share[where], brighter[where] = less, brightened
    dots &= share > 0
    share[dots] = 1  # those of strokes alone are told first
    kept = [*_kept(share, missing[0], noisy.shape, strength, page)]
    share[dots], brighter[dots] = 0, 1
    alone = np.float32(1) - dots
    kept += _kept(alone, missing[0], noisy.shape, strength, page, "dots of print missing")
    result = denoised if in_place or not (kept or bilevel) else denoised.copy()
    if kept:
        _mix(before, denoised, share, brighter, result)
    if bilevel:
        _keep_marks(before, result)
    return result, kept


def _keep_marks(noisy: Page, result: Pixels) -> None:
    """Make marks black again, in place, of which cutting at half would leave less than half.

    They are 3 to 30 connected black pixels, near a stroke of which more is left.
    """
    rows = max(_CELL, _STRIP // noisy.shape[1])
    near = np.ones((_MARK_REACH, _MARK_REACH), np.uint8)
    above = result[:0].copy()  # as it was: what is black again there says nothing of a mark's rest
    for top in range(0, len(result), rows):
        begin = top - len(above)
        there = np.concatenate([above, result[top : top + rows + _HALO]])
        above = there[: top + rows - begin][-_HALO:].copy()
        before, after = (_grey(p) < 128 for p in (noisy[begin : top + rows + _HALO], there))
        _, labels, stats, _ = cv2.connectedComponentsWithStats(before.view(np.uint8))
        area = stats[:, cv2.CC_STAT_AREA]
        left = np.bincount(labels[after], minlength=len(area))
        stroke = (area >= _SMALLEST) & (2 * left >= area)
        stroke[0] = False  # the paper
        beside = cv2.dilate(stroke[labels].view(np.uint8), near)
        lost = (area >= _MARK[0]) & (area <= _MARK[1]) & (2 * left < area)
        lost &= np.bincount(labels[beside > 0], minlength=len(area)) > 0
        lost[0] = False
        core = slice(top - begin, top - begin + rows)
        part = np.atleast_3d(result[top : top + rows])
        part[..., :3][lost[labels][core]] = 0


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
    if min(height, width) < _SIDE:
        return False
    row, column = np.random.default_rng(0).integers(0, (height, width), (_SOME, 2)).T
    some = _eight_bits(page[row, column]).min(axis=1)
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
    rows = max(_CELL, _STRIP // width)
    first = min(2 * _HALO, rows)  # nearly always enough to see that a page is not clean
    for top, bottom in pairwise([0, *range(first, height, rows), height]):
        begin = max(0, top - _HALO)
        plane = _darkest(page[begin : bottom + _HALO])  # so that no colour counts as white
        ink = (_depth(_despeckled(plane))[2] > _FAINTEST).view(np.uint8)
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
    tiny = np.zeros(-(-height // _HALO), np.intp)
    levels = np.zeros(256, np.bool_)
    most = {_CRUMB_REACH: CRUMBS, _SPECK_REACH: SPECKS / 2}
    dots: list[list[NDArray[np.float64]]] = []
    rows = max(_CELL, _STRIP // width)
    three, five = np.ones((3, 3), np.uint8), np.ones((5, 5), np.uint8)
    for top in range(0, height, rows):
        begin = max(0, top - _HALO)
        plane = _darkest(page[begin : top + rows + _HALO])
        core = slice(top - begin, top - begin + rows)
        other = plane < white - 4
        beside = cv2.dilate(other.view(np.uint8), five) > 0
        near += int(np.count_nonzero(((plane != white) & ~beside)[core]))
        crisp = cv2.dilate((plane == white).view(np.uint8), five) > 0
        level = cv2.morphologyEx(plane, cv2.MORPH_GRADIENT, three) == 0
        level = cv2.dilate(level.view(np.uint8), three) > 0
        soft += int(np.count_nonzero((other & ~crisp & ~level)[core]))
        dark = (plane < _DARKEST).view(np.uint8)
        pale += len(_small(other & (cv2.dilate(dark, five) == 0), core, _SMALLEST))
        pieces = _small(plane < white - _CRUMB_DEPTH, core, _TINY) + begin
        tiny += np.bincount(pieces // _HALO, minlength=len(tiny))
        paper += int(np.count_nonzero((plane == white)[core]))
        levels[np.unique(plane[other])] = True
        shares = np.array([near, soft, pale]) / (height * width)
        if (shares > _UNDRAWN).any() or tiny.max() > _PEPPER * _HALO * width:
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
    dark = (_depth(grey)[2] > _CRUMB_DEPTH).view(np.uint8)
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


def _in_gutter(page: Pixels, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which cells lie in a gutter by a quarter or more: what is missing there is its line."""
    whole = np.atleast_3d(page)
    gutter = find_gutter(whole[..., :3] if whole.shape[2] >= 3 else whole[..., :1])
    if gutter is None:
        return np.zeros(shape, np.bool_)
    share = cv2.resize(gutter.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(share >= 0.25, np.bool_)


def _cut(pixels: Pixels) -> Plane:
    return np.asarray(np.where(_eight_bits(pixels) >= 128, 255, 0), np.uint8)


def _missing(
    noisy: Page, denoised: Pixels, gentler: Sequence[tuple[float, bool]], colours: bool
) -> NDArray[np.float32]:
    """Pixels of missing strokes, for each strength before the last and each cell.

    Pale ink counts if `colours`; coloured not where half of it is back: then it never was ink.
    """
    height, width = noisy.shape[:2]
    found = np.zeros((len(gentler), -(-height // _CELL), -(-width // _CELL)), np.float32)
    rows = max(_CELL, _STRIP // width // _CELL * _CELL)
    where = np.ones(found.shape[1:], np.bool_)  # worth a look
    for number, (share, brighter) in enumerate(((1.0, False), *gentler[:-1])):
        lost, ink = found[number], number + 1 < len(found) or not number
        for top in range(0, height, rows):
            target = slice(top // _CELL, (top + rows) // _CELL)
            if not where[target].any():
                continue
            begin = max(0, top - 2 * _HALO)  # so far the median of `_tinted` sees
            part = slice(begin, top + rows + 2 * _HALO)
            before, after = _grey(noisy[part]), _grey(denoised[part])
            cells = _lost(before, _weakened(before, after, share, brighter), pale=colours)
            if colours and ink and noisy.ndim == 3 and noisy.shape[2] >= 3:
                np.maximum(cells, _tinted(noisy[part], denoised[part], share, brighter), out=cells)
            cells = cells[(top - begin) // _CELL :]
            lost[target] = cells[: len(lost[target])]
        where = _around(lost)
        if not where.any():
            break
    return found


def _lost(before: Plane, after: Plane, *, pale: bool) -> Grid:
    """Pixels of missing strokes in each cell, the largest of what the levels find."""
    shape = (-(-before.shape[0] // _CELL), -(-before.shape[1] // _CELL))
    cells = np.zeros(shape, np.float32)
    for level in range(_LEVELS):
        if level:
            before, after = halved(before), halved(after)
        if min(before.shape) < _SIDE:
            break
        np.maximum(cells, _lengths(before, after, 2**level, shape, pale=pale), out=cells)
    return cells


def _weakened(before: Plane, after: Plane, share: float, brighter: bool) -> Plane:
    """A share of the result and the rest of the input, on paper as bright as it became or was."""
    if share == 1:
        return after
    other = np.rint(_brightened(before, after)).astype(np.uint8) if brighter else before
    return np.asarray(cv2.addWeighted(after, share, other, 1 - share, 0), np.uint8)


def _tinted(before: Pixels, after: Pixels, share: float, brighter: bool) -> Grid:
    """Missing pixels of pale coloured ink in each cell, at a quarter of the size.

    Pale marks are as soft as dirt. What tells them is that they are deeper in one channel than in
    another; in blue most of all are yellowing and stains.
    """
    size = tuple(max(1, round(n / _QUARTER)) for n in before.shape[1::-1])
    old, new = (
        cv2.resize(_eight_bits(p[..., :3]), size, interpolation=cv2.INTER_AREA)
        for p in (before, after)
    )
    there, left = _depths(old), _depths(_weakened(old, new, share, brighter))
    deepest = there.max(axis=2)
    apart = deepest - there.min(axis=2)
    usual = cv2.medianBlur(np.rint(255 * apart).astype(np.uint8), _AROUND) / np.float32(255)
    ink = (apart > _TINT + 1.5 * usual) & (there[..., 2] <= 1.15 * there[..., :2].max(axis=2))
    lost = ink & (cv2.dilate(left.max(axis=2), np.ones((3, 3), np.uint8)) < LEFT * deepest)
    labels, boxes = cv2.connectedComponentsWithStats(lost.view(np.uint8), connectivity=8)[1:3]
    mark = (boxes[:, 4] >= _SMALLEST) & (boxes[:, 2:4].max(axis=1) >= _SHORTEST)
    mark[0] = False
    rows, columns = np.nonzero(mark[labels])
    side = _CELL // _QUARTER
    shape = (-(-before.shape[0] // _CELL), -(-before.shape[1] // _CELL))
    cells = np.zeros(shape, np.float32)
    place = np.minimum(rows // side, shape[0] - 1), np.minimum(columns // side, shape[1] - 1)
    np.add.at(cells, place, 1)
    return cells


def _depths(pixels: Plane) -> Grid:
    """The fall of each of H x W x C channels below its background, as a share of that."""
    soft = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 0.8)
    ground = cv2.morphologyEx(soft, cv2.MORPH_CLOSE, np.ones((_CLOSED, _CLOSED), np.uint8))
    ground = np.maximum(cv2.blur(ground, (5, 5)), _FAINTEST * 2)
    return np.asarray(np.clip(1 - soft / ground, 0, 1), np.float32)


def _lengths(
    before: Plane, after: Plane, scale: int, shape: tuple[int, int], *, pale: bool
) -> Grid:
    """Full-size pixels of missing strokes in each cell, from planes reduced by `scale`."""
    soft, fall, depth = _depth(_despeckled(before))
    left = cv2.dilate(_depth(after)[2], np.ones((3, 3), np.uint8))  # edges may move by a pixel
    limit = cv2.addWeighted(local_median(depth), 1.5, depth, 0, _FAINTEST)
    mask = (depth > limit) & (left < cv2.LUT(depth, _LEAST_LEFT))
    place = np.flatnonzero(mask)
    pieces = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)[1]
    label = np.asarray(pieces.ravel()[place], np.intp) - 1
    area, length = _sizes(place, label, mask.shape[1])
    stroke = ((length >= _SHORTEST) & (area >= _SMALLEST))[label]
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
    side = _CELL // scale
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


def _despeckled(grey: Plane) -> Plane:
    """Without dark specks of under 3 pixels in a row: closings along lines (Soille, 2003)."""
    lines = (np.eye(3), np.eye(3)[::-1], np.ones((1, 3)), np.ones((3, 1)))
    kernels = [np.ascontiguousarray(line, np.uint8) for line in lines]
    closed = (cv2.morphologyEx(grey, cv2.MORPH_CLOSE, kernel) for kernel in kernels)
    return np.asarray(reduce(cv2.min, closed), np.uint8)


def _ground(pixels: Plane) -> tuple[Plane, Plane]:
    """The softened pixels, H x W or H x W x C, and their background."""
    soft = np.asarray(cv2.GaussianBlur(pixels, (3, 3), 0), np.uint8)
    ground = cv2.morphologyEx(soft, cv2.MORPH_CLOSE, np.ones((_REACH, _REACH), np.uint8))
    return soft, np.asarray(ground, np.uint8)


def _depth(grey: Plane) -> tuple[Plane, Plane, Plane]:
    """The softened plane, its fall below its background, and that fall as a share of 255."""
    soft, ground = _ground(grey)
    fall = cv2.subtract(ground, soft)
    depth = cv2.divide(fall, cv2.max(ground, _DARKEST), scale=255)
    return soft, np.asarray(fall, np.uint8), np.asarray(depth, np.uint8)


def _around(lost: Grid) -> NDArray[np.bool_]:
    """Cells where enough is missing, those joined to them where any is, and the cells around."""
    near = cv2.boxFilter(lost, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    found = (near >= LENGTH) & (lost > 0)
    if found.any():  # with what little is missing in cells joined to these: the rest of the word
        areas = cv2.connectedComponents((lost > 0).view(np.uint8), connectivity=8)[1]
        found = np.isin(areas, areas[found])
    return np.asarray(cv2.dilate(found.view(np.uint8), np.ones((3, 3), np.uint8)), np.bool_)


def _screens(before: Page, after: Pixels) -> NDArray[np.bool_]:
    """Cells whose halftone screen is missing."""

    def rows(top: int, bottom: int) -> tuple[Plane, Plane]:
        return _darkest(before[top:bottom]), _darkest(after[top:bottom])

    height, width = before.shape[:2]
    return lost_screens(rows, (height, width), _CELL, _STRIP)


def _kept(
    share: Grid,
    lost: Grid,
    shape: tuple[int, ...],
    strength: float,
    page: int,
    reason: str = "",
) -> Iterator[Kept]:
    """A record for each connected group of cells of one strength."""
    for gentler in dict.fromkeys(gentler for gentler, _ in GENTLER):
        same = (share == np.float32(gentler)).astype(np.uint8)
        count, labels, boxes, _ = cv2.connectedComponentsWithStats(same, connectivity=8)
        for number in range(1, count):
            left, top, wide, high = (int(n) * _CELL for n in boxes[number, :4])
            box = (left, top, min(left + wide, shape[1]), min(top + high, shape[0]))
            length = float(lost[labels == number].sum())
            missing = f"{length:.0f} pixels of" if length >= 0.5 else "beside"
            why = reason or f"{missing} strokes missing"
            yield Kept(page, box, strength * gentler, why)


def _mix(noisy: Page, denoised: Pixels, share: Grid, brighter: Grid, out: Pixels) -> None:
    """Mix both by the cells' shares of `denoised`, and of brighter paper in `noisy`.

    Shares are interpolated between the cells' centres.
    """
    height, width = noisy.shape[:2]
    wide, bright = (stretched(cells.T, _CELL, 0, width).T for cells in (share, brighter))
    above = denoised[:0].copy()  # of what is mixed already, as it was: `out` may be `denoised`
    for top in range(0, height, _CELL):
        begin, end = max(0, top - _REACH), min(top + _CELL, height)
        weight = stretched(wide, _CELL, top, end)
        part, below = slice(top, end), denoised[top : end + _REACH]
        around = np.concatenate([above[len(above) - (top - begin) :], below])
        above = around[: end - begin][-_REACH:].copy()
        if (weight == 1).all():
            out[part] = denoised[part]
            continue
        shape = (*weight.shape, *[1] * (noisy.ndim - 2))
        weight, lit = weight.reshape(shape), stretched(bright, _CELL, top, end).reshape(shape)
        before, after = noisy[part].astype(np.float32), denoised[part].astype(np.float32)
        white = _brightened(noisy[begin : end + _REACH], around)[top - begin : end - begin]
        before += lit * (white - before)
        mixed = before + weight * (after - before)
        if np.issubdtype(noisy.dtype, np.integer):
            mixed = np.rint(mixed)
        out[part] = mixed.astype(noisy.dtype)


def _brightened(before: Pixels, after: Pixels) -> Grid:
    """Pixels before cleaning on a background as bright as after it, each colour for itself.

    None becomes darker; depths of strokes as shares of their background stay what they are.
    """
    values = before.astype(np.float32)
    colours, *both = (p.reshape(*p.shape[:2], -1)[..., :3] for p in (values, before, after))
    old, new = (np.atleast_3d(_ground(np.ascontiguousarray(_eight_bits(p)))[1]) for p in both)
    factors = np.maximum(new / np.maximum(old, _DARKEST).astype(np.float32), 1)
    white = np.float32(full_range(before))
    colours[...] = np.where(factors > 1, np.minimum(colours * factors, white), colours)
    return values


def _darkest(pixels: Pixels) -> Plane:
    """The darkest of the colours of pixels of any kind, 8 bits."""
    return _grey(np.asarray(reduce(cv2.min, cv2.split(np.atleast_3d(pixels)[..., :3]))))


def _grey(pixels: Pixels) -> Plane:
    """Pixels of any kind as one plane of 8 bits."""
    return np.asarray(luma(np.atleast_3d(_eight_bits(pixels))[..., :3]), np.uint8)


def _eight_bits(pixels: Pixels) -> Plane:
    if pixels.dtype == np.uint16:
        return np.asarray((pixels >> 8).astype(np.uint8))  # type: ignore[operator]  # whole numbers
    if pixels.dtype != np.uint8:
        return np.asarray((np.clip(np.nan_to_num(pixels), 0, 1) * 255).astype(np.uint8))
    return np.asarray(pixels, np.uint8)
