"""Birds, wires and twigs before a sky for `choose_set.py`: dark marks that make no page."""

import cv2
import numpy as np
from choose_images import Generator, Pixels, Sources, colour, cut, grey, noisy
from numpy.typing import NDArray


def flock(rng: Generator, sources: Sources) -> Pixels:
    """Birds, or balloons, kites and boats, or wires or twigs, dark against a sky or a sea."""
    height, width = (int(v) for v in rng.integers(300, 1100, 2))
    sky = np.linspace(rng.uniform(0.3, 1), rng.uniform(0.3, 1), height)[:, None, None]
    sky = np.repeat(sky * rng.uniform(0.6, 1, 3) ** rng.uniform(0, 1), width, axis=1)
    if rng.random() < 0.6:  # clouds: a photo out of focus, or drawn ones
        cloud = cv2.resize(colour(sources.photo(rng)), (width, height))
        cloud = cv2.GaussianBlur(cloud, (0, 0), rng.uniform(4, 60)).astype(np.float64) / 255
        sky += rng.uniform(0.1, 0.8) * (cloud - sky)
    image = np.ascontiguousarray(np.clip(255 * sky, 0, 255).astype(np.uint8))
    if rng.random() < 0.3:  # land, trees, roofs
        strip = cut(colour(sources.photo(rng)), rng, 0.5)
        strip = np.asarray(cv2.resize(strip, (width, int(height * rng.uniform(0.05, 0.3)))))
        image[height - len(strip) :] = strip
    large, alike = float(np.exp(rng.uniform(np.log(5), np.log(60)))), rng.uniform(0, 0.6)
    ink, kind = tuple(int(v) for v in rng.integers(0, 110, 3)), rng.random()
    centre, spread = rng.uniform(0.2, 0.8, 2), rng.uniform(0.08, 0.9, 2)
    if rng.random() < 0.25:
        wires(image, rng, ink)
        kind = rng.random() / 0.4  # over 1: nothing else
    elif rng.random() < 0.15:
        for _ in range(int(rng.integers(1, 5))):
            root = rng.uniform(0, 1, 2) * (width, height)
            twig(image, rng, root, rng.uniform(0, 2 * np.pi), 0.25 * min(height, width), ink)
        kind = 2
    for _ in range(int(np.exp(rng.uniform(np.log(8), np.log(400))))):
        place = (centre + spread * rng.normal(0, 0.6, 2)) * (width, height)
        span = large * float(np.exp(rng.normal(0, alike)))
        if kind < 0.75:
            bird(image, rng, place, span, ink)
        elif kind <= 1:
            blob(image, rng, place, span, ink)
    if rng.random() < 0.5:
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.5))
        image = np.asarray(soft, np.uint8)
    return noisy(image if rng.random() < 0.7 else grey(image), rng, 12)


def blob(
    image: Pixels, rng: Generator, place: NDArray[np.float64], span: float, ink: tuple[int, ...]
) -> None:
    """A polygon, nearly an ellipse or not, drawn into the image."""
    turn, sides = rng.uniform(0, 2 * np.pi), int(rng.integers(3, 16))
    around = turn + 2 * np.pi * np.arange(sides) / sides
    outline = np.stack([np.cos(around), rng.uniform(0.4, 1.3) * np.sin(around)], 1)
    shape = place + 0.5 * span * outline
    cv2.fillPoly(image, [np.rint(8 * shape).astype(np.int32)], ink, cv2.LINE_AA, 3)


def wires(image: Pixels, rng: Generator, ink: tuple[int, ...]) -> None:
    """Two to twelve sagging lines from side to side, drawn into the image."""
    height, width = image.shape[:2]
    across = np.linspace(0, 1, 40)
    first, apart = rng.uniform(0.05, 0.6), rng.uniform(0.01, 0.1)
    slope, sag, low = rng.normal(0, 0.2), rng.uniform(-0.15, 0.3), rng.uniform(0, 1)
    thick = int(rng.integers(1, 1 + max(2, width // 200)))
    for number in range(int(rng.integers(2, 13))):
        place = first + number * apart * rng.uniform(0.8, 1.2)
        down = place + slope * across + sag * (0.25 - (across - low) ** 2)
        line = np.stack([across * width, down * height], 1)
        cv2.polylines(
            image, [np.rint(8 * line).astype(np.int32)], False, ink, thick, cv2.LINE_AA, 3
        )


def twig(
    image: Pixels, rng: Generator, root: NDArray[np.float64], way: float, length: float,
    ink: tuple[int, ...],
) -> None:  # fmt: skip
    """A branch with its branches, drawn into the image."""
    tip = root + length * np.array([np.cos(way), np.sin(way)])
    ends = [np.rint(8 * end).astype(np.int32).tolist() for end in (root, tip)]
    cv2.line(image, ends[0], ends[1], ink, max(1, round(length / 16)), cv2.LINE_AA, 3)
    if length < 10:
        return
    for _ in range(int(rng.integers(2, 4))):
        start = root + rng.uniform(0.5, 1) * (tip - root)
        twig(image, rng, start, way + rng.normal(0, 0.6), length * rng.uniform(0.5, 0.8), ink)


def bird(
    image: Pixels, rng: Generator, place: NDArray[np.float64], span: float, ink: tuple[int, ...]
) -> None:
    """A body between two bent wings, seen from anywhere, drawn into the image."""
    lift, tilt, slender = rng.uniform(-0.5, 0.7), rng.normal(0, 0.4), rng.uniform(0.05, 0.16)
    along = np.linspace(-1, 1, 13)
    bow = -lift * (1 - np.abs(np.abs(along) - 0.55)) * np.minimum(1, 3 * np.abs(along))
    thick = slender * (1.1 - np.abs(along)) + 0.12 * np.exp(-((along / 0.12) ** 2))
    outline = np.concatenate(
        [np.stack([along, bow - thick], 1), np.stack([along, bow + thick], 1)[::-1]]
    )
    outline[:, 0] *= rng.uniform(0.4, 1)
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    shape = place + 0.5 * span * outline @ turn.T
    cv2.fillPoly(image, [np.rint(8 * shape).astype(np.int32)], ink, cv2.LINE_AA, 3)
