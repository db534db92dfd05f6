"""Calibrate the limit of `imgclean.residuals.structure`: how often noise, and how often edges.

    python benchmarks/structure.py --data ../shared/data

Prints, for several limits, the share of images that are flagged: after a good denoiser on white
Gaussian noise (false alarms) and on cameras, whose noise is correlated (false alarms too), and
after blurs and medians, which take edges (hits). 400 x 400 crops of Kodak24 and PolyU.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from imgclean import load
from imgclean.images import Reader
from imgclean.residuals import structure

Array = NDArray[np.float32]
LIMITS = (0.01, 0.02, 0.03, 0.04, 0.05)
SIGMAS = (5, 15, 25, 50)
SIDE = 400


def crop(path: Path) -> Array:
    """The upper left of an image, in [0, 1]."""
    with Reader(path) as reader:
        pixels = reader.page(0).pixels[:SIDE, :SIDE]
    return np.asarray(pixels / np.float32(255), np.float32)


def sets(data: Path) -> Iterator[tuple[str, Array]]:
    """Name of a set and a noisy image, one after the other."""
    for sigma in SIGMAS:
        for number, path in enumerate(sorted((data / "validation" / "kodak24").glob("*.png"))):
            clean, rng = crop(path), np.random.default_rng(number)
            grain = rng.standard_normal(clean.shape, np.float32)
            yield f"sigma {sigma}", clean + grain * np.float32(sigma / 255)
    for path in sorted((data / "validation" / "polyu").rglob("*_real.JPG"))[::5]:
        yield "polyu", crop(path)


def methods(device: str) -> Mapping[str, Callable[[Array], Array]]:
    """A good denoiser, and what takes edges."""

    def blurred(sigma: float) -> Callable[[Array], Array]:
        return lambda noisy: np.asarray(cv2.GaussianBlur(noisy, (0, 0), sigma), np.float32)

    def median(side: int) -> Callable[[Array], Array]:
        return lambda noisy: np.asarray(cv2.medianBlur(noisy, side), np.float32)

    return {
        "photo": load("photo", device=device),
        **{f"blur {sigma:g}": blurred(sigma) for sigma in (0.7, 1, 1.5, 2)},
        **{f"median {side}": median(side) for side in (3, 5)},
    }


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    found: dict[tuple[str, str], list[float]] = {}
    chosen = methods(options.device)
    for name, noisy in sets(options.data):
        for method, clean in chosen.items():
            denoised = np.clip(np.rint(clean(noisy) * 255), 0, 255) / np.float32(255)
            value = structure(noisy=noisy, denoised=denoised.astype(np.float32))
            found.setdefault((name, method), []).append(-1.0 if value is None else value)
    print(f"{'flagged above':22s} images" + "".join(f"{limit:8.2f}" for limit in LIMITS))
    for (name, method), values in sorted(found.items()):
        shares = [100 * float(np.mean(np.array(values) > limit)) for limit in LIMITS]
        print(f"{name:9s} {method:12s} {len(values):6d}" + "".join(f"{s:6.0f} %" for s in shares))


if __name__ == "__main__":
    main()
