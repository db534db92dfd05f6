"""A small convolutional network that looks at an image as `page_measures` reduces it.

It sees what no measure says, such as the table under a sheet. Two branches, for the whole image
and its crops, of 3 x 3 convolutions and rectifiers; of their maps the mean and the maximum over all
places, and of the crops' again over the crops, go through two full layers. Fitted by
``scripts/fit_choose_network.py``. In numpy, since it is asked in many threads beside PyTorch's.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .page_measures import Seen

__all__ = ["CROP", "WHOLE", "page_logit"]

Floats = NDArray[np.float32]

# Channels and stride of each convolution.
WHOLE = ((24, 2), (48, 2), (48, 1), (96, 2), (96, 1), (128, 2), (128, 1))
CROP = ((24, 2), (48, 2), (96, 2), (96, 1), (96, 2))


def page_logit(seen: Seen, net: Mapping[str, Floats]) -> float:
    """How sure the network is that an image is a page: positive where it thinks so.

    Args:
        seen: of the image.
        net: ``whole.0.0`` to ``whole.6.0`` and ``crop.0.0`` to ``crop.4.0``, convolutions,
            ``hidden`` and ``last``, full layers, each with its ``.weight`` and ``.bias``.
    """
    whole = _pooled(_branch(seen.whole.transpose(2, 0, 1), "whole", WHOLE, net))
    crops = np.stack([_pooled(_branch(crop[None], "crop", CROP, net)) for crop in seen.crops])
    looks = np.concatenate([whole, crops.mean(axis=0), crops.max(axis=0)])
    hidden = np.maximum(net["hidden.weight"] @ looks + net["hidden.bias"], 0)
    return float((net["last.weight"] @ hidden + net["last.bias"])[0])


def _branch(
    planes: Floats, name: str, layers: tuple[tuple[int, int], ...], net: Mapping[str, Floats]
) -> Floats:
    """Pixels C x H x W in [0, 1] through the convolutions, padded with zeros."""
    maps = (planes - np.float32(0.5)) * 4
    for index, (_, stride) in enumerate(layers):
        weight, bias = (net[f"{name}.{index}.0.{part}"] for part in ("weight", "bias"))
        padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
        seen = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
        seen = seen[:, ::stride, ::stride].transpose(0, 3, 4, 1, 2)
        size = seen.shape[3:]
        products = weight.reshape(len(weight), -1) @ seen.reshape(-1, size[0] * size[1])
        maps = np.maximum(products + bias[:, None], 0).reshape(-1, *size)
    return maps


def _pooled(maps: Floats) -> Floats:
    return np.concatenate([maps.mean(axis=(1, 2)), maps.max(axis=(1, 2))])
