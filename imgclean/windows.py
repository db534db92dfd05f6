"""Models of one fixed size on images of any size: overlapping windows, blended."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["blend"]

Array = NDArray[np.float32]


def blend(image: Array, size: tuple[int, int], run: Callable[[Array], Array]) -> Array:
    """Clean an image through windows that overlap by half and fade into each other.

    An image of exactly the window's size is passed once and not blended. Smaller ones are
    extended by reflection first.

    Args:
        image: H x W x C.
        size: height and width of a window.
        run: maps N x height x width x C windows to the same shape; called a row at a time.

    Returns:
        H x W x C.
    """
    height, width = image.shape[:2]
    if (height, width) == size:
        return np.asarray(run(image[None])[0], np.float32)
    margins = [
        (0, max(0, side - length)) for side, length in zip(size, (height, width), strict=True)
    ]
    full = np.pad(image, [*margins, (0, 0)], mode="symmetric")
    total, share = np.zeros_like(full), np.zeros((*full.shape[:2], 1), np.float32)
    fade = np.outer(_fade(size[0]), _fade(size[1]))[..., None].astype(np.float32)
    lefts = _starts(full.shape[1], size[1])
    for top in _starts(full.shape[0], size[0]):
        row = full[top : top + size[0]]
        cleaned = run(np.stack([row[:, left : left + size[1]] for left in lefts]))
        for left, window in zip(lefts, cleaned, strict=True):
            place = slice(top, top + size[0]), slice(left, left + size[1])
            total[place] += window * fade
            share[place] += fade
    return np.asarray((total / share)[:height, :width], np.float32)


def _starts(length: int, side: int) -> list[int]:
    """Where windows begin: half a window apart, the last flush with the end."""
    step = max(1, side // 2)
    return [*range(0, length - side, step), length - side]


def _fade(side: int) -> NDArray[np.float64]:
    """A raised cosine over the window, nowhere zero."""
    return np.asarray(np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2)
