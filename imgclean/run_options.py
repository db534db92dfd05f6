"""What `imgclean train` can be told, and what follows: images, model, folder, precision."""

import inspect
import json
import os
import shutil
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch

from .checks import NO_UNIT
from .errors import DependencyError, OutputError, UsageError
from .files import refuse_unwritable
from .mnist import is_set
from .models import MODELS, NAMES, UNet
from .models.fused import trains_faster_in_bfloat16
from .recipes import parse
from .sources import Request, Source, open_source
from .weights import load_weights

__all__ = [
    "FREE",
    "IMAGES",
    "RATE",
    "SCRATCH",
    "Options",
    "choose_precision",
    "complete_config",
    "new_folder",
    "open_images",
    "read_options",
    "refuse_idle",
    "refuse_inside",
    "refuse_taken",
    "settle",
    "start_of",
]

SCRATCH = "none"  # what --init takes for no weights
RATE = 1e-3  # of a model from scratch
_GENTLE = 1e-4  # of one that starts from weights
_KINDS = {"output", "plot", "generated"}  # of pictures that a run writes into its folder


@dataclass(frozen=True)
class Options:
    """What `imgclean train` can be told; see its help. Times are in seconds."""

    data: str | None = None
    noisy: str | None = None
    clean: str | None = None
    noise: str | None = None
    validation: str | None = None
    model: str = "unet-s"
    init: str | None = None
    filters: tuple[int, ...] | None = None
    latent_dim: int | None = None
    epochs: int | None = None
    max_time: float | None = None
    steps_per_epoch: int | None = None
    batch_size: int = 32
    lr: float | None = None
    loss: str | None = None
    patch: int | None = None
    early_stop: int | None = None
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    workers: int | None = None
    compile: bool = False
    samples: int = 8
    output: str | None = None
    plot: str | None = None

    def __post_init__(self) -> None:
        """Take paths as well as strings."""
        for name in ("data", "noisy", "clean", "validation", "init", "output", "plot"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else os.fspath(value))


# What may change when a run is resumed; the images may lie elsewhere as long as they are the same.
IMAGES = {"data", "noisy", "clean", "validation"}
FREE = {"device", "workers", "samples", "output", "plot"} | IMAGES


def read_options(folder: Path) -> Options:
    """The options that a run was started with.

    Raises:
        UsageError: the folder holds no run.
    """
    try:
        document = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        stored, training = document["options"], document["training"]
        known = {f.name for f in fields(Options)}
        options = {k: v for k, v in stored.items() if k in known}
        if options.get("filters"):
            options["filters"] = tuple(options["filters"])
        if options["precision"] == "auto":  # of a version that did not write down what it was
            options["precision"] = "bf16" if training["bf16"] else "fp32"
        options["init"] = options["init"] or SCRATCH
        if options["noisy"] and not options["clean"] and training["loss"] == "mse":
            raise UsageError(
                f"--resume {folder}: an earlier version taught noisy images another way; start a "
                f"new run with --init {folder / 'weights.safetensors'}"
            )
        return Options(**options)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"--resume {folder}: holds no training run ({why}); give the folder that `imgclean "
            "train` named when it began, such as runs/unet-s-1"
        ) from error


def new_folder(out: Path | None, model: str) -> Path:
    """Make the folder of a run: the one named, which must be empty, or the next free one.

    Raises:
        UsageError: it holds something.
        OutputError: it cannot be made.
    """
    try:
        if out:
            out.mkdir(parents=True, exist_ok=True)
            if any(out.iterdir()):
                run = (out / "config.json").is_file()
                more = f", or continue the run in it with --resume {out}" if run else ""
                raise UsageError(f"--out {out}: is not empty; name another folder{more}")
            return out
        for number in range(1, 1_000_000):
            folder = Path("runs") / f"{model}-{number}"
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                continue
            return folder
    except OSError as error:
        raise OutputError(f"{out or 'runs'}: cannot be made ({error.strerror})") from error
    raise OutputError("runs: full; name a folder with --out")


_IDLE = {  # of each model, options that cannot do anything, and why
    "gan": {
        "noisy": "a gan sees no noise; give clean images with --data",
        "noise": "a gan sees no noise; leave it out",
        "loss": "gan has its own way to learn; leave it out",
        "validation": "a gan has no validation loss; leave it out",
        "early_stop": "a gan has no validation loss to stop by; leave it out",
        "output": "a gan cleans no image to show; what it draws is in generated.png; leave it out",
    },
    "pca": {
        "loss": "pca has its own way to learn; leave it out",
        "lr": "pca is fitted, without a learning rate; leave it out",
        "early_stop": "pca is fitted, and ends by itself; leave it out",
    },
}


