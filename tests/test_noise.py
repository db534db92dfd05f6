from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from imgclean import batch_noise, noise
from imgclean.noise import Sensor

PLAIN = Sensor(
    shot=2e-3, read=1e-5, gains=(1, 1, 1), crosstalk=0, gamma=2.2, contrast=0.3, mosaic=False,
    edge_aware=False,
)  # fmt: skip


def test_gaussian_has_its_sigma() -> None:
    """White noise has the standard deviation asked for, and is not clipped."""
    flat = np.ones((256, 256, 3), np.float32)
    noisy = noise.gaussian(flat, np.random.default_rng(0), 25 / 255)
    assert np.std(noisy) == pytest.approx(25 / 255, rel=0.01)
    assert noisy.max() > 1.05


@pytest.mark.parametrize("level", [0.05, 0.2, 0.8])
def test_raw_variance_follows_the_model(level: float) -> None:
    """In linear light the variance is shot * signal + read (Foi et al., 2008)."""
    flat = np.full((300, 300, 3), level, np.float32)
    grain = noise._expose(flat, PLAIN, np.random.default_rng(0), 0)
    assert np.var(grain) == pytest.approx(2e-3 * level + 1e-5, rel=0.03)


def correlation(grain: NDArray[np.float32], lag: int) -> float:
    """Of values that lie `lag` columns apart."""
    return float(np.corrcoef(grain[:, :-lag].ravel(), grain[:, lag:].ravel())[0, 1])


def test_mosaic_correlates_neighbours() -> None:
    """Bilinear demosaicing correlates red by two thirds; without a mosaic noise stays white.

    Of four red values one is measured, two are means of two and one is a mean of four: a
    variance of 9/16, a covariance with the next column of 3/8 and with the one after of 3/32.
    """
    flat = np.full((256, 256, 3), 0.4, np.float32)

    def red(mosaic: bool) -> NDArray[np.float32]:
        sensor = Sensor(**{**PLAIN.__dict__, "mosaic": mosaic})
        return noise._expose(flat, sensor, np.random.default_rng(1), 2)[..., 0]

    assert abs(correlation(red(mosaic=False), 1)) < 0.02
    assert correlation(red(mosaic=True), 1) == pytest.approx(2 / 3, abs=0.02)
    assert correlation(red(mosaic=True), 2) == pytest.approx(1 / 6, abs=0.03)
    assert abs(correlation(red(mosaic=True), 3)) < 0.03


def test_in_camera_smoothing_leaves_blotches() -> None:
    """After a blur of sigma noise correlates over d pixels by exp(-d^2 / 4 sigma^2)."""
    white = np.random.default_rng(0).standard_normal((512, 512, 3), np.float32)
    draws = Mock(np.random.Generator)
    draws.random.side_effect = [0.8, 0.0, 1.0]  # both are blurred, nothing is sharpened
    draws.uniform.side_effect = [1.0, np.log(2.0), 0.5]  # by 1 and 2 pixels; chroma's strength
    smooth = noise._smooth(white, np.zeros_like(white), draws)
    luma = smooth @ noise._LUMA
    chroma = smooth[..., 0] - luma
    for grain, sigma in ((luma, 1.0), (chroma, 2.0)):
        for lag in (1, 2, 3):
            expected = np.exp(-(lag**2) / (4 * sigma**2))
            assert correlation(grain, lag) == pytest.approx(expected, abs=0.02)


def test_in_camera_smoothing_spares_edges() -> None:
    """Beside an edge the noise stays as it was; on even ground it has the blur's variance."""
    white = 0.02 * np.random.default_rng(0).standard_normal((256, 256), np.float32)
    scene = np.zeros((256, 256), np.float32)
    scene[:, 128:] = 0.9
    draws = Mock(np.random.Generator)
    # Slope over 1 pixel, exposure as it was, its limit, blur by 2 pixels, all of the share.
    draws.uniform.side_effect = [1.0, 1.0, 0.0, np.log(2.0), 1.0]
    smooth = noise._smooth_flats(white, scene, draws)
    np.testing.assert_allclose(smooth[:, 127:129], white[:, 127:129], atol=2e-3)
    assert smooth[:, 10:100].std() == pytest.approx(0.02 / (4 * np.sqrt(np.pi)), rel=0.1)
    assert correlation(smooth[:, 10:100], 2) == pytest.approx(np.exp(-1 / 4), abs=0.05)


@pytest.mark.parametrize("phase", range(4))
def test_demosaicing_inverts_the_mosaic(phase: int) -> None:
    """A smooth scene survives mosaic and demosaicing in all four Bayer phases."""
    ramp = np.linspace(0.1, 0.9, 64, dtype=np.float32)
    down, across = np.meshgrid(ramp, ramp, indexing="ij")
    scene = np.stack([down, across, np.full_like(down, 0.5)], axis=2)
    again = noise._demosaic(noise._mosaic(scene, phase), phase, False)
    assert np.abs(again - scene)[4:-4, 4:-4].max() < 0.01


