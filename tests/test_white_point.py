from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from imgclean import restore
from imgclean.restore import Denoiser
from imgclean.white_point import Light, local_gains, page_light, paper_between, paper_gains

from .test_restore import cpu, strong_network

Pixels = NDArray[Any]


def page(paper: float, sigma: float = 0, channels: int = 1) -> Pixels:
    """Lines of text on paper of this level, H x W x C."""
    drawn = np.full((700, 500), 255, np.uint8)
    for row in range(40, 400, 40):
        cv2.putText(drawn, "Lines of text, of ink", (20, row), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
    noisy = drawn * (paper / 255) + np.random.default_rng(0).normal(0, sigma, drawn.shape)
    grey = np.asarray(np.clip(np.rint(noisy), 0, 255), np.uint8)
    return np.repeat(grey[..., None], channels, axis=2)


@pytest.mark.parametrize("paper", [200, 150, 130])
@pytest.mark.parametrize("sigma", [0, 25])
def test_paper_becomes_nearly_white(paper: float, sigma: float) -> None:
    """The paper is brought to 0.93 of white, or where it is noisy a little less."""
    white = paper_gains(page(paper, sigma)) * paper / 255
    assert 0.92 - sigma / 300 < white < 0.94


def test_white_paper_stays() -> None:
    """Light paper and black images are left alone; nothing becomes over twice as bright."""
    assert paper_gains(page(255)) == paper_gains(page(232)) == 1
    assert 1 < paper_gains(page(217)) < 1.06  # half of the way from 0.85 to 0.93
    assert paper_gains(np.zeros((60, 80, 3), np.uint8)).tolist() == [1, 1, 1]
    assert paper_gains(np.full((1, 1, 1), 30, np.uint8)) == 2


@pytest.mark.parametrize("channels", [1, 3])
def test_types(channels: int) -> None:
    """All types give one gain, grey pages in three channels that of one."""
    drawn = page(180, 10, channels)
    gains = paper_gains(drawn)
    assert gains.shape == (channels,)
    assert gains == pytest.approx(np.repeat(paper_gains(page(180, 10)), channels), rel=0.01)
    assert paper_gains(drawn.astype(np.uint16) * 257) == pytest.approx(gains, rel=1e-3)
    assert paper_gains(drawn / np.float32(255)) == pytest.approx(gains, rel=1e-3)


@pytest.mark.parametrize("tint", [(1.0, 0.9, 0.7), (0.8, 0.9, 1.0), (1.0, 0.98, 0.96)])
@pytest.mark.parametrize("level", [170, 200, 240])
def test_tinted_paper_becomes_grey(level: int, tint: tuple[float, float, float]) -> None:
    """Each channel of it is brought to the same; white ink on it is not cut off by much."""
    drawn = (page(level, 4, 3) * tint).astype(np.uint8)
    paper = np.median(drawn, axis=(0, 1)) * paper_gains(drawn) / 255
    assert np.ptp(paper) < 0.02 and 0.9 < paper.mean() < 0.97
    drawn[400:500] = 250
    gains = paper_gains(drawn)
    assert (gains * 250 / 255 <= 1.1).all() and (gains >= 1).all()


def test_pictures_stay() -> None:
    """Where little is as bright as the brightest there is no paper to go by."""
    ramp = np.linspace(0, 170, 400)[:, None] * np.ones((1, 300))
    picture = np.asarray(ramp**1.5 / 170**0.5, np.uint8)[..., None]
    assert paper_gains(picture) == 1


def test_negatives_stay() -> None:
    """Light strokes on dark ground, as of a blueprint, are not made lighter."""
    blueprint = ((255 - page(255)) * (0.7, 0.5, 0.4) + (40, 70, 130)).astype(np.uint8)
    assert paper_gains(blueprint).tolist() == [1, 1, 1]
    framed = blueprint.copy()
    framed[-7:] = framed[:, -7:] = 250
    assert paper_gains(framed).tolist() == [1, 1, 1]


def test_pages_in_the_dark_are_no_negatives() -> None:
    """Not where a scanner's white lid shows beside them either."""
    dark = page(100)
    assert paper_gains(dark) == 2
    dark[-11:] = 255
    assert paper_gains(dark) > 1.5


@pytest.mark.parametrize("pitch", [11, 12, 13, 18])
def test_ruled_paper_is_no_tint(pitch: int) -> None:
    """Coloured rules that fall in step with what is looked at do not pass for the paper."""
    ruled = np.full((3500, 2400, 3), 255, np.uint8)
    ruled[::pitch] = ruled[:, ::pitch] = (120, 170, 245)
    assert (paper_gains(ruled) < 1.08).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 7), (3, 3), (16, 16), (1, 5000)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size(shape: tuple[int, int], channels: int) -> None:
    """Some gain comes of every page, of two levels alone too."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        levels = rng.choice(np.array([0, 128, 255], np.uint8), (*shape, channels))
        gains = paper_gains(levels)
        assert gains.shape == (channels,) and ((gains >= 1) & (gains <= 2.2)).all()


def test_what_is_whiter_than_white_gets_no_colour() -> None:
    """Of a float page on tinted paper all channels end at white."""
    cream = np.ones((300, 300, 3), np.float32) * np.array([1, 0.98, 0.7], np.float32)
    cream[140:160, 140:160] = 1.4
    assert (no_change(ink=True)(cream)[150, 150] == 1).all()


def no_change(**config: Any) -> Denoiser:
    """A network whose correction is zero."""
    weights = strong_network(**config)
    weights.state["tail.weight"].zero_()
    return cpu(weights)


def gains_within(page: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
    """The local gains of one whole page."""
    image = page[0].permute(1, 2, 0).numpy()
    light = Light(gains.flatten().numpy(), paper_between(image, Light(gains.flatten().numpy())))
    return local_gains(page, gains, torch.from_numpy(light.padded(*page.shape[2:]))[None])


def test_gains_cut_off_nothing_in_what_is_brighter_than_the_paper() -> None:
    """Ink on a label gets the gain of the label's own paper, every channel its own."""
    dark = torch.full((1, 3, 160, 160), 0.5)
    dark[:, :, 20:24, 20:140] = 0.1
    gains = torch.tensor([1.5, 1.7, 1.9])[None, :, None, None]
    assert gains_within(dark, gains) is gains
    dark[:, :, 60:120, 60:120] = 0.96
    dark[:, :, 88:90, 70:110] = 0.3  # what is written there
    each = gains_within(dark, gains).expand_as(dark)
    inside, outside = each[..., 75:105, 75:105], each[..., :40, :]
    assert torch.allclose(inside, torch.full_like(inside, 0.98 / 0.96), atol=1e-3)
    assert torch.allclose(outside, gains.expand_as(outside))
    assert (each >= 1).all() and (each <= gains + 1e-5).all()


