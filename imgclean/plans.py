"""Decide what to clean and where results go, before anything is read or written."""

import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .checks import flag, fraction, weights_named, whole
from .errors import InputError, OutputError, UsageError
from .files import same_place
from .forms import FORMS, Form
from .images import REQUESTS, SUFFIXES, find, output_format

__all__ = ["Job", "Options", "Plan", "comparison_of", "kind_and_suffix", "plan", "refuse_alike"]


@dataclass(frozen=True)
class Options:
    """What `imgclean denoise` can be told; see its help for each.

    `limit_memory` is in bytes here and `max_pixels` in pixels.
    """

    model: str = "auto"
    strength: float = 1.0
    device: str = "auto"
    precision: str = "auto"
    tile: int | None = None
    batch_size: int | None = None
    workers: int | None = None
    limit_memory: int | None = None
    format: str = "keep"
    output_mode: Form = "keep"
    quality: int | None = None
    safe: bool | None = None
    recursive: bool = True
    parents: bool = False
    overwrite: bool = False
    keep_times: bool = False
    compare: bool = False
    fail_fast: bool = False
    max_pixels: int = 300_000_000

    def __post_init__(self) -> None:
        """Refuse what the command line does, for scripts, and take NumPy's numbers and paths.

        Raises:
            UsageError: a value that is out of range or of the wrong kind.
        """
        kept: dict[str, Any] = {"model": weights_named(self.model), "device": str(self.device)}
        for name in ("tile", "batch_size", "workers", "limit_memory", "max_pixels", "quality"):
            value = getattr(self, name)
            if value is not None or name == "max_pixels":
                kept[name] = whole(name, value)
        if self.quality is not None and self.quality > 100:
            raise UsageError(f"quality={self.quality}: give a number from 1 to 100")
        kept["strength"] = fraction("strength", self.strength)
        flags = ("safe", "recursive", "parents", "overwrite", "keep_times", "compare", "fail_fast")
        for name in flags:
            value = getattr(self, name)
            if name != "safe" or value is not None:
                kept[name] = flag(name, value)
        for name, value in kept.items():
            object.__setattr__(self, name, value)
        for name, known in (("format", ("keep", *REQUESTS)), ("output_mode", FORMS)):
            if getattr(self, name) not in known:
                raise UsageError(f"{name}={getattr(self, name)!r}: give one of {', '.join(known)}")


@dataclass(frozen=True)
class Job:
    """One file to clean and where the result goes."""

    source: Path
    target: Path
    comparison: Path | None = None


@dataclass(frozen=True)
class Plan:
    """All that a command will do: its jobs in natural order, and the files it passes over."""

    out: Path
    jobs: list[Job]
    ignored: list[Path]


def plan(inputs: Sequence[Path], out: Path, options: Options) -> Plan:
    """Decide what goes where, before anything is read or written.

    Raises:
        InputError: an input does not exist, or there is no image in any.
        UsageError: the output folder is an input or inside one, or two sources share a target.
    """
    if options.output_mode == "bilevel" and options.format in ("jpg", "webp"):
        raise UsageError(
            f"--format {options.format}: cannot hold one bit a pixel; "
            "use --format tiff or png for --output-mode bilevel"
        )
    found = find(inputs, recursive=options.recursive)
    _refuse_inside(inputs, out)
    jobs: list[Job] = []
    for source, relative in found.images:
        place = _with_parents(source) if options.parents else relative
        _, suffix = kind_and_suffix(source, options)
        target = out / place.with_name(place.stem + suffix)
        comparison = comparison_of(target) if options.compare else None
        jobs.append(Job(source, target, comparison))
    written = [path for job in jobs for path in _written(job)]
    if clashes := list(_clashes(jobs)):
        raise UsageError(_collision(*clashes[0], options, len(clashes) - 1))
    # What cannot be listed may hold images: it fails as a file would, and is not passed over.
    jobs += [Job(folder, out / folder.name) for folder in found.unreadable]
    if not jobs:
        raise InputError(_no_images(inputs, options))
    sources = {_identity(job.source) for job in jobs}
    for path in written:
        if _identity(path) in sources:
            raise UsageError(f"{path}: would overwrite an original; choose another --out folder")
    return Plan(out, jobs, found.ignored)


