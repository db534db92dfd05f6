from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean import load
from imgclean.impulses import put_impulses, remove_impulses
from imgclean.recipes import salt_and_pepper
from imgclean.scenes import render_scene

Image = NDArray[np.uint8]
Kind = Callable[[Image], NDArray[Any]]


def scene(height: int = 300, width: int = 420) -> Image:
    """A made-up photo."""
    return np.asarray(render_scene(np.random.default_rng(3), height, width), np.uint8)


def salted(image: Image, share: float = 0.1, *, each: bool = False) -> Image:
    """The same with salt and pepper, in all channels at once or in each for itself."""
    rng = np.random.default_rng(7)
    unit = image.astype(np.float32) / np.float32(255)
    planes = np.split(unit, unit.shape[2] if each else 1, axis=2)
    return as_bytes(255 * np.concatenate([salt_and_pepper(p, rng, share) for p in planes], axis=2))


def as_bytes(values: NDArray[np.floating]) -> Image:
    """Rounded and cut."""
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def psnr(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    """In dB, of 255."""
    apart = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    return float(10 * np.log10(255**2 / np.mean(apart**2)))


@pytest.mark.parametrize("each", [False, True], ids=["all channels at once", "each channel"])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.4])
def test_salt_and_pepper_go(share: float, *, each: bool) -> None:
    """What lies between stays bit for bit, and what they hid is near what it was."""
    clean = scene()
    noisy = salted(clean, share, each=each)
    image = noisy.copy()
    assert remove_impulses(image)
    assert psnr(image, clean) > psnr(noisy, clean) + 13
    between = (noisy > 0) & (noisy < 255)
    assert np.array_equal(image[between], noisy[between])


@pytest.mark.parametrize(
    "kind",
    [
        lambda image: image[..., :1],
        lambda image: image.astype(np.uint16) * 257,
        lambda image: image.astype(np.float32) / np.float32(255),
        lambda image: image[:140, :200],
        lambda image: np.ascontiguousarray(image.transpose(1, 0, 2)[:, ::-1]),
    ],
    ids=["grey", "16 bits", "float", "small", "turned"],
)
def test_any_kind_there_and_back(kind: Kind) -> None:
    """Of all types and sizes, and they can be put back bit for bit."""
    noisy, clean = kind(salted(scene())), kind(scene())
    image = np.array(noisy)
    found = remove_impulses(image)
    assert found
    scale = {1: 1.0, 2: 1 / 257, 4: 255.0}[image.dtype.itemsize]
    assert psnr(image * scale, clean * scale) > 25
    put_impulses(image, found)
    assert np.array_equal(image, noisy)


def gaussian(image: Image) -> Image:
    """Strong noise, of which black and white cut much."""
    drawn = np.random.default_rng(1).standard_normal(image.shape)
    return as_bytes(image + 60 * drawn)


def hot(image: Image) -> Image:
    """Hot pixels: white alone."""
    drawn = np.random.default_rng(1).random(image.shape[:2]) < 0.01
    return np.where(drawn[..., None], np.uint8(255), image)


def sharpened(image: Image) -> Image:
    """Edges so sharp that they are black and white."""
    values = image.astype(np.float32)
    return as_bytes(values + 6 * (values - cv2.GaussianBlur(values, (0, 0), 1)))


def dotted(image: Image) -> Image:
    """A lattice of black and white dots."""
    image[::6, ::6], image[3::6, 3::6] = 0, 255
    return image


def in_one_place(image: Image) -> Image:
    """Pebbles, or glitter, in a quarter of it."""
    image[:150, :210] = salted(image)[:150, :210]
    return image


def dithered(image: Image) -> Image:
    """A few levels of each channel, by noise."""
    drawn = np.random.default_rng(1).random(image.shape) - 0.5
    return as_bytes(np.rint(image / 85 + drawn) * 85)


def black_and_white(image: Image) -> Image:
    """A drawing with dots of both."""
    return salted(np.where(image[..., :1] > 128, np.uint8(255), np.uint8(0)))


@pytest.mark.parametrize(
    "damage",
    [
        lambda image: image,
        gaussian, hot, sharpened, dotted, in_one_place, dithered, black_and_white,
        lambda image: image[:0], lambda image: image[:1, :1],
    ],
)  # fmt: skip
def test_what_is_none_stays(damage: Callable[[Image], Image]) -> None:
    """Other noise, texture, patterns and glitter are as they were."""
    before = damage(scene())
    image = before.copy()
    assert remove_impulses(image) is None
    assert np.array_equal(image, before)


def test_photo_removes_them() -> None:
    """By the weights for photos, in full and in part."""
    denoise, clean = load("photo", device="cpu", precision="fp32"), scene()
    noisy = salted(clean, 0.05)
    full, half = denoise(noisy), denoise(noisy, strength=0.5)
    assert psnr(full, clean) > psnr(noisy, clean) + 13
    middle = (full.astype(np.float32) + noisy) / 2
    assert np.abs(half - middle).max() <= 1
