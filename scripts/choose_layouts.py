"""White screens with little on them, and the same on paper, for `choose_set.py`.

A quiz, a calendar, a listing, a slide, a shop, a dialog and a talk are drawn once for both, so that
neither white nor few words tell which it is: screens have bars, buttons and the pixels of a camera,
paper has grain, stains and a table.
"""

import re
from collections.abc import Callable

import cv2
import numpy as np
from choose_desks import laid
from choose_images import (
    Generator,
    Pixels,
    Sources,
    any_colour,
    bordered,
    colour,
    dirty,
    grey,
    noisy,
    pasted,
    resized,
    uneven_light,
    write,
)
from choose_letters import pen, soiled
from choose_pages import photographed
from choose_scenes import rough, shade
from PIL import Image, ImageDraw, ImageFont

from imgclean.fonts import ENGLISH

Ink = tuple[int, int, int]
_MONO = re.compile("mono|courier|typewriter|cursor|code", re.IGNORECASE)


class Easel:
    """An empty screen or sheet to draw on, with fonts and colours of its own."""

    def __init__(self, rng: Generator, sources: Sources, sides: tuple[int, int], ui: bool) -> None:
        """Of a width and height; `ui` for a screen."""
        self.rng, self.sources, self.ui = rng, sources, ui
        self.width, self.height = sides
        self.em = max(10, int(min(self.height, 1.4 * self.width) * rng.uniform(0.014, 0.03)))
        self.font, self.large = (sources.font(rng, int(k * self.em)) for k in (1, 1.7))
        self.ink = pen(rng) if not ui else (int(rng.integers(10, 90)),) * 3
        bright = any_colour(rng, 20, 230)
        self.accent = bright if ui or rng.random() < 0.3 else self.ink
        light = int(rng.integers(225, 250))
        self.faint: Ink = (light, light, int(rng.integers(light, 252))) if ui else (255,) * 3
        self.sheet = Image.new("RGB", sides, (255,) * 3)
        self.draw = ImageDraw.Draw(self.sheet)
        self.left, self.top = rng.uniform(0.04, 0.2) * self.width, 2.0 * self.em
        if ui and rng.random() < 0.75:
            self._bars()

    def _bars(self) -> None:
        """A window's title, a browser's address, or a phone's hour."""
        rng, em = self.rng, self.em
        self.draw.rectangle((0, 0, self.width, 2 * em), self.faint)
        if rng.random() < 0.5:
            for number in range(3):
                x = (0.6 + 1.2 * number) * em
                x = x if rng.random() < 0.7 else self.width - x - 0.8 * em
                fill = ((255, 95, 86), (255, 189, 46), (39, 201, 63))[number]
                self.draw.ellipse((x, 0.6 * em, x + 0.8 * em, 1.4 * em), fill)
        self.words(5 * em, 0.4 * em, 0.3 * self.width, (110,) * 3)
        self.top = 4.0 * em

    def words(self, x: float, y: float, room: float, ink: Ink | None = None, big: bool = False,
              font: ImageFont.FreeTypeFont | None = None) -> None:  # fmt: skip
        """A line of words that fits."""
        font = font or (self.large if big else self.font)
        write(self.draw, self.rng, (x, y), room, font, ink or self.ink)

    def box(self, x: float, y: float, wide: float, high: float, fill: Ink | None = None) -> None:
        """A round or plain rectangle, filled or with an edge."""
        edge = None if fill else (200,) * 3 if self.ui else self.ink
        round_ = 0.4 * self.em if self.ui else 0.0
        self.draw.rounded_rectangle(
            (x, y, x + wide, y + high), round_, fill, edge, 1 + self.em // 20
        )

    def picture(self, x: float, y: float, wide: float, high: float) -> None:
        """One of the photos, of that size."""
        shot = cv2.resize(colour(self.sources.photo(self.rng)), (int(wide), int(high)))
        self.sheet.paste(Image.fromarray(np.asarray(shot, np.uint8)), (int(x), int(y)))

    def button(self, x: float, y: float) -> None:
        """Filled, with a word."""
        word = str(self.rng.choice(ENGLISH)).title()
        self.box(
            x, y, self.draw.textlength(word, self.font) + 2 * self.em, 2 * self.em, self.accent
        )
        pale: Ink = (255,) * 3 if sum(self.accent) < 480 else (10,) * 3
        self.draw.text((x + self.em, y + 0.4 * self.em), word, pale, self.font)


