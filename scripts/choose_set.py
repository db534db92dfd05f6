"""Labelled images for `imgclean.choose`: pages of all kinds, and what only looks like them.

Every image is made from a seed and sources that are split beforehand: no photo, font family,
rendered page or office page is on both sides. Images are H x W x C uint8, RGB, C in {1, 3}.

Right is `scan` for ink on paper or board that fills most of the image: scanned pages, receipts,
forms, book spreads, newspapers with pictures, handwriting, whiteboards, coloured print of offices,
sheets photographed at an angle or on a table. Right is `photo` for all else, also where it holds
text: photos with signs or a page that fills under a fifth, prints with borders, screenshots, pencil
and painted drawings, coloured maps, posters, textures, scenes, objects on white.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from office_pages import office_page, poster
from PIL import Image, ImageDraw, ImageFont

from imgclean.fonts import ENGLISH, family, held_out, scripts_of
from imgclean.pages import find_fonts, render_page, split_by_page
from imgclean.paper import damage
from imgclean.scenes import render_scene

Pixels = NDArray[np.uint8]
Generator = np.random.Generator
SUFFIXES = {".png", ".jpg", ".jpeg"}
_PAGES_OF_POLYU = ("bulletin", "photo_19")  # print and brush strokes on paper: pages, so left out


@dataclass(frozen=True)
class Case:
    """One image to make: its kind, its source file if it has one, and its seed.

    Pages that are drawn are some of 150, whose numbers count from `pages`.
    """

    kind: str
    scan: bool
    held_out: bool
    seed: int
    source: Path | None = None
    pages: int = 0


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
    if rng.random() < 0.5:
        return image
    code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 96))])[1]
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


def bordered(image: Pixels, sides: tuple[int, ...], level: int) -> Pixels:
    """With even borders: top, bottom, left, right."""
    top, low, left, right = sides
    wide = cv2.copyMakeBorder(image, top, low, left, right, cv2.BORDER_CONSTANT, value=(level,) * 3)
    return np.asarray(wide.reshape(*wide.shape[:2], -1), np.uint8)


def dirty(image: Pixels, rng: Generator) -> Pixels:
    """Paper, ink and scanner as `paper.damage` draws them."""
    light = damage(image.astype(np.float32) / np.float32(255), rng)[0]
    return np.clip(np.rint(light * 255), 0, 255).astype(np.uint8)


# Pages


def page(rng: Generator, sources: Sources) -> Pixels:
    """A scanned page or a part of one, with margins, askew, on a dark bed, damaged."""
    image = cut(sources.page(int(rng.integers(150))), rng, 0.6)
    while np.mean(image < 128) < 0.015:  # nearly blank: nobody could tell
        image = cut(sources.page(int(rng.integers(150))), rng, 0.6)
    if rng.random() < 0.3:
        height, width = image.shape[:2]
        top, low = (int(v) for v in rng.uniform(0, 0.5, 2) * height)
        left, right = (int(v) for v in rng.uniform(0, 0.2, 2) * width)
        image = bordered(image, (top, low, left, right), 255)
    if rng.random() < 0.3:
        height, width = image.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.normal(0, 3)), 1)
        turned = cv2.warpAffine(image, matrix, (width, height), borderValue=(255,) * 3)
        image = np.asarray(turned, np.uint8).reshape(image.shape)
    image = dirty(image, rng)
    if rng.random() < 0.2:
        sides = tuple(int(v) for v in rng.uniform(0, 0.07, 4) * image.shape[0])
        image = bordered(image, sides, int(rng.integers(0, 90)))
    return noisy(image, rng, 30)


def write(
    draw: ImageDraw.ImageDraw, rng: Generator, at: tuple[float, float], room: float,
    font: ImageFont.FreeTypeFont, ink: int | tuple[int, ...],
) -> None:  # fmt: skip
    """One line of words, as many as fit."""
    text = ""
    while draw.textlength(text, font) < room:
        text += str(rng.choice(ENGLISH)) + " "
    draw.text(at, " ".join(text.split()[:-1]) or text[:3], ink, font)


def receipt(rng: Generator, sources: Sources) -> Pixels:
    """A narrow slip of short lines with prices at the right."""
    width, em = int(rng.integers(220, 480)), int(rng.integers(11, 20))
    lines = int(rng.integers(12, 45))
    sheet = Image.new("L", (width, int(1.35 * em * (lines + 3))), 255)
    draw, font, ink = ImageDraw.Draw(sheet), sources.font(rng, em), int(rng.integers(0, 110))
    for line in range(lines):
        y = (line + 1.5) * 1.35 * em
        if rng.random() < 0.12:
            draw.line((10, y + em / 2, width - 10, y + em / 2), ink, 1)
            continue
        write(draw, rng, (12, y), rng.uniform(0.2, 0.6) * width, font, ink)
        if rng.random() < 0.7:
            price = f"{rng.uniform(0, 99):.2f}"
            draw.text((width - 14 - draw.textlength(price, font), y), price, ink, font)
    image = (
        colour(np.asarray(sheet)[..., None]) if rng.random() < 0.5 else np.asarray(sheet)[..., None]
    )
    return noisy(on_table(dirty(image, rng), rng, sources, 0.3), rng, 25)


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


def form(rng: Generator, sources: Sources) -> Pixels:
    """Boxes with small labels, some filled in, a shaded head, a stamp."""
    height, width = int(rng.integers(500, 1000)), int(rng.integers(400, 900))
    sheet = Image.new("RGB", (width, height), (255,) * 3)
    draw, em = ImageDraw.Draw(sheet), int(rng.integers(9, 16))
    small, pen = sources.font(rng, em), sources.font(rng, int(1.5 * em))
    tint = tuple(
        int(v) for v in rng.choice([(0, 0, 0), (20, 70, 40), (30, 50, 130), (140, 30, 40)])
    )
    y, shade = 20.0, int(rng.integers(190, 256))
    draw.rectangle((15, 10, width - 15, 20 + 2.5 * em), (shade,) * 3)
    write(draw, rng, (25, y), 0.5 * width, pen, tint)
    y += 4 * em
    while y < height - 4 * em:
        cells, row = int(rng.integers(1, 5)), rng.uniform(2.2, 4.5) * em
        for cell in range(cells):
            left, right = (15 + k * (width - 30) / cells for k in (cell, cell + 1))
            if rng.random() < 0.85:
                draw.rectangle((left, y, right, y + row), outline=tint, width=1)
            write(draw, rng, (left + 4, y + 2), 0.3 * (right - left), small, tint)
            if rng.random() < 0.5:
                ink = (30, 40, int(rng.integers(40, 160)))
                write(draw, rng, (left + 8, y + em), 0.4 * (right - left), pen, ink)
        y += row if rng.random() < 0.8 else row + em
    image = np.asarray(sheet)
    return noisy(
        on_table(dirty(image if rng.random() < 0.6 else grey(image), rng), rng, sources, 0.15),
        rng,
        25,
    )


def book(rng: Generator, sources: Sources) -> Pixels:
    """Two facing pages with the gutter's shadow between."""
    left, right = (sources.page(int(rng.integers(150))) for _ in range(2))
    height = min(left.shape[0], right.shape[0], 700)
    halves = [colour(cut(p, rng, 0.9))[:height] for p in (left, right)]
    height = min(half.shape[0] for half in halves)
    spread = np.concatenate([half[:height] for half in halves], axis=1)
    middle = halves[0].shape[1] + rng.normal(0, 10)
    away = np.abs(np.arange(spread.shape[1]) - middle) / rng.uniform(15, 90)
    shade = 1 - rng.uniform(0.2, 0.85) * np.exp(-away)
    image = np.asarray(dirty(spread, rng) * shade[None, :, None], np.uint8)
    image = image if rng.random() < 0.5 else grey(image)
    return noisy(on_table(image, rng, sources, 0.25), rng, 25)


