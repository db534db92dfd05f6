from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from imgclean.denoise import Options, denoise_folder, plan
from imgclean.errors import UsageError
from imgclean.forms import to_form
from imgclean.images import Image, output_format

RESOLUTION, COMPRESSION, BITS, PHOTOMETRIC = 282, 259, 258, 262


def letters(side: int = 300) -> Any:
    """A page in colour: black, red and pale words on white."""
    page = np.full((side, side, 3), 255, np.uint8)
    inks = [(0, 0, 0), (200, 30, 30), (190, 190, 190)]
    for number, ink in enumerate(inks):
        place = (20, 60 + 80 * number)
        cv2.putText(page, "Hello words", place, cv2.FONT_HERSHEY_SIMPLEX, 1.2, ink, 2, cv2.LINE_AA)
    return page


def write(path: Path, *, pages: int = 1, **options: Any) -> Path:
    """A file of 150 dpi by Pillow."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [Pillow.fromarray(np.roll(letters(), 7 * k, 0)) for k in range(pages)]
    if pages > 1:
        options |= {"save_all": True, "append_images": images[1:]}
    images[0].save(path, dpi=(150, 150), **options)
    return path


def run(source: Path, out: Path, mode: str, tiny: str, **options: Any) -> Any:
    """The only outcome; strength 0 so that the pixels are known."""
    chosen = {"model": tiny, "device": "cpu", "strength": 0.0, "progress": False, **options}
    return denoise_folder(source, out, output_mode=mode, **chosen)[0]


def test_bilevel_tiff_without_its_alpha(tmp_path: Path, tiny: str) -> None:
    """A page composed on white does not announce a transparency that it no longer has."""
    Pillow.fromarray(letters()).convert("RGBA").save(tmp_path / "scan.tif")
    run(tmp_path / "scan.tif", tmp_path / "out", "bilevel", tiny)
    with Pillow.open(tmp_path / "out" / "scan.tif") as image:
        assert image.mode == "1" and 338 not in image.tag_v2  # type: ignore[attr-defined]


def test_bilevel_tiff_is_fax(tmp_path: Path, tiny: str) -> None:
    """Every page has one bit a pixel in CCITT G4, its DPI, and ink where ink was."""
    source = write(tmp_path / "scan.tif", pages=2)
    outcome = run(source, tmp_path / "out", "bilevel", tiny)
    assert outcome.status == "done", outcome.error
    with Pillow.open(tmp_path / "out" / "scan.tif") as image:
        assert image.n_frames == 2  # type: ignore[attr-defined]  # of TIFF alone
        for index in range(2):
            image.seek(index)
            tags = image.tag_v2  # type: ignore[attr-defined]  # of TIFF alone
            assert image.mode == "1" and tags[COMPRESSION] == 4 and tags.get(BITS, (1,)) == (1,)
            assert tags[RESOLUTION] == 150 and tags[PHOTOMETRIC] == 0
            black = ~np.asarray(image)
            grey = cv2.cvtColor(np.roll(letters(), 7 * index, 0), cv2.COLOR_RGB2GRAY)
            assert black[grey < 120].all() and black[200:240][grey[200:240] <= 190].all()
            assert not black[grey > 250].any()


@pytest.mark.parametrize(
    ("name", "written"),
    [("a.png", "a.png"), ("a.jpg", "a.png"), ("a.webp", "a.png"), ("a.bmp", "a.bmp")],
)
def test_bilevel_in_other_formats(tmp_path: Path, tiny: str, name: str, written: str) -> None:
    """A format that cannot hold one bit a pixel becomes PNG; the others stay."""
    source = write(tmp_path / name)
    outcome = run(source, tmp_path / "out", "bilevel", tiny)
    assert outcome.status == "done" and outcome.job.target.name == written
    with Pillow.open(tmp_path / "out" / written) as image:
        assert image.mode == "1" and 0.01 < 1 - np.asarray(image).mean() < 0.2
        if name != "a.webp":  # which holds no resolution by itself
            assert [round(value) for value in image.info["dpi"]] == [150, 150]


def test_jpeg_cannot_be_asked_for_one_bit(tmp_path: Path) -> None:
    """--format jpg with --output-mode bilevel is refused, and the cure is named."""
    source = write(tmp_path / "a.png")
    with pytest.raises(UsageError, match="tiff or png"):
        plan([source], tmp_path / "out", Options(format="jpg", output_mode="bilevel"))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_grey_has_one_channel(tmp_path: Path, tiny: str, name: str) -> None:
    """Grey is the luma in one channel, with the DPI and without a colour profile."""
    options: dict[str, Any] = {} if name.endswith("tif") else {"icc_profile": b"colour" * 30}
    source = write(tmp_path / name, **options)
    assert run(source, tmp_path / "out", "grey", tiny).status == "done"
    with Pillow.open(tmp_path / "out" / name) as image, Pillow.open(source) as before:
        assert image.mode == "L" and not image.info.get("icc_profile")
        expected = np.asarray(before.convert("L"), int)
        assert np.abs(np.asarray(image, int) - expected).mean() < 1
        assert [round(value) for value in image.info["dpi"]] == [150, 150]


def test_pnm_names_tell_the_content() -> None:
    """PGM and PBM have their own suffixes; .pnm stands for all."""
    assert output_format("pnm", "keep", ".ppm", mode="grey") == ("pnm", ".pgm")
    assert output_format("pnm", "keep", ".ppm", mode="bilevel") == ("pnm", ".pbm")
    assert output_format("pnm", "keep", ".pnm", mode="bilevel") == ("pnm", ".pnm")
    assert output_format("jpeg", "keep", ".jpg", mode="grey") == ("jpeg", ".jpg")


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_transparency_is_paper(kind: Any) -> None:
    """For one bit a pixel what is transparent counts as white, at any depth; grey keeps alpha."""
    top = 1 if kind is np.float32 else np.iinfo(kind).max
    pixels = np.full((80, 80, 3), 0, kind)
    alpha = np.zeros((80, 80), kind)
    alpha[30:50, 30:50] = top
    page = to_form(Image(pixels, alpha), "bilevel")
    assert page.alpha is None and page.pixels.dtype == np.uint8 and page.info.depth == 1
    assert (page.pixels[30:50, 30:50] == 0).all() and (page.pixels == 0).sum() == 400
    grey = to_form(Image(pixels, alpha), "grey")
    assert grey.alpha is alpha and grey.pixels.shape == (80, 80, 1) and grey.pixels.dtype == kind


def test_large_black_shapes_stay_solid() -> None:
    """Ink is black inside a shape wider than the window that the threshold is taken from."""
    pixels = np.full((600, 600, 1), 255, np.uint8)
    pixels[100:500, 100:500] = 30
    page = to_form(Image(pixels), "bilevel")
    assert np.array_equal(page.pixels == 0, pixels == 30)


def test_strokes_keep_their_width() -> None:
    """The soft edge of a dark stroke is cut half way up, not at its foot."""
    sharp = np.full((400, 400), 255, np.uint8)
    for place in range(20, 380, 24):
        sharp[place : place + 8, 20:380] = 0
    soft = cv2.GaussianBlur(sharp, (0, 0), 1.5)
    found = to_form(Image(soft[..., None]), "bilevel").pixels[..., 0]
    assert np.mean(found != sharp) < 0.01


def test_light_text_stays_beside_dark() -> None:
    """Light strokes are ink too, apart from dark ones and where they touch them."""
    page = np.full((200, 200), 255, np.uint8)
    page[40:44, 20:180] = 0
    page[100:104, 20:180] = 200
    page[44:90, 60:64] = 200  # hangs from the dark line
    found = to_form(Image(page[..., None]), "bilevel").pixels[..., 0]
    assert np.array_equal(found == 0, page < 255)


def pencil(depth: int) -> Any:
    """Words of strokes of two pixels on paper of 250, and how much of the stroke each pixel is."""
    words = np.zeros((240, 700), np.uint8)
    for line, text in enumerate(("in a pencil's grey", "and so it goes on", "until the end")):
        place = (20, 60 + 70 * line)
        cv2.putText(words, text, place, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.4, 255, 2, cv2.LINE_AA)
    return (250 - words.astype(np.float64) * depth / 255).round(), words


@pytest.mark.parametrize("depth", [40, 60, 90])
def test_pale_writing_is_whole(depth: int) -> None:
    """What is a sixth darker than the paper, which Sauvola's threshold drops or tears."""
    page, words = pencil(depth)
    found = to_form(Image(page.astype(np.uint8)[..., None]), "bilevel").pixels[..., 0] == 0
    assert found[words > 200].mean() > 0.98
    assert not found[words == 0].any()


