"""How far two images are apart, and how much noise a single image carries.

Every function takes H x W or H x W x C pixels in uint8, uint16 or float in [0, 1].
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgclean.errors import DependencyError
from imgclean.pixels import full_range

__all__ = [
    "estimate_sigma",
    "lpips",
    "ms_ssim",
    "noise_curve",
    "psnr",
    "rmse",
    "ssim",
]

_WINDOW = 11  # pixels a side, of SSIM
_SHARES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the five sizes of MS-SSIM, by its authors
_BAND = 1 << 19  # pixels looked at at a time, to bound memory
_DRAWN = 0.1  # share of exactly flat patches above which an image counts as drawn
_SIDE = 8  # of the patches whose cosine transform is taken
_LOW = 6  # u + v below this is image content, from it upwards noise
_PATCHES = 20_000  # looked at per channel, whatever the image's size
_FLATTEST = 0.005  # share of the patches that is measured, and never fewer than _FEWEST
_FEWEST = 64
_RANGES = 5  # of brightness, in `noise_curve`
_CLIPPED = 0.6  # patches with a larger share of clipped pixels say too little


def psnr(
    *, clean: NDArray[np.generic], other: NDArray[np.generic], peak: float | None = None
) -> float:
    """Peak signal-to-noise ratio over all pixels and channels.

    Args:
        clean: The reference, H x W or H x W x C.
        other: What is compared with it, of the same shape.
        peak: The largest possible value, in the units of the pixels. By default the full range
            of each image's own type: 255, 65535 or 1.

    Returns:
        Decibels; infinite where the two are equal.

    Raises:
        ValueError: The shapes differ.
    """
    scale = 1.0 if peak is None else peak / full_range(clean)
    error = rmse(clean=clean, other=other)
    return float("inf") if error == 0 else float(20 * np.log10(scale / error))


def rmse(*, clean: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    """Root of the mean squared error, on the scale [0, 1] whatever the type of the pixels.

    Raises:
        ValueError: The shapes differ.
    """
    _same_shape(clean, other)
    total = 0.0
    for rows in _bands(clean.shape, 0):
        total += float(np.sum((_unit(clean[rows]) - _unit(other[rows])) ** 2))
    return float(np.sqrt(total / clean.size)) if clean.size else float("nan")


def ssim(*, clean: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    """Structural similarity, mean over pixels and channels (Wang et al. 2004).

    An 11 x 11 Gaussian window of sigma 1.5 without sample covariance, as in the paper. Images
    smaller than the window are first extended by reflection.

    Returns:
        A number up to 1, which means equal.

    Raises:
        DependencyError: scikit-image is not installed.
        ValueError: The shapes differ.
    """
    _same_shape(clean, other)
    try:
        from skimage.metrics import structural_similarity
    except ImportError as error:
        raise DependencyError(
            "SSIM: scikit-image is missing; install it with 'pip install scikit-image'"
        ) from error
    clean, other = _at_least(clean, _WINDOW), _at_least(other, _WINDOW)
    return _mean_over_bands(
        clean.shape,
        lambda rows: structural_similarity(
            _unit(clean[rows]),
            _unit(other[rows]),
            data_range=1.0,
            channel_axis=-1 if clean.ndim == 3 else None,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        ),
    )


def ms_ssim(*, clean: NDArray[np.generic], other: NDArray[np.generic]) -> float | None:
    """Structural similarity over five sizes (Wang, Simoncelli and Bovik 2003), by torchmetrics.

    The window is that of `ssim`; negative terms count as zero.

    Returns:
        A number up to 1, which means equal; None for images of under 176 pixels in height or
        width, which the fifth size leaves too little of.

    Raises:
        DependencyError: torchmetrics is not installed.
        ValueError: The shapes differ.
    """
    _same_shape(clean, other)
    try:
        from torchmetrics.functional.image import structural_similarity_index_measure as measure
    except ImportError as error:
        raise DependencyError(
            "MS-SSIM: torchmetrics is missing; install it with pip install 'imgclean[eval]'"
        ) from error
    if min(clean.shape[:2]) < 176:  # 16 times the window of 11
        return None
    from torch.nn.functional import avg_pool2d

    pair, product = [_tensor(other), _tensor(clean)], 1.0

    def contrast(rows: slice) -> Any:
        band = (image[:, :, rows] for image in pair)
        return measure(*band, data_range=1.0, return_contrast_sensitivity=True)[1]

    for share in _SHARES[:-1]:  # contrast and structure; brightness counts in the last size alone
        product *= np.maximum(0.0, _mean_over_bands(pair[0].shape[2:], contrast)) ** share
        pair = [avg_pool2d(image, 2) for image in pair]
    return float(product * np.maximum(0.0, float(measure(*pair, data_range=1.0))) ** _SHARES[-1])


def lpips(*, clean: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    """Distance of the features of an AlexNet (Zhang et al. 2018), by its authors' package.

    Images under 64 pixels are first extended by reflection.

    Returns:
        A number from 0, which means equal.

    Raises:
        DependencyError: the package lpips is not installed, or its network cannot be downloaded.
        ValueError: The shapes differ.
    """
    _same_shape(clean, other)
    import torch

    pair = [2 * _tensor(pixels, 64).expand(-1, 3, -1, -1) - 1 for pixels in (other, clean)]
    with torch.inference_mode():
        return float(_perceptual()(*pair))


@cache
def _perceptual() -> Any:
    """The network of LPIPS, fetched once by torchvision into its own cache."""
    try:
        from lpips import LPIPS
    except ImportError as error:
        raise DependencyError(
            "LPIPS: the package lpips is missing; install it with pip install 'imgclean[lpips]'"
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it uses names that torchvision has since replaced
            return LPIPS(net="alex", verbose=False).eval()
    except OSError as error:
        raise DependencyError(
            f"LPIPS: the AlexNet that it needs cannot be downloaded ({error}); connect once, or "
            "leave out --lpips"
        ) from error


def _tensor(pixels: NDArray[np.generic], side: int = 1) -> Any:
    """1 x C x H x W float32 in [0, 1], of at least this height and width."""
    import torch

    image = np.atleast_3d(_at_least(pixels, side)).astype(np.float32)
    image /= np.float32(full_range(pixels))
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]


def estimate_sigma(pixels: NDArray[np.generic]) -> float:
    """Standard deviation of the noise in one image, found without its clean version.

    Sorts 8 x 8 patches by the energy of their low cosine frequencies, where images live, and
    measures the high frequencies of the flattest: for white noise the two are independent, so
    the choice does not bias the measure (Ponomarenko et al. 2007; analysed by Colom & Buades,
    IPOL 2013). Added here: the variance that clipping at black or white removed is put back
    (censored normal distribution); where the flattest patches vary more over all frequencies
    than in the high ones, the noise is correlated and that larger variance is taken; and in
    drawn images, where many patches are exactly flat, low frequencies in the flattest of the
    others are text, so the estimate fades to 0.

    Noise that is correlated between neighbouring pixels, as after a camera's demosaicing, after
    JPEG or after resizing, is still underestimated. Noise that depends on brightness is
    reported as it is in the flattest regions.

    Args:
        pixels: H x W or H x W x C, uint8, uint16 or float in [0, 1].

    Returns:
        Sigma in [0, 1] units, the root mean square over the channels. 0.0 for flat images and
        for images under 8 pixels in height or width.
    """
    image = pixels if pixels.ndim == 3 else pixels[..., None]
    if min(image.shape[:2]) < _SIDE or image.shape[2] == 0:
        return 0.0
    variances = [_variance(patches) for patches in _patches_of(image)]
    return float(np.sqrt(np.mean(variances)))


def noise_curve(
    pixels: NDArray[np.generic],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variance of the noise by brightness: `estimate_sigma` in five ranges of each channel.

    Args:
        pixels: H x W x C, uint8, uint16 or float in [0, 1].

    Returns:
        Mean brightness of each range and the variance there, both on [0, 1]. Empty for images
        under 8 pixels in height or width; ranges of fewer than 64 patches are left out.
    """
    points = []
    for patches in _patches_of(pixels) if min(pixels.shape[:2]) >= _SIDE else ():
        means = patches.mean(axis=1)
        for part in np.array_split(np.argsort(means), _RANGES):
            if len(part) >= _FEWEST:
                points.append((float(means[part].mean()), _variance(patches[part])))
    found = np.array(points, np.float64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _patches_of(image: NDArray[np.generic]) -> Iterator[NDArray[np.float32]]:
    """For each channel of an H x W x C image, N x 64 patches in [0, 1]."""
    height, width, channels = image.shape
    step = max(1, int(((height - _SIDE + 1) * (width - _SIDE + 1) / _PATCHES) ** 0.5))
    step += 1 - step % 2  # odd, so that patches fall on every phase of the 8 x 8 grid of JPEG
    windows = np.lib.stride_tricks.sliding_window_view(image, (_SIDE, _SIDE), axis=(0, 1))
    chosen = windows[::step, ::step]  # a view; one channel at a time is copied, to spare memory
    scale = np.float32(1 / full_range(image))
    for channel in range(channels):
        patches = chosen[:, :, channel].astype(np.float32).reshape(-1, _SIDE * _SIDE)
        patches *= scale
        yield patches


def _variance(patches: NDArray[np.float32]) -> float:
    """Variance of the noise in N x 64 patches of one channel in [0, 1]."""
    clipped = ((patches <= 0) | (patches >= 1)).mean(axis=1)
    varies = patches.max(axis=1) > patches.min(axis=1)
    drawn = np.count_nonzero(~varies) > _DRAWN * len(patches)
    if 2 * np.count_nonzero(varies) < np.count_nonzero(clipped < 1):
        return 0.0  # drawn, not photographed: most of it is exactly flat
    usable = varies & (clipped <= _CLIPPED)
    if np.count_nonzero(usable) < _SIDE:
        return 0.0
    low_rows, high_rows = _cosines()
    kept, remains = patches[usable], _variance_left(clipped[usable])
    kept -= kept.mean(axis=1, keepdims=True)
    low = np.mean((kept @ low_rows.T) ** 2, axis=1) / remains
    count = min(len(low), max(_FEWEST, int(_FLATTEST * len(low))))
    flattest = np.argpartition(low, count - 1)[:count]
    high = np.mean((kept[flattest] @ high_rows.T) ** 2, axis=1) / remains[flattest]
    variance = float(np.median(high))
    if not drawn:
        throughout = np.mean(kept[flattest] ** 2, axis=1) / remains[flattest]
        return max(variance, float(np.median(throughout)))
    if variance == 0:
        return 0.0
    texture = float(np.median(low[flattest])) / variance  # about 0.5 for white noise
    return variance * min(max(2.25 - texture, 0.0), 1.0) ** 2


@cache
def _cosines() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rows of the orthonormal 8 x 8 cosine transform: low frequencies without the mean, high."""
    order = np.arange(_SIDE)
    rows = np.cos(np.pi * (2 * order + 1) * order[:, None] / (2 * _SIDE)) * (2 / _SIDE) ** 0.5
    rows[0] /= 2**0.5
    basis = np.einsum("ui,vj->uvij", rows, rows).reshape(_SIDE**2, _SIDE**2).astype(np.float32)
    frequency = np.add.outer(order, order).ravel()
    return basis[(frequency > 0) & (frequency < _LOW)], basis[frequency >= _LOW]


def _variance_left(clipped: NDArray[np.float64]) -> NDArray[np.float32]:
    """Share of the variance of normal noise that is left when these shares are clipped."""
    shares, left = _censored()
    return np.where(clipped > 0, np.interp(clipped, shares, left), 1).astype(np.float32)


@cache
def _censored() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of a unit normal cut off at one side, and the variance that is then left."""
    normal = NormalDist()
    shares = np.linspace(0.001, _CLIPPED, 61)
    left = []
    for cut in shares.tolist():
        edge, kept = normal.inv_cdf(1 - cut), 1 - cut
        mean = edge * cut - normal.pdf(edge)
        left.append(kept - edge * normal.pdf(edge) + edge**2 * cut - mean**2)
    return shares, np.array(left)


def _unit(pixels: NDArray[np.generic]) -> NDArray[np.float64]:
    return pixels.astype(np.float64) / full_range(pixels)


def _bands(shape: Sequence[int], more: int) -> Iterator[slice]:
    """Rows of an image in bands, each with so many more that the next one has too."""
    height, width = shape[:2]
    step = max(1, _BAND // max(1, width))
    for top in range(0, height - more, step):
        yield slice(top, min(top + step, height - more) + more)


def _mean_over_bands(shape: Sequence[int], measure: Callable[[slice], Any]) -> float:
    """The mean over all places of the window of what `measure` says of the rows of a band."""
    bands = list(_bands(shape, _WINDOW - 1))
    places = [rows.stop - rows.start - _WINDOW + 1 for rows in bands]
    return float(np.average([float(measure(rows)) for rows in bands], weights=places))


def _at_least(pixels: NDArray[np.generic], side: int) -> NDArray[np.generic]:
    """Pixels extended by reflection to this height and width."""
    missing = [(0, max(0, side - length)) for length in pixels.shape[:2]]
    if not any(after for _, after in missing):
        return pixels
    return np.pad(pixels, missing + [(0, 0)] * (pixels.ndim - 2), mode="symmetric")


def _same_shape(clean: NDArray[np.generic], other: NDArray[np.generic]) -> None:
    if clean.shape != other.shape:
        raise ValueError(f"images of different shapes: {clean.shape} and {other.shape}")
