from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from fit_choose_network import PageNetwork, augmented, folded
from numpy.typing import NDArray

from imgclean.choose import THRESHOLD, choose, score
from imgclean.closer_looks import (
    coloured_share,
    deepened,
    from_afar,
    sheet_alone,
    turned,
    without_note,
)
from imgclean.page_measures import MEASURES, Seen, measure
from imgclean.page_network import page_logit

Pixels = NDArray[np.uint8]
PHOTO = next((Path(__file__).parents[1] / "sample_data" / "clean" / "photos").iterdir())


def page(height: int = 900, width: int = 700, paper: int = 240) -> Pixels:
    """Lines of text on even paper, H x W x 1."""
    image = np.full((height, width), paper, np.uint8)
    words = "the quick brown fox jumps over a lazy dog and sphinx of black quartz judge my vow "
    for index, y in enumerate(range(60, height - 40, 28)):
        text = words[index % 30 :] + words
        cv2.putText(image[:, 50:-50], text, (0, y), 0, 0.6, 30, 1, cv2.LINE_AA)
    return image[..., None]


def scene(height: int = 480, width: int = 640, seed: int = 1) -> Pixels:
    """Colours in several octaves, as in a photo, H x W x 3."""
    rng = np.random.default_rng(seed)
    image = np.zeros((height, width, 3))
    for cells in (3, 6, 12, 25, 50, 100):
        coarse = rng.normal(0, 1 / cells**0.8, (cells, cells, 3))
        image += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    image -= image.min()
    return np.asarray(255 * image / image.max(), np.uint8)


def noisy(image: Pixels, sigma: float) -> Pixels:
    """With Gaussian noise of sigma in 8-bit units."""
    noise = np.random.default_rng(2).normal(0, sigma, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("colour", "blank"),
    [
        ((240, 236, 215), True),  # cream
        ((228, 228, 228), True),
        ((226, 227, 229), True),  # by a scanner that is a little cold
        ((140, 179, 234), False),  # a sky
        ((225, 230, 240), False),  # snow
        ((250, 235, 120), False),
    ],
)
def test_paper_is_not_blue(colour: tuple[int, int, int], blank: bool) -> None:
    rng = np.random.default_rng(0)
    sheet = np.ones((900, 700, 1)) * colour + rng.normal(0, 3, (900, 700, 3))
    assert choose(np.clip(sheet, 0, 255).astype(np.uint8)).blank == blank


@pytest.mark.parametrize("title", [False, True])
def test_a_scanners_lid_and_a_gutter_make_no_picture(title: bool) -> None:
    """Sheets are scanned with some of what is beside them; one without a title may be blank."""
    rng = np.random.default_rng(0)
    plain = np.full((1170, 830, 1), 214, np.uint8)
    if title:
        cv2.putText(plain, "Register 1887", (250, 500), 0, 1.2, 60, 2, cv2.LINE_AA)
    sheet = plain.astype(float)
    sheet *= 1 - 0.45 * np.exp(-np.arange(830) / 20)[:, None]
    sheet[:, -6:] = sheet[:4] = 30
    sheet = (sheet + rng.normal(0, 3, sheet.shape)) * (1, 0.97, 0.88)
    found = choose(np.clip(sheet, 0, 255).astype(np.uint8))
    assert found.name == "scan" or (found.blank and not title)


@pytest.mark.parametrize(
    ("share", "sure", "name"), [(0.35, 0.9, "scan"), (0.9, 0.9, "photo"), (0.9, 0.96, "scan")]
)
def test_tints_all_over_are_no_paper(
    monkeypatch: pytest.MonkeyPatch, share: float, sure: float, name: str
) -> None:
    """A sheet with a few tinted fields is a page; a map of nothing else would lose them all.

    Two lamps beside a page make colours too, so what is surely one stays one.
    """
    monkeypatch.setattr("imgclean.choose.score", lambda _: sure)
    tints = [(246, 214, 214), (214, 232, 200), (205, 222, 240), (250, 236, 180), (226, 210, 236)]
    sheet = np.full((1200, 900, 3), 250, np.uint8)
    fields = [(y, x) for y in range(60, 1140, 120) for x in range(60, 840, 130)]
    for index, (y, x) in enumerate(fields[: round(share * len(fields))]):
        sheet[y : y + 118, x : x + 128] = tints[index % 5]
    written = np.minimum(sheet, page(1200, 900, 255))
    assert choose(noisy(written, 3)).name == name
    found = coloured_share(measure(noisy(written, 3)).whole)
    assert (found > 0.55) == (share == 0.9)