def _quiz(to: Easel) -> None:
    """Questions with answers to tick."""
    rng, em, y = to.rng, to.em, to.top
    room = to.width - 2 * to.left
    to.words(to.left, y, 0.6 * room, big=True)
    if to.ui and rng.random() < 0.6:
        to.draw.rectangle((0, y - em, rng.uniform(0.1, 0.9) * to.width, y - 0.7 * em), to.accent)
    if not to.ui and rng.random() < 0.7:
        to.draw.line((0.6 * to.width, y + em, 0.9 * to.width, y + em), to.ink, 1)
    y += 3.5 * em
    for number in range(int(rng.integers(1, 3 if to.ui else 8))):
        to.words(to.left, y, room * rng.uniform(0.4, 1))
        y += 2.2 * em
        marks, chosen = rng.random() < 0.7, int(rng.integers(6))
        for answer in range(int(rng.integers(2, 6))):
            if y > to.height - 4 * em:
                return
            if to.ui and number % 2 == 0:
                to.box(to.left, y - 0.4 * em, room, 2 * em, to.faint if answer == chosen else None)
            if marks:
                fill = to.accent if answer == chosen and to.ui else None
                to.draw.ellipse((to.left + em, y, to.left + 2 * em, y + em), fill, to.ink, 1)
            else:
                to.draw.text((to.left + em, y), f"{'abcdef'[answer]})", to.ink, to.font)
            to.words(to.left + 3 * em, y, rng.uniform(0.15, 0.6) * room)
            y += (2.6 if to.ui else 1.6) * em
        y += rng.uniform(0.5, 3) * em
    if to.ui:
        to.button(rng.uniform(to.left, 0.7 * to.width), min(y, to.height - 3 * em))


