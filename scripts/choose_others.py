"""Makers of the images of `choose_set.py` that are no pages: of a generator and the sources."""

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
    resized,
    toned,
    uneven_light,
    write,
)
from choose_pages import page
from numpy.typing import NDArray
from office_pages import poster
from PIL import Image, ImageDraw

from imgclean.fonts import ENGLISH
from imgclean.scenes import render_scene


def leaflet(rng: Generator, sources: Sources) -> Pixels:
    """A poster, a cover, a slide or a comic, as it is or scanned."""
    shot = colour(sources.photo(rng))
    image = poster(rng, lambda size: sources.font(rng, size), shot)
    return noisy(dirty(image, rng) if rng.random() < 0.4 else toned(image, rng), rng, 15)


def varied(image: Pixels, rng: Generator) -> Pixels:
    """One variation of a photo: cut, scaled, grey, on white, toned, blurred, noisy."""
    if rng.random() < 0.4:
        image = cut(image, rng, 0.3 if rng.random() < 0.75 else 0.08)
    image = resized(image, float(np.exp(rng.uniform(np.log(0.5), np.log(2)))))
    if rng.random() < 0.25:
        image = grey(image)
    if rng.random() < 0.15:
        image = on_white(image, rng)
    image = toned(image, rng)
    if rng.random() < 0.2:
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 4)).reshape(image.shape)
        image = np.asarray(soft, np.uint8)
    return noisy(image, rng, 50)


def old_print(rng: Generator, sources: Sources) -> Pixels:
    """A scanned print, soft and large, mostly black and white, many with a border of paper."""
    image = cut(sources.photo(rng), rng, 0.5)
    longer = float(np.exp(rng.uniform(np.log(400), np.log(1600))))
    image = resized(image, longer / max(image.shape[:2]))
    if rng.random() < 0.75:
        image = grey(image)
    image = toned(image, rng)
    if rng.random() < 0.6:
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.5)).reshape(image.shape)
        image = np.asarray(soft, np.uint8)
    if rng.random() < 0.4:
        wide = [round(float(side)) for side in rng.uniform(0.02, 0.1, 2) * longer]
        image = bordered(image, (wide[0], wide[0], wide[1], wide[1]), int(rng.integers(200, 256)))
    light = image.astype(np.float32)
    if rng.random() < 0.7:  # grain
        shape = (*image.shape[:2], image.shape[2] if rng.random() < 0.3 else 1)
        grain = rng.standard_normal(shape, np.float32)
        if rng.random() < 0.5:
            grain = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.5, 1.5)).reshape(shape)
        light += np.float32(np.exp(rng.uniform(0, np.log(20)))) / grain.std() * grain
    if image.shape[2] == 3 or rng.random() < 0.2:  # yellowed
        light = light * np.array([1, rng.uniform(0.9, 1), rng.uniform(0.75, 1)], np.float32)
    pixels = np.clip(np.rint(light), 0, 255).astype(np.uint8)
    return noisy(pixels, rng, 3) if rng.random() < 0.5 else pixels


def on_white(image: Pixels, rng: Generator) -> Pixels:
    """A part of the photo as an object on a nearly white ground."""
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for _ in range(int(rng.integers(1, 6))):
        centre = (int(rng.uniform(0.2, 0.8) * width), int(rng.uniform(0.2, 0.8) * height))
        axes = (int(rng.uniform(0.03, 0.3) * width), int(rng.uniform(0.03, 0.3) * height))
        cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 6)).astype(np.float32)[..., None] / 255
    ground = np.float32(rng.uniform(215, 256))
    return np.asarray(np.clip(image * soft + ground * (1 - soft), 0, 255), np.uint8)