def test_a_table_has_no_part_in_the_tints_of_its_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgclean.choose.score", lambda _: 0.9)
    desk = np.full((1000, 1000, 3), (170, 110, 60), np.uint8)
    desk[:, 500:] = (70, 120, 170)
    desk[190:810, 180:820] = page(620, 640)
    assert coloured_share(measure(desk).whole) > 0.55 and choose(desk).name == "scan"


def test_faded_prints_are_not_blank() -> None:
    """However little contrast there is left, it is everywhere."""
    photo = np.asarray(cv2.imread(str(PHOTO)))
    for contrast in (0.4, 0.3, 0.2):
        faded = (225 + contrast * (photo.astype(float) - photo.mean())).clip(0, 255)
        assert not choose(faded.astype(np.uint8)).blank


@pytest.mark.parametrize(
    ("paper", "sigma"), [(190, 3), (190, 10), (190, 20), (255, 0), (255, 10), (255, 20)]
)
def test_page(paper: int, sigma: float) -> None:
    """Text on paper is a scan, noisy or not."""
    found = choose(noisy(page(paper=paper), sigma))
    assert found.name == "scan"
    assert found.score >= THRESHOLD
    assert "ink on paper" in found.reason


def test_blank_is_said() -> None:
    """Nothing on it: no telling, so a photo, and said to be blank."""
    for sheet, blank in ((np.full((900, 700, 1), 240, np.uint8), True), (scene(), False)):
        found = choose(noisy(sheet, 4))
        assert found.name == "photo" and found.blank == blank
    assert not choose(page()).blank


def test_page_uneven() -> None:
    """Uneven light and a tint of the paper do not hide a page."""
    light = np.linspace(0.6, 1, 700)[None, :, None] * np.array([1, 0.95, 0.85])
    assert choose(np.asarray(page() * light, np.uint8)).name == "scan"


def test_page_border() -> None:
    """A page on a dark scanner bed is still a page."""
    bed = cv2.copyMakeBorder(page(), 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=(20,))
    assert choose(np.asarray(bed, np.uint8)).name == "scan"


@pytest.mark.parametrize("scale", [2, 3])
def test_page_resolution(scale: int) -> None:
    """A page is recognised at a higher resolution too."""
    large = cv2.resize(page(), None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    assert choose(np.asarray(large, np.uint8)).name == "scan"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sigma", [0, 25, 50])
def test_scene(seed: int, sigma: float) -> None:
    """A scene is a photo, noisy or not, in colour or grey."""
    image = noisy(scene(seed=seed), sigma)
    assert choose(image).name == "photo"
    assert choose(image[..., :1]).name == "photo"


@pytest.mark.parametrize("gain", [0.2, 2, 4])
def test_scene_exposure(gain: float) -> None:
    """A dark or an overexposed scene stays a photo."""
    assert choose(np.clip(scene() * gain, 0, 255).astype(np.uint8)).name == "photo"


def test_object_on_white() -> None:
    """A product on a white ground is a photo."""
    image = np.full((600, 600, 3), 252, np.uint8)
    image[200:420, 150:460] = scene(220, 310)
    assert choose(noisy(image, 5)).name == "photo"


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("sigma", [0, 20])
def test_blank(value: int, sigma: float) -> None:
    """An image with nothing on it is a photo, which is harmless."""
    assert choose(noisy(np.full((400, 300, 3), value, np.uint8), sigma)).name == "photo"


def test_black_and_white() -> None:
    """Dots of a picture are print: weights for photos would smooth them away."""
    dots = np.where(scene() > np.random.default_rng(0).integers(0, 256, scene().shape), 255, 0)
    plane = dots[..., :1].astype(np.uint8)
    assert choose(plane).name == choose(plane.astype(np.uint16) * 257).name == "scan"
    assert choose(plane / np.float32(255)).name == "scan"
    plane[5, 5] = 128
    assert choose(plane).name == "photo"


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (1, 5000, 3), (31, 400, 3), (32, 32, 1), (33, 6000, 3), (6000, 40, 1)]
)
def test_sizes(shape: tuple[int, int, int]) -> None:
    """Every size gets an answer, and noise alone is a photo."""
    noise = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    found = choose(noise)
    assert found.name == "photo"
    assert 0 <= found.score <= 1


def test_types() -> None:
    """The answer does not depend on the type of the pixels or on a channel axis."""
    image = page()
    score = choose(image).score
    assert choose(image[..., 0]).score == score
    assert choose(image.astype(np.uint16) * np.uint16(257)).score == pytest.approx(score, abs=0.02)
    assert choose(image / np.float32(255)).score == pytest.approx(score, abs=0.02)
    assert choose(np.repeat(image, 3, axis=2)).score == pytest.approx(score, abs=0.02)


