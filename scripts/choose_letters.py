"""Sheets with little on them, and print that is on no sheet, for `choose_set.py`."""

import cv2
import numpy as np
from choose_images import (
    Generator,
    Pixels,
    Sources,
    any_colour,
    askew,
    bordered,
    colour,
    dirty,
    grey,
    noisy,
    resized,
    write,
)
from choose_pages import figures, scribble
from choose_scenes import rough, shade
from PIL import Image, ImageDraw

from imgclean.fonts import ENGLISH

Ink = tuple[int, int, int]


def letter(rng: Generator, sources: Sources) -> Pixels:
    """A letter of a few lines, a title page, a certificate or an envelope, soiled or not."""
    long = int(np.exp(rng.uniform(np.log(600), np.log(1800))))
    sides = (long, int(long * rng.choice([0.71, 0.77, 0.62])))
    kinds = (_short, _short, _title, _certificate, _envelope)
    kind = kinds[int(rng.integers(len(kinds)))]
    if kind is _envelope or (kind is _certificate and rng.random() < 0.5):
        sides = sides[::-1]
    sheet = Image.new("RGB", sides[::-1], (255,) * 3)
    kind(ImageDraw.Draw(sheet), sheet, rng, sources)
    image = np.asarray(sheet)
    if rng.random() < 0.5:
        image = dirty(image, rng)
    if rng.random() < 0.75:
        image = soiled(image, rng)
    if rng.random() < 0.4:
        image = resized(image, rng.uniform(0.4, 0.9))
    return noisy(image if rng.random() < 0.8 else grey(image), rng, 15)


def _short(draw: ImageDraw.ImageDraw, sheet: Image.Image, rng: Generator, sources: Sources) -> None:
    """An address, a date, some lines, and a name or a signature."""
    width, height = sheet.size
    em = max(8.0, height * rng.uniform(0.009, 0.017))
    font, other = (sources.font(rng, int(em)) for _ in range(2))
    ink, pale = pen(rng), pen(rng, 190)
    left, y = rng.uniform(0.06, 0.15) * width, rng.uniform(0.05, 0.12) * height
    for _ in range(int(rng.integers(0, 6))):
        write(draw, rng, (left, y), rng.uniform(0.15, 0.35) * width, font, ink)
        y += 1.4 * em
    if rng.random() < 0.4:
        write(draw, rng, (0.65 * width, y), 0.2 * width, font, ink)
    y += rng.uniform(1, 6) * em
    room = rng.uniform(0.4, 0.9) * (width - 2 * left)
    for _ in range(int(rng.integers(1, 8))):
        write(draw, rng, (left, y), room, other, pale if rng.random() < 0.15 else ink)
        y += rng.uniform(1.3, 1.6) * em
    if rng.random() < 0.8:
        y += rng.uniform(1, 0.7 * max(2, (height - y) / em)) * em
        place = (rng.uniform(0.1, 0.7) * width, min(y, height - 3 * em))
        if rng.random() < 0.6:
            large = sources.font(rng, int(em * rng.uniform(1, 1.6)))
            write(draw, rng, place, 0.25 * width, large, pale)
        else:
            strokes = np.full((int(3 * em), max(40, int(0.25 * width)), 3), 255, np.uint8)
            scribble(strokes, rng, 1, [pen(rng)], 0.8 * em)
            sheet.paste(Image.fromarray(strokes), (int(place[0]), int(place[1])))


