"""Coloured print for `choose_set.py`: what offices print, and posters, which are no pages.

Office pages are white sheets on which colour carries some of the meaning: letterheads, tables with
coloured heads and bands, charts, calendars, timetables, tinted boxes. Posters, covers, slides and
comics are coloured all over. Images are H x W x 3 uint8, RGB.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from imgclean.fonts import ENGLISH

__all__ = ["office_page", "poster"]

Pixels = NDArray[np.uint8]
Generator = np.random.Generator
Ink = tuple[int, ...]
Fonts = Callable[[int], ImageFont.FreeTypeFont]  # one at a size in pixels
_WHITE: Ink = (255,) * 3
_BLACK: Ink = (35,) * 3


def _drawn(rng: Generator, low: int, high: int) -> Ink:
    return tuple(int(v) for v in rng.integers(low, high, 3))


def _tint(ink: Ink, share: float) -> Ink:
    """So much of an ink on white."""
    return tuple(int(255 - share * (255 - v)) for v in ink)


def _words(rng: Generator, count: int) -> str:
    return " ".join(str(word) for word in rng.choice(ENGLISH, count))


class _Sheet:
    """A page that is filled from top to bottom with blocks of one design."""

    def __init__(self, rng: Generator, fonts: Fonts) -> None:
        self.rng = rng
        self.width, self.height = (int(v) for v in rng.integers(520, 1000, 2))
        if rng.random() < 0.7:
            self.height = int(self.width * rng.uniform(1.25, 1.45))
        self.em = int(rng.integers(10, 19))
        self.font, self.large = fonts(self.em), fonts(int(self.em * rng.uniform(1.4, 2.6)))
        self.accents = [_drawn(rng, 0, 200) for _ in range(int(rng.integers(1, 6)))]
        self.image = Image.new("RGB", (self.width, self.height), _WHITE)
        self.draw = ImageDraw.Draw(self.image)
        self.margin = int(self.width * rng.uniform(0.03, 0.12))
        self.y = float(self.margin)

    def accent(self) -> Ink:
        return self.accents[int(self.rng.integers(len(self.accents)))]

    def text(self, at: tuple[float, float], words: int, ink: Ink = _BLACK) -> None:
        self.draw.text(at, _words(self.rng, words), ink, self.font)

    def head(self) -> None:
        """A band with a name in white, a logo, or a name in colour."""
        kind, ink, high = self.rng.random(), self.accent(), 2.6 * self.large.size
        left = float(self.margin)
        if kind < 0.45:
            edge = 0 if self.rng.random() < 0.6 else self.margin
            self.draw.rectangle((edge, edge, self.width - edge, edge + high), ink)
            self.draw.text((left, edge + 0.6 * high / 2), _words(self.rng, 2), _WHITE, self.large)
            self.y = edge + high + self.em
            return
        if kind < 0.85:
            place = (left, self.y, left + high, self.y + high)
            (self.draw.ellipse if self.rng.random() < 0.5 else self.draw.rectangle)(place, ink)
            inner = (left + high / 4, self.y + high / 4, left + high / 2, self.y + high / 1.6)
            self.draw.rectangle(inner, self.accent())
            left += 1.2 * high
        self.draw.text((left, self.y + high / 4), _words(self.rng, 2), ink, self.large)
        self.y += high + self.em

    def paragraph(self) -> None:
        if self.rng.random() < 0.4:
            self.draw.text((self.margin, self.y), _words(self.rng, 3), self.accent(), self.large)
            self.y += 1.5 * self.large.size
        for _ in range(int(self.rng.integers(2, 9))):
            self.line(self.margin, self.width - 2 * self.margin)
        self.y += self.em

    def line(self, left: float, room: float, ink: Ink = _BLACK) -> None:
        words = _words(self.rng, int(room / self.em) + 1)
        while words and self.draw.textlength(words, self.font) > room:
            words = words.rpartition(" ")[0]
        self.draw.text((left, self.y), words, ink, self.font)
        self.y += 1.4 * self.em

    def box(self) -> None:
        """Text on a tint, with an outline or a bar beside it."""
        ink, top, lines = self.accent(), self.y, int(self.rng.integers(2, 5))
        low = top + (1.4 * lines + 1.2) * self.em
        edges = (self.margin, top, self.width - self.margin, low)
        strong = self.rng.random() < 0.2
        fill = ink if strong else _tint(ink, float(self.rng.uniform(0.05, 0.35)))
        self.draw.rectangle(edges, fill, ink if self.rng.random() < 0.4 else None)
        self.y += 0.6 * self.em
        for _ in range(lines):
            room = self.width - 2 * self.margin - 2 * self.em
            self.line(self.margin + self.em, room, _WHITE if strong else _BLACK)
        self.y = low + self.em

    def table(self) -> None:
        """A coloured head, bands, rules, figures at the right; or a grid with coloured cells."""
        rng, ink = self.rng, self.accent()
        columns, rows = int(rng.integers(3, 9)), int(rng.integers(4, 18))
        row = self.em * float(rng.uniform(1.5, 3.4))
        wide = (self.width - 2 * self.margin) / columns
        bands, rules = rng.random() < 0.5, rng.random() < 0.5
        filled = float(rng.uniform(0.1, 0.7)) if rng.random() < 0.35 else 0.0
        band = _tint(ink, float(rng.uniform(0.06, 0.25)))
        rule = _BLACK if rng.random() < 0.4 else _tint(ink, 0.6)
        for line in range(rows):
            for column in range(columns):
                x = self.margin + column * wide
                cell, fill = (x, self.y, x + wide, self.y + row), _WHITE
                if line == 0:
                    fill = ink
                elif rng.random() < filled and column:
                    fill = _tint(self.accent(), float(rng.choice([0.25, 0.5, 1.0])))
                elif bands and line % 2:
                    fill = band
                self.draw.rectangle(cell, fill, rule if rules else None)
                light = sum(fill) < 330
                words = f"{rng.uniform(0, 999):.2f}" if column and line else _words(rng, 1)
                if rng.random() < 0.9:
                    at = (x + 4, self.y + (row - self.em) / 2.2)
                    self.draw.text(at, words, _WHITE if light else _BLACK, self.font)
            self.y += row
            if self.y > self.height - self.margin - row:
                break
        self.y += self.em

    def chart(self) -> None:
        """Bars, lines or a pie, with an axis, a legend and names."""
        rng = self.rng
        high = self.height * float(rng.uniform(0.15, 0.35))
        left, right = self.margin + 3.0 * self.em, self.width - self.margin - 8.0 * self.em
        low, count, kind = self.y + high, int(rng.integers(3, 12)), rng.random()
        step = (right - left) / count
        colours = [_drawn(rng, 20, 245) for _ in range(5)]
        if kind < 0.75:
            self.draw.line((left, self.y, left, low, right, low), (90,) * 3, 1)
            for mark in range(1, 5):
                y = low - mark * high / 5
                self.draw.line((left, y, right, y), (205,) * 3, 1)
                self.draw.text((self.margin, y), str(mark * 20), _BLACK, self.font)
        if kind < 0.5:
            series = int(rng.integers(1, 4))
            for bar in range(count * series):
                x = left + bar * step / series + 0.1 * step
                top = low - float(rng.uniform(0.05, 1)) * high
                self.draw.rectangle((x, top, x + 0.75 * step / series, low), colours[bar % series])
        elif kind < 0.75:
            for ink in colours[: int(rng.integers(1, 5))]:
                points = [(left + k * step, low - rng.uniform(0, 1) * high) for k in range(count)]
                self.draw.line([(float(x), float(y)) for x, y in points], ink, 3)
        else:
            start = 0.0
            for ink, part in zip(colours, 360 * rng.dirichlet(np.full(5, 2.0)), strict=True):
                place = (left, self.y, left + high, low)
                self.draw.pieslice(place, start, start + float(part), ink, _WHITE)
                start += float(part)
        for index, ink in enumerate(colours[: int(rng.integers(2, 5))]):
            y = self.y + index * 1.8 * self.em
            self.draw.rectangle((right + self.em, y, right + 2 * self.em, y + self.em), ink)
            self.text((right + 2.5 * self.em, y), 1)
        self.y = low + 2 * self.em

    def foot(self) -> None:
        high = 2.2 * self.em
        top = self.height - high
        band = self.rng.random() < 0.5
        if band:
            self.draw.rectangle((0, top, self.width, self.height), self.accent())
        self.text((self.margin, top + 0.4 * self.em), 5, _WHITE if band else _BLACK)


def office_page(rng: Generator, fonts: Fonts) -> Pixels:
    """A letter, invoice, report, timetable or calendar as it leaves the printer.

    Args:
        rng: what is drawn.
        fonts: gives a font at a size in pixels, another one each time.
    """
    sheet = _Sheet(rng, fonts)
    blocks = [sheet.paragraph, sheet.table, sheet.chart, sheet.box]
    shares = rng.dirichlet([0.9, 0.9, 0.5, 0.4])
    if rng.random() < 0.85:
        sheet.head()
    while sheet.y < 0.8 * sheet.height:
        blocks[int(rng.choice(4, p=shares))]()
    if rng.random() < 0.5:
        sheet.foot()
    if rng.random() < 0.2:  # a side bar, over whatever is there
        wide = int(rng.uniform(0.01, 0.04) * sheet.width)
        sheet.draw.rectangle((0, 0, wide, sheet.height), sheet.accent())
    return np.asarray(sheet.image, np.uint8)


def poster(rng: Generator, fonts: Fonts, shot: Pixels) -> Pixels:
    """A cover, a slide, a leaflet or a comic: coloured all over, or a picture with words.

    Args:
        rng: what is drawn.
        fonts: as for `office_page`.
        shot: a photo, H x W x 3.
    """
    width, height = (int(v) for v in rng.integers(450, 1100, 2))
    kind = rng.random()
    if kind < 0.35:
        ground = np.asarray(cv2.resize(shot, (width, height)), np.float32)
    else:
        low, high = (0, 150) if rng.random() < 0.5 else (110, 256)
        ends = np.stack([_drawn(rng, low, high), _drawn(rng, low, high)]).astype(np.float32)
        ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
        ground = np.repeat(ends[0] + ramp * (ends[1] - ends[0]), width, axis=1)
    image = Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    outline = (15,) * 3 if rng.random() < 0.4 else None
    for _ in range(int(rng.integers(0, 14)) if kind > 0.2 else 0):
        x, y = rng.uniform(0, 0.9, 2) * (width, height)
        wide, high_ = rng.uniform(0.08, 0.5, 2) * (width, height)
        place = (float(x), float(y), float(x + wide), float(y + high_))
        shape = draw.ellipse if rng.random() < 0.4 else draw.rectangle
        shape(place, _drawn(rng, 0, 256), outline)
    for _ in range(int(rng.integers(2, 16))):
        size = int(np.exp(rng.uniform(np.log(11), np.log(90))))
        at = tuple(float(v) for v in rng.uniform(0, 0.85, 2) * (width, height))
        ink = _WHITE if rng.random() < 0.4 else _drawn(rng, 0, 256)
        for line in range(1 if size > 30 else int(rng.integers(1, 6))):
            words = _words(rng, max(1, 60 // size))
            draw.text((at[0], at[1] + 1.4 * size * line), words, ink, fonts(size))
    if 0.2 < kind < 0.6 and rng.random() < 0.5:  # panels, as comics have
        rows, columns = (int(v) for v in rng.integers(1, 4, 2))
        gap = _WHITE if rng.random() < 0.7 else _BLACK
        for index in range(rows + 1):
            y = index * height / rows
            draw.line((0, y, width, y), gap, 14)
        for index in range(columns + 1):
            x = index * width / columns
            draw.line((x, 0, x, height), gap, 14)
    return np.asarray(image, np.uint8)
