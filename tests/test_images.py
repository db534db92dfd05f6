import dataclasses
import errno
import io
import os
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import pyvips
from PIL import Image as Pillow
from PIL import ImageCms, TiffImagePlugin

from imgclean import codecs, heif, images, metadata, tiff, writing
from imgclean.errors import ImageError, InputError, OutputError
from imgclean.images import SUFFIXES, Image, Reader, Writer, find, output_format
from imgclean.xmp import without_promises

MAKER_NOTE = b"Canon\0" + bytes(range(256)) * 3
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF/></x:xmpmeta>'
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def noise(height: int, width: int, channels: int, kind: Any = np.uint8) -> np.ndarray:
    top = np.iinfo(kind).max
    return np.random.default_rng(7).integers(0, top + 1, (height, width, channels), dtype=kind)


def smooth(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    planes = [x * 255 / max(width - 1, 1), y * 255 / max(height - 1, 1), 128 + 0 * x]
    return np.stack(planes, axis=-1).astype(np.uint8)


def exif(orientation: int = 1, extra: dict[int, Any] | None = None) -> bytes:
    tags = Pillow.Exif()
    tags.update(extra or {})
    tags[271], tags[272], tags[274] = "Canon", "EOS 5D", orientation
    tags.get_ifd(0x8769)[0x9003] = "2020:01:02 03:04:05"
    tags.get_ifd(0x8769)[0x927C] = MAKER_NOTE
    return tags.tobytes()


def save(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    plane = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    Pillow.fromarray(plane).save(path, **options)
    return path


def vips_save(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    kind = {"uint8": "uchar", "uint16": "ushort", "float32": "float"}[str(pixels.dtype)]
    height, width, bands = pixels.shape
    image = pyvips.Image.new_from_memory(pixels.tobytes(), width, height, bands, kind)
    if kind == "ushort":
        image = image.copy(interpretation="rgb16" if bands >= 3 else "grey16")
    image.write_to_file(str(path), **options)
    return path


def read(path: Path, index: int = 0, **options: Any) -> Image:
    with Reader(path, **options) as reader:
        return reader.page(index)


def rewrite(source: Path, target: Path, kind: str | None = None, **options: Any) -> Path:
    """What the program does with a file, less the cleaning."""
    with Reader(source) as reader:
        writer = Writer(target, format=kind or reader.format, source=reader, **options)
        with writer:
            for index in range(reader.pages):
                writer.add(reader.page(index))
            writer.commit()
    assert [p.name for p in target.parent.iterdir() if p.name.endswith("-tmp")] == []
    return target


def metadata_of(path: Path) -> tuple[Any, ...]:
    with Pillow.open(path) as image:
        tags = image.getexif()
        camera = (tags.get(271), tags.get(272), tags.get(274))  # before Pillow moves to the next
        inner = tags.get_ifd(0x8769)
        packet = image.info.get("xmp")
        return (
            image.info.get("icc_profile"),
            camera,
            (inner.get(0x9003), inner.get(0x927C)),
            packet,
        )


# Pixels


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "ppm"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (37, 53), (5000, 1), (1, 5000)])
def test_lossless(tmp_path: Path, suffix: str, channels: int, size: tuple[int, int]) -> None:
    """Lossless formats give back every sample, grey as grey, at any size."""
    pixels = noise(*size, channels)
    source = save(tmp_path / f"in.{suffix}", pixels)
    target = rewrite(source, tmp_path / f"out.{suffix}")
    with Reader(target) as reader:
        again = reader.page(0)
        assert (reader.height, reader.width, reader.channels) == (*size, channels)
        assert (reader.pages, reader.depth) == (1, 8)
    assert np.array_equal(again.pixels, pixels)
    assert again.alpha is None
    assert again.pixels.flags.writeable
    with Pillow.open(target) as other:
        assert np.array_equal(np.asarray(other).reshape(pixels.shape), pixels)


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "bmp"])
def test_alpha(tmp_path: Path, suffix: str) -> None:
    """Colour and alpha come back apart and unchanged, also under transparent pixels."""
    pixels = noise(40, 300, 4)
    pixels[:20, :, 3] = 0
    if suffix == "bmp":
        ok, data = cv2.imencode(".bmp", pixels[..., [2, 1, 0, 3]])
        source = tmp_path / "in.bmp"
        source.write_bytes(data.tobytes())
    else:
        options = {"lossless": True, "exact": True} if suffix == "webp" else {}
        source = save(tmp_path / f"in.{suffix}", pixels, **options)
    for path in (source, rewrite(source, tmp_path / f"out.{suffix}")):
        image = read(path)
        assert np.array_equal(image.pixels, pixels[..., :3])
        assert image.alpha is not None
        assert np.array_equal(image.alpha, pixels[..., 3])


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits(tmp_path: Path, suffix: str, channels: int) -> None:
    """Sixteen bits stay exact, with and without alpha, over more rows than one strip."""
    pixels = noise(300, 41, channels, np.uint16)
    source = vips_save(tmp_path / f"in.{suffix}", pixels)
    image = read(rewrite(source, tmp_path / f"out.{suffix}"))
    planes = [image.pixels] if image.alpha is None else [image.pixels, image.alpha[..., None]]
    assert np.array_equal(np.dstack(planes), pixels)
    assert image.info.depth == 16
    assert image.pixels.dtype == np.uint16


def test_sixteen_bit_pixmap(tmp_path: Path) -> None:
    """A 16-bit PPM stays exact, and OpenCV reads what is written."""
    pixels = noise(200, 33, 3, np.uint16)
    source = tmp_path / "in.ppm"
    source.write_bytes(cv2.imencode(".ppm", pixels[..., ::-1])[1].tobytes())
    target = rewrite(source, tmp_path / "out.ppm")
    assert np.array_equal(read(target).pixels, pixels)
    other = cv2.imdecode(np.frombuffer(target.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert other is not None
    assert np.array_equal(other[..., ::-1], pixels)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P1\n# a comment\n3 2\n101\n0 1 0\n", [[0, 255, 0], [255, 0, 255]]),
        (b"P2 2 2 # x\n 15\n0 15 5 10\n", [[0, 255], [85, 170]]),
        (b"P4\n3 2\n\xa0\x40", [[0, 255, 0], [255, 0, 255]]),
        (b"P5 2 1 1023\n\x03\xff\x00\x00", [[65535, 0]]),
    ],
)
def test_portable_maps(tmp_path: Path, data: bytes, expected: list[list[int]]) -> None:
    """Plain and raw PNM files are read, any largest value scaled to the full range."""
    source = tmp_path / "in.pnm"
    source.write_bytes(data)
    assert read(source).pixels[..., 0].tolist() == expected
    again = read(rewrite(source, tmp_path / "out.pnm"))
    assert again.pixels[..., 0].tolist() == expected


def test_float_tiff(tmp_path: Path) -> None:
    """A floating-point TIFF keeps its samples, below black and above white too."""
    pixels = np.random.default_rng(1).random((20, 30, 3), dtype=np.float32)
    pixels[3, 4] = -0.1, 1.5, 4  # as raw developers write
    image = read(rewrite(vips_save(tmp_path / "in.tif", pixels), tmp_path / "out.tif"))
    assert np.array_equal(image.pixels, pixels)
    assert image.info.depth == 32


@pytest.mark.parametrize("value", [np.nan, np.inf, -255, 20])
def test_float_out_of_range(tmp_path: Path, value: float) -> None:
    """NaN, infinity and samples on a scale to 255 are refused."""
    pixels = np.full((8, 8, 1), 0.5, np.float32)
    pixels[3, 4] = value
    with pytest.raises(ImageError, match="another scale than 0 to 1"):
        read(vips_save(tmp_path / "in.tif", pixels))


def test_other_samples(tmp_path: Path) -> None:
    """Lab, signed and long samples are refused, and the message says what they are."""
    lab = tmp_path / "lab.tif"
    pyvips.Image.black(8, 8, bands=3).colourspace("lab").write_to_file(str(lab))
    with pytest.raises(ImageError, match="lab"):
        Reader(lab)
    signed = tmp_path / "signed.tif"
    for kind, told in (("int", "type int32"), ("char", "type int8"), ("double", "64 bits")):
        pyvips.Image.black(8, 8).cast(kind).write_to_file(str(signed))
        with pytest.raises(ImageError, match=f"samples of {told} are not read; convert them to"):
            Reader(signed)


@pytest.mark.parametrize(
    ("channels", "colours", "told"),
    [
        (2, 1, None),
        (3, 1, "grey with 2 extra channels is not read; save the channels as files of their own"),
        (4, 1, "grey with 3 extra channels is not read"),
        (5, 2, "RGB with 2 extra channels is not read"),
        (3, 32803, "3 channels of multiband are not read; convert them to grey or RGB"),
    ],
)
def test_channels_that_are_no_colours(
    tmp_path: Path, channels: int, colours: int, told: str | None
) -> None:
    """Masks and depth beside grey are not taken for RGB; one extra channel is transparency."""
    source = tmp_path / "a.tif"
    pixels = noise(8, 9, channels)
    vips_save(source, pixels)
    data = source.read_bytes()
    tag = b"\x06\x01\x03\0\x01\0\0\0"  # photometric interpretation, one short
    assert data.count(tag) == 1
    place = data.index(tag) + len(tag)
    source.write_bytes(data[:place] + struct.pack("<H", colours) + data[place + 2 :])
    if told:
        with pytest.raises(ImageError, match=rf"a\.tif: {told}"):
            Reader(source)
    else:
        page = read(rewrite(source, tmp_path / "out.tif"))
        assert page.alpha is not None
        assert np.array_equal(np.dstack((page.pixels, page.alpha)), pixels)


@pytest.mark.parametrize("transparent", [False, True])
def test_palette_png(tmp_path: Path, transparent: bool) -> None:
    """A palette becomes colour, its transparent entry alpha."""
    image = Pillow.fromarray(smooth(64, 64)).quantize(16)
    options: dict[str, Any] = {"transparency": 3} if transparent else {}
    image.save(tmp_path / "in.png", **options)
    result = read(rewrite(tmp_path / "in.png", tmp_path / "out.png"))
    expected = np.asarray(image.convert("RGB"))
    assert np.array_equal(result.pixels, expected)
    assert result.info.depth == 8
    if transparent:
        assert result.alpha is not None
        assert np.array_equal(result.alpha == 0, np.asarray(image) == 3)


