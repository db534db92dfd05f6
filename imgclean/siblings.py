"""What the other images of a folder were taken for: it decides about unsure ones.

A title page, a page number alone or the empty back of a sheet holds too little to tell it from a
clear sky, and a page that is nearly all picture or a photo full of letters could be either. So
unsure images wait until all others of a run were looked at; where these are pages, and of its size,
it is one of them, and so with photos. Faded prints look blank too, but are many.
"""

import queue
import threading
from collections import defaultdict
from pathlib import Path
from typing import Generic, Literal, TypeVar

__all__ = ["Postponed", "Siblings", "Turns"]

T = TypeVar("T")
_LEAST, _SHARE = 5, 0.8  # of a kind there are at least, and of all that were decided
_BLANK = 1.25  # blank ones for each page, and two
_ALIKE = 0.15  # how far sides may be apart, as a share


class Postponed(Exception):  # noqa: N818  # no error: the work is done later
    """An unsure image: what it is its folder tells, once that is known."""


class Siblings:
    """What the images of each folder were taken for. Threads may share it."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._seen: dict[Path, list[tuple[bool, int, int]]] = defaultdict(list)
        self._blank: dict[Path, int] = defaultdict(int)

    def note(self, folder: Path, width: int, height: int, *, page: bool) -> None:
        """Remember an image that is no blank one, in pixels; an unsure one as what it seems."""
        with self._lock:
            self._seen[folder].append((page, min(width, height), max(width, height)))

    def note_blank(self, folder: Path) -> None:
        """Count an image that the others decide about."""
        with self._lock:
            self._blank[folder] += 1

    def verdict(self, folder: Path, width: int, height: int) -> Literal["scan", "photo"] | None:
        """What hardly any image of a folder is not, if some have the size of this one, in pixels.

        Not many more than there are pages may be blank: empty backs. Turned by a quarter counts as
        the same size.
        """
        short, long = sorted((width, height))
        with self._lock:
            seen, blank = list(self._seen[folder]), self._blank[folder]
        pages = sum(page for page, _, _ in seen)
        alike = [
            page
            for page, one, other in seen
            if abs(one - short) <= _ALIKE * short and abs(other - long) <= _ALIKE * long
        ]
        few = blank <= _BLANK * pages + 2
        if few and alike.count(True) >= _LEAST and pages >= _SHARE * len(seen):
            return "scan"
        if alike.count(False) >= _LEAST and len(seen) - pages >= _SHARE * len(seen):
            return "photo"
        return None


class Turns(Generic[T]):
    """Work for several threads: some of it is put off until all the rest was tried once."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._first, self._later = queue.SimpleQueue[T](), queue.SimpleQueue[T]()
        self._open, self._lock = 0, threading.Lock()
        self._tried = threading.Event()

    def put(self, item: T) -> None:
        """Add work; all of it before any thread takes some."""
        self._open += 1
        self._first.put(item)

    def take(self) -> tuple[T, bool] | None:
        """The next item and whether it was put off before, or None; waits for the first round.

        Each item of the first round has to be followed by `tried`.
        """
        try:
            return self._first.get_nowait(), False
        except queue.Empty:
            if self._open > 0:
                self._tried.wait()
        try:
            return self._later.get_nowait(), True
        except queue.Empty:
            return None

    def put_off(self, item: T) -> None:
        """Leave an item of the first round for the second one; before it is `tried`."""
        self._later.put(item)

    def tried(self) -> None:
        """An item of the first round is done, or put off."""
        with self._lock:
            self._open -= 1
            if self._open <= 0:
                self._tried.set()

    def end(self) -> None:
        """Let nobody wait any more."""
        self._tried.set()
