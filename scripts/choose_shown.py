"""Print that is on no page for `choose_set.py`: devices, slides, notices, vans, cards, stamps.

`choose_post.py` draws the pages that are most like these.
"""

import cv2
import numpy as np
from choose_desks import desk_top
from choose_images import (
    Generator,
    Pixels,
    Sources,
    any_colour,
    askew,
    bordered,
    colour,
    cut,
    grey,
    noisy,
    pasted,
    resized,
    write,
)
from choose_layouts import Easel, screen_photo, slide, white_screen
from choose_letters import pen
from choose_more import before, ground, lit
from choose_pages import scribble
from choose_scenes import rough, shade
from numpy.typing import NDArray
from office_pages import office_page
from PIL import Image, ImageDraw

from imgclean.fonts import ENGLISH

Ink = tuple[int, int, int]
Plane = NDArray[np.float32]


def device(rng: Generator, sources: Sources) -> Pixels:
    """A tablet, a monitor or a laptop that shows a document or a white page, photographed."""
    image = _viewer(rng, sources) if rng.random() < 0.6 else white_screen(rng, sources)
    if rng.random() < 0.6:  # its rim, and perhaps a chin
        rim = max(3, int(rng.uniform(0.015, 0.09) * image.shape[1]))
        chin = rim if rng.random() < 0.6 else int(rim * rng.uniform(1.5, 3.5))
        tone = int(rng.choice([12, 25, 45, 190, 238]))
        image = bordered(image, (rim, chin, rim, rim), tone)
    if rng.random() < 0.35:
        image = np.concatenate([image, _keyboard(rng, image.shape[1], sources)])
    return screen_photo(image, rng, sources, 0.04, float(rng.uniform(1.05, 2.2)))


