"""Images that use little of their range, such as 12 bits of a sensor in 16, for a network.

A network for photos computes with the distance from mid grey. Where an image uses a hundredth of
the range, what rounds off in that is more than the image's noise. So it is made to use all of the
range, and what comes out is put back.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .pixels import full_range

__all__ = ["Stretch", "put_back", "stretch"]

_MOST = 0.3  # of the full range; what uses more stays as it is
_BEYOND = 5e-4  # share of the samples that may lie outside: hot pixels, stars
_TOO_MANY, _SPARED = 10, 100  # times as many and so many more: the samples told wrong
_MARGIN = 0.25  # of what is used, on both sides
_LEAST = 32 / 65535  # the same at least, of the full range
_SAMPLES = 500_000  # that tell what is used
_ROWS = 256  # at a time

Pixels = NDArray[Any]


@dataclass(frozen=True)
class Stretch:
    """How an image was stretched.

    Attributes:
        low, factor: what was subtracted, and what then was multiplied by.
        places, values: flat places of the samples that lay outside, and these.
    """

    low: float
    factor: float
    places: NDArray[np.intp]
    values: Pixels


def stretch(image: Pixels) -> Stretch | None:
    """Make an image use its full range, in place, if it uses three tenths or less.

    Args:
        image: H x W x C, uint16, or float32 on [0, 1].

    Returns:
        What `put_back` needs; None for images left as they are, such as all of uint8.
    """
    if image.dtype not in (np.uint16, np.float32) or not image.size:
        return None
    whole, full = image.dtype == np.uint16, full_range(image)
    step = int((image.size / _SAMPLES) ** 0.5) | 1  # odd, so that all colours of a mosaic are seen
    ends = np.quantile(image[::step, ::step].astype(np.float64), (_BEYOND, 1 - _BEYOND))
    if ends[1] - ends[0] > _MOST * full:
        return None
    margin = max(_MARGIN * (ends[1] - ends[0]), _LEAST * full)
    low, high = float(ends[0] - margin), float(ends[1] + margin)
    if whole:
        low, high = float(np.floor(max(low, 0))), float(np.ceil(min(high, full)))
    factor = full // (high - low) if whole else 1 / (high - low)
    places = []
    for top in range(0, len(image), _ROWS):
        part = image[top : top + _ROWS]
        outside = np.flatnonzero((part < low) | (part > high))
        places.append(outside + top * image[0].size)
        if sum(map(len, places)) > _TOO_MANY * _BEYOND * image.size + _SPARED:
            return None
    beyond = np.concatenate(places)
    values = image[np.unravel_index(beyond, image.shape)]
    typed = image.dtype.type
    np.clip(image, typed(low), typed(high), out=image)
    np.subtract(image, typed(low), out=image)
    np.multiply(image, typed(factor), out=image)
    return Stretch(low, factor, beyond, values)


def put_back(image: Pixels, stretched: Stretch) -> None:
    """Undo `stretch`, in place; what lay outside is as it was."""
    typed = image.dtype.type
    low, factor = typed(stretched.low), typed(stretched.factor)
    if image.dtype == np.uint16:
        half = typed(stretched.factor // 2)
        np.minimum(image, typed(65535) - half, out=image)
        np.add(image, half, out=image)
        np.floor_divide(image, factor, out=image)
        np.minimum(image, typed(65535) - low, out=image)  # what overshoots must not begin at 0
    else:
        np.divide(image, factor, out=image)
    np.add(image, low, out=image)
    image[np.unravel_index(stretched.places, image.shape)] = stretched.values
