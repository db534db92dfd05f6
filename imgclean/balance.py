"""Keep the rectifiers of a network without biases bending.

A unit whose input keeps its sign over all images is linear, and without a bias nothing brings it
back: its gradient says nothing about where its zero should be. Features have large means, so a
random walk of the weights along them, which orthogonalised steps do not damp, takes whole levels
there within a few thousand steps. `Balance` pulls a unit back when the mean of what reaches its
rectifier lies more than so many standard deviations from zero: it lessens the unit's response to
the mean of its input. Mean-only batch normalisation (Salimans and Kingma, 2016) does the like with
constants; done to the weights the network stays free of biases. A mean of exactly zero for every
unit, tried first, cost 0.5 dB: rectifiers need thresholds.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .models.unet import ResidualBlock

__all__ = ["Balance", "remove_means"]

_EVERY = 8  # steps between two looks: means move slowly, and looking takes time
_FOLLOW = 0.25  # share of a look in the followed means
_PULL = 0.25  # share of what is beyond the limit that a look takes back


class Balance:
    """Follows what reaches the rectifiers of a network, and keeps their zero within it.

    Args:
        model: its `ResidualBlock` parts are balanced.
        limit: how many standard deviations a unit's mean may lie from zero.

    Attributes:
        due: whether the present training step is looked at.
    """

    def __init__(self, model: nn.Module, limit: float) -> None:
        """Watch the inputs and outputs of every rectified convolution from now on."""
        self.limit = limit
        self._convolutions = [m.conv1 for m in model.modules() if isinstance(m, ResidualBlock)]
        self._latest: list[Tensor | None] = [None] * len(self._convolutions)
        self.means: list[Tensor] = []
        self.due = False
        for place, convolution in enumerate(self._convolutions):
            convolution.register_forward_hook(self._watch(place))

    def _watch(self, place: int) -> Callable[..., None]:
        def note(module: nn.Module, inputs: Any, output: Tensor) -> None:
            if module.training and self.due:
                seen = output.detach().float()
                variance, mean = torch.var_mean(seen, (0, 2, 3))
                source = inputs[0].detach().mean((0, 2, 3), dtype=torch.float32)
                self._latest[place] = torch.cat([source, mean, variance + mean.square()])

        return note

    def look(self, number: int) -> None:
        """Say which training step begins, from 0; some are looked at."""
        self.due = number % _EVERY == 0

    @torch.no_grad()
    def step(self, average: Callable[[Tensor], Tensor]) -> None:
        """Take back a part of what every unit's mean has gone beyond the limit, if it was due.

        Args:
            average: gives the mean of a tensor over the processes that train together.
        """
        latest = [seen for seen in self._latest if seen is not None]
        if not self.due or not latest:
            return
        parts = torch.split(average(torch.cat(latest)), [len(seen) for seen in latest])
        if not self.means:
            self.means = [part.clone() for part in parts]
        for followed, part, convolution in zip(self.means, parts, self._convolutions, strict=True):
            followed.lerp_(part, _FOLLOW)
            _pull(convolution.weight, followed, self.limit)


def _pull(kernels: Tensor, followed: Tensor, limit: float) -> None:
    """Change kernels, outputs x inputs x 3 x 3, along the mean of their input alone."""
    source, mean, square = torch.split(
        followed, [kernels.size(1), kernels.size(0), kernels.size(0)]
    )
    spread = (square - mean.square()).clamp_min(0).sqrt()
    beyond = mean.sign() * (mean.abs() - limit * spread).clamp_min(0)
    along = source / (kernels[0, 0].numel() * source.square().sum()).clamp_min(1e-12)
    kernels.sub_(_PULL * torch.outer(beyond, along)[:, :, None, None])


@torch.no_grad()
def remove_means(kernels: Tensor, colours: int) -> None:
    """Take the mean of each colour out of every kernel, outputs x inputs x 3 x 3, of a first layer.

    A plane of ones after the colours is left as it is.

    What the network removes is then the same at every brightness (as in normalization-equivariant
    networks, Herbreteau et al., 2023, but for additive shifts alone), and features have no large
    means that keep rectifiers from bending.
    """
    outputs, inputs, *sides = kernels.shape
    each = inputs // colours
    parts = kernels[:, : colours * each].view(outputs, colours, each, *sides)
    parts -= parts.mean((2, 3, 4), keepdim=True)
