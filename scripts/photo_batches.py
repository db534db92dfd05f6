"""Batches of `photo` and `gaussian` training, drawn whole on the device that trains.

What `train_weights.draw_photos` draws one patch at a time, for a GPU that would wait for it. The
shares are the same, but every batch has its share of each, up to one.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from imgclean.batch_noise import (
    MARGIN,
    PERIOD,
    SEAM,
    brightness,
    camera,
    coloured,
    grain,
    often_coded,
    part_of,
)
from imgclean.noise import FAINT
from imgclean.pairs import load_pack

__all__ = ["DrawnTogether", "PhotoBatches", "Photos", "smallest_side"]


def smallest_side(size: int) -> int:
    """How long the sides of an image must be for patches of `size` of `PhotoBatches`."""
    return max(size + MARGIN, _before_enlarging(size + MARGIN))


def _before_enlarging(size: int) -> int:
    return math.ceil(size / 1.2) + 8


class Photos:
    """The images of a pack on a device, and square patches of them anywhere."""

    def __init__(self, pack: Path, smallest: int, device: torch.device) -> None:
        """Load all images whose sides are as long as the largest patch that will be asked for."""
        packed = load_pack(pack)
        images = [image for image in packed if min(image.shape[:2]) >= smallest]
        if not images:
            raise SystemExit(f"{pack}: no image has sides of {smallest} pixels; lower --patch")
        if len(images) < len(packed):
            small = len(packed) - len(images)
            print(f"{pack}: without {small} of {len(packed)} images, sides under {smallest} pixels")
        shapes = np.array([image.shape[:2] for image in images])
        area = shapes.prod(1)
        self.device = device
        pixels = np.concatenate([image.reshape(-1, 3) for image in images])
        self.pixels = torch.from_numpy(pixels).to(device)
        self.start = torch.from_numpy(np.cumsum(area) - area).to(device)
        self.shape = torch.from_numpy(shapes).to(device)
        share = np.minimum(area, 300_000).cumsum()  # giants are drawn no more than others
        self.upto = torch.from_numpy((share / share[-1]).astype(np.float32)).to(device)

    def patches(self, count: int, size: int, generator: torch.Generator) -> Tensor:
        """Crop, flip and turn: count x 3 x size x size, float32 in [0, 1]."""
        drawn = torch.rand(count, 6, generator=generator, device=self.device)
        chosen = torch.searchsorted(self.upto, drawn[:, 5].contiguous(), right=True)
        shape = self.shape[chosen]
        corner = (drawn[:, :2] * (shape - size + 1)).long()
        ahead = torch.arange(size, device=self.device)
        places = [
            torch.where(drawn[:, 2 + axis, None] < 0.5, ahead, size - 1 - ahead)
            + corner[:, axis, None]
            for axis in (0, 1)
        ]
        turned = (drawn[:, 4] < 0.5)[:, None, None]
        down, across = places[0][:, :, None], places[1][:, None]
        rows = torch.where(turned, down.transpose(1, 2), down)
        columns = torch.where(turned, across.transpose(1, 2), across)
        index = self.start[chosen, None, None] + rows * shape[:, 1, None, None] + columns
        return self.pixels[index].permute(0, 3, 1, 2).float().div_(255)

    def enlarged(self, count: int, size: int, generator: torch.Generator) -> Tensor:
        """As `patches`, 1.2 to 3.5 times as large as they were (`pairs.enlarged_patch`)."""
        side = _before_enlarging(size)
        small = self.patches(count, side, generator)
        drawn = torch.rand(count, 3, generator=generator, device=self.device)
        scale = torch.exp(math.log(1.2) + drawn[:, :1] * math.log(3.5 / 1.2))
        ahead = torch.arange(size, device=self.device) - (size - 1) / 2
        rows, columns = ((ahead / scale + drawn[:, i, None] - 0.5) * 2 / side for i in (1, 2))
        grid = torch.stack(
            [columns[:, None].expand(-1, size, -1), rows[:, :, None].expand(-1, -1, size)], 3
        )
        large = functional.grid_sample(small, grid, "bicubic", "reflection", align_corners=False)
        return large.clamp_(0, 1)


@dataclass(frozen=True)
class PhotoBatches(Dataset[tuple[Tensor, Tensor]]):
    """Batches by step number, as `pairs.Patches` has them.

    Attributes:
        photos: what most patches are of.
        screens: drawn images, for a share of the patches; half of these stay clean.
        size, batch: side, a multiple of 16, and number of the patches.
        seed: with the step, all that a batch depends on.
        enlarge: share of the photos' patches that are enlarged.
        cameras: draw the mixture of `noise.photo` rather than white noise alone.
        drawn: the share of the patches that are of drawn images.
    """

    photos: Photos
    screens: Photos | None
    size: int
    batch: int
    seed: int
    enlarge: float
    cameras: bool
    drawn: float = 1 / 8

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Draw batch number `step`: noisy and clean, N x 3 x H x W float32."""
        generator = torch.Generator(self.photos.device)
        generator.manual_seed((self.seed << 32) + step)
        rng = np.random.default_rng([self.seed, step])  # of numbers that the host must know
        size = self.size + MARGIN
        sharp = part_of(self.batch, self.drawn, rng) if self.screens else 0
        kept = part_of(sharp, 1 / 2, rng)
        large = part_of(self.batch - sharp, self.enlarge, rng)
        parts = [self.photos.patches(self.batch - sharp - large, size, generator)]
        if large:
            parts.append(self.photos.enlarged(large, size, generator))
        if self.screens:
            parts.append(self.screens.patches(sharp, size, generator))
        order = self._order(generator)  # what a patch shows says nothing of its noise
        clean = torch.cat(parts)[order]
        as_is = (order >= self.batch - kept)[:, None, None, None]
        grey = torch.rand(self.batch, 1, 1, 1, generator=generator, device=clean.device) < 0.1
        grey &= ~as_is
        clean = torch.where(grey, clean.mean(1, keepdim=True), clean)
        noisy, clean = self._cut(self._noisy(clean, grey, generator, rng), clean, generator)
        return torch.where(as_is, clean, noisy), clean

    def _order(self, generator: torch.Generator) -> Tensor:
        return torch.randperm(self.batch, generator=generator, device=generator.device)

    def _noisy(
        self, clean: Tensor, grey: Tensor, generator: torch.Generator, rng: np.random.Generator
    ) -> Tensor:
        """Cameras, grain, coloured noise, white noise and none, in the shares of `noise.photo`."""
        shares = (0.40, 0.08, 0.06, 0.38, 0.08) if self.cameras else (0, 0, 0, 1, 0)
        counts, left, rest = [], self.batch, 1.0
        for share in shares[:-1]:
            counts.append(part_of(left, min(share / rest, 1), rng))
            left, rest = left - counts[-1], rest - share
        shot, coarse, drawn, white, same = torch.split(clean, [*counts, left])
        greys = torch.split(grey, [*counts, left])
        parts = [often_coded(same, greys[4], generator) if self.cameras else same]
        if len(white):
            parts.insert(0, self._white(white, greys[3], generator))
        for images, one, add in ((drawn, greys[2], coloured), (coarse, greys[1], grain)):
            if len(images):
                parts.insert(0, add(images, one, generator))
        if len(shot):
            exposed = camera(shot, generator)
            parts.insert(0, torch.where(greys[0], brightness(exposed), exposed))
        return torch.cat(parts)

    def _white(self, clean: Tensor, grey: Tensor, generator: torch.Generator) -> Tensor:
        """Gaussian noise of 0 to 55; beside cameras a third of it faint."""
        drawn = torch.rand(2, len(clean), 1, 1, 1, generator=generator, device=clean.device)
        sigma = 55 * drawn[1]
        if self.cameras:
            least, most = FAINT
            sigma = torch.where(drawn[0] < 1 / 3, least * (most / least) ** drawn[1], sigma)
        noise = torch.randn(clean.shape, generator=generator, device=clean.device)
        noise = torch.where(grey, noise[:, :1], noise)
        return clean + noise * (sigma / 255)

    def _cut(self, noisy: Tensor, clean: Tensor, generator: torch.Generator) -> list[Tensor]:
        """The same place of both: away from the seam, at any phase of JPEG's blocks."""
        drawn = torch.randint(PERIOD, (self.batch, 2), generator=generator, device=clean.device)
        shift = SEAM + drawn
        ahead = torch.arange(self.size, device=clean.device)
        rows = (shift[:, :1] + ahead)[:, None, :, None]
        columns = (shift[:, 1:] + ahead)[:, None, None]
        number = torch.arange(self.batch, device=clean.device)[:, None, None, None]
        channel = torch.arange(3, device=clean.device)[None, :, None, None]
        return [images[number, channel, rows, columns] for images in (noisy, clean)]


class DrawnTogether(Dataset[tuple[Tensor, Tensor]]):
    """Batches of several steps drawn as one large one, of which each step takes its share.

    A camera is thousands of small kernels: to launch them takes longer than a step of training,
    and as long for one image as for many.
    """

    def __init__(self, large: PhotoBatches, steps: int) -> None:
        """Share out batches of `large`, whose `batch` is that of so many steps."""
        if large.batch % steps:
            raise ValueError(f"{large.batch} images cannot be shared by {steps} steps")
        self.large, self.steps = large, steps
        self._latest: tuple[int, tuple[Tensor, Tensor]] | None = None

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Every so manieth image of a large batch, which has its kinds of noise in order."""
        number, place = divmod(step, self.steps)
        if self._latest is None or self._latest[0] != number:
            self._latest = number, self.large[number]
        noisy, clean = (part[place :: self.steps].contiguous() for part in self._latest[1])
        return noisy, clean