def _title(draw: ImageDraw.ImageDraw, sheet: Image.Image, rng: Generator, sources: Sources) -> None:
    """A few lines in the middle, of several sizes."""
    width, height = sheet.size
    y = rng.uniform(0.08, 0.4) * height
    for _ in range(int(rng.integers(1, 8))):
        size = max(8, int(height * np.exp(rng.uniform(np.log(0.01), np.log(0.06)))))
        words = " ".join(rng.choice(ENGLISH) for _ in range(int(rng.integers(1, 5))))
        font = sources.font(rng, size)
        draw.text((width / 2, y), words.title(), pen(rng), font, anchor="mm")
        y += rng.uniform(1.5, 5) * size
    if rng.random() < 0.3:
        draw.line((0.35 * width, y, 0.65 * width, y), pen(rng), max(1, height // 500))


def _certificate(
    draw: ImageDraw.ImageDraw, sheet: Image.Image, rng: Generator, sources: Sources
) -> None:
    """A title page in a frame, with a seal."""
    width, height = sheet.size
    frame: Ink = tuple(int(v) for v in rng.integers(0, 190, 3))  # type: ignore[assignment]  # three
    gap = rng.uniform(0.02, 0.06) * height
    for _ in range(int(rng.integers(1, 4))):
        box = (gap, gap, width - gap, height - gap)
        draw.rectangle(box, outline=frame, width=max(1, int(rng.uniform(0.001, 0.008) * height)))
        gap += rng.uniform(0.006, 0.02) * height
    _title(draw, sheet, rng, sources)
    if rng.random() < 0.7:
        seal: Ink = (int(rng.integers(120, 230)), int(rng.integers(10, 170)), 40)
        x, y, r = *rng.uniform(0.2, 0.85, 2) * (width, height), rng.uniform(0.03, 0.1) * height
        filled = seal if rng.random() < 0.6 else None
        draw.ellipse((x - r, y - r, x + r, y + r), filled, seal, max(2, int(r / 8)))


def _envelope(
    draw: ImageDraw.ImageDraw, sheet: Image.Image, rng: Generator, sources: Sources
) -> None:
    """An address in the middle, a stamp in the corner."""
    width, height = sheet.size
    em = height * rng.uniform(0.02, 0.05)
    font, ink, y = sources.font(rng, int(em)), pen(rng), rng.uniform(0.35, 0.55) * height
    for _ in range(int(rng.integers(2, 5))):
        write(draw, rng, (0.4 * width, y), rng.uniform(0.2, 0.45) * width, font, ink)
        y += 1.4 * em
    if rng.random() < 0.7:
        size = tuple(int(v * height) for v in rng.uniform(0.1, 0.2, 2))
        shot = cv2.resize(colour(sources.photo(rng)), size)
        corner = (width - int(1.3 * size[0]), int(0.3 * size[1]))
        sheet.paste(Image.fromarray(np.asarray(shot, np.uint8)), corner)
    if rng.random() < 0.5:
        write(draw, rng, (0.04 * width, 0.05 * height), 0.2 * width, font, ink)


def pen(rng: Generator, lightest: int = 110) -> Ink:
    """Mostly black or grey, at times blue or another colour."""
    if rng.random() < 0.8:
        return (int(rng.integers(0, lightest)),) * 3
    return any_colour(rng, 0, 160)


def soiled(image: Pixels, rng: Generator) -> Pixels:
    """On cream or grey paper, with soft clouds, discs and rings."""
    height, width = image.shape[:2]
    light = image.astype(np.float32) * np.sort(rng.uniform(0.78, 1, 3))[::-1].astype(np.float32)
    if rng.random() < 0.7:
        cloud = rough(rng, height, width, rng.uniform(0.02, 0.2) * width)
        cloud = np.clip(cloud - rng.uniform(-0.5, 1.5), 0, 2)[..., None]
        light *= 1 - np.float32(rng.uniform(0.05, 0.35)) * cloud
    for _ in range(int(rng.integers(0, 5))):
        mask, radius = np.zeros((height, width), np.float32), rng.uniform(0.05, 0.25) * width
        place = tuple(int(v) for v in rng.uniform(0, 1, 2) * (width, height))
        thick = -1 if rng.random() < 0.6 else max(2, int(radius * rng.uniform(0.02, 0.1)))
        cv2.circle(mask, place, int(radius), (1.0,), thick)
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.7, 12)), np.float32)
        tint = rng.uniform(0.02, 0.3) * np.array([0.4, 0.7, 1])
        light *= 1 - mask[..., None] * tint.astype(np.float32)
    grain = rng.uniform(0, 6) * rng.standard_normal((height, width, 1), np.float32)
    return np.asarray(np.clip(light + grain, 0, 255), np.uint8)


def board(rng: Generator, sources: Sources) -> Pixels:
    """A whiteboard with few words and figures, in light that falls off and glares."""
    height, width = (int(v) for v in (rng.integers(400, 1100), rng.integers(600, 1500)))
    inks: list[Ink] = [(30, 30, 35), (40, 70, 190), (200, 50, 60), (40, 140, 80)]
    image = np.full((height, width, 3), 255, np.uint8)
    figures(image, rng, inks, int(rng.integers(2, 7)))
    sheet = Image.fromarray(image)
    draw = ImageDraw.Draw(sheet)
    for _ in range(int(rng.integers(3, 12))):
        font = sources.font(rng, int(height * rng.uniform(0.03, 0.08)))
        x, y = rng.uniform(0.03, 0.7, 2) * (width, height)
        write(draw, rng, (x, y), 0.4 * width, font, inks[int(rng.integers(4))])
    light = 0.75 + 0.2 * rough(rng, height, width, rng.uniform(0.2, 0.6) * width)
    lit = np.asarray(sheet) * np.clip(light, 0.35, 1.1)[..., None] * rng.uniform(0.85, 1, 3)
    return noisy(np.asarray(np.clip(lit, 0, 255), np.uint8), rng, 15)


