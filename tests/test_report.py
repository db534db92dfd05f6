import base64
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from imgclean.errors import OutputError
from imgclean.report import write_html
from imgclean.report_contents import survey, text
from imgclean.report_pictures import embed
from imgclean.report_plots import by_image, by_level
from imgclean.report_words import summarise
from imgclean.scores import NOISY, Codes, Evaluation, Mean, Score, Suspicion

from .evaluations import CREATED, keep, photos

LEVEL = "gaussian:25"


def one(image: str, method: str, psnr: float, level: str = LEVEL, **figures: float) -> Score:
    return Score(image, level, method, 40, 30, {"psnr": psnr, **figures})


def evaluation(*scores: Score) -> Evaluation:
    """With the mean PSNR of every method at every level."""
    pairs = dict.fromkeys((s.level, s.method) for s in scores if not s.error)
    means = []
    for level, method in pairs:
        of = [s.figures["psnr"] for s in scores if (s.level, s.method) == (level, method)]
        mean = sum(of) / len(of)
        means.append(Mean(level, method, "psnr", mean, mean - 1, mean + 1, len(of), 0))
    return Evaluation("imgclean eval", CREATED, scores, means)


def three() -> list[Score]:
    """Three images, of which `good` makes two better and one worse, and `bad` all worse."""
    rows = [("a", 20.0, 19.0, 28.0), ("b", 22.0, 12.0, 21.0), ("c", 21.0, 20.0, 33.0)]
    return [
        one(image, method, value)
        for image, *values in rows
        for method, value in zip((NOISY, "bad", "good"), values, strict=True)
    ]


def embedded(page: str, name: str) -> object:
    """JSON that a page holds for its script."""
    found = re.search(f'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)
    assert found, name
    return json.loads(found[1])


def test_order() -> None:
    """The method with the best mean leads, and its worst image comes first."""
    found = survey(evaluation(*three()))
    assert (found.leader, found.best, found.key) == ("good", "good", "psnr")
    assert [group.image for group in found.groups] == ["b", "a", "c"]
    assert found.changes("good") == {"better": 2, "worse": 1}
    assert found.changes("bad") == {"worse": 3}


def test_words() -> None:
    """The summary says which method is best, by how much, and what it made worse."""
    words = summarise(survey(evaluation(*three())))
    assert words.headline == "good cleans best: 6.3\N{NO-BREAK SPACE}dB better than the input"
    assert "mean PSNR of 27.33 dB (95 % interval 26.33 to 28.33)" in words.lead[0]
    assert "against 21.00 dB for the noisy input" in words.lead[0]
    assert "2 of 3 got better, 1 worse: b, gaussian:25." in words.lead[0]


def test_words_all_worse() -> None:
    """Where every method does harm, the headline says so."""
    found = survey(evaluation(*(score for score in three() if score.method != "good")))
    assert summarise(found).headline == "Nothing beats the noisy input"
    assert (found.best, found.leader) == (NOISY, "bad")


def test_words_without_truth() -> None:
    """Without clean images the report ranks by estimated noise, and warns of that."""
    scores = [
        Score(image, "", method, 9, 9, {key: value, "mp_s": 1})
        for image, before, after in [("a", 12.0, 2.0), ("b", 10.0, 3.0)]
        for method, key, value in [
            (NOISY, "sigma_before", before),
            ("photo", "sigma_after", after),
        ]
    ]
    means = [
        Mean("", NOISY, "sigma_before", 11, 10, 12, 2, None),
        Mean("", "photo", "sigma_after", 2.5, 2, 3, 2, None),
    ]
    found = survey(Evaluation("imgclean eval", CREATED, scores, means))
    assert (found.key, found.judged, found.changes("photo")) == ("sigma_after", False, {})
    assert [group.image for group in found.groups] == ["b", "a"]
    words = summarise(found)
    assert words.headline == "photo takes the noise from 11.00 to 2.50"
    assert "11.00 in the input, 2.50 after photo" in words.lead[0]
    assert "look at what was removed" in words.lead[1]
    for removed, told in ((0.05, False), (0.2, True)):  # 12.8 and 51 beside a noise of 11
        more = [*means, Mean("", "photo", "removed", removed, 0, 1, 2, None)]
        lead = " ".join(summarise(survey(Evaluation("", CREATED, scores, more))).lead)
        assert ("photo changed the images by 51.0" in lead) == told


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("psnr", 31.288, "31.29 dB"),
        ("psnr", -0.004, "0.00 dB"),
        ("psnr", -1.5, "−1.50 dB"),
        ("psnr", math.inf, "∞ dB"),
        ("psnr", math.nan, "–"),
        ("psnr", None, "–"),
        ("unheard_of", 2.0, "2.000"),
    ],
)
def test_text(key: str, value: float | None, shown: str) -> None:
    """Figures have their decimals and unit, and a true minus; what is unknown is a dash."""
    assert text(key, value, unit=True) == shown


