"""Printed tints and pictures whose dots cleaning took for grain.

A tint in print is a lattice of dots, and a light one looks like dust to a network: forms lose the
grey of their rows, comics their shadows. What tells print from dirt is that its dots lie in two
directions at one distance, so the spectrum of a piece of it has two sharp peaks that no grain, no
line of text and no laid paper has so near each other (Fourier analysis, as inverse halftoning has
used it since Kite et al., 2000). Linen and woven paper have, and are all over a page.
"""

import itertools
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["lost_screens"]

Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Planes = NDArray[np.float32]
Rows = Callable[[int, int], tuple[Plane, Plane]]
Place = tuple[int, int]
Peaks = tuple[int, int, float, float]  # two frequencies by number, and the power around them

_SIDE = 64  # pixels; side of the windows whose spectrum is looked at
_PERIODS = (20.0, 9.2, 2.2)  # pixels: where the strongest peak is sought; where a screen has it
_SHARE = 0.3  # of all that is in these, in both peaks
_WEAKEST = 2.5  # of 255; amplitude of either peak
_APART, _LIKE, _SECOND = 50.0, 1.35, 0.15  # degrees; ratio of periods; of the first peak's power
_LEFT = 0.6  # share of both peaks' amplitude below which the screen is lost
_NEAR = 0.4  # of the amplitude in the window found, for those joined to it
_SHARP, _ASIDE = 4.0, 5  # times the power so many frequencies aside, where letters have as much
_BLANK, _PAPER = 160, 0.7  # of 255; share of blank margins from which a lattice is the paper's
_MOVING = 1.5  # of 255; mean step of what was removed from pixel to pixel, if dots were

