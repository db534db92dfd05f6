"""Scrapbooks, plaques, meters, packages and pale fronts, and pages like them, for `choose_set.py`.

Each kind that is no page has one beside it that is: clippings with pictures, letters on tables,
tickets with large digits, forms on coloured paper, timetables and squared paper.
"""

import cv2
import numpy as np
from choose_images import (
    Generator,
    Pixels,
    Sources,
    any_colour,
    askew,
    colour,
    cut,
    grey,
    in_perspective,
    noisy,
    pasted,
    resized,
    uneven_light,
    write,
)
from choose_layouts import Easel, blank_sheet, dialog, on_paper, on_some_table
from choose_letters import display, letter, mounted, pen
from choose_pages import photographed, scribble
from choose_scenes import rough, shade
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from imgclean.fonts import ENGLISH

Font = ImageFont.FreeTypeFont
Plane = NDArray[np.float32]


def scrapbook(rng: Generator, sources: Sources) -> Pixels:
    """A leaf with prints askew, large captions, tape, stickers and strips of paper."""
    height, width = (int(v) for v in rng.integers(600, 1400, 2))
    paper = (
        rng.uniform(0.7, 1, 3) if rng.random() < 0.25 else np.sort(rng.uniform(0.85, 1, 3))[::-1]
    )
    paper = paper * rng.uniform(0.05, 0.5) if rng.random() < 0.1 else paper
    image = paper * (1 + rng.uniform(0, 0.015) * rough(rng, height, width, rng.uniform(1, 90)))[
        ..., None
    ]  # fmt: skip
    image = np.asarray(np.clip(255 * image, 0, 255), np.uint8)
    if rng.random() < 0.1:  # patterned
        step, tint = int(rng.integers(20, 90)), any_colour(rng, 120)
        for y in range(step // 2, height, step):
            for x in range(step // 2, width, step):
                cv2.circle(image, (x, y), step // 5, tint, -1, cv2.LINE_AA)
    sheet = Image.fromarray(image)
    faded, size = rng.random(), rng.uniform(0.15, 0.45)
    ink = (240, 235, 225) if paper.mean() < 0.5 else pen(rng, 140)
    font = sources.font(rng, int(height * rng.uniform(0.025, 0.07)))
    draw = ImageDraw.Draw(sheet)
    if rng.random() < 0.6:
        title = sources.font(rng, int(height * rng.uniform(0.05, 0.11)))
        write(draw, rng, (rng.uniform(0.05, 0.3) * width, 0.02 * height), 0.6 * width, title, ink)
    columns, rows = int(rng.integers(1, 4)), int(rng.integers(2, 4))
    for index, place in enumerate(rng.permutation(columns * rows)[: int(rng.integers(2, 8))]):
        x, y = np.array([place % columns, place // columns]) + rng.uniform(0.02, 0.2, 2)
        x, y = x * width / columns, (0.12 + 0.88 * y / rows) * height
        if index > 1 and rng.random() < 0.3:  # words instead
            for line in range(int(rng.integers(1, 7))):
                room = 0.75 * width / columns
                write(draw, rng, (x, y + 1.3 * line * font.size), room, font, ink)
            continue
        long = max(size * max(width, height), 0.55 * width / columns)
        print_ = mounted(rng, sources, long, min(long, 0.7 * height / rows), faded)
        turned = askew(print_, rng.normal(0, 5))
        sheet.paste(turned, (int(x), int(y)), turned)
        if rng.random() < 0.4:  # tape
            tape = Image.new(
                "RGBA", (int(0.12 * width), int(0.03 * width)), (*any_colour(rng, 150), 170)
            )
            tape = tape.rotate(rng.uniform(-50, 50), expand=True)
            sheet.paste(tape, (int(x - 0.03 * width), int(y - 0.02 * width)), tape)
        if rng.random() < 0.7:
            for line in range(int(rng.integers(1, 3))):
                below = (x, y + turned.height + (0.1 + 1.2 * line) * font.size)
                write(draw, rng, below, rng.uniform(0.3, 0.8) * width / columns, font, ink)
    for _ in range(int(rng.integers(0, 8)) if rng.random() < 0.4 else 0):
        x, y, r = *rng.uniform(0, 1, 2) * (width, height), rng.uniform(0.01, 0.04) * height
        points = r * np.where(np.arange(10) % 2, 0.45, 1)
        round_ = np.exp(0.2j * np.pi * np.arange(10)) * points
        star = [(x + z.real, y + z.imag) for z in round_]
        if rng.random() < 0.5:
            draw.polygon(star, any_colour(rng))
        else:
            draw.ellipse((x - r, y - r, x + r, y + r), any_colour(rng))
    found = np.asarray(sheet)
    if rng.random() < 0.4:
        found = lit(found, rng)
    if rng.random() < 0.3:
        return photographed(found, rng, sources, 0.15)
    return noisy(found if rng.random() < 0.85 else grey(found), rng, 12)


def clipping(rng: Generator, sources: Sources) -> Pixels:
    """A piece of a newspaper or a leaf of a magazine, with pictures, cut out, on a bed or table."""
    long = int(rng.integers(600, 1400))
    to = Easel(rng, sources, (int(long * rng.uniform(0.5, 1.3)), long), False)
    columns, gap, y = int(rng.integers(1, 5)), 0.7 * to.em, 1.0 * to.em
    wide = (to.width - gap) / columns
    small = sources.font(rng, max(8, int(0.75 * to.em)))
    if rng.random() < 0.85:
        head = sources.font(rng, int(to.em * rng.uniform(1.8, 4)))
        for _ in range(int(rng.integers(1, 3))):
            to.words(gap, y, 0.9 * to.width, font=head)
            y += 1.2 * head.size
    tops = [y + 0.5 * to.em] * columns
    for _ in range(int(rng.integers(1, 4))):
        span = int(rng.integers(1, columns + 1))
        first = int(rng.integers(columns - span + 1))
        top = max(tops[first : first + span]) + rng.uniform(0, 0.3) * to.height
        high = rng.uniform(0.4, 0.9) * span * wide * min(1, 2 / columns)
        if top + high > 0.95 * to.height:
            continue
        for column in range(first, first + span):
            _column(to, gap + column * wide, tops[column], top, wide - gap, small)
            tops[column] = top + high + 1.5 * to.em
        to.picture(gap + first * wide, top, span * wide - gap, high)
        to.words(gap + first * wide, top + high, 0.8 * span * wide, font=small)
    for column in range(columns):
        _column(to, gap + column * wide, tops[column], to.height, wide - gap, small)
    image = np.asarray(to.sheet)
    if rng.random() < 0.7:
        image = np.repeat(grey(image), 3, axis=2)
    light = image * (rng.uniform(0.75, 1) * np.sort(rng.uniform(0.75, 1, 3))[::-1])
    image = np.asarray(np.clip(light, 0, 255), np.uint8)
    if rng.random() < 0.5:
        rim = int(0.03 * to.height)
        bed = np.full((to.height + 2 * rim, to.width + 2 * rim, 3), int(rng.choice([15, 60, 250])))
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (to.width, to.height) + rim
        placed = corners + rng.normal(0, 0.3 * rim, (4, 2))
        image = np.asarray(pasted(image, placed, bed), np.uint8)
    return on_paper(image, rng, sources, 0.15)


def _column(to: Easel, x: float, y: float, end: float, room: float, font: Font) -> None:
    """Lines that fill it."""
    size = font.size
    while y < end - 1.3 * size:
        to.words(x, y, room, font=font)
        y += 1.25 * size


def plaque(rng: Generator, sources: Sources) -> Pixels:
    """Words on marble, granite, slate, brass, enamel or wood, with rim, screws and weather."""
    height, width = (int(v) for v in rng.integers(350, 1000, 2))
    tones = ((0.9, 0.88, 0.84), (0.55, 0.53, 0.5), (0.25, 0.26, 0.28), (0.8, 0.62, 0.3),
             (0.95, 0.95, 0.92), (0.5, 0.35, 0.22), (0.75, 0.68, 0.55))  # fmt: skip
    tone = np.array(tones[int(rng.integers(len(tones)))]) * rng.uniform(0.85, 1.05)
    vein = np.abs(sum(rough(rng, height, width, p) * p for p in (12, 50, 200)) / 200)
    ground = 1 - rng.choice([0, 0, 0.2]) * np.exp(-vein * rng.uniform(8, 30))
    ground = ground + rng.uniform(0, 0.12) * rough(rng, height, width, rng.uniform(0.6, 2))
    ground = ground + rng.uniform(0, 0.08) * rough(rng, height, width, rng.uniform(20, 200))
    sheet = Image.new("L", (width, height), 0)
    draw, size = ImageDraw.Draw(sheet), int(height * rng.uniform(0.025, 0.11))
    font, upper, y = sources.font(rng, size), rng.random() < 0.5, rng.uniform(0.04, 0.25) * height
    left, middle = rng.uniform(0.05, 0.15) * width, rng.random() < 0.75
    for _ in range(int(rng.integers(2, 25))):
        if y > 0.93 * height - size:
            break
        room, text = rng.uniform(0.3, 1) * (width - 2 * left), ""
        while draw.textlength(text, font) < room:
            text += str(rng.choice(ENGLISH)) + " "
        text = " ".join(text.split()[:-1]) or str(int(rng.integers(1500, 2020)))
        x = (width - draw.textlength(text, font)) / 2 if middle else left
        draw.text((x, y), text.upper() if upper and middle else text, 255, font)
        y += size * rng.uniform(1.2, 1.7)
    rim = rng.uniform(0.01, 0.05) * height
    if rng.random() < 0.4:
        box = (rim, rim, width - rim, height - rim)
        draw.rectangle(box, outline=255, width=max(1, int(0.2 * rim)))
    if rng.random() < 0.4:
        for x, y in ((2, 2), (-2, 2), (2, -2), (-2, -2)):
            a, b = x * rim % width, y * rim % height
            draw.ellipse((a - 0.6 * rim, b - 0.6 * rim, a + 0.6 * rim, b + 0.6 * rim), 180)
    letters = cv2.GaussianBlur(np.asarray(sheet, np.float32) / 255, (0, 0), rng.uniform(0.5, 2))
    down, right = np.gradient(letters)
    angle = rng.uniform(0, 2 * np.pi)
    relief = rng.uniform(0.2, 2) * (np.cos(angle) * down + np.sin(angle) * right)
    dark = tone.mean() < 0.45
    paint = rng.uniform(0.75, 1, 3) if dark else rng.uniform(0, 0.3, 3)
    paint = np.array([0.8, 0.65, 0.25]) if rng.random() < 0.2 else paint
    share = letters[..., None] * rng.choice([0.3, 0.6, 0.95])
    worn = np.clip(1 + rng.uniform(0, 0.5) * rough(rng, height, width, 8.0), 0, 1)[..., None]
    light = (ground + relief)[..., None] * tone
    light = light * (1 - share * worn) + share * worn * paint
    if rng.random() < 0.25:  # lichen, rust or green
        spots = np.clip(rough(rng, height, width, rng.uniform(6, 60)) - 1.3, 0, 1)[..., None]
        light = light * (1 - spots) + spots * rng.uniform(0.35, 0.75) * rng.uniform(0.8, 1, 3)
    gloss = rng.uniform(0, 0.4) * np.clip(rough(rng, height, width, 0.6 * width) - 0.5, 0, 1)
    image = np.clip(255 * (light * shade(rng, height, width) + gloss[..., None]), 0, 255)
    return before(np.asarray(image, np.uint8), rng, sources, 0.55)


def letter_on_table(rng: Generator, sources: Sources) -> Pixels:
    """A letter of few lines, half to nine tenths of the frame."""
    return on_some_table(colour(letter(rng, sources)), rng, sources)


def meter(rng: Generator, sources: Sources) -> Pixels:
    """A display, a counter or a dial in its housing, with keys and words."""
    height, width = (int(v) for v in rng.integers(350, 950, 2))
    pale = rng.random() < 0.6
    body = rng.uniform(0.8, 1) * np.ones(3) if pale else rng.uniform(0.05, 0.8) * np.ones(3)
    body = body * rng.uniform(0.9, 1, 3) if rng.random() < 0.8 else rng.uniform(0.1, 0.9, 3)
    image = np.asarray(np.ones((height, width, 3)) * 255 * body, np.uint8)
    sheet = Image.fromarray(image)
    draw, ink = ImageDraw.Draw(sheet), (40, 40, 45) if body.mean() > 0.5 else (235, 235, 235)
    font = sources.font(rng, max(10, int(height * rng.uniform(0.025, 0.06))))
    wide, high = int(rng.uniform(0.45, 0.9) * width), int(rng.uniform(0.2, 0.5) * height)
    x, y, kind = (width - wide) // 2, int(rng.uniform(0.08, 0.3) * height), rng.random()
    if kind < 0.45:
        shown = cv2.resize(
            colour(display(rng, sources)), (wide, high), interpolation=cv2.INTER_AREA
        )
        sheet.paste(Image.fromarray(np.asarray(shown, np.uint8)), (x, y))
    elif kind < 0.65:  # a counter
        count = int(rng.integers(4, 9))
        digits = sources.font(rng, int(min(0.75 * high, 1.1 * wide / count)))
        for place in range(count):
            a = x + place * wide // count
            last = place >= count - int(rng.integers(0, 3))
            fill = (180, 30, 30) if last else (20, 20, 20) if count % 2 else (240, 240, 235)
            draw.rectangle((a, y, a + 0.85 * wide / count, y + high), fill, (60,) * 3, 2)
            tone = (20,) * 3 if fill[1] > 200 else (240,) * 3
            middle = (a + 0.42 * wide / count, y + 0.5 * high + rng.normal(0, 0.05) * high)
            draw.text(middle, str(int(rng.integers(10))), tone, digits, anchor="mm")
    else:  # a dial
        r = 0.42 * min(height, width)
        cx, cy, face = 0.5 * width, 0.48 * height, int(rng.integers(225, 256))
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), (face,) * 3, (50,) * 3, int(0.05 * r) + 2)
        count, start = int(rng.integers(20, 80)), rng.uniform(0, 6)
        for tick, angle in enumerate(np.linspace(start, start + rng.uniform(4, 6.2), count)):
            way = np.array([np.cos(angle), np.sin(angle)])
            inner = 0.78 if tick % 5 == 0 else 0.84
            ends = np.array([cx, cy]) + r * np.outer([inner, 0.9], way)
            draw.line([*ends[0], *ends[1]], (20,) * 3, max(1, int(0.015 * r)))
            if tick % 10 == 0:
                draw.text(
                    tuple(np.array([cx, cy]) + 0.65 * r * way), str(tick), (20,) * 3, font, "mm"
                )
        way = 0.75 * r * np.array([np.cos(start + 2), np.sin(start + 2)])
        draw.line((cx, cy, cx + way[0], cy + way[1]), (190, 20, 20), max(2, int(0.03 * r)))
        y, high = int(cy + r), 0
    for _ in range(int(rng.integers(1, 4))):
        at = rng.uniform(0.05, 0.6) * width, rng.choice([0.02, 0.9]) * height
        write(draw, rng, at, rng.uniform(0.1, 0.4) * width, font, ink)
    rows, columns = int(rng.integers(0, 5)), int(rng.integers(2, 6))
    key = min(wide / columns, (0.9 * height - y - high) / max(rows, 1))
    cap = any_colour(rng) if rng.random() < 0.3 else (int(rng.integers(30, 230)),) * 3
    for place in range(rows * columns if key > 14 else 0):
        across, down = (
            x + place % columns * wide / columns,
            y + high + (0.2 + place // columns) * key,
        )
        box = (across, down, across + 0.75 * key, down + 0.7 * key)
        draw.rounded_rectangle(box, 4, cap, (60,) * 3)
        draw.text((across + 0.37 * key, down + 0.35 * key), str(place % 10), ink, font, anchor="mm")
    found = lit(np.asarray(sheet), rng)
    return before(found, rng, sources, 0.5)


def ticket(rng: Generator, sources: Sources) -> Pixels:
    """A slip or label with a large number, small words and bars, scanned or on a table."""
    height, width = (int(v) for v in rng.integers(300, 900, 2))
    to = Easel(rng, sources, (width, height), False)
    y, middle = 0.05 * height, rng.random() < 0.6
    for _ in range(int(rng.integers(2, 9))):
        kind = rng.random()
        size = int(height * rng.uniform(0.03, 0.06 if kind < 0.6 else 0.22))
        text = str(int(10 ** rng.uniform(0, 6))) if kind > 0.5 else ""
        while kind < 0.6 and len(text) < rng.integers(6, 30):
            text += f" {rng.choice(ENGLISH)}"
        size = max(9, size)
        font = sources.font(rng, size)
        if y + 1.2 * size > 0.95 * height:
            break
        place = (0.5 * width, y) if middle else (0.06 * width, y)
        to.draw.text(place, text, to.ink, font, anchor="ma" if middle else "la")
        y += rng.uniform(1.2, 2) * size
        if kind > 0.85 and y < 0.96 * height:
            x, high = 0.15 * width, rng.uniform(0.06, 0.2) * height
            while x < 0.85 * width:
                bar = float(rng.integers(1, 5)) * width / 300
                to.draw.rectangle((x, y, x + bar, min(y + high, 0.97 * height)), to.ink)
                x += bar + float(rng.integers(1, 4)) * width / 250
            y += high + 0.03 * height
    return on_paper(np.asarray(to.sheet), rng, sources, 0.45)


def package(rng: Generator, sources: Sources) -> Pixels:
    """Print on a carton, a bottle, a pouch or a shirt, before a room or a plain ground."""
    height, width = (int(v) for v in rng.integers(400, 900, 2))
    tint = rng.uniform(0.85, 1) * np.ones(3) if rng.random() < 0.5 else rng.uniform(0.1, 1, 3)
    sheet = Image.new("RGB", (width, height), tuple(int(255 * v) for v in tint))
    draw = ImageDraw.Draw(sheet)
    ink = any_colour(rng, 0, 120) if tint.mean() > 0.5 else (245, 240, 230)
    kind = int(rng.integers(4))
    if rng.random() < 0.5:
        top = rng.uniform(0, 0.7) * height
        draw.rectangle((0, top, width, top + rng.uniform(0.1, 0.4) * height), any_colour(rng))
    if rng.random() < 0.35:
        shot = resized(cut(colour(sources.photo(rng)), rng, 0.4), rng.uniform(0.3, 1))
        place = rng.uniform(0, 0.5, 2) * (width, height)
        sheet.paste(Image.fromarray(shot), (int(place[0]), int(place[1])))
    y = rng.uniform(0.05, 0.4) * height
    for number in range(int(rng.integers(1, 4 if kind == 3 else 9))):
        large = rng.uniform(0.06, 0.16) if number < 2 or kind == 3 else rng.uniform(0.02, 0.04)
        font = sources.font(rng, int(large * height))
        word = " ".join(str(rng.choice(ENGLISH)) for _ in range(1 if large > 0.05 else 5))
        word = word.upper() if rng.random() < 0.5 else word.title()
        draw.text((width / 2, y), word, ink, font, anchor="ma")
        y += 1.3 * font.size
    image = np.asarray(sheet, np.float32)
    rows, columns = np.indices((height, width), np.float32)
    if kind == 1:  # round
        across = 2 * columns / width - 1
        image = cv2.remap(image, (0.5 + np.arcsin(0.98 * across) / 3) * width,
                          rows + rng.uniform(0, 0.05) * height * across**2, cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
        image = image * (0.35 + 0.65 * np.sqrt(1 - 0.96 * across**2))[..., None]
    elif kind > 1:  # creased
        crease = rough(rng, height, width, rng.uniform(25, 160))
        bend = rng.uniform(1, 8) * crease
        image = cv2.remap(image, columns + bend, rows + bend, cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
        image = image * (1 + rng.uniform(0.05, 0.2) * crease)[..., None]
    pixels = lit(np.asarray(np.clip(image, 0, 255), np.uint8), rng)
    if kind == 0:  # a side and a lid
        side = np.asarray(pixels[:, : width // 4] * rng.uniform(0.45, 0.8), np.uint8)
        side = np.ascontiguousarray(cv2.GaussianBlur(side[:, ::-1], (0, 0), 2))
        pixels = np.concatenate([pixels, side], axis=1)
    if kind == 3:  # sleeves
        mask = np.zeros(pixels.shape[:2], np.uint8)
        shape = np.array([[0.3, 0], [0.7, 0], [1, 0.2], [0.92, 0.42], [0.78, 0.33], [0.8, 1],
                          [0.2, 1], [0.22, 0.33], [0.08, 0.42], [0, 0.2]])  # fmt: skip
        cv2.fillPoly(mask, [np.asarray(shape * (width, height), np.int32)], 255)
        floor = ground(rng, sources, height, width)
        pixels = np.where(mask[..., None] > 0, pixels, floor)
    return before(pixels, rng, sources, 0.65)


def coloured_form(rng: Generator, sources: Sources) -> Pixels:
    """A form of few fields on yellow, green, blue, pink or brown paper."""
    long = int(rng.integers(600, 1500))
    to = blank_sheet(rng, sources, long, 0.7)
    dialog(to)
    tint = np.ones(3) * rng.uniform(0.85, 1)
    tint[rng.permutation(3)[: int(rng.integers(1, 3))]] *= rng.uniform(0.55, 0.92)
    image = np.asarray(np.asarray(to.sheet) * tint, np.uint8)
    if rng.random() < 0.3:
        scribble(image[long // 3 :], rng, int(rng.integers(1, 4)), [pen(rng)], 1.2 * to.em)
    return on_paper(image, rng, sources, 0.35)


def pale_front(rng: Generator, sources: Sources) -> Pixels:
    """A white house with windows, a fence in snow, or blinds, exposed for too long."""
    height, width = (int(v) for v in rng.integers(400, 1000, 2))
    tone = rng.uniform(0.75, 0.98)
    plane = tone * (1 + rng.uniform(0.005, 0.05) * rough(rng, height, width, rng.uniform(0.7, 40)))
    kind = rng.random()
    if kind < 0.5:
        _windows(plane, rng)
    elif kind < 0.75:
        plane = _blinds(plane, rng)
    else:
        plane *= 1 + 0.05 * rough(rng, height, width, rng.uniform(60, 300))
        step, top = rng.uniform(0.02, 0.12) * width, rng.uniform(0.2, 0.5) * height
        low, thick = rng.uniform(0.55, 0.9) * height, rng.uniform(0.1, 0.5)
        for x in np.arange(rng.uniform(0, step), width, step):
            a, b = (int(v + rng.normal(0, 3)) for v in (top, low))
            plane[a:b, int(x) : int(x + thick * step)] = rng.uniform(0.1, 0.5)
        for y in np.linspace(top, low, int(rng.integers(2, 6)))[:-1] + 0.1 * (low - top):
            plane[int(y) : int(y) + max(2, int(0.01 * height))] = rng.uniform(0.15, 0.5)
    cast = 1 - np.sort(rng.uniform(0, 0.12, 3))[:: int(rng.choice([-1, 1]))]
    light = plane[..., None] * cast * shade(rng, height, width)
    light = light * rng.uniform(1, 1.7) + rng.uniform(0, 0.12)
    pixels = np.asarray(np.clip(255 * light, 0, 255), np.uint8)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * (width, height)
    outside = corners + rng.uniform(0, 0.3, (4, 2)) * (corners - np.array([width, height]) / 2)
    turned = in_perspective(pixels, outside, (width, height))[0]
    if rng.random() < 0.35:  # a branch, a roof or a tree before it
        shot = cv2.resize(colour(sources.photo(rng)), (width, height))
        hidden = rough(rng, height, width, 400) + 0.5 * rough(rng, height, width, 12) > 1.2
        turned = np.where(hidden[..., None], np.asarray(shot, np.uint8), turned)
    seen = np.asarray(cv2.GaussianBlur(turned, (0, 0), rng.uniform(0.4, 1.6)), np.uint8)
    return noisy(seen if rng.random() < 0.75 else grey(seen), rng, 12)


def _windows(plane: Plane, rng: Generator) -> None:
    """Rows of windows with bars, sills, shutters and, at times, a door."""
    height, width = plane.shape
    rows, columns = int(rng.integers(1, 6)), int(rng.integers(2, 9))
    wide, high = width / columns, height / rows
    share = rng.uniform(0.3, 0.65), rng.uniform(0.35, 0.7)
    glass, bars = rng.uniform(0.1, 0.6), rng.integers(1, 4, 2)
    shutters, thick = rng.random() < 0.4, max(1, int(0.02 * wide))
    for row in range(rows):
        for column in range(columns):
            x, y = ((k + 0.5 - s / 2) * side for k, s, side in
                    ((column, share[0], wide), (row, share[1], high)))  # fmt: skip
            a, b, c, d = (int(v) for v in (x, y, x + share[0] * wide, y + share[1] * high))
            plane[b:d, a:c] = np.linspace(glass, glass * rng.uniform(0.5, 1.6), max(d - b, 0))[
                :, None
            ]
            for bar in range(1, bars[0] + 1):
                at = a + bar * (c - a) // (bars[0] + 1)
                plane[b:d, at : at + thick] = 0.95
            for bar in range(1, bars[1] + 1):
                at = b + bar * (d - b) // (bars[1] + 1)
                plane[at : at + thick, a:c] = 0.95
            plane[d : d + 2 * thick, max(0, a - thick) : c + thick] = 0.5
            if shutters:
                for side in (a - (c - a) // 2, c):
                    plane[b:d, max(0, side) : side + (c - a) // 2] = 0.55


def _blinds(plane: Plane, rng: Generator) -> Plane:
    """Slats with their shades, cords and a frame."""
    height, width = plane.shape
    pitch, rows = rng.uniform(8, 45), np.arange(height, dtype=np.float32)
    slat = (rows % pitch) / pitch
    gap = rng.uniform(0.05, 0.35)
    light = np.where(slat < gap, rng.uniform(0.1, 1), 0.7 + 0.3 * (slat - gap) / (1 - gap))
    plane = plane * np.asarray(light, np.float32)[:, None]
    for x in rng.uniform(0.1, 0.9, int(rng.integers(1, 4))) * width:
        plane[:, int(x) : int(x) + max(1, width // 250)] = 0.6
    if rng.random() < 0.5:
        rim = int(rng.uniform(0.03, 0.1) * width)
        plane[:, :rim] = plane[:, -rim:] = rng.uniform(0.3, 1)
    return plane if rng.random() < 0.75 else np.asarray(cv2.resize(plane.T, (width, height)))


def ruled(rng: Generator, sources: Sources) -> Pixels:
    """A timetable, an empty table, squares with figures, or a plot, on paper."""
    long = int(rng.integers(600, 1500))
    to = blank_sheet(rng, sources, long, 0.6)
    rows, columns = (int(v) for v in np.exp(rng.uniform(np.log(4), np.log(28), 2)))
    left, right, y = 0.7 * to.left, to.width - 0.7 * to.left, to.top
    if rng.random() < 0.7:
        to.words(left, y, 0.5 * to.width, big=True)
        y += 4 * to.em
    end = rng.uniform(0.5, 0.96) * to.height
    wide, high = (right - left) / columns, (end - y) / rows
    filled, dark, line = rng.uniform(0, 0.9), rng.uniform(0, 0.3), 1 + to.em // 18
    crossword = rng.random() < 0.2
    font = sources.font(rng, int(np.clip(0.5 * high, 8, 1.2 * to.em)))
    for row in range(rows):
        for column in range(columns):
            a, b = left + column * wide, y + row * high
            black = to.ink if crossword and rng.random() < dark else None
            to.draw.rectangle((a, b, a + wide, b + high), black, to.ink, line)
            if black is None and rng.random() < (1.0 if 0 in (row, column) else filled):
                text = str(rng.choice(ENGLISH)) if wide > 5 * font.size else str(rng.integers(99))
                to.draw.text((a + 0.15 * wide, b + 0.2 * high), text, to.ink, font)
    image = np.array(to.sheet)
    if rng.random() < 0.3:
        scribble(image[long // 3 :], rng, int(rng.integers(1, 9)), [pen(rng)], 1.2 * to.em)
    return on_paper(image, rng, sources, 0.3)


def lit(image: Pixels, rng: Generator) -> Pixels:
    """In uneven light, with gloss at times."""
    height, width = image.shape[:2]
    light = image * uneven_light(rng, height, width, rng.uniform(0.5, 0.95))[..., None]
    gloss = rng.choice([0, 90]) * np.clip(rough(rng, height, width, 0.5 * width) - 1, 0, 1)
    return np.asarray(np.clip(light * rng.uniform(0.8, 1.2) + gloss[..., None], 0, 255), np.uint8)


def ground(rng: Generator, sources: Sources, height: int, width: int) -> Pixels:
    """A blurred photo or a plain wall."""
    if rng.random() < 0.6:
        shot = cv2.resize(cut(colour(sources.photo(rng)), rng, 0.5), (width, height))
        return np.asarray(cv2.GaussianBlur(shot, (0, 0), rng.uniform(0.5, 6)), np.uint8)
    plain = rng.uniform(0.15, 1) * rng.uniform(0.8, 1, 3) * 255
    grain = 1 + rng.uniform(0.005, 0.05) * rough(rng, height, width, rng.uniform(1, 60))
    return np.asarray(
        np.clip(plain * grain[..., None] * shade(rng, height, width), 0, 255), np.uint8
    )


def before(front: Pixels, rng: Generator, sources: Sources, chance: float) -> Pixels:
    """Askew before a ground, or alone; soft, at times grey."""
    if rng.random() < chance:
        height, width = front.shape[:2]
        frame = (int(width * rng.uniform(1.02, 1.5)), int(height * rng.uniform(1.02, 1.5)))
        back = ground(rng, sources, frame[1], frame[0])
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        off = rng.normal(0, 0.03, (4, 2)) * (width, height)
        off = off + rng.uniform(0.2, 0.8, 2) * (np.array(frame) - (width, height))
        front = np.asarray(pasted(front, corners + off, back), np.uint8)
    front = np.asarray(cv2.GaussianBlur(front, (0, 0), rng.uniform(0.4, 1.5)), np.uint8)
    return noisy(front if rng.random() < 0.8 else grey(front), rng, 12)
