"""Small print: pages of low resolution are cleaned at twice the size as well.

At 75 to 150 dpi a stroke is a pixel or two wide, as dirt is, and they are told from each other
better where both are twice as wide, by a network of its own that saw pages enlarged in this way.
What it makes of a page and what the network for others does err in different places, so their mean
is nearer to the truth than either.
"""

import numpy as np
import torch
from torch import Tensor

from .ink import Ink

__all__ = ["AROUND", "SHARE", "doubled", "every_second", "is_small"]

AROUND = 2  # pixels of a page that `doubled` looks at around one
SHARE = 2 / 3  # of what is seen at twice the size in the mean
_WIDE = 0.3  # share of the ink that is three pixels wide or wider
_FEWEST = 1 / 32  # share of the windows that tell it

_BETWEEN = -0.09375, 0.59375  # weights half-way between pixels: cubic convolution with a = -0.75


def doubled(pages: Tensor) -> Tensor:
    """Twice the size by cubic convolution (Keys, 1981); every second pixel is the page's own.

    Args:
        pages: N x C x H x W on [0, 1]; between the pixels values may lie a little outside.

    Returns:
        N x C x 2H x 2W.
    """
    for axis in (2, 3):
        pages = _between(pages.transpose(axis, 3)).transpose(axis, 3)
    return pages


def every_second(pages: Tensor) -> Tensor:
    """Half the size, of N x C x 2H x 2W: undoes `doubled`."""
    return pages[:, :, ::2, ::2]


def _between(pages: Tensor) -> Tensor:
    """Twice as wide, the last column repeated."""
    first, last = pages[..., :1], pages[..., -1:]
    wide = torch.cat([first, pages, last, last], 3)
    width = pages.shape[3]
    outer, inner = _BETWEEN
    middle = (wide[..., 1 : width + 1] + wide[..., 2 : width + 2]).mul_(inner)
    middle.add_(wide[..., :width] + wide[..., 3:], alpha=outer)
    return torch.stack([pages, middle], 4).flatten(3)


def is_small(ink: Ink) -> bool:
    """Whether strokes are mostly one or two pixels wide in half of the windows that tell it."""
    wide = ink.wide[np.isfinite(ink.wide)]
    return bool(len(wide) > _FEWEST * len(ink.wide) and np.median(wide) < _WIDE)
