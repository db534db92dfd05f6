import builtins
import sys
from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from imgclean.errors import DependencyError
from imgclean.losses import ms_ssim as loss
from imgclean.metrics import estimate_sigma, lpips, ms_ssim, psnr, rmse, ssim


def scene(height: int = 240, width: int = 320, channels: int = 3) -> NDArray[np.float64]:
    """A smooth scene with a few hard edges, H x W x C in [0.15, 0.85]."""
    rng = np.random.default_rng(1)
    coarse = rng.uniform(0, 1, (6, 8, channels))
    image = np.atleast_3d(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
    image[height // 3 : height // 2, width // 4 : width // 2] *= 0.5
    result: NDArray[np.float64] = 0.15 + 0.7 * np.clip(image, 0, 1)
    return result


def page(paper: int) -> NDArray[np.uint8]:
    """A grey page of text, 400 x 600 x 1, in 8-bit units."""
    image = np.full((400, 600), paper, np.uint8)
    for y in range(40, 380, 26):
        cv2.putText(image, "the five boxing wizards jump", (20, y), 0, 0.8, 20, 2, cv2.LINE_AA)
    return image[..., None]


def noisy8(clean: NDArray[np.float64], sigma: float) -> NDArray[np.uint8]:
    """With Gaussian noise of sigma in 8-bit units, clipped and rounded to 8 bits."""
    noise = np.random.default_rng(2).normal(0, sigma, clean.shape)
    return np.clip(np.rint(clean * 255 + noise), 0, 255).astype(np.uint8)


def test_psnr_known() -> None:
    """One tenth of the range everywhere is 20 dB, in every type."""
    clean = np.full((9, 7, 3), 0.5)
    assert psnr(clean=clean, other=clean + 0.1) == pytest.approx(20)
    grey = np.full((9, 7), 100, np.uint8)
    assert psnr(clean=grey, other=grey + 5, peak=50) == pytest.approx(20)
    deep = np.zeros((2, 2), np.uint16)
    assert psnr(clean=deep, other=deep + np.uint16(655)) == pytest.approx(40, abs=0.01)


def test_psnr_equal() -> None:
    """Equal images are infinitely alike."""
    assert psnr(clean=page(255), other=page(255)) == float("inf")


def test_rmse_types() -> None:
    """The error is on the scale [0, 1], without wrapping round in 8 bits."""
    black, white = np.zeros((3, 3), np.uint8), np.full((3, 3), 255, np.uint8)
    assert rmse(clean=black, other=white) == 1
    assert rmse(clean=white, other=np.full((3, 3), 65535, np.uint16)) == 0


@pytest.mark.parametrize("metric", [psnr, rmse, ssim])
def test_shapes_differ(metric: type) -> None:
    """Images of different shapes are refused rather than broadcast."""
    with pytest.raises(ValueError, match="different shapes"):
        metric(clean=np.zeros((12, 12, 3)), other=np.zeros((12, 12, 1)))


def test_ssim_formula() -> None:
    """SSIM is the formula of Wang et al. with an 11 x 11 Gaussian window."""
    clean = scene(60, 70, 1)[..., 0]
    other = np.clip(clean + np.random.default_rng(3).normal(0, 0.1, clean.shape), 0, 1)
    window = cv2.getGaussianKernel(11, 1.5)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.sepFilter2D(values, -1, window, window), np.float64)

    mu, nu = mean(clean), mean(other)
    covariance = mean(clean * other) - mu * nu
    variances = mean(clean**2) - mu**2 + mean(other**2) - nu**2
    c1, c2 = 0.01**2, 0.03**2
    every = (2 * mu * nu + c1) * (2 * covariance + c2) / ((mu**2 + nu**2 + c1) * (variances + c2))
    assert ssim(clean=clean, other=other) == pytest.approx(every[5:-5, 5:-5].mean(), abs=1e-6)


def test_ssim_colour() -> None:
    """Colour images score the mean of their channels, and equal images score 1."""
    clean = scene(40, 50)
    other = noisy8(clean, 20)
    each = [ssim(clean=clean[..., k], other=other[..., k]) for k in range(3)]
    assert ssim(clean=clean, other=other) == pytest.approx(np.mean(each), abs=1e-9)
    assert ssim(clean=clean, other=clean) == pytest.approx(1)


@pytest.mark.parametrize("shape", [(1, 1), (3, 50, 3), (10, 10, 1)])
def test_ssim_small(shape: tuple[int, ...]) -> None:
    """Images smaller than the window are scored too."""
    ones = np.ones(shape)
    assert ssim(clean=ones, other=ones) == pytest.approx(1)
    assert ssim(clean=ones, other=0 * ones) < 0.01


def test_ssim_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without scikit-image the message says what to install."""
    original = builtins.__import__

    def refuse(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> object:
        if name.startswith("skimage"):
            raise ImportError(name)
        return original(name, globals, locals, fromlist, level)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(DependencyError, match="pip install scikit-image"):
        ssim(clean=np.zeros((12, 12)), other=np.zeros((12, 12)))


@pytest.mark.parametrize("sigma", [5, 15, 25, 50])
@pytest.mark.parametrize("channels", [1, 3])
def test_sigma_scene(sigma: float, channels: int) -> None:
    """Gaussian noise is measured within 10 %, after clipping and rounding to 8 bits."""
    image = noisy8(scene(channels=channels), sigma)
    assert estimate_sigma(image) * 255 == pytest.approx(sigma, rel=0.1)


def test_sigma_types() -> None:
    """The same image gives the same sigma in every type and with or without a channel axis."""
    image = noisy8(scene(channels=1), 20)
    sigma = estimate_sigma(image)
    assert estimate_sigma(image[..., 0]) == sigma
    assert estimate_sigma(image.astype(np.uint16) * np.uint16(257)) == pytest.approx(sigma, 1e-3)
    assert estimate_sigma(image / np.float32(255)) == pytest.approx(sigma, 1e-3)
    assert estimate_sigma(np.repeat(image, 3, axis=2)) == pytest.approx(sigma, 1e-3)


@pytest.mark.parametrize("value", [0, 100, 255])
def test_sigma_flat(value: int) -> None:
    """A flat image has exactly no noise."""
    assert estimate_sigma(np.full((50, 60, 3), value, np.uint8)) == 0


@pytest.mark.parametrize("paper", [235, 255])
def test_sigma_clean(paper: int) -> None:
    """A clean scene and clean text count as nearly noise-free."""
    assert estimate_sigma(noisy8(scene(), 0)) * 255 < 1
    assert estimate_sigma(page(paper)) * 255 < 1


@pytest.mark.parametrize("sigma", [5, 10, 25])
@pytest.mark.parametrize("paper", [235, 255])
def test_sigma_page(paper: int, sigma: float) -> None:
    """Noise on paper is found although white paper clips half of it."""
    image = noisy8(page(paper) / 255, sigma)
    assert estimate_sigma(image) * 255 == pytest.approx(sigma, rel=0.2)


def test_sigma_half_saturated() -> None:
    """A region without information does not hide the noise of the rest."""
    image = noisy8(scene(), 20)
    image[:, :150] = 255
    image[:40] = 16
    assert estimate_sigma(image) * 255 == pytest.approx(20, rel=0.1)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5000, 3), (5000, 7, 1), (0, 0, 3), (8, 8, 3)])
def test_sigma_tiny(shape: tuple[int, int, int]) -> None:
    """An image that is too small to tell counts as noise-free."""
    noise = np.random.default_rng(4).integers(0, 256, shape, dtype=np.uint8)
    assert estimate_sigma(noise) == 0


def test_ms_ssim_known() -> None:
    """It agrees with our differentiable version, and small images have none."""
    pytest.importorskip("torchmetrics")
    clean = scene(200, 240)
    other = noisy8(clean, 25) / 255
    one, two = (torch.from_numpy(image.transpose(2, 0, 1))[None] for image in (other, clean))
    assert ms_ssim(clean=clean, other=other) == pytest.approx(1 - float(loss(one, two)), abs=2e-3)
    assert ms_ssim(clean=clean, other=clean) == pytest.approx(1)
    assert ms_ssim(clean=clean[:175], other=clean[:175]) is None
    assert ms_ssim(clean=clean[:176], other=clean[:176]) == pytest.approx(1)


@pytest.mark.parametrize("channels", [1, 3])
def test_bands_change_nothing(monkeypatch: pytest.MonkeyPatch, channels: int) -> None:
    """Large images are measured in bands of rows, and give what they give whole."""
    whole = pytest.importorskip("torchmetrics.functional.image")
    clean = scene(331, 240, channels)
    other = noisy8(clean, 25) / 255
    measures = (rmse, ssim, ms_ssim)
    before = [measure(clean=clean, other=other) for measure in measures]
    pair = [torch.from_numpy(i.transpose(2, 0, 1).astype("f4"))[None] for i in (other, clean)]
    theirs = whole.multiscale_structural_similarity_index_measure(
        *pair, data_range=1.0, normalize="relu"
    )
    assert before[2] == pytest.approx(float(theirs), abs=1e-6)
    monkeypatch.setattr("imgclean.metrics._BAND", 240 * 37)
    for measure, value in zip(measures, before, strict=True):
        assert measure(clean=clean, other=other) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("module", "metric", "extra"), [("lpips", lpips, "lpips"), ("torchmetrics", ms_ssim, "eval")]
)
def test_missing_extras_are_named(
    monkeypatch: pytest.MonkeyPatch, module: str, metric: Callable[..., object], extra: str
) -> None:
    """Without its package a metric says which extra to install."""
    for name in [*sys.modules, module]:
        if name.partition(".")[0] == module:
            monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DependencyError, match=rf"imgclean\[{extra}\]"):
        metric(clean=page(255), other=page(255))
