"""Pages that are most like the print on no page of `choose_shown.py`, for `choose_set.py`.

Large letters, envelopes, cards of an index, music, sheets with a portrait, cheques, carbon copies,
crumpled slips, magazines, sheets in a hand, and pages made small.
"""

import re
from collections.abc import Callable

import cv2
import numpy as np
from choose_images import (
    Generator,
    Pixels,
    Sources,
    any_colour,
    bordered,
    colour,
    cut,
    grey,
    noisy,
    pasted,
    resized,
    uneven_light,
)
from choose_layouts import Easel, blank_sheet, on_paper, printout
from choose_letters import letter, pen
from choose_pages import form, handwriting, newspaper, office, page, receipt, scribble
from choose_scenes import rough, shade
from choose_shown import guilloche, stamp
from numpy.typing import NDArray
from PIL import Image, ImageFont

from imgclean.fonts import ENGLISH

Plane = NDArray[np.float32]
_TYPED = re.compile("mono|courier|typewriter|elite", re.IGNORECASE)


def large_letters(rng: Generator, sources: Sources) -> Pixels:
    """A sheet with few very large words, as is hung on a door, or a part of a headline."""
    long = int(rng.integers(700, 2200))
    to = blank_sheet(rng, sources, long, 0.5)
    size = to.height * rng.uniform(0.1, 0.4)
    y, ink = rng.uniform(0.02, 0.2) * to.height, pen(rng)
    middle, upper = rng.random() < 0.6, rng.random() < 0.6
    font = sources.font(rng, int(size))
    while y < to.height - 0.6 * size:
        word = str(rng.choice(ENGLISH))
        if rng.random() < 0.2:
            word = str(int(10 ** rng.uniform(0, 4)))
        word = word.upper() if upper else word
        room = 0.92 * to.width
        wide = to.draw.textlength(word, font)
        one = font if wide < room else font.font_variant(size=max(20, int(size * room / wide)))
        place = (0.5 * to.width, y) if middle else (0.05 * to.width, y)
        to.draw.text(place, word, ink, one, anchor="ma" if middle else "la")
        y += rng.uniform(1, 1.5) * one.size
        if rng.random() < 0.25:
            to.words(0.1 * to.width, y, 0.7 * to.width, font=sources.font(rng, int(0.15 * size)))
            y += 0.3 * size
        if rng.random() < 0.1:
            break
    image = np.asarray(to.sheet)
    if rng.random() < 0.2:
        image = cut(image, rng, 0.4)
    if rng.random() < 0.2:
        tint = rng.uniform(0.7, 1, 3)
        image = np.asarray(image * tint, np.uint8)
    return on_paper(image, rng, sources, 0.2)


