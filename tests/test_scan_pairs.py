from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scan_pairs import (
    _enlarged,
    _filled,
    _overprinted,
    _with_marks,
    _with_strokes,
    draw_scans,
)

Plane = NDArray[np.float32]


def test_marks_are_no_crumbs() -> None:
    """Added full stops are as wide as the page's strokes, added dashes longer than wide."""
    page = np.ones((192, 192, 1), np.float32)
    page[10:182, 10:16] = page[10:182, 30:36] = 0  # strokes of six pixels
    wide, long = [], []
    for seed in range(40):
        marked = _with_marks(page, np.random.default_rng(seed))
        assert marked.dtype == np.float32
        assert marked.shape == page.shape
        assert 0 <= marked.min() <= marked.max() <= 1
        assert (marked <= page).all()
        dark = (marked[..., 0] < 0.75)[:, 40:].astype(np.uint8)
        for x, y, width, height, _ in cv2.connectedComponentsWithStats(dark)[2][1:]:
            if min(x, y) > 0 and x + width < dark.shape[1] and y + height < dark.shape[0]:
                wide.append(min(width, height))
                long.append(max(width, height))
    assert len(wide) > 100
    assert np.quantile(long, 0.02) >= 5  # a crumb is three pixels across at most
    assert min(wide) >= 2


@pytest.mark.parametrize("channels", [1, 3])
def test_overprints_are_pale_and_as_sharp_as_print(channels: int) -> None:
    """Stamps and fills only add ink, of at most their depth, and their edges are a pixel or two."""
    blank = np.ones((192, 192, channels), np.float32)
    source = np.full((1, 512, 512), 255, np.uint8)
    for row in range(20, 512, 40):
        cv2.putText(source[0], "Received 27 May", (5, row), 0, 0.8, (0,), 2, cv2.LINE_AA)
    draws: tuple[Callable[[np.random.Generator], Plane], ...] = (
        lambda rng: _overprinted(blank, source, rng),
        lambda rng: _filled(blank, rng),
    )
    inked = steep = 0
    for seed in range(40):
        for draw in draws:
            over = draw(np.random.default_rng(seed))
            assert over.dtype == np.float32
            assert over.shape == blank.shape
            assert over.min() > 0.05 and over.max() <= 1
            assert (over == draw(np.random.default_rng(seed))).all()
            depth = 1 - over.min(axis=2)
            rise = cv2.morphologyEx(depth, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8))
            inked += depth.max() > 0.05
            steep += depth.max() > 0.05 and rise.max() > 0.6 * depth.max()
    assert inked > 60
    assert steep > 0.9 * inked


def test_fills_keep_the_text_on_them() -> None:
    """Where ink is black a fill leaves it so."""
    page = np.ones((192, 192, 1), np.float32)
    page[::12] = 0
    for seed in range(10):
        filled = _filled(page, np.random.default_rng(seed))
        assert (filled[::12] == 0).all()
        assert (filled <= page).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_strokes_stand_alone_pale_and_askew(channels: int) -> None:
    """They darken blank paper in few places; most are no deeper than a pencil's, and few level."""
    depths, askew = [], []
    for seed in range(40):
        page = np.ones((256, 256, channels), np.float32)
        drawn = _with_strokes(page, np.random.default_rng(seed))
        assert drawn.shape == page.shape and drawn.dtype == np.float32
        ink = 1 - drawn.min(axis=2)
        assert ink.min() >= 0 and 0.03 < ink.max() <= 1
        assert np.mean(ink > 0.02) < 0.6
        depths.append(float(ink.max()))
        steep = [np.abs(cv2.Sobel(ink, cv2.CV_32F, *way)).sum() for way in ((1, 0), (0, 1))]
        askew.append(0.25 < steep[0] / (steep[0] + steep[1]) < 0.75)
    assert 0.4 < np.mean(np.array(depths) < 0.42) < 0.9
    assert np.mean(askew) > 0.5


@pytest.mark.parametrize("twice", [0.0, 1.0])
def test_a_share_is_drawn_at_half_the_size_and_enlarged(tmp_path: Path, twice: float) -> None:
    """Damage is then twice as coarse too: every patch is what `small_print.py` makes of a half."""
    page = np.full((512, 512), 255, np.uint8)
    for row in range(20, 512, 24):
        cv2.putText(page, "Received 27 May, of which", (5, row), 0, 0.5, (0,), 1, cv2.LINE_AA)
    names = ("train_noisy_000", "train_clean_000", "stain_000")
    pages = {"pages_grey": page[None], "pages_colour": np.stack([page] * 3, 2)[None]}
    np.savez(tmp_path / "pack.npz", **pages, **dict.fromkeys(names, page))  # type: ignore[arg-type]
    draw = draw_scans(tmp_path / "pack.npz", 96, twice=twice)
    enlarged = []
    for seed in range(12):
        noisy, clean = draw(np.random.default_rng(seed))
        assert noisy.shape == clean.shape == (96, 96, 3)
        assert noisy.dtype == clean.dtype == np.float32
        assert 0 <= clean.min() <= clean.max() <= 1
        again = _enlarged(np.ascontiguousarray(noisy[::2, ::2]))
        enlarged.append(bool(np.allclose(noisy, again, atol=1e-5)))
    blank = 4  # of patches without any ink or dirt an enlarged half is the same
    assert sum(enlarged) == 12 if twice else sum(enlarged) < blank
