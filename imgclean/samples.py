"""Rows of a sheet of samples: an image before and after, and as it should be."""

from collections.abc import Sequence

import numpy as np

from .cases import Case
from .errors import ImageError
from .methods import Method
from .pixels import unit
from .source import Array, Pixels

__all__ = ["rows"]

_SIDE = 384  # pixels; of larger images the middle is shown


def rows(cases: Sequence[Case], method: Method, count: int) -> list[list[Array]]:
    """Noisy, denoised and, where there is one, clean, all in [0, 1].

    Args:
        cases: what to choose from; so many are taken, spread evenly. Those that cannot be read
            are left out.
        method: cleans them.
        count: of rows.
    """
    chosen = np.linspace(0, len(cases) - 1, min(count, len(cases))).round().astype(int)
    found = []
    for number in chosen:
        try:
            noisy, clean = cases[number].open()
            shown = [noisy, method(noisy), *([] if clean is None else [clean])]
        except ImageError:  # named among the failures already
            continue
        found.append([_middle(unit(pixels)) for pixels in shown])
    return found


def _middle(image: Pixels) -> Array:
    top, left = (max(0, (length - _SIDE) // 2) for length in image.shape[:2])
    return image[top : top + _SIDE, left : left + _SIDE]
