"""The rows of a report: images, what its script reads of them, suspicious ones, codes, cards."""

import json
import math
import os
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import printable
from .report_contents import Group, Survey, figure, text
from .report_pictures import CLEAN, Layer, Pictures
from .report_plots import Chart, code_map
from .report_webp import thumbnail
from .scores import NOISY, Codes

__all__ = ["Coded", "Item", "card", "coded", "data", "item", "picture_data", "suspicious"]

_NAMES = {NOISY: "noisy input", CLEAN: "clean"}
_CODED = 1200  # images whose codes can be looked up
_ROWS = 10
_FIRST = {"headline": "Measured when it was made", "bad_at": "Known to be bad at"}
_FOLDED = {"summary", "name", "config", "validation", "sha256", "steps", "rebuild"}


@dataclass(frozen=True)
class Item:
    """A line of the list of images."""

    number: int
    name: str
    thumb: str
    value: str
    change: str
    kind: str
    flag: bool


@dataclass(frozen=True)
class Coded:
    """Codes of one autoencoder: their map, rows of nearest images, and what the script reads.

    `lead` says whose nearest images the rows are.
    """

    method: str
    chart: Chart | None
    names: Sequence[str]
    lead: str
    rows: Sequence[Mapping[str, Any]]
    data: Mapping[str, Any]


def item(found: Survey, group: Group, folder: Path | None) -> Item:
    """One line of the list; with a thumbnail if a folder is given."""
    file = _input(group)
    thumb = thumbnail(folder / file, 104) if folder is not None and file else ""
    said = _said(found, group, found.leader)
    return Item(group.number, group.name, thumb, **said, flag=group.flagged(found.leader))


def data(found: Survey, groups: Sequence[Group]) -> dict[str, Any]:
    """What the script needs to order the list and to show the figures of an image."""
    return {
        "leader": _key(found.leader),
        "better": figure(found.key).better or -1,
        "figures": [figure(key).label for key in found.keys],
        "no_pictures": "There are no pictures of this image in the report.",
        "groups": [
            {
                "number": group.number,
                "name": group.name,
                "level": printable(group.level),
                "values": [_rank(group.value(method, found.key)) for method in found.methods],
                "texts": [
                    {"text": said["value"], "change": said["change"], "kind": said["kind"]}
                    for said in (_said(found, group, method) for method in found.methods)
                ],
                "flags": [group.flagged(method) for method in found.methods],
                "columns": [
                    {
                        "key": _key(method),
                        "method": printable(method),
                        "flag": group.flagged(method),
                        "cells": [text(key, group.value(method, key)) for key in found.keys],
                    }
                    for method in found.methods
                    if method in group.scores
                ],
            }
            for group in groups
        ],
    }


def picture_data(pictures: Pictures, linked: bool) -> dict[str, Any]:
    """The pictures of one image as its script reads them."""
    whole = "lossless WebP" if pictures.quality == 100 else f"WebP of quality {pictures.quality}"
    if pictures.scale == 1:
        about = f"{pictures.width} × {pictures.height} pixels, shown in full size as {whole}."
    else:
        about = (
            f"{pictures.width} × {pictures.height} pixels, shown at {100 * pictures.scale:.0f} % "
            f"as {whole}; the outlined square is in full size."
        )
    return {
        "width": pictures.width,
        "height": pictures.height,
        "scale": pictures.scale,
        "box": pictures.box,
        "about": about,
        "layers": [_layer(layer, linked) for layer in pictures.layers],
    }


def suspicious(found: Survey, listed: int) -> list[dict[str, Any]]:
    """The images far from the set, farthest first."""
    numbers = {(g.image, g.level): g.number for g in found.groups if g.number < listed}
    return [
        {
            "name": printable(one.image) + (f", {printable(one.level)}" if one.level else ""),
            "group": numbers.get((one.image, one.level)),
            "method": printable(one.method),
            "figure": figure(one.figure).label,
            "value": text(one.figure, one.value, unit=True),
            "z": f"{one.z:+.1f}".replace("-", "−"),
        }
        for one in sorted(found.evaluation.suspicious, key=lambda one: -abs(one.z))
    ]


