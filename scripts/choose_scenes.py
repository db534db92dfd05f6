"""Stone, signs, trunks and walls for `choose_set.py`: letters and lines that are no page."""

import cv2
import numpy as np
from choose_flocks import twig
from choose_images import (
    Generator,
    Pixels,
    Sources,
    colour,
    cut,
    grey,
    in_perspective,
    noisy,
    uneven_light,
)
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from imgclean.fonts import ENGLISH

Plane = NDArray[np.float32]


def carved(rng: Generator, sources: Sources) -> Pixels:
    """Letters cut into stone, wood or brass or standing out from it, plain, gilt or painted."""
    height, width = (int(v) for v in rng.integers(350, 1000, 2))
    ground = 1 + rng.uniform(0.02, 0.15) * rough(rng, height, width, rng.uniform(20, 200))
    ground = ground + rng.uniform(0.01, 0.12) * rough(rng, height, width, rng.uniform(0.6, 4))
    stone = np.sort(rng.uniform(0.25, 0.95) * rng.uniform(0.75, 1, 3))[::-1]
    letters = _inscription(rng, sources, height, width)
    edge = cv2.GaussianBlur(letters, (0, 0), rng.uniform(0.6, 3))
    down, right = np.gradient(edge)
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * down + np.sin(angle) * right
    relief = rng.uniform(0.3, 2.5) * slope + rng.uniform(-0.5, 0.2) * edge
    light = (ground + relief)[..., None] * stone
    if rng.random() < 0.3:
        paint = rng.uniform(0, 1, 3) if rng.random() < 0.5 else np.array([0.85, 0.7, 0.3])
        share = rng.uniform(0.4, 1) * letters[..., None]
        light = light * (1 - share) + share * paint * (0.8 + relief[..., None])
    image = np.clip(255 * light * shade(rng, height, width), 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        image = _in_front(image, rng, sources)
    return noisy(image if rng.random() < 0.8 else grey(image), rng, 15)


def sign(rng: Generator, sources: Sources) -> Pixels:
    """A board with a few large words or an arrow, before a street or a wood."""
    height, width = (int(v) for v in rng.integers(220, 700, 2))
    pale = rng.random() < 0.6
    fill = tuple(int(v) for v in (rng.integers(225, 256, 3) if pale else rng.integers(0, 256, 3)))
    ink = tuple(int(v) for v in (rng.integers(0, 90, 3) if sum(fill) > 380 else [245] * 3))
    board = Image.new("RGB", (width, height), fill)
    draw = ImageDraw.Draw(board)
    if rng.random() < 0.6:
        rim, gap = int(rng.integers(2, 14)), int(rng.integers(0, 16))
        edge = ink if rng.random() < 0.7 else (190, 30, 35)
        draw.rectangle((gap, gap, width - 1 - gap, height - 1 - gap), outline=edge, width=rim)
    lines = int(rng.integers(1, 6))
    size = int(0.75 * height / lines * rng.uniform(0.5, 0.95))
    for number in range(lines):
        font = sources.font(rng, max(14, size if rng.random() < 0.7 else size // 2))
        word = " ".join(str(rng.choice(ENGLISH)) for _ in range(int(rng.integers(1, 3))))
        word = word.upper() if rng.random() < 0.6 else word.title()
        y = (number + 0.5) * height / lines
        draw.text((width / 2, y), word, ink, font, anchor="mm")
    if rng.random() < 0.3:
        x, y = rng.uniform(0.1, 0.9, 2) * (width, height)
        r = rng.uniform(0.1, 0.4) * height
        draw.ellipse((x - r, y - r, x + r, y + r), outline=(200, 20, 30), width=max(3, int(r / 5)))
    image = np.asarray(board, np.float32) * shade(rng, height, width)
    if rng.random() < 0.5:
        image = image * (1 + 0.04 * rough(rng, height, width, rng.uniform(1, 30)))[..., None]
    found = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.7:  # else alone, as a closer look cuts it out
        found = _in_front(found, rng, sources)
    return noisy(found if rng.random() < 0.85 else grey(found), rng, 15)


def trunks(rng: Generator, sources: Sources) -> Pixels:
    """Trunks, posts, reeds or a fence, dark before snow, mist or sand."""
    height, width = (int(v) for v in rng.integers(350, 1000, 2))
    ground = np.linspace(rng.uniform(0.6, 1), rng.uniform(0.75, 1), height, dtype=np.float32)
    plane = ground[:, None] + rng.uniform(0.005, 0.06) * rough(rng, height, width, 60)
    plane = plane + rng.uniform(0, 0.04) * rough(rng, height, width, rng.uniform(1, 6))
    cast = rng.uniform(0.9, 1, 3) if rng.random() < 0.7 else np.ones(3)
    image = np.clip(255 * plane[..., None] * cast, 0, 255).astype(np.uint8)
    image = np.ascontiguousarray(image)
    even, thick = rng.random() < 0.3, np.exp(rng.uniform(np.log(2), np.log(0.05 * width)))
    count = int(np.exp(rng.uniform(np.log(4), np.log(70))))
    for number in range(count):
        away = rng.random() ** 2 * rng.uniform(0, 0.6)  # the further the paler and the thinner
        ink = tuple(int(v) for v in 30 + 20 * rng.random(3) + 200 * away)
        x = (number + 0.5) / count * width if even else rng.uniform(0, width)
        foot, top = rng.uniform(0.6, 1.1) * height, rng.uniform(-0.5, 0.5) * height
        wide = thick * (1 - away) * (1 if even else np.exp(rng.normal(0, 0.4)))
        steps = np.linspace(0, 1, 12)
        bend = x + np.cumsum(rng.normal(0, 0.1 * wide, 12)) + rng.normal(0, 0.03 * width) * steps
        half = 0.5 * wide * (1 - 0.5 * steps) * rng.uniform(0.85, 1.15, 12)
        down = foot + (top - foot) * steps
        left, right = np.stack([bend - half, down], 1), np.stack([bend + half, down], 1)
        shape = np.rint(8 * np.concatenate([left, right[::-1]])).astype(np.int32)
        cv2.fillPoly(image, [shape], ink, cv2.LINE_AA, 3)
        if not even and rng.random() < 0.5:
            root = np.array([bend[6], down[6]])
            twig(image, rng, root, rng.uniform(-np.pi, 0), 0.15 * height, ink)
    if rng.random() < 0.3:  # rails or wires
        for y in rng.uniform(0.3, 0.9, int(rng.integers(1, 5))) * height:
            ends = [(0, int(y)), (width, int(y + rng.normal(0, 0.1 * height)))]
            cv2.line(image, ends[0], ends[1], (60, 60, 60), int(rng.integers(1, 6)), cv2.LINE_AA)
    if rng.random() < 0.6:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.6)), np.uint8)
    return noisy(image if rng.random() < 0.6 else grey(image), rng, 12)


