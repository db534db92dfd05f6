"""Windows, dialogs and menus of programs for `choose_set.py`, in small type and many scripts."""

from collections.abc import Callable

import cv2
import numpy as np
from choose_images import (
    Generator,
    Pixels,
    Sources,
    any_colour,
    as_jpeg,
    bordered,
    colour,
    cut,
    resized,
)
from PIL import Image, ImageDraw, ImageFont

from imgclean.fonts import ENGLISH, SCRIPTS, scripts_of

Ink = tuple[int, int, int]
_WHITE: Ink = (255, 255, 255)


class _Window:
    """One that is filled from top to bottom, in the look of one system."""

    def __init__(self, rng: Generator, sources: Sources, sides: tuple[int, int]) -> None:
        self.rng, self.sources, (self.width, self.height) = rng, sources, sides
        fonts = sources.fonts if rng.random() < 0.3 else sources.latin
        path, self.em = fonts[int(rng.integers(len(fonts)))], int(rng.integers(10, 17))
        self.font = ImageFont.truetype(path, self.em)
        able = [name for name in scripts_of(path) if name != "latin"]
        self.letters = SCRIPTS[able[0]] if able and rng.random() < 0.7 else ""
        light = int(rng.integers(200, 256))
        warm = int(rng.integers(0, 22)) if rng.random() < 0.5 else 0
        self.face: Ink = (light, max(0, light - warm // 3), max(0, light - warm))
        self.line: Ink = (light - int(rng.integers(25, 110)),) * 3
        self.ink: Ink = (int(rng.integers(0, 60)),) * 3
        self.chosen = any_colour(rng, 40, 230)
        self.sheet = Image.new("RGB", sides, self.face)
        self.draw, self.row, self.y = ImageDraw.Draw(self.sheet), int(1.7 * self.em), 0

    def word(self) -> str:
        """One of English, or letters of the font's script."""
        if not self.letters:
            return str(self.rng.choice(ENGLISH)).capitalize()
        count = int(self.rng.integers(2, 9))
        return "".join(
            self.letters[int(i)] for i in self.rng.integers(len(self.letters), size=count)
        )

    def text(self, x: float, y: float, room: float, ink: Ink | None = None) -> float:
        """As many words as fit, one at least; where they end."""
        words = self.word()
        for _ in range(int(self.rng.integers(0, 4))):
            more = f"{words} {self.word()}"
            if self.draw.textlength(more, self.font) > room:
                break
            words = more
        self.draw.text((x, y), words, ink or self.ink, self.font)
        return float(x + self.draw.textlength(words, self.font))

    def icon(self, x: float, y: float, size: float) -> None:
        """A small coloured picture."""
        for _ in range(int(self.rng.integers(1, 4))):
            a, b = self.rng.uniform(0, 0.5, 2) * size
            box = (x + a, y + b, x + a + 0.5 * size, y + b + 0.5 * size)
            shape = self.draw.ellipse if self.rng.random() < 0.4 else self.draw.rectangle
            shape(box, any_colour(self.rng), (80,) * 3)

    def bevel(self, x: float, y: float, wide: float, high: float, fill: Ink | None = None) -> None:
        """A raised or flat field with an edge."""
        self.draw.rectangle((x, y, x + wide, y + high), fill or self.face, self.line)
        self.draw.line((x + 1, y + 1, x + wide - 1, y + 1), _WHITE)

    def title(self) -> None:
        """A bar with a name and buttons, in one colour or fading."""
        first, last = np.array(any_colour(self.rng, 60)), np.array(self.face)
        if self.rng.random() < 0.4:
            first = last * self.rng.uniform(0.75, 1)
        high = int(1.9 * self.em)
        for y in range(high):
            tone = first + (last - first) * y / high * 0.6
            self.draw.line((0, y, self.width, y), tuple(int(v) for v in tone))
        ink: Ink = _WHITE if first.mean() < 130 else self.ink
        self.text(self.rng.uniform(0.02, 0.4) * self.width, 0.3 * self.em, 0.4 * self.width, ink)
        for number in range(3):
            x = self.width - (number + 1) * 1.5 * self.em
            self.bevel(x, 0.4 * self.em, 1.1 * self.em, 1.1 * self.em)
        self.y = high

    def menus(self) -> None:
        """A row of words, and perhaps one of icons with or without words."""
        x = 0.5 * self.em
        for _ in range(int(self.rng.integers(4, 10))):
            x = self.text(x, self.y + 0.3 * self.em, 4 * self.em) + self.em
        self.y += self.row
        if self.rng.random() < 0.7:
            size, names = self.em * self.rng.uniform(1.2, 2.2), self.rng.random() < 0.5
            high = int(size + (1.5 if names else 0.4) * self.em)
            x = 0.5 * self.em
            while x < self.rng.uniform(0.3, 1) * self.width:
                self.icon(x, self.y + 0.2 * self.em, size)
                end = x + size
                if names:
                    end = self.text(x, self.y + size + 0.2 * self.em, 3 * self.em)
                x = end + 0.7 * self.em
            self.y += high
            self.draw.line((0, self.y, self.width, self.y), self.line)

    def tree(self) -> None:
        """Rows of a list with heads, icons, indents and figures; one is chosen."""
        rng, em, white = self.rng, self.em, self.rng.random() < 0.85
        left, right, end = self.margins()
        back = _WHITE if white else self.face
        self.draw.rectangle((left, self.y, right, end), back, self.line)
        ends = np.sort(rng.uniform(0.3, 1, int(rng.integers(1, 6)))) * (right - left) + left
        starts = [left, *ends[:-1]]
        for a, b in zip(starts, ends, strict=True):
            self.bevel(a, self.y, b - a, self.row)
            self.text(a + 0.4 * em, self.y + 0.3 * em, b - a - em)
        bands: list[Ink | None] = [None, None]
        if rng.random() < 0.55:  # a ledger
            bands = [any_colour(rng, 190, 250), any_colour(rng, 215, 256)]
        y, deep, number, last = self.y + self.row, 0, 0, rng.uniform(0.3, 1)
        grid = rng.random() < 0.5
        while y < self.y + last * (end - self.y) - self.row:
            band, ink = bands[number % 2], self.ink
            if rng.random() < 0.06:
                band, ink = self.chosen, _WHITE
            if band:
                self.draw.rectangle((left, y, right, y + self.row), band)
            deep = max(0, min(3, deep + int(rng.choice([-1, 0, 0, 1]))))
            for place, (a, b) in enumerate(zip(starts, ends, strict=True)):
                x = a + 0.4 * em
                if place == 0:
                    x += deep * em
                    self.icon(x, y + 0.2 * em, em)
                    x += 1.5 * em
                if place and rng.random() < 0.5:
                    figure = f"{10 ** rng.uniform(0, 5):.2f}"
                    x = b - self.draw.textlength(figure, self.font) - 0.4 * em
                    self.draw.text((x, y + 0.3 * em), figure, ink, self.font)
                elif rng.random() < 0.8:
                    self.text(x, y + 0.3 * em, b - x - em, ink)
                if grid:
                    self.draw.line((b, y, b, y + self.row), self.line)
            if grid:
                self.draw.line((left, y, right, y), self.line)
            y, number = y + self.row, number + 1
        self.y = int(end)

    def margins(self) -> tuple[float, float, float]:
        """Left, right and lower edge of what fills the window."""
        side = self.rng.choice([0, 0.3, 1]) * self.em
        return side, self.width - 1 - side, self.height - self.rng.choice([0, 1.5, 3]) * self.em

    def fields(self) -> None:
        """Names with entries, lists, boxes to tick, sliders, in groups, and buttons below."""
        rng, em = self.rng, self.em
        left, middle = 1.5 * em, rng.uniform(0.25, 0.5) * self.width
        while self.y < self.height - 5 * em:
            y, kind, room = self.y + 0.3 * em, rng.random(), self.width - middle - 2 * em
            if kind < 0.12:
                low = y + rng.uniform(3, 9) * em
                self.draw.rectangle((0.7 * em, y, self.width - 0.7 * em, low), None, self.line)
                self.text(left, y - 0.5 * em, 0.4 * self.width)
            elif kind < 0.4:
                self.text(left, y, middle - 2 * em)
                self.bevel(middle, y - 0.3 * em, room, 1.6 * em, _WHITE)
                if rng.random() < 0.7:
                    self.text(middle + 0.4 * em, y, 0.6 * room)
                if rng.random() < 0.4:
                    self.bevel(middle + room - 1.6 * em, y - 0.3 * em, 1.6 * em, 1.6 * em)
            elif kind < 0.75:
                box = (left, y, left + em, y + em)
                shape = self.draw.ellipse if rng.random() < 0.5 else self.draw.rectangle
                shape(box, _WHITE, (90,) * 3)
                if rng.random() < 0.5:
                    inner = (left + 0.3 * em, y + 0.3 * em, left + 0.7 * em, y + 0.7 * em)
                    shape(inner, (20,) * 3)
                self.text(left + 1.6 * em, y, 0.7 * self.width)
            elif kind < 0.87:
                self.text(left, y, middle - 2 * em)
                self.draw.line((middle, y + 0.6 * em, middle + 0.7 * room, y + 0.6 * em),
                               self.line, 3)  # fmt: skip
                self.bevel(middle + rng.uniform(0, 0.6) * room, y, em, 1.2 * em)
                self.draw.text((middle + 0.8 * room, y), f"{rng.uniform(0, 99):.1f}", self.ink,
                               self.font)  # fmt: skip
            else:
                for _ in range(int(rng.integers(1, 4))):
                    self.text(left, self.y + 0.3 * em, self.width - 3 * em)
                    self.y += int(1.3 * em)
            self.y += int(rng.uniform(1.5, 2.6) * em)
        x = float(self.width - em)
        for _ in range(int(rng.integers(1, 4))):
            wide = rng.uniform(5, 8) * em
            x -= wide + 0.6 * em
            self.bevel(x, self.height - 2.8 * em, wide, 2 * em)
            self.text(x + em, self.height - 2.3 * em, wide - 2 * em)

    def code(self) -> None:
        """Coloured lines on white, numbered at times, under tabs."""
        rng, em = self.rng, self.em
        x = 0.3 * em
        for number in range(int(rng.integers(0, 5))):
            self.bevel(x, self.y, 7 * em, self.row, None if number else _WHITE)
            self.text(x + 0.5 * em, self.y + 0.2 * em, 5 * em)
            x += 7.2 * em
        self.y += self.row
        self.draw.rectangle((0, self.y, self.width, self.height - 1.5 * em), _WHITE)
        inks = [any_colour(rng, 0, 180) for _ in range(4)] + [self.ink] * 3
        numbers, deep, line = rng.random() < 0.6, 0, 0
        while self.y < self.height - 3 * em:
            x = (0.5 + 2.5 * numbers) * em
            if numbers:
                self.draw.text((0.4 * em, self.y), str(line), (150,) * 3, self.font)
            deep, line = max(0, min(6, deep + int(rng.choice([-1, 0, 0, 1])))), line + 1
            x += deep * 1.5 * em
            for _ in range(int(rng.integers(0, 6))):
                x = self.text(x, self.y, 6 * em, inks[int(rng.integers(7))]) + 0.5 * em
            self.y += int(1.35 * em)

    def plot(self) -> None:
        """A histogram or a curve over a grid, and fields below."""
        rng, em = self.rng, self.em
        left, right = em, self.width - em
        low = self.y + rng.uniform(0.3, 0.6) * (self.height - self.y)
        self.draw.rectangle((left, self.y + em, right, low), _WHITE, self.line)
        x = np.linspace(left, right, 60)
        waves = np.sum([np.sin(x / rng.uniform(10, 90) + rng.uniform(0, 6)) for _ in "abcd"], 0)
        curve = low - (low - self.y - em) * (0.15 + 0.1 * (waves + 4))
        points = list(zip(x, curve, strict=True))
        if rng.random() < 0.6:
            self.draw.polygon([(left, low), *points, (right, low)], self.ink)
        else:
            self.draw.line(points, self.ink, 1)
        self.y = int(low + em)
        self.fields()


def window(rng: Generator, sources: Sources) -> Pixels:
    """A window, a dialog or a menu of a program: as it is, cut, scaled, sent on as JPEG."""
    kind = rng.random()
    width = int(rng.integers(200, 420) if kind < 0.3 else rng.integers(350, 1100))
    height = int(width * (rng.uniform(0.8, 2) if kind < 0.3 else rng.uniform(0.4, 0.9)))
    if kind < 0.12:
        image = _menu(rng, sources)
    else:
        to = _Window(rng, sources, (width, max(180, height)))
        if rng.random() < 0.85:
            to.title()
        if kind > 0.35 or rng.random() < 0.2:
            to.menus()
        small: list[Callable[[], None]] = [to.fields, to.fields, to.plot, to.tree]
        large: list[Callable[[], None]] = [to.tree, to.tree, to.tree, to.code, to.fields]
        (small if kind < 0.3 else large)[int(rng.integers(4 if kind < 0.3 else 5))]()
        to.draw.rectangle((0, 0, to.width - 1, to.height - 1), None, to.line)
        image = np.asarray(to.sheet)
        if rng.random() < 0.2:
            image = cut(image, rng, 0.6)
    if rng.random() < 0.15:  # its shadow, on white
        wide = bordered(image, (24,) * 4, 255)
        mask = cv2.GaussianBlur(bordered(np.zeros_like(image), (24,) * 4, 255), (0, 0), 9)
        wide[:20], wide[-24:], wide[:, :20], wide[:, -24:] = (
            mask[:20], mask[-24:], mask[:, :20], mask[:, -24:])  # fmt: skip
        image = wide
    if rng.random() < 0.6:
        image = resized(image, float(np.exp(rng.uniform(np.log(0.5), np.log(1.5)))))
    if rng.random() < 0.65:
        image = as_jpeg(image, int(rng.integers(50, 97)))
    return image


def _menu(rng: Generator, sources: Sources) -> Pixels:
    """Commands under each other, with keys at the right, some of them grey; one is chosen."""
    count = int(rng.integers(5, 18))
    to = _Window(rng, sources, (int(rng.integers(160, 420)), 10))
    back = Image.new("RGB", (to.width, int((count + 1) * to.row)), to.face)
    to.sheet, to.draw, y = back, ImageDraw.Draw(back), 0.3 * to.em
    icons, chosen = rng.random() < 0.5, int(rng.integers(2 * count))
    for number in range(count):
        if rng.random() < 0.15:
            to.draw.line((4, y + 0.4 * to.em, to.width - 4, y + 0.4 * to.em), to.line)
            y += 0.8 * to.em
            continue
        ink: Ink = (150,) * 3 if rng.random() < 0.25 else to.ink
        if number == chosen:
            to.draw.rectangle((2, y - 2, to.width - 2, y + to.row - 2), to.chosen)
            ink = _WHITE
        if icons and rng.random() < 0.6:
            to.icon(0.4 * to.em, y, to.em)
        to.text(2.2 * to.em, y, 0.55 * to.width, ink)
        if rng.random() < 0.5:
            key = f"Ctrl+{chr(int(rng.integers(65, 91)))}"
            to.draw.text((to.width - 4.2 * to.em, y), key, ink, to.font)
        y += to.row
    image = np.asarray(back)
    if rng.random() < 0.3:
        shot = cv2.resize(colour(sources.photo(rng)), (to.width + 160, back.height + 90))
        image_ = np.array(shot, np.uint8)
        image_[30 : 30 + back.height, 50 : 50 + to.width] = image
        return image_
    return image