def cloth(rng: Generator, sources: Sources) -> Pixels:
    """Cloth in folds with a few printed words or a figure: a shirt, a bag, a flag."""
    height, width = (int(v) for v in rng.integers(400, 1100, 2))
    fill = rng.uniform(0.75, 1, 3) if rng.random() < 0.5 else rng.uniform(0.05, 1, 3)
    ink = rng.uniform(0, 0.4, 3) if fill.mean() > 0.5 else rng.uniform(0.6, 1, 3)
    sheet = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(sheet)
    y = rng.uniform(0.1, 0.4) * height
    for _ in range(int(rng.integers(1, 5))):
        size = int(height * rng.uniform(0.05, 0.2))
        word = str(rng.choice(ENGLISH)).upper() if rng.random() < 0.6 else str(rng.choice(ENGLISH))
        draw.text((width / 2, y), word, 255, sources.font(rng, size), anchor="mm")
        y += 1.2 * size
    if rng.random() < 0.5:
        x, r = rng.uniform(0.3, 0.7) * width, rng.uniform(0.05, 0.2) * height
        draw.ellipse((x - r, y, x + r, y + 2 * r), 255 if rng.random() < 0.5 else None, 255, 6)
    print_ = np.asarray(sheet, np.float32)[..., None] / 255
    bend = [rng.uniform(2, 12) * rough(rng, height, width, rng.uniform(30, 120)) for _ in "xy"]
    rows, columns = np.indices((height, width), np.float32)
    print_ = cv2.remap(print_, columns + bend[0], rows + bend[1], cv2.INTER_LINEAR)[..., None]
    weave = np.sin(rows * rng.uniform(0.8, 3)) * np.sin(columns * rng.uniform(0.8, 3))
    image = fill * (1 - print_) + ink * print_
    folds = rng.uniform(0.06, 0.25) * rough(rng, height, width, rng.uniform(20, 200))
    thread = rng.uniform(0.01, 0.06) * (weave + rough(rng, height, width, 0.8))
    image = image * (1 + folds + thread)[..., None] * shade(rng, height, width)
    found = np.asarray(np.clip(255 * image, 0, 255), np.uint8)
    return noisy(found if rng.random() < 0.85 else grey(found), rng, 15)


_SEGMENTS = [
    "1110111",
    "0010010",
    "1011101",
    "1011011",
    "0111010",
    "1101011",
    "1101111",
    "1010010",
    "1111111",
    "1111011",
]
_LINES = ((0, 0, 1, 0), (0, 0, 0, 1), (1, 0, 1, 1), (0, 1, 1, 1), (0, 1, 0, 2), (1, 1, 1, 2),
          (0, 2, 1, 2))  # fmt: skip


def display(rng: Generator, sources: Sources) -> Pixels:
    """Digits of seven segments on a meter, a clock or a till, dark or shining, in a frame."""
    height, width = int(rng.integers(250, 700)), int(rng.integers(400, 1100))
    lit = rng.random() < 0.4
    ground = (
        rng.uniform(0.02, 0.15, 3) if lit else np.array([0.6, 0.7, 0.55]) * rng.uniform(0.7, 1.3)
    )
    ink = rng.uniform(0.2, 1, 3) if lit else rng.uniform(0.02, 0.25, 3)
    image = np.ones((height, width, 3)) * ground
    off = np.zeros((height, width), np.float32)
    on = off.copy()
    lines = int(rng.integers(1, 3))
    high = rng.uniform(0.4, 0.8) * height / lines
    for line in range(lines):
        x, step = rng.uniform(0.03, 0.3) * width, 0.75 * high
        top = (line + 0.5) * height / lines - high / 2
        while x < width - step:
            digit = _SEGMENTS[int(rng.integers(10))]
            for on_, (x1, y1, x2, y2) in zip(digit, _LINES, strict=True):
                ends = [(x + a * 0.5 * high - 0.1 * b * high, top + b * high / 2)
                        for a, b in ((x1, y1), (x2, y2))]  # fmt: skip
                (a, b), (c, d) = ((int(8 * v) for v in end) for end in ends)
                plane = on if on_ == "1" else off
                cv2.line(plane, (a, b), (c, d), (1.0,), max(2, int(high / 12)), cv2.LINE_AA, 3)
            x += step
    image = image * (1 - on[..., None]) + ink * on[..., None]
    image = image + rng.uniform(0, 0.12) * (ink - image) * off[..., None]
    image = image * shade(rng, height, width) + rng.uniform(0, 0.01) * rng.standard_normal(
        (height, width, 1)
    )
    found = np.asarray(np.clip(255 * image, 0, 255), np.uint8)
    if rng.random() < 0.7:
        sides = (int(rng.uniform(0.03, 0.25) * height),) * 4
        found = bordered(found, sides, tuple(int(v) for v in rng.integers(10, 240, 3)))
    found = np.asarray(cv2.GaussianBlur(found, (0, 0), rng.uniform(0.4, 1.5)), np.uint8)
    return noisy(found if rng.random() < 0.85 else grey(found), rng, 12)


