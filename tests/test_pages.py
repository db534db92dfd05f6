from pathlib import Path

import numpy as np
import pytest

from imgclean import fonts
from imgclean.blocks import BLOCKS
from imgclean.errors import DependencyError, ImgcleanError
from imgclean.fonts import find_fonts, scripts_of
from imgclean.pages import render_page, split_by_page
from imgclean.scenes import render_scene


@pytest.fixture(scope="module")
def latin() -> list[Path]:
    return [path for path in find_fonts() if path.name.startswith("DejaVu")]


def test_fonts_found_can_write() -> None:
    """Every font that is found covers a script; symbol fonts are left out."""
    found = find_fonts()
    assert found
    assert all(scripts_of(path) for path in found)
    assert not [path for path in found if "emoji" in path.name.lower()]


def test_no_fonts_names_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without fonts the error says which Debian package to install."""
    monkeypatch.setattr(fonts, "FOLDERS", (str(tmp_path),))
    with pytest.raises(DependencyError, match="apt-get install fonts-dejavu-core") as caught:
        find_fonts()
    assert isinstance(caught.value, ImgcleanError)


def test_broken_font_covers_nothing(tmp_path: Path) -> None:
    """A file that only looks like a font is passed over."""
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"not a font")
    assert scripts_of(broken) == ()


@pytest.mark.parametrize("colour", [False, True])
def test_page_has_asked_shape(latin: list[Path], colour: bool) -> None:
    """A page has the size and channels asked for, white paper and dark ink."""
    page, lines = render_page(
        np.random.default_rng(1), 200, 300, latin, dpi=120, colour=colour, plain=True
    )
    assert page.shape == (200, 300, 3 if colour else 1)
    assert page.dtype == np.uint8
    assert np.median(page) == 255
    assert page.min() < 120
    assert len(lines) > 3


def test_pages_repeat_by_seed(latin: list[Path]) -> None:
    """The same seed draws the same page and text; another seed another page."""
    first, text = render_page(np.random.default_rng(5), 160, 160, latin, dpi=100)
    again, same = render_page(np.random.default_rng(5), 160, 160, latin, dpi=100)
    other, _ = render_page(np.random.default_rng(6), 160, 160, latin, dpi=100)
    assert np.array_equal(first, again)
    assert text == same
    assert not np.array_equal(first, other)


def test_plain_text_is_known(latin: list[Path]) -> None:
    """The lines that come with a plain page are English words and numbers."""
    _, lines = render_page(np.random.default_rng(2), 400, 400, latin, dpi=100, plain=True)
    words = [word.strip(".,;:!?-").lower() for line in lines for word in line.split()]
    known = {word.lower() for word in fonts.ENGLISH}
    letters = [word for word in words if word.isalpha()]
    assert len(letters) > 30
    assert set(letters) <= known


@pytest.mark.parametrize("name", list(BLOCKS))
def test_every_block_draws_in_any_room(
    latin: list[Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind of block survives narrow, low and large places, grey and colour."""
    monkeypatch.setattr("imgclean.pages.BLOCKS", {name: BLOCKS[name]})
    for seed, (height, width, dpi) in enumerate([(64, 48, 75), (90, 200, 300), (200, 90, 150)]):
        rng = np.random.default_rng(seed)
        page, _ = render_page(rng, height, width, latin, dpi=dpi, colour=seed == 1)
        assert page.shape[:2] == (height, width)


def test_photos_are_pasted(latin: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture on a page comes from the photos that were given."""
    monkeypatch.setattr("imgclean.pages.BLOCKS", {"picture": BLOCKS["picture"]})
    green = np.zeros((40, 40, 3), np.uint8)
    green[..., 1] = 200
    page, _ = render_page(
        np.random.default_rng(4), 200, 200, latin, dpi=100, photos=[green], colour=True
    )
    assert (np.abs(page.astype(int) - (0, 200, 0)).max(axis=2) < 30).mean() > 0.05


def test_split_never_shares_a_page() -> None:
    """All noisy versions of one clean page fall on one side; every fourth page is held out."""
    clean = {f"{n}.png": np.full((4, 4), n // 4, np.uint8) for n in range(40)}
    train, valid = split_by_page(clean)
    assert sorted(train + valid) == sorted(clean)
    sides = [{int(clean[name][0, 0]) for name in part} for part in (train, valid)]
    assert not sides[0] & sides[1]
    assert sides[1] == {3, 7}


def test_split_ignores_order() -> None:
    """The split depends on names and pixels, not on the order of listing."""
    clean = {f"{n}.png": np.full((4, 4), n % 7, np.uint8) for n in range(21)}
    backwards = dict(reversed(list(clean.items())))
    assert split_by_page(clean) == split_by_page(backwards)


def test_scene_is_deterministic() -> None:
    """A scene repeats by seed, fills its frame and has contrast."""
    scene = render_scene(np.random.default_rng(0), 60, 80)
    assert scene.shape == (60, 80, 3)
    assert scene.dtype == np.uint8
    assert np.array_equal(scene, render_scene(np.random.default_rng(0), 60, 80))
    assert scene.std() > 15
