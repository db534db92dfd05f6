"""The pictures of a report, as WebP within a number of bytes.

Few images are shown whole at full size. Of many the whole is scaled down, and a crop at the
place of the largest error stays at true size, so that there is always a place to look at pixels.
What a method removed is computed from the original pixels, never from compressed ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .report_contents import Group
from .report_webp import Pixels, open_picture, webp, within
from .scores import NOISY

__all__ = ["CLEAN", "Layer", "Pictures", "embed"]

CLEAN = "clean"

Box = tuple[int, int, int, int]  # left, top, width, height

_FACTORS = (32, 16, 8, 4, 2, 1)
_BASE64 = 4 / 3
_PLENTY = 1_200_000  # bytes for one image, however few there are
_ROOMY = 0.6  # of its share: the next image may be better
_LONGEST = 16_000  # pixels; WebP holds 16,383


@dataclass(frozen=True)
class _Rung:
    """How large and how good: longest side of the whole, side of the crop, WebP quality.

    `least` is how many bytes a pixel of the whole takes at the very least, from plain pages.
    """

    side: int
    crop: int
    quality: int
    least: float = 0.0


_LADDER = (
    _Rung(_LONGEST, 0, 100, 0.4),
    _Rung(_LONGEST, 0, 90, 0.05),
    _Rung(_LONGEST, 0, 78, 0.03),
    _Rung(_LONGEST, 0, 60, 0.02),
    _Rung(900, 224, 60, 0.02),
    _Rung(720, 192, 50),
    _Rung(560, 160, 42),
    _Rung(440, 128, 36),
    _Rung(340, 112, 32),
    _Rung(260, 96, 30),
    _Rung(200, 88, 26),
    _Rung(144, 80, 20),
)


@dataclass(frozen=True)
class Layer:
    """One version of an image: data URIs, empty where there is no such picture.

    Attributes:
        method: `NOISY`, `CLEAN` or the name of a method.
        whole: the picture, perhaps scaled down.
        detail: the crop at true size; empty where the whole is.
        removed: noisy less this version, amplified, around middle grey; scaled as the whole.
        removed_detail: the same, of the crop.
        factor: by how much what was removed is amplified.
        file: the picture's file, relative to the folder.
    """

    method: str
    whole: str
    detail: str
    removed: str
    removed_detail: str
    factor: int
    file: str


@dataclass(frozen=True)
class Pictures:
    """The versions of one image at one noise level.

    Attributes:
        width: of the original, in pixels.
        height: of the original, in pixels.
        scale: of the whole pictures, 1.0 for full size.
        quality: of WebP; 100 is lossless.
        box: where the largest error is, and the crop: left, top, width, height.
        layers: noisy, every method, clean.
    """

    width: int
    height: int
    scale: float
    quality: int
    box: Box
    layers: Sequence[Layer]


def embed(
    groups: Sequence[Group], folder: Path, *, limit: int, first: str
) -> Iterator[tuple[Group, Pictures]]:
    """Encode what the groups show, in their order, within `limit` bytes of text in all.

    Every image gets a share of what is left. If not even the smallest pictures fit, the last
    images have none, and of an image at several noise levels the worst comes first.

    Args:
        groups: worst first.
        folder: where the scores' pictures are.
        limit: in bytes of base64 text.
        first: the method whose largest error is shown in detail.
    """
    waiting = list(_each_image_first(groups))
    left, start = limit / _BASE64, 0
    for position, group in enumerate(waiting):
        versions = _read(group, folder)
        if not versions:
            continue
        share = min(_PLENTY, left / (len(waiting) - position))
        encoded = _fit(versions, group, share, start, first)
        if encoded is None:
            encoded = _fit(versions, group, left, len(_LADDER) - 1, first)
        if encoded is None:
            return
        rung, size, pictures = encoded
        left -= size
        start = max(0, rung - 1) if size < _ROOMY * share else rung
        yield group, pictures


def _each_image_first(groups: Sequence[Group]) -> Iterator[Group]:
    """Each image once, then each at its next noise level, and so on."""
    turns: dict[str, int] = {}
    order = []
    for group in groups:
        turns[group.image] = turns.get(group.image, -1) + 1
        order.append((turns[group.image], group.number, group))
    yield from (group for _, _, group in sorted(order, key=lambda entry: entry[:2]))


def _read(group: Group, folder: Path) -> dict[str, tuple[str, Pixels]]:
    """File and pixels of every version that is there and of one size, in order."""
    files: dict[str, str] = {}
    for role in (NOISY, CLEAN):
        found = (score.pictures.get(role) for score in group.scores.values())
        files[role] = next((file for file in found if file), "")
    methods = {
        method: score.pictures.get("denoised", "")
        for method, score in group.scores.items()
        if method != NOISY
    }
    order = {NOISY: files[NOISY], **methods, CLEAN: files[CLEAN]}
    opened = {
        method: (file, pixels)
        for method, file in order.items()
        if file and (pixels := open_picture(folder / file)) is not None
    }
    shapes = [pixels.shape for _, pixels in opened.values()]
    return {m: (f, p) for m, (f, p) in opened.items() if p.shape == shapes[0]}


def _fit(
    versions: Mapping[str, tuple[str, Pixels]], group: Group, share: float, start: int, first: str
) -> tuple[int, float, Pictures] | None:
    """The best rung from `start` on whose pictures take no more than `share` bytes."""
    pixels = [pixels for _, pixels in versions.values()]
    height, width = pixels[0].shape[:2]
    for number in range(start, len(_LADDER)):
        rung = _LADDER[number]
        scale = min(1.0, rung.side / max(height, width))
        if scale**2 * height * width * len(pixels) * rung.least > share:
            continue
        box = _worst_place(versions, first, rung.crop or 128)
        layers = []
        size = 0.0
        for layer in _layers(versions, rung, scale, box):
            layers.append(layer)
            texts = (layer.whole, layer.detail, layer.removed, layer.removed_detail)
            size += sum(map(len, texts)) / _BASE64
            if size > share:
                break
        else:
            return (
                number,
                size,
                Pictures(width, height, scale, rung.quality, box, layers),
            )
    return None


def _layers(
    versions: Mapping[str, tuple[str, Pixels]], rung: _Rung, scale: float, box: Box
) -> Iterator[Layer]:
    left, top, width, height = box
    noisy = versions.get(NOISY)
    side = round(scale * max(next(iter(versions.values()))[1].shape[:2]))

    def both(pixels: Pixels, quality: int) -> tuple[str, str]:
        whole = webp(within(pixels, side), quality)
        if scale == 1:
            return whole, ""
        crop = pixels[top : top + height, left : left + width]
        return whole, webp(crop, quality + 30)

    for method, (file, pixels) in versions.items():
        whole, detail = both(pixels, rung.quality)
        removed, removed_detail, factor = "", "", 1
        if noisy and method != NOISY:
            residual = noisy[1] - pixels
            factor = _factor(residual)
            removed, removed_detail = both(0.5 + factor * residual, _of_noise(rung.quality))
        yield Layer(method, whole, detail, removed, removed_detail, factor, file)


def _of_noise(quality: int) -> int:
    """Amplified noise takes most bytes; of few images it is as good as the rest."""
    return quality if quality >= 78 else max(15, quality - 25)


def _factor(residual: Pixels) -> int:
    """The largest power of two that clips no more than a fifth of what was removed."""
    most = float(np.percentile(np.abs(residual[::2, ::2]), 80))
    return next((factor for factor in _FACTORS if factor * most <= 0.5), 1)


def _worst_place(versions: Mapping[str, tuple[str, Pixels]], first: str, side: int) -> Box:
    """The square with the largest error or, where truth is unknown, the largest change."""
    result = versions.get(first) or next(iter(versions.values()))
    truth = versions.get(CLEAN) or versions.get(NOISY) or result
    error = ((result[1] - truth[1]) ** 2).mean(axis=2)
    height, width = error.shape
    down, across = min(side, height), min(side, width)
    total = cv2.boxFilter(error, cv2.CV_32F, (across, down), anchor=(0, 0), normalize=False)
    inside = total[: height - down + 1, : width - across + 1]
    top, left = np.unravel_index(int(np.argmax(inside)), inside.shape)
    return int(left), int(top), across, down
