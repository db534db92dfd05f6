"""How much brighter to show a page to a network that learnt light paper, and how much less tinted.

Faint ink on yellowed paper has a depth of its own in each channel, and paper that is dark in blue
hides what is left of it there. Where the paper is grey, what differs in colour is ink.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import full_range

__all__ = ["paper_gains"]

Plane = NDArray[np.float32]

_WHITE = 0.93  # what dark paper is brought to, of white
_LIGHT, _DARK = 0.9, 0.8  # from where on it goes a part of the way there, and all of it
_LARGEST = 2.0
_BRIGHT = 0.98  # the share of a page that may not be brighter than its paper
_NEARLY, _PAPER = 0.7, 0.4  # of the paper's brightness has to be this share of a page
_SIDE = 128  # pixels of the smaller copy that is looked at: there is little noise, and few strokes
_ENDS = (0.005, 0.995)  # of what is looked at, as quantiles: strokes
_NEGATIVE = 1.5  # times as far from the usual brightness as the darkest the brightest is, there
_GREY = 0.94  # what tinted paper is brought to in each channel
_TINTED = 0.1  # from where on it is that; less darker than the brightest channel goes a part
_USUAL, _ALIKE = 0.9, (0.9, 1.05)  # the quantile of light paper, and what is like it
_TINT = 2.2  # the largest gain of a channel
_HEADROOM = 1.1  # of what is brighter than the paper: that much of it may be cut off


def paper_gains(page: NDArray[np.generic]) -> Plane:
    """What to multiply the channels of a page with so that its paper is nearly white, and grey.

    Args:
        page: H x W x C with C in {1, 3}, uint8, uint16 or float32.

    Returns:
        C numbers of 1 to 2.2; 1 where the paper is light and grey, where hardly anything is as
        bright as the brightest, as in most pictures, and in negatives, such as blueprints.
    """
    step = max(1, max(page.shape[:2]) // (4 * _SIDE))
    coarse = page[::step, ::step].astype(np.float32) / np.float32(full_range(page))
    size = [max(1, round(n * min(1, _SIDE / max(coarse.shape[:2])))) for n in coarse.shape[:2]]
    small = cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    small = np.asarray(small, np.float32).reshape(*size, page.shape[2])
    light = small.max(axis=2)  # the brightest channel: as a whole tinted paper is no darker
    bright = float(np.quantile(light, _BRIGHT))
    gains = np.ones(page.shape[2], np.float32)
    if bright <= 0 or np.mean(light >= _NEARLY * bright) < _PAPER or _is_negative(coarse):
        return gains
    share = np.clip((_LIGHT - bright) / (_LIGHT - _DARK), 0, 1)
    gains *= np.float32(min(1 + share * (_WHITE / bright - 1), _LARGEST))
    return np.maximum(gains, _untinted(small, light, gains[0])) if len(gains) > 1 else gains


def _is_negative(coarse: Plane) -> bool:
    """Whether a page's strokes are light and its ground dark."""
    plane = coarse.max(axis=2)
    darkest, brightest = np.quantile(plane, _ENDS)
    usual = float(np.median(plane))
    return bool(usual < 0.5 and brightest - usual > _NEGATIVE * (usual - darkest))


def _untinted(small: Plane, light: Plane, gain: np.float32) -> Plane:
    """What makes the paper's median grey; less where much is brighter than it, as pasted strips.

    Args:
        small: h x w x 3, the page.
        light: h x w, its brightest channel.
        gain: that will be applied anyway.
    """
    usual = np.quantile(light, _USUAL)
    alike = small[(light >= _ALIKE[0] * usual) & (light <= _ALIKE[1] * usual)]
    paper = np.maximum(np.median(alike, axis=0), 1e-3)
    white = gain * paper.max()
    tint = np.clip((1 - paper.min() / paper.max()) / _TINTED, 0, 1)
    wanted = np.clip((white + tint * max(_GREY - white, 0)) / paper, 1, _TINT)
    brightest = np.maximum(np.quantile(small, _BRIGHT, axis=(0, 1)), 1e-3)
    return np.asarray(np.minimum(wanted, np.maximum(_HEADROOM / brightest, gain)), np.float32)
