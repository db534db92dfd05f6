"""What a report says, worked out from the records of an evaluation: order, tables, words."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .errors import printable
from .scores import FIGURES, NOISY, Evaluation, Figure, Mean, Score

__all__ = ["FLAG", "Cell", "Group", "Survey", "Table", "figure", "survey", "text"]

FLAG = "structure_flag"  # 1.0 where what was removed still shows structure


@dataclass(frozen=True)
class Group:
    """One image at one noise level, as all methods cleaned it.

    `number` counts from 0 in the order of the report, which is worst first.
    """

    number: int
    image: str
    level: str
    scores: Mapping[str, Score]

    @property
    def name(self) -> str:
        """What the reader sees."""
        return printable(self.image) + (f", {printable(self.level)}" if self.level else "")

    def value(self, method: str, key: str) -> float | None:
        """A figure of one method, None where it does not apply."""
        score = self.scores.get(method)
        return None if score is None else score.figures.get(_of_input(method, key))

    def flagged(self, method: str) -> bool:
        """Whether structure is left in what this method removed."""
        return bool(self.value(method, FLAG))


@dataclass(frozen=True)
class Cell:
    """A mean with its 95 % interval, as text; `best` of its row."""

    mean: str
    interval: str
    best: bool
    worse: str


@dataclass(frozen=True)
class Table:
    """Means at one noise level: a row for every figure, a cell (or None) for every method."""

    level: str
    methods: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell | None]]]


@dataclass(frozen=True)
class Survey:
    """An evaluation in the order in which it is told.

    Attributes:
        methods: every one, `NOISY` first if it is there.
        levels: in the order they were evaluated.
        keys: figures that any score has, in the order of `FIGURES`, without the flag.
        key: the figure that orders images and, if it is `judged`, methods; empty if there is none.
        leader: the best of the methods that do something; its results order the images.
        best: the method with the best mean; `NOISY` where none improves on its input.
        groups: worst first.
        failures: scores with an error.
    """

    evaluation: Evaluation
    methods: Sequence[str]
    levels: Sequence[str]
    keys: Sequence[str]
    key: str
    leader: str
    best: str
    groups: Sequence[Group]
    failures: Sequence[Score]

    @property
    def cleaning(self) -> list[str]:
        """The methods that do something."""
        return [method for method in self.methods if method != NOISY]

    @property
    def judged(self) -> bool:
        """Whether the ranking figure can say what is better."""
        return figure(self.key).better != 0

    @property
    def images(self) -> int:
        """How many images have figures."""
        return len({group.image for group in self.groups})

    def mean(self, method: str, level: str | None = None) -> float:
        """Mean of the ranking figure at a level, or over the levels' means."""
        found = [
            m.mean
            for m in self.evaluation.means
            if (m.method, m.figure) == (method, _of_input(method, self.key))
            and level in (None, m.level)
        ]
        return sum(found) / len(found) if found else math.nan

    def top(self, methods: Sequence[str]) -> str:
        """The method with the best mean, the first of equals; empty where there is none."""
        sign = figure(self.key).better
        ranked = [method for method in methods if not math.isnan(self.mean(method))]
        best = max(ranked, key=lambda method: sign * self.mean(method), default="")
        return best or next(iter(methods), "")

    def changes(self, method: str) -> Counter[str]:
        """How many images this method made `better`, `worse` or left the `same`."""
        known = (self.change(group, method) for group in self.groups)
        return Counter(
            "same" if change == 0 else "better" if change > 0 else "worse"
            for change in known
            if change is not None
        )

    def change(self, group: Group, method: str) -> float | None:
        """By how much the ranking figure is better than the noisy input's, None if unknown."""
        before, after = group.value(NOISY, self.key), group.value(method, self.key)
        if before is None or after is None or math.isnan(before) or math.isnan(after):
            return None
        if not self.judged:
            return None
        return 0.0 if before == after else (after - before) * figure(self.key).better

    def tables(self) -> list[Table]:
        """The means, a table for every noise level."""
        return [self._table(level) for level in self.levels]

    def _table(self, level: str) -> Table:
        means = {(m.method, m.figure): m for m in self.evaluation.means if m.level == level}
        methods = [m for m in self.methods if any(method == m for method, _ in means)]
        rows = []
        for key in self.keys:
            row = [means.get((method, _of_input(method, key))) for method in methods]
            best = _best([mean for mean in row if mean is not None])
            rows.append((key, [_cell(mean, best) for mean in row]))
        return Table(level, methods, rows)


