"""The variational autoencoder (Kingma and Welling, 2014), convolutional as `ConvAE` is."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .contract import Autoencoder, Contract, check_code
from .conv import Volume, check_size, convolutions, initialise, transposed

__all__ = ["VAE"]


class VAE(Autoencoder):
    """Encoder to the mean and variance of a normal code; decoder back from a draw of it.

    The negative evidence lower bound of a Gaussian decoder of variance v, times 2 v and
    divided by the number of pixels, is the mean squared error plus 2 v KL / pixels: that is
    what `learn` adds. When cleaning an image the code is its mean, so results do not vary.

    Args:
        channels: colour channels of the images.
        height: their pixels down, a multiple of 2 to the number of filters.
        width: their pixels across, likewise.
        filters: maps of each convolution.
        latent_dim: numbers in the code.
        variance: v, of a pixel in [0, 1] around what the decoder says.
    """

    def __init__(
        self,
        channels: int = 1,
        height: int = 28,
        width: int = 28,
        filters: Sequence[int] = (32, 64),
        latent_dim: int = 16,
        variance: float = 0.02,
    ) -> None:
        """Build the network; see the class for the arguments."""
        super().__init__()
        check_code(latent_dim, channels, height, width)
        volume = check_size(height, width, filters)
        self.config = {
            "channels": channels,
            "height": height,
            "width": width,
            "filters": list(filters),
            "latent_dim": latent_dim,
            "variance": variance,
        }
        self.contract = Contract(channels, (height, width), latent_dim, generates=True)
        self.penalty = 2 * variance / (channels * height * width)
        self.encoder = nn.Sequential(*convolutions(channels, filters), nn.Flatten())
        self.mean = nn.Linear(math.prod(volume), latent_dim)
        self.log_variance = nn.Linear(math.prod(volume), latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, math.prod(volume)),
            Volume(1, volume),
            *transposed(filters[::-1], channels),
            nn.Sigmoid(),
        )
        initialise(self)

    def posterior(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of each code number, both N x latent_dim."""
        features = self.encoder(images)
        return self.mean(features), self.log_variance(features).clamp(-20, 20)

    def encode(self, images: Tensor) -> Tensor:
        """Map N x C x H x W images to the mean of their codes."""
        return self.posterior(images)[0]

    def decode(self, codes: Tensor) -> Tensor:
        """Map N x latent_dim to N x C x H x W images."""
        images: Tensor = self.decoder(codes)
        return images

    def learn(self, noisy: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Images decoded from drawn codes (the reparameterisation), and the weighted KL term."""
        mean, log_variance = self.posterior(noisy)
        if noise is None:
            noise = torch.zeros_like(mean)
        codes = mean + noise * (0.5 * log_variance).exp()
        return self.decode(codes), self.penalty * kl_to_normal(mean, log_variance).mean()

    def generate(self, codes: Tensor) -> Tensor:
        """New images from N x latent_dim codes drawn from a standard normal."""
        return self.decode(codes)


def kl_to_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of N diagonal normals from the standard one, in nats (appendix B)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
