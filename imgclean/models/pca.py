"""Principal components: the best linear autoencoder, fitted exactly instead of trained."""

import torch
from torch import Tensor

from imgclean.errors import UsageError

from .contract import Autoencoder, Contract, check_code

__all__ = ["PCA"]

_LARGEST = 8192  # values an image; the covariance of more does not fit in half a gigabyte


class PCA(Autoencoder):
    """Projection on the directions of largest variance, and back.

    `observe` takes batches of any size and `fit` finds the components from their summed
    moments in double precision, so the result is that of all the images at once, while
    memory does not grow with their number. `error` is then the mean squared error on them.

    Args:
        channels: colour channels of the images.
        height: their pixels down.
        width: their pixels across.
        latent_dim: components kept.
    """

    average: Tensor
    components: Tensor

    def __init__(
        self, channels: int = 1, height: int = 28, width: int = 28, latent_dim: int = 16
    ) -> None:
        """Start with nothing observed; see the class for the arguments."""
        super().__init__()
        check_code(latent_dim, channels, height, width)
        self.config = {
            "channels": channels,
            "height": height,
            "width": width,
            "latent_dim": latent_dim,
        }
        self.contract = Contract(channels, (height, width), latent_dim)
        self.shape = (channels, height, width)
        values = channels * height * width
        if values > _LARGEST:
            raise UsageError(
                f"pca on images of {values} values: the most is {_LARGEST}; use a smaller --patch"
            )
        self.error = float("nan")
        self.register_buffer("average", torch.zeros(values))
        self.register_buffer("components", torch.zeros(latent_dim, values))
        self.moments = {
            "count": torch.zeros((), dtype=torch.float64),
            "sum": torch.zeros(values, dtype=torch.float64),
            "products": torch.zeros(values, values, dtype=torch.float64),
        }

    @torch.no_grad()
    def observe(self, images: Tensor) -> None:
        """Add N x C x H x W images to what is fitted."""
        rows = images.flatten(1).cpu().double() - 0.5  # centred roughly: keeps digits
        self.moments["count"] += len(rows)
        self.moments["sum"] += rows.sum(0)
        self.moments["products"].addmm_(rows.T, rows)

    @torch.no_grad()
    def fit(self) -> None:
        """Find the mean and the components of all that was observed."""
        count = self.moments["count"].clamp(min=1)
        mean = self.moments["sum"] / count
        covariance = self.moments["products"] / count - torch.outer(mean, mean)
        values, vectors = torch.linalg.eigh(covariance)  # columns, least variance first
        kept = len(self.components)
        self.error = max(0.0, float(values[:-kept].sum()) / len(values))
        self.average.copy_(mean + 0.5)
        self.components.copy_(vectors[:, -kept:].flip(1).T)

    def encode(self, images: Tensor) -> Tensor:
        """Map N x C x H x W images to N x latent_dim, the largest variance first."""
        return (images.flatten(1) - self.average) @ self.components.T

    def decode(self, codes: Tensor) -> Tensor:
        """Map N x latent_dim to N x C x H x W images; values outside [0, 1] are possible."""
        return (codes @ self.components + self.average).reshape(-1, *self.shape)