def wall(rng: Generator, sources: Sources) -> Pixels:
    """A grid in perspective: tiles with their joints, a front of windows, blinds, a keyboard."""
    rows, columns = (int(v) for v in np.exp(rng.uniform(np.log(3), np.log(30), 2)))
    cell = rng.uniform(14, 60, 2) * (1, rng.choice([1, 1, 2, 3]))
    high, wide = (max(200, int(n * s)) for n, s in zip((rows, columns), cell, strict=True))
    high, wide = max(high, wide // 3), max(wide, high // 3)
    pale, joint = rng.uniform(0.55, 1), rng.uniform(0.05, 0.8)
    plane = np.full((high, wide), pale, np.float32)
    kind, unlike = rng.random(), rng.uniform(0, 0.12)
    inset = rng.uniform(0.15, 0.35, 4)
    for row in range(int(high / cell[0]) + 1):
        offset = 0.5 * (row % 2) if kind < 0.25 else 0
        for column in range(-1, int(wide / cell[1]) + 1):
            top, left = round(row * cell[0]), round((column + offset) * cell[1])
            low, right = round(top + cell[0]), round(left + cell[1])
            if kind < 0.55:  # tiles
                tone = pale + unlike * rng.standard_normal()
                plane[top:low, max(left, 0) : max(right, 0)] = tone
            else:  # windows, keys
                top, low = top + int(inset[0] * cell[0]), low - int(inset[1] * cell[0])
                left, right = left + int(inset[2] * cell[1]), right - int(inset[3] * cell[1])
                tone = joint + unlike * rng.standard_normal()
                plane[top:low, max(left, 0) : max(right, 0)] = tone
    if kind < 0.55:
        thick = int(rng.integers(1, 5))
        for row in range(int(high / cell[0]) + 1):
            y = round(row * cell[0])
            plane[y : y + thick] = joint
            offset = 0.5 * (row % 2) if kind < 0.25 else 0
            for column in range(int(wide / cell[1]) + 1):
                x = round((column + offset) * cell[1])
                plane[y : round(y + cell[0]), x : x + thick] = joint
    plane = plane * (1 + rng.uniform(0, 0.08) * rough(rng, high, wide, rng.uniform(1, 40)))
    tint = rng.uniform(0.75, 1, 3) if rng.random() < 0.6 else np.ones(3)
    image = plane[..., None] * tint * shade(rng, high, wide)
    pixels = np.clip(255 * image, 0, 255).astype(np.uint8)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * (wide, high)
    outside = corners + rng.uniform(0, 0.35, (4, 2)) * (corners - np.array([wide, high]) / 2)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), outside.astype(np.float32))
    turned = cv2.warpPerspective(pixels, matrix, (wide, high), flags=cv2.INTER_AREA)
    seen = cv2.GaussianBlur(turned, (0, 0), rng.uniform(0.4, 1.5))
    return noisy(np.asarray(seen if rng.random() < 0.7 else grey(seen), np.uint8), rng, 15)


