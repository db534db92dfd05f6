"""The blind noise estimate beside scikit-image's: Gaussian noise on natural images.

    pip install PyWavelets
    python benchmarks/sigma.py --images ../shared/data/validation/kodak24

White noise is added to every image, which is then clipped and rounded to 8 bits, as files are.
For each sigma and estimator (`metrics.estimate_sigma`; `skimage.restoration.estimate_sigma`, the
wavelet median of Donoho and Johnstone, 1994): the mean ratio of the estimate to the truth, the
largest error, and how many images are within 10 %.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.restoration import estimate_sigma as wavelet_median

from imgclean.metrics import estimate_sigma

Pixels = NDArray[np.uint8]
LEVELS = (5, 10, 15, 25, 35, 50)


def ours(image: Pixels) -> float:
    """Of 255."""
    return 255 * estimate_sigma(image)


def theirs(image: Pixels) -> float:
    """Of 255; the channels averaged."""
    return float(wavelet_median(image, channel_axis=-1, average_sigmas=True))


def main() -> None:
    """Print a line for every level and estimator."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=Path, required=True)
    options = parser.parse_args()
    read: list[Any] = [cv2.imread(str(path)) for path in sorted(options.images.iterdir())]
    images = [image for image in read if image is not None]
    if not images:
        raise SystemExit(f"{options.images}: no images; name a folder that holds some")
    estimators: dict[str, Callable[[Pixels], float]] = {"imgclean": ours, "scikit-image": theirs}
    for sigma in LEVELS:
        noisy = []
        for number, image in enumerate(images):
            grain = np.random.default_rng([number, sigma]).normal(0, sigma, image.shape)
            noisy.append(np.clip(np.rint(image + grain), 0, 255).astype(np.uint8))
        for name, estimate in estimators.items():
            ratios = np.array([estimate(image) for image in noisy]) / sigma
            error = np.abs(ratios - 1)
            print(
                f"sigma {sigma:2d}  {name:12s}  ratio {ratios.mean():.3f}  worst {error.max():4.0%}"
                f"  within 10 %: {np.count_nonzero(error <= 0.1)} of {len(images)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
