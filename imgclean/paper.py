"""What paper, ink and scanners do to a clean page, as training needs it: fast and varied.

A scan is light times paper reflectance times ink transmission, then blurred, sampled and
coded; so damages are multiplied, never added (Baird, "Document image defect models", 1992;
Groleau et al., "Augraphy", 2023, for the catalogue of damages). Arrays are H x W x C float32
in [0, 1] with C in {1, 3}; sizes of damages are in pixels, so a patch and a page look alike.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .sheets import SHEETS, cut_stain, extract_stains, line_distance, smooth_noise

__all__ = ["DAMAGES", "damage", "extract_stains", "stroke_width"]

Plane = NDArray[np.float32]
Happens = Callable[[str], bool]

# Every kind of damage and how often it is drawn; real: a layer of real paper.
DAMAGES: Mapping[str, float] = {
    "real": 0.4, "grey": 1.0, "tint": 1.0, "grain": 0.7, "fibre": 0.2, "mottle": 0.4,
    "folds": 0.26, "crumple": 0.2, "rings": 0.18, "blots": 0.15, "tiles": 0.08, "streaks": 0.1,
    "holes": 0.025, "marker": 0.05, "bleed": 0.16, "lift": 1.0, "gloss": 0.5, "fade": 0.1,
    "dropout": 0.07, "ramp": 0.35, "shadow": 0.12, "gutter": 0.06, "specks": 0.4, "crumbs": 0.2,
    "blur": 0.35, "resolution": 0.06, "copy": 0.08, "tone": 0.4, "elements": 0.1, "sensor": 0.4,
    "sharpened": 0.2, "jpeg": 0.35,
}  # fmt: skip


def damage(
    clean: Plane,
    rng: np.random.Generator,
    *,
    stains: Sequence[Plane] = (),
    strength: float | None = None,
    kinds: Collection[str] | None = None,
) -> tuple[Plane, Plane]:
    """Draw one damaged version of a clean page or patch.

    Strengths range from none (3 %: both results equal the input) over hardly visible (10 %)
    to heavy. The target keeps every clean stroke at full ink unless the fading was so strong
    that the original darkness is unknowable; then it is faded too, but less. It never holds
    less ink than the noisy page shows, but where a copy made strokes bolder; a copy's is black.

    Args:
        clean: H x W x C, [0, 1], blank paper 1.
        rng: Every choice is drawn from it.
        stains: Reflectance layers of real paper (`extract_stains`), H x W in [0, 1]; used
            for two in five of the results.
        strength: 0 for none to 1 for the full range; drawn if None.
        kinds: Exactly the names of `DAMAGES` to apply; drawn by their probabilities if None.

    Returns:
        The noisy page and its target, both float32 in [0, 1] and of the shape of `clean`.
    """
    strength = _draw_strength(rng) if strength is None else strength
    if strength <= 0:
        return clean.copy(), clean.copy()

    def happens(name: str) -> bool:
        return bool(rng.random() < DAMAGES[name]) if kinds is None else name in kinds

    height, width, channels = clean.shape
    sheet = _paper(height, width, rng, strength, stains if happens("real") else (), happens)
    if happens("marker"):
        mark = _marker(height, width, channels, rng)
        if channels == 1:  # in grey a marker is a dirty band; its colour is content
            sheet *= mark[..., 0]
        else:
            clean = clean * mark
    ink, target = _fade(clean, sheet, rng, strength, happens)
    if happens("bleed"):
        sheet *= _bleed_through(clean, rng, strength)
    tinted = channels == 3 and happens("tint")
    paper = _tint(sheet, rng, strength) if tinted else sheet[..., None]
    noisy = ink * paper * _light(height, width, rng, strength, happens)[..., None]
    if happens("specks"):
        noisy = _specks(noisy, rng, strength)
    if happens("crumbs"):
        noisy = _crumbs(noisy, rng, stroke_width(clean))
    if happens("copy") and _can_copy(clean):
        noisy, target = _copy(noisy, rng, strength), _blackened(target)
    return _scanner(noisy, rng, strength, happens), target


def _draw_strength(rng: np.random.Generator) -> float:
    kind = rng.random()
    if kind < 0.03:
        return 0.0
    return float(rng.uniform(0.02, 0.15) if kind < 0.13 else rng.uniform(0.2, 1.0))


def _paper(
    height: int,
    width: int,
    rng: np.random.Generator,
    strength: float,
    stains: Sequence[Plane],
    happens: Happens,
) -> Plane:
    """Reflectance of the bare sheet, H x W."""
    if stains:
        sheet = np.clip(cut_stain(stains, rng, height, width), 0.02, 1.2)
        sheet = sheet ** np.float32(np.sqrt(strength) * rng.uniform(0.8, 1.2))
    else:
        grey = 1 - rng.uniform(0.0, 0.35) * strength if happens("grey") else 1.0
        sheet = np.full((height, width), grey, np.float32)
    for name, maker in SHEETS.items():
        if happens(name) and (not stains or rng.random() < 0.15):
            sheet = sheet * maker(rng, height, width, strength)
    return np.asarray(sheet, np.float32)


def _fade(
    clean: Plane, sheet: Plane, rng: np.random.Generator, strength: float, happens: Happens
) -> tuple[Plane, Plane]:
    """Lift the ink: evenly, where the sheet is dark, in places, or in small dropouts.

    The target is lifted too where the even lift is too strong to know the true darkness.
    """
    height, width, _ = clean.shape
    lift = np.float32(min(rng.exponential(0.12), 0.55) * strength if happens("lift") else 0)
    known = np.float32(max(0.0, (float(lift) - 0.25) * 0.5))
    target = clean + known * (1 - clean)
    share = np.full((height, width), lift, np.float32)
    if happens("gloss"):  # glossy shadows, as on the wrinkled sheets of NoisyOffice
        share += np.float32(rng.uniform(0, 1.3) * strength) * np.clip(1 - sheet, 0, 0.4)
    if happens("fade"):
        patchy = smooth_noise(rng, height, width, rng.uniform(8, 60)) * np.float32(0.3 * strength)
        share = np.clip(share + patchy, lift, 0.75)
    if happens("dropout"):
        holes = smooth_noise(rng, height, width, rng.uniform(1.5, 4)) > rng.uniform(1.0, 2.2)
        share = np.maximum(share, holes * np.float32(rng.uniform(0.3, 0.85)))
    return clean + np.clip(share, known, 0.9)[..., None] * (1 - clean), target


def _bleed_through(clean: Plane, rng: np.random.Generator, strength: float) -> Plane:
    """Transmission of the sheet's other side: mirrored, blurred, weaker than print."""
    other = np.roll(clean.mean(axis=2), rng.integers(0, clean.shape[0], 2), (0, 1))[:, ::-1]
    if rng.random() < 0.3:
        other = other[::-1]
    # At its darkest as dark as grey print: what tells the sides apart then is the paper's blur.
    share = np.float32(rng.uniform(0.05, 0.6 if rng.random() < 0.4 else 0.4) * strength)
    sharpest = 0.7 if share < 0.35 else 1.2
    soft = cv2.GaussianBlur(np.ascontiguousarray(other), (0, 0), rng.uniform(sharpest, 3.5))
    return np.asarray(1 - share * (1 - soft), np.float32)