def refuse_alike(work: Plan, known: Path) -> None:
    """Refuse results whose names differ in capitals alone where these are one file.

    Args:
        work: the plan.
        known: a file in its output folder, whose name tells whether capitals count there.

    Raises:
        UsageError: one would take the place of another, as on a memory stick.
    """
    if not same_place(known, known.with_name(known.name.swapcase())):
        return
    for other, job, path in _clashes(work.jobs, alike=lambda path: str(path).lower()):
        raise UsageError(
            f"{other.source} and {job.source}: both would be written to {path}, since "
            f"{work.out} does not tell capitals from small letters; rename one of them, "
            "or clean them one by one into two --out folders"
        )


def _written(job: Job) -> Iterator[Path]:
    """The files that a job makes."""
    return filter(None, (job.target, job.comparison))


def _clashes(
    jobs: Iterable[Job], alike: Callable[[Path], Hashable] = Path
) -> Iterator[tuple[Job, Job, Path]]:
    """Jobs that would write what one before them does, by names that are made `alike`."""
    first: dict[Hashable, Job] = {}
    for job in jobs:
        for path in _written(job):
            other = first.setdefault(alike(path), job)
            if other is not job:
                yield other, job, path


def comparison_of(target: Path) -> Path:
    """Where noisy and denoised stand side by side, for a target."""
    return target.with_name(target.stem + ".compare.jpg")


def kind_and_suffix(source: Path, options: Options) -> tuple[str, str]:
    """Format and suffix of the output; the suffix names the format, even where it lied."""
    kind = SUFFIXES[source.suffix.lower()]
    return output_format(kind, options.format, source.suffix, mode=options.output_mode)


def _identity(path: Path) -> tuple[object, str]:
    """A folder and a name in it, the same by whatever path: names in capitals, other mounts."""
    folder, name = os.path.split(os.path.realpath(path))
    try:
        found = os.stat(folder)  # noqa: PTH116  # a string
    except OSError:  # not there yet
        return folder, name
    return (found.st_dev, found.st_ino), name


def _refuse_inside(inputs: Sequence[Path], out: Path) -> None:
    folder = Path(os.path.realpath(out))
    try:
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{out}: is a file; give --out a folder")
    except OSError as error:
        raise OutputError(f"{out}: {error.strerror}; choose another --out") from error
    for given in inputs:
        if given.is_dir() and any(same_place(given, place) for place in (folder, *folder.parents)):
            raise UsageError(
                f"{out}: {'is' if same_place(given, folder) else 'lies in'} the "
                f"input folder {given}, where outputs would mix with originals; choose an --out "
                "folder beside it"
            )


def _with_parents(source: Path) -> Path:
    """The path as given, without the parts that lead out of the output folder."""
    return Path(*(part for part in source.parts if part not in (source.anchor, "..", ".")))


def _no_images(inputs: Sequence[Path], options: Options) -> str:
    names = ", ".join(map(str, inputs))
    if not inputs:
        return "no inputs; give at least one file or folder"
    if not options.recursive and find(inputs).images:
        return f"{names}: no images but in subfolders; leave out --no-recursive"
    what = "holds no image" if len(inputs) == 1 else "hold no image"
    if all(path.is_file() for path in inputs):
        what = "is no image by its name" if len(inputs) == 1 else "are no images by their names"
    return f"{names}: {what}; imgclean reads files that end in {' '.join(sorted(SUFFIXES))}"


def _collision(one: Job, other: Job, path: Path, options: Options, more: int) -> str:
    cure = "use --parents, which keeps each input's own folder"
    if one.target != other.target:
        cure = "leave out --compare, or clean them into two --out folders"
    elif one.source.suffix != other.source.suffix and one.source.parent == other.source.parent:
        cure = "use --format keep, which keeps each file's suffix"
        if options.format == "keep":
            cure = "rename one of them, or clean them one by one into two --out folders"
    elif options.parents:
        cure = "clean them into two --out folders"
    pairs = f" ({more} more such pair{'s' if more > 1 else ''})" if more else ""
    return f"{one.source} and {other.source}: both would be written to {path}{pairs}; {cure}"