def _viewer(rng: Generator, sources: Sources) -> Pixels:
    """One or two pages on a screen, with bars, on grey or filling it."""
    sheet = (
        office_page(rng, lambda size: sources.font(rng, size))
        if rng.random() < 0.3
        else colour(sources.page(int(rng.integers(150))))
    )
    full = rng.random() < 0.4
    wide = int(sheet.shape[1] * (1 if full else rng.uniform(1.1, 2.4)))
    high = int(min(sheet.shape[0] * rng.uniform(0.5, 1.1), 1.5 * wide))
    back = 255 if full else int(rng.choice([40, 82, 128, 200, 230]))
    image = np.full((high, wide, 3), back, np.uint8)
    gap = int(rng.uniform(0, 0.05) * high)
    for top, part in ((gap, sheet), (2 * gap + sheet.shape[0], sheet[::-1, ::-1])):
        part = part[: max(0, high - top)]
        left = (wide - part.shape[1]) // 2
        image[top : top + len(part), left : left + part.shape[1]] = part
    bar = int(rng.uniform(0, 0.09) * high)
    shown = Image.fromarray(bordered(image, (bar, 0, 0, 0), int(rng.choice([30, 60, 235, 250]))))
    draw, tone = ImageDraw.Draw(shown), (128,) * 3
    for x in rng.uniform(0, wide, int(rng.integers(2, 14))) if bar > 12 else ():
        draw.rectangle((x, 0.3 * bar, x + 0.4 * bar, 0.7 * bar), tone)
    if bar > 14 and rng.random() < 0.7:
        write(draw, rng, (0.3 * wide, 0.2 * bar), 0.3 * wide, sources.font(rng, bar // 2), tone)
    if not full and rng.random() < 0.3:  # the pages in small
        side = int(rng.uniform(0.08, 0.18) * wide)
        draw.rectangle((0, bar, side, bar + high), (int(rng.integers(30, 250)),) * 3)
        small = Image.fromarray(sheet).resize((int(0.7 * side), int(0.95 * side)))
        for y in range(bar + 10, bar + high, int(1.15 * side)):
            shown.paste(small, (int(0.15 * side), y))
    return np.asarray(shown)


def _keyboard(rng: Generator, width: int, sources: Sources) -> Pixels:
    """Rows of keys, as wide as a screen."""
    body, cap = (int(rng.choice([25, 60, 170, 215, 240])) for _ in "ab")
    rows, columns = int(rng.integers(3, 6)), int(rng.integers(10, 16))
    key = width / (columns + 1)
    high = int(key * (rows + 0.7))
    sheet = Image.new("RGB", (width, high), (body,) * 3)
    draw, ink = ImageDraw.Draw(sheet), (235,) * 3 if cap < 120 else (40,) * 3
    font, round_, share = sources.font(rng, max(8, int(0.35 * key))), 0.12 * key, 0.9
    for row in range(rows):
        for column in range(columns):
            x, y = (0.5 + column) * key + 0.15 * (row % 2) * key, (0.3 + row) * key
            box = (x, y, x + share * key, y + share * key)
            draw.rounded_rectangle(box, round_, (cap,) * 3, (max(cap - 30, 0),) * 3)
            draw.text((x + 0.25 * key, y + 0.2 * key), chr(int(rng.integers(65, 91))), ink, font)
    return np.asarray(sheet)


def keys(rng: Generator, sources: Sources) -> Pixels:
    """A keyboard, a till or a calculator from close by."""
    image = _keyboard(rng, int(rng.integers(600, 1300)), sources)
    if rng.random() < 0.4:
        image = cut(image, rng, 0.4)
    return before(lit(image, rng), rng, sources, 0.5)


def projection(rng: Generator, sources: Sources) -> Pixels:
    """A bright slide on the wall of a dark room, above the heads of those who watch."""
    long = int(rng.integers(500, 1100))
    if rng.random() < 0.75:
        to = Easel(rng, sources, (long, int(long * rng.choice([0.56, 0.75]))), True)
        slide(to)
        shown = np.asarray(to.sheet)
    else:
        shown = cut(colour(sources.page(int(rng.integers(150)))), rng, 0.5)
    tint = np.ones(3) if rng.random() < 0.7 else rng.uniform(0.75, 1, 3)
    pale = rng.uniform(0, 0.25)  # the room's light makes black grey
    picture = np.asarray(255 * (pale + (1 - pale) * shown / 255 * tint), np.uint8)
    height, width = picture.shape[:2]
    if rng.random() < 0.4:
        picture = bordered(picture, (int(0.02 * width),) * 4, int(rng.integers(5, 40)))
        height, width = picture.shape[:2]
    frame = (int(width * rng.uniform(1.1, 2.2)), int(height * rng.uniform(1.1, 2.2)))
    wall = ground(rng, sources, frame[1], frame[0]) * rng.uniform(0.04, 0.5)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    room = np.array(frame) - (width, height)
    off = room * rng.uniform(0.2, 0.8, 2) + rng.normal(0, 0.03, (4, 2)) * (width, height)
    image = pasted(picture, corners + off, np.asarray(wall, np.uint8)).astype(np.float32)
    glow = cv2.GaussianBlur(cv2.resize(image, None, fx=0.1, fy=0.1), (0, 0), 0.03 * frame[0] / 4)
    image += np.float32(rng.uniform(0, 0.3)) * cv2.resize(glow, frame)
    seen = np.ascontiguousarray(np.clip(image * shade(rng, frame[1], frame[0]), 0, 255), np.uint8)
    for _ in range(int(rng.integers(0, 8))):
        x, r = rng.uniform(0, frame[0]), rng.uniform(0.02, 0.08) * frame[0]
        y, tone = frame[1] - rng.uniform(-0.5, 1.5) * r, any_colour(rng, 3, 45)
        middle, wide = (int(x), int(y)), (int(r), int(1.25 * r))
        cv2.ellipse(seen, middle, wide, 0, 0, 360, tone, -1, cv2.LINE_AA)
        low = (int(x), int(y + 3 * r))
        cv2.ellipse(seen, low, (int(2.3 * r), int(2 * r)), 0, 0, 360, tone, -1, cv2.LINE_AA)
    soft = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.5, 2))
    return noisy(np.asarray(soft, np.uint8), rng, 18)


