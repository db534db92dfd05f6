import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import jiwer
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from imgclean import baselines, texts
from imgclean.cases import ArrayPicture, Case, Request, find_cases, levels
from imgclean.errors import DependencyError, ImageError, InputError, UsageError
from imgclean.evaluate import Options, Run
from imgclean.images import Reader
from imgclean.ledger import LEDGER, Ledger
from imgclean.methods import Classical, Method, choose_methods
from imgclean.pixels import unit
from imgclean.residuals import structure
from imgclean.scenes import render_scene
from imgclean.scores import NOISY, STRUCTURE_LIMIT, Score
from imgclean.summary import interval, means, project, suspicious

from .conftest import Make

Pixels = NDArray[Any]


def folder_of_pairs(tmp_path: Path, make: Make, count: int = 3) -> Path:
    """`noisy/` and `clean/` with so many pairs of 60 x 50 pixels."""
    for k in range(count):
        make(tmp_path / "noisy" / f"{k}.png", 60, 50, seed=k)
        make(tmp_path / "clean" / f"{k}.png", 60, 50, seed=k + 100)
    return tmp_path


def scored(
    cases: Sequence[Case], *names: str, folder: Path | None = None, pictures: bool = False
) -> tuple[list[Score], Run]:
    """Scores of these baselines, and the run that made them."""
    run = Run(cases, [Classical(name) for name in names], Options(pictures=pictures), folder)
    return list(run), run


def test_constant_offset() -> None:
    """An offset of a tenth of the range is 20 dB, and RMSE 0.1."""
    offset = ArrayPicture(np.full((40, 40, 3), 153, np.uint8))
    case = Case("a", 0, noisy=offset, clean=ArrayPicture(np.full((40, 40, 3), 127, np.uint8)))
    scores, _ = scored([case], "median")
    assert scores[0].figures["psnr"] == pytest.approx(20 * np.log10(255 / 26), abs=0.01)
    assert scores[0].figures["rmse"] == pytest.approx(26 / 255, abs=1e-3)
    assert scores[1].figures["gain"] == 0  # a flat image has nothing for a median to change


def test_equal_images_stay_finite() -> None:
    """Equal images count as 100 dB, so that a mean over them exists."""
    picture = ArrayPicture(render_scene(np.random.default_rng(0), 64, 64))
    scores, _ = scored([Case("a", 0, noisy=picture, clean=picture)], "median")
    assert scores[0].figures["psnr"] == 100
    assert scores[1].figures["gain"] == scores[1].figures["psnr"] - 100 < 0


@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_is_scikit_images(channels: int) -> None:
    """SSIM of a run is scikit-image's of the 8-bit images with the paper's settings."""
    scene = render_scene(np.random.default_rng(0), 70, 64)[..., :channels]
    case = Case("a", 0, "gaussian:25", clean=ArrayPicture(np.ascontiguousarray(scene)))
    noisy = np.clip(np.rint(case.open()[0] * 255), 0, 255).astype(np.uint8)
    expected = structural_similarity(
        scene, noisy, data_range=255, channel_axis=2, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False,
    )  # fmt: skip
    assert scored([case], "median")[0][0].figures["ssim"] == pytest.approx(expected, abs=1e-6)


def test_error_rates_are_jiwers() -> None:
    """CER and WER are those of jiwer on texts whose white space is one space, in per cent."""
    true, read = "The quick\nbrown  fox", " The quack brown\n\nfax jumps\f"
    one, other = "The quick brown fox", "The quack brown fax jumps"
    assert texts.error_rates(true=true, read=read) == (
        100 * jiwer.cer(one, other), 100 * jiwer.wer(one, other),
    )  # fmt: skip
    assert texts.error_rates(true=true, read="") == (100, 100)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("gaussian:25", ["gaussian:25"]),
        ("gaussian:15,25,50", ["gaussian:15", "gaussian:25", "gaussian:50"]),
        ("blur:1+gaussian:5-10,25", ["blur:1+gaussian:5-10", "blur:1+gaussian:25"]),
        ("gaussian:sigma=0.5,mean=0.5", ["gaussian:sigma=0.5,mean=0.5"]),
        ("gaussian:15,photo", ["gaussian:15", "photo"]),
        ("gaussian:15,15.0,25,15", ["gaussian:15", "gaussian:25"]),
    ],
)
def test_levels(text: str, parts: list[str]) -> None:
    """A list of numbers is that of the last term; keywords belong to theirs; none counts twice."""
    assert levels(text) == parts


