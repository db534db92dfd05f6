"""Find image files in folders. `imgclean.images` passes these names on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imgclean.errors import InputError

__all__ = ["SUFFIXES", "Found", "find", "shown", "twins"]

SUFFIXES = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".jpe": "jpeg",
    ".jfif": "jpeg",
    ".png": "png",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".webp": "webp",
    ".bmp": "bmp",
    ".pbm": "pnm",
    ".pgm": "pnm",
    ".ppm": "pnm",
    ".pnm": "pnm",
    ".avif": "avif",
    ".heic": "heic",
    ".heif": "heic",
    ".jp2": "jp2",
    ".j2k": "jp2",
    ".gif": "gif",
}


@dataclass(frozen=True)
class Found:
    """Result of `find`: images in natural order, and what was passed over.

    Attributes:
        images: Source, and its path relative to the input it was found in.
        ignored: Files whose suffix names no image format; pipes, sockets and devices; symbolic
            links inside folders, which are not followed: they would lead out of the folder or
            to a file that is found anyway; inputs that are folders without a file.
        unreadable: Folders that may not be listed.
    """

    images: list[tuple[Path, Path]]
    ignored: list[Path]
    unreadable: list[Path]


def shown(path: Path) -> str:
    """A path as one printable line, whatever bytes its name is made of."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def twins(names: Iterable[Path], others: Iterable[Path]) -> dict[Path, Path]:
    """Which of the others belongs to each name: the same, or the same but for the suffix.

    Where several have no twin and differ in their suffix alone, nobody knows which is which, and
    they get none.
    """
    left, right = dict.fromkeys(names), dict.fromkeys(others)
    found = {name: name for name in left if name in right}
    alike: dict[Path, tuple[list[Path], list[Path]]] = {}
    for side, group in enumerate((left, right)):
        for name in group:
            if name not in found:
                alike.setdefault(name.with_suffix(""), ([], []))[side].append(name)
    found |= {one[0]: two[0] for one, two in alike.values() if len(one) == len(two) == 1}
    return found


def find(inputs: Sequence[Path], *, recursive: bool = True) -> Found:
    """Images among files and in folders, in natural order (page2 before page10).

    Hidden files and folders are skipped, and inside folders symbolic links. A file reached
    twice is returned once.

    Args:
        inputs: Files and folders; given explicitly, a link or hidden file counts.
        recursive: Go down into folders.

    Raises:
        InputError: An input does not exist or may not be listed.
    """
    found = Found([], [], [])
    seen: set[Path] = set()
    for given in inputs:
        try:
            given.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InputError(f"{shown(given)}: no such file or folder; check the name") from error
        except OSError as error:
            raise InputError(
                f"{shown(given)}: {error.strerror}; check the name and its permissions"
            ) from error
        files: list[Path] = [given]
        if given.is_dir():
            files = _walk(given, found, recursive=recursive)
            if given in found.unreadable:
                raise InputError(f"{shown(given)}: not allowed to list; check its permissions")
            seen_there = [*files, *found.ignored, *found.unreadable]
            if not any(given in path.parents for path in seen_there):
                found.ignored.append(given)
        for path in sorted(files, key=_natural):
            resolved = path.resolve()
            if resolved in seen:
                continue
            seen.add(resolved)
            if path.suffix.lower() not in SUFFIXES:
                found.ignored.append(path)
            else:
                relative = path.relative_to(given) if path != given else Path(path.name)
                found.images.append((path, relative))
    return found


def _walk(folder: Path, found: Found, *, recursive: bool) -> list[Path]:
    files: list[Path] = []
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            entries = [e for e in os.scandir(current) if not e.name.startswith(".")]
        except OSError:
            found.unreadable.append(current)
            continue
        for entry in entries:
            path = current / entry.name
            if entry.is_symlink():
                found.ignored.append(path)
            elif entry.is_file():
                files.append(path)
            elif not entry.is_dir():  # a pipe, a socket, a device
                found.ignored.append(path)
            elif recursive:
                waiting.append(path)
    return files


def _natural(path: Path) -> list[tuple[tuple[int, int, str], ...]]:
    def key(part: str) -> tuple[tuple[int, int, str], ...]:
        pieces = re.split(r"([0-9]+)", part.casefold())
        return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces if p)

    return [*map(key, path.parts), ((2, 0, str(path)),)]