@pytest.mark.parametrize("gap", [12, 16, 24])
def test_paper_between_labels_is_paper(gap: int) -> None:
    """And beside the edge of the page, where the closing takes it for ink on a label."""
    page = torch.full((1, 1, 320, 320), 0.5)
    page[..., 80:160, 100:160] = page[..., 80:160, 160 + gap : 220 + gap] = 0.96
    page[..., 200:280, 200 : 320 - gap] = 0.96
    page[..., 220:224, 210:290] = 0.5  # ink as grey as the paper
    each = gains_within(page, torch.full((1, 1, 1, 1), 1.87))[0, 0]
    assert (each[80:160, 164 : 156 + gap] > 1.8).all()
    assert (each[200:280, 324 - gap :] > 1.8).all()
    assert (each[90:150, 104:156] < 1.1).all() and (each[210:270, 210:290] < 1.1).all()


@pytest.mark.parametrize("tile", [64, 128])
def test_a_gap_between_labels_is_paper_however_it_is_cut(tile: int) -> None:
    """Whether a long gap is joined to paper only the whole page tells, and no tile's end."""
    dark = np.full((1300, 200, 3), (194, 189, 176), np.uint8)
    for x in (60, 96):
        dark[100:1200, x : x + 16] = 224
    dark[200:1100:12, 85:87] -= 45
    whole = cpu(strong_network(ink=True))(dark)
    tiled = cpu(strong_network(ink=True), tile=tile)(dark)
    assert np.abs(whole.astype(int) - tiled).max() <= 1
    light = page_light(dark)
    part = light.part(slice(640, 700), slice(64, 200))
    assert light.between is not None and part.between is not None
    assert np.array_equal(part.between, light.between[160:175, 16:50])
    assert part.between[:, 6:8].all()  # of the gap, at 88 to 96


