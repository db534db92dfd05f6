"""What stands on a page: paragraphs, tables, forms, formulas, handwriting, pictures.

Each block draws itself into a box of a `Sheet`, from its top down, and returns where it ends.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .fonts import ENGLISH, EUROPEAN, SCRIPTS, load_font

__all__ = ["BLOCKS", "Box", "Sheet", "draw_ink", "draw_pen", "draw_word", "halftone", "put"]

Box = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass
class Sheet:
    """One page being drawn: sizes are in drawn (enlarged) pixels."""

    image: Image.Image
    rng: np.random.Generator
    fonts: Sequence[Path]
    script: str
    em: float
    ink: Any
    colour: bool
    photos: Sequence[NDArray[np.uint8]]
    plain: bool = False
    lines: list[str] = field(default_factory=list)

    @property
    def draw(self) -> ImageDraw.ImageDraw:
        """Pen on the present image."""
        return ImageDraw.Draw(self.image)

    def font(self, factor: float = 1.0) -> ImageFont.FreeTypeFont:
        """One of the page's fonts, at a multiple of its size."""
        path = self.fonts[int(self.rng.integers(len(self.fonts)))]
        return load_font(path, max(6, round(self.em * factor)))

    def chance(self, probability: float) -> bool:
        """Whether an event of this probability happens."""
        return bool(self.rng.random() < probability)

    def between(self, low: float, high: float) -> float:
        """Draw uniformly."""
        return float(self.rng.uniform(low, high))

    def blank(self) -> Any:
        """White, in the image's mode."""
        return (255, 255, 255) if self.colour else 255


def draw_ink(rng: np.random.Generator, colour: bool, plain: bool = False) -> Any:
    """Mostly black, sometimes grey or light grey; any dark colour where there is colour.

    Ink a little above black is rare: a noisy page cannot show it apart from faded black, and
    targets that hold much of it leave faded text grey.
    """
    kind = rng.random()
    if plain or kind < 0.78:
        level = int(min(rng.exponential(4), 20))
    else:
        level = int(rng.integers(40, 110) if kind < 0.9 else rng.integers(110, 185))
    if not colour:
        return level
    if rng.random() < 0.55:
        return (level, level, level)
    hue = np.array([[[rng.integers(180), rng.integers(90, 256), rng.integers(60, 190)]]], np.uint8)
    return tuple(int(v) for v in cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0])


def draw_word(sheet: Sheet) -> str:
    """One word of the page's script, or a number, with punctuation now and then."""
    rng = sheet.rng
    if sheet.chance(0.05):
        return str(rng.choice(["{:d}", "{:,d}", "({:d})", "{:d}%", "${:d}.00", "{:d}-"])).format(
            int(rng.integers(0, 3000))
        )
    if sheet.script == "latin":
        word = ENGLISH[int(rng.integers(len(ENGLISH)))]
    elif sheet.script == "european":
        words = EUROPEAN if sheet.chance(0.5) else ENGLISH
        word = words[int(rng.integers(len(words)))]
    else:
        letters = SCRIPTS[sheet.script]
        word = "".join(letters[int(i)] for i in rng.integers(len(letters), size=rng.integers(1, 9)))
    word = word.upper() if sheet.chance(0.02) else word.capitalize() if sheet.chance(0.08) else word
    return word + str(rng.choice(list(".,;:!?-"))) if sheet.chance(0.12) else word