def coded(found: Survey, codes: Codes, folder: Path) -> Coded:
    """Everything about the codes of one autoencoder."""
    names = list(codes.images[:_CODED])
    index = {name: k for k, name in enumerate(names)}
    files = {group.image: _cleanest(group, codes.method) for group in found.groups}
    thumbs = [thumbnail(folder / files[n], 72) if files.get(n) else "" for n in names]
    near = [[index[n] for n in codes.nearest.get(name, ()) if n in index][:8] for name in names]
    shown = [printable(name) for name in names]

    def picture(k: int) -> dict[str, str]:
        return {"name": shown[k], "thumb": thumbs[k]}

    chosen = _one_of_each(codes, len(names))
    rows = [
        {"index": k, "pictures": [picture(n) for n in (k, *near[k])]} for k in chosen if near[k]
    ]
    return Coded(
        method=printable(codes.method),
        chart=code_map(codes),
        names=shown,
        lead="An image of every kind" if codes.labels else "The first images",
        rows=rows,
        data={"names": shown, "thumbs": thumbs, "near": near},
    )


def card(method: str, entries: Mapping[str, Any]) -> dict[str, Any]:
    """A model's card: what a reader wants first, and all of it folded away."""
    ordered = {key: entries[key] for key in (*_FIRST, *entries) if key in entries}
    facts = [
        (_FIRST.get(key) or printable(str(key)).replace("_", " ").capitalize(), _plain(value))
        for key, value in ordered.items()
        if key not in _FOLDED and value not in (None, "", [], {})
    ]
    more = json.dumps(entries, indent=2, ensure_ascii=False, default=str) if facts else ""
    return {
        "method": printable(method),
        "summary": printable(str(entries.get("summary", ""))),
        "facts": facts,
        "more": "\n".join(printable(line) for line in more.splitlines()),
    }


def _plain(value: Any) -> str | list[str]:
    """A value of a card as text or a list of texts."""
    if isinstance(value, list):
        return [str(_plain(one)) for one in value]
    if isinstance(value, dict) and "name" in value and "licence" in value:
        return printable(f"{value['name']} (licence: {value['licence']})")
    if isinstance(value, dict) and all(isinstance(one, dict) for one in value.values()):
        return [printable(f"{name}: {one.get('summary', '')}") for name, one in value.items()]
    if isinstance(value, dict):
        return printable(json.dumps(value, ensure_ascii=False, default=str))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return printable(str(value))


def _said(found: Survey, group: Group, method: str) -> dict[str, str]:
    """The ranking figure of an image, and by how much it is better than that of its input."""
    change = found.change(group, method) if method != NOISY else None
    shown = "" if change is None else text(found.key, change, sign=True)
    kind = "" if not change else "up" if change > 0 else "down"
    return {
        "value": text(found.key, group.value(method, found.key), unit=True),
        "change": f"{shown}, worse than the input" if kind == "down" else shown,
        "kind": kind,
    }


def _layer(layer: Layer, linked: bool) -> dict[str, Any]:
    return {
        "key": _key(layer.method),
        "label": _NAMES.get(layer.method, printable(layer.method)),
        "whole": layer.whole,
        "detail": layer.detail,
        "removed": layer.removed,
        "removed_detail": layer.removed_detail,
        "factor": layer.factor,
        "link": urllib.parse.quote(os.fsencode(layer.file)) if linked else "",
    }


def _key(method: str) -> str:
    """Names of methods cannot be taken for the two versions that no method made."""
    return method if method in _NAMES else f"method {printable(method)}"


def _input(group: Group) -> str:
    """The file of the group's noisy picture."""
    return _picture(group, "noisy")


def _cleanest(group: Group, method: str) -> str:
    """The file of its clean picture, else of what a method made of it, else of the noisy one."""
    own = group.scores[method].pictures if method in group.scores else {}
    return _picture(group, CLEAN) or own.get("denoised", "") or _input(group)


def _picture(group: Group, role: str) -> str:
    found = (score.pictures.get(role, "") for score in group.scores.values())
    return next((file for file in found if file), "")


def _one_of_each(codes: Codes, count: int) -> list[int]:
    """The first image of every label, or simply the first."""
    if not codes.labels:
        return list(range(min(count, _ROWS)))
    first: dict[str, int] = {}
    for k, label in enumerate(codes.labels[:count]):
        first.setdefault(label, k)
    return [first[label] for label in sorted(first)][:_ROWS]


def _rank(value: float | None) -> float | None:
    """A number that JSON can hold; a missing one is ordered last."""
    if value is None or math.isnan(value):
        return None
    return max(-1e9, min(1e9, value))
