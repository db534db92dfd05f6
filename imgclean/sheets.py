"""The bare sheet of a scan: how grain, folds, creases, stains and dirt change its reflectance.

Every maker gives an H x W float32 factor around 1; factors are multiplied. Sizes are in
pixels, strengths from 0 to 1.
"""

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["SHEETS", "cut_stain", "extract_stains", "line_distance", "smooth_noise"]

Plane = NDArray[np.float32]


def smooth_noise(rng: np.random.Generator, height: int, width: int, period: float) -> Plane:
    """Smooth Gaussian noise, about unit variance, whose knots are `period` pixels apart."""
    coarse = rng.standard_normal((int(height / period) + 5, int(width / period) + 5), np.float32)
    # Two steps, as OpenCV's warp knows only 1/32 of a knot: one step would leave terraces.
    shrink = max(1.0, period / 8)
    rows, columns = int(height / shrink) + 2, int(width / shrink) + 2
    step, (y, x) = shrink / period, 1 + rng.integers(0, 32, 2) / 32
    grid = np.array([[step, 0, x], [0, step, y]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    field: Plane = cv2.warpAffine(coarse, grid, (columns, rows), flags=flags,
                                  borderMode=cv2.BORDER_REFLECT)  # fmt: skip
    if (rows, columns) == (height + 2, width + 2):
        return field[1:-1, 1:-1]
    # OpenCV's cubic kernel overshoots; without this blur its grid shows in relief.
    field = cv2.GaussianBlur(field, (0, 0), 1.7)
    return np.asarray(cv2.resize(field, (width, height)), np.float32)


def line_distance(rng: np.random.Generator, height: int, width: int) -> Plane:
    """Signed distance in pixels to a random straight line through the patch."""
    angle, y0, x0 = rng.uniform(0, np.pi), rng.uniform(0, height), rng.uniform(0, width)
    y = (np.arange(height, dtype=np.float32) - np.float32(y0))[:, None] * np.float32(np.cos(angle))
    x = (np.arange(width, dtype=np.float32) - np.float32(x0))[None] * np.float32(np.sin(angle))
    return np.asarray(x + y, np.float32)


def cut_stain(stains: Sequence[Plane], rng: np.random.Generator, height: int, width: int) -> Plane:
    """A turned, mirrored and scaled cut-out of a real layer."""
    layer = stains[int(rng.integers(len(stains)))]
    scale, quarter = rng.uniform(0.6, 1.8), int(rng.integers(4))
    sine, cosine = ((0, 1), (1, 0), (0, -1), (-1, 0))[quarter]
    mirror = 1 if rng.random() < 0.5 else -1
    turn = np.array([[cosine * mirror, -sine], [sine * mirror, cosine]]) / scale
    span = np.abs(turn) @ (width, height)
    free = np.maximum(np.array(layer.shape[::-1]) - span, 0)
    start = rng.random(2) * free + np.where(turn < 0, -turn, 0) @ (width, height)
    matrix = np.column_stack([turn, start])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut: Plane = cv2.warpAffine(layer, matrix, (width, height), flags=flags,
                                borderMode=cv2.BORDER_REFLECT)  # fmt: skip
    return cut


def _grain(rng: np.random.Generator, height: int, width: int, strength: float) -> Plane:
    fine = rng.standard_normal((height, width), np.float32)
    if rng.random() < 0.6:
        fine = cv2.GaussianBlur(fine, (0, 0), rng.uniform(0.4, 1.2)) * np.float32(1.8)
    return np.asarray(1 + np.float32(rng.uniform(0.003, 0.05) * strength) * fine, np.float32)


def _fibre(rng: np.random.Generator, height: int, width: int, strength: float) -> Plane:
    """Direction in the sheet, or the weave of laid paper: noise smeared along one axis or both."""
    fine = rng.standard_normal((height, width), np.float32)
    long = rng.uniform(4, 25)
    across = cv2.GaussianBlur(fine, (0, 0), sigmaX=long, sigmaY=rng.uniform(0.3, 1))
    if rng.random() < 0.5:
        across = across + cv2.GaussianBlur(fine, (0, 0), sigmaX=0.5, sigmaY=long)
    across *= np.float32(rng.uniform(0.005, 0.03) * strength) / (across.std() + np.float32(1e-6))
    return np.asarray(1 + across, np.float32)


def _mottle(rng: np.random.Generator, height: int, width: int, strength: float) -> Plane:
    """Coarse unevenness in several octaves, as of dirty or damp paper."""
    total = np.zeros((height, width), np.float32)
    period, weight = rng.uniform(20, 120), 1.0
    for _ in range(int(rng.integers(1, 5))):
        total += np.float32(weight) * smooth_noise(rng, height, width, max(period, 1.5))
        period, weight = period / 2.2, weight * rng.uniform(0.4, 0.8)
    return np.asarray(1 - np.float32(rng.uniform(0.01, 0.12) * strength) * total, np.float32)


def _folds(rng: np.random.Generator, height: int, width: int, strength: float) -> Plane:
    """Creases: a worn bright or dark line, its lit and its shaded flank."""
    sheet = np.ones((height, width), np.float32)
    for _ in range(1 + int(rng.poisson(0.8 + height * width / 150_000))):
        wave = rng.uniform(0, 4) * smooth_noise(rng, height, width, rng.uniform(20, 100))
        along = line_distance(rng, height, width) + wave
        core, flank = rng.uniform(0.5, 2), rng.uniform(4, 40)
        worn = 0.5 + 0.5 * np.clip(smooth_noise(rng, height, width, 12), -1, 1)
        if rng.random() < 0.4:
            worn = worn**0.3  # nearly as deep everywhere
        line = np.exp(-((along / core) ** 2)) * worn * rng.uniform(-0.45, 0.25)
        if rng.random() < 0.4:  # relief: the other side of the ridge
            line += np.exp(-(((along - 2.5 * core) / core) ** 2)) * worn * rng.uniform(0, 0.25)
        shade = np.exp(-np.abs(along) / flank) * np.tanh(along / core) * rng.uniform(-0.15, 0.15)
        sheet *= 1 + np.float32(strength) * (line + shade).astype(np.float32)
    return sheet


def _crumple(rng: np.random.Generator, height: int, width: int, strength: float) -> Plane:
    """Shading of a crumpled sheet lit from one side: flat facets, and wavy ridges."""
    facets = _facets(rng, height, width, rng.uniform(15, 70))
    if rng.random() < 0.5:
        facets += 0.6 * _facets(rng, height, width, rng.uniform(8, 30))
    ridges, share = _ridges(rng, height, width), np.float32(rng.random())
    shade = np.tanh(share * facets + (1 - share) * ridges)
    return np.asarray(1 + np.float32(rng.uniform(0.05, 0.3) * strength) * (shade - 0.3), np.float32)


def _facets(rng: np.random.Generator, height: int, width: int, size: float) -> Plane:
    """Cells around random points, each with its own slope."""
    count = 2 + int(height * width / size**2)
    ys, xs = rng.integers(0, height, count), rng.integers(0, width, count)
    seeds = np.ones((height, width), np.uint8)
    seeds[ys, xs] = 0
    kind = cv2.DIST_LABEL_PIXEL
    labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=kind)[1]
    owner = np.zeros(int(labels.max()) + 1, np.intp)
    owner[labels[ys, xs]] = np.arange(count)
    cell = owner[labels]
    slope = rng.normal(0, 1 / size, (2, count)).astype(np.float32)
    level = rng.normal(0, 0.6, count) - slope[0] * ys - slope[1] * xs
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None]
    shade = slope[0][cell] * y + slope[1][cell] * x + level.astype(np.float32)[cell]
    return np.asarray(cv2.GaussianBlur(shade, (0, 0), rng.uniform(0.5, 3)), np.float32)