@pytest.mark.parametrize("depth", [95, 110])
def test_dots_and_accents_beside_pale_letters_are_ink(depth: int) -> None:
    """Less than half as deep as the letter, and two pixels above it; what lies between is paper."""
    ink = np.zeros((60, 300))
    for left in range(20, 280, 20):
        ink[20:40, left : left + 2] = 1
        ink[16, left : left + 2] = 0.45
        ink[17, left : left + 2] = 0.35
    page = np.rint(250 - depth * cv2.GaussianBlur(ink, (3, 3), 0.4)).astype(np.uint8)
    found = to_form(Image(page[..., None]), "bilevel").pixels[..., 0] == 0
    assert (found[16:18] & (ink[16:18] > 0)).any(axis=0).sum() == (ink[16] > 0).sum()
    assert found[ink == 1].all()
    assert not found[18:20].any() and not found[:15].any()


@pytest.mark.parametrize(("level", "high"), [(205, 20), (190, 30), (215, 16)])
def test_fills_are_no_pale_writing(level: int, high: int) -> None:
    """Every second row of a table in a tint, and its text, black on it."""
    page = np.full((300, 400), 255, np.uint8)
    for top in range(20, 280, 2 * high):
        page[top : top + high, 10:390] = level
    text = page.copy()
    for top in range(20, 280, 2 * high):
        cv2.putText(text, "120.50  total", (40, top + high - 4), 0, 0.45, 0, 1, cv2.LINE_AA)
    found = to_form(Image(text[..., None]), "bilevel").pixels[..., 0] == 0
    assert found[text < 60].all()
    assert found[text > 180].mean() < 0.08


