"""The tutorial's autoencoders on MNIST: errors, parameters and seconds in one table.

    python benchmarks/digits.py --data mnist:../shared/data/mnist --epochs 25

Each model is trained twice: on clean digits (reconstruction) and with the tutorial's noise
(denoising). Errors are means over the 10,000 test digits; the test noise has a fixed seed. Slope is
the squared Frobenius norm of the encoder's Jacobian at 400 digits over the variance of the code at
2,000, clean and noisy: what a contractive autoencoder makes small.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from imgclean.models.contractive import slopes_of
from imgclean.models.dense import DenseAE
from imgclean.run_options import Options
from imgclean.runs import Run

MODELS = ("pca", "dense-ae", "conv-ae", "contractive-ae", "vae")
NOISE = "gaussian:sigma=0.5,mean=0.5"


def train(model: str, noise: str, options: argparse.Namespace, folder: Path) -> Run:
    """One run from start to end."""
    run = Run(
        Options(
            data=options.data,
            model=model,
            noise=noise,
            epochs=options.epochs,
            batch_size=options.batch_size,
            steps_per_epoch=options.steps_per_epoch,
            device=options.device,
            samples=0,
        ),
        folder,
    )
    for _ in run:
        pass
    return run


def slope(run: Run) -> list[str]:
    """That of a model whose encoder is of full layers; nothing of others."""
    model = run.trainer.model
    if not isinstance(model, DenseAE):
        return []
    digits = torch.from_numpy(np.stack([noisy for noisy, _ in run.source.validation[:2000]]))
    digits = digits.permute(0, 3, 1, 2).to(next(model.parameters()).device)
    with torch.no_grad():
        steep = slopes_of(model, digits[:400]).sum(1).mean()
        spread = model.encode(digits).var(0, correction=0).sum()
    return [f"{float(steep / spread):.2f}"]


def main() -> None:
    """Train and print a row for each model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--steps-per-epoch", type=int)
    options = parser.parse_args()
    print("| model | reconstruction MSE | denoising MSE | slope | parameters | seconds |")
    print("|---|---|---|---|---|---|")
    for model in options.models:
        errors, slopes, seconds = [], [], time.monotonic()
        for noise in ("none", NOISE):
            with tempfile.TemporaryDirectory() as name:
                run = train(model, noise, options, Path(name))
            errors.append(min(epoch.val_mse for epoch in run.history))
            slopes += slope(run)
        seconds = time.monotonic() - seconds
        print(
            f"| {model} | {errors[0]:.4f} | {errors[1]:.4f} | {', '.join(slopes)} "
            f"| {run.parameters:,} | {seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