def _ridges(rng: np.random.Generator, height: int, width: int) -> Plane:
    """Slope of ridged noise (Musgrave, 1994) along a random direction, unit variance."""
    relief = np.zeros((height, width), np.float32)
    period = rng.uniform(25, 110)
    for _ in range(int(rng.integers(2, 5))):
        ridge = smooth_noise(rng, height, width, period) + np.float32(rng.uniform(-0.6, 0.6))
        relief += np.abs(ridge) * np.float32(period * rng.choice([-1, 1]))
        period *= rng.uniform(0.5, 0.8)
    angle = rng.uniform(0, 2 * np.pi)
    shade = cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=5) * np.float32(np.cos(angle))
    shade += cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=5) * np.float32(np.sin(angle))
    shade = cv2.GaussianBlur(shade, (0, 0), rng.uniform(0.8, 1.6))
    return np.asarray(shade / (shade.std() + np.float32(1e-6)), np.float32)


def _rings(rng: np.random.Generator, height: int, width: int, strength: float) -> Plane:
    """Cup rings and drops: arcs of uneven width with a dark rim and a lighter inside."""
    sheet = np.ones((height, width), np.float32)
    y, x = np.indices((height, width), np.float32)
    wobble = smooth_noise(rng, height, width, rng.uniform(15, 50))
    for _ in range(1 + int(rng.poisson(0.6 + height * width / 400_000))):
        radius = np.exp(rng.uniform(np.log(12), np.log(220)))
        cy, cx = rng.uniform(-0.4, 1.4, 2) * (height, width)
        away = cv2.magnitude(x - np.float32(cx), y - np.float32(cy)) - np.float32(radius)
        away += wobble * np.float32(rng.uniform(0.5, 5))
        wide = rng.uniform(1.5, 14)
        band = 1 / (1 + np.exp(np.clip((np.abs(away) - wide) / rng.uniform(0.4, 2), -30, 30)))
        rim = np.exp(-(((np.abs(away) - wide) / 1.5) ** 2)) * rng.uniform(0, 0.5)
        inside = (away < 0) * rng.uniform(0, 0.25) if rng.random() < 0.4 else 0.0
        uneven = np.clip(0.6 + 0.5 * smooth_noise(rng, height, width, 40), 0.05, 1.3)
        depth = rng.uniform(0.1, 0.55) * strength
        sheet *= (1 - depth * np.clip((band * 0.7 + rim + inside) * uneven, 0, 1.3)).astype(
            np.float32
        )
    return sheet


