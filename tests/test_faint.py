"""What was removed where there is hardly any noise comes back; real noise goes as before."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean.faint import keep_detail
from imgclean.restore import load

SAMPLES = Path(__file__).parents[1] / "sample_data"


def _texture(size: int = 192, level: float = 12) -> NDArray[np.float64]:
    rng = np.random.default_rng(1)
    return 128 + rng.normal(0, level, (size, size, 3))


def _photo() -> NDArray[np.float64]:
    path = SAMPLES / "clean" / "photos" / "indoors.jpg"
    return np.asarray(cv2.imread(str(path)), np.float64)[:256, :256, ::-1]


def _bytes(image: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _rms(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    return float(np.sqrt(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)))


@pytest.mark.parametrize(("kind", "full"), [("uint8", 255), ("uint16", 65535), ("float32", 1)])
def test_little_that_was_removed_from_texture_comes_back(kind: str, full: float) -> None:
    rng = np.random.default_rng(2)
    texture = _texture()
    before = (texture / 255 * full).astype(kind)
    after = ((texture + rng.normal(0, 0.5, texture.shape)) / 255 * full).astype(kind)
    change = _rms(before, after)
    share = keep_detail(before, after)
    assert share < 0.45
    assert _rms(before, after) < 0.5 * change
    assert after.dtype == kind


def test_noise_that_shows_stays_removed() -> None:
    rng = np.random.default_rng(3)
    after = _bytes(_texture())
    before = _bytes(after + rng.normal(0, 8, after.shape))
    result = after.copy()
    assert keep_detail(before, result) == 1
    assert np.array_equal(result, after)


def test_a_noisy_picture_in_a_clean_drawing_is_cleaned_all_the_same() -> None:
    rng = np.random.default_rng(4)
    after = np.full((640, 640, 3), 255, np.uint8)
    after[8::16] = 0  # ink all over
    after[256:384, 256:384] = 120
    before = after.copy()
    noise = rng.normal(0, 6, (128, 128, 3))
    before[256:384, 256:384] = _bytes(before[256:384, 256:384] + noise)
    result = after.copy()
    assert keep_detail(before, result) < 0.9
    left = result[256:384, 256:384].astype(np.float64) - 120
    assert left[32:-32, 32:-32].std() < 0.8, "nobody sees what is left"
    assert left.std() < 1.15
    assert np.array_equal(result[:192], after[:192])


def test_sizes_that_are_no_whole_cells_and_views_are_taken() -> None:
    rng = np.random.default_rng(5)
    for height, width, channels in ((1, 1, 1), (1, 200, 3), (65, 130, 1), (63, 64, 3)):
        wide = _bytes(128 + rng.normal(0, 12, (height, width, channels + 1)))
        before = wide[..., :channels]
        after = np.array(wide)[..., :channels]
        after += rng.integers(0, 2, after.shape, np.uint8)
        full = after.copy()
        keep_detail(before, after)
        lowest, highest = np.minimum(before, full), np.maximum(before, full)
        assert ((after >= lowest) & (after <= highest)).all()


def test_nothing_removed_is_nothing_to_give_back() -> None:
    image = _bytes(_texture())
    assert keep_detail(image, image.copy()) == 1
    assert keep_detail(image[:0], image[:0].copy()) == 1


def test_photo_leaves_fine_texture_under_faint_noise() -> None:
    rng = np.random.default_rng(6)
    clean = _bytes(_photo())
    noisy = _bytes(clean + rng.normal(0, 0.6, clean.shape))
    denoiser = load("photo", device="cpu", precision="fp32")
    kept = denoiser(noisy)
    denoiser.photos = False
    assert _rms(clean, kept) < 0.9 * _rms(clean, denoiser(noisy))
    assert _rms(clean, kept) < 1.35 * _rms(clean, noisy)
