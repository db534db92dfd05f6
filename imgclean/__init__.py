"""Clean folders of noisy scans and photos with a denoising autoencoder.

import imgclean
denoiser = imgclean.load("photo")
cleaned = denoiser(noisy)  # H x W x C, uint8, uint16 or float32
imgclean.denoise_folder("scans", "clean")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .denoise import denoise_folder
    from .restore import Denoiser, load

__all__ = ["Denoiser", "denoise_folder", "load"]


def __getattr__(name: str) -> Any:
    """Import on first use: `imgclean --help` must not wait for torch."""
    if name == "denoise_folder":
        from .denoise import denoise_folder

        return denoise_folder
    if name in ("Denoiser", "load"):
        from . import restore

        return getattr(restore, name)
    if name in ("evaluate", "safety"):
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
