"""Train the weights that ship: `photo`, `gaussian`, `photo-best` or `scan`, for a given time.

    python scripts/train_weights.py photo --pack local/photos.npz --minutes 80 --out local/photo
    python scripts/train_weights.py scan --pack local/scan.npz --minutes 60 --out local/scan

With --device cuda photos and their noise are drawn on the GPU too, and --workers draw pages.
Started again with the same options it continues from its checkpoint. `--init` starts a
fresh schedule from the averaged weights of an earlier checkpoint, or from a weights file; where
these are of a smaller network, the larger one begins as the same function.
"""

import argparse
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from imgclean import noise
from imgclean.losses import LOSSES
from imgclean.models.fused import trains_faster_in_bfloat16
from imgclean.models.grow import grow
from imgclean.pairs import Draw, Patches, enlarged_patch, load_pack, random_patch
from imgclean.train import TrainConfig, Trainer
from imgclean.weights import load_weights

Array = NDArray[np.float32]
Corrupt = Callable[[Array, np.random.Generator], Array]

_STEPS_AT_ONCE = 4  # whose batches a GPU draws together

_PHOTO = {"widths": [48, 64, 96], "down": [1, 2], "bottom": 3, "up": [1, 2], "centre": 0.5}

ARCHITECTURES: dict[str, dict[str, Any]] = {
    "photo": _PHOTO,
    "gaussian": _PHOTO,
    "photo-best": {**_PHOTO, "widths": [64, 128, 192], "down": [2, 3], "bottom": 4, "up": [2, 3]},
    "scan": {
        "widths": [48, 64, 96, 128, 160],
        "down": [1, 2, 1, 1],
        "bottom": 2,
        "up": [1, 2, 1, 1],
        "ink": True,
    },
}


def white(clean: Array, rng: np.random.Generator) -> Array:
    """White Gaussian noise of the papers' range, sigma 0 to 55 of 255."""
    return noise.gaussian(clean, rng, float(rng.uniform(0, 55)) / 255)


def draw_photos(
    pack: Path,
    size: int,
    corrupt: Corrupt,
    screens: Path | None = None,
    enlarge: float = 0.0,
    drawn: float = 1 / 8,
) -> Draw:
    """Patches of the pack's photos, one in ten grey, made noisy; a share of them enlarged.

    With screens a share comes from that pack, half of it left clean: edges sharper than any lens
    draws, which photos alone would teach the network to soften.
    """
    packs = [_weighted(path) for path in (pack, screens) if path]

    def draw(rng: np.random.Generator) -> tuple[Array, Array]:
        sharp = len(packs) > 1 and rng.random() < drawn
        images, weights = packs[sharp]
        if enlarge and not sharp and rng.random() < enlarge:
            clean = enlarged_patch(images, weights, size, rng)
        else:
            clean = random_patch(images, weights, size, rng)
        if sharp and rng.random() < 0.5:
            return clean, clean
        if rng.random() < 0.1:
            grey = np.ascontiguousarray(clean.mean(axis=2, keepdims=True))
            return np.repeat(corrupt(grey, rng), 3, axis=2), np.repeat(grey, 3, axis=2)
        return corrupt(clean, rng), clean

    return draw


def _weighted(pack: Path) -> tuple[list[NDArray[np.uint8]], Array]:
    """The images of a pack, and how often each is drawn: by area, giants no more than others."""
    images = load_pack(pack)
    area = np.array([min(image.shape[0] * image.shape[1], 300_000) for image in images])
    return images, np.asarray(area / area.sum())


