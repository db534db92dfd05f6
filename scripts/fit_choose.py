"""Fit the coefficients of `imgclean.choose` and print how it does on held-out images.

Photos are augmented (exposure, blur, noise, JPEG, crops, white surroundings), pages are
rendered and damaged. Sources are split before anything is drawn from them: no photo, page or
font is on both sides. Run ``python scripts/fit_choose.py --data FOLDER`` and paste the lines it
prints into ``imgclean/choose.py``; then ``--check 1000000`` tries them on images drawn afresh
from the held-out sources.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from imgclean import choose
from imgclean.pages import find_fonts, render_page, split_by_page
from imgclean.paper import damage

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Generator = np.random.Generator
SUFFIXES = {".png", ".jpg", ".jpeg"}


@dataclass(frozen=True)
class Case:
    """One image to make: its kind, its source file if it has one, and its seed."""

    kind: str
    scan: bool
    held_out: bool
    seed: int
    source: Path | None = None


def read(path: Path) -> Pixels:
    """An image file as H x W x C uint8, RGB, C in {1, 3}."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(f"{path}: not an image; remove it")
    if image.dtype == np.uint16:
        image = (image // 257).astype(np.uint8)
    if image.ndim == 2:
        return np.ascontiguousarray(image[..., None])
    return np.ascontiguousarray(image[..., 2::-1])


def resized(image: Pixels, factor: float) -> Pixels:
    """Scaled by a factor, at least one pixel each way."""
    height, width = image.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    small = cv2.resize(image, size, interpolation=way)
    return np.asarray(small.reshape(size[1], size[0], -1), np.uint8)


def jpeg(image: Pixels, quality: int) -> Pixels:
    """Through JPEG and back."""
    code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    back = np.asarray(cv2.imdecode(code, cv2.IMREAD_UNCHANGED), np.uint8)
    return back.reshape(image.shape)


def noisy(image: Pixels, rng: Generator, most: float) -> Pixels:
    """Gaussian noise of up to `most` in 8-bit units on half, JPEG on half."""
    if rng.random() < 0.6:
        noise = rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(1, most))
        image = np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)
    return jpeg(image, int(rng.integers(25, 96))) if rng.random() < 0.4 else image


def grey(image: Pixels) -> Pixels:
    """One channel."""
    if image.shape[2] == 1:
        return image
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], np.uint8)


def toned(image: Pixels, rng: Generator) -> Pixels:
    """Dark, bright, overexposed, faded, sepia, or as it is."""
    kind, light = rng.integers(8), image.astype(np.float32) / 255
    if kind == 0:
        light = light ** np.float32(rng.uniform(1.5, 3))
    elif kind == 1:
        light = light ** np.float32(rng.uniform(0.3, 0.7))
    elif kind == 2:
        light = light * np.float32(rng.uniform(1.3, 2.5)) + np.float32(rng.uniform(0, 0.2))
    elif kind == 3:
        contrast = np.float32(rng.uniform(0.2, 0.6))
        light = light * contrast + np.float32(rng.uniform(0, 1 - contrast))
    elif kind == 4 and image.shape[2] == 3:
        mean = light.mean(axis=2, keepdims=True)
        light = mean * np.array([1, 0.9, 0.72], np.float32)
    return np.asarray(np.clip(light * 255, 0, 255), np.uint8)


def on_white(image: Pixels, rng: Generator) -> Pixels:
    """A part of the photo as an object on a nearly white ground."""
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for _ in range(int(rng.integers(1, 6))):
        centre = (int(rng.uniform(0.2, 0.8) * width), int(rng.uniform(0.2, 0.8) * height))
        axes = (int(rng.uniform(0.03, 0.3) * width), int(rng.uniform(0.03, 0.3) * height))
        cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 6)).astype(np.float32)[..., None] / 255
    ground = np.float32(rng.uniform(215, 256))
    return np.asarray(np.clip(image * soft + ground * (1 - soft), 0, 255), np.uint8)


def photo(image: Pixels, rng: Generator) -> Pixels:
    """One variation of a photo."""
    if rng.random() < 0.4:
        height, width = image.shape[:2]
        share = rng.uniform(0.3, 0.9)
        top, left = (int(v) for v in rng.uniform(0, 1 - share, 2) * (height, width))
        image = image[top : top + int(share * height), left : left + int(share * width)]
    image = resized(image, float(np.exp(rng.uniform(np.log(0.5), np.log(2.5)))))
    if rng.random() < 0.25:
        image = grey(image)
    if rng.random() < 0.15:
        image = on_white(image, rng)
    image = toned(image, rng)
    if rng.random() < 0.2:
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 4)).reshape(image.shape)
        image = np.asarray(soft, np.uint8)
    return noisy(image, rng, 50)