def newspaper(rng: Generator, sources: Sources) -> Pixels:
    """Narrow columns of small text, a headline, one to three pictures, grey paper."""
    height, width = int(rng.integers(600, 1100)), int(rng.integers(500, 900))
    sheet = Image.new("L", (width, height), 255)
    draw, em = ImageDraw.Draw(sheet), int(rng.integers(8, 14))
    font, head = sources.font(rng, em), sources.font(rng, int(em * rng.uniform(2, 5)))
    write(draw, rng, (15, 8), 0.8 * width, head, 10)
    columns, top = int(rng.integers(2, 6)), 20 + head.size * 1.3
    wide = (width - 20) / columns
    for column in range(columns):
        y = top + rng.uniform(0, 3) * em
        while y < height - em:
            write(draw, rng, (10 + column * wide, y), wide - 12, font, int(rng.integers(0, 60)))
            y += 1.25 * em if rng.random() < 0.97 else 3 * em
    for _ in range(int(rng.integers(1, 4))):
        span, first = int(rng.integers(1, max(2, columns // 2 + 1))), int(rng.integers(columns))
        shot = grey(sources.photo(rng))[..., 0]
        size = (int(wide * min(span, columns - first)) - 8, int(rng.uniform(0.08, 0.25) * height))
        shot = np.asarray(cv2.resize(shot, size), np.uint8)
        if rng.random() < 0.5:
            rows, places = np.indices(shot.shape)
            pitch = rng.uniform(3, 6)
            dots = 127 * (
                1
                + np.sin(2.1 * (places + rows) / pitch * 1.4)
                * np.sin(2.1 * (places - rows) / pitch * 1.4)
            )
            shot = np.where(shot > dots, 245, 20).astype(np.uint8)
        sheet.paste(
            Image.fromarray(shot), (10 + int(first * wide), int(rng.uniform(top, 0.8 * height)))
        )
    image = np.asarray(sheet)[..., None]
    paper = np.array([rng.uniform(0.7, 1), rng.uniform(0.65, 0.95), rng.uniform(0.5, 0.9)])
    if rng.random() < 0.5:
        image = np.asarray(image * np.sort(paper)[::-1], np.uint8)
    return noisy(on_table(dirty(cut(image, rng, 0.6), rng), rng, sources, 0.15), rng, 25)


def scribble(
    image: Pixels, rng: Generator, lines: int, inks: Sequence[tuple[int, ...]], size: float
) -> None:
    """Handwriting-like strokes in lines, drawn into the image."""
    height, width = image.shape[:2]
    ink, thick = inks[0], max(1, round(size / 9))
    y = rng.uniform(1, 2.5) * size
    for _ in range(lines):
        x, end = rng.uniform(0.03, 0.3) * width, rng.uniform(0.4, 0.97) * width
        if rng.random() < 0.4:
            ink = inks[int(rng.integers(len(inks)))]
        while x < end:
            count = int(rng.integers(3, 10)) * 4
            steps = np.cumsum(rng.uniform(0.05, 0.25, count)) * size
            waves = np.sin(np.arange(count) * rng.uniform(1.2, 2)) * rng.uniform(0.15, 0.7, count)
            points = np.stack(
                [x + steps + 0.2 * size * rng.normal(0, 0.5, count), y + waves * size], 1
            )
            shape = np.rint(points * 8).astype(np.int32)[None]
            cv2.polylines(image, shape, False, ink, thick, cv2.LINE_AA, 3)
            x += steps[-1] + 0.5 * size
        y += rng.uniform(1.4, 3) * size
        if y > height - size:
            break


def figures(image: Pixels, rng: Generator, inks: Sequence[tuple[int, ...]], thick: int) -> None:
    """Boxes, circles and arrows, as in a sketch of a plan."""
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(0, 6))):
        ink = inks[int(rng.integers(len(inks)))]
        x, y = (int(v) for v in rng.uniform(0.05, 0.8, 2) * (width, height))
        a, b = (int(v) for v in rng.uniform(0.05, 0.2, 2) * (width, height))
        if rng.random() < 0.5:
            cv2.rectangle(image, (x, y), (x + a, y + b), ink, thick, cv2.LINE_AA)
        else:
            cv2.ellipse(image, (x, y), (a, b), 0, 0, 360, ink, thick, cv2.LINE_AA)
        cv2.arrowedLine(
            image, (x, y), (x + 2 * a, y + int(rng.normal(0, b))), ink, thick, cv2.LINE_AA
        )


def handwriting(rng: Generator, sources: Sources) -> Pixels:
    """A handwritten sheet, plain, ruled or squared."""
    height, width = int(rng.integers(400, 900)), int(rng.integers(400, 900))
    image, size = np.full((height, width, 3), 255, np.uint8), rng.uniform(10, 28)
    if rng.random() < 0.4:
        step = int(1.6 * size)
        image[step::step] = (185, 200, 235)
        if rng.random() < 0.4:
            image[:, step::step] = (185, 200, 235)
    dark = int(rng.integers(10, 110))
    inks = [(dark, dark, dark), (20, 40, 140)]
    scribble(image, rng, 60, inks[int(rng.integers(2)) :], size)
    image = dirty(image if rng.random() < 0.5 else grey(image), rng)
    return noisy(on_table(image, rng, sources, 0.2), rng, 25)


def whiteboard(rng: Generator, sources: Sources) -> Pixels:
    """Coloured pens on a glossy board in uneven light, sometimes with its frame."""
    height, width = int(rng.integers(350, 800)), int(rng.integers(500, 1100))
    image, size = np.full((height, width, 3), 255, np.uint8), rng.uniform(12, 40)
    inks = [(30, 30, 35), (25, 50, 150), (180, 30, 40), (20, 120, 60)]
    scribble(image, rng, int(rng.integers(3, 14)), inks, size)
    figures(image, rng, inks, max(1, round(size / 9)))
    light = cv2.resize(
        rng.uniform(0.5, 1, (3, 4)).astype(np.float32),
        (width, height),
        interpolation=cv2.INTER_CUBIC,
    )
    y, x = np.indices((height, width), np.float32)
    spot = np.exp(
        -((x - rng.uniform(0, width)) ** 2 + (y - rng.uniform(0, height)) ** 2)
        / (2 * rng.uniform(30, 150) ** 2)
    )
    cast = rng.uniform(0.85, 1, 3)
    board = image * (light[..., None] * cast) + spot[..., None] * rng.uniform(0, 90)
    image = np.clip(board, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        image = bordered(image, (int(rng.integers(5, 30)),) * 4, int(rng.integers(40, 200)))
    return noisy(image, rng, 25)


def angled(rng: Generator, sources: Sources) -> Pixels:
    """A sheet photographed at an angle, over 55 % of the frame, on a table."""
    kinds: list[Callable[[Generator, Sources], Pixels]] = [
        page,
        form,
        receipt,
        newspaper,
        handwriting,
    ]
    sheet = colour(kinds[int(rng.choice(5, p=[0.6, 0.12, 0.08, 0.1, 0.1]))](rng, sources))
    return photographed(sheet, rng, sources, 0.13)


def lying(rng: Generator, sources: Sources) -> Pixels:
    """A sheet of print or handwriting that fills a quarter to three quarters of the frame."""
    sheet = (page, form, handwriting)[int(rng.choice(3, p=[0.6, 0.2, 0.2]))](rng, sources)
    return photographed(colour(sheet), rng, sources, 0.28)


def photographed(sheet: Pixels, rng: Generator, sources: Sources, inset: float) -> Pixels:
    """A sheet lying askew on a table, its corners up to so far from those of the frame."""
    height, width = sheet.shape[:2]
    frame = (int(width * rng.uniform(1.0, 1.25)), int(height * rng.uniform(1.0, 1.25)))
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    moved = rng.uniform(-0.03, inset, (4, 2)) * (1 - 2 * corners)
    target = ((corners + moved) * frame).astype(np.float32)
    here = (corners * (width, height)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(here, target)
    ground = cv2.GaussianBlur(sources.photo(rng), (0, 0), rng.uniform(0.5, 5))
    ground = np.asarray(cv2.resize(ground, frame) * rng.uniform(0.3, 1), np.uint8)
    mask = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, frame)
    lying = cv2.warpPerspective(sheet, matrix, frame)
    image = np.where(mask[..., None] > 127, lying, ground)
    light = cv2.resize(
        rng.uniform(0.55, 1, (3, 3)).astype(np.float32), frame, interpolation=cv2.INTER_CUBIC
    )
    return noisy(np.asarray(np.clip(image * light[..., None], 0, 255), np.uint8), rng, 20)


def office(rng: Generator, sources: Sources) -> Pixels:
    """Coloured print of an office, scanned or photographed."""
    sheet = office_page(rng, lambda size: sources.font(rng, size))
    if rng.random() < 0.25:
        return photographed(sheet, rng, sources, 0.13)
    if rng.random() < 0.3:
        return noisy(sheet, rng, 12)
    return noisy(on_table(dirty(sheet, rng), rng, sources, 0.1), rng, 20)


# What is no page


def leaflet(rng: Generator, sources: Sources) -> Pixels:
    """A poster, a cover, a slide or a comic, as it is or scanned."""
    shot = colour(sources.photo(rng))
    image = poster(rng, lambda size: sources.font(rng, size), shot)
    return noisy(dirty(image, rng) if rng.random() < 0.4 else toned(image, rng), rng, 15)


def varied(image: Pixels, rng: Generator) -> Pixels:
    """One variation of a photo: cut, scaled, grey, on white, toned, blurred, noisy."""
    if rng.random() < 0.4:
        image = cut(image, rng, 0.3 if rng.random() < 0.75 else 0.08)
    image = resized(image, float(np.exp(rng.uniform(np.log(0.5), np.log(2)))))
    if rng.random() < 0.25:
        image = grey(image)
    if rng.random() < 0.15:
        image = on_white(image, rng)
    image = toned(image, rng)
    if rng.random() < 0.2:
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 4)).reshape(image.shape)
        image = np.asarray(soft, np.uint8)
    return noisy(image, rng, 50)


