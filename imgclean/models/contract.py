"""What a model promises, as data: the rest of the program asks it and never the model's name."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from imgclean.errors import UsageError

__all__ = ["Autoencoder", "Contract", "check_code"]


@dataclass(frozen=True)
class Contract:
    """What images a model takes and what it can do with them. Pixels are in [0, 1].

    Attributes:
        channels: colour channels of the images.
        size: the only height and width it takes; None for any (multiples of `multiple`).
        code: numbers in the code between encoder and decoder; None if it has none.
        cannot_denoise: why it cannot clean an image; empty if it can.
        generates: can make new images from codes drawn from a standard normal.
        pages: cleans ink on paper, which it is to see nearly white.
    """

    channels: int
    size: tuple[int, int] | None = None
    code: int | None = None
    cannot_denoise: str = ""
    generates: bool = False
    pages: bool = False


class Autoencoder(nn.Module):
    """Base of the models with a code and one image size.

    A subclass sets `contract` and `config` (what builds it again), and has `encode` and
    `decode`.
    """

    contract: Contract
    config: dict[str, Any]

    def encode(self, images: Tensor) -> Tensor:
        """Map N x C x H x W images to N x code."""
        raise NotImplementedError

    def decode(self, codes: Tensor) -> Tensor:
        """Map N x code to N x C x H x W images."""
        raise NotImplementedError

    def forward(self, noisy: Tensor) -> Tensor:
        """Denoise N x C x H x W images in [0, 1]: what the code holds, decoded."""
        return self.decode(self.encode(noisy))

    def learn(self, noisy: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The forward pass of training: the denoised images, and a term to add to the loss.

        Args:
            noisy: N x C x H x W images.
            noise: N x code standard normal numbers, for models that draw their code.
        """
        del noise
        return self(noisy), noisy.new_zeros(())


def check_code(latent_dim: int, channels: int, height: int, width: int) -> None:
    """Refuse a code that compresses nothing.

    Raises:
        UsageError: there are fewer than one or more code numbers than image values.
    """
    values = channels * height * width
    if not 1 <= latent_dim <= values:
        raise UsageError(
            f"--latent-dim {latent_dim}: an image of {width} x {height} x {channels} has {values} "
            f"values; use 1 to {values}"
        )