def test_levels_of_named_values() -> None:
    """A bare number after a named one is no level in other units."""
    with pytest.raises(UsageError, match=r"0\.2 has no name"):
        levels("gaussian:sigma=0.1,0.2")


def test_labels_of_other_images(tmp_path: Path) -> None:
    """Digits and labels that do not belong together are an error that names the file."""
    for name, magic, shape in (("images-idx3", 3, (4, 28, 28)), ("labels-idx1", 1, (6,))):
        sizes = b"".join(n.to_bytes(4, "big") for n in shape)
        data = bytes((0, 0, 8, magic)) + sizes + bytes(int(np.prod(shape)))
        for part in ("train", "t10k"):
            (tmp_path / f"{part}-{name}-ubyte").write_bytes(data)
    with pytest.raises(InputError, match="4 images, but 6 labels"):
        find_cases(Request(clean=f"mnist:{tmp_path}"))


def test_twins_may_differ_in_suffix(tmp_path: Path, make: Make) -> None:
    """A clean file of another suffix is a twin where neither has a rival."""
    make(tmp_path / "noisy/a.png")
    make(tmp_path / "clean/a.bmp")
    for name in ("noisy/b.png", "clean/b.bmp", "clean/b.tif"):
        make(tmp_path / name)
    for name in ("noisy/c.png", "noisy/c.bmp", "clean/c.tif"):
        make(tmp_path / name)
    request = Request(noisy=str(tmp_path / "noisy"), clean=str(tmp_path / "clean"))
    problems = {case.image: case.problem for case in find_cases(request)}
    assert not problems.pop("a.png")
    assert set(problems) == {"b.png", "b.bmp", "b.tif", "c.png", "c.bmp", "c.tif"}
    assert all(problems.values())


def test_wrong_level() -> None:
    """What is no noise is pointed at."""
    with pytest.raises(UsageError, match="frost"):
        levels("gaussian:15,frost")


def test_noise_is_drawn_by_number(tmp_path: Path, make: Make) -> None:
    """Each image has its own noise, the same in every run, float and not clipped."""
    for name in "ab":
        make(tmp_path / f"{name}.png", seed=5)
    first, second = (
        find_cases(Request(clean=str(tmp_path), noise="gaussian:25,50")) for _ in range(2)
    )
    assert [(case.image, case.level) for case in first] == [
        ("a.png", "gaussian:25"), ("a.png", "gaussian:50"),
        ("b.png", "gaussian:25"), ("b.png", "gaussian:50"),
    ]  # fmt: skip
    noisy = [case.open()[0] for case in first]
    assert noisy[0].dtype == np.float32 and noisy[1].min() < 0 and noisy[1].max() > 1
    assert np.array_equal(noisy[0], second[0].open()[0])
    assert not np.array_equal(noisy[0], noisy[2])


def test_pairs_match_by_name(tmp_path: Path, make: Make) -> None:
    """Twins have the same relative name, or one that differs in the suffix alone."""
    make(tmp_path / "noisy" / "sub" / "a.jpg")
    make(tmp_path / "clean" / "sub" / "a.png")
    make(tmp_path / "noisy" / "b.png")
    make(tmp_path / "clean" / "c.png")
    cases = {case.image: case for case in find_cases(Request(tmp_path))}
    assert not cases["sub/a.jpg"].problem and cases["sub/a.jpg"].clean
    assert "no twin" in cases["b.png"].problem and "no twin" in cases["c.png"].problem


def test_damage_is_reported_and_left_out(tmp_path: Path, make: Make) -> None:
    """A damaged file, a missing twin and another size fail alone, outside the means."""
    folder = folder_of_pairs(tmp_path, make)
    (folder / "noisy" / "1.png").write_bytes((folder / "noisy" / "1.png").read_bytes()[:200])
    make(folder / "noisy" / "small.png", 20, 20)
    make(folder / "clean" / "small.png", 20, 21)
    make(folder / "noisy" / "lonely.png")
    scores, _ = scored(find_cases(Request(folder)), "median")
    errors = {score.image: score.error for score in scores if score.error}
    assert set(errors) == {"1.png", "small.png", "lonely.png"}
    assert "20 x 20" in errors["small.png"] and "20 x 21" in errors["small.png"]
    assert {mean.count for mean in means(scores) if mean.figure == "psnr"} == {2}


