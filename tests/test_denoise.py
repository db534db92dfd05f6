import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import pyvips
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

import imgclean
from imgclean import denoise as module
from imgclean import journal as journals
from imgclean import network
from imgclean.denoise import Options, Outcome, Run, denoise_folder, plan
from imgclean.errors import ImageError, InputError, OutputError, UsageError, WeightsError
from imgclean.images import Reader, Writer
from imgclean.journal import JOURNAL, Journal
from imgclean.metrics import estimate_sigma
from imgclean.restore import Denoiser, load
from imgclean.safety import protect
from imgclean.weights import data_folder, locate

from .conftest import Make, heed_interrupts
from .test_streaks import scan, streaked


def clean(inputs: Path | list[Path], out: Path, tiny: str, **options: Any) -> dict[str, Outcome]:
    """Outcomes by file name."""
    outcomes = denoise_folder(
        inputs, out, progress=False, **{"model": tiny, "device": "cpu", **options}
    )
    return {outcome.job.source.name: outcome for outcome in outcomes}


def read(path: Path) -> NDArray[np.uint8]:
    """H x W x 3 in RGB order, by a library that imgclean does not read this format with."""
    return np.asarray(cv2.imread(str(path)), np.uint8)[..., ::-1]


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_tree_is_kept(tmp_path: Path, make: Make, tiny: str) -> None:
    """Outputs lie where their inputs lay, under the same names, in natural order."""
    for name in ("page10.png", "page2.png", "sub/deep/a.jpg", "sub/b.tif"):
        make(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("not an image")
    make(tmp_path / "in" / ".hidden.png")
    make(tmp_path / "in" / ".cache" / "x.png")
    work = plan([tmp_path / "in"], tmp_path / "out", Options())
    assert [job.source.name for job in work.jobs][:2] == ["page2.png", "page10.png"]
    assert [path.name for path in work.ignored] == ["notes.txt"]
    outcomes = clean(tmp_path / "in", tmp_path / "out", tiny)
    assert {o.status for o in outcomes.values()} == {"done"}
    expected = [JOURNAL, "page10.png", "page2.png", "sub/b.tif", "sub/deep/a.jpg"]
    assert files(tmp_path / "out") == expected
    flat = plan([tmp_path / "in"], tmp_path / "out", Options(recursive=False))
    assert [job.source.name for job in flat.jobs] == ["page2.png", "page10.png"]


def test_the_pixels_are_the_denoisers(tmp_path: Path, make: Make, tiny: str) -> None:
    """The command writes what the Python API gives for the same image."""
    source = make(tmp_path / "a.png", 50, 37)
    clean(source, tmp_path / "out", tiny, precision="fp32")
    expected = load(tiny, device="cpu", precision="fp32")(read(source))
    assert np.array_equal(read(tmp_path / "out" / "a.png"), expected)


def test_strength_zero_keeps_every_pixel(tmp_path: Path, make: Make, tiny: str) -> None:
    """With --strength 0 the pixels come out as they went in."""
    source = make(tmp_path / "a.png")
    clean(source, tmp_path / "out", tiny, strength=0.0)
    assert np.array_equal(read(source), read(tmp_path / "out" / "a.png"))


@pytest.mark.parametrize("suffix", ["jpg", "tif", "webp"])
def test_strength_zero_keeps_the_file(tmp_path: Path, make: Make, tiny: str, suffix: str) -> None:
    """With --strength 0 and the same format a file stays bit for bit, lossy ones too."""
    source = make(tmp_path / f"a.{suffix}")
    clean(source, tmp_path / "out", tiny, strength=0.0)
    assert (tmp_path / "out" / source.name).read_bytes() == source.read_bytes()
    clean(source, tmp_path / "png", tiny, strength=0.0, format="png")
    with Reader(tmp_path / "png" / "a.png") as reader:
        assert reader.format == "png"


@pytest.mark.parametrize("out", ["in", "in/clean", "in/sub/../clean"])
def test_output_inside_input_is_refused(tmp_path: Path, make: Make, out: str) -> None:
    """Outputs never mix with originals."""
    make(tmp_path / "in" / "a.png")
    with pytest.raises(UsageError, match="input folder"):
        plan([tmp_path / "in"], tmp_path / out, Options())


def test_an_original_is_never_the_target(tmp_path: Path, make: Make) -> None:
    """A file whose own folder is the output folder is refused, through links too."""
    source = make(tmp_path / "in" / "a.png")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    for out in ("in", "link"):
        with pytest.raises(UsageError, match="original"):
            plan([source], tmp_path / out, Options())


def test_an_original_by_another_path_is_never_the_target(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is mounted twice, or named in capitals on a memory stick, is one folder.

    No path tells; here it is a link that is not followed.
    """
    source = make(tmp_path / "in" / "a.png")
    (tmp_path / "IN").symlink_to(tmp_path / "in")
    monkeypatch.setattr(os.path, "realpath", lambda path, **_: str(Path(path).absolute()))
    options = Options(overwrite=True)
    with pytest.raises(UsageError, match="is the input folder"):
        plan([tmp_path / "in"], tmp_path / "IN", options)
    with pytest.raises(UsageError, match="lies in the input folder"):
        plan([tmp_path / "in"], tmp_path / "IN" / "out", options)
    with pytest.raises(UsageError, match="would overwrite an original"):
        plan([source], tmp_path / "IN", options)


@pytest.mark.parametrize("names", [("Scan.png", "scan.png"), ("A/x.png", "a/x.png")])
def test_capitals_alone_tell_no_files_apart_everywhere(
    tmp_path: Path, make: Make, tiny: str, names: tuple[str, str]
) -> None:
    """Where a folder does not tell them, as a memory stick's, two such results are refused."""
    for name in names:
        make(tmp_path / "in" / name)
    if len(list((tmp_path / "in").rglob("*.png"))) < 2:
        pytest.skip("the folder of the test does not tell them itself")
    assert clean(tmp_path / "in", tmp_path / "out", tiny)
    journal = tmp_path / "out" / JOURNAL
    (tmp_path / "out" / JOURNAL.swapcase()).hardlink_to(journal)
    for dry in (False, False, True):  # again: the folder is held no longer
        options = Options(model=tiny, device="cpu")
        with pytest.raises(UsageError, match=r"(?i)x?\.png and .*capitals.*rename one of them"):
            Run(plan([tmp_path / "in"], tmp_path / "out", options), options, dry=dry)


def test_collisions_name_both_and_the_cure(tmp_path: Path, make: Make) -> None:
    """Two sources for one target are refused before anything runs."""
    one, two = make(tmp_path / "a" / "x.png"), make(tmp_path / "b" / "x.png")
    with pytest.raises(UsageError, match="--parents") as caught:
        plan([one, two], tmp_path / "out", Options())
    assert str(one) in str(caught.value) and str(two) in str(caught.value)
    kept = plan([one, two], tmp_path / "out", Options(parents=True))
    assert len({job.target for job in kept.jobs}) == 2
    assert len(plan([one, one], tmp_path / "out", Options()).jobs) == 1
    make(tmp_path / "a" / "x.jpg")
    with pytest.raises(UsageError, match="--format keep"):
        plan([tmp_path / "a"], tmp_path / "out", Options(format="webp"))


def test_parents_never_leave_the_output_folder(tmp_path: Path, make: Make) -> None:
    """A path through .. stays under DIR."""
    make(tmp_path / "in" / "x.png")
    (tmp_path / "out").mkdir()
    work = plan([tmp_path / "out" / ".." / "in"], tmp_path / "out", Options(parents=True))
    assert work.jobs[0].target.resolve().is_relative_to(tmp_path / "out")


def test_no_input_and_no_images(tmp_path: Path) -> None:
    """A path that does not exist, and a folder without images, are errors of their own."""
    with pytest.raises(InputError, match="nowhere"):
        plan([tmp_path / "nowhere"], tmp_path / "out", Options())
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("text")
    with pytest.raises(InputError, match="holds no image"):
        plan([tmp_path / "in"], tmp_path / "out", Options())


def test_bad_files_fail_alone(tmp_path: Path, make: Make, tiny: str) -> None:
    """Whatever is wrong with one file, the others are done and nothing partial is left."""
    folder = tmp_path / "in"
    good = make(folder / "good.png")
    (folder / "text.jpg").write_text("this is not a JPEG")
    (folder / "empty.png").write_bytes(b"")
    half = make(folder / "half.jpg", 200, 200).read_bytes()
    (folder / "half.jpg").write_bytes(half[: len(half) // 2])
    shutil.copy(good, folder / "renamed.jpg")
    make(folder / "last.png")
    outcomes = clean(folder, tmp_path / "out", tiny)
    failed = {name: o.error for name, o in outcomes.items() if o.status == "failed"}
    assert sorted(failed) == ["empty.png", "half.jpg", "text.jpg"]
    for name, error in failed.items():
        assert error and name in error and ";" in error, "the message names file and cure"
    expected = [JOURNAL, "good.png", "last.png", "renamed.jpg"]
    assert files(tmp_path / "out") == expected
    with Reader(tmp_path / "out" / "renamed.jpg") as reader:
        assert reader.format == "jpeg", "name and content agree afterwards"


def test_what_is_no_file_never_blocks(tmp_path: Path, make: Make, tiny: str) -> None:
    """A pipe with an image's name is ignored in a folder, and fails alone when named."""
    make(tmp_path / "in" / "good.png")
    pipe = tmp_path / "in" / "pipe.png"
    os.mkfifo(pipe)
    assert plan([tmp_path / "in"], tmp_path / "out", Options()).ignored == [pipe]
    outcomes = clean([pipe, tmp_path / "in"], tmp_path / "out", tiny)
    assert {n: o.status for n, o in outcomes.items()} == {"good.png": "done", "pipe.png": "failed"}
    assert "regular file" in str(outcomes["pipe.png"].error)


def test_a_name_too_long_fails_alone(tmp_path: Path, make: Make, tiny: str) -> None:
    """A target name that the file system refuses costs its own file only."""
    make(tmp_path / "in" / ("x" * 251 + ".png"))
    make(tmp_path / "in" / "good.png")
    outcomes = clean(tmp_path / "in", tmp_path / "out", tiny, format="webp")
    assert sorted(o.status for o in outcomes.values()) == ["done", "failed"]


def test_a_name_without_room_for_a_comparisons(tmp_path: Path, make: Make, tiny: str) -> None:
    """A name that fits is no trouble unless a longer one is asked for too."""
    source = make(tmp_path / ("x" * 245 + ".png"))
    for status in ("done", "skipped"):
        assert clean(source, tmp_path / "out", tiny)[source.name].status == status
    refused = clean(source, tmp_path / "out", tiny, compare=True)[source.name]
    assert refused.status == "failed" and "too long" in str(refused.error)


def test_folders_that_cannot_be_listed_fail(
    tmp_path: Path, make: Make, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subfolder that may not be listed is a failure, not an omission."""
    make(tmp_path / "in" / "good.png")
    make(tmp_path / "in" / "secret" / "a.png")
    scandir = os.scandir

    def guarded(path: Any) -> Any:
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", guarded)
        work = plan([tmp_path / "in"], tmp_path / "out", Options(model=tiny, device="cpu"))
    run = Run(work, Options(model=tiny, device="cpu"))
    failed = [o for o in run if o.status == "failed"]
    assert len(work.jobs) == 2 and len(failed) == 1
    assert "secret: not allowed to list" in str(failed[0].error)


def test_fail_fast(tmp_path: Path, make: Make, tiny: str) -> None:
    """With --fail-fast the first failure ends the run."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"")
    for index in range(20):
        make(tmp_path / "in" / f"b{index}.png")
    outcomes = clean(tmp_path / "in", tmp_path / "out", tiny, fail_fast=True, workers=1)
    assert len(outcomes) == 1 and outcomes["a.png"].status == "failed"
    assert len(files(tmp_path / "out")) < 10


def test_done_files_are_skipped(tmp_path: Path, make: Make, tiny: str) -> None:
    """The same command again skips; changed bytes or options redo; the journal knows."""
    source, out = make(tmp_path / "in" / "a.png"), tmp_path / "out"
    make(tmp_path / "in" / "b.png", seed=1)

    def statuses(**options: Any) -> list[str]:
        return [o.status for o in clean(tmp_path / "in", out, tiny, **options).values()]

    assert statuses() == ["done", "done"]
    assert statuses() == ["skipped", "skipped"]
    make(source, seed=9)
    assert statuses() == ["done", "skipped"]
    assert statuses(strength=0.5) == ["done", "done"]
    (out / "b.png").unlink()
    assert statuses(strength=0.5) == ["skipped", "done"]


def test_a_copied_output_is_still_known(tmp_path: Path, make: Make, tiny: str) -> None:
    """An output whose times changed is recognised by its content."""
    make(tmp_path / "in" / "a.png")
    clean(tmp_path / "in", tmp_path / "out", tiny)
    os.utime(tmp_path / "out" / "a.png", (1, 1))
    assert clean(tmp_path / "in", tmp_path / "out", tiny)["a.png"].status == "skipped"


def test_foreign_files_are_not_replaced(tmp_path: Path, make: Make, tiny: str) -> None:
    """A file that imgclean did not make, or that was edited since, needs --overwrite."""
    make(tmp_path / "in" / "a.png")
    mine = make(tmp_path / "out" / "a.png", seed=5)
    before = mine.read_bytes()
    refused = clean(tmp_path / "in", tmp_path / "out", tiny)["a.png"]
    assert refused.status == "failed" and "--overwrite" in str(refused.error)
    assert mine.read_bytes() == before
    assert clean(tmp_path / "in", tmp_path / "out", tiny, overwrite=True)["a.png"].status == "done"
    assert mine.read_bytes() != before
    mine.write_bytes(before)
    assert clean(tmp_path / "in", tmp_path / "out", tiny)["a.png"].status == "failed"
    assert mine.read_bytes() == before


def test_a_link_to_nothing_is_not_replaced(tmp_path: Path, make: Make, tiny: str) -> None:
    """As what it leads to may be away for a moment, it needs --overwrite as a file does."""
    source, target = make(tmp_path / "a.png"), tmp_path / "out" / "a.png"
    target.parent.mkdir()
    target.symlink_to(tmp_path / "away.png")
    refused = clean(source, target.parent, tiny)["a.png"]
    assert refused.status == "failed" and "a.png: exists, and" in str(refused.error)
    assert target.is_symlink()
    assert clean(source, target.parent, tiny, overwrite=True)["a.png"].status == "done"
    assert not target.is_symlink()
    target.unlink()
    target.symlink_to(tmp_path / "away.png")  # where the journal knows a result
    assert clean(source, target.parent, tiny)["a.png"].status == "failed"


def test_an_empty_folder_among_inputs_is_named(tmp_path: Path, make: Make) -> None:
    """As a share that is not mounted: nothing fails, but it is said."""
    make(tmp_path / "in" / "a.png")
    (tmp_path / "empty" / "deeper").mkdir(parents=True)
    work = plan([tmp_path / "in", tmp_path / "empty"], tmp_path / "out", Options())
    assert work.ignored == [tmp_path / "empty"] and len(work.jobs) == 1
    (tmp_path / "empty" / "deeper" / "note.txt").write_text("")
    work = plan([tmp_path / "in", tmp_path / "empty"], tmp_path / "out", Options())
    assert work.ignored == [tmp_path / "empty" / "deeper" / "note.txt"]


def test_a_torn_journal_line_is_ignored(tmp_path: Path, make: Make, tiny: str) -> None:
    """A journal cut in the middle of a line loses that line and no other."""
    make(tmp_path / "in" / "a.png")
    clean(tmp_path / "in", tmp_path / "out", tiny)
    with (tmp_path / "out" / JOURNAL).open("ab") as file:
        file.write(b'{"target": "b.png", "ke')
    assert clean(tmp_path / "in", tmp_path / "out", tiny)["a.png"].status == "skipped"
    make(tmp_path / "in" / "c.png")
    clean(tmp_path / "in", tmp_path / "out", tiny)
    assert clean(tmp_path / "in", tmp_path / "out", tiny)["c.png"].status == "skipped"


def test_a_nearly_full_disk_tears_no_line(tmp_path: Path) -> None:
    """Where only half a journal line fits none of it stays, and the next one is whole."""
    journal = Journal(tmp_path)
    made = tmp_path / "a.png"
    made.write_bytes(b"an image")

    class Cramped:
        def __init__(self, file: Any) -> None:
            self.file = file

        def write(self, data: bytes) -> int:
            return int(self.file.write(data[:10]))

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    real = journal._file
    journal._file = Cramped(real)
    with pytest.raises(OutputError, match="space"):
        journal.add(made, made, "key", {})
    journal._file = real
    journal.add(made, made, "key", {})
    journal.close()
    assert Journal(tmp_path, write=False).check(made, "key")[0] == "done"


def test_a_foreign_journal_line_claims_nothing(tmp_path: Path) -> None:
    """A line without the fields that are needed is passed over."""
    (tmp_path / "a.png").write_bytes(b"an image")
    good = {"target": "a.png", "key": "k", "output": "o", "size": 8, "mtime_ns": 1}
    bad = [good | {name: odd} for name in good for odd in ([1], None)] + [good | {"source": 5}]
    lines = ['{"target": "a.png"}', "[1]", '"text"', "[" * 200_000, *map(json.dumps, bad)]
    (tmp_path / JOURNAL).write_text("\n".join(lines))
    journal = Journal(tmp_path, write=False)
    assert journal.entries == {}
    assert journal.check(tmp_path / "a.png", "key")[0] == "unknown"


@pytest.mark.parametrize("write", [True, False])
def test_a_pipe_in_a_journals_place(tmp_path: Path, write: bool) -> None:
    """It is refused at once, where opening it would wait for a reader."""
    os.mkfifo(tmp_path / JOURNAL)
    with pytest.raises(OutputError, match="no regular file; remove it"):
        Journal(tmp_path, write=write)


@pytest.mark.parametrize("how", ["removed", "replaced", "moved"])
def test_a_folder_that_is_removed_meanwhile_ends_the_run(
    tmp_path: Path, make: Make, tiny: str, how: str
) -> None:
    """Nothing more is written where no journal tells of it, nor where another run may be."""
    for number in range(6):
        make(tmp_path / "in" / f"{number}.png", seed=number)
    out, options = tmp_path / "out", Options(model=tiny, device="cpu", workers=1)
    run = Run(plan([tmp_path / "in"], out, options), options)
    seen: list[Outcome] = []
    for outcome in run:
        seen.append(outcome)
        if len(seen) == 1:
            out.rename(tmp_path / "moved")  # at once: what is written meanwhile goes nowhere
            if how != "moved":
                shutil.rmtree(tmp_path / "moved")
            if how != "removed":  # as by another run
                out.mkdir()
                (out / JOURNAL).touch()
    assert run.gone and seen[-1].status == "failed" and "removed" in str(seen[-1].error)
    assert len(seen) < 6 and not list(out.glob("*.png"))
    assert {o.status for o in clean(tmp_path / "in", out, tiny).values()} == {"done"}


def test_pages_that_a_format_cannot_hold_are_refused_at_once(
    tmp_path: Path, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dry run says so too, and the network is not asked."""
    rng = np.random.default_rng(0)
    source = put(tmp_path / "in" / "a.tif", *rng.integers(0, 256, (2, 30, 40, 3), np.uint8))
    monkeypatch.setattr(network.Network, "clean", None)
    outcome = clean(source, tmp_path / "out", tiny, format="jpg")["a.tif"]
    assert outcome.status == "failed" and "jpeg cannot hold its 2 pages" in str(outcome.error)
    options = Options(model=tiny, format="png")
    dry = next(iter(Run(plan([source], tmp_path / "out", options), options, dry=True)))
    assert dry.status == "failed" and "use --format tiff" in str(dry.error)


def test_a_folder_in_a_results_place(tmp_path: Path, make: Make, tiny: str) -> None:
    """It is never replaced, and said to be one before anything is computed."""
    source = make(tmp_path / "in" / "a.png")
    (tmp_path / "out" / "a.png").mkdir(parents=True)
    for overwrite in (False, True):
        outcome = clean(source, tmp_path / "out", tiny, overwrite=overwrite)["a.png"]
        assert outcome.status == "failed" and "is a folder" in str(outcome.error)


def test_a_lost_journal_is_named(tmp_path: Path, make: Make, tiny: str) -> None:
    source = make(tmp_path / "in" / "a.png")
    clean(source, tmp_path / "out", tiny)
    (tmp_path / "out" / JOURNAL).unlink()
    assert JOURNAL in str(clean(source, tmp_path / "out", tiny)["a.png"].error)


def test_every_collision_is_counted(tmp_path: Path, make: Make) -> None:
    for name in "abc":
        make(tmp_path / "in" / f"{name}.png")
        make(tmp_path / "in" / f"{name}.gif.png").rename(tmp_path / "in" / f"{name}.gif")
    with pytest.raises(UsageError, match=r"2 more such pairs\); rename"):
        plan([tmp_path / "in"], tmp_path / "out", Options())


def test_why_there_are_no_images(tmp_path: Path, make: Make) -> None:
    """They lie deeper, or are none by their names."""
    make(tmp_path / "in" / "deeper" / "a.png")
    with pytest.raises(InputError, match="leave out --no-recursive"):
        plan([tmp_path / "in"], tmp_path / "out", Options(recursive=False))
    bare = make(tmp_path / "a.png").rename(tmp_path / "a")
    with pytest.raises(InputError, match="is no image by its name; imgclean reads files that end"):
        plan([bare], tmp_path / "out", Options())


def test_equal_size_and_time_are_no_proof(tmp_path: Path) -> None:
    """With kept times a crash before the rename leaves the old output, of one size and time."""
    target, temporary = tmp_path / "a.bmp", tmp_path / "temporary"
    journal = Journal(tmp_path)
    target.write_bytes(b"old")
    temporary.write_bytes(b"new")
    for path, key in ((target, "old"), (temporary, "new")):
        os.utime(path, (1, 1))
        journal.add(target, path, key, {})
    assert journal.check(target, "new")[0] == "stale"
    assert journal.check(target, "old")[0] == "done"
    journal.close()


def test_a_crash_before_the_rename_claims_nothing(
    tmp_path: Path, make: Make, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between journal line and rename, the file is redone; leftovers are swept."""
    make(tmp_path / "in" / "a.png")

    def die(self: Writer) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "commit", die)
        patch.setattr(Writer, "discard", lambda self: None)
        with pytest.raises(KeyboardInterrupt):
            clean(tmp_path / "in", tmp_path / "out", tiny)
    assert any(name.endswith(".imgclean-tmp") for name in files(tmp_path / "out"))
    assert clean(tmp_path / "in", tmp_path / "out", tiny)["a.png"].status == "done"
    assert files(tmp_path / "out") == [JOURNAL, "a.png"]


def test_our_own_defects_are_not_hidden(
    tmp_path: Path, make: Make, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that is not the user's keeps its type and ends the run."""
    make(tmp_path / "in" / "a.png")
    monkeypatch.setattr(module, "estimate_sigma", lambda pixels: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        clean(tmp_path / "in", tmp_path / "out", tiny)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("9 bytes"),
        cv2.error("OpenCV(5) alloc.cpp:73:\n error: (-4:Insufficient memory) 9 bytes\n"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"),
    ],
)
def test_a_file_without_memory_fails_alone(
    tmp_path: Path, make: Make, tiny: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whichever library wants it; what else they raise is a defect of ours."""
    make(tmp_path / "in" / "a.png", 40, 30)
    make(tmp_path / "in" / "b.png", 50, 30)

    def fails(pixels: Any) -> float:
        if pixels.shape[1] == 40:
            raise error
        return estimate_sigma(pixels)

    monkeypatch.setattr(module, "estimate_sigma", fails)
    outcomes = clean(tmp_path / "in", tmp_path / "out", tiny)
    assert outcomes["b.png"].status == "done"
    told = r"a\.png: not enough memory \(.*9 bytes\); use a smaller --tile or --workers 1$"
    assert re.search(told, str(outcomes["a.png"].error))
    error = cv2.error("an assertion")
    with pytest.raises(cv2.error, match="an assertion"):
        clean(tmp_path / "in", tmp_path / "other", tiny)


@pytest.mark.parametrize(
    ("number", "failures"), [(errno.ENOSPC, 1), (errno.EROFS, 1), (errno.EACCES, 4)]
)
def test_only_a_full_or_read_only_disk_ends_the_run(
    tmp_path: Path,
    make: Make,
    tiny: str,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    failures: int,
) -> None:
    """Where nothing fits any more no further file is cleaned in vain; other failures stand alone.

    Each says why, and nothing is left over.
    """
    for index in range(4):
        make(tmp_path / "in" / f"{index}.png")

    def failing(self: Writer) -> None:
        why = OSError(number, os.strerror(number))
        raise OutputError(f"{self.target}: cannot be written ({why.strerror})") from why

    monkeypatch.setattr(Writer, "finish", failing)
    options = Options(model=tiny, device="cpu", workers=1)
    run = Run(plan([tmp_path / "in"], tmp_path / "out", options), options)
    outcomes = list(run)
    assert [outcome.status for outcome in outcomes] == ["failed"] * failures
    assert all(os.strerror(number) in str(outcome.error) for outcome in outcomes)
    assert bool(run.full) == (failures == 1)
    assert files(tmp_path / "out") == [JOURNAL]
    if run.full:
        with pytest.raises(OutputError, match=f"disk {run.full}, 0 of 4 files are done"):
            denoise_folder(tmp_path / "in", tmp_path / "out", progress=False, **vars(options))


def test_private_files_stay_private(tmp_path: Path, make: Make, tiny: str) -> None:
    """A result may be read by whom its source may be, or the file whose place it takes."""
    for name, mode in (("a.png", 0o600), ("b.png", 0o444), ("c.png", 0o640)):
        make(tmp_path / "in" / name).chmod(mode)
    before = os.umask(0o022)
    try:
        clean(tmp_path / "in", tmp_path / "out", tiny, compare=True)
        out = tmp_path / "out"
        modes = [(out / name).stat().st_mode & 0o777 for name in ("a.png", "b.png", "c.png")]
        assert modes == [0o600, 0o644, 0o640]
        assert (out / "a.compare.jpg").stat().st_mode & 0o777 == 0o600
        (out / "a.png").chmod(0o660)
        clean(tmp_path / "in", out, tiny, strength=0.5)
        assert (out / "a.png").stat().st_mode & 0o777 == 0o660
    finally:
        os.umask(before)


def test_a_folder_that_may_not_be_written(
    tmp_path: Path, make: Make, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused as a whole, though its journal could be written."""
    source = make(tmp_path / "in" / "a.png")
    clean(source, tmp_path / "out", tiny)
    monkeypatch.setattr("imgclean.journal.os.access", lambda path, how: False)
    with pytest.raises(OutputError, match="Permission denied"):
        clean(source, tmp_path / "out", tiny)


def test_a_journal_written_by_others(tmp_path: Path, make: Make, tiny: str) -> None:
    """Places kept that are none are not taken over."""
    source = make(tmp_path / "in" / "a.png")
    clean(source, tmp_path / "out", tiny)
    journal = tmp_path / "out" / JOURNAL
    text = journal.read_text().replace('"kept": []', '"kept": [{"foo": 1}]')
    journal.write_text(text.replace('"streaks": 0', '"streaks": null'))
    again = clean(source, tmp_path / "out", tiny)["a.png"]
    assert again.status == "skipped" and again.kept == () and again.streaks == 0


def test_inputs_may_be_any_iterable(tmp_path: Path, make: Make, tiny: str) -> None:
    make(tmp_path / "in" / "a.png")
    found: Any = (tmp_path / "in").glob("*.png")
    outcomes = denoise_folder(found, tmp_path / "out", model=tiny, device="cpu", progress=False)
    assert [outcome.status for outcome in outcomes] == ["done"]


@pytest.mark.parametrize("inputs", ["", ["a", ""]])
def test_empty_names_are_refused(tmp_path: Path, inputs: str | list[str]) -> None:
    """Which a Path would take for the current folder."""
    with pytest.raises(UsageError, match="names no folder"):
        denoise_folder(inputs, tmp_path / "out")


def test_calls_that_are_wrong_say_what_is_right(tmp_path: Path) -> None:
    """In errors of ours, not in Python's."""
    for call, told in (
        (lambda: denoise_folder([], tmp_path), "no inputs"),
        (lambda: denoise_folder(b"in", tmp_path), "is no path"),  # type: ignore[arg-type]
        (lambda: denoise_folder("in", None), "out None: is no path"),  # type: ignore[arg-type]
        (lambda: denoise_folder("in", tmp_path, modell="scan"), "modell: is no option"),
        (lambda: denoise_folder("in", tmp_path, limit_memory="2G"), "of bytes"),
        (lambda: imgclean.load(None), "give the name of weights"),  # type: ignore[arg-type]
    ):
        with pytest.raises(imgclean.ImgcleanError, match=told):
            call()


def test_output_folder_that_cannot_be_made(tmp_path: Path, make: Make, tiny: str) -> None:
    """An output folder below a file is refused as a whole."""
    source = make(tmp_path / "in" / "a.png")
    with pytest.raises(OutputError, match=r"cannot be written \(Not a directory"):
        clean(source, source / "out", tiny)
    options = Options(model=tiny, device="cpu")
    with pytest.raises(OutputError, match="cannot be written"):
        Run(plan([source], source / "out", options), options, dry=True)


def test_two_runs_into_one_folder(tmp_path: Path, make: Make, tiny: str) -> None:
    """A second run into the same folder is refused while the first one works."""
    make(tmp_path / "in" / "a.png")
    options = Options(model=tiny, device="cpu")
    first = Run(plan([tmp_path / "in"], tmp_path / "out", options), options)
    with pytest.raises(UsageError, match="another imgclean"):
        clean(tmp_path / "in", tmp_path / "out", tiny)
    first.abort()
    assert clean(tmp_path / "in", tmp_path / "out", tiny)["a.png"].status == "done"


def test_keep_times(tmp_path: Path, make: Make, tiny: str) -> None:
    """--keep-times gives the output its source's modification time."""
    source = make(tmp_path / "in" / "a.png")
    os.utime(source, (1_000_000_000, 1_000_000_000))
    clean(source, tmp_path / "out", tiny, keep_times=True)
    assert (tmp_path / "out" / "a.png").stat().st_mtime == 1_000_000_000
    assert clean(source, tmp_path / "out", tiny, keep_times=True)["a.png"].status == "skipped"


def test_a_copy_of_the_source_is_no_result(tmp_path: Path, make: Make, tiny: str) -> None:
    """With --keep-times it has the result's size and time where nothing is compressed."""
    source, target = make(tmp_path / "a.bmp"), tmp_path / "out" / "a.bmp"
    for keep_times in (True, False):
        clean(source, tmp_path / "out", tiny, keep_times=True, overwrite=True)
        assert target.stat().st_size == source.stat().st_size
        shutil.copy2(source, target)
        refused = clean(source, tmp_path / "out", tiny, keep_times=keep_times)["a.bmp"]
        assert refused.status == "failed" and "not as imgclean made it" in str(refused.error)


def test_ordinary_results_are_known_by_size_and_time(
    tmp_path: Path, make: Make, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second run reads none of them."""
    source = make(tmp_path / "a.png")
    clean(source, tmp_path / "out", tiny)
    monkeypatch.setattr(journals, "file_digest", None)
    assert clean(source, tmp_path / "out", tiny)["a.png"].status == "skipped"


def test_compare(tmp_path: Path, make: Make, tiny: str) -> None:
    """--compare writes noisy left and denoised right, also for files that were done."""
    source = make(tmp_path / "in" / "a.png", 60, 40)
    clean(source, tmp_path / "out", tiny)
    assert clean(source, tmp_path / "out", tiny, compare=True)["a.png"].status == "done"
    sheet, noisy = read(tmp_path / "out" / "a.compare.jpg").astype(int), read(source).astype(int)
    assert sheet.shape == (40, 124, 3)
    assert np.abs(sheet[:, :60] - noisy).mean() < np.abs(sheet[:, 64:] - noisy).mean()
    assert clean(source, tmp_path / "out", tiny, compare=True)["a.png"].status == "skipped"


def test_comparisons_are_outputs_like_others(tmp_path: Path, make: Make, tiny: str) -> None:
    """A comparison replaces no foreign file, is redone when stale, and collides by name."""
    source, out = make(tmp_path / "in" / "a.png"), tmp_path / "out"
    mine = make(out / "a.compare.jpg", seed=7)
    before = mine.read_bytes()
    refused = clean(source, out, tiny, compare=True)["a.png"]
    assert refused.status == "failed" and "a.compare.jpg" in str(refused.error)
    assert mine.read_bytes() == before and not (out / "a.png").exists()
    mine.unlink()
    clean(source, out, tiny, compare=True)
    first = mine.read_bytes()
    clean(source, out, tiny, strength=0.2)
    second = mine.read_bytes()
    assert second != first  # it would show a result that is there no more
    assert clean(source, out, tiny, strength=0.2, compare=True)["a.png"].status == "skipped"
    mine.write_bytes(b"mine now")
    clean(source, out, tiny, strength=0.4)
    assert mine.read_bytes() == b"mine now"
    mine.unlink()
    clean(source, out, tiny, strength=0.3)
    assert not mine.exists()
    clean(source, out, tiny, strength=0.3, compare=True)
    third = mine.read_bytes()
    other = make(tmp_path / "other" / "a.png", seed=9)
    clean(other, out, tiny, strength=0.3, overwrite=True)
    assert mine.read_bytes() != third


def test_a_crash_leaves_no_comparison_outdated(
    tmp_path: Path, make: Make, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a run fails between a result and its comparison the next one makes both."""
    source, out = make(tmp_path / "in" / "a.png"), tmp_path / "out"
    clean(source, out, tiny, compare=True)
    first = (out / "a.compare.jpg").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(module, "_side_by_side", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            clean(source, out, tiny, strength=0.4)
    assert (out / "a.compare.jpg").read_bytes() == first
    assert clean(source, out, tiny, strength=0.4)["a.png"].status == "done"
    assert (out / "a.compare.jpg").read_bytes() != first
    assert clean(source, out, tiny, strength=0.4)["a.png"].status == "skipped"
    make(tmp_path / "in" / "a.jpg")
    with pytest.raises(UsageError, match="--compare"):
        plan([tmp_path / "in"], out, Options(compare=True))


def test_a_failed_file_leaves_no_comparison(tmp_path: Path, tiny: str) -> None:
    """Where a later page is damaged nothing of the file is written."""
    source = tmp_path / "in" / "scan.tif"
    source.parent.mkdir()
    page = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    assert cv2.imwritemulti(str(source), [page, page])
    source.write_bytes(source.read_bytes()[:-40])
    assert clean(source, tmp_path / "out", tiny, compare=True)["scan.tif"].status == "failed"
    assert files(tmp_path / "out") == [JOURNAL]


def test_multi_page_tiff(tmp_path: Path, tiny: str) -> None:
    """Every page is cleaned and written, whatever its size; one damaged page fails the file."""
    rng = np.random.default_rng(0)
    pages = [rng.integers(0, 256, (30 + 5 * k, 40, 3), np.uint8) for k in range(3)]
    source = tmp_path / "in" / "scan.tif"
    source.parent.mkdir()
    assert cv2.imwritemulti(str(source), pages)
    outcome = clean(source, tmp_path / "out", tiny, precision="fp32")["scan.tif"]
    assert outcome.status == "done" and outcome.pages == 3
    _, written = cv2.imreadmulti(str(tmp_path / "out" / "scan.tif"))
    denoiser = load(tiny, device="cpu", precision="fp32")
    assert len(written) == 3
    for page, result in zip(pages, written, strict=True):
        assert np.array_equal(result[..., ::-1], denoiser(np.ascontiguousarray(page[..., ::-1])))


@pytest.mark.parametrize(
    "name", ["with space.png", "quo\"te's.png", "new\nline.png", "emoji 🎞.png", "bad\udcff.png"]
)
def test_names_survive(tmp_path: Path, make: Make, tiny: str, name: str) -> None:
    """Any name that the file system allows goes through, invalid UTF-8 too."""
    clear = make(tmp_path / "plain.png")
    source = tmp_path / "in" / name
    source.parent.mkdir()
    clear.rename(source)
    outcome = clean(tmp_path / "in", tmp_path / "out", tiny)[name]
    assert outcome.status == "done"
    assert name in {path.name for path in (tmp_path / "out").iterdir()}
    assert json.loads(json.dumps(str(outcome.job.source))) == str(source)


def test_link_to_its_own_parent(tmp_path: Path, make: Make, tiny: str) -> None:
    """A loop of links is walked once."""
    make(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    assert list(clean(tmp_path / "in", tmp_path / "out", tiny)) == ["a.png"]


def test_bombs_are_refused(tmp_path: Path, make: Make, tiny: str) -> None:
    """An image over the limit is refused by its header, and the limit can be raised."""
    source = make(tmp_path / "in" / "big.png", 100, 100)
    refused = clean(source, tmp_path / "out", tiny, max_pixels=9_999)["big.png"]
    assert refused.status == "failed" and "--max-pixels" in str(refused.error)
    assert clean(source, tmp_path / "out", tiny, max_pixels=10_000)["big.png"].status == "done"


def test_memory_limits(tmp_path: Path, make: Make, tiny: str) -> None:
    """--limit-memory must leave room to work; an image that cannot fit fails alone."""
    source = make(tmp_path / "in" / "a.png")
    with pytest.raises(UsageError, match="--limit-memory"):
        clean(source, tmp_path / "out", tiny, limit_memory=100_000_000)
    assert clean(source, tmp_path / "out", tiny, limit_memory=10**9)["a.png"].status == "done"
    make(tmp_path / "in" / "large.png", 300, 300)
    options = Options(model=tiny, limit_memory=10**9)
    run = Run(plan([tmp_path / "in"], tmp_path / "both", options), options)
    run._budget.limit = 100_000
    outcomes = {outcome.job.source.name: outcome for outcome in run}
    assert outcomes["a.png"].status == "done" and outcomes["large.png"].status == "failed"
    assert "raise --limit-memory" in str(outcomes["large.png"].error)


def test_the_memory_that_is_said_to_suffice_does(tmp_path: Path, tiny: str) -> None:
    """An image that cannot fit names a limit under which it does, in a dry run too."""
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((6000, 7000, 3), np.uint8))

    def planned(limit: int) -> Any:
        options = Options(model=tiny, safe=True, limit_memory=limit)
        run = Run(plan([path], tmp_path / "out", options), options, dry=True)
        return next(iter(run))

    refused = planned(800_000_000)
    assert refused.status == "failed"
    found = re.search(r"a\.png: needs (\d\.\d)G; raise --limit-memory", str(refused.error))
    assert found, refused.error
    enough = round(float(found[1]) * 10) * 100_000_000
    assert planned(enough).status == "done"
    assert planned(enough - 100_000_000).status == "failed"


def test_a_closed_network_answers(make: Make, tiny: str) -> None:
    """Whoever comes after the end is told, and does not wait for ever."""
    one_thread = network.Network({"tiny": load(tiny, device="cpu", precision="fp32")}, 1.0)
    one_thread.close(wait=True)
    with pytest.raises(network.Stopped):
        one_thread.clean(np.zeros((8, 8, 3), np.uint8), "tiny")


def test_strength_zero_needs_no_network(
    tmp_path: Path, make: Make, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is to change nothing is computed, not even which precision is faster."""
    make(tmp_path / "in" / "a.png")
    monkeypatch.setattr(Denoiser, "precision", property(lambda self: 1 / 0))
    outcome = clean(tmp_path / "in", tmp_path / "out", tiny, strength=0.0)["a.png"]
    assert outcome.status == "done"


def test_a_giant_image_makes_freed_memory_return(
    tmp_path: Path, make: Make, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Freed memory is given back from a size on, or where memory is limited, and not before."""
    asked: list[int] = []
    monkeypatch.setattr("imgclean.denoise.return_freed", lambda: asked.append(1))
    source = make(tmp_path / "in" / "a.png")
    clean(source, tmp_path / "small", tiny)
    assert not asked
    monkeypatch.setattr("imgclean.denoise._HUGE", 1000)
    clean(source, tmp_path / "giant", tiny)
    assert len(asked) == 1
    monkeypatch.setattr("imgclean.denoise._HUGE", 1_000_000)
    clean(source, tmp_path / "limited", tiny, limit_memory=3_000_000_000)
    assert len(asked) == 2


def test_every_page_counts_for_memory(tmp_path: Path, tiny: str) -> None:
    """A TIFF takes room for its largest page, not for its first."""
    source = tmp_path / "scan.tif"
    pages = [np.zeros((8, 8, 3), np.uint8), np.zeros((50, 60, 3), np.uint8)]
    assert cv2.imwritemulti(str(source), pages)
    options = Options(model=tiny, device="cpu")
    run = Run(plan([source], tmp_path / "out", options), options)
    with Reader(source) as reader:
        assert run._reserve(reader, run.plan.jobs[0]) >= 50 * 60 * 3
    run.abort()


def test_dry_run_writes_nothing(tmp_path: Path, make: Make, tiny: str) -> None:
    """A dry run says what would be done, skipped and refused, and leaves no trace."""
    make(tmp_path / "in" / "a.png")
    options = Options(model=tiny, device="cpu")
    work = plan([tmp_path / "in"], tmp_path / "out", options)
    assert [o.status for o in Run(work, options, dry=True)] == ["done"]
    assert not (tmp_path / "out").exists()


def test_one_bad_image_in_a_batch(
    tmp_path: Path, make: Make, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a shared batch fails, only the image at fault does."""
    for index in range(6):
        make(tmp_path / "in" / f"{index}.png", 40 + index, 30)
    whole = Denoiser.clean

    def picky(self: Denoiser, images: list[Any], strength: float = 1.0) -> list[int]:
        if any(image.shape[1] == 43 for image in images):
            raise ImageError("the network's output is not finite")
        return whole(self, images, strength)

    monkeypatch.setattr(Denoiser, "clean", picky)
    outcomes = clean(tmp_path / "in", tmp_path / "out", tiny, batch_size=4, workers=4)
    assert {n: o.status for n, o in outcomes.items() if o.status == "failed"} == {"3.png": "failed"}
    assert "3.png" in str(outcomes["3.png"].error)


def test_a_batch_that_fails_half_way_cleans_nothing_twice(
    tmp_path: Path, make: Make, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images that were cleaned before their batch failed start again from their own pixels."""
    whole = Denoiser.clean

    def failing_late(self: Denoiser, images: list[Any], strength: float = 1.0) -> list[int]:
        streaks = whole(self, images, strength)
        if len(images) > 1:
            raise ImageError("the network's output is not finite")
        return streaks

    denoiser = load(tiny, device="cpu", precision="fp32", batch_size=4)
    expected = [denoiser(read(make(tmp_path / f"{k}.png", seed=k))) for k in range(2)]
    monkeypatch.setattr(Denoiser, "clean", failing_late)
    one_thread = network.Network({"tiny": denoiser}, 1.0)
    requests = [network._Request(read(tmp_path / f"{k}.png").copy(), "tiny") for k in range(2)]
    one_thread._clean(requests)
    one_thread.close()
    for request, pixels in zip(requests, expected, strict=True):
        assert np.array_equal(request.pixels, pixels)


class _Eraser(Denoiser):
    """A network that wipes the lower half of every image white."""

    def clean(self, images: Sequence[Any], strength: float = 1.0) -> list[int]:
        for image in images:
            image[len(image) // 2 :] = np.iinfo(image.dtype).max
        return [0] * len(images)


def page(level: int = 255) -> NDArray[np.uint8]:
    """Two halves of text on paper of this brightness, H x W x 3."""
    sheet = np.full((320, 480, 3), level, np.uint8)
    for y in range(30, 320, 40):
        text = "The quick brown fox jumps over it"
        cv2.putText(sheet, text, (10, y), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2, cv2.LINE_AA)
    return sheet


def put(path: Path, *pages: NDArray[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwritemulti(str(path), pages)
    return path


def scanned(inputs: Path | list[Path], out: Path, **options: Any) -> dict[str, Outcome]:
    """Outcomes with the shipped weights for scans."""
    return clean(inputs, out, "scan", **options)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_erased_text_survives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: type[np.generic]
) -> None:
    """Text that the network erases is in the output, and the outcome says where."""
    monkeypatch.setattr("imgclean.restore.Denoiser", _Eraser)
    first, second = page(200), page(210)
    factor = 257 if depth is np.uint16 else 1
    pages = [(p.astype(depth) * factor).astype(depth) for p in (first, second)]
    source = put(tmp_path / "in" / "a.tif", *pages)
    outcome = scanned(source, tmp_path / "out")["a.tif"]
    assert outcome.status == "done" and {kept.page for kept in outcome.kept} == {0, 1}
    assert all(kept.strength in (0, 0.5) and kept.box[3] > 160 for kept in outcome.kept)
    written = cv2.imreadmulti(str(tmp_path / "out" / "a.tif"), flags=cv2.IMREAD_UNCHANGED)[1]
    for before, after in zip(pages, written, strict=True):
        ink = (before < 60 * factor) & (np.arange(320) > 180)[:, None, None]
        bare = (before >= 200 * factor) & (np.arange(320) > 180)[:, None, None]
        assert float(after[bare].mean() - after[ink].mean()) > 60 * factor
    again = scanned(source, tmp_path / "out")["a.tif"]
    assert again.status == "skipped" and again.kept == outcome.kept
    unsafe = scanned(source, tmp_path / "out", safe=False)["a.tif"]
    assert unsafe.status == "done" and unsafe.kept == ()
    assert (read(tmp_path / "out" / "a.tif")[160:] == 255).all()


def test_the_gate_is_for_scans_unless_asked_for(
    tmp_path: Path, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other weights are guarded with --safe only."""
    monkeypatch.setattr("imgclean.restore.Denoiser", _Eraser)
    source = put(tmp_path / "in" / "a.tif", page(200))
    assert clean(source, tmp_path / "out", tiny)["a.tif"].kept == ()
    assert clean(source, tmp_path / "out", tiny, safe=True)["a.tif"].kept != ()


def test_the_gate_is_for_all_weights_for_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever they are called: `train --init scan` makes some."""
    monkeypatch.setattr("imgclean.restore.Denoiser", _Eraser)
    mine = shutil.copy(data_folder("weights") / "scan.safetensors", tmp_path / "mine.safetensors")
    source = put(tmp_path / "in" / "a.tif", page(200))
    assert clean(source, tmp_path / "out", str(mine))["a.tif"].kept != ()


def test_pages_of_one_bit_are_guarded(
    tmp_path: Path, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With any weights: what a network makes grey would be cut to black or white."""
    monkeypatch.setattr("imgclean.restore.Denoiser", _Eraser)
    plane = np.where(page()[..., 0] > 127, 255, 0).astype(np.uint8)
    plane[np.random.default_rng(0).random(plane.shape) < 0.01] = 0  # not clean already
    Pillow.fromarray(plane).convert("1").save(tmp_path / "a.tif", compression="group4")
    assert clean(tmp_path / "a.tif", tmp_path / "out", tiny)["a.tif"].kept != ()
    assert np.mean(read(tmp_path / "out" / "a.tif")[..., 0] != plane) < 0.03
    assert clean(tmp_path / "a.tif", tmp_path / "out", tiny, safe=False)["a.tif"].kept == ()


@pytest.mark.parametrize(
    ("model", "strength", "sampling"), [("scan", 1, "444"), ("scan", 0, "420"), ("photo", 1, "420")]
)
def test_pages_keep_their_colour(
    tmp_path: Path, model: str, strength: float, sampling: str
) -> None:
    """Whatever the JPEG's resolution in colour was, that of a page that was cleaned is full."""
    source = tmp_path / "a.jpg"
    Pillow.fromarray(page(200)).save(source, quality=95, subsampling="4:2:0")
    options = {"strength": strength, "quality": 92}
    assert clean(source, tmp_path / "out", model, **options)["a.jpg"].status == "done"
    with Reader(tmp_path / "out" / "a.jpg") as reader:
        assert reader.page(0).info.sampling == sampling


def test_the_forecast_counts_transparency(tmp_path: Path, tiny: str) -> None:
    """What has an alpha takes a third more than what has none; what is refused takes nothing."""
    found = []
    for name, channels in (("a", 3), ("b", 4)):
        path = tmp_path / f"{name}.png"
        assert cv2.imwrite(str(path), np.zeros((2000, 2000, channels), np.uint8))
        options = Options(model=tiny, workers=1)
        run = Run(plan([path], tmp_path / "out", options), options, dry=True)
        assert [outcome.status for outcome in run] == ["done"]
        found.append(run._largest)
    assert found[1] == pytest.approx(4 / 3 * found[0], rel=1e-3)


def test_streaks_are_counted(tmp_path: Path) -> None:
    """Over all pages and channels as lines; a second run knows them from the journal."""
    sheet = np.repeat(scan(height=1100), 3, axis=2)
    dirty = streaked(sheet, {33: 0.3, 371: 0.5})
    source = put(tmp_path / "in" / "a.tif", dirty, sheet, dirty)
    assert scanned(source, tmp_path / "out")["a.tif"].streaks == 4
    again = scanned(source, tmp_path / "out")["a.tif"]
    assert again.status == "skipped" and again.streaks == 4
    assert scanned(source, tmp_path / "half", strength=0)["a.tif"].streaks == 0
    assert clean(source, tmp_path / "photo", "photo")["a.tif"].streaks == 0


def test_large_inputs_are_set_aside_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit in memory twice is guarded just as well, and leaves no file."""
    monkeypatch.setattr("imgclean.restore.Denoiser", _Eraser)
    source = put(tmp_path / "in" / "a.tif", page(200))
    expected = scanned(source, tmp_path / "out")["a.tif"].kept
    monkeypatch.setattr(module, "_ASIDE", 1000)
    assert scanned(source, tmp_path / "other")["a.tif"].kept == expected
    assert read(tmp_path / "other" / "a.tif").tolist() == read(tmp_path / "out" / "a.tif").tolist()
    assert files(tmp_path / "other") == [JOURNAL, "a.tif"]


def test_clean_pages_stay_as_they_are(tmp_path: Path) -> None:
    """A clean page is copied byte for byte; a second run skips it; --no-safe cleans it."""
    source = tmp_path / "in" / "a.jpg"
    source.parent.mkdir()
    assert cv2.imwrite(str(source), page(), [cv2.IMWRITE_JPEG_QUALITY, 97])
    outcome = scanned(source, tmp_path / "out")["a.jpg"]
    assert outcome.status == "clean" and outcome.kept == ()
    assert (tmp_path / "out" / "a.jpg").read_bytes() == source.read_bytes()
    assert scanned(source, tmp_path / "out")["a.jpg"].status == "skipped"
    assert scanned(source, tmp_path / "out", strength=0.5)["a.jpg"].status == "clean"
    assert scanned(source, tmp_path / "out", safe=False)["a.jpg"].status == "done"
    assert (tmp_path / "out" / "a.jpg").read_bytes() != source.read_bytes()
    path = str(locate("scan"))  # the same weights by their path
    assert clean(source, tmp_path / "other", path)["a.jpg"].status == "clean"


@pytest.mark.parametrize("options", [{"format": "png"}, {"output_mode": "grey"}, {"quality": 50}])
def test_clean_pages_are_converted_without_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    """Another format or form of a clean page has the page's own pixels."""
    monkeypatch.setattr("imgclean.restore.Denoiser", _Eraser)
    source = tmp_path / "in" / "a.jpg"
    source.parent.mkdir()
    assert cv2.imwrite(str(source), page(), [cv2.IMWRITE_JPEG_QUALITY, 97])
    outcome = scanned(source, tmp_path / "out", **options)["a.jpg"]
    assert outcome.status == "clean"
    written = outcome.job.target
    assert written.read_bytes() != source.read_bytes()
    assert np.abs(read(written).astype(int) - read(source)).mean() < 5, "half erased is over 15"


def test_a_file_is_clean_if_all_its_pages_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One dirty page makes a TIFF be written anew, its clean pages with their own pixels."""
    monkeypatch.setattr("imgclean.restore.Denoiser", _Eraser)
    both = put(tmp_path / "in" / "both.tif", page(), page())
    mixed = put(tmp_path / "in" / "mixed.tif", page(), page(200))
    outcomes = scanned([both, mixed], tmp_path / "out", safe=True)
    assert {n: o.status for n, o in outcomes.items()} == {"both.tif": "clean", "mixed.tif": "done"}
    assert (tmp_path / "out" / "both.tif").read_bytes() == both.read_bytes()
    assert np.array_equal(read(tmp_path / "out" / "mixed.tif"), page())


def page_of(path: Path, number: int) -> Any:
    with Reader(path) as reader:
        return np.array(reader.page(number).pixels)


def overlap(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two boxes of left, top, right and bottom share a pixel."""
    return all(one[k] < other[k + 2] and other[k] < one[k + 2] for k in (0, 1))


def test_noisy_samples_are_not_clean(tmp_path: Path) -> None:
    """Every noisy sample page is cleaned, no clean one is, and no ink is missing in any.

    Hairs and rings that the network removes look like pen strokes: some come back by half, but only
    where the true clean page, as a result, would be missing them too.
    """
    samples = Path(__file__).parent.parent / "sample_data"
    noisy = scanned(samples / "noisy" / "scans", tmp_path / "noisy")
    assert {o.status for o in noisy.values()} == {"done"}
    kept = [(name, place) for name, o in noisy.items() for place in o.kept]
    assert {name for name, _ in kept} <= {"letter.tif", "stains.jpg"}
    for name, place in kept:
        assert place.strength == 0.5
        pages = [samples / side / "scans" / name for side in ("noisy", "clean")]
        dirty, true = (page_of(path, place.page) for path in pages)
        assert any(overlap(place.box, dirt.box) for dirt in protect(dirty, true)[1])
    spotless = scanned(samples / "clean" / "scans", tmp_path / "clean")
    assert {o.status for o in spotless.values()} == {"clean"}


def test_auto_records_its_choice(tmp_path: Path, make: Make) -> None:
    """Auto says for each image which weights it took; noise is no page, so photo."""
    source = make(tmp_path / "in" / "a.png", 64, 64)
    options = Options(device="cpu")
    work = plan([source], tmp_path / "out", options)
    outcome = next(iter(Run(work, options)))
    assert outcome.model == "photo"
    assert outcome.sigma is not None and outcome.sigma > 10
    assert replace(outcome, seconds=0).width == 64


def test_blank_backs_are_scans_too(tmp_path: Path) -> None:
    """A blank page alone could be a sky; in a file beside a scanned one it is paper."""
    rng = np.random.default_rng(4)
    page = Path(__file__).parents[1] / "sample_data" / "clean" / "scans" / "folds.png"
    text = np.asarray(cv2.imread(str(page), cv2.IMREAD_GRAYSCALE))[..., None] * (236 / 255)
    blank = np.full(text.shape, 236.0)
    sheets = [
        np.clip((sheet + rng.normal(0, 3, sheet.shape)).round(), 0, 255).astype(np.uint8)
        for sheet in (blank, text, blank)
    ]
    source = put(tmp_path / "in" / "a.tif", *sheets)
    outcome = clean(source, tmp_path / "out", "auto")["a.tif"]
    assert outcome.status == "done" and outcome.model == "scan"
    pages = cv2.imreadmulti(str(tmp_path / "out" / "a.tif"), flags=cv2.IMREAD_UNCHANGED)[1]
    assert [np.median(page) >= 254 for page in pages] == [True, True, True]


@pytest.mark.slow
def test_interrupt_and_continue(tmp_path: Path, make: Make) -> None:
    """Ctrl-C ends within seconds with 130, leaves nothing partial, and the rest continues."""
    for index in range(12):
        make(tmp_path / "in" / f"{index}.png", 1500, 1000, seed=index)
    command = [sys.executable, "-m", "imgclean", "denoise", str(tmp_path / "in")]
    command += ["--out", str(tmp_path / "out"), "--json", "--model", "photo"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=heed_interrupts
    )
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "out").glob("*.png"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    document = json.loads(output)
    done = len(list((tmp_path / "out").glob("*.png")))
    assert 2 <= done < 12
    assert not list((tmp_path / "out").glob(".*tmp"))
    again = subprocess.run(command, capture_output=True, check=True)
    summary = json.loads(again.stdout)["summary"]
    assert summary["skipped"] == done and summary["done"] == 12 - done
    assert document["summary"]["done"] <= done


def test_a_living_run_keeps_its_files(tmp_path: Path, make: Make, tiny: str) -> None:
    """What a killed run left is removed, and what another run is writing stays."""
    source = make(tmp_path / "in" / "a.png")
    folder = tmp_path / "out" / "sub"
    folder.mkdir(parents=True)
    left = folder / ".b.png.0123456789ab.imgclean-tmp"
    left.write_bytes(b"")
    with Writer(folder / "c.png", format="png") as living:
        clean(source, folder, tiny)
        assert living.temporary.exists() and not left.exists()


@pytest.mark.parametrize(("least", "most"), [(0, 1), (0.1, 0.9), (-0.2, 3)])
def test_float_results_can_be_read_again(
    tmp_path: Path, tiny: str, least: float, most: float
) -> None:
    """The network's overshoot does not reach a floating-point file; its own highlights stay."""
    pixels = np.random.default_rng(0).random((40, 50, 3), np.float32)
    pixels = pixels * np.float32(most - least) + np.float32(least)
    cv2.imwrite(str(tmp_path / "a.tif"), pixels)
    first = clean(tmp_path / "a.tif", tmp_path / "one", tiny)["a.tif"]
    again = clean(tmp_path / "one" / "a.tif", tmp_path / "two", tiny)["a.tif"]
    assert first.status == again.status == "done"
    written: Any = cv2.imread(str(tmp_path / "one" / "a.tif"), cv2.IMREAD_UNCHANGED)
    assert written.dtype == np.float32
    assert written.min() >= min(0, pixels.min()) and written.max() <= max(1, pixels.max())
    assert most <= 1 or written.max() > 1.5


def test_damaged_pixels_are_told(tmp_path: Path, tiny: str) -> None:
    """A file that decodes in part is cleaned, and said to be damaged; sound ones are not."""
    rng = np.random.default_rng(0)
    pixels = cv2.resize(rng.integers(0, 255, (30, 40, 3)).astype(np.uint8), (800, 600))
    jpeg = bytearray(cv2.imencode(".jpg", pixels)[1].tobytes())
    put_file(tmp_path / "in" / "sound.jpg", bytes(jpeg))
    middle = len(jpeg) // 2
    jpeg[middle : middle + 512] = bytes(512)
    put_file(tmp_path / "in" / "broken.jpg", bytes(jpeg))
    image = pyvips.Image.new_from_array(pixels)
    for name in ("sound.tif", "broken.tif"):
        path = tmp_path / "in" / name
        image.tiffsave(str(path), compression="deflate", tile=True)
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 512] = bytes(512)
    path.write_bytes(data)
    outcomes = clean(tmp_path / "in", tmp_path / "out", tiny)
    assert {name: o.damaged for name, o in outcomes.items()} == {
        "sound.jpg": False, "broken.jpg": True, "sound.tif": False, "broken.tif": True,
    }  # fmt: skip
    again = clean(tmp_path / "in", tmp_path / "out", tiny)["broken.jpg"]
    assert again.status == "skipped" and again.damaged


def put_file(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_comparisons_are_upright(tmp_path: Path, tiny: str) -> None:
    """A photo taken on its side stands upright in the comparison, in its own colours."""
    picture = Pillow.fromarray(np.full((30, 60, 3), 99, np.uint8))
    exif = Pillow.Exif()
    exif[274] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture.save(tmp_path / "a.jpg", exif=exif, icc_profile=profile)
    clean(tmp_path / "a.jpg", tmp_path / "out", tiny, compare=True)
    with Pillow.open(tmp_path / "out" / "a.compare.jpg") as shown:
        assert shown.size == (30 + 4 + 30, 60) and shown.info["icc_profile"] == profile


def test_damaged_exif_is_compared(tmp_path: Path, make: Make, tiny: str) -> None:
    """Metadata that nobody can read costs neither its picture nor the others their comparison."""
    make(tmp_path / "in" / "good.png")
    picture = Pillow.fromarray(np.full((30, 60, 3), 99, np.uint8))
    picture.save(tmp_path / "in" / "bad.png", exif=b"II*\0\x08\0\0\0")
    outcomes = clean(tmp_path / "in", tmp_path / "out", tiny, compare=True)
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    assert (tmp_path / "out" / "bad.compare.jpg").exists()


def test_results_of_another_folder_stay(tmp_path: Path, make: Make, tiny: str) -> None:
    """A second folder's page1 does not replace the first one's, while that is still there."""
    out = tmp_path / "out"
    for number, month in enumerate(("jan", "feb")):
        make(tmp_path / month / "page1.png", 40, 30 + number)
    assert clean(tmp_path / "jan", out, tiny)["page1.png"].status == "done"
    first = (out / "page1.png").read_bytes()
    refused = clean(tmp_path / "feb", out, tiny)["page1.png"]
    assert refused.status == "failed" and "jan" in str(refused.error)
    assert (out / "page1.png").read_bytes() == first
    assert clean(tmp_path / "jan", out, tiny)["page1.png"].status == "skipped"
    assert clean(tmp_path / "jan", out, tiny, strength=0.5)["page1.png"].status == "done"
    (tmp_path / "jan").rename(tmp_path / "january")
    assert clean(tmp_path / "january", out, tiny)["page1.png"].status == "done"
    assert clean(tmp_path / "feb", out, tiny, overwrite=True)["page1.png"].status == "done"


@pytest.mark.parametrize("origin", ["\0", "\ud800"])
def test_a_source_that_no_path_can_be(tmp_path: Path, make: Make, tiny: str, origin: str) -> None:
    """In a damaged journal: no other image is there, so the result is renewed."""
    source, out = make(tmp_path / "a.png"), tmp_path / "out"
    clean(source, out, tiny)
    line = json.loads((out / JOURNAL).read_text())
    (out / JOURNAL).write_text(json.dumps(line | {"source": origin}) + "\n")
    assert clean(source, out, tiny, strength=0.5)["a.png"].status == "done"


def test_copies_of_a_project_go_on(tmp_path: Path, make: Make, tiny: str) -> None:
    """Inputs and results copied together belong together, whatever became of the first ones."""
    make(tmp_path / "one" / "in" / "a.png")
    clean(tmp_path / "one" / "in", tmp_path / "one" / "out", tiny)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    two = tmp_path / "two"
    assert clean(two / "in", two / "out", tiny, strength=0.5)["a.png"].status == "done"


def test_what_scripts_pass(tmp_path: Path, make: Make, tiny: str) -> None:
    """Paths and NumPy's numbers are as good as strings and Python's."""
    make(tmp_path / "in" / "a.jpg")
    numbers = {"strength": np.float32(0.5), "quality": np.int64(80), "safe": np.bool_(True)}
    numbers["keep_times"] = np.bool_(False)
    given = {"model": Path(tiny), "device": torch.device("cpu", 0), **numbers}
    given["workers"] = np.int32(1)
    assert clean(tmp_path / "in", tmp_path / "out", tiny, **given)["a.jpg"].status == "done"
    plain = {"strength": 0.5, "quality": 80, "safe": True}
    assert clean(tmp_path / "in", tmp_path / "out", tiny, **plain)["a.jpg"].status == "skipped"
    with pytest.raises(WeightsError, match="missing"):
        load(tmp_path / "missing.safetensors")


def test_the_package_offers_what_the_readme_names() -> None:
    """Modules named there are there after `import imgclean` alone."""
    code = "import imgclean; imgclean.safety.protect, imgclean.evaluate.Run"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "options",
    [
        {"workers": -1}, {"workers": 0}, {"quality": 500}, {"format": "jpeg"},
        {"output_mode": "gray"}, {"limit_memory": "2G"}, {"tile": 0}, {"tile": 63},
        {"strength": 2.0}, {"strength": None}, {"strength": "1"}, {"max_pixels": None},
        {"safe": "no"}, {"overwrite": 0}, {"workers": True}, {"model": None}, {"model": b"photo"},
    ],
)  # fmt: skip
def test_wrong_options_from_python(options: dict[str, Any]) -> None:
    """What the command line refuses is refused from Python too, before anything starts."""
    with pytest.raises(UsageError, match=next(iter(options))):
        Options(**options)


def test_messages_name_the_input(tmp_path: Path, tiny: str) -> None:
    """A file that its format cannot hold is told by the name that exists."""
    pixels = np.full((30, 30, 4), 99, np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    outcome = clean(tmp_path / "a.png", tmp_path / "out", tiny, format="jpg")["a.png"]
    assert str(outcome.error).startswith(f"{tmp_path / 'a.png'}: jpeg cannot hold transparency")


def test_a_run_is_iterated_once(tmp_path: Path, make: Make, tiny: str) -> None:
    """A second time would wait for ever. Until the first there is no thread that could be left."""
    options = Options(model=tiny)
    work = plan([make(tmp_path / "a.png")], tmp_path / "out", options)
    before = threading.active_count()
    stopped = Run(work, options)
    assert threading.active_count() == before
    stopped.abort()
    run = Run(work, options)
    assert [outcome.status for outcome in run] == ["done"]
    for used in (run, stopped):
        with pytest.raises(UsageError, match=r"out: this Run has run; make another"):
            next(iter(used))


def test_a_script_that_leaves_a_run_ends_in_peace(tmp_path: Path, make: Make) -> None:
    """Whether by an interrupt or a break: the interpreter waits for the network's last pass."""
    for index in range(4):
        make(tmp_path / "in" / f"{index}.png", 1500, 1000, seed=index)
    code = """
import sys
from pathlib import Path
from imgclean.denoise import Options, Run, plan
options = Options(model="photo", precision="fp32", workers=2)
work = plan([Path(sys.argv[1])], Path(sys.argv[2]), options)
for outcome in Run(work, options):
    break
"""
    call = [sys.executable, "-c", code, str(tmp_path / "in"), str(tmp_path / "out")]
    left = subprocess.run(call, capture_output=True, text=True, check=False)
    assert (left.returncode, left.stderr) == (0, "")


@pytest.mark.parametrize("how", ["array", "folder"])
def test_forked_processes_never_hang(tmp_path: Path, make: Make, tiny: str, how: str) -> None:
    """One computes in its own thread; where libvips could not work it says so at once."""
    source = make(tmp_path / "in" / "a.png", 200, 300)
    code = """
import os, sys
import numpy, imgclean
source, out, model, how = sys.argv[1:]
image = numpy.full((600, 600, 3), 99, numpy.uint8)
options = {"model": model, "device": "cpu", "progress": False}
denoiser = imgclean.load(model, device="cpu")
denoiser(image)
imgclean.denoise_folder(source, out, **options)
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
try:
    denoiser(image) if how == "array" else imgclean.denoise_folder(source, out + "2", **options)
except imgclean.errors.UsageError as error:
    print(error)
"""
    quiet = "ignore:This process:DeprecationWarning"  # of Python 3.12 and later: of any fork
    call = [sys.executable, "-W", quiet, "-c", code, str(source), str(tmp_path / "out"), tiny, how]
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("forked" in done.stdout) == (how == "folder")


def test_a_forked_process_leaves_its_parents_run(
    tmp_path: Path, make: Make, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end removes nothing that the parent is writing."""
    for index in range(3):
        make(tmp_path / "in" / f"{index}.png")
    reached, go_on = threading.Event(), threading.Event()
    finish = Writer.finish

    def slowly(writer: Writer) -> None:
        finish(writer)
        reached.set()
        assert go_on.wait(60)

    monkeypatch.setattr(Writer, "finish", slowly)
    options = Options(model=tiny, device="cpu", workers=1)
    run = Run(plan([tmp_path / "in"], tmp_path / "out", options), options)
    found: list[Outcome] = []
    reader = threading.Thread(target=lambda: found.extend(run))
    reader.start()
    assert reached.wait(60)
    child = os.fork()
    if not child:
        run.abort()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    go_on.set()
    reader.join()
    assert [outcome.status for outcome in found] == ["done"] * 3


@pytest.mark.parametrize("call", ["command", "function"])
def test_an_unset_folder_is_refused(tmp_path: Path, make: Make, call: str) -> None:
    """An empty --out, of a variable that was not set, is not the current folder."""
    source = make(tmp_path / "a.png")
    if call == "function":
        with pytest.raises(UsageError, match="names no folder"):
            denoise_folder(source, "")
        return
    done = subprocess.run(
        [sys.executable, "-m", "imgclean", "denoise", str(source), "--out", ""],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2 and '--out "": an empty argument' in done.stderr
    assert files(tmp_path) == ["a.png"]
