from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean import clean, missing, safety
from imgclean.missing import _sizes, around
from imgclean.safety import Kept, is_clean, protect
from imgclean.streaks import find_streaks, remove_streaks

Page = NDArray[Any]
INK, PALE, PENCIL = 0, 170, 150


@cache
def written(level: int = INK, scale: float = 0.6, side: int = 400) -> Page:
    """White paper with lines of letters, H x W x 1."""
    page = np.full((side, side), 255, np.uint8)
    for y in range(40, side - 20, 40):
        words = "Quality of mercy is not strained " * 2
        cv2.putText(page, words, (12, y), cv2.FONT_HERSHEY_SIMPLEX, scale, level, 1, cv2.LINE_AA)
    return page[..., None]


def paper(seed: int = 0, side: int = 400) -> Page:
    """Grey paper with grain, stains, a ring, a fold, a shadow and pepper; no ink."""
    rng = np.random.default_rng(seed)
    sheet = np.full((side, side), 225, np.float32)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    for _ in range(6):
        top, left, size = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(15, 90)
        reach = np.clip((np.hypot(y - top, x - left) - size) / 5, -9, 9)
        sheet -= 45 / (1 + np.exp(reach))  # a stain
        sheet -= 35 * np.exp(-(reach**2))  # and its ring
    sheet -= 30 * np.exp(-(((x + y - 1.2 * side) / 4) ** 2))  # a fold
    sheet *= 1 - 0.4 / (1 + np.exp(np.clip((x - 0.7 * side) / 12, -9, 9)))  # a shadow
    sheet += rng.normal(0, 6, sheet.shape).astype(np.float32)
    sheet[rng.random(sheet.shape) < 0.01] = 0  # pepper
    return np.clip(sheet, 0, 255).astype(np.uint8)[..., None]


def dirty(level: int = INK, scale: float = 0.6, seed: int = 0) -> Page:
    """The letters of `written` on the paper of `paper`."""
    mixed = written(level, scale).astype(np.float32) * paper(seed) / 255
    return np.rint(mixed).astype(np.uint8)


def contrast(page: Page, where: Page) -> float:
    """How much darker the strokes are than the rest, 0 to 1."""
    ink = where < 255
    return float(page[~ink].mean() - page[ink].mean()) / 255


@pytest.mark.parametrize("seed", range(4))
def test_dirt_may_go(seed: int) -> None:
    """Stains, rings, folds, shadows, grain and pepper may be removed, with text and without."""
    noisy = dirty(seed=seed)
    result, kept = protect(noisy, written())
    assert kept == [] and result is written()
    bare = paper(seed)
    assert protect(bare, np.full_like(bare, 255))[1] == []


@pytest.mark.parametrize(("level", "scale"), [(INK, 0.6), (INK, 0.3), (PALE, 0.6), (PENCIL, 0.5)])
def test_letters_are_kept(level: int, scale: float) -> None:
    """Letters of any size and tone that vanish come back, and only they."""
    noisy = written(level, scale)
    erased = noisy.copy()
    erased[:, 200:] = 255
    result, kept = protect(noisy, erased)
    half = slice(None), slice(210, 390)
    assert contrast(result[half], noisy[half]) >= 0.4 * contrast(noisy[half], noisy[half])
    assert kept and all(one.box[2] > 200 and one.box[0] >= 64 for one in kept)
    assert np.array_equal(result[:, :64], noisy[:, :64])


def test_letters_on_stains_are_kept() -> None:
    """Where text is lost from dirty paper the input shows again, dirt and all."""
    noisy, erased = dirty(), written().copy()
    erased[180:, :] = 255
    result, kept = protect(noisy, erased)
    half = slice(190, 390)
    before = contrast(noisy[half], written()[half])
    assert contrast(result[half], written()[half]) >= 0.4 * before
    assert min(one.box[1] for one in kept) >= 96 and {one.strength for one in kept} <= {0, 0.5}


@pytest.mark.parametrize(("thick", "level"), [(1, 100), (1, PENCIL), (2, PALE), (10, INK)])
def test_lines_are_kept(thick: int, level: int) -> None:
    """A thin line alone on a page is content too, and so is a thick one."""
    noisy = np.full((300, 300, 1), 255, np.uint8)
    cv2.line(noisy, (40, 130), (260, 150), level, thick, cv2.LINE_AA)
    white = np.full_like(noisy, 255)
    result, kept = protect(noisy, white)
    assert len(kept) == 1 and "missing" in kept[0].reason
    left, top, right, bottom = kept[0].box
    assert left <= 40 and right >= 260 and top <= 130 and bottom >= 150
    assert contrast(result, noisy) >= 0.4 * contrast(noisy, noisy)


