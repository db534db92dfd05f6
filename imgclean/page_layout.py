"""Letters, lines of text and blank paper of a cleaned page, from its connected dark pixels."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BLANK", "COARSE", "DARK", "LETTER", "LINE", "OTHER", "RULE", "SPECK",
    "Paper", "Pieces", "find_paper", "find_pieces",
]  # fmt: skip

Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.intp]
Values = NDArray[np.float64]

DARK = 225  # of 255; what is darker on a cleaned page is ink or dirt
_LETTERS = 100  # that a page of text has at least
_LOWEST, _SMALLEST = 6, 12  # pixels of a letter's height and area at least
_TALLEST, _BROADEST = 8, 4  # a letter's height and width are at most such parts of the page's
_BLACK = 0.4  # of the usual darkness that a letter has
# Shares of the letters' height:
_LEAST = 0.6  # height of a letter
SPECK = 0.45  # side of a speck at most
_PICTURE = 3  # both sides of a picture or a table; all of its box is left alone
RULE = 6  # length of what counts as printed, so that no margin lies beyond it
_ALONG, _ACROSS, _AHEAD = 2, 0.75, 1  # half of gaps within a line; a line's reach up and down, on
_NEAR = 0.5  # reach of a letter's dots, accents and full stops
_BESIDE = 1  # around what is no letter
COARSE = 2  # pixels of the page to one of the planes that tell where lines and blank paper are
_CELLS, _OCCUPIED = 8, 0.7  # cells each way; of those that even dust would lie in
_IN_MARGIN = 0.5  # of its even share of the specks, that a margin has
BLANK, LINE, LETTER, OTHER = range(4)  # zones of a page


@dataclass(frozen=True)
class Pieces:
    """Connected dark pixels of a page; piece 0 is the paper.

    Attributes:
        shape: of the page, in pixels.
        place: index of each dark pixel.
        label: its piece.
        boxes: left, top, width, height and area of each piece.
        middles: x and y of each.
        mass: sum of each one's depths, 1 a black pixel.
        letter: whether it is one.
        height: of the page's letters, pixels; 0 if there are too few.
    """

    shape: tuple[int, int]
    place: Numbers
    label: Numbers
    boxes: NDArray[np.int32]
    middles: Values
    mass: Values
    letter: Mask
    height: float

    @property
    def side(self) -> NDArray[np.int32]:
        """The longer side of each piece's box."""
        return np.asarray(self.boxes[:, 2:4].max(axis=1), np.int32)


@dataclass(frozen=True)
class Paper:
    """What each place of a page is, two pixels of it to one.

    Attributes:
        zones: blank paper, lines of text, what is within reach of a letter's dots, and what is
            neither text nor blank.
        outside: the blank paper around all print.
        lines: 1 where lines of text are.
    """

    zones: Plane
    outside: Mask
    lines: Plane

    @cached_property
    def blank(self) -> NDArray[np.float32]:
        """The share of blank paper in 8 x 8 cells."""
        blank = (self.zones == BLANK).astype(np.float32)
        return np.asarray(cv2.resize(blank, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA))

    def lies_all_over(self, places: Numbers) -> bool:
        """Whether places on blank paper, N x 2 rows and columns, are in all of it."""
        row, column = places.T
        down, across = (
            n * _CELLS // m for n, m in zip((row, column), self.zones.shape, strict=True)
        )
        found = np.bincount(down * _CELLS + across, minlength=_CELLS**2) > 0
        total = max(float(self.blank.sum()), 1e-6)
        even = (1 - np.exp(-len(row) * self.blank / total)).sum()
        least = _IN_MARGIN * len(row) * self.outside.mean() * _CELLS**2 / total
        beyond = np.count_nonzero(self.outside[row, column])
        return bool(found.sum() >= _OCCUPIED * even and beyond >= least)


def find_pieces(grey: Plane) -> tuple[Pieces, NDArray[np.int32]]:
    """The dark pieces of a page, and the piece of each pixel."""
    dark = (grey < DARK).view(np.uint8)
    count, labels, boxes, middles = cv2.connectedComponentsWithStats(dark, connectivity=8)
    place = np.flatnonzero(dark)
    label, depth = labels.ravel()[place].astype(np.intp), 255 - grey.ravel()[place]
    mass = np.bincount(label, depth, count) / 255
    darkest = np.zeros(count, np.uint8)
    np.maximum.at(darkest, label, depth)
    letter, height = _find_letters(boxes, darkest, grey.shape)
    shape = (grey.shape[0], grey.shape[1])
    return Pieces(shape, place, label, boxes, middles, mass, letter, height), labels