def test_scores_stream() -> None:
    """No image is read before it is its turn, and none is kept."""
    opened: list[int] = []

    class Counted:
        def __init__(self, number: int) -> None:
            self.number = number

        def read(self) -> Pixels:
            opened.append(self.number)
            return np.zeros((16, 16, 1), np.uint8)

        def digest(self) -> str:
            return str(self.number)

    cases = [Case(str(k), k, noisy=Counted(k)) for k in range(1000)]
    scores: Iterator[Score] = iter(Run(cases, [Classical("median")], Options()))
    for _ in range(4):
        next(scores)
    assert opened == [0, 1]


def test_finished_images_are_not_computed_again(tmp_path: Path, make: Make) -> None:
    """After an interruption only what is missing is computed; other content or options count."""
    folder = folder_of_pairs(tmp_path / "set", make)
    cases, out = find_cases(Request(folder)), tmp_path / "out"
    first = Run(cases, [Classical("median")], Options(), out)
    scores = iter(first)
    kept = [next(scores) for _ in range(3)]
    scores.close()  # type: ignore[attr-defined]  # the generator of an interrupted run
    again, run = scored(cases, "median", folder=out)
    assert again[:3] == kept and run.computed == 2 + 1 - 1
    assert scored(cases, "median", folder=out)[1].computed == 0
    make(folder / "noisy" / "0.png", 60, 50, seed=9)
    assert scored(cases, "median", folder=out)[1].computed == 2
    assert scored(cases, "median", "nlm", folder=out)[1].computed == 3


def test_a_run_is_iterated_once(tmp_path: Path, make: Make) -> None:
    """Its list of scores is closed then: a second time would end in Python's own error."""
    cases = find_cases(Request(folder_of_pairs(tmp_path / "set", make)))
    run = Run(cases, [Classical("median")], Options(), tmp_path / "out")
    assert list(run)
    with pytest.raises(UsageError, match="has run; make another"):
        next(iter(run))


def test_torn_ledger(tmp_path: Path, make: Make) -> None:
    """A line that a crash cut in two claims nothing, and nothing after it is lost."""
    cases = find_cases(Request(folder_of_pairs(tmp_path / "set", make)))
    scores, _ = scored(cases, "median", folder=tmp_path / "out")
    ledger = tmp_path / "out" / LEDGER
    ledger.write_bytes(ledger.read_bytes()[:-20])
    again, run = scored(cases, "median", folder=tmp_path / "out")
    assert run.computed == 1 and [s.image for s in again] == [s.image for s in scores]
    assert scored(cases, "median", folder=tmp_path / "out")[1].computed == 0


def test_pictures_are_made_when_missing(tmp_path: Path, make: Make) -> None:
    """Pictures hold what was scored; a score whose picture is gone is computed again."""
    cases = find_cases(Request(folder_of_pairs(tmp_path / "set", make, 1)))
    out = tmp_path / "out"
    scores, _ = scored(cases, "median", folder=out, pictures=True)
    assert set(scores[0].pictures) == {"noisy", "clean"}
    assert set(scores[1].pictures) == {"noisy", "clean", "denoised"}
    with Reader(out / scores[0].pictures["noisy"]) as kept:
        assert np.array_equal(kept.page(0).pixels, cases[0].open()[0])
    (out / scores[1].pictures["denoised"]).unlink()
    assert scored(cases, "median", folder=out, pictures=True)[1].computed == 1


def test_channels_may_differ(tmp_path: Path) -> None:
    """A grey scan of a colour page is compared in colour, and the other way round."""
    scene = render_scene(np.random.default_rng(0), 64, 64)
    grey = np.repeat(np.uint8(scene.mean(axis=2, keepdims=True)), 3, axis=2)
    one, three = ArrayPicture(grey[..., :1].copy()), ArrayPicture(grey)
    for noisy, clean in ((one, three), (three, one)):
        scores, _ = scored([Case("a", 0, noisy=noisy, clean=clean)], "median")
        assert scores[0].figures["psnr"] == 100


