"""The fully connected autoencoder (Hinton and Salakhutdinov, 2006), trained to denoise."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from .contract import Autoencoder, Contract, check_code

__all__ = ["LEAK", "DenseAE"]

LEAK = 0.2


class DenseAE(Autoencoder):
    """Fully connected encoder, code, mirrored decoder; leaky rectifiers between, sigmoid last.

    Args:
        channels: colour channels of the images.
        height: their pixels down.
        width: their pixels across.
        hidden: units of the encoder's layers before the code; the decoder mirrors them.
        latent_dim: numbers in the code.
        linear: neither rectifiers nor a sigmoid; then the best it can learn is what PCA
            finds (Baldi and Hornik, 1989).
    """

    def __init__(
        self,
        channels: int = 1,
        height: int = 28,
        width: int = 28,
        hidden: Sequence[int] = (512, 128),
        latent_dim: int = 16,
        linear: bool = False,
    ) -> None:
        """Build the network; see the class for the arguments."""
        super().__init__()
        check_code(latent_dim, channels, height, width)
        self.config = {
            "channels": channels,
            "height": height,
            "width": width,
            "hidden": list(hidden),
            "latent_dim": latent_dim,
            "linear": linear,
        }
        self.contract = Contract(channels, (height, width), latent_dim)
        self.shape = (channels, height, width)
        sizes = [math.prod(self.shape), *hidden, latent_dim]
        self.encoder = _layers(sizes, linear)
        self.decoder = _layers(sizes[::-1], linear)
        if not linear:
            self.decoder.append(nn.Sigmoid())

    def encode(self, images: Tensor) -> Tensor:
        """Map N x C x H x W images to N x latent_dim."""
        codes: Tensor = self.encoder(images.flatten(1))
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        """Map N x latent_dim to N x C x H x W images."""
        values: Tensor = self.decoder(codes)
        return values.reshape(-1, *self.shape)


def _layers(sizes: Sequence[int], linear: bool) -> nn.Sequential:
    """Affine layers with a rectifier between any two of them."""
    layers: list[nn.Module] = []
    for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True):
        if layers and not linear:
            layers.append(nn.LeakyReLU(LEAK))
        layers.append(nn.Linear(inputs, outputs))
    return nn.Sequential(*layers)
