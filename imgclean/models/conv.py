"""The convolutional denoising autoencoder of the Keras tutorial, layer for layer.

Adrian Rosebrock, "Denoising autoencoders with Keras, TensorFlow, and Deep Learning",
PyImageSearch, 2020. Padding, initial values and normalisation are those of Keras.
"""

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from imgclean.errors import UsageError

from .contract import Autoencoder, Contract, check_code
from .dense import LEAK

__all__ = ["ConvAE", "Halve", "Volume", "check_size", "convolutions", "initialise", "transposed"]


class ConvAE(Autoencoder):
    """Convolutions down to a short code, and transposed convolutions back.

    Encoder: for each of `filters` a 3x3 convolution of stride 2, a leaky rectifier (0.2) and
    batch normalisation; flattened; a dense code. Decoder: dense, reshaped, the same in
    reverse with transposed convolutions, one more to the image's channels, a sigmoid.

    Args:
        channels: colour channels of the images.
        height: their pixels down, a multiple of 2 to the number of filters.
        width: their pixels across, likewise.
        filters: maps of each convolution.
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
        }
        self.contract = Contract(channels, (height, width), latent_dim)
        self.encoder = nn.Sequential(
            *convolutions(channels, filters),
            nn.Flatten(),
            nn.Linear(math.prod(volume), latent_dim),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, math.prod(volume)),
            Volume(1, volume),
            *transposed(filters[::-1], channels),
            nn.Sigmoid(),
        )
        initialise(self)

    def encode(self, images: Tensor) -> Tensor:
        """Map N x C x H x W images to N x latent_dim."""
        codes: Tensor = self.encoder(images)
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        """Map N x latent_dim to N x C x H x W images."""
        images: Tensor = self.decoder(codes)
        return images


class Halve(nn.Conv2d):
    """A 3x3 convolution of stride 2, padded below and to the right as "same" is for even sizes."""

    def __init__(self, inputs: int, outputs: int) -> None:
        """Build it for so many maps in and out."""
        super().__init__(inputs, outputs, 3, stride=2)

    def forward(self, features: Tensor) -> Tensor:
        """Map N x inputs x H x W to N x outputs x H/2 x W/2."""
        return super().forward(functional.pad(features, (0, 1, 0, 1)))


class Volume(nn.Unflatten):
    """The volume that `transposed` starts from, turned by half a turn.

    The transpose of `Halve` lacks the last row and column of what a transposed convolution gives.
    torch crops the first ones by itself; the last ones would be cropped afterwards, a copy of
    every map on the way up and two on the way back. So the decoder works upside down.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Map N x C*H*W to N x C x H x W, the last row and column first."""
        return super().forward(features).flip(2, 3)


class _Turned(nn.ConvTranspose2d):
    """A transposed convolution on maps that are upside down, see `Volume`."""

    def forward(self, features: Tensor, output_size: list[int] | None = None) -> Tensor:
        kernels = self.weight.flip(2, 3)
        padding: Any = self.padding  # a name such as "same" is for other convolutions
        return functional.conv_transpose2d(
            features, kernels, self.bias, self.stride, padding, self.output_padding
        )


class _Double(_Turned):
    """The transpose of `Halve`: twice the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, stride=2, padding=1, output_padding=1)


class _Image(_Turned):
    """The last one, to an image that is the right way up."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__(inputs, channels, 3, padding=1)

    def forward(self, features: Tensor, output_size: list[int] | None = None) -> Tensor:
        return super().forward(features).flip(2, 3)


def convolutions(channels: int, filters: Sequence[int]) -> list[nn.Module]:
    """The encoder's convolutions, each with its rectifier and normalisation."""
    layers: list[nn.Module] = []
    for inputs, outputs in zip([channels, *filters], filters, strict=False):
        layers += [Halve(inputs, outputs), nn.LeakyReLU(LEAK), _normalise(outputs)]
    return layers


def transposed(filters: Sequence[int], channels: int) -> list[nn.Module]:
    """The decoder's transposed convolutions after a `Volume`; the last one makes the image."""
    layers: list[nn.Module] = []
    for inputs, outputs in zip([filters[0], *filters], filters, strict=False):
        layers += [_Double(inputs, outputs), nn.LeakyReLU(LEAK), _normalise(outputs)]
    return [*layers, _Image(filters[-1], channels)]


def _normalise(maps: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(maps, eps=1e-3, momentum=0.01)  # the defaults of Keras


def initialise(model: nn.Module) -> None:
    """Start as Keras does: Glorot's uniform weights (2010), biases zero."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def check_size(height: int, width: int, filters: Sequence[int]) -> tuple[int, int, int]:
    """Maps, height and width of the volume before the code.

    Raises:
        UsageError: no filters, one below 1, or a size that cannot be halved so often.
    """
    if not filters or min(filters) < 1:
        raise UsageError(f"--filters {','.join(map(str, filters))}: give one or more from 1")
    multiple = 2 ** len(filters)
    if height % multiple or width % multiple:
        raise UsageError(
            f"images of {width} x {height}: {len(filters)} filters halve the size as often, so "
            f"give a --patch that is a multiple of {multiple}"
        )
    return filters[-1], height // multiple, width // multiple
