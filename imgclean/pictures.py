"""The pictures of a training run: losses by epoch, noisy beside denoised, drawn images."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

__all__ = ["beside", "grid", "plot_losses", "scale"]

Array = NDArray[np.float32]
Pixels = NDArray[np.uint8]

_SIZE = (960, 600)
_FRAME = (90, 50, 930, 540)  # left, top, right, bottom of the axes
_COLOURS = ((0, 90, 180), (215, 95, 0))  # told apart by the colour-blind too
_LEAST = 96  # pixels; smaller images are shown enlarged


def beside(rows: Sequence[Sequence[Array]]) -> Pixels:
    """Rows of images, such as noisy, denoised and clean from the left; H x W x 3 uint8."""
    return _tile([[_shown(image) for image in row] for row in rows])


def grid(images: Sequence[Array]) -> Pixels:
    """Images in a square as near as can be; H x W x 3 uint8."""
    shown = [_shown(image) for image in images]
    across = math.ceil(len(shown) ** 0.5)
    return _tile([shown[k : k + across] for k in range(0, len(shown), across)])


def _shown(image: Array) -> Pixels:
    """An H x W x C image in [0, 1] as 8-bit RGB, enlarged by a whole factor if tiny."""
    factor = max(1, -(-_LEAST // max(image.shape[:2])))
    pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    pixels = np.repeat(np.repeat(pixels, factor, axis=0), factor, axis=1)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def _tile(rows: Sequence[Sequence[Pixels]]) -> Pixels:
    """Paste images of any sizes into equal cells on white, four pixels apart."""
    cells = [image for row in rows for image in row]
    height = max(image.shape[0] for image in cells) + 4
    width = max(image.shape[1] for image in cells) + 4
    sheet = np.full((height * len(rows), width * max(map(len, rows)), 3), 255, np.uint8)
    for down, row in enumerate(rows):
        for across, image in enumerate(row):
            top, left = down * height + 2, across * width + 2
            sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
    return sheet


def plot_losses(curves: Sequence[tuple[str, Sequence[float]]]) -> Pixels:
    """Curves by epoch from 1, with axes and a legend; not-a-number is left out.

    Args:
        curves: name and values of each, at most two.
    """
    image = Image.new("RGB", _SIZE, "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(16)
    known = [v for _, values in curves for v in values if math.isfinite(v)]
    low, high, ticks = scale(min(known, default=0.0), max(known, default=1.0))
    count = max(1, *(len(values) for _, values in curves))
    left, top, right, bottom = _FRAME

    def place(epoch: int, value: float) -> tuple[float, float]:
        x = left + (right - left) * (epoch - 0.5) / count
        return x, bottom - (bottom - top) * (value - low) / (high - low)

    for tick in ticks:
        y = place(1, tick)[1]
        pen.line([(left, y), (right, y)], fill=(225, 225, 225))
        pen.text((left - 8, y), f"{tick:.4g}", fill="black", font=font, anchor="rm")
    for epoch in sorted({round(1 + (count - 1) * k / 8) for k in range(9)}):
        x = place(epoch, low)[0]
        pen.text((x, bottom + 8), str(epoch), fill="black", font=font, anchor="ma")
    pen.rectangle(_FRAME, outline="black")
    pen.text(((left + right) / 2, bottom + 36), "epoch", fill="black", font=font, anchor="ma")
    for index, ((name, values), colour) in enumerate(zip(curves, _COLOURS, strict=False)):
        points = [place(k, v) for k, v in enumerate(values, start=1) if math.isfinite(v)]
        if len(points) > 1:
            pen.line(points, fill=colour, width=3, joint="curve")
        for x, y in points if len(points) <= 50 else []:
            pen.ellipse([x - 4, y - 4, x + 4, y + 4], fill=colour)
        start = left + 220 * index
        pen.line([(start, 28), (start + 30, 28)], fill=colour, width=3)
        pen.text((start + 38, 28), name, fill="black", font=font, anchor="lm")
    return np.asarray(image, np.uint8)


def scale(low: float, high: float) -> tuple[float, float, list[float]]:
    """Round limits around a range, and the round numbers between them."""
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5 * max(abs(low), 1e-3), high + 0.5 * max(abs(high), 1e-3)
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return first * step, last * step, [k * step for k in range(first, last + 1)]