def test_tone_curve_inverts() -> None:
    """Encoding linear light and decoding it again gives the same values."""
    values = np.linspace(0, 1, 50, dtype=np.float32).reshape(5, 10, 1)
    again = noise._tone(noise._to_linear(values, PLAIN), PLAIN)
    assert np.abs(again - values).max() < 2e-3


def test_the_colour_matrix_keeps_grey() -> None:
    """Rows of the colour matrix sum to one."""
    matrix = noise._colour_matrix(Sensor(**{**PLAIN.__dict__, "crosstalk": 0.5}))
    assert np.allclose(matrix.sum(axis=1), 1) and matrix[0, 1] < 0


@pytest.mark.parametrize("shape", [(96, 96, 3), (40, 70, 1), (33, 31, 3)])
def test_camera_and_photo_keep_shape(shape: tuple[int, ...]) -> None:
    """The recipes give finite images of the same shape, the same for the same seed."""
    clean = np.random.default_rng(3).random(shape, np.float32)
    for seed in range(12):
        for recipe in (noise.camera, noise.photo):
            noisy = recipe(clean, np.random.default_rng(seed))
            assert noisy.shape == shape and noisy.dtype == np.float32
            assert np.isfinite(noisy).all()
            assert np.array_equal(noisy, recipe(clean, np.random.default_rng(seed)))


def test_camera_keeps_the_mean_colour() -> None:
    """Camera noise shifts no channel: the mean over many exposures is the clean image's."""
    flat = np.full((64, 64, 3), (0.3, 0.5, 0.6), np.float32)
    rng = np.random.default_rng(0)
    mean = np.mean([noise.camera(flat, rng).mean(axis=(0, 1)) for _ in range(150)], axis=0)
    assert np.abs(mean - (0.3, 0.5, 0.6)).max() < 0.01


@pytest.mark.parametrize("shape", [(96, 96), (40, 70), (33, 31)])
def test_the_scene_lies_where_the_image_does(
    shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What depends on the scene, as noise beside its edges does, ends on the same pixels.

    A camera whose noise is the scene itself doubles the image, at any scale, to its borders.
    """
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    clean = np.stack([0.5 + 0.4 * np.sin(x / 7), 0.5 + 0.4 * np.sin(y / 6), x / 200], 2)
    monkeypatch.setattr(noise, "_develop", lambda scene, sensor, rng: scene)
    monkeypatch.setattr(noise, "_smooth", lambda grain, scene, rng: grain)
    monkeypatch.setattr(noise, "jpeg", lambda image, *rest, **more: image)
    for seed in range(8):
        noisy = noise.camera(clean, np.random.default_rng(seed))
        np.testing.assert_allclose(noisy, 2 * clean, atol=0.02)  # shifted by one pixel: 0.06


def test_jpeg_quality_orders_error() -> None:
    """A lower quality leaves a larger error."""
    clean = np.random.default_rng(0).random((64, 64, 3), np.float32)
    errors = [
        np.abs(noise.jpeg(clean, quality, np.random.default_rng(0), subsample=False) - clean).mean()
        for quality in (95, 60, 30)
    ]
    assert errors[0] < errors[1] < errors[2]


@pytest.mark.parametrize("whole", [False, True])
def test_grain_is_wider_than_a_pixel(whole: bool) -> None:
    """It has 2 to 35 of 255, is like its neighbours, and in two of three alike in all channels."""
    clean = np.full((96, 96, 3), 0.5, np.float32)
    grains: list[NDArray[Any]] = []
    for number in range(80):
        if whole:
            generator = torch.Generator().manual_seed(number)
            flat = torch.full((5, 3, 128, 128), 0.5)
            noisy = batch_noise.grain(flat, torch.zeros(5, 1, 1, 1) > 0, generator)
            grains += [(image - 0.5).permute(1, 2, 0).numpy()[16:-16, 16:-16] for image in noisy]
        else:
            rng = np.random.default_rng(number)
            grains += [noise.grain(clean, rng) - 0.5 for _ in range(5)]
    spread = np.array([255 * grain.std() for grain in grains])
    assert spread.min() > 1.2 and spread.max() < 45
    assert np.median(spread) == pytest.approx(np.sqrt(2 * 35), rel=0.25)
    strong = [grain for grain in grains if 255 * grain.std() > 8]
    alike = [np.corrcoef(g[..., 0].ravel(), g[..., 1].ravel())[0, 1] > 0.95 for g in strong]
    assert np.mean(alike) == pytest.approx(2 / 3, abs=0.09)
    beside = [correlation(grain[..., 1], 1) for grain in strong]
    assert min(beside) > 0.1 and 0.45 < np.median(beside) < 0.9
    far = [correlation(grain[..., 1], 12) for grain in strong]
    assert abs(np.median(far)) < 0.05


def test_grain_of_grey_images_is_grey() -> None:
    """One channel stays one, and three equal ones stay equal in a batch."""
    assert (
        noise.grain(np.full((40, 50, 1), 0.5, np.float32), np.random.default_rng(0)).shape[2] == 1
    )
    flat, generator = torch.full((64, 3, 48, 48), 0.5), torch.Generator().manual_seed(0)
    grained = batch_noise.grain(flat, torch.ones(64, 1, 1, 1) > 0, generator)
    assert float(grained.std(1).max()) < 1e-6
