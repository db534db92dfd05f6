from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean import restore
from imgclean.restore import Denoiser
from imgclean.second_look import add_change, change_from_afar, far_view, has_tones, near_view

from .test_restore import strong_network
from .test_white_point import no_change

Plane = NDArray[np.float32]


def sheet(tone: float = 250) -> Plane:
    """A far view of blank paper, 300 x 240 x 1."""
    return np.full((300, 240, 1), tone, np.float32)


def picture(page: Plane) -> Plane:
    """The page with a soft picture of 160 x 140 on it."""
    shown = page.copy()
    waves = 120 + 50 * np.sin(np.arange(160) / 25)[:, None] * np.cos(np.arange(140) / 30)
    shown[60:220, 50:190, 0] = waves
    return shown


def eight_bits(page: Plane) -> NDArray[np.uint8]:
    return np.asarray(np.rint(page), np.uint8)


def soft_disc(height: int, width: int, y: float, x: float, radius: float) -> Plane:
    """1 within a disc, 0 outside, with a soft edge; h x w x 1."""
    ys, xs = np.indices((height, width), np.float32)
    away = (np.hypot(ys - y, xs - x) - radius) / 5
    return np.asarray(1 / (1 + np.exp(np.clip(away, -30, 30))), np.float32)[..., None]


def test_the_whitened_middle_of_a_picture_comes_back() -> None:
    """Its outline is the page's, near and afar: the tone from afar holds."""
    page = picture(sheet())
    hole = soft_disc(300, 240, 140, 120, 40)
    near = page + hole * (255 - page)
    change = change_from_afar(eight_bits(page), near, eight_bits(page), 4)
    assert change is not None
    assert np.abs(near - page)[60:220, 50:190].mean() > 25
    assert np.abs(near + change - page)[60:220, 50:190].mean() < 1.5
    assert not change[:50].any() and not change[230:].any()


def test_a_picture_that_is_mostly_gone_comes_back() -> None:
    """What structure from afar shows no stain, though from near the rest has lost its outline."""
    page = picture(sheet())
    near = page + soft_disc(300, 240, 160, 120, 85) * (255 - page)
    change = change_from_afar(eight_bits(page), near, eight_bits(page), 4)
    assert change is not None
    gone = (near[100:200, 80:160] > 240).mean()
    assert gone > 0.9
    assert np.abs(near + change - page)[100:200, 80:160].mean() < 2


def test_an_even_stain_that_is_mostly_gone_stays_gone() -> None:
    """Kept from afar as a picture would be, but without any structure."""
    stain = soft_disc(300, 240, 150, 120, 70)
    page = sheet() - 60 * stain
    far = sheet(255) - 60 * stain
    near = sheet(255) - 60 * stain * soft_disc(300, 240, 200, 120, 25)
    assert has_tones(near)
    assert change_from_afar(eight_bits(page), near, eight_bits(far), 4) is None


def test_what_dirt_is_left_in_the_middle_of_dirt_goes() -> None:
    """A cloud whose end is nowhere in the page, and which is white from afar."""
    page = sheet(200)
    near = sheet(255) - 40 * soft_disc(300, 240, 150, 120, 50)
    white = eight_bits(sheet(255))
    change = change_from_afar(eight_bits(page), near, white, 4)
    assert change is not None
    assert near.min() < 220 and (near + change).min() > 248


def test_nothing_becomes_darker_than_it_was() -> None:
    """What the far view turns from grey into black is none of its business."""
    page = picture(sheet())
    near = picture(sheet(255))
    far = np.where(near < 200, 0, near).astype(np.float32)
    assert change_from_afar(eight_bits(page), near, eight_bits(far), 4) is None


def test_small_areas_are_left_to_the_first_look() -> None:
    """Of a picture of 224 by 196 pixels no place is 110 from its outline."""
    page = picture(sheet())
    near = page + soft_disc(300, 240, 140, 120, 40) * (255 - page)
    assert change_from_afar(eight_bits(page), near, eight_bits(page), 1.4) is None


def test_a_panel_that_is_white_from_afar_stays() -> None:
    """What has its outline in the page is content, whatever a second look makes of it."""
    page = sheet()
    page[80:200, 60:180] = 225
    near = np.where(page == 250, np.float32(255), page)
    assert change_from_afar(eight_bits(page), near, eight_bits(sheet(255)), 4) is None


def test_lines_of_text_are_no_tones() -> None:
    """Nor are rules and small print: a page of these is looked at once."""
    page = eight_bits(sheet(255))
    for row in range(30, 280, 12):
        cv2.putText(page, "Lines of text", (10, row), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 0)
    page[10:14] = page[:, 100:104] = 0
    assert not has_tones(page.astype(np.float32))
    assert has_tones(picture(sheet()))


def test_dark_paper_does_not_hide_an_outline() -> None:
    """A page of half the brightness is compared as it is brought to white."""
    page = picture(sheet()) / np.float32(2)
    near = picture(sheet(255))
    hole = soft_disc(300, 240, 140, 120, 30)
    far = near.copy()
    near = near + hole * (255 - near)
    change = change_from_afar(eight_bits(page), near, eight_bits(far), 4)
    assert change is not None and np.abs(near + change - far).mean() < 1


