import gzip
import io
import shutil
import urllib.request
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from imgclean import mnist, picture_folders, sources
from imgclean.errors import DependencyError, InputError, UsageError
from imgclean.mnist import load_images, read_idx
from imgclean.pairs import prefetch
from imgclean.sources import Request, open_source

from .conftest import Make


def idx(images: Any) -> bytes:
    """The bytes of an idx file."""
    sizes = b"".join(int(n).to_bytes(4, "big") for n in images.shape)
    return b"\x00\x00\x08\x03" + sizes + bytes(images.tobytes())


def digits(folder: Path, count: int = 40, *, zipped: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for part, number in (("train", count), ("t10k", 10)):
        data = idx(rng.integers(0, 256, (number, 28, 28), np.uint8))
        name = f"{part}-images-idx3-ubyte" + (".gz" if zipped else "")
        (folder / name).write_bytes(gzip.compress(data) if zipped else data)
    return folder


def request(**given: Any) -> Request:
    return Request(**{"batch_size": 4, "patch": 16, "noise": "gaussian:20", **given})


def folder_of(tmp_path: Path, make: Make, name: str = "in", count: int = 5) -> Path:
    for seed in range(count):
        make(tmp_path / name / f"{seed}.png", 40, 32, seed=seed)
    return tmp_path / name


def test_clean_folder(tmp_path: Path, make: Make) -> None:
    """Patches come from the training images, and the held-out ones are not among them."""
    source = open_source(request(data=str(folder_of(tmp_path, make))))
    noisy, clean = source.batches[0]
    assert noisy.shape == clean.shape == (4, 3, 16, 16) and not torch.equal(noisy, clean)
    assert float((noisy - clean).std()) == pytest.approx(20 / 255, rel=0.1)
    assert len(source.validation) == 1 and source.validation[0][0].shape == (32, 40, 3)
    assert "4 clean images" in source.what and source.notes == []


def test_batches_depend_on_seed_and_step_alone(tmp_path: Path, make: Make) -> None:
    """Every source gives the same batch for the same step, and others for other steps."""
    images, zeros = str(folder_of(tmp_path, make)), str(digits(tmp_path / "mnist"))
    twins = str(shutil.copytree(images, tmp_path / "twins"))
    for given in (
        {"data": images},
        {"noisy": images, "noise": None},
        {"noisy": images, "clean": twins, "noise": None},
        {"data": f"mnist:{zeros}", "patch": None, "fixed": True},
        {"data": f"mnist:{zeros}", "patch": None, "fixed": True, "noise": "blur"},
        {},
    ):
        one, other = (open_source(request(**given)) for _ in range(2))
        assert torch.equal(one.batches[5][0], other.batches[5][0])
        assert not torch.equal(one.batches[5][0], one.batches[6][0])
        assert one.fingerprint == other.fingerprint
        assert np.array_equal(one.validation[0][0], other.validation[0][0])


def test_prefetching_keeps_the_order() -> None:
    """Batches drawn ahead on threads come in the order of their steps."""
    source = open_source(request())
    ahead = prefetch(source.batches, range(3, 9), threads=3)
    for step, (noisy, _) in zip(range(3, 9), ahead, strict=True):
        assert torch.equal(noisy, source.batches[step][0])


def test_pairs(tmp_path: Path, make: Make) -> None:
    """Noisy and clean patches show the same place."""
    folder, twins = folder_of(tmp_path, make), tmp_path / "twins"
    shutil.copytree(folder, twins)
    source = open_source(request(noisy=str(folder), clean=str(twins), noise=None))
    noisy, clean = source.batches[0]
    assert torch.equal(noisy, clean)
    with pytest.raises(UsageError, match="give two folders"):
        open_source(request(noisy=str(folder), clean=f"{folder}/", noise=None))


def test_pairs_may_differ_in_suffix(tmp_path: Path, make: Make) -> None:
    """As in `eval`; a name that two could mean has no twin."""
    for number in range(3):
        make(tmp_path / "noisy" / f"{number}.bmp", 40, 32, seed=number)
        make(tmp_path / "clean" / f"{number}.png", 40, 32, seed=number)
    asked = request(noisy=str(tmp_path / "noisy"), clean=str(tmp_path / "clean"), noise=None)
    noisy, clean = open_source(asked).batches[0]
    assert torch.equal(noisy, clean)
    (tmp_path / "clean" / "1.png").write_bytes(b"no image")
    source = open_source(asked)
    assert any("1.png" in note for note in source.notes) and "1 pairs" in source.what
    make(tmp_path / "clean" / "1.png", 40, 32, seed=1)
    make(tmp_path / "noisy" / "1.webp", 40, 32, seed=1)
    with pytest.raises(InputError, match="no twin"):
        open_source(asked)


def test_pages_count_from_one(tmp_path: Path) -> None:
    """A page without a twin has the number that `eval` gives it."""
    pages = [Pillow.new("L", (40, 40), 40 * number) for number in range(3)]
    for folder, kept in (("noisy", pages), ("clean", pages[:2])):
        (tmp_path / folder).mkdir()
        file = tmp_path / folder / "a.tif"
        kept[0].save(file, save_all=True, append_images=kept[1:])
    asked = request(noisy=str(tmp_path / "noisy"), clean=str(tmp_path / "clean"), noise=None)
    with pytest.raises(InputError, match=r"a\.tif/3: no twin"):
        open_source(asked)


def test_pairs_are_upright(tmp_path: Path, make: Make) -> None:
    """A noisy photo that lies on its side shows the same place as its upright twin."""
    folder = folder_of(tmp_path, make)
    for path in folder.iterdir():
        turned = tmp_path / "noisy" / path.name
        turned.parent.mkdir(exist_ok=True)
        with Pillow.open(path) as image:
            exif = Pillow.Exif()
            exif[274] = 3
            image.transpose(Pillow.Transpose.ROTATE_180).save(turned, exif=exif)
    source = open_source(request(noisy=str(tmp_path / "noisy"), clean=str(folder), noise=None))
    noisy, clean = source.batches[0]
    assert torch.equal(noisy, clean)


def test_pairs_of_one_page_stay_together(tmp_path: Path, make: Make) -> None:
    """Noisy versions of one clean page are all trained on or all held out."""
    for page in range(3):
        for kind in range(4):
            make(tmp_path / "noisy" / f"{page}-{kind}.png", 40, 32, seed=10 * page + kind)
            make(tmp_path / "clean" / f"{page}-{kind}.png", 40, 32, seed=page)
    source = open_source(
        request(noisy=str(tmp_path / "noisy"), clean=str(tmp_path / "clean"), noise=None)
    )
    assert len(source.validation) == 4 and "8 pairs" in source.what
    first = source.validation[0][1]
    assert all(np.array_equal(first, clean) for _, clean in source.validation)


def test_mismatched_pairs_are_all_listed(tmp_path: Path, make: Make) -> None:
    """Missing twins and other sizes are named, all of them, before anything starts."""
    for name in ("a", "b", "c", "sub/d"):
        make(tmp_path / "noisy" / f"{name}.png")
    for name in ("a", "e", "sub/d"):
        make(tmp_path / "clean" / f"{name}.png", 40 if name == "a" else 41)
    with pytest.raises(InputError) as caught:
        open_source(request(noisy=str(tmp_path / "noisy"), clean=str(tmp_path / "clean"),
                            noise=None))  # fmt: skip
    lines = str(caught.value).split("\n")[1:]
    assert [line.split(":")[0].split("/")[-1] for line in lines] == [
        "b.png", "c.png", "e.png", "d.png",
    ]  # fmt: skip
    assert "40 x 30" in lines[3] and "41 x 30" in lines[3]
    for number in range(30):
        make(tmp_path / "noisy" / f"more{number}.png")
    with pytest.raises(InputError) as again:
        open_source(request(noisy=str(tmp_path / "noisy"), clean=str(tmp_path / "clean"),
                            noise=None))  # fmt: skip
    assert str(again.value).count("\n") == 34


def test_a_file_of_a_pair_that_cannot_be_read(tmp_path: Path, make: Make) -> None:
    """It is named and skipped with its twin; if no pair is left, the reasons are told."""
    for number in range(3):
        for side in ("noisy", "clean"):
            make(tmp_path / side / f"{number}.png", 40, 32, seed=number)
    (tmp_path / "noisy" / "1.png").write_bytes(b"no image")
    asked = request(noisy=str(tmp_path / "noisy"), clean=str(tmp_path / "clean"), noise=None)
    source = open_source(asked)
    assert any("1.png" in note for note in source.notes) and "1 pairs" in source.what
    for number in (0, 2):
        (tmp_path / "clean" / f"{number}.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"no pair of which both can be read(.|\n)*clean/0.png"):
        open_source(asked)


def test_a_folder_beyond_the_memory_budget(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The middle of every image is used, the same in noisy and clean ones, and this is said."""
    for number in range(6):
        make(tmp_path / "clean" / f"{number}.png", 96, 81, seed=number)
        grey = cv2.imread(str(tmp_path / "clean" / f"{number}.png"), cv2.IMREAD_GRAYSCALE)
        assert grey is not None
        (tmp_path / "noisy").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "noisy" / f"{number}.png"), grey)
    monkeypatch.setattr(picture_folders, "_BUDGET", 60_000)
    both = {"noisy": str(tmp_path / "noisy"), "clean": str(tmp_path / "clean")}
    source = open_source(request(**both, noise=None, patch=16))
    assert any("the middle" in note and "clean" in note for note in source.notes)
    noisy, clean = source.batches[0]
    luma = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    assert float(((clean * luma).sum(1) - noisy[:, 0]).abs().max()) < 0.01


def test_unreadable_files_are_skipped(tmp_path: Path, make: Make) -> None:
    """A damaged file among good ones is named, skipped and counted."""
    folder = folder_of(tmp_path, make)
    (folder / "bad.png").write_bytes(b"no image")
    source = open_source(request(data=str(folder)))
    assert any("bad.png" in note for note in source.notes)
    assert any("unreadable files: 1; images used: 5" in note for note in source.notes)


def test_small_images(tmp_path: Path, make: Make) -> None:
    """Images that no patch fits into are named and skipped; if all are, the largest is told."""
    folder = folder_of(tmp_path, make)
    make(folder / "tiny.png", 10, 30)
    source = open_source(request(data=str(folder)))
    assert any("tiny.png: smaller than the patch" in note for note in source.notes)
    with pytest.raises(UsageError, match="allows --patch 32"):
        open_source(request(data=str(folder), patch=64))


def test_a_patch_that_nobody_asked_for(tmp_path: Path, make: Make) -> None:
    """Where a model of many filters cannot take the usual one, no --patch is said to be wrong."""
    folder = make(tmp_path / "in" / "a.png", 100, 100).parent
    given = {"data": str(folder), "fixed": True, "multiple": 64}
    with pytest.raises(UsageError, match="^this model needs .* 64, not .* 32; give --patch 64 or"):
        open_source(request(**given, patch=None))
    with pytest.raises(UsageError, match="^--patch 32: this model needs"):
        open_source(request(**given, patch=32))


def test_one_image(tmp_path: Path, make: Make) -> None:
    """A single image is trained and validated on, with a warning."""
    source = open_source(request(data=str(folder_of(tmp_path, make, count=1))))
    assert len(source.validation) == 1
    assert any("only one image" in note for note in source.notes)


def test_empty_folder(tmp_path: Path) -> None:
    """A folder without images is an error that names it."""
    with pytest.raises(InputError, match="no readable image"):
        open_source(request(data=str(tmp_path)))


def test_validation_that_leaks_is_warned_of(tmp_path: Path, make: Make) -> None:
    """Validation images that are part of training are named."""
    train = folder_of(tmp_path, make)
    folder_of(tmp_path, make, "check", 2)
    source = open_source(request(data=str(train), validation=str(tmp_path / "check")))
    assert any("2 validation images are part of training" in note for note in source.notes)
    with pytest.raises(UsageError, match="between 0 and 1"):
        open_source(request(data=str(train), validation="1.5"))
    with pytest.raises(InputError, match="no such folder"):
        open_source(request(data=str(train), validation="elsewhere"))


def test_copies_do_not_leak(tmp_path: Path, make: Make) -> None:
    """The same image under two names is on one side only."""
    for number in range(6):
        make(tmp_path / "in" / f"{number}.png", 40, 32, seed=number // 3)
    source = open_source(request(data=str(tmp_path / "in")))
    assert "3 clean images" in source.what and len(source.validation) == 3


def test_noisy_images_alone(tmp_path: Path, make: Make) -> None:
    """Without clean images both sides of a batch are made of the noisy patch."""
    source = open_source(request(noisy=str(folder_of(tmp_path, make)), noise=None))
    noisy, target = source.batches[0]
    target, sigma = target.chunk(2, 1)
    assert noisy.shape == target.shape == sigma.shape and not torch.equal(noisy, target)
    assert float(sigma.min()) >= 0
    assert len(source.risks) == 1 and not source.leaks
    with pytest.raises(UsageError, match="unet-s"):
        open_source(request(noisy=str(tmp_path / "in"), noise=None, fixed=True))


def test_contradictions_are_refused(tmp_path: Path) -> None:
    """Noise on images that are noisy, and validation of what has its own, are refused."""
    with pytest.raises(UsageError, match="noisy already"):
        open_source(request(noisy=str(tmp_path)))
    with pytest.raises(UsageError, match="own test images"):
        open_source(Request(data=f"mnist:{digits(tmp_path)}", validation="0.1"))


@pytest.mark.parametrize("zipped", [False, True])
def test_digits(tmp_path: Path, zipped: bool) -> None:
    """The idx files are read gzipped or not; a pass shows every image once."""
    folder = digits(tmp_path, zipped=zipped)
    source = open_source(Request(data=f"mnist:{folder}", batch_size=8, fixed=True, noise="none"))
    assert source.steps == 5 and source.patch == 28 and source.channels == 1
    assert len(source.validation) == 10 and source.on_device
    seen = torch.cat([source.batches[step][1] for step in range(5)])
    everything = torch.from_numpy(load_images("mnist", folder)[0].copy())[:, None] / 255
    assert torch.equal(seen.sum((1, 2, 3)).sort()[0], everything.sum((1, 2, 3)).sort()[0])


def test_a_whole_pass_over_digits(tmp_path: Path) -> None:
    """Where it is asked for, what does not fill a batch is one too."""
    source = open_source(Request(data=f"mnist:{digits(tmp_path)}", fixed=True, whole=True))
    assert source.steps == 2
    batches = [source.batches[step][1] for step in range(source.steps)]
    assert [len(batch) for batch in batches] == [32, 8]
    assert len(torch.unique(torch.cat(batches).flatten(1), dim=0)) == 40


def test_digits_for_a_network_of_any_size(tmp_path: Path) -> None:
    """For a unet digits get three channels, of one noise, and a margin up to its multiple."""
    source = open_source(Request(data=f"mnist:{digits(tmp_path)}", multiple=8))
    noisy = source.batches[0][0]
    assert noisy.shape == (32, 3, 32, 32)
    assert torch.equal(noisy[:, :1].expand(-1, 3, -1, -1), noisy)


def test_grey_and_coloured_validation(tmp_path: Path, make: Make) -> None:
    """Where a model is grey its validation images are, and their noise as strong as in training."""
    for path in folder_of(tmp_path, make).iterdir():
        with Pillow.open(path) as image:
            image.convert("L").save(path)
    checks = str(folder_of(tmp_path, make, "checks"))
    source = open_source(request(data=str(tmp_path / "in"), validation=checks, fixed=True))
    assert source.channels == 1
    noise = [noisy - clean for noisy, clean in source.validation]
    assert np.std(noise) == pytest.approx(20 / 255, rel=0.1)


@pytest.mark.parametrize("how", ["data", "noisy", "stored in colour"])
def test_grey_images_have_one_noise(tmp_path: Path, how: str) -> None:
    """Noise on grey images is grey: a network of three channels cannot average it away."""
    folder = tmp_path / "in"
    folder.mkdir()
    for seed in range(4):
        rng = np.random.default_rng(seed)
        grey = Pillow.fromarray(rng.normal(128, 20, (40, 40)).astype(np.uint8))
        grey.convert("RGB" if how == "stored in colour" else "L").save(folder / f"{seed}.png")
    given = {"data": str(folder)} if how == "data" else {"noisy": str(folder), "noise": None}
    source = open_source(request(**given))
    noisy, target = source.batches[0]
    assert noisy.shape[1] == 3 and not torch.equal(noisy, target[:, :3])
    for values in (noisy, target[:, :3], target[:, -3:]):
        assert torch.equal(values[:, :1].expand(-1, 3, -1, -1), values)
    assert all(image.shape[2] == 3 for pair in source.validation for image in pair)
    for risk in source.risks:  # leaving all as it is costs what the noise is: 20 of 255
        assert risk.of(*risk.inputs) == pytest.approx((20 / 255) ** 2, rel=0.2)


def test_damaged_digits(tmp_path: Path) -> None:
    """Missing, cut and foreign idx files are errors that say what to do."""
    with pytest.raises(InputError, match="put the files of mnist there"):
        load_images("mnist", tmp_path)
    path = tmp_path / "x"
    data = idx(np.zeros((3, 28, 28), np.uint8))
    torn = bytearray(gzip.compress(data, mtime=0))
    torn[12] ^= 255
    for bad in (b"", b"text", data[:-5], gzip.compress(data)[:-9], data[:4] + b"\0" * 12, torn):
        path.write_bytes(bad)
        with pytest.raises(InputError, match="get the file again"):
            read_idx(path)


def test_downloads_are_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download of other bytes is refused, a failed one says where to put the files."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data = gzip.compress(idx(np.zeros((3, 28, 28), np.uint8)))
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: io.BytesIO(data))
    for name in mnist.SETS:
        with pytest.raises(InputError, match="checksum differs"):
            load_images(name, None)
    assert not list(tmp_path.rglob("*.gz"))

    for problem in (OSError("no network"), IncompleteRead(b"")):

        def offline(*_: object, problem: Exception = problem, **__: object) -> None:
            raise problem

        monkeypatch.setattr(urllib.request, "urlopen", offline)
        with pytest.raises(InputError, match="--data mnist:FOLDER"):
            load_images("mnist", None)


def test_digits_that_are_not_square(tmp_path: Path) -> None:
    """A model of one size says what it needs instead of failing at the first batch."""
    for part in ("train", "t10k"):
        data = idx(np.zeros((4, 28, 20), np.uint8))
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(data)
    with pytest.raises(UsageError, match="28 x 20; this model needs square"):
        open_source(Request(data=f"mnist:{tmp_path}", fixed=True, multiple=4))


def test_training_on_made_up_pages_warns_of_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learning to whiten paper is said beforehand; without pages, or scan noise, nothing is."""
    assert any("skies" in note for note in open_source(request(noise=None)).notes)
    assert not open_source(request(noise="gaussian:20")).notes

    def no_fonts() -> list[Path]:
        raise DependencyError("no fonts")

    monkeypatch.setattr(sources, "find_fonts", no_fonts)
    notes = open_source(request(noise=None)).notes
    assert notes == ["no fonts; scenes alone are trained on"]


def test_synthesised_sheets_do_not_repeat() -> None:
    """Sheets follow each other without end, pages and scenes in turn, the same for a seed."""
    source = open_source(request(noise=None))
    sheets: Any = source.batches
    assert isinstance(sheets, sources._Sheets)
    assert np.array_equal(sheets._render(3), sheets._render(3))
    assert not np.array_equal(sheets._render(3), sheets._render(5))
    noisy, clean = source.batches[1000]
    assert noisy.shape == clean.shape == (4, 3, 16, 16)