def _blots(rng: np.random.Generator, height: int, width: int, strength: float) -> Plane:
    """Stains with an outline, and prints of soles or fingers: parts of a smeared texture."""
    form = smooth_noise(rng, height, width, rng.uniform(12, 90)) + np.float32(rng.uniform(-1, 0.3))
    edge = 1 / (1 + np.exp(-np.clip(form * np.float32(rng.uniform(3, 40)), -30, 30)))
    rim = np.exp(-((form * np.float32(12)) ** 2)) * rng.uniform(0, 0.6)
    texture = np.ones((height, width), np.float32)
    if rng.random() < 0.6:
        stretch = rng.uniform(1.5, 6, 2)
        fine = rng.standard_normal((height, width), np.float32)
        fine = cv2.GaussianBlur(fine, (0, 0), sigmaX=stretch[0], sigmaY=stretch[1])
        texture = np.clip(0.6 + 0.6 * fine / (fine.std() + 1e-6), 0, 1.5)
    depth = rng.uniform(0.05, 0.4) * strength
    return np.asarray(1 - depth * np.clip(edge * texture * 0.8 + rim, 0, 1.4), np.float32)


def _tiles(rng: np.random.Generator, height: int, width: int, strength: float) -> Plane:
    """The print of a shoe's sole or a grid: blurred rectangles, only partly inked."""
    sheet = np.zeros((height, width), np.float32)
    size = rng.uniform(8, 40)
    for _ in range(int(rng.integers(3, 20))):
        y, x = rng.uniform(-size, (height, width))
        end = (int(x + size * rng.uniform(0.5, 2)), int(y + size * rng.uniform(0.5, 2)))
        thick = -1 if rng.random() < 0.5 else int(rng.integers(1, 4))
        cv2.rectangle(sheet, (int(x), int(y)), end, float(rng.uniform(0.2, 1)), thick)
    sheet = cv2.GaussianBlur(sheet, (0, 0), rng.uniform(0.7, 2.5))
    uneven = np.clip(0.5 + 0.5 * smooth_noise(rng, height, width, rng.uniform(4, 20)), 0, 1.2)
    return np.asarray(1 - np.float32(rng.uniform(0.1, 0.4) * strength) * sheet * uneven, np.float32)


