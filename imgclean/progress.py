"""What a run shows: a live bar on a terminal, plain lines in a pipe, one JSON document."""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from .denoise import FILE_SECONDS, Outcome, Plan, Run
from .errors import OutputError, printable
from .files import is_stream, write_whole
from .images import SUFFIXES

__all__ = ["Messages", "Screen", "State", "shortened", "span", "write_report"]

State = Literal["running", "finished", "stopped", "interrupted"]

_PACE = 10.0  # seconds between progress lines in a pipe
_PLACES = 3  # named in a warning
_TOLD = 4  # files from which on the time that is left can be told
_ALONE, _AMONG = 0.8, 5  # share of a folder's images that are pages, and how many, from which on
_MADE = ("done", "clean")
_FEW = 40  # files for which every choice of weights is printed unasked


class Messages(Console):
    """Standard error as it is: no markup, lines of any length."""

    def __init__(self) -> None:
        """Open nothing: it finds standard error when it prints."""
        super().__init__(stderr=True, highlight=False, markup=False, soft_wrap=True)

    @property
    def moves(self) -> bool:
        """Whether a bar can be drawn: on a terminal that is not `TERM=dumb`."""
        return self.is_terminal and not self.is_dumb_terminal

    def on_broken_pipe(self) -> None:
        """Leave it to the command what then becomes of the run: Rich would end the process."""
        raise BrokenPipeError


def shortened(name: str) -> str:
    """The end of a file's name that has room beside a bar."""
    name = printable(name)
    return "…" + name[-39:] if len(name) > 40 else name