def text_photo(rng: Generator, sources: Sources) -> Pixels:
    """A photo with a caption, signs, or a page lying in it that fills under a fifth."""
    image = colour(sources.photo(rng)).copy()
    height, width = image.shape[:2]
    if rng.random() < 0.4:
        sheet = colour(page(rng, sources))
        factor = (
            rng.uniform(0.03, 0.2) * height * width / (sheet.shape[0] * sheet.shape[1])
        ) ** 0.5
        sheet = resized(
            sheet, min(factor, 0.8 * height / sheet.shape[0], 0.8 * width / sheet.shape[1])
        )
        top = int(rng.integers(max(1, height - sheet.shape[0])))
        left = int(rng.integers(max(1, width - sheet.shape[1])))
        place = image[top : top + sheet.shape[0], left : left + sheet.shape[1]]
        place[:] = sheet[: place.shape[0], : place.shape[1]]
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(1, 6))):
        x, y = rng.uniform(0, 0.8, 2) * (width, height)
        size, room = int(rng.uniform(0.03, 0.12) * height) + 8, rng.uniform(0.1, 0.6) * width
        ink = tuple(int(v) for v in rng.integers(0, 256, 3))
        if rng.random() < 0.4:
            draw.rectangle(
                (x - 5, y - 5, x + room + 15, y + 1.3 * size), tuple(255 - v for v in ink)
            )
        write(draw, rng, (x, y), room, sources.font(rng, size), ink)
    image = toned(np.asarray(canvas), rng)
    return noisy(image if rng.random() < 0.8 else grey(image), rng, 40)


def screenshot(rng: Generator, sources: Sources) -> Pixels:
    """A desktop or an application, two in five of them noisy."""
    sheet = plain_screenshot(rng, sources)
    return noisy(sheet, rng, 8) if rng.random() < 0.4 else sheet


def plain_screenshot(rng: Generator, sources: Sources) -> Pixels:
    """Bars, panels, icons, pictures, text, light or dark."""
    height, width = int(rng.integers(400, 1000)), int(rng.integers(500, 1300))
    dark = bool(rng.random() < 0.4)
    back = int(rng.integers(15, 60) if dark else rng.integers(215, 250))
    sheet = Image.new(
        "RGB", (width, height), (back, back, min(255, back + int(rng.integers(0, 12))))
    )
    draw, accent = ImageDraw.Draw(sheet), tuple(int(v) for v in rng.integers(20, 230, 3))
    ink = (225,) * 3 if dark else (40,) * 3
    bar, side = int(rng.uniform(0.05, 0.15) * height), int(rng.uniform(0.1, 0.3) * width)
    draw.rectangle((0, 0, width, bar), accent)
    draw.rectangle((0, bar, side, height), tuple(int(v) for v in rng.integers(30, 235, 3)))
    font = sources.font(rng, int(rng.integers(10, 18)))
    y = bar + 12.0
    while y < height - 20:
        write(draw, rng, (10, y), 0.5 * side, font, ink)
        y += 2.2 * font.size
    x, y = side + 15.0, bar + 15.0
    for _ in range(int(rng.integers(2, 6))):
        wide, high = rng.uniform(0.25, 0.7) * (width - side), rng.uniform(0.12, 0.4) * height
        kind = rng.random()
        if kind < 0.45:
            shot = cv2.resize(colour(sources.photo(rng)), (int(wide), int(high)))
            sheet.paste(Image.fromarray(np.asarray(shot, np.uint8)), (int(x), int(y)))
        elif kind < 0.8:
            line = y
            while line < y + high:
                write(draw, rng, (x, line), wide - 20, font, ink)
                line += 1.6 * font.size
        else:
            for _ in range(int(rng.integers(3, 12))):
                px, py = x + rng.uniform(0, wide), y + rng.uniform(0, high)
                fill = tuple(int(v) for v in rng.integers(0, 256, 3))
                draw.rounded_rectangle((px, py, px + 40, py + 30), 6, fill)
        x += wide + 15
        if x > width - 0.2 * (width - side):
            x, y = side + 15.0, y + high + 15
    return np.asarray(sheet)


def drawing(rng: Generator, sources: Sources) -> Pixels:
    """A pencil drawing with its shades, or a flat painting with outlines."""
    image = colour(sources.photo(rng))
    if rng.random() < 0.5:
        plane = grey(image)[..., 0].astype(np.float32)
        soft = cv2.GaussianBlur(255 - plane, (0, 0), rng.uniform(4, 20))
        sketch = np.clip(plane * 255 / np.maximum(256 - soft, 1), 0, 255)
        sketch = 255 - (255 - sketch) * np.float32(rng.uniform(0.7, 1.5))
        shade = np.float32(rng.uniform(0.25, 0.6)) * (255 - cv2.GaussianBlur(plane, (0, 0), 3))
        grain = 1 + 0.15 * rng.standard_normal(plane.shape)
        image = np.clip(sketch - shade * grain, 0, 255).astype(np.uint8)[..., None]
        return noisy(image, rng, 12)
    return noisy(flat_painting(image, rng), rng, 12)


