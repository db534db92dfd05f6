"""The command `imgclean train`: its options, and what it shows while it runs."""

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .errors import ExitCode, InputError, UsageError

if TYPE_CHECKING:
    from .run_options import Options
    from .runs import Run

__all__ = ["train"]


class Loss(StrEnum):
    """What `--loss` takes."""

    MSE = "mse"
    L1 = "l1"
    CLIPPED_L1 = "clipped-l1"
    CLIPPED_PINBALL = "clipped-pinball"
    CHARBONNIER = "charbonnier"
    PSNR = "psnr"
    MS_SSIM = "ms-ssim"


class Precision(StrEnum):
    """What `--precision` takes."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"


_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "min": 60, "h": 3600}

Data = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|mnist[:DIR]|fashion-mnist[:DIR]",
        help="Clean images, with subfolders. [default: synthesised pages and scenes]",
    ),
]
Noisy = Annotated[
    str | None,
    typer.Option(metavar="DIR", help="Noisy images; without --clean it learns from them alone."),
]
Clean = Annotated[
    str | None, typer.Option(metavar="DIR", help="Clean twins of --noisy, of the same names.")
]
Noise = Annotated[
    str | None,
    typer.Option(
        metavar="TERM[+TERM...]",
        help="Noise to add, such as gaussian:0-55 or blur+jpeg:20-60. [default: photo; "
        "the tutorial's on digits; scan on synthesised pages]",
    ),
]
Validation = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|FRACTION",
        help="Images to validate on, or the share to hold out (0.1); with pairs, "
        "DIR/noisy and DIR/clean.",
    ),
]
Model = Annotated[
    str,
    typer.Option(
        metavar="unet-s|unet-m|conv-ae|dense-ae|contractive-ae|vae|pca|gan", help="What to train."
    ),
]
Init = Annotated[
    str | None,
    typer.Option(
        metavar="photo|scan|NAME|PATH|none",
        help="Weights to start from. [default: photo for unet-s on noisy images alone, else none]",
    ),
]
Filters = Annotated[
    str | None, typer.Option(metavar="N,N...", help="Maps of each convolution. [default: 32,64]")
]
LatentDim = Annotated[int | None, typer.Option(min=1, help="Numbers in the code. [default: 16]")]
Epochs = Annotated[
    int | None, typer.Option(min=1, help="Epochs. [default: 25, or what --max-time allows]")
]
MaxTime = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Stop after 90s, 10m or 1h; the rate follows the time."),
]
StepsPerEpoch = Annotated[
    int | None, typer.Option(min=1, help="Batches an epoch. [default: one pass; 100 if endless]")
]
BatchSize = Annotated[int, typer.Option(min=1, help="Patches a batch.")]
Rate = Annotated[
    float | None,
    typer.Option("--lr", help="Learning rate. [default: 0.001; 0.0001 from weights]"),
]
LossOption = Annotated[
    Loss | None, typer.Option("--loss", help="What to minimise. [default: l1 for unets, else mse]")
]
Patch = Annotated[
    int | None, typer.Option(min=2, help="Side of a patch in pixels. [default: 64; 32 if fixed]")
]
EarlyStop = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Stop after N epochs without a better validation loss."),
]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Decides every random choice.")]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda|cuda:N|mps", help="Where to compute.")]
PrecisionOption = Annotated[
    Precision,
    typer.Option(
        "--precision", help="bf16 is mixed precision; auto takes it for unets, where it is faster."
    ),
]
Workers = Annotated[
    int | None, typer.Option(min=0, help="Threads that prepare batches. [default: by cores]")
]
Compile = Annotated[bool, typer.Option("--compile", help="Compile the model first.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="RUN_DIR", help="New folder. [default: runs/MODEL-N]"),
]
Resume = Annotated[
    Path | None, typer.Option(metavar="RUN_DIR", help="Continue a run exactly where it stopped.")
]
Samples = Annotated[int, typer.Option(min=0, max=64, help="Rows of the picture of results.")]
Output = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Picture of results. [default: in the run]")
]
Plot = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Plot of the losses. [default: in the run]")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


def train(
    context: typer.Context,
    data: Data = None,
    noisy: Noisy = None,
    clean: Clean = None,
    noise: Noise = None,
    validation: Validation = None,
    model: Model = "unet-s",
    init: Init = None,
    filters: Filters = None,
    latent_dim: LatentDim = None,
    epochs: Epochs = None,
    max_time: MaxTime = None,
    steps_per_epoch: StepsPerEpoch = None,
    batch_size: BatchSize = 32,
    lr: Rate = None,
    loss: LossOption = None,
    patch: Patch = None,
    early_stop: EarlyStop = None,
    seed: Seed = 0,
    device: Device = "auto",
    precision: PrecisionOption = Precision.AUTO,
    workers: Workers = None,
    compile_: Compile = False,
    samples: Samples = 8,
    output: Output = None,
    plot: Plot = None,
    out: Out = None,
    resume: Resume = None,
    quiet: Quiet = False,
) -> None:
    """Train weights for `imgclean denoise`: with clean images, pairs, noisy images, or none.

    Everything goes into a new folder; Ctrl-C keeps what is done, and --resume continues.
    """
    given: dict[str, Any] = {
        "data": data,
        "noisy": noisy,
        "clean": clean,
        "noise": noise,
        "validation": validation,
        "model": model,
        "init": init,
        "filters": _filters(filters),
        "latent_dim": latent_dim,
        "epochs": epochs,
        "max_time": _seconds(max_time),
        "steps_per_epoch": steps_per_epoch,
        "batch_size": batch_size,
        "lr": _rate(lr),
        "loss": loss.value if loss else None,
        "patch": patch,
        "early_stop": early_stop,
        "seed": seed,
        "device": device,
        "precision": precision.value,
        "workers": workers,
        "compile": compile_,
        "samples": samples,
        "output": str(output) if output else None,
        "plot": str(plot) if plot else None,
    }
    typed = {name for name in given if _was_typed(context, name)}
    from dataclasses import replace

    from .processes import join
    from .run_options import Options
    from .runs import Run
    from .training_screen import TrainingScreen

    if resume:
        if out:
            raise UsageError("--out and --resume: use one of them")
        options = _resumed(resume, given, typed)
    else:
        options = Options(**given)
    processes, device = join(options.device)
    options = replace(options, device=device)
    screen = TrainingScreen(quiet=quiet or not processes.first)
    run = Run(options, resume or out, resume=bool(resume), processes=processes)
    interrupted = _consume(run, screen)
    processes.leave()
    if interrupted:
        raise typer.Exit(ExitCode.INTERRUPTED)


def _consume(run: "Run", screen: Any) -> bool:
    """Train and show it; returns whether the user interrupted.

    The first Ctrl-C ends after the current step, so that nothing is lost; the second at once.
    SIGTERM, which torchrun sends on top of a Ctrl-C, and SIGHUP of a terminal that closes are as
    gentle as the first, and so is the end of whoever reads what is printed.
    """
    import signal

    asked: list[int] = []

    def ask_to_stop(number: int, _: object) -> None:
        asked.append(number)
        if run.stop and number == signal.SIGINT:
            raise KeyboardInterrupt
        run.stop = True

    caught = [signal.SIGINT, signal.SIGTERM]
    hung_up = getattr(signal, "SIGHUP", None)
    if hung_up and signal.getsignal(hung_up) != signal.SIG_IGN:  # nohup has it ignored
        caught.append(hung_up)
    before = {number: signal.signal(number, ask_to_stop) for number in caught}
    gone: OSError | None = None
    try:
        with screen.live(run):
            for record in run:
                try:
                    screen.show(record)
                except OSError as error:  # it only prints
                    gone, run.stop = error, True
    except KeyboardInterrupt:
        run.interrupted = True
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    try:
        if not gone:
            screen.finish(run)
    except OSError as error:
        gone = error
    if gone and not asked:
        raise BrokenPipeError from gone
    return run.interrupted


def _resumed(folder: Path, given: dict[str, Any], typed: set[str]) -> "Options":
    """The options of an earlier run; what may change is taken from the command line.

    Raises:
        UsageError: an option that decides the result was typed and differs.
        InputError: the images were named as seen from another folder.
    """
    from dataclasses import asdict, replace

    from .run_options import FREE, IMAGES, read_options

    stored = read_options(folder)
    was = asdict(stored)
    free = FREE - {name for name in IMAGES if was[name] is None}
    changed = sorted(n for n in typed - free if not _same(n, given[n], was[n]))
    if changed:
        listed = ", ".join(
            f"--{name.replace('_', '-')} {given[name]} (was {was[name]})" for name in changed
        )
        raise UsageError(
            f"--resume {folder}: continues with its own options, so these cannot change: {listed}; "
            "leave them out, or start a new run"
        )
    options = replace(stored, **{name: given[name] for name in typed & free})
    for name in sorted(IMAGES - typed):
        if was[name] and _is_lost(name, was[name]):
            raise InputError(
                f"--resume {folder}: its images are {was[name]}, as seen from the folder where it "
                f"was started; go on there, or say where they are now: --{name} DIR"
            )
    return options


def _is_lost(option: str, images: str) -> bool:
    """Whether a relative path is not there: no name of digits, and no share to hold out."""
    from .mnist import is_set

    if is_set(images):
        return False
    if option == "validation" and re.fullmatch(r"[\d.]+(e-?\d+)?", images, re.IGNORECASE):
        return False
    return not (Path(images).is_absolute() or Path(images).exists())


def _same(name: str, given: Any, stored: Any) -> bool:
    """Whether two values of an option mean the same; paths may be written in several ways."""
    if name == "precision" and given == "auto":
        return True  # it was measured when the run began
    if name == "init" and given and stored:
        return Path(given) == Path(stored)
    return bool(given == stored)


def _was_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source("compile_" if name == "compile" else name)
    return source is not None and source.name == "COMMANDLINE"


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    match = _SPAN.fullmatch(text.strip())
    if not match or not float(match[1]):
        raise UsageError(f"--max-time {text}: not a time; write 90s, 10m or 1h")
    return float(match[1]) * _SECONDS[match[2]]


def _filters(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    parts = text.split(",")
    if not all(re.fullmatch(r"\s*[0-9]{1,6}\s*", part) and int(part) for part in parts):
        raise UsageError(f"--filters {text}: give whole numbers from 1 to 999999, such as 32,64")
    return tuple(int(part) for part in parts)


def _rate(rate: float | None) -> float | None:
    if rate is not None and not 0 < rate < float("inf"):
        raise UsageError(f"--lr {rate:g}: a learning rate is above 0, such as 0.001")
    return rate