def test_not_a_number() -> None:
    """Values that are no numbers count as black instead of spoiling the score."""
    image = scene() / np.float32(255)
    image[:20] = np.nan
    assert choose(image).name == "photo"


def test_measures() -> None:
    """Each measure has a name and is a number."""
    values = measure(scene()).measures
    assert values.shape == (len(MEASURES),)
    assert np.isfinite(values).all()


def test_input_kept() -> None:
    """The pixels are only looked at."""
    image = page()
    before = image.copy()
    choose(image)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("shape", [(32, 32, 1), (33, 6000, 3), (900, 700, 1), (900, 700)])
def test_views(shape: tuple[int, ...]) -> None:
    """What the network sees has one size, and is the image: a black left half stays one."""
    image = np.full(shape, 250, np.uint8)
    image[:, : shape[1] // 2] = 5
    seen = measure(image)
    assert seen.whole.shape == (240, 240, 3)
    assert seen.crops.shape == (4, 128, 128)
    assert seen.whole[:, :110].max() < 0.1 and seen.whole[:, 130:].min() > 0.9
    assert seen.crops.min() >= 0 and seen.crops.max() <= 1


def test_both_count() -> None:
    """The measures of a page with the look of a scene are less sure than the page, and converse."""
    sheet, other = measure(page()), measure(scene())
    mixed = Seen(sheet.measures, other.whole, other.crops)
    converse = Seen(other.measures, sheet.whole, sheet.crops)
    for between in (mixed, converse):
        assert score(other) < score(between) < score(sheet)


def test_crops_in_any_order() -> None:
    """The order of the crops does not matter."""
    seen = measure(page())
    turned = Seen(seen.measures, seen.whole, np.ascontiguousarray(seen.crops[::-1]))
    assert score(turned) == pytest.approx(score(seen), abs=1e-4)


def test_norms_fold() -> None:
    """Normalisations that have seen something fold into the convolutions."""
    torch.manual_seed(0)
    network = PageNetwork(norms=True)
    whole, crops = torch.rand(4, 3, 96, 96), torch.rand(4, 2, 64, 64)
    for _ in range(3):
        network(whole**2, crops)
    network.eval()
    with torch.inference_mode():
        expected, found = network(whole, crops), folded(network)(whole, crops)
    assert expected.std() > 0
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_what_is_trained_is_what_ships() -> None:
    """The network in numpy is the one in PyTorch."""
    torch.manual_seed(0)
    network, seen = PageNetwork().eval(), measure(page())
    whole = torch.from_numpy(seen.whole).movedim(2, 0)[None]
    with torch.inference_mode():
        expected = float(network(whole, torch.from_numpy(seen.crops)[None]))
    net = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    assert page_logit(seen, net) == pytest.approx(expected, abs=1e-4)


def test_augmented() -> None:
    """Batches for training change from draw to draw, and stay images."""
    rng = np.random.default_rng(0)
    whole = torch.from_numpy(rng.integers(0, 256, (3, 240, 240, 3), np.uint8))
    crops = torch.from_numpy(rng.integers(0, 256, (3, 4, 128, 128), np.uint8))
    torch.manual_seed(0)
    (first, parts), (second, _) = augmented(whole, crops), augmented(whole, crops)
    assert first.shape == (3, 3, 224, 224) and parts.shape == (3, 4, 112, 112)
    assert not torch.equal(first, second)
    assert all(batch.min() >= 0 and batch.max() <= 1 for batch in (first, parts))


def on_table(sheet: Pixels, share: float, turn: float = 4.0) -> Pixels:
    """A sheet that fills a share of the picture, on a dark table."""
    height, width = sheet.shape[:2]
    frame = (round(width / share**0.5), round(height / share**0.5))
    ground = cv2.resize(scene(seed=7), frame) // 5
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 0.97)
    matrix[:, 2] += [(frame[0] - width) / 2, (frame[1] - height) / 2]
    lying = cv2.warpAffine(np.repeat(sheet, 3 // sheet.shape[2], axis=2), matrix, frame)
    mask = cv2.warpAffine(np.full((height, width), 255, np.uint8), matrix, frame)
    return np.asarray(np.where(mask[..., None] > 127, lying, ground), np.uint8)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.75])
