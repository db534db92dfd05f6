"""The language of `--noise`: terms joined by `+`, such as ``blur:0.5-2+gaussian:0-55+jpeg``.

A term is a name, or a name and what it takes after a colon: a number, or a range of numbers
from which every sample draws one. Images are H x W x C float32 in [0, 1].
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from . import noise
from .errors import UsageError
from .paper import damage
from .pixels import LUMA

__all__ = ["TERMS", "Recipe", "Term", "parse"]

Array = NDArray[np.float32]
Range = tuple[float, float]

_CLIPPED = 10.0  # sigma on [0, 1], where black and white are all that it leaves


@dataclass(frozen=True)
class Term:
    """One kind of noise.

    Attributes:
        apply: adds it to an image; the number is drawn from the range of the term.
        default: the range where none is given; None if the term takes no number.
        limits: smallest and largest number allowed.
        unit: what the number is, for messages.
    """

    apply: Callable[[Array, np.random.Generator, float], Array]
    default: Range | None = None
    limits: Range = (0, float("inf"))
    unit: str = ""


@dataclass(frozen=True)
class Step:
    """A term with its numbers; `mean` is set for the tutorial's clipped Gaussian noise."""

    name: str
    values: Range = (0, 0)
    mean: float | None = None


@dataclass(frozen=True)
class Recipe:
    """A composed degradation: calling it draws one noisy version of a clean image."""

    text: str
    steps: tuple[Step, ...]

    def __call__(self, clean: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """Give the noisy image and its target, which differs from `clean` for `scan` alone."""
        noisy = target = clean
        for step in self.steps:
            if step.name == "scan":
                noisy, target = damage(clean, rng)
            elif step.mean is not None:
                noisy = np.clip(noise.gaussian(noisy, rng, step.values[0]) + step.mean, 0, 1)
            else:
                noisy = TERMS[step.name].apply(noisy, rng, float(rng.uniform(*step.values)))
        return np.ascontiguousarray(noisy, np.float32), target

    @property
    def on_tensors(self) -> bool:
        """Whether `on_batch` can draw it: Gaussian noise alone, or none."""
        return all(step.name in ("gaussian", "none") for step in self.steps)

    def on_batch(self, clean: Tensor, generator: torch.Generator) -> Tensor:
        """Draw it for a whole N x C x H x W batch on its own device."""
        noisy = clean
        for step in self.steps:
            if step.name == "none":
                continue
            low, high = step.values
            share = torch.rand(len(clean), 1, 1, 1, generator=generator, device=clean.device)
            grain = torch.randn(clean.shape, generator=generator, device=clean.device)
            scale = 1.0 if step.mean is not None else 255.0
            noisy = noisy + grain * (low + (high - low) * share) / scale
            if step.mean is not None:
                noisy = (noisy + step.mean).clamp_(0, 1)
        return noisy


def poisson(image: Array, rng: np.random.Generator, photons: float) -> Array:
    """Photon noise: white is so many photons, and black is free of noise."""
    counts = rng.poisson(np.clip(image, 0, None) * max(photons, 1e-3))
    return np.asarray(counts / max(photons, 1e-3), np.float32)


def speckle(image: Array, rng: np.random.Generator, sigma: float) -> Array:
    """Multiply by 1 plus Gaussian noise of standard deviation `sigma`."""
    return np.asarray(image * (1 + sigma * rng.standard_normal(image.shape, np.float32)))


def salt_and_pepper(image: Array, rng: np.random.Generator, share: float) -> Array:
    """Turn a share of the pixels black or white, each as likely, in all channels at once."""
    drawn = rng.random((*image.shape[:2], 1), np.float32)
    return np.where(drawn < share / 2, 0, np.where(drawn < share, 1, image)).astype(np.float32)


def blur(image: Array, rng: np.random.Generator, sigma: float) -> Array:
    """Gaussian blur of standard deviation `sigma` in pixels."""
    if sigma <= 0:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32).reshape(image.shape)