def old_print(rng: Generator, sources: Sources) -> Pixels:
    """A scanned print, soft and large, mostly black and white, many with a border of paper."""
    image = cut(sources.photo(rng), rng, 0.5)
    longer = float(np.exp(rng.uniform(np.log(400), np.log(1600))))
    image = resized(image, longer / max(image.shape[:2]))
    if rng.random() < 0.75:
        image = grey(image)
    image = toned(image, rng)
    if rng.random() < 0.6:
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.5)).reshape(image.shape)
        image = np.asarray(soft, np.uint8)
    if rng.random() < 0.4:
        wide = [round(float(side)) for side in rng.uniform(0.02, 0.1, 2) * longer]
        image = bordered(image, (wide[0], wide[0], wide[1], wide[1]), int(rng.integers(200, 256)))
    light = image.astype(np.float32)
    if rng.random() < 0.7:  # grain
        shape = (*image.shape[:2], image.shape[2] if rng.random() < 0.3 else 1)
        grain = rng.standard_normal(shape, np.float32)
        if rng.random() < 0.5:
            grain = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.5, 1.5)).reshape(shape)
        light += np.float32(np.exp(rng.uniform(0, np.log(20)))) / grain.std() * grain
    if image.shape[2] == 3 or rng.random() < 0.2:  # yellowed
        light = light * np.array([1, rng.uniform(0.9, 1), rng.uniform(0.75, 1)], np.float32)
    pixels = np.clip(np.rint(light), 0, 255).astype(np.uint8)
    return noisy(pixels, rng, 3) if rng.random() < 0.5 else pixels