def envelope(rng: Generator, sources: Sources) -> Pixels:
    """An address, stamps with postmarks, a sender, on white, cream, kraft or airmail paper."""
    long = int(rng.integers(450, 1600))
    to = Easel(rng, sources, (long, int(long * rng.uniform(0.45, 0.75))), False)
    em, ink = to.height * rng.uniform(0.03, 0.07), pen(rng)
    if rng.random() < 0.25:
        edge, pitch = 0.02 * to.width, 0.04 * to.width
        for number, x in enumerate(np.arange(0, to.width, pitch)):
            tint = ((200, 40, 50), (255, 255, 255), (40, 70, 160))[number % 3]
            for y in (0, to.height - edge):
                to.draw.polygon([(x, y), (x + pitch, y), (x + pitch - edge, y + edge),
                                 (x - edge, y + edge)], tint)  # fmt: skip
    font = sources.font(rng, max(9, int(em)))
    y, x = rng.uniform(0.4, 0.6) * to.height, rng.uniform(0.2, 0.5) * to.width
    if rng.random() < 0.3:
        strokes = np.full((int(0.5 * to.height), int(0.55 * to.width), 3), 255, np.uint8)
        scribble(strokes, rng, int(rng.integers(3, 6)), [ink], 0.7 * em)
        to.sheet.paste(Image.fromarray(strokes), (int(x), int(y - 0.05 * to.height)))
    else:
        for _ in range(int(rng.integers(3, 6))):
            to.words(x, y, rng.uniform(0.2, 0.4) * to.width, ink, font=font)
            y += 1.4 * em
    if rng.random() < 0.6:
        small = sources.font(rng, max(8, int(0.6 * em)))
        for line in range(int(rng.integers(1, 5))):
            to.words(0.04 * to.width, (1 + 0.8 * line) * em, 0.25 * to.width, ink, font=small)
    right = 0.97 * to.width
    for _ in range(int(rng.choice([0, 1, 1, 2, 3]))):
        piece = stamp(rng, sources, int(to.height * rng.uniform(0.18, 0.32)))
        right -= piece.shape[1] * 1.05
        to.sheet.paste(Image.fromarray(piece), (int(right), int(0.05 * to.height)))
    if rng.random() < 0.7:
        mark, r = pen(rng, 120), rng.uniform(0.08, 0.14) * to.height
        a, b = right - rng.uniform(-1, 1.5) * r, rng.uniform(0.12, 0.3) * to.height
        for k in (1, 0.65):
            to.draw.ellipse((a - k * r, b - k * r, a + k * r, b + k * r), None, mark, 2)
        to.draw.text((a, b), str(int(rng.integers(1890, 2020))), mark, to.font, anchor="mm")
        turns = np.linspace(a + r, a + rng.uniform(2, 5) * r, 30)
        for line in np.linspace(-0.8, 0.8, int(rng.integers(3, 8))):
            wave = b + line * r + 0.06 * r * np.sin(turns / r * 8)
            to.draw.line(list(zip(turns, wave, strict=True)), mark, 2)
    paper = np.ones(3) if rng.random() < 0.4 else np.sort(rng.uniform(0.72, 1, 3))[::-1]
    if rng.random() < 0.2:
        paper = np.array([0.8, 0.65, 0.47]) * rng.uniform(0.85, 1.15)
    image = np.asarray(np.clip(np.asarray(to.sheet) * paper, 0, 255), np.uint8)
    return on_paper(image, rng, sources, 0.35)


def index_card(rng: Generator, sources: Sources) -> Pixels:
    """A card of a catalogue: a heading, a red line, few ruled lines, a hole."""
    long = int(rng.integers(450, 1300))
    to = Easel(rng, sources, (long, int(long * rng.choice([0.6, 0.67, 0.7]))), False)
    step, y = to.height * rng.uniform(0.07, 0.13), 0.15 * to.height
    if rng.random() < 0.8:
        to.draw.line((0, y, to.width, y), (200, 60, 70), 2)
        for line in np.arange(y + step, to.height, step) if rng.random() < 0.7 else ():
            to.draw.line((0, line, to.width, line), (150, 180, 215), 1)
    if rng.random() < 0.3:
        x = rng.uniform(0.1, 0.2) * to.width
        to.draw.line((x, 0, x, to.height), (200, 60, 70), 1)
    font, ink = _typewriter(rng, sources, max(9, int(0.55 * step))), pen(rng)
    to.words(0.05 * to.width, y - 0.8 * step, 0.5 * to.width, ink, font=font)
    count, left = int(rng.integers(1, 9)), 0.05 * to.width
    if rng.random() < 0.3:
        strokes = np.array(to.sheet)
        scribble(strokes[int(y) :], rng, count, [ink], 0.45 * step)
        to.sheet.paste(Image.fromarray(strokes))
    else:
        for line in range(count):
            top = y + (line + 0.3) * step
            if top < to.height - step:
                x = left + rng.choice([0, 0.06]) * to.width
                to.words(x, top, rng.uniform(0.2, 0.85) * to.width, ink, font=font)
    if rng.random() < 0.4:
        x, r = 0.5 * to.width, 0.03 * to.width
        box = (x - r, to.height - 3 * r, x + r, to.height - r)
        to.draw.ellipse(box, (int(rng.integers(10, 120)),) * 3)
    tint = np.sort(rng.uniform(0.75, 1, 3))[::-1]
    if rng.random() < 0.2:
        tint = rng.uniform(0.7, 1, 3)
    return on_paper(np.asarray(np.asarray(to.sheet) * tint, np.uint8), rng, sources, 0.35)