def _marker(height: int, width: int, channels: int, rng: np.random.Generator) -> Plane:
    """Transmission of a highlighter's nearly level stroke, H x W x C."""
    wavy = 1.5 * smooth_noise(rng, height, 1, 30) + smooth_noise(rng, 1, width, 60) * 2
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(rng.uniform(0, height))
    band = np.abs(y + wavy) < rng.uniform(6, 24)
    start, end = np.sort(rng.integers(-width // 2, 3 * width // 2, 2))
    band[:, : max(start, 0)] = band[:, max(end, 0) :] = False
    soft = cv2.GaussianBlur(band.astype(np.float32), (0, 0), 0.8)[..., None]
    colour = rng.uniform(0.75, 0.97, 1) if channels == 1 else rng.permutation(
        np.array([rng.uniform(0.2, 0.6), rng.uniform(0.8, 1), rng.uniform(0.9, 1)])
    )  # fmt: skip
    return np.asarray(1 - soft * (1 - colour), np.float32)


def _tint(sheet: Plane, rng: np.random.Generator, strength: float) -> Plane:
    """Yellow the paper, H x W to H x W x 3, more where it is darker."""
    yellow = np.array([0.0, rng.uniform(0.05, 0.3), rng.uniform(0.2, 1.2)], np.float32)
    if rng.random() < 0.2:
        yellow = rng.uniform(-0.2, 0.5, 3).astype(np.float32)
    base = np.float32(1) - yellow * np.float32(0.25 * strength * rng.random())
    deeper = 1 + yellow * np.float32(rng.uniform(0, 1.5))
    return np.asarray(np.clip(sheet, 1e-3, None)[..., None] ** deeper * base, np.float32)


def _light(
    height: int, width: int, rng: np.random.Generator, strength: float, happens: Happens
) -> Plane:
    """Uneven light of a phone's camera, its shadow's edge, the gutter of a book."""
    light = np.ones((height, width), np.float32)
    if happens("ramp"):
        ramp = line_distance(rng, height, width) / np.float32(max(height, width))
        light *= 1 - np.float32(rng.uniform(0, 0.35) * strength) * np.clip(ramp + 0.5, 0, 1)
    if happens("shadow"):
        edge = line_distance(rng, height, width) + 10 * smooth_noise(rng, height, width, 90)
        shadow = 1 / (1 + np.exp(-np.clip(edge / rng.uniform(1.5, 30), -30, 30)))
        light *= 1 - np.float32(rng.uniform(0.1, 0.55) * strength) * shadow
    if happens("gutter"):
        gutter = np.abs(np.arange(width, dtype=np.float32) - rng.uniform(-40, width + 40))
        dark = np.exp(-gutter / rng.uniform(8, 80))[None] * rng.uniform(0.2, 0.75)
        light *= (1 - strength * dark).astype(np.float32)
    return light


def _specks(noisy: Plane, rng: np.random.Generator, strength: float) -> Plane:
    """Dust, hairs and salt and pepper; always finer than a full stop."""
    height, width = noisy.shape[:2]
    noisy = noisy.copy()
    kind = rng.random()
    if kind < 0.65:
        count = int(height * width * rng.uniform(0.0002, 0.06) * strength)
        ys, xs = rng.integers(0, height, count), rng.integers(0, width, count)
        level = rng.random((count, 1), np.float32)
        noisy[ys, xs] = level if rng.random() < 0.5 else np.round(level)
        return noisy
    for _ in range(int(rng.poisson(height * width / 3000 * strength))):
        start = rng.uniform(0, (width, height))
        steps = np.cumsum(rng.normal(0, 1, (6, 2)) + rng.normal(0, 1, 2), 0)
        size = rng.uniform(0.2, 1.2) if kind > 0.82 else 0.3  # longer ones may be a pen's
        points = np.rint((start + steps * size) * 8).astype(np.int32)
        grey = float(rng.uniform(0.15, 0.8))
        cv2.polylines(noisy, [points[None]], False, (grey,) * 3, 1, cv2.LINE_AA, 3)
    return noisy


def stroke_width(clean: Plane) -> int:
    """How wide a page's thinner strokes are: the widest square that 0.8 of the ink is made of.

    In pixels; 0 where there is hardly any ink. By openings of growing size (granulometry:
    Matheron, "Random Sets and Integral Geometry", 1975). H x W x C, [0, 1].
    """
    ink = (clean.mean(axis=2) < 0.5).astype(np.uint8)
    all_of_it = int(ink.sum())
    if all_of_it < 50:
        return 0
    for side in range(2, 21):
        opened = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
        if int(opened.sum()) < 0.8 * all_of_it:
            return side - 1
    return 20


def _crumbs(noisy: Plane, rng: np.random.Generator, stroke: int) -> Plane:
    """Toner and dirt: round, and half as wide as a stroke at most, for a full stop is as wide.

    Longer ones are left out: a hyphen or a minus sign may be as thin.
    """
    height, width = noisy.shape[:2]
    radius = stroke / 4
    if radius < 0.5 or min(height, width) < 16:
        return noisy
    noisy = noisy.copy()
    count = int(rng.poisson(height * width * np.exp(rng.uniform(np.log(1e-5), np.log(6e-4)))))
    reach = int(np.ceil(radius)) + 1
    near = np.arange(2 * reach + 1)
    for _ in range(count):
        top, left = (int(rng.integers(side - 2 * reach)) for side in (height, width))
        y, x = near - reach - rng.uniform(-0.5, 0.5, 2)[:, None]
        away = np.hypot(y[:, None], x[None])
        covered = np.clip(rng.uniform(0.5, radius) + 0.5 - away, 0, 1) * rng.uniform(0.3, 1)
        noisy[top : top + len(near), left : left + len(near)] *= (1 - covered)[..., None]
    return noisy


def _can_copy(clean: Plane) -> bool:
    """Whether a page keeps its content in black and white: grey, with ink, without pictures.

    Pictures are known by shades with neither paper nor full ink near, on over 1 % of the page.
    """
    if clean.shape[2] != 1 or np.quantile(clean, 0.02) > 0.7:
        return False
    around = np.ones((9, 9), np.uint8)
    darkest, brightest = cv2.erode(clean, around), cv2.dilate(clean, around)
    return bool(np.mean((darkest > 0.1) & (brightest < 0.9)) <= 0.01)


def _copy(noisy: Plane, rng: np.random.Generator, strength: float) -> Plane:
    """A photocopy or a fax, H x W x 1: a tone curve so steep that grain makes rough edges."""
    soft = cv2.GaussianBlur(noisy[..., 0], (0, 0), rng.uniform(0.4, 0.6 + 0.7 * strength))
    ink, paper = (float(level) for level in np.quantile(soft, (0.02, 0.6)))
    grain = rng.standard_normal(soft.shape, np.float32)
    if rng.random() < 0.5:
        grain = 2 * cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.4, 0.9))
    grain *= np.float32(rng.uniform(0, 0.15) * strength * (paper - ink))
    level = ink + rng.uniform(0.4, 0.8) * (paper - ink)
    steepness = np.exp(rng.uniform(np.log(5), np.log(80))) / max(paper - ink, 0.05)
    bright = 1 / (1 + np.exp(-np.clip((soft + grain - level) * steepness, -30, 30)))
    black, white = rng.uniform(0, 0.25), rng.uniform(0.8, 1)
    copied = cv2.GaussianBlur(bright, (0, 0), rng.uniform(0.2, 0.8))
    return np.asarray(black + (white - black) * copied[..., None], np.float32)


