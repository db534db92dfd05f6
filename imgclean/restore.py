"""`Denoiser`: array in, array of the same shape and type out.

What surrounds the network is put together here; how it sees an image of any size is
`TiledNetwork`'s. Training validates through it too.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .checks import NO_UNIT, fraction, weights_named
from .coarse import SMALLEST, add_half, is_coarse, parts
from .devices import as_asked
from .drawn import keep_drawn
from .errors import ImageError, UsageError
from .faint import keep_detail, mix
from .impulses import put_impulses, remove_impulses
from .ink import Ink, measure_ink
from .out_of_focus import is_out_of_focus, share_of_half, take_half
from .pale import ink_contrast
from .pixels import full_range, halved, unit
from .second_look import add_change, change_from_afar, far_view, has_tones, near_view
from .small_print import SHARE, is_small
from .specks import remove_specks
from .stains import remove_stains
from .stars import keep_stars
from .streaks import add_streaks, count_lines, find_streaks, remove_streaks
from .stretch import put_back, stretch
from .texture import keep_texture
from .tiled_network import TiledNetwork, as_it_is, is_finite
from .weights import is_shipped, load_weights
from .white_point import Light, page_light
from .windows import blend

__all__ = ["Denoiser", "load"]

Pixels = NDArray[Any]

_TYPES = ("uint8", "uint16", "float32")
# Of Pillow's images: numbers of colours, which NumPy would take for brightness, and other colours.
_NO_RGB = ("P", "PA", "CMYK", "YCbCr", "LAB", "HSV", "La", "RGBa")
_WINDOWS = 256  # a pass, of models of one size


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
    weights = load_weights(weights_named(model))
    return Denoiser(
        weights,
        device=device,
        precision=precision,
        tile=tile,
        batch_size=batch_size,
        memory=memory,
    )


class Denoiser(TiledNetwork):
    """A loaded network that cleans images of any size; see `load` for the arguments.

    One for pages sees them without a scanner's streaks, see `streaks`, in even light, see
    `shading`, those on dark paper made brighter as a whole, see `white_point`, pale ink deeper than
    it is, see `pale`, and large ones once more from afar where tones are left, see `second_look`;
    at full strength thin strokes keep their hue, see `hues`; brown stains that text runs across and
    specks that lie all over go, see `stains` and `specks`. One whose weights have a network for it
    sees small print at twice the size too, see `small_print`; print that is out of focus is seen at
    half the size, see `out_of_focus`. Shipped weights for photos see images without salt and
    pepper, see `impulses`, those that use little of their range stretched, see `stretch`, remove
    coarse noise at half the size first, see `coarse`, less where there is hardly any, see `faint`,
    or where plain parts have far less, see `texture`, no stars, see `stars`, and none from
    drawings, see `drawn`; others are taken to know what they were trained on.
    """

    @cached_property
    def photos(self) -> bool:
        """Whether the weights are shipped ones for photos, which do the latter seven."""
        return not (self._size or self.pages) and is_shipped(self.weights)

    @property
    def name(self) -> str:
        """The weights' name."""
        return self.weights.name

    def __call__(self, image: Pixels, strength: float = 1.0) -> Pixels:
        """Clean one image.

        Args:
            image: H x W, H x W x 1, H x W x 3 or H x W x 4 (alpha passes through) of uint8,
                uint16 or float32; float images are on [0, 1], values outside are allowed.
            strength: 0 returns the input bit for bit, 1 the network's full output.

        Returns:
            A new array of the same shape and type. Integer types are rounded and clipped.

        Raises:
            UsageError: a shape, type or strength that is not listed above, no pixels at all,
                float pixels over 16 or under -16, which can hardly be on [0, 1], or an image of
                Pillow's that has a palette or other colours than RGB.
            ImageError: the image holds NaN or infinity.
        """
        if isinstance(image, str | bytes | os.PathLike):
            raise UsageError(f"{image!r}: give pixels as an array; denoise_folder takes paths")
        if (mode := getattr(image, "mode", None)) in _NO_RGB:
            raise UsageError(f'an image of mode {mode}: give its convert("RGB"), or "RGBA"')
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
        """Clean photos in place, their impulses first; see the class for what comes then."""
        impulses = [remove_impulses(image) for image in images]
        stretched = [
            None if there else stretch(image)  # black and white is all of the range
            for image, there in zip(images, impulses, strict=True)
        ]
        try:
            noisy = [image.copy() for image in images]
            coarse = [self._remove_coarse(image) for image in images]
            plain = [image for image, was in zip(images, coarse, strict=True) if not was]
            self._clean_pieces(plain, 1.0)
            for image, before, was, how, there in zip(
                images, noisy, coarse, stretched, impulses, strict=True
            ):
                if was:
                    self._clean_pieces([image], 1.0)
                keep_detail(before, image)
                keep_texture(before, image)
                keep_stars(before, image)
                if how is None:  # stretched, noise has gaps between its levels too
                    keep_drawn(before, image)
                if strength < 1:  # what was removed in full tells more than what is rounded
                    if there:
                        put_impulses(before, there)
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

    def _clean_pages(
        self, images: Sequence[Pixels], strength: float, *, whole: bool = True
    ) -> list[int]:
        """Clean pages in place: their streaks before the network, pictures and areas after it.

        Stains and specks last; not of pages that are not `whole`, but seen at half the size.
        """
        found = [find_streaks(image) for image in images]
        removed = [remove_streaks(*page) for page in zip(images, found, strict=True)]
        noisy = [image.copy() if whole and strength < 1 else None for image in images]
        inks = [measure_ink(image) for image in images]
        soft = [self._at_half(*page, strength) for page in zip(images, inks, strict=True)]
        lights = [self._light(*page) for page in zip(images, inks, strict=True)]
        afar = [far_view(image, 1 + x.twice) for image, x in zip(images, lights, strict=True)]
        self._clean_lit(images, strength, lights)
        for image, page, light, half in zip(images, afar, lights, soft, strict=True):
            if page is not None:
                self._look_again(image, page, strength, light)
            if half is not None:
                take_half(image, *half, strength)
        for image, before, streaks in zip(images, noisy, removed, strict=True):
            if whole:
                remove_stains(image, before, strength)
                remove_specks(image, before, strength)
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
        self._clean_pages([half], 1.0, whole=False)
        return half, share, None if strength == 1 else page.copy()

    def _light(self, page: Pixels, ink: Ink) -> Light:
        """How a page is shown, of the whole: its tiles cannot tell."""
        if page.size == 0:
            return as_it_is(page)
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
        if not is_finite(result):
            raise ImageError("the network's output is not finite; the weights are damaged")
        if own == 1 < given:
            result = result.reshape(-1, given, *result.shape[2:])
        elif own == 3 > given:
            result = result.mean(1, keepdim=True)
        return np.asarray(result.permute(0, 2, 3, 1).numpy())

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


def _same_kind(one: Pixels, other: Pixels) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype


def _mix(image: Pixels, cleaned: Pixels, strength: float) -> None:
    """Move an image in place towards its cleaned version in [0, 1]."""
    scale = full_range(image)
    before = unit(image)
    result = before + np.float32(strength) * (cleaned - before)
    image[...] = result if scale == 1.0 else np.rint(np.clip(result, 0, 1) * scale)