class _Current(ProgressColumn):
    """The file in work, looked up whenever the bar is drawn."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run

    def render(self, task: Task) -> Text:
        name = shortened(next(iter(self._run.current), ""))
        return Text(name, no_wrap=True, overflow="ellipsis")


class Screen:
    """Collects outcomes and prints them to standard error."""

    def __init__(self, work: Plan, *, quiet: bool, verbose: bool, dry: bool) -> None:
        """Take the plan to be shown; nothing is printed yet."""
        self.plan, self.quiet, self.dry = work, quiet, dry
        self.each = verbose or (len(work.jobs) <= _FEW and not quiet)
        self.verbose = verbose
        self.outcomes: list[Outcome] = []
        self.console = Messages()
        self._begun = self._spoken = time.monotonic()
        self._progress: Progress | None = None

    @property
    def failed(self) -> int:
        """How many files failed so far."""
        return sum(outcome.status == "failed" for outcome in self.outcomes)

    @contextmanager
    def live(self, run: Run) -> Iterator[None]:
        """Show the bar while the block runs, if there is a terminal to show it on."""
        if not self.quiet:
            files = len(self.plan.jobs)
            self._say(f"{files} image{'s' if files > 1 else ''} on {run.device}")
            if self.plan.out.suffix.lower() in SUFFIXES:
                self._say(f"--out {self.plan.out}: is a folder, whatever its name")
        if self.quiet or self.dry or not self.console.moves:
            yield
            return
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            _Current(run),
        )
        with Progress(*columns, console=self.console, transient=True) as progress:
            self._progress = progress
            progress.add_task("", total=len(self.plan.jobs), speed="")
            yield
        self._progress = None

    def show(self, outcome: Outcome) -> None:
        """Take in one outcome and say what is worth saying."""
        self.outcomes.append(outcome)
        if outcome.status == "failed":
            self._say(f"failed   {outcome.error}")
        elif self.each:
            self._say(self._line(outcome))
        if outcome.kept and outcome.status == "done" and not self.quiet:
            self._say(_warning(outcome))
        if outcome.damaged and outcome.status != "skipped" and not self.quiet:
            self._say(
                f"damaged  {outcome.job.source}: parts of it cannot be read and are wrong in the "
                "result too; look for a better copy"
            )
        if self._progress:
            self._tick(self._progress)
        elif not self.each and not self.quiet and time.monotonic() - self._spoken > _PACE:
            self._spoken = time.monotonic()
            self._say(self._pace())

    def _line(self, outcome: Outcome) -> str:
        if outcome.status == "skipped":
            return f"skipped  {outcome.job.source}: already done"
        if self.dry:
            return f"to do    {outcome.job.source} -> {outcome.job.target}"
        if outcome.status == "clean":
            return f"clean    {outcome.job.source}: nothing to clean"
        text = f"done     {outcome.job.source} ({outcome.model}, {outcome.seconds:.1f} s)"
        if not self.verbose:
            return text
        why = f"; {outcome.reason}" if outcome.reason else ""
        if outcome.streaks:
            why += f"; {outcome.streaks} streak{'s' if outcome.streaks > 1 else ''} removed"
        return f"{text} -> {outcome.job.target}; noise {outcome.sigma}{why}"

    def _pace(self) -> str:
        count, total = len(self.outcomes), len(self.plan.jobs)
        elapsed = time.monotonic() - self._begun
        left = f", about {span(elapsed / count * (total - count))} left" if count >= _TOLD else ""
        return f"{count}/{total} files, {self._speed()}{left}"

    def _speed(self) -> str:
        elapsed = time.monotonic() - self._begun
        return f"{self._megapixels() / max(elapsed, 1e-9):.1f} MP/s"

    def _megapixels(self) -> float:
        return sum(outcome.megapixels for outcome in self.outcomes if outcome.status in _MADE)

    def _tick(self, progress: Progress) -> None:
        done = len(self.outcomes)
        progress.update(progress.task_ids[0], completed=done, speed=self._speed())

    def _say(self, text: str) -> None:
        self.console.print(printable(text))

    def document(self, run: Run | None, state: State) -> dict[str, Any]:
        """The JSON document, files in natural order; documented in docs/denoise.md."""
        order = {job: index for index, job in enumerate(self.plan.jobs)}
        outcomes = sorted(self.outcomes, key=lambda outcome: order[outcome.job])
        count = Counter(outcome.status for outcome in outcomes)
        return {
            "summary": {
                "state": state,
                "files": len(self.plan.jobs),
                "done": count["done"],
                "clean": count["clean"],
                "skipped": count["skipped"],
                "failed": count["failed"],
                "ignored": len(self.plan.ignored),
                "megapixels": round(self._megapixels(), 3),
                "seconds": round(time.monotonic() - self._begun, 3),
                "device": run.device if run else None,
                "precision": run.precision if run else None,
                "dry_run": self.dry,
            },
            "files": [_entry(outcome) for outcome in outcomes],
            "ignored": [str(path) for path in self.plan.ignored],
        }

    def finish(self, run: Run, *, interrupted: bool) -> None:
        """Print the closing lines."""
        if self.quiet:
            return
        count = Counter(outcome.status for outcome in self.outcomes)
        elapsed = time.monotonic() - self._begun
        verb = "to do" if self.dry else "done"
        parts = [f"{count['done']} {verb}", f"{count['skipped']} skipped"]
        parts[1:1] = [f"{count['clean']} already clean"] if count["clean"] else []
        parts += [f"{count['failed']} failed", f"{len(self.plan.ignored)} ignored"]
        how = f" in {run.precision}" if run.precision else ""
        self._say(f"{', '.join(parts)}; {self._megapixels():.1f} MP{how}, {span(elapsed)}")
        if self.verbose or len(self.plan.ignored) <= _FEW:
            for path in self.plan.ignored:
                what = "a link inside a folder" if path.is_symlink() else "no image by its name"
                if path.is_dir() and not path.is_symlink():
                    what = "no file in this folder"
                self._say(f"ignored  {path}: {what}")
        if self.dry:
            self._forecast(run)
        chosen_now = [o for o in self.outcomes if o.model and o.status in _MADE]
        models = Counter(outcome.model for outcome in chosen_now)
        if run.options.model == "auto" and models:
            chosen = ", ".join(f"{name} for {number}" for name, number in models.most_common())
            self._say(f"auto chose {chosen}")
        if odd := self._among_pages():
            self._say(
                f"cleaned as photos among pages: {_names(odd)}; if they are pages, clean them "
                "with --model scan"
            )
        if followed := sum(o.followed for o in self.outcomes if o.status == "done"):
            what = "a nearly blank image was cleaned as a page, like those beside it; if it is none"
            if followed > 1:
                what = f"{followed} nearly blank images were cleaned as pages, like those beside "
                what += "them; if they are none"
            self._say(f"{what}: --model photo")
        if streaked := [o for o in self.outcomes if o.streaks > 0 and o.status == "done"]:
            what = "1 file" if len(streaked) == 1 else f"{len(streaked)} files"
            cause = "its glass may be dusty, or these folded"
            self._say(f"a scanner's streaks were removed from {what} ({_names(streaked)}): {cause}")
        left = len(self.plan.jobs) - len(self.outcomes)
        if run.full:
            self._say(
                f"stopped: the disk {run.full}, {left} not tried; make room or mend it, then the "
                "same command goes on"
            )
        elif run.gone:
            self._say(f"stopped: {self.plan.out} is gone; the same command begins anew")
        elif left and not interrupted:
            more = "" if self.dry else "; the same command continues"
            self._say(f"stopped: {left} not tried{more}")
        elif interrupted:
            self._say("interrupted; the same command continues where it stopped")
        elif count["done"] + count["clean"] + count["skipped"] and not self.dry:
            self._say(f"results are in {self.plan.out}")

    def _among_pages(self) -> list[Outcome]:
        """What was cleaned as a photo in a folder of pages, for the user to look at."""
        folders: dict[Path, list[Outcome]] = {}
        for outcome in self.outcomes:
            if outcome.model:
                folders.setdefault(outcome.job.source.parent, []).append(outcome)
        odd: list[Outcome] = []
        for found in folders.values():
            pages = sum(outcome.model == "scan" for outcome in found)
            if pages >= max(_AMONG, _ALONE * len(found)):
                odd += [o for o in found if o.model == "photo" and o.status == "done"]
        return odd

    def _forecast(self, run: Run) -> None:
        megapixels = self._megapixels()
        largest = max((o.width or 0) * (o.height or 0) for o in self.outcomes) if megapixels else 0
        speed = run.speed()
        files = sum(outcome.status == "done" for outcome in self.outcomes)
        memory = run.memory(largest)
        self._say(
            f"forecast: about {span(megapixels / speed + files * FILE_SECONDS)} at {speed:.1f} MP/s"
            f"{', less where pages are already clean' if run.may_guard() else ''}"
            f"{', five times that where print is small (150 dpi)' if run.may_enlarge() else ''}, "
            f"up to {memory / 1e9:.1f} GB of memory"
        )


def span(seconds: float) -> str:
    """A time in words as short as fits."""
    if seconds < 90:
        return f"{seconds:.1f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _names(outcomes: Sequence[Outcome]) -> str:
    """The first few files' paths, and how many more there are."""
    names = ", ".join(printable(str(o.job.source)) for o in outcomes[:_PLACES])
    left = len(outcomes) - _PLACES
    return f"{names} and {left} more" if left > 0 else names


