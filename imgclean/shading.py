"""How unevenly a page is lit: its paper's brightness from place to place.

The network for pages looks at a place at a time. In half light pale stamps, highlighter and tinted
rows look like dirt to it, and blank paper like a picture. Seen as a whole the paper is what reaches
from the brightest paper into the shade without a step.
"""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import full_range

__all__ = ["Shading", "find_gutter", "find_shading"]

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

_CELLS = 440  # along the longer side
_FEWEST = 24  # along the shorter one
_STROKES, _WIDE = 5, 33  # cells: strokes are closed by so many, print and small pictures by these
_PAPER = 0.93  # of its surroundings' brightness
_BRIGHT = 0.85  # of the brightest: lit paper
_ENOUGH = 30  # lit cells of an area that is paper
_STEP = 0.07  # difference within 3 x 3 cells, of their brightness
_HUE = 0.07  # of the brightest channel, that two papers' channels differ by at most
_MARGIN = 0.03  # of the page, to which shade reaches at a side
_SHADOW, _SAME_HUE = 0.02, 0.03  # share of the page that one has at least; of the paper's hue
_ACROSS_EDGE, _CROSSED = 9, 0.2  # cells across its edge, and share of it that text crosses
_LINES = 5  # of text, at least
_PAGE, _LIT = 0.7, 0.25  # share of one side of a gutter that is the other page, and is lit paper
_DIMMEST = 0.5  # of lit paper's brightness, beyond a gutter: darker it may be a plate
_NEXT = 4  # cells, within which lit paper tells an outline
_ABRUPT = 1.25  # times as bright as the area, lit paper lies beyond an outline
_OUTLINED = 0.2  # share of the lit paper around that does so
_NOWHERE = np.float32(1e9)
_NEAR, _APART = 7, 1.12  # cells across an outline, and times as bright as beyond it
_OUTLINE, _VALLEY = 75, 121  # cells long, and across: what is darker and narrower is a picture then
_FINE = 2.0  # blur of what is paper, in cells
_KNOWN = 0.15  # support from which on a cell's own mean is all that counts
_DARKEST = 0.02  # of white: so dark is any that is darker
_SHADE = 1.15  # gain from which on a place is shade
_LEAST = 0.28  # share of the page that is
_DEEP = 0.07  # share that is darker than by `_STRONG`, beside a gutter: then less may be shade
_DARK, _MOST = 0.6, 0.08  # of its paper's brightness, and share of the shade that is so dark
_ACROSS, _WHOLE = 0.8, 0.97  # of the page's height or width, that one seems to have, and has
_BESIDE = 65  # cells, that span one
_GRADUAL, _SOFT = 1.25, 0.3  # times as bright within 3 x 3 cells, share of its outline that is so
_SEEN = 0.65  # share of the shade that is paper, where more of it may be dark
_INK, _WRITTEN = 0.15, 0.03  # depth of what is written, of its ground, and share of such paper
_LIGHTER, _FEW = 1.1, 0.02  # the same of what is lighter than any ink
_BLUER = 1.3  # red's gain by blue's, at most
_MILD = 1.25  # largest gain of a page that the network sees to by itself
_STRONG = 1.5  # that of one whose shade is made up for in full; deeper places are deep
_LARGEST = 2.5


@dataclass(frozen=True)
class Shading:
    """What to multiply the pixels of a page with so that its paper is evenly bright.

    Attributes:
        grid: h x w x C gains at the middles of cells, 1 to 2.5.
        shape: height and width of the page in pixels.
        origin: the row and column where the part that this is of begins.
    """

    grid: Plane
    shape: tuple[int, int]
    origin: tuple[int, int] = (0, 0)

    def part(self, top: int, left: int) -> "Shading":
        """That of a part that begins so many pixels further down and right."""
        return replace(self, origin=(self.origin[0] + top, self.origin[1] + left))

    def gains(self, rows: NDArray[Any], columns: NDArray[Any]) -> Plane:
        """The gains at all of h rows and w columns of this part, h x w x C.

        Args:
            rows: where they are, in pixels; the middle of the first is at 0.5.
            columns: likewise.
        """
        grid = self.grid
        for axis, place in enumerate((rows, columns)):
            cells = grid.shape[axis]
            there = (place + self.origin[axis]) * (cells / self.shape[axis]) - 0.5
            there = np.clip(there, 0, cells - 1)
            first = np.minimum(there.astype(np.intp), max(cells - 2, 0))
            share = (there - first).astype(np.float32).reshape(-1, *[1] * (2 - axis))
            low, high = (np.take(grid, np.minimum(first + n, cells - 1), axis) for n in (0, 1))
            grid = low + share * (high - low)
        return grid


