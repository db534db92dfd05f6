"""Does what a method took away from an image hold structure of the image?

White noise that is removed leaves a residual whose neighbouring pixels have nothing to do with
each other. Edges that were smeared leave one whose neighbours are alike, along the edges.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["structure"]

Array = NDArray[np.float32]

_LAGS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0))  # rows and columns
_EDGES = 0.15  # share of the pixels that are edges: those with the steepest gradients
_FLAT = 0.5  # share of the pixels that are flat: those with the gentlest
_SMALLEST = 32  # pixels of height and width below which nothing can be told


def structure(*, noisy: Array, denoised: Array) -> float | None:
    """Autocorrelation of the removed residual at the image's edges, less that in its flat parts.

    The residual, mean over the channels, is correlated with itself at six lags of one and two
    pixels, over the pixels where the denoised image is steepest and over those where it is
    flattest. The difference, mean over the lags, is near 0 or below for noise: white noise has
    no autocorrelation, and that of a camera or of JPEG is the same in both places. It is
    positive where edges went with the noise. Lag autocorrelation alone (as in the residual
    diagnostics of time series, Box and Jenkins 1970) would flag every camera.

    The limit `scores.STRUCTURE_LIMIT` (0.03) was calibrated by ``benchmarks/structure.py``, which
    prints the shares that are flagged. Limits of the measure: paper, stains and restored ink are
    structure that is meant to go, so pages cleaned by `scan` are flagged with reason; texture
    without edges that is lost everywhere alike is not seen; at a sigma of about 5 even good
    methods take texture.

    Args:
        noisy: H x W x C, black 0, white 1, unclipped.
        denoised: of the same shape.

    Returns:
        A number in about [-1, 1]; None for images under 32 pixels, without any edges, or of which
        nothing was removed.
    """
    if min(noisy.shape[:2]) < _SMALLEST:
        return None
    residual = (noisy - denoised).mean(axis=2)
    slope = _slope(np.ascontiguousarray(denoised.mean(axis=2)))
    low, high = np.quantile(slope, [_FLAT, 1 - _EDGES])
    edges, flat = slope >= high, slope <= low
    residual = residual - residual[flat].mean()
    if low == high or not residual[flat].any() or not residual[edges].any():
        return None
    found = [_correlation(residual, edges, k) - _correlation(residual, flat, k) for k in _LAGS]
    return float(np.mean(found))


def _slope(image: Array) -> Array:
    """Steepness of the slightly softened image, H x W."""
    soft = cv2.GaussianBlur(image, (0, 0), 1.5)
    across, down = (cv2.Sobel(soft, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    return np.asarray(np.hypot(across, down), np.float32)


def _correlation(residual: Array, where: NDArray[np.bool_], lag: tuple[int, int]) -> float:
    """Correlation of the residual with itself, so many pixels on, over the chosen pixels."""
    one = residual[where]
    other = np.roll(residual, (-lag[0], -lag[1]), (0, 1))[where]
    return float(one @ other) / float(one @ one)
