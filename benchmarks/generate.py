"""New images drawn by generative models, side by side: the tutorial's VAE against its GAN.

    imgclean train --model vae --data mnist --noise none
    imgclean train --model gan --data mnist --noise none
    python benchmarks/generate.py runs/vae-1/weights.safetensors runs/gan-1/weights.safetensors

A block of columns for each model, from the left in the order given, from one set of codes.
"""

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from imgclean.models import MODELS
from imgclean.pictures import beside
from imgclean.runs import generate
from imgclean.weights import load_weights

Array = NDArray[np.float32]


def draw(weights: str, count: int, seed: int) -> list[Array]:
    """`count` images, each H x W x C in [0, 1], from standard normal codes."""
    loaded = load_weights(weights)
    model: Any = MODELS[loaded.architecture](**loaded.config)
    if not model.contract.generates:
        raise SystemExit(f"{weights}: {loaded.architecture} draws no images; give a vae or a gan")
    model.load_state_dict(loaded.state)
    return generate(model, count, seed)


def main() -> None:
    """Draw and write the sheet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--side", type=int, default=8, help="rows, and columns of each model")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("generated.png"))
    options = parser.parse_args()
    side = options.side
    drawn = [draw(weights, side * side, options.seed) for weights in options.weights]
    gap = [np.ones_like(drawn[0][0])]
    rows = []
    for top in range(0, side * side, side):
        row: list[Array] = []
        for index, images in enumerate(drawn):
            row += (gap if index else []) + images[top : top + side]
        rows.append(row)
    cv2.imwrite(str(options.out), beside(rows)[..., ::-1])
    print(f"{options.out}: {', '.join(options.weights)} from the left")


if __name__ == "__main__":
    main()