def _blackened(target: Plane) -> Plane:
    """The page with its darkest ink black: a copy does not show how dark it was."""
    darkest = np.quantile(target, 0.005)
    return np.asarray(np.clip((target - darkest) / (1 - darkest), 0, 1), np.float32)


def _scanner(noisy: Plane, rng: np.random.Generator, strength: float, happens: Happens) -> Plane:
    """Optics, tone curve, sensor noise and file format of the scanner or camera."""
    if happens("blur"):
        noisy = cv2.GaussianBlur(noisy, (0, 0), rng.uniform(0.3, 0.4 + 0.9 * strength))
    if happens("resolution"):
        noisy = _low_resolution(noisy, rng, strength)
    noisy = noisy.reshape(*noisy.shape[:2], -1)
    if happens("tone"):
        gain = np.float32(1 + rng.uniform(-0.2, 0.15) * strength)
        gamma = np.float32(1 + rng.uniform(-0.3, 0.4) * strength)
        noisy = np.clip(noisy * gain, 0, 1) ** gamma
    if happens("elements"):
        height, width = noisy.shape[:2]
        noisy = noisy + _faulty_elements(height, width, rng, strength)[..., None]
    if happens("sensor"):
        noisy = _sensor_noise(noisy, rng, strength)
    if happens("sharpened"):
        noisy = _sharpened(noisy, rng, strength)
    noisy = np.clip(noisy, 0, 1)
    if happens("jpeg"):
        return _jpeg(noisy, int(rng.uniform(95 - 65 * strength, 98)))
    return np.asarray(np.rint(noisy * 255) / 255, np.float32)


