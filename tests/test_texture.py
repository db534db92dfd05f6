"""Texture beside plain parts without noise comes back; noise that is everywhere stays removed."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import imgclean
from imgclean.texture import keep_texture

SIZE = 512
Image = NDArray[np.float64]


def _wall(noise: float = 0.4) -> tuple[Image, Image]:
    """A rough wall under an even sky, and what is left when most of the roughness is smoothed."""
    rng = np.random.default_rng(1)
    smooth = np.linspace(110, 190, SIZE)[:, None, None] * np.ones((1, SIZE, 3))
    rough = np.zeros_like(smooth)
    rough[SIZE // 2 :] = rng.normal(0, 12, (SIZE // 2, SIZE, 1))
    left = cv2.GaussianBlur(rough, (0, 0), 1)
    return smooth + rough + rng.normal(0, noise, rough.shape), smooth + left


def _bytes(image: Image) -> NDArray[np.uint8]:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _rms(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    return float(np.sqrt(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)))


@pytest.mark.parametrize(("kind", "full"), [("uint8", 255), ("uint16", 65535), ("float32", 1)])
def test_texture_comes_back_where_plain_parts_have_no_noise(kind: str, full: float) -> None:
    before, after = ((image / 255 * full).astype(kind) for image in _wall())
    wall = slice(SIZE // 2 + 64, None)
    lost = _rms(before[wall], after[wall])
    sky = after[: SIZE // 2 - 64].copy()
    share = keep_texture(before, after)
    assert share == pytest.approx(0.24, abs=0.03)
    assert _rms(before[wall], after[wall]) < 0.65 * lost
    assert np.array_equal(after[: len(sky)], sky)
    assert after.dtype == kind


@pytest.mark.parametrize("level", [3, 12, 40])
def test_noise_that_is_everywhere_stays_removed(level: float) -> None:
    rng = np.random.default_rng(2)
    clean = np.full((SIZE, SIZE, 3), 128.0)
    clean[:, SIZE // 2 :] += 25 * np.sin(np.arange(SIZE // 2))[:, None]  # detail that stays
    before, after = _bytes(clean + rng.normal(0, level, clean.shape)), _bytes(clean)
    kept = after.copy()
    assert keep_texture(before, after) == 1
    assert np.array_equal(after, kept)


def test_a_border_of_paper_tells_nothing_of_the_grain_in_a_print() -> None:
    rng = np.random.default_rng(3)
    clean = np.full((SIZE, SIZE, 3), 218.0)
    clean[90:-90, 110:-110] = np.linspace(40, 200, SIZE - 220)[None, :, None]
    noise = np.repeat(rng.normal(0, 1, (SIZE, SIZE, 1)), 3, axis=2)
    noise[90:-90, 110:-110] *= 14
    clean += cv2.GaussianBlur(noise, (0, 0), 1)  # or it would be told by what is smooth
    before, after = _bytes(clean + noise), _bytes(clean)
    kept = after.copy()
    assert keep_texture(before, after) == 1
    assert np.array_equal(after, kept)
    for image, spread in ((before, 1), (after, 0)):  # as even, but not all around
        for rows in (slice(90), slice(-90, None)):
            image[rows] = _bytes(100 + rng.normal(0, spread, (90, SIZE, 3)))
    assert keep_texture(before, after) < 1


def test_a_few_stuck_pixels_stay_mended() -> None:
    rng = np.random.default_rng(4)
    after = np.full((SIZE, SIZE, 3), 90, np.uint8)
    before = _bytes(after + rng.normal(0, 1, after.shape))
    before[rng.random((SIZE, SIZE)) < 2 / 64**2] = 255
    mended = after.copy()
    assert keep_texture(before, after) == 1
    assert np.array_equal(after, mended)


@pytest.mark.parametrize(
    ("shape", "tells"),
    [((0, 5, 3), False), ((1, 1, 1), False), ((64, 448, 1), False), ((64, 640, 1), True)],
)
def test_small_images_are_left(shape: tuple[int, int, int], tells: bool) -> None:
    """Eight cells at least have to tell."""
    rng = np.random.default_rng(5)
    rough = rng.normal(0, 1, shape) * np.where(np.arange(shape[1]) < 256, 0.5, 12)[None, :, None]
    left = cv2.GaussianBlur(rough, (0, 0), 1).reshape(shape) if rough.size else rough
    assert (keep_texture(_bytes(128 + rough), _bytes(128 + left)) < 1) is tells


def test_dark_bright_and_even_parts_do_not_tell() -> None:
    """A curve or an end of the range has taken their noise, or they are drawn."""
    rng = np.random.default_rng(10)
    for tone in (12, 240, 0, 255, 128):
        noise = np.repeat(rng.normal(0, 12, (SIZE, SIZE, 1)), 3, axis=2)
        noise[: SIZE // 2] /= 24
        noise[: SIZE // 2] *= tone != 128
        clean = np.where(np.arange(SIZE) < SIZE // 2, tone, 128)[:, None, None] + np.zeros(3)
        left = cv2.GaussianBlur(noise, (0, 0), 1)
        assert keep_texture(_bytes(clean + noise), _bytes(clean + left)) == 1


def test_a_noisy_picture_beside_one_without_noise_stays_clean() -> None:
    rng = np.random.default_rng(7)
    clean = np.linspace(60, 180, SIZE)[:, None, None] * np.ones((1, SIZE, 3))
    spread = np.where(np.arange(SIZE) < SIZE // 2, 12, 0.7)[None, :, None]
    before, after = _bytes(clean + spread * rng.normal(0, 1, (SIZE, SIZE, 1))), _bytes(clean)
    kept = after.copy()
    assert keep_texture(before, after) == 1
    assert np.array_equal(after, kept)


@pytest.mark.parametrize(("channels", "kept"), [(1, True), (3, False)])
def test_what_has_colours_of_its_own_is_noise(channels: int, kept: bool) -> None:
    rng = np.random.default_rng(9)
    noise = rng.normal(0, 12, (SIZE, SIZE, channels)) * np.ones(3)
    noise[:, : SIZE // 2] /= 24
    left = cv2.GaussianBlur(noise, (0, 0), 1)
    assert (keep_texture(_bytes(128 + noise), _bytes(128 + left)) < 0.8) is kept


def test_lifted_shadows_may_have_more_noise() -> None:
    rng = np.random.default_rng(8)
    clean = np.where(np.arange(SIZE) < SIZE // 2, 60.0, 180.0)[:, None, None] * np.ones(
        (1, SIZE, 3)
    )
    spread = np.where(clean < 100, 12, 1)
    noise, detail = (spread * rng.normal(0, 1, (SIZE, SIZE, 1)) for _ in range(2))
    detail = cv2.GaussianBlur(detail, (0, 0), 1)
    before = _bytes(clean + detail + noise)
    assert 0.85 < keep_texture(before, _bytes(clean + detail)) < 0.97  # (1.5 * 12 / 2 + 2) / 12


def test_photo_leaves_stones_of_a_small_sharp_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    stones = 20 * np.sign(cv2.GaussianBlur(rng.normal(0, 1, (SIZE, SIZE)), (0, 0), 2))
    rough = np.linspace(0, 1.5, SIZE)[None] * (stones + rng.normal(0, 9, (SIZE, SIZE)))
    before = _bytes(120 + rough[..., None] + np.zeros(3))
    photo = imgclean.load("photo")
    after = photo(before)
    monkeypatch.setattr("imgclean.restore.keep_texture", lambda *_: 1.0)
    assert _rms(before, after) < 0.8 * _rms(before, photo(before))
