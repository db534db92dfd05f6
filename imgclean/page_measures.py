"""Measures of an image that tell ink on paper from a photo; `choose` decides by them.

Some are taken on a thumbnail that is divided by its background, others on the few crops at full
resolution that hold most narrow dark details: shares of paper and ink, colour, gradients,
repetition, and what connected shapes of ink look like. The thumbnail and the crops themselves,
smaller, are what a network looks at.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import luma, unit

__all__ = [
    "CROP_MEASURES",
    "MEASURES",
    "WHOLE_MEASURES",
    "Seen",
    "flatten",
    "measure",
    "thumbnail",
    "without_border",
]

Plane = NDArray[np.float32]

_AREA = 512 * 384  # of the thumbnail, in pixels
_LONGEST = 1024
_PAPER, _STROKE = 0.85, 0.7  # of the background's brightness
_CROP = 256
_CROPS = 4
_WHOLE_SEEN, _CROP_SEEN = 240, 128  # pixels a side of what a network sees
_EDGES = (0.0, 0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.87, 0.93, 1.02, 2.0)  # of the quotient's histogram

WHOLE_MEASURES = (
    "light",  # median brightness of the background
    "paper",  # share of the thumbnail that is background
    "strokes",  # root of the share that is clearly dark
    "inked",  # share of the narrow details that are darker, not lighter, than what is around
    "colour",  # mean distance of a pixel's colour from the background's
    "spread",  # share of the thumbnail's cells that hold narrow dark details
    *(f"quotient {low}" for low in _EDGES[:-1]),  # roots of the shares of the quotient's bins
    *(f"brightness {share} %" for share in (5, 25, 50, 75, 95)),  # quantiles
    "background range",  # logarithm of its 95 % quantile over the 5 % one
    "background roughness",  # how much of it is finer than a tenth of the image
    *(f"chroma {share} %" for share in (50, 90, 99)),  # quantiles of the distance from grey
    "upright",  # share of the gradients' energy along rows or columns
    "sparse",  # mean over root mean square of the gradient
    "lines",  # strongest repetition of rows or columns
)
CROP_MEASURES = (
    "between",  # share that is neither background nor clearly dark
    "strokes",
    "modes",  # Otsu's separability of two classes
    "inked",
    "thin",  # share of the dark pixels that are narrow
    "lines",  # strongest repetition of rows or columns of text
    "letters",  # logarithm of the number of shapes of a letter's size
    *(f"quotient {low}" for low in _EDGES[:-1]),
    "height",  # logarithm of the median height of such shapes
    "uneven",  # spread of their heights over the median
    "filled",  # median share of their box that is ink
    "width",  # mean width of a stroke in pixels, logarithm
    "steady",  # spread of the stroke width over its mean
    "light letters",  # logarithm of the number of lighter shapes of a letter's size
    "noise",  # logarithm of the noise's standard deviation
)
MEASURES = (
    *WHOLE_MEASURES,
    *(f"{way} {name}" for way in ("mean", "least", "most") for name in CROP_MEASURES),
)


@dataclass(frozen=True)
class Seen:
    """What is looked at of an image.

    Attributes:
        measures: in the order of `MEASURES`.
        whole: the image in RGB, squeezed into a square: 240 x 240 x 3, in [0, 1].
        crops: parts that hold most details, in grey, at half the resolution: 4 x 128 x 128, in
            [0, 1]; of a small image some are there twice.
    """

    measures: NDArray[np.float64]
    whole: Plane
    crops: Plane


def measure(pixels: NDArray[np.generic]) -> Seen:
    """Measures and small views of an image of at least 32 pixels each way.

    Args:
        pixels: H x W or H x W x C with C in {1, 3}, RGB; uint8, uint16, or float in [0, 1].
    """
    image = pixels if pixels.ndim == 3 else pixels[..., None]
    all_small = thumbnail(image)
    small = without_border(all_small)
    quotient, background = flatten(luma(small), 1.0, 25)
    darker, inked = _details(quotient, 9)
    paper, strokes = _shares(quotient)
    whole = [
        float(np.median(background[::4, ::4])),
        paper,
        strokes**0.5,
        inked,
        _colour(small, quotient),
        _spread(darker),
        *_histogram(quotient),
        *np.quantile(luma(small)[::2, ::2], (0.05, 0.25, 0.5, 0.75, 0.95)),
        *_background(background),
        *_chroma(small),
        *_gradients(quotient),
        _lines(quotient),
    ]
    crops = _crops(image, darker)
    each = np.array([_crop_measures(crop) for crop in crops])
    parts = [whole, each.mean(axis=0), each.min(axis=0), each.max(axis=0)]
    views = [_squeezed(crops[index % len(crops)], _CROP_SEEN) for index in range(_CROPS)]
    square = np.atleast_3d(_squeezed(all_small, _WHOLE_SEEN))
    colour = np.repeat(square, 3 // square.shape[2], axis=2)
    return Seen(np.concatenate(parts).astype(np.float64), colour, np.stack(views))


def _squeezed(plane: Plane, side: int) -> Plane:
    return np.asarray(cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _unit(pixels: NDArray[np.generic]) -> Plane:
    """Pixels of any type as float32 in [0, 1]."""
    whole = np.issubdtype(pixels.dtype, np.integer)
    return unit(pixels) if whole else np.clip(np.nan_to_num(unit(pixels)), 0, 1)


def thumbnail(image: NDArray[np.generic]) -> Plane:
    """At most `_AREA` pixels, averaged down in two steps as whole factors are much faster."""
    height, width = image.shape[:2]
    factor = max((height * width / _AREA) ** 0.5, max(height, width) / _LONGEST, 1.0)
    whole = min(int(factor), height, width) // 2 * 2
    if whole:
        rows, columns = height // whole, width // whole
        image = image[: rows * whole, : columns * whole]
        # Two rows for each row of the thumbnail average to nearly the same, and much faster.
        image = cv2.resize(image[:: whole // 2], (columns, rows), interpolation=cv2.INTER_AREA)
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    small = cv2.resize(_unit(image), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small.reshape(size[1], size[0], -1), np.float32)


def without_border(small: Plane, darker: float = 0.5) -> Plane:
    """Cut off up to a sixth at each side that is dark throughout, as beside a scanned sheet.

    Args:
        small: h x w x C, a thumbnail.
        darker: what is dark, as a share of its median brightness.
    """
    grey = luma(small)
    limit = darker * float(np.median(grey))
    rows, columns = np.median(grey, axis=1) < limit, np.median(grey, axis=0) < limit
    top, low = _run(rows), len(rows) - _run(rows[::-1])
    left, right = _run(columns), len(columns) - _run(columns[::-1])
    return np.ascontiguousarray(small[top:low, left:right])


def _run(dark: NDArray[np.bool_]) -> int:
    """Length of the dark run at the start, with 2 pixels more for its soft edge."""
    length = int(np.argmin(dark)) if not dark.all() else 0
    return min(length + 2, len(dark) // 6) if length else 0


def flatten(grey: Plane, blur: float, reach: int) -> tuple[Plane, Plane]:
    """Divide by the background: 1 for paper, 0 for black ink, whatever the light.

    Returns:
        The quotient, about [0, 1], and the background, both H x W.
    """
    soft = cv2.GaussianBlur(grey, (0, 0), blur)
    background = cv2.blur(_morph(soft, cv2.MORPH_CLOSE, reach), (reach, reach))
    quotient = soft / np.maximum(background, 1e-3)
    # Noise lifts a closing above the paper: put the paper itself back to 1.
    paper = max(float(np.quantile(quotient[::2, ::2], 0.75)), 1e-3)
    return np.minimum(quotient / np.float32(paper), np.float32(1.25)), background


def _morph(plane: Plane, operation: int, reach: int) -> Plane:
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (reach, reach))
    return np.asarray(cv2.morphologyEx(plane, operation, kernel), np.float32)


def _shares(quotient: Plane) -> tuple[float, float]:
    """Shares of paper and of strokes; shadows and textures lie between."""
    return float(np.mean(quotient > _PAPER)), float(np.mean(quotient < _STROKE))


def _details(quotient: Plane, reach: int) -> tuple[Plane, float]:
    """How much darker narrow details are than what is around, and their share of all details.

    Ink makes dark details on light ground; in photos light ones are about as frequent.
    """
    darker = _morph(quotient, cv2.MORPH_BLACKHAT, reach)
    lighter = _morph(quotient, cv2.MORPH_TOPHAT, reach)
    dark = float(np.sum(np.maximum(darker - 0.1, 0)))
    light = float(np.sum(np.maximum(lighter - 0.1, 0)))
    blank = 1e-4 * quotient.size  # a blank image is neither
    return darker, (dark + blank) / (dark + light + 2 * blank)


def _separability(values: Plane) -> float:
    """Otsu's criterion at its maximum (1979): variance between two classes over the total."""
    counts = cv2.calcHist([values], [0], None, [64], [0, 1.2501]).ravel().astype(np.float64)
    share, centre = counts / counts.sum(), (np.arange(64) + 0.5) * (1.25 / 64)
    below, mean = np.cumsum(share), np.cumsum(share * centre)
    total = float(np.sum(share * (centre - mean[-1]) ** 2))
    if total < 1e-6:
        return 0.0
    between = (mean[-1] * below - mean) ** 2 / np.maximum(below * (1 - below), 1e-6)
    return float(between.max() / total)