def test_what_is_between_labels_does_not_depend_on_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large pages are looked at some rows at a time."""
    rng = np.random.default_rng(0)
    coarse = rng.choice(np.array([190, 190, 190, 240], np.uint8), (60, 40))
    dark = cv2.resize(coarse, (400, 603), interpolation=cv2.INTER_NEAREST)[..., None]
    dark = np.repeat(dark, 3, axis=2)
    light = Light(np.array([1.2, 1.25, 1.3], np.float32))
    whole = paper_between(dark, light)
    assert whole is not None and 0.01 < whole.mean() < 0.99
    monkeypatch.setattr("imgclean.white_point._BAND", 16)
    parts = paper_between(dark, light)
    assert parts is not None and np.array_equal(whole, parts)


@pytest.mark.parametrize("side", [1, 3, 30])
def test_gains_of_small_tiles(side: int) -> None:
    tile = torch.full((1, 1, side, side), 0.9)
    each = gains_within(tile, torch.full((1, 1, 1, 1), 1.5)).expand_as(tile)
    assert torch.allclose(each, torch.full_like(each, 0.98 / 0.9), atol=1e-4)


@pytest.mark.parametrize("paper", [(0.55, 0.51, 0.47), (0.85, 0.76, 0.6)])
def test_a_label_on_dark_paper_keeps_its_print(paper: tuple[float, ...]) -> None:
    """White, 1 % of the page; its pale ink stays, and stays grey."""
    page = np.full((480, 640), 255, np.uint8)
    for row in range(60, 260, 40):
        cv2.putText(page, "Archive II, No. 17.5", (40, row), 0, 1, 40, 2, cv2.LINE_AA)
    label = np.full((40, 96), 250, np.uint8)
    cv2.putText(label, "1.175", (8, 28), 0, 0.8, 100, 2, cv2.LINE_AA)
    noisy = page[..., None] * np.array(paper)
    noisy[340:380, 200:296] = label[..., None]
    noisy += np.random.default_rng(3).normal(0, 1.5, (480, 640, 1))
    result = restore.load("scan", device="cpu")(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    ink = 1 - result[340:380, 200:296][label < 130].mean(axis=0) / 255
    assert (ink > 0.9 * (1 - label[label < 130].mean() / 255)).all()
    assert np.ptp(ink) < 0.05


@pytest.mark.parametrize("channels", [1, 3])
def test_only_networks_for_pages_see_brighter_pages(channels: int) -> None:
    """They get paper that is nearly white, in every tile alike; strength mixes with the input."""
    grey = page(150, 5, channels)
    assert np.array_equal(no_change(centre=0.5)(grey), grey)
    denoiser = no_change(ink=True)
    result = denoiser(grey)
    expected = np.clip(np.rint(grey * paper_gains(grey)), 0, 255)
    assert np.abs(result - expected).max() <= 1
    denoiser.tile = 128
    assert np.array_equal(denoiser(grey), result)
    half = denoiser(grey, 0.5).astype(float)
    assert np.abs(half - (result.astype(float) + grey) / 2).max() <= 1
    assert np.array_equal(denoiser(page(255)), page(255))


def test_pages_that_share_a_batch_keep_their_own_white() -> None:
    """One of them is made brighter, the other, with values beyond white, is not."""
    dark, light = page(130) / np.float32(255), page(255) / np.float32(200)
    denoiser = no_change(ink=True)
    denoiser.batch_size = 2
    images = [dark.copy(), light.copy()]
    denoiser.clean(images)
    assert np.allclose(images[0], np.minimum(dark * paper_gains(dark), 1), atol=1e-6)
    assert np.allclose(images[1], light, atol=1e-6)


@pytest.mark.parametrize(("paper", "fall"), [(0.95, 0.35), (0.7, 0.1)])
def test_the_empty_half_of_a_letter_becomes_white(paper: float, fall: float) -> None:
    """However far from any ink, paper is paper, on grey sheets and in uneven light."""
    drawn = np.full((1300, 900), 255, np.uint8)
    for row in range(80, 400, 40):
        cv2.putText(drawn, "Lines of a letter", (60, row), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
    light = paper * (1 - fall * np.clip(np.linspace(-0.2, 1, 1300), 0, 1))[:, None]
    grain = cv2.GaussianBlur(np.random.default_rng(0).standard_normal(drawn.shape), (0, 0), 0.7)
    noisy = np.clip(np.rint(255 * light * (drawn / 255 * 0.93 + 0.07) + 5 * grain), 0, 255)
    result = restore.load("scan", device="cpu")(noisy.astype(np.uint8))
    assert (result[450:] < 235).mean() < 0.01
    assert result[drawn == 0].mean() < 60
