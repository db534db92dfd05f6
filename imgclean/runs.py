"""A training run in its folder: epochs, validation, checkpoints, history, weights, pictures.

Iterating over a `Run` trains and yields `Step` and `Epoch` records. Everything in the folder
is written atomically, and what a checkpoint holds is enough to continue exactly.
"""

import contextlib
import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from .devices import is_out_of_memory, resolve_device
from .epochs import Epoch, write_events, write_history, write_picture
from .errors import (
    ExitCode,
    ImageError,
    ImgcleanError,
    OutputError,
    UsageError,
    WeightsError,
)
from .files import write_whole
from .journal import lock
from .memory import free_memory
from .models import MODELS
from .models.pca import PCA
from .pictures import beside, grid
from .processes import ALONE, Processes
from .restore import Denoiser
from .run_options import (
    RATE,
    SCRATCH,
    Options,
    choose_precision,
    complete_config,
    new_folder,
    open_images,
    read_options,
    refuse_idle,
    refuse_inside,
    refuse_taken,
    settle,
    start_of,
)
from .source import Source
from .train import Step, TrainConfig, Trainer, has_checkpoint, load_checkpoint
from .verdict import decibels, mean_loss, risks_of, verdict
from .weights import Weights, load_weights, save

__all__ = [
    "EPOCH_TIME",
    "DivergedError",
    "Epoch",
    "MemoryShortError",
    "Run",
    "generate",
]

Array = NDArray[np.float32]

_EVEN = 1e-6  # variance below which images are of one colour, and nothing can be learnt
_EPOCHS = 25
_UNKNOWN = 1_000_000_000_000  # that it may have where the system does not tell
_SURE = 2_000_000_000  # bytes that a batch may have, whatever the system says is free
EPOCH_TIME = 32.0  # seconds at most of an epoch whose length nobody gave: 25 take 14 minutes
_SAVE_EVERY = 60.0  # seconds between checkpoints within an epoch
_BALANCE = 1.5  # as for the shipped weights, see `balance`
_DECAY = 0.1  # likewise, of Muon's rate
_MUON = 10  # times --lr: what suits the inner convolutions of a unet
_OWN_LOSS = {"gan": "binary cross-entropy", "pca": "none, fitted exactly"}


class DivergedError(ImgcleanError):
    """The loss was no number any more; the last good weights are kept."""

    exit_code = ExitCode.SOME_FAILED


class MemoryShortError(ImgcleanError):
    """The device has not enough memory for a step of training."""

    exit_code = ExitCode.SOME_FAILED


def _refuse_batch(size: int, source: Source) -> None:
    """Refuse a batch that cannot be drawn: what fails first is the whole machine.

    Raises:
        UsageError: its images alone, noisy and clean, take more memory than is free.
    """
    if source.on_device:  # digits, which are there already
        return
    needed = size * source.patch**2 * source.channels * 8
    free = max(_SURE, free_memory() or _UNKNOWN)
    if needed > free:
        raise UsageError(
            f"--batch-size {size}: the images of one batch alone take {needed / 1e9:.1f} GB and "
            f"{free / 1e9:.1f} GB are free; give a smaller one"
        )


def _refuse_network(architecture: str, config: dict[str, Any]) -> None:
    """Refuse a network that cannot be trained: what fails first is the whole machine.

    Raises:
        UsageError: its weights, their mean, their gradients and what Adam keeps take more memory
            than is free.
    """
    with torch.device("meta"):  # no memory yet
        network = MODELS[architecture](**config)
    needed = 20 * sum(weight.numel() for weight in network.parameters())
    free = max(_SURE, free_memory() or _UNKNOWN)
    if needed > free:
        filters = (
            f" --filters {','.join(map(str, config['filters']))}" if "filters" in config else ""
        )
        raise UsageError(
            f"{architecture}{filters}: its weights alone take {needed / 1e9:.1f} GB in training "
            f"and {free / 1e9:.1f} GB are free; give a smaller "
            f"{'--filters or ' if filters else ''}--patch"
        )


