"""What the other images of a folder were taken for: it decides about unsure ones.

A title page, a page number alone or the empty back of a sheet holds too little to tell it from a
clear sky, and a photo full of letters looks like a page. So such images wait until all others of a
run were looked at; where these are pages of its size, a blank one is one of them, and where they
are photos, what seemed a page is a photo. Faded prints look blank too, but are many.
"""

import queue
import threading
from collections import Counter, defaultdict
from pathlib import Path
from typing import Generic, Literal, TypeVar

__all__ = ["Postponed", "Siblings", "Turns", "Vote"]

T = TypeVar("T")
Vote = Literal["scan", "photo", "unsure", "blank"]
_SHARE = 0.8  # of all but blank ones that are surely of one kind
_BLANK = 1.25  # blank ones for each page, and one or two
_ALIKE = 0.15  # how far sides may be apart, as a share


class Postponed(Exception):  # noqa: N818  # no error: the work is done later
    """An unsure image: what it is its folder tells, once that is known."""


class Siblings:
    """What the images of each folder were taken for. Threads may share it.

    Args:
        least: how many of one kind and size it takes to tell.
    """

    def __init__(self, least: int = 5) -> None:
        """Know nothing yet."""
        self._least = least
        self._lock = threading.Lock()
        self._seen: dict[Path, list[tuple[Vote, int, int]]] = defaultdict(list)

    def note(self, folder: Path, width: int, height: int, vote: Vote) -> None:
        """Remember an image of so many pixels."""
        with self._lock:
            self._seen[folder].append((vote, min(width, height), max(width, height)))

    def verdict(self, folder: Path, width: int, height: int) -> Literal["scan", "photo"] | None:
        """What nearly all images of a folder are, if some have the size of this one, in pixels.

        Not many more than there are pages may be blank: empty backs. Turned by a quarter counts as
        the same size.
        """
        short, long = sorted((width, height))
        with self._lock:
            seen = list(self._seen[folder])
        count = Counter(vote for vote, _, _ in seen)
        alike = Counter(
            vote
            for vote, one, other in seen
            if abs(one - short) <= _ALIKE * short and abs(other - long) <= _ALIKE * long
        )
        enough = _SHARE * (len(seen) - count["blank"])
        few = count["blank"] <= _BLANK * count["scan"] + min(self._least, 2)
        if few and alike["scan"] >= self._least and count["scan"] >= enough:
            return "scan"
        if alike["photo"] >= self._least and count["photo"] >= enough:
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