def _low_resolution(noisy: Plane, rng: np.random.Generator, strength: float) -> Plane:
    height, width = noisy.shape[:2]
    factor = 1 - rng.uniform(0.1, 0.5) * strength
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(noisy, size, interpolation=cv2.INTER_AREA)
    way = cv2.INTER_CUBIC if rng.random() < 0.7 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(small, (width, height), interpolation=way), np.float32)


def _faulty_elements(height: int, width: int, rng: np.random.Generator, strength: float) -> Plane:
    """What dim, dirty or stuck elements of a scanner's line add: bright ones cut through ink."""
    upright = rng.random() < 0.7
    length, along = (width, height) if upright else (height, width)
    row = np.zeros((1, length), np.float32)
    density = np.exp(rng.uniform(np.log(1 / 400), np.log(1 / 30)))
    places = rng.integers(0, length, 1 + int(rng.poisson(length * density)))
    depth = rng.uniform(0.02, 0.2) * strength
    row[0, places] = np.clip(rng.standard_normal(len(places)), -2, 2) * depth
    if rng.random() < 0.3:
        row = 2 * cv2.GaussianBlur(row, (0, 0), rng.uniform(0.4, 1))
    lines = np.repeat(row, along, axis=0)
    if rng.random() < 0.2:  # dirt that came in the middle of a page
        lines[: int(rng.integers(along))] = 0
    return np.asarray(lines if upright else lines.T, np.float32)


