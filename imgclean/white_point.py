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
_STROKE, _STEP = 9, 20  # pixels of what is sampled, and of 255: thinner, and more than that apart
_NEGATIVE = 3  # times as many pixels in light strokes as in dark ones
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
    coarse = _sampled(page)
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
    return np.maximum(gains, _untinted(coarse, small, gains[0])) if len(gains) > 1 else gains


def _sampled(page: NDArray[np.generic]) -> Plane:
    """Some 512 to 1,024 pixels of the longer side, on [0, 1], off any grid that rules may have."""
    rng, longer = np.random.default_rng(0), max(page.shape[:2])
    step = max(1, longer // (4 * _SIDE))
    rows, columns = (
        np.arange(0, side - step + 1, step) + rng.integers(0, step, side // step)
        if side >= step
        else np.arange(1)
        for side in page.shape[:2]
    )
    sampled = page[np.ix_(rows, columns)].astype(np.float32)
    return np.asarray(sampled / np.float32(full_range(page)), np.float32)


def _is_negative(coarse: Plane) -> bool:
    """Whether a page is dark, and its thin strokes are light (top-hats of Meyer, 1979)."""
    plane = np.clip(255 * coarse.max(axis=2), 0, 255).astype(np.uint8)
    if np.median(plane) > 127:
        return False
    kernel = np.ones((_STROKE, _STROKE), np.uint8)
    light, dark = (
        np.count_nonzero(cv2.morphologyEx(plane, way, kernel) > _STEP)
        for way in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT)
    )
    return bool(light > _NEGATIVE * dark)


def _untinted(coarse: Plane, small: Plane, gain: np.float32) -> Plane:
    """What makes the paper's median grey; less where much is brighter than it, as pasted strips.

    Args:
        coarse: pixels of the page, as they are: in means of them coloured rules would be a tint.
        small: h x w x 3, the page.
        gain: that will be applied anyway.
    """
    usual = np.quantile(small.max(axis=2), _USUAL, method="nearest")
    pixels = coarse[::2, ::2].reshape(-1, coarse.shape[2])
    light = pixels.max(axis=1)
    alike = pixels[(light >= _ALIKE[0] * usual) & (light <= _ALIKE[1] * usual)]
    if not len(alike):
        return np.full(coarse.shape[2], gain, np.float32)
    paper = np.maximum(np.median(alike, axis=0), 1e-3)
    white = gain * paper.max()
    tint = np.clip((1 - paper.min() / paper.max()) / _TINTED, 0, 1)
    wanted = np.clip((white + tint * max(_GREY - white, 0)) / paper, 1, _TINT)
    brightest = np.maximum(np.quantile(small, _BRIGHT, axis=(0, 1)), 1e-3)
    return np.asarray(np.minimum(wanted, np.maximum(_HEADROOM / brightest, gain)), np.float32)
