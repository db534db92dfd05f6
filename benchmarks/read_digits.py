"""Does denoising help reading? Errors of a digit classifier before and after, the tutorial's point.

    python benchmarks/read_digits.py runs/conv-ae-1/weights.safetensors --data ../shared/data/mnist

A small convolutional classifier learns the 60,000 clean training digits, then reads the 10,000
test digits: clean, under the tutorial's noise (fixed seed), and denoised by each of the weights.
A second one learns noisy digits: what reading gains if the reader itself is trained for noise.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from imgclean import load, mnist

EPOCHS, BATCH = 3, 128


def reader() -> nn.Sequential:
    """A classifier of 28 x 28 digits, 421,642 parameters."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


def noisy(images: Tensor, generator: torch.Generator) -> Tensor:
    """The tutorial's noise: mean 0.5, standard deviation 0.5, clipped."""
    drawn = torch.randn(images.shape, generator=generator) * 0.5 + 0.5
    return (images + drawn).clamp_(0, 1)


def learn(images: Tensor, labels: Tensor, *, with_noise: bool) -> nn.Sequential:
    """Train a reader for a few epochs."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model = reader()
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    for _ in range(EPOCHS):
        for index in torch.split(torch.randperm(len(images), generator=generator), BATCH):
            batch = images[index]
            if with_noise:
                batch = noisy(batch, generator)
            nn.functional.cross_entropy(model(batch), labels[index]).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimiser.step()
            optimiser.zero_grad()
    return model.eval()


def error(model: nn.Sequential, images: Tensor, labels: Tensor) -> float:
    """Share of the digits read wrongly, in per cent."""
    with torch.inference_mode():
        read = torch.cat([model(part).argmax(1) for part in torch.split(images, 1000)])
    return 100 * float((read != labels).float().mean())


def labels(images: Path) -> Tensor:
    """The digits that an idx file of images shows, from the file of labels beside it."""
    found = mnist.read_labels(images)
    if found is None:
        raise SystemExit(f"{images}: has no file of labels beside it")
    return torch.tensor([int(label) for label in found])


def tensor(images: NDArray[np.uint8]) -> Tensor:
    """N x 28 x 28 bytes as N x 1 x 28 x 28 in [0, 1]."""
    return torch.from_numpy(images.copy())[:, None].float() / 255


def main() -> None:
    """Print a row for each kind of image."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--data", type=Path, required=True, help="folder of the four .gz files")
    options = parser.parse_args()
    train, test, files = mnist.load_images("mnist", options.data)
    train_labels, test_labels = map(labels, files)
    clean = tensor(test)
    sets = {"clean": clean, "noisy": noisy(clean, torch.Generator().manual_seed(1))}
    for path in options.weights:
        denoised = [one.permute(1, 2, 0).numpy().copy() for one in sets["noisy"]]
        load(path).clean(denoised)
        pixels = np.stack(denoised).transpose(0, 3, 1, 2)
        sets[path] = torch.from_numpy(pixels.clip(0, 1))
    print("| digits | read wrongly by one that learnt clean digits | noisy digits |")
    print("|---|---|---|")
    models = [learn(tensor(train), train_labels, with_noise=flag) for flag in (False, True)]
    for name, images in sets.items():
        first, second = (error(model, images, test_labels) for model in models)
        print(f"| {name} | {first:.2f} % | {second:.2f} % |", flush=True)


if __name__ == "__main__":
    main()
