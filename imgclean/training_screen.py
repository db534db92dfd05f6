"""What `imgclean train` shows: a live bar on a terminal, a line an epoch, the closing lines."""

import math
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.progress import BarColumn, Progress, TextColumn

from .errors import printable
from .progress import Messages, span
from .runs import EPOCH_TIME, Epoch, Run
from .train import Step

__all__ = ["TrainingScreen"]


class TrainingScreen:
    """Prints a training run to standard error."""

    def __init__(self, *, quiet: bool) -> None:
        """Nothing is printed yet."""
        self.quiet = quiet
        self.console = Messages()
        self._progress: Progress | None = None
        self._run: Run | None = None
        self._last: Epoch | None = None
        self._loss: float | None = None
        self._drawn = 0.0

    @contextmanager
    def live(self, run: Run) -> Iterator[None]:
        """Say what is trained, and show the bar while the block runs."""
        self._run = run
        if not self.quiet:
            self._introduce(run)
        if self.quiet or not self.console.moves:
            yield
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"))
        progress = self._progress = Progress(*columns, console=self.console, transient=True)
        progress.add_task("", total=1.0, text="")
        progress.start()
        try:
            yield
        finally:
            with suppress(OSError):  # of a terminal that has closed
                progress.stop()
            self._progress = None

    def _introduce(self, run: Run) -> None:
        for note in run.notes:
            self._say(f"warning: {note}")
        how = "bf16" if run.config.bf16 else "fp32"
        self._say(
            f"{run.options.model} ({run.parameters:,} parameters) on {run.device} in {how}: "
            f"{run.source.what}"
        )
        if run.starts_from:
            self._say(f"starts from the weights {run.starts_from}")
        times = _count(run.epochs, "epoch") if run.epochs else "epochs as time allows"
        limit = f" or {EPOCH_TIME:.0f} s" if run.brief else ""
        judged = _count(len(run.source.validation), "validation image") + ", "
        if run.trainer.model.contract.cannot_denoise:
            judged = ""
        self._say(
            f"{times} of {_count(run.steps, 'batch', 'batches')} of {run.options.batch_size}"
            f"{limit}, {judged}into {run.folder}"
        )
        if run.trainer.step:
            last = run.epochs is not None and run.trainer.step >= run.steps * run.epochs
            ended = ", which was the last" if last else ""
            self._say(f"continuing after step {run.trainer.step}{ended}")

    def show(self, record: Step | Epoch) -> None:
        """Take in one record."""
        if self.quiet:
            return
        if isinstance(record, Epoch):
            self._last = record
            self._say(self._line(record))
        else:
            keep = 0.98 if self._loss is not None else 0.0
            self._loss = keep * (self._loss or 0.0) + (1 - keep) * record.loss
            if self._progress and time.monotonic() - self._drawn > 0.1:
                self._drawn = time.monotonic()
                self._tick(self._progress, record)

    def _tick(self, progress: Progress, step: Step) -> None:
        assert self._run is not None
        number = len(self._run.history) + 1
        of = f"/{self._run.epochs}" if self._run.epochs else ""
        rate = step.step * self._run.options.batch_size / max(step.seconds, 1e-9)
        parts = [f"loss {self._loss:.5f}"]
        if self._last and not math.isnan(self._last.val_loss):
            parts.append(f"validation {self._last.val_loss:.5f} ({self._last.val_psnr:.2f} dB)")
        left = step.seconds / max(step.progress, 1e-9) * (1 - step.progress)
        parts += [f"{rate:.0f} images/s", f"ETA {span(left)}"]
        task = progress.task_ids[0]
        text = "  ".join(parts)
        progress.update(task, completed=step.progress, description=f"epoch {number}{of}", text=text)

    def _line(self, epoch: Epoch) -> str:
        assert self._run is not None
        of = f"/{self._run.epochs}" if self._run.epochs else ""
        if epoch.number == 0:
            return f"before training  validation {epoch.val_loss:.5f} ({epoch.val_psnr:.2f} dB)"
        text = f"epoch {epoch.number}{of}  loss {epoch.loss:.5f}"
        if not math.isnan(epoch.val_loss):
            text += f"  validation {epoch.val_loss:.5f}"
            text += f" ({epoch.val_psnr:.2f} dB)" + (" best" if epoch.best else "")
        text += f"  {epoch.images_per_second:.0f} images/s"
        progress = self._run.trainer.progress
        left = (epoch.seconds + self._run.judging) / max(progress, 1e-9) * (1 - progress)
        return f"{text}  {span(epoch.seconds)}, {span(left)} left"

    def finish(self, run: Run) -> None:
        """Print where things are and what to do next; to resume, if it was interrupted."""
        if run.interrupted and run.processes.first:
            self._say(f"interrupted; continue with: imgclean train --resume {_quoted(run)}")
        if self.quiet or run.interrupted:
            return
        for line in run.verdict():
            self._say(line)
        if self._last:
            share = self._last.waited / max(self._last.seconds, 1e-9)
            self._say(f"waited for data {100 * share:.1f} % of the time")
        if run.kept_start:
            self._say(
                f"no epoch had a lower validation loss ({run.judged_by}) than the weights it "
                "started from, so these are kept"
            )
        if run.failed:
            self._say(f"warning: {run.failed}")
        self._say(f"weights are in {run.weights}")
        if run.drawn.exists():
            self._say(f"new images that they drew are in {run.drawn}")
        if not run.trainer.model.contract.cannot_denoise:
            model = shlex.quote(str(run.weights))
            self._say(f"use them with: imgclean denoise INPUT --out OUTPUT --model {model}")

    def _say(self, text: str) -> None:
        for line in text.split("\n"):
            self.console.print(printable(line))


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"


def _quoted(run: Run) -> str:
    return shlex.quote(str(run.folder))