def sketch(rng: Generator, sources: Sources) -> Pixels:
    """A pencil drawing whose shades are lines, on the paper it was drawn on."""
    plane = grey(resized(cut(sources.photo(rng), rng, 0.6), rng.uniform(0.8, 2.2)))[..., 0]
    light = plane.astype(np.float32) / 255
    reach = rng.uniform(2, 15)
    lines = np.clip(light / np.maximum(cv2.GaussianBlur(light, (0, 0), reach), 0.02), 0, 1)
    shade = (1 - light) * np.float32(rng.choice([0, 0.1, 0.25]))
    depth = np.float32(rng.uniform(0.4, 1)) * (1 - lines) + shade
    if rng.random() < 0.3:  # hatched
        rows, columns = np.indices(plane.shape, np.float32)
        stripes = np.sin((columns + rng.uniform(-1, 1) * rows) * rng.uniform(0.7, 2)) > 0.3
        depth += 0.4 * stripes * np.clip(0.7 - light, 0, 1)
    pencil = np.array([rng.uniform(0.1, 0.5)] * 3, np.float32)
    if rng.random() < 0.25:  # sanguine, blue
        pencil = rng.uniform(0.1, 0.6, 3).astype(np.float32)
    return on_paper(1 - depth[..., None].clip(0, 1) * (1 - pencil), rng)


def on_paper(light: NDArray[np.float32], rng: Generator) -> Pixels:
    """Print or pencil, H x W x 3 in [0, 1], on white, tinted or rough paper, scanned."""
    if rng.random() < 0.7:
        light = light * (1 - np.sort(rng.uniform(0, 0.18, 3))).astype(np.float32)
    rough = rng.standard_normal(light.shape[:2], np.float32)
    rough = cv2.GaussianBlur(rough, (0, 0), rng.uniform(0.6, 4))
    light = light * (1 + np.float32(rng.uniform(0, 0.03)) * rough / rough.std())[..., None]
    if rng.random() < 0.4:
        light = light * uneven_light(rng, light.shape[0], light.shape[1], 0.8)[..., None]
    image = np.clip(np.rint(light * 255), 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        image = bordered(image, (int(rng.integers(5, 50)),) * 4, int(rng.integers(0, 256)))
    return noisy(image if rng.random() < 0.75 else grey(image), rng, 10)


def coloured_map(rng: Generator, sources: Sources) -> Pixels:
    """Pale areas, contour lines, rivers, roads with edges, a grid and names, in colour."""
    height, width = (int(v) for v in rng.integers(450, 1300, 2))
    size, coarse = (width, height), (int(rng.integers(3, 9)), int(rng.integers(3, 9)))
    fields = [
        cv2.resize(rng.standard_normal(coarse, np.float32), size, interpolation=cv2.INTER_CUBIC)
        for _ in range(3)
    ]
    image = np.full((height, width, 3), 255, np.uint8)
    tints = [(205, 228, 190), (185, 215, 238), (250, 240, 190), (240, 205, 190), (225, 225, 225)]
    for field in fields:
        image[field > rng.uniform(0, 1)] = tints[int(rng.integers(len(tints)))]
    ink = (int(rng.integers(120, 200)), int(rng.integers(80, 140)), int(rng.integers(40, 100)))
    if rng.random() < 0.6:
        for level in np.arange(-2, 2, rng.uniform(0.12, 0.4)):
            around = cv2.findContours(
                (fields[0] > level).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE
            )[0]
            cv2.polylines(image, around, True, ink, 1, cv2.LINE_AA)
    for _ in range(int(rng.integers(3, 18))):
        points = rng.uniform(0, 1, (int(rng.integers(2, 6)), 2)) * size
        shape, wide = [points.astype(np.int32)], int(rng.integers(2, 9))
        if rng.random() < 0.3:
            cv2.polylines(image, shape, False, (90, 150, 215), wide // 2 + 1, cv2.LINE_AA)
            continue
        fill = [(255, 240, 150), (240, 130, 110), (255, 255, 255)][int(rng.integers(3))]
        cv2.polylines(image, shape, False, (110, 100, 95), wide + 2, cv2.LINE_AA)
        cv2.polylines(image, shape, False, fill, wide, cv2.LINE_AA)
    if rng.random() < 0.4:
        step = int(rng.integers(60, 250))
        image[step::step] = image[:, step::step] = (150, 175, 205)
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(5, 60))):
        x, y = rng.uniform(0, 0.9, 2) * size
        font = sources.font(rng, int(rng.integers(9, 30)))
        draw.text((x, y), str(rng.choice(ENGLISH)).title(), (int(rng.integers(0, 90)),) * 3, font)
    return on_paper(np.asarray(canvas).astype(np.float32) / np.float32(255), rng)


