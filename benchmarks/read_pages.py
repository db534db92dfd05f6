"""What cleaning does to reading: pages of known text in fonts that training never saw.

    python benchmarks/read_pages.py --pages 36

Each page is rendered in one of twelve held-out font families (`fonts.held_out`; the more of
Debian's fonts-* packages are installed, the more there are) at 150, 200 or 300 dpi, damaged in
one of six ways, cleaned, and read by Tesseract before and after. Families whose clean pages
Tesseract cannot read (over 10 % of the characters wrong) are passed over.

    python benchmarks/read_pages.py --office ../shared/data/documents/noisyoffice

NoisyOffice's held-out pages instead, doubled in size; what Tesseract reads in the clean page counts
as true. `clean` is then what it reads in the clean page with noise of sigma 1 of 255: how far the
reader disagrees with itself about a page that nobody could tell from the clean one.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from quality import pages

import imgclean
from imgclean.cases import ArrayPicture, Case
from imgclean.fonts import family, find_fonts, held_out, scripts_of
from imgclean.pages import render_page
from imgclean.paper import damage
from imgclean.safety import protect
from imgclean.texts import check_tesseract, error_rates, read_text

Pixels = NDArray[np.uint8]
KINDS = {
    "stains": ("tint", "grey", "rings", "blots", "mottle", "lift"),
    "folds": ("grey", "folds", "crumple", "lift", "blur"),
    "grain": ("grey", "grain", "fibre", "specks", "sensor"),
    "light": ("ramp", "shadow", "gutter", "sensor", "jpeg"),
    "bleed": ("grey", "bleed", "grain", "lift", "tone"),
    "poor copy": ("fade", "dropout", "resolution", "specks", "streaks", "jpeg"),
}
DPI = (150, 200, 300)


@dataclass(frozen=True)
class Row:
    """Character error rates of one page, in per cent."""

    font: str
    dpi: int
    kind: str
    clean: float
    before: float
    after: float


def faces() -> list[Path]:
    """One Latin font of every held-out family."""
    found: dict[str, Path] = {}
    for path in find_fonts():
        if held_out(path) and "latin" in scripts_of(path):
            plain = "bold" not in path.stem.lower() and "italic" not in path.stem.lower()
            if family(path) not in found and plain:
                found[family(path)] = path
    return list(found.values())


def rate(page: Pixels, text: str) -> float:
    """Character error rate of a page."""
    return error_rates(true=text, read=read_text(page))[0]


def unit(page: Pixels) -> NDArray[np.float32]:
    """From 0..255 to [0, 1]."""
    return page.astype(np.float32) / np.float32(255)


def turn(number: int) -> tuple[int, str]:
    """Resolution and kind of damage of a drawn page, each in turn."""
    return DPI[number % len(DPI)], list(KINDS)[number // len(DPI) % len(KINDS)]


def damaged(page: Pixels, rng: np.random.Generator, kind: str) -> Pixels:
    """A drawn page under damage of one kind."""
    noisy = damage(unit(page), rng, strength=0.8, kinds=KINDS[kind])[0]
    return np.asarray(np.rint(noisy * 255), np.uint8)


def office_pages(folder: Path) -> Iterator[tuple[Case, Pixels, Pixels]]:
    """NoisyOffice's held-out cases with their noisy and clean pixels."""
    for case in pages(folder):
        assert isinstance(case.noisy, ArrayPicture) and isinstance(case.clean, ArrayPicture)
        yield case, case.noisy.pixels, case.clean.pixels


def rows(model: str, count: int, seed: int) -> Iterator[Row]:
    """Render, damage, clean and read, one page after the other."""
    denoiser = imgclean.load(model, device="cpu")
    fonts = faces()
    readable: list[Path] = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        dpi, kind = turn(number)
        size = (round(4.5 * dpi), round(6 * dpi))
        while True:
            if len(readable) < 12 and fonts:
                readable.append(fonts.pop(0))
            font = readable[number % len(readable)]
            page, lines = render_page(rng, *size, [font], dpi=dpi, plain=True)
            text = "\n".join(lines)
            clean = rate(page, text)
            if clean <= 10:
                break
            readable.remove(font)
        noisy = damaged(page, rng, kind)
        result, _ = protect(noisy, denoiser(noisy))
        after = rate(np.asarray(result, np.uint8), text)
        yield Row(font.stem, dpi, kind, clean, rate(noisy, text), after)


def office(model: str, folder: Path) -> Iterator[Row]:
    """Clean the held-out pages and read them, doubled in size."""
    denoiser = imgclean.load(model, device="cpu")
    for case, noisy, clean in office_pages(folder):
        result, _ = protect(noisy, denoiser(noisy))
        text = read_text(doubled(clean))
        grain = np.random.default_rng(case.number).normal(0, 1, clean.shape)
        same = np.clip(np.rint(clean + grain), 0, 255).astype(np.uint8)
        rates = [rate(doubled(np.asarray(page)), text) for page in (same, noisy, result)]
        yield Row(case.image, 0, "stains", *rates)


def doubled(page: Pixels) -> Pixels:
    """Twice the size, by cubic interpolation."""
    large = cv2.resize(page, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    return np.asarray(large.reshape(2 * page.shape[0], 2 * page.shape[1], -1), np.uint8)


def main() -> None:
    """Print a line a page, then the means and what the targets say."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="scan")
    parser.add_argument("--pages", type=int, default=36)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--office", type=Path, help="folder of NoisyOffice: its pages instead")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print(check_tesseract())
    found = []
    drawn = rows(options.model, options.pages, options.seed)
    for row in office(options.model, options.office) if options.office else drawn:
        found.append(row)
        print(f"{row.font:24.24s} {row.dpi} dpi  {row.kind:10s} clean {row.clean:5.2f}  "
              f"before {row.before:6.2f}  after {row.after:6.2f}", flush=True)  # fmt: skip
    report(found)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in found], indent=2) + "\n")


def report(found: list[Row]) -> None:
    """Means by kind of damage, and how many pages became worse."""
    groups: dict[str, Any] = {kind: [r for r in found if r.kind == kind] for kind in KINDS}
    for name, group in [*groups.items(), ("all", found)]:
        if group:
            clean, before, after = (
                np.mean([getattr(r, n) for r in group]) for n in ("clean", "before", "after")
            )
            worse = sum(r.after > r.before + 0.1 for r in group)
            print(f"{name:10s} {len(group):3d} pages: {before:6.2f} % -> {after:6.2f} % (clean "
                  f"{clean:.2f} %), {worse} worse by over 0.1 points")  # fmt: skip
    hard = [r for r in found if r.before > 2]
    halved = sum(r.after <= 0.5 * r.before for r in hard)
    print(f"of {len(hard)} pages with over 2 % before, {halved} have half of it or less after")


if __name__ == "__main__":
    main()
