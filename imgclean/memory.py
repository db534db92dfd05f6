"""How much memory is free, and what the C library does with what was freed."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["forget_shapes", "free_memory", "return_freed"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt in glibc's malloc.h
_LARGE = 1 << 20
_LIMITS = {  # by controller, as version 2 has them in one place, and 1 for each
    "": ("memory.max", "memory.current", "inactive_file"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}
_SHAPES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128", "LRU_CACHE_CAPACITY": "64"}


def forget_shapes() -> None:
    """Have oneDNN forget soon what it prepared for images of one size; before PyTorch is loaded.

    Else it remembers a thousand convolutions, which is 0.3 GB where all images differ in size.
    """
    for name, entries in _SHAPES.items():
        os.environ.setdefault(name, entries)


def return_freed() -> None:
    """Let glibc give every freed block of a megabyte or more back to the system at once.

    Left alone it learns to keep blocks of up to 32 MB for later, a set for each thread: a 200
    megapixel image then takes 0.3 GB more. It costs time where blocks are taken and freed all the
    time, so it is for processes that see such an image. Does nothing under other C libraries.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _LARGE)


def free_memory(system: Path = Path("/")) -> int:
    """Bytes of memory that this process can still get; 0 where the system does not tell.

    In a container that is what its own limit leaves, whatever the machine has; files that were
    read and not needed for a while count as free there, as they do for the machine.
    """
    try:
        lines = (system / "proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    free = next((int(line.split()[1]) * 1024 for line in lines if "MemAvailable" in line), 0)
    return max(0, min([free, *_left_in_groups(system)]))


def _left_in_groups(system: Path) -> Iterator[int]:
    """What the limit of each control group around this process leaves, of version 1 and 2."""
    try:
        lines = (system / "proc/self/cgroup").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    places = {"": "/", "memory": "/"}  # of its controllers; a container may see its own as the root
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, place = rest.partition(":")
        places |= {name: place for name in controllers.split(",") if name in places}
    for controller, names in _LIMITS.items():
        root = system / "sys/fs/cgroup" / controller
        inner = root / places[controller].lstrip("/")
        for group in [inner, *inner.parents]:
            if group.is_relative_to(root):
                with suppress(OSError, ValueError):  # no such group, or one without a limit
                    limit, used = (int((group / name).read_text()) for name in names[:2])
                    yield limit - used + _idle(group, names[2])


def _idle(group: Path, name: str) -> int:
    """Bytes of files that a group read and did not need for a while."""
    with suppress(OSError, ValueError):
        facts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return int(facts.get(name, 0))
    return 0
