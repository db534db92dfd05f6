"""A scanner's streaks: found where they are, and nothing else taken for one."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean import restore
from imgclean.restore import Denoiser
from imgclean.safety import is_clean, protect
from imgclean.streaks import WithoutStreaks, add_streaks, count_lines, find_streaks, remove_streaks

from .test_restore import strong_network

Pixels = NDArray[Any]


def scan(height: int = 1200, width: int = 500, channels: int = 1, paper: float = 225) -> Pixels:
    """Lines of letter-like blocks within margins, on paper with a sensor's noise, 0 to 255."""
    rng = np.random.default_rng(5)
    page = np.full((height, width, channels), paper)
    for top in range(90, height - 100, 24):
        for left in range(60, width - 70, 13):
            if rng.random() < 0.8:
                page[top : top + 11, left : left + int(rng.integers(2, 10))] = 40
    return np.asarray(np.clip(page + rng.normal(0, 2.5, page.shape), 0, 255).round(), np.uint8)


def streaked(page: Pixels, places: dict[int, float], width: int = 2) -> Pixels:
    """The page with a streak of some depth from each place on, from top to bottom."""
    lines = page.astype(np.float64)
    for place, depth in places.items():
        lines[:, place : place + width] *= 1 - depth
    return np.asarray(lines.round(), np.uint8)


PLACES = {33: 0.1, 111: 0.25, 203: 0.5, 371: 0.7}


def found(page: Pixels) -> list[int]:
    """The first columns that are dark, of the streaks that are found."""
    return [streak.start + 1 for streak in find_streaks(page)]


@pytest.mark.parametrize("across", [False, True])
def test_streaks_are_found_and_removed(across: bool) -> None:
    page = scan()
    dirty = streaked(page, PLACES)
    if across:
        page, dirty = page.swapaxes(0, 1).copy(), dirty.swapaxes(0, 1).copy()
    streaks = find_streaks(dirty)
    assert [streak.start + 1 for streak in streaks] == list(PLACES)
    assert {streak.upright for streak in streaks} == {not across}
    before = np.abs(dirty.astype(int) - page)[page > 180].mean()
    remove_streaks(dirty, streaks)
    apart = np.abs(dirty.astype(int) - page)
    assert apart[page > 180].mean() < 0.1 * before
    assert np.mean((dirty < 120) == (page < 120)) > 0.9995  # letters that they crossed are whole


def test_two_side_by_side_are_two() -> None:
    dirty = streaked(scan(channels=3), {200: 0.3, 203: 0.3})
    streaks = find_streaks(dirty)
    assert sorted({streak.start + 1 for streak in streaks}) == [200, 203] and len(streaks) == 6
    remove_streaks(dirty, streaks)
    assert np.median(dirty[:, 200:205]) > 200  # each was compared with the other too


def test_a_streak_in_one_colour_is_found_there() -> None:
    page = scan(channels=3)
    page[..., 1:2] = streaked(page[..., 1:2], {203: 0.3})
    assert [(streak.start, streak.channel) for streak in find_streaks(page)] == [(202, 1)]


def test_the_lid_beside_a_sheet_is_none() -> None:
    """Its edge is as dark as dust and narrow; dust as near to the side is found."""
    page = scan()
    assert found(streaked(page, {6: 0.3})) == [6]
    rng = np.random.default_rng(1)
    for width in (9, 17, 21, 35):
        lid = 26 + rng.normal(0, 3, (*page.shape[:1], width, 1))
        lid[:, -1], bar = 11, page.copy()
        bar[:, :width], bar[:, width] = lid.clip(0).round(), page[:, width] // 2
        assert find_streaks(bar) == find_streaks(bar[:, ::-1]) == []


@pytest.mark.parametrize("kind", ["uint16", "float32"])
def test_every_type_of_pixels(kind: str) -> None:
    dirty = streaked(scan(), PLACES)
    wide = dirty.astype(np.uint16) * 257 if kind == "uint16" else dirty / np.float32(255)
    assert found(wide) == list(PLACES)
    narrow = dirty.copy()
    remove_streaks(narrow, find_streaks(narrow))
    remove_streaks(wide, find_streaks(wide))
    assert np.abs(wide / (257 if kind == "uint16" else 1 / 255) - narrow).max() <= 1


