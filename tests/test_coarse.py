"""Noise that is coarser than a network knows is told from detail, and removed."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean import restore
from imgclean.coarse import add_half, is_coarse, parts
from imgclean.pixels import halved
from imgclean.restore import load

SAMPLES = Path(__file__).parents[1] / "sample_data"
Plane = NDArray[np.float32]


def _noise(sigma: float, width: float, seed: int = 1, side: int = 256) -> Plane:
    """Grey noise of so many levels, so many pixels wide, in three channels."""
    noise = np.random.default_rng(seed).standard_normal((side, side))
    if width:
        noise = cv2.GaussianBlur(noise, (0, 0), width)
    noise *= sigma / 255 / noise.std()
    return np.repeat(noise[..., None], 3, axis=2).astype(np.float32)


def _look(full: Plane, half: Plane, detail: Plane | None = None) -> tuple[Plane, Plane, Plane]:
    cleaned = np.full(half.shape, 0.5, np.float32)
    return full, cleaned if detail is None else cleaned + detail, half


def test_noise_of_which_half_the_size_shows_more_is_coarse() -> None:
    noise = _noise(6, 2)
    assert is_coarse([_look(noise * np.float32(0.3), halved(noise))])
    assert not is_coarse([_look(noise, halved(noise))]), "full size removes it too"


def test_white_noise_is_not_coarse() -> None:
    half = _noise(6, 0, side=128)
    assert not is_coarse([_look(np.zeros((256, 256, 3), np.float32), half)])


def test_texture_is_not_coarse() -> None:
    noise = _noise(6, 2)
    left = _noise(8, 0, 2, 128)  # as much again that was not removed
    assert not is_coarse([_look(noise * np.float32(0.3), halved(noise), left)])


def test_dots_and_edges_are_not_coarse() -> None:
    y, x = np.mgrid[:128, :128] / np.float32(3.7)
    dots = (np.cos(x + y) * np.cos(x - y) * 6 / 255)[..., None].repeat(3, 2).astype(np.float32)
    nothing = np.zeros((256, 256, 3), np.float32)
    assert not is_coarse([_look(nothing, dots + halved(_noise(2, 2)))])
    edges = halved(_noise(6, 2))
    edges[::40] *= 12
    assert not is_coarse([_look(nothing, edges)])


def test_nothing_removed_and_black_alone_are_not_coarse() -> None:
    nothing = np.zeros((128, 128, 3), np.float32)
    assert not is_coarse([_look(np.zeros((256, 256, 3), np.float32), nothing)])
    noise = _noise(6, 2)
    full, cleaned, half = _look(noise * np.float32(0.3), halved(noise))
    assert not is_coarse([(full, cleaned * 0, half)])


@pytest.mark.parametrize("shape", [(128, 128), (300, 5000), (5000, 300), (3000, 4000), (257, 700)])
def test_parts_lie_in_the_image(shape: tuple[int, int]) -> None:
    found = list(parts(*shape))
    assert 1 <= len(found) <= 4
    for rows, columns in found:
        for place, length in ((rows, shape[0]), (columns, shape[1])):
            assert place.start >= 0 and min(place.stop, length) - place.start == min(192, length)
    assert len(set(map(str, found))) == len(found)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(600, 130, 3), (513, 257, 1), (256, 640, 3)])
def test_a_change_of_half_the_size_is_added_where_it_belongs(
    kind: str, shape: tuple[int, int, int]
) -> None:
    scale = {"uint8": 1, "uint16": 257, "float32": 1 / 255}[kind]
    y, x = np.mgrid[: shape[0], : shape[1]]
    wave = (20 * np.sin(y / 40) * np.cos(x / 25)).astype(np.float32)[..., None] * np.ones(
        shape, np.float32
    )
    image = ((100 + 0 * wave) * scale).astype(kind)
    before, after = (halved((image + value * scale).astype(kind)) for value in (0 * wave, wave))
    add_half(image, before, after)
    assert np.abs(image / scale - 100 - wave).max() < 1.7
    assert image.dtype == kind


def _photo(name: str) -> NDArray[np.uint8]:
    path = SAMPLES / name
    return np.ascontiguousarray(np.asarray(cv2.imread(str(path)), np.uint8)[..., ::-1])


def test_coarse_grain_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    clean = cv2.GaussianBlur(_photo("clean/photos/evening.jpg"), (0, 0), 8)[:384, :384]
    grain = _noise(8, 2, 3, 384) * np.float32(255)
    noisy = np.clip(np.rint(clean + grain), 0, 255).astype(np.uint8)
    denoiser = load("photo", device="cpu", precision="fp32")
    result, half_way = denoiser(noisy), denoiser(noisy, 0.5)
    monkeypatch.setattr(restore, "is_coarse", lambda looks: False)
    before = denoiser(noisy)
    errors = [float(((x.astype(float) - clean) ** 2).mean()) for x in (result, before)]
    assert errors[0] < 0.7 * errors[1]
    mean = (result.astype(float) + noisy) / 2
    assert np.abs(half_way - mean).max() <= 1


@pytest.mark.parametrize("shape", [(400, 384), (384, 500, 1), (401, 391, 4)])
def test_images_in_grey_and_with_alpha_are_looked_at_too(shape: tuple[int, ...]) -> None:
    """They have noise that is coarse, in all that is no alpha."""
    noise = _noise(14, 2, 4, 512)[: shape[0], : shape[1], 0]
    wide = np.full(shape, 0.5) + (noise[..., None] if len(shape) == 3 else noise)
    image = np.rint(wide * 255).astype(np.uint8)
    result = load("photo", device="cpu", precision="fp32")(image)
    assert result.shape == image.shape
    kept = (slice(None), slice(None), slice(0, 3)) if len(shape) == 3 else ...
    assert result[kept].std() < 0.6 * image[kept].std()
    if shape[2:] == (4,):
        assert np.array_equal(result[..., 3], image[..., 3])


@pytest.mark.parametrize("name", ["day", "evening", "indoors", "night"])
@pytest.mark.parametrize("kind", ["clean", "noisy"])
def test_sample_photos_are_cleaned_at_full_size(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    monkeypatch.setattr(restore, "is_coarse", lambda looks: answers.append(is_coarse(looks)))
    load("photo", device="cpu", precision="fp32")(_photo(f"{kind}/photos/{name}.jpg"))
    assert answers == [False]