def _state(source: Path, config: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The averaged weights of a checkpoint, or a weights file, in a network that may be larger."""
    if source.suffix == ".safetensors":
        weights = load_weights(str(source))
        state, small = dict(weights.state), dict(weights.config)
    else:
        saved = torch.load(source, weights_only=True)
        state, small = dict(saved["average"]), dict(saved["config"]["config"])
    return dict(grow(state, small, config).state_dict())


CORRUPTIONS: dict[str, Corrupt] = {
    "photo": noise.photo,
    "gaussian": white,
    "photo-best": noise.photo,
}


def _batches(
    options: argparse.Namespace, device: torch.device
) -> tuple[Dataset[tuple[Tensor, Tensor]], bool]:
    """Batches by step number, and whether the device draws them: a GPU does those of photos."""
    if options.kind not in CORRUPTIONS:
        from scan_pairs import draw_scans

        draw = draw_scans(options.pack, options.patch, options.pictures, options.twice)
    elif device.type == "cpu":
        corrupt = CORRUPTIONS[options.kind]
        draw = draw_photos(
            options.pack, options.patch, corrupt, options.screens, options.enlarge, options.drawn
        )
    else:
        from photo_batches import DrawnTogether, PhotoBatches, Photos, smallest_side

        smallest = smallest_side(options.patch)
        batches = PhotoBatches(
            Photos(options.pack, smallest, device),
            Photos(options.screens, smallest, device) if options.screens else None,
            size=options.patch,
            batch=options.batch * _STEPS_AT_ONCE,
            seed=options.seed,
            enlarge=options.enlarge,
            cameras=options.kind != "gaussian",
            drawn=options.drawn,
        )
        return DrawnTogether(batches, _STEPS_AT_ONCE), True
    return Patches(draw, options.batch, options.seed), False


def main() -> None:
    """Train until the time is up, printing a line every hundred steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(ARCHITECTURES))
    parser.add_argument("--pack", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path, help="folder of the run")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--patch", type=int, default=96)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true", help="by torch.compile; for a GPU")
    parser.add_argument("--init", type=Path)
    parser.add_argument("--ema", type=float, default=0.998)
    parser.add_argument("--cooldown", type=float, default=0.5, help="1: the rate falls at once")
    parser.add_argument("--muon-lr", type=float, default=0.008)
    parser.add_argument("--muon-decay", type=float, default=0.0)
    parser.add_argument("--adam-lr", type=float, default=1e-3)
    parser.add_argument("--screens", type=Path, help="pack of make_screens.py, for photo")
    parser.add_argument("--drawn", type=float, default=1 / 8, help="share of these")
    parser.add_argument("--enlarge", type=float, default=0.0, help="share of photos, 0 to 1")
    parser.add_argument("--pictures", type=Path, help="pack of pack_photos.py, for scan")
    parser.add_argument("--twice", type=float, default=0.0, help="share drawn at half, for scan")
    parser.add_argument("--loss", default="l1", choices=sorted(LOSSES.keys() - {"censored-mse"}))
    parser.add_argument("--balance", type=float, default=1.5)
    parser.add_argument("--zero-mean", action="store_true", help="in the first convolution")
    parser.add_argument("--precision", choices=("fp32", "bf16"), help="default: the faster one")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    device = torch.device(options.device)
    torch.backends.cudnn.benchmark = True  # every batch has the same size
    batches, on_device = _batches(options, device)
    checkpoint = options.out / "checkpoint.pt"
    bf16 = options.precision == "bf16"
    if options.precision is None and checkpoint.exists():
        bf16 = torch.load(checkpoint, weights_only=True)["config"]["bf16"]  # as it was begun
    elif options.precision is None:
        bf16 = trains_faster_in_bfloat16(device)
    config = TrainConfig(
        config=ARCHITECTURES[options.kind],
        max_time=options.minutes * 60,
        seed=options.seed,
        ema=options.ema,
        cooldown=options.cooldown,
        muon_lr=options.muon_lr,
        muon_decay=options.muon_decay,
        adam_lr=options.adam_lr,
        balance=options.balance,
        zero_mean=options.zero_mean,
        loss=options.loss,
        device=options.device,
        bf16=bf16,
        workers=options.workers,
        compile=options.compile,
    )
    trainer = Trainer(config, batches, on_device=on_device)
    options.out.mkdir(parents=True, exist_ok=True)
    if checkpoint.exists():
        trainer.resume(checkpoint)
    elif options.init:
        trainer.start_from(_state(options.init, config.config))
    with (options.out / "history.csv").open("a", newline="") as file:
        log = csv.writer(file)
        losses = []
        for step in trainer.run(checkpoint):
            losses.append(step.loss)
            if step.step % 100 == 0 or step.progress >= 1:
                mean = sum(losses) / len(losses)
                log.writerow([step.step, f"{step.seconds:.1f}", f"{mean:.6f}"])
                file.flush()
                print(f"step {step.step}  {step.seconds:.0f} s  loss {mean:.5f}", flush=True)
                losses.clear()


if __name__ == "__main__":
    main()
