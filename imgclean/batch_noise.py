"""The camera and the grain of `noise.py` for whole batches, for training on a GPU.

Images are N x 3 x H x W float32, RGB, sRGB-encoded, range [0, 1]; every image of a batch has a
camera of its own. Distributions are those of `noise.camera`; the draws differ. What differs
beside them: where that one mirrors the image at its edge this one wraps around, so that the outer
`SEAM` pixels are of no use; the grid of JPEG's blocks begins at the first pixel, so that a patch
cut out at a random place of `PERIOD` has it anywhere; photos are shrunk by eight factors, and
enlarged by four.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .noise import (
    BANDED,
    BANDING,
    BANDS,
    DEMOSAICING,
    LINES,
    MALVAR_BESIDE,
    MALVAR_CORNERS,
    MALVAR_GREEN,
    THICK,
    UPRIGHT,
)
from .pixels import LUMA

__all__ = [
    "MARGIN",
    "PERIOD",
    "SEAM",
    "Sensors",
    "brightness",
    "camera",
    "coloured",
    "draw_sensors",
    "grain",
    "jpeg",
    "often_coded",
    "part_of",
]

SEAM = 8  # pixels at each edge whose noise knows of the opposite one
PERIOD = 16  # pixels: of JPEG's blocks where colours have half the resolution
MARGIN = 2 * SEAM + PERIOD  # pixels across to draw beside a patch and to cut off
_TOE = 0.0031308
_SCALES = tuple(1 + (2 * i + 1) / 16 for i in range(8))  # few: each is a size to plan for
_ZOOMS = (0.4, 0.54, 0.69, 0.83)
_KINDS = list(DEMOSAICING)


@dataclass(frozen=True)
class Sensors:
    """As `noise.Sensor`, with a value for each of N images: N x 1 x 1 x 1, gains N x 3 x 1 x 1.

    Of `demosaicing` that is its place in `noise.DEMOSAICING`.
    """

    shot: Tensor
    read: Tensor
    gains: Tensor
    crosstalk: Tensor
    gamma: Tensor
    contrast: Tensor
    demosaicing: Tensor
    banding: Tensor


class _Draw:
    """Numbers for each image of a batch, shaped to be multiplied with it."""

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self.count, self.generator = count, generator

    def uniform(self, low: float, high: float) -> Tensor:
        drawn = torch.rand(
            self.count, 1, 1, 1, generator=self.generator, device=self.generator.device
        )
        return low + (high - low) * drawn

    def log_uniform(self, low: float, high: float) -> Tensor:
        return self.uniform(math.log(low), math.log(high)).exp()

    def chance(self, probability: float) -> Tensor:
        return self.uniform(0, 1) < probability

    def choice(self, shares: list[float]) -> Tensor:
        """Places in a list of shares that add up to 1."""
        edges = torch.tensor(shares, device=self.generator.device).cumsum(0)[:-1]
        return torch.bucketize(self.uniform(0, 1), edges, right=True)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator, device=self.generator.device)


def draw_sensors(count: int, generator: torch.Generator) -> Sensors:
    """Draw so many cameras, as `noise.draw_sensor` does (Brooks et al., 2019)."""
    draw = _Draw(count, generator)
    shot = draw.log_uniform(1e-4, 1.2e-2)
    red, blue = draw.uniform(1.2, 2.4), draw.uniform(1.2, 2.2)
    read = (2.18 * shot.log() + 1.2 + 0.5 * draw.normal(count, 1, 1, 1)).exp()
    return Sensors(
        shot=shot,
        read=read,
        gains=torch.cat([red, torch.ones_like(red), blue], 1),
        crosstalk=draw.uniform(0.0, 0.6),
        gamma=draw.uniform(1.8, 2.4),
        contrast=draw.uniform(0.0, 0.6),
        demosaicing=draw.choice(list(DEMOSAICING.values())),
        banding=draw.chance(BANDED) * read.sqrt() * draw.log_uniform(*BANDING),
    )


def _tone(linear: Tensor, sensors: Sensors) -> Tensor:
    """The cameras' tone curves, see `noise._tone`."""
    power = 1 / sensors.gamma
    low = _TOE**power
    encoded = ((linear.clamp(0, 1) + _TOE) ** power - low) / ((1 + _TOE) ** power - low)
    smooth = encoded * encoded * (3 - 2 * encoded)
    return encoded + sensors.contrast * (smooth - encoded)


