"""The tutorial's digits program in Keras, as a peer to time: prints seconds and errors as JSON.

    python benchmarks/tutorial_keras.py FOLDER_OF_MNIST EPOCHS

Needs tensorflow, which nothing else here does: give it an environment of its own. Two
convolutions of stride 2 with 32 and 64 filters, leaky rectifiers, batch normalisation, a code of
16, the same mirrored; Adam at 0.001, mean squared error, batches of 32, noise of mean and
standard deviation 0.5 drawn once and clipped to [0, 1].
"""

import gzip
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def digits(folder: Path, part: str) -> Any:
    """N x 28 x 28 x 1 float32 in [0, 1]."""
    (path,) = folder.glob(f"{part}-images*")
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    return np.frombuffer(data, np.uint8, offset=16).reshape(-1, 28, 28, 1).astype("float32") / 255


def network(keras: Any) -> Any:
    """The convolutional autoencoder."""
    layers = keras.layers
    parts = [keras.Input((28, 28, 1))]
    for filters in (32, 64):
        parts += [
            layers.Conv2D(filters, 3, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.BatchNormalization(),
        ]
    parts += [layers.Flatten(), layers.Dense(16), layers.Dense(7 * 7 * 64)]
    parts += [layers.Reshape((7, 7, 64))]
    for filters in (64, 32):
        parts += [
            layers.Conv2DTranspose(filters, 3, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.BatchNormalization(),
        ]
    parts += [layers.Conv2DTranspose(1, 3, padding="same"), layers.Activation("sigmoid")]
    return keras.Sequential(parts)


def main() -> None:
    """Train and print."""
    import keras  # type: ignore[import-not-found]  # in an environment of its own

    folder, epochs = Path(sys.argv[1]), int(sys.argv[2])
    rng = np.random.default_rng(0)
    clean = {part: digits(folder, part) for part in ("train", "t10k")}
    noisy = {
        part: np.clip(images + rng.normal(0.5, 0.5, images.shape).astype("float32"), 0, 1)
        for part, images in clean.items()
    }
    model = network(keras)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
    begun = time.perf_counter()
    history = model.fit(
        noisy["train"],
        clean["train"],
        validation_data=(noisy["t10k"], clean["t10k"]),
        epochs=epochs,
        batch_size=32,
        verbose=0,
    )
    seconds = time.perf_counter() - begun
    found = {"seconds": seconds, "val_mse": float(min(history.history["val_loss"]))}
    print(json.dumps(found | {"parameters": model.count_params()}))


if __name__ == "__main__":
    main()