@pytest.mark.parametrize("turn", [-8.0, 3.0])
def test_a_sheet_on_a_table_is_a_page(share: float, turn: float) -> None:
    """It is cut out upright, and decides; where a picture lies there it is a photo."""
    image = on_table(page(), share, turn)
    sheet = sheet_alone(image)
    assert sheet is not None
    assert sheet.shape[0] / sheet.shape[1] == pytest.approx(900 / 700, rel=0.05)
    rows, columns = (np.s_[round(0.02 * n) : round(0.98 * n)] for n in sheet.shape[:2])
    back = cv2.resize(sheet[rows, columns, 0], (700, 900), interpolation=cv2.INTER_AREA)
    ink = [cv2.blur(255 - plane, (9, 9))[90:-90, 70:-70] for plane in (back, page()[..., 0])]
    assert np.corrcoef(ink[0].ravel(), ink[1].ravel())[0, 1] > 0.4  # the same lines, upright
    found = choose(noisy(image, 5))
    assert found.name == "scan" and found.score >= THRESHOLD
    if score(measure(noisy(image, 5))) < THRESHOLD:
        assert found.reason.startswith("a sheet of paper in the picture: ")
    assert choose(on_table(scene(900, 700), share, turn)).name == "photo"


def test_sheets_too_small_or_as_large_as_the_picture_are_none() -> None:
    """A page held into a photo does not make it one, and a page alone needs no other look."""
    assert sheet_alone(on_table(page(), 0.15)) is None
    assert sheet_alone(page()) is None
    assert sheet_alone(np.full((64, 64, 3), 200, np.uint8)) is None


def test_pale_ink_is_deepened() -> None:
    """As deep as print, paper as it was; print itself stays."""
    pale = np.asarray(240 - (240 - page().astype(np.float32)) * 0.15, np.uint8)
    deep = deepened(pale)
    assert deep is not None and deep.shape == pale.shape
    ink = page() < 60
    assert pale[ink].mean() > 200 and deep[ink].mean() < 160
    assert abs(float(np.median(deep)) - 240) <= 3
    bold = cv2.erode(page(), np.ones((7, 7), np.uint8))[..., None]
    assert deepened(np.asarray(bold, np.uint8)) is None


