from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean.alone import NoiseLine, Risk, recorrupt
from imgclean.scenes import render_scene

Array = NDArray[np.float32]


def scene(seed: int) -> Array:
    """A clean image with edges and texture, away from black and white."""
    image = render_scene(np.random.default_rng(seed), 160, 160)
    return np.asarray(0.1 + 0.8 * image.astype(np.float32) / np.float32(image.max()), np.float32)


def noisy(clean: Array, at_black: float, rise: float, seed: int = 0) -> Array:
    """With noise of that variance over brightness, in 8 bits."""
    noise = np.random.default_rng(seed).standard_normal(clean.shape)
    image = clean + noise * np.sqrt(at_black + rise * clean)
    return np.asarray(np.clip(np.rint(image * 255), 0, 255) / 255, np.float32)


@pytest.mark.parametrize(("at_black", "rise"), [(0.01, 0.0), (0.0, 0.02), (0.001, 0.01)])
def test_the_line_is_found(at_black: float, rise: float) -> None:
    """Measured in an image, sigma is right to a fifth at every brightness."""
    line = NoiseLine.of(noisy(scene(1), at_black, rise))
    level = np.linspace(0.15, 0.85, 8)
    ratio = np.sqrt((line.at_black + line.rise * level) / (at_black + rise * level))
    assert np.abs(ratio - 1).max() < 0.2


def test_an_even_image_has_no_noise() -> None:
    """Neither the line nor the judge invents any."""
    flat = np.full((64, 64, 3), 0.5, np.float32)
    assert NoiseLine.of(flat) == NoiseLine(0.0, 0.0)
    assert NoiseLine.of(flat[:5]) == NoiseLine(0.0, 0.0)
    assert Risk(flat, 0).of(flat, Risk(flat, 0).inputs[1]) == 0


def test_recorrupted_noises_are_uncorrelated() -> None:
    """The input and the target share the content, not the noise; on average both are the truth."""
    clean = np.full((200, 200, 1), 0.5, np.float32)
    image = clean + np.float32(0.1) * np.random.default_rng(0).standard_normal(
        clean.shape, np.float32
    )
    drawn = recorrupt(image, NoiseLine(0.01, 0.0), np.random.default_rng(1))
    assert np.allclose(drawn[0][0] + drawn[1][0], 2 * image, atol=1e-5)
    first, second = drawn[0][0], drawn[0][1][..., :1]
    assert np.allclose(drawn[0][1][..., 1:], 0.1)
    one, other = (first - clean).ravel(), (second - clean).ravel()
    assert abs(float(np.corrcoef(one, other)[0, 1])) < 0.02
    assert abs(float(one.mean())) < 0.005 and abs(float(other.mean())) < 0.01
    assert one.std() > 0.1 and other.std() > 0.14


def blurred(sigma: float) -> Callable[[Array], Array]:
    """A denoiser that blurs."""
    return lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def shifted(image: Array) -> Array:
    """One that blurs and moves the image by half a pixel."""
    soft = blurred(1.0)(image)
    return np.asarray((soft + np.roll(soft, 1, 1)) / 2, np.float32)


@pytest.mark.parametrize(("at_black", "rise"), [(0.002, 0.0), (0.0, 0.01)])
def test_the_judge_agrees_with_the_truth(at_black: float, rise: float) -> None:
    """Errors that are estimated without the clean image come in the order of the true ones."""
    methods = [lambda image: image, blurred(0.6), blurred(1.0), blurred(2.5), shifted]
    found, true = [], []
    for method in methods:
        estimates, errors = [], []
        for seed in range(3):
            clean = scene(seed)
            image = noisy(clean, at_black, rise, seed)
            risk = Risk(image, seed)
            estimates.append(risk.of(*(method(one) for one in risk.inputs)))
            errors.append(float(np.mean((method(image) - clean) ** 2)))
        found.append(float(np.mean(estimates)))
        true.append(float(np.mean(errors)))
    assert np.argsort(found).tolist() == np.argsort(true).tolist()
    assert np.allclose(found, true, rtol=0.25, atol=1e-4)
