"""What a whole set says: means with their intervals, images that stand out, codes in a plane."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .scores import FIGURES, NOISY, STRUCTURE_LIMIT, Codes, Mean, Score, Suspicion

__all__ = ["FAR", "FEWEST", "interval", "means", "project", "suspicious"]

FAR = 3.5  # robust z-score from which a value is an outlier (Iglewicz and Hoaglin 1993)
FEWEST = 8  # images of one level below which nobody can say what is usual
_DRAWS = 2000
_NEAREST = 5
_BLOCK = 1_000_000  # numbers at a time, to bound memory

Floats = NDArray[np.float64]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % bootstrap interval of the mean (Efron 1979): percentiles of 2,000 draws, seed 0."""
    given, rng = np.array(values, np.float64), np.random.default_rng(0)
    step = max(1, _BLOCK // len(given))
    drawn = [
        given[rng.integers(0, len(given), (min(step, _DRAWS - start), len(given)))].mean(axis=1)
        for start in range(0, _DRAWS, step)
    ]
    low, high = np.quantile(np.concatenate(drawn), [0.025, 0.975])
    return float(low), float(high)


def means(scores: Iterable[Score]) -> list[Mean]:
    """Summarise each figure by level and method, in the order in which these appear."""
    groups: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        if not score.error:
            groups.setdefault((score.level, score.method), []).append(score)
    found = []
    for (level, method), members in groups.items():
        before = {score.image: score.figures for score in groups.get((level, NOISY), [])}
        for key in FIGURES:
            values = [score.figures[key] for score in members if key in score.figures]
            if values:
                low, high = interval(values)
                mean = float(np.mean(values))
                worse = _worse(key, members, before) if method != NOISY else None
                found.append(Mean(level, method, key, mean, low, high, len(values), worse))
    return found


def _worse(
    key: str, members: Sequence[Score], before: Mapping[str, Mapping[str, float]]
) -> int | None:
    """How many images have a worse figure than their input; None where inputs have none."""
    better = FIGURES[key].better
    pairs = [
        (score.figures[key], before[score.image][key])
        for score in members
        if key in score.figures and key in before.get(score.image, {})
    ]
    if not better or not pairs:
        return None
    return sum(better * (after - noisy) < 0 for after, noisy in pairs)


def suspicious(scores: Iterable[Score]) -> list[Suspicion]:
    """Images whose reconstruction error or residual structure is far above the set's.

    The error is the RMSE to the clean image, or what was removed where there is none. Far is a
    robust z-score, 0.6745 (x - median) / median absolute deviation, above 3.5 (Iglewicz and Hoaglin
    1993), among at least 8 images of one level. Structure counts where it would be flagged too.

    Returns:
        The farthest first.
    """
    groups: dict[tuple[str, str, str], list[Score]] = {}
    for score in scores:
        if not score.error and score.method != NOISY:
            error = "rmse" if "rmse" in score.figures else "removed"
            for key in (error, "structure"):
                if key in score.figures:
                    groups.setdefault((score.level, score.method, key), []).append(score)
    found = []
    for (level, method, key), members in groups.items():
        values = np.array([score.figures[key] for score in members])
        away = values - np.median(values)
        spread = float(np.median(np.abs(away)))
        if len(members) < FEWEST or spread == 0:
            continue
        z = 0.6745 * away / spread
        floor = STRUCTURE_LIMIT if key == "structure" else 0.0
        found += [
            Suspicion(members[k].image, level, method, key, float(values[k]), float(z[k]))
            for k in np.flatnonzero((z > FAR) & (values > floor))
        ]
    return sorted(found, key=lambda suspicion: -suspicion.z)


def project(
    method: str, codes: Mapping[str, Sequence[float]], labels: Mapping[str, str]
) -> Codes | None:
    """Codes in the plane of their two principal components, and the nearest images by code.

    Nearest is the Euclidean distance of the whole codes.

    Args:
        method: whose codes these are.
        codes: by image.
        labels: class by image; they count if there are two or more.

    Returns:
        None for fewer than three images, which are no map.
    """
    names = list(codes)
    if len(names) < 3:
        return None
    values = np.array([codes[name] for name in names], np.float64)
    centred = values - values.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    plane = centred @ axes[:2].T
    if plane.shape[1] < 2:
        plane = np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))
    total = float(np.sum(sizes**2))
    known = [labels.get(name, "") for name in names]
    return Codes(
        method=method,
        images=names,
        points=[(float(across), float(up)) for across, up in plane],
        labels=known if len(set(known)) > 1 else [],
        nearest={
            name: [names[k] for k in near]
            for name, near in zip(names, _nearest(values), strict=True)
        },
        explained=float(np.sum(sizes[:2] ** 2)) / total if total else 1.0,
    )


def _nearest(values: Floats) -> list[list[int]]:
    """For each row the numbers of the nearest other rows, nearest first."""
    squares, count = np.sum(values**2, axis=1), min(_NEAREST, len(values) - 1)
    step, found = max(1, _BLOCK // len(values)), []
    for start in range(0, len(values), step):
        rows = np.arange(start, min(start + step, len(values)))
        distance = squares - 2 * values[rows] @ values.T  # less the row's own square, the same
        distance[np.arange(len(rows)), rows] = np.inf
        found += np.argsort(distance, axis=1, kind="stable")[:, :count].tolist()
    return found
