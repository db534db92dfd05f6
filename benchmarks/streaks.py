"""What cleaning does to a scanner's streaks, and whether it takes rules for streaks.

    python benchmarks/streaks.py --pages 24

Pages of text in fonts that training never saw, on grey paper with noise, at 150, 200 and 300 dpi,
cross three to nine streaks of 1 to 3 pixels, from top to bottom or from left to right, whose depth
(0.05 to 0.7 of the paper's brightness) wanders by a sixth along them; every second page is a JPEG.
Printed are the share of their depth that is left on blank paper, the character error rate that
Tesseract has before and after cleaning, and after cleaning the same page without streaks; each with
`imgclean.streaks` and by the network alone. Then how many rules of pages without streaks, with
forms, tables and rules among text, are taken for one: straight, and askew as scans are (0.1 degrees
in standard deviation), whole and as cut-outs, where rules reach the edges.
"""

import argparse
from collections import defaultdict
from unittest.mock import patch

import cv2
import numpy as np
from numpy.typing import NDArray
from read_pages import DPI, faces, rate, unit

import imgclean
from imgclean.pages import find_fonts, render_page
from imgclean.paper import damage
from imgclean.safety import protect
from imgclean.sheets import smooth_noise
from imgclean.streaks import find_streaks

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]
DEPTHS = (0.05, 0.1, 0.2, 0.3, 0.45, 0.7)
DIRT = ("grey", "grain", "sensor")


def eight_bits(page: NDArray[np.floating]) -> Pixels:
    """From [0, 1] to 0..255."""
    return np.asarray(np.rint(np.clip(page, 0, 1) * 255), np.uint8)


def streaked(page: Plane, rng: np.random.Generator) -> tuple[Plane, list[tuple[slice, float]]]:
    """A page with streaks from top to bottom: where each lies, and its depth."""
    height, width = page.shape[:2]
    dirty, streaks = page.copy(), []
    for place in rng.choice(np.arange(20, width - 20, 15), int(rng.integers(3, 10)), replace=False):
        columns, depth = slice(place, place + int(rng.integers(1, 4))), float(rng.choice(DEPTHS))
        along = 1 + smooth_noise(rng, height, 2, height / 8)[:, :1] / 6
        dirty[:, columns] *= 1 - np.clip(depth * along, 0, 0.95)[..., None]
        streaks.append((columns, depth))
    return dirty, streaks


def cleaned(denoiser: imgclean.Denoiser, page: Pixels, alone: bool) -> Pixels:
    """With the gate; by the network alone, too."""
    if not alone:
        return np.asarray(protect(page, denoiser(page))[0], np.uint8)
    with (
        patch("imgclean.restore.find_streaks", lambda _: []),
        patch("imgclean.safety.find_streaks", lambda _: []),
    ):
        return np.asarray(protect(page, denoiser(page))[0], np.uint8)


def streaks_left(model: str, count: int) -> None:
    """Print what is left of streaks, and what Tesseract reads."""
    denoiser, fonts = imgclean.load(model, device="cpu"), faces()
    left: dict[tuple[bool, float], list[float]] = defaultdict(list)
    rates = []
    for number in range(count):
        rng, dpi = np.random.default_rng([41, number]), DPI[number % 3]
        size = (round(6.5 * dpi), round(7.5 * dpi))
        while True:  # as in read_pages.py
            text, lines = render_page(rng, *size, [fonts[number % 12]], dpi=dpi, plain=True)
            if rate(text, "\n".join(lines)) <= 10:
                break
            fonts.remove(fonts[number % 12])
        margin = round(0.75 * dpi)
        clean = unit(np.pad(text, ((margin,) * 2, (margin,) * 2, (0, 0)), constant_values=255))
        kinds = (*DIRT, "jpeg") if number % 4 > 1 else DIRT
        across = number % 2 == 1
        paper = clean.swapaxes(0, 1) if across else clean
        dirty, streaks = streaked(paper, rng)
        state = rng.bit_generator.state
        noisy = []
        for page in (dirty, paper):
            rng.bit_generator.state = state  # the same dirt
            turned = page.swapaxes(0, 1) if across else page
            noisy.append(eight_bits(damage(turned, rng, strength=0.4, kinds=kinds)[0]))
        results = [cleaned(denoiser, noisy[0], alone) for alone in (False, True)]
        bare = cleaned(denoiser, noisy[1], False)
        truth = "\n".join(lines)
        rates.append([rate(page, truth) for page in (noisy[0], *results, bare)])
        blank = cv2.erode((clean[..., 0] > 0.98).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        for alone, result in zip((False, True), results, strict=True):
            apart = bare[..., 0].astype(np.float32) - result[..., 0]
            apart, where = (x.T if across else x for x in (apart, blank))
            for columns, depth in streaks:
                share = apart[:, columns][where[:, columns]].mean() / (255 * depth)
                left[alone, depth].append(float(share))
    for alone in (False, True):
        shares = "  ".join(f"{d}: {np.mean(left[alone, d]):5.2f}" for d in DEPTHS)
        print(
            f"left of the depth {'by the network alone' if alone else 'with this step'}  {shares}"
        )
    before, after, alone_after, without = np.mean(rates, axis=0)
    print(f"{count} pages, characters wrong: {before:.2f} % before, {after:.2f} % with this step, "
          f"{alone_after:.2f} % by the network alone; {without:.2f} % without streaks")  # fmt: skip


def false_alarms(count: int) -> None:
    """Print how many pages without streaks have lines that are taken for some."""
    fonts = find_fonts()
    wrong: dict[str, int] = defaultdict(int)
    for number in range(count):
        rng = np.random.default_rng([42, number])
        dpi = int(rng.choice(DPI))
        font = [fonts[int(rng.integers(len(fonts)))]]
        text, _ = render_page(rng, round(7 * dpi), round(10 * dpi), font, dpi=dpi)
        margin = round(0.6 * dpi)
        whole = np.pad(text, ((margin,) * 2, (margin,) * 2, (0, 0)), constant_values=255)
        for name, page in (("whole", whole), ("cut-out", text)):
            height, width = page.shape[:2]
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.normal(0, 0.1)), 1)
            border = cv2.BORDER_REPLICATE
            askew = cv2.warpAffine(page, turn, (width, height), borderMode=border)
            for way, drawn in (("straight", page), ("askew", np.asarray(askew))):
                dirty = damage(unit(drawn.reshape(page.shape)), rng, strength=0.4, kinds=DIRT)[0]
                wrong[f"{name}, {way}"] += bool(find_streaks(eight_bits(dirty)))
            wrong[f"{name}, clean"] += bool(find_streaks(page))
    print(f"of {count} pages without streaks have some: " +
          ", ".join(f"{name} {number}" for name, number in wrong.items()))  # fmt: skip


def main() -> None:
    """Print what is left of streaks, and false alarms."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="scan")
    parser.add_argument("--pages", type=int, default=24)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    streaks_left(options.model, options.pages)
    false_alarms(4 * options.pages)


if __name__ == "__main__":
    main()