def _line(sheet: Sheet, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Words that fill a width; at least one."""
    space = font.getlength(" ")
    words = [draw_word(sheet)]
    used = font.getlength(words[0])
    for _ in range(60):
        word = draw_word(sheet)
        used += space + font.getlength(word)
        if used > width:
            break
        words.append(word)
    return words


def put(
    sheet: Sheet, x: float, y: float, text: str, font: ImageFont.FreeTypeFont, ink: Any = None
) -> None:
    """Write one line with its upper left corner at (x, y), and remember its text."""
    sheet.draw.text((x, y), text, font=font, fill=sheet.ink if ink is None else ink)
    sheet.lines.append(text)


def _stroke(sheet: Sheet) -> int:
    return max(1, round(sheet.em * sheet.between(0.03, 0.12)))


def _paragraph(sheet: Sheet, box: Box, factor: float = 1.0, count: int = 0) -> int:
    left, top, right, bottom = box
    font = sheet.font(factor)
    pitch = round(font.size * sheet.between(1.1, 1.6))
    count = count or int(sheet.rng.integers(2, 12))
    align = str(sheet.rng.choice(["left", "justify", "centre", "right"], p=[0.4, 0.45, 0.1, 0.05]))
    if sheet.script in ("arabic", "hebrew"):
        align = "right"
    for index in range(count):
        if top + pitch > bottom:
            break
        words = _line(sheet, font, right - left)
        last = index == count - 1
        words = words[: max(1, int(len(words) * sheet.rng.random()))] if last else words
        _set_line(sheet, font, words, (left, top, right), "left" if last else align)
        top += pitch
    return top


def _set_line(
    sheet: Sheet,
    font: ImageFont.FreeTypeFont,
    words: list[str],
    place: tuple[int, int, int],
    align: str,
) -> None:
    left, top, right = place
    text = " ".join(words)
    spare = right - left - font.getlength(text)
    if align != "justify" or len(words) < 3 or spare > 0.4 * (right - left):
        x = left + spare * {"centre": 0.5, "right": 1.0}.get(align, 0.0)
        put(sheet, x, top, text, font)
        if not sheet.plain and sheet.chance(0.03):
            base, end = top + font.size * 1.12, x + font.getlength(text)
            sheet.draw.line((x, base, end, base), sheet.ink, _stroke(sheet))
        return
    space = font.getlength(" ") + spare / (len(words) - 1)
    x = float(left)
    for word in words:
        sheet.draw.text((x, top), word, font=font, fill=sheet.ink)
        x += font.getlength(word) + space
    sheet.lines.append(text)


def _heading(sheet: Sheet, box: Box) -> int:
    end = _paragraph(sheet, box, sheet.between(1.2, 2.6), int(sheet.rng.integers(1, 3)))
    if sheet.chance(0.3):
        sheet.draw.line((box[0], end, box[2], end), sheet.ink, _stroke(sheet))
    return end


def _small(sheet: Sheet, box: Box) -> int:
    return _paragraph(sheet, box, sheet.between(0.6, 0.85))


def _list(sheet: Sheet, box: Box) -> int:
    left, top, right, bottom = box
    font = sheet.font()
    for index in range(int(sheet.rng.integers(2, 7))):
        if top + 1.3 * sheet.em > bottom:
            break
        mark = f"{index + 1}." if sheet.chance(0.5) else "-"
        sheet.draw.text((left, top), mark, font=font, fill=sheet.ink)
        indent = left + round(1.8 * sheet.em)
        words = _line(sheet, font, max(right - indent, 1) * sheet.between(0.3, 1))
        put(sheet, indent, top, " ".join(words), font)
        top += round(1.3 * sheet.em)
    return top


def _table(sheet: Sheet, box: Box) -> int:
    left, top, right, bottom = box
    font = sheet.font(sheet.between(0.7, 1.0))
    most = max(1, int((right - left) / (4.5 * font.size)))
    rows, columns = int(sheet.rng.integers(2, 9)), min(int(sheet.rng.integers(2, 7)), most)
    high, wide = round(font.size * sheet.between(1.3, 2)), (right - left) // columns
    rows = max(1, min(rows, (bottom - top) // high))
    thick, grid, frame = _stroke(sheet), sheet.chance(0.7), sheet.chance(0.7)
    for row in range(rows + 1):
        y = top + row * high
        if grid or row in (0, 1, rows):
            sheet.draw.line((left, y, left + wide * columns, y), sheet.ink, thick)
        for column in range(columns if row < rows else 0):
            value = f"{sheet.rng.random() * 1000:.2f}"
            text = draw_word(sheet) if sheet.chance(0.4) else value
            put(sheet, left + column * wide + 0.3 * font.size, y + 0.15 * high, text, font)
    for column in range(columns + 1):
        if grid or (frame and column in (0, columns)):
            x = left + column * wide
            sheet.draw.line((x, top, x, top + rows * high), sheet.ink, thick)
    return top + rows * high


def _form(sheet: Sheet, box: Box) -> int:
    left, top, right, bottom = box
    font = sheet.font(sheet.between(0.7, 1.0))
    for _ in range(int(sheet.rng.integers(2, 7))):
        if top + 2 * font.size > bottom:
            break
        text = " ".join(draw_word(sheet) for _ in range(int(sheet.rng.integers(1, 4)))) + ":"
        put(sheet, left, top, text, font)
        start, base = round(left + font.getlength(text) + font.size), top + font.size
        _field_line(sheet, start, right, base, font.size)
        top += round(1.9 * font.size)
    return top


def _field_line(sheet: Sheet, start: int, right: int, base: float, size: float) -> None:
    kind, thick = int(sheet.rng.integers(4)), _stroke(sheet)
    if right < start + size:
        return
    if kind == 0:
        sheet.draw.line((start, base, right, base), sheet.ink, thick)
    elif kind == 1:
        for x in np.arange(start, right, 0.3 * size):
            sheet.draw.ellipse((x, base - thick, x + thick, base), sheet.ink)
    else:
        wide = size if kind == 2 else right - start
        for x in np.arange(start, right - wide + 1, max(1.15 * wide, 1)):
            sheet.draw.rectangle((x, base - size, x + wide, base), None, sheet.ink, thick)


def _maths(sheet: Sheet, box: Box) -> int:
    left, top, right, bottom = box
    large, small = sheet.font(sheet.between(1.0, 1.4)), sheet.font(0.6)
    x, y = left + sheet.between(0, 0.3) * (right - left), top + 0.7 * sheet.em
    for _ in range(int(sheet.rng.integers(3, 12))):
        if x > right - 2 * sheet.em:
            break
        token = str(sheet.rng.choice(list("abcdxyznk=+-<>()[]|/0123456789")))
        sheet.draw.text((x, y), token, font=large, fill=sheet.ink)
        x += large.getlength(token)
        if sheet.chance(0.35):
            shift = sheet.em * float(sheet.rng.choice([-0.2, 0.7]))
            sheet.draw.text((x, y + shift), "2", font=small, fill=sheet.ink)
            x += small.getlength("2")
        if sheet.chance(0.2):
            end = x + sheet.em * sheet.between(1, 3)
            sheet.draw.line((x, y + 0.6 * sheet.em, end, y + 0.6 * sheet.em), sheet.ink, 2)
            sheet.draw.text((x, y - 0.5 * sheet.em), "x+1", font=small, fill=sheet.ink)
            sheet.draw.text((x, y + 0.7 * sheet.em), "n", font=small, fill=sheet.ink)
            x = end
        x += 0.3 * sheet.em
    return round(y + 1.6 * sheet.em)


def _music(sheet: Sheet, box: Box) -> int:
    left, top, right, bottom = box
    gap, thin = sheet.em * sheet.between(0.35, 0.7), max(1, round(sheet.em * 0.05))
    for line in range(5):
        y = top + line * gap
        sheet.draw.line((left, y, right, y), sheet.ink, thin)
    x = left + 2 * gap
    while x < right - gap:
        y = top + gap * float(sheet.rng.integers(0, 9)) / 2
        filled = sheet.ink if sheet.chance(0.7) else None
        head = (x, y - gap / 2, x + 1.3 * gap, y + gap / 2)
        sheet.draw.ellipse(head, filled, sheet.ink, thin)
        sheet.draw.line((x + 1.25 * gap, y, x + 1.25 * gap, y - 3 * gap), sheet.ink, thin)
        if sheet.chance(0.15):
            bar = x + 2 * gap
            sheet.draw.line((bar, top, bar, top + 4 * gap), sheet.ink, thin)
        x += gap * sheet.between(2, 5)
    return round(top + 5.5 * gap)


def _reversed(sheet: Sheet, box: Box) -> int:
    left, top, right, bottom = box
    end = min(bottom, top + round(sheet.em * sheet.between(2, 7)))
    sheet.draw.rectangle((left, top, right, end), sheet.ink)
    ink, sheet.ink = sheet.ink, sheet.blank()
    pad = round(0.3 * sheet.em)
    _paragraph(sheet, (left + pad, top + pad, right - pad, end), sheet.between(0.8, 1.6), 9)
    sheet.ink = ink
    return end


def _panel(sheet: Sheet, box: Box) -> int:
    """Text on a flat light ground, as in forms and screenshots: content, not dirt."""
    left, top, right, bottom = box
    end = min(bottom, top + round(sheet.em * sheet.between(2, 7)))
    light = sheet.rng.integers(175, 246, 3)
    fill = tuple(int(v) for v in light) if sheet.colour else int(light[0])
    outline = sheet.ink if sheet.chance(0.4) else None
    sheet.draw.rectangle((left, top, right, end), fill, outline, _stroke(sheet))
    pad = round(0.4 * sheet.em)
    _paragraph(sheet, (left + pad, top + pad, right - pad, end), sheet.between(0.8, 1.3), 9)
    return end


def _curve(knots: NDArray[np.float64], per: int) -> NDArray[np.float64]:
    """Catmull-Rom spline through knots (n x 2)."""
    t = np.linspace(0, 1, per, endpoint=False)[:, None, None]
    p0, p1, p2, p3 = knots[:-3], knots[1:-2], knots[2:-1], knots[3:]
    bend = 2 * p0 - 5 * p1 + 4 * p2 - p3
    path = p1 + 0.5 * t * (p2 - p0 + t * (bend + t * (3 * (p1 - p2) + p3 - p0)))
    return np.asarray(path.transpose(1, 0, 2).reshape(-1, 2))


def draw_pen(sheet: Sheet, knots: NDArray[np.float64], width: float, ink: Any) -> None:
    """Draw a smooth stroke of varying width through knots, n x 2 (x, y)."""
    path = _curve(knots, 8)
    pressure = width * (1 + 0.4 * np.sin(np.arange(len(path)) * sheet.between(0.05, 0.3)))
    draw = sheet.draw
    for start, end, wide in zip(path[:-1], path[1:], pressure, strict=False):
        draw.line((*start, *end), ink, max(1, round(wide)), joint="curve")


def _handwriting(sheet: Sheet, box: Box) -> int:
    """Cursive strokes without meaning: loops along a line, some high, some below it."""
    left, top, right, bottom = box
    ink = draw_ink(sheet.rng, sheet.colour)
    size, width = sheet.em * sheet.between(0.35, 0.8), sheet.em * sheet.between(0.04, 0.12)
    slant, loop = sheet.between(-0.1, 0.6), sheet.between(0.1, 0.5)
    for _ in range(int(sheet.rng.integers(1, 5))):
        x = left + sheet.between(0, 2) * size
        while x < right - 3 * size:
            knots = _cursive(sheet, int(sheet.rng.integers(3, 11)), slant, loop) * size
            draw_pen(sheet, knots + (x, top + 1.8 * size), width, ink)
            if sheet.chance(0.3):
                dot = x + sheet.between(0, 1) * float(knots[-1, 0])
                sheet.draw.ellipse((dot, top, dot + width + 1, top + width + 1), ink)
            x += float(knots[:, 0].max()) + size * sheet.between(0.5, 1.1)
        top += round(2.9 * size)
        if top + 2.9 * size > bottom:
            break
    return top


def _cursive(sheet: Sheet, letters: int, slant: float, loop: float) -> NDArray[np.float64]:
    """Knots of one word on a base line at 0, x-height 1, y downwards."""
    rng, turns = sheet.rng, np.arange(letters * 6)
    phase = turns * (2 * np.pi / 6) + rng.normal(0, 0.35, len(turns))
    kinds = rng.choice([0.5, 1.0, 0.35], p=[0.72, 0.2, 0.08], size=letters).repeat(6)
    drop = (rng.random(letters) < 0.1).repeat(6) * 0.8
    pace = np.cumsum(rng.uniform(0.06, 0.19, letters).repeat(6))
    up = kinds * (1 - np.cos(phase)) - drop * np.clip(np.cos(phase), 0, 1)
    up += rng.normal(0, 0.04, len(turns))
    return np.stack([pace + loop * np.sin(phase) + slant * up, -up], 1)


def _drawing(sheet: Sheet, box: Box) -> int:
    left, top, right, bottom = box
    end = min(bottom, top + round((right - left) * sheet.between(0.2, 0.6)))
    for _ in range(int(sheet.rng.integers(2, 12))):
        xs = np.sort(sheet.rng.uniform(left, right, 6))
        ys = sheet.rng.uniform(top, max(end, top + 1), 6)
        corners = (xs[0], min(ys[0], ys[1]), xs[-1], max(ys[0], ys[1]))
        kind, thick = int(sheet.rng.integers(4)), _stroke(sheet)
        if kind == 0:
            sheet.draw.line((xs[0], ys[0], xs[-1], ys[-1]), sheet.ink, thick)
        elif kind == 1:
            sheet.draw.ellipse(corners, None, sheet.ink, thick)
        elif kind == 2:
            sheet.draw.rectangle(corners, None, sheet.ink, thick)
        else:
            draw_pen(sheet, np.stack([xs, ys], 1), thick, sheet.ink)
    return end


def _picture(sheet: Sheet, box: Box) -> int:
    left, top, right, bottom = box
    wide = max(8, round((right - left) * sheet.between(0.3, 1)))
    high = max(8, min(round(wide * sheet.between(0.4, 1.1)), bottom - top))
    if sheet.photos:
        photo = sheet.photos[int(sheet.rng.integers(len(sheet.photos)))]
    else:
        coarse = sheet.rng.integers(0, 256, (6, 6, 3), np.uint8)
        photo = cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC)
    photo = cv2.resize(photo, (wide, high), interpolation=cv2.INTER_LINEAR)
    picture = Image.fromarray(photo).convert(sheet.image.mode)
    if sheet.chance(0.35):
        pitch, angle = sheet.em * sheet.between(0.2, 0.5), sheet.between(0, np.pi / 2)
        dots = halftone(np.asarray(picture.convert("L")), pitch, angle)
        picture = Image.fromarray(dots).convert(sheet.image.mode)
    sheet.image.paste(picture, (left, top))
    return top + high


def halftone(grey: NDArray[Any], pitch: float, angle: float) -> NDArray[np.uint8]:
    """Clustered dots on a turned screen, as in newspapers: H x W, 0 to 255, to ink and paper.

    Args:
        grey: picture of 0 to 255.
        pitch: pixels between dots.
        angle: of the screen, in radians.
    """
    y, x = np.indices(grey.shape, np.float32)
    u = (x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / pitch)
    v = (y * np.cos(angle) - x * np.sin(angle)) * (2 * np.pi / pitch)
    screen = 127.5 + 63.75 * (np.cos(u) + np.cos(v))
    return np.where(grey > screen, 255, 20).astype(np.uint8)


def _hatching(sheet: Sheet, box: Box) -> int:
    """Shapes filled with parallel or crossed lines, as in engravings and technical drawings."""
    left, top, right, bottom = box
    end = min(bottom, top + round((right - left) * sheet.between(0.2, 0.8)))
    size = (max(1, end - top), max(1, right - left))
    covered = np.zeros(size, np.uint8)
    pitch = max(3.0, sheet.em * sheet.between(0.15, 0.7))
    for _ in range(int(sheet.rng.integers(1, 5))):
        shape, lines = np.zeros((2, *size), np.uint8)
        corners = sheet.rng.uniform(0, size[::-1], (int(sheet.rng.integers(3, 6)), 2))
        cv2.fillPoly(shape, [corners.astype(np.int32)], 255)
        thick = max(1, round(pitch * sheet.between(0.08, 0.4)))
        for angle in sheet.rng.uniform(0, np.pi, 2 if sheet.chance(0.3) else 1):
            along = np.array([np.cos(angle), np.sin(angle)])
            for place in np.arange(-sum(size), sum(size), pitch):
                middle = np.array(size[::-1]) / 2 + place * np.array([-along[1], along[0]])
                ends = np.rint([middle - sum(size) * along, middle + sum(size) * along])
                cv2.polylines(lines, [ends.astype(np.int32)], False, 255, thick, cv2.LINE_AA)
        covered = np.maximum(covered, np.minimum(shape, lines))
    sheet.image.paste(sheet.ink, (left, top), Image.fromarray(covered))
    return end


def _contours(sheet: Sheet, box: Box) -> int:
    """A map: lines of equal height (thin, as wide everywhere), names and marks between them."""
    left, top, right, bottom = box
    high, wide = max(8, min(bottom - top, right - left)), max(8, right - left)
    step = max(4, round(sheet.em * sheet.between(1.0, 4.0)))
    coarse = sheet.rng.standard_normal((high // step + 3, wide // step + 3)).astype(np.float32)
    relief = cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_CUBIC)
    relief = relief * np.float32(sheet.between(1, 5))
    slope = cv2.magnitude(np.gradient(relief, axis=1), np.gradient(relief, axis=0))
    away = np.abs(relief - np.rint(relief)) / np.maximum(slope, 1e-6)
    width = max(0.7, sheet.em * sheet.between(0.02, 0.06))
    line = np.clip((width - away + 0.5) * 255, 0, 255).astype(np.uint8)
    sheet.image.paste(sheet.ink, (left, top), Image.fromarray(line))
    font = sheet.font(sheet.between(0.6, 1.0))
    for _ in range(int(sheet.rng.integers(0, 6))):
        x, y = sheet.between(left, right), sheet.between(top, top + high)
        put(sheet, x, y, draw_word(sheet), font)
    return top + high


def _code(sheet: Sheet, box: Box) -> int:
    """A bar code, or a square of modules like a QR code's."""
    left, top, right, bottom = box
    module = max(1, round(sheet.em * sheet.between(0.1, 0.35)))
    if sheet.chance(0.5):
        high, x = round(sheet.em * sheet.between(2, 5)), left
        while x < min(right, left + 100 * module):
            bar = module * int(sheet.rng.integers(1, 5))
            sheet.draw.rectangle((x, top, x + bar - 1, top + high), sheet.ink)
            x += bar + module * int(sheet.rng.integers(1, 5))
        return top + high
    side = max(4, min(int(sheet.rng.integers(21, 46)), (right - left) // module))
    bits = (sheet.rng.random((side, side)) < 0.5).astype(np.uint8) * 255
    grown = Image.fromarray(bits.repeat(module, 0).repeat(module, 1))
    sheet.image.paste(sheet.ink, (left, top), grown)
    return top + side * module


def _chart(sheet: Sheet, box: Box) -> int:
    """Bars of flat greys or colours over a base line, some with a grid behind and dots among."""
    left, top, right, bottom = box
    high = max(8, min(bottom - top, round((right - left) * sheet.between(0.3, 0.8))))
    thin, light = max(1, round(0.04 * sheet.em)), int(sheet.rng.integers(130, 225))
    pale = (light,) * 3 if sheet.colour else light
    for y in (
        np.arange(top, top + high, sheet.em * sheet.between(1, 3)) if sheet.chance(0.5) else ()
    ):
        sheet.draw.line((left, y, right, y), pale, thin)
    count = int(sheet.rng.integers(2, 13))
    wide = (right - left) / count
    outline = sheet.ink if sheet.chance(0.5) else None
    for index in range(count):
        level = sheet.rng.integers(40, 230, 3)
        fill = tuple(int(v) for v in level) if sheet.colour else int(level[0])
        x, y = left + index * wide, top + high * sheet.rng.random()
        sheet.draw.rectangle((x, y, x + 0.7 * wide, top + high), fill, outline, thin)
    for x, y in sheet.rng.uniform((left, top), (right, top + high), (count * 20, 2)):
        if outline:
            sheet.draw.ellipse((x, y, x + 2 * thin, y + 2 * thin), sheet.ink)
    sheet.draw.line((left, top + high, right, top + high), sheet.ink, thin)
    return top + high


def _space(sheet: Sheet, box: Box) -> int:
    return box[1] + round(sheet.em * sheet.between(2, 8))


BLOCKS: Mapping[str, tuple[float, Callable[[Sheet, Box], int]]] = {
    "paragraph": (50, _paragraph),
    "heading": (8, _heading),
    "small": (6, _small),
    "list": (6, _list),
    "table": (8, _table),
    "form": (6, _form),
    "maths": (4, _maths),
    "music": (1.5, _music),
    "reversed": (3, _reversed),
    "panel": (2.5, _panel),
    "handwriting": (7, _handwriting),
    "drawing": (4, _drawing),
    "picture": (4, _picture),
    "hatching": (2.5, _hatching),
    "contours": (2, _contours),
    "code": (1.5, _code),
    "chart": (2, _chart),
    "space": (4, _space),
}
