"""The boxes that HEIF (ISO/IEC 14496-12) and JPEG 2000 (ISO/IEC 15444-1) files consist of."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import BinaryIO

__all__ = ["boxes", "file_boxes"]


def file_boxes(file: BinaryIO) -> Iterator[tuple[bytes, int | None]]:
    """Kind and size of every box in a file, which stands at the box's content then.

    The size is None for a box that goes on to the end of the file, which is the last.
    """
    place = 0
    while True:
        file.seek(place)
        if len(head := file.read(8)) < 8:
            return
        size, kind = struct.unpack(">I4s", head)
        begun = 8
        if size == 1:
            size, begun = int.from_bytes(file.read(8), "big"), 16
        if size == 0:
            yield kind, None
        if size < begun:  # the last, or damage
            return
        yield kind, size - begun
        place += size


def boxes(
    data: bytes, parents: Mapping[bytes, int], depth: int = 4
) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of every box in `data`, and of those in `parents` after so many bytes.

    No deeper than `depth`, which no sound file exceeds: every level copies what is in it.
    """
    place = 0
    while place + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        if size < 8:
            return
        inner = data[place + 8 : place + size]
        yield kind, inner
        if kind in parents and depth:
            yield from boxes(inner[parents[kind] :], parents, depth - 1)
        place += size
