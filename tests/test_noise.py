from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from imgclean import batch_noise, noise
from imgclean.noise import Demosaicing, Sensor
from imgclean.pixels import LUMA

PLAIN = Sensor(
    shot=2e-3, read=1e-5, gains=(1, 1, 1), crosstalk=0, gamma=2.2, contrast=0.3,
    demosaicing="none",
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


@pytest.mark.parametrize("demosaicing", ["none", "bilinear", "malvar"])
def test_row_noise_follows_the_model(demosaicing: Demosaicing) -> None:
    """All samples of a row, or of a column, share an offset of the sensor's deviation."""
    flat = np.full((400, 400, 3), 0.2, np.float32)
    sensor = replace(PLAIN, banding=0.02, demosaicing=demosaicing)
    upright = 0
    for seed in range(24):
        grain = noise._expose(flat, sensor, np.random.default_rng(seed), 0)[..., 1]
        rows, columns = grain.mean(1), grain.mean(0)
        along, across = sorted((rows.std(), columns.std()), reverse=True)
        if demosaicing == "none":
            assert along == pytest.approx(0.02, rel=0.15)
        assert along > 0.008 and across < 0.0025  # a mean of 400 samples of deviation 0.02
        upright += int(columns.std() > rows.std())
    assert 2 <= upright <= 12


def test_a_fifth_of_the_cameras_have_row_noise() -> None:
    """From a seventh to two and a half times the deviation of their read noise."""
    rng = np.random.default_rng(0)
    one = [noise.draw_sensor(rng) for _ in range(3000)]
    alone = np.array([sensor.banding / sensor.read**0.5 for sensor in one])
    many = batch_noise.draw_sensors(20_000, torch.Generator().manual_seed(0))
    for over in (alone, (many.banding / many.read.sqrt()).flatten().numpy()):
        assert np.mean(over > 0) == pytest.approx(0.2, abs=0.02)
        found = over[over > 0]
        assert found.min() >= 0.149 and found.max() <= 2.501
        assert np.median(found) == pytest.approx((0.15 * 2.5) ** 0.5, rel=0.12)


def correlation(grain: NDArray[np.float32], lag: int) -> float:
    """Of values that lie `lag` columns apart."""
    return float(np.corrcoef(grain[:, :-lag].ravel(), grain[:, lag:].ravel())[0, 1])


def test_mosaic_correlates_neighbours() -> None:
    """Bilinear demosaicing correlates red by two thirds; without a mosaic noise stays white.

    Of four red values one is measured, two are means of two and one is a mean of four: a
    variance of 9/16, a covariance with the next column of 3/8 and with the one after of 3/32.
    """
    flat = np.full((256, 256, 3), 0.4, np.float32)

    def red(demosaicing: Demosaicing) -> NDArray[np.float32]:
        sensor = replace(PLAIN, demosaicing=demosaicing)
        return noise._expose(flat, sensor, np.random.default_rng(1), 2)[..., 0]

    assert abs(correlation(red("none"), 1)) < 0.02
    assert correlation(red("bilinear"), 1) == pytest.approx(2 / 3, abs=0.02)
    assert correlation(red("bilinear"), 2) == pytest.approx(1 / 6, abs=0.03)
    assert abs(correlation(red("bilinear"), 3)) < 0.03


def test_in_camera_smoothing_leaves_blotches() -> None:
    """After a blur of sigma noise correlates over d pixels by exp(-d^2 / 4 sigma^2)."""
    white = np.random.default_rng(0).standard_normal((512, 512, 3), np.float32)
    draws = Mock(np.random.Generator)
    draws.random.side_effect = [0.4, 0.0, 1.0]  # both are blurred, nothing is sharpened
    draws.uniform.side_effect = [1.0, np.log(2.0), 0.5]  # by 1 and 2 pixels; chroma's strength
    smooth = noise._smooth(white, np.zeros_like(white), draws)
    luma = smooth @ LUMA
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


def test_in_camera_smoothing_follows_lines() -> None:
    """Across stripes noise stays as white as it was, along them it has the mean of nine pixels."""
    white = 0.02 * np.random.default_rng(0).standard_normal((256, 256), np.float32)
    stripes = 0.5 + 0.3 * np.sin(np.arange(256, dtype=np.float32) * 0.8)[:, None]
    draws = Mock(np.random.Generator)
    draws.uniform.side_effect = [1.0, 1.0]  # all of the share
    smooth = noise._smooth_along(white, np.repeat(stripes, 256, axis=1), draws)
    for lag in (1, 2, 4):
        assert correlation(smooth, lag) == pytest.approx(1 - lag / 9, abs=0.08)
        assert abs(correlation(smooth.T, lag)) < 0.05
    assert smooth.std() == pytest.approx(0.02 / 3, rel=0.15)
    threads = noise._smooth_along(white, np.full_like(white, 0.5), draws)
    assert min(correlation(threads, 1), correlation(threads.T, 1)) > 0.3  # in all directions


@pytest.mark.parametrize("hard", [True, False])
def test_in_camera_thresholds_leave_peaks(hard: bool) -> None:
    """Of noise on even ground the peaks, on an edge above the limit all of it."""
    white = 0.02 * np.random.default_rng(0).standard_normal((256, 256), np.float32)
    scene = np.zeros_like(white)
    scene[:, 128] = 0.9  # its detail is above any limit beside it too
    draws = Mock(np.random.Generator)
    draws.random.return_value = 0.0 if hard else 1.0
    draws.uniform.side_effect = [2.5, 1.0]  # standard deviations; all of the share
    left = noise._core(white, scene, draws)
    np.testing.assert_allclose(left[8:-8, 128], white[8:-8, 128], atol=1e-6)
    even = left[8:-8, 20:100]
    assert even.std() < 0.5 * white.std()
    kurtosis = np.mean(((even - even.mean()) / even.std()) ** 4)
    assert kurtosis > 4  # 3 is normal
    limit = np.float32(0.1)
    values = np.array([-0.5, -0.05, 0.05, 0.5], np.float32)
    expected = [-0.5, 0, 0, 0.5] if hard else [-0.4, 0, 0, 0.4]
    np.testing.assert_allclose(noise._shrink(values, limit, hard), expected, atol=1e-6)


SHARP: tuple[Demosaicing, ...] = ("malvar", "hamilton-adams")


@pytest.mark.parametrize("kind", ["bilinear", "edge-aware", *SHARP])
@pytest.mark.parametrize("phase", range(4))
def test_demosaicing_inverts_the_mosaic(phase: int, kind: Demosaicing) -> None:
    """A smooth scene survives mosaic and demosaicing in all four Bayer phases."""
    ramp = np.linspace(0.1, 0.9, 64, dtype=np.float32)
    down, across = np.meshgrid(ramp, ramp, indexing="ij")
    scene = np.stack([down, across, np.full_like(down, 0.5)], axis=2)
    again = noise._demosaic(noise._mosaic(scene, phase), phase, kind)
    assert np.abs(again - scene)[4:-4, 4:-4].max() < 0.01
    assert np.abs(again - scene).max() < 0.05


@pytest.mark.parametrize("kind", SHARP)
@pytest.mark.parametrize("phase", range(4))
def test_cameras_keep_fine_detail(phase: int, kind: Demosaicing) -> None:
    """Of grey stripes and a grey edge they lose far less than bilinear interpolation does."""
    y, x = np.mgrid[:64, :64]
    grey = 0.5 + 0.2 * np.cos(2 * np.pi * x / 5) + 0.1 * (x + y > 60)
    scene = np.repeat(grey[..., None].astype(np.float32), 3, axis=2)
    lost = {
        name: np.square(noise._demosaic(noise._mosaic(scene, phase), phase, name) - scene).mean()
        for name in ("bilinear", kind)
    }
    assert lost[kind] < 0.25 * lost["bilinear"]


@pytest.mark.parametrize("kind", SHARP)
def test_sharp_demosaicing_keeps_the_noise_white(kind: Demosaicing) -> None:
    """At up to two fifths of the sampling rate luma has over three fifths of the power below one.

    Bilinear interpolation leaves a quarter of it there. Towards the corners both have little.
    """
    flat = np.full((256, 256, 3), 0.4, np.float32)

    def bands(name: Demosaicing) -> list[float]:
        sensor = replace(PLAIN, demosaicing=name)
        grain = noise._expose(flat, sensor, np.random.default_rng(0), 0) @ LUMA
        power = np.abs(np.fft.fft2(grain)) ** 2
        radius = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256)[None])
        ranges = ((0.05, 0.2), (0.3, 0.42), (0.6, 0.71))
        return [float(power[(radius >= a) & (radius < b)].mean()) for a, b in ranges]

    low, middle, corner = bands(kind)
    assert middle > 0.6 * low and corner < 0.25 * middle
    low, middle, _ = bands("bilinear")
    assert middle < 0.35 * low


