"""Quality of weights on the validation sets: blind Gaussian noise, cameras, stained pages.

    python benchmarks/quality.py --data ../shared/data --model photo --sets kodak24 polyu

Gaussian noise is added in float, unclipped, from a fixed seed an image; the output is
clipped, rounded to 8 bits and compared over the whole image; figures are means over images.
Sets: kodak24 and set12 at sigma 15, 25 and 50 of 255; polyu (real camera noise); pages
(NoisyOffice pages held out from training, RMSE on [0, 1]); clean (Kodak as it is: what the
network does to an image that needs nothing).
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from imgclean import load
from imgclean.metrics import psnr, rmse
from imgclean.pages import split_by_page

Pixels = NDArray[Any]
LEVELS = (15, 25, 50)


def read(path: Path, *, grey: bool = False) -> Pixels:
    """Read one image as H x W x C uint8 RGB."""
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)
    if pixels is None:
        raise SystemExit(f"{path}: cannot be read")
    return np.ascontiguousarray(pixels[..., None] if grey else pixels[..., ::-1])


def images(folder: Path) -> list[Path]:
    """The images of a folder, sorted."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in (".png", ".jpg", ".tif"))


def gaussian(folder: Path, sigma: float, *, grey: bool) -> Iterator[tuple[Pixels, Pixels]]:
    """Pairs of float noisy and 8-bit clean images, the seed being the image's number."""
    for index, path in enumerate(images(folder)):
        clean = read(path, grey=grey)
        noise = np.random.default_rng(index).normal(0, sigma / 255, clean.shape)
        yield (clean / 255 + noise).astype(np.float32), clean


def polyu(folder: Path, every: int) -> Iterator[tuple[Pixels, Pixels]]:
    """Real noisy crops and the mean of many exposures."""
    for path in sorted(folder.rglob("*_real.JPG"))[::every]:
        yield read(path), read(path.with_name(path.name.replace("_real", "_mean")))


def pages(folder: Path) -> Iterator[tuple[Pixels, Pixels]]:
    """Held-out stained pages and their clean versions."""
    clean = {path.name: read(path, grey=True) for path in images(folder / "clean")}
    for name in split_by_page({n: p[..., 0] for n, p in clean.items()})[1]:
        yield read(folder / "noisy" / name, grey=True), clean[name]


def to_bytes(image: Pixels) -> Pixels:
    """Clip and round a float image in [0, 1] to 8 bits; leave 8 bits as they are."""
    if image.dtype == np.uint8:
        return image
    return np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)


def interval(scores: list[float]) -> tuple[float, float]:
    """95 % bootstrap interval of the mean, from 2,000 draws."""
    values, rng = np.array(scores), np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (2000, len(values)))].mean(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def main() -> None:
    """Score the sets asked for and print a line each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--model", default="photo")
    parser.add_argument("--sets", nargs="+", default=["kodak24", "set12", "polyu", "clean"])
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--every", type=int, default=1, help="use every so many PolyU pairs")
    parser.add_argument("--json", type=Path, help="also write the figures to a file")
    options = parser.parse_args()
    validation = options.data / "validation"
    sets: dict[str, Iterator[tuple[Pixels, Pixels]]] = {}
    for name in options.sets:
        if name in ("kodak24", "set12"):
            for sigma in LEVELS:
                pairs = gaussian(validation / name, sigma, grey=name == "set12")
                sets[f"{name} sigma {sigma}"] = pairs
        elif name == "polyu":
            sets[name] = polyu(validation / "polyu", options.every)
        elif name == "pages":
            sets[name] = pages(options.data / "documents" / "noisyoffice")
        elif name == "clean":
            clean = [read(path) for path in images(validation / "kodak24")]
            sets["kodak24 clean"] = zip(clean, clean, strict=True)
        else:
            raise SystemExit(f"{name}: no such set")
    denoiser = load(options.model, device=options.device, precision=options.precision)
    figures = []
    for name, chosen in sets.items():
        scores, before, shift = [], [], []
        score, unit = (rmse, "RMSE") if name == "pages" else (psnr, "dB")
        for noisy, clean_image in chosen:
            result = to_bytes(denoiser(noisy))
            scores.append(score(clean=clean_image, other=result))
            before.append(score(clean=clean_image, other=to_bytes(noisy)))
            shift.append(np.abs((result - clean_image.astype(float)).mean(axis=(0, 1))).max())
        low, high = interval(scores)
        print(
            f"{name:18s} {np.mean(before):7.4g} -> {np.mean(scores):7.4f} {unit}"
            f"  (95 %: {low:.4f} to {high:.4f}; {len(scores)} images; "
            f"mean colour off by {np.mean(shift):.3f}/255)",
            flush=True,
        )
        figures.append(
            {
                "set": name,
                "images": len(scores),
                "unit": unit,
                "before": round(float(np.mean(before)), 4) if np.isfinite(before).all() else None,
                "after": round(float(np.mean(scores)), 4),
                "interval": [round(low, 4), round(high, 4)],
            }
        )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
