"""Devices to compute on, and what runs out there."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from .errors import UsageError

__all__ = ["as_asked", "feature_budget", "gpu_budget", "is_out_of_memory", "resolve_device"]


def resolve_device(name: str) -> torch.device:
    """The device that `--device` means; `auto` takes CUDA, then MPS, then the CPU.

    Raises:
        UsageError: the device is not there. Nothing falls back silently.
    """
    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    kind, _, index = name.partition(":")
    numbered = index.isascii() and index.isdigit() and (kind == "cuda" or index == "0")
    if kind not in ("cpu", "cuda", "mps") or (name != kind and not numbered):
        raise UsageError(f"--device {name}: not a device; use auto, cpu, cuda, cuda:N or mps")
    if kind == "cuda" and int(index or 0) >= cuda:
        raise UsageError(f"--device {name}: this machine has {cuda} CUDA devices; use --device cpu")
    if kind == "mps" and not mps:
        raise UsageError("--device mps: this machine has no MPS device; use --device cpu")
    return torch.device(name if kind == "cuda" else kind)


def gpu_budget(device: torch.device) -> int | None:
    """Half of the memory that a GPU has free; None elsewhere."""
    if device.type != "cuda":
        return None
    return int(torch.cuda.mem_get_info(device)[0]) // 2


def feature_budget(held: int, free: int) -> int:
    """Bytes for features where nobody said, beside an image of `held` bytes.

    Less beside images of over 850 MB, so that 200 megapixels of 16 bits still fit in 2 GB. Beside
    small ones more, but no more than half of the `free` bytes: then a page of A4 at 300
    dpi is one tile, and no halo is computed twice.
    """
    usual = min(500_000_000, 1_350_000_000 - held)
    return max(150_000_000, usual, min(1_400_000_000 - 2 * held, free // 2))


def as_asked(device: torch.device) -> AbstractContextManager[Any]:
    """No automatic precision, which a caller may have on, instead of the one asked for."""
    if device.type in ("cpu", "cuda") and torch.is_autocast_enabled(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def is_out_of_memory(error: Exception) -> bool:
    """Whether an exception of PyTorch, OpenCV or NumPy says that memory was short."""
    words = (
        "out of memory", "can't allocate memory", "not enough memory", "insufficient memory",
        "could not create a",  # oneDNN
    )  # fmt: skip
    return isinstance(error, MemoryError | torch.cuda.OutOfMemoryError) or any(
        word in str(error).lower() for word in words
    )
