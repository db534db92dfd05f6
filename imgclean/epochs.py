"""One epoch of a training run, and the files that tell of the epochs so far."""

import csv
import importlib.util
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import OutputError
from .files import write_whole
from .pictures import plot_losses

__all__ = ["Epoch", "write_events", "write_history", "write_picture"]


@dataclass(frozen=True)
class Epoch:
    """One epoch: mean training loss, and what the averaged weights do on the validation images.

    Number 0 is the weights that a run starts from, which have no training loss. `val_loss` is of
    the kind of the training loss, `val_mse` the mean squared error on [0, 1] and `val_psnr` the
    mean over images in dB; not-a-number for a model that cannot denoise.
    """

    number: int
    step: int
    loss: float
    val_loss: float
    val_mse: float
    val_psnr: float
    seconds: float
    images_per_second: float
    waited: float
    best: bool


def write_history(folder: Path, epochs: Sequence[Epoch], plot: Path) -> None:
    """Write the epochs to `history.csv` in a folder, and their losses as curves to `plot`."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["epoch", "step", "loss", "val_loss", "val_mse", "val_psnr", "seconds"])
    for epoch in epochs:
        values = (epoch.loss, epoch.val_loss, epoch.val_mse)
        shown = ["" if math.isnan(v) else f"{v:.8g}" for v in values]
        level = "" if math.isnan(epoch.val_psnr) else f"{epoch.val_psnr:.4f}"
        table.writerow([epoch.number, epoch.step, *shown, level, f"{epoch.seconds:.1f}"])
    write_whole(folder / "history.csv", text.getvalue().encode())
    curves = [
        ("training loss", [epoch.loss for epoch in epochs]),
        ("validation loss", [epoch.val_loss for epoch in epochs]),
    ]
    write_picture(plot, plot_losses(curves))


def write_events(folder: Path, epoch: Epoch) -> None:
    """Add an epoch to TensorBoard's files in a folder, where TensorBoard is installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return
    from torch.utils.tensorboard import SummaryWriter

    try:
        with SummaryWriter(str(folder)) as events:
            for name in ("loss", "val_loss", "val_mse", "val_psnr"):
                value = getattr(epoch, name)
                if not math.isnan(value):
                    events.add_scalar(name, value, epoch.number)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from error


def write_picture(target: Path, pixels: NDArray[np.uint8]) -> None:
    """Write an H x W x 3 picture; PNG where the suffix names no format that is known."""
    suffix = (
        target.suffix if target.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp") else ".png"
    )
    done, data = cv2.imencode(suffix, np.ascontiguousarray(pixels[..., ::-1]))
    if not done:
        raise OutputError(f"{target}: cannot be encoded; name a .png file")
    write_whole(target, data.tobytes())
