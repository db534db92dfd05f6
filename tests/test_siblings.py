"""Blank images go with the other images of their folder."""

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgclean import auto
from imgclean import denoise as module
from imgclean.choose import Choice
from imgclean.denoise import Options, Run, denoise_folder, plan
from imgclean.progress import Screen
from imgclean.siblings import Siblings, Turns, Vote

from . import test_choose

HERE = Path("here")
PHOTO = sorted((Path(__file__).parents[1] / "sample_data/clean/photos").iterdir())[0]


def noted(pages: int, photos: int = 0, unsure: int = 0) -> Siblings:
    """So many pages of 700 x 900 pixels in a folder, and so many photos and unsure images."""
    siblings = Siblings()
    votes: dict[Vote, int] = {"scan": pages, "photo": photos, "unsure": unsure}
    for vote, count in votes.items():
        for _ in range(count):
            siblings.note(HERE, 700, 900, vote)
    return siblings


@pytest.mark.parametrize(
    ("pages", "photos", "size", "told"),
    [
        (5, 0, (700, 900), "scan"),
        (5, 0, (900, 700), "scan"),  # lies on its side
        (5, 0, (760, 840), "scan"),
        (5, 0, (700, 1200), None),
        (4, 0, (700, 900), None),
        (8, 2, (700, 900), "scan"),
        (7, 2, (700, 900), None),
        (2, 8, (700, 900), "photo"),
        (2, 7, (700, 900), None),
        (0, 5, (900, 700), "photo"),
        (0, 5, (700, 1200), None),
    ],
)
def test_pages_of_the_same_size_tell(
    pages: int, photos: int, size: tuple[int, int], told: str | None
) -> None:
    siblings = noted(pages, photos)
    assert siblings.verdict(HERE, *size) == told
    assert siblings.verdict(Path("elsewhere"), *size) is None


@pytest.mark.parametrize("count", [2, 3])
def test_unsure_images_are_of_no_kind(count: int) -> None:
    """They make the share of pages, or of photos, smaller."""
    assert noted(8, unsure=count).verdict(HERE, 700, 900) == ("scan" if count == 2 else None)
    assert noted(0, 8, count).verdict(HERE, 700, 900) == ("photo" if count == 2 else None)


def test_pages_among_many_photos() -> None:
    """Enough of one size are there, but few of all."""
    assert noted(5, 30).verdict(HERE, 700, 900) == "photo"


def test_many_blank_images_are_no_pages() -> None:
    """Backs of prints that are written on, and the faded fronts."""
    siblings = noted(6)
    for count in range(1, 15):
        siblings.note(HERE, 700, 900, "blank")
        assert siblings.verdict(HERE, 700, 900) == ("scan" if count <= 9 else None)


def test_what_is_put_off_comes_after_all_the_rest() -> None:
    """However many threads there are, and though an item of the first round takes its time."""
    turns, order, lock = Turns[int](), [], threading.Lock()
    for item in range(12):
        turns.put(item)
    slow = threading.Event()

    def work() -> None:
        while (turn := turns.take()) is not None:
            item, last = turn
            if not last and item % 3 == 0:
                turns.put_off(item)
            else:
                if item == 11:
                    slow.wait(10)
                with lock:
                    order.append((item, last))
            if not last:
                turns.tried()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    slow.set()
    for thread in threads:
        thread.join(20)
    assert sorted(order[:8]) == [(item, False) for item in range(12) if item % 3]
    assert sorted(order[8:]) == [(item, True) for item in (0, 3, 6, 9)]


def test_nobody_waits_for_work_that_is_called_off() -> None:
    turns = Turns[int]()
    assert turns.take() is None
    turns.put(1)
    assert turns.take() == (1, False)
    waiting = threading.Thread(target=turns.take)
    waiting.start()
    turns.end()
    waiting.join(10)
    assert not waiting.is_alive()


