"""The dots of printed tints and pictures stay, and nothing else counts as such."""

from types import SimpleNamespace
from typing import Any, cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean import safety
from imgclean.blocks import halftone
from imgclean.denoise import Outcome
from imgclean.progress import _warning
from imgclean.safety import Kept, protect
from imgclean.streaks import find_streaks

Page = NDArray[Any]

TINT = (slice(90, 290), slice(70, 410))  # part of the page that has a screen
INNER = (slice(110, 270), slice(90, 390))


def paper(shape: tuple[int, int] = (400, 500), sigma: float = 4.0, seed: int = 0) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    uneven = cv2.GaussianBlur(rng.standard_normal(shape), (0, 0), 40) * 150
    return np.asarray(222 + uneven + rng.normal(0, sigma, shape))


def tint(pitch: float, angle: float, share: float = 0.1) -> NDArray[Any]:
    """How much of each pixel of the tint's place is ink, softened as by a scanner."""
    high, wide = (part.stop - part.start for part in TINT)
    level = np.full((3 * high, 3 * wide), 255 * (1 - share), np.float32)
    dots = (255 - halftone(level, 3 * pitch, angle).astype(np.float32)) / 235
    small = cv2.resize(dots, (wide, high), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 0.5))


def printed(pitch: float, angle: float, **other: Any) -> tuple[Page, Page]:
    """A page with a tint of black dots, and what a cleaner without eyes for them makes of it."""
    page = paper()
    page[TINT] *= 1 - 0.8 * tint(pitch, angle, **other)
    return np.clip(np.rint(page), 0, 255).astype(np.uint8), np.full(page.shape, 250, np.uint8)


def cleaned(before: Page, after: Page, **other: Any) -> tuple[Page, list[Kept]]:
    result, kept = protect(before, after, **other)
    return np.asarray(result), kept


def contrast(page: Page, pitch: float, angle: float) -> float:
    """By how much the page is darker where the tint has its dots, by the ground."""
    dots = tint(pitch, angle)
    values = page[TINT].astype(np.float64)
    dark, light = values[dots > np.quantile(dots, 0.97)], values[dots < np.quantile(dots, 0.3)]
    return float(1 - dark.mean() / light.mean())


@pytest.mark.parametrize(("pitch", "angle"), [(3.0, 0.3), (4.7, 0.0), (6.2, 0.785)])
def test_lost_tints_come_back_on_bright_paper(pitch: float, angle: float) -> None:
    before, after = printed(pitch, angle)
    result, kept = cleaned(before, after)
    assert {piece.reason for piece in kept} == {"dots of print missing"}
    assert {piece.strength for piece in kept} == {0}
    assert contrast(result, pitch, angle) > 0.85 * contrast(before, pitch, angle)
    assert np.median(result[INNER]) > np.median(before[INNER]) + 8
    away = np.ones(before.shape, bool)
    away[40:340, 20:460] = False
    assert (result[away] == 250).all()


def test_tints_that_are_left_stay_as_they_were_cleaned() -> None:
    before, after = printed(5.0, 0.4)
    after[TINT] = np.rint(250 * (1 - 0.6 * tint(5.0, 0.4)))
    result, kept = cleaned(before, after)
    assert not kept and np.array_equal(result, after)


def test_the_faintest_dots_are_grain() -> None:
    before, after = printed(5.0, 0.4, share=0.002)
    assert not protect(before, after)[1]


def test_tints_of_one_colour_come_back_in_it() -> None:
    page = np.repeat(paper()[..., None], 3, axis=2)
    page[(*TINT, 2)] *= 1 - 0.9 * tint(5.0, 0.4, share=0.2)  # yellow dots
    before = np.clip(np.rint(page), 0, 255).astype(np.uint8)
    after = np.full(before.shape, 250, np.uint8)
    result, kept = cleaned(before, after)
    assert kept
    blue, red = (contrast(np.ascontiguousarray(result[..., k]), 5.0, 0.4) for k in (2, 0))
    assert blue > 0.2 and abs(red) < 0.05


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_every_kind_of_sample(kind: Any) -> None:
    before, after = printed(5.0, 0.4)
    scale = 257 if kind is np.uint16 else 1 / 255
    expected = cleaned(before, after)[0]
    both = ((page.astype(np.float64) * scale).astype(kind) for page in (before, after))
    result = cleaned(*both)[0]
    assert np.abs(result.astype(np.float64) / scale - expected).max() < 1.5