def test_lines_are_counted_once_whatever_their_channels() -> None:
    page = streaked(scan(channels=3), {33: 0.3, 203: 0.5})
    page[:, 371:373, 2] //= 2
    streaks = find_streaks(page)
    assert len(streaks) == 7 and count_lines(streaks) == 3
    across = find_streaks(page.swapaxes(0, 1))
    assert count_lines([*streaks, *across]) == 6
    assert count_lines([]) == 0


def test_a_page_without_streaks_has_none() -> None:
    assert not find_streaks(scan())
    assert not find_streaks(scan()[:900])  # too short to tell


def test_a_rule_within_margins_is_none() -> None:
    page = scan()
    page[60:-60, 203:205] = 60
    assert not find_streaks(page)


def test_a_rule_askew_by_a_pixel_is_none() -> None:
    left = 203 + np.linspace(0, 1, 1200)[:, None, None]
    columns = np.arange(500)[None, :, None]
    covered = np.clip(np.minimum(columns + 1 - left, left + 2 - columns), 0, 1)
    page = np.asarray((scan() * (1 - 0.4 * covered)).round(), np.uint8)
    assert not find_streaks(page)
    straight = streaked(scan(), {203: 0.4})
    assert found(straight) == [203]


def test_a_rule_drawn_by_a_computer_is_none() -> None:
    """No noise on it, and none on the paper."""
    page = np.where(scan() < 128, 40, 255).astype(np.uint8)
    page[:, 203:205] = 120
    assert not find_streaks(page)


def test_rules_of_a_cut_out_of_a_table_are_none() -> None:
    """Print reaches the ends of the image, so rules may, too."""
    assert not find_streaks(streaked(scan()[95:-105], {203: 0.5}))


@pytest.mark.parametrize("colour", [(0.1, 0.5, 0.5), (0.45, 0.35, 0.25), (0.3, 0.3, 0.0)])
def test_a_coloured_rule_is_none(colour: tuple[float, ...]) -> None:
    """A red margin; a dust streak beside it would be one."""
    page = scan(channels=3)
    for channel, depth in enumerate(colour):
        page[..., channel] = streaked(page[..., channel], {111: depth})
    assert not found(page)
    assert found(streaked(page, {203: 0.3})) == [203] * 3


def test_dust_is_found_on_tinted_paper_in_a_jpeg() -> None:
    page = scan(channels=3) * np.array([1.0, 0.92, 0.75])
    dirty = streaked(np.asarray(page.round(), np.uint8), {33: 0.1, 203: 0.3, 371: 0.6})
    code = cv2.imencode(".jpg", dirty, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    streaks = find_streaks(np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR)))
    assert count_lines(streaks) == 3 and len(streaks) == 9
    assert all(min(abs(s.start + 1 - place) for place in (33, 203, 371)) < 3 for s in streaks)


def test_lines_that_cross_are_rules() -> None:
    """Of an exercise book whose margin is as grey as the rules, whatever its sides are."""
    page = scan(width=980)
    rules = streaked(page.swapaxes(0, 1).copy(), {60 + 50 * k: 0.2 for k in range(20)})
    assert not found(streaked(rules.swapaxes(0, 1).copy(), {111: 0.3}))
    assert found(streaked(page, {111: 0.3})) == [111]


def test_ruled_paper_has_none() -> None:
    places = {column: 0.3 for column in range(40, 460, 40)}
    assert not find_streaks(streaked(scan(), places))


def test_a_share_of_what_was_removed_comes_back() -> None:
    dirty = streaked(scan(), PLACES)
    page = dirty.copy()
    removed = remove_streaks(page, find_streaks(dirty))
    add_streaks(page, removed, 1.0)
    assert np.array_equal(page, dirty)