def find_shading(page: NDArray[np.generic]) -> Shading | None:
    """The shading of a page; None where it is even, or no paper is found.

    Paper is what is as bright as the closing of its surroundings, joined to the brightest paper by
    steps of less than 7 % within 3 x 3 cells, and of its hue where it is as bright. Shade reaches a
    side of the page, and has no outline, as soft pictures have; or text runs into it across a hard
    edge. In between it is filled in by pull and push (Gortler et al., 1996). Some three tenths of
    the page or more lie in the shade, or less beside a deep gutter or under a hard shadow. Little
    there is much darker than its paper would be, next to nothing lighter, and it is not much bluer:
    else it may be part of a photo, or a printed panel with light words. Where most of it is paper,
    a gutter that runs along or across the page may be dark, and pictures among lines of text. Where
    paper has a long outline with paper of other brightness beyond it, a picture was taken for some;
    then what is darker and narrower than pictures are is made as bright as what lies around it.

    Args:
        page: H x W x C with C in {1, 3}, uint8, uint16 or float32.
    """
    cells = _in_cells(page)
    if cells is None:
        return None
    ground = _closed(cells, _STROKES).reshape(cells.shape)
    even = _even(ground)
    paper = _paper(ground, even)
    if not paper.any():
        return None
    outlined = _outlined(ground.max(axis=2), paper)
    shadows = _shadows(cells, ground, paper, even, _gutter(cells))
    paper |= shadows
    light = _filled(ground, paper)
    if outlined:
        light = _closed(light, _VALLEY).reshape(light.shape)
    gains = np.quantile(light[paper], 0.98, axis=0) / light
    lost = gains.min(axis=2)  # in the brightest channel: stains lose most in blue
    shade = lost > _SHADE
    share = np.clip((lost[paper].max() - _MILD) / (_STRONG - _MILD), 0, 1)
    if share == 0 or not shade.any():
        return None
    there, around, seen = (x.max(axis=2) for x in (light, ground, cells))
    dark = shade & (around < _DARK * there)
    gutter = _across(dark, _ACROSS)
    deep = gutter.any() and np.mean(lost > _STRONG) >= _DEEP
    if shade.mean() < _LEAST and not (deep or shadows.any()):
        return None
    if dark[shade].mean() > _MOST:
        if paper[shade].mean() < _SEEN:
            return None
        written = np.mean((around - seen > _INK * around)[shade & paper]) >= _WRITTEN
        if not written and (dark & ~gutter)[shade].mean() > _MOST:
            return None
    bluer = np.median(gains[shade][:, 0] / gains[shade][:, -1])
    if np.mean((seen > _LIGHTER * there)[shade]) > _FEW or bluer > _BLUER:
        return None
    return Shading((np.clip(gains, 1, _LARGEST) ** share).astype(np.float32), page.shape[:2])


def find_gutter(page: NDArray[np.generic]) -> Mask | None:
    """Where a page is as dark as a gutter, h x w cells; None where it has none.

    That is much darker than what lies at both sides, or at one at the page's edge, and runs from
    one side of the page to the other. Light falls towards it, at least at one of its sides: a
    printed bar has edges.

    Args:
        page: H x W x C with C in {1, 3}, uint8, uint16 or float32.
    """
    cells = _in_cells(page)
    gutter = None if cells is None else _gutter(cells)
    return gutter if gutter is not None and gutter.any() else None


def _gutter(cells: Plane) -> Mask:
    """Which of h x w cells, H x W x C, are a gutter's."""
    ground = _closed(cells.max(axis=2), _STROKES)
    gutter = _across(ground < _DARK * _closed(ground, _BESIDE), _WHOLE)
    around = np.ones((3, 3), np.uint8)
    count, labels = cv2.connectedComponents(gutter.view(np.uint8), connectivity=8)
    for label in range(1, count):
        area = labels == label
        outline = (cv2.dilate(area.view(np.uint8), around) > 0) & ~area
        steps = cv2.dilate(ground, around)[outline] / cv2.erode(ground, around)[outline]
        gutter &= ~area | bool(np.mean(steps < _GRADUAL) >= _SOFT)
    return gutter


def _in_cells(page: NDArray[np.generic]) -> Plane | None:
    """A page made small, h x w x C on [0, 1]; None where that is too small."""
    height, width, channels = page.shape
    times = max(max(height, width) / _CELLS, 1)
    down, across = round(height / times), round(width / times)
    if min(down, across) < _FEWEST:
        return None
    cells = cv2.resize(page, (across, down), interpolation=cv2.INTER_AREA).astype(np.float32)  # type: ignore[arg-type, call-overload, unused-ignore]  # stub's gap
    cells = np.fmax(cells / np.float32(full_range(page)), np.float32(_DARKEST))
    return np.asarray(cells.reshape(down, across, channels), np.float32)