def _to_linear(image: Tensor, sensors: Sensors) -> Tensor:
    """Invert the tone curves: the blend with a smoothstep by Newton's method, the gamma exactly."""
    shown = image.clamp(0, 1)
    encoded, blend = shown, sensors.contrast
    for _ in range(4):
        value = encoded + blend * encoded * (encoded * (3 - 2 * encoded) - 1)
        slope = 1 + blend * (6 * encoded * (1 - encoded) - 1)
        encoded = (encoded - (value - shown) / slope).clamp(0, 1)
    power = 1 / sensors.gamma
    low = _TOE**power
    return (encoded * ((1 + _TOE) ** power - low) + low) ** sensors.gamma - _TOE


def _colour_matrices(sensors: Sensors) -> Tensor:
    """Colour corrections, N x 3 x 3, whose rows sum to one (`noise._colour_matrix`)."""
    device = sensors.shot.device
    pattern = _constant((0, -0.7, -0.3, -0.4, 0, -0.6, -0.1, -0.9, 0), device).view(3, 3)
    off = pattern * sensors.crosstalk[:, 0]
    return torch.eye(3, device=device) + off - torch.diag_embed(off.sum(2))


def _sites(red: Tensor, height: int, width: int) -> Tensor:
    """Which colour each photosite sees, N x 3 x H x W; red: row and column of the first, N x 2."""
    rows = torch.arange(height, device=red.device) % 2 == red[:, :1]
    columns = torch.arange(width, device=red.device) % 2 == red[:, 1:]
    rows, columns = rows[:, :, None], columns[:, None, :]
    reds, blues = rows & columns, ~rows & ~columns
    return torch.stack([reds, ~(reds | blues), blues], 1)


def _demosaic(single: Tensor, sites: Tensor, kind: Tensor) -> Tensor:
    """The colours of N x 1 x H x W mosaics, see `noise._demosaic`; `kind` is N x 1 x 1 x 1.

    Sides are even; edges wrap around.
    """
    simple = _interpolated(single, sites, kind == _KINDS.index("edge-aware"))
    malvar, adams = _malvar(single, sites), _hamilton_adams(single, sites)
    sharp = torch.where(kind == _KINDS.index("malvar"), malvar, adams)
    return torch.where(kind >= _KINDS.index("malvar"), sharp, simple)


def _interpolated(single: Tensor, sites: Tensor, edge_aware: Tensor) -> Tensor:
    """Bilinear or edge-aware, as OpenCV's.

    Edge-aware means that green, where it was not measured, is the mean of two neighbours along the
    direction in which these differ less, instead of all four.
    """
    left, right = torch.roll(single, 1, 3), torch.roll(single, -1, 3)
    up, below = torch.roll(single, 1, 2), torch.roll(single, -1, 2)
    across, down = (left + right) / 2, (up + below) / 2
    diagonal = (torch.roll(across, 1, 2) + torch.roll(across, -1, 2)) / 2
    along = torch.where((left - right).abs() > (up - below).abs(), down, across)
    green = torch.where(edge_aware, along, (across + down) / 2)
    return _placed(single, sites, green, across, down, diagonal)


def _placed(
    single: Tensor, sites: Tensor, green: Tensor, across: Tensor, down: Tensor, diagonal: Tensor
) -> Tensor:
    """Measured colours, and where they are missing these: of neighbours on a line, or the corners.

    Red and blue beside each other's sites lie across the corners, beside a green one in its row or
    its column.
    """
    red, measured, blue = sites[:, :1], sites[:, 1:2], sites[:, 2:]
    red_row = red | torch.roll(red, 1, 3)  # of a green site: whether red lies beside or below it
    beside, beyond = torch.where(red_row, across, down), torch.where(red_row, down, across)
    return torch.cat(
        [
            torch.where(red, single, torch.where(measured, beside, diagonal)),
            torch.where(measured, single, green),
            torch.where(blue, single, torch.where(measured, beyond, diagonal)),
        ],
        1,
    )


