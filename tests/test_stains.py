from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean.restore import load
from imgclean.safety import protect
from imgclean.stains import WithoutStains, lost_stains, remove_stains

Page = NDArray[np.uint8]
Kind = Callable[[Page], NDArray[np.generic]]

WORDS = "the whole of a dull and dark autumn day in the year when clouds hung low "
BROWN, RIM = (214, 188, 152), (176, 136, 88)


def written(margin: int = 60) -> Page:
    """A page full of lines of text."""
    page = np.full((900, 1100, 3), 255, np.uint8)
    for number in range(17):
        text, place = WORDS[number * 3 :] + WORDS, (margin, 60 + 50 * number)
        cv2.putText(page, text, place, cv2.FONT_HERSHEY_COMPLEX, 0.85, (0, 0, 0), 1, cv2.LINE_AA)
    page[:, 1040:] = 255
    return page


def blot() -> NDArray[np.float32]:
    """How far inside of a stain's uneven outline each pixel is; below 0 outside."""
    y, x = np.mgrid[:900, :1100].astype(np.float32)
    angle = np.arctan2(y - 450, x - 540)
    return np.asarray(280 + 40 * np.sin(3 * angle) - np.hypot(x - 540, y - 450), np.float32)


def tinted(page: Page, where: NDArray[np.bool_], colour: tuple[int, int, int]) -> Page:
    """A page on which light of one colour falls in a place."""
    share = cv2.GaussianBlur(where.astype(np.float32), (0, 0), 1)[..., None]
    light = 1 - share * (1 - np.array(colour, np.float32) / 255)
    return np.asarray(np.rint(page * light), np.uint8)


def stained(page: Page, colour: tuple[int, int, int] = BROWN, rim: bool = True) -> Page:
    """A page with a stain."""
    inside = blot()
    soiled = tinted(page, inside > 0, colour)
    return tinted(soiled, (inside > 0) & (inside < 8), RIM) if rim else soiled


def mean_error(page: Page, clean: Page) -> float:
    """How far both are apart."""
    return float(np.abs(page.astype(np.float32) - clean).mean())


def test_a_stain_goes_and_its_text_stays() -> None:
    """Paper is white after it, letters are as black, and beyond it nothing changes."""
    clean, page = written(), stained(written())
    before = page.copy()
    assert remove_stains(page)
    assert mean_error(page, clean) < 0.1 * mean_error(before, clean)
    black = clean.max(axis=2) < 60
    assert page[black].max() < 110
    away = blot() < -40
    assert np.array_equal(page[away], before[away])


@pytest.mark.parametrize(
    "kind",
    [
        lambda page: page.astype(np.uint16) * 257,
        lambda page: page.astype(np.float32) / 255,
    ],
    ids=["16 bits", "float"],
)
def test_pixels_of_any_kind(kind: Kind) -> None:
    """The same goes from all types, to half a level."""
    page, plain = kind(stained(written())), stained(written())
    assert remove_stains(page)
    assert remove_stains(plain)
    scale = 255 / (1 if page.dtype == np.float32 else 65535)
    assert np.abs(page.astype(np.float32) * np.float32(scale) - plain).max() < 3


@pytest.mark.parametrize("times", [2, 4])
def test_at_any_resolution(times: int) -> None:
    """A stain is found on a finer scan as well."""
    small, clean = stained(written()), written()
    page, clean = (cv2.resize(x, None, fx=times, fy=times) for x in (small, clean))
    before = mean_error(page, clean)
    assert remove_stains(page)
    assert mean_error(page, clean) < 0.15 * before


@pytest.mark.parametrize("strength", [0.3, 0.5, 0.8])
def test_strength_takes_a_share(strength: float) -> None:
    """So much of the stain goes as of everything else."""
    noisy, cleaned = stained(written()) // 2 + 100, stained(written())
    part = np.rint(noisy + strength * (cleaned.astype(np.float32) - noisy)).astype(np.uint8)
    full, page = cleaned.copy(), part.copy()
    assert remove_stains(full)
    assert remove_stains(page, noisy, strength)
    expected = part + strength * (full.astype(np.float32) - cleaned)
    assert np.mean(np.abs(page - expected) > 4) < 1e-3


def test_grey_and_tiny_images_stay() -> None:
    """What has no brown, no text, or hardly any pixels has no stain."""
    grey = cv2.cvtColor(stained(written()), cv2.COLOR_RGB2GRAY)[..., None]
    for page in (grey, written(), np.full((3, 900, 3), BROWN, np.uint8), np.zeros((0, 9, 3))):
        before = page.copy()
        assert not remove_stains(page)
        assert np.array_equal(page, before)


@pytest.mark.parametrize(
    "colour",
    [(255, 214, 150), (255, 240, 120), (230, 150, 150), (150, 190, 230), (170, 170, 170)],
    ids=["orange", "yellow", "red", "blue", "grey"],
)
def test_other_colours_stay(colour: tuple[int, int, int]) -> None:
    """Marker, stamps and shade of a stain's shape stay."""
    page = tinted(stained(written(), colour, rim=False), (blot() > 0) & (blot() < 8), colour)
    assert not remove_stains(page)


