"""Find, read and write image files with everything they carry beside their pixels.

The only module that the rest of the program needs for files. Behind it: `folders` (finding),
`reading` and `writing`, and for the formats themselves `codecs` and `pnm` (pixels), `metadata`,
`jpeg` and `tiff`. One `Reader` or `Writer` belongs to one thread; several threads may each have
their own.

Limits, by format: GIF, HEIC and JPEG 2000 are read, not written, and JPEG 2000 without its
metadata; PNG, WebP and AVIF hold no IPTC; AVIF holds at most 12 bits; a JPEG segment 64 KB.
"""

from __future__ import annotations

from imgclean.folders import SUFFIXES, Found, find, shown
from imgclean.reading import Image, PageInfo, Reader
from imgclean.writing import FORMATS, TEMPORARY, Writer, in_use

__all__ = [
    "FORMATS",
    "REQUESTS",
    "SUFFIXES",
    "TEMPORARY",
    "Found",
    "Image",
    "PageInfo",
    "Reader",
    "Writer",
    "find",
    "in_use",
    "output_format",
    "shown",
]

REQUESTS: dict[str, tuple[str, str]] = {  # what may be asked for: format and suffix
    "png": ("png", ".png"),
    "jpg": ("jpeg", ".jpg"),
    "tiff": ("tiff", ".tif"),
    "webp": ("webp", ".webp"),
}
_BILEVEL = ("png", "tiff", "bmp", "pnm")  # formats that hold one bit a pixel
_PNM = {"grey": ".pgm", "bilevel": ".pbm"}


def output_format(
    reader_format: str, requested: str, suffix: str = "", *, mode: str = "keep"
) -> tuple[str, str]:
    """Format and suffix to write.

    With ``keep`` the source's own suffix stays and decides, so that name and content agree even
    where they did not before. What cannot be written becomes PNG, and so does what cannot hold
    one bit a pixel where that is asked for.

    Args:
        reader_format: The source's format by its content.
        requested: ``keep``, ``png``, ``jpg``, ``tiff`` or ``webp``.
        suffix: The source's suffix.
        mode: ``keep``, ``grey`` or ``bilevel``.
    """
    named = SUFFIXES.get(suffix.lower(), reader_format)
    if requested != "keep":
        kind, usual = REQUESTS[requested]
        return kind, suffix if named == kind and suffix else usual
    if named not in FORMATS or mode == "bilevel" and named not in _BILEVEL:
        return "png", ".png"
    if mode in _PNM and suffix.lower() in (".pbm", ".pgm", ".ppm"):
        return named, _PNM[mode]
    usual = next(s for s, kind in SUFFIXES.items() if kind == named)
    return named, suffix if suffix.lower() in SUFFIXES else usual
