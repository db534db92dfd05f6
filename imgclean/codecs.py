"""Pixels of image files, decoded and encoded: libvips where it can, Pillow, OpenCV and numpy else.

libvips never sees a file name, only descriptors and Python file objects, for names need not be
valid UTF-8. `imgclean.images` is what the rest of the program talks to.
"""

from __future__ import annotations

import io
import re
import struct
from functools import cache
from typing import IO, Any, BinaryIO

import numpy as np
import pyvips
from PIL import BmpImagePlugin
from PIL import Image as PillowImage

from imgclean import metadata, tiff
from imgclean.checks import NO_UNIT
from imgclean.metadata import Metadata
from imgclean.pnm import Header

__all__ = ["DAMAGE", "Sink", "sniff"]

# libvips would keep the last operations, and with them whole images, for a second use.
pyvips.cache_set_max(0)


def _told(words: Any) -> str:
    """What libvips says, as text: it quotes files, where a profile's name may be in Latin-1."""
    if words == pyvips.ffi.NULL:
        return "NULL"
    return str(pyvips.ffi.string(words), "utf-8", "backslashreplace")


# pyvips' own would raise inside its callback, which prints a traceback, and keep an error for ever.
pyvips._to_string = pyvips.error._to_string = _told

# What decoders and parsers raise on bytes they cannot make sense of.
DAMAGE = (pyvips.Error, OSError, ValueError, struct.error, IndexError, EOFError, SyntaxError,
          OverflowError)  # fmt: skip


class OutOfRangeError(ValueError):
    """Samples that a whole file may well hold, on a scale that is not read."""


TYPES = {"uchar": np.uint8, "ushort": np.uint16, "float": np.float32}
_NAMES = {np.dtype(kind): name for name, kind in TYPES.items()}
_COLOURS = {"b-w": 1, "grey16": 1, "srgb": 3, "rgb": 3, "rgb16": 3, "scrgb": 3, "cmyk": 4}
_COLOUR_WORDS = {1: "grey", 3: "RGB", 4: "CMYK"}
_TYPE_WORDS = {"char": "int8", "short": "int16", "int": "int32", "uint": "uint32"}
_STRIP = 128  # rows decoded at a time where alpha is split off
# Entropy coding is optimised in a second pass over coefficients that take 3 to 6 bytes a pixel.
_OPTIMISED_PIXELS = 25_000_000
_KEEP_NONE, _KEEP_XMP_ICC, _KEEP_ALL = 0, 2 | 8, 31

