"""The summary of a report in plain words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .errors import printable
from .report_contents import FLAG, Survey, figure, text
from .scores import NOISY

__all__ = ["Tile", "Words", "summarise"]

_FAR = 2.5  # times the noise; a method that takes it all changes an image by once that


@dataclass(frozen=True)
class Tile:
    """A number that is shown large; `share` draws kinds and counts as a bar."""

    label: str
    value: str
    note: str = ""
    share: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True)
class Words:
    """A headline, sentences under it, tiles."""

    headline: str
    lead: Sequence[str]
    tiles: Sequence[Tile]


def summarise(found: Survey) -> Words:
    """How good the methods are, which is best, and how many images it made better or worse."""
    if not found.judged:
        return Words(_headline_without(found), [*_noise(found), _set(found)], _tiles(found))
    lead = [" ".join(filter(None, (_best(found), _counts(found)))), _set(found)]
    return Words(_headline(found), lead, _tiles(found))


def _tiles(found: Survey) -> list[Tile]:
    mean = [_mean_tile(found)] if found.key else []
    return [*mean, *_change_tile(found), *_structure_tile(found), _scored(found)]


def _noise(found: Survey) -> list[str]:
    """What can be said without clean images."""
    if found.key != "sigma_after":
        return []
    left = [f"{text(found.key, found.mean(m))} after {printable(m)}" for m in found.cleaning]
    before = text("sigma_before", found.mean(NOISY))
    return [
        f"Estimated noise, as a standard deviation in 8-bit units: {before} in the input, "
        f"{', '.join(left)}.",
        "Without clean images nobody can say how close the results are to the truth: less noise "
        "may also mean less detail, so look at what was removed.",
        *_changed_far(found),
    ]


def _changed_far(found: Survey) -> list[str]:
    """Methods that changed the images by far more than the noise that was measured."""
    noise = found.mean(NOISY)
    removed = {
        method: [
            255 * m.mean
            for m in found.evaluation.means
            if (m.method, m.figure) == (method, "removed")
        ]
        for method in found.cleaning
    }
    amounts = {method: sum(each) / len(each) for method, each in removed.items() if each}
    return [
        f"{printable(method)} changed the images by {amount:.1f} in these units, far more than "
        "that noise: of pages that may be stains, of photos it is detail or colour."
        for method, amount in amounts.items()
        if amount > _FAR * max(noise, 1.0)
    ]


def _headline_without(found: Survey) -> str:
    if not found.groups:
        return "No image could be scored"
    before, after = found.mean(NOISY), found.mean(found.leader)
    if found.key != "sigma_after" or math.isnan(before):
        return f"What {printable(found.leader)} does"
    change = f"from {text(found.key, before)} to {text(found.key, after)}"
    return f"{printable(found.leader)} takes the noise {change}"


def _headline(found: Survey) -> str:
    best, gained = printable(found.best), _gained(found, found.best)
    if found.best == NOISY and found.cleaning:
        return "Nothing beats the noisy input"
    if math.isnan(gained):
        return f"{best} is best" if len(found.cleaning) > 1 else f"How good is {best}?"
    lead = f"{best} cleans best" if len(found.cleaning) > 1 else best
    label = figure(found.key).label if figure(found.key).unit != "dB" else ""
    amount = (
        f"{abs(gained):,.1f}\N{NO-BREAK SPACE}dB"
        if not label
        else text(found.key, abs(gained), unit=True)
    )
    more = "better" if figure(found.key).unit == "dB" else f"{label} better"
    if len(found.cleaning) > 1:
        return f"{lead}: {amount} {more} than the input"
    return f"{lead} makes images {amount} {more}"


def _gained(found: Survey, method: str) -> float:
    """By how much the mean of a method is better than that of the input."""
    before = found.mean(NOISY)
    after = found.mean(method)
    return 0.0 if after == before else (after - before) * figure(found.key).better


def _best(found: Survey) -> str:
    label, best = figure(found.key).label, printable(found.best)
    value = text(found.key, found.mean(found.best), unit=True)
    if found.best == NOISY:
        return f"The untouched input has the best {label}, {value} on average."
    one = [m for m in found.evaluation.means if m.method == found.best and m.figure == found.key]
    if len(found.levels) > 1:
        around = f" over {len(found.levels)} noise levels"
    elif one and one[0].bounded:
        low, high = (text(found.key, end) for end in (one[0].low, one[0].high))
        around = f" (95 % interval {low} to {high})"
    else:
        around = ""
    before = found.mean(NOISY)
    against = (
        ""
        if math.isnan(before)
        else f", against {text(found.key, before, unit=True)} for the noisy input"
    )
    return f"The results of {best} have a mean {label} of {value}{around}{against}."


def _counts(found: Survey) -> str:
    changes = found.changes(found.best)
    total = changes.total()
    if not total or found.best == NOISY:
        return ""
    what = "image" if len(found.levels) < 2 else "pairs of image and noise level"
    if changes["better"] == total:
        every = f"All {total} {what}s" if len(found.levels) < 2 else f"All {total} {what}"
        return f"{every} got better." if total > 1 else "The one image got better."
    worse = [g for g in found.groups if (found.change(g, found.best) or 0.0) < 0]
    named = ", ".join(group.name for group in worse[:3]) + (" and others" if worse[3:] else "")
    better = f"{changes['better']} of {total} got better"
    return f"{better}, {len(worse)} worse: {named}." if worse else f"{better}, none worse."


def _set(found: Survey) -> str:
    methods = len(found.cleaning)
    levels = [printable(level) for level in found.levels if level]
    drawn = f", with noise drawn as {', '.join(levels)}" if levels else ""
    images = "1 image" if found.images == 1 else f"{found.images:,} images"
    by = "1 method" if methods == 1 else f"{methods} methods"
    return f"{images}{drawn}, cleaned by {by}."


def _mean_tile(found: Survey) -> Tile:
    label = figure(found.key).label
    before = found.mean(NOISY)
    value = text(found.key, found.mean(found.leader), unit=True)
    note = "" if math.isnan(before) else f"the noisy input: {text(found.key, before, unit=True)}"
    return Tile(f"Mean {label}, {printable(found.leader)}", value, note)


def _change_tile(found: Survey) -> list[Tile]:
    changes = found.changes(found.leader)
    if not changes:
        return []
    total = changes.total()
    share = [(kind, changes[kind]) for kind in ("better", "same", "worse") if changes[kind]]
    note = f"{changes['worse']} worse" + (f", {changes['same']} equal" if changes["same"] else "")
    label = f"Made better by {printable(found.leader)}"
    return [Tile(label, f"{changes['better']} of {total}", note, share)]


def _structure_tile(found: Survey) -> list[Tile]:
    known = [g for g in found.groups if g.value(found.leader, FLAG) is not None]
    if not known:
        return []
    flagged = sum(group.flagged(found.leader) for group in known)
    note = f"where {printable(found.leader)} removed more than noise"
    return [Tile("Structure left in the residual", f"{flagged} of {len(known)}", note)]


def _scored(found: Survey) -> Tile:
    failed = len({score.image for score in found.failures})
    note = f"{failed} failed, see below" if failed else "none failed"
    return Tile("Images scored", f"{found.images:,}", note)