def refuse_idle(options: Options) -> None:
    """Find out before any image is read what can never be done.

    Raises:
        UsageError: an option that the model could only ignore, or a wrong `--noise`.
    """
    for name, why in _IDLE.get(options.model, {}).items():
        if getattr(options, name) not in (None, "none"):
            raise UsageError(f"--{name.replace('_', '-')}: {why}")
    if options.model in _IDLE and options.precision == "bf16":
        raise UsageError(f"--precision bf16: {options.model} takes fp32 alone; leave it out")
    if options.noise is not None:
        parse(options.noise)


def refuse_taken(options: Options, stored: Options | None, folder: Path | None) -> None:
    """Find out now, not after hours, that the pictures cannot go where they are told.

    Those that a resumed run was told of when it began are its own.

    Raises:
        UsageError: one exists, or cannot be a PNG; both are one, or one is another picture that
            the run writes into its folder.
        OutputError: the folder of one does not exist or is read-only.
    """
    if options.output and not options.samples:
        raise UsageError("--samples 0: leaves --output nothing to draw; leave one of them out")
    own = (stored.output, stored.plot) if stored else ()
    for name, target in (("output", options.output), ("plot", options.plot)):
        if not target or target in own:
            continue
        for kind in _KINDS - {name}:
            if folder and Path(target).resolve() == (folder / f"{kind}.png").resolve():
                raise UsageError(
                    f"--{name} {target}: is where the run writes another picture; name another file"
                )
        if Path(target).suffix.lower() != ".png":
            raise UsageError(f"{target}: the pictures are PNG; give a name that ends in .png")
        if Path(target).exists():
            raise UsageError(f"{target}: exists and is not overwritten; name another file")
        refuse_unwritable(Path(target))
    if options.output and options.output == options.plot:
        raise UsageError("--output and --plot: are the same file; name two")


def refuse_inside(options: Options, folder: Path | None) -> None:
    """A run's own pictures must not become training images of the next, or when it is resumed.

    Raises:
        UsageError: the folder lies among the images.
    """
    own = [(folder or Path("runs"), "folder with --out")]
    own += [(Path(file), "place") for file in (options.output, options.plot) if file]
    named = (options.data, options.noisy, options.clean, options.validation)
    for name in (name for name in named if name and Path(name).is_dir()):
        for place, other in own:
            if place.resolve().is_relative_to(Path(name).resolve()):
                raise UsageError(
                    f"{place}: lies inside {name}, so its pictures would be trained on; "
                    f"name another {other}"
                )


def settle(options: Options) -> Options:
    """The options with what they leave open: what to start from, and the rate that suits it.

    Noisy images teach slowly, and the shipped weights know what images look like: on photos of
    sigma 25 nine minutes from there end a decibel above nine minutes from scratch.
    """
    alone = options.noisy and not options.clean
    init = options.init or ("photo" if alone and options.model == "unet-s" else SCRATCH)
    return replace(options, init=init, lr=options.lr or (RATE if init == SCRATCH else _GENTLE))


def start_of(options: Options) -> tuple[str, dict[str, Any], "dict[str, Any] | None"]:
    """Architecture, configuration so far, and the tensors of `--init`."""
    if options.model not in NAMES:
        raise UsageError(f"--model {options.model}: no such model; use one of {', '.join(NAMES)}")
    architecture, config = NAMES[options.model]
    if options.init in (None, SCRATCH):
        return architecture, dict(config), None
    weights = load_weights(options.init)
    if weights.architecture != architecture:
        raise UsageError(
            f"--init {options.init}: is a {weights.architecture}, so it cannot start "
            f"--model {options.model}"
        )
    asked: dict[str, Any] = dict(config) if options.model != "unet-s" else {}
    if options.latent_dim is not None:
        asked["latent_dim"] = options.latent_dim
    if options.filters:
        asked["filters"] = list(options.filters)
    has = _defaults(architecture) | weights.config  # files leave out what is as usual
    for key, value in asked.items():
        if key in has and has[key] != value:
            raise UsageError(
                f"--init {options.init}: has {key} {has[key]}, not {value}; leave "
                "--init out, or the option that asks for it"
            )
    return architecture, dict(weights.config), weights.state


def _defaults(architecture: str) -> dict[str, Any]:
    """The configuration of a model of which nothing is given."""
    usual = {k: a.default for k, a in inspect.signature(MODELS[architecture]).parameters.items()}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in usual.items()}


