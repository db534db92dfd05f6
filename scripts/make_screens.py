"""Build the pack of screenshots, line art, print and weaves for the photo weights.

    python scripts/make_screens.py --data DATA --out local/screens.npz
    python scripts/make_screens.py --data DATA --prints 600 --out local/screens-prints.npz

Two fifths are screenshots as `choose_others.py` draws them, a fifth flat paintings with outlines, a
fifth rendered pages in colour, a fifth photos in part under mesh, net or cloth: what a photo
denoiser must leave alone. After these come `--prints` photos in halftone (`prints.py`). DATA holds
photos/. The photos and font families that `choose_images.py` holds out are not used.
"""

import argparse
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from choose_images import Pixels, Sources, colour
from choose_others import flat_painting, plain_screenshot
from prints import printed

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
    options = parser.parse_args()
    cv2.setNumThreads(1)
    sources = Sources(options.data, False)
    drawn = (draw(sources, index, 384) for index in range(options.count))
    images = chain(drawn, (draw_print(sources, index, 384) for index in range(options.prints)))
    blobs = [cv2.imencode(".png", image[..., ::-1])[1].tobytes() for image in images]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    count = save_pack(blobs, options.out)
    print(f"{options.out}: {count} images, {options.out.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
