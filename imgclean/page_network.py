"""A small convolutional network that looks at an image as `page_measures` reduces it.

It sees what no measure says, such as the table under a sheet. Fitted by
``scripts/fit_choose_network.py``.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .page_measures import Seen

__all__ = ["PageNetwork"]

# Channels and stride of each convolution.
_WHOLE = ((24, 2), (48, 2), (48, 1), (96, 2), (96, 1), (128, 2), (128, 1))
_CROP = ((24, 2), (48, 2), (96, 2), (96, 1), (96, 2))
_HIDDEN = 64


class PageNetwork(nn.Module):
    """Page or not, from the whole image and its crops.

    Two branches of 3 x 3 convolutions and rectifiers; of their maps the mean and the maximum over
    all places, and of the crops' again over the crops, go through two full layers.

    Args:
        norms: whether each convolution is followed by batch normalisation (Ioffe and Szegedy,
            2015), for training; what ships has them folded into the convolutions.
    """

    def __init__(self, norms: bool = False) -> None:
        """Build the layers."""
        super().__init__()
        self.whole, self.crop = _branch(3, _WHOLE, norms), _branch(1, _CROP, norms)
        self.dropout = nn.Dropout(0.3)
        self.hidden = nn.Linear(2 * _WHOLE[-1][0] + 4 * _CROP[-1][0], _HIDDEN)
        self.last = nn.Linear(_HIDDEN, 1)

    def forward(self, whole: Tensor, crops: Tensor) -> Tensor:
        """Logits, N: positive for pages.

        Args:
            whole: N x 3 x H x W in [0, 1].
            crops: N x K x H x W in [0, 1].
        """
        image = _pooled(self.whole((whole - 0.5) * 4))
        parts = _pooled(self.crop((crops.flatten(0, 1)[:, None] - 0.5) * 4))
        parts = parts.reshape(*crops.shape[:2], -1)
        seen = torch.cat([image, parts.mean(1), parts.amax(1)], 1).float()
        hidden = functional.relu(self.hidden(self.dropout(seen)))
        logits: Tensor = self.last(self.dropout(hidden))[:, 0]
        return logits

    @torch.inference_mode()
    def logit(self, seen: Seen) -> float:
        """That of one image, by a network in evaluation mode."""
        whole = torch.from_numpy(seen.whole).movedim(2, 0)[None]
        return float(self(whole, torch.from_numpy(seen.crops)[None])[0])


def _branch(channels: int, layers: tuple[tuple[int, int], ...], norms: bool) -> nn.Sequential:
    blocks: list[nn.Module] = []
    for width, stride in layers:
        convolution = nn.Conv2d(channels, width, 3, stride, 1, bias=not norms)
        norm = [nn.BatchNorm2d(width)] if norms else []
        blocks.append(nn.Sequential(convolution, *norm, nn.ReLU()))
        channels = width
    return nn.Sequential(*blocks)


def _pooled(maps: Tensor) -> Tensor:
    """N x C x H x W as mean and maximum over the places, N x 2C."""
    return torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1)
