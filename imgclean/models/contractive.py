"""The contractive autoencoder: its code hardly moves with the image (Rifai et al., 2011)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .dense import LEAK, DenseAE

__all__ = ["ContractiveAE"]


class ContractiveAE(DenseAE):
    """`DenseAE` whose loss adds `weight` times the squared Frobenius norm of d code / d image.

    The norm is exact, not estimated: the Jacobian of an encoder of affine layers and leaky
    rectifiers is the product of its matrices with rows scaled by 1 or by the leak.

    Args:
        channels: colour channels of the images.
        height: their pixels down.
        width: their pixels across.
        hidden: units of the encoder's layers before the code; the decoder mirrors them.
        latent_dim: numbers in the code.
        weight: lambda of the paper, for a loss that is a mean over pixels.
    """

    def __init__(
        self,
        channels: int = 1,
        height: int = 28,
        width: int = 28,
        hidden: Sequence[int] = (512, 128),
        latent_dim: int = 16,
        weight: float = 1e-5,
    ) -> None:
        """Build the network; see the class for the arguments."""
        super().__init__(channels, height, width, hidden, latent_dim)
        del self.config["linear"]
        self.config["weight"] = weight
        self.weight = weight

    def learn(self, noisy: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The denoised images, and the weighted penalty, a mean over the batch."""
        return self(noisy), self.weight * self.contraction(noisy).mean()

    def contraction(self, images: Tensor) -> Tensor:
        """Squared Frobenius norm of the encoder's Jacobian at each of N images; N numbers."""
        slopes, matrices = [], []
        features = images.flatten(1)
        for layer in self.encoder:
            if isinstance(layer, nn.Linear):
                matrices.append(layer.weight)
            else:
                slopes.append(torch.where(features > 0, 1.0, LEAK))  # N x units
            features = layer(features)
        # From the code back to the image: the code has the fewest rows to carry along.
        jacobian = matrices[-1].expand(len(images), -1, -1)  # N x code x units
        for slope, matrix in zip(reversed(slopes), reversed(matrices[:-1]), strict=True):
            jacobian = (jacobian * slope[:, None]) @ matrix
        return jacobian.square().sum((1, 2))
