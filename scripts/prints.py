"""Photos as print shows them: in dots of a screen or in engraved lines, for `make_screens.py`.

What a photo denoiser must not take for noise: dots are darker and more regular than any noise is.
"""

import cv2
import numpy as np
from choose_images import Pixels, colour
from numpy.typing import NDArray

from imgclean.sheets import smooth_noise

__all__ = ["printed"]

Plane = NDArray[np.float32]
Generator = np.random.Generator
_SHARP = 3  # drawn so many times as large, then averaged, as an optic and a sensor do
# What cyan, magenta, yellow and black take of red, green and blue.
_INKS = ((0.95, 0.3, 0.05), (0.1, 0.9, 0.45), (0.02, 0.1, 0.9), (0.9, 0.9, 0.9))


def printed(photo: Pixels, rng: Generator) -> Pixels:
    """A photo, H x W x C, as a print of it is scanned; H x W x 3.

    Half are black halftones, a fifth in four inks, the others flat tones of dots with black
    outlines, as in comics, or engraved. Screens have 2.5 to 13 pixels from dot to dot.
    """
    height, width = photo.shape[:2]
    size = (width * _SHARP, height * _SHARP)
    image = colour(photo).astype(np.float32) / np.float32(255)
    if rng.random() < 0.5:  # without detail finer than the screen, as a smaller print has it
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 3))
    image = np.clip(image * np.float32(rng.uniform(0.8, 1.3)), 0, 1)
    large = np.asarray(cv2.resize(image, size), np.float32)
    period = _SHARP * float(np.exp(rng.uniform(np.log(2.5), np.log(9))))
    kind = rng.random()
    if kind < 0.5:
        result = _in_ink(_dots(_grey(large), period, rng), rng)
    elif kind < 0.7:
        result = _four_inks(large, period, rng)
    elif kind < 0.85:
        result = _flat_tones(large, 1.4 * period, rng)
    else:
        result = _in_ink(_lines(_grey(large), period, rng), rng)
    small = cv2.resize(result, (width, height), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), float(rng.uniform(0.3, 0.9)))
    paper = 1 - np.sort(rng.uniform(0, 0.25, 3)) * (rng.random() < 0.6)
    black = rng.uniform(0, 0.25)  # ink is not black, and light scatters in paper
    light = (black + (1 - black) * soft) * paper.astype(np.float32)
    return np.asarray(np.clip(np.rint(255 * light), 0, 255), np.uint8)


def _grey(image: Plane) -> Plane:
    """H x W."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)


def _screen(shape: tuple[int, ...], period: float, angle: float, rng: Generator) -> Plane:
    """Thresholds in [0, 1] of round dots on a square grid, black where tone is darker."""
    y, x = np.indices(shape[:2], np.float32)
    shift = rng.uniform(0, period, 2)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    u, v = (np.float32(a) * x + np.float32(b) * y for a, b in turn * (2 * np.pi / period))
    return np.asarray(0.5 + 0.25 * (np.cos(u + shift[0]) + np.cos(v + shift[1])), np.float32)


def _dots(tone: Plane, period: float, rng: Generator) -> Plane:
    """Share of ink, 0 or 1, of a black screen, mostly at 45 degrees."""
    angle = np.pi / 4 if rng.random() < 0.6 else float(rng.uniform(0, np.pi))
    return (_screen(tone.shape, period, angle, rng) < 1 - tone).astype(np.float32)


def _lines(tone: Plane, period: float, rng: Generator) -> Plane:
    """The same of lines that swell with the tone, bent along shapes, crossed in shade."""
    height, width = tone.shape
    y, x = np.indices(tone.shape, np.float32)
    bend = smooth_noise(rng, height // 4, width // 4, 30) * np.float32(rng.uniform(0, 6))
    bent = cv2.resize(bend, (width, height)) * period / 4
    ink = np.zeros(tone.shape, np.bool_)
    first = rng.uniform(0, np.pi)
    for number, above in enumerate((0.0, rng.uniform(0.3, 0.8))):
        angle = first + number * rng.uniform(0.5, 1.3)
        along = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)) + bent
        wave = 0.5 + 0.5 * np.cos(along * np.float32(2 * np.pi / period))
        ink |= wave < (1 - tone - above) / (1 - above)
    return ink.astype(np.float32)


def _in_ink(cover: Plane, rng: Generator) -> Plane:
    """Ink, one in five times a coloured one, on white; H x W x 3."""
    shade = rng.uniform(0, 0.5, 3) if rng.random() < 0.2 else np.zeros(3)
    return np.asarray(1 - cover[..., None] * (1 - shade.astype(np.float32)), np.float32)


def _four_inks(image: Plane, period: float, rng: Generator) -> Plane:
    """Cyan, magenta, yellow and black at their own angles, a little out of register."""
    black = 1 - image.max(axis=2)
    shares = [*(np.clip(1 - image[..., i] - 0.7 * black, 0, 1) for i in range(3)), black**1.5]
    result = np.ones_like(image)
    for share, ink, degrees in zip(shares, _INKS, (15, 75, 0, 45), strict=True):
        dots = _screen(share.shape, period, np.deg2rad(degrees), rng) < share
        away = tuple(int(v) for v in rng.integers(-2, 3, 2))
        cover = np.roll(dots, away, (0, 1))[..., None].astype(np.float32)
        result = result * (1 - cover * np.array(ink, np.float32))
    return np.asarray(result, np.float32)


def _flat_tones(image: Plane, period: float, rng: Generator) -> Plane:
    """A few flat areas, each left, filled or dotted in a colour, and black outlines."""
    levels = int(rng.integers(3, 6))
    soft = cv2.GaussianBlur(_grey(image), (0, 0), 4 * _SHARP)
    area = np.minimum((soft * levels).astype(np.int32), levels - 1)
    result = np.ones((*area.shape, 3), np.float32)
    for level in range(levels):
        ink = rng.uniform(0, 1, 3) if rng.random() < 0.6 else np.zeros(3)
        cover = np.ones(area.shape, np.float32)
        kind = rng.random()
        if kind < 0.6:
            angle = float(rng.choice([np.pi / 4, rng.uniform(0, np.pi)]))
            cover = (_screen(area.shape, period, angle, rng) < rng.uniform(0.1, 0.6)) * cover
        elif kind < 0.8:
            cover *= 0
        there = ((area == level) * cover)[..., None]
        result = result * (1 - there * (1 - ink.astype(np.float32)))
    edges = cv2.morphologyEx(area.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3)))
    wide = cv2.dilate(edges, np.ones((int(rng.integers(1, 6)) * _SHARP,) * 2, np.uint8)) > 0
    return np.asarray(result * (1 - wide[..., None].astype(np.float32)), np.float32)