def _filtered(images: Tensor, kernel: np.ndarray) -> Tensor:
    """N x 1 x H x W images through a kernel of odd sides; edges wrap around."""
    flat = tuple(float(value) for value in kernel.ravel())
    weight = _constant(flat, images.device).view(1, 1, *kernel.shape)
    down, across = (side // 2 for side in kernel.shape)
    padded = functional.pad(images, (across, across, down, down), mode="circular")
    return functional.conv2d(padded, weight)


def _malvar(single: Tensor, sites: Tensor) -> Tensor:
    """See `noise._malvar`."""
    kernels = (MALVAR_GREEN, MALVAR_BESIDE, MALVAR_BESIDE.T, MALVAR_CORNERS)
    return _placed(single, sites, *(_filtered(single, kernel) for kernel in kernels))


def _hamilton_adams(single: Tensor, sites: Tensor) -> Tensor:
    """See `noise._hamilton_adams`."""
    green, slope = [], []
    for axis in (3, 2):
        one, other = torch.roll(single, 1, axis), torch.roll(single, -1, axis)
        curved = 2 * single - torch.roll(single, 2, axis) - torch.roll(single, -2, axis)
        green.append((one + other) / 2 + curved / 4)
        slope.append((other - one).abs() + curved.abs())
    across = 0.5 * (1 + torch.sign(slope[1] - slope[0]))
    full = torch.where(sites[:, 1:2], single, across * green[0] + (1 - across) * green[1])
    spread = np.outer((1, 2, 1), (1, 2, 1)) / 4
    red, blue = (full + _filtered((single - full) * sites[:, c : c + 1], spread) for c in (0, 2))
    return torch.cat([red, full, blue], 1)


def _bands(sensors: Sensors, draw: _Draw, height: int, width: int) -> Tensor:
    """Offsets of rows, or of columns, N x 1 x H x W; see `noise._bands`."""
    thick, sigma = draw.chance(0.5), draw.uniform(*THICK)

    def offsets(size: int) -> Tensor:
        drawn = draw.normal(draw.count, 1, size)
        soft = torch.fft.irfft(torch.fft.rfft(drawn) * _blur(sigma, size, True)[:, None], n=size)
        soft = soft / (soft.std(2, keepdim=True) + 1e-6)
        return torch.where(thick[..., 0], soft, drawn)

    rows, columns = offsets(height)[..., None], offsets(width)[:, :, None]
    return sensors.banding * torch.where(draw.chance(UPRIGHT), columns, rows)


def _expose(linear: Tensor, sensors: Sensors, draw: _Draw) -> Tensor:
    """The noise that one exposure adds, after white balance and demosaicing."""
    variance = linear / sensors.gains * sensors.shot + sensors.read
    grain = variance.sqrt() * draw.normal(*linear.shape)
    grain = (grain + _bands(sensors, draw, *linear.shape[2:])) * sensors.gains
    phase = draw.uniform(0, 4)[:, 0, 0, 0].long()
    sites = _sites(torch.stack([phase // 2, phase % 2], 1), *linear.shape[2:])
    level, single = ((values * sites).sum(1, keepdim=True) for values in (linear, grain))
    kind = sensors.demosaicing
    after = _demosaic(level + single, sites, kind) - _demosaic(level, sites, kind)
    return torch.where(kind == _KINDS.index("none"), grain, after)


def _develop(clean: Tensor, sensors: Sensors, draw: _Draw) -> Tensor:
    """Photograph images: their noise, in the encoded domain, added (`noise._develop`)."""
    linear = _to_linear(clean, sensors)
    noise = _expose(linear, sensors, draw)
    corrected = torch.einsum("ndc,nchw->ndhw", _colour_matrices(sensors), noise)
    return _tone(linear + corrected, sensors) - _tone(linear, sensors)


def _blur(sigma: Tensor, size: int, half: bool = False) -> Tensor:
    """How OpenCV's Gaussian kernel of sigma (N x 1 x 1 x 1) damps the `size` frequencies, N x F."""
    offsets = torch.arange(1, 29, device=sigma.device)  # its kernels reach to 4 sigma of at most 7
    values = torch.exp(-(offsets**2) / (2 * sigma[:, 0, 0] ** 2))
    values = values * (offsets <= ((8 * sigma[:, 0, 0]).round() / 2).ceil())
    frequencies = torch.arange(size // 2 + 1 if half else size, device=sigma.device) / size
    waves = torch.cos(2 * math.pi * offsets[:, None] * frequencies)
    return (1 + 2 * values @ waves) / (1 + 2 * values.sum(1, keepdim=True))


def _slope(images: Tensor) -> Tensor:
    """The squared slope of N x 1 x H x W images, by the kernels of Sobel; edges wrap around."""
    total = torch.zeros_like(images)
    for along, across in ((2, 3), (3, 2)):
        smooth = 2 * images + torch.roll(images, 1, across) + torch.roll(images, -1, across)
        total += ((torch.roll(smooth, -1, along) - torch.roll(smooth, 1, along)) / 8).square()
    return total


def _smooth(noise: Tensor, scene: Tensor, draw: _Draw) -> Tensor:
    """In-camera noise reduction of 85 % of the images (`noise._smooth`), by Fourier transforms."""
    height, width = noise.shape[2:]

    def blur(sigma: Tensor) -> Tensor:
        return (_blur(sigma, height)[:, :, None] * _blur(sigma, width, True)[:, None])[:, None]

    def blurred(images: Tensor, sigma: Tensor) -> Tensor:
        result: Tensor = torch.fft.irfft2(torch.fft.rfft2(images) * blur(sigma), s=(height, width))
        return result

    kind = draw.uniform(0, 1)
    grain, ground = brightness(noise), brightness(scene)
    chroma_noise = noise - grain
    slope = _slope(blurred(ground, torch.full_like(kind, 0.8)))
    slope = blurred(slope, draw.uniform(1.0, 2.5)).clamp(min=0)
    coarser = grain * draw.uniform(1, 2)
    limit = draw.log_uniform(0.3, 2.5) * coarser.std((2, 3), keepdim=True)
    even = 1 - slope / (slope + limit**2 + 1e-12)
    flats = blurred(coarser, draw.log_uniform(0.8, 4)) - coarser
    coarser = coarser + draw.uniform(0.4, 1.0) * even * flats
    varied = torch.where(kind < 0.38, coarser, grain)
    along, cored = (kind >= 0.48) & (kind < 0.56), (kind >= 0.56) & (kind < 0.66)
    varied = torch.where(along, _smooth_along(grain, ground, draw, blurred), varied)
    varied = torch.where(cored, _core(grain, ground, draw, blurred), varied) + chroma_noise
    luma = torch.where((kind >= 0.38) & (kind < 0.48), blur(draw.uniform(0.3, 1.3)), 1.0)
    sigma = draw.log_uniform(0.7, 7.0)
    strength = (0.5 + sigma).clamp(max=2.2) * draw.uniform(0.25, 1.0)
    chroma = torch.where(draw.chance(0.9), blur(sigma) * strength, 1.0)
    sharper = 1 + draw.uniform(0.2, 1.5) * (1 - blur(draw.uniform(0.7, 2.0)))
    luma = torch.where(draw.chance(0.4), luma * sharper, luma)
    spectrum = torch.fft.rfft2(varied)
    grey = brightness(spectrum)
    smooth = torch.fft.irfft2(grey * luma + (spectrum - grey) * chroma, s=(height, width))
    return torch.where(draw.chance(0.85), smooth, noise)


Blurred = Callable[[Tensor, Tensor], Tensor]  # images and their sigmas, N x 1 x 1 x 1


def _smooth_along(grain: Tensor, scene: Tensor, draw: _Draw, blurred: Blurred) -> Tensor:
    """See `noise._smooth_along`."""

    def all_blurred(images: Tensor, sigma: float) -> Tensor:
        return blurred(images, torch.full_like(share, sigma))

    share = draw.uniform(0.4, 0.95)
    seen = all_blurred(scene + grain, 0.7)
    least, along = torch.full_like(grain, torch.inf), grain
    for kernel in LINES:
        spread = _filtered(seen.square(), kernel) - _filtered(seen, kernel).square()
        spread = all_blurred(spread, 1.0)
        along = torch.where(spread < least, _filtered(grain, kernel), along)
        least = torch.minimum(least, spread)
    return grain + share * (along - grain)


def _core(grain: Tensor, scene: Tensor, draw: _Draw, blurred: Blurred) -> Tensor:
    """See `noise._core`."""
    hard, strength, share = draw.chance(0.5), draw.uniform(0.7, 3.0), draw.uniform(0.6, 1.0)

    def shrunk(detail: Tensor, limit: Tensor) -> Tensor:
        soft = detail.sign() * (detail.abs() - limit).clamp(min=0)
        return torch.where(hard, torch.where(detail.abs() > limit, detail, 0.0), soft)

    kept, rest, ground = torch.zeros_like(grain), grain, scene
    for sigma in BANDS:
        width = torch.full_like(share, sigma)
        coarse, base = blurred(rest, width), blurred(ground, width)
        fine, detail = rest - coarse, ground - base
        limit = strength * fine.std((2, 3), keepdim=True)
        kept = kept + shrunk(detail + fine, limit) - shrunk(detail, limit)
        rest, ground = coarse, base
    return grain + share * (kept + rest - grain)


@lru_cache
def _constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    """Numbers on a device, copied there once: each copy would wait for it."""
    return torch.tensor(values, dtype=torch.float32, device=device)


def brightness(images: Tensor) -> Tensor:
    """The luma (ITU-R BT.601) of N x 3 x H x W images, N x 1 x H x W."""
    shares = _constant(tuple(LUMA.tolist()), images.device).view(1, 3, 1, 1)
    return (images * shares).sum(1, keepdim=True)


@lru_cache(maxsize=64)
def _area(large: int, small: int, device: torch.device) -> Tensor:
    """The matrix, small x large, that averages by area, as OpenCV's INTER_AREA."""
    ratio = large / small
    start = np.arange(small)[:, None] * ratio
    cells = np.arange(large)[None]
    overlap = np.minimum(start + ratio, cells + 1) - np.maximum(start, cells)
    shares = np.clip(overlap, 0, None) / ratio
    return torch.tensor(shares, dtype=torch.float32, device=device)


def _noise(clean: Tensor, scale: float, draw: _Draw, rng: np.random.Generator) -> Tensor:
    """The noise of a photo taken at `scale` times the size and shrunk, or enlarged."""
    sides = clean.shape[2:]
    scene = clean
    if scale != 1:
        large = [2 * round(side * scale / 2) for side in sides]
        way = "area" if scale < 1 else "bilinear"
        corners = None if scale < 1 else False
        scene = functional.interpolate(clean, large, mode=way, align_corners=corners)
    noise = _develop(scene, draw_sensors(len(clean), draw.generator), draw)
    noise = _smooth(noise, scene, draw)
    if scale == 1:
        return noise
    if scale < 1:
        cubic = part_of(len(noise), 0.6, rng)
        counts = [cubic, len(noise) - cubic]
        ways = [
            functional.interpolate(part, sides, mode=way, align_corners=False)
            for part, way in zip(torch.split(noise, counts), ("bicubic", "bilinear"), strict=True)
            if len(part)
        ]
        return torch.cat(ways)
    down, across = (_area(*pair, clean.device) for pair in zip(scene.shape[2:], sides, strict=True))
    return down @ noise @ across.T


def part_of(count: int, share: float, rng: np.random.Generator) -> int:
    """How many of a batch a share is: a whole number below or above, right on average."""
    return min(count, int(share * count + rng.random()))


def camera(clean: Tensor, generator: torch.Generator) -> Tensor:
    """Add the noise of real cameras' pipelines to a batch; see `noise.camera`.

    Of the images 35 % are taken larger than they are, 12 % smaller, each at one scale, and 75 % are
    compressed.

    Args:
        clean: N x 3 x H x W, sides multiples of 16; the outer `SEAM` pixels are to be cut off.
        generator: on the device of the images.
    """
    count = len(clean)
    rng = np.random.default_rng(generator.initial_seed())  # asks nothing of the device
    shrunk, halved, whole, zoomed = (
        part_of(count, share, rng) for share in (0.35, 0.45, 0.30, 0.12)
    )
    zoomed = min(zoomed, count - shrunk) + shrunk
    packed = min(count, halved + whole)
    scale, zoom = float(rng.choice(_SCALES)), float(rng.choice(_ZOOMS))
    noise = torch.cat(
        [
            _noise(part, by, _Draw(len(part), generator), rng)
            for part, by in (
                (clean[:shrunk], scale),
                (clean[shrunk:zoomed], zoom),
                (clean[zoomed:], 1.0),
            )
            if len(part)
        ]
    )
    order = torch.randperm(count, generator=generator, device=clean.device)
    noisy = (clean + noise)[order]
    draw = _Draw(count, generator)
    quality = torch.where(draw.chance(0.8), draw.uniform(50, 99), draw.uniform(30, 50)).floor()
    parts = [jpeg(noisy[:halved], quality[:halved], subsample=True)] if halved else []
    if packed > halved:
        parts.append(jpeg(noisy[halved:packed], quality[halved:packed], subsample=False))
    parts.append(noisy[packed:])
    return torch.cat(parts)[order.argsort()]


def grain(clean: Tensor, grey: Tensor, generator: torch.Generator) -> Tensor:
    """Add the grain of film or of an enlarged photo to a batch; see `noise.grain`.

    Here all of it is white noise blurred by a Gaussian, 0.45 to 1.8 pixels wide.

    Args:
        clean: N x 3 x H x W, sides multiples of 16; the outer `SEAM` pixels are to be cut off.
        grey: N x 1 x 1 x 1, which images are grey and get the same grain in all channels.
        generator: on the device of the images.
    """
    count, (height, width) = len(clean), clean.shape[2:]
    rng = np.random.default_rng(generator.initial_seed() + 1)
    draw = _Draw(count, generator)
    own = torch.randn(clean.shape, generator=generator, device=clean.device)
    share = draw.uniform(0, 0.7)
    mixed = share * own.mean(1, keepdim=True) + (1 - share) * own
    noise = torch.where(grey | draw.chance(2 / 3), own[:, :1], mixed)
    wide = draw.log_uniform(0.45, 1.8)
    filtered = _blur(wide, height)[:, :, None] * _blur(wide, width, True)[:, None]
    noise = torch.fft.irfft2(torch.fft.rfft2(noise) * filtered[:, None], s=(height, width))
    noise = noise / noise.std((1, 2, 3), keepdim=True)
    light = clean.clamp(0, 1)
    toned = noise * (0.3 + 1.6 * (light * (1 - light)).sqrt())
    noise = torch.where(draw.chance(0.5), toned, noise)
    noisy = clean + draw.log_uniform(2, 35) / 255 * noise
    return _packed(noisy, grey, draw, rng)


def coloured(clean: Tensor, grey: Tensor, generator: torch.Generator) -> Tensor:
    """Add noise of a drawn spectrum to a batch; see `noise.coloured`.

    Args:
        clean: N x 3 x H x W, sides multiples of 16.
        grey: N x 1 x 1 x 1, which images are grey and get the same noise in all channels.
        generator: on the device of the images.
    """
    count, (height, width) = len(clean), clean.shape[2:]
    rng = np.random.default_rng(generator.initial_seed() + 2)
    draw = _Draw(count, generator)
    rows = torch.fft.fftfreq(height, device=clean.device)[:, None]
    columns = torch.fft.rfftfreq(width, device=clean.device)[None]
    square = torch.maximum(rows.abs(), columns)
    radius = torch.where(draw.chance(0.3), square, torch.hypot(rows, columns))
    end = draw.uniform(0.1, 0.7)
    gain = torch.sigmoid((end - radius) / draw.log_uniform(0.01, 0.15))
    hump = draw.uniform(0, 3) * torch.exp(-0.5 * ((radius - end) / draw.uniform(0.05, 0.2)) ** 2)
    gain = torch.where(draw.chance(0.5), gain * (1 + hump), gain)
    gain[..., 0, 0] = 0
    own = torch.randn(clean.shape, generator=generator, device=clean.device)
    own = torch.where(grey | draw.chance(2 / 3), own[:, :1], own)
    noise = torch.fft.irfft2(torch.fft.rfft2(own) * gain, s=(height, width))
    noise = noise / noise.std((1, 2, 3), keepdim=True)
    noisy = clean + draw.log_uniform(2, 35) / 255 * noise
    return _packed(noisy, grey, draw, rng)


def often_coded(clean: Tensor, grey: Tensor, generator: torch.Generator) -> Tensor:
    """A batch without noise, two in five through JPEG; arguments as of `grain`."""
    rng = np.random.default_rng(generator.initial_seed() + 3)
    return _packed(clean, grey, _Draw(len(clean), generator), rng)


def _packed(noisy: Tensor, grey: Tensor, draw: _Draw, rng: np.random.Generator) -> Tensor:
    """Two in five compressed, all with half the resolution in colour, or none."""
    packed = part_of(len(noisy), 0.4, rng)
    if not packed:
        return noisy
    quality = draw.uniform(50, 99).floor()[:packed]
    coded = jpeg(noisy[:packed], quality, subsample=bool(rng.random() < 0.6))
    coded = torch.where(grey[:packed], brightness(coded), coded)
    return torch.cat([coded, noisy[packed:]])


# Tables K.1 and K.2 of the JPEG standard (ITU-T T.81, 1992).
_LUMINANCE = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMINANCE = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
    *(99,) * 32,
)  # fmt: skip


def jpeg(images: Tensor, quality: Tensor, *, subsample: bool) -> Tensor:
    """Compress to 8-bit JPEG and back (ITU-T T.81; tables scaled as by the IJG's software).

    Args:
        images: N x 3 x H x W, sides multiples of 16.
        quality: N x 1 x 1 x 1, whole numbers from 1 to 100.
        subsample: halve the colours' resolution (4:2:0).
    """
    red, green, blue = ((images * 255).round().clamp(0, 255)).unbind(1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = torch.stack([luma, (blue - luma) / 1.772 + 128, (red - luma) / 1.402 + 128], 1)
    planes = planes.round()
    brightness, colours = planes[:, :1], planes[:, 1:]
    if subsample:
        colours = functional.avg_pool2d(colours, 2).round()
    percent = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    brightness = _quantise(brightness, _LUMINANCE, percent)
    colours = _quantise(colours, _CHROMINANCE, percent)
    if subsample:
        colours = functional.interpolate(
            colours, scale_factor=2, mode="bilinear", align_corners=False
        ).round()
    luma, bluer, redder = brightness[:, 0], colours[:, 0] - 128, colours[:, 1] - 128
    decoded = torch.stack(
        [luma + 1.402 * redder, luma - 0.344136 * bluer - 0.714136 * redder, luma + 1.772 * bluer],
        1,
    )
    return decoded.round().clamp(0, 255) / 255


def _quantise(planes: Tensor, table: tuple[int, ...], percent: Tensor) -> Tensor:
    """Round the cosine transforms of 8 x 8 blocks to multiples of a table's scaled steps."""
    count, channels, height, width = planes.shape
    basis = _cosines(planes.device)
    steps = _constant(table, planes.device)
    steps = ((steps * percent[:, :, 0] + 50) / 100).floor().clamp(1, 255)  # N x 1 x 64
    blocks = planes.view(count, channels, height // 8, 8, width // 8, 8) - 128
    blocks = blocks.transpose(3, 4).reshape(count, -1, 64)
    coefficients = ((blocks @ basis.T) / steps).round() * steps
    pixels = (coefficients @ basis + 128).round().clamp(0, 255)
    pixels = pixels.view(count, channels, height // 8, width // 8, 8, 8).transpose(3, 4)
    return pixels.reshape(count, channels, height, width)


@lru_cache
def _cosines(device: torch.device) -> Tensor:
    """The orthonormal cosine transform of an 8 x 8 block as a 64 x 64 matrix."""
    wave, place = np.arange(8)[:, None], np.arange(8)[None]
    one = np.cos((2 * place + 1) * wave * np.pi / 16) * np.where(wave == 0, np.sqrt(1 / 8), 0.5)
    return torch.tensor(np.kron(one, one), dtype=torch.float32, device=device)
