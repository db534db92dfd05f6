import importlib.util
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import cv2
import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from imgclean import run_options, tiled_network
from imgclean.alone import Risk
from imgclean.devices import resolve_device
from imgclean.errors import OutputError, UsageError
from imgclean.models import NAMES
from imgclean.processes import Processes, join
from imgclean.restore import Denoiser, load
from imgclean.run_options import Options, new_folder, read_options
from imgclean.runs import DivergedError, Epoch, MemoryShortError, Run
from imgclean.train import _replace
from imgclean.train_command import _is_lost
from imgclean.training_screen import TrainingScreen
from imgclean.verdict import verdict
from imgclean.weights import load_weights

from . import test_choose
from .conftest import Make, heed_interrupts
from .test_cli import imgclean
from .test_sources import digits

FAST: dict[str, Any] = {
    "epochs": 2, "steps_per_epoch": 3, "batch_size": 2, "patch": 16, "workers": 0,
    "device": "cpu", "precision": "fp32", "samples": 2, "noise": "gaussian:30",
}  # fmt: skip


@pytest.fixture
def photos(tmp_path: Path, make: Make) -> Path:
    """A folder of four small clean images."""
    for seed in range(4):
        make(tmp_path / "clean" / f"{seed}.png", 40, 32, seed=seed)
    return tmp_path / "clean"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the default network small: the code is the same."""
    tiny = {"widths": [8, 12, 16], "down": [1, 1], "bottom": 1, "up": [1, 1]}
    monkeypatch.setitem(NAMES, "unet-s", ("unet", tiny))
    yield


def train(folder: Path, data: Path | None, **options: Any) -> Run:
    given = {**FAST, "data": str(data) if data else None, **options}
    if given.get("model") == "gan":
        del given["noise"]
    run = Run(Options(**given), folder)
    list(run)
    return run


def tensors(run: Run) -> torch.Tensor:
    return torch.cat([value.flatten().float() for value in run.trainer.average.values()])


def test_a_run_folder_holds_everything(tmp_path: Path, photos: Path) -> None:
    """A run leaves weights with a card, its options, history, plot and samples."""
    run = train(tmp_path / "run", photos)
    names = {path.name for path in run.folder.iterdir()}
    assert names >= {
        "weights.safetensors", "weights.json", "config.json", "history.csv", "plot.png",
        "output.png", "checkpoint.pt",
    }  # fmt: skip
    rows = (run.folder / "history.csv").read_text().splitlines()
    assert rows[0] == "epoch,step,loss,val_loss,val_mse,val_psnr,seconds" and len(rows) == 3
    assert read_options(run.folder) == run.options
    sheet = cv2.imread(str(run.folder / "output.png"))
    assert sheet is not None and sheet.shape[0] >= 100
    card = json.loads((run.folder / "weights.json").read_text())
    assert card["trained"]["epoch"] in (1, 2) and "noise gaussian:30" in card["summary"]
    image = np.zeros((33, 21, 3), np.uint8)
    assert load(str(run.weights), device="cpu")(image).shape == image.shape


@pytest.mark.parametrize("name", ["conv-ae", "dense-ae", "contractive-ae", "vae", "pca", "gan"])
def test_every_model_trains(tmp_path: Path, photos: Path, name: str) -> None:
    """Every model of the list trains on a folder and leaves weights that load."""
    run = train(tmp_path / "run", photos, model=name, latent_dim=4)
    weights = load_weights(str(run.weights))
    assert weights.architecture == name and weights.config["height"] == 16
    trained = sum(value.numel() for value in run.trainer.model.parameters())
    assert weights.card["parameters"] == run.parameters == trained
    assert (run.folder / "generated.png").exists() == (name in ("vae", "gan"))
    assert (run.folder / "output.png").exists() == (name != "gan")
    if name == "gan":
        with pytest.raises(UsageError, match="random codes"):
            load(str(run.weights), device="cpu")
    else:
        image = np.zeros((33, 21, 3), np.uint8)
        assert load(str(run.weights), device="cpu")(image).shape == image.shape


def test_a_gan_says_what_it_does(
    tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has no noise and no validation; one is not several; its new images are named."""
    given = {**FAST, "data": str(photos), "model": "gan", "noise": None, "epochs": 1}
    run = Run(Options(**{**given, "steps_per_epoch": 1}), tmp_path / "run")
    screen = TrainingScreen(quiet=False)
    with screen.live(run):
        for record in run:
            screen.show(record)
    screen.finish(run)
    told = capsys.readouterr().err.replace("\n", " ")
    assert "noise none" in told and "1 epoch of 1 batch of 2, into" in told
    assert "validation" not in told and "new images that they drew are in" in told


def test_pca_sees_every_digit_and_is_fitted_once(tmp_path: Path, photos: Path) -> None:
    """Digits that do not fill a batch count too; of a folder's patches one epoch is usual."""
    given: dict[str, Any] = {"model": "pca", "epochs": None, "patch": None, "batch_size": 32}
    data = Path(f"mnist:{digits(tmp_path / 'mnist')}")
    run = train(tmp_path / "digits", data, **given, steps_per_epoch=None)
    assert run.epochs == 1 and int(run.trainer.model.moments["count"]) == 40
    assert run.history[0].loss == run.trainer.model.error > 0
    assert len(train(tmp_path / "folder", photos, **{**given, "patch": 8}).history) == 1


