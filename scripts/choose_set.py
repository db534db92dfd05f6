"""Labelled images for `imgclean.choose`: pages of all kinds, and what only looks like them.

Every image is made from a seed and sources that are split beforehand: no photo, font family,
rendered page or office page is on both sides. Images are H x W x C uint8, RGB, C in {1, 3}.

Right is `scan` for ink on paper or board that fills most of the image: scanned pages, receipts,
forms, book spreads, newspapers with pictures, handwriting, whiteboards, coloured print of offices,
letters of a few lines, clippings, tickets, envelopes, cheques, music, magazines, sheets
photographed at an angle, on a table or in a hand. Right is `photo` for all else, also where it
holds text: photos with signs or a page that fills under a fifth, prints with borders, albums,
screenshots, screens and slides, notice boards, pencil and painted drawings, coloured maps, posters,
printed cloth, packages, vans, displays, meters, plaques, book spines, identity cards, stamps,
textures, scenes, objects on white.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from choose_desks import on_desk
from choose_flocks import flock
from choose_images import Generator, Pixels, Sources, noisy, read, resized
from choose_layouts import printout, sparse_screen
from choose_letters import album, board, cloth, display, letter, spines
from choose_more import (
    clipping,
    coloured_form,
    letter_on_table,
    meter,
    package,
    pale_front,
    plaque,
    ruled,
    scrapbook,
    ticket,
)
from choose_others import (
    drawing,
    flat,
    graphic,
    leaflet,
    old_print,
    scene,
    screenshot,
    text_photo,
    texture,
    varied,
)
from choose_pages import (
    angled,
    book,
    form,
    handwriting,
    lying,
    newspaper,
    office,
    page,
    receipt,
    whiteboard,
)
from choose_post import (
    carbon_copy,
    cheque,
    crumpled,
    envelope,
    in_hand,
    index_card,
    large_letters,
    magazine,
    music,
    thumbnail,
    with_portrait,
)
from choose_scenes import carved, sign, trunks, wall
from choose_screens import screen
from choose_shown import (
    card,
    device,
    faded,
    goods,
    keys,
    lettering,
    notices,
    projection,
    shelf,
    stamps,
    tin,
    wash,
)
from choose_windows import window

from imgclean.pages import split_by_page

SUFFIXES = {".png", ".jpg", ".jpeg"}
_PAGES_OF_POLYU = ("bulletin", "photo_19")  # print and brush strokes on paper: pages, so left out


@dataclass(frozen=True)
class Case:
    """One image to make: its kind, its source file if it has one, and its seed.

    Pages that are drawn are some of 150, whose numbers count from `pages`.
    """

    kind: str
    scan: bool
    held_out: bool
    seed: int
    source: Path | None = None
    pages: int = 0


Maker = Callable[[Generator, Sources], Pixels]
PAGES: dict[str, tuple[Maker, int]] = {
    "page": (page, 8), "receipt": (receipt, 2), "form": (form, 2), "book": (book, 2),
    "newspaper": (newspaper, 3), "handwriting": (handwriting, 2), "whiteboard": (whiteboard, 2),
    "angled": (angled, 4),
}  # fmt: skip
OTHERS: dict[str, tuple[Maker, int]] = {
    "text in a photo": (text_photo, 4), "screenshot": (screenshot, 3), "drawing": (drawing, 3),
    "texture": (texture, 2), "scene": (scene, 1), "flat": (flat, 1),
}  # fmt: skip


LATER: dict[str, tuple[Maker, int]] = {"print": (old_print, 24), "graphic": (graphic, 16),
                                            "flock": (flock, 8)}  # fmt: skip
LAST: dict[str, tuple[Maker, int]] = {"coloured print": (office, 24), "poster": (leaflet, 12)}
TABLE: dict[str, tuple[Maker, int]] = {"sheet on a table": (lying, 1)}
DESK: dict[str, tuple[Maker, int]] = {"sheet on a desk": (on_desk, 1)}
SCENES: dict[str, tuple[Maker, int]] = {
    "letters in stone": (carved, 1), "sign": (sign, 1), "light screen": (screen, 2),
    "trunks": (trunks, 1), "wall": (wall, 1),
}  # fmt: skip
SPARSE: dict[str, tuple[Maker, int]] = {
    "short letter": (letter, 3), "few words on a board": (board, 1), "printed cloth": (cloth, 1),
    "display": (display, 1), "book spines": (spines, 1), "album": (album, 1),
}  # fmt: skip
MORE: dict[str, tuple[Maker, int]] = {  # two by two alike, of which the latter is a page
    "sparse screen": (sparse_screen, 2), "printout": (printout, 2), "scrapbook": (scrapbook, 2),
    "clipping": (clipping, 1), "plaque": (plaque, 1), "letter on a table": (letter_on_table, 1),
    "meter": (meter, 1), "ticket": (ticket, 1), "package": (package, 1),
    "coloured form": (coloured_form, 1), "pale front": (pale_front, 1), "ruled sheet": (ruled, 1),
}  # fmt: skip
SHOWN: dict[str, tuple[Maker, int]] = {
    "device": (device, 2), "keys": (keys, 1), "projection": (projection, 2),
    "notice board": (notices, 2), "tin": (tin, 2), "lettering": (lettering, 2),
    "identity card": (card, 2), "goods": (goods, 2), "faded print": (faded, 2),
    "stamps": (stamps, 1), "shelf": (shelf, 1), "wash": (wash, 1), "window": (window, 6),
}  # fmt: skip
POST: dict[str, tuple[Maker, int]] = {
    "large letters": (large_letters, 2), "envelope": (envelope, 2), "index card": (index_card, 1),
    "music": (music, 1), "with a portrait": (with_portrait, 2), "cheque": (cheque, 1),
    "carbon copy": (carbon_copy, 1), "crumpled": (crumpled, 1), "magazine": (magazine, 1),
    "sheet in a hand": (in_hand, 2), "thumbnail": (thumbnail, 2),
}  # fmt: skip
LATEST = {**SHOWN, **POST}
MAKERS = {**PAGES, **OTHERS, **LATER, **LAST, **TABLE, **SCENES, **DESK, **SPARSE, **MORE,
          **LATEST}  # fmt: skip
SCANS = {*PAGES, *TABLE, *DESK, *POST, "coloured print", "short letter", "few words on a board",
         "printout", "clipping", "letter on a table", "ticket", "coloured form",
         "ruled sheet"}  # fmt: skip

# Of the drawn kinds that were missed most, so many more.
FURTHER = {"coloured print": 480, "poster": 300, "angled": 160, "page": 200, "screenshot": 120,
           "text in a photo": 80, "texture": 60, "graphic": 120, "flock": 60, "receipt": 30,
           "newspaper": 40, "whiteboard": 30}  # fmt: skip
TILES = {"texture": 400, "scene": 60}
LINES = {"letters in stone": 150, "sign": 160, "light screen": 320, "trunks": 120, "wall": 160,
         "coloured print": 260, "angled": 160, "page": 140, "form": 60, "book": 40,
         "sheet on a table": 200, "sheet on a desk": 400}  # fmt: skip
WORDS = {"short letter": 420, "few words on a board": 100, "printed cloth": 170, "display": 130,
         "book spines": 170, "album": 180}  # fmt: skip
BESIDE = {kind: 100 * weight for kind, (_, weight) in MORE.items()}
LATER_STILL = {kind: 100 * weight for kind, (_, weight) in LATEST.items()}


def make(case: Case, sources: dict[bool, Sources]) -> Pixels:
    """The image of a case."""
    rng = np.random.default_rng(case.seed)
    sources[case.held_out].pages = case.pages
    if case.source is None:
        return MAKERS[case.kind][0](rng, sources[case.held_out])
    image = read(case.source)
    if case.scan:
        image = resized(image, float(rng.uniform(1, 3))) if rng.random() < 0.5 else image
        return noisy(image, rng, 30) if rng.random() < 0.5 else image
    return image if case.seed % 3 == 0 else varied(image, rng)


def cases(root: Path, units: int, first: int = 0) -> Iterator[Case]:
    """Everything to be made, training and held-out; seeds count from `first`.

    A drawn kind has `units` images times its weight, a third of them held out. The folders of
    `validation` serve the held-out side alone.
    """
    seed = first
    for folder in ("bsd432", "imagenet", "sunhays", "clic"):
        for index, path in enumerate(sorted((root / "photos" / folder).iterdir())):
            for _ in range(2):
                yield Case(folder, False, index % 4 == 3, seed := seed + 1, path)
    for folder, times in (("kodak24", 4), ("set12", 4), ("polyu", 1)):
        for path in sorted((root / "validation" / folder).rglob("*")):
            page = any(name in path.name for name in _PAGES_OF_POLYU)
            for _ in range(times if path.suffix.lower() in SUFFIXES and not page else 0):
                yield Case(folder, False, True, seed := seed + 1, path)
    office = root / "documents/noisyoffice"
    clean = {path.name: read(path) for path in sorted((office / "clean").iterdir())}
    tested = set(split_by_page(clean)[1])
    for kind, times in (("noisy", 3), ("clean", 1)):
        for path in sorted((office / kind).iterdir()):
            for _ in range(times):
                yield Case(f"office {kind}", True, path.name in tested, seed := seed + 1, path)
    for kind, (_, weight) in {**PAGES, **OTHERS}.items():
        for index in range(units * weight):
            yield Case(kind, kind in SCANS, index % 3 == 2, seed := seed + 1)
    for _ in range(4):  # photos are the harmless side: what they look like must be known well
        for folder in ("bsd432", "imagenet", "sunhays"):
            for index, path in enumerate(sorted((root / "photos" / folder).iterdir())):
                if index % 4 != 3:
                    yield Case(folder, False, False, seed := seed + 1, path)
    for kind, (_, weight) in PAGES.items():
        for _ in range(units // 2 * weight):
            yield Case(kind, True, False, seed := seed + 1)
    for makers in (LATER, LAST, TABLE, SCENES, DESK, SPARSE, MORE, LATEST):
        for kind, (_, weight) in makers.items():
            for index in range(units * weight):
                held_out = makers is TABLE or index % 3 == 2  # others of these are in `further`
                yield Case(kind, kind in SCANS, held_out, seed := seed + 1)


def further() -> Iterator[Case]:
    """More images to train on, of other pages than those of `cases`."""
    parts = ((FURTHER, 300_000_000, 2000), (TILES, 310_000_000, 2000), (LINES, 320_000_000, 3000),
             (WORDS, 330_000_000, 4000), (BESIDE, 340_000_000, 5000),
             (LATER_STILL, 350_000_000, 6000))  # fmt: skip
    for kinds, seed, pages in parts:
        for kind, count in kinds.items():
            for index in range(count):
                number = pages + index // 8 * 2
                yield Case(kind, kind in SCANS, False, seed := seed + 1, None, number)


def some(every: Iterable[Case], share: float) -> list[Case]:
    """Such a share of the cases, but all of `LATEST`."""
    rng = np.random.default_rng(7)
    return [case for case in every if case.kind in LATEST or rng.random() < share]