def sheets(folder: Path, count: int) -> None:
    """A blank sheet, first in order, and pages of text, yellowed and noisy alike."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(4)
    blank, text = np.full((900, 700, 1), 236.0), test_choose.page(paper=236)
    for number, sheet in enumerate([blank, *[text] * count]):
        noise = rng.normal(0, 3, (900, 700, 1))
        yellowed = np.clip((sheet + noise) * (1, 0.96, 0.85), 0, 255).round().astype(np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), yellowed[..., ::-1])


def models(folder: Path, out: Path, **options: Any) -> dict[str, str]:
    outcomes = denoise_folder(folder, out, progress=False, device="cpu", **options)
    assert {o.status for o in outcomes} <= {"done", "skipped"}
    return {o.job.source.name: str(o.model) for o in outcomes}


def paper(path: Path) -> NDArray[Any]:
    return np.asarray(np.median(np.asarray(cv2.imread(str(path))), axis=(0, 1)))


@pytest.mark.parametrize("workers", [1, 3])
def test_a_blank_sheet_among_pages_is_a_page(tmp_path: Path, workers: int) -> None:
    """As white as they become, though it comes first; alone it could be a sky."""
    sheets(tmp_path / "in", 5)
    found = models(tmp_path / "in", tmp_path / "out", workers=workers)
    assert set(found.values()) == {"scan"} and len(found) == 6
    assert (paper(tmp_path / "out" / "0.png") >= 254).all()
    alone = models(tmp_path / "in" / "0.png", tmp_path / "alone", workers=workers)  # type: ignore[arg-type, unused-ignore]
    assert alone == {"0.png": "photo"}
    assert np.ptp(paper(tmp_path / "alone" / "0.png")) > 20  # still yellow


def test_the_command_says_what_the_folder_decided(tmp_path: Path) -> None:
    """On the screen once, when it is done, and in the JSON document with the reason."""
    sheets(tmp_path / "in", 5)
    command = [sys.executable, "-m", "imgclean", "denoise", str(tmp_path / "in"), "--json"]
    command += ["--out", str(tmp_path / "out"), "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True)
    said = "a nearly blank image was cleaned as a page, like those beside it; if it is none"
    assert done.returncode == 0 and said in done.stderr
    blank = [file for file in json.loads(done.stdout)["files"] if file["unsure"]]
    assert [Path(file["source"]).name for file in blank] == ["0.png"]
    assert blank[0]["model"] == "scan" and "in a folder of pages" in blank[0]["reason"]
    again = subprocess.run(command, capture_output=True, text=True)
    assert said not in again.stderr
    assert [file["unsure"] for file in json.loads(again.stdout)["files"]].count(True) == 1


def test_pages_of_an_earlier_run_tell_too(tmp_path: Path) -> None:
    """The blank sheet was added later, or the run was interrupted."""
    sheets(tmp_path / "in", 5)
    blank = (tmp_path / "in" / "0.png").rename(tmp_path / "0.png")
    assert set(models(tmp_path / "in", tmp_path / "out").values()) == {"scan"}
    blank.rename(tmp_path / "in" / "0.png")
    assert models(tmp_path / "in", tmp_path / "out")["0.png"] == "scan"


def test_a_blank_photo_is_looked_at_again(tmp_path: Path) -> None:
    """A few files were tried first; with the whole folder the blank one is a page, once."""
    sheets(tmp_path / "in", 5)
    for number in (2, 3, 4, 5):
        (tmp_path / "in" / f"{number}.png").rename(tmp_path / f"{number}.png")
    assert models(tmp_path / "in", tmp_path / "out") == {"0.png": "photo", "1.png": "scan"}
    for number in (2, 3, 4, 5):
        (tmp_path / f"{number}.png").rename(tmp_path / "in" / f"{number}.png")
    assert models(tmp_path / "in", tmp_path / "out")["0.png"] == "scan"
    again = denoise_folder(tmp_path / "in", tmp_path / "out", progress=False, device="cpu")
    assert {(o.status, o.model) for o in again} == {("skipped", "scan")}
    assert [o.job.source.name for o in again if o.unsure] == ["0.png"]


def test_an_unsure_image_is_a_photo_among_photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among pages it is what it seems, so that no picture is whitened for its neighbours."""

    def run(score: float, others: float, count: int) -> dict[str, Any]:
        def chosen(pixels: NDArray[Any]) -> Choice:
            sure = score if pixels.min() < 10 else others
            return Choice("scan" if sure >= 0.75 else "photo", sure, f"score {sure}")

        monkeypatch.setattr(auto, "choose", chosen)
        folder = tmp_path / f"{score}-{others}-{count}"
        folder.mkdir()
        for number in range(count + 1):
            shade = np.full((80, 60, 3), 5 if number == 0 else 200, np.uint8)
            cv2.imwrite(str(folder / f"{number}.png"), shade)
        first = denoise_folder(folder, tmp_path / "out", progress=False, device="cpu")
        again = denoise_folder(folder, tmp_path / "out", progress=False, device="cpu")
        assert [o.model for o in again] == [o.model for o in first]
        assert {o.status for o in again} == {"skipped"}
        shutil.rmtree(tmp_path / "out")
        assert {o.model for o in first[1:]} == {"scan" if others >= 0.75 else "photo"}
        assert first[0].followed == 0
        return {"model": first[0].model, "unsure": first[0].unsure, "reason": first[0].reason}

    turned = run(0.8, 0.05, 5)
    assert turned["model"] == "photo" and turned["unsure"]
    assert turned["reason"] == "unsure, in a folder of photos of this size (score 0.8)"
    plain = {"model": "scan", "unsure": False, "reason": "score 0.8"}
    assert run(0.8, 0.05, 4) == plain
    assert run(0.8, 0.97, 5) == plain
    assert run(0.5, 0.97, 5) == {"model": "photo", "unsure": False, "reason": "score 0.5"}


