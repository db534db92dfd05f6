"""What `imgclean eval` shows: progress, tables of figures, one JSON document, CSV."""

import csv
import io
import json
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from .errors import printable
from .evaluate import Run
from .files import print_out, printing
from .progress import Messages, shortened, span, write_output
from .scores import FIGURES, NOISY, Evaluation, Mean, Score

__all__ = ["Bound", "EvalScreen", "document", "print_json", "write_csv"]

_PACE = 10.0  # seconds between progress lines in a pipe
_LISTED = 20  # failures or suspicious images printed; all of them are in --json
_WIDE = 240  # columns in a pipe, where nothing is cut
_UNBOUNDED = 100_000  # columns, to find out how many a table would like to have
_HIDDEN = {"sigma_before", "structure", "removed"}  # said by other rows, or of single images only


class Bound:
    """A mean that must not be missed: `--fail-below psnr=30`."""

    def __init__(self, figure: str, value: float) -> None:
        """Take the key of a figure and where it fails."""
        self.figure, self.value = figure, value

    def missed(self, means: Sequence[Mean], methods: Sequence[str]) -> list[str]:
        """One line for every mean of these methods that falls short, or that does not exist."""
        what = FIGURES[self.figure]
        found = [mean for mean in means if mean.figure == self.figure and mean.method in methods]
        if not found:
            return [f"{self.figure}: not measured, so it cannot be {self.value:g}"]
        sign = -1 if what.better < 0 else 1
        return [
            f"{mean.method}{f' at {mean.level}' if mean.level else ''}: {self.figure} "
            f"{mean.mean:.{what.digits}f} is {'above' if sign < 0 else 'below'} {self.value:g}"
            for mean in found
            if sign * (mean.mean - self.value) < 0
        ]


class EvalScreen:
    """Progress and messages on standard error, tables on standard output."""

    def __init__(self, *, total: int, quiet: bool) -> None:
        """Expect so many cases; nothing is printed yet."""
        self.total, self.quiet, self.failed = total, quiet, 0
        self.console = Messages()
        self._progress: Progress | None = None
        self._seen: set[tuple[str, str]] = set()
        self._begun = self._spoken = time.monotonic()

    @contextmanager
    def live(self, methods: Sequence[str]) -> Iterator[None]:
        """Show the bar while the block runs, if there is a terminal to show it on."""
        if not self.quiet:
            self.say(f"{self.total} images and levels, methods: {', '.join(methods)}")
        if self.quiet or not self.console.moves:
            yield
            return
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
        )
        with Progress(*columns, console=self.console, transient=True) as progress:
            progress.add_task("", total=self.total)
            self._progress = progress
            yield
        self._progress = None

    def show(self, score: Score) -> None:
        """Take in one score."""
        self._seen.add((score.image, score.level))
        if score.error:
            self.failed += 1
            if self.failed <= _LISTED:
                self.say(f"failed   {score.error}")
        count = len(self._seen)
        if self._progress:
            name = shortened(score.image)
            self._progress.update(self._progress.task_ids[0], completed=count, description=name)
        elif not self.quiet and time.monotonic() - self._spoken > _PACE:
            self._spoken = time.monotonic()
            left = (self._spoken - self._begun) / count * (self.total - count)
            self.say(f"{count}/{self.total}, about {span(left)} left")

    def tables(self, evaluation: Evaluation) -> None:
        """Print a table for each noise level, and the images that stand out.

        Raises:
            OutputError: standard output has no room for them.
        """
        with printing():
            self._tables(evaluation)

    def _tables(self, evaluation: Evaluation) -> None:
        out = Console(file=sys.stdout, highlight=False, markup=False)
        if not out.is_terminal:
            out = Console(file=sys.stdout, highlight=False, markup=False, width=_WIDE)
        for level in dict.fromkeys(mean.level for mean in evaluation.means):
            means = [mean for mean in evaluation.means if mean.level == level]
            table = _table(level, means, intervals=True)
            wide = not _fits(out, table)
            for part in _parts(out, level, means) if wide else [table]:
                out.print(part)
            below = "in --json" if wide else "below"
            said = "* best of the row"
            if any(mean.bounded for mean in means):
                said += f"; means, 95 % bootstrap intervals {below}"
            out.print(said, soft_wrap=True)
        for found in evaluation.suspicious[:_LISTED]:
            at = f", {found.level}" if found.level else ""
            what = FIGURES[found.figure]
            out.print(
                printable(
                    f"suspicious: {found.image}{at}, {found.method}: {what.label} "
                    f"{found.value:.{what.digits}f} is far from the set's (robust z {found.z:+.1f})"
                ),
                soft_wrap=True,
            )
        more = len(evaluation.suspicious) - _LISTED
        if more > 0:
            out.print(f"and {more} more suspicious figures; see --json", soft_wrap=True)

    def interrupted(self, command: Sequence[str], folder: Path | None) -> None:
        """Say how to go on."""
        done = f"interrupted after {max(len(self._seen) - 1, 0)} of {self.total}"
        if folder is None:
            self.say(f"{done}; nothing was kept: give --out DIR to be able to continue")
            return
        words = list(command)
        if not any(word in ("--out", "-o") or word.startswith("--out=") for word in words):
            words += ["--out", str(folder)]
        self.say(f"{done}; continue with: {shlex.join(words)}")

    def finish(self, run: Run, report: Path | None, missed: Sequence[str]) -> None:
        """Print what failed or fell short, and where things are."""
        kept = self.total and not run.computed and not self.failed
        if kept and run.folder:
            self.note(f"all was finished before; nothing was computed again ({run.folder})")
        if self.failed > _LISTED:
            self.say(f"and {self.failed - _LISTED} more failures; see --json or --csv")
        if self.failed:
            self.say(f"{self.failed} failed and are left out of the means")
        for line in missed:
            self.say(f"below: {line}")
        if report:
            self.note(f"report: {report}")

    def note(self, text: str) -> None:
        """Print a line to standard error unless told to be quiet."""
        if not self.quiet:
            self.say(text)

    def say(self, text: str) -> None:
        """Print a line to standard error."""
        self.console.print(printable(text))