def music(rng: Generator, sources: Sources) -> Pixels:
    """Staves with clefs, notes, beams, bars and words below, under a title."""
    to = blank_sheet(rng, sources, int(rng.integers(600, 1700)), 0.8)
    gap = to.height * rng.uniform(0.005, 0.012)
    left, right, y = 0.07 * to.width, 0.93 * to.width, 0.06 * to.height
    to.words(0.3 * to.width, y, 0.4 * to.width, big=True)
    y += 8 * gap
    thin, words = max(1, int(gap / 6)), rng.random() < 0.4
    while y < to.height - 9 * gap:
        for line in range(5):
            to.draw.line((left, y + line * gap, right, y + line * gap), to.ink, thin)
        turn = np.linspace(0, 2.5 * np.pi, 24)
        clef = [(left + 2 * gap + 1.2 * gap * np.sin(a) * (1 - a / 9), y + (5.5 - 0.9 * a) * gap)
                for a in turn]  # fmt: skip
        to.draw.line(clef, to.ink, max(1, int(gap / 3)))
        x, before = left + 5 * gap, None
        while x < right - 2 * gap:
            place, up = y + rng.integers(-1, 10) * gap / 2, rng.random() < 0.5
            box = (x - 0.65 * gap, place - 0.45 * gap, x + 0.65 * gap, place + 0.45 * gap)
            to.draw.ellipse(box, to.ink if rng.random() < 0.8 else None, to.ink, thin + 1)
            way = 1 if up else -1
            at, tip = x + way * 0.6 * gap, place - way * 3.2 * gap
            to.draw.line((at, place, at, tip), to.ink, thin)
            if before and before[2] == up and rng.random() < 0.5:
                to.draw.line((before[0], before[1], at, tip), to.ink, max(2, int(gap / 2)))
            before = (at, tip, up)
            x += rng.uniform(1.8, 5) * gap
            if rng.random() < 0.15:
                to.draw.line((x, y, x, y + 4 * gap), to.ink, thin)
                x, before = x + 1.5 * gap, None
        to.draw.line((right, y, right, y + 4 * gap), to.ink, thin + 1)
        if words:
            font = sources.font(rng, max(7, int(1.5 * gap)))
            to.words(left + 4 * gap, y + 6 * gap, 0.8 * (right - left), font=font)
        y += rng.uniform(9, 13) * gap
    return on_paper(np.asarray(to.sheet), rng, sources, 0.25)


def with_portrait(rng: Generator, sources: Sources) -> Pixels:
    """A curriculum, a form or a record with a small portrait, mostly text."""
    to = blank_sheet(rng, sources, int(rng.integers(650, 1700)), 0.9)
    wide = rng.uniform(0.12, 0.24) * to.width
    high = wide * rng.uniform(1.15, 1.4)
    side = 0.0
    if rng.random() < 0.3:  # a tinted column
        side = rng.uniform(0.26, 0.36) * to.width
        fill = tuple(int(v) for v in 255 - rng.uniform(5, 60) * rng.uniform(0.5, 1, 3))
        to.draw.rectangle((0, 0, side, to.height), fill)
    x = 0.06 * to.width if side or rng.random() < 0.4 else 0.9 * to.width - wide
    to.picture(x, to.top, wide, high)
    if rng.random() < 0.3:
        crop = np.array(to.sheet)
        a, b, c, d = int(to.top), int(to.top + high), int(x), int(x + wide)
        crop[a:b, c:d] = crop[a:b, c:d].mean(axis=2, keepdims=True)
        to.sheet.paste(Image.fromarray(crop))
    free = 0.06 * to.width  # where the words begin
    if side or x < wide:
        free = side + 0.05 * to.width if side else x + wide + 0.04 * to.width
    room = to.width - free - 0.05 * to.width - (0 if x < wide else wide)
    to.words(free, to.top, 0.7 * room, big=True)
    y, boxed = to.top + 4 * to.em, rng.random() < 0.3
    while y < 0.95 * to.height:
        if y > to.top + high + to.em and not side:
            free, room = 0.06 * to.width, 0.88 * to.width
        kind = rng.random()
        if kind < 0.12:
            y += to.em
            to.words(free, y, 0.3 * room, to.accent, font=to.large)
            y += 2.4 * to.em
            continue
        if boxed and kind < 0.6:
            to.box(free, y - 0.3 * to.em, room, 1.6 * to.em)
        to.words(free + 0.4 * to.em, y, rng.uniform(0.3, 0.95) * room)
        y += rng.choice([1.35, 1.35, 2]) * to.em
    y = to.top + high + 2 * to.em
    while side and y < 0.9 * to.height:
        to.words(0.02 * to.width, y, 0.8 * side)
        y += rng.uniform(1.4, 3) * to.em
    return on_paper(np.asarray(to.sheet), rng, sources, 0.3)


