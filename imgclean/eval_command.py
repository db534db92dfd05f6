"""The command `imgclean eval`: its options, and what it does with them."""

import math
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .errors import DependencyError, ExitCode, OutputError, UsageError
from .files import refuse_foreign, refuse_unwritable
from .scores import FIGURES, NOISY

if TYPE_CHECKING:
    from .cases import Case, Request
    from .eval_screen import Bound, EvalScreen
    from .evaluate import Options, Run
    from .methods import Method
    from .scores import Evaluation, Score

__all__ = ["evaluate"]

_DEFAULT_BASELINES = "nlm,median"  # beside the weights when nothing at all is named
_PARTS = ("noisy", "clean", "text")  # of a folder
_SAMPLES = 8
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")

Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="[DIR]",
        readable=False,
        help="Folder with noisy/ and, if there are any, clean/ and text/. [default: sample data]",
    ),
]
Noisy = Annotated[
    str | None,
    typer.Option(metavar="DIR", help="Noisy images; without --clean, figures without reference."),
]
Clean = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|mnist[:DIR]|fashion-mnist[:DIR]",
        help="Clean twins of --noisy, of the same names; or clean images to draw --noise on.",
    ),
]
Noise = Annotated[
    str | None,
    typer.Option(
        metavar="TERM[,LEVEL...]",
        help="Noise to draw on clean images, such as gaussian:25, or gaussian:15,25,50 for "
        "several levels; the seed is the image's number.",
    ),
]
TextFolder = Annotated[
    Path | None,
    typer.Option(
        "--text",
        metavar="DIR",
        readable=False,
        help="True texts, named as the images: error rates by Tesseract.",
    ),
]
Ocr = Annotated[
    bool,
    typer.Option("--ocr", help="Where no text is given, what Tesseract reads in the clean image."),
]
OcrLanguage = Annotated[
    str,
    typer.Option(
        metavar="LANG[+LANG...]", help="Language of the texts as Tesseract names it, such as deu."
    ),
]
Limit = Annotated[int | None, typer.Option(min=1, metavar="N", help="The first N images only.")]
Model = Annotated[
    list[str] | None,
    typer.Option(
        metavar="auto|photo|scan|NAME|PATH", help="Weights; may be repeated. [default: auto]"
    ),
]
BaselineOption = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        metavar="NAME[,NAME...]",
        help="nlm, median, bilateral, bm3d, median-background, otsu, sauvola. "
        "[default: nlm,median on the sample data, else none]",
    ),
]
Lpips = Annotated[bool, typer.Option("--lpips", help="Measure LPIPS too; needs imgclean[lpips].")]
Report = Annotated[
    bool, typer.Option("--report", help="Write an HTML report, to reports/TIME or --out.")
]
FullPictures = Annotated[
    bool, typer.Option("--full-pictures", help="Link the report to all pictures in full.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="DIR",
        readable=False,
        help="Keep what is finished here; run again, it is not computed again.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Csv = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="A row for every image and method.")
]
Samples = Annotated[
    int | None, typer.Option(min=1, max=64, help="Rows of the sheet of --output. [default: 8]")
]
Output = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A sheet: noisy, denoised and clean side by side."),
]
FailBelow = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FIGURE=VALUE",
        help="Exit 1 if a mean of the weights is worse: psnr=30 if below, and where less is "
        "better, as in cer=5, if above. May be repeated.",
    ),
]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda|cuda:N|mps", help="Where to compute.")]
Precision = Annotated[str, typer.Option(metavar="auto|fp32|bf16|fp16", help="As in denoise.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results and errors only.")]