def open_images(options: Options, architecture: str, config: dict[str, Any], device: str) -> Source:
    """The images that the options name, in the size that the model needs."""
    fixed = architecture != "unet"
    digits = is_set(options.data)
    filters = options.filters or config.get("filters") or (32, 64)
    multiple = 2 ** len(filters) if architecture in ("conv-ae", "vae", "gan") else 1
    if not fixed:
        multiple = UNet(**config).multiple
    source = open_source(
        Request(
            data=options.data,
            noisy=options.noisy,
            clean=options.clean,
            noise="none" if architecture == "gan" else options.noise,
            validation=options.validation,
            patch=options.patch or (None if digits or not fixed else config.get("height")),
            batch_size=options.batch_size,
            steps=options.steps_per_epoch,
            seed=options.seed,
            fixed=fixed,
            multiple=multiple,
            whole=architecture == "pca",
            device=device,
        )
    )
    largest = max((float(noisy.max()) for noisy, _ in source.validation), default=0.0)
    if options.noise and largest > NO_UNIT:
        raise UsageError(
            f"--noise {options.noise}: makes pixels up to {largest:.0f} times as bright as white; "
            "give weaker noise"
        )
    return source


def complete_config(
    options: Options,
    architecture: str,
    config: dict[str, Any],
    source: Source,
    *,
    given: bool,
    begun: bool,
) -> dict[str, Any]:
    """The configuration with what the images and the options decide.

    Of weights that are given it is settled but for the images' size; that of a run that had begun
    is settled.

    Raises:
        UsageError: an option that the model does not have, or an impossible one.
    """
    convolutional = architecture in ("conv-ae", "vae", "gan")
    filters = options.filters or tuple(config.get("filters", (32, 64)))
    if options.latent_dim is not None and architecture == "unet":
        raise UsageError(f"--latent-dim: {options.model} has no code; leave it out")
    if options.filters and not convolutional:
        raise UsageError(f"--filters: {options.model} has none; leave it out")
    if options.compile:
        _check_compiler(options, architecture)
    if begun:
        return config
    if convolutional and options.batch_size == 1 and source.patch == 2 ** len(filters):
        raise UsageError("--batch-size 1: batch normalisation of single numbers needs at least 2")
    if architecture == "contractive-ae" and options.batch_size == 1:
        raise UsageError("--batch-size 1: the spread of a code shows in a batch of at least 2")
    if given:
        _check_size(options, config, source)
        return config
    if architecture == "unet":
        scans = options.noise is None and options.data is None and options.noisy is None
        scans = scans or source.pages or "scan" in (options.noise or "")
        # White paper is zero already where ink is one.
        return {**config, "channels": 3, "ink": scans, "centre": 0.0 if scans else 0.5}
    config |= {"channels": source.channels, "height": source.patch, "width": source.patch}
    if options.latent_dim is not None:
        config["latent_dim"] = options.latent_dim
    if options.filters:
        config["filters"] = list(options.filters)
    return config


def _check_compiler(options: Options, architecture: str) -> None:
    """Find out before training that nothing can be compiled.

    Raises:
        UsageError: the model has nothing to compile.
        DependencyError: a processor's code needs a compiler, and there is none.
    """
    if architecture != "unet":
        raise UsageError(f"--compile: speeds up the unets alone, not {options.model}; leave it out")
    compilers = (os.environ.get("CXX"), "g++", "clang++", "c++")
    if options.device in ("auto", "cpu") and not any(c and shutil.which(c) for c in compilers):
        raise DependencyError("--compile: needs a C++ compiler; install g++, or leave it out")


def _check_size(options: Options, config: dict[str, Any], source: Source) -> None:
    """Refuse images of another size than the weights of `--init` were made for.

    Raises:
        UsageError: their height, width or channels differ.
    """
    made = tuple(config.get(key) for key in ("width", "height", "channels"))
    if None not in made and made != (source.patch, source.patch, source.channels):
        raise UsageError(
            f"--init {options.init}: was made for images of {made[0]} x {made[1]} x {made[2]}, "
            f"these are {source.patch} x {source.patch} x {source.channels}; leave --init out, "
            "or change --patch"
        )


def choose_precision(precision: str, architecture: str, device: torch.device) -> str:
    """What to train in: what is asked for; else bf16 where it is faster and the model large."""
    if precision != "auto":
        return precision
    half = architecture == "unet" and trains_faster_in_bfloat16(device)
    return "bf16" if half else "fp32"
