"""Drawings in a few separate colours stay as they are; where there is noise nothing comes back."""

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


def _dithered(levels: int) -> Pixels:
    """A photo in so few levels of each channel, its tones by ordered dither (Bayer, 1973)."""
    photo = cv2.imread(str(SAMPLES / "clean" / "photos" / "indoors.jpg"))
    assert photo is not None
    places = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])
    limits = np.tile((places + 0.5) / 16, (64, 64))[..., None]
    steps = np.floor(photo[:256, :256] / 255 * (levels - 1) + limits)
    return np.asarray(np.rint(steps * 255 / (levels - 1)), np.uint8)


@pytest.mark.parametrize("levels", [2, 6])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_dithered_tones_come_back(levels: int, kind: str) -> None:
    image = _dithered(levels)
    before = {
        "uint8": image,
        "uint16": image * np.uint16(257),
        "float32": image.astype(np.float32) / np.float32(255),
    }[kind]
    after = np.full_like(before, before.mean())
    assert keep_drawn(before, after) == 16
    assert np.array_equal(before, after)


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


def test_photos_with_and_without_noise_are_left_to_the_network() -> None:
    rng = np.random.default_rng(3)
    for path in sorted((SAMPLES / "clean" / "photos").iterdir()):
        photo = cv2.imread(str(path))
        assert photo is not None
        for sigma in (0, 1, 10):
            noisy = np.rint(np.clip(photo + rng.normal(0, sigma, photo.shape), 0, 255))
            assert keep_drawn(noisy.astype(np.uint8), photo) == 0


def test_any_size_and_views_are_taken() -> None:
    for height, width in ((1, 1), (1, 200), (65, 130), (63, 64), (5, 3)):
        before = np.dstack([_checks(height, width), _checks(height, width)])[..., :3]
        after = np.zeros((height, width, 4), np.uint8)[..., :3]
        keep_drawn(before, after)
        assert np.isin(after, before).all() or not after.any()
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
