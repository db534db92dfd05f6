"""What training asks for, and what it is given: a request, a source, and their pixels."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from .alone import Risk
from .errors import UsageError

__all__ = ["VALIDATION_SEED", "Array", "Pair", "Pixels", "Request", "Source", "coloured",
           "patch_size"]  # fmt: skip

Array = NDArray[np.float32]
Pixels = NDArray[Any]
Pair = tuple[Array, Array]

VALIDATION_SEED = 20_201  # of the noise on validation images, whatever --seed is


@dataclass(frozen=True)
class Request:
    """What the user asked for; see `imgclean train --help`.

    Attributes:
        fixed: the model takes one size only, so patches have that of the images or 32.
        multiple: patches are a multiple of it.
        steps: batches an epoch; None for what suits the images.
        whole: a pass over images that are taken whole leaves none out, its last batch is smaller.
    """

    data: str | None = None
    noisy: str | None = None
    clean: str | None = None
    noise: str | None = None
    validation: str | None = None
    patch: int | None = None
    batch_size: int = 32
    steps: int | None = None
    seed: int = 0
    fixed: bool = False
    multiple: int = 1
    whole: bool = False
    device: str = "cpu"


@dataclass(frozen=True)
class Source:
    """Images to train on.

    Attributes:
        batches: noisy and clean tensors by step number.
        validation: noisy and clean H x W x C arrays.
        risks: judges of noisy images that were not trained on, where there are no clean ones;
            `validation` then holds these images twice.
        leaks: some of these images were trained on.
        pages: the clean images are ink on paper, by the choice that `auto` makes.
        channels, patch: of the batches.
        steps: batches an epoch.
        passes: batches in one pass over all images; None if they are endless.
        what: one line about the images.
        fingerprint: changes when the images do.
        notes: what the user should know: files skipped, validation that leaks.
        on_device: batches are on the device already.
    """

    batches: Dataset[tuple[Tensor, Tensor]]
    validation: list[Pair]
    channels: int
    patch: int
    steps: int
    what: str
    fingerprint: str
    passes: int | None = None
    risks: list[Risk] = field(default_factory=list)
    leaks: bool = False
    pages: bool = False
    notes: list[str] = field(default_factory=list)
    on_device: bool = False


def coloured(image: Array, channels: int) -> Array:
    """An H x W x C image with so many channels: grey repeated, or colours averaged."""
    if image.shape[2] == channels:
        return image
    if channels == 3:
        return np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))
    return np.ascontiguousarray(image.mean(axis=2, keepdims=True))


def patch_size(request: Request, smallest: int) -> int:
    """Side of a patch: as asked for, else what the model and images of this side allow.

    Raises:
        UsageError: the model cannot take the side asked for.
    """
    patch = request.patch or (32 if request.fixed else 64)
    if not request.patch and smallest < patch:
        patch = max(smallest // request.multiple, 1) * request.multiple
    if patch % request.multiple:
        needed = f"this model needs patches of a multiple of {request.multiple}"
        if not request.patch:
            cure = f"give --patch {request.multiple} or fewer --filters"
            raise UsageError(f"{needed}, not the usual {patch}; {cure}")
        raise UsageError(f"--patch {patch}: {needed}")
    return patch
