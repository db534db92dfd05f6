"""How much brighter to show a page to a network that learnt light paper, and how much less tinted.

Faint ink on yellowed paper has a depth of its own in each channel, and paper that is dark in blue
hides what is left of it there. Where the paper is grey, what differs in colour is ink.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from .pixels import full_range
from .shading import Shading, find_shading

__all__ = [
    "Light",
    "ground_of",
    "local_gains",
    "page_light",
    "paper_between",
    "paper_gains",
    "smooth",
]

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

_WHITE = 0.93  # what dark paper is brought to, of white
_LIGHT, _DARK = 0.9, 0.8  # from where on it goes a part of the way there, and all of it
_LARGEST = 2.0
_BRIGHT = 0.98  # the share of a page that may not be brighter than its paper
_NEARLY, _PAPER = 0.7, 0.4  # of the paper's brightness has to be this share of a page
_SIDE = 128  # pixels of the smaller copy that is looked at: there is little noise, and few strokes
_STROKE, _STEP = 9, 20  # pixels of what is sampled, and of 255: thinner, and more than that apart
_NEGATIVE = 3  # times as many pixels in light strokes as in dark ones
_GREY = 0.94  # what tinted paper is brought to in each channel
_TINTED = 0.1  # from where on it is that; less darker than the brightest channel goes a part
_USUAL, _ALIKE = 0.9, (0.9, 1.05)  # the quantile of light paper, and what is like it
_TINT = 2.2  # the largest gain of a channel
_HEADROOM = 1.1  # of what is brighter than the paper: that much of it may be cut off
_LIMIT = 0.98  # what places brighter than the paper are brought to at most
_ABRUPT, _SAME = 1.1, 1.02  # ratio of neighbouring gains at a label's outline, and within it
_LEAST_PAPER = 0.85  # of white, as bright as paper is made at least
_BAND = 256  # rows of cells that are looked at in one go
_CLOSED, _CELL = 7, 4  # cells of so many pixels, over which ink takes its surroundings' brightness


@dataclass(frozen=True)
class Light:
    """How a page, or a part of one, is shown to the network.

    Attributes:
        gains: C numbers, of `paper_gains`.
        between: which cells of 4 x 4 pixels are paper between labels that are brighter than it,
            which only the whole page tells; None where nothing is.
        shading: what it is multiplied with as well, from place to place; None where it is even.
        contrast: how many times as deep its ink is shown, of `pale.ink_contrast`.
        twice: whether it is shown at twice the size, of `small_print.is_small`.
    """

    gains: Plane
    between: Mask | None = None
    shading: Shading | None = None
    contrast: float = 1.0
    twice: bool = False

    @property
    def plain(self) -> bool:
        """Whether its paper is shown as it is."""
        return bool(self.gains.max() <= 1) and self.shading is None

    def part(self, rows: slice, columns: slice) -> "Light":
        """That of some of the pixels; both begin at multiples of 4."""
        shading = self.shading and self.shading.part(rows.start, columns.start)
        cut = tuple(slice(s.start // _CELL, -(-s.stop // _CELL)) for s in (rows, columns))
        between = None if self.between is None else self.between[cut]
        return replace(self, between=between, shading=shading)

    def padded(self, height: int, width: int) -> Mask:
        """`between` for a part that was padded to so many pixels, h x w cells."""
        size = (-(-height // _CELL), -(-width // _CELL))
        if self.between is None:
            return np.zeros(size, bool)
        more = [(0, n - m) for n, m in zip(size, self.between.shape, strict=True)]
        return np.pad(self.between, more, mode="edge")

    def at(self, height: int, width: int) -> Plane:
        """The gains of a part that was padded to so many pixels, C x h x w cells or C x 1 x 1."""
        if self.shading is None:
            return self.gains[:, None, None]
        rows, columns = (_CELL * np.arange(-(-n // _CELL)) + _CELL / 2 for n in (height, width))
        return np.moveaxis(self.shading.gains(rows, columns) * self.gains, 2, 0)


def paper_gains(page: NDArray[np.generic], shading: Shading | None = None) -> Plane:
    """What to multiply the channels of a page with so that its paper is nearly white, and grey.

    Args:
        page: H x W x C with C in {1, 3}, uint8, uint16 or float32.
        shading: what its pixels are multiplied with as well.

    Returns:
        C numbers of 1 to 2.2; 1 where the paper is light and grey, where hardly anything is as
        bright as the brightest, as in most pictures, and in negatives, such as blueprints.
    """
    coarse = _sampled(page, shading)
    size = [max(1, round(n * min(1, _SIDE / max(coarse.shape[:2])))) for n in coarse.shape[:2]]
    small = cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    small = np.asarray(small, np.float32).reshape(*size, page.shape[2])
    light = small.max(axis=2)  # the brightest channel: as a whole tinted paper is no darker
    bright = float(np.quantile(light, _BRIGHT))
    gains = np.ones(page.shape[2], np.float32)
    if bright <= 0 or np.mean(light >= _NEARLY * bright) < _PAPER or _is_negative(coarse):
        return gains
    share = np.clip((_LIGHT - bright) / (_LIGHT - _DARK), 0, 1)
    gains *= np.float32(min(1 + share * (_WHITE / bright - 1), _LARGEST))
    return np.maximum(gains, _untinted(coarse, small, gains[0])) if len(gains) > 1 else gains


def page_light(page: NDArray[np.generic]) -> Light:
    """How to show a page as a whole: its shading and gains, and what is paper between labels.

    Args:
        page: H x W x C with C in {1, 3}, uint8, uint16 or float32.
    """
    shading = find_shading(page)
    light = Light(paper_gains(page, shading), None, shading)
    return light if light.plain else replace(light, between=paper_between(page, light))


def paper_between(page: NDArray[np.generic], light: Light) -> Mask | None:
    """Which cells of 4 x 4 pixels are paper between labels; None where nothing is too bright.

    Args:
        page: as for `page_light`.
        light: the gains and the shading that it will be multiplied with.
    """
    rows, columns = (n // _CELL for n in page.shape[:2])
    if not rows or not columns:
        return None
    paper, bright = np.zeros((2, rows, columns), bool)
    kernel = np.ones((_CLOSED, _CLOSED), np.uint8)
    for top in range(0, rows, _BAND):  # of a large page all cells at once would be large too
        begin, end = max(0, top - _CLOSED), min(rows, top + _BAND + _CLOSED)
        part = page[_CELL * begin : _CELL * end, : _CELL * columns]
        small = cv2.resize(part, (columns, end - begin), interpolation=cv2.INTER_AREA)
        cells = small.astype(np.float32).reshape(end - begin, columns, -1)
        there = light.part(slice(_CELL * begin, _CELL * end), slice(0, _CELL * columns))
        gains = np.moveaxis(there.at(*part.shape[:2]), 0, 2)
        cells *= gains / np.float32(full_range(page))
        ground = cv2.morphologyEx(cells, cv2.MORPH_CLOSE, kernel).reshape(cells.shape)
        core, target = slice(top - begin, top - begin + _BAND), slice(top, top + _BAND)
        bright[target] = (ground > _LIMIT).any(axis=2)[core]
        paper[target] = ((cells >= _LEAST_PAPER) & (cells <= _LIMIT)).all(axis=2)[core]
    if not bright.any():
        return None
    found = _between(paper, bright)
    more = [(0, -(-n // _CELL) - m) for n, m in zip(page.shape, found.shape, strict=False)]
    return np.pad(found, more, mode="edge")


def local_gains(pages: Tensor, gains: Tensor, between: Tensor) -> Tensor:
    """The gains where they cut nothing off: less in a label or a glare brighter than the paper.

    How bright a place is tells its closing with a square of 28 pixels (Meyer, 1979), so that ink
    there is multiplied with what its own ground is; but what is as bright as the paper, and joined
    to it, is paper between labels. Where an outline crosses 4 pixels each pixel goes by itself.

    Args:
        pages: N x C x H x W on [0, 1].
        gains: N x C x 1 x 1, or N x C x h x w for cells of 4 x 4 pixels, at least 1.
        between: N x h x w, which cells are paper between labels, see `Light`.

    Returns:
        N x C x H x W of 1 to `gains`, less where a place would be brighter than 0.98; `gains` as
        they are where none would and they are the same everywhere.
    """
    cells = functional.avg_pool2d(pages, _CELL, ceil_mode=True)
    ground = _closed(cells)
    if not bool((ground * gains > _LIMIT).any()):
        return smooth(gains, pages) if gains.shape[2:] == cells.shape[2:] else gains
    ground = torch.where(between[:, None], cells, ground)
    most = torch.minimum((_LIMIT / ground.clamp(min=_LIMIT / _TINT)).clamp(min=1), gains)
    each = smooth(most, pages)
    least, largest = -_highest(-most, 3), _highest(most, 3)
    rim = largest > _ABRUPT * least
    mixed = (most > _SAME * least) & (_SAME * most < largest)
    image, channel, row, column = (x[:, None, None] for x in rim.nonzero(as_tuple=True))
    offset = torch.arange(_CELL, device=pages.device)
    rows = (_CELL * row + offset[:, None]).clamp(max=pages.shape[2] - 1)
    place = (image, channel, rows, (_CELL * column + offset).clamp(max=pages.shape[3] - 1))
    least, largest, most, mixed = (x[rim][:, None, None] for x in (least, largest, most, mixed))
    own = torch.maximum(_LIMIT / pages[place].clamp(min=_LIMIT / _TINT), least)
    each[place] = torch.where(mixed, torch.minimum(own, largest), most)
    return each


def ground_of(pages: Tensor) -> Tensor:
    """The brightness without ink of cells of 4 x 4 pixels: N x C x H x W to N x C x h x w."""
    return _closed(functional.avg_pool2d(pages, _CELL, ceil_mode=True))


def _closed(cells: Tensor) -> Tensor:
    return -_highest(-_highest(cells, _CLOSED), _CLOSED)


def smooth(cells: Tensor, pages: Tensor) -> Tensor:
    """Cells as pixels of the pages, linear between their centres."""
    size = pages.shape[2:]
    return functional.interpolate(cells, size, mode="bilinear", align_corners=False)


def _between(paper: Mask, bright: Mask) -> Mask:
    """Which of h x w cells are paper although the closing makes them bright.

    It is joined to paper that lies outside, however far along a gap between labels.

    Args:
        paper: as bright as the gains make paper.
        bright: brighter than that, as the closing has it.
    """
    labels = cv2.connectedComponents(paper.view(np.uint8), connectivity=4)[1]
    outside = np.zeros(labels.max() + 1, bool)
    outside[labels[paper & ~bright]] = True
    return np.asarray(paper & bright & outside[labels])


def _highest(cells: Tensor, side: int) -> Tensor:
    """Of N x C x h x w the highest in a square around each."""
    for kernel, pad in (((side, 1), [0, 0, side // 2, side // 2]),
                        ((1, side), [side // 2, side // 2, 0, 0])):  # fmt: skip
        padded = functional.pad(cells, pad, mode="replicate")
        cells = functional.max_pool2d(padded, kernel, stride=1)
    return cells


def _sampled(page: NDArray[np.generic], shading: Shading | None) -> Plane:
    """Some 512 to 1,024 pixels of the longer side, white being 1, off any grid of rules."""
    rng, longer = np.random.default_rng(0), max(page.shape[:2])
    step = max(1, longer // (4 * _SIDE))
    rows, columns = (
        np.arange(0, side - step + 1, step) + rng.integers(0, step, side // step)
        if side >= step
        else np.arange(1)
        for side in page.shape[:2]
    )
    sampled = page[np.ix_(rows, columns)].astype(np.float32) / np.float32(full_range(page))
    if shading is not None:
        sampled *= shading.gains(rows + 0.5, columns + 0.5)
    return np.asarray(sampled, np.float32)


def _is_negative(coarse: Plane) -> bool:
    """Whether a page is dark, and its thin strokes are light (top-hats of Meyer, 1979)."""
    plane = np.clip(255 * coarse.max(axis=2), 0, 255).astype(np.uint8)
    if np.median(plane) > 127:
        return False
    kernel = np.ones((_STROKE, _STROKE), np.uint8)
    light, dark = (
        np.count_nonzero(cv2.morphologyEx(plane, way, kernel) > _STEP)
        for way in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT)
    )
    return bool(light > _NEGATIVE * dark)


def _untinted(coarse: Plane, small: Plane, gain: np.float32) -> Plane:
    """What makes the paper's median grey; less where much is brighter than it, as pasted strips.

    Args:
        coarse: pixels of the page, as they are: in means of them coloured rules would be a tint.
        small: h x w x 3, the page.
        gain: that will be applied anyway.
    """
    usual = np.quantile(small.max(axis=2), _USUAL, method="nearest")
    pixels = coarse[::2, ::2].reshape(-1, coarse.shape[2])
    light = pixels.max(axis=1)
    alike = pixels[(light >= _ALIKE[0] * usual) & (light <= _ALIKE[1] * usual)]
    if not len(alike):
        return np.full(coarse.shape[2], gain, np.float32)
    paper = np.maximum(np.median(alike, axis=0), 1e-3)
    white = gain * paper.max()
    tint = np.clip((1 - paper.min() / paper.max()) / _TINTED, 0, 1)
    wanted = np.clip((white + tint * max(_GREY - white, 0)) / paper, 1, _TINT)
    brightest = np.maximum(np.quantile(small, _BRIGHT, axis=(0, 1)), 1e-3)
    return np.asarray(np.minimum(wanted, np.maximum(_HEADROOM / brightest, gain)), np.float32)