def test_best_marked(tmp_path: Path) -> None:
    """The best of a column is marked for the eye and for the ear, and only that one."""
    page = write_html(evaluation(*three()), tmp_path).read_text(encoding="utf-8")
    assert page.count('<span class="best">') == 1
    assert '<span class="best">27.33</span><span class="hidden"> (best)</span>' in page
    assert "26.33 to 28.33" in page


def test_one_image_has_no_interval(tmp_path: Path) -> None:
    """One of no width would look like certainty: none in the table, the words and the plot."""
    scores = [one("a", NOISY, 20.0), one("a", "good", 30.0)]
    means = [Mean(LEVEL, s.method, "psnr", v := s.figures["psnr"], v, v, 1, 0) for s in scores]
    given = Evaluation("imgclean eval", CREATED, scores, means)
    page = write_html(given, tmp_path).read_text(encoding="utf-8")
    assert "30.00" in page and "30.00 to 30.00" not in page
    chart = by_level(survey(given))
    assert chart and all(point.low is None for row in chart.series for point in row.points)


def test_plots() -> None:
    """Plots hold every finite value within their frame, and leave infinite ones out."""
    scores = [*three(), one("d", "good", math.inf), one("d", NOISY, 40.0)]
    means = [Mean(level, "good", "psnr", 30, 29, 31, 3, 0) for level in (LEVEL, "gaussian:50")]
    scores.append(one("a", "good", 9, "gaussian:50"))
    found = survey(Evaluation("imgclean eval", CREATED, scores, means))
    (first, second), by = by_image(found), by_level(found)
    assert by is not None
    assert [len(series.points) for series in first.series] == [4, 3, 3]
    assert [name for _, name in by.x_ticks] == [LEVEL, "gaussian:50"]
    left, top, right, bottom = first.frame
    for chart in (first, second, by):
        for point in (point for series in chart.series for point in series.points):
            assert left <= point.x <= right
            assert top <= point.y <= bottom


def test_hostile_names(tmp_path: Path) -> None:
    """Names of files and methods are text, whatever they hold, and cannot end the page's script."""
    name = "</script><script>alert(1)</script>\"'😀\udcff\x1b[31m.png"
    method = "<img src=x onerror=alert(2)>"
    scores = [
        one(name, NOISY, 20.0),
        one(name, method, 25.0),
        replace(one(name, "x", 1), error=name),
    ]
    codes = Codes(method, [name, "b"], [(0, 0), (1, 1)], [name, "b"], {name: ["b"]}, 0.5)
    hostile = replace(
        evaluation(*scores),
        command=name,
        suspicious=[Suspicion(name, LEVEL, method, "psnr", 1, 9)],
        cards={method: {"summary": name, "bad_at": [name]}},
        histories={method: [{"epoch": "1", "loss": "0.1"}]},
        codes=[codes],
    )
    page = write_html(hostile, tmp_path).read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "\x1b" not in page
    assert "😀\\udcff\\x1b[31m.png" in page
    assert page.count("</script>") == 2  # the data and the script itself


