"""Architectures by name; a new one is a file here and a line in `MODELS`.

`NAMES` are what `imgclean train --model` takes: an architecture and the part of its
configuration that makes it that name; sizes and channels come from the images.
"""

from collections.abc import Mapping
from typing import Any

from torch import nn

from .contract import Autoencoder, Contract
from .contractive import ContractiveAE
from .conv import ConvAE
from .dense import DenseAE
from .gan import GAN
from .pca import PCA
from .unet import UNet
from .vae import VAE

__all__ = ["MODELS", "NAMES", "Autoencoder", "Contract", "UNet"]

MODELS: dict[str, type[nn.Module]] = {
    "unet": UNet,
    "dense-ae": DenseAE,
    "conv-ae": ConvAE,
    "contractive-ae": ContractiveAE,
    "vae": VAE,
    "pca": PCA,
    "gan": GAN,
}

NAMES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "unet-s": ("unet", {"widths": [48, 64, 96], "down": [1, 2], "bottom": 3, "up": [1, 2]}),
    "unet-m": (
        "unet",
        {"widths": [48, 96, 128, 192], "down": [1, 2, 2], "bottom": 3, "up": [1, 2, 2]},
    ),
    **{name: (name, {}) for name in MODELS if name != "unet"},
}
