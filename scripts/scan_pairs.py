"""Training pairs for the scan weights, from the pack that `make_pages.py` writes."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from imgclean.blocks import halftone
from imgclean.pairs import Draw, load_pack
from imgclean.paper import damage, stroke_width
from imgclean.sheets import smooth_noise
from imgclean.small_print import doubled

Array = NDArray[np.float32]


def draw_scans(pack: Path, size: int, photos: Path | None = None, twice: float = 0.0) -> Draw:
    """Rendered pages under drawn damage, a third real pairs, a tenth these pairs' text anew.

    With photos (a pack of `pack_photos.py`) a third of the rendered pages get one as a picture, up
    to many times as large as the patch: in its middle nothing but the picture is seen. A share
    of all, `twice`, is drawn at half the size and enlarged, as small print is seen.
    """
    shown = load_pack(photos) if photos else []
    with np.load(pack, allow_pickle=False) as arrays:
        grey, colour = arrays["pages_grey"], arrays["pages_colour"]
        names = sorted(name for name in arrays.files if name.startswith("train_noisy"))
        pairs = [
            (_at_least(arrays[n], size), _at_least(arrays[n.replace("noisy", "clean")], size))
            for n in names
        ]
        stains = [_unit(arrays[n])[..., 0] for n in arrays.files if n.startswith("stain")]

    def draw(rng: np.random.Generator) -> tuple[Array, Array]:
        if twice and rng.random() < twice:
            noisy, clean = drawn(size // 2, float(rng.uniform(0.4, 1)), rng)
            return _enlarged(noisy), np.clip(_enlarged(clean), 0, 1)
        return drawn(size, 1.0, rng)

    def drawn(size: int, reduced: float, rng: np.random.Generator) -> tuple[Array, Array]:
        kind = rng.random()
        if kind < 0.33:
            noisy, clean = _real(pairs, size, rng)
        elif kind < 0.43:
            page = pairs[int(rng.integers(len(pairs)))][1]
            noisy, clean = damage(_crop(page, size, rng, _scale(rng)), rng, stains=stains)
        else:
            pages = colour if rng.random() < 0.3 else grey
            if kind < 0.59:
                patch = _skewed(pages, size, rng)
            else:
                page = pages[int(rng.integers(len(pages)))]
                scale = _scale(rng) if rng.random() < 0.3 and reduced == 1 else reduced
                patch = _crop(page, size, rng, scale)
            if rng.random() < 0.15:
                patch = _mostly_blank(patch, rng)
            if shown and rng.random() < 1 / 3:
                patch = _with_picture(patch, shown, rng)
            if rng.random() < 0.15:
                patch = _with_marks(patch, rng)
            if rng.random() < 0.35:
                patch = _with_strokes(patch, rng)
            if rng.random() < 0.25:
                patch = _overprinted(patch, grey, rng)
            if rng.random() < 0.2:
                patch = _filled(patch, rng)
            noisy, clean = damage(patch, rng, stains=stains)
        return _three(noisy), _three(clean)

    return draw


def _enlarged(image: Array) -> Array:
    """Twice the size, as `small_print.py` shows pages to the network."""
    pages = torch.tensor(image).permute(2, 0, 1)[None]
    return np.ascontiguousarray(doubled(pages)[0].permute(1, 2, 0).numpy())


def _at_least(page: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The page, mirrored at its edges where it is smaller than a patch."""
    below, beside = (max(0, size - side) for side in page.shape)
    return np.pad(page, ((0, below), (0, beside)), "symmetric")


def _scale(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(0.75), np.log(2.0))))


def _unit(pixels: NDArray[np.uint8]) -> Array:
    image = pixels.astype(np.float32) / np.float32(255)
    return image if image.ndim == 3 else image[..., None]


def _three(image: Array) -> Array:
    return np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))


def _mostly_blank(page: Array, rng: np.random.Generator) -> Array:
    """A patch moved out of sight in part or whole: what lies far from any ink is paper too."""
    moved = np.ones_like(page)
    gone = int(rng.uniform(0.3, 1.1) * len(page))
    moved[gone:] = page[: max(0, len(page) - gone)]
    return _turn(moved, int(rng.integers(8)))