@pytest.mark.parametrize("thick", [8, 12, 16])
def test_pale_stamps_are_kept(thick: int) -> None:
    """Thick pale letters count by their sharp edges; softened like dirt they do not."""
    ink = np.zeros((400, 400), np.uint8)
    cv2.rectangle(ink, (60, 120), (340, 260), (255,), thick // 2)
    cv2.putText(ink, "PAID", (80, 235), cv2.FONT_HERSHEY_SIMPLEX, 3.2, (255,), thick, cv2.LINE_AA)
    grain = np.random.default_rng(0).normal(0, 4, ink.shape).astype(np.float32)
    for soft, back in ((0.7, True), (5.0, False)):
        stamp = cv2.GaussianBlur(ink.astype(np.float32) / 255, (0, 0), soft)
        noisy = np.rint(225 * (1 - 0.35 * stamp) + grain).astype(np.uint8)[..., None]
        assert bool(protect(noisy, np.full_like(noisy, 255))[1]) is back


@pytest.mark.parametrize("depth", [0.12, 0.15, 0.2, 0.28, 0.35])
def test_broad_watermarks_are_kept(depth: float) -> None:
    """Thick letters far paler than a stamp: their edges are a printer's, not a stain's."""
    ink = np.zeros((400, 800), np.uint8)
    cv2.putText(ink, "COPY", (60, 290), cv2.FONT_HERSHEY_SIMPLEX, 8, (255,), 24, cv2.LINE_AA)
    grain = np.random.default_rng(0).normal(0, 3, ink.shape).astype(np.float32)
    for soft, back in ((1.2, True), (6.0, False)):
        mark = cv2.GaussianBlur(ink.astype(np.float32) / 255, (0, 0), soft)
        noisy = np.rint(230 * (1 - depth * mark) + grain).astype(np.uint8)[..., None]
        result, kept = protect(noisy, np.full_like(noisy, 255))
        assert bool(kept) is back
        if back:
            assert float(np.mean(np.less(result[ink > 0], 245))) > 0.8
            assert depth > 0.3 or not protect(noisy, np.full_like(noisy, 255), bilevel=True)[1]


def test_broad_coloured_ink_is_found() -> None:
    """Too pale to count in grey, and wide enough to fill half of what lies within 60 pixels."""
    ink = np.zeros((400, 800), np.uint8)
    cv2.putText(ink, "COPY", (60, 290), cv2.FONT_HERSHEY_SIMPLEX, 5, (255,), 20, cv2.LINE_AA)
    soft = cv2.GaussianBlur(ink.astype(np.float32) / 255, (0, 0), 1.2)[..., None]
    sheet = 235 * (1 - soft * np.array([0.1, 0.04, 0.06]))
    noisy = np.rint(sheet + np.random.default_rng(0).normal(0, 2, sheet.shape)).astype(np.uint8)
    cells = missing._tinted(noisy, np.full_like(noisy, 255), 1.0, False)
    assert cells.sum() > 0.6 * np.count_nonzero(ink) / 16  # at a quarter of the size


def stamped(colour: tuple[float, ...], soft: float = 1.5) -> tuple[Page, Page]:
    """Letters on a grainy sheet under a pale stamp of so much of the paper's light, and its ink."""
    drawn = np.zeros((400, 400), np.uint8)
    cv2.rectangle(drawn, (60, 140), (340, 240), 255, 7)
    cv2.putText(drawn, "COPY", (90, 222), 0, 2.4, 255, 9, cv2.LINE_AA)
    ink = cv2.GaussianBlur(drawn, (0, 0), soft) / np.float32(255)
    sheet = 240 * (1 - ink[..., None] * (1 - np.array(colour)))
    noise = np.random.default_rng(0).normal(0, 4, sheet.shape)
    noisy = np.clip(np.rint(sheet * (written() / 255) + noise), 0, 255).astype(np.uint8)
    return noisy, ink > 0.5


@pytest.mark.parametrize("colour", [(0.91, 0.86, 0.94), (0.96, 0.83, 0.84), (0.86, 0.92, 0.96)])
def test_pale_coloured_stamps_are_kept(colour: tuple[float, ...]) -> None:
    """Violet, red, blue ones, as soft as dirt; half of most of them comes back, on white paper."""
    noisy, ink = stamped(colour)
    cleaned = np.repeat(written(), 3, axis=2)
    result, kept = protect(noisy, cleaned)
    assert kept and {part.strength for part in kept} == {0.5}
    only = ink & (written()[..., 0] == 255)
    channel = int(np.argmin(colour))
    left = 255 - result[only][:, channel].mean()
    assert left > 0.18 * 255 * (1 - colour[channel])
    assert np.median(result[260:, :30].astype(float)) >= 250
    grey = np.repeat(cv2.cvtColor(noisy, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert not protect(grey, cleaned)[1]


@pytest.mark.parametrize("colour", [(0.97, 0.9, 0.78), (0.9, 0.9, 0.9)])
def test_stains_are_no_coloured_ink(colour: tuple[float, ...]) -> None:
    """Brown and yellow ones are deepest in blue, shadows have no colour."""
    noisy, _ = stamped(colour, soft=4)
    assert not protect(noisy, np.repeat(written(), 3, axis=2))[1]


def test_what_is_joined_to_lost_strokes_comes_back_too() -> None:
    """A row of cells that each miss a little comes back if one misses enough, and only then."""
    lost = np.zeros((12, 12), np.float32)
    lost[2, 2:8], lost[9, 2:8] = 2, 2
    assert not around(lost).any()
    lost[2, 2] = 25
    expected = np.zeros((12, 12), bool)
    expected[1:4, 1:9] = True
    assert (around(lost) == expected).all()


def test_the_input_is_the_last_resort() -> None:
    """Where half the strength still hides the strokes the input itself is shown."""
    dark = np.rint(40 + written() * (70 / 255)).astype(np.uint8)  # black on dark paper
    reversed_print = (255 - written() // 2).astype(np.uint8)  # letters brighter than the paper
    result, kept = protect(dark, reversed_print, strength=0.8, page=3)
    assert {one.strength for one in kept} == {0.0} and {one.page for one in kept} == {3}
    assert np.array_equal(result[100:300, 100:300], dark[100:300, 100:300])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_what_comes_back_lies_on_clean_paper(kind: Any) -> None:
    """At half the strength the strokes are mixed in, and not the grey of the paper around them."""
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[np.dtype(kind).name]
    tint = np.array([0.8, 0.7, 0.5])
    colours = written() / 255 * tint
    noisy, white = (colours * top).astype(kind), np.full((400, 400, 3), top, kind)
    result, kept = protect(noisy, white)
    assert {one.strength for one in kept} == {0.5}
    ink = written()[..., 0] < 64
    near = cv2.dilate((written()[..., 0] < 255).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert result[~near].min() >= 0.99 * top
    assert result[ink].mean() < 0.6 * top
    again = white.copy()
    assert np.array_equal(protect(noisy, again, in_place=True)[0], result)


def test_where_brighter_paper_hides_strokes_they_come_back_with_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half of the input as it is comes between half of it on white paper and all of it."""
    noisy = np.rint(written() * (200 / 255)).astype(np.uint8)
    white = np.full_like(noisy, 255)
    for module in (missing, safety):
        monkeypatch.setattr(
            module, "brighten", lambda before, _: np.full(before.shape, 255, np.float32)
        )
    result, kept = protect(noisy, white)
    assert {one.strength for one in kept} == {0.5}
    half = np.rint((noisy.astype(float) + 255) / 2)
    assert np.abs(result - half)[100:300, 100:300].max() <= 1


def test_pictures_beside_lost_strokes_come_back_where_all_is_lost() -> None:
    """The input as it is, where only that shows the strokes, has its dark areas too."""
    noisy = np.full((400, 400, 1), 200, np.uint8)
    noisy[120:200, 120:200] = 90
    cv2.putText(noisy, "words", (120, 240), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2, cv2.LINE_AA)
    cleaned = np.where(noisy < 60, 255, 180).astype(np.uint8)
    result, kept = protect(noisy, cleaned)
    assert 0.0 in {one.strength for one in kept}
    assert np.asarray(result)[190:200, 140:180].max() <= 100


def test_no_seams() -> None:
    """The strength changes smoothly: on even paper no step of over 7 % of the change appears."""
    noisy, cleaned = np.full((400, 400, 1), 120, np.uint8), np.full((400, 400, 1), 170, np.uint8)
    for page, ink in ((noisy, 0), (cleaned, 255)):
        cv2.putText(page, "words", (150, 210), cv2.FONT_HERSHEY_SIMPLEX, 1.0, ink, 2, cv2.LINE_AA)
    result, kept = protect(noisy, cleaned)
    steps = result.astype(int)
    assert 0.0 in {one.strength for one in kept}
    assert steps[0, 0, 0] == 170 and steps[200, 50, 0] == 170 and 120 in steps
    assert np.abs(np.diff(steps[:120], axis=0)).max() <= 3
    assert np.abs(np.diff(steps[:140, :], axis=1)).max() <= 3


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(400, 400), (400, 400, 1), (400, 400, 3), (400, 400, 4)])
def test_every_kind_of_array(kind: Any, shape: tuple[int, ...]) -> None:
    """Type and shape stay; the arrays given are left alone unless asked."""
    top = {"uint8": 1, "uint16": 257, "float32": np.float32(1 / 255)}[np.dtype(kind).name]
    plane = (written().astype(kind) * top).astype(kind)
    noisy = np.broadcast_to(plane if len(shape) == 3 else plane[..., 0], shape).copy()
    white = np.full_like(noisy, noisy.max())
    result, kept = protect(noisy, white)
    assert kept and result.dtype == kind and result.shape == shape
    assert (white == noisy.max()).all() and result.min() < 0.6 * noisy.max()
    again, _ = protect(noisy, white, in_place=True)
    assert again is white and np.array_equal(white, result)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 500, 3), (7, 7, 1), (8, 8, 1), (9, 1000, 1)])
def test_small_images(shape: tuple[int, ...]) -> None:
    """The smallest images pass, with nothing to tell."""
    noisy = np.full(shape, 128, np.uint8)
    assert protect(noisy, np.full_like(noisy, 255))[1] == []
    assert not is_clean(noisy)


def test_strips_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page looked at in strips is judged as in one go."""
    noisy = written()
    erased = noisy.copy()
    erased[150:260, 100:300] = 255
    whole, kept = protect(noisy, erased)
    for module in (clean, missing, safety):
        monkeypatch.setattr(module, "STRIP", 400 * 128)
    result, same = protect(noisy, erased)
    assert kept and [one.box for one in same] == [one.box for one in kept]
    assert np.array_equal(result, whole)
    assert is_clean(written()) and not is_clean(dirty())


def test_different_shapes_are_an_error() -> None:
    """Images that do not belong together are refused."""
    with pytest.raises(ValueError, match="shapes"):
        protect(np.zeros((9, 9, 1), np.uint8), np.zeros((9, 9, 3), np.uint8))


def test_clean_pages_are_told_from_others() -> None:
    """Flat white around text is clean; grey, coloured, grainy, stained and specked paper is not."""
    page = written()
    assert is_clean(page) and is_clean(np.repeat(page, 3, axis=2)) and is_clean(page[..., 0])
    assert is_clean(page.astype(np.uint16) * 257) and is_clean(np.full((50, 50, 1), 255, np.uint8))
    rng = np.random.default_rng(0)
    yellow = np.repeat(page, 3, axis=2)
    yellow[..., 2] = np.minimum(yellow[..., 2], 225)
    grainy = np.clip(page + rng.normal(0, 4, page.shape), 0, 255).astype(np.uint8)
    specked = page.copy()
    specked[rng.random(page.shape) < 0.002] = 0
    stained = page.copy()
    grey = np.clip(235 + rng.normal(0, 2, stained.shape), 0, 255).astype(np.uint8)
    stained[300:, 300:] = np.minimum(stained, grey)[300:, 300:]
    for other in (np.minimum(page, 235), yellow, grainy, specked, stained, dirty(), 255 - page):
        assert not is_clean(other)


def _drawing() -> NDArray[np.uint8]:
    """What a computer drew: a lattice of dots, hatching, pale rules and fills, thin letters."""
    page = np.full((900, 800, 1), 255, np.uint8)
    y, x = np.indices((900, 800))
    page[(y % 40 == 20) & (x % 40 == 20) & (y < 300)] = 0
    page[(y % 40 == 20) & (x % 40 == 21) & (y < 300)] = 120
    hatched = (y >= 320) & (y < 480) & ((x + y) % 4 == 0)
    page[hatched] = 90
    page[500:620:20] = 238
    page[640:700, 100:400] = 240
    for line in range(740, 880, 14):
        cv2.putText(page, "fi. i, j; thin: 0.1", (60, line), 1, 0.7, 60, 1, cv2.LINE_AA)
    return page


def test_drawings_without_noise_are_clean() -> None:
    """Dots, hatching, pale rules and fills of a computer's drawing are no dirt."""
    page = _drawing()
    assert is_clean(page) and is_clean(np.repeat(page, 3, axis=2))
    assert is_clean(page.astype(np.float32) / np.float32(255))
    assert is_clean(page.astype(np.uint16) * 257)


def test_dirt_on_a_drawing_without_noise_is_found() -> None:
    """Specks, pepper, a stain, a shadow, grain in any levels, and what a threshold made crisp."""
    rng = np.random.default_rng(1)
    page = _drawing()
    specked, shaded, stained = page.copy(), page.astype(np.float64), page.astype(np.float64)
    for across, down in rng.integers(0, 790, (60, 2)):
        specked[down : down + 2, across : across + 2] = 40
    shaded *= np.linspace(1, 0.9, 800)[None, :, None]
    away = np.hypot(*(np.indices((900, 800)) - 400))[..., None]
    stained *= 1 - 0.15 / (1 + np.exp((away - 100) / 2))
    grainy = page + rng.normal(0, 1, page.shape)
    hard = np.where(page < 200, 0, 255)
    halved = cv2.resize(hard.astype(np.uint8), (400, 450), interpolation=cv2.INTER_AREA)[..., None]
    peppered = [np.where(rng.random(page.shape) < share, 0, page) for share in (0.01, 0.06, 0.15)]
    cloud = np.where((rng.random(page.shape) < 0.1) & (away < 150), 0, page)
    quantised = np.rint(np.clip(250 + rng.normal(0, 6, page.shape) - (255.0 - page), 0, 255) / 17)
    picture, little = page.copy(), np.full_like(page, 100)
    picture[500:700, 500:700] = np.clip(40 + rng.normal(0, 15, (200, 200, 1)), 0, 90)
    little[:60] = page[640:700]
    for other in (specked, shaded, stained, grainy, hard, halved, *peppered, cloud,
                  17 * quantised, picture, little):  # fmt: skip
        assert not is_clean(np.clip(np.rint(other), 0, 255).astype(np.uint8))


def test_what_was_kept_is_plain_data() -> None:
    """A record names page, place in whole pixels, strength and reason."""
    kept = protect(written(), np.full_like(written(), 255))[1]
    assert kept and all(isinstance(one, Kept) for one in kept)
    assert all(type(number) is int for one in kept for number in one.box)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("shape", [(40, 60), (1, 50), (50, 1)])
def test_pieces_have_the_sizes_that_opencv_finds(shape: tuple[int, int], share: float) -> None:
    """How many pixels each piece has, and how long it is."""
    mask = np.random.default_rng(3).random(shape) < share
    place = np.flatnonzero(mask)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    area, length = _sizes(place, labels.ravel()[place].astype(np.intp) - 1, shape[1])
    assert np.array_equal(area, boxes[1:, 4])
    assert np.array_equal(length, boxes[1:, 2:4].max(axis=1, initial=0))


def test_strokes_that_will_be_cut_away_are_missing() -> None:
    """In one bit a pixel nothing is left of half a stroke's depth; there all of it comes back."""
    noisy = np.full((128, 128, 1), 255, np.uint8)
    noisy[60:64, 20:100] = 0
    pale = np.where(noisy == 0, 130, noisy).astype(np.uint8)
    assert protect(noisy, pale)[1] == []
    result, kept = protect(noisy, pale, bilevel=True)
    assert [one.strength for one in kept] == [0]
    assert np.array_equal(result[61, 30:90], noisy[61, 30:90])


@pytest.mark.parametrize("channels", [1, 3])
def test_small_marks_of_black_and_white_pages_stay(
    channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dots of 3 pixels near strokes do, in any strip; specks of 2, and dots far from any, go."""
    monkeypatch.setattr(safety, "STRIP", 64 * 300)
    page = np.full((300, 300), 255, np.uint8)
    for top in range(20, 280, 40):
        page[top : top + 12, 20:200:10] = 0
    cleaned = page.copy()
    dots, far, specks = (np.zeros(page.shape, np.bool_) for _ in range(3))
    for top in range(20, 280, 40):
        dots[top - 5, 20:200:10] = dots[top - 5, 21:200:10] = dots[top - 4, 20:200:10] = True
        specks[top + 18, 24:200:10] = specks[top + 18, 25:200:10] = True
        far[top, 240:290:10] = far[top, 241:290:10] = far[top + 1, 240:290:10] = True
    page[dots | far | specks] = 0
    cleaned[dots] = 150  # as a network leaves what is nearly gone
    before, after = (np.repeat(p[..., None], channels, axis=2) for p in (page, cleaned))
    result, kept = protect(before, after, bilevel=True)
    assert not kept
    assert (result[dots] == 0).all()
    assert (result[far | specks] == 255).all()
    assert (after[dots] == 150).all()
    assert protect(before, after, bilevel=True, in_place=True)[0] is after
    assert np.array_equal(after, result)


@pytest.mark.parametrize(("side", "count", "clean"), [(2, 0, True), (2, 8, True), (2, 60, False),
                                                      (4, 60, False), (4, 700, False)])  # fmt: skip
def test_white_pages_with_specks_are_not_clean(side: int, count: int, clean: bool) -> None:
    """Dots that belong to letters or follow one another are no specks, nor are a few of them."""
    page = np.full((1000, 900), 255, np.uint8)
    for top in range(60, 900, 60):
        cv2.putText(page, "in a line; i.e. it is", (60, top), 0, 1, 20, 2, cv2.LINE_AA)
        for left in range(500, 840, 10):
            page[top : top + 3, left : left + 3] = 20
    rng = np.random.default_rng(3)
    for x, y in rng.integers(0, (890, 990), (count, 2)):
        page[y : y + side, x : x + side] = 40
    assert is_clean(page[..., None]) == clean


def test_the_marks_of_a_torn_streak_stay_away() -> None:
    """In black and white too: what is left of it beside letters is no dot of theirs."""
    rng = np.random.default_rng(0)
    page = np.full((1600, 900, 1), 255, np.uint8)
    for top in range(100, 1500, 30):
        for left in range(80, 820, 13):
            if rng.random() < 0.8:
                page[top : top + 11, left : left + int(rng.integers(2, 10))] = 0
    dirty = page.copy()
    dirty[rng.random(1600) < 0.95, 403] = 0
    streaks = find_streaks(dirty)
    assert streaks
    cleaned = dirty.copy()
    remove_streaks(cleaned, streaks)
    left_over = np.count_nonzero(cleaned == 0)
    result, _ = protect(dirty, cleaned, bilevel=True)
    assert np.count_nonzero(result == 0) <= left_over + 5


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_line_of_a_gutter_is_no_stroke(channels: int) -> None:
    """It may go, where light falls towards it from both sides; words beside it may not."""
    away = np.abs(np.arange(700) - 200)[:, None]
    light = 1 - 0.6 * np.exp(-away / 60) - 0.36 * (away < 4)
    clean = cv2.resize(written(scale=0.5), (700, 900))[..., None]
    clean[:, :260] = 255  # no words there
    page = np.rint(clean * light * 0.9).repeat(channels, axis=2).astype(np.uint8)
    result = clean.repeat(channels, axis=2)
    assert protect(page.swapaxes(0, 1), result.swapaxes(0, 1))[1] == []
    lost = result.copy()
    lost[300:600, 300:] = 255
    kept = protect(page, lost)[1]
    assert kept and min(one.box[0] for one in kept) >= 224


def test_what_its_colour_alone_tells_never_brings_all_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form around its fields, say, whose colour half of the input cannot bring back."""
    noisy = np.full((256, 256, 3), 200, np.uint8)
    monkeypatch.setattr(missing, "_tinted", lambda *_: np.eye(8, dtype=np.float32) * 30)
    monkeypatch.setattr(missing, "_lost", lambda *_, pale: np.zeros((8, 8), np.float32))
    result, kept = protect(noisy, np.full_like(noisy, 255))
    assert {part.strength for part in kept} == {0.5}
    assert result.min() > 200
