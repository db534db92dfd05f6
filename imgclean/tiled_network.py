"""A network that cleans images of any size, in tiles.

Device, precision, padding, tiling and batching live here and nowhere else.
"""

import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn, random

from .checks import whole
from .devices import as_asked, feature_budget, gpu_budget, is_out_of_memory, resolve_device
from .errors import ImageError, UsageError, WeightsError
from .hues import REACH as HUES_REACH
from .hues import keep_hues
from .memory import free_memory
from .models import MODELS
from .models.fused import fast_bfloat16, fuse
from .pale import darkened
from .pixels import full_range
from .small_print import AROUND, doubled, every_second
from .tiles import split, split_evenly
from .weights import Weights
from .white_point import Light, local_gains

__all__ = ["TiledNetwork", "as_it_is", "is_finite"]

Pixels = NDArray[Any]

_PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_Piece = tuple[Pixels, Pixels, tuple[slice, slice], Light]  # see `TiledNetwork._pieces`
_used: set[int] = set()  # processes that had a network: this one, and its parents
_LIVE_MAPS = 3.5  # full-width feature maps alive at the peak; measured 2.6 to 3.4 where fused


class TiledNetwork:
    """A loaded network, and one for small print if the weights have it, on images of any size.

    Args:
        weights: what the network is built from.
        device, precision, tile, batch_size, memory: see `imgclean.load`.

    Attributes:
        redone: tiles computed again in single precision because the output was not finite.

    Raises:
        WeightsError: the architecture is unknown, or the tensors do not fit it.
        UsageError: the device or precision does not exist, a number is none, or the weights are
            no denoiser's.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        device: str | torch.device = "auto",
        precision: str = "auto",
        tile: int | None = None,
        batch_size: int | None = None,
        memory: int | None = None,
    ) -> None:
        """Build the network on its device; precision `auto` is probed at its first use."""
        if precision not in ("auto", *_PRECISIONS):
            raise UsageError(f"--precision {precision}: use auto, fp32, bf16 or fp16")
        limits = {"tile": tile, "batch_size": batch_size, "memory": memory}
        tile, batch_size, memory = (
            None if value is None else whole(name, value) for name, value in limits.items()
        )
        _used.add(os.getpid())
        self.weights = weights
        self.device = resolve_device(str(device))
        self._colour = _build(weights)
        if self._colour.contract.cannot_denoise:
            raise UsageError(f"{weights.path}: {self._colour.contract.cannot_denoise}")
        self._size: tuple[int, int] | None = self._colour.contract.size
        if self._size:  # such models are small: half precision would gain nothing
            precision = "fp32"
            self._colour.to(self.device)
        self._networks: dict[tuple[int, str, bool], nn.Module] = {}
        self.tile = tile
        self.batch_size = batch_size or (1 if self.device.type == "cpu" else 16)
        self.memory = memory or gpu_budget(self.device)
        small = weights.small_print
        self._small = _build(replace(weights, state=small)) if small else None
        self._free = free_memory()  # asked once: all that is asked of one image must agree
        self._precision = None if precision == "auto" else precision
        self.redone = 0

    def __getstate__(self) -> dict[str, Any]:
        """For pickle, as processes are handed one: without networks that are built when used."""
        return self.__dict__ | {"_networks": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what another process had."""
        _used.add(os.getpid())
        self.__dict__.update(state)

    @property
    def pages(self) -> bool:
        """Whether the weights are for ink on paper, as `scan` is and what `--init scan` makes."""
        return bool(self._colour.contract.pages)

    @property
    def enlarges(self) -> bool:
        """Whether it sees small print at twice the size too."""
        return self._small is not None

    @property
    def precision(self) -> str:
        """What the network computes in: `fp32`, `bf16` or `fp16`."""
        if self._precision is None:
            self._precision = self._probe()
        return self._precision

    def _clean_pieces(
        self, images: Sequence[Pixels], strength: float, lights: Sequence[Light] = ()
    ) -> None:
        """Clean images in place, a batch of tiles at a time, as they are or shown otherwise."""
        queue: list[_Piece] = []
        for image, light in zip(images, lights or map(as_it_is, images), strict=True):
            if image.size == 0:
                continue
            for piece in self._pieces(image, light):
                if queue and (len(queue) == self.batch_size or not _alike(queue[0], piece)):
                    self._flush(queue, strength)
                queue.append(piece)
        self._flush(queue, strength)

    def _flush(self, queue: list[_Piece], strength: float) -> None:
        if queue:
            lights = [light for *_, light in queue]
            outputs = self._run([tile for tile, *_ in queue], lights, strength)
            for output, (tile, target, core, _) in zip(outputs, queue, strict=True):
                if strength == 1 and self.pages and tile.shape[2] == 3:
                    keep_hues(tile, output)
                target[...] = output[core]
            queue.clear()

    def _pieces(self, image: Pixels, light: Light) -> Iterator[_Piece]:
        """Cut an image into (tile with halo, where its core goes, core within the tile, gains).

        The image is written while this runs, so the original rows that the next band
        needs above it are kept aside.
        """
        halo, (height, width) = self._halo_of(twice=light.twice), image.shape[:2]
        rows, columns = self._grid(height, width, image.nbytes, twice=light.twice)
        above = image[:0]
        for top, bottom in pairwise(rows):
            start = max(0, top - halo)
            band = image[start : min(height, bottom + halo)].copy()
            band[: top - start] = above[len(above) - (top - start) :]
            above = band[max(0, bottom - halo) - start : bottom - start].copy()
            for left, right in pairwise(columns):
                edge = max(0, left - halo)
                tile = band[:, edge : min(width, right + halo)]
                core = (slice(top - start, bottom - start), slice(left - edge, right - edge))
                seen = light.part(
                    slice(start, start + len(band)), slice(edge, edge + tile.shape[1])
                )
                yield tile, image[top:bottom, left:right], core, seen

    @property
    def _halo(self) -> int:
        if self._size:
            return 0
        return max(int(self._colour.halo), HUES_REACH if self.pages else 0)

    def _halo_of(self, *, twice: bool) -> int:
        """Pixels of a page around a tile: half as many where it is shown at twice the size."""
        if not twice:
            return self._halo
        half, multiple = math.ceil(int(self._colour.halo) / 2) + AROUND, self._multiple
        return max(-(-half // multiple) * multiple, HUES_REACH)  # tiles are padded as the whole is

    @property
    def _multiple(self) -> int:
        return 1 if self._size else int(self._colour.multiple)

    def features(self, pixels: int) -> int:
        """Bytes of main memory that the network takes at its peak for so many pixels."""
        each = 40 if self.device.type == "cuda" else self._per_pixel()
        shown = min(pixels, self._tile_pixels(3 * pixels))
        if self.enlarges:
            small = min(pixels, self._tile_pixels(3 * pixels, twice=True))
            shown = max(shown, 4 * small)
        return int(shown * each * self.batch_size)

    def _per_pixel(self) -> float:
        """Bytes a pixel: the feature maps alive at the peak, and the image in float.

        Of a page with pale ink 12 more, which the estimate of the maps leaves room for.
        """
        if self._size:
            return 40.0  # sums and weights of the blend
        size = 4 if self.precision == "fp32" else 2
        return _LIVE_MAPS * float(self._colour.maps) * size + 40

    def _tile_pixels(self, held: int, *, twice: bool = False) -> int:
        """How many pixels, halo included, one tile of an image of `held` bytes may have."""
        halo = self._halo_of(twice=twice)
        least = (3 * halo + 64) ** 2  # smaller cores: many times the work, in many shapes
        memory = self.memory or feature_budget(held, self._free)
        each = self._per_pixel() * (4 if twice else 1)
        return max(int(memory / self.batch_size / each), least)

    def _grid(
        self, height: int, width: int, held: int, *, twice: bool = False
    ) -> tuple[list[int], list[int]]:
        """Edges of tile rows and columns."""
        if self.tile:
            return split_evenly(height, width, self.tile, self._multiple)
        limit, halo = self._tile_pixels(held, twice=twice), self._halo_of(twice=twice)
        return split(height, width, limit=limit, halo=halo, multiple=self._multiple)

    def _run(self, tiles: list[Pixels], lights: list[Light], strength: float) -> list[Pixels]:
        """Clean tiles of one shape and type; halves them if memory runs out."""
        try:
            return self._forward(tiles, lights, strength, self.precision)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if len(tiles) > 1:
            self.batch_size = max(1, len(tiles) // 2)
            pairs = zip(tiles, lights, strict=True)
            return [self._run([tile], [light], strength)[0] for tile, light in pairs]
        self.memory = (self.memory or feature_budget(0, self._free)) // 2
        return [self._halve(tiles[0], lights[0], strength)]

    def _halve(self, tile: Pixels, light: Light, strength: float) -> Pixels:
        """Clean one tile in two parts with a halo each: the same pixels, half the memory."""
        axis = int(tile.shape[1] > tile.shape[0])
        length, halo = tile.shape[axis], self._halo_of(twice=light.twice)
        middle = length // 2 // self._multiple * self._multiple
        if middle < 2 * halo:
            raise MemoryError(f"not enough memory for a tile of {tile.shape[1]} x {tile.shape[0]}")
        turned = np.moveaxis(tile, axis, 0)
        parts = []
        for start, stop in ((0, middle), (middle, length)):
            edge = max(0, start - halo)
            part = np.moveaxis(turned[edge : min(length, stop + halo)], 0, axis)
            sides = [slice(0, n) for n in tile.shape[:2]]
            sides[axis] = slice(edge, min(length, stop + halo))
            done = np.moveaxis(self._run([part], [light.part(*sides)], strength)[0], axis, 0)
            parts.append(done[start - edge : stop - edge])
        return np.moveaxis(np.concatenate(parts), 0, axis)

    def _forward(
        self, tiles: list[Pixels], lights: list[Light], strength: float, precision: str
    ) -> list[Pixels]:
        """One pass of the network over tiles of one shape and type, made brighter by the gains."""
        height, width, channels = tiles[0].shape
        scale = full_range(tiles[0])
        padding = ((0, -height % self._multiple), (0, -width % self._multiple), (0, 0))
        batch = np.stack([np.pad(tile, padding, mode="symmetric") for tile in tiles])
        with torch.inference_mode(), as_asked(self.device):
            given = torch.from_numpy(batch)
            if self.device.type == "mps" and given.dtype == torch.uint16:
                given = given.to(torch.float32)  # which MPS cannot do with whole numbers of 16 bits
            noisy = given.to(self.device).permute(0, 3, 1, 2)
            noisy = noisy.to(torch.float32).div_(scale)
            seen = noisy
            if not all(light.plain for light in lights):
                gains = np.broadcast_arrays(*(x.at(*batch.shape[1:3]) for x in lights))
                factors = noisy.new_tensor(np.stack(gains))
                masks = np.stack([light.padded(*batch.shape[1:3]) for light in lights])
                each = local_gains(noisy, factors, torch.from_numpy(masks).to(self.device))
                seen = noisy.mul_(each) if strength == 1 else noisy * each
                limits = noisy.new_tensor([torch.inf if x.plain else 1.0 for x in lights])
                seen = seen.clamp_(max=limits[:, None, None, None])
            contrast = noisy.new_tensor([light.contrast for light in lights])[:, None, None, None]
            ink = darkened(seen, contrast) if bool((contrast > 1).any()) else None
            seen = seen if ink is None else ink.shown
            residual = self._residual(seen, precision, twice=lights[0].twice)
            finite = is_finite(residual)
            if precision != "fp32" and not finite:
                self.redone += len(tiles)
                residual = self._residual(seen, "fp32", twice=lights[0].twice)
                finite = is_finite(residual)
            if not finite:
                raise ImageError("the network's output is not finite; try --precision fp32")
            result = residual.add_(seen)
            if scale != 1.0:  # before mixing: a part of the way to what full strength shows
                result = result.clamp_(0, 1)
            if ink is not None:
                result = ink.back(result)
            result = noisy.lerp_(result, strength)
            if scale != 1.0:
                result = result.mul_(scale).round_()
            result = result.permute(0, 2, 3, 1)[:, :height, :width]
            if scale == 255.0:
                return list(result.to(torch.uint8).cpu().numpy())
            return list(result.cpu().numpy().astype(tiles[0].dtype))

    def _residual(self, noisy: Tensor, precision: str, *, twice: bool) -> Tensor:
        network = self._network(noisy.shape[1], precision, twice=twice)
        shown = doubled(noisy) if twice else noisy
        residual: Tensor = network.residual(shown)  # type: ignore[operator]  # untyped attribute
        return (every_second(residual) if twice else residual).float()

    def _network(self, channels: int, precision: str, *, twice: bool = False) -> nn.Module:
        """The network for grey or colour input in one precision, built once."""
        key = (channels, precision, twice)
        if key not in self._networks:
            with random.fork_rng(devices=[]):  # weights are drawn, and replaced
                colour = self._small if twice else self._colour
                self._networks[key] = self._fused(colour, channels, precision)
        return self._networks[key]

    def _fused(self, network: Any, channels: int, precision: str) -> nn.Module:
        if channels == 1 and network.channels == 3:
            network = network.for_grey()
        fresh = type(network)(**network.config)
        fresh.load_state_dict(network.state_dict())
        fresh = fresh.to(self.device, _PRECISIONS[precision], memory_format=torch.channels_last)
        return fuse(fresh.eval())

    def _probe(self) -> str:
        """Time half precision against fp32 once; take it if faster and as good as equal.

        Equal means, on a noisy ramp: values differ by half a level of 255 in root mean square at
        most, about what rounding does, and none by over four. A processor that would emulate
        half precision is not asked: that alone takes seconds.
        """
        if self.device.type == "cpu" and not fast_bfloat16(self.device):
            return "fp32"
        half = "fp16" if self.device.type == "mps" else "bf16"
        rng = np.random.default_rng(0)
        ramp = np.linspace(0, 255, 256)[:, None, None] + rng.normal(0, 12, (256, 256, 3))
        sample = np.clip(ramp, 0, 255).astype(np.uint8)
        seconds, outputs = {}, {}
        for precision in ("fp32", half):
            timings = []
            for _ in range(2):
                begun = time.perf_counter()
                output = self._forward([sample], [Light(np.ones(3, np.float32))], 1.0, precision)[0]
                outputs[precision] = output.astype(np.float32)
                timings.append(time.perf_counter() - begun)
            seconds[precision] = min(timings)
        apart = np.abs(outputs["fp32"] - outputs[half])
        safe = np.sqrt(np.mean(apart**2)) <= 0.5 and apart.max() <= 4
        return half if safe and seconds[half] < 0.9 * seconds["fp32"] else "fp32"


def _alone_after_fork() -> None:
    """Compute in one thread where the parent computed in several: OpenMP's are not here."""
    if _used:
        torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alone_after_fork)


def is_finite(values: Tensor) -> bool:
    """Whether all are finite, as their sum tells in a fortieth of the time."""
    return bool(torch.isfinite(values.sum()))


def as_it_is(image: Pixels) -> Light:
    """What shows an image to the network unchanged."""
    return Light(np.ones(image.shape[2], np.float32))


def _alike(one: _Piece, other: _Piece) -> bool:
    same = one[0].shape == other[0].shape and one[0].dtype == other[0].dtype
    return same and one[3].twice == other[3].twice


def _build(weights: Weights) -> Any:
    """The module that the weights describe, with their tensors.

    Raises:
        WeightsError: the architecture is unknown, or the tensors do not fit it.
    """
    if weights.architecture not in MODELS:
        raise WeightsError(
            f"{weights.path}: of architecture {weights.architecture!r}, which this version "
            f"does not know; it knows {', '.join(MODELS)}"
        )
    try:
        with random.fork_rng(devices=[]):  # weights are drawn, and replaced
            network = MODELS[weights.architecture](**weights.config)
        network.load_state_dict(weights.state)
    except (RuntimeError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise WeightsError(
            f"{weights.path}: its tensors do not fit its configuration; get it again"
        ) from error
    return network.eval()
