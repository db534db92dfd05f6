"""The report of an evaluation: one HTML file that opens offline and fetches nothing."""

import base64
import hashlib
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .errors import printable
from .files import write_whole
from .report_contents import FLAG, Survey, figure, survey, text
from .report_pictures import CLEAN, embed
from .report_plots import by_image, by_level, training
from .report_rows import card, coded, data, item, picture_data, suspicious
from .report_words import summarise
from .scores import FIGURES, NOISY, Evaluation

__all__ = ["MADE_BY", "REPORT", "write_html"]

REPORT = "report.html"
MADE_BY = '<meta name="generator" content="imgclean '  # and the version; by it a report is known
_PICTURES = 16_500_000  # bytes of the page for its pictures
_LISTED = 500  # images in the list, of which the worst _THUMBED have a thumbnail
_THUMBED = 300
_COLOURS = 10


def write_html(evaluation: Evaluation, folder: Path, *, full_pictures: bool = False) -> Path:
    """Write `report.html` into the folder, under a temporary name until it is complete.

    Args:
        evaluation: what to show.
        folder: of the evaluation; the scores' pictures are relative to it and only read here.
        full_pictures: link to the pictures, which then have to stay beside the report.

    Returns:
        The path of the report.

    Raises:
        OutputError: it cannot be written.
    """
    target = folder / REPORT
    page = _page(evaluation, folder, full_pictures)
    write_whole(target, page.encode(), "choose another folder")
    return target


def _page(evaluation: Evaluation, folder: Path, full_pictures: bool) -> str:
    found = survey(evaluation)
    groups = found.groups[:_LISTED]
    shown = {
        group.number: picture_data(pictures, full_pictures)
        for group, pictures in embed(groups, folder, limit=_PICTURES, first=found.leader)
    }
    codes = [coded(found, one, folder) for one in evaluation.codes]
    environment = _environment()
    script = _source(environment, "report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    context = {
        **_frame(found, len(shown), full_pictures),
        **_tables(found),
        "items": [
            item(found, group, folder if group.number < _THUMBED else None) for group in groups
        ],
        "unlisted": len(found.groups) - len(groups),
        "failures": found.failures,
        "suspicious": suspicious(found, len(groups)),
        "codes": codes,
        "histories": _histories(found),
        "cards": [card(method, one) for method, one in evaluation.cards.items()],
        "data": {**data(found, groups), "codes": [one.data for one in codes]},
        "shown": sorted(shown.items()),
        "style": _source(environment, "report.css"),
        "script": script,
        "script_hash": f"sha256-{digest}",
    }
    return environment.get_template("report.html").render(context)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("imgclean", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["printable"] = printable
    environment.globals.update(figure=figure, colour_of=_colour)
    return environment


def _source(environment: Environment, name: str) -> Markup:
    """Our own style or script, which goes into the page as it is."""
    assert environment.loader is not None
    return Markup(environment.loader.get_source(environment, name)[0])


def _colour(number: int) -> int:
    """0 stays grey; more series than there are colours take them in turn."""
    return number if number == 0 else (number - 1) % _COLOURS + 1


def _frame(found: Survey, shown: int, full_pictures: bool) -> dict[str, Any]:
    """What stands around the figures: words, date, command, notes."""
    created = datetime.fromisoformat(found.evaluation.created)
    notes = [
        "The pictures in this page are compressed to keep the file small; all figures, and what "
        "a method removed, come from the originals."
    ]
    if 0 < shown < min(len(found.groups), _LISTED):
        notes.append(f"Only the {shown} worst have pictures here, so that the file stays small.")
    if full_pictures:
        notes.append("The original pictures lie in the folder beside this file.")
    titles = {
        "methods": "Methods",
        "images": "Images" if found.groups else "",
        "failures": "Not scored" if found.failures else "",
        "suspicious": "Suspicious images",
        "codes": "Codes" if found.evaluation.codes else "",
        "training": "Training" if _histories(found) else "",
        "cards": "What was evaluated" if found.evaluation.cards else "",
        "made": "How this was made",
    }
    return {
        "words": summarise(found),
        "created": f"{created.day} {created:%B %Y, %H:%M}",
        "created_exactly": found.evaluation.created,
        "made_by": Markup(MADE_BY),
        "version": version("imgclean"),
        "command": printable(found.evaluation.command),
        "contents": [(id, title) for id, title in titles.items() if title],
        "notes": notes,
    }


def _tables(found: Survey) -> dict[str, Any]:
    """Means by method and by noise level, as tables and as plots."""
    several = len(found.levels) > 1
    return {
        "tables": found.tables(),
        "methods": found.methods,
        "cleaning": found.cleaning,
        "leader": found.leader,
        "colours": {m: 0 if m == NOISY else found.cleaning.index(m) + 1 for m in found.methods},
        "noisy": NOISY,
        "keys": found.keys,
        "key": found.key,
        "judged": found.judged,
        "levels": found.levels,
        "meanings": [key for key in (*found.keys, FLAG) if key in FIGURES],
        "level_chart": by_level(found) if found.key else None,
        "level_table": [
            (method, [text(found.key, found.mean(method, level)) for level in found.levels])
            for method in found.methods
            if several and found.key
        ],
        "image_charts": by_image(found) if found.key else [],
        "has_clean": any(CLEAN in score.pictures for score in found.evaluation.scores),
    }


def _histories(found: Survey) -> list[tuple[str, Any]]:
    drawn = [(method, training(rows)) for method, rows in found.evaluation.histories.items()]
    return [(method, charts) for method, charts in drawn if charts]