def drawn(rng: Generator) -> Pixels:
    """Flat, a gradient, or a few large coloured shapes: no page."""
    height, width = (int(v) for v in rng.integers(60, 900, 2))
    image = np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
    if rng.random() < 0.3:
        start, end = rng.uniform(0, 255, 2)
        ramp = np.linspace(start, end, width)
        image = np.broadcast_to(ramp[None, :, None], image.shape).astype(np.uint8).copy()
    for _ in range(int(rng.integers(0, 6))):
        points = rng.uniform(0, 1, (int(rng.integers(3, 7)), 2)) * (width, height)
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        cv2.fillPoly(image, [points.astype(np.int32)], colour, cv2.LINE_AA)
    return noisy(image, rng, 50)


@cache
def fonts(held_out: bool) -> tuple[Path, ...]:
    """Every fourth family for the held-out pages, the rest for the others."""
    families: dict[str, list[Path]] = defaultdict(list)
    for path in find_fonts():
        families[path.parent.name].append(path)
    names = sorted(families)
    chosen = [name for i, name in enumerate(names) if (i % 4 == 3) == held_out]
    return tuple(path for name in chosen for path in families[name])


@cache
def pictures(held_out: bool, root: Path) -> tuple[Pixels, ...]:
    """A few photos for the pages' pictures."""
    paths = sorted((root / "photos/bsd432").iterdir())[3 if held_out else 0 :: 4]
    return tuple(read(path) for path in paths[:30])


def page(rng: Generator, held_out: bool, root: Path) -> Pixels:
    """A rendered page, damaged, perhaps skewed, on a larger sheet or beside a dark border."""
    dpi = float(np.exp(rng.uniform(np.log(75), np.log(400))))
    height = int(np.clip(dpi * rng.uniform(2.5, 11.7), 250, 1300))
    shape = float(rng.choice([0.35, 0.71, 0.77, 1.3], p=[0.1, 0.5, 0.2, 0.2]))
    width = int(np.clip(height * shape, 150, 1300))
    colour = bool(rng.random() < 0.4)
    shots = pictures(held_out, root) if rng.random() < 0.3 else ()
    clean = render_page(
        rng, height, width, fonts(held_out), dpi=dpi, photos=shots, colour=colour,
        plain=bool(rng.random() < 0.3),
    )[0]  # fmt: skip
    image = margins(clean, rng) if rng.random() < 0.3 else clean
    if rng.random() < 0.3:
        image = turned(image, float(rng.normal(0, 3)), 255)
    light = damage(image.astype(np.float32) / np.float32(255), rng)[0]
    image = np.clip(np.rint(light * 255), 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        image = border(image, rng)
    return noisy(image, rng, 30)


def turned(image: Pixels, degrees: float, fill: int) -> Pixels:
    """Turned about its centre."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    turn = cv2.warpAffine(image, matrix, (width, height), borderValue=(fill,) * 3)
    return np.asarray(turn.reshape(image.shape), np.uint8)


def margins(image: Pixels, rng: Generator) -> Pixels:
    """White around the text, as on a title page."""
    height, width = image.shape[:2]
    top, low = (int(v) for v in rng.uniform(0, 0.6, 2) * height)
    left, right = (int(v) for v in rng.uniform(0, 0.2, 2) * width)
    wide = cv2.copyMakeBorder(image, top, low, left, right, cv2.BORDER_CONSTANT, value=(255,) * 3)
    return np.asarray(wide.reshape(*wide.shape[:2], -1), np.uint8)


def border(image: Pixels, rng: Generator) -> Pixels:
    """The dark edge of a scanner's lid."""
    top, low, left, right = (int(v) for v in rng.uniform(0, 0.07, 4) * image.shape[0])
    level = (int(rng.integers(0, 90)),) * 3
    wide = cv2.copyMakeBorder(image, top, low, left, right, cv2.BORDER_CONSTANT, value=level)
    return np.asarray(wide.reshape(*wide.shape[:2], -1), np.uint8)


def make(case: Case, root: Path) -> Pixels:
    """The image of a case."""
    rng = np.random.default_rng(case.seed)
    if case.source is None:
        return drawn(rng) if not case.scan else page(rng, case.held_out, root)
    image = read(case.source)
    if case.scan:
        image = resized(image, float(rng.uniform(1, 3))) if rng.random() < 0.5 else image
        return noisy(image, rng, 30) if rng.random() < 0.5 else image
    return image if case.seed % 3 == 0 else photo(image, rng)


def cases(root: Path, pages: int, first: int = 0) -> Iterator[Case]:
    """Everything to be made, training and held-out; seeds count from `first`."""
    seed = first
    for folder in ("bsd432", "imagenet", "sunhays", "clic"):
        for index, path in enumerate(sorted((root / "photos" / folder).iterdir())):
            for _ in range(1 if folder == "imagenet" else 2):
                yield Case(folder, False, index % 4 == 3, seed := seed + 1, path)
    for folder in ("kodak24", "set12", "polyu"):
        for path in sorted((root / "validation" / folder).rglob("*")):
            for _ in range(1 if folder == "polyu" else 6):
                if path.suffix.lower() in SUFFIXES:
                    yield Case(folder, False, True, seed := seed + 1, path)
    office = root / "documents/noisyoffice"
    clean = {path.name: read(path) for path in sorted((office / "clean").iterdir())}
    held_out = set(split_by_page(clean)[1])
    for kind in ("noisy", "clean"):
        for path in sorted((office / kind).iterdir()):
            for _ in range(3 if kind == "noisy" else 1):
                yield Case(f"office {kind}", True, path.name in held_out, seed := seed + 1, path)
    for index in range(pages):
        yield Case("page", True, index % 3 == 2, seed := seed + 1)
        if index % 4 == 0:
            yield Case("drawn", False, index % 3 == 2, seed := seed + 1)


def values(job: tuple[Case, Path]) -> Floats:
    """The measures of one case."""
    cv2.setNumThreads(1)
    return choose.measure(make(*job))


def fit(samples: Floats, scan: NDArray[np.bool_], weight: Floats) -> tuple[Floats, float]:
    """Logistic regression with a small ridge, by Newton's method."""
    full = np.column_stack([samples, np.ones(len(samples))])
    ridge = np.full(full.shape[1], 1.0)
    ridge[-1] = 0
    answer = np.zeros(full.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(full @ answer, -30, 30)))
        slope = full.T @ (weight * (chance - scan)) + ridge * answer
        curve = (full * (weight * chance * (1 - chance))[:, None]).T @ full + np.diag(ridge)
        answer -= np.linalg.solve(curve, slope)
    return answer[:-1], float(answer[-1])