def rough(rng: Generator, height: int, width: int, period: float) -> Plane:
    """Smooth noise of unit deviation."""
    shrink = max(1.0, period / 3)
    coarse = rng.standard_normal((int(height / shrink) + 2, int(width / shrink) + 2), np.float32)
    coarse = cv2.GaussianBlur(coarse, (0, 0), period / shrink / 2)
    field = np.asarray(cv2.resize(coarse, (width, height)), np.float32)
    return np.asarray(field / (field.std() + 1e-6), np.float32)


def shade(rng: Generator, height: int, width: int) -> Plane:
    """Uneven light, H x W x 1."""
    return uneven_light(rng, height, width, rng.uniform(0.5, 1))[..., None]


def _inscription(rng: Generator, sources: Sources, height: int, width: int) -> Plane:
    """Centred lines of capitals, at times in a frame, H x W in [0, 1]."""
    sheet = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(sheet)
    if rng.random() < 0.3:
        inset = int(rng.uniform(0.02, 0.08) * width)
        frame = (inset, inset, width - inset, height - inset)
        draw.rectangle(frame, outline=255, width=int(rng.integers(2, 8)))
    size = int(np.exp(rng.uniform(np.log(18), np.log(90))))
    y, upper = rng.uniform(0.05, 0.2) * height, rng.random() < 0.7
    while y < 0.92 * height - size:
        large = int(size * rng.choice([0.6, 1, 1, 1.4]))
        font, text = sources.font(rng, large), ""
        room = rng.uniform(0.2, 0.85) * width
        while draw.textlength(text, font) < room:
            text += str(rng.choice(ENGLISH)) + " "
        text = " ".join(text.split()[:-1]) or str(int(rng.integers(1700, 2020)))
        text = text.upper() if upper else text.title()
        draw.text((width / 2, y), text, 255, font, anchor="ma")
        y += large * rng.uniform(1.2, 1.8)
    return np.asarray(sheet, np.float32) / np.float32(255)


def _in_front(board: Pixels, rng: Generator, sources: Sources) -> Pixels:
    """A board in perspective before a photo, 25 to 80 % of it."""
    height, width = board.shape[:2]
    scene = cut(colour(sources.photo(rng)), rng, 0.6)
    grown = rng.uniform(1.12, 1.9) ** 0.5
    frame = (
        int(width * grown * rng.uniform(0.9, 1.2)),
        int(height * grown * rng.uniform(0.9, 1.2)),
    )
    back = cv2.resize(scene, frame, interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.5:
        back = cv2.GaussianBlur(back, (0, 0), rng.uniform(0.5, 5))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    room = np.array(frame) - (width, height)
    shift = room * rng.uniform(0.2, 0.8, 2)
    target = corners + shift + rng.normal(0, 0.03, (4, 2)) * (width, height)
    front, mask = in_perspective(board, target, frame)
    share = mask[..., None].astype(np.float32) / 255
    return np.asarray(front * share + back * (1 - share), np.uint8)