SCORES = {10: (0.05, True), 50: (0.5, False), 80: (0.8, False), 100: (0.05, False),
          200: (0.97, False)}  # fmt: skip
FILES = {
    (200, 10): "scan scan",
    (10, 10, 200): "scan scan scan",
    (100, 10, 200): "photo photo scan",
    (200, 100, 10, 10): "scan photo photo photo",  # skies, it may be
    (100, 10, 200, 200, 200, 200): "photo scan scan scan scan scan",
    (10, 50, 200): "photo photo scan",
    (200, 10, 10, 10): "scan photo photo photo",  # many for one page
    (10, 10): "photo photo",
    (80, 100): "scan photo",
    (100, 100, 100, 100, 80): "photo photo photo photo photo",
    (200, 200, 200, 200, 50): "scan scan scan scan photo",
}


def chosen(pixels: NDArray[Any]) -> Choice:
    """What an image of one shade is taken for."""
    sure, blank = SCORES[int(pixels[0, 0, 0])]
    return Choice("scan" if sure >= 0.75 else "photo", sure, "told", blank=blank)


@pytest.mark.parametrize("shades", list(FILES))
def test_pages_of_a_file_go_with_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shades: tuple[int, ...]
) -> None:
    """Wherever they lie in it."""
    seen: list[str] = []
    guards = module.Run._guards

    def noted(run: module.Run, model: str, depth: int) -> bool:
        seen.append(model)
        return guards(run, model, depth)

    monkeypatch.setattr(auto, "choose", chosen)
    source = tmp_path / "a.tif"
    assert cv2.imwritemulti(str(source), [np.full((50, 40, 3), s, np.uint8) for s in shades])
    monkeypatch.setattr(module.Run, "_guards", noted)
    (outcome,) = denoise_folder(source, tmp_path / "out", progress=False, device="cpu")
    assert outcome.status in ("done", "clean")
    names = seen[-len(shades) :]
    assert " ".join(names) == FILES[shades]
    alone = ["scan" if SCORES[shade][0] >= 0.75 else "photo" for shade in shades]
    assert outcome.unsure == (names != alone or 10 in shades)
    assert outcome.followed == sum(
        name == "scan" and by_itself == "photo"
        for name, by_itself in zip(names, alone, strict=True)
    )


def test_a_blank_sheet_of_two_pages_goes_with_its_folder(tmp_path: Path) -> None:
    """As scanners write them that put both sides into one file."""
    sheets(tmp_path / "sheets", 1)
    blank, text = (cv2.imread(str(tmp_path / "sheets" / name)) for name in ("0.png", "1.png"))
    (tmp_path / "in").mkdir()
    for number in range(6):
        sides = [blank, blank] if number == 0 else [text, blank]
        assert cv2.imwritemulti(str(tmp_path / "in" / f"{number}.tif"), sides)
    outcomes = denoise_folder(tmp_path / "in", tmp_path / "out", progress=False, device="cpu")
    assert {o.model for o in outcomes} == {"scan"}
    assert [o.followed for o in outcomes] == [2, 1, 1, 1, 1, 1]


def test_a_second_run_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unsure images count in it as they did, so that blank ones stay what they became."""
    monkeypatch.setattr(auto, "choose", chosen)
    (tmp_path / "in").mkdir()
    for number, shade in enumerate([10, 200, 200, 200, 200, 200, 80, 80]):
        image = np.full((50, 40, 3), shade, np.uint8)
        cv2.imwrite(str(tmp_path / "in" / f"{number}.png"), image)
    done = denoise_folder(tmp_path / "in", tmp_path / "out", progress=False, device="cpu")
    first = {o.job.source.name: str(o.model) for o in done}
    assert first["0.png"] == "photo" and first["6.png"] == "scan"
    assert done[0].reason == "nearly blank, and its folder does not tell what it is (told)"
    again = denoise_folder(tmp_path / "in", tmp_path / "out", progress=False, device="cpu")
    assert {o.status for o in again} == {"skipped"}
    assert {o.job.source.name: str(o.model) for o in again} == first


def test_files_of_pages_and_photos_tell_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A blank photo beside albums with a page each stays one."""
    monkeypatch.setattr(auto, "choose", chosen)
    (tmp_path / "in").mkdir()
    for number in range(6):
        shades = [10] if number == 0 else [100, 100, 200]
        pages = [np.full((50, 40, 3), shade, np.uint8) for shade in shades]
        assert cv2.imwritemulti(str(tmp_path / "in" / f"{number}.tif"), pages)
    found = models(tmp_path / "in", tmp_path / "out")
    assert found.pop("0.tif") == "photo" and set(found.values()) == {"photo+scan"}