def test_what_has_no_rim_stays() -> None:
    """An emblem printed below the text is as brown at its outline as inside."""
    assert not remove_stains(stained(written(), rim=False))


def test_a_panel_with_its_own_text_stays() -> None:
    """However brown and outlined it is: no line runs across its edge."""
    page = written()
    page[190:710, 290:810] = 255
    panel = np.zeros((900, 1100), np.bool_)
    panel[200:700, 300:800] = True
    for number in range(8):
        place = (325, 260 + 55 * number)
        cv2.putText(page, WORDS[:30], place, cv2.FONT_HERSHEY_COMPLEX, 0.8, (0, 0, 0), 2)
    inner = cv2.erode(panel.view(np.uint8), np.ones((17, 17))) > 0
    page = tinted(tinted(page, panel, BROWN), panel & ~inner, RIM)
    assert not remove_stains(page)


def test_a_straight_edge_is_no_stain() -> None:
    """A column of a table, or a strip behind the text, has one, askew too."""
    x, y = np.meshgrid(np.arange(1100), np.arange(900))
    for lean in (0.0, 0.06):
        inside = np.minimum(x - 300 - lean * y, 760 - x + lean * y)
        page = tinted(written(), inside > 0, BROWN)
        page = tinted(page, (inside > 0) & (inside < 8), RIM)
        assert not remove_stains(page)


def test_a_blank_stain_stays() -> None:
    """Where no text is there is nothing that tells it from a picture."""
    page = written()
    page[blot() > -30] = 255
    assert not remove_stains(stained(page))


@pytest.mark.parametrize("gap", [-60, 30], ids=["touching", "beside"])
def test_a_brown_picture_stays(gap: int) -> None:
    """A sepia photo beside a stain, or joined to one, is no part of it."""
    levels = cv2.resize(np.random.default_rng(0).random((9, 6), np.float32), (180, 300))
    photo = np.rint(levels[..., None] * (180, 175, 165) + (60, 35, 15)).astype(np.uint8)
    page, left = written(), 840 + gap
    page[286:614, left - 14 : left + 194] = 255
    soiled = stained(page)
    soiled[300:600, left : left + 180] = photo
    assert remove_stains(soiled) == (gap > 0)
    assert np.array_equal(soiled[300:600, left : left + 180], photo)


def test_coloured_ink_keeps_its_hue() -> None:
    """A blue and a red line across a stain are as coloured after it."""
    page = written()
    page[320:400, 330:750] = 255
    cv2.line(page, (340, 333), (740, 333), (40, 60, 200), 4)
    cv2.line(page, (340, 383), (740, 383), (210, 30, 40), 4)
    soiled = stained(page)
    assert remove_stains(soiled)
    blue, red = soiled[333, 450:650].mean(axis=0), soiled[383, 450:650].mean(axis=0)
    assert blue[2] - blue[0] > 60
    assert red[0] - red[2] > 100


def test_the_gate_leaves_stains_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stain that went is not taken for lost strokes; a word that went under it is."""
    soiled = stained(written())
    noisy = np.rint(soiled * np.array([0.94, 0.92, 0.88])).astype(np.uint8)
    cleaned = soiled.copy()
    assert remove_stains(cleaned)
    stains = lost_stains(noisy, cleaned)
    assert stains is not None
    rows = WithoutStains(noisy, stains)[440:470]
    assert np.ptp(rows[stains[440:470]].astype(int), axis=1).max() < 30
    assert protect(noisy, cleaned)[1] == []
    erased = cleaned.copy()
    erased[430:470, 420:640] = 255
    assert protect(noisy, erased)[1]
    assert lost_stains(written(), written()) is None
    monkeypatch.setattr("imgclean.safety.lost_stains", lambda before, after: None)
    assert protect(noisy, cleaned)[1]


def test_rows_are_alike_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page does not depend on how many rows are looked at in one go, nor asked for."""
    pages, soiled = [], stained(written())
    stains = lost_stains(soiled, written())
    assert stains is not None
    for rows in (1, 130, 900):  # no fewer than are looked at around them
        monkeypatch.setattr("imgclean.stains.STRIP", 4 * 1100 * rows)
        page, even = soiled.copy(), WithoutStains(soiled, stains)
        assert remove_stains(page)
        assert np.array_equal(even[0:900][300:400], even[300:400])
        pages.append(np.stack([page, even[0:900]]))
    assert np.array_equal(pages[0], pages[2])
    assert np.array_equal(pages[1], pages[2])


def test_pages_are_cleaned_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The denoiser for pages removes what its network keeps, in the same share."""
    monkeypatch.setattr("imgclean.restore.Denoiser._clean_lit", lambda *_: None)
    page = stained(written())
    cleaned = load("scan", device="cpu")(page)
    assert mean_error(cleaned, written()) < 0.3 * mean_error(page, written())