_MAGIC = (
    ("jpeg", re.compile(rb"\xff\xd8\xff")),
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("tiff", re.compile(rb"II[*+]\0|MM\0[*+]")),
    ("webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("gif", re.compile(rb"GIF8[79]a")),
    ("bmp", re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL)),
    ("pnm", re.compile(rb"P[1-6][\s#]")),
    ("avif", re.compile(rb".{4}ftyp(avif|avis)", re.DOTALL)),
    ("heic", re.compile(rb".{4}ftyp(hei[a-z]|hev[a-z]|mif1|msf1)", re.DOTALL)),
    ("jp2", re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51")),
)


def sniff(start: bytes) -> str | None:
    """Format of a file that begins with `start` (64 bytes are plenty), None for no image."""
    return next((name for name, magic in _MAGIC if magic.match(start)), None)


def reason(error: BaseException, kind: str = "") -> str:
    """The last line of what a library said about a file of a format, in words.

    libvips' messages of all threads come together, so what names another format is left out.
    """
    if not isinstance(error, pyvips.Error):
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return lines[-1] if lines else type(error).__name__
    lines = [line.strip() for line in str(error.detail).splitlines()]
    told = [line for line in lines if re.search("[A-Za-z]{3}", line) and line != "Error"]
    own = [line for line in told if _speaker(line) in (None, kind or _speaker(line))]
    return own[-1] if own else "damaged data"


_SPEAKERS = {"spng": "png", "libpng": "png", "tiff2vips": "tiff", "webp2vips": "webp"}


def _speaker(line: str) -> str | None:
    """The format that a message of libvips is about, if it begins with it."""
    word = re.split("[^a-z0-9]", line.lower().removeprefix("vips"), maxsplit=1)[0]
    return word if word in ("jpeg", "png", "tiff", "webp", "gif") else _SPEAKERS.get(word)


def tells_of_damage(error: pyvips.Error) -> bool | None:
    """Whether what libvips stumbled over in a JPEG while strict is damage.

    Bytes between its parts are none. None where nothing is said: another thread took the message.
    """
    told = [line for line in str(error.detail).splitlines() if _speaker(line) == "jpeg"]
    return any("extraneous" not in line for line in told) if told else None


# Of "Decoding error at scanline 0", "Not enough data at scanline 0", "Invalid tile byte count" ...
_DAMAGE_TOLD = "scanline|decompress|corrupt|byte count|read error|not yet in table"


def fails_at_once(image: pyvips.Image) -> bool:
    """Whether a strict TIFF stumbles over its first row though that is not damaged.

    What is odd in a sound one is said there; of damage in its first tiles libtiff's words tell.
    """
    try:
        pyvips.Region.new(image).fetch(0, 0, image.width, 1)
    except pyvips.Error as error:
        return not re.search(_DAMAGE_TOLD, str(error.detail), re.IGNORECASE)
    return False


def vips_open(origin: int | bytes | tiff.View, kind: str, *, strict: bool = False) -> pyvips.Image:
    """The image behind a descriptor or a view, or in bytes; only its header has been read.

    Views and bytes must outlive it. Never a descriptor of JPEG, WebP or GIF: libvips maps these,
    and the process dies (SIGBUS) where the file is cut meanwhile. Truncated data are an error, but
    not in the tiles of a TIFF: these are left black. With `strict` the decoders' warnings are
    errors too. What is flipped inside data often cannot be noticed.
    """
    if isinstance(origin, int):
        source = pyvips.Source.new_from_descriptor(origin)
    elif isinstance(origin, bytes):
        source = pyvips.Source.new_from_memory(origin)
    else:
        source = pyvips.SourceCustom()
        source.on_read(origin.read)
        source.on_seek(origin.seek)
        origin.source = source
    options: dict[str, Any] = {"access": "sequential", "fail_on": "warning" if strict else "error"}
    if kind in ("avif", "heic"):
        # Their rotation belongs to the file format: there is no unrotated picture to keep.
        return pyvips.Image.heifload_source(source, autorotate=True, **options)
    if kind == "tiff":
        return pyvips.Image.tiffload_source(source, **options)
    load = {"jpeg": "jpegload", "png": "pngload", "webp": "webpload", "gif": "gifload"}[kind]
    return getattr(pyvips.Image, f"{load}_source")(source, **options)


def refusal(image: pyvips.Image) -> str | None:
    """Why an image of libvips is of a kind that is not read, and what to do; None if it is."""
    if image.format not in TYPES:
        kind = _TYPE_WORDS.get(image.format, image.format)
        return f"samples of type {kind} are not read; convert them to 8 or 16 bits"
    colours = _COLOURS.get(image.interpretation, 0)
    extra = image.bands - colours
    if not colours or extra < 0:
        what = f"{image.bands} channels of {image.interpretation}"
        return f"{what} are not read; convert them to grey or RGB"
    if extra > 1:  # masks, depth, other wavelengths: no colours, and no transparency
        what = f"{_COLOUR_WORDS[colours]} with {extra} extra channels"
        return f"{what} is not read; save the channels as files of their own"
    return None


def vips_header(image: pyvips.Image, depth: int | None = None) -> Header:
    """Header of a libvips image of a kind that is read."""
    bits = depth or {"uchar": 8, "ushort": 16, "float": 32}[image.format]
    colours = _COLOURS[image.interpretation]
    channels = min(colours, 3)  # CMYK becomes RGB
    return Header(image.width, image.height, bits, channels, image.bands > colours)


def vips_pixels(image: pyvips.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Decode into one array of colour and one of alpha, without a second copy of either.

    Raises:
        pyvips.Error: The data are damaged.
        OutOfRangeError: Floating-point samples on no scale of 0 to 1: some of over 16, say.
    """
    if image.interpretation == "cmyk":
        image = image.colourspace("rgb16" if image.format == "ushort" else "srgb")
    kind, shape = TYPES[image.format], (image.height, image.width)
    alpha = None
    if image.bands in (1, 3):
        pixels = np.frombuffer(image.write_to_memory(), kind).reshape(*shape, image.bands)
    else:
        pixels = np.empty((*shape, image.bands - 1), kind)
        alpha = np.empty(shape, kind)
        region = pyvips.Region.new(image)
        for top in range(0, image.height, _STRIP):
            rows = min(_STRIP, image.height - top)
            data = np.frombuffer(region.fetch(0, top, image.width, rows), kind)
            strip = data.reshape(rows, image.width, image.bands)
            pixels[top : top + rows] = strip[..., :-1]
            alpha[top : top + rows] = strip[..., -1]
    if kind is np.float32:
        low, high = pixels.min(), pixels.max()
        if not (low >= -NO_UNIT and high <= NO_UNIT):  # NaN fails every comparison
            finite = bool(np.isfinite(low) and np.isfinite(high))
            found = f" ({low:g} to {high:g})" if finite else ", or infinite, or no numbers"
            raise OutOfRangeError(f"floating-point samples on another scale than 0 to 1{found}")
    return pixels, alpha


def vips_metadata(image: pyvips.Image) -> Metadata:
    """Metadata as libvips reports them, for formats whose files are not parsed here."""

    def data(name: str) -> bytes | None:
        return bytes(image.get(name)) if image.get_typeof(name) else None

    icc, exif, xmp = (data(f"{name}-data") for name in ("icc-profile", "exif", "xmp"))
    # An orientation in the EXIF block is not asked for: the file format rotates by itself.
    return metadata.from_blocks(icc=icc, exif=exif, xmp=xmp).upright()


@cache
def display_p3() -> bytes:
    """An ICC profile of Display P3."""
    dot = pyvips.Image.black(1, 1, bands=3).copy(interpretation="srgb")
    return bytes(dot.icc_transform("p3", input_profile="srgb").get("icc-profile-data"))


def bmp_open(file: BinaryIO) -> tuple[Header, Metadata, BmpImagePlugin.BmpImageFile]:
    """Header of a BMP; its pixels wait for `bmp_pixels`."""
    file.seek(0)
    image = BmpImagePlugin.BmpImageFile(file)
    file.seek(14)  # the size of what follows tells where it counts the bits of a pixel
    file.seek(24 if file.read(1) == b"\x0c" else 28)
    bits = int.from_bytes(file.read(2), "little")
    if (image.mode == "1" and bits > 1) or (image.mode == "L" and bits < 8):
        image.info["indexed"] = True
    dpi = image.info.get("dpi")
    known = metadata.plausible_dpi(*dpi) if dpi else None
    bilevel = image.mode == "1" and "indexed" not in image.info
    depth, channels = 1 if bilevel else 8, 1 if image.mode in ("1", "L") else 3
    return Header(*image.size, depth, channels), Metadata(dpi=known), image


def bmp_pixels(image: BmpImagePlugin.BmpImageFile) -> tuple[np.ndarray, np.ndarray | None]:
    """Decode a BMP."""
    if "indexed" in image.info:  # Pillow takes indices for grey values, or even for bits
        import cv2

        assert image.fp is not None
        image.fp.seek(0)
        grey = cv2.imdecode(np.frombuffer(image.fp.read(), np.uint8), cv2.IMREAD_GRAYSCALE)
        if grey is None:
            raise ValueError("damaged data")
        return np.asarray(grey)[..., None], None
    plain = {"1": "L", "L": "L", "RGBA": "RGBA"}.get(image.mode, "RGB")
    pixels = np.array(image.convert(plain))
    if plain == "RGBA":
        return np.ascontiguousarray(pixels[..., :3]), pixels[..., 3].copy()
    return pixels.reshape(*pixels.shape[:2], -1), None


class Sink:
    """Where libvips writes: a Python file, with metadata put in behind the file's beginning.

    libvips reports a failed write as one more codec error; `error` keeps the true one.
    """

    def __init__(self, file: IO[bytes], container: str = "", blocks: bytes = b"") -> None:
        """Write to `file`, with `blocks` put into a file of the format `container`."""
        self.file, self.container, self.blocks = file, container, blocks
        self.error: OSError | None = None
        self._start: bytes | None = b"" if container else None

    def target(self) -> pyvips.TargetCustom:
        """A target for libvips' savers."""
        target = pyvips.TargetCustom()
        target.on_write(self.write)
        if not self.container:  # TIFF goes back to fill in its offsets
            target.on_read(lambda size: self.file.read(size) or None)
            target.on_seek(self.seek)
        return target

    def seek(self, offset: int, whence: int) -> int:
        """Go to a place, writing what is still in memory; -1 where that failed."""
        try:
            return self.file.seek(offset, whence)
        except OSError as error:
            self.error = error
            return -1

    def write(self, data: Any) -> int:
        """Write all of `data`; -1 where that failed."""
        try:
            if self._start is None:
                self.file.write(data)
            else:
                self._start += bytes(data)
                whole = metadata.insert(self.container, self._start, self.blocks)
                if whole is not None:
                    self._start = None
                    self.file.write(whole)
        except OSError as error:
            self.error = error
            return -1
        return len(data)


def vips_image(pixels: np.ndarray, alpha: np.ndarray | None) -> pyvips.Image:
    """A libvips image that reads from the arrays, which must outlive it."""
    image = _from_array(pixels)
    if alpha is not None:
        image = image.bandjoin(_from_array(alpha[..., None]))
    colour = pixels.shape[2] == 3
    name = {
        "uchar": "srgb" if colour else "b-w",
        "ushort": "rgb16" if colour else "grey16",
        "float": "scrgb" if colour else "b-w",
    }[image.format]
    return image.copy(interpretation=name)


def _from_array(pixels: np.ndarray) -> pyvips.Image:
    height, width, bands = pixels.shape
    data = np.ascontiguousarray(pixels)
    return pyvips.Image.new_from_memory(data, width, height, bands, _NAMES[pixels.dtype])


def to_depth(image: pyvips.Image, depth: int) -> pyvips.Image:
    """Samples of 8 or 16 bits, rounded to the nearest (libvips' savers would cut off)."""
    top = {"uchar": 255, "ushort": 65535, "float": 1}[image.format]
    full, kind = (255, "uchar") if depth <= 8 else (65535, "ushort")
    if image.format == kind:
        return image
    colour = image.bands >= 3
    name = ("srgb" if colour else "b-w") if depth <= 8 else ("rgb16" if colour else "grey16")
    return image.linear(full / top, 0.5).cast(kind).copy(interpretation=name)


def save_png(image: pyvips.Image, sink: Sink, *, bilevel: bool) -> None:
    """Write a PNG: the "sub" filter takes a third off photographs at little cost in time."""
    if bilevel:
        (image >= 128).pngsave_target(sink.target(), bitdepth=1, keep=_KEEP_NONE)
    else:
        image.pngsave_target(sink.target(), compression=6, filter="sub", keep=_KEEP_NONE)


_CV_SAMPLING = {"422": "422", "440": "440", "411": "411"}


def save_jpeg(
    image: pyvips.Image, sink: Sink, *, quality: int, sampling: str | None, progressive: bool
) -> None:
    """Write a JPEG; `sampling` None lets libvips choose (4:4:4 from quality 90 on)."""
    if sampling in _CV_SAMPLING and image.bands == 3:
        sink.write(_cv_jpeg(image, quality, sampling, progressive))
        return
    mode = {"420": "on", "444": "off"}.get(sampling or "", "auto")
    image.jpegsave_target(
        sink.target(),
        Q=quality,
        subsample_mode=mode,
        interlace=progressive,
        optimize_coding=image.width * image.height <= _OPTIMISED_PIXELS,
        keep=_KEEP_NONE,
    )


def _cv_jpeg(image: pyvips.Image, quality: int, sampling: str | None, progressive: bool) -> bytes:
    """Chroma subsampling that libvips does not offer, at the cost of a copy of the pixels."""
    import cv2

    options = {
        cv2.IMWRITE_JPEG_QUALITY: quality,
        cv2.IMWRITE_JPEG_PROGRESSIVE: int(progressive),
        cv2.IMWRITE_JPEG_OPTIMIZE: 1,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR: getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{sampling}"),
    }
    pixels = image.numpy()
    cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR, dst=pixels)
    return bytes(cv2.imencode(".jpg", pixels, [n for item in options.items() for n in item])[1])


def save_tiff(
    image: pyvips.Image,
    sink: Sink,
    *,
    compression: str,
    quality: int,
    bilevel: bool,
    miniswhite: bool,
    big: bool,
) -> None:
    """Write a TIFF of one page, to be described by `imgclean.tiff.Joiner`."""
    options: dict[str, Any] = {"compression": compression, "bigtiff": big, "keep": _KEEP_NONE}
    if bilevel:
        image = image >= 128
        options |= {"bitdepth": 1, "miniswhite": miniswhite, "predictor": "none"}
    elif image.format == "float":
        options["predictor"] = "float"
    if compression == "jpeg":
        options["Q"] = quality
    image.tiffsave_target(sink.target(), **options)


def webp(image: pyvips.Image, meta: Metadata, *, quality: int, lossless: bool) -> bytes:
    """A whole WebP file. `exact` keeps colours under transparent pixels."""
    encoded = image.webpsave_buffer(Q=quality, lossless=lossless, exact=True, keep=_KEEP_NONE)
    return meta.webp(encoded, image.width, image.height, alpha=image.bands in (2, 4))


def avif(image: pyvips.Image, meta: Metadata, *, quality: int, bits: int) -> bytes:
    """A whole AVIF file; libvips rewrites EXIF, so a MakerNote may not survive."""
    blobs = {"icc-profile-data": meta.icc, "xmp-data": meta.xmp}
    blobs["exif-data"] = b"Exif\0\0" + meta.exif if meta.exif else None
    image = image.copy()
    if meta.dpi:
        image = image.copy(xres=meta.dpi[0] / 25.4, yres=meta.dpi[1] / 25.4)
    for name, blob in blobs.items():
        if blob:
            image.set_type(pyvips.GValue.blob_type, name, blob)
    keep = _KEEP_ALL if meta.exif or meta.dpi else _KEEP_XMP_ICC
    encoded = bytes(
        image.heifsave_buffer(compression="av1", Q=quality, bitdepth=bits, effort=4, keep=keep)
    )
    block = None if meta.dpi else re.search(rb"Exif\0\0(?=II\*\0|MM\0\*)", encoded)
    if block:  # its resolution, which libvips made up, gets no unit
        start = block.end()
        encoded = encoded[:start] + tiff.with_short(encoded[start:], tiff.RESOLUTION_UNIT, 1)
    return encoded


def bmp(pixels: np.ndarray, alpha: np.ndarray | None, meta: Metadata, *, bilevel: bool) -> bytes:
    """A whole BMP file of 8-bit `pixels`."""
    buffer = io.BytesIO()
    if alpha is not None:  # Pillow writes alpha in a way that no reader takes for alpha
        import cv2

        rgb = pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)
        four = np.dstack((rgb[..., ::-1], alpha))
        buffer.write(bytes(cv2.imencode(".bmp", four)[1]))
    else:
        image = PillowImage.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])
        (image.point(lambda v: 255 * (v >= 128), "1") if bilevel else image).save(buffer, "BMP")
    dots = [round(d / 0.0254) for d in meta.dpi or (0, 0)]
    buffer.seek(38)
    buffer.write(struct.pack("<ii", *dots))
    return buffer.getvalue()
