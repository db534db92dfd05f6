"""Picture files into the WebP pictures that a page holds as data URIs."""

import base64
import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Pixels", "open_picture", "thumbnail", "webp", "within"]

Pixels = NDArray[np.float32]  # H x W x 3 in [0, 1], RGB

_TINY = 32 * 32 * 3  # numbers in a picture that costs nothing without loss


def thumbnail(path: Path, side: int) -> str:
    """A small picture of a file as a data URI; empty where it is missing."""
    pixels = open_picture(path)
    return "" if pixels is None else webp(within(pixels, side), 60)


def open_picture(path: Path) -> Pixels | None:
    """H x W x 3 in [0, 1], RGB; None for a file that is missing or damaged."""
    if not path.is_file():
        return None
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    if pixels is None:
        return None
    full = np.float32(np.iinfo(pixels.dtype).max)
    return np.ascontiguousarray(pixels[..., ::-1]).astype(np.float32) / full


def within(pixels: Pixels, side: int) -> Pixels:
    """Scaled down until no side is longer."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)


def webp(pixels: Pixels, quality: int) -> str:
    """A picture as a data URI; a quality of 100 loses nothing."""
    eight = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    stream = io.BytesIO()
    if quality == 100 or eight.size <= _TINY:
        Image.fromarray(eight).save(stream, "WEBP", lossless=True, quality=60, method=2)
    else:
        Image.fromarray(eight).save(stream, "WEBP", quality=quality, method=3)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
