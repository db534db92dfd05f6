"""What the boxes of AVIF and HEIC files say and libvips does not tell (ISO/IEC 23008-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

__all__ = ["HeifFacts", "read_heif"]

_LARGEST = 1 << 24  # bytes of a `meta` box; more is damage
_FULL = (b"meta", b"iref")  # begin with version and flags
_PARENTS = (b"iprp", b"ipco", *_FULL)


@dataclass(frozen=True)
class HeifFacts:
    """How colours are meant where no ICC profile says it, and alpha.

    Attributes:
        primaries: Colour primaries by ITU-T H.273: 1 is sRGB, 9 BT.2020, 12 Display P3.
        transfer: Transfer characteristics by ITU-T H.273: 13 is sRGB, 16 PQ, 18 HLG.
        premultiplied: Whether colours are multiplied by their alpha.
    """

    primaries: int = 2
    transfer: int = 2
    premultiplied: bool = False


def read_heif(file: BinaryIO) -> HeifFacts:
    """Find the facts in a file's `meta` box; those of a file without one are unspecified."""
    file.seek(0)
    primaries, transfer, premultiplied = 2, 2, False
    for kind, data in _boxes(_meta(file)):
        premultiplied |= kind == b"prem"
        if kind == b"colr" and data[:4] == b"nclx" and len(data) >= 8 and primaries == 2:
            primaries, transfer = struct.unpack_from(">HH", data, 4)
    return HeifFacts(primaries, transfer, premultiplied)


def _meta(file: BinaryIO) -> bytes:
    while len(head := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        if size == 1:
            size = int.from_bytes(file.read(8), "big") - 8
        if size < 8:  # to the end of the file, or damage
            return b""
        if kind == b"meta":
            return file.read(min(size - 8, _LARGEST))[4:]
        file.seek(size - 8, 1)
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every box in `data`, and those in it."""
    place = 0
    while place + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        if size < 8:
            return
        inner = data[place + 8 : place + size]
        yield kind, inner
        if kind in _PARENTS:
            yield from _boxes(inner[4:] if kind in _FULL else inner)
        place += size