def test_palette_bmp(tmp_path: Path) -> None:
    """A BMP with a palette becomes colour."""
    image = Pillow.fromarray(smooth(32, 32)).quantize(16)
    image.save(tmp_path / "in.bmp")
    assert np.array_equal(read(tmp_path / "in.bmp").pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("ink", [(150, 150, 150), (200, 0, 0)])
def test_palette_tiff_of_one_bit(tmp_path: Path, ink: tuple[int, int, int]) -> None:
    """Two colours that are not black and white stay what they are: eight bits come out."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (16, 24), np.uint8)
    data, colours = np.packbits(bits, axis=1).tobytes(), (ink, (255, 255, 255))
    palette = struct.pack("<6H", *(257 * colour[band] for band in range(3) for colour in colours))
    start = 8 + len(data)
    tags = [(256, 1, 24), (257, 1, 16), (258, 1, 1), (259, 1, 1), (262, 1, 3), (273, 1, 8),
            (277, 1, 1), (278, 1, 16), (279, 1, len(data)), (320, 6, start)]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 3, count, value) for tag, count, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    header = struct.pack("<2sHI", b"II", 42, start + len(palette))
    (tmp_path / "in.tif").write_bytes(header + data + palette + directory)
    result = read(rewrite(tmp_path / "in.tif", tmp_path / "out.tif"))
    expected = np.where(bits[..., None], 255, np.array(ink, np.uint8))
    assert np.array_equal(np.broadcast_to(result.pixels, expected.shape), expected)
    assert result.info.depth == 8


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "jpeg"])
def test_tiff_in_ycbcr(tmp_path: Path, compression: str) -> None:
    """What libvips would take for red, green and blue is refused with a reason; JPEG is read."""
    image = Pillow.fromarray(smooth(64, 64))
    image.convert("YCbCr").save(tmp_path / "a.tif", compression=compression)
    if compression == "jpeg":
        assert np.abs(read(tmp_path / "a.tif").pixels - np.asarray(image, int)).mean() < 3
    else:
        with (
            pytest.raises(ImageError, match=r"a\.tif: a TIFF in YCbCr .* convert it to RGB"),
            Reader(tmp_path / "a.tif"),
        ):
            pass


@pytest.mark.parametrize("quality", [60, 95, 98])
def test_jpegs_in_a_tiff_keep_their_quality(tmp_path: Path, quality: int) -> None:
    """They are compressed as they were, or better, so that what was not changed hardly changes."""
    image = Pillow.fromarray(smooth(64, 64))
    image.save(tmp_path / "in.tif", compression="jpeg", quality=quality)
    target = rewrite(tmp_path / "in.tif", tmp_path / "out.tif")
    before, after = read(tmp_path / "in.tif"), read(target)
    assert before.info.quality == quality
    assert after.info.quality == max(90, quality)
    assert np.abs(after.pixels.astype(int) - before.pixels).mean() < (1.5 if quality == 60 else 0.6)
    asked = rewrite(tmp_path / "in.tif", tmp_path / "asked.tif", quality=40)
    assert read(asked).info.quality == 40


def test_pgm_of_one_bit(tmp_path: Path) -> None:
    """What its name calls grey is grey inside, though two values are all it holds."""
    (tmp_path / "in.pbm").write_bytes(b"P4 16 2\n" + bytes([0b10100000, 1, 0xFF, 0]))
    target = rewrite(tmp_path / "in.pbm", tmp_path / "out.pgm")
    assert target.read_bytes()[:2] == b"P5"
    assert np.array_equal(read(target).pixels, read(tmp_path / "in.pbm").pixels)


@pytest.mark.parametrize(("suffix", "options"), [("jpg", {"quality": 100}), ("tif", {})])
def test_cmyk(tmp_path: Path, suffix: str, options: dict[str, Any]) -> None:
    """CMYK becomes sRGB the right way round, and the CMYK profile goes."""
    pixels = np.zeros((32, 96, 4), np.uint8)
    pixels[:, 32:64, 1:3] = 255  # magenta and yellow: red
    pixels[:, 64:, 3] = 255
    source = tmp_path / f"in.{suffix}"
    Pillow.fromarray(pixels, mode=None).convert("RGB")  # 4 channels arrive as RGBA
    Pillow.frombytes("CMYK", (96, 32), pixels.tobytes()).save(source, icc_profile=ICC, **options)
    # The profile is one for RGB and of no use: libvips falls back on its own.
    target = rewrite(source, tmp_path / f"out.{suffix}")
    result = read(target)
    white, red, black = (result.pixels[16, x].astype(int) for x in (10, 48, 86))
    assert white.min() > 250
    assert red[0] > 180
    assert red[1:].max() < 80
    assert black.max() < 70
    assert result.info.metadata.icc is None
    with Pillow.open(target) as image:
        assert (image.mode, image.info.get("icc_profile")) == ("RGB", None)


@pytest.mark.parametrize("compression", ["group4", "tiff_adobe_deflate", "packbits"])
def test_bilevel_tiff(tmp_path: Path, compression: str) -> None:
    """A black-and-white TIFF stays one, with its compression; in between counts by half."""
    bits = noise(64, 100, 1)[..., 0] > 127
    save(tmp_path / "in.tif", bits, compression=compression)
    with Reader(tmp_path / "in.tif") as reader:
        page = reader.page(0)
    assert (page.info.depth, set(np.unique(page.pixels))) == (1, {0, 255})
    page.pixels[:] = np.where(page.pixels == 0, 127, 128)
    with Writer(tmp_path / "out.tif", format="tiff") as writer:
        writer.add(page)
        writer.commit()
    with Pillow.open(tmp_path / "out.tif") as image:
        assert (image.mode, image.info["compression"]) == ("1", compression)
        assert np.array_equal(np.asarray(image), bits)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("white", [255, 1])
def test_bmp_of_few_greys_is_no_bitmap(tmp_path: Path, bits: int, white: int) -> None:
    """Indices of 4 and 8 bits into black and white, or into greys in order."""
    colours = [0, 255] if white == 255 else list(range(1 << bits))
    indices = noise(13, 24, 1)[..., 0] % 2
    rows = indices if bits == 8 else indices[:, ::2] << 4 | indices[:, 1::2]
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))[::-1].astype(np.uint8)
    table = b"".join(bytes([c, c, c, 0]) for c in colours)
    offset = 54 + len(table)
    head = struct.pack("<2sIII", b"BM", offset + rows.size, 0, offset)
    info = struct.pack("<IiiHHIIiiII", 40, 24, 13, 1, bits, 0, rows.size, 0, 0, len(colours), 0)
    (tmp_path / "in.bmp").write_bytes(head + info + table + rows.tobytes())
    with Reader(tmp_path / "in.bmp") as reader:
        assert (reader.depth, reader.channels) == (8, 1)
        assert np.array_equal(reader.page(0).pixels[..., 0], indices * white)


@pytest.mark.parametrize("suffix", ["png", "bmp", "pbm"])
def test_bilevel(tmp_path: Path, suffix: str) -> None:
    """One bit stays one bit."""
    bits = noise(50, 61, 1)[..., 0] > 127
    target = rewrite(save(tmp_path / f"in.{suffix}", bits), tmp_path / f"out.{suffix}")
    with Pillow.open(target) as image:
        assert image.mode == "1"
        assert np.array_equal(np.asarray(image), bits)


@pytest.mark.parametrize("name", ["none", "lzw", "deflate", "packbits", "jpeg"])
def test_tiff_compression(tmp_path: Path, name: str) -> None:
    """A TIFF keeps its compression."""
    source = vips_save(tmp_path / "in.tif", smooth(64, 64), compression=name)
    tags = []
    for path in (source, rewrite(source, tmp_path / "out.tif")):
        with Pillow.open(path) as image:
            tags.append(image.tag_v2[259])  # type: ignore[attr-defined]
    assert tags[0] == tags[1]
    assert np.abs(read(tmp_path / "out.tif").pixels - smooth(64, 64).astype(int)).max() < 12


def test_reduced(tmp_path: Path) -> None:
    """Sixteen bits become eight by rounding, and floating point sixteen."""
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    source = vips_save(tmp_path / "in.png", values)
    result = read(rewrite(source, tmp_path / "out.bmp", "bmp")).pixels
    assert np.array_equal(result, np.rint(values / 257).astype(np.uint8))
    scaled = (values / np.float32(65535)).astype(np.float32)
    source = vips_save(tmp_path / "in.tif", scaled)
    assert np.array_equal(read(rewrite(source, tmp_path / "f.png", "png")).pixels, values)


def test_webp(tmp_path: Path) -> None:
    """Lossless WebP stays lossless, lossy stays lossy, asked-for quality wins."""
    pixels = smooth(64, 80)
    pixels[::7] //= 2
    save(tmp_path / "a.webp", pixels, lossless=True)
    save(tmp_path / "b.webp", pixels, quality=80)
    assert np.array_equal(read(rewrite(tmp_path / "a.webp", tmp_path / "c.webp")).pixels, pixels)
    assert not read(rewrite(tmp_path / "b.webp", tmp_path / "d.webp")).info.lossless
    target = rewrite(tmp_path / "a.webp", tmp_path / "e.webp", quality=50)
    assert not read(target).info.lossless


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("known", [False, True])
def test_webp_keeps_a_resolution_that_exif_lacks(tmp_path: Path, order: str, known: bool) -> None:
    """It stands in EXIF there, whose other tags stay, with what their offsets point to."""
    maker = b"abcdefgh"
    entries = [struct.pack(order + "HHII", 0x010F, 2, 8, 100)]
    if known:  # one that says nothing: it has no unit
        entries += [
            struct.pack(order + "HHII", 0x011A, 5, 1, 108),
            struct.pack(order + "HHII", 0x011B, 5, 1, 108),
            struct.pack(order + "HHIHH", 0x0128, 3, 1, 1, 0),
        ]
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    block = (head + b"".join(entries)).ljust(100, b"\0") + maker + struct.pack(order + "II", 1, 1)
    image = Pillow.fromarray(smooth(40, 30))
    image.save(tmp_path / "a.jpg", dpi=(300, 200), exif=b"Exif\0\0" + block)
    with Pillow.open(tmp_path / "a.jpg") as written:
        assert written.info["jfif_density"] == (300, 200)
    with Pillow.open(rewrite(tmp_path / "a.jpg", tmp_path / "a.webp", "webp")) as image:
        tags = dict(image.getexif())
    assert tags[0x010F] == "abcdefgh"
    assert (float(tags[0x011A]), float(tags[0x011B]), tags[0x0128]) == (300, 200, 2)
    with Reader(tmp_path / "a.webp") as reader:
        assert reader.page(0).info.metadata.dpi == (300, 200)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_avif(tmp_path: Path, bits: int) -> None:
    """AVIF is read and written with its depth."""
    pixels = smooth(64, 64) if bits == 8 else smooth(64, 64).astype(np.uint16) * 257
    source = vips_save(tmp_path / "in.avif", pixels, bitdepth=bits, lossless=True)
    target = rewrite(source, tmp_path / "out.avif", quality=95)
    with Reader(target) as reader:
        result = reader.page(0)
        assert (reader.format, reader.depth) == ("avif", 8 if bits == 8 else 16)
    assert result.info.bits == bits
    difference = np.abs(result.pixels.astype(int) - pixels)
    assert difference.max() <= 6 * (1 if bits == 8 else 257)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_jpeg_2000(tmp_path: Path, kind: Any) -> None:
    """JPEG 2000 is read, colours in order, and written as PNG."""
    pixels = smooth(64, 80).astype(kind) * (1 if kind is np.uint8 else 257)
    source = tmp_path / "in.jp2"
    source.write_bytes(cv2.imencode(".jp2", pixels[..., ::-1])[1].tobytes())
    with Reader(source) as reader:
        assert (reader.format, reader.width, reader.height) == ("jp2", 80, 64)
        assert reader.depth == 8 * np.dtype(kind).itemsize
    result = read(rewrite(source, tmp_path / "out.png", "png"))
    assert np.abs(result.pixels.astype(int) - pixels).max() <= (4 if kind is np.uint8 else 1024)


def jp2(
    path: Path, image: Pillow.Image, extra: bytes = b"", inner: bytes = b"", **how: Any
) -> Path:
    """A lossless JPEG 2000 with boxes put before its codestream, and into its header box."""
    stream = io.BytesIO()
    image.save(stream, "JPEG2000", **how)
    whole = stream.getvalue()
    place = whole.index(b"jp2h") - 4
    end = place + int.from_bytes(whole[place : place + 4], "big")
    size = (end - place + len(inner)).to_bytes(4, "big")
    path.write_bytes(whole[:place] + size + whole[place + 4 : end] + inner + extra + whole[end:])
    return path


def box(kind: bytes, data: bytes) -> bytes:
    return (len(data) + 8).to_bytes(4, "big") + kind + data


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16", "YCbCr", "offset", "far"])
def test_kinds_of_jpeg_2000(tmp_path: Path, mode: str) -> None:
    """Alpha, sYCC, an image that begins inside its canvas, a long box before the pixels."""
    source, pixels = tmp_path / "in.jp2", smooth(64, 80)
    how: dict[str, Any] = {}
    image, extra = Pillow.fromarray(pixels), b""
    if mode == "offset":
        how = {"offset": (13, 7), "tile_offset": (0, 0), "tile_size": (93, 71)}
    elif mode == "far":
        extra = box(b"xml ", b"<a>" + b" " * 100_000 + b"</a>")
    elif mode == "I;16":
        image = Pillow.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Pillow.fromarray(pixels[..., 1]))
    page = read(jp2(source, image, extra, **how))
    if mode in ("L", "LA"):
        np.testing.assert_array_equal(page.pixels[..., 0], np.asarray(image.getchannel(0)))
    elif mode == "I;16":
        np.testing.assert_array_equal(page.pixels[..., 0], np.asarray(image))
    else:
        near = 4 if mode == "YCbCr" else 0
        assert np.abs(page.pixels.astype(int) - pixels).max() <= near
    assert (page.alpha is not None) == (mode in ("LA", "RGBA"))
    if page.alpha is not None:
        np.testing.assert_array_equal(page.alpha, pixels[..., 1])


@pytest.mark.parametrize(
    ("inner", "what"),
    [
        (box(b"colr", b"\1\0\1\0\0\0\x0c"), "CMYK"),
        (box(b"colr", b"\2\0\0" + b" " * 16 + b"CMYK"), "CMYK"),
        (box(b"pclr", b"\0\1\3\7\7\7\0\0\0"), "a palette"),
        (box(b"cdef", struct.pack(">10H", 3, 0, 0, 3, 1, 0, 2, 2, 0, 1)), "an odd order"),
        (box(b"cdef", struct.pack(">4H", 1, 3, 2, 0)), "an odd order"),
    ],
)
def test_rare_kinds_of_jpeg_2000_are_refused(tmp_path: Path, inner: bytes, what: str) -> None:
    """They would come out in wrong colours."""
    image = Pillow.fromarray(smooth(30, 40)).convert("RGBA")
    with pytest.raises(ImageError, match=what):
        Reader(jp2(tmp_path / "in.jp2", image, inner=inner))


@pytest.mark.parametrize("inner", [b"", box(b"colr", b"")])
def test_odd_boxes_of_jpeg_2000_do_no_harm(tmp_path: Path, inner: bytes) -> None:
    """Boxes in boxes without end, and empty ones that Pillow stumbles over."""
    for _ in range(3000):
        inner = box(b"res ", inner)
    source = jp2(tmp_path / "in.jp2", Pillow.fromarray(smooth(30, 40)), inner=inner)
    np.testing.assert_array_equal(read(source).pixels, smooth(30, 40))


def test_jpeg_2000_of_two_sizes_is_refused(tmp_path: Path) -> None:
    """A bomb: the box of the header says another size than the pixels'."""
    source = jp2(tmp_path / "in.jp2", Pillow.fromarray(smooth(30, 40)))
    whole = source.read_bytes()
    place = whole.index(b"ihdr") + 4
    source.write_bytes(whole[:place] + struct.pack(">2I", 60_000, 60_000) + whole[place + 8 :])
    with pytest.raises(ImageError, match="differ in size"):
        read(source)


def test_jpeg_2000_keeps_profile_and_resolution(tmp_path: Path) -> None:
    """Colours of another space than sRGB would look wrong without it."""
    profile = codecs.display_p3()
    colr = box(b"colr", b"\2\0\0" + profile)
    metre = struct.pack(">4H2b", 11811, 1, 11811, 1, 0, 0)
    inner = colr + box(b"res ", box(b"resc", metre))
    source = jp2(tmp_path / "in.jp2", Pillow.fromarray(smooth(30, 40)), inner=inner)
    out = rewrite(source, tmp_path / "out.png", "png")
    with Pillow.open(out) as result:
        assert result.info["icc_profile"] == profile
        assert result.info["dpi"] == pytest.approx((300, 300), abs=0.01)


def test_gif(tmp_path: Path) -> None:
    """A still GIF is read."""
    image = Pillow.fromarray(smooth(16, 16)).quantize(32)
    image.save(tmp_path / "in.gif")
    assert np.array_equal(read(tmp_path / "in.gif").pixels, np.asarray(image.convert("RGB")))


# JPEG


@pytest.mark.parametrize("quality", [*range(50, 96, 5), 10, 30, 99, 100])
def test_quality(tmp_path: Path, quality: int) -> None:
    """The estimated quality is the one that Pillow, OpenCV and libvips were given."""
    pixels = smooth(32, 32)
    save(tmp_path / "a.jpg", pixels, quality=quality)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    (tmp_path / "b.jpg").write_bytes(cv2.imencode(".jpg", pixels, options)[1].tobytes())
    vips_save(tmp_path / "c.jpg", pixels, Q=quality)
    save(tmp_path / "d.jpg", pixels[..., :1], quality=quality)
    found = []
    for name in "abcd":
        with Reader(tmp_path / f"{name}.jpg") as reader:
            found.append(reader.quality)
    assert found == [quality] * 4


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("quality", [40, 93])
def test_jpeg_kept(tmp_path: Path, sampling: str, progressive: bool, quality: int) -> None:
    """A JPEG keeps quality, 90 at least, subsampling and progressiveness, and so about its size."""
    pixels = cv2.GaussianBlur(noise(120, 160, 3), (0, 0), 2)
    options = {"quality": quality, "subsampling": sampling, "progressive": progressive}
    source = save(tmp_path / "in.jpg", pixels, **options)
    target = rewrite(source, tmp_path / "out.jpg")
    first, second = read(source), read(target)
    assert second.info.sampling == sampling.replace(":", "")
    assert (second.info.quality, second.info.progressive) == (max(90, quality), progressive)
    assert np.abs(first.pixels.astype(int) - second.pixels).mean() < 2
    if quality >= 90:
        assert target.stat().st_size < 1.1 * source.stat().st_size
    with Pillow.open(target) as image:
        assert np.abs(np.asarray(image).astype(int) - second.pixels).mean() < 2


def test_grey_jpeg(tmp_path: Path) -> None:
    """A grey JPEG stays grey; without a JPEG source quality is 92."""
    source = save(tmp_path / "in.png", smooth(32, 32)[..., :1])
    target = rewrite(source, tmp_path / "out.jpg", "jpeg")
    with Reader(target) as reader:
        assert (reader.channels, reader.quality) == (1, 92)
        assert np.abs(reader.page(0).pixels.astype(int) - read(source).pixels).max() < 8


def test_jpeg_alpha(tmp_path: Path) -> None:
    """Transparency is not lost in a JPEG but refused, with the cure."""
    source = save(tmp_path / "in.png", noise(8, 8, 4))
    with pytest.raises(ImageError, match="--format png"):
        rewrite(source, tmp_path / "out.jpg", "jpeg")
    assert [p.name for p in tmp_path.iterdir()] == ["in.png"]


# Metadata


@pytest.mark.parametrize("source", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("target", ["jpg", "png", "tif", "webp"])
def test_metadata(tmp_path: Path, source: str, target: str) -> None:
    """Profile, EXIF with its MakerNote, XMP and orientation survive every conversion."""
    options: dict[str, Any] = {"icc_profile": ICC, "exif": exif(6), "dpi": (300, 300), "xmp": XMP}
    path = tmp_path / f"in.{source}"
    if source == "png":
        text = __import__("PIL.PngImagePlugin").PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["pnginfo"] = text
    if source == "tif":
        options["exif"] = exif(6, {700: XMP, 305: "scanner 1.0"})
    save(path, smooth(24, 36), **options)
    result = rewrite(path, tmp_path / f"out.{target}", images.SUFFIXES[f".{target}"])
    profile, camera, inner, packet = metadata_of(result)
    assert profile == ICC
    assert camera == ("Canon", "EOS 5D", 6)
    assert inner == ("2020:01:02 03:04:05", MAKER_NOTE)
    assert (packet or b"") in (XMP, XMP.decode()) or XMP in bytes(packet)
    page = read(result)
    assert page.info.orientation == 6
    assert page.pixels.shape == (24, 36, 3)
    assert page.info.metadata.xmp == XMP
    if "webp" not in (source, target):
        assert page.info.dpi == (300, 300)


def test_avif_without_resolution_gets_none(tmp_path: Path) -> None:
    """Beside any EXIF block libvips writes 25.4 dots per inch."""
    source = save(tmp_path / "in.jpg", smooth(20, 30), exif=exif())
    target = rewrite(source, tmp_path / "out.avif", "avif")
    assert read(target).info.dpi is None
    with Pillow.open(target) as image:
        tags = image.getexif()
        assert tags[271] == "Canon" and tags.get(296, 1) == 1


def test_avif_with_a_film_is_refused(tmp_path: Path) -> None:
    """One of its images would be read: the others would be lost."""
    source = vips_save(tmp_path / "in.avif", noise(20, 30, 3))
    source.write_bytes(source.read_bytes() + b"\0\0\0\x08moov")
    with pytest.raises(ImageError, match=r"in\.avif: an animated image; extract its frames"):
        read(source)


def test_notes_of_a_tiff_are_kept(tmp_path: Path) -> None:
    """Annotations, what a fax machine noted, and private text; layers of the old pixels are not."""
    tags = {32932: b"note" * 9, 34909: "5551", 36867: "2001:02:03 04:05:06", 65000: "shelf 7"}
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for number, value in {**tags, 37724: b"layers"}.items():
        directory.tagtype[number] = 2 if isinstance(value, str) else 1
        directory[number] = value
    save(tmp_path / "in.tif", noise(20, 30, 1), tiffinfo=directory)
    with Pillow.open(rewrite(tmp_path / "in.tif", tmp_path / "out.tif")) as image:
        kept = image.tag_v2  # type: ignore[attr-defined]  # a TIFF's
        assert {number: kept[number] for number in tags} == tags
        assert 37724 not in kept


def test_avif_metadata(tmp_path: Path) -> None:
    """AVIF keeps profile and camera; the orientation goes into the pixels, as it has no place."""
    pixels = smooth(24, 36)
    source = save(tmp_path / "in.jpg", pixels, icc_profile=ICC, exif=exif(6), quality=100)
    page = read(rewrite(source, tmp_path / "out.avif", "avif", quality=100))
    assert page.pixels.shape == (36, 24, 3)
    assert np.abs(page.pixels.astype(int) - np.rot90(pixels, -1)).mean() < 4
    assert (page.info.orientation, page.info.metadata.icc) == (1, ICC)
    with Pillow.open(tmp_path / "out.avif") as image:
        assert image.getexif().get(271) == "Canon"
        assert image.getexif().get(274, 1) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_rotated(tmp_path: Path, orientation: int) -> None:
    """A format without orientation gets rotated pixels, as Pillow would rotate them."""
    from PIL import ImageOps

    path = save(tmp_path / "in.png", smooth(5, 9), exif=exif(orientation))
    with Pillow.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    result = read(rewrite(path, tmp_path / "out.ppm", "pnm"))
    assert np.array_equal(result.pixels, expected)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "bmp"])
