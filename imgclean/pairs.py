"""Training pairs: clean patches from a pack of photos, with noise drawn afresh.

A pack is one ``.npz`` file: ``data`` (the image files one after another, uint8) and
``offsets`` (int64, one more than there are files). It travels as a single array.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from .errors import InputError

__all__ = [
    "Patches",
    "enlarged_patch",
    "load_pack",
    "prefetch",
    "random_patch",
    "save_pack",
    "to_tensor",
]

Array = NDArray[np.float32]
Draw = Callable[[np.random.Generator], tuple[Array, Array]]
DrawTwo = Callable[[np.random.Generator], list[tuple[Array, Array]]]


def save_pack(files: Iterable[bytes], target: Path) -> int:
    """Write encoded images into one pack; returns how many."""
    blobs = [np.frombuffer(blob, np.uint8) for blob in files]
    offsets = np.cumsum([0, *(blob.size for blob in blobs)])
    part = target.with_suffix(".part.npz")
    np.savez(part, data=np.concatenate(blobs), offsets=offsets)
    part.replace(target)  # an interrupted pack is not taken for a whole one
    return len(blobs)


def load_pack(source: Path) -> list[NDArray[np.uint8]]:
    """Decode a pack to H x W x 3 uint8 RGB images.

    Raises:
        InputError: the file is missing or is not a pack.
    """
    try:
        with np.load(source, allow_pickle=False) as pack:
            data, offsets = pack["data"], pack["offsets"]
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{source}: not a readable pack ({error}); make it again") from error
    images = []
    for start, end in zip(offsets[:-1], offsets[1:], strict=True):
        decoded = cv2.imdecode(data[start:end], cv2.IMREAD_COLOR)
        if decoded is None:
            raise InputError(f"{source}: holds a damaged image; make the pack again")
        images.append(np.ascontiguousarray(decoded[..., ::-1]))
    return images


def random_patch(
    images: list[NDArray[np.uint8]], weights: Array, size: int, rng: np.random.Generator
) -> Array:
    """Crop, flip and turn a random size x size patch; float32 in [0, 1]."""
    image = images[int(rng.choice(len(images), p=weights))]
    top = int(rng.integers(image.shape[0] - size + 1))
    left = int(rng.integers(image.shape[1] - size + 1))
    patch = image[top : top + size, left : left + size]
    if rng.random() < 0.5:
        patch = patch[:, ::-1]
    patch = np.rot90(patch, int(rng.integers(4)))
    return patch.astype(np.float32) / np.float32(255)


def enlarged_patch(
    images: list[NDArray[np.uint8]], weights: Array, size: int, rng: np.random.Generator
) -> Array:
    """As `random_patch`, 1.2 to 3.5 times as large as it was: as smooth as large cameras' pixels.

    Photos of the usual sets are shrunken or scanned, several times as sharp from pixel to pixel as
    what a camera of many megapixels writes. Images must have sides of size / 1.2 + 9 pixels.
    """
    scale = float(np.exp(rng.uniform(np.log(1.2), np.log(3.5))))
    small = random_patch(images, weights, int(np.ceil(size / scale)) + 8, rng)  # 4 spared an edge
    side = round(len(small) * scale)
    large = cv2.resize(np.ascontiguousarray(small), (side, side), interpolation=cv2.INTER_CUBIC)
    edge = (side - size) // 2
    middle = large[edge : edge + size, edge : edge + size]
    return np.asarray(np.clip(middle, 0, 1), np.float32)


def to_tensor(batch: list[Array]) -> Tensor:
    """Stack H x W x C arrays to an N x C x H x W tensor in channels-last order."""
    stacked = torch.from_numpy(np.stack(batch))
    return stacked.permute(0, 3, 1, 2)


class Patches(Dataset[tuple[Tensor, Tensor]]):
    """Batches by step number: batch k is the same whoever draws it, whenever.

    That makes a run repeatable with any number of loader processes, and a resumed run
    the same as one that never stopped.

    Args:
        draw: gives one (noisy, clean) pair of H x W x 3 arrays from a generator.
        batch: pairs a batch.
        seed: first word of every generator's seed; the step is the second.
    """

    def __init__(self, draw: Draw, batch: int, seed: int) -> None:
        """Keep the recipe; nothing is drawn yet."""
        self.draw, self.batch, self.seed = draw, batch, seed

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Draw batch number `step`: noisy and clean, N x 3 x H x W float32."""
        rng = np.random.default_rng([self.seed, step])
        pairs = [self.draw(rng) for _ in range(self.batch)]
        return to_tensor([noisy for noisy, _ in pairs]), to_tensor([clean for _, clean in pairs])


class Twins(Dataset[tuple[Tensor, Tensor]]):
    """As `Patches`, where `draw` gives two pairs that belong together."""

    def __init__(self, draw: DrawTwo, batch: int, seed: int) -> None:
        """Keep the recipe; nothing is drawn yet."""
        self.draw, self.batch, self.seed = draw, batch, seed

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Draw batch number `step`; of an odd batch's last two the second is left out."""
        rng = np.random.default_rng([self.seed, step])
        drawn = [pair for _ in range((self.batch + 1) // 2) for pair in self.draw(rng)]
        pairs = drawn[: self.batch]
        return to_tensor([noisy for noisy, _ in pairs]), to_tensor([clean for _, clean in pairs])


def prefetch(
    batches: Dataset[tuple[Tensor, Tensor]], steps: Iterable[int], threads: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Draw batches on threads, in order, a few ahead.

    Threads and not processes: a process forked while OpenCV's or libvips' own threads run
    can wait for them for ever, and a fresh one would need a copy of the images.
    """
    pool = ThreadPoolExecutor(threads, "batches")
    waiting: deque[Future[tuple[Tensor, Tensor]]] = deque()
    try:
        for step in steps:
            waiting.append(pool.submit(batches.__getitem__, step))
            if len(waiting) > 2 * threads + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
