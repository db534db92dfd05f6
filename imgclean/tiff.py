"""TIFF directories: read their tags, pack them again, and join pages into one file.

EXIF is a TIFF structure too, so the same code turns a TIFF's tags into an EXIF block and back.
Layout: TIFF revision 6.0 (Adobe, 1992); BigTIFF (libtiff, 2007).
"""

from __future__ import annotations

import io
import shutil
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

__all__ = [
    "Directory",
    "Joiner",
    "Patches",
    "Tag",
    "View",
    "describes",
    "exif_block",
    "orientation",
    "parse_block",
    "read_pages",
    "sound",
    "upright",
    "with_short",
    "with_tags",
    "without_thumbnail",
]

ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 274, 282, 283, 296
_ACROSS = {256: 257, X_RESOLUTION: Y_RESOLUTION, 40962: 40963}  # of width, that of height
XMP, IPTC, ICC, EXTRA_SAMPLES = 700, 33723, 34675, 338
COLOURS = {ICC, 318, 319}  # and white point and primaries, without a profile
JPEG_TABLES, SUBSAMPLING = 347, 530
PREMULTIPLIED, PLAIN = 1, 2  # kinds of alpha, in EXTRA_SAMPLES
_EXIF, _GPS = 34665, 34853
_SUBDIRECTORIES = {_EXIF, _GPS, 40965}  # the last: interoperability
_EXIF_OWN = {_EXIF, _GPS}
_THUMBNAIL = {513, 514}  # where its JPEG begins, and its bytes
WINDOWS = {18246, 18249, 40091, 40092, 40093, 40094, 40095}  # rating, title, comment, author, ...
_EXIF_MAIN = {270, 271, 272, ORIENTATION, 282, 283, 296, 305, 306, 315, 318, 319, 33432}
_EXIF_MAIN |= _EXIF_OWN | WINDOWS
_MAP = {33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113}  # GeoTIFF's and GDAL's
# Annotations drawn over a page (Imaging for Windows), what a fax machine noted, ImageJ's notes.
_NOTES = {32932, 34908, 34909, 34910, 34911, 50838, 50839}
# What describes a page without describing how its pixels are stored.
DESCRIPTIVE = (
    _EXIF_MAIN
    | _MAP
    | _NOTES
    | {254, 269, 285, 286, 287, 297, 316, 337, XMP, IPTC, 34377}
    | COLOURS
)
_PRIVATE, _TEXT = 32768, 2  # tags from here on may mean anything; text is never a place in the file
_STRUCTURE = {256, 257, 258, 259, 262, 277, EXTRA_SAMPLES, 339, JPEG_TABLES, SUBSAMPLING}
_OFFSETS, _COUNTS = 273, 279

# Bytes of one element, and of the words that byte order applies to, per field type.
_SIZES = dict(enumerate((1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4), start=1)) | {16: 8, 17: 8, 18: 8}
_WORDS = _SIZES | {5: 4, 10: 4}
_UTF16 = b"UNICODE\0"  # before such a text, as a user's comment
_DAMAGE = (ValueError, struct.error, OverflowError, IndexError)
_MAX_ENTRIES, _MAX_BYTES, _MAX_DEPTH = 4096, 1 << 28, 3


@dataclass(frozen=True)
class Tag:
    """The value of one tag, as little-endian bytes."""

    kind: int
    count: int
    data: bytes

    def numbers(self) -> list[int]:
        """The value as whole numbers (bytes, shorts, longs)."""
        size = _WORDS[self.kind]
        return [int(n) for n in np.frombuffer(self.data, f"<u{size}")]

    def ratio(self) -> float:
        """The value of a rational, 0.0 where it has none."""
        top, bottom = struct.unpack_from("<II", self.data)
        return top / bottom if bottom else 0.0


Directory = dict[int, "Tag | Directory"]
Patches = tuple[tuple[int, bytes], ...]  # places in a file, and what shall stand there


def describes(number: int, tag: Tag | Directory) -> bool:
    """Whether a tag says something of a page other than how its pixels are stored."""
    return number in DESCRIPTIVE or isinstance(tag, Tag) and _is_private_text(number, tag.kind)


def _is_private_text(number: int, kind: int) -> bool:
    return number >= _PRIVATE and kind == _TEXT