def test_the_same_seed_gives_the_same_weights(tmp_path: Path, photos: Path) -> None:
    """Same seed, same device: same weights, bit for bit, whoever prepares the batches."""
    one = train(tmp_path / "one", photos)
    other = train(tmp_path / "two", photos, workers=2)
    third = train(tmp_path / "three", photos, seed=1)
    assert torch.equal(tensors(one), tensors(other))
    assert not torch.equal(tensors(one), tensors(third))


@pytest.mark.parametrize("name", ["unet-s", "vae", "gan", "pca"])
@pytest.mark.parametrize("after", [2, 3, 5])
def test_a_stopped_run_resumes_exactly(tmp_path: Path, photos: Path, name: str, after: int) -> None:
    """Stopped after any step and resumed, a run has the weights and history of a whole one."""
    whole = train(tmp_path / "whole", photos, model=name)
    given = {**FAST, "data": str(photos), "model": name}
    if name == "gan":
        del given["noise"]
    first = Run(Options(**given), tmp_path / "parts")
    for record in first:
        if not isinstance(record, Epoch) and record.step == after:
            first.stop = True
    assert first.interrupted
    second = Run(read_options(tmp_path / "parts"), tmp_path / "parts", resume=True)
    list(second)
    assert torch.equal(tensors(second), tensors(whole))
    strip = [(e.number, e.step, e.loss, str(e.val_loss)) for e in whole.history]
    assert strip == [(e.number, e.step, e.loss, str(e.val_loss)) for e in second.history]
    digests = [load_weights(str(run.weights)).digest for run in (whole, second)]
    assert digests[0] == digests[1]


def test_runs_of_earlier_versions_resume(tmp_path: Path, photos: Path) -> None:
    """A run that wrote down neither precision nor start goes on with those it had."""
    whole = train(tmp_path / "whole", photos)
    first = Run(Options(**{**FAST, "data": str(photos)}), tmp_path / "run")
    for record in first:
        first.stop = not isinstance(record, Epoch) and record.step == 2
    config = tmp_path / "run" / "config.json"
    document = json.loads(config.read_text())
    document["options"] |= {"precision": "auto", "init": None, "lr": 0.001}
    config.write_text(json.dumps(document))
    again = Run(read_options(tmp_path / "run"), tmp_path / "run", resume=True)
    list(again)
    assert torch.equal(tensors(again), tensors(whole))
    document["options"] |= {"noisy": "scans", "data": None}
    document["training"]["loss"] = "mse"
    config.write_text(json.dumps(document))
    with pytest.raises(UsageError, match="taught noisy images another way"):
        read_options(tmp_path / "run")


def test_a_killed_run_resumes_exactly(tmp_path: Path, photos: Path) -> None:
    """SIGKILL at any moment loses nothing that a resume does not make again, bit for bit."""
    options: list[str | Path] = [
        "--data", photos, "--model", "conv-ae", "--patch", "16", "--epochs", "30",
        "--steps-per-epoch", "5", "--batch-size", "4", "--device", "cpu", "--noise", "gaussian",
    ]  # fmt: skip
    whole = imgclean("train", *options, "--out", tmp_path / "whole", OMP_NUM_THREADS="1")
    assert whole.returncode == 0, whole.stderr
    command = [sys.executable, "-m", "imgclean", "train", *map(str, options)]
    killed = subprocess.Popen(
        [*command, "--out", str(tmp_path / "parts")],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    history = tmp_path / "parts" / "history.csv"
    while not (history.exists() and history.read_text().count("\n") > 3):
        assert killed.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    again = imgclean("train", "--resume", tmp_path / "parts", OMP_NUM_THREADS="1")
    assert again.returncode == 0 and "continuing after step" in again.stderr, again.stderr
    one, other = (tmp_path / name / "weights.safetensors" for name in ("whole", "parts"))
    assert one.read_bytes() == other.read_bytes()


def test_ctrl_c_says_how_to_continue(tmp_path: Path, photos: Path) -> None:
    """Interrupted, the command keeps a checkpoint, prints how to resume, and exits with 130."""
    running = subprocess.Popen(
        [
            sys.executable, "-m", "imgclean", "train", "--data", str(photos), "--model", "conv-ae",
            "--patch", "16", "--epochs", "9999", "--out", str(tmp_path / "run"), "--device", "cpu",
        ],
        stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    while not (tmp_path / "run" / "history.csv").exists() and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130, errors
    assert f"imgclean train --resume {tmp_path / 'run'}" in errors
    assert "Traceback" not in errors and (tmp_path / "run" / "checkpoint.pt").exists()


def test_resume_refuses_other_options(tmp_path: Path, photos: Path) -> None:
    """Options that would change the result are listed with their old values."""
    train(tmp_path / "run", photos)
    done = imgclean("train", "--resume", tmp_path / "run", "--lr", "0.5", "--batch-size", "7")
    assert done.returncode == 2
    assert "--batch-size 7 (was 2), --lr 0.5 (was 0.001)" in done.stderr
    with pytest.raises(UsageError, match="holds no training run"):
        read_options(tmp_path)


def test_resume_refuses_other_images(tmp_path: Path, photos: Path, make: Make) -> None:
    """A run does not continue on images that have changed."""
    train(tmp_path / "run", photos)
    make(photos / "0.png", 40, 32, seed=77)
    with pytest.raises(UsageError, match="images are not those"):
        Run(read_options(tmp_path / "run"), tmp_path / "run", resume=True)
    checks = tmp_path / "checks"
    make(checks / "0.png", 40, 32, seed=5)
    train(tmp_path / "other", photos, validation=str(checks))
    make(checks / "0.png", 40, 32, seed=6)
    with pytest.raises(UsageError, match="images are not those"):
        Run(read_options(tmp_path / "other"), tmp_path / "other", resume=True)


def test_a_run_killed_before_its_first_checkpoint(tmp_path: Path, photos: Path) -> None:
    """It begins anew and ends with the weights of one that was never killed."""
    Run(Options(**{**FAST, "data": str(photos)}), tmp_path / "run")
    again = Run(read_options(tmp_path / "run"), tmp_path / "run", resume=True)
    assert any("begins anew" in note for note in again.notes)
    list(again)
    assert torch.equal(tensors(again), tensors(train(tmp_path / "whole", photos)))


def test_a_finished_run_without_its_checkpoints_keeps_its_weights(
    tmp_path: Path, photos: Path
) -> None:
    """Whoever deleted the large checkpoints is told, rather than trained anew over the weights."""
    run = train(tmp_path / "run", photos)
    before = run.weights.read_bytes()
    for path in (tmp_path / "run").glob("checkpoint.*"):
        path.unlink()
    with pytest.raises(UsageError, match="checkpoints are gone.*--init"):
        Run(read_options(tmp_path / "run"), tmp_path / "run", resume=True)
    assert run.weights.read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"options": {"precision": "fp32", "init": "none"}, "training": []}',
        '{"options": [1]}',
        '{"options": {"filters": 3}}',
        "{",
    ],
)
def test_resume_refuses_a_damaged_description(tmp_path: Path, text: str) -> None:
    """A config.json of another shape is an error that names the folder."""
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UsageError, match="holds no training run"):
        read_options(tmp_path)