def evaluate(
    folder: Folder = None,
    noisy: Noisy = None,
    clean: Clean = None,
    noise: Noise = None,
    text: TextFolder = None,
    ocr: Ocr = False,
    ocr_language: OcrLanguage = "eng",
    limit: Limit = None,
    model: Model = None,
    baseline: BaselineOption = None,
    lpips: Lpips = False,
    report: Report = False,
    full_pictures: FullPictures = False,
    out: Out = None,
    json_: Json = False,
    csv: Csv = None,
    samples: Samples = None,
    output: Output = None,
    fail_below: FailBelow = None,
    device: Device = "auto",
    precision: Precision = "auto",
    quiet: Quiet = False,
) -> None:
    """Score weights and classical methods on images, in numbers and pictures.

    Without options: the shipped weights on the sample data.
    """
    bounds = [_bound(word) for word in fail_below or []]
    _check_targets(csv, output, samples)
    _refuse_collisions(csv, output, out)
    if full_pictures and not report:
        raise UsageError("--full-pictures: belongs to the report; give --report too")
    from .cases import Request, find_cases
    from .eval_screen import EvalScreen, document, print_json, write_csv
    from .evaluate import Run
    from .methods import Classical, choose_methods

    request = Request(folder, noisy, clean, noise, text, limit)
    cases = find_cases(request)
    plain = folder is None and not noisy and not clean
    if baseline is None:
        baseline = _DEFAULT_BASELINES if plain else ""
    methods = choose_methods(model or ["auto"], baseline, device=device, precision=precision)
    screen = EvalScreen(total=len(cases), quiet=quiet)
    options = _options(
        cases,
        screen,
        asked=bool(text),
        ocr=ocr,
        language=ocr_language,
        lpips=lpips,
        pictures=report,
    )
    if noise and folder and (folder / "noisy").is_dir():
        screen.note(f"noise is drawn on {folder / 'clean'}; {folder / 'noisy'} is not used")
    place = out or (_new_folder() if report else None)
    if place:
        _refuse_inputs(place, request)
        _refuse_others(place, report=report)
    run = Run(cases, methods, options, place)
    command = ["imgclean", *sys.argv[1:]]
    scores, interrupted = _consume(run, screen)
    evaluation = _evaluation(run, methods, scores, command)
    if interrupted:
        screen.interrupted(command, place)
        if json_:
            print_json(document(evaluation, computed=run.computed, state="interrupted"))
        raise typer.Exit(ExitCode.INTERRUPTED)
    own = [method.name for method in methods if not isinstance(method, Classical)]
    missed = [line for bound in bounds for line in bound.missed(evaluation.means, own)]
    written = None
    troubles: list[str] = []  # none keeps the rest from going where it can: it took hours
    with _collected(troubles):
        if report and place:
            from .report import write_html

            written = write_html(evaluation, place, full_pictures=full_pictures)
    with _collected(troubles):
        if csv:
            write_csv(csv, scores)
    with _collected(troubles):
        if output:
            _write_sheet(output, cases, methods[0], samples or _SAMPLES)
    with _collected(troubles):
        if json_:
            print_json(document(evaluation, missed=missed, report=written, computed=run.computed))
        else:
            screen.tables(evaluation)
    screen.finish(run, written, missed)
    if troubles:
        raise OutputError("\n".join(troubles))
    if screen.failed or missed:
        raise typer.Exit(ExitCode.SOME_FAILED)


@contextmanager
def _collected(troubles: list[str]) -> Iterator[None]:
    """Put off what cannot be written."""
    try:
        yield
    except OutputError as error:
        troubles.append(str(error))


def _bound(word: str) -> "Bound":
    from .eval_screen import Bound

    key, equals, value = word.partition("=")
    judged = [name for name, figure in FIGURES.items() if figure.better]
    try:
        if key in judged and equals and math.isfinite(float(value)):
            return Bound(key, float(value))
    except ValueError:
        pass
    raise UsageError(
        f"--fail-below {word}: write FIGURE=NUMBER, such as psnr=30; figures: {', '.join(judged)}"
    )


def _check_targets(csv: Path | None, output: Path | None, samples: int | None) -> None:
    """Find out now, not after the work, that a file cannot go where it is told."""
    if samples and not output:
        raise UsageError("--samples: says how many rows --output FILE has; name that file too")
    for target in filter(None, (csv, output)):
        refuse_unwritable(target)
    if csv:
        refuse_foreign(csv, "image,level,method,", "table of imgclean eval")
    if output and output.exists():
        raise UsageError(f"{output}: exists and is not overwritten; name another file")
    if output and output.suffix.lower() not in _PICTURES:
        raise UsageError(f"{output}: not a kind of picture that is written; name a .png or .jpg")


def _refuse_collisions(csv: Path | None, output: Path | None, place: Path | None) -> None:
    """Find out now that one file of the run would take another's place."""
    if not csv:
        return
    if output and csv.resolve() == output.resolve():
        raise UsageError("--csv and --output: are the same file; name two")
    if not place:
        return
    from .ledger import LEDGER
    from .report import REPORT

    for name in (LEDGER, REPORT):
        if csv.resolve() == (place / name).resolve():
            raise UsageError(f"--csv {csv}: is where the run writes {name}; name another file")


def _refuse_inputs(place: Path, request: "Request") -> None:
    """Originals stay alone in their folders."""
    target = place.resolve()
    inside = [request.folder / name for name in _PARTS] if request.folder else []
    for given in (request.noisy, request.clean, request.text, *inside):
        folder = Path(given).resolve() if given else None
        if folder and folder.is_dir() and (target == folder or folder in target.parents):
            raise UsageError(f"{place}: lies in the input folder {given}; choose another --out")