@pytest.mark.parametrize(
    "what", ["grain", "laid paper", "faint", "under grain", "lines of dots", "wide"]
)
def test_other_textures_may_go(what: str) -> None:
    page = paper(sigma={"grain": 14.0, "under grain": 22.0, "faint": 0.5}.get(what, 4.0), seed=3)
    y, x = np.mgrid[: page.shape[0], : page.shape[1]]
    if what == "laid paper":
        page -= 12 * (np.cos(y * 2 * np.pi / 6) + 1) + 3.8 * (np.cos(x * 2 * np.pi / 6.5) + 1)
    elif what == "lines of dots":
        page[100:300:40][:, 60:440:6] = 60
    elif what in ("faint", "under grain", "wide"):  # a weave
        deep, period = {"faint": (2.0, 5.0), "under grain": (4.0, 5.0), "wide": (9.0, 15.0)}[what]
        page -= deep * (np.cos(y * 2 * np.pi / period) + np.cos(x * 2 * np.pi / period) + 2)
    before = np.clip(np.rint(page), 0, 255).astype(np.uint8)
    after = np.full(page.shape, 250, np.uint8)
    assert not [piece for piece in protect(before, after)[1] if "dots" in piece.reason]


def test_strips_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = printed(5.0, 0.4)
    expected = protect(before, after)[0]
    monkeypatch.setattr(safety, "STRIP", 500 * 64)
    assert np.array_equal(protect(before, after)[0], expected)


def test_a_tint_at_the_edge_of_the_page() -> None:
    whole, _ = printed(5.0, 0.4)
    before = np.ascontiguousarray(whole[:285, :405])
    result, _ = cleaned(before, np.full(before.shape, 250, np.uint8))
    assert (result[:, -20:] < 200).any() and (result[-20:] < 200).any()


def test_one_bit_a_pixel_keeps_dark_dots() -> None:
    before, after = printed(7.0, 0.3, share=0.25)
    result, kept = cleaned(before, after, bilevel=True)
    assert kept
    assert 0.3 < np.mean(result[INNER] < 128) / np.mean(before[INNER] < 128) < 1.5


@pytest.mark.parametrize(
    ("reasons", "what"),
    [
        (["30 pixels of strokes missing"], "strokes were"),
        (["dots of print missing"], "dots of print were"),
        (["beside strokes missing", "dots of print missing"], "strokes and dots of print were"),
    ],
)
def test_a_line_says_what_was_missing(reasons: list[str], what: str) -> None:
    kept = [Kept(0, (0, 0, 32, 32), 0.5, reason) for reason in reasons]
    outcome = SimpleNamespace(kept=kept, job=SimpleNamespace(source="a.png"))
    line = _warning(cast(Outcome, outcome))
    assert line.startswith(f"kept     a.png: {what} missing, so cleaned less: page 1 at")


def test_a_weave_all_over_is_the_papers() -> None:
    """Linen, or woven paper: it may go, under a tint too if nothing tells them apart."""
    page, (y, x) = paper(), np.mgrid[:400, :500]
    page -= 5 * (np.cos(y * 2 * np.pi / 5) + np.cos(x * 2 * np.pi / 5) + 2)
    before = np.clip(np.rint(page), 0, 255).astype(np.uint8)
    cv2.putText(before, "linen", (150, 200), 0, 2.0, 40, 5, cv2.LINE_AA)
    after = np.full(before.shape, 250, np.uint8)
    after[before < 120] = before[before < 120]
    assert not [piece for piece in cleaned(before, after)[1] if "dots" in piece.reason]


def test_tints_come_back_under_letters_too() -> None:
    """Where these are, and in what of the tint lies beyond a line of them."""
    page = paper()
    page[TINT] *= 1 - 0.8 * tint(4.0, 0.4, share=0.2)
    before = np.clip(np.rint(page), 0, 255).astype(np.uint8)
    after = np.full(page.shape, 250, np.uint8)
    for y in (150, 185, 220, 255):
        for plane in (before, after):
            cv2.putText(plane, "words over a tint", (90, y), 0, 0.9, 40, 2, cv2.LINE_AA)
    result, _ = cleaned(before, after)
    inner = result[110:270, 90:390].astype(np.float64)
    assert np.mean(inner[after[110:270, 90:390] == 250] < 215) > 0.15


def test_a_streak_stays_away_where_a_tint_comes_back() -> None:
    rng = np.random.default_rng(0)
    page = 238 + rng.normal(0, 2, (1200, 900))
    page[300:700, 300:640] *= 1 - 0.8 * np.tile(tint(5.0, 0.4), (2, 1))
    clean = page.copy()
    page[:, 450:452] -= 16
    before = np.clip(np.rint(page), 0, 255).astype(np.uint8)
    assert find_streaks(before)
    result, kept = cleaned(before, np.full(before.shape, 250, np.uint8))
    assert [piece for piece in kept if "dots" in piece.reason]
    line, beside = slice(450, 452), [443, 445, 456, 458]
    fall = [np.mean(p[330:670, beside]) - np.mean(p[330:670, line]) for p in (clean, page, result)]
    assert fall[1] - fall[0] > 15 and abs(fall[2] - fall[0]) < 6