def survey(evaluation: Evaluation) -> Survey:
    """Find out what there is to tell, and in which order."""
    good = [score for score in evaluation.scores if not score.error]
    methods = _unique([NOISY] * any(s.method == NOISY for s in good) + [s.method for s in good])
    seen = {key for score in good for key in score.figures} - {FLAG}
    seen -= {"sigma_before"} if "sigma_after" in seen else set()  # it stands with the input
    keys = [*(key for key in FIGURES if key in seen), *sorted(seen - set(FIGURES))]
    key = _ranking(good, keys)
    draft = Survey(
        evaluation=evaluation,
        methods=methods,
        levels=_unique(score.level for score in good),
        keys=keys,
        key=key,
        leader="",
        best="",
        groups=(),
        failures=[score for score in evaluation.scores if score.error],
    )
    leader = draft.top(draft.cleaning or methods)
    groups = _groups(good, key, leader)
    return replace(draft, leader=leader, best=draft.top([leader, *methods]), groups=groups)


def figure(key: str) -> Figure:
    """What a figure is; one that `FIGURES` does not know is shown under its key."""
    return FIGURES.get(key) or Figure(key.replace("_", " "), "", 0, 3, "")


def text(key: str, value: float | None, *, unit: bool = False, sign: bool = False) -> str:
    """A figure as it is shown, with a true minus and, if asked, its unit or a plus."""
    if value is None or math.isnan(value):
        return "–"
    what = figure(key)
    number = "∞" if math.isinf(value) else f"{abs(value):,.{what.digits}f}"
    front = "−" if value < 0 and number.strip("0.,") else "+" if sign else ""
    return front + number + (f" {what.unit}" if unit and what.unit else "")


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _ranking(scores: Sequence[Score], keys: Sequence[str]) -> str:
    """The figure that orders images and methods: PSNR, another that judges, or noise left."""
    inputs = {key for score in scores if score.method == NOISY for key in score.figures}
    able = [key for key in keys if figure(key).better and key != "mp_s"]
    compared = [key for key in able if key in inputs]
    chosen = next((key for key in ("psnr", *compared, *able) if key in able), "")
    return chosen or next((key for key in ("sigma_after", *keys) if key in keys), "")


def _of_input(method: str, key: str) -> str:
    """The noise left after doing nothing is the noise before."""
    return "sigma_before" if (method, key) == (NOISY, "sigma_after") else key


def _groups(scores: Sequence[Score], key: str, leader: str) -> list[Group]:
    together: dict[tuple[str, str], dict[str, Score]] = {}
    for score in scores:
        together.setdefault((score.image, score.level), {})[score.method] = score
    sign = figure(key).better or -1

    def badness(group: Group) -> tuple[bool, float]:
        value = group.value(leader, key)
        missing = value is None or math.isnan(value)
        return missing, 0.0 if missing or value is None else value * sign

    drafts = [Group(0, image, level, by) for (image, level), by in together.items()]
    ordered = sorted(drafts, key=badness)
    return [Group(n, g.image, g.level, g.scores) for n, g in enumerate(ordered)]


def _best(means: Sequence[Mean]) -> float | None:
    """The best of the means of one figure; None where there is no contest."""
    known = [mean for mean in means if not math.isnan(mean.mean)]
    sign = figure(known[0].figure).better if known else 0
    if len(known) < 2 or sign == 0:
        return None
    return max(known, key=lambda mean: sign * mean.mean).mean


def _cell(mean: Mean | None, best: float | None) -> Cell | None:
    if mean is None:
        return None
    low, high = text(mean.figure, mean.low), text(mean.figure, mean.high)
    return Cell(
        mean=text(mean.figure, mean.mean),
        interval=f"{low} to {high}" if mean.bounded else "",
        best=mean.mean == best,
        worse="" if mean.worse is None else f"{mean.worse} of {mean.count} worse",
    )