@pytest.mark.parametrize("dpi", [72, 96, 300, 600, None])
def test_dpi(tmp_path: Path, suffix: str, dpi: int | None) -> None:
    """The resolution is the same number after as before, and none stays none."""
    options = {"dpi": (dpi, dpi)} if dpi else {}
    path = save(tmp_path / f"in.{suffix}", noise(9, 9, 3), **options)
    if suffix == "bmp" and not dpi:
        data = bytearray(path.read_bytes())
        data[38:46] = bytes(8)
        path.write_bytes(data)
    target = rewrite(path, tmp_path / f"out.{suffix}")
    with Pillow.open(path) as one, Pillow.open(target) as two:
        before, after = one.info.get("dpi"), two.info.get("dpi")
    if dpi:
        assert after == before
        assert read(target).info.dpi == (dpi, dpi)
    else:
        assert read(target).info.dpi is None
    for other in ("png", "tif", "jpg", "bmp"):
        result = rewrite(path, tmp_path / f"b.{other}", images.SUFFIXES[f".{other}"])
        assert read(result).info.dpi == ((dpi, dpi) if dpi else None)


def test_own_blocks(tmp_path: Path) -> None:
    """Comments, IPTC, text and gamma of a file that keeps its format are copied."""
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x08\x1c\x02\x78\0\x03abc"
    plain = io.BytesIO()
    Pillow.fromarray(smooth(8, 8)).save(plain, "JPEG", comment=b"hello")
    data = plain.getvalue()
    segment = b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc
    (tmp_path / "a.jpg").write_bytes(data[:2] + segment + data[2:])
    target = rewrite(tmp_path / "a.jpg", tmp_path / "b.jpg")
    assert segment in target.read_bytes()
    with Pillow.open(target) as image:
        assert image.info["comment"] == b"hello"
    page = read(rewrite(target, tmp_path / "c.tif", "tiff"))
    assert page.info.metadata.iptc == b"\x1c\x02\x78\0\x03abc"
    assert iptc in rewrite(tmp_path / "c.tif", tmp_path / "d.jpg", "jpeg").read_bytes()

    text = __import__("PIL.PngImagePlugin").PngImagePlugin.PngInfo()
    text.add_text("Title", "A page")
    text.add(b"gAMA", struct.pack(">I", 45455))
    save(tmp_path / "a.png", smooth(8, 8), pnginfo=text)
    with Pillow.open(rewrite(tmp_path / "a.png", tmp_path / "b.png")) as image:
        assert image.info["Title"] == "A page"
        assert image.info["gamma"] == pytest.approx(0.45455)


