"""Patterns in a few separate colours stay as they are; where there is noise nothing comes back."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean.drawn import keep_drawn
from imgclean.restore import load

SAMPLES = Path(__file__).parents[1] / "sample_data"
Pixels = NDArray[np.uint8]


def _checks(height: int, width: int) -> Pixels:
    """A pattern of single pixels in two colours, and a plain half."""
    y, x = np.indices((height, width))
    colours = np.array([[192, 192, 192], [0, 0, 128]], np.uint8)
    return np.asarray(colours[np.where(x < width // 2, (x + y) % 2, 0)], np.uint8)


def _hatched(height: int, width: int) -> Pixels:
    """Lines of one pixel, every fourth, on two colours."""
    y, x = np.indices((height, width))
    ground = np.where((y // 64 % 2 == 0)[..., None], (255, 240, 200), (120, 200, 255))
    return np.where(((x + y) % 4 == 0)[..., None], 0, ground).astype(np.uint8)


def _photo() -> NDArray[np.float64]:
    photo = cv2.imread(str(SAMPLES / "clean" / "photos" / "indoors.jpg"))
    assert photo is not None
    return np.asarray(photo[:256, :256], np.float64)


@pytest.mark.parametrize("drawing", [_checks, _hatched])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_patterns_come_back(drawing: Callable[[int, int], Pixels], kind: str) -> None:
    image = drawing(256, 256)
    before = {
        "uint8": image,
        "uint16": image * np.uint16(257),
        "float32": image.astype(np.float32) / np.float32(255),
    }[kind]
    after = np.full_like(before, before.mean())
    given = keep_drawn(before, after)
    places = [(y, x) for y in range(0, 256, 64) for x in range(0, 256, 64)]
    same = [np.array_equal(before[y : y + 64, x : x + 64], after[y : y + 64, x : x + 64])
            for y, x in places]  # fmt: skip
    assert given == sum(same) >= (16 if drawing is _hatched else 8)


def test_only_the_places_that_are_drawn_come_back() -> None:
    rng = np.random.default_rng(1)
    before = np.rint(np.clip(128 + rng.normal(0, 20, (192, 192, 3)), 0, 255)).astype(np.uint8)
    before[64:128, 64:128] = _checks(64, 128)[:, :64]
    after = np.full_like(before, 128)
    assert keep_drawn(before, after) == 1
    assert np.array_equal(after[64:128, 64:128], before[64:128, 64:128])
    after[64:128, 64:128] = 128
    assert (after == 128).all()


@pytest.mark.parametrize("sigma", [1, 2, 5, 25])
def test_noise_between_the_colours_is_none_of_the_drawing(sigma: float) -> None:
    rng = np.random.default_rng(2)
    checks = _checks(128, 128)
    noisy = np.clip(np.rint(checks + rng.normal(0, sigma, checks.shape)), 0, 255).astype(np.uint8)
    after = checks.copy()
    assert keep_drawn(noisy, after) == 0
    assert np.array_equal(after, checks)


def _impulses(image: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    chance = np.random.default_rng(5).random((*image.shape[:2], 1))
    return np.where(chance < share / 2, 0, np.where(chance < share, 255, image))


def _few(image: NDArray[np.float64], levels: int) -> NDArray[np.float64]:
    steps = np.rint(np.clip(image, 0, 255) / 255 * (levels - 1))
    return np.asarray(steps * 255 / (levels - 1))


def test_noise_in_few_levels_does_not_come_back() -> None:
    """Counted photons, impulses, and noisy photos in a few levels have no pattern."""
    rng, photo = np.random.default_rng(3), _photo()
    noisy = [rng.poisson(photo / 255 * peak) * (255 / peak) for peak in (2, 5, 8)]
    noisy += [_few(photo + rng.normal(0, 25, photo.shape), levels) for levels in (2, 3, 4, 8)]
    noisy += [_impulses(np.full((256, 256, 3), grey), share)
              for grey in (0.0, 128.0, 255.0) for share in (0.02, 0.1, 0.2, 0.4)]  # fmt: skip
    noisy += [_impulses(_checks(256, 256).astype(np.float64), share) for share in (0.15, 0.3)]
    noisy += [_few(photo, 4), np.rint(photo / 28 + rng.normal(0, 0.9, photo.shape)) * 28]
    for image in noisy:
        before = np.clip(np.rint(image), 0, 255).astype(np.uint8)
        after = np.full_like(before, 77)
        assert keep_drawn(before, after) == 0
        assert (after == 77).all()


def test_photos_with_and_without_noise_are_left_to_the_network() -> None:
    rng = np.random.default_rng(3)
    for path in sorted((SAMPLES / "clean" / "photos").iterdir()):
        photo = cv2.imread(str(path))
        assert photo is not None
        for sigma in (0, 1, 10):
            noisy = np.rint(np.clip(photo + rng.normal(0, sigma, photo.shape), 0, 255))
            assert keep_drawn(noisy.astype(np.uint8), photo) == 0


def test_any_size_and_views_are_taken() -> None:
    for height, width, least in ((33, 200, 4), (65, 130, 6), (63, 64, 1), (1, 200, 0), (5, 3, 0)):
        checks = _checks(height, 2 * width)[:, :width]
        before = np.dstack([checks, checks])[..., :3]
        after = np.full((height, width, 4), 7, np.uint8)[..., :3]
        assert keep_drawn(before, after) == least
        assert np.array_equal(after, before) if least else (after == 7).all()
    assert keep_drawn(before[:0], after[:0]) == 0
    assert keep_drawn(before[:, :0], after[:, :0]) == 0


def test_photo_leaves_a_pattern_of_single_pixels() -> None:
    denoiser = load("photo", device="cpu", precision="fp32")
    checks = _checks(200, 260)
    assert np.array_equal(denoiser(checks), checks)
    grey = np.ascontiguousarray(checks[..., 0])
    assert np.array_equal(denoiser(grey), grey)


def test_a_dark_photo_of_few_levels_is_cleaned_all_the_same() -> None:
    """Its levels lie apart only because it is stretched before the network."""
    rng = np.random.default_rng(4)
    dark = np.rint(np.clip(3 + rng.normal(0, 1, (128, 128, 3)), 0, 7)) / np.float32(255)
    cleaned = load("photo", device="cpu", precision="fp32")(dark.astype(np.float32))
    assert cleaned.std() < 0.5 * dark.std()