def _colour(small: Plane, quotient: Plane) -> float:
    """Mean distance of the pixels' colours from the paper's."""
    if small.shape[2] == 1:
        return 0.0
    cells = cv2.blur(small, (4, 4))[::4, ::4]
    paper = quotient[::4, ::4] > _PAPER
    chroma = cells - luma(cells)[..., None]
    ground = np.median(chroma[paper], axis=0) if np.any(paper) else np.zeros(3)
    return float(np.abs(chroma - ground).sum(axis=2).mean())


def _lines(dark: Plane) -> float:
    """Highest repetition, after a first drop, of the profile across or along the page."""
    return max(_repetition(dark.mean(axis=1)), _repetition(dark.mean(axis=0)))


def _repetition(profile: Plane) -> float:
    profile = profile - cv2.blur(profile[:, None], (1, 41))[:, 0]
    energy = float(profile @ profile)
    if energy < 1e-6 * len(profile) or len(profile) < 24:
        return 0.0
    shifts = range(1, min(60, len(profile) // 3))
    again = np.array([float(profile[:-k] @ profile[k:]) for k in shifts]) / energy
    first = int(np.argmax(again < 0.1))
    return float(max(0.0, again[first:].max()))


def _spread(darker: Plane) -> float:
    """Share of a grid's cells in which at least 2 % is a narrow dark detail."""
    cells = cv2.resize((darker > 0.12).astype(np.float32), (12, 12), interpolation=cv2.INTER_AREA)
    return float(np.mean(cells > 0.02))


def _crops(image: NDArray[np.generic], darker: Plane) -> list[Plane]:
    """Grey crops at full resolution where the thumbnail has most narrow dark details."""
    height, width = image.shape[:2]
    rows, columns = (min(8, max(1, length // _CROP)) for length in (height, width))
    cells = cv2.resize(darker, (columns, rows), interpolation=cv2.INTER_AREA).ravel()
    crops = []
    for cell in np.argsort(-cells, kind="stable")[:_CROPS]:
        row, column = divmod(int(cell), columns)
        top = max(0, (2 * row + 1) * height // (2 * rows) - _CROP // 2)
        left = max(0, (2 * column + 1) * width // (2 * columns) - _CROP // 2)
        crops.append(luma(_unit(image[top : top + _CROP, left : left + _CROP])))
    return crops


def _crop_measures(crop: Plane) -> list[float]:
    quotient = flatten(crop, 1.2, 41)[0]
    darker, inked = _details(quotient, 15)
    paper, share = _shares(quotient)
    strokes = quotient < _STROKE
    thin = float(np.mean(darker[strokes] > 0.2)) if share else 0.0
    ink = [1 - paper - share, share**0.5, _separability(quotient), inked, thin]
    count, *shapes = _letters(strokes)
    lighter = _letters(_morph(quotient, cv2.MORPH_TOPHAT, 15) > 0.25)[0]
    return [*ink, _lines(quotient), count, *_histogram(quotient), *shapes, *_stroke_width(strokes),
            lighter, _noise(crop)]  # fmt: skip


def _histogram(quotient: Plane) -> NDArray[np.float64]:
    counts = np.histogram(quotient[::2, ::2], _EDGES)[0]
    return np.asarray(np.sqrt(counts / max(1, counts.sum())), np.float64)


def _background(background: Plane) -> list[float]:
    """Logarithm of the range, and the share of the variation that is not smooth."""
    small = cv2.resize(background, (40, 40), interpolation=cv2.INTER_AREA)
    low, high = np.quantile(small, (0.05, 0.95))
    smooth = cv2.blur(small, (9, 9))
    rough = float(np.abs(small - smooth).mean() / max(float(small.mean()), 1e-3))
    return [float(np.log((high + 0.02) / (low + 0.02))), rough]


def _chroma(small: Plane) -> NDArray[np.float64]:
    if small.shape[2] == 1:
        return np.zeros(3)
    cells = cv2.blur(small, (4, 4))[::4, ::4]
    away = np.abs(cells - luma(cells)[..., None]).sum(axis=2)
    return np.asarray(np.quantile(away, (0.5, 0.9, 0.99)), np.float64)


def _gradients(quotient: Plane) -> list[float]:
    across, along = cv2.Sobel(quotient, cv2.CV_32F, 1, 0), cv2.Sobel(quotient, cv2.CV_32F, 0, 1)
    energy = across * across + along * along
    total = float(energy.sum()) + 1e-6
    upright = np.minimum(np.abs(across), np.abs(along)) < 0.2 * np.sqrt(energy)
    spread = float(np.sqrt(energy).mean() / np.sqrt(energy.mean() + 1e-9))
    return [float(energy[upright].sum()) / total, spread]


def _letters(shapes: NDArray[np.bool_]) -> list[float]:
    """Logarithms of number and median height, spread of heights, and fill, of likely letters."""
    stats = cv2.connectedComponentsWithStats(shapes.astype(np.uint8))[2][1:]
    wide, high = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    area = stats[:, cv2.CC_STAT_AREA]
    like = (high >= 5) & (high <= 80) & (wide <= 8 * high)
    like &= (area >= 12) & (area > 0.15 * wide * high)
    if not like.any():
        return [0.0, 0.0, 1.0, 0.0]
    heights = high[like]
    middle = float(np.median(heights))
    uneven = float(np.median(np.abs(heights - middle))) / middle
    filled = float(np.median(area[like] / (wide[like] * high[like])))
    return [float(np.log1p(np.count_nonzero(like))), float(np.log(middle)), uneven, filled]


def _stroke_width(strokes: NDArray[np.bool_]) -> list[float]:
    """Logarithm of the mean width, and its spread, along the ridges of the distance from paper."""
    if strokes.all():  # no paper to measure the distance from
        return [0.0, 0.0]
    inside = cv2.distanceTransform(strokes.astype(np.uint8), cv2.DIST_L2, 3)
    ridge = inside[(inside >= cv2.dilate(inside, np.ones((3, 3), np.uint8))) & (inside > 0)]
    if not ridge.size:
        return [0.0, 0.0]
    mean = float(ridge.mean())
    return [float(np.log(mean)), float(ridge.std()) / mean]


def _noise(crop: Plane) -> float:
    """Logarithm of the noise by the median of a diagonal difference (Donoho and others, 1994)."""
    rows, columns = crop.shape[0] // 2 * 2, crop.shape[1] // 2 * 2
    cells = crop[:rows, :columns]
    diagonal = cells[::2, ::2] - cells[::2, 1::2] - cells[1::2, ::2] + cells[1::2, 1::2]
    return float(np.log(float(np.median(np.abs(diagonal))) / 2 / 0.6745 + 1e-3))