THUMBNAIL = b"\xff\xd8a small picture of the noisy pixels\xff\xd9"


def with_thumbnail(block: bytes, begin: int = 0, behind: bytes = b"") -> bytes:
    """An EXIF block with a second directory, whose picture begins at `begin` or behind it."""
    order = "<" if block[:2] == b"II" else ">"
    second = len(block)
    first = struct.unpack_from(order + "I", block, 4)[0]
    link = first + 2 + 12 * struct.unpack_from(order + "H", block, first)[0]
    assert block[link : link + 4] == bytes(4)
    place = begin or second + 2 + 3 * 12 + 4
    directory = struct.pack(
        order + "HHHIHHHHIIHHIII",
        3, 259, 3, 1, 6, 0, 513, 4, 1, place, 514, 4, 1, len(THUMBNAIL), 0,
    )  # fmt: skip
    whole = block[:link] + struct.pack(order + "I", second) + block[link + 4 :] + directory
    return whole + THUMBNAIL + behind


@pytest.mark.parametrize("source", ["jpg", "png", "webp"])
def test_thumbnails_of_the_old_pixels_go(tmp_path: Path, source: str) -> None:
    """Nothing shows a picture as it was before; the rest of EXIF stays as it is."""
    path = tmp_path / f"a.{source}"
    block = exif().removeprefix(b"Exif\0\0")
    save(path, smooth(20, 30), exif=b"Exif\0\0" + with_thumbnail(block))
    assert THUMBNAIL in path.read_bytes()
    for suffix in ("jpg", "png", "webp", "tif", "avif"):
        target = rewrite(path, tmp_path / f"b.{suffix}", images.SUFFIXES[f".{suffix}"])
        assert THUMBNAIL not in target.read_bytes()
        if suffix in ("jpg", "png", "webp"):
            assert read(target).info.metadata.exif == block


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_lies_around_a_thumbnail_stays(order: str) -> None:
    """Its bytes are cut off or blanked, but for those that another tag has too."""
    main = (b"II" if order == "<" else b"MM", 42, 8, 1, 34665, 4, 1, 26, 0)
    inner = (1, 37500, 7, len(MAKER_NOTE), 44, 0)
    block = struct.pack(order + "2sHIHHHIIIHHHIII", *main, *inner) + MAKER_NOTE
    assert tiff.parse_block(block)[34665] == {37500: tiff.raw(MAKER_NOTE)}
    assert tiff.without_thumbnail(block) == block
    assert tiff.without_thumbnail(with_thumbnail(block)) == block
    assert tiff.without_thumbnail(with_thumbnail(block, behind=bytes(9))) == block
    inside = with_thumbnail(block, behind=b"a preview")
    blank = bytes(len(inside) - len(block) - 9)
    assert tiff.without_thumbnail(inside) == block + blank + b"a preview"
    overlapping = with_thumbnail(block, begin=block.index(MAKER_NOTE) + 9)
    rest = tiff.without_thumbnail(overlapping)
    assert rest == block + overlapping[len(block) :]
    for size in range(0, len(inside), 7):  # damaged blocks do no harm
        tiff.without_thumbnail(inside[:size])