def test_nothing_is_read_twice_that_stays_what_it_seems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that could be a photo, but is taken for one anyway, need not wait."""
    looks = []

    def chosen(pixels: NDArray[Any]) -> Choice:
        looks.append(1)
        return Choice("photo", 0.5, "told")

    monkeypatch.setattr(auto, "choose", chosen)
    pages = [np.full((50, 40, 3), 100, np.uint8)] * 3
    assert cv2.imwritemulti(str(tmp_path / "a.tif"), pages)
    denoise_folder(tmp_path / "a.tif", tmp_path / "out", progress=False, device="cpu")
    assert len(looks) == 3


def test_blank_sheets_of_an_earlier_run_have_no_vote(tmp_path: Path) -> None:
    """Five pages and two blank sheets were cleaned; with two photos the pages are too few."""
    sheets(tmp_path / "in", 5)
    shutil.copy(tmp_path / "in" / "0.png", tmp_path / "in" / "6.png")
    assert set(models(tmp_path / "in", tmp_path / "out").values()) == {"scan"}
    shutil.copy(tmp_path / "in" / "0.png", tmp_path / "in" / "7.png")
    rng = np.random.default_rng(5)
    for number in (8, 9):
        noise = rng.integers(0, 255, (900, 700, 3), np.uint8)
        cv2.imwrite(str(tmp_path / "in" / f"{number}.png"), noise)
    again = models(tmp_path / "in", tmp_path / "out")
    assert again["0.png"] == "scan"  # already done
    assert [again[f"{number}.png"] for number in (7, 8, 9)] == ["photo"] * 3


def test_a_file_that_fails_keeps_no_blank_one_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheets(tmp_path / "in", 1)
    (tmp_path / "in" / "1.png").write_bytes(b"no image")
    monkeypatch.setattr(auto, "choose", lambda _: Choice("photo", 0.0, "no page", blank=True))
    outcomes = denoise_folder(tmp_path / "in", tmp_path / "out", progress=False, device="cpu")
    assert {o.job.source.name: o.status for o in outcomes} == {"0.png": "done", "1.png": "failed"}


def test_photos_among_pages_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that a page with a picture that stayed yellow is found; not where photos are many."""
    monkeypatch.setattr(auto, "choose", chosen)
    for folder, photos in (("book", 1), ("album", 4)):
        (tmp_path / folder).mkdir()
        for number in range(10):
            shade = 100 if number < photos else 200
            image = np.full((50, 40, 3), shade, np.uint8)
            cv2.imwrite(str(tmp_path / folder / f"{number}.png"), image)
        options = Options(device="cpu")
        run = Run(plan([tmp_path / folder], tmp_path / "out" / folder, options), options)
        screen = Screen(run.plan, quiet=False, verbose=False, dry=False)
        for outcome in run:
            screen.show(outcome)
        screen.finish(run, interrupted=False)
        told = [x for x in capsys.readouterr().err.splitlines() if "among pages" in x]
        assert len(told) == (photos == 1)
        assert not told or "book/0.png" in told[0].replace("\\", "/")


@pytest.mark.parametrize("photo", [False, True])
def test_blank_pages_that_begin_a_file_are_what_follows(tmp_path: Path, photo: bool) -> None:
    """A title page before print is one of its pages; before a photo it stays as it is."""
    sheets(tmp_path / "sheets", 1)
    blank, text = (cv2.imread(str(tmp_path / "sheets" / name)) for name in ("0.png", "1.png"))
    second = cv2.imread(str(PHOTO)) if photo else text
    (tmp_path / "in").mkdir()
    assert cv2.imwritemulti(str(tmp_path / "in" / "a.tif"), [blank, blank, second, text])
    assert models(tmp_path / "in", tmp_path / "out") == {"a.tif": "photo+scan" if photo else "scan"}
    (again,) = denoise_folder(tmp_path / "in", tmp_path / "out", progress=False, device="cpu")
    assert again.status == "skipped"
    assert again.models == (("photo", "photo", "photo", "scan") if photo else ())
    pages = cv2.imreadmulti(str(tmp_path / "out" / "a.tif"), flags=cv2.IMREAD_COLOR)[1]
    white = [bool((np.median(np.asarray(page), axis=(0, 1)) >= 254).all()) for page in pages]
    assert white == ([False, False, False, True] if photo else [True, True, True, True])
