"""The plots of a report as plain geometry; its template draws them as SVG."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .errors import printable
from .pictures import scale
from .report_contents import Survey, figure, text
from .scores import NOISY, Codes, Mean

__all__ = ["Chart", "by_image", "by_level", "code_map", "training"]

_LEFT, _TOP, _RIGHT, _BOTTOM = 56.0, 30.0, 704.0, 298.0  # of the axes, in the plot's own units
_WIDTH = 720.0
_LETTER = 7.5  # the width of a letter below the axis
_POINTS = 3000  # a map of more codes than this shows every n-th


@dataclass(frozen=True)
class Point:
    """A mark at x, y; with an interval, what it is, the group it opens, a text drawn instead."""

    x: float
    y: float
    title: str
    low: float | None = None
    high: float | None = None
    group: int | None = None
    mark: str = ""


@dataclass(frozen=True)
class Series:
    """Points of one colour, which is a number; `line` joins them."""

    label: str
    colour: int
    points: Sequence[Point]
    line: bool = False


@dataclass(frozen=True)
class Chart:
    """A plot in its own units; ticks are pairs of place and text."""

    title: str
    description: str
    x_label: str
    y_label: str
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    series: Sequence[Series]
    frame: tuple[float, float, float, float] = (_LEFT, _TOP, _RIGHT, _BOTTOM)
    rows: int = 1  # that the texts of the ticks below take turns in


def by_level(found: Survey) -> Chart | None:
    """Means of the ranking figure with their intervals, by noise level or, with one, by method."""
    means = [m for m in found.evaluation.means if m.figure == found.key and math.isfinite(m.mean)]
    methods = [method for method in found.methods if any(m.method == method for m in means)]
    if not means:
        return None
    several = len(found.levels) > 1
    names = found.levels if several else methods
    spread = 0.5 / max(1, len(methods) - 1)
    series = []
    for index, method in enumerate(methods):
        shift = (index - (len(methods) - 1) / 2) * min(spread, 0.07)
        points = [
            _mean_point(m, found.levels.index(m.level) + shift if several else float(index))
            for m in means
            if m.method == method
        ]
        series.append(Series(printable(method), _colour(found, method), points, line=several))
    what = figure(found.key)
    return _chart(
        f"Mean {what.label} by {'noise level' if several else 'method'}",
        "Whiskers are 95 % bootstrap intervals of the mean.",
        "noise" if several else "",
        _with_unit(found.key),
        series,
        names=[printable(name) or "as it is" for name in names],
    )


def by_image(found: Survey) -> list[Chart]:
    """The ranking figure of every image, a plot for every noise level, worst image first."""
    charts = []
    for level in found.levels:
        groups = [group for group in found.groups if group.level == level]
        series = []
        for method in found.methods:
            points = [
                Point(
                    place + 1,
                    value,
                    f"{group.name}, {printable(method)}: {text(found.key, value, unit=True)}",
                    group=group.number,
                )
                for place, group in enumerate(groups)
                if (value := group.value(method, found.key)) is not None and math.isfinite(value)
            ]
            series.append(Series(printable(method), _colour(found, method), points))
        if any(one.points for one in series):
            at = f" at {printable(level)}" if level else ""
            charts.append(
                _chart(
                    f"{figure(found.key).label} of every image{at}",
                    f"From the worst to the best for {printable(found.leader)}.",
                    "images, worst first",
                    _with_unit(found.key),
                    series,
                    count=len(groups),
                )
            )
    return charts


def training(rows: Sequence[Mapping[str, str]]) -> list[Chart]:
    """Losses, and PSNR on validation images, by epoch of a training run."""
    wanted = (
        ("Loss", "loss", {"loss": "training", "val_loss": "validation"}),
        ("PSNR on validation images", "dB", {"val_psnr": "validation"}),
    )
    charts = []
    for title, unit, columns in wanted:
        series = []
        for index, (column, label) in enumerate(columns.items()):
            points = [
                Point(epoch, value, f"epoch {epoch:g}, {label}: {value:.5g}")
                for row in rows
                if math.isfinite(epoch := _number(row, "epoch"))
                and math.isfinite(value := _number(row, column))
            ]
            series += [Series(label, index + 1, points, line=True)] if points else []
        if series:
            charts.append(_chart(title, "By epoch of training.", "epoch", unit, series))
    return charts


def code_map(codes: Codes) -> Chart | None:
    """Codes in two dimensions, coloured and, where labels are short, marked by label."""
    if not codes.points:
        return None
    labels = list(dict.fromkeys(sorted(codes.labels))) or [""]
    step = -(-len(codes.points) // _POINTS)
    series = []
    for index, label in enumerate(labels):
        points = [
            Point(
                *codes.points[k],
                f"{printable(codes.images[k])}" + (f", {printable(label)}" if label else ""),
                group=k,
                mark=label if 0 < len(label) <= 2 else "",
            )
            for k in range(0, len(codes.points), step)
            if not codes.labels or codes.labels[k] == label
        ]
        series.append(Series(printable(label), index + 1, points))
    some = f" Every {step}th of {len(codes.points):,} images." if step > 1 else ""
    return _chart(
        f"Map of the codes of {printable(codes.method)}",
        f"The first two principal components hold {100 * codes.explained:.0f} % of the codes' "
        f"variance.{some}",
        "first component",
        "second component",
        series,
    )


def _mean_point(mean: Mean, x: float) -> Point:
    ends = (mean.low, mean.high)
    low, high = (v if mean.bounded and math.isfinite(v) else None for v in ends)
    at = f" at {printable(mean.level)}" if mean.level else ""
    title = f"{printable(mean.method)}{at}: {text(mean.figure, mean.mean, unit=True)}"
    return Point(x, mean.mean, title, low=low, high=high)


def _chart(
    title: str,
    description: str,
    x_label: str,
    y_label: str,
    series: Sequence[Series],
    names: Sequence[str] = (),
    count: int = 0,
) -> Chart:
    """Lay points out on axes, where `names` stand at 0, 1, 2, ... or images at 1 to `count`."""
    points = [point for one in series for point in one.points]
    y_low, y_high, y_ticks = scale(*_extent(v for p in points for v in (p.y, p.low, p.high)))
    x_ticks: list[tuple[float, str]] = []
    if names:
        x_low, x_high = -0.5, len(names) - 0.5
    elif count:
        x_low, x_high = 0.5, count + 0.5
        steps = sorted({round(1 + (count - 1) * k / 8) for k in range(9)})
        x_ticks = [(float(number), str(number)) for number in steps]
    else:
        x_low, x_high, numbers = scale(*_extent(point.x for point in points))
        x_ticks = [(tick, f"{tick:g}") for tick in numbers if x_low < 0 or tick == round(tick)]

    def across(x: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * (x - x_low) / (x_high - x_low), 1)

    def down(y: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * (y - y_low) / (y_high - y_low), 1)

    def place(point: Point) -> Point:
        low, high = (None if end is None else down(end) for end in (point.low, point.high))
        return replace(point, x=across(point.x), y=down(point.y), low=low, high=high)

    slot = (_RIGHT - _LEFT) / max(1, len(names)) / _LETTER  # letters
    if names:  # in two rows each has two slots, but for what lies beyond the plot's sides
        rooms = [2 * slot] * len(names)
        rooms[0] = min(2 * slot, slot + 2 * _LEFT / _LETTER)
        rooms[-1] = min(rooms[-1], slot + 2 * (_WIDTH - _RIGHT) / _LETTER)
        names = [_cut(name, room) for name, room in zip(names, rooms, strict=True)]
        x_ticks = [(float(k), name) for k, name in enumerate(names)]
    placed = [Series(s.label, s.colour, [place(p) for p in s.points], s.line) for s in series]
    return Chart(
        title,
        description,
        x_label,
        y_label,
        [(across(tick), name) for tick, name in x_ticks],
        [(down(tick), f"{tick:.6g}".replace("-", "−")) for tick in y_ticks],
        placed,
        rows=2 if any(len(name) > slot for name in names) else 1,
    )


def _cut(name: str, room: float) -> str:
    return name if len(name) <= room else f"{name[: max(1, int(room) - 1)]}…"


def _extent(values: Iterable[float | None]) -> tuple[float, float]:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return min(known, default=0.0), max(known, default=1.0)


def _number(row: Mapping[str, str], column: str) -> float:
    try:
        return float(row.get(column) or math.nan)
    except ValueError:  # a file of that name that no training run wrote
        return math.nan


def _colour(found: Survey, method: str) -> int:
    """0 is the grey of what is not cleaned."""
    return 0 if method == NOISY else found.cleaning.index(method) + 1


def _with_unit(key: str) -> str:
    what = figure(key)
    return f"{what.label} ({what.unit})" if what.unit else what.label
