"""What `--model auto` takes each page for: by itself, else by its file or by its folder."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from .choose import Choice, choose
from .images import Reader
from .siblings import Postponed, Siblings, Vote

__all__ = ["Auto", "Document"]

_HERE = Path()  # the one folder of the pages of a file


class Auto:
    """Chooses weights for the images of one run. Threads may share it."""

    def __init__(self) -> None:
        """Know no image yet."""
        self._siblings = Siblings()

    def note(self, source: Path, reader: Reader, vote: Vote) -> None:
        """Remember what a file seemed, since it tells what unsure ones beside it are."""
        self._siblings.note(_folder(source), reader.width, reader.height, vote)

    def verdict(self, source: Path, reader: Reader) -> Literal["scan", "photo"] | None:
        """What nearly all that were noted of a file's folder are."""
        return self._siblings.verdict(_folder(source), reader.width, reader.height)

    def document(self, source: Path, reader: Reader, *, last: bool) -> "Document":
        """A file whose pages are to be chosen for, `last` once the others of a run were."""
        return Document(self, source, reader, last=last)

    def is_blank_page(self, source: Path, reader: Reader, *, last: bool) -> bool:
        """Whether a file that is known to be blank is one among pages.

        Raises:
            Postponed: to be asked again, `last`, once the others of a run were.
        """
        if not last:
            self.note(source, reader, "blank")
            raise Postponed
        return self.verdict(source, reader) == "scan"


class Document:
    """Chooses weights for the pages of one file.

    Attributes:
        followed: pages that are cleaned as such because of what is beside them.
        unsure: whether some page was blank, or is not what it seemed by itself.
    """

    def __init__(self, auto: Auto, source: Path, reader: Reader, *, last: bool) -> None:
        """Look at no page yet."""
        self.followed, self.unsure = 0, False
        self._auto, self._source, self._reader, self._last = auto, source, reader, last
        self._votes: list[Vote] = []
        self._known: list[Choice] = []  # of all pages, where they had to be looked at before
        self._pages = Siblings(least=1)

    @property
    def vote(self) -> Vote:
        """What the file tells about others: what its pages seemed that are not blank, if alike."""
        kinds = set(self._votes) - {"blank"}
        return "unsure" if len(kinds) > 1 else kinds.pop() if kinds else "blank"

    def choose(self, pixels: NDArray[Any]) -> Choice:
        """What the next page is: see `imgclean.choose.choose` for its pixels.

        Raises:
            Postponed: it is unsure, its file holds nothing else, and its folder is not known yet.
        """
        index = len(self._votes)
        choice = self._known[index] if self._known else choose(pixels)
        self._votes.append(_vote(choice))
        if not choice.blank and not (choice.unsure and choice.name == "scan"):
            return choice
        found = self._decided(choice, *pixels.shape[:2])
        self.followed += found.name == "scan" and choice.name == "photo"
        self.unsure |= choice.blank or found.name != choice.name
        return found

    def _decided(self, choice: Choice, height: int, width: int) -> Choice:
        """The choice for a page, turned by what lies beside it: its file, else its folder.

        A blank one becomes a page among pages, and what seems one a photo among photos; nothing
        that shows a picture is whitened for its neighbours.
        """
        if self._reader.pages > 1 and not self._known:
            self._look()
        if any(not known.blank for known in self._known):
            verdict, place = self._pages.verdict(_HERE, width, height), "file"
        elif self._last:
            verdict, place = self._auto.verdict(self._source, self._reader), "folder"
        else:
            self._auto.note(self._source, self._reader, self.vote)
            raise Postponed
        if choice.blank and verdict == "scan":
            reason = f"nearly blank, in a {place} of pages of this size ({choice.reason})"
            return replace(choice, name="scan", reason=reason)
        if choice.name == "scan" and verdict == "photo":
            reason = f"unsure, in a {place} of photos of this size ({choice.reason})"
            return replace(choice, name="photo", reason=reason)
        if choice.blank and verdict is None:
            reason = f"nearly blank, and its {place} does not tell what it is ({choice.reason})"
            return replace(choice, reason=reason)
        return choice

    def _look(self) -> None:
        """Look at all pages of the file: what comes first must not depend on the order."""
        for number in range(self._reader.pages):
            pixels = self._reader.page(number).pixels
            self._known.append(choose(pixels))
            vote = _vote(self._known[-1])
            self._pages.note(_HERE, pixels.shape[1], pixels.shape[0], vote)
            del pixels  # before the next page is decoded


def _vote(choice: Choice) -> Vote:
    return "blank" if choice.blank else "unsure" if choice.unsure else choice.name


def _folder(source: Path) -> Path:
    """Where a file lies, however its path is written."""
    return Path(os.path.realpath(source.parent))
