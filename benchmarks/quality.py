"""Quality on the validation sets, of the shipped weights and of classical methods, in one run.

    python benchmarks/quality.py --data ../shared/data
    python benchmarks/quality.py --data ../shared/data --model photo --sets kodak24 polyu
    python benchmarks/quality.py --data ../shared/data --baseline nlm,median,bm3d --out quality

Everything is measured as `imgclean eval` does: Gaussian noise is added in float, unclipped, from
a fixed seed an image; the output is clipped, rounded to 8 bits and compared over the whole image;
figures are means over images with 95 % bootstrap intervals. With --out an interrupted run goes on
where it was.
Sets: kodak24 and set12 at sigma 15, 25 and 50 of 255; polyu (real camera noise); pages
(NoisyOffice pages held out from training, RMSE on [0, 1]); clean (Kodak as it is: what a method
does to an image that needs nothing); grain (Kodak in grey with noise of sigma 20 in 8 bits,
blurred by 0.5, 1 and 1.5 pixels, as grain of film is in a scan).
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from imgclean.cases import ArrayPicture, Case, FilePicture, Request, find_cases
from imgclean.evaluate import Options, Run
from imgclean.images import Reader
from imgclean.methods import choose_methods
from imgclean.pages import split_by_page
from imgclean.scores import NOISY, Score
from imgclean.summary import means

LEVELS = "gaussian:15,25,50"
SETS = ("kodak24", "set12", "polyu", "clean", "pages", "grain")
GRAIN, WIDTHS = 20, (0.5, 1.0, 1.5)  # of 255, and pixels


def polyu(folder: Path, every: int) -> list[Case]:
    """Real noisy crops and the mean of many exposures."""
    noisy = sorted(folder.rglob("*_real.JPG"))[::every]
    clean = [path.with_name(path.name.replace("_real", "_mean")) for path in noisy]
    return [
        Case(one.name, number, noisy=FilePicture(one), clean=FilePicture(other))
        for number, (one, other) in enumerate(zip(noisy, clean, strict=True))
    ]


def pages(folder: Path) -> list[Case]:
    """Held-out stained pages and their clean versions, grey."""
    clean = {path.name: grey(path) for path in sorted((folder / "clean").glob("*.png"))}
    held = split_by_page({name: picture.pixels[..., 0] for name, picture in clean.items()})[1]
    return [
        Case(name, number, noisy=grey(folder / "noisy" / name), clean=clean[name])
        for number, name in enumerate(held)
    ]


def grey(path: Path) -> ArrayPicture:
    """A page of one channel; coloured ones are averaged."""
    with Reader(path) as reader:
        pixels: Any = reader.page(0).pixels
    return ArrayPicture(pixels.mean(axis=2, keepdims=True).round().astype(pixels.dtype))


def clean_alone(folder: Path) -> list[Case]:
    """Images that are noisy and clean at once."""
    pictures = map(FilePicture, sorted(folder.glob("*.png")))
    cases = [Case(p.path.name, n, noisy=p, clean=p) for n, p in enumerate(pictures)]
    if not cases:
        raise SystemExit(f"{folder}: no images")
    return cases


def grainy(folder: Path) -> list[Case]:
    """Grey photos under noise that is wider than a pixel."""
    cases = []
    for width in WIDTHS:
        for number, path in enumerate(sorted(folder.glob("*.png"))):
            clean = grey(path)
            white = np.random.default_rng(number).standard_normal(clean.pixels.shape[:2])
            noise = cv2.GaussianBlur(white, (0, 0), width)[..., None]
            noisy = np.rint(np.clip(clean.pixels + GRAIN * noise / noise.std(), 0, 255))
            picture = ArrayPicture(noisy.astype(np.uint8))
            cases.append(Case(path.name, number, f"grain:{width:g}", noisy=picture, clean=clean))
    return cases


def cases_of(name: str, data: Path, every: int) -> list[Case]:
    """The cases of one set."""
    validation = data / "validation"
    if name == "polyu":
        return polyu(validation / "polyu", every)
    if name == "pages":
        return pages(data / "documents" / "noisyoffice")
    if name == "grain":
        return grainy(validation / "kodak24")
    if name == "clean":
        return clean_alone(validation / "kodak24")
    drawn = find_cases(Request(clean=str(validation / name), noise=LEVELS))
    return sorted(drawn, key=lambda case: int(case.level.partition(":")[2]))


def report(name: str, scores: Sequence[Score]) -> list[dict[str, Any]]:
    """Print a line for every level and method of a set, and give the same as data."""
    key, unit = ("rmse", "RMSE") if name == "pages" else ("psnr", "dB")
    found = [mean for mean in means(scores) if mean.figure == key]
    before = {mean.level: mean.mean for mean in found if mean.method == NOISY}
    lines = []
    for mean in found:
        if mean.method == NOISY:
            continue
        sigma = mean.level.partition(":")[2]
        label = "kodak24 clean" if name == "clean" else f"{name} sigma {sigma}" if sigma else name
        label = f"grain {sigma} px" if name == "grain" else label
        start = "      -" if name == "clean" else f"{before[mean.level]:7.4g}"
        print(
            f"{label:18s} {mean.method:18s} {start} -> {mean.mean:7.4f} {unit}  "
            f"(95 %: {mean.low:.4f} to {mean.high:.4f}; {mean.count} images, {mean.worse} worse)",
            flush=True,
        )
        lines.append(
            {
                "set": label,
                "method": mean.method,
                "images": mean.count,
                "unit": unit,
                "before": None if name == "clean" else round(before[mean.level], 4),
                "after": round(mean.mean, 4),
                "interval": [round(mean.low, 4), round(mean.high, 4)],
                "worse": mean.worse,
            }
        )
    return lines


def main() -> None:
    """Score the sets asked for and print a line each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--model", help="default: scan on pages, photo on the others")
    parser.add_argument("--baseline", default="nlm,median", help="default: nlm,median")
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--every", type=int, default=1, help="use every so many PolyU pairs")
    parser.add_argument("--out", type=Path, help="keep what is finished in this folder")
    parser.add_argument("--json", type=Path, help="also write the figures to a file")
    options = parser.parse_args()
    figures = []
    for name in options.sets:
        model = options.model or ("scan" if name == "pages" else "photo")
        baselines = options.baseline
        if name == "pages" and baselines:
            baselines += ",median-background"
        methods = choose_methods(
            [model], baselines, device=options.device, precision=options.precision
        )
        cases = cases_of(name, options.data, options.every)
        scores = []
        for score in Run(cases, methods, Options(), options.out):
            if score.error:
                raise SystemExit(score.error)
            scores.append(score)
        figures += report(name, scores)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
