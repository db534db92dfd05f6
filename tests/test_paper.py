import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean.paper import DAMAGES, damage, extract_stains, stroke_width

Plane = NDArray[np.float32]


@pytest.fixture
def page() -> Plane:
    drawn = np.full((96, 128, 1), 255, np.uint8)
    for row in range(3):
        cv2.putText(drawn, "Hamburg", (4, 28 + 28 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 0, 2)
    return drawn.astype(np.float32) / np.float32(255)


@pytest.mark.parametrize("channels", [1, 3])
def test_results_have_the_input_form(page: Plane, channels: int) -> None:
    """Noisy and target are float32 in [0, 1] and of the shape of the clean page."""
    clean = np.repeat(page, channels, axis=2)
    for seed in range(60):
        for image in damage(clean, np.random.default_rng(seed)):
            assert image.shape == clean.shape
            assert image.dtype == np.float32
            assert image.min() >= 0
            assert image.max() <= 1


def test_strength_zero_is_identity(page: Plane) -> None:
    """Without strength nothing changes, and the results are copies."""
    noisy, target = damage(page, np.random.default_rng(0), strength=0)
    assert np.array_equal(noisy, page)
    assert np.array_equal(target, page)
    assert noisy is not page


def test_some_results_are_exactly_clean(page: Plane) -> None:
    """A few results in a hundred are untouched, so that identity is learnt."""
    rng = np.random.default_rng(0)
    same = sum(np.array_equal(damage(page[:16, :16], rng)[0], page[:16, :16]) for _ in range(400))
    assert 4 <= same <= 40


def test_damage_repeats_by_seed(page: Plane) -> None:
    """The same seed draws the same damage."""
    for seed in range(5):
        first = damage(page, np.random.default_rng(seed))
        again = damage(page, np.random.default_rng(seed))
        assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_input_is_not_changed(page: Plane) -> None:
    """The clean page is left as it was."""
    before = page.copy()
    for seed in range(20):
        damage(page, np.random.default_rng(seed))
    assert np.array_equal(page, before)


def test_blank_page_has_white_target() -> None:
    """Whatever happens to a blank page, its target is blank."""
    blank = np.ones((48, 64, 1), np.float32)
    for seed in range(60):
        _, target = damage(blank, np.random.default_rng(seed))
        assert (target == 1).all()


@pytest.mark.parametrize("kind", ["lift", "gloss", "fade", "dropout"])
def test_target_never_has_less_ink_than_noisy(page: Plane, kind: str) -> None:
    """However ink fades, the target is at least as dark as what the noisy page still shows."""
    for seed in range(40):
        kinds = {"lift", kind}
        noisy, target = damage(page, np.random.default_rng(seed), strength=1, kinds=kinds)
        assert (target <= noisy + 1 / 255).all()


@pytest.mark.parametrize("kind", [kind for kind in DAMAGES if kind != "real"])
def test_each_kind_does_something(page: Plane, kind: str) -> None:
    """Every damage changes some page on its own, in grey or in colour."""
    clean = page if kind == "copy" else np.repeat(page, 3, axis=2)
    kinds = {"gloss", "grey"} if kind == "gloss" else {kind}
    differences = [
        np.abs(damage(clean, np.random.default_rng(seed), strength=1, kinds=kinds)[0] - clean).max()
        for seed in range(12)
    ]
    assert max(differences) > 2 / 255


def test_copies_are_of_black_and_white_pages() -> None:
    """A copy has black ink and nothing between it and paper but edges; its target is black too."""
    page = np.ones((96, 96, 1), np.float32)
    page[20:28, 8:88] = 0.4
    noisy, target = damage(page, np.random.default_rng(2), strength=0.3, kinds={"copy"})
    assert (target == (page == 1)).all()
    assert noisy[22:26, 10:86].max() < 0.3 < 0.7 < noisy[32:].min()
    picture = np.linspace(0, 1, 96 * 96, dtype=np.float32).reshape(96, 96, 1)
    for kept in (picture, np.repeat(page, 3, axis=2), np.ones_like(page)):
        noisy, target = damage(kept, np.random.default_rng(2), strength=0.3, kinds={"copy"})
        np.testing.assert_allclose(noisy, kept, atol=0.5 / 255 + 1e-6)
        assert np.array_equal(target, kept)


def strokes(wide: int) -> Plane:
    """Upright strokes of so many pixels, H x W x 1."""
    page = np.ones((160, 160, 1), np.float32)
    for left in range(10, 150 - wide, 3 * wide + 10):
        page[20:140, left : left + wide] = 0
    return page


@pytest.mark.parametrize("wide", [1, 3, 8])
def test_stroke_width(wide: int) -> None:
    """The width of strokes is found in pixels; blank paper has none."""
    assert stroke_width(strokes(wide)) == wide
    assert stroke_width(np.ones((64, 64, 3), np.float32)) == 0


def test_crumbs_are_finer_than_strokes() -> None:
    """Crumbs lie on paper alone, round, half as wide as the strokes; fine print gets none."""
    page = strokes(8)
    sizes = []
    for seed in range(20):
        noisy, target = damage(page, np.random.default_rng(seed), strength=1, kinds={"crumbs"})
        assert np.array_equal(target, page)
        dark = ((page - noisy)[..., 0] > 0.15).astype(np.uint8)
        boxes = cv2.connectedComponentsWithStats(dark)[2]
        sizes += list(boxes[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1))
    assert len(sizes) > 20
    assert np.mean(np.array(sizes) <= 5) > 0.9  # but where two of them touch
    fine = strokes(1)
    noisy, _ = damage(fine, np.random.default_rng(0), strength=1, kinds={"crumbs"})
    np.testing.assert_allclose(noisy, fine, atol=0.5 / 255 + 1e-6)


def test_sharpened_has_seams() -> None:
    """An unsharp mask makes the paper beside ink brighter than the paper, and no flat part."""
    page = np.full((64, 64, 1), 0.7, np.float32)
    page[:, 30:34] = 0.1
    noisy, target = damage(page, np.random.default_rng(0), strength=1, kinds={"sharpened"})
    assert noisy[:, [28, 29, 34, 35]].max() > 0.72
    np.testing.assert_allclose(noisy[:, :16], 0.7, atol=1 / 255)
    assert np.array_equal(target, page)


def test_no_kinds_only_rounds(page: Plane) -> None:
    """With an empty choice of kinds nothing but rounding to 8 bits happens."""
    noisy, target = damage(page, np.random.default_rng(1), strength=1, kinds=())
    np.testing.assert_allclose(noisy, page, atol=0.5 / 255 + 1e-6)
    assert np.array_equal(target, page)


def test_coloured_marker_is_kept() -> None:
    """In colour a highlighter is content: noisy and target both show it."""
    blank = np.ones((64, 64, 3), np.float32)
    results = [
        damage(blank, np.random.default_rng(seed), strength=1, kinds={"marker"})
        for seed in range(10)
    ]
    assert any(target.min() < 0.9 for _, target in results)
    for noisy, target in results:
        np.testing.assert_allclose(noisy, target, atol=1 / 255)


def test_real_stains_are_used() -> None:
    """A real layer darkens blank paper in its own tones."""
    layer = np.full((40, 50), 0.6, np.float32)
    blank = np.ones((96, 96, 1), np.float32)
    noisy, target = damage(
        blank, np.random.default_rng(3), stains=[layer], strength=1, kinds={"real"}
    )
    assert 0.5 < noisy.mean() < 0.72
    assert noisy.std() < 0.01
    assert (target == 1).all()


def test_stains_are_recovered(page: Plane) -> None:
    """The layer found under a product of known paper and text is that paper, without letters."""
    y, x = np.indices(page.shape[:2], np.float32)
    paper = 0.8 + 0.1 * np.sin(y / 20) * np.cos(x / 25)
    noisy = paper * (0.1 + 0.9 * page[..., 0])
    found = extract_stains(noisy, page[..., 0])
    assert found.dtype == np.float32
    assert np.abs(found - paper).max() < 0.08
    assert np.abs(found - paper).mean() < 0.01


def test_large_pages_work(page: Plane) -> None:
    """A page of odd size, wider than the stains, is damaged whole."""
    clean = np.tile(page, (3, 2, 1))[:251, :243]
    layer = np.full((30, 30), 0.7, np.float32)
    for seed in range(10):
        noisy, _ = damage(clean, np.random.default_rng(seed), stains=[layer], strength=0.9)
        assert noisy.shape == clean.shape
