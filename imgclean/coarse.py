"""Noise coarser than a network for photos knows it, as of an enlarged or a merged photo.

Its neighbouring pixels are so alike that the network takes it for detail. In an image of half the
size the same noise is as fine as what the network has learnt, so it is removed there first, and
the change is added at full size (after Zhou et al., "When AWGN-based denoiser meets real noises",
2020, who take every second pixel). On white noise and on detail that would do harm, so parts of
the image tell whether it is needed: what the network removes from them at both sizes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import halved, write

__all__ = ["SMALLEST", "add_half", "is_coarse", "parts"]

SMALLEST = 384  # pixels of the shorter side: to look at smaller images costs as much again
_SIDE = 192  # pixels of a part that is looked at
_EACH, _MOST = 800_000, 4  # pixels of an image for every part; parts at most
_CELL = 16  # pixels of the half size, in which energies are compared
_PLAIN = 0.2  # share of the cells that tell: those with the least detail
_TONES = (0.03, 0.97)  # darker and brighter ones are cut, with their noise
_MORE = 1.15  # times the noise that is removed at full size is removed at half the size
_CLEAR = 2.0  # times the detail that is left there
_LEAST = 0.5 / 255  # deviation of that noise
_ALIKE = 0.05  # correlation of neighbours in it; detail that is taken for noise has less
_TAILS = 12.0  # kurtosis of it, 3 in Gaussian noise; edges and lines have far more
_WINDOW = 32  # pixels, in which periods are looked for
_PERIOD = 3.0  # times the median of all directions: a screen of dots, or cloth
_ROWS = 64  # of an image, at a time

Pixels = NDArray[Any]
Plane = NDArray[np.float32]


def parts(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Where to look: up to four squares, spread over an image."""
    count = min(max(round(height * width / _EACH), 1), _MOST)
    down = 1 if count < 3 else 2
    across = -(-count // down)
    if height > width:
        down, across = across, down
    for row in range(down):
        for column in range(across):
            top, left = (
                int((length - min(_SIDE, length)) * (place + 0.5) / number)
                for length, place, number in ((height, row, down), (width, column, across))
            )
            yield slice(top, top + _SIDE), slice(left, left + _SIDE)


def is_coarse(looks: Sequence[tuple[Plane, Plane, Plane]]) -> bool:
    """Whether noise is so coarse that it should be removed at half the size first.

    Args:
        looks: for each part, h x w x C float32 on [0, 1]: what the network removed from it, what it
            makes of it at half the size, and what it removed there.

    Returns:
        True where in the fifth of the image with the least detail more is removed at half the size
        than at full size, and far more than the detail that is left; and where what is removed has
        neither edges nor periods, and neighbours that are alike.
    """
    planes = [half.mean(axis=2) for *_, half in looks]
    every = np.concatenate([plane.ravel() for plane in planes]).astype(np.float64)
    energy = float(np.mean(every**2))
    if not energy or np.mean(every**4) > _TAILS * energy**2:
        return False
    tones, detail, full, half = np.concatenate([_cells(*look) for look in looks], axis=1)
    shown = (tones > _TONES[0]) & (tones < _TONES[1])
    if not shown.any():
        return False
    order = np.flatnonzero(shown)[np.argsort(detail[shown])]
    plain = order[: max(1, round(_PLAIN * len(order)))]
    removed = half[plain].mean()
    least = max(_MORE**2 * full[plain].mean(), _CLEAR**2 * detail[plain].mean(), _LEAST**2)
    return bool(removed > least and _alike(planes) > _ALIKE and _period(planes) < _PERIOD)


def add_half(image: Pixels, before: Pixels, after: Pixels) -> None:
    """Add to an image, in place, the change from `before` to `after`, which have half its size."""
    for top in range(0, len(image), _ROWS):
        rows = image[top : top + _ROWS]
        first, last = max(0, top // 2 - 2), (top + len(rows) + 1) // 2 + 2
        change = np.subtract(after[first:last], before[first:last], dtype=np.float32)
        size = (2 * change.shape[1], 2 * len(change))
        grown = cv2.resize(change, size, interpolation=cv2.INTER_CUBIC)
        grown = grown.reshape(*size[::-1], -1)[top - 2 * first :][: len(rows), : rows.shape[1]]
        write(np.add(rows, grown, dtype=np.float32), rows)


def _alike(planes: Sequence[Plane]) -> float:
    """Correlation of neighbours, to the right or below, whichever is less."""
    energy = sum(float(np.vdot(plane, plane)) for plane in planes)
    right = sum(float(np.vdot(plane[:, 1:], plane[:, :-1])) for plane in planes)
    below = sum(float(np.vdot(plane[1:], plane[:-1])) for plane in planes)
    return min(right, below) / energy


def _period(planes: Sequence[Plane]) -> float:
    """How far the strongest period stands out from the others of about its length."""
    step, around = _WINDOW // 2, np.hanning(_WINDOW)
    tiles = np.concatenate([
        np.lib.stride_tricks.sliding_window_view(plane, (_WINDOW, _WINDOW))[::step, ::step]
        .reshape(-1, _WINDOW, _WINDOW)
        for plane in planes
    ])  # fmt: skip
    tiles = (tiles - tiles.mean(axis=(1, 2), keepdims=True)) * np.outer(around, around)
    power = (np.abs(np.fft.fft2(tiles)) ** 2).mean(axis=0)
    turns = np.fft.fftfreq(_WINDOW) * _WINDOW
    ring = np.rint(np.hypot(*np.meshgrid(turns, turns)))
    rings = [power[ring == number] for number in range(3, _WINDOW // 2 - 1)]
    return max(float(each.max() / max(np.median(each), 1e-30)) for each in rings)


def _cells(removed: Plane, cleaned: Plane, half: Plane) -> NDArray[np.float64]:
    """Of each cell the brightness, and the energies of detail left and of what is removed."""
    fine = cleaned - cv2.blur(cleaned, (5, 5)).reshape(cleaned.shape)
    size = tuple(max(1, length // _CELL) for length in half.shape[1::-1])
    planes = [cleaned, fine**2, halved(removed) ** 2, half**2]
    grids = [cv2.resize(x.mean(axis=2), size, interpolation=cv2.INTER_AREA) for x in planes]
    return np.stack([np.asarray(grid, np.float64).ravel() for grid in grids])
