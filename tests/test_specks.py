from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean.safety import protect
from imgclean.specks import WithoutSpecks, lost_specks, remove_specks

Page = NDArray[np.uint8]
Kind = Callable[[Page], NDArray[np.generic]]

WORDS = "is it in fine print? i.e., ill. fill it; jig. "


def written(lines: int = 9, top: int = 200) -> Page:
    """Lines of text with dots, full stops and commas within wide margins."""
    page = np.full((900, 1100, 3), 255, np.uint8)
    for number in range(lines):
        place = (180, top + 55 * number)
        cv2.putText(page, WORDS, place, cv2.FONT_HERSHEY_COMPLEX, 0.95, (0, 0, 0), 2, cv2.LINE_AA)
    return page


def dusty(page: Page, count: int = 400, seed: int = 0, colour: int = 90) -> Page:
    """A page with specks of two pixels all over."""
    rng = np.random.default_rng(seed)
    soiled = page.copy()
    for y, x in rng.integers((0, 0), (page.shape[0] - 2, page.shape[1] - 2), (count, 2)):
        soiled[y : y + 2, x : x + 2] = np.minimum(soiled[y : y + 2, x : x + 2], colour)
    return soiled


def lost(clean: Page, cleaned: Page) -> int:
    """How many dark pixels of the clean page are paler than they were."""
    return int(((clean < 200) & (cleaned > clean.astype(np.int32) + 20)).sum())


def test_dust_goes_and_every_mark_stays() -> None:
    """Nearly all that lies on blank paper goes, most between the letters, and no pixel of print."""
    clean, page = written(), dusty(written())
    bare = cv2.dilate((clean < 200).max(axis=2).astype(np.uint8), np.ones((41, 41))) == 0
    before = np.count_nonzero((page < 225).all(axis=2) & bare)
    assert remove_specks(page) > 250
    assert np.count_nonzero((page < 225).all(axis=2) & bare) < 0.1 * before
    assert lost(clean, page) == 0


@pytest.mark.parametrize(
    "kind",
    [
        lambda page: page,
        lambda page: page[..., :1],
        lambda page: page.astype(np.uint16) * 257,
        lambda page: page.astype(np.float32) / 255,
    ],
    ids=["colour", "grey", "16 bits", "float"],
)
def test_pixels_of_any_kind(kind: Kind) -> None:
    """All types and channels lose the same specks, to paper as white as around."""
    page = np.ascontiguousarray(kind(dusty(written())))
    plain = dusty(written())
    assert remove_specks(page) == remove_specks(plain) > 250
    assert np.array_equal(page, np.ascontiguousarray(kind(plain)))


def test_clean_pages_stay() -> None:
    """Dots, full stops and commas alone are no specks."""
    page = written()
    assert remove_specks(page) == 0
    assert np.array_equal(page, written())


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 900, 1), (40, 40, 3), (900, 1100, 1)])
def test_images_without_text_stay(shape: tuple[int, int, int]) -> None:
    """What is tiny, blank, black or has dots alone is no page of text."""
    for page in (np.full(shape, 255, np.uint8), np.zeros(shape, np.uint8)):
        assert remove_specks(page) == 0
    dots = np.full((900, 1100, 3), 255, np.uint8)
    assert remove_specks(dusty(dots)) == 0


def test_a_page_without_margins_stays() -> None:
    """Where print reaches all sides nothing tells that dots are dust."""
    page = dusty(written())
    cv2.rectangle(page, (2, 2), (1097, 897), (0, 0, 0), 2)
    assert remove_specks(page) == 0