class _Structure:
    """A TIFF file or EXIF block opened for reading."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = file.seek(0, io.SEEK_END)
        self._left = max(4 * self.size, _MAX_BYTES)  # that values may take; they should not overlap
        self._values: dict[tuple[int, int, int], Tag] = {}  # large ones; pages may share them
        file.seek(0)
        start = file.read(8)
        self.order = {b"II": "<", b"MM": ">"}.get(start[:2], "")
        if not self.order or len(start) < 8:
            raise ValueError("no TIFF header")
        self.big = self.unpack("H", start[2:4]) == 43
        self.first = self.unpack("Q", file.read(8)) if self.big else self.unpack("I", start[4:])

    def unpack(self, code: str, data: bytes) -> int:
        value: int = struct.unpack(self.order + code, data)[0]
        return value

    def directory(
        self, offset: int, wanted: set[int] | None, above: tuple[int, ...] = ()
    ) -> Directory:
        """Tags of the directory at `offset`; damaged or unwanted ones are left out.

        It lies in those at the offsets `above`, and a directory of each kind is read but once, so
        that a file whose directories hold each other does not take forever.
        """
        directory: Directory = {}
        width = 20 if self.big else 12
        for entry in self._entries(offset, width):
            number, kind = struct.unpack_from(self.order + "HH", entry)
            told = wanted is None or number in wanted or _is_private_text(number, kind)
            if not told or kind not in _SIZES:
                continue
            tag = self._tag(kind, entry)
            if tag is None:
                continue
            if number not in _SUBDIRECTORIES:
                directory[number] = tag
            elif number not in directory and len(above) < _MAX_DEPTH:
                inner = tag.numbers()[0]
                if inner not in (*above, offset):
                    directory[number] = self.directory(inner, None, (*above, offset))
        return directory

    def following(self, offset: int) -> tuple[int, int]:
        """Offset of the directory after the one at `offset`, 0 for none, and where it stands."""
        count = self._count(offset)
        place = self.file.seek(count * (20 if self.big else 12), io.SEEK_CUR)
        size, code = (8, "Q") if self.big else (4, "I")
        data = self.file.read(size)
        return (self.unpack(code, data) if len(data) == size else 0), place

    def alone(self, offset: int, place: int) -> Patches:
        """What to change for the directory at `offset` to be the file's only one."""
        code = self.order + ("Q" if self.big else "I")
        first, none = struct.pack(code, offset), struct.pack(code, 0)
        return ((8 if self.big else 4, first), (place, none))

    def upright(self, offset: int) -> Patches:
        """What to change for the directory at `offset` to say that its page stands upright."""
        begin, width, value = (8, 20, 12) if self.big else (2, 12, 8)
        for index, entry in enumerate(self._entries(offset, width)):
            if struct.unpack_from(self.order + "HH", entry) == (ORIENTATION, 3):
                place = offset + begin + index * width + value
                return ((place, struct.pack(self.order + "H", 1)),)
        return ()

    def _count(self, offset: int) -> int:
        self.file.seek(offset)
        size, code = (8, "Q") if self.big else (2, "H")
        count = self.unpack(code, self.file.read(size))
        if count > _MAX_ENTRIES:
            raise ValueError("damaged TIFF directory")
        return count

    def _entries(self, offset: int, width: int) -> Iterator[bytes]:
        count = self._count(offset)
        data = self.file.read(count * width)
        if len(data) != count * width:
            raise ValueError("TIFF directory is cut off")
        for start in range(0, len(data), width):
            yield data[start : start + width]

    def _tag(self, kind: int, entry: bytes) -> Tag | None:
        count = self.unpack("Q", entry[4:12]) if self.big else self.unpack("I", entry[4:8])
        field = entry[12:] if self.big else entry[8:]
        size = count * _SIZES[kind]
        if not 0 < size <= _MAX_BYTES:
            return None
        if size <= len(field):
            return self._value(kind, count, field[:size])
        place = self.unpack("Q" if self.big else "I", field)
        known = self._values.get((kind, count, place))
        if known is not None:
            return known
        self.file.seek(place)
        data = self.file.read(size)
        if len(data) != size:
            return None
        self._left -= size
        if self._left < 0:
            raise ValueError("damaged TIFF directory")
        self._values[kind, count, place] = self._value(kind, count, data)
        return self._values[kind, count, place]

    def _value(self, kind: int, count: int, data: bytes) -> Tag:
        if self.order == ">" and kind == 7 and data.startswith(_UTF16):
            text = data[len(_UTF16) :]  # in the block's byte order too
            whole = len(text) // 2 * 2
            turned = np.frombuffer(text[:whole], "<u2").byteswap().tobytes()
            data = _UTF16 + turned + text[whole:]
        elif self.order == ">":
            words = np.frombuffer(data, f">u{_WORDS[kind]}")
            data = words.astype(f"<u{_WORDS[kind]}").tobytes()
        return Tag(kind, count, data)


