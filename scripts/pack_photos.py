"""Pack folders of photos into one array file for training.

python scripts/pack_photos.py DIR... --out local/photos.npz --smallest 128
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from imgclean.pairs import save_pack


def main() -> None:
    """Read the folders named on the command line and write the pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--smallest", type=int, default=128, help="shorter images are left out")
    parser.add_argument("--limit", type=float, default=1e9, help="MiB; then some are left out")
    options = parser.parse_args()
    blobs = []
    for folder in options.folders:
        for path in sorted(folder.rglob("*")):
            image = cv2.imread(str(path)) if path.is_file() else None
            if image is None or min(image.shape[:2]) < options.smallest:
                continue
            data = path.read_bytes()
            if path.suffix.lower() == ".png":  # a photo as PNG is four times a JPEG at Q97
                data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 97])[1].tobytes()
            blobs.append(data)
    share = min(1.0, options.limit * 2**20 / max(1, sum(map(len, blobs))))
    kept = np.linspace(0, len(blobs) - 1, int(share * len(blobs))).round().astype(int)
    blobs = [blobs[index] for index in kept]  # evenly over all folders
    options.out.parent.mkdir(parents=True, exist_ok=True)
    count = save_pack(blobs, options.out)
    print(f"{options.out}: {count} photos, {options.out.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
