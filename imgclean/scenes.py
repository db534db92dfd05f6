"""Synthetic photographs: dead leaves, the simplest images with the statistics of natural ones."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["render_scene"]

Plane = NDArray[np.float32]


def render_scene(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Render a scene of shapes that hide each other, with sizes after a power law.

    Disks and polygons with density of radius r^-3 fall onto a smooth sky from far to near,
    each with a colour gradient and a texture; drawn at twice the size and averaged down
    (Achddou, Gousseau, Ladjal, "Synthetic images as a regularity prior", 2021; Lee, Mumford,
    Huang, "Occlusion models for natural images", 2001).

    Args:
        rng: Every choice is drawn from it.
        height: Pixels of the result.
        width: Pixels of the result.

    Returns:
        RGB, height x width x 3, uint8.
    """
    rows, columns = 2 * height, 2 * width
    scene = _sky(rng, rows, columns)
    palette = _palette(rng, 8)
    small, large = rng.uniform(10, 24), 0.4 * min(rows, columns)
    mean_square = 2 * small**2 * np.log(large / small)
    count = int(rows * columns / mean_square)  # hides nearly all of the sky
    # Inverse of the cumulative distribution of r^-3 between the two radii.
    share = rng.random(count)
    radii = (small**-2 + share * (large**-2 - small**-2)) ** -0.5
    for radius in radii:
        _leaf(scene, rng, float(radius), palette[int(rng.integers(8))])
    half = cv2.resize(scene, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(np.rint(np.clip(half, 0, 1) * 255), np.uint8)


def _palette(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Colours of one scene: mostly muted, all near one hue of light."""
    grey = rng.uniform(0.08, 0.85, (count, 1))
    light = rng.normal(0, 0.08, 3)
    own = rng.normal(0, 1, (count, 3)) * rng.exponential(0.18, (count, 1))
    return np.asarray(np.clip(grey * (1 + light + own), 0.02, 0.97))


def _sky(rng: np.random.Generator, rows: int, columns: int) -> Plane:
    """A smooth background: colour noise of very low frequency."""
    coarse = _palette(rng, 12).reshape(3, 4, 3).astype(np.float32)
    return np.asarray(
        cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC), np.float32
    )


def _leaf(
    scene: Plane, rng: np.random.Generator, radius: float, colour: NDArray[np.float64]
) -> None:
    """Cover one disk or polygon of a scene with a shaded, textured surface, in place."""
    rows, columns, _ = scene.shape
    y, x = rng.uniform(0, rows), rng.uniform(0, columns)
    outline = _outline(rng, radius) + (x, y)
    left, top = np.maximum(np.floor(outline.min(0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(outline.max(0)).astype(int) + 1, (columns, rows))
    if right <= left or bottom <= top:
        return
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(
        mask, [np.rint((outline - (left, top)) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4
    )
    shade = np.clip(colour * rng.uniform(0.5, 1.4) + rng.normal(0, 0.05, 3), 0.01, 0.98)
    surface = _surface(rng, *mask.shape) * shade.astype(np.float32)
    alpha = mask[..., None].astype(np.float32) / np.float32(255)
    place = scene[top:bottom, left:right]
    place += alpha * (surface - place)


def _outline(rng: np.random.Generator, radius: float) -> NDArray[np.float64]:
    """Corners of a polygon, or of a disk that is slightly out of round."""
    corners = int(rng.integers(3, 8)) if rng.random() < 0.4 else 40
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(0, 2 * np.pi)
    turn = rng.uniform(0, np.pi)
    wobble = 1 + rng.uniform(0, 0.15) * np.sin(angles * rng.integers(2, 6))
    if corners < 40:
        wobble = rng.uniform(0.6, 1.2, corners)
    points = np.stack([np.cos(angles), rng.uniform(0.5, 1) * np.sin(angles)], 1)
    rotate = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray((points * wobble[:, None] * radius) @ rotate)


def _surface(rng: np.random.Generator, rows: int, columns: int) -> Plane:
    """Brightness of a surface around 1, rows x columns x 1: gradient, waves or grain."""
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, columns, dtype=np.float32)[None]
    tilt = rng.uniform(-0.35, 0.35, 2).astype(np.float32)
    light = 1 + tilt[0] * y + tilt[1] * x
    kind = rng.random()
    if kind < 0.25:
        angle, pitch = rng.uniform(0, np.pi), rng.uniform(4, 30)
        along = np.cos(angle) * rows * y / 2 + np.sin(angle) * columns * x / 2
        light += np.float32(rng.uniform(0.03, 0.3)) * np.sin(along * np.float32(2 * np.pi / pitch))
    elif kind < 0.75:
        period = float(np.exp(rng.uniform(0, np.log(24))))
        knots = rng.standard_normal((int(rows / period) + 2, int(columns / period) + 2), np.float32)
        grain = cv2.resize(knots, (columns, rows), interpolation=cv2.INTER_CUBIC)
        light += np.float32(rng.uniform(0.02, 0.2)) * grain
    return np.asarray(np.clip(light, 0.05, 2)[..., None], np.float32)
