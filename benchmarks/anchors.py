"""PSNR against speed: the shipped weights among the networks that papers compare with.

    python benchmarks/anchors.py --data ../shared/data --plot docs/psnr-speed.png

Speed is measured here, in one run, one after the other on the same picture, `--rounds` times over;
the median counts. The papers' networks are built from their descriptions with random weights, which
take as long as trained ones, and run as PyTorch runs them: bfloat16 where the processor has it,
channels last. PSNR is measured for our weights and non-local means, on Kodak24 (500 x 500) with
white noise of sigma 25, and cited from the papers for the others: colour BM3D (Dabov et al., 2007;
left out without the package bm3d), DnCNN (Zhang et al., 2017, blind), FFDNet (Zhang et al., 2018)
and DRUNet (Zhang et al., 2021), the last two told sigma.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import imgclean
from imgclean.baselines import BASELINES, choose_baselines
from imgclean.errors import DependencyError
from imgclean.metrics import psnr

Pixels = NDArray[np.uint8]
SIGMA = 25
CITED = {
    "BM3D (told sigma)": 31.68,
    "DnCNN (blind)": 32.14,
    "FFDNet (told sigma)": 32.13,
    "DRUNet (told sigma)": 32.89,
}


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the size, or halves it with a 2 x 2 kernel."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2 if stride == 1 else 0, bias=False)


class Chain(nn.Sequential):
    """Convolutions with rectifiers between, at 1/unshuffle resolution."""

    def __init__(self, unshuffle: int, extra: int, width: int, layers: int) -> None:
        """`extra` planes beside the image; `layers` convolutions in all."""
        packed = 3 * unshuffle**2
        parts: list[nn.Module] = [conv(packed + extra, width), nn.ReLU(inplace=True)]
        for _ in range(layers - 2):
            parts += [conv(width, width), nn.ReLU(inplace=True)]
        super().__init__(*parts, conv(width, packed))
        self.unshuffle, self.extra = unshuffle, extra

    def forward(self, noisy: Tensor) -> Tensor:
        """Map N x 3 x H x W to the same shape."""
        packed = nn.functional.pixel_unshuffle(noisy, self.unshuffle)
        if self.extra:
            packed = torch.cat([packed, packed[:, : self.extra]], 1)
        features = super().forward(packed)  # type: ignore[no-untyped-call]  # the stub's gap
        result: Tensor = nn.functional.pixel_shuffle(features, self.unshuffle)
        return result


class Residual(nn.Module):
    """Two convolutions added to the input."""

    def __init__(self, width: int) -> None:
        """Of `width` channels."""
        super().__init__()
        self.body = nn.Sequential(conv(width, width), nn.ReLU(inplace=True), conv(width, width))

    def forward(self, features: Tensor) -> Tensor:
        """Map N x width x H x W to the same shape."""
        result: Tensor = self.body(features).add_(features)
        return result


class DRUNet(nn.Module):
    """Four levels of four residual blocks down and up, additive skips."""

    def __init__(self, widths: Sequence[int] = (64, 128, 256, 512)) -> None:
        """`widths` are the channels of the levels."""
        super().__init__()
        pairs = list(zip(widths[:-1], widths[1:], strict=True))
        self.head, self.tail = conv(4, widths[0]), conv(widths[0], 3)
        self.down = nn.ModuleList(
            nn.Sequential(*(Residual(a) for _ in range(4)), conv(a, b, 2, 2)) for a, b in pairs
        )
        self.bottom = nn.Sequential(*(Residual(widths[-1]) for _ in range(4)))
        self.up = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(b, a, 2, 2, bias=False), *(Residual(a) for _ in range(4))
            )
            for a, b in reversed(pairs)
        )

    def forward(self, noisy: Tensor) -> Tensor:
        """Map N x 3 x H x W, sides multiples of 8, to the same shape."""
        features = self.head(torch.cat([noisy, noisy[:, :1]], 1))
        skips = []
        for level in self.down:
            skips.append(features)
            features = level(features)
        features = self.bottom(features)
        for level, skip in zip(self.up, reversed(skips), strict=True):
            features = level(features) + skip
        result: Tensor = self.tail(features)
        return result


def of_network(network: nn.Module, half: bool) -> Callable[[Pixels], Any]:
    """A function that passes H x W x 3 pixels through a network."""
    kind = torch.bfloat16 if half else torch.float32
    network = network.eval().to(kind)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(pixels: Pixels) -> Any:
        with torch.inference_mode():
            image = torch.from_numpy(pixels).permute(2, 0, 1)[None].to(kind).div_(255)
            result = network(image.contiguous(memory_format=torch.channels_last))
            return result.float().mul_(255).round_().clamp_(0, 255).to(torch.uint8)[0].numpy()

    return run


def of_baseline(name: str) -> Callable[[Pixels], Any]:
    """A classical method that is told the true sigma."""
    (chosen,) = choose_baselines(name)
    clean = BASELINES[chosen].clean

    def run(image: Any) -> Any:
        return clean(image, SIGMA / 255)

    return run


def methods(models: Sequence[str], half: bool) -> dict[str, Callable[[Pixels], Any]]:
    """Everything that can be run here, by its name."""
    found: dict[str, Callable[[Pixels], Any]] = {
        f"imgclean {name}": imgclean.load(name, device="cpu", precision="bf16" if half else "fp32")
        for name in models
    }
    found["NLM (OpenCV)"] = of_baseline("nlm")
    try:
        found["BM3D (told sigma)"] = of_baseline("bm3d")
    except DependencyError:
        print("bm3d is not installed and left out")
    found["DnCNN (blind)"] = of_network(Chain(1, 0, 64, 20), half)
    found["FFDNet (told sigma)"] = of_network(Chain(2, 3, 96, 12), half)
    found["DRUNet (told sigma)"] = of_network(DRUNet(), half)
    return found


def quality(run: Callable[[Pixels], Any], files: Sequence[Path]) -> float:
    """Mean PSNR over images with white noise, unclipped where the method takes floats."""
    found = []
    for number, path in enumerate(files):
        clean = read(path)
        grain = np.random.default_rng(number).standard_normal(clean.shape, np.float32)
        noisy = clean / np.float32(255) + grain * np.float32(SIGMA / 255)
        result = np.clip(run(noisy), 0, 1) * 255
        found.append(psnr(clean=clean, other=np.rint(result).astype(np.uint8)))
    return float(np.mean(found))


def read(path: Path) -> Pixels:
    """H x W x 3 uint8, RGB."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise SystemExit(f"{path}: cannot be read")
    return np.ascontiguousarray(pixels[..., ::-1], np.uint8)


