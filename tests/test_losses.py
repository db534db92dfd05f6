import math

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from imgclean.losses import LOSSES, _ssim_terms
from imgclean.pictures import beside, grid, plot_losses, scale


def batch(side: int = 48, channels: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    clean = torch.rand(2, channels, side, side, generator=generator)
    return (clean + 0.1 * torch.randn(clean.shape, generator=generator)).clamp(0, 1), clean


@pytest.mark.parametrize("name", sorted(LOSSES.keys() - {"censored-mse"}))
@pytest.mark.parametrize("side", [7, 48])
def test_losses_fall_towards_the_clean_image(name: str, side: int) -> None:
    """Every loss is finite, smaller half way to the clean image, and has a gradient."""
    noisy, clean = batch(side)
    loss = LOSSES[name]
    values = [float(loss(clean + share * (noisy - clean), clean)) for share in (1, 0.5, 0)]
    assert all(map(math.isfinite, values)) and values[0] > values[1] > values[2]
    guess = noisy.clone().requires_grad_()
    torch.autograd.backward(loss(guess, clean))
    assert guess.grad is not None and bool(torch.isfinite(guess.grad).all())


@pytest.mark.parametrize("level", [0.0, 0.03, 0.5, 0.98, 1.0])
def test_censored_noise_is_seen_through(level: float) -> None:
    """The clean value has the least error, though the mean of its noisy versions lies elsewhere."""
    sigma = 0.1
    noise = sigma * torch.randn(1, 1, 400, 400, generator=torch.Generator().manual_seed(0))
    noisy = (level + noise).clamp(0, 1)
    target = torch.cat([noisy, torch.full_like(noisy, sigma)], dim=1)
    guesses = level + torch.tensor([-0.02, -0.01, 0.0, 0.01, 0.02])
    values = [float(LOSSES["censored-mse"](torch.full_like(noisy, g), target)) for g in guesses]
    assert values.index(min(values)) == 2
    if level in (0.0, 1.0):
        assert abs(float(noisy.mean()) - level) > 0.03  # what a plain mean would teach
    far = torch.tensor([[[[-3.0, 4.0]]]], requires_grad=True)
    torch.autograd.backward(LOSSES["censored-mse"](far, target[..., :1, :2]))
    assert far.grad is not None and bool(torch.isfinite(far.grad).all())


def test_ssim_agrees_with_scikit_image() -> None:
    """One scale of MS-SSIM is the SSIM of scikit-image away from the border."""
    noisy, clean = (images[:1, :1] for images in batch(64))
    _, full = structural_similarity(
        noisy[0, 0].numpy(), clean[0, 0].numpy(), data_range=1.0, gaussian_weights=True,
        sigma=1.5, use_sample_covariance=False, full=True,
    )  # fmt: skip
    assert float(_ssim_terms(noisy, clean)[0]) == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-4)


def test_psnr_loss_is_minus_the_psnr() -> None:
    """The psnr loss is minus decibels."""
    clean = torch.zeros(1, 1, 8, 8)
    assert float(LOSSES["psnr"](clean + 0.1, clean)) == pytest.approx(-20, abs=0.01)


def test_clipped_l1_hardly_counts_what_is_clipped_away() -> None:
    """Beyond black and white an error has a fiftieth of its weight; elsewhere it is L1's."""
    clean = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.4, 0.4]).reshape(1, 1, 1, 6)
    error = torch.tensor([-0.5, 0.5, 0.1, -0.1, 0.1, -0.1]).reshape(1, 1, 1, 6)
    expected = (0.01 + 0.01 + 4 * 0.1) / 6
    assert float(LOSSES["clipped-l1"](clean + error, clean)) == pytest.approx(expected)


def test_clipped_pinball_counts_lost_ink_more_than_dirt() -> None:
    """What is too bright counts 5/4, what is too dark 3/4; beyond black and white a fiftieth."""
    clean = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.4, 0.4]).reshape(1, 1, 1, 6)
    error = torch.tensor([-0.5, 0.5, 0.1, -0.1, 0.1, -0.1]).reshape(1, 1, 1, 6)
    expected = (0.01 * 0.75 + 0.01 * 1.25 + 2 * 0.1 * 1.25 + 2 * 0.1 * 0.75) / 6
    assert float(LOSSES["clipped-pinball"](clean + error, clean)) == pytest.approx(expected)


def test_pictures() -> None:
    """Sheets hold every image, tiny ones enlarged; a plot survives any values."""
    rng = np.random.default_rng(0)
    pairs = [(rng.random((28, 28, 1), np.float32),) * 2 for _ in range(3)]
    assert beside([(a, b) for a, b in pairs]).shape == (3 * 116, 2 * 116, 3)
    assert grid([a for a, _ in pairs]).shape == (2 * 116, 2 * 116, 3)
    for values in ([], [1.0], [0.0, 0.0], [math.nan, 2.0, -1.0], [1e-9, 5e8]):
        plot = plot_losses([("training loss", values), ("validation loss", [])])
        assert plot.shape == (600, 960, 3) and plot.min() < 50


@pytest.mark.parametrize("limits", [(0.011, 0.0153), (-3, 8), (5, 5), (0, 1e-12)])
def test_axes_are_round(limits: tuple[float, float]) -> None:
    """Ticks are round numbers that span the values."""
    low, high, ticks = scale(*limits)
    assert low <= limits[0] and limits[1] <= high and 3 <= len(ticks) <= 12