def test_a_run_among_its_own_images_is_refused(tmp_path: Path, photos: Path) -> None:
    """Its pictures would be trained on, and it could not be resumed."""
    with pytest.raises(UsageError, match="lies inside"):
        train(photos / "runs" / "one", photos)
    assert not (photos / "runs").exists()
    for option in ("plot", "output"):
        with pytest.raises(UsageError, match="lies inside"):
            train(tmp_path / "run", photos, **{option: str(photos / "drawn.png")})
    assert not (tmp_path / "run").exists()


def test_a_resume_checks_pictures_and_images(tmp_path: Path, photos: Path) -> None:
    """Its pictures do not join the images, and other images are called that, of any size."""
    run = Run(Options(**{**FAST, "data": str(photos), "model": "conv-ae"}), tmp_path / "run")
    for record in run:
        run.stop = not isinstance(record, Epoch) and record.step == 2
    stored = read_options(run.folder)
    with pytest.raises(UsageError, match="lies inside"):
        Run(replace(stored, plot=str(photos / "plot.png")), run.folder, resume=True)
    for path in photos.iterdir():
        with Pillow.open(path) as image:
            grey = image.convert("L")
        grey.save(path)
    with pytest.raises(UsageError, match="images are not those"):
        Run(stored, run.folder, resume=True)


def test_images_may_move_before_a_resume(tmp_path: Path, photos: Path) -> None:
    """The same images are the same in another place, as a run with relative paths has them."""
    run = Run(Options(**{**FAST, "data": str(photos)}), tmp_path / "run")
    for record in run:
        run.stop = not isinstance(record, Epoch) and record.step == 2
    moved = photos.rename(tmp_path / "moved")
    gone = imgclean("train", "--resume", run.folder)
    assert gone.returncode == 4, gone.stderr
    done = imgclean("train", "--resume", run.folder, "--data", moved)
    assert done.returncode == 0, done.stderr
    other = imgclean("train", "--resume", run.folder, "--noisy", moved)
    assert other.returncode == 2 and "--noisy" in other.stderr


def test_a_resume_from_another_folder_says_what_is_missing(tmp_path: Path, photos: Path) -> None:
    """Images that were named relative to where the run began are asked for by their option."""
    run = Run(Options(**{**FAST, "data": str(photos)}), tmp_path / "run")
    list(run)
    path = run.folder / "config.json"
    text = path.read_text()
    assert json.dumps(str(photos)) in text
    path.write_text(text.replace(json.dumps(str(photos)), '"photos of old"'))
    other = imgclean("train", "--resume", run.folder)
    assert other.returncode == 4 and "its images are photos of old, as seen" in other.stderr
    assert "--data DIR" in other.stderr
    there = imgclean("train", "--resume", run.folder, "--data", photos)
    assert there.returncode == 0, there.stderr


def test_names_of_digits_and_shares_are_no_lost_folders() -> None:
    for option, word in (("data", "mnist"), ("validation", "0.1"), ("validation", "1e-1")):
        assert not _is_lost(option, word)
    assert _is_lost("data", "0.1") and _is_lost("validation", "held out")