@pytest.mark.parametrize(
    ("marker", "lost"),
    [
        (0xE0, b"JFXX\0\x10" + THUMBNAIL),
        (0xE2, b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0"),
        (0xE2, b"MPF\0II*\0"),
    ],
)
def test_segments_about_other_pictures_go(tmp_path: Path, marker: int, lost: bytes) -> None:
    """JFIF's thumbnail, and what points to a gain map or to further pictures."""
    data = save(tmp_path / "a.jpg", smooth(8, 8)).read_bytes()
    segment = struct.pack(">BBH", 0xFF, marker, len(lost) + 2) + lost
    (tmp_path / "a.jpg").write_bytes(data[:20] + segment + data[20:])
    assert read(tmp_path / "a.jpg").pixels.shape == (8, 8, 3)
    assert lost not in rewrite(tmp_path / "a.jpg", tmp_path / "b.jpg").read_bytes()


PROMISING = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"
  xmlns:C='http://ns.google.com/photos/1.0/container/'
  xmlns:Item="http://ns.google.com/photos/1.0/container/item/"
  xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" xmlns:o="urn:other"[1]
  dc:format="a > b" GCamera:SpecialTypeID="x" o:MotionPhoto="1" hdrgm:BaseRenditionIsHDR="False"[2]>
 [3]<dc:title>GCamera:MotionPhoto="1" & more</dc:title>[4]
 <o:Directory>stays</o:Directory>[5]
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>""".replace(b"& more", b"&amp; more")
PROMISES = (
    b' hdrgm:Version="1.0"\n GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion = "1"',
    b" GCamera:MicroVideoOffset='123'\n  GCamera:MotionPhotoPresentationTimestampUs='-1'",
    b"<GCamera:MicroVideo>1</GCamera:MicroVideo>",
    b'<C:Directory><rdf:Seq><rdf:li><C:Item Item:Mime="video/mp4"/></rdf:li></rdf:Seq>\n'
    b"</C:Directory><hdrgm:Version />",
    b'<hdrgm:Version rdf:x="1">1.0</hdrgm:Version >',
)


@pytest.mark.parametrize("source", ["jpg", "png", "packed.png", "webp", "tif"])
def test_what_is_lost_is_announced_no_more(tmp_path: Path, source: str) -> None:
    """A motion photo's film and a gain map go, and so does what promises them, but nothing else."""
    promising = honest = PROMISING
    for number, promise in enumerate(PROMISES, 1):
        promising = promising.replace(b"[%d]" % number, promise)
        honest = honest.replace(b"[%d]" % number, b"")
    path = tmp_path / f"a.{source}"
    options: dict[str, Any] = {"xmp": promising}
    if source.endswith("png"):
        text = __import__("PIL.PngImagePlugin").PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", promising.decode(), zip=source == "packed.png")
        options = {"pnginfo": text}
    elif source == "tif":
        options = {"tiffinfo": {700: promising}}
    save(path, smooth(20, 30), **options)
    assert b"[" not in promising
    for suffix in ("jpg", "png", "webp", "tif", path.suffix[1:]):
        target = rewrite(path, tmp_path / f"b.{suffix}", images.SUFFIXES[f".{suffix}"])
        assert read(target).info.metadata.xmp == honest
        with Pillow.open(target) as image:
            found = image.info.get("xmp")
        assert found in (honest, honest.decode())


def test_xmp_without_promises_stays() -> None:
    """Byte for byte, also where it is damaged."""
    start = b'<r xmlns:G="http://ns.google.com/photos/1.0/camera/" '
    for packet in (XMP, b"", b"no XML", start, start + b"><G:MotionPhoto>1", start * 1000):
        assert without_promises(packet) == packet


def test_turned_metadata() -> None:
    """Of a quarter turn width and height change places in EXIF too, and so does the resolution."""
    for orientation in range(1, 9):
        tags = Pillow.Exif()
        tags[274], tags[282], tags[283], tags[296] = orientation, 204, 98, 2
        tags.get_ifd(0x8769).update({0xA002: 300, 0xA003: 70000, 0x927C: MAKER_NOTE})
        meta = metadata.from_blocks(exif=tags.tobytes())
        assert meta.dpi == (204, 98)
        upright = meta.upright()
        assert upright.exif is not None
        found = tiff.parse_block(upright.exif)
        inner, x = found[34665], found[282]
        assert isinstance(inner, dict)
        assert isinstance(x, tiff.Tag)
        sizes = [tag.numbers()[0] for n in (40962, 40963) if isinstance(tag := inner[n], tiff.Tag)]
        quarter = orientation > 4
        assert upright.orientation == 1
        assert sizes == ([70000, 300] if quarter else [300, 70000])
        assert upright.dpi == ((98, 204) if quarter else (204, 98))
        assert x.ratio() == (98 if quarter else 204)
        assert len(upright.exif) == len(tags.tobytes().removeprefix(b"Exif\0\0"))
        assert MAKER_NOTE in upright.exif


@pytest.mark.parametrize("odd", [b"", b"x"])
def test_comments_in_utf_16_are_turned(tmp_path: Path, odd: bytes) -> None:
    """Of big-endian EXIF, a comment's letters are as its numbers."""
    note = b"UNICODE\0" + "Grüße".encode("utf-16-be") + odd
    inner = struct.pack(">HHHII", 1, 37510, 7, len(note), 44) + bytes(4)
    block = struct.pack(">2sHIHHHIII", b"MM", 42, 8, 1, 34665, 4, 1, 26, 0) + inner + note
    source = save(tmp_path / "a.jpg", smooth(8, 8), exif=b"Exif\0\0" + block)
    target = rewrite(source, tmp_path / "a.tif", "tiff")
    with Pillow.open(target) as image:
        found = image.getexif().get_ifd(0x8769)[37510]
    assert found == b"UNICODE\0" + "Grüße".encode("utf-16-le") + odd
    assert read(rewrite(source, tmp_path / "b.jpg")).info.metadata.exif == block


def test_damaged_metadata(tmp_path: Path) -> None:
    """Senseless EXIF is no reason to lose a picture."""
    source = save(tmp_path / "in.jpg", smooth(8, 8), exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    for suffix in ("jpg", "png", "tif", "webp"):
        kind = images.SUFFIXES[f".{suffix}"]
        assert read(rewrite(source, tmp_path / f"out.{suffix}", kind)).info.orientation == 1
    cut = save(tmp_path / "cut.png", smooth(8, 8), exif=b"II*\0\x08\0\0\0")
    assert np.array_equal(read(cut).upright().pixels, smooth(8, 8))


@pytest.mark.parametrize("turn", [0, 9])
@pytest.mark.parametrize("pages", [1, 2])
def test_senseless_orientation(tmp_path: Path, turn: int, pages: int) -> None:
    """An orientation that is none is none: libtiff would refuse a file that says it."""
    source = tmp_path / "in.tif"
    images_ = [Pillow.fromarray(noise(20, 30, 3)) for _ in range(pages)]
    images_[0].save(source, tiffinfo={274: turn}, save_all=True, append_images=images_[1:])
    photo = save(tmp_path / "in.jpg", noise(20, 30, 3), exif=exif(turn))
    for number, origin in enumerate((source, photo)):
        target = rewrite(origin, tmp_path / f"out{number}.tif", "tiff")
        with Pillow.open(target) as image:
            assert 274 not in image.tag_v2  # type: ignore[attr-defined]
        assert np.array_equal(read(target).pixels, read(origin).pixels)
    assert np.array_equal(read(source).pixels, np.asarray(images_[0]))


def test_premultiplied_alpha(tmp_path: Path) -> None:
    """Colours that were multiplied by alpha are divided by it, and the file says so."""
    source = tmp_path / "in.tif"
    Pillow.new("RGBA", (8, 8), (60, 64, 100, 128)).save(source)
    tag = b"\x52\x01\x03\0\x01\0\0\0"  # extra samples, one short
    data = source.read_bytes()
    assert data.count(tag + b"\x02") == 1
    source.write_bytes(data.replace(tag + b"\x02", tag + b"\x01"))
    target = rewrite(source, tmp_path / "out.tif")
    assert target.read_bytes().count(tag + b"\x02") == 1
    with Pillow.open(target) as image:
        assert np.abs(np.asarray(image)[0, 0].astype(int) - (120, 128, 199, 128)).max() <= 1
    assert np.array_equal(read(target).pixels, read(source).pixels)


# Pages


def pages_of(path: Path) -> list[np.ndarray]:
    return [read(path, index).pixels for index in range(4)]


def mixed_tiff(path: Path) -> Path:
    first = Pillow.fromarray(smooth(40, 60))
    others = [
        Pillow.fromarray(noise(30, 20, 1)[..., 0]),
        Pillow.fromarray(noise(50, 70, 1)[..., 0] > 127),
        Pillow.fromarray(noise(10, 80, 1, np.uint16)[..., 0]),
    ]
    with TiffImagePlugin.AppendingTiffWriter(str(path), new=True) as file:
        for number, page in enumerate([first, *others]):
            info = {269: f"page {number}"}
            kind = "group4" if page.mode == "1" else "tiff_lzw"
            dpi = 100.0 * (number + 1)
            page.save(file, "TIFF", compression=kind, dpi=(dpi, dpi), tiffinfo=info)
            file.newFrame()
    file.close = lambda: None  # type: ignore[method-assign]  # Python 3.13 closes it once more
    return path


def test_pages(tmp_path: Path) -> None:
    """Pages of differing size, depth, compression and resolution all come through."""
    source = mixed_tiff(tmp_path / "in.tif")
    target = rewrite(source, tmp_path / "out.tif")
    for before, after in zip(pages_of(source), pages_of(target), strict=True):
        assert before.dtype == after.dtype
        assert np.array_equal(before, after)
    with Pillow.open(target) as image:
        assert image.n_frames == 4  # type: ignore[attr-defined]
        for number in range(4):
            image.seek(number)
            assert image.info["dpi"] == (100 * (number + 1), 100 * (number + 1))
            assert image.tag_v2[269] == f"page {number}"  # type: ignore[attr-defined]
            assert image.info["compression"] == ("group4" if number == 2 else "tiff_lzw")
            assert np.array_equal(
                np.asarray(image).reshape(-1), (pages_of(source)[number] > 0).reshape(-1)
                if number == 2 else pages_of(source)[number].reshape(-1),
            )  # fmt: skip
    whole = [pyvips.Image.new_from_file(str(target), page=n) for n in range(4)]
    assert [(w.width, w.height) for w in whole] == [(60, 40), (20, 30), (70, 50), (80, 10)]
    assert whole[0].get("n-pages") == 4


def test_big_endian(tmp_path: Path) -> None:
    """Tags of a big-endian TIFF keep their values in the little-endian copy."""
    source = tmp_path / "in.tif"
    image = Pillow.fromarray(noise(8, 8, 1, np.uint16)[..., 0].astype(">u2"), mode=None)
    image.save(source, dpi=(150, 150), exif=exif(3))
    assert source.read_bytes()[:2] in (b"MM", b"II")
    info = read(rewrite(source, tmp_path / "out.tif")).info
    assert (info.dpi, info.orientation) == ((150, 150), 3)


def test_rare_tiff_tags_stay(tmp_path: Path) -> None:
    """Windows' title and rating, a place on the page, a white point, where a map lies."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[40091], tags.tagtype[40091] = "A title".encode("utf-16-le"), 1
    tags[18246], tags.tagtype[18246] = 4, 3
    tags[286], tags.tagtype[286] = 1.5, 5
    tags[318], tags.tagtype[318] = (0.3127, 0.329), 5
    tags[33550], tags.tagtype[33550] = (0.5, 0.5, 0.0), 12
    tags[34737], tags.tagtype[34737] = "WGS 84|", 2
    source = tmp_path / "map.tif"
    Pillow.fromarray(smooth(30, 40)).save(source, tiffinfo=tags)
    with Pillow.open(source) as before:
        assert isinstance(before, TiffImagePlugin.TiffImageFile)
        wanted = {n: before.tag_v2[n] for n in (40091, 18246, 286, 318, 33550, 34737)}
    with Pillow.open(rewrite(source, tmp_path / "out.tif", "tiff")) as after:
        assert isinstance(after, TiffImagePlugin.TiffImageFile)
        assert {n: after.tag_v2.get(n) for n in wanted} == wanted
    with Pillow.open(rewrite(source, tmp_path / "out.jpg", "jpeg")) as after:
        assert {n: after.getexif().get(n) for n in (18246, 318)} == {18246: 4, 318: wanted[318]}


def test_bigtiff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages too large for a TIFF go into a BigTIFF, tags included."""
    monkeypatch.setattr(writing, "_CLASSIC_LIMIT", 100)
    source = mixed_tiff(tmp_path / "in.tif")
    target = rewrite(source, tmp_path / "out.tif")
    assert target.read_bytes()[:4] == b"II\x2b\0"
    for before, after in zip(pages_of(source), pages_of(target), strict=True):
        assert np.array_equal(before, after)
    assert read(rewrite(target, tmp_path / "again.tif"), 3).info.dpi == (400, 400)


def test_one_page_formats(tmp_path: Path) -> None:
    """Pages are not cut to the first: a format for one page is refused."""
    with pytest.raises(ImageError, match="several pages.*--format tiff"):
        rewrite(mixed_tiff(tmp_path / "in.tif"), tmp_path / "out.png", "png")
    assert [p.name for p in tmp_path.iterdir()] == ["in.tif"]


def test_damaged_page(tmp_path: Path) -> None:
    """A page with damaged data is named, and the pages around it can be read."""
    source = mixed_tiff(tmp_path / "in.tif")
    with Pillow.open(source) as image:
        image.seek(1)
        [place] = image.tag_v2[273]  # type: ignore[attr-defined]
    data = bytearray(source.read_bytes())
    data[place + 50 : place + 150] = b"\xff" * 100
    source.write_bytes(data)
    with Reader(source) as reader:
        assert reader.page(0).pixels.shape == (40, 60, 3)
        with pytest.raises(ImageError, match=r"in\.tif: page 2 of 4.*; if the file is damaged"):
            reader.page(1)
        assert reader.page(2).pixels.shape == (50, 70, 1)


def test_damaged_directory(tmp_path: Path) -> None:
    """A TIFF whose second page cannot be found is no TIFF of one page."""
    source = mixed_tiff(tmp_path / "in.tif")
    data = bytearray(source.read_bytes())
    first = struct.unpack_from("<I", data, 4)[0]
    pointer = first + 2 + 12 * struct.unpack_from("<H", data, first)[0]
    data[pointer : pointer + 4] = struct.pack("<I", len(data) + 1000)
    source.write_bytes(data)
    with Reader(source) as reader:
        assert reader.pages == 2
        assert reader.page(0).pixels.shape == (40, 60, 3)
        with pytest.raises(ImageError, match=r"in\.tif: page 2 of 2.*; if the file is damaged"):
            reader.page(1)


# Refusals


def png_header(width: int, height: int, depth: int = 1) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    body = zlib.compress(bytes((width * depth + 7) // 8 + 1) * min(height, 100))
    end = chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + end


def test_bomb(tmp_path: Path) -> None:
    """A decompression bomb is refused from its header, and the message names the option."""
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png_header(40_000, 40_000))
    with pytest.raises(ImageError, match="40000 x 40000 .* 300 megapixels.*--max-pixels"):
        Reader(bomb)
    with Reader(save(tmp_path / "a.png", noise(10, 10, 1)), max_pixels=100) as reader:
        assert reader.width == 10
    with pytest.raises(ImageError, match="--max-pixels"):
        Reader(tmp_path / "a.png", max_pixels=99)


def test_bomb_page(tmp_path: Path) -> None:
    """Every page is held to the limit, not the first alone."""
    with Reader(mixed_tiff(tmp_path / "in.tif"), max_pixels=3000) as reader:
        reader.page(0)
        with pytest.raises(ImageError, match="70 x 50"):
            reader.page(2)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_animated(tmp_path: Path, suffix: str) -> None:
    """An animation is not cut to its first frame but refused."""
    frames = [Pillow.fromarray(np.full((8, 8), 60 * n, np.uint8)) for n in range(4)]
    source = tmp_path / f"in.{suffix}"
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=100)
    with pytest.raises(ImageError, match="animated image of 4 frames; extract its frames first"):
        Reader(source)


@pytest.mark.parametrize("name", ["a.jpg", "p.jpg", "a.png", "a.tif", "a.webp", "a.bmp", "a.ppm"])
def test_cut_off(tmp_path: Path, name: str) -> None:
    """Half a file is an error, never a grey half of a picture."""
    options = {"progressive": True} if name == "p.jpg" else {}
    source = save(tmp_path / name, noise(200, 200, 3), **options)
    whole = source.read_bytes()
    for size in (len(whole) // 2, len(whole) * 9 // 10, 40, 12):
        source.write_bytes(whole[:size])
        with pytest.raises(ImageError, match=rf"{name}: .*; "):
            read(source)


_CUT_WHILE_DECODED = """
import os, sys
from pathlib import Path
from imgclean import codecs, reading

decode, reading._WHOLE = codecs.vips_pixels, int(sys.argv[1])

def cut(image):
    os.truncate(path, 0)
    return decode(image)

codecs.vips_pixels = cut
for path in map(Path, sys.argv[2:]):
    with reading.Reader(path) as reader:
        try:
            print(reader.page(0).pixels.shape)
        except reading.ImageError as error:
            print(error)
"""


@pytest.mark.parametrize("whole", [0, 64_000_000])
def test_cut_while_decoded(tmp_path: Path, whole: int) -> None:
    """A file that is cut while it is decoded never ends the process, read at once or not."""
    paths = [str(tmp_path / f"a.{suffix}") for suffix in ("jpg", "webp", "gif")]
    for path in paths:
        save(Path(path), noise(300, 300, 3))
    words = [sys.executable, "-c", _CUT_WHILE_DECODED, str(whole), *paths]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    jpeg, *others = done.stdout.splitlines()
    assert others == ["(300, 300, 3)"] * 2
    assert jpeg == "(300, 300, 3)" if whole else "the image cannot be decoded (" in jpeg


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("a.png", "replace it with an intact copy"),
        ("a.jpg", "replace it with an intact copy, else convert it to PNG"),
    ],
)
def test_advice_for_damage(tmp_path: Path, name: str, advice: str) -> None:
    """Nobody is told to convert a PNG to PNG."""
    source = save(tmp_path / name, noise(50, 50, 3))
    whole = source.read_bytes()
    for size in (len(whole) // 2, 30):
        source.write_bytes(whole[:size])
        with pytest.raises(ImageError, match=rf"; if the file is damaged {advice}$"):
            read(source)


@pytest.mark.parametrize("suffix", ["jp2", "avif"])
def test_cut_off_others(tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Half a JPEG 2000 or AVIF is an error, and no library prints its own."""
    source = tmp_path / f"a.{suffix}"
    pixels = noise(100, 100, 3)
    if suffix == "jp2":
        source.write_bytes(cv2.imencode(".jp2", pixels)[1].tobytes())
    else:
        vips_save(source, pixels)
    whole = source.read_bytes()
    for size in (len(whole) // 2, 60):
        source.write_bytes(whole[:size])
        with pytest.raises(ImageError, match=f"a.{suffix}: .*; "):
            read(source)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "an empty file"),
        (b"just some text\n", "not an image"),
        (b"BM just some text that begins like a bitmap", "not an image"),
        (b"\xff\xd8\xff", "cannot be decoded"),
        (b"\x89PNG\r\n\x1a\n", "cannot be decoded"),
        (b"II*\0\x08\0\0\0\0\0", "cannot be decoded"),
        (b"P6 0 4 255\n", "cannot be decoded"),
        (png_header(0, 8), "cannot be decoded"),
        (b"<html>404</html>", "not an image"),
    ],
)
def test_no_image(tmp_path: Path, data: bytes, what: str) -> None:
    """What is no image is told by a message with the path, the matter and the cure."""
    source = tmp_path / "photo.jpg"
    source.write_bytes(data)
    with pytest.raises(ImageError) as caught:
        Reader(source)
    message = str(caught.value)
    assert message.startswith(f"{source}: ")
    assert what in message
    assert "; " in message
    assert "\n" not in message


@pytest.mark.parametrize("cut", range(64))
def test_headers_cut_short(tmp_path: Path, cut: int) -> None:
    """A frame header that lacks its components, and a JPEG 2000 cut anywhere, are damaged files."""
    source = tmp_path / "a.jp2"
    cv2.imwrite(str(source), noise(20, 20, 3))
    source.write_bytes(source.read_bytes()[: 80 + cut])
    with pytest.raises(ImageError):
        Reader(source).page(0)
    lying = tmp_path / "a.jpg"
    whole = save(lying, noise(8, 8, 3)).read_bytes()
    start = whole.index(b"\xff\xc0")
    size = int.from_bytes(whole[start + 2 : start + 4], "big")
    short = min(cut, size - 3)  # at least the length itself and the precision stay
    frame = whole[start + 4 : start + 2 + size - short]
    length = (len(frame) + 2).to_bytes(2, "big")
    lying.write_bytes(whole[: start + 2] + length + frame + whole[start + 2 + size :])
    if short:
        with pytest.raises(ImageError):
            Reader(lying).page(0)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".jpg", ".webp"])
def test_an_absurd_resolution_is_left_out(tmp_path: Path, suffix: str) -> None:
    """A resolution that a format cannot hold does not keep the picture from being written."""
    source = tmp_path / "a.png"
    save(source, noise(8, 8, 3), dpi=(300, 300))
    data = bytearray(source.read_bytes())
    place = data.index(b"pHYs") + 4
    data[place : place + 8] = b"\xff" * 8
    data[place + 9 : place + 13] = zlib.crc32(data[place - 4 : place + 9]).to_bytes(4, "big")
    source.write_bytes(bytes(data))
    target = tmp_path / f"b{suffix}"
    with Reader(source) as reader:
        assert reader.page(0).info.dpi is None
        with Writer(target, format=SUFFIXES[suffix], source=reader) as writer:
            writer.add(reader.page(0))
            writer.commit()
    with Reader(target) as reader:
        assert reader.page(0).info.dpi is None and reader.page(0).pixels.shape == (8, 8, 3)


def test_random_damage(tmp_path: Path) -> None:
    """Whatever bytes are damaged, reading ends in an image or an ImageError."""
    rng = np.random.default_rng(3)
    sources = [mixed_tiff(tmp_path / "a.tif")]
    for name in ("a.jpg", "a.png", "a.webp", "a.bmp", "a.ppm", "b.tif"):
        options = {"exif": exif()} if name != "a.ppm" and name != "a.bmp" else {}
        sources.append(save(tmp_path / name, noise(20, 20, 3), **options))
    for source in sources:
        whole = np.frombuffer(source.read_bytes(), np.uint8)
        for _ in range(40):
            data = whole.copy()
            data[rng.integers(0, min(len(data), 1000), 4)] = rng.integers(0, 256, 4)
            source.write_bytes(data.tobytes())
            try:
                with Reader(source, max_pixels=1_000_000) as reader:
                    for index in range(reader.pages):
                        reader.page(index)
            except ImageError:
                pass


@pytest.mark.parametrize("kind", ["jpeg", "tiff"])
def test_directories_that_hold_themselves(tmp_path: Path, kind: str) -> None:
    """A tiny file whose metadata point at themselves is read at once, and not forever."""
    count = 2000
    entries = struct.pack("<HHII", 34665, 4, 1, 8) * count
    block = struct.pack("<2sHIH", b"II", 42, 8, count) + entries + bytes(4)
    if kind == "jpeg":
        source = save(tmp_path / "a.jpg", noise(8, 8, 3), exif=b"Exif\0\0" + block)
        assert read(source).pixels.shape == (8, 8, 3)
    else:
        (tmp_path / "a.tif").write_bytes(block)
        with pytest.raises(ImageError):
            read(tmp_path / "a.tif")


def test_directories_in_one_another() -> None:
    """Nor where many share the next ones: each kind is followed once."""
    count, size = 1000, 2 + 12 * 1000 + 4
    levels = [
        struct.pack("<H", count) + struct.pack("<HHII", 34665, 4, 1, 8 + (n + 1) * size) * count
        + bytes(4)
        for n in range(5)
    ]  # fmt: skip
    inner = tiff.parse_block(struct.pack("<2sHI", b"II", 42, 8) + b"".join(levels))
    for _ in range(3):
        found = inner[34665]
        assert isinstance(found, dict)
        inner = found
    assert not inner


def test_values_that_share_their_bytes(tmp_path: Path) -> None:
    """A block whose values overlap and add up to far more than it holds is damaged."""
    count, size = 4000, 100_000
    place = 8 + 2 + 12 * count + 4
    entries = b"".join(struct.pack("<HHII", 60_000 + n, 2, size, place + n) for n in range(count))
    block = struct.pack("<2sHIH", b"II", 42, 8, count) + entries + bytes(4 + size + count)
    assert tiff.parse_block(block) == {}


def test_pages_that_share_a_value(tmp_path: Path) -> None:
    """However many: bytes that all pages point at are read once, and no page is lost."""
    profile, pages = bytes(200_000), 3000
    first = 8 + len(profile)
    shape = [(256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
             (273, 4, 1, 8), (277, 3, 1, 1), (278, 3, 1, 1), (279, 4, 1, 1),
             (34675, 7, len(profile), 8)]  # fmt: skip
    size = 2 + 12 * len(shape) + 4
    entries = b"".join(struct.pack("<HHII", *tag) for tag in shape)
    directories = b"".join(
        struct.pack("<H", len(shape)) + entries
        + struct.pack("<I", first + (n + 1) * size if n + 1 < pages else 0)
        for n in range(pages)
    )  # fmt: skip
    data = struct.pack("<2sHI", b"II", 42, first) + profile + directories
    found, _ = tiff.read_pages(io.BytesIO(data))
    profiles = [page[34675] for page in found]
    assert len(profiles) == pages
    assert all(isinstance(tag, tiff.Tag) and len(tag.data) == 200_000 for tag in profiles)


@pytest.mark.parametrize(("channels", "kind"), [(1, np.uint8), (3, np.uint16)])
def test_what_a_page_takes_in_memory(tmp_path: Path, channels: int, kind: Any) -> None:
    """Known from the header, transparency too."""
    pixels = noise(20, 30, channels + 1, kind)
    with Reader(vips_save(tmp_path / "a.png", pixels)) as reader:
        image = reader.page(0)
        assert image.alpha is not None
        assert reader.decoded == image.pixels.nbytes + image.alpha.nbytes == pixels.nbytes


def test_what_pages_of_a_tiff_take_in_memory(tmp_path: Path) -> None:
    """Palettes become RGB, half floats whole ones, and later pages may be the larger ones."""
    palette = Pillow.fromarray(smooth(20, 30)).quantize(16)
    small = Pillow.fromarray(noise(2, 2, 1)[..., 0])
    small.save(tmp_path / "a.tif", save_all=True, append_images=[palette, palette])
    with Reader(tmp_path / "a.tif") as reader:
        sizes = [reader.page(index).pixels.nbytes for index in range(3)]
        assert reader.decoded == max(sizes) == 20 * 30 * 3
        assert sum(sizes) <= reader.uncompressed <= sum(sizes) + 2 * 2 * 3
    half = np.linspace(0, 1, 600).astype(np.float16).reshape(20, 30)
    save(tmp_path / "b.tif", half.view(np.uint16), tiffinfo={339: 3})
    with Reader(tmp_path / "b.tif") as reader:
        page = reader.page(0)
        assert np.array_equal(page.pixels[..., 0], half)
        assert reader.decoded == page.pixels.nbytes <= reader.uncompressed


def test_turning_keeps_what_is_known() -> None:
    """That a page is damaged too."""
    assert Image(noise(4, 4, 1), damaged=True).upright().damaged


def test_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without permission to read it says so."""

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    source = save(tmp_path / "a.png", noise(4, 4, 1))
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ImageError, match="not allowed to read"):
        Reader(source)


def test_vanished(tmp_path: Path) -> None:
    """A file that went away since it was found fails alone."""
    with pytest.raises(ImageError, match="no longer there"):
        Reader(tmp_path / "gone.png")


# Writing


def test_committed(tmp_path: Path) -> None:
    """A file appears when it is complete, with the permissions of any new file."""
    target = tmp_path / "out.png"
    (tmp_path / "plain").touch()
    with Writer(target, format="png") as writer:
        writer.add(Image(noise(4, 4, 3)))
        assert not target.exists()
        writer.commit()
    assert target.stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.png", "plain"]


def test_abandoned(tmp_path: Path) -> None:
    """Without commit the old file stays and nothing else is left."""
    target = tmp_path / "out.png"
    target.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), Writer(target, format="png") as writer:
        writer.add(Image(noise(4, 4, 3)))
        raise KeyboardInterrupt
    with Writer(target, format="png"):
        pass
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]