def table(every: Sequence[Case], scores: Floats, held_out: bool) -> None:
    """Print, kind by kind, how many are taken for scans."""
    kinds: dict[str, list[float]] = defaultdict(list)
    for case, score in zip(every, scores, strict=True):
        if case.held_out == held_out:
            kinds[f"{'scan' if case.scan else 'photo'}  {case.kind}"].append(float(score))
    print(f"{'held-out' if held_out else 'training'}: images, called scan, scores at 2, 50, 98 %")
    for name, found in sorted(kinds.items()):
        marks = np.percentile(found, [2, 50, 98])
        count = sum(score >= choose.THRESHOLD for score in found)
        print(f"  {name:22} {len(found):5} {count:5}   {' '.join(f'{m:.3f}' for m in marks)}")


def weight(case: Case) -> float:
    """Photos count double; the many versions of the few office pages count half."""
    return 2.0 if case.kind == "page" or not case.scan else 0.5


def taken(every: Sequence[Case], root: Path) -> Floats:
    """The measures of all cases, N x len(MEASURES)."""
    fonts(True), fonts(False)  # read once, before the processes part
    with ProcessPoolExecutor(2) as pool:
        return np.array(list(pool.map(values, [(case, root) for case in every], chunksize=8)))


def chances(samples: Floats, means: Floats, scales: Floats, row: Floats, bias: float) -> Floats:
    """Scores in [0, 1] of N x len(MEASURES) samples."""
    unit = np.clip((samples - means) / scales, -3, 3)
    return np.asarray(1 / (1 + np.exp(-(unit @ row + bias))), np.float64)


def main() -> None:
    """Make, measure, fit, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/, documents/")
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--check", type=int, metavar="SEED", help="fit nothing, try fresh images")
    options = parser.parse_args()
    every = list(cases(options.data, options.pages, options.check or 0))
    if options.check:
        every = [case for case in every if case.held_out]
    samples = taken(every, options.data)
    if options.check:
        fitted = choose._MEANS, choose._SCALES, choose._WEIGHTS, choose._BIAS
        table(every, chances(samples, *fitted), True)
        return
    scan = np.array([case.scan for case in every])
    train = np.array([not case.held_out for case in every])
    means, scales = samples[train].mean(axis=0), samples[train].std(axis=0) + 1e-6
    unit = np.clip((samples[train] - means) / scales, -3, 3)
    weights = np.array([weight(case) for case in every])
    row, bias = fit(unit, scan[train], weights[train])
    for held_out in (False, True):
        table(every, chances(samples, means, scales, row, bias), held_out)
    for name, numbers in (("_MEANS", means), ("_SCALES", scales), ("_WEIGHTS", row)):
        print(f"{name} = np.array([{', '.join(f'{v:.4g}' for v in numbers)}])")
    print(f"_BIAS = {bias:.4g}")


if __name__ == "__main__":
    main()
