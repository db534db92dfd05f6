"""Speed and memory of `imgclean denoise`, beside OpenCV's non-local means, in one run.

    python benchmarks/denoise.py [--model photo] [--threads 2] [--megapixels 6]
    python benchmarks/denoise.py --device cuda --network-only --megapixels 24

Prints end-to-end megapixels a second (decode, clean, encode), those of the network alone with
the image's way to its device and back, those of ``cv2.fastNlMeansDenoisingColored``, the ratios,
and the peak memory. Rounds of the three are taken in turn, so that a machine that slows down
slows all of them. `scan` sees a drawn page of A4's shape, grainy, yellowed and in a shadow, at 300
dpi if it has 8.7 megapixels (needs fonts-dejavu-core); others see an enlarged scene with noise.
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from imgclean import load
from imgclean.fonts import find_fonts
from imgclean.pages import render_page
from imgclean.paper import damage
from imgclean.scenes import render_scene


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def drawn_page(megapixels: float, *, grey: bool) -> NDArray[np.uint8]:
    """A dirty page."""
    rng = np.random.default_rng(0)
    height, width = (round((megapixels * 1e6 * way) ** 0.5) for way in (2**0.5, 2**-0.5))
    fonts = [path for path in find_fonts() if path.stem == "DejaVuSerif"]
    if not fonts:
        raise SystemExit("no font DejaVu Serif; install fonts-dejavu-core")
    dpi = round(height / 11.7)
    page, _ = render_page(rng, height, width, fonts, dpi=dpi, colour=not grey, plain=True)
    unit = page.astype(np.float32) / np.float32(255)
    dirty, _ = damage(unit, rng, strength=0.8, kinds=("grain", "tint", "shadow"))
    return np.asarray(np.rint(np.clip(dirty, 0, 1) * 255), np.uint8)


def drawn_scene(megapixels: float, *, grey: bool) -> NDArray[np.uint8]:
    """A noisy photo, of sorts."""
    side = int((megapixels * 1e6) ** 0.5)
    rng = np.random.default_rng(0)
    small = render_scene(rng, 512, 512).astype(np.float32)
    large = cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)
    noisy = np.clip(large + rng.normal(0, 15, large.shape), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(noisy[..., :1]) if grey else noisy


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="photo")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--megapixels", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--grey", action="store_true")
    parser.add_argument("--network-only", action="store_true", help="no files; needs no pyvips")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    draw = drawn_page if options.model == "scan" else drawn_scene
    noisy = draw(options.megapixels, grey=options.grey)
    nlm_part = np.ascontiguousarray(np.broadcast_to(noisy[:512, :512], (512, 512, 3)))
    denoiser = load(options.model, device=options.device, precision=options.precision)
    megapixels = noisy.shape[0] * noisy.shape[1] / 1e6
    rates: dict[str, list[float]] = {"network": [], "end to end": [], "NLM": []}
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "in.png"
        cv2.imwrite(str(source), noisy[..., ::-1])

        def whole(index: int) -> None:
            from imgclean import denoise_folder

            denoise_folder(
                source,
                Path(name) / f"out{index}",
                progress=False,
                model=options.model,
                device=options.device,
                precision=options.precision,
            )

        for index in range(options.rounds + 1):  # the first round warms up
            one = seconds(lambda: denoiser.clean([noisy.copy()]))
            two = 0.0
            if not options.network_only:
                two = seconds(lambda index=index: whole(index))  # type: ignore[misc]  # bound default
            three = seconds(lambda: cv2.fastNlMeansDenoisingColored(nlm_part, None, 10, 10, 7, 21))
            if index:
                rates["network"].append(megapixels / one)
                if two:
                    rates["end to end"].append(megapixels / two)
                rates["NLM"].append(512 * 512 / 1e6 / three)
    print(f"{options.model}, {denoiser.device}, {denoiser.precision}, {options.threads} threads")
    for label, values in rates.items():
        if not values:
            continue
        ratios = [a / b for a, b in zip(values, rates["NLM"], strict=True)]
        print(
            f"{label:12s} {statistics.median(values):6.2f} MP/s   "
            f"{statistics.median(ratios):5.2f} x NLM (of {min(ratios):.2f} to {max(ratios):.2f})"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory of this process {peak:.2f} GB")


if __name__ == "__main__":
    main()
