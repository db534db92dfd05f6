"""The journal of an output folder: which outputs imgclean made, and from what.

One JSON line an output, written before the output's temporary file is renamed. A run
killed between the two leaves a line whose content hash no file has yet, which says
nothing; so what the journal claims is true after a crash at any moment.
"""

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Literal

from .errors import OutputError, UsageError
from .files import hold, is_stream

__all__ = ["JOURNAL", "Journal", "file_digest", "fingerprint", "lock"]

JOURNAL = ".imgclean-journal.jsonl"
_FIELDS = {"target": str, "key": str, "output": str, "size": int, "mtime_ns": int}

_CURE = "choose another --out, or mend its permissions or free space"

State = Literal["absent", "done", "stale", "unknown"]


def file_digest(path: Path) -> str:
    """BLAKE2b of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).hexdigest()


def fingerprint(values: Mapping[str, Any]) -> str:
    """A short hash of everything in `values`, whatever its order."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def _refuse_unwritable(folder: Path) -> None:
    """Find out before anything is read, in a dry run too, that a folder cannot be written.

    Raises:
        OutputError: it or, where it is to be made, the one that it would lie in cannot.
    """
    if folder.is_symlink() and not folder.exists():
        raise OutputError(f"{folder}: is a link to nothing; choose another --out")
    try:
        there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        if os.access(there, os.W_OK | os.X_OK):
            return
        sealed = os.statvfs(there).f_flag & os.ST_RDONLY if hasattr(os, "statvfs") else 0
        number = errno.EROFS if sealed else errno.EACCES if there.is_dir() else errno.ENOTDIR
        why = os.strerror(number)
    except OSError as error:  # a name too long
        why = str(error.strerror)
    raise OutputError(f"{folder}: cannot be written ({why}); {_CURE}")


def _refuse_pipe(journal: Path) -> None:
    """Find out that a journal is no file: opening a pipe would wait for ever.

    Raises:
        OutputError: it is something else.
    """
    if is_stream(journal) or journal.is_dir():
        raise OutputError(f"{journal}: is no regular file; remove it, or choose another --out")


def lock(file: IO[bytes], folder: Path, cure: str = "wait for it or choose another --out") -> None:
    """Hold `file` for this run alone, until it is closed.

    Raises:
        UsageError: another run holds it; `file` is closed.
    """
    if not hold(file):
        file.close()
        raise UsageError(f"{folder}: another imgclean is writing there; {cure}")


class Journal:
    """The journal of one folder, locked against a second run for as long as it is open.

    Raises:
        OutputError: the folder cannot be made or written.
        UsageError: another run is writing to the folder.
    """

    def __init__(self, folder: Path, *, write: bool = True) -> None:
        """Read the journal, and open it to add to it unless `write` is false."""
        self.folder = folder
        self.entries: dict[str, list[dict[str, Any]]] = {}
        _refuse_unwritable(folder)
        _refuse_pipe(folder / JOURNAL)
        self._file = self._open() if write else None
        self._read()

    def _open(self) -> Any:
        path = self.folder / JOURNAL
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = path.open("ab", buffering=0)
        except OSError as error:
            raise OutputError(
                f"{error.filename or self.folder}: cannot be written ({error.strerror}); {_CURE}"
            ) from error
        lock(file, self.folder)
        return file

    def _read(self) -> None:
        path = self.folder / JOURNAL
        if not path.is_file():
            return
        try:
            data = path.read_bytes()
        except OSError as error:
            raise OutputError(f"{path}: cannot be read ({error.strerror})") from error
        for line in data.split(b"\n"):
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                continue  # a line torn by a crash claims nothing
            if _is_entry(entry):
                self.entries.setdefault(entry["target"], []).append(entry)
        if self._file and data and not data.endswith(b"\n"):
            self._append(b"\n")

    def _append(self, data: bytes) -> None:
        """Add all of `data` or nothing: half a line would swallow the one after it."""
        if self._file is None:
            raise ValueError("the journal was opened for reading")
        self.refuse_gone()
        size = os.fstat(self._file.fileno()).st_size
        try:
            if self._file.write(data) != len(data):  # as on a disk that is nearly full
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file.fileno())
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(size)
            raise OutputError(
                f"{self.folder / JOURNAL}: cannot be written ({error.strerror}); free some space"
            ) from error

    @property
    def gone(self) -> bool:
        """Whether the folder, or the journal in it, was removed or replaced since it was opened."""
        if self._file is None or self._file.closed:
            return False
        try:
            there = (self.folder / JOURNAL).stat()
            return not os.path.samestat(there, os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return True
        except (OSError, ValueError):  # a share that is away for a moment; a run that ends
            return False

    def refuse_gone(self) -> None:
        """Write nothing into a folder whose journal is not this one: a next run would know nothing.

        Raises:
            OutputError: it was removed or replaced.
        """
        if self.gone:
            raise OutputError(
                f"{self.folder}: was removed or replaced while this ran, with all that was in it; "
                "start the same command again"
            )

    def known(self, target: Path) -> bool:
        """Whether any line speaks of this target."""
        return self._name(target) in self.entries

    def check(self, target: Path, key: str) -> tuple[State, dict[str, Any]]:
        """Where a target stands, and the line that says so.

        `absent`: no such file. `unknown`: a file or link that imgclean did not make, or
        that was changed since. `done`: made from the same bytes, weights and options, all of which
        `key` stands for. `stale`: made by imgclean from others.
        """
        if not target.exists():
            return ("unknown" if target.is_symlink() else "absent"), {}  # a link to nothing
        lines = self.entries.get(self._name(target), [])
        if not lines:
            return "unknown", {}
        status = target.stat()
        line = lines[-1]
        seen = (status.st_size, status.st_mtime_ns)
        alike = [line for line in lines if (line["size"], line["mtime_ns"]) == seen]
        # With --keep-times the output of another run, and a copy of the source, may have both.
        kept = any(line.get("keep_times") for line in alike)
        if kept or {line["output"] for line in alike} != {line["output"]}:
            digest = file_digest(target)
            matching = [line for line in lines if line["output"] == digest]
            if not matching:
                return "unknown", {}
            line = matching[-1]
        return ("done" if line["key"] == key else "stale"), line

    def add(self, target: Path, temporary: Path, key: str, facts: Mapping[str, Any]) -> None:
        """Say that `target` is about to become the file that is now `temporary`.

        Among the facts is `source`, the path that it was made from, seen from the folder.
        """
        status = temporary.stat()
        entry = {
            "target": self._name(target),
            "key": key,
            "output": file_digest(temporary),
            "size": status.st_size,
            "mtime_ns": status.st_mtime_ns,
            **facts,
        }
        self._append(json.dumps(entry).encode() + b"\n")
        self.entries.setdefault(entry["target"], []).append(entry)

    def close(self) -> None:
        """Let another run have the folder."""
        if self._file:
            self._file.close()

    def _name(self, target: Path) -> str:
        return target.relative_to(self.folder).as_posix()


def _is_entry(line: Any) -> bool:
    """Whether a line of JSON is one of a journal, and not what somebody else wrote."""
    if not isinstance(line, dict) or not isinstance(line.get("source", ""), str):
        return False
    return all(isinstance(line.get(name), kind) for name, kind in _FIELDS.items())
