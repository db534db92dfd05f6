"""Sheets on desks for `choose_set.py`: pages that are photographed with much of the table."""

import cv2
import numpy as np
from choose_images import (
    Generator,
    Pixels,
    Sources,
    colour,
    cut,
    in_perspective,
    noisy,
    uneven_light,
)
from choose_pages import form, handwriting, receipt
from numpy.typing import NDArray
from office_pages import office_page
from PIL import Image, ImageDraw

from imgclean.fonts import ENGLISH

Plane = NDArray[np.float32]


def on_desk(rng: Generator, sources: Sources) -> Pixels:
    """A sheet, a card or a note on wood, cloth or a plain desk, a fifth to all of the frame."""
    kind = rng.random()
    if kind < 0.35:
        sheet = note(rng, sources)
    elif kind < 0.5:
        sheet = colour(cut(sources.page(int(rng.integers(150))), rng, 0.7))
    elif kind < 0.75:
        sheet = office_page(rng, lambda size: sources.font(rng, size))
    else:
        sheet = colour((form, handwriting, receipt)[int(rng.integers(3))](rng, sources))
    return laid(sheet, rng)


def laid(sheet: Pixels, rng: Generator) -> Pixels:
    """A sheet on wood, cloth or a plain desk, with its shadow, a fifth to all of the frame."""
    height, width = sheet.shape[:2]
    share = rng.uniform(0.2, 0.95)
    frame = [int(side * share**-0.5 * rng.uniform(0.93, 1.1)) for side in (width, height)]
    desk = desk_top(rng, frame[1], frame[0])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    room = np.array(frame) - (width, height)
    bent = rng.normal(0, 0.025, (4, 2)) * (width, height)
    target = corners + room * rng.uniform(0.2, 0.8, 2) + bent
    lying, mask = in_perspective(sheet, target, (frame[0], frame[1]))
    cover = cv2.GaussianBlur(mask, (0, 0), 0.7).astype(np.float32)[..., None] / 255
    fallen = cv2.GaussianBlur(mask, (0, 0), rng.uniform(2, 9)).astype(np.float32)[..., None] / 255
    paper = np.sort(rng.uniform(0.72, 1, 3))[::-1] if rng.random() < 0.5 else np.ones(3)
    image = desk * (1 - rng.uniform(0, 0.5) * fallen) * (1 - cover) + lying * paper * cover
    image = image * _shadows(rng, *frame)
    seen = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.2))
    pixels = np.asarray(np.clip(seen * rng.uniform(0.6, 1.05), 0, 255), np.uint8)
    return noisy(pixels, rng, 8)


def note(rng: Generator, sources: Sources) -> Pixels:
    """A postcard, the back of a print or a slip: few lines, a stamp perhaps, much paper."""
    height, width = (int(v) for v in rng.integers(280, 800, 2))
    sheet = Image.new("RGB", (width, height), tuple(int(v) for v in rng.integers(235, 256, 3)))
    draw, size = ImageDraw.Draw(sheet), int(np.exp(rng.uniform(np.log(16), np.log(48))))
    dark = int(rng.integers(10, 120))
    ink = (dark, dark, dark) if rng.random() < 0.6 else (30, 40, int(rng.integers(90, 170)))
    blocks = [(0.06, 0.1)] if rng.random() < 0.5 else [(0.05, 0.08), (0.55, 0.45)]
    font = sources.font(rng, size)
    for left, top in blocks:
        y = (top + rng.uniform(0, 0.25)) * height
        for _ in range(int(rng.integers(1, 7))):
            count = int(rng.integers(1, 6))
            text = " ".join(str(rng.choice(ENGLISH)) for _ in range(count)).capitalize()
            draw.text((left * width, y), text, ink, font)
            y += 1.5 * size
            if y > 0.92 * height - size:
                break
    if len(blocks) > 1:
        draw.line((width / 2, 0.1 * height, width / 2, 0.9 * height), (150,) * 3, 1)
        stamp = cv2.resize(colour(sources.photo(rng)), (width // 8, height // 6))
        place = (int(0.85 * width), int(0.06 * height))
        sheet.paste(Image.fromarray(np.asarray(stamp, np.uint8)), place)
    return np.asarray(sheet)


def desk_top(rng: Generator, height: int, width: int) -> Plane:
    """Wood with its grain, cloth, or something plain, H x W x 3, 0 to 255."""
    tone = rng.uniform(0.1, 0.9) * np.sort(rng.uniform(0.55, 1, 3))[::-1]
    coarse = [rng.standard_normal((int(rng.integers(3, 9)), int(rng.integers(3, 9)))) for _ in "ab"]
    waves = [
        cv2.resize(c.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        for c in coarse
    ]
    kind = rng.random()
    if kind < 0.5:
        y, x = np.indices((height, width), np.float32)
        along = (x if rng.random() < 0.5 else y) / rng.uniform(4, 40)
        plane = 1 + rng.uniform(0.05, 0.2) * np.sin(along + rng.uniform(1, 9) * waves[0])
    elif kind < 0.75:
        fine = rng.standard_normal((height, width), np.float32)
        smooth = (rng.uniform(0.4, 3), rng.uniform(0.4, 3))
        fine = cv2.GaussianBlur(fine, (0, 0), sigmaX=smooth[0], sigmaY=smooth[1])
        plane = 1 + rng.uniform(0.02, 0.15) * fine / fine.std()
    else:
        plane = np.ones((height, width), np.float32)
    plane = plane * (1 + rng.uniform(0, 0.06) * waves[1])
    return np.asarray(255 * np.clip(plane[..., None] * tone, 0, 1), np.float32)


def _shadows(rng: Generator, width: int, height: int) -> Plane:
    """Uneven light and, half of the times, the shadow of whoever takes the picture."""
    light = uneven_light(rng, height, width, rng.uniform(0.55, 0.9))
    if rng.random() < 0.5:
        points = rng.uniform(-0.2, 1.2, (int(rng.integers(3, 6)), 2)) * (width, height)
        shape = np.zeros((height, width), np.uint8)
        hull = cv2.convexHull(points.astype(np.int32))
        cv2.fillConvexPoly(shape, hull, 255)
        soft = cv2.GaussianBlur(shape, (0, 0), rng.uniform(2, 40)).astype(np.float32) / 255
        light = light * (1 - rng.uniform(0.1, 0.5) * soft)
    return np.asarray(light[..., None], np.float32)
