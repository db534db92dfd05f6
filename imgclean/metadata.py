"""What image files carry beside their pixels: profile, EXIF, XMP, IPTC, resolution.

Where a file keeps its format its own blocks are copied byte for byte: encoders rewrite EXIF and
lose what they do not understand (libvips 8.18 drops a MakerNote), and invent a resolution where
there was none. Between formats the blocks are wrapped anew. What would be wrong beside new pixels
goes: EXIF's thumbnail of the old ones, and the announcement of parts that are lost (`xmp.py`).
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

import numpy as np

from imgclean import jpeg, tiff
from imgclean.jpeg import JpegFacts
from imgclean.xmp import without_promises

__all__ = ["Metadata", "PngFacts", "WebpFacts", "read_jpeg", "read_png", "read_webp"]

_IPTC_MARK = b"\x1c"  # begins every record
_EXIF, _ICC, _IPTC = b"Exif\0\0", b"ICC_PROFILE\0", b"Photoshop 3.0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_KEY = b"XML:com.adobe.xmp"
_MAX_PROFILE = 1 << 24
_SEGMENT = 65533  # bytes that one of a JPEG holds
_MAX_DPI = 65535  # the most that a JPEG can say


@dataclass(frozen=True)
class Metadata:
    """Metadata of one page, independent of the format.

    Attributes:
        icc: Colour profile.
        exif: EXIF as a TIFF structure, without the ``Exif`` prefix.
        xmp: XMP packet.
        iptc: IPTC-IIM records.
        dpi: Horizontal and vertical resolution in dots per inch.
        container: Format that `blocks` or `tags` were copied from.
        blocks: JPEG segments or PNG chunks, whole.
        tags: Descriptive tags of a TIFF page.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
    container: str = ""
    blocks: tuple[bytes, ...] = ()
    tags: tiff.Directory = field(default_factory=dict)

    @property
    def orientation(self) -> int:
        """EXIF orientation, 1 (upright) to 8."""
        return tiff.orientation(self.exif)

    def without_icc(self) -> Metadata:
        """For pixels that were converted to sRGB."""
        blocks = tuple(b for b in self.blocks if _ICC not in b[:20] and b[4:8] != b"iCCP")
        tags = {number: tag for number, tag in self.tags.items() if number not in tiff.COLOURS}
        exif = tiff.exif_block(tags) if self.container == "tiff" else self.exif
        return replace(self, icc=None, exif=exif, blocks=blocks, tags=tags)

    def upright(self) -> Metadata:
        """For pixels that were rotated as the orientation asks."""
        exif, dpi = self.exif, self.dpi
        if exif and self.orientation != 1:  # elsewhere the block may be damaged
            exif = tiff.upright(exif)
        if dpi and self.orientation > 4:  # by a quarter turn
            dpi = dpi[::-1]
        return replace(self, exif=exif, dpi=dpi, container="", blocks=(), tags={})

    def jpeg_segments(self) -> bytes:
        """Segments to stand behind a JPEG's first marker."""
        if self.container == "jpeg":
            return b"".join(self.blocks)
        dpi = [round(d) for d in self.dpi or (0, 0)]
        jfif = (b"\1\1\1" if self.dpi else b"\1\1\0") + struct.pack(">HH", *(d or 1 for d in dpi))
        segments = [(0xE0, b"JFIF\0" + jfif + b"\0\0")]
        exif = self.exif
        if exif and len(exif) > _SEGMENT - len(_EXIF) and self.container == "tiff":
            # Windows' comments may be as long as they like.
            exif = tiff.exif_block({n: t for n, t in self.tags.items() if n not in tiff.WINDOWS})
        if exif:
            segments.append((0xE1, _EXIF + exif))
        if self.xmp:
            segments.append((0xE1, _XMP + self.xmp))
        size = 65000
        parts = [self.icc[i : i + size] for i in range(0, len(self.icc), size)] if self.icc else []
        for number, part in enumerate(parts, 1):
            segments.append((0xE2, _ICC + bytes((number, len(parts))) + part))
        if self.iptc:
            head = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(self.iptc))
            segments.append((0xED, _IPTC + head + self.iptc + b"\0" * (len(self.iptc) % 2)))
        # A segment holds 64 KB: a larger block cannot stand in a JPEG and is left out.
        return b"".join(
            struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data
            for marker, data in segments
            if len(data) <= _SEGMENT
        )

    def png_chunks(self) -> bytes:
        """Chunks to stand behind a PNG's header."""
        if self.container == "png":
            return b"".join(self.blocks)
        chunks = []
        if self.icc:
            chunks.append((b"iCCP", b"icc\0\0" + zlib.compress(self.icc)))
        if self.dpi:
            x, y = (round(d / 0.0254) for d in self.dpi)
            chunks.append((b"pHYs", struct.pack(">IIB", x, y, 1)))
        if self.exif:
            chunks.append((b"eXIf", self.exif))
        if self.xmp:
            chunks.append((b"iTXt", _XMP_KEY + b"\0\0\0\0\0" + self.xmp))
        return b"".join(_chunk(name, data) for name, data in chunks)

    def tiff_tags(self) -> tiff.Directory:
        """Descriptive tags of a TIFF page."""
        if self.container == "tiff":
            return tiff.sound(self.tags)
        tags = (tiff.parse_block(self.exif) if self.exif else {}) | self._resolution()
        if self.icc:
            tags[tiff.ICC] = tiff.raw(self.icc)
        if self.xmp:
            tags[tiff.XMP] = tiff.raw(self.xmp, 1)
        if self.iptc:
            tags[tiff.IPTC] = tiff.raw(self.iptc)
        return tiff.sound(tags)

    def _resolution(self) -> tiff.Directory:
        if not self.dpi:
            return {}
        x, y = map(tiff.rational, self.dpi)
        return {tiff.X_RESOLUTION: x, tiff.Y_RESOLUTION: y, tiff.RESOLUTION_UNIT: tiff.short(2)}

    def webp(self, encoded: bytes, width: int, height: int, *, alpha: bool) -> bytes:
        """The WebP file `encoded`, which has no metadata yet, with this metadata."""
        pixels = [c for c in _riff(encoded) if c[0] in (b"ALPH", b"VP8 ", b"VP8L")]
        exif, resolution = self.exif, self._resolution()
        if resolution and not _tag_dpi(tiff.parse_block(exif or b"")):  # the only place for it
            exif = tiff.with_tags(exif, resolution) if exif else tiff.exif_block(resolution)
        flags = (0x20 if self.icc else 0) | (0x08 if exif else 0) | (0x04 if self.xmp else 0)
        if not flags:
            return encoded
        sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        head = bytes((flags | (0x10 if alpha else 0), 0, 0, 0)) + sizes
        chunks = [(b"VP8X", head), (b"ICCP", self.icc), *pixels]
        chunks += [(b"EXIF", exif), (b"XMP ", self.xmp)]
        body = b"".join(
            name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
            for name, data in chunks
            if data
        )
        return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def from_blocks(
    *,
    icc: bytes | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> Metadata:
    """Metadata of a file whose blocks are not copied; the resolution may stand in EXIF alone."""
    exif = tiff.without_thumbnail(exif.removeprefix(_EXIF)) if exif else None
    xmp = without_promises(xmp) if xmp else None
    return Metadata(icc=icc, exif=exif, xmp=xmp, dpi=dpi or _tag_dpi(tiff.parse_block(exif or b"")))


def from_tiff(page: tiff.Directory) -> Metadata:
    """Metadata of a TIFF page."""
    tags = {number: tag for number, tag in page.items() if tiff.describes(number, tag)}

    def data(number: int) -> bytes | None:
        tag = tags.get(number)
        return tag.data if isinstance(tag, tiff.Tag) else None

    iptc = tags.get(tiff.IPTC)
    if isinstance(iptc, tiff.Tag) and iptc.kind == 4:  # bytes that were declared as longs
        turned = np.frombuffer(iptc.data, "<u4").byteswap().tobytes()
        if iptc.data[:1] != _IPTC_MARK and turned[:1] == _IPTC_MARK:
            tags[tiff.IPTC] = tiff.Tag(iptc.kind, iptc.count, turned)
    packet = tags.get(tiff.XMP)
    if isinstance(packet, tiff.Tag) and packet.kind in (1, 7):
        tags[tiff.XMP] = tiff.raw(without_promises(packet.data), packet.kind)
    extra = page.get(tiff.EXTRA_SAMPLES)
    if isinstance(extra, tiff.Tag) and extra.kind == 3:  # whether the alpha is one
        kinds = [tiff.PLAIN if n == tiff.PREMULTIPLIED else n for n in extra.numbers()]
        tags[tiff.EXTRA_SAMPLES] = tiff.shorts(kinds)  # libvips undoes the multiplication
    return Metadata(
        icc=data(tiff.ICC),
        exif=tiff.exif_block(tags),
        xmp=data(tiff.XMP),
        iptc=data(tiff.IPTC),
        dpi=_tag_dpi(tags),
        container="tiff",
        tags=tags,
    )


def plausible_dpi(x: float, y: float) -> tuple[float, float] | None:
    """Undo the rounding of formats that count dots per metre: 299.9994 is 300.

    None for what some format could not hold: a resolution tells nothing there.
    """
    if not (0 < x <= _MAX_DPI and 0 < y <= _MAX_DPI):
        return None
    near = [round(d) if abs(d - round(d)) < 0.013 else d for d in (x, y)]
    return float(near[0]), float(near[1])


def _tag_dpi(tags: tiff.Directory) -> tuple[float, float] | None:
    x, y = tags.get(tiff.X_RESOLUTION), tags.get(tiff.Y_RESOLUTION)
    unit = tags.get(tiff.RESOLUTION_UNIT, tiff.short(2))
    if not isinstance(x, tiff.Tag) or not isinstance(y, tiff.Tag) or len(x.data + y.data) != 16:
        return None
    number = unit.numbers()[0] if isinstance(unit, tiff.Tag) else 1
    scale = {2: 1.0, 3: 2.54}.get(number, 0.0)
    return plausible_dpi(x.ratio() * scale, y.ratio() * scale)


def read_jpeg(file: BinaryIO) -> tuple[Metadata, JpegFacts]:
    """Metadata and encoding of a JPEG.

    Raises:
        ValueError: The header is damaged.
    """
    kept, facts = jpeg.scan(file)
    return _jpeg_metadata([(marker, _current(marker, data)) for marker, data in kept]), facts


def _current(marker: int, data: bytes) -> bytes:
    """A JPEG's segment less what would be wrong beside new pixels."""
    if marker == 0xE1 and data.startswith(_EXIF):
        return _EXIF + tiff.without_thumbnail(data[len(_EXIF) :])
    if marker == 0xE1 and data.startswith(_XMP):
        return _XMP + without_promises(data[len(_XMP) :])
    return data


def _jpeg_metadata(kept: list[tuple[int, bytes]]) -> Metadata:
    def first(marker: int, prefix: bytes) -> bytes | None:
        found = (d for m, d in kept if m == marker and d.startswith(prefix))
        return next((d[len(prefix) :] for d in found), None)

    jfif, dpi = first(0xE0, b"JFIF\0"), None
    if jfif and len(jfif) >= 7 and jfif[2] in (1, 2):
        x, y = (n * (1.0 if jfif[2] == 1 else 2.54) for n in struct.unpack(">HH", jfif[3:7]))
        dpi = plausible_dpi(x, y)
    profile = sorted(d[12:] for m, d in kept if m == 0xE2 and d.startswith(_ICC))
    icc = b"".join(part[2:] for part in profile) or None
    meta = from_blocks(icc=icc, exif=first(0xE1, _EXIF), xmp=first(0xE1, _XMP), dpi=dpi)
    blocks = (struct.pack(">BBH", 0xFF, m, len(d) + 2) + d for m, d in kept)
    iptc = _iptc(first(0xED, _IPTC) or b"")
    return replace(meta, iptc=iptc, container="jpeg", blocks=tuple(blocks))


def _iptc(resources: bytes) -> bytes | None:
    """The IPTC records among Photoshop's image resources."""
    while resources[:4] == b"8BIM" and len(resources) >= 12:
        name = (resources[6] + 2) // 2 * 2  # a Pascal string, padded to even length
        size = int.from_bytes(resources[6 + name : 10 + name], "big")
        data = resources[10 + name : 10 + name + size]
        if resources[4:6] == b"\x04\x04":
            return data
        resources = resources[10 + name + (size + 1) // 2 * 2 :]
    return None


# PNG: W3C Portable Network Graphics, third edition.


@dataclass(frozen=True)
class PngFacts:
    """Bits per sample in the file, whether it has a palette, and an animation's frames."""

    depth: int
    palette: bool
    frames: int


_COPIED = {b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"pHYs", b"eXIf", b"tEXt", b"zTXt"}
_COPIED |= {b"iTXt", b"tIME", b"oFFs", b"sCAL", b"pCAL"}


def read_png(file: BinaryIO) -> tuple[Metadata, PngFacts]:
    """Chunks beside the pixels, from the whole file: text may stand behind the pixels.

    Raises:
        ValueError: The header is damaged.
    """
    file.seek(8)
    chunks: dict[bytes, bytes] = {}
    blocks = []
    while len(head := file.read(8)) == 8 and head[4:] != b"IEND":
        size, name = int.from_bytes(head[:4], "big"), head[4:]
        if name not in _COPIED | {b"IHDR", b"acTL"} or size > _MAX_PROFILE * 4:
            file.seek(size + 4, 1)
            continue
        data, crc = file.read(size), file.read(4)
        if len(crc) < 4 or zlib.crc32(name + data) != int.from_bytes(crc, "big"):
            continue
        data = _current_chunk(name, data)
        key = _XMP_KEY if name == b"iTXt" and data.startswith(_XMP_KEY) else name
        chunks.setdefault(key, data)
        if name in _COPIED:
            blocks.append(_chunk(name, data))
    header = chunks.get(b"IHDR", b"")
    if len(header) != 13:
        raise ValueError("damaged PNG header")
    frames = int.from_bytes(chunks.get(b"acTL", b"\0\0\0\1")[:4], "big")
    facts = PngFacts(header[8], header[9] == 3, frames)
    return _png_metadata(chunks, tuple(blocks)), facts


def _current_chunk(name: bytes, data: bytes) -> bytes:
    """A PNG chunk's data less what would be wrong beside new pixels."""
    if name == b"eXIf":
        return tiff.without_thumbnail(data)
    begin, packet = _packet(data) if name == b"iTXt" else (b"", None)
    if packet is None or (kept := without_promises(packet)) == packet:
        return data
    return begin + (zlib.compress(kept) if begin[len(_XMP_KEY) + 1] else kept)


def _packet(text: bytes) -> tuple[bytes, bytes | None]:
    """What comes before the XMP packet in an international text, and the packet; None for none."""
    parts = text[len(_XMP_KEY) + 3 :].split(b"\0", 2)  # a language, the key in it, the text
    if not text.startswith(_XMP_KEY + b"\0") or len(parts) < 3:
        return text, None
    begin, body = text[: len(text) - len(parts[2])], parts[2]
    if not begin[len(_XMP_KEY) + 1]:
        return begin, body
    try:
        return begin, zlib.decompressobj().decompress(body, _MAX_PROFILE)
    except zlib.error:
        return begin, None


def _png_metadata(chunks: dict[bytes, bytes], blocks: tuple[bytes, ...]) -> Metadata:
    icc = dpi = None
    with contextlib.suppress(zlib.error):  # a damaged profile is no reason to lose the picture
        if packed := chunks.get(b"iCCP", b"").partition(b"\0")[2][1:]:
            icc = zlib.decompressobj().decompress(packed, _MAX_PROFILE)
    xmp = _packet(chunks.get(_XMP_KEY, b""))[1]
    physical = chunks.get(b"pHYs", b"")
    if len(physical) == 9 and physical[8] == 1:
        x, y = struct.unpack(">II", physical[:8])
        dpi = plausible_dpi(x * 0.0254, y * 0.0254)
    meta = from_blocks(icc=icc, exif=chunks.get(b"eXIf"), xmp=xmp, dpi=dpi)
    return replace(meta, container="png", blocks=blocks)


def _chunk(name: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)


def insert(container: str, encoded: bytes, blocks: bytes) -> bytes | None:
    """The beginning of a JPEG or PNG with `blocks` put in; None while it is too short to tell.

    A PNG's own chunks before its pixels go, but for the header: libvips adds a resolution.
    """
    if container == "jpeg":
        if len(encoded) < 6:
            return None
        own = encoded[2:4] == b"\xff\xe0"  # OpenCV's JFIF segment; libvips writes none
        rest = 4 + int.from_bytes(encoded[4:6], "big") if own else 2
        return encoded[:2] + blocks + encoded[rest:]
    position = 33
    while len(encoded) >= position + 8:
        if encoded[position + 4 : position + 8] in (b"IDAT", b"PLTE"):
            return encoded[:33] + blocks + encoded[position:]
        position += int.from_bytes(encoded[position : position + 4], "big") + 12
    return None


# WebP: RFC 9649.


@dataclass(frozen=True)
class WebpFacts:
    """Whether a WebP is lossless, and how many frames it has."""

    lossless: bool
    frames: int


def read_webp(file: BinaryIO) -> tuple[Metadata, WebpFacts]:
    """Metadata and kind of a WebP."""
    file.seek(0)
    chunks: dict[bytes, bytes] = {}
    frames = 0
    for name, data in _riff_file(file):
        frames += name == b"ANMF"
        chunks.setdefault(name, data)
    get = chunks.get
    meta = from_blocks(icc=get(b"ICCP"), exif=get(b"EXIF"), xmp=get(b"XMP "))
    return meta, WebpFacts(b"VP8L" in chunks, max(frames, 1))


def _riff_file(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    file.seek(12)
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name in (b"ICCP", b"EXIF", b"XMP "):
            yield name, file.read(size)
        else:
            yield name, b""
            file.seek(size, 1)
        file.seek(size % 2, 1)


def _riff(encoded: bytes) -> list[tuple[bytes, bytes]]:
    chunks, position = [], 12
    while position + 8 <= len(encoded):
        name, size = struct.unpack_from("<4sI", encoded, position)
        chunks.append((name, encoded[position + 8 : position + 8 + size]))
        position += 8 + size + size % 2
    return chunks