class Run:
    """Training in a folder; iterate to run it.

    Attributes:
        notes: what the user should know before it starts.
        epochs, steps: how many, and batches in each; epochs is None if time alone decides.
        brief: whether an epoch ends after `EPOCH_TIME` seconds, if its batches take longer.
        stop: set it to end after the current step with a checkpoint.
        interrupted: whether that happened.
    """

    def __init__(
        self,
        options: Options,
        folder: Path | None,
        *,
        resume: bool = False,
        processes: Processes = ALONE,
    ) -> None:
        """Open the images, build the model, and take over a checkpoint if there is one.

        Args:
            options: see `Options`.
            folder: of the run; made when it starts if None.
            resume: continue what the folder holds.
            processes: the place of this process among those that train together.

        Raises:
            UsageError: options that cannot be carried out.
            InputError: images that cannot be trained on.
        """
        self.processes, self.stop, self.interrupted = processes, False, False
        self.device = resolve_device(options.device)
        processes.check(options.batch_size)
        if not resume:
            refuse_idle(options)
        options = settle(options)
        self.folder = Path(str(folder))  # known already where it is resumed
        begun = resume and has_checkpoint(self.folder / "checkpoint.pt")
        if begun:  # the weights of --init are in it, and may be gone elsewhere
            saved = load_checkpoint(self.folder / "checkpoint.pt", torch.device("cpu"))["config"]
            architecture, config, state = saved["architecture"], dict(saved["config"]), None
        else:
            architecture, config, state = start_of(options)
        precision = processes.agree(choose_precision(options.precision, architecture, self.device))
        options = replace(options, precision=precision)  # a resume must not measure again
        self.options = options
        self.source = open_images(options, architecture, config, str(self.device))
        self.notes = list(self.source.notes)
        if not resume:
            _refuse_batch(options.batch_size, self.source)
        config = complete_config(
            options, architecture, config, self.source, given=state is not None, begun=begun
        )
        _refuse_network(architecture, config)
        self._plan(architecture)
        self.config = self._train_config(architecture, config)
        self.trainer = Trainer(
            self.config,
            self.source.batches,
            on_device=self.source.on_device,
            processes=processes,
        )
        if state is not None:
            self.trainer.start_from(state)
        self.history: list[Epoch] = []
        self._sum, self._count, self._waiting, self._over = 0.0, 0, 0, False
        self.judging = 0.0  # seconds that the latest validation took
        self._least = math.inf
        refuse_taken(options, read_options(self.folder) if resume else None, folder)
        refuse_inside(options, folder)
        if resume:
            self._resume(begun=begun)
        else:
            self.folder = processes.first_does(lambda: new_folder(folder, options.model))
            processes.first_does(self._write_config)
        self._read, self._begun = self._stamp(), False

    def _plan(self, architecture: str) -> None:
        self.steps = self.source.steps
        self.epochs = self.options.epochs
        if self.epochs is None and self.options.max_time is None:
            self.epochs = 1 if architecture == "pca" else _EPOCHS
        if architecture == "pca" and self.source.passes and (self.epochs or 2) > 1:
            self.epochs, self.steps = 1, self.source.passes
            self.notes.append(
                "pca is fitted exactly in one pass: one epoch over all images is all it takes"
            )
        told = self.options.max_time or self.options.steps_per_epoch
        made_up = not (self.options.data or self.options.noisy or self.options.clean)
        self.brief = made_up and not told and self.device.type == "cpu"

    def _train_config(self, architecture: str, config: dict[str, Any]) -> TrainConfig:
        options = self.options
        workers = 0 if self.source.on_device else options.workers
        if workers is None:
            workers = max(1, min(4, (os.cpu_count() or 1) // 2))
        rate = options.lr or RATE
        return TrainConfig(
            architecture=architecture,
            config=config,
            max_time=options.max_time or self._time() or 1e12,
            steps=self.epochs * self.steps if self.epochs else 10**12,
            muon_lr=_MUON * rate,
            muon_decay=_DECAY if architecture == "unet" else 0.0,
            balance=_BALANCE if architecture == "unet" else 0.0,
            adam_lr=rate,
            seed=options.seed,
            device=str(self.device),
            bf16=options.precision == "bf16",
            threads=workers,
            loss=self._loss(architecture),
            compile=options.compile,
        )

    def _loss(self, architecture: str) -> str:
        """As asked for; noisy targets must be averaged, so without clean images it is an `mse`.

        Raises:
            UsageError: another one is asked for there.
        """
        if not self.source.risks:
            return self.options.loss or ("l1" if architecture == "unet" else "mse")
        if self.options.loss not in (None, "mse"):
            raise UsageError(
                f"--loss {self.options.loss}: without clean images only mse finds the mean of "
                "noisy targets; leave it out"
            )
        return "censored-mse"

    def _time(self) -> float | None:
        """Seconds after which a run on endless made-up images ends, however slow the processor."""
        return self.epochs * EPOCH_TIME if self.brief and self.epochs else None

    @property
    def weights(self) -> Path:
        """Where the best weights so far are."""
        return self.folder / "weights.safetensors"

    @property
    def drawn(self) -> Path:
        """Where new images are, of a model that draws them."""
        return self.folder / "generated.png"

    @property
    def starts_from(self) -> str | None:
        """The weights that the run started from, as `--init` names them."""
        return None if self.options.init == SCRATCH else self.options.init

    @property
    def kept_start(self) -> bool:
        """Whether no epoch so far was better than the weights that the run started from."""
        return bool(self.starts_from and not any(epoch.best for epoch in self.history))

    @property
    def judged_by(self) -> str:
        """What the weights that are kept have least of: PSNR may say otherwise."""
        return "SURE" if self.source.risks else self.config.loss

    @property
    def failed(self) -> str:
        """Why the weights are of no use, where it seems so; empty elsewhere.

        What is no nearer to the clean images than one picture for all of them has learnt nothing,
        however its loss fell: the mean image of digits, an even colour for images of any size.
        """
        kept = [epoch for epoch in self.history if epoch.best]
        if not kept or self.source.risks or self.trainer.model.contract.cannot_denoise:
            return ""
        clean = [pair[1] for pair in self.source.validation]
        values = (
            np.stack(clean)
            if self.source.passes
            else np.concatenate([image.reshape(-1, image.shape[2]) for image in clean])
        )
        plain = float(values.var(0).mean())
        if plain < _EVEN or not kept[-1].val_mse >= plain:
            return ""
        pca = isinstance(self.trainer.model, PCA)
        cure = "a larger --latent-dim" if pca else "a lower --lr, or train longer"
        return (
            f"the results are no nearer to the clean images than one picture for all would be "
            f"(mean squared error {kept[-1].val_mse:.3g}, {plain:.3g}); use {cure}"
        )

    @property
    def parameters(self) -> int:
        """Numbers in the model that are trained: none of `pca`, no running means."""
        return sum(weight.numel() for weight in self.trainer.model.parameters())

    def __iter__(self) -> Iterator[Step | Epoch]:
        """Train to the end, or to `stop`.

        Raises:
            DivergedError: the loss became infinite or no number.
            OutputError: a checkpoint cannot be written.
            MemoryShortError: the device has not enough memory.
            UsageError: another process is training in the folder, or this was iterated before.
        """
        if self._begun:
            raise UsageError(f"{self.folder}: this Run has run; make another with resume=True")
        with contextlib.ExitStack() as held:
            self.processes.first_does(lambda: self._hold(held))
            self._begun = True
            yield from self._train()

    def _hold(self, held: contextlib.ExitStack) -> None:
        """Keep other processes from continuing this run while it runs."""
        try:
            file = held.enter_context((self.folder / "config.json").open("r+b"))
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be written ({error.strerror})") from error
        lock(file, self.folder, "wait for it, or start another run")
        if self._stamp() != self._read:
            raise UsageError(
                f"{self.folder}: another imgclean has gone on with it; give the command again"
            )

    def _stamp(self) -> float:
        """When the checkpoint was written."""
        checkpoint = self.folder / "checkpoint.pt"
        return checkpoint.stat().st_mtime if checkpoint.exists() else 0.0

    def _train(self) -> Iterator[Step | Epoch]:
        if not self.trainer.step:
            denoises = not self.trainer.model.contract.cannot_denoise
            if self.starts_from and self.source.validation and denoises:
                yield self._judge_start()
            self._save()
        saved = time.monotonic()
        try:
            for step in self._steps():
                self._sum, self._count = self._sum + step.loss, self._count + 1
                yield step
                ends = self._ends(step)
                if ends:
                    yield self._end_epoch(step)
                stop = self.processes.any(self.stop, self.device)
                if ends or stop or self._due(saved):
                    self._save()
                    saved = time.monotonic()
                if stop:
                    self.interrupted = True
                    return
                if self._over:
                    break
        except FloatingPointError as error:
            kept = "no epoch had ended, so there are no weights"
            if self.weights.exists():
                kept = f"the weights in {self.weights} are the last good ones"
            raise DivergedError(f"{error}; {kept}; try a lower --lr") from error
        except (MemoryError, RuntimeError, cv2.error) as error:
            if not is_out_of_memory(error):
                raise
            raise MemoryShortError(
                f"{self.device}: not enough memory for batches of {self.options.batch_size} "
                f"patches of {self.source.patch} pixels; start again with a smaller --batch-size "
                f"or --patch, or free memory and use --resume {self.folder}"
            ) from error
        self.processes.first_does(self._finish)

    def _due(self, saved: float) -> bool:
        """Whether a checkpoint is due, `saved` being when the last one was written."""
        return bool(self.processes.agree(time.monotonic() - saved > _SAVE_EVERY))

    def _ends(self, step: Step) -> bool:
        """Whether an epoch ends here: after its steps, or where time is short after its share."""
        if self.brief and self.epochs:
            return step.progress >= (len(self.history) + 1) / self.epochs
        return step.step % self.steps == 0 or step.progress >= 1

    def _steps(self) -> Iterator[Step]:
        return iter(()) if self._over else self.trainer.run()

    # --- epochs ------------------------------------------------------------------------------

    def _judge_start(self) -> Epoch:
        """Validate the weights of `--init`, which stay the best until an epoch beats them."""
        val_loss, val_mse, val_psnr = self.processes.first_does(self._validate)
        none = math.nan
        epoch = Epoch(0, 0, none, val_loss, val_mse, val_psnr, 0.0, 0.0, 0.0, best=True)
        self._least = val_loss
        self.processes.first_does(lambda: self._write_weights(epoch))
        return epoch

    def _end_epoch(self, step: Step) -> Epoch:
        """Validate, keep the weights if they are the best, and write the history."""
        self.trainer.finish()
        begun, judged = time.monotonic(), self.judging
        loss = self._sum / self._count
        if isinstance(self.trainer.model, PCA):
            loss = self.trainer.model.error
        try:
            figures = self.processes.first_does(self._validate)
        except (ImageError, WeightsError) as error:  # of our own making: weights near overflow
            raise FloatingPointError(
                f"output of the network at step {step.step}: {error}"
            ) from error
        val_loss, val_mse, val_psnr = figures
        before = self.history[-1] if self.history else None
        self.judging = time.monotonic() - begun
        seconds = step.seconds - (before.seconds if before else 0) - judged
        best = not val_loss >= self._least  # also where there is no validation
        epoch = Epoch(
            number=len(self.history) + 1,
            step=step.step,
            loss=loss,
            val_loss=val_loss,
            val_mse=val_mse,
            val_psnr=val_psnr,
            seconds=step.seconds,
            images_per_second=self._count * self.options.batch_size / max(seconds, 1e-9),
            waited=step.waited,
            best=best,
        )
        self._sum, self._count = 0.0, 0
        self.history.append(epoch)
        if best:
            self._least, self._waiting = val_loss, 0
            self.processes.first_does(lambda: self._write_weights(epoch))
        else:
            self._waiting += 1
        patience = self.options.early_stop
        self._over = patience is not None and self._waiting >= patience
        self.processes.first_does(self._write_history)
        self.processes.first_does(lambda: write_events(self.folder / "events", epoch))
        return epoch

    def _denoiser(self) -> Denoiser:
        """The averaged weights, in the code that users run."""
        weights = Weights(
            self.folder.name,
            self.weights,
            self.config.architecture,
            self.config.config,
            self.trainer.average,
            {},
            "",
        )
        return Denoiser(weights, device=str(self.device), precision="fp32", batch_size=8)

    def _validate(self) -> tuple[float, float, float]:
        if self.trainer.model.contract.cannot_denoise:
            return math.nan, math.nan, math.nan
        if self.source.risks:
            errors = risks_of(self._denoiser(), self.source.risks)
            mse = float(np.mean(errors))
            return mse, mse, decibels(mse)  # of the mean: an estimate for one image can be zero
        denoised = [noisy.copy() for noisy, _ in self.source.validation]
        self._denoiser().clean(denoised)
        clean = [pair[1] for pair in self.source.validation]
        errors = [
            float(np.mean((np.clip(one, 0, 1) - other) ** 2))
            for one, other in zip(denoised, clean, strict=True)
        ]
        loss = mean_loss(self.config.loss, denoised, clean)
        return loss, float(np.mean(errors)), float(np.mean([decibels(e) for e in errors]))

    # --- files -------------------------------------------------------------------------------

    def _write_config(self) -> None:
        document = {
            "options": asdict(self.options),
            "training": asdict(self.config),
            "images": {
                "what": self.source.what,
                "fingerprint": self.source.fingerprint,
                "patch": self.source.patch,
                "batches_per_epoch": self.steps,
                "validation_images": len(self.source.validation),
            },
            "notes": self.notes,
            "torch": torch.__version__,
        }
        text = json.dumps(document, indent=2) + "\n"  # ASCII: paths may not be valid text
        write_whole(self.folder / "config.json", text.encode())

    def _save(self) -> None:
        self.processes.first_does(self._write_checkpoint)

    def _write_checkpoint(self) -> None:
        extra = {
            "history": [asdict(epoch) for epoch in self.history],
            "sum": self._sum,
            "count": self._count,
            "waiting": self._waiting,
            "least": self._least,
            "over": self._over,
        }
        self.trainer.save(self.folder / "checkpoint.pt", extra)

    def _resume(self, *, begun: bool) -> None:
        stored = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
        if stored.get("images", {}).get("fingerprint") != self.source.fingerprint:
            raise UsageError(
                f"--resume {self.folder}: the images are not those it was started with; put them "
                "back, or start a new run"
            )
        if not begun and self.weights.exists():
            raise UsageError(
                f"--resume {self.folder}: its checkpoints are gone; to begin anew would replace "
                f"its weights; start a new run, with --init {self.weights} to go on from them"
            )
        if not begun:
            self.notes.append(
                f"{self.folder}: ended before its first checkpoint, so it begins anew"
            )
            return
        extra = self.trainer.resume(self.folder / "checkpoint.pt")
        self.history = [Epoch(**epoch) for epoch in extra["history"]]
        self._sum, self._count = extra["sum"], extra["count"]
        self._waiting, self._least = extra["waiting"], extra["least"]
        self._over = extra["over"]

    def _write_history(self) -> None:
        plot = Path(self.options.plot) if self.options.plot else self.folder / "plot.png"
        write_history(self.folder, self.history, plot)

    def _write_weights(self, epoch: Epoch) -> None:
        figures = {} if math.isnan(epoch.val_mse) else {
            "validation_mse": epoch.val_mse,
            "validation_psnr": epoch.val_psnr,
        }  # fmt: skip
        card = {
            "summary": f"trained on {self.source.what}"
            if epoch.number
            else f"the weights {self.starts_from}; nothing learnt on {self.source.what} was better",
            "headline": [f"validation PSNR {epoch.val_psnr:.2f} dB"] if figures else [],
            "parameters": self.parameters,
            "trained": {
                "images": self.source.what,
                "from": self.starts_from,
                "epoch": epoch.number,
                "steps": epoch.step,
                "loss": _OWN_LOSS.get(self.config.architecture, self.config.loss),
                "seed": self.options.seed,
            },
            **figures,
        }
        save(
            self.weights,
            architecture=self.config.architecture,
            config=self.config.config,
            state=self.trainer.average,
            card=card,
        )

    def _finish(self) -> None:
        """The pictures, made with the weights that were kept."""
        if not self.weights.exists():
            return
        best = load_weights(str(self.weights))
        count = self.options.samples
        model: Any = MODELS[best.architecture](**best.config)
        model.load_state_dict(best.state)
        contract = model.contract
        if contract.generates and count:
            drawn = generate(model, count**2, self.options.seed)
            write_picture(self.drawn, grid(drawn))
        if contract.cannot_denoise or not count:
            return
        pairs = self._samples(count)
        denoised = [noisy.copy() for noisy in pairs]
        Denoiser(best, device=str(self.device), precision="fp32").clean(denoised)
        target = Path(self.options.output) if self.options.output else self.folder / "output.png"
        write_picture(target, beside(list(zip(pairs, denoised, strict=True))))

    def _samples(self, count: int) -> list[Array]:
        """Noisy validation images, spread evenly over all of them."""
        noisy = [pair[0] for pair in self.source.validation]
        chosen = np.linspace(0, len(noisy) - 1, min(count, len(noisy))).round().astype(int)
        return [noisy[k] for k in chosen]

    def verdict(self) -> list[str]:
        """Whether to keep weights that were trained without clean images, see `verdict`."""
        if not self.source.risks or not self.weights.exists():
            return []
        what = "training images" if self.source.leaks else "held-out images"
        start = self.starts_from if self.kept_start else None
        device = str(self.device)
        mine = Denoiser(load_weights(str(self.weights)), device=device)
        return verdict(mine, self.source.risks, what, start, device)


def generate(model: Any, count: int, seed: int) -> list[Array]:
    """New images of a generative model, each H x W x C in [0, 1], from standard normal codes."""
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randn(count, model.contract.code, generator=generator)
    with torch.inference_mode():
        return list(model.eval().generate(codes).permute(0, 2, 3, 1).numpy())
