"""Streaks of a scanner: dust on the glass past which sheets are drawn, or a pixel gone bad.

Such a line crosses the whole image, parallel to its sides to a fraction of a pixel, over paper and
ink alike. A network that sees a few hundred pixels around each one cannot tell it from a rule, and
keeps it. Over the whole page it can be told: rules end before the edge of the sheet or lie askew by
a pixel or more, and those that a computer drew up to the edge show no noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import full_range

__all__ = [
    "Streak",
    "WithoutStreaks",
    "add_streaks",
    "count_lines",
    "find_streaks",
    "remove_streaks",
]

Pixels = NDArray[Any]
Levels = NDArray[np.float32]

_SHORTEST = 1000  # pixels of an image's side; rules may well cross a smaller part of a page
_BANDS = 24  # into which a line's length is cut
_SAMPLES = 16  # pixels across its length that are looked at in each band
_WIDEST = 8  # pixels; broader ones are shadows
_GROUND = 16  # pixels to each side that a line is compared with
_INK, _PRINTED = 0.7, 0.02  # of paper's brightness; share of the columns that have it at an end
_DEPTH = 0.04  # of the paper's brightness; what is fainter than this the network removes
_DARKEST = 96  # of 255; on darker ground a line is not judged
_EVEN = 0.06  # deviation of that ground, of its brightness
_CLEAR = 0.6  # share of the bands that have to be judged
_PART = 0.4  # of its usual depth that a line has to have in a band
_BANDS_WITH = 0.9  # share of the bands where it has to, beside the first two and the last two
_DRIFT = 0.2  # pixels that it may wander from one end to the other
_NOISE, _NOISY = 0.9, 0.25  # of 255 between samples of a line or of paper; bands that have it
_NEAR, _FAR = 6, 250  # pixels beside a line in a gutter that are free of ink, and where text is
_TOUCHED, _WRITTEN = 0.02, 0.15  # share of rows with ink: so near at most, so far at least
_BLACK, _TWIN = 0.75, 0.05  # a printed line's depth, and how far that of others like it is apart
_LINE = 0.6  # share of the rows with ink from which a column is another line
_MANY, _REGULAR = 5, 0.6  # so many lines, this share of them as far apart as the usual: ruled paper
_MOST = 60  # lines; more are a pattern
_GREY = 0.75  # of a line's depth in one channel that it has in the others at least, if it is dust
_ALONE = 0.15  # of that depth that the others may have, if it is a bad pixel's
_PIXEL = 3  # pixels; what a bad one of the sensor draws in one channel is no wider
_ASIDE = _WIDEST + 4  # pixels beside a part of an image that it takes to mend that part


@dataclass(frozen=True)
class Streak:
    """A line over the whole length of an image in one channel.

    Attributes:
        upright: whether it runs from top to bottom, and else from left to right.
        start: its first column, or row.
        depth: bands x width, the share of the light that is missing, at the bands' middles.
        channel: which of the image's.
    """

    upright: bool
    start: int
    depth: Levels
    channel: int

    @property
    def stop(self) -> int:
        """The first column, or row, behind it."""
        return self.start + int(self.depth.shape[1])


Removed = tuple[Streak, Levels]  # and what was taken away, in the page's own values


def find_streaks(page: Pixels) -> list[Streak]:
    """The streaks of a page, dark ones alone.

    Paper is the second brightest of 16 samples in each of 24 bands along the line, which between
    letters is no ink. A streak is up to 8 pixels wide, in nine bands of ten and at both ends it is
    darker than what is to its sides, its centre of mass stays within a fifth of a pixel, and it or
    the paper shows noise, as what a sensor saw does. Dust is grey, and what a bad pixel draws is
    narrow and in one channel: any other colour was printed. Nothing is one where print reaches up
    to an end of the page, as in a cut-out of a table, nor is the outline of a scanner's lid or of
    anything as dark; lines at equal distances are ruled paper, and
    where some run the other way, as beside the margin of an exercise book, all are rules, since
    sheets are drawn past the glass one way. A line beside text that touches none of it is a rule
    between columns if there is text on its other side too, if it is as dark as ink, or if
    another is like it.

    Args:
        page: H x W or H x W x C, of which up to three are looked at; uint8, uint16 or float32.

    Returns:
        Nothing along sides of under 1,000 pixels.
    """
    page = _three_axes(page)
    if max(page.shape[:2]) < _SHORTEST:
        return []
    ways = {True: _bands(page), False: _bands(page.swapaxes(0, 1))}
    for upright, length in ((True, page.shape[0]), (False, page.shape[1])):
        if length >= _SHORTEST and (streaks := _along_bands(ways[upright], upright)):
            return [] if any(True for part in ways[not upright] for _ in _lines(part)) else streaks
    return []


def count_lines(streaks: list[Streak]) -> int:
    """How many lines on the page streaks are: a grey one is a streak in each channel."""
    count = 0
    for upright in (True, False):
        end = 0
        for streak in sorted((s for s in streaks if s.upright == upright), key=lambda s: s.start):
            count += streak.start >= end
            end = max(end, streak.stop)
    return count


def remove_streaks(page: Pixels, streaks: list[Streak]) -> list[Removed]:
    """Remove the streaks of a whole page from it, in place.

    What is missing of the light is made up for. Where that differs from what lies to both sides by
    no more than noise does, it becomes what lies there.

    Args:
        page: what `find_streaks` took.
        streaks: what it returned.

    Returns:
        What `add_streaks` takes.
    """
    return list(_mend(_three_axes(page), streaks, 0, len(page)))


def add_streaks(page: Pixels, removed: list[Removed], share: float) -> None:
    """Add a share of what was removed to a page again, in place; whole numbers are rounded."""
    page = _three_axes(page)
    white = full_range(page)
    for streak, change in reversed(removed):
        lines = _lengthwise(page, streak)[:, streak.start : streak.stop, streak.channel]
        values = lines.astype(np.float32) + np.float32(share) * change
        lines[...] = values if white == 1.0 else np.rint(np.clip(values, 0, white))


class WithoutStreaks:
    """A page from which streaks are removed wherever its rows are read."""

    def __init__(self, page: Pixels, streaks: list[Streak]) -> None:
        """Of a page, which stays as it is, and its streaks."""
        self.page, self.streaks = page, streaks
        self.shape, self.dtype, self.ndim = page.shape, page.dtype, page.ndim

    def __getitem__(self, rows: slice) -> Pixels:
        """A copy of these rows."""
        top, bottom, _ = rows.indices(len(self.page))
        first = max(0, top - _ASIDE)
        part = np.array(self.page[first : bottom + _ASIDE], order="C")
        for _ in _mend(_three_axes(part), self.streaks, first, len(self.page)):
            pass
        return part[top - first : bottom - first]


def _three_axes(page: Pixels) -> Pixels:
    return page[..., None] if page.ndim == 2 else page[..., :3]


@dataclass(frozen=True)
class _Bands:
    """One channel of a page in bands across its lines, 0 to 255."""

    paper: Levels  # bands x width, the second brightest sample
    noise: Levels  # the brightest less the third
    sample: Pixels  # bands x samples x width, in the page's own values
    white: float  # of these
    margins: bool  # whether both ends are blank

    def ink(self) -> NDArray[np.bool_]:
        """What is darker than the paper by far, samples x width."""
        dark = self.sample < np.float32(_INK * self.white / 255) * self.paper[:, None]
        return np.asarray(dark.reshape(-1, self.paper.shape[1]))


@dataclass(frozen=True)
class _Line:
    """A line in one channel."""

    start: int
    depth: Levels  # bands x width
    beside: NDArray[np.intp]  # the columns that it was compared with

    @property
    def stop(self) -> int:
        """The first column behind it."""
        return self.start + int(self.depth.shape[1])

    @property
    def deepest(self) -> float:
        """Its usual depth where it is deepest."""
        return float(np.median(self.depth.max(axis=1)))

    def is_like(self, other: "_Line") -> bool:
        """Whether another line is of its width and depth."""
        same = other is not self and other.depth.shape[1] == self.depth.shape[1]
        return same and abs(other.deepest - self.deepest) <= _TWIN * self.deepest


def _along_bands(bands: list[_Bands], upright: bool) -> list[Streak]:
    streaks: list[Streak] = []
    for channel, part in enumerate(bands):
        found = list(_lines(part)) if part.margins else []
        if not found or len(found) > _MOST or _is_ruled([line.start for line in found]):
            continue
        known = list(streaks)  # of other channels
        ink = np.logical_or.reduce([other.ink() for other in bands])
        printed = [line.start for line in _printed(found, ink)]
        for line in (one for one in found if one.start not in printed):
            if not any(s.start < line.stop and line.start < s.stop for s in known):
                depths = _of_dust(line, bands, channel)
                streaks += [Streak(upright, line.start, d, c) for c, d in depths.items()]
    return streaks


def _bands(page: Pixels) -> list[_Bands]:
    height, width, channels = page.shape
    if height < _BANDS * _SAMPLES or width < 4 * _GROUND:
        return []
    rows = ((np.arange(_BANDS * _SAMPLES) + 0.5) * height / (_BANDS * _SAMPLES)).astype(np.intp)
    white, bands = full_range(page), []
    scale = np.float32(255 / white)
    for channel in range(channels):
        sample = page[rows, :, channel].reshape(_BANDS, _SAMPLES, width)
        first, paper, third = (values.astype(np.float32) * scale for values in _top(sample))
        bands.append(_Bands(paper, first - third, sample, white, _has_margins(sample)))
    return bands


def _of_dust(line: _Line, bands: list[_Bands], channel: int) -> dict[int, Levels]:
    """A line's depth in each channel that it is in; nothing if it has a colour, as print has.

    Args:
        line: as found in one channel.
        bands: of all channels.
        channel: where it was found.
    """
    depths = {channel: line.depth}
    for other, part in enumerate(bands):
        if other != channel:
            columns = slice(line.start, line.stop)
            depth = _depth(part.paper[:, columns], np.median(part.paper[:, line.beside], axis=1))
            middle = int(np.argmax(np.median(depth, axis=0)))
            depths[other] = _smoothed(depth, middle, np.ones(len(depth), np.bool_))
    deepest = {other: float(np.median(depth.max(axis=1))) for other, depth in depths.items()}
    most = max(deepest.values())
    if min(deepest.values()) >= _GREY * most:
        return depths
    others = [depth for other, depth in deepest.items() if other != channel]
    narrow = line.depth.shape[1] - 2 <= _PIXEL
    return {channel: line.depth} if narrow and max(others) <= _ALONE * most else {}


def _top(sample: Pixels) -> tuple[Pixels, Pixels, Pixels]:
    """The largest three of each band's samples, largest first; bands x samples x width in.

    Row by row, which is many times faster than sorting; what is below 0 counts as 0.
    """
    first, second, third = np.zeros((3, len(sample), sample.shape[2]), sample.dtype)
    for row in sample.swapaxes(0, 1):
        np.maximum(third, np.minimum(second, row), out=third)
        np.maximum(second, np.minimum(first, row), out=second)
        np.maximum(first, row, out=first)
    return first, second, third


def _has_margins(sample: Pixels) -> bool:
    """Whether both ends of a page are blank: where print reaches up to them rules may too."""
    ends = np.sort(sample[[0, -1]].astype(np.float32), axis=1)
    dark = ends[:, _SAMPLES // 4] < _INK * ends[:, -2]
    return bool(dark.mean(axis=1).max() <= _PRINTED)


def _depth(line: Levels, ground: Levels) -> Levels:
    return np.asarray(1 - line / np.maximum(ground, 1)[:, None], np.float32)


def _lines(bands: _Bands) -> Iterator[_Line]:
    """Each line of one channel."""
    paper, noise = bands.paper, bands.noise
    usual = np.median(paper, axis=0)
    closed = cv2.morphologyEx(usual[None], cv2.MORPH_CLOSE, np.ones((1, 2 * _GROUND + 1)))[0]
    darker = closed - usual > 0.5 * _DEPTH * np.maximum(closed, 1)
    around = cv2.blur(paper, (2 * _GROUND + 1, 1))  # noise is darker than this in half of the bands
    often = np.mean(paper < (1 - 0.3 * _DEPTH) * around, axis=0) > 0.5
    edges = np.flatnonzero(np.diff(np.pad(darker, 1).astype(np.int8)))
    for first, last in edges.reshape(-1, 2):
        if not often[first:last].any():
            continue
        start, stop = int(first) - 1, int(last) + 1  # with what is half covered beside it
        if start < 2 or stop > len(usual) - 2 or last - first > _WIDEST:
            continue
        beside = np.arange(max(0, start - _GROUND), min(len(usual), stop + _GROUND))
        beside = beside[~darker[beside] & ((beside < start) | (beside >= stop))]
        if len(beside) < _GROUND // 2:
            continue
        ground, rough = (np.median(x[:, beside], axis=1) for x in (paper, noise))
        uneven = np.median(np.abs(paper[:, beside] - ground[:, None]), axis=1)
        clear = (ground >= _DARKEST) & (uneven <= _EVEN * ground)
        depth = _depth(paper[:, start:stop], ground)
        middle = int(np.argmax(np.median(depth, axis=0)))
        sides = usual[max(0, start - _GROUND) : start], usual[stop : stop + _GROUND]
        dark = min(np.median(side) for side in sides) < _DARKEST
        if dark and np.median(depth[:, middle]) >= _BLACK:
            continue  # the outline of what is as dark, such as a scanner's lid beside a sheet
        spread = np.stack([noise[:, start + middle], rough])[:, clear]
        if _is_streak(depth, middle, clear) and (spread >= _NOISE).mean(axis=1).max() > _NOISY:
            yield _Line(start, _smoothed(depth, middle, clear), beside)


def _is_streak(depth: Levels, middle: int, clear: NDArray[np.bool_]) -> bool:
    """Whether a line is as deep as usual at its ends and nearly everywhere, and straight.

    Args:
        depth: bands x width, as measured.
        middle: where it is deepest.
        clear: the bands that can be judged.
    """
    ends, deepest = np.r_[0, 1, -2, -1], depth[:, middle]
    if clear.mean() < _CLEAR or not clear[ends].all():
        return False
    usual = float(np.median(deepest[clear]))
    there = deepest >= _PART * usual
    if usual < _DEPTH or there[clear].mean() < _BANDS_WITH or not there[ends].all():
        return False
    light = np.clip(depth[clear], 0, 1)
    centre = (light @ np.arange(light.shape[1])) / light.sum(axis=1).clip(1e-6)
    thirds = [np.median(third) for third in np.array_split(centre, 3)]
    return bool(max(thirds) - min(thirds) <= _DRIFT)


def _printed(lines: list[_Line], ink: NDArray[np.bool_]) -> list[_Line]:
    """The lines that are rules between the columns of a page: they touch no text beside them.

    There is some on both sides, or the line is as dark as ink, or two are of one width and depth.

    Args:
        lines: of a channel.
        ink: samples x width, of any channel.
    """
    columns = np.flatnonzero(ink.mean(axis=0) < _LINE)

    def written(first: int, last: int) -> NDArray[np.bool_]:
        text = columns[(columns >= first) & (columns < last)]
        return np.asarray(ink[:, text].any(axis=1))

    rules: list[_Line] = []
    others: list[_Line] = []
    for line in lines:
        near = written(line.start - _NEAR, line.start) | written(line.stop, line.stop + _NEAR)
        far = [
            written(first, last).mean()
            for first, last in (
                (line.start - _FAR, line.start - _NEAR),
                (line.stop + _NEAR, line.stop + _FAR),
            )
        ]
        if near.mean() <= _TOUCHED and max(far) >= _WRITTEN:
            certain = min(far) >= _WRITTEN or line.deepest >= _BLACK
            (rules if certain else others).append(line)
    every = rules + others
    return rules + [one for one in others if any(one.is_like(other) for other in every)]


def _smoothed(depth: Levels, middle: int, clear: NDArray[np.bool_]) -> Levels:
    """Depth in every band as that of the middle times one shape, without outliers."""
    deepest = depth[:, middle]
    usual = np.median(deepest[clear])
    shape = np.median(depth[clear] / np.maximum(deepest[clear], 1e-3)[:, None], axis=0)
    good = clear & (deepest >= _PART * usual) & (deepest <= 2 * usual)
    padded = np.pad(np.where(good, deepest, usual), 1, "edge")
    along = np.median([padded[:-2], padded[1:-1], padded[2:]], axis=0)
    return np.asarray(np.clip(along[:, None] * np.clip(shape, 0, 1), 0, 0.95), np.float32)


def _is_ruled(starts: list[int]) -> bool:
    """Whether most lines lie as far apart as is usual among them."""
    if len(starts) < _MANY:
        return False
    gaps = np.diff(starts)
    usual = np.median(gaps)
    return bool(np.mean(np.abs(gaps - usual) <= 2 + 0.05 * usual) >= _REGULAR)


def _lengthwise(page: Pixels, streak: Streak) -> Pixels:
    return page if streak.upright else page.swapaxes(0, 1)


def _mend(part: Pixels, streaks: list[Streak], first: int, height: int) -> Iterator[Removed]:
    """Remove streaks from rows `first` and following of a page of so many rows, in place."""
    white = full_range(part)
    for streak in streaks:
        lines = _lengthwise(part, streak)
        begin, length = (first, height) if streak.upright else (0, len(lines))
        start = streak.start - (0 if streak.upright else first)
        stop = start + streak.depth.shape[1]
        if start < 2 or stop > lines.shape[1] - 2:
            continue  # not in these rows, or at their edge
        around = lines[:, start - 2 : stop + 2, streak.channel].astype(np.float32)
        mended = _mended(around, _along(streak.depth, begin, len(lines), length), white)
        if white != 1.0:
            mended = np.rint(mended)
        lines[:, start:stop, streak.channel] = mended.astype(part.dtype)
        yield streak, around[:, 2:-2] - mended


def _along(depth: Levels, begin: int, count: int, length: int) -> Levels:
    """Bands as rows of pixels, linear between the bands' middles."""
    place = (np.arange(begin, begin + count) + 0.5) * len(depth) / length - 0.5
    place = np.clip(place, 0, len(depth) - 1).astype(np.float32)
    low = np.minimum(place.astype(np.intp), len(depth) - 2)
    share = (place - low)[:, None]
    return np.asarray(depth[low] * (1 - share) + depth[low + 1] * share, np.float32)


def _mended(around: Levels, depth: Levels, white: float) -> Levels:
    """Length x width without the streak, from length x (width + 4) with two pixels beside it."""
    brighter = np.minimum(around[:, 2:-2] / (1 - depth), white)
    left, right = around[:, :2].mean(axis=1), around[:, -2:].mean(axis=1)
    share = (np.arange(depth.shape[1], dtype=np.float32) + 1) / (depth.shape[1] + 1)
    across = left[:, None] * (1 - share) + right[:, None] * share
    least = 0.12 + 0.1 * depth / (1 - depth)  # noise grows as the light is made up for
    apart = np.abs(brighter - across) / np.maximum(across, 0.1 * white)
    own = np.clip(apart / least - 1, 0, 1)
    return np.asarray(across + own * (brighter - across), np.float32)