def test_white_balance_comes_before_demosaicing() -> None:
    """Of a grey surface the interpolated colours agree, however unlike the sensor's are."""
    sensor = replace(PLAIN, shot=0.0, read=0.0, gains=(2.0, 1.0, 1.6), demosaicing="malvar")
    scene = np.zeros((32, 32, 3), np.float32)
    scene[:, 16:] = 0.8
    assert not noise._expose(scene, sensor, np.random.default_rng(0), 0).any()


def test_coloured_noise_has_drawn_spectra() -> None:
    """Of any strength, flat to anywhere; on a grey image, and mostly else, it is grey."""
    ratios, grey, spread = [], [], []
    for seed in range(60):
        clean = np.full((96, 96, 3), 0.5, np.float32)
        with_it = noise.coloured(clean, np.random.default_rng(seed)) - clean
        plane = with_it @ LUMA
        power = np.abs(np.fft.fft2(plane - plane.mean())) ** 2
        radius = np.hypot(np.fft.fftfreq(96)[:, None], np.fft.fftfreq(96)[None])
        low, high = power[(radius > 0) & (radius < 0.15)].mean(), power[radius > 0.45].mean()
        ratios.append(high / low)
        grey.append((with_it - plane[..., None]).std() < 0.3 * plane.std())
        spread.append(255 * with_it.std())
    assert min(ratios) < 0.01 and max(ratios) > 0.8
    assert 0.4 < np.mean(grey) < 0.95
    assert min(spread) < 4 and max(spread) > 25


