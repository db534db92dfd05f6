from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean.hues import REACH, keep_hues

Pixels = NDArray[Any]
PAPER, LUMA = np.array([238, 226, 196]), np.array([0.299, 0.587, 0.114])
INKS = {"red": (200, 40, 50), "blue": (40, 60, 170), "sepia": (110, 70, 40), "green": (30, 120, 60)}


def pair(ink: tuple[int, ...], kept: float, *, noise: float = 6) -> tuple[Pixels, Pixels, Pixels]:
    """A line of writing on tinted paper, and on white, of its colour `kept`; where it is whole."""
    mask = np.zeros((200, 600), np.uint8)
    cv2.putText(mask, "Dear Aunt Mary", (20, 120), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 2, 255, 3)
    cover = mask[..., None] / 255
    clear = 1 - cover * (1 - np.array(ink) / 255)
    grey = clear @ LUMA
    after = 255 * (grey[..., None] + kept * (clear - grey[..., None]))
    grain = np.random.default_rng(0).normal(0, noise, clear.shape)
    before = np.clip(np.rint(PAPER * clear + grain), 0, 255).astype(np.uint8)
    return before, np.rint(after).astype(np.uint8), mask == 255


def saturation(image: Pixels, where: Pixels) -> float:
    """Of the mean depth below white."""
    depth = 255 - image[where].mean(axis=0)
    return float((depth.max() - depth.min()) / depth.max())


@pytest.mark.parametrize("ink", INKS.values(), ids=list(INKS))
def test_hue_comes_back(ink: tuple[int, ...]) -> None:
    """A stroke that was left half of its colour has nearly all again, and is as dark as it was."""
    before, after, where = pair(ink, 0.5)
    kept = after.copy()
    keep_hues(before, kept)
    whole = saturation(pair(ink, 1)[1], where)
    assert saturation(after, where) < 0.6 * whole
    assert 0.85 * whole < saturation(kept, where) < 1.1 * whole
    assert abs((kept.astype(float) - after)[where] @ LUMA).mean() < 1.5
    assert (kept[~cv2.dilate(where.astype(np.uint8), np.ones((7, 7))).astype(bool)] == 255).all()


@pytest.mark.parametrize("ink", [(20, 20, 20), (120, 120, 120)])
def test_black_stays_black(ink: tuple[int, ...]) -> None:
    """On tinted paper, grainy too, grey and black strokes get no tint."""
    before, after, where = pair(ink, 1, noise=10)
    kept = after.copy()
    keep_hues(before, kept)
    assert saturation(kept, where) < 0.03


def test_more_colour_is_left() -> None:
    """What the network made more colourful than the page is not touched."""
    before, after, _ = pair((110, 90, 80), 1)
    vivid = pair((130, 20, 20), 1)[1]
    kept = vivid.copy()
    keep_hues(before, kept)
    assert np.array_equal(kept, vivid) and not np.array_equal(kept, after)


def test_fills_are_left() -> None:
    """Areas wider than strokes are as the network made them."""
    before = np.full((200, 300, 3), 240, np.uint8)
    before[50:150, 50:250] = (180, 220, 60)
    after = np.full_like(before, 255)
    after[50:150, 50:250] = (200, 220, 130)
    kept = after.copy()
    keep_hues(before, kept)
    assert np.array_equal(kept, after)


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_types(kind: Any) -> None:
    """16 bits and floating point give what 8 bits give."""
    before, after, _ = pair(INKS["red"], 0.5)
    scale = 65535 if kind is np.uint16 else 1
    more = [(image * (scale / 255)).astype(kind) for image in (before, after)]
    keep_hues(before, after)
    keep_hues(more[0], more[1])
    assert more[1].dtype == kind
    assert np.abs(more[1] * (255 / scale) - after).max() < 3


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (200, 599), (199, 600)])
def test_any_size(size: tuple[int, int]) -> None:
    """Odd sides and tiny images pass."""
    before, after, _ = pair(INKS["blue"], 0.5)
    before, after = (np.ascontiguousarray(i[: size[0], : size[1]]) for i in (before, after))
    keep_hues(before, after)
    assert after.shape == (*size, 3)


def test_looks_no_further_than_it_says() -> None:
    """A part with its surroundings gives what the whole gives there, as tiles need it."""
    before, after, _ = pair(INKS["red"], 0.5)
    whole = after.copy()
    keep_hues(before, whole)
    columns = slice(200 - REACH, 400 + REACH)
    part = after[:, columns].copy()
    keep_hues(np.ascontiguousarray(before[:, columns]), part)
    core = part[:, REACH:-REACH]
    assert np.array_equal(core, whole[:, 200:400]) and not np.array_equal(core, after[:, 200:400])
