"""Pages whose ink is pale all over, as carbon copies: a network for pages sees it darker.

Pale strokes that are soft as well look like stains or like the sheet's other side; as dark as
print they do not. So such a page is shown to the network with more contrast, and what comes back
gets the contrast that it had.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .ink import FAINTEST, Ink
from .white_point import ground_of, smooth

__all__ = ["Darkened", "darkened", "ink_contrast"]

_INK, _MOST = 0.7, 3.0  # depth to which ink is brought, by at most this factor
_LEAST = 1.25  # what needs less is shown as it is
_SURELY = 0.14  # of the paper: from so deep on it is ink in full
_GRAIN = 0.12  # of the paper: grain is made no deeper
_ROWS = 256  # that are made paler at a time
_INKED = 0.85  # quantile over the windows with ink
_FEWEST = 0.25  # share of the windows


def ink_contrast(ink: Ink) -> float:
    """How many times as deep a page's ink is to be shown; 1 where it is dark, or where little is.

    Returns:
        1, or a factor of 1.25 to 3: less where grain would become deep too.
    """
    if ink.inked.mean() < _FEWEST:
        return 1.0
    depth, grain = float(np.quantile(ink.depths[ink.inked], _INKED)), float(np.median(ink.grain))
    share = np.clip((depth - FAINTEST) / (_SURELY - FAINTEST), 0, 1)
    most = min(_INK / depth, _MOST, _GRAIN / max(grain, 1e-3))
    factor = 1 + float(share) * (most - 1)
    return factor if factor >= _LEAST else 1.0


@dataclass(frozen=True)
class Darkened:
    """Pages with their ink so many times as deep, and what they were.

    Attributes:
        shown: N x C x H x W on [0, 1].
        pages: the same, as they were.
        cells: N x C x h x w, their paper and areas that are wider than strokes, 4 x 4 pixels each.
        contrast: N x 1 x 1 x 1.
    """

    shown: Tensor
    pages: Tensor
    cells: Tensor
    contrast: Tensor

    def back(self, cleaned: Tensor) -> Tensor:
        """Make strokes as deep as they were, in place; cleaned is N x C x H x W on [0, 1]."""
        all_ground = smooth(self.cells, self.pages)
        for top in range(0, cleaned.shape[2], _ROWS):
            rows = slice(top, top + _ROWS)
            ground, after = all_ground[:, :, rows], cleaned[:, :, rows]
            fall = (ground - self.pages[:, :, rows]).clamp_(min=0)
            # Ink that black ends is as deep afterwards as it was.
            shares = fall.div_(ground.clamp(min=1e-3)).clamp_(min=1 / self.contrast).clamp_(max=1)
            area = (1 - ground).clamp_(min=0)
            stroke = (1 - after - area).clamp_(min=0)
            paler = after + stroke * (1 - shares)
            after.copy_(torch.where(self.contrast > 1, paler, after))
        return cleaned


def darkened(pages: Tensor, contrast: Tensor) -> Darkened:
    """Make ink so many times as deep, down to black; paper and wide areas stay as they are.

    Args:
        pages: N x C x H x W on [0, 1]; held until they are asked `back`.
        contrast: N x 1 x 1 x 1, of `ink_contrast`; 1 leaves a page as it is.
    """
    if bool((pages > 1).any()):
        pages = torch.where(contrast > 1, pages.clamp(max=1), pages)
    cells = functional.avg_pool2d(ground_of(pages), 3, 1, 1, count_include_pad=False)
    fall = smooth(cells, pages).sub_(pages).clamp_(min=0)
    darker = fall.mul_(contrast - 1).neg_().add_(pages).clamp_(min=0)
    return Darkened(torch.where(contrast > 1, darker, pages), pages, cells, contrast)
