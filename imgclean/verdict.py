"""How good weights are on held-out images, and whether to keep those trained without clean ones."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from .alone import Risk
from .baselines import BASELINES
from .errors import WeightsError
from .losses import LOSSES
from .metrics import estimate_sigma
from .restore import Denoiser
from .weights import load_weights

__all__ = ["decibels", "mean_loss", "risks_of", "verdict"]

Array = NDArray[np.float32]
Clean = Callable[[Array], Array]

_BEST = 99.0  # dB; what an infinite PSNR counts as
_EXCESS = 1.2  # times the measured noise removed; from there on it was not measured rightly


def verdict(
    mine: Denoiser, risks: Sequence[Risk], what: str, start: str | None, device: str = "auto"
) -> list[str]:
    """Whether to keep weights that were trained without clean images, in plain words.

    The criterion is Stein's unbiased risk estimate on images not trained on (`alone`), as a
    PSNR, against the shipped photo weights and OpenCV's non-local means at the strength of the
    noise. There is no verdict where the noise is not what the criterion takes it for.

    Args:
        mine: the weights in question.
        risks: the images.
        what: what kind of images these are.
        start: the weights that training started from, if it found nothing better.
        device: where the shipped weights are run.
    """
    scores = {"these weights": _score(mine, risks)}
    scores["non-local means"] = _score(_non_local_means, risks)
    missing = []
    try:
        photo = Denoiser(load_weights("photo"), device=device)
        scores["the shipped photo weights"] = _score(photo, risks)
    except WeightsError as error:
        missing.append(str(error))
    lines = [f"{name}: {score:.2f} dB" for name, score in scores.items()]
    first = max(scores, key=lambda name: scores[name])
    advice = "keep them" if first == "these weights" else f"better use {first}"
    if start:
        advice = f"nothing learnt here was better than {start}; go on using that"
    if scores[first] >= _BEST:
        advice = (
            "none, these figures mean nothing; no method is without error, so there is hardly any "
            "noise, or it is not as it was measured; look at the picture of results"
        )
    excess = float(np.mean([r.removed(np.clip(mine(r.inputs[0]), 0, 1)) for r in risks]))
    if excess > _EXCESS:
        advice = (
            f"none, these figures mean nothing; {excess:.1f} times the noise that was measured "
            "is removed, so it is correlated between pixels, as a camera's JPEG is, or "
            "content is removed too; look at the picture of results"
        )
    head = f"PSNR as estimated without clean images (SURE) on {len(risks)} {what}:"
    return [head, *("  " + line for line in [*lines, *missing]), f"verdict: {advice}"]


def risks_of(clean: Clean, risks: Sequence[Risk]) -> list[float]:
    """Estimated mean squared errors of a denoiser on noisy images."""
    return [risk.of(*(np.clip(clean(image), 0, 1) for image in risk.inputs)) for risk in risks]


def _score(clean: Clean, risks: Sequence[Risk]) -> float:
    return decibels(float(np.mean(risks_of(clean, risks))))


def decibels(error: float) -> float:
    """PSNR in dB of a mean squared error on [0, 1], at most 99."""
    return min(-10 * math.log10(max(error, 1e-10)), _BEST)


def _non_local_means(image: Array) -> Array:
    """OpenCV's non-local means, as strong as suits the noise that is measured in the image."""
    shown = np.clip(image, 0, 1)
    return BASELINES["nlm"].clean(shown, estimate_sigma(shown))


def mean_loss(name: str, denoised: Sequence[Array], clean: Sequence[Array]) -> float:
    """A loss over images of any sizes, those of one size together."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, image in enumerate(clean):
        groups.setdefault(image.shape, []).append(index)
    total = 0.0
    for indices in groups.values():
        for start in range(0, len(indices), 256):
            part = indices[start : start + 256]
            one, other = (
                torch.from_numpy(np.stack([images[k] for k in part])).permute(0, 3, 1, 2)
                for images in (denoised, clean)
            )
            total += float(LOSSES[name](one.clamp(0, 1), other)) * len(part)
    return total / len(clean)
