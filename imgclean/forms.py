"""Forms of an output: as its input, in one channel of grey, or in black and white."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from .images import Image
from .pixels import local_median, luma

__all__ = ["FORMS", "Form", "black_and_white", "to_form"]

Form = Literal["keep", "grey", "bilevel"]
FORMS: tuple[Form, ...] = get_args(Form)

_WINDOW = 51  # pixels; wider than strokes at 300 dpi, narrower than what light does to a page
_K = 0.2  # Sauvola's k: paper of one brightness turns black below 1 - k of it
_RANGE = 128.0  # Sauvola's R: the largest standard deviation of 8-bit pixels
_SURE, _FAINT = 64, 180  # of 255; darker is ink wherever it is; lighter by its window alone
_EDGE = 3  # pixels; reach of a stroke's soft edge
_REACH = 13  # pixels; thicker pale strokes are fills, as of a table's rows
_PALE = 28  # of 255 below the paper; what is paler is no stroke
_SMALLEST = 6  # pixels of a pale stroke
_MARK = np.float32(0.3)  # share of the deepest near by that a dot or accent beside it has
_CELL = 4  # pixels; side of the cells that flat areas are looked for in
_FLAT, _STEP = 16, 40  # of 255; most and least that flat areas and their outlines differ by
_NEGATIVE = 0.45  # a larger share of light pixels, and a page is none
_CRISP = 0.6  # share of an outline that must be crisp
_LETTERS = 15  # cells; what is lower than that within a flat area is part of it
_STRIP = 512  # rows at a time, and how many more are looked at on both sides: multiples of 4
_BESIDE = 64


def to_form(image: Image, form: Form) -> Image:
    """The page in another form, with its metadata; a profile of other channels is left out.

    ``grey`` is the luma of BT.601, alpha and depth stay. ``bilevel`` is composed on white and
    has one bit a pixel, in TIFF compressed by CCITT G4.
    """
    if form == "keep":
        return image
    info = image.info
    if form == "bilevel" or image.pixels.shape[2] == 3:
        info = replace(info, metadata=info.metadata.without_icc())
    grey = luma(image.pixels)[..., None]
    if form == "grey":
        return replace(image, pixels=grey, info=info)
    info = replace(info, depth=1, compression="ccittfax4", miniswhite=True)
    return Image(black_and_white(_on_white(grey, image.alpha))[..., None], None, info)


def _on_white(grey: NDArray[np.generic], alpha: NDArray[np.generic] | None) -> NDArray[np.uint8]:
    """H x W in 8 bits, whatever is transparent turned white; a strip at a time."""
    top = np.iinfo(grey.dtype.str).max if np.issubdtype(grey.dtype, np.integer) else 1
    if top == 255 and alpha is None:
        return np.ascontiguousarray(grey[..., 0], np.uint8)
    plane = np.empty(grey.shape[:2], np.uint8)
    for first in range(0, len(grey), _STRIP):
        part = slice(first, first + _STRIP)
        strip = grey[part, :, 0].astype(np.float32) / top
        if alpha is not None:
            cover = alpha[part].astype(np.float32) / top
            strip = strip * cover + 1 - cover
        plane[part] = np.rint(np.clip(strip, 0, 1) * 255)
    return plane


def black_and_white(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """0 for ink and 255 for paper, H x W.

    Ink lies below the threshold of its own 51 x 51 window (Sauvola and Pietikainen, 2000), which
    keeps light text and leaves shadows, but takes the soft edges of strokes for ink too. So of
    what is within 3 pixels of ink only that counts which lies below the page's own threshold
    (Otsu, 1979), half way up these edges; light ink is followed back to the dark that it
    touches. What is darker than 64 is ink anyway, since a window inside a large letter has
    nothing to compare. Pale strokes, as of a pencil, 28 below the paper at least and under
    13 pixels thick, are ink where they have half of the depth that they reach near by, and so are
    the darkest pixels of dots and accents beside them.

    Flat areas with a crisp outline, wider than the window, become black or white as a whole,
    whichever keeps what is written on them: `_fills`. A page that is dark and written on in
    light strokes, as a blueprint or a negative, is treated as its negative is, and stays dark.
    """
    result = np.empty_like(grey)
    otsu = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU, dst=result)[0]  # no plane of its own
    if _is_negative(grey, otsu):
        np.subtract(255, _ink_on_paper(cv2.bitwise_not(grey), 254 - otsu, result), out=result)
        return result
    return _ink_on_paper(grey, otsu, result)


def _is_negative(grey: NDArray[np.uint8], otsu: float) -> bool:
    """Whether most is dark, and what stands out from the local median there is light."""
    if cv2.countNonZero((grey > otsu).view(np.uint8)) > _NEGATIVE * grey.size:
        return False
    lighter = darker = 0
    for first in range(0, len(grey), _STRIP):
        strip = grey[first : first + _STRIP]
        ground = local_median(strip)
        lighter += int(np.count_nonzero(cv2.subtract(strip, ground) > _STEP))
        darker += int(np.count_nonzero(cv2.subtract(ground, strip) > _STEP))
    return lighter > 3 * darker


def _ink_on_paper(
    grey: NDArray[np.uint8], otsu: float, result: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """`black_and_white` of a page that is no negative, into `result`."""
    limit = float(np.clip(otsu, _SURE, _FAINT))
    fills = _fills(grey, otsu, limit, result)
    near = np.ones((2 * _EDGE + 1, 2 * _EDGE + 1), np.uint8)
    for first in range(0, len(grey), _STRIP):
        begin = max(0, first - _BESIDE)
        strip = grey[begin : first + _STRIP + _BESIDE]
        part = slice(first - begin, first - begin + _STRIP)
        low = (strip < _sauvola(strip)).view(np.uint8)
        ink = np.where(strip <= limit, low, 0) | (strip < _SURE)
        light = low & (1 - cv2.dilate(ink, near))
        light = low & cv2.dilate(light, near)
        black = (ink | light | _pale(strip))[part].astype(np.bool_)
        if fills:
            start = min(first // _CELL, len(fills[0]) - 1)  # the last rows may be no whole cell
            rows = slice(start, (first + _STRIP) // _CELL)
            below, from_here_on = (_enlarged(cells[rows], black.shape) for cells in fills)
            black = (black & (strip[part] < from_here_on)) | (strip[part] < below)
        result[first : first + _STRIP] = np.where(black, 0, 255)
    return result


def _fills(
    grey: NDArray[np.uint8], otsu: float, limit: float, spare: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Levels for each cell: below which all is ink, and from which on all is paper.

    Inside a flat area wider than its window Sauvola's threshold sees nothing, and at its rim it
    sees paper, so that the rim alone would be black. An area darker than `limit` is ink unless
    more is written on it in darker than in lighter strokes. Soft outlines are those of shadows, as
    areas may be that reach the page's edge; these stay as they are.

    Args:
        grey: H x W.
        otsu: the page's own threshold.
        limit: that in its bounds.
        spare: a plane like `grey` to write into.
    """
    height, width = (side // _CELL for side in grey.shape)
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel()
    above = np.arange(256) > otsu
    if min(height, width) < _LETTERS or not counts[above].any():
        return None
    counts[~above] = 0
    paper = max(float(np.average(np.arange(256), weights=counts)), float(counts.argmax()))
    whole = grey[: height * _CELL, : width * _CELL]
    small = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    areas = _flat_areas(small, paper)
    if areas is None:
        return None
    flat, here = areas.flat, areas.here
    level = areas.total(small * flat.astype(np.float32)) / np.maximum(areas.total(flat), 1)
    letters = np.ones((_LETTERS, _LETTERS), np.uint8)
    within = np.asarray(cv2.morphologyEx(flat, cv2.MORPH_CLOSE, letters), np.bool_)
    darker = areas.total(within & (_cells(cv2.erode, whole, spare) < here - _PALE))
    lighter = areas.total(within & (_cells(cv2.dilate, whole, spare) > (here + paper) / 2))
    black, crisp = (level <= limit) & (darker <= lighter), _crisp(areas, small)
    near = within | cv2.dilate(flat, np.ones((5, 5), np.uint8)).astype(np.bool_)
    alike = np.abs(small - here) < _FLAT  # as the end of a row before its first letter
    joined = cv2.connectedComponents(alike.view(np.uint8), connectivity=8)[1]
    rest = (alike & np.isin(joined, joined[flat > 0])).view(np.uint8)
    near |= cv2.dilate(rest, np.ones((3, 3), np.uint8)).astype(np.bool_)
    ink, clear = (near & (crisp & way)[areas.number] for way in (black, ~black))
    below, from_here_on = np.zeros_like(small), np.full_like(small, 255)
    below[ink] = ((here + paper) / 2)[ink]
    from_here_on[clear] = np.maximum(here - _PALE, 0)[clear]
    return below, from_here_on


@dataclass(frozen=True)
class _Areas:
    """Connected flat areas darker than paper, in cells.

    Attributes:
        flat: h x w, 1 in such an area.
        number: h x w, which area is the nearest to each cell.
        here: h x w, the brightness of the nearest cell of one.
    """

    flat: NDArray[np.uint8]
    number: NDArray[np.int32]
    here: NDArray[np.float32]

    def total(self, cells: NDArray[np.generic]) -> NDArray[np.float64]:
        """The sum of h x w values over the cells of each number."""
        return np.asarray(np.bincount(self.number.ravel(), cells.ravel().astype(np.float64)))


def _flat_areas(small: NDArray[np.uint8], paper: float) -> _Areas | None:
    """Those of h x w cells on paper of some brightness; None where there are none."""
    three = np.ones((3, 3), np.uint8)
    steep = cv2.morphologyEx(small, cv2.MORPH_GRADIENT, three)
    flat = ((steep < _FLAT) & (small < paper - _STEP)).view(np.uint8)
    flat = np.asarray(cv2.morphologyEx(flat, cv2.MORPH_OPEN, three), np.uint8)
    if not flat.any():
        return None
    nearest = cv2.distanceTransformWithLabels(
        1 - flat, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    places = np.flatnonzero(flat)
    cell = np.empty(nearest.max() + 1, np.int32)
    cell[nearest.ravel()[places]] = places
    numbers = cv2.connectedComponents(flat, connectivity=8)[1]
    number, here = (plane.ravel()[cell[nearest]] for plane in (numbers, small))
    return _Areas(flat, number, here.astype(np.float32))


def _crisp(areas: _Areas, small: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether each area has a sharp outline, of which nothing lies at the page's edge."""
    rim = areas.flat - cv2.erode(areas.flat, np.ones((3, 3), np.uint8))
    around = np.ones((7, 7), np.uint8)
    step = cv2.max(cv2.subtract(cv2.dilate(small, around), small),
                   cv2.subtract(small, cv2.erode(small, around)))  # fmt: skip
    sharp = areas.total(rim.astype(np.bool_) & (step >= _STEP))
    edges = np.ones_like(areas.flat)
    edges[1:-1, 1:-1] = 0
    inside = areas.total(areas.flat & edges) == 0
    return np.asarray(inside & (sharp >= _CRISP * np.maximum(areas.total(rim), 1)))


def _cells(
    way: Callable[..., NDArray[np.generic]], plane: NDArray[np.uint8], spare: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """The lowest or the highest pixel of each cell."""
    kernel, out = np.ones((_CELL, _CELL), np.uint8), spare[: plane.shape[0], : plane.shape[1]]
    way(plane, kernel, dst=out, anchor=(0, 0))
    return out[::_CELL, ::_CELL].copy()


def _enlarged(cells: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Cells as pixels; those beyond the last whole cell are like it."""
    pixels = cells.repeat(_CELL, 0).repeat(_CELL, 1)[: shape[0], : shape[1]]
    missing = [(0, wanted - there) for wanted, there in zip(shape, pixels.shape, strict=True)]
    return np.pad(pixels, missing, "edge")


def _pale(strip: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pale strokes, and the middle of dark ones.

    Their depth is the black top-hat (Meyer, 1979), that of grain and texture its local median.
    """
    depth = cv2.morphologyEx(strip, cv2.MORPH_BLACKHAT, np.ones((_REACH, _REACH), np.uint8))
    typical = local_median(np.asarray(depth, np.uint8))
    clear = cv2.subtract(depth, cv2.add(typical, typical))
    _, labels, stats, _ = cv2.connectedComponentsWithStats((clear > _PALE).view(np.uint8))
    strokes = stats[:, cv2.CC_STAT_AREA] >= _SMALLEST
    strokes[0] = False  # what is none
    near = cv2.dilate(depth, np.ones((2 * _EDGE + 1, 2 * _EDGE + 1), np.uint8))
    marks = _marks(np.asarray(depth, np.uint8)) & (clear > _PALE)
    return np.asarray((strokes[labels] & (depth > near // 2)) | marks, np.bool_)


def _marks(depth: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The peaks of dots and accents within 6 pixels of deeper strokes, a valley on some side."""
    three, five = np.ones((3, 3), np.uint8), np.ones((5, 5), np.uint8)
    near = cv2.dilate(depth, np.ones((_REACH, _REACH), np.uint8))
    peak = (depth == cv2.dilate(depth, three)) & (depth < near) & (depth >= _MARK * near)
    return np.asarray(peak & (cv2.erode(depth, five) <= depth // 2), np.bool_)


def _sauvola(strip: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Sauvola's threshold for every pixel."""
    values, side = strip.astype(np.float32), (_WINDOW, _WINDOW)
    mean = cv2.blur(values, side, borderType=cv2.BORDER_REPLICATE)
    square = cv2.sqrBoxFilter(values, -1, side, borderType=cv2.BORDER_REPLICATE)
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    return np.asarray(mean * (1 + _K * (spread / _RANGE - 1)), np.float32)
