"""Read image files: one page at a time, with everything that it takes to write it back."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
import pyvips

from imgclean import codecs, heif, jp2, metadata, pnm, tiff
from imgclean.errors import ImageError
from imgclean.folders import shown
from imgclean.jpeg import quality_of_tables
from imgclean.metadata import Metadata

__all__ = ["Image", "PageInfo", "Reader"]


_COMPRESSIONS = {1: "none", 5: "lzw", 6: "jpeg", 7: "jpeg", 8: "deflate", 32773: "packbits"}
_COMPRESSIONS |= {32946: "deflate", 2: "ccittfax4", 3: "ccittfax4", 4: "ccittfax4"}
_PALETTE, _YCBCR = 3, 6  # photometric interpretations of TIFF
_FLOAT = 3  # sample format of TIFF
_JPEGS = (6, 7)  # compressions of TIFF
_MAPPED = ("jpeg", "webp", "gif")  # libvips maps such files, and dies where one is cut meanwhile
_WHOLE = 64_000_000  # bytes of such a file that are read at once; more, a little at a time
_DIAGNOSIS = threading.Lock()  # libvips' messages of all threads come together
_TRIES = 5  # times that a message is waited for which another thread took


@dataclass(frozen=True)
class PageInfo:
    """What it takes to write a page back as it was.

    Attributes:
        depth: Bits per sample in the file: 1, 2, 4, 8, 16, or 32 for floating point.
        metadata: Profile, EXIF, XMP, IPTC, resolution.
        quality: JPEG quality that the source's tables come nearest to.
        sampling: Chroma subsampling of a JPEG, such as ``420``.
        progressive: Whether a JPEG was progressive.
        lossless: Whether a WebP was lossless.
        compression: Compression of a TIFF page, in libvips' words.
        miniswhite: Whether a TIFF page counts from white to black.
        bits: Bits per sample of an AVIF.
    """

    depth: int = 8
    metadata: Metadata = field(default_factory=Metadata)
    quality: int | None = None
    sampling: str | None = None
    progressive: bool = False
    lossless: bool = False
    compression: str | None = None
    miniswhite: bool = False
    bits: int | None = None

    @property
    def orientation(self) -> int:
        """EXIF orientation, 1 (upright) to 8; pixels are never rotated by reading."""
        return self.metadata.orientation

    @property
    def dpi(self) -> tuple[float, float] | None:
        """Horizontal and vertical resolution in dots per inch, None where the file has none."""
        return self.metadata.dpi


@dataclass(frozen=True, eq=False)
class Image:
    """One page.

    Attributes:
        pixels: H x W x C, C in {1, 3}, writable; uint8, uint16, or float32 with black at 0 and
            white at 1, beyond which samples may lie.
        alpha: H x W of the same type, None where the file has none.
        info: What it takes to write the page back.
        damaged: Parts of the pixels could not be decoded.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    info: PageInfo = field(default_factory=PageInfo)
    damaged: bool = False

    def upright(self) -> Image:
        """The page rotated as its EXIF orientation asks, for where there is no place for one."""
        turns = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}  # quarter turns, counter-clockwise

        def turn(array: np.ndarray) -> np.ndarray:
            mirrored = array[:, ::-1] if self.info.orientation in (2, 4, 5, 7) else array
            quarter = turns.get(self.info.orientation, 0)
            return np.ascontiguousarray(np.rot90(mirrored, quarter))

        info = replace(self.info, metadata=self.info.metadata.upright())
        alpha = None if self.alpha is None else turn(self.alpha)
        return replace(self, pixels=turn(self.pixels), alpha=alpha, info=info)


@contextlib.contextmanager
def _reading(path: Path, what: str, kind: str = "") -> Iterator[None]:
    """Turn what decoders raise into an `ImageError` that names the file."""
    try:
        yield
    except PermissionError as error:
        raise ImageError(
            f"{shown(path)}: not allowed to read; check the file's permissions"
        ) from error
    except FileNotFoundError as error:
        raise ImageError(f"{shown(path)}: no longer there; was it moved?") from error
    except codecs.OutOfRangeError as error:
        raise ImageError(f"{shown(path)}: {error}; scale them to 0 to 1 first") from error
    except codecs.DAMAGE as error:
        other = "" if kind == "png" else ", else convert it to PNG"
        raise ImageError(
            f"{shown(path)}: {what} cannot be decoded ({codecs.reason(error, kind)}); "
            f"if the file is damaged replace it with an intact copy{other}"
        ) from error


