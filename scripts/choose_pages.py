"""Makers of the images of `choose_set.py` that are pages: of a generator and the sources."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from choose_images import (
    Generator,
    Pixels,
    Sources,
    bordered,
    colour,
    cut,
    dirty,
    grey,
    noisy,
    on_table,
    pasted,
    uneven_light,
    write,
)
from office_pages import office_page
from PIL import Image, ImageDraw


def page(rng: Generator, sources: Sources) -> Pixels:
    """A scanned page or a part of one, with margins, askew, on a dark bed, damaged."""
    image = cut(sources.page(int(rng.integers(150))), rng, 0.6)
    while np.mean(image < 128) < 0.015:  # nearly blank: nobody could tell
        image = cut(sources.page(int(rng.integers(150))), rng, 0.6)
    if rng.random() < 0.3:
        height, width = image.shape[:2]
        top, low = (int(v) for v in rng.uniform(0, 0.5, 2) * height)
        left, right = (int(v) for v in rng.uniform(0, 0.2, 2) * width)
        image = bordered(image, (top, low, left, right), 255)
    if rng.random() < 0.3:
        height, width = image.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.normal(0, 3)), 1)
        turned = cv2.warpAffine(image, matrix, (width, height), borderValue=(255,) * 3)
        image = np.asarray(turned, np.uint8).reshape(image.shape)
    image = dirty(image, rng)
    if rng.random() < 0.2:
        sides = tuple(int(v) for v in rng.uniform(0, 0.07, 4) * image.shape[0])
        image = bordered(image, sides, int(rng.integers(0, 90)))
    return noisy(image, rng, 30)


def receipt(rng: Generator, sources: Sources) -> Pixels:
    """A narrow slip of short lines with prices at the right."""
    width, em = int(rng.integers(220, 480)), int(rng.integers(11, 20))
    lines = int(rng.integers(12, 45))
    sheet = Image.new("L", (width, int(1.35 * em * (lines + 3))), 255)
    draw, font, ink = ImageDraw.Draw(sheet), sources.font(rng, em), int(rng.integers(0, 110))
    for line in range(lines):
        y = (line + 1.5) * 1.35 * em
        if rng.random() < 0.12:
            draw.line((10, y + em / 2, width - 10, y + em / 2), ink, 1)
            continue
        write(draw, rng, (12, y), rng.uniform(0.2, 0.6) * width, font, ink)
        if rng.random() < 0.7:
            price = f"{rng.uniform(0, 99):.2f}"
            draw.text((width - 14 - draw.textlength(price, font), y), price, ink, font)
    image = (
        colour(np.asarray(sheet)[..., None]) if rng.random() < 0.5 else np.asarray(sheet)[..., None]
    )
    return noisy(on_table(dirty(image, rng), rng, sources, 0.3), rng, 25)


def form(rng: Generator, sources: Sources) -> Pixels:
    """Boxes with small labels, some filled in, a shaded head, a stamp."""
    height, width = int(rng.integers(500, 1000)), int(rng.integers(400, 900))
    sheet = Image.new("RGB", (width, height), (255,) * 3)
    draw, em = ImageDraw.Draw(sheet), int(rng.integers(9, 16))
    small, pen = sources.font(rng, em), sources.font(rng, int(1.5 * em))
    tint = tuple(
        int(v) for v in rng.choice([(0, 0, 0), (20, 70, 40), (30, 50, 130), (140, 30, 40)])
    )
    y, shade = 20.0, int(rng.integers(190, 256))
    draw.rectangle((15, 10, width - 15, 20 + 2.5 * em), (shade,) * 3)
    write(draw, rng, (25, y), 0.5 * width, pen, tint)
    y += 4 * em
    while y < height - 4 * em:
        cells, row = int(rng.integers(1, 5)), rng.uniform(2.2, 4.5) * em
        for cell in range(cells):
            left, right = (15 + k * (width - 30) / cells for k in (cell, cell + 1))
            if rng.random() < 0.85:
                draw.rectangle((left, y, right, y + row), outline=tint, width=1)
            write(draw, rng, (left + 4, y + 2), 0.3 * (right - left), small, tint)
            if rng.random() < 0.5:
                ink = (30, 40, int(rng.integers(40, 160)))
                write(draw, rng, (left + 8, y + em), 0.4 * (right - left), pen, ink)
        y += row if rng.random() < 0.8 else row + em
    image = np.asarray(sheet)
    return noisy(
        on_table(dirty(image if rng.random() < 0.6 else grey(image), rng), rng, sources, 0.15),
        rng,
        25,
    )


def book(rng: Generator, sources: Sources) -> Pixels:
    """Two facing pages with the gutter's shadow between."""
    left, right = (sources.page(int(rng.integers(150))) for _ in range(2))
    height = min(left.shape[0], right.shape[0], 700)
    halves = [colour(cut(p, rng, 0.9))[:height] for p in (left, right)]
    height = min(half.shape[0] for half in halves)
    spread = np.concatenate([half[:height] for half in halves], axis=1)
    middle = halves[0].shape[1] + rng.normal(0, 10)
    away = np.abs(np.arange(spread.shape[1]) - middle) / rng.uniform(15, 90)
    shade = 1 - rng.uniform(0.2, 0.85) * np.exp(-away)
    image = np.asarray(dirty(spread, rng) * shade[None, :, None], np.uint8)
    image = image if rng.random() < 0.5 else grey(image)
    return noisy(on_table(image, rng, sources, 0.25), rng, 25)


