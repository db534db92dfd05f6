"""Weights against the median filter and non-local means on sample_data/, in dB.

    python benchmarks/sample_data.py --model runs/unet-s-1/weights.safetensors

The baselines are given their best setting for each image, found with the clean image: the
median over 3x3 and 5x5, non-local means over h of 3, 5, 10, 15 and 20.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from imgclean import load
from imgclean.images import Reader, find
from imgclean.metrics import psnr

Pixels = NDArray[Any]


def pairs(folder: Path) -> Iterator[tuple[str, Pixels, Pixels]]:
    """Name, noisy and clean pixels of every page."""
    for path, relative in find([folder / "noisy"]).images:
        with Reader(path) as noisy, Reader(folder / "clean" / relative) as clean:
            for page in range(noisy.pages):
                one = np.ascontiguousarray(noisy.page(page).pixels)
                yield f"{relative}:{page}", one, np.ascontiguousarray(clean.page(page).pixels)


def median(noisy: Pixels, side: int) -> Pixels:
    """OpenCV's median filter."""
    return np.asarray(cv2.medianBlur(noisy, side)).reshape(noisy.shape)


def non_local_means(noisy: Pixels, strength: float) -> Pixels:
    """OpenCV's non-local means, in colour or in grey."""
    if noisy.shape[2] == 3:
        return np.asarray(cv2.fastNlMeansDenoisingColored(noisy, None, strength, strength, 7, 21))
    cleaned = cv2.fastNlMeansDenoising(noisy, None, strength, 7, 21)
    return np.asarray(cleaned).reshape(noisy.shape)


def main() -> None:
    """Print a line for each page and the means."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--folder", type=Path, default=Path("sample_data"))
    options = parser.parse_args()
    denoiser = load(options.model)
    rows = []
    print(f"{'':28s} noisy  median  NLM  denoised")
    for name, noisy, clean in pairs(options.folder):
        results = (
            psnr(clean=clean, other=noisy),
            max(psnr(clean=clean, other=median(noisy, side)) for side in (3, 5)),
            max(psnr(clean=clean, other=non_local_means(noisy, h)) for h in (3, 5, 10, 15, 20)),
            psnr(clean=clean, other=denoiser(noisy)),
        )
        rows.append(results)
        print(f"{name:28s}" + "".join(f" {value:6.2f}" for value in results))
    print(f"{'mean':28s}" + "".join(f" {value:6.2f}" for value in np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