def cheque(rng: Generator, sources: Sources) -> Pixels:
    """A cheque, a certificate or a receipt on a ground of fine pale curves: fields and lines."""
    width = int(rng.integers(500, 1500))
    height = int(width * rng.choice([0.42, 0.48, 0.7, 1.3]))
    to = Easel(rng, sources, (width, height), False)
    pale = 255 - (255 - guilloche(rng, sources, width, height)) * rng.uniform(0.3, 0.9)
    to.sheet.paste(Image.fromarray(np.asarray(pale, np.uint8)))
    em = max(9.0, min(height, width) * rng.uniform(0.035, 0.06))
    font, small = (sources.font(rng, max(8, int(k * em))) for k in (1, 0.6))
    other, y = pen(rng), 0.06 * height
    to.words(0.05 * width, y, 0.4 * width, to.accent, font=sources.font(rng, int(1.4 * em)))
    to.words(0.72 * width, y, 0.2 * width, font=small)
    y += 3 * em
    while y < height - 4 * em:
        to.words(0.05 * width, y, 0.2 * width, font=small)
        to.draw.line((0.05 * width, y + 1.5 * em, 0.9 * width, y + 1.5 * em), to.ink, 1)
        if rng.random() < 0.8:
            to.words(0.22 * width, y + 0.3 * em, rng.uniform(0.2, 0.55) * width, other, font=font)
        y += rng.uniform(2, 3) * em
    if rng.random() < 0.7:
        to.box(0.72 * width, 0.35 * height, 0.23 * width, 2 * em, (252,) * 3)
        to.draw.text((0.74 * width, 0.35 * height + 0.4 * em), f"{rng.uniform(1, 9999):.2f}",
                     other, font)  # fmt: skip
    if rng.random() < 0.7:
        digits = "".join(str(v) for v in rng.integers(0, 10, 24))
        to.draw.text((0.1 * width, height - 1.6 * em), digits, (30,) * 3, font)
    image = np.array(to.sheet)
    if rng.random() < 0.6:
        corner = image[int(0.65 * height) : int(0.9 * height), int(0.55 * width) :]
        scribble(corner, rng, 1, [other], 0.8 * em)
    return on_paper(image, rng, sources, 0.35)


def carbon_copy(rng: Generator, sources: Sources) -> Pixels:
    """A typed copy on thin white or coloured paper, its letters soft and uneven."""
    to = blank_sheet(rng, sources, int(rng.integers(700, 1700)), 0.85)
    font = _typewriter(rng, sources, to.em)
    y, left = to.top + rng.uniform(0, 5) * to.em, rng.uniform(0.07, 0.15) * to.width
    mask = Easel(rng, sources, (to.width, to.height), False)
    while y < rng.uniform(0.6, 1.5) * to.height and y < to.height - 2 * to.em:
        room = rng.choice([0.3, 0.95, 0.95, 1]) * (to.width - 2 * left)
        mask.words(left, y, room, (0,) * 3, font=font)
        y += rng.choice([1.3, 1.3, 1.3, 2.6]) * to.em
    drawn = 1 - grey(np.asarray(mask.sheet))[..., 0].astype(np.float32) / 255
    drawn = cv2.GaussianBlur(drawn, (0, 0), rng.uniform(0.4, 0.09 * to.em))
    high, wide = drawn.shape
    press = 0.75 + rng.uniform(0, 0.25) * rough(rng, high, wide, rng.uniform(3, 40))
    share = np.clip(drawn * press, 0, 1)[..., None] * rng.uniform(0.45, 0.95)
    ink = np.array([[0.15, 0.15, 0.2], [0.2, 0.2, 0.45], [0.35, 0.15, 0.45]][int(rng.integers(3))])
    tint = np.sort(rng.uniform(0.8, 1, 3))[::-1]
    if rng.random() < 0.6:
        tint = np.ones(3) * rng.uniform(0.88, 1)
        tint[rng.permutation(3)[: int(rng.integers(1, 3))]] *= rng.uniform(0.6, 0.93)
    light = tint * (1 - share) + ink * share
    folds = 1 + rng.uniform(0, 0.03) * rough(rng, high, wide, rng.uniform(20, 150))
    image = np.asarray(np.clip(255 * light * folds[..., None], 0, 255), np.uint8)
    return on_paper(image, rng, sources, 0.25)


