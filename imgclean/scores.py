"""Records of an evaluation: what was scored, how, and what came out. Plain data, no arrays."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "FIGURES",
    "NOISY",
    "STRUCTURE_LIMIT",
    "Codes",
    "Evaluation",
    "Figure",
    "Mean",
    "Score",
    "Suspicion",
]

NOISY = "noisy"  # the method that does nothing: the input as it is
STRUCTURE_LIMIT = 0.03  # of `structure`, above which it is flagged; see `residuals`


@dataclass(frozen=True)
class Figure:
    """What a number of a score is.

    Attributes:
        label: its name in tables.
        unit: dB, %, MP/s, or empty.
        better: 1 if more is better, -1 if less is, 0 if neither.
        digits: decimals to show.
        meaning: one sentence for a reader who has not met it, with the source of the method.
    """

    label: str
    unit: str
    better: int
    digits: int
    meaning: str


FIGURES: Mapping[str, Figure] = {
    "psnr": Figure(
        "PSNR", "dB", 1, 2,
        "Peak signal-to-noise ratio over all pixels and channels, 20 log10(255 / RMSE) in 8-bit "
        "units: 3 dB more is about 30 % less error. Equal images count as 100 dB.",
    ),
    "gain": Figure(
        "Gain", "dB", 1, 2,
        "PSNR of the result less the PSNR of its noisy input; below 0 the image got worse.",
    ),
    "ssim": Figure(
        "SSIM", "", 1, 4,
        "Structural similarity (Wang et al. 2004), 1 for equal images: 11 x 11 Gaussian window of "
        "sigma 1.5, K 0.01 and 0.03, mean over the channels.",
    ),
    "ms_ssim": Figure(
        "MS-SSIM", "", 1, 4,
        "Structural similarity over five sizes (Wang et al. 2003), 1 for equal images; for images "
        "of at least 176 pixels each way.",
    ),
    "rmse": Figure(
        "RMSE", "", -1, 4,
        "Root of the mean squared error, with black at 0 and white at 1.",
    ),
    "lpips": Figure(
        "LPIPS", "", -1, 4,
        "Distance of the features of an AlexNet (Zhang et al. 2018), close to what people call "
        "similar; 0 for equal images.",
    ),
    "cer": Figure(
        "CER", "%", -1, 2,
        "Character error rate of Tesseract on the image: characters to insert, delete or replace "
        "per character of the true text.",
    ),
    "wer": Figure(
        "WER", "%", -1, 2,
        "Word error rate of Tesseract on the image: words to insert, delete or replace per word "
        "of the true text.",
    ),
    "sigma_before": Figure(
        "Sigma before", "", 0, 2,
        "Noise estimated in the input alone, as a standard deviation in 8-bit units "
        "(after Ponomarenko et al. 2007).",
    ),
    "sigma_after": Figure(
        "Sigma left", "", 0, 2,
        "Noise estimated in the result alone, as a standard deviation in 8-bit units.",
    ),
    "structure": Figure(
        "Structure", "", 0, 3,
        "Correlation of neighbouring pixels in the removed residual, at the image's edges less "
        f"that in its flat parts: about 0 or below for noise; above {STRUCTURE_LIMIT} edges went "
        "with it.",
    ),
    "structure_flag": Figure(
        "Flagged", "", -1, 2,
        f"1 where Structure is above {STRUCTURE_LIMIT}; the mean is the share of such images.",
    ),
    "removed": Figure(
        "Removed", "", 0, 4,
        "Root mean square of what was removed, result less input, with black at 0 and white at 1: "
        "the reconstruction error of an autoencoder.",
    ),
    "mp_s": Figure("Speed", "MP/s", 1, 3, "Megapixels a second, one image at a time, no files."),
}  # fmt: skip


@dataclass(frozen=True)
class Score:
    """One image, at one noise level, cleaned by one method.

    Attributes:
        image: name relative to the set, with forward slashes.
        level: the noise that was drawn, such as `gaussian:25`; empty if it is the file's own.
        method: `NOISY`, or the name of the weights or baseline.
        width: of the image, in pixels.
        height: of the image, in pixels.
        figures: numbers by their key in `FIGURES`; a figure that does not apply is absent.
        pictures: PNG files by role (`noisy`, `clean`, `denoised`), relative to the folder of the
            evaluation; empty unless pictures were asked for.
        error: why there are no figures; empty if there are.
    """

    image: str
    level: str
    method: str
    width: int
    height: int
    figures: Mapping[str, float]
    pictures: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class Mean:
    """A figure's mean over the images of one level, for one method.

    `low` and `high` bound the 95 % bootstrap interval of the mean; `worse` counts the images
    whose figure is worse than that of their noisy input, None where that cannot be said.
    """

    level: str
    method: str
    figure: str
    mean: float
    low: float
    high: float
    count: int
    worse: int | None

    @property
    def bounded(self) -> bool:
        """Whether the interval is one: what a single image says has no width."""
        return self.count > 1 and not math.isnan(self.low)


@dataclass(frozen=True)
class Suspicion:
    """An image whose figure is far from the set's: `z` is its robust z-score."""

    image: str
    level: str
    method: str
    figure: str
    value: float
    z: float


@dataclass(frozen=True)
class Codes:
    """Codes of one autoencoder, projected to two dimensions by principal components.

    Attributes:
        method: name of the weights.
        images: names, N of them.
        points: N pairs of coordinates.
        labels: N classes, such as digits; empty if unknown.
        nearest: for each image the names of the nearest by code, nearest first.
        explained: share of the codes' variance in the two dimensions, in [0, 1].
    """

    method: str
    images: Sequence[str]
    points: Sequence[tuple[float, float]]
    labels: Sequence[str]
    nearest: Mapping[str, Sequence[str]]
    explained: float


@dataclass(frozen=True)
class Evaluation:
    """Everything a report shows.

    Attributes:
        command: the command line that made it.
        created: date and time, ISO 8601.
        scores: every score, in the order of the images.
        means: summary of the scores without errors.
        suspicious: images far from the set.
        cards: model cards by method; baselines have a card with `summary` alone.
        histories: rows of a training run's history.csv by method, where its folder has one.
        codes: of the autoencoders with a code.
    """

    command: str
    created: str
    scores: Sequence[Score]
    means: Sequence[Mean]
    suspicious: Sequence[Suspicion] = ()
    cards: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    histories: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    codes: Sequence[Codes] = ()
