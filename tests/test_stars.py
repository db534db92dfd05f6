"""Stars come back that were taken for noise; noise stays removed, also where black has cut it."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import imgclean
from imgclean.stars import keep_stars

SIZE = 320
Image = NDArray[np.float64]


def _sharper(light: Image) -> Image:
    """As in a picture made small, where dark surrounds what is bright."""
    return np.asarray(1.8 * light - 0.8 * cv2.GaussianBlur(light, (0, 0), 0.8), np.float64)


def _lost(seed: int = 1) -> Image:
    """What a dense field of stars loses: all that is faint, and some stars on top."""
    rng = np.random.default_rng(seed)
    stars = np.where(rng.random((SIZE, SIZE)) < 0.06, rng.exponential(14, (SIZE, SIZE)), 0)
    return _sharper(rng.normal(0, 8, (SIZE, SIZE)) + stars)[..., None] * np.ones(3)


def _bytes(image: Image) -> NDArray[np.uint8]:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _rms(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    return float(np.sqrt(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("kind", "full"), [("uint8", 255), ("uint16", 65535), ("float32", 1)])
def test_bright_stars_come_back_and_what_is_dark_does_not(
    kind: str, full: float, channels: int
) -> None:
    sky = np.full((SIZE, SIZE, channels), 60.0)
    lost = _lost()[..., :channels]
    light = np.clip(sky + lost, 0, 255)
    before, after = ((image / 255 * full).astype(kind) for image in (light, sky))
    smooth = after.copy()
    assert keep_stars(before, after) == 25
    bright = lost > 50
    assert np.allclose(after[bright], before[bright], atol=full / 255)
    assert _rms(before, after) < 0.7 * _rms(before, smooth)
    alone = cv2.dilate(lost.max(axis=2), np.ones((3, 3))) < 5
    assert np.allclose(after[alone], smooth[alone], atol=1e-6)
    assert after.dtype == kind


def test_the_sky_fades_into_what_is_beside_it_without_a_seam() -> None:
    sky = np.full((SIZE, 2 * SIZE, 3), 60.0)
    lost = np.concatenate([_lost(), np.zeros((SIZE, SIZE, 3))], axis=1)
    lost[::16, SIZE::16], lost[8::16, SIZE::16] = 55, -55  # as noise, both ways
    before, after = _bytes(sky + lost), _bytes(sky)
    assert keep_stars(before, after) == 25
    back = (after[::16, SIZE::16, 0].astype(float) - 60).mean(axis=0)
    assert 20 < back[0] < 35
    assert (np.diff(back) <= 0).all()
    assert back[4:].max() == 0  # from the middle of the next cell on


def test_strips_of_rows_join() -> None:
    """The neighbours of a star at the border of cells come back as elsewhere."""
    sky = np.full((SIZE, SIZE, 3), 60.0)
    lost = _lost()
    for row in (127, 128, 160):
        lost[row - 2 : row + 3, 20::20] = 0
        lost[row - 1 : row + 2, 20::20] = 4
        lost[row, 20::20] = 90
    before, after = _bytes(sky + lost), _bytes(sky)
    assert keep_stars(before, after) == 25
    for row in (127, 160):
        around = after[row - 1 : row + 2, 20::20, 0].astype(float)
        assert np.array_equal(around, before[row - 1 : row + 2, 20::20, 0])


def _noises() -> dict[str, tuple[NDArray[np.floating], float]]:
    """Noise of many kinds, and the brightness that it lies on."""
    rng = np.random.default_rng(2)
    shape = (SIZE, SIZE, 1)
    normal, coloured = rng.normal(0, 1, shape), rng.normal(0, 1, (SIZE, SIZE, 3))
    hot = np.where(rng.random(shape) < 0.01, rng.exponential(60, shape), 0)
    hot_bayer = np.where(rng.random(coloured.shape) < 0.01, rng.exponential(60, coloured.shape), 0)
    return {
        "white": (12 * normal, 60),
        "coloured": (12 * coloured, 60),
        "of sharpened edges": (_sharper(12 * normal[..., 0])[..., None], 60),
        "cut": (16 * normal, 1),
        "cut and coloured": (16 * coloured, 4),
        "long-tailed": (rng.laplace(0, 8, shape), 60),
        "long-tailed and cut": (rng.laplace(0, 8, shape), 3),
        "of few photons": (12.0 * rng.poisson(0.4, shape) - 5, 5),
        "of photons": (4.0 * rng.poisson(2, shape) - 8, 8),
        "speckle": (30 * np.exp(0.35 * normal) - 30, 30),
        "strong speckle": (rng.exponential(30, shape) - 30, 30),
        "hot pixels": (3 * normal + hot, 30),
        "hot pixels with colours": (3 * coloured + hot_bayer, 30),
        "salt in noise": (
            _sharper(np.where(rng.random(shape) < 0.05, 90, 8 * normal)[..., 0])[..., None],
            60,
        ),
        "grain": (30 * cv2.GaussianBlur(normal, (0, 0), 0.8)[..., None], 20),
    }


@pytest.mark.parametrize("kind", _noises())
def test_noise_stays_removed(kind: str) -> None:
    noise, level = _noises()[kind]
    before = _bytes(level + noise * np.ones(3))
    after = np.zeros_like(before) + _bytes(before.mean(axis=(0, 1)))
    smooth = after.copy()
    assert keep_stars(before, after) == 0
    assert np.array_equal(after, smooth)


def test_bright_places_and_single_cells_are_no_sky() -> None:
    for tone, cells in ((150, 25), (60, 3)):
        lost = _lost()
        if cells == 3:
            lost[64:] = 0
            lost[:, 192:] = 0
        before, after = _bytes(tone + lost), np.full((SIZE, SIZE, 3), tone, np.uint8)
        assert keep_stars(before, after) == 0
        assert (after == tone).all()


@pytest.mark.parametrize("shape", [(0, 5, 3), (1, 1, 1), (1, 300, 3), (300, 1, 1), (65, 65, 3)])
def test_small_images_hold_no_field(shape: tuple[int, int, int]) -> None:
    before = np.zeros(shape, np.uint8)
    before[::5, ::5] = 90
    after = np.zeros(shape, np.uint8)
    keep_stars(before, after)
    assert not after.any()


def test_photo_leaves_the_stars_of_a_small_sharp_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _bytes(60 + _lost())
    photo = imgclean.load("photo", device="cpu")
    after = photo(before)
    monkeypatch.setattr("imgclean.restore.keep_stars", lambda *_: 0)
    assert _rms(before, after) < 0.8 * _rms(before, photo(before))
