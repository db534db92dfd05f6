"""Keep the rectifiers of a network without biases bending.

A unit whose input keeps its sign over all images is linear, and without a bias nothing brings it
back: its gradient says nothing about where its zero should be. Features have large means, so a
random walk of the weights along them, which orthogonalised steps do not damp, takes whole levels
there within a thousand steps. `Balance` removes, after every step, a share of each unit's response
to the mean of its input. That is what mean-only batch normalisation (Salimans and Kingma, 2016)
does with constants; done to the weights instead, the network stays free of biases and costs
nothing more.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .models.unet import ResidualBlock

__all__ = ["Balance"]

_FOLLOW = 0.05  # share of a batch in the followed means


class Balance:
    """Follows the mean input of every rectified convolution of a network, and balances them.

    Args:
        model: its `ResidualBlock` parts are balanced.
        share: of the response to the mean that a step removes, 0 to 1.
    """

    def __init__(self, model: nn.Module, share: float) -> None:
        """Watch the inputs from now on."""
        self.share = share
        self._convolutions = [m.conv1 for m in model.modules() if isinstance(m, ResidualBlock)]
        self._latest: list[Tensor | None] = [None] * len(self._convolutions)
        self.means: list[Tensor] = []
        for place, convolution in enumerate(self._convolutions):
            convolution.register_forward_pre_hook(self._watch(place))

    def _watch(self, place: int) -> Callable[..., None]:
        def note(module: nn.Module, inputs: Any) -> None:
            if module.training:
                self._latest[place] = inputs[0].detach().mean((0, 2, 3), dtype=torch.float32)

        return note

    @torch.no_grad()
    def step(self, average: Callable[[Tensor], Tensor]) -> None:
        """Remove a share of every unit's response to the mean of what it sees.

        Args:
            average: gives the mean of a tensor over the processes that train together.
        """
        latest = [mean for mean in self._latest if mean is not None]
        if len(latest) < len(self._convolutions) or not latest:
            return
        parts = torch.split(average(torch.cat(latest)), [len(mean) for mean in latest])
        if not self.means:
            self.means = [part.clone() for part in parts]
        for mean, part, convolution in zip(self.means, parts, self._convolutions, strict=True):
            mean.lerp_(part, _FOLLOW)
            kernels = convolution.weight  # outputs x inputs x 3 x 3
            response = kernels.sum((2, 3)) @ mean
            places = kernels[0, 0].numel()
            along = mean / (places * mean.square().sum()).clamp_min(1e-12)
            kernels.sub_(self.share * torch.outer(response, along)[:, :, None, None])
