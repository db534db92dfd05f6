"""Printed tints and pictures whose dots cleaning took for grain.

A tint in print is a lattice of dots, and a light one looks like dust to a network: forms lose the
grey of their rows, comics their shadows. What tells print from dirt is that its dots lie in two
directions at one distance, so the spectrum of a piece of it has two sharp peaks that no grain, no
line of text and no laid or wove paper has so near each other (Fourier analysis, as inverse
halftoning has used it since Kite et al., 2000).
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["lost_screens"]

Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Planes = NDArray[np.float32]
Rows = Callable[[int, int], tuple[Plane, Plane]]

_SIDE = 64  # pixels; side of the windows whose spectrum is looked at
_PERIODS = (20.0, 9.2, 2.2)  # pixels: where the strongest peak is sought; where a screen has it
_SHARE = 0.3  # of all that is in these, in both peaks
_WEAKEST = 2.5  # of 255; amplitude of either peak
_APART, _LIKE, _SECOND = 50.0, 1.35, 0.15  # degrees; ratio of periods; of the first peak's power
_LEFT = 0.6  # share of both peaks' amplitude below which the screen is lost
_NEAR = 0.4  # of the amplitude in the next window, for those around one
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
    places: list[tuple[int, int]] = []
    peaks: list[tuple[int, int, float, float]] = []
    for top in range(0, height - _SIDE + 1, step):
        before, after = rows(top, min(top + step, height))
        for row in range(0, len(before) - _SIDE + 1, _SIDE):
            part = slice(row, row + _SIDE)
            old, new = (_cut_up(p[part]) for p in (before, after))
            for number, peak in _screens(old, new):
                places.append(((top + row) // _SIDE, number))
                peaks.append(peak)
    found = _beside(places, (height // _SIDE, width // _SIDE))
    if not found.any():
        return grid
    return _around(rows, found, dict(zip(places, peaks, strict=True)), grid, cell, shape)


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


def _screens(old: Planes, new: Planes) -> list[tuple[int, tuple[int, int, float, float]]]:
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


def _beside(places: list[tuple[int, int]], shape: tuple[int, int]) -> Mask:
    """Which windows have a neighbour among them: one alone may be chance."""
    there = np.zeros(shape, np.uint8)
    for place in places:
        there[place] = 1
    count = cv2.boxFilter(there, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray((there > 0) & (count > 1))


def _around(
    rows: Rows,
    found: Mask,
    peaks: dict[tuple[int, int], tuple[int, int, float, float]],
    grid: Mask,
    cell: int,
    shape: tuple[int, int],
) -> Mask:
    """The cells of the windows found and of those around that have the same screen, lost."""
    height, width = shape
    ratio = _SIDE // cell
    where = np.kron(found, np.ones((ratio, ratio), np.bool_))
    wide = np.zeros(grid.shape, np.bool_)
    wide[: len(where), : where.shape[1]] = where
    near = cv2.dilate(wide.view(np.uint8), np.ones((2 * ratio + 1, 2 * ratio + 1), np.uint8))
    below, left = np.nonzero(found)
    for row in map(int, np.flatnonzero(near.any(axis=1))):
        begin = min(max(0, row * cell - cell // 2), height - _SIDE)
        before, after = rows(begin, begin + _SIDE)
        for column in map(int, np.flatnonzero(near[row])):
            start = min(max(0, column * cell - cell // 2), width - _SIDE)
            closest = int(np.hypot(below - row / ratio, left - column / ratio).argmin())
            first, second, one, two = peaks[int(below[closest]), int(left[closest])]
            part = slice(start, start + _SIDE)
            windows = np.stack([before[:, part], after[:, part]]).astype(np.float32)
            old, new = _spectra(windows)[1][:, [first, second]]
            there = old[0] > _NEAR**2 * one and old[1] > _NEAR**2 * two
            grid[row, column] = there and new.sum() < _LEFT**2 * old.sum()
    return grid
