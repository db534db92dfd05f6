"""Where a page's paper lies between black and white, before a network sees the page.

A network sees a few hundred pixels around each one. Where there is nothing but dark paper in sight,
that might as well be a picture, and stays as dark as it is. The whole page tells: paper is what two
fifths of it, or more, are nearly as bright as.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["white_gain"]

_WHITE = 0.93  # what dark paper is brought to, of white
_LIGHT, _DARK = 0.9, 0.8  # from where on it goes a part of the way there, and all of it
_LARGEST = 2.0
_BRIGHT = 0.98  # the share of a page that may not be brighter than its paper
_NEARLY, _PAPER = 0.7, 0.4  # of the paper's brightness has to be this share of a page
_SIDE = 128  # pixels of the smaller copy that is looked at: there is little noise, and few strokes


def white_gain(page: NDArray[np.generic], scale: float) -> float:
    """What to multiply a page with so that dark paper is nearly white.

    Args:
        page: H x W x C with C in {1, 3}, uint8, uint16 or float32.
        scale: the value of white: 255, 65535 or 1.

    Returns:
        1 to 2; 1 where the paper is light, and where hardly anything is as bright as the
        brightest, as in most pictures.
    """
    step = max(1, max(page.shape[:2]) // (4 * _SIDE))
    # The brightest channel, so that tinted paper keeps its tint for the network.
    coarse = page[::step, ::step].max(axis=2).astype(np.float32)
    size = [max(1, round(side * min(1, _SIDE / max(coarse.shape)))) for side in coarse.shape]
    small = cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    paper = float(np.quantile(small, _BRIGHT)) / scale
    if paper <= 0 or np.mean(small >= _NEARLY * paper * scale) < _PAPER:
        return 1.0
    share = np.clip((_LIGHT - paper) / (_LIGHT - _DARK), 0, 1)
    return float(min(1 + share * (_WHITE / paper - 1), _LARGEST))