@pytest.mark.parametrize("name", sorted(baselines.BASELINES))
@pytest.mark.parametrize("channels", [1, 3])
def test_baselines_keep_shape(name: str, channels: int) -> None:
    """Every baseline gives a finite image of the shape that it took, of floats not clipped."""
    if name == "bm3d":
        pytest.importorskip("bm3d")
    rng = np.random.default_rng(0)
    image = rng.normal(0.5, 0.4, (48, 40, channels)).astype(np.float32)
    result = baselines.BASELINES[name].clean(image, 0.1)
    assert result.shape == image.shape and result.dtype == np.float32
    assert np.isfinite(result).all()


@pytest.mark.parametrize("name", ["nlm", "median", "bilateral"])
def test_baselines_remove_noise(name: str) -> None:
    """Each brings a noisy scene nearer to its clean version, without being told the noise."""
    clean = render_scene(np.random.default_rng(3), 128, 128)
    case = Case("a", 0, "gaussian:25", clean=ArrayPicture(clean))
    assert scored([case], name)[0][1].figures["gain"] > 2


def test_background_is_divided_out() -> None:
    """A page under a shadow comes out on white paper with black ink."""
    page = np.full((200, 200, 1), 0.6, np.float32) * np.linspace(0.7, 1, 200)[:, None, None]
    page[40:160:12, 30:170] = 0.05
    cleaned = baselines.median_background(np.asarray(page, np.float32), 0)
    assert cleaned[5].min() > 0.95 and cleaned[40, 100, 0] < 0.15


def test_structure_tells_edges_from_noise() -> None:
    """Removed noise is not flagged, correlated or not; what a blur takes with it is."""
    clean = unit(render_scene(np.random.default_rng(1), 256, 256))
    rng = np.random.default_rng(2)
    white = rng.normal(0, 0.1, clean.shape).astype(np.float32)
    wide = 2 * cv2.GaussianBlur(white, (0, 0), 1)
    for noise in (white, wide):
        value = structure(noisy=clean + noise, denoised=clean)
        assert value is not None and abs(value) < STRUCTURE_LIMIT
    noisy = clean + white
    soft = np.asarray(cv2.GaussianBlur(noisy, (0, 0), 1.5), np.float32)
    value = structure(noisy=noisy, denoised=soft)
    assert value is not None and value > STRUCTURE_LIMIT
    assert structure(noisy=clean, denoised=clean) is None


def test_interval_covers_the_mean() -> None:
    """The interval lies around the mean as wide as theory says, the same in every run."""
    values = np.random.default_rng(0).normal(30, 2, 400).tolist()
    low, high = interval(values)
    assert low < np.mean(values) < high
    assert high - low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)
    assert interval(values) == (low, high) and interval([3.0]) == (3, 3)


def test_means_count_the_worse() -> None:
    """Images with a worse figure than their input are counted, whichever way is better."""
    scores = [
        Score("a", "", NOISY, 1, 1, {"psnr": 20, "cer": 5}),
        Score("a", "", "m", 1, 1, {"psnr": 25, "cer": 9}),
        Score("b", "", NOISY, 1, 1, {"psnr": 20}),
        Score("b", "", "m", 1, 1, {"psnr": 15}),
        Score("c", "", NOISY, 0, 0, {}, error="c: damaged"),
    ]
    found = {(mean.method, mean.figure): mean for mean in means(scores)}
    assert found["m", "psnr"].worse == found["m", "cer"].worse == 1
    assert (found["m", "psnr"].mean, found["m", "psnr"].count) == (20, 2)
    assert found[NOISY, "psnr"].worse is None


def test_the_odd_one_out_is_suspicious() -> None:
    """One image far from the others is found, by its robust z-score; few images say nothing."""
    scores = [Score(str(k), "", "m", 1, 1, {"removed": 0.1 + 0.001 * k}) for k in range(9)]
    scores.append(Score("odd", "", "m", 1, 1, {"removed": 0.5}))
    (found,) = suspicious(scores)
    values = np.array([score.figures["removed"] for score in scores])
    spread = np.median(np.abs(values - np.median(values)))
    assert found.image == "odd"
    assert found.z == pytest.approx(0.6745 * (0.5 - np.median(values)) / spread)
    assert not suspicious(scores[-5:])