def on_white(image: Pixels, rng: Generator) -> Pixels:
    """A part of the photo as an object on a nearly white ground."""
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for _ in range(int(rng.integers(1, 6))):
        centre = (int(rng.uniform(0.2, 0.8) * width), int(rng.uniform(0.2, 0.8) * height))
        axes = (int(rng.uniform(0.03, 0.3) * width), int(rng.uniform(0.03, 0.3) * height))
        cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 6)).astype(np.float32)[..., None] / 255
    ground = np.float32(rng.uniform(215, 256))
    return np.asarray(np.clip(image * soft + ground * (1 - soft), 0, 255), np.uint8)


def text_photo(rng: Generator, sources: Sources) -> Pixels:
    """A photo with a caption, signs, or a page lying in it that fills under a fifth."""
    image = colour(sources.photo(rng)).copy()
    height, width = image.shape[:2]
    if rng.random() < 0.4:
        sheet = colour(page(rng, sources))
        factor = (
            rng.uniform(0.03, 0.2) * height * width / (sheet.shape[0] * sheet.shape[1])
        ) ** 0.5
        sheet = resized(
            sheet, min(factor, 0.8 * height / sheet.shape[0], 0.8 * width / sheet.shape[1])
        )
        top = int(rng.integers(max(1, height - sheet.shape[0])))
        left = int(rng.integers(max(1, width - sheet.shape[1])))
        place = image[top : top + sheet.shape[0], left : left + sheet.shape[1]]
        place[:] = sheet[: place.shape[0], : place.shape[1]]
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(1, 6))):
        x, y = rng.uniform(0, 0.8, 2) * (width, height)
        size, room = int(rng.uniform(0.03, 0.12) * height) + 8, rng.uniform(0.1, 0.6) * width
        ink = tuple(int(v) for v in rng.integers(0, 256, 3))
        if rng.random() < 0.4:
            draw.rectangle(
                (x - 5, y - 5, x + room + 15, y + 1.3 * size), tuple(255 - v for v in ink)
            )
        write(draw, rng, (x, y), room, sources.font(rng, size), ink)
    image = toned(np.asarray(canvas), rng)
    return noisy(image if rng.random() < 0.8 else grey(image), rng, 40)


def screenshot(rng: Generator, sources: Sources) -> Pixels:
    """A desktop or an application, two in five of them noisy."""
    sheet = plain_screenshot(rng, sources)
    return noisy(sheet, rng, 8) if rng.random() < 0.4 else sheet


