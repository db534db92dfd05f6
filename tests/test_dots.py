"""Dots of one size on what is no white paper are cloth or a grille."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean.choose import choose
from imgclean.dots import all_dots

SAMPLES = Path(__file__).parents[1] / "sample_data"


def _dotted(radius: int, pitch: int, ground: int = 200, ink: int = 60) -> NDArray[np.uint8]:
    """Rows of dots, every second one moved by half a step, in soft light with a little noise."""
    image = np.full((600, 900, 3), ground, np.uint8)
    for row, y in enumerate(range(pitch // 2, 600, pitch)):
        for x in range(pitch // 2 * (1 + row % 2), 900, pitch):
            cv2.circle(image, (x, y), radius, (ink, ink, ink), -1, cv2.LINE_AA)
    light = np.linspace(0.75, 1, 900)[:, None]
    noise = np.random.default_rng(0).normal(0, 4, image.shape)
    return np.clip(np.rint(image * light + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("radius", "pitch"), [(3, 12), (5, 24), (8, 40)])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_dotted_cloth_is_all_dots(radius: int, pitch: int, kind: str) -> None:
    scale = {"uint8": 1, "uint16": 257, "float32": 1 / 255}[kind]
    cloth = (_dotted(radius, pitch) * np.float64(scale)).astype(kind)
    assert all_dots(cloth)
    assert all_dots(cloth[..., 0])


def test_dots_on_white_paper_are_left_to_the_others() -> None:
    """They may be Braille, a notebook or an answer sheet."""
    page = np.full((600, 900, 3), 240, np.uint8)
    page[_dotted(3, 12, 255, 0)[..., 0] < 128] = 60
    assert not all_dots(page)
    assert all_dots((page * np.array([1, 0.85, 0.8])).astype(np.uint8))


def test_dotted_cloth_is_a_photo() -> None:
    """Of the dots that the measures take for letters."""
    assert choose(_dotted(4, 18)).name == "photo"


@pytest.mark.parametrize("name", ["folds.png", "grain.png", "phone.jpg", "stains.jpg"])
def test_pages_are_not(name: str) -> None:
    page = cv2.imread(str(SAMPLES / "noisy" / "scans" / name))
    assert page is not None and not all_dots(np.asarray(page, np.uint8))


def test_letters_made_of_dots_and_few_dots_are_not() -> None:
    rng = np.random.default_rng(1)
    page = np.full((700, 500), 245, np.uint8)
    for top in range(20, 660, 40):
        for left in range(20, 460, 30):
            for y, x in np.argwhere(rng.random((7, 5)) < 0.4):
                cv2.circle(page, (left + 3 * int(x), top + 3 * int(y)), 1, (30,), -1)
    assert not all_dots(page)
    assert not all_dots(np.full((300, 300), 245, np.uint8))
    apart = _dotted(2, 15, 180)  # of a dot-matrix printer, on grey paper
    for top in range(0, 600, 45):
        cv2.putText(apart, "written between the dots", (20, top), 0, 1.2, (40, 40, 40), 3)
    assert not all_dots(apart)
    assert not all_dots(_dotted(12, 200))