def _typewriter(rng: Generator, sources: Sources, size: int) -> ImageFont.FreeTypeFont:
    """A font of even width, mostly."""
    named = [path for path in sources.latin if _TYPED.search(path.name)]
    if named and rng.random() < 0.75:
        return ImageFont.truetype(named[int(rng.integers(len(named)))], size)
    return sources.font(rng, size)


def crumpled(rng: Generator, sources: Sources) -> Pixels:
    """A slip or a sheet that was crumpled or folded, photographed on a table or flat again."""
    kinds: list[Callable[[Generator, Sources], Pixels]] = [receipt, page, handwriting, form, letter]
    sheet = colour(kinds[int(rng.choice(5, p=[0.4, 0.25, 0.15, 0.1, 0.1]))](rng, sources))
    height, width = sheet.shape[:2]
    facets = np.zeros((height, width), np.float32)
    bend = [np.zeros((height, width), np.float32) for _ in "xy"]
    y, x = np.indices((height, width), np.float32)
    for _ in range(int(rng.integers(3, 25))):
        way = rng.uniform(0, 2 * np.pi)
        place = rng.uniform(0, 1, 2) * (width, height)
        away = np.cos(way) * (x - place[0]) + np.sin(way) * (y - place[1])
        far = np.exp(-np.abs(away) / (rng.uniform(0.02, 0.3) * width))
        facets += np.float32(rng.uniform(-0.12, 0.12)) * np.sign(away) * far
        for plane, part in zip(bend, (np.cos(way), np.sin(way)), strict=True):
            plane += np.float32(rng.uniform(-0.01, 0.01) * width * part) * far
    bent = cv2.remap(sheet, x + bend[0], y + bend[1], cv2.INTER_LINEAR, borderValue=(235,) * 3)
    light = bent * (1 + facets)[..., None] * uneven_light(rng, height, width, 0.75)[..., None]
    image = np.asarray(np.clip(light, 0, 255), np.uint8)
    return on_paper(image, rng, sources, 0.6)


def magazine(rng: Generator, sources: Sources) -> Pixels:
    """A leaf of a magazine or a brochure: columns of text, coloured heads, a picture or two."""
    to = blank_sheet(rng, sources, int(rng.integers(700, 1700)), 0.9)
    columns, margin = int(rng.integers(2, 4)), 0.06 * to.width
    wide = (to.width - 2 * margin) / columns
    head = sources.font(rng, int(to.em * rng.uniform(2, 5)))
    tint = any_colour(rng, 0, 170)
    to.words(margin, to.top, 0.85 * to.width, tint, font=head)
    top = to.top + 1.6 * head.size
    small = sources.font(rng, max(8, int(rng.uniform(0.7, 1) * to.em)))
    taken = np.full(columns, top)
    for _ in range(int(rng.integers(1, 3))):
        span = int(rng.integers(1, columns + 1))
        first = int(rng.integers(columns - span + 1))
        high = min(rng.uniform(0.4, 0.75) * span * wide, 0.28 * to.height)
        y = taken[first : first + span].max()
        to.picture(margin + first * wide, y, span * wide - to.em, high)
        taken[first : first + span] = y + high + to.em
    for column in range(columns):
        y = taken[column]
        while y < 0.94 * to.height:
            if rng.random() < 0.04:
                to.words(margin + column * wide, y + to.em, 0.8 * wide, tint, font=to.large)
                y += 3.2 * to.em
            to.words(margin + column * wide, y, wide - to.em, font=small)
            y += 1.3 * small.size
    light = np.asarray(to.sheet, np.float32)
    if rng.random() < 0.4:  # the fold
        x = np.arange(to.width) if rng.random() < 0.5 else np.arange(to.width)[::-1]
        away = x / rng.uniform(0.02, 0.08) / to.width
        light *= np.asarray(1 - rng.uniform(0.1, 0.7) * np.exp(-away), np.float32)[:, None]
    return on_paper(np.asarray(light, np.uint8), rng, sources, 0.35)