def mask(image: Array, rng: np.random.Generator, share: float) -> Array:
    """Punch square holes of up to an eighth of the height, black, until a share is gone."""
    height, width = image.shape[:2]
    keep = np.ones((height, width, 1), np.float32)
    largest = max(1, height // 8)
    while 1 - keep.mean() < share:
        side = int(rng.integers(1, largest + 1))
        top, left = int(rng.integers(height)), int(rng.integers(width))
        keep[top : top + side, left : left + side] = 0
    return image * keep


def grey(image: Array, rng: np.random.Generator, _: float) -> Array:
    """Take the colour away and keep three channels."""
    if image.shape[2] == 1:
        return image
    return np.repeat((image @ LUMA)[..., None], 3, axis=2)


def _gaussian(image: Array, rng: np.random.Generator, sigma: float) -> Array:
    return noise.gaussian(image, rng, sigma / 255)


def _jpeg(image: Array, rng: np.random.Generator, quality: float) -> Array:
    return noise.jpeg(image, round(quality), rng, subsample=bool(rng.random() < 0.5))


TERMS: Mapping[str, Term] = {
    "photo": Term(lambda image, rng, _: noise.photo(image, rng)),
    "scan": Term(lambda image, rng, _: damage(image, rng)[0]),
    "camera": Term(lambda image, rng, _: noise.camera(image, rng)),
    "grain": Term(lambda image, rng, _: noise.grain(image, rng)),
    "gaussian": Term(_gaussian, (25, 25), (0, 255), "sigma of 255"),
    "poisson": Term(poisson, (30, 30), (1, 1e6), "photons at white"),
    "speckle": Term(speckle, (0.2, 0.2), (0, 2), "sigma"),
    "saltpepper": Term(salt_and_pepper, (0.05, 0.05), (0, 1), "share of the pixels"),
    "jpeg": Term(_jpeg, (30, 90), (1, 100), "quality"),
    "blur": Term(blur, (0.5, 2), (0, 100), "sigma in pixels"),
    "mask": Term(mask, (0.3, 0.3), (0, 0.95), "share of the pixels"),
    "grey": Term(grey),
    "none": Term(lambda image, rng, _: image),
}


def parse(text: str) -> Recipe:
    """Read a `--noise` value.

    Raises:
        UsageError: a term is wrong; the message points at it and lists the right ones.
    """
    steps: list[Step] = []
    column = 0
    for word in text.split("+"):
        problem: str | None = None
        try:
            step = _term(word.strip())
            if step.name == "scan" and steps:
                problem = "scan makes its own target, so it has to come first"
            steps.append(step)
        except ValueError as error:
            problem = str(error)
        if problem:
            mark = " " * column + "^" * max(1, len(word))
            raise UsageError(f"--noise: {problem}\n  {text}\n  {mark}\nterms: {_terms()}")
        column += len(word) + 1
    return Recipe(text, tuple(steps))


def _term(word: str) -> Step:
    """One term; a ValueError says what is wrong with it."""
    name, colon, rest = word.partition(":")
    if name not in TERMS:
        raise ValueError(f"{word!r} is not a kind of noise" if word else "a term is missing")
    term = TERMS[name]
    if not colon:
        return Step(name, term.default or (0, 0))
    if term.default is None:
        raise ValueError(f"{name} takes no number")
    if "=" in rest:
        return _keywords(name, rest)
    parts = [_number(part, name) for part in re.split(r"(?<=[0-9.])-", rest)]
    if len(parts) > 2 or parts[0] > parts[-1]:
        raise ValueError(f"{rest!r} is not a range; write LOW-HIGH")
    low, high = term.limits
    if not low <= parts[0] <= parts[-1] <= high:
        raise ValueError(f"{name} takes {low:g} to {high:g} ({term.unit})")
    return Step(name, (parts[0], parts[-1]))


def _keywords(name: str, rest: str) -> Step:
    """``gaussian:sigma=S,mean=M``: on [0, 1], clipped, as the tutorial draws it."""
    given = dict(part.partition("=")[::2] for part in rest.split(","))
    if name != "gaussian" or not set(given) <= {"sigma", "mean"} or "sigma" not in given:
        raise ValueError("only gaussian:sigma=S,mean=M names its numbers")
    sigma, mean = (_number(given.get(key, "0"), name) for key in ("sigma", "mean"))
    if sigma > _CLIPPED or mean > 1:
        raise ValueError(f"on [0, 1] {name} takes a sigma of 0 to {_CLIPPED:g}, a mean of 0 to 1")
    return Step(name, (sigma, sigma), mean)


def _number(text: str, name: str) -> float:
    try:
        value = float("" if "_" in text else text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number from 0, as {name} takes") from None
    if not 0 <= value < float("inf"):
        raise ValueError(f"{text!r} is not a number from 0, as {name} takes")
    return value


def _terms() -> str:
    return ", ".join(
        f"{name}:{term.unit.replace(' ', '-').upper()}" if term.unit else name
        for name, term in TERMS.items()
    )
