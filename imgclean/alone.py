"""Learning from noisy images alone, and judging without clean ones.

Both know the noise by its variance, a line over brightness that is measured in each image (photon
and read noise: Foi et al., "Practical Poissonian-Gaussian noise modeling", 2008), and take the
noise of different pixels to be independent.

Learning is Recorrupted-to-Recorrupted (Pang et al., CVPR 2021): z being fresh noise as strong as
the image's own, image + a z and image - z / a hold the same content, and their noises are
uncorrelated. So the mean squared error between what becomes of the one and the other differs from
that to the truth by a constant. Training sees whole images, where Neighbor2Neighbor (Huang et
al., 2021) sees halved ones. Noise that files in 8 bits cut off at black and white has a mean there,
which `losses.censored_mse` takes into account.

Judging is Stein's unbiased risk estimate: the mean squared error of any denoiser follows from what
it makes of the noisy image and how its result answers small changes (Stein, 1981), measured along
a random direction (Ramani, Blu and Unser, "Monte-Carlo SURE", 2008).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .metrics import noise_curve

__all__ = ["NoiseLine", "Risk", "recorrupt"]

Array = NDArray[np.float32]
Pair = tuple[Array, Array]

_AROUND = 9  # pixels a side of the surroundings whose mean is the brightness of a place
_WEAK = 0.6  # a of the paper is drawn from here to 1: smaller ones make targets noisier
_STEP = 0.1  # of sigma, along the random direction
_LEAST = 1 / 255  # that step at least: methods in 8 bits would not notice a smaller one
_AWAY = 2.0  # sigmas that a place is away from black and white, where noise is cut off


@dataclass(frozen=True)
class NoiseLine:
    """Variance of the noise over brightness, both on [0, 1]: at black, and its rise to white."""

    at_black: float
    rise: float

    @classmethod
    def of(cls, image: Array) -> "NoiseLine":
        """Fit an H x W x C image in [0, 1]; neither number is negative.

        Least squares of relative errors, so that dark and bright count alike.
        """
        levels, variances = noise_curve(image)
        if not variances.any():
            return cls(0.0, 0.0)
        weight = 1 / np.maximum(variances, 1e-3 * variances.max())
        columns = np.stack([np.ones_like(levels), levels], axis=1) * weight[:, None]
        best, least = cls(0.0, 0.0), np.inf
        for kept in ([0, 1], [0], [1]):
            found = np.linalg.lstsq(columns[:, kept], variances * weight, rcond=None)[0]
            error = float(np.sum((columns[:, kept] @ found - variances * weight) ** 2))
            if (found >= 0).all() and error < least:
                line = dict(zip(kept, found.tolist(), strict=True))
                best, least = cls(line.get(0, 0.0), line.get(1, 0.0)), error
        return best

    def sigma(self, image: Array) -> Array:
        """Standard deviation of the noise at every place of an H x W x C image in [0, 1]."""
        level = np.clip(_surroundings(image), 0, 1)
        return np.asarray(np.sqrt(self.at_black + self.rise * level), np.float32)


def _surroundings(image: Array) -> Array:
    return np.asarray(cv2.blur(image, (_AROUND, _AROUND)), np.float32).reshape(image.shape)


def recorrupt(image: Array, line: NoiseLine, rng: np.random.Generator) -> list[Pair]:
    """Two noisier versions of an H x W x C image in [0, 1], with targets of uncorrelated noise.

    A target is H x W x 2 C: the image less its share of the fresh noise, and the standard deviation
    of the image's own noise, for `losses.censored_mse`.

    The fresh noise of the second is that of the first with its sign changed, so that most of
    what it adds to the targets, which is far stronger than the image's own noise, cancels out.
    """
    share = np.float32(np.exp(rng.uniform(np.log(_WEAK), 0)))
    sigma = line.sigma(image)
    fresh = rng.standard_normal(image.shape, np.float32) * sigma
    return [
        (
            image + sign * share * fresh,
            np.concatenate([image - sign * fresh / share, sigma], axis=2),
        )
        for sign in (1, -1)
    ]


class Risk:
    """What a denoiser's error on one noisy image is likely to be.

    Attributes:
        inputs: two versions of the image, H x W x C, to be denoised; the first is the image.
    """

    def __init__(self, noisy: Array, seed: int) -> None:
        """Measure the noise of an H x W x C image in [0, 1] and draw the direction."""
        sigma = NoiseLine.of(noisy).sigma(noisy)
        self._variance = sigma**2
        self._step = np.float32(max(_STEP * float(sigma.mean()), _LEAST))
        self._probe = np.random.default_rng(seed).standard_normal(noisy.shape, np.float32)
        self.inputs = (noisy, noisy + self._step * self._probe)
        level = _surroundings(noisy)
        self._where = (level >= _AWAY * sigma) & (level <= 1 - _AWAY * sigma)
        if self._where.mean() < 0.01:
            self._where[:] = True

    def of(self, result: Array, other: Array) -> float:
        """Mean squared error on [0, 1] of the result; `other` is that of the second input.

        Left out are places so near black or white that the noise is cut off there. An estimate:
        it can be a little below zero.
        """
        distance = (result - self.inputs[0]) ** 2 - self._variance
        answer = self._probe * (other - result) / self._step
        return float(np.mean((distance + 2 * self._variance * answer)[self._where], dtype=float))

    def removed(self, result: Array) -> float:
        """How much a denoiser took away, as a share of the noise's variance.

        Hardly over 1 if the noise is what it was measured to be; far more where it is correlated
        between pixels, which hides it from the measurement, or where content was taken too.
        """
        taken = float(np.mean(((result - self.inputs[0]) ** 2)[self._where], dtype=float))
        return taken / max(float(np.mean(self._variance[self._where], dtype=float)), 1e-10)
