"""`Denoiser`: array in, array of the same shape and type out.

Device, precision, padding, tiling and batching live here and nowhere else; training
validates through it too.
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

from .checks import fraction, whole
from .coarse import SMALLEST, add_half, is_coarse, parts
from .devices import as_asked, feature_budget, gpu_budget, is_out_of_memory, resolve_device
from .drawn import keep_drawn
from .errors import ImageError, UsageError, WeightsError
from .faint import keep_detail, mix
from .hues import REACH as HUES_REACH
from .hues import keep_hues
from .ink import Ink, measure_ink
from .memory import free_memory
from .models import MODELS
from .models.fused import fast_bfloat16, fuse
from .out_of_focus import is_out_of_focus, share_of_half, take_half
from .pale import darkened, ink_contrast
from .pixels import full_range, halved, unit
from .second_look import add_change, change_from_afar, far_view, has_tones, near_view
from .small_print import AROUND, SHARE, doubled, every_second, is_small
from .streaks import add_streaks, count_lines, find_streaks, remove_streaks
from .stretch import put_back, stretch
from .texture import keep_texture
from .tiles import split, split_evenly
from .weights import Weights, is_shipped, load_weights
from .white_point import Light, local_gains, page_light
from .windows import blend

__all__ = ["NO_UNIT", "Denoiser", "load"]

Pixels = NDArray[Any]

_PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_TYPES = ("uint8", "uint16", "float32")
NO_UNIT = 16.0  # float pixels beyond are on 0 to 255, or on no scale that could be known
_Piece = tuple[Pixels, Pixels, tuple[slice, slice], Light]  # see `Denoiser._pieces`
_used: set[int] = set()  # processes that had a `Denoiser`: this one, and its parents
_WINDOWS = 256  # a pass, of models of one size
_LIVE_MAPS = 3.5  # full-width feature maps alive at the peak; measured 2.6 to 3.4 where fused


def load(
    model: str | os.PathLike[str] = "photo",
    *,
    device: str | torch.device = "auto",
    precision: str = "auto",
    tile: int | None = None,
    batch_size: int | None = None,
    memory: int | None = None,
) -> "Denoiser":
    """Load shipped weights by name, or any weights file by path, ready to use.

    Args:
        model: `photo`, `scan`, `photo-best`, `gaussian`, or the path of a safetensors file.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`, or PyTorch's own.
        precision: `auto`, `fp32`, `bf16` or `fp16`.
        tile: side of a tile in pixels, 64 at least; by default as large as `memory` allows.
        batch_size: tiles a pass; by default 1 on a CPU and what fits elsewhere, up to 16.
        memory: bytes that the network may use beside the image; by default 500 MB, beside
            small images up to 1.4 GB if twice that is free, on a GPU half of what is free.

    Raises:
        WeightsError: no such weights, or damaged ones.
        UsageError: the device or precision does not exist, or a number is none.
    """
    if not isinstance(model, str | os.PathLike):
        raise UsageError(f"model={model!r}: give the name of weights, or a path")
    weights = load_weights(os.fspath(model))
    return Denoiser(
        weights,
        device=device,
        precision=precision,
        tile=tile,
        batch_size=batch_size,
        memory=memory,
    )


class Denoiser:
    """A loaded network that cleans images of any size; see `load` for the arguments.

    One for pages sees them without a scanner's streaks, see `streaks`, in even light, see
    `shading`, those on dark paper made brighter as a whole, see `white_point`, pale ink deeper than
    it is, see `pale`, and large ones once more from afar where tones are left, see `second_look`;
    at full strength thin strokes keep their hue, see `hues`. One whose weights have a network for
    it sees small print at twice the size too, see `small_print`; print that is out of focus is seen
    at half the size, see `out_of_focus`. Shipped weights for photos see images that use little of
    their range stretched, see `stretch`, remove coarse noise at half the size first, see `coarse`,
    less where there is hardly any, see `faint`, or where plain parts have far less, see `texture`,
    and none from drawings, see `drawn`; others are taken to know what they were trained on.

    Attributes:
        photos: whether it does the latter five.
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
        self.photos = not (self._size or self.pages) and is_shipped(weights)
        small = weights.small_print
        self._small = _build(replace(weights, state=small)) if small else None
        self._free = free_memory()  # asked once: all that is asked of one image must agree
        self._precision = None if precision == "auto" else precision
        self.redone = 0  # tiles computed again in fp32 because the output was not finite

    def __getstate__(self) -> dict[str, Any]:
        """For pickle, as processes are handed one: without networks that are built when used."""
        return self.__dict__ | {"_networks": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what another process had."""
        _used.add(os.getpid())
        self.__dict__.update(state)

    @property
    def name(self) -> str:
        """The weights' name."""
        return self.weights.name

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

    def __call__(self, image: Pixels, strength: float = 1.0) -> Pixels:
        """Clean one image.

        Args:
            image: H x W, H x W x 1, H x W x 3 or H x W x 4 (alpha passes through) of uint8,
                uint16 or float32; float images are on [0, 1], values outside are allowed.
            strength: 0 returns the input bit for bit, 1 the network's full output.

        Returns:
            A new array of the same shape and type. Integer types are rounded and clipped.

        Raises:
            UsageError: a shape, type or strength that is not listed above, no pixels at all, or
                float pixels over 16 or under -16, which can hardly be on [0, 1].
            ImageError: the image holds NaN or infinity.
        """
        if isinstance(image, str | bytes | os.PathLike):
            raise UsageError(f"{image!r}: give pixels as an array; denoise_folder takes paths")
        result = np.array(image, order="C")
        if result.ndim == 0:
            raise UsageError("no image; cv2.imread gives None for a file that it cannot read")
        if result.ndim not in (2, 3) or result.ndim == 3 and result.shape[2] not in (1, 3, 4):
            raise UsageError(f"an image of shape {result.shape}: give H x W, or x 1, x 3, x 4")
        if not result.size:
            raise UsageError(f"an image of shape {result.shape}: holds no pixels")
        view = result[..., None] if result.ndim == 2 else result[..., :3]
        self.clean([view], strength)
        return result

    def clean(self, images: Sequence[Pixels], strength: float = 1.0) -> list[int]:
        """Clean H x W x C arrays in place, sharing batches; C is 1 or 3. See `__call__`.

        Returns:
            For each image the number of a scanner's streaks that were removed.
        """
        strength = fraction("strength", strength)
        for image in images:
            if str(image.dtype) not in _TYPES:
                kinds = "uint8, uint16 or float32 on [0, 1] in the machine's byte order"
                raise UsageError(f"pixels of {image.dtype}: give {kinds}, as astype makes them")
            if image.dtype != np.float32:
                continue
            if not np.isfinite(image).all():
                raise ImageError("holds NaN or infinite values; replace them first")
            least, most = image.min(initial=0), image.max(initial=0)
            if max(most, -least) > NO_UNIT:
                raise UsageError(
                    f"float pixels of {least:g} to {most:g}: give them on [0, 1], or as integers"
                )
        none = [0] * len(images)
        if strength == 0:
            return none
        if self._size:
            self._clean_windows(images, strength, self._size)
            return none
        if self.pages:
            return self._clean_pages(images, strength)
        if self.photos:
            self._clean_photos(images, strength)
        else:
            self._clean_pieces(images, strength)
        return none

    def _clean_photos(self, images: Sequence[Pixels], strength: float) -> None:
        """Clean photos in place, see `stretch`, `coarse`, `faint`, `texture` and `drawn`."""
        stretched = [stretch(image) for image in images]
        try:
            noisy = [image.copy() for image in images]
            coarse = [self._remove_coarse(image) for image in images]
            plain = [image for image, was in zip(images, coarse, strict=True) if not was]
            self._clean_pieces(plain, 1.0)
            for image, before, was, how in zip(images, noisy, coarse, stretched, strict=True):
                if was:
                    self._clean_pieces([image], 1.0)
                keep_detail(before, image)
                keep_texture(before, image)
                if how is None:  # stretched, noise has gaps between its levels too
                    keep_drawn(before, image)
                if strength < 1:  # what was removed in full tells more than what is rounded
                    mix(before, image, strength)
        finally:
            for image, how in zip(images, stretched, strict=True):
                if how is not None:
                    put_back(image, how)

    def _remove_coarse(self, image: Pixels) -> bool:
        """Remove noise that is coarse, if there is some, at half the size and smaller ones."""
        if min(image.shape[:2]) < SMALLEST or not is_coarse([*self._looks(image)]):
            return False
        cleaned = halved(image)
        self._remove_coarse(cleaned)
        self._clean_pieces([cleaned], 1.0)
        add_half(image, halved(image), cleaned)  # halved again: not held while the network runs
        return True

    def _looks(self, image: Pixels) -> Iterator[tuple[Pixels, Pixels, Pixels]]:
        """For `is_coarse`: what parts of an image lose, and become and lose at half the size."""
        for place in parts(*image.shape[:2]):
            part = unit(image[place])
            small = halved(part)
            cleaned = [part.copy(), small.copy()]
            self._clean_pieces(cleaned, 1.0)
            yield part - cleaned[0], cleaned[1], small - cleaned[1]

    def _clean_pages(self, images: Sequence[Pixels], strength: float) -> list[int]:
        """Clean pages in place: their streaks before the network, pictures and areas after it."""
        found = [find_streaks(image) for image in images]
        removed = [remove_streaks(*page) for page in zip(images, found, strict=True)]
        inks = [measure_ink(image) for image in images]
        soft = [self._at_half(*page, strength) for page in zip(images, inks, strict=True)]
        lights = [self._light(*page) for page in zip(images, inks, strict=True)]
        afar = [far_view(image, 1 + x.twice) for image, x in zip(images, lights, strict=True)]
        self._clean_lit(images, strength, lights)
        for image, page, streaks, light, half in zip(
            images, afar, removed, lights, soft, strict=True
        ):
            if page is not None:
                self._look_again(image, page, strength, light)
            if half is not None:
                take_half(image, *half, strength)
            if strength < 1:
                add_streaks(image, streaks, 1 - strength)
        return [count_lines(streaks) for streaks in found]

    def _at_half(
        self, page: Pixels, ink: Ink, strength: float
    ) -> tuple[Pixels, NDArray[np.float32], Pixels | None] | None:
        """A page cleaned at half the size, its share where ink is soft, and the page if needed."""
        share = share_of_half(page) if is_out_of_focus(ink) else None
        if share is None:
            return None
        half = halved(page)
        self._clean_pages([half], 1.0)
        return half, share, None if strength == 1 else page.copy()

    def _light(self, page: Pixels, ink: Ink) -> Light:
        """How a page is shown, of the whole: its tiles cannot tell."""
        if page.size == 0:
            return _as_it_is(page)
        twice = self.enlarges and is_small(ink)
        return replace(page_light(page), contrast=ink_contrast(ink), twice=twice)

    def _clean_lit(
        self, images: Sequence[Pixels], strength: float, lights: Sequence[Light]
    ) -> None:
        """Clean pages in place; small print both as it is and at twice the size: a mean of both."""
        small = [(image, light) for image, light in zip(images, lights, strict=True) if light.twice]
        plain = [image.copy() for image, _ in small]
        self._clean_pieces(images, strength, lights)
        self._clean_pieces(plain, strength, [replace(light, twice=False) for _, light in small])
        for (image, _), other in zip(small, plain, strict=True):
            mix(other, image, SHARE)

    def _look_again(self, image: Pixels, page: Pixels, strength: float, light: Light) -> None:
        """Put right what a cleaned page's far view shows to be a mistake, in place."""
        near = near_view(image, page, strength)
        if not has_tones(near):
            return
        far = page.copy()
        self._clean_pieces([far], 1.0, [replace(page_light(page), contrast=light.contrast)])
        times = len(image) / len(page) * (1 + light.twice)
        change = change_from_afar(page, near, far, times)
        if change is not None:
            add_change(image, change * np.float32(strength))

    def _clean_pieces(
        self, images: Sequence[Pixels], strength: float, lights: Sequence[Light] = ()
    ) -> None:
        """Clean images in place, a batch of tiles at a time, as they are or shown otherwise."""
        queue: list[_Piece] = []
        for image, light in zip(images, lights or map(_as_it_is, images), strict=True):
            if image.size == 0:
                continue
            for piece in self._pieces(image, light):
                if queue and (len(queue) == self.batch_size or not _alike(queue[0], piece)):
                    self._flush(queue, strength)
                queue.append(piece)
        self._flush(queue, strength)

    def code(self, image: Pixels) -> list[float] | None:
        """The code of one H x W x C float32 image in [0, 1] of the model's own size.

        Colours are averaged for a grey model, grey is repeated for a colour model.

        Returns:
            None for models without a code, and for images of another size.
        """
        contract = self._colour.contract
        if contract.code is None or image.shape[:2] != contract.size:
            return None
        batch = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
        if contract.channels != batch.shape[1]:
            batch = batch.mean(1, keepdim=True).expand(-1, contract.channels, -1, -1)
        with torch.inference_mode():
            codes = self._colour.encode(batch.to(self.device)).cpu()
        return [float(value) for value in codes.flatten()]

    def _clean_windows(
        self, images: Sequence[Pixels], strength: float, size: tuple[int, int]
    ) -> None:
        """Clean images in place with a model of one size; those of that size share batches."""
        queue: list[Pixels] = []
        for image in images:
            if queue and (len(queue) == _WINDOWS or not _same_kind(queue[0], image)):
                self._flush_whole(queue, strength)
            if image.shape[:2] == size:
                queue.append(image)
            elif image.size:
                _mix(image, blend(unit(image), size, self._reconstruct), strength)
        self._flush_whole(queue, strength)

    def _flush_whole(self, queue: list[Pixels], strength: float) -> None:
        if queue:
            cleaned = self._reconstruct(np.stack([unit(image) for image in queue]))
            for image, result in zip(queue, cleaned, strict=True):
                _mix(image, result, strength)
            queue.clear()

    def _reconstruct(self, windows: Pixels) -> Pixels:
        """Pass N x H x W x C windows in [0, 1] through the model, whatever its channels.

        A grey model takes the channels of a colour image one by one; a colour model takes a
        grey image three times, and its results are averaged.
        """
        own, given = self._colour.contract.channels, windows.shape[3]
        batch = torch.from_numpy(np.ascontiguousarray(windows)).permute(0, 3, 1, 2)
        if own == 1 < given:
            batch = batch.reshape(-1, 1, *batch.shape[2:])
        elif own == 3 > given:
            batch = batch.expand(-1, 3, -1, -1)
        with torch.inference_mode(), as_asked(self.device):
            parts = [
                self._colour(batch[start : start + _WINDOWS].to(self.device)).cpu()
                for start in range(0, len(batch), _WINDOWS)
            ]
        result = torch.cat(parts)
        if not _is_finite(result):
            raise ImageError("the network's output is not finite; the weights are damaged")
        if own == 1 < given:
            result = result.reshape(-1, given, *result.shape[2:])
        elif own == 3 > given:
            result = result.mean(1, keepdim=True)
        return np.asarray(result.permute(0, 2, 3, 1).numpy())

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
            noisy = torch.from_numpy(batch).to(self.device).permute(0, 3, 1, 2)
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
            finite = _is_finite(residual)
            if precision != "fp32" and not finite:
                self.redone += len(tiles)
                residual = self._residual(seen, "fp32", twice=lights[0].twice)
                finite = _is_finite(residual)
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


def _is_finite(values: Tensor) -> bool:
    """Whether all are finite, as their sum tells in a fortieth of the time."""
    return bool(torch.isfinite(values.sum()))


def _same_kind(one: Pixels, other: Pixels) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype


def _mix(image: Pixels, cleaned: Pixels, strength: float) -> None:
    """Move an image in place towards its cleaned version in [0, 1]."""
    scale = full_range(image)
    before = unit(image)
    result = before + np.float32(strength) * (cleaned - before)
    image[...] = result if scale == 1.0 else np.rint(np.clip(result, 0, 1) * scale)


def _as_it_is(image: Pixels) -> Light:
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
