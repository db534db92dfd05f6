"""Draw the pictures of the weights' cards: what they are good at and, in the last rows, bad at.

    python scripts/make_card_pictures.py          # weights/{photo,photo-best,gaussian,scan}.jpg

Noisy left, denoised right. All of it is made by the project: sample images, scenes and pages in the
DejaVu fonts (Debian's fonts-dejavu-core), with fixed seeds.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from imgclean import load, noise
from imgclean.fonts import find_fonts
from imgclean.pages import render_page
from imgclean.paper import damage
from imgclean.recipes import salt_and_pepper
from imgclean.scenes import render_scene

Pixels = NDArray[np.uint8]
HEIGHT, WIDTH, CAPTION = 160, 380, 22
SAMPLES = Path(__file__).parents[1] / "sample_data" / "noisy"


def pixels(image: NDArray[np.float32]) -> Pixels:
    """From [0, 1] to 0..255."""
    return np.asarray(np.rint(np.clip(image, 0, 1) * 255), np.uint8)


def sample(name: str, top: int, left: int) -> Pixels:
    """A part of a noisy sample image."""
    image = cv2.imread(str(SAMPLES / name))
    if image is None:
        raise SystemExit(f"{SAMPLES / name}: cannot be read")
    return np.asarray(image[top : top + HEIGHT, left : left + WIDTH, ::-1], np.uint8)


def page(seed: int, dpi: int, kinds: tuple[str, ...], *, plain: bool) -> Pixels:
    """A rendered page under the named damages."""
    fonts = [path for path in find_fonts() if path.stem.startswith("DejaVuSerif")]
    rng = np.random.default_rng(seed)
    clean, _ = render_page(rng, HEIGHT, WIDTH, fonts[:1], dpi=dpi, colour=True, plain=plain)
    unit = clean.astype(np.float32) / np.float32(255)
    return pixels(damage(unit, rng, strength=0.8, kinds=kinds)[0])


def scene(seed: int) -> NDArray[np.float32]:
    """A made-up photo."""
    drawn = render_scene(np.random.default_rng(seed), HEIGHT, WIDTH)
    return drawn.astype(np.float32) / np.float32(255)


def photos(*, cameras: bool = True) -> Iterator[tuple[str, Pixels]]:
    """What `photo` is shown, or weights that know no cameras."""
    rng = np.random.default_rng(1)
    yield "Gaussian noise, sigma 25", pixels(noise.gaussian(scene(1), rng, 25 / 255))
    yield "Gaussian noise, sigma 50", pixels(noise.gaussian(scene(2), rng, 50 / 255))
    yield f"{'' if cameras else 'bad: '}camera at night, JPEG", sample("photos/night.jpg", 60, 20)
    salted = pixels(salt_and_pepper(scene(3), rng, 0.05))
    yield "salt and pepper, 5 %", salted
    packed = cv2.imencode(".jpg", salted[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    drawn = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    yield "bad: the same after JPEG", np.ascontiguousarray(drawn[..., ::-1])
    yield "bad: sigma 100, beyond training", pixels(noise.gaussian(scene(4), rng, 100 / 255))


def scans() -> Iterator[tuple[str, Pixels]]:
    """What `scan` is shown."""
    yield "stains", sample("scans/stains.jpg", 120, 40)
    yield "folds", sample("scans/folds.png", 300, 40)
    yield "phone, uneven light", sample("scans/phone.jpg", 300, 200)
    yield "faded copy", page(5, 110, ("fade", "dropout", "specks", "grain", "grey"), plain=True)
    whole = np.full((HEIGHT + 600, WIDTH + 600, 3), 235, np.uint8)
    drawn = render_scene(np.random.default_rng(7), HEIGHT + 400, WIDTH + 400)
    soft = cv2.GaussianBlur(drawn, (0, 0), 25).mean(axis=2, keepdims=True)
    whole[100:-100, 100:-100] = 110 + 0.5 * soft
    yield "the middle of a large soft picture", whole
    hairs = np.full((HEIGHT, WIDTH, 3), 240, np.uint8)
    for start in np.random.default_rng(8).uniform(0, (WIDTH, HEIGHT), (9, 2)):
        bends = np.random.default_rng(int(start[0])).normal(0, 9, (12, 2)).cumsum(0)
        cv2.polylines(hairs, [np.rint((start + bends) * 8).astype(np.int32)], False,
                      (90, 90, 90), 1, cv2.LINE_AA, 3)  # fmt: skip
    yield "bad: hairs on the glass", hairs


def sheet(model: str, rows: Iterator[tuple[str, Pixels]]) -> Pixels:
    """All rows below each other with their captions, RGB; of large images the middle."""
    denoiser, parts = load(model, device="cpu", precision="fp32"), []
    for words, noisy in rows:
        noisy = np.ascontiguousarray(noisy)
        clean = denoiser(noisy)
        top, left = (
            (have - need) // 2 for have, need in zip(noisy.shape[:2], (HEIGHT, WIDTH), strict=True)
        )
        area = np.s_[top : top + HEIGHT, left : left + WIDTH]
        line = np.full((HEIGHT, 4, 3), 255, np.uint8)
        caption = np.full((CAPTION, 2 * WIDTH + 4, 3), 255, np.uint8)
        cv2.putText(caption, words, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1,
                    cv2.LINE_AA)  # fmt: skip
        parts += [caption, np.hstack([noisy[area], line, clean[area]])]
    return np.vstack(parts)


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("weights"))
    parser.add_argument("--photo", default="photo", help="weights to show")
    parser.add_argument("--photo-best", default="photo-best", help="weights to show")
    parser.add_argument("--gaussian", default="gaussian", help="weights to show")
    parser.add_argument("--scan", default="scan", help="weights to show")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, weights, rows in (
        ("photo", options.photo, photos()),
        ("photo-best", options.photo_best, photos()),
        ("gaussian", options.gaussian, photos(cameras=False)),
        ("scan", options.scan, scans()),
    ):
        picture = sheet(weights, rows)[..., ::-1]
        cv2.imwrite(str(options.out / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 78])


if __name__ == "__main__":
    main()