def test_small_print_stays() -> None:
    """Letters of a few pixels' height are not told from dust."""
    page = cv2.resize(dusty(written()), None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    assert remove_specks(np.asarray(page, np.uint8)) == 0


def test_a_cluster_stays() -> None:
    """Dots in one part of a page are a drawing, however many."""
    page = written(5, 500)
    rng = np.random.default_rng(1)
    for x, y in rng.normal((550, 230), (160, 80), (300, 2)).astype(int):
        page[y : y + 2, x : x + 2] = 60
    before = page.copy()
    assert remove_specks(page) == 0
    assert np.array_equal(page, before)


def test_a_stippled_figure_stays_on_a_dusty_page() -> None:
    """Dots as large as the dust stay where they lie close together."""
    clean = written(5, 600)
    rng = np.random.default_rng(2)
    for x, y in rng.integers((400, 150), (600, 350), (500, 2)):
        clean[y : y + 2, x : x + 2] = 90
    page = dusty(clean)
    assert remove_specks(page) > 100
    inside = slice(170, 330), slice(420, 580)
    assert lost(clean[inside], page[inside]) <= 0.02 * np.count_nonzero(clean[inside] < 200)


def test_leaders_stay_on_a_dusty_page() -> None:
    """Rows of dots at even distances stay, on blank paper as well."""
    clean = written(5, 500)
    for y in (150, 250, 350):
        for x in range(200, 900, 14):
            clean[y : y + 2, x : x + 2] = 90
    page = dusty(clean)
    assert remove_specks(page) > 100
    rows = slice(140, 360)
    assert lost(clean[rows], page[rows]) <= 0.02 * np.count_nonzero(clean[rows] < 200)


def test_inside_a_picture_nothing_goes() -> None:
    """All of the box of a plot or table is left alone."""
    clean = written(5, 600)
    cv2.polylines(clean, [np.array([(300, 100), (300, 450), (800, 450)])], False, (0, 0, 0), 3)
    page = dusty(clean)
    inside = slice(110, 440), slice(310, 790)
    before = page[inside].copy()
    assert remove_specks(page) > 100
    assert np.array_equal(page[inside], before)


def test_coloured_marks_stay() -> None:
    """Dust has no colour; red dots are ink."""
    page = written()
    rng = np.random.default_rng(3)
    for y, x in rng.integers((0, 0), (898, 1098), (400, 2)):
        page[y : y + 2, x : x + 2] = np.minimum(page[y : y + 2, x : x + 2], (230, 40, 40))
    assert remove_specks(page) == 0


def test_what_is_left_of_a_pattern_stays() -> None:
    """Fragments of a fine pattern come in all lengths, dust does not."""
    page = dusty(written())
    rng = np.random.default_rng(4)
    for y, x in rng.integers((0, 0), (880, 1060), (150, 2)):
        cv2.line(page, (int(x), int(y)), (int(x) + 22, int(y) + 6), (190, 190, 190), 1)
    assert remove_specks(page) == 0


@pytest.mark.parametrize("strength", [0.3, 0.5, 0.8])
def test_strength_takes_a_share(strength: float) -> None:
    """So much of the specks goes as of everything else, and no more of the print."""
    noisy, clean = dusty(written()) // 2 + 100, dusty(written())
    part = np.rint(noisy + strength * (clean.astype(np.float32) - noisy)).astype(np.uint8)
    full, page = clean.copy(), part.copy()
    assert remove_specks(full) > 250
    assert remove_specks(page, noisy, strength) > 250
    expected = part + strength * (full.astype(np.float32) - clean)
    assert np.mean(np.abs(page - expected) > 3) < 1e-4


def test_the_gate_leaves_specks_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dust of five pixels that went is not taken for lost strokes; a word that went is."""
    page = written()
    rng = np.random.default_rng(5)
    for x, y in rng.integers((10, 10), (1090, 890), (500, 2)):
        cv2.circle(page, (int(x), int(y)), 2, (40, 40, 40), -1)
    noisy, cleaned = (page * 0.85).astype(np.uint8), page
    assert remove_specks(cleaned) > 200
    specks = lost_specks(noisy, cleaned)
    assert specks is not None
    assert (WithoutSpecks(noisy, specks)[100:300][specks[100:300]] > 200).all()
    assert protect(noisy, cleaned)[1] == []
    erased = cleaned.copy()
    erased[170:210, 180:400] = 255
    assert protect(noisy, erased)[1]
    assert lost_specks(written(), written()) is None
    monkeypatch.setattr("imgclean.safety.lost_specks", lambda before, after: None)
    assert protect(noisy, cleaned)[1]