def read_pages(file: BinaryIO) -> tuple[list[Directory], list[Patches]]:
    """Tags of every page, those that describe it and those of its pixel format, and its view.

    The view of a sound file's only page is empty: it can be read as it is.

    A page whose directory is damaged is an empty dictionary: it is counted, so that nobody
    takes the pages before it for the whole file.
    """
    structure = _Structure(file)
    pages: list[Directory] = []
    views: list[Patches] = []
    seen: set[int] = set()
    offset = structure.first
    while offset and offset not in seen:
        seen.add(offset)
        try:
            page = structure.directory(offset, DESCRIPTIVE | _STRUCTURE)
            following, place = structure.following(offset)
        except _DAMAGE:
            pages.append({})
            views.append(())
            break
        mended = () if sound(page) is page else structure.upright(offset)
        single = not (pages or following)
        pages.append(page)
        views.append(mended if single else structure.alone(offset, place) + mended)
        offset = following
    return pages, views


class View:
    """A file as Python reads it; a TIFF as if one of its pages were the only one.

    libtiff walks from the first page to the one it is asked for, which takes quadratic time for
    all of them, and finds no page at all behind a damaged one.
    """

    def __init__(self, file: BinaryIO, patches: Patches) -> None:
        """Read from `file` with the bytes changed that `read_pages` told."""
        self.file, self.patches = file, patches
        self.source: object = None  # libvips' side, whose callbacks must live as long as this
        file.seek(0)

    def read(self, size: int) -> bytes:
        """The next bytes."""
        begin = self.file.tell()
        data = self.file.read(size)
        for place, patch in self.patches:
            first, last = max(place, begin), min(place + len(patch), begin + len(data))
            if first < last:
                part = patch[first - place : last - place]
                data = data[: first - begin] + part + data[last - begin :]
        return data

    def seek(self, offset: int, whence: int) -> int:
        """Go to a place; -1 where a damaged file points to none."""
        try:
            return self.file.seek(offset, whence)
        except (OSError, ValueError):
            return -1


def parse_block(exif: bytes, wanted: set[int] | None = _EXIF_MAIN) -> Directory:
    """Tags of an EXIF block (without its ``Exif`` prefix); empty where it is damaged."""
    try:
        structure = _Structure(io.BytesIO(exif))
        return structure.directory(structure.first, wanted)
    except _DAMAGE:
        return {}


def exif_block(directory: Directory) -> bytes | None:
    """An EXIF block of the tags that EXIF knows; None where there is none."""
    tags = {number: value for number, value in directory.items() if number in _EXIF_MAIN}
    return b"II*\0" + struct.pack("<I", 8) + _pack(tags, 8, big=False) if tags else None


def orientation(exif: bytes | None) -> int:
    """Orientation tag, 1 to 8; 1 where there is none."""
    tag = parse_block(exif).get(ORIENTATION) if exif else None
    value = tag.numbers()[0] if isinstance(tag, Tag) else 1
    return value if _is_orientation(value) else 1


def with_tags(exif: bytes, new: Directory) -> bytes:
    """The EXIF block with these tags of its main directory; every old byte stays where it was.

    The main directory is written anew behind the block, so that no offset changes, those of a
    camera's MakerNote neither. A damaged block comes back as it is.
    """
    order = "<" if exif[:2] == b"II" else ">"
    try:
        first = struct.unpack_from(order + "I", exif, 4)[0]
        end = first + 2 + 12 * struct.unpack_from(order + "H", exif, first)[0]
        (following,) = struct.unpack_from(order + "I", exif, end)
    except struct.error:
        return exif
    old = [exif[place : place + 12] for place in range(first + 2, end, 12)]
    begin = len(exif) + len(exif) % 2
    behind = begin + 2 + 12 * (len(old) + len(new)) + 4
    entries = {struct.unpack(order + "H", entry[:2])[0]: entry for entry in old}
    data = b""
    for number, tag in new.items():
        if not isinstance(tag, Tag):
            continue
        words = np.frombuffer(tag.data, f"<u{_WORDS[tag.kind]}")
        values = words.astype(f"{order}u{_WORDS[tag.kind]}").tobytes()
        field = values.ljust(4, b"\0")
        if len(values) > 4:
            field = struct.pack(order + "I", behind + len(data))
            data += values + b"\0" * (len(values) % 2)
        entries[number] = struct.pack(order + "HHI", number, tag.kind, tag.count) + field
    block = bytearray(exif.ljust(begin, b"\0"))
    struct.pack_into(order + "I", block, 4, begin)
    block += struct.pack(order + "H", len(entries))
    block += b"".join(entries[number] for number in sorted(entries))
    block += struct.pack(order + "I", following)
    return bytes(block.ljust(behind, b"\0") + data)