@pytest.mark.parametrize("pages", [False, True])
def test_pairs_are_pages_where_the_clean_ones_are(tmp_path: Path, pages: bool) -> None:
    """Pairs of anything else, from scratch, make no weights that whiten paper."""
    rng = np.random.default_rng(3)
    for number in range(2):
        grey = np.full((300, 300), 115, np.uint8)
        for x, y in rng.integers(20, 280, (40, 2)).tolist():
            cv2.circle(grey, (x, y), int(rng.integers(4, 12)), int(rng.integers(60, 200)), 2)
        clean = test_choose.page(300, 300)[..., 0] if pages else grey
        noisy = np.clip(clean + rng.normal(0, 10, clean.shape), 0, 255).astype(np.uint8)
        for side, image in (("clean", clean), ("noisy", noisy)):
            (tmp_path / side).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / side / f"{number}.png"), image)
    sides = {side: str(tmp_path / side) for side in ("clean", "noisy")}
    run = train(tmp_path / "run", None, **sides, noise=None, patch=32)
    assert run.config.config["ink"] == pages
    assert load(str(run.weights), device="cpu").pages == pages


def test_filters_of_the_start(tmp_path: Path, photos: Path) -> None:
    """What a patch must be a multiple of follows from the weights of --init."""
    first = train(tmp_path / "one", photos, model="conv-ae", filters=(8,), patch=18)
    given = {"model": "conv-ae", "patch": None, "init": str(first.weights)}
    assert train(tmp_path / "two", photos, **given).config.config["height"] == 18


def test_a_resume_needs_no_start(tmp_path: Path, photos: Path) -> None:
    """What --init named may be gone: the checkpoint holds all that came of it."""
    first = train(tmp_path / "one", photos)
    run = Run(Options(**{**FAST, "data": str(photos), "init": str(first.weights)}), tmp_path / "b")
    for record in run:
        run.stop = not isinstance(record, Epoch) and record.step == 2
    (tmp_path / "one").rename(tmp_path / "elsewhere")
    again = Run(read_options(run.folder), run.folder, resume=True)
    assert again.trainer.step == 2
    list(again)
    assert again.starts_from == str(first.weights)


def test_killed_in_its_first_checkpoint(tmp_path: Path, photos: Path) -> None:
    """A run that has half of a checkpoint and no other begins anew."""
    options = Options(**{**FAST, "data": str(photos)})
    run = Run(options, tmp_path / "run")
    for path in run.folder.glob("checkpoint.*"):
        path.unlink()
    (run.folder / "checkpoint.partial").write_bytes(b"PK")
    again = Run(read_options(run.folder), run.folder, resume=True)
    assert again.trainer.step == 0


def test_the_newest_good_checkpoint_wins(tmp_path: Path, photos: Path) -> None:
    """A checkpoint that is cut short gives way to the one before it."""
    whole = train(tmp_path / "run", photos)
    checkpoint = tmp_path / "run" / "checkpoint.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:5000])
    again = Run(read_options(tmp_path / "run"), tmp_path / "run", resume=True)
    assert again.trainer.step == 3
    list(again)
    assert torch.equal(tensors(again), tensors(whole))