def _with_picture(page: Array, photos: list[NDArray[np.uint8]], rng: np.random.Generator) -> Array:
    """A photo, or a halftone of one, pasted anywhere over a patch, which it may cover."""
    photo = photos[int(rng.integers(len(photos)))]
    size = page.shape[0]
    longer = float(np.exp(rng.uniform(np.log(0.5 * size), np.log(5 * size))))
    scale = longer / max(photo.shape[:2])
    # Where in the photo the patch's corner lies: at least a quarter of a patch is covered.
    sides = np.array(photo.shape[1::-1]) * scale
    corner = rng.uniform(np.minimum(-0.5 * size, sides - size), np.maximum(sides - 0.5 * size, 0))
    if scale < 1:
        small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        photo, scale = np.asarray(small, np.uint8), 1.0
    matrix = np.array([[scale, 0, -corner[0]], [0, scale, -corner[1]]])
    placed = np.asarray(cv2.warpAffine(photo, matrix, (size, size), flags=cv2.INTER_CUBIC))
    inside = np.ones(photo.shape[:2], np.uint8)
    there = np.asarray(cv2.warpAffine(inside, matrix, (size, size), flags=cv2.INTER_NEAREST))
    if page.shape[2] == 1:
        placed = np.asarray(cv2.cvtColor(placed, cv2.COLOR_RGB2GRAY))[..., None]
    if rng.random() < 0.25:
        pitch, angle = float(rng.uniform(2, 9)), float(rng.uniform(0, np.pi / 2))
        dots = halftone(placed.mean(axis=2), pitch, angle)
        placed = np.broadcast_to(dots[..., None], placed.shape)
    elif rng.random() < 0.5:  # printer's ink is no black, and paper under it no white
        black = rng.uniform(0, 70)
        placed = black + placed * ((rng.uniform(200, 255) - black) / 255)
    return np.where(there[..., None] > 0, placed / np.float32(255), page).astype(np.float32)


def _with_marks(page: Array, rng: np.random.Generator) -> Array:
    """Small ink that stays: full stops and dashes on their own, dotted and dashed rules."""
    size, fine = page.shape[0], 4
    stroke = max(stroke_width(page), 1.5)
    dots = rng.random() < 0.6
    wide = min(float(stroke * (rng.uniform(0.9, 1.3) if dots else rng.uniform(0.5, 1))), 8.0)
    long = 0.0 if dots else wide * float(rng.uniform(1.5, 5))
    if rng.random() < 0.5:
        places = rng.uniform(0, size, (int(rng.integers(3, 30)), 2))
    else:
        pitch = wide * rng.uniform(1.6, 5) + long
        rows = rng.uniform(0, size, int(rng.integers(1, 5)))
        start, end = np.sort(rng.uniform(-0.3 * size, 1.3 * size, 2))
        places = np.array([(x, row) for row in rows for x in np.arange(start, end, pitch)])
    ink = np.zeros((fine * size, fine * size), np.uint8)
    for x, y in places.reshape(-1, 2):
        if dots:
            centre = round(fine * x), round(fine * y)
            cv2.circle(ink, centre, max(round(fine * wide / 2), 1), (255,), -1)
        else:
            low = round(fine * (x - long / 2)), round(fine * (y - wide / 2))
            high = round(fine * (x + long / 2)), round(fine * (y + wide / 2)) - 1
            cv2.rectangle(ink, low, high, (255,), -1)
    small = np.asarray(cv2.resize(ink, (size, size), interpolation=cv2.INTER_AREA))
    small = small.T if rng.random() < 0.3 else small
    share = small[..., None] / np.float32(255) * np.float32(rng.uniform(0.6, 1))
    return np.asarray(page * (1 - share), np.float32)


def _with_strokes(page: Array, rng: np.random.Generator) -> Array:
    """Strokes of a pen or pencil that stand alone and run any way: crosses, ticks, arrows, lines.

    As pale as a pencil's, two times in three. What tells them from dirt is that they have ends and
    are as wide and as dark from end to end.
    """
    size, fine = page.shape[0], 4
    ink = np.zeros((fine * size, fine * size), np.uint8)
    wide, kind = float(rng.uniform(1, 3.5)), int(rng.integers(6))
    long = float(np.exp(rng.uniform(np.log(12), np.log(0.5 * size))))
    for _ in range(int(rng.integers(1, 4 if kind == 5 else 16))):
        centre, reach = rng.uniform(0, size, 2), 0.5 * long * float(rng.uniform(0.5, 1.2))
        for points in _shape(kind, rng):
            ends = np.rint((centre + reach * points) * fine).astype(np.int32)
            cv2.polylines(ink, [ends], False, (255,), max(round(fine * wide), 1), cv2.LINE_AA)
    small = np.asarray(cv2.resize(ink, (size, size), interpolation=cv2.INTER_AREA), np.float32)
    share = cv2.GaussianBlur(small / np.float32(255), (0, 0), rng.uniform(0.2, 0.7))
    depth = float(rng.uniform(0.12, 0.4) if rng.random() < 0.67 else rng.uniform(0.4, 1))
    if rng.random() < 0.3:  # as pencil on rough paper
        share = share * np.clip(0.9 + 0.25 * smooth_noise(rng, size, size, 1.5), 0.3, 1)
    return np.asarray(page * (1 - depth * share[..., None] * _absorbed(page, rng)), np.float32)