@pytest.mark.parametrize(("figure", "odd"), [("rmse", 0.001), ("structure", -0.2)])
def test_what_is_better_than_the_set_is_not_suspicious(figure: str, odd: float) -> None:
    """Nor is what is far above a set that is all alike, yet hardly anything."""
    usual = [{figure: 0.1 + 0.001 * k} for k in range(9)]
    scores = [Score(str(k), "", "m", 1, 1, {"rmse": 0.1, **one}) for k, one in enumerate(usual)]
    assert not suspicious([*scores, Score("odd", "", "m", 1, 1, {"rmse": 0.1, figure: odd})])
    flat = [Score(str(k), "", "m", 1, 1, {"structure": 0.0001 * k}) for k in range(9)]
    odd_ones = [Score(str(v), "", "m", 1, 1, {"structure": v}) for v in (0.02, 0.04)]
    assert [one.value for one in suspicious([*flat, *odd_ones])] == [0.04]


def test_codes_are_projected() -> None:
    """Codes on a line keep their order; the nearest come first and never the image itself."""
    codes = {name: [3.0 * k, 4.0 * k, 0.0] for k, name in enumerate("abcdefg")}
    found = project("m", codes, dict.fromkeys("abc", "1") | dict.fromkeys("defg", "2"))
    assert found is not None and found.explained == pytest.approx(1)
    along = np.array(found.points)[:, 0]
    assert np.allclose(np.abs(np.diff(along)), 5)
    assert found.nearest["a"] == list("bcdef") and found.labels == list("1112222")
    assert project("m", {"a": [1.0]}, {}) is None


def test_codes_come_from_the_run_and_its_ledger(tmp_path: Path) -> None:
    """An autoencoder's codes are collected at the first level, and again from finished scores."""
    import torch

    from imgclean.models import MODELS
    from imgclean.weights import save

    torch.manual_seed(0)
    network: Any = MODELS["dense-ae"](channels=1, height=28, width=28, latent_dim=4)
    path = tmp_path / "dense.safetensors"
    save(path, architecture="dense-ae", config=network.config, state=network.state_dict(), card={})
    rng = np.random.default_rng(0)
    digits = [rng.integers(0, 256, (28, 28, 1), np.uint8) for _ in range(4)]
    cases = [
        Case(str(k), k, level, clean=ArrayPicture(digit))
        for k, digit in enumerate(digits)
        for level in ("gaussian:5", "gaussian:50")
    ]
    methods: list[Method] = choose_methods([str(path)], "", device="cpu")
    runs = []
    for _ in range(2):
        runs.append(Run(cases, methods, Options(), tmp_path / "out"))
        assert sum(not score.error for score in runs[-1]) == 16
    assert runs[1].computed == 0
    assert runs[0].codes == runs[1].codes
    assert {len(code) for code in runs[0].codes["dense"].values()} == {4}
    assert len(runs[0].codes["dense"]) == 4


def test_a_method_fails_alone(tmp_path: Path, make: Make) -> None:
    """An image that one method cannot take has its error, and the others go on."""

    class Fussy(Classical):
        def __call__(self, noisy: Pixels) -> Pixels:
            raise ImageError("holds NaN; replace it")

    cases = find_cases(Request(folder_of_pairs(tmp_path, make, 1)))
    scores = list(Run(cases, [Fussy("median"), Classical("nlm")], Options()))
    assert [bool(score.error) for score in scores] == [False, True, False]
    assert scores[1].error == "0.png: holds NaN; replace it"


def test_texts_belong_to_pages(tmp_path: Path, make: Make) -> None:
    """A text has its image's name; form feeds part the pages; a set without any is refused."""
    make(tmp_path / "noisy" / "a.png")
    (tmp_path / "text").mkdir()
    request = Request(noisy=str(tmp_path / "noisy"), text=tmp_path / "text")
    with pytest.raises(InputError, match="no text"):
        find_cases(request)
    (tmp_path / "text" / "a.txt").write_text("one\ftwo", encoding="utf-8-sig")  # as Notepad's
    (case,) = find_cases(request)
    assert case.true_text() == "one" and replace(case, page=1).true_text() == "two"
    with pytest.raises(ImageError, match="no page 3"):
        replace(case, page=2).true_text()


@pytest.mark.parametrize(
    "request_",
    [
        Request(clean="x"),
        Request(noisy="x", noise="gaussian:5"),
        Request(noise="gaussian:5"),
        Request(Path(), noisy="x"),
        Request(clean="mnist", noisy="x"),
    ],
)
def test_contradictions_are_refused(request_: Request) -> None:
    """Options that do not go together are refused before anything is read."""
    with pytest.raises(UsageError):
        find_cases(request_)