def _entry(outcome: Outcome) -> dict[str, Any]:
    return {
        "source": str(outcome.job.source),
        "target": str(outcome.job.target),
        "status": outcome.status,
        "model": outcome.model,
        "models": list(outcome.models),
        "width": outcome.width,
        "height": outcome.height,
        "pages": outcome.pages,
        "sigma": outcome.sigma,
        "seconds": round(outcome.seconds, 3),
        "error": outcome.error,
        "kept": [asdict(kept) for kept in outcome.kept],
        "streaks": outcome.streaks,
        "damaged": outcome.damaged,
        "unsure": outcome.unsure,
        "reason": outcome.reason,
    }


def _warning(outcome: Outcome) -> str:
    """What was missing, and where, in a line."""
    places = [f"page {kept.page + 1} at {list(kept.box)}" for kept in outcome.kept[:_PLACES]]
    more = len(outcome.kept) - len(places)
    reasons = " ".join(kept.reason for kept in outcome.kept)
    what = " and ".join(part for part in ("strokes", "dots of print") if part in reasons)
    text = f"kept     {outcome.job.source}: {what} were missing, so cleaned less: "
    return text + "; ".join(places) + (f" and {more} more" if more else "")


def write_report(target: Path, document: dict[str, Any]) -> None:
    """Write the JSON document to a file, see `write_output`."""
    write_output(target, (json.dumps(document, indent=2) + "\n").encode())


def write_output(target: Path, content: bytes) -> None:
    """Write a file that the user named, whole or not at all; a link to a file stays one.

    Into what is no regular file, such as a pipe, it is written directly.

    Raises:
        OutputError: it cannot be written.
    """
    if not is_stream(target):
        write_whole(Path(os.path.realpath(target)), content, "name another file")
        return
    try:
        target.write_bytes(content)
    except OSError as error:
        raise OutputError(
            f"{target}: cannot be written ({error.strerror}); name another file"
        ) from error