def with_short(exif: bytes, number: int, value: int) -> bytes:
    """The EXIF block with a short that it holds set; all other bytes, offsets too, as they were."""
    order, first = _beginning(exif)
    block = bytearray(exif)
    place = _entries_at(exif, order, first).get(number)
    if place and struct.unpack_from(order + "H", exif, place + 2) == (3,):
        struct.pack_into(order + "H", block, place + 8, value)
    return bytes(block)


def upright(exif: bytes) -> bytes:
    """The EXIF block of a picture that was rotated as its orientation asks.

    Of a quarter turn width and height, with their resolutions, change places.
    """
    block = bytearray(with_short(exif, ORIENTATION, 1))
    order, first = _beginning(exif)
    main = _entries_at(exif, order, first)
    inner = main.get(_EXIF)
    (offset,) = struct.unpack_from(order + "I", exif, inner + 8) if inner else (len(exif),)
    for entries in (main, _entries_at(exif, order, offset)) if orientation(exif) > 4 else ():
        for one, other in _ACROSS.items():
            if one in entries and other in entries:
                x, y = entries[one] + 2, entries[other] + 2  # all but the numbers of the tags
                block[x : x + 10], block[y : y + 10] = exif[y : y + 10], exif[x : x + 10]
    return bytes(block)


def without_thumbnail(exif: bytes) -> bytes:
    """The EXIF block without its thumbnail, which shows the pixels as they were.

    The second directory is unhooked. Its bytes and its picture's are cut off at the block's end,
    else made zeros, unless other tags lie there too; every byte of these stays where it was.
    """
    try:
        structure = _Structure(io.BytesIO(exif))
        second, place = structure.following(structure.first)
    except _DAMAGE:
        return exif
    if not second or structure.big:
        return exif
    block = bytearray(exif)
    block[place : place + 4] = bytes(4)
    unhooked = bytes(block)
    entries = len(_entries_at(exif, structure.order, second))
    spans = [(second, second + 2 + 12 * entries + 4)] if entries else []
    tags = parse_block(exif[:4] + exif[place : place + 4] + exif[8:], _THUMBNAIL)
    numbers = [tag.numbers()[0] for _, tag in sorted(tags.items()) if isinstance(tag, Tag)]
    if len(numbers) == 2:
        spans.append((numbers[0], sum(numbers)))
    for begin, end in sorted(spans, reverse=True):  # what lies last is cut off first
        if any(block[end:]):
            block[begin:end] = bytes(end - begin)
        else:
            del block[begin:]
    same = parse_block(bytes(block), None) == parse_block(exif, None)
    return bytes(block) if same else unhooked


def _beginning(exif: bytes) -> tuple[str, int]:
    """Byte order of an EXIF block, and the offset of its main directory."""
    order = "<" if exif[:2] == b"II" else ">"
    return order, struct.unpack_from(order + "I", exif, 4)[0]


def _entries_at(exif: bytes, order: str, offset: int) -> dict[int, int]:
    """Where the entries of the directory at `offset` stand, by tag; none where it is cut off."""
    count = int.from_bytes(exif[offset : offset + 2], "little" if order == "<" else "big")
    places = range(offset + 2, offset + 2 + 12 * count, 12)
    if places.stop > len(exif):
        return {}
    return {struct.unpack_from(order + "H", exif, place)[0]: place for place in places}


def rational(value: float) -> Tag:
    """A rational tag close to `value` (exact for whole numbers)."""
    bottom = 1 if value == round(value) else 10_000
    return Tag(5, 1, struct.pack("<II", round(value * bottom), bottom))


def shorts(values: Sequence[int]) -> Tag:
    """A tag of 16-bit numbers."""
    return Tag(3, len(values), struct.pack(f"<{len(values)}H", *values))