def _calendar(to: Easel) -> None:
    """A month, or a week with its hours."""
    rng, em, y = to.rng, to.em, to.top
    if not to.ui and rng.random() < 0.35:
        high = rng.uniform(0.2, 0.38) * to.height
        to.picture(0.5 * to.left, y, to.width - to.left, high)
        y += high + em
    to.words(to.left, y, 0.3 * to.width, big=True)
    if to.ui:
        to.button(0.75 * to.width, y)
    left = rng.uniform(0.02, 0.22 if to.ui else 0.1) * to.width
    y, rows = y + 4 * em, int(rng.integers(4, 7))
    wide, high = (0.97 * to.width - left) / 7, (0.97 * to.height - y) / rows
    line: Ink = (int(rng.integers(205, 240)),) * 3 if to.ui else to.ink
    first, shown = int(rng.integers(0, 7)), rng.random() < 0.8
    for place in range(7 * rows):
        x, top, day = left + place % 7 * wide, y + place // 7 * high, place - first + 1
        if shown:
            to.draw.rectangle((x, top, x + wide, top + high), outline=line, width=1 + em // 25)
        if place < 7:
            to.draw.text((x + 0.4 * wide, y - 1.5 * em), "MTWTFSS"[place], to.ink, to.font)
        if 0 < day < 32:
            if to.ui and day == 5 + first:
                to.draw.ellipse((x, top, x + 1.8 * em, top + 1.8 * em), to.accent)
            to.draw.text((x + 0.3 * em, top + 0.2 * em), str(day), to.ink, to.font)
        if rng.random() < 0.2:
            if to.ui:
                fill = any_colour(rng, 120, 250)
                to.box(x + 2, top + 1.9 * em, wide * rng.uniform(0.9, 1.9), 1.3 * em, fill)
            to.words(x + 0.3 * em, top + 1.9 * em, 0.9 * wide, pen(rng))


def _listing(to: Easel) -> None:
    """Lines of a program or a terminal, indented, in colours on a screen."""
    rng, em, y, deep = to.rng, to.em, to.top, 0
    named = [path for path in to.sources.latin if _MONO.search(path.name)]
    one = named[int(rng.integers(len(named)))] if named and rng.random() < 0.85 else None
    font = ImageFont.truetype(one, em) if one else to.font
    numbers, prompt, most = rng.random() < 0.5, rng.random() < 0.3, int(rng.integers(4, 60))
    inks = [pen(rng, 150) for _ in range(4)] if to.ui else [to.ink] * 4
    inks = (
        [(0, 0, 190), (160, 20, 30), (20, 120, 40), to.ink]
        if rng.random() < 0.4 and to.ui
        else inks
    )
    x0 = rng.uniform(0.5, 5) * em if to.ui else to.left
    if to.ui and numbers:
        to.draw.rectangle((0, to.top, x0 + 2.4 * em, to.height), to.faint)
    for line in range(most):
        if y > to.height - 2 * em:
            break
        if numbers:
            to.draw.text((x0, y), f"{line + 1:3}", (150,) * 3, font)
        deep = max(0, min(5, deep + int(rng.choice([-1, 0, 0, 0, 1]))))
        x = x0 + (3 * numbers + 2 * deep * (not prompt)) * em
        if prompt and rng.random() < 0.4:
            to.draw.text((x - em, y), "$", inks[2], font)
        for _ in range(int(rng.integers(0, 7))):
            word = str(rng.choice(ENGLISH)) + str(
                rng.choice(["", "()", " =", ":", ";", "[0]", ", "])
            )
            to.draw.text((x, y), word, inks[int(rng.integers(4))], font)
            x += to.draw.textlength(word + " ", font)
        y += 1.4 * em
    if to.ui:
        to.draw.rectangle((x0 + 3 * em, y, x0 + 3.5 * em, y + em), to.ink)
        if rng.random() < 0.5:
            to.draw.rectangle((0, to.height - 1.6 * em, to.width, to.height), to.accent)


def slide(to: Easel) -> None:
    """A title and a few points, perhaps a chart or a picture; two on a printed handout."""
    rng, em = to.rng, to.em
    parts = 1 if to.ui else int(rng.integers(1, 4))
    high = (to.height - to.top) / parts
    for part in range(parts):
        y = to.top + part * high + 0.06 * high
        if parts > 1:
            to.draw.rectangle((to.left, y, to.width - to.left, y + 0.88 * high), outline=to.ink)
        size = int(min(high, to.width) * rng.uniform(0.05, 0.11))
        room = to.width - 2.4 * to.left
        x = 1.2 * to.left
        to.words(x, y + 0.5 * size, room, to.accent, font=to.sources.font(rng, size))
        if to.ui and rng.random() < 0.5:
            to.draw.rectangle(
                (0, y + 2 * size, room * rng.uniform(0.2, 1.5), y + 2.1 * size), to.accent
            )
        points = to.sources.font(rng, max(9, int(size * rng.uniform(0.4, 0.7))))
        y, end = y + 2.6 * size, y + 0.8 * high
        for _ in range(int(rng.integers(1, 6))):
            if y > end - size:
                break
            to.draw.ellipse((x, y + 0.2 * size, x + 0.2 * size, y + 0.4 * size), to.accent)
            to.words(x + 0.5 * size, y, room * rng.uniform(0.2, 0.85), font=points)
            y += 1.3 * size
        if rng.random() < 0.4 and end - y > 3 * size:
            if rng.random() < 0.5:
                to.picture(x, y, 0.4 * room, end - y)
            for bar in range(int(rng.integers(3, 8))):
                a = x + 0.45 * room + bar * size
                to.draw.rectangle((a, end - rng.uniform(0.1, 1) * (end - y), a + 0.7 * size, end),
                                  to.accent if to.ui else (150,) * 3, to.ink)  # fmt: skip
    if to.ui and rng.random() < 0.3:
        to.draw.rectangle((0, to.top, 0.6 * to.left, to.height), to.faint)
        to.draw.text((to.width - 3 * em, to.height - 2 * em), "12", to.ink, to.font)


def _shop(to: Easel) -> None:
    """Goods with pictures, names and prices; lines of a price list on paper."""
    rng, em, y = to.rng, to.em, to.top
    if not to.ui:
        to.words(to.left, y, 0.5 * to.width, big=True)
        end, step = to.height * rng.uniform(0.4, 0.95), rng.uniform(1.5, 3) * em
        for line in np.arange(y + 4 * em, end, step):
            to.words(to.left, line, rng.uniform(0.2, 0.5) * to.width)
            place = (to.width - to.left - 4 * em, line)
            to.draw.text(place, f"{rng.uniform(0, 99):.2f}", to.ink, to.font)
        return
    to.box(0.2 * to.width, y, 0.5 * to.width, 2 * em)
    to.words(0.2 * to.width + em, y + 0.4 * em, 0.2 * to.width, (150,) * 3)
    to.button(0.75 * to.width, y)
    columns, share = int(rng.integers(1, 5)), rng.uniform(0.4, 0.9)
    wide = to.width / columns
    for x in np.arange(columns) * wide + 0.05 * wide:
        for top in np.arange(y + 4 * em, to.height - 6 * em, share * wide + 6 * em):
            high = min(share * wide, to.height - top - 5 * em)
            if rng.random() < 0.6:
                to.picture(x, top, 0.8 * wide, max(8, high))
            else:  # one thing on white
                box = (x + 0.2 * wide, top, x + 0.6 * wide, top + max(9, high))
                to.draw.ellipse(box, any_colour(rng, 0, 240))
            to.words(x, top + high + 0.4 * em, rng.uniform(0.3, 0.8) * wide)
            to.draw.text((x, top + high + 2 * em), f"{rng.uniform(1, 99):.2f}", to.accent, to.large)


def dialog(to: Easel) -> None:
    """Few fields with their names, boxes to tick, and buttons; lines to write on if on paper."""
    rng, em, y = to.rng, to.em, to.top
    to.words(to.left, y, 0.5 * to.width, big=True)
    y += rng.uniform(3, 6) * em
    step, room, filled = rng.uniform(2, 5) * em, to.width - 2 * to.left, rng.random() * 0.9
    for _ in range(int(rng.integers(2, 12))):
        if y > to.height - 4 * em:
            break
        to.words(to.left, y, rng.uniform(0.15, 0.35) * room)
        x, kind, wide = to.left + 0.42 * room, rng.random(), rng.uniform(0.2, 0.55) * room
        if kind < 0.3:
            to.box(x, y, em, em, to.accent if to.ui and rng.random() < 0.5 else None)
            to.words(x + 2 * em, y, wide)
        elif kind < 0.45 and to.ui:
            to.draw.rounded_rectangle((x, y, x + 2 * em, y + em), em / 2, to.accent)
            to.draw.ellipse((x + em, y, x + 2 * em, y + em), (255,) * 3)
        elif to.ui or kind < 0.6:
            to.box(x, y - 0.4 * em, wide, 1.9 * em)
        else:
            to.draw.line((x, y + 1.2 * em, to.left + room, y + 1.2 * em), to.ink, 1)
        if kind >= 0.45 and rng.random() < filled:
            to.words(x + 0.5 * em, y, 0.8 * wide, None if to.ui else pen(rng))
        y += step
    if to.ui:
        for x in rng.uniform(to.left, 0.8 * to.width, int(rng.integers(1, 3))):
            to.button(x, min(y, to.height - 3 * em))


def _talk(to: Easel) -> None:
    """A few bubbles of a conversation, or, on paper, who says what."""
    rng, em, y = to.rng, to.em, to.top
    for _ in range(int(rng.integers(1, 7 if to.ui else 14))):
        lines, own = int(rng.integers(1, 4)), rng.random() < 0.5
        wide = rng.uniform(0.25, 0.7) * to.width
        if y > to.height - (lines + 4) * em:
            break
        x = to.left if not to.ui else to.width - wide - em if own else em
        if to.ui:
            to.box(x, y, wide, (1.4 * lines + 1) * em, to.accent if own else to.faint)
        else:
            to.words(x, y, 0.1 * to.width)
            x += 0.14 * to.width
        dark: Ink = (250,) * 3 if to.ui and own and sum(to.accent) < 450 else to.ink
        for line in range(lines):
            to.words(x + 0.7 * em, y + (0.5 + 1.4 * line) * em, wide - 1.4 * em, dark)
        y += (1.4 * lines + rng.uniform(1.5, 3)) * em
    if to.ui:
        to.box(em, to.height - 2.6 * em, to.width - 5 * em, 2 * em)
        x, y = to.width - 3.0 * em, to.height - 2.6 * em
        to.draw.ellipse((x, y, x + 2 * em, y + 2 * em), to.accent)


_LAYOUTS: tuple[Callable[[Easel], None], ...] = (_quiz, _calendar, _listing, _listing, slide,
                                                 _shop, dialog, _talk)  # fmt: skip


def white_screen(rng: Generator, sources: Sources) -> Pixels:
    """A white screen with little on it."""
    long = int(rng.integers(600, 1500))
    tall = rng.random() < 0.35
    short = int(long * rng.uniform(0.45, 0.8))
    to = Easel(rng, sources, (short, long) if tall else (long, short), True)
    _LAYOUTS[int(rng.integers(len(_LAYOUTS)))](to)
    return np.asarray(to.sheet)


def sparse_screen(rng: Generator, sources: Sources) -> Pixels:
    """A white screen with little on it: as it is, sent on, or photographed."""
    image = white_screen(rng, sources)
    way = rng.random()
    if way < 0.3:
        return screen_photo(image, rng, sources)
    if way < 0.75:
        image = resized(image, float(np.exp(rng.uniform(np.log(0.4), np.log(1.6)))))
    if rng.random() < 0.15:
        image = grey(image)
    return noisy(image, rng, 5)


def screen_photo(
    image: Pixels, rng: Generator, sources: Sources, rim: float = 0.06, largest: float = 1.35
) -> Pixels:
    """A screen photographed: its rim, the room, bands of its pixels, a cast, glare, soft.

    Args:
        image: what it shows.
        rng: to draw from.
        sources: of photos.
        rim: up to so much of its width each side.
        largest: up to so many times its width is the picture's.
    """
    edge = int(rng.uniform(0, rim) * image.shape[1])
    image = bordered(image, (edge,) * 4, int(rng.choice([15, 30, 60, 235])))
    height, width = image.shape[:2]
    rows, columns = np.indices((height, width), np.float32)
    wave = [np.sin((np.cos(a) * rows + np.sin(a) * columns) / rng.uniform(0.8, 9) +
                   rng.uniform(0, 5) * rough(rng, height, width, 400))
            for a in rng.uniform(0, np.pi, 2)]  # fmt: skip
    weak = rng.uniform(0, 0.025, 2) * (rng.random() < 0.6)
    light = image * (1 + weak[0] * wave[0] + weak[1] * wave[1])[..., None]
    light = light * rng.uniform(0.9, 1, 3) * shade(rng, height, width) ** rng.uniform(0.2, 1)
    glare = rng.choice([0, 60]) * np.clip(rough(rng, height, width, 0.8 * width), 0, 2)
    pixels = np.asarray(np.clip(light + glare[..., None], 0, 255), np.uint8)
    grown = rng.uniform(1, largest)
    frame = (int(width * grown), int(height * grown))
    back = cv2.GaussianBlur(colour(sources.photo(rng)), (0, 0), rng.uniform(1, 6))
    room = np.asarray(cv2.resize(back, frame) * rng.uniform(0.2, 0.9), np.uint8)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    off = rng.normal(0, 0.035, (4, 2)) * (width, height) + (np.array(frame) - (width, height)) / 2
    found = pasted(pixels, corners + off, room)
    soft = cv2.GaussianBlur(found, (0, 0), rng.uniform(0.5, 1.6))
    return noisy(resized(np.asarray(soft, np.uint8), rng.uniform(0.5, 1)), rng, 8)


def printout(rng: Generator, sources: Sources) -> Pixels:
    """The same on paper: a worksheet, a calendar, a listing, a handout, a price list."""
    long = int(np.exp(rng.uniform(np.log(650), np.log(1700))))
    to = blank_sheet(rng, sources, long, 0.75)
    _LAYOUTS[int(rng.integers(len(_LAYOUTS)))](to)
    return on_paper(np.asarray(to.sheet), rng, sources)


def blank_sheet(rng: Generator, sources: Sources, long: int, upright: float) -> Easel:
    """A sheet of A4 or letter size to draw on, of a longer side, upright at such odds."""
    sides = (int(long * rng.choice([0.71, 0.77])), long)
    return Easel(rng, sources, sides if rng.random() < upright else sides[::-1], False)


def on_paper(image: Pixels, rng: Generator, sources: Sources, tables: float = 0.3) -> Pixels:
    """Soiled or grainy, scanned or on a table."""
    image = image if rng.random() < 0.8 else grey(image)
    way = rng.random()
    if way < 0.15:
        image = soiled(colour(image), rng)
    elif way < 0.4:
        image = dirty(image, rng)
    elif way < 0.85:  # yellowed at most
        tint = np.sort(rng.uniform(0.8, 1, image.shape[2]))[::-1]
        light = uneven_light(rng, image.shape[0], image.shape[1], rng.uniform(0.75, 1))[..., None]
        image = np.asarray(image * tint * light, np.uint8)
    soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.2)).reshape(image.shape)
    grain = rng.uniform(0.8, 5) * rng.standard_normal(soft.shape[:2], np.float32)
    image = np.asarray(np.clip(soft * rng.uniform(0.88, 1) + grain[..., None], 0, 255), np.uint8)
    if rng.random() < tables:
        image = on_some_table(colour(image), rng, sources)
    elif rng.random() < 0.25:
        image = bordered(image, tuple(int(v) for v in rng.uniform(0, 0.06, 4) * image.shape[0]),
                         int(rng.choice([10, 40, 90, 200])))  # fmt: skip
    if rng.random() < 0.35:
        image = resized(image, rng.uniform(0.4, 0.9))
    return noisy(image, rng, 10)


def on_some_table(sheet: Pixels, rng: Generator, sources: Sources) -> Pixels:
    """Before a blurred photo, or on wood, cloth or a plain desk."""
    if rng.random() < 0.4:
        return photographed(sheet, rng, sources, rng.uniform(0.06, 0.24))
    return laid(sheet, rng)
