"""The fully convolutional denoising autoencoder of the shipped weights.

A U-Net (Ronneberger et al., 2015) without biases (Mohan et al., 2020: bias-free networks
keep their quality outside the trained noise range), fed through a pixel-unshuffle
(Shi et al., 2016; FFDNet, Zhang et al., 2018), with additive skips as in DRUNet
(Zhang et al., 2021) and a residual output (DnCNN, Zhang et al., 2017).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from .contract import Contract

__all__ = ["LEAK", "ResidualBlock", "UNet"]


def _conv(inputs: int, outputs: int, kernel: int = 3) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)


LEAK = 0.1


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a leaky rectifier between (Maas et al., 2013), added to the input.

    Without biases a plain rectifier's units die in numbers when a step moves them all below
    zero; a leaky one is as homogeneous, and cannot die.
    """

    def __init__(self, width: int) -> None:
        """Build the block for feature maps of `width` channels."""
        super().__init__()
        self.conv1 = _conv(width, width)
        self.conv2 = _conv(width, width)
        with torch.no_grad():
            self.conv2.weight.mul_(0.3)  # near the identity at first: deeper trains stably

    def forward(self, features: Tensor) -> Tensor:
        """Map N x width x H x W to the same shape."""
        hidden = functional.leaky_relu_(self.conv1(features), LEAK)
        output: Tensor = self.conv2(hidden).add_(features)
        return output


class UNet(nn.Module):
    """Blind denoiser: noisy image in, denoised image out, same shape, range [0, 1].

    Height and width must be multiples of `multiple`; `halo` is how many pixels around a
    place can change its value (half the theoretical receptive field, rounded up to
    `multiple`), so that tiles cut with that much context equal the whole image.

    Args:
        channels: colour channels of the image.
        unshuffle: side of the pixel-unshuffle; features start at 1/unshuffle resolution.
        widths: channels of each level, from the finest to the bottom.
        down: residual blocks of each level but the bottom, on the way down.
        bottom: residual blocks of the bottom level.
        up: residual blocks of each level but the bottom, finest first, on the way up.
        ink: work on 1 - image beside a plane of ones. A network without biases scales with
            its input, so it can never turn grey paper into white; it can turn pale ink
            into none, and the plane tells it how dark black is.
        centre: the value that becomes zero before the first convolution. Features of an
            image around zero take both signs, so that rectifiers bend; of a positive one most
            keep their sign everywhere, and the network stays close to linear.
    """

    def __init__(
        self,
        channels: int = 3,
        unshuffle: int = 2,
        widths: Sequence[int] = (48, 64, 96),
        down: Sequence[int] = (1, 2),
        bottom: int = 3,
        up: Sequence[int] = (1, 2),
        ink: bool = False,
        centre: float = 0.0,
    ) -> None:
        """Build the network; see the class for the arguments."""
        super().__init__()
        levels = len(widths)
        if not len(down) == len(up) == levels - 1:
            raise ValueError("down and up need one entry for each level but the bottom")
        self.config = {
            "channels": channels,
            "unshuffle": unshuffle,
            "widths": list(widths),
            "down": list(down),
            "bottom": bottom,
            "up": list(up),
            "ink": ink,
            "centre": centre,
        }
        self.channels, self.ink, self.centre = channels, ink, centre
        self.contract = Contract(channels, pages=ink)
        self.multiple = unshuffle * 2 ** (levels - 1)
        self.maps = widths[0] / unshuffle**2  # values a pixel in the largest feature map
        self.halo = _halo(unshuffle, down, bottom, up, self.multiple)
        packed = channels * unshuffle**2
        self.pack = nn.PixelUnshuffle(unshuffle)
        self.unpack = nn.PixelShuffle(unshuffle)
        self.head = _conv(packed + ink, widths[0])
        self.tail = _conv(widths[0], packed)
        with torch.no_grad():
            self.tail.weight.mul_(0.1)  # starts as the identity: the residual is near zero
            self.head.weight[:, packed:].mul_(0.1)  # the plane of ones must not drown the image
        pairs = list(zip(widths[:-1], widths[1:], strict=True))
        self.encoder = nn.ModuleList(_blocks(w, n) for w, n in zip(widths[:-1], down, strict=True))
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, 2, bias=False) for a, b in pairs)
        self.bottom = _blocks(widths[-1], bottom)
        self.grow = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2, bias=False) for a, b in pairs)
        self.decoder = nn.ModuleList(_blocks(w, n) for w, n in zip(widths[:-1], up, strict=True))

    def residual(self, noisy: Tensor) -> Tensor:
        """The correction to add to `noisy` (N x C x H x W), in the weights' precision."""
        values = 1 - noisy if self.ink else noisy
        packed = self.pack((values - self.centre).to(self.head.weight.dtype))
        packed = packed.contiguous(memory_format=torch.channels_last)
        if self.ink:
            packed = torch.cat([packed, torch.ones_like(packed[:, :1])], dim=1)
        features = self.head(packed)  # N x widths[0] x H/unshuffle x W/unshuffle
        skips = []
        for blocks, shrink in zip(self.encoder, self.shrink, strict=True):
            features = blocks(features)
            skips.append(features)
            features = shrink(features)
        features = self.bottom(features)
        for grow, blocks in zip(reversed(self.grow), reversed(self.decoder), strict=True):
            features = grow(features).add_(skips.pop())  # popped: nothing else keeps it alive
            features = blocks(features)
        unpacked: Tensor = self.unpack(self.tail(features))
        return -unpacked if self.ink else unpacked

    def for_grey(self) -> "UNet":
        """The same network for grey images: what it gives for three equal channels, averaged.

        The first convolution sees equal channels, so its kernels add up; the last one's
        average. Exact, and it spares the work of two channels out of three.
        """
        config = {**self.config, "channels": 1}
        grey = UNet(**config)  # type: ignore[arg-type]  # the dict holds what __init__ was given
        state = self.state_dict()
        head, tail = state["head.weight"], state["tail.weight"]
        cells = tail.shape[0] // self.channels
        colours, plane = head[:, : cells * self.channels], head[:, cells * self.channels :]
        summed = colours.unflatten(1, (self.channels, cells)).sum(1)
        state["head.weight"] = torch.cat([summed, plane], dim=1)
        state["tail.weight"] = tail.unflatten(0, (self.channels, cells)).mean(0)
        grey.load_state_dict(state)
        return grey

    def forward(self, noisy: Tensor) -> Tensor:
        """Denoise N x C x H x W images in [0, 1]; the sum is taken in the input's precision."""
        return noisy + self.residual(noisy).to(noisy.dtype)


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(width) for _ in range(count)))


def _halo(
    unshuffle: int, down: Sequence[int], bottom: int, up: Sequence[int], multiple: int
) -> int:
    """Half the receptive field in pixels: two pixels a block and level, and the grid's slack."""
    reach = 2 * unshuffle  # head and tail
    for level, blocks in enumerate([*(d + u for d, u in zip(down, up, strict=True)), bottom]):
        reach += 2 * blocks * unshuffle * 2**level
    reach += multiple  # strided convolutions see the whole of their 2x2 cells
    return -(-reach // multiple) * multiple