def newspaper(rng: Generator, sources: Sources) -> Pixels:
    """Narrow columns of small text, a headline, one to three pictures, grey paper."""
    height, width = int(rng.integers(600, 1100)), int(rng.integers(500, 900))
    sheet = Image.new("L", (width, height), 255)
    draw, em = ImageDraw.Draw(sheet), int(rng.integers(8, 14))
    font, head = sources.font(rng, em), sources.font(rng, int(em * rng.uniform(2, 5)))
    write(draw, rng, (15, 8), 0.8 * width, head, 10)
    columns, top = int(rng.integers(2, 6)), 20 + head.size * 1.3
    wide = (width - 20) / columns
    for column in range(columns):
        y = top + rng.uniform(0, 3) * em
        while y < height - em:
            write(draw, rng, (10 + column * wide, y), wide - 12, font, int(rng.integers(0, 60)))
            y += 1.25 * em if rng.random() < 0.97 else 3 * em
    for _ in range(int(rng.integers(1, 4))):
        span, first = int(rng.integers(1, max(2, columns // 2 + 1))), int(rng.integers(columns))
        shot = grey(sources.photo(rng))[..., 0]
        size = (int(wide * min(span, columns - first)) - 8, int(rng.uniform(0.08, 0.25) * height))
        shot = np.asarray(cv2.resize(shot, size), np.uint8)
        if rng.random() < 0.5:
            rows, places = np.indices(shot.shape)
            pitch = rng.uniform(3, 6)
            dots = 127 * (
                1
                + np.sin(2.1 * (places + rows) / pitch * 1.4)
                * np.sin(2.1 * (places - rows) / pitch * 1.4)
            )
            shot = np.where(shot > dots, 245, 20).astype(np.uint8)
        sheet.paste(
            Image.fromarray(shot), (10 + int(first * wide), int(rng.uniform(top, 0.8 * height)))
        )
    image = np.asarray(sheet)[..., None]
    paper = np.array([rng.uniform(0.7, 1), rng.uniform(0.65, 0.95), rng.uniform(0.5, 0.9)])
    if rng.random() < 0.5:
        image = np.asarray(image * np.sort(paper)[::-1], np.uint8)
    return noisy(on_table(dirty(cut(image, rng, 0.6), rng), rng, sources, 0.15), rng, 25)


def scribble(
    image: Pixels, rng: Generator, lines: int, inks: Sequence[tuple[int, ...]], size: float
) -> None:
    """Handwriting-like strokes in lines, drawn into the image."""
    height, width = image.shape[:2]
    ink, thick = inks[0], max(1, round(size / 9))
    y = rng.uniform(1, 2.5) * size
    for _ in range(lines):
        x, end = rng.uniform(0.03, 0.3) * width, rng.uniform(0.4, 0.97) * width
        if rng.random() < 0.4:
            ink = inks[int(rng.integers(len(inks)))]
        while x < end:
            count = int(rng.integers(3, 10)) * 4
            steps = np.cumsum(rng.uniform(0.05, 0.25, count)) * size
            waves = np.sin(np.arange(count) * rng.uniform(1.2, 2)) * rng.uniform(0.15, 0.7, count)
            points = np.stack(
                [x + steps + 0.2 * size * rng.normal(0, 0.5, count), y + waves * size], 1
            )
            shape = np.rint(points * 8).astype(np.int32)[None]
            cv2.polylines(image, shape, False, ink, thick, cv2.LINE_AA, 3)
            x += steps[-1] + 0.5 * size
        y += rng.uniform(1.4, 3) * size
        if y > height - size:
            break


def figures(image: Pixels, rng: Generator, inks: Sequence[tuple[int, ...]], thick: int) -> None:
    """Boxes, circles and arrows, as in a sketch of a plan."""
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(0, 6))):
        ink = inks[int(rng.integers(len(inks)))]
        x, y = (int(v) for v in rng.uniform(0.05, 0.8, 2) * (width, height))
        a, b = (int(v) for v in rng.uniform(0.05, 0.2, 2) * (width, height))
        if rng.random() < 0.5:
            cv2.rectangle(image, (x, y), (x + a, y + b), ink, thick, cv2.LINE_AA)
        else:
            cv2.ellipse(image, (x, y), (a, b), 0, 0, 360, ink, thick, cv2.LINE_AA)
        cv2.arrowedLine(
            image, (x, y), (x + 2 * a, y + int(rng.normal(0, b))), ink, thick, cv2.LINE_AA
        )


def handwriting(rng: Generator, sources: Sources) -> Pixels:
    """A handwritten sheet, plain, ruled or squared."""
    height, width = int(rng.integers(400, 900)), int(rng.integers(400, 900))
    image, size = np.full((height, width, 3), 255, np.uint8), rng.uniform(10, 28)
    if rng.random() < 0.4:
        step = int(1.6 * size)
        image[step::step] = (185, 200, 235)
        if rng.random() < 0.4:
            image[:, step::step] = (185, 200, 235)
    dark = int(rng.integers(10, 110))
    inks = [(dark, dark, dark), (20, 40, 140)]
    scribble(image, rng, 60, inks[int(rng.integers(2)) :], size)
    image = dirty(image if rng.random() < 0.5 else grey(image), rng)
    return noisy(on_table(image, rng, sources, 0.2), rng, 25)


def whiteboard(rng: Generator, sources: Sources) -> Pixels:
    """Coloured pens on a glossy board in uneven light, sometimes with its frame."""
    height, width = int(rng.integers(350, 800)), int(rng.integers(500, 1100))
    image, size = np.full((height, width, 3), 255, np.uint8), rng.uniform(12, 40)
    inks = [(30, 30, 35), (25, 50, 150), (180, 30, 40), (20, 120, 60)]
    scribble(image, rng, int(rng.integers(3, 14)), inks, size)
    figures(image, rng, inks, max(1, round(size / 9)))
    light = cv2.resize(
        rng.uniform(0.5, 1, (3, 4)).astype(np.float32),
        (width, height),
        interpolation=cv2.INTER_CUBIC,
    )
    y, x = np.indices((height, width), np.float32)
    spot = np.exp(
        -((x - rng.uniform(0, width)) ** 2 + (y - rng.uniform(0, height)) ** 2)
        / (2 * rng.uniform(30, 150) ** 2)
    )
    cast = rng.uniform(0.85, 1, 3)
    board = image * (light[..., None] * cast) + spot[..., None] * rng.uniform(0, 90)
    image = np.clip(board, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        image = bordered(image, (int(rng.integers(5, 30)),) * 4, int(rng.integers(40, 200)))
    return noisy(image, rng, 25)


def angled(rng: Generator, sources: Sources) -> Pixels:
    """A sheet photographed at an angle, over 55 % of the frame, on a table."""
    kinds: list[Callable[[Generator, Sources], Pixels]] = [
        page,
        form,
        receipt,
        newspaper,
        handwriting,
    ]
    sheet = colour(kinds[int(rng.choice(5, p=[0.6, 0.12, 0.08, 0.1, 0.1]))](rng, sources))
    return photographed(sheet, rng, sources, 0.13)


def lying(rng: Generator, sources: Sources) -> Pixels:
    """A sheet of print or handwriting that fills a quarter to three quarters of the frame."""
    sheet = (page, form, handwriting)[int(rng.choice(3, p=[0.6, 0.2, 0.2]))](rng, sources)
    return photographed(colour(sheet), rng, sources, 0.28)


def photographed(sheet: Pixels, rng: Generator, sources: Sources, inset: float) -> Pixels:
    """A sheet lying askew on a table, its corners up to so far from those of the frame."""
    height, width = sheet.shape[:2]
    frame = (int(width * rng.uniform(1.0, 1.25)), int(height * rng.uniform(1.0, 1.25)))
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    moved = rng.uniform(-0.03, inset, (4, 2)) * (1 - 2 * corners)
    ground = cv2.GaussianBlur(sources.photo(rng), (0, 0), rng.uniform(0.5, 5))
    ground = np.asarray(cv2.resize(ground, frame) * rng.uniform(0.3, 1), np.uint8)
    image = pasted(sheet, (corners + moved) * frame, ground)
    light = uneven_light(rng, frame[1], frame[0], 0.55)
    return noisy(np.asarray(np.clip(image * light[..., None], 0, 255), np.uint8), rng, 20)


def office(rng: Generator, sources: Sources) -> Pixels:
    """Coloured print of an office, scanned or photographed."""
    sheet = office_page(rng, lambda size: sources.font(rng, size))
    if rng.random() < 0.25:
        return photographed(sheet, rng, sources, 0.13)
    if rng.random() < 0.3:
        return noisy(sheet, rng, 12)
    return noisy(on_table(dirty(sheet, rng), rng, sources, 0.1), rng, 20)
