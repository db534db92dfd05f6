"""Sources of the labelled images of `choose_set.py`, and what is done to any of them.

Images are H x W x C uint8, RGB, C in {1, 3}.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from imgclean.fonts import ENGLISH, family, held_out, scripts_of
from imgclean.pages import find_fonts, render_page
from imgclean.paper import damage

Pixels = NDArray[np.uint8]
Generator = np.random.Generator


class Sources:
    """Fonts, photos and rendered pages of one side of the split.

    Args:
        root: holds photos/, documents/ and validation/.
        side: whether these are the held-out ones.
    """

    def __init__(self, root: Path, side: bool) -> None:
        """List the files; pages are rendered as they are asked for."""
        self.root, self.side, self.pages = root, side, 0
        names = sorted({family(path) for path in find_fonts()})
        tested = {name for index, name in enumerate(names) if index % 4 == 3}
        tested |= {family(path) for path in find_fonts() if held_out(path)}
        self.fonts = [path for path in find_fonts() if (family(path) in tested) == side]
        self.latin = [path for path in self.fonts if "latin" in scripts_of(path)]
        self.photos = [
            path
            for folder in ("bsd432", "imagenet", "sunhays")
            for index, path in enumerate(sorted((root / "photos" / folder).iterdir()))
            if (index % 4 == 3) == side
        ]

    def photo(self, rng: Generator) -> Pixels:
        """One photo in colour."""
        return read(self.photos[int(rng.integers(len(self.photos)))])

    def font(self, rng: Generator, size: int) -> ImageFont.FreeTypeFont:
        """A Latin font at a size in pixels."""
        return ImageFont.truetype(self.latin[int(rng.integers(len(self.latin)))], size)

    def page(self, number: int) -> Pixels:
        """A clean rendered page, counted from `pages`."""
        return self._page(self.pages + number)

    @lru_cache(400)  # noqa: B019  # two instances live as long as the program
    def _page(self, number: int) -> Pixels:
        rng = np.random.default_rng([number, self.side])
        dpi = float(np.exp(rng.uniform(np.log(75), np.log(250))))
        height = int(np.clip(dpi * rng.uniform(2.5, 11.7), 300, 1000))
        width = int(np.clip(height * rng.choice([0.6, 0.71, 0.77, 1.3]), 200, 1000))
        shots = [self.photo(rng) for _ in range(2)] if rng.random() < 0.4 else ()
        colour, plain = bool(rng.random() < 0.4), bool(rng.random() < 0.25)
        return render_page(rng, height, width, self.fonts, dpi=dpi, photos=shots,
                           colour=colour, plain=plain)[0]  # fmt: skip


def read(path: Path) -> Pixels:
    """An image file; grey files have one channel."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(f"{path}: not an image; remove it")
    if image.ndim == 2:
        return np.ascontiguousarray(image[..., None], np.uint8)
    return np.ascontiguousarray(image[..., 2::-1], np.uint8)


def colour(image: Pixels) -> Pixels:
    """Three channels."""
    return np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))


def grey(image: Pixels) -> Pixels:
    """One channel."""
    if image.shape[2] == 1:
        return image
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], np.uint8)


def resized(image: Pixels, factor: float) -> Pixels:
    """Scaled by a factor, at least 40 pixels each way."""
    height, width = image.shape[:2]
    size = (max(40, round(width * factor)), max(40, round(height * factor)))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    small = cv2.resize(image, size, interpolation=way)
    return np.asarray(small.reshape(size[1], size[0], -1), np.uint8)


def noisy(image: Pixels, rng: Generator, most: float) -> Pixels:
    """Gaussian noise of up to `most` in 8-bit units on half, JPEG on half."""
    if rng.random() < 0.5:
        noise = rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(1, most))
        image = np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)
    return image if rng.random() < 0.5 else as_jpeg(image, int(rng.integers(25, 96)))


def as_jpeg(image: Pixels, quality: int) -> Pixels:
    """As JPEG leaves it."""
    code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_UNCHANGED), np.uint8).reshape(image.shape)


def toned(image: Pixels, rng: Generator) -> Pixels:
    """Dark, bright, overexposed, faded, sepia, or as it is."""
    kind, light = rng.integers(8), image.astype(np.float32) / 255
    if kind == 0:
        light = light ** np.float32(rng.uniform(1.5, 3))
    elif kind == 1:
        light = light ** np.float32(rng.uniform(0.3, 0.7))
    elif kind == 2:
        light = light * np.float32(rng.uniform(1.3, 2.5)) + np.float32(rng.uniform(0, 0.2))
    elif kind == 3:
        contrast = np.float32(rng.uniform(0.2, 0.6))
        light = light * contrast + np.float32(rng.uniform(0, 1 - contrast))
    elif kind == 4 and image.shape[2] == 3:
        light = light.mean(axis=2, keepdims=True) * np.array([1, 0.9, 0.72], np.float32)
    return np.asarray(np.clip(light * 255, 0, 255), np.uint8)


