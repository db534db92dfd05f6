from itertools import product

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean import restore
from imgclean.shading import Shading, find_gutter, find_shading
from imgclean.white_point import page_light

from .test_white_point import no_change

Pixels = NDArray[np.uint8]
SIZE = 900, 700
FALL = np.linspace(1, 0.5, SIZE[0])[:, None, None]  # light from the top of a page to its foot


def drawn(channels: int = 3) -> Pixels:
    """Lines of text, a pale fill that reaches far down, and a dark picture at the foot."""
    page = np.full((*SIZE, 1), 235, np.uint8)
    for y in range(60, 660, 28):
        cv2.putText(page, "the quick brown fox jumps over", (50, y), 0, 0.6, 30, 1, cv2.LINE_AA)
    page = np.repeat(page, channels, axis=2)
    page[60:660, 500:660] = (235, 225, 200)[:channels]
    page[700:800, 60:200] = 110
    return page


def lit(page: Pixels, light: NDArray[np.float64]) -> Pixels:
    """In that light, with a little noise."""
    noise = np.random.default_rng(0).normal(0, 2, page.shape)
    return np.clip(np.rint(page * light + noise), 0, 255).astype(np.uint8)


def everywhere(found: Shading) -> NDArray[np.float32]:
    """Its gains at all pixels."""
    return found.gains(*(np.arange(n) + 0.5 for n in found.shape))


@pytest.mark.parametrize("channels", [1, 3])
def test_shade_is_made_up_for(channels: int) -> None:
    """Everywhere by as much as the paper lost, in fills and in a picture too."""
    found = find_shading(lit(drawn(channels), FALL))
    assert found is not None
    flat = everywhere(found) * FALL
    assert flat.shape == (*SIZE, channels)
    assert np.abs(flat[10:660, 10:-10] / flat[300, 350] - 1).max() < 0.05
    assert np.abs(flat[700:800, 60:200] / flat[300, 350] - 1).max() < 0.1
    assert everywhere(found).min() >= 1


@pytest.mark.parametrize("light", [1.0, 0.5, np.linspace(1, 0.85, SIZE[0])[:, None, None]])
def test_even_pages_have_none(light: NDArray[np.float64]) -> None:
    """Bright or dark as a whole, or so little uneven that the network sees to it."""
    assert find_shading(lit(drawn(), light)) is None


def test_brown_margins_become_as_the_rest() -> None:
    """Each channel by what the paper lost in it."""
    brown = np.linspace(0, 1, SIZE[1])[None, :, None] ** 2 * (0.45, 0.6, 0.85)
    found = find_shading(lit(drawn(), np.exp(-brown)))
    assert found is not None
    paper = (everywhere(found) * np.exp(-brown))[680:690, 20:-20].mean(axis=0)
    assert np.abs(paper / paper[300] - 1).max() < 0.06


def test_stains_are_left_to_the_network() -> None:
    """Brown ones take much of the blue, and little of the red."""
    mottle = np.random.default_rng(1).uniform(0, 1, (12, 9)).astype(np.float32)
    brown = cv2.resize(mottle, SIZE[::-1], interpolation=cv2.INTER_CUBIC)[..., None]
    assert find_shading(lit(drawn(), np.exp(-brown * (0.1, 0.25, 0.6)))) is None


def test_pictures_and_fills_are_no_shade() -> None:
    """With an outline they stay as deep as they were, whatever they are next to."""
    page = drawn()
    page[330:, :350] = 120  # more than half of the page's foot
    page[330:, 350:] = (200, 215, 240)
    found = find_shading(lit(page, np.ones((1, 1, 1))))
    assert found is None or everywhere(found).max() < 1.05


