"""Print that a camera did not focus on is cleaned at half the size."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean.ink import measure_ink
from imgclean.out_of_focus import is_out_of_focus, share_of_half, take_half
from imgclean.pixels import halved
from imgclean.restore import load

Pixels = NDArray[np.uint8]
SHAPE = 640, 768
LINES = range(60, 620, 56)


def _page(ink: int = 40) -> NDArray[np.float32]:
    """Lines of print, 28 pixels high, strokes 3 pixels wide."""
    page = np.full(SHAPE, 200, np.uint8)
    for y in LINES:
        cv2.putText(page, "the quick brown fox jumps over", (30, y), 0, 1.2, ink, 3, cv2.LINE_AA)
    return page.astype(np.float32)


def _shot(page: NDArray[np.floating], sigma: float = 1.5) -> Pixels:
    grain = np.random.default_rng(0).normal(0, sigma, page.shape)
    return np.clip(np.rint(page + grain), 0, 255).astype(np.uint8)[..., None]


def _blurred(page: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(page, (0, 0), sigma), np.float32)


def _soft(page: Pixels) -> bool:
    return is_out_of_focus(measure_ink(page))


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_soft_print_is_told_from_sharp(kind: str) -> None:
    """Of any type; a page half in focus in the half that is not."""
    kinds: dict[str, Any] = {"uint8": 1, "uint16": np.uint16(257), "float32": np.float32(1 / 255)}
    pages = [_shot(_blurred(_page(), sigma)) * kinds[kind] for sigma in (0.5, 1.0, 3.0, 5.0)]
    assert [_soft(page) for page in pages] == [False, False, True, True]
    assert share_of_half(pages[0]) is None
    whole = share_of_half(pages[2])
    assert whole is not None and whole.shape == (10, 12)
    assert whole[:, :10].min() > 0.9
    partly = np.where(np.arange(SHAPE[0])[:, None] < 320, _blurred(_page(), 3), _page())
    found = share_of_half(_shot(partly) * kinds[kind])
    assert found is not None
    assert found[:4, :10].min() > 0.9
    assert found[6:].max() < 0.1


def test_what_is_soft_and_pale_is_dirt() -> None:
    """The other side's print, stains and shadows, beside ink that is sharp; and blank paper."""
    pale, other = (200 - share * (200 - _blurred(_page()[:, ::-1], 3)) for share in (0.2, 0.7))
    stain = np.full(SHAPE, 200, np.float32)
    cv2.circle(stain, (380, 300), 180, 150, 12)
    for dirt in (pale, _blurred(stain, 4), np.full(SHAPE, 200, np.float32)):
        page = dirt.copy()
        assert share_of_half(_shot(page)) is None or page.min() < 190
        page[:300] = np.minimum(page, _page())[:300]
        assert not _soft(_shot(page))
        assert share_of_half(_shot(page)) is None
    around = np.minimum(other, np.where(np.arange(SHAPE[0])[:, None] < 440, _page(), 200))
    assert _soft(_shot(around))  # half as deep as this side's, below it
    assert share_of_half(_shot(around)) is None
    among = np.where(np.arange(SHAPE[0])[:, None] // 64 % 2, _page(), _blurred(_page(), 3))
    assert _soft(_shot(among))
    assert share_of_half(_shot(among)) is None
    assert not _soft(np.zeros((1, 1, 1), np.uint8))
    assert share_of_half(_shot(_blurred(_page(), 4))[:150]) is None


@pytest.mark.parametrize("more", [0, 1, 22, 63])
def test_the_last_cells_tell_as_much_as_the_others(more: int) -> None:
    """However few pixels of them are new, as of a scanner's black border."""
    page = np.pad(_page(), ((0, more), (0, more)), "edge")
    page[:, -20:] = page[-20:] = 12
    page[:384] = _blurred(page, 4)[:384]
    share = share_of_half(_shot(page))
    assert share is not None
    assert share.shape == (10 + (more > 0), 12 + (more > 0))
    assert share[:4, :10].min() > 0.9
    assert share[8:].max() < 0.1


def test_strength_is_a_part_of_the_way() -> None:
    """From the page to what it becomes, grain and all."""
    denoiser = load("scan", device="cpu", precision="fp32")
    page = _shot(_blurred(_page(60), 3.2), 3)[:300, :401]
    full, part = denoiser(page).astype(np.float32), denoiser(page, 0.25).astype(np.float32)
    assert np.abs(part - (0.75 * page + 0.25 * full)).max() <= 1.5


@pytest.mark.parametrize("shape", [(300, 261), (257, 320)])
def test_a_share_of_half_the_size_is_taken(shape: tuple[int, int]) -> None:
    """It lies where it was in the page, whose last row and column may be odd, and fades."""
    rows, columns = np.indices(shape)
    smooth = 120 + 100 * np.sin(rows / 15) * np.cos(columns / 15)
    page = np.repeat(np.rint(smooth).astype(np.uint8)[..., None], 3, axis=2)
    cells = -(-shape[0] // 64), -(-shape[1] // 64)
    taken = page.copy()
    take_half(taken, halved(page), np.ones(cells, np.float32))
    assert np.abs(taken.astype(int) - page)[2:-2, 2:-2].max() <= 2
    share = np.zeros(cells, np.float32)
    share[0] = 1
    black = page.copy()
    take_half(black, np.zeros_like(halved(page)), share)
    assert black[:32].max() == 0
    assert (black[100:] == page[100:]).all()
    assert (np.diff((black[32:96] / np.maximum(page[32:96], 1)).mean(axis=(1, 2))) > 0).all()


def test_scan_keeps_print_that_is_out_of_focus() -> None:
    """Line after line, where seen as it is most went white."""
    denoiser = load("scan", device="cpu")
    page = _shot(_blurred(_page(60), 3.2), 2)
    depth = 255 - denoiser(page)[..., 0].astype(np.float32)
    before = 200 - _blurred(_page(60), 3.2)
    ink = before > 0.6 * before.max()
    for y in LINES:
        line = np.s_[y - 24 : y]
        assert depth[line][ink[line]].mean() > 0.7 * before[line][ink[line]].mean()
    blank = before < 1
    assert np.mean(depth[blank] > 20) < 0.01
