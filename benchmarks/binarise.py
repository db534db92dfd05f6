"""Black and white from a cleaned page and from the raw one, scored as in the DIBCO contests.

    python benchmarks/binarise.py --data ../shared/data
    python benchmarks/binarise.py --pages 36        # drawn pages alone

NoisyOffice's held-out pages, and pages drawn in fonts that training never saw, under the six kinds
of damage of `read_pages.py`. The truth is the clean page at its own Otsu threshold. Compared are
Otsu's threshold on the output of `scan` (with the safety gate), the bilevel output of imgclean, and
Otsu's and Sauvola's (25 x 25, k 0.2) on the raw page: PSNR of the black and white images, whose
differences are 0 or 1, and the F-measure of ink in per cent (Gatos et al., 2009).
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from read_pages import damaged, faces, office_pages, turn, unit

import imgclean
from imgclean.baselines import otsu, sauvola
from imgclean.forms import black_and_white
from imgclean.pages import render_page
from imgclean.restore import Denoiser
from imgclean.safety import protect

Pixels = NDArray[np.uint8]
Bits = NDArray[np.bool_]  # H x W, paper true


def drawn(count: int, seed: int) -> Iterator[tuple[Pixels, Pixels]]:
    """Noisy and clean pages of every resolution and kind of damage in turn."""
    fonts = faces()
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        dpi, kind = turn(number)
        font = fonts[number % len(fonts)]
        page, _ = render_page(rng, 3 * dpi, 4 * dpi, [font], dpi=dpi, plain=True)
        yield damaged(page, rng, kind), page


def scores(truth: Bits, found: Bits) -> tuple[float, float]:
    """PSNR in dB (100 if equal), and F-measure of ink in per cent."""
    wrong = float(np.mean(truth != found))
    both = float(np.sum(~truth & ~found))
    ink = float(np.sum(~truth) + np.sum(~found))
    return -10 * float(np.log10(wrong)) if wrong else 100.0, 200 * both / max(ink, 1)


def bits(page: Pixels, threshold: str) -> Bits:
    """A page in black and white, paper true."""
    if threshold == "bilevel":
        return black_and_white(page[..., 0]) > 0
    method = {"Otsu": otsu, "Sauvola": sauvola}[threshold]
    return np.asarray(method(unit(page), 0.0)[..., 0] > 0.5)


def table(name: str, denoiser: Denoiser, pairs: Iterator[tuple[Pixels, Pixels]]) -> None:
    """Print the means of a set, and on how many pages the output's beats both raw ones."""
    ways = {"scan, Otsu": "Otsu", "scan, bilevel": "bilevel", "raw, Otsu": "Otsu",
            "raw, Sauvola": "Sauvola"}  # fmt: skip
    rows = []
    for noisy, clean in pairs:
        result = np.asarray(protect(noisy, denoiser(noisy))[0], np.uint8)
        truth = bits(clean, "Otsu")
        rows.append(
            [scores(truth, bits(result if "scan" in way else noisy, threshold))
             for way, threshold in ways.items()]
        )  # fmt: skip
    values = np.array(rows)
    for index, way in enumerate(ways):
        psnr, measure = values[:, index].mean(axis=0)
        print(f"{name:12s} {way:14s} {psnr:6.2f} dB  F {measure:5.1f} %")
    best = values[:, 0, 0] >= values[:, 2:, 0].max(axis=1)
    print(f"{name:12s} scan, Otsu is no worse than both raw ones on {best.sum()} of {len(best)}",
          flush=True)  # fmt: skip


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder that holds documents/noisyoffice")
    parser.add_argument("--model", default="scan")
    parser.add_argument("--pages", type=int, default=36)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    denoiser = imgclean.load(options.model, device="cpu")
    if options.data:
        held = office_pages(options.data / "documents" / "noisyoffice")
        table("NoisyOffice", denoiser, ((noisy, clean) for _, noisy, clean in held))
    table("drawn", denoiser, drawn(options.pages, options.seed))


if __name__ == "__main__":
    main()