def _sensor_noise(noisy: Plane, rng: np.random.Generator, strength: float) -> Plane:
    """Gaussian noise, part of it growing with the signal; sometimes correlated."""
    noise = rng.standard_normal(noisy.shape, np.float32)
    if rng.random() < 0.4:
        sigma = rng.uniform(0.4, 1.0)
        smooth: Plane = cv2.GaussianBlur(noise, (0, 0), sigma)
        noise = smooth.reshape(noisy.shape) * np.float32(2.5 * sigma)
    read = np.float32(min(rng.exponential(0.025), 0.15) * strength)
    shot = np.float32(rng.uniform(0, 0.03) * strength)
    return np.asarray(noisy + noise * (read + shot * np.sqrt(np.clip(noisy, 0, 1))), np.float32)


def _sharpened(noisy: Plane, rng: np.random.Generator, strength: float) -> Plane:
    """By an unsharp mask, as phones and scanners' drivers do: bright seams along the ink."""
    soft = cv2.GaussianBlur(noisy, (0, 0), rng.uniform(0.6, 2.5)).reshape(noisy.shape)
    amount = np.float32(rng.uniform(0.1, 0.3 + 1.2 * strength))
    return np.asarray(noisy + amount * (noisy - soft), np.float32)


def _jpeg(noisy: Plane, quality: int) -> Plane:
    pixels = np.rint(noisy * 255).astype(np.uint8)
    code = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = np.asarray(cv2.imdecode(code, cv2.IMREAD_UNCHANGED)).reshape(noisy.shape)
    return np.ascontiguousarray(decoded[..., ::-1], np.float32) / np.float32(255)
