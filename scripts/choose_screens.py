"""Light screens with much text for `choose_set.py`, which are no scanned pages."""

import cv2
import numpy as np
from choose_images import Generator, Pixels, Sources, colour, noisy, write
from PIL import Image, ImageDraw

from imgclean.fonts import ENGLISH


def screen(rng: Generator, sources: Sources) -> Pixels:
    """A light screen with much text: a conversation, settings, a spreadsheet, an article."""
    image = (_chat, _settings, _spreadsheet, _article)[int(rng.integers(4))](rng, sources)
    return noisy(image, rng, 6) if rng.random() < 0.25 else image


def _chat(rng: Generator, sources: Sources) -> Pixels:
    """Bubbles left and right under a head with a name, a field to write in below."""
    width, height = int(rng.integers(340, 620)), int(rng.integers(560, 1100))
    dark = rng.random() < 0.15
    back = tuple(int(v) for v in (rng.integers(15, 40, 3) if dark else rng.integers(225, 256, 3)))
    sheet = Image.new("RGB", (width, height), back)
    draw, em = ImageDraw.Draw(sheet), int(rng.integers(13, 24))
    font, small = sources.font(rng, em), sources.font(rng, int(0.7 * em))
    ink, faint = ((235,) * 3, (150,) * 3) if dark else ((25,) * 3, (130,) * 3)
    mine = tuple(
        int(v)
        for v in rng.choice([(220, 248, 198), (0, 132, 255), (210, 228, 252), (225, 225, 232)])
    )
    theirs = (60, 62, 68) if dark else ((255, 255, 255) if min(back) < 250 else (236, 236, 240))
    bar = int(3.2 * em)
    y, edge = bar + em, int(rng.integers(4, 18))
    while y < height - bar:
        own, lines = rng.random() < 0.5, int(rng.integers(1, 6))
        wide, high = rng.uniform(0.3, 0.75) * width, (1.35 * lines + 1.4) * em
        x = width - wide - em if own else em
        if rng.random() < 0.08:
            shot = cv2.resize(colour(sources.photo(rng)), (int(wide), int(0.7 * wide)))
            sheet.paste(Image.fromarray(np.asarray(shot, np.uint8)), (int(x), int(y)))
            y += int(0.7 * wide + em)
            continue
        draw.rounded_rectangle((x, y, x + wide, y + high), edge, mine if own else theirs)
        text = (250,) * 3 if own and sum(mine) < 450 else ink
        if own and dark:
            text = (20,) * 3
        for line in range(lines):
            room = (wide - 1.6 * em) * (1 if line < lines - 1 else rng.uniform(0.3, 1))
            write(draw, rng, (x + 0.7 * em, y + (0.4 + 1.35 * line) * em), room, font, text)
        hour = f"{int(rng.integers(24))}:{int(rng.integers(60)):02d}"
        draw.text((x + wide - 3 * em, y + high - 0.9 * em), hour, faint, small)
        y += int(high + rng.uniform(0.3, 1.5) * em)
    head = tuple(int(v) for v in (rng.integers(20, 200, 3) if rng.random() < 0.5 else back))
    draw.rectangle((0, 0, width, bar), head)
    draw.ellipse(
        (em, 0.4 * em, 3.3 * em, 2.7 * em), tuple(int(v) for v in rng.integers(60, 230, 3))
    )
    name = (245,) * 3 if sum(head) < 400 else (25,) * 3
    write(draw, rng, (4 * em, 0.9 * em), 0.3 * width, font, name)
    draw.rectangle((0, height - bar, width, height), back)
    draw.rounded_rectangle((em, height - 0.8 * bar, width - 3 * em, height - 0.2 * bar), em, theirs)
    draw.ellipse((width - 2.6 * em, height - 0.8 * bar, width - 0.6 * em, height - 0.2 * bar), mine)
    return np.asarray(sheet)


def _settings(rng: Generator, sources: Sources) -> Pixels:
    """Rows with an icon, a name, a fainter line and a switch, as on a phone."""
    width, height = int(rng.integers(340, 640)), int(rng.integers(560, 1100))
    back = int(rng.integers(236, 256))
    sheet = Image.new("RGB", (width, height), (back,) * 3)
    draw, em = ImageDraw.Draw(sheet), int(rng.integers(14, 26))
    font, small = sources.font(rng, em), sources.font(rng, int(0.75 * em))
    accent = tuple(int(v) for v in rng.integers(20, 230, 3))
    write(draw, rng, (em, em), 0.5 * width, sources.font(rng, int(1.6 * em)), (20,) * 3)
    y, icons, row = 4.0 * em, rng.random() < 0.8, rng.uniform(2.6, 4.2) * em
    while y < height:
        if rng.random() < 0.12:
            draw.rectangle((0, y, width, y + em), (max(back - 14, 0),) * 3)
            y += 1.5 * em
        x = em
        if icons:
            fill = tuple(int(v) for v in rng.integers(40, 240, 3))
            draw.rounded_rectangle((x, y + 0.3 * em, x + 1.8 * em, y + 2.1 * em), 0.4 * em, fill)
            x += int(2.8 * em)
        write(draw, rng, (x, y + 0.2 * em), rng.uniform(0.2, 0.5) * width, font, (30,) * 3)
        write(draw, rng, (x, y + 1.5 * em), rng.uniform(0.2, 0.6) * width, small, (125,) * 3)
        right, on = width - 3 * em, rng.random() < 0.5
        if rng.random() < 0.6:
            place = (right, y + 0.6 * em, right + 2 * em, y + 1.7 * em)
            draw.rounded_rectangle(place, 0.6 * em, accent if on else (200,) * 3)
            knob = right + (0.95 * em if on else 0.1 * em)
            draw.ellipse((knob, y + 0.65 * em, knob + em, y + 1.65 * em), (255,) * 3)
        draw.line((x, y + row - 4, width, y + row - 4), (max(back - 25, 0),) * 3, 1)
        y += row
    return np.asarray(sheet)


