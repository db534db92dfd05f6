"""The contractive autoencoder: its code hardly moves with the image (Rifai et al., 2011)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .dense import LEAK, DenseAE

__all__ = ["ContractiveAE", "slopes_of"]

_EPSILON = 1e-8  # added to a variance, which is 0 in a batch of equal images


class ContractiveAE(DenseAE):
    """`DenseAE` whose loss adds `weight` times the squared Frobenius norm of d code / d image.

    Each number of the code counts in units of its own standard deviation over the batch. In the
    paper the decoder has the encoder's weights; here it has its own, so that a smaller code and a
    larger decoder would do in place of a contraction. The norm is exact, not estimated: the
    Jacobian of an encoder of affine layers and leaky rectifiers is the product of its matrices
    with rows scaled by 1 or by the leak.

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
        weight: float = 1e-4,
    ) -> None:
        """Build the network; see the class for the arguments."""
        super().__init__(channels, height, width, hidden, latent_dim)
        del self.config["linear"]
        self.config["weight"] = weight
        self.weight = weight

    def learn(self, noisy: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The denoised images, and the weighted penalty, a mean over the batch."""
        codes, slopes = self.encode(noisy), slopes_of(self, noisy)
        variance = codes.float().var(0, correction=0) + _EPSILON
        return self.decode(codes), self.weight * (slopes.mean(0) / variance).sum()


def slopes_of(model: DenseAE, images: Tensor) -> Tensor:
    """Squared norms of the gradients of each code number at N images, N x latent_dim.

    Their sum over the code is the squared Frobenius norm of the encoder's Jacobian.
    """
    factors, matrices = [], []
    features = images.flatten(1)
    for layer in model.encoder:
        if isinstance(layer, nn.Linear):
            matrices.append(layer.weight)
        else:
            factors.append(torch.where(features > 0, 1.0, LEAK))  # N x units
        features = layer(features)
    # From the code back to the image: the code has the fewest rows to carry along.
    jacobian = matrices[-1].expand(len(images), -1, -1)  # N x code x units
    for factor, matrix in zip(reversed(factors), reversed(matrices[:-1]), strict=True):
        jacobian = (jacobian * factor[:, None]) @ matrix
    return jacobian.square().sum(2)
