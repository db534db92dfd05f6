"""Losses by name. Each takes denoised and clean images, N x C x H x W in [0, 1].

`censored-mse` alone takes noisy targets, and the strength of their noise as further channels.
"""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "LOSSES",
    "censored_mse",
    "charbonnier",
    "clipped_l1",
    "clipped_pinball",
    "ms_ssim",
    "psnr_loss",
]

# Exponents of the five scales (Wang, Simoncelli, Bovik, 2003), from the finest.
_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW = 11
_EDGE = 1 / 255


def censored_mse(denoised: Tensor, target: Tensor) -> Tensor:
    """The squared error to a noisy image whose noise was cut off at black and white.

    A file in 8 bits holds max(0, min(1, clean + noise)), whose mean is brighter than black and
    darker than white. What is compared with it is the mean that the denoised image would have
    under that noise, in closed form (Tobin, 1958), so that the denoised image itself tends to the
    clean one.

    Args:
        denoised: N x C x H x W.
        target: N x 2 C x H x W: the noisy image, and the standard deviation of its noise.
    """
    noisy, sigma = target.chunk(2, 1)
    sigma = sigma.clamp(min=1e-4)
    low, high = -denoised / sigma, (1 - denoised) / sigma
    under, upto = torch.special.ndtr(low), torch.special.ndtr(high)
    density = (torch.exp(-low.square() / 2) - torch.exp(-high.square() / 2)) / math.sqrt(
        2 * math.pi
    )
    mean = denoised * (upto - under) + 1 - upto + sigma * density
    error: Tensor = mean - noisy
    return error.square().mean()


def charbonnier(denoised: Tensor, clean: Tensor) -> Tensor:
    """A smooth absolute error, sqrt(d^2 + 0.001^2) (Charbonnier et al., 1994)."""
    return ((denoised - clean).square() + 1e-6).sqrt().mean()


def clipped_l1(denoised: Tensor, clean: Tensor) -> Tensor:
    """The absolute error, hardly counted where it is clipped away: beyond black and white.

    A value below 0 where the clean image is black, or above 1 where it is white, is right once
    clipped; it keeps a fiftieth of its weight so that it stays near.
    """
    return _clipped_error(denoised, clean).abs().mean()


def clipped_pinball(denoised: Tensor, clean: Tensor) -> Tensor:
    """`clipped_l1` to which what is too bright counts five thirds of what is too dark.

    The pinball loss (Koenker, Bassett, 1978) of the 0.375 quantile: where ink is nearly as likely
    as dirt it stays.
    """
    error = _clipped_error(denoised, clean)
    return torch.maximum(1.25 * error, -0.75 * error).mean()


def _clipped_error(denoised: Tensor, clean: Tensor) -> Tensor:
    """The error, a fiftieth of it where it is beyond black or white."""
    error = denoised - clean
    beyond = ((clean <= _EDGE) & (error < 0)) | ((clean >= 1 - _EDGE) & (error > 0))
    return torch.where(beyond, 0.02 * error, error)


def psnr_loss(denoised: Tensor, clean: Tensor) -> Tensor:
    """Minus the PSNR in dB, averaged over the images (as NAFNet, Chen et al., 2022)."""
    error = (denoised - clean).square().flatten(1).mean(1)
    return 10 / math.log(10) * (error + 1e-8).log().mean()


def ms_ssim(denoised: Tensor, clean: Tensor) -> Tensor:
    """One minus the multi-scale structural similarity (Wang, Simoncelli, Bovik, 2003).

    Images under 176 pixels have room for fewer than five scales; those that fit are used,
    with exponents that sum to one. Negative terms are raised to zero.
    """
    side = min(clean.shape[-2:])
    fit = 1 + max(0, int(math.log2(max(side, _WINDOW) / _WINDOW)))
    exponents = _SCALES[:fit]
    product = clean.new_ones(len(clean))
    for scale, exponent in enumerate(exponents):
        similarity, contrast = _ssim_terms(denoised, clean)
        term = similarity if scale == len(exponents) - 1 else contrast
        product = product * term.clamp(min=1e-6) ** (exponent / sum(exponents))
        denoised, clean = functional.avg_pool2d(denoised, 2), functional.avg_pool2d(clean, 2)
    return 1 - product.mean()


def _ssim_terms(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Mean SSIM and mean contrast-structure term of each image, an 11 x 11 Gaussian window."""
    size = min(_WINDOW, *one.shape[-2:])
    offsets = torch.arange(size, device=one.device, dtype=one.dtype) - (size - 1) / 2
    weights = torch.exp(-(offsets**2) / (2 * 1.5**2))
    weights = weights / weights.sum()
    channels = one.shape[1]
    kernel = torch.outer(weights, weights).expand(channels, 1, size, size)

    def mean(values: Tensor) -> Tensor:
        return functional.conv2d(values, kernel, groups=channels)

    mean1, mean2 = mean(one), mean(other)
    variance = mean(one * one) - mean1**2 + mean(other * other) - mean2**2
    covariance = mean(one * other) - mean1 * mean2
    contrast = (2 * covariance + 0.03**2) / (variance + 0.03**2)
    luminance = (2 * mean1 * mean2 + 0.01**2) / (mean1**2 + mean2**2 + 0.01**2)
    return (luminance * contrast).flatten(1).mean(1), contrast.flatten(1).mean(1)


LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": functional.mse_loss,
    "censored-mse": censored_mse,
    "l1": functional.l1_loss,
    "clipped-l1": clipped_l1,
    "clipped-pinball": clipped_pinball,
    "charbonnier": charbonnier,
    "psnr": psnr_loss,
    "ms-ssim": ms_ssim,
}