def plain_screenshot(rng: Generator, sources: Sources) -> Pixels:
    """Bars, panels, icons, pictures, text, light or dark."""
    height, width = int(rng.integers(400, 1000)), int(rng.integers(500, 1300))
    dark = bool(rng.random() < 0.4)
    back = int(rng.integers(15, 60) if dark else rng.integers(215, 250))
    sheet = Image.new(
        "RGB", (width, height), (back, back, min(255, back + int(rng.integers(0, 12))))
    )
    draw, accent = ImageDraw.Draw(sheet), tuple(int(v) for v in rng.integers(20, 230, 3))
    ink = (225,) * 3 if dark else (40,) * 3
    bar, side = int(rng.uniform(0.05, 0.15) * height), int(rng.uniform(0.1, 0.3) * width)
    draw.rectangle((0, 0, width, bar), accent)
    draw.rectangle((0, bar, side, height), tuple(int(v) for v in rng.integers(30, 235, 3)))
    font = sources.font(rng, int(rng.integers(10, 18)))
    y = bar + 12.0
    while y < height - 20:
        write(draw, rng, (10, y), 0.5 * side, font, ink)
        y += 2.2 * font.size
    x, y = side + 15.0, bar + 15.0
    for _ in range(int(rng.integers(2, 6))):
        wide, high = rng.uniform(0.25, 0.7) * (width - side), rng.uniform(0.12, 0.4) * height
        kind = rng.random()
        if kind < 0.45:
            shot = cv2.resize(colour(sources.photo(rng)), (int(wide), int(high)))
            sheet.paste(Image.fromarray(np.asarray(shot, np.uint8)), (int(x), int(y)))
        elif kind < 0.8:
            line = y
            while line < y + high:
                write(draw, rng, (x, line), wide - 20, font, ink)
                line += 1.6 * font.size
        else:
            for _ in range(int(rng.integers(3, 12))):
                px, py = x + rng.uniform(0, wide), y + rng.uniform(0, high)
                fill = tuple(int(v) for v in rng.integers(0, 256, 3))
                draw.rounded_rectangle((px, py, px + 40, py + 30), 6, fill)
        x += wide + 15
        if x > width - 0.2 * (width - side):
            x, y = side + 15.0, y + high + 15
    return np.asarray(sheet)


def drawing(rng: Generator, sources: Sources) -> Pixels:
    """A pencil drawing with its shades, or a flat painting with outlines."""
    image = colour(sources.photo(rng))
    if rng.random() < 0.5:
        plane = grey(image)[..., 0].astype(np.float32)
        soft = cv2.GaussianBlur(255 - plane, (0, 0), rng.uniform(4, 20))
        sketch = np.clip(plane * 255 / np.maximum(256 - soft, 1), 0, 255)
        sketch = 255 - (255 - sketch) * np.float32(rng.uniform(0.7, 1.5))
        shade = np.float32(rng.uniform(0.25, 0.6)) * (255 - cv2.GaussianBlur(plane, (0, 0), 3))
        grain = 1 + 0.15 * rng.standard_normal(plane.shape)
        image = np.clip(sketch - shade * grain, 0, 255).astype(np.uint8)[..., None]
        return noisy(image, rng, 12)
    return noisy(flat_painting(image, rng), rng, 12)


def sketch(rng: Generator, sources: Sources) -> Pixels:
    """A pencil drawing whose shades are lines, on the paper it was drawn on."""
    plane = grey(resized(cut(sources.photo(rng), rng, 0.6), rng.uniform(0.8, 2.2)))[..., 0]
    light = plane.astype(np.float32) / 255
    reach = rng.uniform(2, 15)
    lines = np.clip(light / np.maximum(cv2.GaussianBlur(light, (0, 0), reach), 0.02), 0, 1)
    shade = (1 - light) * np.float32(rng.choice([0, 0.1, 0.25]))
    depth = np.float32(rng.uniform(0.4, 1)) * (1 - lines) + shade
    if rng.random() < 0.3:  # hatched
        rows, columns = np.indices(plane.shape, np.float32)
        stripes = np.sin((columns + rng.uniform(-1, 1) * rows) * rng.uniform(0.7, 2)) > 0.3
        depth += 0.4 * stripes * np.clip(0.7 - light, 0, 1)
    pencil = np.array([rng.uniform(0.1, 0.5)] * 3, np.float32)
    if rng.random() < 0.25:  # sanguine, blue
        pencil = rng.uniform(0.1, 0.6, 3).astype(np.float32)
    return on_paper(1 - depth[..., None].clip(0, 1) * (1 - pencil), rng)


