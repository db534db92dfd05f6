"""What cleaning does to real scans of old books and newspapers: how many words are read.

    python benchmarks/real_scans.py --images leptonica-1.82.0/prog

Twelve pages of 1555 to 1927 that come with the source of the Leptonica library (as a Debian
package: `apt-get source leptonlib`), from blackletter to a French catalogue, most photographed or
scanned in uneven light on brown paper. Nothing of the project was trained on them. Their texts in
`real_scans/` were written down by eye, line by line, spelt as printed but for long s and ligatures.

Tesseract reads each page raw, divided by its median background, and as `scan` with its safety gate
leaves it, doubled in size where it has under 1,000 pixels. Printed is the share of the words of the
text that are among those read, in any order, without case and punctuation. Needs the data of the
languages eng, fra, ita, lat and Fraktur (`tesseract-ocr-script-frak`).
"""

import argparse
import re
import unicodedata
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from read_pages import doubled

import imgclean
from imgclean.baselines import median_background
from imgclean.safety import protect
from imgclean.texts import check_tesseract, read_text

Pixels = NDArray[np.uint8]
LANGUAGES = {
    "1555.007.jpg": "Fraktur",
    "boxedpage.jpg": "Fraktur",
    "brothers.150.jpg": "Fraktur+eng",
    "candelabrum.011.jpg": "lat",
    "cat.007.jpg": "fra",
    "cat.035.jpg": "fra",
    "cavalerie.29.jpg": "fra",
    "german.png": "Fraktur",
    "lucasta.150.jpg": "eng",
    "pedante.079.jpg": "ita",
    "stampede2.jpg": "eng",
    "zanotti-78.jpg": "lat",
}
SMALL = 1000  # pixels of the shorter side, under which a page is doubled


def words(text: str) -> Counter[str]:
    """How often each word occurs; those that a line's end divides are joined."""
    joined = re.sub(r"[-=\u2e17]\s*\n\s*", "", text.replace("\u017f", "s"))
    plain = unicodedata.normalize("NFKC", joined).replace("\u016f", "u")
    return Counter(re.findall(r"\w+", plain.casefold()))


def recall(page: Pixels, language: str, text: Counter[str]) -> float:
    """Per cent of the words of a text that Tesseract reads in a page."""
    if min(page.shape[:2]) < SMALL:
        page = doubled(page)
    read = words(read_text(page, language))
    return 100 * sum(min(n, read[word]) for word, n in text.items()) / text.total()


def divided(page: Pixels) -> Pixels:
    """By the median of its background, as the cleaners of old books do it."""
    unit = median_background(page.astype(np.float32) / np.float32(255), 0.0)
    return np.asarray(np.clip(np.rint(255 * unit), 0, 255), np.uint8)


def main() -> None:
    """Print a line a page, and the means."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="Leptonica's folder prog")
    parser.add_argument("--model", default="scan")
    options = parser.parse_args()
    print(check_tesseract("+".join(LANGUAGES.values())))
    denoiser = imgclean.load(options.model, device="cpu")
    found = []
    for name, language in LANGUAGES.items():
        pixels = cv2.imread(str(options.images / name), cv2.IMREAD_COLOR_RGB)
        if pixels is None:
            raise SystemExit(f"{options.images / name}: cannot be read")
        page = np.asarray(pixels, np.uint8)
        if (page == page[..., :1]).all():
            page = np.ascontiguousarray(page[..., :1])
        truth = Path(__file__).with_suffix("") / f"{Path(name).stem}.txt"
        text = words(truth.read_text(encoding="utf-8"))
        cleaned = np.asarray(protect(page, denoiser(page))[0], np.uint8)
        row = [recall(x, language, text) for x in (page, divided(page), cleaned)]
        print(f"{name:20s} {text.total():4d} words: raw {row[0]:5.1f} %  divided by background "
              f"{row[1]:5.1f} %  cleaned {row[2]:5.1f} %", flush=True)  # fmt: skip
        found.append(row)
    raw, by_background, cleaned = np.mean(found, axis=0)
    worse = sum(row[2] < row[0] for row in found)
    print(f"mean: raw {raw:.1f} %  divided by background {by_background:.1f} %  "
          f"cleaned {cleaned:.1f} %; {worse} of {len(found)} lower than raw")  # fmt: skip


if __name__ == "__main__":
    main()