def test_weights_of_the_same_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    from imgclean.models import MODELS
    from imgclean.weights import save

    network: Any = MODELS["dense-ae"](channels=1, height=28, width=28, latent_dim=4)
    paths = [
        tmp_path / run / kind / "weights.safetensors"
        for run in ("a", "b")
        for kind in ("dense-1", "dense-2")
    ]
    paths += [tmp_path / "a" / "photo.safetensors", tmp_path / "plain.safetensors"]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        state = network.state_dict()
        save(path, architecture="dense-ae", config=network.config, state=state, card={})
    methods = choose_methods([*map(str, paths), "photo"], "", device="cpu")
    names = [method.name for method in methods]
    wanted = ["a/dense-1", "a/dense-2", "b/dense-1", "b/dense-2", "a/photo", "plain", "photo"]
    assert names == wanted
    alone = choose_methods([str(paths[0]), str(paths[1])], "", device="cpu")
    assert [method.name for method in alone] == ["dense-1", "dense-2"]
    here = [str(paths[-1]), os.path.relpath(paths[-1])]
    with pytest.raises(UsageError, match="two methods have this name"):
        choose_methods(here, "", device="cpu")


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without bm3d or Tesseract the message says how to install them."""
    monkeypatch.setattr(baselines, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match=r"imgclean\[bm3d\]"):
        baselines.choose_baselines("nlm,bm3d")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DependencyError, match="apt-get install tesseract-ocr"):
        texts.check_tesseract()


def test_one_result_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Tesseract fails on what one method made, the others keep their scores."""
    noisy = np.random.default_rng(0).integers(0, 256, (40, 40, 1), np.uint8)

    def reads(pixels: np.ndarray, language: str) -> str:
        if not np.array_equal(pixels, noisy):
            raise ImageError("Tesseract failed")
        return "word"

    monkeypatch.setattr(texts, "read_text", reads)
    (tmp_path / "a.txt").write_text("word")
    case = Case("a", 0, noisy=ArrayPicture(noisy), text=tmp_path / "a.txt")
    run = Run([case], [Classical("median")], Options(ocr="tesseract"), None)
    before, after = list(run)
    assert not before.error and before.figures["cer"] == 0
    assert after.method == "median" and "Tesseract failed" in after.error


def test_ledger_is_json_lines(tmp_path: Path, make: Make) -> None:
    """Every finished score is one line of JSON that names its key."""
    cases = find_cases(Request(folder_of_pairs(tmp_path / "set", make, 2)))
    scores, _ = scored(cases, "median", folder=tmp_path / "out")
    lines = (tmp_path / "out" / LEDGER).read_text().splitlines()
    assert len(lines) == len(scores) == len({json.loads(line)["key"] for line in lines})


def test_an_output_folder_takes_one_run_at_a_time(tmp_path: Path) -> None:
    """A second evaluation into the same folder is refused while the first one runs."""
    first = Ledger(tmp_path / "out")
    with pytest.raises(UsageError, match="another imgclean is writing"):
        Ledger(tmp_path / "out")
    first.close()
    Ledger(tmp_path / "out").close()


def test_pages_are_scored_upright(tmp_path: Path) -> None:
    """A twin kept sideways with an EXIF orientation equals one that is kept upright."""
    from PIL import Image as Picture

    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    for folder, kept, orientation in (("noisy", np.rot90(pixels), 6), ("clean", pixels, 1)):
        (tmp_path / folder).mkdir()
        exif = Picture.Exif()
        exif[0x112] = orientation
        Picture.fromarray(np.ascontiguousarray(kept)).save(tmp_path / folder / "a.png", exif=exif)
    (case,) = find_cases(Request(tmp_path))
    noisy, clean = case.open()
    assert np.array_equal(noisy, pixels) and clean is not None and np.array_equal(clean, pixels)


@pytest.mark.skipif(not shutil.which("tesseract"), reason="needs Tesseract")
def test_a_missing_language_is_named() -> None:
    """A language that Tesseract has no data for is named, with how to install it."""
    with pytest.raises(DependencyError, match="no data for tlh; .* tesseract-ocr-tlh"):
        texts.check_tesseract("eng+tlh")
