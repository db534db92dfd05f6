"""Photo noise: Gaussian, and a model of a camera from photons to JPEG.

Images are H x W x C float32 with C in {1, 3}, RGB order, sRGB-encoded, range [0, 1].
Results are not clipped unless a step of the model clips (a sensor saturates, JPEG rounds).
`sigma` is a standard deviation in [0, 1]. Randomness comes from the generator passed in.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import LUMA

__all__ = [
    "BANDS",
    "DEMOSAICING",
    "LINES",
    "MALVAR_BESIDE",
    "MALVAR_CORNERS",
    "MALVAR_GREEN",
    "Demosaicing",
    "Sensor",
    "camera",
    "coloured",
    "draw_sensor",
    "gaussian",
    "grain",
    "jpeg",
    "photo",
]

Array = NDArray[np.float32]
Demosaicing = Literal["none", "bilinear", "edge-aware", "malvar", "hamilton-adams"]

DEMOSAICING: dict[Demosaicing, float] = {  # shares of the cameras; none: all colours everywhere
    "none": 0.1, "bilinear": 0.18, "edge-aware": 0.1, "malvar": 0.3, "hamilton-adams": 0.32,
}  # fmt: skip
_BAYER = (
    cv2.COLOR_BayerBG2RGB,
    cv2.COLOR_BayerGB2RGB,
    cv2.COLOR_BayerRG2RGB,
    cv2.COLOR_BayerGR2RGB,
)
_BAYER_EDGE_AWARE = (
    cv2.COLOR_BayerBG2RGB_EA,
    cv2.COLOR_BayerGB2RGB_EA,
    cv2.COLOR_BayerRG2RGB_EA,
    cv2.COLOR_BayerGR2RGB_EA,
)
# Malvar, He and Cutler (2004): what a mosaic becomes where green is missing, where red or blue is
# and its neighbours of that colour lie beside or below, and where these lie across the corners.
MALVAR_GREEN = np.array(
    [[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]
) / np.float32(8)
MALVAR_BESIDE = np.array(
    [[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]]
) / np.float32(8)
MALVAR_CORNERS = np.array(
    [
        [0, 0, -1.5, 0, 0],
        [0, 2, 0, 2, 0],
        [-1.5, 0, 6, 0, -1.5],
        [0, 2, 0, 2, 0],
        [0, 0, -1.5, 0, 0],
    ]
) / np.float32(8)

BANDED, BANDING = 0.2, (0.15, 2.5)  # share of the cameras; deviation over that of read noise
UPRIGHT, THICK = 0.25, (0.4, 2.0)  # share with columns instead of rows; pixels, of half of them
FAINT = (0.3, 5.0)  # sigma of 255, log-uniform, of the faint white noise of `photo`


def gaussian(clean: Array, rng: np.random.Generator, sigma: float) -> Array:
    """Add white Gaussian noise of standard deviation `sigma`, unclipped."""
    return clean + np.float32(sigma) * rng.standard_normal(clean.shape, np.float32)


def jpeg(image: Array, quality: int, rng: np.random.Generator, *, subsample: bool) -> Array:
    """Compress to 8-bit JPEG and back, with the block grid at a random phase."""
    top, left = (int(v) for v in rng.integers(0, 8, 2))
    padded = cv2.copyMakeBorder(image, top, 0, left, 0, cv2.BORDER_REFLECT_101)
    pixels = np.clip(padded * 255 + 0.5, 0, 255).astype(np.uint8)
    colour = pixels.ndim == 3 and pixels.shape[2] == 3
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    if not subsample:
        sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    done, data = cv2.imencode(".jpg", pixels[..., ::-1] if colour else pixels, options)
    if not done:
        raise RuntimeError("OpenCV could not encode a JPEG")
    flag = cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE
    decoded = np.asarray(cv2.imdecode(data, flag), np.float32)[top:, left:]
    return np.asarray((decoded[..., ::-1] if colour else decoded[..., None]) / np.float32(255))


@dataclass(frozen=True)
class Sensor:
    """What one exposure does to light. Noise is in linear light, full scale 1.

    The variance of a raw sample with mean x is ``shot * x + read`` (Foi et al., 2008). On top all
    samples of a row share an offset of deviation `banding` (row noise: Wei et al., 2020).
    """

    shot: float
    read: float
    gains: tuple[float, float, float]  # white balance; a raw channel is the scene over its gain
    crosstalk: float  # strength of the colour matrix that undoes overlapping filters
    gamma: float
    contrast: float  # of the S-shaped tone curve, 0 to 1
    demosaicing: Demosaicing
    banding: float = 0.0


def draw_sensor(rng: np.random.Generator) -> Sensor:
    """Draw a camera and an ISO setting.

    Shot noise is log-uniform from base ISO in daylight to a phone at night; read noise
    follows it as measured on the Darmstadt set (Brooks et al., 2019), with a wider spread. A fifth
    have row noise, from what nobody sees to what covers the rest.
    """
    shot = float(np.exp(rng.uniform(np.log(1e-4), np.log(1.2e-2))))
    read = float(np.exp(2.18 * np.log(shot) + 1.2 + 0.5 * rng.standard_normal()))
    kind = int(rng.choice(len(DEMOSAICING), p=list(DEMOSAICING.values())))
    banded = rng.random() < BANDED
    return Sensor(
        shot=shot,
        read=read,
        gains=(float(rng.uniform(1.2, 2.4)), 1.0, float(rng.uniform(1.2, 2.2))),
        crosstalk=float(rng.uniform(0.0, 0.6)),
        gamma=float(rng.uniform(1.8, 2.4)),
        contrast=float(rng.uniform(0.0, 0.6)),
        demosaicing=list(DEMOSAICING)[kind],
        banding=float(read**0.5 * np.exp(rng.uniform(*np.log(BANDING)))) if banded else 0.0,
    )


def _to_linear(image: Array, sensor: Sensor) -> Array:
    """Invert the tone curve: sRGB-like values to linear light in [0, 1]."""
    curve = np.linspace(0, 1, 1025, dtype=np.float32)
    shown = _tone(curve, sensor)
    return np.interp(np.clip(image, 0, 1), shown, curve).astype(np.float32)


def _tone(linear: Array, sensor: Sensor) -> Array:
    """The camera's tone curve: a gamma with a linear toe, then a blend with a smoothstep."""
    light = np.clip(linear, 0, 1)
    toe = np.float32(0.0031308)
    encoded = (light + toe) ** np.float32(1 / sensor.gamma)
    low = toe ** np.float32(1 / sensor.gamma)
    encoded = (encoded - low) / ((1 + toe) ** np.float32(1 / sensor.gamma) - low)
    smooth = encoded * encoded * (3 - 2 * encoded)
    return np.asarray(encoded + np.float32(sensor.contrast) * (smooth - encoded), np.float32)