@pytest.mark.parametrize("shape", [(40, 31, 1), (1, 1, 3), (3, 5, 3), (6, 6, 1), (1, 40, 3)])
def test_coloured_noise_of_any_size(shape: tuple[int, int, int]) -> None:
    """Tiny images get noise of its strength too, and none where there is room for none."""
    clean = np.full(shape, 0.5, np.float32)
    for seed in range(30):
        noisy = noise.coloured(clean, np.random.default_rng(seed))
        assert noisy.shape == shape and np.abs(noisy - clean).max() < 6 * 35 / 255


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


def test_a_third_of_the_white_noise_is_faint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of that and more under 1.5 of 255, none under 0.3; the rest is of 0 to 55."""
    sigmas: list[float] = []

    def white(clean: NDArray[Any], _: np.random.Generator, sigma: float) -> NDArray[Any]:
        sigmas.append(255 * sigma)
        return clean

    monkeypatch.setattr(noise, "gaussian", white)
    for other in ("camera", "grain", "coloured"):
        monkeypatch.setattr(noise, other, lambda clean, _: clean)
    clean, rng = np.zeros((4, 4, 3), np.float32), np.random.default_rng(0)
    for _ in range(5000):
        noise.photo(clean, rng)
    drawn = np.array(sigmas)
    assert len(drawn) / 5000 == pytest.approx(0.40, abs=0.03)
    assert np.mean(drawn < 5) == pytest.approx(1 / 3 + 2 / 3 * 5 / 55, abs=0.04)
    assert np.mean(drawn < 1.5) == pytest.approx(0.572 / 3 + 2 / 3 * 1.5 / 55, abs=0.03)
    assert drawn.max() < 55 and np.mean(drawn < 0.3) < 0.01


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