def short(value: int) -> Tag:
    """A tag of one 16-bit number."""
    return shorts([value])


def sound(directory: Directory) -> Directory:
    """The tags without an orientation that is none, for which libtiff refuses the whole file."""
    turn = directory.get(ORIENTATION)
    if not isinstance(turn, Tag) or _is_orientation(turn.numbers()[0]):
        return directory
    return {number: tag for number, tag in directory.items() if number != ORIENTATION}


def _is_orientation(value: int) -> bool:
    return 1 <= value <= 8


def raw(data: bytes, kind: int = 7) -> Tag:
    """A tag of bytes."""
    return Tag(kind, len(data), data)


def _pack(directory: Directory, offset: int, *, big: bool) -> bytes:
    """Bytes of a directory that will lie at `offset`, its values and sub-directories behind it."""
    word, inline = ("Q", 8) if big else ("I", 4)
    count_code, entry_size = ("Q", 20) if big else ("H", 12)
    entries = io.BytesIO()
    entries.write(struct.pack("<" + count_code, len(directory)))
    tail = b""
    start = offset + struct.calcsize(count_code) + entry_size * len(directory) + inline
    for number in sorted(directory):
        value = directory[number]
        place = start + len(tail)
        if isinstance(value, dict):
            kind, count, data = (18 if big else 4), 1, struct.pack("<" + word, place)
            tail += _pack(value, place, big=big)
        else:
            kind, count, data = value.kind, value.count, value.data
            if len(data) > inline:
                tail += data
                data = struct.pack("<" + word, place)
        tail += b"\0" * (len(tail) % 2)  # values begin on a word boundary
        entries.write(struct.pack("<HH" + word, number, kind, count) + data.ljust(inline, b"\0"))
    return entries.getvalue() + b"\0" * inline + tail


class Joiner:
    """Writes a TIFF page by page: memory does not grow with the number of pages.

    Args:
        file: Where the pages go; empty, seekable.
        big: BigTIFF, for files that may exceed 4 GB.
    """

    def __init__(self, file: BinaryIO, *, big: bool) -> None:
        """Write the file's header."""
        self.file, self.big = file, big
        header = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0) if big else b"II*\0\0\0\0\0"
        file.write(header)
        self._pointer = 8 if big else 4  # where the offset of the next directory goes

    def append(self, page: BinaryIO, descriptive: Directory) -> None:
        """Copy the only page of the TIFF `page`, described by the tags `descriptive`.

        Raises:
            ValueError: The file would exceed 4 GB and is no BigTIFF.
        """
        structure = _Structure(page)
        tags = structure.directory(structure.first, None)
        # The encoder's own resolution, orientation and the like give way to the source's.
        tags = {n: v for n, v in tags.items() if not describes(n, v)} | descriptive
        tags[_OFFSETS] = self._copy_strips(page, tags)
        self._align()
        place = self.file.tell()
        block = _pack(tags, place, big=self.big)
        if not self.big and place + len(block) >= 1 << 32:
            raise ValueError("more than 4 GB of pages")
        self.file.write(block)
        self.file.seek(self._pointer)
        self.file.write(struct.pack("<Q" if self.big else "<I", place))
        width, size, first = (20, 8, 8) if self.big else (12, 4, 2)
        self._pointer = place + first + width * len(tags)
        assert size + self._pointer <= place + len(block)
        self.file.seek(0, io.SEEK_END)

    def _copy_strips(self, page: BinaryIO, tags: Directory) -> Tag:
        offsets, counts = tags[_OFFSETS], tags[_COUNTS]
        assert isinstance(offsets, Tag)
        assert isinstance(counts, Tag)
        places = []
        for offset, count in zip(offsets.numbers(), counts.numbers(), strict=True):
            self._align()
            places.append(self.file.tell())
            page.seek(offset)
            shutil.copyfileobj(_Window(page, count), self.file)
        if not self.big and self.file.tell() >= 1 << 32:
            raise ValueError("more than 4 GB of pages")
        word = "Q" if self.big else "I"
        data = struct.pack(f"<{len(places)}{word}", *places)
        return Tag(16 if self.big else 4, len(places), data)

    def _align(self) -> None:
        if self.file.tell() % 2:
            self.file.write(b"\0")


class _Window:
    """The next `left` bytes of a file, as something to read from."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        self.file, self.left = file, left

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(min(size, self.left))
        self.left -= len(data)
        return data
