"""Write a file whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from .errors import OutputError

__all__ = ["write_whole"]


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