def cut(image: Pixels, rng: Generator, least: float) -> Pixels:
    """A part of it, `least` to all of each side."""
    height, width = image.shape[:2]
    rows, columns = (max(40, int(rng.uniform(least, 1) * side)) for side in (height, width))
    top = int(rng.integers(max(1, height - rows)))
    left = int(rng.integers(max(1, width - columns)))
    return np.ascontiguousarray(image[top : top + rows, left : left + columns])


def bordered(image: Pixels, sides: tuple[int, ...], level: int | tuple[int, ...]) -> Pixels:
    """With even borders of a grey or a colour: top, bottom, left, right."""
    top, low, left, right = sides
    value = (level,) * 3 if isinstance(level, int) else level
    wide = cv2.copyMakeBorder(image, top, low, left, right, cv2.BORDER_CONSTANT, value=value)
    return np.asarray(wide.reshape(*wide.shape[:2], -1), np.uint8)


def askew(image: Pixels, degrees: float) -> Image.Image:
    """Turned, on nothing, to be pasted with itself as the mask."""
    whole = Image.fromarray(image).convert("RGBA")
    return whole.rotate(degrees, expand=True, resample=Image.Resampling.BILINEAR)


def dirty(image: Pixels, rng: Generator) -> Pixels:
    """Paper, ink and scanner as `paper.damage` draws them."""
    light = damage(image.astype(np.float32) / np.float32(255), rng)[0]
    return np.clip(np.rint(light * 255), 0, 255).astype(np.uint8)


def write(
    draw: ImageDraw.ImageDraw, rng: Generator, at: tuple[float, float], room: float,
    font: ImageFont.FreeTypeFont, ink: int | tuple[int, ...],
) -> None:  # fmt: skip
    """One line of words, as many as fit."""
    text = ""
    while draw.textlength(text, font) < room:
        text += str(rng.choice(ENGLISH)) + " "
    draw.text(at, " ".join(text.split()[:-1]) or text[:3], ink, font)


def on_table(image: Pixels, rng: Generator, sources: Sources, chance: float) -> Pixels:
    """Sometimes with a strip of table or bed around it."""
    if rng.random() > chance:
        return image
    height, width = image.shape[:2]
    pad = int(rng.uniform(0.02, 0.15) * min(height, width))
    ground = cv2.GaussianBlur(sources.photo(rng), (0, 0), rng.uniform(0.5, 4))
    ground = cv2.resize(ground, (width + 2 * pad, height + 2 * pad))
    if image.shape[2] == 1:
        ground = grey(ground)
    result = np.ascontiguousarray(np.asarray(ground, np.uint8) * np.float32(rng.uniform(0.3, 1)))
    result[pad : pad + height, pad : pad + width] = image
    return result.astype(np.uint8)


def any_colour(rng: Generator, least: int = 0, most: int = 256) -> tuple[int, int, int]:
    """Red, green and blue, each from `least` to under `most`."""
    red, green, blue = (int(v) for v in rng.integers(least, most, 3))
    return red, green, blue


def pasted(
    front: Pixels, corners: NDArray[np.floating[Any]], back: NDArray[np.integer[Any]]
) -> NDArray[np.integer[Any]]:
    """A picture in perspective before another, which sets the frame; see `in_perspective`."""
    seen, mask = in_perspective(front, corners, (back.shape[1], back.shape[0]))
    return np.where(mask[..., None] > 127, seen, back)


def uneven_light(rng: Generator, height: int, width: int, darkest: float) -> NDArray[np.float32]:
    """From `darkest` to 1, smooth over a third of the image, H x W."""
    coarse = rng.uniform(darkest, 1, (3, 3)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


def in_perspective(
    sheet: Pixels, corners: NDArray[np.floating[Any]], frame: tuple[int, int]
) -> tuple[Pixels, Pixels]:
    """A sheet with its corners at x, y, clockwise from the top left, in a frame (width, height).

    Returns:
        The sheet there, and where it is: 255, H x W.
    """
    height, width = sheet.shape[:2]
    here = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(here, corners.astype(np.float32))
    mask = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, frame)
    placed = cv2.warpPerspective(sheet, matrix, frame)
    return np.asarray(placed, np.uint8), np.asarray(mask, np.uint8)
