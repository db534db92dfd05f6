"""What `choose` looks at where an image may be a page after all.

A sheet on a table that fills half of the picture is judged with the table, strokes of a carbon
copy are so pale that none is counted, and a coloured note makes a page as colourful as a photo.
These are shown again as they would look filling the picture, in black, or without the note. Books
are often photographed lying on their side.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from .page_measures import flatten, thumbnail
from .pixels import halved, luma, unit

__all__ = ["coloured_share", "deepened", "from_afar", "sheet_alone", "turned", "without_note"]

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]

_TINTS, _LID, _OTHER = 120, 0.35, 0.07  # pixels a side, of light ground, distance of log-ratios
_BIN, _BINS = 0.02, 30  # of these, and how many to each side of grey
_MOST = 4_000_000  # pixels of an image that is looked at again
_SIDE = 256  # of the image in which a sheet is searched
_AFAR = 256  # pixels of the shorter side of what is looked at from afar
_SHARE = (0.25, 0.85)  # of the picture that a sheet fills
_FILLED = 0.93  # of its hull that is paper
_RIM = 0.02  # of the sheet's sides that is shown around it
_INK, _STRONGEST = 0.7, 3.0  # depth to which ink is deepened, by at most this factor
_NOTE, _FULL = (0.02, 0.35), 0.8  # of the picture that a note fills, of its box
_PLAIN = 0.05  # standard deviation of log-ratios within a note
_CELLS = 8  # along each side, in which ink is looked for
_PALE = 0.6  # depth of ink that is left alone


def coloured_share(whole: Plane) -> float:
    """The share of an image whose ground has another colour than is most frequent there.

    Of a page whose paper shows that is its prints, however yellow it is; of a tinted map, an atlas
    or a board game it is most of it. Colours are the logarithms of red and of blue over green,
    which a shadow leaves as they are.

    Args:
        whole: 240 x 240 x 3, in [0, 1], RGB; see `page_measures.Seen`.
    """
    small = cv2.resize(whole, (_TINTS, _TINTS), interpolation=cv2.INTER_AREA)
    ground = _without_ink(small, 7)
    light = ground.mean(axis=2)
    colours = _hues(ground[light > _LID * np.quantile(light, 0.9)])
    bins = np.clip(np.rint(colours / _BIN) + _BINS, 0, 2 * _BINS).astype(np.intp)
    counts = np.zeros((2 * _BINS + 1, 2 * _BINS + 1), np.float32)
    np.add.at(counts, tuple(bins.T), 1)
    counts = np.asarray(cv2.blur(counts, (3, 3)), np.float32)
    usual = (np.argwhere(counts == counts.max())[0] - _BINS) * _BIN
    return float(np.mean(np.hypot(*(colours - usual).T) > _OTHER))


def sheet_alone(pixels: NDArray[np.generic]) -> Pixels | None:
    """The largest light sheet of four corners, upright and cut out with a narrow rim.

    Args:
        pixels: H x W x C with C in {1, 3}, RGB; uint8, uint16, or float in [0, 1].

    Returns:
        The sheet, H' x W' x C, at most 4 megapixels, or None where there is none that fills a
        quarter of the image, or one fills nearly all of it.
    """
    whole = pixels if pixels.ndim == 3 else pixels[..., None]
    found = _corners(thumbnail(whole))
    if found is None:
        return None
    image = _eight_bits(whole)
    corners = found * np.array(image.shape[1::-1], np.float32)
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    width, height = (max(32, round(float(sides[i] + sides[i + 2]) / 2)) for i in (0, 1))
    unit_square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    inside = (unit_square * (1 - 2 * _RIM) + _RIM) * np.array([width, height], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, inside.astype(np.float32))
    sheet = cv2.warpPerspective(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sheet, np.uint8).reshape(height, width, image.shape[2])


def _corners(image: Plane) -> Plane | None:
    """Those of the sheet, 4 x 2, x and y of 1, clockwise from the one at the left above."""
    size = _small_size(image.shape)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    small = cv2.medianBlur(np.rint(255 * small).astype(np.uint8), 3).reshape(*size[::-1], -1)
    dark = small.min(axis=2)  # paper is light in every colour
    light = cv2.threshold(dark, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]
    light = cv2.morphologyEx(light, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))  # over the ink
    light = cv2.morphologyEx(light, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    outlines = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    if not outlines:
        return None
    outline = max(outlines, key=cv2.contourArea)
    hull = cv2.convexHull(outline)
    area = cv2.contourArea(hull)
    if not _SHARE[0] < area / light.size < _SHARE[1]:
        return None
    if cv2.contourArea(outline) < _FILLED * area:
        return None
    found = cv2.approxPolyDP(hull, 0.04 * cv2.arcLength(hull, True), True)[:, 0]
    if len(found) != 4 or cv2.contourArea(found) < 0.9 * area:
        return None
    around = found - found.mean(axis=0)
    order = np.argsort(np.arctan2(around[:, 1], around[:, 0]))  # from the left above
    return np.asarray((found[order] + 0.5) / size, np.float32)


def _small_size(shape: tuple[int, ...]) -> list[int]:
    """Width and height of the copy of an image in which sheets and notes are searched."""
    scale = _SIDE / max(shape[:2])
    return [max(1, round(side * scale)) for side in shape[1::-1]]


def _without_ink(small: NDArray[np.generic], side: int) -> Plane:
    """The ground of h x w x 3: what a closing with a square leaves (Meyer, 1979)."""
    ground = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    return np.asarray(np.maximum(cv2.blur(ground, (3, 3)), 0.02), np.float32)


def _hues(ground: Plane) -> Plane:
    """Logarithms of red and of blue over green, which a shadow leaves: ... x 3 to ... x 2."""
    red, green, blue = np.moveaxis(np.log(ground), -1, 0)
    return np.stack([red - green, 0.7 * (blue - green)], axis=-1)


def from_afar(pixels: NDArray[np.generic]) -> NDArray[np.generic] | None:
    """An image at half the size, H' x W' x C of its type; None where it is small.

    A page that is very even looks drawn from near.

    Args:
        pixels: as for `sheet_alone`.
    """
    whole = pixels if pixels.ndim == 3 else pixels[..., None]
    return halved(whole) if min(whole.shape[:2]) >= _AFAR else None


def without_note(pixels: NDArray[np.generic]) -> Pixels | None:
    """The image with a coloured note that lies on its paper made of the paper's colour.

    Args:
        pixels: as for `sheet_alone`.

    Returns:
        H' x W' x C, at most 4 megapixels, or None where no note of one plain colour lies.
    """
    whole = pixels if pixels.ndim == 3 else pixels[..., None]
    if whole.shape[2] == 1:
        return None
    size = _small_size(whole.shape)
    ground = _without_ink(cv2.resize(thumbnail(whole), size, interpolation=cv2.INTER_AREA), 9)
    colours = _hues(ground)
    other = np.hypot(*cv2.split(colours - np.median(colours, axis=(0, 1)))) > _OTHER
    other = cv2.morphologyEx(other.view(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    outlines = cv2.findContours(other, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    outline = max(outlines, key=cv2.contourArea, default=None)
    if outline is None:
        return None
    area = cv2.contourArea(outline)
    box = float(np.prod(cv2.minAreaRect(outline)[1]))
    note = cv2.drawContours(np.zeros_like(other), [outline], -1, (1,), -1)
    inside = cv2.erode(note, np.ones((5, 5), np.uint8)) > 0
    if not _NOTE[0] <= area / other.size <= _NOTE[1] or area < _FULL * box or not inside.any():
        return None
    if colours[inside].std(axis=0).max() > _PLAIN or other.sum() > note.sum() / _FULL:
        return None
    paper = np.median(ground[other == 0], axis=0)
    wide = cv2.dilate(note, np.ones((3, 3), np.uint8))[..., None] > 0
    factor = np.where(wide, paper / ground, 1).astype(np.float32)
    image = _eight_bits(whole)
    factor = cv2.resize(factor, image.shape[1::-1])
    return np.asarray(np.clip(np.rint(image * factor), 0, 255), np.uint8)


def deepened(pixels: NDArray[np.generic]) -> Pixels | None:
    """The image with its ink as dark as print, where what is darkest all over is pale.

    Args:
        pixels: as for `sheet_alone`.

    Returns:
        H' x W' x C, at most 4 megapixels, or None where the ink is not pale.
    """
    whole = pixels if pixels.ndim == 3 else pixels[..., None]
    quotient, ground = flatten(luma(thumbnail(whole)), 1.0, 25)
    if min(quotient.shape) < _CELLS:
        return None
    rows = np.array_split(quotient, _CELLS)
    cells = [part for row in rows for part in np.array_split(row, _CELLS, axis=1)]
    depth = float(np.quantile([1 - np.quantile(cell, 0.02) for cell in cells], 0.9))
    if depth > _PALE:
        return None
    factor = np.float32(min(_STRONGEST, _INK / max(depth, 1e-3)))
    image = _eight_bits(whole)
    grey = max(float(np.median(luma(image))), 1.0)
    tint = np.median(image, axis=(0, 1)).astype(np.float32) / np.float32(grey)  # the paper's
    paper = cv2.resize(ground, image.shape[1::-1])[..., None] * tint
    deep = paper - factor * (paper - image.astype(np.float32) / 255)
    return np.asarray(np.clip(np.rint(deep * 255), 0, 255), np.uint8)


def _eight_bits(image: NDArray[np.generic]) -> Pixels:
    """An H x W x C image of at most 4 megapixels."""
    height, width = image.shape[:2]
    scale = (_MOST / (height * width)) ** 0.5
    if scale < 1:
        size = (max(32, round(width * scale)), max(32, round(height * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).reshape(*size[::-1], -1)
    if image.dtype == np.uint8:
        return np.asarray(image, np.uint8)
    return np.asarray(np.rint(255 * np.clip(np.nan_to_num(unit(image)), 0, 1)), np.uint8)


def turned(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    """An image by a quarter of a turn: what lies on its side stands, or is upside down.

    Args:
        pixels: H x W or H x W x C.
    """
    return np.rot90(pixels)
