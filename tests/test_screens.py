import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean.choose import choose
from imgclean.screens import is_screenshot

Pixels = NDArray[np.uint8]
LINE = "the quick brown fox jumps over the lazy dog"


def dialog() -> Pixels:
    """A window with a toolbar in a gradient, a tinted panel and a white list of lines."""
    shot = np.full((480, 640, 3), (236, 233, 216), np.uint8)
    shot[:60] = np.rint(np.linspace(250, 200, 60))[:, None, None]
    shot[90:450, 200:620] = 255
    for number, y in enumerate(range(112, 445, 22)):
        cv2.putText(shot, LINE, (208, y), 0, 0.45, (20, 20, 20), 1, cv2.LINE_AA)
        cv2.putText(shot, f"{number:02d} label", (14, y), 0, 0.45, (60, 60, 60), 1, cv2.LINE_AA)
    shot[200:222, 200:620] = shot[200:222, 200:620] // 255 * np.array((205, 225, 250), np.uint8)
    return shot


def in_jpeg(image: Pixels, quality: int) -> Pixels:
    """As JPEG of that quality gives it back."""
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "turned"])
def test_windows_are_screenshots(kind: str) -> None:
    """In any type of samples, and lying on their side."""
    shot = dialog()
    if kind == "turned":
        assert is_screenshot(np.rot90(shot))
    elif kind == "float32":
        assert is_screenshot(shot.astype(np.float32) / np.float32(255))
    else:
        assert is_screenshot(shot.astype(kind) * (257 if kind == "uint16" else 1))


def test_frames_are_no_blocks_of_jpeg() -> None:
    """Frames of panels hardly darker than they are one line, where JPEG has steps all over."""
    shot = dialog()
    shot[90:450, 200:620:140] -= 4
    assert is_screenshot(shot)
    shot[90:450, 200:620:8] -= 4
    assert not is_screenshot(shot)


def test_what_looks_like_a_page_is_left_to_the_weights_for_photos() -> None:
    """The measures take such a window for ink on paper."""
    found = choose(dialog())
    assert found.name == "photo" and not found.unsure  # whatever else lies in its folder
    grain = np.random.default_rng(0).normal(0, 2, dialog().shape)
    noisy = np.clip(np.rint(dialog() + grain), 0, 255).astype(np.uint8)
    assert choose(noisy).name == "scan"  # or this tests nothing


def test_paper_is_not_even() -> None:
    """Nor with grain, nor as JPEG at any quality, nor reduced to a few levels."""
    page = np.full((700, 500, 3), (228, 222, 200), np.uint8)
    page[30:100, 40:460] = 255  # a label
    for y in range(120, 680, 26):
        cv2.putText(page, LINE, (40, y), 0, 0.6, (40, 40, 40), 1, cv2.LINE_AA)
    assert is_screenshot(page)
    scanned = np.clip(np.rint(page + np.random.default_rng(1).normal(0, 3, page.shape)), 0, 255)
    scanned = scanned.astype(np.uint8)
    for seen in (scanned, *(in_jpeg(scanned, quality) for quality in (5, 20, 60, 95))):
        assert not is_screenshot(seen)
    sparse = np.full((1100, 800, 3), (255, 250, 237)) * np.linspace(0.97, 0.8, 1100)[:, None, None]
    sparse += np.random.default_rng(2).normal(0, 1.5, sparse.shape)
    few_lines = np.clip(np.rint(sparse), 0, 255).astype(np.uint8)
    for y in range(90, 90 + 36 * 6, 36):
        cv2.putText(few_lines, LINE, (60, y), 0, 0.8, (40, 40, 40), 2, cv2.LINE_AA)
    for quality in (15, 20, 30, 50):  # even blocks of 8 pixels join to rows of 24
        assert not is_screenshot(in_jpeg(few_lines, quality))
    for levels in (4, 8, 16, 32):
        few = np.rint(np.rint(scanned / 255 * (levels - 1)) * 255 / (levels - 1)).astype(np.uint8)
        assert not is_screenshot(few)