def test_a_sky_that_fades_into_the_paper_is_no_shade() -> None:
    """As bright as paper at its horizon; the trees before it tell, or that it is small."""
    for depth, wide in ((400, SIZE[1]), (160, SIZE[1]), (400, 250)):
        page = drawn()
        fade = np.linspace(0.4, 1, depth)[:, None, None]
        page[:depth, :wide] = np.rint(235 * fade * np.ones((1, wide, 3)))
        alone = find_shading(lit(page, np.ones((1, 1, 1))))
        assert (alone is None) == (depth * wide < 0.35 * page[..., 0].size)
        page[depth // 3 : depth, 100 : 100 + wide // 4] = 50
        assert find_shading(lit(page, np.ones((1, 1, 1)))) is None


def in_gutter(page: Pixels, reach: float) -> Pixels:
    """A page that bends into a gutter at its left, black at its bottom, over so many pixels."""
    return lit(page, 1 - 0.97 * np.exp(-np.arange(page.shape[1]) / reach)[:, None])


def test_a_gutter_is_no_picture() -> None:
    """However dark it is, and little of the page; it is found as such, and nothing else is."""
    page = drawn(1)
    page[690:810] = 235  # without its picture
    for reach in (60, 150):
        shaded = in_gutter(page, reach)
        found, gutter = find_shading(shaded), find_gutter(shaded)
        assert found is not None and gutter is not None
        flat = everywhere(found)[..., 0] * (1 - 0.97 * np.exp(-np.arange(SIZE[1]) / reach))
        beside = np.arange(SIZE[1]) > 1.3 * reach  # paper has a quarter of its brightness there
        assert flat[850, beside].min() > 0.9 * flat[850, -1]
        edge = np.flatnonzero(gutter.mean(axis=0) > 0.9).max() * SIZE[1] / gutter.shape[1]
        assert 20 < edge < 1.3 * reach
    bars = page.copy()
    bars[300:360] = bars[:, 600:650] = 60  # printed, with edges
    for other in (lit(page, np.ones((1, 1, 1))), lit(drawn(), FALL), lit(bars, FALL)):
        assert find_gutter(other) is None


@pytest.mark.parametrize("turned", [False, True])
def test_a_blank_page_beyond_a_gutter_is_paper(turned: bool) -> None:
    """In shade as a whole, with a step between the two; and nothing that is not of its colour."""

    def found(**far: tuple[int, ...]) -> Shading | None:
        spread = np.concatenate([np.full_like(drawn(), 235), drawn()], axis=1)
        spread[690:810, 700:] = 235  # without its picture
        for place, colour in far.items():
            spread[{"whole": np.s_[:, :700], "foot": np.s_[400:, :690]}[place]] = colour
        fold = np.abs(np.arange(1400) - 700)
        light = np.where(np.arange(1400) < 700, 0.55, 1) * (1 - 0.95 * np.exp(-fold / 40))
        shot = lit(spread, light[:, None])
        return find_shading(np.ascontiguousarray(shot.transpose(1, 0, 2)) if turned else shot)

    blank = found()
    assert blank is not None
    gains = everywhere(blank)
    gains = gains.transpose(1, 0, 2) if turned else gains
    assert np.abs(gains[10:-10, 20:500] * 0.55 / gains[600, 1300] - 1).max() < 0.1
    assert found(whole=(200, 215, 235)) is None
    assert found(whole=(190, 190, 190)) is None  # a plate, or so dim that it may be one
    assert found(foot=(90, 90, 90)) is None
    assert found(foot=(160, 160, 160)) is None


def test_pictures_among_text_are_no_sky() -> None:
    """In soft shade, which is evened; without the words it may as well be a sky with trees."""
    for written in (True, False):
        page = np.full((*SIZE, 1), 235, np.uint8)
        for y in range(60, 860, 24) if written else ():
            cv2.putText(page, "the quick brown fox jumps over", (50, y), 0, 0.7, 30, 2, cv2.LINE_AA)
        page[500:700, 100:330] = np.random.default_rng(0).integers(20, 90, (200, 230, 1))
        page[500:700, 370:600] = np.random.default_rng(1).integers(20, 90, (200, 230, 1))
        shaded = lit(page, 1 - 0.45 / (1 + np.exp((380 - np.arange(SIZE[0])) / 60))[:, None, None])
        assert (find_shading(shaded) is not None) == written


def test_a_picture_as_bright_as_the_paper_beside_it_is_none() -> None:
    """It is joined to the paper where both are alike; the others of its sides tell."""
    page = np.full((*SIZE, 1), 235, np.uint8)
    for y in range(60, 400, 28):
        cv2.putText(page, "the quick brown fox jumps over", (50, y), 0, 0.6, 30, 1, cv2.LINE_AA)
    tone = np.linspace(1, 0.75, 120)[:, None, None] ** np.ones((1, 250, 1))
    page[500:620, 200:450] = np.rint(235 * tone)
    page[620:800, 200:450] = np.rint(235 * 0.75)
    shaded = lit(page, FALL)
    found = find_shading(shaded)
    assert found is not None
    assert np.abs(everywhere(found)[640:780, 230:420, 0] * FALL[640:780, :, 0] - 1).max() < 0.17


def in_shadow(page: Pixels, where: tuple[slice, slice]) -> tuple[Pixels, Pixels]:
    """A page that something near throws a shadow on, and where, with an edge of some pixels."""
    dark = np.zeros(SIZE)
    dark[where] = 1
    dark = cv2.GaussianBlur(dark, (0, 0), 2)[..., None]
    return lit(page, 1 - 0.4 * dark), np.asarray(dark > 0.99)[..., 0]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_hard_shadow_across_text_is_made_up_for(channels: int) -> None:
    """However small, if it comes from a side."""
    page = np.full((*SIZE, channels), 235, np.uint8)
    for y in range(60, 860, 26):
        line = "the quick brown fox jumps over the lazy dog"
        cv2.putText(page, line, (40, y), 0, 0.85, (30,) * 3, 2, cv2.LINE_AA)
    for where in (np.s_[:300, 250:], np.s_[150:, :350], np.s_[250:450, 400:]):
        shadowed, dark = in_shadow(page, where)
        found = find_shading(shadowed)
        assert found is not None
        gains = everywhere(found)
        inside = cv2.erode(dark.view(np.uint8), np.ones((25, 25), np.uint8)) > 0
        paper = inside & (page[..., 0] == 235)
        assert np.abs(gains[paper] * 0.6 - 1).max() < 0.08
        outside = cv2.dilate(dark.view(np.uint8), np.ones((41, 41), np.uint8)) == 0
        assert gains[outside].max() < 1.06


def test_what_no_text_crosses_is_no_shadow() -> None:
    """A blank part of the page, a panel with its own text, one of another hue, or one within."""
    page = drawn()
    page[690:810] = 235
    assert find_shading(in_shadow(page, np.s_[720:, :])[0]) is None
    panel = page.copy()
    panel[:, 400:] = 140
    for y in range(60, 660, 28):
        cv2.putText(panel, "the quick brown", (430, y), 0, 0.6, 30, 1, cv2.LINE_AA)
        panel[y - 25 : y + 8, 370:400] = 235
    assert find_shading(lit(panel, np.ones((1, 1, 1)))) is None
    foot = np.full((*SIZE, 1), 245, np.uint8)
    foot[650:] = 150
    for y in [*range(90, 646, 26), *range(672, 880, 26)]:  # close to the edge from both sides
        line = "the quick brown fox jumps over the lazy dog"
        cv2.putText(foot, line, (40, y), 0, 0.85, 30, 2, cv2.LINE_AA)
    assert find_shading(lit(foot, np.ones((1, 1, 1)))) is None
    marked = page.copy()
    marked[200:500, 250:] = np.rint(marked[200:500, 250:] * (1, 0.9, 0.55))
    assert find_shading(lit(marked, np.ones((1, 1, 1)))) is None
    assert find_shading(in_shadow(page, np.s_[200:500, 100:450])[0]) is None


@pytest.mark.parametrize("colour", [(60, 110, 190), (70, 130, 80), (90, 90, 90)])
def test_a_panel_with_light_words_is_no_shade(colour: tuple[int, int, int]) -> None:
    """Printed down to the page's foot, with an edge as soft as a shadow's; and the blue alone."""
    share = 1 / (1 + np.exp(-(np.arange(SIZE[0]) - 430) / 45))[:, None, None]
    panel = np.rint(240 + share * (np.array(colour) - 240) * np.ones((1, SIZE[1], 1)))
    page = panel.astype(np.uint8)
    if colour[2] < 190:
        for y in range(480, 880, 30):
            cv2.putText(page, "the quick brown fox jumps over", (40, y), 0, 0.7, (250,) * 3, 2)
    assert find_shading(lit(page, np.ones((1, 1, 1)))) is None
    assert find_shading(lit(drawn(), 1 - 0.6 * share)) is not None


def test_a_photo_has_no_paper_to_go_by() -> None:
    small = np.random.default_rng(3).uniform(0, 255, (5, 4, 3)).astype(np.uint8)
    assert find_shading(cv2.resize(small, SIZE[::-1], interpolation=cv2.INTER_NEAREST)) is None
    for size in ((1, 1, 3), (23, 400, 1), (3, 5000, 3)):
        assert find_shading(np.zeros(size, np.uint8)) is None
    assert find_shading(np.full((400, 400, 1), np.nan, np.float32)) is None


def test_no_step_far_from_any_paper() -> None:
    """A picture that covers two fifths of the page up to its side, where a lamp shines least."""
    page, left = drawn(1), 420
    picture = np.random.default_rng(1).uniform(150, 235, (SIZE[0] // 4, (SIZE[1] - left) // 4))
    page[:, left:] = np.kron(picture, np.ones((4, 4)))[..., None]
    light = np.interp(np.arange(SIZE[1]), [70, left], [1, 0.5])[:, None]
    found = find_shading(lit(page, light))
    assert found is not None
    steps = [np.abs(np.diff(np.log(found.grid), axis=axis)).max() for axis in (0, 1)]
    assert max(steps) < 0.05


def test_types_are_alike() -> None:
    """The same gains for 8 bits, 16 bits and floats."""
    page = lit(drawn(), FALL)
    found = [find_shading(x) for x in (page, page * np.uint16(257), page / np.float32(255))]
    grids = [x.grid for x in found if x is not None]
    assert len(grids) == 3
    assert all(np.allclose(grids[0], grid, atol=0.03) for grid in grids[1:])


def test_parts_have_the_gains_of_the_whole() -> None:
    light = page_light(lit(drawn(), FALL))
    whole = light.at(*SIZE)
    for top, left in product((0, 400), (0, 212)):
        part = light.part(slice(top, top + 300), slice(left, left + 240))
        assert np.array_equal(part.at(300, 240), whole[:, top // 4 :, left // 4 :][:, :75, :60])


@pytest.mark.parametrize("channels", [1, 3])
def test_the_network_sees_even_paper(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In tiles too; part of the strength is part of the way."""
    monkeypatch.setattr("imgclean.restore.remove_specks", lambda *_: 0)  # which the grain is
    page = lit(drawn(channels), FALL)
    denoiser = no_change(ink=True)
    result = denoiser(page)
    paper = result[670:690, 60:460].mean(), result[20:36, 60:460].mean()
    assert paper[0] == pytest.approx(paper[1], rel=0.03) and paper[0] > 225
    denoiser.tile = 384
    assert np.array_equal(denoiser(page), result)
    half = denoiser(page, 0.5).astype(float)
    assert np.abs(half - (result.astype(float) + page) / 2).max() <= 2  # hues are kept at full


def test_pale_ink_in_the_shade_is_kept() -> None:
    """A stamp and rows of a table that half light had made dirt of."""
    page = np.full((*SIZE, 3), 235, np.uint8)
    for y in range(60, 880, 28):
        cv2.putText(page, "the quick brown fox jumps over", (50, y), 0, 0.6, 30, 1, cv2.LINE_AA)
    for top in range(100, 800, 56):
        part = page[top : top + 28, 40:660].astype(float) * (0.86, 0.9, 0.95)
        page[top : top + 28, 40:660] = np.rint(part).astype(np.uint8)
    shade = 1 - 0.5 / (1 + np.exp(-(np.arange(SIZE[1]) - 380) / 40))
    result = restore.load("scan", device="cpu")(lit(page, shade[None, :, None]))
    for left in (60, 300, 560):
        rows = result[100:800, left : left + 80].astype(float)
        fills = np.median(
            [np.median(rows[top : top + 28], axis=(0, 1)) for top in range(0, 672, 56)], axis=0
        )
        assert np.abs(fills / 255 - (0.86, 0.9, 0.95)).max() < 0.06