@pytest.mark.parametrize("kind", ["uint16", "float32"])
def test_closer_looks_take_all_types(kind: str) -> None:
    """What they show is the same in 8 bits, of 16 bits and of floats, also with NaN."""
    image = on_table(page(), 0.5)
    pale = np.asarray(255 - (255 - image) // 4, np.uint8)
    for look, shown in ((sheet_alone, image), (deepened, pale)):
        same = shown * np.uint16(257) if kind == "uint16" else shown / np.float32(255)
        first, second = look(shown), look(same)
        assert first is not None and second is not None
        assert np.abs(first.astype(int) - second).max() <= 2
    assert sheet_alone(np.full((64, 64, 1), np.nan, np.float32)) is None


@pytest.mark.parametrize("shape", [(40, 70), (40, 70, 1), (40, 70, 3)])
def test_turned(shape: tuple[int, ...]) -> None:
    """By a quarter of a turn: what was at the right is at the top."""
    image = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    assert np.array_equal(turned(image)[0], image[:, -1])
    assert choose(page()).name == choose(turned(page())).name == "scan"


def test_from_afar() -> None:
    """At half the size, unless nothing would be left to see."""
    for shown in (page(), page()[..., 0], np.repeat(page(), 3, 2)):
        small = from_afar(shown)
        assert small is not None and small.ndim == 3
        assert small.shape[:2] == tuple(-(-side // 2) for side in shown.shape[:2])
    assert from_afar(page()[:255]) is None


def test_closer_looks_are_small() -> None:
    """Of a large image at most four megapixels are looked at."""
    large = cv2.resize(on_table(page(), 0.5), (4000, 5000))
    sheet = sheet_alone(large)
    assert sheet is not None and 1e6 < sheet.shape[0] * sheet.shape[1] <= 4e6


@pytest.mark.parametrize(
    ("look", "first", "reason"),
    [
        ("sheet_alone", 0.25, "a sheet of paper in the picture: "),
        ("sheet_alone", 0.1, "not clearly a page: "),  # nobody looks again
        ("deepened", 0.6, "pale ink on paper, here darker: "),
        ("deepened", 0.4, "not clearly a page: "),
        ("without_note", 0.6, "ink on paper, without the note on it: "),
        ("without_note", 0.4, "not clearly a page: "),
        ("from_afar", 0.35, "ink on paper, from twice as far: "),
        ("from_afar", 0.25, "not clearly a page: "),
        ("turned", 0.3, "ink on paper, from its side: "),
        ("turned", 0.1, "not clearly a page: "),
    ],
)
def test_closer_looks_decide(
    look: str, first: float, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the first look sees no page they are asked, and what is told is of what they show."""
    shown = scene()
    scores = iter([first, 0.91])
    monkeypatch.setattr("imgclean.choose.score", lambda _: next(scores))
    monkeypatch.setattr("imgclean.choose.sheet_alone", lambda _: None)
    monkeypatch.setattr("imgclean.choose.deepened", lambda _: None)
    monkeypatch.setattr("imgclean.choose.without_note", lambda _: None)
    monkeypatch.setattr("imgclean.choose.from_afar", lambda _: None)
    monkeypatch.setattr("imgclean.choose.turned", lambda _: None)
    monkeypatch.setattr(f"imgclean.choose.{look}", lambda _: page())
    found = choose(shown)
    assert found.reason.startswith(reason)
    assert (found.name == "scan") == (reason[:3] != "not")
    paper = measure(page() if found.name == "scan" else shown).measures[MEASURES.index("paper")]
    assert f" {100 * paper:.0f} % background" in found.reason


@pytest.mark.parametrize("shape", [(36, 5000, 1), (6000, 33, 3), (32, 32, 3)])
def test_closer_looks_take_strips(shape: tuple[int, ...]) -> None:
    """As a scan of a ruler is: thumbnails that are a few pixels high."""
    pale = np.full(shape, 230, np.uint8)
    pale[::3, ::5] = 215
    for look in (sheet_alone, deepened, without_note):
        result = look(pale)
        assert result is None or min(result.shape[:2]) >= 32


@pytest.mark.parametrize("colour", [(247, 227, 100), (250, 140, 190), (140, 242, 190)])
def test_a_note_on_a_page_gets_the_colour_of_its_paper(colour: tuple[int, int, int]) -> None:
    """With what is written on it; its page is one again."""
    sheet = np.repeat(page(paper=236), 3, axis=2).astype(np.float32)
    rng = np.random.default_rng(3)
    sheet += rng.normal(0, 2, sheet.shape)
    noted = sheet.copy()
    noted[420:720, 300:600] *= np.array(colour, np.float32) / 255
    shown, bare = (np.clip(np.rint(image), 0, 255).astype(np.uint8) for image in (noted, sheet))
    plain = without_note(shown)
    assert plain is not None and plain.shape == shown.shape
    assert np.abs(plain[440:700, 320:580].astype(int) - bare[440:700, 320:580]).mean() < 5
    assert np.abs(plain[:400].astype(int) - bare[:400]).max() <= 1
    assert choose(shown).name == "scan"


def test_what_is_no_note_stays() -> None:
    """A page without one, one in grey, a note of many colours, one over half of the page."""
    sheet = np.repeat(page(), 3, axis=2)
    assert without_note(sheet) is None and without_note(page()) is None
    assert without_note(scene()) is None
    picture, large = sheet.copy(), sheet.copy()
    picture[420:720, 300:600] = scene(300, 300)
    large[200:800, :600] = np.minimum(large[200:800, :600], (247, 227, 100))
    assert without_note(picture) is None and without_note(large) is None


@pytest.mark.parametrize("tint", [(1, 0.96, 0.73), (0.8, 1, 1)])
def test_pale_ink_on_tinted_paper(tint: tuple[float, ...]) -> None:
    """Paper keeps its colour, and ink becomes dark in all of them."""
    pale = np.asarray((240 - (240 - page().astype(np.float32)) * 0.15) * tint, np.uint8)
    deep = deepened(pale)
    assert deep is not None
    assert np.abs(np.median(deep, axis=(0, 1)) - np.median(pale, axis=(0, 1))).max() <= 4
    assert deep[(page() < 60)[..., 0]].mean() < 0.75 * pale[(page() < 60)[..., 0]].mean()


@pytest.mark.parametrize(
    ("name", "depth", "how"),
    [
        ("folds.png", 0.2, "ink on paper"),
        ("phone.jpg", 0.2, "ink on paper"),
        ("phone.jpg", 0.1, "pale ink on paper"),
    ],
)
def test_print_of_a_fifth_or_a_tenth_of_its_depth_makes_a_page(
    name: str, depth: float, how: str
) -> None:
    """At once, or where its score is under a half and the convolutional network sees a page."""
    path = Path(__file__).parents[1] / "sample_data" / "clean" / "scans" / name
    page = np.asarray(cv2.imread(str(path)), np.float64)
    noise = np.random.default_rng(0).normal(0, 5, page.shape)
    faint = np.clip(np.rint((255 - (255 - page) * depth) * 238 / 255 + noise), 0, 255)
    choice = choose(faint.astype(np.uint8))
    assert choice.name == "scan" and choice.reason.startswith(how)
