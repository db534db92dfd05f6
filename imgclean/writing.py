"""Write image files: under a temporary name until they are complete."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
import pyvips

from imgclean import codecs, pnm, tiff
from imgclean.errors import ImageError, OutputError
from imgclean.files import hold, temporary_name
from imgclean.folders import shown
from imgclean.reading import Image, PageInfo, Reader

__all__ = ["FORMATS", "TEMPORARY", "Writer", "in_use"]

FORMATS = ("jpeg", "png", "tiff", "webp", "bmp", "pnm", "avif")
TEMPORARY = ".imgclean-tmp"  # how the names of unfinished files end
_UPRIGHT = {"avif", "bmp", "pnm"}  # no place for an orientation
_OPAQUE = {"jpeg", "pnm"}
_QUALITY = {"jpeg": 92, "webp": 90, "avif": 70, "tiff": 90}
_LEAST_OWN = 90  # to compress anew at a lower one costs what cleaning gains, or more
_CLASSIC_LIMIT = 3_500_000_000  # bytes of pixels from which a TIFF is written as BigTIFF


class Writer:
    """Writes a file under a temporary name and gives it its own when it is complete.

    A context manager; left without `commit` it leaves nothing behind. 16 bits become 8 where
    the format holds no more (JPEG, WebP, BMP), and floating point 16 outside TIFF.

    Args:
        target: The file; its folder must exist.
        format: ``jpeg``, ``png``, ``tiff``, ``webp``, ``bmp``, ``pnm`` or ``avif``.
        quality: Of lossy formats, 1 to 100; None for a JPEG source's own, but 90 at least, or else
            the format's default. It does not make a lossless WebP lossy unless given.
        source: The file whose pages will be written, which tells how large a TIFF will be and
            what messages name.
        mode: Permissions of the source, which a new file gets but for the umask's, so that a
            private one stays so; one that is replaced hands on its own.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(
        self,
        target: Path,
        *,
        format: str,
        quality: int | None = None,
        source: Reader | None = None,
        mode: int = 0o666,
    ) -> None:
        """Create the temporary file."""
        if format not in FORMATS:
            raise ValueError(f"{format} is not written")
        self.target, self.format, self.quality = target, format, quality
        self._source = source.path if source else None
        self.temporary = target.with_name(temporary_name(target.name, TEMPORARY))
        self._pages = 0
        with self._writing():
            # Not tempfile: that makes files which only their owner may read.
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            private = mode | stat.S_IRUSR | stat.S_IWUSR
            descriptor = os.open(self.temporary, flags, private)
        self._file: IO[bytes] = os.fdopen(descriptor, "w+b")
        with contextlib.suppress(OSError):  # none there, or no permissions in its file system
            self.temporary.chmod(stat.S_IMODE(target.stat().st_mode) | stat.S_IWUSR)
        hold(self._file)  # see `in_use`
        if format == "tiff":
            big = source is not None and source.uncompressed > _CLASSIC_LIMIT
            self._joiner = tiff.Joiner(self._file, big=big)

    def __enter__(self) -> Self:
        """Enter a block that removes the temporary file unless committed."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the temporary file where it is still there."""
        with contextlib.suppress(OSError):
            self._file.close()
        self.discard()

    def discard(self) -> None:
        """Remove the temporary file; another thread may call this to stop the writing.

        Where its disk is gone, or read-only by now, it stays, and the next run sweeps it.
        """
        with contextlib.suppress(OSError):
            self.temporary.unlink(missing_ok=True)

    def add(self, image: Image) -> None:
        """Append a page.

        Raises:
            ImageError: The format cannot hold the page.
            OutputError: The file cannot be written.
        """
        if self._pages and self.format != "tiff":
            raise ImageError(self._cannot("hold several pages", "tiff"))
        if image.alpha is not None and self.format in _OPAQUE:
            raise ImageError(self._cannot("hold transparency", "png"))
        if self.format in _UPRIGHT and image.info.orientation != 1:
            image = image.upright()
        with self._writing():
            getattr(self, f"_add_{self.format}")(image)
        self._pages += 1

    def copy(self, source: Reader) -> None:
        """Write the source's bytes as they are, instead of pages.

        Raises:
            ImageError: The source cannot be read.
            OutputError: The file cannot be written.
        """
        with self._writing():
            self._file.seek(0)
            self._file.truncate()
        for chunk in source.chunks():
            with self._writing():
                self._file.write(chunk)

    def finish(self) -> None:
        """Bring the complete temporary file safely to the disk.

        Raises:
            OutputError: The file cannot be written.
        """
        with self._writing():
            if not self._file.closed:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()

    def commit(self) -> None:
        """Put the complete file, safe on the disk, in the target's place.

        Raises:
            OutputError: The file cannot be written.
        """
        self.finish()
        with self._writing():
            self.temporary.replace(self.target)
        # Some file systems cannot do this for folders, and the file is complete without it.
        with contextlib.suppress(OSError):
            folder = os.open(self.target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _cannot(self, what: str, better: str) -> str:
        name = shown(self._source or self.target)
        return f"{name}: {self.format} cannot {what}; use --format {better}"

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{shown(self.target)}: cannot be written ({error.strerror or error}); "
                "check the folder, its permissions and the free space"
            ) from error
        except (pyvips.Error, ValueError) as error:
            raise ImageError(self._cannot(f"hold it ({codecs.reason(error)})", "tiff")) from error

    @contextlib.contextmanager
    def _sink(self, file: IO[bytes], meta: bytes | None = None) -> Iterator[codecs.Sink]:
        sink = codecs.Sink(file, "" if meta is None else self.format, meta or b"")
        try:
            yield sink
        except pyvips.Error:
            if sink.error:
                raise sink.error from None
            raise
        if sink.error:
            raise sink.error

    def _add_jpeg(self, image: Image) -> None:
        info = image.info
        picture = codecs.to_depth(codecs.vips_image(image.pixels, None), 8)
        with self._sink(self._file, info.metadata.jpeg_segments()) as sink:
            codecs.save_jpeg(
                picture,
                sink,
                quality=self._chosen_quality(info),
                sampling=info.sampling,
                progressive=info.progressive,
            )

    def _add_png(self, image: Image) -> None:
        picture = codecs.vips_image(image.pixels, image.alpha)
        if picture.format == "float":
            picture = codecs.to_depth(picture, 16)
        with self._sink(self._file, image.info.metadata.png_chunks()) as sink:
            codecs.save_png(picture, sink, bilevel=_bilevel(image))

    def _add_tiff(self, image: Image) -> None:
        bilevel = _bilevel(image)
        picture = codecs.vips_image(image.pixels, image.alpha)
        compression = image.info.compression or "deflate"
        unfit = compression == "ccittfax4" and not bilevel
        unfit |= compression == "jpeg" and (
            picture.bands not in (1, 3) or picture.format != "uchar"
        )
        # An anonymous file beside the target: pages can be larger than memory.
        with tempfile.TemporaryFile(dir=self.target.parent) as page:
            with self._sink(page) as sink:
                codecs.save_tiff(
                    picture,
                    sink,
                    compression="deflate" if unfit else compression,
                    quality=self._chosen_quality(image.info),
                    bilevel=bilevel,
                    miniswhite=image.info.miniswhite,
                    big=self._joiner.big,
                )
            tags = image.info.metadata.tiff_tags()
            if image.alpha is None:
                tags = {n: tag for n, tag in tags.items() if n != tiff.EXTRA_SAMPLES}
            self._joiner.append(page, tags)

    def _add_webp(self, image: Image) -> None:
        info = image.info
        picture = codecs.to_depth(codecs.vips_image(image.pixels, image.alpha), 8)
        lossless = info.lossless and self.quality is None
        quality = self.quality or _QUALITY["webp"]
        self._file.write(codecs.webp(picture, info.metadata, quality=quality, lossless=lossless))

    def _add_avif(self, image: Image) -> None:
        picture = codecs.vips_image(image.pixels, image.alpha)
        if picture.format == "float":
            picture = codecs.to_depth(picture, 16)
        bits = 8 if picture.format == "uchar" else image.info.bits or 12
        quality = self.quality or _QUALITY["avif"]
        self._file.write(codecs.avif(picture, image.info.metadata, quality=quality, bits=bits))

    def _add_bmp(self, image: Image) -> None:
        pixels, alpha = (None if a is None else _reduced(a, 8) for a in (image.pixels, image.alpha))
        assert pixels is not None
        meta = image.info.metadata
        self._file.write(codecs.bmp(pixels, alpha, meta, bilevel=_bilevel(image)))

    def _add_pnm(self, image: Image) -> None:
        pixels = _reduced(image.pixels, 16) if image.pixels.dtype == np.float32 else image.pixels
        bilevel = _bilevel(image) and self.target.suffix.lower() != ".pgm"
        pnm.write_pnm(self._file, pixels, bilevel=bilevel)

    def _chosen_quality(self, info: PageInfo) -> int:
        return self.quality or max(_LEAST_OWN, info.quality or _QUALITY[self.format])


def in_use(temporary: Path) -> bool:
    """Whether the writer of an unfinished file is still alive."""
    with temporary.open("rb") as file:
        return not hold(file)


def _bilevel(image: Image) -> bool:
    info = image.info
    return (
        info.depth == 1
        and image.pixels.dtype == np.uint8
        and image.pixels.shape[2] == 1
        and (image.alpha is None)
    )


def _reduced(samples: np.ndarray, depth: int) -> np.ndarray:
    planes = samples if samples.ndim == 3 else samples[..., None]
    reduced = codecs.to_depth(codecs.vips_image(planes, None), depth).numpy()
    result: np.ndarray = reduced.reshape(samples.shape)
    return result
