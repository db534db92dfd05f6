"""Clean folders of noisy scans and photos with a denoising autoencoder.

import imgclean
denoiser = imgclean.load("photo")
cleaned = denoiser(noisy)  # H x W x C, uint8, uint16 or float32
imgclean.denoise_folder("scans", "clean")

What a user can mend raises an `ImgcleanError`; see `imgclean.errors` for its kinds.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

__all__ = ["Denoiser", "ImgcleanError", "Outcome", "denoise_folder", "load"]

if TYPE_CHECKING:
    from . import errors, evaluate, safety  # noqa: F401  # for `imgclean.errors` and so on
    from .denoise import Outcome, denoise_folder
    from .errors import ImgcleanError
    from .restore import Denoiser, load

    __version__: str
else:
    _HOMES = {
        "Denoiser": "restore",
        "ImgcleanError": "errors",
        "Outcome": "denoise",
        "denoise_folder": "denoise",
        "load": "restore",
    }

    def __getattr__(name: str) -> Any:
        """Import on first use: `imgclean --help` must not wait for torch."""
        if name in _HOMES:
            return getattr(import_module(f".{_HOMES[name]}", __name__), name)
        if name in ("errors", "evaluate", "safety"):
            return import_module(f".{name}", __name__)
        if name == "__version__":
            return version("imgclean")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