def _closed(plane: Plane, side: int) -> Plane:
    kernel = np.ones((side, side), np.uint8)
    return np.asarray(cv2.morphologyEx(plane, cv2.MORPH_CLOSE, kernel), np.float32)


def _paper(ground: Plane, even: Mask) -> Mask:
    """Which of h x w cells, H x W x C, are paper, of those that are even."""
    light = ground.max(axis=2)
    bright = light > _BRIGHT * np.quantile(_closed(light, _WIDE), 0.98)
    labels = cv2.connectedComponents(even.view(np.uint8), connectivity=4)[1]
    count = np.bincount(labels[even & bright], minlength=labels.max() + 1)
    hues = ground / light[..., None]
    usual: Plane | None = None
    paper = np.zeros(len(count), bool)
    for label in np.argsort(-count):
        if count[label] < _ENOUGH:
            break
        hue = np.median(hues[(labels == label) & bright], axis=0)
        usual = hue if usual is None else usual
        paper[label] = np.abs(hue - usual).max() < _HUE
    return _in_shade(np.asarray(paper[labels]), light, bright)


def _across(dark: Mask, least: float) -> Mask:
    """What of the dark reaches along or across so much of the page, as gutters do."""
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(dark.view(np.uint8), connectivity=8)
    long = np.zeros(len(boxes), bool)
    for column, length in ((cv2.CC_STAT_HEIGHT, len(dark)), (cv2.CC_STAT_WIDTH, dark.shape[1])):
        long[1:] |= boxes[1:, column] >= least * length
    return np.asarray(long[labels])


def _even(ground: Plane) -> Mask:
    """Which of h x w cells, H x W x C, are as bright as their surroundings, without a step."""
    light = ground.max(axis=2)
    soft = cv2.GaussianBlur(ground, (0, 0), 0.8).reshape(ground.shape)
    kernel = np.ones((3, 3), np.uint8)
    steps = cv2.morphologyEx(soft, cv2.MORPH_GRADIENT, kernel).reshape(soft.shape) / soft
    return np.asarray((light > _PAPER * _closed(light, _WIDE)) & (steps.max(axis=2) < _STEP))


