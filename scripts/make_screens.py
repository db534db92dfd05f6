"""Build the pack of screenshots, line art, print and weaves for the photo weights.

    python scripts/make_screens.py --data DATA --out local/screens.npz
    python scripts/make_screens.py --data DATA --prints 600 --out local/screens-prints.npz

Two fifths are screenshots as `choose_others.py` draws them, a fifth flat paintings with outlines, a
fifth rendered pages in colour, a fifth photos in part under mesh, net or cloth: what a photo
denoiser must leave alone. After these come `--prints` photos in halftone (`prints.py`), `--skies`
full of stars and `--small` photos shrunken and sharpened for a web page. DATA holds photos/. The
photos and font families that `choose_images.py` holds out are not used.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from choose_images import Pixels, Sources, colour
from choose_others import flat_painting, plain_screenshot
from numpy.typing import NDArray
from prints import printed

from imgclean.noise import jpeg
from imgclean.pages import render_page
from imgclean.pairs import save_pack
from imgclean.sheets import smooth_noise


def draw(sources: Sources, index: int, size: int) -> Pixels:
    """One image of at most size x size pixels, without noise."""
    rng = np.random.default_rng([2026, index])
    kind = index % 5
    if kind == 4:
        return woven(cropped(colour(sources.photo(rng)), rng, size), rng)
    if kind == 3:
        dpi = float(np.exp(rng.uniform(np.log(75), np.log(200))))
        shots = [sources.photo(rng)]
        return render_page(rng, size, size, sources.fonts, dpi=dpi, photos=shots, colour=True)[0]
    if kind == 2:
        image = flat_painting(colour(sources.photo(rng)), rng)
    else:
        image = plain_screenshot(rng, sources)
    return cropped(image, rng, size)


def draw_print(sources: Sources, index: int, size: int) -> Pixels:
    """A photo in print, of at most size x size pixels."""
    rng = np.random.default_rng([2027, index])
    return printed(cropped(sources.photo(rng), rng, size), rng)


def draw_sky(sources: Sources, index: int, size: int) -> Pixels:
    """A sky of stars, size x size pixels: points that a lens spreads, many more faint than bright.

    Three in ten have a photo's dark parts below, as a camera on a tripod sees them.
    """
    rng = np.random.default_rng([2028, index])
    light = np.zeros((size, size, 3), np.float32)
    count = rng.poisson(size * size * float(np.exp(rng.uniform(np.log(3e-4), np.log(0.15)))))
    spread = rng.uniform(0.35, 1.1) * rng.uniform(0.9, 1.3, count)
    faintest = float(np.exp(rng.uniform(np.log(0.005), np.log(0.2))))
    flux = np.minimum(faintest * rng.random(count) ** (-1 / rng.uniform(0.7, 1.5)), 60)
    places = rng.uniform(0, size, (count, 2))
    warmth = rng.uniform(0, 0.5) * rng.standard_normal((count, 1)) * np.array([1, 0, -1])
    for (y, x), sigma, each, tint in zip(places, spread, flux, np.exp(warmth), strict=True):
        reach = int(np.ceil(4 * sigma)) + 1
        top, left = max(int(y) - reach, 0), max(int(x) - reach, 0)
        rows, columns = (
            np.exp(-(((np.arange(a, min(a + 2 * reach + 1, size)) + 0.5 - b) / sigma) ** 2) / 2)
            for a, b in ((top, y), (left, x))
        )
        spot = np.outer(rows, columns) * (each / (2 * np.pi * sigma**2))
        part = light[top : top + len(rows), left : left + len(columns)]
        part += spot[..., None] * tint
    dark = np.exp(rng.uniform(np.log(0.001), np.log(0.06))) * rng.uniform(0.5, 1.5, 3)
    clouds = np.exp(rng.uniform(0, 0.8) * smooth_noise(rng, size, size, rng.uniform(60, 400)))
    sky = light + (dark * clouds[..., None]).astype(np.float32)
    shown = 255 * np.minimum(sky, 1) ** (1 / rng.uniform(1.8, 3.0))
    if rng.random() < 0.3:
        scene = cv2.resize(cropped(colour(sources.photo(rng)), rng, size), (size, size))
        below = np.arange(size)[:, None] > size * (0.75 + 0.08 * smooth_noise(rng, 1, size, 60)[0])
        shown = np.where(below[..., None], scene * np.float32(rng.uniform(0.05, 0.4)), shown)
    if rng.random() < 0.4:  # made smaller for a web page, and sharpened
        shown = _sharpened(shown, rng, 1.2)
    return _as_saved(shown, rng)


def draw_small(sources: Sources, index: int, size: int) -> Pixels:
    """A photo shrunken to a fraction and sharpened, as web pages and cameras' previews show it.

    Its leaves, bricks and grass are as fine as noise, and what is even in it is without any.
    """
    rng = np.random.default_rng([2029, index])
    photo = colour(sources.photo(rng))
    scale = min(max(160 / min(photo.shape[:2]), float(np.exp(rng.uniform(np.log(0.2), 0)))), 1)
    kind = rng.choice([cv2.INTER_AREA, cv2.INTER_LANCZOS4, cv2.INTER_LINEAR], p=[0.5, 0.25, 0.25])
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=int(kind)).astype(np.float32)
    sharp = _sharpened(small, rng, 1.5)
    grey = sharp.mean(axis=2, keepdims=True)
    vivid = grey + np.float32(rng.uniform(0.9, 1.5)) * (sharp - grey)
    return cropped(_as_saved(vivid, rng), rng, size)


def _sharpened(
    image: NDArray[np.floating], rng: np.random.Generator, most: float
) -> NDArray[np.float32]:
    """By an unsharp mask, up to `most` times what a narrow blur takes away."""
    soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.0))
    return np.asarray(image + np.float32(rng.uniform(0, most)) * (image - soft))


def _as_saved(image: NDArray[np.float32], rng: np.random.Generator) -> Pixels:
    """Levels of 0 to 255, two in three times through JPEG of good quality."""
    pixels = np.clip(image, 0, 255)
    if rng.random() < 2 / 3:
        quality, subsample = int(rng.integers(80, 98)), bool(rng.random() < 0.5)
        pixels = 255 * jpeg(pixels / np.float32(255), quality, rng, subsample=subsample)
    return np.asarray(np.rint(pixels), np.uint8)


def cropped(image: Pixels, rng: np.random.Generator, size: int) -> Pixels:
    """A part of at most size x size pixels."""
    top, left = (int(rng.integers(max(1, side - size))) for side in image.shape[:2])
    return image[top : top + size, left : left + size]


def woven(photo: Pixels, rng: np.random.Generator) -> Pixels:
    """A photo, H x W x 3, in part under a fabric of threads 2 to 12 pixels apart.

    Fabric that nobody draws is taken for noise, and photos shrunk to remove what JPEG did hold
    little of it so fine.
    """
    height, width = photo.shape[:2]
    sharp = 3  # drawn so many times as large, then averaged, as a lens and a sensor do
    y, x = np.mgrid[: height * sharp, : width * sharp].astype(np.float32) / np.float32(sharp)
    # Cloth lies in folds and is seen at an angle, so the threads' distance changes slowly.
    far = 1 + rng.uniform(-0.25, 0.25) * x / width + rng.uniform(-0.25, 0.25) * y / height
    folds = smooth_noise(rng, height, width, 40) * np.float32(rng.uniform(0, 3))
    bent = cv2.resize(folds, (width * sharp, height * sharp))
    period, angle = float(np.exp(rng.uniform(np.log(2), np.log(12)))), rng.uniform(0, np.pi)
    across = rng.uniform(0.7, 1.4)
    u = (x * np.cos(angle) + y * np.sin(angle)) * far + bent
    v = (y * np.cos(angle) - x * np.sin(angle)) * far * across + bent
    warp, weft = np.cos(2 * np.pi * u / period), np.cos(2 * np.pi * v / period)
    kind = rng.random()
    if kind < 0.4:  # mesh: threads with holes between, as wide as it happens
        threads = np.maximum(warp, weft) > rng.uniform(-0.2, 0.9)
    elif kind < 0.7:  # plain weave: each thread is above at every second crossing
        threads = warp * weft
    else:  # ribs or twill: one direction alone
        threads = warp
    pattern = cv2.resize(threads.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    pattern = cv2.GaussianBlur(pattern, (0, 0), rng.uniform(0.2, 0.7))
    there = smooth_noise(rng, height, width, rng.uniform(30, 90)) > rng.uniform(-1.2, 0.3)
    shade = np.float32(rng.uniform(0.03, 0.35)) * pattern * there
    tinted = 1 - shade[..., None] * rng.uniform(0.7, 1, 3).astype(np.float32)
    if rng.random() < 0.5:  # before a dull background rather than over the photo's own detail
        soft = cv2.GaussianBlur(photo, (0, 0), rng.uniform(2, 8))
        photo = np.where(there[..., None], soft, photo)
    return np.asarray(np.clip(photo * tinted, 0, 255), np.uint8)


def main() -> None:
    """Draw the images and write the pack."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("local/screens.npz"))
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--prints", type=int, default=0)
    parser.add_argument("--skies", type=int, default=0)
    parser.add_argument("--small", type=int, default=0)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    sources = Sources(options.data, False)
    kinds = (
        (draw, options.count),
        (draw_print, options.prints),
        (draw_sky, options.skies),
        (draw_small, options.small),
    )
    images = (kind(sources, index, 384) for kind, count in kinds for index in range(count))
    blobs = [cv2.imencode(".png", image[..., ::-1])[1].tobytes() for image in images]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    count = save_pack(blobs, options.out)
    print(f"{options.out}: {count} images, {options.out.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
