"""Write files whole or not at all, hold them for one process, and print documents."""

import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from .errors import OutputError, UsageError

try:
    import fcntl
except ImportError:  # not on Windows, where two runs into one folder are not kept apart
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "hold",
    "is_stream",
    "print_out",
    "printing",
    "refuse_foreign",
    "refuse_unwritable",
    "same_place",
    "temporary_name",
    "write_whole",
]
_CURE = "make room, or check the folder and its permissions"


def write_whole(target: Path, content: bytes, cure: str = _CURE, *, flush: bool = True) -> None:
    """Write under a hidden name beside the target, then take its place.

    A full disk or a killed process leaves what was there before.

    Args:
        target: the file; its folder is made if missing.
        content: all of it.
        cure: what the user can do, the end of the error's message.
        flush: wait until it is safe on the disk.

    Raises:
        OutputError: it cannot be written.
    """
    temporary = target.with_name(temporary_name(target.name, ".partial"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            if flush:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror}); {cure}") from error
    finally:  # where it took the target's place there is none any more
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def temporary_name(name: str, suffix: str) -> str:
    """A hidden name, each time another, short enough for file systems that hold 255 bytes."""
    whole = os.fsencode(name)[:180].decode("utf-8", "ignore")  # no half of a character
    short = os.fsdecode(whole.encode())  # as names are here, where the locale is ASCII too
    return f".{short}.{secrets.token_hex(6)}{suffix}"


def print_out(text: str) -> None:
    """Print a document on standard output, all of it; errors are those of `printing`."""
    with printing():
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


@contextmanager
def printing() -> Iterator[None]:
    """Print on standard output within.

    Raises:
        OutputError: there is no room for it where standard output goes.
        BrokenPipeError: its reader has gone.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"standard output: {error.strerror}; send it elsewhere") from error


def refuse_foreign(target: Path, start: str, what: str, cure: str = "name another") -> None:
    """Refuse to take the place of a file that imgclean did not write.

    Args:
        target: where a document is to go.
        start: how all such documents begin, as a regular expression.
        what: what they are, for the message.
        cure: what the user can do, the end of the message.

    Raises:
        UsageError: there is a file that does not begin so, and is not empty.
        OutputError: it cannot be read.
    """
    if not os.path.isfile(target):  # noqa: PTH113  # Path's raises for names too long
        return
    try:
        with target.open("rb") as file:
            beginning = file.read(2000)
    except OSError as error:
        raise OutputError(f"{target}: {error.strerror}; name another file") from error
    if beginning and not re.match(start.encode(), beginning):
        raise UsageError(f"{target}: exists, is no {what} and is not overwritten; {cure}")


def refuse_unwritable(target: Path) -> None:
    """Find out now, not after the work, that a file cannot be written where it is told.

    A pipe or device is written directly, so that its folder need not be writable: /dev is not.

    Raises:
        OutputError: it is a folder, or its folder does not exist or is read-only.
    """
    if is_stream(target):
        return
    folder = target.absolute().parent
    if not folder.is_dir():
        raise OutputError(f"{target}: its folder does not exist; make it first")
    if target.is_dir():
        raise OutputError(f"{target}: is a folder; name a file")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{target}: its folder may not be written to; name another place")


def same_place(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Whether two paths lead to one file or folder that exists."""
    try:
        return Path(one).samefile(other)
    except OSError:
        return False


def is_stream(target: Path) -> bool:
    """Whether a path is a pipe or device, which takes what is written and is never replaced."""
    try:
        return target.exists() and not target.is_file() and not target.is_dir()
    except OSError:  # a name too long, a folder that may not be searched: writing will say so
        return False


def hold(file: IO[bytes]) -> bool:
    """Lock a file for this process until it is closed; False if another process has it.

    True too where there are no locks, as on Windows and some network shares.
    """
    if fcntl:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass
    return True
