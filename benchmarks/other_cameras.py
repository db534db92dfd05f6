"""What cleaning does to the noise of cameras that are not those of the project's own model.

    python benchmarks/other_cameras.py --data ../shared/data --model photo

Code that shares nothing with `imgclean.noise` photographs crops of Kodak24: photons and read noise
on a Bayer mosaic, demosaicing as Hamilton and Adams' or OpenCV's VNG, colour smoothed or not, luma
by a bilateral filter, wavelet coring or not at all, sharpening, digital zoom, frames merged in part
as in night modes, halving. The truth is the mean of many exposures before compression, as in
PolyU. Printed are mean PSNR before and after, and that of OpenCV's non-local means at the strengths
that suit each camera best, which nobody could know without the truth.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import imgclean
from imgclean.metrics import psnr

Plane = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Generator = np.random.Generator

EXPOSURES = 12  # whose mean is the truth
STRENGTHS = (2, 4, 6, 9, 13, 18, 25)  # of non-local means, in luma
COLOURS = (0.4, 1.0, 2.2)  # times as strong in colour


@dataclass(frozen=True)
class Camera:
    """How a photo is taken; noise is given in electrons, `full` of them being white."""

    full: float
    read: float
    demosaic: str = "directed"
    colour: float = 2.0  # sigma of its blur
    luma: str = ""
    strength: float = 0.0
    sharpen: float = 0.0
    scale: float = 1.0
    frames: int = 1
    quality: int = 92


CAMERAS = {
    "sharp": Camera(900, 4, sharpen=0.7),
    "sharp, luma untouched": Camera(500, 4, colour=3.0),
    "VNG": Camera(700, 5, "vng", colour=1.5),
    "bilateral": Camera(900, 4, luma="bilateral", strength=0.08, sharpen=0.5),
    "coring": Camera(400, 5, luma="coring", strength=0.06, sharpen=0.4, quality=88),
    "zoom": Camera(700, 4, sharpen=0.4, scale=2.0, quality=85),
    "night": Camera(300, 5, frames=9, sharpen=0.5, quality=90),
    "halved": Camera(300, 5, scale=0.5, quality=90),
    "compressed": Camera(700, 4, sharpen=0.6, quality=60),
}


def directed(mosaic: Plane) -> Plane:
    """Green along the smoother direction, then the other colours by their difference to it."""
    height, width = mosaic.shape
    padded = np.pad(mosaic, 2, "reflect")

    def at(down: int, across: int) -> Plane:
        return padded[2 + down : 2 + down + height, 2 + across : 2 + across + width]

    ways, slopes = [], []
    for down, across in ((0, 1), (1, 0)):
        one, other = at(-down, -across), at(down, across)
        bend = 2 * mosaic - at(-2 * down, -2 * across) - at(2 * down, 2 * across)
        ways.append((one + other) / 2 + bend / 4)
        slopes.append(cv2.blur(np.abs(one - other) + np.abs(bend), (3, 3)))
    green = np.where(slopes[0] < slopes[1], *ways)
    seen = masks(height, width)
    green = np.where(seen[..., 1], mosaic, green)
    spread = np.outer((1, 2, 1), (1, 2, 1)).astype(np.float32) / 4
    planes = [
        green + cv2.filter2D((mosaic - green) * seen[..., c], -1, spread, borderType=4)
        for c in (0, 2)
    ]
    return np.stack([planes[0], green, planes[1]], axis=2).astype(np.float32)


def vng(mosaic: Plane) -> Plane:
    """OpenCV's, which has 8 bits: on a square root, so that shadows have enough of them."""
    root = np.clip(np.sqrt(np.clip(mosaic + 0.01, 0, 1.05)) * 240, 0, 255)
    colour = cv2.cvtColor(np.rint(root).astype(np.uint8), cv2.COLOR_BayerBG2RGB_VNG)
    return np.asarray((colour / np.float32(240)) ** 2 - np.float32(0.01), np.float32)


def masks(height: int, width: int) -> NDArray[np.bool_]:
    """Where red, green and blue are measured: red first."""
    y, x = np.mgrid[:height, :width] % 2
    return np.stack([(y + x == 0), (y != x), (y + x == 2)], axis=2)


def expose(image: Plane, camera: Camera, rng: Generator) -> Plane:
    """One exposure, developed, in floating point; H x W x 3 in [0, 1]."""
    light = np.clip(image, 0, 1) ** np.float32(2.2)
    balance = np.array([2.0, 1.0, 1.6], np.float32)
    mosaic = ((light / balance) * masks(*light.shape[:2])).sum(axis=2)
    electrons = rng.poisson(mosaic * camera.full) + camera.read * rng.standard_normal(mosaic.shape)
    mosaic = electrons / camera.full
    mosaic = (mosaic[..., None] * balance * masks(*mosaic.shape)).sum(axis=2).astype(np.float32)
    colour = (vng if camera.demosaic == "vng" else directed)(mosaic)
    return np.asarray(np.clip(colour, 0, 1) ** np.float32(1 / 2.2), np.float32)