def test_any_rows_are_read_without_streaks() -> None:
    dirty = streaked(streaked(scan(1200, 1100), PLACES).swapaxes(0, 1), {700: 0.4}).swapaxes(0, 1)
    whole = dirty.copy()
    streaks = find_streaks(dirty)
    remove_streaks(whole, streaks)
    view = WithoutStreaks(dirty, streaks)
    for rows in (slice(0, 50), slice(690, 701), slice(701, 760), slice(1150, None)):
        assert np.array_equal(view[rows], whole[rows])


def test_page_weights_see_no_streaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """At half strength half of a streak is left."""
    page = scan()
    dirty = streaked(page, PLACES)
    monkeypatch.setattr(restore.Denoiser, "_clean_pieces", lambda *_: None)
    denoiser = Denoiser(strong_network(ink=True), device="cpu")
    paper = page[..., 0] > 180
    for strength, left in ((1.0, 0.0), (0.5, 0.5)):
        result = denoiser(dirty, strength)
        for column, depth in PLACES.items():
            lost = 225.0 - np.median(result[:, column, 0][paper[:, column]])
            assert lost == pytest.approx(left * depth * 225, abs=4)


def test_photo_weights_leave_them(monkeypatch: pytest.MonkeyPatch) -> None:
    dirty = streaked(scan(), PLACES)
    monkeypatch.setattr(restore.Denoiser, "_clean_pieces", lambda *_: None)
    assert np.array_equal(Denoiser(strong_network(), device="cpu")(dirty), dirty)


def test_the_gate_wants_none_back() -> None:
    page = scan()
    dirty = streaked(page, PLACES)
    result, kept = protect(dirty, page)
    assert result is page and not kept
    page[:, :250] = 225  # what else is missing comes back, and no streak with it
    result, kept = protect(dirty, page.copy())
    assert kept
    assert np.mean(np.asarray(result, np.uint8)[300:900, 80:240] < 160) > 0.1
    assert result[300:900, 111][scan()[300:900, 111] > 180].mean() > 220


def test_a_white_page_with_streaks_is_not_clean() -> None:
    page = np.where(scan() < 128, 40, 255).astype(np.uint8)
    rng = np.random.default_rng(1)
    dirty = page.astype(np.float64)
    dirty[:, 203:205] = 150 + rng.normal(0, 6, (len(page), 2, 1))
    assert is_clean(page)
    assert not is_clean(dirty.round().astype(np.uint8))


def columns(rules: dict[int, float], width: int = 2, channels: int = 1) -> Pixels:
    """A page in three columns with rules of some depth from each place on, from edge to edge."""
    page = scan(width=760, channels=channels).astype(np.float64)
    for gutter in (240, 480):
        page[:, gutter : gutter + 24] = 225
    page[100:1100, 600:] = 225  # the last column holds little
    page += np.random.default_rng(6).normal(0, 2.5, page.shape)
    return streaked(np.clip(page, 0, 255).round().astype(np.uint8), rules, width)


def test_rules_between_columns_are_no_streaks() -> None:
    """They have text on both sides and touch none; a streak beside them crosses letters."""
    assert not find_streaks(columns({251: 0.5, 491: 0.5}))
    assert found(columns({251: 0.5, 131: 0.5})) == [131]


def test_rules_beside_blank_columns_are_no_streaks() -> None:
    """Where they are black, or there are more like them; a lone grey line there is a streak."""
    assert not find_streaks(columns({690: 0.85}))
    assert not find_streaks(columns({650: 0.5, 690: 0.5}))
    assert found(columns({690: 0.5})) == [690]
    assert found(columns({650: 0.3, 690: 0.5})) == [650, 690]


def test_lines_alike_on_a_blank_page_are_streaks() -> None:
    blank = np.random.default_rng(7).normal(225, 2.5, (1200, 500, 1)).round().astype(np.uint8)
    assert found(streaked(blank, {90: 0.5, 300: 0.5})) == [90, 300]


def test_rules_between_columns_in_coloured_ink_are_no_streaks() -> None:
    """In red nothing is seen of brown ink."""
    page = columns({}, channels=3)
    page[..., 0] = np.maximum(page[..., 0], 200)
    assert not find_streaks(streaked(page, {251: 0.5, 491: 0.5}))
