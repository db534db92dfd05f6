"""Clean synthetic pages: endless training targets for scans, with their text known.

A page is drawn with FreeType at two to four times its size, blurred a little and averaged
down, as a scanner's optics and sensor do (Baird, "Document image defect models", 1992);
some pages are drawn directly, as born-digital ones are. Blank paper is exactly 255.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from .blocks import BLOCKS, Box, Sheet, draw_ink, draw_pen, draw_word, put
from .errors import DependencyError
from .fonts import MISSING, SCRIPT_WEIGHTS, SCRIPTS, find_fonts, scripts_of

__all__ = ["find_fonts", "render_page", "scripts_of", "split_by_page"]


def split_by_page(clean: Mapping[str, NDArray[np.uint8]]) -> tuple[list[str], list[str]]:
    """Split file names into training and validation so that no clean page is in both.

    Files with identical clean pixels share a page. Pages are put in the order of their first
    file name (numbers by value); every fourth page (index % 4 == 3) is held out.

    Returns:
        The names for training and the names for validation.
    """
    pages: dict[tuple[tuple[int, ...], bytes], list[str]] = {}
    for name in sorted(clean, key=_natural):
        pages.setdefault((clean[name].shape, clean[name].tobytes()), []).append(name)
    groups = list(pages.values())
    train = [name for index, group in enumerate(groups) if index % 4 != 3 for name in group]
    return train, [name for group in groups[3::4] for name in group]


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def render_page(
    rng: np.random.Generator,
    height: int,
    width: int,
    fonts: Sequence[Path],
    *,
    dpi: float,
    photos: Sequence[NDArray[np.uint8]] = (),
    colour: bool = False,
    plain: bool = False,
) -> tuple[NDArray[np.uint8], list[str]]:
    """Render one clean page, or the part of it that fits.

    Args:
        rng: Every choice is drawn from it.
        height: Pixels of the result.
        width: Pixels of the result.
        fonts: Files as found by `find_fonts`; read with `scripts_of`.
        dpi: Resolution; sets the size of the letters in pixels.
        photos: RGB images, H x W x 3 uint8, pasted into some pages as pictures.
        colour: Three channels (with coloured ink, stamps, pictures) rather than one.
        plain: One column of English paragraphs in black, for text recognition.

    Returns:
        The page, height x width x 1 or 3, uint8, blank paper 255, and its lines of text.
    """
    scale = int(rng.choice([1, 2, 3, 4], p=[0.15, 0.3, 0.4, 0.15])) if height < 800 else 2
    script = "latin" if plain else _draw_script(rng, fonts)
    able = [path for path in fonts if script in scripts_of(path)]
    if not able:
        raise DependencyError(f"{script}: {MISSING}")
    chosen = [able[int(i)] for i in rng.integers(len(able), size=1 if plain else 2)]
    points = float(np.clip(rng.lognormal(np.log(10.5), 0.05 if plain else 0.35), 5, 36))
    em = max(points * dpi / 72, 8.0 if rng.random() < 0.7 else 6.5)
    mode, blank = ("RGB", (255, 255, 255)) if colour else ("L", 255)
    canvas = Image.new(mode, (width * scale, height * scale), blank)
    ink = draw_ink(rng, colour and not plain, plain)
    sheet = Sheet(canvas, rng, chosen, script, em * scale, ink, colour, photos, plain)
    _fill(sheet, plain)
    return _scan(rng, sheet.image, scale, height, width), sheet.lines


def _draw_script(rng: np.random.Generator, fonts: Sequence[Path]) -> str:
    known = {script for path in fonts for script in scripts_of(path)}
    weights = np.array([w * (s in known) for s, w in zip(SCRIPTS, SCRIPT_WEIGHTS, strict=True)])
    if not weights.any():
        raise DependencyError(MISSING)
    return str(rng.choice(list(SCRIPTS), p=weights / weights.sum()))


def _scan(
    rng: np.random.Generator, image: Image.Image, scale: int, height: int, width: int
) -> NDArray[np.uint8]:
    page = np.asarray(image)
    if scale > 1:
        sigma = rng.uniform(0.2, 0.45) * scale
        page = cv2.GaussianBlur(page, (0, 0), sigma)
        page = cv2.resize(page, (width, height), interpolation=cv2.INTER_AREA)
        # A scanner's tone curve: edges a little fatter or thinner, black and white as they are.
        curve = 255 * (np.arange(256) / 255) ** rng.uniform(0.75, 1.3)
        page = cv2.LUT(page, np.rint(curve).astype(np.uint8))
    return np.ascontiguousarray(page.reshape(height, width, -1))


def _fill(sheet: Sheet, plain: bool) -> None:
    width, height = sheet.image.size
    # Most training pages are cut-outs: text may start beyond the edge and run out of it.
    share = sheet.between(0.05, 0.09) if plain else sheet.between(-0.12, 0.1)
    margin = round(share * width)
    room = (width - 2 * margin) / sheet.em
    columns = 1 if plain or room < 18 else int(sheet.rng.choice([1, 1, 1, 2, 3]))
    gap = round(1.5 * sheet.em)
    if not plain and sheet.chance(0.06):
        _ruled(sheet)
    if not plain and sheet.chance(0.04):
        _watermark(sheet)
    step = (width - 2 * margin + gap) // columns
    for column in range(columns):
        left = margin + column * step
        _column(sheet, (left, margin, left + step - gap, height - max(margin, 0)), plain)
    if not plain:
        _decorate(sheet)


def _column(sheet: Sheet, box: Box, plain: bool) -> None:
    left, top, right, bottom = box
    while top < bottom - sheet.em:
        names = list(BLOCKS)
        weights = np.array([BLOCKS[name][0] for name in names], np.float64)
        name = "paragraph" if plain else str(sheet.rng.choice(names, p=weights / weights.sum()))
        end = BLOCKS[name][1](sheet, (left, top, right, bottom))
        top = max(end, top + round(sheet.em)) + round(sheet.em * sheet.between(0.3, 1.2))


def _ruled(sheet: Sheet) -> None:
    width, height = sheet.image.size
    level = int(sheet.rng.integers(120, 200))
    ink = (level, level + 20, 235) if sheet.colour else level
    pitch, thick = sheet.em * sheet.between(1.3, 2.2), max(1, round(0.04 * sheet.em))
    grid = sheet.chance(0.3)
    for position in np.arange(0, max(width, height), pitch):
        sheet.draw.line((0, position, width, position), ink, thick)
        if grid:
            sheet.draw.line((position, 0, position, height), ink, thick)


def _watermark(sheet: Sheet) -> None:
    """A large light word behind the text."""
    width, height = sheet.image.size
    light = sheet.rng.integers(190, 235, 3)
    ink = tuple(int(v) for v in light) if sheet.colour else int(light[0])
    font = sheet.font(sheet.between(4, 10))
    place = sheet.between(-0.1, 0.4) * width, sheet.between(0, 0.8) * height
    sheet.draw.text(place, draw_word(sheet).upper(), ink, font)


def _decorate(sheet: Sheet) -> None:
    """Put a page number, pen marks over the text, and a stamp on some pages."""
    width, height = sheet.image.size
    if sheet.chance(0.2):
        number = str(int(sheet.rng.integers(1, 900)))
        put(sheet, width / 2, height - 1.4 * sheet.em, number, sheet.font())
    if sheet.chance(0.06):
        knots = sheet.rng.uniform(0, 1, (9, 2)) * (width, height)
        draw_pen(sheet, knots, 0.1 * sheet.em, draw_ink(sheet.rng, sheet.colour))
    if sheet.chance(0.25 if sheet.colour else 0.06):
        _stamp(sheet)


def _stamp(sheet: Sheet) -> None:
    """A rubber stamp, turned, multiplied onto the page: text under it stays."""
    wide, high = round(10 * sheet.em), round(4 * sheet.em)
    mark = Image.new(sheet.image.mode, (wide, high), sheet.blank())
    ink, page, sheet.ink = sheet.ink, sheet.image, draw_ink(sheet.rng, sheet.colour)
    sheet.image, thick = mark, max(2, round(0.12 * sheet.em))
    outline = sheet.draw.ellipse if sheet.chance(0.5) else sheet.draw.rectangle
    outline((thick, thick, wide - thick, high - thick), None, sheet.ink, thick)
    font = sheet.font(1.2)
    text = draw_word(sheet).upper()
    put(sheet, (wide - font.getlength(text)) / 2, 1.2 * sheet.em, text, font)
    sheet.image, sheet.ink = page, ink
    mark = mark.rotate(sheet.between(-40, 40), Image.Resampling.BILINEAR, True,
                       fillcolor=sheet.blank())  # fmt: skip
    layer = Image.new(page.mode, page.size, sheet.blank())
    layer.paste(mark, (round(sheet.between(0, 0.7) * page.width),
                       round(sheet.between(0, 0.8) * page.height)))  # fmt: skip
    sheet.image = ImageChops.multiply(page, layer)