@pytest.mark.parametrize("how", ["pipe", "hangup"])
def test_a_run_that_nobody_reads_keeps_a_checkpoint(tmp_path: Path, photos: Path, how: str) -> None:
    """Its reader, or its terminal, has gone: it ends after the step, to be resumed."""
    running = subprocess.Popen(
        [
            sys.executable, "-m", "imgclean", "train", "--data", str(photos), "--model", "dense-ae",
            "--patch", "16", "--epochs", "9999", "--out", str(tmp_path / "run"), "--device", "cpu",
        ],
        stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert running.stderr
    while not (tmp_path / "run" / "history.csv").exists() and running.poll() is None:
        time.sleep(0.01)
    if how == "pipe":
        running.stderr.close()
    else:
        running.send_signal(signal.SIGHUP)
        running.communicate(timeout=60)
    assert running.wait(60) == (1 if how == "pipe" else 130)
    last = (tmp_path / "run" / "history.csv").read_text().splitlines()[-1]
    told = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"]
    assert told >= int(last.split(",")[1])


def test_a_full_disk_keeps_the_old_checkpoint(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint that cannot be written leaves the one before it, and says so."""
    run = Run(Options(**{**FAST, "data": str(photos)}), tmp_path / "run")
    checkpoint = run.folder / "checkpoint.pt"

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        for record in run:
            if not isinstance(record, Epoch):
                monkeypatch.setattr(os, "fsync", full)
                before = checkpoint.read_bytes()
    assert checkpoint.read_bytes() == before
    assert not list(run.folder.glob("*.partial"))


def test_a_read_only_disk_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that became read-only is named, not that the unfinished file stays on it."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    target = tmp_path / "checkpoint.pt"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fail)
    monkeypatch.setattr(Path, "unlink", fail)
    with pytest.raises(OutputError, match="Read-only file system.*one before it is intact"):
        _replace(target, memoryview(b"new"))
    assert target.read_bytes() == b"old"


def test_divergence_keeps_the_last_good_weights(tmp_path: Path, photos: Path) -> None:
    """A loss that is no number ends the run and leaves the weights of the best epoch."""
    run = Run(Options(**{**FAST, "data": str(photos), "epochs": 9}), tmp_path / "run")
    with pytest.raises(DivergedError, match="last good"):
        for record in run:
            if isinstance(record, Epoch):
                kept = run.weights.read_bytes()
                for weight in run.trainer.model.parameters():
                    weight.data.fill_(float("nan"))
    assert run.weights.read_bytes() == kept


@pytest.mark.parametrize(("model", "lr"), [("unet-s", 1e30), ("conv-ae", 1e20)])
def test_divergence_before_any_epoch(tmp_path: Path, photos: Path, model: str, lr: float) -> None:
    """A rate far too high is blamed on the rate, also if only the output overflows."""
    with pytest.raises(DivergedError, match=r"no weights; try a lower --lr"):
        train(tmp_path / "run", photos, model=model, lr=lr, steps_per_epoch=1)


def test_weights_that_learnt_nothing_are_told_of(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no better than the mean of all clean images ends with a line on what to do."""
    error = 0.5
    monkeypatch.setattr(Run, "_validate", lambda self: (error, error, 10.0))
    run = train(tmp_path / "one", photos, epochs=1)
    clean = np.concatenate([one.reshape(-1, 3) for _, one in run.source.validation])
    assert f"(mean squared error 0.5, {clean.var(0).mean():.3g}); use a lower --lr" in run.failed
    error = float(clean.var(0).mean()) / 2
    assert not train(tmp_path / "two", photos, epochs=1).failed
    data = Path(f"mnist:{digits(tmp_path / 'mnist')}")
    run = train(tmp_path / "three", data, model="dense-ae", patch=None, epochs=1)
    mean = np.mean([one for _, one in run.source.validation], axis=0)
    plain = np.mean([(one - mean) ** 2 for _, one in run.source.validation])
    error = float(plain) * 1.001
    run = train(tmp_path / "four", data, model="dense-ae", patch=None, epochs=1)
    assert f", {plain:.4f})" in run.failed


def test_early_stop(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without improvement for N epochs the run ends, and the best weights are kept."""
    levels = iter([0.5, 0.4, 0.45, 0.41, 0.3])
    monkeypatch.setattr(Run, "_validate", lambda self: (next(levels), 0.1, 10.0))
    run = train(tmp_path / "run", photos, epochs=5, early_stop=2)
    assert [epoch.best for epoch in run.history] == [True, True, False, False]
    assert json.loads((run.folder / "weights.json").read_text())["trained"]["epoch"] == 2
    again = Run(read_options(run.folder), run.folder, resume=True)
    assert list(again) == []


def test_time_bounds_a_run(tmp_path: Path, photos: Path) -> None:
    """--max-time alone ends the run, and the last epoch is validated."""
    run = train(tmp_path / "run", photos, epochs=None, max_time=0.3, steps_per_epoch=100_000)
    assert run.epochs is None and run.trainer.progress == 1
    assert len(run.history) == 1 and run.weights.exists()


def test_slow_processors_get_shorter_epochs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On made-up images all epochs happen, with fewer batches where these take too long."""
    clock = itertools.count(0.0, 4.0)  # every look at it finds four seconds gone
    monkeypatch.setattr("imgclean.train.time", SimpleNamespace(monotonic=lambda: next(clock)))
    run = train(tmp_path / "run", None, epochs=3, steps_per_epoch=None, batch_size=4, patch=64)
    assert run.brief and len(run.history) == 3
    assert run.trainer.progress == 1 and run.trainer.step < 60
    told = Run(Options(**{**FAST, "steps_per_epoch": 3}), tmp_path / "told")
    assert not told.brief and told.config.max_time > 1e11


def test_nothing_is_overwritten(tmp_path: Path, photos: Path, monkeypatch: Any) -> None:
    """A folder in use and existing pictures are refused; unnamed runs are numbered."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "x").touch()
    with pytest.raises(UsageError, match="not empty; name another folder$"):
        train(tmp_path / "run", photos)
    (tmp_path / "run" / "config.json").touch()
    with pytest.raises(UsageError, match="or continue the run in it with --resume"):
        train(tmp_path / "run", photos)
    with pytest.raises(UsageError, match="not overwritten"):
        (tmp_path / "x.png").touch()
        train(tmp_path / "other", photos, output=str(tmp_path / "x.png"))
    with pytest.raises(UsageError, match="ends in .png"):
        train(tmp_path / "other", photos, output=str(tmp_path / "x.gif"))
    with pytest.raises(UsageError, match="same file"):
        train(tmp_path / "other", photos, output="y.png", plot="y.png")
    new = tmp_path / "new"
    new.mkdir()
    for option, name in (("output", "plot"), ("output", "generated"), ("plot", "output")):
        with pytest.raises(UsageError, match="another picture"):
            train(new, photos, **{option: str(new / f"{name}.png")})
    assert not list(new.iterdir())
    with pytest.raises(OutputError, match="make it first"):
        train(tmp_path / "other", photos, plot=str(tmp_path / "nowhere" / "x.png"))
    monkeypatch.chdir(tmp_path)
    assert new_folder(None, "unet-s") == Path("runs/unet-s-1")
    assert new_folder(None, "unet-s") == Path("runs/unet-s-2")


def test_pictures_go_where_they_are_told(tmp_path: Path, photos: Path) -> None:
    """--output and --plot name the pictures, as in the tutorial."""
    run = train(
        tmp_path / "run", photos, output=str(tmp_path / "o.png"), plot=str(tmp_path / "p.png")
    )
    assert (tmp_path / "o.png").exists() and (tmp_path / "p.png").exists()
    assert not (run.folder / "plot.png").exists()
    mine = tmp_path / "mine.png"
    mine.write_bytes(b"precious")
    stored = read_options(run.folder)
    with pytest.raises(UsageError, match="not overwritten"):
        Run(replace(stored, output=str(mine)), run.folder, resume=True)
    Run(stored, run.folder, resume=True)
    assert mine.read_bytes() == b"precious"


def test_starting_from_weights(tmp_path: Path, photos: Path) -> None:
    """--init takes over architecture and tensors; another architecture is refused."""
    first = train(tmp_path / "one", photos)
    again = Run(
        Options(**{**FAST, "data": str(photos), "init": str(first.weights)}), tmp_path / "two"
    )
    assert torch.allclose(tensors(again), tensors(first), atol=1e-3)
    with pytest.raises(UsageError, match="cannot start"):
        train(tmp_path / "three", photos, model="vae", init=str(first.weights))
    with pytest.raises(UsageError, match="has widths"):
        train(tmp_path / "three", photos, model="unet-m", init=str(first.weights))
    small = train(tmp_path / "four", photos, model="dense-ae", latent_dim=4)
    with pytest.raises(UsageError, match="has latent_dim 4, not 8"):
        given = {"model": "dense-ae", "init": str(small.weights), "latent_dim": 8}
        train(tmp_path / "five", photos, **given)
    usual = train(tmp_path / "six", photos, model="conv-ae", epochs=1)
    given = {"model": "conv-ae", "init": str(usual.weights)}
    with pytest.raises(UsageError, match="latent_dim 16, not 8"):
        train(tmp_path / "five", photos, **given, latent_dim=8)
    with pytest.raises(UsageError, match=r"filters \[32, 64\], not \[8, 16\]"):
        train(tmp_path / "five", photos, **given, filters=(8, 16))


def test_training_never_ends_below_its_start(
    tmp_path: Path,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The weights of --init stay where no epoch beats them, also after a resume, and it is said."""
    first = train(tmp_path / "one", photos)
    levels = iter([0.3, 0.5, 0.4, 0.2])
    monkeypatch.setattr(Run, "_validate", lambda self: (next(levels), 0.1, 10.0))
    run = Run(
        Options(**{**FAST, "data": str(photos), "init": str(first.weights), "epochs": 3}),
        tmp_path / "two",
    )
    for record in run:
        run.stop = isinstance(record, Epoch) and record.number == 2
    assert run.kept_start and [epoch.number for epoch in run.history] == [1, 2]
    run.interrupted = False
    TrainingScreen(quiet=False).finish(run)
    told = capsys.readouterr().err.replace("\n", " ")
    assert "no epoch had a lower validation loss (l1) than the weights it started from" in told
    kept, start = (load_weights(str(of.weights)).state for of in (run, first))
    assert all(torch.equal(kept[name], start[name]) for name in start)
    again = Run(read_options(run.folder), run.folder, resume=True)
    assert again.kept_start
    list(again)
    assert not again.kept_start
    assert json.loads((run.folder / "weights.json").read_text())["trained"]["epoch"] == 3


def test_weights_of_another_size_are_refused(tmp_path: Path, photos: Path) -> None:
    """--init with a model of one size names that size and the one of the images."""
    first = train(tmp_path / "one", photos, model="dense-ae", patch=16)
    with pytest.raises(UsageError, match="images of 16 x 16 x 3, these are 8 x 8 x 3"):
        train(tmp_path / "two", photos, model="dense-ae", patch=8, init=str(first.weights))


def test_training_on_synthesised_images(tmp_path: Path) -> None:
    """Without any data, pages and scenes are made up."""
    run = train(tmp_path / "run", None, noise=None)
    assert "synthesised" in run.source.what and run.config.config["ink"]
    assert len(run.source.validation) == 12


def test_learning_from_noisy_images_alone(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without clean images a run trains, and ends with a verdict on held-out ones.

    That is given where it was trained: `auto` may be a card that was not asked for.
    """
    for seed in range(3):
        make(tmp_path / "noisy" / f"{seed}.png", 64, 48, seed=seed)
    run = train(tmp_path / "run", None, noisy=str(tmp_path / "noisy"), noise=None, patch=32, seed=1)
    assert run.config.loss == "censored-mse" and len(run.source.risks) == 1
    asked: list[str] = []

    def noted(name: str) -> torch.device:
        asked.append(name)
        return resolve_device(name)

    monkeypatch.setattr(tiled_network, "resolve_device", noted)
    lines = run.verdict()
    assert asked == ["cpu", "cpu"]
    assert "SURE) on 1 held-out images" in lines[0] and lines[-1].startswith("verdict: ")
    assert any("non-local means" in line for line in lines)
    with pytest.raises(UsageError, match="only mse"):
        train(tmp_path / "other", None, noisy=str(tmp_path / "noisy"), noise=None, loss="l1")
    make(tmp_path / "one" / "0.png", 64, 48, seed=0)
    run = train(tmp_path / "alone", None, noisy=str(tmp_path / "one"), noise=None, patch=32)
    assert "on 1 training images" in run.verdict()[0]


def test_each_of_several_processes_has_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for and not there is an error, as for one process; no card is shared."""
    for name, value in (("WORLD_SIZE", "2"), ("LOCAL_WORLD_SIZE", "2"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="0 CUDA devices"):
        join("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UsageError, match="2 processes, and 1 CUDA devices"):
        join("auto")
    for name, given in (("is_initialized", True), ("get_rank", 1)):
        monkeypatch.setattr(torch.distributed, name, lambda given=given: given)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [join(device)[1] for device in ("auto", "cuda:0", "cpu")] == ["cuda:1", "cuda:1", "cpu"]


@pytest.mark.parametrize("start", [None, "photo"])
def test_no_verdict_without_noise(start: str | None) -> None:
    """Where every method is said to be without error none is better than another."""
    flat = np.full((64, 64, 1), 0.5, np.float32)
    mine = cast("Denoiser", lambda image: image)
    assert "mean nothing" in verdict(mine, [Risk(flat, 0)], "images", start)[-1]


def test_no_verdict_on_noise_that_was_not_measured(tmp_path: Path) -> None:
    """Noise that is correlated between pixels hides from the criterion, and this is said."""
    folder = tmp_path / "noisy"
    folder.mkdir()
    ramp = np.linspace(60, 200, 128)[:, None, None] * np.ones((1, 128, 3))
    for number, sigma in enumerate((0, 1.0, 1.0, 1.0)):
        noise = np.random.default_rng(number).normal(0, 30 if sigma else 12, ramp.shape)
        blurred = cv2.GaussianBlur(noise, (0, 0), sigma) if sigma else noise
        pixels = np.clip(np.rint(ramp + blurred), 0, 255).astype(np.uint8)
        (folder / f"{number}.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    advice = []
    for held in ("0.png", "1.png"):
        (tmp_path / held / "0").mkdir(parents=True)
        (tmp_path / held / "0" / held).write_bytes((folder / held).read_bytes())
        given = {"noisy": str(folder), "validation": str(tmp_path / held), "noise": None}
        run = train(tmp_path / f"run-{held}", None, **given, epochs=1, steps_per_epoch=1)
        advice.append(run.verdict()[-1])
    assert "figures mean nothing" not in advice[0], advice
    assert "correlated between pixels" in advice[1], advice


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--epochs", "0"], 2, "epochs"),
        (["--lr", "-1"], 2, "above 0"),
        (["--model", "resnet"], 2, "conv-ae"),
        (["--model", "conv-ae", "--latent-dim", "99999"], 2, "3072"),
        (["--latent-dim", "4"], 2, "has no code"),
        (["--model", "contractive-ae", "--batch-size", "1"], 2, "at least 2"),
        (["--model", "gan", "--early-stop", "3"], 2, "no validation loss"),
        (["--filters", "8"], 2, "has none"),
        (["--model", "vae", "--compile"], 2, "speeds up the unets alone"),
        (["--noise", ""], 2, "a term is missing"),
        (["--model", "vae", "--filters", "a"], 2, "whole numbers"),
        (["--model", "vae", "--filters", "32²"], 2, "whole numbers"),
        (["--model", "vae", "--filters", "9999999999,9999999999"], 2, "from 1 to 999999"),
        (["--model", "gan", "--filters", "100000,100000"], 2, "gan --filters 100000,100000: its"),
        (["--noise", "gausian:3"], 2, "not a kind of noise"),
        (["--noise", "gaussian:1e9"], 2, "0 to 255"),
        (["--noise", "foo", "--data", "nowhere"], 2, "not a kind of noise"),
        (["--noise", "+".join(["gaussian:255"] * 40)], 2, "give weaker noise"),
        (["--noise", "blur+gausian:3"], 2, "\n  blur+gausian:3\n       ^^^^^^^^^\nterms: photo"),
        (["--max-time", "soon"], 2, "10m"),
        (["--clean", "x"], 2, "--noisy"),
        (["--data", "x", "--noisy", "y"], 2, "one of them"),
        (["--data", "nowhere"], 4, "no such file"),
        (["--data", "mnist:nowhere"], 4, "train-images-idx3-ubyte"),
        (["--resume", "nowhere"], 2, "holds no training run"),
        (["--device", "cuda:9"], 2, "cuda:9"),
        (["--patch", "20"], 2, "multiple of 8"),
        (["--model", "gan", "--loss", "l1"], 2, "its own way"),
        (["--model", "gan", "--noise", "gaussian"], 2, "--noise: a gan sees no noise"),
        (["--model", "gan", "--noisy", "x", "--clean", "y"], 2, "--noisy: a gan sees no noise"),
        (["--model", "gan", "--validation", "0.2"], 2, "--validation: a gan has no"),
        (["--model", "gan", "--output", "x.png"], 2, "generated.png"),
        (["--model", "gan", "--precision", "bf16"], 2, "gan takes fp32 alone"),
        (["--model", "pca", "--precision", "bf16"], 2, "pca takes fp32 alone"),
        (["--model", "pca", "--lr", "0.1"], 2, "without a learning rate"),
        (["--model", "pca", "--early-stop", "3"], 2, "ends by itself"),
        (["--samples", "0", "--output", "sheet.png"], 2, "nothing to draw"),
        (["--init", "nosuch"], 3, "photo"),
        (["--out", "taken"], 2, "not empty"),
        (["--batch-size", "1000000000"], 2, "one batch alone take"),
    ],
)
def test_bad_options_end_before_anything_is_made(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    make: Make,
    arguments: list[str],
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wrong options end with their exit code and a message, and leave no folder behind."""
    from typer.testing import CliRunner

    from imgclean.cli import app
    from imgclean.errors import ImgcleanError

    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").touch()
    if not {"--data", "--noisy", "--clean", "--resume"} & set(arguments):
        photos = tmp_path_factory.mktemp("photos")  # pages and scenes would be drawn for seconds
        for seed in range(4):
            make(photos / f"{seed}.png", 64, 48, seed=seed)
        arguments = [*arguments, "--data", str(photos)]
    done = CliRunner().invoke(app, ["train", "--device", "cpu", *arguments])
    if isinstance(done.exception, ImgcleanError):
        found, message = int(done.exception.exit_code), str(done.exception)
    else:
        found, message = done.exit_code, done.output
    assert (found, words in message) == (code, True), message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken"]


def test_a_run_keeps_its_precision(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What auto has measured once holds for the run: a resume does not measure again."""
    monkeypatch.setattr(run_options, "trains_faster_in_bfloat16", lambda device: True)
    first = train(tmp_path / "run", photos, precision="auto")
    assert first.config.bf16
    monkeypatch.setattr(run_options, "trains_faster_in_bfloat16", lambda device: False)
    assert Run(read_options(first.folder), first.folder, resume=True).config.bf16
    assert not train(tmp_path / "other", photos, precision="auto").config.bf16


def test_one_process_at_a_time_trains_in_a_folder(tmp_path: Path, photos: Path) -> None:
    """A run that is still going on cannot be resumed by another process."""
    running = Run(Options(**{**FAST, "data": str(photos)}), tmp_path / "run")
    records = iter(running)
    next(records)
    again = Run(read_options(tmp_path / "run"), tmp_path / "run", resume=True)
    with pytest.raises(UsageError, match="another imgclean is writing there"):
        next(iter(again))
    list(records)
    with pytest.raises(UsageError, match="this Run has run; make another with resume=True"):
        list(running)
    with pytest.raises(UsageError, match="has gone on with it"):
        list(again)
    again = Run(read_options(tmp_path / "run"), tmp_path / "run", resume=True)
    assert again.trainer.progress == 1


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_too_little_memory_names_the_cure(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A batch that does not fit is no traceback, but says which options make it smaller."""

    def full(*_: object) -> None:
        raise error

    run = Run(Options(**{**FAST, "data": str(photos)}), tmp_path / "run")
    monkeypatch.setattr(run.trainer, "_update", full)
    with pytest.raises(MemoryShortError, match="batches of 2 patches of 16 .* smaller --batch"):
        list(run)


def test_a_full_disk_stops_tensorboard_by_name(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events that cannot be written are an error that names their folder."""

    def full(folder: str) -> None:
        raise OSError(28, "No space left on device")

    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *more: name == "tensorboard" or find(name, *more)
    )
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=full))
    with pytest.raises(OutputError, match=r"events: cannot be written \(No space left"):
        train(tmp_path / "run", photos)


def test_a_path_may_be_written_in_two_ways(tmp_path: Path, photos: Path) -> None:
    """--resume with the same folder, spelt another way, is no change."""
    train(tmp_path / "run", photos, model="dense-ae")
    given = ["--data", f"{photos}/", "--precision", "auto"]
    done = imgclean("train", "--resume", tmp_path / "run", *given)
    assert done.returncode == 0, done.stderr


# The command, with the small network of these tests.
SCRIPT = """
from imgclean.models import NAMES
NAMES["unet-s"] = ("unet", {"widths": [8, 12, 16], "down": [1, 1], "bottom": 1, "up": [1, 1]})
from imgclean.__main__ import main
main()
"""
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


def test_two_processes_train_as_one(tmp_path: Path, photos: Path) -> None:
    """Two processes that share every batch end with the weights of one, to rounding."""
    options = [
        "--data", str(photos), "--patch", "16", "--epochs", "2", "--steps-per-epoch", "2",
        "--batch-size", "4", "--device", "cpu", "--precision", "fp32", "--workers", "0",
        "--noise", "gaussian",
    ]  # fmt: skip
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    starts = {"one": [sys.executable, str(script)], "two": [*TORCHRUN, str(script)]}
    found = []
    for name, start in starts.items():
        done = subprocess.run(
            [*start, "train", *options, "--out", str(tmp_path / name)],
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        state = torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)["average"]
        found.append(torch.cat([value.flatten() for value in state.values()]))
    assert torch.allclose(found[0], found[1], atol=1e-4)
    assert not torch.equal(found[0], torch.zeros_like(found[0]))


def test_ctrl_c_ends_all_processes_together(tmp_path: Path, photos: Path) -> None:
    """Interrupted, processes that train together stop at one step, with a checkpoint."""
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    running = subprocess.Popen(
        [
            *TORCHRUN, str(script), "train", "--data", str(photos), "--patch", "16", "--epochs",
            "9999", "--steps-per-epoch", "3", "--batch-size", "4", "--device", "cpu",
            "--precision", "fp32", "--noise", "gaussian", "--out", str(tmp_path / "run"),
        ],
        stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    while not (tmp_path / "run" / "history.csv").exists() and running.poll() is None:
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert f"imgclean train --resume {tmp_path / 'run'}" in errors
    assert "train.py" not in errors.split("Traceback")[-1], errors  # torchrun's own alone
    again = Run(read_options(tmp_path / "run"), tmp_path / "run", resume=True)
    assert again.trainer.step >= 3


def test_a_batch_that_processes_cannot_share(tmp_path: Path, photos: Path) -> None:
    """It is refused before anything is made."""
    with pytest.raises(UsageError, match="--batch-size 2: 3 processes share it equally"):
        Run(Options(**{**FAST, "data": str(photos)}), tmp_path / "run", processes=Processes(0, 3))
    assert not (tmp_path / "run").exists()