def _shape(kind: int, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Polylines within 1 of the origin: a line, cross, tick, arrow, polygon or wavy line."""
    angle = rng.uniform(0, np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    aside = np.array([-along[1], along[0]])
    if kind == 0:
        return [np.stack([-along, along])]
    if kind == 1:
        turned = along * rng.normal(0, 0.4) + aside * rng.uniform(0.7, 1)
        return [np.stack([-along, along]), np.stack([-turned, turned])]
    if kind == 2:
        corner = np.array([rng.uniform(-0.5, -0.1), rng.uniform(0.4, 0.8)])
        return [np.stack([corner + rng.uniform(-0.5, -0.3, 2), corner, [1, rng.uniform(-1, -0.5)]])]
    if kind == 3:
        head = [along + 0.35 * (side * aside - along) for side in (-0.6, 0.6)]
        return [np.stack([-along, along]), np.stack([head[0], along, head[1]])]
    if kind == 4:
        turns = np.linspace(0, 2 * np.pi, int(rng.integers(3, 8)) + 1) + angle
        return [np.stack([np.cos(turns), np.sin(turns)], 1)]
    steps = np.linspace(-1, 1, 40)[:, None]
    swing = rng.uniform(0.03, 0.3) * np.sin(steps * rng.uniform(2, 14) + angle)
    return [steps * along + swing * aside]


def _overprinted(page: Array, pages: NDArray[np.uint8], rng: np.random.Generator) -> Array:
    """A patch with a stamp or a watermark over it: another page's ink, larger, paler and turned.

    Its edges are as sharp as print, which is what tells it from stains and from the other side.
    """
    size = page.shape[0]
    scale = float(np.exp(rng.uniform(0, np.log(6))))
    other = pages[int(rng.integers(len(pages)))]
    angle = float(rng.normal(0, 20))
    middle = rng.uniform(0.2, 0.8, 2) * other.shape[1::-1]
    grown = _turned(other, size, middle, rng.uniform(0.2, 0.8, 2) * size, angle, scale)
    light = _unit(grown)[..., 0]
    ink = np.clip((0.5 - light) * np.float32(scale * rng.uniform(1, 3)) + np.float32(0.5), 0, 1)
    if rng.random() < 0.6:  # within a frame alone
        centre, half = rng.uniform(0.1, 0.9, 2) * size, rng.uniform((0.15, 0.06), (0.7, 0.4)) * size
        thick = rng.uniform(1, 9) if rng.random() < 0.7 else 0.0
        edge = _from_edge(size, centre, half, angle, rng.random() < 0.4)
        frame = _outline(edge, thick) if thick else 0
        ink = np.maximum(ink * np.clip(edge - 2 * thick + 0.5, 0, 1), frame)
    if rng.random() < 0.4:  # inked unevenly
        ink = ink * np.clip(0.8 + 0.3 * smooth_noise(rng, size, size, rng.uniform(3, 60)), 0.2, 1)
    ink = cv2.GaussianBlur(ink.astype(np.float32), (0, 0), rng.uniform(0.2, 0.8))
    depth = float(np.exp(rng.uniform(np.log(0.1), np.log(0.8))))
    return np.asarray(page * (1 - depth * ink[..., None] * _absorbed(page, rng)), np.float32)


def _filled(page: Array, rng: np.random.Generator) -> Array:
    """A patch with pale fills under its text: panels, every second row of a table, or bars."""
    size, kind, angle = page.shape[0], rng.random(), float(rng.normal(0, 1.5))
    left, top = rng.uniform(-0.2, 0.7, 2) * size
    wide, high = rng.uniform(0.1, 1.2) * size, np.exp(rng.uniform(np.log(14), np.log(0.6 * size)))
    if kind < 0.4:  # centre x and y, half of the width and of the height
        boxes = [(left + wide / 2, top + high / 2, wide / 2, high / 2)]
    elif kind < 0.7:
        high = min(high, 70.0)
        count = int(rng.integers(2, 12))
        boxes = [(left + wide / 2, top + 2 * n * high, wide / 2, high / 2) for n in range(count)]
    else:
        wide, tall = rng.uniform(8, 70), rng.uniform(10, 0.6 * size, 6)
        boxes = [(left + 1.4 * n * wide, top + 0.7 * size - each / 2, wide / 2, each / 2)
                 for n, each in enumerate(tall)]  # fmt: skip
    edges = [_from_edge(size, np.array(box[:2]), np.array(box[2:]), angle, False) for box in boxes]
    groups = [[edge] for edge in edges] if kind >= 0.7 else [edges]
    line = rng.uniform(0.8, 4) if rng.random() < 0.3 else 0.0
    blur = float(rng.uniform(0.2, 0.7))
    for group in groups:
        edge = np.max(group, axis=0)
        depth = float(np.exp(rng.uniform(np.log(0.06), np.log(0.5))))
        share = depth * np.clip(edge + 0.5, 0, 1)
        if line:
            share = np.maximum(share, min(2.5 * depth, 0.9) * _outline(edge, line))
        share = cv2.GaussianBlur(share.astype(np.float32), (0, 0), blur)
        page = np.asarray(page * (1 - share[..., None] * _absorbed(page, rng)), np.float32)
    return page


def _absorbed(page: Array, rng: np.random.Generator) -> NDArray[np.float64]:
    """How much of each colour an ink takes away, by what it takes of the one it takes most of."""
    if page.shape[2] == 1 or rng.random() < 0.3:
        return np.ones(page.shape[2])
    return rng.permutation([1.0, rng.uniform(0.2, 1), rng.uniform(0, 0.6)])


def _from_edge(
    size: int, centre: NDArray[Any], half: NDArray[Any], angle: float, ellipse: bool
) -> Array:
    """Pixels inwards from the edge of a turned rectangle or ellipse; about so, for an ellipse."""
    turned = cv2.getRotationMatrix2D((0, 0), -angle, 1)[:, :2]
    y, x = np.mgrid[:size, :size].astype(np.float32)
    along = np.tensordot(turned, np.stack([x - centre[0], y - centre[1]]), 1)
    if ellipse:
        inwards = (1 - np.hypot(along[0] / half[0], along[1] / half[1])) * half.min()
    else:
        inwards = (half[:, None, None] - np.abs(along)).min(axis=0)
    return np.asarray(inwards, np.float32)


def _outline(edge: Array, thick: float) -> Array:
    """Share of a line along the inside of an edge, from the pixels inwards of it."""
    return np.asarray(np.clip(np.minimum(edge, thick - edge) + 0.5, 0, 1), np.float32)


def _window(shape: tuple[int, ...], size: int, scale: float, rng: np.random.Generator) -> list[int]:
    side = min(round(size / scale), *shape[:2])
    return [int(rng.integers(shape[0] - side + 1)), int(rng.integers(shape[1] - side + 1)), side]


def _cut(page: NDArray[np.uint8], window: list[int], size: int) -> Array:
    top, left, side = window
    patch = _unit(page[top : top + side, left : left + side])
    if side == size:
        return patch
    way = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    resized = np.asarray(cv2.resize(patch, (size, size), interpolation=way), np.float32)
    return np.clip(resized, 0, 1).reshape(size, size, -1)


def _crop(page: NDArray[np.uint8], size: int, rng: np.random.Generator, scale: float) -> Array:
    return _turn(_cut(page, _window(page.shape, size, scale, rng), size), int(rng.integers(8)))


def _skewed(pages: NDArray[np.uint8], size: int, rng: np.random.Generator) -> Array:
    """A patch of a page that lay askew under the scanner or the camera."""
    page = pages[int(rng.integers(len(pages)))]
    angle, scale = float(rng.normal(0, 3)), float(np.exp(rng.uniform(np.log(0.9), np.log(1.6))))
    centre = rng.uniform(0.25, 0.75, 2) * page.shape[1::-1]
    patch = _turned(page, size, centre, np.full(2, size / 2), angle, scale)
    return _turn(_unit(patch), int(rng.integers(8)))


def _turned(
    page: NDArray[np.uint8], size: int, centre: NDArray[Any], at: NDArray[Any], angle: float,
    scale: float,
) -> NDArray[np.uint8]:  # fmt: skip
    """A patch of a page turned and scaled about x, y of its own, which come to lie `at` x, y."""
    matrix = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), angle, scale)
    matrix[:, 2] += at - centre
    way = cv2.INTER_CUBIC if scale > 1.2 else cv2.INTER_LINEAR
    patch = cv2.warpAffine(page, matrix, (size, size), flags=way, borderValue=(255,) * 4)
    return np.asarray(patch, np.uint8)


def _turn(patch: Array, way: int) -> Array:
    turned = np.rot90(patch, way % 4)
    return np.ascontiguousarray(turned[:, ::-1] if way >= 4 else turned)


def _real(
    pairs: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]], size: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """The same place of a noisy page and its clean twin, at native size two times in three."""
    noisy, clean = pairs[int(rng.integers(len(pairs)))]
    scale = _scale(rng) if rng.random() < 0.33 else 1.0
    window, way = _window(noisy.shape, size, scale, rng), int(rng.integers(8))
    one = _turn(_cut(noisy, window, size), way)
    two = _turn(_cut(clean, window, size), way)
    return one, two
