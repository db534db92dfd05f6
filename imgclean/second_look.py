"""A page cleaned a second time, from afar, to put right what a network took for the other thing.

A network sees a few hundred pixels around each one. In the middle of a large picture that might as
well be dirt, and is brightened to white; dirt far from any ink might be a picture, and stays. On a
copy of a quarter of the size the same network sees four times as far. Where the two disagree over
an area, its outline decides: that of a picture is in the page, that of a mistake is not.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import full_range, write
from .shading import find_shading
from .white_point import paper_gains

__all__ = ["add_change", "change_from_afar", "far_view", "has_tones", "near_view"]

Pixels = NDArray[np.generic]
Plane = NDArray[np.float32]
Mask = NDArray[np.uint8]

_SIDE = 450  # pixels of the longer side from afar, at least
_LEAST, _MOST = 1.9, 4.0  # times smaller; less gains no sight, more leaves no text
_PIXELS = 2_000_000  # from afar at most: pages of over 32 megapixels are seen from further away
_WHITE = 242  # of 255: darker areas have a tone
_RADIUS = 8  # of the discs that such areas hold: lines of text do not
_LITTLE, _PLAIN = 2.0, 6.0  # differences, of 255, from where on they count, and count in full
_OUTLINED = 0.6  # of an area's step at its outline that the page shows, at least
_STRUCTURE = 12.0  # deviation of a picture's tones, of 255, which an even stain does not have
_REACH = 110.0  # pixels of the page that a picture's inside lies away from its outline, at least
_MARGIN = 8  # pixels around an area that are looked at with it
_WIDTH, _AREA = 16_384, 2_000_000  # of what is changed at once, in pixels


def far_view(page: Pixels, shown: float = 1.0) -> Pixels | None:
    """A copy of an H x W x C page from afar, of its type; None where a page is small.

    Args:
        page: H x W x C.
        shown: how many times as large as it is the network sees the page itself.
    """
    height, width = page.shape[:2]
    times = max(min(max(height, width) / _SIDE, _MOST), (height * width / _PIXELS) ** 0.5, 1)
    if times * shown < _LEAST or min(height, width) < 2 * _RADIUS * times:
        return None
    return _resized(page, (round(height / times), round(width / times)))


def near_view(cleaned: Pixels, page: Pixels, strength: float) -> Plane:
    """What full strength makes of a page, at the size of its far view, 255 being white.

    Args:
        cleaned: H x W x C, at a strength above 0.
        page: the far view of the page before.
        strength: that of `cleaned`.
    """
    small, before = (_levels(x) for x in (_resized(cleaned, page.shape[:2]), page))
    return np.asarray(before + (small - before) / np.float32(strength), np.float32)


def has_tones(cleaned: Plane) -> bool:
    """Whether areas darker than paper are left on a cleaned page, h x w x C in 0 to 255."""
    return bool(_tones(cleaned.mean(axis=2)).any())


def change_from_afar(page: Pixels, near: Plane, far: Pixels, times: float) -> Plane | None:
    """What to add to a cleaned page at the size of its far view, in levels of 255.

    Args:
        page: far view of the page, h x w x C.
        near: `near_view` of what it became.
        far: what the same network makes of `page`.
        times: how many times as large as its far view the network saw the page itself.

    Returns:
        h x w x C, or None where nothing changes. Large areas that are darker from afar become so
        where their outline is the page's, but no darker than the page was; what is white from afar
        becomes so where its outline is not the page's.
    """
    afar = _levels(far)
    shading = find_shading(page)
    seen = _levels(page) * paper_gains(page, shading)
    if shading is not None:
        seen *= shading.gains(*(np.arange(n) + 0.5 for n in page.shape[:2]))
    apart = afar - near
    mean = cv2.medianBlur(apart.mean(axis=2), 5)
    grey_afar, grey_near, grey_seen = (x.mean(axis=2) for x in (afar, near, seen))
    real, _ = _outlined(grey_afar, grey_seen)
    kept, made = _outlined(grey_near, grey_seen)
    pictures = _pictures(real, kept, made, grey_afar, _REACH / times)
    darker = _opened(mean < -_LITTLE) & _spread(pictures, 3)
    lighter = _opened((mean > _LITTLE) & (afar.min(axis=2) >= _WHITE)) & _spread(made, 6)
    if not (darker | lighter).any():
        return None
    share = cv2.GaussianBlur((darker | lighter).astype(np.float32), (0, 0), 2)
    share *= np.clip((np.abs(mean) - _LITTLE) / (_PLAIN - _LITTLE), 0, 1)
    apart = np.maximum(apart, np.minimum(seen - near, 0))
    planes = [cv2.medianBlur(np.ascontiguousarray(plane), 5) for plane in np.moveaxis(apart, 2, 0)]
    change = np.asarray(np.stack(planes, axis=2) * share[..., None], np.float32)
    return change if change.any() else None


def add_change(image: Pixels, change: Plane) -> None:
    """Add a change of h x w x C levels of 255 to an H x W x C image, in place.

    Integer types are rounded and clipped.
    """
    scale, (height, width) = full_range(image), image.shape[:2]
    down, across = change.shape[0] / height, change.shape[1] / width
    touched = np.flatnonzero(change.any(axis=(1, 2)))
    first = max(0, int((touched[0] - 1) / down))
    last = min(height, int((touched[-1] + 2) / down) + 1)
    rows = max(1, _AREA // min(width, _WIDTH))
    for top in range(first, last, rows):
        for left in range(0, width, _WIDTH):
            part = image[top : min(top + rows, last), left : left + _WIDTH]
            places = [[across, 0, (left + 0.5) * across - 0.5], [0, down, (top + 0.5) * down - 0.5]]
            grown = cv2.warpAffine(
                change, np.array(places), part.shape[1::-1],
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
            )  # fmt: skip
            added = np.asarray(grown, np.float32).reshape(part.shape) * np.float32(scale / 255)
            write(part.astype(np.float32) + added, part)


def _resized(image: Pixels, shape: tuple[int, ...]) -> Pixels:
    small = cv2.resize(image, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)  # type: ignore[arg-type, call-overload, unused-ignore]  # stub's gap
    return np.asarray(small).reshape(*shape[:2], image.shape[2])


def _levels(image: Pixels) -> Plane:
    return np.asarray(image.astype(np.float32) * np.float32(255 / full_range(image)))


def _disc(radius: int) -> Mask:
    side = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _opened(mask: NDArray[np.bool_]) -> Mask:
    """What of a mask discs of `_RADIUS` can cover."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(_RADIUS))
    return np.asarray(opened, np.uint8)