@pytest.mark.parametrize("grain", [0.0, 1.2])
def test_noise_is_no_pale_writing(grain: float) -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 1, (400, 500))
    noise = cv2.GaussianBlur(noise, (0, 0), grain) if grain else noise
    page = np.clip(230 + noise * 9 / noise.std(), 0, 255).round().astype(np.uint8)
    assert np.mean(to_form(Image(page[..., None]), "bilevel").pixels == 0) < 1e-4


def test_shadows_are_paper() -> None:
    """Half of the page in shadow, darker than the threshold of the whole: its paper is paper."""
    page = np.full((300, 300), 250, np.uint8)
    page[:, 150:] = 110
    page[100:104, 20:280] = page[100:104, 20:280] // 4
    found = to_form(Image(page[..., None]), "bilevel").pixels[..., 0]
    for part in (slice(20, 120), slice(180, 280)):  # the edge of so hard a shadow is a line
        assert (found[100:104, part] == 0).all()
        assert (found[:90, part] == 255).all() and (found[114:, part] == 255).all()


@pytest.mark.parametrize("level", [70, 100, 130, 160])
def test_fills_are_black_or_white(level: int) -> None:
    """A bar wider than the window is black to its middle, and white words on it stay."""
    page = np.full((600, 800), 250, np.uint8)
    page[80:200, 60:740] = level
    page[300:420, 60:300] = level
    page[540:544, 60:740] = 0
    cv2.putText(page, "Section One", (100, 160), 0, 1.6, 250, 5)
    found = to_form(Image(page[..., None]), "bilevel").pixels[..., 0] == 0
    assert found[page == level].all()
    assert not found[page == 250].any()


