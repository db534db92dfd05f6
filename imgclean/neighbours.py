"""Learning from noisy images alone, and judging without clean ones.

Training is Neighbor2Neighbor (Huang et al., CVPR 2021): two images made of neighbouring
pixels of one noisy image share their content but not their noise. Judging is uMSE
(Marcos-Morales et al., "Evaluating unsupervised denoising requires unsupervised metrics",
ICML 2023), with the three noisy references taken from the same image by subsampling. Both
take the noise of neighbouring pixels to be independent and of mean zero.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

__all__ = ["Cells", "noise_floor", "quarters"]

# Adjacent pixels of a 2 x 2 cell, in both orders; numbered from left to right, then down.
_PAIRS = ((0, 1), (1, 0), (0, 2), (2, 0), (1, 3), (3, 1), (2, 3), (3, 2))


class Cells:
    """A choice of two adjacent pixels in each 2 x 2 cell of N x C x H x W images."""

    def __init__(self, images: Tensor, generator: torch.Generator) -> None:
        """Draw the choice for images of this shape; H and W are even."""
        count, _, height, width = images.shape
        table = torch.tensor(_PAIRS, device=images.device)
        shape = (count, height // 2, width // 2)
        drawn = torch.randint(8, shape, generator=generator, device=images.device)
        self.choice = table[drawn].movedim(-1, 0)  # 2 x N x H/2 x W/2

    def split(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The two N x C x H/2 x W/2 images of first and of second pixels."""
        count, channels, height, width = images.shape
        cells = functional.pixel_unshuffle(images, 2)
        cells = cells.reshape(count, channels, 4, height // 2, width // 2)
        one, other = (
            cells.gather(2, pick[:, None, None].expand(-1, channels, 1, -1, -1)).squeeze(2)
            for pick in self.choice
        )
        return one, other


def quarters(image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The four images of every second row and column of an H x W x C image, of equal size."""
    height, width = (length // 2 * 2 for length in image.shape[:2])
    even = image[:height, :width]
    return [np.ascontiguousarray(even[row::2, column::2]) for row in (0, 1) for column in (0, 1)]


def noise_floor(image: NDArray[np.float32]) -> float:
    """What a perfect result for the first quarter would still differ from the second by.

    Half the mean squared difference of the other two quarters. Subtracted from the mean
    squared difference of the cleaned first quarter and the noisy second, it leaves uMSE.
    """
    _, _, third, fourth = quarters(image)
    return float(np.mean((third.astype(np.float64) - fourth) ** 2) / 2)
