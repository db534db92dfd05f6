"""The safety gate: clean pages are left alone, and no stroke is lost in cleaning the others.

Classical, and nothing of the network's: `clean` tells what is clean already, `missing` finds the
strokes that cleaning lost, `halftone` the dots of print; where some are the page is cleaned less.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .clean import is_clean
from .halftone import lost_screens
from .missing import Page, around, missing_strokes
from .pixels import stretched
from .shading import find_gutter
from .specks import WithoutSpecks, lost_specks
from .stains import WithoutStains, lost_stains
from .streaks import WithoutStreaks, find_streaks
from .strokes import (
    CELL,
    HALO,
    REACH,
    SIDE,
    SMALLEST,
    STRIP,
    brighten,
    byte_pixels,
    darkest_plane,
    grey_plane,
)

__all__ = ["Kept", "is_clean", "protect"]

Pixels = NDArray[np.generic]
Plane = NDArray[np.uint8]
Grid = NDArray[np.float32]

# Shares of the strength that are tried where strokes are missing, and whether they are mixed with
# the input on brighter paper: that may bring no thick strokes back.
GENTLER = ((0.5, True), (0.5, False), (0.0, False))

_MARK, _MARK_REACH = (3, 30), 17  # black pixels of dots and accents; twice how far they may be


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

    Streaks that a scanner drew (`streaks`), dust (`specks`) and brown stains that text runs across
    (`stains`) are no strokes. Where the dots of a printed tint or picture are gone (`halftone`),
    they are the input's on brighter paper.

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
    if min(noisy.shape[:2]) < SIDE:
        return denoised, []
    gentler = GENTLER[-1:] if bilevel else GENTLER
    judged = _cut(denoised) if bilevel else denoised
    colours = not bilevel  # cut to black or white no pale ink is left, whatever is tried
    missing, dots = missing_strokes(noisy, judged, gentler, colours), _screens(noisy, judged)
    lost = bool(around(missing[0]).any())
    # What is meant to go:
    streakless: Pixels | WithoutStreaks = noisy
    if (bilevel or lost or dots.any()) and (streaks := find_streaks(noisy)):
        streakless = WithoutStreaks(noisy, streaks)
    dustless: Pixels | WithoutStreaks | WithoutSpecks = streakless
    if lost and (specks := lost_specks(noisy, denoised)) is not None:
        dustless = WithoutSpecks(streakless, specks)
    before: Page = dustless
    if lost and (stains := lost_stains(noisy, denoised)) is not None:
        before = WithoutStains(dustless, stains)
    if before is not noisy:
        missing, dots = missing_strokes(before, judged, gentler, colours), _screens(before, judged)
    if around(missing[0]).any():
        missing[:, _in_gutter(noisy, missing.shape[1:])] = 0
    share, brighter = np.ones((2, *missing.shape[1:]), np.float32)
    for strokes, (less, brightened) in zip(missing, gentler, strict=True):
        where = around(strokes)
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
    rows = max(CELL, STRIP // noisy.shape[1])
    near = np.ones((_MARK_REACH, _MARK_REACH), np.uint8)
    above = result[:0].copy()  # as it was: what is black again there says nothing of a mark's rest
    for top in range(0, len(result), rows):
        begin = top - len(above)
        there = np.concatenate([above, result[top : top + rows + HALO]])
        above = there[: top + rows - begin][-HALO:].copy()
        before, after = (grey_plane(p) < 128 for p in (noisy[begin : top + rows + HALO], there))
        _, labels, stats, _ = cv2.connectedComponentsWithStats(before.view(np.uint8))
        area = stats[:, cv2.CC_STAT_AREA]
        left = np.bincount(labels[after], minlength=len(area))
        stroke = (area >= SMALLEST) & (2 * left >= area)
        stroke[0] = False  # the paper
        beside = cv2.dilate(stroke[labels].view(np.uint8), near)
        lost = (area >= _MARK[0]) & (area <= _MARK[1]) & (2 * left < area)
        lost &= np.bincount(labels[beside > 0], minlength=len(area)) > 0
        lost[0] = False
        core = slice(top - begin, top - begin + rows)
        part = np.atleast_3d(result[top : top + rows])
        part[..., :3][lost[labels][core]] = 0


def _in_gutter(page: Pixels, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which cells lie in a gutter by a quarter or more: what is missing there is its line."""
    whole = np.atleast_3d(page)
    gutter = find_gutter(whole[..., :3] if whole.shape[2] >= 3 else whole[..., :1])
    if gutter is None:
        return np.zeros(shape, np.bool_)
    share = cv2.resize(gutter.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(share >= 0.25, np.bool_)


def _cut(pixels: Pixels) -> Plane:
    return np.asarray(np.where(byte_pixels(pixels) >= 128, 255, 0), np.uint8)


def _screens(before: Page, after: Pixels) -> NDArray[np.bool_]:
    """Cells whose halftone screen is missing."""

    def rows(top: int, bottom: int) -> tuple[Plane, Plane]:
        return darkest_plane(before[top:bottom]), darkest_plane(after[top:bottom])

    height, width = before.shape[:2]
    return lost_screens(rows, (height, width), CELL, STRIP)


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
            left, top, wide, high = (int(n) * CELL for n in boxes[number, :4])
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
    wide, bright = (stretched(cells.T, CELL, 0, width).T for cells in (share, brighter))
    above = denoised[:0].copy()  # of what is mixed already, as it was: `out` may be `denoised`
    for top in range(0, height, CELL):
        begin, end = max(0, top - REACH), min(top + CELL, height)
        weight = stretched(wide, CELL, top, end)
        part, below = slice(top, end), denoised[top : end + REACH]
        around = np.concatenate([above[len(above) - (top - begin) :], below])
        above = around[: end - begin][-REACH:].copy()
        if (weight == 1).all():
            out[part] = denoised[part]
            continue
        shape = (*weight.shape, *[1] * (noisy.ndim - 2))
        weight, lit = weight.reshape(shape), stretched(bright, CELL, top, end).reshape(shape)
        before, after = noisy[part].astype(np.float32), denoised[part].astype(np.float32)
        white = brighten(noisy[begin : end + REACH], around)[top - begin : end - begin]
        before += lit * (white - before)
        mixed = before + weight * (after - before)
        if np.issubdtype(noisy.dtype, np.integer):
            mixed = np.rint(mixed)
        out[part] = mixed.astype(noisy.dtype)