def in_hand(rng: Generator, sources: Sources) -> Pixels:
    """A sheet or a book's page that a hand holds: fingers at its edges, a room behind."""
    kinds: list[Callable[[Generator, Sources], Pixels]] = [page, office, receipt, letter, printout]
    sheet = colour(kinds[int(rng.integers(5))](rng, sources))
    height, width = sheet.shape[:2]
    frame = (int(width * rng.uniform(1.0, 1.35)), int(height * rng.uniform(1.0, 1.35)))
    back = cv2.GaussianBlur(colour(sources.photo(rng)), (0, 0), rng.uniform(1, 6))
    room = np.array(frame) - (width, height)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    target = corners + room * rng.uniform(0.2, 0.8, 2) + rng.normal(0, 0.03, (4, 2)) * width
    ground = np.asarray(cv2.resize(back, frame) * rng.uniform(0.3, 1), np.uint8)
    image = np.asarray(pasted(sheet, target, ground), np.float32)
    skin = np.array([225, 170, 140]) * rng.uniform(0.35, 1.1) * rng.uniform(0.92, 1.05, 3)
    for _ in range(int(rng.integers(1, 3))):
        image = _fingers(image, rng, skin, target)
    light = image * shade(rng, frame[1], frame[0])
    soft = cv2.GaussianBlur(light, (0, 0), rng.uniform(0.4, 1.3))
    return noisy(np.asarray(np.clip(soft, 0, 255), np.uint8), rng, 10)


def _fingers(
    image: Plane, rng: Generator, skin: NDArray[np.float64], corners: NDArray[np.float64]
) -> Plane:
    """A thumb, or four fingers, that come from outside over an edge of a sheet."""
    height, width = image.shape[:2]
    side = int(rng.integers(1, 4))  # right, bottom, left
    a, b = corners[side], corners[(side + 1) % 4]
    middle = (corners[0] + corners[2]) / 2
    thick = rng.uniform(0.035, 0.07) * max(height, width)
    start = rng.uniform(0.2, 0.8)
    count = 1 if rng.random() < 0.6 else 4
    for number in range(count):
        edge = a + (b - a) * (start + number * 1.9 * thick / np.hypot(*(b - a)))
        inward = (middle - edge) / np.hypot(*(middle - edge))
        tip = edge + inward * thick * rng.uniform(0.8, 3)
        root = edge - inward * thick * 12
        shape = np.zeros((height, width), np.uint8)
        ends = [tuple(int(v) for v in end) for end in (tip, root)]
        cv2.line(shape, ends[0], ends[1], 255, max(2, int(1.7 * thick)), cv2.LINE_AA)
        away = cv2.distanceTransform(shape, cv2.DIST_L2, 3) / thick
        tone = skin * (0.6 + 0.45 * np.clip(away, 0, 1)[..., None])
        share = cv2.GaussianBlur(shape, (0, 0), 1.5).astype(np.float32)[..., None] / 255
        image = np.asarray(image * (1 - share) + tone * share, np.float32)
        nail = tuple(int(v) for v in tip + inward * 0.3 * thick)
        turn = float(np.degrees(np.arctan2(inward[1], inward[0])))
        pale = tuple(float(v) for v in skin * 1.1 + 15)
        axes = (int(0.45 * thick), int(0.35 * thick))
        image = np.ascontiguousarray(image)
        if count == 1:
            cv2.ellipse(image, nail, axes, turn, 0, 360, pale, -1, cv2.LINE_AA)
    return image


def thumbnail(rng: Generator, sources: Sources) -> Pixels:
    """A page of any kind made so small that its letters are a few pixels high."""
    kinds: list[Callable[[Generator, Sources], Pixels]] = [
        page, form, newspaper, letter, office, printout, handwriting, music, magazine,
    ]  # fmt: skip
    image = kinds[int(rng.integers(len(kinds)))](rng, sources)
    small = resized(image, rng.uniform(110, 380) / max(image.shape[:2]))
    if rng.random() < 0.2:
        small = bordered(small, (int(rng.integers(1, 12)),) * 4, int(rng.choice([0, 128, 255])))
    return noisy(small, rng, 6)
