"""A larger network that begins as the function of a smaller one, with room to learn more.

As in Net2Net (Chen et al., 2016), but what is new is added beside what is old and feeds none of it:
new channels read all channels and old channels only old ones, new residual blocks add zero, and a
new level at the bottom is joined through zeros. All of it has gradients from the first steps on.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .unet import UNet

__all__ = ["grow"]


def grow(state: Mapping[str, Tensor], small: Mapping[str, Any], large: Mapping[str, Any]) -> UNet:
    """A `UNet` of the configuration `large` that computes what the one of `small` does.

    Args:
        state: weights of the small network, by name.
        small: its configuration, as `UNet.config`.
        large: the same but for as many or more channels and blocks at each level, and perhaps a
            level more at the bottom. Then the blocks of the old bottom are shared out between the
            way down, which gets the odd one, and the way up.

    Returns:
        The network; what is new is drawn from torch's global generator.

    Raises:
        ValueError: the large configuration does not hold the small one.
    """
    network = UNet(**large)
    fresh = network.state_dict()
    deeper = len(network.encoder) - len(small["down"])
    if deeper not in (0, 1):
        raise ValueError("a network can grow by one level at a time")
    names = {name: name for name in state}
    if deeper:
        place, first = len(small["down"]), (small["bottom"] + 1) // 2
        for name in state:
            if name.startswith("bottom."):
                _, block, rest = name.split(".", 2)
                side, number = divmod(int(block), first) if first else (0, 0)
                names[name] = f"{('encoder', 'decoder')[side]}.{place}.{number}.{rest}"
        fresh[f"grow.{place}.weight"].zero_()
    for name in fresh.keys() - set(names.values()):
        if name.endswith("conv2.weight"):
            fresh[name].zero_()
    for name, values in state.items():
        if names[name] not in fresh:
            raise ValueError(f"the large network has no {names[name]}")
        # Transposed convolutions hold inputs first.
        turned = [
            t.transpose(0, 1) if name.startswith("grow.") else t
            for t in (values, fresh[names[name]])
        ]
        _embed(*turned)
    return network


@torch.no_grad()
def _embed(values: Tensor, weight: Tensor) -> None:
    """Write old values into a corner; what old outputs would take from new inputs is zero."""
    outputs, inputs = values.shape[:2]
    if weight.shape[0] < outputs or weight.shape[1] < inputs:
        raise ValueError(f"{tuple(weight.shape)} cannot hold {tuple(values.shape)}")
    weight[:outputs] = 0
    weight[:outputs, :inputs] = values