def spines(rng: Generator, sources: Sources) -> Pixels:
    """A shelf of books, records or folders: their backs side by side, with their titles."""
    height, width = int(rng.integers(350, 900)), int(rng.integers(500, 1300))
    image, x = Image.new("RGB", (width, height), (int(rng.integers(10, 60)),) * 3), 0.0
    pale, draw = rng.random() < 0.4, ImageDraw.Draw(image)
    while x < width:
        wide = rng.uniform(0.03, 0.12) * height
        fill = rng.integers(190, 256, 3) if pale or rng.random() < 0.3 else rng.integers(10, 230, 3)
        top = rng.uniform(0, 0.2) * height
        draw.rectangle((x, top, x + wide, height), tuple(int(v) for v in fill))
        back: Ink = (20, 20, 30) if fill.mean() > 130 else (235, 225, 190)
        title = Image.new(
            "RGB", (int(height - top), max(8, int(wide))), tuple(int(v) for v in fill)
        )
        font = sources.font(rng, max(8, int(wide * rng.uniform(0.3, 0.6))))
        write(ImageDraw.Draw(title), rng, (0.1 * height, 0.25 * wide), 0.6 * height, font, back)
        image.paste(title.rotate(rng.choice([90, 270]), expand=True), (int(x), int(top)))
        for y in rng.uniform(top, height, int(rng.integers(0, 4))):
            draw.line((x, y, x + wide, y), back, int(rng.integers(1, 6)))
        draw.line((x, top, x, height), (15, 15, 15), int(rng.integers(1, 4)))
        x += wide + rng.uniform(0, 4)
    found = np.asarray(image) * (1 + 0.04 * rough(rng, height, width, 2.0))[..., None]
    found = np.asarray(np.clip(found * shade(rng, height, width), 0, 255), np.uint8)
    return noisy(found if rng.random() < 0.85 else grey(found), rng, 15)


def album(rng: Generator, sources: Sources) -> Pixels:
    """A leaf of an album, or a scanner's lid, with a few prints and perhaps their captions."""
    height, width = (int(v) for v in rng.integers(600, 1500, 2))
    paper = rng.uniform(0.75, 1) * np.sort(rng.uniform(0.8, 1, 3))[::-1]
    if rng.random() < 0.2:
        paper = paper * rng.uniform(0.1, 0.6)
    leaf = np.ones((height, width, 3), np.float32) * paper.astype(np.float32)
    leaf *= 1 + (rng.uniform(0, 0.03) * rough(rng, height, width, rng.uniform(1, 100)))[..., None]
    image = np.asarray(np.clip(255 * leaf, 0, 255), np.uint8)
    sheet = Image.fromarray(image)
    draw, captions = ImageDraw.Draw(sheet), rng.random() < 0.7
    columns, rows = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    faded, size = rng.random(), rng.uniform(0.45, 0.85)
    font, ink = sources.font(rng, int(height * rng.uniform(0.015, 0.04))), pen(rng)
    for place in range(columns * rows):
        if place and rng.random() < 0.15:
            continue
        x, y = (place % columns + 0.5) * width / columns, (place // columns + 0.5) * height / rows
        print_ = mounted(rng, sources, size * width / columns, size * 0.8 * height / rows, faded)
        turned = askew(print_, rng.normal(0, 2))
        sheet.paste(turned, (int(x - turned.width / 2), int(y - turned.height / 2)), turned)
        if captions and rng.random() < 0.8:
            below = (x - 0.3 * width / columns, y + turned.height / 2 + 0.3 * font.size)
            write(draw, rng, below, rng.uniform(0.2, 0.6) * width / columns, font, ink)
    found = np.asarray(sheet, np.float32)
    if rng.random() < 0.4:
        found = found * shade(rng, height, width)
    return noisy(np.asarray(np.clip(found, 0, 255), np.uint8), rng, 15)


def mounted(rng: Generator, sources: Sources, width: float, height: float, faded: float) -> Pixels:
    """One with a border or none, in colour, in grey or in sepia, that fits so many pixels."""
    shot = colour(sources.photo(rng))
    shot = resized(shot, min(width / shot.shape[1], height / shot.shape[0]))
    light = shot.astype(np.float32) / 255
    if faded < 0.6:
        light = np.repeat(light.mean(axis=2, keepdims=True), 3, axis=2)
    if faded < 0.4:
        light = (0.15 + 0.8 * light) * np.array([1, 0.9, 0.72], np.float32)
    shot = np.asarray(np.clip(255 * light, 0, 255), np.uint8)
    rim = int(rng.choice([0, 0.02, 0.05]) * shot.shape[0])
    return bordered(shot, (rim,) * 4, int(rng.integers(215, 256)))
