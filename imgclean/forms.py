"""Forms of an output: as its input, in one channel of grey, or in black and white."""

from dataclasses import replace
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from .images import Image
from .safety import typical_depth

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
    grey = _grey(image.pixels)
    if form == "grey":
        return replace(image, pixels=grey, info=info)
    info = replace(info, depth=1, compression="ccittfax4", miniswhite=True)
    return Image(black_and_white(_on_white(grey, image.alpha))[..., None], None, info)


def _grey(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    if pixels.shape[2] == 1:
        return pixels
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), pixels.dtype)[..., None]


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
    13 pixels thick, are ink where they have half of the depth that they reach near by.
    """
    result = np.empty_like(grey)
    otsu = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU, dst=result)[0]  # no plane of its own
    limit = float(np.clip(otsu, _SURE, _FAINT))
    near = np.ones((2 * _EDGE + 1, 2 * _EDGE + 1), np.uint8)
    for first in range(0, len(grey), _STRIP):
        begin = max(0, first - _BESIDE)
        strip = grey[begin : first + _STRIP + _BESIDE]
        part = slice(first - begin, first - begin + _STRIP)
        low = (strip < _sauvola(strip)).view(np.uint8)
        ink = np.where(strip <= limit, low, 0) | (strip < _SURE)
        light = low & (1 - cv2.dilate(ink, near))
        light = low & cv2.dilate(light, near)
        result[first : first + _STRIP] = np.where((ink | light | _pale(strip))[part], 0, 255)
    return result


def _pale(strip: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pale strokes, and the middle of dark ones.

    Their depth is the black top-hat (Meyer, 1979), that of grain and texture its local median.
    """
    depth = cv2.morphologyEx(strip, cv2.MORPH_BLACKHAT, np.ones((_REACH, _REACH), np.uint8))
    typical = typical_depth(np.asarray(depth, np.uint8))
    clear = cv2.subtract(depth, cv2.add(typical, typical))
    _, labels, stats, _ = cv2.connectedComponentsWithStats((clear > _PALE).view(np.uint8))
    strokes = stats[:, cv2.CC_STAT_AREA] >= _SMALLEST
    strokes[0] = False  # what is none
    near = cv2.dilate(depth, np.ones((2 * _EDGE + 1, 2 * _EDGE + 1), np.uint8))
    return np.asarray(strokes[labels] & (depth > near // 2), np.bool_)


def _sauvola(strip: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Sauvola's threshold for every pixel."""
    values, side = strip.astype(np.float32), (_WINDOW, _WINDOW)
    mean = cv2.blur(values, side, borderType=cv2.BORDER_REPLICATE)
    square = cv2.sqrBoxFilter(values, -1, side, borderType=cv2.BORDER_REPLICATE)
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    return np.asarray(mean * (1 + _K * (spread / _RANGE - 1)), np.float32)
