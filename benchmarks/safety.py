"""How often the safety gate fires, on what, what it catches, and what it costs.

    python benchmarks/safety.py --data ../shared/data

Pages: the samples, NoisyOffice, and rendered ones at 75 to 300 dpi with drawn damage. For each set:
how many count as clean already; how often and on what share of the area the gate fires on what
`scan` made of the pages; RMSE with and without it; how often it fires on a perfect cleaner's
result, the clean page itself; how many of the words that are erased from the result, one at a
time, it brings back; and its time by that of the network, on one thread.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from imgclean import load
from imgclean.images import Reader
from imgclean.metrics import rmse
from imgclean.pages import find_fonts, render_page
from imgclean.paper import damage
from imgclean.restore import Denoiser
from imgclean.safety import Kept, is_clean, protect

Pixels = NDArray[Any]
DPIS = (75, 100, 150, 200, 300)
SEED = 2026  # the gate was calibrated on pages of other seeds
WORDS = 3  # erased from each page, one at a time
_BOX = 10.5 / 72  # inches; height of an erased word, which is four times as wide


@dataclass
class Row:
    """Figures of one set."""

    pages: int = 0
    clean: int = 0
    fired: int = 0
    area: list[float] = field(default_factory=list)
    without: list[float] = field(default_factory=list)
    guarded: list[float] = field(default_factory=list)
    perfect: int = 0
    words: list[bool] = field(default_factory=list)
    network: float = 0.0
    gate: float = 0.0

    def line(self, name: str) -> str:
        """The row of the table."""
        caught = f"{sum(self.words)}/{len(self.words)}" if self.words else "-"
        return (
            f"{name:18s}{self.pages:6d}{self.clean:7d}{self.fired:7d}"
            f"{100 * np.mean(self.area):7.2f} %{np.mean(self.without):10.5f}"
            f"{np.mean(self.guarded):9.5f}{self.perfect:9d}{caught:>10s}"
            f"{100 * self.gate / self.network:7.1f} %"
        )


def pages_of(path: Path) -> list[Pixels]:
    """The pages of a file."""
    with Reader(path) as reader:
        return [reader.page(index).pixels for index in range(reader.pages)]


def folders(noisy: Path, clean: Path) -> Iterator[tuple[Pixels, Pixels]]:
    """Noisy and clean pages of the same names."""
    for path in sorted(noisy.iterdir()):
        yield from zip(pages_of(path), pages_of(clean / path.name), strict=True)


def rendered(dpi: int, count: int) -> Iterator[tuple[Pixels, Pixels]]:
    """Rendered pages of about five inches, damaged at random, and what they should become."""
    fonts, side = find_fonts(), min(1100, max(500, 5 * dpi))
    for number in range(count):
        rng = np.random.default_rng([SEED, dpi, number])
        colour, plain = number % 3 == 0, number % 4 == 1
        page, _ = render_page(rng, side, side, fonts, dpi=dpi, colour=colour, plain=plain)
        noisy, target = damage(page.astype(np.float32) / np.float32(255), rng)
        yield _bytes(noisy), _bytes(target)


def _bytes(image: Pixels) -> Pixels:
    return np.asarray(np.rint(np.clip(image, 0, 1) * 255), np.uint8)


def erased(noisy: Pixels, clean: Pixels, denoised: Pixels, dpi: int, number: int) -> Iterator[bool]:
    """Whether the gate fires where a box around a drawn piece of ink was turned white."""
    rng, high = np.random.default_rng([SEED, number]), round(_BOX * dpi)
    plane = clean.min(axis=2)
    strokes = cv2.morphologyEx(plane, cv2.MORPH_BLACKHAT, np.ones((25, 25), np.uint8)) > 64
    ink = np.argwhere(strokes)
    for _ in range(WORDS if len(ink) else 0):
        row, column = ink[rng.integers(len(ink))]
        box = (
            slice(max(0, row - high // 2 - 2), row + high // 2 + 2),
            slice(max(0, column - 2 * high), column + 2 * high),
        )
        if strokes[box].sum() < 0.04 * plane[box].size:
            continue  # a corner of a letter
        wiped = denoised.copy()
        wiped[box] = 255
        yield any(_touches(kept, box) for kept in protect(noisy, wiped)[1])


def _touches(kept: Kept, box: tuple[slice, slice]) -> bool:
    left, top, right, bottom = kept.box
    rows, columns = box
    return bool(
        left < columns.stop and columns.start < right and top < rows.stop and rows.start < bottom
    )


def measure(denoiser: Denoiser, pairs: Iterator[tuple[Pixels, Pixels]], dpi: int) -> Row:
    """The figures of one set of pages."""
    row = Row()
    for number, (noisy, clean) in enumerate(pairs):
        row.pages += 1
        begun = time.thread_time()
        row.clean += is_clean(noisy)
        row.gate += time.thread_time() - begun
        begun = time.thread_time()
        denoised = denoiser(noisy)
        row.network += time.thread_time() - begun
        begun = time.thread_time()
        result, kept = protect(noisy.copy(), denoised)
        row.gate += time.thread_time() - begun
        row.fired += bool(kept)
        row.area.append(_share(kept, noisy))
        row.without.append(rmse(clean=clean, other=denoised))
        row.guarded.append(rmse(clean=clean, other=result))
        row.perfect += bool(protect(noisy, clean)[1])
        row.words += erased(noisy, clean, denoised, dpi, number)
    return row


def _share(kept: Sequence[Kept], page: Pixels) -> float:
    seen = np.zeros(page.shape[:2], np.bool_)
    for left, top, right, bottom in (one.box for one in kept):
        seen[top:bottom, left:right] = True
    return float(seen.mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--count", type=int, default=16, help="rendered pages for each resolution")
    parser.add_argument("--precision", default="auto")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    denoiser = load("scan", device="cpu", precision=options.precision)
    denoiser(np.zeros((64, 64, 1), np.uint8))  # so that nothing is built within the times
    office, samples = options.data / "documents" / "noisyoffice", Path("sample_data")
    print(
        f"{'set':18s}{'pages':>6s}{'clean':>7s}{'fires':>7s}{'area':>9s}{'RMSE':>10s}"
        f"{'guarded':>9s}{'perfect':>9s}{'words':>10s}{'time':>9s}"
    )
    for name in ("noisy", "clean"):
        pairs = folders(samples / name / "scans", samples / "clean" / "scans")
        print(measure(denoiser, pairs, 120).line(f"samples {name}"), flush=True)
        pairs = folders(office / name, office / "clean")
        print(measure(denoiser, pairs, 100).line(f"NoisyOffice {name}"), flush=True)
    for dpi in DPIS:
        drawn = list(rendered(dpi, options.count))
        print(measure(denoiser, iter(drawn), dpi).line(f"{dpi} dpi damaged"), flush=True)
        same = ((clean, clean) for _, clean in drawn)
        print(measure(denoiser, same, dpi).line(f"{dpi} dpi clean"), flush=True)


if __name__ == "__main__":
    main()
