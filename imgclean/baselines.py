"""Classical methods to compare with, blind like the networks: they estimate the noise themselves.

Each takes H x W x C float32 RGB or grey with black 0 and white 1, not clipped, and the standard
deviation of its noise in the same units, and returns an image of the same shape.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import DependencyError, UsageError
from .pixels import luma

__all__ = ["BASELINES", "Baseline", "choose_baselines"]

Array = NDArray[np.float32]

_LEAST = 1 / 255  # sigma taken where none is found: a strength of 0 would do nothing at all


@dataclass(frozen=True)
class Baseline:
    """A classical method.

    Attributes:
        summary: what it is and how strong, for its card.
        clean: the method.
        package: what it needs beyond what is installed with imgclean; an extra has its name.
    """

    summary: str
    clean: Callable[[Array, float], Array]
    package: str = ""


def non_local_means(image: Array, sigma: float) -> Array:
    """OpenCV's, 7 x 7 patches in 21 x 21 (Buades, Coll and Morel 2005), in 8 bits.

    h is sigma in grey, the best of 0.5 to 1.2 sigma by PSNR on crops of Set12 at sigma 15 to 50,
    and 0.55 sigma in colour, between the two best of 0.4 to 2 sigma on four images of Kodak24.
    """
    strength, pixels = 255 * max(sigma, _LEAST), _bytes(image)
    if image.shape[2] == 1:
        return _unit(cv2.fastNlMeansDenoising(pixels, None, strength, 7, 21), image)
    strength *= 0.55
    return _unit(cv2.fastNlMeansDenoisingColored(pixels, None, strength, strength, 7, 21), image)


def median(image: Array, sigma: float) -> Array:
    """3 x 3, or 5 x 5 where sigma is above 20/255."""
    return _like(cv2.medianBlur(image, 5 if sigma > 20 / 255 else 3), image)


def bilateral(image: Array, sigma: float) -> Array:
    """Tomasi and Manduchi 1998: 2 pixels and 3 sigma wide."""
    return _like(cv2.bilateralFilter(image, -1, 3 * max(sigma, _LEAST), 2), image)


def bm3d(image: Array, sigma: float) -> Array:
    """Dabov et al. 2007, in the authors' own implementation, in colour where there is colour."""
    import bm3d as package

    clean = package.bm3d_rgb if image.shape[2] == 3 else package.bm3d
    return _like(clean(image if image.shape[2] == 3 else image[..., 0], max(sigma, _LEAST)), image)


def median_background(image: Array, sigma: float) -> Array:
    """Divide by the page's background, its median over a twentieth of the shorter side.

    Ink is thinner than the window, so the median is paper, its stains and shadows.
    """
    window = max(21, min(image.shape[:2]) // 20) | 1
    return np.clip(
        image / np.maximum(_unit(cv2.medianBlur(_bytes(image), window), image), 0.05), 0, 1
    )


def otsu(image: Array, sigma: float) -> Array:
    """Black and white at the threshold that parts the two best (Otsu 1979)."""
    grey = luma(_bytes(image))
    return _black_and_white(cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)[1] > 0, image)


def sauvola(image: Array, sigma: float) -> Array:
    """Black and white at a threshold for each 25 x 25 window (Sauvola and Pietikainen 2000)."""
    from skimage.filters import threshold_sauvola

    grey = luma(_bytes(image))
    return _black_and_white(grey > threshold_sauvola(grey, window_size=25, k=0.2), image)


BASELINES: Mapping[str, Baseline] = {
    "nlm": Baseline(
        "OpenCV's non-local means (Buades et al. 2005) on 8 bits; 7 x 7 patches in 21 x 21, h is "
        "the estimated sigma in grey, 0.55 of it in colour",
        non_local_means,
    ),
    "median": Baseline(
        "median filter, 3 x 3, or 5 x 5 where the estimated sigma is above 20", median
    ),
    "bilateral": Baseline(
        "bilateral filter (Tomasi and Manduchi 1998), 2 pixels and 3 times the estimated sigma",
        bilateral,
    ),
    "bm3d": Baseline(
        "BM3D (Dabov et al. 2007), CBM3D in colour, the authors' package; told the estimated sigma",
        bm3d,
        "bm3d",
    ),
    "median-background": Baseline(
        "division by the median over a twentieth of the shorter side, 21 pixels or more",
        median_background,
    ),
    "otsu": Baseline("black and white by one threshold (Otsu 1979)", otsu),
    "sauvola": Baseline(
        "black and white by a threshold for each 25 x 25 window, k 0.2 (Sauvola 2000)",
        sauvola,
    ),
}


def choose_baselines(text: str) -> list[str]:
    """Names from a list such as ``nlm,median``.

    Raises:
        UsageError: there is no such baseline.
        DependencyError: a package that one needs is not installed.
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in BASELINES:
            raise UsageError(f"--baseline {name}: no such method; use {', '.join(BASELINES)}")
        package = BASELINES[name].package
        if package and find_spec(package) is None:
            raise DependencyError(
                f"--baseline {name}: the package {package} is missing; "
                f"install it with pip install 'imgclean[{package}]'"
            )
    return names


def _bytes(image: Array) -> NDArray[np.uint8]:
    return np.asarray(np.clip(image * 255 + 0.5, 0, 255), np.uint8)


def _unit(pixels: Any, image: Array) -> Array:
    return np.asarray(pixels, np.float32).reshape(image.shape) / np.float32(255)


def _like(pixels: Any, image: Array) -> Array:
    return np.asarray(pixels, np.float32).reshape(image.shape)


def _black_and_white(paper: NDArray[np.bool_], image: Array) -> Array:
    return np.ascontiguousarray(np.broadcast_to(paper[..., None], image.shape), np.float32)
