"""Portable bitmaps, greymaps and pixmaps (netpbm's PBM, PGM and PPM), plain and raw.

Read here because no library at hand reads them all without reducing 16 bits to 8.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO, BinaryIO

import numpy as np

__all__ = ["Header", "Pnm", "holds_more", "open_pnm", "read_pnm", "write_pnm"]

_ROWS = 128  # written at a time: turning their bytes round takes a copy


@dataclass(frozen=True)
class Header:
    """Size and sample format of one page; `channels` does not count alpha."""

    width: int
    height: int
    depth: int
    channels: int
    alpha: bool = False


_GAP = rb"(?:\s|#[^\n]*\n)+"
_PNM = re.compile(
    rb"P(?:([14])" + _GAP + rb"(\d+)" + _GAP + rb"(\d+)"
    rb"|([2356])" + _GAP + rb"(\d+)" + _GAP + rb"(\d+)" + _GAP + rb"(\d+))\s"
)


@dataclass(frozen=True)
class Pnm:
    """Header of a portable bitmap, greymap or pixmap: kind 1 to 6, largest value, data's place."""

    header: Header
    kind: int
    top: int
    offset: int


def open_pnm(file: BinaryIO) -> Pnm:
    """Header of a PNM file.

    Raises:
        ValueError: The header is damaged.
    """
    file.seek(0)
    match = _PNM.match(file.read(4096))
    if not match:
        raise ValueError("damaged PNM header")
    numbers = [int(n) for n in match.groups() if n is not None]
    kind, width, height, top = [*numbers, 1][:4]
    if not 0 < top < 65536 or not width or not height:
        raise ValueError("damaged PNM header")
    depth = 1 if kind in (1, 4) else 8 if top < 256 else 16
    return Pnm(Header(width, height, depth, 3 if kind in (3, 6) else 1), kind, top, match.end())


def holds_more(file: BinaryIO, pnm: Pnm) -> bool:
    """Whether another image follows a raw one, as netpbm's files may have it."""
    head = pnm.header
    row = (head.width + 7) // 8 if head.depth == 1 else head.width * head.channels * head.depth // 8
    file.seek(pnm.offset + row * head.height)
    return pnm.kind > 3 and bool(re.match(rb"\s*P[1-6][\s#]", file.read(64)))


def read_pnm(file: BinaryIO, pnm: Pnm) -> np.ndarray:
    """Decode a PNM file; values are scaled to the full range of 8 or 16 bits.

    Raises:
        ValueError: Data are missing or too large.
    """
    head = pnm.header
    shape = (head.height, head.width, head.channels)
    file.seek(pnm.offset)
    if head.depth == 1:
        bits = _bits(file.read(), pnm)
        return ((1 - bits) * np.uint8(255)).reshape(shape)
    count = int(np.prod(shape))
    kind = np.dtype(np.uint8 if pnm.top < 256 else np.uint16)
    if pnm.kind <= 3:
        text = re.sub(rb"#[^\n]*", b"", file.read())
        pixels = np.array(text.split(maxsplit=count)[:count], dtype=np.int64)
        if pixels.size and (pixels.min() < 0 or pixels.max() > pnm.top):
            raise ValueError("values out of range")
        pixels = pixels.astype(kind)
    else:
        pixels = np.fromfile(file, kind, count)
        if kind.itemsize == 2:
            pixels.byteswap(inplace=True)
    if pixels.size < count:
        raise ValueError("the file is cut off")
    full = 255 if kind.itemsize == 1 else 65535
    if pnm.top != full:
        if pixels.max() > pnm.top:
            raise ValueError("values out of range")
        pixels = np.rint(pixels * (full / pnm.top)).astype(kind)
    return pixels.reshape(shape)


def _bits(data: bytes, pnm: Pnm) -> np.ndarray:
    width, height = pnm.header.width, pnm.header.height
    if pnm.kind == 1:
        digits = re.sub(rb"#[^\n]*|\s", b"", data)
        bits = np.frombuffer(digits, np.uint8)[: width * height] - 48
        if bits.size < width * height or bits.max() > 1:
            raise ValueError("the file is cut off")
        return bits
    row = (width + 7) // 8
    if len(data) < row * height:
        raise ValueError("the file is cut off")
    rows = np.frombuffer(data, np.uint8, row * height).reshape(height, row)
    return np.unpackbits(rows, axis=1, count=width)


def write_pnm(file: IO[bytes], pixels: np.ndarray, *, bilevel: bool) -> None:
    """Write a PBM, PGM or PPM, whichever holds the pixels."""
    height, width, bands = pixels.shape
    if bilevel:
        file.write(b"P4\n%d %d\n" % (width, height))
        file.write(np.packbits(pixels[..., 0] < 128, axis=1).tobytes())
        return
    top = np.iinfo(pixels.dtype).max
    file.write(b"P%d\n%d %d\n%d\n" % (6 if bands == 3 else 5, width, height, top))
    for first in range(0, height, _ROWS):
        rows = pixels[first : first + _ROWS]
        file.write(rows.astype(rows.dtype.newbyteorder(">")).tobytes())
