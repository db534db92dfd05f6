"""Build the training pack for the scan weights: clean pages, real pairs and real stains.

    python scripts/make_pages.py --documents DIR --photos DIR --out local/scan.npz --pages 400

DIR of documents holds noisy/ and clean/ with the same names (NoisyOffice). Its pages are
split by clean page: every fourth (index % 4 == 3 in the order of `pages.split_by_page`) goes
to the validation pairs, with all its noisy versions; stains come from the others alone.
A sixteenth of the font families (`fonts.held_out`) is left for validation too.

Keys of the pack, all uint8: pages_grey N x 512 x 512, pages_colour M x 512 x 512 x 3, and,
one array per image because sizes differ, train_noisy_000 with train_clean_000, valid_noisy_000
with valid_clean_000, stain_000 (bare paper, 255 = white), each H x W.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from imgclean.fonts import held_out
from imgclean.pages import find_fonts, render_page, split_by_page
from imgclean.paper import extract_stains

Pixels = NDArray[np.uint8]


def read(path: Path, flag: int = cv2.IMREAD_GRAYSCALE) -> Pixels:
    """Read one image; grey unless told."""
    pixels = cv2.imread(str(path), flag)
    if pixels is None:
        raise SystemExit(f"{path}: cannot be read")
    return np.asarray(pixels, np.uint8)


def scaled(pixels: Pixels) -> NDArray[np.float32]:
    """From 0..255 to [0, 1]."""
    return pixels.astype(np.float32) / np.float32(255)


def real_pairs(folder: Path) -> dict[str, Pixels]:
    """Training and validation pairs, and the stains of the training pairs."""
    clean = {path.name: read(path) for path in (folder / "clean").iterdir()}
    pack: dict[str, Pixels] = {}
    for part, names in zip(("train", "valid"), split_by_page(clean), strict=True):
        for index, name in enumerate(names):
            noisy = read(folder / "noisy" / name)
            pack[f"{part}_noisy_{index:03d}"] = noisy
            pack[f"{part}_clean_{index:03d}"] = clean[name]
            if part == "train":
                stain = extract_stains(scaled(noisy), scaled(clean[name]))
                pack[f"stain_{index:03d}"] = np.rint(stain * 255).astype(np.uint8)
    return pack


def draw_pages(
    seed: int, count: int, photos: Sequence[Pixels], size: int = 512, coarse: float = 0.0
) -> tuple[Pixels, Pixels]:
    """Render clean pages, a quarter of them in colour, at resolutions from 75 to 600 dpi.

    A share of them, `coarse`, has 60 to 100 dpi, as a page is seen from afar (`second_look.py`).
    """
    fonts = [path for path in find_fonts() if not held_out(path)]
    grey: list[Pixels] = []
    colour: list[Pixels] = []
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        if coarse and rng.random() < coarse:
            dpi = float(rng.uniform(60, 100))
        else:
            dpi = float(np.clip(rng.lognormal(np.log(180), 0.5), 75, 600))
        tinted = index % 4 == 3
        page, _ = render_page(rng, size, size, fonts, dpi=dpi, photos=photos, colour=tinted)
        (colour if tinted else grey).append(page)
    shape = (0, size, size, 1)
    grey_stack = np.stack(grey) if grey else np.zeros(shape, np.uint8)
    colour_stack = np.stack(colour) if colour else np.zeros((0, size, size, 3), np.uint8)
    return grey_stack[..., 0], colour_stack


def main() -> None:
    """Read the options, build the pack and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("local/scan.npz"))
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--coarse", type=float, default=0.0, help="share at 60 to 100 dpi")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    files = sorted(path for path in options.photos.rglob("*.jpg"))[::8][:60]
    photos = [read(path, cv2.IMREAD_COLOR)[..., ::-1] for path in files]
    grey, colour = draw_pages(options.seed, options.pages, photos, coarse=options.coarse)
    pack = {"pages_grey": grey, "pages_colour": colour, **real_pairs(options.documents)}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    part = options.out.with_suffix(
        ".part.npz"
    )  # never a half-written pack under a running training
    np.savez_compressed(part, **pack)  # type: ignore[arg-type]  # stub wants bool first
    part.replace(options.out)
    print(f"{options.out}: {len(grey)} grey and {len(colour)} colour pages, "
          f"{sum(key.startswith('stain') for key in pack)} stains, "
          f"{options.out.stat().st_size / 1e6:.1f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