def graphic(rng: Generator, sources: Sources) -> Pixels:
    """A sketch or a map on its paper."""
    return (sketch if rng.random() < 0.5 else coloured_map)(rng, sources)


def flat_painting(image: Pixels, rng: Generator) -> Pixels:
    """A photo in a few flat colours with dark outlines."""
    flat = cv2.bilateralFilter(cv2.medianBlur(image, 5), 9, 60, 9)
    levels = int(rng.integers(3, 8))
    flat = np.asarray(flat // (256 // levels) * (255 // max(1, levels - 1)), np.uint8)
    edges = cv2.Canny(cv2.medianBlur(image, 7), 60, 140)
    flat[cv2.dilate(edges, np.ones((2, 2), np.uint8)) > 0] = 20
    return flat


def texture(rng: Generator, sources: Sources) -> Pixels:
    """Bricks, a fence, cloth, plaster or bark: much detail, nothing to read."""
    height, width = int(rng.integers(250, 800)), int(rng.integers(250, 800))
    y, x = np.indices((height, width), np.float32)
    a, b = rng.uniform(8, 60, 2)
    kind = rng.integers(4)
    if kind == 0:
        row = np.floor(y / a)
        plane = 0.7 - 0.5 * (((y % a) < 0.12 * a) | (((x + row % 2 * b) % (2 * b)) < 0.1 * a))
    elif kind == 1:
        plane = 0.5 + 0.35 * np.sin(2 * np.pi * x / a) * np.sign(
            np.sin(2 * np.pi * y / b) + rng.uniform(0, 1.5)
        )
    elif kind == 2:
        fine = rng.standard_normal((height, width)).astype(np.float32)
        fine = cv2.GaussianBlur(fine, (0, 0), rng.uniform(0.5, 6), sigmaY=rng.uniform(0.5, 6))
        plane = rng.uniform(0.4, 0.9) + rng.uniform(0.03, 0.2) * fine / fine.std()
    else:
        plane = 0.5 + 0.4 * np.sin(2 * np.pi * x / a) * np.sin(2 * np.pi * y / b)
    rough = cv2.resize(
        rng.standard_normal((12, 12)).astype(np.float32),
        (width, height),
        interpolation=cv2.INTER_CUBIC,
    )
    grain = rng.standard_normal((height, width)).astype(np.float32)
    plane = plane + rng.uniform(0.02, 0.12) * rough + rng.uniform(0, 0.08) * grain
    tint = rng.uniform(0.5, 1, 3)
    image = np.clip(plane[..., None] * tint * 255, 0, 255).astype(np.uint8)
    return noisy(image if rng.random() < 0.6 else grey(image), rng, 30)


def scene(rng: Generator, sources: Sources) -> Pixels:
    """A synthetic scene of the project's own."""
    height, width = (int(v) for v in rng.integers(200, 600, 2))
    return varied(render_scene(rng, height, width), rng)


def flat(rng: Generator, sources: Sources) -> Pixels:
    """Flat, a gradient, or a few large coloured shapes."""
    height, width = (int(v) for v in rng.integers(60, 900, 2))
    image = np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
    if rng.random() < 0.3:
        ramp = np.linspace(rng.uniform(0, 255), rng.uniform(0, 255), width)
        image = np.broadcast_to(ramp[None, :, None], image.shape).astype(np.uint8).copy()
    for _ in range(int(rng.integers(0, 6))):
        points = rng.uniform(0, 1, (int(rng.integers(3, 7)), 2)) * (width, height)
        fill = tuple(int(v) for v in rng.integers(0, 256, 3))
        cv2.fillPoly(image, [points.astype(np.int32)], fill, cv2.LINE_AA)
    return noisy(image, rng, 50)
