"""What stands out of its surroundings as ink does: how dark, and how deep beside its background.

The background is the closing of the softened page with a square (the black top-hat of Meyer, 1979).
"""

from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import full_range, luma

__all__ = [
    "CELL", "DARKEST", "FAINTEST", "HALO", "REACH", "SIDE", "SMALLEST", "STRIP",
    "background", "brighten", "byte_pixels", "darkest_plane", "despeckled", "grey_plane", "in_full",
    "measure_depth",
]  # fmt: skip

Pixels = NDArray[np.generic]
Plane = NDArray[np.uint8]
Grid = NDArray[np.float32]

CELL = 32  # pixels; side of the cells that are decided on
REACH = 25  # pixels; thicker strokes are background, four times thicker at a quarter of the size
DARKEST = 96  # of 255; grain on ground darker than this would look like ink
FAINTEST = 20  # of 255; depth from which anything counts
SMALLEST = 10  # pixels of area below which it is a speck
HALO = 64  # pixels around a strip that are looked at with it
STRIP = 2_000_000  # pixels looked at in one go
SIDE = 8  # pixels of height or width below which there is nothing to tell


def despeckled(grey: Plane) -> Plane:
    """Without dark specks of under 3 pixels in a row: closings along lines (Soille, 2003)."""
    lines = (np.eye(3), np.eye(3)[::-1], np.ones((1, 3)), np.ones((3, 1)))
    kernels = [np.ascontiguousarray(line, np.uint8) for line in lines]
    closed = (cv2.morphologyEx(grey, cv2.MORPH_CLOSE, kernel) for kernel in kernels)
    return np.asarray(reduce(cv2.min, closed), np.uint8)


def background(pixels: Plane, reach: int = REACH) -> tuple[Plane, Plane]:
    """The softened pixels, H x W or H x W x C, and their background: no stroke is so wide."""
    soft = np.asarray(cv2.GaussianBlur(pixels, (3, 3), 0), np.uint8)
    ground = cv2.morphologyEx(soft, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    return soft, np.asarray(ground, np.uint8)


def measure_depth(grey: Plane) -> tuple[Plane, Plane, Plane]:
    """The softened plane, its fall below its background, and that fall as a share of 255."""
    soft, ground = background(grey)
    fall = cv2.subtract(ground, soft)
    depth = cv2.divide(fall, cv2.max(ground, DARKEST), scale=255)
    return soft, np.asarray(fall, np.uint8), np.asarray(depth, np.uint8)


def brighten(before: Pixels, after: Pixels) -> Grid:
    """Pixels before cleaning on a background as bright as after it, each colour for itself.

    None becomes darker; depths of strokes as shares of their background stay what they are.
    """
    values = before.astype(np.float32)
    colours, *both = (p.reshape(*p.shape[:2], -1)[..., :3] for p in (values, before, after))
    old, new = (np.atleast_3d(background(np.ascontiguousarray(byte_pixels(p)))[1]) for p in both)
    factors = np.maximum(new / np.maximum(old, DARKEST).astype(np.float32), 1)
    white = np.float32(full_range(before))
    colours[...] = np.where(factors > 1, np.minimum(colours * factors, white), colours)
    return values


def darkest_plane(pixels: Pixels) -> Plane:
    """The darkest of the colours of pixels of any kind, 8 bits."""
    return grey_plane(np.asarray(reduce(cv2.min, cv2.split(np.atleast_3d(pixels)[..., :3]))))


def grey_plane(pixels: Pixels) -> Plane:
    """Pixels of any kind as one plane of 8 bits."""
    return np.asarray(luma(np.atleast_3d(byte_pixels(pixels))[..., :3]), np.uint8)


def byte_pixels(pixels: Pixels) -> Plane:
    """Samples of any kind in 8 bits, cut off rather than rounded; NaN is black."""
    if pixels.dtype == np.uint16:
        return np.asarray((pixels >> 8).astype(np.uint8))  # type: ignore[operator]  # whole numbers
    if pixels.dtype != np.uint8:
        return np.asarray((np.clip(np.nan_to_num(pixels), 0, 1) * 255).astype(np.uint8))
    return np.asarray(pixels, np.uint8)


def in_full(before: Pixels | None, page: Pixels, strength: float) -> Pixels:
    """What full strength would have given, in 8 bits, or the page itself if that made it."""
    if before is None or strength == 1:
        return page
    old, new = byte_pixels(before), byte_pixels(page)
    full = cv2.addWeighted(new, 1 / strength, old, 1 - 1 / strength, 0)
    return np.asarray(full.reshape(page.shape), np.uint8)
