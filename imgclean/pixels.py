"""Pixels of any type: what is white in them, as floats, as luma, halved; cells of pixels."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LUMA",
    "eight_bits",
    "full_range",
    "halved",
    "local_median",
    "luma",
    "means",
    "stretched",
    "unit",
    "write",
]

Pixels = NDArray[Any]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue (ITU-R BT.601)


def full_range(pixels: NDArray[np.generic]) -> float:
    """The value of white: 255, 65535 or 1."""
    kind = pixels.dtype
    return float(np.iinfo(kind.str).max) if np.issubdtype(kind, np.integer) else 1.0


def unit(pixels: Pixels) -> NDArray[np.float32]:
    """The same as float32 on [0, 1]; floats keep their values."""
    if pixels.dtype.kind == "f":
        return np.asarray(pixels, np.float32)
    return pixels.astype(np.float32) / np.float32(full_range(pixels))


def eight_bits(pixels: Pixels) -> NDArray[np.uint8]:
    """Samples of any kind rounded to 8 bits; those that have so many are not copied."""
    if pixels.dtype == np.uint8:
        return np.asarray(pixels, np.uint8)
    return np.asarray(np.rint(255 * np.clip(unit(pixels), 0, 1)), np.uint8)


def write(values: NDArray[np.floating], out: Pixels) -> None:
    """Put values into pixels whose scale they have; into whole numbers rounded and clipped."""
    whole = np.issubdtype(out.dtype, np.integer)
    out[...] = np.clip(np.rint(values), 0, full_range(out)) if whole else values


def luma(pixels: Pixels) -> Pixels:
    """The luma of H x W x C pixels, C in {1, 3}, as an H x W plane of their type."""
    if pixels.shape[2] == 1:
        return np.ascontiguousarray(pixels[..., 0])
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), pixels.dtype)


def halved(image: Pixels) -> Pixels:
    """Half the size, H x W or H x W x C of any type; a last odd row or column counts twice."""
    height, width = image.shape[:2]
    if height % 2 or width % 2:  # to halve an even number is forty times as fast
        down, across = height // 2, width // 2
        whole = np.empty((height - down, width - across, *image.shape[2:]), image.dtype)
        if down and across:
            whole[:down, :across] = halved(image[: 2 * down, : 2 * across])
        if height % 2:
            whole[down:] = halved(np.repeat(image[-1:], 2, axis=0))
        if width % 2 and down:
            whole[:down, across:] = halved(np.repeat(image[: 2 * down, -1:], 2, axis=1))
        return whole
    size = (width // 2, height // 2)
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), image.dtype)
    return small.reshape(*small.shape[:2], *image.shape[2:])


def local_median(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Median of every fourth pixel over about 68 pixels; of the depth that of grain and texture."""
    height, width = plane.shape
    small = np.ascontiguousarray(plane[::4, ::4])
    return np.asarray(cv2.resize(cv2.medianBlur(small, 17), (width, height)), np.uint8)


def stretched(cells: NDArray[np.float32], side: int, begin: int, end: int) -> NDArray[np.float32]:
    """Rows of cells, of so many pixels, as rows `begin` to `end`, linear between their centres."""
    place = np.clip((np.arange(begin, end) + 0.5) / side - 0.5, 0, len(cells) - 1)
    first = place.astype(np.intp)
    fade = (place - first).astype(np.float32)[:, None]
    following = cells[np.minimum(first + 1, len(cells) - 1)]
    return np.asarray(cells[first] * (1 - fade) + following * fade, np.float32)


def means(planes: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Means of squares of so many pixels, by channels; those at the far edges may be cut."""
    height, width = planes.shape[:2]
    size = (-(-width // side), -(-height // side))
    edges = (0, size[1] * side - height, 0, size[0] * side - width)
    whole = cv2.copyMakeBorder(planes, *edges, cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.float32)
