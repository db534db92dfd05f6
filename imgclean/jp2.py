"""JPEG 2000 (ISO/IEC 15444-1): what its boxes say, and its pixels by Pillow or OpenCV."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from PIL import Jpeg2KImagePlugin

from imgclean import metadata
from imgclean.boxes import boxes, file_boxes
from imgclean.metadata import Metadata
from imgclean.pnm import Header

__all__ = ["Jp2", "open_jp2", "read_jp2"]

_LARGEST = 1 << 24  # bytes of a header box; more is damage
_PARENTS = {b"res ": 0}
_FIRST = b"\xff\x4f\xff\x51"  # the markers SOC and SIZ
_CMYK = b"\0\0\0\x0c"  # by number, after the method and two bytes about it
_MODES = {"L": "L", "LA": "LA", "I;16": "I;16", "RGBA": "RGBA"}  # all others become RGB


@dataclass(frozen=True)
class Jp2:
    """Header and metadata of a file, and how many components its codestream has."""

    header: Header
    metadata: Metadata
    components: int


def open_jp2(file: BinaryIO) -> Jp2:
    """Read a file's header, its ICC profile and its resolution.

    Raises:
        ValueError: Damaged, CMYK, a palette, channels in an odd order, or samples that are neither
            8 nor 16 unsigned bits.
    """
    file.seek(0)
    stream, inner = file.read(4096), b""
    if not stream.startswith(_FIRST):
        stream = b""
        for kind, size in file_boxes(file):
            if kind == b"jp2h":
                inner = file.read(min(size or 0, _LARGEST))
            if kind == b"jp2c":
                stream = file.read(4096)
                break
    meta = Metadata()
    for kind, data in boxes(inner, _PARENTS):
        if kind == b"pclr":
            raise ValueError("a palette")
        if kind == b"cdef" and not _in_order(data):
            raise ValueError("channels in an odd order")
        if kind == b"colr" and ((data[:1], data[3:7]) == (b"\1", _CMYK) or data[19:23] == b"CMYK"):
            raise ValueError("CMYK colours")
        if kind == b"colr" and data[:1] == b"\x02" and meta.icc is None:
            meta = replace(meta, icc=data[3:])
        if kind in (b"resc", b"resd") and len(data) >= 10 and (kind == b"resc" or not meta.dpi):
            meta = replace(meta, dpi=_dpi(data))
    return Jp2(*_header(stream, meta))


def _in_order(definition: bytes) -> bool:
    """Whether channels are defined as they come: colours, and alpha that is not multiplied in."""
    count = int.from_bytes(definition[:2], "big")
    entries = struct.iter_unpack(">3H", definition[2 : 2 + 6 * count])
    return all(kind == 1 or (kind == 0 and place == n + 1) for n, kind, place in entries)


def _header(stream: bytes, meta: Metadata) -> tuple[Header, Metadata, int]:
    if not stream.startswith(_FIRST) or len(stream) < 45:
        raise ValueError("damaged JPEG 2000 header")
    right, bottom, left, top = struct.unpack_from(">4I", stream, 8)
    count = int.from_bytes(stream[40:42], "big")
    if len(stream) < 42 + 3 * count:
        raise ValueError("damaged JPEG 2000 header")
    depths = {stream[42 + 3 * i] + 1 for i in range(count)}
    if depths not in ({8}, {16}) or count > 4 or (count == 2 and depths == {16}):
        raise ValueError(f"{count} channels of {'/'.join(map(str, sorted(depths)))} bits")
    if depths == {16} and count > 2 and (left or top):
        raise ValueError("colours of 16 bits that begin inside their canvas")
    colours = 1 if count < 3 else 3
    header = Header(right - left, bottom - top, depths.pop(), colours, count > colours)
    return header, meta, count


def _dpi(data: bytes) -> tuple[float, float] | None:
    """Dots per inch of a resolution box, which counts them per metre."""
    up, under, across, below, high, wide = struct.unpack_from(">4H2b", data)
    if not under or not below:
        return None
    y, x = up / under * 10.0**high, across / below * 10.0**wide
    return metadata.plausible_dpi(x * 0.0254, y * 0.0254)


def read_jp2(file: BinaryIO, known: Jp2) -> tuple[np.ndarray, np.ndarray | None]:
    """Decode a file: by Pillow, but colours of 16 bits, which it would round, by OpenCV.

    Raises:
        ValueError: The data are damaged.
    """
    file.seek(0)
    if known.header.depth == 16 and known.components > 2:
        return _by_opencv(file)
    try:
        picture = Jpeg2KImagePlugin.Jpeg2KImageFile(file)
    except (SyntaxError, OSError):  # a header box that it stumbles over
        file.seek(0)
        return _by_opencv(file)
    if picture.size != (known.header.width, known.header.height):  # before it takes memory for them
        raise ValueError("its header and its data differ in size")
    picture.load()
    mode = _MODES.get(picture.mode, "RGB")
    pixels = np.array(picture if picture.mode == mode else picture.convert(mode))
    if mode in ("LA", "RGBA"):
        return np.ascontiguousarray(pixels[..., :-1]), pixels[..., -1].copy()
    return pixels.reshape(*pixels.shape[:2], -1), None


def _by_opencv(file: BinaryIO) -> tuple[np.ndarray, np.ndarray | None]:
    import cv2

    # OpenCV would print what an exception says better.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    image = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError("damaged data")
    image = image.reshape(*image.shape[:2], -1)
    alpha = image[..., -1].copy() if image.shape[2] in (2, 4) else None
    return np.ascontiguousarray(image[..., 2::-1] if image.shape[2] > 2 else image[..., :1]), alpha
