"""Pages of pale ink alone are shown darker, and come back as deep as they were."""

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from imgclean.ink import measure_ink
from imgclean.pale import darkened, ink_contrast
from imgclean.restore import load

from .test_choose import page

Pixels = NDArray[np.uint8]


def _pale(depth: float, sigma: float = 2.0, blur: float = 0.0, paper: float = 240) -> Pixels:
    """A page whose ink has a share of the paper's depth, H x W x 1."""
    ink = (240 - page().astype(np.float64)) / 210
    soft = cv2.GaussianBlur(ink, (0, 0), blur) if blur else ink[..., 0]
    noise = np.random.default_rng(1).normal(0, sigma, soft.shape)
    return np.clip(np.rint(paper * (1 - depth * soft) + noise), 0, 255)[..., None].astype(np.uint8)


def _contrast(pixels: NDArray[Any]) -> float:
    return ink_contrast(measure_ink(pixels))


def test_pale_ink_is_found_and_how_pale() -> None:
    assert _contrast(page()) == 1
    assert _contrast(_pale(0.8)) == 1
    contrasts = [_contrast(_pale(depth)) for depth in (0.5, 0.35, 0.25, 0.2)]
    assert contrasts == sorted(contrasts)
    assert 1.25 <= contrasts[0] < 2.2 < contrasts[2] <= contrasts[3] == 3
    assert _contrast(np.full((300, 200, 3), 255, np.uint8)) == 1
    assert _contrast(_pale(0.08)) == 1, "as the sheet's other side is"


@pytest.mark.parametrize("kind", ["uint16", "float32"])
def test_types_and_sizes(kind: str) -> None:
    pale = _pale(0.3)
    same = pale * np.uint16(257) if kind == "uint16" else pale / np.float32(255)
    assert _contrast(same) == pytest.approx(_contrast(pale), rel=0.01)
    assert _contrast(np.repeat(pale, 3, axis=2)) == pytest.approx(_contrast(pale), rel=0.01)
    for shape in ((1, 1, 1), (1, 500, 3), (40, 7, 1)):
        assert _contrast(np.full(shape, 200, np.uint8)) == 1


def test_a_dark_word_or_headline_alone_does_not_hide_pale_ink() -> None:
    """A page with much dark ink is no pale one, with a headline it is."""
    pale = _pale(0.3)
    headline, half = pale.copy(), pale.copy()
    headline[:70] = page()[:70]
    half[:450] = page()[:450]
    assert _contrast(headline) > 2
    assert _contrast(half) == 1


def test_dirt_is_no_ink() -> None:
    """Grain, mottle and noise on empty paper, with a dark line of text too."""
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 1, (700, 700))
    mottle = cv2.GaussianBlur(noise, (0, 0), 1.5) / 0.19
    for paper in (noise * 8, noise * 25, mottle * 7, mottle * 12):
        empty = np.clip(np.rint(225 + paper), 0, 255).astype(np.uint8)[..., None]
        assert _contrast(empty) == 1
        empty[300:340] = np.minimum(empty[300:340], page()[300:340])
        assert _contrast(empty) == 1


def test_grain_is_made_no_deeper_than_it_may_be() -> None:
    contrasts = [_contrast(_pale(0.2, sigma)) for sigma in (1, 14, 25)]
    assert contrasts[0] == 3 > contrasts[1] > contrasts[2]


def test_what_lies_beside_a_pale_page_does_not_change() -> None:
    """Of floats below black and above white too; pale paper above white stays white."""
    pages = torch.rand(2, 3, 64, 64) * 1.6 - 0.3
    ink = darkened(pages, torch.tensor([3.0, 1.0])[:, None, None, None])
    assert torch.equal(ink.shown[1], pages[1])
    bright = torch.full((1, 1, 64, 64), 1.2)
    bright[:, :, 30:33] = 0.8
    ink = darkened(bright, torch.full((1, 1, 1, 1), 2.0))
    back = ink.back(ink.shown.clone())
    assert back[0, 0, 31, 31].item() == pytest.approx(0.8, abs=0.02)
    assert back.max() <= 1


def test_what_is_darkened_comes_back_as_it_was() -> None:
    """Strokes on white, on a wide area, and dark ones; what is not pale does not change."""
    pages = torch.ones(2, 1, 128, 128)
    pages[:, :, 20:23] = 0.7
    pages[:, :, 40:43, 10:50] = 0.1
    pages[:, :, 64:] = 0.8
    pages[:, :, 90:93] = 0.6
    ink = darkened(pages, torch.tensor([3.0, 1.0])[:, None, None, None])
    assert torch.equal(ink.shown[1], pages[1])
    assert ink.shown[0, 0, 21, 60].item() == pytest.approx(0.1, abs=0.01)
    assert ink.shown[0, 0, 91, 60].item() == pytest.approx(0.2, abs=0.01)
    assert ink.shown[0, 0, 41, 30].item() == 0
    assert (ink.shown[0, 0, 110:] - 0.8).abs().max() < 0.01
    assert (ink.back(ink.shown.clone()) - pages).abs().max() < 0.01
    white = torch.ones_like(pages)
    assert torch.equal(ink.back(white.clone()), white)


def test_soft_pale_print_stays() -> None:
    """As of a carbon copy: without the contrast most of it goes."""
    copy = _pale(0.25, sigma=4, blur=1.5)
    words = cv2.GaussianBlur((240 - page()).astype(np.float32), (0, 0), 1.5)
    ink = words > 0.6 * words.max()
    denoiser = load("scan", device="cpu", precision="fp32")
    left = 255 - denoiser(copy)[..., 0].astype(np.float64)
    assert left[ink].mean() > 0.7 * (240 - copy[..., 0].astype(np.float64))[ink].mean()
    assert left[words < 1].mean() < 2


def test_strength_goes_a_part_of_the_way() -> None:
    """Of pale pages too; and in tiles the result is the same as in one go."""
    pale = np.ascontiguousarray(_pale(0.3)[:760, :300])
    assert _contrast(pale) > 1
    denoiser = load("scan", device="cpu", precision="fp32")
    full, half = (denoiser(pale, strength).astype(int) for strength in (1.0, 0.5))
    assert np.abs(half - (pale + full) / 2).max() <= 1
    tiled = load("scan", device="cpu", precision="fp32", tile=256)(pale)
    assert np.abs(tiled.astype(int) - full).max() <= 1


def test_photos_have_no_ink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only weights for pages look for it."""
    asked: list[Pixels] = []

    def asks(page: Pixels) -> float:
        asked.append(page)
        return 1.0

    monkeypatch.setattr("imgclean.restore.ink_contrast", asks)
    pale = _pale(0.3)[:300, :300].copy()
    load("photo", device="cpu", precision="fp32")(pale)
    assert not asked
    load("scan", device="cpu", precision="fp32")(pale)
    assert asked