@pytest.mark.parametrize("height", [511, 512, 513, 514, 515, 516, 1025])
def test_fills_of_any_height(height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where strips end matters neither to a bar nor to whether there is a result."""
    page = np.full((height, 799), 250, np.uint8)
    page[400:502, 60:740] = 110
    cv2.putText(page, "Section One", (100, 480), 0, 1.6, 250, 5)
    found = to_form(Image(page[..., None]), "bilevel").pixels
    assert (found[page == 110] == 0).all() and (found[page == 250] == 255).all()
    monkeypatch.setattr("imgclean.forms._STRIP", 100)
    assert np.array_equal(to_form(Image(page[..., None]), "bilevel").pixels, found)


def test_black_words_on_a_fill() -> None:
    """A dark bar is white, to its rim, where words on it are darker still."""
    page = np.full((600, 800), 250, np.uint8)
    page[80:200, 60:740] = 120
    page[300:420, 60:740] = 40  # so that the threshold of the page is over the bar's level
    cv2.putText(page, "Section One", (100, 160), 0, 1.6, 20, 5)
    found = to_form(Image(page[..., None]), "bilevel").pixels[..., 0] == 0
    assert found[page <= 40].all()
    assert not found[page >= 120].any()


def test_tinted_rows_leave_no_specks() -> None:
    """Every fourth row of a table, with grain, its short end before the first letter too."""
    page = np.full((900, 800), 255, np.uint8)
    rows = range(60, 840, 48)
    for index, top in enumerate(rows):
        page[top : top + 48, 60:740] = (255, 221, 255, 195)[index % 4]
    grain = np.random.default_rng(0).normal(0, 3, page.shape) * (page < 255)
    page = np.clip(np.rint(page + grain), 0, 255).astype(np.uint8)
    for top in rows:
        cv2.putText(page, "Thomas lamps 199", (76, top + 34), 0, 0.9, 20, 2, cv2.LINE_AA)
    found = to_form(Image(page[..., None]), "bilevel").pixels[..., 0] == 0
    sizes = cv2.connectedComponentsWithStats(found.view(np.uint8))[2][1:, cv2.CC_STAT_AREA]
    assert len(sizes) > 200 and (sizes < 8).sum() <= 4


def test_shadow_at_the_edge_is_paper() -> None:
    """A shadow that falls in from the side is no fill, however crisp and blank."""
    page = np.full((600, 800), 250, np.uint8)
    page[:, 500:] = 110
    page[300:304, 40:300] = 0
    found = to_form(Image(page[..., None]), "bilevel").pixels[..., 0]
    assert (found[:, 560:] == 255).all()


@pytest.mark.parametrize(("ground", "ink"), [(66, 170), (90, 240), (120, 200)])
def test_negatives_stay_dark(ground: int, ink: int) -> None:
    """A blueprint: light strokes on a ground too light to be ink for sure, in uneven light."""
    light = np.linspace(0.85, 1.1, 800) * np.linspace(1.1, 0.9, 600)[:, None]
    page = np.full((600, 800), ground, np.uint8)
    for line in range(8):
        cv2.putText(page, "Reading room of the library", (40, 80 + 60 * line), 0, 1.2, ink, 2)
    strokes = page == ink
    grain = np.random.default_rng(0).normal(0, 4, page.shape)
    pixels = np.clip(page * light + grain, 0, 255).round().astype(np.uint8)
    found = to_form(Image(pixels[..., None]), "bilevel").pixels[..., 0]
    assert (found[strokes] == 255).mean() > 0.98
    assert (found[page == ground] == 0).mean() > 0.98


def test_forms_go_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    """However the page is cut for the threshold, the result is the same."""
    page = letters()
    page[20:280, 250:252] = 215  # pale, across strips, and darker in one of them
    page[60:70, 250:252] = 190
    image = Image(page)
    whole = to_form(image, "bilevel").pixels
    monkeypatch.setattr("imgclean.forms._STRIP", 40)
    assert np.array_equal(to_form(image, "bilevel").pixels, whole)


def test_one_pixel() -> None:
    """The smallest image has every form."""
    for pixel in (0, 255):
        image = Image(np.full((1, 1, 3), pixel, np.uint8))
        assert to_form(image, "grey").pixels.item() == pixel
        assert to_form(image, "bilevel").pixels.shape == (1, 1, 1)
    assert to_form(image, "keep") is image


def test_another_form_is_another_output(tmp_path: Path, tiny: str) -> None:
    """The form is part of what a finished output is known by."""
    source = write(tmp_path / "a.png")
    modes = ("keep", "grey", "grey", "bilevel")
    outcomes = [run(source, tmp_path / "out", mode, tiny, compare=True) for mode in modes]
    assert [o.status for o in outcomes] == ["done", "done", "skipped", "done"]
