"""Brown stains with a sharp edge, as of coffee, tea and dirty water, that text runs in and out of.

A network keeps an even area with a sharp outline, as a printed panel is one. But what is printed on
a panel keeps off its outline, and text that was there before the coffee does not; and where a drop
dries what it held is carried to its edge, which ends up darker (Deegan et al., "Capillary flow as
the cause of ring stains from dried liquid drops", Nature 389, 1997). Brown takes least of the red
light, so that red beside the red of its ground is the page without the stain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .page_layout import Pieces, find_pieces
from .pixels import full_range, luma, unit, write
from .specks import WEAKEST, WithoutSpecks, is_searched
from .streaks import WithoutStreaks
from .strokes import STRIP, background, byte_pixels, in_full

__all__ = ["BYTES", "WithoutStains", "lost_stains", "remove_stains"]

Pixels = NDArray[Any]
Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Values = NDArray[np.float64]
Floats = NDArray[np.float32]
Page = Pixels | WithoutStreaks | WithoutSpecks

BYTES = 30  # a pixel, at most, that a look for stains takes; measured on 4 and 25 megapixels
_EVERY, _SOME = 4, 0.002  # of pixels, and share of these that is brown where a stain may be
# Brown: red over blue by more levels than these and fewer than that, red over green by such parts
# of that; red falls short of white by a part of what blue does, which no marker's does.
_PALEST, _IN_RIM, _DEEPEST = 8, 25, 150
_GREEN, _NEARLY = (0.2, 0.75), (0.1, 0.9)
_RED = 0.2
_DARKEST = 100  # red, of 255, that a stain's ground has at least
_WHITE = 230  # of 255; darkest colour of paper without a stain
# Pixels at 200 dpi, and parts of a page's shorter side that are one such number.
_STROKE, _REACH, _GROWN, _JOINED = 15, 15, 7, 29
_SIDES = 110
_SHALLOWEST = 60  # of 255; darker ground divides no more
# Of text, in letters' heights:
_WIDE, _HIGH = 4, 3  # letters at most
_GAP, _SHIFT = 2.0, 0.8  # between letters side by side that an outline parts
_BENT = 0.7  # deviation of such places from a straight line, which edges of panels are
_INSIDE, _OUTSIDE = 0.6, 0.8  # shares of a letter's box that are stained, and white
_NEUTRAL = 0.6  # of the depth in blue, that black ink has in red
_ROWS, _LETTERS = 4, 20  # of text that runs across, and inside, at least
_ROWS_TOLD = 2  # the same beside a stain, and of what the gate is told, as soiled text hardly tells
_RIM, _RIMMED = 1.25, 0.4  # times as brown as the inside, and share of the outline that is so
_KNOWN = 0.02  # share of these that tells of the inside
_BARE = 215  # of 255; what is lighter is not written on
_TOP, _DEEP, _AROUND = 11, 21, 41  # steps of 1/100 inch in which a rim, no rim, and the inside are
_DENSITY, _LEFT = 0.44, 0.5  # a stain's density in red for that in blue; share of ink's that stays
_INK, _RIMS = 0.5, 0.75  # of white, in red beside its ground: ink is darker, rims are lighter
_BLACKEST, _FINE = 0.01, 0.7  # of white; blur in pixels
# Of pictures: red, of 255, and times as deep in it as stains are under letters, at least.
_DARK, _DEEPER = 160, 2.0
_KEPT = 40  # levels that channels of coloured ink differ by, when its ground is white


def remove_stains(page: Pixels, before: Pixels | None = None, strength: float = 1.0) -> bool:
    """Remove brown stains over text from a cleaned page, in place.

    An area is one if its ground is brown and lies between white paper; if at least four lines of
    black text run across its outline, so that letters stand close together on both sides of it,
    at places that are on no straight line; if twenty letters are inside; and if two fifths of its
    outline or more are a quarter browner than what it surrounds. Brown areas that two lines
    run across go with it. What is joined to a brown picture, far darker over a place that is
    wider than rims, stays. There red, divided by its closing, is the page's grey; ink of other hues
    than brown keeps them.

    Args:
        page: H x W x C with C in {1, 3}, strokes on white; uint8, uint16 or float32 on [0, 1].
            Grey has no brown, and stays.
        before: the page as it was, needed if `strength` is under 1.
        strength: that made `page`; so much of the stains is removed.

    Returns:
        Whether there were some.
    """
    if page.shape[2] < 3 or not is_searched(page) or strength < WEAKEST:
        return False
    cleaned = in_full(before, page, strength)
    if not _may_be_stained(cleaned):
        return False
    stains = _find_stains(byte_pixels(cleaned))
    if stains is None:
        return False
    scale = np.float32(strength * full_range(page))
    for rows, change in _changes(cleaned, stains):
        write(page[rows] + scale * change, page[rows])
    return True


def lost_stains(before: Pixels, after: Pixels) -> Mask | None:
    """Where a page has stains, its paper made white, as `remove_stains` finds them; None if none.

    Two lines of text that run across are enough here. Where letters were nothing is lost to the
    gate: they stay in `WithoutStains`.

    Args:
        before: H x W or H x W x C, the page; uint8, uint16 or float32 on [0, 1].
        after: the same, cleaned: where that is white is paper.

    Returns:
        H x W.
    """
    if before.ndim < 3 or before.shape[2] < 3 or not is_searched(before):
        return None
    some = [byte_pixels(page[::_EVERY, ::_EVERY, :3]) for page in (before, after)]
    paper = some[0][some[1].min(axis=2) >= _WHITE]
    if not len(paper):
        return None
    light = 255 / np.maximum(np.median(paper, axis=0), 1)
    table = np.clip(np.arange(256)[:, None] * light + 0.5, 0, 255).astype(np.uint8)[None]
    if not _is_brown(cv2.LUT(cv2.blur(some[0], (3, 3)), table), _PALEST).mean() > _SOME:
        return None
    return _find_stains(cv2.LUT(byte_pixels(before[..., :3]), table), _ROWS_TOLD)


class WithoutStains:
    """A page whose stains are made even wherever its rows are read."""

    def __init__(self, page: Page, stains: Mask) -> None:
        """Of a page, which stays as it is, and where it has stains: these rows are held."""
        self.page = page
        self.shape, self.dtype, self.ndim = page.shape, page.dtype, page.ndim
        self.first, self.last = _reach(stains)
        self.even = np.array(page[self.first : self.last], order="C")
        scale = np.float32(full_range(self.even))
        for rows, change in _changes(page, stains):
            colours = self.even[rows.start - self.first : rows.stop - self.first, :, :3]
            write(colours + scale * change, colours)

    def __getitem__(self, rows: slice) -> Pixels:
        """A copy of these rows."""
        top, bottom, _ = rows.indices(self.shape[0])
        part = np.array(self.page[top:bottom], order="C")
        first, last = max(top, self.first), min(bottom, self.last)
        if first < last:
            part[first - top : last - top] = self.even[first - self.first : last - self.first]
        return part


def _reach(stains: Mask) -> tuple[int, int]:
    """The first row that is stained, and the one behind the last."""
    rows = np.flatnonzero(stains.any(axis=1))
    return int(rows[0]), int(rows[-1]) + 1


def _changes(page: Page, stains: Mask) -> Iterator[tuple[slice, Floats]]:
    """Rows by rows what stains are to be changed by, on [0, 1]; `page` may be changed between."""
    begin, end = _reach(stains)
    width = page.shape[1]
    halo = _side(_STROKE, page.shape) + 9  # its ground is found from, and what ink has a hue
    rows = max(halo, STRIP // (4 * width))
    above = np.array(page[max(0, begin - halo) : begin])[..., :3]
    for top in range(begin, end, rows):
        bottom = min(top + rows, end)
        there = np.concatenate([above, page[top : bottom + halo][..., :3]])
        core = slice(len(above), len(above) + bottom - top)
        above = there[: core.stop][-halo:].copy()  # as it was
        old = unit(there)
        change = (_evened(old, page.shape) - old)[core]
        yield slice(top, bottom), change * stains[top:bottom, :, None]


@dataclass(frozen=True)
class _Letters:
    """Letters of black ink.

    Attributes:
        boxes: N x 4, left, top, right and bottom.
        lines: which line of print each is in.
        inside: whether it is on a stain.
        outside: whether it is on white paper.
        height: of the page's letters, pixels.
    """

    boxes: NDArray[np.intp]
    lines: NDArray[np.intp]
    inside: Mask
    outside: Mask
    height: float

    @property
    def middles(self) -> Values:
        """Column and row of each."""
        return np.asarray((self.boxes[:, :2] + self.boxes[:, 2:] - 1) / 2, np.float64)


def _fineness(shape: tuple[int, ...]) -> float:
    """How many times as fine as at 200 dpi a page is; a small one is no coarser."""
    return max(1.0, min(shape[:2]) / (_SIDES * _STROKE))


def _side(pixels: int, shape: tuple[int, ...]) -> int:
    """An odd number of pixels that is so many on a page at 200 dpi."""
    return 2 * round(pixels * _fineness(shape) / 2 - 0.5) + 1


def _is_brown(colours: Plane, least: int) -> Mask:
    """Where H x W x 3 colours are brown, red over blue by more than so many levels."""
    red, green, blue = (np.ascontiguousarray(colours[..., n]) for n in range(3))
    apart, some = cv2.subtract(red, blue), cv2.subtract(red, green)
    low, high = (cv2.convertScaleAbs(apart, alpha=part) for part in _GREEN)
    brown = (apart > least) & (apart < _DEEPEST) & (some >= low) & (some <= high)
    return np.asarray(brown, np.bool_)


def _is_other(colours: Plane) -> Mask:
    """Where H x W x 3 colours have a hue, and none that brown ink or noise gives."""
    red, green, blue = (colours[..., n].astype(np.int16) for n in range(3))
    low, high = (part * (red - blue) for part in _NEARLY)
    brown = (red - green >= low) & (red - green <= high) & (red >= blue)
    return np.asarray((np.ptp(colours, axis=2) > _KEPT) & ~brown, np.bool_)


def _may_be_stained(page: Pixels) -> bool:
    """Whether there is any brown, by a sixteenth of the pixels."""
    some = cv2.blur(byte_pixels(page[::_EVERY, ::_EVERY]), (3, 3))
    return bool(_is_brown(np.asarray(some, np.uint8), _PALEST).mean() > _SOME)


def _square(side: int) -> Plane:
    return np.ones((side, side), np.uint8)


def _ground(colours: Plane, shape: tuple[int, ...]) -> Plane:
    """H x W x 3 colours without strokes."""
    closed = background(colours, _side(_STROKE, shape))[1]
    return np.asarray(cv2.GaussianBlur(closed, (0, 0), 1.5), np.uint8)


def _evened(colours: Floats, shape: tuple[int, ...]) -> Floats:
    """H x W x 3 colours on [0, 1] without brown: what is left of red beside that of its ground.

    What is browner than its ground, as rims are, is divided out by what it takes of red for each
    part of blue: ink and stain are unmixed in density (Ruifrok and Johnston, "Quantification of
    histochemical staining by color deconvolution", 2001). Dark ink is left out of that and half of
    any depth stays, since ink under a stain may be brown as well. Ink of other hues keeps them:
    each channel beside its own ground.
    """
    ground = _ground(byte_pixels(colours), shape)
    light = np.maximum(ground, _SHALLOWEST).astype(np.float32) / np.float32(255)
    even = np.clip(colours / light, 0, 1)
    soft = np.asarray(cv2.GaussianBlur(byte_pixels(even), (0, 0), 1), np.uint8)
    kept = cv2.dilate(_is_other(soft).view(np.uint8), _square(3)) > 0
    red, blue = (-np.log(np.maximum(even[..., n], _BLACKEST)) for n in (0, 2))
    browner = np.maximum(cv2.GaussianBlur(blue - red, (0, 0), _FINE), 0) / np.float32(1 - _DENSITY)
    pale = np.clip((even[..., 0] - np.float32(_INK)) / np.float32(_RIMS - _INK), 0, 1)
    left = np.maximum(red - np.float32(_DENSITY) * browner * pale, np.float32(_LEFT) * red)
    grey = np.exp(-left)
    return np.asarray(np.where(kept[..., None], even, grey[..., None]), np.float32)


def _brown(page: Plane, ground: Plane) -> Plane:
    """1 where a page's ground is brown, and where rims of such areas are."""
    area = _is_brown(ground, _PALEST) & (ground[..., 0] > _DARKEST)
    near = cv2.dilate(area.view(np.uint8), _square(_side(_REACH, page.shape))) > 0
    area |= near & _is_brown(np.asarray(cv2.GaussianBlur(page, (0, 0), 1), np.uint8), _IN_RIM)
    return np.asarray(cv2.dilate(area.view(np.uint8), _square(_side(_GROWN, page.shape))), np.uint8)


def _find_stains(page: Plane, rows: int = _ROWS) -> Mask | None:
    """Where H x W x 3 pixels are stained, so many lines of text running across; None if nowhere."""
    ground = _ground(page, page.shape)
    brown = _brown(page, ground)
    if not brown.any():
        return None
    white = ((ground.min(axis=2) > _WHITE) & (brown == 0)).view(np.uint8)
    even = cv2.divide(page[..., 0], cv2.max(ground[..., 0], _SHALLOWEST), scale=255)
    grey = np.where(brown > 0, even, luma(page)).astype(np.uint8)
    letters = _find_letters(page, grey, brown, white)
    if letters is None:
        return None
    across = _across(letters)
    joined = cv2.morphologyEx(brown, cv2.MORPH_CLOSE, _square(_side(_JOINED, page.shape)))
    count, areas, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    column, row = across[:, :2].astype(np.intp).T
    label = areas[row, column]
    on_column, on_row = letters.middles[letters.inside].astype(np.intp).T
    on_area = areas[on_row, on_column]
    inside = np.bincount(on_area, minlength=count)
    stained = []
    crossed = {int(n): across[label == n] for n in np.unique(label[label > 0])}
    for number, places in crossed.items():
        if inside[number] < _LETTERS or not _runs_across(places, letters.height, rows):
            continue
        place = _around(boxes[number], page.shape)
        area = np.asarray((areas[place] == number) & (brown[place] > 0), np.bool_)
        if _is_stain(area, *(np.ascontiguousarray(x[place]) for x in (page, ground, even, white))):
            stained.append(number)
    if not stained:
        return None
    told = np.zeros(count, np.bool_)
    told[stained] = True
    for number, places in crossed.items():  # where one stain is there are others
        told[number] |= _lines(places, letters.height) >= _ROWS_TOLD
    usual = float(np.median(255 - ground[on_row, on_column, 0][told[on_area]]))
    found = np.asarray(told[areas] & (brown > 0))
    del areas  # labels take four bytes a pixel
    found = _without_pictures(found, ground[..., 0], usual)
    return found if found.any() else None


def _without_pictures(stains: Mask, red: Plane, usual: float) -> Mask:
    """Stains but those joined to pictures: these are dark in areas that are wider than rims.

    Args:
        stains: H x W.
        red: of the ground, H x W.
        usual: 255 less the red that stains have under letters.
    """
    dark = (stains & (red < min(_DARK, 255 - _DEEPER * usual))).view(np.uint8)
    dark = cv2.morphologyEx(dark, cv2.MORPH_OPEN, _square(_side(_JOINED, red.shape)))
    if not dark.any():
        return stains
    labels = cv2.connectedComponents(stains.view(np.uint8), connectivity=8)[1]
    picture = np.zeros(labels.max() + 1, np.bool_)
    picture[labels[dark > 0]] = True
    return np.asarray(stains & ~picture[labels])


def _around(box: NDArray[np.int32], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """A box, left, top, width and height first, and around it: every second pixel at 200 dpi."""
    edge, step = _side(_REACH, shape), round(2 * _fineness(shape))
    left, top, width, height = map(int, box[:4])
    rows = slice(max(top - edge, 0), top + height + edge, step)
    return rows, slice(max(left - edge, 0), left + width + edge, step)


def _find_letters(page: Plane, grey: Plane, brown: Plane, white: Plane) -> _Letters | None:
    """The letters of a page, evened as `grey`; None if they are too few."""
    pieces, _ = find_pieces(grey)
    high = pieces.height
    if not high:
        return None
    letter = pieces.letter & (pieces.boxes[:, 2] < _WIDE * high)
    letter &= pieces.boxes[:, 3] < _HIGH * high
    letter &= _is_neutral(pieces, page, brown)
    plane = np.zeros(grey.shape, np.uint8)
    plane.ravel()[pieces.place[letter[pieces.label]]] = 1
    grown = cv2.dilate(plane, np.ones((1, 2 * round(_GAP * high / 2) + 1), np.uint8))
    lines = cv2.connectedComponents(grown, connectivity=8)[1]
    line = np.zeros(len(letter), np.intp)
    line[pieces.label] = lines.ravel()[pieces.place]
    left, top, width, height = pieces.boxes[letter, :4].astype(np.intp).T
    boxes = np.stack([left, top, left + width, top + height], axis=1)
    stained, clean = _shares(brown, boxes), _shares(white, boxes)
    outside = (clean > _OUTSIDE) & (stained < 1 - _OUTSIDE)
    return _Letters(boxes, line[letter], stained > _INSIDE, outside, high)


def _is_neutral(pieces: Pieces, page: Plane, brown: Plane) -> Mask:
    """Which pieces are on a stain, or of ink that is no browner than black on white."""
    colours = 255 - page.reshape(-1, 3)[pieces.place].astype(np.float64)
    count = len(pieces.mass)
    red, blue, stained = (
        np.bincount(pieces.label, values, count)
        for values in (colours[:, 0], colours[:, 2], brown.ravel()[pieces.place])
    )
    return np.asarray((stained > 0) | (red >= _NEUTRAL * blue))


def _shares(plane: Plane, boxes: NDArray[np.intp]) -> Values:
    """The mean of a plane of 0 and 1 in boxes."""
    sums = cv2.integral(plane)
    left, top, right, bottom = boxes.T
    total = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return np.asarray(total / ((right - left) * (bottom - top)), np.float64)


def _across(letters: _Letters) -> Values:
    """Where lines of text run across an outline.

    N x 4: column and row of the letter inside, the outline's column, and 1 where text runs out of
    the stain, 0 where into it.
    """
    told = letters.inside | letters.outside
    boxes, lines, inside = letters.boxes[told], letters.lines[told], letters.inside[told]
    middles = letters.middles[told]
    order = np.lexsort((boxes[:, 0], lines))
    boxes, lines, inside, middles = boxes[order], lines[order], inside[order], middles[order]
    gap = boxes[1:, 0] - boxes[:-1, 2]
    aside = np.abs(middles[1:, 1] - middles[:-1, 1])
    parted = (lines[1:] == lines[:-1]) & (inside[1:] != inside[:-1])
    parted &= (gap < _GAP * letters.height) & (aside < _SHIFT * letters.height)
    first = np.flatnonzero(parted)
    stained = np.where(inside[first], first, first + 1)
    outline = (boxes[first, 2] + boxes[first + 1, 0]) / 2
    return np.column_stack([middles[stained], outline, inside[first]])


def _lines(places: Values, height: float) -> int:
    """How many lines of text places are of."""
    return 1 + int(np.count_nonzero(np.diff(np.sort(places[:, 1])) > _SHIFT * height))


def _runs_across(places: Values, height: float, least: int) -> bool:
    """Whether text runs across an outline in enough lines, at places on no straight line."""
    if _lines(places, height) < least:
        return False
    if least < _ROWS:
        return True  # too few to tell
    for way in (0, 1):
        row, outline = places[places[:, 3] == way, 1:3].T
        if len(row) < _ROWS - 1:
            continue
        away = outline - np.polyval(np.polyfit(row, outline, 1), row)
        if np.sqrt((away**2).sum() / (len(row) - 2)) > _BENT * height:
            return True
    return False


def _is_stain(area: Mask, page: Plane, ground: Plane, even: Plane, white: Plane) -> bool:
    """Whether an area has a brown rim, and red falls short of white as well."""
    colour = 255 - np.median(ground[area], axis=0)
    if colour[0] < _RED * colour[2]:
        return False
    brown = cv2.GaussianBlur(cv2.subtract(page[..., 0], page[..., 2]), (0, 0), 1)
    deep = cv2.erode(area.view(np.uint8), _square(_DEEP), borderValue=1)
    deep &= cv2.erode(even, _square(3)) > _BARE  # print is less brown than the stain around it
    window = (_AROUND, _AROUND)
    number = cv2.blur(deep.astype(np.float32), window)
    total = cv2.blur((brown * deep).astype(np.float32), window)
    known = number > _KNOWN
    usual = np.where(known, total / np.maximum(number, _KNOWN), 0)
    outline = area & known & (cv2.dilate(white, _square(3)) > 0)
    if not outline.any():
        return False
    top = cv2.dilate(np.where(area, brown, 0).astype(np.uint8), _square(_TOP))
    return bool(np.mean(top[outline] > _RIM * usual[outline]) >= _RIMMED)
