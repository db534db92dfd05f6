"""Write a file whole or not at all, and a document to standard output."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from .errors import OutputError

__all__ = ["print_out", "write_whole"]


def write_whole(target: Path, content: bytes, cure: str, *, flush: bool = True) -> None:
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
    temporary = target.with_name(f".{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            if flush:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OutputError(f"{target}: cannot be written ({error.strerror}); {cure}") from error


def print_out(text: str) -> None:
    """Print a document on standard output, all of it.

    Raises:
        OutputError: there is no room for it where standard output goes.
        BrokenPipeError: its reader has gone.
    """
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"standard output: {error.strerror}; send it elsewhere") from error
