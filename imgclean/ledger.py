"""What an evaluation has finished: one JSON line a score, so that a second run can go on."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO

from .errors import OutputError
from .journal import lock
from .scores import Score

__all__ = ["LEDGER", "Ledger"]

LEDGER = "scores.jsonl"


class Ledger:
    """The finished scores of one output folder, by a key that stands for all that decides them.

    Raises:
        OutputError: the folder cannot be made, read or written.
        UsageError: another run is writing to it.
    """

    def __init__(self, folder: Path) -> None:
        """Read what is finished, and open the file to add to it."""
        self.folder = folder
        self.path = folder / LEDGER
        self._places: dict[str, int] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self.path.open("a+b")
            lock(self._file, folder)
            self._index()
        except OSError as error:
            raise self._failed(error) from error

    def _index(self) -> None:
        """Remember where each line starts; a line torn by a crash claims nothing."""
        self._file.seek(0)
        place, line = 0, b""
        for line in self._file:
            with suppress(ValueError, TypeError, KeyError):
                entry = json.loads(line)
                Score(**entry["score"])
                self._places[entry["key"]] = place
            place += len(line)
        if line and not line.endswith(b"\n"):
            self._file.write(b"\n")

    def find(self, key: str, *, pictures: bool) -> tuple[Score, Sequence[float] | None] | None:
        """The score and code of a key; None if it is not finished.

        Args:
            key: what the score was made from.
            pictures: it only counts if its pictures are there.
        """
        if key not in self._places:
            return None
        self._file.seek(self._places[key])
        entry = json.loads(self._file.readline())
        score = Score(**entry["score"])
        names = list(score.pictures.values())
        if pictures and not (names and all((self.folder / name).is_file() for name in names)):
            return None
        return score, entry["code"]

    def add(self, key: str, score: Score, code: Sequence[float] | None) -> None:
        """Keep a finished score."""
        line = json.dumps({"key": key, "score": asdict(score), "code": code}).encode() + b"\n"
        try:
            self._places[key] = self._file.seek(0, 2)
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.path}: cannot be written ({error.strerror}); choose another --out, or mend "
            "its permissions or free space"
        )