def _shadows(cells: Plane, ground: Plane, paper: Mask, even: Mask, gutter: Mask) -> Mask:
    """What is paper too, in a shadow with a hard edge, which lines of text cross, or a gutter.

    It is even, reaches a side of the page, and has the hue of the paper. Panels are printed around
    their own text: lines end before their edges, or lie along them. Beyond a gutter it is most of a
    page.
    """
    light = ground.max(axis=2)
    hues = ground / light[..., None]
    lit, usual = np.median(light[paper]), np.median(hues[paper], axis=0)
    strokes = light - cells.max(axis=2) > _INK * light
    found = np.zeros_like(paper)
    apart = (even & ~paper).view(np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(apart, connectivity=4)
    near = np.ones((_ACROSS_EDGE, _ACROSS_EDGE), np.uint8)
    line, slopes = _along_lines(strokes, light)
    beside = cv2.dilate(paper.view(np.uint8), near) > 0
    pages = [pair for pair in _sides(gutter) if paper[pair[0]].sum() > _LIT * paper[pair[0]].size]
    for label in range(1, count):
        small = boxes[label, cv2.CC_STAT_AREA] < _SHADOW * paper.size
        if small or _is_inside(boxes[label], paper.shape):
            continue
        area = labels == label
        dim = float(np.median(light[area]))
        if np.abs(np.median(hues[area], axis=0) - usual).max() > _SAME_HUE or dim > lit:
            continue
        if dim > _DIMMEST * lit and any(
            area[far].sum() > _PAGE * area[far].size and not area[there].any()
            for there, far in pages
        ):
            found |= area
            continue
        around = cv2.dilate(area.view(np.uint8), near) > 0
        edge, darker = around & beside, light < np.sqrt(dim * lit)
        edge &= slopes
        written = [
            cv2.dilate((strokes & where).view(np.uint8), line) > 0
            for where in (around & darker, beside & ~darker)
        ]
        crossed = edge & written[0] & written[1]
        lines = cv2.connectedComponents(crossed.view(np.uint8), connectivity=8)[0] - 1
        if lines >= _LINES and crossed.sum() >= _CROSSED * edge.sum():
            found |= area
    return found


def _sides(gutter: Mask) -> list[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """What lies on one and on the other side of each gutter, both ways round."""
    height, width = gutter.shape
    boxes = cv2.connectedComponentsWithStats(gutter.view(np.uint8), connectivity=8)[2][1:]
    sides = []
    for left, top, across, down in boxes[:, :4]:
        if down >= _WHOLE * height:
            pair = np.s_[:, :left], np.s_[:, left + across :]
        else:
            pair = np.s_[:top, :], np.s_[top + down :, :]
        sides += [pair, pair[::-1]]
    return sides


def _along_lines(strokes: Mask, light: Plane) -> tuple[NDArray[np.uint8], Mask]:
    """A kernel along lines of text, and the cells where the light falls that way.

    Letters stand closer to each other than lines: along these strokes grow less.
    """
    kernels = [np.ones(shape, np.uint8) for shape in ((1, _ACROSS_EDGE), (_ACROSS_EDGE, 1))]
    grown = [np.count_nonzero(cv2.dilate(strokes.view(np.uint8), kernel)) for kernel in kernels]
    soft = cv2.GaussianBlur(light, (0, 0), 2)
    across, down = (np.abs(cv2.Sobel(soft, cv2.CV_32F, *way)) for way in ((1, 0), (0, 1)))
    return (kernels[0], across > down) if grown[0] <= grown[1] else (kernels[1], down > across)


def _is_inside(box: NDArray[np.int32], shape: tuple[int, ...]) -> bool:
    """Whether an area's box, left, top, width and height first, is near no side of the page."""
    first, size, sides = box[:2], box[2:4], np.array(shape[::-1])
    return bool((first > _MARGIN * sides).all() and (first + size < (1 - _MARGIN) * sides).all())


def _in_shade(paper: Mask, light: Plane, bright: Mask) -> Mask:
    """Paper without what is dark and no shade: that does not reach the side, or has an outline."""
    paper = paper.copy()
    dark = (paper & ~bright).view(np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    square = np.ones((2 * _NEXT + 1, 2 * _NEXT + 1), np.uint8)
    for label in range(1, count):
        first, size = boxes[label, :2], boxes[label, 2:4]
        left, top = np.maximum(first - _NEXT, 0)
        right, bottom = first + size + _NEXT
        place = np.s_[top:bottom, left:right]
        area = labels[place] == label
        lowest = cv2.erode(np.where(area, light[place], _NOWHERE), square)
        around = paper[place] & bright[place] & (lowest < _NOWHERE)
        steps = np.count_nonzero(light[place][around] > _ABRUPT * lowest[around])
        inside = _is_inside(boxes[label], paper.shape)
        if inside or steps > _OUTLINED * np.count_nonzero(around):
            paper[place] &= ~area
    return paper


def _outlined(light: Plane, paper: Mask) -> bool:
    """Whether paper has a long outline across which it is of another brightness: a picture's.

    That is as bright as the paper in one place, and is joined to it there.
    """
    near = np.ones((_NEAR, _NEAR), np.uint8)
    line = (cv2.morphologyEx(paper.view(np.uint8), cv2.MORPH_CLOSE, near) > 0) & ~paper
    brightest = cv2.dilate(np.where(paper, light, 0), near)
    darkest = cv2.erode(np.where(paper, light, _NOWHERE), near)
    abrupt = (line & (brightest > _APART * darkest)).view(np.uint8)
    boxes = cv2.connectedComponentsWithStats(abrupt, connectivity=8)[2][1:]
    longest = boxes[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(initial=0)
    return bool(longest >= _OUTLINE)


def _filled(ground: Plane, paper: Mask) -> Plane:
    """The brightness of the paper, on all of h x w x C cells; no steps where none is near."""
    weights = cv2.GaussianBlur(paper.astype(np.float32), (0, 0), _FINE)[..., None]
    sums = cv2.GaussianBlur(ground * paper[..., None], (0, 0), _FINE).reshape(ground.shape)
    light = _pulled_and_pushed(sums, weights)
    return np.asarray(cv2.GaussianBlur(light, (0, 0), 1.5).reshape(ground.shape), np.float32)


def _pulled_and_pushed(sums: Plane, weights: Plane) -> Plane:
    """Means of h x w x C weighted values, those of coarser cells where little is known of one."""
    most = np.maximum(weights, np.float32(_KNOWN))
    share = weights / most
    mean = np.asarray(sums / np.maximum(weights, np.float32(1e-6)), np.float32)
    if max(mean.shape[:2]) == 1:
        return mean
    pulled = [np.asarray(cv2.pyrDown(plane / most), np.float32) for plane in (sums, weights)]
    scale = np.float32(_KNOWN)  # so that a coarser cell is known by the share of it that is
    above = _pulled_and_pushed(*(scale * plane.reshape(*plane.shape[:2], -1) for plane in pulled))
    pushed = cv2.resize(above, mean.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(share * mean + (1 - share) * pushed.reshape(mean.shape), np.float32)