def test_no_folder(tmp_path: Path) -> None:
    """A folder that is missing is an error of the output, which names the file."""
    target = tmp_path / "missing" / "out.png"
    with pytest.raises(OutputError, match=r"missing/out\.png: cannot be written"):
        Writer(target, format="png")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff", "webp", "bmp", "pnm", "avif"])
def test_disk_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A full disk is an error of the output, and the temporary file goes."""
    plain = os.open

    def full(path: Any, flags: int, mode: int = 0o777) -> int:
        made = plain(path, flags, mode)
        if flags & os.O_CREAT:
            os.close(made)
            return plain("/dev/full", os.O_RDWR)
        return made

    monkeypatch.setattr(os, "open", full)
    target = tmp_path / "out"
    expected = pytest.raises(OutputError, match=r"out: cannot be written \(No space left")
    with expected, Writer(target, format=kind) as writer:
        writer.add(Image(noise(300, 300, 3)))
        writer.commit()
    assert list(tmp_path.iterdir()) == []


def test_fsync_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails at the last moment leaves the old file."""

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    target = tmp_path / "out.png"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fail)
    expected = pytest.raises(OutputError, match="Input/output error")
    with expected, Writer(target, format="png") as writer:
        writer.add(Image(noise(4, 4, 3)))
        writer.commit()
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]