def _refuse_others(place: Path, *, report: bool) -> None:
    """Find out now that a file of one of our names in the folder is somebody else's."""
    from .ledger import LEDGER

    cure = "choose another --out"
    started = r'\{"key": "'  # and no more: a crash may have torn the first line
    refuse_foreign(place / LEDGER, started, "list of scores of imgclean eval", cure)
    if report:
        from .report import MADE_BY, REPORT

        head = rf"\s*<!doctype html>(?s:.{{,1000}}){re.escape(MADE_BY)}"
        refuse_foreign(place / REPORT, head, "report of imgclean eval", cure)


def _new_folder() -> Path:
    """`reports/` and the time, which no folder is named yet."""
    from datetime import datetime

    place = Path("reports") / datetime.now().strftime("%Y-%m-%d-%H%M%S")
    number = 2
    while place.exists():
        place, number = place.with_name(f"{place.name.split('_')[0]}_{number}"), number + 1
    return place


def _options(
    cases: "list[Case]",
    screen: "EvalScreen",
    *,
    asked: bool,
    ocr: bool,
    language: str,
    lpips: bool,
    pictures: bool,
) -> "Options":
    """What to measure: all that was asked for or fails, and what else is installed."""
    from importlib.util import find_spec

    from .evaluate import Options
    from .texts import check_tesseract

    if ocr and not any(case.text or case.clean for case in cases):
        raise UsageError("--ocr: needs clean images to read, or texts in --text DIR")
    version = ""
    if ocr or any(case.text for case in cases):
        try:
            version = check_tesseract(language)
        except DependencyError as error:
            if ocr or asked:
                raise
            screen.note(f"texts are left out. {error}")
    elif language != "eng":
        screen.note(f"--ocr-language {language}: nothing is read; add --ocr or --text DIR")
    referenced = any(case.clean for case in cases)
    ms_ssim = referenced and find_spec("torchmetrics") is not None
    if referenced and not ms_ssim:
        screen.note(
            "MS-SSIM is left out: torchmetrics is missing; pip install 'imgclean[eval]' adds it"
        )
    if lpips:
        _try_lpips(referenced)
    return Options(version, language, ocr, ms_ssim, lpips, pictures)


def _try_lpips(referenced: bool) -> None:
    import numpy as np

    from .metrics import lpips

    if not referenced:
        raise UsageError("--lpips: needs clean images; leave it out")
    blank = np.zeros((64, 64, 3), np.uint8)
    lpips(clean=blank, other=blank)  # raises now what would end the run later


def _consume(run: "Run", screen: "EvalScreen") -> "tuple[list[Score], bool]":
    """All scores, shown as they come, and whether the user interrupted: then of whole cases."""
    scores: list[Score] = []
    try:
        with screen.live([NOISY, *(method.name for method in run.methods)]):
            for score in run:
                scores.append(score)
                screen.show(score)
    except KeyboardInterrupt:
        return _whole_cases(scores, 1 + len(run.methods)), True
    return scores, False


def _whole_cases(scores: "list[Score]", count: int) -> "list[Score]":
    """The scores without those of a last case that has fewer than it should."""
    if not scores or (scores[-1].error and scores[-1].method == NOISY):  # of a case that failed
        return scores
    place = scores[-1].image, scores[-1].level
    last = sum((score.image, score.level) == place for score in scores)
    return scores if last == count else scores[:-last]


def _evaluation(
    run: "Run", methods: "list[Method]", scores: "list[Score]", command: list[str]
) -> "Evaluation":
    import csv
    import shlex
    from datetime import datetime

    from .scores import Evaluation
    from .summary import means, project, suspicious

    histories = {}
    for method in methods:
        if method.folder:
            table = method.folder / "history.csv"  # or a foreign file of that name
            with table.open(newline="", encoding="utf-8", errors="replace") as file:
                histories[method.name] = list(csv.DictReader(file))
    found = [project(name, codes, run.labels) for name, codes in run.codes.items()]
    return Evaluation(
        command=shlex.join(command),
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        scores=scores,
        means=means(scores),
        suspicious=suspicious(scores),
        cards={method.name: dict(method.card) for method in methods},
        histories=histories,
        codes=[codes for codes in found if codes],
    )


def _write_sheet(target: Path, cases: "list[Case]", method: "Method", count: int) -> None:
    """The tutorial's sheet of the first method, of images spread evenly over all of them."""
    from PIL import Image

    from .pictures import beside
    from .samples import rows

    shown = rows([case for case in cases if not case.problem], method, count)
    if not shown:
        raise OutputError(f"{target}: no image could be shown; see the failures above")
    try:
        Image.fromarray(beside(shown)).save(target)
    except (OSError, ValueError) as error:  # ValueError: larger than the format can hold
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"{target}: cannot be written ({reason}); name another file, such as one in .png, or "
            "fewer --samples"
        ) from error
