"""Architectures by name; a new one is a file here and a line in `MODELS`."""

from torch import nn

from .unet import UNet

__all__ = ["MODELS", "UNet"]

MODELS: dict[str, type[nn.Module]] = {"unet": UNet}