def _spreadsheet(rng: Generator, sources: Sources) -> Pixels:
    """A ribbon of icons over cells with numbers, their heads grey, one of them framed."""
    width, height = int(rng.integers(600, 1200)), int(rng.integers(400, 900))
    sheet = Image.new("RGB", (width, height), (255,) * 3)
    draw, em = ImageDraw.Draw(sheet), int(rng.integers(10, 17))
    font, accent = sources.font(rng, em), tuple(int(v) for v in rng.integers(10, 180, 3))
    bar, ribbon = int(2 * em), int(rng.uniform(4, 9) * em)
    draw.rectangle((0, 0, width, bar), accent)
    write(draw, rng, (0.4 * width, 0.4 * em), 0.2 * width, font, (250,) * 3)
    draw.rectangle((0, bar, width, ribbon), (int(rng.integers(228, 250)),) * 3)
    for x in np.arange(em, width - 2 * em, rng.uniform(2, 4) * em):
        fill = tuple(int(v) for v in (rng.integers(40, 200, 3) if rng.random() < 0.5 else [95] * 3))
        draw.rectangle((x, bar + em, x + 1.2 * em, bar + 2.2 * em), fill)
    column, row = rng.uniform(4, 9) * em, int(1.6 * em)
    for number, y in enumerate(range(ribbon, height, row)):
        draw.rectangle((0, y, 2.5 * em, y + row), (236,) * 3)
        draw.text((em, y + 0.2 * em), str(number), (90,) * 3, font)
        draw.line((0, y, width, y), (217,) * 3, 1)
        for x in np.arange(2.5 * em, width, column):
            if rng.random() < 0.6:
                text = (
                    f"{rng.uniform(0, 9999):.2f}"
                    if rng.random() < 0.7
                    else str(rng.choice(ENGLISH))
                )
                draw.text((x + 0.3 * em, y + 0.2 * em), text, (25,) * 3, font)
    for x in np.arange(2.5 * em, width, column):
        draw.line((x, ribbon, x, height), (217,) * 3, 1)
    draw.rectangle((0, ribbon, width, ribbon + row), (230,) * 3)
    x, y = 2.5 * em + 2 * column, ribbon + int(rng.integers(2, 9)) * row
    draw.rectangle((x, y, x + column, y + row), outline=accent, width=2)
    return np.asarray(sheet)


def _article(rng: Generator, sources: Sources) -> Pixels:
    """A browser's bars over a head, a menu, a column of text, links and pictures beside it."""
    width, height = int(rng.integers(600, 1300)), int(rng.integers(450, 1000))
    sheet = Image.new("RGB", (width, height), (255,) * 3)
    draw, em = ImageDraw.Draw(sheet), int(rng.integers(11, 20))
    font, accent = sources.font(rng, em), tuple(int(v) for v in rng.integers(10, 220, 3))
    frame = tuple(int(v) for v in rng.integers(205, 245, 3))
    draw.rectangle((0, 0, width, 4 * em), frame)
    draw.rounded_rectangle((em, 0.4 * em, 14 * em, 2 * em), 0.4 * em, (255,) * 3)
    write(draw, rng, (2 * em, 0.5 * em), 9 * em, font, (60,) * 3)
    draw.rounded_rectangle((6 * em, 2.3 * em, width - 6 * em, 3.8 * em), 0.7 * em, (255,) * 3)
    write(draw, rng, (7 * em, 2.4 * em), 14 * em, font, (90,) * 3)
    for x in (1, 2.6, 4.2):
        draw.ellipse((x * em, 2.5 * em, (x + 0.9) * em, 3.4 * em), (120,) * 3)
    y = 4.0 * em
    if rng.random() < 0.7:
        draw.rectangle((0, y, width, y + 3 * em), accent)
        name = (250,) * 3 if sum(accent) < 420 else (20,) * 3
        write(draw, rng, (2 * em, y + em), 0.6 * width, font, name)
        y += 3.5 * em
    left, right = rng.uniform(0.03, 0.25) * width, rng.uniform(0.6, 0.95) * width
    write(draw, rng, (left, y), 0.4 * width, sources.font(rng, 2 * em), (20,) * 3)
    y += 3.2 * em
    while y < height:
        if rng.random() < 0.06:
            shot = cv2.resize(colour(sources.photo(rng)), (int(right - left), int(9 * em)))
            sheet.paste(Image.fromarray(np.asarray(shot, np.uint8)), (int(left), int(y)))
            y += 10.0 * em
        ink = (30, 70, 190) if rng.random() < 0.08 else (35,) * 3
        write(draw, rng, (left, y), (right - left) * rng.uniform(0.8, 1), font, ink)
        y += em * (1.5 if rng.random() < 0.85 else 2.7)
    if right < 0.8 * width:
        for y in np.arange(8 * em, height, rng.uniform(2, 6) * em):
            write(draw, rng, (right + em, y), width - right - 3 * em, font, (30, 70, 190))
    if rng.random() < 0.3:  # a notice about cookies
        draw.rectangle((0, height - 5 * em, width, height), (40,) * 3)
        write(draw, rng, (2 * em, height - 3.5 * em), 0.5 * width, font, (240,) * 3)
        draw.rounded_rectangle(
            (width - 12 * em, height - 4 * em, width - em, height - em), em, accent
        )
    return np.asarray(sheet)