def on_paper(light: NDArray[np.float32], rng: Generator) -> Pixels:
    """Print or pencil, H x W x 3 in [0, 1], on white, tinted or rough paper, scanned."""
    if rng.random() < 0.7:
        light = light * (1 - np.sort(rng.uniform(0, 0.18, 3))).astype(np.float32)
    rough = rng.standard_normal(light.shape[:2], np.float32)
    rough = cv2.GaussianBlur(rough, (0, 0), rng.uniform(0.6, 4))
    light = light * (1 + np.float32(rng.uniform(0, 0.03)) * rough / rough.std())[..., None]
    if rng.random() < 0.4:
        uneven = rng.uniform(0.8, 1, (3, 3)).astype(np.float32)
        size = (light.shape[1], light.shape[0])
        light = light * cv2.resize(uneven, size, interpolation=cv2.INTER_CUBIC)[..., None]
    image = np.clip(np.rint(light * 255), 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        image = bordered(image, (int(rng.integers(5, 50)),) * 4, int(rng.integers(0, 256)))
    return noisy(image if rng.random() < 0.75 else grey(image), rng, 10)


def coloured_map(rng: Generator, sources: Sources) -> Pixels:
    """Pale areas, contour lines, rivers, roads with edges, a grid and names, in colour."""
    height, width = (int(v) for v in rng.integers(450, 1300, 2))
    size, coarse = (width, height), (int(rng.integers(3, 9)), int(rng.integers(3, 9)))
    fields = [
        cv2.resize(rng.standard_normal(coarse, np.float32), size, interpolation=cv2.INTER_CUBIC)
        for _ in range(3)
    ]
    image = np.full((height, width, 3), 255, np.uint8)
    tints = [(205, 228, 190), (185, 215, 238), (250, 240, 190), (240, 205, 190), (225, 225, 225)]
    for field in fields:
        image[field > rng.uniform(0, 1)] = tints[int(rng.integers(len(tints)))]
    ink = (int(rng.integers(120, 200)), int(rng.integers(80, 140)), int(rng.integers(40, 100)))
    if rng.random() < 0.6:
        for level in np.arange(-2, 2, rng.uniform(0.12, 0.4)):
            around = cv2.findContours(
                (fields[0] > level).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE
            )[0]
            cv2.polylines(image, around, True, ink, 1, cv2.LINE_AA)
    for _ in range(int(rng.integers(3, 18))):
        points = rng.uniform(0, 1, (int(rng.integers(2, 6)), 2)) * size
        shape, wide = [points.astype(np.int32)], int(rng.integers(2, 9))
        if rng.random() < 0.3:
            cv2.polylines(image, shape, False, (90, 150, 215), wide // 2 + 1, cv2.LINE_AA)
            continue
        fill = [(255, 240, 150), (240, 130, 110), (255, 255, 255)][int(rng.integers(3))]
        cv2.polylines(image, shape, False, (110, 100, 95), wide + 2, cv2.LINE_AA)
        cv2.polylines(image, shape, False, fill, wide, cv2.LINE_AA)
    if rng.random() < 0.4:
        step = int(rng.integers(60, 250))
        image[step::step] = image[:, step::step] = (150, 175, 205)
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(5, 60))):
        x, y = rng.uniform(0, 0.9, 2) * size
        font = sources.font(rng, int(rng.integers(9, 30)))
        draw.text((x, y), str(rng.choice(ENGLISH)).title(), (int(rng.integers(0, 90)),) * 3, font)
    return on_paper(np.asarray(canvas).astype(np.float32) / np.float32(255), rng)


def graphic(rng: Generator, sources: Sources) -> Pixels:
    """A sketch or a map on its paper."""
    return (sketch if rng.random() < 0.5 else coloured_map)(rng, sources)


def flock(rng: Generator, sources: Sources) -> Pixels:
    """Birds, or balloons, kites and boats, or wires or twigs, dark against a sky or a sea."""
    height, width = (int(v) for v in rng.integers(300, 1100, 2))
    sky = np.linspace(rng.uniform(0.3, 1), rng.uniform(0.3, 1), height)[:, None, None]
    sky = np.repeat(sky * rng.uniform(0.6, 1, 3) ** rng.uniform(0, 1), width, axis=1)
    if rng.random() < 0.6:  # clouds: a photo out of focus, or drawn ones
        cloud = cv2.resize(colour(sources.photo(rng)), (width, height))
        cloud = cv2.GaussianBlur(cloud, (0, 0), rng.uniform(4, 60)).astype(np.float64) / 255
        sky += rng.uniform(0.1, 0.8) * (cloud - sky)
    image = np.ascontiguousarray(np.clip(255 * sky, 0, 255).astype(np.uint8))
    if rng.random() < 0.3:  # land, trees, roofs
        strip = cut(colour(sources.photo(rng)), rng, 0.5)
        strip = np.asarray(cv2.resize(strip, (width, int(height * rng.uniform(0.05, 0.3)))))
        image[height - len(strip) :] = strip
    large, alike = float(np.exp(rng.uniform(np.log(5), np.log(60)))), rng.uniform(0, 0.6)
    ink, kind = tuple(int(v) for v in rng.integers(0, 110, 3)), rng.random()
    centre, spread = rng.uniform(0.2, 0.8, 2), rng.uniform(0.08, 0.9, 2)
    if rng.random() < 0.25:
        wires(image, rng, ink)
        kind = rng.random() / 0.4  # over 1: nothing else
    elif rng.random() < 0.15:
        for _ in range(int(rng.integers(1, 5))):
            root = rng.uniform(0, 1, 2) * (width, height)
            twig(image, rng, root, rng.uniform(0, 2 * np.pi), 0.25 * min(height, width), ink)
        kind = 2
    for _ in range(int(np.exp(rng.uniform(np.log(8), np.log(400))))):
        place = (centre + spread * rng.normal(0, 0.6, 2)) * (width, height)
        span = large * float(np.exp(rng.normal(0, alike)))
        if kind < 0.75:
            bird(image, rng, place, span, ink)
        elif kind <= 1:
            blob(image, rng, place, span, ink)
    if rng.random() < 0.5:
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.5))
        image = np.asarray(soft, np.uint8)
    return noisy(image if rng.random() < 0.7 else grey(image), rng, 12)