def _streaks(rng: np.random.Generator, height: int, width: int, strength: float) -> Plane:
    """Lines of a dirty scanner glass or of a fax: along one axis, over the whole sheet."""
    upright = rng.random() < 0.5
    length = width if upright else height
    row = np.zeros(length, np.float32)
    row[rng.integers(0, length, 1 + int(rng.poisson(length / 120)))] = 1
    row *= rng.uniform(-0.4, 1, length).astype(np.float32)
    row = cv2.GaussianBlur(row[None], (0, 0), rng.uniform(0.3, 2))[0]
    row = 1 - row * np.float32(rng.uniform(0.1, 0.6) * strength)
    return np.broadcast_to(row[None] if upright else row[:, None], (height, width))


def _holes(rng: np.random.Generator, height: int, width: int, strength: float) -> Plane:
    """Punched holes and the soft shadows of staples: grey, so that no printed disc is meant."""
    sheet = np.zeros((height, width), np.float32)
    x, pitch = rng.uniform(0, width), rng.uniform(100, 500)
    radius = rng.uniform(8, 22)
    for y in np.arange(rng.uniform(-pitch, pitch), height, pitch):
        centre = (int(x * 8), int(y * 8))
        cv2.circle(sheet, centre, int(radius * 8), 1.0, -1, cv2.LINE_AA, 3)
        cv2.circle(sheet, centre, int(radius * 8), -0.4, 1, cv2.LINE_AA, 3)
    sheet = cv2.GaussianBlur(sheet, (0, 0), rng.uniform(0.6, 2))
    return np.asarray(1 - np.float32(rng.uniform(0.15, 0.7) * strength) * sheet, np.float32)


SHEETS: Mapping[str, Callable[[np.random.Generator, int, int, float], Plane]] = {
    "grain": _grain,
    "fibre": _fibre,
    "mottle": _mottle,
    "folds": _folds,
    "crumple": _crumple,
    "rings": _rings,
    "blots": _blots,
    "tiles": _tiles,
    "streaks": _streaks,
    "holes": _holes,
}


def extract_stains(noisy: Plane, clean: Plane) -> Plane:
    """Estimate the bare paper of a real pair, to be multiplied onto any other text.

    In NoisyOffice, noisy = paper * (lift + (1 - lift) * clean) with a lift of black of about
    0.1 to 0.2 (up to 0.4 in the shadows of the wrinkled sheets): the ratio noisy / paper is
    the same on light and on stained paper, so it is a product, not a minimum or a sum. Where
    the page is blank the paper is the noisy page itself; under the text it is inpainted
    (Telea, 2004) and given the grain of blank paper beside it, so that no letters show.

    Args:
        noisy: H x W, [0, 1].
        clean: H x W, [0, 1], blank paper 1.

    Returns:
        Reflectance H x W in [0, 1].
    """
    ink = cv2.dilate((clean < 0.985).astype(np.uint8), np.ones((3, 3), np.uint8))
    pixels = np.rint(noisy * 255).astype(np.uint8)
    filled = cv2.inpaint(pixels, ink, 3, cv2.INPAINT_TELEA).astype(np.float32) / np.float32(255)
    smooth = cv2.GaussianBlur(filled, (0, 0), 1.5)
    grain = np.where(ink, 0, noisy - smooth).astype(np.float32)
    paper, missing = np.where(ink, smooth, noisy).astype(np.float32), ink.astype(bool)
    for shift in range(3, 60, 3):
        source = np.roll(ink, shift, 0) == 0
        take = missing & source
        paper[take] += np.roll(grain, shift, 0)[take]
        missing &= ~source
    return np.clip(paper, 0, 1)
