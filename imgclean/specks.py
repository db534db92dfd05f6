"""Specks of dust and toner that are as large as a full stop, told from print by where they lie.

A network that sees a few hundred pixels cannot tell a speck of two or three pixels from a dot of a
letter, so it keeps both. The page can: print keeps to its lines, dust lies on blank paper as well,
margins included. Small dark pieces of a cleaned page are sorted by their mass; a size that lies all
over the blank paper is dirt, and how densely it lies there tells how much of it is to be expected
among the letters (counts in areas, after the Poisson process: Diggle, "Statistical Analysis of
Spatial Point Patterns", 1983).
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .page_layout import (
    BLANK,
    COARSE,
    DARK,
    LETTER,
    LINE,
    OTHER,
    RULE,
    SPECK,
    Paper,
    Pieces,
    find_paper,
    find_pieces,
)
from .pixels import full_range, unit, write
from .streaks import WithoutStreaks
from .strokes import DARKEST, SIDE, background, grey_plane, in_full

__all__ = ["LARGEST", "WEAKEST", "WithoutSpecks", "is_searched", "lost_specks", "remove_specks"]

Pixels = NDArray[Any]
Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.intp]
Values = NDArray[np.float64]

LARGEST = 50_000_000  # pixels of a page: labels take four bytes each
WEAKEST = 0.1  # strength, below which rounding hides what the full one would give
_FALLEN = 215  # of 255; what was darker on even paper before it was cleaned stood out
_ASIDE = 8  # pixels beside a speck where paper is found
_SMALL_PRINT = 8  # pixels of the letters' height, below which nothing is told
# Of sizes of specks:
_STEPS, _UNIT, _LIGHTEST = 2, 1 / 400, -4  # classes an octave of mass; of letters' height squared
_LARGER = 0.15  # larger pieces away from lines, for each speck: remains of a pattern
_FEWEST, _SOME = 20, 8  # specks on blank paper, of all sizes and of one
_MARGIN = 0.05  # share of the page, at least
_CROWDS = ((6, 3, 5), (2.4, 4, 3))  # sides of windows in letters' heights, times as many and more
# Dots and full stops of print have more mass than this: of a letter's, of a stroke's width squared.
_DOT, _ROUND, _AROUND = 0.035, 0.25, 5  # letters around that tell it
_MARKS = 3  # classes below the page's own dots and full stops that may go among letters
_NEIGHBOURS, _SPACED = 9, 1.5  # of a dot, with itself; pixels that one of a row may be aside
_KD_TREE = 4  # FLANN's number of a search that is exact
_COLOURED = 0.25  # of the depth that channels differ in coloured ink
# Among text, of blank paper's: standard deviations and pieces more, in each zone.
_ALLOWED, _BY_CHANCE = np.array([0, 2, 1, 0]), np.array([0, 2, 0, 0])


@dataclass(frozen=True)
class _Small:
    """Pieces that may be specks.

    Attributes:
        number: which of all they are.
        places: row and column of each on the paper's planes.
        zone: what the paper is there.
        size: class of mass.
    """

    number: Numbers
    places: Numbers
    zone: Plane
    size: Numbers

    def only(self, which: Mask) -> "_Small":
        """Some of them."""
        return _Small(self.number[which], self.places[which], self.zone[which], self.size[which])


def is_searched(page: Pixels) -> bool:
    """Whether a page is neither too small to tell anything nor too large to be looked at."""
    height, width = page.shape[:2]
    return bool(min(height, width) >= SIDE and height * width <= LARGEST)


def remove_specks(page: Pixels, before: Pixels | None = None, strength: float = 1.0) -> int:
    """Remove specks from a cleaned page, in place; the paper around takes their place.

    Specks are dark pieces of up to 0.45 of the letters' height, without a colour, in classes of
    like mass. A class is dirt where it lies on blank paper, away from lines of text, rules and
    pictures, all over: in at least 0.7 of the parts of it in which scattered dots would lie, and
    in the margins around all print half as densely as elsewhere at least. There it goes. Between
    words and letters it goes too, if it lies there no more densely than on blank paper, and has
    less mass than dots of print have: than a 29th of the letters beside it, a quarter of the
    square of a stroke's width, and about a third of the smallest class that is clearly more
    frequent there than dust would be.

    Dots at even distances (leaders, dotted rules, lattices), crowded ones (stippling, words in very
    small type) and any inside a picture's or table's box stay. Nothing is done to pages of under
    100 letters, to small print, where no margin is blank, where there are under 20 specks, or
    where larger pieces lie on blank paper too, as what is left of a fine pattern does.

    Args:
        page: H x W x C with C in {1, 3}, strokes on white; uint8, uint16 or float32 on [0, 1].
        before: the page as it was, needed if `strength` is under 1.
        strength: that made `page`; so much of the specks is removed.

    Returns:
        How many were removed.
    """
    if not is_searched(page) or strength < WEAKEST:
        return 0
    cleaned = in_full(before, page, strength)
    pieces, labels = find_pieces(grey_plane(cleaned))
    gone = _specks(pieces, cleaned)
    if gone.any():
        _fill(page, cleaned, pieces, labels, gone, strength)
    return int(gone.sum())


def lost_specks(before: Pixels, after: Pixels) -> Mask | None:
    """Where specks lay that a cleaned page has lost; None if there are none.

    What stood out of the page and is white now counts beside what is still dark, by the rules of
    `remove_specks`.

    Args:
        before: H x W or H x W x C, the page; uint8, uint16 or float32 on [0, 1].
        after: the same, cleaned.

    Returns:
        H x W.
    """
    if not is_searched(before):
        return None
    noisy, grey = grey_plane(before), grey_plane(after)
    even = cv2.divide(noisy, cv2.max(background(noisy)[1], DARKEST), scale=255)
    lost = (even < _FALLEN) & (grey >= DARK)
    pieces, labels = find_pieces(np.where(lost, even, grey).astype(np.uint8))
    gone = _specks(pieces, np.atleast_3d(after)[..., :3])
    if not gone.any():
        return None
    specks = np.asarray(gone[labels] & lost)
    return specks if specks.any() else None


class WithoutSpecks:
    """A page from which specks are removed wherever its rows are read."""

    def __init__(self, page: NDArray[np.generic] | WithoutStreaks, specks: Mask) -> None:
        """Of a page, which stays as it is, and where its specks are."""
        self.page, self.specks = page, specks
        self.shape, self.dtype, self.ndim = page.shape, page.dtype, page.ndim

    def __getitem__(self, rows: slice) -> Pixels:
        """A copy of these rows: in place of specks the brightest that lies around."""
        top, bottom, _ = rows.indices(self.shape[0])
        first = max(0, top - _ASIDE)
        part = np.array(self.page[first : bottom + _ASIDE], order="C")
        three = np.ones((3, 3), np.uint8)
        specks = cv2.dilate(self.specks[first : bottom + _ASIDE].view(np.uint8), three) > 0
        if specks.any():
            around = cv2.dilate(part, np.ones((2 * _ASIDE + 1, 2 * _ASIDE + 1), np.uint8))
            part[specks] = around.reshape(part.shape)[specks]
        return part[top - first : bottom - first]


def _specks(pieces: Pieces, cleaned: Pixels) -> Mask:
    """Which pieces are specks."""
    specks = np.zeros(len(pieces.mass), np.bool_)
    small = pieces.side <= SPECK * pieces.height
    small[0] = False
    if pieces.height < _SMALL_PRINT or small.sum() < _FEWEST:
        return specks
    paper = find_paper(pieces)
    if paper.outside.mean() < _MARGIN:
        return specks
    every = _placed(pieces, small & ~_is_coloured(pieces, cleaned, small), paper)
    middles = pieces.middles[every.number]
    found = every.only(~_is_even(middles) & (every.zone != OTHER))
    if (found.zone == BLANK).sum() < max(_FEWEST, _count_larger(pieces, paper) / _LARGER):
        return specks
    gone = _is_dirt(found, paper, _areas(pieces, paper))
    gone &= ~_is_crowded(found, every, paper, pieces.height)
    light = pieces.mass[found.number] < _least_dot(pieces, pieces.middles[found.number])
    gone &= light | (found.zone == BLANK)
    specks[found.number[gone]] = gone.sum() >= _FEWEST
    return specks


def _placed(pieces: Pieces, small: Mask, paper: Paper) -> _Small:
    """Small pieces, with where they lie."""
    number = np.flatnonzero(small)
    places = (pieces.middles[number, ::-1] / COARSE).astype(np.intp)
    relative = np.maximum(pieces.mass[number], 0.1) / (_UNIT * pieces.height**2)
    size = np.maximum(np.floor(_STEPS * np.log2(relative)), _LIGHTEST).astype(np.intp)
    return _Small(number, places, paper.zones[tuple(places.T)], size)


def _count_larger(pieces: Pieces, paper: Paper) -> int:
    """How many pieces too large for specks, but shorter than rules, lie away from lines."""
    larger = (pieces.side > SPECK * pieces.height) & (pieces.side < RULE * pieces.height)
    larger &= ~pieces.letter
    larger[0] = False
    column, row = (pieces.middles[larger] / COARSE).astype(np.intp).T
    return int(np.count_nonzero(paper.lines[row, column] == 0))


def _areas(pieces: Pieces, paper: Paper) -> Values:
    """How much there is of each zone; where letters are no speck can be seen."""
    areas = np.bincount(paper.zones.ravel(), minlength=4).astype(np.float64)
    areas[LETTER] -= np.count_nonzero(pieces.letter[pieces.label]) / COARSE**2
    return areas.clip(0)


def _is_dirt(found: _Small, paper: Paper, areas: Values) -> Mask:
    """Which small pieces are in a class that is dirt where they lie."""
    gone = np.zeros(len(found.size), np.bool_)
    classes = np.unique(found.size)
    counts = np.array([np.bincount(found.zone[found.size == x], minlength=4) for x in classes])
    expected = counts[:, :1] * areas / areas[BLANK]
    noise = np.sqrt(expected)
    more = (counts > 1.5 * expected + 2 * noise + 4)[:, [LINE, LETTER]].any(axis=1)
    marks = classes[more & (classes >= 0)].min(initial=99)
    few = counts <= expected + noise * _ALLOWED + _BY_CHANCE
    for one, count, rare in zip(classes, counts, few, strict=True):
        same = found.size == one
        bare = same & (found.zone == BLANK)
        if count[BLANK] >= _SOME and paper.lies_all_over(found.places[bare]):
            zones = [zone for zone in (LINE, LETTER) if one <= marks - _MARKS and rare[zone]]
            gone |= bare | (same & np.isin(found.zone, zones))
    return gone


def _is_crowded(found: _Small, every: _Small, paper: Paper, height: float) -> Mask:
    """Which lie where far more small pieces, in rows as well, are than specks elsewhere."""
    bare = np.count_nonzero(found.zone == BLANK)
    density = bare / max(int(np.count_nonzero(paper.zones == BLANK)), 1)
    crowded = np.zeros(len(found.size), np.bool_)
    for window, times, more in _CROWDS:
        side = max(round(window * height / COARSE / 3), 1)
        cells = np.zeros([-(-n // side) for n in paper.zones.shape], np.float32)
        np.add.at(cells, tuple(every.places.T // side), 1)
        around = cv2.boxFilter(cells, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        crowded |= around[tuple(found.places.T // side)] > times * 9 * side**2 * density + more
    return crowded


def _least_dot(pieces: Pieces, places: Values) -> Values:
    """The mass at N x 2 places from which on a piece may be a dot or full stop of print there."""
    ink = np.zeros(pieces.shape, np.uint8)
    ink.ravel()[pieces.place[pieces.letter[pieces.label]]] = 1
    inner = cv2.erode(ink, np.ones((3, 3), np.uint8))
    count, inside = (int(np.count_nonzero(plane)) for plane in (ink, inner))
    stroke = 2 * count / max(count - inside, 1)
    mass, middles = (x[pieces.letter] for x in (pieces.mass, pieces.middles))
    beside = np.median(mass[_nearest(middles, places, _AROUND)], axis=1)
    least = np.minimum(_DOT * np.minimum(beside, np.median(mass)), _ROUND * stroke**2)
    return np.asarray(least, np.float64)


def _nearest(points: Values, places: Values, count: int) -> Numbers:
    """The indices of the N x 2 points that are nearest to each of M x 2 places, nearest first."""
    tree = cv2.flann.Index(points.astype(np.float32), {"algorithm": _KD_TREE})
    found = tree.knnSearch(places.astype(np.float32), count, params={"checks": -1})[0]
    return np.asarray(found, np.intp)


def _is_even(places: Values) -> Mask:
    """Which of N x 2 places are in a row of four at even distances."""
    if len(places) < _NEIGHBOURS:
        return np.ones(len(places), np.bool_)
    points = places.astype(np.float32)
    away = points[_nearest(places, places, _NEIGHBOURS)[:, 1:]] - points[:, None]  # N x 8 x 2

    def there(times: int) -> Mask:
        """Whether there is a neighbour so many times as far as each."""
        apart = away[:, None] - np.float32(times) * away[:, :, None]
        return np.asarray(np.hypot(apart[..., 0], apart[..., 1]).min(axis=2) <= _SPACED)

    double = there(2)
    return np.asarray((double & (there(-1) | there(3))).any(axis=1))


def _is_coloured(pieces: Pieces, cleaned: Pixels, small: Mask) -> Mask:
    """Which small pieces are of coloured ink."""
    if cleaned.shape[2] < 3:
        return np.zeros(len(small), np.bool_)
    which = small[pieces.label]
    label, colours = pieces.label[which], cleaned.reshape(-1, 3)[pieces.place[which]]
    depth = 1 - unit(colours)
    apart, deep = (
        np.bincount(label, x, len(small)) for x in (np.ptp(depth, axis=1), depth.max(axis=1))
    )
    return np.asarray(apart > _COLOURED * deep)


def _fill(
    page: Pixels, cleaned: Pixels, pieces: Pieces, labels: NDArray[np.int32], gone: Mask,
    strength: float,
) -> None:  # fmt: skip
    """Put paper in place of some pieces and the pixels around them, in place."""
    height, width = pieces.shape
    mask = np.zeros(height * width, np.uint8)
    mask[pieces.place[gone[pieces.label]]] = 1
    grown = cv2.dilate(mask.reshape(height, width), np.ones((3, 3), np.uint8))
    row, column = np.nonzero(grown)
    piece = labels[row, column]
    free = (piece == 0) | gone[piece]  # nothing of what stays
    row, column = row[free], column[free]
    reach = round(SPECK * pieces.height) + 1
    ring = [(y, x) for y in (-reach, 0, reach) for x in (-reach, 0, reach) if x or y]
    around = np.stack(
        [cleaned[(row + y).clip(0, height - 1), (column + x).clip(0, width - 1)] for y, x in ring]
    )
    paper = np.partition(around, 6, axis=0)[6]  # of eight: what is not ink
    missing = np.maximum(unit(paper) - unit(cleaned[row, column]), 0) * np.float32(strength)
    values = page[row, column]
    write(values.astype(np.float32) + missing * np.float32(full_range(page)), values)
    page[row, column] = values
