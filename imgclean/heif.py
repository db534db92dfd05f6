"""What the boxes of AVIF and HEIC files say and libvips does not tell (ISO/IEC 23008-12)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from imgclean.boxes import boxes, file_boxes

__all__ = ["HeifFacts", "read_heif"]

_LARGEST = 1 << 24  # bytes of a `meta` box; more is damage
_PARENTS = {b"iprp": 0, b"ipco": 0, b"iref": 4}  # the last has version and flags first


@dataclass(frozen=True)
class HeifFacts:
    """How colours are meant where no ICC profile says it, and alpha.

    Attributes:
        primaries: Colour primaries by ITU-T H.273: 1 is sRGB, 9 BT.2020, 12 Display P3.
        transfer: Transfer characteristics by ITU-T H.273: 13 is sRGB, 16 PQ, 18 HLG.
        premultiplied: Whether colours are multiplied by their alpha.
        sequence: Whether it holds a film (a `moov` box), of which libvips reads one image.
    """

    primaries: int = 2
    transfer: int = 2
    premultiplied: bool = False
    sequence: bool = False


def read_heif(file: BinaryIO) -> HeifFacts:
    """Find the facts in a file's boxes; colours of a file without a `meta` box are unspecified."""
    primaries, transfer, premultiplied = 2, 2, False
    for kind, data in boxes(_meta(file), _PARENTS):
        premultiplied |= kind == b"prem"
        if kind == b"colr" and data[:4] == b"nclx" and len(data) >= 8 and primaries == 2:
            primaries, transfer = struct.unpack_from(">HH", data, 4)
    sequence = any(kind == b"moov" for kind, _ in file_boxes(file))
    return HeifFacts(primaries, transfer, premultiplied, sequence)


def _meta(file: BinaryIO) -> bytes:
    for kind, size in file_boxes(file):
        if kind == b"meta" and size:
            return file.read(min(size, _LARGEST))[4:]
    return b""