def blob(
    image: Pixels, rng: Generator, place: NDArray[np.float64], span: float, ink: tuple[int, ...]
) -> None:
    """A polygon, nearly an ellipse or not, drawn into the image."""
    turn, sides = rng.uniform(0, 2 * np.pi), int(rng.integers(3, 16))
    around = turn + 2 * np.pi * np.arange(sides) / sides
    outline = np.stack([np.cos(around), rng.uniform(0.4, 1.3) * np.sin(around)], 1)
    shape = place + 0.5 * span * outline
    cv2.fillPoly(image, [np.rint(8 * shape).astype(np.int32)], ink, cv2.LINE_AA, 3)


def wires(image: Pixels, rng: Generator, ink: tuple[int, ...]) -> None:
    """Two to twelve sagging lines from side to side, drawn into the image."""
    height, width = image.shape[:2]
    across = np.linspace(0, 1, 40)
    first, apart = rng.uniform(0.05, 0.6), rng.uniform(0.01, 0.1)
    slope, sag, low = rng.normal(0, 0.2), rng.uniform(-0.15, 0.3), rng.uniform(0, 1)
    thick = int(rng.integers(1, 1 + max(2, width // 200)))
    for number in range(int(rng.integers(2, 13))):
        place = first + number * apart * rng.uniform(0.8, 1.2)
        down = place + slope * across + sag * (0.25 - (across - low) ** 2)
        line = np.stack([across * width, down * height], 1)
        cv2.polylines(
            image, [np.rint(8 * line).astype(np.int32)], False, ink, thick, cv2.LINE_AA, 3
        )


def twig(
    image: Pixels, rng: Generator, root: NDArray[np.float64], way: float, length: float,
    ink: tuple[int, ...],
) -> None:  # fmt: skip
    """A branch with its branches, drawn into the image."""
    tip = root + length * np.array([np.cos(way), np.sin(way)])
    ends = [np.rint(8 * end).astype(np.int32).tolist() for end in (root, tip)]
    cv2.line(image, ends[0], ends[1], ink, max(1, round(length / 16)), cv2.LINE_AA, 3)
    if length < 10:
        return
    for _ in range(int(rng.integers(2, 4))):
        start = root + rng.uniform(0.5, 1) * (tip - root)
        twig(image, rng, start, way + rng.normal(0, 0.6), length * rng.uniform(0.5, 0.8), ink)


def bird(
    image: Pixels, rng: Generator, place: NDArray[np.float64], span: float, ink: tuple[int, ...]
) -> None:
    """A body between two bent wings, seen from anywhere, drawn into the image."""
    lift, tilt, slender = rng.uniform(-0.5, 0.7), rng.normal(0, 0.4), rng.uniform(0.05, 0.16)
    along = np.linspace(-1, 1, 13)
    bow = -lift * (1 - np.abs(np.abs(along) - 0.55)) * np.minimum(1, 3 * np.abs(along))
    thick = slender * (1.1 - np.abs(along)) + 0.12 * np.exp(-((along / 0.12) ** 2))
    outline = np.concatenate(
        [np.stack([along, bow - thick], 1), np.stack([along, bow + thick], 1)[::-1]]
    )
    outline[:, 0] *= rng.uniform(0.4, 1)
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    shape = place + 0.5 * span * outline @ turn.T
    cv2.fillPoly(image, [np.rint(8 * shape).astype(np.int32)], ink, cv2.LINE_AA, 3)


def flat_painting(image: Pixels, rng: Generator) -> Pixels:
    """A photo in a few flat colours with dark outlines."""
    flat = cv2.bilateralFilter(cv2.medianBlur(image, 5), 9, 60, 9)
    levels = int(rng.integers(3, 8))
    flat = np.asarray(flat // (256 // levels) * (255 // max(1, levels - 1)), np.uint8)
    edges = cv2.Canny(cv2.medianBlur(image, 7), 60, 140)
    flat[cv2.dilate(edges, np.ones((2, 2), np.uint8)) > 0] = 20
    return flat


def texture(rng: Generator, sources: Sources) -> Pixels:
    """Bricks, a fence, cloth, plaster or bark: much detail, nothing to read."""
    height, width = int(rng.integers(250, 800)), int(rng.integers(250, 800))
    y, x = np.indices((height, width), np.float32)
    a, b = rng.uniform(8, 60, 2)
    kind = rng.integers(4)
    if kind == 0:
        row = np.floor(y / a)
        plane = 0.7 - 0.5 * (((y % a) < 0.12 * a) | (((x + row % 2 * b) % (2 * b)) < 0.1 * a))
    elif kind == 1:
        plane = 0.5 + 0.35 * np.sin(2 * np.pi * x / a) * np.sign(
            np.sin(2 * np.pi * y / b) + rng.uniform(0, 1.5)
        )
    elif kind == 2:
        fine = rng.standard_normal((height, width)).astype(np.float32)
        fine = cv2.GaussianBlur(fine, (0, 0), rng.uniform(0.5, 6), sigmaY=rng.uniform(0.5, 6))
        plane = rng.uniform(0.4, 0.9) + rng.uniform(0.03, 0.2) * fine / fine.std()
    else:
        plane = 0.5 + 0.4 * np.sin(2 * np.pi * x / a) * np.sin(2 * np.pi * y / b)
    rough = cv2.resize(
        rng.standard_normal((12, 12)).astype(np.float32),
        (width, height),
        interpolation=cv2.INTER_CUBIC,
    )
    grain = rng.standard_normal((height, width)).astype(np.float32)
    plane = plane + rng.uniform(0.02, 0.12) * rough + rng.uniform(0, 0.08) * grain
    tint = rng.uniform(0.5, 1, 3)
    image = np.clip(plane[..., None] * tint * 255, 0, 255).astype(np.uint8)
    return noisy(image if rng.random() < 0.6 else grey(image), rng, 30)


def scene(rng: Generator, sources: Sources) -> Pixels:
    """A synthetic scene of the project's own."""
    height, width = (int(v) for v in rng.integers(200, 600, 2))
    return varied(render_scene(rng, height, width), rng)


def flat(rng: Generator, sources: Sources) -> Pixels:
    """Flat, a gradient, or a few large coloured shapes."""
    height, width = (int(v) for v in rng.integers(60, 900, 2))
    image = np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
    if rng.random() < 0.3:
        ramp = np.linspace(rng.uniform(0, 255), rng.uniform(0, 255), width)
        image = np.broadcast_to(ramp[None, :, None], image.shape).astype(np.uint8).copy()
    for _ in range(int(rng.integers(0, 6))):
        points = rng.uniform(0, 1, (int(rng.integers(3, 7)), 2)) * (width, height)
        fill = tuple(int(v) for v in rng.integers(0, 256, 3))
        cv2.fillPoly(image, [points.astype(np.int32)], fill, cv2.LINE_AA)
    return noisy(image, rng, 50)


Maker = Callable[[Generator, Sources], Pixels]
PAGES: dict[str, tuple[Maker, int]] = {
    "page": (page, 8), "receipt": (receipt, 2), "form": (form, 2), "book": (book, 2),
    "newspaper": (newspaper, 3), "handwriting": (handwriting, 2), "whiteboard": (whiteboard, 2),
    "angled": (angled, 4),
}  # fmt: skip
OTHERS: dict[str, tuple[Maker, int]] = {
    "text in a photo": (text_photo, 4), "screenshot": (screenshot, 3), "drawing": (drawing, 3),
    "texture": (texture, 2), "scene": (scene, 1), "flat": (flat, 1),
}  # fmt: skip


LATER: dict[str, tuple[Maker, int]] = {"print": (old_print, 24), "graphic": (graphic, 16),
                                            "flock": (flock, 8)}  # fmt: skip
LAST: dict[str, tuple[Maker, int]] = {"coloured print": (office, 24), "poster": (leaflet, 12)}
TABLE: dict[str, tuple[Maker, int]] = {"sheet on a table": (lying, 1)}


def make(case: Case, sources: dict[bool, Sources]) -> Pixels:
    """The image of a case."""
    rng = np.random.default_rng(case.seed)
    sources[case.held_out].pages = case.pages
    if case.source is None:
        maker = {**PAGES, **OTHERS, **LATER, **LAST, **TABLE}[case.kind][0]
        return maker(rng, sources[case.held_out])
    image = read(case.source)
    if case.scan:
        image = resized(image, float(rng.uniform(1, 3))) if rng.random() < 0.5 else image
        return noisy(image, rng, 30) if rng.random() < 0.5 else image
    return image if case.seed % 3 == 0 else varied(image, rng)


def cases(root: Path, units: int, first: int = 0) -> Iterator[Case]:
    """Everything to be made, training and held-out; seeds count from `first`.

    A drawn kind has `units` images times its weight, a third of them held out. The folders of
    `validation` serve the held-out side alone.
    """
    seed = first
    for folder in ("bsd432", "imagenet", "sunhays", "clic"):
        for index, path in enumerate(sorted((root / "photos" / folder).iterdir())):
            for _ in range(2):
                yield Case(folder, False, index % 4 == 3, seed := seed + 1, path)
    for folder, times in (("kodak24", 4), ("set12", 4), ("polyu", 1)):
        for path in sorted((root / "validation" / folder).rglob("*")):
            page = any(name in path.name for name in _PAGES_OF_POLYU)
            for _ in range(times if path.suffix.lower() in SUFFIXES and not page else 0):
                yield Case(folder, False, True, seed := seed + 1, path)
    office = root / "documents/noisyoffice"
    clean = {path.name: read(path) for path in sorted((office / "clean").iterdir())}
    tested = set(split_by_page(clean)[1])
    for kind, times in (("noisy", 3), ("clean", 1)):
        for path in sorted((office / kind).iterdir()):
            for _ in range(times):
                yield Case(f"office {kind}", True, path.name in tested, seed := seed + 1, path)
    for scan, makers in ((True, PAGES), (False, OTHERS)):
        for kind, (_, weight) in makers.items():
            for index in range(units * weight):
                yield Case(kind, scan, index % 3 == 2, seed := seed + 1)
    for _ in range(4):  # photos are the harmless side: what they look like must be known well
        for folder in ("bsd432", "imagenet", "sunhays"):
            for index, path in enumerate(sorted((root / "photos" / folder).iterdir())):
                if index % 4 != 3:
                    yield Case(folder, False, False, seed := seed + 1, path)
    for kind, (_, weight) in PAGES.items():
        for _ in range(units // 2 * weight):
            yield Case(kind, True, False, seed := seed + 1)
    for kind, (_, weight) in LATER.items():
        for index in range(units * weight):
            yield Case(kind, False, index % 3 == 2, seed := seed + 1)
    for kind, (_, weight) in LAST.items():
        for index in range(units * weight):
            yield Case(kind, kind == "coloured print", index % 3 == 2, seed := seed + 1)
    for kind, (_, weight) in TABLE.items():  # decided by a closer look: nothing is fitted on these
        for _ in range(units * weight):
            yield Case(kind, True, True, seed := seed + 1)