class Reader:
    """An image file opened for reading; only its header has been read.

    Args:
        path: The file. Its content decides the format, not its name.
        max_pixels: Refuse pages with more pixels, before decoding them.

    Attributes:
        format: ``jpeg``, ``png``, ``tiff``, ``webp``, ``bmp``, ``pnm``, ``avif``, ``heic``,
            ``jp2`` or ``gif``.
        width, height, depth, channels: Of the first page; channels without alpha.
        pages: Number of pages; more than one in TIFF only.
        quality: Estimated quality of a JPEG, else None.

    Raises:
        ImageError: No image, damaged, animated, too large, or of a kind that is not read.
    """

    def __init__(self, path: Path, *, max_pixels: int = 300_000_000) -> None:
        """Open the file and read its header."""
        self.path, self.max_pixels = path, max_pixels
        self.quality: int | None = None
        self.pages = 1
        self._directories: list[tiff.Directory] = []
        self._patches: list[tiff.Patches] = []
        self._views: list[tiff.View] = []
        self._whole = b""
        with contextlib.ExitStack() as stack:
            with _reading(path, "the header"):
                if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
                    raise ImageError(f"{shown(path)}: not a regular file; leave it out")
                self._file = stack.enter_context(path.open("rb"))
                self._raw = stack.enter_context(path.open("rb", buffering=0))
                self.format = self._sniff()
            with _reading(path, "the header", self.format):
                self._info = self._parse()
                header = self._header()
            self.width, self.height = header.width, header.height
            self.depth, self.channels = header.depth, header.channels
            self._planes = header.channels + header.alpha
            self._check_size(header)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        """Enter a block that closes the file at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def digest(self) -> str:
        """BLAKE2b of the file's bytes, in hexadecimal."""
        with _reading(self.path, "the file"):
            self._file.seek(0)
            return hashlib.file_digest(self._file, "blake2b").hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """The file's bytes as they are, a piece at a time."""
        with _reading(self.path, "the file"):
            self._file.seek(0)
            while chunk := self._file.read(1 << 20):
                yield chunk

    @property
    def uncompressed(self) -> int:
        """Bytes of pixels in all pages, from the headers."""
        size = self.width * self.height * 4 * _bytes(self.depth)
        for page in self._directories[1:]:
            size += _decoded(page)
        return size

    @property
    def largest(self) -> int:
        """Pixels of the largest page, from the headers."""
        others = (_number(p, 256, 1) * _number(p, 257, 1) for p in self._directories[1:])
        return max([self.width * self.height, *others])

    @property
    def decoded(self) -> int:
        """Bytes that the pixels and alpha of a page take at most, from the headers."""
        first = self.width * self.height * self._planes * _bytes(self.depth)
        return max([first, *map(_decoded, self._directories[1:])])

    def page(self, index: int) -> Image:
        """Decode one page.

        Raises:
            ImageError: The page is damaged, too large, or of a kind that is not read.
        """
        if not 0 <= index < self.pages:
            raise IndexError(index)
        what = f"page {index + 1} of {self.pages}" if self.pages > 1 else "the image"
        with _reading(self.path, what, self.format):
            if self._directories and not self._directories[index]:
                raise ValueError("its directory is damaged")
            try:
                return self._decode(index)
            finally:
                self._whole = b""

    def _decode(self, index: int) -> Image:
        if self.format == "bmp":
            _, _, bmp = codecs.bmp_open(self._file)
            return Image(*codecs.bmp_pixels(bmp), self._info)
        if self.format == "pnm":
            return Image(pnm.read_pnm(self._file, self._pnm), None, self._info)
        if self.format == "jp2":
            return Image(*jp2.read_jp2(self._file, self._jp2), self._info)
        if self.format not in ("jpeg", "tiff"):
            return self._vips_decode(index)
        try:
            return self._vips_decode(index, strict=True)
        except pyvips.Error as error:
            damaged = self._is_damage(index, error)
        return replace(self._vips_decode(index), damaged=damaged)

    def _is_damage(self, index: int, error: pyvips.Error) -> bool:
        """Whether strict decoding failed over damaged pixels, and no harmless oddity."""
        if self.format == "tiff":
            return not codecs.fails_at_once(self._open_page(index, strict=True))
        for _ in range(_TRIES):
            told = codecs.tells_of_damage(error)
            if told is not None:
                return told
            try:
                with _DIAGNOSIS:
                    self._vips_decode(index, strict=True)
            except pyvips.Error as again:
                error = again
        return False

    def _open_page(self, index: int, *, strict: bool) -> pyvips.Image:
        origin = self._data() if self.format in _MAPPED else self._view(index)
        return codecs.vips_open(origin, self.format, strict=strict)

    def _data(self) -> int | bytes | tiff.View:
        """The file's bytes, kept while a page is decoded; a view of one that is too large."""
        size = os.fstat(self._file.fileno()).st_size
        if size > _WHOLE:
            return self._view(0)
        if not self._whole:
            self._file.seek(0)
            self._whole = self._file.read(size)
        return self._whole

    def _vips_decode(self, index: int, *, strict: bool = False) -> Image:
        info = self._page_info(index) if self.format == "tiff" else self._info
        image = self._open_page(index, strict=strict)
        self._check_size(self._header_of(image, info.depth))
        if image.interpretation == "cmyk":
            info = replace(info, metadata=info.metadata.without_icc())
        pixels, alpha = codecs.vips_pixels(image)
        if info.miniswhite and pixels.dtype == np.float32:  # of whole numbers libvips does it
            pixels = 1 - pixels
        return Image(pixels, alpha, info)

    def _view(self, index: int) -> int | tiff.View:
        changes = self._patches[index] if self.format == "tiff" else ()
        if self.pages == 1 and not changes and self.format not in _MAPPED:
            self._raw.seek(0)
            return self._raw.fileno()  # read without a detour through Python
        # Kept to the end: pyvips holds no reference to what libvips calls back.
        self._views.append(tiff.View(self._file, changes))
        return self._views[-1]

    def _sniff(self) -> str:
        start = self._file.read(64)
        kind = codecs.sniff(start)
        if kind is None:
            what = "an empty file" if not start else "not an image of a known format"
            raise ImageError(f"{shown(self.path)}: {what}; remove it or replace it")
        return kind

    def _parse(self) -> PageInfo:
        """What the container says, apart from its pixels."""
        if self.format == "jpeg":
            meta, jpeg = metadata.read_jpeg(self._file)
            self.quality = jpeg.quality
            return PageInfo(8, meta, jpeg.quality, jpeg.sampling, jpeg.progressive)
        if self.format == "png":
            meta, png = metadata.read_png(self._file)
            self._refuse_frames(png.frames)
            return PageInfo(8 if png.palette else png.depth, meta)
        if self.format == "webp":
            meta, webp = metadata.read_webp(self._file)
            self._refuse_frames(webp.frames)
            return PageInfo(8, meta, lossless=webp.lossless)
        if self.format == "tiff":
            self._directories, self._patches = tiff.read_pages(self._file)
            self.pages = len(self._directories)
            if not self.pages or not self._directories[0]:
                raise ValueError("its first directory is damaged")
            return self._page_info(0)
        return PageInfo()

    def _header(self) -> pnm.Header:
        """Size and samples of the first page; completes what `_parse` found."""
        if self.format == "bmp":
            header, meta, _ = codecs.bmp_open(self._file)
        elif self.format == "pnm":
            self._pnm = pnm.open_pnm(self._file)
            header, meta = self._pnm.header, Metadata()
            if pnm.holds_more(self._file, self._pnm):
                raise ImageError(f"{shown(self.path)}: holds several images; split it first")
        elif self.format == "jp2":
            self._jp2 = jp2.open_jp2(self._file)
            header, meta = self._jp2.header, self._jp2.metadata
        else:
            return self._vips_header()
        self._info = PageInfo(header.depth, meta)
        return header

    def _vips_header(self) -> pnm.Header:
        image = codecs.vips_open(self._view(0), self.format)
        if self.format in ("gif", "avif", "heic"):
            bits = image.get("bits-per-sample") if self.format != "gif" else 8
            depth = 8 if bits <= 8 else 16
            meta = codecs.vips_metadata(image)
            if self.format != "gif":
                meta = self._checked_heif(meta, colour=image.bands >= 3)
            self._info = PageInfo(depth, meta, bits=bits)
            self._refuse_frames(image.get("n-pages") if image.get_typeof("n-pages") else 1)
        return self._header_of(image, self._info.depth)

    def _header_of(self, image: pyvips.Image, depth: int) -> pnm.Header:
        told = codecs.refusal(image)
        if told:
            raise ImageError(f"{shown(self.path)}: {told}")
        return codecs.vips_header(image, depth)

    def _checked_heif(self, meta: Metadata, *, colour: bool) -> Metadata:
        """The profile of colours that a HEIF file names by number; sRGB's need none.

        Raises:
            ImageError: A film, colours without a profile here, or multiplied by alpha.
        """
        facts = heif.read_heif(self._file)
        if facts.sequence:
            raise ImageError(f"{shown(self.path)}: an animated image; extract its frames first")
        if not colour:
            return meta
        if facts.premultiplied:
            what = "colours multiplied by their alpha are"
        elif meta.icc or (facts.primaries not in (9, 12) and facts.transfer not in (16, 18)):
            return meta
        elif facts.primaries == 12 and facts.transfer not in (16, 18):
            return replace(meta, icc=codecs.display_p3())
        else:
            what = "high dynamic range or BT.2020 colour is"
        raise ImageError(f"{shown(self.path)}: {what} not read; convert it to PNG in sRGB")

    def _page_info(self, index: int) -> PageInfo:
        page = self._directories[index]
        colours = _number(page, 262, 1)
        subsampled = page.get(tiff.SUBSAMPLING)
        tables = page.get(tiff.JPEG_TABLES)
        whole = isinstance(subsampled, tiff.Tag) and set(subsampled.numbers()) == {1}
        if colours == _YCBCR and whole and _number(page, 259, 1) not in _JPEGS:
            raise ImageError(  # libvips would give Y, Cb and Cr for red, green and blue
                f"{shown(self.path)}: a TIFF in YCbCr without JPEG compression is not read; "
                "convert it to RGB"
            )
        bits = _number(page, 258, 1)
        if bits > 32:  # libvips says that they are out of range
            raise ImageError(
                f"{shown(self.path)}: samples of {bits} bits are not read; "
                "convert them to 8 or 16 bits"
            )
        return PageInfo(
            depth=_depth(page),
            metadata=metadata.from_tiff(page),
            quality=quality_of_tables(tables.data) if isinstance(tables, tiff.Tag) else None,
            compression=_COMPRESSIONS.get(_number(page, 259, 1)),
            miniswhite=colours == 0,
        )

    def _refuse_frames(self, frames: int) -> None:
        if frames > 1:
            raise ImageError(
                f"{shown(self.path)}: an animated image of {frames} frames; "
                "extract its frames first"
            )

    def _check_size(self, header: pnm.Header) -> None:
        if header.width * header.height > self.max_pixels:
            raise ImageError(
                f"{shown(self.path)}: {header.width} x {header.height} pixels are more than the "
                f"limit of {self.max_pixels / 1e6:g} megapixels; if the file can be trusted raise "
                "--max-pixels"
            )


def _number(page: tiff.Directory, tag: int, default: int) -> int:
    value = page.get(tag)
    return value.numbers()[0] if isinstance(value, tiff.Tag) else default


def _depth(page: tiff.Directory) -> int:
    """Bits of a sample once a TIFF page is decoded: palettes become RGB, half floats whole ones."""
    if _number(page, 262, 1) == _PALETTE:
        return 8
    return 32 if _number(page, 339, 1) == _FLOAT else _number(page, 258, 1)


def _bytes(depth: int) -> int:
    """Bytes that a sample of so many bits takes in memory."""
    return 1 if depth <= 8 else 2 if depth <= 16 else 4


def _decoded(page: tiff.Directory) -> int:
    """Bytes that the pixels and alpha of a TIFF page take in memory, from its tags."""
    palette = _number(page, 262, 1) == _PALETTE
    samples = _number(page, 277, 1) + 2 * palette
    return _number(page, 256, 1) * _number(page, 257, 1) * samples * _bytes(_depth(page))
