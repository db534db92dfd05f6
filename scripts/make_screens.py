"""Build the pack of screenshots, line art and print for the photo weights.

    python scripts/make_screens.py --data DATA --out local/screens.npz

Half are screenshots as `choose_set.py` draws them, a quarter flat paintings with outlines, a
quarter rendered pages in colour: what a photo denoiser must leave alone. DATA holds photos/. The
photos and font families that `choose_set.py` holds out are not used.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from choose_set import Pixels, Sources, colour, flat_painting, plain_screenshot

from imgclean.pages import render_page
from imgclean.pairs import save_pack


def draw(sources: Sources, index: int, size: int) -> Pixels:
    """One image of at most size x size pixels, without noise."""
    rng = np.random.default_rng([2026, index])
    kind = index % 4
    if kind == 3:
        dpi = float(np.exp(rng.uniform(np.log(75), np.log(200))))
        shots = [sources.photo(rng)]
        return render_page(rng, size, size, sources.fonts, dpi=dpi, photos=shots, colour=True)[0]
    if kind == 2:
        image = flat_painting(colour(sources.photo(rng)), rng)
    else:
        image = plain_screenshot(rng, sources)
    top, left = (int(rng.integers(max(1, side - size))) for side in image.shape[:2])
    return image[top : top + size, left : left + size]


def main() -> None:
    """Draw the images and write the pack."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("local/screens.npz"))
    parser.add_argument("--count", type=int, default=480)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    sources = Sources(options.data, False)
    images = (draw(sources, index, 384) for index in range(options.count))
    blobs = [cv2.imencode(".png", image[..., ::-1])[1].tobytes() for image in images]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    count = save_pack(blobs, options.out)
    print(f"{options.out}: {count} images, {options.out.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