@pytest.mark.parametrize("role", ["clean", "denoised", "noisy"])
def test_codes_show_what_images_are(tmp_path: Path, role: str) -> None:
    """Images near by code are shown clean, else denoised, else noisy; kinds need labels."""
    roles = ["clean", "denoised", "noisy"]
    levels = {each: 60 * k for k, each in enumerate(roles)}
    for each, level in levels.items():
        cv2.imwrite(str(tmp_path / f"{each}.png"), np.full((8, 8), level, np.uint8))
    pictures = {each: f"{each}.png" for each in roles[roles.index(role) :]}
    shared = {each: file for each, file in pictures.items() if each != "denoised"}
    scores = [
        replace(one(image, method, 20), pictures=pictures if method == "m" else shared)
        for image in "ab"
        for method in (NOISY, "m")
    ]
    codes = Codes("m", ["a", "b"], [(0, 0), (1, 1)], [], {"a": ["b"], "b": ["a"]}, 0.5)
    given = replace(evaluation(*scores), codes=[codes])
    page = write_html(given, tmp_path).read_text(encoding="utf-8")
    assert "The first images, outlined, and the nearest to each:" in page
    data = embedded(page, "data")
    assert isinstance(data, dict)
    uri = data["codes"][0]["thumbs"][0]
    raw = np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
    shown = cv2.imdecode(raw, cv2.IMREAD_GRAYSCALE)
    assert shown is not None and abs(float(shown.mean()) - levels[role]) < 4
    labelled = replace(given, codes=[replace(codes, labels=["0", "1"])])
    assert "An image of every kind, outlined" in write_html(labelled, tmp_path).read_text("utf-8")


def test_infinite_figures(tmp_path: Path) -> None:
    """Infinite and missing figures are legal JSON and come last in the list."""
    scores = [one("a", NOISY, math.inf), one("a", "m", math.inf), one("b", "m", math.nan)]
    page = write_html(Evaluation("imgclean eval", CREATED, scores, []), tmp_path).read_text("utf-8")
    data = embedded(page, "data")
    assert isinstance(data, dict)
    assert [group["values"][1] for group in data["groups"]] == [1e9, None]


def test_nothing_scored(tmp_path: Path) -> None:
    """An evaluation of which everything failed still has its report, with the reasons."""
    failed = Score("torn.png", "", "photo", 0, 0, {}, error="cut short; copy it again")
    page = write_html(Evaluation("imgclean eval", CREATED, [failed], []), tmp_path).read_text(
        "utf-8"
    )
    assert "<h1>No image could be scored</h1>" in page
    assert "cut short; copy it again" in page


def test_links(tmp_path: Path) -> None:
    """On request the report links to the original pictures, with their names quoted."""
    pixels = np.full((30, 40, 3), 90, np.uint8)
    score = replace(one("a", NOISY, 20), pictures={"noisy": keep(tmp_path, "a #1?.png", pixels)})
    for wanted in (False, True):
        path = write_html(evaluation(score), tmp_path, full_pictures=wanted)
        shown = embedded(path.read_text(encoding="utf-8"), "pictures-0")
        assert isinstance(shown, dict)
        assert shown["layers"][0]["link"] == ("pictures/a%20%231%3F.png" if wanted else "")


