"""Training on noisy images alone beside training on their clean twins, for the same time.

    python benchmarks/noisy_alone.py --photos ../shared/data/photos/bsd432 \
        --test ../shared/data/validation/kodak24 --minutes 10

White Gaussian noise of sigma 25 is added once to every photo and test image, and stored in 8
bits, as a user's files would hold it. Two runs of `imgclean train` with the same network, patches,
batches, start and time follow: one sees the noisy files alone, one has the clean ones as targets.
Prints the mean PSNR of both on the test images, and of the weights they started from.
"""

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np

from imgclean import load
from imgclean.metrics import psnr
from imgclean.run_options import Options
from imgclean.runs import Run


def add_noise(source: Path, target: Path, sigma: float) -> None:
    """Write noisy PNG twins of all images of a folder, and clean ones of the same names."""
    for kind in ("noisy", "clean"):
        (target / kind).mkdir(parents=True)
    paths = sorted(p for p in source.iterdir() if p.suffix.lower() in (".jpg", ".png", ".tif"))
    for index, path in enumerate(paths):
        clean = cv2.imread(str(path))
        if clean is None:
            raise SystemExit(f"{path}: cannot be read")
        rng = np.random.default_rng(index)
        noisy = np.clip(np.rint(clean + rng.normal(0, sigma, clean.shape)), 0, 255)
        cv2.imwrite(str(target / "noisy" / f"{path.stem}.png"), noisy.astype(np.uint8))
        cv2.imwrite(str(target / "clean" / f"{path.stem}.png"), clean)


def train(options: Options, folder: Path) -> Run:
    """One run from start to end."""
    run = Run(options, folder)
    for _ in run:
        pass
    return run


def judge(weights: str, folder: Path) -> float:
    """Mean PSNR in dB of the cleaned test images."""
    denoiser = load(weights)
    values = []
    for path in sorted((folder / "noisy").iterdir()):
        noisy, clean = (cv2.imread(str(folder / kind / path.name)) for kind in ("noisy", "clean"))
        assert noisy is not None and clean is not None
        values.append(psnr(clean=clean[..., ::-1], other=denoiser(noisy[..., ::-1])))
    return float(np.mean(values))


def main() -> None:
    """Make the images, train twice, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--sigma", type=float, default=25)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--init", default="photo", help="none: from scratch")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        add_noise(options.photos, root / "train", options.sigma)
        add_noise(options.test, root / "test", options.sigma)
        if options.init != "none":
            print(f"{options.init}: {judge(options.init, root / 'test'):.2f} dB", flush=True)
        noisy, clean = str(root / "train" / "noisy"), str(root / "train" / "clean")
        for what, twins in (("clean targets", clean), ("noisy alone", None)):
            given = Options(
                noisy=noisy,
                clean=twins,
                max_time=60 * options.minutes,
                batch_size=options.batch_size,
                init=options.init,
                samples=0,
            )
            run = train(given, root / what.replace(" ", "-"))
            value = judge(str(run.weights), root / "test")
            print(f"{what}: {value:.2f} dB after {run.trainer.step} steps", flush=True)


if __name__ == "__main__":
    main()