def _colour_matrix(sensor: Sensor) -> Array:
    """A colour correction whose rows sum to one, so that grey stays grey."""
    spread = np.float32(sensor.crosstalk)
    off = np.array([[0, -0.7, -0.3], [-0.4, 0, -0.6], [-0.1, -0.9, 0]], np.float32) * spread
    return np.asarray(np.eye(3) + off - np.diag(off.sum(1)), np.float32)


# The colour at (0, 0), (0, 1), (1, 0) and (1, 1) of the Bayer codes BG, GB, RG and GR of OpenCV,
# which names a pattern by its second row, columns two and three.
_ORDERS = ((0, 1, 1, 2), (1, 0, 2, 1), (2, 1, 1, 0), (1, 2, 0, 1))


def _sites(shape: tuple[int, ...], phase: int) -> NDArray[np.int64]:
    """Which colour each pixel of a mosaic has, H x W, as OpenCV's Bayer code `phase` expects."""
    height, width = shape
    pattern = np.array(_ORDERS[phase]).reshape(2, 2)
    return np.tile(pattern, (-(-height // 2), -(-width // 2)))[:height, :width]


def _mosaic(raw: Array, phase: int) -> Array:
    """Keep one colour a pixel."""
    sites = _sites(raw.shape[:2], phase)
    return np.ascontiguousarray(np.take_along_axis(raw, sites[..., None], axis=2)[..., 0])


def _demosaic(single: Array, phase: int, kind: Demosaicing) -> Array:
    """The colours of a mosaic, H x W x 3.

    Bilinear and edge-aware are OpenCV's, which works on integers. They blur what lies between the
    pixels of one colour. What cameras do keeps luma sharp, and with it the noise: Malvar, He and
    Cutler (2004), and Hamilton and Adams (1997).
    """
    if kind == "malvar":
        return _malvar(single, phase)
    if kind == "hamilton-adams":
        return _hamilton_adams(single, phase)
    codes = _BAYER_EDGE_AWARE if kind == "edge-aware" else _BAYER
    scaled = np.clip(single * 16384 + 16384.5, 0, 65535).astype(np.uint16)  # room for x < 0
    colour = np.asarray(cv2.cvtColor(scaled, codes[phase]), np.float32)
    return (colour - np.float32(16384)) / np.float32(16384)


def _filtered(plane: Array, kernel: NDArray[np.floating]) -> Array:
    """Mirrored at the edge pixel, which keeps the pattern of a mosaic."""
    return np.asarray(cv2.filter2D(plane, -1, kernel, borderType=cv2.BORDER_REFLECT_101))


def _malvar(single: Array, phase: int) -> Array:
    """Linear interpolation corrected by the slope of the colour that is there."""
    sites = _sites(single.shape, phase)
    beside, below = (_filtered(single, k) for k in (MALVAR_BESIDE, MALVAR_BESIDE.T))
    corners = _filtered(single, MALVAR_CORNERS)
    red_row = (sites == 0).any(axis=1)[:, None]  # of a green pixel: red lies beside it, not below
    red = np.where(sites == 0, single, np.where(sites == 2, corners,
                   np.where(red_row, beside, below)))  # fmt: skip
    blue = np.where(sites == 2, single, np.where(sites == 0, corners,
                    np.where(red_row, below, beside)))  # fmt: skip
    green = np.where(sites == 1, single, _filtered(single, MALVAR_GREEN))
    return np.stack([red, green, blue], axis=2)


def _hamilton_adams(single: Array, phase: int) -> Array:
    """Green along the direction of the smaller gradient, then red and blue by their differences."""
    sites = _sites(single.shape, phase)
    green, slope = [], []
    for axis in (1, 0):
        near, far = (np.array([k], np.float32) for k in ((-1, 0, 1), (-1, 0, 2, 0, -1)))
        near, far = (near, far) if axis else (near.T, far.T)
        curved = _filtered(single, far)
        green.append(_filtered(single, np.abs(near)) / 2 + curved / 4)
        slope.append(np.abs(_filtered(single, near)) + np.abs(curved))
    across = np.float32(0.5) * (1 + np.sign(slope[1] - slope[0]))  # a half where both are alike
    full = np.where(sites == 1, single, across * green[0] + (1 - across) * green[1])
    spread = np.outer((1, 2, 1), (1, 2, 1)).astype(np.float32) / 4
    red, blue = (full + _filtered((single - full) * (sites == c), spread) for c in (0, 2))
    return np.asarray(np.stack([red, full, blue], axis=2), np.float32)


def _bands(shape: tuple[int, ...], deviation: float, rng: np.random.Generator) -> Array:
    """Offsets that the rows of H x W samples have, or their columns; half are thicker than one."""
    height, width = shape
    upright = rng.random() < UPRIGHT
    offsets = rng.standard_normal((width if upright else height, 1), np.float32)
    if rng.random() < 0.5:
        offsets = cv2.GaussianBlur(offsets, (1, 0), 0, sigmaY=float(rng.uniform(*THICK)))
        offsets /= offsets.std() + np.float32(1e-6)
    offsets = np.float32(deviation) * offsets.reshape(-1, 1)
    return np.asarray(np.broadcast_to(offsets.T if upright else offsets, shape))


def _expose(linear: Array, sensor: Sensor, rng: np.random.Generator, phase: int) -> Array:
    """The noise that one exposure adds, after white balance and demosaicing (H x W x 3)."""
    gains = np.asarray(sensor.gains, np.float32)
    variance = np.asarray(linear / gains * np.float32(sensor.shot) + np.float32(sensor.read))
    grain = np.sqrt(variance) * gains * rng.standard_normal(linear.shape, np.float32)
    if sensor.banding:
        grain = grain + _bands(linear.shape[:2], sensor.banding, rng)[..., None] * gains
    if sensor.demosaicing == "none":
        return np.asarray(grain, np.float32)
    level, grain = _mosaic(linear, phase), _mosaic(grain, phase)
    if sensor.demosaicing in ("bilinear", "malvar"):  # linear: of the noise alone
        return _demosaic(grain, phase, sensor.demosaicing)
    before, after = (_demosaic(x, phase, sensor.demosaicing) for x in (level, level + grain))
    return after - before


def _develop(clean: Array, sensor: Sensor, rng: np.random.Generator) -> Array:
    """Photograph an H x W x 3 sRGB-like image: its noise, in the encoded domain, added."""
    linear = _to_linear(clean, sensor)
    phase = int(rng.integers(4))
    matrix = _colour_matrix(sensor)
    noise = _expose(linear, sensor, rng, phase)
    return _tone(linear + noise @ matrix.T, sensor) - _tone(linear, sensor)


def _smooth(noise: Array, scene: Array, rng: np.random.Generator) -> Array:
    """In-camera noise reduction: chroma is blurred more than luma, which leaves blotches.

    Luma is mostly treated as it shows against the scene, encoded as the noise is: blurred where
    there are no edges, along them, or where it is weak. A third of the cameras leave it as it is,
    or only sharpen it.
    """
    luma = noise @ LUMA
    chroma = noise - luma[..., None]
    kind = rng.random()
    if kind < 0.38:
        luma = _smooth_flats(luma, scene @ LUMA, rng)
    elif kind < 0.48:
        sigma = float(rng.uniform(0.3, 1.3))
        luma = cv2.GaussianBlur(luma, (0, 0), sigma)
    elif kind < 0.56:
        luma = _smooth_along(luma, scene @ LUMA, rng)
    elif kind < 0.66:
        luma = _core(luma, scene @ LUMA, rng)
    if rng.random() < 0.9:
        sigma = float(np.exp(rng.uniform(np.log(0.7), np.log(7.0))))
        chroma = cv2.GaussianBlur(chroma, (0, 0), sigma)
        chroma *= np.float32(min(2.2, 0.5 + sigma) * rng.uniform(0.25, 1.0))
    if rng.random() < 0.4:  # sharpening after smoothing rings and coarsens the grain
        amount = float(rng.uniform(0.2, 1.5))
        luma = luma + amount * (luma - cv2.GaussianBlur(luma, (0, 0), rng.uniform(0.7, 2.0)))
    return (luma[..., None] + chroma).astype(np.float32)


def _smooth_flats(grain: Array, scene: Array, rng: np.random.Generator) -> Array:
    """Blur a share of the grain, H x W, where the scene's slope is small beside its deviation.

    Real cameras' noise is two to three times as strong beside edges and in texture as on even
    ground, and coarser there than white noise: measured on photos of five cameras. Exposures
    that cameras smooth so are the noisier ones.
    """
    soft = cv2.GaussianBlur(scene, (0, 0), 0.8)
    slope = np.square(cv2.Sobel(soft, cv2.CV_32F, 1, 0) / 8)
    slope += np.square(cv2.Sobel(soft, cv2.CV_32F, 0, 1) / 8)
    slope = cv2.GaussianBlur(slope, (0, 0), float(rng.uniform(1.0, 2.5)))
    grain = grain * np.float32(rng.uniform(1, 2))
    limit = float(np.exp(rng.uniform(np.log(0.3), np.log(2.5)))) * float(grain.std())
    even = 1 - slope / (slope + np.float32(limit**2 + 1e-12))
    coarse = cv2.GaussianBlur(grain, (0, 0), float(np.exp(rng.uniform(np.log(0.8), np.log(4)))))
    share = np.float32(rng.uniform(0.4, 1.0))
    return np.asarray(grain + share * even * (coarse - grain), np.float32)


BANDS = (0.8, 1.6)  # what Gaussians of these sigmas take away, one after the other, is a band


def _line_kernels() -> Array:
    """Means along lines of nine pixels in eight directions, 8 x 9 x 9."""
    kernels = np.zeros((8, 9, 9), np.float32)
    steps = np.linspace(-4, 4, 33)
    for kernel, angle in zip(kernels, np.arange(8) * np.pi / 8, strict=True):
        rows, columns = (np.rint(4 + steps * f(angle)).astype(int) for f in (np.sin, np.cos))
        np.add.at(kernel, (rows, columns), np.float32(1 / len(steps)))
    return kernels


LINES = _line_kernels()


def _smooth_along(grain: Array, scene: Array, rng: np.random.Generator) -> Array:
    """Blur most of the grain, H x W, along the line on which the picture varies least.

    In texture that is the texture's direction; on even ground it is chance's, and threads stay.
    """
    seen = cv2.GaussianBlur(scene + grain, (0, 0), 0.7)
    least, along = np.full_like(grain, np.inf), grain
    for kernel in LINES:
        spread = _filtered(seen * seen, kernel) - np.square(_filtered(seen, kernel))
        spread = cv2.GaussianBlur(spread, (0, 0), 1.0)
        along = np.where(spread < least, _filtered(grain, kernel), along)
        least = np.minimum(least, spread)
    share = np.float32(rng.uniform(0.4, 0.95))
    return np.asarray(grain + share * (along - grain), np.float32)


def _core(grain: Array, scene: Array, rng: np.random.Generator) -> Array:
    """Take from two bands of the picture what is weak beside the grain, H x W (wavelet shrinkage).

    After Donoho and Johnstone (1994): soft or hard thresholds of 0.7 to 3 standard deviations. What
    they leave of the grain is its peaks, and all that lies on the scene's own detail.
    """
    hard = rng.random() < 0.5
    strength, share = rng.uniform(0.7, 3.0), np.float32(rng.uniform(0.6, 1.0))
    kept, rest, ground = np.zeros_like(grain), grain, scene
    for sigma in BANDS:
        coarse, base = (cv2.GaussianBlur(plane, (0, 0), sigma) for plane in (rest, ground))
        fine, detail = rest - coarse, ground - base
        limit = np.float32(strength * fine.std())
        kept += _shrink(detail + fine, limit, hard) - _shrink(detail, limit, hard)
        rest, ground = coarse, base
    return np.asarray(grain + share * (kept + rest - grain), np.float32)


def _shrink(detail: Array, limit: np.float32, hard: bool) -> Array:
    """A hard or a soft threshold."""
    if hard:
        return np.where(np.abs(detail) > limit, detail, np.float32(0))
    return np.sign(detail) * np.maximum(np.abs(detail) - limit, 0)


def camera(clean: Array, rng: np.random.Generator) -> Array:
    """Add the noise of a real camera's pipeline to an H x W x C image.

    Photon and read noise in linear light, Bayer mosaic and demosaicing, white balance,
    colour matrix, tone curve, in-camera smoothing and sharpening, resizing, JPEG. Only
    noise is added: the clean image is not demosaiced, so the target stays exact. After
    the unprocessing of Brooks et al. (2019) and CBDNet (Guo et al., 2019).
    """
    height, width, channels = clean.shape
    colour = clean if channels == 3 else np.repeat(clean, 3, axis=2)
    scale = _draw_scale(rng)
    size = (max(4, round(width * scale)), max(4, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scene = colour if scale == 1.0 else cv2.resize(colour, size, interpolation=way)
    scene = cv2.copyMakeBorder(scene, 2, 2, 2, 2, cv2.BORDER_REFLECT_101)  # for demosaicing
    noise = _develop(scene, draw_sensor(rng), rng)
    if rng.random() < 0.85:
        noise = _smooth(noise, scene, rng)
    noise = noise[2:-2, 2:-2]
    if scale != 1.0:
        way = cv2.INTER_CUBIC if rng.random() < 0.6 else cv2.INTER_LINEAR
        way = cv2.INTER_AREA if scale > 1 else way
        noise = cv2.resize(noise, (width, height), interpolation=way)
    noisy = np.asarray(colour + noise, np.float32)
    if rng.random() < 0.75:
        quality = int(rng.integers(50, 99) if rng.random() < 0.8 else rng.integers(30, 50))
        noisy = jpeg(noisy, quality, rng, subsample=bool(rng.random() < 0.6))
    return noisy if channels == 3 else np.ascontiguousarray(noisy @ LUMA)[..., None]


def _draw_scale(rng: np.random.Generator) -> float:
    """How many times as large a photo was taken: 1, up to 2, or, for digital zoom, less than 1."""
    kind = rng.random()
    if kind < 0.35:
        return float(rng.uniform(1.0, 2.0))
    return float(rng.uniform(0.33, 0.9)) if kind < 0.47 else 1.0


def grain(clean: Array, rng: np.random.Generator) -> Array:
    """Add the grain of film, or of an enlarged photo, unclipped: wider than a pixel.

    Two times in three it is the same in all channels. Half of the time it is strongest in the
    middle tones, as silver's is, whose variance is that of covered and bare area (Nutting, 1913).
    """
    height, width, channels = clean.shape
    one = channels == 1 or rng.random() < 2 / 3
    planes = 1 if one else channels
    width_of_grain = float(np.exp(rng.uniform(np.log(0.45), np.log(1.8))))
    if rng.random() < 0.6:
        noise = rng.standard_normal((height + 16, width + 16, planes), np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), width_of_grain)[8:-8, 8:-8]
    else:
        scale = 1 + width_of_grain
        small = (round(height / scale) + 4, round(width / scale) + 4, planes)
        size = (round(small[1] * scale), round(small[0] * scale))
        noise = rng.standard_normal(small, np.float32)
        if rng.random() < 0.5:
            noise = cv2.GaussianBlur(noise, (0, 0), 0.5)
        way = cv2.INTER_CUBIC if rng.random() < 0.6 else cv2.INTER_LINEAR
        noise = cv2.resize(noise, size, interpolation=way)[:height, :width]
    spread = noise.std() if noise.size > 1 else 1.0  # a single value has none
    noise = noise.reshape(height, width, planes) / np.float32(spread + 1e-6)
    if not one:  # in part the same
        share = np.float32(rng.uniform(0, 0.7))
        noise = share * noise.mean(axis=2, keepdims=True) + (1 - share) * noise
        noise /= np.float32(noise.std() + 1e-6)
    sigma = float(np.exp(rng.uniform(np.log(2), np.log(35)))) / 255
    if rng.random() < 0.5:
        light = np.clip(cv2.GaussianBlur(clean, (0, 0), 1.0).reshape(clean.shape), 0, 1)
        noise = noise * np.float32(0.3) + noise * 1.6 * np.sqrt(light * (1 - light))
    return _often_coded(np.asarray(clean + np.float32(sigma) * noise, np.float32), rng)


def coloured(clean: Array, rng: np.random.Generator) -> Array:
    """Add Gaussian noise of a drawn spectrum, unclipped: what no model of a camera thought of.

    The spectrum is flat to a drawn frequency, from where it falls off fast or slowly, with a hump
    there in half of the draws, as sharpening makes one. Two times in three it is grey.
    """
    height, width, channels = clean.shape
    planes = 1 if channels == 1 or rng.random() < 2 / 3 else channels
    y, x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    angle = rng.random() < 0.3  # a square instead of a disc
    radius = np.maximum(np.abs(y), np.abs(x)) if angle else np.hypot(y, x)
    end, fall = rng.uniform(0.1, 0.7), float(np.exp(rng.uniform(np.log(0.01), np.log(0.15))))
    gain = 1 / (1 + np.exp(np.clip((radius - end) / fall, -30, 30)))
    if rng.random() < 0.5:
        wide = rng.uniform(0.05, 0.2)
        gain = gain * (1 + rng.uniform(0, 3) * np.exp(-0.5 * ((radius - end) / wide) ** 2))
    gain[0, 0] = 0  # no shift of the whole
    white = rng.standard_normal((height, width, planes), np.float32)
    spectrum = np.fft.rfft2(white, axes=(0, 1)) * gain[..., None]
    noise = np.fft.irfft2(spectrum, s=(height, width), axes=(0, 1)).astype(np.float32)
    noise /= noise.std() + np.float32(1e-6)
    sigma = float(np.exp(rng.uniform(np.log(2), np.log(35)))) / 255
    return _often_coded(np.asarray(clean + np.float32(sigma) * noise, np.float32), rng)


def _often_coded(noisy: Array, rng: np.random.Generator) -> Array:
    """Two times in five through JPEG."""
    if rng.random() < 0.4:
        return jpeg(noisy, int(rng.integers(50, 99)), rng, subsample=bool(rng.random() < 0.6))
    return noisy


def photo(clean: Array, rng: np.random.Generator) -> Array:
    """The recipe of the `photo` weights: noise, white and other, grain, cameras, and clean.

    A third of the Gaussian noise is of sigma 0.3 to 5, most of it under 1.5: what is nearly clean
    must keep its detail. So must clean photos that went through JPEG.
    """
    kind = rng.random()
    if kind < 0.08:
        return _often_coded(clean, rng)
    if kind < 0.16:
        return grain(clean, rng)
    if kind < 0.22:
        return coloured(clean, rng)
    if kind < 0.60:
        if rng.random() < 1 / 3:
            return gaussian(clean, rng, float(np.exp(rng.uniform(*np.log(FAINT)))) / 255)
        return gaussian(clean, rng, float(rng.uniform(0, 55)) / 255)
    return camera(clean, rng)