def _spread(mask: Mask, by: int) -> Mask:
    return np.asarray(cv2.dilate(mask, _disc(by)), np.uint8)


def _tones(grey: Plane) -> Mask:
    """The areas darker than paper, of h x w levels in 0 to 255."""
    return _opened(cv2.medianBlur(np.clip(grey, 0, 255).astype(np.uint8), 5) < _WHITE)


def _outlined(cleaned: Plane, page: Plane) -> tuple[Mask, Mask]:
    """The areas of a cleaned page that have a tone: whose outline the page shows, and the others.

    Compared is the step from a ring inside an area to one outside. Dirt cleaned in part is as dark
    in the page on both sides of where it ends now.
    """
    tones = _tones(cleaned)
    real, made = np.zeros_like(tones), np.zeros_like(tones)
    for place, area in _areas(tones):
        inside = (cv2.erode(area, _disc(2)) > 0) & (cv2.erode(area, _disc(5)) == 0)
        outside = (_spread(area, 6) > 0) & (_spread(area, 3) == 0)
        if not inside.any() or not outside.any():  # all of the page, or nearly
            real[place] |= area
            continue
        steps = [float(x[place][outside].mean() - x[place][inside].mean()) for x in (page, cleaned)]
        (real if steps[0] >= _OUTLINED * steps[1] else made)[place] |= area
    return real, made


def _areas(mask: Mask) -> Iterator[tuple[tuple[slice, slice], Mask]]:
    """Each connected area of a mask: where it lies, with some ground around, and itself there."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(mask)
    for label in range(1, count):
        left, top, wide, high = (int(value) for value in boxes[label, :4])
        place = (slice(max(top - _MARGIN, 0), top + high + _MARGIN),
                 slice(max(left - _MARGIN, 0), left + wide + _MARGIN))  # fmt: skip
        yield place, (labels[place] == label).astype(np.uint8)


def _pictures(real: Mask, kept: Mask, made: Mask, afar: Plane, reach: float) -> Mask:
    """Of the areas outlined from afar large ones that have structure, or are so from near too.

    Small ones are seen whole from near. An even stain is outlined as well; where from near most of
    it is gone it stays so.
    """
    chosen = np.zeros_like(real)
    for place, area in _areas(real):
        if cv2.distanceTransform(np.pad(area, 1), cv2.DIST_L2, 3).max() < reach:
            continue
        as_near = kept[place][area > 0].sum() > made[place][area > 0].sum()
        within = cv2.erode(area, _disc(6), borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
        structure = float(afar[place][within].std()) if within.any() else 0.0
        if as_near or structure > _STRUCTURE:
            chosen[place] |= area
    return chosen