def _find_letters(
    boxes: NDArray[np.int32], darkest: Plane, shape: tuple[int, ...]
) -> tuple[Mask, float]:
    """Which pieces are letters, and how high these are: their median without the lowest."""
    wide, high, area = boxes[:, 2], boxes[:, 3], boxes[:, 4]
    letter = (high >= _LOWEST) & (high < shape[0] / _TALLEST) & (area >= _SMALLEST)
    letter &= wide < shape[1] / _BROADEST
    letter[0] = False
    if letter.sum() >= _LETTERS:
        letter &= darkest > _BLACK * np.quantile(darkest[letter], 0.9)
    if letter.sum() < _LETTERS:
        return letter, 0.0
    high = high[letter]
    height = float(np.median(high[high >= np.quantile(high, 0.3)]))
    letter &= boxes[:, 3] > _LEAST * height
    return letter, height


def find_paper(pieces: Pieces) -> Paper:
    """Tell text and blank paper apart."""
    height = pieces.height
    other = ~pieces.letter & (pieces.side > SPECK * height)
    other[0] = False
    letters, others = (_drawn(pieces, which) for which in (pieces.letter, other))
    lines = cv2.morphologyEx(letters, cv2.MORPH_CLOSE, _box(0, _ALONG * height))
    lines = np.asarray(cv2.dilate(lines, _box(_ACROSS * height, _AHEAD * height)), np.uint8)
    zones = np.where(lines > 0, np.uint8(LINE), np.uint8(BLANK))
    zones[cv2.dilate(letters, _box(_NEAR * height, _NEAR * height)) > 0] = LETTER
    picture = other & (pieces.boxes[:, 2:4].min(axis=1) > _PICTURE * height)
    if picture.any():
        others |= _boxed(pieces.boxes[picture], others.shape)
    zones[cv2.dilate(others, _box(_BESIDE * height, _BESIDE * height)) > 0] = OTHER
    outside = zones == BLANK
    outside[_printed(pieces, other & (pieces.side > RULE * height))] = False
    return Paper(zones, outside, lines)


def _printed(pieces: Pieces, rules: Mask) -> tuple[slice, slice]:
    """The box around nearly all letters and all rules, on the coarser planes."""
    low, high = np.quantile(pieces.middles[pieces.letter], (0.01, 0.99), axis=0)
    if rules.any():
        boxes = pieces.boxes[rules]
        low = np.minimum(low, boxes[:, :2].min(axis=0))
        high = np.maximum(high, (boxes[:, :2] + boxes[:, 2:4]).max(axis=0))
    low, high = (low - pieces.height) / COARSE, (high + pieces.height) / COARSE
    (left, top), (right, bottom) = (np.rint(x).clip(0).astype(int) for x in (low, high))
    return slice(top, bottom), slice(left, right)


def _box(down: float, across: float) -> Plane:
    """A box that reaches so many pixels of the page up, down and to both sides."""
    rows, columns = (2 * max(round(x / COARSE), 0) + 1 for x in (down, across))
    return np.ones((rows, columns), np.uint8)


def _drawn(pieces: Pieces, which: Mask) -> Plane:
    """Some pieces on a coarser plane, 1 where any pixel is one of theirs."""
    plane = np.zeros([-(-n // COARSE) for n in pieces.shape], np.uint8)
    row, column = np.divmod(pieces.place[which[pieces.label]], pieces.shape[1])
    plane[row // COARSE, column // COARSE] = 1
    return plane


def _boxed(boxes: NDArray[np.int32], shape: tuple[int, ...]) -> Plane:
    """1 inside of boxes, on the coarser plane: sums over their corners."""
    edges = np.zeros((shape[0] + 1, shape[1] + 1), np.int32)
    left, top = boxes[:, :2].T // COARSE
    right, bottom = -(-(boxes[:, :2] + boxes[:, 2:4]).T // COARSE)
    for rows, columns, step in (
        (top, left, 1),
        (top, right, -1),
        (bottom, left, -1),
        (bottom, right, 1),
    ):
        np.add.at(edges, (rows, columns), step)
    inside = edges.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] > 0
    return np.asarray(inside.view(np.uint8))