def develop(image: Plane, camera: Camera, rng: Generator) -> Plane:
    """A photo before it is compressed."""
    shown = expose(image, camera, rng)
    if camera.frames > 1:  # merged where nothing moved, which is decided by tiles
        rest = [expose(image, camera, rng) for _ in range(camera.frames - 1)]
        mean = (shown + np.sum(rest, axis=0)) / camera.frames
        tiles = (np.random.default_rng(1).random((12, 12)) < 0.3).astype(np.float32)
        size = (image.shape[1], image.shape[0])
        alone = cv2.resize(tiles, size, interpolation=cv2.INTER_NEAREST)
        share = cv2.GaussianBlur(alone, (0, 0), 4)[..., None]
        shown = np.asarray(share * shown + (1 - share) * mean, np.float32)
    planes = cv2.cvtColor(shown, cv2.COLOR_RGB2YCrCb)
    luma, *chroma = (np.ascontiguousarray(planes[..., c]) for c in range(3))
    chroma = [cv2.GaussianBlur(plane, (0, 0), camera.colour) for plane in chroma]
    if camera.luma == "bilateral":
        luma = cv2.bilateralFilter(luma, 7, camera.strength, 2)
    elif camera.luma == "coring":
        luma = coring(luma, camera.strength)
    luma = luma + camera.sharpen * (luma - cv2.GaussianBlur(luma, (0, 0), 1.0))
    developed = cv2.cvtColor(np.stack([luma, *chroma], axis=2), cv2.COLOR_YCrCb2RGB)
    if camera.scale != 1:
        way = cv2.INTER_CUBIC if camera.scale > 1 else cv2.INTER_AREA
        developed = cv2.resize(developed, None, fx=camera.scale, fy=camera.scale, interpolation=way)
    return np.asarray(np.clip(developed, 0, 1), np.float32)


def coring(luma: Plane, limit: float) -> Plane:
    """Small details taken away at three scales, so that coarse ones stay as blotches."""
    rest, kept = luma, np.zeros_like(luma)
    for sigma in (0.8, 1.6, 3.2):
        smooth = np.asarray(cv2.GaussianBlur(rest, (0, 0), sigma))
        detail = rest - smooth
        kept += np.sign(detail) * np.maximum(np.abs(detail) - np.float32(limit), 0)
        rest, limit = smooth, limit / 3
    return np.asarray(rest + kept, np.float32)


def compressed(image: Plane, quality: int) -> Pixels:
    """As a JPEG gives it back, in 8 bits."""
    pixels = np.rint(image[..., ::-1] * 255).astype(np.uint8)
    code = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(np.asarray(decoded, np.uint8)[..., ::-1])


def photos(folder: Path, count: int) -> Iterator[Plane]:
    """Crops of 384 x 384, slightly soft as a lens makes them."""
    for path in sorted(folder.glob("*.png"))[:: 24 // count][:count]:
        image = cv2.imread(str(path))
        if image is None:
            raise SystemExit(f"{path}: cannot be read")
        crop = image[58:442, 58:442, ::-1] / np.float32(255)
        yield cv2.GaussianBlur(np.ascontiguousarray(crop), (0, 0), 0.5)


def best_nlm(noisy: list[Pixels], truths: list[Pixels]) -> float:
    """Mean PSNR of non-local means at the best strengths for all of these."""
    found = []
    for strength in STRENGTHS:
        for colour in COLOURS:
            cleaned = (
                cv2.fastNlMeansDenoisingColored(image, None, strength, colour * strength, 7, 21)
                for image in noisy
            )
            found.append(mean_psnr(cleaned, truths))
    return max(found)


def mean_psnr(images: Iterator[Pixels] | list[Pixels], truths: list[Pixels]) -> float:
    """In dB."""
    pairs = zip(images, truths, strict=True)
    return float(np.mean([psnr(clean=true, other=image) for image, true in pairs]))


def main() -> None:
    """Take the photos, clean them, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds validation/kodak24")
    parser.add_argument("--model", action="append", help="photo and photo-best, unless given")
    parser.add_argument("--count", type=int, default=6, choices=range(1, 25), help="photos")
    parser.add_argument("--no-nlm", action="store_true", help="without non-local means")
    options = parser.parse_args()
    models = options.model or ["photo", "photo-best"]
    denoisers: dict[str, Callable[[Pixels], Pixels]] = {n: imgclean.load(n) for n in models}
    clean = list(photos(options.data / "validation" / "kodak24", options.count))
    print(f"{'camera':24}{'noisy':>8}" + "".join(f"{Path(n).stem:>12}" for n in models), end="")
    print("" if options.no_nlm else "    best NLM")
    for name, camera in CAMERAS.items():
        noisy, truths = [], []
        for number, image in enumerate(clean):
            rng = np.random.default_rng([number, 1])
            shown = [develop(image, camera, rng) for _ in range(EXPOSURES)]
            truths.append(np.rint(np.mean(shown, axis=0) * 255).astype(np.uint8))
            rng = np.random.default_rng([number, 2])
            noisy.append(compressed(develop(image, camera, rng), camera.quality))
        figures = [mean_psnr(noisy, truths)]
        figures += [mean_psnr([clean_(x) for x in noisy], truths) for clean_ in denoisers.values()]
        figures += [] if options.no_nlm else [best_nlm(noisy, truths)]
        print(
            f"{name:24}{figures[0]:8.2f}" + "".join(f"{x:12.2f}" for x in figures[1:]), flush=True
        )


if __name__ == "__main__":
    main()