@pytest.mark.parametrize(("dtype", "scale"), [("uint8", 255), ("uint16", 65535), ("float32", 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_change_is_added_to_every_type(dtype: str, scale: float, channels: int) -> None:
    """As if the change were resized whole and added; integers are rounded and clipped."""
    rng = np.random.default_rng(0)
    change = np.zeros((200, 150, channels), np.float32)
    change[70:180] = rng.uniform(-80, 80, (110, 150, channels))
    image = (rng.uniform(0, scale, (800, 600, channels))).astype(dtype)
    grown = cv2.resize(change, (600, 800), interpolation=cv2.INTER_LINEAR).reshape(image.shape)
    expected = image + grown.astype(np.float64) * scale / 255
    if dtype != "float32":
        expected = np.clip(np.rint(expected), 0, scale)
    result = image.copy()
    add_change(result, change)
    assert result.dtype == image.dtype
    assert np.abs(result - expected).max() <= 1.5 * scale / 255  # positions to 1/32 of a pixel
    assert np.abs(result - expected).mean() <= 0.2 * scale / 255
    assert np.array_equal(result[:270], image[:270])


def test_a_change_is_added_to_giant_pages() -> None:
    """In parts, which join without seams, also where a page is wider than OpenCV maps."""
    change = np.zeros((100, 2000, 1), np.float32)
    change[20:90] = np.linspace(0, 200, 2000)[None, :, None]
    image = np.zeros((400, 40_000, 1), np.float32)
    add_change(image, change)
    assert np.abs(np.diff(image[200, :, 0])).max() < 0.0001
    assert image[200, -30, 0] == pytest.approx(200 / 255, abs=0.0005)
    assert not image[:72].any() and not image[368:].any()


def test_far_views() -> None:
    """A quarter of the size, 450 pixels a side or 2 megapixels; none of small or narrow pages."""
    assert far_view(np.zeros((840, 600, 1), np.uint8)) is None
    assert far_view(np.zeros((3000, 40, 1), np.uint8)) is None
    assert far_view(np.zeros((0, 3000, 1), np.uint8)) is None
    pages = ((900, 600, 3), (3508, 2480, 1), (8000, 9000, 1))
    views = [far_view(np.zeros(shape, np.uint16)) for shape in pages]
    shapes = [view.shape if view is not None else None for view in views]
    assert shapes == [(450, 300, 3), (877, 620, 1), (1333, 1500, 1)]


@pytest.mark.parametrize("strength", [1.0, 0.4])
def test_near_view_is_of_full_strength(strength: float) -> None:
    """A part of the way is drawn out to all of it."""
    page = np.full((1800, 900, 1), 0.5, np.float32)
    cleaned = page + np.float32(0.25 * strength)
    small = far_view(page)
    assert small is not None
    near = near_view(cleaned, small, strength)
    assert near.shape == (450, 225, 1)
    assert np.allclose(near, 191.25, atol=0.01)


class ShortSighted(Denoiser):
    """Whitens the middle of what it sees at full size, and leaves what it sees from afar."""

    passes = 0

    def _clean_pieces(self, images: Any, strength: float, contrasts: Any = ()) -> None:
        for image in images:
            self.passes += 1
            if len(image) > 1000:
                middle = image[800:1000, 600:900]
                middle[...] = middle + strength * (np.float64(255) - middle)


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_only_networks_for_pages_look_twice(strength: float) -> None:
    """And of these pages only those that are large and have a tone left."""
    small = picture(sheet())
    page = eight_bits(cv2.resize(small, (1440, 1800), interpolation=cv2.INTER_CUBIC)[..., None])
    for ink, looks in ((True, 2), (False, 1)):
        denoiser = ShortSighted(strong_network(ink=ink), device="cpu")
        result = denoiser(page, strength)
        assert denoiser.passes == looks
        apart = np.abs(result.astype(float) - page)[820:980, 620:880].mean()
        assert apart < 3 if ink else apart > 40
    denoiser = ShortSighted(strong_network(ink=True), device="cpu")
    denoiser(np.full((1800, 1440, 1), 250, np.uint8))
    assert denoiser.passes == 1


def test_one_look_and_two_agree_on_equal_results() -> None:
    """A network that does the same at every size changes nothing by looking twice."""
    page = eight_bits(cv2.resize(picture(sheet()), (1440, 1800))[..., None])
    assert np.array_equal(no_change(ink=True)(page), page)


def test_large_pictures_stay_pictures() -> None:
    """With the shipped weights: a soft picture wider than the network sees, at 300 dpi."""
    page = np.full((1800, 1500), 247, np.uint8)
    ys, xs = np.indices((1300, 1300), np.float32)
    soft = 150 + 60 * np.sin(ys / 210) * np.cos(xs / 260) + 25 * np.sin((xs + ys) / 90)
    page[300:1600, 100:1400] = np.rint(soft)
    for row in range(60, 280, 50):
        cv2.putText(page, "Lines of a text", (60, row), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 20, 2)
    noisy = page + np.random.default_rng(0).normal(0, 5, page.shape)
    result = restore.load("scan", device="cpu")(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    apart = (result.astype(np.float32) - page.astype(np.float32))[320:1580, 120:1380]
    assert np.sqrt(np.mean(apart**2)) / 255 < 0.03
    assert (result[620:1580, :90] > 245).all()