def _fits(out: Console, table: Table) -> bool:
    unbounded = out.options.update(max_width=_UNBOUNDED)  # else never wider than the screen
    return out.measure(table, options=unbounded).maximum <= out.width


def _parts(out: Console, level: str, means: Sequence[Mean]) -> Iterator[Table]:
    """The table without intervals, in as many as it takes for whole columns on the screen."""
    methods = list(dict.fromkeys(mean.method for mean in means))
    while methods:
        count = len(methods)
        table = _table(level, means, methods, intervals=False)
        while count > 1 and not _fits(out, table):
            count -= 1
            table = _table(level, means, methods[:count], intervals=False)
        yield table
        methods = methods[count:]


def _table(
    level: str, means: Sequence[Mean], shown: Sequence[str] = (), *, intervals: bool
) -> Table:
    """Figures down, methods across: those `shown`, or all; the best is the best of all."""
    methods = list(dict.fromkeys(mean.method for mean in means))
    shown = shown or methods
    by = {(mean.figure, mean.method): mean for mean in means}
    images = max(mean.count for mean in means)
    title = f"{level + ', ' if level else ''}{images} {'image' if images == 1 else 'images'}"
    table = Table(
        title=printable(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold"
    )
    table.add_column("", no_wrap=True)
    for method in shown:
        table.add_column(printable(method), justify="right", no_wrap=True)
    for key, what in FIGURES.items():
        row = {m: by[key, m] for m in methods if (key, m) in by}
        if key == "sigma_after" and ("sigma_before", NOISY) in by:
            row[NOISY] = by["sigma_before", NOISY]
        if key in _HIDDEN or not any(m != NOISY for m in row):
            continue
        label = what.label + (f" ({what.unit})" if what.unit else "")
        table.add_row(label, *_cells(key, row, shown, intervals))
        worse = {m: mean.worse for m, mean in row.items() if mean.worse is not None}
        if key in ("psnr", "cer") and worse:
            counts = [f"{worse[m]} of {row[m].count}" if m in worse else "" for m in shown]
            table.add_row(f"  worse ({what.label})", *counts)
    return table


def _cells(
    key: str, row: Mapping[str, Mean], methods: Sequence[str], intervals: bool
) -> list[Text]:
    """Means with the interval beneath; the best is marked, unless all are the same."""
    what = FIGURES[key]
    shown = {m: f"{mean.mean:.{what.digits}f}" for m, mean in row.items()}
    best = ""
    if what.better and len(set(shown.values())) > 1:
        best = shown[max(row, key=lambda m: what.better * row[m].mean)]
    cells = []
    for method in methods:
        if method not in row:
            cells.append(Text("-"))
            continue
        mean, text = row[method], shown[method]
        if key == "structure_flag":
            cells.append(Text(f"{round(mean.mean * mean.count)} of {mean.count}"))
            continue
        marked = text == best
        cell = Text(f"{text} *" if marked else f"{text}  ", "bold green" if marked else "")
        if intervals and mean.bounded:
            bounds = f"\n{mean.low:.{what.digits}f}..{mean.high:.{what.digits}f}  "
            cell.append(bounds, "dim not bold default")
        cells.append(cell)
    return cells


def document(
    evaluation: Evaluation,
    *,
    computed: int,
    missed: Sequence[str] = (),
    report: Path | None = None,
    state: str = "finished",
) -> dict[str, Any]:
    """The JSON document; described in docs/evaluate.md."""
    failures = [score for score in evaluation.scores if score.error]
    return {
        "command": evaluation.command,
        "created": evaluation.created,
        "state": state,
        "summary": {
            "cases": len({(score.image, score.level) for score in evaluation.scores}),
            "scores": len(evaluation.scores),
            "computed": computed,
            "failed": len(failures),
            "report": str(report) if report else None,
        },
        "methods": [{**card, "name": n} for n, card in evaluation.cards.items()],
        "means": [asdict(mean) for mean in evaluation.means],
        "scores": [asdict(score) for score in evaluation.scores],
        "suspicious": [asdict(found) for found in evaluation.suspicious],
        "below": list(missed),
    }


def print_json(content: Mapping[str, Any]) -> None:
    """One document on standard output."""
    print_out(json.dumps(content, indent=2))


def write_csv(target: Path, scores: Sequence[Score]) -> None:
    """One row a score; figures that do not apply are empty.

    Raises:
        OutputError: the file cannot be written.
    """
    keys = [key for key in FIGURES if any(key in score.figures for score in scores)]
    head = ["image", "level", "method", "width", "height", *keys, "error"]
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(head)
    for score in scores:
        place = [score.image, score.level, score.method, score.width, score.height]
        rows.writerow([*place, *(score.figures.get(key, "") for key in keys), score.error])
    write_output(target, text.getvalue().encode(errors="surrogateescape"))
