"""Make the README's picture: sample scans and a photo, noisy left, denoised right.

python scripts/make_before_after.py docs/before-after.jpg
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from imgclean import load

CROPS = (
    ("scan", "scans/stains.jpg", 120, 40),
    ("scan", "scans/folds.png", 300, 40),
    ("photo", "photos/night.jpg", 60, 20),
)
HEIGHT, WIDTH = 210, 440


def main() -> None:
    """Clean the crops and write the sheet."""
    rows = []
    for model, name, top, left in CROPS:
        pixels = cv2.imread(str(Path("sample_data/noisy") / name))
        if pixels is None:
            raise SystemExit(f"{name}: cannot be read; run this from the checkout's top")
        noisy = np.ascontiguousarray(pixels[..., ::-1])
        clean = load(model, device="cpu")(noisy)
        area = np.s_[top : top + HEIGHT, left : left + WIDTH]
        line = np.full((HEIGHT, 4, 3), 255, np.uint8)
        rows.append(np.hstack([noisy[area], line, clean[area]]))
    sheet = np.vstack(rows)[..., ::-1]
    cv2.imwrite(sys.argv[1], sheet, [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
