"""The command line: options, exit codes and everything that is printed.

Nothing here imports torch, OpenCV or libvips before a command needs them, so that help
answers at once.
"""

import difflib
import os
import re
import shlex
import signal
import sys
import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from .errors import ExitCode, ImgcleanError, OutputError, UsageError, printable
from .eval_command import evaluate
from .files import is_stream, print_out, refuse_foreign
from .train_command import train

if TYPE_CHECKING:
    from .denoise import Plan, Run
    from .progress import Screen

__all__ = ["app"]

_EPILOG = (
    "Exit codes: 0 all done, 1 some files failed, 2 wrong usage, 3 weights or an optional "
    "dependency missing or damaged, 4 no input or no images, 5 output not writable, "
    "130 interrupted."
)


_REPORTED = 60.0  # seconds between two states of a --report


class _Commands(TyperGroup):
    """The commands; a folder in their place gets a hint, a wrong value a plain answer."""

    def invoke(self, ctx: Any) -> Any:
        """As always, but wrong values are told in words of the command line."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = _plainly(error)
            raise

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As always, but for paths, and for long options with one dash."""
        if args and args[0] not in self.commands and Path(args[0]).exists():
            said = shlex.join(["imgclean", "denoise", *args])
            name = printable(args[0])
            ctx.fail(f"'{name}' is no command, but a path. Did you mean: {printable(said)}")
        found = super().resolve_command(ctx, args)
        if found[1] and not ctx.resilient_parsing:  # that is, while a shell completes
            _refuse_one_dash(found[1].get_params(ctx), found[2])
        return found


def _refuse_one_dash(options: list[Any], words: list[str]) -> None:
    """Refuse `-out clean`, which would mean `--out ut` and an input called clean.

    Raises:
        UsageError: a word is a long option's name, but for its second dash.
    """
    takers = {name for one in options if not getattr(one, "is_flag", True) for name in one.opts}
    names = {name for one in options for name in (*one.opts, *one.secondary_opts)}
    for before, word in zip(["", *words], words, strict=False):
        if word == "--":
            return
        option = "-" + word.partition("=")[0]
        takes = before in takers or _ends_in(before, takers)
        if option.startswith("--") and option in names and not takes:
            raise UsageError(f"{option[1:]}: has one dash; did you mean {option}?")


def _ends_in(word: str, takers: set[str]) -> bool:
    """Whether of letters that share a dash, as in -qo, the last is the first to take a value."""
    letters = [f"-{letter}" in takers for letter in word[1:]]
    return bool(re.match(r"-[^-]", word) and letters[-1] and not any(letters[:-1]))


app = typer.Typer(
    name="imgclean",
    cls=_Commands,
    help="Clean folders of noisy scans and photos with a denoising autoencoder.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    """What `--format` takes."""

    KEEP = "keep"
    PNG = "png"
    JPG = "jpg"
    TIFF = "tiff"
    WEBP = "webp"


class OutputMode(StrEnum):
    """What `--output-mode` takes."""

    KEEP = "keep"
    GREY = "grey"
    BILEVEL = "bilevel"


class Precision(StrEnum):
    """What `--precision` takes."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


def _size(text: str) -> int:
    """Bytes from text such as 800M or 2G."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if not match:
        raise UsageError(f"--limit-memory {text}: is not a size; write 800M or 2G")
    size = int(float(match[1]) * 1000 ** " KMGT".index(match[2].upper() or " "))
    if not size:
        raise UsageError(f"--limit-memory {text}: is nothing; write 800M or 2G")
    if size < 1_000_000 and not match[2]:
        raise UsageError(f"--limit-memory {text}: means {size} bytes; write 800M or 2G")
    return size


def _plainly(error: typer.BadParameter) -> str:
    """What is wrong with an option's value, where Typer passes on the words of its validator."""
    listed = getattr(error.__cause__, "errors", None)
    if not listed:
        return error.message
    first = listed()[0]
    given, kind, limits = str(first["input"]), str(first["type"]), dict(first.get("ctx") or {})
    if kind.startswith("int"):
        return f"{given} is no whole number."
    if kind.startswith(("float", "finite")) or given.lower() in ("nan", "-nan"):
        return f"{given} is no number."
    for name, words in (("le", "at most"), ("ge", "at least"), ("lt", "under"), ("gt", "over")):
        if name in limits:
            return f"{given} is out of range; give {words} {limits[name]:g}."
    message = error.message.removeprefix("Value error, ")
    known = re.findall(r"'([^']*)'", message)
    if alike := difflib.get_close_matches(given.lower(), known[1:], 1):
        message += f" Did you mean {alike[0]}?"
    return message


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"imgclean {version('imgclean')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


Inputs = Annotated[
    list[Path],
    typer.Argument(metavar="INPUT...", readable=False, help="Files and folders to clean."),
]
Out = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        metavar="DIR",
        help="Folder for the results; made if missing.",
    ),
]
Model = Annotated[
    str,
    typer.Option(
        metavar="auto|photo|scan|NAME|PATH",
        help="Weights. auto decides between photo and scan for each image, photo when unsure.",
    ),
]
Strength = Annotated[
    float,
    typer.Option(min=0, max=1, help="0 keeps the pixels as they are, 1 is the full effect."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="File format of the results.")]