def test_a_disk_that_becomes_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is told, not that the temporary file cannot be removed; nor does that stop a run.

    As of a disk with errors, a stick that was pulled out or a share that is gone.
    """

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    target = tmp_path / "out.png"
    expected = pytest.raises(OutputError, match=r"out\.png: cannot be written \(Read-only")
    with expected, Writer(target, format="png") as writer:
        writer.add(Image(noise(4, 4, 3)))
        monkeypatch.setattr(os, "fsync", fail)
        monkeypatch.setattr(Path, "unlink", fail)
        writer.discard()
        writer.commit()


def test_too_large(tmp_path: Path) -> None:
    """What a format cannot hold is an error of the image, not of the disk."""
    with (
        pytest.raises(ImageError, match="--format"),
        Writer(tmp_path / "o.webp", format="webp") as w,
    ):
        w.add(Image(np.zeros((2, 17_000, 3), np.uint8)))
    assert list(tmp_path.iterdir()) == []


def test_in_place(tmp_path: Path) -> None:
    """A file can be written over itself while it is being read."""
    source = mixed_tiff(tmp_path / "a.tif")
    before = pages_of(source)
    rewrite(source, source)
    assert all(np.array_equal(a, b) for a, b in zip(before, pages_of(source), strict=True))


WEIRD = [
    b"a b.png",
    b'it\'s "quoted".png',
    b"line\nbreak.png",
    "émoji 🎉 日本.png".encode(),
    b"bad \xff\xfe bytes.png",
    b"-rf.png",
    b"a[0].png",
    b"page=2,n=3.png",
    b"x" * 251 + b".png",
    "ü".encode() * 125 + b".png",
]


@pytest.mark.parametrize("name", WEIRD)
@pytest.mark.parametrize("kind", ["png", "tiff", "jpeg"])
def test_names(tmp_path: Path, name: bytes, kind: str) -> None:
    """Any name that the file system takes is found, read and written."""
    folder, out = tmp_path / "in", tmp_path / os.fsdecode(b"out \xff")
    folder.mkdir()
    out.mkdir()
    pixels = noise(6, 5, 3)
    plain = save(tmp_path / "plain.png", pixels)
    plain.rename(folder / os.fsdecode(name))
    [(source, relative)] = find([folder]).images
    assert os.fsencode(relative) == name
    rewrite(source, out / relative, kind)
    with Reader(out / relative) as reader:
        assert reader.format == kind
        assert kind == "jpeg" or np.array_equal(reader.page(0).pixels, pixels)
    images.shown(source).encode("utf-8")
    assert "\n" not in images.shown(source)


def test_digest(tmp_path: Path) -> None:
    """The digest is that of the file's bytes, before and after a page was read."""
    import hashlib

    source = save(tmp_path / "a.png", noise(90, 90, 3))
    with Reader(source) as reader:
        first = reader.digest()
        reader.page(0)
        assert first == reader.digest() == hashlib.blake2b(source.read_bytes()).hexdigest()
        assert np.array_equal(reader.page(0).pixels, noise(90, 90, 3))


def test_threads(tmp_path: Path) -> None:
    """Threads read and write their own files at once."""
    source = save(tmp_path / "a.png", noise(200, 200, 4))
    failures: list[str] = []

    def work(number: int) -> None:
        for turn in range(4):
            target = rewrite_quietly(source, tmp_path / f"{number}-{turn}.tif")
            if not np.array_equal(read(target).pixels, noise(200, 200, 4)[..., :3]):
                failures.append(target.name)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def rewrite_quietly(source: Path, target: Path) -> Path:
    with Reader(source) as reader, Writer(target, format="tiff") as writer:
        writer.add(reader.page(0))
        writer.commit()
    return target


def peak_megabytes(script: str, *arguments: Path) -> int:
    code = f"{script}\nimport resource\n"
    code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return int(done.stdout)


REWRITE = """
import sys
from pathlib import Path
from imgclean.images import Reader, Writer
source, target = map(Path, sys.argv[1:])
with Reader(source) as reader, Writer(target, format=reader.format, source=reader) as writer:
    for index in range(reader.pages):
        writer.add(reader.page(index))
    writer.commit()
"""


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_memory(tmp_path: Path, suffix: str) -> None:
    """Reading and writing hold the pixels once (here 90 MB) beside the program itself."""
    source = tmp_path / f"in.{suffix}"
    pyvips.Image.black(6000, 5000, bands=3).copy(interpretation="srgb").write_to_file(str(source))
    small = save(tmp_path / f"small.{suffix}", noise(8, 8, 3))
    idle = peak_megabytes(REWRITE, small, tmp_path / f"s.{suffix}")
    assert peak_megabytes(REWRITE, source, tmp_path / f"out.{suffix}") - idle < 145