_ANGLE = np.hanning(_SIDE + 1)[:_SIDE]
_WINDOW = np.outer(_ANGLE, _ANGLE).astype(np.float32)
# Power of a wave of amplitude 1 in the nine frequencies around its own.
_POWER = (_SIDE * float((_ANGLE**2).sum()) / 2) ** 2
_DOWN = np.fft.fftfreq(_SIDE)[:, None] * np.ones((1, _SIDE // 2 + 1))
_ACROSS = np.fft.rfftfreq(_SIDE)[None] * np.ones((_SIDE, 1))
_FREQUENCY = np.hypot(_DOWN, _ACROSS).ravel()
_DIRECTION = np.arctan2(_ACROSS, _DOWN).ravel()
_LOWEST, _LEAST, _MOST = (1 / period for period in _PERIODS)
_BAND = (_FREQUENCY > _LOWEST) & (_FREQUENCY < _MOST)
_BAND &= ((_ACROSS > 0) | (_DOWN > 0)).ravel()  # one of each pair


def lost_screens(rows: Rows, shape: tuple[int, int], cell: int, strip: int) -> Mask:
    """Where a page's halftone screens are gone, in cells.

    What most of a page's blank margins have lost is the weave of its paper, and may go.

    Args:
        rows: gives the rows from one number to another, 0 to the height, of the page before and
            after cleaning: in the channel that is darkest there.
        shape: height and width of the page.
        cell: side of the cells in pixels; half of the windows' 64.
        strip: pixels that are read at once.

    Returns:
        Cells in rows and columns, True where a lattice of dots 2.2 to 9 pixels apart has lost two
        fifths of its amplitude.
    """
    height, width = shape
    grid = np.zeros((-(-height // cell), -(-width // cell)), np.bool_)
    if min(shape) < _SIDE:
        return grid
    step = max(1, strip // width // _SIDE) * _SIDE
    peaks: dict[Place, Peaks] = {}
    high, wide = height // _SIDE, width // _SIDE
    margins = np.zeros((high, wide), np.bool_)
    for top in range(0, height - _SIDE + 1, step):
        before, after = rows(top, min(top + step, height))
        for row in range(0, len(before) - _SIDE + 1, _SIDE):
            part = slice(row, row + _SIDE)
            old, new = (_cut_up(p[part]) for p in (before, after))
            number = (top + row) // _SIDE
            edge = [0, -1] if 0 < number < high - 1 else slice(None)
            margins[number, edge] = new[edge].min(axis=(1, 2)) > _BLANK
            peaks |= {(number, column): peak for column, peak in _screens(old, new)}
    found = _beside([*peaks], margins.shape)
    ratio = _SIDE // cell
    known = {
        (ratio * row + down, ratio * column + across): peak
        for (row, column), peak in peaks.items()
        if found[row, column]
        for down, across in itertools.product(range(ratio), repeat=2)
    }
    lost = _spread(rows, known, grid, cell, shape)
    parts = lost[: ratio * high, : ratio * wide].reshape(high, ratio, wide, ratio)
    if (parts.any(axis=(1, 3)) & margins).sum() > _PAPER * margins.sum():
        lost[:] = False
    return lost


def _cut_up(band: Plane) -> Planes:
    """Rows as high as a window as windows side by side, N x 64 x 64."""
    count = band.shape[1] // _SIDE
    windows = band[:, : count * _SIDE].reshape(_SIDE, count, _SIDE).transpose(1, 0, 2)
    return np.ascontiguousarray(windows, np.float32)


def _spectra(windows: Planes) -> tuple[Planes, Planes]:
    """The power of N windows by frequency, N x 2112, and that of the nine around each."""
    even = windows - windows.mean(axis=(1, 2), keepdims=True)
    waves = np.fft.rfft2(even * _WINDOW)
    power = (waves.real**2 + waves.imag**2).astype(np.float32)
    rows = power + np.roll(power, 1, 1) + np.roll(power, -1, 1)
    nine = rows.copy()
    nine[..., 1:] += rows[..., :-1]
    nine[..., :-1] += rows[..., 1:]
    return power.reshape(len(power), -1), nine.reshape(len(power), -1)


def _screens(old: Planes, new: Planes) -> list[tuple[int, Peaks]]:
    """Which of some windows had a screen that is lost: number, both peaks and their power."""
    steps = np.abs(np.diff(new[:, ::4] - old[:, ::4], axis=2)).mean(axis=(1, 2))
    live = np.flatnonzero(steps > _MOVING)
    if not len(live):
        return []
    power, nine = _spectra(old[live])
    power *= _BAND
    first, total = power.argmax(axis=1), power.sum(axis=1)
    each = np.arange(len(live))
    one = nine[each, first]
    weakest = _WEAKEST**2 * _POWER
    maybe = np.flatnonzero(
        (_FREQUENCY[first] > _LEAST) & (one > _SHARE / 2 * total) & (one > weakest)
    )
    found = []
    for k in maybe:
        turned = np.abs(_DIRECTION - _DIRECTION[first[k]])
        turned = np.minimum(turned, np.pi - turned)
        ratio = _FREQUENCY / _FREQUENCY[first[k]]
        other = (turned > np.deg2rad(_APART)) & (ratio < _LIKE) & (ratio > 1 / _LIKE)
        second = int((power[k] * other).argmax())
        two = nine[k, second]
        if (
            one[k] + two > _SHARE * total[k]
            and two > max(weakest, _SECOND * one[k])
            and _left(new[live[k]], (int(first[k]), second)) < _LEFT**2 * (one[k] + two)
        ):
            found.append((int(live[k]), (int(first[k]), second, float(one[k]), float(two))))
    return found


def _left(window: Planes, peaks: tuple[int, int]) -> float:
    nine = _spectra(window[None])[1][0]
    return float(nine[list(peaks)].sum())


def _beside(places: list[Place], shape: tuple[int, int]) -> Mask:
    """Which windows have a neighbour among them: one alone may be chance."""
    there = np.zeros(shape, np.uint8)
    for place in places:
        there[place] = 1
    count = cv2.boxFilter(there, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray((there > 0) & (count > 1))


def _spread(
    rows: Rows, known: dict[Place, Peaks], grid: Mask, cell: int, shape: tuple[int, int]
) -> Mask:
    """The cells of windows found, and those joined to them that have lost the same screen.

    Under letters too: there a screen's peaks are not the strongest, but as sharp.
    """
    seen = set(known)
    while known:
        joined: dict[Place, Peaks] = {}
        for row in sorted({row for row, _ in known}):
            columns = [column for other, column in known if other == row]
            top, *lefts = (
                min(max(0, n * cell - cell // 2), side - _SIDE)
                for n, side in [(row, shape[0]), *((column, shape[1]) for column in columns)]
            )
            both = rows(top, top + _SIDE)
            windows = [p[:, left : left + _SIDE] for p in both for left in lefts]
            old, new = np.split(_spectra(np.array(windows, np.float32))[1], 2)
            for column, before, after in zip(columns, old, new, strict=True):
                peak = known[row, column]
                one, two = peak[:2]
                here = one, two, float(before[one]), float(before[two])
                if not _has(before, peak, _NEAR) or _has(after, here, _LEFT):
                    continue
                grid[row, column] = True
                for place in itertools.product(
                    range(row - 1, row + 2), range(column - 1, column + 2)
                ):
                    if place not in seen and _is_in(place, grid):
                        seen.add(place)
                        joined[place] = peak
        known = joined
    return grid


def _is_in(place: Place, grid: Mask) -> bool:
    return bool(0 <= place[0] < grid.shape[0] and 0 <= place[1] < grid.shape[1])


def _has(nine: NDArray[np.float32], peaks: Peaks, share: float) -> bool:
    """Whether both peaks are there, with such a share of their amplitude, and sharp."""
    for place, power in zip(peaks[:2], peaks[2:], strict=True):
        down, across = divmod(place, _SIDE // 2 + 1)
        beside = [
            nine[(down + one) % _SIDE * (_SIDE // 2 + 1) + abs(across + other)]
            for one, other in ((_ASIDE, 0), (-_ASIDE, 0), (0, -_ASIDE))
        ]
        if nine[place] < share**2 * power or nine[place] < _SHARP * np.mean(beside):
            return False
    return True