OutputModeOption = Annotated[
    OutputMode, typer.Option("--output-mode", help="Colours as they are, grey, or one bit a pixel.")
]
Safe = Annotated[
    bool | None,
    typer.Option(
        "--safe/--no-safe",
        help="Leave clean pages alone and clean less where strokes went missing. "
        "[default: for scan weights]",
    ),
]
Quality = Annotated[
    int | None,
    typer.Option(min=1, max=100, help="JPEG, WebP and AVIF quality. [default: a JPEG's own, 90+]"),
]
Recursive = Annotated[bool, typer.Option("--recursive/--no-recursive", help="Enter subfolders.")]
Parents = Annotated[
    bool, typer.Option("--parents", help="Keep the input paths as given under DIR.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace files in DIR that imgclean did not make.")
]
KeepTimes = Annotated[bool, typer.Option("--keep-times", help="Keep modification times.")]
Compare = Annotated[
    bool,
    typer.Option("--compare", help="Also write NAME.compare.jpg: noisy left, denoised right."),
]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Stop at the first file that fails.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done, and how long it would take.")
]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda|cuda:N|mps", help="Where to compute.")]
PrecisionOption = Annotated[
    Precision, typer.Option("--precision", help="auto takes half precision if faster and safe.")
]
Tile = Annotated[
    int | None, typer.Option(min=64, metavar="PIXELS", help="Side of a tile. [default: by memory]")
]
BatchSize = Annotated[
    int | None, typer.Option(min=1, help="Tiles a pass. [default: 1 on a CPU, 16 elsewhere]")
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Files read and written at once. [default: by cores]")
]
LimitMemory = Annotated[
    str | None, typer.Option(metavar="SIZE", help="Bound on memory in all, such as 2G.")
]
MaxPixels = Annotated[
    float,
    typer.Option(min=0, metavar="MP", help="Larger images, in megapixels, are refused as bombs."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Report = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the same JSON document to a file.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print a line for every file.")]


@app.command(epilog=_EPILOG, short_help="Clean images and folders; originals stay as they are.")
def denoise(
    inputs: Inputs,
    out: Out,
    model: Model = "auto",
    strength: Strength = 1.0,
    format_: FormatOption = Format.KEEP,
    output_mode: OutputModeOption = OutputMode.KEEP,
    quality: Quality = None,
    safe: Safe = None,
    recursive: Recursive = True,
    parents: Parents = False,
    overwrite: Overwrite = False,
    keep_times: KeepTimes = False,
    compare: Compare = False,
    fail_fast: FailFast = False,
    dry_run: DryRun = False,
    device: Device = "auto",
    precision: PrecisionOption = Precision.AUTO,
    tile: Tile = None,
    batch_size: BatchSize = None,
    workers: Workers = None,
    limit_memory: LimitMemory = None,
    max_pixels: MaxPixels = 300,
    json_: Json = False,
    report: Report = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Clean images and folders of images into DIR; originals are never touched.

    Run again, it skips what is done and redoes what has changed.
    """
    if quiet and verbose:
        raise UsageError("--quiet and --verbose: use one of them")
    limit = _size(limit_memory) if limit_memory else None
    if max_pixels * 1e6 < 1:
        raise UsageError(f"--max-pixels {max_pixels:g}: is nothing; give megapixels above 0")
    from .memory import forget_shapes

    forget_shapes()
    from .denoise import Options, Run, plan
    from .progress import Screen, State, write_report

    options = Options(
        model=model,
        strength=strength,
        device=device,
        precision=precision.value,
        tile=tile,
        batch_size=batch_size,
        workers=workers,
        limit_memory=limit,
        format=format_.value,
        output_mode=output_mode.value,
        quality=quality,
        safe=safe,
        recursive=recursive,
        parents=parents,
        overwrite=overwrite,
        keep_times=keep_times,
        compare=compare,
        fail_fast=fail_fast,
        max_pixels=int(min(max_pixels * 1e6, sys.maxsize)),
    )
    work = plan(inputs, out, options)
    screen = Screen(work, quiet=quiet, verbose=verbose, dry=dry_run)
    if report:
        _refuse_original(report, work)
    run = Run(work, options, dry=dry_run)
    if report and not is_stream(report):
        try:
            # Fails now rather than after hours.
            write_report(report, screen.document(None, "running"))
        except ImgcleanError:
            run.abort()
            raise
    interrupted = _consume(run, screen, None if report and is_stream(report) else report)
    reached = len(screen.outcomes) == len(work.jobs)
    state: State = "interrupted" if interrupted else "finished" if reached else "stopped"
    document = screen.document(run, state)
    if json_:
        import json

        print_out(json.dumps(document, indent=2))
    screen.finish(run, interrupted=interrupted)
    if report:
        write_report(report, document)
    if interrupted:
        _leave(ExitCode.INTERRUPTED)
    if run.full or run.gone:
        _leave(ExitCode.NO_OUTPUT)
    _leave(ExitCode.SOME_FAILED if screen.failed else ExitCode.OK)


def _refuse_original(report: Path, work: "Plan") -> None:
    from .journal import JOURNAL

    place = os.path.realpath(report)
    for job in work.jobs:
        images = filter(None, (job.source, job.target, job.comparison))
        if place in map(os.path.realpath, images):
            raise UsageError(f"{report}: is an image of this run; choose another --report")
    if Path(place).name == JOURNAL:
        raise UsageError(f"{report}: has the name of imgclean's journal; choose another --report")
    if str(report) == "-":
        raise UsageError("--report -: names no file; --json prints the document")
    if os.path.isdir(report):  # noqa: PTH112  # Path's raises for names too long
        raise OutputError(f"{report}: is a folder; name a file for --report")
    refuse_foreign(report, r'\{\s*"summary": \{\s*"state": ', "report of imgclean denoise")


def _consume(run: "Run", screen: "Screen", report: Path | None) -> bool:
    """Show every outcome, and once a minute what a report says; whether the user interrupted."""
    from .progress import write_report

    outcomes, written = iter(run), time.monotonic()
    try:
        with screen.live(run):
            for outcome in outcomes:
                screen.show(outcome)
                if report and time.monotonic() - written > _REPORTED:
                    with suppress(OutputError):  # the last one will say so
                        write_report(report, screen.document(run, "running"))
                    written = time.monotonic()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one would only spoil the ending
        return True
    finally:  # also where a message has nowhere to go
        run.abort()
    return False


def _leave(code: ExitCode) -> None:
    """End at once: a thread deep in a library's arithmetic cannot be asked to stop.

    The interpreter would abort where it ends beneath such a thread.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


app.command(epilog=_EPILOG, short_help="Train weights of your own.")(train)
app.command("eval", epilog=_EPILOG, short_help="Measure how good weights are.")(evaluate)


@app.command(short_help="List the weights that ship, with their figures.")
def models(json_: Json = False) -> None:
    """List the weights that ship with imgclean, with the headline of their cards."""
    import json

    from .weights import available, read_card

    cards = {path.stem: read_card(path) for path in available()}
    if json_:
        print_out(json.dumps({"models": [{**card, "name": n} for n, card in cards.items()]}))
        return
    for name, card in cards.items():
        figures = [f"  {figure}" for figure in card.get("headline", [])]
        print_out("\n".join([f"{name}: {card.get('summary', 'no card')}", *figures]))