def notices(rng: Generator, sources: Sources) -> Pixels:
    """A board, a wall or a door with several sheets pinned or taped to it, some of colour."""
    height, width = (int(v) for v in rng.integers(500, 1200, 2))
    kind = rng.random()
    if kind < 0.4:  # cork, felt
        tone = (
            np.array([0.75, 0.55, 0.35]) * rng.uniform(0.7, 1.2)
            if kind < 0.25
            else rng.uniform(0.1, 0.7, 3)
        )
        grain = 1 + rng.uniform(0.03, 0.2) * rough(rng, height, width, rng.uniform(1, 6))
        back = np.clip(255 * tone * grain[..., None], 0, 255)
    elif kind < 0.6:
        back = desk_top(rng, height, width)
    else:
        back = ground(rng, sources, height, width).astype(np.float64)
    board = Image.fromarray(np.asarray(back, np.uint8))
    columns, rows = int(rng.integers(2, 6)), int(rng.integers(2, 4))
    size, tape = rng.uniform(0.6, 1.15), rng.random() < 0.3
    for place in rng.permutation(columns * rows)[: int(rng.integers(3, columns * rows + 1))]:
        sheet = _notice(rng, sources)
        wide, high = size * width / columns, size * height / rows
        fit = min(wide / sheet.shape[1], high / sheet.shape[0]) * rng.uniform(0.6, 1.1)
        sheet = resized(sheet, fit)
        turned = askew(sheet, rng.normal(0, 3))
        x = int((place % columns + rng.uniform(0, 0.25)) * width / columns)
        y = int((place // columns + rng.uniform(0, 0.25)) * height / rows)
        shadow = turned.getchannel("A").point(lambda v: v // 3)
        board.paste((20, 15, 10), (x + 4, y + 4), shadow)
        board.paste(turned, (x, y), turned)
        draw, r = ImageDraw.Draw(board), 0.008 * width
        for a in (0.5,) if rng.random() < 0.5 else (0.06, 0.94):
            at, top = x + a * turned.width, y + 0.04 * turned.height
            if tape:
                box = (at - 4 * r, top - 2 * r, at + 4 * r, top + r)
                draw.rectangle(box, (230, 225, 200))
            else:
                draw.ellipse((at - r, top - r, at + r, top + r), any_colour(rng))
                draw.ellipse((at - r / 2, top - r / 2, at, top), (240,) * 3)
    image = lit(np.asarray(board), rng)
    if rng.random() < 0.4:
        rim = int(rng.uniform(0.01, 0.05) * width)
        image = bordered(image, (rim,) * 4, int(rng.integers(20, 220)))
    return before(image, rng, sources, 0.5)


def _notice(rng: Generator, sources: Sources) -> Pixels:
    """A sheet of print or handwriting, a poster, a print or a small note, tinted at times."""
    kind = rng.random()
    if kind < 0.35:
        sheet = colour(sources.page(int(rng.integers(150))))
    elif kind < 0.5:
        sheet = office_page(rng, lambda size: sources.font(rng, size))
    elif kind < 0.62:
        return bordered(cut(colour(sources.photo(rng)), rng, 0.4), (8,) * 4, 250)
    else:
        height, width = (int(v) for v in rng.integers(250, 700, 2))
        board = Image.new("RGB", (width, height), (255,) * 3)
        draw, y, ink = ImageDraw.Draw(board), 0.06 * height, pen(rng)
        while y < 0.8 * height:
            font = sources.font(rng, int(height * rng.uniform(0.05, 0.2)))
            write(draw, rng, (0.06 * width, y), rng.uniform(0.4, 0.9) * width, font, ink)
            y += font.size * rng.uniform(1.2, 2)
        sheet = np.array(board)
        if rng.random() < 0.3:
            scribble(sheet[height // 2 :], rng, 5, [ink], rng.uniform(12, 24))
    tint = rng.uniform(0.55, 1, 3) if rng.random() < 0.4 else np.ones(3)
    return np.asarray(sheet * tint, np.uint8)


def tin(rng: Generator, sources: Sources) -> Pixels:
    """A bottle, a jar or a tin with a white or coloured label, round, on a shelf or on white."""
    width, height = int(rng.integers(260, 700)), int(rng.integers(350, 900))
    to = Easel(rng, sources, (width, height), False)
    tint = rng.uniform(0.88, 1, 3) if rng.random() < 0.6 else rng.uniform(0.2, 1, 3)
    y = rng.uniform(0.03, 0.15) * height
    for number in range(int(rng.integers(3, 14))):
        large = number < 2 or rng.random() < 0.1
        size = rng.uniform(0.05, 0.13) if large else rng.uniform(0.016, 0.035)
        font = sources.font(rng, max(8, int(height * size)))
        word = " ".join(str(rng.choice(ENGLISH)) for _ in range(1 if large else 7))
        to.draw.text((width / 2, y), word.title() if large else word, to.ink, font, anchor="ma")
        y += 1.35 * font.size
    if rng.random() < 0.4:
        to.picture(0.25 * width, min(y, 0.7 * height), 0.5 * width, 0.25 * height)
    if rng.random() < 0.3:
        to.draw.rectangle((0, 0.9 * height, width, height), any_colour(rng))
    label = np.asarray(to.sheet) * tint
    body = any_colour(rng) if rng.random() < 0.7 else (230, 230, 225)
    over, under = (int(v * height) for v in rng.uniform(0, 0.6, 2))
    whole = cv2.copyMakeBorder(label, over, under, 0, 0, cv2.BORDER_CONSTANT, value=body)
    tall = whole.shape[0]
    rows, columns = np.indices((tall, width), np.float32)
    across = 2 * columns / width - 1
    bulge = rng.uniform(-0.08, 0.08) * width * np.sqrt(np.maximum(1 - across**2, 0))
    around = np.asarray((0.5 + np.arcsin(0.99 * across) / np.pi) * width, np.float32)
    whole = cv2.remap(np.asarray(whole, np.float32), around, rows + bulge.astype(np.float32),
                      cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    round_ = rng.uniform(0.25, 0.7) + (1 - 0.25) * np.sqrt(1 - 0.97 * across**2)
    shine = rng.uniform(0, 120) * np.exp(-(((across - rng.uniform(-0.7, 0.7)) / 0.06) ** 2))
    seen = np.asarray(np.clip(whole * round_[..., None] + shine[..., None], 0, 255), np.uint8)
    if rng.random() < 0.15:
        return noisy(cut(seen, rng, 0.6), rng, 12)
    frame = (int(width * rng.uniform(1.1, 2.2)), int(tall * rng.uniform(1.02, 1.4)))
    back = ground(rng, sources, frame[1], frame[0])
    if rng.random() < 0.25:
        back = np.full_like(back, int(rng.integers(225, 256)))
    corners = np.array([[0, 0], [width, 0], [width, tall], [0, tall]], np.float32)
    off = (np.array(frame) - (width, tall)) * rng.uniform(0.1, 0.9, 2)
    image = np.asarray(pasted(seen, corners + off, back), np.uint8)
    soft = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.4)), np.uint8)
    return noisy(soft if rng.random() < 0.85 else grey(soft), rng, 12)


def lettering(rng: Generator, sources: Sources) -> Pixels:
    """The side of a van, a shop front or a door with words on it, mostly white."""
    height, width = int(rng.integers(350, 900)), int(rng.integers(600, 1300))
    tint = rng.uniform(0.8, 1) * np.ones(3) if rng.random() < 0.7 else rng.uniform(0.1, 1, 3)
    plane = 1 - rng.uniform(0, 0.3) * np.linspace(-0.3, 1, height) ** 2
    body = np.repeat((255 * plane[:, None, None] * tint), width, axis=1)
    sheet = Image.fromarray(np.asarray(np.clip(body, 0, 255), np.uint8))
    draw = ImageDraw.Draw(sheet)
    ink: Ink = any_colour(rng, 0, 150) if tint.mean() > 0.5 else (245, 240, 230)
    if rng.random() < 0.5:  # a stripe
        y, high = rng.uniform(0.2, 0.8) * height, rng.uniform(0.02, 0.15) * height
        rise = rng.uniform(-0.1, 0.1) * height
        corners = [(0, y), (width, y + rise), (width, y + rise + high), (0, y + high)]
        draw.polygon(corners, any_colour(rng))
    y = rng.uniform(0.1, 0.35) * height
    for number in range(int(rng.integers(1, 6))):
        size = int(height * rng.uniform(0.08, 0.26) / (1 if number == 0 else 2))
        count = int(rng.integers(1, 3 if number == 0 else 5))
        word = " ".join(str(rng.choice(ENGLISH)) for _ in range(count))
        word = word.upper() if rng.random() < 0.6 else word.title()
        if rng.random() < 0.25:
            word = str(int(10 ** rng.uniform(5, 10)))
        draw.text((rng.uniform(0.05, 0.3) * width, y), word, ink, sources.font(rng, max(10, size)))
        y += 1.3 * size
    glass = resized(cut(colour(sources.photo(rng)), rng, 0.4), 0.5) * rng.uniform(0.2, 0.7)
    for _ in range(int(rng.integers(0, 4))):  # windows that mirror the street
        wide, high = rng.uniform(0.1, 0.3) * width, rng.uniform(0.15, 0.4) * height
        x, top = rng.uniform(0, 0.9) * width, rng.choice([0.03, 0.55]) * height
        pane = cv2.resize(np.asarray(glass, np.uint8), (int(wide), int(high)))
        sheet.paste(Image.fromarray(np.asarray(pane, np.uint8)), (int(x), int(top)))
        draw.rounded_rectangle((x, top, x + wide, top + high), 8, None, (25,) * 3, 5)
    for x in rng.uniform(0, width, int(rng.integers(1, 6))):  # seams, handles
        draw.line((x, 0, x + rng.normal(0, 8), height), (90,) * 3, int(rng.integers(1, 4)))
    for y in rng.uniform(0, height, int(rng.integers(0, 3))):
        draw.line((0, y, width, y + rng.normal(0, 8)), (120,) * 3, int(rng.integers(1, 6)))
    if rng.random() < 0.5:
        r = rng.uniform(0.12, 0.24) * height
        for x in rng.uniform(0.05, 0.95, 2) * width:
            draw.ellipse((x - 1.2 * r, height - r, x + 1.2 * r, height + 1.4 * r), (18,) * 3)
            draw.ellipse((x - r / 2, height - r / 3, x + r / 2, height + 0.7 * r), (150,) * 3)
    image = np.asarray(sheet, np.float32)
    mirror = cv2.resize(colour(sources.photo(rng)), (width, height)).astype(np.float32)
    mirror = cv2.GaussianBlur(mirror, (0, 0), rng.uniform(2, 15)) - 110
    image += np.float32(rng.uniform(0, 0.25)) * mirror
    seen = lit(np.asarray(np.clip(image, 0, 255), np.uint8), rng)
    return before(seen, rng, sources, 0.6)


def guilloche(rng: Generator, sources: Sources, width: int, height: int) -> Pixels:
    """Fine interlaced curves in pale colours on a pale ground, as on cards and cheques."""
    base = 255 * (1 - rng.uniform(0.02, 0.3) * rng.uniform(0, 1, 3))
    image = np.ascontiguousarray(np.ones((height, width, 3)) * base, np.uint8)
    across = np.linspace(0, width, 160)
    for _ in range(int(rng.integers(1, 4))):
        ink = tuple(int(v) for v in base * rng.uniform(0.6, 0.97, 3))
        deep, turns = rng.uniform(0.01, 0.2, 2) * height, rng.uniform(1, 12, 2)
        for phase in np.linspace(0, 2 * np.pi, int(rng.integers(12, 90))):
            middle = height * (phase / (2 * np.pi) * 1.2 - 0.1)
            y = middle + deep[0] * np.sin(turns[0] * across / width * 6.28 + phase)
            y = y + deep[1] * np.sin(turns[1] * across / width * 6.28 - 2 * phase)
            curve = np.rint(8 * np.stack([across, y], 1)).astype(np.int32)
            cv2.polylines(image, [curve], False, ink, 1, cv2.LINE_AA, 3)
    return image


def card(rng: Generator, sources: Sources) -> Pixels:
    """An identity card with a portrait, or a bank's, cropped, scanned or on a table."""
    width = int(rng.integers(450, 1200))
    height = int(width * rng.choice([0.63, 0.63, 0.7, 1.4]))
    bank = rng.random() < 0.3
    back = guilloche(rng, sources, width, height)
    if bank:
        tone = rng.uniform(0, 1, 3) if rng.random() < 0.7 else rng.uniform(0.8, 1, 3)
        slope = np.linspace(rng.uniform(0.5, 1), 1, width)[None, :, None]
        back = np.asarray(np.clip(back * tone * slope, 0, 255), np.uint8)
        if rng.random() < 0.3:
            back = np.asarray(cv2.resize(colour(sources.photo(rng)), (width, height)), np.uint8)
    sheet = Image.fromarray(back)
    draw, em = ImageDraw.Draw(sheet), max(9, int(0.045 * min(height, width)))
    ink: Ink = pen(rng, 90) if back.mean() > 120 else (240, 238, 230)
    small, font, head = (sources.font(rng, max(7, int(k * em))) for k in (0.6, 1, 1.4))
    left = 0.05 * width
    if rng.random() < 0.7:
        strip = any_colour(rng)
        if rng.random() < 0.5:
            draw.rectangle((0, 0, width, 2.4 * em), strip)
        tint = ink if bank else any_colour(rng, 0, 120)
        write(draw, rng, (left, 0.5 * em), 0.6 * width, head, tint)
    if bank:
        place = (left, 0.35 * height, left + 0.13 * width, 0.53 * height)
        draw.rounded_rectangle(place, 6, (212, 175, 95), (120, 95, 40), 2)
        digits = " ".join(f"{int(rng.integers(10_000)):04d}" for _ in range(4))
        large = sources.font(rng, max(12, int(1.5 * em)))
        draw.text((left, 0.58 * height), digits, ink, large)
        write(draw, rng, (left, 0.82 * height), 0.4 * width, font, ink)
        for x in (0.8, 0.87):
            r = 0.07 * height
            a, b = x * width, 0.84 * height
            draw.ellipse((a - r, b - r, a + r, b + r), any_colour(rng))
    else:
        wide = int(rng.uniform(0.22, 0.36) * width)
        high = int(wide * rng.uniform(1.15, 1.35))
        x = int(left if rng.random() < 0.6 else 0.62 * width)
        shot = cut(colour(sources.photo(rng)), rng, 0.3)
        shot = np.asarray(cv2.resize(shot, (wide, high)), np.uint8)
        shot = shot if rng.random() < 0.6 else colour(grey(shot))
        top = int(rng.uniform(0.2, 0.3) * height)
        sheet.paste(Image.fromarray(shot), (x, top))
        x, y = (left + wide + 2 * em if x < width / 3 else left), float(top)
        while y < 0.8 * height:
            write(draw, rng, (x, y), 0.15 * width, small, tuple(v // 2 + 60 for v in ink))
            write(draw, rng, (x, y + 0.8 * em), rng.uniform(0.1, 0.3) * width, font, ink)
            y += 2.4 * em
        if rng.random() < 0.4:
            for line in range(2):
                text = "".join(rng.choice(list("ABKRST<<<<0148"), 30))
                draw.text((left, height - (2.8 - 1.2 * line) * em), text, ink, font)
    image = lit(np.asarray(sheet), rng)
    if rng.random() < 0.4:
        return noisy(image if rng.random() < 0.85 else grey(image), rng, 10)
    if rng.random() < 0.3:  # on the glass of a scanner
        sides = tuple(int(v) for v in rng.uniform(0, 0.25, 4) * width)
        return noisy(bordered(image, sides, int(rng.choice([15, 225, 250]))), rng, 10)
    return before(image, rng, sources, 1.0)


def goods(rng: Generator, sources: Sources) -> Pixels:
    """One to four things on a white ground, with soft shadows and perhaps a word on them."""
    height, width = (int(v) for v in rng.integers(400, 1100, 2))
    light = np.full((height, width, 3), 255.0, np.float32) * rng.uniform(0.88, 1, 3)
    light = np.asarray(light * shade(rng, height, width) ** rng.uniform(0, 0.4), np.float32)
    count = int(rng.integers(1, 5))
    for number in range(count):
        mask = np.zeros((height, width), np.uint8)
        x, y = (number + 0.5) / count * width, rng.uniform(0.4, 0.6) * height
        a, b = rng.uniform(0.15, 0.42) * width / count, rng.uniform(0.12, 0.4) * height
        kind = rng.integers(4)
        if kind == 0:
            turn = rng.uniform(-20, 20)
            cv2.ellipse(mask, (int(x), int(y)), (int(a), int(b)), turn, 0, 360, 255, -1)
        else:
            corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (a, b) + (x, y)
            corners = corners + rng.normal(0, 0.12, (4, 2)) * (a, b)
            cv2.fillPoly(mask, [corners.astype(np.int32)], 255)
            if kind > 1:
                neck = (int(x - 0.3 * a), int(y - 1.5 * b), int(x + 0.3 * a), int(y))
                cv2.rectangle(mask, neck[:2], neck[2:], 255, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.7, 2.5))
        fallen = cv2.GaussianBlur(np.roll(mask, int(0.02 * height), 0), (0, 0), rng.uniform(4, 30))
        light *= 1 - np.float32(rng.uniform(0.05, 0.5)) * fallen[..., None].astype(np.float32) / 255
        if rng.random() < 0.5:
            skin = cv2.resize(cut(colour(sources.photo(rng)), rng, 0.3), (width, height))
            skin = np.asarray(skin, np.float32)
        else:
            skin = np.asarray(np.full((height, width, 3), any_colour(rng)), np.float32)
        across = np.linspace(-1, 1, width)[None, :, None] - (2 * x / width - 1)
        skin = skin * (1 - 0.8 * np.minimum(np.abs(across) * width / (2.5 * a), 1) ** 2)
        front = Image.fromarray(np.asarray(np.clip(skin, 0, 255), np.uint8))
        if rng.random() < 0.6:
            draw = ImageDraw.Draw(front)
            if rng.random() < 0.5:
                box = (x - 0.7 * a, y - 0.4 * b, x + 0.7 * a, y + 0.5 * b)
                draw.rectangle(box, (int(rng.integers(220, 256)),) * 3)
            font = sources.font(rng, max(9, int(0.3 * min(a, b))))
            draw.text((x, y), str(rng.choice(ENGLISH)).title(), pen(rng), font, anchor="mm")
        share = mask[..., None].astype(np.float32) / 255
        light = light * (1 - share) + np.asarray(front, np.float32) * share
    image = np.asarray(np.clip(light, 0, 255), np.uint8)
    return noisy(image if rng.random() < 0.85 else grey(image), rng, 8)


def faded(rng: Generator, sources: Sources) -> Pixels:
    """A very faded print, brown or yellow, spotted, on its card or a scanner's lid."""
    image = cut(sources.photo(rng), rng, 0.5)
    long = float(np.exp(rng.uniform(np.log(450), np.log(1500))))
    image = resized(image, long / max(image.shape[:2]))
    light = grey(image).astype(np.float32) / 255
    light = cv2.GaussianBlur(light, (0, 0), rng.uniform(0.5, 3))
    light = (light - light.mean()) / (light.std() + 1e-3)
    plane = rng.uniform(0.6, 0.92) + np.float32(rng.uniform(0.015, 0.12)) * light
    height, width = plane.shape
    plane = plane + rng.uniform(0, 0.03) * rough(rng, height, width, rng.uniform(80, 400))
    tone = np.array([1, rng.uniform(0.85, 0.97), rng.uniform(0.62, 0.9)])
    found = plane[..., None] * tone
    spots = np.clip(rough(rng, height, width, rng.uniform(4, 20)) - rng.uniform(2, 3.5), 0, 1)
    found = found * (1 - rng.uniform(0, 0.4) * spots[..., None])
    for _ in range(int(rng.integers(0, 4))):  # scratches
        ends = rng.uniform(0, 1, (2, 2)) * (width, height)
        a, b = ((int(v) for v in end) for end in ends)
        found = np.ascontiguousarray(found)
        cv2.line(found, tuple(a), tuple(b), (0.97, 0.95, 0.9), 1, cv2.LINE_AA)
    found = found + rng.uniform(0.002, 0.02) * rng.standard_normal((height, width, 1))
    pixels = np.asarray(np.clip(255 * found, 0, 255), np.uint8)
    if rng.random() < 0.6:
        top, low, left, right = (int(v) for v in rng.uniform(0.02, 0.16, 4) * width)
        mount = tuple(int(v) for v in 255 * rng.uniform(0.8, 1) * tone**0.5)
        sheet = Image.fromarray(bordered(pixels, (top, low, left, right), mount))
        if rng.random() < 0.3:
            font, y = sources.font(rng, max(9, low // 3)), sheet.height - 0.8 * low
            write(ImageDraw.Draw(sheet), rng, (0.3 * width, y), 0.4 * width, font, (110, 95, 75))
        pixels = np.asarray(sheet)
    if rng.random() < 0.3:
        pixels = bordered(pixels, (int(0.03 * width),) * 4, int(rng.choice([10, 240, 255])))
    return noisy(pixels if rng.random() < 0.8 else grey(pixels), rng, 6)


def stamp(rng: Generator, sources: Sources, high: int) -> Pixels:
    """A postage stamp of one colour or several, with its white perforated rim, RGB."""
    wide = max(12, int(high * rng.choice([0.75, 0.85, 1.25])))
    shot = cv2.resize(cut(colour(sources.photo(rng)), rng, 0.3), (wide, high))
    image = np.asarray(shot, np.float32)
    if rng.random() < 0.6:
        ink = np.array(any_colour(rng, 20, 190), np.float32)
        image = ink + (255 - ink) * image.mean(axis=2, keepdims=True) / 255
    sheet = Image.fromarray(np.asarray(np.clip(image, 0, 255), np.uint8))
    draw, font = ImageDraw.Draw(sheet), sources.font(rng, max(7, high // 6))
    draw.text((2, 2), f"{int(rng.integers(1, 99))}", (250,) * 3, font)
    write(draw, rng, (0.1 * wide, 0.8 * high), 0.7 * wide, font, (250,) * 3)
    rim = max(2, high // 14)
    return bordered(np.asarray(sheet), (rim,) * 4, int(rng.integers(235, 252)))


def stamps(rng: Generator, sources: Sources) -> Pixels:
    """A leaf of an album of stamps, some with a word or a frame, on white, cream or black."""
    height, width = (int(v) for v in rng.integers(500, 1300, 2))
    dark = rng.random() < 0.25
    paper = rng.uniform(0.03, 0.2, 3) if dark else np.sort(rng.uniform(0.82, 1, 3))[::-1]
    grain = 1 + rng.uniform(0.002, 0.02) * rough(rng, height, width, rng.uniform(1, 60))
    leaf = np.asarray(np.clip(255 * paper * grain[..., None], 0, 255), np.uint8)
    sheet = Image.fromarray(leaf)
    draw, ink = ImageDraw.Draw(sheet), (200,) * 3 if dark else pen(rng)
    columns, rows = int(rng.integers(2, 8)), int(rng.integers(2, 7))
    if rng.random() < 0.6:
        font = sources.font(rng, int(height * rng.uniform(0.02, 0.05)))
        draw.text((width / 2, 0.04 * height), str(rng.choice(ENGLISH)).title(), ink, font, "mm")
    if rng.random() < 0.4:
        gap = 0.015 * width
        draw.rectangle((gap, gap, width - gap, height - gap), None, ink, 2)
    small = sources.font(rng, max(8, int(0.014 * height)))
    wide, high = width / columns, 0.9 * height / rows
    size = rng.uniform(0.5, 0.9) * min(wide / 1.3, high)
    frames, words, full = rng.random() < 0.4, rng.random() < 0.5, rng.uniform(0.5, 1)
    for place in range(columns * rows):
        x, y = (place % columns + 0.5) * wide, (place // columns + 0.5) * high + 0.08 * height
        piece = stamp(rng, sources, max(16, int(size * rng.uniform(0.8, 1))))
        b, a = piece.shape[0] / 2, piece.shape[1] / 2
        if frames:
            draw.rectangle((x - a - 4, y - b - 4, x + a + 4, y + b + 4), None, ink, 1)
        if rng.random() < full:
            turned = Image.fromarray(piece).convert("RGBA").rotate(rng.normal(0, 1), expand=True)
            sheet.paste(turned, (int(x - a), int(y - b)), turned)
        if words:
            write(draw, rng, (x - a, y + b + 5), 1.8 * a, small, ink)
    image = np.asarray(sheet)
    if rng.random() < 0.4:
        return before(lit(image, rng), rng, sources, 0.4)
    return noisy(image if rng.random() < 0.85 else grey(image), rng, 10)


def shelf(rng: Generator, sources: Sources) -> Pixels:
    """Price labels on a shelf's edge under what is sold, or one of them from close by."""
    height, width = int(rng.integers(400, 900)), int(rng.integers(500, 1200))
    sheet = Image.fromarray(ground(rng, sources, height, width))
    draw, rows = ImageDraw.Draw(sheet), int(rng.integers(1, 4))
    for row in range(rows):
        low, high = (row + 1) * height / rows, height / rows
        edge, x = rng.uniform(0.2, 0.6) * high, 0.0
        while x < width:  # what is sold
            wide = rng.uniform(0.06, 0.2) * width
            box = (x, low - high, x + wide, low - edge)
            draw.rectangle(box, any_colour(rng), any_colour(rng, 0, 90))
            font = sources.font(rng, max(9, int(0.15 * wide)))
            word = str(rng.choice(ENGLISH)).title()
            draw.text((x + 0.1 * wide, low - 0.8 * high), word, any_colour(rng), font)
            x += wide * rng.uniform(1, 1.2)
        strip = int(rng.choice([30, 90, 190, 235]))
        draw.rectangle((0, low - edge, width, low), (strip,) * 3)
        x = rng.uniform(0, 0.2) * width
        while x < width:
            wide = edge * rng.uniform(1.2, 2.2)
            top, tint = low - 0.92 * edge, 255
            fill = (255, 225, 60) if rng.random() < 0.25 else (int(rng.integers(235, 256)),) * 3
            draw.rectangle((x, top, x + wide, low - 0.08 * edge), fill)
            price, tint = f"{rng.uniform(0, 99):.2f}", int(rng.integers(0, 60))
            font, small = (sources.font(rng, max(8, int(k * edge))) for k in (0.4, 0.13))
            draw.text((x + 0.1 * wide, top + 0.25 * edge), price, (tint,) * 3, font)
            write(draw, rng, (x + 0.05 * wide, top + 0.04 * edge), 0.8 * wide, small, (tint,) * 3)
            x += wide * rng.uniform(1.05, 2)
    return before(lit(np.asarray(sheet), rng), rng, sources, 0.3)


def wash(rng: Generator, sources: Sources) -> Pixels:
    """A pale watercolour with pencil lines, its paper white around it."""
    image = resized(cut(colour(sources.photo(rng)), rng, 0.6), rng.uniform(0.9, 2))
    height, width = image.shape[:2]
    soft = cv2.bilateralFilter(cv2.medianBlur(image, 7), 15, 70, 15).astype(np.float32) / 255
    pigment = (1 - soft) * np.float32(rng.uniform(0.25, 0.8))
    pool = 1 + rng.uniform(0.05, 0.3) * rough(rng, height, width, rng.uniform(8, 60))
    edge = 0.8 * rough(rng, height, width, rng.uniform(20, 80))
    y, x = np.indices((height, width), np.float32)
    away = np.minimum(np.minimum(x, width - x) / width, np.minimum(y, height - y) / height)
    inside = np.clip((away - rng.uniform(0, 0.18)) * 25 + edge, 0, 1)
    light = 1 - pigment * (pool * inside)[..., None]
    plane = grey(image)[..., 0].astype(np.float32) / 255
    lines = np.clip(plane / np.maximum(cv2.GaussianBlur(plane, (0, 0), 4), 0.02), 0, 1)
    drawn = rng.choice([0, 0.4, 0.9]) * (1 - lines) * inside
    light = light * (1 - np.clip(drawn, 0, 1)[..., None] * rng.uniform(0.5, 0.9))
    grain = 1 + rng.uniform(0.003, 0.03) * rough(rng, height, width, rng.uniform(1, 3))
    light = light * grain[..., None] * (1 - np.sort(rng.uniform(0, 0.12, 3)))
    found = np.asarray(np.clip(255 * light * shade(rng, height, width) ** 0.3, 0, 255), np.uint8)
    return noisy(found if rng.random() < 0.85 else grey(found), rng, 8)
