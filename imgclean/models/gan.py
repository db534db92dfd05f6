"""A small deep convolutional generative adversarial network (Radford et al., 2016)."""

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from .contract import Contract, check_code
from .conv import Halve, Volume, check_size, transposed
from .dense import LEAK

__all__ = ["GAN"]

_REASON = (
    "a gan draws new images from random codes and cannot take a noisy one in; "
    "train a denoising model such as unet-s or conv-ae"
)


class GAN(nn.Module):
    """A generator of images and a discriminator that learns to tell them from real ones.

    Args:
        channels: colour channels of the images.
        height: their pixels down, a multiple of 2 to the number of filters.
        width: their pixels across, likewise.
        filters: maps of the discriminator's convolutions; the generator has them in reverse.
        latent_dim: numbers in the code.
    """

    def __init__(
        self,
        channels: int = 1,
        height: int = 28,
        width: int = 28,
        filters: Sequence[int] = (32, 64),
        latent_dim: int = 16,
    ) -> None:
        """Build both networks; see the class for the arguments."""
        super().__init__()
        check_code(latent_dim, channels, height, width)
        volume = check_size(height, width, filters)
        self.config: dict[str, Any] = {
            "channels": channels,
            "height": height,
            "width": width,
            "filters": list(filters),
            "latent_dim": latent_dim,
        }
        self.contract = Contract(
            channels, (height, width), latent_dim, cannot_denoise=_REASON, generates=True
        )
        self.generator = nn.Sequential(
            nn.Linear(latent_dim, math.prod(volume)),
            Volume(1, volume),
            nn.BatchNorm2d(volume[0]),
            nn.LeakyReLU(LEAK),
            *transposed(filters[::-1], channels),
            nn.Sigmoid(),
        )
        # No normalisation here: it would let the images of a batch give each other away.
        layers: list[nn.Module] = []
        for inputs, outputs in zip([channels, *filters], filters, strict=False):
            layers += [Halve(inputs, outputs), nn.LeakyReLU(LEAK)]
        self.discriminator = nn.Sequential(*layers, nn.Flatten(), nn.Linear(math.prod(volume), 1))
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                nn.init.normal_(module.weight, std=0.02)  # as the paper starts them

    def generate(self, codes: Tensor) -> Tensor:
        """New N x C x H x W images from N x latent_dim standard normal codes."""
        images: Tensor = self.generator(codes)
        return images

    def forward(self, codes: Tensor) -> Tensor:
        """The same as `generate`."""
        return self.generate(codes)

    def discriminator_loss(self, real: Tensor, codes: Tensor) -> Tensor:
        """Cross-entropy of telling real images from generated ones; the generator stays."""
        fake = self.discriminator(self.generate(codes).detach())
        return _cross_entropy(self.discriminator(real), True) + _cross_entropy(fake, False)

    def generator_loss(self, codes: Tensor) -> Tensor:
        """Cross-entropy of generated images taken for real ones (the non-saturating loss)."""
        return _cross_entropy(self.discriminator(self.generate(codes)), True)


def _cross_entropy(scores: Tensor, real: bool) -> Tensor:
    wanted = scores.new_ones(scores.shape) if real else scores.new_zeros(scores.shape)
    return functional.binary_cross_entropy_with_logits(scores, wanted)