def speeds(
    runs: dict[str, Callable[[Pixels], Any]], picture: Pixels, rounds: int
) -> dict[str, float]:
    """Median megapixels a second of each, taken in turns."""
    unit = picture.astype(np.float32) / 255
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            image: Any = unit if name in ("NLM (OpenCV)", "BM3D (told sigma)") else picture
            if name == "BM3D (told sigma)" and number > 1:
                continue  # minutes a picture
            begun = time.perf_counter()
            run(image)
            if number:
                taken[name].append(time.perf_counter() - begun)
    size = picture.shape[0] * picture.shape[1] / 1e6
    return {name: size / median(times) for name, times in taken.items()}


def plot(rows: Sequence[dict[str, Any]], target: Path) -> None:
    """One point a method; ours filled, those whose PSNR is cited hollow."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    fastest = max(row["speed"] for row in rows)
    best = max(row["psnr"] for row in rows if row["speed"] > fastest / 2)
    for row in rows:
        own, cited = row["method"].startswith("imgclean"), row["cited"]
        colour = "#c2410c" if own else "#475569"
        face = "none" if cited else colour
        axes.scatter(row["speed"], row["psnr"], 70, edgecolors=colour, facecolors=face)
        label = row["method"].removeprefix("imgclean ") + (" †" if cited else "")
        # Ours lie close together: words of the slow one above it, of the fast ones beside them,
        # and of what is hardly slower than these beneath it to the left.
        place, side = (7, 5), "left"
        if own and row["speed"] > fastest / 2:
            place = (8, 2 if row["psnr"] == best else -10)
        elif own:
            place = (-4, 10)
        elif row["speed"] > fastest / 8 and row["psnr"] > best - 1:
            place, side = (-2, -18), "right"
        axes.annotate(label, (row["speed"], row["psnr"]), place,
                      textcoords="offset points", ha=side,
                      color=colour, weight="bold" if own else "normal", fontsize=9)  # fmt: skip
    axes.set_xscale("log")
    axes.margins(x=0.28, y=0.12)
    axes.grid(alpha=0.25, which="both")
    axes.set_xlabel("megapixels a second on two CPU cores (log)")
    axes.set_ylabel(f"PSNR in dB, Kodak24, sigma {SIGMA}")
    axes.set_title("bold: imgclean;  † PSNR as published, speed of the same network built here",
                   fontsize=9)  # fmt: skip
    figure.savefig(target, dpi=130)


def main() -> None:
    """Measure, print a table, draw the plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--model", nargs="+", default=["photo", "photo-best", "gaussian"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--precision", default="bf16", choices=["bf16", "fp32"])
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    files = sorted((options.data / "validation" / "kodak24").iterdir())
    runs = methods(options.model, options.precision == "bf16")
    picture = np.ascontiguousarray(np.tile(read(files[0]), (2, 2, 1))[:768, :1000])
    found = speeds(runs, picture, options.rounds)
    rows: list[dict[str, Any]] = [
        {
            "method": name,
            "speed": found[name],
            "cited": name in CITED,
            "psnr": CITED[name] if name in CITED else quality(run, files),
        }
        for name, run in runs.items()
    ]
    print("| method | MP/s | times NLM | PSNR |\n|---|---|---|---|")
    for row in sorted(rows, key=lambda row: -row["speed"]):
        ratio = row["speed"] / found["NLM (OpenCV)"]
        mark = " (cited)" if row["cited"] else ""
        print(f"| {row['method']} | {row['speed']:.3f} | {ratio:.2f} | {row['psnr']:.2f}{mark} |")
    if options.plot:
        plot(rows, options.plot)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
