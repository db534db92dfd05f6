"""How a JPEG was encoded, read from its header.

ITU-T T.81, annex B (markers) and annex K (the tables that a quality scales).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

__all__ = ["JpegFacts", "quality_of_tables", "scan"]


@dataclass(frozen=True)
class JpegFacts:
    """How a JPEG was encoded; `sampling` such as ``420``, None for grey or the unusual."""

    quality: int | None
    sampling: str | None
    progressive: bool


_LUMINANCE = """16 11 12 14 12 10 16 14 13 14 18 17 16 19 24 40 26 24 22 22 24 49 35 37 29 40 58 51
61 60 57 51 56 55 64 72 92 78 64 68 87 69 55 56 80 109 81 87 95 98 103 104 103 62 77 113 121 112
100 120 92 101 103 99"""
_CHROMINANCE = """17 18 18 24 21 24 47 26 26 47 99 66 56 66 99 99 99 99 99 99 99 99 99 99 99 99 99
99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99
99 99 99 99"""
_BASE = np.array([_LUMINANCE.split(), _CHROMINANCE.split()], dtype=int)  # 2 x 64, zigzag order
_KEPT = {*range(0xE0, 0xF0), 0xFE} - {0xEE}  # that one, Adobe's, is about the encoding
# What points to pictures that are lost (an index of several, a gain map of ISO 21496-1), and a
# thumbnail of other pixels (JFIF's extension).
_LOST = (b"MPF\0", b"urn:iso:std:iso:ts:21496:-1\0", b"JFXX\0")
_SAMPLINGS = {(1, 1): "444", (2, 1): "422", (2, 2): "420", (1, 2): "440", (4, 1): "411"}


def scan(file: BinaryIO) -> tuple[list[tuple[int, bytes]], JpegFacts]:
    """Segments of metadata (marker, data) and encoding of a JPEG, from its header.

    Raises:
        ValueError: The header is damaged.
    """
    tables: dict[int, np.ndarray] = {}
    components: list[tuple[int, int, int]] = []  # horizontal, vertical, table
    progressive = False
    kept: list[tuple[int, bytes]] = []
    for marker, data in _segments(file):
        if marker == 0xDB:
            tables |= _quantisation(data)
        elif marker in (0xC0, 0xC1, 0xC2):
            progressive = marker == 0xC2
            parts = [data[i : i + 3] for i in range(6, 6 + 3 * data[5], 3)]
            components = [(p[1] >> 4, p[1] & 15, p[2]) for p in parts]
        elif marker in _KEPT and not data.startswith(_LOST):
            kept.append((marker, data))
    return kept, JpegFacts(_quality(tables, components), _sampling(components), progressive)


def _segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    file.seek(2)
    while True:
        lead = file.read(2)
        while lead[1:] == b"\xff":  # fill bytes
            lead = lead[1:] + file.read(1)
        if len(lead) < 2 or lead[0] != 0xFF:
            raise ValueError("damaged JPEG header")
        if lead[1] in (0xDA, 0xD9):
            return
        if lead[1] == 0x01 or 0xD0 <= lead[1] <= 0xD7:
            continue
        size = int.from_bytes(file.read(2), "big") - 2
        data = file.read(max(size, 0))
        if size < 0 or len(data) != size:
            raise ValueError("JPEG header is cut off")
        yield lead[1], data


def quality_of_tables(stream: bytes) -> int | None:
    """Quality of the JPEGs that share tables, as those in a TIFF; None if they cannot be read."""
    tables: dict[int, np.ndarray] = {}
    try:
        for marker, data in _segments(io.BytesIO(stream)):
            if marker == 0xDB:
                tables |= _quantisation(data)
    except ValueError:
        return None
    return _quality(tables, [(1, 1, 0), (1, 1, 1)])


def _quantisation(data: bytes) -> dict[int, np.ndarray]:
    tables = {}
    while len(data) >= 65:
        wide = data[0] >> 4
        size = 129 if wide else 65
        tables[data[0] & 15] = np.frombuffer(data[1:size], ">u2" if wide else "u1").astype(int)
        data = data[size:]
    return {number: table for number, table in tables.items() if table.size == 64}


def _quality(tables: dict[int, np.ndarray], components: list[tuple[int, int, int]]) -> int | None:
    """The IJG quality (libjpeg's `jpeg_quality_scaling`) with the nearest tables."""
    found = [tables.get(c[2]) for c in components[:2]]
    if not found or found[0] is None:
        return None
    quality = np.arange(1, 101)[:, None]
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    distance = np.zeros(100)
    for base, table in zip(_BASE, found, strict=False):
        if table is not None:
            distance += np.abs(np.clip((base * scale + 50) // 100, 1, 255) - table).sum(axis=1)
    return int(np.argmin(distance)) + 1


def _sampling(components: list[tuple[int, int, int]]) -> str | None:
    if len(components) != 3 or components[1][:2] != components[2][:2]:
        return None
    (h, v, _), (ch, cv, _) = components[:2]
    return _SAMPLINGS.get((h // ch, v // cv)) if ch and cv else None