def test_import() -> None:
    """Importing brings in neither torch nor OpenCV."""
    code = "import sys, imgclean.images; print([m for m in ('torch', 'cv2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Names


def test_output_format() -> None:
    """A source keeps its suffix; content follows the name; what is only read becomes PNG."""
    assert output_format("jpeg", "keep", ".JPEG") == ("jpeg", ".JPEG")
    assert output_format("png", "keep", ".jpg") == ("jpeg", ".jpg")
    assert output_format("gif", "keep", ".gif") == ("png", ".png")
    assert output_format("png", "keep", ".gif") == ("png", ".png")
    assert output_format("tiff", "keep", ".tiff") == ("tiff", ".tiff")
    assert output_format("png", "jpg", ".png") == ("jpeg", ".jpg")
    assert output_format("jpeg", "jpg", ".jpeg") == ("jpeg", ".jpeg")
    assert output_format("webp", "keep") == ("webp", ".webp")
    assert output_format("heic", "tiff", ".heic") == ("tiff", ".tif")


def test_content_decides(tmp_path: Path) -> None:
    """A PNG named .jpg is read as what it is."""
    path = save(tmp_path / "a.png", noise(4, 4, 3)).rename(tmp_path / "a.jpg")
    with Reader(path) as reader:
        assert (reader.format, reader.quality) == ("png", None)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(found: images.Found) -> list[str]:
    return [str(relative) for _, relative in found.images]


def test_find_order(tmp_path: Path) -> None:
    """Pages come in natural order, below folders as well."""
    touch(tmp_path, "page10.png", "page2.png", "Page1.PNG", "b/2/x.tif", "b/10/x.tif", "note.txt")
    touch(tmp_path, ".hidden.png", ".git/x.png", ".x.ab.imgclean-tmp")
    found = find([tmp_path])
    expected = ["b/2/x.tif", "b/10/x.tif", "Page1.PNG", "page2.png", "page10.png"]
    assert names(found) == expected
    assert [p.name for p in found.ignored] == ["note.txt"]
    assert names(find([tmp_path], recursive=False)) == expected[2:]


def test_find_files(tmp_path: Path) -> None:
    """A file has its name as relative path; what is found twice is returned once."""
    touch(tmp_path, "a/x.png", "b/x.png", "b/readme.md")
    found = find([tmp_path / "a/x.png", tmp_path / "b", tmp_path / "a", tmp_path / "b/readme.md"])
    assert names(found) == ["x.png", "x.png"]
    assert [str(p.relative_to(tmp_path)) for p in found.ignored] == ["b/readme.md"]


def test_find_missing(tmp_path: Path) -> None:
    """An input that does not exist is named."""
    with pytest.raises(InputError, match=r"nowhere: no such file"):
        find([tmp_path / "nowhere"])


def test_find_links(tmp_path: Path) -> None:
    """Links inside a folder are passed over and listed, a loop among them."""
    touch(tmp_path, "in/a.png", "outside/b.png")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/parent").symlink_to("..")
    (tmp_path / "in/same.png").symlink_to("a.png")
    (tmp_path / "in/other.png").symlink_to(tmp_path / "outside/b.png")
    (tmp_path / "in/broken.png").symlink_to("nothing")
    found = find([tmp_path / "in"])
    assert names(found) == ["a.png"]
    assert len(found.ignored) == 5
    assert names(find([tmp_path / "in/other.png"])) == ["other.png"]


def test_find_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that may not be listed is told, and the others are read."""
    touch(tmp_path, "a.png", "locked/b.png")
    plain: Callable[..., Any] = os.scandir

    def guarded(path: Any) -> Any:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return plain(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = find([tmp_path])
    assert (names(found), [p.name for p in found.unreadable]) == (["a.png"], ["locked"])
    with pytest.raises(InputError, match="not allowed"):
        find([tmp_path / "locked"])


def test_records_are_frozen() -> None:
    """An image's pixels may be changed, the record may not."""
    image = Image(noise(2, 2, 1))
    image.pixels[:] = 0
    with pytest.raises(dataclasses.FrozenInstanceError), warnings.catch_warnings():
        image.alpha = None  # type: ignore[misc]


def test_orientation_in_avif_is_not_followed_twice(tmp_path: Path) -> None:
    """A file may ask for a turn in a box, which counts, and in EXIF again, as phones' do."""
    pixels = smooth(24, 36)
    image = pyvips.Image.new_from_memory(pixels.tobytes(), 36, 24, 3, "uchar").copy()
    image.set_type(pyvips.GValue.blob_type, "exif-data", exif(6))
    source = tmp_path / "in.avif"
    image.heifsave(str(source), compression="av1", lossless=True, keep="exif")
    assert b"irot" in source.read_bytes()
    page = read(source)
    assert np.abs(page.pixels.astype(int) - np.rot90(pixels, -1)).max() < 4
    assert page.info.orientation == 1
    with Pillow.open(rewrite(source, tmp_path / "out.png", "png")) as png:
        assert png.size == (24, 36) and png.getexif().get(274, 1) == 1
        assert png.getexif().get(271) == "Canon"


@pytest.mark.parametrize(
    ("primaries", "transfer", "outcome"),
    [(1, 13, "sRGB"), (12, 13, "P3"), (9, 16, "dynamic"), (12, 18, "dynamic"), (9, 13, "BT.2020")],
)
def test_colours_named_by_number(
    tmp_path: Path, primaries: int, transfer: int, outcome: str
) -> None:
    """Display P3 gets its profile; what has none here is refused rather than called sRGB."""
    source = vips_save(tmp_path / "in.avif", smooth(24, 36), lossless=True)
    data = source.read_bytes()
    place = data.index(b"colrnclx") + 8
    source.write_bytes(data[:place] + struct.pack(">HH", primaries, transfer) + data[place + 4 :])
    if outcome in ("sRGB", "P3"):
        icc = read(source).info.metadata.icc
        assert (icc is None) == (outcome == "sRGB")
        if icc:
            assert b"P\x003\0" in icc or b"P3" in icc
            with Pillow.open(rewrite(source, tmp_path / "out.png", "png")) as image:
                assert image.info["icc_profile"] == icc
    else:
        with pytest.raises(ImageError, match=f"in.avif: .*{outcome}.*convert"):
            read(source)


def test_boxes_of_heif(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Premultiplied alpha is a reference between items; such a file is refused."""

    def box(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(data), kind) + data

    alpha = box(b"prem", struct.pack(">HHH", 1, 1, 2))
    colr = box(b"colr", b"nclx" + struct.pack(">HHHB", 12, 13, 6, 128))
    inner = box(b"iref", bytes(4) + alpha) + box(b"iprp", box(b"ipco", colr))
    file = box(b"ftyp", b"avif") + box(b"meta", bytes(4) + inner)
    assert heif.read_heif(io.BytesIO(file)) == heif.HeifFacts(12, 13, True)
    for size in range(len(file)):  # damage ends the search
        heif.read_heif(io.BytesIO(file[:size]))
    source = vips_save(tmp_path / "in.avif", smooth(24, 36))
    monkeypatch.setattr(heif, "read_heif", lambda _: heif.HeifFacts(premultiplied=True))
    with pytest.raises(ImageError, match="multiplied by their alpha"):
        read(source)


def test_white_is_zero_in_float_too(tmp_path: Path) -> None:
    """A TIFF of floating point that counts from white to black is no negative."""
    pixels = np.random.default_rng(1).random((20, 30), dtype=np.float32)
    source = tmp_path / "in.tif"
    vips_save(source, pixels[..., None])
    data = bytearray(source.read_bytes())
    place = data.index(struct.pack("<HHI", 262, 3, 1)) + 8  # PhotometricInterpretation
    data[place : place + 2] = struct.pack("<H", 0)
    source.write_bytes(bytes(data))
    np.testing.assert_allclose(read(source).pixels[..., 0], 1 - pixels, atol=1e-6)
    again = read(rewrite(source, tmp_path / "out.tif"))
    np.testing.assert_allclose(again.pixels[..., 0], 1 - pixels, atol=1e-6)


@pytest.mark.parametrize("compression", ["deflate", "lzw"])
@pytest.mark.parametrize("damaged", [[0], [2], [0, 1, 2, 3]])
def test_damaged_tiles_are_told(tmp_path: Path, compression: str, damaged: list[int]) -> None:
    """Also where the first tile is among them; a sound file is not called damaged."""
    source = tmp_path / "in.tif"
    options = {"tile": True, "tile_width": 64, "tile_height": 64, "compression": compression}
    vips_save(source, noise(128, 128, 3), **options)
    assert not read(source).damaged
    data = bytearray(source.read_bytes())
    with TiffImagePlugin.TiffImageFile(source) as image:
        places, sizes = image.tag_v2[324], image.tag_v2[325]
    for tile in damaged:
        data[places[tile] : places[tile] + sizes[tile]] = bytes(sizes[tile])
    source.write_bytes(bytes(data))
    assert read(source).damaged


def test_pixmaps_behind_each_other(tmp_path: Path) -> None:
    """A file of several images is refused: the others would be lost."""
    one = b"P6 3 2 255\n" + bytes(range(18))
    (tmp_path / "a.ppm").write_bytes(one + one)
    with pytest.raises(ImageError, match=r"a\.ppm: holds several images"):
        read(tmp_path / "a.ppm")
    (tmp_path / "b.ppm").write_bytes(one + b"\n")
    assert read(tmp_path / "b.ppm").pixels.shape == (2, 3, 3)


def test_iptc_declared_as_longs(tmp_path: Path) -> None:
    """Bytes in words of another order than the machine's come out in their own."""
    records = b"\x1c\x02\x78\x00\x05hello\0\0"
    tag = tiff.Tag(4, 3, np.frombuffer(records, "<u4").byteswap().tobytes())
    assert metadata.from_tiff({tiff.IPTC: tag}).iptc == records
    tag = tiff.Tag(4, 3, records)
    assert metadata.from_tiff({tiff.IPTC: tag}).iptc == records


def test_a_profile_whose_name_is_in_latin_1(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """PNG names them so; where libpng complains of one, no traceback is printed."""
    data = cv2.imencode(".png", np.zeros((9, 9, 3), np.uint8))[1].tobytes()
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[136:140] = b"\x7f\0\0\0"  # its first tag lies beyond its end
    body = b"iCCPProfil \xe9\0\0" + zlib.compress(profile)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    path = tmp_path / "a.png"
    path.write_bytes(data[:33] + chunk + data[33:])
    with Reader(path) as reader:
        assert reader.page(0).pixels.shape == (9, 9, 3)
    assert capfd.readouterr().err == ""