def test_stains_and_pictures_on_even_paper_are_no_screenshot() -> None:
    """As are drawn on a clean page to try a program."""
    page = np.full((480, 640, 3), 255, np.uint8)
    page[:60] = (230, 220, 190)
    for y in range(90, 470, 24):
        cv2.putText(page, LINE, (40, y), 0, 0.5, (40, 40, 40), 1, cv2.LINE_AA)
    assert not is_screenshot(page)
    stained = dialog().astype(np.float64)
    y, x = np.mgrid[:480, :640]
    for row, column in ((150, 300), (300, 420), (400, 100)):
        stained *= 1 - 0.15 * np.exp(-np.hypot(y - row, x - column)[..., None] / 60)
    assert not is_screenshot(np.rint(stained).astype(np.uint8))
    shot = dialog()
    shot[100:440, 210:610] = np.random.default_rng(2).integers(0, 256, (340, 400, 3))
    assert not is_screenshot(shot)


def card(colour: tuple[int, int, int]) -> Pixels:
    """Lines of letters on a ground of one colour, as of a slide, a terminal or an e-reader."""
    shot = np.full((600, 520, 3), colour, np.uint8)
    ink = (20, 20, 20) if min(colour) > 100 else (235, 235, 235)
    for y in range(60, 560, 48):
        cv2.putText(shot, LINE, (30, y), 0, 0.6, ink, 1, cv2.LINE_AA)
    return shot


def as_jpeg(image: Pixels, quality: int) -> Pixels:
    """RGB through JPEG, so that its luma is that of the image."""
    return in_jpeg(image[..., ::-1].copy(), quality)[..., ::-1].copy()


@pytest.mark.parametrize(
    "colour", [(205, 225, 200), (190, 190, 190), (0, 90, 100), (251, 241, 215)]
)
def test_tinted_grounds_are_screens(colour: tuple[int, int, int]) -> None:
    shot = card(colour)
    for seen in (shot, as_jpeg(shot, 92), as_jpeg(shot, 75), as_jpeg(shot, 75)[5:, 3:]):
        assert is_screenshot(seen)
    assert is_screenshot(shot.astype(np.float32) / np.float32(255))
    assert is_screenshot(shot.mean(axis=2, keepdims=True).astype(np.uint8))


def test_white_grounds_are_none() -> None:
    """There is no tint that whitening could take."""
    assert not is_screenshot(card((244, 246, 248)))


@pytest.mark.parametrize("sigma", [2.0, 5.0])
def test_evenly_lit_paper_with_grain_is_none(sigma: float) -> None:
    """Though JPEG of low quality makes it as even as a screen."""
    noise = np.random.default_rng(1).normal(0, sigma, (600, 520, 3))
    page = np.clip(np.rint(card((228, 222, 200)) + noise), 0, 255).astype(np.uint8)
    for quality in (10, 15, 20, 30, 40, 50, 60, 75, 90):
        assert not is_screenshot(as_jpeg(page, quality))


def test_pages_on_an_even_rim_are_none() -> None:
    """A scan that was straightened, or laid on a canvas of the paper's colour."""
    noise = np.random.default_rng(1).normal(0, 3, (600, 520, 3))
    page = np.clip(np.rint(card((228, 222, 200)) + noise), 0, 255).astype(np.uint8)
    canvas = np.full((780, 700, 3), (228, 222, 200), np.uint8)
    canvas[90:690, 90:610] = page
    assert not is_screenshot(canvas) and not is_screenshot(as_jpeg(canvas, 90))


def test_dirt_on_an_even_ground_is_none() -> None:
    """Specks, and stains that fade, on paper that was drawn without grain."""
    specks = card((228, 222, 200))
    where = np.random.default_rng(3).random(specks.shape[:2]) < 0.003
    specks[where] = 40
    assert not is_screenshot(specks)
    y, x = np.mgrid[:600, :520]
    stain = np.hypot(y - 300, x - 260)[..., None] < 120
    soft = cv2.GaussianBlur(stain.astype(np.float32), (0, 0), 30)[..., None]
    assert not is_screenshot(np.rint(card((228, 222, 200)) * (1 - 0.2 * soft)).astype(np.uint8))


def test_few_levels_on_a_tint_are_none() -> None:
    """A scan reduced to 16 greys has even paper."""
    few = np.rint(np.rint(card((221, 221, 221)) / 17.0) * 17).astype(np.uint8)
    assert not is_screenshot(few)


def test_small_and_empty_images_are_none() -> None:
    """There is too little to tell."""
    assert not is_screenshot(dialog()[:40, :40])
    assert not is_screenshot(np.full((300, 300, 1), 200, np.uint8))
    assert not is_screenshot(np.full((300, 300), 255, np.uint8))