def test_unwritable(tmp_path: Path) -> None:
    """A folder that cannot hold the report is the user's error, and leaves nothing behind."""
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError, match="report.html: .*; choose another folder"):
        write_html(evaluation(*three()), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_missing_pictures(tmp_path: Path) -> None:
    """Pictures that are gone or damaged are left out; the figures stay."""
    (tmp_path / "torn.png").write_bytes(b"\x89PNG torn")
    score = replace(one("a", NOISY, 20), pictures={"noisy": "gone.png", "clean": "torn.png"})
    page = write_html(evaluation(score), tmp_path).read_text(encoding="utf-8")
    assert "pictures-0" not in page
    assert "20.00 dB" in page


def test_detail_at_the_largest_error(tmp_path: Path) -> None:
    """Where the whole is scaled down, the crop holds the place of the largest error."""
    clean = np.random.default_rng(0).integers(0, 256, (1200, 1600, 3), np.uint8)
    denoised = clean.copy()
    denoised[900:930, 1300:1330] ^= 128
    pictures = {
        "noisy": keep(tmp_path, "n.png", clean),
        "clean": keep(tmp_path, "c.png", clean),
        "denoised": keep(tmp_path, "d.png", denoised),
    }
    group = survey(evaluation(replace(one("a", "m", 30), pictures=pictures))).groups
    ((_, shown),) = embed(group, tmp_path, limit=300_000, first="m")
    left, top, width, height = shown.box
    assert shown.scale < 1
    assert left <= 1300 and left + width >= 1330
    assert top <= 900 and top + height >= 930
    texts = [(x.whole, x.detail, x.removed, x.removed_detail) for x in shown.layers]
    assert all(whole and detail for whole, detail, _, _ in texts)
    assert sum(len(one) for four in texts for one in four) < 300_000


def test_residual_is_of_the_originals(tmp_path: Path) -> None:
    """What was removed is shown around grey, by the factor that is stated."""
    noisy = np.full((40, 50, 3), 120, np.uint8)
    denoised = noisy - np.uint8(2)
    pictures = {
        "noisy": keep(tmp_path, "n.png", noisy),
        "denoised": keep(tmp_path, "d.png", denoised),
    }
    group = survey(evaluation(replace(one("a", "m", 30), pictures=pictures))).groups
    ((_, shown),) = embed(group, tmp_path, limit=1_000_000, first="m")
    layer = shown.layers[1]
    data = np.frombuffer(base64.b64decode(layer.removed.split(",")[1]), np.uint8)
    removed = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert layer.factor == 32
    assert removed is not None
    assert np.all(np.abs(removed.astype(int) - (127.5 + 32 * 2)) <= 1)


def test_each_image_before_each_level(tmp_path: Path) -> None:
    """Where not all pictures fit, every image has some before one has several noise levels."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    pictures = {"noisy": keep(tmp_path, "n.png", noise)}
    scores = [
        replace(one(image, "m", value, level), pictures=pictures)
        for image, level, value in [("a", "x", 1), ("a", "y", 2), ("a", "z", 3), ("b", "x", 9)]
    ]
    groups = survey(evaluation(*scores)).groups
    shown = [group for group, _ in embed(groups, tmp_path, limit=32_000, first="m")]
    assert 2 <= len(shown) < 4
    assert [group.image for group in shown][:2] == ["a", "b"]


def test_accessible_markup(tmp_path: Path) -> None:
    """Table heads have scopes, plots names, headings no gaps; identifiers are unique."""
    page = write_html(photos(tmp_path), tmp_path).read_text(encoding="utf-8")
    body = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    assert not re.findall(r"<th(?![^>]*scope=)[ >]", body)
    assert not re.findall(r"<img(?![^>]*alt=)[^>]*>", body)
    assert body.count("<svg viewBox") == body.count('role="img" aria-labelledby=')
    ids = re.findall(r' id="([^"]+)"', body)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'for="([^"]+)"', body)) <= set(ids)
    levels = [int(level) for level in re.findall(r"<h([1-6])", body)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


@pytest.mark.slow
def test_two_hundred_images(tmp_path: Path) -> None:
    """200 images of a megapixel of pure noise, which compresses worst, take less than 20 MB."""
    rng = np.random.default_rng(0)
    files = [
        keep(tmp_path, f"{k}.png", rng.integers(0, 256, (1000, 1000, 3), np.uint8))
        for k in range(4)
    ]
    scores = []
    for k in range(200):
        for n, method in enumerate((NOISY, "photo", "nlm")):
            pictures = {"noisy": files[k % 4], "clean": files[(k + 1) % 4]}
            if n:
                pictures["denoised"] = files[(k + 1 + n) % 4]
            value = 20.0 + n + k / 100
            scores.append(replace(one(f"{k:03d}.png", method, value), pictures=pictures))
    path = write_html(evaluation(*scores), tmp_path)
    page = path.read_text(encoding="utf-8")
    assert 5_000_000 < path.stat().st_size < 20_000_000
    assert page.count('id="pictures-') == 200
    last = embedded(page, "pictures-199")
    assert isinstance(last, dict)
    assert all(layer["whole"] and layer["detail"] for layer in last["layers"])
